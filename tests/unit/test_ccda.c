/*
 * The C-CDA reader: what it refuses, what it reads from documents made here, and facts of the real
 * ones (each verified by hand against the files with another XML parser).
 */
#include "soap/ccda.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

#define ROOT     "<ClinicalDocument xmlns=\"urn:hl7-org:v3\">"
#define ROOT_END "</ClinicalDocument>"
#define CODE     "<code code=\"34133-9\" codeSystem=\"2.16.840.1.113883.6.1\"/>"
#define TIME     "<effectiveTime value=\"20130701103445-0400\"/>"
#define PATIENT                                                                                    \
    "<recordTarget><patientRole><id root=\"2.999.5\" extension=\"1\"/><patient><name>"             \
    "<given>Ann</given><family>Jones</family></name><birthTime value=\"19470501\"/></patient>"     \
    "</patientRole></recordTarget>"
#define BODY "<component><structuredBody/></component>"

static struct arena *
new_arena(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    CU_ASSERT_FATAL(arena != NULL);
    return arena;
}

/* ---- refused ---- */

static const struct {
    const char *xml;
    enum err want;
} refused[] = {
    {"", ERR_XML_SYNTAX},
    {"%PDF-1.4", ERR_XML_SYNTAX},
    {ROOT, ERR_XML_SYNTAX},
    {ROOT CODE TIME PATIENT BODY "</Clinical>", ERR_XML_SYNTAX},
    {ROOT CODE TIME PATIENT "<component><b></component>" ROOT_END, ERR_XML_SYNTAX},
    {ROOT CODE TIME PATIENT "<component>&nbsp;</component>" ROOT_END, ERR_XML_SYNTAX},
    {ROOT CODE TIME PATIENT "<component>\xFF</component>" ROOT_END, ERR_XML_SYNTAX},
    {ROOT CODE TIME PATIENT BODY ROOT_END "<more/>", ERR_XML_SYNTAX},
    {"<!DOCTYPE ClinicalDocument>" ROOT CODE TIME PATIENT BODY ROOT_END, ERR_XML_DTD},
    {"<!DOCTYPE ClinicalDocument SYSTEM \"file:///etc/passwd\">" ROOT CODE TIME PATIENT BODY
         ROOT_END,
     ERR_XML_DTD},
    {"<!DOCTYPE x [<!ENTITY a \"b\">]>" ROOT CODE TIME PATIENT "<title>&a;</title>" ROOT_END,
     ERR_XML_DTD},
    {"<ClinicalDocument/>", ERR_DOCUMENT},
    {"<other xmlns=\"urn:hl7-org:v3\"/>", ERR_DOCUMENT},
    {ROOT CODE TIME BODY ROOT_END, ERR_DOCUMENT},
    {ROOT CODE TIME PATIENT PATIENT BODY ROOT_END, ERR_DOCUMENT},
    {ROOT CODE TIME "<recordTarget nullFlavor=\"UNK\"/>" BODY ROOT_END, ERR_DOCUMENT},
    {ROOT CODE TIME "<recordTarget><patientRole/></recordTarget>" BODY ROOT_END, ERR_DOCUMENT},
    {ROOT TIME PATIENT BODY ROOT_END, ERR_DOCUMENT},
    {ROOT TIME "<code code=\"34133-9\"/>" PATIENT BODY ROOT_END, ERR_DOCUMENT},
    {ROOT TIME "<code nullFlavor=\"UNK\"/>" PATIENT BODY ROOT_END, ERR_DOCUMENT},
    {ROOT CODE PATIENT BODY ROOT_END, ERR_DOCUMENT},
    {ROOT CODE "<effectiveTime value=\"July 2013\"/>" PATIENT BODY ROOT_END, ERR_DOCUMENT},
    {ROOT CODE "<effectiveTime nullFlavor=\"UNK\"/>" PATIENT BODY ROOT_END, ERR_DOCUMENT},
};

static void
documents_are_refused(void)
{
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct arena *arena = new_arena();
        struct ccda ccda = {.version = SPAN("untouched")};
        struct diag diag = {0};

        if (!CHECK_ERR(&diag, refused[i].want,
                       ccda_read(span_of_cstr(refused[i].xml), arena, &diag, &ccda))) {
            printf("      %s\n", refused[i].xml);
        }
        CHECK_SPAN(ccda.version, "untouched");
        arena_free(arena);
    }
}

/* Repeats <unit> between head and tail. */
static void
expect_limit(const char *head, const char *unit, size_t n, const char *tail)
{
    struct arena *arena = new_arena();
    struct buf xml;
    struct ccda ccda;
    struct diag diag = {0};

    buf_init(&xml, (size_t)64 * 1024 * 1024);
    CHECK_OK(&diag, buf_append_cstr(&xml, head, &diag));
    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, buf_append_cstr(&xml, unit, &diag));
    }
    CHECK_OK(&diag, buf_append_cstr(&xml, tail, &diag));
    CHECK_ERR(&diag, ERR_LIMIT_XML, ccda_read(buf_span(&xml), arena, &diag, &ccda));
    buf_done(&xml);
    arena_free(arena);
}

static void
limits_hold(void)
{
    struct arena *arena = new_arena();
    struct buf xml;
    struct ccda ccda;
    struct diag diag = {0};

    expect_limit(ROOT "<title>", "<a>", 200, "");
    expect_limit(ROOT "<component>", "<a>", 200, ""); /* the body has the same depth */
    expect_limit(ROOT, "<title/>", CCDA_HEADER_NODES, ROOT_END);
    buf_init(&xml, (size_t)64 * 1024);
    CHECK_OK(&diag, buf_append_cstr(&xml, ROOT "<title", &diag));
    for (int i = 0; i <= CCDA_ATTRIBUTES_MAX; i++) {
        CHECK_OK(&diag, buf_printf(&xml, &diag, " a%d=\"\"", i));
    }
    CHECK_OK(&diag, buf_append_cstr(&xml, "/>" ROOT_END, &diag));
    CHECK_ERR(&diag, ERR_LIMIT_XML, ccda_read(buf_span(&xml), arena, &diag, &ccda));
    buf_done(&xml);
    arena_free(arena);
}

/* No text of a refusal may hold what stands in the document. */
static void
reasons_hold_no_content(void)
{
    static const char *const xml[] = {
        ROOT CODE TIME PATIENT "<title>Secretname</title><a b=\"Secretname\"></c>",
        ROOT CODE TIME PATIENT "<title>Secretname</title>&Undefined;" ROOT_END,
        ROOT CODE TIME "<recordTarget>Secretname</recordTarget>" ROOT_END,
        ROOT CODE "<effectiveTime value=\"Secretname\"/>" PATIENT ROOT_END,
        ROOT CODE TIME PATIENT "<id root=\"Secretname",
    };

    for (size_t i = 0; i < ARRAY_LEN(xml); i++) {
        struct arena *arena = new_arena();
        struct ccda ccda;
        struct diag diag = {0};

        CU_ASSERT(!is_ok(ccda_read(span_of_cstr(xml[i]), arena, &diag, &ccda)));
        CU_ASSERT(strstr(diag.text, "Secretname") == NULL);
        arena_free(arena);
    }
}

static void
documents_are_recognised(void)
{
    static const struct {
        const char *bytes;
        bool want;
    } rows[] = {
        {"", false},
        {"%PDF-1.4", false},
        {"<html/>", false},
        {"<ClinicalDocument/>", false},
        {"<!DOCTYPE html><html/>", false},
        {"<a>" ROOT ROOT_END "</a>", false},
        {ROOT ROOT_END, true},
        {ROOT, true}, /* refused later, with its reason */
        {"<!DOCTYPE ClinicalDocument>" ROOT ROOT_END, true},
        {"\xEF\xBB\xBF<?xml version=\"1.0\"?><?xml-stylesheet href=\"a\"?><!-- b -->" ROOT, true},
        {"<c:ClinicalDocument xmlns:c=\"urn:hl7-org:v3\"/>", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        CU_ASSERT(ccda_is_recognised(span_of_cstr(rows[i].bytes)) == rows[i].want);
    }
}

/* ---- read ---- */

static struct ccda
read_ok(struct arena *arena, const char *xml)
{
    struct ccda ccda = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, ccda_read(span_of_cstr(xml), arena, &diag, &ccda));
    return ccda;
}

static bool
has_text(const struct span_list *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++) {
        if (span_eq_cstr(list->items[i], text)) {
            return true;
        }
    }
    return false;
}

static void
a_bare_header_gets_defaults(void)
{
    struct arena *arena = new_arena();
    const struct ccda ccda = read_ok(arena, ROOT CODE TIME PATIENT BODY ROOT_END);
    const struct document_entry *entry = &ccda.entry;

    CHECK_SPAN(entry->mime_type, "text/xml");
    CHECK_SPAN(entry->object_type, DOCUMENT_STABLE);
    CHECK_SPAN(entry->creation_time, "20130701143445");
    CHECK_SPAN(entry->type_code.value, "34133-9");
    CHECK_SPAN(entry->type_code.display, "Summarization of episode note");
    CHECK_SPAN(entry->title, "Summarization of episode note");
    CHECK_SPAN(entry->language, "und");
    CHECK_SPAN(entry->format_code.value, "urn:ihe:iti:xds:2017:mimeTypeSufficient");
    CHECK_SPAN(entry->facility_type.value, "394777002");
    CHECK_SPAN(entry->practice_setting.value, "394658006");
    CU_ASSERT_FATAL(entry->confidentiality.n == 1);
    CHECK_SPAN(entry->confidentiality.items[0].value, "N");
    CHECK_SPAN(entry->confidentiality.items[0].display, "Normal");
    CU_ASSERT(has_text(&ccda.assumed, "languageCode"));
    CU_ASSERT(has_text(&ccda.assumed, "formatCode"));
    CU_ASSERT(has_text(&ccda.assumed, "confidentialityCode"));
    CU_ASSERT(has_text(&ccda.assumed, "healthcareFacilityTypeCode"));
    CU_ASSERT(has_text(&ccda.assumed, "practiceSettingCode"));
    CU_ASSERT(entry->unique_id.n == 0);
    CU_ASSERT(ccda.header_id.n == 0);
    CU_ASSERT(entry->authors.n == 0);
    CU_ASSERT(entry->service_start.n == 0 && entry->service_stop.n == 0);
    arena_free(arena);
}

static void
metadata_is_read(void)
{
    struct arena *arena = new_arena();
    const struct ccda ccda = read_ok(
        arena, ROOT
        "<templateId root=\"2.16.840.1.113883.10.20.22.1.1\" extension=\"2015-08-01\"/>"
        "<templateId root=\"2.16.840.1.113883.10.20.22.1.1\"/>"
        "<id root=\"2.999.7\" extension=\"A 1\"/><setId root=\"2.999.8\"/>"
        "<versionNumber value=\"3\"/>"
        "<code nullFlavor=\"OTH\"><translation code=\"11490-0\" "
        "codeSystem=\"2.16.840.1.113883.6.1\" displayName=\"Discharge\"/></code>"
        "<title>\n  Two\t lines<!-- c -->\n &amp; <![CDATA[<more>]]> </title>"
        "<effectiveTime><low value=\"20130701\"/></effectiveTime>"
        "<confidentialityCode code=\"R\" codeSystem=\"2.16.840.1.113883.5.25\"/>"
        "<languageCode code=\"es-US\"/>" PATIENT
        "<documentationOf><serviceEvent><effectiveTime><low value=\"201307010930-05\"/>"
        "<high nullFlavor=\"UNK\" value=\"2015\"/></effectiveTime></serviceEvent></documentationOf>"
        "<documentationOf><serviceEvent>"
        "<code code=\"99213\" codeSystem=\"2.16.840.1.113883.6.12\"/>"
        "<effectiveTime value=\"20130630\"/></serviceEvent></documentationOf>"
        "<componentOf><encompassingEncounter><location><healthCareFacility>"
        "<code code=\"HOSP\" codeSystem=\"2.16.840.1.113883.5.111\" displayName=\"Hospital\"/>"
        "</healthCareFacility></location></encompassingEncounter></componentOf>"
        "<component><nonXMLBody><text mediaType=\"application/pdf\">JVBERi0=</text></nonXMLBody>"
        "</component>" ROOT_END);
    const struct document_entry *entry = &ccda.entry;

    CHECK_SPAN(ccda.header_id, "2.999.7^A 1");
    CHECK_SPAN(entry->unique_id, "2.999.7^A 1");
    CHECK_SPAN(ccda.set_id, "2.999.8");
    CHECK_SPAN(ccda.version, "3");
    CHECK_SPAN(entry->title, "Two lines & <more>");
    CHECK_SPAN(entry->creation_time, "20130701");
    CHECK_SPAN(entry->service_start, "20130630");
    CHECK_SPAN(entry->service_stop, "20130630");
    CHECK_SPAN(entry->language, "es-US");
    CHECK_SPAN(entry->type_code.value, "11490-0");
    CHECK_SPAN(entry->type_code.display, "Discharge");
    CHECK_SPAN(entry->class_code.value, "18842-5");
    CHECK_SPAN(entry->format_code.value, "urn:hl7-org:sdwg:ccda-nonXMLBody:2.1");
    CHECK_SPAN(entry->format_code.scheme, "1.3.6.1.4.1.19376.1.2.3");
    CHECK_SPAN(entry->facility_type.value, "HOSP");
    CHECK_SPAN(entry->confidentiality.items[0].display, "Restricted");
    CU_ASSERT_FATAL(entry->event_codes.n == 1);
    CHECK_SPAN(entry->event_codes.items[0].value, "99213");
    CHECK_SPAN(entry->event_codes.items[0].display, "99213");
    CU_ASSERT(ccda.assumed.n == 1 && has_text(&ccda.assumed, "practiceSettingCode"));
    arena_free(arena);
}

static const struct {
    const char *templates, *want;
} formats[] = {
    {"<templateId root=\"2.16.840.1.113883.10.20.22.1.1\"/>",
     "urn:hl7-org:sdwg:ccda-structuredBody:1.1"},
    {"<templateId root=\"2.16.840.1.113883.10.20.22.1.1\" extension=\"2015-08-01\"/>",
     "urn:hl7-org:sdwg:ccda-structuredBody:2.1"},
    {"<templateId root=\"2.16.840.1.113883.10.20.22.1.1\" extension=\"2014-06-09\"/>",
     "urn:ihe:iti:xds:2017:mimeTypeSufficient"},
    {"<templateId root=\"2.16.840.1.113883.10.20.22.1.2\"/>",
     "urn:ihe:iti:xds:2017:mimeTypeSufficient"},
};

static void
templates_give_the_format(void)
{
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct arena *arena = new_arena();
        char xml[2048];

        (void)snprintf(xml, sizeof(xml), "%s%s%s", ROOT, formats[i].templates,
                       CODE TIME PATIENT BODY ROOT_END);
        CHECK_SPAN(read_ok(arena, xml).entry.format_code.value, formats[i].want);
        arena_free(arena);
    }
}

static void
a_patient_is_read_whole(void)
{
    struct arena *arena = new_arena();
    const struct ccda ccda = read_ok(
        arena, ROOT CODE TIME
        "<recordTarget><patientRole>"
        "<id root=\"2.999.5\" extension=\" 17 \" assigningAuthorityName=\"Clinic\"/>"
        "<id nullFlavor=\"UNK\" root=\"2.999.6\"/><id extension=\"no root\"/><id root=\"2.100\"/>"
        "<addr use=\"HP\"><streetAddressLine>1 High Street</streetAddressLine>"
        "<streetAddressLine/><streetAddressLine>Flat 2</streetAddressLine><city>Portland</city>"
        "<state>OR</state><postalCode>97005-    </postalCode><country nullFlavor=\"UNK\"/></addr>"
        "<addr nullFlavor=\"UNK\"><city>Nowhere</city></addr><addr><city/></addr>"
        "<telecom value=\"tel:+15550100\" use=\"HP\"/><telecom nullFlavor=\"NI\"/>"
        "<patient>"
        "<name use=\"L\"><prefix>Dr.</prefix><given>Eve</given><given>M</given>"
        "<given qualifier=\"CL\">Evie</given><family>van</family><family>Betterhalf</family>"
        "<family qualifier=\"BR\">Everywoman</family><suffix>III</suffix></name>"
        "<name use=\"P\"><given qualifier=\"CL\">Queen</given><family qualifier=\"BR\">Bee</family>"
        "</name><name nullFlavor=\"NI\"/><name><given nullFlavor=\"UNK\">x</given></name>"
        "<administrativeGenderCode code=\"f\"/><birthTime value=\"19470501120000\"/>"
        "</patient></patientRole></recordTarget>" BODY ROOT_END);
    const struct patient *patient = &ccda.patient;

    CU_ASSERT_FATAL(patient->ids.n == 2);
    CHECK_SPAN(patient->ids.items[0].extension, "17");
    CHECK_SPAN(patient->ids.items[0].authority, "Clinic");
    CHECK_SPAN(patient->ids.items[1].root, "2.100");
    CU_ASSERT(patient->ids.items[1].extension.n == 0);
    CU_ASSERT_FATAL(patient->names.n == 4);
    CHECK_SPAN(patient->names.items[0].family, "van Betterhalf");
    CHECK_SPAN(patient->names.items[0].prefix, "Dr.");
    CHECK_SPAN(patient->names.items[0].suffix, "III");
    CHECK_SPAN(patient->names.items[0].use, "L");
    CU_ASSERT_FATAL(patient->names.items[0].given.n == 2);
    CHECK_SPAN(patient->names.items[0].given.items[1], "M");
    CHECK_SPAN(patient->names.items[1].family, "Everywoman");
    CU_ASSERT(patient->names.items[1].given.n == 2);
    CHECK_SPAN(patient->names.items[2].family, "van Betterhalf");
    CU_ASSERT_FATAL(patient->names.items[2].given.n == 1);
    CHECK_SPAN(patient->names.items[2].given.items[0], "Evie");
    CHECK_SPAN(patient->names.items[3].family, "Bee");
    CHECK_SPAN(patient->names.items[3].given.items[0], "Queen");
    CHECK_SPAN(patient->sex, "F");
    CHECK_SPAN(patient->birth_time, "19470501120000");
    CU_ASSERT_FATAL(patient->addresses.n == 1);
    CU_ASSERT(patient->addresses.items[0].street.n == 2);
    CHECK_SPAN(patient->addresses.items[0].postal_code, "97005-");
    CU_ASSERT(patient->addresses.items[0].country.n == 0);
    CU_ASSERT(patient->telecoms.n == 1);
    CU_ASSERT_FATAL(ccda.entry.source_patient_info.n == 4);
    CHECK_SPAN(ccda.entry.source_patient_info.items[0], "PID-5|van Betterhalf^Eve^M^III^Dr.");
    CHECK_SPAN(ccda.entry.source_patient_info.items[1], "PID-7|19470501");
    CHECK_SPAN(ccda.entry.source_patient_info.items[3],
               "PID-11|1 High Street^Flat 2^Portland^OR^97005-");
    arena_free(arena);
}

static void
authors_are_spelled_as_xds_wants(void)
{
    struct arena *arena = new_arena();
    const struct ccda ccda = read_ok(
        arena, ROOT CODE TIME PATIENT
        "<author><functionCode displayName=\"Attending\"/><assignedAuthor>"
        "<id root=\"2.999.5\" extension=\"7\"/>"
        "<id root=\"2.16.840.1.113883.4.6\" extension=\"1104152198\"/>"
        "<code displayName=\"Family Medicine\"/><telecom value=\"tel:555-0100\" use=\"WP\"/>"
        "<assignedPerson><name><given>Sam &amp; Co</given><family>Khan^</family></name>"
        "</assignedPerson><representedOrganization><id root=\"2.999.9\"/><name>Clinic</name>"
        "</representedOrganization></assignedAuthor></author>"
        "<author><assignedAuthor><id nullFlavor=\"UNK\"/><assignedPerson>"
        "<name>Auto Generated</name></assignedPerson><telecom value=\"mailto:a@example.org\"/>"
        "</assignedAuthor></author>"
        "<author><assignedAuthor><assignedAuthoringDevice><manufacturerModelName>M"
        "</manufacturerModelName><softwareName>Soft</softwareName></assignedAuthoringDevice>"
        "</assignedAuthor></author>"
        "<author nullFlavor=\"NI\"/>"
        "<custodian><assignedCustodian><representedCustodianOrganization>"
        "<id root=\"2.999.9\" extension=\"3\"/><name>Keeper</name>"
        "</representedCustodianOrganization></assignedCustodian></custodian>"
        "<legalAuthenticator><assignedEntity><id root=\"2.999.5\" extension=\"8\"/>"
        "<assignedPerson><name><prefix>Dr</prefix><given>Ann</given><given>B</given>"
        "<family>Lee</family></name></assignedPerson></assignedEntity></legalAuthenticator>" BODY
            ROOT_END);
    const struct author_list *authors = &ccda.entry.authors;

    CHECK_SPAN(ccda.custodian, "Keeper");
    CHECK_SPAN(ccda.entry.legal_authenticator, "8^Lee^Ann^B^^Dr^^^&2.999.5&ISO");
    CU_ASSERT_FATAL(authors->n == 3);
    CHECK_SPAN(authors->items[0].person,
               "1104152198^Khan\\S\\^Sam \\T\\ Co^^^^^^&2.16.840.1.113883.4.6&ISO");
    CHECK_SPAN(authors->items[0].institution, "Clinic^^^^^^^^^2.999.9");
    CHECK_SPAN(authors->items[0].role, "Attending");
    CHECK_SPAN(authors->items[0].specialty, "Family Medicine");
    CHECK_SPAN(authors->items[0].telecom, "^WPN^PH^^^^^^^^^555-0100");
    CHECK_SPAN(authors->items[1].person, "^Auto Generated");
    CHECK_SPAN(authors->items[1].institution, "Keeper^^^^^&2.999.9&ISO^^^^3");
    CHECK_SPAN(authors->items[1].telecom, "^^Internet^a@example.org");
    CHECK_SPAN(authors->items[2].person, "^Soft");
    arena_free(arena);
}

/* Byte order mark, other encodings, prefixes. */
static void
spellings_of_xml_are_read(void)
{
    struct arena *arena = new_arena();
    static const char latin1[] = "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>" ROOT CODE TIME
                                 "<title>caf\xE9</title>" PATIENT BODY ROOT_END;

    CHECK_SPAN(read_ok(arena, latin1).entry.title, "caf\xC3\xA9");
    CHECK_SPAN(read_ok(arena, "\xEF\xBB\xBF<?xml version=\"1.0\"?><?xml-stylesheet href=\"x\"?>"
                              "<!-- <!DOCTYPE no> -->" ROOT CODE TIME
                              "<title>T</title>" PATIENT BODY ROOT_END)
                   .entry.title,
               "T");
    CHECK_SPAN(
        read_ok(arena,
                "<c:ClinicalDocument xmlns:c=\"urn:hl7-org:v3\" xmlns:o=\"urn:other\">"
                "<o:title>no</o:title><c:title>yes</c:title><c:code code=\"1\" codeSystem=\"2.999\""
                "/><c:effectiveTime value=\"2013\"/><c:recordTarget><c:patientRole><c:patient/>"
                "</c:patientRole></c:recordTarget></c:ClinicalDocument>")
            .entry.title,
        "yes");
    arena_free(arena);
}

/* ---- the real documents ---- */

static const struct {
    const char *path, *header_id, *title, *creation, *start, *stop, *name, *birth_time, *sex;
    size_t ids;
} facts[] = {
    {"nist/CCDA_CCD_b1_InPatient_v2.xml", "1.1.1.1.1.1.1.1.1^Test CCDA",
     "Get Well Clinic: Health Summary", "20120806", "201208051928", "201208051958",
     "Jones/Isabella+Isa", "19470501", "F", 2},
    {"nist/CCDA_CCD_b1_Ambulatory_v2.xml", "1.1.1.1.1.1.1.1.1^Test CCDA",
     "Community Health and Hospitals: Health Summary", "20120912000000", "20120806", "20120813",
     "Jones/Myra", "19470501", "F", 2},
    {"nextgen/CCDA_Sample_NextGen_JonesIsabella.xml", "2.201^2fb1e72f-d208-4394-bc35-1d2b6ada135b",
     "Continuity of Care Document (C-CDA)", "20130218081000", "20130218081000", "20130218081000",
     "Jones/Isabella", "19470501", "F", 1},
    {"greenway/26620_ExportSummary_CCDA.xml",
     "2.16.840.1.113883.3.441^cd3ee8d6b2f54362a7e3751216215e7f", "MU2 Export Summary",
     "20130318200042", "", "", "Everyman/Adam+TOC", "19621022", "M", 1},
    {"cerner/problems-and-medications.xml", "28A334FE-9348-4AE5-A48C-6174F3D766A4",
     "Continuity\xC2\xA0of\xC2\xA0"
     "Care\xC2\xA0"
     "Document:\xC2\xA0"
     "10/26/2010\xC2\xA0to\xC2\xA0"
     "10/28/2010",
     "20101028142016", "20101026141700", "20101028142015", "Wade/Victoria+E",
     "19540323000000.000-0600", "F", 1},
    {"kareo/Kareo_SummaryOfCare_export_Joey_Miller.xml",
     "2.16.840.1.113883.19^2014_ClinicalSummary", "dododoc: Health Summary", "20140531224732", "",
     "", "DEMO/MILLER", "19471010", "M", 1},
    {"hl7/UD.sample.xml", "2.16.840.1.113883.19^999021", "Discharge Summary (UD)", "20050329121504",
     "", "", "Everyman/Adam", "19541125", "M", 1},
    {"hl7/DIR.sample.xml", "2.16.840.1.113883.19.4.27^20060828170821659",
     "Chest X-Ray, PA and LAT View", "20050329121504", "20060823222400", "20060823222400",
     "Everyman/Adam", "19541125", "M", 1},
    {"emerge/Patient-0.xml", "db734647-fc99-424c-a864-7e3cda82e703",
     "Community Health and Hospitals: Health Summary", "20140416115439", "20100331100000",
     "20101027100000", "Maxwell/Bernice", "19400805120000", "F", 2},
    {"allscripts/170.314_b__7_InPt_Patient3_CCDCED_Type.xml",
     "1.3.6.1.4.1.22812.3.99930.3.1^66670992", "Continuity of Care Document", "20110714130051",
     "20130130090051", "20110714130051", "Kidd/Karl", "20001022", "M", 1},
    {"practicefusion/IsabellaJones-ReferralSummary.xml", "2.16.840.1.113883.3.3388.1.1.1^310936",
     "Summary of Care", "20140307121613", "20120806120000", "20120806120000", "Jones/Isabella",
     "19470501", "F", 1},
};

static void
check_name(const struct person_name *name, const char *want)
{
    char got[256];
    int n = snprintf(got, sizeof(got), "%.*s/", SPAN_PRINT(name->family));

    for (size_t i = 0; i < name->given.n && n > 0 && (size_t)n < sizeof(got); i++) {
        n += snprintf(got + n, sizeof(got) - (size_t)n, "%s%.*s", i == 0 ? "" : "+",
                      SPAN_PRINT(name->given.items[i]));
    }
    CHECK_SPAN(span_of_cstr(got), want);
}

static void
real_documents_are_read(void)
{
    for (size_t i = 0; i < ARRAY_LEN(facts); i++) {
        char relative[256];
        struct arena *arena = new_arena();
        struct ccda ccda = {0};
        struct diag diag = {0};
        struct buf bytes;

        (void)snprintf(relative, sizeof(relative), "ccda/%s", facts[i].path);
        const char *path = unit_data_path(relative);

        if (path == NULL) {
            arena_free(arena);
            return;
        }
        buf_init(&bytes, CCDA_BYTES_MAX);
        CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
        CU_ASSERT(ccda_is_recognised(buf_span(&bytes)));
        CHECK_OK(&diag, ccda_read(buf_span(&bytes), arena, &diag, &ccda));
        CHECK_SPAN(ccda.header_id, facts[i].header_id);
        CHECK_SPAN(ccda.entry.title, facts[i].title);
        CHECK_SPAN(ccda.entry.creation_time, facts[i].creation);
        CHECK_SPAN(ccda.entry.service_start, facts[i].start);
        CHECK_SPAN(ccda.entry.service_stop, facts[i].stop);
        CHECK_SPAN(ccda.patient.birth_time, facts[i].birth_time);
        CHECK_SPAN(ccda.patient.sex, facts[i].sex);
        CU_ASSERT(ccda.patient.ids.n == facts[i].ids);
        CU_ASSERT_FATAL(ccda.patient.names.n > 0);
        check_name(&ccda.patient.names.items[0], facts[i].name);
        buf_done(&bytes);
        arena_free(arena);
    }
}

/* ---- every failed allocation of ours ---- */

static struct status
read_once(struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct ccda ccda;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    const struct status st =
        ccda_read(SPAN(ROOT CODE TIME PATIENT "<author><assignedAuthor><assignedPerson><name>"
                                              "<family>K&amp;L</family></name></assignedPerson>"
                                              "</assignedAuthor></author>" BODY ROOT_END),
                  arena, diag, &ccda);

    arena_free(arena);
    return st;
}

static void
every_failed_allocation_is_survived(void)
{
    unit_torture(read_once);
}

static const struct unit_test tests[] = {
    {"documents are refused", documents_are_refused},
    {"limits hold", limits_hold},
    {"reasons hold no content", reasons_hold_no_content},
    {"documents are recognised", documents_are_recognised},
    {"a bare header gets defaults", a_bare_header_gets_defaults},
    {"metadata is read", metadata_is_read},
    {"templates give the format", templates_give_the_format},
    {"a patient is read whole", a_patient_is_read_whole},
    {"authors are spelled as XDS wants", authors_are_spelled_as_xds_wants},
    {"spellings of XML are read", spellings_of_xml_are_read},
    {"real documents are read", real_documents_are_read},
    {"every failed allocation is survived", every_failed_allocation_is_survived},
};

UNIT_MAIN("ccda", tests)
