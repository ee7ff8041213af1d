/*
 * Facts of a proven request as JSON, for the attack judge. All of them: what is not written here
 * could be forged unseen.
 */
#include "attack/facts.h"

#include "soap/xca.h"
#include "soap/xcpd.h"

struct facts_payload {
    struct xcpd_query discovery;
    struct stored_query query;
    struct document_ref_list refs;
};

struct status
facts_read_payload(const struct proof *proof, struct arena *arena, struct diag *diag,
                   const struct facts_payload **ret_payload)
{
    struct facts_payload *payload = NULL;
    TRY(ARENA_NEW(arena, diag, &payload));
    if (proof->transaction == SOAP_ITI_55) {
        TRY(xcpd_query_read(proof->message, arena, diag, &payload->discovery));
    } else if (proof->transaction == SOAP_ITI_38) {
        TRY(stored_query_read(proof->message, arena, diag, &payload->query));
    } else {
        TRY(retrieve_query_read(proof->message, arena, diag, &payload->refs));
    }
    *ret_payload = payload;
    return OK;
}

/* ---- payload: a list of "name=value" ---- */

void
facts_item(const struct facts_writer *to, const char *name, struct span value)
{
    struct span text;
    if (value.n > 0 &&
        is_ok(arena_printf(to->arena, to->diag, &text, "%s=%.*s", name, SPAN_PRINT(value)))) {
        jsonw_string(to->w, text);
    }
}

static void
item_ident(const struct facts_writer *to, const char *name, const struct ident *id)
{
    struct span text;
    if (id->root.n > 0 && is_ok(arena_printf(to->arena, to->diag, &text, "%.*s^%.*s",
                                             SPAN_PRINT(id->root), SPAN_PRINT(id->extension)))) {
        facts_item(to, name, text);
    }
}

static void
item_name(const struct facts_writer *to, const struct person_name *name)
{
    facts_item(to, "family", name->family);
    for (size_t i = 0; i < name->given.n; i++) {
        facts_item(to, "given", name->given.items[i]);
    }
    facts_item(to, "prefix", name->prefix);
    facts_item(to, "suffix", name->suffix);
}

static void
write_discovery(const struct facts_writer *to, const struct xcpd_query *query)
{
    const struct patient *const subject = &query->subject;
    item_ident(to, "message", &query->id);
    item_ident(to, "query", &query->query_id);
    facts_item(to, "sender", query->sender_home);
    facts_item(to, "receiver", query->receiver_home);
    for (size_t i = 0; i < subject->names.n; i++) {
        item_name(to, &subject->names.items[i]);
    }
    for (size_t i = 0; i < subject->ids.n; i++) {
        item_ident(to, "id", &subject->ids.items[i]);
    }
    facts_item(to, "birth", subject->birth_time);
    facts_item(to, "sex", subject->sex);
    for (size_t i = 0; i < subject->addresses.n; i++) {
        const struct address *const address = &subject->addresses.items[i];
        for (size_t k = 0; k < address->street.n; k++) {
            facts_item(to, "street", address->street.items[k]);
        }
        facts_item(to, "city", address->city);
        facts_item(to, "state", address->state);
        facts_item(to, "postal_code", address->postal_code);
    }
    for (size_t i = 0; i < subject->telecoms.n; i++) {
        facts_item(to, "telecom", subject->telecoms.items[i].value);
    }
}

static void
write_query(const struct facts_writer *to, const struct stored_query *query)
{
    facts_item(to, "query", query->id);
    facts_item(to, "home", query->home);
    facts_item(to, "return", query->wants_leaf_class ? SPAN("LeafClass") : SPAN("ObjectRef"));
    for (size_t i = 0; i < query->params.n; i++) {
        const struct query_param *const param = &query->params.items[i];
        for (size_t k = 0; k < param->values.n; k++) {
            facts_item(to, param->name.p, param->values.items[k]);
        }
    }
}

static void
write_refs(const struct facts_writer *to, const struct document_ref_list *refs)
{
    for (size_t i = 0; i < refs->n; i++) {
        facts_item(to, "home", refs->items[i].home);
        facts_item(to, "repository", refs->items[i].repository);
        facts_item(to, "document", refs->items[i].unique_id);
    }
}

/* ---- addressing and assertion ---- */

static void
write_code(const struct facts_writer *to, const char *name, const struct code *code)
{
    struct span text;
    if (code->value.n > 0 &&
        is_ok(arena_printf(to->arena, to->diag, &text, "%.*s|%.*s|%.*s", SPAN_PRINT(code->value),
                           SPAN_PRINT(code->scheme), SPAN_PRINT(code->display)))) {
        jsonw_key_text(to->w, name, text);
    }
}

static void
write_list(const struct facts_writer *to, const char *name, const struct span_list *list)
{
    jsonw_key(to->w, name);
    jsonw_array(to->w);
    for (size_t i = 0; i < list->n; i++) {
        jsonw_string(to->w, list->items[i]);
    }
    jsonw_close(to->w);
}

static void
write_idents(const struct facts_writer *to, const char *name, const struct ident_list *list)
{
    jsonw_key(to->w, name);
    jsonw_array(to->w);
    for (size_t i = 0; i < list->n; i++) {
        item_ident(to, "id", &list->items[i]);
    }
    jsonw_close(to->w);
}

static void
write_saml_texts(struct jsonw *w, const struct saml_facts *saml)
{
    const struct {
        const char *name;
        struct span value;
    } rows[] = {
        {"assertion_id", saml->assertion_id},
        {"issuer", saml->issuer},
        {"issuer_format", saml->issuer_format},
        {"name_id", saml->name_id},
        {"name_id_format", saml->name_id_format},
        {"name_id_provided", saml->name_id_provided},
        {"timestamp_signature", saml->timestamp_signature},
        {"subject_id", saml->subject_id},
        {"organization", saml->organization},
        {"organization_id", saml->organization_id},
        {"home_community", saml->home_community},
        {"npi", saml->npi},
        {"resource_id", saml->resource_id},
        {"delegator", saml->delegator},
        {"jurisdiction", saml->jurisdiction},
        {"id_token", saml->id_token},
        {"key", span_of_cstr(saml->key->sha256)},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        jsonw_key_text(w, rows[i].name, rows[i].value);
    }
}

static void
write_saml(const struct facts_writer *to, const struct saml_facts *saml)
{
    const struct {
        const char *name;
        int64_t value;
    } times[] = {
        {"not_before_us", saml->not_before_us},
        {"not_on_or_after_us", saml->not_on_or_after_us},
        {"authn_instant_us", saml->authn_instant_us},
        {"created_us", saml->timestamp_created_us},
        {"expires_us", saml->timestamp_expires_us},
    };
    write_saml_texts(to->w, saml);
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        jsonw_key_int(to->w, times[i].name, times[i].value);
    }
    jsonw_key_int(to->w, "omitted", saml->omitted);
    jsonw_key_bool(to->w, "has_sha1", saml->has_sha1);
    jsonw_key_bool(to->w, "is_one_time", saml->is_one_time);
    jsonw_key_bool(to->w, "is_holder_of_key", saml->is_holder_of_key);
    write_code(to, "role", &saml->role);
    write_code(to, "purpose", &saml->purpose);
    write_list(to, "acp", &saml->acp);
    write_list(to, "iacp", &saml->iacp);
    write_idents(to, "provider_ids", &saml->provider_ids);
}

static void
write_message(struct jsonw *w, const struct message *message)
{
    const struct addressing *const a = message_addressing(message);
    jsonw_key_text(w, "action", a->action);
    jsonw_key_text(w, "to", a->to);
    jsonw_key_text(w, "message_id", a->message_id);
    jsonw_key_text(w, "relates_to", a->relates_to);
    jsonw_key_text(w, "reply_to", a->reply_to);
    jsonw_key_text(w, "fault_to", a->fault_to);
    jsonw_key_text(w, "payload", message_payload_name(message));
    jsonw_key_text(w, "payload_namespace", message_payload_namespace(message));
}

void
facts_write(struct jsonw *w, const struct proof *proof, const struct facts_payload *payload,
            struct arena *arena, struct diag *diag)
{
    const struct facts_writer to = {w, arena, diag};
    jsonw_key(w, "facts");
    jsonw_object(w);
    jsonw_key_text(w, "partner", span_of_cstr(proof->partner->id));
    jsonw_key_text(w, "transaction", span_of_cstr(soap_transaction(proof->transaction)->name));
    write_message(w, proof->message);
    write_saml(&to, &proof->saml);
    jsonw_key(w, "content");
    jsonw_array(w);
    if (proof->transaction == SOAP_ITI_55) {
        write_discovery(&to, &payload->discovery);
    } else if (proof->transaction == SOAP_ITI_38) {
        write_query(&to, &payload->query);
    } else {
        write_refs(&to, &payload->refs);
    }
    jsonw_close(w);
    jsonw_close(w);
}
