/*
 * Questions for documents in a partner's dialect. Called by iti38_ask.c and iti39.c on workers;
 * what is made lives in the transaction's arena.
 */
#include "txn/dialect_ask.h"

#include "base/datetime.h"
#include "txn/iti39.h"

#define FIND_BY_REFERENCE_ID "urn:uuid:12941a89-e02e-4be5-967c-ce4bfc8fe492"
#define EARLIEST             "19000101000000"
#define DAY_US               (INT64_C(86400) * US_PER_S)

/* ---- ranges of times ---- */

static bool
has_range(const struct stored_query *query)
{
    static const char *const beginnings[] = {"$XDSDocumentEntryCreationTime",
                                             "$XDSDocumentEntryServiceStartTime",
                                             "$XDSDocumentEntryServiceStopTime"};

    for (size_t i = 0; i < query->params.n; i++) {
        for (size_t b = 0; b < ARRAY_LEN(beginnings); b++) {
            if (span_starts_with(query->params.items[i].name, span_of_cstr(beginnings[b]))) {
                return true;
            }
        }
    }
    return false;
}

static struct status
add_time(struct asking *asking, struct leg *leg, struct query_param_list *params, const char *name,
         const char *time)
{
    struct arena *arena = asking->txn.arena;
    struct query_param param = {.name = span_of_cstr(name)};
    struct span copy;

    TRY(arena_dup(arena, span_of_cstr(time), &leg->diag, &copy));
    TRY(ARENA_PUSH(arena, &leg->diag, &param.values, copy));
    return ARENA_PUSH(arena, &leg->diag, params, param);
}

/* From before anybody living was born to tomorrow: clocks differ. */
static struct status
add_range(struct asking *asking, struct leg *leg, struct query_param_list *params)
{
    const bool is_service = leg->partner->form.range == DIALECT_RANGE_SERVICE;
    char tomorrow[DATETIME_MAX];

    datetime_write_dtm(clock_wall_us(asking->node->clock) + DAY_US, tomorrow);
    TRY(add_time(asking, leg, params,
                 is_service ? "$XDSDocumentEntryServiceStartTimeFrom"
                            : "$XDSDocumentEntryCreationTimeFrom",
                 EARLIEST));
    return add_time(asking, leg, params,
                    is_service ? "$XDSDocumentEntryServiceStartTimeTo"
                               : "$XDSDocumentEntryCreationTimeTo",
                    tomorrow);
}

/* ---- names of documents ---- */

static struct status
name_values(struct asking *asking, struct leg *leg, const struct span_list *from,
            struct span_list *ret_values)
{
    struct arena *arena = asking->txn.arena;
    struct span_list values = {0};

    for (size_t i = 0; i < from->n; i++) {
        struct span id;

        TRY(document_id_with_urn(from->items[i], arena, &leg->diag, &id));
        TRY(ARENA_PUSH(arena, &leg->diag, &values, id));
    }
    *ret_values = values;
    return OK;
}

static struct status
copy_params(struct asking *asking, struct leg *leg, const struct query_param_list *from,
            struct query_param_list *to)
{
    for (size_t i = 0; i < from->n; i++) {
        struct query_param param = from->items[i];

        if (leg->partner->form.has_urn_ids &&
            span_eq(param.name, SPAN("$XDSDocumentEntryUniqueId"))) {
            TRY(name_values(asking, leg, &param.values, &param.values));
        }
        TRY(ARENA_PUSH(asking->txn.arena, &leg->diag, to, param));
    }
    return OK;
}

struct status
dialect_adapt_query(struct asking *asking, struct leg *leg, struct stored_query *query)
{
    const struct dialect_form *form = &leg->partner->form;
    const bool wants_range = form->range != DIALECT_RANGE_NONE && !has_range(query) &&
                             (span_eq_cstr(query->id, XCA_FIND_DOCUMENTS) ||
                              span_eq_cstr(query->id, FIND_BY_REFERENCE_ID));
    struct query_param_list params = {0};

    if (!wants_range && !form->has_urn_ids) {
        return OK;
    }
    TRY(copy_params(asking, leg, &query->params, &params));
    if (wants_range) {
        TRY(add_range(asking, leg, &params));
    }
    query->params = params;
    return OK;
}

/* Partners that name documents by urn:uuid: in questions do not say so in their metadata. */
struct status
iti39_ask(struct asking *asking, struct leg *leg)
{
    struct arena *arena = asking->txn.arena;
    struct document_ref_list asked = {0};

    if (!leg->partner->form.has_urn_ids) {
        return retrieve_query_write(&leg->refs, arena, &leg->payload, &leg->diag);
    }
    for (size_t i = 0; i < leg->refs.n; i++) {
        struct document_ref ref = leg->refs.items[i];

        TRY(document_id_with_urn(ref.unique_id, arena, &leg->diag, &ref.unique_id));
        TRY(ARENA_PUSH(arena, &leg->diag, &asked, ref));
    }
    return retrieve_query_write(&asked, arena, &leg->payload, &leg->diag);
}

bool
dialect_is_same_id(const struct leg *leg, struct span asked, struct span came)
{
    return span_eq(asked, came) ||
           (leg->partner != NULL && leg->partner->form.has_urn_ids &&
            span_eq_nocase(document_id_without_urn(asked), document_id_without_urn(came)));
}
