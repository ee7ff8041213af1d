/*
 * Whole nodes that are killed. Main thread.
 */
#ifndef FAULT_NODES_H
#define FAULT_NODES_H

#include "tests/fault/fault.h"

struct nodes_plan {
    const char *program, *config; /* isthmus serve -c config */
    const char *journal;          /* that it writes */
    const char *log;              /* where its standard error goes */
    const char *questions;        /* that simulated partners write */
    uint16_t port;                /* of its local listener, plain */
};
/* <config> knows the simulated partners p001 to p003. */
MUST_CHECK struct status fault_nodes(const struct fault_plan *plan, const struct nodes_plan *nodes,
                                     struct diag *diag, struct tally *tally);

#endif
