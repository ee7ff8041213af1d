/*
 * Dialects of TLS: partners whose servers a strict client does not talk to. Messages are real ones
 * of two nodes; those to the partner, and its answers, go through the outbound engine and a real
 * socket to a server that behaves as theirs.
 */
#include <stdio.h>
#include <string.h>

#include "certs/devpki.h"
#include "dialect_kit.h"
#include "out_fixture.h"
#include "tls_front.h"

/* Its server's certificate. */
enum whose {
    OURS,     /* of the scene's authority */
    STRANGER, /* of nobody's */
    EXPIRED,  /* the same, and over */
    WHOSE_COUNT
};

struct row {
    const char *name;
    enum tls_front_kind kind;
    enum whose certificate;
    const char *profiles;
    enum dialect_step fails; /* STEP_NONE: it is reached */
    const char *because;
};

#define LOST STEP_DISCOVER

static const struct row rows[] = {
    {"a server of today", TLS_FRONT_MODERN, OURS, "", STEP_NONE, NULL},
    {"a server of today, to a client for old ones", TLS_FRONT_MODERN, OURS, "legacy-tls", STEP_NONE,
     NULL},
    {"no forward secrecy", TLS_FRONT_NO_FORWARD_SECRECY, OURS, "", LOST, "handshake failure"},
    {"no forward secrecy", TLS_FRONT_NO_FORWARD_SECRECY, OURS, "legacy-tls", STEP_NONE, NULL},
    {"groups too small", TLS_FRONT_SMALL_GROUP, OURS, "", LOST, "dh key too small"},
    {"groups too small", TLS_FRONT_SMALL_GROUP, OURS, "legacy-tls", STEP_NONE, NULL},
    {"a certificate without a chain", TLS_FRONT_MODERN, STRANGER, "", LOST,
     "expected a certificate that chains to our anchors"},
    {"a certificate without a chain", TLS_FRONT_MODERN, STRANGER, "pinned-server", STEP_NONE, NULL},
    {"another certificate than the pinned one", TLS_FRONT_MODERN, OURS, "pinned-server", LOST,
     "expected one of the 1 certificates of its record"},
    {"a pinned certificate that is over", TLS_FRONT_MODERN, EXPIRED, "pinned-server", LOST,
     "expected a certificate that is valid today"},
    {"no chain, old suites", TLS_FRONT_NO_FORWARD_SECRECY, STRANGER, "pinned-server", LOST,
     "handshake failure"},
    {"no chain, old suites", TLS_FRONT_NO_FORWARD_SECRECY, STRANGER, "pinned-server, legacy-tls",
     STEP_NONE, NULL},
};

static const struct row renegotiation_rows[] = {
    {"no secure renegotiation", TLS_FRONT_NO_RENEGOTIATION, OURS, "", LOST,
     "unsafe legacy renegotiation disabled"},
    {"no secure renegotiation", TLS_FRONT_NO_RENEGOTIATION, OURS, "legacy-tls", STEP_NONE, NULL},
    {"no secure renegotiation, no chain", TLS_FRONT_NO_RENEGOTIATION, STRANGER,
     "pinned-server, legacy-tls", STEP_NONE, NULL},
};

static struct scene scene; /* large; one at a time */
static struct tls_front front;
static struct out *engine;
static struct calls calls; /* of the engine: what came */
static char dirs[WHOSE_COUNT][512];

static const char *
file_in(enum whose whose, const char *name)
{
    static char paths[4][600];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", dirs[whose], name);
    return path;
}

/* RSA, as such servers have it; one by the authority of the scene's nodes. */
static void
make_certificates(void)
{
    const char *path = scene_place(&scene, "red")->config->path;
    const size_t n = strlen(path) - strlen("/red/isthmus.yaml");
    const int64_t now_us = clock_wall_us(clock_system());
    const struct devpki_node node = {"server", "server.example", NULL, DEVPKI_RSA_2048};
    struct diag diag = {0};
    char ca[512], other[512];

    snprintf(ca, sizeof(ca), "%.*s/ca", (int)n, path);
    snprintf(other, sizeof(other), "%.*s/other-ca", (int)n, path);
    snprintf(dirs[OURS], sizeof(dirs[0]), "%.*s/server", (int)n, path);
    snprintf(dirs[STRANGER], sizeof(dirs[0]), "%.*s/stranger", (int)n, path);
    snprintf(dirs[EXPIRED], sizeof(dirs[0]), "%.*s/expired", (int)n, path);
    CHECK_OK(&diag, devpki_make_node(dirs[OURS], ca, &node, now_us, &diag));
    CHECK_OK(&diag, devpki_make_ca(other, "Other", now_us, &diag));
    CHECK_OK(&diag, devpki_make_node(dirs[STRANGER], other, &node, now_us, &diag));
    CHECK_OK(&diag, devpki_make_node(dirs[EXPIRED], other, &node,
                                     now_us - INT64_C(20) * 366 * 86400 * US_PER_S, &diag));
}

/* ---- the wire ---- */

static bool
carry(void *arg, const struct scene_question *question, int http_status, const char *content_type,
      struct span answer, enum err *ret_error, char ret_why[512])
{
    const size_t before = calls.n;
    struct out_request request;
    const struct out_answer *came;
    struct diag diag = {0};
    char url[128];
    struct buf body;

    (void)arg;
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/any", front.port);
    tls_front_say(&front, http_status, content_type, answer);
    out_request_init(&request);
    request.partner = question->to;
    request.config = question->config;
    request.url = url;
    request.answer_limit = (size_t)4 * 1024 * 1024;
    snprintf(request.content_type, sizeof(request.content_type), "%s", question->content_type);
    buf_init(&body, question->body.n + 1);
    CHECK_OK(&diag, buf_append(&body, buf_span(&question->body), &diag));
    body_from_buf(&request.body, &body);
    engine->submit(engine, &request, calls_keep, &calls);
    CU_ASSERT_FATAL(calls_wait(&calls, before + 1));
    came = &calls.answers[before];
    snprintf(ret_why, 512, "%s", came->detail);
    *ret_error = came->error;
    if (came->error == ERR_NONE) {
        struct span bytes = SPAN_EMPTY;

        CHECK_OK(&diag, body_span(&came->body, NULL, &diag, &bytes));
        CU_ASSERT(span_eq(bytes, answer));
        CU_ASSERT_STRING_EQUAL(came->content_type, content_type);
        CU_ASSERT(tls_front_was_asked(&front, buf_span(&question->body)));
    }
    return came->error == ERR_NONE;
}

static void
start_engine(void)
{
    struct diag diag = {0};

    (void)pthread_mutex_init(&calls.lock, NULL);
    (void)pthread_cond_init(&calls.changed, NULL);
    CHECK_OK(&diag, out_start(scene_place(&scene, "red")->config, clock_system(), &diag, &engine));
    CU_ASSERT_PTR_NOT_NULL_FATAL(engine);
}

static void
stop_engine(void)
{
    out_stop(engine);
    for (size_t i = 0; i < calls.n; i++) {
        out_answer_done(&calls.answers[i]);
    }
    calls.n = 0;
    (void)pthread_cond_destroy(&calls.changed);
    (void)pthread_mutex_destroy(&calls.lock);
}

/* ---- rows ---- */

static void
check_row(const struct row *row)
{
    static const struct dialect_wire wire = {.carry = carry};
    const bool is_pinned = strstr(row->profiles, "pinned-server") != NULL;
    struct dialect_outcome outcome;
    char tls[700];

    if (!tls_front_start(&front, row->kind, file_in(row->certificate, "node.pem"),
                         file_in(row->certificate, "node.key"))) {
        return;
    }
    snprintf(tls, sizeof(tls), is_pinned ? "certificates: [%s]" : "names: [server.example]",
             file_in(row->certificate == EXPIRED ? EXPIRED : STRANGER, "node.pem"));
    dialect_use_tls(&scene, "red", "green", tls, row->profiles);
    start_engine();
    dialect_set_wire(&wire);
    dialect_run(&scene, 0, &outcome);
    dialect_set_wire(NULL);
    stop_engine();
    if (outcome.failed != row->fails ||
        (row->because != NULL && strstr(outcome.why, row->because) == NULL)) {
        fprintf(stderr, "%s, profiles [%s]: failed at %s: %s\n", row->name, row->profiles,
                dialect_step_name(outcome.failed), outcome.why);
        CU_FAIL("another outcome");
    }
    tls_front_stop(&front);
    CU_ASSERT_EQUAL(front.requests, row->fails == STEP_NONE ? 4 : 0); /* not a byte before */
}

static void
check_rows(const struct row *list, size_t n)
{
    dialect_open(&scene);
    make_certificates();
    for (size_t i = 0; i < n; i++) {
        check_row(&list[i]);
    }
    dialect_close(&scene);
}

static void
test_servers(void)
{
    check_rows(rows, ARRAY_LEN(rows));
}

static void
test_no_secure_renegotiation(void)
{
    check_rows(renegotiation_rows, ARRAY_LEN(renegotiation_rows));
}

static const struct unit_test tests[] = {
    {"servers of yesterday, with and without their profiles", test_servers},
    {"no secure renegotiation, with and without its profile", test_no_secure_renegotiation},
};
UNIT_MAIN("dialects of TLS", tests)
