/*
 * ITI-38 Cross Gateway Query: what the asking side adds to a leg (asking.h). The answering side is
 * iti38_responder (inbound.h). Source: ITI TF-2 3.38.
 */
#ifndef TXN_ITI38_H
#define TXN_ITI38_H

#include "txn/asking.h"

/* FindDocuments, LeafClass, Approved, for leg->patient_id. */
MUST_CHECK struct status iti38_ask(struct asking *asking, struct leg *leg);
/* Entries of communities that the partner does not speak for are dropped and counted. */
MUST_CHECK struct status iti38_answer(struct asking *asking, struct leg *leg,
                                      const struct message *message);
MUST_CHECK struct status iti38_ask_store(struct asking *asking, struct leg *leg,
                                         enum answer *ret_answer);

#endif
