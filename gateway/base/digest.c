/*
 * Digests (OpenSSL), CRC-32C, hexadecimal and base64. Called by the store, the journal, the
 * signature code and the codecs; any thread. The digest algorithms are fetched once per process and
 * kept until its end; the CRC's table is built once.
 */
#include "base/digest.h"

#include <pthread.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

#define SHA1_BYTES 20

/* Fetching walks OpenSSL's providers under locks: once, not once per message. */
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MD *sha1;

static void
fetch_digests(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
}

static struct status
digest(const EVP_MD *algorithm, const char *name, struct span bytes, struct diag *diag,
       uint8_t *ret_digest)
{
    if (algorithm == NULL || EVP_Digest(bytes.p, bytes.n, ret_digest, NULL, algorithm, NULL) != 1) {
        return FAIL(diag, ERR_CRYPTO, "OpenSSL cannot compute %s: is its default provider there?",
                    name);
    }
    return OK;
}

struct status
digest_sha256(struct span bytes, struct diag *diag, uint8_t ret_digest[SHA256_BYTES])
{
    (void)pthread_once(&fetch_once, fetch_digests);
    return digest(sha256, "SHA-256", bytes, diag, ret_digest);
}

struct status
digest_sha256_hex(struct span bytes, struct diag *diag, char ret_hex[SHA256_HEX])
{
    uint8_t value[SHA256_BYTES];
    TRY(digest_sha256(bytes, diag, value));
    hex_encode(value, sizeof(value), ret_hex);
    return OK;
}

struct status
digest_sha1_hex(struct span bytes, struct diag *diag, char ret_hex[SHA1_HEX])
{
    uint8_t value[SHA1_BYTES];
    (void)pthread_once(&fetch_once, fetch_digests);
    TRY(digest(sha1, "SHA-1", bytes, diag, value));
    hex_encode(value, sizeof(value), ret_hex);
    return OK;
}

/* ---- piece by piece ---- */

struct digest_stream {
    const EVP_MD *algorithm;
    const char *name;
    size_t bytes; /* of a digest */
    EVP_MD_CTX *context;
};

static struct status
stream_failed(const struct digest_stream *stream, struct diag *diag)
{
    return FAIL(diag, ERR_CRYPTO, "OpenSSL cannot compute %s: is its default provider there?",
                stream->name);
}

struct status
digest_stream_new(enum digest_kind kind, struct diag *diag, struct digest_stream **ret_stream)
{
    (void)pthread_once(&fetch_once, fetch_digests);
    struct digest_stream *stream = mem_alloc(sizeof(*stream));
    if (stream == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a digest");
    }
    const bool is_sha1 = kind == DIGEST_SHA1;
    *stream = (struct digest_stream){
        .algorithm = is_sha1 ? sha1 : sha256,
        .name = is_sha1 ? "SHA-1" : "SHA-256",
        .bytes = is_sha1 ? SHA1_BYTES : SHA256_BYTES,
        .context = EVP_MD_CTX_new(),
    };
    if (stream->algorithm == NULL || stream->context == NULL ||
        EVP_DigestInit_ex(stream->context, stream->algorithm, NULL) != 1) {
        const struct status st = stream_failed(stream, diag);
        digest_stream_free(stream);
        return st;
    }
    *ret_stream = stream;
    return OK;
}

struct status
digest_stream_add(struct digest_stream *stream, struct span bytes, struct diag *diag)
{
    return EVP_DigestUpdate(stream->context, bytes.p, bytes.n) == 1 ? OK
                                                                    : stream_failed(stream, diag);
}

struct status
digest_stream_end(struct digest_stream *stream, struct diag *diag, uint8_t ret_digest[DIGEST_MAX])
{
    if (EVP_DigestFinal_ex(stream->context, ret_digest, NULL) != 1 ||
        EVP_DigestInit_ex(stream->context, stream->algorithm, NULL) != 1) {
        return stream_failed(stream, diag);
    }
    return OK;
}

struct status
digest_stream_end_hex(struct digest_stream *stream, struct diag *diag, char ret_hex[SHA256_HEX])
{
    uint8_t value[DIGEST_MAX];
    TRY(digest_stream_end(stream, diag, value));
    hex_encode(value, stream->bytes, ret_hex);
    return OK;
}

void
digest_stream_free(struct digest_stream *stream)
{
    if (stream != NULL) {
        EVP_MD_CTX_free(stream->context);
        mem_free(stream);
    }
}

void
digest_stream_free_p(struct digest_stream **stream)
{
    digest_stream_free(*stream);
}

/* CRC-32C in software, eight bytes a step: table[k][b] is the CRC of byte b and k zero bytes. */
#define CRC32C_POLYNOMIAL UINT32_C(0x82F63B78) /* 0x1EDC6F41 with its bits reversed */

static pthread_once_t crc_once = PTHREAD_ONCE_INIT;
static uint32_t crc_table[8][256];

static void
build_crc_table(void)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t crc = b;
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc >> 1) ^ ((crc & 1U) != 0 ? CRC32C_POLYNOMIAL : 0);
        }
        crc_table[0][b] = crc;
    }
    for (size_t k = 1; k < 8; k++) {
        for (size_t b = 0; b < 256; b++) {
            const uint32_t before = crc_table[k - 1][b];
            crc_table[k][b] = (before >> 8) ^ crc_table[0][before & 0xFFU];
        }
    }
}

static uint32_t
crc32c_software(uint32_t crc, const uint8_t *p, size_t n)
{
    (void)pthread_once(&crc_once, build_crc_table);
    for (; n >= 8; p += 8, n -= 8) {
        const uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
                                    (uint32_t)p[3] << 24);
        crc = crc_table[7][low & 0xFFU] ^ crc_table[6][low >> 8 & 0xFFU] ^
              crc_table[5][low >> 16 & 0xFFU] ^ crc_table[4][low >> 24] ^ crc_table[3][p[4]] ^
              crc_table[2][p[5]] ^ crc_table[1][p[6]] ^ crc_table[0][p[7]];
    }
    for (; n > 0; p++, n--) {
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 0xFFU];
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc32c_hardware(uint32_t start, const uint8_t *p, size_t n)
{
    uint64_t crc = start;
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t word = 0;
        memcpy(&word, p, sizeof(word));
        crc = _mm_crc32_u64(crc, word);
    }
    uint32_t rest = (uint32_t)crc;
    for (; n > 0; p++, n--) {
        rest = _mm_crc32_u8(rest, *p);
    }
    return rest;
}
#endif

uint32_t
crc32c(uint32_t start, const void *bytes, size_t n)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~crc32c_hardware(~start, bytes, n);
    }
#endif
    return ~crc32c_software(~start, bytes, n);
}

uint32_t
crc32c_portable(uint32_t start, const void *bytes, size_t n)
{
    return ~crc32c_software(~start, bytes, n);
}

void
hex_encode(const uint8_t *bytes, size_t n, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 0x0FU];
    }
    ret_hex[2 * n] = '\0';
}

static int
hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool
hex_decode(struct span hex, uint8_t *ret_bytes, size_t n)
{
    if (hex.n % 2 != 0 || hex.n / 2 != n) {
        return false;
    }
    for (size_t i = 0; i < hex.n; i++) {
        if (hex_value(hex.p[i]) < 0) {
            return false; /* before anything is written: a failure leaves the result alone */
        }
    }
    for (size_t i = 0; i < n; i++) {
        ret_bytes[i] = (uint8_t)(hex_value(hex.p[2 * i]) << 4 | hex_value(hex.p[2 * i + 1]));
    }
    return true;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct status
base64_encode(struct span bytes, struct buf *out, struct diag *diag)
{
    char *to = NULL;
    const size_t size = bytes.n / 3 * 4 + (bytes.n % 3 == 0 ? 0 : 4);
    TRY(buf_reserve(out, size, diag, &to));
    for (size_t i = 0; i < bytes.n; i += 3) {
        const size_t n = bytes.n - i < 3 ? bytes.n - i : 3;
        const uint32_t bits = (uint32_t)(uint8_t)bytes.p[i] << 16 |
                              (n > 1 ? (uint32_t)(uint8_t)bytes.p[i + 1] << 8 : 0) |
                              (n > 2 ? (uint32_t)(uint8_t)bytes.p[i + 2] : 0);
        *to++ = base64_digits[bits >> 18];
        *to++ = base64_digits[bits >> 12 & 0x3FU];
        *to++ = n > 1 ? base64_digits[bits >> 6 & 0x3FU] : '=';
        *to++ = n > 2 ? base64_digits[bits & 0x3FU] : '=';
    }
    out->n += size;
    return OK;
}

/* clang-format off */
/* The value and one more; 0: no digit. */
static const uint8_t base64_values[256] = {
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

static int
base64_value(char c)
{
    return (int)base64_values[(unsigned char)c] - 1;
}

struct base64_state {
    uint32_t bits; /* of the current group of four */
    unsigned digits;
    unsigned padding;
};

/* One character; false when it may not stand here. Full groups are written to *to. */
static bool
base64_step(struct base64_state *s, char c, char **to)
{
    if (c == '=') {
        s->padding++;
        return s->digits >= 2 && s->digits + s->padding <= 4;
    }
    const int value = base64_value(c);
    if (value < 0 || s->padding > 0) {
        return false;
    }
    s->bits = s->bits << 6 | (uint32_t)value;
    if (++s->digits == 4) {
        *(*to)++ = (char)(s->bits >> 16 & 0xFFU);
        *(*to)++ = (char)(s->bits >> 8 & 0xFFU);
        *(*to)++ = (char)(s->bits & 0xFFU);
        s->bits = 0;
        s->digits = 0;
    }
    return true;
}

/* The last, padded group. Left-over bits must be zero (XML Schema part 2, 3.2.16): two texts for
 * the same bytes would let a signed value be spelled anew. */
static bool
base64_end(const struct base64_state *s, char **to)
{
    if (s->digits == 0 && s->padding == 0) {
        return true;
    }
    if (s->digits == 2 && s->padding == 2 && (s->bits & 0x0FU) == 0) {
        *(*to)++ = (char)(s->bits >> 4 & 0xFFU);
        return true;
    }
    if (s->digits == 3 && s->padding == 1 && (s->bits & 0x03U) == 0) {
        *(*to)++ = (char)(s->bits >> 10 & 0xFFU);
        *(*to)++ = (char)(s->bits >> 2 & 0xFFU);
        return true;
    }
    return false;
}

/* Whole groups of four digits, up to what is none; gives how many characters that were. */
static size_t
base64_groups(struct span text, char **to)
{
    const uint8_t *const at = (const uint8_t *)text.p;
    char *out = *to;
    size_t i = 0;
    for (; text.n - i >= 4; i += 4) {
        const uint32_t a = base64_values[at[i]];
        const uint32_t b = base64_values[at[i + 1]];
        const uint32_t c = base64_values[at[i + 2]];
        const uint32_t d = base64_values[at[i + 3]];
        if (a == 0 || b == 0 || c == 0 || d == 0) {
            break;
        }
        const uint32_t bits = (a - 1) << 18 | (b - 1) << 12 | (c - 1) << 6 | (d - 1);
        *out++ = (char)(bits >> 16);
        *out++ = (char)(bits >> 8 & 0xFFU);
        *out++ = (char)(bits & 0xFFU);
    }
    *to = out;
    return i;
}

/* How many bytes its digits are. */
static size_t
base64_room(struct span text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.n; i++) {
        digits += base64_values[(unsigned char)text.p[i]] != 0 ? 1 : 0;
    }
    return digits / 4 * 3 + (digits % 4 == 0 ? 0 : digits % 4 - 1);
}

/* Up to the first character that may not stand where it does, or the end: gives its index. */
static size_t
base64_run(struct span text, struct base64_state *state, char **to)
{
    size_t i = 0;
    while (i < text.n) {
        if (state->digits == 0 && state->padding == 0) {
            i += base64_groups(span_slice(text, i, text.n), to);
        }
        if (i < text.n) {
            const char c = text.p[i];
            const bool is_white = c == ' ' || c == '\t' || c == '\r' || c == '\n';
            if (!is_white && !base64_step(state, c, to)) {
                return i;
            }
            i++;
        }
    }
    return i;
}

struct status
base64_decode(struct span text, struct buf *out, struct diag *diag)
{
    struct base64_state state = {0, 0, 0};
    char *room = NULL;
    /* More than enough, unless that would pass the limit: then exactly what is needed. */
    const size_t most = BASE64URL_ROOM(text.n);
    const bool has_room = out->n <= out->limit && most <= out->limit - out->n;
    TRY(buf_reserve(out, has_room ? most : base64_room(text), diag, &room));
    char *to = room;
    const size_t end = base64_run(text, &state, &to);
    if (end < text.n) {
        memset(room, 0, (size_t)(to - room));
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "base64 expected, but byte %zu of %zu (0x%02x) may not stand there", end + 1,
                    text.n, (unsigned)(unsigned char)text.p[end]);
    }
    if (!base64_end(&state, &to)) {
        memset(room, 0, (size_t)(to - room));
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "base64 of %zu bytes ends within a group of four or with stray bits", text.n);
    }
    out->n += (size_t)(to - room);
    return OK;
}

bool
base64_decode_into(struct span text, uint8_t *ret_bytes, size_t size, size_t *ret_n)
{
    struct base64_state state = {0, 0, 0};
    char *to = (char *)ret_bytes;
    if (base64_room(text) > size || base64_run(text, &state, &to) < text.n ||
        !base64_end(&state, &to)) {
        return false;
    }
    *ret_n = (size_t)(to - (char *)ret_bytes);
    return true;
}

static int
base64url_value(char c)
{
    return c == '-' ? 62 : c == '_' ? 63 : c == '+' || c == '/' ? -1 : base64_value(c);
}

bool
base64url_decode(struct span text, uint8_t *ret_bytes, size_t size, size_t *ret_n)
{
    uint32_t bits = 0;
    unsigned bits_n = 0;
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        const int value = base64url_value(text.p[i]);
        if (value < 0) {
            return false;
        }
        bits = bits << 6 | (uint32_t)value;
        bits_n += 6;
        if (bits_n >= 8) {
            bits_n -= 8;
            if (n == size) {
                return false;
            }
            ret_bytes[n++] = (uint8_t)(bits >> bits_n & 0xFFU);
            bits &= (1U << bits_n) - 1;
        }
    }
    if (bits_n == 6 || bits != 0) { /* a single character, or a second spelling of the same bytes */
        return false;
    }
    *ret_n = n;
    return true;
}
