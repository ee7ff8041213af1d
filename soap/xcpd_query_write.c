/*
 * Writes the XCPD question, PRPA_IN201305UV02, in schema order. Called by the asking side of
 * ITI-55; any thread; the text of queryByParameter goes to the caller's arena as well, because the
 * audit record wants exactly what was asked. Source: ITI TF-2 3.55.4.1.
 */
#include "soap/xcpd_parts.h"

static void
start_parameter(struct xmlw *w, const char *element)
{
    xmlw_start(w, element);
}

static void
end_parameter(struct xmlw *w, const char *semantics)
{
    xmlw_element(w, "semanticsText", span_of_cstr(semantics));
    xmlw_end(w);
}

static void
write_gender_and_birth(struct xmlw *w, const struct patient *subject)
{
    if (subject->sex.n > 0) {
        start_parameter(w, "livingSubjectAdministrativeGender");
        xcpd_write_code(w, "value", subject->sex, HL7_GENDER_SYSTEM);
        end_parameter(w, "LivingSubject.administrativeGender");
    }
    if (subject->birth_time.n > 0) {
        start_parameter(w, "livingSubjectBirthTime");
        xmlw_start(w, "value");
        xmlw_attr(w, "value", subject->birth_time);
        xmlw_end(w);
        end_parameter(w, "LivingSubject.birthTime");
    }
}

/* One element per name: several values inside one are against the profile, and repeated elements
 * mean "any of these". A name marked as searched for (SRCH) is not a legal question. */
static void
write_ids_and_names(struct xmlw *w, const struct patient *subject)
{
    for (size_t i = 0; i < subject->ids.n; i++) {
        start_parameter(w, "livingSubjectId");
        xcpd_write_ident(w, "value", &subject->ids.items[i]);
        end_parameter(w, "LivingSubject.id");
    }
    for (size_t i = 0; i < subject->names.n; i++) {
        if (!xcpd_name_is_usable(&subject->names.items[i])) {
            continue;
        }
        start_parameter(w, "livingSubjectName");
        xcpd_write_name(w, "value", &subject->names.items[i]);
        end_parameter(w, "LivingSubject.name");
    }
}

static void
write_contacts(struct xmlw *w, const struct patient *subject)
{
    if (subject->addresses.n > 0) {
        start_parameter(w, "patientAddress");
        for (size_t i = 0; i < subject->addresses.n; i++) {
            xcpd_write_address(w, "value", &subject->addresses.items[i]);
        }
        end_parameter(w, "Patient.addr");
    }
    if (subject->telecoms.n > 0) {
        start_parameter(w, "patientTelecom");
        for (size_t i = 0; i < subject->telecoms.n; i++) {
            xcpd_write_telecom(w, "value", &subject->telecoms.items[i]);
        }
        end_parameter(w, "Patient.telecom");
    }
}

static struct status
write_parameters(const struct xcpd_query *query, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "queryByParameter");
    xmlw_attr_cstr(&w, "xmlns", NS_HL7);
    xcpd_write_ident(&w, "queryId", &query->query_id);
    xcpd_write_code(&w, "statusCode", SPAN("new"), NULL);
    xcpd_write_code(&w, "responseModalityCode", SPAN("R"), NULL);
    xcpd_write_code(&w, "responsePriorityCode", SPAN("I"), NULL);
    xmlw_start(&w, "parameterList");
    write_gender_and_birth(&w, &query->subject);
    write_ids_and_names(&w, &query->subject);
    if (xcpd_name_is_usable(&query->mothers_maiden_name)) {
        start_parameter(&w, "mothersMaidenName");
        xcpd_write_name(&w, "value", &query->mothers_maiden_name);
        end_parameter(&w, "Person.MothersMaidenName");
    }
    write_contacts(&w, &query->subject);
    xmlw_end(&w);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

/* Name and birth time are required unless an id is given (ITI TF-2 3.55.4.1.2.1). */
static struct status
check_question(const struct xcpd_query *query, struct diag *diag)
{
    const struct patient *subject = &query->subject;
    bool has_name = false;
    for (size_t i = 0; i < subject->names.n; i++) {
        has_name = has_name || xcpd_name_is_usable(&subject->names.items[i]);
    }
    if (subject->ids.n == 0 && !(has_name && subject->birth_time.n > 0)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "an XCPD question needs a name and a birth time, or an id; it has %zu names, "
                    "%s birth time and no id",
                    subject->names.n, subject->birth_time.n > 0 ? "a" : "no");
    }
    if (query->sender_home.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "an XCPD question needs the homeCommunityId of who asks");
    }
    return OK;
}

struct status
xcpd_query_write(const struct xcpd_query *query, struct arena *arena, struct buf *out,
                 struct diag *diag, struct span *ret_query_xml)
{
    TRY(check_question(query, diag));
    const struct xcpd_wrapper wrapper = {
        .element = XCPD_QUERY_ELEMENT,
        .id = query->id,
        .creation_us = query->creation_us,
        .accept_ack = "AL",
        .receiver_home = query->receiver_home,
        .sender_home = query->sender_home,
    };
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xcpd_write_wrapper(&w, &wrapper);
    xmlw_start(&w, "controlActProcess");
    xmlw_attr_cstr(&w, "classCode", "CACT");
    xmlw_attr_cstr(&w, "moodCode", "EVN");
    xcpd_write_code(&w, "code", SPAN("PRPA_TE201305UV02"), HL7_INTERACTION_ROOT);
    const size_t from = out->n;
    if (is_ok(w.status)) {
        w.status = write_parameters(query, out, diag);
    }
    const size_t to = out->n;
    xmlw_end(&w);
    xmlw_end(&w);
    TRY(xmlw_finish(&w));
    return arena_dup(arena, span_of(out->p + from, to - from), diag, ret_query_xml);
}
