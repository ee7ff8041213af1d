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

enum audit_form { AUDIT_FORM_TEXT, AUDIT_FORM_JSON, AUDIT_FORM_XML };

struct audit_view {
    const struct cli_command *command; /* who complains */
    struct journal_place place;
    struct audit_source source;
    enum audit_form form;
    FILE *out;
};

/* The last <n> records of all chains; with <may_go_on> also what comes later, as long as it says
 * so: it is called (and waits) whenever there is nothing more. A damaged chain is said and does not
 * hide the others: CLI_FAILED at the end. */
enum cli_exit audit_view_tail(const struct audit_view *view, uint64_t n,
                              bool (*may_go_on)(void *arg), void *arg);
/* <record>: chain/sequence. */
enum cli_exit audit_view_show(const struct audit_view *view, const char *record);
/* One record as tail prints it, appended; and what stands above such lines (nothing in JSON and
 * XML), written. */
MUST_CHECK struct status audit_view_render(const struct audit_view *view,
                                           const struct journal_record *record, struct buf *out,
                                           struct diag *diag);
MUST_CHECK struct status audit_view_columns(const struct audit_view *view, struct diag *diag);

#define AUDIT_TAIL_MAX 100000

#endif
