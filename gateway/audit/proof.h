/*
 * Proofs of single records: the record's bytes, the Merkle path to the root of its segment, and the
 * signed checkpoint that names this root. Whoever has the certificate can check one without the
 * journal, and sees no other record (`isthmus audit export --proof`, `isthmus audit verify
 * --proof`).
 *
 * The text is JSON: {"format": "isthmus-audit-proof-1", "chain", "sequence", "record": base64 of
 * the whole record as it stands in the file, "segment", "records" (leaves of the tree), "path":
 * [hashes from below], "checkpoint": {as in the chain, statement.h}}.
 */
#ifndef AUDIT_PROOF_H
#define AUDIT_PROOF_H

#include "audit/journal.h"
#include "audit/statement.h"

/* Appends the proof of one record. ERR_NOT_FOUND: there is no such record; ERR_JOURNAL: damage, or
 * no signed checkpoint covers it yet. */
MUST_CHECK struct status journal_prove(const struct journal_place *place, const char *chain,
                                       uint64_t sequence, struct buf *out, struct diag *diag);

/* The same for many records: what was read of the last segment is kept for the next call. Owner:
 * whoever opened it. Thread: one at a time. */
struct journal_prover;
MUST_CHECK struct status journal_prover_open(const struct journal_place *place, struct diag *diag,
                                             struct journal_prover **ret_prover);
MUST_CHECK struct status journal_prover_write(struct journal_prover *prover, const char *chain,
                                              uint64_t sequence, struct buf *out,
                                              struct diag *diag);
void journal_prover_close(struct journal_prover *prover); /* NULL is fine */

/* What a proof showed. */
struct journal_proven {
    struct checkpoint checkpoint;
    uint64_t sequence;
    int64_t time_us;       /* of the record: wall, when it was queued */
    char hash[SHA256_HEX]; /* of the record */
    uint32_t type;         /* enum record_type */
    struct span payload;   /* in <arena>; an event's JSON, or ciphertext */
};
/* ERR_JOURNAL: what does not fit, in words. */
MUST_CHECK struct status journal_proof_check(struct span proof, const struct statement_judge *judge,
                                             struct arena *arena, struct diag *diag,
                                             struct journal_proven *ret_proven);

#endif
