/*
 * The HTTP/1.1 parser: the list of smuggling attacks, limits, and that a verdict never depends on
 * how the bytes were cut.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "net/http1.h"
#include "tests/unit/unit.h"

#define HEAD_LIMIT 1024
#define BODY_LIMIT 64

static const struct http1_limits limits = {HEAD_LIMIT, BODY_LIMIT};

/* What became of a message. */
struct verdict {
    enum err error;
    bool is_complete;
    size_t used;      /* bytes of head and body */
    size_t content_n; /* bytes of content */
    char content[BODY_LIMIT];
};

/* Gives the parser <in> as a connection would: first all up to <cut>, then the rest; 0: byte after
 * byte. Every byte stands in memory of its own, so that sanitizers see a read too far. */
struct feeder {
    struct span in;
    size_t cut;
    size_t arrived;
};

static bool
more_arrives(struct feeder *feeder)
{
    if (feeder->arrived == feeder->in.n) {
        return false;
    }
    if (feeder->cut == 0) {
        feeder->arrived++;
    } else {
        feeder->arrived = feeder->arrived < feeder->cut ? feeder->cut : feeder->in.n;
    }
    return true;
}

static char *
copy_of(struct span s)
{
    char *copy = mem_alloc(s.n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    if (s.n > 0) {
        memcpy(copy, s.p, s.n);
    }
    return copy;
}

static bool
feed_head(struct feeder *feeder, struct diag *diag, struct verdict *verdict,
          struct http1_head *ret_head)
{
    enum http1_progress progress = HTTP1_MORE;
    while (progress == HTTP1_MORE && more_arrives(feeder)) {
        char *copy = copy_of(span_slice(feeder->in, 0, feeder->arrived));
        const struct status st = http1_read_head(span_of(copy, feeder->arrived), &limits, diag,
                                                 &progress, &verdict->used, ret_head);
        mem_free(copy);
        verdict->error = st.code;
        if (!is_ok(st)) {
            return false;
        }
    }
    return progress == HTTP1_COMPLETE;
}

static struct status
feed_piece(struct http1_body *body, struct span piece, struct diag *diag, struct verdict *verdict,
           enum http1_progress *ret_progress)
{
    struct span rest = piece;
    do {
        struct span data = SPAN_EMPTY;
        TRY(http1_body_feed(body, &rest, diag, ret_progress, &data));
        if (data.n > 0) {
            CU_ASSERT_FATAL(verdict->content_n + data.n <= BODY_LIMIT);
            memcpy(verdict->content + verdict->content_n, data.p, data.n);
            verdict->content_n += data.n;
        }
    } while (rest.n > 0 && *ret_progress == HTTP1_MORE);
    verdict->used += piece.n - rest.n;
    return OK;
}

static void
feed_body(struct feeder *feeder, const struct http1_head *head, struct diag *diag,
          struct verdict *verdict)
{
    struct http1_body body;
    enum http1_progress progress = HTTP1_MORE;
    http1_body_init(&body, head, BODY_LIMIT);
    do {
        const size_t n = feeder->arrived - verdict->used;
        char *copy = copy_of(span_slice(feeder->in, verdict->used, n));
        const struct status st = feed_piece(&body, span_of(copy, n), diag, verdict, &progress);
        mem_free(copy);
        verdict->error = st.code;
    } while (verdict->error == ERR_NONE && progress == HTTP1_MORE && more_arrives(feeder));
    verdict->is_complete = progress == HTTP1_COMPLETE && verdict->error == ERR_NONE;
}

static struct verdict
judge(struct span in, size_t cut, struct diag *diag)
{
    struct feeder feeder = {.in = in, .cut = cut};
    struct verdict verdict = {.error = ERR_NONE};
    struct http1_head head;
    diag_clear(diag);
    if (feed_head(&feeder, diag, &verdict, &head)) {
        feed_body(&feeder, &head, diag, &verdict);
    }
    return verdict;
}

static bool
same_verdict(const struct verdict *a, const struct verdict *b)
{
    if (a->error != ERR_NONE || b->error != ERR_NONE) {
        return a->error == b->error;
    }
    return a->is_complete == b->is_complete && a->used == b->used && a->content_n == b->content_n &&
           memcmp(a->content, b->content, a->content_n) == 0;
}

/* The verdict on the whole message must be the verdict on every way to cut it in two, and on single
 * bytes. */
static struct verdict
judge_all_cuts(struct span in, const char *name)
{
    struct diag diag;
    const struct verdict whole = judge(in, in.n, &diag);
    for (size_t cut = 0; cut < in.n; cut++) {
        const struct verdict other = judge(in, cut, &diag);
        if (!same_verdict(&whole, &other)) {
            printf("\n    %s: whole %s, cut at %zu %s\n", name, err_name(whole.error), cut,
                   err_name(other.error));
            CU_FAIL("the verdict depends on how the message was cut");
            break;
        }
    }
    return whole;
}

#define LINE          "POST /xcpd HTTP/1.1\r\n"
#define HOST          "Host: gateway.example\r\n"
#define START         LINE HOST
#define TE            "Transfer-Encoding: chunked\r\n"
#define REST          "Content-Length: 3\r\n\r\nabc"
#define CHUNKED(body) START TE "\r\n" body

struct refused {
    const char *name;
    enum err want;
    struct span request;
};
#define REFUSED(name, want, text)                                                                  \
    {                                                                                              \
        name, ERR_##want,                                                                          \
        {                                                                                          \
            text, sizeof(text) - 1                                                                 \
        }                                                                                          \
    }

/* clang-format off */
static const struct refused refused[] = {
    /* framing: two readers could disagree about where the message ends */
    REFUSED("length and chunked", HTTP_SYNTAX, START "Content-Length: 3\r\n" TE "\r\n0\r\n\r\n"),
    REFUSED("chunked and length", HTTP_SYNTAX, START TE "Content-Length: 3\r\n\r\n0\r\n\r\n"),
    REFUSED("chunked and length 0", HTTP_SYNTAX, START TE "Content-Length: 0\r\n\r\n0\r\n\r\n"),
    REFUSED("two equal lengths", HTTP_SYNTAX, START "Content-Length: 3\r\n" REST),
    REFUSED("two different lengths", HTTP_SYNTAX, START "Content-Length: 4\r\n" REST),
    REFUSED("two lengths, case", HTTP_SYNTAX, START "content-length: 3\r\n" REST),
    REFUSED("length list", HTTP_SYNTAX, START "Content-Length: 3, 3\r\n\r\nabc"),
    REFUSED("length +3", HTTP_SYNTAX, START "Content-Length: +3\r\n\r\nabc"),
    REFUSED("length -3", HTTP_SYNTAX, START "Content-Length: -3\r\n\r\nabc"),
    REFUSED("length 0x3", HTTP_SYNTAX, START "Content-Length: 0x3\r\n\r\nabc"),
    REFUSED("length 3 4", HTTP_SYNTAX, START "Content-Length: 3 4\r\n\r\nabc"),
    REFUSED("length 3.0", HTTP_SYNTAX, START "Content-Length: 3.0\r\n\r\nabc"),
    REFUSED("leading zeros", HTTP_SYNTAX, START "Content-Length: 003\r\n\r\nabc"),
    REFUSED("length 00", HTTP_SYNTAX, START "Content-Length: 00\r\n\r\n"),
    REFUSED("length empty", HTTP_SYNTAX, START "Content-Length:\r\n\r\nabc"),
    REFUSED("length 2^64", HTTP_SYNTAX, START "Content-Length: 18446744073709551616\r\n\r\n"),
    REFUSED("length 2^64+3", HTTP_SYNTAX, START "Content-Length: 18446744073709551619\r\n\r\nabc"),
    REFUSED("length above limit", LIMIT_BODY, START "Content-Length: 65\r\n\r\n"),
    REFUSED("length 2^64-1", LIMIT_BODY, START "Content-Length: 18446744073709551615\r\n\r\n"),
    REFUSED("coding xchunked", HTTP_SYNTAX, START "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    REFUSED("coding chunked,", HTTP_SYNTAX, START "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"),
    REFUSED("coding gzip, chunked", HTTP_SYNTAX, START "Transfer-Encoding: gzip, chunked\r\n\r\n"),
    REFUSED("coding identity", HTTP_SYNTAX, START "Transfer-Encoding: identity\r\n" REST),
    REFUSED("coding quoted", HTTP_SYNTAX, START "Transfer-Encoding: \"chunked\"\r\n\r\n"),
    REFUSED("coding with VT", HTTP_SYNTAX, START "Transfer-Encoding: \x0b" "chunked\r\n\r\n0\r\n\r\n"),
    REFUSED("coding empty", HTTP_SYNTAX, START "Transfer-Encoding: \r\n" REST),
    REFUSED("coding twice", HTTP_SYNTAX, START TE TE "\r\n0\r\n\r\n"),
    REFUSED("coding twice, one other", HTTP_SYNTAX, START TE "Transfer-Encoding: x\r\n\r\n0\r\n\r\n"),
    REFUSED("coding, space before colon", HTTP_SYNTAX, START "Transfer-Encoding : chunked\r\n" REST),
    REFUSED("coding, space before name", HTTP_SYNTAX, START " Transfer-Encoding: chunked\r\n" REST),
    REFUSED("coding, folded", HTTP_SYNTAX, START "Transfer-Encoding:\r\n chunked\r\n" REST),
    REFUSED("length, tab before colon", HTTP_SYNTAX, START "Content-Length\t: 3\r\n\r\nabc"),
    REFUSED("obs-fold", HTTP_SYNTAX, START "X: a\r\n b\r\n" REST),
    REFUSED("obs-fold with tab", HTTP_SYNTAX, START "X: a\r\n\tb\r\n" REST),
    REFUSED("fold before headers", HTTP_SYNTAX, LINE " X: a\r\n" HOST REST),
    REFUSED("GET with content", HTTP_SYNTAX, "GET /health HTTP/1.1\r\n" HOST REST),
    REFUSED("GET with chunks", HTTP_SYNTAX, "GET /health HTTP/1.1\r\n" HOST TE "\r\n0\r\n\r\n"),
    /* line ends and controls */
    REFUSED("LF after request line", HTTP_SYNTAX, "POST /xcpd HTTP/1.1\n" HOST REST),
    REFUSED("LF after header", HTTP_SYNTAX, START "X: a\n" REST),
    REFUSED("LF ends head", HTTP_SYNTAX, START "Content-Length: 3\r\n\nabc"),
    REFUSED("CR inside a value", HTTP_SYNTAX, START "X: a\rb\r\n" REST),
    REFUSED("CR CR LF", HTTP_SYNTAX, START "X: a\r\r\n" REST),
    REFUSED("CR hides a header", HTTP_SYNTAX, START "X: a\rContent-Length: 9\r\n" REST),
    REFUSED("NUL in value", HTTP_SYNTAX, START "X: a\0b\r\n" REST),
    REFUSED("NUL in name", HTTP_SYNTAX, START "X\0: a\r\n" REST),
    REFUSED("NUL in target", HTTP_SYNTAX, "POST /xc\0pd HTTP/1.1\r\n" HOST REST),
    REFUSED("DEL in value", HTTP_SYNTAX, START "X: a\x7f\r\n" REST),
    REFUSED("header without colon", HTTP_SYNTAX, START "Nonsense\r\n" REST),
    REFUSED("header without name", HTTP_SYNTAX, START ": a\r\n" REST),
    REFUSED("header name with bracket", HTTP_SYNTAX, START "X(a): b\r\n" REST),
    REFUSED("header name with UTF-8", HTTP_SYNTAX, START "X\xc3\xa9: b\r\n" REST),
    /* request line */
    REFUSED("empty line first", HTTP_SYNTAX, "\r\n" START REST),
    REFUSED("0.9", HTTP_SYNTAX, "GET /health\r\n"),
    REFUSED("1.0", HTTP_SYNTAX, "POST /xcpd HTTP/1.0\r\n" HOST REST),
    REFUSED("1.2", HTTP_SYNTAX, "POST /xcpd HTTP/1.2\r\n" HOST REST),
    REFUSED("2.0 preface", HTTP_SYNTAX, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    REFUSED("version in lower case", HTTP_SYNTAX, "POST /xcpd http/1.1\r\n" HOST REST),
    REFUSED("space after version", HTTP_SYNTAX, "POST /xcpd HTTP/1.1 \r\n" HOST REST),
    REFUSED("two spaces", HTTP_SYNTAX, "POST  /xcpd HTTP/1.1\r\n" HOST REST),
    REFUSED("tab", HTTP_SYNTAX, "POST\t/xcpd HTTP/1.1\r\n" HOST REST),
    REFUSED("leading space", HTTP_SYNTAX, " POST /xcpd HTTP/1.1\r\n" HOST REST),
    REFUSED("no target", HTTP_SYNTAX, "POST  HTTP/1.1\r\n" HOST REST),
    REFUSED("absolute target", HTTP_SYNTAX, "POST https://other.example/xcpd HTTP/1.1\r\n" HOST REST),
    REFUSED("relative target", HTTP_SYNTAX, "POST xcpd HTTP/1.1\r\n" HOST REST),
    REFUSED("asterisk", HTTP_SYNTAX, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
    REFUSED("authority", HTTP_SYNTAX, "CONNECT other.example:443 HTTP/1.1\r\n" HOST "\r\n"),
    REFUSED("fragment", HTTP_SYNTAX, "POST /xcpd#a HTTP/1.1\r\n" HOST REST),
    REFUSED("half an escape", HTTP_SYNTAX, "POST /xcpd%2 HTTP/1.1\r\n" HOST REST),
    REFUSED("UTF-8 in target", HTTP_SYNTAX, "POST /xcpd\xc3\xa9 HTTP/1.1\r\n" HOST REST),
    REFUSED("a TLS hello", HTTP_SYNTAX, "\x16\x03\x01\x02\x00\x01\n\n"),
    REFUSED("PUT", HTTP_METHOD, "PUT /xcpd HTTP/1.1\r\n" HOST REST),
    REFUSED("HEAD", HTTP_METHOD, "HEAD /health HTTP/1.1\r\n" HOST "\r\n"),
    REFUSED("post in lower case", HTTP_METHOD, "post /xcpd HTTP/1.1\r\n" HOST REST),
    /* headers that decide something */
    REFUSED("no Host", HTTP_SYNTAX, LINE REST),
    REFUSED("two Hosts", HTTP_SYNTAX, START HOST REST),
    REFUSED("two different Hosts", HTTP_SYNTAX, START "host: other.example\r\n" REST),
    REFUSED("empty Host", HTTP_SYNTAX, LINE "Host: \r\n" REST),
    REFUSED("Host with user", HTTP_SYNTAX, LINE "Host: me@gateway.example\r\n" REST),
    REFUSED("Host with path", HTTP_SYNTAX, LINE "Host: gateway.example/x\r\n" REST),
    REFUSED("Host list", HTTP_SYNTAX, LINE "Host: a.example, b.example\r\n" REST),
    REFUSED("two Content-Types", HTTP_SYNTAX, START "Content-Type: a/b\r\nContent-Type: c/d\r\n" REST),
    REFUSED("other expectation", HTTP_EXPECTATION, START "Expect: 200-ok\r\n" REST),
    REFUSED("expectation and more", HTTP_EXPECTATION, START "Expect: 100-continue, x\r\n" REST),
    REFUSED("empty expectation", HTTP_EXPECTATION, START "Expect:\r\n" REST),
    REFUSED("two expectations", HTTP_SYNTAX, START "Expect: 100-continue\r\nExpect: 100-continue\r\n" REST),
    REFUSED("gzip content", HTTP_MEDIA_TYPE, START "Content-Encoding: gzip\r\n" REST),
    /* chunks */
    REFUSED("size 2^64", HTTP_SYNTAX, CHUNKED("10000000000000000\r\n")),
    REFUSED("size of 17 zeros", HTTP_SYNTAX, CHUNKED("00000000000000000\r\n\r\n")),
    REFUSED("size 2^64-1", LIMIT_BODY, CHUNKED("ffffffffffffffff\r\n")),
    REFUSED("size wraps the total", LIMIT_BODY, CHUNKED("3\r\nabc\r\nfffffffffffffffe\r\n")),
    REFUSED("size above limit", LIMIT_BODY, CHUNKED("41\r\n")),
    REFUSED("sum above limit", LIMIT_BODY, CHUNKED("3\r\nabc\r\n3e\r\n")),
    REFUSED("size 0x3", HTTP_SYNTAX, CHUNKED("0x3\r\nabc\r\n0\r\n\r\n")),
    REFUSED("size +3", HTTP_SYNTAX, CHUNKED("+3\r\nabc\r\n0\r\n\r\n")),
    REFUSED("size -1", HTTP_SYNTAX, CHUNKED("-1\r\n")),
    REFUSED("size empty", HTTP_SYNTAX, CHUNKED("\r\n\r\n")),
    REFUSED("size only extension", HTTP_SYNTAX, CHUNKED(";a=b\r\n")),
    REFUSED("space before size", HTTP_SYNTAX, CHUNKED(" 3\r\nabc\r\n0\r\n\r\n")),
    REFUSED("space after size", HTTP_SYNTAX, CHUNKED("3 \r\nabc\r\n0\r\n\r\n")),
    REFUSED("LF after size", HTTP_SYNTAX, CHUNKED("3\nabc\r\n0\r\n\r\n")),
    REFUSED("CR without LF after size", HTTP_SYNTAX, CHUNKED("3\rabc\r\n0\r\n\r\n")),
    REFUSED("LF in extension", HTTP_SYNTAX, CHUNKED("3;a\nabc\r\n0\r\n\r\n")),
    REFUSED("CR in extension", HTTP_SYNTAX, CHUNKED("3;a\rb\r\nabc\r\n0\r\n\r\n")),
    REFUSED("NUL in extension", HTTP_SYNTAX, CHUNKED("3;\0\r\nabc\r\n0\r\n\r\n")),
    REFUSED("content longer than size", HTTP_SYNTAX, CHUNKED("3\r\nabcd\r\n0\r\n\r\n")),
    REFUSED("LF after content", HTTP_SYNTAX, CHUNKED("3\r\nabc\n0\r\n\r\n")),
    REFUSED("no CRLF after content", HTTP_SYNTAX, CHUNKED("3\r\nabc0\r\n\r\n")),
    REFUSED("LF ends the body", HTTP_SYNTAX, CHUNKED("0\r\n\n")),
    REFUSED("request instead of the end", HTTP_SYNTAX, CHUNKED("0\r\nGET /x HTTP/1.1\r\n\r\n")),
    REFUSED("folded trailer", HTTP_SYNTAX, CHUNKED("0\r\nX: a\r\n b\r\n\r\n")),
    REFUSED("trailer without name", HTTP_SYNTAX, CHUNKED("0\r\n: a\r\n\r\n")),
    REFUSED("trailer with space before colon", HTTP_SYNTAX, CHUNKED("0\r\nX : a\r\n\r\n")),
    REFUSED("Host in a trailer", HTTP_SYNTAX, CHUNKED("1\r\na\r\n0\r\nHost: b\r\n\r\n")),
    REFUSED("length in a trailer", HTTP_SYNTAX, CHUNKED("0\r\nX: y\r\ncontent-length: 9\r\n\r\n")),
    REFUSED("coding in a trailer", HTTP_SYNTAX, CHUNKED("0\r\nTRANSFER-ENCODING:chunked\r\n\r\n")),
    REFUSED("type in a trailer", HTTP_SYNTAX, CHUNKED("0\r\nContent-Type: a/b\r\n\r\n")),
    REFUSED("CR in trailer", HTTP_SYNTAX, CHUNKED("0\r\nX: a\rb\r\n\r\n")),
};
/* clang-format on */

static void
test_refused(void)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct diag diag;
        const struct verdict verdict = judge(refused[i].request, refused[i].request.n, &diag);
        if (!CHECK_ERR(&diag, refused[i].want, (struct status){verdict.error})) {
            printf("      %s\n", refused[i].name);
        }
        (void)judge_all_cuts(refused[i].request, refused[i].name);
    }
}

struct accepted {
    const char *name;
    struct span request;
    const char *content;
    size_t left; /* bytes of the next request */
};
#define ACCEPTED(name, text, content, left)                                                        \
    {                                                                                              \
        name, {text, sizeof(text) - 1}, content, left                                              \
    }

/* clang-format off */
static const struct accepted accepted[] = {
    ACCEPTED("length", START REST, "abc", 0),
    ACCEPTED("length 0", START "Content-Length: 0\r\n\r\n", "", 0),
    ACCEPTED("no length, no content", START "\r\n", "", 0),
    ACCEPTED("GET", "GET /health?verbose=1 HTTP/1.1\r\n" HOST "\r\n", "", 0),
    ACCEPTED("GET with length 0", "GET /health HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", "", 0),
    ACCEPTED("no white space", LINE "Host:a\r\nContent-Length:3\r\n\r\nabc", "abc", 0),
    ACCEPTED("much white space", LINE "Host: \t a \t\r\nContent-Length:\t3 \r\n\r\nabc", "abc", 0),
    ACCEPTED("Host IPv6", LINE "Host: [::1]:8443\r\n" REST, "abc", 0),
    ACCEPTED("identity content", START "Content-Encoding: identity\r\n" REST, "abc", 0),
    ACCEPTED("bytes above 127 in a value", START "X: \xc3\xa9\r\n" REST, "abc", 0),
    ACCEPTED("pipelined", START REST START REST, "abc", sizeof(START REST) - 1),
    ACCEPTED("chunks", CHUNKED("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n"), "abc0123456789", 0),
    ACCEPTED("no chunks", CHUNKED("0\r\n\r\n"), "", 0),
    ACCEPTED("chunked in capitals", START "transfer-encoding: CHUNKED\r\n\r\n1\r\na\r\n0\r\n\r\n", "a", 0),
    ACCEPTED("extensions", CHUNKED("3;a=\"b;c\";d\r\nabc\r\n0;e\r\n\r\n"), "abc", 0),
    ACCEPTED("16 digits", CHUNKED("0000000000000003\r\nabc\r\n0000000000000000\r\n\r\n"), "abc", 0),
    ACCEPTED("trailers", CHUNKED("1\r\na\r\n0\r\nX-Digest: b\r\nHosts: 9\r\nHos: 1\r\n\r\n"), "a", 0),
    ACCEPTED("long trailer name", CHUNKED("0\r\nContent-Length-Of-Something-Else: 9\r\n\r\n"), "", 0),
    ACCEPTED("CRLF inside a chunk", CHUNKED("7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n"), "0\r\n\r\n\r\n", 0),
    ACCEPTED("pipelined after chunks", CHUNKED("1\r\na\r\n0\r\n\r\n") "GET", "a", 3),
};
/* clang-format on */

static void
test_accepted(void)
{
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        const struct verdict verdict = judge_all_cuts(accepted[i].request, accepted[i].name);
        const bool is_good = verdict.error == ERR_NONE && verdict.is_complete &&
                             accepted[i].request.n - verdict.used == accepted[i].left;
        if (!is_good) {
            printf("\n    %s: %s, complete %d, used %zu\n", accepted[i].name,
                   err_name(verdict.error), verdict.is_complete, verdict.used);
        }
        CU_ASSERT(is_good);
        CHECK_SPAN(span_of(verdict.content, verdict.content_n), accepted[i].content);
    }
}

/* Every proper prefix of a good message is "not yet", never an error and never complete. */
static void
test_prefixes_are_incomplete(void)
{
    for (size_t i = 0; i < ARRAY_LEN(accepted); i++) {
        const size_t end = accepted[i].request.n - accepted[i].left;
        for (size_t n = 1; n < end; n++) {
            struct diag diag;
            const struct verdict verdict = judge(span_slice(accepted[i].request, 0, n), n, &diag);
            CU_ASSERT(verdict.error == ERR_NONE && !verdict.is_complete);
        }
    }
}

static void
test_facts(void)
{
    static const char request[] =
        "POST /xca/query?a=b&c HTTP/1.1\r\nHost: gateway.example:8443\r\nContent-Type: "
        "application/soap+xml; charset=UTF-8\r\nSOAPAction: \"urn:x\"\r\nExpect: "
        "100-Continue\r\nConnection: keep-alive, Close\r\nContent-Length: 12\r\n\r\n";
    struct http1_head head;
    struct diag diag = {.code = ERR_NONE};
    enum http1_progress progress = HTTP1_MORE;
    size_t used = 0;
    CHECK_OK(&diag, http1_read_head(SPAN(request), &limits, &diag, &progress, &used, &head));
    CU_ASSERT_FATAL(progress == HTTP1_COMPLETE);
    CU_ASSERT_EQUAL(used, sizeof(request) - 1);
    CU_ASSERT_EQUAL(head.method, HTTP1_POST);
    CHECK_SPAN(head.path, "/xca/query");
    CHECK_SPAN(head.query, "a=b&c");
    CHECK_SPAN(head.content_type, "application/soap+xml; charset=UTF-8");
    CHECK_SPAN(head.headers[2].name, "SOAPAction");
    CHECK_SPAN(head.headers[2].value, "\"urn:x\"");
    CU_ASSERT(head.has_body && !head.is_chunked && head.wants_close && head.wants_continue);
    CU_ASSERT_EQUAL(head.content_length, 12);
    CU_ASSERT_EQUAL(head.headers_n, 6);
}

/* <n> headers "A: b" around a good request. */
static struct verdict
judge_many_headers(size_t n, struct diag *diag)
{
    char text[HEAD_LIMIT] = START;
    for (size_t i = 1; i < n; i++) { /* Host is one */
        strncat(text, "A: b\r\n", sizeof(text) - strlen(text) - 1);
    }
    strncat(text, "\r\n", sizeof(text) - strlen(text) - 1);
    return judge(span_of_cstr(text), strlen(text), diag);
}

/* A head of exactly <n> bytes. */
static struct verdict
judge_long_head(size_t n, size_t cut, struct diag *diag)
{
    char text[HEAD_LIMIT + 16];
    memset(text, 'x', sizeof(text));
    memcpy(text, START "X: ", sizeof(START "X: ") - 1);
    memcpy(text + n - 4, "\r\n\r\n", 4);
    return judge(span_of(text, n), cut, diag);
}

static void
test_head_limits(void)
{
    struct diag diag;
    CU_ASSERT(judge_many_headers(HTTP1_HEADERS_MAX, &diag).is_complete);
    CU_ASSERT_EQUAL(judge_many_headers(HTTP1_HEADERS_MAX + 1, &diag).error, ERR_LIMIT_HEAD);
    for (size_t cut = 0; cut <= HEAD_LIMIT; cut += 64) {
        CU_ASSERT(judge_long_head(HEAD_LIMIT - 1, cut, &diag).is_complete);
        CU_ASSERT(judge_long_head(HEAD_LIMIT, cut, &diag).is_complete);
        CU_ASSERT_EQUAL(judge_long_head(HEAD_LIMIT + 1, cut, &diag).error, ERR_LIMIT_HEAD);
        CU_ASSERT_EQUAL(judge_long_head(HEAD_LIMIT + 9, cut, &diag).error, ERR_LIMIT_HEAD);
    }
}

/* Extensions and trailers cost the sender; all of them together stay under one limit. */
static struct verdict
judge_extra(struct span before, size_t n, struct span after, struct diag *diag)
{
    const size_t size = before.n + n + after.n;
    char *text = mem_alloc(size);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, 'x', size);
    memcpy(text, before.p, before.n);
    memcpy(text + before.n + n, after.p, after.n);
    const struct verdict verdict = judge(span_of(text, size), size, diag);
    mem_free(text);
    return verdict;
}

static void
test_extra_limits(void)
{
    static const struct {
        struct span before, after;
    } rows[] = {
        {{CHUNKED("1;"), sizeof(CHUNKED("1;")) - 1}, {"\r\na\r\n0\r\n\r\n", 10}},
        {{CHUNKED("0\r\nX:"), sizeof(CHUNKED("0\r\nX:")) - 1}, {"\r\n\r\n", 4}},
        {{CHUNKED("0\r\n"), sizeof(CHUNKED("0\r\n")) - 1}, {":\r\n\r\n", 5}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        const struct verdict most =
            judge_extra(rows[i].before, HTTP1_EXTRA_MAX - 2, rows[i].after, &diag);
        CHECK_OK(&diag, ((struct status){most.error}));
        CU_ASSERT(most.is_complete);
        const struct verdict over =
            judge_extra(rows[i].before, HTTP1_EXTRA_MAX + 1, rows[i].after, &diag);
        CHECK_ERR(&diag, ERR_HTTP_SYNTAX, ((struct status){over.error}));
    }
}

/* xorshift: the same numbers in every run */
static uint32_t
next_random(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static size_t
mutate(char *text, size_t n, size_t size, uint32_t *state)
{
    static const char bytes[] = "\r\n\t :;,0fF9xX%\x00\x7f\x80?/";
    const size_t at = next_random(state) % n;
    const char c = bytes[next_random(state) % (sizeof(bytes) - 1)];
    switch (next_random(state) % 4) {
    case 0:
        text[at] = c;
        return n;
    case 1:
        memmove(text + at, text + at + 1, n - at - 1);
        return n > 1 ? n - 1 : n;
    case 2:
        if (n == size) {
            return n;
        }
        memmove(text + at + 1, text + at, n - at);
        text[at] = c;
        return n + 1;
    default:
        text[at] = (char)next_random(state);
        return n;
    }
}

/* Whatever comes: no crash, no read beyond the bytes, and one verdict for every cut. Every message
 * that is accepted stays within the limits (feed_piece asserts it). */
static void
test_mutations(void)
{
    uint32_t state = 2463534242U;
    const size_t seeds = ARRAY_LEN(refused) + ARRAY_LEN(accepted);
    for (size_t round = 0; round < 40; round++) {
        for (size_t i = 0; i < seeds; i++) {
            char text[512];
            const struct span seed = i < ARRAY_LEN(refused)
                                         ? refused[i].request
                                         : accepted[i - ARRAY_LEN(refused)].request;
            size_t n = seed.n;
            memcpy(text, seed.p, n);
            for (size_t k = next_random(&state) % 4; k < 4; k++) {
                n = mutate(text, n, sizeof(text), &state);
            }
            struct diag diag;
            const struct verdict whole = judge(span_of(text, n), n, &diag);
            for (size_t k = 0; k < 8; k++) {
                const struct verdict other =
                    judge(span_of(text, n), next_random(&state) % n, &diag);
                CU_ASSERT_FATAL(same_verdict(&whole, &other));
            }
        }
    }
}

static void
test_answer(void)
{
    struct diag diag = {.code = ERR_NONE};
    struct buf head;
    struct http1_answer answer = {.status = 200,
                                  .content_type = "application/soap+xml; charset=UTF-8",
                                  .content_length = 1234,
                                  .now_us = INT64_C(784111777000000)}; /* of RFC 9110 5.6.7 */
    buf_init(&head, 512);
    CHECK_OK(&diag, http1_write_answer(&answer, &head, &diag));
    CHECK_SPAN(buf_span(&head), "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Content-Type: application/soap+xml; charset=UTF-8\r\n"
                                "Content-Length: 1234\r\n\r\n");
    buf_reset(&head);
    answer = (struct http1_answer){.status = 405,
                                   .content_type = "",
                                   .allow = "POST",
                                   .retry_after_s = 7,
                                   .closes = true,
                                   .now_us = INT64_C(1704067199999999)};
    CHECK_OK(&diag, http1_write_answer(&answer, &head, &diag));
    CHECK_SPAN(buf_span(&head), "HTTP/1.1 405 Method Not Allowed\r\n"
                                "Date: Sun, 31 Dec 2023 23:59:59 GMT\r\nContent-Length: 0\r\n"
                                "Allow: POST\r\nRetry-After: 7\r\nConnection: close\r\n\r\n");
    buf_done(&head);
}

static void
test_reasons(void)
{
    CU_ASSERT_STRING_EQUAL(http1_reason(200), "OK");
    CU_ASSERT_STRING_EQUAL(http1_reason(799), "");
    for (int code = ERR_NONE; code < ERR_COUNT; code++) {
        CU_ASSERT_STRING_NOT_EQUAL(http1_reason(err_http_status((enum err)code)), "");
    }
}

static const struct unit_test tests[] = {
    {"refused", test_refused},
    {"accepted", test_accepted},
    {"prefixes are incomplete", test_prefixes_are_incomplete},
    {"facts", test_facts},
    {"limits of the head", test_head_limits},
    {"limits of extensions and trailers", test_extra_limits},
    {"mutations", test_mutations},
    {"head of an answer", test_answer},
    {"a reason for every status", test_reasons},
};
UNIT_MAIN("http1", tests)
