/*
 * The coded metadata of a C-CDA header, and what stands for it where the header says nothing. Each
 * default is listed in ccda.assumed and explained in gateway/store/README.md. Called by ccda.c
 * within one ccda_read.
 */
#include "soap/ccda_parts.h"

#define LOINC           "2.16.840.1.113883.6.1"
#define CONFIDENTIALITY "2.16.840.1.113883.5.25"
#define IHE_FORMATS     "1.3.6.1.4.1.19376.1.2.3"

#define US_REALM_HEADER "2.16.840.1.113883.10.20.22.1.1"
#define RELEASE_2_1     "2015-08-01" /* extension of templateIds of C-CDA R2.1 */

/* Document types (LOINC) and the class to which each belongs. A class is a type of the HITSP C80
 * document class value set; a type outside of this table is its own class. */
static const struct class_row {
    const char *type, *class_code, *class_display;
} classes[] = {
    {"34133-9", "34133-9", "Summarization of episode note"},
    {"60591-5", "34133-9", "Summarization of episode note"}, /* patient summary */
    {"18842-5", "18842-5", "Discharge summary"},
    {"11490-0", "18842-5", "Discharge summary"}, /* by a physician */
    {"28655-9", "18842-5", "Discharge summary"}, /* by the attending physician */
    {"34105-7", "18842-5", "Discharge summary"}, /* of a hospital */
    {"11488-4", "11488-4", "Consult note"},
    {"34117-2", "34117-2", "History and physical note"},
    {"47039-3", "34117-2", "History and physical note"}, /* at admission */
    {"11506-3", "11506-3", "Progress note"},
    {"28570-0", "28570-0", "Procedure note"},
    {"11504-8", "11504-8", "Surgical operation note"},
    {"18748-4", "18748-4", "Diagnostic imaging study"},
    {"18726-0", "18748-4", "Diagnostic imaging study"}, /* radiology studies */
    {"34109-9", "34109-9", "Evaluation and management note"},
    {"18761-7", "18761-7", "Transfer summary note"},
    {"57133-1", "57133-1", "Referral note"},
    {"34140-4", "57133-1", "Referral note"}, /* transfer of care */
    {"18776-5", "18776-5", "Plan of care note"},
    {"34748-4", "34748-4", "Telephone encounter note"},
    {"34111-5", "34109-9", "Evaluation and management note"}, /* emergency department */
    {"11502-2", "26436-6", "Laboratory studies"},             /* laboratory report */
};

static void
assume(struct ccda_reader *r, struct ccda *ccda, const char *name)
{
    CCDA_PUSH(r, &ccda->assumed, span_of_cstr(name));
}

static const struct class_row *
find_class(const struct code *type)
{
    for (size_t i = 0; i < ARRAY_LEN(classes); i++) {
        if (span_eq(type->scheme, SPAN(LOINC)) && span_eq_cstr(type->value, classes[i].type)) {
            return &classes[i];
        }
    }
    return NULL;
}

static void
set_type_and_class(struct ccda_reader *r, const xmlNode *root, struct document_entry *entry)
{
    struct code type = ccda_code(r, root, "code");
    const struct class_row *row = find_class(&type);

    if (type.display.n == 0) {
        type.display = row == NULL ? type.value : span_of_cstr(row->class_display);
    }
    entry->type_code = type;
    entry->class_code = type;
    if (row != NULL) {
        entry->class_code = (struct code){span_of_cstr(row->class_code), SPAN(LOINC),
                                          span_of_cstr(row->class_display)};
    }
}

static struct span
confidentiality_display(struct span code)
{
    static const struct {
        const char *code, *display;
    } rows[] = {{"N", "Normal"}, {"R", "Restricted"}, {"V", "Very restricted"},
                {"L", "Low"},    {"M", "Moderate"},   {"U", "Unrestricted"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (span_eq_cstr(code, rows[i].code)) {
            return span_of_cstr(rows[i].display);
        }
    }
    return code;
}

static void
set_confidentiality(struct ccda_reader *r, const xmlNode *root, struct ccda *ccda)
{
    struct code code = ccda_code(r, root, "confidentialityCode");

    if (code.value.n == 0) {
        code = (struct code){SPAN("N"), SPAN(CONFIDENTIALITY), SPAN_EMPTY};
        assume(r, ccda, "confidentialityCode");
    }
    if (code.display.n == 0) {
        code.display = confidentiality_display(code.value);
    }
    CCDA_PUSH(r, &ccda->entry.confidentiality, code);
}

/* The US realm header's template and its extension say which release the document follows; that of
 * 2014 (R2.0) has no format code of its own. */
static void
set_format(struct ccda_reader *r, const xmlNode *root, bool is_unstructured, struct ccda *ccda)
{
    bool is_1_1 = false, is_2_1 = false;
    const xmlNode *node = ccda_child(root, "templateId");

    for (; node != NULL; node = ccda_next(node)) {
        const struct span extension = ccda_attribute(r, node, "extension");

        if (span_eq(ccda_attribute(r, node, "root"), SPAN(US_REALM_HEADER))) {
            is_1_1 |= extension.n == 0;
            is_2_1 |= span_eq(extension, SPAN(RELEASE_2_1));
        }
    }
    const char *release = is_2_1 ? "2.1" : "1.1"; /* R2.1 documents may carry both */
    struct code *format = &ccda->entry.format_code;

    if (!is_1_1 && !is_2_1) {
        *format = DOCUMENT_ANY_FORMAT;
        assume(r, ccda, "formatCode");
        return;
    }
    format->scheme = SPAN(IHE_FORMATS);
    format->value = ccda_printf(r, "urn:hl7-org:sdwg:ccda-%s:%s",
                                is_unstructured ? "nonXMLBody" : "structuredBody", release);
    format->display =
        ccda_printf(r, "C-CDA R%s %s body", release, is_unstructured ? "non-XML" : "structured");
}

static void
set_facility(struct ccda_reader *r, const xmlNode *root, struct ccda *ccda)
{
    struct code *facility = &ccda->entry.facility_type;

    *facility = ccda_code(r,
                          ccda_path(root, "componentOf", "encompassingEncounter", "location",
                                    "healthCareFacility", NULL),
                          "code");
    if (facility->value.n == 0) {
        *facility = DOCUMENT_ANY_FACILITY;
        assume(r, ccda, "healthcareFacilityTypeCode");
    }
    if (facility->display.n == 0) {
        facility->display = facility->value;
    }
}

/* No element of a C-CDA header says it. */
static void
set_practice(struct ccda_reader *r, struct ccda *ccda)
{
    ccda->entry.practice_setting = DOCUMENT_ANY_PRACTICE;
    assume(r, ccda, "practiceSettingCode");
}

/* The acts that the document is about (IHE PCC: documentationOf/serviceEvent/code). */
static void
set_events(struct ccda_reader *r, const xmlNode *root, struct document_entry *entry)
{
    const xmlNode *node = ccda_child(root, "documentationOf");

    for (; node != NULL; node = ccda_next(node)) {
        struct code code = ccda_code(r, ccda_child(node, "serviceEvent"), "code");

        if (code.value.n > 0) {
            code.display = code.display.n > 0 ? code.display : code.value;
            CCDA_PUSH(r, &entry->event_codes, code);
        }
    }
}

static void
set_language(struct ccda_reader *r, const xmlNode *root, struct ccda *ccda)
{
    ccda->entry.language = ccda_attribute(r, ccda_child(root, "languageCode"), "code");
    if (ccda->entry.language.n == 0) {
        ccda->entry.language = DOCUMENT_ANY_LANGUAGE;
        assume(r, ccda, "languageCode");
    }
}

void
ccda_codes(struct ccda_reader *r, const xmlNode *root, bool is_unstructured, struct ccda *ccda)
{
    set_type_and_class(r, root, &ccda->entry);
    set_confidentiality(r, root, ccda);
    set_format(r, root, is_unstructured, ccda);
    set_facility(r, root, ccda);
    set_practice(r, ccda);
    set_events(r, root, &ccda->entry);
    set_language(r, root, ccda);
}
