/* Sidecars: every error at once with its place, and what a good one says. */
#include "cli/sidecar.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "tests/unit/unit.h"

#define PATIENT                                                                                    \
    "patient:\n"                                                                                   \
    "  names: [{family: Jones, given: [Ann]}]\n"                                                   \
    "  birth_date: 1947-05-01\n"
#define DOCUMENT                                                                                   \
    "document:\n"                                                                                  \
    "  mime_type: application/pdf\n"                                                               \
    "  creation_time: 20130701103445-0400\n"                                                       \
    "  type: {code: 11488-4, system: 2.16.840.1.113883.6.1, display: Consult note}\n"              \
    "  confidentiality: {code: N, system: 2.16.840.1.113883.5.25}\n"

static const char *
write_file(const char *text)
{
    static char path[512];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/sidecar.yaml", unit_temp_dir());
    file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    (void)fputs(text, file);
    (void)fclose(file);
    return path;
}

static struct arena *
new_arena(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    CU_ASSERT_FATAL(arena != NULL);
    return arena;
}

static const struct {
    const char *text;
    int errors;
    const char *place, *hint; /* of one of them */
} bad[] = {
    {"", 2, ":1:1:", "'patient' is missing"},
    {PATIENT, 1, ":1:1:", "'document' is missing"},
    {DOCUMENT, 1, ":1:1:", "'patient' is missing"},
    {PATIENT DOCUMENT "more: 1\n", 1, ":9:1:", "unknown key 'more'"},
    {"patient: Ann\n" DOCUMENT, 1, ":1:10:", "expected a mapping"},
    {"patient: {birth_date: 1947-05-01, name: Ann}\n" DOCUMENT, 2, ":1:", "did you mean 'names'"},
    {"patient: {names: [{family: Jones}], birth_date: 19470501}\n" DOCUMENT, 1,
     ":1:", "'given' is missing"},
    {"patient: {names: [{given: [Ann]}], birth_date: 19470501}\n" DOCUMENT, 1,
     ":1:", "'family' is missing"},
    {"patient: {names: [{family: [J], given: [Ann]}], birth_date: 19470501}\n" DOCUMENT, 1,
     ":1:", "expected a family name"},
    {"patient: {names: [{family: J, given: Ann}], birth_date: 19470501}\n" DOCUMENT, 2,
     ":1:", "expected a list"},
    {"patient: {names: [{family: J, given: [A]}], birth_date: 1.5.1947}\n" DOCUMENT, 1,
     ":1:", "YYYY-MM-DD"},
    {"patient: {names: [{family: J, given: [A]}], birth_date: 1947-13-01}\n" DOCUMENT, 1,
     ":1:", "YYYY-MM-DD"},
    {"patient: {names: [{family: J, given: [A]}], birth_date: 1947}\n" DOCUMENT, 1,
     ":1:", "YYYY-MM-DD"},
    {PATIENT "  sex: female\n" DOCUMENT, 1, ":4:8:", "expected F, M or UN"},
    {PATIENT "  ids: [{root: SSN, extension: 1}]\n" DOCUMENT, 1, ":4:", "'SSN' is no OID"},
    {PATIENT "  ids: [{root: 2.999.5}]\n" DOCUMENT, 1, ":4:", "'extension' is missing"},
    {PATIENT "  mothers_maiden_names: [{given: [A]}]\n" DOCUMENT, 1,
     ":4:", "'family' is missing: the family name before any marriage"},
    {PATIENT "  mothers_maiden_names: Ruth\n" DOCUMENT, 1, ":4:", "expected a list"},
    {PATIENT "  care_providers: [{root: 2.999.6}]\n" DOCUMENT, 1, ":4:", "'extension' is missing"},
    {PATIENT "  care_providers: [{root: NPI, extension: 1}]\n" DOCUMENT, 1,
     ":4:", "'NPI' is no OID"},
    {PATIENT "  birth_addresses: [{town: Troy}]\n" DOCUMENT, 1, ":4:", "unknown key 'town'"},
    {PATIENT "  deceased: yes\n" DOCUMENT, 1, ":4:13:", "expected true or false"},
    {PATIENT "  deceased_time: lately\n" DOCUMENT, 1, ":4:18:", "expected a time"},
    {PATIENT "  deceased: false\n  deceased_time: 20200105\n" DOCUMENT, 1,
     ":5:18:", "who is said to live"},
    {PATIENT "  birth_order: 0\n" DOCUMENT, 1, ":4:16:", "expected a number from 1 to 64"},
    {PATIENT "  birth_order: second\n" DOCUMENT, 1, ":4:16:", "expected a number from 1 to 64"},
    {PATIENT "  multiple_birth: false\n  birth_order: 2\n" DOCUMENT, 1,
     ":5:16:", "who was born alone"},
    {PATIENT "  marital_status: M\n" DOCUMENT, 3, ":4:", "expected a mapping"},
    {PATIENT "  races: [{code: 2106-3}]\n" DOCUMENT, 1, ":4:", "'system' is missing"},
    {PATIENT "  telecoms: [{use: HP}]\n" DOCUMENT, 1, ":4:", "'value' is missing"},
    {PATIENT "document: {mime_type: application/pdf}\n", 3, ":4:", "'creation_time' is missing"},
    {PATIENT DOCUMENT "  service_start: yesterday\n", 1, ":9:18:", "expected a time"},
    {PATIENT DOCUMENT "  class: consult\n", 3, ":9:10:", "expected a mapping"},
    {PATIENT DOCUMENT "  class: {code: 1}\n", 1, ":9:", "'system' is missing"},
    {PATIENT DOCUMENT "  authors: Ann\n", 1, ":9:", "expected a list"},
    {PATIENT DOCUMENT "  authors: [{name: Ann}]\n", 1, ":9:", "unknown key 'name'"},
};

static void
errors_are_collected_with_their_places(void)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct arena *arena = new_arena();
        struct yaml_report report;
        struct sidecar sidecar;
        struct diag diag = {0};

        yaml_report_init(&report);
        CHECK_ERR(&diag, ERR_DOCUMENT,
                  sidecar_read(write_file(bad[i].text), arena, &report, &diag, &sidecar));
        const char *text = report.text.p == NULL ? "" : report.text.p;

        if (report.errors != bad[i].errors || strstr(text, bad[i].place) == NULL ||
            strstr(text, bad[i].hint) == NULL) {
            printf("\n    row %zu: wanted %d errors, '%s', '%s', got %d:\n%s", i, bad[i].errors,
                   bad[i].place, bad[i].hint, report.errors, text);
            CU_FAIL("another report");
        }
        yaml_report_done(&report);
        arena_free(arena);
    }
}

static void
files_that_are_no_yaml_are_refused(void)
{
    struct arena *arena = new_arena();
    struct yaml_report report;
    struct sidecar sidecar;
    struct diag diag = {0};

    yaml_report_init(&report);
    CHECK_ERR(&diag, ERR_CONFIG_SYNTAX,
              sidecar_read(write_file("patient: [\n"), arena, &report, &diag, &sidecar));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO, sidecar_read("/nowhere/at/all.yaml", arena, &report, &diag, &sidecar));
    yaml_report_done(&report);
    arena_free(arena);
}

static struct sidecar
read_ok(struct arena *arena, const char *text)
{
    struct yaml_report report;
    struct sidecar sidecar = {0};
    struct diag diag = {0};

    yaml_report_init(&report);
    CHECK_OK(&diag, sidecar_read(write_file(text), arena, &report, &diag, &sidecar));
    CU_ASSERT(report.errors == 0);
    yaml_report_done(&report);
    return sidecar;
}

static void
the_least_is_enough(void)
{
    struct arena *arena = new_arena();
    const struct sidecar sidecar = read_ok(arena, PATIENT DOCUMENT);
    const struct document_entry *entry = &sidecar.entry;

    CHECK_SPAN(sidecar.patient.birth_time, "19470501");
    CHECK_SPAN(sidecar.patient.names.items[0].given.items[0], "Ann");
    CU_ASSERT(sidecar.patient.sex.n == 0);
    CHECK_SPAN(entry->mime_type, "application/pdf");
    CHECK_SPAN(entry->creation_time, "20130701143445");
    CHECK_SPAN(entry->title, "Consult note");
    CHECK_SPAN(entry->class_code.value, "11488-4");
    CHECK_SPAN(entry->format_code.value, "urn:ihe:iti:xds:2017:mimeTypeSufficient");
    CHECK_SPAN(entry->facility_type.value, "394777002");
    CHECK_SPAN(entry->practice_setting.value, "394658006");
    CHECK_SPAN(entry->language, "und");
    CU_ASSERT(entry->confidentiality.n == 1);
    CU_ASSERT(entry->unique_id.n == 0 && sidecar.header_id.n == 0);
    arena_free(arena);
}

static void
all_keys_are_read(void)
{
    struct arena *arena = new_arena();
    const struct sidecar sidecar = read_ok(
        arena,
        "patient:\n"
        "  names:\n"
        "    - {family: Jones, given: [Ann, Q], prefix: Dr, suffix: II, use: L}\n"
        "    - {family: Smith, given: [Ann]}\n"
        "  birth_date: 19470501\n"
        "  sex: F\n"
        "  ids: [{root: 2.999.5, extension: 007, authority: Clinic}]\n"
        "  addresses: [{street: [1 High Street, Flat 2], city: Portland, state: OR,\n"
        "               postal_code: 02368, country: US, use: HP}]\n"
        "  telecoms: [{value: 'tel:+15550100', use: HP}]\n" DOCUMENT "  unique_id: 2.999.7^A\n"
        "  title: A letter\n"
        "  comments: scanned\n"
        "  service_start: 20130601\n"
        "  service_stop: 20130630\n"
        "  language: en-US\n"
        "  class: {code: c, system: 2.999.9, display: Class}\n"
        "  format: {code: f, system: 2.999.9}\n"
        "  facility: {code: h, system: 2.999.9}\n"
        "  practice: {code: p, system: 2.999.9}\n"
        "  events: [{code: e, system: 2.999.9}]\n"
        "  authors: [{person: ^Seven^Henry, institution: Clinic, role: r,\n"
        "             specialty: s, telecom: t}]\n");
    const struct document_entry *entry = &sidecar.entry;

    CU_ASSERT_FATAL(sidecar.patient.names.n == 2);
    CHECK_SPAN(sidecar.patient.names.items[0].suffix, "II");
    CHECK_SPAN(sidecar.patient.ids.items[0].extension, "007");
    CHECK_SPAN(sidecar.patient.addresses.items[0].postal_code, "02368");
    CU_ASSERT(sidecar.patient.addresses.items[0].street.n == 2);
    CHECK_SPAN(sidecar.patient.telecoms.items[0].value, "tel:+15550100");
    CHECK_SPAN(entry->unique_id, "2.999.7^A");
    CHECK_SPAN(entry->comments, "scanned");
    CHECK_SPAN(entry->service_stop, "20130630");
    CHECK_SPAN(entry->class_code.display, "Class");
    CHECK_SPAN(entry->format_code.display, "f");
    CHECK_SPAN(entry->practice_setting.value, "p");
    CHECK_SPAN(entry->event_codes.items[0].value, "e");
    CHECK_SPAN(entry->authors.items[0].specialty, "s");
    arena_free(arena);
}

/* What a question may say besides, and what is for people. */
static void
details_are_read(void)
{
    struct arena *arena = new_arena();
    const struct sidecar sidecar = read_ok(
        arena, PATIENT "  mothers_maiden_names: [{family: Ruth, given: [Abigail]}, {family: Roe}]\n"
                       "  birth_places: [Good Health Hospital]\n"
                       "  birth_addresses: [{city: Troy, state: NY}]\n"
                       "  care_providers: [{root: 2.999.6, extension: 0017}]\n"
                       "  deceased_time: 20200105\n"
                       "  birth_order: 2\n"
                       "  marital_status: {code: M, system: 2.999.8, display: Married}\n"
                       "  races: [{code: r1, system: 2.999.8}, {code: r2, system: 2.999.8}]\n"
                       "  ethnicities: [{code: e1, system: 2.999.8}]\n"
                       "  languages: [eng, spa]\n" DOCUMENT);
    const struct patient *p = &sidecar.patient;

    CU_ASSERT_FATAL(p->mothers_maiden_names.n == 2);
    CHECK_SPAN(p->mothers_maiden_names.items[0].family, "Ruth");
    CHECK_SPAN(p->mothers_maiden_names.items[0].given.items[0], "Abigail");
    CU_ASSERT(p->mothers_maiden_names.items[1].given.n == 0);
    CU_ASSERT_FATAL(p->birth_place_names.n == 1 && p->birth_place_addresses.n == 1);
    CHECK_SPAN(p->birth_place_names.items[0], "Good Health Hospital");
    CHECK_SPAN(p->birth_place_addresses.items[0].city, "Troy");
    CU_ASSERT_FATAL(p->care_providers.n == 1);
    CHECK_SPAN(p->care_providers.items[0].extension, "0017");
    CU_ASSERT(p->deceased == PATIENT_YES);
    CHECK_SPAN(p->deceased_time, "20200105");
    CU_ASSERT(p->multiple_birth == PATIENT_YES && p->birth_order == 2);
    CHECK_SPAN(p->marital_status.display, "Married");
    CU_ASSERT_FATAL(p->races.n == 2 && p->ethnicities.n == 1 && p->languages.n == 2);
    CHECK_SPAN(p->races.items[1].value, "r2");
    CHECK_SPAN(p->ethnicities.items[0].scheme, "2.999.8");
    CHECK_SPAN(p->languages.items[1].value, "spa");
    arena_free(arena);
}

static void
what_is_not_is_told_from_what_is_not_said(void)
{
    struct arena *arena = new_arena();
    const struct sidecar silent = read_ok(arena, PATIENT DOCUMENT);
    const struct sidecar denied =
        read_ok(arena, PATIENT "  deceased: false\n  multiple_birth: false\n" DOCUMENT);

    CU_ASSERT(silent.patient.deceased == PATIENT_UNSAID);
    CU_ASSERT(silent.patient.multiple_birth == PATIENT_UNSAID);
    CU_ASSERT(denied.patient.deceased == PATIENT_NO);
    CU_ASSERT(denied.patient.multiple_birth == PATIENT_NO);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"errors are collected with their places", errors_are_collected_with_their_places},
    {"files that are no YAML are refused", files_that_are_no_yaml_are_refused},
    {"the least is enough", the_least_is_enough},
    {"all keys are read", all_keys_are_read},
    {"details are read", details_are_read},
    {"what is not is told from what is not said", what_is_not_is_told_from_what_is_not_said},
};

UNIT_MAIN("sidecar", tests)
