/*
 * Reads and writes ds:KeyInfo. Called by sigverify.c (as a hint), by security.c (the confirmation's
 * key) and by the writers. Decoded bytes live in capped buffers for the length of a call.
 */
#include "soap/keyinfo.h"

#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "certs/cache.h"
#include "certs/der.h"

#define CERTIFICATES_MAX  8
#define DECODED_BYTES_MAX ((size_t)16 * 1024)

/* Named by OID, as RFC 4050 and XML Signature 1.1 write them. */
static const struct curve {
    const char *urn;
    int bits;
} curves[] = {
    {"urn:oid:1.2.840.10045.3.1.7", 256},
    {"urn:oid:1.3.132.0.34", 384},
};

static struct status
bad_value(struct diag *diag, const xmlNode *node, const char *what)
{
    return FAIL(diag, ERR_SIG_STRUCTURE, "line %ld, <%s>: %s", xmlGetLineNo(node),
                (const char *)node->name, what);
}

/* ---- reading ---- */

/* Out of memory stays what it is; anything else means that the value is not what it should be. */
static struct status
bad_unless_memory(struct status st, const struct diag *why, struct diag *diag, const xmlNode *node,
                  const char *what)
{
    return st.code == ERR_NO_MEMORY ? FAIL(diag, ERR_NO_MEMORY, "%s", why->text)
                                    : bad_value(diag, node, what);
}

/* The base64 content of an element that may hold nothing else. */
static struct status
decode(const xmlNode *node, struct diag *diag, struct buf *out)
{
    struct diag why;
    diag_clear(&why);
    const xmlNode *const text = node->children;
    if (text == NULL || text->next != NULL || text->type != XML_TEXT_NODE) {
        return bad_value(diag, node, "base64 is expected");
    }
    const struct status st = base64_decode(span_of_cstr((const char *)text->content), out, &why);
    return is_ok(st) && out->n > 0 ? OK
                                   : bad_unless_memory(st, &why, diag, node, "base64 is expected");
}

static struct status
match_rsa(const xmlNode *value, struct certificate *const *keys, size_t n, struct diag *diag,
          uint32_t *ret_keys)
{
    const xmlNode *modulus = NULL;
    const xmlNode *exponent = NULL;
    CLEANUP(buf_done) struct buf modulus_bytes;
    CLEANUP(buf_done) struct buf exponent_bytes;
    buf_init(&modulus_bytes, DECODED_BYTES_MAX);
    buf_init(&exponent_bytes, DECODED_BYTES_MAX);
    TRY(xml_child_one(value, NS_DS, "Modulus", ERR_SIG_STRUCTURE, diag, &modulus));
    TRY(xml_child_one(value, NS_DS, "Exponent", ERR_SIG_STRUCTURE, diag, &exponent));
    TRY(decode(modulus, diag, &modulus_bytes));
    TRY(decode(exponent, diag, &exponent_bytes));
    *ret_keys = 0;
    for (size_t i = 0; i < n; i++) {
        const struct key_numbers *const key = keys[i]->numbers;
        if (key != NULL && key->type == EVP_PKEY_RSA &&
            key_numbers_are(key, buf_span(&modulus_bytes), buf_span(&exponent_bytes))) {
            *ret_keys |= UINT32_C(1) << i;
        }
    }
    return OK;
}

static struct status
match_ec(const xmlNode *value, struct certificate *const *keys, size_t n, struct diag *diag,
         uint32_t *ret_keys)
{
    const xmlNode *named = NULL;
    const xmlNode *public = NULL;
    CLEANUP(buf_done) struct buf wanted;
    buf_init(&wanted, DECODED_BYTES_MAX);
    TRY(xml_child_one(value, NS_DSIG11, "NamedCurve", ERR_SIG_STRUCTURE, diag, &named));
    TRY(xml_child_one(value, NS_DSIG11, "PublicKey", ERR_SIG_STRUCTURE, diag, &public));
    TRY(decode(public, diag, &wanted));
    int bits = 0;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        bits = span_eq_cstr(xml_attr_text(named, "URI"), curves[i].urn) ? curves[i].bits : bits;
    }
    *ret_keys = 0;
    for (size_t i = 0; i < n; i++) {
        const struct key_numbers *const key = keys[i]->numbers;
        if (key != NULL && key->type == EVP_PKEY_EC && key->bits == bits &&
            span_eq(key->first, buf_span(&wanted))) {
            *ret_keys |= UINT32_C(1) << i;
        }
    }
    return OK;
}

static struct status
match_key_value(const xmlNode *key_value, struct certificate *const *keys, size_t n,
                struct diag *diag, uint32_t *ret_keys)
{
    const xmlNode *const value = xml_first(key_value);
    if (value == NULL || xml_next(value) != NULL || !xml_has_element_content(key_value)) {
        return bad_value(diag, key_value, "exactly one key value is expected");
    }
    if (xml_is(value, NS_DS, "RSAKeyValue")) {
        return match_rsa(value, keys, n, diag, ret_keys);
    }
    if (xml_is(value, NS_DSIG11, "ECKeyValue")) {
        return match_ec(value, keys, n, diag, ret_keys);
    }
    *ret_keys = 0; /* some key, and none that we could have registered */
    return OK;
}

/* OpenSSL decides, and is asked only where the numbers do not say that they differ. */
static bool
have_one_key(const struct certificate *a, const struct certificate *b)
{
    const struct key_numbers *const one = a->numbers;
    const struct key_numbers *const other = b->numbers;
    if (one != NULL && other != NULL &&
        (one->type != other->type || one->bits != other->bits ||
         (one->first.n > 0 && other->first.n > 0 &&
          !key_numbers_are(one, other->first, other->second)))) {
        return false;
    }
    return a->key == b->key || EVP_PKEY_eq(a->key, b->key) == 1;
}

static uint32_t
keys_equal_to(const struct certificate *certificate, struct certificate *const *keys, size_t n)
{
    uint32_t equal = 0;
    for (size_t i = 0; i < n; i++) {
        equal |= have_one_key(keys[i], certificate) ? UINT32_C(1) << i : 0;
    }
    return equal;
}

/* By its digest; a certificate that is not registered may still hold a registered key (a renewed
 * one), and is decoded to see that. */
static struct status
match_certificate(const xmlNode *node, struct certificate *const *keys, size_t n, struct diag *diag,
                  uint32_t *ret_keys)
{
    CLEANUP(buf_done) struct buf der;
    char digest[SHA256_HEX];
    buf_init(&der, DECODED_BYTES_MAX);
    TRY(decode(node, diag, &der));
    TRY(digest_sha256_hex(buf_span(&der), diag, digest));
    for (size_t i = 0; i < n; i++) {
        if (strcmp(keys[i]->sha256, digest) == 0) {
            *ret_keys = keys_equal_to(keys[i], keys, n);
            return OK;
        }
    }
    struct certificate *certificate = NULL;
    struct diag why;
    diag_clear(&why);
    const struct status st =
        certificate_cache_get(certificate_cache_shared(), buf_span(&der), &why, &certificate);
    if (!is_ok(st)) {
        return bad_unless_memory(st, &why, diag, node, "a certificate is expected");
    }
    *ret_keys = keys_equal_to(certificate, keys, n);
    certificate_free(certificate);
    return OK;
}

/* The certificates of an X509Data may be a chain: one of them must hold a registered key. */
static struct status
match_x509_data(const xmlNode *data, struct certificate *const *keys, size_t n, struct diag *diag,
                struct key_hint *hint)
{
    size_t count = 0;
    uint32_t any = 0;
    const xmlNode *child = xml_child(data, NS_DS, "X509Certificate");
    for (; child != NULL; child = xml_next_named(child, NS_DS, "X509Certificate")) {
        if (++count > CERTIFICATES_MAX) {
            return bad_value(diag, data, "too many certificates");
        }
        uint32_t found = 0;
        TRY(match_certificate(child, keys, n, diag, &found));
        any |= found;
    }
    if (count > 0) {
        hint->is_given = true;
        hint->keys &= any;
    }
    return OK;
}

struct status
keyinfo_read(const xmlNode *key_info, struct certificate *const *keys, size_t keys_n,
             struct diag *diag, struct key_hint *ret_hint)
{
    struct key_hint hint = {.keys = UINT32_MAX};
    size_t children = 0;
    for (const xmlNode *child = xml_first(key_info); child != NULL; child = xml_next(child)) {
        uint32_t found = 0;
        if (++children > CERTIFICATES_MAX) {
            return bad_value(diag, key_info, "too many children");
        }
        if (xml_is(child, NS_DS, "KeyValue")) {
            TRY(match_key_value(child, keys, keys_n, diag, &found));
            hint = (struct key_hint){true, hint.keys & found};
        } else if (xml_is(child, NS_DS, "X509Data")) {
            TRY(match_x509_data(child, keys, keys_n, diag, &hint));
        } else if (!xml_is(child, NS_DS, "KeyName") &&
                   !xml_is(child, NS_WSSE, "SecurityTokenReference")) {
            return bad_value(diag, child, "is not accepted in a KeyInfo");
        }
    }
    const uint32_t all = (UINT32_C(1) << keys_n) - 1; /* keys_n <= KEYINFO_KEYS_MAX */
    hint.keys &= all;
    *ret_hint = hint;
    return OK;
}

/* ---- writing ---- */

static struct status
write_base64(struct xmlw *w, const char *qname, struct span bytes, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 2 * DECODED_BYTES_MAX);
    TRY(base64_encode(bytes, &text, diag));
    xmlw_element(w, qname, buf_span(&text));
    return OK;
}

static struct status
write_rsa(struct xmlw *w, const struct key_numbers *key, struct diag *diag)
{
    xmlw_start(w, "ds:RSAKeyValue");
    TRY(write_base64(w, "ds:Modulus", key->first, diag));
    TRY(write_base64(w, "ds:Exponent", key->second, diag));
    xmlw_end(w);
    return OK;
}

static struct status
write_ec(struct xmlw *w, const struct key_numbers *key, struct diag *diag)
{
    const char *urn = NULL;
    for (size_t i = 0; i < ARRAY_LEN(curves); i++) {
        urn = key->bits == curves[i].bits ? curves[i].urn : urn;
    }
    if (urn == NULL || key->first.n == 0) {
        return FAIL(diag, ERR_CRYPTO, "the signing key is neither RSA nor on P-256 or P-384");
    }
    xmlw_start(w, "dsig11:ECKeyValue");
    xmlw_attr_cstr(w, "xmlns:dsig11", NS_DSIG11);
    xmlw_start(w, "dsig11:NamedCurve");
    xmlw_attr_cstr(w, "URI", urn);
    xmlw_end(w);
    TRY(write_base64(w, "dsig11:PublicKey", key->first, diag));
    xmlw_end(w);
    return OK;
}

struct status
keyinfo_write(struct xmlw *w, const struct credential *credential, struct diag *diag)
{
    CLEANUP(buf_done) struct buf der;
    const struct key_numbers *const key = credential->leaf->numbers;
    buf_init(&der, DECODED_BYTES_MAX);
    if (key == NULL) {
        return FAIL(diag, ERR_CRYPTO, "the signing key is neither RSA nor EC");
    }
    TRY(certificate_write_der(credential->leaf, &der, diag));
    xmlw_start(w, "ds:KeyInfo");
    xmlw_attr_cstr(w, "xmlns:ds", NS_DS);
    xmlw_start(w, "ds:KeyValue");
    if (key->type == EVP_PKEY_RSA) {
        TRY(write_rsa(w, key, diag));
    } else {
        TRY(write_ec(w, key, diag));
    }
    xmlw_end(w);
    xmlw_start(w, "ds:X509Data");
    TRY(write_base64(w, "ds:X509Certificate", buf_span(&der), diag));
    xmlw_end(w);
    xmlw_end(w);
    return OK;
}
