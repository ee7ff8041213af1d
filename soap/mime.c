/*
 * The splitter of multipart/related bodies. Called by message_read on whichever thread reads a
 * message. It reads bytes that nobody has proven anything about, so it is strict: two readers must
 * not see different parts in one body.
 */
#include "soap/mime.h"

#include <string.h>

#include "soap/mime_source.h"

#define PART_HEADER_BYTES_MAX ((size_t)8 * 1024)
#define PART_HEADERS_MAX      32
#define PART_FOLDS_MAX        32 /* of one header: each line more copies those before it */
#define BOUNDARY_LINE_MAX     ((size_t)998) /* bytes, padding included (RFC 5322 2.1.1) */

struct splitter {
    struct mime_source source;
    uint64_t at; /* the next byte to look at; always the start of a line */
    char dash_boundary[MIME_BOUNDARY_MAX + 3];
    size_t dash_n;
    const struct message_limits *limits;
    struct arena *arena;
    struct diag *diag;
};

/* ---- lines ---- */

enum line_kind { LINE_OTHER, LINE_BOUNDARY, LINE_LAST_BOUNDARY, LINE_AMBIGUOUS };

/* The line at <at> of <text> without its end; *ret_next is the start of the next one. A line of the
 * last bytes without an end has *ret_is_ended false. */
static struct span
line_at(struct span text, size_t at, size_t *ret_next, bool *ret_is_ended)
{
    const struct span rest = span_slice(text, at, SIZE_MAX);
    const size_t lf = span_find_char(rest, '\n');
    *ret_is_ended = lf != SPAN_MISSING;
    *ret_next = *ret_is_ended ? at + lf + 1 : text.n;
    const size_t n = *ret_is_ended ? lf : rest.n;
    const bool has_cr = *ret_is_ended && n > 0 && rest.p[n - 1] == '\r';
    return span_of(rest.p, has_cr ? n - 1 : n);
}

/* Did the line that ends before <at> of <text> end with CR LF? */
static bool
is_after_crlf(struct span text, size_t at)
{
    return at >= 2 && text.p[at - 2] == '\r';
}

static enum line_kind
kind_of_line(const struct splitter *splitter, struct span line, bool is_whole)
{
    const enum line_kind foreign = splitter->limits->is_lenient ? LINE_OTHER : LINE_AMBIGUOUS;
    struct span rest = span_slice(line, splitter->dash_n, SIZE_MAX);
    const bool is_last = span_starts_with(rest, SPAN("--"));
    rest = span_slice(rest, is_last ? 2 : 0, SIZE_MAX);
    /* Transport padding: blanks only (RFC 2046 5.1.1). */
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] != ' ' && rest.p[i] != '\t') {
            return foreign;
        }
    }
    if (!is_whole) {
        return foreign;
    }
    return is_last ? LINE_LAST_BOUNDARY : LINE_BOUNDARY;
}

/* What stands at a place where the boundary's bytes were found. */
struct found {
    enum line_kind kind;
    uint64_t before; /* the end of what is before the boundary, without its line end */
    uint64_t next;   /* behind the boundary's line */
};

static struct status
refuse_line(const struct splitter *splitter, uint64_t at)
{
    return FAIL(splitter->diag, ERR_MIME,
                "multipart body at byte %llu: a line begins like the boundary and is none "
                "(expected CR LF, --boundary, CR LF)",
                (unsigned long long)at + 1);
}

/* <start>: where the search began; nothing before it belongs to a line end. */
static struct status
look_at_line(struct splitter *splitter, uint64_t start, uint64_t at, struct found *ret_found)
{
    const size_t back = at < 2 ? (size_t)at : 2;
    struct span text = SPAN_EMPTY;
    size_t next = 0;
    bool is_ended = false;

    *ret_found = (struct found){.kind = LINE_OTHER};
    TRY(mime_source_peek(&splitter->source, at - back, back + BOUNDARY_LINE_MAX, splitter->diag,
                         &text));
    if (at > 0 && text.p[back - 1] != '\n') {
        return OK;
    }
    const struct span line = line_at(text, back, &next, &is_ended);
    const bool is_whole = is_ended || at - back + text.n == splitter->source.body->size;
    const enum line_kind kind = kind_of_line(splitter, line, is_whole);
    if (kind == LINE_OTHER) {
        return OK;
    }
    const bool has_crlf = at == 0 || is_after_crlf(text, back);
    const bool has_crlf_end = !is_ended || is_after_crlf(text, next);
    if (kind == LINE_AMBIGUOUS || (!splitter->limits->is_lenient && (!has_crlf || !has_crlf_end)) ||
        (kind == LINE_BOUNDARY && !is_ended)) {
        return refuse_line(splitter, at);
    }
    const uint64_t line_end = at == start ? 0 : (has_crlf ? 2 : 1);
    ret_found->kind = kind;
    ret_found->before = at - start >= line_end ? at - line_end : start;
    ret_found->next = at - back + next;
    return OK;
}

/* Goes to the next boundary line at or after splitter->at: *ret_size is how much stood before it
 * (without the line end that belongs to the boundary), splitter->at is behind it. */
static struct status
find_boundary(struct splitter *splitter, uint64_t *ret_size, enum line_kind *ret_kind)
{
    const uint64_t start = splitter->at;
    const struct span dash_boundary = span_of(splitter->dash_boundary, splitter->dash_n);
    uint64_t at = start;
    for (;;) {
        struct found found;
        TRY(mime_source_find(&splitter->source, at, dash_boundary, splitter->diag, &at));
        if (at == UINT64_MAX) {
            break;
        }
        TRY(look_at_line(splitter, start, at, &found));
        if (found.kind != LINE_OTHER) {
            *ret_size = found.before - start;
            *ret_kind = found.kind;
            splitter->at = found.next;
            return OK;
        }
        at++;
    }
    return FAIL(splitter->diag, ERR_MIME,
                "multipart body: the last boundary (--boundary--) is missing; is it cut off?");
}

/* ---- part headers ---- */

struct part_headers {
    struct span content_type, content_id, encoding;
};

static bool
is_token(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c >= 0x7F || strchr("()<>@,;:\\\"/[]?=", c) != NULL) {
            return false;
        }
    }
    return text.n > 0;
}

/* Printable ASCII and blanks: nothing else belongs into a MIME header. */
static bool
is_header_text(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const unsigned char c = (unsigned char)text.p[i];
        if ((c < ' ' && c != '\t') || c >= 0x7F) {
            return false;
        }
    }
    return true;
}

static struct status
keep_header(struct splitter *splitter, struct span line, struct part_headers *headers)
{
    struct span value = line;
    struct span name;
    (void)span_split(&value, ':', &name);
    if (name.n == line.n || !is_token(name) || !is_header_text(value)) {
        return FAIL(splitter->diag, ERR_MIME, "multipart body: a malformed part header");
    }
    static const struct {
        const char *name;
        size_t offset;
    } known[] = {
        {"Content-Type", offsetof(struct part_headers, content_type)},
        {"Content-ID", offsetof(struct part_headers, content_id)},
        {"Content-Transfer-Encoding", offsetof(struct part_headers, encoding)},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (span_eq_nocase(name, span_of_cstr(known[i].name))) {
            struct span *const field = (struct span *)(void *)((char *)headers + known[i].offset);
            if (field->p != NULL) {
                return FAIL(splitter->diag, ERR_MIME, "multipart body: %s twice in one part",
                            known[i].name);
            }
            /* A copy: the window goes on. Of nothing, too: it was there. */
            TRY(arena_dup(splitter->arena, span_trim(value), splitter->diag, field));
        }
    }
    return OK;
}

/* The block of a part's headers, as far as it may reach. */
struct header_block {
    struct span text;
    size_t at; /* the start of the next line */
};

/* Joins the lines of a folded header (RFC 5322 2.2.3); block->at goes behind them. */
static struct status
take_header(struct splitter *splitter, struct header_block *block, struct span *ret_line)
{
    size_t next = 0;
    bool is_ended = false;
    struct span line = line_at(block->text, block->at, &next, &is_ended);
    size_t folds = 0;
    while (is_ended && (splitter->limits->is_lenient || is_after_crlf(block->text, next))) {
        if (line.n == 0 || next == block->text.n ||
            (block->text.p[next] != ' ' && block->text.p[next] != '\t')) {
            block->at = next;
            *ret_line = line;
            return OK;
        }
        const struct span more = line_at(block->text, next, &next, &is_ended);
        if (line.n + more.n > PART_HEADER_BYTES_MAX || ++folds > PART_FOLDS_MAX) {
            break;
        }
        TRY(arena_printf(splitter->arena, splitter->diag, &line, "%.*s %.*s", SPAN_PRINT(line),
                         SPAN_PRINT(span_trim(more))));
    }
    return FAIL(splitter->diag, ERR_MIME,
                "multipart body at byte %llu: a part header is too long or does not end with CR LF",
                (unsigned long long)splitter->at + block->at + 1);
}

static struct status
take_headers(struct splitter *splitter, struct part_headers *ret_headers)
{
    struct header_block block = {.at = 0};
    /* One byte more than may be: it says whether the last line is folded. */
    TRY(mime_source_peek(&splitter->source, splitter->at, PART_HEADER_BYTES_MAX + 1, splitter->diag,
                         &block.text));
    for (size_t n = 0; n <= PART_HEADERS_MAX; n++) {
        struct span line = SPAN_EMPTY;
        TRY(take_header(splitter, &block, &line));
        if (block.at > PART_HEADER_BYTES_MAX) {
            break;
        }
        if (line.n == 0) {
            splitter->at += block.at;
            return OK;
        }
        TRY(keep_header(splitter, line, ret_headers));
    }
    return FAIL(splitter->diag, ERR_MIME,
                "multipart body: a part has more than %d headers or more than %zu bytes of them",
                PART_HEADERS_MAX, PART_HEADER_BYTES_MAX);
}

/* ---- parts ---- */

static struct status
read_content_id(struct splitter *splitter, struct span value, struct span *ret_id)
{
    if (value.n == 0 && value.p == NULL) {
        *ret_id = SPAN_EMPTY;
        return OK;
    }
    const bool has_brackets = value.n > 2 && value.p[0] == '<' && value.p[value.n - 1] == '>';
    if (!has_brackets && (!splitter->limits->is_lenient || value.n == 0)) {
        return FAIL(splitter->diag, ERR_MIME, "multipart body: Content-ID must be <id>");
    }
    *ret_id = has_brackets ? span_of(value.p + 1, value.n - 2) : value;
    return OK;
}

static struct status
check_part(struct splitter *splitter, const struct part_headers *headers,
           const struct mime_part *part, const struct mime *mime)
{
    static const char *const plain[] = {"binary", "8bit", "7bit"};
    bool is_plain = headers->encoding.p == NULL;
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        is_plain = is_plain || span_eq_nocase(headers->encoding, span_of_cstr(plain[i]));
    }
    if (!is_plain) {
        return FAIL(splitter->diag, ERR_MIME,
                    "multipart body: Content-Transfer-Encoding '%.*s'; expected binary",
                    SPAN_PRINT(span_slice(headers->encoding, 0, 40)));
    }
    if (part->content_id.n > 0 && mime_part_find(mime, part->content_id) != NULL) {
        return FAIL(splitter->diag, ERR_MIME, "multipart body: two parts have the same Content-ID");
    }
    if (part->content_id.n == 0 && mime->parts.n > 0) {
        return FAIL(splitter->diag, ERR_MIME, "multipart body: part %zu has no Content-ID",
                    mime->parts.n + 1);
    }
    if (mime->parts.n == splitter->limits->parts) {
        return FAIL(splitter->diag, ERR_MIME, "multipart body: more than %zu parts",
                    splitter->limits->parts);
    }
    return OK;
}

/* REQ: MTOM-bytes */
static struct status
take_part(struct splitter *splitter, struct mime *mime, enum line_kind *ret_kind)
{
    struct part_headers headers = {.content_type = SPAN_EMPTY};
    struct mime_part part = {.content_id = SPAN_EMPTY};
    TRY(take_headers(splitter, &headers));
    part.offset = splitter->at;
    TRY(find_boundary(splitter, &part.size, ret_kind));
    TRY(read_content_id(splitter, headers.content_id, &part.content_id));
    part.content_type = headers.content_type;
    if (part.content_type.n == 0 && !splitter->limits->is_lenient) {
        return FAIL(splitter->diag, ERR_MIME, "multipart body: part %zu has no Content-Type",
                    mime->parts.n + 1);
    }
    TRY(check_part(splitter, &headers, &part, mime));
    return ARENA_PUSH(splitter->arena, splitter->diag, &mime->parts, part);
}

static struct status
set_boundary(struct splitter *splitter, struct span boundary)
{
    static const char allowed[] = "'()+_,-./:=? "
                                  "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    bool is_good =
        boundary.n > 0 && boundary.n <= MIME_BOUNDARY_MAX && boundary.p[boundary.n - 1] != ' ';
    for (size_t i = 0; is_good && i < boundary.n; i++) {
        is_good = memchr(allowed, boundary.p[i], sizeof(allowed) - 1) != NULL;
    }
    if (!is_good) {
        return FAIL(splitter->diag, ERR_MIME,
                    "Content-Type: a boundary of 1 to %d legal characters is required",
                    MIME_BOUNDARY_MAX);
    }
    memcpy(splitter->dash_boundary, "--", 2);
    memcpy(splitter->dash_boundary + 2, boundary.p, boundary.n);
    splitter->dash_n = boundary.n + 2;
    return OK;
}

/* REQ: MTOM-lenient */
static struct status
find_root(const struct splitter *splitter, const struct content_type *type, struct mime *mime)
{
    const struct span start = content_type_param(type, "start");
    mime->root = 0;
    if (start.n == 0) {
        return OK;
    }
    const bool has_brackets = start.n > 2 && start.p[0] == '<' && start.p[start.n - 1] == '>';
    const struct mime_part *const part =
        mime_part_find(mime, has_brackets ? span_of(start.p + 1, start.n - 2) : start);
    if (part == NULL) {
        return FAIL(splitter->diag, ERR_MIME,
                    "multipart body: no part has the Content-ID that start= names");
    }
    mime->root = (size_t)(part - mime->parts.items);
    return OK;
}

static struct status
split(struct splitter *splitter, const struct content_type *type, struct mime *ret_mime)
{
    struct mime mime = {.root = 0};
    enum line_kind kind = LINE_OTHER;
    uint64_t around = 0;
    bool is_clean = false;
    TRY(set_boundary(splitter, content_type_param(type, "boundary")));
    TRY(find_boundary(splitter, &around, &kind));
    while (kind == LINE_BOUNDARY) {
        TRY(take_part(splitter, &mime, &kind));
    }
    TRY(mime_source_is_blank(&splitter->source, splitter->at, splitter->diag, &is_clean));
    is_clean = is_clean && around == 0;
    if (mime.parts.n == 0 || (!is_clean && !splitter->limits->is_lenient)) {
        return FAIL(splitter->diag, ERR_MIME,
                    "multipart body: no part at all, or text around the parts");
    }
    TRY(find_root(splitter, type, &mime));
    *ret_mime = mime;
    return OK;
}

struct status
mime_split_window(const struct body *body, size_t window_bytes, const struct content_type *type,
                  const struct message_limits *limits, struct arena *arena, struct diag *diag,
                  struct mime *ret_mime)
{
    struct splitter splitter = {.limits = limits, .arena = arena, .diag = diag};
    mime_source_init(&splitter.source, body, window_bytes);
    const struct status st = split(&splitter, type, ret_mime);
    mime_source_done(&splitter.source);
    return st;
}

struct status
mime_split(const struct body *body, const struct content_type *type,
           const struct message_limits *limits, struct arena *arena, struct diag *diag,
           struct mime *ret_mime)
{
    return mime_split_window(body, 0, type, limits, arena, diag, ret_mime);
}

const struct mime_part *
mime_part_find(const struct mime *mime, struct span content_id)
{
    for (size_t i = 0; i < mime->parts.n; i++) {
        if (mime->parts.items[i].content_id.n > 0 &&
            span_eq(mime->parts.items[i].content_id, content_id)) {
            return &mime->parts.items[i];
        }
    }
    return NULL;
}
