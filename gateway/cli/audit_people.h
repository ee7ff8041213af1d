/*
 * The ids by which the store knows one person. Thread: the program's.
 */
#ifndef CLI_AUDIT_PEOPLE_H
#define CLI_AUDIT_PEOPLE_H

#include "base/arena.h"
#include "base/patient.h"
#include "cli/cli.h"

/* Adds to the patients' ids (CX) the others of the same people: ours, and those of sources that are
 * believed. Somebody whom the store does not know keeps the ids that were given. False: it was said
 * why not. */
struct config;
struct store;
bool audit_people_add(const struct cli_command *command, const struct config *config,
                      struct arena *arena, struct span_list *patients);

/* The same from a store that is open. ERR_MESSAGE_CONTENT: an id without its authority is nobody's.
 */
MUST_CHECK struct status audit_people_find(struct store *store, struct arena *arena,
                                           struct diag *diag, struct span_list *patients);

#endif
