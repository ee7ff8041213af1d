/*
 * ITI-45 PIX Query, the consumer: before a round that asks registries with their own patient ids,
 * managers of cross-references are asked for those that our patient index does not have. Plan, legs
 * and a step of an asking, on workers; what an answer brings lives in the leg's arena. What is
 * learned is remembered by remembered.c. Source: ITI TF-2 3.45.
 */
#include "soap/pix.h"
#include "store/registry.h"
#include "txn/sources.h"
#include "txn/suppliers.h"

static struct leg_list *
legs_of(const struct asking *asking)
{
    return (struct leg_list *)&asking->legs[ASKING_ROUND_IDS];
}

static bool
has_root(const struct ident *id, const char *authority)
{
    return span_eq_cstr(id->root, authority);
}

/* The id of the known patient under that authority; NULL: our index has none. */
static const struct ident *
id_under(const struct known_ids *known, const char *authority)
{
    if (has_root(&known->id, authority)) {
        return &known->id;
    }
    for (size_t i = 0; i < known->others.n; i++) {
        if (has_root(&known->others.items[i], authority)) {
            return &known->others.items[i];
        }
    }
    return NULL;
}

/* ---- plan ---- */

bool
suppliers_know_ids(const struct asking_order *order, const struct node *node)
{
    return node->store != NULL && config_has_engine(node->config, CONFIG_ENGINE_PIX) &&
           config_has_external(node->config) &&
           (order->goal == ASKING_GATHER ||
            (order->goal == ASKING_QUERY && order->patient_id.root.n > 0));
}

/* One question for each domain: one that a manager does not know costs no other one. */
static struct status
plan_manager(struct asking *asking, const struct config_source *manager,
             const struct known_ids *known, const char *wanted)
{
    const struct ident *by = id_under(known, manager->patient_authority);
    struct leg *leg;

    if (by == NULL) {
        return OK;
    }
    TRY(asking_add_leg(asking, SOAP_ITI_45, manager->partner,
                       span_of_cstr(asking->node->config->community), &leg));
    leg->patient_id = *by;
    leg->known_id = known->id;
    leg->wanted = span_of_cstr(wanted);
    return OK;
}

static bool
is_planned(const struct asking *asking, const struct known_ids *known, const char *wanted)
{
    const struct leg_list *legs = legs_of(asking);

    for (size_t i = 0; i < legs->n; i++) {
        if (ident_eq(&legs->items[i].known_id, &known->id) &&
            span_eq_cstr(legs->items[i].wanted, wanted)) {
            return true;
        }
    }
    return false;
}

/* Several registries may know patients by the same ids. */
static struct status
plan_registry(struct asking *asking, const struct config_source *registry,
              const struct known_ids *known)
{
    const struct config *config = asking->node->config;

    if (registry->engine != CONFIG_ENGINE_XDS ||
        !rounds_want(asking, span_of_cstr(registry->community)) ||
        id_under(known, registry->patient_authority) != NULL ||
        is_planned(asking, known, registry->patient_authority)) {
        return OK;
    }
    for (size_t i = 0; i < config->sources_n; i++) {
        if (config->sources[i].engine == CONFIG_ENGINE_PIX) {
            TRY(plan_manager(asking, &config->sources[i], known, registry->patient_authority));
        }
    }
    return OK;
}

/* REQ: ITI45-source */
struct status
suppliers_plan_ids(struct asking *asking)
{
    const struct config *config = asking->node->config;

    for (size_t k = 0; k < asking->known.n; k++) {
        for (size_t i = 0; i < config->sources_n; i++) {
            TRY(plan_registry(asking, &config->sources[i], &asking->known.items[k]));
        }
    }
    return OK;
}

/* ---- question and answer ---- */

static struct status
make_query(const struct asking *asking, struct leg *leg, struct arena *arena,
           struct pix_query *ret_query)
{
    const struct hl7_domain wanted = {.root = leg->wanted, .element = 1, .value = 1};
    struct pix_query query = {
        .id = {.root = leg->message_uuid_oid},
        .query_id = {.root = leg->message_uuid_oid, .extension = SPAN("1")},
        .sender_home = span_of_cstr(asking->node->config->community),
        .creation_us = clock_wall_us(asking->node->clock),
        .patient = leg->patient_id,
    };

    TRY(ARENA_PUSH(arena, &leg->diag, &query.sources, wanted));
    *ret_query = query;
    return OK;
}

struct status
supplier_ask_ids(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct pix_query query;

    TRY(make_query(asking, leg, txn->arena, &query));
    leg->query_id = query.query_id;
    TRY(records_query_id(txn->arena, &query.query_id, &leg->diag, &leg->event.query_id));
    return pix_query_write(&query, txn->arena, &leg->payload, &leg->diag, &leg->event.query);
}

static struct status
refused(struct leg *leg, const struct pix_answer *answer)
{
    const struct hl7_detail none = {.code = {.value = SPAN("no code")}};
    const struct hl7_detail *detail = answer->details.n > 0 ? &answer->details.items[0] : &none;

    TRY(leg_note_said(leg, detail->text));
    if (answer->result == PIX_UNKNOWN_SOURCE) {
        return FAIL(&leg->diag, ERR_PARTNER_REFUSED,
                    "%s knows no ids of the authority '%.*s' (patient_authority of a source)",
                    leg->partner->id, SPAN_PRINT(leg->wanted));
    }
    return FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s answered with an error: %.*s",
                leg->partner->id, SPAN_PRINT(span_slice(detail->code.value, 0, LEG_CODE_MAX)));
}

/* Of one domain all ids are used or none (ITI TF-2 3.45.4.2.2). */
static struct status
take_ids(struct leg *leg, const struct ident_list *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        const struct ident *id = &ids->items[i];

        if (span_eq(id->root, leg->wanted) && id->extension.n > 0) {
            TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->ids, *id));
        }
    }
    return leg->ids.n <= SOURCE_IDS_MAX
               ? OK
               : FAIL(&leg->diag, ERR_TOO_MANY_RESULTS,
                      "%s has %zu ids of one authority for the patient, this gateway asks with %zu "
                      "at most",
                      leg->partner->id, leg->ids.n, SOURCE_IDS_MAX);
}

struct status
supplier_answer_ids(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct pix_answer answer;
    struct pix_query query;

    TRY(make_query(asking, leg, leg->reading, &query));
    TRY(pix_answer_read(message, &query, leg->arena, &leg->diag, &answer));
    leg->kept_us = leg->partner->source->remember_us;
    switch (answer.result) {
    case PIX_FOUND:
        return take_ids(leg, &answer.ids);
    case PIX_NONE:
    case PIX_UNKNOWN_PATIENT:
        return OK;
    case PIX_UNKNOWN_SOURCE:
    case PIX_ERROR:
        break;
    }
    return refused(leg, &answer);
}

/* ---- using it ---- */

static struct known_ids *
known_of(struct asking *asking, const struct leg *leg)
{
    for (size_t i = 0; i < asking->known.n; i++) {
        if (ident_eq(&asking->known.items[i].id, &leg->known_id)) {
            return &asking->known.items[i];
        }
    }
    return NULL;
}

/* Does our own index say that it is another patient's? */
static bool
is_anothers(const struct asking *asking, const struct known_ids *known,
            const struct ident_list *owner)
{
    const char *authority = asking->node->config->patient_authority;
    const struct ident *ours = id_under(known, authority);

    for (size_t i = 0; i < owner->n; i++) {
        if (has_root(&owner->items[i], authority)) {
            return ours == NULL || !ident_eq(ours, &owner->items[i]);
        }
    }
    return false;
}

/* REQ: ITI45-contradiction */
static struct status
check_owner(struct asking *asking, struct leg *leg, const struct known_ids *known,
            enum answer *ret_answer)
{
    struct ident_list owner = {0};

    TRY(store_patient_ids(asking->node->store, &leg->ids.items[leg->learned_n], &asking->txn.park,
                          asking->txn.arena, &leg->diag, ret_answer, &owner));
    if (*ret_answer == ANSWER_LATER || !is_anothers(asking, known, &owner)) {
        return OK;
    }
    leg->ids.n = 0;
    return FAIL(&leg->diag, ERR_PARTNER_ANSWER, "%s names an id that we know as another person's",
                leg->partner->id);
}

/* WAIT: run the step again. A leg that contradicts our index is no answer. */
static enum txn_verdict
check_owners(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    const struct known_ids *known = known_of(asking, leg);

    while (leg->state == LEG_ANSWERED && known != NULL && leg->learned_n < leg->ids.n) {
        enum answer answer = ANSWER_NOW;

        txn_expect(txn);
        const struct status st = check_owner(asking, leg, known, &answer);

        if (txn_settle(txn, OK, is_ok(st) ? answer : ANSWER_NOW) == TXN_WAIT) {
            return TXN_WAIT;
        }
        if (!is_ok(st)) {
            leg->state = LEG_FAILED;
        }
        leg->learned_n++;
    }
    return TXN_DONE;
}

static bool
is_same_set(const struct ident_list *a, const struct ident_list *b)
{
    bool is_same = a->n == b->n;

    for (size_t i = 0; i < a->n && is_same; i++) {
        is_same = ident_list_has(b, &a->items[i]);
    }
    return is_same;
}

static bool
is_same_question(const struct leg *a, const struct leg *b)
{
    return ident_eq(&a->known_id, &b->known_id) && span_eq(a->wanted, b->wanted);
}

/* Managers that name different ids: which of them is right is not ours to guess. */
static void
compare_managers(struct asking *asking, struct leg *leg)
{
    const struct leg_list *legs = legs_of(asking);

    for (size_t i = 0; i < legs->n; i++) {
        struct leg *other = &legs->items[i];

        if (other == leg || !is_same_question(leg, other) || other->state != LEG_ANSWERED ||
            other->ids.n == 0 || leg->ids.n == 0 || is_same_set(&leg->ids, &other->ids)) {
            continue;
        }
        leg->state = other->state = LEG_FAILED;
        (void)FAIL(&leg->diag, ERR_PARTNER_ANSWER, "%s and %s name different ids of one patient",
                   leg->partner->id, other->partner->id);
        (void)FAIL(&other->diag, ERR_PARTNER_ANSWER, "%s and %s name different ids of one patient",
                   leg->partner->id, other->partner->id);
    }
}

static struct status
use_ids(struct asking *asking, const struct leg *leg)
{
    struct known_ids *known = known_of(asking, leg);

    for (size_t i = 0; known != NULL && leg->state == LEG_ANSWERED && i < leg->ids.n; i++) {
        if (!ident_list_has(&known->others, &leg->ids.items[i])) {
            TRY(ARENA_PUSH(asking->txn.arena, &asking->txn.diag, &known->others,
                           leg->ids.items[i]));
        }
    }
    return OK;
}

enum txn_verdict
suppliers_use_ids(struct asking *asking)
{
    const struct leg_list *legs = legs_of(asking);

    for (size_t i = 0; i < legs->n; i++) {
        if (check_owners(asking, &legs->items[i]) == TXN_WAIT) {
            return TXN_WAIT;
        }
    }
    for (size_t i = 0; i < legs->n; i++) {
        compare_managers(asking, &legs->items[i]);
    }
    for (size_t i = 0; i < legs->n; i++) {
        TXN_TRY(use_ids(asking, &legs->items[i]));
    }
    return TXN_DONE;
}

const struct diag *
suppliers_why_no_id(const struct asking *asking, const struct ident *id, const char *authority)
{
    const struct leg_list *legs = legs_of(asking);

    for (size_t i = 0; i < legs->n; i++) {
        const struct leg *leg = &legs->items[i];

        if (ident_eq(&leg->known_id, id) && span_eq_cstr(leg->wanted, authority) &&
            leg->state != LEG_ANSWERED) {
            return &leg->diag;
        }
    }
    return NULL;
}
