/*
 * Reads a partner's XCPD answer, PRPA_IN201306UV02. Called by the asking side of ITI-55 on the
 * thread that owns the message; facts are copied to the caller's arena. Which of the five cases of
 * ITI TF-2 3.55.4.2.3 it is follows from acknowledgement, queryAck, events and reasonOf together,
 * because partners fill them in differently.
 */
#include "base/ids.h"
#include "soap/message_internal.h"
#include "soap/xcpd_parts.h"

/* What the answer says of itself, before the result is decided. */
struct verdict {
    struct span acknowledgement; /* AA, AE, ... */
    struct span response;        /* OK, NF, AE, ... */
    bool has_query_id;
    bool has_reason;
    bool has_trigger;
    bool has_mitigation;
};

static struct status
read_ids(const struct xcpd_reader *reader, const xmlNode *patient, const xmlNode *person,
         struct ident_list *ids)
{
    for (const xmlNode *id = xcpd_child(patient, "id"); id != NULL; id = xcpd_next(id, "id")) {
        TRY(xcpd_add_ident(reader, id, ids));
    }
    if (ids->n == 0) {
        return OK; /* other ids are of no use without the one that ITI-38 takes */
    }
    for (const xmlNode *other = xcpd_child(person, "asOtherIDs"); other != NULL;
         other = xcpd_next(other, "asOtherIDs")) {
        for (const xmlNode *id = xcpd_child(other, "id"); id != NULL; id = xcpd_next(id, "id")) {
            TRY(xcpd_add_ident(reader, id, ids));
        }
    }
    return OK;
}

static struct status
read_person(const struct xcpd_reader *reader, const xmlNode *person, struct patient *patient)
{
    for (const xmlNode *child = xml_first(person); child != NULL; child = xml_next(child)) {
        if (xml_is(child, NS_HL7, "name")) {
            TRY(xcpd_add_name(reader, child, &patient->names));
        } else if (xml_is(child, NS_HL7, "addr")) {
            TRY(xcpd_add_address(reader, child, &patient->addresses));
        } else if (xml_is(child, NS_HL7, "telecom")) {
            TRY(xcpd_add_telecom(reader, child, &patient->telecoms));
        } else if (xml_is(child, NS_HL7, "birthTime")) {
            TRY(xcpd_read_birth_time(reader, child, &patient->birth_time));
        } else if (xml_is(child, NS_HL7, "administrativeGenderCode")) {
            patient->sex = xcpd_read_sex(child);
        }
    }
    return OK;
}

/* queryMatchObservation/value: any class and code, as deployed systems differ; -1 when absent. */
static int
read_degree(const xmlNode *patient)
{
    uint64_t degree = 0;
    for (const xmlNode *subject = xcpd_child(patient, "subjectOf1"); subject != NULL;
         subject = xcpd_next(subject, "subjectOf1")) {
        const xmlNode *observation = xcpd_child(subject, "queryMatchObservation");
        const struct span value = xcpd_attr(xcpd_child(observation, "value"), "value");
        if (span_to_u64(value, 100, &degree)) {
            return (int)degree;
        }
    }
    return -1;
}

/* The community that answers for this patient; it need not be the one that was asked. */
static struct status
read_custodian(const struct xcpd_reader *reader, const xmlNode *event, struct span *ret_home)
{
    const xmlNode *custodian = NULL;
    TRY(xcpd_child_optional(reader, event, "custodian", &custodian));
    const xmlNode *entity = xcpd_child(custodian, "assignedEntity");
    const struct span root = xcpd_attr(xcpd_child(entity, "id"), "root");
    struct span oid = SPAN_EMPTY;
    if (root.n == 0) {
        *ret_home = SPAN_EMPTY;
        return OK;
    }
    if (!home_community_oid(root, &oid)) {
        return FAIL(reader->diag, reader->code,
                    "custodian/assignedEntity/id@root is not an OID (%zu bytes)", root.n);
    }
    return arena_dup(reader->arena, oid, reader->diag, ret_home);
}

/* An event without a patient id cannot be asked about: it is left out. */
static struct status
read_event(const struct xcpd_reader *reader, const xmlNode *event, struct xcpd_match_list *matches)
{
    const xmlNode *node = NULL;
    const xmlNode *patient = NULL;
    const xmlNode *person = NULL;
    struct xcpd_match match = {.degree = -1};
    TRY(xcpd_child_one(reader, event, "subject1", &node));
    TRY(xcpd_child_one(reader, node, "patient", &patient));
    TRY(xcpd_child_optional(reader, patient, "patientPerson", &person));
    TRY(read_ids(reader, patient, person, &match.patient.ids));
    TRY(read_person(reader, person, &match.patient));
    TRY(read_custodian(reader, event, &match.home));
    match.degree = read_degree(patient);
    return match.patient.ids.n == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, matches, match);
}

static struct status
read_events(const struct xcpd_reader *reader, const xmlNode *act, struct xcpd_match_list *matches)
{
    bool has_event = false;
    for (const xmlNode *subject = xcpd_child(act, "subject"); subject != NULL;
         subject = xcpd_next(subject, "subject")) {
        const xmlNode *event = NULL;
        TRY(xcpd_child_optional(reader, subject, "registrationEvent", &event));
        if (event != NULL) {
            has_event = true;
            TRY(read_event(reader, event, matches));
        }
    }
    if (has_event && matches->n == 0) {
        return FAIL(reader->diag, reader->code, "the answer's patients have no id");
    }
    return OK;
}

static struct status
add_issue(const struct xcpd_reader *reader, const xmlNode *issue, struct span_list *issues)
{
    const struct span code = xcpd_attr(xcpd_child(issue, "code"), "code");
    struct span copy;
    if (code.n == 0) {
        return OK;
    }
    TRY(arena_dup(reader->arena, code, reader->diag, &copy));
    return ARENA_PUSH(reader->arena, reader->diag, issues, copy);
}

static struct status
read_reasons(const struct xcpd_reader *reader, const xmlNode *act, struct verdict *verdict,
             struct span_list *issues)
{
    for (const xmlNode *reason = xcpd_child(act, "reasonOf"); reason != NULL;
         reason = xcpd_next(reason, "reasonOf")) {
        const xmlNode *event = xcpd_child(reason, "detectedIssueEvent");
        verdict->has_reason = true;
        for (const xmlNode *child = xml_first(event); child != NULL; child = xml_next(child)) {
            if (xml_is(child, NS_HL7, "triggerFor")) {
                verdict->has_trigger = true;
                TRY(add_issue(reader, xcpd_child(child, "actOrderRequired"), issues));
            } else if (xml_is(child, NS_HL7, "mitigatedBy")) {
                verdict->has_mitigation = true;
                TRY(add_issue(reader, xcpd_child(child, "detectedIssueManagement"), issues));
            }
        }
    }
    return OK;
}

static struct status
read_query_ack(const struct xcpd_reader *reader, const xmlNode *act, const struct ident *query_id,
               struct verdict *verdict)
{
    const xmlNode *ack = NULL;
    struct ident id;
    TRY(xcpd_child_optional(reader, act, "queryAck", &ack));
    TRY(xcpd_read_ident(reader, xcpd_child(ack, "queryId"), &id));
    verdict->response = xcpd_attr(xcpd_child(ack, "queryResponseCode"), "code");
    verdict->has_query_id = id.root.n > 0;
    if (verdict->has_query_id && !ident_eq(&id, query_id)) {
        return FAIL(reader->diag, reader->code, "the answer's queryId is not the question's");
    }
    return OK;
}

/* acknowledgementDetail: its text, else what its code displays. */
static struct status
read_acknowledgement(const struct xcpd_reader *reader, const xmlNode *message,
                     struct verdict *verdict, struct span *ret_text)
{
    const xmlNode *ack = NULL;
    TRY(xcpd_child_one(reader, message, "acknowledgement", &ack));
    verdict->acknowledgement = xcpd_attr(xcpd_child(ack, "typeCode"), "code");
    const xmlNode *detail = xcpd_child(ack, "acknowledgementDetail");
    const xmlNode *text = xcpd_child(detail, "text");
    struct span found = SPAN_EMPTY;
    if (text != NULL && xml_first(text) == NULL) {
        TRY(xml_text_trimmed(text, reader->code, reader->arena, reader->diag, &found));
    }
    if (found.n == 0) {
        const xmlNode *code = xcpd_child(detail, "code");
        const struct span display = xcpd_attr(code, "displayName");
        found = display.n > 0 ? display : xcpd_attr(code, "code");
    }
    return arena_dup(reader->arena, found, reader->diag, ret_text);
}

static bool
is_error(const struct verdict *verdict)
{
    const struct span ack = verdict->acknowledgement;
    return span_eq_cstr(ack, "AE") || span_eq_cstr(ack, "AR") || span_eq_cstr(ack, "CE") ||
           span_eq_cstr(ack, "CR") || span_eq_cstr(verdict->response, "AE") ||
           span_eq_cstr(verdict->response, "QE");
}

static enum xcpd_result
decide(const struct verdict *verdict, const struct xcpd_match_list *matches)
{
    if (is_error(verdict)) {
        return XCPD_ERROR;
    }
    if (matches->n > 0) {
        return XCPD_MATCH;
    }
    if (verdict->has_mitigation && !verdict->has_trigger) {
        return XCPD_ERROR;
    }
    return verdict->has_reason ? XCPD_AMBIGUOUS : XCPD_NONE;
}

static struct status
read_answer(const struct xcpd_reader *reader, const xmlNode *message, const struct ident *query_id,
            struct xcpd_answer *answer)
{
    struct verdict verdict = {.has_reason = false};
    const xmlNode *act = NULL;
    TRY(read_acknowledgement(reader, message, &verdict, &answer->error_text));
    TRY(xcpd_child_optional(reader, message, "controlActProcess", &act));
    TRY(read_query_ack(reader, act, query_id, &verdict));
    TRY(read_reasons(reader, act, &verdict, &answer->issues));
    if (!is_error(&verdict)) {
        TRY(read_events(reader, act, &answer->matches));
    }
    answer->result = decide(&verdict, &answer->matches);
    if (answer->result != XCPD_ERROR && !verdict.has_query_id) {
        return FAIL(reader->diag, reader->code, "the answer does not say which query it answers");
    }
    return OK;
}

struct status
xcpd_answer_read(const struct message *message, const struct ident *query_id, struct arena *arena,
                 struct diag *diag, struct xcpd_answer *ret_answer)
{
    const struct xcpd_reader reader = {
        .arena = arena, .diag = diag, .code = ERR_PARTNER_ANSWER, .is_lenient = true};
    const xmlNode *payload = message_payload(message);
    if (!xml_is(payload, NS_HL7, XCPD_ANSWER_ELEMENT)) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "the Body holds <%.*s>; expected <%s>",
                    SPAN_PRINT(xml_local_name(payload)), XCPD_ANSWER_ELEMENT);
    }
    struct xcpd_answer answer = {.result = XCPD_NONE};
    TRY(read_answer(&reader, payload, query_id, &answer));
    *ret_answer = answer;
    return OK;
}
