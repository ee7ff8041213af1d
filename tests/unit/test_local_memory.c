/*
 * How much memory a local system's question takes while it waits for a partner: everything of this
 * node but the exchange itself. Counted by the allocator, so not with the sanitizers, whose arenas
 * make a block of every object.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "local_kit.h"

#define QUESTIONS   30
#define BYTES_MOST  ((size_t)60 * 1024)
#define SKIP_REASON "not run: this process counts memory otherwise\n"

static struct scene scene; /* large; one at a time */
static struct scene_reply replies[QUESTIONS];

static size_t
bytes_in_use(void)
{
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* What the scene's engine holds of the questions is the exchange's. */
static size_t
bytes_of_exchanges(void)
{
    size_t bytes = 0;

    for (size_t i = 0; i < scene.questions_n; i++) {
        bytes += scene.questions[i].body.capacity;
    }
    return bytes;
}

static void
test_a_parked_question_is_small(void)
{
    struct scene_stored known;
    size_t before, after, each;

    if (!unit_is_memory_plain() || getenv("ISTHMUS_ARENA_DEBUG") != NULL) {
        printf(SKIP_REASON);
        return;
    }
    (void)local_kit_open(&scene);
    known = kit_add(scene_place(&scene, "green"), "Isabella", "N", "<ClinicalDocument/>");
    local_send_query(&scene, known.patient_id, GREEN, &replies[0]); /* what is made once */
    before = bytes_in_use() - bytes_of_exchanges();
    for (size_t i = 1; i < QUESTIONS; i++) {
        local_send_query(&scene, known.patient_id, GREEN, &replies[i]);
    }
    CU_ASSERT_EQUAL(scene.questions_n, QUESTIONS);
    after = bytes_in_use() - bytes_of_exchanges();
    each = (after - before) / (QUESTIONS - 1);
    printf("\n    %zu bytes each ", each);
    CU_ASSERT(each < BYTES_MOST);
    CU_ASSERT(each > 1024); /* it was counted */
    scene_deliver_all(&scene, NULL);
    for (size_t i = 0; i < QUESTIONS; i++) {
        CU_ASSERT_EQUAL(replies[i].http_status, 200);
    }
    local_kit_close(&scene);
}

static const struct unit_test tests[] = {
    {"a parked question is small", test_a_parked_question_is_small},
};
UNIT_MAIN("local-memory", tests)
