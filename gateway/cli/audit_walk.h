/*
 * What audit_search.c does when a journal has no index: the same questions, asked of every record.
 * Nobody else includes this. Thread: the program's.
 */
#ifndef CLI_AUDIT_WALK_H
#define CLI_AUDIT_WALK_H

#include "cli/audit_search.h"

MUST_CHECK struct status audit_walk_find(struct audit_search *search,
                                         const struct audit_index_query *query, struct arena *arena,
                                         struct diag *diag, struct audit_index_places *ret_places,
                                         bool *ret_has_more);
MUST_CHECK struct status audit_walk_count(struct audit_search *search,
                                          const struct audit_index_query *query, struct diag *diag,
                                          uint64_t *ret_n);
/* Oldest first; the query's limit and order are not looked at. */
MUST_CHECK struct status audit_walk_write(struct audit_search *search,
                                          const struct audit_index_query *query,
                                          const struct audit_writing *writing, FILE *out,
                                          struct diag *diag, uint64_t *ret_written);

#endif
