/*
 * Answers are not signed: what they name is held against the record of whom we asked, what they
 * relate to against what we asked.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"

#define NOBODYS "named no homeCommunityId"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

/* ---- answers: communities ---- */

/* Red gathers; green's answer number <round> is forged on the way. */
static struct asking *
gather_with_forged(int round, const char *from, const char *to)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking = NULL;

    scene_ask(red(), &order, &asking);
    for (int i = 0; i < round; i++) {
        scene_deliver_all(&scene, "green");
        scene_deliver(&scene, kit_question_to(&scene, "green"));
    }
    scene_deliver_forged(&scene, kit_question_to(&scene, "green"), from, to);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
    return asking;
}

static const struct scene_event *
failure_of_green(enum audit_type type)
{
    for (size_t i = 0; scene_event(red(), i) != NULL; i++) {
        const struct scene_event *event = scene_event(red(), i);

        if (event->type == type && event->phase == AUDIT_OUTCOME &&
            event->outcome != AUDIT_SUCCESS && strcmp(event->partner, "green") == 0) {
            return event;
        }
    }
    return NULL;
}

static void
test_answers_name_only_their_partners_communities(void)
{
    static const struct {
        int round;
        const char *from, *to;
        enum audit_type type;
        unsigned dropped;
        const char *why;
    } rows[] = {
        {0, "root=\"2.999.2\"", "root=\"2.999.3\"", AUDIT_ITI_55, 1,
         "named community 2.999.3, which is listed under partner 'blue'"},
        {0, "root=\"2.999.2\"", "root=\"2.999.1\"", AUDIT_ITI_55, 1,
         "named community 2.999.1, which is our own"},
        {0, "root=\"2.999.2\"", "root=\"2.999.404\"", AUDIT_ITI_55, 1,
         "named community 2.999.404, which no partner's file lists"},
        {1, "home=\"urn:oid:2.999.2\"", "home=\"urn:oid:2.999.3\"", AUDIT_ITI_38, 2,
         "named community 2.999.3, which is listed under partner 'blue'"},
        {1, "home=\"urn:oid:2.999.2\"", "home=\"urn:oid:2.999.1\"", AUDIT_ITI_38, 2,
         "named community 2.999.1, which is our own"},
        {1, "home=\"urn:oid:2.999.2\"", "home=\"urn:oid:2.999.20\"", AUDIT_ITI_38, 2,
         "named community 2.999.20, which no partner's file lists"},
        {1, "home=\"urn:oid:2.999.2\"", "home=\"\"", AUDIT_ITI_38, 2, NOBODYS},
        {1, "home=\"urn:oid:2.999.2\"", "home=\"urn:oid:2.999.x\"", AUDIT_ITI_38, 2, NOBODYS},
        {2, "HomeCommunityId>urn:oid:2.999.2<", "HomeCommunityId>urn:oid:2.999.3<", AUDIT_ITI_39, 2,
         "named community 2.999.3, which is listed under partner 'blue'"},
        {2, "HomeCommunityId>urn:oid:2.999.2<", "HomeCommunityId>urn:oid:2.999.404<", AUDIT_ITI_39,
         2, "named community 2.999.404, which no partner's file lists"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct scene_event *event;
        const struct leg *leg;
        struct asking *asking;

        kit_open_three(&scene);
        asking = gather_with_forged(rows[i].round, rows[i].from, rows[i].to);
        leg = kit_leg_of(asking, rows[i].round, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL(leg->dropped, rows[i].dropped);
        CU_ASSERT_EQUAL(leg->dropped_foreign,
                        strcmp(rows[i].why, NOBODYS) == 0 ? 0 : rows[i].dropped);
        CHECK_SPAN(span_of_cstr(leg->dropped_why), rows[i].why);
        CU_ASSERT_PTR_NOT_NULL(strstr(leg->diag.text, rows[i].why)); /* the user reads it */
        event = failure_of_green(rows[i].type);
        CU_ASSERT_PTR_NOT_NULL_FATAL(event);
        CU_ASSERT_PTR_NOT_NULL(strstr(event->reason, rows[i].why));
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
        asking_free(asking);
        scene_close(&scene);
    }
}

static void
append(struct buf *out, struct span text)
{
    struct diag diag = {0};

    CHECK_OK(&diag, buf_append(out, text, &diag));
}

/* <text> with its first <subject> followed by a copy in which each <from> is <to>. */
static void
with_second_subject(struct span text, struct span from, struct span to, struct buf *out)
{
    const size_t start = span_find(text, SPAN("<subject "));
    const size_t end = span_find(text, SPAN("</subject>")) + strlen("</subject>");
    struct span copy;

    CU_ASSERT_NOT_EQUAL_FATAL(start, SPAN_MISSING);
    append(out, span_slice(text, 0, end));
    copy = span_slice(text, start, end - start);
    for (size_t at = span_find(copy, from); at != SPAN_MISSING; at = span_find(copy, from)) {
        append(out, span_slice(copy, 0, at));
        append(out, to);
        copy = span_slice(copy, at + from.n, copy.n);
    }
    append(out, copy);
    append(out, span_slice(text, end, text.n));
}

/* One good and one foreign match in one answer: the good one counts, the other is named. */
static void
test_the_rest_of_an_answer_counts(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    struct asking *asking = NULL;
    struct buf both;

    kit_open_three(&scene);
    buf_init(&both, (size_t)1024 * 1024);
    scene_ask(red(), &order, &asking);
    reply = kit_answer_of_green(&scene);
    with_second_subject(span_of(reply->text, reply->n), SPAN("root=\"2.999.2\""),
                        SPAN("root=\"2.999.3\""), &both);
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, reply->content_type,
                 buf_span(&both));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->dropped_foreign, 1);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2);
    CU_ASSERT_PTR_NOT_NULL(failure_of_green(AUDIT_ITI_55));
    buf_done(&both);
    asking_free(asking);
    scene_close(&scene);
}

/* A partner may name every community that its record lists. */
static void
test_a_listed_community_may_be_named(void)
{
    static const char *const two[] = {"2.999.2", "2.999.2.7"};
    struct partner *record;
    struct asking *asking;

    kit_open_three(&scene);
    record = (struct partner *)config_partner_of_community(red()->config, SPAN("2.999.2"));
    record->communities = (struct config_strings){two, 2};
    asking = gather_with_forged(0, "root=\"2.999.2\"", "root=\"2.999.2.7\"");
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->dropped, 0);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 1);
    asking_free(asking);
    scene_close(&scene);
}

/* Green's second answer is forged, and comes before or after blue's. */
static struct asking *
query_with_forged_green(const char *from, const char *to, bool comes_first)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking = NULL;

    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, "green");
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    if (!comes_first) {
        scene_deliver_all(&scene, "green");
    }
    scene_deliver_forged(&scene, kit_question_to(&scene, "green"), from, to);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    return asking;
}

/* A repository is one community's: no partner may put its documents into another's, or into ours.
 */
static void
test_a_repository_is_of_one_community(void)
{
    static const struct {
        const char *to, *why; /* NULL: accepted */
    } rows[] = {
        {">2.999.3.2<", "named repository 2.999.3.2 as one of community 2.999.2, not of 2.999.3"},
        {">2.999.1.2<", "named our own repository 2.999.1.2 as one of community 2.999.2"},
        {">2.999.2.3<", NULL},
        {">2.999.2.2<", NULL},
    };

    for (size_t n = 0; n < 2 * ARRAY_LEN(rows); n++) { /* whoever is first to answer */
        const size_t i = n / 2;
        const struct leg *leg;
        struct asking *asking;

        kit_open_three(&scene);
        asking = query_with_forged_green(">2.999.2.2<", rows[i].to, n % 2 == 0);
        leg = kit_leg_of(asking, 1, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL(leg->dropped, rows[i].why == NULL ? 0 : 2);
        CU_ASSERT_EQUAL(leg->objects.documents.n, rows[i].why == NULL ? 2 : 0);
        CHECK_SPAN(span_of_cstr(leg->dropped_why), rows[i].why == NULL ? "" : rows[i].why);
        CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* What was asked for is what may come: another repository's document is nobody's. */
static void
test_a_document_of_another_repository_is_dropped(void)
{
    const struct leg *leg;
    struct asking *asking;

    kit_open_three(&scene);
    asking =
        gather_with_forged(2, "RepositoryUniqueId>2.999.2.2<", "RepositoryUniqueId>2.999.3.2<");
    leg = kit_leg_of(asking, 2, "green");
    CU_ASSERT_EQUAL(leg->dropped, 2);
    CU_ASSERT_EQUAL(leg->dropped_foreign, 0);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- answers: to what ---- */

/* Genuine bytes of the answer to a question that is not delivered. */
static void
answer_of(size_t question, struct scene_reply *reply)
{
    const struct scene_question *asked = &scene.questions[question];
    struct place *to = scene_place(&scene, asked->to->id);

    scene_send(&scene, to, asked->from->config->node->leaf,
               asked->url + strlen(to->config->base_url), asked->content_type,
               buf_span(&asked->body), reply);
    CU_ASSERT_EQUAL(reply->http_status, 200);
}

static void
give(size_t question, const struct scene_reply *reply)
{
    scene_answer(&scene, question, reply->http_status, reply->content_type,
                 span_of(reply->text, reply->n));
}

static void
check_unrelated(const struct leg *leg)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
    CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
    CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_ANSWER);
    CU_ASSERT_EQUAL(leg->matches.n, 0);
}

/* Two users ask one partner at the same time about two people, and the answers are swapped: neither
 * may see the other's patient. */
static void
test_swapped_answers_are_refused(void)
{
    static struct scene_reply first_reply, second_reply;
    struct asking_order first_order, second_order;
    struct asking *first = NULL, *second = NULL;
    size_t first_question, second_question;

    kit_open_three(&scene);
    first_order = scene_order(ASKING_DISCOVER, ISABELLA);
    scene_ask(red(), &first_order, &first);
    first_question = kit_question_to(&scene, "green");
    second_order = scene_order(ASKING_DISCOVER, "Jones", "Myra", "19470501", "F");
    scene_ask(red(), &second_order, &second);
    second_question = kit_question_to(&scene, "green");
    CU_ASSERT_NOT_EQUAL_FATAL(first_question, second_question);
    answer_of(first_question, &first_reply);
    answer_of(second_question, &second_reply);
    give(first_question, &second_reply);
    give(second_question, &first_reply);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    check_unrelated(kit_leg_of(first, 0, "green"));
    check_unrelated(kit_leg_of(second, 0, "green"));
    CU_ASSERT_EQUAL(kit_leg_of(first, 0, "blue")->matches.n, 1);
    asking_free(first);
    asking_free(second);
    scene_close(&scene);
}

/* The same with the answers of two partners of one question. */
static void
test_another_partners_answer_is_refused(void)
{
    static struct scene_reply of_green, of_blue;
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking = NULL;

    kit_open_three(&scene);
    scene_ask(red(), &order, &asking);
    answer_of(kit_question_to(&scene, "green"), &of_green);
    answer_of(kit_question_to(&scene, "blue"), &of_blue);
    give(kit_question_to(&scene, "green"), &of_blue);
    give(kit_question_to(&scene, "blue"), &of_green);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    check_unrelated(kit_leg_of(asking, 0, "green"));
    check_unrelated(kit_leg_of(asking, 0, "blue"));
    asking_free(asking);
    scene_close(&scene);
}

/* Every header that ties an answer to its question. */
static void
test_an_answer_relates_to_its_question(void)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"RelatesTo>urn:uuid:", "RelatesTo>urn:uuid:0"},
        {"RelatesTo", "RelatedTo"},
        {"urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
         "urn:ihe:iti:2007:CrossGatewayQueryResponse"},
        {"RelatesTo", "RelatesTo"}, /* nothing: the benign twin */
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
        struct asking *asking = NULL;
        const struct leg *leg;

        kit_open_three(&scene);
        scene_ask(red(), &order, &asking);
        scene_deliver_forged(&scene, kit_question_to(&scene, "green"), rows[i].from, rows[i].to);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        leg = kit_leg_of(asking, 0, "green");
        if (i + 1 < ARRAY_LEN(rows)) {
            check_unrelated(leg);
        } else {
            CU_ASSERT_EQUAL(leg->matches.n, 1);
        }
        asking_free(asking);
        scene_close(&scene);
    }
}

static const struct unit_test tests[] = {
    /* REQ: MERGE-only-own */
    {"answers name only their partner's communities",
     test_answers_name_only_their_partners_communities},
    {"the rest of an answer counts", test_the_rest_of_an_answer_counts},
    {"a listed community may be named", test_a_listed_community_may_be_named},
    {"a repository is of one community", test_a_repository_is_of_one_community},
    {"a document of another repository is dropped",
     test_a_document_of_another_repository_is_dropped},
    {"swapped answers are refused", test_swapped_answers_are_refused},
    {"another partner's answer is refused", test_another_partners_answer_is_refused},
    /* REQ: WS-relates-to */
    {"an answer relates to its question", test_an_answer_relates_to_its_question},
};
UNIT_MAIN("scenario-binding", tests)
