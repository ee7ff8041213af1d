/*
 * One row of an accounting of disclosures, as 45 CFR 164.528(b)(2) wants it: the date, who received
 * what, and why; with what it would be exempt for (treatment, payment, operations:
 * 164.528(a)(1)(i)) told and not left out, unless that is asked for. Made from one audit record.
 * Thread: any.
 *
 * Disclosed is what left this node about the patient: an answer to somebody's question, and what a
 * question or delivery of ours told the one who was asked (its intent is recorded before it
 * leaves). Refused questions and failed answers disclose nothing.
 */
#ifndef CLI_AUDIT_DISCLOSURE_H
#define CLI_AUDIT_DISCLOSURE_H

#include <stdio.h>

#include "audit/journal.h"

enum disclosure_style { DISCLOSURE_TEXT, DISCLOSURE_CSV, DISCLOSURE_JSON };

struct config;
struct disclosure_form {
    enum disclosure_style style;
    const char *community;            /* who discloses: this node's name */
    const struct span_list *patients; /* ids of the one who asks */
    int64_t since_us, until_us;
    bool is_accountable;         /* what is exempt is left out */
    const struct config *config; /* knows the partners' names; NULL: their ids stand for them */
};

/* Is the event one? */
bool disclosure_is_one(const struct audit_event *event);
/* Before and behind the rows. */
MUST_CHECK struct status disclosure_begin(const struct disclosure_form *form, FILE *out,
                                          struct diag *diag);
MUST_CHECK struct status disclosure_end(const struct disclosure_form *form, uint64_t rows,
                                        FILE *out, struct diag *diag);
/* The record's row, appended; nothing when it is no disclosure. CSV as RFC 4180 has it; a field
 * that a spreadsheet would take for a formula has an apostrophe in front. */
MUST_CHECK struct status disclosure_render(const struct disclosure_form *form,
                                           const struct journal_record *record, struct buf *out,
                                           struct diag *diag);

#endif
