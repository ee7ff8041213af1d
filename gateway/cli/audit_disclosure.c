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
#include "cli/csv.h"
#include "config/config.h"

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

/* TEFCA's exchange purposes (Exchange Purposes SOP), in words; HIPAA calls the first ones
 * treatment, payment and health care operations. The first that a code begins with. */
static const struct purpose {
    const char *code;
    const char *text;
    bool is_exempt;
} purposes[] = {
    {"T-TREAT", "treatment", true},
    {"T-TRTMNT", "treatment", true},
    {"T-PYMNT", "payment", true},
    {"T-HCO-CC", "health care operations: care coordination", true},
    {"T-HCO-QM", "health care operations: quality measures", true},
    {"T-HCO-HED", "health care operations: HEDIS reporting", true},
    {"T-HCO", "health care operations", true},
    {"T-PH-ECR", "public health: electronic case reporting", false},
    {"T-PH-ELR", "public health: electronic laboratory reporting", false},
    {"T-PH", "public health", false},
    {"T-IAS", "the individual's own access", false},
    {"T-GOVDTRM", "determination of government benefits", false},
};

static const struct purpose *
purpose_of(struct span code)
{
    for (size_t i = 0; i < ARRAY_LEN(purposes); i++) {
        if (span_starts_with(code, span_of_cstr(purposes[i].code))) {
            return &purposes[i];
        }
    }
    return NULL;
}

/* ---- a row ---- */

struct row {
    char time[DATETIME_MAX];
    struct span recipient, address, community, user, purpose, why;
    const char *what;
    char documents[24]; /* how many; empty: none */
    bool is_exempt;
    char record[96];
};

/* A partner by the name that the configuration has for it. */
static struct span
name_of(const struct disclosure_form *form, struct span partner)
{
    const struct config *const config = form->config;

    for (size_t i = 0; config != NULL && i < config->partners_n; i++) {
        const struct partner *const known = &config->partners[i];

        if (span_eq_cstr(partner, known->id) && known->name != NULL) {
            return span_of_cstr(known->name);
        }
    }
    return partner;
}

static struct span
first_of(struct span a, struct span b)
{
    return a.n > 0 ? a : b;
}

/* An answer goes to who asked, a question to who was asked. */
static void
fill_row(const struct disclosure_form *form, const struct journal_record *record,
         const struct audit_event *event, struct row *row)
{
    const bool is_answer = event->side == AUDIT_RESPONDING;
    const struct span partner = name_of(form, event->partner);
    const struct purpose *const purpose = purpose_of(event->purpose.value);

    datetime_write_xs(event->time_us, row->time);
    row->recipient = is_answer ? first_of(event->organization, first_of(partner, event->source_id))
                               : first_of(partner, event->destination_id);
    row->address = is_answer ? event->source_address
                             : first_of(event->destination_id, event->destination_address);
    row->community = event->community;
    row->user = !is_answer ? SPAN_EMPTY : first_of(event->user_id, event->user_name);
    row->purpose = event->purpose.value;
    row->why = first_of(event->purpose.display,
                        purpose == NULL ? SPAN_EMPTY : span_of_cstr(purpose->text));
    row->what = what_of(event);
    row->is_exempt = purpose != NULL && purpose->is_exempt;
    if (event->documents.n > 0) {
        (void)snprintf(row->documents, sizeof(row->documents), "%zu", event->documents.n);
    }
    (void)snprintf(row->record, sizeof(row->record), "%s/%" PRIu64, record->chain,
                   record->sequence);
}

/* ---- CSV ---- */

static struct status
write_csv(const struct row *row, struct buf *out, struct diag *diag)
{
    const struct span fields[] = {
        span_of_cstr(row->time),
        row->recipient,
        row->address,
        row->community,
        row->user,
        span_of_cstr(row->what),
        span_of_cstr(row->documents),
        row->purpose,
        row->why,
        row->is_exempt ? SPAN("yes") : SPAN("no"),
        span_of_cstr(row->record),
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        TRY(csv_field(out, fields[i], i + 1 == ARRAY_LEN(fields), diag));
    }
    return OK;
}

/* ---- text and JSON ---- */

static struct status
put_text(struct buf *out, const char *before, struct span text, const char *behind,
         struct diag *diag)
{
    if (text.n == 0) {
        return OK;
    }
    TRY(buf_append_cstr(out, before, diag));
    TRY(text_show(text, out, diag));
    return buf_append_cstr(out, behind, diag);
}

static struct status
write_text(const struct row *row, struct buf *out, struct diag *diag)
{
    TRY(buf_printf(out, diag, "%-25s", row->time));
    TRY(text_show(row->recipient.n > 0 ? row->recipient : SPAN("unknown recipient"), out, diag));
    TRY(put_text(out, " (", row->user, ")", diag));
    TRY(put_text(out, ", ", row->address, "", diag));
    TRY(buf_printf(out, diag, ": %s%s%s", row->what, row->documents[0] == '\0' ? "" : ", ",
                   row->documents));
    TRY(buf_append_cstr(out, "; purpose ", diag));
    TRY(text_show(row->purpose.n > 0 ? row->purpose : SPAN("not said"), out, diag));
    TRY(put_text(out, ", ", row->why, "", diag));
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
    jsonw_key_text(&w, "address", row->address);
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
    jsonw_key_text(&w, "why", row->why);
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
    fill_row(form, record, &event, &row);
    if (form->is_accountable && row.is_exempt) {
        return OK;
    }
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

static struct status
write_title(const struct disclosure_form *form, struct buf *out, struct diag *diag)
{
    char time[DATETIME_MAX];

    TRY(buf_printf(out, diag, "Accounting of disclosures by %s (45 CFR 164.528)\n",
                   form->community));
    for (size_t i = 0; i < form->patients->n; i++) {
        TRY(put_text(out, "Patient ", form->patients->items[i], "\n", diag));
    }
    datetime_write_xs(form->since_us, time);
    TRY(buf_printf(out, diag, "From    %s", time));
    datetime_write_xs(form->until_us == INT64_MAX ? clock_wall_us(clock_system()) : form->until_us,
                      time);
    return buf_printf(
        out, diag, " to %s%s\n\n", time,
        form->is_accountable ? ", without treatment, payment and health care operations" : "");
}

struct status
disclosure_begin(const struct disclosure_form *form, FILE *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;

    buf_init_secret(&text, FIELD_ROOM);
    switch (form->style) {
    case DISCLOSURE_CSV:
        TRY(buf_append_cstr(&text,
                            "date,recipient,address,community,user,what,documents,purpose,why,"
                            "exempt,record\r\n",
                            diag));
        break;
    case DISCLOSURE_TEXT:
        TRY(write_title(form, &text, diag));
        break;
    case DISCLOSURE_JSON:
        break;
    }
    return text.n == 0 || fwrite(text.p, 1, text.n, out) == text.n
               ? OK
               : FAIL(diag, ERR_IO, "cannot write the output");
}

struct status
disclosure_end(const struct disclosure_form *form, uint64_t rows, FILE *out, struct diag *diag)
{
    if (form->style == DISCLOSURE_TEXT &&
        fprintf(out, "\n%" PRIu64 " disclosure%s\n", rows, rows == 1 ? "" : "s") < 0) {
        return FAIL(diag, ERR_IO, "cannot write the output");
    }
    return fflush(out) != 0 ? FAIL(diag, ERR_IO, "cannot write the output") : OK;
}
