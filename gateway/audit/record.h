/*
 * The journal's bytes: one record, and the head of a segment. Packed by hand, little-endian; pure
 * functions over memory. README.md has the layout as a table. Thread: any.
 *
 * The first byte of a record's magic never occurs in UTF-8, and payloads are JSON: so no payload,
 * whatever a partner put into it, can look like a record.
 */
#ifndef AUDIT_RECORD_H
#define AUDIT_RECORD_H

#include "base/digest.h"
#include "base/journal_keys.h"

#define RECORD_HEAD_BYTES    80
#define RECORD_PAYLOAD_MAX   ((size_t)8 * 1024 * 1024)
#define RECORD_MAGIC_BYTES   4
#define SEGMENT_HEAD_BYTES   128 /* of one in the clear */
#define SEGMENT_HEAD_MAX     192 /* of an encrypted one */
#define SEGMENT_SALT_BYTES   32
#define JOURNAL_CHAIN_MAX    48 /* characters of a chain's name */
#define JOURNAL_FIRST_NUMBER 1  /* sequence of a chain's first record */

enum record_type {
    RECORD_EVENT = 1,    /* audit_event_encode */
    RECORD_STATEMENT = 2 /* statement.h */
};
/* In a segment that is: only what may name a patient; everybody can check the rest. */
static inline bool
record_is_encrypted(uint32_t type)
{
    return type == RECORD_EVENT;
}

struct record_head {
    uint32_t length; /* of the payload */
    uint32_t crc;    /* CRC-32C of the whole record without this member */
    uint32_t type;   /* enum record_type; readers leave alone what they do not know */
    uint64_t sequence;
    uint64_t durable; /* last sequence known to be on disk when this was written: what tells a torn
                         batch from a damaged file */
    int64_t wall_us;
    int64_t mono_us;
    uint8_t previous[SHA256_BYTES]; /* SHA-256 of the whole record before */
};

/* Where members of a packed head stand (README.md). */
#define RECORD_CRC_AT      8
#define RECORD_SEQUENCE_AT 16

/* What stands at some place of a segment. */
enum record_verdict {
    RECORD_GOOD,  /* length and CRC fit; sequence and chain are the caller's to check */
    RECORD_BLANK, /* zeros: nothing was written here */
    RECORD_ENDS,  /* the file ends exactly here */
    RECORD_SHORT, /* the file ends inside it */
    RECORD_MAGIC, /* something else */
    RECORD_LENGTH,
    RECORD_CRC,
    RECORD_VERDICT_COUNT
};
const char *record_verdict_text(enum record_verdict verdict);

/* <to>: RECORD_HEAD_BYTES. */
void record_pack(const struct record_head *head, uint8_t *to);
/* The head alone: GOOD means that it may be one and ret_head->length is within the limit. */
enum record_verdict record_unpack(struct span bytes, struct record_head *ret_head);
/* The whole record at the start of <bytes>. */
enum record_verdict record_check(struct span bytes, struct record_head *ret_head);
/* Finish a packed record of <n> bytes in place: what was durable before it, the record before, and
 * the CRC. *ret_hash is the record's own SHA-256. */
MUST_CHECK struct status record_seal(char *record, size_t n, uint64_t durable,
                                     const uint8_t previous[SHA256_BYTES], struct diag *diag,
                                     uint8_t ret_hash[SHA256_BYTES]);
/* The two halves of it, for a payload that is encrypted in between. */
void record_link(char *record, uint64_t durable, const uint8_t previous[SHA256_BYTES]);
MUST_CHECK struct status record_finish(char *record, size_t n, struct diag *diag,
                                       uint8_t ret_hash[SHA256_BYTES]);

/* <size>: of the file while it is written; one that is full or closed ends at its last record.
 * <previous>: SHA-256 of the last record of the segment before; zeros in a chain's first. */
struct segment_head {
    uint64_t first_sequence;
    int64_t created_us; /* wall */
    uint64_t size;
    uint8_t previous[SHA256_BYTES];
    char chain[JOURNAL_CHAIN_MAX + 1];
    bool is_encrypted; /* its events are (cipher.h); then the two below are set */
    uint8_t salt[SEGMENT_SALT_BYTES];
    uint8_t key_id[JOURNAL_KEY_ID_BYTES]; /* of the master key */
};

/* How many bytes it takes; the first record stands behind them. */
size_t segment_head_bytes(const struct segment_head *head);
/* <to>: SEGMENT_HEAD_MAX; segment_head_bytes of them are written. */
void segment_head_pack(const struct segment_head *head, uint8_t *to);
/* <bytes>: the file's first SEGMENT_HEAD_MAX, or all that it has. ERR_JOURNAL: not ours, another
 * version, or damaged. */
MUST_CHECK struct status segment_head_unpack(struct span bytes, struct diag *diag,
                                             struct segment_head *ret_head);

/* Letters, digits, '-', '_' and '.', not starting with '.': a folder's name and nothing else. */
bool journal_chain_is_valid(struct span name);

#endif
