/*
 * What a node does to its journal beside writing: checkpoints (audit/sealer.h), removal of old
 * segments (audit/retention.h), and the cursor of a destination (audit/ship_cursor.h). Signatures
 * are a keyed digest here: what they cover is tested, not how they are made. Thread: one.
 */
#ifndef FAULT_KEEPER_H
#define FAULT_KEEPER_H

#include "audit/verify.h"
#include "tests/fault/work.h"

/* A claim of this sequence says: the destination's cursor stands at <value> or behind it. */
#define KEEPER_CURSOR UINT64_MAX

/* Signs a checkpoint, stores the cursor, removes every segment but the last. What is known of the
 * cursor then is told like a record that is durable. */
MUST_CHECK struct status keeper_run(const struct journal_place *place, struct journal *journal,
                                    struct worker *worker, struct diag *diag);
/* A checkpoint alone. */
MUST_CHECK struct status keeper_sign(const struct journal_place *place, struct journal *journal,
                                     struct diag *diag);
struct statement_judge keeper_judge(void);
/* Where the cursor stands; 0: there is none, or it cannot be read. */
uint64_t keeper_read_cursor(const char *dir);

#endif
