/*
 * One exported record as AuditMessage, AuditEvent, JSON or a row of CSV. Called by audit_export.c;
 * owns nothing.
 */
#include <inttypes.h>
#include <string.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "cli/audit_export.h"
#include "cli/audit_text.h"
#include "cli/csv.h"

#define EVENT_ROOM ((size_t)64 * 1024 * 1024)

const char *
audit_export_name(enum audit_export_form form)
{
    switch (form) {
    case AUDIT_EXPORT_XML:
        return "records.xml";
    case AUDIT_EXPORT_CSV:
        return "records.csv";
    case AUDIT_EXPORT_FHIR:
        return "records.ndjson";
    case AUDIT_EXPORT_JSON:
        break;
    }
    return "records.jsonl";
}

const char *
audit_export_head(enum audit_export_form form)
{
    switch (form) {
    case AUDIT_EXPORT_XML:
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AuditMessages>\n";
    case AUDIT_EXPORT_CSV:
        return "record,sha256,time,type,side,phase,outcome,reason,policy_rule,policy_verdict,"
               "partner,community,asked_by,asked_from,answered_by,answered_from,user,asserted_as,"
               "role,organization,on_behalf_of,purpose,patients,documents,submission_set,query_id,"
               "subject,transaction,message\r\n";
    case AUDIT_EXPORT_JSON:
    case AUDIT_EXPORT_FHIR:
        break;
    }
    return "";
}

const char *
audit_export_foot(enum audit_export_form form)
{
    return form == AUDIT_EXPORT_XML ? "</AuditMessages>\n" : "";
}

/* ---- XML ---- */

/* The declaration stands once, at the head of the whole document. */
static struct span
without_declaration(struct span xml)
{
    const size_t end = span_find(xml, SPAN("?>"));
    size_t from = end == SPAN_MISSING ? 0 : end + 2;

    while (from < xml.n && xml.p[from] == '\n') {
        from++;
    }
    return span_slice(xml, from, xml.n - from);
}

/* A chain's name and a hash need no escaping. */
static struct status
write_xml(const struct journal_record *record, const struct audit_event *event,
          const struct audit_source *source, struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf xml;
    char time[DATETIME_MAX];

    buf_init_secret(&xml, EVENT_ROOM);
    datetime_write_xs(record->time_us, time);
    TRY(audit_message_write(event, source, &xml, diag));
    TRY(buf_printf(out, diag, "<Record name=\"%s/%" PRIu64 "\" time=\"%s\" sha256=\"%s\">\n",
                   record->chain, record->sequence, time, record->hash));
    TRY(buf_append(out, without_declaration(buf_span(&xml)), diag));
    return buf_append_cstr(out, "\n</Record>\n", diag);
}

/* ---- CSV ---- */

#define JOINED " "

static struct status
join(struct buf *to, struct span text, struct diag *diag)
{
    TRY(buf_append_cstr(to, to->n > 0 ? JOINED : "", diag));
    return buf_append(to, text, diag);
}

static struct status
join_lists(const struct audit_event *event, struct buf *patients, struct buf *documents,
           struct diag *diag)
{
    for (size_t i = 0; i < event->patients.n; i++) {
        TRY(join(patients, event->patients.items[i], diag));
    }
    for (size_t i = 0; i < event->documents.n; i++) {
        TRY(join(documents, event->documents.items[i].unique_id, diag));
    }
    return OK;
}

static struct status
write_row(const struct journal_record *record, const struct audit_event *event,
          struct span patients, struct span documents, struct buf *out, struct diag *diag)
{
    char name[96], time[DATETIME_MAX];

    (void)snprintf(name, sizeof(name), "%s/%" PRIu64, record->chain, record->sequence);
    datetime_write_xs(record->time_us, time);
    const struct span fields[] = {
        span_of_cstr(name),
        span_of_cstr(record->hash),
        span_of_cstr(time),
        span_of_cstr(audit_type_code(event->type)),
        event->side == AUDIT_INITIATING ? SPAN("initiating") : SPAN("responding"),
        event->phase == AUDIT_INTENT ? SPAN("intent") : SPAN("outcome"),
        event->phase == AUDIT_INTENT ? SPAN_EMPTY
                                     : span_of_cstr(audit_outcome_name(event->outcome)),
        event->outcome_text,
        event->policy_rule,
        event->policy_verdict,
        event->partner,
        event->community,
        event->source_id,
        event->source_address,
        event->destination_id,
        event->destination_address,
        event->user_id,
        event->user_name,
        event->role.value,
        event->organization,
        event->delegator,
        event->purpose.value,
        patients,
        documents,
        event->submission_set,
        event->query_id,
        event->subject,
        event->transaction_id,
        event->message_id,
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        TRY(csv_field(out, fields[i], i + 1 == ARRAY_LEN(fields), diag));
    }
    return OK;
}

static struct status
write_csv(const struct journal_record *record, const struct audit_event *event, struct buf *out,
          struct diag *diag)
{
    CLEANUP(buf_done) struct buf patients;
    CLEANUP(buf_done) struct buf documents;

    buf_init_secret(&patients, EVENT_ROOM);
    buf_init_secret(&documents, EVENT_ROOM);
    TRY(join_lists(event, &patients, &documents, diag));
    return write_row(record, event, buf_span(&patients), buf_span(&documents), out, diag);
}

/* ---- any ---- */

static struct status
write_event(enum audit_export_form form, const struct audit_source *source,
            const struct journal_record *record, struct arena *arena, struct buf *out,
            struct diag *diag)
{
    struct audit_event event;

    TRY(audit_event_decode(record->payload, arena, diag, &event));
    if (form == AUDIT_EXPORT_FHIR) {
        return audit_text_fhir(record, &event, source, out, diag);
    }
    return form == AUDIT_EXPORT_XML ? write_xml(record, &event, source, out, diag)
                                    : write_csv(record, &event, out, diag);
}

struct status
audit_export_record(enum audit_export_form form, const struct audit_source *source,
                    const struct journal_record *record, struct buf *out, struct diag *diag)
{
    if (form == AUDIT_EXPORT_JSON) {
        return audit_text_json(record, out, diag);
    }
    struct arena *arena = arena_new(EVENT_ROOM);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a record");
    }
    const struct status st = write_event(form, source, record, arena, out, diag);
    arena_free(arena);
    return st;
}
