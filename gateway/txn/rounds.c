/*
 * Whom a round asks: from the order, or from what the round before found. Called by asking.c's
 * steps; pure but for the arena.
 */
#include "base/ids.h"
#include "txn/asked_back.h"
#include "txn/behind.h"
#include "txn/sources.h"
#include "txn/suppliers.h"

bool
rounds_want(const struct asking *asking, struct span community)
{
    const struct span_list *to = &asking->order.to;

    if (to->n == 0) {
        return true;
    }
    for (size_t i = 0; i < to->n; i++) {
        if (span_eq(to->items[i], community)) {
            return true;
        }
    }
    return false;
}

static enum soap_transaction
mode_of(const struct asking *asking, enum soap_transaction transaction,
        const struct partner *partner)
{
    return transaction == SOAP_ITI_55 && asking->order.is_deferred && partner->is_deferred &&
                   asking->node->store != NULL && asking->node->config->base_url != NULL
               ? SOAP_ITI_55_DEFERRED
               : transaction;
}

/* One discovery reaches all communities that a partner speaks for; a query is about one. Partners
 * that do not offer the transaction are asked only when the order names them, and fail then. */
static struct status
plan_partner(struct asking *asking, enum soap_transaction transaction,
             const struct partner *partner)
{
    const enum soap_transaction mode = mode_of(asking, transaction, partner);
    struct leg *leg;

    if (asking->order.to.n == 0 && leg_url(partner, transaction) == NULL) {
        return OK;
    }
    for (size_t i = 0; i < partner->communities.n; i++) {
        const struct span community = span_of_cstr(partner->communities.items[i]);

        if (!rounds_want(asking, community)) {
            continue;
        }
        if (transaction == SOAP_ITI_38 && asking->elsewhere.n > 0) {
            TRY(asked_back_plan(asking, partner, community));
            continue;
        }
        TRY(asking_add_leg(asking, mode, partner, community, &leg));
        leg->patient_id = asking->order.patient_id;
        if (transaction == SOAP_ITI_55 || transaction == SOAP_ITI_56) {
            break;
        }
    }
    return OK;
}

/* A leg to our own store, to every source and to every partner that the order wants. Who is known
 * in ITI-55 is our own store's to say. */
static struct status
plan_everyone(struct asking *asking, enum soap_transaction transaction)
{
    const struct config *config = asking->node->config;
    const struct span own = span_of_cstr(config->community);
    struct leg *leg;

    if (asking->node->store != NULL && !asking->order.leaves_store && rounds_want(asking, own) &&
        (config->asks_store || transaction == SOAP_ITI_55)) {
        TRY(asking_add_leg(asking, transaction, NULL, own, &leg));
        leg->patient_id = asking->order.patient_id;
    }
    if (transaction == SOAP_ITI_55) {
        TRY(suppliers_plan_people(asking));
    } else if (transaction == SOAP_ITI_38) {
        TRY(sources_plan_query(asking, &asking->order.patient_id, NULL));
    }
    TRY(behind_plan(asking, transaction));
    for (size_t i = 0; i < config->partners_n && !asking->order.is_own_only; i++) {
        TRY(plan_partner(asking, transaction, &config->partners[i]));
    }
    return OK;
}

/* Several candidates in one community: which of them is meant is not ours to guess. */
static bool
is_only_match(const struct leg *found, size_t at)
{
    for (size_t i = 0; i < found->matches.n; i++) {
        if (i != at && span_eq(found->matches.items[i].home, found->matches.items[at].home)) {
            return false;
        }
    }
    return true;
}

/* REQ: ITI55-answering-community */
static struct status
plan_query_of_matches(struct asking *asking)
{
    const struct leg_list *discovered = &asking->legs[0];

    for (size_t i = 0; i < discovered->n; i++) {
        const struct leg *found = &discovered->items[i];

        for (size_t m = 0; m < found->matches.n; m++) {
            const struct xcpd_match *match = &found->matches.items[m];
            struct leg *leg;

            if (found->state != LEG_ANSWERED || match->patient.ids.n == 0 ||
                !is_only_match(found, m)) {
                continue;
            }
            if (found->partner == NULL) {
                TRY(sources_plan_query(asking, &match->patient.ids.items[0], &match->patient));
            }
            if (found->partner == NULL && !asking->node->config->asks_store) {
                continue;
            }
            TRY(asking_add_leg(asking, SOAP_ITI_38, found->partner, match->home, &leg));
            leg->patient_id = match->patient.ids.items[0];
            leg->patient = match->patient;
        }
    }
    return OK;
}

/* asking_new has seen to it that there is one community: a partner's, or that of our store. */
static struct status
plan_provide(struct asking *asking)
{
    const struct span community = asking->order.to.items[0];
    struct leg *leg;

    return asking_add_leg(asking, SOAP_ITI_80,
                          config_partner_of_community(asking->node->config, community), community,
                          &leg);
}

/* The id is one that the asked community gave: it alone can say where else its patient is known. */
static struct status
plan_locate(struct asking *asking)
{
    const struct config *config = asking->node->config;

    for (size_t i = 0; i < config->partners_n; i++) {
        TRY(plan_partner(asking, SOAP_ITI_56, &config->partners[i]));
    }
    return OK;
}

enum soap_transaction
rounds_transaction(const struct asking *asking)
{
    static const enum soap_transaction by_round[ASKING_ROUNDS] = {
        SOAP_ITI_55, SOAP_ITI_38, SOAP_ITI_39, SOAP_ITI_80, SOAP_ITI_45, SOAP_ITI_56};

    return by_round[asking->round];
}

struct status
rounds_plan(struct asking *asking)
{
    const bool is_gather = asking->order.goal == ASKING_GATHER;

    if (asking->order.collect.n > 0) {
        return asking_plan_collect(asking);
    }
    switch (asking->round) {
    case 0:
        return plan_everyone(asking, SOAP_ITI_55);
    case 1:
        return is_gather                               ? plan_query_of_matches(asking)
               : asking->order.goal == ASKING_RETRIEVE ? sources_plan_metadata(asking)
                                                       : plan_everyone(asking, SOAP_ITI_38);
    case ASKING_ROUND_IDS:
        return suppliers_plan_ids(asking);
    case ASKING_ROUND_LOCATE:
        return plan_locate(asking);
    case 3:
        return asking->is_judged ? sources_plan_documents(asking) : plan_provide(asking);
    default:
        return asking->is_judged ? sources_plan_members(asking) : rounds_plan_retrieve(asking);
    }
}
