/*
 * The store in real SQLite files: opening, putting, ids of documents, retrieval.
 * Negative cases first.
 */
#include "store/store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ids.h"
#include "tests/unit/store_fixture.h"

static struct arena *
new_arena(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    CU_ASSERT_FATAL(arena != NULL);
    return arena;
}

/* Behind the store's back. */
static void
tamper(const char *path, const char *sql)
{
    sqlite3 *handle = NULL;

    CU_ASSERT_FATAL(sqlite3_open(path, &handle) == SQLITE_OK);
    CU_ASSERT(sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK);
    CU_ASSERT(sqlite3_close(handle) == SQLITE_OK);
}

static void
expect_open(const char *path, const char *community, bool is_read_only, enum err want,
            const char *hint)
{
    const struct store_options options = {
        .path = path,
        .community = community,
        .patient_authority = FIXTURE_AUTHORITY,
        .repository = FIXTURE_REPOSITORY,
        .is_read_only = is_read_only,
        .clock = clock_system(),
    };
    struct store *store = NULL;
    struct diag diag = {0};

    if (want == ERR_NONE) {
        CHECK_OK(&diag, store_open(&options, &diag, &store));
    } else {
        CHECK_ERR(&diag, want, store_open(&options, &diag, &store));
        CU_ASSERT(store == NULL);
        if (strstr(diag.text, hint) == NULL) {
            printf("\n    '%s' does not say '%s'\n", diag.text, hint);
            CU_FAIL("the reason is not named");
        }
    }
    store_close(store);
}

static void
opening_is_refused(void)
{
    char path[512];
    FILE *file = NULL;

    expect_open("/nowhere/at/all.db", FIXTURE_COMMUNITY, false, ERR_STORE, "/nowhere/at/all.db");
    expect_open(fixture_path(path), FIXTURE_COMMUNITY, true, ERR_STORE, path); /* nothing there */
    expect_open(fixture_path(path), "urn:oid:2.999.1", false, ERR_STORE, "bare OID");
    expect_open(fixture_path(path), NULL, false, ERR_STORE, "bare OID");

    file = fopen(fixture_path(path), "w");
    CU_ASSERT_FATAL(file != NULL);
    for (int i = 0; i < 1000; i++) {
        (void)fputs("this is no database. ", file);
    }
    (void)fclose(file);
    expect_open(path, FIXTURE_COMMUNITY, false, ERR_STORE, "not a database");

    tamper(fixture_path(path), "CREATE TABLE t (a)");
    expect_open(path, FIXTURE_COMMUNITY, false, ERR_STORE, "another program");
    tamper(path, "PRAGMA application_id = 1230197832; PRAGMA user_version = 99");
    expect_open(path, FIXTURE_COMMUNITY, false, ERR_STORE, "version 99");

    store_close(fixture_open(fixture_path(path), NULL));
    expect_open(path, "2.999.2", false, ERR_STORE, "another community");
    expect_open(path, FIXTURE_COMMUNITY, false, ERR_NONE, "");
    expect_open(path, FIXTURE_COMMUNITY, true, ERR_NONE, "");
}

static void
only_the_owner_may_read_the_file(void)
{
    char path[512];
    struct stat info;

    store_close(fixture_open(fixture_path(path), NULL));
    CU_ASSERT_FATAL(stat(path, &info) == 0);
    CU_ASSERT((info.st_mode & 0777) == 0600);
}

static void
expect_put(struct store *store, struct arena *arena, const struct document_entry *entry,
           const char *bytes, enum err want)
{
    const struct patient patient =
        fixture_patient(arena, "Jones,Ann", "19470501", "F", "2.999.5:1");
    const struct store_document document = {
        .patient = &patient, .entry = entry, .bytes = span_of_cstr(bytes)};
    struct store_put_result result = {0};
    struct diag diag = {0};

    CHECK_ERR(&diag, want, store_put_document(store, &document, arena, &diag, &result));
}

static void
incomplete_entries_are_refused_whole(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    struct document_entry entry = fixture_entry(arena);

#define EXPECT_REFUSED(member, value)                                                              \
    entry = fixture_entry(arena);                                                                  \
    entry.member = (value);                                                                        \
    expect_put(store, arena, &entry, "bytes", ERR_DOCUMENT)

    EXPECT_REFUSED(mime_type, SPAN_EMPTY);
    EXPECT_REFUSED(creation_time, SPAN_EMPTY);
    EXPECT_REFUSED(creation_time, SPAN("20131301"));
    EXPECT_REFUSED(creation_time, SPAN("201"));
    EXPECT_REFUSED(service_start, SPAN("yesterday"));
    EXPECT_REFUSED(service_stop, SPAN("20130701103445+0100"));
    EXPECT_REFUSED(type_code.value, SPAN_EMPTY);
    EXPECT_REFUSED(type_code.scheme, SPAN_EMPTY);
    EXPECT_REFUSED(class_code.value, SPAN_EMPTY);
    EXPECT_REFUSED(format_code.value, SPAN_EMPTY);
    EXPECT_REFUSED(facility_type.value, SPAN_EMPTY);
    EXPECT_REFUSED(practice_setting.value, SPAN_EMPTY);
    EXPECT_REFUSED(confidentiality.n, 0);
    entry = fixture_entry(arena);
    expect_put(store, arena, &entry, "", ERR_DOCUMENT);
    /* Times are checked after the patient was written: nothing of him may stay. */
    CU_ASSERT(fixture_count(store).patients == 0);
    CU_ASSERT(fixture_count(store).documents == 0);
    store_close(store);
    arena_free(arena);
}

static void
a_read_only_store_takes_nothing(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient patient = fixture_patient(arena, "Jones,Ann", "19470501", "F", NULL);
    const struct document_entry entry = fixture_entry(arena);
    struct store_options options = {
        .path = path,
        .community = FIXTURE_COMMUNITY,
        .patient_authority = FIXTURE_AUTHORITY,
        .repository = FIXTURE_REPOSITORY,
        .is_read_only = true,
        .clock = clock_system(),
    };
    struct store *reader = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, store_open(&options, &diag, &reader));
    CU_ASSERT_FATAL(reader != NULL);
    expect_put(reader, arena, &entry, "bytes", ERR_STORE);
    (void)fixture_put(store, arena, &patient, "bytes");
    CU_ASSERT(fixture_count(reader).documents == 1); /* it sees what others write */
    store_close(reader);
    store_close(store);
    arena_free(arena);
}

/* ---- ids of documents ---- */

#define MADE "2.25." /* what ours begin with */

static const struct {
    const char *bytes, *unique_id, *header_id;
    const char *want_id, *want_reference; /* NULL: made, none */
} id_rows[] = {
    {"one", "2.999.7^A", "2.999.7^A", "2.999.7^A", NULL},
    {"two", "2.999.7^A", "2.999.7^A", NULL, "A^^^&2.999.7&ISO^urn:ihe:iti:xds:2013:uniqueId"},
    {"three", "2.999.7", "2.999.7", "2.999.7", NULL},
    {"four", "2.999.7", "2.999.7", NULL, "2.999.7^^^^urn:ihe:iti:xds:2013:uniqueId"},
    {"five", "", "db734647-fc99-424c-a864-7e3cda82e703", NULL,
     "db734647-fc99-424c-a864-7e3cda82e703^^^^urn:ihe:iti:xds:2013:uniqueId"},
    {"six", "", "db734647-fc99-424c-a864-7e3cda82e703^7", NULL,
     "7^^^&db734647-fc99-424c-a864-7e3cda82e703&UUID^urn:ihe:iti:xds:2013:uniqueId"},
    {"seven", "2.999.7^12345678901234567", "2.999.7^12345678901234567", NULL,
     "12345678901234567^^^&2.999.7&ISO^urn:ihe:iti:xds:2013:uniqueId"},
    {"eight", "", "2.999.7^a^b&c", NULL,
     "a\\S\\b\\T\\c^^^&2.999.7&ISO^urn:ihe:iti:xds:2013:uniqueId"},
    {"nine", "", "", NULL, NULL},
};

static void
check_document(struct store *store, struct arena *arena, struct span unique_id, const char *bytes,
               const char *reference)
{
    const struct document_ref ref = {SPAN("urn:oid:" FIXTURE_COMMUNITY), SPAN(FIXTURE_REPOSITORY),
                                     unique_id};
    struct document_entry entry = {0};
    struct body body;
    struct buf scratch;
    struct span content = SPAN_EMPTY;
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    body_init(&body);
    buf_init(&scratch, 1024);
    CHECK_OK(&diag, store_retrieve(store, &ref, NULL, arena, &diag, &answer, &entry, &body));
    CU_ASSERT(answer == ANSWER_NOW);
    CHECK_OK(&diag, body_span(&body, &scratch, &diag, &content));
    CHECK_SPAN(content, bytes);
    CU_ASSERT(entry.size == strlen(bytes));
    CU_ASSERT(entry.hash.n == 40);
    CU_ASSERT(entry.reference_ids.n == (reference == NULL ? 0 : 1));
    if (reference != NULL && entry.reference_ids.n == 1) {
        CHECK_SPAN(entry.reference_ids.items[0], reference);
    }
    body_done(&body);
    buf_done(&scratch);
}

static void
document_ids_follow_the_header_or_the_bytes(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient patient = fixture_patient(arena, "Jones,Ann", "19470501", "F", NULL);

    for (size_t i = 0; i < ARRAY_LEN(id_rows); i++) {
        struct document_entry entry = fixture_entry(arena);
        const struct store_document document = {
            .patient = &patient,
            .entry = &entry,
            .header_id = span_of_cstr(id_rows[i].header_id),
            .bytes = span_of_cstr(id_rows[i].bytes),
        };
        struct store_put_result first = {0}, second = {0};
        struct diag diag = {0};

        entry.unique_id = span_of_cstr(id_rows[i].unique_id);
        CHECK_OK(&diag, store_put_document(store, &document, arena, &diag, &first));
        CU_ASSERT(first.kind == STORE_PUT_NEW);
        CU_ASSERT(first.is_unique_id_made == (id_rows[i].want_id == NULL));
        if (id_rows[i].want_id != NULL) {
            CHECK_SPAN(first.unique_id, id_rows[i].want_id);
        } else {
            CU_ASSERT(span_starts_with(first.unique_id, SPAN(MADE)));
            CU_ASSERT(oid_is_valid(first.unique_id));
        }
        check_document(store, arena, first.unique_id, id_rows[i].bytes, id_rows[i].want_reference);

        CHECK_OK(&diag, store_put_document(store, &document, arena, &diag, &second));
        CU_ASSERT(second.kind == STORE_PUT_KNOWN);
        CU_ASSERT(span_eq(second.unique_id, first.unique_id));
        CU_ASSERT(span_eq(second.patient_id, first.patient_id));
        CU_ASSERT(second.is_unique_id_made == first.is_unique_id_made);
        CU_ASSERT(!second.is_new_patient);
    }
    CU_ASSERT(fixture_count(store).documents == ARRAY_LEN(id_rows));
    CU_ASSERT(fixture_count(store).patients == 1);
    store_close(store);
    arena_free(arena);
}

/* The made id of some bytes is the same everywhere, and cannot be stolen by a header. */
static void
made_ids_come_from_the_bytes(void)
{
    char path[512];
    struct arena *arena = new_arena();
    struct store *one = fixture_open(fixture_path(path), NULL);
    struct store *two = fixture_open(fixture_path(path), NULL);
    struct store *three = fixture_open(fixture_path(path), NULL);
    const struct patient patient = fixture_patient(arena, "Jones,Ann", "19470501", "F", NULL);
    const struct store_put_result a = fixture_put(one, arena, &patient, "the bytes");
    const struct store_put_result b = fixture_put(two, arena, &patient, "the bytes");
    struct document_entry entry = fixture_entry(arena);
    const struct store_document thief = {
        .patient = &patient, .entry = &entry, .bytes = SPAN("other bytes")};
    struct store_put_result c = {0};
    struct diag diag = {0};

    CU_ASSERT(span_eq(a.unique_id, b.unique_id));
    CU_ASSERT(!span_eq(a.patient_id, b.patient_id)); /* people's ids are random */
    entry.unique_id = a.unique_id;
    CHECK_OK(&diag, store_put_document(three, &thief, arena, &diag, &c));
    CU_ASSERT(!c.is_unique_id_made);
    c = fixture_put(three, arena, &patient, "the bytes");
    CU_ASSERT(c.kind == STORE_PUT_NEW);
    CU_ASSERT(!span_eq(c.unique_id, a.unique_id));
    store_close(one);
    store_close(two);
    store_close(three);
    arena_free(arena);
}

static void
retrieval_is_refused(void)
{
    static const struct {
        const char *home, *repository, *unique_id;
        enum err want;
    } rows[] = {
        {"urn:oid:2.999.2", FIXTURE_REPOSITORY, "2.999.7", ERR_UNKNOWN_COMMUNITY},
        {"nonsense", FIXTURE_REPOSITORY, "2.999.7", ERR_UNKNOWN_COMMUNITY},
        {"", "2.999.3", "2.999.7", ERR_UNKNOWN_REPOSITORY},
        {"", "", "2.999.7", ERR_UNKNOWN_REPOSITORY},
        {"", FIXTURE_REPOSITORY, "2.999.8", ERR_UNKNOWN_DOCUMENT},
        {"", FIXTURE_REPOSITORY, "", ERR_UNKNOWN_DOCUMENT},
        {"", FIXTURE_REPOSITORY, "2.999.7' OR '1'='1", ERR_UNKNOWN_DOCUMENT},
        {"", FIXTURE_REPOSITORY, "2.999.7", ERR_STORE}, /* its bytes were changed */
    };
    char path[512];
    struct arena *arena = new_arena();
    struct store *store = fixture_open(fixture_path(path), NULL);
    const struct patient patient = fixture_patient(arena, "Jones,Ann", "19470501", "F", NULL);
    struct document_entry entry = fixture_entry(arena);
    const struct store_document document = {
        .patient = &patient, .entry = &entry, .bytes = SPAN("the bytes")};
    struct store_put_result result = {0};
    struct diag diag = {0};

    entry.unique_id = SPAN("2.999.7");
    CHECK_OK(&diag, store_put_document(store, &document, arena, &diag, &result));
    tamper(path, "UPDATE contents SET bytes = x'746865204259544573'");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct document_ref ref = {span_of_cstr(rows[i].home),
                                         span_of_cstr(rows[i].repository),
                                         span_of_cstr(rows[i].unique_id)};
        enum answer answer = ANSWER_LATER;
        struct body body;

        body_init(&body);
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i].want,
                  store_retrieve(store, &ref, NULL, arena, &diag, &answer, &entry, &body));
        CU_ASSERT(body.size == 0);
        body_done(&body);
    }
    store_close(store);
    arena_free(arena);
}

/* ---- every failed allocation ---- */

static char torture_path[512];

static struct status
put_once(struct diag *diag)
{
    static const struct span given = {"Ann", 3};
    static const struct code code = {{"c", 1}, {"2.999.9", 7}, {"Code", 4}};
    struct ident id = {SPAN("2.999.5"), SPAN("1"), SPAN_EMPTY};
    struct person_name name = {.family = SPAN("Jones"), .given = {(struct span *)&given, 1, 1}};
    const struct patient patient = {.ids = {&id, 1, 1},
                                    .names = {&name, 1, 1},
                                    .birth_time = SPAN("19470501"),
                                    .sex = SPAN("F")};
    const struct document_entry entry = {.mime_type = SPAN("text/plain"),
                                         .creation_time = SPAN("2013"),
                                         .class_code = code,
                                         .type_code = code,
                                         .format_code = code,
                                         .facility_type = code,
                                         .practice_setting = code,
                                         .confidentiality = {(struct code *)&code, 1, 1}};
    const struct store_document document = {
        .patient = &patient, .entry = &entry, .header_id = SPAN("2.999^1"), .bytes = SPAN("b")};
    const struct store_options options = {
        torture_path, FIXTURE_COMMUNITY, FIXTURE_AUTHORITY, FIXTURE_REPOSITORY,
        false,        clock_system()};
    struct store_put_result result;
    struct store *store = NULL;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct status st = OK;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    st = store_open(&options, diag, &store);
    if (is_ok(st)) {
        st = store_put_document(store, &document, arena, diag, &result);
        CU_ASSERT(!is_ok(st) || result.kind == STORE_PUT_NEW); /* no failed run left anything */
    }
    store_close(store);
    arena_free(arena);
    return st;
}

static void
every_failed_allocation_is_survived(void)
{
    (void)fixture_path(torture_path);
    unit_torture(put_once);
}

static const struct unit_test tests[] = {
    {"opening is refused", opening_is_refused},
    {"only the owner may read the file", only_the_owner_may_read_the_file},
    {"incomplete entries are refused whole", incomplete_entries_are_refused_whole},
    {"a read-only store takes nothing", a_read_only_store_takes_nothing},
    {"retrieval is refused", retrieval_is_refused},
    {"document ids follow the header or the bytes", document_ids_follow_the_header_or_the_bytes},
    {"made ids come from the bytes", made_ids_come_from_the_bytes},
    {"every failed allocation is survived", every_failed_allocation_is_survived},
};

UNIT_MAIN("store", tests)
