/*
 * Reads patientPerson of an answer (PRPA_MT201310UV02.Person). Called by the readers of ITI-55,
 * ITI-47 and ITI-45; any thread; facts are copied to the reader's arena. What is null or says
 * nothing is left out; what nobody here uses (employers, guardians) is passed over.
 */
#include "soap/xcpd_parts.h"

/* BL: true, false, or not said. */
static enum patient_flag
read_flag(const xmlNode *node)
{
    const struct span value = xcpd_attr(node, "value");
    if (span_eq_cstr(value, "true") || span_eq_cstr(value, "1")) {
        return PATIENT_YES;
    }
    return span_eq_cstr(value, "false") || span_eq_cstr(value, "0") ? PATIENT_NO : PATIENT_UNSAID;
}

static struct status
add_code(const struct xcpd_reader *reader, const xmlNode *node, struct code_list *codes)
{
    struct code code;
    TRY(xcpd_read_code(reader, node, &code));
    return code.value.n == 0 ? OK : ARENA_PUSH(reader->arena, reader->diag, codes, code);
}

/* What is common: names, times, codes. False in *ret_is_known when it is none of them. */
static struct status
read_simple(const struct xcpd_reader *reader, const xmlNode *child, struct patient *patient,
            bool *ret_is_known)
{
    *ret_is_known = true;
    if (xml_is(child, NS_HL7, "name")) {
        return xcpd_add_name(reader, child, &patient->names);
    }
    if (xml_is(child, NS_HL7, "addr")) {
        return xcpd_add_address(reader, child, &patient->addresses);
    }
    if (xml_is(child, NS_HL7, "telecom")) {
        return xcpd_add_telecom(reader, child, &patient->telecoms);
    }
    if (xml_is(child, NS_HL7, "birthTime")) {
        return xcpd_read_time(reader, child, &patient->birth_time);
    }
    if (xml_is(child, NS_HL7, "administrativeGenderCode")) {
        patient->sex = xcpd_read_sex(child);
        return OK;
    }
    if (xml_is(child, NS_HL7, "deceasedInd")) {
        patient->deceased = read_flag(child);
        return OK;
    }
    if (xml_is(child, NS_HL7, "deceasedTime")) {
        return xcpd_read_time(reader, child, &patient->deceased_time);
    }
    if (xml_is(child, NS_HL7, "multipleBirthInd")) {
        patient->multiple_birth = read_flag(child);
        return OK;
    }
    *ret_is_known = false;
    return OK;
}

static struct status
read_coded(const struct xcpd_reader *reader, const xmlNode *child, struct patient *patient)
{
    if (xml_is(child, NS_HL7, "multipleBirthOrderNumber")) {
        unsigned order = 0;
        patient->birth_order = xcpd_read_number(child, &order) ? order : 0;
        return OK;
    }
    if (xml_is(child, NS_HL7, "maritalStatusCode")) {
        return xcpd_read_code(reader, child, &patient->marital_status);
    }
    if (xml_is(child, NS_HL7, "religiousAffiliationCode")) {
        return xcpd_read_code(reader, child, &patient->religion);
    }
    if (xml_is(child, NS_HL7, "raceCode")) {
        return add_code(reader, child, &patient->races);
    }
    if (xml_is(child, NS_HL7, "ethnicGroupCode")) {
        return add_code(reader, child, &patient->ethnicities);
    }
    return xml_is(child, NS_HL7, "languageCommunication")
               ? add_code(reader, xcpd_child(child, "languageCode"), &patient->languages)
               : OK;
}

/* The scope is noted where it says more than the id itself. */
static struct status
note_scope(const struct xcpd_reader *reader, const xmlNode *other, struct span organization,
           struct patient *patient)
{
    struct id_scope scope = {.id = patient->ids.n - 1};
    const struct span root = patient->ids.items[scope.id].root;
    const struct span class_code = xcpd_attr(other, "classCode");
    if (organization.n > 0 && !span_eq(organization, root)) {
        TRY(xcpd_keep(reader, organization, &scope.organization));
    }
    if (!span_eq_cstr(class_code, span_eq_cstr(root, SSN_ROOT) ? "CIT" : "PAT")) {
        TRY(xcpd_keep(reader, class_code, &scope.class_code));
    }
    return scope.organization.n == 0 && scope.class_code.n == 0
               ? OK
               : ARENA_PUSH(reader->arena, reader->diag, &patient->scopes, scope);
}

/* asOtherIDs; a scope whose id is null has none for this patient (ITI TF-2 3.47.4.2.2). */
static struct status
read_other_ids(const struct xcpd_reader *reader, const xmlNode *other, struct patient *patient,
               struct span_list *missing)
{
    const xmlNode *const organization = xcpd_child(other, "scopingOrganization");
    struct span root = xcpd_attr(xcpd_child(organization, "id"), "root");
    const size_t before = patient->ids.n;
    for (const xmlNode *id = xcpd_child(other, "id"); id != NULL; id = xcpd_next(id, "id")) {
        const size_t n = patient->ids.n;
        TRY(xcpd_add_ident(reader, id, &patient->ids));
        if (patient->ids.n > n) {
            TRY(note_scope(reader, other, root, patient));
        }
    }
    if (patient->ids.n > before || root.n == 0 || missing == NULL) {
        return OK;
    }
    TRY(xcpd_keep(reader, root, &root));
    return ARENA_PUSH(reader->arena, reader->diag, missing, root);
}

static struct status
read_mother(const struct xcpd_reader *reader, const xmlNode *relationship, struct patient *patient)
{
    const xmlNode *const holder = xcpd_child(relationship, "relationshipHolder1");
    if (!span_eq_cstr(xcpd_attr(xcpd_child(relationship, "code"), "code"), "MTH")) {
        return OK;
    }
    for (const xmlNode *name = xcpd_child(holder, "name"); name != NULL;
         name = xcpd_next(name, "name")) {
        TRY(xcpd_add_name(reader, name, &patient->mothers_maiden_names));
    }
    return OK;
}

static struct status
read_birth_place(const struct xcpd_reader *reader, const xmlNode *place, struct patient *patient)
{
    const xmlNode *const address = xcpd_child(place, "addr");
    const xmlNode *const name = xcpd_child(xcpd_child(place, "birthplace"), "name");
    if (address != NULL) {
        TRY(xcpd_add_address(reader, address, &patient->birth_place_addresses));
    }
    struct span text = SPAN_EMPTY;
    if (name != NULL) {
        TRY(xcpd_read_part(reader, xml_first(name) == NULL ? name : xml_first(name), &text));
    }
    return text.n == 0 ? OK
                       : ARENA_PUSH(reader->arena, reader->diag, &patient->birth_place_names, text);
}

struct status
xcpd_read_person(const struct xcpd_reader *reader, const xmlNode *person, struct patient *patient,
                 struct span_list *missing)
{
    for (const xmlNode *child = xml_first(person); child != NULL; child = xml_next(child)) {
        bool is_known = false;
        TRY(read_simple(reader, child, patient, &is_known));
        if (is_known) {
            continue;
        }
        TRY(read_coded(reader, child, patient));
        if (xml_is(child, NS_HL7, "asOtherIDs")) {
            TRY(read_other_ids(reader, child, patient, missing));
        } else if (xml_is(child, NS_HL7, "personalRelationship")) {
            TRY(read_mother(reader, child, patient));
        } else if (xml_is(child, NS_HL7, "birthPlace")) {
            TRY(read_birth_place(reader, child, patient));
        }
    }
    return OK;
}
