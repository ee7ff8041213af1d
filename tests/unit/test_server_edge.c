/*
 * The edge as an attacker meets it: every known way to make two readers disagree
 * about where a request ends or for whom it is, over a real TLS connection. Each is refused by name
 * and the connection is over: the request that hides behind it is never handled. Each has a benign
 * twin, as near to it as the rules allow, that is answered, with what stands behind it.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/unit/net_fixture.h"

#define POST    "POST /x HTTP/1.1\r\n" HOST
#define ABC     "Content-Length: 3\r\n\r\nabc"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
/* What an attacker wants to be handled as somebody else's. */
#define HIDDEN "POST /hidden HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"

struct edge {
    const char *name;
    enum err want;
    struct span attack;
    struct span twin;
};
#define EDGE(name, want, attack, twin)                                                             \
    {                                                                                              \
        name, ERR_##want, {attack, sizeof(attack) - 1},                                            \
        {                                                                                          \
            twin, sizeof(twin) - 1                                                                 \
        }                                                                                          \
    }

/* clang-format off */
static const struct edge edges[] = {
    /* two lengths */
    EDGE("CL.TE", HTTP_SYNTAX, POST "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", CHUNKED "0\r\n\r\n"),
    EDGE("TE.CL", HTTP_SYNTAX, POST "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n", CHUNKED "0\r\n\r\n"),
    EDGE("two different lengths", HTTP_SYNTAX, POST "Content-Length: 3\r\nContent-Length: 0\r\n\r\nabc", POST ABC),
    EDGE("two equal lengths", HTTP_SYNTAX, POST "Content-Length: 3\r\n" ABC, POST ABC),
    EDGE("length 5, 5", HTTP_SYNTAX, POST "Content-Length: 5, 5\r\n\r\nabcde", POST "Content-Length: 5\r\n\r\nabcde"),
    EDGE("length +5", HTTP_SYNTAX, POST "Content-Length: +5\r\n\r\nabcde", POST "Content-Length: 5\r\n\r\nabcde"),
    EDGE("length -1", HTTP_SYNTAX, POST "Content-Length: -1\r\n\r\n", POST "Content-Length: 0\r\n\r\n"),
    EDGE("length 0x5", HTTP_SYNTAX, POST "Content-Length: 0x5\r\n\r\nabcde", POST "Content-Length: 5\r\n\r\nabcde"),
    EDGE("length 010", HTTP_SYNTAX, POST "Content-Length: 010\r\n\r\nabcdefghij", POST "Content-Length: 10\r\n\r\nabcdefghij"),
    EDGE("length 2^64+3", HTTP_SYNTAX, POST "Content-Length: 18446744073709551619\r\n\r\nabc", POST ABC),
    EDGE("length over the limit", LIMIT_BODY, POST "Content-Length: 100001\r\n\r\nabc", POST ABC),
    EDGE("GET with a length", HTTP_SYNTAX, "GET /x HTTP/1.1\r\n" HOST ABC, "GET /x HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"),
    /* transfer codings */
    EDGE("xchunked", HTTP_SYNTAX, POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", CHUNKED "0\r\n\r\n"),
    EDGE("chunked, identity", HTTP_SYNTAX, POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", POST "TRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\n"),
    EDGE("gzip, chunked", HTTP_SYNTAX, POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", CHUNKED "0\r\n\r\n"),
    EDGE("coding twice", HTTP_SYNTAX, POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\r\n0\r\n\r\n", CHUNKED "0\r\n\r\n"),
    EDGE("space before the colon", HTTP_SYNTAX, POST "Transfer-Encoding : chunked\r\n" ABC, POST "Transfer-Encoding-Of: chunked\r\n" ABC),
    EDGE("tab before the colon", HTTP_SYNTAX, POST "Content-Length\t: 9\r\n" ABC, POST "Content-Length-Of: 9\r\n" ABC),
    EDGE("coding behind a vertical tab", HTTP_SYNTAX, POST "Transfer-Encoding:\x0b" "chunked\r\n\r\n0\r\n\r\n", POST "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n"),
    EDGE("obs-fold", HTTP_SYNTAX, POST "Transfer-Encoding:\r\n chunked\r\n" ABC, POST "X-Transfer: a\r\n" ABC),
    EDGE("obs-fold with a tab", HTTP_SYNTAX, POST "X: a\r\n\tTransfer-Encoding: chunked\r\n" ABC, POST "X: a\tTransfer-Encoding: chunked\r\n" ABC),
    /* chunks */
    EDGE("chunk of 2^64", HTTP_SYNTAX, CHUNKED "10000000000000000\r\nabc", CHUNKED "3\r\nabc\r\n0\r\n\r\n"),
    EDGE("chunk of 2^64-1", LIMIT_BODY, CHUNKED "ffffffffffffffff\r\nabc", CHUNKED "0000000000000003\r\nabc\r\n0\r\n\r\n"),
    EDGE("chunks that wrap round", LIMIT_BODY, CHUNKED "3\r\nabc\r\nfffffffffffffffe\r\n", CHUNKED "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"),
    EDGE("chunk of 0x3", HTTP_SYNTAX, CHUNKED "0x3\r\nabc\r\n0\r\n\r\n", CHUNKED "3\r\nabc\r\n0\r\n\r\n"),
    EDGE("chunk of -3", HTTP_SYNTAX, CHUNKED "-3\r\nabc\r\n0\r\n\r\n", CHUNKED "3\r\nabc\r\n0\r\n\r\n"),
    EDGE("LF in a chunk's extension", HTTP_SYNTAX, CHUNKED "3;x\nabc\r\n0\r\n\r\n", CHUNKED "3;x=\"y\"\r\nabc\r\n0\r\n\r\n"),
    EDGE("CR in a chunk's extension", HTTP_SYNTAX, CHUNKED "3;x\ry\r\nabc\r\n0\r\n\r\n", CHUNKED "3;x\ty\r\nabc\r\n0\r\n\r\n"),
    EDGE("chunk longer than it says", HTTP_SYNTAX, CHUNKED "2\r\nabc\r\n0\r\n\r\n", CHUNKED "3\r\nabc\r\n0\r\n\r\n"),
    EDGE("LF ends a chunk", HTTP_SYNTAX, CHUNKED "3\r\nabc\n0\r\n\r\n", CHUNKED "3\r\nabc\r\n0\r\n\r\n"),
    EDGE("Host in a trailer", HTTP_SYNTAX, CHUNKED "0\r\nHost: other.example\r\n\r\n", CHUNKED "0\r\nX-Sum: 1\r\n\r\n"),
    EDGE("length in a trailer", HTTP_SYNTAX, CHUNKED "0\r\nContent-Length: 44\r\n\r\n", CHUNKED "0\r\nContent-Length-Of: 44\r\n\r\n"),
    EDGE("coding in a trailer", HTTP_SYNTAX, CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n", CHUNKED "0\r\nX: chunked\r\n\r\n"),
    EDGE("request instead of a trailer", HTTP_SYNTAX, CHUNKED "0\r\n" HIDDEN, CHUNKED "0\r\n\r\n"),
    /* lines */
    EDGE("LF only", HTTP_SYNTAX, "POST /x HTTP/1.1\nHost: server.example\nContent-Length: 3\n\nabc", POST ABC),
    EDGE("LF after one header", HTTP_SYNTAX, POST "X: a\n" ABC, POST "X: a\r\n" ABC),
    EDGE("LF ends the head", HTTP_SYNTAX, POST "Content-Length: 3\r\n\nabc", POST ABC),
    EDGE("bare CR", HTTP_SYNTAX, POST "X: a\rContent-Length: 0\r\n" ABC, POST "X: a Content-Length: 0\r\n" ABC),
    EDGE("NUL in a value", HTTP_SYNTAX, POST "X: a\0b\r\n" ABC, POST "X: ab\r\n" ABC),
    EDGE("NUL in a name", HTTP_SYNTAX, POST "Content-Length\0: 9\r\n" ABC, POST "Content-Length0: 9\r\n" ABC),
    EDGE("empty line first", HTTP_SYNTAX, "\r\n" POST ABC, POST ABC),
    EDGE("header without a name", HTTP_SYNTAX, POST ": chunked\r\n" ABC, POST "X: chunked\r\n" ABC),
    /* request line and Host */
    EDGE("0.9", HTTP_SYNTAX, "GET /x\r\n", "GET /x HTTP/1.1\r\n" HOST "\r\n"),
    EDGE("1.0", HTTP_SYNTAX, "POST /x HTTP/1.0\r\n" HOST ABC, POST ABC),
    EDGE("2.0", HTTP_SYNTAX, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", POST ABC),
    EDGE("absolute target, another Host", HTTP_SYNTAX, "POST https://other.example/x HTTP/1.1\r\n" HOST ABC, POST ABC),
    EDGE("absolute target, the same Host", HTTP_SYNTAX, "POST https://server.example/x HTTP/1.1\r\n" HOST ABC, POST ABC),
    EDGE("space in the target", HTTP_SYNTAX, "POST /x /y HTTP/1.1\r\n" HOST ABC, "POST /x%20/y HTTP/1.1\r\n" HOST ABC),
    EDGE("no Host", HTTP_SYNTAX, "POST /x HTTP/1.1\r\n" ABC, POST ABC),
    EDGE("two Hosts", HTTP_SYNTAX, POST "Host: other.example\r\n" ABC, POST "X-Host: other.example\r\n" ABC),
    EDGE("two equal Hosts", HTTP_SYNTAX, POST HOST ABC, POST ABC),
    EDGE("Host with a user", HTTP_SYNTAX, "POST /x HTTP/1.1\r\nHost: a@server.example\r\n" ABC, "POST /x HTTP/1.1\r\nHost: server.example:443\r\n" ABC),
    EDGE("CONNECT", HTTP_SYNTAX, "CONNECT other.example:443 HTTP/1.1\r\n" HOST "\r\n", "GET /x HTTP/1.1\r\n" HOST "\r\n"),
    EDGE("TRACE", HTTP_METHOD, "TRACE /x HTTP/1.1\r\n" HOST "\r\n", "GET /x HTTP/1.1\r\n" HOST "\r\n"),
    EDGE("HEAD", HTTP_METHOD, "HEAD /x HTTP/1.1\r\n" HOST "\r\n", "GET /x HTTP/1.1\r\n" HOST "\r\n"),
    EDGE("post", HTTP_METHOD, "post /x HTTP/1.1\r\n" HOST ABC, POST ABC),
    EDGE("chunked PUT", HTTP_METHOD, "PUT /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", CHUNKED "0\r\n\r\n"),
    /* codings and expectations */
    EDGE("gzip", HTTP_MEDIA_TYPE, POST "Content-Encoding: gzip\r\n" ABC, POST "Content-Encoding: identity\r\n" ABC),
    EDGE("deflate, identity", HTTP_MEDIA_TYPE, POST "Content-Encoding: deflate, identity\r\n" ABC, POST "Accept-Encoding: deflate\r\n" ABC),
    EDGE("another expectation", HTTP_EXPECTATION, POST "Expect: 200-ok\r\n" ABC, POST "X-Expect: 200-ok\r\n" ABC),
    EDGE("two expectations", HTTP_SYNTAX, POST "Expect: 100-continue\r\nExpect: 100-continue\r\n" ABC, POST "X-Expect: 100-continue\r\n" ABC),
    EDGE("expectation list", HTTP_EXPECTATION, POST "Expect: 100-continue, 100-continue\r\n" ABC, POST ABC),
    EDGE("100-continue and two lengths", HTTP_SYNTAX, POST "Expect: 100-continue\r\nContent-Length: 0\r\n" ABC, POST ABC),
};
/* clang-format on */

static void
note(const char *name, const char *what)
{
    printf("\n    in '%s': %s", name, what);
    CU_FAIL("an edge does not hold");
}

static void
check_attack(struct rig *rig, const struct edge *edge, size_t n)
{
    struct client client;
    struct client_answer answer = {.status = 0};
    char text[1024];
    const int length = snprintf(text, sizeof(text), "%s\n", err_public_text(edge->want));
    if (!rig_connect(rig, &client)) {
        note(edge->name, "no connection");
        return;
    }
    (void)client_send(&client, edge->attack);
    (void)client_send(&client, SPAN(HIDDEN HIDDEN));
    if (!client_read(&client, &answer) || answer.status != err_http_status(edge->want) ||
        answer.body_n != (size_t)length || memcmp(answer.body, text, answer.body_n) != 0) {
        note(edge->name, "not refused as its error says");
    }
    if (strstr(answer.head, "\r\nConnection: close\r\n") == NULL || !client_is_at_end(&client)) {
        note(edge->name, "the connection goes on");
    }
    if (!rig_wait_refused(rig, n, edge->want)) {
        note(edge->name, "another name");
    }
    client_answer_done(&answer);
    client_close(&client);
}

static void
test_attacks(void)
{
    struct rig rig;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        check_attack(&rig, &edges[i], i + 1);
    }
    CU_ASSERT_EQUAL(rig.handled, 0); /* not one request, hidden or not */
    rig_done(&rig);
}

static void
test_twins(void)
{
    struct rig rig;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < ARRAY_LEN(edges); i++) {
        struct client client;
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        (void)client_send(&client, edges[i].twin);
        /* the second answer is that of what stands behind it */
        if (!client_exchange(&client, HIDDEN, 200, NULL) ||
            !client_exchange(&client, "", 200, "")) {
            note(edges[i].name, "the twin is not answered");
        }
        client_close(&client);
    }
    CU_ASSERT_EQUAL(rig.handled, 2 * ARRAY_LEN(edges));
    CU_ASSERT_EQUAL(rig.refused_n, 0);
    rig_done(&rig);
}

/* ---- what is too long, and games with 100 Continue ---- */

static void
test_long_target(void)
{
    struct rig rig;
    struct client client;
    char request[17000];
    static const struct {
        size_t n;
        int status;
    } rows[] = {{15000, 200}, {16900, 431}};
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT_FATAL(rig_connect(&rig, &client));
        memset(request, 'a', sizeof(request));
        memcpy(request, "GET /", 5);
        CU_ASSERT(client_send(&client, span_of(request, rows[i].n)));
        CU_ASSERT(client_exchange(&client, " HTTP/1.1\r\n" HOST "\r\n", rows[i].status, NULL));
        client_close(&client);
    }
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_LIMIT_HEAD));
    CU_ASSERT_EQUAL(rig.handled, 1);
    rig_done(&rig);
}

/* The interim answer comes once, and only while the content is awaited: never for a request
 * without content or one that is refused. */
static const struct {
    const char *name;
    const char *head, *content;
    bool has_interim;
    int status;
} continues[] = {
    {"awaited", POST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n", "abc", true, 200},
    {"awaited chunks", POST "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
     "3\r\nabc\r\n0\r\n\r\n", true, 200},
    {"the content came at once", POST "Expect: 100-continue\r\n" ABC, "", false, 200},
    {"no content", POST "Expect: 100-continue\r\nContent-Length: 0\r\n\r\n", "", false, 200},
    {"GET", "GET /x HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n\r\n", "", false, 200},
    {"too long", POST "Expect: 100-continue\r\nContent-Length: 100001\r\n\r\n", "", false, 413},
    {"another coding",
     POST "Expect: 100-continue\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n", "", false,
     415},
};

static void
test_continue(void)
{
    static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
    struct rig rig;
    rig_init(&rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < ARRAY_LEN(continues); i++) {
        struct client client;
        char line[sizeof(interim)] = "";
        bool is_good =
            rig_connect(&rig, &client) && client_send(&client, span_of_cstr(continues[i].head));
        if (continues[i].has_interim) {
            for (size_t n = 0; is_good && n < sizeof(interim) - 1; n++) {
                is_good = client_receive(&client, line + n, 1) == 1;
            }
            is_good = is_good && strcmp(line, interim) == 0;
        }
        is_good =
            is_good && client_exchange(&client, continues[i].content, continues[i].status, NULL);
        if (!is_good) {
            note(continues[i].name, "other answers than the rules want");
        }
        client_close(&client);
    }
    rig_done(&rig);
}

static const struct unit_test tests[] = {
    {"attacks are refused by name, and nothing behind them is handled", test_attacks},
    {"their benign twins are answered", test_twins},
    {"long targets", test_long_target},
    {"100 Continue", test_continue},
};

int
main(void)
{
    const int status = unit_main("server edge", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
