/*
 * The floors under reading, proving and signing. Used by bench_trust.c and load.c, on their main
 * threads. Our writer writes in canonical form, so what is signed stands in the message as it is
 * digested.
 */
#include "tests/bench/floor.h"

#include <string.h>

#include <libxml/parser.h>
#include <openssl/evp.h>

#include "tests/bench/meter.h"

static struct status
crypto_failed(struct diag *diag, const char *what)
{
    return FAIL(diag, ERR_CRYPTO, "the floor's %s", what);
}

/* From <open> up to the end of <close>, at or behind *at; *at goes there. */
static struct span
piece(struct span xml, const char *open, const char *close, size_t *at)
{
    const size_t from = span_find(span_slice(xml, *at, SIZE_MAX), span_of_cstr(open));
    if (from == SPAN_MISSING) {
        return SPAN_EMPTY;
    }
    const size_t start = *at + from;
    const size_t to = span_find(span_slice(xml, start, SIZE_MAX), span_of_cstr(close));
    if (to == SPAN_MISSING) {
        return SPAN_EMPTY;
    }
    *at = start + to + strlen(close);
    return span_slice(xml, start, *at - start);
}

static struct status
find_pieces(struct floor *floor, struct span message, struct diag *diag)
{
    size_t at = 0;
    size_t inner = 0;
    floor->xml = piece(message, "<env:Envelope ", "</env:Envelope>", &at);
    at = 0;
    floor->timestamp = piece(floor->xml, "<wsu:Timestamp ", "</wsu:Timestamp>", &at);
    const struct span whole = piece(floor->xml, "<saml2:Assertion ", "</saml2:Assertion>", &at);
    const size_t before = span_find(whole, SPAN("<ds:Signature "));
    (void)piece(whole, "<ds:Signature ", "</ds:Signature>", &inner);
    floor->assertion[0] = span_slice(whole, 0, before);
    floor->assertion[1] = span_slice(whole, inner, SIZE_MAX);
    at = 0;
    floor->infos[0] = piece(floor->xml, "<ds:SignedInfo ", "</ds:SignedInfo>", &at);
    floor->infos[1] = piece(floor->xml, "<ds:SignedInfo ", "</ds:SignedInfo>", &at);
    if (floor->timestamp.n == 0 || floor->assertion[1].n == 0 || floor->infos[1].n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "what is signed in the message was not found");
    }
    return OK;
}

static bool
digest_parts(struct floor *floor, const struct span *parts, size_t n, uint8_t *ret_bytes)
{
    bool is_good = EVP_DigestInit_ex2(floor->digesting, floor->digest, NULL) == 1;
    for (size_t i = 0; is_good && i < n; i++) {
        is_good = EVP_DigestUpdate(floor->digesting, parts[i].p, parts[i].n) == 1;
    }
    return is_good && EVP_DigestFinal_ex(floor->digesting, ret_bytes, NULL) == 1;
}

static bool
sign(struct floor *floor, size_t i)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    floor->value_bytes[i] = FLOOR_SIGNATURE_MAX;
    return digest_parts(floor, &floor->infos[i], 1, bytes) &&
           EVP_PKEY_sign(floor->signing, floor->values[i], &floor->value_bytes[i], bytes,
                         (size_t)EVP_MD_get_size(floor->digest)) == 1;
}

static bool
verify(struct floor *floor, size_t i)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    return digest_parts(floor, &floor->infos[i], 1, bytes) &&
           EVP_PKEY_verify(floor->verifying, floor->values[i], floor->value_bytes[i], bytes,
                           (size_t)EVP_MD_get_size(floor->digest)) == 1;
}

struct status
floor_init(struct floor *floor, struct span message, EVP_PKEY *key, struct diag *diag)
{
    *floor = (struct floor){.digest = EVP_MD_fetch(NULL, "SHA256", NULL)};
    floor->digesting = EVP_MD_CTX_new();
    floor->signing = EVP_PKEY_CTX_new(key, NULL);
    floor->verifying = EVP_PKEY_CTX_new(key, NULL);
    if (floor->digest == NULL || floor->digesting == NULL || floor->signing == NULL ||
        floor->verifying == NULL || EVP_PKEY_sign_init(floor->signing) != 1 ||
        EVP_PKEY_verify_init(floor->verifying) != 1 ||
        EVP_PKEY_CTX_set_signature_md(floor->signing, floor->digest) != 1 ||
        EVP_PKEY_CTX_set_signature_md(floor->verifying, floor->digest) != 1) {
        return crypto_failed(diag, "contexts");
    }
    TRY(find_pieces(floor, message, diag));
    return sign(floor, 0) && sign(floor, 1) ? OK : crypto_failed(diag, "signatures");
}

void
floor_done(struct floor *floor)
{
    EVP_MD_free(floor->digest);
    EVP_MD_CTX_free(floor->digesting);
    EVP_PKEY_CTX_free(floor->signing);
    EVP_PKEY_CTX_free(floor->verifying);
    *floor = (struct floor){.digest = NULL};
}

bool
floor_parse(const struct floor *floor)
{
    xmlDoc *const doc = xmlReadMemory(floor->xml.p, (int)floor->xml.n, NULL, NULL, XML_PARSE_NONET);
    const bool is_good = doc != NULL;
    xmlFreeDoc(doc);
    return is_good;
}

bool
floor_verify(struct floor *floor)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    return digest_parts(floor, floor->assertion, 2, bytes) &&
           digest_parts(floor, &floor->timestamp, 1, bytes) && verify(floor, 0) && verify(floor, 1);
}

bool
floor_sign(struct floor *floor)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    return digest_parts(floor, floor->assertion, 2, bytes) && sign(floor, 0);
}

double
floor_time_us(bool (*run)(void *arg), void *arg, int64_t slice_ns)
{
    const int64_t started_ns = meter_thread_cpu_ns();
    int64_t taken_ns = 0;
    int64_t n = 0;
    for (; taken_ns < slice_ns; n++) {
        if (!run(arg)) {
            return -1;
        }
        taken_ns = meter_thread_cpu_ns() - started_ns;
    }
    return (double)taken_ns / (double)n / 1000;
}
