/*
 * Journal records as text. Called by audit_view.c on the program's thread; it appends to the
 * caller's buffer and owns nothing.
 */
#include "cli/audit_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/fhir.h"
#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/text.h"
#include "cli/audit_story.h"

#define LABEL_COLUMNS 13

/* A writer whose failures are sticky, as the JSON and XML writers' are. */
struct text {
    struct buf *out;
    struct diag *diag;
    struct status status;
};

static void
put(struct text *t, struct span bytes)
{
    if (is_ok(t->status)) {
        t->status = buf_append(t->out, bytes, t->diag);
    }
}

static void
put_cstr(struct text *t, const char *s)
{
    put(t, span_of_cstr(s));
}

static void
put_foreign(struct text *t, struct span text)
{
    if (is_ok(t->status)) {
        t->status = text_show(text, t->out, t->diag);
    }
}

static void
put_number(struct text *t, uint64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%" PRIu64, value);
    put_cstr(t, text);
}

static void
put_time(struct text *t, int64_t time_us)
{
    char text[DATETIME_MAX];
    datetime_write_xs(time_us, text);
    put_cstr(t, text);
}

static void
put_record(struct text *t, const struct journal_record *record)
{
    put_cstr(t, record->chain);
    put_cstr(t, "/");
    put_number(t, record->sequence);
}

/* ---- one line ---- */

static const char *const short_types[AUDIT_TYPE_COUNT] = {
    [AUDIT_ITI_55] = "ITI-55",
    [AUDIT_ITI_38] = "ITI-38",
    [AUDIT_ITI_39] = "ITI-39",
    [AUDIT_ITI_18] = "ITI-18",
    [AUDIT_ITI_43] = "ITI-43",
    [AUDIT_ITI_41] = "ITI-41",
    [AUDIT_ITI_80] = "ITI-80",
    [AUDIT_ITI_47] = "ITI-47",
    [AUDIT_ITI_45] = "ITI-45",
    [AUDIT_ITI_56] = "ITI-56",
    [AUDIT_LOCAL_ACCESS] = "local",
    [AUDIT_AUTHENTICATION_FAILURE] = "security",
    [AUDIT_NODE_START] = "start",
    [AUDIT_NODE_STOP] = "stop",
    [AUDIT_CONFIGURATION_CHANGED] = "config",
    [AUDIT_EMERGENCY_ACCESS] = "override",
    [AUDIT_LOG_USED] = "audit",
    [AUDIT_CHECKPOINT] = "seal",
    [AUDIT_RECORDS_MISSING] = "missing",
    [AUDIT_DELIVERY] = "delivery",
    [AUDIT_RETENTION] = "removal",
};

enum {
    TYPE_COLUMNS = 8,
    SIDE_COLUMNS = 8,
    OUTCOME_COLUMNS = 7,
    PARTNER_COLUMNS = 12,
    USER_COLUMNS = 24,
    PURPOSE_COLUMNS = 10,
    COUNT_COLUMNS = 8
};

static void
put_spaces(struct text *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        put_cstr(t, " ");
    }
}

/* Never cut: a name that is too long moves the rest of its line. */
static void
put_column(struct text *t, struct span text, size_t columns)
{
    const size_t before = t->out->n;
    put_foreign(t, text.n == 0 ? SPAN("-") : text);
    const struct span written = span_slice(buf_span(t->out), before, t->out->n - before);
    const size_t used = text_columns(written);
    put_spaces(t, (used < columns ? columns - used : 0) + 1);
}

static const char *
outcome_word(const struct audit_event *event)
{
    if (event->phase == AUDIT_INTENT) {
        return "intent";
    }
    switch (event->outcome) {
    case AUDIT_SUCCESS:
        return "ok";
    case AUDIT_MINOR:
        return "minor";
    case AUDIT_SERIOUS:
        return "serious";
    case AUDIT_MAJOR:
        break;
    }
    return "major";
}

static const char *
side_word(const struct audit_event *event)
{
    switch (event->type) {
    case AUDIT_NODE_START:
    case AUDIT_NODE_STOP:
    case AUDIT_CONFIGURATION_CHANGED:
    case AUDIT_LOCAL_ACCESS:
    case AUDIT_LOG_USED:
    case AUDIT_CHECKPOINT:
    case AUDIT_RECORDS_MISSING:
    case AUDIT_DELIVERY:
    case AUDIT_RETENTION:
        return "-";
    case AUDIT_ITI_55:
    case AUDIT_ITI_38:
    case AUDIT_ITI_39:
    case AUDIT_ITI_18:
    case AUDIT_ITI_43:
    case AUDIT_ITI_41:
    case AUDIT_ITI_80:
    case AUDIT_ITI_47:
    case AUDIT_ITI_45:
    case AUDIT_ITI_56:
    case AUDIT_AUTHENTICATION_FAILURE:
    case AUDIT_EMERGENCY_ACCESS:
    case AUDIT_TYPE_COUNT:
        break;
    }
    return event->side == AUDIT_INITIATING ? "asked" : "answered";
}

/* <columns> wide, to the right. */
static void
put_count(struct text *t, size_t count, size_t columns)
{
    char text[24];
    (void)snprintf(text, sizeof(text), "%*zu ", (int)columns, count);
    put_cstr(t, text);
}

struct status
audit_text_columns(struct buf *out, struct diag *diag)
{
    return buf_printf(out, diag, "%-24s %-*s %-*s %-*s %-*s %-*s %-*s %*s %*s %s\n", "TIME (UTC)",
                      TYPE_COLUMNS, "WHAT", SIDE_COLUMNS, "SIDE", OUTCOME_COLUMNS, "OUTCOME",
                      PARTNER_COLUMNS, "PARTNER", USER_COLUMNS, "USER", PURPOSE_COLUMNS, "PURPOSE",
                      COUNT_COLUMNS, "PATIENTS", COUNT_COLUMNS + 1, "DOCUMENTS", "RECORD");
}

struct status
audit_text_line(const struct journal_record *record, const struct audit_event *event,
                struct buf *out, struct diag *diag)
{
    struct text t = {.out = out, .diag = diag, .status = OK};
    put_time(&t, event->time_us);
    put_cstr(&t, " ");
    put_column(&t, span_of_cstr(short_types[event->type]), TYPE_COLUMNS);
    put_column(&t, span_of_cstr(side_word(event)), SIDE_COLUMNS);
    put_column(&t, span_of_cstr(outcome_word(event)), OUTCOME_COLUMNS);
    put_column(&t, event->partner, PARTNER_COLUMNS);
    put_column(&t, event->user_id.n > 0 ? event->user_id : event->user_name, USER_COLUMNS);
    put_column(&t, event->purpose.value, PURPOSE_COLUMNS);
    put_count(&t, event->patients.n, COUNT_COLUMNS);
    put_count(&t, event->documents.n, COUNT_COLUMNS + 1);
    put_record(&t, record);
    put_cstr(&t, "\n");
    return t.status;
}

/* ---- plain words ---- */

static void
put_label(struct text *t, const char *label)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "  %-*s ", LABEL_COLUMNS, label);
    put_cstr(t, text);
}

static void
put_item(struct text *t, const char *label, struct span value)
{
    if (value.n > 0) {
        put_label(t, label);
        put_foreign(t, value);
        put_cstr(t, "\n");
    }
}

static void
put_code(struct text *t, const char *label, const struct code *code)
{
    if (code->value.n == 0) {
        return;
    }
    put_label(t, label);
    put_foreign(t, code->value);
    if (code->display.n > 0) {
        put_cstr(t, ", ");
        put_foreign(t, code->display);
    }
    if (code->scheme.n > 0) {
        put_cstr(t, " (code system ");
        put_foreign(t, code->scheme);
        put_cstr(t, ")");
    }
    put_cstr(t, "\n");
}

static void
put_party(struct text *t, const char *label, struct span id, struct span address)
{
    if (id.n == 0 && address.n == 0) {
        return;
    }
    put_label(t, label);
    put_foreign(t, id.n == 0 ? SPAN("unknown") : id);
    if (address.n > 0) {
        put_cstr(t, " at ");
        put_foreign(t, address);
    }
    put_cstr(t, "\n");
}

/* The other side, by the best name that is known. */
static void
put_other(struct text *t, const struct audit_event *event, const char *unknown)
{
    const struct span address =
        event->side == AUDIT_INITIATING ? event->destination_address : event->source_address;
    if (event->partner.n > 0) {
        put_cstr(t, "partner ");
        put_foreign(t, event->partner);
    } else if (address.n > 0) {
        put_cstr(t, "the host ");
        put_foreign(t, address);
    } else {
        put_cstr(t, unknown);
    }
}

static const char *
question_of(enum audit_type type)
{
    switch (type) {
    case AUDIT_ITI_55:
        return "whether it knows a patient of this description";
    case AUDIT_ITI_47:
        return "which patients it knows of this description";
    case AUDIT_ITI_45:
        return "by which other ids a patient is known";
    case AUDIT_ITI_56:
        return "which communities know a patient";
    case AUDIT_ITI_38:
    case AUDIT_ITI_18:
        return "which documents it has about a patient";
    case AUDIT_ITI_41:
    case AUDIT_ITI_80:
        return "to take documents about a patient";
    case AUDIT_ITI_39:
    case AUDIT_ITI_43:
    case AUDIT_LOCAL_ACCESS:
    case AUDIT_AUTHENTICATION_FAILURE:
    case AUDIT_NODE_START:
    case AUDIT_NODE_STOP:
    case AUDIT_CONFIGURATION_CHANGED:
    case AUDIT_EMERGENCY_ACCESS:
    case AUDIT_LOG_USED:
    case AUDIT_CHECKPOINT:
    case AUDIT_RECORDS_MISSING:
    case AUDIT_DELIVERY:
    case AUDIT_RETENTION:
    case AUDIT_TYPE_COUNT:
        break;
    }
    return "to send documents";
}

static void
put_exchange(struct text *t, const struct audit_event *event)
{
    const bool is_intent = event->phase == AUDIT_INTENT;
    if (event->side == AUDIT_INITIATING) {
        put_cstr(t, is_intent ? "this node was about to ask " : "this node asked ");
        put_other(t, event, "a partner");
        put_cstr(t, " ");
    } else {
        put_other(t, event, "a partner");
        put_cstr(t, is_intent ? " was asking this node " : " asked this node ");
    }
    put_cstr(t, question_of(event->type));
    put_cstr(t, " (");
    put_cstr(t, audit_type_name(event->type));
    put_cstr(t, ", ");
    put_cstr(t, audit_type_code(event->type));
    put_cstr(t, ").");
}

static void
put_alert(struct text *t, const struct audit_event *event)
{
    if (event->side == AUDIT_INITIATING) {
        put_cstr(t, "the answer of ");
        put_other(t, event, "a partner");
        put_cstr(t, " did not prove what it must, and was not used.");
    } else {
        put_cstr(t, "a message from ");
        put_other(t, event, "an unknown sender");
        put_cstr(t, " did not prove what it must, and was refused.");
    }
}

static void
put_sentence(struct text *t, const struct audit_event *event)
{
    put_cstr(t, "At ");
    put_time(t, event->time_us);
    put_cstr(t, " ");
    switch (event->type) {
    case AUDIT_LOCAL_ACCESS:
        put_cstr(t, event->submission_set.n > 0
                        ? "documents were put into the community's own store."
                    : event->documents.n > 0
                        ? "the operator took documents out of the community's own store."
                        : "the operator asked the community's own store.");
        break;
    case AUDIT_AUTHENTICATION_FAILURE:
        put_alert(t, event);
        break;
    case AUDIT_NODE_START:
        put_cstr(t, "the node started.");
        break;
    case AUDIT_NODE_STOP:
        put_cstr(t, "the node stopped.");
        break;
    case AUDIT_CONFIGURATION_CHANGED:
        put_cstr(t, event->outcome == AUDIT_SUCCESS
                        ? "the node took another configuration."
                        : "the node refused another configuration and kept its own.");
        break;
    case AUDIT_EMERGENCY_ACCESS:
        put_other(t, event, "somebody");
        put_cstr(t, " was let in in an emergency, past what consent withholds.");
        break;
    case AUDIT_LOG_USED:
        put_cstr(t, "the audit journal was read.");
        break;
    case AUDIT_CHECKPOINT:
        put_cstr(t, "the node signed where its audit journal stood.");
        break;
    case AUDIT_RECORDS_MISSING:
        put_cstr(t, "the node found that it could not record everything: records are missing.");
        break;
    case AUDIT_DELIVERY:
        put_cstr(t, event->outcome == AUDIT_SUCCESS
                        ? "an audit repository takes records again."
                        : "an audit repository has taken no records for too long.");
        break;
    case AUDIT_RETENTION:
        put_cstr(t, "old audit records were removed, as the configuration asks.");
        break;
    case AUDIT_ITI_55:
    case AUDIT_ITI_38:
    case AUDIT_ITI_39:
    case AUDIT_ITI_18:
    case AUDIT_ITI_43:
    case AUDIT_ITI_41:
    case AUDIT_ITI_80:
    case AUDIT_ITI_47:
    case AUDIT_ITI_45:
    case AUDIT_ITI_56:
    case AUDIT_TYPE_COUNT:
        put_exchange(t, event);
        break;
    }
    put_cstr(t, "\n");
}

static void
put_outcome(struct text *t, const struct audit_event *event)
{
    if (event->phase == AUDIT_INTENT) {
        put_item(t, "outcome", SPAN("not known yet: another record of this transaction has it"));
    } else {
        put_item(t, "outcome", span_of_cstr(audit_outcome_name(event->outcome)));
    }
    put_item(t, "reason", event->outcome_text);
    put_item(t, "policy rule", event->policy_rule);
    put_item(t, "policy says", event->policy_verdict);
}

static void
put_lists(struct text *t, const struct audit_event *event)
{
    for (size_t i = 0; i < event->patients.n; i++) {
        put_item(t, "patient", event->patients.items[i]);
    }
    for (size_t i = 0; i < event->documents.n; i++) {
        const struct document_ref *document = &event->documents.items[i];
        put_label(t, "document");
        put_foreign(t, document->unique_id);
        put_cstr(t, " in repository ");
        put_foreign(t, document->repository.n == 0 ? SPAN("unknown") : document->repository);
        if (document->home.n > 0) {
            put_cstr(t, " of community ");
            put_foreign(t, document->home);
        }
        put_cstr(t, "\n");
    }
}

/* Of events about the audit itself. */
static void
put_details(struct text *t, const struct audit_event *event)
{
    put_item(t, event->type == AUDIT_LOG_USED ? "journal" : "about", event->subject);
    for (size_t i = 0; i < event->details.n; i++) {
        const struct audit_detail *detail = &event->details.items[i];
        put_label(t, "");
        put_foreign(t, detail->name);
        put_cstr(t, ": ");
        put_foreign(t, detail->value);
        put_cstr(t, "\n");
    }
}

static void
put_items(struct text *t, const struct journal_record *record, const struct audit_event *event)
{
    put_outcome(t, event);
    put_item(t, "user", event->user_id);
    put_item(t, event->user_id.n > 0 ? "asserted as" : "user", event->user_name);
    put_code(t, "role", &event->role);
    put_item(t, "organization", event->organization);
    put_item(t, "on behalf of", event->delegator);
    put_code(t, "purpose", &event->purpose);
    put_party(t, "asked by", event->source_id, event->source_address);
    put_party(t, "answered by", event->destination_id, event->destination_address);
    put_item(t, "community", event->community);
    put_details(t, event);
    put_lists(t, event);
    put_item(t, "query id", event->query_id);
    put_item(t, "query", event->query);
    put_item(t, "transaction", event->transaction_id);
    put_item(t, "message", event->message_id);
    put_label(t, "record");
    put_record(t, record);
    put_cstr(t, ", SHA-256 ");
    put_cstr(t, record->hash);
    if (event->process_id > 0) {
        put_cstr(t, ", written by process ");
        put_number(t, (uint64_t)event->process_id);
    }
    put_cstr(t, "\n");
}

struct status
audit_text_explain(const struct journal_record *record, const struct audit_event *event,
                   struct buf *out, struct diag *diag)
{
    struct text t = {.out = out, .diag = diag, .status = OK};
    put_sentence(&t, event);
    TRY(t.status);
    TRY(audit_story_write(event, out, diag));
    put_items(&t, record, event);
    return t.status;
}

/* ---- for programs ---- */

struct status
audit_text_json(const struct journal_record *record, struct buf *out, struct diag *diag)
{
    struct text t = {.out = out, .diag = diag, .status = OK};
    put_cstr(&t, "{\"record\":\""); /* a chain's name needs no escaping */
    put_record(&t, record);
    put_cstr(&t, "\",\"time\":\"");
    put_time(&t, record->time_us);
    put_cstr(&t, "\",\"hash\":\"");
    put_cstr(&t, record->hash);
    put_cstr(&t, "\",\"event\":");
    put(&t, record->payload);
    put_cstr(&t, "}\n");
    return t.status;
}

struct status
audit_text_fhir(const struct journal_record *record, const struct audit_event *event,
                const struct audit_source *source, struct buf *out, struct diag *diag)
{
    const struct audit_record_id id = {record->chain, record->sequence, record->hash};

    TRY(audit_fhir_write(event, source, &id, AUDIT_FHIR_PUT, out, diag));
    return buf_append_char(out, '\n', diag);
}

bool
audit_text_read_record(const char *text, char ret_chain[64], uint64_t *ret_sequence)
{
    const char *slash = strrchr(text, '/');
    uint64_t sequence = 0;
    if (slash == NULL || slash == text || slash - text >= 64 ||
        !span_to_u64(span_of_cstr(slash + 1), UINT64_MAX, &sequence)) {
        return false;
    }
    memcpy(ret_chain, text, (size_t)(slash - text));
    ret_chain[slash - text] = '\0';
    *ret_sequence = sequence;
    return true;
}
