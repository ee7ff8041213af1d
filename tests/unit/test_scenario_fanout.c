/*
 * Fan-outs: a thousand legs, answers in any order, and everything that ends a wait early: the
 * deadline, the asker that has gone, enough answers. The engine is scripted: what it holds, the
 * test answers, or finds withdrawn.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"

#define HELD_MAX 1100

struct held {
    struct out_request request;
    out_done done;
    void *arg;
    bool is_over, is_withdrawn;
};

/* An engine that answers nothing by itself. */
struct holder {
    struct out out; /* first member */
    struct held held[HELD_MAX];
    size_t n, withdrawn;
    bool is_mute; /* withdrawn questions are not answered at once */
};

static struct scene scene;
static struct holder holder;

static void
hold(struct out *out, struct out_request *request, out_done done, void *arg)
{
    struct held *held = &holder.held[holder.n++];

    CU_ASSERT_PTR_EQUAL(out, &holder.out);
    CU_ASSERT_FATAL(holder.n < HELD_MAX);
    *held = (struct held){.request = *request, .done = done, .arg = arg};
    body_move(&held->request.body, &request->body);
}

static void
end_held(struct held *held, struct out_answer *answer)
{
    CU_ASSERT(!held->is_over);
    held->is_over = true;
    body_done(&held->request.body);
    held->done(held->arg, answer);
}

static void
fail_held(struct held *held, enum err error)
{
    struct out_answer answer = {.error = error};

    body_init(&answer.body);
    end_held(held, &answer);
}

static void
withdraw(struct out *out, uint64_t ticket)
{
    CU_ASSERT_PTR_EQUAL(out, &holder.out);
    for (size_t i = 0; i < holder.n; i++) {
        struct held *held = &holder.held[i];

        if (held->request.ticket == ticket && !held->is_over) {
            held->is_withdrawn = true;
            holder.withdrawn++;
            if (!holder.is_mute) {
                fail_held(held, ERR_CANCELLED);
            }
        }
    }
}

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static void
open_held(void)
{
    kit_open_three(&scene);
    memset(&holder, 0, sizeof(holder));
    holder.out.submit = hold;
    holder.out.cancel = withdraw;
    red()->node.out = &holder.out;
}

static void
close_held(struct asking *asking)
{
    for (size_t i = 0; i < holder.n; i++) {
        if (!holder.held[i].is_over) {
            fail_held(&holder.held[i], ERR_SHUTTING_DOWN);
        }
    }
    asking_free(asking);
    scene_close(&scene);
}

/* ---- a plan of many legs: one partner that speaks for many communities ---- */

static char oids[HELD_MAX][24];
static const char *oid_texts[HELD_MAX];
static struct span to_oids[HELD_MAX];

static struct asking_order
order_of_many(size_t n)
{
    struct config *config = (struct config *)red()->config;
    struct asking_order order = scene_order(ASKING_QUERY, ISABELLA);

    for (size_t i = 0; i < n; i++) {
        snprintf(oids[i], sizeof(oids[i]), "2.999.77.%zu", i + 1);
        oid_texts[i] = oids[i];
        to_oids[i] = span_of_cstr(oids[i]);
    }
    for (size_t i = 0; i < config->partners_n; i++) {
        if (strcmp(config->partners[i].id, "green") == 0) {
            ((struct partner *)&config->partners[i])->communities.items = oid_texts;
            ((struct partner *)&config->partners[i])->communities.n = n;
        }
    }
    order.patient_id = (struct ident){.root = SPAN("2.999.9"), .extension = SPAN("1")};
    order.to = (struct span_list){to_oids, n, n};
    return order;
}

static struct asking *
start(const struct asking_order *order, struct asking **asking)
{
    struct diag diag = {0};

    *asking = NULL;
    CHECK_OK(&diag, scene_try_ask(red(), order, &diag, asking));
    return *asking;
}

/* The asking behind a question that is out. */
static struct asking *running;

static void
note_end(void *arg, struct asking *asking)
{
    *(bool *)arg = true;
    running = asking;
}

static size_t
count_legs(const struct asking *asking, enum leg_abandoned why, enum err code)
{
    size_t n = 0;

    for (size_t i = 0; i < asking->legs[1].n; i++) {
        const struct leg *leg = &asking->legs[1].items[i];

        n += leg->abandoned == why && leg->diag.code == code ? 1 : 0;
    }
    return n;
}

static size_t
count_outcomes(const char *part)
{
    const struct scene_sink *sink = &red()->sink;
    size_t n = 0;

    for (size_t i = 0; i < sink->n && i < SCENE_EVENTS; i++) {
        n += sink->events[i].phase == AUDIT_OUTCOME && strstr(sink->events[i].reason, part) != NULL
                 ? 1
                 : 0;
    }
    return n;
}

/* ---- tests ---- */

static void
test_deadline_withdraws(void)
{
    struct asking_order order;
    struct asking *asking;

    open_held();
    order = order_of_many(20);
    CU_ASSERT_PTR_NULL(start(&order, &asking));
    CU_ASSERT_EQUAL(holder.n, 20);
    fail_held(&holder.held[3], ERR_PARTNER_UNREACHABLE);
    scene_run(&scene);
    CU_ASSERT_PTR_NULL(asking);
    fake_clock_advance(&scene.clock, 3600 * US_PER_S);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
    CU_ASSERT_EQUAL(holder.withdrawn, 19); /* no connection stays busy */
    CU_ASSERT_EQUAL(count_legs(asking, LEG_ABANDONED_DEADLINE, ERR_PARTNER_TIMEOUT), 19);
    CU_ASSERT_EQUAL(count_legs(asking, LEG_NOT_ABANDONED, ERR_PARTNER_UNREACHABLE), 1);
    CU_ASSERT_EQUAL(count_outcomes("PARTNER_TIMEOUT: green: no answer before the deadline"), 19);
    CU_ASSERT_EQUAL(merge_progress(asking_merged(asking)).over, 20);
    close_held(asking);
}

/* The engine's answer to what was withdrawn, and one that came too late, meet nobody. */
static void
test_late_answers_meet_nobody(void)
{
    struct asking_order order;
    struct asking *asking;

    open_held();
    holder.is_mute = true;
    order = order_of_many(5);
    (void)start(&order, &asking);
    fake_clock_advance(&scene.clock, 3600 * US_PER_S);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(holder.withdrawn, 5);
    fail_held(&holder.held[0], ERR_CANCELLED);
    fail_held(&holder.held[1], ERR_PARTNER_TIMEOUT);
    scene_run(&scene);
    CU_ASSERT_EQUAL(count_legs(asking, LEG_ABANDONED_DEADLINE, ERR_PARTNER_TIMEOUT), 5);
    close_held(asking);
}

/* Starts an asking that the test knows before it has ended. */
static void
start_known(const struct asking_order *order, bool *is_ended, struct asking **ret_asking)
{
    struct diag diag = {0};

    *is_ended = false;
    running = NULL;
    CHECK_OK(&diag, asking_new(&red()->node, order, note_end, is_ended, &diag, ret_asking));
    asking_run(*ret_asking);
}

static void
test_asker_goes_while_waiting(void)
{
    struct asking_order order;
    struct asking *asking;
    bool is_ended;

    open_held();
    order = order_of_many(10);
    start_known(&order, &is_ended, &asking);
    scene_run(&scene);
    CU_ASSERT_EQUAL(holder.n, 10);
    fail_held(&holder.held[2], ERR_PARTNER_TLS);
    scene_run(&scene);
    CU_ASSERT(!is_ended);
    asking_cancel(asking);
    scene_run(&scene);
    CU_ASSERT(is_ended);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_CANCELLED);
    CU_ASSERT_EQUAL(holder.withdrawn, 9);
    CU_ASSERT_EQUAL(count_legs(asking, LEG_ABANDONED_CANCELLED, ERR_CANCELLED), 9);
    CU_ASSERT_EQUAL(count_outcomes("CANCELLED: green: abandoned: who asked has gone"), 9);
    CU_ASSERT_EQUAL(count_outcomes("PARTNER_TLS"), 2); /* of the question, and the alert */
    CU_ASSERT_EQUAL(scene_undurable(&red()->sink), 0);
    asking_cancel(asking); /* after the end: nothing */
    close_held(asking);
}

/* Before anything was planned, and while the intents are on their way: nothing leaves, and whatever
 * has an intent has an outcome. */
static void
test_asker_goes_early(void)
{
    struct asking_order order;
    struct asking *asking;
    bool is_ended;

    open_held();
    order = order_of_many(4);
    start_known(&order, &is_ended, &asking);
    asking_cancel(asking);
    scene_run(&scene);
    CU_ASSERT(is_ended && asking->txn.diag.code == ERR_CANCELLED);
    CU_ASSERT(holder.n == 0 && red()->sink.n == 0);
    asking_free(asking);

    red()->sink.is_held = true;
    start_known(&order, &is_ended, &asking);
    scene_run(&scene);
    CU_ASSERT_EQUAL(red()->sink.n, 4);
    asking_cancel(asking);
    scene_run(&scene);
    CU_ASSERT(!is_ended); /* the intents are not durable yet */
    scene_commit(red());
    scene_run(&scene);
    scene_commit(red());
    scene_run(&scene);
    CU_ASSERT(is_ended && asking->txn.diag.code == ERR_CANCELLED);
    CU_ASSERT_EQUAL(holder.n, 0);
    CU_ASSERT_EQUAL(count_outcomes("CANCELLED: green: abandoned"), 4);
    close_held(asking);
}

/* Between the first question, which was cut, and its second time. */
static void
test_asker_goes_before_the_second_time(void)
{
    struct out_answer stale = {.error = ERR_PARTNER_UNREACHABLE, .is_stale = true};
    struct asking_order order;
    struct asking *asking;
    bool is_ended;

    open_held();
    order = order_of_many(2);
    start_known(&order, &is_ended, &asking);
    scene_run(&scene);
    red()->sink.is_held = true;
    body_init(&stale.body);
    end_held(&holder.held[0], &stale);
    scene_run(&scene);
    asking_cancel(asking);
    scene_run(&scene);
    CU_ASSERT(!is_ended);
    for (int i = 0; i < 3; i++) {
        scene_commit(red());
        scene_run(&scene);
    }
    CU_ASSERT(is_ended && asking->txn.diag.code == ERR_CANCELLED);
    CU_ASSERT_EQUAL(holder.n, 2); /* no third question */
    CU_ASSERT_EQUAL(holder.withdrawn, 1);
    CU_ASSERT_EQUAL(count_legs(asking, LEG_ABANDONED_CANCELLED, ERR_CANCELLED), 2);
    close_held(asking);
}

/* Our own store answers later: its wake is waited for, then the end comes. */
static void
test_asker_goes_while_the_store_works(void)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking;
    bool is_ended;

    open_held();
    kit_slow_store(red());
    start_known(&order, &is_ended, &asking);
    scene_run(&scene);
    asking_cancel(asking);
    scene_run(&scene);
    CU_ASSERT(!is_ended);
    kit_wake_store_all(red());
    scene_run(&scene);
    CU_ASSERT(is_ended && asking->txn.diag.code == ERR_CANCELLED);
    CU_ASSERT_EQUAL(holder.withdrawn, holder.n);
    close_held(asking);
}

/* An answer of green to one of the questions, as it would come: nobody knows the patient. */
static void
answer_empty(size_t i)
{
    static const char before[] =
        "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' "
        "xmlns:a='http://www.w3.org/2005/08/addressing'><s:Header>"
        "<a:Action>urn:ihe:iti:2007:CrossGatewayQueryResponse</a:Action><a:RelatesTo>";
    static const char after[] =
        "</a:RelatesTo></s:Header><s:Body><AdhocQueryResponse "
        "xmlns='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0' "
        "status='urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success'>"
        "<RegistryObjectList xmlns='urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0'/>"
        "</AdhocQueryResponse></s:Body></s:Envelope>";
    const struct span asked = buf_span(&holder.held[i].request.body.memory);
    const size_t at = span_find(asked, SPAN("urn:uuid:"));
    struct span rest = span_slice(asked, span_find(asked, SPAN("MessageID>")) + 10, asked.n);
    struct out_answer answer = {.http_status = 200, .elapsed_us = 1000};
    struct diag diag = {0};
    struct buf xml;

    CU_ASSERT(at != SPAN_MISSING);
    buf_init(&xml, (size_t)64 * 1024);
    CHECK_OK(&diag, buf_append_cstr(&xml, before, &diag));
    CHECK_OK(&diag, buf_append(&xml, span_slice(rest, 0, 45), &diag));
    CHECK_OK(&diag, buf_append_cstr(&xml, after, &diag));
    snprintf(answer.content_type, sizeof(answer.content_type), "application/soap+xml");
    body_from_buf(&answer.body, &xml);
    end_held(&holder.held[i], &answer);
}

static void
test_enough(void)
{
    static const struct {
        struct config_enough enough;
        size_t needed;
    } rows[] = {{{.answers = 3}, 3}, {{.percent = 50}, 5}, {{.percent = 95}, 10}, {{0}, 10}};

    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        struct query_answer answer = {0};
        struct asking_order order;
        struct asking *asking;
        struct diag diag = {0};

        open_held();
        order = order_of_many(10);
        order.enough = rows[r].enough;
        (void)start(&order, &asking);
        for (size_t i = 0; i < rows[r].needed; i++) {
            CU_ASSERT_PTR_NULL(asking);
            answer_empty(9 - i);
            scene_run(&scene);
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
        CU_ASSERT_EQUAL(holder.withdrawn, 10 - rows[r].needed);
        CU_ASSERT_EQUAL(count_legs(asking, LEG_ABANDONED_ENOUGH, ERR_CANCELLED),
                        10 - rows[r].needed);
        CU_ASSERT_EQUAL(count_outcomes("abandoned: enough others have answered"),
                        10 - rows[r].needed);
        CHECK_OK(&diag, merge_query(asking_merged(asking), &diag, &answer));
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS); /* with a warning for each */
        CU_ASSERT_EQUAL(answer.errors.n, 10 - rows[r].needed);
        close_held(asking);
    }
}

/* Every order of four answers, two of them failures, gives one answer. */
static void
test_any_order(void)
{
    static const size_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 0, 3, 1},
                                       {3, 0, 1, 2}, {1, 2, 3, 0}, {2, 3, 0, 1}, {0, 3, 1, 2}};

    for (size_t r = 0; r < ARRAY_LEN(orders); r++) {
        struct query_answer answer = {0};
        struct asking_order order;
        struct asking *asking;
        struct diag diag = {0};

        open_held();
        order = order_of_many(4);
        (void)start(&order, &asking);
        for (size_t i = 0; i < 4; i++) {
            const size_t at = orders[r][i];

            if (at % 2 == 0) {
                answer_empty(at);
            } else {
                fail_held(&holder.held[at], ERR_PARTNER_UNREACHABLE);
            }
            scene_run(&scene);
        }
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        CHECK_OK(&diag, merge_query(asking_merged(asking), &diag, &answer));
        CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
        CU_ASSERT_EQUAL_FATAL(answer.errors.n, 2);
        CHECK_SPAN(answer.errors.items[0].location, "urn:oid:2.999.77.2");
        CHECK_SPAN(answer.errors.items[1].location, "urn:oid:2.999.77.4");
        close_held(asking);
    }
}

/* A thousand legs: each is asked with a Timestamp of its own (one endpoint), each is answered, and
 * what a leg keeps is small. */
static void
test_a_thousand_legs(void)
{
    struct asking_order order;
    struct asking *asking;
    uint64_t arenas = 0;

    open_held();
    order = order_of_many(1000);
    (void)start(&order, &asking);
    CU_ASSERT_EQUAL(holder.n, 1000);
    for (size_t i = 0; i < holder.n; i++) {
        answer_empty((i * 7) % 1000);
    }
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_answered(asking), 1000);
    for (size_t i = 0; i < asking->legs[1].n; i++) {
        arenas +=
            asking->legs[1].items[i].arena == NULL ? 0 : arena_used(asking->legs[1].items[i].arena);
    }
    printf(" %zu bytes of a leg, %zu of the plan and its records, %zu of its answer; ",
           sizeof(struct leg), arena_used(asking->txn.arena) / 1000, (size_t)arenas / 1000);
    close_held(asking);
}

static const struct unit_test tests[] = {
    {"the deadline withdraws what is out", test_deadline_withdraws},
    {"late answers meet nobody", test_late_answers_meet_nobody},
    {"the asker goes while partners are asked", test_asker_goes_while_waiting},
    {"the asker goes before a question has left", test_asker_goes_early},
    {"the asker goes before the second time", test_asker_goes_before_the_second_time},
    {"the asker goes while the store works", test_asker_goes_while_the_store_works},
    {"enough is enough", test_enough},
    {"any order", test_any_order},
    {"a thousand legs", test_a_thousand_legs},
};
UNIT_MAIN("scenario_fanout", tests)
