/* Digests against published vectors; hexadecimal and base64 against what they must refuse. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

static void
test_base64_refused(void)
{
    static const char *const texts[] = {
        "A",     "AA",       "AAA",     "AAAAA",    "=",        "==",      "A===", "AA=", "AA=A",
        "AA==A", "AA===",    "AAA==",   "AAA=A",    "AAAA=",    "A=AA",    "QR==", /* stray bits */
        "QUJ=",  "QQ==QQ==", "QUJ\vDQ", "QUJD-_==", "QUJD\xC3", "QUJD\n=", "====",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct diag diag;
        struct buf out;
        diag_clear(&diag);
        buf_init(&out, 100);
        CHECK_OK(&diag, buf_append_cstr(&out, "before", &diag));
        if (!CHECK_ERR(&diag, ERR_MESSAGE_CONTENT,
                       base64_decode(span_of_cstr(texts[i]), &out, &diag))) {
            printf("      for '%s'\n", texts[i]);
        }
        CU_ASSERT_STRING_EQUAL(out.p, "before");
        CHECK_SPAN(buf_span(&out), "before");
        buf_done(&out);
    }
    struct diag diag;
    struct buf out;
    diag_clear(&diag);
    buf_init(&out, 100);
    CHECK_ERR(&diag, ERR_MESSAGE_CONTENT, base64_decode(SPAN("QUJD\0"), &out, &diag));
    buf_done(&out);
    diag_clear(&diag);
    buf_init(&out, 2);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, base64_decode(SPAN("QUJD"), &out, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, base64_encode(SPAN("A"), &out, &diag));
    buf_done(&out);
}

static void
test_base64url(void)
{
    static const char *const refused[] = {
        "A",    "AAAAA", "AA==", "AA=", "=",  "AAA+", "AAA/",
        "AA A", "AAA\n", "QR",   "QUJ", "__", "AAB",  "AA\303A",
    };
    static const struct {
        const char *plain, *coded;
    } cases[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF\xBF", "-_-_"},
    };
    uint8_t bytes[16];
    size_t n = 99;

    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        CU_ASSERT(!base64url_decode(span_of_cstr(refused[i]), bytes, sizeof(bytes), &n));
        CU_ASSERT(n == 99);
    }
    CU_ASSERT(!base64url_decode(SPAN("AAA\0"), bytes, sizeof(bytes), &n));
    CU_ASSERT(!base64url_decode(SPAN("Zm9v"), bytes, 2, &n));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const size_t size = strlen(cases[i].plain);

        CU_ASSERT(BASE64URL_ROOM(strlen(cases[i].coded)) >= size);
        CU_ASSERT(base64url_decode(span_of_cstr(cases[i].coded), bytes, size, &n));
        CHECK_SPAN(span_of((const char *)bytes, n), cases[i].plain);
    }
}

static void
test_base64(void)
{
    /* RFC 4648 section 10, and the two last characters of the alphabet */
    static const struct {
        const char *plain, *coded;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xFB\xFF\xBF", "+/+/"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diag diag;
        struct buf coded;
        struct buf plain;
        diag_clear(&diag);
        buf_init(&coded, 8);
        buf_init(&plain, strlen(cases[i].plain)); /* decoding needs no byte more than it gives */
        CHECK_OK(&diag, base64_encode(span_of_cstr(cases[i].plain), &coded, &diag));
        CHECK_SPAN(buf_span(&coded), cases[i].coded);
        CHECK_OK(&diag, base64_decode(buf_span(&coded), &plain, &diag));
        CHECK_SPAN(buf_span(&plain), cases[i].plain);
        buf_done(&coded);
        buf_done(&plain);
    }
    struct diag diag;
    struct buf plain;
    diag_clear(&diag);
    buf_init(&plain, 100);
    CHECK_OK(&diag, base64_decode(SPAN("\r\n Zm\t9v Ym\nE =\n "), &plain, &diag));
    CHECK_SPAN(buf_span(&plain), "fooba");
    CHECK_OK(&diag, base64_decode(SPAN("Zg = ="), &plain, &diag)); /* appended */
    CHECK_SPAN(buf_span(&plain), "foobaf");
    CHECK_OK(&diag, base64_decode(SPAN_EMPTY, &plain, &diag));
    buf_done(&plain);
}

static void
test_hex(void)
{
    static const char *const refused[] = {"",       "0",    "000",  "00000",
                                          "000000", "0g00", "00 0", "-100"};
    uint8_t bytes[2] = {7, 7};
    char hex[5];
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        CU_ASSERT(!hex_decode(span_of_cstr(refused[i]), bytes, 2));
        CU_ASSERT(bytes[0] == 7 && bytes[1] == 7);
    }
    CU_ASSERT(hex_decode(SPAN("aBF0"), bytes, 2));
    CU_ASSERT(bytes[0] == 0xAB && bytes[1] == 0xF0);
    hex_encode(bytes, 2, hex);
    CU_ASSERT_STRING_EQUAL(hex, "abf0");
    CU_ASSERT(hex_decode(SPAN_EMPTY, bytes, 0));
    hex_encode(bytes, 0, hex);
    CU_ASSERT_STRING_EQUAL(hex, "");
}

static void
test_digests(void)
{
    /* FIPS 180-4 examples and the digests of nothing */
    static const struct {
        const char *text, *sha1, *sha256;
    } cases[] = {
        {"", "da39a3ee5e6b4b0d3255bfef95601890afd80709",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "a9993e364706816aba3e25717850c26c9cd0d89d",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diag diag;
        char sha1[SHA1_HEX];
        char sha256[SHA256_HEX];
        diag_clear(&diag);
        CHECK_OK(&diag, digest_sha1_hex(span_of_cstr(cases[i].text), &diag, sha1));
        CHECK_OK(&diag, digest_sha256_hex(span_of_cstr(cases[i].text), &diag, sha256));
        CU_ASSERT_STRING_EQUAL(sha1, cases[i].sha1);
        CU_ASSERT_STRING_EQUAL(sha256, cases[i].sha256);
    }
    struct diag diag;
    char sha256[SHA256_HEX];
    diag_clear(&diag);
    CHECK_OK(&diag, digest_sha256_hex(SPAN_EMPTY, &diag, sha256));
    CU_ASSERT_STRING_EQUAL(sha256, cases[0].sha256);
}

static void
test_crc(void)
{
    uint8_t bytes[32];
    static const uint8_t read_command[48] = {
        /* RFC 3720 B.4, an iSCSI SCSI Read (10) Command PDU */
        [0] = 0x01,  [1] = 0xC0,  [16] = 0x14, [22] = 0x04,
        [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02,
    };
    memset(bytes, 0, sizeof(bytes));
    CU_ASSERT_EQUAL(crc32c(0, bytes, 32), 0x8A9136AA); /* RFC 3720 B.4, as a little-endian word */
    CU_ASSERT_EQUAL(crc32c_portable(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof(bytes));
    CU_ASSERT_EQUAL(crc32c(0, bytes, 32), 0x62A8AB43);
    CU_ASSERT_EQUAL(crc32c_portable(0, bytes, 32), 0x62A8AB43);
    for (uint8_t i = 0; i < 32; i++) {
        bytes[i] = i;
    }
    CU_ASSERT_EQUAL(crc32c(0, bytes, 32), 0x46DD794E);
    CU_ASSERT_EQUAL(crc32c_portable(0, bytes, 32), 0x46DD794E);
    CU_ASSERT_EQUAL(crc32c(0, read_command, 48), 0xD9963A56);
    CU_ASSERT_EQUAL(crc32c(0, "123456789", 9), 0xE3069283);
    CU_ASSERT_EQUAL(crc32c(0, NULL, 0), 0);
}

/* In any two parts, from any alignment, by both ways: the same. */
static void
test_crc_in_parts(void)
{
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 37 + 11);
    }
    for (size_t from = 0; from < 8; from++) {
        const size_t n = sizeof(bytes) - from;
        const uint32_t whole = crc32c_portable(0, bytes + from, n);
        for (size_t cut = 0; cut <= n; cut++) {
            const uint32_t first = crc32c(0, bytes + from, cut);
            CU_ASSERT_EQUAL(crc32c(first, bytes + from + cut, n - cut), whole);
            CU_ASSERT_EQUAL(crc32c_portable(first, bytes + from + cut, n - cut), whole);
        }
    }
}

static void
test_streams(void)
{
    static char bytes[1000];
    struct diag diag;
    char want256[SHA256_HEX], want1[SHA1_HEX], got[SHA256_HEX];
    diag_clear(&diag);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 7);
    }
    CHECK_OK(&diag, digest_sha256_hex(span_of(bytes, sizeof(bytes)), &diag, want256));
    CHECK_OK(&diag, digest_sha1_hex(span_of(bytes, sizeof(bytes)), &diag, want1));
    for (size_t step = 1; step <= sizeof(bytes); step += 333) {
        CLEANUP(digest_stream_free_p) struct digest_stream *sha256 = NULL;
        CLEANUP(digest_stream_free_p) struct digest_stream *sha1 = NULL;
        CHECK_OK(&diag, digest_stream_new(DIGEST_SHA256, &diag, &sha256));
        CHECK_OK(&diag, digest_stream_new(DIGEST_SHA1, &diag, &sha1));
        for (int twice = 0; twice < 2; twice++) {
            for (size_t at = 0; at < sizeof(bytes); at += step) {
                const struct span piece = span_slice(span_of(bytes, sizeof(bytes)), at, step);
                CHECK_OK(&diag, digest_stream_add(sha256, piece, &diag));
                CHECK_OK(&diag, digest_stream_add(sha1, piece, &diag));
            }
            CHECK_OK(&diag, digest_stream_end_hex(sha256, &diag, got));
            CU_ASSERT_STRING_EQUAL(got, want256);
            CHECK_OK(&diag, digest_stream_end_hex(sha1, &diag, got));
            CU_ASSERT_STRING_EQUAL(got, want1);
        }
    }
}

static const struct unit_test tests[] = {
    {"digests piece by piece", test_streams},
    {"base64url", test_base64url},
    {"base64 that is refused", test_base64_refused},
    {"base64", test_base64},
    {"hexadecimal", test_hex},
    {"SHA-1 and SHA-256", test_digests},
    {"CRC-32C", test_crc},
    {"CRC-32C in parts", test_crc_in_parts},
};
UNIT_MAIN("digest", tests)
