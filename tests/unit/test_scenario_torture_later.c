/*
 * Memory that runs out anywhere between an asynchronous question and its collected answer, on both
 * nodes, once or for good: each transaction ends, nothing leaves without its durable record, and
 * when memory is back, an answer that green has promised is there, and is collected once. Every
 * seventh allocation is enough for each day; ISTHMUS_TORTURE=full takes all.
 */
#include "base/mem.h"
#include "later_kit.h"

#define ROUNDS_MAX 100000
#define AGE_US     (600 * US_PER_S)

static struct scene scene; /* large; one at a time */

static void
check_durable(void)
{
    for (size_t i = 0; i < scene.questions_n; i++) {
        CU_ASSERT_EQUAL(scene.questions[i].undurable, 0);
    }
}

static void
deliver_newest(const char *partner)
{
    const size_t at = kit_question_to(&scene, partner);

    if (at != SIZE_MAX && !scene.questions[at].is_answered) {
        scene_deliver(&scene, at);
    }
}

/* Until its deadline; was it green's word that an answer will come? */
static bool
ask(char ret_id[64], bool *ret_is_whole)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking = NULL;
    struct diag diag = {0};
    const struct leg *leg;
    bool is_promised;

    order.is_collectable = true;
    if (!is_ok(scene_try_ask(scene_place(&scene, "red"), &order, &diag, &asking))) {
        CU_ASSERT_EQUAL(diag.code, ERR_NO_MEMORY);
        *ret_is_whole = false;
        return false;
    }
    deliver_newest("green");
    for (int i = 0; i < 4 && asking == NULL; i++) {
        fake_clock_advance(&scene.clock, 7 * US_PER_S);
        scene_run(&scene);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 0, "green");
    is_promised = leg != NULL && leg->is_awaited && later_owed(&scene, "green") == 1;
    *ret_is_whole = asking->txn.diag.code == ERR_NONE && leg != NULL && leg->is_awaited;
    if (leg != NULL) {
        snprintf(ret_id, 64, "%s", leg->message_id);
    }
    asking_free(asking);
    return is_promised;
}

/* True when it was given. */
static bool
collect(const char *id)
{
    const struct asking_order order = {
        .goal = ASKING_DISCOVER, .timeout_us = 20 * US_PER_S, .collect = span_of_cstr(id)};
    struct asking *asking = NULL;
    struct diag diag = {0};
    const struct leg *leg;
    bool is_given;

    if (!is_ok(scene_try_ask(scene_place(&scene, "red"), &order, &diag, &asking))) {
        CU_ASSERT(diag.code == ERR_NO_MEMORY);
        return false;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 0, "green");
    is_given = asking->txn.diag.code == ERR_NONE && leg != NULL && leg->state == LEG_ANSWERED;
    CU_ASSERT(!is_given || leg->matches.n == 1);
    CU_ASSERT(is_given || asking->txn.diag.code != ERR_NONE ||
              (leg != NULL && leg->diag.code != ERR_NONE));
    asking_free(asking);
    return is_given;
}

/* With memory again: green sends until red has it. */
static void
settle(void)
{
    scene.allocations_left = UINT64_MAX;
    for (int i = 0; i < 6 && later_owed(&scene, "green") > 0; i++) {
        later_advance(&scene, 80 * US_PER_S);
        deliver_newest("red");
        scene_run(&scene);
    }
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
}

/* What this round left goes. */
static void
forget_all(void)
{
    struct diag diag = {0};
    uint64_t n;

    scene_deliver_all(&scene, NULL);
    fake_clock_advance(&scene.clock, 2 * AGE_US);
    CHECK_OK(&diag, pending_expire(scene_place(&scene, "red")->store,
                                   clock_wall_us(&scene.clock.clock), &diag, &n));
    scene_forget(&scene);
}

/* True when nothing failed any more. */
static bool
round_with(uint64_t allocations, bool is_memory_gone)
{
    char id[64] = "";
    bool is_whole = false, is_given;

    scene.allocations_left = allocations;
    scene.is_memory_gone = is_memory_gone;
    const bool is_promised = ask(id, &is_whole);

    deliver_newest("red");
    is_given = id[0] != '\0' && collect(id);
    is_whole = is_whole && is_given;
    settle();
    if (is_promised && !is_given) {
        is_given = collect(id);
        CU_ASSERT(is_given); /* nothing was lost */
    }
    if (is_given) {
        CU_ASSERT_FALSE(collect(id)); /* once */
    }
    check_durable();
    forget_all();
    return is_whole;
}

static void
torture(bool is_memory_gone, uint64_t step)
{
    uint64_t first_whole = 0;

    later_open(&scene);
    later_record(&scene, "green", "red")->replies.age_us = AGE_US;
    later_record(&scene, "red", "green")->replies.age_us = AGE_US;
    for (uint64_t n = 0; n < ROUNDS_MAX && first_whole == 0; n += step) {
        const uint64_t before = mem_allocations();

        if (round_with(n, is_memory_gone) && n > mem_allocations() - before) {
            first_whole = n; /* all of its allocations are behind us */
        }
    }
    CU_ASSERT(first_whole > 100);
    printf("\n    %llu allocations ", (unsigned long long)first_whole);
    scene_close(&scene);
}

static void
test_memory_fails_once(void)
{
    torture(false, unit_torture_is_full() ? 1 : 7);
}

static void
test_memory_is_gone(void)
{
    torture(true, unit_torture_is_full() ? 1 : 19);
}

static const struct unit_test tests[] = {
    {"memory fails once", test_memory_fails_once},
    {"memory is gone", test_memory_is_gone},
};

UNIT_MAIN("scenario_torture_later", tests)
