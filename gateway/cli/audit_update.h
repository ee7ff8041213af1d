/*
 * The search index of the journal, brought up to date from the journal. Called by what searches,
 * and by `isthmus audit index`. Thread: the program's.
 */
#ifndef CLI_AUDIT_UPDATE_H
#define CLI_AUDIT_UPDATE_H

#include "audit/journal.h"
#include "cli/cli.h"
#include "store/audit_index.h"

struct audit_updated {
    uint64_t chains, records; /* that there are; that were added */
    bool has_failed;          /* a chain could not be read to its end, which was said */
};
MUST_CHECK struct status audit_update(const struct cli_command *command,
                                      const struct journal_place *place, struct audit_index *index,
                                      struct diag *diag, struct audit_updated *ret_updated);

#endif
