/*
 * The registry's tables over time: large documents, processes that die, two threads, stores that an
 * older program made.
 */
#include "tests/unit/registry_kit.h"

#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- large documents, crashes ---- */

#define LARGE ((size_t)300 * 1024)

static size_t
files_in(const struct shelf *shelf, const char *folder)
{
    char path[700];
    size_t n = 0;

    (void)snprintf(path, sizeof(path), "%s.documents%s", shelf->path, folder);
    DIR *dir = opendir(path);
    for (const struct dirent *entry = dir == NULL ? NULL : readdir(dir); entry != NULL;
         entry = readdir(dir)) {
        n += entry->d_name[0] != '.' && strcmp(entry->d_name, "new") != 0 ? 1 : 0;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return n;
}

static char *
large(char c)
{
    char *bytes = malloc(LARGE + 1);

    CU_ASSERT_FATAL(bytes != NULL);
    memset(bytes, c, LARGE);
    bytes[LARGE] = '\0';
    return bytes;
}

/* Two large documents with the same bytes are one file; one that is refused leaves none. */
static void
large_documents(void)
{
    struct shelf shelf;
    struct kit kit;
    char *bytes = large('x'), *others = large('y');

    kit_open(&shelf);
    kit_begin(&kit, &shelf);
    (void)kit_document(&kit, "d1", "2.999.7.1", bytes);
    (void)kit_document(&kit, "d2", "2.999.7.2", bytes);
    (void)kit_store(&kit);
    CU_ASSERT_EQUAL(files_in(&shelf, ""), 1);
    CU_ASSERT_EQUAL(files_in(&shelf, "/new"), 0);
    kit_begin(&kit, &shelf);
    (void)kit_document(&kit, "d1", "2.999.7.1", others);
    kit_refused(&kit, "XDSNonIdenticalHash", "2.999.7.1");
    CU_ASSERT_EQUAL(files_in(&shelf, ""), 1);
    CU_ASSERT_EQUAL(files_in(&shelf, "/new"), 0);
    (void)kit_put(&shelf, "2.999.7.1", bytes); /* again: the file is there, and stays */
    kit_expect_bytes(&shelf, "2.999.7.1", "2.999.7.1", bytes);
    kit_expect_bytes(&shelf, "2.999.7.2", "2.999.7.2", bytes);
    kit_close(&shelf);
    free(bytes);
    free(others);
}

/* A process that submits until it is killed. */
static void
submit_until_killed(struct shelf *shelf, const char *bytes)
{
    for (int i = 0; i < 100000; i++) {
        char *own = strdup(bytes), number[16];
        struct kit kit;

        memcpy(own, number,
               (size_t)snprintf(number, sizeof(number), "%d", i)); /* without its end */
        kit_begin(&kit, shelf);
        kit_set(&kit)->unique_id = kit_span(shelf, "2.999.20.%d", i);
        (void)kit_document(&kit, "d1", kit_span(shelf, "2.999.21.%d", i).p, bytes);
        (void)kit_document(&kit, "d2", kit_span(shelf, "2.999.22.%d", i).p, own);
        (void)kit_submit(&kit);
        free(own);
    }
}

static void
a_killed_submission(void)
{
    char *bytes = large('z');

    for (unsigned i = 0; i < 6; i++) {
        struct shelf shelf;
        int status = 0;

        kit_open(&shelf);
        store_close(shelf.store);
        const pid_t child = fork();

        CU_ASSERT_FATAL(child != -1);
        if (child == 0) {
            shelf.store = fixture_open(shelf.path, NULL);
            submit_until_killed(&shelf, bytes);
            _exit(0);
        }
        (void)usleep(40000 + 17000 * i);
        CU_ASSERT(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
        shelf.store = fixture_open(shelf.path, NULL);
        const long sets = kit_number(&shelf, "SELECT count(*) FROM packages") - 2;
        CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM documents") - 2, 2 * sets);
        CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM associations") - 2, 2 * sets);
        /* every file has a row, every row its file: bytes that all sets share, and own ones */
        CU_ASSERT_EQUAL((long)files_in(&shelf, ""), sets > 0 ? sets + 1 : 0);
        CU_ASSERT_EQUAL(files_in(&shelf, "/new"), 0);
        kit_close(&shelf);
    }
    free(bytes);
}

/* ---- threads ---- */

struct worker {
    struct shelf shelf; /* its own arena */
    int from;
};

static void *
submit_some(void *arg)
{
    struct worker *worker = arg;

    for (int i = worker->from; i < worker->from + 20; i++) {
        const struct submitted_document *none = NULL;
        struct submission_set set = {
            .entry_uuid = SPAN("set"),
            .unique_id = kit_span(&worker->shelf, "2.999.30.%d", i),
            .source_id = SPAN("2.999.6"),
            .patient_id = worker->shelf.ann,
            .submission_time = SPAN("2026"),
            .content_type = {SPAN("a"), SPAN("2.999.9"), SPAN_EMPTY},
        };
        const struct registry_objects objects = {.submission_sets = {&set, 1, 1}};
        const struct store_submission submission = {
            .objects = &objects, .documents = none, .patients = STORE_PATIENTS_KNOWN};
        const struct store_question question = {.kind = STORE_FIND_SUBMISSION_SETS,
                                                .filter = {.patient_id = worker->shelf.ann_id}};
        struct store_submitted submitted = {.errors = {0}};
        struct registry_objects found = {.documents = {0}};
        enum answer answer = ANSWER_LATER;
        struct diag diag = {0};

        CHECK_OK(&diag, store_submit(worker->shelf.store, &submission, NULL, worker->shelf.arena,
                                     &diag, &answer, &submitted));
        CHECK_OK(&diag, store_ask(worker->shelf.store, &question, NULL, worker->shelf.arena, &diag,
                                  &answer, &found));
        CU_ASSERT(found.submission_sets.n > 1);
    }
    return NULL;
}

static void
two_threads(void)
{
    struct worker workers[2];
    pthread_t threads[2];
    struct shelf shelf;

    kit_open(&shelf);
    for (int i = 0; i < 2; i++) {
        workers[i] = (struct worker){shelf, 100 * i};
        workers[i].shelf.arena = arena_new(ARENA_LIMIT_DEFAULT);
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, submit_some, &workers[i]) == 0);
    }
    for (int i = 0; i < 2; i++) {
        CU_ASSERT(pthread_join(threads[i], NULL) == 0);
        arena_free(workers[i].shelf.arena);
    }
    CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM packages WHERE source_id = '2.999.6'"),
                    40);
    kit_close(&shelf);
}

/* ---- stores of before ---- */

/* What an older program stored is found, retrieved and goes on; entries have no SubmissionSet. */
static void
an_old_store(void)
{
    struct shelf shelf = {.arena = arena_new(ARENA_LIMIT_DEFAULT)};
    struct span uuid = SPAN("urn:uuid:11111111-2222-4333-8444-555555555555");
    const struct store_question question = {.kind = STORE_GET_DOCUMENTS_AND_ASSOCIATIONS,
                                            .entry_uuids = {&uuid, 1, 1}};
    struct registry_objects found = {.documents = {0}};
    enum answer answer = ANSWER_LATER;
    struct kit kit;
    struct diag diag = {0};

    kit_make_version_4(fixture_path(shelf.path));
    for (int i = 0; i < 2; i++) { /* brought up, and as it is then */
        shelf.store = fixture_open(shelf.path, NULL);
        CHECK_OK(&diag,
                 store_ask(shelf.store, &question, NULL, shelf.arena, &diag, &answer, &found));
        CU_ASSERT_FATAL(found.documents.n == 1);
        CU_ASSERT_EQUAL(found.associations.n, (size_t)i);
        CU_ASSERT(span_eq(found.documents.items[0].lid, uuid));
        CHECK_SPAN(found.documents.items[0].class_code.value, "c");
        CU_ASSERT_FATAL(found.documents.items[0].authors.n == 1);
        kit_expect_bytes(&shelf, "2.999.7.4", "2.999.7.4", "old bytes");
        shelf.ann = SPAN("old-patient^^^&" FIXTURE_AUTHORITY "&ISO");
        if (i == 0) {
            kit_begin(&kit, &shelf);
            (void)kit_document(&kit, "d", "2.999.7.4", "old bytes");
            (void)kit_associate(&kit, ASSOCIATION_REPLACE, "d", uuid.p);
            (void)kit_store(&kit);
        }
        store_close(shelf.store);
    }
    CU_ASSERT_EQUAL(kit_number(&shelf, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
    CU_ASSERT_EQUAL(kit_number(&shelf, "PRAGMA user_version"), 8);
    arena_free(shelf.arena);
}

/* A row that refers to nothing: the store is left as it is. */
static void
a_broken_old_store(void)
{
    char path[512];
    const struct store_options options = {
        .path = fixture_path(path),
        .community = FIXTURE_COMMUNITY,
        .patient_authority = FIXTURE_AUTHORITY,
        .repository = FIXTURE_REPOSITORY,
        .clock = clock_system(),
    };
    struct shelf shelf = {.arena = NULL};
    struct store *store = NULL;
    struct diag diag = {0};

    kit_make_version_4(path);
    kit_sql(path, "INSERT INTO contents VALUES (10, x'00')");
    CHECK_ERR(&diag, ERR_STORE, store_open(&options, &diag, &store));
    (void)snprintf(shelf.path, sizeof(shelf.path), "%s", path);
    CU_ASSERT_EQUAL(kit_number(&shelf, "PRAGMA user_version"), 4);
}

static const struct unit_test tests[] = {
    {"a broken old store", a_broken_old_store},
    {"an old store", an_old_store},
    {"large documents", large_documents},
    {"two threads", two_threads},
    /* REQ: ITI41-all-or-nothing */
    {"a killed submission", a_killed_submission},
};

UNIT_MAIN("registry_store", tests)
