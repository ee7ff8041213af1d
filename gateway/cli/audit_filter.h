/*
 * What of the journal somebody wants to see: the options that `isthmus audit search`, `tail`,
 * `export` and `disclosures` share, read into a query for the index (store/audit_index.h), and the
 * same question asked of one record without an index. Thread: the program's.
 */
#ifndef CLI_AUDIT_FILTER_H
#define CLI_AUDIT_FILTER_H

#include "audit/event.h"
#include "cli/cli.h"
#include "store/audit_index.h"

struct audit_filter_options {
    struct cli_values patients;
    const char *document, *user, *organization, *partner, *purpose, *type, *outcome;
    const char *rule, *message, *transaction;
    const char *since, *until;
    bool is_same_person;
};
/* Rows of an option table; <o> is a struct audit_filter_options. */
#define AUDIT_PATIENT_OPTIONS(o)                                                                   \
    {.name = "patient",                                                                            \
     .argument = "ID",                                                                             \
     .help = "ID^^^&OID&ISO, ID^^^&OID or ID; repeat for further ids",                             \
     .values = &(o).patients},                                                                     \
    {                                                                                              \
        .name = "same-person",                                                                     \
        .help = "also by the other ids that the store knows of the patient",                       \
        .flag = &(o).is_same_person                                                                \
    }
#define AUDIT_TIME_OPTIONS(o)                                                                      \
    {.name = "since",                                                                              \
     .argument = "TIME",                                                                           \
     .help = "from then on: 2026-11-22, 2026-11-22T10:30 (local), ...T10:30:00Z, or 7d (ago)",     \
     .value = &(o).since},                                                                         \
    {                                                                                              \
        .name = "until", .argument = "TIME", .help = "before then", .value = &(o).until            \
    }
#define AUDIT_FILTER_OPTIONS(o)                                                                    \
    AUDIT_PATIENT_OPTIONS(o),                                                                      \
        {.name = "document", .argument = "ID", .help = "uniqueId", .value = &(o).document},        \
        {.name = "user", .argument = "TEXT", .help = "part of name or id", .value = &(o).user},    \
        {.name = "organization",                                                                   \
         .argument = "TEXT",                                                                       \
         .help = "part of its name",                                                               \
         .value = &(o).organization},                                                              \
        {.name = "partner",                                                                        \
         .argument = "ID",                                                                         \
         .help = "its id, or its community's OID",                                                 \
         .value = &(o).partner},                                                                   \
        {.name = "purpose", .argument = "CODE", .help = "such as T-TREAT", .value = &(o).purpose}, \
        {.name = "type",                                                                           \
         .argument = "TYPE",                                                                       \
         .help = "such as ITI-55 or node-start",                                                   \
         .value = &(o).type},                                                                      \
        {.name = "outcome",                                                                        \
         .argument = "HOW",                                                                        \
         .help = "success, minor, serious, major, failure (any of these three) or intent",         \
         .value = &(o).outcome},                                                                   \
        {.name = "rule",                                                                           \
         .argument = "NAME",                                                                       \
         .help = "of the policy, that decided",                                                    \
         .value = &(o).rule},                                                                      \
        {.name = "message", .argument = "ID", .help = "wsa:MessageID", .value = &(o).message},     \
        {.name = "transaction",                                                                    \
         .argument = "ID",                                                                         \
         .help = "as the log and 'isthmus audit show' call it",                                    \
         .value = &(o).transaction},                                                               \
        AUDIT_TIME_OPTIONS(o)

/* What the options ask for; <now_us> is for times that are so long ago, and <since_us> the
 * beginning when none is given. False: wrong usage, which was said. Texts live in <arena>; limit
 * and order are the caller's. --same-person is not looked at here. */
bool audit_filter_read(const struct cli_command *command, const struct audit_filter_options *asked,
                       int64_t since_us, int64_t now_us, struct arena *arena,
                       struct audit_index_query *ret_query);
/* 2026-11-22, 2026-11-22T10:30[:00] (both local), with a zone, or a number with s, m, h, d, w or y:
 * so long before <now_us>. */
bool audit_filter_read_time(const char *text, int64_t now_us, int64_t *ret_us);

/* Does a record fit? <time_us> is the record's. The same answer as the index gives. */
MUST_CHECK struct status audit_filter_matches(const struct audit_index_query *query,
                                              int64_t time_us, const struct audit_event *event,
                                              struct arena *arena, struct diag *diag,
                                              bool *ret_is_one);
/* The names in which a user or organization is searched: folded, the parts a line each. */
MUST_CHECK struct status audit_filter_fold(struct arena *arena, struct span name, struct span id,
                                           struct diag *diag, struct span *ret_folded);
/* The options as they were given, for the record of this access: "user=... since=...", without the
 * patients. */
MUST_CHECK struct status audit_filter_describe(const struct audit_filter_options *asked,
                                               struct buf *out, struct diag *diag);

#endif
