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
/* A step: our index learns whom the suppliers gave, and is asked itself; ids are taken. */
enum txn_verdict suppliers_step_learn(struct txn *txn);

/* ---- cross-references (supplier_ids.c): the round before one that asks registries ---- */

/* Is there such a round in this order? */
bool suppliers_know_ids(const struct asking_order *order, const struct node *node);
/* For each known patient and each authority of which our index has no id for him: a leg to each
 * manager that may be asked by an id that it has. */
MUST_CHECK struct status suppliers_plan_ids(struct asking *asking);
/* As leg_kind.ask and leg_kind.answer. ERR_TOO_MANY_RESULTS, ERR_PARTNER_REFUSED. */
MUST_CHECK struct status supplier_ask_ids(struct asking *asking, struct leg *leg);
MUST_CHECK struct status supplier_answer_ids(struct asking *asking, struct leg *leg,
                                             const struct message *message);
/* The part of the step for that round: ids that nothing contradicts are known from then on. WAIT:
 * call again. */
enum txn_verdict suppliers_use_ids(struct asking *asking);
/* Why no manager gave an id of <authority> for the patient; NULL: they have none, or were not
 * asked. */
const struct diag *suppliers_why_no_id(const struct asking *asking, const struct ident *id,
                                       const char *authority);

#endif
