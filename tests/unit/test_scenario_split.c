/*
 * A retrieve of more documents than a partner takes in one request: several requests, and one
 * answer in the order of the question, with one error for each document that did not come.
 */
#include <stdio.h>
#include <string.h>

#include "local_kit.h"

#define DOCUMENTS 7

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored stored[DOCUMENTS];
static struct document_ref refs[DOCUMENTS];

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

/* green takes <limit> documents a request (0: it says nothing), and has DOCUMENTS. */
static void
open_all(size_t limit)
{
    const struct config *config;

    arena = arena_new(ARENA_LIMIT_DEFAULT);
    (void)local_kit_open(&scene);
    config = red()->config;
    for (size_t i = 0; i < config->partners_n; i++) {
        if (strcmp(config->partners[i].id, "green") == 0) {
            ((struct partner *)&config->partners[i])->limits.documents = limit;
        }
    }
    for (size_t i = 0; i < DOCUMENTS; i++) {
        char bytes[64];

        snprintf(bytes, sizeof(bytes), "<ClinicalDocument>%zu</ClinicalDocument>", i);
        stored[i] = kit_add(scene_place(&scene, "green"), "Isabella", "N", bytes);
        refs[i] = (struct document_ref){
            SPAN(GREEN), span_of_cstr(scene_place(&scene, "green")->config->repository),
            span_of_cstr(stored[i].unique_id)};
    }
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

static size_t
count(struct span text, const char *what)
{
    size_t n = 0;

    for (size_t at = span_find(text, span_of_cstr(what)); at != SPAN_MISSING;
         at = span_find(text, span_of_cstr(what))) {
        text = span_slice(text, at + strlen(what), text.n);
        n++;
    }
    return n;
}

static void
check_order(const struct retrieve_answer *answer)
{
    CU_ASSERT_EQUAL_FATAL(answer->documents.n, DOCUMENTS);
    for (size_t i = 0; i < DOCUMENTS; i++) {
        char want[64], text[64];
        struct diag diag = {0};
        size_t n = 0;

        CHECK_SPAN(answer->documents.items[i].ref.unique_id, stored[i].unique_id);
        snprintf(want, sizeof(want), "<ClinicalDocument>%zu</ClinicalDocument>", i);
        CHECK_OK(&diag,
                 body_read(&answer->documents.items[i].body, 0, text, sizeof(text), &diag, &n));
        CHECK_SPAN(span_of(text, n), want);
    }
}

static void
test_as_many_requests_as_it_takes(void)
{
    static const struct {
        size_t limit, requests;
    } rows[] = {{0, 1}, {1, 7}, {3, 3}, {6, 2}, {7, 1}, {1000, 1}};

    for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
        const size_t most = rows[r].limit == 0 ? 256 : rows[r].limit;
        struct retrieve_answer answer;
        size_t named = 0;

        open_all(rows[r].limit);
        local_send_retrieve(&scene, refs, DOCUMENTS, &reply);
        CU_ASSERT_EQUAL_FATAL(scene.questions_n, rows[r].requests);
        for (size_t i = 0; i < scene.questions_n; i++) {
            const size_t n = count(buf_span(&scene.questions[i].body), "</DocumentUniqueId>") +
                             count(buf_span(&scene.questions[i].body), ":DocumentUniqueId>") / 2;

            CU_ASSERT(n >= 1 && n <= most);
            named += n;
        }
        CU_ASSERT_EQUAL(named, DOCUMENTS);
        while (scene.questions_n > 0 && !reply.is_here) { /* the last request is answered first */
            size_t last = scene.questions_n;

            while (last > 0 && scene.questions[last - 1].is_answered) {
                last--;
            }
            CU_ASSERT_FATAL(last > 0);
            scene_deliver(&scene, last - 1);
        }
        kit_read_retrieve_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL(answer.errors.n, 0);
        check_order(&answer);
        CU_ASSERT_EQUAL(
            scene_count_events(red(), AUDIT_ITI_39, AUDIT_INITIATING, AUDIT_OUTCOME, true),
            rows[r].requests);
        CU_ASSERT_EQUAL(scene_event(red(), 0)->documents_n, DOCUMENTS);
        retrieve_answer_done(&answer);
        close_all();
    }
}

/* One request of several fails: its documents are missing, the others are there. */
static void
test_a_request_that_fails_costs_its_documents(void)
{
    struct retrieve_answer answer;

    open_all(3); /* 0 1 2, 3 4 5, 6 */
    local_send_repository(&scene, refs, DOCUMENTS, &reply);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 3);
    scene_fail(&scene, 1, ERR_PARTNER_TIMEOUT);
    scene_deliver_all(&scene, NULL);
    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 4);
    CHECK_SPAN(answer.documents.items[2].ref.unique_id, stored[2].unique_id);
    CHECK_SPAN(answer.documents.items[3].ref.unique_id, stored[6].unique_id);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_SPAN(answer.errors.items[i].code, "XDSUnavailableCommunity");
        CHECK_SPAN(answer.errors.items[i].location, stored[3 + i].unique_id);
    }
    CU_ASSERT_EQUAL(scene_event(red(), 0)->documents_n, 3); /* success and failure apart */
    CU_ASSERT_EQUAL(scene_event(red(), 1)->documents_n, 4);
    retrieve_answer_done(&answer);
    close_all();
}

/* A partner that gives in one answer what another request asks for does not give it twice. */
static void
test_a_document_belongs_to_its_request(void)
{
    struct retrieve_answer answer;

    open_all(6);
    local_send_retrieve(&scene, refs, DOCUMENTS, &reply);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 2);
    scene_deliver(&scene, 0);
    scene_deliver_forged(&scene, 1, stored[6].unique_id, stored[0].unique_id);
    CU_ASSERT(reply.is_here);
    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.documents.n, 6);
    CU_ASSERT_FATAL(answer.errors.n > 0);
    CU_ASSERT(!answer.errors.items[0].is_warning);
    CU_ASSERT(span_ends_with(answer.errors.items[0].location, refs[6].unique_id));
    retrieve_answer_done(&answer);
    close_all();
}

/* More than one request may ever name: the gather of a command has no limit of its own. */
static void
test_more_than_one_request_may_name(void)
{
    static struct document_ref many[1000];
    static char ids[1000][32];

    open_all(400);
    for (size_t i = 0; i < ARRAY_LEN(many); i++) {
        snprintf(ids[i], sizeof(ids[i]), "2.999.404.%zu", i);
        many[i] = refs[0];
        many[i].unique_id = span_of_cstr(ids[i]);
    }
    many[999] = refs[0];
    local_send_retrieve(&scene, many, ARRAY_LEN(many), &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 3);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->documents_n, 999);
    CU_ASSERT_EQUAL(scene_event(red(), 1)->documents_n, 1);
    close_all();
}

static const struct unit_test tests[] = {
    /* REQ: ITI39-split */
    {"as many requests as it takes", test_as_many_requests_as_it_takes},
    {"a request that fails costs its documents", test_a_request_that_fails_costs_its_documents},
    {"a document belongs to its request", test_a_document_belongs_to_its_request},
    {"more than one request may name", test_more_than_one_request_may_name},
};
UNIT_MAIN("retrieves in several requests", tests)
