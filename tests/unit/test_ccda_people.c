/*
 * What C-CDA headers say of their patient besides a name and a date: from documents made here, and
 * from each of the real ones what another reader found (tests/samples/ccda.facts).
 */
#include <ftw.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "soap/ccda.h"
#include "tests/unit/sample_facts.h"
#include "tests/unit/unit.h"

#define FACTS_MAX ((size_t)1024 * 1024)

/* ---- the facts of a patient, in the words of make-ccda-facts ---- */

static const char *
joined(const struct span_list *parts, char separator)
{
    static char text[1024];
    size_t n = 0;

    text[0] = '\0';
    for (size_t i = 0; i < parts->n; i++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s%.*s", i > 0, &separator,
                              SPAN_PRINT(parts->items[i]));
        CU_ASSERT_FATAL(n < sizeof(text));
    }
    return text;
}

static struct span
use_or_dash(struct span use)
{
    return use.n > 0 ? use : SPAN("-");
}

static void
add_addresses(struct buf *out, const char *key, const struct address_list *addresses)
{
    for (size_t i = 0; i < addresses->n; i++) {
        const struct address *a = &addresses->items[i];

        sample_fact(out, key, "%.*s %s|%.*s|%.*s|%.*s|%.*s", SPAN_PRINT(use_or_dash(a->use)),
                    joined(&a->street, '/'), SPAN_PRINT(a->city), SPAN_PRINT(a->state),
                    SPAN_PRINT(a->postal_code), SPAN_PRINT(a->country));
    }
}

static void
add_ids(struct buf *out, const char *key, const struct ident_list *ids)
{
    for (size_t i = 0; i < ids->n; i++) {
        sample_fact(out, key, "%.*s:%.*s", SPAN_PRINT(ids->items[i].root),
                    SPAN_PRINT(ids->items[i].extension));
    }
}

static void
add_code(struct buf *out, const char *key, const struct code *code)
{
    if (code->value.n > 0) {
        sample_fact(out, key, "%.*s %.*s", SPAN_PRINT(code->value), SPAN_PRINT(code->scheme));
    }
}

static void
add_codes(struct buf *out, const char *key, const struct code_list *codes)
{
    for (size_t i = 0; i < codes->n; i++) {
        add_code(out, key, &codes->items[i]);
    }
}

static const char *
flag(enum patient_flag said)
{
    return said == PATIENT_UNSAID ? "" : said == PATIENT_YES ? "true" : "false";
}

static void
add_who(struct buf *out, const struct patient *p)
{
    for (size_t i = 0; i < p->names.n; i++) {
        const struct person_name *name = &p->names.items[i];

        sample_fact(out, "name", "%.*s %s/%.*s", SPAN_PRINT(use_or_dash(name->use)),
                    joined(&name->given, '+'), SPAN_PRINT(name->family));
    }
    add_ids(out, "id", &p->ids);
    sample_fact(out, "birth", "%.*s", SPAN_PRINT(p->birth_time));
    sample_fact(out, "sex", "%.*s", SPAN_PRINT(p->sex));
    add_addresses(out, "address", &p->addresses);
    for (size_t i = 0; i < p->telecoms.n; i++) {
        sample_fact(out, "telecom", "%.*s %.*s", SPAN_PRINT(use_or_dash(p->telecoms.items[i].use)),
                    SPAN_PRINT(p->telecoms.items[i].value));
    }
}

static void
add_details(struct buf *out, const struct patient *p)
{
    char order[16] = "";

    for (size_t i = 0; i < p->birth_place_names.n; i++) {
        sample_fact(out, "birth place", "%.*s", SPAN_PRINT(p->birth_place_names.items[i]));
    }
    add_addresses(out, "birth address", &p->birth_place_addresses);
    sample_fact(out, "deceased", "%s %.*s", flag(p->deceased), SPAN_PRINT(p->deceased_time));
    if (p->birth_order > 0) {
        (void)snprintf(order, sizeof(order), "%u", p->birth_order);
    }
    sample_fact(out, "multiple", "%s %s", flag(p->multiple_birth), order);
    add_code(out, "marital", &p->marital_status);
    add_code(out, "religion", &p->religion);
    add_codes(out, "race", &p->races);
    add_codes(out, "ethnic", &p->ethnicities);
    for (size_t i = 0; i < p->languages.n; i++) {
        sample_fact(out, "language", "%.*s", SPAN_PRINT(p->languages.items[i].value));
    }
    for (size_t i = 0; i < p->mothers_maiden_names.n; i++) {
        const struct person_name *name = &p->mothers_maiden_names.items[i];

        sample_fact(out, "mother", "%s/%.*s", joined(&name->given, '+'), SPAN_PRINT(name->family));
    }
    add_ids(out, "care provider", &p->care_providers);
}

/* ---- documents made here ---- */

#define DETAILS(patient, more)                                                                     \
    "<ClinicalDocument xmlns=\"urn:hl7-org:v3\" xmlns:sdtc=\"urn:hl7-org:sdtc\">"                  \
    "<code code=\"34133-9\" codeSystem=\"2.16.840.1.113883.6.1\"/>"                                \
    "<effectiveTime value=\"20130701103445-0400\"/>"                                               \
    "<recordTarget><patientRole><patient>" patient "</patient></patientRole></recordTarget>" more  \
    "<component><structuredBody/></component></ClinicalDocument>"
#define MOTHER(code, name)                                                                         \
    "<participant typeCode=\"IND\"><associatedEntity classCode=\"NOK\">" code                      \
    "<associatedPerson><name>" name "</name></associatedPerson></associatedEntity></participant>"
#define MOTHER_CODE "<code code=\"MTH\" codeSystem=\"2.16.840.1.113883.5.111\"/>"
#define PROVIDER(function, ids)                                                                    \
    "<documentationOf><serviceEvent><performer typeCode=\"PRF\">" function "<assignedEntity>" ids  \
    "</assignedEntity></performer></serviceEvent></documentationOf>"
#define FUNCTION(code, system)                                                                     \
    "<functionCode code=\"" code "\" codeSystem=\"2.16.840.1.113883." system "\"/>"
#define NPI(number)  "<id root=\"2.16.840.1.113883.4.6\" extension=\"" number "\"/>"
#define RACE(number) " code=\"" number "\" codeSystem=\"2.16.840.1.113883.6.238\"/>"

static const struct {
    const char *xml, *want; /* the details' facts only */
} made[] = {
    /* Says nothing, or says it where it does not count. */
    {DETAILS("", ""), "deceased:\nmultiple:\n"},
    {DETAILS("<deceasedInd value=\"true\"/><sdtc:deceasedInd nullFlavor=\"UNK\"/>"
             "<sdtc:deceasedTime nullFlavor=\"UNK\" value=\"2020\"/>"
             "<sdtc:multipleBirthInd value=\"perhaps\"/>"
             "<sdtc:multipleBirthOrderNumber value=\"0\"/>",
             ""),
     "deceased:\nmultiple:\n"},
    {DETAILS("<sdtc:multipleBirthOrderNumber value=\"65\"/>", ""), "deceased:\nmultiple:\n"},
    {DETAILS("<sdtc:multipleBirthOrderNumber value=\"-1\"/>", ""), "deceased:\nmultiple:\n"},
    {DETAILS("<raceCode code=\"2106-3\"/><raceCode nullFlavor=\"UNK\"" RACE("2106-3") //
             "<languageCommunication nullFlavor=\"UNK\"><languageCode code=\"eng\"/>"
             "</languageCommunication><birthplace nullFlavor=\"UNK\"><place><name>X</name></place>"
             "</birthplace><birthplace><place><name> </name><addr><city/></addr></place>"
             "</birthplace>",
             ""),
     "deceased:\nmultiple:\n"},
    /* What a mother is called now is no maiden name; a father has none. */
    {DETAILS("", MOTHER(MOTHER_CODE, "<given>Abigail</given><family>Jones</family>")),
     "deceased:\nmultiple:\n"},
    {DETAILS("", MOTHER("<code code=\"FTH\" codeSystem=\"2.16.840.1.113883.5.111\"/>",
                        "<given>A</given><family qualifier=\"BR\">Ruth</family>")),
     "deceased:\nmultiple:\n"},
    {DETAILS("", MOTHER("<code nullFlavor=\"UNK\" code=\"MTH\"/>",
                        "<given>A</given><family qualifier=\"BR\">Ruth</family>")),
     "deceased:\nmultiple:\n"},
    /* Other functions, and words of one code system in the other. */
    {DETAILS("", PROVIDER(FUNCTION("PP", "5.88"), NPI("1")) //
             PROVIDER(FUNCTION("PCP", "12.443"), NPI("2"))
                 PROVIDER("<functionCode code=\"PP\"/>", NPI("3"))
                     PROVIDER(FUNCTION("CP", "12.443"), NPI("4")) PROVIDER("", NPI("5")) PROVIDER(
                         FUNCTION("PCP", "5.88"), "<id nullFlavor=\"NI\"/><id extension=\"6\"/>")),
     "deceased:\nmultiple:\n"},
    /* A header that contradicts itself: nobody knows when, or which. */
    {DETAILS("<sdtc:deceasedInd value=\"false\"/><sdtc:deceasedTime value=\"2020\"/>"
             "<sdtc:multipleBirthInd value=\"false\"/>"
             "<sdtc:multipleBirthOrderNumber value=\"2\"/>",
             ""),
     "deceased: false\nmultiple: false\n"},
    {DETAILS("<sdtc:deceasedTime value=\"20200105\"/>"
             "<sdtc:multipleBirthOrderNumber value=\"2\"/>",
             ""),
     "deceased: true 20200105\nmultiple: true 2\n"},
    {DETAILS("<sdtc:deceasedInd value=\"1\"/><sdtc:multipleBirthInd value=\"true\"/>", ""),
     "deceased: true\nmultiple: true\n"},
    {DETAILS(
         "<maritalStatusCode code=\"M\" codeSystem=\"2.16.840.1.113883.5.2\"/>"
         "<religiousAffiliationCode code=\"1013\" codeSystem=\"2.16.840.1.113883.5.1076\"/>"
         "<raceCode" RACE("2106-3") "<raceCode" RACE("2054-5") "<sdtc:raceCode" RACE(
             "2058-6") "<ethnicGroupCode" RACE("2135-2") "<sdtc:ethnicGroupCode" RACE("2148-5") //
         "<birthplace><place><name>Good  Health</name><addr use=\"H\"><city>Troy</city>"
         "<state>NY</state></addr></place></birthplace>"
         "<languageCommunication><languageCode code=\"eng\"/></languageCommunication>"
         "<languageCommunication><languageCode code=\"spa\"/></languageCommunication>",
         MOTHER(MOTHER_CODE, "<given>Abigail</given><given qualifier=\"CL\">Abby</given>"
                             "<family>Jones</family><family qualifier=\"BR\">Ruth</family>")
             MOTHER("<code code=\"NMTH\" codeSystem=\"2.16.840.1.113883.5.111\"/>",
                    "<family qualifier=\"BR SP\">Roe</family>") //
         PROVIDER(FUNCTION("PCP", "5.88"), NPI("7") NPI("8"))
             PROVIDER(FUNCTION("PP", "12.443"), NPI("7") NPI("9"))),
     "birth place: Good Health\nbirth address: H |Troy|NY||\ndeceased:\nmultiple:\n"
     "marital: M 2.16.840.1.113883.5.2\nreligion: 1013 2.16.840.1.113883.5.1076\n"
     "race: 2106-3 2.16.840.1.113883.6.238\nrace: 2054-5 2.16.840.1.113883.6.238\n"
     "race: 2058-6 2.16.840.1.113883.6.238\nethnic: 2135-2 2.16.840.1.113883.6.238\n"
     "ethnic: 2148-5 2.16.840.1.113883.6.238\nlanguage: eng\nlanguage: spa\n"
     "mother: Abigail/Ruth\nmother: /Roe\ncare provider: 2.16.840.1.113883.4.6:7\n"
     "care provider: 2.16.840.1.113883.4.6:8\ncare provider: 2.16.840.1.113883.4.6:9\n"},
};

static void
details_are_read_where_they_count(void)
{
    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct ccda ccda = {0};
        struct diag diag = {0};
        struct buf got;

        CU_ASSERT_FATAL(arena != NULL);
        buf_init(&got, FACTS_MAX);
        CHECK_OK(&diag, ccda_read(span_of_cstr(made[i].xml), arena, &diag, &ccda));
        add_details(&got, &ccda.patient);
        if (!CHECK_SPAN(buf_span(&got), made[i].want)) {
            printf("      row %zu\n", i);
        }
        buf_done(&got);
        arena_free(arena);
    }
}

/* ---- the real documents ---- */

static size_t documents_n;

static int
count_document(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)where;
    documents_n += type == FTW_F && span_ends_with(span_of_cstr(path), SPAN(".xml")) ? 1 : 0;
    return 0;
}

static void
check_document(struct span relative, struct span want)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    char path[300];
    struct ccda ccda = {0};
    struct diag diag = {0};
    struct buf bytes, got;

    CU_ASSERT_FATAL(arena != NULL);
    (void)snprintf(path, sizeof(path), "ccda/%.*s", SPAN_PRINT(relative));
    buf_init(&bytes, CCDA_BYTES_MAX);
    buf_init(&got, FACTS_MAX);
    CHECK_OK(&diag, buf_read_file(&bytes, unit_data_path(path), &diag));
    CHECK_OK(&diag, ccda_read(buf_span(&bytes), arena, &diag, &ccda));
    add_who(&got, &ccda.patient);
    add_details(&got, &ccda.patient);
    if (!span_eq(buf_span(&got), want)) {
        printf("\n    %s: wanted\n%.*s    got\n%.*s", path, SPAN_PRINT(want),
               SPAN_PRINT(buf_span(&got)));
        CU_FAIL("other facts");
    }
    buf_done(&got);
    buf_done(&bytes);
    arena_free(arena);
}

static void
real_documents_say_what_another_reader_found(void)
{
    const char *const folder = unit_data_path("ccda");
    const char *const path = unit_source_path("tests/samples/ccda.facts");
    struct diag diag = {0};
    struct buf file;
    size_t n = 0;

    if (folder == NULL) {
        return;
    }
    CU_ASSERT_FATAL(path != NULL);
    documents_n = 0;
    CU_ASSERT_EQUAL(nftw(folder, count_document, 16, FTW_PHYS), 0);
    buf_init(&file, FACTS_MAX);
    CHECK_OK(&diag, buf_read_file(&file, path, &diag));
    struct span rest = buf_span(&file);
    for (size_t at = span_find(rest, SPAN("\n[")); at != SPAN_MISSING;
         at = span_find(rest, SPAN("\n["))) {
        const struct span block = span_slice(rest, at + 2, SIZE_MAX);
        const size_t name_n = span_find(block, SPAN("]\n"));
        const struct span lines = span_slice(block, name_n + 2, SIZE_MAX);
        const size_t next = span_find(lines, SPAN("\n["));

        CU_ASSERT_FATAL(name_n != SPAN_MISSING);
        check_document(span_slice(block, 0, name_n),
                       span_slice(lines, 0, next == SPAN_MISSING ? lines.n : next));
        rest = next == SPAN_MISSING ? SPAN_EMPTY : span_slice(lines, next, SIZE_MAX);
        n++;
    }
    CU_ASSERT_EQUAL(n, documents_n);
    CU_ASSERT(n > 0);
    buf_done(&file);
}

static const struct unit_test tests[] = {
    {"details are read where they count", details_are_read_where_they_count},
    {"real documents say what another reader found", real_documents_say_what_another_reader_found},
};

UNIT_MAIN("ccda_people", tests)
