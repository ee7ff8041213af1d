/*
 * The AdhocQueryRequest of ITI-38 (and ITI-18): stored query id, home, parameters. Called by both
 * sides of the transaction on the thread that owns the message; facts go to the caller's arena.
 * Source: ITI TF-2 3.38.4.1, 3.18.4.1.
 */
#include "base/mem.h"
#include "soap/message_internal.h"
#include "soap/regrep_payload.h"
#include "soap/xca_value.h"

static struct status
read_params(const struct rim_slot_list *slots, struct arena *arena, struct diag *diag,
            struct query_param_list *params)
{
    size_t values = 0;
    for (size_t i = 0; i < slots->n; i++) {
        struct query_param param;
        TRY(query_values_read(&slots->items[i], arena, diag, &param));
        values += param.values.n;
        if (values > XCA_VALUES_MAX) {
            return FAIL(diag, ERR_LIMIT_ITEMS, "the query's parameters have more than %zu values",
                        XCA_VALUES_MAX);
        }
        TRY(arena_dup(arena, param.name, diag, &param.name));
        TRY(ARENA_PUSH(arena, diag, params, param));
    }
    return OK;
}

static struct status
fill_query(const struct regrep_query *from, struct arena *arena, struct diag *diag,
           struct stored_query *query)
{
    const struct span type = span_trim(from->return_type);
    TRY(arena_dup(arena, span_trim(from->id), diag, &query->id));
    TRY(arena_dup(arena, span_trim(from->home), diag, &query->home));
    query->wants_leaf_class = span_eq_cstr(type, "LeafClass");
    if (!query->wants_leaf_class && !span_eq_cstr(type, "ObjectRef")) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "ResponseOption/@returnType is '%.*s'; expected LeafClass or ObjectRef",
                    SPAN_PRINT(span_slice(type, 0, 30)));
    }
    if (query->id.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "AdhocQuery has no id; expected the urn:uuid of a stored query");
    }
    return read_params(&from->slots, arena, diag, &query->params);
}

struct status
stored_query_read(const struct message *message, struct arena *arena, struct diag *diag,
                  struct stored_query *ret_query)
{
    const xmlNode *payload = message_payload(message);
    struct document_node_list no_documents;
    struct regrep_query record = {.id = SPAN_EMPTY};
    struct stored_query query = {.id = SPAN_EMPTY};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    CLEANUP(buf_done) struct buf xml;
    buf_init_secret(&xml, REGREP_PAYLOAD_MAX);
    TRY(regrep_payload_check_count(payload, "Slot", XCA_PARAMS_MAX, diag));
    TRY(regrep_payload_check_count(payload, "Value", XCA_VALUES_MAX, diag));
    TRY(regrep_scratch_new(diag, &scratch));
    const struct regrep_reader reader = {
        .arena = scratch, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    TRY(regrep_payload_write(payload, reader.code, scratch, &xml, diag, &no_documents));
    TRY(regrep_read_query(&reader, buf_span(&xml), &record));
    TRY(fill_query(&record, arena, diag, &query));
    buf_reset(&xml);
    TRY(xml_serialise(payload, &xml, diag));
    TRY(arena_dup(arena, buf_span(&xml), diag, &query.query_xml));
    *ret_query = query;
    return OK;
}

struct status
stored_query_write(const struct stored_query *query, struct arena *arena, struct buf *out,
                   struct diag *diag, struct span *ret_query_xml)
{
    struct regrep_query record = {
        .return_type = query->wants_leaf_class ? SPAN("LeafClass") : SPAN("ObjectRef"),
        .id = query->id,
        .home = query->home,
    };
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    TRY(regrep_scratch_new(diag, &scratch));
    for (size_t i = 0; i < query->params.n; i++) {
        struct rim_slot slot;
        TRY(query_values_write(&query->params.items[i], scratch, diag, &slot));
        TRY(ARENA_PUSH(scratch, diag, &record.slots, slot));
    }
    const size_t from = out->n;
    TRY(regrep_write_query(&record, out, diag));
    return arena_dup(arena, span_of(out->p + from, out->n - from), diag, ret_query_xml);
}

/* The only Slot of that name that has values; NULL when there is none. */
static struct status
find_param(const struct stored_query *query, const char *name, bool is_required, struct diag *diag,
           const struct query_param **ret_param)
{
    const struct query_param *found = NULL;
    for (size_t i = 0; i < query->params.n; i++) {
        const struct query_param *param = &query->params.items[i];
        if (!span_eq_cstr(param->name, name) || param->values.n == 0) {
            continue;
        }
        if (found != NULL) {
            return FAIL(diag, ERR_QUERY_PARAM_NUMBER, "%s is given twice; expected once", name);
        }
        found = param;
    }
    if (found == NULL && is_required) {
        return FAIL(diag, ERR_QUERY_PARAM_MISSING, "%s is required by this stored query", name);
    }
    *ret_param = found;
    return OK;
}

struct status
query_param_one(const struct stored_query *query, const char *name, bool is_required,
                struct diag *diag, struct span *ret_value)
{
    const struct query_param *param = NULL;
    TRY(find_param(query, name, is_required, diag, &param));
    if (param != NULL && param->values.n > 1) {
        return FAIL(diag, ERR_QUERY_PARAM_NUMBER, "%s has %zu values; expected one", name,
                    param->values.n);
    }
    *ret_value = param == NULL ? SPAN_EMPTY : param->values.items[0];
    return OK;
}

struct status
query_param_many(const struct stored_query *query, const char *name, bool is_required,
                 struct diag *diag, struct span_list *ret_values)
{
    const struct query_param *param = NULL;
    TRY(find_param(query, name, is_required, diag, &param));
    *ret_values = param == NULL ? (struct span_list){.items = NULL} : param->values;
    return OK;
}
