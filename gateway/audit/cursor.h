/*
 * Records by their names, in any order, and fast when each chain is asked for in its own: for
 * whoever knows from elsewhere (a search index) where records stand.
 *
 * Owner: whoever opened it; <place> outlives it. Thread: one at a time. No lock is taken.
 */
#ifndef AUDIT_CURSOR_H
#define AUDIT_CURSOR_H

#include "audit/journal.h"

struct journal_cursor;

MUST_CHECK struct status journal_cursor_open(const struct journal_place *place, struct diag *diag,
                                             struct journal_cursor **ret_cursor);
/* Verified as readers do; *ret_record is valid until the next call. ERR_NOT_FOUND: the chain has no
 * event of this number. ERR_JOURNAL: damage on the way to it. */
MUST_CHECK struct status journal_cursor_read(struct journal_cursor *cursor, const char *chain,
                                             uint64_t sequence, struct diag *diag,
                                             struct journal_record *ret_record);
void journal_cursor_close(struct journal_cursor *cursor); /* NULL is fine */

#endif
