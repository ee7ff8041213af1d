/*
 * isthmus decode, run as the program runs it: genuine messages of a network of nodes, the same ones
 * damaged, answers and faults. What it says a message would get is compared with what the node that
 * it was sent to really answers.
 */
#include <string.h>

#include "base/datetime.h"
#include "cli/cli.h"
#include "decode_kit.h"
#include "soap/envelope.h"
#include "soap_support.h"

/* ---- genuine messages ---- */

static void
test_genuine_requests(void)
{
    static const char *const patient[] = {"Isabella", "Jones", "19470501"};

    for (size_t i = 0; i < DECODE_TRANSACTIONS; i++) {
        const char *const name = soap_transaction((enum soap_transaction)i)->name;
        const char *const file =
            decode_write_request("message", &decode_net.sent[i], decode_net.sent[i].body);
        const struct decode_run_result run = decode_run(file, "-c CONFIG");

        decode_check_verdict(name, file, "", "");
        CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);
        CU_ASSERT_EQUAL(run.err.n, 0);
        decode_check_says(name, &run, name, true);
        decode_check_says(name, &run, "signed by          red", true);
        decode_check_says(name, &run, "WRAPPED", false);
        decode_check_says(name, &run, "T-TREAT", true);
        for (size_t k = 0; k < ARRAY_LEN(patient); k++) {
            decode_check_says(name, &run, patient[k], false);
        }
    }
}

static void
test_patient_data_is_told_on_demand(void)
{
    const char *const file = decode_write_request("message", &decode_net.sent[SOAP_ITI_55],
                                                  decode_net.sent[SOAP_ITI_55].body);
    const struct decode_run_result closed = decode_run(file, "-c CONFIG");
    const struct decode_run_result open = decode_run(file, "-c CONFIG --show-patient");

    decode_check_says("closed", &closed, "[redacted 8 characters]", true);
    decode_check_says("closed", &closed, "Isabella", false);
    decode_check_says("open", &open, "Isabella", true);
    decode_check_says("open", &open, "19470501", true);
    decode_check_says("open", &open, "redacted", false);
}

/* The same request in the forms in which people keep them. */
static void
test_forms_of_a_file(void)
{
    const struct decode_sent *const query = &decode_net.sent[SOAP_ITI_38],
                                    *const retrieve = &decode_net.sent[SOAP_ITI_39];
    const size_t half = query->body.n / 2;
    const char *const chunked = decode_write_file(
        "chunked",
        decode_text("POST %.*s HTTP/1.1\r\nHost: green\r\nContent-Type: %.*s\r\nTransfer-Encoding: "
                    "chunked\r\n\r\n%zx\r\n%.*s\r\n%zx\r\n%.*s\r\n0\r\n\r\n",
                    SPAN_PRINT(query->path), SPAN_PRINT(query->content_type), half, (int)half,
                    query->body.p, query->body.n - half, (int)(query->body.n - half),
                    query->body.p + half));
    const char *const as_text = decode_write_file(
        "text", decode_text("POST %.*s HTTP/1.1\nHost: green\nContent-Type: %.*s\n\n%.*s",
                            SPAN_PRINT(query->path), SPAN_PRINT(query->content_type),
                            SPAN_PRINT(query->body)));
    const char *const headed = decode_write_file(
        "headed", decode_text("Content-Type: %.*s\r\n\r\n%.*s", SPAN_PRINT(retrieve->content_type),
                              SPAN_PRINT(retrieve->body)));

    decode_check_verdict("bare", decode_write_file("bare", query->body), "", "");
    decode_check_verdict("bare MIME", decode_write_file("mime", retrieve->body), "", "");
    decode_check_verdict("chunked", chunked, "", "");
    decode_check_verdict("text", as_text, "", "");
    decode_check_verdict("headed", headed, "", "");
    const struct decode_run_result run = decode_run(as_text, "-c CONFIG");
    decode_check_says("text", &run, "saved as text", true);
}

/* ---- refused ones ---- */

static void
test_messages_that_are_too_old(void)
{
    const char *const file = decode_write_request("message", &decode_net.sent[SOAP_ITI_38],
                                                  decode_net.sent[SOAP_ITI_38].body);
    const struct decode_run_result old = decode_run(file, "-c CONFIG --at 2099-01-01T00:00:00Z");
    const struct decode_run_result early = decode_run(file, "-c CONFIG --at 2001-01-01T00:00:00Z");

    decode_check_says("old", &old, "nothing but its age is wrong", true);
    decode_check_says("old", &old, "would be accepted with", false);
    decode_check_says("early", &early, "nothing but its age is wrong", true);
    decode_check_verdict("early", file, "--at 2001-01-01T00:00:00Z", "SIG_NO_TRUST");
    const int64_t later_us = clock_wall_us(clock_system()) + 3600 * US_PER_S;
    char at[DATETIME_MAX];
    datetime_write_xs(later_us, at);
    const struct span words = decode_text("--at %s", at);
    decode_check_verdict("an hour later", file, words.p, "WSS_EXPIRED");
}

static void
test_wrong_partner(void)
{
    const char *const file = decode_write_request("message", &decode_net.sent[SOAP_ITI_38],
                                                  decode_net.sent[SOAP_ITI_38].body);
    const struct decode_run_result run = decode_run(file, "-c CONFIG --as-partner 2.999.3");

    decode_check_verdict("as blue", file, "--as-partner 2.999.3", "SIG_NO_TRUST");
    decode_check_verdict("as blue by id", file, "--as-partner blue", "SIG_NO_TRUST");
    decode_check_verdict("as red", file, "--as-partner urn:oid:2.999.1", "");
    decode_check_says("as blue", &run, "signed by          red", true);
    decode_check_says("as blue", &run, "partner 'red' signed the assertion, and not 'blue'", true);
    decode_check_says("as blue", &run, "nothing that can be relaxed", true);
    decode_check_says("as blue", &run, "FailedAuthentication", true);
    CU_ASSERT_EQUAL(decode_run(file, "-c CONFIG --as-partner 2.999.77").exit_code, CLI_FAILED);
    CU_ASSERT_EQUAL(decode_run(file, "--as-partner 2.999.3").exit_code, CLI_USAGE);
}

static struct span
cut(struct span in, const char *from, const char *to, struct span instead)
{
    const size_t start = span_find(in, span_of_cstr(from));
    const struct span rest = span_slice(in, start, SIZE_MAX);
    const size_t n = span_find(rest, span_of_cstr(to));

    CU_ASSERT_FATAL(start != SPAN_MISSING && n != SPAN_MISSING);
    return decode_text("%.*s%.*s%.*s", (int)start, in.p, SPAN_PRINT(instead),
                       SPAN_PRINT(span_slice(rest, n + strlen(to), SIZE_MAX)));
}

static struct span
between(struct span in, const char *from, const char *to)
{
    const size_t start = span_find(in, span_of_cstr(from));
    const struct span rest = span_slice(in, start, SIZE_MAX);

    CU_ASSERT_FATAL(start != SPAN_MISSING);
    return span_slice(rest, 0, span_find(rest, span_of_cstr(to)) + strlen(to));
}

#define ASSERTION_START "<saml2:Assertion"
#define ASSERTION_END   "</saml2:Assertion>"

/* The genuine assertion stands in a header of its own; the one that would be read is another. */
static struct span
wrap(struct span body)
{
    const struct span genuine = between(body, ASSERTION_START, ASSERTION_END);
    const struct span forged = support_replace(
        decode_net.arena, support_replace(decode_net.arena, genuine, "ID=\"_", "ID=\"_x"),
        "T-TREAT", "T-PYMNT");
    const struct span other = cut(body, ASSERTION_START, ASSERTION_END, forged);
    const size_t at = span_find(other, SPAN("<wsse:Security"));

    return decode_text("%.*s<w:Old xmlns:w=\"urn:w\">%.*s</w:Old>%.*s", (int)at, other.p,
                       SPAN_PRINT(genuine), SPAN_PRINT(span_slice(other, at, SIZE_MAX)));
}

static void
test_damaged_messages(void)
{
    const struct decode_sent *const query = &decode_net.sent[SOAP_ITI_38];
    const struct span body = query->body;
    const struct {
        const char *name;
        struct span body;
        const char *error, *says;
    } rows[] = {
        {"changed", support_replace(decode_net.arena, body, "T-TREAT", "T-PYMNT"), "SIG_INVALID",
         "wrong, also with the key that the message brings"},
        {"wrapped", wrap(body), "SIG_WRAPPED", "WRAPPED: nothing that is read for security"},
        {"unsigned assertion", cut(body, "<ds:Signature", "</ds:Signature>", SPAN_EMPTY),
         "SIG_MISSING", "the assertion is not signed"},
        {"no security", cut(body, "<wsse:Security", "</wsse:Security>", SPAN_EMPTY), "WSS_MISSING",
         "needs one wsse:Security header for us"},
        {"no assertion", cut(body, ASSERTION_START, ASSERTION_END, SPAN_EMPTY), "WSS_MISSING",
         "wsse:Security has no saml2:Assertion"},
        {"no Timestamp", cut(body, "<wsu:Timestamp", "</wsu:Timestamp>", SPAN_EMPTY),
         "WSS_TIMESTAMP", "wsse:Security has no wsu:Timestamp"},
        {"other address", support_replace(decode_net.arena, body, "<wsa:To>https", "<wsa:To>http"),
         "WSA_HEADER", "InvalidAddressingHeader"},
        {"DTD", decode_text("<!DOCTYPE x>%.*s", SPAN_PRINT(body)), "XML_DTD", "one line of text"},
        {"comment", support_replace(decode_net.arena, body, "T-TREAT", "T-TREAT<!-- -->"),
         "XML_SYNTAX", "no SOAP 1.2 message"},
        {"a comment in the name",
         support_replace(decode_net.arena, body, "</saml2:NameID>", "<!-- --></saml2:NameID>"),
         "SIG_COMMENT", "inside of what is signed"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const file = decode_write_request("message", query, rows[i].body);
        const struct decode_run_result run = decode_run(file, "-c CONFIG --as-partner red");

        decode_check_verdict(rows[i].name, file, "--as-partner red", rows[i].error);
        decode_check_says(rows[i].name, &run, rows[i].says, true);
    }
}

/* Nobody's message: a partner that this node does not know. */
static void
test_unknown_partner(void)
{
    const struct span body =
        support_replace(decode_net.arena,
                        support_replace(decode_net.arena,
                                        cut(decode_net.sent[SOAP_ITI_38].body, "<ds:X509Data>",
                                            "</ds:X509Data>", SPAN_EMPTY),
                                        "urn:oid:2.999.1<", "urn:oid:2.999.77<"),
                        "CN=signing,O=red", "CN=signing,O=pink");
    const struct decode_run_result run = decode_run(
        decode_write_request("message", &decode_net.sent[SOAP_ITI_38], body), "-c CONFIG");

    decode_check_says("unknown", &run, "no key and no community fits", true);
    decode_check_says("unknown", &run, "PEER_UNKNOWN", true);
}

/* ---- what the node really answers ---- */

/* Sends the same bytes; the verdict has the status and the fault of the real answer. */
static void
check_against_node(const char *what, const struct decode_sent *request, struct span body,
                   const char *sender)
{
    static struct scene_reply reply;
    const struct certificate *const peer =
        scene_place(&decode_net.scene, sender)->config->node->leaf;
    const struct span path = decode_keep(request->path);
    char words[256];

    scene_send(&decode_net.scene, scene_place(&decode_net.scene, "green"), peer, path.p,
               request->content_type.p, body, &reply);
    (void)snprintf(words, sizeof(words), "-c CONFIG --json --as-partner %s", sender);
    const struct decode_run_result run =
        decode_run(decode_write_request("message", request, body), words);
    json_auto_t *root = decode_load(&run);
    const json_t *const verdict = json_object_get(root, "verdict");
    const json_int_t status = json_integer_value(json_object_get(verdict, "http_status"));
    const char *const fault = decode_json_text(verdict, "fault_code");

    CU_ASSERT_EQUAL(status, reply.http_status);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, fault));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, decode_json_text(verdict, "public_text")));
    if (status != reply.http_status || strstr(reply.text, fault) == NULL) {
        printf("%s: the node said %d\n%s\n%.*s\n", what, reply.http_status, reply.text,
               SPAN_PRINT(run.out));
    }
}

static void
test_the_verdict_is_the_nodes(void)
{
    const struct decode_sent *const query = &decode_net.sent[SOAP_ITI_38];

    check_against_node("another's TLS", query, query->body, "blue");
    check_against_node("changed", query,
                       support_replace(decode_net.arena, query->body, "T-TREAT", "T-PYMNT"), "red");
    check_against_node("mandatory header", query,
                       support_replace(decode_net.arena, query->body, "<wsa:ReplyTo",
                                       "<x:Y xmlns:x=\"urn:x\" env:mustUnderstand=\"1\"/>"
                                       "<wsa:ReplyTo"),
                       "red");
    check_against_node("SOAP 1.1", query,
                       support_replace(decode_net.arena, query->body,
                                       "http://www.w3.org/2003/05/soap-envelope",
                                       "http://schemas.xmlsoap.org/soap/envelope/"),
                       "red");
    check_against_node("DTD", query, decode_text("<!DOCTYPE x>%.*s", SPAN_PRINT(query->body)),
                       "red");
    check_against_node("no MessageID", query,
                       cut(query->body, "<wsa:MessageID>", "</wsa:MessageID>", SPAN_EMPTY), "red");
}

/* ---- answers ---- */

static const char *
write_answer(const char *name, const struct scene_reply *reply)
{
    return decode_write_file(name, decode_text("HTTP/1.1 %d X\r\nContent-Type: %s\r\n\r\n%.*s",
                                               reply->http_status, reply->content_type,
                                               (int)reply->n, reply->text));
}

static void
test_answers(void)
{
    static struct scene_reply reply;
    const struct scene_stored stored = kit_add(scene_place(&decode_net.scene, "green"), "Edna", "N",
                                               "<ClinicalDocument>secret</ClinicalDocument>");
    struct document_ref refs[1] = {
        {.home = SPAN(GREEN),
         .repository = span_of_cstr(scene_place(&decode_net.scene, "green")->config->repository),
         .unique_id = span_of_cstr(stored.unique_id)}};
    const struct document_ref_list list = {refs, 1, 1};
    struct decode_run_result run;

    kit_send_retrieve(&decode_net.scene, &list, &reply);
    run = decode_run(write_answer("retrieved", &reply), "-c CONFIG");
    decode_check_says("retrieved", &run, "attachment, referred to once", true);
    decode_check_says("retrieved", &run, "status             Success", true);
    decode_check_says("retrieved", &run, "verdict            open", true);
    decode_check_says("retrieved", &run, "secret", false);
    decode_check_says("retrieved", &run, stored.unique_id, false);
    CU_ASSERT_EQUAL(run.exit_code, CLI_DONE);

    refs[0].unique_id = SPAN("2.999.404");
    kit_send_retrieve(&decode_net.scene, &list, &reply);
    run = decode_run(write_answer("missing", &reply), "");
    decode_check_says("missing", &run, "XDSDocumentUniqueIdError", true);
    decode_check_says("missing", &run, "2.999.404", false);

    scene_send(&decode_net.scene, scene_place(&decode_net.scene, "green"), NULL, "/xcpd",
               SOAP_CONTENT_TYPE, decode_net.sent[SOAP_ITI_55].body, &reply);
    run = decode_run(write_answer("fault", &reply), "-c CONFIG");
    decode_check_says("fault", &run, "SOAP fault", true);
    decode_check_says("fault", &run, "FailedAuthentication", true);
    decode_check_says("fault", &run, ERR_SECURITY_TEXT, true);
    run = decode_run(
        decode_write_file("their fault", support_replace(decode_net.arena,
                                                         decode_keep(span_of(reply.text, reply.n)),
                                                         ERR_SECURITY_TEXT, "Isabella is unknown")),
        "");
    decode_check_says("their fault", &run, "[redacted 19 characters]", true);
    decode_check_says("their fault", &run, "Isabella", false);
}

static void
test_answers_of_a_gather(void)
{
    static const struct {
        enum soap_transaction transaction;
        const char *says;
    } rows[] = {
        {SOAP_ITI_55, "registration events 1"},
        {SOAP_ITI_38, "entries            2"},
        {SOAP_ITI_39, "retrieved          2"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct decode_sent *const sent = &decode_net.sent[rows[i].transaction];
        const char *const name = soap_transaction(rows[i].transaction)->name;
        const char *const file = decode_write_file(
            "answer", decode_text("HTTP/1.1 200 OK\r\nContent-Type: %.*s\r\n\r\n%.*s",
                                  SPAN_PRINT(sent->answer_type), SPAN_PRINT(sent->answer)));
        const struct decode_run_result run = decode_run(file, "-c CONFIG");
        const struct decode_run_result open = decode_run(file, "--show-patient");

        decode_check_says(name, &run, rows[i].says, true);
        decode_check_says(name, &run, "ok          action, payload, times", true);
        decode_check_says(name, &run, "Jones", false);
        decode_check_says(name, &run, "problem", false);
        decode_check_says(name, &open, "redacted", false);
        decode_check_says(name, &run, "<ClinicalDocument>", false);
    }
}

/* ---- what a partner's file could relax ---- */

/* The genuine query under another Security header of red. */
static struct span
sign_again(const struct assertion_order *change)
{
    const struct config *const red = scene_place(&decode_net.scene, "red")->config;
    const struct config *const green = scene_place(&decode_net.scene, "green")->config;
    const struct span url = decode_text("%s/xca/query", green->base_url);
    struct assertion_order order = *change;
    struct signed_timestamp timestamp;
    struct diag diag = {0};
    struct buf security;

    order.signer = red->signing;
    order.now_us = clock_wall_us(clock_system());
    order.lifetime_us = 60 * US_PER_S;
    order.audience = url.p;
    order.subject_id = "Isabella Jones";
    order.organization = red->asserts.organization;
    order.organization_id = red->asserts.organization_id;
    order.home_community = red->community;
    order.role = red->asserts.role;
    order.purpose = order.purpose == NULL ? red->asserts.purpose : order.purpose;
    order.purpose_system = red->asserts.purpose_system;
    buf_init(&security, (size_t)1024 * 1024);
    CHECK_OK(&diag, timestamp_sign(order.signer, order.style.digest, order.now_us,
                                   order.lifetime_us, decode_net.arena, &diag, &timestamp));
    CHECK_OK(&diag, security_write(&order, &timestamp, &security, &diag));
    const struct span body = cut(decode_net.sent[SOAP_ITI_38].body, "<wsse:Security",
                                 "</wsse:Security>", decode_keep(buf_span(&security)));
    buf_done(&security);
    return body;
}

static void
test_what_could_be_relaxed(void)
{
    const struct {
        const char *name, *error, *says;
        struct assertion_order order;
    } rows[] = {
        {"as always", "", "accepted", {.style.is_bearer = false}},
        {"bearer",
         "SAML_CONFIRMATION",
         "would be accepted with confirmation: [holder-of-key, bearer]",
         {.style.is_bearer = true}},
        {"SHA-1",
         "SIG_ALGORITHM",
         "would be accepted with sha1_until: a date to come",
         {.style.digest = DIALECT_SHA1, .sha1_until_us = INT64_MAX}},
        {"delegate",
         "PEER_BINDING",
         "nothing that can be relaxed",
         {.delegator = SPAN("urn:oid:2.999.88")}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *const file = decode_write_request("message", &decode_net.sent[SOAP_ITI_38],
                                                      sign_again(&rows[i].order));
        const struct decode_run_result run = decode_run(file, "-c CONFIG");

        decode_check_verdict(rows[i].name, file, "", rows[i].error);
        decode_check_says(rows[i].name, &run, rows[i].says, true);
        decode_check_says(rows[i].name, &run, "Isabella", false);
    }
}

/* {"alg":"RS256","kid":"k1"} . {"iss":"https://csp.example","given_name":"Isabella"} */
#define TOKEN                                                                                      \
    "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0."                                                         \
    "eyJpc3MiOiJodHRwczovL2NzcC5leGFtcGxlIiwiZ2l2ZW5fbmFtZSI6IklzYWJlbGxhIn0.AAAA"

static void
test_id_token(void)
{
    const struct assertion_order order = {.purpose = "T-IAS", .id_token = SPAN(TOKEN)};
    const char *const file =
        decode_write_request("message", &decode_net.sent[SOAP_ITI_38], sign_again(&order));
    const struct decode_run_result run = decode_run(file, "-c CONFIG");

    decode_check_verdict("token", file, "", "IDTOKEN_ISSUER");
    decode_check_says("token", &run, "k1, iss, given_name", true);
    decode_check_says("token", &run, "Isabella", false);
    decode_check_says("token", &run, "eyJ", false);
}

static void
test_without_configuration(void)
{
    const char *const file = decode_write_request("message", &decode_net.sent[SOAP_ITI_55],
                                                  decode_net.sent[SOAP_ITI_55].body);
    const struct decode_run_result run = decode_run(file, "");
    const char *const changed = decode_write_request(
        "message2", &decode_net.sent[SOAP_ITI_55],
        support_replace(decode_net.arena, decode_net.sent[SOAP_ITI_55].body, "T-TREAT", "T-PYMNT"));
    const struct decode_run_result other = decode_run(changed, "");

    decode_check_says("none", &run, "proves nothing: the key came with the message", true);
    decode_check_says("none", &run, "verdict            open", true);
    decode_check_says("none", &run, "accepted", false);
    decode_check_says("changed", &other, "refused     assertion's signature", true);
}

#define TEST(name)                                                                                 \
    {                                                                                              \
#name, test_##name                                                                         \
    }
static const struct unit_test tests[] = {
    {"make_network", decode_open},
    TEST(genuine_requests),
    TEST(patient_data_is_told_on_demand),
    TEST(forms_of_a_file),
    TEST(messages_that_are_too_old),
    TEST(wrong_partner),
    TEST(damaged_messages),
    TEST(unknown_partner),
    TEST(the_verdict_is_the_nodes),
    TEST(answers),
    TEST(answers_of_a_gather),
    TEST(what_could_be_relaxed),
    TEST(id_token),
    TEST(without_configuration),
    {"close_network", decode_close},
};
UNIT_MAIN("decode", tests)
