/*
 * Sources without documents among those whom an asking asks (asking.h): suppliers of demographics
 * (ITI TF-2 3.47), who say who somebody is, and managers of cross-references (3.45), who say by
 * which ids he is known. Called by the rounds and legs of an asking, on the thread that has it.
 *
 * Neither is believed. Whom a supplier gives is compared with the question by the rules of
 * store/match.h; who may be the one is learned by our patient index, and the index alone then
 * answers, as it does for people of documents: one decision about everybody, ids of our own.
 */
#ifndef TXN_SUPPLIERS_H
#define TXN_SUPPLIERS_H

#include "txn/asking.h"

#define SUPPLIER_PEOPLE_MAX ((unsigned)64) /* that one answer may have; more is "too many" */

/* ---- demographics (supplier_people.c) ---- */

/* A leg to each supplier, when the order wants our own community. */
MUST_CHECK struct status suppliers_plan_people(struct asking *asking);
/* Are suppliers among those of the current round? Then our own store is asked after them. */
bool suppliers_are_asked(const struct asking *asking);
/* As leg_kind.ask and leg_kind.answer. ERR_TOO_MANY_RESULTS, ERR_PARTNER_REFUSED. */
MUST_CHECK struct status supplier_ask_people(struct asking *asking, struct leg *leg);
MUST_CHECK struct status supplier_answer_people(struct asking *asking, struct leg *leg,
                                                const struct message *message);
/* A step: our index learns whom the suppliers gave, and is asked itself. */
enum txn_verdict suppliers_step_learn(struct txn *txn);

#endif
