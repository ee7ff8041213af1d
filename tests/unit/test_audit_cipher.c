/*
 * Keys of the journal as text, and the encryption of one record against what others compute.
 */
#include <string.h>

#include "audit/cipher.h"
#include "tests/unit/unit.h"

#define HEX_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define B64_KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define KEY_ID  "4ab0dd797c75b91a"
/* nonce, ciphertext, tag */
#define KNOWN                                                                                      \
    "c8c9cacbcccdcecfd0d1d2d3671f72c508420d7ead2d8eb91af176762794f5774f66ceb26434fe10b4570d153a"

/* ---- keys ---- */

static void
test_no_keys(void)
{
    static const char *const texts[] = {
        "",
        " \n",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",     /* 31 bytes */
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1",    /* 31 and a half */
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20", /* 33 */
        "g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==", /* 31 bytes */
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g", /* 33 */
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",  /* no padding */
        "a passphrase of somebody",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct journal_key key;
        struct diag diag = {0};
        CHECK_ERR(&diag, ERR_CREDENTIAL, journal_key_read(span_of_cstr(texts[i]), &diag, &key));
        CU_ASSERT_PTR_NULL(strstr(diag.text, "0001"));
        CU_ASSERT_PTR_NULL(strstr(diag.text, "passphrase"));
    }
}

static void
test_keys(void)
{
    static const char *const texts[] = {
        HEX_KEY,
        B64_KEY,
        B64_KEY "\n",
        "  " HEX_KEY " \r\n",
        "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct journal_key key;
        struct diag diag = {0};
        char id[JOURNAL_KEY_ID_HEX];
        CHECK_OK(&diag, journal_key_read(span_of_cstr(texts[i]), &diag, &key));
        for (size_t at = 0; at < sizeof(key.secret); at++) {
            CU_ASSERT_EQUAL(key.secret[at], at);
        }
        hex_encode(key.id, sizeof(key.id), id);
        CU_ASSERT_STRING_EQUAL(id, KEY_ID);
    }
}

/* ---- one record, computed elsewhere (python's cryptography: HKDF, AESGCM) ---- */

static void
make_known(char *record, size_t n)
{
    const struct record_head head = {
        .length = (uint32_t)(n - RECORD_HEAD_BYTES),
        .crc = 4711, /* not part of it */
        .type = RECORD_EVENT,
        .sequence = 7,
        .durable = 6,
        .wall_us = 1700000000000000,
        .mono_us = 42,
        .previous = {9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9,
                     9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9},
    };
    record_pack(&head, (uint8_t *)record);
    CU_ASSERT_TRUE_FATAL(
        hex_decode(SPAN(KNOWN), (uint8_t *)record + RECORD_HEAD_BYTES, n - RECORD_HEAD_BYTES));
}

static struct cipher *
known_cipher(const char *chain, uint8_t salt_begin)
{
    struct journal_key key;
    struct cipher *cipher = NULL;
    struct diag diag = {0};
    uint8_t salt[SEGMENT_SALT_BYTES];
    for (size_t i = 0; i < sizeof(salt); i++) {
        salt[i] = (uint8_t)(salt_begin + i);
    }
    CHECK_OK(&diag, journal_key_read(SPAN(HEX_KEY), &diag, &key));
    CU_ASSERT_FATAL(CHECK_OK(&diag, cipher_new(&diag, &cipher)));
    CHECK_OK(&diag, cipher_start(cipher, &key, salt, chain, &diag));
    return cipher;
}

static void
check_not_known(const char *chain, uint8_t salt_begin, size_t flipped)
{
    char record[RECORD_HEAD_BYTES + (sizeof(KNOWN) - 1) / 2];
    struct cipher *cipher = known_cipher(chain, salt_begin);
    struct span text = SPAN_EMPTY;
    struct diag diag = {0};
    make_known(record, sizeof(record));
    if (flipped < sizeof(record)) {
        record[flipped] = (char)(record[flipped] ^ 1);
    }
    CHECK_ERR(&diag, ERR_JOURNAL, cipher_open(cipher, record, sizeof(record), &diag, &text));
    CU_ASSERT_PTR_NULL(text.p);
    cipher_free(cipher);
}

static void
test_known_record(void)
{
    char record[RECORD_HEAD_BYTES + (sizeof(KNOWN) - 1) / 2];
    struct span text = SPAN_EMPTY;
    struct diag diag = {0};
    check_not_known("other", 100, SIZE_MAX);
    check_not_known("serve", 101, SIZE_MAX);
    for (size_t at = 0; at < sizeof(record); at++) { /* every byte but those of the CRC counts */
        if (at < RECORD_CRC_AT || at >= RECORD_CRC_AT + sizeof(uint32_t)) {
            check_not_known("serve", 100, at);
        }
    }
    struct cipher *cipher = known_cipher("serve", 100);
    make_known(record, sizeof(record));
    CHECK_ERR(
        &diag, ERR_JOURNAL,
        cipher_open(cipher, record, RECORD_HEAD_BYTES + CIPHER_EXTRA_BYTES - 1, &diag, &text));
    diag_clear(&diag);
    CHECK_OK(&diag, cipher_open(cipher, record, sizeof(record), &diag, &text));
    CHECK_SPAN(text, "{\"type\":\"ITI-55\"}");
    cipher_free(cipher);
}

static const struct unit_test tests[] = {
    {"what is no key", test_no_keys},
    {"keys as text, and their names", test_keys},
    {"a record that was computed elsewhere", test_known_record},
};
UNIT_MAIN("audit cipher", tests)
