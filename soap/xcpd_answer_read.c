/*
 * Reads the answer of ITI-55 and ITI-47, PRPA_IN201306UV02. Called by the asking side on the
 * thread that owns the message; facts are copied to the caller's arena. Which of the five cases of
 * ITI TF-2 3.55.4.2.3 it is follows from acknowledgement, queryAck, events and reasonOf together,
 * because partners fill them in differently.
 */
#include "base/ids.h"
#include "soap/message_internal.h"
#include "soap/pdq.h"
#include "soap/xcpd_parts.h"

/* What the answer says of itself, before the result is decided. */
struct verdict {
    struct hl7_acknowledgement said;
    struct xcpd_query_ack query_ack;
    bool has_reason;
    bool has_trigger;
    bool has_mitigation;
};

/* Other ids are of no use without the one that ITI-38 takes. */
static struct status
read_ids(const struct xcpd_reader *reader, const xmlNode *patient, struct ident_list *ids)
{
    for (const xmlNode *id = xcpd_child(patient, "id"); id != NULL; id = xcpd_next(id, "id")) {
        TRY(xcpd_add_ident(reader, id, ids));
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
read_custodian(const struct xcpd_reader *reader, const xmlNode *event, struct xcpd_match *match)
{
    const xmlNode *custodian = NULL;
    TRY(xcpd_child_optional(reader, event, "custodian", &custodian));
    const xmlNode *entity = xcpd_child(custodian, "assignedEntity");
    const struct span root = xcpd_attr(xcpd_child(entity, "id"), "root");
    struct span oid = SPAN_EMPTY;
    match->is_health_data_locator =
        span_eq_cstr(xcpd_attr(xcpd_child(entity, "code"), "code"), "SupportsHealthDataLocator");
    if (root.n == 0 || (reader->is_pdq && !home_community_oid(root, &oid))) {
        return OK; /* the custodian of ITI-47 is the supplier, by whatever id */
    }
    if (!home_community_oid(root, &oid)) {
        return FAIL(reader->diag, reader->code,
                    "custodian/assignedEntity/id@root is not an OID (%zu bytes)", root.n);
    }
    return xcpd_keep(reader, oid, &match->home);
}

static struct status
read_provider(const struct xcpd_reader *reader, const xmlNode *patient, struct xcpd_match *match)
{
    const xmlNode *const organization = xcpd_child(patient, "providerOrganization");
    const xmlNode *const name = xcpd_child(organization, "name");
    TRY(xcpd_read_ident(reader, xcpd_child(organization, "id"), &match->provider));
    return name == NULL || xml_first(name) != NULL
               ? OK
               : xcpd_read_part(reader, name, &match->provider_name);
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
    TRY(read_ids(reader, patient, &match.patient.ids));
    match.own_ids = match.patient.ids.n;
    TRY(xcpd_read_person(reader, person, &match.patient, &match.missing_domains));
    TRY(read_provider(reader, patient, &match));
    TRY(read_custodian(reader, event, &match));
    match.degree = read_degree(patient);
    return match.own_ids == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, matches, match);
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

static bool
is_error(const struct verdict *verdict)
{
    const struct span response = verdict->query_ack.response;
    return hl7_is_error(verdict->said.type_code) || span_eq_cstr(response, "AE") ||
           span_eq_cstr(response, "QE");
}

/* REQ: ITI55-result-cases */
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
    TRY(xcpd_read_acknowledgement(reader, message, &verdict.said));
    answer->details = verdict.said.details;
    if (answer->details.n > 0) {
        answer->error_text = xcpd_detail_text(&answer->details.items[0]);
    }
    TRY(xcpd_child_optional(reader, message, "controlActProcess", &act));
    TRY(xcpd_read_query_ack(reader, act, query_id, &verdict.query_ack));
    answer->quantities.is_known = verdict.query_ack.has_total;
    answer->quantities.total = verdict.query_ack.total;
    answer->quantities.current = verdict.query_ack.current;
    answer->quantities.remaining = verdict.query_ack.remaining;
    TRY(read_reasons(reader, act, &verdict, &answer->issues));
    if (!is_error(&verdict)) {
        TRY(read_events(reader, act, &answer->matches));
    }
    answer->result = decide(&verdict, &answer->matches);
    if (answer->result != XCPD_ERROR && !verdict.query_ack.has_query_id) {
        return FAIL(reader->diag, reader->code, "the answer does not say which query it answers");
    }
    return OK;
}

struct status
xcpd_read_reply(const struct xcpd_reader *reader, const struct message *message,
                const struct ident *query_id, struct xcpd_answer *ret_answer)
{
    const xmlNode *payload = NULL;
    struct xcpd_answer answer = {.result = XCPD_NONE};
    TRY(xcpd_payload(reader, message, XCPD_ANSWER_ELEMENT, &payload));
    TRY(read_answer(reader, payload, query_id, &answer));
    *ret_answer = answer;
    return OK;
}

struct status
xcpd_answer_read(const struct message *message, const struct ident *query_id, struct arena *arena,
                 struct diag *diag, struct xcpd_answer *ret_answer)
{
    const struct xcpd_reader reader = {
        .arena = arena, .diag = diag, .code = ERR_PARTNER_ANSWER, .is_lenient = true};
    return xcpd_read_reply(&reader, message, query_id, ret_answer);
}

struct status
xcpd_answer_id(const struct message *message, struct arena *arena, struct diag *diag,
               struct ident *ret_id)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    const xmlNode *payload = NULL;
    struct xcpd_wrapper wrapper;
    TRY(xcpd_payload(&reader, message, XCPD_ANSWER_ELEMENT, &payload));
    TRY(xcpd_read_wrapper(&reader, payload, &wrapper));
    if (wrapper.id.root.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "an answer that is to be acknowledged has no id");
    }
    *ret_id = wrapper.id;
    return OK;
}

/* REQ: ITI47-answer */
struct status
pdq_answer_read(const struct message *message, const struct ident *query_id, struct arena *arena,
                struct diag *diag, struct xcpd_answer *ret_answer)
{
    const struct xcpd_reader reader = {.arena = arena,
                                       .diag = diag,
                                       .code = ERR_PARTNER_ANSWER,
                                       .is_lenient = true,
                                       .is_pdq = true};
    return xcpd_read_reply(&reader, message, query_id, ret_answer);
}
