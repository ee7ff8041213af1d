/*
 * The queue of owed answers and the questions that wait for theirs: refused first, then leases,
 * retries, a killed process, and answers that are taken once.
 */
#include <string.h>

#include "store/jobs.h"
#include "store/pending.h"
#include "tests/unit/store_fixture.h"

#define NOW INT64_C(1800000000000000)

struct shelf {
    struct fake_clock clock;
    struct store *store;
    struct arena *arena;
    char path[512];
};

static void
open_shelf(struct shelf *shelf)
{
    fake_clock_init(&shelf->clock, NOW);
    shelf->store = fixture_open(fixture_path(shelf->path), &shelf->clock.clock);
    shelf->arena = arena_new(ARENA_LIMIT_DEFAULT);
    CU_ASSERT_PTR_NOT_NULL_FATAL(shelf->arena);
}

static void
close_shelf(struct shelf *shelf)
{
    store_close(shelf->store);
    arena_free(shelf->arena);
}

/* As after kill -9: another process opens the file; the first one never said good-bye. */
static struct store *
open_again(const struct shelf *shelf)
{
    return fixture_open(shelf->path, &shelf->clock.clock);
}

static struct job
job_of(const char *partner, const char *message_id)
{
    return (struct job){
        .kind = JOB_ASYNCHRONOUS,
        .partner = span_of_cstr(partner),
        .message_id = span_of_cstr(message_id),
        .path = SPAN("/xcpd"),
        .content_type = SPAN("application/soap+xml"),
        .body = span_of("<a>\0</a>", 8),
        .peer_address = SPAN("192.0.2.7"),
        .created_us = NOW,
        .due_us = NOW,
        .expires_us = NOW + 3600 * US_PER_S,
    };
}

static struct status
put(struct store *store, const struct job *job, size_t most, int64_t lease_us, struct diag *diag,
    int64_t *ret_id)
{
    enum answer answer = ANSWER_LATER;
    const struct status st = jobs_put(store, job, most, lease_us, NULL, diag, &answer, ret_id);

    CU_ASSERT(!is_ok(st) || answer == ANSWER_NOW);
    return st;
}

static int64_t
must_put(struct store *store, const char *partner, const char *message_id, int64_t lease_us)
{
    const struct job job = job_of(partner, message_id);
    struct diag diag = {0};
    int64_t id = 0;

    CHECK_OK(&diag, put(store, &job, 100, lease_us, &diag, &id));
    CU_ASSERT(id > 0);
    return id;
}

static struct job_list
take(const struct shelf *shelf, struct store *store, int64_t now_us, int64_t lease_us, size_t most)
{
    struct job_list jobs = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, jobs_take(store, now_us, lease_us, most, shelf->arena, &diag, &jobs));
    return jobs;
}

static void
test_what_is_refused(void)
{
    static char large[JOB_BODY_MAX + 1];
    struct shelf shelf;
    struct job job;
    struct diag diag = {0};
    int64_t id = 0;

    open_shelf(&shelf);
    (void)must_put(shelf.store, "red", "urn:uuid:1", 0);
    (void)must_put(shelf.store, "red", "urn:uuid:2", 0);
    job = job_of("red", "urn:uuid:2");
    CHECK_ERR(&diag, ERR_REPLAY, put(shelf.store, &job, 100, 0, &diag, &id));
    diag_clear(&diag);
    job = job_of("red", "urn:uuid:3");
    CHECK_ERR(&diag, ERR_LIMIT_QUEUE, put(shelf.store, &job, 2, 0, &diag, &id));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "2 answers to partner 'red'"));
    diag_clear(&diag);
    job.body = span_of(large, sizeof(large));
    CHECK_ERR(&diag, ERR_LIMIT_BODY, put(shelf.store, &job, 100, 0, &diag, &id));
    diag_clear(&diag);
    CU_ASSERT_EQUAL(id, 0);
    /* another partner has a queue of its own, and MessageIDs of its own */
    job = job_of("blue", "urn:uuid:2");
    CHECK_OK(&diag, put(shelf.store, &job, 2, 0, &diag, &id));
    close_shelf(&shelf);
}

static void
test_leases(void)
{
    struct shelf shelf;
    struct job_list jobs;
    struct job job;
    struct diag diag = {0};
    enum answer answer;
    bool is_there = false;

    open_shelf(&shelf);
    const int64_t held = must_put(shelf.store, "red", "urn:uuid:1", NOW + 60);
    const int64_t free = must_put(shelf.store, "red", "urn:uuid:2", 0);

    CU_ASSERT_EQUAL(take(&shelf, shelf.store, NOW - 1, NOW + 9, 8).n, 0); /* not due */
    jobs = take(&shelf, shelf.store, NOW, NOW + 60, 8);
    CU_ASSERT(jobs.n == 1 && jobs.items[0].id == free && jobs.items[0].body.n == 0);
    CU_ASSERT_EQUAL(take(&shelf, shelf.store, NOW + 59, NOW + 99, 8).n, 0);
    jobs = take(&shelf, shelf.store, NOW + 60, NOW + 99, 1); /* both leases are over */
    CU_ASSERT(jobs.n == 1 && jobs.items[0].id == held);
    jobs = take(&shelf, shelf.store, NOW + 60, NOW + 99, 8);
    CU_ASSERT(jobs.n == 1 && jobs.items[0].id == free);
    CHECK_OK(&diag, jobs_read(shelf.store, free, shelf.arena, &diag, &job, &is_there));
    CU_ASSERT(is_there && job.kind == JOB_ASYNCHRONOUS && job.attempts == 0);
    CU_ASSERT(span_eq(job.body, span_of("<a>\0</a>", 8)) && span_eq(job.path, SPAN("/xcpd")));
    CU_ASSERT(span_eq(job.partner, SPAN("red")) && span_eq(job.message_id, SPAN("urn:uuid:2")));
    CU_ASSERT(job.created_us == NOW && job.expires_us == NOW + 3600 * US_PER_S);
    CHECK_OK(&diag, jobs_retry(shelf.store, free, NOW + 1000, NULL, &diag, &answer));
    CU_ASSERT_EQUAL(take(&shelf, shelf.store, NOW + 98, NOW + 99, 8).n, 0);
    jobs = take(&shelf, shelf.store, NOW + 1000, NOW + 2000, 8);
    CU_ASSERT(jobs.n == 2 && jobs.items[1].id == free && jobs.items[1].attempts == 1);
    CHECK_OK(&diag, jobs_done(shelf.store, free, NULL, &diag, &answer));
    CHECK_OK(&diag, jobs_done(shelf.store, free, NULL, &diag, &answer)); /* again: fine */
    CHECK_OK(&diag, jobs_read(shelf.store, free, shelf.arena, &diag, &job, &is_there));
    CU_ASSERT_FALSE(is_there);
    close_shelf(&shelf);
}

static void
test_killed_process(void)
{
    struct shelf shelf;
    struct store *second;
    struct diag diag = {0};
    struct job_counts counts;

    open_shelf(&shelf);
    (void)must_put(shelf.store, "red", "urn:uuid:1", NOW + 3600 * US_PER_S);
    (void)must_put(shelf.store, "blue", "urn:uuid:2", NOW + 3600 * US_PER_S);
    second = open_again(&shelf);
    CU_ASSERT_EQUAL(take(&shelf, second, NOW + 1, NOW + 2, 8).n, 0);
    CHECK_OK(&diag, jobs_start(second, &diag));
    CU_ASSERT_EQUAL(take(&shelf, second, NOW + 1, NOW + 2, 8).n, 2);
    CHECK_OK(&diag, jobs_count(second, SPAN_EMPTY, &diag, &counts));
    CU_ASSERT(counts.waiting == 2 && counts.oldest_us == NOW);
    CHECK_OK(&diag, jobs_count(second, SPAN("red"), &diag, &counts));
    CU_ASSERT_EQUAL(counts.waiting, 1);
    CHECK_OK(&diag, jobs_count(second, SPAN("green"), &diag, &counts));
    CU_ASSERT(counts.waiting == 0 && counts.oldest_us == 0);
    store_close(second);
    close_shelf(&shelf);
}

/* ---- questions of ours ---- */

static void
ask(struct store *store, const char *message_id, enum pending_kind kind)
{
    const struct pending pending = {
        .kind = kind,
        .message_id = span_of_cstr(message_id),
        .transaction = SPAN("ITI-55"),
        .partner = SPAN("green"),
        .url = SPAN("https://green.example/xcpd"),
        .community = SPAN("2.999.2"),
        .user = SPAN("Dr. Ada Example"),
        .query_id = {SPAN("2.25.7"), SPAN("q"), SPAN_EMPTY},
        .question = SPAN("<question/>"),
        .created_us = NOW,
        .expires_us = NOW + 100,
    };
    struct diag diag = {0};
    enum answer answer = ANSWER_LATER;

    CHECK_OK(&diag, pending_put(store, &pending, 1, NULL, &diag, &answer));
    CU_ASSERT_EQUAL(answer, ANSWER_NOW);
}

static struct status
answer_it(struct store *store, const char *message_id, const char *partner, int64_t now_us,
          const char *text, struct diag *diag, bool *ret_is_copy)
{
    const struct body body = body_over(span_of_cstr(text));
    const struct pending_answer answer = {
        .message_id = span_of_cstr(message_id),
        .partner = span_of_cstr(partner),
        .content_type = SPAN("application/soap+xml"),
        .body = &body,
        .now_us = now_us,
        .keep_us = NOW + 1000,
    };
    enum answer when = ANSWER_LATER;

    return pending_take(store, &answer, NULL, diag, &when, ret_is_copy);
}

static void
test_who_may_answer(void)
{
    static const struct {
        const char *message_id, *partner;
        int64_t now_us;
        const char *why; /* NULL: it is taken */
        bool is_copy;
    } rows[] = {
        {"urn:uuid:8", "green", NOW, "no question of ours", false},
        {"urn:uuid:1", "blue", NOW, "asked of another partner", false},
        {"urn:uuid:1", "green", NOW + 100, "time for its answer is over", false},
        {"urn:uuid:1", "green", NOW + 99, NULL, false},
        {"urn:uuid:1", "green", NOW + 99, NULL, true},
        {"urn:uuid:1", "blue", NOW + 99, "asked of another partner", false},
        {"urn:uuid:1", "green", NOW + 1000, "time for its answer is over", false},
        {"urn:uuid:2", "green", NOW, NULL, false},
    };
    struct shelf shelf;
    struct pending found;

    open_shelf(&shelf);
    ask(shelf.store, "urn:uuid:1", PENDING_ASYNCHRONOUS);
    ask(shelf.store, "urn:uuid:2", PENDING_DEFERRED);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        enum answer answer;
        const struct status before = pending_find(shelf.store, span_of_cstr(rows[i].message_id),
                                                  span_of_cstr(rows[i].partner), rows[i].now_us,
                                                  shelf.arena, NULL, &diag, &answer, &found);
        diag_clear(&diag);
        bool is_copy = false;
        const struct status st = answer_it(shelf.store, rows[i].message_id, rows[i].partner,
                                           rows[i].now_us, "<answer/>", &diag, &is_copy);

        CU_ASSERT_EQUAL(before.code, st.code);
        if (rows[i].why == NULL) {
            CHECK_OK(&diag, st);
            CU_ASSERT_EQUAL(is_copy, rows[i].is_copy);
            CU_ASSERT_EQUAL(found.answered_us != 0, rows[i].is_copy);
        } else {
            CHECK_ERR(&diag, ERR_NOT_AWAITED, st);
            CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, rows[i].why));
        }
    }
    close_shelf(&shelf);
}

/* What lies there; "" when nothing does. */
static void
check_kept(const struct shelf *shelf, struct store *store, const char *message_id,
           const char *answer, bool is_fetched)
{
    struct diag diag = {0};
    struct pending got;
    struct buf bytes;

    buf_init(&bytes, 64);
    CHECK_OK(&diag,
             pending_fetch(store, span_of_cstr(message_id), shelf->arena, &diag, &bytes, &got));
    CU_ASSERT(span_eq_cstr(buf_span(&bytes), answer));
    CU_ASSERT_EQUAL(got.is_fetched, is_fetched);
    CU_ASSERT_EQUAL(got.answered_us != 0, answer[0] != '\0' || is_fetched);
    CU_ASSERT_EQUAL(got.question.n > 0, !is_fetched);
    buf_done(&bytes);
}

static size_t
listed(const struct shelf *shelf, struct store *store, int64_t now_us)
{
    struct pending_list all = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, pending_list(store, now_us, shelf->arena, &diag, &all));
    return all.n;
}

static void
test_answers_are_kept(void)
{
    struct shelf shelf;
    struct store *second;
    struct pending got;
    struct buf small;
    struct diag diag = {0};
    bool is_copy = false;
    uint64_t n = 0;

    open_shelf(&shelf);
    ask(shelf.store, "urn:uuid:1", PENDING_DEFERRED);
    ask(shelf.store, "urn:uuid:2", PENDING_DEFERRED);
    ask(shelf.store, "urn:uuid:3", PENDING_ASYNCHRONOUS);
    CHECK_OK(&diag,
             answer_it(shelf.store, "urn:uuid:1", "green", NOW + 5, "<answer/>", &diag, &is_copy));
    second = open_again(&shelf);
    check_kept(&shelf, second, "urn:uuid:1", "<answer/>", false);
    check_kept(&shelf, second, "urn:uuid:2", "", false);
    CHECK_OK(&diag, pending_fetch(second, SPAN("urn:uuid:1"), shelf.arena, &diag, NULL, &got));
    CU_ASSERT(got.answered_us == NOW + 5 && span_eq(got.user, SPAN("Dr. Ada Example")));
    CU_ASSERT(span_eq(got.query_id.extension, SPAN("q")));
    CU_ASSERT(span_eq(got.content_type, SPAN("application/soap+xml")));
    buf_init(&small, 8);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER,
              pending_fetch(second, SPAN("urn:uuid:1"), shelf.arena, &diag, &small, &got));
    buf_done(&small);
    diag_clear(&diag);
    CU_ASSERT_EQUAL(listed(&shelf, second, NOW), 3);
    CU_ASSERT_EQUAL(listed(&shelf, second, NOW + 100), 1);
    CHECK_OK(&diag, pending_count(second, SPAN_EMPTY, &diag, &n));
    CU_ASSERT_EQUAL(n, 2);
    CHECK_OK(&diag, pending_expire(second, NOW + 100, &diag, &n));
    CU_ASSERT_EQUAL(n, 2); /* the answer stays: keep_us */
    check_kept(&shelf, second, "urn:uuid:1", "<answer/>", false);
    CHECK_OK(&diag, pending_expire(second, NOW + 1000, &diag, &n));
    CU_ASSERT_EQUAL(n, 0);
    CHECK_ERR(&diag, ERR_NOT_FOUND,
              pending_fetch(second, SPAN("urn:uuid:1"), shelf.arena, &diag, NULL, &got));
    store_close(second);
    close_shelf(&shelf);
}

/* Once; what is left tells copies, for a while. */
static void
test_answers_are_fetched_once(void)
{
    struct shelf shelf;
    struct span ids[] = {SPAN("urn:uuid:1"), SPAN("urn:uuid:2")};
    struct pending got;
    struct diag diag = {0};
    enum answer answer;
    bool is_copy = false;

    open_shelf(&shelf);
    ask(shelf.store, "urn:uuid:1", PENDING_ASYNCHRONOUS);
    ask(shelf.store, "urn:uuid:2", PENDING_ASYNCHRONOUS);
    CHECK_ERR(&diag, ERR_NOT_FOUND,
              pending_claim(shelf.store, SPAN("urn:uuid:9"), NULL, &diag, &answer));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_NOT_FOUND,
              pending_claim(shelf.store, SPAN("urn:uuid:1"), NULL, &diag, &answer));
    diag_clear(&diag);
    CHECK_OK(&diag,
             answer_it(shelf.store, "urn:uuid:1", "green", NOW + 5, "<answer/>", &diag, &is_copy));
    CHECK_OK(&diag,
             answer_it(shelf.store, "urn:uuid:1", "green", NOW + 6, "<another/>", &diag, &is_copy));
    CU_ASSERT(is_copy);
    check_kept(&shelf, shelf.store, "urn:uuid:1", "<answer/>", false);
    CHECK_OK(&diag, pending_claim(shelf.store, SPAN("urn:uuid:1"), NULL, &diag, &answer));
    check_kept(&shelf, shelf.store, "urn:uuid:1", "", true);
    CHECK_ERR(&diag, ERR_NOT_FOUND,
              pending_claim(shelf.store, SPAN("urn:uuid:1"), NULL, &diag, &answer));
    diag_clear(&diag);
    is_copy = false;
    CHECK_OK(&diag,
             answer_it(shelf.store, "urn:uuid:1", "green", NOW + 7, "<another/>", &diag, &is_copy));
    CU_ASSERT(is_copy);
    check_kept(&shelf, shelf.store, "urn:uuid:1", "", true);
    CU_ASSERT_EQUAL(listed(&shelf, shelf.store, NOW), 1);
    /* nobody awaits them any more */
    CHECK_OK(&diag, pending_drop(shelf.store, ids, 2, NULL, &diag, &answer));
    check_kept(&shelf, shelf.store, "urn:uuid:1", "", true);
    CHECK_ERR(&diag, ERR_NOT_FOUND,
              pending_fetch(shelf.store, ids[1], shelf.arena, &diag, NULL, &got));
    close_shelf(&shelf);
}

static const struct unit_test tests[] = {
    {"what is refused", test_what_is_refused},
    {"leases", test_leases},
    {"a killed process", test_killed_process},
    {"who may answer", test_who_may_answer},
    {"answers are kept", test_answers_are_kept},
    {"answers are fetched once", test_answers_are_fetched_once},
};

UNIT_MAIN("jobs", tests)
