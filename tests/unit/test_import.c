/*
 * Imports of files and folders into real stores: what is refused and why, sidecars, and the whole
 * real corpus with its traps.
 */
#include "cli/import.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/datetime.h"
#include "tests/unit/store_fixture.h"

#define FILES_MAX 128

/* What the listener heard, kept for the test. */
struct heard {
    struct import_listener listener; /* first member */
    size_t n;
    struct {
        char path[512], unique_id[160], patient_id[160], reason[1024];
        enum import_outcome outcome;
    } files[FILES_MAX];
};

static void
hear(struct import_listener *listener, const struct import_file *file)
{
    struct heard *heard = (struct heard *)listener;

    CU_ASSERT_FATAL(heard->n < FILES_MAX);
#define KEEP(member, span)                                                                         \
    (void)snprintf(heard->files[heard->n].member, sizeof(heard->files[heard->n].member), "%.*s",   \
                   SPAN_PRINT(span))
    KEEP(path, span_of_cstr(file->path));
    KEEP(unique_id, file->unique_id);
    KEEP(patient_id, file->patient_id);
    KEEP(reason, file->reason);
#undef KEEP
    heard->files[heard->n++].outcome = file->outcome;
}

static struct import_summary
import(struct store *store, const char *path, struct heard *heard)
{
    struct import_summary summary = {0};
    struct diag diag = {0};

    memset(heard, 0, sizeof(*heard));
    heard->listener.on_file = hear;
    CHECK_OK(&diag, import_paths(store, &path, 1, &heard->listener, &diag, &summary));
    CU_ASSERT(summary.files == heard->n);
    return summary;
}

static struct heard heard; /* too large for a stack */

/* ---- files made here ---- */

static const char *
make_folder(void)
{
    static char folder[300];
    static int n = 0;

    (void)snprintf(folder, sizeof(folder), "%s/files-%d", unit_temp_dir(), n++);
    CU_ASSERT_FATAL(mkdir(folder, 0700) == 0);
    return folder;
}

static void
make_file(const char *folder, const char *name, const char *text)
{
    char path[512];
    FILE *file = NULL;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    file = fopen(path, "w");
    CU_ASSERT_FATAL(file != NULL);
    (void)fputs(text, file);
    (void)fclose(file);
}

#define CCDA(names, birth)                                                                         \
    "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><code code=\"34133-9\" "                           \
    "codeSystem=\"2.16.840.1.113883.6.1\"/><effectiveTime value=\"2013\"/><recordTarget>"          \
    "<patientRole><patient>" names "<birthTime value=\"" birth "\"/></patient></patientRole>"      \
    "</recordTarget></ClinicalDocument>"
#define ANN "<name><given>Ann</given><family>Jones</family></name>"

#define SIDECAR                                                                                    \
    "patient: {names: [{family: Jones, given: [Ann]}], birth_date: 1947-05-01}\n"                  \
    "document:\n"                                                                                  \
    "  mime_type: application/pdf\n"                                                               \
    "  creation_time: 2013\n"                                                                      \
    "  type: {code: 11488-4, system: 2.16.840.1.113883.6.1}\n"                                     \
    "  confidentiality: {code: N, system: 2.16.840.1.113883.5.25}\n"

static const struct {
    const char *name, *text;
    const char *reason; /* NULL: it goes in */
} files[] = {
    {"a-empty.xml", "", "empty"},
    {"b-good.xml", CCDA(ANN, "19470501"), NULL},
    {"c-broken.xml", "<ClinicalDocument xmlns=\"urn:hl7-org:v3\"><a></b>", "not well-formed"},
    {"d-dtd.xml", "<!DOCTYPE ClinicalDocument>" CCDA(ANN, "19470501"), "DOCTYPE"},
    {"e-letter.pdf", "%PDF-1.4 nobody says what it is", "expected a C-CDA document"},
    {"f-letter.pdf", "%PDF-1.4 the sidecar says what it is", NULL},
    {"f-letter.pdf.yaml", SIDECAR, "-"},
    {"g-letter.pdf", "%PDF-1.4 the sidecar is wrong", "g-letter.pdf.yaml:7:3:"},
    {"g-letter.pdf.yaml", SIDECAR "  titel: A letter\n", "-"},
    {"h-html.xml", "<html/>", "expected a C-CDA document"},
    {"i-nameless.xml", CCDA("<name>Ann Jones</name>", "19470501"), "no name with family"},
    {"j-undated.xml", CCDA(ANN, "1947"), "no full date"},
    {"k-undated.xml", CCDA(ANN, ""), NULL}, /* its sidecar gives the date */
    {"k-undated.xml.yaml", SIDECAR, "-"},
    {"l-lonely.pdf.yaml", SIDECAR, "without its document"},
    {".hidden.xml", CCDA(ANN, "19470501"), "-"},
};

static bool
was_heard(const char *folder, const char *name, enum import_outcome outcome, const char *reason)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (size_t i = 0; i < heard.n; i++) {
        if (strcmp(heard.files[i].path, path) == 0) {
            const bool is_good =
                heard.files[i].outcome == outcome && strstr(heard.files[i].reason, reason) != NULL;

            if (!is_good) {
                printf("\n    %s: %d, '%s'\n", name, heard.files[i].outcome, heard.files[i].reason);
            }
            return is_good;
        }
    }
    return false;
}

static void
each_file_is_refused_for_its_reason(void)
{
    char path[512];
    const char *folder = make_folder();
    struct store *store = fixture_open(fixture_path(path), NULL);
    size_t good = 0, refused = 0;

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        make_file(folder, files[i].name, files[i].text);
    }
    const struct import_summary summary = import(store, folder, &heard);

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        if (files[i].reason == NULL) {
            CU_ASSERT(was_heard(folder, files[i].name, IMPORT_NEW, ""));
            good++;
        } else if (strcmp(files[i].reason, "-") == 0) { /* no document of its own */
            CU_ASSERT(!was_heard(folder, files[i].name, IMPORT_NEW, ""));
            CU_ASSERT(!was_heard(folder, files[i].name, IMPORT_REFUSED, ""));
        } else {
            CU_ASSERT(was_heard(folder, files[i].name, IMPORT_REFUSED, files[i].reason));
            refused++;
        }
    }
    CU_ASSERT(summary.new_documents == good && summary.refused == refused);
    CU_ASSERT(fixture_count(store).documents == good);
    CU_ASSERT(fixture_count(store).patients == 1);
    for (size_t i = 1; i < heard.n; i++) {
        CU_ASSERT(strcmp(heard.files[i - 1].path, heard.files[i].path) < 0);
    }
    store_close(store);
}

static void
paths_that_are_no_files_are_refused(void)
{
    char path[512], inside[512];
    const char *folder = make_folder();
    struct store *store = fixture_open(fixture_path(path), NULL);

    CU_ASSERT(import(store, "/nowhere/at/all", &heard).refused == 1);
    CU_ASSERT(strstr(heard.files[0].reason, "No such file") != NULL);
    CU_ASSERT(import(store, folder, &heard).files == 0);
    (void)snprintf(inside, sizeof(inside), "%s/pipe", folder);
    CU_ASSERT_FATAL(mkfifo(inside, 0600) == 0);
    CU_ASSERT(import(store, folder, &heard).refused == 1); /* and does not wait for a writer */
    CU_ASSERT(strstr(heard.files[0].reason, "not a regular file") != NULL);
    (void)unlink(inside);
    (void)snprintf(inside, sizeof(inside), "%s/loop", folder);
    CU_ASSERT_FATAL(symlink(folder, inside) == 0);
    CU_ASSERT(import(store, folder, &heard).refused == 1);
    CU_ASSERT(strstr(heard.files[0].reason, "contains itself") != NULL);
    (void)unlink(inside);
    make_file(folder, "a.pdf", "%PDF");
    make_file(folder, "a.pdf.yaml", SIDECAR);
    (void)snprintf(inside, sizeof(inside), "%s/a.pdf.yaml", folder);
    CU_ASSERT(import(store, inside, &heard).refused == 1);
    CU_ASSERT(strstr(heard.files[0].reason, "name the document") != NULL);
    store_close(store);
}

/* A full disk is not the files' fault: nothing is refused, the import ends. */
static void
a_failing_store_ends_the_import(void)
{
    char path[512];
    const char *folder = make_folder();
    struct store_options options = {
        .path = fixture_path(path),
        .community = FIXTURE_COMMUNITY,
        .patient_authority = FIXTURE_AUTHORITY,
        .repository = FIXTURE_REPOSITORY,
        .is_read_only = true,
        .clock = clock_system(),
    };
    struct import_summary summary = {0};
    struct store *store = NULL;
    struct diag diag = {0};

    make_file(folder, "a.xml", CCDA(ANN, "19470501"));
    make_file(folder, "b.xml", CCDA(ANN, "19470502"));
    store_close(fixture_open(path, NULL));
    CHECK_OK(&diag, store_open(&options, &diag, &store));
    memset(&heard, 0, sizeof(heard));
    heard.listener.on_file = hear;
    CHECK_ERR(&diag, ERR_STORE, import_paths(store, &folder, 1, &heard.listener, &diag, &summary));
    CU_ASSERT(heard.n == 0);
    CU_ASSERT(summary.files == 2 && summary.refused == 0);
    store_close(store);
}

/* ---- the real corpus ---- */

static enum store_match
match(struct store *store, struct arena *arena, const char *name, const char *birth_date,
      const char *sex, struct store_match_result *ret_result)
{
    const struct patient query = fixture_patient(arena, name, birth_date, sex, NULL);
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag, store_match_patient(store, &query, NULL, arena, &diag, &answer, ret_result));
    return ret_result->kind;
}

static struct document_list
documents_of(struct store *store, struct arena *arena, const struct store_match_result *found)
{
    const struct span approved = SPAN(DOCUMENT_APPROVED);
    struct store_filter filter = {.patient_id = found->patient.ids.items[0]};
    struct document_list documents = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &filter.status, approved));
    CHECK_OK(&diag, store_find_documents(store, &filter, NULL, arena, &diag, &answer, &documents));
    return documents;
}

static void
check_same_bytes(struct store *store, struct arena *arena, const char *path, const char *unique_id)
{
    const struct document_ref ref = {SPAN_EMPTY, SPAN(FIXTURE_REPOSITORY), span_of_cstr(unique_id)};
    struct document_entry entry;
    struct buf bytes, scratch;
    struct body body;
    struct span content = SPAN_EMPTY;
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};
    int64_t time_us = 0;

    body_init(&body);
    buf_init(&bytes, (size_t)16 * 1024 * 1024);
    buf_init(&scratch, (size_t)16 * 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&bytes, path, &diag));
    CHECK_OK(&diag, store_retrieve(store, &ref, NULL, arena, &diag, &answer, &entry, &body));
    CHECK_OK(&diag, body_span(&body, &scratch, &diag, &content));
    CU_ASSERT(span_eq(content, buf_span(&bytes)));
    CU_ASSERT(entry.size == bytes.n);
    CHECK_SPAN(entry.mime_type, "text/xml");
    CU_ASSERT(datetime_read_hl7(entry.creation_time, &time_us, NULL));
    CU_ASSERT(entry.authors.n > 0);
    body_done(&body);
    buf_done(&bytes);
    buf_done(&scratch);
}

static void
all_real_documents_go_in(void)
{
    char store_path[512];
    const char *path = unit_data_path("ccda");

    if (path == NULL) {
        return;
    }
    struct arena *arena = arena_new((size_t)64 * 1024 * 1024);
    struct store *store = fixture_open(fixture_path(store_path), NULL);
    struct import_summary summary = import(store, path, &heard);

    CU_ASSERT_FATAL(arena != NULL);
    CU_ASSERT(summary.files == 77);
    CU_ASSERT(summary.new_documents == 77);
    CU_ASSERT(summary.refused == 0);
    CU_ASSERT(fixture_count(store).documents == 77);
    for (size_t i = 0; i < heard.n; i++) {
        for (size_t k = i + 1; k < heard.n; k++) {
            CU_ASSERT(strcmp(heard.files[i].unique_id, heard.files[k].unique_id) != 0);
        }
        check_same_bytes(store, arena, heard.files[i].path, heard.files[i].unique_id);
    }
    /* In one community, Practice Fusion's Adam fits two Adams whom Greenway's numbers tell
     * apart: a third record, never a guess. */
    CU_ASSERT(summary.new_patients == 57);
    /* Seven header ids are legal and not taken: one of each of them serves. */
    CU_ASSERT(summary.made_ids == 70);

    const struct store_counts before = fixture_count(store);

    summary = import(store, unit_data_path("ccda"), &heard);
    CU_ASSERT(summary.known_documents == 77);
    CU_ASSERT(summary.new_documents == 0 && summary.new_patients == 0 && summary.made_ids == 0);
    const struct store_counts after = fixture_count(store);

    CU_ASSERT(memcmp(&before, &after, sizeof(before)) == 0);
    store_close(store);
    arena_free(arena);
}

/* One store a folder, as the demonstration makes them. */
static const struct {
    const char *folder;
    size_t documents, patients, unreliable_ids;
} communities[] = {
    {"allscripts", 13, 9, 3}, {"cerner", 2, 2, 0}, {"emerge", 40, 40, 2},
    {"greenway", 5, 4, 0},    {"hl7", 9, 1, 0},    {"kareo", 1, 1, 0},
    {"nextgen", 1, 1, 0},     {"nist", 2, 2, 2},   {"practicefusion", 4, 4, 0},
};

static const struct question {
    const char *folder, *name, *birth_date, *sex;
    enum store_match want;
    size_t documents;
} questions[] = {
    {"nist", "Jones,Isabella", "19470501", "F", STORE_MATCH_ONE, 1},
    {"nextgen", "Jones,Isabella", "19470501", "F", STORE_MATCH_ONE, 1},
    {"greenway", "Jones,Isabella", "19470501", "F", STORE_MATCH_ONE, 2},
    {"practicefusion", "Jones,Isabella", "19470501", "F", STORE_MATCH_ONE, 1},
    {"allscripts", "Jones,Isabella", "19470501", "F", STORE_MATCH_ONE, 2},
    {"cerner", "Jones,Isabella", "19470501", "F", STORE_MATCH_NONE, 0},
    {"emerge", "Jones,Isabella", "19470501", "F", STORE_MATCH_NONE, 0},
    {"hl7", "Jones,Isabella", "19470501", "F", STORE_MATCH_NONE, 0},
    {"kareo", "Jones,Isabella", "19470501", "F", STORE_MATCH_NONE, 0},
    {"nist", "Jones,Isabella+Isa", "19470501", "F", STORE_MATCH_ONE, 1},
    {"nist", "JONES,isabella", "19470501", "", STORE_MATCH_ONE, 1},
    {"nist", "Jones,Isabella+Q", "19470501", "F", STORE_MATCH_NONE, 0},
    {"nist", "Jones,Isabella", "19470105", "F", STORE_MATCH_NONE, 0},
    {"nist", "Jones,Myra", "19470501", "F", STORE_MATCH_ONE, 1},
    {"allscripts", "Jones,Myra", "19470501", "F", STORE_MATCH_ONE, 1},
    {"allscripts", "Everyman,Adam", "19621022", "M", STORE_MATCH_ONE, 3},
    {"practicefusion", "Everyman,Adam", "19621022", "M", STORE_MATCH_ONE, 1},
    /* Two people there, by two numbers of one authority; both would fit. */
    {"greenway", "Everyman,Adam", "19621022", "M", STORE_MATCH_AMBIGUOUS, 0},
    {"hl7", "Everyman,Adam", "19621022", "M", STORE_MATCH_NONE, 0},
    {"hl7", "Everyman,Adam", "19541125", "M", STORE_MATCH_ONE, 9},
    {"hl7", "Everyman,Frankie", "19541125", "M", STORE_MATCH_ONE, 9},
    {"allscripts", "Everyman,Adam", "19541125", "M", STORE_MATCH_NONE, 0},
    {"allscripts", "Kidd,Kari", "20001022", "F", STORE_MATCH_ONE, 1},
    {"allscripts", "Kidd,Karl", "20001022", "M", STORE_MATCH_ONE, 1},
    {"allscripts", "Kidd,Kari", "20001022", "M", STORE_MATCH_NONE, 0},
    {"emerge", "Maxwell,Bernice", "19400805", "F", STORE_MATCH_ONE, 1},
};

static void
ask(struct store *store, const struct question *question)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct store_match_result result = {0};
    size_t n = 0;

    CU_ASSERT_FATAL(arena != NULL);
    const enum store_match got =
        match(store, arena, question->name, question->birth_date, question->sex, &result);

    if (got == STORE_MATCH_ONE) {
        n = documents_of(store, arena, &result).n;
    }
    if (got != question->want || n != question->documents) {
        printf("\n    %s, %s: wanted %d with %zu documents, got %d with %zu (%s)\n",
               question->folder, question->name, question->want, question->documents, got, n,
               result.rule);
    }
    CU_ASSERT(got == question->want);
    CU_ASSERT(n == question->documents);
    arena_free(arena);
}

static void
each_community_knows_its_own(void)
{
    for (size_t i = 0; i < ARRAY_LEN(communities); i++) {
        char relative[64], store_path[512];

        (void)snprintf(relative, sizeof(relative), "ccda/%s", communities[i].folder);
        const char *path = unit_data_path(relative);

        if (path == NULL) {
            return;
        }
        struct store *store = fixture_open(fixture_path(store_path), NULL);
        const struct import_summary summary = import(store, path, &heard);
        const struct store_counts counts = fixture_count(store);

        if (counts.patients != communities[i].patients ||
            counts.unreliable_ids != communities[i].unreliable_ids) {
            printf("\n    %s: %llu patients, %llu unreliable ids\n", communities[i].folder,
                   (unsigned long long)counts.patients, (unsigned long long)counts.unreliable_ids);
        }
        CU_ASSERT(summary.new_documents == communities[i].documents);
        CU_ASSERT(counts.patients == communities[i].patients);
        CU_ASSERT(counts.unreliable_ids == communities[i].unreliable_ids);
        for (size_t k = 0; k < ARRAY_LEN(questions); k++) {
            if (strcmp(questions[k].folder, communities[i].folder) == 0) {
                ask(store, &questions[k]);
            }
        }
        store_close(store);
    }
}

/* The one document of Isabella Jones at NIST is the inpatient one, and no shared number of hers is
 * given out. */
static void
isabella_is_not_myra(void)
{
    char store_path[512];
    const char *path = unit_data_path("ccda/nist");

    if (path == NULL) {
        return;
    }
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct store *store = fixture_open(fixture_path(store_path), NULL);
    struct store_match_result result = {0};

    CU_ASSERT_FATAL(arena != NULL);
    (void)import(store, path, &heard);
    CU_ASSERT_FATAL(match(store, arena, "Jones,Isabella", "19470501", "F", &result) ==
                    STORE_MATCH_ONE);
    CU_ASSERT(result.patient.ids.n == 1);
    const struct document_list documents = documents_of(store, arena, &result);

    CU_ASSERT_FATAL(documents.n == 1);
    CHECK_SPAN(documents.items[0].title, "Get Well Clinic: Health Summary");
    store_close(store);
    arena_free(arena);
}

/* What a question says besides counts against what the header said besides. */
static void
what_headers_say_besides_is_used(void)
{
    static const struct {
        const char *city, *doctor, *rule;
    } rows[] = {
        {"Bend", NULL, "BIRTH_PLACE"},
        {NULL, "1234567893", "CARE_PROVIDER"},
        {"Troy", "1234567893", "CARE_PROVIDER"},
        {"Troy", "PseudoMD-1", "AGREES"},
        {NULL, NULL, "AGREES"},
    };
    char store_path[512];
    const char *path = unit_data_path("ccda/emerge/Patient-21.xml");

    if (path == NULL) {
        return;
    }
    struct store *store = fixture_open(fixture_path(store_path), NULL);

    CU_ASSERT(import(store, path, &heard).new_documents == 1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct patient query = fixture_patient(arena, "Harris,Doris", "19570306", "F", NULL);
        struct address born = {0};
        struct ident doctor = {.root = SPAN("2.16.840.1.113883.4.6")};
        struct store_match_result result = {0};
        enum answer answer = ANSWER_LATER;
        struct diag diag = {0};

        CU_ASSERT_FATAL(arena != NULL);
        if (rows[i].city != NULL) {
            born.city = span_of_cstr(rows[i].city);
            CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &query.birth_place_addresses, born));
        }
        if (rows[i].doctor != NULL) {
            doctor.extension = span_of_cstr(rows[i].doctor);
            CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &query.care_providers, doctor));
        }
        CHECK_OK(&diag, store_match_patient(store, &query, NULL, arena, &diag, &answer, &result));
        CU_ASSERT_STRING_EQUAL(result.rule_name, rows[i].rule);
        if (result.kind == STORE_MATCH_ONE) {
            CU_ASSERT_FATAL(result.patient.races.n == 1 && result.patient.languages.n == 1);
            CHECK_SPAN(result.patient.races.items[0].scheme, "2.16.840.1.113883.6.238");
            CHECK_SPAN(result.patient.languages.items[0].value, "spa");
        }
        arena_free(arena);
    }
    store_close(store);
}

static const struct unit_test tests[] = {
    {"each file is refused for its reason", each_file_is_refused_for_its_reason},
    {"paths that are no files are refused", paths_that_are_no_files_are_refused},
    {"a failing store ends the import", a_failing_store_ends_the_import},
    {"all real documents go in", all_real_documents_go_in},
    {"each community knows its own", each_community_knows_its_own},
    {"Isabella is not Myra", isabella_is_not_myra},
    {"what headers say besides is used", what_headers_say_besides_is_used},
};

UNIT_MAIN("import", tests)
