/*
 * What a configuration says about trust: lists of revocation lists, their changes, generations,
 * anchors of signing certificates, keys behind a passphrase, and everything that ends.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "certs/devpki.h"
#include "config/config_expiry.h"
#include "config_world.h"
#include "unit.h"

static struct loaded
load_good(size_t change, const char *instead)
{
    struct loaded loaded;

    write_main(change, instead);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    if (loaded.config == NULL) {
        fprintf(stderr, "%.*s", SPAN_PRINT(buf_span(&loaded.report.text)));
    }
    CU_ASSERT_FATAL(loaded.config != NULL);
    return loaded;
}

static void
copy_file(const char *from, const char *to)
{
    char text[16384];
    FILE *file = fopen(path_of(from), "r");

    CU_ASSERT_FATAL(file != NULL);
    const size_t n = fread(text, 1, sizeof(text) - 1, file);

    text[n] = '\0';
    CU_ASSERT(fclose(file) == 0);
    write_text(to, text);
}

static void
test_generations(void)
{
    write_blue(0, NULL);
    write_gold(0, NULL);
    struct loaded first = load_good(0, NULL), second = load_good(0, NULL);

    CU_ASSERT(first.config->generation > 0);
    CU_ASSERT(second.config->generation == first.config->generation + 1);
    unload(&first);
    unload(&second);
}

static void
test_crl_lists(void)
{
    static const struct {
        const char *line;
        size_t n;
    } rows[] = {
        {"  partners: {anchors: red/ca.pem, crl: red/crl.pem}", 1},
        {"  partners: {anchors: red/ca.pem, crl: [red/crl.pem, red/second.crl]}", 2},
        {"  partners: {anchors: red/ca.pem, crl: [red/crl.pem, red/*.crl]}", 3},
        {"  partners: {anchors: red/ca.pem, crl: red/*.crl, crl_max_age: 24h, crl_max: 1MB}", 2},
        {"  partners: {anchors: red/ca.pem}", 0},
    };

    copy_file("red/crl.pem", "red/second.crl");
    copy_file("red/crl.pem", "red/third.crl");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct loaded loaded = load_good(11, rows[i].line);

        CU_ASSERT(loaded.config->trusts[0].crl_paths.n == rows[i].n);
        CU_ASSERT(trust_checks_crl(loaded.config->partner_trust) == (rows[i].n > 0));
        CU_ASSERT(!config_trust_has_changed(loaded.config));
        unload(&loaded);
    }
}

/* A touched list is a change; the age limit moves the end forward. */
static void
test_changes(void)
{
    struct loaded loaded =
        load_good(11, "  partners: {anchors: red/ca.pem, crl: red/second.crl, crl_max_age: 48h}");

    CU_ASSERT(trust_crl_next_update_us(loaded.config->partner_trust) < world.now_us + 3 * DAY_US);
    copy_file("red/crl.pem", "red/second.crl");
    CU_ASSERT(config_trust_has_changed(loaded.config));
    unload(&loaded);
}

/* The partner at <index> has one signing certificate, which is not believed. */
static void
check_withheld(const struct loaded *loaded, size_t index, const char *why)
{
    const struct partner *partner = &loaded->config->partners[index];

    CU_ASSERT(partner->signing_n == 0);
    CU_ASSERT_FATAL(partner->withheld_n == 1);
    CU_ASSERT(span_find(span_of_cstr(partner->withheld[0].why), span_of_cstr(why)) != SPAN_MISSING);
    CU_ASSERT(span_find(span_of_cstr(partner->withheld[0].certificate->subject), SPAN("signing")) !=
              SPAN_MISSING);
}

static void
test_signing_anchors(void)
{
    struct loaded loaded = load_good(0, NULL);

    CU_ASSERT(loaded.config->signing_trust == loaded.config->partner_trust);
    CU_ASSERT(loaded.config->credentials[0].source == CONFIG_KEY_FILE);
    unload(&loaded);
    loaded = load_good(11, "  partners: {anchors: red/ca.pem}\n  signing: {anchors: red/ca.pem}");
    CU_ASSERT(loaded.config->signing_trust != loaded.config->partner_trust);
    CU_ASSERT(loaded.config->signing_trust == loaded.config->trusts[1].trust);
    unload(&loaded);
    /* blue's TLS is still believed, its signing certificate is not */
    loaded = load_good(11, "  partners: {anchors: red/ca.pem}\n  signing: {anchors: green/ca.pem}");
    check_withheld(&loaded, 0, "unable to get local issuer certificate");
    check_withheld(&loaded, 1, "unable to get local issuer certificate");
    unload(&loaded);
}

/* A new list that revokes blue's signing certificate is taken, and gold's is believed as before. */
static void
test_revoked_signing(void)
{
    struct diag diag = {0};
    struct loaded loaded = load_good(0, NULL);

    CU_ASSERT(loaded.config->partners[0].signing_n == 1);
    CU_ASSERT(loaded.config->partners[0].withheld_n == 0);
    unload(&loaded);
    copy_file("red/crl.pem", "red/crl.before");
    CHECK_OK(&diag, devpki_revoke(path_of("ca"), path_of("blue/signing.pem"), world.now_us, &diag));
    copy_file("ca/crl.pem", "red/crl.pem");
    loaded = load_good(0, NULL);
    check_withheld(&loaded, 0, "revoked");
    CU_ASSERT(loaded.config->partners[1].signing_n == 1);
    CU_ASSERT(loaded.config->partners[1].withheld_n == 0);
    unload(&loaded);
    /* its next certificate beside it: the good one counts */
    write_blue(8, "signing: {certificates: [../blue/signing.pem, ../blue/node.pem]}");
    loaded = load_good(0, NULL);
    CU_ASSERT(loaded.config->partners[0].signing_n == 1);
    CU_ASSERT(strcmp(loaded.config->partners[0].signing[0]->subject, "CN=signing,O=blue") != 0);
    CU_ASSERT(loaded.config->partners[0].withheld_n == 1);
    unload(&loaded);
    write_blue(0, NULL);
    copy_file("red/crl.before", "red/crl.pem");
}

static void
write_weak_certificate(const char *name)
{
    EVP_PKEY *key = EVP_RSA_gen(1024);
    X509 *x509 = X509_new();
    FILE *file = fopen(path_of(name), "w");

    CU_ASSERT_FATAL(key != NULL && x509 != NULL && file != NULL);
    CU_ASSERT(ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) == 1);
    CU_ASSERT(X509_gmtime_adj(X509_getm_notBefore(x509), 0) != NULL);
    CU_ASSERT(X509_gmtime_adj(X509_getm_notAfter(x509), 86400) != NULL);
    CU_ASSERT(X509_set_pubkey(x509, key) == 1);
    CU_ASSERT(X509_sign(x509, key, EVP_sha256()) > 0);
    CU_ASSERT(PEM_write_X509(file, x509) == 1);
    CU_ASSERT(fclose(file) == 0);
    X509_free(x509);
    EVP_PKEY_free(key);
}

/* What no list can mend is the operator's mistake. */
static void
test_weak_signing(void)
{
    struct loaded loaded;

    write_weak_certificate("blue/weak.pem");
    write_main(0, NULL);
    write_blue(8, "signing: {certificates: [../blue/weak.pem]}");
    load(&loaded);
    CHECK_ERR(&loaded.diag, ERR_CONFIG, loaded.status);
    CU_ASSERT(span_find(buf_span(&loaded.report.text), SPAN("blue.yaml:8:26: error: ")) !=
              SPAN_MISSING);
    CU_ASSERT(span_find(buf_span(&loaded.report.text),
                        SPAN("/blue/weak.pem: cannot sign for a partner: ")) != SPAN_MISSING);
    unload(&loaded);
    write_blue(0, NULL);
}

/* The whole way from the file's keys to a key that works; a wrong passphrase at its place. */
static void
test_passphrase(void)
{
    BIO *bio = BIO_new_file(path_of("red/locked.key"), "w");
    struct loaded loaded = load_good(0, NULL);

    CU_ASSERT_FATAL(bio != NULL);
    CU_ASSERT(PEM_write_bio_PKCS8PrivateKey(bio, loaded.config->node->key, EVP_aes_256_cbc(),
                                            "secret", 6, NULL, NULL) == 1);
    BIO_free(bio);
    unload(&loaded);
    write_text("red/pass", "secret\n");
    write_text("red/wrong", "other\n");
    CU_ASSERT(chmod(path_of("red/locked.key"), 0600) == 0);
    CU_ASSERT(chmod(path_of("red/pass"), 0600) == 0 && chmod(path_of("red/wrong"), 0600) == 0);
    loaded = load_good(8, "  node: {certificate: red/node.pem, key: red/locked.key, "
                          "passphrase_file: red/pass}");
    CU_ASSERT(EVP_PKEY_eq(loaded.config->node->key, loaded.config->node->leaf->key) == 1);
    CU_ASSERT(loaded.config->credentials[0].source == CONFIG_KEY_ENCRYPTED);
    CU_ASSERT(loaded.config->credentials[1].source == CONFIG_KEY_FILE);
    unload(&loaded);
    write_main(8, "  node: {certificate: red/node.pem, key: red/locked.key, "
                  "passphrase_file: red/wrong}");
    check_refused("a wrong passphrase",
                  "isthmus.yaml:8:75: error: red/locked.key: the passphrase does not open this "
                  "key\n");
}

/* ---- what ends ---- */

struct seen {
    size_t n, credentials, anchors, lists, partners;
    enum expiry_level loudest;
};

static void
see(void *arg, const struct config_expiry *found)
{
    struct seen *seen = arg;
    const struct span what = span_of_cstr(found->what);

    seen->n++;
    seen->credentials += span_eq_cstr(what, "credential") ? 1 : 0;
    seen->anchors += span_eq_cstr(what, "anchor of trust") ? 1 : 0;
    seen->lists += span_eq_cstr(what, "revocation lists of trust") ? 1 : 0;
    seen->partners += span_eq_cstr(what, "signing certificate of partner") ? 1 : 0;
    seen->loudest = found->expiry.level > seen->loudest ? found->expiry.level : seen->loudest;
}

static struct seen
walk_at(const struct config *config, int64_t now_us)
{
    struct seen seen = {0};

    CU_ASSERT(config_expiry_walk(config, now_us, see, &seen) == seen.n);
    return seen;
}

static void
test_expiry(void)
{
    struct loaded loaded = load_good(0, NULL);
    const struct config *config = loaded.config;
    const int64_t end_us = config->node->leaf->not_after_us;
    struct seen seen = walk_at(config, world.now_us);

    CU_ASSERT(seen.n == 0);
    seen = walk_at(config, end_us - 61 * DAY_US);
    CU_ASSERT(seen.n == 0);
    /* all certificates of the test live equally long, the lists as well, the authority longer */
    seen = walk_at(config, end_us - 20 * DAY_US);
    CU_ASSERT(seen.credentials == 2 && seen.partners == 2);
    CU_ASSERT(seen.anchors == 0 && seen.lists == 0 && seen.loudest == EXPIRY_30_DAYS);
    seen = walk_at(config, trust_crl_next_update_us(config->partner_trust) - DAY_US / 2);
    CU_ASSERT(seen.lists == 1);
    seen = walk_at(config, trust_anchor(config->partner_trust, 0)->not_after_us + DAY_US);
    CU_ASSERT(seen.anchors == 1 && seen.loudest == EXPIRY_OVER);
    unload(&loaded);
}

/* Keys of the journal: which one writes, and mistakes at their places. */
static void
test_journal_keys(void)
{
    write_text("red/audit.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    write_text("red/old.key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1e");
    write_text("red/no.key", "secret\n");
    CU_ASSERT(chmod(path_of("red/audit.key"), 0600) == 0 &&
              chmod(path_of("red/old.key"), 0400) == 0 && chmod(path_of("red/no.key"), 0600) == 0);
    struct loaded loaded = load_good(0, NULL);
    CU_ASSERT(loaded.config->audit.keys.n == 0 && !loaded.config->audit.keys.is_writing);
    CU_ASSERT(!loaded.config->audit.is_degrading);
    CU_ASSERT(loaded.config->audit.disk_limit_percent == 90);
    CU_ASSERT(loaded.config->audit.wait_us == 5 * US_PER_S);
    unload(&loaded);
    loaded = load_good(15, "audit: {journal: var/audit, encryption: {key: red/audit.key, "
                           "old_keys: [red/old.key]}}");
    CU_ASSERT(loaded.config->audit.keys.n == 2 && loaded.config->audit.keys.is_writing);
    CU_ASSERT(loaded.config->audit.keys.items[0].secret[31] == 0x1f);
    CU_ASSERT(loaded.config->audit.keys.items[1].secret[31] == 0x1e);
    unload(&loaded);
    loaded = load_good(15, "audit: {journal: var/audit, encryption: {old_keys: [red/old.key]}, "
                           "on_unavailable: degrade, disk_limit: 75%, wait: 700ms}");
    CU_ASSERT(loaded.config->audit.is_degrading);
    CU_ASSERT(loaded.config->audit.disk_limit_percent == 75);
    CU_ASSERT(loaded.config->audit.wait_us == 700 * US_PER_MS);
    CU_ASSERT(loaded.config->audit.keys.n == 1 && !loaded.config->audit.keys.is_writing);
    unload(&loaded);
    write_main(15, "audit: {journal: var/audit, encryption: {key: red/no.key}}");
    check_refused("no key", "isthmus.yaml:15:47: error: red/no.key: expected a key of 32 bytes as "
                            "64 hexadecimal digits or base64, got 6 characters of something "
                            "else; make one with: openssl rand -base64 32\n");
    write_main(15, "audit: {journal: var/audit, encryption: {key: red/audit.key, "
                   "old_keys: [red/audit.key]}}");
    check_refused("the same key twice",
                  "isthmus.yaml:15:73: error: red/audit.key holds a key that is listed already; "
                  "list it once\n");
    write_main(0, NULL);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"generations", test_generations},
    {"lists of revocation lists", test_crl_lists},
    {"changed files", test_changes},
    {"anchors of signing certificates", test_signing_anchors},
    {"a revoked signing certificate", test_revoked_signing},
    {"a weak signing certificate", test_weak_signing},
    {"a key behind a passphrase", test_passphrase},
    {"keys of the journal", test_journal_keys},
    {"what ends", test_expiry},
};

UNIT_MAIN("config trust", tests)
