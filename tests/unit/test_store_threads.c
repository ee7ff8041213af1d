/*
 * The store from several threads and from two processes' worth of stores on one file: no put is
 * lost or doubled, readers see whole documents.
 */
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>

#include "store/db.h"
#include "tests/unit/store_fixture.h"

#define THREADS_N   4
#define DOCUMENTS_N 25

struct worker {
    pthread_t thread;
    struct store *store;
    int number;
    int new_documents, known_documents, failures;
};

/* CUnit's checks are not made for threads: workers count, the test judges. */
static struct status
put_one(struct worker *worker, const char *family, const char *bytes, struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct span given = SPAN("Ann");
    const struct code code = {SPAN("c"), SPAN("2.999.9"), SPAN("Code")};
    struct person_name name = {.family = span_of_cstr(family),
                               .given = {(struct span *)&given, 1, 1}};
    const struct patient patient = {.names = {&name, 1, 1}, .birth_time = SPAN("19470501")};
    const struct document_entry entry = {.mime_type = SPAN("text/plain"),
                                         .creation_time = SPAN("2013"),
                                         .class_code = code,
                                         .type_code = code,
                                         .format_code = code,
                                         .facility_type = code,
                                         .practice_setting = code,
                                         .confidentiality = {(struct code *)&code, 1, 1}};
    const struct store_document document = {
        .patient = &patient, .entry = &entry, .bytes = span_of_cstr(bytes)};
    struct store_put_result result = {0};
    struct status st = {ERR_NO_MEMORY};

    if (arena != NULL) {
        st = store_put_document(worker->store, &document, arena, diag, &result);
        worker->new_documents += is_ok(st) && result.kind == STORE_PUT_NEW;
        worker->known_documents += is_ok(st) && result.kind == STORE_PUT_KNOWN;
    }
    arena_free(arena);
    return st;
}

static struct status
ask_one(struct worker *worker, const char *family, struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct span given = SPAN("Ann");
    struct person_name name = {.family = span_of_cstr(family),
                               .given = {(struct span *)&given, 1, 1}};
    const struct patient query = {.names = {&name, 1, 1}, .birth_time = SPAN("19470501")};
    struct store_match_result result = {0};
    enum answer answer = ANSWER_LATER;
    struct status st = {ERR_NO_MEMORY};

    if (arena != NULL) {
        st = store_match_patient(worker->store, &query, NULL, arena, diag, &answer, &result);
        worker->failures += is_ok(st) && result.kind != STORE_MATCH_ONE;
    }
    arena_free(arena);
    return st;
}

/* Each worker puts documents of its own patient, and ones that all workers put. */
static void *
work(void *argument)
{
    struct worker *worker = argument;
    char family[32], bytes[64];

    (void)snprintf(family, sizeof(family), "Family%c", 'A' + worker->number);
    for (int i = 0; i < DOCUMENTS_N; i++) {
        struct diag diag = {0};

        (void)snprintf(bytes, sizeof(bytes), "worker %d document %d", worker->number, i);
        worker->failures += !is_ok(put_one(worker, family, bytes, &diag));
        (void)snprintf(bytes, sizeof(bytes), "common document %d", i);
        worker->failures += !is_ok(put_one(worker, "Common", bytes, &diag));
        worker->failures += !is_ok(ask_one(worker, family, &diag));
        if (diag.code != ERR_NONE) {
            printf("\n    worker %d: %s\n", worker->number, diag.text);
        }
    }
    return NULL;
}

static void
run_workers(struct store *const stores[], size_t stores_n)
{
    struct worker workers[THREADS_N] = {0};
    int new_documents = 0, known_documents = 0, failures = 0;

    for (int i = 0; i < THREADS_N; i++) {
        workers[i].number = i;
        workers[i].store = stores[(size_t)i % stores_n];
        CU_ASSERT_FATAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < THREADS_N; i++) {
        CU_ASSERT(pthread_join(workers[i].thread, NULL) == 0);
        new_documents += workers[i].new_documents;
        known_documents += workers[i].known_documents;
        failures += workers[i].failures;
    }
    CU_ASSERT(failures == 0);
    CU_ASSERT(new_documents == (THREADS_N + 1) * DOCUMENTS_N);
    CU_ASSERT(known_documents == (THREADS_N - 1) * DOCUMENTS_N);
    CU_ASSERT(fixture_count(stores[0]).documents == (THREADS_N + 1) * DOCUMENTS_N);
    CU_ASSERT(fixture_count(stores[0]).patients == THREADS_N + 1);
}

static void
threads_share_a_store(void)
{
    char path[512];
    struct store *store = fixture_open(fixture_path(path), NULL);

    run_workers(&store, 1);
    store_close(store);
}

static void
stores_share_a_file(void)
{
    char path[512];
    struct store *stores[2];

    stores[0] = fixture_open(fixture_path(path), NULL);
    stores[1] = fixture_open(path, NULL);
    run_workers(stores, 2);
    store_close(stores[0]);
    CU_ASSERT(fixture_count(stores[1]).documents == (THREADS_N + 1) * DOCUMENTS_N);
    store_close(stores[1]);
}

/* ---- a new file ---- */

#define OPENINGS 200

struct opener {
    pthread_t thread;
    pthread_barrier_t *start;
    const char *path;
    struct status st;
    struct diag diag;
};

static struct status
open_once(struct opener *opener)
{
    const struct db_options options = {.path = opener->path, .busy_timeout_ms = 60000};
    struct db *db = NULL;
    struct db_conn *conn = NULL;
    struct status st = db_open(&options, &opener->diag, &db);

    if (is_ok(st)) {
        st = db_take(db, &opener->diag, &conn);
    }
    db_give_p(&conn);
    db_close(db);
    return st;
}

static void *
open_at_the_start(void *arg)
{
    struct opener *opener = arg;

    (void)pthread_barrier_wait(opener->start);
    opener->st = open_once(opener);
    return NULL;
}

/* The change to WAL is refused at once to all but one: they try again, and none is told "busy". */
static void
a_new_file_is_opened_by_several(void)
{
    pthread_barrier_t start;

    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&start, NULL, THREADS_N), 0);
    for (int i = 0; i < OPENINGS; i++) {
        struct opener openers[THREADS_N] = {0};
        char path[512];

        (void)fixture_path(path);
        for (int j = 0; j < THREADS_N; j++) {
            openers[j].start = &start;
            openers[j].path = path;
            CU_ASSERT_EQUAL_FATAL(
                pthread_create(&openers[j].thread, NULL, open_at_the_start, &openers[j]), 0);
        }
        for (int j = 0; j < THREADS_N; j++) {
            (void)pthread_join(openers[j].thread, NULL);
            CHECK_OK(&openers[j].diag, openers[j].st);
        }
    }
    (void)pthread_barrier_destroy(&start);
}

static const struct unit_test tests[] = {
    {"a new file is opened by several", a_new_file_is_opened_by_several},
    {"threads share a store", threads_share_a_store},
    {"stores share a file", stores_share_a_file},
};

UNIT_MAIN("store-threads", tests)
