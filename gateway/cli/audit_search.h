/*
 * `isthmus audit search` and `disclosures`, below their options: the index of the journal is
 * brought up to date, asked, and the records that it names are read from the journal and shown. The
 * result is the exit code; what went wrong is said on standard error. Thread: the program's.
 */
#ifndef CLI_AUDIT_SEARCH_H
#define CLI_AUDIT_SEARCH_H

#include "cli/audit_view.h"
#include "store/audit_index.h"

/* The index's file, in the journal's folder. */
#define AUDIT_INDEX_NAME "search.db"

/* Shows what is found as tail does, oldest first. CLI_DONE also when nothing is. */
enum cli_exit audit_search(const struct audit_view *view, const struct audit_index_query *query);

/* Accounting of disclosures (audit_disclosure.h) of the patient of the query. */
struct disclosure_form;
enum cli_exit audit_disclosures(const struct audit_view *view,
                                const struct audit_index_query *query,
                                const struct disclosure_form *form);

#endif
