/*
 * The lists of a query as JSON parameters, so that every statement is a fixed text. For the SQLite
 * engine only; one store call's thread.
 *
 *   CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
 *   sqlite_lists_init(&lists);
 *   TRY(sqlite_lists_texts(&lists, &ids, diag)); ...         all of them first,
 *   db_text(&query, sqlite_lists_text(&lists, 0)); ...       then their texts
 */
#ifndef STORE_SQLITE_LISTS_H
#define STORE_SQLITE_LISTS_H

#include "base/buf.h"
#include "base/document.h"

#define SQLITE_LISTS_MAX 16
struct sqlite_lists {
    struct buf buf;
    size_t ends[SQLITE_LISTS_MAX];
    size_t n;
};

void sqlite_lists_init(struct sqlite_lists *lists);
void sqlite_lists_done(struct sqlite_lists *lists);
/* ERR_LIMIT_BUFFER when the lists are longer than a query may be. */
MUST_CHECK struct status sqlite_lists_texts(struct sqlite_lists *lists,
                                            const struct span_list *texts, struct diag *diag);
/* [["code","scheme"],...] */
MUST_CHECK struct status sqlite_lists_codes(struct sqlite_lists *lists,
                                            const struct code_list *codes, struct diag *diag);
/* AND of ORs; a list without values does not restrict and is left out. */
MUST_CHECK struct status sqlite_lists_code_sets(struct sqlite_lists *lists,
                                                const struct code_list *sets, size_t n,
                                                struct diag *diag);
MUST_CHECK struct status sqlite_lists_text_sets(struct sqlite_lists *lists,
                                                const struct span_list *sets, size_t n,
                                                struct diag *diag);
struct span sqlite_lists_text(const struct sqlite_lists *lists, size_t n); /* until _done */

#endif
