/*
 * Keys of segments and the encryption of records. Called by the journal thread (sealing) and by
 * whoever reads (opening); a cipher keeps OpenSSL's context, so that a record costs no allocation.
 */
#include "audit/cipher.h"

#include <pthread.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

#include "base/mem.h"

#define SEGMENT_LABEL "isthmus audit segment\n"

struct cipher {
    EVP_CIPHER_CTX *sealing, *opening;
    uint8_t nonce[CIPHER_NONCE_BYTES]; /* of this process in this segment */
};

static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *gcm;

static void
fetch_gcm(void)
{
    gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
}

static struct status
failed(const char *what, struct diag *diag)
{
    return FAIL(diag, ERR_CRYPTO, "OpenSSL cannot %s: is its default provider there?", what);
}

/* ---- the key of a segment (RFC 5869) ---- */

static struct status
derive(const struct journal_key *key, const uint8_t salt[SEGMENT_SALT_BYTES], const char *chain,
       struct diag *diag, uint8_t ret_secret[JOURNAL_KEY_BYTES])
{
    char info[sizeof(SEGMENT_LABEL) + JOURNAL_CHAIN_MAX];
    const size_t chain_n = strnlen(chain, JOURNAL_CHAIN_MAX);
    EVP_KDF *hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = hkdf == NULL ? NULL : EVP_KDF_CTX_new(hkdf);

    memcpy(info, SEGMENT_LABEL, sizeof(SEGMENT_LABEL) - 1);
    memcpy(info + sizeof(SEGMENT_LABEL) - 1, chain, chain_n);
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)key->secret,
                                          JOURNAL_KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt,
                                          SEGMENT_SALT_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info,
                                          sizeof(SEGMENT_LABEL) - 1 + chain_n),
        OSSL_PARAM_construct_end(),
    };
    const bool is_derived =
        context != NULL && EVP_KDF_derive(context, ret_secret, JOURNAL_KEY_BYTES, params) == 1;
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(hkdf);
    return is_derived ? OK : failed("derive a segment's key (HKDF)", diag);
}

/* ---- ciphers ---- */

struct status
cipher_new(struct diag *diag, struct cipher **ret_cipher)
{
    (void)pthread_once(&fetch_once, fetch_gcm);
    struct cipher *cipher = mem_alloc(sizeof(*cipher));
    if (cipher == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a cipher");
    }
    cipher->sealing = EVP_CIPHER_CTX_new();
    cipher->opening = EVP_CIPHER_CTX_new();
    if (gcm == NULL || cipher->sealing == NULL || cipher->opening == NULL) {
        cipher_free(cipher);
        return failed("encrypt with AES-256-GCM", diag);
    }
    *ret_cipher = cipher;
    return OK;
}

void
cipher_free(struct cipher *cipher)
{
    if (cipher != NULL) {
        EVP_CIPHER_CTX_free(cipher->sealing);
        EVP_CIPHER_CTX_free(cipher->opening);
        mem_free(cipher);
    }
}

struct status
cipher_start(struct cipher *cipher, const struct journal_key *key,
             const uint8_t salt[SEGMENT_SALT_BYTES], const char *chain, struct diag *diag)
{
    uint8_t secret[JOURNAL_KEY_BYTES];

    TRY(derive(key, salt, chain, diag, secret));
    const bool is_set = EVP_EncryptInit_ex2(cipher->sealing, gcm, secret, NULL, NULL) == 1 &&
                        EVP_DecryptInit_ex2(cipher->opening, gcm, secret, NULL, NULL) == 1 &&
                        RAND_bytes(cipher->nonce, sizeof(cipher->nonce)) == 1;
    mem_wipe(secret, sizeof(secret));
    return is_set ? OK : failed("begin to encrypt with AES-256-GCM", diag);
}

/* The CRC is not part: it is computed over the ciphertext. */
static bool
add_head(EVP_CIPHER_CTX *context, const uint8_t *record)
{
    int ignored = 0;
    return EVP_CipherUpdate(context, NULL, &ignored, record, RECORD_CRC_AT) == 1 &&
           EVP_CipherUpdate(context, NULL, &ignored, record + RECORD_CRC_AT + sizeof(uint32_t),
                            RECORD_HEAD_BYTES - RECORD_CRC_AT - (int)sizeof(uint32_t)) == 1;
}

struct status
cipher_seal(struct cipher *cipher, char *record, size_t n, struct diag *diag)
{
    uint8_t *bytes = (uint8_t *)record;
    uint8_t *nonce = bytes + RECORD_HEAD_BYTES;
    uint8_t *text = nonce + CIPHER_NONCE_BYTES;
    const int text_n = (int)(n - RECORD_HEAD_BYTES - CIPHER_EXTRA_BYTES);
    int done = 0;
    int ignored = 0;

    memcpy(nonce, cipher->nonce, CIPHER_NONCE_BYTES);
    for (size_t i = 0; i < sizeof(uint64_t); i++) {
        nonce[i] ^= bytes[RECORD_SEQUENCE_AT + i];
    }
    const bool is_sealed = EVP_EncryptInit_ex2(cipher->sealing, NULL, NULL, nonce, NULL) == 1 &&
                           add_head(cipher->sealing, bytes) &&
                           EVP_EncryptUpdate(cipher->sealing, text, &done, text, text_n) == 1 &&
                           EVP_EncryptFinal_ex(cipher->sealing, text + done, &ignored) == 1 &&
                           done == text_n &&
                           EVP_CIPHER_CTX_ctrl(cipher->sealing, EVP_CTRL_AEAD_GET_TAG,
                                               CIPHER_TAG_BYTES, text + text_n) == 1;
    return is_sealed ? OK : failed("encrypt a record", diag);
}

struct status
cipher_open(struct cipher *cipher, char *record, size_t n, struct diag *diag, struct span *ret_text)
{
    uint8_t *bytes = (uint8_t *)record;
    uint8_t *text = bytes + RECORD_HEAD_BYTES + CIPHER_NONCE_BYTES;
    int done = 0;
    int ignored = 0;

    if (n < RECORD_HEAD_BYTES + CIPHER_EXTRA_BYTES) {
        return FAIL(diag, ERR_JOURNAL, "it has %zu bytes, too few to be encrypted", n);
    }
    const int text_n = (int)(n - RECORD_HEAD_BYTES - CIPHER_EXTRA_BYTES);
    const bool is_opened =
        EVP_DecryptInit_ex2(cipher->opening, NULL, NULL, bytes + RECORD_HEAD_BYTES, NULL) == 1 &&
        add_head(cipher->opening, bytes) &&
        EVP_DecryptUpdate(cipher->opening, text, &done, text, text_n) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher->opening, EVP_CTRL_AEAD_SET_TAG, CIPHER_TAG_BYTES,
                            text + text_n) == 1 &&
        EVP_DecryptFinal_ex(cipher->opening, text + done, &ignored) == 1;
    if (!is_opened) {
        return FAIL(diag, ERR_JOURNAL,
                    "it cannot be decrypted with its key: somebody who could make the chain fit "
                    "again has changed it");
    }
    *ret_text = span_of((const char *)text, (size_t)text_n);
    return OK;
}
