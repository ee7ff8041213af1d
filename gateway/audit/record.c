/*
 * The codec of records and segment heads. Called by the journal thread (packing, sealing), by
 * recovery and by readers (checking); pure functions, nothing is owned.
 */
#include "audit/record.h"

#include <string.h>

#define RECORD_LENGTH_AT   4
#define RECORD_TYPE_AT     12
#define RECORD_DURABLE_AT  24
#define RECORD_WALL_AT     32
#define RECORD_MONO_AT     40
#define RECORD_PREVIOUS_AT 48

#define SEGMENT_PLAIN       1 /* versions */
#define SEGMENT_ENCRYPTED   2
#define SEGMENT_VERSION_AT  8
#define SEGMENT_BYTES_AT    12
#define SEGMENT_FIRST_AT    16
#define SEGMENT_CREATED_AT  24
#define SEGMENT_PREVIOUS_AT 32
#define SEGMENT_CHAIN_AT    64
#define SEGMENT_SIZE_AT     112
#define SEGMENT_SALT_AT     128
#define SEGMENT_KEY_ID_AT   160
#define SEGMENT_CRC_BYTES   4 /* the head's last */

static const uint8_t record_magic[RECORD_MAGIC_BYTES] = {0xFE, 'I', 'A', 'R'};
static const uint8_t segment_magic[8] = {0xFE, 'I', 'A', 'S', 'E', 'G', '\r', '\n'};

static void
put_u32(uint8_t *to, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static void
put_u64(uint8_t *to, uint64_t value)
{
    put_u32(to, (uint32_t)value);
    put_u32(to + 4, (uint32_t)(value >> 32));
}

static uint32_t
get_u32(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 |
           (uint32_t)from[3] << 24;
}

static uint64_t
get_u64(const uint8_t *from)
{
    return (uint64_t)get_u32(from) | (uint64_t)get_u32(from + 4) << 32;
}

const char *
record_verdict_text(enum record_verdict verdict)
{
    static const char *const texts[RECORD_VERDICT_COUNT] = {
        [RECORD_GOOD] = "it is good",
        [RECORD_BLANK] = "there are only zeros",
        [RECORD_ENDS] = "the file ends there",
        [RECORD_SHORT] = "the file ends inside it",
        [RECORD_MAGIC] = "no record starts there",
        [RECORD_LENGTH] = "its length is beyond the limit",
        [RECORD_CRC] = "its CRC-32C does not fit its bytes",
    };
    return texts[verdict];
}

void
record_pack(const struct record_head *head, uint8_t *to)
{
    memcpy(to, record_magic, sizeof(record_magic));
    put_u32(to + RECORD_LENGTH_AT, head->length);
    put_u32(to + RECORD_CRC_AT, head->crc);
    put_u32(to + RECORD_TYPE_AT, head->type);
    put_u64(to + RECORD_SEQUENCE_AT, head->sequence);
    put_u64(to + RECORD_DURABLE_AT, head->durable);
    put_u64(to + RECORD_WALL_AT, (uint64_t)head->wall_us);
    put_u64(to + RECORD_MONO_AT, (uint64_t)head->mono_us);
    memcpy(to + RECORD_PREVIOUS_AT, head->previous, SHA256_BYTES);
}

static bool
is_zero(const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != 0) {
            return false;
        }
    }
    return true;
}

enum record_verdict
record_unpack(struct span bytes, struct record_head *ret_head)
{
    const uint8_t *from = (const uint8_t *)bytes.p;
    if (bytes.n == 0) {
        return RECORD_ENDS;
    }
    if (is_zero(from, bytes.n < RECORD_HEAD_BYTES ? bytes.n : RECORD_HEAD_BYTES)) {
        return RECORD_BLANK;
    }
    if (bytes.n < RECORD_HEAD_BYTES) {
        return RECORD_SHORT;
    }
    if (memcmp(from, record_magic, sizeof(record_magic)) != 0) {
        return RECORD_MAGIC;
    }
    struct record_head head = {
        .length = get_u32(from + RECORD_LENGTH_AT),
        .crc = get_u32(from + RECORD_CRC_AT),
        .type = get_u32(from + RECORD_TYPE_AT),
        .sequence = get_u64(from + RECORD_SEQUENCE_AT),
        .durable = get_u64(from + RECORD_DURABLE_AT),
        .wall_us = (int64_t)get_u64(from + RECORD_WALL_AT),
        .mono_us = (int64_t)get_u64(from + RECORD_MONO_AT),
    };
    if (head.length > RECORD_PAYLOAD_MAX) {
        return RECORD_LENGTH;
    }
    memcpy(head.previous, from + RECORD_PREVIOUS_AT, SHA256_BYTES);
    *ret_head = head;
    return RECORD_GOOD;
}

static uint32_t
crc_of(const uint8_t *record, size_t n)
{
    const size_t after = RECORD_CRC_AT + sizeof(uint32_t);
    return crc32c(crc32c(0, record, RECORD_CRC_AT), record + after, n - after);
}

enum record_verdict
record_check(struct span bytes, struct record_head *ret_head)
{
    struct record_head head;
    const enum record_verdict verdict = record_unpack(bytes, &head);
    if (verdict != RECORD_GOOD) {
        return verdict;
    }
    const size_t n = RECORD_HEAD_BYTES + (size_t)head.length;
    if (bytes.n < n) {
        return RECORD_SHORT;
    }
    if (crc_of((const uint8_t *)bytes.p, n) != head.crc) {
        return RECORD_CRC;
    }
    *ret_head = head;
    return RECORD_GOOD;
}

void
record_link(char *record, uint64_t durable, const uint8_t previous[SHA256_BYTES])
{
    uint8_t *bytes = (uint8_t *)record;
    put_u64(bytes + RECORD_DURABLE_AT, durable);
    memcpy(bytes + RECORD_PREVIOUS_AT, previous, SHA256_BYTES);
}

struct status
record_finish(char *record, size_t n, struct diag *diag, uint8_t ret_hash[SHA256_BYTES])
{
    uint8_t *bytes = (uint8_t *)record;
    put_u32(bytes + RECORD_CRC_AT, crc_of(bytes, n));
    return digest_sha256(span_of(record, n), diag, ret_hash);
}

struct status
record_seal(char *record, size_t n, uint64_t durable, const uint8_t previous[SHA256_BYTES],
            struct diag *diag, uint8_t ret_hash[SHA256_BYTES])
{
    record_link(record, durable, previous);
    return record_finish(record, n, diag, ret_hash);
}

/* ---- heads of segments ---- */

size_t
segment_head_bytes(const struct segment_head *head)
{
    return head->is_encrypted ? SEGMENT_HEAD_MAX : SEGMENT_HEAD_BYTES;
}

void
segment_head_pack(const struct segment_head *head, uint8_t *to)
{
    const size_t n = segment_head_bytes(head);
    const size_t crc_at = n - SEGMENT_CRC_BYTES;
    memset(to, 0, n);
    memcpy(to, segment_magic, sizeof(segment_magic));
    put_u32(to + SEGMENT_VERSION_AT, head->is_encrypted ? SEGMENT_ENCRYPTED : SEGMENT_PLAIN);
    put_u32(to + SEGMENT_BYTES_AT, (uint32_t)n);
    put_u64(to + SEGMENT_FIRST_AT, head->first_sequence);
    put_u64(to + SEGMENT_CREATED_AT, (uint64_t)head->created_us);
    memcpy(to + SEGMENT_PREVIOUS_AT, head->previous, SHA256_BYTES);
    memcpy(to + SEGMENT_CHAIN_AT, head->chain, strlen(head->chain));
    put_u64(to + SEGMENT_SIZE_AT, head->size);
    if (head->is_encrypted) {
        memcpy(to + SEGMENT_SALT_AT, head->salt, SEGMENT_SALT_BYTES);
        memcpy(to + SEGMENT_KEY_ID_AT, head->key_id, JOURNAL_KEY_ID_BYTES);
    }
    put_u32(to + crc_at, crc32c(0, to, crc_at));
}

/* A head of one of our versions, as long as that version's is. */
static struct status
check_version(struct span bytes, struct diag *diag, bool *ret_is_encrypted)
{
    const uint8_t *from = (const uint8_t *)bytes.p;
    const uint32_t version = get_u32(from + SEGMENT_VERSION_AT);
    const uint32_t n = get_u32(from + SEGMENT_BYTES_AT);
    const bool is_ours = (version == SEGMENT_PLAIN && n == SEGMENT_HEAD_BYTES) ||
                         (version == SEGMENT_ENCRYPTED && n == SEGMENT_HEAD_MAX);
    const size_t covered = is_ours ? n : SEGMENT_HEAD_BYTES;
    if (covered > bytes.n || get_u32(from + covered - SEGMENT_CRC_BYTES) !=
                                 crc32c(0, from, covered - SEGMENT_CRC_BYTES)) {
        return FAIL(diag, ERR_JOURNAL, "the segment's head: its CRC-32C does not fit its bytes");
    }
    if (!is_ours) {
        return FAIL(diag, ERR_JOURNAL,
                    "the segment's head: format version %u; this program reads versions %d and %d",
                    version, SEGMENT_PLAIN, SEGMENT_ENCRYPTED);
    }
    *ret_is_encrypted = version == SEGMENT_ENCRYPTED;
    return OK;
}

struct status
segment_head_unpack(struct span bytes, struct diag *diag, struct segment_head *ret_head)
{
    const uint8_t *from = (const uint8_t *)bytes.p;
    struct segment_head head = {0};
    if (bytes.n < SEGMENT_HEAD_BYTES) {
        return FAIL(diag, ERR_JOURNAL,
                    "the segment's head: the file has %zu bytes, at least %d are needed", bytes.n,
                    SEGMENT_HEAD_BYTES);
    }
    if (memcmp(from, segment_magic, sizeof(segment_magic)) != 0) {
        return FAIL(diag, ERR_JOURNAL, "the segment's head: this is not a journal segment");
    }
    TRY(check_version(bytes, diag, &head.is_encrypted));
    head.first_sequence = get_u64(from + SEGMENT_FIRST_AT);
    head.created_us = (int64_t)get_u64(from + SEGMENT_CREATED_AT);
    memcpy(head.previous, from + SEGMENT_PREVIOUS_AT, SHA256_BYTES);
    memcpy(head.chain, from + SEGMENT_CHAIN_AT, JOURNAL_CHAIN_MAX);
    head.size = get_u64(from + SEGMENT_SIZE_AT);
    if (head.is_encrypted) {
        memcpy(head.salt, from + SEGMENT_SALT_AT, SEGMENT_SALT_BYTES);
        memcpy(head.key_id, from + SEGMENT_KEY_ID_AT, JOURNAL_KEY_ID_BYTES);
    }
    *ret_head = head;
    return OK;
}

bool
journal_chain_is_valid(struct span name)
{
    if (name.n == 0 || name.n > JOURNAL_CHAIN_MAX || name.p[0] == '.') {
        return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        const char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_' || c == '.')) {
            return false;
        }
    }
    return true;
}
