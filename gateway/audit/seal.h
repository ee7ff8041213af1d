/*
 * The signed state of one chain that this process writes: follows it behind the disk, keeps the
 * tree over its current segment, and puts checkpoints into it. Used by the sealer (sealer.h), for
 * the node's own chain all the time and for chains of commands when nobody writes them.
 *
 * Owner: whoever opened it. Thread: one at a time, not the journal's: a signature may take time.
 */
#ifndef AUDIT_SEAL_H
#define AUDIT_SEAL_H

#include "audit/journal.h"
#include "audit/statement.h"

struct chain; /* chain.h */
struct seal;

/* What was signed, for whoever tells the world. Valid during the call. */
struct seal_told {
    const struct checkpoint *checkpoint;
    struct span payload; /* of its record: JSON */
};
struct seal_options {
    const struct clock *clock;
    struct statement_signer signer;
    /* After a checkpoint is durable. NULL: nobody. */
    void (*tell)(void *arg, const struct seal_told *told);
    void *arg;
};

/* Begins with the first segment that is finished and has no checkpoint over the whole. Place and
 * journal outlive it; the options are copied. ERR_JOURNAL: damage. */
MUST_CHECK struct status seal_open(const struct journal_place *place, struct journal *journal,
                                   const struct seal_options *options, struct diag *diag,
                                   struct seal **ret_seal);
void seal_close(struct seal *seal); /* NULL is fine */

/* Reads on to what is durable now. A segment that ended on the way gets its checkpoint at once;
 * when that fails nothing is read beyond it, and the next call tries again. */
MUST_CHECK struct status seal_follow(struct seal *seal, struct diag *diag);
/* After a failure: is it of no more use, and to be opened anew? */
bool seal_is_lost(const struct seal *seal);
/* Records of others that were read and that no checkpoint covers. */
uint64_t seal_uncovered(const struct seal *seal);
/* A checkpoint over what was read. Nothing when there is nothing new. */
MUST_CHECK struct status seal_sign(struct seal *seal, struct diag *diag);
/* Is the record that was just read the event that tells of a checkpoint of its own chain? Such
 * events ask for none. ERR_JOURNAL: it cannot be decrypted. */
MUST_CHECK struct status seal_is_told(struct chain *chain, struct diag *diag, bool *ret_is_told);

#endif
