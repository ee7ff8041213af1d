/*
 * Memory in shares: nobody takes what is another's, together they never hold more than the whole.
 */
#include <pthread.h>

#include "base/budget.h"
#include "unit.h"

static void
test_nobody_takes_anothers_share(void)
{
    struct budget budget;
    uint64_t greedy = 0, modest = 0;

    budget_init(&budget, 1000, 5); /* a share is 100, 500 are for all */
    CU_ASSERT(!budget_take(&budget, &greedy, 601));
    CU_ASSERT_EQUAL(greedy, 0);
    CU_ASSERT(budget_take(&budget, &greedy, 600));
    CU_ASSERT(!budget_take(&budget, &greedy, 1));
    CU_ASSERT(budget_take(&budget, &modest, 100));
    CU_ASSERT(!budget_take(&budget, &modest, 1));
    CU_ASSERT_EQUAL(modest, 100);
    budget_give(&budget, &greedy);
    CU_ASSERT_EQUAL(greedy, 0);
    CU_ASSERT(budget_take(&budget, &modest, 500));
    CU_ASSERT(budget_take(&budget, &greedy, 100));
    CU_ASSERT(!budget_take(&budget, &greedy, 1));
}

static void
test_edges(void)
{
    struct budget budget;
    uint64_t held = 0;

    budget_init(&budget, 1000, 1);
    CU_ASSERT(!budget_take(&budget, &held, UINT64_MAX));
    CU_ASSERT(budget_take(&budget, &held, 1000)); /* alone it has everything */
    CU_ASSERT(!budget_take(&budget, &held, UINT64_MAX));
    CU_ASSERT(budget_take(&budget, &held, 0));
    budget_init(&budget, 0, 3);
    held = 0;
    CU_ASSERT(!budget_take(&budget, &held, 1));
    budget_init(&budget, 10, 0);
    CU_ASSERT(budget_take(&budget, &held, 10));
    CU_ASSERT(!budget_take(&budget, &held, 1));
}

#define THREADS 4
#define SHARED  100000

static struct budget shared;

static void *
take_all(void *arg)
{
    uint64_t *held = arg;

    while (budget_take(&shared, held, 7)) {
    }
    return NULL;
}

static void
test_together_they_hold_no_more(void)
{
    pthread_t threads[THREADS];
    uint64_t held[THREADS] = {0};
    uint64_t sum = 0;

    budget_init(&shared, SHARED, THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, take_all, &held[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT(pthread_join(threads[i], NULL) == 0);
        CU_ASSERT(held[i] + 7 > SHARED / 2 / THREADS);
        sum += held[i];
    }
    CU_ASSERT(sum <= SHARED && sum + 7 * THREADS > SHARED - 7 * THREADS);
    for (size_t i = 0; i < THREADS; i++) {
        budget_give(&shared, &held[i]);
    }
    CU_ASSERT_EQUAL(atomic_load(&shared.taken), 0);
}

static const struct unit_test tests[] = {
    {"nobody takes another's share", test_nobody_takes_anothers_share},
    {"edges", test_edges},
    {"together they hold no more", test_together_they_hold_no_more},
};
UNIT_MAIN("budget", tests)
