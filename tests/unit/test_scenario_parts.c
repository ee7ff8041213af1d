/*
 * Answers of ITI-47 in parts: their continuation and cancel, and what another system, another user
 * or somebody too late is told. Fake clock, no sockets.
 */
#include "base/mem.h"
#include "people_kit.h"
#include "soap/mcci.h"

#define MINUTE_US ((int64_t)60 * US_PER_S)

static void
send_continuation(const char *query_id, unsigned start, unsigned quantity, bool is_cancel)
{
    const struct pdq_continuation continuation = {
        .id = {.root = SPAN(PEOPLE_QUERY), .extension = SPAN("further")},
        .query_id = {.root = SPAN(PEOPLE_QUERY), .extension = span_of_cstr(query_id)},
        .sender_home = SPAN("2.999.1"),
        .creation_us = clock_wall_us(&people.scene.clock.clock),
        .is_cancel = is_cancel,
        .start = start,
        .quantity = quantity,
    };
    struct diag diag = {0};
    struct buf payload;

    buf_init(&payload, (size_t)64 * 1024);
    CHECK_OK(&diag, pdq_continuation_write(&continuation, &payload, &diag));
    people_send_payload(is_cancel ? SOAP_ITI_47_CANCEL : SOAP_ITI_47_CONTINUE, buf_span(&payload));
    buf_done(&payload);
}

static void
check_part(size_t n, unsigned remaining, const char *first)
{
    const struct xcpd_answer answer = people_read_answer("7");

    CU_ASSERT_EQUAL_FATAL(answer.matches.n, n);
    CU_ASSERT(answer.quantities.is_known);
    CU_ASSERT_EQUAL(answer.quantities.total, 5);
    CU_ASSERT_EQUAL(answer.quantities.current, n);
    CU_ASSERT_EQUAL(answer.quantities.remaining, remaining);
    CU_ASSERT_EQUAL(answer.result, n > 0 ? XCPD_MATCH : XCPD_NONE);
    if (n > 0) {
        CHECK_SPAN(answer.matches.items[0].patient.names.items[0].given.items[0], first);
    }
    CU_ASSERT_EQUAL(scene_event(people_red(), 0)->type, AUDIT_ITI_47);
    CU_ASSERT_EQUAL(scene_event(people_red(), 0)->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(scene_event(people_red(), 0)->patients_n, n);
}

static const struct question jones = {.family = "Jones", .most = 2};

static void
test_an_answer_comes_in_parts(void)
{
    people_open();
    people_send_question(&jones);
    check_part(2, 3, "Isabella");
    send_continuation("7", 0, 0, false);
    check_part(2, 1, "Bert");
    send_continuation("7", 0, 0, false);
    check_part(1, 0, "Dora");
    send_continuation("7", 0, 0, false);
    check_part(0, 0, NULL);
    send_continuation("7", 2, 3, false); /* again, from the second */
    check_part(3, 1, "Anna Maria");
    send_continuation("7", 0, 0, false);
    check_part(1, 0, "Dora");
    send_continuation("7", 1, 1000, false);
    check_part(5, 0, "Isabella");
    send_continuation("7", 1000000, 1, false);
    check_part(0, 0, NULL);
    people_close();
}

static void
test_nobody_else_gets_the_rest(void)
{
    people_open();
    people_send_question(&jones);
    check_part(2, 3, "Isabella");
    send_continuation("8", 0, 0, false); /* no such query */
    CU_ASSERT_EQUAL(people.reply.cause, ERR_UNKNOWN_CONTINUATION);
    CU_ASSERT_EQUAL(people_read_answer("8").result, XCPD_ERROR);
    people.ehr->name = "lab"; /* another system */
    send_continuation("7", 1, 5, false);
    people_check_refused(ERR_UNKNOWN_CONTINUATION, "204");
    send_continuation("7", 0, 0, true);
    CU_ASSERT_EQUAL(people.reply.cause, ERR_UNKNOWN_CONTINUATION);
    people.ehr->name = "ehr";
    people.ehr->asserts.user = "Another User";
    send_continuation("7", 1, 5, false);
    people_check_refused(ERR_UNKNOWN_CONTINUATION, "204");
    CU_ASSERT_EQUAL(span_find(buf_span(&people.whole), SPAN("Bert")), SPAN_MISSING);
    people.ehr->asserts.user = "Ehr User";
    send_continuation("7", 0, 0, false);
    check_part(2, 1, "Bert");
    /* another policy since then */
    kit_set_policy(people_red(), NULL);
    send_continuation("7", 1, 5, false);
    people_check_refused(ERR_POLICY_DENIED, "INTERR");
    kit_restore_policy(people_red());
    people_close();
}

static void
test_the_rest_is_forgotten_in_time(void)
{
    people_open();
    CU_ASSERT(people_config()->continued.queries == 32 &&
              people_config()->continued.time_us == 5 * MINUTE_US);
    people_config()->continued.time_us = MINUTE_US;
    people_send_question(&jones);
    fake_clock_advance(&people.scene.clock, MINUTE_US - 1);
    send_continuation("7", 0, 0, false);
    check_part(2, 1, "Bert");
    fake_clock_advance(&people.scene.clock, 1);
    send_continuation("7", 0, 0, false);
    people_check_refused(ERR_UNKNOWN_CONTINUATION, "204");
    CU_ASSERT_EQUAL(people_red()->continued.bytes, 0);
    people_close();
}

static void
test_a_query_is_cancelled(void)
{
    struct mcci mcci = {0};
    struct diag diag = {0};

    people_open();
    people_send_question(&jones);
    send_continuation("7", 0, 0, true);
    CHECK_OK(&diag, mcci_read(people_read_message(), NULL, people.arena, &diag, &mcci));
    CHECK_SPAN(mcci.said.type_code, "CA");
    CHECK_SPAN(mcci.said.target.extension, "further");
    CU_ASSERT_EQUAL(people_red()->continued.bytes, 0);
    send_continuation("7", 0, 0, false);
    people_check_refused(ERR_UNKNOWN_CONTINUATION, "204");
    send_continuation("7", 0, 0, true);
    CU_ASSERT_EQUAL(people.reply.cause, ERR_UNKNOWN_CONTINUATION);
    CHECK_OK(&diag, mcci_read(people_read_message(), NULL, people.arena, &diag, &mcci));
    CHECK_SPAN(mcci.said.type_code, "AE");
    CU_ASSERT_EQUAL_FATAL(mcci.said.details.n, 1);
    CHECK_SPAN(mcci.said.details.items[0].code.value, "204");
    people_close();
}

/* A system pushes out its own oldest query only, and all together have their memory. */
static void
test_open_queries_are_bounded(void)
{
    static const char *const ids[] = {"a", "b", "c"};
    struct question question = jones;

    people_open();
    people_config()->continued.queries = 2;
    question.query_id = "7";
    people.ehr->name = "lab";
    people_send_question(&question);
    people.ehr->name = "ehr";
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        question.query_id = ids[i];
        people_send_question(&question);
        CU_ASSERT_EQUAL(people_read_answer(ids[i]).matches.n, 2);
    }
    send_continuation("a", 0, 0, false);
    CU_ASSERT_EQUAL(people.reply.cause, ERR_UNKNOWN_CONTINUATION);
    send_continuation("b", 0, 0, false);
    CU_ASSERT_EQUAL(people_read_answer("b").matches.n, 2);
    people.ehr->name = "lab"; /* of which nothing was forgotten */
    send_continuation("7", 0, 0, false);
    check_part(2, 1, "Bert");
    people.ehr->name = "ehr";
    /* the same queryId again replaces; no room is a refusal */
    const size_t bytes = people_red()->continued.bytes;

    question.query_id = "c";
    people_send_question(&question);
    CU_ASSERT_EQUAL(people_red()->continued.bytes, bytes);
    people_config()->continued.bytes = bytes;
    people.ehr->name = "third";
    question.query_id = "7";
    people_send_question(&question);
    people_check_refused(ERR_LIMIT_QUEUE, "INTERR");
    people.ehr->name = "ehr";
    people_close();
}

/* Without a place for the rest a longer answer is refused (ITI TF-2 3.47.4.2.3). */
static void
test_a_process_without_parts_refuses(void)
{
    struct question question = jones;

    people_open();
    people_red()->node.continued = NULL;
    people_send_question(&question);
    people_check_refused(ERR_LIMIT_RESULTS, "INTERR");
    question.most = 5;
    people_send_question(&question);
    check_part(5, 0, "Isabella");
    send_continuation("7", 0, 0, false);
    people_check_refused(ERR_UNKNOWN_CONTINUATION, "204");
    people_close();
}

static const struct unit_test tests[] = {
    /* REQ: ITI47-initial-quantity, ITI47-quantities, ITI47-continuation-answered */
    {"an answer comes in parts", test_an_answer_comes_in_parts},
    {"nobody else gets the rest", test_nobody_else_gets_the_rest},
    {"the rest is forgotten in time", test_the_rest_is_forgotten_in_time},
    /* REQ: ITI47-cancel */
    {"a query is cancelled", test_a_query_is_cancelled},
    {"open queries are bounded", test_open_queries_are_bounded},
    {"a process without parts refuses", test_a_process_without_parts_refuses},
};
UNIT_MAIN("scenario-parts", tests)
