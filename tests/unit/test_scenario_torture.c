/*
 * Memory that runs out anywhere: at each allocation of a whole gathering over three nodes, once, or
 * for good. Whatever fails, every transaction ends, nothing leaves without its durable record (the
 * scene checks that at each question and answer), what fails is named, and nothing leaks. Every
 * fifth allocation is enough for each day; ISTHMUS_TORTURE=full takes all.
 */
#include "base/mem.h"
#include "scene_kit.h"

#define ROUNDS_MAX 200000

static struct scene scene; /* large; one at a time */

/* The outcome of each intent is recorded, unless the transaction itself failed. */
static void
check_records(const struct asking *asking)
{
    const struct scene_sink *sink = &scene_place(&scene, "red")->sink;
    size_t intents = 0, outcomes = 0;

    for (size_t i = 0; i < sink->n; i++) {
        const struct scene_event *event = &sink->events[i];

        intents += event->phase == AUDIT_INTENT ? 1 : 0;
        outcomes += event->phase == AUDIT_OUTCOME && event->type != AUDIT_LOCAL_ACCESS ? 1 : 0;
        CU_ASSERT(event->is_durable);
        CU_ASSERT(event->outcome == AUDIT_SUCCESS || event->reason[0] != '\0');
    }
    CU_ASSERT(asking->txn.diag.code != ERR_NONE || outcomes >= intents);
}

static void
check_named(const struct asking *asking)
{
    if (asking->txn.diag.code != ERR_NONE) {
        CU_ASSERT(asking->txn.diag.text[0] != '\0');
        return;
    }
    for (size_t r = 0; r < ASKING_ROUNDS; r++) {
        for (size_t i = 0; i < asking->legs[r].n; i++) {
            const struct leg *leg = &asking->legs[r].items[i];

            CU_ASSERT(leg->state == LEG_ANSWERED || leg->state == LEG_FAILED);
            CU_ASSERT(leg->state == LEG_ANSWERED || leg->diag.code != ERR_NONE);
            CU_ASSERT(leg->state == LEG_ANSWERED || leg->diag.text[0] != '\0');
        }
    }
}

/* True when nothing failed any more. */
static bool
gather_with(uint64_t allocations, bool is_memory_gone)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking = NULL;
    struct diag diag = {0};
    struct status st;
    bool is_whole;

    scene.allocations_left = allocations;
    scene.is_memory_gone = is_memory_gone;
    st = scene_try_ask(scene_place(&scene, "red"), &order, &diag, &asking);
    if (!is_ok(st)) {
        scene.allocations_left = UINT64_MAX;
        CU_ASSERT_EQUAL(st.code, ERR_NO_MEMORY);
        CU_ASSERT_EQUAL(diag.code, ERR_NO_MEMORY);
        return false;
    }
    for (int i = 0; i < 4 && asking == NULL; i++) {
        scene_deliver_all(&scene, NULL);
        fake_clock_advance(&scene.clock, 7 * US_PER_S);
        scene_run(&scene);
    }
    scene.allocations_left = UINT64_MAX;
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    for (size_t i = 0; i < scene.questions_n; i++) {
        CU_ASSERT_EQUAL(scene.questions[i].undurable, 0);
    }
    check_records(asking);
    check_named(asking);
    is_whole = asking->txn.diag.code == ERR_NONE && asking_failed(asking) == 0;
    CU_ASSERT(!is_whole || asking->documents.n == 4);
    asking_free(asking);
    return is_whole;
}

static void
torture(bool is_memory_gone, uint64_t step)
{
    uint64_t first_whole = 0;

    kit_open_three(&scene);
    for (uint64_t n = 0; n < ROUNDS_MAX && first_whole == 0; n += step) {
        const uint64_t before = mem_allocations();

        if (gather_with(n, is_memory_gone) && n > mem_allocations() - before) {
            first_whole = n; /* all of its allocations are behind us */
        }
        scene_forget(&scene);
    }
    CU_ASSERT(first_whole > 100);
    printf("\n    %llu allocations ", (unsigned long long)first_whole);
    scene_close(&scene);
}

static void
test_memory_fails_once(void)
{
    torture(false, unit_torture_is_full() ? 1 : 5);
}

static void
test_memory_is_gone(void)
{
    torture(true, unit_torture_is_full() ? 1 : 17);
}

static const struct unit_test tests[] = {
    {"memory fails once", test_memory_fails_once},
    {"memory is gone", test_memory_is_gone},
};
UNIT_MAIN("scenario-torture", tests)
