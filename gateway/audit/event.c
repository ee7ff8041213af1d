/*
 * Audit events to JSON and back: the journal's payload. Encoding is called by journal_append on the
 * appender's thread, decoding by readers of the journal (command line, tests). Spans that decoding
 * returns live in the caller's arena; jansson's objects never leave this file.
 *
 * The flat text members are one table, so that what is written is what is read.
 */
#include "audit/event.h"

#include <stddef.h>
#include <string.h>

#include <jansson.h>

#include "base/digest.h"
#include "base/jsonw.h"
#include "base/text.h"

struct names {
    const char *code;
    const char *name;
};

static const struct names type_names[AUDIT_TYPE_COUNT] = {
    [AUDIT_ITI_55] = {"ITI-55", "Cross Gateway Patient Discovery"},
    [AUDIT_ITI_38] = {"ITI-38", "Cross Gateway Query"},
    [AUDIT_ITI_39] = {"ITI-39", "Cross Gateway Retrieve"},
    [AUDIT_ITI_18] = {"ITI-18", "Registry Stored Query"},
    [AUDIT_ITI_43] = {"ITI-43", "Retrieve Document Set"},
    [AUDIT_ITI_41] = {"ITI-41", "Provide and Register Document Set-b"},
    [AUDIT_ITI_80] = {"ITI-80", "CrossGatewayDocumentProvide"},
    [AUDIT_ITI_47] = {"ITI-47", "Patient Demographics Query"},
    [AUDIT_ITI_45] = {"ITI-45", "PIX Query"},
    [AUDIT_ITI_56] = {"ITI-56", "Patient Location Query"},
    [AUDIT_LOCAL_ACCESS] = {"local-access", "Local Access"},
    [AUDIT_AUTHENTICATION_FAILURE] = {"authentication-failure", "Node Authentication"},
    [AUDIT_NODE_START] = {"node-start", "Application Start"},
    [AUDIT_NODE_STOP] = {"node-stop", "Application Stop"},
    [AUDIT_CONFIGURATION_CHANGED] = {"configuration-changed", "Software Configuration"},
    [AUDIT_EMERGENCY_ACCESS] = {"emergency-access", "Emergency Override Started"},
    [AUDIT_LOG_USED] = {"audit-log-used", "Audit Log Used"},
    [AUDIT_CHECKPOINT] = {"audit-checkpoint", "Audit Checkpoint"},
    [AUDIT_RECORDS_MISSING] = {"audit-records-missing", "Audit Recording Stopped"},
    [AUDIT_DELIVERY] = {"audit-delivery", "Audit Delivery"},
    [AUDIT_RETENTION] = {"audit-retention", "Audit Retention"},
};
static const char *const side_names[] = {
    [AUDIT_INITIATING] = "initiating",
    [AUDIT_RESPONDING] = "responding",
};
static const char *const phase_names[] = {
    [AUDIT_INTENT] = "intent",
    [AUDIT_OUTCOME] = "outcome",
};

const char *
audit_type_code(enum audit_type type)
{
    return type_names[type].code;
}

const char *
audit_type_name(enum audit_type type)
{
    return type_names[type].name;
}

const char *
audit_outcome_name(enum audit_outcome outcome)
{
    switch (outcome) {
    case AUDIT_SUCCESS:
        return "success";
    case AUDIT_MINOR:
        return "minor failure";
    case AUDIT_SERIOUS:
        return "serious failure";
    case AUDIT_MAJOR:
        break;
    }
    return "major failure";
}

struct text_member {
    const char *name;
    size_t offset; /* of a struct span, in struct audit_event or struct document_ref */
};

#define EVENT_TEXT(member)                                                                         \
    {                                                                                              \
#member, offsetof(struct audit_event, member)                                              \
    }
static const struct text_member event_texts[] = {
    EVENT_TEXT(outcome_text),   EVENT_TEXT(transaction_id),
    EVENT_TEXT(message_id),     EVENT_TEXT(partner),
    EVENT_TEXT(source_id),      EVENT_TEXT(source_address),
    EVENT_TEXT(destination_id), EVENT_TEXT(destination_address),
    EVENT_TEXT(user_name),      EVENT_TEXT(user_id),
    EVENT_TEXT(organization),   EVENT_TEXT(community),
    EVENT_TEXT(query_id),       EVENT_TEXT(query),
    EVENT_TEXT(policy_rule),    EVENT_TEXT(delegator),
    EVENT_TEXT(submission_set), EVENT_TEXT(policy_verdict),
    EVENT_TEXT(subject),
};
#define DETAIL_TEXT(member)                                                                        \
    {                                                                                              \
#member, offsetof(struct audit_detail, member)                                             \
    }
static const struct text_member detail_texts[] = {DETAIL_TEXT(name), DETAIL_TEXT(value)};
#define DOCUMENT_TEXT(member)                                                                      \
    {                                                                                              \
#member, offsetof(struct document_ref, member)                                             \
    }
static const struct text_member document_texts[] = {
    DOCUMENT_TEXT(home),
    DOCUMENT_TEXT(repository),
    DOCUMENT_TEXT(unique_id),
};
#define CODE_TEXT(member)                                                                          \
    {                                                                                              \
#member, offsetof(struct code, member)                                                     \
    }
static const struct text_member code_texts[] = {
    CODE_TEXT(value),
    CODE_TEXT(scheme),
    CODE_TEXT(display),
};

/* ---- writing ---- */

static void
write_base64(struct jsonw *w, struct span bytes)
{
    struct buf text;
    buf_init_secret(&text, bytes.n / 3 * 4 + 8);
    if (is_ok(w->status)) {
        w->status = base64_encode(bytes, &text, w->diag);
    }
    jsonw_object(w);
    jsonw_key(w, "base64");
    jsonw_string(w, buf_span(&text));
    jsonw_close(w);
    buf_done(&text);
}

static void
write_text(struct jsonw *w, struct span text)
{
    if (text_is_utf8(text)) {
        jsonw_string(w, text);
    } else {
        write_base64(w, text);
    }
}

static void
write_texts(struct jsonw *w, const void *object, const struct text_member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct span text;
        memcpy(&text, (const char *)object + members[i].offset, sizeof(text));
        if (text.n > 0) {
            jsonw_key(w, members[i].name);
            write_text(w, text);
        }
    }
}

static void
write_code(struct jsonw *w, const char *name, const struct code *code)
{
    if (code->value.n == 0 && code->scheme.n == 0 && code->display.n == 0) {
        return;
    }
    jsonw_key(w, name);
    jsonw_object(w);
    write_texts(w, code, code_texts, ARRAY_LEN(code_texts));
    jsonw_close(w);
}

static void
write_lists(struct jsonw *w, const struct audit_event *event)
{
    if (event->patients.n > 0) {
        jsonw_key(w, "patients");
        jsonw_array(w);
        for (size_t i = 0; i < event->patients.n; i++) {
            write_text(w, event->patients.items[i]);
        }
        jsonw_close(w);
    }
    if (event->documents.n > 0) {
        jsonw_key(w, "documents");
        jsonw_array(w);
        for (size_t i = 0; i < event->documents.n; i++) {
            jsonw_object(w);
            write_texts(w, &event->documents.items[i], document_texts, ARRAY_LEN(document_texts));
            jsonw_close(w);
        }
        jsonw_close(w);
    }
    if (event->details.n > 0) {
        jsonw_key(w, "details");
        jsonw_array(w);
        for (size_t i = 0; i < event->details.n; i++) {
            jsonw_object(w);
            write_texts(w, &event->details.items[i], detail_texts, ARRAY_LEN(detail_texts));
            jsonw_close(w);
        }
        jsonw_close(w);
    }
}

struct status
audit_event_encode(const struct audit_event *event, struct buf *out, struct diag *diag)
{
    struct jsonw w;
    jsonw_init(&w, out, false, diag);
    jsonw_object(&w);
    jsonw_key_text(&w, "type", span_of_cstr(audit_type_code(event->type)));
    jsonw_key_text(&w, "side", span_of_cstr(side_names[event->side]));
    jsonw_key_text(&w, "phase", span_of_cstr(phase_names[event->phase]));
    jsonw_key_int(&w, "outcome", event->outcome);
    jsonw_key_int(&w, "time_us", event->time_us);
    if (event->process_id != 0) {
        jsonw_key_int(&w, "process_id", event->process_id);
    }
    write_texts(&w, event, event_texts, ARRAY_LEN(event_texts));
    write_code(&w, "role", &event->role);
    write_code(&w, "purpose", &event->purpose);
    write_lists(&w, event);
    jsonw_close(&w);
    return jsonw_finish(&w);
}

/* ---- reading ---- */

struct reader {
    struct arena *arena;
    struct diag *diag;
};

static struct status
wrong(struct reader *r, const char *name, const char *expected)
{
    return FAIL(r->diag, ERR_JOURNAL, "audit event: member '%s' is not %s", name, expected);
}

/* A string, or {"base64": "..."} for bytes that are none. Absent: empty. */
static struct status
read_text(struct reader *r, const char *name, const json_t *value, struct span *ret_text)
{
    if (json_is_string(value)) {
        return arena_dup(r->arena, span_of(json_string_value(value), json_string_length(value)),
                         r->diag, ret_text);
    }
    const json_t *coded = json_object_get(value, "base64");
    if (!json_is_string(coded)) {
        return wrong(r, name, "a string, nor an object with a string 'base64'");
    }
    const struct span digits = span_of(json_string_value(coded), json_string_length(coded));
    struct diag why = {0};
    struct buf bytes;
    buf_init_secret(&bytes, digits.n + 1);
    const struct status st = base64_decode(digits, &bytes, &why);
    struct status copied = OK;
    if (is_ok(st)) {
        copied = arena_dup(r->arena, buf_span(&bytes), r->diag, ret_text);
    } else if (st.code == ERR_MESSAGE_CONTENT) {
        copied = wrong(r, name, "valid base64");
    } else {
        copied = FAIL(r->diag, st.code, "%s", why.text);
    }
    buf_done(&bytes);
    return copied;
}

static struct status
read_texts(struct reader *r, const json_t *from, const struct text_member *members, size_t n,
           void *object)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(from, members[i].name);
        struct span text = SPAN_EMPTY;
        if (value == NULL) {
            continue;
        }
        TRY(read_text(r, members[i].name, value, &text));
        memcpy((char *)object + members[i].offset, &text, sizeof(text));
    }
    return OK;
}

static struct status
read_code(struct reader *r, const json_t *from, const char *name, struct code *ret_code)
{
    const json_t *value = json_object_get(from, name);
    if (value == NULL) {
        return OK;
    }
    if (!json_is_object(value)) {
        return wrong(r, name, "an object");
    }
    return read_texts(r, value, code_texts, ARRAY_LEN(code_texts), ret_code);
}

static struct status
read_integer(struct reader *r, const json_t *from, const char *name, int64_t *ret_value)
{
    const json_t *value = json_object_get(from, name);
    if (!json_is_integer(value)) {
        return wrong(r, name, "there as a whole number");
    }
    *ret_value = json_integer_value(value);
    return OK;
}

/* One of <n> names that <name_of> knows, as its number. */
static struct status
read_name(struct reader *r, const json_t *from, const char *name, const char *(*name_of)(size_t),
          size_t n, size_t *ret_number)
{
    const json_t *value = json_object_get(from, name);
    const char *text = json_string_value(value);
    if (text == NULL) {
        return wrong(r, name, "there as a string");
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, name_of(i)) == 0) {
            *ret_number = i;
            return OK;
        }
    }
    return wrong(r, name, "a value that this version knows; a newer one may have written it");
}

static const char *
type_code_of(size_t i)
{
    return type_names[i].code;
}

static const char *
side_name_of(size_t i)
{
    return side_names[i];
}

static const char *
phase_name_of(size_t i)
{
    return phase_names[i];
}

static struct status
read_kind(struct reader *r, const json_t *root, struct audit_event *event)
{
    size_t type = 0;
    size_t side = 0;
    size_t phase = 0;
    int64_t outcome = 0;
    TRY(read_name(r, root, "type", type_code_of, ARRAY_LEN(type_names), &type));
    TRY(read_name(r, root, "side", side_name_of, ARRAY_LEN(side_names), &side));
    TRY(read_name(r, root, "phase", phase_name_of, ARRAY_LEN(phase_names), &phase));
    TRY(read_integer(r, root, "outcome", &outcome));
    if (outcome != AUDIT_SUCCESS && outcome != AUDIT_MINOR && outcome != AUDIT_SERIOUS &&
        outcome != AUDIT_MAJOR) {
        return wrong(r, "outcome", "0, 4, 8 or 12");
    }
    event->type = (enum audit_type)type;
    event->side = (enum audit_side)side;
    event->phase = (enum audit_phase)phase;
    event->outcome = (enum audit_outcome)outcome;
    return OK;
}

static struct status
read_array(struct reader *r, const json_t *root, const char *name, const json_t **ret_array)
{
    const json_t *array = json_object_get(root, name);
    if (array != NULL && !json_is_array(array)) {
        return wrong(r, name, "an array");
    }
    *ret_array = array;
    return OK;
}

static struct status
read_patients(struct reader *r, const json_t *root, struct audit_event *event)
{
    const json_t *array = NULL;
    TRY(read_array(r, root, "patients", &array));
    for (size_t i = 0; i < json_array_size(array); i++) {
        struct span patient = SPAN_EMPTY;
        TRY(read_text(r, "patients", json_array_get(array, i), &patient));
        TRY(ARENA_PUSH(r->arena, r->diag, &event->patients, patient));
    }
    return OK;
}

static struct status
read_documents(struct reader *r, const json_t *root, struct audit_event *event)
{
    const json_t *array = NULL;
    TRY(read_array(r, root, "documents", &array));
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        struct document_ref document = {0};
        if (!json_is_object(item)) {
            return wrong(r, "documents", "an array of objects");
        }
        TRY(read_texts(r, item, document_texts, ARRAY_LEN(document_texts), &document));
        TRY(ARENA_PUSH(r->arena, r->diag, &event->documents, document));
    }
    return OK;
}

static struct status
read_details(struct reader *r, const json_t *root, struct audit_event *event)
{
    const json_t *array = NULL;
    TRY(read_array(r, root, "details", &array));
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *item = json_array_get(array, i);
        struct audit_detail detail = {0};
        if (!json_is_object(item)) {
            return wrong(r, "details", "an array of objects");
        }
        TRY(read_texts(r, item, detail_texts, ARRAY_LEN(detail_texts), &detail));
        TRY(ARENA_PUSH(r->arena, r->diag, &event->details, detail));
    }
    return OK;
}

static struct status
read_event(struct reader *r, const json_t *root, struct audit_event *event)
{
    if (!json_is_object(root)) {
        return FAIL(r->diag, ERR_JOURNAL, "audit event: not a JSON object");
    }
    TRY(read_kind(r, root, event));
    TRY(read_integer(r, root, "time_us", &event->time_us));
    if (json_object_get(root, "process_id") != NULL) {
        TRY(read_integer(r, root, "process_id", &event->process_id));
    }
    TRY(read_texts(r, root, event_texts, ARRAY_LEN(event_texts), event));
    TRY(read_code(r, root, "role", &event->role));
    TRY(read_code(r, root, "purpose", &event->purpose));
    TRY(read_patients(r, root, event));
    TRY(read_documents(r, root, event));
    return read_details(r, root, event);
}

struct status
audit_event_decode(struct span payload, struct arena *arena, struct diag *diag,
                   struct audit_event *ret_event)
{
    struct audit_event event = {0};
    struct reader r = {.arena = arena, .diag = diag};
    json_error_t error;
    json_t *root = json_loadb(payload.p == NULL ? "" : payload.p, payload.n,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    if (root == NULL) {
        /* error.text quotes what it found: patient data. */
        return FAIL(diag, ERR_JOURNAL, "audit event: not one JSON object; wrong at byte %d of %zu",
                    error.position, payload.n);
    }
    const struct status st = read_event(&r, root, &event);
    json_decref(root);
    TRY(st);
    *ret_event = event;
    return OK;
}
