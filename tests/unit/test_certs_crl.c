/*
 * Revocation lists: what is refused when they are read, what is refused when they are used, their
 * age, several of them, and how a store with new ones takes an old one's place.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "certs/crl_held.h"
#include "certs/issue.h"
#include "certs/trust.h"
#include "odd_chain.h"
#include "unit.h"

/* root -> sub -> leaf, and an authority that has the root's name and another key. */
static struct {
    int64_t now_us;
    char dir[256];
    struct odd_chain chain, twin;
    struct certificate *leaf;
    X509 *direct; /* issued by the root itself */
    struct certificate *direct_leaf;
} world;

static const char *
in_folder(const char *name)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", world.dir, name);
    return path;
}

/* A list of chain level <level>, valid from and until so many days from now. */
static X509_CRL *
make_crl(const struct odd_chain *chain, size_t level, X509 *revoked, int from_days, int until_days)
{
    struct diag diag = {0};
    X509_CRL *crl = NULL;

    CHECK_OK(&diag, issue_crl(chain->x509[level], chain->key[level], NULL, revoked,
                              world.now_us + from_days * ODD_DAY_US,
                              world.now_us + until_days * ODD_DAY_US, &diag, &crl));
    CU_ASSERT_FATAL(crl != NULL);
    return crl;
}

static void
write_crl(const char *name, const struct odd_chain *chain, size_t level, X509 *revoked,
          int from_days, int until_days)
{
    X509_CRL *crl = make_crl(chain, level, revoked, from_days, until_days);

    odd_write_crl(in_folder(name), &crl, 1);
    X509_CRL_free(crl);
}

static void
test_make_files(void)
{
    static const struct odd levels[] = {{.name = "Root", .has_key_ids = true},
                                        {.name = "Sub", .has_key_ids = true},
                                        {.name = "Leaf", .has_key_ids = true}};
    static const struct odd pair[] = {{.name = "Root", .has_key_ids = true},
                                      {.name = "Direct", .has_key_ids = true}};
    struct diag diag = {0};
    struct odd_chain direct;

    snprintf(world.dir, sizeof(world.dir), "%s", unit_temp_dir());
    world.now_us = clock_wall_us(clock_system());
    odd_chain_make(levels, 3, 0, world.now_us, &world.chain);
    odd_chain_make(levels, 1, 1, world.now_us, &world.twin);
    odd_chain_make(pair, 2, 0, world.now_us, &direct);
    CU_ASSERT(X509_up_ref(direct.x509[1]) == 1);
    world.direct = direct.x509[1];
    odd_chain_done(&direct);
    CHECK_OK(&diag, certificate_from_x509(world.chain.x509[2], &diag, &world.leaf));
    CHECK_OK(&diag, certificate_from_x509(world.direct, &diag, &world.direct_leaf));
    odd_write_pem(in_folder("root.pem"), world.chain.x509, 1);
    write_crl("good.crl", &world.chain, 0, NULL, -2, 30);
    write_crl("revoked.crl", &world.chain, 0, world.direct, -1, 30);
    write_crl("sub.crl", &world.chain, 1, NULL, -2, 20);
    write_crl("sub-revoked.crl", &world.chain, 1, world.chain.x509[2], -1, 20);
    write_crl("root-revokes-sub.crl", &world.chain, 0, world.chain.x509[1], -1, 30);
    write_crl("expired.crl", &world.chain, 0, NULL, -30, -1);
    write_crl("early.crl", &world.chain, 0, NULL, 1, 30);
    write_crl("week-old.crl", &world.chain, 0, NULL, -7, 30);
    write_crl("forged.crl", &world.twin, 0, NULL, -1, 30);
}

/* ---- reading ---- */

static struct trust *
make(const struct trust_sources *sources)
{
    struct diag diag = {0};
    struct trust *trust = NULL;
    struct trust_culprit culprit;

    CHECK_OK(&diag, trust_make(sources, &diag, &culprit, &trust));
    CU_ASSERT_FATAL(trust != NULL);
    return trust;
}

static void
check_unread(const struct trust_sources *sources, size_t index, const char *text)
{
    struct diag diag = {0};
    struct trust *trust = NULL;
    struct trust_culprit culprit = {.file = TRUST_FILE_ANCHORS};

    CHECK_ERR(&diag, ERR_CREDENTIAL, trust_make(sources, &diag, &culprit, &trust));
    CU_ASSERT(trust == NULL && culprit.file == TRUST_FILE_CRL && culprit.index == index);
    if (strstr(diag.text, text) == NULL) {
        fprintf(stderr, "wanted '%s' in '%s'\n", text, diag.text);
        CU_FAIL("another text");
    }
}

static void
write_endless(void)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = ASN1_TIME_adj(NULL, (time_t)(world.now_us / US_PER_S), -1, 0);

    CU_ASSERT_FATAL(crl != NULL && now != NULL);
    CU_ASSERT(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
    CU_ASSERT(X509_CRL_set_issuer_name(crl, X509_get_subject_name(world.chain.x509[0])) == 1);
    CU_ASSERT(X509_CRL_set1_lastUpdate(crl, now) == 1);
    CU_ASSERT(X509_CRL_sign(crl, world.chain.key[0], EVP_sha256()) > 0);
    odd_write_crl(in_folder("endless.crl"), &crl, 1);
    ASN1_TIME_free(now);
    X509_CRL_free(crl);
}

/* Lists that need another hand than issue_crl's. */
static void
write_odd_lists(void)
{
    X509_CRL *crl = make_crl(&world.chain, 0, NULL, -1, 30);

    CU_ASSERT(X509_CRL_sign(crl, world.chain.key[0], EVP_sha1()) > 0);
    odd_write_crl(in_folder("sha1.crl"), &crl, 1);
    CU_ASSERT(X509_CRL_sign(crl, world.chain.key[0], EVP_sha384()) > 0);
    odd_write_crl(in_folder("sha384.crl"), &crl, 1);
    X509_CRL_free(crl);
    write_endless();
    /* 100 MB that take no room on the disk */
    FILE *huge = fopen(in_folder("huge.crl"), "w");

    CU_ASSERT_FATAL(huge != NULL);
    CU_ASSERT(ftruncate(fileno(huge), (off_t)100 * 1024 * 1024) == 0);
    CU_ASSERT(fclose(huge) == 0);
    FILE *damaged = fopen(in_folder("damaged.der"), "w");

    CU_ASSERT_FATAL(damaged != NULL);
    CU_ASSERT(fputs("\x30\x82\x01\x01\x30", damaged) >= 0 && fclose(damaged) == 0);
}

static void
test_unread(void)
{
    static const struct {
        const char *file, *text;
    } rows[] = {
        {"sha1.crl", "signed with SHA-1 or weaker"},
        {"endless.crl", "does not say until when"},
        {"forged.crl", "an anchor's name, and another's signature"},
        {"huge.crl", "104857600 bytes of revocation lists; at most 67108864"},
        {"damaged.der", "the revocation list is damaged"},
        {"root.pem", "no revocation list"},
    };

    write_odd_lists();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *paths[] = {in_folder("good.crl"), in_folder(rows[i].file)};
        const struct trust_sources sources = {
            .anchors_path = in_folder("root.pem"), .crl_paths = paths, .crl_paths_n = 2};

        check_unread(&sources, 1, rows[i].text);
    }
    const char *paths[] = {in_folder("good.crl")};
    struct trust_sources sources = {.anchors_path = in_folder("root.pem"),
                                    .crl_paths = paths,
                                    .crl_paths_n = 1,
                                    .crl_bytes_max = 100};

    check_unread(&sources, 0, "at most 100 are read (crl_max)");
    sources.crl_bytes_max = 100000;
    trust_free(make(&sources));
}

/* ---- using ---- */

/* <files>: up to three lists; <text> NULL: trusted. */
struct use {
    const char *what;
    const char *files[3];
    bool is_direct; /* issued by the root, or by the authority below it */
    int64_t max_age_days;
    const char *text;
};

static const struct use uses[] = {
    {"not on the list", {"good.crl"}, true, 0, NULL},
    {"not on a list signed with SHA-384", {"sha384.crl"}, true, 0, NULL},
    {"revoked", {"revoked.crl"}, true, 0, "certificate revoked"},
    {"revoked by the newer of two", {"good.crl", "revoked.crl"}, true, 0, "certificate revoked"},
    {"expired list", {"expired.crl"}, true, 0, "CRL has expired"},
    {"expired list beside a good one", {"expired.crl", "good.crl"}, true, 0, NULL},
    {"list of the future", {"early.crl"}, true, 0, "CRL is not yet valid"},
    {"no list of this issuer", {"sub.crl"}, true, 0, "unable to get certificate CRL"},
    {"a list for each level", {"good.crl", "sub.crl"}, false, 0, NULL},
    {"none for the leaf's issuer", {"good.crl"}, false, 0, "unable to get certificate CRL"},
    {"none for the root", {"sub.crl"}, false, 0, "unable to get certificate CRL"},
    {"leaf revoked below", {"good.crl", "sub-revoked.crl"}, false, 0, "certificate revoked"},
    {"its issuer revoked", {"root-revokes-sub.crl", "sub.crl"}, false, 0, "certificate revoked"},
    {"a week old, may be two", {"week-old.crl"}, true, 14, NULL},
    {"a week old, may be six days", {"week-old.crl"}, true, 6, "older than crl_max_age"},
    {"a week old beside a new one", {"week-old.crl", "good.crl"}, true, 6, NULL},
    {"the root's list is old", {"week-old.crl", "sub.crl"}, false, 6, "older than crl_max_age"},
};

static void
check_use(const struct trust *trust, const char *what, bool is_direct, const char *text)
{
    struct diag diag = {0};
    const struct status st =
        trust_verify_for(trust, TRUST_PURPOSE_CLIENT, is_direct ? world.direct_leaf : world.leaf,
                         world.chain.x509, 2, world.now_us, &diag);

    if (st.code != (text == NULL ? ERR_NONE : ERR_SIG_NO_TRUST) ||
        (text != NULL && strstr(diag.text, text) == NULL)) {
        fprintf(stderr, "%s: wanted '%s', got %s '%s'\n", what, text == NULL ? "trusted" : text,
                err_name(st.code), diag.text);
        CU_FAIL("another verdict");
    }
}

static void
test_uses(void)
{
    for (size_t i = 0; i < ARRAY_LEN(uses); i++) {
        const char *paths[3];
        size_t n = 0;

        while (n < 3 && uses[i].files[n] != NULL) {
            paths[n] = in_folder(uses[i].files[n]);
            n++;
        }
        const struct trust_sources sources = {.anchors_path = in_folder("root.pem"),
                                              .crl_paths = paths,
                                              .crl_paths_n = n,
                                              .crl_max_age_us = uses[i].max_age_days * ODD_DAY_US};
        struct trust *trust = make(&sources);

        check_use(trust, uses[i].what, uses[i].is_direct, uses[i].text);
        trust_free(trust);
    }
}

/* Must have one, and there is none yet: nobody. A self-signed certificate in the list needs none.
 */
static void
test_without_lists(void)
{
    const struct trust_sources waiting = {.anchors_path = in_folder("root.pem"),
                                          .must_have_crl = true};
    struct trust *trust = make(&waiting);

    CU_ASSERT(trust_checks_crl(trust) && trust_crl_next_update_us(trust) == INT64_MAX);
    check_use(trust, "no list yet", true, "unable to get certificate CRL");
    trust_free(trust);

    static const struct odd alone[] = {
        {.name = "Alone", .basic = "critical,CA:FALSE", .usage = "critical,digitalSignature"}};
    struct diag diag = {0};
    struct odd_chain chain;
    struct certificate *leaf = NULL;

    odd_chain_make(alone, 1, 2, world.now_us, &chain);
    CHECK_OK(&diag, certificate_from_x509(chain.x509[0], &diag, &leaf));
    X509 *const anchors[] = {chain.x509[0], world.chain.x509[0]};
    const char *paths[] = {in_folder("good.crl")};
    const struct trust_sources mixed = {
        .anchors_path = in_folder("mixed.pem"), .crl_paths = paths, .crl_paths_n = 1};

    odd_write_pem(in_folder("mixed.pem"), anchors, 2);
    trust = make(&mixed);
    CHECK_OK(&diag, trust_verify(trust, leaf, world.now_us, &diag));
    check_use(trust, "beside it", true, NULL);
    check_use(trust, "below it", false, "unable to get certificate CRL");
    trust_free(trust);
    certificate_free(leaf);
    odd_chain_done(&chain);
}

/* When the first authority is without a list: by nextUpdate, by age, the newest of each. */
static void
test_ends(void)
{
    static const struct {
        const char *files[3];
        int64_t max_age_days, end_days;
    } rows[] = {
        {{"good.crl", NULL, NULL}, 0, 30},     {{"good.crl", "sub.crl", NULL}, 0, 20},
        {{"expired.crl", NULL, NULL}, 0, -1},  {{"expired.crl", "good.crl", NULL}, 0, 30},
        {{"week-old.crl", NULL, NULL}, 10, 3}, {{"good.crl", "week-old.crl", NULL}, 10, 8},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *paths[3];
        size_t n = 0;

        while (n < 3 && rows[i].files[n] != NULL) {
            paths[n] = in_folder(rows[i].files[n]);
            n++;
        }
        const struct trust_sources sources = {.anchors_path = in_folder("root.pem"),
                                              .crl_paths = paths,
                                              .crl_paths_n = n,
                                              .crl_max_age_us = rows[i].max_age_days * ODD_DAY_US};
        struct trust *trust = make(&sources);
        const int64_t want_us = world.now_us + rows[i].end_days * ODD_DAY_US;
        const int64_t off_us = trust_crl_next_update_us(trust) - want_us;

        CU_ASSERT(off_us > -2 * US_PER_S && off_us < 2 * US_PER_S);
        trust_free(trust);
    }
}

/* ---- fetched, and DER ---- */

static void
test_fetched(void)
{
    struct diag diag = {0};
    struct trust *trust = NULL, *next = NULL;
    X509_CRL *crl = make_crl(&world.chain, 0, world.direct, -1, 30);
    X509_CRL *forged = make_crl(&world.twin, 0, NULL, -1, 30);
    unsigned char *der = NULL, *forged_der = NULL;
    const int n = i2d_X509_CRL(crl, &der), forged_n = i2d_X509_CRL(forged, &forged_der);
    const struct trust_sources waiting = {.anchors_path = in_folder("root.pem"),
                                          .must_have_crl = true};

    CU_ASSERT_FATAL(n > 0 && forged_n > 0);
    trust = make(&waiting);
    struct span bytes = span_of((const char *)forged_der, (size_t)forged_n);

    CHECK_ERR(&diag, ERR_CREDENTIAL, trust_refresh(trust, &bytes, 1, &diag, &next));
    CU_ASSERT(next == NULL && strstr(diag.text, "another's signature") != NULL);
    diag_clear(&diag);
    bytes = span_of((const char *)der, (size_t)n);
    CHECK_OK(&diag, trust_refresh(trust, &bytes, 1, &diag, &next));
    check_use(trust, "before", true, "unable to get certificate CRL");
    check_use(next, "after", true, "certificate revoked");
    trust_free(trust);
    trust_free(next);
    odd_write_crl_der(in_folder("list.der"), crl);
    const char *paths[] = {in_folder("list.der")};
    const struct trust_sources from_file = {
        .anchors_path = in_folder("root.pem"), .crl_paths = paths, .crl_paths_n = 1};

    trust = make(&from_file);
    check_use(trust, "DER from a file", true, "certificate revoked");
    trust_free(trust);
    OPENSSL_free(der);
    OPENSSL_free(forged_der);
    X509_CRL_free(crl);
    X509_CRL_free(forged);
}

/* ---- refreshing ---- */

static void
test_refresh(void)
{
    struct diag diag = {0};
    struct trust *old = NULL, *next = NULL;
    const char *paths[] = {in_folder("live.crl")};
    const struct trust_sources sources = {
        .anchors_path = in_folder("root.pem"), .crl_paths = paths, .crl_paths_n = 1};

    write_crl("live.crl", &world.chain, 0, NULL, -2, 30);
    old = make(&sources);
    CU_ASSERT(!trust_has_changed(old));
    write_crl("live.crl", &world.chain, 0, world.direct, -1, 30);
    CU_ASSERT(trust_has_changed(old));
    CHECK_OK(&diag, trust_refresh(old, NULL, 0, &diag, &next));
    CU_ASSERT(!trust_has_changed(next));
    check_use(old, "who still holds the old one", true, NULL);
    check_use(next, "the new one", true, "certificate revoked");
    /* a file that is gone is a change, and no new store comes of it */
    CU_ASSERT(unlink(in_folder("live.crl")) == 0);
    CU_ASSERT(trust_has_changed(next));
    struct trust *none = NULL;

    CHECK_ERR(&diag, ERR_IO, trust_refresh(next, NULL, 0, &diag, &none));
    CU_ASSERT(none == NULL);
    trust_free(old);
    trust_free(next);
}

/* ---- references over threads ---- */

#define READERS 4
#define ROUNDS  60

static struct {
    pthread_mutex_t lock;
    struct trust *current; /* guarded */
    atomic_bool is_over;
    atomic_int wrong;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* As a transaction does: takes a reference, works with it, gives it back. */
static void *
read_on(void *arg)
{
    (void)arg;
    while (!atomic_load(&shared.is_over)) {
        struct diag diag = {0};

        pthread_mutex_lock(&shared.lock);
        struct trust *mine = trust_ref(shared.current);

        pthread_mutex_unlock(&shared.lock);
        if (!is_ok(trust_verify_for(mine, TRUST_PURPOSE_CLIENT, world.direct_leaf, NULL, 0,
                                    world.now_us, &diag))) {
            atomic_fetch_add(&shared.wrong, 1);
        }
        trust_free(mine);
    }
    return NULL;
}

static void
test_threads(void)
{
    const char *paths[] = {in_folder("good.crl")};
    const struct trust_sources sources = {
        .anchors_path = in_folder("root.pem"), .crl_paths = paths, .crl_paths_n = 1};
    pthread_t readers[READERS];

    shared.current = make(&sources);
    for (size_t i = 0; i < READERS; i++) {
        CU_ASSERT_FATAL(pthread_create(&readers[i], NULL, read_on, NULL) == 0);
    }
    for (size_t i = 0; i < ROUNDS; i++) {
        struct diag diag = {0};
        struct trust *next = NULL, *old = NULL;

        CHECK_OK(&diag, trust_refresh(shared.current, NULL, 0, &diag, &next));
        pthread_mutex_lock(&shared.lock);
        old = shared.current;
        shared.current = next;
        pthread_mutex_unlock(&shared.lock);
        trust_free(old);
    }
    atomic_store(&shared.is_over, true);
    for (size_t i = 0; i < READERS; i++) {
        CU_ASSERT(pthread_join(readers[i], NULL) == 0);
    }
    CU_ASSERT(atomic_load(&shared.wrong) == 0);
    trust_free(shared.current);
}

static void
test_free_files(void)
{
    certificate_free(world.leaf);
    certificate_free(world.direct_leaf);
    X509_free(world.direct);
    odd_chain_done(&world.chain);
    odd_chain_done(&world.twin);
    odd_keys_done();
}

/* ---- what was fetched takes the place of what is held, or does not ---- */

/* A list that never ends. */
static X509_CRL *
make_endless(const struct odd_chain *chain)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = ASN1_TIME_set(NULL, (time_t)(world.now_us / US_PER_S));

    CU_ASSERT_FATAL(crl != NULL && now != NULL);
    CU_ASSERT(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1);
    CU_ASSERT(X509_CRL_set_issuer_name(crl, X509_get_subject_name(chain->x509[0])) == 1);
    CU_ASSERT(X509_CRL_set1_lastUpdate(crl, now) == 1);
    CU_ASSERT(X509_CRL_sign(crl, chain->key[0], EVP_sha256()) > 0);
    ASN1_TIME_free(now);
    return crl;
}

/* Frees <crl>; NULL: bytes that are none. */
static void
check_put(const char *what, X509_CRL *crl, enum err want, bool is_new)
{
    unsigned char *der = NULL;
    const int n = crl == NULL ? 0 : i2d_X509_CRL(crl, &der);
    CLEANUP(buf_done) struct buf content;
    struct diag diag = {0};
    bool was_new = false;

    buf_init(&content, (size_t)1024 * 1024);
    CHECK_OK(&diag,
             buf_append(&content, n > 0 ? span_of((const char *)der, (size_t)n) : SPAN("no list"),
                        &diag));
    if (!CHECK_ERR(
            &diag, want,
            crl_held_put("http://list.example/x.crl", &content, world.now_us, &diag, &was_new)) ||
        was_new != is_new) {
        printf("    %s: %s\n", what, diag.text);
        CU_ASSERT_EQUAL(was_new, is_new);
    }
    OPENSSL_free(der);
    X509_CRL_free(crl);
}

static void
test_held(void)
{
    crl_held_clear();
    check_put("none", NULL, ERR_CREDENTIAL, false);
    check_put("ended", make_crl(&world.chain, 0, NULL, -30, -1), ERR_CREDENTIAL, false);
    check_put("without an end", make_endless(&world.chain), ERR_CREDENTIAL, false);
    check_put("the root's", make_crl(&world.chain, 0, NULL, -2, 30), ERR_NONE, true);
    check_put("another authority's", make_crl(&world.chain, 1, NULL, -1, 30), ERR_CREDENTIAL,
              false);
    check_put("an older one", make_crl(&world.chain, 0, NULL, -3, 30), ERR_CREDENTIAL, false);
    check_put("a newer one", make_crl(&world.chain, 0, NULL, -1, 30), ERR_NONE, true);
    crl_held_clear();
}

static const struct unit_test tests[] = {
    {"make files", test_make_files}, {"lists that are not read", test_unread},
    {"lists in use", test_uses},     {"without lists", test_without_lists},
    {"when they end", test_ends},    {"fetched lists, and DER", test_fetched},
    {"refresh", test_refresh},       {"references over threads", test_threads},
    {"held lists", test_held},       {"free files", test_free_files},
};

UNIT_MAIN("certs crl", tests)
