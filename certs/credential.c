/*
 * Loads a private key with its certificate chain and refuses what would fail later, in front of a
 * partner. Called while the configuration loads. Where the key comes from is key.c's and pkcs11.c's
 * to know.
 */
#include "certs/credential.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "certs/key.h"
#include "certs/pkcs11.h"
#include "certs/trust_parts.h"

/* ---- the chain ---- */

static struct status
take_chain(struct credential *credential, struct certificate_list *list, struct diag *diag)
{
    credential->leaf = list->items[0];
    list->items[0] = NULL;
    if (list->n == 1) {
        return OK;
    }
    credential->chain = mem_alloc((list->n - 1) * sizeof(X509 *));
    if (credential->chain == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a credential");
    }
    for (size_t i = 1; i < list->n; i++) {
        X509_up_ref(list->items[i]->x509);
        credential->chain[credential->chain_n++] = list->items[i]->x509;
    }
    return OK;
}

static struct status
check_chain(const struct credential *credential, struct diag *diag)
{
    X509 *subject = credential->leaf->x509;

    for (size_t i = 0; i < credential->chain_n; i++) {
        if (X509_check_issued(credential->chain[i], subject) != X509_V_OK) {
            return FAIL(diag, ERR_CREDENTIAL,
                        "certificate %zu in the file did not issue certificate %zu; expected the "
                        "node's own first, then each one's issuer",
                        i + 2, i + 1);
        }
        subject = credential->chain[i];
    }
    return OK;
}

static struct status
check_validity(const struct certificate *leaf, int64_t now_us, struct diag *diag)
{
    char text[DATETIME_MAX];

    if (now_us > leaf->not_after_us) {
        datetime_write_xs(leaf->not_after_us, text);
        return FAIL(diag, ERR_CREDENTIAL, "the certificate expired at %s", text);
    }
    if (now_us < leaf->not_before_us) {
        datetime_write_xs(leaf->not_before_us, text);
        return FAIL(diag, ERR_CREDENTIAL, "the certificate is valid only from %s", text);
    }
    return OK;
}

static struct status
load_certificates(struct credential *credential, const char *path, int64_t now_us,
                  struct diag *diag)
{
    struct certificate_list list = {0};

    TRY(certificate_list_from_file(path, diag, &list));
    struct status st = take_chain(credential, &list, diag);

    certificate_list_done(&list);
    if (is_ok(st)) {
        st = certificate_check_key(credential->leaf->key, diag);
    }
    if (is_ok(st)) {
        st = check_chain(credential, diag);
    }
    if (is_ok(st)) {
        st = check_validity(credential->leaf, now_us, diag);
    }
    if (!is_ok(st)) {
        diag_prefix(diag, "%s", path);
    }
    return st;
}

/* ---- the key ---- */

static struct status
load_key(const struct credential_sources *sources, struct span passphrase, struct diag *diag,
         enum credential_file *ret_culprit, EVP_PKEY **ret_key)
{
    if (pkcs11_is_uri(sources->key)) {
        return pkcs11_load_key(sources->key, sources->pkcs11_module, passphrase, diag, ret_culprit,
                               ret_key);
    }
    return key_load_pem(sources->key, passphrase, diag, ret_culprit, ret_key);
}

static struct status
open_key(const struct credential_sources *sources, struct diag *diag,
         enum credential_file *ret_culprit, EVP_PKEY **ret_key)
{
    struct buf passphrase;

    key_passphrase_init(&passphrase);
    *ret_culprit = CREDENTIAL_FILE_PASSPHRASE;
    struct status st =
        key_read_passphrase(sources->passphrase_path, sources->passphrase_env, &passphrase, diag);

    if (is_ok(st)) {
        *ret_culprit = CREDENTIAL_FILE_KEY;
        st = load_key(sources, buf_span(&passphrase), diag, ret_culprit, ret_key);
    }
    buf_done(&passphrase);
    return st;
}

static struct status
load(struct credential *credential, const struct credential_sources *sources, int64_t now_us,
     struct diag *diag, enum credential_file *ret_culprit)
{
    *ret_culprit = CREDENTIAL_FILE_CERTIFICATE;
    TRY(load_certificates(credential, sources->certificate_path, now_us, diag));
    TRY(open_key(sources, diag, ret_culprit, &credential->key));
    if (EVP_PKEY_eq(credential->leaf->key, credential->key) != 1) {
        ERR_clear_error();
        return FAIL(diag, ERR_CREDENTIAL, "%s: this key does not belong to the certificate %s",
                    sources->key, sources->certificate_path);
    }
    return OK;
}

struct status
credential_make(const struct credential_sources *sources, int64_t now_us, struct diag *diag,
                enum credential_file *ret_culprit, struct credential **ret_credential)
{
    struct credential *credential = mem_alloc(sizeof(*credential));

    *ret_culprit = CREDENTIAL_FILE_CERTIFICATE;
    if (credential == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a credential");
    }
    const struct status st = load(credential, sources, now_us, diag, ret_culprit);

    if (!is_ok(st)) {
        credential_free(credential);
        return st;
    }
    *ret_credential = credential;
    return OK;
}

struct status
credential_load(const char *certificate_path, const char *key_path, int64_t now_us,
                struct diag *diag, struct credential **ret_credential)
{
    const struct credential_sources sources = {.certificate_path = certificate_path,
                                               .key = key_path};
    enum credential_file culprit;

    return credential_make(&sources, now_us, diag, &culprit, ret_credential);
}

int64_t
credential_chain_end_us(const struct credential *credential)
{
    int64_t first_us = INT64_MAX;

    for (size_t i = 0; i < credential->chain_n; i++) {
        const int64_t end_us = trust_time_us(X509_get0_notAfter(credential->chain[i]));

        first_us = end_us < first_us ? end_us : first_us;
    }
    return first_us;
}

void
credential_free(struct credential *credential)
{
    if (credential == NULL) {
        return;
    }
    for (size_t i = 0; i < credential->chain_n; i++) {
        X509_free(credential->chain[i]);
    }
    mem_free(credential->chain);
    EVP_PKEY_free(credential->key);
    certificate_free(credential->leaf);
    mem_free(credential);
}
