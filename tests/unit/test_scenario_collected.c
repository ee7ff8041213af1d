/*
 * Answers of asynchronous exchange that come when nobody waits any more: refused to all but who
 * asked, then collected, once, for each transaction, whatever became of the asker.
 */
#include <string.h>

#include "base/mem.h"
#include "later_kit.h"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;

static void
copy_id(size_t question, char ret_id[64])
{
    snprintf(ret_id, 64, "%.*s",
             SPAN_PRINT(later_text(&scene.questions[question], "<wsa:MessageID>", "<")));
}

/* Red asks so that green can answer later; green has taken it, and its answer waits at green (is
 * the newest question to red). The asking has ended at its deadline. */
static void
ask_and_give_up(const struct asking_order *order, char ret_id[64])
{
    struct asking *asking = NULL;
    struct asking_order kept = *order;
    const struct leg *leg;
    size_t question;

    kept.is_collectable = true;
    scene_ask(scene_place(&scene, "red"), &kept, &asking);
    question = kit_question_to(&scene, "green");
    CU_ASSERT_NOT_EQUAL_FATAL(question, SIZE_MAX);
    copy_id(question, ret_id);
    scene_deliver(&scene, question);
    fake_clock_advance(&scene.clock, 20 * US_PER_S);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, (int)order->goal, "green"); /* the round of that number */
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
    CU_ASSERT(leg->is_awaited);
    CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_TIMEOUT);
    CU_ASSERT_PTR_NOT_NULL(strstr(leg->diag.text, "still awaited"));
    CU_ASSERT_STRING_EQUAL(leg->message_id, ret_id);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 1);
    asking_free(asking);
}

static struct asking *
collect(const char *id, enum asking_goal goal, const char *user, enum err want)
{
    const struct asking_order order = {
        .goal = goal, .timeout_us = 20 * US_PER_S, .collect = span_of_cstr(id), .user = user};
    struct asking *asking = NULL;
    const size_t asked = scene.questions_n;

    scene_ask(scene_place(&scene, "red"), &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, want);
    if (asking->txn.diag.code != want) {
        printf("\n    %s\n", asking->txn.diag.text);
    }
    CU_ASSERT_EQUAL(scene.questions_n, asked); /* nobody is asked */
    if (want != ERR_NONE) {
        asking_free(asking);
        return NULL;
    }
    return asking;
}

static struct asking_order
discovery(void)
{
    return scene_order(ASKING_DISCOVER, ISABELLA);
}

/* Of red's questions: what was found by green's id, by a gathering before. */
static struct ident green_patient;
static struct document_ref green_document;
static char texts[4][128];

static void
learn_names(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking = NULL;
    const struct leg *leg;

    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 1, "green");
    CU_ASSERT_FATAL(leg != NULL && leg->objects.documents.n > 0);
    snprintf(texts[0], sizeof(texts[0]), "%.*s", SPAN_PRINT(leg->patient_id.root));
    snprintf(texts[1], sizeof(texts[1]), "%.*s", SPAN_PRINT(leg->patient_id.extension));
    snprintf(texts[2], sizeof(texts[2]), "%.*s",
             SPAN_PRINT(leg->objects.documents.items[0].repository));
    snprintf(texts[3], sizeof(texts[3]), "%.*s",
             SPAN_PRINT(leg->objects.documents.items[0].unique_id));
    green_patient = (struct ident){span_of_cstr(texts[0]), span_of_cstr(texts[1]), SPAN_EMPTY};
    green_document = (struct document_ref){.home = SPAN(GREEN),
                                           .repository = span_of_cstr(texts[2]),
                                           .unique_id = span_of_cstr(texts[3])};
    asking_free(asking);
}

static struct asking_order
query(void)
{
    static struct span to[1];

    to[0] = SPAN("2.999.2");
    return (struct asking_order){.goal = ASKING_QUERY,
                                 .timeout_us = 20 * US_PER_S,
                                 .patient_id = green_patient,
                                 .to = {to, 1, 1}};
}

static struct asking_order
retrieval(void)
{
    return (struct asking_order){
        .goal = ASKING_RETRIEVE, .timeout_us = 20 * US_PER_S, .documents = {&green_document, 1, 1}};
}

/* ---- refused ---- */

/* REQ: WS-async-collected */
static void
test_who_may_collect(void)
{
    const struct asking_order order = discovery();
    char id[64];

    later_open(&scene);
    ask_and_give_up(&order, id);
    CU_ASSERT_PTR_NULL(collect("urn:uuid:none", ASKING_DISCOVER, NULL, ERR_NOT_FOUND));
    CU_ASSERT_PTR_NULL(collect(id, ASKING_DISCOVER, NULL, ERR_PARTNER_TIMEOUT));
    CU_ASSERT_PTR_NULL(collect(id, ASKING_QUERY, NULL, ERR_USAGE));
    CU_ASSERT_PTR_NULL(collect(id, ASKING_RETRIEVE, NULL, ERR_USAGE));
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
    CU_ASSERT_PTR_NULL(collect(id, ASKING_DISCOVER, "Dr. Somebody Else", ERR_POLICY_DENIED));
    CU_ASSERT_PTR_NULL(collect(id, ASKING_QUERY, NULL, ERR_USAGE));
    scene_close(&scene);
}

/* What our own policy does not let him ask any more, he does not get; and may, when it does. */
static void
test_policy_is_asked(void)
{
    const struct asking_order order = discovery();
    struct asking *asking;
    char id[64];

    later_open(&scene);
    ask_and_give_up(&order, id);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    kit_set_policy(scene_place(&scene, "red"), NULL);
    asking = collect(id, ASKING_DISCOVER, NULL, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->state, LEG_DENIED);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 0);
    asking_free(asking);
    kit_restore_policy(scene_place(&scene, "red"));
    asking = collect(id, ASKING_DISCOVER, NULL, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_its_time_is_over(void)
{
    const struct asking_order order = discovery();
    struct diag diag = {0};
    uint64_t unanswered = 0;
    char id[64], other[64];

    later_open(&scene);
    later_record(&scene, "red", "green")->replies.age_us = 60 * US_PER_S;
    ask_and_give_up(&order, id);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    ask_and_give_up(&order, other);
    fake_clock_advance(&scene.clock, 60 * US_PER_S);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    later_expect_reason(&scene, "red", "NOT_AWAITED");
    CHECK_OK(&diag, pending_expire(scene_place(&scene, "red")->store,
                                   clock_wall_us(&scene.clock.clock), &diag, &unanswered));
    CU_ASSERT_EQUAL(unanswered, 1);
    CU_ASSERT_PTR_NULL(collect(id, ASKING_DISCOVER, NULL, ERR_NOT_FOUND));
    CU_ASSERT_PTR_NULL(collect(other, ASKING_DISCOVER, NULL, ERR_NOT_FOUND));
    scene_close(&scene);
}

/* Nothing is shown, and nothing is gone, before the collection is on record. */
static void
test_without_a_journal(void)
{
    const struct asking_order order = discovery();
    struct asking *asking;
    char id[64];

    later_open(&scene);
    ask_and_give_up(&order, id);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    scene_place(&scene, "red")->sink.is_broken = true;
    CU_ASSERT_PTR_NULL(collect(id, ASKING_DISCOVER, NULL, ERR_JOURNAL));
    scene_place(&scene, "red")->sink.is_broken = false;
    asking = collect(id, ASKING_DISCOVER, NULL, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    scene_close(&scene);
}

/* Two at once: both are recorded, one gets it. */
static void
test_two_collect(void)
{
    const struct asking_order order = discovery();
    struct asking *first = NULL, *second = NULL;
    struct asking_order collects = {.goal = ASKING_DISCOVER, .timeout_us = 20 * US_PER_S};
    struct place *red;
    char id[64];

    later_open(&scene);
    red = scene_place(&scene, "red");
    ask_and_give_up(&order, id);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    collects.collect = span_of_cstr(id);
    red->sink.is_held = true;
    scene_ask(red, &collects, &first);
    scene_ask(red, &collects, &second);
    CU_ASSERT_PTR_NULL_FATAL(first);
    CU_ASSERT_PTR_NULL_FATAL(second);
    red->sink.is_held = false;
    scene_commit(red);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_EQUAL((first->txn.diag.code == ERR_NONE) + (second->txn.diag.code == ERR_NONE), 1);
    CU_ASSERT_EQUAL(
        (first->txn.diag.code == ERR_NOT_FOUND) + (second->txn.diag.code == ERR_NOT_FOUND), 1);
    asking_free(first);
    asking_free(second);
    scene_close(&scene);
}

/* ---- collected ---- */

static void
check_collected(const struct asking_order *order, void (*check)(const struct asking *))
{
    struct asking *asking;
    size_t answer;
    char id[64];

    ask_and_give_up(order, id);
    answer = kit_question_to(&scene, "red");
    scene_deliver(&scene, answer);
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    asking = collect(id, order->goal, NULL, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    check(asking);
    later_expect_reason(&scene, "red", "collected");
    CU_ASSERT_EQUAL(later_last(&scene, "red")->side, AUDIT_INITIATING);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->outcome, AUDIT_SUCCESS);
    CU_ASSERT_STRING_EQUAL(later_last(&scene, "red")->message_id, id);
    asking_free(asking);
    CU_ASSERT_PTR_NULL(collect(id, order->goal, NULL, ERR_NOT_FOUND));
}

static void
check_match(const struct asking *asking)
{
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CHECK_SPAN(asking->order.who.names.items[0].family, "Jones");
}

static void
check_entries(const struct asking *asking)
{
    CU_ASSERT_EQUAL(kit_leg_of(asking, 1, "green")->objects.documents.n, 2);
    CU_ASSERT(ident_eq(&kit_leg_of(asking, 1, "green")->patient_id, &green_patient));
}

static void
check_documents(const struct asking *asking)
{
    CU_ASSERT_EQUAL_FATAL(asking->documents.n, 1);
    CU_ASSERT(asking->documents.items[0].body.size > 0);
    CU_ASSERT(span_eq(asking->documents.items[0].ref.unique_id, green_document.unique_id));
}

static void
test_each_transaction(void)
{
    struct asking_order order;

    later_open(&scene);
    order = discovery();
    check_collected(&order, check_match);
    learn_names();
    order = query();
    check_collected(&order, check_entries);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->type, AUDIT_ITI_38);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->patients_n, 1);
    order = retrieval();
    check_collected(&order, check_documents);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->type, AUDIT_ITI_39);
    CU_ASSERT_EQUAL(later_last(&scene, "red")->documents_n, 1);
    scene_close(&scene);
}

/* The limits of the configuration are those of an answer that is collected, too; it stays. */
static void
test_limits(void)
{
    struct asking_order order;
    struct asking *asking;
    struct config *config;
    char id[64];
    size_t limit;

    later_open(&scene);
    learn_names();
    order = retrieval();
    ask_and_give_up(&order, id);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    config = (struct config *)scene_place(&scene, "red")->config;
    limit = config->documents_limit;
    config->documents_limit = 1000;
    asking = collect(id, ASKING_RETRIEVE, NULL, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->state, LEG_FAILED);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->diag.code, ERR_LIMIT_BUFFER);
    asking_free(asking);
    config->documents_limit = limit;
    asking = collect(id, ASKING_RETRIEVE, NULL, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    check_documents(asking);
    asking_free(asking);
    scene_close(&scene);
}

/* The asker is killed: its question was noted, the answer comes, and another process of the same
 * user reads it. A copy of the answer changes nothing. */
static void
test_asker_is_killed(void)
{
    struct asking_order order = discovery();
    struct asking *asking = NULL, *dead = NULL;
    struct place *red;
    size_t question, answer;
    char id[64];

    later_open(&scene);
    red = scene_place(&scene, "red");
    order.is_collectable = true;
    scene_ask(red, &order, &dead);
    question = kit_question_to(&scene, "green");
    copy_id(question, id);
    red->node.waiting = NULL; /* the process that takes the answer is another one */
    scene_deliver(&scene, question);
    answer = kit_question_to(&scene, "red");
    later_send_to_red(&scene, "green", answer, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 202);
    red->node.waiting = &red->waiting;
    scene_fail(&scene, answer, ERR_PARTNER_UNREACHABLE); /* green does not hear it */
    asking = collect(id, ASKING_DISCOVER, NULL, ERR_NONE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    later_advance(&scene, 13 * US_PER_S);
    CU_ASSERT_NOT_EQUAL_FATAL(kit_question_to(&scene, "red"), answer);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    later_expect_reason(&scene, "red", "had come before");
    CU_ASSERT_EQUAL(later_owed(&scene, "green"), 0);
    CU_ASSERT_PTR_NULL(collect(id, ASKING_DISCOVER, NULL, ERR_NOT_FOUND));
    fake_clock_advance(&scene.clock, 30 * US_PER_S); /* the end of the one that is gone */
    scene_run(&scene);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(dead);
    asking_free(dead);
    scene_close(&scene);
}

/* A local system's question is nobody's to collect: it is forgotten at its deadline. */
static void
test_not_collectable(void)
{
    struct asking *asking = NULL;
    size_t answer;

    later_open(&scene);
    scene_deliver(&scene, later_discover(&scene, &asking));
    answer = kit_question_to(&scene, "red");
    fake_clock_advance(&scene.clock, 20 * US_PER_S);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_FALSE(kit_leg_of(asking, 0, "green")->is_awaited);
    CU_ASSERT_EQUAL(later_awaited(&scene, "red"), 0);
    scene_deliver(&scene, answer);
    later_expect_reason(&scene, "red", "NOT_AWAITED");
    asking_free(asking);
    scene_close(&scene);
}

/* A store that answers later. */
static void
test_slow_store(void)
{
    const struct asking_order order = discovery();
    struct asking_order collects = {.goal = ASKING_DISCOVER, .timeout_us = 20 * US_PER_S};
    struct asking *asking = NULL;
    char id[64];

    later_open(&scene);
    ask_and_give_up(&order, id);
    scene_deliver(&scene, kit_question_to(&scene, "red"));
    collects.collect = span_of_cstr(id);
    kit_slow_store(scene_place(&scene, "red"));
    scene_ask(scene_place(&scene, "red"), &collects, &asking);
    kit_wake_store_all(scene_place(&scene, "red"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"who may collect", test_who_may_collect},
    {"policy is asked", test_policy_is_asked},
    {"its time is over", test_its_time_is_over},
    {"without a journal", test_without_a_journal},
    {"two collect", test_two_collect},
    {"not collectable", test_not_collectable},
    {"limits", test_limits},
    {"each transaction", test_each_transaction},
    {"the asker is killed", test_asker_is_killed},
    {"a slow store", test_slow_store},
};

UNIT_MAIN("scenario_collected", tests)
