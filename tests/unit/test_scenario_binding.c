/*
 * TLS identity, signing key, issuer, endpoint and communities belong to one partner record, in
 * requests and in answers. Answers are not signed: what they name is held against the record of
 * whom we asked, what they relate to against what we asked.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"
#include "txn/binding.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* ---- requests: the assertion against the record ---- */

static void
check_assertion(const struct partner *partner, const struct saml_facts *facts, enum err want)
{
    struct diag diag = {0};

    CHECK_ERR(&diag, want, binding_check_assertion(green()->config, partner, facts, &diag));
}

/* Two keys and what each may sign for; the communities; in whose name. */
static void
test_an_assertion_agrees_with_the_record(void)
{
    static const char *const both[] = {"issuer of all"};
    static const char *const own[] = {"issuer of the second"};
    static const char *const delegators[] = {"Organization/2.999.7", "Organization/2.999.8"};
    struct config_strings issuers[2] = {{NULL, 0}, {own, 1}};
    struct certificate *keys[2];
    struct partner partner;
    struct saml_facts facts;

    kit_open_three(&scene);
    partner = *config_partner_of_community(green()->config, SPAN("2.999.1"));
    keys[0] = partner.signing[0];
    keys[1] = config_partner_of_community(green()->config, SPAN("2.999.3"))->signing[0];
    partner.signing = keys;
    partner.signing_n = 2;
    facts = (struct saml_facts){.key = keys[0],
                                .issuer = span_of_cstr(keys[0]->subject),
                                .home_community = SPAN("2.999.1")};
    check_assertion(&partner, &facts, ERR_NONE);
    facts.issuer = span_of_cstr(keys[1]->subject); /* registered, but it did not sign */
    check_assertion(&partner, &facts, ERR_SAML_ISSUER);
    facts.key = keys[1];
    check_assertion(&partner, &facts, ERR_NONE);
    partner.key_issuers = issuers;
    check_assertion(&partner, &facts, ERR_SAML_ISSUER); /* its own list counts now */
    facts.issuer = SPAN("issuer of the second");
    check_assertion(&partner, &facts, ERR_NONE);
    facts.key = keys[0];
    check_assertion(&partner, &facts, ERR_SAML_ISSUER);
    partner.issuers = (struct config_strings){both, 1};
    facts.issuer = SPAN("issuer of all");
    check_assertion(&partner, &facts, ERR_NONE);
    facts.key = keys[1];
    check_assertion(&partner, &facts, ERR_SAML_ISSUER);
    facts.key = keys[0];

    facts.home_community = SPAN("2.999.3"); /* blue's */
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    facts.home_community = SPAN("2.999.10"); /* begins with one of its own */
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    facts.home_community = SPAN("2.999.1");

    facts.delegator = SPAN("Organization/2.999.8");
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    partner.delegators = (struct config_strings){delegators, 2};
    check_assertion(&partner, &facts, ERR_NONE);
    facts.delegator = SPAN("Organization/2.999.80");
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    facts.delegator = SPAN("organization/2.999.8");
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    scene_close(&scene);
}

/* An organization-id that is somebody's community must be one of the partner's own. */
static void
test_an_organization_id_is_nobody_elses_community(void)
{
    static const struct {
        const char *id;
        enum err want;
    } rows[] = {
        {"urn:oid:2.999.3", ERR_PEER_BINDING}, /* blue's */
        {"2.999.3", ERR_PEER_BINDING},
        {"URN:OID:2.999.3", ERR_PEER_BINDING},
        {"urn:oid:2.999.2", ERR_PEER_BINDING}, /* green's, who is asked */
        {"urn:oid:2.999.1", ERR_NONE},
        {"2.999.1", ERR_NONE},
        {"urn:oid:2.999.1.5", ERR_NONE}, /* of its directory */
        {"urn:oid:2.999.30", ERR_NONE},  /* begins like blue's */
        {"https://organization.example/3", ERR_NONE},
        {"", ERR_NONE}, /* where it may be left out */
    };
    const struct partner *partner;
    struct saml_facts facts;

    kit_open_three(&scene);
    partner = config_partner_of_community(green()->config, SPAN("2.999.1"));
    facts = (struct saml_facts){.key = partner->signing[0],
                                .issuer = span_of_cstr(partner->signing[0]->subject),
                                .home_community = SPAN("2.999.1")};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        facts.organization_id = span_of_cstr(rows[i].id);
        check_assertion(partner, &facts, rows[i].want);
    }
    scene_close(&scene);
}

/* A retrieve of a document that green does not have. */
static struct span
unknown_document(struct arena *arena)
{
    struct document_ref ref = {SPAN(GREEN), SPAN("2.999.2.2"), SPAN("2.999.404")};
    const struct document_ref_list refs = {&ref, 1, 1};
    struct diag diag = {0};
    struct span payload;
    struct buf out;

    buf_init(&out, (size_t)64 * 1024);
    CHECK_OK(&diag, retrieve_query_write(&refs, arena, &out, &diag));
    CHECK_OK(&diag, arena_dup(arena, buf_span(&out), &diag, &payload));
    buf_done(&out);
    return payload;
}

/* The same with a message: signed for Organization/2.999.7, which red's record must list. */
static void
test_a_delegated_request_needs_the_record(void)
{
    static const char *const delegators[] = {"Organization/2.999.7"};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct kit_request request = {.transaction = SOAP_ITI_39,
                                  .delegator = SPAN("Organization/2.999.7")};
    static struct scene_reply reply;

    kit_open_three(&scene);
    request.payload = unknown_document(arena);
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "PEER_BINDING"));
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_AUTHENTICATION_FAILURE);
    ((struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1")))->delegators =
        (struct config_strings){delegators, 1};
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200); /* and says that it has no such document */
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "XDSDocumentUniqueIdError"));
    arena_free(arena);
    scene_close(&scene);
}

/* All its signing certificates were withheld: nothing that it signs is believed. */
static void
test_a_partner_without_a_certificate_proves_nothing(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    static struct scene_reply reply;
    struct kit_request request = {.transaction = SOAP_ITI_39};
    struct partner *record;

    kit_open_three(&scene);
    record = (struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1"));
    request.payload = unknown_document(arena);
    record->signing_n = 0;
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_AUTHENTICATION_FAILURE);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "SIG_NO_TRUST"));
    record->signing_n = 1;
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "XDSDocumentUniqueIdError"));
    arena_free(arena);
    scene_close(&scene);
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
        CU_ASSERT_EQUAL(leg->dropped_foreign, rows[i].dropped);
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
    {"an assertion agrees with the record", test_an_assertion_agrees_with_the_record},
    {"an organization-id is nobody else's community",
     test_an_organization_id_is_nobody_elses_community},
    {"a delegated request needs the record", test_a_delegated_request_needs_the_record},
    {"a partner without a certificate proves nothing",
     test_a_partner_without_a_certificate_proves_nothing},
    {"answers name only their partner's communities",
     test_answers_name_only_their_partners_communities},
    {"the rest of an answer counts", test_the_rest_of_an_answer_counts},
    {"a listed community may be named", test_a_listed_community_may_be_named},
    {"a document of another repository is dropped",
     test_a_document_of_another_repository_is_dropped},
    {"swapped answers are refused", test_swapped_answers_are_refused},
    {"another partner's answer is refused", test_another_partners_answer_is_refused},
    {"an answer relates to its question", test_an_answer_relates_to_its_question},
};
UNIT_MAIN("scenario-binding", tests)
