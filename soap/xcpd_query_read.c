/*
 * Reads the XCPD question, PRPA_IN201305UV02. Called by the answering side of ITI-55 on the thread
 * that owns the message; facts are copied to the caller's arena. What decides who asks (sender) and
 * what is echoed (id, queryId, queryByParameter) must be there exactly once. Source: ITI TF-2
 * 3.55.4.1.
 */
#include "base/datetime.h"
#include "soap/message_internal.h"
#include "soap/xcpd_parts.h"

/* The deferred mode is another transaction, with its own actions and endpoints. */
static struct status
check_is_immediate(const struct xcpd_reader *reader, const xmlNode *parameters)
{
    const struct span priority = xcpd_attr(xcpd_child(parameters, "responsePriorityCode"), "code");
    if (span_eq_cstr(priority, "D")) {
        return FAIL(reader->diag, reader->code,
                    "responsePriorityCode is D: the deferred mode is not supported here; use I");
    }
    return OK;
}

/* Calls <add> for each value of each parameter <name>: both may be repeated. */
#define FOR_EACH_VALUE(list, name, value)                                                          \
    for (const xmlNode *parameter = xcpd_child((list), (name)); parameter != NULL;                 \
         parameter = xcpd_next(parameter, (name)))                                                 \
        for (const xmlNode *value = xcpd_child(parameter, "value"); value != NULL;                 \
             value = xcpd_next(value, "value"))

static struct status
read_names(const struct xcpd_reader *reader, const xmlNode *list, struct xcpd_query *query)
{
    struct name_list maiden = {.items = NULL};
    FOR_EACH_VALUE(list, "livingSubjectName", value)
    {
        TRY(xcpd_add_name(reader, value, &query->subject.names));
    }
    FOR_EACH_VALUE(list, "mothersMaidenName", value)
    {
        TRY(xcpd_add_name(reader, value, &maiden));
    }
    if (maiden.n > 0) {
        query->mothers_maiden_name = maiden.items[0];
    }
    return OK;
}

static struct status
read_subject(const struct xcpd_reader *reader, const xmlNode *list, struct xcpd_query *query)
{
    struct patient *subject = &query->subject;
    TRY(read_names(reader, list, query));
    FOR_EACH_VALUE(list, "livingSubjectId", value)
    {
        TRY(xcpd_add_ident(reader, value, &subject->ids));
    }
    FOR_EACH_VALUE(list, "patientAddress", value)
    {
        TRY(xcpd_add_address(reader, value, &subject->addresses));
    }
    FOR_EACH_VALUE(list, "patientTelecom", value)
    {
        TRY(xcpd_add_telecom(reader, value, &subject->telecoms));
    }
    const xmlNode *gender = NULL;
    const xmlNode *birth = NULL;
    TRY(xcpd_child_optional(reader, list, "livingSubjectAdministrativeGender", &gender));
    TRY(xcpd_child_optional(reader, list, "livingSubjectBirthTime", &birth));
    subject->sex = xcpd_read_sex(xcpd_child(gender, "value"));
    return xcpd_read_birth_time(reader, xcpd_child(birth, "value"), &subject->birth_time);
}

static struct status
check_is_enough(const struct xcpd_reader *reader, const struct patient *subject)
{
    if (subject->ids.n == 0 && (subject->names.n == 0 || subject->birth_time.n == 0)) {
        return FAIL(reader->diag, reader->code,
                    "the question has %zu usable names, %s usable birth time and no id; expected "
                    "a name and a birth time, or an id",
                    subject->names.n, subject->birth_time.n > 0 ? "a" : "no");
    }
    return OK;
}

static struct status
read_parameters(const struct xcpd_reader *reader, const xmlNode *parameters,
                struct xcpd_query *query)
{
    const xmlNode *node = NULL;
    TRY(xcpd_child_one(reader, parameters, "queryId", &node));
    TRY(xcpd_read_ident(reader, node, &query->query_id));
    if (query->query_id.root.n == 0) {
        return FAIL(reader->diag, reader->code, "queryId has no root");
    }
    TRY(check_is_immediate(reader, parameters));
    TRY(xcpd_child_one(reader, parameters, "parameterList", &node));
    TRY(read_subject(reader, node, query));
    return check_is_enough(reader, &query->subject);
}

/* The asker's own text, for the echo and the audit record. */
static struct status
keep_query_text(const struct xcpd_reader *reader, const xmlNode *parameters, struct span *ret_xml)
{
    struct buf text;
    buf_init_secret(&text, ARENA_LIMIT_DEFAULT);
    struct status st = xml_serialise(parameters, &text, reader->diag);
    if (is_ok(st)) {
        st = arena_dup(reader->arena, buf_span(&text), reader->diag, ret_xml);
    }
    buf_done(&text);
    return st;
}

static struct status
read_message(const struct xcpd_reader *reader, const xmlNode *message, struct xcpd_query *query)
{
    const xmlNode *node = NULL;
    const xmlNode *parameters = NULL;
    TRY(xcpd_child_one(reader, message, "id", &node));
    TRY(xcpd_read_ident(reader, node, &query->id));
    if (query->id.root.n == 0) {
        return FAIL(reader->diag, reader->code, "the message's id has no root");
    }
    TRY(xcpd_read_home(reader, message, "sender", &query->sender_home));
    TRY(xcpd_read_home(reader, message, "receiver", &query->receiver_home));
    const struct span created = xcpd_attr(xcpd_child(message, "creationTime"), "value");
    if (!datetime_read_hl7(created, &query->creation_us, NULL)) {
        query->creation_us = 0;
    }
    TRY(xcpd_child_one(reader, message, "controlActProcess", &node));
    TRY(xcpd_child_one(reader, node, "queryByParameter", &parameters));
    TRY(read_parameters(reader, parameters, query));
    return keep_query_text(reader, parameters, &query->query_xml);
}

struct status
xcpd_query_read(const struct message *message, struct arena *arena, struct diag *diag,
                struct xcpd_query *ret_query)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    const xmlNode *payload = message_payload(message);
    if (!xml_is(payload, NS_HL7, XCPD_QUERY_ELEMENT)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "the Body holds <%.*s>; expected <%s>",
                    SPAN_PRINT(xml_local_name(payload)), XCPD_QUERY_ELEMENT);
    }
    struct xcpd_query query = {.creation_us = 0};
    TRY(read_message(&reader, payload, &query));
    *ret_query = query;
    return OK;
}
