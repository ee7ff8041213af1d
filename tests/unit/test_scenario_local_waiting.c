/*
 * A local system's question while it waits: answers in any order, one that comes after the
 * deadline, a system that goes, another configuration, a node that stops, a slow store or journal,
 * memory that runs out. Fake clock, partners in the same process, no sockets.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "local_kit.h"

#define BLUE "urn:oid:2.999.3"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static struct scene_stored
open_with_document(void)
{
    (void)local_kit_open(&scene);
    return kit_add(scene_place(&scene, "green"), "Isabella", "N",
                   "<ClinicalDocument>third</ClinicalDocument>");
}

static enum registry_status
status_of(struct arena *arena, struct query_answer *ret_answer)
{
    CU_ASSERT_FATAL(reply.is_here);
    kit_read_query_answer(&reply, arena, ret_answer);
    return ret_answer->status;
}

/* ---- when answers come ---- */

/* The text of the Body: message ids differ. */
static struct span
body_of(const char *text)
{
    const char *body = strstr(text, "<env:Body>");

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    return span_of_cstr(body);
}

static void
test_the_order_of_the_answers_changes_nothing(void)
{
    static char first[65536];
    static const char *const orders[][2] = {{"green", "blue"}, {"blue", "green"}};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct xcpd_answer answers[2];

    (void)local_kit_open(&scene);
    for (size_t i = 0; i < 2; i++) {
        local_send_discovery(&scene, SPAN_EMPTY, &reply);
        scene_deliver(&scene, kit_question_to(&scene, orders[i][0]));
        CU_ASSERT(!reply.is_here);
        scene_deliver(&scene, kit_question_to(&scene, orders[i][1]));
        CU_ASSERT_FATAL(reply.is_here);
        local_read_discovery(&reply, arena, &answers[i]);
        CU_ASSERT_EQUAL(answers[i].matches.n, 3);
        if (i == 0) {
            memcpy(first, reply.text, sizeof(first));
        }
        scene_forget(&scene);
    }
    for (size_t m = 0; m < 3; m++) {
        CU_ASSERT(span_eq(answers[0].matches.items[m].home, answers[1].matches.items[m].home));
    }
    CU_ASSERT_EQUAL(body_of(first).n, body_of(reply.text).n);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_what_is_not_there_at_the_deadline_is_one_error(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct scene_stored known = open_with_document();
    const struct registry_error *error;
    struct query_answer answer;

    local_send_query(&scene, known.patient_id, NULL, &reply);
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    fake_clock_advance(&scene.clock, red()->config->timeout_us - 1);
    scene_run(&scene);
    CU_ASSERT(!reply.is_here);
    fake_clock_advance(&scene.clock, 1);
    scene_run(&scene);
    CU_ASSERT_EQUAL(status_of(arena, &answer), REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    error = local_error_of(&answer.errors, BLUE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_SPAN(error->code, "XDSUnavailableCommunity");
    /* the late one was withdrawn: nobody waits for it, and nothing can come of it any more */
    CU_ASSERT(scene.questions[kit_question_to(&scene, "blue")].is_cancelled);
    CU_ASSERT_EQUAL(runner_active(scene.runner), 0);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_a_partner_that_dies_half_way_costs_its_own_part(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct scene_stored known = open_with_document();
    struct query_answer answer;

    local_send_query(&scene, known.patient_id, NULL, &reply);
    /* a kept connection was closed: asked once more, and then it is dead */
    scene_cut(&scene, kit_question_to(&scene, "blue"));
    CU_ASSERT_EQUAL(scene.questions_n, 3);
    scene_fail(&scene, 2, ERR_PARTNER_UNREACHABLE);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_EQUAL(status_of(arena, &answer), REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    CU_ASSERT_PTR_NOT_NULL(local_error_of(&answer.errors, BLUE));
    arena_free(arena);
    local_kit_close(&scene);
}

/* ---- the system goes ---- */

static void
check_abandoned(void)
{
    CU_ASSERT_FATAL(reply.is_here); /* to nobody, but the transaction has ended */
    CU_ASSERT_EQUAL(reply.cause, ERR_CANCELLED);
    CU_ASSERT_EQUAL(runner_active(scene.runner), 0);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->side, AUDIT_RESPONDING);
    CU_ASSERT_NOT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SUCCESS);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(red(), 0)->reason, "CANCELLED"));
}

static void
test_who_goes_while_partners_are_asked_takes_the_questions_along(void)
{
    const struct scene_stored known = open_with_document();

    local_send_query(&scene, known.patient_id, NULL, &reply);
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    local_leave(&scene, &reply);
    check_abandoned();
    CU_ASSERT(scene.questions[kit_question_to(&scene, "blue")].is_cancelled);
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, true),
                    1); /* green's; what it disclosed is recorded as such */
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, false),
                    1);
    local_kit_close(&scene);
}

static void
test_who_has_gone_before_is_asked_for_by_nobody(void)
{
    const struct scene_stored known = open_with_document();

    reply.is_gone = true;
    local_send_query(&scene, known.patient_id, NULL, &reply);
    check_abandoned();
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    local_kit_close(&scene);
    reply.is_gone = false;
}

static void
test_who_goes_while_records_are_written_disturbs_nothing(void)
{
    const struct scene_stored known = open_with_document();

    red()->sink.is_held = true;
    local_send_query(&scene, known.patient_id, NULL, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 0); /* the intents are not durable */
    local_leave(&scene, &reply);
    for (int i = 0; i < 10 && !reply.is_here; i++) {
        scene_commit(red());
        scene_run(&scene);
    }
    check_abandoned();
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    scene_forget(&scene);
    /* and when everything has come, only the last records are waited for */
    red()->sink.is_held = false;
    local_send_query(&scene, known.patient_id, GREEN, &reply);
    red()->sink.is_held = true;
    scene_deliver_all(&scene, NULL);
    scene_run(&scene);
    CU_ASSERT(!reply.is_here);
    local_leave(&scene, &reply);
    scene_run(&scene);
    CU_ASSERT(!reply.is_here);
    scene_commit(red()); /* the legs' outcomes, and our own: one sync for all */
    scene_run(&scene);
    CU_ASSERT(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    red()->sink.is_held = false;
    local_kit_close(&scene);
}

/* ---- the node changes, or stops ---- */

/* As serve does: each configuration has a node, which its transactions keep. */
static const struct config *
load_again(const struct config *old)
{
    const struct config *other = NULL;
    struct yaml_report report;
    struct diag diag = {0};
    struct config *changed;

    yaml_report_init(&report);
    CHECK_OK(&diag, config_load(old->path, clock_system(), &report, &diag, &other));
    yaml_report_done(&report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(other);
    changed = (struct config *)other;
    changed->systems = old->systems;
    changed->systems_n = old->systems_n;
    changed->local_system = old->local_system;
    ((struct partner *)(uintptr_t)&other->partners[0])->query_url =
        NULL; /* blue: "blue" < "green" */
    return other;
}

static void
test_a_question_keeps_the_configuration_that_it_began_with(void)
{
    static struct scene_reply later;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct scene_stored known = open_with_document();
    const struct config *other = load_again(red()->config);
    struct place *place = red();
    static struct place newer;
    struct query_answer answer;

    local_send_query(&scene, known.patient_id, NULL, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 2);
    newer = *place; /* the same store, journal and engine */
    newer.node.config = other;
    local_send_query_to(&scene, &newer, known.patient_id, NULL, &later);
    CU_ASSERT_EQUAL(scene.questions_n, 3); /* blue offers nothing there */
    CU_ASSERT_PTR_EQUAL(scene.questions[0].config, place->config);
    CU_ASSERT_PTR_EQUAL(scene.questions[2].config, other);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_EQUAL(status_of(arena, &answer), REGISTRY_SUCCESS);
    CU_ASSERT_FATAL(later.is_here);
    kit_read_query_answer(&later, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    config_unref(other);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_a_node_that_stops_answers_with_what_it_has(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct scene_stored known = open_with_document();
    struct query_answer answer;

    local_send_query(&scene, known.patient_id, NULL, &reply);
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    runner_end_at(scene.runner, clock_mono_us(&scene.clock.clock) + 5 * US_PER_S);
    fake_clock_advance(&scene.clock, 5 * US_PER_S - 1);
    scene_run(&scene);
    CU_ASSERT(!reply.is_here);
    fake_clock_advance(&scene.clock, 1);
    scene_run(&scene);
    CU_ASSERT_EQUAL(status_of(arena, &answer), REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    CU_ASSERT_EQUAL(runner_active(scene.runner), 0);
    /* and one that comes even then is answered at once */
    local_send_query(&scene, known.patient_id, GREEN, &reply);
    CU_ASSERT_EQUAL(status_of(arena, &answer), REGISTRY_FAILURE);
    arena_free(arena);
    local_kit_close(&scene);
}

/* ---- our own parts ---- */

static void
test_our_own_slow_store_is_waited_for(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct query_answer answer;
    struct scene_stored own;

    (void)local_kit_open(&scene);
    own = kit_add(red(), "Isabella", "N", "<ClinicalDocument>own</ClinicalDocument>");
    kit_slow_store(red());
    local_send_query(&scene, own.patient_id, NULL, &reply);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT(!reply.is_here);
    fake_clock_advance(&scene.clock, 2 * red()->config->timeout_us);
    scene_run(&scene);
    CU_ASSERT(!reply.is_here); /* its wake is due */
    kit_wake_store_all(red());
    CU_ASSERT_EQUAL(status_of(arena, &answer), REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 2);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_no_answer_without_a_record(void)
{
    const struct scene_stored known = open_with_document();

    local_send_query(&scene, known.patient_id, GREEN, &reply);
    red()->sink.is_broken = true;
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 503);
    CU_ASSERT_PTR_NULL(strstr(reply.text, "ExtrinsicObject"));
    red()->sink.is_broken = false;
    local_kit_close(&scene);
}

/* Whatever allocation fails: one reply, nothing left over. True when nothing failed any more. */
static bool
survives(const struct scene_stored *known, uint64_t allocations)
{
    bool is_whole;

    scene.allocations_left = allocations;
    local_send_query(&scene, known->patient_id, NULL, &reply);
    for (int i = 0; i < 4 && !reply.is_here; i++) {
        scene_deliver_all(&scene, NULL);
        fake_clock_advance(&scene.clock, 7 * US_PER_S);
        scene_run(&scene);
    }
    is_whole = scene.allocations_left != UINT64_MAX;
    scene.allocations_left = UINT64_MAX;
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(runner_active(scene.runner), 0);
    CU_ASSERT(reply.http_status == 200 || reply.cause != ERR_NONE || reply.http_status == 503);
    scene_forget(&scene);
    return is_whole;
}

static void
test_memory_that_runs_out_anywhere(void)
{
    const uint64_t step = unit_torture_is_full() ? 1 : 7;
    const struct scene_stored known = open_with_document();
    uint64_t n = 0;

    while (n < 100000 && !survives(&known, n)) {
        n += step;
    }
    CU_ASSERT(n > 100);
    CU_ASSERT(n < 100000);
    local_kit_close(&scene);
}

static const struct unit_test tests[] = {
    {"the order of the answers changes nothing", test_the_order_of_the_answers_changes_nothing},
    /* REQ: MERGE-unavailable */
    {"what is not there at the deadline is one error",
     test_what_is_not_there_at_the_deadline_is_one_error},
    {"a partner that dies half way costs its own part",
     test_a_partner_that_dies_half_way_costs_its_own_part},
    {"who goes while partners are asked takes the questions along",
     test_who_goes_while_partners_are_asked_takes_the_questions_along},
    {"who has gone before is asked for by nobody", test_who_has_gone_before_is_asked_for_by_nobody},
    {"who goes while records are written disturbs nothing",
     test_who_goes_while_records_are_written_disturbs_nothing},
    {"a question keeps the configuration that it began with",
     test_a_question_keeps_the_configuration_that_it_began_with},
    {"a node that stops answers with what it has", test_a_node_that_stops_answers_with_what_it_has},
    {"our own slow store is waited for", test_our_own_slow_store_is_waited_for},
    {"no answer without a record", test_no_answer_without_a_record},
    {"memory that runs out anywhere", test_memory_that_runs_out_anywhere},
};
UNIT_MAIN("scenario-local-waiting", tests)
