/* Makes stores, people and documents for the tests of the store. One thread. */
#include "tests/unit/store_fixture.h"

#include <stdio.h>

const char *
fixture_path(char ret_path[512])
{
    static int n = 0;

    (void)snprintf(ret_path, 512, "%s/store-%d.db", unit_temp_dir(), n++);
    return ret_path;
}

struct store *
fixture_open(const char *path, const struct clock *clock)
{
    const struct store_options options = {
        .path = path,
        .community = FIXTURE_COMMUNITY,
        .patient_authority = FIXTURE_AUTHORITY,
        .repository = FIXTURE_REPOSITORY,
        .clock = clock == NULL ? clock_system() : clock,
    };
    struct store *store = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, store_open(&options, &diag, &store));
    CU_ASSERT_FATAL(store != NULL);
    return store;
}

struct patient
fixture_patient(struct arena *arena, const char *name, const char *birth_date, const char *sex,
                const char *id)
{
    struct patient patient = {.birth_time = span_of_cstr(birth_date), .sex = span_of_cstr(sex)};
    struct person_name parts = {.use = SPAN("L")};
    struct span rest = span_of_cstr(name), given;
    struct ident ident = {0};
    struct diag diag = {0};

    (void)span_split(&rest, ',', &parts.family);
    while (span_split(&rest, '+', &given)) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &parts.given, given));
    }
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &patient.names, parts));
    if (id != NULL) {
        rest = span_of_cstr(id);
        (void)span_split(&rest, ':', &ident.root);
        ident.extension = rest;
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &patient.ids, ident));
    }
    return patient;
}

struct document_entry
fixture_entry(struct arena *arena)
{
    const struct code normal = {SPAN("N"), SPAN("2.16.840.1.113883.5.25"), SPAN("Normal")};
    struct document_entry entry = {
        .mime_type = SPAN("text/xml"),
        .title = SPAN("Summary"),
        .creation_time = SPAN("20130701103445"),
        .language = SPAN("en-US"),
        .class_code = {SPAN("c"), SPAN("2.999.9"), SPAN("Class")},
        .type_code = {SPAN("t"), SPAN("2.999.9"), SPAN("Type")},
        .format_code = {SPAN("f"), SPAN("2.999.9"), SPAN("Format")},
        .facility_type = {SPAN("h"), SPAN("2.999.9"), SPAN("Facility")},
        .practice_setting = {SPAN("p"), SPAN("2.999.9"), SPAN("Practice")},
    };
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &entry.confidentiality, normal));
    return entry;
}

struct store_put_result
fixture_put(struct store *store, struct arena *arena, const struct patient *patient,
            const char *bytes)
{
    const struct document_entry entry = fixture_entry(arena);
    const struct store_document document = {
        .patient = patient, .entry = &entry, .bytes = span_of_cstr(bytes)};
    struct store_put_result result = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_put_document(store, &document, arena, &diag, &result));
    return result;
}

struct store_counts
fixture_count(struct store *store)
{
    struct store_counts counts = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_count(store, &diag, &counts));
    return counts;
}
