/*
 * Writes the XCPD answer, PRPA_IN201306UV02, in schema order: the five cases of ITI TF-2
 * 3.55.4.2.3. Called by the answering side of ITI-55; any thread; owns nothing. Exactly one
 * RegistrationEvent per match, exactly one id per patient, the custodian is the homeCommunityId as
 * a bare OID, and queryByParameter is the asker's own text.
 */
#include <stdio.h>

#include "base/ids.h"
#include "soap/xcpd_parts.h"

#define ANSWER_ROOM ((size_t)4096) /* for one match, beside the asker's own text */

static void
start_with_class(struct xmlw *w, const char *element, const char *class_code, const char *mood)
{
    xmlw_start(w, element);
    xmlw_attr_cstr(w, "classCode", class_code);
    if (mood != NULL) {
        xmlw_attr_cstr(w, "moodCode", mood);
    }
}

static void
start_with_type(struct xmlw *w, const char *element, const char *type_code)
{
    xmlw_start(w, element);
    xmlw_attr_cstr(w, "typeCode", type_code);
}

static void
start_organization(struct xmlw *w, const char *element)
{
    xmlw_start(w, element);
    xmlw_attr_cstr(w, "classCode", "ORG");
    xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
}

/* Every id but the first: the first is the one to use in ITI-38 and stands in Patient.id. */
static void
write_other_ids(struct xmlw *w, const struct ident_list *ids)
{
    for (size_t i = 1; i < ids->n; i++) {
        const struct ident *id = &ids->items[i];
        const struct ident scope = {.root = id->root};
        const bool is_citizen_id = span_eq_cstr(id->root, SSN_ROOT);
        start_with_class(w, "asOtherIDs", is_citizen_id ? "CIT" : "PAT", NULL);
        xcpd_write_ident(w, "id", id);
        start_organization(w, "scopingOrganization");
        xcpd_write_ident(w, "id", &scope);
        xmlw_end(w);
        xmlw_end(w);
    }
}

static void
write_person(struct xmlw *w, const struct patient *patient)
{
    static const struct person_name no_name;
    xmlw_start(w, "patientPerson");
    xmlw_attr_cstr(w, "classCode", "PSN");
    xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
    for (size_t i = 0; i < patient->names.n; i++) {
        xcpd_write_name(w, "name", &patient->names.items[i]);
    }
    if (patient->names.n == 0) {
        xcpd_write_name(w, "name", &no_name);
    }
    for (size_t i = 0; i < patient->telecoms.n; i++) {
        xcpd_write_telecom(w, "telecom", &patient->telecoms.items[i]);
    }
    if (patient->sex.n > 0) {
        xcpd_write_code(w, "administrativeGenderCode", patient->sex, HL7_GENDER_SYSTEM);
    }
    if (patient->birth_time.n > 0) {
        xmlw_start(w, "birthTime");
        xmlw_attr(w, "value", patient->birth_time);
        xmlw_end(w);
    }
    for (size_t i = 0; i < patient->addresses.n; i++) {
        xcpd_write_address(w, "addr", &patient->addresses.items[i]);
    }
    write_other_ids(w, &patient->ids);
    xmlw_end(w);
}

/* The schema wants the provider's organization with a contact; what we know of it is its id. */
static void
write_provider(struct xmlw *w, struct span home)
{
    const struct ident id = {.root = home};
    start_organization(w, "providerOrganization");
    xcpd_write_ident(w, "id", &id);
    start_with_class(w, "contactParty", "CON", NULL);
    xmlw_end(w);
    xmlw_end(w);
}

/* The schema wants an observation in any case; a degree that we do not know is null. */
static void
write_degree(struct xmlw *w, int degree)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", degree);
    xmlw_start(w, "subjectOf1");
    start_with_class(w, "queryMatchObservation", "OBS", "EVN");
    xcpd_write_code(w, "code", SPAN("IHE_PDQ"), NULL);
    xmlw_start(w, "value");
    xmlw_attr_cstr(w, "xmlns:xsi", NS_XSI);
    xmlw_attr_cstr(w, "xsi:type", "INT");
    xmlw_attr_cstr(w, degree >= 0 ? "value" : "nullFlavor", degree >= 0 ? text : "UNK");
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_custodian(struct xmlw *w, struct span home)
{
    const struct ident id = {.root = home};
    start_with_type(w, "custodian", "CST");
    start_with_class(w, "assignedEntity", "ASSIGNED", NULL);
    xcpd_write_ident(w, "id", &id);
    xcpd_write_code(w, "code", SPAN("NotHealthDataLocator"), XCPD_LOCATOR_SYSTEM);
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_match(struct xmlw *w, const struct xcpd_match *match, struct span our_home)
{
    static const struct ident no_id;
    const struct span home = match->home.n > 0 ? match->home : our_home;
    start_with_type(w, "subject", "SUBJ");
    xmlw_attr_cstr(w, "contextConductionInd", "false");
    start_with_class(w, "registrationEvent", "REG", "EVN");
    xcpd_write_ident(w, "id", &no_id);
    xcpd_write_code(w, "statusCode", SPAN("active"), NULL);
    start_with_type(w, "subject1", "SBJ");
    start_with_class(w, "patient", "PAT", NULL);
    xcpd_write_ident(w, "id", &match->patient.ids.items[0]);
    xcpd_write_code(w, "statusCode", SPAN("active"), NULL);
    write_person(w, &match->patient);
    write_provider(w, home);
    write_degree(w, match->degree);
    xmlw_end(w);
    xmlw_end(w);
    write_custodian(w, home);
    xmlw_end(w);
    xmlw_end(w);
}

/* triggerFor/actOrderRequired: what would help; mitigatedBy/detectedIssueManagement: why not. */
static void
write_issue(struct xmlw *w, struct span code, bool is_trigger)
{
    start_with_type(w, is_trigger ? "triggerFor" : "mitigatedBy", is_trigger ? "TRIG" : "MITGT");
    start_with_class(w, is_trigger ? "actOrderRequired" : "detectedIssueManagement", "ACT",
                     is_trigger ? "RQO" : "EVN");
    xcpd_write_code(w, "code", code, is_trigger ? XCPD_TRIGGER_SYSTEM : XCPD_MITIGATE_SYSTEM);
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_reason(struct xmlw *w, const struct xcpd_answer *answer)
{
    const bool is_trigger = answer->result == XCPD_AMBIGUOUS;
    start_with_type(w, "reasonOf", "RSON");
    start_with_class(w, "detectedIssueEvent", "ALRT", "EVN");
    xcpd_write_code(w, "code", SPAN(XCPD_ISSUE_CODE), XCPD_ISSUE_SYSTEM);
    for (size_t i = 0; i < answer->issues.n; i++) {
        write_issue(w, answer->issues.items[i], is_trigger);
    }
    if (answer->issues.n == 0 && !is_trigger) {
        write_issue(w, SPAN("InternalError"), false);
    }
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_acknowledgement(struct xmlw *w, const struct xcpd_query *query,
                      const struct xcpd_answer *answer)
{
    const bool is_error = answer->result == XCPD_ERROR;
    xmlw_start(w, "acknowledgement");
    xcpd_write_code(w, "typeCode", is_error ? SPAN("AE") : SPAN("AA"), NULL);
    xmlw_start(w, "targetMessage");
    xcpd_write_ident(w, "id", &query->id);
    xmlw_end(w);
    if (is_error && answer->error_text.n > 0) {
        start_with_type(w, "acknowledgementDetail", "E");
        xmlw_element(w, "text", answer->error_text);
        xmlw_end(w);
    }
    xmlw_end(w);
}

static void
write_query_ack(struct xmlw *w, const struct xcpd_query *query, enum xcpd_result result)
{
    static const char *const codes[] = {
        [XCPD_MATCH] = "OK", [XCPD_AMBIGUOUS] = "OK", [XCPD_NONE] = "NF", [XCPD_ERROR] = "AE"};
    xmlw_start(w, "queryAck");
    xcpd_write_ident(w, "queryId", &query->query_id);
    xcpd_write_code(w, "statusCode", SPAN("deliveredResponse"), NULL);
    xcpd_write_code(w, "queryResponseCode", span_of_cstr(codes[result]), NULL);
    xmlw_end(w);
}

static void
write_control_act(struct xmlw *w, const struct xcpd_query *query, const struct xcpd_answer *answer,
                  struct span home)
{
    start_with_class(w, "controlActProcess", "CACT", "EVN");
    xcpd_write_code(w, "code", SPAN("PRPA_TE201306UV02"), HL7_INTERACTION_ROOT);
    if (answer->result == XCPD_MATCH) {
        for (size_t i = 0; i < answer->matches.n; i++) {
            write_match(w, &answer->matches.items[i], home);
        }
    }
    if (answer->result == XCPD_AMBIGUOUS || answer->result == XCPD_ERROR) {
        write_reason(w, answer);
    }
    write_query_ack(w, query, answer->result);
    xmlw_raw(w, query->query_xml);
    xmlw_end(w);
}

/* What the caller must have seen to: a match has an id, an answer with matches has some. */
static struct status
check_answer(const struct xcpd_answer *answer, struct span home, struct diag *diag)
{
    if (home.n == 0) {
        return FAIL(diag, ERR_INTERNAL, "an XCPD answer needs our homeCommunityId");
    }
    if (answer->result != XCPD_MATCH) {
        return OK;
    }
    if (answer->matches.n == 0) {
        return FAIL(diag, ERR_INTERNAL, "an XCPD answer says 'match' without one");
    }
    for (size_t i = 0; i < answer->matches.n; i++) {
        if (answer->matches.items[i].patient.ids.n == 0) {
            return FAIL(diag, ERR_INTERNAL, "match %zu of an XCPD answer has no patient id", i + 1);
        }
    }
    return OK;
}

struct status
xcpd_answer_write(const struct xcpd_query *query, const struct xcpd_answer *answer,
                  struct span home, int64_t now_us, struct buf *out, struct diag *diag)
{
    TRY(check_answer(answer, home, diag));
    char message_id[UUID_TEXT];
    uuid_new(message_id);
    const struct xcpd_wrapper wrapper = {
        .element = XCPD_ANSWER_ELEMENT,
        .id = {.root = home, .extension = span_of_cstr(message_id)},
        .creation_us = now_us,
        .accept_ack = "NE",
        .receiver_home = query->sender_home,
        .sender_home = home,
    };
    struct xmlw w;
    char *room = NULL;
    TRY(buf_reserve(out, query->query_xml.n + ANSWER_ROOM, diag,
                    &room)); /* so that most need not grow */
    xmlw_init(&w, out, diag);
    xcpd_write_wrapper(&w, &wrapper);
    write_acknowledgement(&w, query, answer);
    write_control_act(&w, query, answer, home);
    xmlw_end(&w);
    return xmlw_finish(&w);
}
