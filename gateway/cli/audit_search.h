/*
 * Searching the journal, below the options of `isthmus audit search`, `disclosures` and `export`:
 * the index of the journal is brought up to date and asked, and the records that it names are read,
 * and verified, from the journal. Thread: the program's.
 *
 * A journal that is encrypted has no index, which would not be: it is walked instead.
 */
#ifndef CLI_AUDIT_SEARCH_H
#define CLI_AUDIT_SEARCH_H

#include <limits.h>

#include "audit/cursor.h"
#include "cli/audit_view.h"
#include "store/audit_index.h"

/* The index's file, in the journal's folder. */
#define AUDIT_INDEX_NAME "search.db"
MUST_CHECK struct status audit_index_path(const struct audit_view *view, char path[PATH_MAX],
                                          struct diag *diag);

struct audit_search {
    const struct audit_view *view;
    struct audit_index *index; /* NULL: the journal is walked */
    bool has_failed;           /* not everything could be read, which was said */
};
/* Damage of the index is repaired by making it anew. */
MUST_CHECK struct status audit_search_open(const struct audit_view *view, struct diag *diag,
                                           struct audit_search *ret_search);
void audit_search_close(struct audit_search *search);

/* As audit_index_find and audit_index_count. */
MUST_CHECK struct status audit_search_find(struct audit_search *search,
                                           const struct audit_index_query *query,
                                           struct arena *arena, struct diag *diag,
                                           struct audit_index_places *ret_places,
                                           bool *ret_has_more);
MUST_CHECK struct status audit_search_count(struct audit_search *search,
                                            const struct audit_index_query *query,
                                            struct diag *diag, uint64_t *ret_n);

/* How a record is written; appends nothing for one that is left out. */
struct audit_writing {
    struct status (*render)(const struct audit_writing *writing,
                            const struct journal_record *record, struct buf *out,
                            struct diag *diag);
    const struct audit_view *view;
    void *form; /* the renderer's */
};
/* Writes the places' records in their order; one that is damaged is said and left out. The memory
 * that it takes does not depend on how many there are. */
MUST_CHECK struct status audit_search_write(struct audit_search *search,
                                            const struct audit_index_places *places,
                                            const struct audit_writing *writing, FILE *out,
                                            struct diag *diag, uint64_t *ret_written);

/* Every record that fits, oldest first. */
MUST_CHECK struct status audit_search_write_all(struct audit_search *search,
                                                const struct audit_index_query *query,
                                                const struct audit_writing *writing, FILE *out,
                                                struct diag *diag, uint64_t *ret_written);

enum audit_order {
    AUDIT_ORDER_NEWEST_LAST,  /* the newest so many, oldest first */
    AUDIT_ORDER_NEWEST_FIRST, /* the newest so many, newest first */
    AUDIT_ORDER_OLDEST_FIRST  /* the oldest so many */
};
/* Shows what is found as tail does. CLI_DONE also when nothing is. */
enum cli_exit audit_search(const struct audit_view *view, const struct audit_index_query *query,
                           enum audit_order order);
/* Shows how many there are. */
enum cli_exit audit_count(const struct audit_view *view, const struct audit_index_query *query);
/* Brings the index up to date, or makes it anew, and says so. */
enum cli_exit audit_make_index(const struct audit_view *view, bool is_anew);

/* Accounting of disclosures (audit_disclosure.h) of the patients of the query. */
struct disclosure_form;
enum cli_exit audit_disclosures(const struct audit_view *view,
                                const struct audit_index_query *query,
                                const struct disclosure_form *form);

#endif
