/*
 * ITI-56 Patient Location Query: what the asking side adds to a leg (asking.h). The answering side
 * is iti56_responder (inbound.h). Source: ITI TF-2 3.56.
 */
#ifndef TXN_ITI56_H
#define TXN_ITI56_H

#include "txn/asking.h"

/* Where the patient of leg->patient_id is known, please. */
MUST_CHECK struct status iti56_ask(struct asking *asking, struct leg *leg);
/* The partner's proven answer, into leg->matches: communities and their ids of the patient. They
 * are hearsay, shown to who asked and not asked by themselves. */
MUST_CHECK struct status iti56_answer(struct asking *asking, struct leg *leg,
                                      const struct message *message);

#endif
