/*
 * The status of the server's certificate, on real sockets: a TLS server that staples as it is told,
 * an OCSP responder that is honest, down, slow or lying. What counts: no byte of a question reaches
 * a server whose status the configuration does not accept.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "tests/unit/ocsp_kit.h"
#include "tests/unit/out_fixture.h"
#include "tests/unit/web_kit.h"

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 6\r\n\r\nanswer"
#define SAN       "identity: san, names: [server.example]"

static X509 *ca, *stranger_ca;
static EVP_PKEY *ca_key, *stranger_key;

/* ---- the parties ---- */

enum says {
    NOTHING, /* of a staple: none; of a responder: it is down */
    GOOD,
    REVOKED,
    UNKNOWN,
    STALE,    /* good, until an hour ago */
    STRANGER, /* good, says somebody else's authority */
    GARBAGE,
    SILENCE, /* of a responder only */
    FAILURE, /* HTTP status 500 */
};

static struct {
    enum says responder, staple;
    X509 *leaf; /* about which both speak */
    struct web web;
    struct peer peer;
} scene;

static void
write_answer(enum says says, struct span request, struct buf *out)
{
    struct diag diag = {.code = ERR_NONE};
    const struct ocsp_answer answer = {.about = scene.leaf,
                                       .issuer = ca,
                                       .signer = says == STRANGER ? stranger_ca : ca,
                                       .signer_key = says == STRANGER ? stranger_key : ca_key,
                                       .status = says == REVOKED   ? V_OCSP_CERTSTATUS_REVOKED
                                                 : says == UNKNOWN ? V_OCSP_CERTSTATUS_UNKNOWN
                                                                   : V_OCSP_CERTSTATUS_GOOD,
                                       .this_s = says == STALE ? -2 * HOUR_S : -60,
                                       .next_s = says == STALE ? -HOUR_S : HOUR_S,
                                       .has_nonce = request.n > 0};
    if (says == GARBAGE) {
        CU_ASSERT(CHECK_OK(&diag, buf_append_cstr(out, "<html>no answer</html>", &diag)));
    } else {
        CU_ASSERT(ocsp_make(&answer, request, out));
    }
}

static void
respond(void *arg, struct span request, struct buf *out)
{
    (void)arg;
    write_answer(scene.responder, request, out);
}

static int
staple(SSL *ssl, void *arg)
{
    struct buf bytes;
    (void)arg;
    if (scene.staple == NOTHING) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    buf_init(&bytes, 65536);
    write_answer(scene.staple, SPAN_EMPTY, &bytes);
    const long set =
        SSL_set_tlsext_status_ocsp_resp(ssl, OPENSSL_memdup(bytes.p, bytes.n), (long)bytes.n);
    buf_done(&bytes);
    return set == 1 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static void
scene_open(enum says responder, enum says staples, const struct credential *credential, int version)
{
    scene.responder = responder;
    scene.staple = staples;
    scene.leaf = credential->leaf->x509;
    scene.web = (struct web){.manner = responder == SILENCE   ? WEB_SILENT
                                       : responder == FAILURE ? WEB_RAW
                                                              : WEB_RESPONDS,
                             .raw = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
                             .respond = respond};
    CU_ASSERT_FATAL(web_start(&scene.web));
    if (responder == NOTHING) {
        web_stop(&scene.web);
    }
    CU_ASSERT_FATAL(
        peer_start(&scene.peer, PEER_ANSWERS, credential, fixture_pki()->trust, version));
    scene.peer.answer = OK_ANSWER;
    (void)SSL_CTX_set_tlsext_status_cb(scene.peer.context, staple);
}

static void
scene_close(void)
{
    peer_stop(&scene.peer);
    if (scene.responder != NOTHING) {
        web_stop(&scene.web);
    }
}

/* <mode>, and what else `ocsp` says; a responder's silence is waited for <patience>. */
static void
start_calls(struct calls *calls, const char *mode, const char *patience, const char *timeout)
{
    static char trust[512];
    const struct out_partner partner = {"127.0.0.1", scene.peer.port, SAN, timeout, NULL};
    (void)snprintf(trust, sizeof(trust),
                   ", fetch_hosts: ['127.0.0.1:%u'], ocsp: {mode: %s, "
                   "responder: 'http://127.0.0.1:%u/ocsp', timeout: %s}",
                   scene.web.port, mode, scene.web.port, patience);
    out_fixture_trust = trust;
    CU_ASSERT_FATAL(calls_start(calls, &partner, 1));
}

static void
test_read_authorities(void)
{
    char path[512];
    (void)fixture_pki();
    static const char *const names[] = {"ca", "other-ca"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s/ca.pem", unit_temp_dir(), names[i]);
        BIO *bio = BIO_new_file(path, "r");
        *(i == 0 ? &ca : &stranger_ca) = PEM_read_bio_X509(bio, NULL, NULL, NULL);
        BIO_free(bio);
        (void)snprintf(path, sizeof(path), "%s/%s/ca.key", unit_temp_dir(), names[i]);
        bio = BIO_new_file(path, "r");
        *(i == 0 ? &ca_key : &stranger_key) = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    CU_ASSERT_FATAL(ca != NULL && ca_key != NULL && stranger_ca != NULL && stranger_key != NULL);
}

/* ---- what becomes of a question ---- */

struct row {
    const char *name, *mode;
    enum says responder, staple;
    enum err want;
    const char *said;
    size_t asked, connections; /* of the responder, to the partner */
};

/* clang-format off */
static const struct row rows[] = {
    {"revoked", "hard", REVOKED, NOTHING, ERR_PARTNER_TLS, "revoked on", 1, 1},
    {"revoked, soft", "soft", REVOKED, NOTHING, ERR_PARTNER_TLS, "revoked on", 1, 1},
    {"not known to the responder", "hard", UNKNOWN, NOTHING, ERR_PARTNER_TLS, "does not know", 1, 1},
    {"down", "hard", NOTHING, NOTHING, ERR_PARTNER_TLS, "Failed to connect", 0, 1},
    {"slow", "hard", SILENCE, NOTHING, ERR_PARTNER_TLS, "timed out", 1, 1},
    {"failing", "hard", FAILURE, NOTHING, ERR_PARTNER_TLS, "status 200, got 500", 1, 1},
    {"lying", "hard", STRANGER, NOTHING, ERR_PARTNER_TLS, "signature is wrong", 1, 1},
    {"stale", "hard", STALE, NOTHING, ERR_PARTNER_TLS, "expired", 1, 1},
    {"garbage", "hard", GARBAGE, NOTHING, ERR_PARTNER_TLS, "not one", 1, 1},
    {"stapled: revoked", "hard", GOOD, REVOKED, ERR_PARTNER_TLS, "revoked on", 0, 1},
    {"stapled: revoked, soft", "soft", GOOD, REVOKED, ERR_PARTNER_TLS, "revoked on", 0, 1},
    {"stapled by a stranger, revoked", "hard", REVOKED, STRANGER, ERR_PARTNER_TLS, "revoked on", 1, 1},
    {"stapled by a stranger, down", "hard", NOTHING, STRANGER, ERR_PARTNER_TLS, "Failed to connect", 0, 1},
    {"stapled long ago, revoked", "soft", REVOKED, STALE, ERR_PARTNER_TLS, "revoked on", 1, 1},
    /* benign */
    {"asked", "hard", GOOD, NOTHING, ERR_NONE, "", 1, 2},
    {"asked, soft", "soft", GOOD, NOTHING, ERR_NONE, "", 1, 2},
    {"stapled", "hard", NOTHING, GOOD, ERR_NONE, "", 0, 1},
    {"stapled badly, but good", "hard", GOOD, GARBAGE, ERR_NONE, "", 1, 2},
    {"stapled long ago, but good", "hard", GOOD, STALE, ERR_NONE, "", 1, 2},
    {"down, soft", "soft", NOTHING, NOTHING, ERR_NONE, "", 0, 2},
    {"slow, soft", "soft", SILENCE, NOTHING, ERR_NONE, "", 1, 2},
    {"lying, soft", "soft", STRANGER, NOTHING, ERR_NONE, "", 1, 2},
    {"not asked", "off", REVOKED, REVOKED, ERR_NONE, "", 0, 1},
};
/* clang-format on */

static void
check_row(const struct row *row, int version)
{
    struct calls calls;
    scene_open(row->responder, row->staple, fixture_pki()->server, version);
    start_calls(&calls, row->mode, row->responder == SILENCE ? "2s" : PATIENT, PATIENT);
    if (!calls_expect(&calls, 0, row->want, row->said)) {
        printf("\n    in '%s', TLS %x", row->name, (unsigned)version);
        CU_FAIL("another verdict");
    }
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.bytes) == 0, row->want != ERR_NONE);
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.requests), row->want == ERR_NONE ? 1 : 0);
    /* from what is held now: nobody is asked again */
    CU_ASSERT(calls_expect(&calls, 0, row->want, row->said));
    CU_ASSERT_EQUAL(atomic_load(&scene.web.requests), row->asked);
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.connections),
                    row->want == ERR_NONE ? row->connections : 2 * row->connections);
    calls_done(&calls);
    scene_close();
}

static void
test_rows(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(&rows[i], TLS1_3_VERSION);
        check_row(&rows[i], TLS1_2_VERSION);
    }
}

/* A certificate that demands a staple (RFC 7633): asking does not do. */
static void
test_must_staple(void)
{
    static const enum says staples[] = {NOTHING, STALE, GOOD};
    const int64_t now_us = clock_wall_us(clock_system());
    const struct odd_certificate odd = {.name = "Staples",
                                        .usage = "serverAuth,clientAuth",
                                        .feature = "status_request",
                                        .host = "server.example",
                                        .from_us = now_us - HOUR_S * US_PER_S,
                                        .until_us = now_us + HOUR_S * US_PER_S};
    struct credential credential = {.chain_n = 0};
    struct diag diag = {.code = ERR_NONE};
    X509 *x509 = odd_issue(&odd, ca, ca_key, &credential.key);
    CU_ASSERT_FATAL(x509 != NULL &&
                    CHECK_OK(&diag, certificate_from_x509(x509, &diag, &credential.leaf)));
    for (size_t i = 0; i < ARRAY_LEN(staples); i++) {
        const bool is_good = staples[i] == GOOD;
        struct calls calls;
        scene_open(GOOD, staples[i], &credential, TLS1_3_VERSION);
        start_calls(&calls, "soft", PATIENT, PATIENT);
        CU_ASSERT(calls_expect(&calls, 0, is_good ? ERR_NONE : ERR_PARTNER_TLS,
                               is_good ? "" : "demands a stapled"));
        CU_ASSERT_EQUAL(atomic_load(&scene.peer.bytes) == 0, !is_good);
        CU_ASSERT_EQUAL(atomic_load(&scene.web.requests), 0);
        calls_done(&calls);
        scene_close();
    }
    certificate_free(credential.leaf);
    X509_free(x509);
    EVP_PKEY_free(credential.key);
}

/* ---- time and number ---- */

/* The exchange's own time is shorter than the responder's. */
static void
test_deadline(void)
{
    struct calls calls;
    scene_open(SILENCE, NOTHING, fixture_pki()->server, TLS1_3_VERSION);
    start_calls(&calls, "soft", PATIENT, "6s");
    CU_ASSERT(calls_expect(&calls, 0, ERR_PARTNER_TIMEOUT, "responder slow"));
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.bytes), 0);
    calls_done(&calls);
    scene_close();
}

/* Many questions at once ask the responder once. */
static void
test_together(void)
{
    struct calls calls;
    scene_open(GOOD, NOTHING, fixture_pki()->server, TLS1_3_VERSION);
    start_calls(&calls, "hard", PATIENT, PATIENT);
    for (size_t i = 0; i < 30; i++) {
        calls_ask(&calls, 0, NULL, "question", INT64_MAX);
    }
    CU_ASSERT(calls_wait(&calls, 30));
    for (size_t i = 0; i < 30; i++) {
        CU_ASSERT(call_is_answer(&calls.answers[i], 200, "answer"));
    }
    CU_ASSERT_EQUAL(atomic_load(&scene.web.requests), 1);
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.requests), 30);
    calls_done(&calls);
    scene_close();
}

/* The engine stops while questions wait for a responder. */
static void
test_stop(void)
{
    struct calls calls;
    scene_open(SILENCE, NOTHING, fixture_pki()->server, TLS1_3_VERSION);
    start_calls(&calls, "hard", PATIENT, PATIENT);
    for (size_t i = 0; i < 10; i++) {
        calls_ask(&calls, 0, NULL, "question", INT64_MAX);
    }
    for (unsigned looks = 0; atomic_load(&scene.web.requests) == 0 && unit_wait(&looks);) {
    }
    CU_ASSERT_EQUAL(atomic_load(&scene.web.requests), 1);
    out_stop(calls.out);
    calls.out = NULL;
    CU_ASSERT_EQUAL(calls.n, 10);
    for (size_t i = 0; i < calls.n; i++) {
        CU_ASSERT_EQUAL(calls.answers[i].error, ERR_SHUTTING_DOWN);
    }
    CU_ASSERT_EQUAL(atomic_load(&scene.peer.bytes), 0);
    calls_done(&calls);
    scene_close();
}

/* Stopping at any moment: before, during and after the responder's answer. */
static void
test_stop_races(void)
{
    for (useconds_t pause_us = 0; pause_us < 30000; pause_us += 1500) {
        struct calls calls;
        scene_open(GOOD, NOTHING, fixture_pki()->server, TLS1_3_VERSION);
        start_calls(&calls, "hard", PATIENT, PATIENT);
        for (size_t i = 0; i < 5; i++) {
            calls_ask(&calls, 0, NULL, "question", INT64_MAX);
        }
        (void)usleep(pause_us);
        calls_done(&calls);
        scene_close();
    }
}

static void
test_free(void)
{
    X509_free(ca);
    X509_free(stranger_ca);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(stranger_key);
    fixture_pki_done();
}

static const struct unit_test tests[] = {
    {"authorities", test_read_authorities},
    {"each responder, each staple, each mode", test_rows},
    {"certificates that demand a staple", test_must_staple},
    {"an exchange shorter than the responder's time", test_deadline},
    {"many at once ask once", test_together},
    {"the end while a responder is silent", test_stop},
    {"the end at any moment", test_stop_races},
    {"the end", test_free},
};

UNIT_MAIN("out_status", tests)
