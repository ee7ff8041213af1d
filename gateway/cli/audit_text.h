/*
 * Journal records for people and for programs: one line, an explanation in plain words, JSON, and
 * AuditMessage XML. Text that came from partners is made harmless for terminals: control characters
 * and those that turn the direction of writing become '?'. Thread: one at a time.
 */
#ifndef CLI_AUDIT_TEXT_H
#define CLI_AUDIT_TEXT_H

#include "audit/journal.h"

/* The head of the columns that audit_text_line writes; both end with a line feed. */
MUST_CHECK struct status audit_text_columns(struct buf *out, struct diag *diag);
MUST_CHECK struct status audit_text_line(const struct journal_record *record,
                                         const struct audit_event *event, struct buf *out,
                                         struct diag *diag);
/* What happened, in sentences and then item by item, everything that the record holds. */
MUST_CHECK struct status audit_text_explain(const struct journal_record *record,
                                            const struct audit_event *event, struct buf *out,
                                            struct diag *diag);
/* A FHIR AuditEvent with its id, on one line. */
MUST_CHECK struct status audit_text_fhir(const struct journal_record *record,
                                         const struct audit_event *event,
                                         const struct audit_source *source, struct buf *out,
                                         struct diag *diag);
/* {"record":"chain/sequence","time":...,"hash":...,"event":{...}} on one line; the event as it is
 * in the journal, also when this version cannot read it. */
MUST_CHECK struct status audit_text_json(const struct journal_record *record, struct buf *out,
                                         struct diag *diag);
/* "chain/sequence"; false when it is not of that form. */
bool audit_text_read_record(const char *text, char ret_chain[64], uint64_t *ret_sequence);

#endif
