/*
 * What a partner's answer may do to us: answers are not signed, so a partner (or its own partners)
 * may say anything. Each thing costs its own leg at most, is named to the user, and is recorded.
 */
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"
#include "soap/envelope.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

/* The newest question to a partner; SIZE_MAX when it was not asked. */
static size_t
question_to(const char *partner)
{
    for (size_t i = scene.questions_n; i > 0; i--) {
        if (strcmp(scene.questions[i - 1].to->id, partner) == 0) {
            return i - 1;
        }
    }
    return SIZE_MAX;
}

static size_t
questions_to(const char *partner)
{
    size_t n = 0;

    for (size_t i = 0; i < scene.questions_n; i++) {
        n += strcmp(scene.questions[i].to->id, partner) == 0 ? 1 : 0;
    }
    return n;
}

/* Red gathers; green's answer number <round> is forged on the way, all others are genuine. */
static struct asking *
gather_with_forged(int round, const char *from, const char *to)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking;

    scene_ask(red(), &order, &asking);
    for (int i = 0; i < round; i++) {
        scene_deliver_all(&scene, "green");
        scene_deliver(&scene, question_to("green"));
    }
    scene_deliver_forged(&scene, question_to("green"), from, to);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE); /* whatever green says, the others count */
    CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
    return asking;
}

/* ---- ITI-55 ---- */

static void
test_an_unusable_patient_id_costs_one_leg(void)
{
    static const char *const roots[] = {"root=\"not-an-oid\"", "root=\"2.999.2.1\" bad=\"\""};
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
        kit_open_three(&scene);
        if (i == 0) {
            asking = gather_with_forged(0, "root=\"2.999.2.1\"", roots[i]);
        } else { /* an id that CX cannot hold */
            asking = gather_with_forged(0, "root=\"2.999.2.1\" extension=\"",
                                        "root=\"2.999.2.1\" extension=\"a&amp;b^c");
        }
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(questions_to("green"), 1); /* not asked about an id that means nothing */
        asking_free(asking);
        scene_close(&scene);
    }
}

static void
test_a_foreign_community_is_dropped_and_recorded(void)
{
    static const char *const homes[] = {"root=\"2.999.1\"", "root=\"2.999.3\"",
                                        "root=\"2.999.404\""};
    const struct leg *leg;
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        kit_open_three(&scene);
        asking = gather_with_forged(0, "root=\"2.999.2\"", homes[i]);
        leg = kit_leg_of(asking, 0, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL(leg->matches.n, 0);
        CU_ASSERT_EQUAL(leg->dropped, 1);
        CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_ANSWER); /* the user is told */
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(questions_to("green"), 1);
        CU_ASSERT_EQUAL(questions_to("blue"), 3);
        CU_ASSERT_EQUAL(
            scene_count_events(red(), AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_OUTCOME, false), 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* Genuine bytes of green's answer to the newest question, taken without delivering it. */
static const struct scene_reply *
answer_of_green(void)
{
    static struct scene_reply reply;
    const struct scene_question *question = &scene.questions[question_to("green")];
    struct place *green = scene_place(&scene, "green");

    scene_send(&scene, green, red()->config->node->leaf,
               question->url + strlen(green->config->base_url), question->content_type,
               buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    return &reply;
}

/* <text> with what stands from <start> up to and with <end> written <times> times. */
static struct span
repeated(const struct scene_reply *reply, const char *start, const char *end, size_t times,
         struct buf *out)
{
    const struct span text = span_of(reply->text, reply->n);
    const size_t from = span_find(text, span_of_cstr(start));
    const size_t length =
        span_find(span_slice(text, from, text.n), span_of_cstr(end)) + strlen(end);
    struct diag diag = {0};

    CU_ASSERT_NOT_EQUAL_FATAL(from, SPAN_MISSING);
    buf_reset(out);
    CHECK_OK(&diag, buf_append(out, span_slice(text, 0, from), &diag));
    for (size_t i = 0; i < times; i++) {
        CHECK_OK(&diag, buf_append(out, span_slice(text, from, length), &diag));
    }
    CHECK_OK(&diag, buf_append(out, span_slice(text, from + length, text.n), &diag));
    return buf_span(out);
}

static void
test_two_matches_in_one_community_are_not_guessed(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    struct asking *asking;
    struct buf twice;

    kit_open_three(&scene);
    buf_init(&twice, (size_t)1024 * 1024);
    scene_ask(red(), &order, &asking);
    reply = answer_of_green();
    scene_answer(&scene, question_to("green"), 200, reply->content_type,
                 repeated(reply, "<subject ", "</subject>", 2, &twice));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, 2);
    CU_ASSERT_EQUAL(questions_to("green"), 1);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
    buf_done(&twice);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- ITI-38 ---- */

static void
test_entries_of_foreign_communities_are_dropped(void)
{
    static const char *const homes[] = {"home=\"urn:oid:2.999.3\"", "home=\"urn:oid:2.999.1\"",
                                        "home=\"\"", ""};
    const struct leg *leg;
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        kit_open_three(&scene);
        asking = gather_with_forged(1, "home=\"urn:oid:2.999.2\"", homes[i]);
        leg = kit_leg_of(asking, 1, "green");
        CU_ASSERT_PTR_NOT_NULL_FATAL(leg);
        CU_ASSERT_EQUAL(leg->documents.n, 0);
        CU_ASSERT_EQUAL(leg->dropped, 2);
        CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_ANSWER);
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(questions_to("green"), 2);
        CU_ASSERT_EQUAL(
            scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, false), 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

/* The same document named a hundred times is asked for once. */
static void
test_an_entry_named_often_is_asked_for_once(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    struct asking *asking;
    struct buf often;

    kit_open_three(&scene);
    buf_init(&often, (size_t)4 * 1024 * 1024);
    scene_ask(red(), &order, &asking);
    scene_deliver(&scene, question_to("green"));
    scene_deliver_all(&scene, "green");
    reply = answer_of_green();
    scene_answer(&scene, question_to("green"), 200, reply->content_type,
                 repeated(reply, "<rim:ExtrinsicObject", "</rim:ExtrinsicObject>", 100, &often));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->refs.n, 2);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2);
    buf_done(&often);
    asking_free(asking);
    scene_close(&scene);
}

#define RS_ERROR(code)                                                                             \
    "<rs:RegistryErrorList xmlns:rs=\"urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0\">"               \
    "<rs:RegistryError errorCode=\"" code "\" codeContext=\"sub-network\" "                        \
    "severity=\"urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error\"/>"                       \
    "</rs:RegistryErrorList><rim:RegistryObjectList"
#define STATUS_SUCCESS "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success"

/* Some of what lies behind the community answered: its documents count, and the rest is named. */
static void
test_a_partial_answer_is_used_and_named(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    const struct leg *leg;
    struct asking *asking;
    struct buf partial;
    struct diag diag = {0};
    struct span text, rest;
    size_t at;

    kit_open_three(&scene);
    buf_init(&partial, (size_t)1024 * 1024);
    scene_ask(red(), &order, &asking);
    scene_deliver(&scene, question_to("green"));
    scene_deliver_all(&scene, "green");
    reply = answer_of_green();
    text = span_of(reply->text, reply->n);
    at = span_find(text, SPAN(STATUS_SUCCESS));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CHECK_OK(&diag, buf_append(&partial, span_slice(text, 0, at), &diag));
    CHECK_OK(&diag, buf_append_cstr(&partial, "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess",
                                    &diag));
    rest = span_slice(text, at + strlen(STATUS_SUCCESS), text.n);
    at = span_find(rest, SPAN("<rim:RegistryObjectList"));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CHECK_OK(&diag, buf_append(&partial, span_slice(rest, 0, at), &diag));
    CHECK_OK(&diag, buf_append_cstr(&partial, RS_ERROR("XDSRegistryBusy"), &diag));
    CHECK_OK(&diag,
             buf_append(&partial, span_slice(rest, at + strlen("<rim:RegistryObjectList"), rest.n),
                        &diag));
    scene_answer(&scene, question_to("green"), 200, reply->content_type, buf_span(&partial));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 1, "green");
    CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(leg->documents.n, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(leg->diag.text, "XDSRegistryBusy"));
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 2);
    CU_ASSERT_EQUAL(asking_failed(asking), 1);
    /* success and failure apart: green's two, and blue's one success */
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, false),
                    1);
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, true),
                    2);
    buf_done(&partial);
    asking_free(asking);
    scene_close(&scene);
}

/* ITI TF-2 3.38.4.1.3: a community that does not know the id has no documents; that is an answer.
 */
static void
test_an_unknown_patient_is_an_answer(void)
{
    struct asking_order order = scene_order(ASKING_QUERY, ISABELLA);
    struct asking *asking;

    kit_open_three(&scene);
    order.patient_id = (struct ident){SPAN("2.999.2.1"), SPAN("404"), SPAN_EMPTY};
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(asking_answered(asking), 3);
    CU_ASSERT_EQUAL(kit_leg_of(asking, 1, "green")->status, REGISTRY_FAILURE);
    /* the registry failed, and the record says so */
    CU_ASSERT_EQUAL(scene_count_events(red(), AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, false),
                    2);
    asking_free(asking);
    scene_close(&scene);
}

/* ---- ITI-39 ---- */

static void
test_documents_belong_to_the_community_that_was_asked(void)
{
    static const char *const homes[] = {"HomeCommunityId>urn:oid:2.999.3<",
                                        "HomeCommunityId>urn:oid:2.999.1<",
                                        "HomeCommunityId>../../etc<"};
    struct asking *asking;

    for (size_t i = 0; i < ARRAY_LEN(homes); i++) {
        kit_open_three(&scene);
        asking = gather_with_forged(2, "HomeCommunityId>urn:oid:2.999.2<", homes[i]);
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
        CU_ASSERT_EQUAL(kit_leg_of(asking, 2, "green")->dropped, 2);
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        asking_free(asking);
        scene_close(&scene);
    }
}

static void
test_documents_that_were_not_asked_for_are_dropped(void)
{
    const struct leg *leg;
    struct asking *asking;

    kit_open_three(&scene);
    asking =
        gather_with_forged(2, "RepositoryUniqueId>2.999.2.2<", "RepositoryUniqueId>2.999.3.2<");
    leg = kit_leg_of(asking, 2, "green");
    CU_ASSERT_EQUAL(leg->dropped, 2);
    CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), 0);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->type == AUDIT_ITI_39 ||
                        scene_event(red(), 1)->type == AUDIT_ITI_39,
                    true);
    asking_free(asking);
    scene_close(&scene);
}

/* The first is taken; whatever comes under the same name afterwards is not. */
static void
test_a_document_that_comes_twice_is_taken_once(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    struct asking *asking;
    const struct leg *leg;

    kit_open_three(&scene);
    scene_ask(red(), &order, &asking);
    scene_deliver_all(&scene, "green");
    scene_deliver(&scene, question_to("green"));
    scene_deliver_all(&scene, "green");
    scene_deliver(&scene, question_to("green"));
    scene_deliver_all(&scene, "green");
    CU_ASSERT_EQUAL_FATAL(questions_to("green"), 3);
    {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        const struct scene_question *question = &scene.questions[question_to("green")];
        const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
        struct retrieved_document documents[3] = {{.mime_type = SPAN("text/xml")}};
        struct retrieve_answer answer = {.status = REGISTRY_SUCCESS,
                                         .documents = {documents, 3, 3}};
        struct document_ref_list refs = {0};
        struct message *message = NULL;
        struct mtom_part parts[3];
        struct envelope_answer envelope = {
            .action = SPAN("urn:ihe:iti:2007:CrossGatewayRetrieveResponse"),
            .message_id = SPAN("urn:uuid:00000000-0000-4000-8000-000000000001")};
        struct buf payload, text, package;
        struct diag diag = {0};
        char content_type[512];

        buf_init(&payload, 65536);
        buf_init(&text, 65536);
        buf_init(&package, 65536);
        CHECK_OK(&diag,
                 message_read(buf_span(&question->body), span_of_cstr(question->content_type),
                              &limits, arena, &diag, &message));
        CHECK_OK(&diag, retrieve_query_read(message, arena, &diag, &refs));
        CU_ASSERT_EQUAL_FATAL(refs.n, 2);
        for (size_t i = 0; i < 3; i++) {
            struct buf content;

            buf_init(&content, 100);
            CHECK_OK(&diag, buf_append_cstr(&content, i == 2 ? "<forged/>" : "<first/>", &diag));
            documents[i] = (struct retrieved_document){.ref = refs.items[i % 2],
                                                       .mime_type = SPAN("text/xml")};
            body_from_buf(&documents[i].body, &content);
        }
        CHECK_OK(&diag, retrieve_answer_write(&answer, arena, &payload, &diag));
        for (size_t i = 0; i < 3; i++) {
            parts[i] = (struct mtom_part){documents[i].content_id, documents[i].mime_type,
                                          &documents[i].body};
        }
        envelope.relates_to = message_addressing(message)->message_id;
        envelope.payload = buf_span(&payload);
        CHECK_OK(&diag, envelope_write_answer(&envelope, &text, &diag));
        CHECK_OK(&diag, mtom_write(buf_span(&text), parts, 3, envelope.action, &package, &diag,
                                   content_type));
        scene_answer(&scene, question_to("green"), 200, content_type, buf_span(&package));
        for (size_t i = 0; i < 3; i++) {
            body_done(&documents[i].body);
        }
        buf_done(&payload);
        buf_done(&text);
        buf_done(&package);
        arena_free(arena);
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    leg = kit_leg_of(asking, 2, "green");
    CU_ASSERT_EQUAL(leg->retrieved.n, 2);
    CU_ASSERT_EQUAL(leg->dropped, 1);
    for (size_t i = 0; i < asking->documents.n; i++) {
        const struct asking_document *document = &asking->documents.items[i];

        if (document->partner != NULL && strcmp(document->partner->id, "green") == 0) {
            CU_ASSERT_EQUAL(document->body.size, strlen("<first/>"));
            CU_ASSERT(document->is_hash_wrong); /* not the bytes that the registry's hash names */
        }
    }
    asking_free(asking);
    scene_close(&scene);
}

/* ---- any transaction ---- */

static void
test_what_is_no_answer_is_named(void)
{
    static const struct {
        int http_status;
        const char *content_type, *text;
        enum err want;
        const char *says;
    } rows[] = {
        {404, "text/html", "<html>no such page</html>", ERR_PARTNER_HTTP, "404"},
        {404, "application/xhtml+xml", "<!DOCTYPE html><html/>", ERR_HTTP_MEDIA_TYPE, "404"},
        {200, "application/soap+xml", "", ERR_PARTNER_ANSWER, "empty"},
        {202, "", "", ERR_PARTNER_ANSWER, "empty"},
        {200, "application/soap+xml", "<nonsense/>", ERR_SOAP_STRUCTURE, ""},
        {200, "application/soap+xml", "\x1b[2J", ERR_XML_SYNTAX, ""},
        {503, "text/plain", "\x1b[31mbusy", ERR_PARTNER_HTTP, "503"},
        {200, "image/png", "\x89PNG", ERR_HTTP_MEDIA_TYPE, ""},
        {500, "application/soap+xml",
         "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><s:Fault>"
         "<s:Code><s:Value>s:Receiver</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">patient "
         "Isabella is not here</s:Text></s:Reason></s:Fault></s:Body></s:Envelope>",
         ERR_SOAP_FAULT, "Receiver"},
    };
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    const struct leg *leg;
    struct asking *asking;

    kit_open_three(&scene);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scene_ask(red(), &order, &asking);
        scene_answer(&scene, question_to("green"), rows[i].http_status, rows[i].content_type,
                     span_of_cstr(rows[i].text));
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        leg = kit_leg_of(asking, 0, "green");
        CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
        if (leg->diag.code != rows[i].want || strstr(leg->diag.text, rows[i].says) == NULL) {
            printf("\n    row %zu: %s: %s\n", i, err_name(leg->diag.code), leg->diag.text);
            CU_FAIL("another error was expected");
        }
        CU_ASSERT_PTR_NULL(strstr(leg->diag.text, "Isabella")); /* goes to the log, too */
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(asking_answered(asking), 2);
        asking_free(asking);
    }
    scene_close(&scene);
}

static void
test_an_answer_must_be_to_our_question(void)
{
    static const struct {
        const char *from, *to;
    } rows[] = {
        {"RelatesTo>urn:uuid:", "RelatesTo>urn:uuid:f"},
        {"PRPA_IN201306UV02:CrossGatewayPatientDiscovery", "PRPA_IN201305UV02:Other"},
        {"<queryAck><queryId root=\"2.25.", "<queryAck><queryId root=\"2.25.1"},
    };
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);
    struct asking *asking;

    kit_open_three(&scene);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        scene_ask(red(), &order, &asking);
        scene_deliver_forged(&scene, question_to("green"), rows[i].from, rows[i].to);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->diag.code, ERR_PARTNER_ANSWER);
        CU_ASSERT_EQUAL(asking_answered(asking), 2);
        asking_free(asking);
    }
    scene_close(&scene);
}

/* More than one partner's answer may need: that partner fails, the others do not. */
static void
test_a_huge_answer_costs_one_leg(void)
{
    const struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
    const struct scene_reply *reply;
    const struct leg *leg;
    struct asking *asking;
    struct diag diag = {0};
    struct buf huge;
    struct span text;
    size_t at;
    char context[10001];

    kit_open_three(&scene);
    memset(context, 'x', sizeof(context) - 1);
    context[sizeof(context) - 1] = '\0';
    buf_init(&huge, (size_t)40 * 1024 * 1024);
    scene_ask(red(), &order, &asking);
    scene_deliver(&scene, question_to("green"));
    scene_deliver_all(&scene, "green");
    reply = answer_of_green();
    text = span_of(reply->text, reply->n);
    at = span_find(text, SPAN("<rim:RegistryObjectList"));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CHECK_OK(&diag, buf_append(&huge, span_slice(text, 0, at), &diag));
    CHECK_OK(&diag, buf_append_cstr(&huge,
                                    "<rs:RegistryErrorList xmlns:rs=\"urn:oasis:names:tc:"
                                    "ebxml-regrep:xsd:rs:3.0\">",
                                    &diag));
    for (int i = 0; i < 2500; i++) {
        CHECK_OK(&diag,
                 buf_append_cstr(&huge, "<rs:RegistryError errorCode=\"X\" codeContext=\"", &diag));
        CHECK_OK(&diag, buf_append_cstr(&huge, context, &diag));
        CHECK_OK(&diag, buf_append_cstr(&huge, "\"/>", &diag));
    }
    CHECK_OK(&diag, buf_append_cstr(&huge, "</rs:RegistryErrorList>", &diag));
    CHECK_OK(&diag, buf_append(&huge, span_slice(text, at, text.n), &diag));
    scene_answer(&scene, question_to("green"), 200, reply->content_type, buf_span(&huge));
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL(asking->txn.diag.code, ERR_NONE);
    leg = kit_leg_of(asking, 1, "green");
    CU_ASSERT_EQUAL(leg->state, LEG_FAILED);
    CU_ASSERT_EQUAL(leg->diag.code, ERR_LIMIT_ARENA);
    CU_ASSERT_EQUAL(kit_documents_from(asking, "blue"), 1);
    buf_done(&huge);
    asking_free(asking);
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"an unusable patient id costs one leg", test_an_unusable_patient_id_costs_one_leg},
    {"a foreign community is dropped and recorded",
     test_a_foreign_community_is_dropped_and_recorded},
    {"two matches in one community are not guessed",
     test_two_matches_in_one_community_are_not_guessed},
    {"entries of foreign communities are dropped", test_entries_of_foreign_communities_are_dropped},
    {"an entry named often is asked for once", test_an_entry_named_often_is_asked_for_once},
    {"a partial answer is used and named", test_a_partial_answer_is_used_and_named},
    {"an unknown patient is an answer", test_an_unknown_patient_is_an_answer},
    {"documents belong to the community that was asked",
     test_documents_belong_to_the_community_that_was_asked},
    {"documents that were not asked for are dropped",
     test_documents_that_were_not_asked_for_are_dropped},
    {"a document that comes twice is taken once", test_a_document_that_comes_twice_is_taken_once},
    {"what is no answer is named", test_what_is_no_answer_is_named},
    {"an answer must be to our question", test_an_answer_must_be_to_our_question},
    {"a huge answer costs one leg", test_a_huge_answer_costs_one_leg},
};
UNIT_MAIN("scenario-answers", tests)
