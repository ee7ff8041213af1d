/*
 * Answers to ITI-55 that partners allowed to be kept (store/correlation.h), and to ITI-45 of our
 * own managers of cross-references: used again before a question leaves, and learned when answers
 * have come. Steps of asking.c's table, on workers. Only where the configuration wants it
 * (discovery: remember; remember of a source), never past a partner's own time, and never for
 * another question: who is asked for must be the same to the letter. Our policy has
 * decided by then whether the partner might have been asked, and what is remembered passes the same
 * checks as an answer that comes.
 */
#include "base/mem.h"
#include "store/correlation.h"
#include "txn/asked_back.h"

/* An individual's own question is answered for him alone: nothing of it is kept. What is collected
 * was answered a while ago, for an assertion that is not known any more. */
static bool
remembers(const struct asking *asking)
{
    return (rounds_transaction(asking) == SOAP_ITI_55 || asking->round == ASKING_ROUND_IDS) &&
           asking->node->store != NULL && asking->order.id_token.n == 0 &&
           asking->order.collect.n == 0;
}

/* How long we keep such an answer at most; 0: not at all. */
static int64_t
most_us(const struct asking *asking, const struct leg *leg)
{
    if (leg->transaction == SOAP_ITI_45) {
        return leg->partner->source->remember_us;
    }
    return leg->partner->source == NULL ? asking->node->config->discovery.remember_us : 0;
}

/* Cross-references of a patient by one manager in one domain. */
static struct status
make_ids_key(const struct leg *leg, struct diag *diag, struct correlation_key *ret_key)
{
    const struct patient nobody = {0};
    struct span asked[] = {SPAN("ITI-45"), span_of_cstr(leg->partner->id), leg->wanted};
    const struct span_list asks = {asked, ARRAY_LEN(asked), ARRAY_LEN(asked)};
    struct correlation_key key = {.local = leg->patient_id, .asked = leg->community};

    TRY(correlation_digest(&nobody, &asks, diag, key.question));
    *ret_key = key;
    return OK;
}

static struct status
make_key(const struct asking *asking, const struct leg *leg, struct diag *diag,
         struct correlation_key *ret_key)
{
    const struct asking_order *order = &asking->order;
    const struct patient *who = &order->who;
    struct span asker[] = {span_of_cstr(order->purpose),
                           span_of_cstr(order->purpose_system),
                           span_of_cstr(order->role),
                           span_of_cstr(order->organization_id),
                           span_of_cstr(order->npi),
                           order->delegator,
                           order->resource_id};
    const struct span_list asks = {asker, ARRAY_LEN(asker), ARRAY_LEN(asker)};
    struct correlation_key key = {.asked = leg->community};

    if (leg->transaction == SOAP_ITI_45) {
        return make_ids_key(leg, diag, ret_key);
    }
    if (who->ids.n > 0) {
        key.local = who->ids.items[0];
    }
    TRY(correlation_digest(who, &asks, diag, key.question));
    *ret_key = key;
    return OK;
}

/* ---- before a question leaves ---- */

/* Lowering the configuration's time counts at once. */
static bool
may_be_used(const struct asking *asking, const struct leg *leg, const struct correlation *found)
{
    return found->learned_us + most_us(asking, leg) > clock_wall_us(asking->node->clock);
}

static struct status
take_found_ids(struct leg *leg, const struct correlation *found)
{
    for (size_t i = 0; i < found->matches.n; i++) {
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->ids,
                       found->matches.items[i].patient.ids.items[0]));
    }
    return OK;
}

static struct status
take_found(struct asking *asking, struct leg *leg, const struct correlation *found)
{
    for (size_t i = 0; i < found->matches.n; i++) {
        const struct correlation_match *known = &found->matches.items[i];
        const struct xcpd_match match = {
            .patient = known->patient, .home = known->community, .degree = known->degree};

        if (leg->transaction != SOAP_ITI_45 && leg_may_name(asking, leg, match.home)) {
            TRY(leg_take_match(asking, leg, &match));
        }
    }
    if (leg->transaction == SOAP_ITI_45) {
        TRY(take_found_ids(leg, found));
    }
    leg->result = leg->matches.n > 0 ? XCPD_MATCH : XCPD_NONE;
    leg->is_remembered = true;
    leg->state = LEG_ANSWERED;
    return OK;
}

/* What cannot be recalled is asked for. */
static struct status
recall(struct asking *asking, struct leg *leg, struct diag *why, enum answer *ret_answer)
{
    struct correlation_key key;
    struct correlation found;
    bool is_known = false;

    TRY(leg_arena(asking, leg));
    TRY(leg->is_unknown ? asked_back_key(asked_back_own_id(asking), leg->community, why, &key)
                        : make_key(asking, leg, why, &key));
    TRY(store_find_correlation(asking->node->store, &key, &asking->txn.park, leg->arena, why,
                               ret_answer, &is_known, &found));
    if (*ret_answer == ANSWER_LATER || !is_known || !may_be_used(asking, leg, &found)) {
        return OK;
    }
    return take_found(asking, leg, &found);
}

static void
tell(const struct asking *asking, const char *event, const struct diag *why)
{
    LOG_EVENT(LOG_LEVEL_WARNING, event, LOG_ID("txn", asking->txn.id), LOG_DIAG(why));
}

enum txn_verdict
asking_step_recall(struct txn *txn)
{
    struct asking *asking = asking_of(txn);
    struct leg_list *legs = asking_legs(asking);

    if (!remembers(asking) || asking->order.is_fresh) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    while (asking->next < legs->n) {
        struct leg *leg = &legs->items[asking->next];
        enum answer answer = ANSWER_NOW;
        struct diag why = {0};

        if (leg_will_leave(leg) && most_us(asking, leg) > 0) {
            txn_expect(txn);
            const struct status st = recall(asking, leg, &why, &answer);

            if (txn_settle(txn, OK, is_ok(st) ? answer : ANSWER_NOW) == TXN_WAIT) {
                return TXN_WAIT;
            }
            if (!is_ok(st)) {
                tell(asking, "remembered-unread", &why);
            }
            if (leg->is_remembered) {
                asking_note_over(asking, asking->next);
            } else if (!leg->is_unknown && asked_back_own_id(asking) != NULL) {
                leg->is_unknown = true; /* but it may have asked us */
                continue;
            }
        }
        asking->next++;
    }
    asking->next = 0;
    return TXN_DONE;
}

/* ---- when answers have come ---- */

/* An answer that was not used as it came, or that asks for more, is not kept. */
/* REQ: ITI55-kept-no-longer */
static bool
may_be_kept(const struct asking *asking, const struct leg *leg)
{
    return leg->state == LEG_ANSWERED && leg->partner != NULL && !leg->is_remembered &&
           !leg->is_owed && leg->kept_us > 0 && leg->dropped == 0 && most_us(asking, leg) > 0 &&
           !leg->is_cut && (leg->result == XCPD_MATCH || leg->result == XCPD_NONE);
}

struct correlation_list {
    struct correlation *items;
    size_t n, capacity;
};

static struct status
note_answer(struct asking *asking, const struct leg *leg, struct correlation_list *list)
{
    const struct node *node = asking->node;
    const int64_t now_us = clock_wall_us(node->clock);
    const int64_t kept_us = most_us(asking, leg);
    struct txn *txn = &asking->txn;
    struct correlation answer = {
        .partner = span_of_cstr(leg->partner->id),
        .learned_us = now_us,
        .until_us = now_us + (leg->kept_us < kept_us ? leg->kept_us : kept_us),
    };

    TRY(make_key(asking, leg, &txn->diag, &answer.key));
    for (size_t i = 0; i < leg->matches.n; i++) {
        const struct correlation_match match = {leg->matches.items[i].home,
                                                leg->matches.items[i].patient,
                                                leg->matches.items[i].degree};

        TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.matches, match));
    }
    for (size_t i = 0; i < leg->ids.n; i++) {
        struct correlation_match match = {.community = leg->community, .degree = -1};

        TRY(ARENA_PUSH(txn->arena, &txn->diag, &match.patient.ids, leg->ids.items[i]));
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.matches, match));
    }
    return ARENA_PUSH(txn->arena, &txn->diag, list, answer);
}

/* That nothing could be kept is no reason not to use what came. */
enum txn_verdict
asking_step_learn(struct txn *txn)
{
    struct asking *asking = asking_of(txn);
    const struct leg_list *legs = asking_legs(asking);
    struct correlation_list list = {0};
    enum answer answer = ANSWER_NOW;
    struct diag why = {0};
    struct status st;

    if (!remembers(asking)) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    for (size_t i = 0; i < legs->n; i++) {
        if (may_be_kept(asking, &legs->items[i])) {
            TXN_TRY(note_answer(asking, &legs->items[i], &list));
        }
    }
    if (list.n == 0) {
        return TXN_DONE;
    }
    txn_expect(txn);
    st = store_learn_correlations(asking->node->store, list.items, list.n, &txn->park, &why,
                                  &answer);
    if (txn_settle(txn, OK, is_ok(st) ? answer : ANSWER_NOW) == TXN_WAIT) {
        return TXN_WAIT;
    }
    if (!is_ok(st)) {
        tell(asking, "answers-not-kept", &why);
    }
    return TXN_DONE;
}
