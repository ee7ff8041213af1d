/*
 * All destinations of a node's audit records: a ship (ship.h) for each entry of
 * `audit.repositories`, kept as the configuration in force says.
 *
 * Owner: the program. fleet_set, fleet_stop and fleet_free are for one thread; fleet_read for any,
 * until fleet_free.
 */
#ifndef AUDIT_FLEET_H
#define AUDIT_FLEET_H

#include "audit/ship.h"
#include "config/config.h"

struct fleet;

struct fleet_options {
    const struct journal_place *place; /* outlives the fleet */
    const struct clock *clock;
    struct journal *journal; /* see ship_options, this and the next two */
    void (*on_alarm)(void *arg, const char *name, bool is_lost, const char *why);
    void *alarm_arg;
};
/* Without destinations. ERR_NO_MEMORY. */
MUST_CHECK struct status fleet_new(const struct fleet_options *options, struct diag *diag,
                                   struct fleet **ret_fleet);
/* From now on as <config> says: what is new begins, what is gone says farewell and ends (at most
 * two seconds), and what stays goes on by the new settings. Every destination that can be served
 * is; the first failure is told (ERR_NO_MEMORY, ERR_IO, ERR_CRYPTO). */
MUST_CHECK struct status fleet_set(struct fleet *fleet, const struct config *config,
                                   struct diag *diag);
/* How each of them goes, in the order of the configuration; how many. */
size_t fleet_read(struct fleet *fleet, struct ship_state ret_states[CONFIG_AUDIT_MAX]);
/* They send what is there, and end by <until_us> (mono). Waits. */
void fleet_stop(struct fleet *fleet, int64_t until_us);
void fleet_free(struct fleet *fleet); /* NULL is fine */

#endif
