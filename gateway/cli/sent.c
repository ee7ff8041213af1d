/*
 * The end of a submission, as JSON and for people. Called by client.c when the transaction has
 * ended. A submission is taken whole or not at all, so a document has no status of its own: errors
 * name documents by their id.
 */
#include "cli/sent.h"

#include "base/jsonw.h"
#include "base/text.h"
#include "txn/provide.h"

static const char *
status_of(const struct leg *leg)
{
    switch (leg->state) {
    case LEG_ANSWERED:
        return leg->status == REGISTRY_SUCCESS ? "accepted" : "refused";
    case LEG_DENIED:
        return "denied";
    default:
        return "failed";
    }
}

static const struct leg *
leg_of(const struct asking *asking)
{
    return &asking->legs[ASKING_PROVIDE].items[0];
}

/* Does the error name this document, by its entry's id or its uniqueId? */
static bool
is_about(const struct registry_error *error, const struct document_entry *entry)
{
    return (entry->entry_uuid.n > 0 &&
            (span_find(error->location, entry->entry_uuid) != SPAN_MISSING ||
             span_find(error->context, entry->entry_uuid) != SPAN_MISSING)) ||
           (entry->unique_id.n > 0 &&
            (span_find(error->location, entry->unique_id) != SPAN_MISSING ||
             span_find(error->context, entry->unique_id) != SPAN_MISSING));
}

/* ---- JSON ---- */

static void
write_error(struct jsonw *w, const struct registry_error *error)
{
    jsonw_object(w);
    jsonw_key_text(w, "code", error->code);
    jsonw_key_text(w, "context", error->context);
    jsonw_key_text(w, "location", error->location);
    jsonw_key_text(w, "severity", error->is_warning ? SPAN("warning") : SPAN("error"));
    jsonw_close(w);
}

static void
write_documents(struct jsonw *w, const struct asking *asking, const struct leg *leg)
{
    const struct provide_request *request = asking->order.provide;

    jsonw_key(w, "documents");
    jsonw_array(w);
    for (size_t i = 0; i < request->documents.n; i++) {
        const struct document_entry *entry = &request->objects.documents.items[i];

        jsonw_object(w);
        jsonw_key_text(w, "unique_id", entry->unique_id);
        jsonw_key_text(w, "title", entry->title);
        jsonw_key_text(w, "mime_type", entry->mime_type);
        jsonw_key_int(w, "size", (int64_t)request->documents.items[i].body.size);
        jsonw_key_text(w, "sha1", entry->hash);
        jsonw_key(w, "errors");
        jsonw_array(w);
        for (size_t e = 0; e < leg->errors.n; e++) {
            if (is_about(&leg->errors.items[e], entry)) {
                write_error(w, &leg->errors.items[e]);
            }
        }
        jsonw_close(w);
        jsonw_close(w);
    }
    jsonw_close(w);
}

struct status
sent_write_json(const struct asking *asking, struct buf *out, struct diag *diag)
{
    const struct leg *leg = leg_of(asking);
    const struct submission_set *set = provide_set(asking->order.provide);
    struct jsonw w;

    jsonw_init(&w, out, true, diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "transaction", span_of_cstr(asking->txn.id));
    jsonw_key_text(&w, "community", leg->community);
    jsonw_key_text(&w, "partner", span_of_cstr(leg->partner == NULL ? NULL : leg->partner->id));
    jsonw_key_text(&w, "status", span_of_cstr(status_of(leg)));
    jsonw_key_text(&w, "submission_set", set->unique_id);
    jsonw_key_text(&w, "patient_id", set->patient_id);
    jsonw_key_bool(&w, "limited_metadata", set->is_limited);
    if (leg->diag.code != ERR_NONE) {
        jsonw_key_text(&w, "reason", span_of_cstr(err_name(leg->diag.code)));
        jsonw_key_text(&w, "error", span_of_cstr(leg->diag.text));
    }
    jsonw_key_int(&w, "milliseconds", leg->elapsed_us / US_PER_MS);
    write_documents(&w, asking, leg);
    jsonw_key(&w, "errors");
    jsonw_array(&w);
    for (size_t i = 0; i < leg->errors.n; i++) {
        write_error(&w, &leg->errors.items[i]);
    }
    jsonw_close(&w);
    jsonw_close(&w);
    TRY(jsonw_finish(&w));
    return buf_append_cstr(out, "\n", diag);
}

/* ---- people ---- */

struct status
sent_write_text(const struct asking *asking, struct buf *out, struct diag *diag)
{
    const struct leg *leg = leg_of(asking);
    const struct provide_request *request = asking->order.provide;

    TRY(buf_printf(out, diag, "%s (%.*s): %s, %zu document%s, %lld ms\n",
                   leg->partner == NULL ? "our own store" : leg->partner->name,
                   SPAN_PRINT(leg->community), status_of(leg), request->documents.n,
                   request->documents.n == 1 ? "" : "s", (long long)(leg->elapsed_us / US_PER_MS)));
    for (size_t i = 0; i < request->documents.n; i++) {
        const struct document_entry *entry = &request->objects.documents.items[i];

        TRY(buf_append_cstr(out, "  ", diag));
        TRY(text_show(entry->unique_id, out, diag));
        TRY(buf_printf(out, diag, "  %llu bytes  ",
                       (unsigned long long)request->documents.items[i].body.size));
        TRY(text_show(entry->title, out, diag));
        TRY(buf_append_cstr(out, "\n", diag));
    }
    if (leg->diag.code != ERR_NONE) {
        TRY(buf_printf(out, diag, "  %s: %s\n", err_name(leg->diag.code), leg->diag.text));
    }
    for (size_t i = 0; i < leg->errors.n; i++) {
        const struct registry_error *error = &leg->errors.items[i];

        TRY(buf_append_cstr(out, error->is_warning ? "  warning " : "  error ", diag));
        TRY(text_show(error->code, out, diag));
        TRY(buf_append_cstr(out, ": ", diag));
        TRY(text_show(error->context, out, diag));
        TRY(buf_append_cstr(out, error->location.n > 0 ? "; at " : "", diag));
        TRY(text_show(error->location, out, diag));
        TRY(buf_append_cstr(out, "\n", diag));
    }
    return OK;
}
