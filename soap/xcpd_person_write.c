/*
 * Writes patientPerson of an answer (PRPA_MT201310UV02.Person), in schema order. Called by the
 * writers of ITI-55 and ITI-47; any thread; owns nothing. What the schema would refuse (a birth
 * order without a number, a code system that is none) is left out.
 */
#include <stdio.h>

#include "base/ids.h"
#include "soap/xcpd_parts.h"

#define ROLE_SYSTEM "2.16.840.1.113883.5.111"

static void
write_times(struct xmlw *w, const struct patient *patient)
{
    if (patient->birth_time.n > 0) {
        xcpd_write_value(w, "birthTime", patient->birth_time);
    }
    if (patient->deceased != PATIENT_UNSAID) {
        xcpd_write_value(w, "deceasedInd",
                         patient->deceased == PATIENT_YES ? SPAN("true") : SPAN("false"));
    }
    if (patient->deceased_time.n > 0) {
        xcpd_write_value(w, "deceasedTime", patient->deceased_time);
    }
    if (patient->multiple_birth != PATIENT_UNSAID) {
        xcpd_write_value(w, "multipleBirthInd",
                         patient->multiple_birth == PATIENT_YES ? SPAN("true") : SPAN("false"));
    }
    if (patient->birth_order > 0) {
        char text[16];
        (void)snprintf(text, sizeof(text), "%u", patient->birth_order);
        xcpd_write_value(w, "multipleBirthOrderNumber", span_of_cstr(text));
    }
}

static void
write_coded_list(struct xmlw *w, const char *element, const struct code_list *codes)
{
    for (size_t i = 0; i < codes->n; i++) {
        xcpd_write_coded(w, element, &codes->items[i]);
    }
}

static const struct id_scope *
scope_of(const struct patient *patient, size_t id)
{
    static const struct id_scope none;
    for (size_t i = 0; i < patient->scopes.n; i++) {
        if (patient->scopes.items[i].id == id) {
            return &patient->scopes.items[i];
        }
    }
    return &none;
}

/* RoleClass has some hundred values; those that deployed systems give to ids. */
static bool
is_id_class(struct span class_code)
{
    static const char *const known[] = {"PAT", "CIT", "EMP", "MIL", "STD", "MBR", "ROL", "IDENT"};
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (span_eq_cstr(class_code, known[i])) {
            return true;
        }
    }
    return false;
}

static void
write_scoped(struct xmlw *w, const char *class_code, const struct ident *id, struct span scope)
{
    const struct ident organization = {.root = scope};
    xcpd_start_classed(w, "asOtherIDs", class_code, NULL);
    xcpd_write_ident(w, "id", id);
    xcpd_start_organization(w, "scopingOrganization");
    xcpd_write_ident(w, "id", &organization);
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_other_ids(struct xmlw *w, const struct patient *patient, size_t own_ids)
{
    for (size_t i = own_ids; i < patient->ids.n; i++) {
        const struct ident *id = &patient->ids.items[i];
        const struct id_scope *scope = scope_of(patient, i);
        const bool is_citizen_id = span_eq_cstr(id->root, SSN_ROOT);
        char class_code[16] = "PAT";
        if (is_id_class(scope->class_code)) {
            (void)snprintf(class_code, sizeof(class_code), "%.*s", SPAN_PRINT(scope->class_code));
        } else if (is_citizen_id) {
            (void)snprintf(class_code, sizeof(class_code), "CIT");
        }
        write_scoped(w, class_code, id, scope->organization.n > 0 ? scope->organization : id->root);
    }
}

/* A relationship of its own for each name: they are alternatives, not one person's names. */
static void
write_mothers(struct xmlw *w, const struct name_list *names)
{
    for (size_t i = 0; i < names->n; i++) {
        if (!xcpd_name_is_usable(&names->items[i])) {
            continue;
        }
        xcpd_start_classed(w, "personalRelationship", "PRS", NULL);
        xcpd_write_code(w, "code", SPAN("MTH"), ROLE_SYSTEM);
        xcpd_start_classed(w, "relationshipHolder1", "PSN", NULL);
        xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
        xcpd_write_name(w, "name", &names->items[i]);
        xmlw_end(w);
        xmlw_end(w);
    }
}

/* The schema has room for one birth place. */
static void
write_birth_place(struct xmlw *w, const struct patient *patient)
{
    if (patient->birth_place_names.n == 0 && patient->birth_place_addresses.n == 0) {
        return;
    }
    xcpd_start_classed(w, "birthPlace", "BIRTHPL", NULL);
    if (patient->birth_place_addresses.n > 0) {
        xcpd_write_address(w, "addr", &patient->birth_place_addresses.items[0]);
    }
    if (patient->birth_place_names.n > 0) {
        xcpd_start_classed(w, "birthplace", "PLC", NULL);
        xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
        xmlw_element(w, "name", patient->birth_place_names.items[0]);
        xmlw_end(w);
    }
    xmlw_end(w);
}

static void
write_languages(struct xmlw *w, const struct code_list *languages)
{
    for (size_t i = 0; i < languages->n; i++) {
        xmlw_start(w, "languageCommunication");
        xcpd_write_coded(w, "languageCode", &languages->items[i]);
        xmlw_end(w);
    }
}

static void
write_names(struct xmlw *w, const struct name_list *names)
{
    static const struct person_name no_name;
    for (size_t i = 0; i < names->n; i++) {
        xcpd_write_name(w, "name", &names->items[i]);
    }
    if (names->n == 0) {
        xcpd_write_name(w, "name", &no_name);
    }
}

/* REQ: ITI55-answer-demographics */
void
xcpd_write_person(struct xmlw *w, const struct patient *patient, size_t own_ids,
                  const struct span_list *missing)
{
    static const struct ident no_id;
    xcpd_start_classed(w, "patientPerson", "PSN", NULL);
    xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
    write_names(w, &patient->names);
    for (size_t i = 0; i < patient->telecoms.n; i++) {
        xcpd_write_telecom(w, "telecom", &patient->telecoms.items[i]);
    }
    if (patient->sex.n > 0) {
        xcpd_write_code(w, "administrativeGenderCode", patient->sex, HL7_GENDER_SYSTEM);
    }
    write_times(w, patient);
    for (size_t i = 0; i < patient->addresses.n; i++) {
        xcpd_write_address(w, "addr", &patient->addresses.items[i]);
    }
    if (patient->marital_status.value.n > 0) {
        xcpd_write_coded(w, "maritalStatusCode", &patient->marital_status);
    }
    if (patient->religion.value.n > 0) {
        xcpd_write_coded(w, "religiousAffiliationCode", &patient->religion);
    }
    write_coded_list(w, "raceCode", &patient->races);
    write_coded_list(w, "ethnicGroupCode", &patient->ethnicities);
    write_other_ids(w, patient, own_ids);
    for (size_t i = 0; i < missing->n; i++) {
        write_scoped(w, "PAT", &no_id, missing->items[i]);
    }
    write_mothers(w, &patient->mothers_maiden_names);
    write_birth_place(w, patient);
    write_languages(w, &patient->languages);
    xmlw_end(w);
}
