/*
 * `partner make`: keys and certificates of simulated partners, issued by a development authority,
 * and the records by which a node knows them. Called by partner.c.
 */
#include "tests/bench/partner.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "certs/issue.h"

#define DAY_US (INT64_C(86400) * US_PER_S)

struct authority {
    X509 *x509;
    EVP_PKEY *key;
};

void
partner_name(size_t number, char ret_name[PARTNER_NAME_MAX])
{
    (void)snprintf(ret_name, PARTNER_NAME_MAX, "p%03zu", number % 100000);
}

static FILE *
open_in(const char *dir, const char *name, const char *suffix, const char *mode)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof(path), "%s/%s%s", dir, name, suffix);
    return n < 0 || n >= PATH_MAX ? NULL : fopen(path, mode);
}

static struct status
read_authority(const char *dir, struct authority *authority, struct diag *diag)
{
    FILE *const certificate = open_in(dir, "ca", ".pem", "re");
    FILE *const key = open_in(dir, "ca", ".key", "re");
    if (certificate != NULL && key != NULL) {
        authority->x509 = PEM_read_X509(certificate, NULL, NULL, NULL);
        authority->key = PEM_read_PrivateKey(key, NULL, NULL, NULL);
    }
    if (certificate != NULL) {
        (void)fclose(certificate);
    }
    if (key != NULL) {
        (void)fclose(key);
    }
    return authority->x509 != NULL && authority->key != NULL
               ? OK
               : FAIL(diag, ERR_IO, "%s: no ca.pem and ca.key that can be read", dir);
}

static struct status
write_key(const char *dir, const char *name, EVP_PKEY *key, struct diag *diag)
{
    FILE *const file = open_in(dir, name, ".key", "wex");
    if (file == NULL || fchmod(fileno(file), 0600) != 0) {
        return FAIL(diag, ERR_IO, "%s/%s.key: %s", dir, name, strerror(errno));
    }
    const int is_written = PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    return fclose(file) == 0 && is_written == 1
               ? OK
               : FAIL(diag, ERR_IO, "%s/%s.key cannot be written", dir, name);
}

struct leaf {
    const char *dir, *suffix;
    enum issue_kind kind;
    bool is_expired;
};

static struct status
write_leaf(const struct leaf *leaf, const char *name, EVP_PKEY *key,
           const struct authority *authority, struct diag *diag)
{
    char host[64];
    const char *const hosts[] = {host, "127.0.0.1"};
    const int64_t now_us = clock_wall_us(clock_system());
    const struct issue_request request = {
        .kind = leaf->kind,
        .organization = "Simulated partner",
        .common_name = name,
        .hosts = hosts,
        .hosts_n = leaf->kind == ISSUE_TLS ? ARRAY_LEN(hosts) : 0,
        .not_before_us = now_us - 30 * DAY_US,
        .not_after_us = leaf->is_expired ? now_us - DAY_US : now_us + 30 * DAY_US,
        .digest = "SHA256",
    };
    X509 *x509 = NULL;
    (void)snprintf(host, sizeof(host), "%s.sim.example", name);
    TRY(issue_certificate(&request, key, authority->x509, authority->key, diag, &x509));
    FILE *const file = open_in(leaf->dir, name, leaf->suffix, "wex");
    const bool is_written = file != NULL && PEM_write_X509(file, x509) == 1;
    X509_free(x509);
    if (file != NULL) {
        (void)fclose(file);
    }
    return is_written
               ? OK
               : FAIL(diag, ERR_IO, "%s/%s%s cannot be written", leaf->dir, name, leaf->suffix);
}

static struct status
write_record(const struct partner_plan *plan, size_t number, const char *name, struct diag *diag)
{
    FILE *const file = open_in(plan->records_dir, name, ".yaml", "wex");
    const unsigned port = plan->first_port + (unsigned)number - 1;
    if (file == NULL) {
        return FAIL(diag, ERR_IO, "%s/%s.yaml: %s", plan->records_dir, name, strerror(errno));
    }
    fprintf(file,
            "id: %s\nname: Simulated partner %zu\ncommunities: [" PARTNER_OID_ROOT ".%zu]\n"
            "endpoints:\n  xcpd: https://127.0.0.1:%u/xcpd\n"
            "  query: https://127.0.0.1:%u/xca/query\n"
            "  retrieve: https://127.0.0.1:%u/xca/retrieve\n"
            "tls: {identity: san, names: [%s.sim.example]}\n"
            "signing: {certificates: [%s-signing.pem]}\n"
            "confirmation: [holder-of-key]\n",
            name, number, number, port, port, port, name, name);
    return fclose(file) == 0 ? OK : FAIL(diag, ERR_IO, "%s.yaml cannot be written", name);
}

/* All have the one key of their TLS certificates: making RSA keys takes its time. Keys that sign
 * must differ, or the node could not tell whose assertion it is. */
static struct status
make_one(const struct partner_plan *plan, size_t number, EVP_PKEY *tls_key,
         const struct authority *authority, struct diag *diag)
{
    const struct leaf leaf = {plan->sim_dir, ".pem", ISSUE_TLS, false};
    const struct leaf expired = {plan->sim_dir, "-expired.pem", ISSUE_TLS, true};
    const struct leaf signing = {plan->records_dir, "-signing.pem", ISSUE_SIGNING, false};
    char name[PARTNER_NAME_MAX];
    EVP_PKEY *signing_key = NULL;
    partner_name(number, name);
    TRY(write_key(plan->sim_dir, name, tls_key, diag));
    TRY(write_leaf(&leaf, name, tls_key, authority, diag));
    TRY(write_leaf(&expired, name, tls_key, authority, diag));
    TRY(issue_key("ec:P-256", diag, &signing_key));
    const struct status st = write_leaf(&signing, name, signing_key, authority, diag);
    EVP_PKEY_free(signing_key);
    return is_ok(st) ? write_record(plan, number, name, diag) : st;
}

struct status
partner_make(const struct partner_plan *plan, struct diag *diag)
{
    struct authority authority = {NULL, NULL};
    EVP_PKEY *tls_key = NULL;
    if (mkdir(plan->sim_dir, 0700) != 0 && errno != EEXIST) {
        return FAIL(diag, ERR_IO, "%s: %s", plan->sim_dir, strerror(errno));
    }
    struct status st = read_authority(plan->ca_dir, &authority, diag);
    if (is_ok(st)) {
        st = issue_key(plan->key, diag, &tls_key);
    }
    for (size_t i = 1; is_ok(st) && i <= plan->count; i++) {
        st = make_one(plan, i, tls_key, &authority, diag);
    }
    EVP_PKEY_free(tls_key);
    X509_free(authority.x509);
    EVP_PKEY_free(authority.key);
    return st;
}
