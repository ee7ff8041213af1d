/*
 * Reads the head of an HTTP/1.1 request: lines in their order, the first error wins, so that the
 * verdict cannot depend on how the bytes arrived. Called by a connection (loop thread) and by
 * tests; owns nothing, all spans are the caller's bytes. Texts of errors quote nothing that a
 * header or a target holds: they may carry patient data.
 */
#include "net/http1.h"

#include "base/digest.h"

#define VERSION "HTTP/1.1"

/* Headers that decide something; each may occur once. */
enum known_header {
    KNOWN_HOST = 1,
    KNOWN_CONTENT_LENGTH = 2,
    KNOWN_TRANSFER_ENCODING = 4,
    KNOWN_CONTENT_TYPE = 8,
    KNOWN_CONTENT_ENCODING = 16,
    KNOWN_EXPECT = 32,
    KNOWN_CONNECTION = 64
};

struct head_reader {
    struct span rest; /* what has not been read yet */
    size_t line_number;
    unsigned seen; /* set of enum known_header */
    struct http1_head head;
    struct diag *diag;
};

static bool
is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_one_of(char c, struct span set)
{
    return span_find_char(set, c) != SPAN_MISSING;
}

/* RFC 9110 5.6.2 */
static bool
is_token(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alphanumeric(s.p[i]) && !is_one_of(s.p[i], SPAN("!#$%&'*+-.^_`|~"))) {
            return false;
        }
    }
    return s.n > 0;
}

/* RFC 9110 5.5: visible characters, bytes above 127, space and tab. */
static bool
is_field_value(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        const unsigned char c = (unsigned char)s.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7F) {
            return false;
        }
    }
    return true;
}

/* RFC 3986 3.3 and 3.4: pchar, '/' and '?'; a '%' must start an escape. */
static bool
is_target(struct span s)
{
    uint8_t escaped = 0;
    for (size_t i = 0; i < s.n; i++) {
        const char c = s.p[i];
        if (c == '%') {
            if (!hex_decode(span_slice(s, i + 1, 2), &escaped, 1)) {
                return false;
            }
        } else if (!is_alphanumeric(c) && !is_one_of(c, SPAN("-._~!$&'()*+,;=:@/?"))) {
            return false;
        }
    }
    return s.n > 0 && s.p[0] == '/';
}

/* RFC 9110 7.2, RFC 3986 3.2: a name or an address, then maybe a port; never user information. */
static bool
is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!is_alphanumeric(s.p[i]) && !is_one_of(s.p[i], SPAN("-._~%!$&'()*+;=:[]"))) {
            return false;
        }
    }
    return s.n > 0;
}

/* Cuts the next line off, without its CRLF. False when no whole line is there, or it is bad. */
static bool
take_line(struct head_reader *reader, struct status *ret_st, struct span *ret_line)
{
    const size_t at = span_find_char(reader->rest, '\n');
    *ret_st = OK;
    if (at == SPAN_MISSING) {
        return false;
    }
    reader->line_number++;
    if (at == 0 || reader->rest.p[at - 1] != '\r') {
        *ret_st = FAIL(reader->diag, ERR_HTTP_SYNTAX, "line %zu of the head ends with a bare LF",
                       reader->line_number);
        return false;
    }
    *ret_line = span_slice(reader->rest, 0, at - 1);
    reader->rest = span_of(reader->rest.p + at + 1, reader->rest.n - at - 1);
    return true;
}

static struct status
read_method(struct span method, struct diag *diag, enum http1_method *ret_method)
{
    if (span_eq_cstr(method, "POST")) {
        *ret_method = HTTP1_POST;
    } else if (span_eq_cstr(method, "GET")) {
        *ret_method = HTTP1_GET;
    } else {
        return FAIL(diag, ERR_HTTP_METHOD, "expected GET or POST, got '%.*s'",
                    SPAN_PRINT(span_slice(method, 0, 20)));
    }
    return OK;
}

/* RFC 9112 3: method SP request-target SP HTTP-version */
static struct status
read_request_line(struct head_reader *reader, struct span line)
{
    struct span method = SPAN_EMPTY, target = SPAN_EMPTY;
    if (!span_split(&line, ' ', &method) || !is_token(method)) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX, "the request line has no method");
    }
    if (!span_split(&line, ' ', &target) || !is_target(target)) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX,
                    "expected a target that is a path (RFC 9112 3.2.1), got %zu other bytes",
                    target.n);
    }
    if (!span_eq_cstr(line, VERSION)) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX,
                    "expected " VERSION " at the end of the request line");
    }
    TRY(read_method(method, reader->diag, &reader->head.method));
    (void)span_split(&target, '?', &reader->head.path);
    reader->head.query = target;
    return OK;
}

static struct status
read_host(struct head_reader *reader, struct span value)
{
    if (!is_host(value)) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX, "Host is not a name or address");
    }
    return OK;
}

static struct status
read_content_length(struct head_reader *reader, struct span value)
{
    if (!span_to_u64(value, UINT64_MAX, &reader->head.content_length)) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX, "Content-Length is not one number");
    }
    if (value.n > 1 && value.p[0] == '0') { /* some readers take it for octal */
        return FAIL(reader->diag, ERR_HTTP_SYNTAX, "Content-Length starts with a zero");
    }
    reader->head.has_body = true;
    return OK;
}

static struct status
read_transfer_encoding(struct head_reader *reader, struct span value)
{
    if (!span_eq_nocase(value, SPAN("chunked"))) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX,
                    "expected Transfer-Encoding: chunked, got %zu other bytes", value.n);
    }
    reader->head.has_body = true;
    reader->head.is_chunked = true;
    return OK;
}

static struct status
read_content_type(struct head_reader *reader, struct span value)
{
    reader->head.content_type = value;
    return OK;
}

static struct status
read_content_encoding(struct head_reader *reader, struct span value)
{
    if (!span_eq_nocase(value, SPAN("identity"))) {
        return FAIL(reader->diag, ERR_HTTP_MEDIA_TYPE,
                    "expected content without a coding, got a Content-Encoding");
    }
    return OK;
}

static struct status
read_expect(struct head_reader *reader, struct span value)
{
    if (!span_eq_nocase(value, SPAN("100-continue"))) {
        return FAIL(reader->diag, ERR_HTTP_EXPECTATION,
                    "expected Expect: 100-continue, got %zu other bytes", value.n);
    }
    reader->head.wants_continue = true;
    return OK;
}

static struct status
read_connection(struct head_reader *reader, struct span value)
{
    struct span option = SPAN_EMPTY;
    while (span_split(&value, ',', &option)) {
        if (span_eq_nocase(span_trim(option), SPAN("close"))) {
            reader->head.wants_close = true;
        }
    }
    return OK;
}

static const struct {
    struct span name;
    enum known_header known;
    bool may_repeat;
    struct status (*read)(struct head_reader *reader, struct span value);
} known_headers[] = {
    {{"Host", 4}, KNOWN_HOST, false, read_host},
    {{"Content-Length", 14}, KNOWN_CONTENT_LENGTH, false, read_content_length},
    {{"Transfer-Encoding", 17}, KNOWN_TRANSFER_ENCODING, false, read_transfer_encoding},
    {{"Content-Type", 12}, KNOWN_CONTENT_TYPE, false, read_content_type},
    {{"Content-Encoding", 16}, KNOWN_CONTENT_ENCODING, false, read_content_encoding},
    {{"Expect", 6}, KNOWN_EXPECT, false, read_expect},
    {{"Connection", 10}, KNOWN_CONNECTION, true, read_connection},
};

static struct status
read_known_header(struct head_reader *reader, const struct http1_header *header)
{
    for (size_t i = 0; i < ARRAY_LEN(known_headers); i++) {
        if (!span_eq_nocase(header->name, known_headers[i].name)) {
            continue;
        }
        if ((reader->seen & known_headers[i].known) != 0 && !known_headers[i].may_repeat) {
            return FAIL(reader->diag, ERR_HTTP_SYNTAX, "%s occurs twice", known_headers[i].name.p);
        }
        reader->seen |= known_headers[i].known;
        return known_headers[i].read(reader, header->value);
    }
    return OK;
}

/* RFC 9112 5: field-name ":" OWS field-value OWS. A line that starts with white space (obs-fold)
 * and white space before the colon both fail as names. */
static struct status
read_header(struct head_reader *reader, struct span line)
{
    struct http1_header header = {SPAN_EMPTY, SPAN_EMPTY};
    const size_t colon = span_find_char(line, ':');
    if (colon == SPAN_MISSING || !is_token(span_slice(line, 0, colon))) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX,
                    "line %zu of the head is not a header: expected a name, then at once a colon",
                    reader->line_number);
    }
    header.name = span_slice(line, 0, colon);
    header.value = span_slice(line, colon + 1, line.n);
    if (!is_field_value(header.value)) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX, "line %zu of the head has a control character",
                    reader->line_number);
    }
    header.value = span_trim(header.value);
    if (reader->head.headers_n == HTTP1_HEADERS_MAX) {
        return FAIL(reader->diag, ERR_LIMIT_HEAD, "more than %d headers", HTTP1_HEADERS_MAX);
    }
    reader->head.headers[reader->head.headers_n++] = header;
    return read_known_header(reader, &header);
}

/* What only the whole head can say. */
static struct status
check_head(const struct head_reader *reader, uint64_t body_limit)
{
    const struct http1_head *head = &reader->head;
    if ((reader->seen & KNOWN_HOST) == 0) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX, "Host is missing (RFC 9112 3.2)");
    }
    if ((reader->seen & KNOWN_CONTENT_LENGTH) != 0 && head->is_chunked) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX,
                    "Content-Length and Transfer-Encoding together (RFC 9112 6.1)");
    }
    if (head->method == HTTP1_GET && (head->is_chunked || head->content_length > 0)) {
        return FAIL(reader->diag, ERR_HTTP_SYNTAX, "expected a GET without content, got one with");
    }
    if (head->content_length > body_limit) {
        return FAIL(reader->diag, ERR_LIMIT_BODY, "Content-Length is %llu, the limit is %llu bytes",
                    (unsigned long long)head->content_length, (unsigned long long)body_limit);
    }
    return OK;
}

/* Reads lines up to the empty one that ends the head; *ret_is_whole says whether it was there. */
static struct status
read_lines(struct head_reader *reader, bool *ret_is_whole)
{
    struct status st = OK;
    struct span line = SPAN_EMPTY;
    if (!take_line(reader, &st, &line)) {
        return st;
    }
    TRY(read_request_line(reader, line));
    while (take_line(reader, &st, &line)) {
        if (line.n == 0) {
            *ret_is_whole = true;
            return OK;
        }
        TRY(read_header(reader, line));
    }
    return st;
}

struct status
http1_read_head(struct span in, const struct http1_limits *limits, struct diag *diag,
                enum http1_progress *ret_progress, size_t *ret_used, struct http1_head *ret_head)
{
    struct head_reader reader = {.rest = span_slice(in, 0, limits->head_bytes), .diag = diag};
    const size_t readable = reader.rest.n;
    bool is_whole = false;
    TRY(read_lines(&reader, &is_whole));
    if (!is_whole && in.n >= limits->head_bytes) {
        return FAIL(diag, ERR_LIMIT_HEAD, "the head is longer than %zu bytes", limits->head_bytes);
    }
    if (!is_whole) {
        *ret_progress = HTTP1_MORE;
        return OK;
    }
    TRY(check_head(&reader, limits->body_bytes));
    *ret_progress = HTTP1_COMPLETE;
    *ret_used = readable - reader.rest.n;
    *ret_head = reader.head;
    return OK;
}
