/*
 * The replay memory of real stores: nothing comes twice, whatever ends in between; one
 * partner's flood costs itself only; and what may have been lost is refused.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "store/replay.h"
#include "tests/unit/registry_kit.h"
#include "tests/unit/store_fixture.h"

#define NOW_US  (1000000 * US_PER_S)
#define SKEW_US (60 * US_PER_S)
#define MOST    100000

static struct fake_clock test_clock;

static struct replay_message
message_of(const char *partner, const char *id, int64_t until_us)
{
    return (struct replay_message){.partner = partner,
                                   .keys = {{REPLAY_MESSAGE_ID, span_of_cstr(id), until_us}},
                                   .keys_n = 1,
                                   .created_us = test_clock.wall_us,
                                   .skew_us = SKEW_US,
                                   .keys_max = MOST};
}

static void
expect(struct store *store, const struct replay_message *message, enum err want, size_t evicted)
{
    enum answer answer = ANSWER_LATER;
    struct replay_result result = {0};
    struct diag diag = {0};

    CHECK_ERR(&diag, want, replay_remember(store, message, NULL, &diag, &answer, &result));
    CU_ASSERT_EQUAL(result.evicted, evicted);
    CU_ASSERT(want != ERR_NONE || answer == ANSWER_NOW);
}

static void
expect_id(struct store *store, const char *partner, const char *id, int64_t until_us, enum err want)
{
    const struct replay_message message = message_of(partner, id, until_us);

    expect(store, &message, want, 0);
}

static void
start(struct store *store, const char *boot_id, bool want_lossy)
{
    struct diag diag = {0};
    bool is_lossy = !want_lossy;

    CHECK_OK(&diag, replay_start(store, boot_id, &diag, &is_lossy));
    CU_ASSERT_EQUAL(is_lossy, want_lossy);
}

/* Nobody serves with it yet. */
static struct store *
open_fresh(char path[512])
{
    fake_clock_init(&test_clock, NOW_US);
    return fixture_open(fixture_path(path), &test_clock.clock);
}

static struct store *
start_fresh(char path[512])
{
    struct store *store = open_fresh(path);

    start(store, "this run", false);
    return store;
}

/* Nobody said goodbye. */
static struct store *
open_again(struct store *store, const char *path)
{
    store_close(store);
    return fixture_open(path, &test_clock.clock);
}

/* ---- once ---- */

static void
nothing_comes_twice(void)
{
    char path[512];
    struct store *store = start_fresh(path);

    expect_id(store, "blue", "a", NOW_US + 60 * US_PER_S, ERR_NONE);
    expect_id(store, "blue", "a", NOW_US + 60 * US_PER_S, ERR_REPLAY);
    expect_id(store, "blue", "a", NOW_US + 90 * US_PER_S, ERR_REPLAY); /* another time: no matter */
    expect_id(store, "blue", "", NOW_US + 90 * US_PER_S, ERR_NONE);
    expect_id(store, "blue", "", NOW_US + 90 * US_PER_S, ERR_REPLAY);
    expect_id(store, "green", "a", NOW_US + 60 * US_PER_S, ERR_NONE); /* another partner's */
    store = open_again(store, path);
    start(store, "this run", false);
    expect_id(store, "blue", "a", NOW_US + 60 * US_PER_S, ERR_REPLAY);
    fake_clock_advance(&test_clock, 59 * US_PER_S);
    expect_id(store, "blue", "a", NOW_US + 99 * US_PER_S, ERR_REPLAY);
    fake_clock_advance(&test_clock, 1 * US_PER_S);
    expect_id(store, "blue", "a", NOW_US + 99 * US_PER_S, ERR_NONE); /* its time is over */
    expect_id(store, "blue", "a", NOW_US + 99 * US_PER_S, ERR_REPLAY);
    store_close(store);
}

/* Two copies of one message wait for a slow store until its time is over: neither passes. Were the
 * first remembered with a time that is over, the second would take its place. */
static void
what_waited_too_long_is_refused(void)
{
    char path[512];
    struct store *store = start_fresh(path);
    struct replay_message message = message_of("blue", "late", NOW_US + 2 * US_PER_S);

    message.keys[1] = (struct replay_key){REPLAY_TIMESTAMP, SPAN("t"), NOW_US + US_PER_S};
    message.keys_n = 2;
    fake_clock_advance(&test_clock, US_PER_S);
    expect(store, &message, ERR_REPLAY, 0); /* one of its keys is over */
    expect(store, &message, ERR_REPLAY, 0);
    message.keys[1].until_us = NOW_US + 2 * US_PER_S;
    expect(store, &message, ERR_NONE, 0); /* nothing of it was remembered before */
    expect(store, &message, ERR_REPLAY, 0);
    store_close(store);
}

/* The same bytes as another kind of key are another key. */
static void
kinds_are_apart(void)
{
    char path[512];
    struct store *store = start_fresh(path);
    struct replay_message message = message_of("blue", "a", NOW_US + US_PER_S);

    expect(store, &message, ERR_NONE, 0);
    message.keys[0].kind = REPLAY_TIMESTAMP;
    expect(store, &message, ERR_NONE, 0);
    message.keys[0].kind = REPLAY_ASSERTION;
    expect(store, &message, ERR_NONE, 0);
    expect(store, &message, ERR_REPLAY, 0);
    store_close(store);
}

/* One known key refuses the message, and its new keys are not remembered for it. */
static void
all_keys_or_none(void)
{
    char path[512];
    struct store *store = start_fresh(path);
    struct replay_message message = message_of("blue", "a", NOW_US + US_PER_S);

    message.keys[1] = (struct replay_key){REPLAY_TIMESTAMP, SPAN("t"), NOW_US + US_PER_S};
    message.keys[2] = (struct replay_key){REPLAY_ASSERTION, SPAN("s"), NOW_US + US_PER_S};
    message.keys_n = 3;
    expect(store, &message, ERR_NONE, 0);
    message.keys[0].value = SPAN("b");
    expect(store, &message, ERR_REPLAY, 0); /* another MessageID, the same Timestamp */
    message.keys[1].value = SPAN("u");
    expect(store, &message, ERR_REPLAY, 0); /* the same assertion */
    message.keys[2].value = SPAN("x");
    expect(store, &message, ERR_NONE, 0); /* neither b nor u was spent by what was refused */
    store_close(store);
}

/* ---- bounds ---- */

static void
a_flood_evicts_only_its_own(void)
{
    char path[512], id[32];
    struct store *store = start_fresh(path);

    expect_id(store, "green", "quiet", NOW_US + 10 * US_PER_S, ERR_NONE);
    expect_id(store, "green", "0", NOW_US + 10 * US_PER_S, ERR_NONE); /* as a blue one, too */
    for (int i = 0; i < 30; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        struct replay_message message = message_of("blue", id, NOW_US + (100 + i) * US_PER_S);

        message.keys_max = 20;
        expect(store, &message, ERR_NONE, i < 20 ? 0 : 1);
    }
    expect_id(store, "green", "quiet", NOW_US + 10 * US_PER_S, ERR_REPLAY);
    expect_id(store, "green", "0", NOW_US + 10 * US_PER_S, ERR_REPLAY);
    expect_id(store, "blue", "29", NOW_US + 900 * US_PER_S, ERR_REPLAY);
    expect_id(store, "blue", "10", NOW_US + 900 * US_PER_S,
              ERR_REPLAY);                                            /* the oldest that stayed */
    expect_id(store, "blue", "9", NOW_US + 900 * US_PER_S, ERR_NONE); /* went before its time */
    store_close(store);
}

/* A message that expires before all that its partner has is still accepted only once. */
static void
a_short_message_is_known_at_the_limit(void)
{
    char path[512], id[32];
    struct store *store = start_fresh(path);
    struct replay_message message;

    for (int i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        expect_id(store, "blue", id, NOW_US + 100 * US_PER_S, ERR_NONE);
    }
    message = message_of("blue", "short", NOW_US + US_PER_S);
    message.keys[1] = (struct replay_key){REPLAY_TIMESTAMP, SPAN("t"), NOW_US + US_PER_S};
    message.keys_n = 2;
    message.keys_max = 20;
    expect(store, &message, ERR_NONE, 2);
    expect(store, &message, ERR_REPLAY, 0);
    store_close(store);
}

/* A smaller limit than before takes effect with the next message, at once. */
static void
a_lowered_limit_holds(void)
{
    char path[512], id[32];
    struct store *store = start_fresh(path);
    struct replay_message message;

    for (int i = 0; i < 50; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        expect_id(store, "blue", id, NOW_US + 100 * US_PER_S, ERR_NONE);
    }
    message = message_of("blue", "new", NOW_US + 100 * US_PER_S);
    message.keys_max = 10;
    expect(store, &message, ERR_NONE, 41);
    store_close(store);
}

/* ---- ends ---- */

/* The child remembers, says so, and is killed. */
static void
remember_and_die(const char *path, const char *id)
{
    int ready[2];

    CU_ASSERT_FATAL(pipe(ready) == 0);
    const pid_t child = fork();

    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        struct store *store = fixture_open(path, &test_clock.clock);
        const struct replay_message message = message_of("blue", id, NOW_US + 60 * US_PER_S);
        enum answer answer;
        struct replay_result result;
        struct diag diag = {0};
        bool is_lossy = false;
        const bool is_good = is_ok(replay_start(store, "this run", &diag, &is_lossy)) &&
                             !is_lossy &&
                             is_ok(replay_remember(store, &message, NULL, &diag, &answer, &result));

        (void)!write(ready[1], is_good ? "y" : "n", 1);
        for (;;) {
            pause();
        }
    }
    char said = 'n';

    CU_ASSERT(read(ready[0], &said, 1) == 1 && said == 'y');
    CU_ASSERT(kill(child, SIGKILL) == 0);
    CU_ASSERT(waitpid(child, NULL, 0) == child);
    close(ready[0]);
    close(ready[1]);
}

static void
a_killed_process_loses_nothing(void)
{
    char path[512];

    store_close(open_fresh(path));
    remember_and_die(path, "a");
    remember_and_die(path, "b");
    struct store *store = fixture_open(path, &test_clock.clock);

    start(store, "this run", false);
    expect_id(store, "blue", "a", NOW_US + 60 * US_PER_S, ERR_REPLAY);
    expect_id(store, "blue", "b", NOW_US + 60 * US_PER_S, ERR_REPLAY);
    expect_id(store, "blue", "c", NOW_US + 60 * US_PER_S, ERR_NONE);
    store_close(store);
}

static void
expect_created(struct store *store, const char *id, int64_t created_us, enum err want)
{
    struct replay_message message = message_of("blue", id, NOW_US + 9000 * US_PER_S);

    message.created_us = created_us;
    expect(store, &message, want, 0);
}

/* The machine ended without notice: what was created before this start, by a clock that may be
 * ahead, is refused; also after more starts. */
static void
a_lost_machine_refuses_what_was_before(void)
{
    char path[512];
    struct store *store = open_fresh(path);
    int64_t started_us;

    start(store, "first run", false);
    expect_created(store, "a", NOW_US, ERR_NONE);
    store = open_again(store, path);
    fake_clock_advance(&test_clock, 30 * US_PER_S);
    started_us = test_clock.wall_us;
    start(store, "second run", true);
    expect_created(store, "b", NOW_US, ERR_REPLAY);
    expect_created(store, "b", started_us + SKEW_US - 1, ERR_REPLAY);
    expect_created(store, "b", started_us + SKEW_US, ERR_NONE);
    store = open_again(store, path); /* killed at once: the mark must stay */
    start(store, "second run", false);
    expect_created(store, "c", started_us + SKEW_US - 1, ERR_REPLAY);
    store_close(store);
}

static void
nobody_knows_the_boot(void)
{
    char path[512];
    struct store *store = open_fresh(path);

    start(store, NULL, false);
    store = open_again(store, path);
    start(store, NULL, true);
    expect_created(store, "a", NOW_US, ERR_REPLAY);
    store_close(store);
}

static void
a_clean_stop_refuses_nothing(void)
{
    char path[512];
    struct diag diag = {0};
    struct store *store = open_fresh(path);

    start(store, "first run", false);
    expect_created(store, "a", NOW_US, ERR_NONE);
    CHECK_OK(&diag, replay_stop(store, &diag));
    store = open_again(store, path);
    start(store, "second run", false);
    expect_created(store, "a", NOW_US, ERR_REPLAY);
    expect_created(store, "b", NOW_US, ERR_NONE);
    store_close(store);
}

static void
this_machine_has_a_boot_id(void)
{
    char first[REPLAY_BOOT_ID_MAX] = "", second[REPLAY_BOOT_ID_MAX] = "";

    if (access("/proc/sys/kernel/random/boot_id", R_OK) == 0) {
        CU_ASSERT(replay_boot_id(first) && replay_boot_id(second));
        CHECK_SPAN(span_of_cstr(first), second);
        CU_ASSERT(first[0] != '\0');
    }
}

/* ---- stores of before ---- */

/* The tables of versions 1, and of 2 and 3; <key> is one row. */
#define VERSION_1(key)                                                                             \
    "CREATE TABLE replays (key BLOB PRIMARY KEY, until_us INTEGER NOT NULL) STRICT,"               \
    " WITHOUT ROWID; CREATE INDEX replays_until ON replays (until_us);" key                        \
    "PRAGMA user_version = 1"
#define VERSION_2(key, version)                                                                    \
    "CREATE TABLE replay_partners (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"             \
    " keys INTEGER NOT NULL) STRICT;"                                                              \
    "CREATE TABLE replays (partner INTEGER NOT NULL REFERENCES replay_partners (id),"              \
    " key BLOB NOT NULL, until_us INTEGER NOT NULL, PRIMARY KEY (partner, key)) STRICT,"           \
    " WITHOUT ROWID; CREATE INDEX replays_until ON replays (until_us);"                            \
    "CREATE TRIGGER replays_gone AFTER DELETE ON replays BEGIN"                                    \
    " UPDATE replay_partners SET keys = keys - 1 WHERE id = OLD.partner; END;"                     \
    "INSERT INTO replay_partners VALUES (1, 'blue', 1);" key "PRAGMA user_version = " version

/* Keys of an older store are given up: when one still counted (the clock stands at 1000000 s), what
 * is older than that is refused. Its documents stay. */
static void
an_old_store_is_brought_up(void)
{
    static const struct {
        const char *sql;
        enum err before;
    } rows[] = {
        {VERSION_1("INSERT INTO replays VALUES (x'00', 1000000000001);"), ERR_REPLAY},
        {VERSION_1("INSERT INTO replays VALUES (x'00', 1000000000000);"), ERR_NONE},
        {VERSION_2("INSERT INTO replays VALUES (1, x'00', 1000000000001);", "2"), ERR_REPLAY},
        {VERSION_2("INSERT INTO replays VALUES (1, x'00', 1000000000001);", "3"), ERR_REPLAY},
        {VERSION_2("INSERT INTO replays VALUES (1, x'00', 1000000000000);", "3"), ERR_NONE},
        {VERSION_2("", "3"), ERR_NONE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char path[512];

        kit_make_version_4(fixture_path(path));
        kit_sql(path, rows[i].sql);
        struct store *store = fixture_open(path, &test_clock.clock);
        CU_ASSERT(fixture_count(store).documents == 1);
        start(store, "this run", false);
        expect_created(store, "a", NOW_US + SKEW_US - 1, rows[i].before);
        expect_created(store, "b", NOW_US + SKEW_US, ERR_NONE);
        store = open_again(store, path);
        start(store, "this run", false);
        expect_created(store, "b", NOW_US + SKEW_US, ERR_REPLAY);
        store_close(store);
    }
}

/* ---- the files beside the database ---- */

/* Restored without them, or they belong to another store: nobody knows what came before. */
static void
files_that_are_missing_are_a_loss(void)
{
    char path[512], folder[600], away[600];
    struct store *store = start_fresh(path);

    expect_created(store, "a", NOW_US, ERR_NONE);
    store_close(store);
    (void)snprintf(folder, sizeof(folder), "%s.replay", path);
    (void)snprintf(away, sizeof(away), "%s.away", path);
    CU_ASSERT_EQUAL(rename(folder, away), 0);
    store = fixture_open(path, &test_clock.clock);
    start(store, "this run", true);
    expect_created(store, "a", NOW_US + SKEW_US - 1, ERR_REPLAY);
    expect_created(store, "b", NOW_US + SKEW_US, ERR_NONE);
    store_close(store);

    store = start_fresh(path);
    store_close(store);
    (void)snprintf(folder, sizeof(folder), "%s.replay", path);
    CU_ASSERT_EQUAL(rename(folder, fixture_path(path)), 0);
    CU_ASSERT_EQUAL(rename(away, folder), 0);
    folder[strlen(folder) - strlen(".replay")] = '\0';
    store = fixture_open(folder, &test_clock.clock);
    start(store, "this run", true);
    store_close(store);
}

/* ---- one node ---- */

/* Says why it was refused, and ends. */
static int
start_in_a_child(const char *path)
{
    const pid_t child = fork();
    int how = 0;

    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        const struct store_options options = {.path = path,
                                              .community = FIXTURE_COMMUNITY,
                                              .patient_authority = FIXTURE_AUTHORITY,
                                              .repository = FIXTURE_REPOSITORY,
                                              .clock = &test_clock.clock};
        char pid[32];
        struct store *store = NULL;
        struct diag diag = {0};
        bool is_lossy = false;

        (void)snprintf(pid, sizeof(pid), "another node (pid %ld)", (long)getppid());
        if (!is_ok(store_open(&options, &diag, &store))) {
            _exit(2);
        }
        if (is_ok(replay_start(store, "this run", &diag, &is_lossy))) {
            _exit(0);
        }
        _exit(diag.code == ERR_STORE && strstr(diag.text, pid) != NULL ? 1 : 3);
    }
    CU_ASSERT_EQUAL(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

/* Whoever imports or reads is not kept out, and accepts no messages either. */
static void
one_node_serves(void)
{
    char path[512];
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct patient patient = fixture_patient(arena, "Jones,Ann", "19470501", "F", NULL);
    struct store *store = start_fresh(path), *second = NULL;
    struct diag diag = {0};

    expect_id(store, "blue", "a", NOW_US + US_PER_S, ERR_NONE);
    CU_ASSERT_EQUAL(start_in_a_child(path), 1);
    second = fixture_open(path, &test_clock.clock);
    (void)fixture_put(second, arena, &patient, "bytes");
    expect_id(second, "blue", "b", NOW_US + US_PER_S, ERR_STORE);
    expect_id(store, "blue", "a", NOW_US + US_PER_S, ERR_REPLAY);
    CU_ASSERT(fixture_count(store).documents == 1);
    store_close(second);
    CHECK_OK(&diag, replay_stop(store, &diag));
    expect_id(store, "blue", "c", NOW_US + US_PER_S, ERR_STORE); /* it accepts no more */
    CU_ASSERT_EQUAL(start_in_a_child(path), 0);
    store_close(store);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"nothing comes twice", nothing_comes_twice},
    {"what waited too long is refused", what_waited_too_long_is_refused},
    {"kinds are apart", kinds_are_apart},
    {"all keys or none", all_keys_or_none},
    {"a flood evicts only its own", a_flood_evicts_only_its_own},
    {"a short message is known at the limit", a_short_message_is_known_at_the_limit},
    {"a lowered limit holds", a_lowered_limit_holds},
    {"a killed process loses nothing", a_killed_process_loses_nothing},
    {"a lost machine refuses what was before", a_lost_machine_refuses_what_was_before},
    {"nobody knows the boot", nobody_knows_the_boot},
    {"a clean stop refuses nothing", a_clean_stop_refuses_nothing},
    {"this machine has a boot id", this_machine_has_a_boot_id},
    {"an old store is brought up", an_old_store_is_brought_up},
    {"files that are missing are a loss", files_that_are_missing_are_a_loss},
    {"one node serves", one_node_serves},
};

UNIT_MAIN("store_replay", tests)
