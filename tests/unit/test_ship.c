/*
 * The shipping core with a scripted sender: nothing is lost by any failure, nothing leaves before
 * it is durable, what is sent again is what is in doubt, one lost repository is told once.
 */
#include "audit/ship.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/ship_kit.h"
#include "tests/unit/unit.h"

/* ---- what a test has ---- */

struct world {
    char dir[PATH_MAX];
    struct journal *journal; /* chain "serve" */
    struct kit_sender kit;
    struct ship_options options;
    struct ship *ship;
};

static void
begin(struct world *world, const char *name, bool has_answers)
{
    kit_disk_reset();
    (void)snprintf(world->dir, sizeof(world->dir), "%s", kit_folder(name));
    world->journal = kit_open(world->dir, KIT_SIZES);
    kit_sender_init(&world->kit, has_answers);
    world->options = kit_ship_options(world->dir, world->journal);
}

static void
ship(struct world *world)
{
    world->ship = kit_ship(&world->options, &world->kit.sender);
}

static void
end(struct world *world)
{
    kit_ship_end(world->ship);
    journal_close(world->journal);
    CU_ASSERT_EQUAL(atomic_load(&world->kit.frees), 1);
}

/* Another ship over the same journal. */
static void
again(struct world *world)
{
    const bool has_answers = world->kit.sender.has_answers;
    kit_sender_init(&world->kit, has_answers);
    ship(world);
}

static struct ship_state
state_of(struct world *world)
{
    struct ship_state state;
    ship_read_state(world->ship, &state);
    return state;
}

static bool
wait_for_rest(struct world *world)
{
    unsigned looks = 0;
    while (state_of(world).waiting > 0) {
        if (!unit_wait(&looks)) {
            return false;
        }
    }
    return true;
}

/* ---- delivery ---- */

static void
test_in_order_once(void)
{
    struct world world;
    begin(&world, "once", true);
    kit_fill(world.journal, 1, 3);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3));
    kit_fill(world.journal, 4, 5); /* while it runs */
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 5));
    CU_ASSERT_TRUE(wait_for_rest(&world));
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/1 serve/2 serve/3 serve/4 serve/5");
    CU_ASSERT_EQUAL(state_of(&world).delivered, 5);
    kit_ship_end(world.ship);
    kit_fill(world.journal, 6, 7); /* while nobody ships */
    again(&world);
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/6 serve/7");
}

/* What was appended before the stop leaves before the end. */
static void
test_stop_sends_the_rest(void)
{
    struct world world;
    begin(&world, "rest", true);
    kit_fill(world.journal, 1, 200);
    ship(&world);
    kit_ship_end(world.ship);
    CU_ASSERT_EQUAL(atomic_load(&world.kit.taken), 200);
    CU_ASSERT_EQUAL(atomic_load(&world.kit.farewells), 1);
    for (uint64_t i = 201; i <= 210; i++) { /* nor while it rests */
        again(&world);
        kit_fill(world.journal, i, i);
        CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 1));
        CU_ASSERT_TRUE(wait_for_rest(&world));
        kit_fill(world.journal, i, i);
        kit_ship_end(world.ship);
        CU_ASSERT_EQUAL(atomic_load(&world.kit.taken), 2);
    }
    again(&world);
    end(&world);
}

static void
test_several_chains(void)
{
    struct world world;
    struct journal *command = NULL;
    struct diag diag = {0};
    begin(&world, "chains", true);
    kit_fill(world.journal, 1, 1);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 1));
    CHECK_OK(&diag,
             journal_open_free(JOURNAL_AT(world.dir), "cli", clock_system(), &diag, &command));
    kit_fill(command, 1, 2); /* a command begins while the node runs */
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3));
    journal_close(command);
    kit_ship_end(world.ship);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/1 cli-0/1 cli-0/2");
    CHECK_OK(&diag,
             journal_open_free(JOURNAL_AT(world.dir), "cli", clock_system(), &diag, &command));
    kit_fill(command, 3, 3);
    journal_close(command);
    again(&world);
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "cli-0/3");
}

/* ---- failures ---- */

static void
test_not_there_at_first(void)
{
    struct world world;
    begin(&world, "late", true);
    kit_fill(world.journal, 1, 2);
    atomic_store(&world.kit.fail_connects, 5);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    CU_ASSERT_TRUE(wait_for_rest(&world));
    const struct ship_state state = state_of(&world);
    CU_ASSERT_EQUAL(state.failures, 5);
    CU_ASSERT_EQUAL(state.resent, 0);
    CU_ASSERT_STRING_EQUAL(state.why, "");
    end(&world);
    CU_ASSERT_EQUAL(atomic_load(&world.kit.connects), 6);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/1 serve/2");
}

/* With answers only what was not answered goes again. */
static void
test_break_with_answers(void)
{
    struct world world;
    begin(&world, "break-answers", true);
    kit_fill(world.journal, 1, 6);
    atomic_store(&world.kit.fail_after, 4);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 6));
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit),
                           "serve/1 serve/2 serve/3 serve/4 serve/5 serve/6");
}

/* Without them everything since the last farewell does. */
static void
test_break_without_answers(void)
{
    struct world world;
    begin(&world, "break", false);
    kit_fill(world.journal, 1, 3);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3));
    CU_ASSERT_TRUE(wait_for_rest(&world));
    CU_ASSERT_EQUAL(state_of(&world).unproven, 3);
    atomic_store(&world.kit.fail_after, 1);
    kit_fill(world.journal, 4, 5);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3 + 1 + 5));
    CU_ASSERT_TRUE(wait_for_rest(&world));
    CU_ASSERT_EQUAL(state_of(&world).delivered, 5);
    CU_ASSERT_EQUAL(state_of(&world).resent, 4);
    kit_ship_end(world.ship);
    CU_ASSERT_STRING_EQUAL(
        kit_sender_text(&world.kit),
        "serve/1 serve/2 serve/3 serve/4 serve/1 serve/2 serve/3 serve/4 serve/5");
    again(&world); /* the farewell was answered: nothing is in doubt */
    end(&world);
    CU_ASSERT_EQUAL(atomic_load(&world.kit.taken), 0);
}

/* The other side goes while nothing is sent: that is seen, and what is in doubt goes again. */
static void
test_gone_while_idle(void)
{
    struct world world;
    begin(&world, "gone", false);
    kit_fill(world.journal, 1, 2);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    atomic_store(&world.kit.is_gone, true);
    kit_fill(world.journal, 3, 3);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 5));
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/1 serve/2 serve/1 serve/2 serve/3");
}

/* A farewell without an answer, and a kill: in both cases the next process sends it again. */
static void
test_in_doubt_at_the_end(void)
{
    struct world world;
    begin(&world, "doubt", false);
    kit_fill(world.journal, 1, 2);
    atomic_store(&world.kit.is_deaf, true);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    kit_ship_end(world.ship);
    again(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/1 serve/2");
}

/* Nothing to send for a while: the farewell is answered, and a break later means nothing. */
static void
test_farewell_ends_doubt(void)
{
    struct world world;
    begin(&world, "farewell", false);
    world.options.limits.farewell_us = 0;
    kit_fill(world.journal, 1, 2);
    ship(&world);
    unsigned looks = 0;
    while (atomic_load(&world.kit.farewells) == 0 && unit_wait(&looks)) {
    }
    world.kit.is_gone = true;
    kit_fill(world.journal, 3, 3);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3));
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/1 serve/2 serve/3");
}

/* Nobody is there when it stops: that is tried once. */
static void
test_stop_tries_once(void)
{
    struct world world;
    begin(&world, "tries-once", true);
    atomic_store(&world.kit.fail_connects, 1000000);
    ship(&world);
    CU_ASSERT_TRUE(wait_for_rest(&world));
    ship_stop(world.ship, clock_mono_us(clock_system()) + UNIT_PATIENCE_S * US_PER_S);
    ship_free(world.ship);
    kit_fill(world.journal, 1, 1);
    kit_sender_init(&world.kit, true);
    atomic_store(&world.kit.fail_connects, 1000000);
    world.options.limits.pause_us = 3600 * US_PER_S;
    world.options.limits.longest_pause_us = 3600 * US_PER_S;
    ship(&world);
    end(&world); /* at once, and not when the time for it is over */
    CU_ASSERT_TRUE(atomic_load(&world.kit.connects) <= 1);
    CU_ASSERT_EQUAL(atomic_load(&world.kit.taken), 0);
}

struct alarms {
    atomic_uint lost, back;
    const char *why;
};

static void
note_alarm(void *arg, const char *name, bool is_lost, const char *why)
{
    struct alarms *alarms = arg;
    CU_ASSERT_STRING_EQUAL(name, "arr");
    CU_ASSERT_PTR_NOT_NULL(strstr(why, alarms->why));
    atomic_fetch_add(is_lost ? &alarms->lost : &alarms->back, 1);
}

static void
expect_alarm(struct world *world, struct alarms *alarms)
{
    world->options.limits.alarm_us = 1;
    world->options.on_alarm = note_alarm;
    world->options.alarm_arg = alarms;
}

/* A repository that takes everything and answers no farewell looks good and is not: it gets what is
 * in doubt again and again, and counts as lost until it answers. */
static void
test_farewell_unanswered(void)
{
    struct world world;
    struct alarms alarms = {.why = "did not answer the farewell"};
    unsigned looks = 0;
    begin(&world, "unanswered", false);
    world.options.limits.farewell_us = 0;
    expect_alarm(&world, &alarms);
    atomic_store(&world.kit.is_deaf, true);
    kit_fill(world.journal, 1, 2);
    ship(&world);
    while (atomic_load(&alarms.lost) == 0 && unit_wait(&looks)) {
    }
    const unsigned farewells = atomic_load(&world.kit.farewells);
    looks = 0;
    while (atomic_load(&world.kit.farewells) < farewells + 3 && unit_wait(&looks)) {
    }
    CU_ASSERT_TRUE(state_of(&world).is_alarmed); /* though every send went well */
    CU_ASSERT_EQUAL(atomic_load(&alarms.back), 0);
    atomic_store(&world.kit.is_deaf, false);
    looks = 0;
    while (atomic_load(&alarms.back) == 0 && unit_wait(&looks)) {
    }
    kit_fill(world.journal, 3, 3);
    const unsigned taken = atomic_load(&world.kit.taken);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, taken + 1));
    end(&world);
    CU_ASSERT_EQUAL(atomic_load(&alarms.lost), 1);
    CU_ASSERT_EQUAL(atomic_load(&alarms.back), 1);
    const char *text = kit_sender_text(&world.kit);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "serve/1 serve/2 serve/1 serve/2"));
    CU_ASSERT_STRING_EQUAL(text + strlen(text) - strlen("serve/2 serve/3"), "serve/2 serve/3");
}

/* One that takes records and drops the connection a moment later makes no progress. */
static void
test_taken_and_dropped(void)
{
    struct world world;
    struct alarms alarms = {.why = "the script closed it"};
    unsigned looks = 0;
    begin(&world, "dropped", false);
    world.options.limits.settle_us = 3600 * US_PER_S; /* no connection holds that long */
    expect_alarm(&world, &alarms);
    atomic_store(&world.kit.is_dropping, true);
    kit_fill(world.journal, 1, 1);
    ship(&world);
    while ((atomic_load(&alarms.lost) == 0 || atomic_load(&world.kit.connects) < 4) &&
           unit_wait(&looks)) {
        kit_fill(world.journal, 2, 2);
    }
    CU_ASSERT_EQUAL(atomic_load(&alarms.lost), 1);
    CU_ASSERT_EQUAL(atomic_load(&alarms.back), 0);
    atomic_store(&world.kit.is_dropping, false);
    const unsigned taken = atomic_load(&world.kit.taken);
    kit_fill(world.journal, 3, 3);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, taken + 1));
    end(&world);
    CU_ASSERT_EQUAL(atomic_load(&alarms.back), 1); /* the last farewell was answered */
}

/* Old and far enough: not in doubt any more. With no age and no bytes that is so at once. */
static void
test_window_ages(void)
{
    struct world world;
    begin(&world, "age", false);
    world.options.limits.resend_age_us = 0;
    world.options.limits.resend_bytes = 300; /* three of the kit's records */
    atomic_store(&world.kit.is_deaf, true);  /* so that the last farewell does not say it */
    ship(&world);
    for (unsigned i = 1; i <= 5; i++) { /* one go each */
        kit_fill(world.journal, i, i);
        CU_ASSERT_TRUE(kit_sender_wait(&world.kit, i));
    }
    CU_ASSERT_TRUE(wait_for_rest(&world));
    kit_ship_end(world.ship);
    again(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3));
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/3 serve/4 serve/5");
}

/* ---- what must not happen ---- */

static void
test_not_before_durable(void)
{
    struct world world;
    struct kit_claim claim;
    struct diag diag = {0};
    begin(&world, "durable", true);
    kit_fill(world.journal, 1, 1);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 1));
    const unsigned written = atomic_load(&kit_disk.pwrites);
    atomic_store(&kit_disk.is_hanging, true);
    kit_claim_init(&claim);
    CHECK_OK(&diag, kit_append(world.journal, 2, 10, &claim, &diag));
    unsigned looks = 0;
    while (atomic_load(&kit_disk.pwrites) == written && unit_wait(&looks)) {
    }
    /* It stands in the file, where any reader finds it; several looks of the thread go by. */
    for (looks = 0; looks < 100; looks++) {
        unsigned one = 0;
        (void)unit_wait(&one);
    }
    CU_ASSERT_EQUAL(atomic_load(&world.kit.taken), 1);
    atomic_store(&kit_disk.is_hanging, false);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    kit_claim_wait(&claim);
    end(&world);
}

/* A damaged chain is said, and the others go on. */
static void
test_damage(void)
{
    struct world world;
    struct kit_image image;
    begin(&world, "damage", true);
    kit_fill(world.journal, 1, 2);
    kit_image_make(&image, "damage-image", true);
    char folder[PATH_MAX];
    char from[PATH_MAX];
    kit_join(folder, world.dir, "broken");
    kit_join(from, image.dir, "serve");
    image.bytes.p[image.offsets[3] + 90] ^= 1;
    kit_write_file(image.path, buf_span(&image.bytes));
    CU_ASSERT_EQUAL_FATAL(rename(from, folder), 0);
    buf_done(&image.bytes);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    kit_fill(world.journal, 3, 3);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3));
    unsigned looks = 0;
    while (state_of(&world).damaged == 0 && unit_wait(&looks)) {
    }
    CU_ASSERT_EQUAL(state_of(&world).damaged, 1);
    end(&world);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_sender_text(&world.kit), "serve/3"));
    CU_ASSERT_PTR_NULL(strstr(kit_sender_text(&world.kit), "broken/"));
}

/* The journal was moved away and a new one begun: its records have the same numbers. */
static void
test_replaced_chain(void)
{
    struct world world;
    char folder[PATH_MAX];
    char away[PATH_MAX];
    begin(&world, "replaced", true);
    kit_fill(world.journal, 1, 3);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 3));
    kit_ship_end(world.ship);
    journal_close(world.journal);
    kit_join(folder, world.dir, "serve");
    kit_join(away, world.dir, ".away");
    CU_ASSERT_EQUAL_FATAL(rename(folder, away), 0);
    world.journal = kit_open(world.dir, KIT_SIZES);
    world.options.journal = world.journal;
    kit_fill(world.journal, 11, 15);
    again(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 5));
    end(&world);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&world.kit), "serve/1 serve/2 serve/3 serve/4 serve/5");
}

static void
cursor_path(char path[PATH_MAX], const char *dir)
{
    char folder[PATH_MAX];
    kit_join(folder, dir, SHIP_CURSOR_FOLDER);
    kit_join(path, folder, "arr");
}

/* A cursor that cannot be read: everything goes again. */
static void
test_lost_cursor(void)
{
    struct world world;
    char path[PATH_MAX];
    begin(&world, "lost-cursor", true);
    kit_fill(world.journal, 1, 2);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    kit_ship_end(world.ship);
    cursor_path(path, world.dir);
    kit_write_file(path, SPAN("nonsense\n"));
    again(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 2));
    end(&world);
}

/* ---- stop, alarm, another sender ---- */

static void
test_stop_wakes(void)
{
    struct world world;
    begin(&world, "stalled", true);
    kit_fill(world.journal, 1, 1);
    world.options.limits.timeout_us = 3600 * US_PER_S;
    atomic_store(&world.kit.is_stalled, true);
    ship(&world);
    unsigned looks = 0;
    while (atomic_load(&world.kit.connects) == 0 && unit_wait(&looks)) {
    }
    kit_ship_cut(world.ship); /* an hour, if it were not woken */
    CU_ASSERT_EQUAL(atomic_load(&world.kit.taken), 0);
    again(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 1));
    end(&world);
}

static void
test_alarm_once(void)
{
    struct world world;
    struct alarms alarms = {.why = "the script says so"};
    begin(&world, "alarm", true);
    expect_alarm(&world, &alarms);
    kit_fill(world.journal, 1, 1);
    atomic_store(&world.kit.fail_connects, 20);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 1));
    unsigned looks = 0;
    while (atomic_load(&alarms.back) == 0 && unit_wait(&looks)) {
    }
    CU_ASSERT_FALSE(state_of(&world).is_alarmed);
    end(&world);
    CU_ASSERT_EQUAL(atomic_load(&alarms.lost), 1);
    CU_ASSERT_EQUAL(atomic_load(&alarms.back), 1);
}

static void
test_replace_sender(void)
{
    struct world world;
    static struct kit_sender other;
    begin(&world, "replace", false);
    kit_fill(world.journal, 1, 1);
    ship(&world);
    CU_ASSERT_TRUE(kit_sender_wait(&world.kit, 1));
    kit_sender_init(&other, false);
    ship_replace(world.ship, &other.sender, &world.options.limits);
    kit_fill(world.journal, 2, 2);
    CU_ASSERT_TRUE(kit_sender_wait(&other, 1));
    end(&world);
    CU_ASSERT_EQUAL(atomic_load(&world.kit.farewells), 1);
    CU_ASSERT_STRING_EQUAL(kit_sender_text(&other), "serve/2");
    CU_ASSERT_EQUAL(atomic_load(&other.frees), 1);
}

static const struct unit_test tests[] = {
    {"in order, once", test_in_order_once},
    {"a stop sends the rest", test_stop_sends_the_rest},
    {"several chains", test_several_chains},
    {"not there at first", test_not_there_at_first},
    {"a break, with answers", test_break_with_answers},
    {"a break, without answers", test_break_without_answers},
    {"gone while idle", test_gone_while_idle},
    {"in doubt at the end", test_in_doubt_at_the_end},
    {"a farewell ends the doubt", test_farewell_ends_doubt},
    {"a farewell without an answer", test_farewell_unanswered},
    {"taken and dropped", test_taken_and_dropped},
    {"age and bytes end the doubt", test_window_ages},
    {"nothing leaves before it is durable", test_not_before_durable},
    {"a damaged chain", test_damage},
    {"a replaced chain", test_replaced_chain},
    {"a lost cursor", test_lost_cursor},
    {"a stop tries once", test_stop_tries_once},
    {"a stop wakes", test_stop_wakes},
    {"one alarm", test_alarm_once},
    {"another sender", test_replace_sender},
};

UNIT_MAIN("ship", tests)
