/*
 * The JSON writer. Called by the log's readers' tools, the command line and the status page; one
 * thread at a time. It owns nothing: bytes go to the caller's buffer. Depth 0 is the document, so
 * has_items[0] says that its one value was written.
 */
#include "base/jsonw.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define INDENT_COLUMNS 2
#define EACH_BYTE      UINT64_C(0x0101010101010101)
#define EACH_HIGH      UINT64_C(0x8080808080808080)

void
jsonw_init(struct jsonw *w, struct buf *out, bool is_indented, struct diag *diag)
{
    *w = (struct jsonw){.out = out, .diag = diag, .status = OK, .is_indented = is_indented};
}

static void
put(struct jsonw *w, struct span bytes)
{
    if (is_ok(w->status)) {
        w->status = buf_append(w->out, bytes, w->diag);
    }
}

/* Misuse by our own code: remembered like any failure, so that no invalid JSON goes out. */
static void
misused(struct jsonw *w, const char *what)
{
    if (is_ok(w->status)) {
        w->status = FAIL(w->diag, ERR_INTERNAL, "JSON writer: %s at depth %zu", what, w->depth);
    }
}

static void
put_line_break(struct jsonw *w)
{
    if (!w->is_indented || w->depth == 0) {
        return;
    }
    put(w, SPAN("\n"));
    for (size_t i = 0; i < w->depth * INDENT_COLUMNS; i++) {
        put(w, SPAN(" "));
    }
}

static void
put_separator(struct jsonw *w)
{
    if (w->has_items[w->depth]) {
        put(w, SPAN(","));
    }
    put_line_break(w);
    w->has_items[w->depth] = true;
}

/* What comes before any value; false when no value may stand here. */
static bool
begin_value(struct jsonw *w)
{
    if (w->is_after_key) {
        w->is_after_key = false;
        return is_ok(w->status);
    }
    if (w->depth == 0 && w->has_items[0]) {
        misused(w, "a second value");
    } else if (w->is_object[w->depth]) {
        misused(w, "a value without a key");
    } else {
        put_separator(w);
    }
    return is_ok(w->status);
}

static void
open_container(struct jsonw *w, bool is_object)
{
    if (!begin_value(w)) {
        return;
    }
    if (w->depth + 1 >= JSONW_DEPTH_MAX) {
        misused(w, "nested too deeply");
        return;
    }
    put(w, is_object ? SPAN("{") : SPAN("["));
    w->depth++;
    w->is_object[w->depth] = is_object;
    w->has_items[w->depth] = false;
}

void
jsonw_object(struct jsonw *w)
{
    open_container(w, true);
}

void
jsonw_array(struct jsonw *w)
{
    open_container(w, false);
}

void
jsonw_close(struct jsonw *w)
{
    if (w->depth == 0 || w->is_after_key) {
        misused(w, "nothing to close, or a key without a value");
        return;
    }
    const bool is_object = w->is_object[w->depth];
    const bool has_items = w->has_items[w->depth];
    w->depth--;
    if (has_items) {
        if (w->depth == 0 && w->is_indented) {
            put(w, SPAN("\n"));
        }
        put_line_break(w);
    }
    put(w, is_object ? SPAN("}") : SPAN("]"));
}

/* Control characters, and those that some readers take for the end of a line. */
static bool
is_escaped(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7F && c <= 0x9F) || c == 0x2028 ||
           c == 0x2029;
}

static void
put_escape(struct jsonw *w, uint32_t c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    char text[8];
    for (size_t i = 0; i + 1 < sizeof(short_forms); i += 2) {
        if (c == (uint32_t)short_forms[i]) {
            put(w, SPAN("\\"));
            put(w, span_of(&short_forms[i + 1], 1));
            return;
        }
    }
    const int n = snprintf(text, sizeof(text), "\\u%04" PRIx32, c & 0xFFFFU);
    put(w, span_of(text, (size_t)n));
}

/* ASCII that stands for itself: nearly all of every text. */
static bool
is_plain(char c)
{
    return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

/* Not 0 when a byte of <word> is <c>; the lowest that is set tells which. */
static uint64_t
find_byte(uint64_t word, unsigned char c)
{
    const uint64_t differs = word ^ (EACH_BYTE * c);
    return (differs - EACH_BYTE) & ~differs & EACH_HIGH;
}

/* How many bytes at the front are plain, seen eight at a time. */
static size_t
plain_bytes(struct span text)
{
    size_t n = 0;
    uint64_t word = 0;
    while (text.n - n >= sizeof(word)) {
        memcpy(&word, text.p + n, sizeof(word));
        const uint64_t controls = (word - EACH_BYTE * 0x20) & ~word & EACH_HIGH;
        if ((controls | find_byte(word, '"') | find_byte(word, '\\') | find_byte(word, 0x7F) |
             (word & EACH_HIGH)) != 0) {
            break;
        }
        n += sizeof(word);
    }
    while (n < text.n && is_plain(text.p[n])) {
        n++;
    }
    return n;
}

/* At most two bytes: a call of memcpy takes longer. Returns what follows. */
static char *
put_short(char *room, struct span bytes)
{
    room[0] = bytes.p[0];
    if (bytes.n > 1) {
        room[1] = bytes.p[1];
    }
    return room + bytes.n;
}

/* With what stands around it, in one piece; false when it is not plain from end to end. <before>
 * and <after>: one byte or two. */
static bool
put_plain(struct jsonw *w, struct span before, struct span text, struct span after)
{
    char *room = NULL;
    if (!is_ok(w->status) || plain_bytes(text) < text.n) {
        return false;
    }
    w->status = buf_reserve(w->out, before.n + text.n + after.n, w->diag, &room);
    if (is_ok(w->status)) {
        room = put_short(room, before);
        if (text.n > 0) {
            memcpy(room, text.p, text.n);
        }
        (void)put_short(room + text.n, after);
        w->out->n += before.n + text.n + after.n;
    }
    return true;
}

/* Runs of plain characters are appended at once. */
static void
put_string(struct jsonw *w, struct span text)
{
    struct span rest = text;
    const char *plain = text.p;
    uint32_t c = 0;
    if (put_plain(w, SPAN("\""), text, SPAN("\""))) {
        return;
    }
    put(w, SPAN("\""));
    while (is_ok(w->status)) {
        const size_t n = plain_bytes(rest);
        rest.p += n;
        rest.n -= n;
        const char *at = rest.p;
        const bool has_more = text_take_char(&rest, &c);
        if (has_more && c != TEXT_MALFORMED && !is_escaped(c)) {
            continue;
        }
        if (at != plain) {
            put(w, span_of(plain, (size_t)(at - plain)));
        }
        if (!has_more) {
            break;
        }
        if (c == TEXT_MALFORMED) {
            put(w, SPAN("\xEF\xBF\xBD"));
        } else {
            put_escape(w, c);
        }
        plain = rest.p;
    }
    put(w, SPAN("\""));
}

void
jsonw_key(struct jsonw *w, const char *key)
{
    if (w->depth == 0 || !w->is_object[w->depth] || w->is_after_key) {
        misused(w, "a key outside an object or after a key");
        return;
    }
    w->is_after_key = true;
    if (!w->is_indented && put_plain(w, w->has_items[w->depth] ? SPAN(",\"") : SPAN("\""),
                                     span_of_cstr(key), SPAN("\":"))) {
        w->has_items[w->depth] = true;
        return;
    }
    put_separator(w);
    put_string(w, span_of_cstr(key));
    put(w, w->is_indented ? SPAN(": ") : SPAN(":"));
}

void
jsonw_string(struct jsonw *w, struct span text)
{
    if (begin_value(w)) {
        put_string(w, text);
    }
}

void
jsonw_int(struct jsonw *w, int64_t value)
{
    char text[32];
    char *at = text + sizeof(text);
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
    if (!begin_value(w)) {
        return;
    }
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0) {
        *--at = '-';
    }
    put(w, span_of(at, (size_t)(text + sizeof(text) - at)));
}

void
jsonw_bool(struct jsonw *w, bool value)
{
    if (begin_value(w)) {
        put(w, value ? SPAN("true") : SPAN("false"));
    }
}

void
jsonw_key_text(struct jsonw *w, const char *key, struct span text)
{
    if (text.n > 0) {
        jsonw_key(w, key);
        jsonw_string(w, text);
    }
}

void
jsonw_key_int(struct jsonw *w, const char *key, int64_t value)
{
    jsonw_key(w, key);
    jsonw_int(w, value);
}

void
jsonw_key_bool(struct jsonw *w, const char *key, bool value)
{
    jsonw_key(w, key);
    jsonw_bool(w, value);
}

struct status
jsonw_finish(struct jsonw *w)
{
    if (w->depth > 0 || !w->has_items[0]) {
        misused(w, "finished without a whole value");
    }
    return w->status;
}
