/*
 * The options of `isthmus audit`'s verbs and their help. One struct holds what was chosen: a verb's
 * table sets the members that it has. Thread: the program's.
 */
#ifndef CLI_AUDIT_CHOICES_H
#define CLI_AUDIT_CHOICES_H

#include "cli/audit_filter.h"

struct audit_choices {
    const char *config;
    const char *count, *after;
    const char *by, *reason;
    const char *format, *output;
    bool is_following, has_access, is_count, is_newest_first, is_oldest_first;
    bool is_json, is_xml, is_fhir, is_csv, is_all, is_accountable;
    bool is_rebuilding, is_proven, is_forced;
    struct audit_filter_options filter;
};
extern struct audit_choices audit_choices;

extern const struct cli_command audit_command, audit_command_tail, audit_command_show,
    audit_command_search, audit_command_disclosures, audit_command_export, audit_command_index;

#define AUDIT_TAIL_DEFAULT   20
#define AUDIT_SEARCH_DEFAULT 1000
#define AUDIT_YEARS_DEFAULT                                                                        \
    6 /* that an accounting of disclosures goes back: 45 CFR 164.528(a)(1) */

#endif
