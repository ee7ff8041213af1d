/*
 * ITI-38 Cross Gateway Query, the Initiating Gateway: the FindDocuments of our own commands, or a
 * local system's query passed on as it is; what of an answer may be used; and the same question to
 * our own store. Called by the legs of an asking, on workers; what an answer brings lives in the
 * leg's arena. Source: ITI TF-2 3.38.
 */
#include "txn/iti38.h"

#include "txn/behind.h"
#include "txn/dialect_ask.h"
#include "txn/own_query.h"
#include "txn/sources.h"
#include "txn/stored_query.h"
#include "txn/withheld.h"

/* ---- the question ---- */

static struct status
add_param(struct asking *asking, struct leg *leg, struct stored_query *query, const char *name,
          bool is_multiple, const struct span_list *values)
{
    const struct query_param param = {
        .name = span_of_cstr(name), .is_multiple = is_multiple, .values = *values};

    return ARENA_PUSH(asking->txn.arena, &leg->diag, &query->params, param);
}

static struct status
address(struct asking *asking, struct leg *leg, struct stored_query *query)
{
    return leg->partner->source != NULL ? source_address(asking, leg, query)
                                        : arena_printf(asking->txn.arena, &leg->diag, &query->home,
                                                       "urn:oid:%.*s", SPAN_PRINT(leg->community));
}

/* Several entryUUIDs or uniqueIds. */
static bool
names_several(const struct stored_query *query)
{
    for (size_t i = 0; i < query->params.n; i++) {
        const struct query_param *param = &query->params.items[i];

        if (param->values.n > 1 &&
            (span_ends_with(param->name, SPAN("UUID")) ||
             span_ends_with(param->name, SPAN("UniqueId")) || span_eq_cstr(param->name, "$uuid"))) {
            return true;
        }
    }
    return false;
}

/* Is a partner to be asked for references, because those are what is wanted? Only by several ids:
 * these may be of several patients, of whom nobody gives metadata in one answer (ITI
 * TF-2 3.18.4.1.2.6). Everything else is asked for with its metadata, which is merged, and names
 * the patient for the record; and so is what our own rules judge: our sources', and whatever
 * another partner asks for. */
static bool
may_be_references(const struct asking *asking, const struct leg *leg)
{
    const struct asking_order *order = &asking->order;

    return order->query != NULL && !order->query->wants_leaf_class &&
           order->patient_id.root.n == 0 && names_several(order->query) && !order->is_own_only &&
           leg->partner != NULL && leg->partner->source == NULL;
}

/* Somebody else's query, as it came, but for the community that this leg asks, and for whole
 * objects where references will not do. */
/* REQ: ITI38-parameters-passed */
static struct status
pass_on(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct stored_query query = *asking->order.query;

    query.wants_leaf_class = !may_be_references(asking, leg);
    TRY(address(asking, leg, &query));
    if (leg->partner->source == NULL && asking->elsewhere.n > 0) {
        TRY(leg_put_patient(asking, leg, &query));
    }
    TRY(dialect_adapt_query(asking, leg, &query));
    leg->event.query_id = query.id;
    return stored_query_write(&query, txn->arena, &leg->payload, &leg->diag, &leg->event.query);
}

/* REQ: ITI38-home-sent */
struct status
iti38_ask(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct diag *diag = &leg->diag;
    struct stored_query query = {.id = SPAN(XCA_FIND_DOCUMENTS), .wants_leaf_class = true};
    const struct span_list *patient = &leg->event.patients;
    struct span_list status = {0};

    if (leg_is_behind(leg) && (leg->lookup != NULL || leg->refs.n > 0)) {
        return source_ask(asking, leg); /* what another answer of it is judged by */
    }
    if (asking->order.query != NULL) {
        return pass_on(asking, leg);
    }
    TRY(address(asking, leg, &query));
    TRY(ARENA_PUSH(txn->arena, diag, &status, SPAN(DOCUMENT_APPROVED)));
    TRY(add_param(asking, leg, &query, "$XDSDocumentEntryPatientId", false, patient));
    TRY(add_param(asking, leg, &query, "$XDSDocumentEntryStatus", true, &status));
    if (asking->order.types.n > 0) {
        TRY(add_param(asking, leg, &query, "$XDSDocumentEntryTypeCode", true,
                      &asking->order.types));
    }
    TRY(dialect_adapt_query(asking, leg, &query));
    leg->event.query_id = query.id;
    return stored_query_write(&query, txn->arena, &leg->payload, diag, &leg->event.query);
}

/* Are all errors that the community does not know the patient id? Then it has no documents, and
 * that is an answer (ITI TF-2 3.38.4.1.3: such errors are not passed on). */
static bool
is_unknown_patient(const struct registry_error_list *errors)
{
    bool is_unknown = false;

    for (size_t i = 0; i < errors->n; i++) {
        if (errors->items[i].is_warning) {
            continue;
        }
        if (!span_eq_cstr(errors->items[i].code, "XDSUnknownPatientId")) {
            return false;
        }
        is_unknown = true;
    }
    return is_unknown;
}

static bool
has_error(const struct registry_error_list *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        if (!errors->items[i].is_warning) {
            return true;
        }
    }
    return false;
}

/* The status decides what the documents are worth (ITI TF-3 4.2.4.2): with Failure there are none,
 * with anything between Failure and Success there should be more. */
static struct status
check_status(struct leg *leg, const struct query_answer *answer)
{
    struct span code;

    leg->status = answer->status;
    leg->errors = answer->errors;
    if (answer->status == REGISTRY_FAILURE && is_unknown_patient(&answer->errors)) {
        return OK;
    }
    if (answer->status == REGISTRY_SUCCESS && !has_error(&answer->errors)) {
        return OK;
    }
    TRY(leg_first_error(leg, &code));
    if (answer->status == REGISTRY_FAILURE) {
        return FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s answered Failure: %.*s", leg->partner->id,
                    SPAN_PRINT(code));
    }
    leg->status = REGISTRY_PARTIAL_SUCCESS;
    (void)FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s answered in part only: %.*s", leg->partner->id,
               SPAN_PRINT(code));
    return OK;
}

/* ---- what an answer may name ---- */

/* May this partner name an object of that home? Its bare OID then; else the object is dropped. */
/* REQ: ITI38-missing-home-reported */
static bool
may_take(struct asking *asking, struct leg *leg, struct span home, struct span entry_uuid,
         struct span *ret_oid)
{
    if (home.n == 0) { /* ITI TF-2 3.38.4.1.3: to be told to who asked */
        leg->dropped_homeless++;
        leg->first_homeless = leg->dropped_homeless == 1 ? entry_uuid : leg->first_homeless;
    }
    return leg_may_name(asking, leg, home) && home_community_oid(home, ret_oid);
}

static struct status
write_home(struct leg *leg, struct span oid, struct span *ret_home)
{
    return arena_printf(leg->arena, &leg->diag, ret_home, "urn:oid:%.*s", SPAN_PRINT(oid));
}

/* An entry that can be asked for: of a community that the partner speaks for, with both ids. */
static struct status
take_entry(struct asking *asking, struct leg *leg, const struct document_entry *entry,
           bool *ret_is_taken)
{
    struct document_entry taken = *entry;
    bool is_of_repository = false;
    struct span oid;

    *ret_is_taken = false;
    if (!may_take(asking, leg, entry->home, entry->entry_uuid, &oid)) {
        return OK;
    }
    if (entry->unique_id.n == 0 || entry->repository.n == 0 || entry->entry_uuid.n == 0) {
        leg_drop(asking, leg, "named a document without uniqueId, repositoryUniqueId or id");
        return OK;
    }
    TRY(leg_take_repository(asking, leg, entry->repository, oid, &is_of_repository));
    if (!is_of_repository) {
        return OK;
    }
    *ret_is_taken = true;
    TRY(write_home(leg, oid, &taken.home));
    return ARENA_PUSH(leg->arena, &leg->diag, &leg->objects.documents, taken);
}

static struct status
take_submission_set(struct asking *asking, struct leg *leg, const struct submission_set *set)
{
    struct submission_set taken = *set;
    struct span oid;

    if (!may_take(asking, leg, set->home, set->entry_uuid, &oid)) {
        return OK;
    }
    if (set->entry_uuid.n == 0) {
        leg_drop(asking, leg, "named a SubmissionSet without id");
        return OK;
    }
    TRY(write_home(leg, oid, &taken.home));
    return ARENA_PUSH(leg->arena, &leg->diag, &leg->objects.submission_sets, taken);
}

static struct status
take_folder(struct asking *asking, struct leg *leg, const struct folder *folder)
{
    struct folder taken = *folder;
    struct span oid;

    if (!may_take(asking, leg, folder->home, folder->entry_uuid, &oid)) {
        return OK;
    }
    if (folder->entry_uuid.n == 0) {
        leg_drop(asking, leg, "named a Folder without id");
        return OK;
    }
    TRY(write_home(leg, oid, &taken.home));
    return ARENA_PUSH(leg->arena, &leg->diag, &leg->objects.folders, taken);
}

/* An association need not say its home (ITI TF-2 3.38.4.1.3 asks it of ExtrinsicObject and
 * RegistryPackage): then it is that of the community which was asked. */
static struct status
take_association(struct asking *asking, struct leg *leg, const struct association *association)
{
    struct association taken = *association;
    struct span oid = leg->community;

    if (association->home.n > 0 &&
        !may_take(asking, leg, association->home, association->entry_uuid, &oid)) {
        return OK;
    }
    if (association->entry_uuid.n == 0 || association->source.n == 0 ||
        association->target.n == 0) {
        leg_drop(asking, leg, "named an Association without id, sourceObject or targetObject");
        return OK;
    }
    TRY(write_home(leg, oid, &taken.home));
    return ARENA_PUSH(leg->arena, &leg->diag, &leg->objects.associations, taken);
}

/* Nobody here knows what they are: they pass whole, unless they are somebody else's. Those that
 * name what is not given go when all answers are here (legs_settle). */
/* REQ: ITI38-others-guarded */
static struct status
take_others(struct asking *asking, struct leg *leg, const struct span_list *others)
{
    for (size_t i = 0; i < others->n; i++) {
        if (withheld_may_take_other(asking, leg, others->items[i])) {
            TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->objects.others, others->items[i]));
        }
    }
    return OK;
}

static struct status
take_objects(struct asking *asking, struct leg *leg, const struct registry_objects *objects)
{
    for (size_t i = 0; i < objects->documents.n; i++) {
        const struct document_entry *entry = &objects->documents.items[i];
        bool is_taken = false;

        TRY(take_entry(asking, leg, entry, &is_taken));
        if (!is_taken) {
            TRY(withheld_add_document(&leg->withheld, entry, leg->arena, &leg->diag));
        }
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        TRY(take_submission_set(asking, leg, &objects->submission_sets.items[i]));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        TRY(take_folder(asking, leg, &objects->folders.items[i]));
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        TRY(take_association(asking, leg, &objects->associations.items[i]));
    }
    return take_others(asking, leg, &objects->others);
}

/* What references name is judged by whose they are; more is not known of it. */
static struct status
take_references(struct asking *asking, struct leg *leg, const struct document_ref_list *refs)
{
    for (size_t i = 0; i < refs->n; i++) {
        struct document_ref taken = refs->items[i];
        struct span oid;

        if (!may_take(asking, leg, taken.home, taken.unique_id, &oid)) {
            continue;
        }
        if (taken.unique_id.n == 0) {
            leg_drop(asking, leg, "gave an ObjectRef without id");
            continue;
        }
        TRY(write_home(leg, oid, &taken.home));
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->references, taken));
    }
    return OK;
}

struct status
iti38_answer(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct query_answer answer = {0};

    TRY(leg->reads_as != NULL
            ? query_answer_read_as(message, leg->reads_as, leg->arena, &leg->diag, &answer)
            : query_answer_read(message, leg->arena, &leg->diag, &answer));
    TRY(check_status(leg, &answer));
    if (answer.status == REGISTRY_FAILURE) {
        return OK;
    }
    if (leg_is_behind(leg)) {
        TRY(behind_adopt(asking, leg, &answer.objects));
    } else if (leg->partner->source != NULL) {
        TRY(source_adopt(asking, leg, &answer.objects));
    }
    TRY(take_objects(asking, leg, &answer.objects));
    for (size_t i = 0; i < answer.dropped; i++) {
        leg_drop(asking, leg, "gave an object that others would read differently");
    }
    if (may_be_references(asking, leg)) {
        return take_references(asking, leg, &answer.refs);
    }
    if (answer.refs.n > 0) {
        leg_drop(asking, leg, "gave an ObjectRef where metadata (LeafClass) was asked for");
    }
    return OK;
}

/* ---- our own store ---- */

struct own_leg {
    const struct asking *asking;
    const struct leg *leg;
    struct stored_question question;
    struct own_query query;
};

static bool
may_show(const void *arg, const struct document_entry *entry)
{
    const struct own_leg *own = arg;

    return leg_may_disclose(own->asking, own->leg, &entry->confidentiality);
}

/* A local system may open every record; the rules say which documents it sees. */
static bool
may_open(const void *arg, struct span patient_id)
{
    const struct own_leg *own = arg;

    return leg_may_open(own->asking, patient_id);
}

/* The FindDocuments of our own commands. */
static struct status
make_question(struct asking *asking, struct leg *leg, struct store_question *question)
{
    struct store_filter *filter = &question->filter;

    question->kind = STORE_FIND_DOCUMENTS;
    filter->patient_id = leg->patient_id;
    TRY(ARENA_PUSH(leg->arena, &leg->diag, &filter->status, SPAN(DOCUMENT_APPROVED)));
    for (size_t i = 0; i < asking->order.types.n; i++) {
        struct code code;

        TRY(stored_query_code(asking->order.types.items[i], &leg->diag, "--type", &code));
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &filter->type_codes, code));
    }
    return OK;
}

static struct status
begin_own(struct asking *asking, struct leg *leg, struct own_leg **ret_own)
{
    struct own_leg *own = leg->own;

    if (own == NULL) {
        TRY(ARENA_NEW(leg->arena, &leg->diag, &own));
        *own = (struct own_leg){.asking = asking, .leg = leg};
        TRY(asking->order.query == NULL ? make_question(asking, leg, &own->question.asks)
                                        : stored_query_question(asking->order.query, leg->arena,
                                                                &leg->diag, &own->question));
        own_query_init(
            &own->query, &own->question.asks,
            &(struct own_reader){may_show, may_open, own, asking->order.may_open != NULL});
        leg->own = own;
    }
    *ret_own = own;
    return OK;
}

struct status
iti38_ask_store(struct asking *asking, struct leg *leg, enum answer *ret_answer)
{
    struct own_leg *own;

    TRY(begin_own(asking, leg, &own));
    return own_query_ask(&own->query, asking->node->store, &asking->txn.park, leg->arena,
                         &leg->diag, ret_answer, &leg->objects);
}
