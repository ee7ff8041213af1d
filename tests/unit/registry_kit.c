/* Makes stores and submissions for the tests of the registry. One thread. */
#include "tests/unit/registry_kit.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SCHEME "2.999.9"

struct span
kit_span(struct shelf *shelf, const char *format, ...)
{
    char text[512];
    struct span copy = SPAN_EMPTY;
    struct diag diag = {0};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    CHECK_OK(&diag, arena_dup(shelf->arena, span_of_cstr(text), &diag, &copy));
    return copy;
}

void
kit_open(struct shelf *shelf)
{
    struct diag diag = {0};

    shelf->arena = arena_new(4 * ARENA_LIMIT_DEFAULT);
    CU_ASSERT_FATAL(shelf->arena != NULL);
    shelf->store = fixture_open(fixture_path(shelf->path), NULL);
    const struct patient ann =
        fixture_patient(shelf->arena, "Jones,Ann", "19470501", "F", "2.999.5:17");
    const struct patient bob = fixture_patient(shelf->arena, "Jones,Bob", "19470501", "M", NULL);

    shelf->ann = fixture_put(shelf->store, shelf->arena, &ann, "ann's").patient_id;
    shelf->bob = fixture_put(shelf->store, shelf->arena, &bob, "bob's").patient_id;
    shelf->ann_source = ann.ids.items[0];
    CHECK_OK(&diag, ident_read_cx(shelf->ann, &diag, &shelf->ann_id));
}

void
kit_close(struct shelf *shelf)
{
    store_close(shelf->store);
    arena_free(shelf->arena);
}

void
kit_reopen(struct shelf *shelf)
{
    store_close(shelf->store);
    shelf->store = fixture_open(shelf->path, NULL);
}

void
kit_sql(const char *path, const char *sql)
{
    sqlite3 *handle = NULL;

    CU_ASSERT_FATAL(sqlite3_open(path, &handle) == SQLITE_OK);
    CU_ASSERT(sqlite3_exec(handle, sql, NULL, NULL, NULL) == SQLITE_OK);
    (void)sqlite3_close(handle);
}

long
kit_number(const struct shelf *shelf, const char *sql)
{
    sqlite3 *handle = NULL;
    sqlite3_stmt *stmt = NULL;
    long number = -1;

    CU_ASSERT_FATAL(sqlite3_open(shelf->path, &handle) == SQLITE_OK);
    CU_ASSERT_FATAL(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL) == SQLITE_OK);
    if (sqlite3_step(stmt) == SQLITE_ROW) {
        number = (long)sqlite3_column_int64(stmt, 0);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(handle);
    return number;
}

long
kit_rows(const struct shelf *shelf)
{
    return kit_number(shelf, "SELECT (SELECT count(*) FROM documents)"
                             " + (SELECT count(*) FROM packages)"
                             " + (SELECT count(*) FROM associations)"
                             " + (SELECT count(*) FROM contents)"
                             " + (SELECT count(*) FROM document_codes)"
                             " + (SELECT count(*) FROM document_texts)"
                             " + (SELECT count(*) FROM document_authors)"
                             " + (SELECT count(*) FROM package_codes)"
                             " + (SELECT count(*) FROM package_authors)"
                             " + (SELECT count(*) FROM object_slots)"
                             " + (SELECT count(*) FROM identifiers)"
                             " + (SELECT count(*) FROM patients)");
}

/* ---- a store of before ---- */

static const char old_people[] =
    "CREATE TABLE meta ("
    "  key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE patients ("
    "  id INTEGER PRIMARY KEY,"
    "  public_id TEXT NOT NULL UNIQUE,"
    "  birth_time TEXT NOT NULL,"
    "  birth_date TEXT NOT NULL,"
    "  sex TEXT NOT NULL,"
    "  added_us INTEGER NOT NULL) STRICT;"
    "CREATE INDEX patients_birth_date ON patients (birth_date);"
    "CREATE TABLE names ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  family TEXT NOT NULL, given TEXT NOT NULL, prefix TEXT NOT NULL, suffix TEXT NOT NULL,"
    "  use TEXT NOT NULL, family_key TEXT NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX names_family_key ON names (family_key, patient);"
    "CREATE TABLE identifiers ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  root TEXT NOT NULL, extension TEXT NOT NULL, authority TEXT NOT NULL,"
    "  extension_key TEXT NOT NULL, unreliable INTEGER NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX identifiers_key ON identifiers (root, extension_key, patient);"

    "CREATE TABLE addresses ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  street TEXT NOT NULL, city TEXT NOT NULL, state TEXT NOT NULL,"
    "  postal_code TEXT NOT NULL, country TEXT NOT NULL, use TEXT NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE telecoms ("
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  position INTEGER NOT NULL,"
    "  value TEXT NOT NULL, use TEXT NOT NULL,"
    "  PRIMARY KEY (patient, position)) STRICT, WITHOUT ROWID;";

static const char old_documents[] =
    "CREATE TABLE documents ("
    "  id INTEGER PRIMARY KEY,"
    "  patient INTEGER NOT NULL REFERENCES patients (id),"
    "  sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),"
    "  entry_uuid TEXT NOT NULL UNIQUE,"
    "  unique_id TEXT NOT NULL UNIQUE,"
    "  is_unique_id_made INTEGER NOT NULL,"
    "  header_id TEXT NOT NULL,"
    "  patient_rule TEXT NOT NULL,"
    "  added_us INTEGER NOT NULL,"
    "  mime_type TEXT NOT NULL, object_type TEXT NOT NULL, status TEXT NOT NULL,"
    "  title TEXT NOT NULL, comments TEXT NOT NULL,"
    "  creation_time TEXT NOT NULL, service_start TEXT NOT NULL, service_stop TEXT NOT NULL,"
    "  creation_key TEXT NOT NULL, service_start_key TEXT NOT NULL,"
    "  service_stop_key TEXT NOT NULL,"
    "  language TEXT NOT NULL, hash TEXT NOT NULL, uri TEXT NOT NULL,"
    "  legal_authenticator TEXT NOT NULL, size INTEGER NOT NULL) STRICT;"
    "CREATE INDEX documents_patient ON documents (patient, status);"

    "CREATE TABLE document_codes ("
    "  document INTEGER NOT NULL REFERENCES documents (id),"
    "  kind INTEGER NOT NULL, position INTEGER NOT NULL,"
    "  code TEXT NOT NULL, scheme TEXT NOT NULL, display TEXT NOT NULL,"
    "  PRIMARY KEY (document, kind, position)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE document_authors ("
    "  document INTEGER NOT NULL REFERENCES documents (id),"
    "  position INTEGER NOT NULL,"
    "  person TEXT NOT NULL, institution TEXT NOT NULL, role TEXT NOT NULL,"
    "  specialty TEXT NOT NULL, telecom TEXT NOT NULL,"
    "  PRIMARY KEY (document, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE document_texts ("
    "  document INTEGER NOT NULL REFERENCES documents (id),"
    "  kind INTEGER NOT NULL, position INTEGER NOT NULL,"
    "  value TEXT NOT NULL,"
    "  PRIMARY KEY (document, kind, position)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE contents ("
    "  document INTEGER PRIMARY KEY REFERENCES documents (id),"
    "  bytes BLOB NOT NULL) STRICT;";

static const char old_rows[] =
    "INSERT INTO meta VALUES ('community', '" FIXTURE_COMMUNITY "'),"
    " ('patient authority', '" FIXTURE_AUTHORITY "'), ('repository', '" FIXTURE_REPOSITORY "');"
    "INSERT INTO patients VALUES (7, 'old-patient', '19470501', '19470501', 'F', 1);"
    "INSERT INTO names VALUES (7, 0, 'Jones', 'Ann', '', '', 'L', 'jones');"
    "INSERT INTO documents VALUES (9, 7,"
    " x'b4dddecf813201f4a83f2ae71f6fa1a03ea961c3738e3da7fff94859c5ad1c17',"
    " 'urn:uuid:11111111-2222-4333-8444-555555555555', '2.999.7.4', 0, '', 'NO_CANDIDATE', 1,"
    " 'text/xml', '" DOCUMENT_STABLE "', '" DOCUMENT_APPROVED "', 'Old', '', '2013', '', '',"
    " '20130101000000', '', '', 'en', 'h', '', '', 9);"
    "INSERT INTO document_codes VALUES (9, 1, 0, 'c', '2.999.9', 'Class');"
    "INSERT INTO document_authors VALUES (9, 0, '^Seven^Henry', '', '', '', '');"
    "INSERT INTO contents VALUES (9, CAST('old bytes' AS BLOB));"
    "PRAGMA application_id = 1230197832; PRAGMA user_version = 4";

void
kit_make_version_4(const char *path)
{
    kit_sql(path, old_people);
    kit_sql(path, old_documents);
    kit_sql(path, old_rows);
}

/* ---- submissions ---- */

#define A_CODE ((struct code){SPAN("a"), SPAN(SCHEME), SPAN("A code")})

void
kit_begin(struct kit *kit, struct shelf *shelf)
{
    static int n = 0;
    const struct author author = {.person = SPAN("^Seven^Henry"), .role = SPAN("role")};
    struct submission_set set = {
        .entry_uuid = SPAN("set"),
        .source_id = SPAN("2.999.6"),
        .patient_id = shelf->ann,
        .submission_time = SPAN("20260102030405"),
        .title = SPAN("A submission"),
        .content_type = A_CODE,
    };
    struct diag diag = {0};

    *kit = (struct kit){.shelf = shelf, .patients = STORE_PATIENTS_KNOWN};
    set.unique_id = kit_span(shelf, "2.999.8.%d", ++n);
    CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &set.authors, author));
    CHECK_OK(&diag, ARENA_PUSH(shelf->arena, &diag, &kit->objects.submission_sets, set));
}

struct submission_set *
kit_set(struct kit *kit)
{
    return &kit->objects.submission_sets.items[0];
}

struct association *
kit_associate(struct kit *kit, const char *type, const char *source, const char *target)
{
    const struct association association = {
        .type = span_of_cstr(type), .source = span_of_cstr(source), .target = span_of_cstr(target)};
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(kit->shelf->arena, &diag, &kit->objects.associations, association));
    return &kit->objects.associations.items[kit->objects.associations.n - 1];
}

struct document_entry *
kit_document(struct kit *kit, const char *id, const char *unique_id, const char *bytes)
{
    struct document_entry entry = fixture_entry(kit->shelf->arena);
    struct diag diag = {0};

    entry.entry_uuid = span_of_cstr(id);
    entry.unique_id = span_of_cstr(unique_id);
    entry.patient_id = kit->shelf->ann;
    entry.source_patient_id = SPAN("17^^^&2.999.5&ISO");
    entry.object_type = SPAN(DOCUMENT_STABLE);
    CHECK_OK(&diag, ARENA_PUSH(kit->shelf->arena, &diag, &kit->objects.documents, entry));
    kit_associate(kit, ASSOCIATION_HAS_MEMBER, "set", id)->submission_set_status = SPAN("Original");
    if (bytes != NULL) {
        CU_ASSERT_FATAL(kit->documents_n < KIT_DOCUMENTS);
        kit->bodies[kit->documents_n] = body_over(span_of_cstr(bytes));
        kit->documents[kit->documents_n] =
            (struct submitted_document){entry.entry_uuid, &kit->bodies[kit->documents_n]};
        kit->documents_n++;
    }
    return &kit->objects.documents.items[kit->objects.documents.n - 1];
}

struct folder *
kit_folder(struct kit *kit, const char *id, const char *unique_id)
{
    struct folder folder = {
        .entry_uuid = span_of_cstr(id),
        .unique_id = span_of_cstr(unique_id),
        .patient_id = kit->shelf->ann,
        .title = SPAN("A folder"),
    };
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(kit->shelf->arena, &diag, &folder.codes, A_CODE));
    CHECK_OK(&diag, ARENA_PUSH(kit->shelf->arena, &diag, &kit->objects.folders, folder));
    (void)kit_associate(kit, ASSOCIATION_HAS_MEMBER, "set", id);
    return &kit->objects.folders.items[kit->objects.folders.n - 1];
}

struct store_submitted
kit_submit(struct kit *kit)
{
    const struct store_submission submission = {.objects = &kit->objects,
                                                .documents = kit->documents,
                                                .documents_n = kit->documents_n,
                                                .patients = kit->patients,
                                                .is_foreign = kit->sender != NULL,
                                                .sender = span_of_cstr(kit->sender),
                                                .write_texts = kit->write_texts};
    struct store_submitted submitted = {.errors = {0}};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag, store_submit(kit->shelf->store, &submission, NULL, kit->shelf->arena, &diag,
                                 &answer, &submitted));
    CU_ASSERT(answer == ANSWER_NOW);
    return submitted;
}

struct registry_objects
kit_store(struct kit *kit)
{
    const struct store_submitted submitted = kit_submit(kit);

    for (size_t i = 0; i < submitted.errors.n; i++) {
        CU_ASSERT(submitted.errors.items[i].is_warning);
        (void)printf("      refused: %.*s: %.*s\n", SPAN_PRINT(submitted.errors.items[i].code),
                     SPAN_PRINT(submitted.errors.items[i].context));
    }
    CU_ASSERT_FATAL(submitted.objects.submission_sets.n == 1);
    return submitted.objects;
}

void
kit_refused(struct kit *kit, const char *code, const char *context)
{
    const long before = kit_rows(kit->shelf);
    const struct store_submitted submitted = kit_submit(kit);
    bool is_found = false;

    for (size_t i = 0; i < submitted.errors.n; i++) {
        const struct registry_error *error = &submitted.errors.items[i];

        is_found = is_found || (!error->is_warning && span_eq_cstr(error->code, code) &&
                                span_find(error->context, span_of_cstr(context)) != SPAN_MISSING);
    }
    if (!is_found) {
        (void)printf("      wanted %s: %s\n", code, context);
        for (size_t i = 0; i < submitted.errors.n; i++) {
            (void)printf("      got %.*s: %.*s\n", SPAN_PRINT(submitted.errors.items[i].code),
                         SPAN_PRINT(submitted.errors.items[i].context));
        }
    }
    CU_ASSERT(is_found);
    CU_ASSERT(submitted.objects.submission_sets.n == 0 && submitted.objects.documents.n == 0);
    CU_ASSERT_EQUAL(kit_rows(kit->shelf), before);
}

const char *
kit_put(struct shelf *shelf, const char *unique_id, const char *bytes)
{
    struct kit kit;

    kit_begin(&kit, shelf);
    (void)kit_document(&kit, "document", unique_id, bytes);
    return kit_store(&kit).documents.items[0].entry_uuid.p; /* a NUL follows: arena_printf */
}

void
kit_expect_bytes(struct shelf *shelf, const char *unique_id, const char *want_id, const char *bytes)
{
    const struct document_ref ref = {SPAN_EMPTY, SPAN(FIXTURE_REPOSITORY), span_of_cstr(unique_id)};
    struct document_entry entry = {0};
    enum answer answer = ANSWER_LATER;
    struct buf scratch;
    struct span all = SPAN_EMPTY;
    struct body body;
    struct diag diag = {0};

    if (CHECK_OK(&diag, store_retrieve(shelf->store, &ref, NULL, shelf->arena, &diag, &answer,
                                       &entry, &body))) {
        buf_init(&scratch, 1024 * 1024);
        CHECK_OK(&diag, body_span(&body, &scratch, &diag, &all));
        CHECK_SPAN(all, bytes);
        CHECK_SPAN(entry.unique_id, want_id);
        buf_done(&scratch);
        body_done(&body);
    }
}

static const char *
put_demand(struct shelf *shelf)
{
    struct kit kit;

    kit_begin(&kit, shelf);
    struct document_entry *entry = kit_document(&kit, "od", "2.999.7.90", NULL);
    entry->object_type = SPAN(DOCUMENT_ON_DEMAND);
    entry->creation_time = SPAN_EMPTY;
    return kit_store(&kit).documents.items[0].entry_uuid.p;
}

void
kit_open_known(struct kit_known *known)
{
    struct shelf *shelf = &known->shelf;
    struct registry_objects objects;
    struct kit kit;

    kit_open(shelf);
    kit_begin(&kit, shelf);
    (void)kit_document(&kit, "d", "2.999.7.10", "old");
    (void)kit_folder(&kit, "f", "2.999.7.11");
    (void)kit_associate(&kit, ASSOCIATION_HAS_MEMBER, "f", "d");
    objects = kit_store(&kit);
    known->old = objects.documents.items[0].entry_uuid.p;
    known->folder = objects.folders.items[0].entry_uuid.p;
    known->gone = kit_put(shelf, "2.999.7.12", "gone");
    kit_begin(&kit, shelf);
    (void)kit_document(&kit, "d", "2.999.7.13", "after");
    (void)kit_associate(&kit, ASSOCIATION_REPLACE, "d", known->gone);
    (void)kit_store(&kit);
    known->demand = put_demand(shelf);
    kit_begin(&kit, shelf);
    kit_set(&kit)->patient_id = shelf->bob;
    kit_document(&kit, "d", "2.999.7.14", "bob's second")->patient_id = shelf->bob;
    kit_folder(&kit, "f", "2.999.7.15")->patient_id = shelf->bob;
    objects = kit_store(&kit);
    known->of_bob = objects.documents.items[0].entry_uuid.p;
    known->folder_of_bob = objects.folders.items[0].entry_uuid.p;
}
