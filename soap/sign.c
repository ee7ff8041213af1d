/*
 * Signing over OpenSSL. Called by the writers of assertions and Timestamps; buffers are the
 * caller's. That the bytes are canonical is their promise; tests compare them with libxml2's
 * canonicaliser and verify what comes out with xmlsec.
 */
#include "soap/sign.h"

#include <stdio.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>

#include "base/digest.h"
#include "base/mem.h"
#include "soap/namespaces.h"
#include "soap/profile.h"

#define EXC_C14N            "http://www.w3.org/2001/10/xml-exc-c14n#"
#define MORE                "http://www.w3.org/2001/04/xmldsig-more#"
#define XMLENC              "http://www.w3.org/2001/04/xmlenc#"
#define SIGNATURE_BYTES_MAX ((size_t)1024) /* RSA-8192 */

static const struct algorithms {
    const char *openssl;
    const char *digest, *rsa, *ecdsa; /* URIs */
} algorithms[] = {
    [DIALECT_SHA256] = {"SHA256", XMLENC "sha256", MORE "rsa-sha256", MORE "ecdsa-sha256"},
    [DIALECT_SHA384] = {"SHA384", MORE "sha384", MORE "rsa-sha384", MORE "ecdsa-sha384"},
    [DIALECT_SHA512] = {"SHA512", XMLENC "sha512", MORE "rsa-sha512", NULL},
    [DIALECT_SHA1] = {"SHA1", NS_DS "sha1", NS_DS "rsa-sha1", MORE "ecdsa-sha1"},
};

static void
free_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

static void
free_pair(ECDSA_SIG **pair)
{
    ECDSA_SIG_free(*pair);
}

/* The digest inside of the signature: receivers do not take ecdsa-sha512, and a curve wants a
 * digest of its size. */
static enum dialect_digest
signature_digest(const struct sign_order *order)
{
    const EVP_PKEY *const key = order->signer->key;
    if (!key_is_ec(key) || order->digest == DIALECT_SHA1) {
        return order->digest;
    }
    return EVP_PKEY_get_bits(key) > 256 || order->digest == DIALECT_SHA512 ? DIALECT_SHA384
                                                                           : order->digest;
}

/* ---- SignedInfo ---- */

static void
write_algorithm(struct xmlw *w, const char *qname, const char *uri)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "Algorithm", uri);
    xmlw_end(w);
}

static void
write_reference(struct xmlw *w, const struct sign_order *order, struct span digest)
{
    char uri[128];
    (void)snprintf(uri, sizeof(uri), "#%.*s",
                   SPAN_PRINT(span_slice(order->id, 0, sizeof(uri) - 2)));
    xmlw_start(w, "ds:Reference");
    xmlw_attr_cstr(w, "URI", uri);
    xmlw_start(w, "ds:Transforms");
    if (order->is_enveloped) {
        write_algorithm(w, "ds:Transform", NS_DS "enveloped-signature");
    }
    write_algorithm(w, "ds:Transform", EXC_C14N);
    xmlw_end(w);
    write_algorithm(w, "ds:DigestMethod", algorithms[order->digest].digest);
    xmlw_element(w, "ds:DigestValue", digest);
    xmlw_end(w);
}

static struct status
write_info(const struct sign_order *order, struct span digest, struct buf *out, struct diag *diag)
{
    const struct algorithms *const method = &algorithms[signature_digest(order)];
    const bool is_rsa = key_is_rsa(order->signer->key);
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "ds:SignedInfo");
    xmlw_attr_cstr(&w, "xmlns:ds", NS_DS);
    write_algorithm(&w, "ds:CanonicalizationMethod", EXC_C14N);
    write_algorithm(&w, "ds:SignatureMethod", is_rsa ? method->rsa : method->ecdsa);
    write_reference(&w, order, digest);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

/* ---- arithmetic ---- */

static struct status
failed(struct diag *diag, const char *what)
{
    return FAIL(diag, ERR_CRYPTO, "signing failed: %s", what);
}

static struct status
digest_parts(const char *name, struct span before, struct span after, struct buf *out,
             struct diag *diag)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex2(context, EVP_get_digestbyname(name), NULL) != 1 ||
        EVP_DigestUpdate(context, before.p, before.n) != 1 ||
        EVP_DigestUpdate(context, after.p, after.n) != 1 ||
        EVP_DigestFinal_ex(context, bytes, &n) != 1) {
        return failed(diag, name);
    }
    return base64_encode(span_of((const char *)bytes, n), out, diag);
}

/* OpenSSL writes ECDSA signatures as DER; XML Signature wants r and s side by side. */
static bool
flatten_ecdsa(const EVP_PKEY *key, uint8_t bytes[SIGNATURE_BYTES_MAX], size_t *n)
{
    const unsigned char *from = bytes;
    const int half = (EVP_PKEY_get_bits(key) + 7) / 8;
    CLEANUP(free_pair) ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &from, (long)*n);
    if (pair == NULL || BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, half) != half ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + half, half) != half) {
        return false;
    }
    *n = 2 * (size_t)half;
    return true;
}

/* With whatever key and digest OpenSSL can sign. */
static struct status
sign_anew(EVP_PKEY *key, const char *digest, struct span info, uint8_t bytes[SIGNATURE_BYTES_MAX],
          size_t *ret_n, struct diag *diag)
{
    size_t n = SIGNATURE_BYTES_MAX;
    CLEANUP(free_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL ||
        EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, key, NULL) != 1 ||
        EVP_DigestSign(context, bytes, &n, (const uint8_t *)info.p, info.n) != 1) {
        return failed(diag, "the signing key does not work");
    }
    *ret_n = n;
    return OK;
}

static struct status
sign_bytes(const struct sign_order *order, struct span info, struct buf *out, struct diag *diag)
{
    EVP_PKEY *const key = order->signer->key;
    const char *const digest = algorithms[signature_digest(order)].openssl;
    uint8_t bytes[SIGNATURE_BYTES_MAX];
    size_t n = sizeof(bytes);
    if (!profile_sign(key, digest, info, bytes, &n)) {
        TRY(sign_anew(key, digest, info, bytes, &n, diag));
    }
    if (key_is_ec(key) && !flatten_ecdsa(key, bytes, &n)) {
        return failed(diag, "ECDSA");
    }
    return base64_encode(span_of((const char *)bytes, n), out, diag);
}

struct status
sign_canonical(const struct sign_order *order, struct span before, struct span after,
               struct buf *info, struct buf *value, struct diag *diag)
{
    CLEANUP(buf_done) struct buf digest;
    const size_t start = info->n;
    buf_init(&digest, (size_t)4 * EVP_MAX_MD_SIZE);
    TRY(digest_parts(algorithms[order->digest].openssl, before, after, &digest, diag));
    TRY(write_info(order, buf_span(&digest), info, diag));
    return sign_bytes(order, span_slice(buf_span(info), start, SIZE_MAX), value, diag);
}
