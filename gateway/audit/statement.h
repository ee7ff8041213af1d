/*
 * What a chain says about itself under a signature: checkpoints (up to this record, with this hash,
 * the chain stood at this time) and removals (these segments were taken away, the chain begins
 * later). The payload of records of type RECORD_STATEMENT, and what is kept elsewhere to find out
 * later that a chain was cut or replaced. README.md has the format.
 *
 * The signature is over the text `statement` byte for byte: who has the JSON needs no program of
 * ours to check it. Keys and certificates come in through two small structs, because the journal
 * knows nothing of X.509. Thread: any; nothing is shared.
 */
#ifndef AUDIT_STATEMENT_H
#define AUDIT_STATEMENT_H

#include "audit/record.h"
#include "base/arena.h"

struct json_t; /* jansson's */

#define STATEMENT_BYTES_MAX     ((size_t)1024 * 1024) /* of the text */
#define STATEMENT_SIGNATURE_MAX ((size_t)1024)
#define STATEMENT_ALGORITHM_MAX 32

/* A statement's text under a signature. Spans are borrowed. */
struct statement {
    struct span text;
    struct span certificate; /* DER, of whoever signed */
    struct span algorithm;   /* "RSA-SHA256", "ECDSA-SHA256" */
    struct span signature;
};

/* Who signs. The callback is called on the sealer's thread and may take time (a token). */
struct statement_signer {
    void *arg;
    /* Appends certificate (DER) and signature; <algorithm>: STATEMENT_ALGORITHM_MAX, with its NUL.
     */
    struct status (*sign)(void *arg, struct span text, struct buf *certificate, char *algorithm,
                          struct buf *signature, struct diag *diag);
};
/* Who judges: is the signature good, and was its certificate trusted for this at <time_us> (when
 * the statement says that it was made)? ERR_JOURNAL says why not. */
struct statement_judge {
    void *arg;
    struct status (*check)(void *arg, const struct statement *statement, int64_t time_us,
                           struct diag *diag);
};

/* ---- what is stated ---- */

enum statement_kind { STATEMENT_CHECKPOINT, STATEMENT_REMOVAL };

struct checkpoint {
    char chain[JOURNAL_CHAIN_MAX + 1];
    uint64_t sequence; /* of the last record that it covers */
    uint8_t hash[SHA256_BYTES];
    uint64_t segment; /* first sequence of the segment that this record is in */
    uint8_t
        root[SHA256_BYTES]; /* of the tree over the records <segment> to <sequence> (merkle.h) */
    bool is_final;          /* the segment ends with it */
    int64_t time_us;        /* wall; kept in milliseconds */
};

struct removal {
    char chain[JOURNAL_CHAIN_MAX + 1];
    uint64_t begins;                /* the first record that stays */
    uint8_t previous[SHA256_BYTES]; /* hash of the last one that goes */
    int64_t time_us;
    struct span segments; /* lines of removal_add_segment */
};
struct removal_segment {
    uint64_t first, last;
    uint8_t hash[SHA256_BYTES]; /* of the last record */
    uint8_t root[SHA256_BYTES];
    bool is_archived;
};

/* The texts; appended to <out>. */
MUST_CHECK struct status checkpoint_write(const struct checkpoint *checkpoint, struct buf *out,
                                          struct diag *diag);
MUST_CHECK struct status removal_write(const struct removal *removal, struct buf *out,
                                       struct diag *diag);
MUST_CHECK struct status removal_add_segment(const struct removal_segment *segment,
                                             struct buf *lines, struct diag *diag);
/* Strict: ERR_JOURNAL names the line that is missing, foreign or wrong. */
MUST_CHECK struct status statement_kind_of(struct span text, struct diag *diag,
                                           enum statement_kind *ret_kind);
MUST_CHECK struct status checkpoint_read(struct span text, struct diag *diag,
                                         struct checkpoint *ret_checkpoint);
/* <ret_removal>->segments lies in <text>; each line was read once and is good. */
MUST_CHECK struct status removal_read(struct span text, struct diag *diag,
                                      struct removal *ret_removal);
/* False: there is no more. */
bool removal_next_segment(struct span *lines, struct removal_segment *ret_segment);

/* ---- under a signature ---- */

/* Signs <text> and appends the payload of its record (JSON). */
MUST_CHECK struct status statement_sign(const struct statement_signer *signer, struct span text,
                                        struct buf *payload, struct diag *diag);
MUST_CHECK struct status statement_encode(const struct statement *statement, struct buf *payload,
                                          struct diag *diag);
/* Spans live in <arena>. ERR_JOURNAL names the member that is missing or wrong. */
MUST_CHECK struct status statement_decode(struct span payload, struct arena *arena,
                                          struct diag *diag, struct statement *ret_statement);
/* The same, where it is a member of something else. NULL: it is not there. */
MUST_CHECK struct status statement_from_json(const struct json_t *root, struct arena *arena,
                                             struct diag *diag, struct statement *ret_statement);

#endif
