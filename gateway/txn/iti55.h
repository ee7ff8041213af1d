/*
 * ITI-55 Cross Gateway Patient Discovery: what the asking side adds to a leg (asking.h). The
 * answering side is iti55_responder (inbound.h). Source: ITI TF-2 3.55.
 */
#ifndef TXN_ITI55_H
#define TXN_ITI55_H

#include "txn/asking.h"

/* Write the question of <leg>: who is sought. */
MUST_CHECK struct status iti55_ask(struct asking *asking, struct leg *leg);
/* Read the partner's proven answer into leg->matches; matches of communities that the partner does
 * not speak for are dropped and counted in leg->dropped. */
MUST_CHECK struct status iti55_answer(struct asking *asking, struct leg *leg,
                                      const struct message *message);
/* The partner's acknowledgement of a deferred question: leg->is_owed. ERR_PARTNER_REFUSED: it says
 * why it will not answer. */
MUST_CHECK struct status iti55_acknowledged(struct asking *asking, struct leg *leg,
                                            const struct message *message);
/* The same question to our own store. */
MUST_CHECK struct status iti55_ask_store(struct asking *asking, struct leg *leg,
                                         enum answer *ret_answer);

/* The same of a search (ITI-47; demographics.c). */
MUST_CHECK struct status demographics_ask_store(struct asking *asking, struct leg *leg,
                                                enum answer *ret_answer);

struct inbound;
/* MCCI_IN000002UV01: a deferred question is taken note of (ITI TF-2 3.55.6.2), to in->payload. */
MUST_CHECK struct status iti55_write_accepted(struct inbound *in);
/* An answer to <query> that says why not (ITI TF-2 3.55.4.2.3, case 5), to in->payload. */
MUST_CHECK struct status iti55_write_error(struct inbound *in, const struct xcpd_query *query,
                                           enum err code);

#endif
