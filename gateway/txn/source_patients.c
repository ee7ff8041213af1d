/*
 * Patient ids between askers and sources: our patient index (the store's) is asked before a source,
 * and after it when documents were asked for by their own ids. Steps of asking.c, on workers;
 * everything lives in the asking's arena. An index that fails costs the sources that need it, and
 * nobody else.
 */
#include <string.h>

#include "store/registry.h"
#include "txn/behind.h"
#include "txn/sources.h"

/* Asks for each of the list that asking->next has not come to. WAIT: run the step again. */
static enum txn_verdict
look_up(struct asking *asking, struct known_ids_list *list)
{
    struct txn *txn = &asking->txn;

    while (asking->next < list->n) {
        struct known_ids *known = &list->items[asking->next];
        enum answer answer = ANSWER_NOW;
        struct status st;

        txn_expect(txn);
        st = store_patient_ids(asking->node->store, &known->id, &txn->park, txn->arena,
                               &known->diag, &answer, &known->others);
        if (txn_settle(txn, st, answer) == TXN_WAIT) {
            return TXN_WAIT;
        }
        asking->next++;
    }
    asking->next = 0;
    return TXN_DONE;
}

static struct status
add_id(struct asking *asking, struct known_ids_list *list, const struct ident *id)
{
    const struct known_ids known = {.id = *id};

    for (size_t i = 0; i < list->n; i++) {
        if (ident_eq(&list->items[i].id, id)) {
            return OK;
        }
    }
    return ARENA_PUSH(asking->txn.arena, &asking->txn.diag, list, known);
}

/* ---- before the question ---- */

/* Is a source to be asked that does not know patients by ids of this authority? */
static bool
needs_other_id(const struct asking *asking, const struct ident *id)
{
    const struct config *config = asking->node->config;

    for (size_t i = 0; i < config->sources_n; i++) {
        const struct config_source *source = &config->sources[i];

        if (source->engine == CONFIG_ENGINE_XDS &&
            rounds_want(asking, span_of_cstr(source->community)) &&
            !span_eq_cstr(id->root, source->patient_authority)) {
            return true;
        }
    }
    return behind_needs_other_id(asking, id);
}

static struct status
add_asked(struct asking *asking, const struct ident *id)
{
    return id->root.n > 0 && needs_other_id(asking, id) ? add_id(asking, &asking->known, id) : OK;
}

/* Those whom our own store found, or whom the order names. */
static struct status
list_asked(struct asking *asking)
{
    const struct leg_list *discovered = &asking->legs[0];

    if (asking->order.goal == ASKING_QUERY) {
        return add_asked(asking, &asking->order.patient_id);
    }
    for (size_t i = 0; asking->order.goal == ASKING_GATHER && i < discovered->n; i++) {
        const struct leg *found = &discovered->items[i];

        for (size_t m = 0; found->partner == NULL && m < found->matches.n; m++) {
            if (found->matches.items[m].patient.ids.n > 0) {
                TRY(add_asked(asking, &found->matches.items[m].patient.ids.items[0]));
            }
        }
    }
    return OK;
}

enum txn_verdict
sources_step_patients(struct txn *txn)
{
    struct asking *asking = asking_of(txn);

    enum txn_verdict verdict;

    if ((rounds_transaction(asking) != SOAP_ITI_38 && asking->round != ASKING_ROUND_IDS) ||
        asking->has_known || asking->node->store == NULL ||
        !config_has_external(asking->node->config)) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (asking->known.n == 0) {
        TXN_TRY(list_asked(asking));
    }
    verdict = look_up(asking, &asking->known);
    asking->has_known = verdict == TXN_DONE;
    return verdict;
}

/* ---- after the answers ---- */

/* A source's answer to a question that named no patient. */
static bool
has_owners(const struct leg *leg)
{
    return leg->transaction == SOAP_ITI_18 && leg->state == LEG_ANSWERED &&
           leg->patient_id.root.n == 0;
}

/* What is done with each patient id in the objects of such an answer. */
typedef struct status owner_visit(struct asking *asking, struct span *patient_id, struct span *xml);

static struct status
visit_objects(struct asking *asking, struct registry_objects *objects, owner_visit *visit)
{
    for (size_t i = 0; i < objects->documents.n; i++) {
        struct document_entry *entry = &objects->documents.items[i];

        TRY(visit(asking, &entry->patient_id, &entry->xml));
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        struct submission_set *set = &objects->submission_sets.items[i];

        TRY(visit(asking, &set->patient_id, &set->xml));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        TRY(visit(asking, &objects->folders.items[i].patient_id, &objects->folders.items[i].xml));
    }
    return OK;
}

static struct status
visit_answers(struct asking *asking, owner_visit *visit)
{
    struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = 0; i < legs->n; i++) {
        if (has_owners(&legs->items[i])) {
            TRY(visit_objects(asking, &legs->items[i].objects, visit));
        }
    }
    return OK;
}

static struct status
list_owner(struct asking *asking, struct span *patient_id, struct span *xml)
{
    struct diag ignored = {0};
    struct ident id = {0};

    (void)xml;
    if (asking->owners.n >= SOURCE_OWNERS_MAX ||
        !is_ok(ident_read_cx(*patient_id, &ignored, &id)) ||
        span_eq_cstr(id.root, asking->node->config->patient_authority)) {
        return OK;
    }
    return add_id(asking, &asking->owners, &id);
}

/* The first of ours; NULL: we do not know the patient. */
static const struct ident *
our_id(const struct asking *asking, const struct ident *id)
{
    for (size_t i = 0; i < asking->owners.n; i++) {
        const struct known_ids *known = &asking->owners.items[i];

        for (size_t k = 0; ident_eq(&known->id, id) && k < known->others.n; k++) {
            if (span_eq_cstr(known->others.items[k].root,
                             asking->node->config->patient_authority)) {
                return &known->others.items[k];
            }
        }
    }
    return NULL;
}

/* A patient whom our index does not know keeps the source's id: there is no other. */
static struct status
exchange_owner(struct asking *asking, struct span *patient_id, struct span *xml)
{
    const struct ident *ours;
    struct diag ignored = {0};
    struct ident id = {0};

    if (!is_ok(ident_read_cx(*patient_id, &ignored, &id))) {
        return OK;
    }
    ours = our_id(asking, &id);
    if (ours == NULL) {
        return OK;
    }
    *xml = SPAN_EMPTY; /* has the other id in it */
    return ident_write_cx(asking->txn.arena, ours, &asking->txn.diag, patient_id);
}

/* ---- individuals ---- */

static bool
is_kept(const struct registry_objects *objects, struct span entry_uuid)
{
    for (size_t i = 0; i < objects->documents.n; i++) {
        if (span_eq(objects->documents.items[i].entry_uuid, entry_uuid)) {
            return true;
        }
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        if (span_eq(objects->submission_sets.items[i].entry_uuid, entry_uuid)) {
            return true;
        }
    }
    return false;
}

/* What is not of the one record is as though it were not there. An Association has no patient: it
 * is given with what it names. */
static void
keep_own_record(struct asking *asking, struct registry_objects *objects)
{
    size_t documents = 0, sets = 0, folders = 0, associations = 0;

    for (size_t i = 0; i < objects->documents.n; i++) {
        if (leg_may_open(asking, objects->documents.items[i].patient_id)) {
            objects->documents.items[documents++] = objects->documents.items[i];
        }
    }
    objects->documents.n = documents;
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        if (leg_may_open(asking, objects->submission_sets.items[i].patient_id)) {
            objects->submission_sets.items[sets++] = objects->submission_sets.items[i];
        }
    }
    objects->submission_sets.n = sets;
    for (size_t i = 0; i < objects->folders.n; i++) {
        if (leg_may_open(asking, objects->folders.items[i].patient_id)) {
            objects->folders.items[folders++] = objects->folders.items[i];
        }
    }
    objects->folders.n = folders;
    for (size_t i = 0; i < objects->associations.n; i++) {
        const struct association *association = &objects->associations.items[i];

        if (is_kept(objects, association->source) || is_kept(objects, association->target)) {
            objects->associations.items[associations++] = *association;
        }
    }
    objects->associations.n = associations;
}

static void
keep_own_records(struct asking *asking)
{
    struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = 0; asking->order.may_open != NULL && i < legs->n; i++) {
        if (legs->items[i].transaction == SOAP_ITI_18) {
            keep_own_record(asking, &legs->items[i].objects);
        }
    }
}

enum txn_verdict
sources_step_owners(struct txn *txn)
{
    struct asking *asking = asking_of(txn);
    enum txn_verdict verdict;

    if (rounds_transaction(asking) != SOAP_ITI_38 || asking->node->store == NULL ||
        !config_has_external(asking->node->config)) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (asking->owners.n == 0) {
        TXN_TRY(visit_answers(asking, list_owner));
    }
    verdict = look_up(asking, &asking->owners);
    if (verdict == TXN_DONE) {
        TXN_TRY(visit_answers(asking, exchange_owner));
        asking->owners.n = 0;
        keep_own_records(asking);
    }
    return verdict;
}
