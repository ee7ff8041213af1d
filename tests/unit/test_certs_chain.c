/*
 * Chains, level by level: each rule with a chain that breaks it, refused by name, and a benign twin
 * that differs in that one thing and is trusted.
 */
#include <stdio.h>
#include <string.h>

#include "certs/trust.h"
#include "odd_chain.h"
#include "unit.h"

#define ROOT                                                                                       \
    {                                                                                              \
        .name = "Root"                                                                             \
    }
#define SUB                                                                                        \
    {                                                                                              \
        .name = "Sub"                                                                              \
    }
#define RSA                                                                                        \
    {                                                                                              \
        .name = "Root", .key = "rsa:2048"                                                          \
    }

/* The leaf is the last that is given. */
struct row {
    const char *what;
    enum trust_purpose purpose;
    struct odd levels[5];
    size_t n;
    const char *text; /* why it is refused; NULL: trusted */
};

#define CLIENT  TRUST_PURPOSE_CLIENT
#define SERVER  TRUST_PURPOSE_SERVER
#define SIGNING TRUST_PURPOSE_SIGNING

/* clang-format off */
static const struct row rows[] = {
    {"good client", CLIENT, {ROOT, {0}}, 2, NULL},
    {"good server", SERVER, {ROOT, {0}}, 2, NULL},
    {"good signer", SIGNING, {ROOT, {0}}, 2, NULL},
    {"expired", CLIENT, {ROOT, {.from_days = -9, .until_days = -1}}, 2, "has expired"},
    {"expires tomorrow", CLIENT, {ROOT, {.from_days = -9, .until_days = 1}}, 2, NULL},
    {"not yet valid", CLIENT, {ROOT, {.from_days = 1, .until_days = 9}}, 2, "not yet valid"},
    {"valid since yesterday", CLIENT, {ROOT, {.from_days = -1, .until_days = 9}}, 2, NULL},
    {"expired issuer", CLIENT, {ROOT, {.from_days = -9, .until_days = -1}, {0}}, 3, "has expired"},
    {"expired root", CLIENT, {{.from_days = -9, .until_days = -1}, {0}}, 2, "has expired"},
    /* extended key usage */
    {"server's for a client", CLIENT, {ROOT, {.extended = "serverAuth"}}, 2, "certificate purpose"},
    {"server's for a server", SERVER, {ROOT, {.extended = "serverAuth"}}, 2, NULL},
    {"client's for a server", SERVER, {ROOT, {.extended = "clientAuth"}}, 2, "certificate purpose"},
    {"client's for a client", CLIENT, {ROOT, {.extended = "clientAuth"}}, 2, NULL},
    {"code for a client", CLIENT, {ROOT, {.extended = "codeSigning"}}, 2, "certificate purpose"},
    {"both", CLIENT, {ROOT, {.extended = "serverAuth,clientAuth"}}, 2, NULL},
    {"code for messages", SIGNING, {ROOT, {.extended = "codeSigning"}}, 2, "extended key usage"},
    {"OCSP for messages", SIGNING, {ROOT, {.extended = "OCSPSigning"}}, 2, "extended key usage"},
    {"time for messages", SIGNING, {ROOT, {.extended = "critical,timeStamping"}}, 2, "extended key usage"},
    {"TLS for messages", SIGNING, {ROOT, {.extended = "clientAuth"}}, 2, NULL},
    {"e-mail for messages", SIGNING, {ROOT, {.extended = "emailProtection"}}, 2, NULL},
    {"documents for messages", SIGNING, {ROOT, {.extended = "1.3.6.1.5.5.7.3.36"}}, 2, NULL},
    {"issuer for servers only", CLIENT, {ROOT, {.name = "Sub", .extended = "serverAuth"}, {0}}, 3, "certificate purpose"},
    {"issuer for clients", CLIENT, {ROOT, {.name = "Sub", .extended = "clientAuth"}, {0}}, 3, NULL},
    /* key usage */
    {"no signatures", SIGNING, {ROOT, {.usage = "critical,keyAgreement"}}, 2, "has no signatures"},
    {"non-repudiation", SIGNING, {ROOT, {.usage = "critical,nonRepudiation"}}, 2, NULL},
    {"no key usage at all", SIGNING, {ROOT, {.usage = ""}}, 2, NULL},
    {"encipherment for a client", CLIENT, {ROOT, {.usage = "critical,dataEncipherment"}}, 2, "certificate purpose"},
    /* issuers */
    {"a leaf as issuer", SIGNING, {ROOT, {.basic = "critical,CA:FALSE", .usage = "digitalSignature"}, {0}}, 3, "invalid CA certificate"},
    {"an issuer", SIGNING, {ROOT, SUB, {0}}, 3, NULL},
    {"issuer that may not sign", SIGNING, {ROOT, {.usage = "critical,digitalSignature"}, {0}}, 3, "invalid CA certificate"},
    {"issuer by key usage only", SIGNING, {ROOT, {.basic = "", .usage = "keyCertSign"}, {0}}, 3, "invalid CA certificate"},
    {"issuer by Netscape's extension", SIGNING, {ROOT, {.basic = "", .usage = "", .netscape = "sslCA,objCA"}, {0}}, 3, "invalid CA certificate"},
    {"path too long", SIGNING, {ROOT, {.basic = "critical,CA:TRUE,pathlen:0"}, SUB, {0}}, 4, "path length constraint exceeded"},
    {"path of one", SIGNING, {ROOT, {.basic = "critical,CA:TRUE,pathlen:1"}, SUB, {0}}, 4, NULL},
    {"path too long at the root", SIGNING, {{.basic = "critical,CA:TRUE,pathlen:0"}, SUB, {0}}, 3, "path length constraint exceeded"},
    {"path of nought at the root", SIGNING, {{.basic = "critical,CA:TRUE,pathlen:0"}, {0}}, 2, NULL},
    /* names */
    {"outside of permitted", CLIENT, {ROOT, {.constraints = "critical,permitted;DNS:good.example"}, {.san = "DNS:www.bad.example"}}, 3, "permitted subtree violation"},
    {"inside of permitted", CLIENT, {ROOT, {.constraints = "critical,permitted;DNS:good.example"}, {.san = "DNS:www.good.example"}}, 3, NULL},
    {"one name outside", CLIENT, {ROOT, {.constraints = "critical,permitted;DNS:good.example"}, {.san = "DNS:www.good.example,DNS:good.example.evil.example"}}, 3, "permitted subtree violation"},
    {"excluded", CLIENT, {ROOT, {.constraints = "critical,excluded;DNS:bad.example"}, {.san = "DNS:www.bad.example"}}, 3, "excluded subtree violation"},
    {"not excluded", CLIENT, {ROOT, {.constraints = "critical,excluded;DNS:bad.example"}, {.san = "DNS:www.good.example"}}, 3, NULL},
    {"address outside", CLIENT, {ROOT, {.constraints = "critical,permitted;IP:10.0.0.0/255.0.0.0"}, {.san = "IP:192.0.2.1"}}, 3, "permitted subtree violation"},
    {"address inside", CLIENT, {ROOT, {.constraints = "critical,permitted;IP:10.0.0.0/255.0.0.0"}, {.san = "IP:10.1.2.3"}}, 3, NULL},
    {"unknown critical extension", CLIENT, {ROOT, {.is_critical_unknown = true}}, 2, "unhandled critical extension"},
    /* keys */
    {"RSA 1024", CLIENT, {ROOT, {.key = "rsa:1024"}}, 2, "RSA key of 1024 bits"},
    {"RSA 2048", CLIENT, {ROOT, {.key = "rsa:2048"}}, 2, NULL},
    {"P-521", CLIENT, {ROOT, {.key = "ec:P-521"}}, 2, "curve secp521r1"},
    {"P-384", CLIENT, {ROOT, {.key = "ec:P-384"}}, 2, NULL},
    {"secp256k1", SIGNING, {ROOT, {.key = "ec:secp256k1"}}, 2, "curve secp256k1"},
    {"Ed25519", CLIENT, {ROOT, {.key = "ED25519"}}, 2, "key of type ED25519"},
    {"Ed448", SIGNING, {ROOT, {.key = "ED448"}}, 2, "key of type ED448"},
    {"RSA-PSS key", CLIENT, {ROOT, {.key = "pss"}}, 2, "key of type RSA-PSS"},
    {"issuer with RSA 1024", CLIENT, {ROOT, {.key = "rsa:1024"}, {0}}, 3, "CA certificate key too weak"},
    {"issuer with RSA 2048", CLIENT, {ROOT, {.key = "rsa:2048"}, {0}}, 3, NULL},
    {"issuer with P-521", CLIENT, {ROOT, {.key = "ec:P-521"}, {0}}, 3, "a key that is neither"},
    {"issuer with P-384", CLIENT, {ROOT, {.key = "ec:P-384"}, {0}}, 3, NULL},
    {"issuer with Ed25519", CLIENT, {ROOT, {.key = "ED25519"}, {0}}, 3, "a key that is neither"},
    {"root with RSA 1024", CLIENT, {{.key = "rsa:1024"}, {0}}, 2, "CA certificate key too weak"},
    /* digests of signatures */
    {"SHA-1", CLIENT, {ROOT, {.digest = "SHA1"}}, 2, "digest algorithm too weak"},
    {"SHA-384", CLIENT, {ROOT, {.digest = "SHA384"}}, 2, NULL},
    {"SHA-1 on the issuer", CLIENT, {ROOT, {.digest = "SHA1"}, {0}}, 3, "digest algorithm too weak"},
    {"SHA-1 on the root itself", CLIENT, {{.digest = "SHA1"}, {0}}, 2, NULL},
    {"RSA-PSS with SHA-1", CLIENT, {RSA, {.is_pss = true, .digest = "SHA1"}}, 2, "digest algorithm too weak"},
    {"RSA-PSS with SHA-256", CLIENT, {RSA, {.is_pss = true}}, 2, NULL},
    {"MD5", CLIENT, {RSA, {.digest = "MD5"}}, 2, "digest algorithm too weak"},
    /* subjects */
    {"no SAN", CLIENT, {ROOT, {.name = "no names"}}, 2, NULL},
    {"empty subject", CLIENT, {ROOT, {.name = "", .san = "critical,DNS:empty.example"}}, 2, NULL},
};
/* clang-format on */

static int64_t now_us;
static char folder[256];

static const char *
in_folder(const char *name)
{
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static void
test_make_folder(void)
{
    snprintf(folder, sizeof(folder), "%s", unit_temp_dir());
    now_us = clock_wall_us(clock_system());
}

static struct certificate *
leaf_of(const struct odd_chain *chain)
{
    struct diag diag = {0};
    struct certificate *leaf = NULL;

    CHECK_OK(&diag, certificate_from_x509(chain->x509[chain->n - 1], &diag, &leaf));
    CU_ASSERT_FATAL(leaf != NULL);
    return leaf;
}

static struct trust *
trust_in(X509 *const *anchors, size_t n)
{
    struct diag diag = {0};
    struct trust *trust = NULL;

    odd_write_pem(in_folder("anchors.pem"), anchors, n);
    CHECK_OK(&diag, trust_load(in_folder("anchors.pem"), NULL, &diag, &trust));
    CU_ASSERT_FATAL(trust != NULL);
    return trust;
}

/* <text> NULL: trusted. */
static void
check_verdict(const char *what, const struct trust *trust, enum trust_purpose purpose,
              const struct odd_chain *chain, const char *text)
{
    struct diag diag = {0};
    struct certificate *leaf = leaf_of(chain);
    const struct status st = trust_verify_for(trust, purpose, leaf, chain->x509,
                                              chain->n > 0 ? chain->n - 1 : 0, now_us, &diag);

    if (st.code != (text == NULL ? ERR_NONE : ERR_SIG_NO_TRUST) ||
        (text != NULL && strstr(diag.text, text) == NULL)) {
        fprintf(stderr, "%s: wanted '%s', got %s '%s'\n", what, text == NULL ? "trusted" : text,
                err_name(st.code), diag.text);
        CU_FAIL("another verdict");
    }
    certificate_free(leaf);
}

static void
test_rows(void)
{
    size_t refused = 0;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct odd_chain chain;

        odd_chain_make(rows[i].levels, rows[i].n, 0, now_us, &chain);
        struct trust *trust = trust_in(chain.x509, 1);

        check_verdict(rows[i].what, trust, rows[i].purpose, &chain, rows[i].text);
        refused += rows[i].text != NULL ? 1 : 0;
        trust_free(trust);
        odd_chain_done(&chain);
    }
    CU_ASSERT(refused >= 35 && ARRAY_LEN(rows) - refused >= 25);
}

/* Another authority with the same name and another key; without key identifiers to help. */
static void
test_same_name(void)
{
    static const struct odd levels[] = {ROOT, {0}};
    struct odd_chain ours, theirs;

    odd_chain_make(levels, 2, 0, now_us, &ours);
    odd_chain_make(levels, 2, 1, now_us, &theirs);
    struct trust *trust = trust_in(ours.x509, 1);

    check_verdict("same name, other key", trust, CLIENT, &theirs, "certificate signature failure");
    check_verdict("same name, our key", trust, CLIENT, &ours, NULL);
    trust_free(trust);
    odd_chain_done(&ours);
    odd_chain_done(&theirs);
}

/* Both keys are ours: key identifiers, which RFC 5280 wants, tell them apart. */
static void
test_renewed_authority(void)
{
    static const struct odd levels[] = {{.name = "Root", .has_key_ids = true},
                                        {.has_key_ids = true}};
    struct odd_chain old, renewed;

    odd_chain_make(levels, 2, 0, now_us, &old);
    odd_chain_make(levels, 2, 1, now_us, &renewed);
    X509 *const both[] = {old.x509[0], renewed.x509[0]};
    struct trust *trust = trust_in(both, 2);

    check_verdict("by the old key", trust, CLIENT, &old, NULL);
    check_verdict("by the new key", trust, CLIENT, &renewed, NULL);
    trust_free(trust);
    trust = trust_in(both, 1);
    check_verdict("by the new key, not yet known", trust, CLIENT, &renewed,
                  "self-signed certificate in certificate chain");
    trust_free(trust);
    odd_chain_done(&old);
    odd_chain_done(&renewed);
}

/* Direct comparison: what lies in the list is trusted, and nothing that it issues or resembles. */
static void
test_self_signed(void)
{
    static const struct odd listed[] = {
        {.name = "Alone", .basic = "critical,CA:FALSE", .usage = "critical,digitalSignature"},
        {.name = "Below"}};
    struct odd_chain ours, theirs;

    odd_chain_make(listed, 2, 0, now_us, &ours);
    odd_chain_make(listed, 1, 1, now_us, &theirs);
    struct trust *trust = trust_in(ours.x509, 1);

    check_verdict("issued by a leaf in the list", trust, CLIENT, &ours, "invalid CA certificate");
    check_verdict("not in the list", trust, CLIENT, &theirs, "self-signed certificate");
    X509_free(ours.x509[--ours.n]);
    check_verdict("in the list", trust, CLIENT, &ours, NULL);
    check_verdict("in the list, as server", trust, SERVER, &ours, NULL);
    check_verdict("in the list, as signer", trust, SIGNING, &ours, NULL);
    trust_free(trust);
    odd_chain_done(&ours);
    odd_chain_done(&theirs);
}

/* An intermediate as the anchor: its own issuer need not be known. */
static void
test_partial_chain(void)
{
    static const struct odd levels[] = {ROOT, SUB, {0}};
    struct odd_chain chain, other;

    odd_chain_make(levels, 3, 0, now_us, &chain);
    odd_chain_make(levels, 3, 1, now_us, &other);
    struct trust *trust = trust_in(chain.x509 + 1, 1);

    check_verdict("below the anchor", trust, SIGNING, &chain, NULL);
    check_verdict("below another", trust, SIGNING, &other, "certificate signature failure");
    trust_free(trust);
    odd_chain_done(&chain);
    odd_chain_done(&other);
}

static void
test_depth(void)
{
    static const struct {
        size_t n;
        bool is_trusted;
    } depths[] = {{5, true}, {20, false}};

    for (size_t i = 0; i < ARRAY_LEN(depths); i++) {
        struct odd levels[ODD_LEVELS_MAX] = {0};
        struct odd_chain chain;

        odd_chain_make(levels, depths[i].n, 0, now_us, &chain);
        struct trust *trust = trust_in(chain.x509, 1);

        check_verdict("depth", trust, CLIENT, &chain,
                      depths[i].is_trusted ? NULL : "certificate chain too long");
        trust_free(trust);
        odd_chain_done(&chain);
    }
}

/* Trusted, and yet nobody: without names it belongs to no partner. */
static void
test_nobody(void)
{
    static const struct odd bare[] = {ROOT, {.name = "www.red.example"}};
    static const struct odd empty[] = {ROOT, {.name = "", .san = "critical,DNS:www.red.example"}};
    struct odd_chain chain;

    odd_chain_make(bare, 2, 0, now_us, &chain);
    struct certificate *leaf = leaf_of(&chain);

    CU_ASSERT(leaf->dns_n == 0 && !certificate_names(leaf, SPAN("www.red.example")));
    certificate_free(leaf);
    odd_chain_done(&chain);
    odd_chain_make(empty, 2, 0, now_us, &chain);
    leaf = leaf_of(&chain);
    CHECK_SPAN(span_of_cstr(leaf->subject), "");
    CU_ASSERT(leaf->dns_n == 1 && certificate_names(leaf, SPAN("www.red.example")));
    certificate_free(leaf);
    odd_chain_done(&chain);
    odd_keys_done();
}

static const struct unit_test tests[] = {
    {"make a folder", test_make_folder},
    {"each rule and its twin", test_rows},
    {"an authority with our authority's name", test_same_name},
    {"a renewed authority", test_renewed_authority},
    {"self-signed", test_self_signed},
    {"an intermediate as anchor", test_partial_chain},
    {"depth", test_depth},
    {"nobody's certificate", test_nobody},
};

UNIT_MAIN("certs chain", tests)
