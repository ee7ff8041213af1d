/*
 * The journal as a command or the node opens it: where the configuration says, with its keys.
 * Thread: the program's.
 */
#ifndef CLI_JOURNAL_H
#define CLI_JOURNAL_H

#include "audit/journal.h"
#include "config/config.h"

/* Borrows from the configuration, which outlives it and whatever was opened with it. */
static inline struct journal_place
cli_journal_place(const struct config *config)
{
    return (struct journal_place){.dir = config->journal_dir, .keys = &config->audit.keys};
}

/* For a command: the first free chain "cli-N", with the rules of `audit:`. */
MUST_CHECK struct status cli_journal_open(const struct config *config, struct diag *diag,
                                          struct journal **ret_journal);
/* What `audit:` says about the journal's writing, from now on. <keeps_reserve>: a node does, a
 * command does not. */
MUST_CHECK struct status cli_journal_rules(struct journal *journal, const struct config *config,
                                           bool keeps_reserve, struct diag *diag);
/* To be called behind the opening and journal_end_intents: when an earlier process of this chain
 * went on without records, the audit says so, and how many they were. *ret_n: that many. */
MUST_CHECK struct status cli_journal_missing(struct journal *journal, const struct config *config,
                                             struct diag *diag, uint64_t *ret_n);
/* Puts a checkpoint behind what a command wrote (<credential> NULL: none), then closes. <place>: as
 * it was opened. A failure to sign is logged. NULL is fine. */
void cli_journal_close(struct journal *journal, const struct journal_place *place,
                       const struct credential *credential);

#endif
