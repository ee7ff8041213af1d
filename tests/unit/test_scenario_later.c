/*
 * Asynchronous exchange, both sides: refused addresses first, then answers that come, come late,
 * come twice, come from somebody else, cannot be delivered for a while, or never.
 */
#include <string.h>

#include "later_kit.h"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;

/* The asking ends without its leg to green. */
static void
end_asking(struct asking **asking)
{
    fake_clock_advance(&scene.clock, 30 * US_PER_S);
    scene_run(&scene);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(*asking);
    asking_free(*asking);
}

/* ---- the responder: where answers may go ---- */

/* REQ: WS-reply-registered */
static void
test_addresses_that_are_refused(void)
{
    static const struct {
        const char *registered; /* instead of red's */
        size_t n;
        const char *why;
    } rows[] = {
        {NULL, 0, "asynchronous answers are not offered"},
        {"https://127.0.0.1:8441/deferre", 1, "not registered for the partner"},
        {"https://127.0.0.1:8441/deferred/", 1, "not registered for the partner"},
        {"HTTPS://127.0.0.1:8441/deferred", 1, "not registered for the partner"},
        {"https://192.0.2.9/deferred", 1, "not registered for the partner"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct asking *asking;
        size_t question;

        later_open(&scene);
        later_record(&scene, "green", "red")->replies.asynchronous =
            (struct config_strings){.items = &rows[i].registered, .n = rows[i].n};
        question = later_discover(&scene, &asking);
        scene_deliver(&scene, question);
        CU_ASSERT(later_last(&scene, "green")->outcome != AUDIT_SUCCESS);
        CU_ASSERT_EQUAL(later_last(&scene, "green")->side, AUDIT_RESPONDING);
        later_expect_reason(&scene, "green", rows[i].why);
        CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, ERR_SOAP_FAULT);
        CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* What is refused before it was accepted is refused where it was asked, by a fault. */
static void
test_policy_is_asked_first(void)
{
    struct asking *asking;

    later_open(&scene);
    kit_set_policy(scene_place(&scene, "green"), NULL);
    scene_deliver(&scene, later_discover(&scene, &asking));
    later_expect_reason(&scene, "green", "POLICY_DENIED");
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, ERR_SOAP_FAULT);
    asking_free(asking);
    kit_restore_policy(scene_place(&scene, "green"));
    scene_close(&scene);
}

static void
test_queue_is_full(void)
{
    struct asking *first, *second;

    later_open(&scene);
    later_record(&scene, "green", "red")->replies.queue = 1;
    scene_deliver(&scene, later_discover(&scene, &first));
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 1);
    scene_deliver(&scene, later_discover(&scene, &second));
    later_expect_reason(&scene, "green", "LIMIT_QUEUE");
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 1);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_EQUAL(kit_leg_of(first, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(kit_leg_of(second, 0, "green")->state, LEG_FAILED);
    asking_free(first);
    asking_free(second);
    scene_close(&scene);
}

/* ---- the exchange ---- */

/* REQ: WS-async-accepted, WS-async-answer */
static void
test_answer_comes_by_itself(void)
{
    struct asking *asking;
    struct place *green;
    size_t question, answer;

    later_open(&scene);
    green = scene_place(&scene, "green");
    question = later_discover(&scene, &asking);
    CU_ASSERT(
        span_eq(later_text(&scene.questions[question], "<wsa:Address>", "<"), SPAN(RED_REPLIES)));
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 1); /* before a byte of it has left */
    scene_deliver(&scene, question);
    answer = kit_question_to(&scene, "red");
    CU_ASSERT_NOT_EQUAL_FATAL(answer, SIZE_MAX);
    CU_ASSERT_STRING_EQUAL(scene.questions[answer].url, RED_REPLIES);
    CU_ASSERT_EQUAL(scene.questions[answer].undurable, 0);
    CU_ASSERT(span_eq(later_text(&scene.questions[answer], "<wsa:RelatesTo>", "<"),
                      later_text(&scene.questions[question], "<wsa:MessageID>", "<")));
    /* accepted, and then disclosed: two records before the answer left */
    CU_ASSERT_EQUAL(scene_count_events(green, AUDIT_ITI_55, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
                    2);
    CU_ASSERT(scene_event(green, 0)->patients_n == 1 && scene_event(green, 1)->patients_n == 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green, 1)->reason, RED_REPLIES));
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 1); /* until red has it */
    scene_deliver(&scene, answer);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
    asking_free(asking);
    scene_close(&scene);
}

/* Discovery, query and retrieve, documents in a multipart message of their own. */
static void
test_gather(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking = NULL;

    later_open(&scene);
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
    asking_free(asking);
    scene_close(&scene);
}

/* The answer is faster than the 202. */
static void
test_answer_overtakes(void)
{
    struct asking *asking;
    size_t question;

    later_open(&scene);
    question = later_discover(&scene, &asking);
    scene_send(&scene, scene_place(&scene, "green"), scene_place(&scene, "red")->config->node->leaf,
               "/xcpd", scene.questions[question].content_type,
               buf_span(&scene.questions[question].body), &reply);
    CU_ASSERT_EQUAL(reply.http_status, 202);
    CU_ASSERT_EQUAL(reply.n, 0);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    CU_ASSERT(scene.questions[question].is_cancelled); /* nobody waits for the 202 */
    scene_deliver(&scene, kit_question_to(&scene, "blue"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

/* Who wants its answer later may still get it at once. */
static void
test_partner_answers_at_once(void)
{
    struct asking *asking;
    size_t question;
    struct span body;
    struct buf anonymous;
    struct diag diag = {0};

    later_open(&scene);
    question = later_discover(&scene, &asking);
    /* on its way to green the address is lost: addressing is not signed */
    body = buf_span(&scene.questions[question].body);
    buf_init(&anonymous, body.n + 200);
    const size_t at = span_find(body, SPAN(RED_REPLIES));

    CHECK_OK(&diag, buf_append(&anonymous, span_slice(body, 0, at), &diag));
    CHECK_OK(&diag,
             buf_append_cstr(&anonymous, "http://www.w3.org/2005/08/addressing/anonymous", &diag));
    CHECK_OK(&diag,
             buf_append(&anonymous, span_slice(body, at + strlen(RED_REPLIES), body.n), &diag));
    buf_done(&scene.questions[question].body);
    scene.questions[question].body = anonymous;
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- answers that nobody awaits ---- */

/* Red took it, but green does not know: it comes again, signed anew, and is acknowledged. What was
 * taken first stays. */
/* REQ: WS-async-repeated */
static void
test_answer_comes_twice(void)
{
    struct asking *asking;
    size_t first, second;

    later_open(&scene);
    scene_deliver(&scene, later_discover(&scene, &asking));
    first = kit_question_to(&scene, "red");
    later_send_to_red(&scene, "green", first, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 202);
    scene_fail(&scene, first, ERR_PARTNER_UNREACHABLE);
    later_send_to_red(&scene, "green", first, &reply); /* the same bytes */
    later_expect_reason(&scene, "red", "REPLAY");
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 1);
    later_advance(&scene, 13 * US_PER_S);
    second = kit_question_to(&scene, "red");
    CU_ASSERT_NOT_EQUAL_FATAL(first, second);
    CU_ASSERT_FALSE(span_eq(later_text(&scene.questions[first], "<wsa:MessageID>", "<"),
                            later_text(&scene.questions[second], "<wsa:MessageID>", "<")));
    CU_ASSERT_FALSE(span_eq(later_text(&scene.questions[first], "SignatureValue>", "<"),
                            later_text(&scene.questions[second], "SignatureValue>", "<")));
    scene_deliver(&scene, second);
    later_expect_reason(&scene, "red", "had come before");
    CU_ASSERT_EQUAL(later_last(&scene, "red")->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(later_last(&scene, "green")->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0); /* not sent again */
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_answer_comes_late(void)
{
    struct asking *asking;
    size_t answer;

    later_open(&scene);
    scene_deliver(&scene, later_discover(&scene, &asking));
    answer = kit_question_to(&scene, "red");
    scene_deliver(&scene, kit_question_to(&scene, "blue"));
    fake_clock_advance(&scene.clock, 20 * US_PER_S);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, ERR_PARTNER_TIMEOUT);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
    scene_deliver(&scene, answer);
    later_expect_reason(&scene, "red", "NOT_AWAITED");
    CU_ASSERT_EQUAL(later_last(&scene, "red")->side, AUDIT_INITIATING);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    asking_free(asking);
    scene_close(&scene);
}

/* Green answers a question that was asked of blue. */
/* REQ: WS-async-awaited */
static void
test_answer_of_another_partner(void)
{
    struct asking *asking;
    struct diag diag = {0};
    enum answer answer;
    struct pending question;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct store *store;
    size_t asked;

    later_open(&scene);
    store = scene_place(&scene, "red")->store;
    asked = later_discover(&scene, &asking);
    CHECK_OK(&diag,
             pending_fetch(store, later_text(&scene.questions[asked], "<wsa:MessageID>", "<"),
                           arena, &diag, NULL, &question));
    CHECK_OK(&diag, pending_drop(store, &question.message_id, 1, NULL, &diag, &answer));
    question.partner = SPAN("blue");
    CHECK_OK(&diag, pending_put(store, &question, 1, NULL, &diag, &answer));
    scene_deliver(&scene, asked);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    later_expect_reason(&scene, "red", "asked of another partner");
    /* and with another's TLS certificate it is not even proven */
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 1);
    arena_free(arena);
    end_asking(&asking);
    scene_close(&scene);
}

static void
test_answer_with_anothers_certificate(void)
{
    struct asking *asking;
    size_t answer;

    later_open(&scene);
    scene_deliver(&scene, later_discover(&scene, &asking));
    answer = kit_question_to(&scene, "red");
    later_send_to_red(&scene, "blue", answer, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->type, AUDIT_AUTHENTICATION_FAILURE);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 1);
    scene_deliver(&scene, answer); /* the right one is still taken */
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

/* A question is no answer, and an answer is no question. */
static void
test_wrong_path(void)
{
    struct asking *asking;
    size_t question, answer;

    later_open(&scene);
    question = later_discover(&scene, &asking);
    scene_deliver(&scene, question);
    answer = kit_question_to(&scene, "red");
    scene_send(&scene, scene_place(&scene, "green"), scene_place(&scene, "red")->config->node->leaf,
               SOAP_REPLY_PATH, scene.questions[question].content_type,
               buf_span(&scene.questions[question].body), &reply);
    later_expect_reason(&scene, "green", "WSA_");
    scene_send(&scene, scene_place(&scene, "red"), scene_place(&scene, "green")->config->node->leaf,
               "/xcpd", scene.questions[answer].content_type,
               buf_span(&scene.questions[answer].body), &reply);
    later_expect_reason(&scene, "red", "WSA_ACTION");
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- answers that cannot be delivered ---- */

static void
test_partner_is_down_and_back(void)
{
    struct asking *asking;
    size_t answer;

    later_open(&scene);
    scene_deliver(&scene, later_discover(&scene, &asking));
    scene_fail(&scene, kit_question_to(&scene, "red"), ERR_PARTNER_OPEN);
    answer = kit_question_to(&scene, "red");
    later_advance(&scene, 7 * US_PER_S); /* less than three quarters of 10 s */
    CU_ASSERT_EQUAL(kit_question_to(&scene, "red"), answer);
    later_advance(&scene, 6 * US_PER_S);
    CU_ASSERT_NOT_EQUAL(kit_question_to(&scene, "red"), answer);
    answer = kit_question_to(&scene, "red");
    scene_answer(&scene, answer, 503, "text/plain", SPAN("busy\n"));
    later_advance(&scene, 14 * US_PER_S);
    CU_ASSERT_EQUAL(kit_question_to(&scene, "red"), answer); /* 20 s, less a quarter */
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 1);
    end_asking(&asking);
    later_advance(&scene, 1);
    CU_ASSERT_NOT_EQUAL(kit_question_to(&scene, "red"), answer);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0); /* red does not await it any more */
    scene_close(&scene);
}

static void
test_answer_is_given_up(void)
{
    struct asking *asking;
    size_t records;

    later_open(&scene);
    later_record(&scene, "green", "red")->replies.age_us = 60 * US_PER_S;
    scene_deliver(&scene, later_discover(&scene, &asking));
    for (int i = 0; i < 12 && later_owed(&scene, "green") > 0; i++) {
        const size_t answer = kit_question_to(&scene, "red");

        if (!scene.questions[answer].is_answered) {
            scene_fail(&scene, answer, ERR_PARTNER_UNREACHABLE);
        }
        later_advance(&scene, 10 * US_PER_S);
    }
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    later_expect_reason(&scene, "green", "given up");
    CU_ASSERT(later_last(&scene, "green")->outcome != AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(later_last(&scene, "green")->type, AUDIT_ITI_55);
    records = scene_place(&scene, "green")->sink.n;
    later_advance(&scene, 3600 * US_PER_S);
    CU_ASSERT_EQUAL(scene_place(&scene, "green")->sink.n, records);
    end_asking(&asking);
    scene_close(&scene);
}

/* While it waits, red's record loses the address; then red is no partner any more. */
static void
test_agreement_ends_meanwhile(void)
{
    struct asking *asking;
    struct partner *red;

    later_open(&scene);
    red = later_record(&scene, "green", "red");
    scene_deliver(&scene, later_discover(&scene, &asking));
    scene_fail(&scene, kit_question_to(&scene, "red"), ERR_PARTNER_UNREACHABLE);
    red->replies.asynchronous.n = 1; /* another URL */
    later_advance(&scene, 13 * US_PER_S);
    later_expect_reason(&scene, "green", "not registered");
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    end_asking(&asking);
    scene_close(&scene);
}

/* What a process had when it was killed is another's after the start; red hears of it once. */
static void
test_killed_while_it_owes(void)
{
    struct asking *asking;
    struct diag diag = {0};
    struct place *green;
    size_t answer;

    later_open(&scene);
    green = scene_place(&scene, "green");
    outbox_close(&green->outbox); /* killed between the 202 and the answer */
    scene_deliver(&scene, later_discover(&scene, &asking));
    CU_ASSERT_EQUAL(kit_question_to(&scene, "red"), SIZE_MAX);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 1);
    green->outbox.is_closed = false;
    later_advance(&scene, 1);
    CU_ASSERT_EQUAL(kit_question_to(&scene, "red"), SIZE_MAX); /* leased to who is dead */
    CHECK_OK(&diag, jobs_start(green->store, &diag));
    later_advance(&scene, 1);
    answer = kit_question_to(&scene, "red");
    CU_ASSERT_NOT_EQUAL_FATAL(answer, SIZE_MAX);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

/* No answer leaves before its record is durable, and no record, no 202. */
static void
test_without_a_journal(void)
{
    struct asking *asking;
    struct place *green;

    later_open(&scene);
    green = scene_place(&scene, "green");
    green->sink.is_broken = true;
    scene_deliver(&scene, later_discover(&scene, &asking));
    CU_ASSERT_EQUAL(kit_question_to(&scene, "red"), SIZE_MAX);
    later_advance(&scene, 600 * US_PER_S);
    CU_ASSERT_EQUAL(kit_question_to(&scene, "red"), SIZE_MAX);
    green->sink.is_broken = false;
    end_asking(&asking);
    scene_close(&scene);
}

static void
test_pauses(void)
{
    CU_ASSERT_EQUAL(outbox_pause_us(1), 10 * US_PER_S);
    CU_ASSERT_EQUAL(outbox_pause_us(2), 20 * US_PER_S);
    CU_ASSERT_EQUAL(outbox_pause_us(9), 2560 * US_PER_S);
    CU_ASSERT_EQUAL(outbox_pause_us(10), 3600 * US_PER_S);
    CU_ASSERT_EQUAL(outbox_pause_us(4000000), 3600 * US_PER_S);
}

static const struct unit_test tests[] = {
    {"addresses that are refused", test_addresses_that_are_refused},
    {"policy is asked first", test_policy_is_asked_first},
    {"the queue is full", test_queue_is_full},
    {"an answer comes by itself", test_answer_comes_by_itself},
    {"discovery, query and retrieve", test_gather},
    {"an answer overtakes its 202", test_answer_overtakes},
    {"a partner answers at once", test_partner_answers_at_once},
    {"an answer comes twice", test_answer_comes_twice},
    {"an answer comes late", test_answer_comes_late},
    {"an answer of another partner", test_answer_of_another_partner},
    {"an answer with another's certificate", test_answer_with_anothers_certificate},
    {"answers and questions at the wrong path", test_wrong_path},
    {"a partner is down and back", test_partner_is_down_and_back},
    {"an answer is given up", test_answer_is_given_up},
    {"an agreement ends meanwhile", test_agreement_ends_meanwhile},
    {"killed while it owes an answer", test_killed_while_it_owes},
    {"without a journal", test_without_a_journal},
    {"pauses", test_pauses},
};

UNIT_MAIN("scenario_later", tests)
