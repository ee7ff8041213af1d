/*
 * Deferred ITI-55, both sides (ITI TF-2 3.55.6.2): refused where it was not agreed, then taken note
 * of, answered later, acknowledged, kept, and collected.
 */
#include <string.h>

#include "later_kit.h"

static struct scene scene; /* large; one at a time */

/* The question to green, which has left. */
static size_t
discover(struct asking **asking)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);

    order.is_deferred = true;
    *asking = NULL;
    scene_ask(scene_place(&scene, "red"), &order, asking);
    return kit_question_to(&scene, "green");
}

/* red and green have agreed, red has asked, and green has taken note; the id of the question. */
static void
ask_and_be_acknowledged(char ret_id[64])
{
    struct asking *asking;
    const size_t question = discover(&asking);

    snprintf(ret_id, 64, "%.*s",
             SPAN_PRINT(later_text(&scene.questions[question], "<wsa:MessageID>", "<")));
    scene_deliver(&scene, question);
    scene_deliver(&scene, kit_question_to(&scene, "blue"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT(kit_leg_of(asking, 0, "green")->is_owed);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "blue")->is_owed, false);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 1);
    asking_free(asking);
}

/* What red collects; NULL with <want> when it cannot. */
static struct asking *
collect(const char *id, enum err want)
{
    struct asking_order order = {.goal = ASKING_DISCOVER, .timeout_us = 20 * US_PER_S};
    struct asking *asking = NULL;
    const size_t asked = scene.questions_n;

    order.collect = span_of_cstr(id);
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, want);
    CU_ASSERT_EQUAL(scene.questions_n, asked); /* nobody is asked */
    if (want != ERR_NONE) {
        asking_free(asking);
        return NULL;
    }
    return asking;
}

static void
check_refused(const char *why, const char *text)
{
    struct asking *asking;
    const uint64_t owed = later_owed(&scene, "green"), awaited = later_awaited(&scene, "red");
    const size_t question = discover(&asking);

    scene_deliver(&scene, question);
    later_expect_reason(&scene, "green", why);
    CU_ASSERT_EQUAL(later_last(&scene, "green")->type, AUDIT_ITI_55);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), owed);
    scene_deliver(&scene, kit_question_to(&scene, "blue"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, ERR_PARTNER_REFUSED);
    CU_ASSERT_PTR_NOT_NULL(strstr(kit_leg_of(asking, 0, "green")->diag.text, text));
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), awaited);
    asking_free(asking);
}

/* REQ: ITI55-deferred-refused */
static void
test_not_agreed(void)
{
    later_open_deferred(&scene);
    later_record(&scene, "green", "red")->is_deferred = false;
    check_refused("UNSUPPORTED_MODE", "NS250");
    later_record(&scene, "green", "red")->is_deferred = true;
    later_record(&scene, "green", "red")->replies.deferred_url = NULL;
    check_refused("UNSUPPORTED_MODE", "NS250");
    scene_close(&scene);
}

/* REQ: ITI55-deferred-registered */
static void
test_address_that_is_not_registered(void)
{
    later_open_deferred(&scene);
    later_record(&scene, "green", "red")->replies.deferred_url = "https://192.0.2.9/deferred";
    check_refused("not registered for partner", "AE");
    scene_close(&scene);
}

static void
test_policy_and_queue(void)
{
    char id[64];

    later_open_deferred(&scene);
    kit_set_policy(scene_place(&scene, "green"), NULL);
    check_refused("POLICY_DENIED", "AE");
    kit_restore_policy(scene_place(&scene, "green"));
    later_record(&scene, "green", "red")->replies.queue = 1;
    ask_and_be_acknowledged(id);
    check_refused("LIMIT_QUEUE", "AE");
    scene_deliver_all(&scene, NULL);
    scene_close(&scene);
}

/* REQ: ITI55-deferred-request, ITI55-deferred-accepted, ITI55-deferred-acknowledgement */
static void
test_answer_is_collected(void)
{
    struct asking *asking;
    struct place *green;
    char id[64];
    size_t answer;

    later_open_deferred(&scene);
    green = scene_place(&scene, "green");
    ask_and_be_acknowledged(id);
    CU_ASSERT_PTR_NULL(collect(id, ERR_PARTNER_TIMEOUT));
    CU_ASSERT_PTR_NULL(collect("urn:uuid:none", ERR_NOT_FOUND));
    answer = kit_question_to(&scene, "red");
    CU_ASSERT_NOT_EQUAL_FATAL(answer, SIZE_MAX);
    CU_ASSERT_STRING_EQUAL(scene.questions[answer].url, RED_REPLIES);
    CU_ASSERT_EQUAL(scene.questions[answer].undurable, 0);
    CU_ASSERT(span_eq_cstr(later_text(&scene.questions[answer], "<wsa:RelatesTo>", "<"), id));
    CU_ASSERT_EQUAL(scene_count_events(green, AUDIT_ITI_55, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
                    2);
    scene_deliver(&scene, answer);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0); /* red's acknowledgement */
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->type, AUDIT_ITI_55);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->side, AUDIT_INITIATING);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->outcome, AUDIT_SUCCESS);
    asking = collect(id, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, ERR_NONE);
    asking_free(asking);
    later_expect_reason(&scene, "red", "collected");
    CU_ASSERT_EQUAL(later_last(&scene, "red")->outcome, AUDIT_SUCCESS);
    CU_ASSERT_PTR_NULL(collect(id, ERR_NOT_FOUND)); /* once */
    scene_close(&scene);
}

/* Nobody here knows the patient: that is an answer, too. */
static void
test_answer_of_nobody(void)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, "Nobody", "Ned", "19010101", "M");
    struct asking *asking = NULL;
    char id[64];

    later_open_deferred(&scene);
    order.is_deferred = true;
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    snprintf(id, sizeof(id), "%.*s",
             SPAN_PRINT(later_text(&scene.questions[kit_question_to(&scene, "green")],
                                   "<wsa:MessageID>", "<")));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    asking = collect(id, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 0);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->state, LEG_ANSWERED);
    asking_free(asking);
    scene_close(&scene);
}

/* What contradicts the question is never used, however late it comes. */
static void
test_answer_about_somebody_else(void)
{
    struct scene_question *question;
    struct asking *asking;
    struct buf forged;
    struct diag diag = {0};
    char id[64];

    later_open_deferred(&scene);
    ask_and_be_acknowledged(id);
    question = &scene.questions[kit_question_to(&scene, "red")];
    const struct span text = buf_span(&question->body); /* the Body is not signed */
    const struct span born = SPAN("birthTime value=\"19470501\"");
    const size_t at = span_find(text, born);

    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    buf_init(&forged, text.n + 1);
    CHECK_OK(&diag, buf_append(&forged, span_slice(text, 0, at), &diag));
    CHECK_OK(&diag, buf_append_cstr(&forged, "birthTime value=\"19760312\"", &diag));
    CHECK_OK(&diag, buf_append(&forged, span_slice(text, at + born.n, text.n), &diag));
    buf_done(&question->body);
    question->body = forged;
    scene_deliver_all(&scene, NULL);
    asking = collect(id, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 0);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->quarantined.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

/* Green does not hear that red has taken it. */
static void
test_answer_comes_twice(void)
{
    static struct scene_reply reply;
    char id[64];
    size_t first;

    later_open_deferred(&scene);
    ask_and_be_acknowledged(id);
    first = kit_question_to(&scene, "red");
    later_send_to_red(&scene, "green", first, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "MCCI_IN000002UV01"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "\"CA\""));
    scene_fail(&scene, first, ERR_PARTNER_UNREACHABLE);
    later_advance(&scene, 13 * US_PER_S);
    CU_ASSERT_NOT_EQUAL_FATAL(kit_question_to(&scene, "red"), first);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    later_expect_reason(&scene, "red", "had come before");
    CU_ASSERT_EQUAL(later_last(&scene, "green")->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    asking_free(collect(id, ERR_NONE));
    scene_close(&scene);
}

/* An asynchronous answer to a deferred question is none. */
static void
test_answer_in_the_wrong_mode(void)
{
    struct pending question;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct place *red;
    struct diag diag = {0};
    enum answer answer;
    char id[64];

    later_open_deferred(&scene);
    red = scene_place(&scene, "red");
    ask_and_be_acknowledged(id);
    CHECK_OK(&diag, pending_fetch(red->store, span_of_cstr(id), arena, &diag, NULL, &question));
    CHECK_OK(&diag, pending_drop(red->store, &question.message_id, 1, NULL, &diag, &answer));
    question.kind = PENDING_ASYNCHRONOUS;
    CHECK_OK(&diag, pending_put(red->store, &question, 1, NULL, &diag, &answer));
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    later_expect_reason(&scene, "red", "another transaction or mode");
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 1);
    arena_free(arena);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"not agreed", test_not_agreed},
    {"an address that is not registered", test_address_that_is_not_registered},
    {"policy and queue", test_policy_and_queue},
    {"an answer is collected", test_answer_is_collected},
    {"nobody is an answer", test_answer_of_nobody},
    {"an answer about somebody else", test_answer_about_somebody_else},
    {"an answer comes twice", test_answer_comes_twice},
    /* REQ: WS-async-awaited */
    {"an answer in the wrong mode", test_answer_in_the_wrong_mode},
};

UNIT_MAIN("scenario_owed", tests)
