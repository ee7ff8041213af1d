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

/* Puts a checkpoint behind what a command wrote (<credential> NULL: none), then closes. <place>: as
 * it was opened. A failure to sign is logged. NULL is fine. */
void cli_journal_close(struct journal *journal, const struct journal_place *place,
                       const struct credential *credential);

#endif
