/*
 * Answers that cannot be used at all: not SOAP, not to our question, more than one partner may
 * cost. Each fails its own leg, by name.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"

static struct scene scene; /* large; one at a time */

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

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
        {502, "application/soap+xml",
         "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\"><s:Body><x:a "
         "xmlns:x=\"urn:x\"/></s:Body></s:Envelope>",
         ERR_PARTNER_HTTP, "502"},
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
        scene_answer(&scene, kit_question_to(&scene, "green"), rows[i].http_status,
                     rows[i].content_type, span_of_cstr(rows[i].text));
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
        scene_deliver_forged(&scene, kit_question_to(&scene, "green"), rows[i].from, rows[i].to);
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
    ((struct config *)scene_place(&scene, "red")->config)->facts_limit = (size_t)16 * 1024 * 1024;
    memset(context, 'x', sizeof(context) - 1);
    context[sizeof(context) - 1] = '\0';
    buf_init(&huge, (size_t)40 * 1024 * 1024);
    scene_ask(red(), &order, &asking);
    scene_deliver(&scene, kit_question_to(&scene, "green"));
    scene_deliver_all(&scene, "green");
    reply = kit_answer_of_green(&scene);
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
    scene_answer(&scene, kit_question_to(&scene, "green"), 200, reply->content_type,
                 buf_span(&huge));
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
    {"what is no answer is named", test_what_is_no_answer_is_named},
    /* REQ: WS-relates-to */
    {"an answer must be to our question", test_an_answer_must_be_to_our_question},
    {"a huge answer costs one leg", test_a_huge_answer_costs_one_leg},
};
UNIT_MAIN("scenario-no-answer", tests)
