/*
 * What `isthmus audit` does, below its options: tail and show over a journal's folder, to a
 * stream. The result is the exit code; what went wrong is said on standard error. Thread: the
 * program's.
 */
#ifndef CLI_AUDIT_VIEW_H
#define CLI_AUDIT_VIEW_H

#include <stdio.h>

#include "audit/journal.h"
#include "cli/cli.h"
#include "store/audit_index.h"

enum audit_form { AUDIT_FORM_TEXT, AUDIT_FORM_JSON, AUDIT_FORM_XML, AUDIT_FORM_FHIR };

struct audit_view {
    const struct cli_command *command; /* who complains */
    struct journal_place place;
    struct audit_source source;
    enum audit_form form;
    FILE *out;
    bool is_encrypted;                 /* the journal: it has no index then, which would not be */
    const struct audit_access *access; /* who is told that the journal is read; NULL: nobody */
    /* Tail: what of the records is shown; NULL: all but those that say that the journal was read,
     * unless <has_access>. */
    const struct audit_index_query *filter;
    bool has_access;
};

/* Records that so many records are about to be shown: nothing may be printed before. */
MUST_CHECK struct status audit_view_admit(const struct audit_view *view, uint64_t records,
                                          struct diag *diag);

/* The last <n> records of all chains (with a filter: of the last AUDIT_TAIL_WINDOW of each chain);
 * with <may_go_on> also what comes later, as long as it says so: it is called (and waits) whenever
 * there is nothing more. A damaged chain is said and does not
 * hide the others: CLI_FAILED at the end. */
enum cli_exit audit_view_tail(const struct audit_view *view, uint64_t n,
                              bool (*may_go_on)(void *arg), void *arg);
/* <record>: chain/sequence. As text, it is followed by the other records of its transaction. */
enum cli_exit audit_view_show(const struct audit_view *view, const char *record);
/* One record as tail prints it, appended; and what stands above such lines (nothing in JSON and
 * XML), written. */
MUST_CHECK struct status audit_view_render(const struct audit_view *view,
                                           const struct journal_record *record, struct buf *out,
                                           struct diag *diag);
/* The same, or explained, into <out>, which it initialises unless it fails; and printing it. */
MUST_CHECK struct status audit_view_text(const struct audit_view *view,
                                         const struct journal_record *record, bool is_line,
                                         struct buf *out, struct diag *diag);
bool audit_view_print(const struct audit_view *view, struct span text);
MUST_CHECK struct status audit_view_columns(const struct audit_view *view, struct diag *diag);

#define AUDIT_TAIL_MAX    100000
#define AUDIT_TAIL_WINDOW 20000

#endif
