/*
 * What few headers of C-CDA documents say of their patient: birth, death, the mother's maiden name,
 * principal care providers, and the codes that are for people only. Called by ccda.c within one
 * ccda_read, whose arena owns what is read. Sources: CDA R2 and its SDTC extensions, US Realm
 * Header of C-CDA R2.1.
 */
#include "soap/ccda_parts.h"

#define PARTICIPATION_FUNCTION "2.16.840.1.113883.5.88"
#define PROVIDER_ROLE          "2.16.840.1.113883.12.443" /* HL7 V2 table 0443 */

/* BL: true, false, or not said. */
static enum patient_flag
read_flag(struct ccda_reader *r, const xmlNode *node)
{
    const struct span value = ccda_attribute(r, node, "value");

    if (span_eq_cstr(value, "true") || span_eq_cstr(value, "1")) {
        return PATIENT_YES;
    }
    return span_eq_cstr(value, "false") || span_eq_cstr(value, "0") ? PATIENT_NO : PATIENT_UNSAID;
}

/* A time of death is a death, and a place in the order a multiple birth, unless the header says the
 * contrary beside it: then nobody knows, and the indicator stands. */
static void
read_birth_and_death(struct ccda_reader *r, const xmlNode *person, struct patient *patient)
{
    const struct span time = ccda_attribute(r, ccda_extension(person, "deceasedTime"), "value");
    const struct span order =
        ccda_attribute(r, ccda_extension(person, "multipleBirthOrderNumber"), "value");
    uint64_t number = 0;

    patient->deceased = read_flag(r, ccda_extension(person, "deceasedInd"));
    if (time.n > 0 && patient->deceased != PATIENT_NO) {
        patient->deceased = PATIENT_YES;
        patient->deceased_time = time;
    }
    patient->multiple_birth = read_flag(r, ccda_extension(person, "multipleBirthInd"));
    if (span_to_u64(order, PATIENT_BIRTH_ORDER_MAX, &number) && number > 0 &&
        patient->multiple_birth != PATIENT_NO) {
        patient->multiple_birth = PATIENT_YES;
        patient->birth_order = (unsigned)number;
    }
}

static void
read_birth_place(struct ccda_reader *r, const xmlNode *person, struct patient *patient)
{
    const xmlNode *const place = ccda_path(person, "birthplace", "place", NULL);
    const struct span name = ccda_child_text(r, place, "name");

    if (name.n > 0) {
        CCDA_PUSH(r, &patient->birth_place_names, name);
    }
    ccda_addresses(r, place, &patient->birth_place_addresses);
}

static void
read_codes(struct ccda_reader *r, const xmlNode *node, struct code_list *codes)
{
    for (; node != NULL; node = ccda_next(node)) {
        const struct code code = ccda_read_code(r, node);

        if (code.value.n > 0) {
            CCDA_PUSH(r, codes, code);
        }
    }
}

/* languageCode has no code system: it is a word of RFC 5646, or was meant as one. */
static void
read_languages(struct ccda_reader *r, const xmlNode *person, struct code_list *languages)
{
    const xmlNode *node = ccda_child(person, "languageCommunication");

    for (; node != NULL; node = ccda_next(node)) {
        const struct code code = {ccda_attribute(r, ccda_child(node, "languageCode"), "code"),
                                  SPAN_EMPTY, SPAN_EMPTY};

        if (code.value.n > 0) {
            CCDA_PUSH(r, languages, code);
        }
    }
}

/* The mother is a participant of the header. What she is called now says nothing of what she was
 * called before: only a family name at birth (qualifier BR) is her maiden name. */
static void
read_mothers(struct ccda_reader *r, const xmlNode *root, struct name_list *maiden_names)
{
    const xmlNode *node = ccda_child(root, "participant");

    for (; node != NULL; node = ccda_next(node)) {
        const xmlNode *const entity = ccda_child(node, "associatedEntity");
        const struct span code = ccda_attribute(r, ccda_child(entity, "code"), "code");
        const xmlNode *name = ccda_path(entity, "associatedPerson", "name", NULL);

        if (!span_eq_cstr(code, "MTH") && !span_eq_cstr(code, "NMTH")) {
            continue;
        }
        for (; name != NULL; name = ccda_next(name)) {
            struct person_name mother = {.family = ccda_birth_family(r, name)};

            ccda_given_names(r, name, &mother.given);
            if (mother.family.n > 0) {
                CCDA_PUSH(r, maiden_names, mother);
            }
        }
    }
}

/* Two code systems are in use for the function of a performer, and each has its own word. */
static bool
is_principal_care_provider(struct ccda_reader *r, const xmlNode *performer)
{
    const struct code function = ccda_read_code(r, ccda_child(performer, "functionCode"));

    return (span_eq_cstr(function.scheme, PARTICIPATION_FUNCTION) &&
            span_eq_cstr(function.value, "PCP")) ||
           (span_eq_cstr(function.scheme, PROVIDER_ROLE) && span_eq_cstr(function.value, "PP"));
}

static void
read_care_providers(struct ccda_reader *r, const xmlNode *root, struct ident_list *ids)
{
    const xmlNode *event = ccda_child(root, "documentationOf");

    for (; event != NULL; event = ccda_next(event)) {
        const xmlNode *performer = ccda_path(event, "serviceEvent", "performer", NULL);

        for (; performer != NULL; performer = ccda_next(performer)) {
            if (is_principal_care_provider(r, performer)) {
                ccda_ids(r, ccda_child(performer, "assignedEntity"), ids);
            }
        }
    }
}

void
ccda_details(struct ccda_reader *r, const xmlNode *root, struct patient *patient)
{
    const xmlNode *const person = ccda_path(root, "recordTarget", "patientRole", "patient", NULL);

    read_birth_and_death(r, person, patient);
    read_birth_place(r, person, patient);
    patient->marital_status = ccda_read_code(r, ccda_child(person, "maritalStatusCode"));
    patient->religion = ccda_read_code(r, ccda_child(person, "religiousAffiliationCode"));
    read_codes(r, ccda_child(person, "raceCode"), &patient->races);
    read_codes(r, ccda_extension(person, "raceCode"), &patient->races);
    read_codes(r, ccda_child(person, "ethnicGroupCode"), &patient->ethnicities);
    read_codes(r, ccda_extension(person, "ethnicGroupCode"), &patient->ethnicities);
    read_languages(r, person, &patient->languages);
    read_mothers(r, root, &patient->mothers_maiden_names);
    read_care_providers(r, root, &patient->care_providers);
}
