/*
 * The splitter of multipart/related bodies. Called by message_read on whichever thread reads a
 * message. It reads bytes that nobody has proven anything about, so it is strict: two readers must
 * not see different parts in one body.
 */
#include "soap/mime.h"

#include <string.h>

#define PART_HEADER_BYTES_MAX ((size_t)8 * 1024)
#define PART_HEADERS_MAX      32
#define PART_FOLDS_MAX        32 /* of one header: each line more copies those before it */

struct splitter {
    struct span body;
    size_t at; /* the next byte to look at; always the start of a line */
    char dash_boundary[MIME_BOUNDARY_MAX + 3];
    size_t dash_n;
    const struct message_limits *limits;
    struct arena *arena;
    struct diag *diag;
};

/* ---- lines ---- */

enum line_kind { LINE_OTHER, LINE_BOUNDARY, LINE_LAST_BOUNDARY, LINE_AMBIGUOUS };

/* The line at <at> without its end; *ret_next is the start of the next one. A line of the last
 * bytes without an end has *ret_is_ended false. */
static struct span
line_at(const struct splitter *splitter, size_t at, size_t *ret_next, bool *ret_is_ended)
{
    const struct span rest = span_slice(splitter->body, at, SIZE_MAX);
    const size_t lf = span_find_char(rest, '\n');
    *ret_is_ended = lf != SPAN_MISSING;
    *ret_next = *ret_is_ended ? at + lf + 1 : splitter->body.n;
    const size_t n = *ret_is_ended ? lf : rest.n;
    const bool has_cr = *ret_is_ended && n > 0 && rest.p[n - 1] == '\r';
    return span_of(rest.p, has_cr ? n - 1 : n);
}

/* Did the line that ends before <at> end with CR LF? */
static bool
is_after_crlf(const struct splitter *splitter, size_t at)
{
    return at >= 2 && splitter->body.p[at - 2] == '\r';
}

static enum line_kind
kind_of_line(const struct splitter *splitter, struct span line)
{
    const struct span dash_boundary = span_of(splitter->dash_boundary, splitter->dash_n);
    if (!span_starts_with(line, dash_boundary)) {
        return LINE_OTHER;
    }
    struct span rest = span_slice(line, dash_boundary.n, SIZE_MAX);
    const bool is_last = span_starts_with(rest, SPAN("--"));
    rest = span_slice(rest, is_last ? 2 : 0, SIZE_MAX);
    /* Transport padding: blanks only (RFC 2046 5.1.1). */
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] != ' ' && rest.p[i] != '\t') {
            return splitter->limits->is_lenient ? LINE_OTHER : LINE_AMBIGUOUS;
        }
    }
    return is_last ? LINE_LAST_BOUNDARY : LINE_BOUNDARY;
}

/* Goes to the next boundary line at or after splitter->at: *ret_before is what stood before it
 * (without the line end that belongs to the boundary), splitter->at is behind it. */
static struct status
find_boundary(struct splitter *splitter, struct span *ret_before, enum line_kind *ret_kind)
{
    const size_t start = splitter->at;
    size_t at = start;
    while (at < splitter->body.n) {
        const struct span rest = span_slice(splitter->body, at, SIZE_MAX);
        const size_t found = span_find(rest, span_of(splitter->dash_boundary, splitter->dash_n));
        if (found == SPAN_MISSING) {
            break;
        }
        at += found;
        if (at > 0 && splitter->body.p[at - 1] != '\n') {
            at++;
            continue;
        }
        size_t next = 0;
        bool is_ended = false;
        const struct span line = line_at(splitter, at, &next, &is_ended);
        const enum line_kind kind = kind_of_line(splitter, line);
        if (kind == LINE_OTHER) {
            at++;
            continue;
        }
        const bool has_crlf = at == 0 || is_after_crlf(splitter, at);
        const bool has_crlf_end = !is_ended || is_after_crlf(splitter, next);
        if (kind == LINE_AMBIGUOUS ||
            (!splitter->limits->is_lenient && (!has_crlf || !has_crlf_end)) ||
            (kind == LINE_BOUNDARY && !is_ended)) {
            return FAIL(splitter->diag, ERR_MIME,
                        "multipart body at byte %zu: a line begins like the boundary and is none "
                        "(expected CR LF, --boundary, CR LF)",
                        at + 1);
        }
        const size_t line_end = at == start ? 0 : (has_crlf ? 2 : 1);
        *ret_before =
            span_of(splitter->body.p + start, at - start >= line_end ? at - start - line_end : 0);
        *ret_kind = kind;
        splitter->at = next;
        return OK;
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
            *field = span_trim(value);
        }
    }
    return OK;
}

/* Joins the lines of a folded header (RFC 5322 2.2.3); splitter->at goes behind them. */
static struct status
take_header(struct splitter *splitter, struct span *ret_line)
{
    size_t next = 0;
    bool is_ended = false;
    struct span line = line_at(splitter, splitter->at, &next, &is_ended);
    size_t folds = 0;
    while (is_ended && (splitter->limits->is_lenient || is_after_crlf(splitter, next))) {
        if (line.n == 0 || next == splitter->body.n ||
            (splitter->body.p[next] != ' ' && splitter->body.p[next] != '\t')) {
            splitter->at = next;
            *ret_line = line;
            return OK;
        }
        const struct span more = line_at(splitter, next, &next, &is_ended);
        if (line.n + more.n > PART_HEADER_BYTES_MAX || ++folds > PART_FOLDS_MAX) {
            break;
        }
        TRY(arena_printf(splitter->arena, splitter->diag, &line, "%.*s %.*s", SPAN_PRINT(line),
                         SPAN_PRINT(span_trim(more))));
    }
    return FAIL(splitter->diag, ERR_MIME,
                "multipart body at byte %zu: a part header is too long or does not end with CR LF",
                splitter->at + 1);
}

static struct status
take_headers(struct splitter *splitter, struct part_headers *ret_headers)
{
    const size_t start = splitter->at;
    for (size_t n = 0; n <= PART_HEADERS_MAX; n++) {
        struct span line = SPAN_EMPTY;
        TRY(take_header(splitter, &line));
        if (splitter->at - start > PART_HEADER_BYTES_MAX) {
            break;
        }
        if (line.n == 0) {
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

static struct status
take_part(struct splitter *splitter, struct mime *mime, enum line_kind *ret_kind)
{
    struct part_headers headers = {.content_type = SPAN_EMPTY};
    struct mime_part part = {.content = SPAN_EMPTY};
    TRY(take_headers(splitter, &headers));
    TRY(find_boundary(splitter, &part.content, ret_kind));
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

struct status
mime_split(struct span body, const struct content_type *type, const struct message_limits *limits,
           struct arena *arena, struct diag *diag, struct mime *ret_mime)
{
    struct splitter splitter = {.body = body, .limits = limits, .arena = arena, .diag = diag};
    struct mime mime = {.root = 0};
    enum line_kind kind = LINE_OTHER;
    struct span around;
    TRY(set_boundary(&splitter, content_type_param(type, "boundary")));
    TRY(find_boundary(&splitter, &around, &kind));
    bool is_clean = around.n == 0;
    while (kind == LINE_BOUNDARY) {
        TRY(take_part(&splitter, &mime, &kind));
    }
    around = span_slice(body, splitter.at, SIZE_MAX);
    is_clean = is_clean && span_trim(around).n == 0;
    if (mime.parts.n == 0 || (!is_clean && !limits->is_lenient)) {
        return FAIL(diag, ERR_MIME, "multipart body: no part at all, or text around the parts");
    }
    TRY(find_root(&splitter, type, &mime));
    *ret_mime = mime;
    return OK;
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
