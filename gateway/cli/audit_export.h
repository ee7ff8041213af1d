/*
 * Records of the journal in a file, or a folder with proofs (`isthmus audit export`): in order,
 * each with its chain, number and hash. What is made appears when it is whole, readable by its
 * owner alone, and replaces nothing unless that is asked for. Thread: the program's.
 */
#ifndef CLI_AUDIT_EXPORT_H
#define CLI_AUDIT_EXPORT_H

#include "cli/audit_search.h"

enum audit_export_form { AUDIT_EXPORT_JSON, AUDIT_EXPORT_XML, AUDIT_EXPORT_CSV, AUDIT_EXPORT_FHIR };

struct audit_export {
    const char *path;
    enum audit_export_form form;
    bool is_proven;    /* <path> becomes a folder: records, proofs.jsonl, manifest.json */
    bool is_forced;    /* a file that is there is replaced */
    const char *asked; /* the filters in words, for the manifest */
};
#define AUDIT_EXPORT_PROOFS   "proofs.jsonl"
#define AUDIT_EXPORT_MANIFEST "manifest.json"

/* CLI_PARTIAL: made, but some records have no proof yet (which is said). */
enum cli_exit audit_export(const struct audit_view *view, const struct audit_index_query *query,
                           const struct audit_export *export);

/* ---- how records are written (audit_export_form.c) ---- */
/* "records.xml" and the like. */
const char *audit_export_name(enum audit_export_form form);
/* What stands before the first record and behind the last one. */
const char *audit_export_head(enum audit_export_form form);
const char *audit_export_foot(enum audit_export_form form);
MUST_CHECK struct status audit_export_record(enum audit_export_form form,
                                             const struct audit_source *source,
                                             const struct journal_record *record, struct buf *out,
                                             struct diag *diag);

#endif
