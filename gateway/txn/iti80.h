/*
 * ITI-80 Cross Gateway Document Provide: what the asking side adds to a leg (asking.h). The
 * answering side is iti80_responder (inbound.h). Source: XCDR 3.80, ITI TF-2 3.41.
 */
#ifndef TXN_ITI80_H
#define TXN_ITI80_H

#include "txn/asking.h"
#include "txn/provide.h"

/* The submission of the order, with the community as its target, and its documents as the parts of
 * the package. */
MUST_CHECK struct status iti80_ask(struct asking *asking, struct leg *leg);
/* Success, or the partner's errors: then leg->diag says so as well. */
MUST_CHECK struct status iti80_answer(struct asking *asking, struct leg *leg,
                                      const struct message *message);
/* Into our own store. */
MUST_CHECK struct status iti80_ask_store(struct asking *asking, struct leg *leg,
                                         enum answer *ret_answer);

#endif
