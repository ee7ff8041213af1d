/*
 * See behind.h. Called on workers; what is made lives in the asking's arena, answers' lists are
 * changed in place.
 */
#include "txn/behind.h"

#include <string.h>

#include "base/ids.h"
#include "soap/passed.h"
#include "txn/sources.h"
#include "txn/withheld.h"

bool
leg_is_behind(const struct leg *leg)
{
    return leg->partner != NULL && partner_is_behind(leg->partner);
}

/* ---- policy ---- */

static bool
is_permitted(const struct config *config, const struct policy_facts *facts, struct span community)
{
    struct policy_facts about = *facts;

    about.asked = community;
    return policy_decide(config->policy, &about).verdict == POLICY_PERMIT;
}

/* REQ: DOWN-policy-hides */
bool
behind_is_visible(const struct config *config, const struct policy_facts *facts,
                  struct span community)
{
    return config_gateway_of_community(config, community) == NULL ||
           is_permitted(config, facts, community);
}

void
behind_decide(const struct asking *asking, struct leg *leg)
{
    if (!leg_is_behind(leg)) {
        return;
    }
    leg->facts.asked = leg->community;
    leg->decision = policy_decide(asking->node->config->policy, &leg->facts);
    if (leg->decision.verdict != POLICY_PERMIT) {
        leg->state = LEG_DENIED;
        (void)FAIL(&leg->diag, ERR_UNKNOWN_COMMUNITY, "our own policy, rule '%s': %s",
                   leg->decision.rule, leg->decision.reason);
    }
}

bool
behind_may_show(const struct asking *asking, const struct leg *leg, struct span home)
{
    struct span oid;

    return !leg_is_behind(leg) || !home_community_oid(home, &oid) || span_eq(oid, leg->community) ||
           is_permitted(asking->node->config, &leg->facts, oid);
}

/* ---- circles ---- */

/* Has the question come from this gateway, or passed it? */
static bool
has_passed(const struct asking *asking, const struct partner *gateway)
{
    const struct asking_order *order = &asking->order;

    for (size_t i = 0; i < order->passed.n; i++) {
        if (partner_speaks_for(gateway, order->passed.items[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < order->asker_names.n; i++) {
        for (size_t k = 0; k < gateway->tls_names.n; k++) {
            if (strcmp(order->asker_names.items[i], gateway->tls_names.items[k]) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool
goes_in_circles(const struct asking *asking)
{
    const struct span_list *passed = &asking->order.passed;

    for (size_t i = 0; i < passed->n; i++) {
        if (span_eq_cstr(passed->items[i], asking->node->config->community)) {
            return true;
        }
    }
    return passed->n > PASSED_MAX;
}

/* REQ: DOWN-no-circle */
bool
behind_may_ask(const struct asking *asking, const struct partner *gateway, struct span community,
               struct diag *why)
{
    if (goes_in_circles(asking) || has_passed(asking, gateway)) {
        (void)FAIL(why, ERR_UNKNOWN_COMMUNITY,
                   "the question has come from %s, or passed this node before: it would go round",
                   gateway->id);
        return false;
    }
    if (asking->order.facts != NULL &&
        !is_permitted(asking->node->config, asking->order.facts, community)) {
        (void)FAIL(why, ERR_UNKNOWN_COMMUNITY, "our own policy does not let the asker see %s",
                   gateway->id);
        return false;
    }
    return true;
}

struct status
behind_list_passed(const struct asking *asking, struct diag *diag, struct span_list *ret_passed)
{
    const struct asking_order *order = &asking->order;
    struct span_list passed = {0};

    for (size_t i = 0; i < order->passed.n; i++) {
        TRY(ARENA_PUSH(asking->txn.arena, diag, &passed, order->passed.items[i]));
    }
    TRY(ARENA_PUSH(asking->txn.arena, diag, &passed,
                   span_of_cstr(asking->node->config->community)));
    *ret_passed = passed;
    return OK;
}

/* REQ: DOWN-asserts */
const char *
behind_home(const struct asking *asking, const struct leg *leg)
{
    return leg_is_behind(leg) && leg->partner->source->asserts_asker &&
                   asking->order.asker_home.n > 0
               ? asking->order.asker_home.p
               : asking->node->config->community;
}

/* ---- plans ---- */

static bool
has_authority(const struct ident *id, const char *authority)
{
    return authority != NULL && span_eq_cstr(id->root, authority);
}

/* By its authority: may the participant know this id? */
static bool
may_know(const struct asking *asking, const struct config_source *source, const struct ident *id)
{
    return source->patient_authority == NULL
               ? !has_authority(id, asking->node->config->patient_authority)
               : has_authority(id, source->patient_authority);
}

bool
behind_needs_other_id(const struct asking *asking, const struct ident *id)
{
    const struct config *config = asking->node->config;

    for (size_t i = config->partners_n; i < config->reached_n; i++) {
        const struct config_source *source = config->partners[i].source;

        if (partner_is_behind(&config->partners[i]) && asking->order.to.n == 0 &&
            source->patient_authority != NULL && !may_know(asking, source, id)) {
            return true;
        }
    }
    return false;
}

static struct status
add_query_leg(struct asking *asking, const struct partner *gateway, struct span community,
              const struct ident *id, struct span given_patient)
{
    struct leg *leg;

    TRY(asking_add_leg(asking, SOAP_ITI_38, gateway, community, &leg));
    leg->patient_id = *id;
    leg->given_patient = given_patient;
    return OK;
}

/* With the ids of its authority that our patient index has for the same person. */
static struct status
plan_known_ids(struct asking *asking, const struct partner *gateway, struct span community)
{
    struct txn *txn = &asking->txn;
    const struct ident *id = &asking->order.patient_id;
    size_t n = 0;
    struct span given;

    for (size_t i = 0; i < asking->known.n; i++) {
        const struct known_ids *known = &asking->known.items[i];

        for (size_t k = 0; ident_eq(&known->id, id) && k < known->others.n; k++) {
            if (has_authority(&known->others.items[k], gateway->source->patient_authority) &&
                n++ < SOURCE_IDS_MAX) {
                TRY(ident_write_cx(txn->arena, id, &txn->diag, &given));
                TRY(add_query_leg(asking, gateway, community, &known->others.items[k], given));
            }
        }
    }
    return OK;
}

/* REQ: DOWN-query-routing */
static struct status
plan_query(struct asking *asking, const struct partner *gateway, struct span community)
{
    const struct asking_order *order = &asking->order;
    const struct ident *id = &order->patient_id;

    if (id->root.n == 0 || order->to.n > 0 || may_know(asking, gateway->source, id)) {
        return add_query_leg(asking, gateway, community, id, SPAN_EMPTY);
    }
    return plan_known_ids(asking, gateway, community);
}

static struct status
plan_refused(struct asking *asking, enum soap_transaction transaction,
             const struct partner *gateway, struct span community, const struct diag *why)
{
    struct leg *leg;

    if (asking->order.to.n == 0) {
        return OK;
    }
    TRY(asking_add_leg(asking, transaction, gateway, community, &leg));
    leg->diag = *why;
    return OK;
}

static struct status
plan_gateway(struct asking *asking, enum soap_transaction transaction,
             const struct partner *gateway)
{
    struct leg *leg;

    for (size_t i = 0; i < gateway->communities.n; i++) {
        const struct span community = span_of_cstr(gateway->communities.items[i]);
        struct diag why = {0};

        if (!rounds_want(asking, community)) {
            continue;
        }
        if (!behind_may_ask(asking, gateway, community, &why)) {
            TRY(plan_refused(asking, transaction, gateway, community, &why));
        } else if (transaction == SOAP_ITI_38) {
            TRY(plan_query(asking, gateway, community));
        } else { /* one discovery reaches all of them */
            return asking_add_leg(asking, transaction, gateway, community, &leg);
        }
    }
    return OK;
}

/* REQ: DOWN-discovery */
struct status
behind_plan(struct asking *asking, enum soap_transaction transaction)
{
    const struct config *config = asking->node->config;

    if (transaction != SOAP_ITI_55 && transaction != SOAP_ITI_38) {
        return OK;
    }
    for (size_t i = config->partners_n; i < config->reached_n; i++) {
        if (partner_is_behind(&config->partners[i])) {
            TRY(plan_gateway(asking, transaction, &config->partners[i]));
        }
    }
    return OK;
}

/* ---- answers ---- */

static struct status
adopt_documents(struct asking *asking, struct leg *leg, struct document_list *documents)
{
    size_t kept = 0;

    for (size_t i = 0; i < documents->n; i++) {
        const struct document_entry *entry = &documents->items[i];

        if (behind_may_show(asking, leg, entry->home) &&
            leg_may_disclose(asking, leg, &entry->confidentiality)) {
            documents->items[kept++] = *entry;
        } else {
            TRY(withheld_add_document(&leg->withheld, entry, leg->arena, &leg->diag));
        }
    }
    documents->n = kept;
    return OK;
}

static struct status
adopt_packages(struct asking *asking, struct leg *leg, struct registry_objects *objects)
{
    size_t sets = 0, folders = 0;

    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        const struct submission_set *set = &objects->submission_sets.items[i];

        if (behind_may_show(asking, leg, set->home)) {
            objects->submission_sets.items[sets++] = *set;
        } else {
            TRY(withheld_add(&leg->withheld, set->entry_uuid, leg->arena, &leg->diag));
        }
    }
    objects->submission_sets.n = sets;
    for (size_t i = 0; i < objects->folders.n; i++) {
        const struct folder *folder = &objects->folders.items[i];

        if (behind_may_show(asking, leg, folder->home)) {
            objects->folders.items[folders++] = *folder;
        } else {
            TRY(withheld_add(&leg->withheld, folder->entry_uuid, leg->arena, &leg->diag));
        }
    }
    objects->folders.n = folders;
    return OK;
}

/* REQ: DOWN-policy-withholds */
struct status
behind_adopt(struct asking *asking, struct leg *leg, struct registry_objects *objects)
{
    TRY(adopt_documents(asking, leg, &objects->documents));
    TRY(adopt_packages(asking, leg, objects));
    for (size_t i = 0; i < objects->others.n; i++) { /* nobody here can judge them */
        leg_drop(asking, leg, "gave an object of an unknown kind");
    }
    objects->others = (struct span_list){0};
    return OK;
}
