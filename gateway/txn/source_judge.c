/*
 * What a source's answer to a stored query may show: see sources.h. Plans of two rounds after the
 * query's, and the step that ends them; on workers. Lists live in the asking's arena.
 *
 * The rounds of a judged query: 1 the query, 2 members, 3 documents.
 */
#include <stdlib.h>

#include "txn/iti38.h"
#include "txn/sources.h"
#include "txn/withheld.h"

#define QUERY(uuid)         "urn:uuid:" uuid
#define BY_REFERENCE_ID     QUERY("12941a89-e02e-4be5-967c-ce4bfc8fe492")
#define GET_ASSOCIATIONS    QUERY("a7ae438b-4bc2-4642-93e9-be891f7bb155")
#define GET_SUBMISSION_SETS QUERY("51224314-5390-4169-9b91-b1980040715a")
#define GET_FOLDERS_FOR     QUERY("10cae35a-c7f9-4cf5-b61e-fc3278ffb578")
#define GET_RELATED         QUERY("d90e5407-b356-4d91-a89f-873917b4b0e6")

bool
sources_must_judge(const struct config *config, const struct asking_order *order)
{
    static const char *const of_documents[] = {XCA_FIND_DOCUMENTS, XCA_GET_DOCUMENTS,
                                               BY_REFERENCE_ID};

    if (order->goal != ASKING_QUERY || order->query == NULL || !config_has_external(config)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(of_documents); i++) {
        if (span_eq_nocase(order->query->id, span_of_cstr(of_documents[i]))) {
            return false;
        }
    }
    return true;
}

/* ---- plans ---- */

static bool
is_of_source(const struct leg *leg)
{
    return leg->partner != NULL && leg->partner->source != NULL;
}

/* Of a participant behind us each community is asked by itself. */
static bool
is_same_source(const struct leg *a, const struct leg *b)
{
    return a->partner == b->partner && span_eq(a->community, b->community);
}

static struct status
add(struct asking *asking, struct span_list *ids, struct span id)
{
    return id.n == 0 ? OK : ARENA_PUSH(asking->txn.arena, &asking->txn.diag, ids, id);
}

static struct status
add_ends(struct asking *asking, const struct association_list *associations, struct span_list *ids)
{
    for (size_t i = 0; i < associations->n; i++) {
        TRY(add(asking, ids, associations->items[i].source));
        TRY(add(asking, ids, associations->items[i].target));
    }
    return OK;
}

static int
compare(const void *a, const void *b)
{
    return span_compare(*(const struct span *)a, *(const struct span *)b);
}

/* Each once. */
static void
unite(struct span_list *ids)
{
    size_t kept = 0;

    if (ids->n > 1) {
        qsort(ids->items, ids->n, sizeof(ids->items[0]), compare);
    }
    for (size_t i = 0; i < ids->n; i++) {
        if (i == 0 || !span_eq(ids->items[i], ids->items[kept - 1])) {
            ids->items[kept++] = ids->items[i];
        }
    }
    ids->n = kept;
}

/* Legs that ask the source of <about> for these ids, some at a time. */
static struct status
plan_lookup(struct asking *asking, const struct leg *about, const char *query_id, const char *param,
            const struct span_list *ids)
{
    struct txn *txn = &asking->txn;

    for (size_t i = 0; i < ids->n; i += SOURCE_NAMES_MAX) {
        const size_t n = ids->n - i < SOURCE_NAMES_MAX ? ids->n - i : SOURCE_NAMES_MAX;
        struct source_lookup *lookup;
        struct leg *leg;

        TRY(ARENA_NEW(txn->arena, &txn->diag, &lookup));
        *lookup = (struct source_lookup){span_of_cstr(query_id), param, {ids->items + i, n, n}};
        TRY(asking_add_leg(asking, source_query(about->partner->source), about->partner,
                           about->community, &leg));
        leg->lookup = lookup;
    }
    return OK;
}

/* A source's answers: of several legs, one for each id of the patient that it knows. */
static bool
is_first_of_source(const struct leg_list *legs, size_t at)
{
    for (size_t i = 0; i < at; i++) {
        if (is_same_source(&legs->items[i], &legs->items[at])) {
            return false;
        }
    }
    return is_of_source(&legs->items[at]);
}

/* REQ: ITI18-source-withheld */
struct status
sources_plan_members(struct asking *asking)
{
    const struct leg_list *asked = &asking->legs[1];

    for (size_t i = 0; i < asked->n; i++) {
        struct span_list ids = {0};

        for (size_t k = i; is_first_of_source(asked, i) && k < asked->n; k++) {
            const struct registry_objects *found = &asked->items[k].objects;

            if (!is_same_source(&asked->items[k], &asked->items[i])) {
                continue;
            }
            for (size_t s = 0; s < found->submission_sets.n; s++) {
                TRY(add(asking, &ids, found->submission_sets.items[s].entry_uuid));
            }
            for (size_t f = 0; f < found->folders.n; f++) {
                TRY(add(asking, &ids, found->folders.items[f].entry_uuid));
            }
            TRY(add_ends(asking, &found->associations, &ids));
        }
        unite(&ids);
        TRY(plan_lookup(asking, &asked->items[i], GET_ASSOCIATIONS, "$uuid", &ids));
    }
    return OK;
}

/* What the question itself names, as far as it may be documents. */
static struct status
add_named(struct asking *asking, const char *param, struct span_list *ids)
{
    const struct query_param_list *params = &asking->order.query->params;

    for (size_t i = 0; i < params->n; i++) {
        for (size_t v = 0;
             span_eq_cstr(params->items[i].name, param) && v < params->items[i].values.n; v++) {
            TRY(add(asking, ids, params->items[i].values.items[v]));
        }
    }
    return OK;
}

static struct status
plan_documents_of(struct asking *asking, const struct leg *about)
{
    struct span_list uuids = {0}, unique_ids = {0};

    for (int round = 1; round <= 2; round++) {
        const struct leg_list *legs = &asking->legs[round];

        for (size_t i = 0; i < legs->n; i++) {
            if (is_same_source(&legs->items[i], about)) {
                TRY(add_ends(asking, &legs->items[i].objects.associations, &uuids));
            }
        }
    }
    TRY(add_named(asking, "$uuid", &uuids));
    TRY(add_named(asking, "$XDSDocumentEntryEntryUUID", &uuids));
    TRY(add_named(asking, "$XDSDocumentEntryUniqueId", &unique_ids));
    unite(&uuids);
    unite(&unique_ids);
    TRY(plan_lookup(asking, about, XCA_GET_DOCUMENTS, "$XDSDocumentEntryEntryUUID", &uuids));
    return plan_lookup(asking, about, XCA_GET_DOCUMENTS, "$XDSDocumentEntryUniqueId", &unique_ids);
}

static bool
is_nothing(const struct registry_objects *found)
{
    return found->documents.n + found->submission_sets.n + found->folders.n +
               found->associations.n + found->others.n ==
           0;
}

struct status
sources_plan_documents(struct asking *asking)
{
    const struct leg_list *asked = &asking->legs[1];

    for (size_t i = 0; i < asked->n; i++) {
        bool has_found = false;

        for (size_t k = i; is_first_of_source(asked, i) && k < asked->n; k++) {
            has_found |= is_same_source(&asked->items[k], &asked->items[i]) &&
                         asked->items[k].state == LEG_ANSWERED &&
                         !is_nothing(&asked->items[k].objects);
        }
        if (has_found) {
            TRY(plan_documents_of(asking, &asked->items[i]));
        }
    }
    return OK;
}

struct status
source_ask_lookup(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct stored_query query = {.id = leg->lookup->query_id, .wants_leaf_class = true};
    const struct query_param param = {
        .name = span_of_cstr(leg->lookup->param), .is_multiple = true, .values = leg->lookup->ids};

    TRY(ARENA_PUSH(txn->arena, &leg->diag, &query.params, param));
    TRY(source_address(asking, leg, &query));
    leg->event.query_id = query.id;
    return stored_query_write(&query, txn->arena, &leg->payload, &leg->diag, &leg->event.query);
}

/* ---- what may be shown ---- */

struct judge {
    struct asking *asking;
    struct leg *leg;           /* the answer that is judged */
    struct span_list withheld; /* ids */
    struct span_list shown;    /* entryUUIDs of documents */
    struct arena *arena;
    struct diag *diag;
};

/* The source's lookups; the first that failed in *ret_failed. */
static struct status
gather(struct judge *judge, const struct diag **ret_failed)
{
    for (int round = 1; round <= 3; round++) {
        const struct leg_list *legs = &judge->asking->legs[round];

        for (size_t i = 0; i < legs->n; i++) {
            const struct leg *leg = &legs->items[i];

            if (!is_same_source(leg, judge->leg)) {
                continue;
            }
            if (leg->lookup != NULL && leg->state != LEG_ANSWERED) {
                *ret_failed = &leg->diag;
                return OK;
            }
            TRY(withheld_add_all(&judge->withheld, &leg->withheld, judge->arena, judge->diag));
            for (size_t d = 0; d < leg->objects.documents.n; d++) {
                TRY(withheld_add(&judge->shown, leg->objects.documents.items[d].entry_uuid,
                                 judge->arena, judge->diag));
            }
        }
    }
    withheld_sort(&judge->withheld);
    withheld_sort(&judge->shown);
    return OK;
}

/* Which packages have a document of the one list, in what is known of members. */
static struct status
list_packages(struct judge *judge, const struct span_list *documents, struct span_list *packages)
{
    for (int round = 1; round <= 2; round++) {
        const struct leg_list *legs = &judge->asking->legs[round];

        for (size_t i = 0; i < legs->n; i++) {
            const struct association_list *list = &legs->items[i].objects.associations;

            for (size_t a = 0; is_same_source(&legs->items[i], judge->leg) && a < list->n; a++) {
                if (span_eq_cstr(list->items[a].type, ASSOCIATION_HAS_MEMBER) &&
                    withheld_has(documents, list->items[a].target)) {
                    TRY(withheld_add(packages, list->items[a].source, judge->arena, judge->diag));
                }
            }
        }
    }
    withheld_sort(packages);
    return OK;
}

/* Packages that have withheld documents and none that may be shown. A SubmissionSet's Folders do
 * not count: their documents are not looked up for it. */
/* REQ: SQ-withheld-packages */
static struct status
withhold_packages(struct judge *judge)
{
    struct span_list withheld = {0}, shown = {0};

    TRY(list_packages(judge, &judge->withheld, &withheld));
    TRY(list_packages(judge, &judge->shown, &shown));
    for (size_t i = 0; i < withheld.n; i++) {
        if (!withheld_has(&shown, withheld.items[i])) {
            TRY(withheld_add(&judge->withheld, withheld.items[i], judge->arena, judge->diag));
        }
    }
    withheld_sort(&judge->withheld);
    return OK;
}

/* Was it found through a document that may not be known, and through no other? */
static bool
is_found_through_withheld(const struct judge *judge)
{
    const struct stored_query *query = judge->asking->order.query;
    bool has_withheld = false;

    if (!span_eq_nocase(query->id, SPAN(GET_FOLDERS_FOR)) &&
        !span_eq_nocase(query->id, SPAN(GET_RELATED)) &&
        !span_eq_nocase(query->id, SPAN(GET_SUBMISSION_SETS))) {
        return false;
    }
    for (size_t i = 0; i < query->params.n; i++) {
        const struct query_param *param = &query->params.items[i];

        for (size_t v = 0; v < param->values.n; v++) {
            if (span_eq_cstr(param->name, "$uuid") ||
                span_starts_with(param->name, SPAN("$XDSDocumentEntryEntryUUID")) ||
                span_starts_with(param->name, SPAN("$XDSDocumentEntryUniqueId"))) {
                if (!withheld_has(&judge->withheld, param->values.items[v])) {
                    return false;
                }
                has_withheld = true;
            }
        }
    }
    return has_withheld;
}

static void
take_out_packages(const struct judge *judge, struct registry_objects *objects)
{
    size_t sets = 0, folders = 0;

    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        if (!withheld_has(&judge->withheld, objects->submission_sets.items[i].entry_uuid)) {
            objects->submission_sets.items[sets++] = objects->submission_sets.items[i];
        }
    }
    objects->submission_sets.n = sets;
    for (size_t i = 0; i < objects->folders.n; i++) {
        if (!withheld_has(&judge->withheld, objects->folders.items[i].entry_uuid)) {
            objects->folders.items[folders++] = objects->folders.items[i];
        }
    }
    objects->folders.n = folders;
}

static bool
has_association_from(const struct association_list *associations, struct span source)
{
    for (size_t i = 0; i < associations->n; i++) {
        if (span_eq_nocase(associations->items[i].source, source)) {
            return true;
        }
    }
    return false;
}

/* GetSubmissionSets gives sets with what connects them to the ids that were asked for: a set that
 * nothing connects any more was found through what is withheld. */
static void
take_out_unconnected(struct judge *judge)
{
    struct registry_objects *objects = &judge->leg->objects;
    size_t kept = 0;

    if (!span_eq_nocase(judge->asking->order.query->id, SPAN(GET_SUBMISSION_SETS))) {
        return;
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        const struct submission_set *set = &objects->submission_sets.items[i];

        if (has_association_from(&objects->associations, set->entry_uuid)) {
            objects->submission_sets.items[kept++] = *set;
        }
    }
    objects->submission_sets.n = kept;
}

static struct status
withhold(struct asking *asking, struct leg *leg)
{
    struct judge judge = {
        .asking = asking, .leg = leg, .arena = asking->txn.arena, .diag = &asking->txn.diag};
    const struct diag *failed = NULL;

    TRY(gather(&judge, &failed));
    if (failed != NULL) {
        leg->state = LEG_FAILED;
        leg->diag = *failed;
        return OK;
    }
    if (judge.withheld.n == 0) {
        return OK;
    }
    if (is_found_through_withheld(&judge)) {
        leg->objects = (struct registry_objects){0};
        return OK;
    }
    TRY(withhold_packages(&judge));
    take_out_packages(&judge, &leg->objects);
    TRY(withheld_take_along(&judge.withheld, judge.arena, judge.diag, &leg->objects));
    take_out_unconnected(&judge);
    return OK;
}

enum txn_verdict
sources_step_withhold(struct txn *txn)
{
    struct asking *asking = (struct asking *)txn;
    struct leg_list *asked = &asking->legs[1];

    for (size_t i = 0; i < asked->n; i++) {
        if (is_of_source(&asked->items[i]) && asked->items[i].state == LEG_ANSWERED &&
            !is_nothing(&asked->items[i].objects)) {
            TXN_TRY(withhold(asking, &asked->items[i]));
        }
    }
    return TXN_DONE;
}
