/*
 * Makes and frees the certificates of certs_world.h.
 */
#include "certs_world.h"

#include <stdio.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "certs/devpki.h"
#include "unit.h"

struct certs_world world;

const char *
path_of(const char *name)
{
    static char paths[8][512];
    static size_t next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof(paths[0]), "%s/%s", world.dir, name);
    return path;
}

void
write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(path_of(name), "w");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT(fclose(file) == 0);
    CU_ASSERT(chmod(path_of(name), mode) == 0);
}

struct credential *
load_node(const char *node, const char *name, int64_t now_us)
{
    struct diag diag = {0};
    struct credential *credential = NULL;
    char certificate[512], key[512];

    snprintf(certificate, sizeof(certificate), "%s/%s/%s.pem", world.dir, node, name);
    snprintf(key, sizeof(key), "%s/%s/%s.key", world.dir, node, name);
    CHECK_OK(&diag, credential_load(certificate, key, now_us, &diag, &credential));
    return credential;
}

static void
make_node(const char *node, const char *ca, enum devpki_key key, int64_t now_us)
{
    struct diag diag = {0};
    char host[64], dir[512], ca_dir[512];
    const struct devpki_node maker = {
        .name = node, .host = host, .address = "127.0.0.1", .key = key};

    snprintf(host, sizeof(host), "%s.example", node);
    snprintf(dir, sizeof(dir), "%s/%s", world.dir, node);
    snprintf(ca_dir, sizeof(ca_dir), "%s/%s", world.dir, ca);
    CHECK_OK(&diag, devpki_make_node(dir, ca_dir, &maker, now_us, &diag));
}

static void
read_ca(void)
{
    BIO *bio = BIO_new_file(path_of("ca/ca.key"), "r");

    CU_ASSERT_FATAL(bio != NULL);
    world.ca_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = BIO_new_file(path_of("ca/ca.pem"), "r");
    CU_ASSERT_FATAL(bio != NULL);
    world.ca = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    CU_ASSERT_FATAL(world.ca != NULL && world.ca_key != NULL);
}

void
test_make_world(void)
{
    struct diag diag = {0};

    snprintf(world.dir, sizeof(world.dir), "%s", unit_temp_dir());
    world.now_us = clock_wall_us(clock_system());
    CHECK_OK(&diag, devpki_make_ca(path_of("ca"), "N\xc3\xb8rth HIE", world.now_us, &diag));
    CHECK_OK(&diag, devpki_make_ca(path_of("other-ca"), "Elsewhere", world.now_us, &diag));
    make_node("red", "ca", DEVPKI_RSA_2048, world.now_us);
    make_node("blue", "ca", DEVPKI_P256, world.now_us);
    make_node("gone", "ca", DEVPKI_P256, world.now_us);
    make_node("expired", "ca", DEVPKI_P256, world.now_us - 3 * YEAR_US);
    make_node("green", "other-ca", DEVPKI_P256, world.now_us);
    CHECK_OK(&diag, devpki_revoke(path_of("ca"), path_of("gone/node.pem"), world.now_us, &diag));
    CHECK_OK(&diag, devpki_revoke(path_of("ca"), path_of("gone/signing.pem"), world.now_us, &diag));

    world.red = load_node("red", "node", world.now_us);
    world.blue = load_node("blue", "node", world.now_us);
    world.green = load_node("green", "node", world.now_us);
    world.gone = load_node("gone", "node", world.now_us);
    world.expired = load_node("expired", "node", world.now_us - 3 * YEAR_US);
    CHECK_OK(&diag, trust_load(path_of("ca/ca.pem"), path_of("ca/crl.pem"), &diag, &world.trust));
    CHECK_OK(&diag, trust_load(path_of("ca/ca.pem"), NULL, &diag, &world.plain_trust));
    CHECK_OK(&diag, trust_load(path_of("other-ca/ca.pem"), path_of("other-ca/crl.pem"), &diag,
                               &world.other_trust));
    read_ca();
}

void
test_free_world(void)
{
    credential_free(world.red);
    credential_free(world.blue);
    credential_free(world.green);
    credential_free(world.gone);
    credential_free(world.expired);
    trust_free(world.trust);
    trust_free(world.plain_trust);
    trust_free(world.other_trust);
    EVP_PKEY_free(world.ca_key);
    X509_free(world.ca);
    credential_free(NULL);
    trust_free(NULL);
    certificate_free(NULL);
}

struct certificate *
load_certificate(const char *name)
{
    struct diag diag = {0};
    struct certificate *certificate = NULL;

    CHECK_OK(&diag, certificate_from_file(path_of(name), &diag, &certificate));
    CU_ASSERT_FATAL(certificate != NULL);
    return certificate;
}

X509 *
issue_odd(const char *key_type, enum issue_kind kind, const char *digest, int64_t from_us,
          int64_t until_us, EVP_PKEY **ret_key)
{
    static const char *const hosts[] = {"odd.example"};
    struct diag diag = {0};
    X509 *x509 = NULL;
    const struct issue_request request = {.kind = kind,
                                          .organization = "Odd",
                                          .common_name = "odd",
                                          .hosts = hosts,
                                          .hosts_n = 1,
                                          .not_before_us = from_us,
                                          .not_after_us = until_us,
                                          .digest = digest};

    CHECK_OK(&diag, issue_key(key_type, &diag, ret_key));
    CHECK_OK(&diag, issue_certificate(&request, *ret_key, world.ca, world.ca_key, &diag, &x509));
    CU_ASSERT_FATAL(x509 != NULL);
    return x509;
}
