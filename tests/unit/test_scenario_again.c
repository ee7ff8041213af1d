/*
 * The second time, and too much: a question whose kept connection was closed is asked once more,
 * with a signature and records of its own; answers that do not fit together cost their own leg.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static struct asking *
start_discovery(struct asking **asking)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);

    *asking = NULL;
    scene_ask(red(), &order, asking);
    return *asking;
}

/* What stands between <start> and the next <end>. */
static struct span
between(struct span text, const char *start, const char *end)
{
    const size_t at = span_find(text, span_of_cstr(start));
    const struct span rest = at == SPAN_MISSING ? SPAN_EMPTY : span_slice(text, at, text.n);
    const size_t n = span_find(rest, span_of_cstr(end));

    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CU_ASSERT_NOT_EQUAL_FATAL(n, SPAN_MISSING);
    return span_slice(rest, strlen(start), n - strlen(start));
}

/* Nothing that a receiver accepts once is the same in both. */
static void
check_signed_anew(const struct scene_question *first, const struct scene_question *second)
{
    static const char *const once[][2] = {{"MessageID", "</"}, {"SignatureValue>", "<"}};
    const struct span one = buf_span(&first->body), two = buf_span(&second->body);

    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        CU_ASSERT_FALSE(
            span_eq(between(one, once[i][0], once[i][1]), between(two, once[i][0], once[i][1])));
    }
    CU_ASSERT(span_eq(between(one, "<queryByParameter", "</queryByParameter>"),
                      between(two, "<queryByParameter", "</queryByParameter>")));
}

static size_t
count_to_green(enum audit_phase phase, bool is_success)
{
    size_t n = 0;

    for (size_t i = 0; scene_event(red(), i) != NULL; i++) {
        const struct scene_event *event = scene_event(red(), i);

        n += event->phase == phase && strcmp(event->partner, "green") == 0 &&
                     (event->outcome == AUDIT_SUCCESS) == is_success
                 ? 1
                 : 0;
    }
    return n;
}

static void
test_a_cut_question_is_asked_once_more(void)
{
    struct asking *asking;
    size_t first, second;

    kit_open_three(&scene);
    (void)start_discovery(&asking);
    first = kit_question_to(&scene, "green");
    scene_cut(&scene, first);
    second = kit_question_to(&scene, "green");
    CU_ASSERT_NOT_EQUAL_FATAL(first, second);
    check_signed_anew(&scene.questions[first], &scene.questions[second]);
    CU_ASSERT_EQUAL(scene.questions[second].undurable, 0);
    CU_ASSERT_EQUAL(count_to_green(AUDIT_INTENT, true), 2);
    CU_ASSERT_EQUAL(count_to_green(AUDIT_OUTCOME, false), 1); /* of the first */
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(count_to_green(AUDIT_OUTCOME, true), 1);
    asking_free(asking);
    scene_close(&scene);
}

/* Green read the first question, but its answer was lost: the second is no replay. */
static void
test_the_second_is_no_replay(void)
{
    struct asking *asking;
    const struct scene_reply *reply;

    kit_open_three(&scene);
    (void)start_discovery(&asking);
    reply = kit_answer_of_green(&scene);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply->text, "Isabella"));
    scene_cut(&scene, kit_question_to(&scene, "green"));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_once_more_is_enough(void)
{
    struct asking *asking;
    size_t n;

    kit_open_three(&scene);
    (void)start_discovery(&asking);
    scene_cut(&scene, kit_question_to(&scene, "green"));
    n = scene.questions_n;
    scene_cut(&scene, kit_question_to(&scene, "green"));
    CU_ASSERT_EQUAL(scene.questions_n, n);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, ERR_PARTNER_UNREACHABLE);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    asking_free(asking);
    scene_close(&scene);
}

/* Whatever fails otherwise is not asked again. */
static void
test_other_failures_are_not_asked_again(void)
{
    static const enum err errors[] = {ERR_PARTNER_UNREACHABLE, ERR_PARTNER_TIMEOUT, ERR_PARTNER_TLS,
                                      ERR_PARTNER_ANSWER};
    struct asking *asking;
    size_t n;

    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        kit_open_three(&scene);
        (void)start_discovery(&asking);
        n = scene.questions_n;
        scene_fail(&scene, kit_question_to(&scene, "green"), errors[i]);
        CU_ASSERT_EQUAL(scene.questions_n, n);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, errors[i]);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* No question without its record, the second included; others' answers wait that long only. */
static void
test_the_second_waits_for_its_record(void)
{
    struct asking *asking;
    size_t n;

    kit_open_three(&scene);
    (void)start_discovery(&asking);
    n = scene.questions_n;
    red()->sink.is_held = true;
    scene_cut(&scene, kit_question_to(&scene, "green"));
    scene_deliver(&scene, kit_question_to(&scene, "blue"));
    CU_ASSERT_EQUAL(scene.questions_n, n);
    red()->sink.is_held = false;
    scene_commit(red());
    scene_run(&scene);
    CU_ASSERT_EQUAL(scene.questions_n, n + 1);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "blue")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

/* All partners' connections are cut at once, and the journal breaks: nothing more leaves. */
static void
test_no_second_without_a_journal(void)
{
    struct asking *asking;
    size_t n;

    kit_open_three(&scene);
    (void)start_discovery(&asking);
    n = scene.questions_n;
    red()->sink.is_broken = true;
    scene_cut(&scene, kit_question_to(&scene, "green"));
    CU_ASSERT_EQUAL(scene.questions_n, n);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_JOURNAL);
    asking_free(asking);
    scene_close(&scene);
}

/* A question that is cut after the deadline has nobody to answer to. */
static void
test_no_second_after_the_deadline(void)
{
    struct asking *asking;
    size_t n;

    kit_open_three(&scene);
    (void)start_discovery(&asking);
    n = scene.questions_n;
    scene_deliver(&scene, kit_question_to(&scene, "blue"));
    fake_clock_advance(&scene.clock, 3600 * US_PER_S);
    scene_cut(&scene, kit_question_to(&scene, "green"));
    scene_run(&scene);
    CU_ASSERT_EQUAL(scene.questions_n, n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- too much ---- */

/* Green's genuine answer with white space at its end. */
static void
answer_padded(size_t padding)
{
    const struct scene_reply *reply = kit_answer_of_green(&scene);
    struct diag diag = {0};
    struct buf padded;
    char *room;

    buf_init(&padded, (size_t)64 * 1024 * 1024);
    CHECK_OK(&diag, buf_append(&padded, span_of(reply->text, reply->n), &diag));
    CHECK_OK(&diag, buf_reserve(&padded, padding, &diag, &room));
    memset(room, ' ', padding);
    padded.n += padding;
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, reply->content_type,
                 buf_span(&padded));
    buf_done(&padded);
}

/* 1 MB for all: two legs have 256 KB each and may have 512 KB more while there is any. */
static void
test_what_does_not_fit_is_named(void)
{
    static const struct {
        size_t padding;
        bool is_held;
    } rows[] = {{(size_t)200 * 1024, true},
                {(size_t)600 * 1024, true},
                {(size_t)800 * 1024, false},
                {(size_t)8 * 1024 * 1024, false}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asking *asking;
        const struct leg *green;

        kit_open_three(&scene);
        ((struct config *)red()->config)->answers_limit = (size_t)1024 * 1024;
        (void)start_discovery(&asking);
        answer_padded(rows[i].padding);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        green = kit_leg_of(asking, 0, "green");
        CU_ASSERT_EQUAL(green->matches.n, rows[i].is_held ? 1 : 0);
        CU_ASSERT_EQUAL(green->held > 0, rows[i].is_held);
        CU_ASSERT(green->held < (uint64_t)64 * 1024); /* facts only: its bytes are free again */
        CU_ASSERT_EQUAL(green->diag.code, rows[i].is_held ? ERR_NONE : ERR_TOO_MANY_RESULTS);
        if (!rows[i].is_held) {
            CHECK_SPAN(span_of_cstr(err_ihe_code(green->diag.code)), "XDSTooManyResults");
            CU_ASSERT_PTR_NOT_NULL(strstr(green->diag.text, "the answer of green does not fit"));
            CU_ASSERT_EQUAL(green->held, 0);
            CU_ASSERT_PTR_NULL(green->arena); /* its memory is free again */
            CU_ASSERT_EQUAL(count_to_green(AUDIT_OUTCOME, false), 1);
        }
        CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "blue")->matches.n, 1); /* its share is its own */
        asking_free(asking);
        scene_close(&scene);
    }
}

/* What the rounds before have read is free again, but for its facts. */
static void
test_rounds_keep_facts_only(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking = NULL;

    kit_open_three(&scene);
    ((struct config *)red()->config)->answers_limit = (size_t)1024 * 1024;
    scene_ask(red(), &order, &asking);
    answer_padded((size_t)600 * 1024);
    scene_deliver_all(&scene, "green");
    answer_padded((size_t)300 * 1024);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 1, "green")->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
    CU_ASSERT(asking->held > 0 && asking->held < (uint64_t)256 * 1024);
    asking_free(asking);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"a cut question is asked once more", test_a_cut_question_is_asked_once_more},
    {"the second is no replay", test_the_second_is_no_replay},
    {"once more is enough", test_once_more_is_enough},
    {"other failures are not asked again", test_other_failures_are_not_asked_again},
    {"the second waits for its record", test_the_second_waits_for_its_record},
    {"no second without a journal", test_no_second_without_a_journal},
    {"no second after the deadline", test_no_second_after_the_deadline},
    {"what does not fit is named", test_what_does_not_fit_is_named},
    {"rounds keep facts only", test_rounds_keep_facts_only},
};
UNIT_MAIN("scenario-again", tests)
