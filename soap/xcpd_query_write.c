/*
 * Writes the question of ITI-55 and ITI-47, PRPA_IN201305UV02, in schema order. Called by the
 * asking side; any thread; the text of queryByParameter goes to the caller's arena as well, because
 * the audit record wants exactly what was asked. Source: ITI TF-2 3.55.4.1, 3.47.4.1.
 */
#include <stdio.h>

#include "soap/pdq.h"
#include "soap/xcpd_parts.h"

static void
end_parameter(struct xmlw *w, const char *semantics)
{
    xmlw_element(w, "semanticsText", span_of_cstr(semantics));
    xmlw_end(w);
}

/* One end of IVL<TS>. */
static void
write_end(struct xmlw *w, const char *element, struct span time, bool is_excluded)
{
    if (time.n == 0) {
        return;
    }
    xmlw_start(w, element);
    xmlw_attr(w, "value", time);
    if (is_excluded) {
        xmlw_attr_cstr(w, "inclusive", "false");
    }
    xmlw_end(w);
}

static bool
has_range(const struct patient *subject)
{
    return subject->birth_time.n == 0 &&
           (subject->birth_range.low.n > 0 || subject->birth_range.high.n > 0);
}

static void
write_birth_time(struct xmlw *w, const struct patient *subject)
{
    const struct time_range *const range = &subject->birth_range;
    if (subject->birth_time.n == 0 && !has_range(subject)) {
        return;
    }
    xmlw_start(w, "livingSubjectBirthTime");
    xmlw_start(w, "value");
    if (subject->birth_time.n > 0) {
        xmlw_attr(w, "value", subject->birth_time);
    } else {
        write_end(w, "low", range->low, range->is_low_excluded);
        write_end(w, "high", range->high, range->is_high_excluded);
    }
    xmlw_end(w);
    end_parameter(w, "LivingSubject.birthTime");
}

static void
write_addresses(struct xmlw *w, const char *element, const struct address_list *addresses,
                const char *semantics)
{
    if (addresses->n == 0) {
        return;
    }
    xmlw_start(w, element);
    for (size_t i = 0; i < addresses->n; i++) {
        xcpd_write_address(w, "value", &addresses->items[i]);
    }
    end_parameter(w, semantics);
}

static void
write_birth(struct xmlw *w, const struct patient *subject)
{
    if (subject->sex.n > 0) {
        xmlw_start(w, "livingSubjectAdministrativeGender");
        xcpd_write_code(w, "value", subject->sex, HL7_GENDER_SYSTEM);
        end_parameter(w, "LivingSubject.administrativeGender");
    }
    write_addresses(w, "livingSubjectBirthPlaceAddress", &subject->birth_place_addresses,
                    "LivingSubject.BirthPlace.Addr");
    if (subject->birth_place_names.n > 0) {
        xmlw_start(w, "livingSubjectBirthPlaceName");
        for (size_t i = 0; i < subject->birth_place_names.n; i++) {
            xmlw_element(w, "value", subject->birth_place_names.items[i]);
        }
        end_parameter(w, "LivingSubject.BirthPlace.Place.Name");
    }
    write_birth_time(w, subject);
}

static void
write_idents(struct xmlw *w, const char *element, const struct ident_list *ids,
             const char *semantics)
{
    for (size_t i = 0; i < ids->n; i++) {
        xmlw_start(w, element);
        xcpd_write_ident(w, "value", &ids->items[i]);
        end_parameter(w, semantics);
    }
}

/* One element per name: several values inside one are against the profile, and repeated elements
 * mean "any of these". A name marked as searched for (SRCH) is not a legal question of ITI-55. */
static void
write_names(struct xmlw *w, const char *element, const struct name_list *names,
            const char *semantics, bool is_pdq)
{
    for (size_t i = 0; i < names->n; i++) {
        if (!xcpd_name_is_usable(&names->items[i])) {
            continue;
        }
        xmlw_start(w, element);
        if (is_pdq) {
            xcpd_write_pattern(w, "value", &names->items[i]);
        } else {
            xcpd_write_name(w, "value", &names->items[i]);
        }
        end_parameter(w, semantics);
    }
}

static void
write_telecoms(struct xmlw *w, const struct telecom_list *telecoms)
{
    if (telecoms->n == 0) {
        return;
    }
    xmlw_start(w, "patientTelecom");
    for (size_t i = 0; i < telecoms->n; i++) {
        xcpd_write_telecom(w, "value", &telecoms->items[i]);
    }
    end_parameter(w, "Patient.telecom");
}

/* REQ: ITI55-query-parameters, ITI55-codes */
/* Children in the order of PRPA_MT201306UV02.ParameterList. */
static void
write_parameter_list(struct xmlw *w, const struct xcpd_query *query, bool is_pdq)
{
    const struct patient *const subject = &query->subject;
    xmlw_start(w, "parameterList");
    write_birth(w, subject);
    write_idents(w, "livingSubjectId", &subject->ids, "LivingSubject.id");
    write_names(w, "livingSubjectName", &subject->names, "LivingSubject.name", is_pdq);
    write_names(w, "mothersMaidenName", &subject->mothers_maiden_names, "Person.MothersMaidenName",
                is_pdq);
    for (size_t i = 0; is_pdq && i < query->domains.n; i++) {
        const struct ident domain = {.root = query->domains.items[i].root};
        xmlw_start(w, "otherIDsScopingOrganization");
        xcpd_write_ident(w, "value", &domain);
        end_parameter(w, "OtherIDs.scopingOrganization.id");
    }
    write_addresses(w, "patientAddress", &subject->addresses, "Patient.addr");
    write_telecoms(w, &subject->telecoms);
    write_idents(w, "principalCareProviderId", &subject->care_providers, "AssignedProvider.id");
    xmlw_end(w);
}

static void
write_number(struct xmlw *w, const char *element, unsigned number, bool is_typed)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", number);
    xmlw_start(w, element);
    if (is_typed) {
        xmlw_attr_cstr(w, "xmlns:xsi", NS_XSI);
        xmlw_attr_cstr(w, "xsi:type", w->prefix == NULL ? "INT" : XCPD_PREFIX ":INT");
    }
    xmlw_attr_cstr(w, "value", text);
    xmlw_end(w);
}

static void
write_criteria(struct xmlw *w, const struct xcpd_query *query)
{
    if (query->match_algorithm.n == 0 && query->minimum_degree == 0) {
        return;
    }
    xmlw_start(w, "matchCriterionList");
    if (query->match_algorithm.n > 0) {
        xmlw_start(w, "matchAlgorithm");
        xmlw_start(w, "value");
        xmlw_attr_cstr(w, "xmlns:xsi", NS_XSI);
        xmlw_attr_cstr(w, "xsi:type", w->prefix == NULL ? "ST" : XCPD_PREFIX ":ST");
        xmlw_text(w, query->match_algorithm);
        xmlw_end(w);
        end_parameter(w, "MatchAlgorithm");
    }
    if (query->minimum_degree > 0) {
        xmlw_start(w, "minimumDegreeMatch");
        write_number(w, "value", query->minimum_degree, true);
        end_parameter(w, "MinimumDegreeMatch");
    }
    xmlw_end(w);
}

static struct status
write_parameters(const struct xcpd_query *query, bool is_pdq, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    w.prefix = query->is_prefixed ? XCPD_PREFIX : NULL;
    xmlw_start(&w, "queryByParameter");
    xcpd_declare(&w);
    xcpd_write_ident(&w, "queryId", &query->query_id);
    xcpd_write_code(&w, "statusCode", SPAN("new"), NULL);
    xcpd_write_code(&w, "responseModalityCode", SPAN("R"), NULL);
    xcpd_write_code(&w, "responsePriorityCode", query->is_deferred ? SPAN("D") : SPAN("I"), NULL);
    if (is_pdq && query->initial_quantity > 0) {
        write_number(&w, "initialQuantity", query->initial_quantity, false);
    }
    write_criteria(&w, query);
    write_parameter_list(&w, query, is_pdq);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

static bool
has_name(const struct patient *subject)
{
    for (size_t i = 0; i < subject->names.n; i++) {
        if (xcpd_name_is_usable(&subject->names.items[i])) {
            return true;
        }
    }
    return false;
}

static bool
says_anything(const struct patient *subject)
{
    return has_name(subject) || subject->birth_time.n > 0 || has_range(subject) ||
           subject->sex.n > 0 || subject->addresses.n > 0 || subject->telecoms.n > 0 ||
           subject->mothers_maiden_names.n > 0 || subject->birth_place_names.n > 0 ||
           subject->birth_place_addresses.n > 0 || subject->care_providers.n > 0;
}

/* Name and birth time are required unless an id is given (ITI TF-2 3.55.4.1.2.1). */
static struct status
check_subject(const struct patient *subject, bool is_pdq, struct diag *diag)
{
    const bool has_birth = subject->birth_time.n > 0 || has_range(subject);
    const bool is_enough =
        subject->ids.n > 0 || (is_pdq ? says_anything(subject) : has_name(subject) && has_birth);
    if (!is_enough) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "a question needs %s; it has %zu names, %s birth time and no id",
                    is_pdq ? "a parameter" : "a name and a birth time, or an id", subject->names.n,
                    has_birth ? "a" : "no");
    }
    return OK;
}

static struct status
check_question(const struct xcpd_query *query, bool is_pdq, struct diag *diag)
{
    TRY(check_subject(&query->subject, is_pdq, diag));
    if (query->sender_home.n == 0 && (!is_pdq || query->sender_device.root.n == 0)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "a question needs the homeCommunityId of who asks");
    }
    if (query->is_deferred && query->respond_to.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "a question in deferred mode must say where its answer goes");
    }
    return hl7_check_domains(&query->domains, diag);
}

static void
write_authorities(struct xmlw *w, const struct span_list *roots)
{
    for (size_t i = 0; i < roots->n; i++) {
        const struct ident id = {.root = roots->items[i]};
        xcpd_start_typed(w, "authorOrPerformer", "AUT");
        xcpd_start_classed(w, "assignedDevice", "ASSIGNED", NULL);
        xcpd_write_ident(w, "id", &id);
        xmlw_end(w);
        xmlw_end(w);
    }
}

struct status
xcpd_write_question(const struct xcpd_query *query, bool is_pdq, struct arena *arena,
                    struct buf *out, struct diag *diag, struct span *ret_query_xml)
{
    TRY(check_question(query, is_pdq, diag));
    const struct xcpd_wrapper wrapper = {
        .element = XCPD_QUERY_ELEMENT,
        .id = query->id,
        .creation_us = query->creation_us,
        .accept_ack = "AL",
        .receiver_home = query->receiver_home,
        .sender_device = query->sender_device,
        .sender_home = query->sender_home,
        .respond_to = query->is_deferred ? query->respond_to : SPAN_EMPTY,
    };
    struct xmlw w;
    xmlw_init(&w, out, diag);
    w.prefix = query->is_prefixed ? XCPD_PREFIX : NULL;
    xcpd_write_wrapper(&w, &wrapper);
    xcpd_start_act(&w, "PRPA_TE201305UV02");
    write_authorities(&w, &query->reverse_authorities);
    const size_t from = out->n;
    if (is_ok(w.status)) {
        w.status = write_parameters(query, is_pdq, out, diag);
    }
    const size_t to = out->n;
    xmlw_end(&w);
    xmlw_end(&w);
    TRY(xmlw_finish(&w));
    return arena_dup(arena, span_of(out->p + from, to - from), diag, ret_query_xml);
}

struct status
xcpd_query_write(const struct xcpd_query *query, struct arena *arena, struct buf *out,
                 struct diag *diag, struct span *ret_query_xml)
{
    return xcpd_write_question(query, false, arena, out, diag, ret_query_xml);
}

struct status
pdq_query_write(const struct xcpd_query *query, struct arena *arena, struct buf *out,
                struct diag *diag, struct span *ret_query_xml)
{
    return xcpd_write_question(query, true, arena, out, diag, ret_query_xml);
}
