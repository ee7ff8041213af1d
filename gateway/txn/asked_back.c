/*
 * See asked_back.h. Both sides use the store's correlations; the asked side is called by iti55.c,
 * the asking side by asking.c's steps and the plan. Ids come from proven messages only, and the
 * policy has decided about each question before anything of it is kept.
 */
#include "txn/asked_back.h"

#include "store/correlation.h"

#define IDS_MAX ((size_t)8) /* by which one community is asked about one patient */

/* No question has this asker, and none asks for nobody. */
struct status
asked_back_key(const struct ident *own, struct span community, struct diag *diag,
               struct correlation_key *ret_key)
{
    struct span asker[] = {SPAN("asked us")};
    const struct span_list askers = {asker, ARRAY_LEN(asker), ARRAY_LEN(asker)};
    const struct patient nobody = {.sex = SPAN_EMPTY};
    struct correlation_key key = {.local = *own, .asked = community};

    TRY(correlation_digest(&nobody, &askers, diag, key.question));
    *ret_key = key;
    return OK;
}

/* ---- asked ---- */

/* An individual's own question is answered for him alone. */
static bool
may_be_kept(const struct inbound *in, const struct xcpd_query *query, const struct patient *ours,
            int64_t kept_us)
{
    return kept_us > 0 && in->node->config->discovery.remember_us > 0 && in->individual == NULL &&
           query->sender_home.n > 0 && ours->ids.n > 0 && xcpd_query_reverse_id(query) != NULL;
}

static struct status
learn(struct inbound *in, const struct xcpd_query *query, const struct patient *ours,
      int64_t kept_us, struct diag *diag, enum answer *ret_answer)
{
    const struct node *node = in->node;
    const int64_t now_us = clock_wall_us(node->clock);
    const int64_t most_us = node->config->discovery.remember_us;
    struct ident id = *xcpd_query_reverse_id(query);
    struct correlation_match match = {
        .community = query->sender_home, .patient = query->subject, .degree = -1};
    struct correlation correlation = {
        .partner = span_of_cstr(in->proof.partner->id),
        .matches = {&match, 1, 1},
        .learned_us = now_us,
        .until_us = now_us + (kept_us < most_us ? kept_us : most_us),
    };

    match.patient.ids = (struct ident_list){&id, 1, 1};
    TRY(asked_back_key(&ours->ids.items[0], query->sender_home, diag, &correlation.key));
    return store_learn_correlations(node->store, &correlation, 1, &in->txn.park, diag, ret_answer);
}

/* REQ: ITI55-query-reverse */
enum txn_verdict
asked_back_learn(struct inbound *in, const struct xcpd_query *query, const struct patient *ours,
                 int64_t kept_us)
{
    struct txn *txn = &in->txn;
    enum answer answer = ANSWER_NOW;
    struct diag why = {0};
    struct status st;

    if (!may_be_kept(in, query, ours, kept_us)) {
        return TXN_DONE;
    }
    txn_expect(txn);
    st = learn(in, query, ours, kept_us, &why, &answer);
    if (txn_settle(txn, OK, is_ok(st) ? answer : ANSWER_NOW) == TXN_WAIT) {
        return TXN_WAIT;
    }
    if (!is_ok(st)) {
        LOG_EVENT(LOG_LEVEL_WARNING, "asker-not-kept", LOG_ID("txn", txn->id), LOG_DIAG(&why));
    }
    return TXN_DONE;
}

/* ---- asking ---- */

static bool
is_ours(const struct asking *asking, const struct ident *id)
{
    return id->extension.n > 0 && span_eq_cstr(id->root, asking->node->config->patient_authority);
}

const struct ident *
asked_back_own_id(const struct asking *asking)
{
    const struct ident_list *ids = &asking->order.who.ids;

    for (size_t i = 0; i < ids->n; i++) {
        if (is_ours(asking, &ids->items[i])) {
            return &ids->items[i];
        }
    }
    return NULL;
}

static bool
may_be_elsewhere(const struct asking *asking)
{
    const struct asking_order *order = &asking->order;

    return order->goal == ASKING_QUERY && rounds_transaction(asking) == SOAP_ITI_38 &&
           !order->is_own_only && order->collect.n == 0 && order->id_token.n == 0 &&
           asking->node->store != NULL && asking->node->config->discovery.remember_us > 0 &&
           is_ours(asking, &order->patient_id);
}

/* REQ: ITI55-asked-back */
enum txn_verdict
asked_back_step(struct txn *txn)
{
    struct asking *asking = (struct asking *)txn;
    enum answer answer = ANSWER_NOW;
    struct diag why = {0};
    struct status st;

    if (!may_be_elsewhere(asking)) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    txn_expect(txn);
    st = store_correlated_ids(asking->node->store, &asking->order.patient_id, &txn->park,
                              txn->arena, &why, &answer, &asking->elsewhere);
    if (txn_settle(txn, OK, is_ok(st) ? answer : ANSWER_NOW) == TXN_WAIT) {
        return TXN_WAIT;
    }
    if (!is_ok(st)) {
        LOG_EVENT(LOG_LEVEL_WARNING, "remembered-unread", LOG_ID("txn", txn->id), LOG_DIAG(&why));
    }
    return TXN_DONE;
}

static struct status
add_leg(struct asking *asking, const struct partner *partner, struct span community,
        const struct ident *id)
{
    struct leg *leg;

    TRY(asking_add_leg(asking, SOAP_ITI_38, partner, community, &leg));
    leg->patient_id = *id;
    return OK;
}

static bool
is_planned(const struct asking *asking, size_t first, const struct ident *id)
{
    const struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = first; i < legs->n; i++) {
        if (ident_eq(&legs->items[i].patient_id, id)) {
            return true;
        }
    }
    return false;
}

struct status
asked_back_plan(struct asking *asking, const struct partner *partner, struct span community)
{
    const struct leg_list *legs = &asking->legs[asking->round];
    const size_t first = legs->n;

    for (size_t i = 0; i < asking->elsewhere.n && legs->n < first + IDS_MAX; i++) {
        const struct correlation_match *known = &asking->elsewhere.items[i];
        const struct ident *id = &known->patient.ids.items[0];

        if (span_eq(known->community, community) && !is_planned(asking, first, id)) {
            TRY(add_leg(asking, partner, community, id));
        }
    }
    return legs->n > first || asking->order.to.n == 0
               ? OK
               : add_leg(asking, partner, community, &asking->order.patient_id);
}
