/*
 * Judges answers for the attack corpus, with the functions and in the order of the asking side
 * (txn/leg.c): read, check that it answers our question, then the codec.
 */
#include "attack/answers.h"

#include <string.h>

#include "attack/facts.h"
#include "base/mem.h"
#include "soap/xca.h"
#include "soap/xcpd.h"

struct answer_facts {
    enum soap_transaction transaction;
    const struct message *message;
    struct xcpd_answer discovery;
    struct query_answer query;
    struct retrieve_answer documents;
};

static void
free_documents(void *answer)
{
    retrieve_answer_done(answer);
}

static struct status
find_transaction(const char *name, struct diag *diag, enum soap_transaction *ret_transaction)
{
    for (enum soap_transaction i = 0; i < SOAP_TRANSACTION_COUNT; i++) {
        if (strcmp(soap_transaction(i)->name, name) == 0) {
            *ret_transaction = i;
            return OK;
        }
    }
    return FAIL(diag, ERR_USAGE, "'%s' is no transaction", name);
}

static struct status
read_payload(const struct answer_order *order, struct answer_facts *facts, struct arena *arena,
             struct diag *diag)
{
    const struct ident query_id = {.root = order->query_root, .extension = order->query_extension};
    if (facts->transaction == SOAP_ITI_55) {
        return xcpd_answer_read(facts->message, &query_id, arena, diag, &facts->discovery);
    }
    if (facts->transaction == SOAP_ITI_38) {
        return query_answer_read(facts->message, arena, diag, &facts->query);
    }
    TRY(retrieve_answer_read(facts->message, arena, diag, &facts->documents));
    return arena_defer(arena, free_documents, &facts->documents, diag);
}

struct status
answer_judge(const struct config *config, const struct answer_order *order, struct span body,
             struct span content_type, int64_t now_us, struct arena *arena, struct diag *diag,
             const struct answer_facts **ret_facts)
{
    const struct message_limits limits = message_limits_answer();
    struct answer_facts *facts = NULL;
    struct message *message = NULL;
    struct answer_check check = {
        .request_message_id = order->message_id,
        .request_signature = order->signature,
        .signer = order->signature.n > 0 ? config->signing : NULL,
        .now_us = now_us,
        .clock_skew_us = config->clock_skew_us,
    };
    TRY(ARENA_NEW(arena, diag, &facts));
    TRY(find_transaction(order->transaction, diag, &facts->transaction));
    check.transaction = facts->transaction;
    TRY(message_read(body, content_type, &limits, arena, diag, &message));
    facts->message = message;
    TRY(message_check_answer(message, &check, arena, diag));
    TRY(read_payload(order, facts, arena, diag));
    *ret_facts = facts;
    return OK;
}

/* ---- facts ---- */

static void
write_match(const struct facts_writer *to, const struct xcpd_match *match)
{
    const struct patient *const patient = &match->patient;
    for (size_t i = 0; i < patient->ids.n; i++) {
        facts_item(to, "id", patient->ids.items[i].extension);
    }
    for (size_t i = 0; i < patient->names.n; i++) {
        facts_item(to, "family", patient->names.items[i].family);
    }
    facts_item(to, "birth", patient->birth_time);
    facts_item(to, "home", match->home);
}

static void
write_documents(const struct facts_writer *to, const struct retrieved_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        struct diag diag = {0};
        CLEANUP(buf_done) struct buf bytes;
        buf_init(&bytes, (size_t)64 * 1024);
        facts_item(to, "document", list->items[i].ref.unique_id);
        facts_item(to, "home", list->items[i].ref.home);
        struct span content;
        if (is_ok(body_span(&list->items[i].body, &bytes, &diag, &content))) {
            facts_item(to, "content", content);
        }
    }
}

void
answer_write(struct jsonw *w, const struct answer_facts *facts, struct arena *arena,
             struct diag *diag)
{
    const struct facts_writer to = {w, arena, diag};
    const struct addressing *const a = message_addressing(facts->message);
    jsonw_key(w, "facts");
    jsonw_object(w);
    jsonw_key_text(w, "transaction", span_of_cstr(soap_transaction(facts->transaction)->name));
    jsonw_key_text(w, "action", a->action);
    jsonw_key_text(w, "relates_to", a->relates_to);
    jsonw_key_text(w, "payload", message_payload_name(facts->message));
    jsonw_key(w, "content");
    jsonw_array(w);
    for (size_t i = 0; i < facts->discovery.matches.n; i++) {
        write_match(&to, &facts->discovery.matches.items[i]);
    }
    for (size_t i = 0; i < facts->query.objects.documents.n; i++) {
        facts_item(&to, "document", facts->query.objects.documents.items[i].unique_id);
        facts_item(&to, "home", facts->query.objects.documents.items[i].home);
        facts_item(&to, "patient", facts->query.objects.documents.items[i].patient_id);
    }
    for (size_t i = 0; i < facts->query.errors.n; i++) {
        facts_item(&to, "error", facts->query.errors.items[i].code);
    }
    write_documents(&to, &facts->documents.documents);
    jsonw_close(w);
    jsonw_close(w);
}
