/*
 * Answers to ITI-55 are used again as long as the partner allows (CorrelationTimeToLive) and our
 * configuration wants: for the same question of the same asker only, "nobody" as well.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"
#include "store/correlation.h"

#define HOUR_US ((int64_t)3600 * US_PER_S)

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static struct config_discovery *
discovery_of(const char *place)
{
    return &((struct config *)scene_place(&scene, place)->config)->discovery;
}

static void
open_remembering(void)
{
    kit_open_three(&scene);
    discovery_of("green")->time_to_live_us = 2 * HOUR_US;
    discovery_of("red")->remember_us = HOUR_US;
}

/* How many questions left for green meanwhile. */
static size_t
ask(const struct asking_order *order, bool *ret_is_remembered, size_t *ret_matches)
{
    struct asking *asking = NULL;
    const struct leg *leg;
    size_t before = scene.questions_n, asked = 0;

    scene_ask(red(), order, &asking);
    for (size_t i = before; i < scene.questions_n; i++) {
        asked += strcmp(scene.questions[i].to->id, "green") == 0 ? 1 : 0;
    }
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 0, "green");
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
    *ret_is_remembered = leg->is_remembered;
    *ret_matches = leg->matches.n;
    if (leg->matches.n > 0) {
        CHECK_SPAN(leg->matches.items[0].home, "2.999.2");
        CHECK_SPAN(leg->matches.items[0].patient.names.items[0].family, "Jones");
    }
    asking_free(asking);
    return asked;
}

static void
expect(const struct asking_order *order, bool is_remembered, size_t matches)
{
    bool got = false;
    size_t found = 0;
    const size_t asked = ask(order, &got, &found);

    CU_ASSERT_EQUAL(asked, is_remembered ? 0 : 1);
    CU_ASSERT_EQUAL(got, is_remembered);
    CU_ASSERT_EQUAL(found, matches);
}

/* REQ: ITI55-kept-no-longer */
static void
test_an_answer_is_used_until_its_time_is_over(void)
{
    struct asking_order order, other, fresh;

    open_remembering();
    order = scene_order(ASKING_DISCOVER, ISABELLA);
    expect(&order, false, 1);
    expect(&order, true, 1);
    other = scene_order(ASKING_DISCOVER, "Jones", "Isabel", "19470501", "F");
    expect(&other, false, 0);
    expect(&other, true, 0); /* "nobody" is an answer */
    other = order;
    other.role = "106289002"; /* another asker may be answered in another way */
    expect(&other, false, 1);
    fresh = order;
    fresh.is_fresh = true;
    expect(&fresh, false, 1);
    fake_clock_advance(&scene.clock, HOUR_US - US_PER_S);
    expect(&order, true, 1);
    fake_clock_advance(&scene.clock, US_PER_S);
    expect(&order, false, 1);
    discovery_of("red")->remember_us = 10 * US_PER_S; /* lowered: counts at once */
    fake_clock_advance(&scene.clock, 11 * US_PER_S);
    expect(&order, false, 1);
    scene_close(&scene);
}

/* We would remember for longer than the community allowed. */
/* REQ: ITI55-kept-no-longer */
static void
test_a_community_says_for_how_long(void)
{
    struct asking_order order;

    open_remembering();
    discovery_of("green")->time_to_live_us = HOUR_US;
    discovery_of("red")->remember_us = 3 * HOUR_US;
    order = scene_order(ASKING_DISCOVER, ISABELLA);
    expect(&order, false, 1);
    fake_clock_advance(&scene.clock, HOUR_US - US_PER_S);
    expect(&order, true, 1);
    fake_clock_advance(&scene.clock, US_PER_S);
    expect(&order, false, 1);
    scene_close(&scene);
}

static void
test_nothing_is_kept_without_leave(void)
{
    const struct {
        int64_t told_us, remember_us;
    } rows[] = {{0, HOUR_US}, {HOUR_US, 0}, {0, 0}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asking_order order;

        kit_open_three(&scene);
        discovery_of("green")->time_to_live_us = rows[i].told_us;
        discovery_of("red")->remember_us = rows[i].remember_us;
        order = scene_order(ASKING_DISCOVER, ISABELLA);
        expect(&order, false, 1);
        expect(&order, false, 1);
        scene_close(&scene);
    }
}

/* The record of what was not asked says so; and a partner whose file has lost the community is not
 * believed any more. */
static void
test_what_is_remembered_passes_the_same_checks(void)
{
    static const char *const elsewhere[] = {"2.999.2.9"};
    struct asking_order order;
    struct partner *record;
    struct asking *asking = NULL;
    const struct leg *leg;
    bool is_recorded = false;

    open_remembering();
    order = scene_order(ASKING_DISCOVER, ISABELLA);
    expect(&order, false, 1);
    expect(&order, true, 1);
    for (size_t i = 0; scene_event(red(), i) != NULL; i++) {
        is_recorded |= strstr(scene_event(red(), i)->reason, "not asked") != NULL;
    }
    CU_ASSERT(is_recorded);
    record = (struct partner *)config_partner_of_community(red()->config, SPAN("2.999.2"));
    record->communities = (struct config_strings){elsewhere, 1};
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 0, "green");
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    CU_ASSERT(!leg->is_remembered); /* another community is asked now */
    asking_free(asking);
    scene_close(&scene);
}

static void
test_what_is_known_is_listed_and_forgotten(void)
{
    struct correlation_match match = {.community = SPAN("2.999.2.7"), .degree = 90};
    const struct ident local = {SPAN("2.999.5"), SPAN("17"), SPAN_EMPTY};
    const struct ident other = {SPAN("2.999.5"), SPAN("18"), SPAN_EMPTY};
    const struct ident remote = {SPAN("2.999.6"), SPAN("a"), SPAN_EMPTY};
    struct correlation known[2] = {{.key = {.local = local, .asked = SPAN("2.999.2")}},
                                   {.key = {.local = other, .asked = SPAN("2.999.2")}}};
    struct correlation_match_list ids = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};
    uint64_t forgotten = 0;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);

    CU_ASSERT_FATAL(arena != NULL);
    open_remembering();
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &match.patient.ids, remote));
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &known[0].matches, match));
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        known[i].partner = SPAN("green");
        known[i].learned_us = clock_wall_us(red()->node.clock);
        known[i].until_us = known[i].learned_us + HOUR_US;
    }
    CHECK_OK(&diag, store_learn_correlations(red()->node.store, known, ARRAY_LEN(known), NULL,
                                             &diag, &answer));
    CHECK_OK(&diag,
             store_correlated_ids(red()->node.store, &local, NULL, arena, &diag, &answer, &ids));
    CU_ASSERT_EQUAL_FATAL(ids.n, 1);
    CHECK_SPAN(ids.items[0].community, "2.999.2.7");
    CHECK_SPAN(ids.items[0].patient.ids.items[0].extension, "a");
    CU_ASSERT_EQUAL(ids.items[0].degree, 90);
    CHECK_OK(&diag,
             store_correlated_ids(red()->node.store, &other, NULL, arena, &diag, &answer, &ids));
    CU_ASSERT_EQUAL(ids.n, 0); /* nobody there knows him */
    CHECK_OK(&diag, store_forget_correlations(red()->node.store,
                                              &(struct correlation_forget){.local = other}, &diag,
                                              &forgotten));
    CU_ASSERT_EQUAL(forgotten, 1);
    CHECK_OK(&diag, store_forget_correlations(red()->node.store,
                                              &(struct correlation_forget){.partner = SPAN("blue")},
                                              &diag, &forgotten));
    CU_ASSERT_EQUAL(forgotten, 0);
    fake_clock_advance(&scene.clock, HOUR_US);
    CHECK_OK(&diag,
             store_correlated_ids(red()->node.store, &local, NULL, arena, &diag, &answer, &ids));
    CU_ASSERT_EQUAL(ids.n, 0);
    CHECK_OK(&diag, store_forget_correlations(red()->node.store, &(struct correlation_forget){0},
                                              &diag, &forgotten));
    CU_ASSERT_EQUAL(forgotten, 1);
    arena_free(arena);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"an answer is used until its time is over", test_an_answer_is_used_until_its_time_is_over},
    {"a community says for how long", test_a_community_says_for_how_long},
    {"nothing is kept without leave", test_nothing_is_kept_without_leave},
    {"what is remembered passes the same checks", test_what_is_remembered_passes_the_same_checks},
    {"what is known is listed and forgotten", test_what_is_known_is_listed_and_forgotten},
};

UNIT_MAIN("scenario-remembered", tests)
