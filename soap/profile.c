/*
 * Reads a signature in the one shape, digests, verifies. Called by dsig.c before xmlsec. Nothing of
 * a message lives longer than a call; what a thread keeps are OpenSSL's contexts: one for each
 * digest, and for the keys that it met lately one each, with a copy of the key, because threads
 * that compute with one key object wait for each other.
 */
#include "soap/profile.h"

#include <pthread.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>

#include "base/digest.h"
#include "soap/c14n.h"
#include "soap/namespaces.h"
#include "soap/sigrules.h"

#define EXC_C14N        "http://www.w3.org/2001/10/xml-exc-c14n#"
#define MORE            "http://www.w3.org/2001/04/xmldsig-more#"
#define XMLENC          "http://www.w3.org/2001/04/xmlenc#"
#define VALUE_BYTES_MAX ((size_t)1024) /* RSA-8192 */
#define DER_BYTES_MAX   ((size_t)160)  /* of two numbers of 66 bytes: P-521 */
#define VERIFIERS       64             /* a power of two */

/* ---- algorithms ---- */

enum hash { HASH_SHA256, HASH_SHA384, HASH_SHA512, HASH_COUNT };
static const struct {
    const char *name;
    size_t bytes;
} hashes[HASH_COUNT] = {{"SHA256", 32}, {"SHA384", 48}, {"SHA512", 64}};
static EVP_MD *fetched[HASH_COUNT]; /* written by profile_library_init only */

static const struct digest_method {
    const char *uri;
    enum hash hash;
} digest_methods[] = {
    {XMLENC "sha256", HASH_SHA256},
    {MORE "sha384", HASH_SHA384},
    {XMLENC "sha512", HASH_SHA512},
};

static const struct signature_method {
    const char *uri;
    int key; /* EVP_PKEY_RSA, EVP_PKEY_EC */
    enum hash hash;
} signature_methods[] = {
    {MORE "rsa-sha256", EVP_PKEY_RSA, HASH_SHA256},
    {MORE "rsa-sha384", EVP_PKEY_RSA, HASH_SHA384},
    {MORE "rsa-sha512", EVP_PKEY_RSA, HASH_SHA512},
    {MORE "ecdsa-sha256", EVP_PKEY_EC, HASH_SHA256},
    {MORE "ecdsa-sha384", EVP_PKEY_EC, HASH_SHA384},
};

/* ---- what a thread keeps ---- */

struct verifier {
    EVP_PKEY *key; /* whose verifier this is; a reference, so that no other key gets its address */
    enum hash hash;
    EVP_PKEY_CTX *context; /* ready to verify */
};

struct workshop {
    bool is_known; /* given back when the thread ends */
    EVP_MD_CTX *digests[HASH_COUNT];
    struct verifier verifiers[VERIFIERS];
    struct verifier signers[HASH_COUNT]; /* of one key; their contexts are ready to sign */
};
static _Thread_local struct workshop workshop;
static pthread_key_t workshop_key;

static void
verifier_done(struct verifier *verifier)
{
    EVP_PKEY_CTX_free(verifier->context);
    EVP_PKEY_free(verifier->key);
    *verifier = (struct verifier){.key = NULL};
}

static void
workshop_done(void *object)
{
    struct workshop *const shop = object;
    for (size_t i = 0; i < HASH_COUNT; i++) {
        EVP_MD_CTX_free(shop->digests[i]);
        shop->digests[i] = NULL;
    }
    for (size_t i = 0; i < VERIFIERS; i++) {
        verifier_done(&shop->verifiers[i]);
    }
    for (size_t i = 0; i < HASH_COUNT; i++) {
        verifier_done(&shop->signers[i]);
    }
    shop->is_known = false;
}

/* Fails only for memory; without it nothing may be kept. */
static bool
workshop_open(void)
{
    if (!workshop.is_known) {
        workshop.is_known = pthread_setspecific(workshop_key, &workshop) == 0;
    }
    return workshop.is_known;
}

struct status
profile_library_init(struct diag *diag)
{
    for (size_t i = 0; i < HASH_COUNT; i++) {
        fetched[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
        if (fetched[i] == NULL) {
            return FAIL(diag, ERR_INTERNAL, "OpenSSL has no %s", hashes[i].name);
        }
    }
    if (pthread_key_create(&workshop_key, workshop_done) != 0) {
        return FAIL(diag, ERR_INTERNAL, "no room for what a thread keeps");
    }
    return OK;
}

void
profile_library_done(void)
{
    workshop_done(&workshop);
    (void)pthread_key_delete(workshop_key);
    for (size_t i = 0; i < HASH_COUNT; i++) {
        EVP_MD_free(fetched[i]);
        fetched[i] = NULL;
    }
}

/* ---- reading: false is "not mine" ---- */

struct reading {
    const xmlNode *info;
    const struct signature_method *method;
    const struct digest_method *digest_method;
    struct c14n_prefixes info_prefixes, target_prefixes;
    uint8_t digest[EVP_MAX_MD_SIZE];
    uint8_t value[VALUE_BYTES_MAX];
    size_t digest_n, value_n;
};

/* xmlsec takes the first attribute of the name, in whatever namespace: there must be one only. */
static bool
take_only_attribute(const xmlNode *node, const char *name, struct span *ret_value)
{
    const xmlAttr *const attr = node->properties;
    if (attr == NULL || attr->next != NULL || attr->ns != NULL ||
        strcmp((const char *)attr->name, name) != 0) {
        return false;
    }
    *ret_value = xml_attr_value(attr);
    return true;
}

/* <node>, which may be NULL, is ds:<name> with this Algorithm and nothing inside. */
static bool
is_algorithm(const xmlNode *node, const char *name, const char *uri)
{
    struct span algorithm;
    return xml_is(node, NS_DS, name) && node->children == NULL &&
           take_only_attribute(node, "Algorithm", &algorithm) && span_eq_cstr(algorithm, uri);
}

/* The same for exclusive c14n, which may have a PrefixList. */
static bool
read_c14n(const xmlNode *node, const char *name, struct c14n_prefixes *prefixes)
{
    struct span algorithm;
    struct span list;
    if (!xml_is(node, NS_DS, name) || !take_only_attribute(node, "Algorithm", &algorithm) ||
        !span_eq(algorithm, SPAN(EXC_C14N))) {
        return false;
    }
    const xmlNode *const inclusive = xml_first(node);
    prefixes->n = 0;
    if (inclusive == NULL) {
        return true;
    }
    return xml_is(inclusive, EXC_C14N, "InclusiveNamespaces") && xml_next(inclusive) == NULL &&
           inclusive->children == NULL && take_only_attribute(inclusive, "PrefixList", &list) &&
           c14n_read_prefixes(list, prefixes);
}

static bool
read_base64(const xmlNode *node, uint8_t *bytes, size_t size, size_t *ret_n)
{
    const xmlNode *const text = node->children;
    return text != NULL && text->next == NULL && text->type == XML_TEXT_NODE &&
           base64_decode_into(span_of_cstr((const char *)text->content), bytes, size, ret_n);
}

static bool
find_digest_method(const xmlNode *node, const struct digest_method **ret_method)
{
    for (size_t i = 0; i < ARRAY_LEN(digest_methods); i++) {
        if (is_algorithm(node, "DigestMethod", digest_methods[i].uri)) {
            *ret_method = &digest_methods[i];
            return true;
        }
    }
    return false;
}

static bool
find_signature_method(const xmlNode *node, const struct signature_method **ret_method)
{
    for (size_t i = 0; i < ARRAY_LEN(signature_methods); i++) {
        if (is_algorithm(node, "SignatureMethod", signature_methods[i].uri)) {
            *ret_method = &signature_methods[i];
            return true;
        }
    }
    return false;
}

/* enveloped-signature exactly where the signature is inside of what it signs. */
static bool
read_transforms(const xmlNode *node, bool is_enveloped, struct reading *reading)
{
    const xmlNode *transform = xml_first(node);
    if (!xml_is(node, NS_DS, "Transforms")) {
        return false;
    }
    if (is_enveloped) {
        if (!is_algorithm(transform, "Transform", NS_DS "enveloped-signature")) {
            return false;
        }
        transform = xml_next(transform);
    }
    return read_c14n(transform, "Transform", &reading->target_prefixes) &&
           xml_next(transform) == NULL;
}

/* URI="#id", and the table of ids that xmlsec would ask leads to the element. */
static bool
refers_to_target(const xmlNode *reference, const struct dsig_job *job)
{
    struct span uri;
    const struct span id = xml_attr_value(job->id);
    return take_only_attribute(reference, "URI", &uri) && uri.n == id.n + 1 && uri.p[0] == '#' &&
           span_eq(span_slice(uri, 1, SIZE_MAX), id) && job->id->parent == job->target &&
           xmlGetID(job->target->doc, (const xmlChar *)uri.p + 1) == job->id;
}

static bool
read_reference(const xmlNode *reference, const struct dsig_job *job, struct reading *reading)
{
    const xmlNode *const transforms = xml_first(reference);
    const xmlNode *const method = xml_next(transforms);
    const xmlNode *const value = xml_next(method);
    return xml_is(reference, NS_DS, "Reference") && refers_to_target(reference, job) &&
           read_transforms(transforms, job->signature->parent == job->target, reading) &&
           find_digest_method(method, &reading->digest_method) &&
           xml_is(value, NS_DS, "DigestValue") && xml_next(value) == NULL &&
           read_base64(value, reading->digest, sizeof(reading->digest), &reading->digest_n) &&
           reading->digest_n == hashes[reading->digest_method->hash].bytes;
}

static bool
read_signature(const struct dsig_job *job, struct reading *reading)
{
    const xmlNode *const info = xml_first(job->signature);
    const xmlNode *const value = xml_next(info);
    const xmlNode *const c14n = xml_first(info);
    const xmlNode *const method = xml_next(c14n);
    const xmlNode *const reference = xml_next(method);
    reading->info = info;
    return xml_is(info, NS_DS, "SignedInfo") &&
           read_c14n(c14n, "CanonicalizationMethod", &reading->info_prefixes) &&
           find_signature_method(method, &reading->method) &&
           read_reference(reference, job, reading) && xml_next(reference) == NULL &&
           xml_is(value, NS_DS, "SignatureValue") &&
           read_base64(value, reading->value, sizeof(reading->value), &reading->value_n);
}

/* xmlsec canonicalises with the ancestors and the whole signature in sight, and fails for
 * namespaces there, too. What is signed is looked at while it is digested. */
static bool
has_plain_surroundings(const xmlNode *signature)
{
    for (const xmlNode *node = signature; node != NULL; node = xml_walk(node, signature)) {
        if (!c14n_has_plain_names(node)) {
            return false;
        }
    }
    const xmlNode *node = signature->parent;
    for (; node != NULL && node->type == XML_ELEMENT_NODE; node = node->parent) {
        if (!c14n_has_plain_names(node)) {
            return false;
        }
    }
    return true;
}

/* ---- digests ---- */

struct digesting {
    EVP_MD_CTX *context;
    struct buf *copy; /* NULL, or where the bytes go, too */
};

static bool
take_bytes(void *arg, struct span bytes)
{
    struct digesting *const digesting = arg;
    struct diag unused;
    diag_clear(&unused);
    return EVP_DigestUpdate(digesting->context, bytes.p, bytes.n) == 1 &&
           (digesting->copy == NULL || is_ok(buf_append(digesting->copy, bytes, &unused)));
}

static bool
digest(enum hash hash, const struct c14n *what, struct buf *copy, uint8_t *ret_digest)
{
    EVP_MD_CTX **const context = &workshop.digests[hash];
    struct digesting digesting = {NULL, copy};
    struct c14n c14n = *what;
    if (*context == NULL) {
        *context = EVP_MD_CTX_new();
    }
    digesting.context = *context;
    c14n.take = take_bytes;
    c14n.arg = &digesting;
    return *context != NULL && EVP_DigestInit_ex2(*context, fetched[hash], NULL) == 1 &&
           c14n_write(&c14n) && EVP_DigestFinal_ex(*context, ret_digest, NULL) == 1;
}

/* ---- keys ---- */

/* A context that is ready to verify with a copy of <key>; NULL when OpenSSL does not make one. */
static EVP_PKEY_CTX *
context_new(EVP_PKEY *key, const struct signature_method *method)
{
    EVP_PKEY *const copy = EVP_PKEY_dup(key);
    EVP_PKEY_CTX *const context =
        copy == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(NULL, copy, NULL);
    EVP_PKEY_free(copy);
    if (context == NULL || EVP_PKEY_verify_init(context) != 1 ||
        (method->key == EVP_PKEY_RSA &&
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1) ||
        EVP_PKEY_CTX_set_signature_md(context, fetched[method->hash]) != 1) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    return context;
}

/* Two keys that want one place push each other out. NULL: not mine. */
static EVP_PKEY_CTX *
context_for(EVP_PKEY *key, const struct signature_method *method)
{
    const uintptr_t address = (uintptr_t)key;
    const size_t place = (address >> 4 ^ address >> 12) % VERIFIERS;
    struct verifier *const verifier = &workshop.verifiers[place];
    if (verifier->key == key && verifier->hash == method->hash) {
        return verifier->context;
    }
    verifier_done(verifier);
    EVP_PKEY_CTX *const context = context_new(key, method);
    if (context == NULL || EVP_PKEY_up_ref(key) != 1) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    *verifier = (struct verifier){key, method->hash, context};
    return context;
}

/* ---- signing ---- */

/* Keys of tokens stay with their provider, whose sessions are its own. */
static bool
is_in_memory(const EVP_PKEY *key)
{
    const OSSL_PROVIDER *const provider = EVP_PKEY_get0_provider(key);
    return provider != NULL && strcmp(OSSL_PROVIDER_get0_name(provider), "default") == 0;
}

static EVP_PKEY_CTX *
signing_context_new(EVP_PKEY *key, const EVP_MD *digest)
{
    EVP_PKEY_CTX *const context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
    if (context == NULL || EVP_PKEY_sign_init(context) != 1 ||
        (EVP_PKEY_get_id(key) == EVP_PKEY_RSA &&
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) != 1) ||
        EVP_PKEY_CTX_set_signature_md(context, digest) != 1) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    return context;
}

/* A key that a reload has replaced goes as soon as the new one signs. */
static EVP_PKEY_CTX *
signing_context_for(EVP_PKEY *key, enum hash hash)
{
    struct verifier *const place = &workshop.signers[hash];
    if (place->key == key) {
        return place->context;
    }
    for (size_t i = 0; i < HASH_COUNT; i++) {
        if (workshop.signers[i].key != key) {
            verifier_done(&workshop.signers[i]);
        }
    }
    EVP_PKEY_CTX *const context = signing_context_new(key, fetched[hash]);
    if (context == NULL || EVP_PKEY_up_ref(key) != 1) {
        EVP_PKEY_CTX_free(context);
        return NULL;
    }
    *place = (struct verifier){key, hash, context};
    return context;
}

bool
profile_sign(EVP_PKEY *key, const char *digest, struct span bytes, uint8_t *ret_value, size_t *n)
{
    uint8_t value[EVP_MAX_MD_SIZE];
    size_t hash = 0;
    while (hash < HASH_COUNT && strcmp(hashes[hash].name, digest) != 0) {
        hash++;
    }
    if (hash == HASH_COUNT || fetched[hash] == NULL || !is_in_memory(key) || !workshop_open()) {
        return false;
    }
    EVP_PKEY_CTX *const context = signing_context_for(key, (enum hash)hash);
    const bool is_good = context != NULL &&
                         EVP_Digest(bytes.p, bytes.n, value, NULL, fetched[hash], NULL) == 1 &&
                         EVP_PKEY_sign(context, ret_value, n, value, hashes[hash].bytes) == 1;
    if (!is_good) {
        ERR_clear_error(); /* it would be taken for the next call's */
    }
    return is_good;
}

/* ---- verifying ---- */

static bool
write_der(const struct reading *reading, uint8_t der[DER_BYTES_MAX], size_t *ret_n)
{
    const size_t half = reading->value_n / 2;
    ECDSA_SIG *const pair = ECDSA_SIG_new();
    BIGNUM *const r = BN_bin2bn(reading->value, (int)half, NULL);
    BIGNUM *const s = BN_bin2bn(reading->value + half, (int)half, NULL);
    int n = 0;
    if (pair == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else if ((n = i2d_ECDSA_SIG(pair, NULL)) > 0 && (size_t)n <= DER_BYTES_MAX) {
        n = i2d_ECDSA_SIG(pair, &der);
    } else {
        n = 0;
    }
    ECDSA_SIG_free(pair);
    *ret_n = (size_t)n;
    return n > 0;
}

static enum profile_verdict
verify_value(const struct reading *reading, EVP_PKEY *key, const uint8_t *info_digest)
{
    uint8_t der[DER_BYTES_MAX];
    const uint8_t *value = reading->value;
    size_t n = reading->value_n;
    EVP_PKEY_CTX *const context = context_for(key, reading->method);
    if (context == NULL || (reading->method->key == EVP_PKEY_EC && !write_der(reading, der, &n))) {
        return PROFILE_NOT_MINE;
    }
    value = reading->method->key == EVP_PKEY_EC ? der : value;
    const int answer =
        EVP_PKEY_verify(context, value, n, info_digest, hashes[reading->method->hash].bytes);
    if (answer != 1) {
        ERR_clear_error(); /* it would be taken for the next call's */
    }
    return answer == 1 ? PROFILE_RIGHT : answer == 0 ? PROFILE_WRONG : PROFILE_NOT_MINE;
}

/* A value of the size that the key gives: xmlsec takes shorter ones of ECDSA, too. */
static bool
has_expected_size(const struct reading *reading, const EVP_PKEY *key)
{
    const size_t size = ((size_t)EVP_PKEY_get_bits(key) + 7) / 8;
    if (EVP_PKEY_get_id(key) != reading->method->key) {
        return false;
    }
    return reading->method->key == EVP_PKEY_RSA
               ? reading->value_n == size
               : reading->value_n == 2 * size && reading->value_n + 16 <= DER_BYTES_MAX;
}

/* ---- all together ---- */

enum profile_verdict
profile_verify(const struct dsig_job *job)
{
    struct reading reading;
    uint8_t target_digest[EVP_MAX_MD_SIZE];
    uint8_t info_digest[EVP_MAX_MD_SIZE];
    struct dsig_digested *const copy = job->digested;
    if (!read_signature(job, &reading) || !has_expected_size(&reading, job->key) ||
        !has_plain_surroundings(job->signature) || !workshop_open()) {
        return PROFILE_NOT_MINE;
    }
    const struct c14n target = {
        .top = job->target, .without = job->signature, .inclusive = &reading.target_prefixes};
    const struct c14n info = {.top = reading.info, .inclusive = &reading.info_prefixes};
    if (!digest(reading.digest_method->hash, &target, copy == NULL ? NULL : &copy->target,
                target_digest) ||
        !digest(reading.method->hash, &info, copy == NULL ? NULL : &copy->info, info_digest)) {
        return PROFILE_NOT_MINE;
    }
    if (memcmp(target_digest, reading.digest, reading.digest_n) != 0) {
        return PROFILE_WRONG;
    }
    return verify_value(&reading, job->key, info_digest);
}
