/*
 * What another configuration would change, in words: for the log and the audit record of a reload.
 * No secret is in it. Thread: any.
 */
#ifndef CONFIG_CONFIG_CHANGES_H
#define CONFIG_CONFIG_CHANGES_H

#include "config/config.h"

/* What a running node cannot take over: its community, the store's and the journal's place.
 * ERR_CONFIG names the key, what it is and what it would be. */
MUST_CHECK struct status config_may_replace(const struct config *old, const struct config *other,
                                            struct diag *diag);

/* "partner green: removed", one call per change; <what> lives during the call. Partners are
 * compared by what their records say, credentials by certificate, trust by anchors and by when
 * their revocation lists end. */
typedef void (*config_say)(void *arg, const char *what);
void config_changes(const struct config *old, const struct config *other, config_say say,
                    void *arg);

#endif
