/*
 * Messages: the structure that SOAP 1.2 and WS-Addressing ask for, and what is refused by name.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "soap/message_internal.h"
#include "soap/security.h"
#include "tests/unit/unit.h"

#define SOAP_TYPE "application/soap+xml; charset=UTF-8"
#define ENVELOPE_START                                                                             \
    "<s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "                             \
    "xmlns:a=\"http://www.w3.org/2005/08/addressing\" xmlns:x=\"urn:x\">"
#define ACTION_55                                                                                  \
    "<a:Action s:mustUnderstand=\"1\">"                                                            \
    "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery</a:Action>"
#define ID       "<a:MessageID>urn:uuid:11111111-1111-4111-8111-111111111111</a:MessageID>"
#define QUERY_55 "<PRPA_IN201305UV02 xmlns=\"urn:hl7-org:v3\"/>"

static struct status
read_limited(const char *xml, const char *type, const struct message_limits *limits,
             struct arena *arena, struct diag *diag, struct message **ret_message)
{
    diag_clear(diag);
    TRY(message_read(span_of_cstr(xml), span_of_cstr(type), limits, arena, diag, ret_message));
    return message_check_headers(*ret_message, diag);
}

static struct status
read_request(const char *xml, struct arena *arena, struct diag *diag, struct message **ret_message)
{
    const struct message_limits limits = message_limits_request(100000);
    return read_limited(xml, SOAP_TYPE, &limits, arena, diag, ret_message);
}

static void
test_refused(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"", ERR_XML_SYNTAX},
        {"<!DOCTYPE s><s/>", ERR_XML_DTD},
        {"<x/>", ERR_SOAP_STRUCTURE},
        {"<s:Envelope/>", ERR_XML_SYNTAX},
        {"<Envelope "
         "xmlns=\"http://schemas.xmlsoap.org/soap/envelope/\"><Body><x/></Body></Envelope>",
         ERR_SOAP_VERSION},
        {"<Envelope><Body><x/></Body></Envelope>", ERR_SOAP_VERSION},
        {ENVELOPE_START "</s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Body/></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Body><x/><y/></s:Body></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Body><x/></s:Body><s:Body><x/></s:Body></s:Envelope>",
         ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Body><x/></s:Body><s:Header/></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Header/><s:Header/><s:Body><x/></s:Body></s:Envelope>",
         ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<x:a/><s:Body><x/></s:Body></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "text<s:Body><x/></s:Body></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Torso><x/></s:Torso></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Body>text<x/></s:Body></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Body><x/></s:Body><?go?></s:Envelope>", ERR_SOAP_STRUCTURE},
        {"<?go?>" ENVELOPE_START "<s:Body><x/></s:Body></s:Envelope>", ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Header>text</s:Header><s:Body><x/></s:Body></s:Envelope>",
         ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Header><plain/></s:Header><s:Body><x/></s:Body></s:Envelope>",
         ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Header><x:h s:mustUnderstand=\"yes\"/></s:Header>"
                        "<s:Body><x/></s:Body></s:Envelope>",
         ERR_SOAP_STRUCTURE},
        {ENVELOPE_START "<s:Header><x:h s:mustUnderstand=\"true\"/></s:Header>"
                        "<s:Body><x/></s:Body></s:Envelope>",
         ERR_SOAP_MUST_UNDERSTAND},
        {ENVELOPE_START "<s:Header><x:h s:mustUnderstand=\"1\" "
                        "s:role=\"http://www.w3.org/2003/05/soap-envelope/role/next\"/></s:Header>"
                        "<s:Body><x/></s:Body></s:Envelope>",
         ERR_SOAP_MUST_UNDERSTAND},
        {ENVELOPE_START "<s:Header>" ACTION_55 ACTION_55
                        "</s:Header><s:Body><x/></s:Body></s:Envelope>",
         ERR_WSA_HEADER},
        {ENVELOPE_START "<s:Header>" ID ID "</s:Header><s:Body><x/></s:Body></s:Envelope>",
         ERR_WSA_HEADER},
        {ENVELOPE_START "<s:Header><a:To>a</a:To><a:To s:role=\"urn:other\">b</a:To></s:Header>"
                        "<s:Body><x/></s:Body></s:Envelope>",
         ERR_WSA_HEADER},
        {ENVELOPE_START "<s:Header><a:To>urn:<!-- -->x</a:To></s:Header>"
                        "<s:Body><x/></s:Body></s:Envelope>",
         ERR_WSA_HEADER},
        {ENVELOPE_START "<s:Header><a:ReplyTo><a:Address> </a:Address></a:ReplyTo></s:Header>"
                        "<s:Body><x/></s:Body></s:Envelope>",
         ERR_WSA_HEADER},
        {ENVELOPE_START "<s:Header><a:To/></s:Header><s:Body><x/></s:Body></s:Envelope>",
         ERR_WSA_HEADER},
        {ENVELOPE_START "<s:Header><a:ReplyTo>urn:x</a:ReplyTo></s:Header>"
                        "<s:Body><x/></s:Body></s:Envelope>",
         ERR_WSA_HEADER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        if (!CHECK_ERR(&diag, rows[i].want, read_request(rows[i].xml, arena, &diag, &message))) {
            printf("      %s\n", rows[i].xml);
        }
        arena_free(arena);
    }
}

static void
test_accepted(void)
{
    static const char *const rows[] = {
        ENVELOPE_START "<s:Body><x/></s:Body></s:Envelope>",
        "\xEF\xBB\xBF<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n"
        "<!-- c -->" ENVELOPE_START "<!-- c --> <s:Header/> <s:Body> <x/><!-- c --> </s:Body>\n"
        "</s:Envelope>\n<!-- c -->",
        ENVELOPE_START "<s:Header><x:h s:mustUnderstand=\"1\" s:role=\"urn:somebody:else\"/>"
                       "<x:h s:mustUnderstand=\"0\"/></s:Header><s:Body><x/></s:Body></s:Envelope>",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        if (CHECK_OK(&diag, read_request(rows[i], arena, &diag, &message))) {
            CHECK_SPAN(message_payload_name(message), "x");
            CU_ASSERT(!message_is_mtom(message) && !message_is_fault(message));
        }
        arena_free(arena);
    }
}

static void
test_media_types(void)
{
    static const struct {
        const char *type;
        enum err request, answer;
    } rows[] = {
        {"", ERR_HTTP_MEDIA_TYPE, ERR_HTTP_MEDIA_TYPE},
        {"application/json", ERR_HTTP_MEDIA_TYPE, ERR_HTTP_MEDIA_TYPE},
        {"text/xml", ERR_HTTP_MEDIA_TYPE, ERR_NONE},
        {"application/soap+xml; charset=latin1", ERR_XML_ENCODING, ERR_XML_ENCODING},
        {"application/soap+xml; charset", ERR_MIME, ERR_MIME},
        {"application/soap+xml; action=\"a\"; action=\"b\"", ERR_MIME, ERR_MIME},
        {"Application/SOAP+xml;CHARSET=\"utf-8\";action=\"urn:x\"", ERR_NONE, ERR_NONE},
        /* some gateways write the header of a package and leave the packing out */
        {"multipart/related; type=\"application/xop+xml\"", ERR_MIME, ERR_NONE},
        {"multipart/related; boundary=x; type=\"application/xop+xml\"", ERR_MIME, ERR_NONE},
        {"application/xop+xml; type=\"application/soap+xml\"", ERR_HTTP_MEDIA_TYPE, ERR_NONE},
    };
    const struct message_limits request = message_limits_request(100000);
    const struct message_limits answer = message_limits_answer();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct message *message = NULL;
        const char *xml = ENVELOPE_START "<s:Body><x/></s:Body></s:Envelope>";
        CHECK_ERR(&diag, rows[i].request,
                  read_limited(xml, rows[i].type, &request, arena, &diag, &message));
        CHECK_ERR(&diag, rows[i].answer,
                  read_limited(xml, rows[i].type, &answer, arena, &diag, &message));
        arena_free(arena);
    }
}

/* A request whose header and body are given. */
static struct status
route(bool is_local, const char *header, const char *payload, const char *type, const char *path,
      struct diag *diag, enum soap_transaction *ret_transaction)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct message_limits limits = message_limits_request(100000);
    struct message *message = NULL;
    struct span xml;
    diag_clear(diag);
    struct status st = arena_printf(arena, diag, &xml,
                                    ENVELOPE_START "<s:Header>%s</s:Header><s:Body>%s</s:Body>"
                                                   "</s:Envelope>",
                                    header, payload);
    if (is_ok(st)) {
        st = message_read(xml, span_of_cstr(type), &limits, arena, diag, &message);
    }
    if (is_ok(st)) {
        st = is_local
                 ? message_local_transaction(message, span_of_cstr(path), diag, ret_transaction)
                 : message_transaction(message, span_of_cstr(path), diag, ret_transaction);
    }
    arena_free(arena);
    return st;
}

static void
test_transaction(void)
{
    static const struct {
        const char *header, *payload, *type, *path;
        enum err want;
    } rows[] = {
        {ID, QUERY_55, SOAP_TYPE, "/xcpd", ERR_WSA_HEADER},
        {ACTION_55, QUERY_55, SOAP_TYPE, "/xcpd", ERR_WSA_HEADER},
        {ACTION_55 ID "<a:ReplyTo><a:Address>http://evil.example/</a:Address></a:ReplyTo>",
         QUERY_55, SOAP_TYPE, "/xcpd", ERR_WSA_HEADER},
        {ACTION_55 ID "<a:FaultTo><a:Address>http://evil.example/</a:Address></a:FaultTo>",
         QUERY_55, SOAP_TYPE, "/xcpd", ERR_WSA_HEADER},
        {ACTION_55 ID, "<PRPA_IN201305UV02/>", SOAP_TYPE, "/xcpd", ERR_WSA_ACTION},
        {ACTION_55 ID, "<x:unknown/>", SOAP_TYPE, "/xcpd", ERR_WSA_ACTION},
        {ACTION_55 ID, QUERY_55, SOAP_TYPE, "/xca/query", ERR_WSA_ACTION},
        {ACTION_55 ID, QUERY_55, "application/soap+xml; action=\"urn:other\"", "/xcpd",
         ERR_WSA_ACTION},
        {"<a:Action>urn:ihe:iti:2007:CrossGatewayQuery</a:Action>" ID, QUERY_55, SOAP_TYPE, "/xcpd",
         ERR_WSA_ACTION},
        {ACTION_55 ID, QUERY_55, "application/soap+xml; action=\"none\"", "/xcpd", ERR_WSA_ACTION},
        {ACTION_55 ID, QUERY_55, "application/soap+xml; action=\" None\"", "/xcpd", ERR_WSA_ACTION},
        {ACTION_55 ID, QUERY_55,
         "application/soap+xml; action=\"urn:ihe:iti:2007:CrossGatewayQuery\"", "/xcpd",
         ERR_WSA_ACTION},
        {ACTION_55 ID, QUERY_55, "application/soap+xml; action=\"\"", "/xcpd", ERR_NONE},
        {ACTION_55 ID, QUERY_55, "application/soap+xml; action=\"None\"", "/xcpd", ERR_NONE},
        {ACTION_55 ID, QUERY_55, "application/soap+xml; action=None", "/xcpd", ERR_NONE},
        {ACTION_55 ID ID, QUERY_55, SOAP_TYPE, "/xcpd", ERR_WSA_HEADER},
        {ACTION_55 ID "<x:h s:mustUnderstand=\"1\"/>", QUERY_55, SOAP_TYPE, "/xcpd",
         ERR_SOAP_MUST_UNDERSTAND},
        {ACTION_55 ID "<a:ReplyTo><a:Address>" WSA_ANONYMOUS "</a:Address></a:ReplyTo>", QUERY_55,
         "application/soap+xml; action=\"urn:hl7-org:v3:PRPA_IN201305UV02:"
         "CrossGatewayPatientDiscovery\"",
         "/xcpd", ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        enum soap_transaction transaction = SOAP_ITI_39;
        if (!CHECK_ERR(&diag, rows[i].want,
                       route(false, rows[i].header, rows[i].payload, rows[i].type, rows[i].path,
                             &diag, &transaction))) {
            printf("      row %zu\n", i);
        }
        CU_ASSERT(transaction == (rows[i].want == ERR_NONE ? SOAP_ITI_55 : SOAP_ITI_39));
    }
}

#define REGISTRY_QUERY   "<AdhocQueryRequest xmlns='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'/>"
#define REPOSITORY_QUERY "<RetrieveDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'/>"
#define ANSWER_55        "<PRPA_IN201306UV02 xmlns='urn:hl7-org:v3'/>"
#define LOCATION_QUERY   "<PatientLocationQueryRequest xmlns='urn:ihe:iti:xcpd:2009'/>"
#define CONTINUATION     "<QUQI_IN000003UV01 xmlns='urn:hl7-org:v3'/>"
#define CANCELLATION     "<QUQI_IN000003UV01_Cancel xmlns='urn:hl7-org:v3'/>"
#define PIX_QUERY        "<PRPA_IN201309UV02 xmlns='urn:hl7-org:v3'/>"
#define SUBMISSION       "<ProvideAndRegisterDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'/>"

/* One listener's one path (NULL: none) takes the request, with its own payload only. */
static void
check_paths(enum soap_transaction wanted, const char *header, const char *payload, const char *own,
            bool is_local)
{
    static const char *const paths[] = {
        "/xcpd",       "/xca/query", "/xca/retrieve", "/xcdr", "/registry", "/pdq",
        "/repository", "/provide",   "/registry/x",   "/",     "",          "/deferred"};
    static const char *const payloads[] = {REGISTRY_QUERY, REPOSITORY_QUERY, SUBMISSION,
                                           QUERY_55,       ANSWER_55,        LOCATION_QUERY,
                                           CONTINUATION,   CANCELLATION,     PIX_QUERY};
    for (size_t i = 0; i < ARRAY_LEN(paths) * ARRAY_LEN(payloads); i++) {
        const char *const path = paths[i % ARRAY_LEN(paths)];
        const char *const given = payloads[i / ARRAY_LEN(paths)];
        const bool is_right = own != NULL && strcmp(own, path) == 0 && strcmp(given, payload) == 0;
        struct diag diag;
        enum soap_transaction transaction = SOAP_TRANSACTION_COUNT;
        if (!CHECK_ERR(&diag, is_right ? ERR_NONE : ERR_WSA_ACTION,
                       route(is_local, header, given, SOAP_TYPE, path, &diag, &transaction))) {
            printf("      %s on '%s'\n", soap_transaction(wanted)->name, path);
        }
        CU_ASSERT_EQUAL(transaction, is_right ? wanted : SOAP_TRANSACTION_COUNT);
    }
}

/* Where each transaction is: by its action among those with one payload, and by the listener. */
static void
test_rows(void)
{
    static const struct {
        enum soap_transaction transaction;
        const char *name, *action, *payload, *path, *local_path;
    } rows[] = {
        {SOAP_ITI_38, "ITI-38", "urn:ihe:iti:2007:CrossGatewayQuery", REGISTRY_QUERY, "/xca/query",
         "/registry"},
        {SOAP_ITI_39, "ITI-39", "urn:ihe:iti:2007:CrossGatewayRetrieve", REPOSITORY_QUERY,
         "/xca/retrieve", "/repository"},
        {SOAP_ITI_18, "ITI-18", "urn:ihe:iti:2007:RegistryStoredQuery", REGISTRY_QUERY, NULL,
         "/registry"},
        {SOAP_ITI_43, "ITI-43", "urn:ihe:iti:2007:RetrieveDocumentSet", REPOSITORY_QUERY, NULL,
         "/repository"},
        {SOAP_ITI_41, "ITI-41", "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b", SUBMISSION,
         NULL, "/provide"},
        {SOAP_ITI_80, "ITI-80", "urn:ihe:iti:2015:CrossGatewayDocumentProvide", SUBMISSION, "/xcdr",
         NULL},
        {SOAP_ITI_55_DEFERRED, "ITI-55",
         "urn:hl7-org:v3:PRPA_IN201305UV02:Deferred:CrossGatewayPatientDiscovery", QUERY_55,
         "/xcpd", NULL},
        {SOAP_ITI_55_RESPONSE, "ITI-55",
         "urn:hl7-org:v3:PRPA_IN201306UV02:Deferred:CrossGatewayPatientDiscovery", ANSWER_55,
         "/deferred", NULL},
        {SOAP_ITI_56, "ITI-56", "urn:ihe:iti:2009:PatientLocationQuery", LOCATION_QUERY, "/xcpd",
         NULL},
        {SOAP_ITI_47, "ITI-47", "urn:hl7-org:v3:PRPA_IN201305UV02", QUERY_55, NULL, "/pdq"},
        {SOAP_ITI_47_CONTINUE, "ITI-47", "urn:hl7-org:v3:QUQI_IN000003UV01_Continue", CONTINUATION,
         NULL, "/pdq"},
        {SOAP_ITI_47_CANCEL, "ITI-47", "urn:hl7-org:v3:QUQI_IN000003UV01_Cancel", CANCELLATION,
         NULL, "/pdq"},
        {SOAP_ITI_45, "ITI-45", "urn:hl7-org:v3:PRPA_IN201309UV02", PIX_QUERY, NULL, "/pdq"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char header[512];
        CU_ASSERT_STRING_EQUAL(soap_transaction(rows[i].transaction)->name, rows[i].name);
        (void)snprintf(header, sizeof(header), "<a:Action>%s</a:Action>" ID, rows[i].action);
        check_paths(rows[i].transaction, header, rows[i].payload, rows[i].path, false);
        check_paths(rows[i].transaction, header, rows[i].payload, rows[i].local_path, true);
    }
}

/* security_verify is a way in, too: what the header blocks say is judged there as well. */
static void
test_headers_before_security(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct message_limits limits = message_limits_request(100000);
    const struct security_rules rules = {.keys_n = 0};
    const struct verified_view *view = NULL;
    struct message *message = NULL;
    struct diag diag;
    diag_clear(&diag);
    CHECK_OK(&diag,
             message_read(SPAN(ENVELOPE_START "<s:Header>" ID "<x:h s:mustUnderstand=\"1\"/>"
                                              "</s:Header><s:Body><x/></s:Body></s:Envelope>"),
                          SPAN(SOAP_TYPE), &limits, arena, &diag, &message));
    CHECK_ERR(&diag, ERR_SOAP_MUST_UNDERSTAND,
              security_verify(message, &rules, arena, &diag, &view));
    CHECK_SPAN(message_addressing(message)->message_id,
               "urn:uuid:11111111-1111-4111-8111-111111111111");
    arena_free(arena);
}

static const struct unit_test tests[] = {
    /* REQ: WS-soap12 */
    {"refused structures, by error name", test_refused},
    /* REQ: WS-soap12 */
    {"accepted structures", test_accepted},
    /* REQ: WS-simple-soap, MTOM-root, MTOM-plain */
    {"media types", test_media_types},
    /* REQ: WS-action, WS-action-agrees */
    {"action, payload and path agree", test_transaction},
    {"each transaction has its payload, action and paths", test_rows},
    /* REQ: WS-action, WS-message-id, WS-must-understand */
    {"headers are judged before security", test_headers_before_security},
};
UNIT_MAIN("message", tests)
