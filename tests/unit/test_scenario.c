/*
 * Whole transactions between nodes, without sockets: what is answered, what leaves when, what is
 * recorded, and what is refused by which name. Each refusal has a benign twin in the same test.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"

static struct scene scene; /* large; one at a time */

static bool
has_text(const struct asking *asking, const char *text)
{
    for (size_t i = 0; i < asking->documents.n; i++) {
        const struct body *body = &asking->documents.items[i].body;

        if (body->size == strlen(text) && memcmp(body->memory.p, text, strlen(text)) == 0) {
            return true;
        }
    }
    return false;
}

static size_t
duplicates(const struct asking *asking)
{
    size_t n = 0;

    for (size_t i = 0; i < asking->documents.n; i++) {
        n += asking->documents.items[i].duplicate_of != SIZE_MAX ? 1 : 0;
    }
    return n;
}

/* ---- gathering ---- */

static void
test_gather_over_three_communities(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct place *red, *green;
    struct asking *asking;

    kit_open_three(&scene);
    red = scene_place(&scene, "red");
    green = scene_place(&scene, "green");
    scene_ask(red, &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(asking->documents.n, 4);
    CU_ASSERT(has_text(asking, "<ClinicalDocument>red</ClinicalDocument>"));
    CU_ASSERT(has_text(asking, "<ClinicalDocument>green</ClinicalDocument>"));
    CU_ASSERT(has_text(asking, "<ClinicalDocument>shared</ClinicalDocument>"));
    CU_ASSERT_FALSE(has_text(asking, "<ClinicalDocument>myra</ClinicalDocument>"));
    CU_ASSERT_EQUAL(duplicates(asking), 1);
    for (size_t i = 0; i < asking->documents.n; i++) {
        CU_ASSERT_FALSE(asking->documents.items[i].is_hash_wrong);
    }
    /* one intent and one outcome per leg that left, on the asking side; one outcome per answer */
    CU_ASSERT_EQUAL(scene_count_events(red, AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_INTENT, true), 2);
    CU_ASSERT_EQUAL(scene_count_events(red, AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_OUTCOME, true),
                    2);
    CU_ASSERT_EQUAL(scene_count_events(red, AUDIT_ITI_39, AUDIT_INITIATING, AUDIT_OUTCOME, true),
                    2);
    CU_ASSERT_EQUAL(
        scene_count_events(red, AUDIT_LOCAL_ACCESS, AUDIT_INITIATING, AUDIT_OUTCOME, true), 3);
    CU_ASSERT_EQUAL(scene_count_events(green, AUDIT_ITI_55, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(green, AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(green, AUDIT_ITI_39, AUDIT_RESPONDING, AUDIT_OUTCOME, true),
                    1);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_no_question_leaves_before_its_intent_is_durable(void)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct place *red;
    struct asking *asking;

    kit_open_three(&scene);
    red = scene_place(&scene, "red");
    red->sink.is_held = true;
    scene_ask(red, &order, &asking);
    CU_ASSERT_EQUAL(red->sink.n, 2);       /* both intents are with the journal, */
    CU_ASSERT_EQUAL(scene.questions_n, 0); /* and nothing has left */
    scene_commit(red);
    scene_run(&scene);
    CU_ASSERT_EQUAL(scene.questions_n, 2);
    for (size_t i = 0; i < scene.questions_n; i++) {
        CU_ASSERT_EQUAL(scene.questions[i].undurable, 0);
    }
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NULL(asking); /* results wait for the outcome records, too */
    scene_commit(red);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_nothing_leaves_when_the_journal_is_broken(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct place *red;
    struct asking *asking;

    kit_open_three(&scene);
    red = scene_place(&scene, "red");
    red->sink.is_broken = true;
    scene_ask(red, &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_JOURNAL);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_a_silent_partner_costs_only_its_own_leg(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking;

    kit_open_three(&scene);
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    for (int i = 0; i < 4 && asking == NULL; i++) {
        scene_deliver_all(&scene, "blue");
        fake_clock_advance(&scene.clock, 7 * US_PER_S);
        scene_run(&scene);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    CU_ASSERT_EQUAL(asking->documents.n, 3);
    for (size_t i = 0; i < asking->legs[0].n; i++) {
        const struct leg *leg = &asking->legs[0].items[i];

        if (leg->partner != NULL && strcmp(leg->partner->id, "blue") == 0) {
            CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
            CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_TIMEOUT);
        }
    }
    asking_free(asking);
    scene_deliver_all(&scene, NULL); /* blue answers now: nobody is there any more */
    scene_close(&scene);
}

static void
test_a_failed_exchange_is_named(void)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking;

    kit_open_three(&scene);
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_fail(&scene, 0, ERR_PARTNER_TLS);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    CU_ASSERT_EQUAL(asking_answered(asking), 2);
    CU_ASSERT_EQUAL(scene_count_events(scene_place(&scene, "red"), AUDIT_ITI_55, AUDIT_INITIATING,
                                       AUDIT_OUTCOME, false),
                    1);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_our_own_policy_keeps_questions_back(void)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct place *red;
    struct asking *asking;

    kit_open_three(&scene);
    red = scene_place(&scene, "red");
    order.purpose = "T-PYMNT";
    scene_ask(red, &order, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT_EQUAL(asking_failed(asking), 3);
    CU_ASSERT_EQUAL(asking->legs[0].items[0].state, LEG_DENIED);
    CU_ASSERT_EQUAL(scene_count_events(red, AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_OUTCOME, false),
                    2);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_a_missing_assertion_item_is_named(void)
{
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking = NULL;
    struct diag diag = {0};

    kit_open_three(&scene);
    order.role = "";
    CHECK_ERR(&diag, ERR_USAGE,
              asking_start(&scene_place(&scene, "red")->node, &order, NULL, &asking, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "--role"));
    scene_close(&scene);
}

/* ---- answering: attacks and faults on a genuine question ---- */

/* A genuine question of red to green, not yet delivered. */
static struct scene_question *
question_to_green(enum asking_goal goal, struct asking **asking)
{
    struct asking_order order = scene_order(goal, ISABELLA);

    order.patient_id = (struct ident){.root = SPAN("2.999.2.1"), .extension = SPAN("1")};
    scene_ask(scene_place(&scene, "red"), &order, asking);
    for (size_t i = 0; i < scene.questions_n; i++) {
        if (strcmp(scene.questions[i].to->id, "green") == 0) {
            return &scene.questions[i];
        }
    }
    return NULL;
}

static const struct certificate *
tls_of(const char *name)
{
    return scene_place(&scene, name)->config->node->leaf;
}

static void
send_to_green(const struct scene_question *question, const char *sender, const char *path,
              struct span body, struct scene_reply *reply)
{
    scene_send(&scene, scene_place(&scene, "green"), sender == NULL ? NULL : tls_of(sender), path,
               question->content_type, body, reply);
}

static void
finish(struct asking *asking)
{
    fake_clock_advance(&scene.clock, 30 * US_PER_S);
    scene_run(&scene);
    (void)asking;
}

/* The last record of green names the reason; the reply discloses nothing. */
static void
check_refused(const struct scene_reply *reply, const char *error_name)
{
    const struct scene_sink *sink = &scene_place(&scene, "green")->sink;
    const char *reason = sink->n == 0 ? "" : sink->events[sink->n - 1].reason;

    CU_ASSERT(reply->is_here);
    CU_ASSERT_NOT_EQUAL(reply->http_status, 200);
    CU_ASSERT_PTR_NULL(strstr(reply->text, "Isabella"));
    CU_ASSERT_PTR_NULL(strstr(reply->text, error_name));
    if (strncmp(reason, error_name, strlen(error_name)) != 0) {
        printf("\n    wanted a refusal by %s, the record says: %s\n", error_name, reason);
        CU_FAIL("refused for another reason");
    }
}

static void
test_an_answer_waits_for_its_record(void)
{
    struct place *green;
    struct scene_question *question;
    struct scene_reply reply;
    struct asking *asking;

    kit_open_three(&scene);
    green = scene_place(&scene, "green");
    question = question_to_green(ASKING_DISCOVER, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(question);
    green->sink.is_held = true;
    send_to_green(question, "red", "/xcpd", buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(green->sink.n, 1);
    CU_ASSERT_FALSE(reply.is_here);
    fake_clock_advance(&scene.clock, 100 * US_PER_S); /* not even past the deadline */
    scene_run(&scene);
    CU_ASSERT_FALSE(reply.is_here);
    scene_commit(green);
    scene_run(&scene);
    CU_ASSERT(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "Isabella"));
    finish(asking);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_no_answer_without_a_journal(void)
{
    struct scene_question *question;
    struct scene_reply reply;
    struct asking *asking;

    kit_open_three(&scene);
    question = question_to_green(ASKING_DISCOVER, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(question);
    scene_place(&scene, "green")->sink.is_broken = true;
    send_to_green(question, "red", "/xcpd", buf_span(&question->body), &reply);
    CU_ASSERT(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 503);
    CU_ASSERT_PTR_NULL(strstr(reply.text, "Isabella"));
    finish(asking);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_the_peer_must_be_the_partner_that_signed(void)
{
    struct scene_question *question;
    struct scene_reply reply;
    struct asking *asking;

    kit_open_three(&scene);
    question = question_to_green(ASKING_DISCOVER, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(question);
    send_to_green(question, NULL, "/xcpd", buf_span(&question->body), &reply);
    check_refused(&reply, "PEER_UNKNOWN");
    send_to_green(question, "green", "/xcpd", buf_span(&question->body), &reply);
    check_refused(&reply, "PEER_UNKNOWN"); /* our own certificate is no partner's */
    send_to_green(question, "blue", "/xcpd", buf_span(&question->body), &reply);
    check_refused(&reply, "SIG_NO_TRUST"); /* red's message over blue's connection */
    send_to_green(question, "red", "/xcpd", buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    finish(asking);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_a_message_is_accepted_once(void)
{
    struct scene_question *question;
    struct scene_reply reply;
    struct asking *asking;

    kit_open_three(&scene);
    question = question_to_green(ASKING_DISCOVER, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(question);
    send_to_green(question, "red", "/xcpd", buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    send_to_green(question, "red", "/xcpd", buf_span(&question->body), &reply);
    check_refused(&reply, "REPLAY");
    finish(asking);
    asking_free(asking);
    scene_close(&scene);
}

/* A copy of the question with the first <from> replaced by <to>. */
static struct span
forged(const struct scene_question *question, const char *from, const char *to, struct buf *copy)
{
    const struct span body = buf_span(&question->body);
    const size_t at = span_find(body, span_of_cstr(from));
    struct diag diag = {0};

    buf_reset(copy);
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CHECK_OK(&diag, buf_append(copy, span_slice(body, 0, at), &diag));
    CHECK_OK(&diag, buf_append_cstr(copy, to, &diag));
    CHECK_OK(&diag, buf_append(copy, span_slice(body, at + strlen(from), body.n), &diag));
    return buf_span(copy);
}

static void
test_forged_messages_are_refused_by_name(void)
{
    static const struct {
        const char *from, *to, *path, *want;
    } rows[] = {
        {"Dr. Ada Example", "Dr. Eve Example", "/xcpd", "SIG_INVALID"},
        {"code=\"T-TREAT\"", "code=\"T-TRTMN\"", "/xcpd", "SIG_INVALID"},
        {"<wsu:Created>2", "<wsu:Created>1", "/xcpd", "WSS_TIMESTAMP"},
        {"urn:oid:2.999.1", "urn:oid:2.999.3", "/xcpd", "SIG_INVALID"},
        {"wsse:Security", "wsse:Sekurity", "/xcpd", "XML_SYNTAX"},
        {"", "", "/xca/query", "WSA_ACTION"},
        {"https://127.0.0.1:8442/xcpd", "https://127.0.0.1:8443/xcpd", "/xcpd", "WSA_HEADER"},
        {"<", "<!DOCTYPE x><", "/xcpd", "XML_DTD"},
    };
    struct scene_question *question;
    struct scene_reply reply;
    struct asking *asking;
    struct buf copy;

    kit_open_three(&scene);
    question = question_to_green(ASKING_DISCOVER, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(question);
    buf_init(&copy, (size_t)1024 * 1024);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        send_to_green(question, "red", rows[i].path,
                      forged(question, rows[i].from, rows[i].to, &copy), &reply);
        check_refused(&reply, rows[i].want);
    }
    send_to_green(question, "red", "/xcpd", buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    buf_done(&copy);
    finish(asking);
    asking_free(asking);
    scene_close(&scene);
}

static void
test_an_old_message_is_refused(void)
{
    struct scene_question *question;
    struct scene_reply reply;
    struct asking *asking;

    kit_open_three(&scene);
    question = question_to_green(ASKING_DISCOVER, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(question);
    fake_clock_advance(&scene.clock, 3600 * US_PER_S);
    scene_run(&scene);
    send_to_green(question, "red", "/xcpd", buf_span(&question->body), &reply);
    check_refused(&reply, "WSS_EXPIRED");
    asking_free(asking);
    scene_close(&scene);
}

/* The partner's record says which communities it speaks for; its own signature does not help it
 * further. */
static void
test_a_partner_cannot_speak_for_another_community(void)
{
    struct place *red, *green;
    struct scene_question *question;
    struct scene_reply reply;
    struct asking *asking;
    struct config *config;
    const char *own;

    kit_open_three(&scene);
    red = scene_place(&scene, "red");
    green = scene_place(&scene, "green");
    config = (struct config *)red->config; /* the attacker's own node says what it likes */
    own = config->community;
    config->community = "2.999.3";
    /* a query's body names no sender: here the assertion alone gives it away */
    question = question_to_green(ASKING_QUERY, &asking);
    CU_ASSERT_PTR_NOT_NULL_FATAL(question);
    send_to_green(question, "red", "/xca/query", buf_span(&question->body), &reply);
    check_refused(&reply, "PEER_BINDING");
    CU_ASSERT_EQUAL(scene_count_events(green, AUDIT_AUTHENTICATION_FAILURE, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, false),
                    1);
    config->community = own;
    finish(asking);
    asking_free(asking);
    scene_close(&scene);
}

/* Policy of the answering side: inside the protocol, not a fault (ITI TF-2 3.55.4.2.3 case 5). */
static void
test_a_denied_purpose_is_answered_inside_the_protocol(void)
{
    struct place *red, *green;
    struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking;
    struct config *config;
    const struct policy *own;

    kit_open_three(&scene);
    red = scene_place(&scene, "red");
    green = scene_place(&scene, "green");
    config = (struct config *)green->config;
    own = config->policy;
    config->policy = policy_new(); /* no rule: default deny */
    CU_ASSERT_PTR_NOT_NULL_FATAL(config->policy);
    scene_ask(red, &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    for (size_t i = 0; i < asking->legs[0].n; i++) {
        const struct leg *leg = &asking->legs[0].items[i];

        if (leg->partner != NULL && strcmp(leg->partner->id, "green") == 0) {
            CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_REFUSED);
            CU_ASSERT_PTR_NOT_NULL(strstr(leg->diag.text, "AnswerNotAvailable"));
            CU_ASSERT_EQUAL(leg->matches.n, 0);
        }
    }
    CU_ASSERT_EQUAL(scene_count_events(green, AUDIT_ITI_55, AUDIT_RESPONDING, AUDIT_OUTCOME, false),
                    1);
    policy_free((struct policy *)config->policy);
    config->policy = own;
    asking_free(asking);
    scene_close(&scene);
}

static void
test_retrieve_gives_one_error_per_document(void)
{
    struct asking_order order = scene_order(ASKING_RETRIEVE, ISABELLA);
    struct document_ref refs[2];
    struct asking *asking, *found;
    struct asking_order gather = scene_order(ASKING_GATHER, ISABELLA);
    struct span to[1] = {SPAN("2.999.2")};

    kit_open_three(&scene);
    gather.to = (struct span_list){to, 1, 1};
    scene_ask(scene_place(&scene, "red"), &gather, &found);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT_EQUAL_FATAL(found->documents.n, 2);
    refs[0] = found->documents.items[0].ref;
    refs[1] = refs[0];
    refs[1].unique_id = SPAN("2.999.404.1");
    order.documents = (struct document_ref_list){refs, 2, 2};
    scene_ask(scene_place(&scene, "red"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->documents.n, 1);
    CU_ASSERT_EQUAL_FATAL(asking->legs[2].n, 1);
    CU_ASSERT_EQUAL(asking->legs[2].items[0].status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(asking->legs[2].items[0].errors.n, 1);
    CHECK_SPAN(asking->legs[2].items[0].errors.items[0].code, "XDSDocumentUniqueIdError");
    /* partial success: a success event and a failure event, on both sides */
    CU_ASSERT_EQUAL(scene_count_events(scene_place(&scene, "green"), AUDIT_ITI_39, AUDIT_RESPONDING,
                                       AUDIT_OUTCOME, false),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(scene_place(&scene, "red"), AUDIT_ITI_39, AUDIT_INITIATING,
                                       AUDIT_OUTCOME, false),
                    1);
    asking_free(asking);
    asking_free(found);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"gather over three communities", test_gather_over_three_communities},
    {"no question leaves before its intent is durable",
     test_no_question_leaves_before_its_intent_is_durable},
    /* REQ: ITI20-before-leaving */
    {"nothing leaves when the journal is broken", test_nothing_leaves_when_the_journal_is_broken},
    {"a silent partner costs only its own leg", test_a_silent_partner_costs_only_its_own_leg},
    {"a failed exchange is named", test_a_failed_exchange_is_named},
    {"our own policy keeps questions back", test_our_own_policy_keeps_questions_back},
    {"a missing assertion item is named", test_a_missing_assertion_item_is_named},
    {"an answer waits for its record", test_an_answer_waits_for_its_record},
    {"no answer without a journal", test_no_answer_without_a_journal},
    {"the peer must be the partner that signed", test_the_peer_must_be_the_partner_that_signed},
    {"a message is accepted once", test_a_message_is_accepted_once},
    {"forged messages are refused by name", test_forged_messages_are_refused_by_name},
    {"an old message is refused", test_an_old_message_is_refused},
    {"a partner cannot speak for another community",
     test_a_partner_cannot_speak_for_another_community},
    {"a denied purpose is answered inside the protocol",
     test_a_denied_purpose_is_answered_inside_the_protocol},
    {"retrieve gives one error per document", test_retrieve_gives_one_error_per_document},
};
UNIT_MAIN("scenario", tests)
