/*
 * A partner that answers with thousands of DocumentEntries: a local system gets all of them, a
 * configured limit costs that partner's leg only, and what is asked for afterwards is planned
 * without looking at all of them for each. Fake clock, partners in the same process, no sockets.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "local_kit.h"

#define ENTRIES 3000
#define MB      ((size_t)1024 * 1024)

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

/* <text> with every <from> as <to>; both of one length. */
static void
append_as(struct buf *out, struct span text, struct span from, struct span to)
{
    struct diag diag = {0};

    CU_ASSERT_EQUAL_FATAL(from.n, to.n);
    for (size_t at = span_find(text, from); at != SPAN_MISSING; at = span_find(text, from)) {
        CHECK_OK(&diag, buf_append(out, span_slice(text, 0, at), &diag));
        CHECK_OK(&diag, buf_append(out, to, &diag));
        text = span_slice(text, at + from.n, text.n);
    }
    CHECK_OK(&diag, buf_append(out, text, &diag));
}

/* The object with other ids: those of number <i>. */
static void
append_object(struct buf *out, struct span object, const struct scene_stored *stored, unsigned i)
{
    const struct span uuid = span_of_cstr(stored->entry_uuid);
    const struct span unique_id = span_of_cstr(stored->unique_id);
    char number[16], other_uuid[64], other_id[128];
    struct diag diag = {0};
    struct buf half;

    (void)snprintf(number, sizeof(number), "%08u", i);
    (void)snprintf(other_uuid, sizeof(other_uuid), "%.*s%s", (int)uuid.n - 8, uuid.p, number);
    (void)snprintf(other_id, sizeof(other_id), "%.*s%s", (int)unique_id.n - 8, unique_id.p, number);
    other_id[unique_id.n - 8] = '1'; /* an arc does not begin with zero */
    buf_init(&half, MB);
    append_as(&half, object, uuid, span_of_cstr(other_uuid));
    append_as(out, buf_span(&half), unique_id, span_of_cstr(other_id));
    CU_ASSERT_EQUAL(diag.code, ERR_NONE);
    buf_done(&half);
}

/* Green's genuine answer to the question that is out, with <n> objects instead of its own. */
static void
answer_with_many(const struct scene_stored *stored, size_t n)
{
    const struct scene_reply *genuine = kit_answer_of_green(&scene);
    const struct span text = span_of(genuine->text, genuine->n);
    const size_t first = span_find(text, SPAN("<rim:ExtrinsicObject"));
    const size_t end = span_find(text, SPAN("</rim:RegistryObjectList>"));
    size_t at = span_find(text, span_of_cstr(stored->entry_uuid));
    struct diag diag = {0};
    struct buf answer;

    CU_ASSERT_FATAL(first != SPAN_MISSING && end != SPAN_MISSING && at != SPAN_MISSING);
    while (!span_starts_with(span_slice(text, at, text.n), SPAN("<rim:ExtrinsicObject"))) {
        at--;
    }
    const struct span from_it = span_slice(text, at, text.n);
    const struct span close = SPAN("</rim:ExtrinsicObject>");
    const struct span object = span_slice(from_it, 0, span_find(from_it, close) + close.n);

    buf_init(&answer, 64 * MB);
    CHECK_OK(&diag, buf_append(&answer, span_slice(text, 0, first), &diag));
    for (size_t i = 0; i < n; i++) {
        append_object(&answer, object, stored, (unsigned)i);
    }
    CHECK_OK(&diag, buf_append(&answer, span_slice(text, end, text.n), &diag));
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, genuine->content_type,
                 buf_span(&answer));
    buf_done(&answer);
}

static struct scene_stored
open_with_document(void)
{
    (void)local_kit_open(&scene);
    return kit_add(scene_place(&scene, "green"), "Isabella", "N",
                   "<ClinicalDocument>third</ClinicalDocument>");
}

static size_t
count(struct span text, struct span word)
{
    size_t n = 0;

    for (size_t at = span_find(text, word); at != SPAN_MISSING; at = span_find(text, word)) {
        text = span_slice(text, at + word.n, text.n);
        n++;
    }
    return n;
}

static void
test_all_of_them_reach_the_local_system(void)
{
    const struct scene_stored stored = open_with_document();
    struct buf whole;

    buf_init(&whole, 64 * MB);
    reply.whole = &whole;
    local_send_query(&scene, stored.patient_id, GREEN, &reply);
    answer_with_many(&stored, ENTRIES);
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_EQUAL(count(buf_span(&whole), SPAN("</rim:ExtrinsicObject>")), ENTRIES);
    CU_ASSERT(span_find(buf_span(&whole), SPAN("ResponseStatusType:Success")) != SPAN_MISSING);
    CU_ASSERT_EQUAL(count(buf_span(&whole), SPAN("RegistryError ")), 0);
    CU_ASSERT_EQUAL(scene_undurable(&red()->sink), 0);
    reply.whole = NULL;
    buf_done(&whole);
    local_kit_close(&scene);
}

static void
test_a_limit_costs_the_leg_only(void)
{
    const struct scene_stored stored = open_with_document();
    const size_t before = red()->config->facts_limit;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct registry_error *error;
    struct query_answer answer;

    ((struct config *)red()->config)->facts_limit = MB;
    local_send_query(&scene, stored.patient_id, NULL, &reply);
    answer_with_many(&stored, ENTRIES);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_FATAL(reply.is_here);
    kit_read_query_answer(&reply, arena, &answer);
    error = local_error_of(&answer.errors, GREEN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_SPAN(error->code, "XDSRegistryOutOfResources");
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    ((struct config *)red()->config)->facts_limit = before;
    arena_free(arena);
    local_kit_close(&scene);
}

/* ---- planning ---- */

static int64_t
cpu_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * US_PER_S + now.tv_nsec / 1000;
}

/* Entries found are asked for, each once, in legs of as many as one question takes; what that costs
 * is shown. */
static void
test_planning_what_was_found(void)
{
    const struct scene_stored stored = open_with_document();
    int64_t us[2] = {0};
    size_t bytes = 0;

    for (size_t round = 0; round < 2; round++) {
        const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
        const size_t n = ENTRIES * (round + 1) / 2;
        struct asking *asking = NULL;
        size_t refs = 0;

        scene_ask(red(), &order, &asking);
        scene_deliver(&scene, kit_question_to(&scene, "green"));
        scene_deliver_all(&scene, "green");
        us[round] = cpu_us();
        answer_with_many(&stored, n);
        us[round] = cpu_us() - us[round];
        scene_deliver_all(&scene, "green");
        for (size_t i = 0; i < scene.questions_n; i++) {
            if (!scene.questions[i].is_answered) {
                scene_fail(&scene, i, ERR_PARTNER_TIMEOUT);
            }
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        for (size_t i = 0; i < asking->legs[2].n; i++) {
            const struct leg *leg = &asking->legs[2].items[i];

            refs +=
                leg->partner != NULL && strcmp(leg->partner->id, "green") == 0 ? leg->refs.n : 0;
            CU_ASSERT(leg->refs.n <= 256);
        }
        CU_ASSERT_EQUAL(refs, n);
        bytes = arena_used(kit_leg_of(asking, 1, "green")->arena) / n;
        CU_ASSERT(bytes < 20 * 1000); /* the default limit is for 3,000 of them */
        asking_free(asking);
        scene_forget(&scene);
    }
    printf("\n    %d entries read and planned in %lld us, %d in %lld us; %zu bytes each",
           ENTRIES / 2, (long long)us[0], ENTRIES, (long long)us[1], bytes);
    local_kit_close(&scene);
}

static const struct unit_test tests[] = {
    {"all of them reach the local system", test_all_of_them_reach_the_local_system},
    {"a limit costs the leg only", test_a_limit_costs_the_leg_only},
    {"planning what was found", test_planning_what_was_found},
};
UNIT_MAIN("scenario-many", tests)
