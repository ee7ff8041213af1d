/*
 * ITI-39 Cross Gateway Retrieve: what the asking side adds to a leg (asking.h). The answering side
 * is iti39_responder (inbound.h). Source: ITI TF-2 3.39.
 */
#ifndef TXN_ITI39_H
#define TXN_ITI39_H

#include "txn/asking.h"
#include "txn/inbound.h"

MUST_CHECK struct status iti39_ask(struct asking *asking, struct leg *leg);
/* Documents that were not asked for are dropped and counted. */
MUST_CHECK struct status iti39_answer(struct asking *asking, struct leg *leg,
                                      const struct message *message);
MUST_CHECK struct status iti39_ask_store(struct asking *asking, struct leg *leg,
                                         enum answer *ret_answer);
/* The answer's documents as the parts of the package that carries them. */
MUST_CHECK struct status iti39_add_parts(struct inbound *in, const struct retrieve_answer *answer);
/* The errorCode of a failure: a repository's (ITI TF-3 Table 4.2.4.1-2). */
struct span iti39_error_code(enum err code);

#endif
