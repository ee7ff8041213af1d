/*
 * Trust that asks the network, on real sockets: our listener with the status cache and a responder
 * behind it (no request of a client is handled before its certificate's status is accepted), and
 * the feed of revocation lists.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/crl_held.h"
#include "certs/issue.h"
#include "out/crl_feed.h"
#include "out/fetch.h"
#include "tests/unit/net_fixture.h"
#include "tests/unit/ocsp_kit.h"
#include "tests/unit/web_kit.h"

static X509 *ca;
static EVP_PKEY *ca_key;
static struct web web;
static struct trust_fetch *fetch;
static char here[64], url[128]; /* of the web server */
static const char *const hosts[] = {here};

/* What the responder says about the client. */
static int client_status;

static void
answer_ocsp(void *arg, struct span request, struct buf *out)
{
    const struct ocsp_answer answer = {.about = fixture_pki()->client->leaf->x509,
                                       .issuer = ca,
                                       .signer = ca,
                                       .signer_key = ca_key,
                                       .status = client_status,
                                       .this_s = -60,
                                       .next_s = HOUR_S,
                                       .has_nonce = true};
    (void)arg;
    CU_ASSERT(ocsp_make(&answer, request, out));
}

static void
test_start(void)
{
    char path[512];
    struct diag diag = {.code = ERR_NONE};
    (void)fixture_pki();
    (void)snprintf(path, sizeof(path), "%s/ca/ca.pem", unit_temp_dir());
    BIO *bio = BIO_new_file(path, "r");
    ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    (void)snprintf(path, sizeof(path), "%s/ca/ca.key", unit_temp_dir());
    bio = BIO_new_file(path, "r");
    ca_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    CU_ASSERT_FATAL(ca != NULL && ca_key != NULL);
    web = (struct web){.manner = WEB_RESPONDS, .respond = answer_ocsp};
    CU_ASSERT_FATAL(web_start(&web));
    (void)snprintf(here, sizeof(here), "127.0.0.1:%u", web.port);
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", web.port);
    CU_ASSERT_FATAL(CHECK_OK(&diag, fetcher_start(&diag, &fetch)));
}

/* ---- clients ---- */

static struct status_cache *
new_cache(enum status_mode mode, const char *responder, int64_t timeout_us)
{
    struct status_cache *cache = NULL;
    struct diag diag = {.code = ERR_NONE};
    const struct status_options options = {.settings = {.mode = mode,
                                                        .responder = responder,
                                                        .hosts = {hosts, 1},
                                                        .max_age_us = 24 * HOUR_S * US_PER_S,
                                                        .timeout_us = timeout_us,
                                                        .cache_us = HOUR_S * US_PER_S},
                                           .trust = fixture_pki()->trust,
                                           .skew_us = 60 * US_PER_S,
                                           .clock = clock_system(),
                                           .fetch = fetch};
    CHECK_OK(&diag, status_cache_new(&options, &diag, &cache));
    return cache;
}

#define REQUEST                                                                                    \
    "POST /q HTTP/1.1\r\nHost: server.example\r\nContent-Type: text/xml\r\n"                       \
    "Content-Length: 8\r\n\r\nquestion"

struct row {
    const char *name;
    enum status_mode mode;
    enum web_manner manner;
    int status;
    bool is_unlisted; /* the responder is not among the hosts */
    bool is_served;
    const char *said; /* of the refusal */
};

static const struct row rows[] = {
    {"revoked", STATUS_HARD, WEB_RESPONDS, V_OCSP_CERTSTATUS_REVOKED, false, false, "revoked on"},
    {"revoked, soft", STATUS_SOFT, WEB_RESPONDS, V_OCSP_CERTSTATUS_REVOKED, false, false,
     "revoked"},
    {"unknown", STATUS_HARD, WEB_RESPONDS, V_OCSP_CERTSTATUS_UNKNOWN, false, false, "not know"},
    {"slow", STATUS_HARD, WEB_SILENT, 0, false, false, "timed out"},
    {"failing", STATUS_HARD, WEB_RAW, 0, false, false, "status 200, got 500"},
    {"not listed", STATUS_HARD, WEB_RESPONDS, 0, true, false, "fetch_hosts"},
    {"good", STATUS_HARD, WEB_RESPONDS, 0, false, true, ""},
    {"good, soft", STATUS_SOFT, WEB_RESPONDS, 0, false, true, ""},
    {"slow, soft", STATUS_SOFT, WEB_SILENT, 0, false, true, ""},
    {"failing, soft", STATUS_SOFT, WEB_RAW, 0, false, true, ""},
    {"off", STATUS_OFF, WEB_RESPONDS, V_OCSP_CERTSTATUS_REVOKED, false, true, ""},
};

static void
visit(struct rig *rig, const struct row *row)
{
    struct client client;
    struct client_answer answer;
    /* TLS 1.3's client can send before the server has judged it */
    CU_ASSERT(rig_connect(rig, &client));
    CU_ASSERT(client_send(&client, SPAN(REQUEST)));
    const bool is_answered = client_read(&client, &answer) && answer.status == 200;
    CU_ASSERT_EQUAL(is_answered, row->is_served);
    if (is_answered != row->is_served) {
        printf("\n    in '%s': %s", row->name, rig->refused_text);
    }
    client_answer_done(&answer);
    client_close(&client);
}

static void
check_row(const struct row *row)
{
    struct rig rig;
    const size_t before = atomic_load(&web.requests);
    struct status_cache *cache =
        new_cache(row->mode, row->is_unlisted ? "http://192.0.2.1/" : url,
                  row->manner == WEB_SILENT ? 2 * US_PER_S : 60 * US_PER_S);
    client_status = row->status;
    web.raw = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n";
    atomic_store(&web.manner, row->manner);
    rig_init(&rig);
    rig.options.status = status_cache_source(cache);
    CU_ASSERT_FATAL(rig_start(&rig));
    for (size_t i = 0; i < 3; i++) {
        visit(&rig, row);
    }
    CU_ASSERT_EQUAL(rig.handled, row->is_served ? 3 : 0);
    CU_ASSERT(row->is_served || (rig_wait_refused(&rig, 3, rig.refused) &&
                                 strstr(rig.refused_text, row->said) != NULL));
    /* asked once for the three */
    CU_ASSERT_EQUAL(atomic_load(&web.requests) - before,
                    row->mode == STATUS_OFF || row->is_unlisted ? 0 : 1);
    rig_done(&rig);
    status_cache_free(cache);
    atomic_store(&web.manner, WEB_RESPONDS);
}

static void
test_clients(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        check_row(&rows[i]);
    }
}

/* ---- revocation lists ---- */

static X509_CRL *served; /* what the web server has */
static bool is_pem;

static void
answer_crl(void *arg, struct span request, struct buf *out)
{
    struct diag diag = {.code = ERR_NONE};
    char *bytes = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    (void)arg;
    (void)request;
    if (served != NULL) {
        CU_ASSERT((is_pem ? PEM_write_bio_X509_CRL(bio, served) : i2d_X509_CRL_bio(bio, served)) ==
                  1);
        const long n = BIO_get_mem_data(bio, &bytes);
        CHECK_OK(&diag, buf_append(out, span_of(bytes, (size_t)n), &diag));
    }
    BIO_free(bio);
}

/* A list of our authority's name, signed with <key>, of <age_s> ago, that ends in <left_s>. */
static void
serve_list(X509 *revoked, EVP_PKEY *key, int64_t age_s, int64_t left_s)
{
    const int64_t now_us = clock_wall_us(clock_system());
    struct diag diag = {.code = ERR_NONE};
    X509_CRL_free(served);
    served = NULL;
    CHECK_OK(&diag, issue_crl(ca, key, NULL, revoked, now_us - age_s * US_PER_S,
                              now_us + left_s * US_PER_S, &diag, &served));
}

static struct trust *
new_trust(void)
{
    char path[512];
    struct trust *trust = NULL;
    struct trust_culprit culprit;
    struct diag diag = {.code = ERR_NONE};
    const struct crl_held *held = crl_held_take(url);
    const struct span bytes = held == NULL ? SPAN_EMPTY : crl_held_bytes(held);
    (void)snprintf(path, sizeof(path), "%s/ca/ca.pem", unit_temp_dir());
    const struct trust_sources sources = {.anchors_path = path,
                                          .crl_bytes = &bytes,
                                          .crl_bytes_n = held == NULL ? 0 : 1,
                                          .must_have_crl = true};
    CHECK_OK(&diag, trust_make(&sources, &diag, &culprit, &trust));
    crl_held_drop(held);
    return trust;
}

static bool
is_trusted(const struct certificate *certificate)
{
    struct trust *trust = new_trust();
    struct diag diag = {.code = ERR_NONE};
    const struct status st = trust_verify(trust, certificate, clock_wall_us(clock_system()), &diag);
    trust_free(trust);
    return is_ok(st);
}

struct feed_world {
    struct crl_feed *feed;
    struct trust *trust;
    const char *urls[1];
    struct config_trust entry;
    struct config config;
};

static void
open_feed(struct feed_world *world)
{
    struct diag diag = {.code = ERR_NONE};
    *world = (struct feed_world){.trust = new_trust(), .urls = {url}};
    world->entry = (struct config_trust){.name = "partners",
                                         .trust = world->trust,
                                         .status = {.hosts = {hosts, 1}},
                                         .crl_urls = {world->urls, 1},
                                         .crl_refresh_us = HOUR_S * US_PER_S};
    world->config.trusts = &world->entry;
    world->config.trusts_n = 1;
    CHECK_OK(&diag, crl_feed_new(fetch, clock_system(), &diag, &world->feed));
    CHECK_OK(&diag, crl_feed_configure(world->feed, &world->config, &diag));
}

/* Fetches now, whatever the time of the next fetch. */
static bool
fetch_again(struct feed_world *world)
{
    struct diag diag = {.code = ERR_NONE};
    crl_feed_free(world->feed);
    CHECK_OK(&diag, crl_feed_new(fetch, clock_system(), &diag, &world->feed));
    CHECK_OK(&diag, crl_feed_configure(world->feed, &world->config, &diag));
    return crl_feed_wait(world->feed, 60 * US_PER_S);
}

static void
test_feed(void)
{
    const struct certificate *client = fixture_pki()->client->leaf;
    const struct certificate *server = fixture_pki()->server->leaf;
    struct diag diag = {.code = ERR_NONE};
    EVP_PKEY *other_key = NULL;
    struct feed_world world;
    crl_held_clear();
    CHECK_OK(&diag, issue_key("ec:P-256", &diag, &other_key));
    web.respond = answer_crl;
    open_feed(&world);
    CU_ASSERT_FALSE(is_trusted(client)); /* no list yet: nobody */
    /* nothing, and lists that must not be believed */
    CU_ASSERT_FALSE(crl_feed_wait(world.feed, 60 * US_PER_S));
    serve_list(NULL, other_key, 60, HOUR_S);
    CU_ASSERT_FALSE(fetch_again(&world));
    serve_list(NULL, ca_key, 2 * HOUR_S, -HOUR_S);
    CU_ASSERT_FALSE(fetch_again(&world));
    CU_ASSERT_PTR_NULL(crl_held_take(url));
    CU_ASSERT_FALSE(is_trusted(client));
    /* good ones, DER and PEM */
    serve_list(NULL, ca_key, 600, HOUR_S);
    X509_CRL *older = X509_CRL_dup(served);
    CU_ASSERT(fetch_again(&world));
    CU_ASSERT(is_trusted(client) && is_trusted(server));
    CU_ASSERT_FALSE(fetch_again(&world)); /* the same: nothing new */
    is_pem = true;
    serve_list(client->x509, ca_key, 60, HOUR_S);
    CU_ASSERT(fetch_again(&world));
    CU_ASSERT(!is_trusted(client) && is_trusted(server));
    /* replayed: the older list does not heal the revoked one */
    X509_CRL_free(served);
    served = older;
    CU_ASSERT_FALSE(fetch_again(&world));
    CU_ASSERT(!is_trusted(client) && is_trusted(server));
    /* the server is gone: what is held stays */
    atomic_store(&web.manner, WEB_RAW);
    CU_ASSERT_FALSE(fetch_again(&world));
    CU_ASSERT(!is_trusted(client) && is_trusted(server));
    atomic_store(&web.manner, WEB_RESPONDS);
    crl_feed_free(world.feed);
    trust_free(world.trust);
    EVP_PKEY_free(other_key);
    crl_held_clear();
}

/* A URL keeps its time over a reload, and is not fetched before it is due. */
static void
test_feed_times(void)
{
    struct diag diag = {.code = ERR_NONE};
    struct feed_world world;
    const size_t before = atomic_load(&web.requests);
    serve_list(NULL, ca_key, 60, HOUR_S);
    open_feed(&world);
    CU_ASSERT(crl_feed_wait(world.feed, 60 * US_PER_S));
    CU_ASSERT_EQUAL(atomic_load(&web.requests), before + 1);
    for (size_t i = 0; i < 20; i++) {
        CHECK_OK(&diag, crl_feed_configure(world.feed, &world.config, &diag));
        CU_ASSERT_FALSE(crl_feed_wait(world.feed, 60 * US_PER_S));
    }
    CU_ASSERT_EQUAL(atomic_load(&web.requests), before + 1);
    crl_feed_free(world.feed);
    trust_free(world.trust);
    crl_held_clear();
}

/* Reloads, and the end, while a fetch is under way: its record lives until it has ended. */
static void
test_feed_reloads(void)
{
    struct diag diag = {.code = ERR_NONE};
    struct feed_world world;
    atomic_store(&web.manner, WEB_SILENT);
    open_feed(&world);
    for (size_t i = 0; i < 5; i++) {
        CU_ASSERT_FALSE(crl_feed_tick(world.feed));
        CHECK_OK(&diag, crl_feed_configure(world.feed, &world.config, &diag));
    }
    CU_ASSERT_FALSE(crl_feed_wait(world.feed, 100 * US_PER_MS));
    fetcher_stop(fetch);
    crl_feed_free(world.feed);
    trust_free(world.trust);
}

static void
test_free(void)
{
    fetcher_free(fetch);
    web_stop(&web);
    X509_CRL_free(served);
    X509_free(ca);
    EVP_PKEY_free(ca_key);
    fixture_pki_done();
}

static const struct unit_test tests[] = {
    {"authority, web server, fetcher", test_start},
    {"clients of our listener", test_clients},
    {"revocation lists that are fetched", test_feed},
    {"when they are fetched", test_feed_times},
    {"reloads while they are fetched", test_feed_reloads},
    {"the end", test_free},
};

UNIT_MAIN("trust_online", tests)
