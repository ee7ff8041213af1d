/*
 * Plans and questions of legs to external sources. Called by rounds.c and leg.c, on the thread that
 * has the asking; everything lives in its arena.
 */
#include "txn/sources.h"

#include "base/ids.h"
#include "txn/behind.h"
#include "txn/iti38.h"
#include "txn/suppliers.h"

#define BY_ENTRY_UUID "$XDSDocumentEntryEntryUUID"
#define BY_UNIQUE_ID  "$XDSDocumentEntryUniqueId"

static bool
has_root(const struct ident *id, const char *authority)
{
    return span_eq_cstr(id->root, authority);
}

bool
sources_are_named(const struct config *config, const struct document_ref_list *documents)
{
    for (size_t i = 0; i < documents->n; i++) {
        const struct document_ref *ref = &documents->items[i];
        struct span oid;

        if (config_source_of_repository(config, ref->repository) != NULL ||
            (home_community_oid(ref->home, &oid) &&
             config_gateway_of_community(config, oid) != NULL)) {
            return true;
        }
    }
    return false;
}

/* ---- plan: queries ---- */

static struct status
add_query_leg(struct asking *asking, const struct config_source *source,
              const struct patient *patient, struct leg **ret_leg)
{
    TRY(asking_add_leg(asking, SOAP_ITI_18, source->partner, span_of_cstr(source->community),
                       ret_leg));
    if (patient != NULL) {
        (*ret_leg)->patient = *patient;
    }
    return OK;
}

/* <id>: the asker's; <known>: the source's own. */
static struct status
add_patient_leg(struct asking *asking, const struct config_source *source,
                const struct patient *patient, const struct ident *id, const struct ident *known)
{
    struct txn *txn = &asking->txn;
    struct leg *leg;

    TRY(add_query_leg(asking, source, patient, &leg));
    leg->patient_id = *known;
    return ident_write_cx(txn->arena, id, &txn->diag, &leg->given_patient);
}

static const struct known_ids *
find_known(const struct asking *asking, const struct ident *id)
{
    for (size_t i = 0; i < asking->known.n; i++) {
        if (ident_eq(&asking->known.items[i].id, id)) {
            return &asking->known.items[i];
        }
    }
    return NULL;
}

/* Nothing to ask with: an answer of nothing, or that the index or a manager did not say. */
static struct status
add_moot_leg(struct asking *asking, const struct config_source *source,
             const struct patient *patient, const struct ident *id, const struct known_ids *known)
{
    const struct diag *why = known != NULL && known->diag.code != ERR_NONE
                                 ? &known->diag
                                 : suppliers_why_no_id(asking, id, source->patient_authority);
    struct leg *leg;

    TRY(add_query_leg(asking, source, patient, &leg));
    leg->patient_id = *id;
    leg->is_moot = why == NULL;
    if (why != NULL) {
        leg->diag = *why;
    }
    return OK;
}

/* References by ids may be of several patients, and a registry gives nobody's metadata of several
 * in one answer, which our rules want: so each document is asked for by itself. NULL: not such a
 * question, or one about too many. */
static const struct query_param *
asked_alone(const struct asking *asking)
{
    const struct stored_query *query = asking->order.query;

    if (query == NULL || query->wants_leaf_class ||
        !span_eq_nocase(query->id, SPAN(XCA_GET_DOCUMENTS))) {
        return NULL;
    }
    for (size_t i = 0; i < query->params.n; i++) {
        const struct query_param *param = &query->params.items[i];

        if (param->values.n > 1 && param->values.n <= SOURCE_ALONE_MAX &&
            (span_eq_cstr(param->name, BY_ENTRY_UUID) || span_eq_cstr(param->name, BY_UNIQUE_ID))) {
            return param;
        }
    }
    return NULL;
}

static struct status
plan_alone(struct asking *asking, const struct config_source *source,
           const struct query_param *asked)
{
    const char *param = span_eq_cstr(asked->name, BY_ENTRY_UUID) ? BY_ENTRY_UUID : BY_UNIQUE_ID;
    struct txn *txn = &asking->txn;

    for (size_t i = 0; i < asked->values.n; i++) {
        struct source_lookup *lookup;
        struct leg *leg;

        TRY(ARENA_NEW(txn->arena, &txn->diag, &lookup));
        *lookup =
            (struct source_lookup){SPAN(XCA_GET_DOCUMENTS), param, {&asked->values.items[i], 1, 1}};
        TRY(add_query_leg(asking, source, NULL, &leg));
        leg->lookup = lookup;
    }
    return OK;
}

static struct status
plan_source(struct asking *asking, const struct config_source *source, const struct ident *id,
            const struct patient *patient)
{
    const struct known_ids *known = find_known(asking, id);
    const struct query_param *alone = asked_alone(asking);
    size_t n = 0;
    struct leg *leg;

    if (id->root.n == 0) {
        return alone != NULL ? plan_alone(asking, source, alone)
                             : add_query_leg(asking, source, patient, &leg);
    }
    if (has_root(id, source->patient_authority)) {
        return add_patient_leg(asking, source, patient, id, id);
    }
    for (size_t i = 0; known != NULL && i < known->others.n && n < SOURCE_IDS_MAX; i++) {
        if (has_root(&known->others.items[i], source->patient_authority)) {
            TRY(add_patient_leg(asking, source, patient, id, &known->others.items[i]));
            n++;
        }
    }
    return n > 0 ? OK : add_moot_leg(asking, source, patient, id, known);
}

/* REQ: ITI18-source */
struct status
sources_plan_query(struct asking *asking, const struct ident *id, const struct patient *patient)
{
    const struct config *config = asking->node->config;

    for (size_t i = 0; i < config->sources_n; i++) {
        const struct config_source *source = &config->sources[i];

        if (source->engine == CONFIG_ENGINE_XDS &&
            rounds_want(asking, span_of_cstr(source->community))) {
            TRY(plan_source(asking, source, id, patient));
        }
    }
    return OK;
}

/* ---- plan: documents by name ---- */

static struct leg *
lookup_with_room(struct asking *asking, const struct config_source *source, struct span community)
{
    struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = 0; i < legs->n; i++) {
        if (legs->items[i].partner == source->partner &&
            span_eq(legs->items[i].community, community) &&
            legs->items[i].refs.n < SOURCE_NAMES_MAX) {
            return &legs->items[i];
        }
    }
    return NULL;
}

/* The source of ours that has this document's repository, or the participant behind us that has its
 * community; NULL: none in that community. */
static const struct config_source *
source_of(const struct asking *asking, const struct document_ref *ref, struct span *ret_community)
{
    const struct config *config = asking->node->config;
    const struct config_source *source = config_source_of_repository(config, ref->repository);
    const struct partner *gateway;
    struct diag ignored = {0};
    struct span oid = SPAN_EMPTY;

    gateway = home_community_oid(ref->home, &oid) ? config_gateway_of_community(config, oid) : NULL;
    *ret_community = oid;
    if (gateway != NULL) {
        return behind_may_ask(asking, gateway, oid, &ignored) ? gateway->source : NULL;
    }
    return source != NULL && home_community_oid(ref->home, &oid) &&
                   span_eq_cstr(oid, source->community)
               ? source
               : NULL;
}

struct status
sources_plan_metadata(struct asking *asking)
{
    struct txn *txn = &asking->txn;

    for (size_t i = 0; i < asking->order.documents.n; i++) {
        const struct document_ref *ref = &asking->order.documents.items[i];
        struct span community;
        const struct config_source *source = source_of(asking, ref, &community);
        struct leg *leg = source == NULL ? NULL : lookup_with_room(asking, source, community);

        if (source == NULL) {
            continue;
        }
        if (leg == NULL) {
            TRY(asking_add_leg(asking, source_query(source), source->partner, community, &leg));
        }
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &leg->refs, *ref));
    }
    return OK;
}

static bool
has_entry(const struct leg *leg, const struct document_ref *ref)
{
    for (size_t i = 0; i < leg->objects.documents.n; i++) {
        const struct document_entry *entry = &leg->objects.documents.items[i];

        if (span_eq(entry->unique_id, ref->unique_id) &&
            span_eq(entry->repository, ref->repository)) {
            return true;
        }
    }
    return false;
}

const struct diag *
sources_judge(const struct asking *asking, const struct document_ref *ref,
              const struct config_source *source, struct diag *why)
{
    const struct leg_list *looked = &asking->legs[1];

    for (size_t i = 0; i < looked->n; i++) {
        const struct leg *leg = &looked->items[i];

        if (leg->partner != source->partner || !document_ref_is_among(ref, &leg->refs)) {
            continue;
        }
        if (leg->state != LEG_ANSWERED) {
            return &leg->diag;
        }
        if (has_entry(leg, ref)) {
            return NULL;
        }
    }
    (void)FAIL(why, ERR_UNKNOWN_DOCUMENT,
               "the registry of source '%s' does not have it, or it is withheld", source->name);
    return why;
}

/* ---- questions ---- */

const char *
source_url(const struct leg *leg)
{
    const struct config_source *source = leg->partner->source;

    return source->supplier_url != NULL ? source->supplier_url
           : leg_is_retrieve(leg)       ? leg->repository->url
                                        : source->registry_url;
}

enum soap_transaction
source_query(const struct config_source *source)
{
    return source->engine == CONFIG_ENGINE_GATEWAY ? SOAP_ITI_38 : SOAP_ITI_18;
}

/* A source of our own community knows nothing of communities, and need not. */
static bool
has_own_home(const struct asking *asking, const struct leg *leg)
{
    return !span_eq_cstr(leg->community, asking->node->config->community);
}

/* The parameters that name the patient (ITI TF-2 3.18.4.1.2.3.7). */
static bool
is_patient_param(struct span name)
{
    return span_eq_cstr(name, "$XDSDocumentEntryPatientId") ||
           span_eq_cstr(name, "$XDSSubmissionSetPatientId") ||
           span_eq_cstr(name, "$XDSFolderPatientId") || span_eq_cstr(name, "$patientId");
}

struct status
leg_put_patient(struct asking *asking, struct leg *leg, struct stored_query *query)
{
    struct txn *txn = &asking->txn;
    struct query_param_list params = {0};
    struct span_list values = {0};
    struct span cx;

    TRY(ident_write_cx(txn->arena, &leg->patient_id, &leg->diag, &cx));
    TRY(ARENA_PUSH(txn->arena, &leg->diag, &values, cx));
    for (size_t i = 0; i < query->params.n; i++) {
        struct query_param param = query->params.items[i];

        if (is_patient_param(param.name)) {
            param.values = values;
        }
        TRY(ARENA_PUSH(txn->arena, &leg->diag, &params, param));
    }
    query->params = params;
    return OK;
}

struct status
source_address(struct asking *asking, struct leg *leg, struct stored_query *query)
{
    query->home = SPAN_EMPTY;
    if (has_own_home(asking, leg)) {
        TRY(arena_printf(asking->txn.arena, &leg->diag, &query->home, "urn:oid:%.*s",
                         SPAN_PRINT(leg->community)));
    }
    return leg->given_patient.n > 0 ? leg_put_patient(asking, leg, query) : OK;
}

/* GetDocuments of what is to be retrieved (ITI TF-2 3.18.4.1.2.3.7.5). */
static struct status
ask_names(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct stored_query query = {.id = SPAN(XCA_GET_DOCUMENTS), .wants_leaf_class = true};
    struct query_param param = {.name = SPAN("$XDSDocumentEntryUniqueId"), .is_multiple = true};

    for (size_t i = 0; i < leg->refs.n; i++) {
        TRY(ARENA_PUSH(txn->arena, &leg->diag, &param.values, leg->refs.items[i].unique_id));
    }
    TRY(ARENA_PUSH(txn->arena, &leg->diag, &query.params, param));
    TRY(source_address(asking, leg, &query));
    leg->event.query_id = query.id;
    return stored_query_write(&query, txn->arena, &leg->payload, &leg->diag, &leg->event.query);
}

struct status
source_ask(struct asking *asking, struct leg *leg)
{
    if (leg->lookup != NULL) {
        return source_ask_lookup(asking, leg);
    }
    return leg->refs.n > 0 ? ask_names(asking, leg) : iti38_ask(asking, leg);
}

struct status
source_ask_documents(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct document_ref_list refs = {0};

    for (size_t i = 0; i < leg->refs.n; i++) {
        struct document_ref ref = leg->refs.items[i];

        ref.home = has_own_home(asking, leg) ? ref.home : SPAN_EMPTY;
        TRY(ARENA_PUSH(txn->arena, &leg->diag, &refs, ref));
    }
    return retrieve_query_write(&refs, txn->arena, &leg->payload, &leg->diag);
}
