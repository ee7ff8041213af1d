/*
 * Signing and checking plain bytes with OpenSSL. Called by the command line for the audit's sealer
 * and for `isthmus audit verify`. Nothing is owned here.
 */
#include "certs/bytes.h"

#include <openssl/evp.h>

#include "base/mem.h"
#include "certs/openssl_error.h"

#define DIGEST "SHA256"

static void
free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

const char *
bytes_algorithm(const EVP_PKEY *key)
{
    return key_is_ec(key) ? "ECDSA-SHA256" : "RSA-SHA256";
}

struct status
bytes_sign(const struct credential *credential, struct span bytes, struct buf *out,
           struct diag *diag)
{
    char *room = NULL;
    size_t n = BYTES_SIGNATURE_MAX;
    CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    TRY(buf_reserve(out, n, diag, &room));
    if (context == NULL ||
        EVP_DigestSignInit_ex(context, NULL, DIGEST, NULL, NULL, credential->key, NULL) != 1 ||
        EVP_DigestSign(context, (unsigned char *)room, &n, (const unsigned char *)bytes.p,
                       bytes.n) != 1) {
        return FAIL(diag, ERR_CREDENTIAL, "the key of certificate '%s' does not sign: %s",
                    credential->leaf->subject, openssl_error_take());
    }
    out->n += n;
    return OK;
}

struct status
bytes_check(const struct certificate *certificate, struct span bytes, struct span signature,
            struct diag *diag)
{
    CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL ||
        EVP_DigestVerifyInit_ex(context, NULL, DIGEST, NULL, NULL, certificate->key, NULL) != 1) {
        return FAIL(diag, ERR_NO_MEMORY, "a signature cannot be checked: %s", openssl_error_take());
    }
    if (EVP_DigestVerify(context, (const unsigned char *)signature.p, signature.n,
                         (const unsigned char *)bytes.p, bytes.n) != 1) {
        (void)openssl_error_take();
        return FAIL(diag, ERR_SIG_INVALID,
                    "the signature is not one over these bytes with the key of certificate '%s'",
                    certificate->subject);
    }
    return OK;
}
