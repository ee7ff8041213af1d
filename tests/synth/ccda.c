/*
 * The header of a synthetic C-CDA document, after the US Realm Header template (C-CDA R2.1):
 * recordTarget with every id and name of the registration, author, custodian, documentationOf and
 * encompassingEncounter. Called by generate.c.
 */
#include "tests/synth/ccda.h"

#include <stdio.h>

#define LOINC           "2.16.840.1.113883.6.1"
#define CONFIDENTIALITY "2.16.840.1.113883.5.25"
#define SSN_ROOT        "2.16.840.1.113883.4.1"
#define GENDER          "2.16.840.1.113883.5.1"

const struct ccda_kind ccda_kinds[] = {
    {"34133-9", "Summarization of Episode Note", "Continuity of Care Document",
     "2.16.840.1.113883.10.20.22.1.2"},
    {"18842-5", "Discharge Summary", "Hospital Discharge Summary",
     "2.16.840.1.113883.10.20.22.1.8"},
    {"11506-3", "Progress Note", "Progress Note", "2.16.840.1.113883.10.20.22.1.9"},
    {"11488-4", "Consultation Note", "Consultation Note", "2.16.840.1.113883.10.20.22.1.4"},
    {"34117-2", "History and Physical Note", "History and Physical",
     "2.16.840.1.113883.10.20.22.1.3"},
};
const size_t ccda_kinds_n = ARRAY_LEN(ccda_kinds);

static const char *const doctor_given[] = {"Adele", "Bruno", "Celia", "Dorian", "Elise", "Florian"};
static const char *const doctor_family[] = {"Ashworth", "Brightwell", "Copperfield",
                                            "Dunmore",  "Everhart",   "Fairbanks"};

struct header {
    struct xmlw *w;
    struct random *random;
    const struct world_document *document;
    const struct world_registration *registration;
    const struct world_community *community;
    char day[40];   /* YYYYMMDD of the document */
    char time[80];  /* ... with time and zone */
    char start[40]; /* first day of the service */
    char doctor_id[24];
    const char *doctor_given, *doctor_family;
};

static void
write_value(struct xmlw *w, const char *qname, const char *value)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "value", value);
    xmlw_end(w);
}

static void
write_id(struct xmlw *w, struct span root, struct span extension)
{
    xmlw_start(w, "id");
    xmlw_attr(w, "root", root);
    if (extension.n > 0) {
        xmlw_attr(w, "extension", extension);
    }
    xmlw_end(w);
}

static void
write_code(struct xmlw *w, const char *qname, const char *code, const char *system,
           const char *display)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "code", code);
    xmlw_attr_cstr(w, "codeSystem", system);
    if (display != NULL) {
        xmlw_attr_cstr(w, "displayName", display);
    }
    xmlw_end(w);
}

static void
write_template(struct xmlw *w, const char *root)
{
    xmlw_start(w, "templateId");
    xmlw_attr_cstr(w, "root", root);
    xmlw_attr_cstr(w, "extension", "2015-08-01");
    xmlw_end(w);
}

static void
write_address(struct xmlw *w, struct span street, const struct names_town *town)
{
    xmlw_start(w, "addr");
    xmlw_attr_cstr(w, "use", "HP");
    xmlw_element(w, "streetAddressLine", street);
    xmlw_element(w, "city", span_of_cstr(town->city));
    xmlw_element(w, "state", span_of_cstr(town->state));
    xmlw_element(w, "postalCode", span_of_cstr(town->postal_code));
    xmlw_element(w, "country", SPAN("US"));
    xmlw_end(w);
}

static void
write_telecom(struct xmlw *w, const char *use, struct span value)
{
    xmlw_start(w, "telecom");
    xmlw_attr_cstr(w, "use", use);
    xmlw_attr(w, "value", value);
    xmlw_end(w);
}

static void
write_start(struct header *h)
{
    const struct ccda_kind *kind = &ccda_kinds[h->document->kind];
    struct xmlw *w = h->w;

    xmlw_declaration(w);
    xmlw_start(w, "ClinicalDocument");
    xmlw_attr_cstr(w, "xmlns", "urn:hl7-org:v3");
    xmlw_attr_cstr(w, "xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance");
    xmlw_start(w, "realmCode");
    xmlw_attr_cstr(w, "code", "US");
    xmlw_end(w);
    xmlw_start(w, "typeId");
    xmlw_attr_cstr(w, "root", "2.16.840.1.113883.1.3");
    xmlw_attr_cstr(w, "extension", "POCD_HD000040");
    xmlw_end(w);
    write_template(w, "2.16.840.1.113883.10.20.22.1.1");
    write_template(w, kind->template);
    write_id(w, h->document->id_root, h->document->id_extension);
    write_code(w, "code", kind->code, LOINC, kind->display);
    xmlw_element(w, "title", span_of_cstr(kind->title));
    write_value(w, "effectiveTime", h->time);
    write_code(w, "confidentialityCode", h->document->confidentiality, CONFIDENTIALITY, NULL);
    xmlw_start(w, "languageCode");
    xmlw_attr_cstr(w, "code", "en-US");
    xmlw_end(w);
    xmlw_text_cstr(w, "\n");
}

static void
write_name(struct xmlw *w, const char *use, struct span family,
           const struct world_identity *identity)
{
    xmlw_start(w, "name");
    xmlw_attr_cstr(w, "use", use);
    xmlw_element(w, "given", identity->given);
    if (identity->further.n > 0) {
        xmlw_element(w, "given", identity->further);
    }
    xmlw_element(w, "family", family);
    xmlw_end(w);
}

static void
write_patient(struct xmlw *w, const struct world_identity *who)
{
    xmlw_start(w, "patient");
    write_name(w, "L", who->family, who);
    if (who->birth_family.n > 0) {
        write_name(w, "BR", who->birth_family, who);
    }
    xmlw_start(w, "administrativeGenderCode");
    if (who->sex.n > 0) {
        xmlw_attr(w, "code", who->sex);
        xmlw_attr_cstr(w, "codeSystem", GENDER);
    } else {
        xmlw_attr_cstr(w, "nullFlavor", "UNK");
    }
    xmlw_end(w);
    xmlw_start(w, "birthTime");
    xmlw_attr(w, "value", who->birth);
    xmlw_end(w);
    xmlw_start(w, "raceCode");
    xmlw_attr_cstr(w, "nullFlavor", "ASKU");
    xmlw_end(w);
    xmlw_start(w, "ethnicGroupCode");
    xmlw_attr_cstr(w, "nullFlavor", "ASKU");
    xmlw_end(w);
    xmlw_end(w);
}

static void
write_organization(struct header *h, const char *qname)
{
    struct xmlw *w = h->w;
    char name[64];

    (void)snprintf(name, sizeof(name), "%.*s synthetic hospital", SPAN_PRINT(h->community->name));
    xmlw_start(w, qname);
    write_id(w, h->community->oid, SPAN_EMPTY);
    xmlw_element(w, "name", span_of_cstr(name));
    write_telecom(w, "WP", SPAN("tel:+1(555)555-0100"));
    write_address(w, SPAN("1 Hospital Way"), &names_towns[0]);
    xmlw_end(w);
}

static void
write_record_target(struct header *h)
{
    const struct world_identity *who = &h->registration->identity;
    struct xmlw *w = h->w;
    char root[48];

    (void)snprintf(root, sizeof(root), "%.*s.10", SPAN_PRINT(h->community->oid));
    xmlw_start(w, "recordTarget");
    xmlw_start(w, "patientRole");
    write_id(w, span_of_cstr(root), who->record_number);
    if (who->ssn.n > 0) {
        write_id(w, SPAN(SSN_ROOT), who->ssn);
    }
    write_address(w, who->street, who->town);
    write_telecom(w, "HP", who->phone);
    write_patient(w, who);
    write_organization(h, "providerOrganization");
    xmlw_end(w);
    xmlw_end(w);
    xmlw_text_cstr(w, "\n");
}

static void
write_doctor(struct header *h, const char *qname, const char *person)
{
    struct xmlw *w = h->w;
    char root[48];

    (void)snprintf(root, sizeof(root), "%.*s.30", SPAN_PRINT(h->community->oid));
    xmlw_start(w, qname);
    write_id(w, span_of_cstr(root), span_of_cstr(h->doctor_id));
    write_address(w, SPAN("1 Hospital Way"), &names_towns[0]);
    write_telecom(w, "WP", SPAN("tel:+1(555)555-0101"));
    xmlw_start(w, person);
    xmlw_start(w, "name");
    xmlw_element(w, "given", span_of_cstr(h->doctor_given));
    xmlw_element(w, "family", span_of_cstr(h->doctor_family));
    xmlw_element(w, "suffix", SPAN("MD"));
    xmlw_end(w);
    xmlw_end(w);
    write_organization(h, "representedOrganization");
    xmlw_end(w);
}

static void
write_author_and_custodian(struct header *h)
{
    struct xmlw *w = h->w;

    xmlw_start(w, "author");
    write_value(w, "time", h->time);
    write_doctor(h, "assignedAuthor", "assignedPerson");
    xmlw_end(w);
    xmlw_text_cstr(w, "\n");
    xmlw_start(w, "custodian");
    xmlw_start(w, "assignedCustodian");
    write_organization(h, "representedCustodianOrganization");
    xmlw_end(w);
    xmlw_end(w);
    xmlw_text_cstr(w, "\n");
}

static void
write_period(struct header *h)
{
    xmlw_start(h->w, "effectiveTime");
    write_value(h->w, "low", h->start);
    write_value(h->w, "high", h->day);
    xmlw_end(h->w);
}

static void
write_service(struct header *h)
{
    struct xmlw *w = h->w;
    char root[48];

    xmlw_start(w, "documentationOf");
    xmlw_start(w, "serviceEvent");
    xmlw_attr_cstr(w, "classCode", "PCPR");
    write_period(h);
    xmlw_start(w, "performer");
    xmlw_attr_cstr(w, "typeCode", "PRF");
    write_doctor(h, "assignedEntity", "assignedPerson");
    xmlw_end(w);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_text_cstr(w, "\n");
    (void)snprintf(root, sizeof(root), "%.*s.40", SPAN_PRINT(h->community->oid));
    xmlw_start(w, "componentOf");
    xmlw_start(w, "encompassingEncounter");
    write_id(w, span_of_cstr(root), span_of_cstr(h->doctor_id));
    write_period(h);
    xmlw_end(w);
    xmlw_end(w);
    xmlw_text_cstr(w, "\n");
}

static void
set_times(struct header *h)
{
    static const char *const zones[] = {"-0500", "-0600", "-0700", "-0800", "+0000"};
    const struct world_document *document = h->document;
    const int minute = random_between(h->random, 0, 59);
    const int hour = random_between(h->random, 6, 20);

    (void)snprintf(h->day, sizeof(h->day), "%04d%02d%02d", document->year, document->month,
                   document->day);
    (void)snprintf(h->time, sizeof(h->time), "%s%02d%02d00%s", h->day, hour, minute,
                   RANDOM_PICK(h->random, zones));
    (void)snprintf(h->start, sizeof(h->start), "%04d%02d%02d", document->year, document->month,
                   random_between(h->random, 1, document->day));
}

struct status
ccda_write(const struct world *world, const struct world_document *document, struct buf *out,
           struct diag *diag)
{
    struct random random;
    struct xmlw w;
    const struct world_registration *registration =
        &world->registrations.items[document->registration];
    struct header header = {.w = &w,
                            .random = &random,
                            .document = document,
                            .registration = registration,
                            .community = &world->communities[registration->community]};

    random_init(&random, document->seed);
    set_times(&header);
    header.doctor_given = RANDOM_PICK(&random, doctor_given);
    header.doctor_family = RANDOM_PICK(&random, doctor_family);
    (void)snprintf(header.doctor_id, sizeof(header.doctor_id), "D%04d",
                   random_between(&random, 1, 9999));
    xmlw_init(&w, out, diag);
    write_start(&header);
    write_record_target(&header);
    write_author_and_custodian(&header);
    write_service(&header);
    ccda_write_body(&w, &random, document, document->least_bytes);
    xmlw_end(&w);
    xmlw_text_cstr(&w, "\n");
    return xmlw_finish(&w);
}
