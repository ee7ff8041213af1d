/*
 * The accounting of disclosures (see the header). Called by audit_search.c for each record that
 * names the patient; owns nothing.
 */
#include "cli/audit_disclosure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/text.h"

#define EVENT_ROOM ((size_t)64 * 1024 * 1024)
#define FIELD_ROOM ((size_t)1024 * 1024)

/* ---- what is one ---- */

/* NULL: an event of this type discloses nothing about a patient. */
static const char *
what_of(const struct audit_event *event)
{
    const bool is_answer = event->side == AUDIT_RESPONDING;

    switch (event->type) {
    case AUDIT_ITI_55:
        return is_answer ? "demographics and patient id, in an answer"
                         : "demographics, in a question";
    case AUDIT_ITI_47:
        return is_answer ? "demographics and patient ids, in an answer"
                         : "demographics, in a question";
    case AUDIT_ITI_45:
        return is_answer ? "patient ids, in an answer" : "patient id, in a question";
    case AUDIT_ITI_56:
        return is_answer ? "communities that know the patient, in an answer"
                         : "patient id, in a question";
    case AUDIT_ITI_38:
    case AUDIT_ITI_18:
        return is_answer ? "list of documents, in an answer" : "patient id, in a question";
    case AUDIT_ITI_39:
    case AUDIT_ITI_43:
        return is_answer ? "documents, in an answer" : "ids of documents, in a question";
    case AUDIT_ITI_41:
    case AUDIT_ITI_80:
        return is_answer ? NULL : "documents, delivered";
    default:
        return NULL;
    }
}

bool
disclosure_is_one(const struct audit_event *event)
{
    if (what_of(event) == NULL) {
        return false;
    }
    if (event->side == AUDIT_INITIATING) {
        return event->phase == AUDIT_INTENT;
    }
    return event->phase == AUDIT_OUTCOME &&
           (event->outcome == AUDIT_SUCCESS || event->outcome == AUDIT_MINOR);
}

/* TEFCA's exchange purposes (spec of the Exchange Purposes SOP) that HIPAA calls treatment, payment
 * and health care operations. */
static bool
is_exempt(struct span purpose)
{
    return span_eq_cstr(purpose, "T-TREAT") || span_eq_cstr(purpose, "T-TRTMNT") ||
           span_eq_cstr(purpose, "T-PYMNT") || span_starts_with(purpose, SPAN("T-HCO"));
}

/* ---- a row ---- */

struct row {
    char time[DATETIME_MAX];
    struct span recipient, community, user, purpose;
    const char *what;
    char documents[24]; /* how many; empty: none */
    bool is_exempt;
    char record[96];
};

/* An answer goes to who asked, a question to who was asked. */
static void
fill_row(const struct journal_record *record, const struct audit_event *event, struct row *row)
{
    const bool is_answer = event->side == AUDIT_RESPONDING;
    const struct span other = event->partner.n > 0 ? event->partner : event->source_id;

    datetime_write_xs(event->time_us, row->time);
    row->recipient = is_answer && event->organization.n > 0 ? event->organization
                     : is_answer                            ? other
                     : event->partner.n > 0                 ? event->partner
                                                            : event->destination_id;
    row->community = event->community;
    row->user = !is_answer ? SPAN_EMPTY : event->user_id.n > 0 ? event->user_id : event->user_name;
    row->purpose = event->purpose.value;
    row->what = what_of(event);
    row->is_exempt = is_exempt(event->purpose.value);
    if (event->documents.n > 0) {
        (void)snprintf(row->documents, sizeof(row->documents), "%zu", event->documents.n);
    }
    (void)snprintf(row->record, sizeof(row->record), "%s/%" PRIu64, record->chain,
                   record->sequence);
}

/* ---- CSV ---- */

static bool
looks_like_formula(struct span text)
{
    return text.n > 0 && strchr("=+-@\t\r", text.p[0]) != NULL;
}

static struct status
put_field(struct buf *out, struct span text, char behind, struct diag *diag)
{
    CLEANUP(buf_done) struct buf plain;

    buf_init_secret(&plain, FIELD_ROOM);
    TRY(text_show(text, &plain, diag));
    TRY(buf_append_cstr(out, looks_like_formula(buf_span(&plain)) ? "\"'" : "\"", diag));
    for (size_t i = 0; i < plain.n; i++) {
        TRY(buf_append_cstr(out, plain.p[i] == '"' ? "\"" : "", diag));
        TRY(buf_append_char(out, plain.p[i], diag));
    }
    TRY(buf_append_char(out, '"', diag));
    return buf_append_cstr(out, behind == '\n' ? "\r\n" : ",", diag);
}

static struct status
write_csv(const struct row *row, struct buf *out, struct diag *diag)
{
    const struct span fields[] = {
        span_of_cstr(row->time),
        row->recipient,
        row->community,
        row->user,
        span_of_cstr(row->what),
        span_of_cstr(row->documents),
        row->purpose,
        row->is_exempt ? SPAN("yes") : SPAN("no"),
        span_of_cstr(row->record),
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        TRY(put_field(out, fields[i], i + 1 == ARRAY_LEN(fields) ? '\n' : ',', diag));
    }
    return OK;
}

/* ---- text and JSON ---- */

static struct status
write_text(const struct row *row, struct buf *out, struct diag *diag)
{
    TRY(buf_printf(out, diag, "%-25s", row->time));
    TRY(text_show(row->recipient.n > 0 ? row->recipient : SPAN("unknown recipient"), out, diag));
    if (row->user.n > 0) {
        TRY(buf_append_cstr(out, " (", diag));
        TRY(text_show(row->user, out, diag));
        TRY(buf_append_cstr(out, ")", diag));
    }
    TRY(buf_printf(out, diag, ": %s%s%s", row->what, row->documents[0] == '\0' ? "" : ", ",
                   row->documents));
    TRY(buf_append_cstr(out, "; purpose ", diag));
    TRY(text_show(row->purpose.n > 0 ? row->purpose : SPAN("not said"), out, diag));
    return buf_printf(out, diag, "%s; record %s\n", row->is_exempt ? " (exempt)" : "", row->record);
}

static struct status
write_json(const struct row *row, const struct audit_event *event, struct buf *out,
           struct diag *diag)
{
    struct jsonw w;

    jsonw_init(&w, out, false, diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "date", span_of_cstr(row->time));
    jsonw_key_text(&w, "recipient", row->recipient);
    jsonw_key_text(&w, "community", row->community);
    jsonw_key_text(&w, "user", row->user);
    jsonw_key_text(&w, "what", span_of_cstr(row->what));
    jsonw_key(&w, "documents");
    jsonw_array(&w);
    for (size_t i = 0; i < event->documents.n; i++) {
        jsonw_string(&w, event->documents.items[i].unique_id);
    }
    jsonw_close(&w);
    jsonw_key_text(&w, "purpose", row->purpose);
    jsonw_key_bool(&w, "exempt", row->is_exempt);
    jsonw_key_text(&w, "record", span_of_cstr(row->record));
    jsonw_close(&w);
    TRY(jsonw_finish(&w));
    return buf_append_char(out, '\n', diag);
}

static struct status
render_event(const struct disclosure_form *form, const struct journal_record *record,
             struct arena *arena, struct buf *out, struct diag *diag)
{
    struct audit_event event;
    struct row row = {0};

    TRY(audit_event_decode(record->payload, arena, diag, &event));
    if (!disclosure_is_one(&event)) {
        return OK;
    }
    fill_row(record, &event, &row);
    switch (form->style) {
    case DISCLOSURE_CSV:
        return write_csv(&row, out, diag);
    case DISCLOSURE_JSON:
        return write_json(&row, &event, out, diag);
    case DISCLOSURE_TEXT:
        break;
    }
    return write_text(&row, out, diag);
}

struct status
disclosure_render(const struct disclosure_form *form, const struct journal_record *record,
                  struct buf *out, struct diag *diag)
{
    struct arena *arena = arena_new(EVENT_ROOM);

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a record");
    }
    const struct status st = render_event(form, record, arena, out, diag);
    arena_free(arena);
    return st;
}

/* ---- around the rows ---- */

struct status
disclosure_begin(const struct disclosure_form *form, FILE *out, struct diag *diag)
{
    int written = 0;

    switch (form->style) {
    case DISCLOSURE_CSV:
        written = fprintf(out, "date,recipient,community,user,what,documents,purpose,exempt,"
                               "record\r\n");
        break;
    case DISCLOSURE_TEXT:
        written = fprintf(out, "Disclosures by %s about patient %.*s\n", form->community,
                          SPAN_PRINT(form->patient));
        break;
    case DISCLOSURE_JSON:
        break;
    }
    return written < 0 ? FAIL(diag, ERR_IO, "cannot write the output") : OK;
}

struct status
disclosure_end(const struct disclosure_form *form, FILE *out, struct diag *diag)
{
    (void)form;
    return fflush(out) != 0 ? FAIL(diag, ERR_IO, "cannot write the output") : OK;
}
