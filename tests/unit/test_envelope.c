/*
 * Envelopes, faults and MTOM: what must not be written, and that what is written is read back as
 * it was meant, by our own reader and by the schema of SOAP 1.2.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/ids.h"
#include "soap/envelope.h"
#include "tests/unit/soap_support.h"
#include "tests/unit/unit.h"

#define ACTION  "urn:ihe:iti:2007:CrossGatewayQuery"
#define TO      "https://gateway.example:8443/xca/query?a=1&b=2"
#define ID      "urn:uuid:11111111-1111-4111-8111-111111111111"
#define PAYLOAD "<p:a xmlns:p=\"urn:p\"><p:b/></p:a>"
/* A header block that our own reader passes over. */
#define SECURITY                                                                                   \
    "<wsse:Security xmlns:wsse=\"http://docs.oasis-open.org/wss/2004/01/"                          \
    "oasis-200401-wss-wssecurity-secext-1.0.xsd\" xmlns:env=\"http://www.w3.org/2003/05/"          \
    "soap-envelope\" env:mustUnderstand=\"1\"></wsse:Security>"

/* The bytes of a part that is not the root; false when there is none. */
static bool
part_bytes(const struct message *message, struct span content_id, struct span *ret_content)
{
    const struct mime_part *const part = mime_part_find(&message->mime, content_id);
    if (part == NULL || part == &message->mime.parts.items[message->mime.root]) {
        return false;
    }
    *ret_content =
        span_slice(buf_span(&message->source.memory), (size_t)part->offset, (size_t)part->size);
    return true;
}

static size_t
count_of(struct span text, const char *needle)
{
    size_t n = 0;
    struct span rest = text;
    for (size_t at = span_find(rest, span_of_cstr(needle)); at != SPAN_MISSING;
         at = span_find(rest, span_of_cstr(needle))) {
        n++;
        rest = span_slice(rest, at + strlen(needle), rest.n);
    }
    return n;
}

static void
test_refused(void)
{
    static const struct {
        const char *action, *message_id;
        size_t limit;
        enum err want;
    } rows[] = {
        {"urn:\x01", ID, 10000, ERR_MESSAGE_CONTENT},
        {"urn:\xff", ID, 10000, ERR_MESSAGE_CONTENT},
        {ACTION, "urn:\x02", 10000, ERR_MESSAGE_CONTENT},
        {ACTION, ID, 100, ERR_LIMIT_BUFFER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        struct buf out;
        const struct envelope_request request = {.action = span_of_cstr(rows[i].action),
                                                 .message_id = span_of_cstr(rows[i].message_id)};
        const struct envelope_answer answer = {.action = span_of_cstr(rows[i].action),
                                               .message_id = span_of_cstr(rows[i].message_id)};
        buf_init(&out, rows[i].limit);
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i].want, envelope_write_request(&request, &out, &diag));
        buf_reset(&out);
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i].want, envelope_write_answer(&answer, &out, &diag));
        buf_done(&out);
    }
}

static void
test_request(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    const struct envelope_request request = {
        .action = SPAN(ACTION),
        .to = SPAN(TO),
        .message_id = SPAN(ID),
        .security = SPAN(SECURITY),
        .payload = SPAN(PAYLOAD),
    };
    diag_clear(&diag);
    buf_init(&out, 100000);
    CHECK_OK(&diag, envelope_write_request(&request, &out, &diag));
    if (CHECK_OK(&diag, support_envelope(buf_span(&out), arena, &diag, &message))) {
        const struct addressing *addressing = message_addressing(message);
        CHECK_SPAN(addressing->action, ACTION);
        CHECK_SPAN(addressing->to, TO);
        CHECK_SPAN(addressing->message_id, ID);
        CHECK_SPAN(addressing->reply_to, WSA_ANONYMOUS);
        CHECK_SPAN(addressing->relates_to, "");
        CHECK_SPAN(message_payload_name(message), "a");
        CHECK_SPAN(message_payload_namespace(message), "urn:p");
        CU_ASSERT(xml_child(message->header, NS_WSSE, "Security") != NULL);
        const xmlNode *reply = xml_child(message->header, NS_WSA, "ReplyTo");
        CU_ASSERT(xml_child(reply, NS_WSA, "Address") != NULL);
    }
    /* On Action and on our Security, nowhere else. */
    CU_ASSERT_EQUAL(count_of(buf_span(&out), "mustUnderstand"), 2);
    CU_ASSERT(span_find(buf_span(&out), SPAN("<env:Body>" PAYLOAD "</env:Body>")) != SPAN_MISSING);
    support_check_schema(SOAP_SCHEMA, buf_span(&out));
    buf_done(&out);
    arena_free(arena);
}

static void
test_answer(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    const struct envelope_answer answer = {
        .action = SPAN(ACTION "Response"),
        .relates_to = SPAN(ID),
        .message_id = SPAN("urn:uuid:22222222-2222-4222-8222-222222222222"),
        .payload = SPAN(PAYLOAD),
    };
    diag_clear(&diag);
    buf_init(&out, 100000);
    CHECK_OK(&diag, envelope_write_answer(&answer, &out, &diag));
    if (CHECK_OK(&diag, support_envelope(buf_span(&out), arena, &diag, &message))) {
        const struct addressing *addressing = message_addressing(message);
        CHECK_SPAN(addressing->action, ACTION "Response");
        CHECK_SPAN(addressing->relates_to, ID);
        CHECK_SPAN(addressing->message_id, "urn:uuid:22222222-2222-4222-8222-222222222222");
        CU_ASSERT_FALSE(message_is_fault(message));
    }
    CU_ASSERT_EQUAL(count_of(buf_span(&out), "mustUnderstand"), 1);
    support_check_schema(SOAP_SCHEMA, buf_span(&out));
    buf_done(&out);
    arena_free(arena);
}

/* What each column of the error table must become on the wire. */
static const struct {
    enum err_fault fault;
    const char *code, *subcode_namespace, *subcode, *action;
} faults[] = {
    {ERR_FAULT_SENDER, "Sender", "", "", NS_WSA "/soap/fault"},
    {ERR_FAULT_RECEIVER, "Receiver", "", "", NS_WSA "/soap/fault"},
    {ERR_FAULT_MUST_UNDERSTAND, "MustUnderstand", "", "", NS_WSA "/soap/fault"},
    {ERR_FAULT_VERSION_MISMATCH, "VersionMismatch", "", "", NS_WSA "/soap/fault"},
    {ERR_FAULT_WSA_HEADER, "Sender", NS_WSA, "InvalidAddressingHeader", NS_WSA "/fault"},
    {ERR_FAULT_WSA_ACTION, "Sender", NS_WSA, "ActionNotSupported", NS_WSA "/fault"},
    {ERR_FAULT_WSSE_INVALID_SECURITY, "Sender", NS_WSSE, "InvalidSecurity", NS_WSA "/soap/fault"},
    {ERR_FAULT_WSSE_INVALID_TOKEN, "Sender", NS_WSSE, "InvalidSecurityToken", NS_WSA "/soap/fault"},
    {ERR_FAULT_WSSE_FAILED_CHECK, "Sender", NS_WSSE, "FailedCheck", NS_WSA "/soap/fault"},
    {ERR_FAULT_WSSE_FAILED_AUTHENTICATION, "Sender", NS_WSSE, "FailedAuthentication",
     NS_WSA "/soap/fault"},
};

/* The QName that is an element's text, resolved. */
static void
check_qname(const xmlNode *value, const char *namespace, const char *local)
{
    struct arena *arena = arena_new(100000);
    struct diag diag;
    struct span text = SPAN_EMPTY;
    char prefix[32] = "";
    diag_clear(&diag);
    CHECK_OK(&diag, xml_text(value, ERR_INTERNAL, arena, &diag, &text));
    const size_t colon = span_find_char(text, ':');
    CU_ASSERT_FATAL(colon != SPAN_MISSING && colon < sizeof(prefix));
    memcpy(prefix, text.p, colon);
    const xmlNs *ns = xmlSearchNs(value->doc, (xmlNode *)(uintptr_t)value, (xmlChar *)prefix);
    CU_ASSERT_PTR_NOT_NULL_FATAL(ns);
    CHECK_SPAN(span_of_cstr((const char *)ns->href), namespace);
    CHECK_SPAN(span_slice(text, colon + 1, text.n), local);
    arena_free(arena);
}

static void
check_fault(enum err code, size_t row)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct message *message = NULL;
    struct span fault_code, reason;
    diag_clear(&diag);
    buf_init(&out, 100000);
    CHECK_OK(&diag, envelope_write_fault(code, SPAN(ID), SPAN("txn-17"), &out, &diag));
    if (CHECK_OK(&diag, support_envelope(buf_span(&out), arena, &diag, &message))) {
        const xmlNode *fault = message_payload(message);
        const xmlNode *node = xml_child(fault, NS_SOAP12, "Code");
        CU_ASSERT(message_is_fault(message));
        message_fault(message, &fault_code, &reason);
        CHECK_SPAN(reason, err_public_text(code));
        CHECK_SPAN(message_addressing(message)->relates_to, ID);
        CHECK_SPAN(message_addressing(message)->action, faults[row].action);
        check_qname(xml_child(node, NS_SOAP12, "Value"), NS_SOAP12, faults[row].code);
        node = xml_child(node, NS_SOAP12, "Subcode");
        CU_ASSERT_EQUAL(node != NULL, faults[row].subcode[0] != '\0');
        if (node != NULL) {
            check_qname(xml_child(node, NS_SOAP12, "Value"), faults[row].subcode_namespace,
                        faults[row].subcode);
            CHECK_SPAN(fault_code, faults[row].subcode);
        } else {
            CHECK_SPAN(fault_code, faults[row].code);
        }
        node = xml_first(xml_child(fault, NS_SOAP12, "Detail"));
        CHECK_SPAN(xml_local_name(node), "TransactionId");
        CU_ASSERT(node != NULL && xml_next(node) == NULL);
        CU_ASSERT_EQUAL(xml_child(message->header, NS_SOAP12, "Upgrade") != NULL,
                        faults[row].fault == ERR_FAULT_VERSION_MISMATCH);
    }
    support_check_schema(SOAP_SCHEMA, buf_span(&out));
    buf_done(&out);
    arena_free(arena);
}

static void
test_faults(void)
{
    bool is_checked[ARRAY_LEN(faults)] = {false};
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        for (size_t row = 0; row < ARRAY_LEN(faults); row++) {
            if (faults[row].fault == err_fault((enum err)code) && !is_checked[row]) {
                is_checked[row] = true;
                check_fault((enum err)code, row);
            }
        }
    }
    for (size_t row = 0; row < ARRAY_LEN(faults); row++) {
        CU_ASSERT(is_checked[row]);
    }
}

/* Codes that are not answered with a fault still make a valid one, and never say more. */
static void
test_fault_of_others(void)
{
    static const struct {
        enum err code;
        const char *want;
    } rows[] = {{ERR_UNKNOWN_PATIENT, "env:Sender"},
                {ERR_XML_DTD, "env:Sender"},
                {ERR_LIMIT_BODY, "env:Receiver"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        struct buf out;
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_OK(&diag, envelope_write_fault(rows[i].code, SPAN_EMPTY, SPAN_EMPTY, &out, &diag));
        CU_ASSERT(span_find(buf_span(&out), span_of_cstr(rows[i].want)) != SPAN_MISSING);
        CU_ASSERT(span_find(buf_span(&out), SPAN("RelatesTo")) == SPAN_MISSING);
        CU_ASSERT(span_find(buf_span(&out), SPAN("Detail")) == SPAN_MISSING);
        buf_done(&out);
    }
}

/* ---- refusals of a request that could be read ---- */

#define REQUEST(headers)                                                                           \
    "<s:Envelope xmlns:s=\"" NS_SOAP12 "\" xmlns:a=\"" NS_WSA "\"><s:Header>" headers              \
    "</s:Header><s:Body>" PAYLOAD "</s:Body></s:Envelope>"
#define MESSAGE_ID         "<a:MessageID>" ID "</a:MessageID>"
#define ADDRESS(name, uri) "<a:" name "><a:Address>" uri "</a:Address></a:" name ">"

/* <texts>: what must stand in the fault; "!": what must not. */
static const struct {
    enum err code;
    const char *request;
    const char *texts[5];
} refusals[] = {
    {ERR_SOAP_MUST_UNDERSTAND,
     REQUEST(MESSAGE_ID "<b:one xmlns:b=\"urn:b\" s:mustUnderstand=\"1\"/>"
                        "<two xmlns=\"urn:c\" s:mustUnderstand=\"true\"/>"
                        "<a:To s:mustUnderstand=\"1\">x</a:To><b:no xmlns:b=\"urn:b\"/>"),
     {"<env:NotUnderstood xmlns:block=\"urn:b\" qname=\"block:one\">",
      "<env:NotUnderstood xmlns:block=\"urn:c\" qname=\"block:two\">", "!block:no", "!block:To",
      "<wsa:RelatesTo>" ID "</wsa:RelatesTo>"}},
    {ERR_WSA_HEADER,
     REQUEST(MESSAGE_ID "<a:To>a</a:To><a:To>b</a:To>"),
     {"<wsa:ProblemHeaderQName>wsa:To</wsa:ProblemHeaderQName>", ">wsa:InvalidAddressingHeader<",
      ">wsa:InvalidCardinality<", "<wsa:RelatesTo>" ID "</wsa:RelatesTo>", NULL}},
    {ERR_WSA_HEADER,
     REQUEST(MESSAGE_ID MESSAGE_ID),
     {">wsa:MessageID<", ">wsa:InvalidCardinality<", "!RelatesTo", NULL, NULL}},
    {ERR_WSA_HEADER,
     REQUEST(MESSAGE_ID),
     {">wsa:Action<", ">wsa:MessageAddressingHeaderRequired<", "!InvalidAddressingHeader", NULL,
      NULL}},
    {ERR_WSA_HEADER,
     REQUEST("<a:Action>x</a:Action>"),
     {">wsa:MessageID<", ">wsa:MessageAddressingHeaderRequired<", "!RelatesTo", NULL, NULL}},
    {ERR_WSA_HEADER,
     REQUEST(MESSAGE_ID "<a:Action>x</a:Action>" ADDRESS("ReplyTo", "https://x/")),
     {">wsa:ReplyTo<", ">wsa:OnlyAnonymousAddressSupported<", "!https://x/", NULL, NULL}},
    {ERR_WSA_HEADER,
     REQUEST(MESSAGE_ID "<a:Action>x</a:Action>" ADDRESS("ReplyTo", WSA_ANONYMOUS)
                 ADDRESS("FaultTo", "https://x/")),
     {">wsa:FaultTo<", ">wsa:OnlyAnonymousAddressSupported<", NULL, NULL, NULL}},
    {ERR_WSA_HEADER,
     REQUEST(MESSAGE_ID "<a:Action>x</a:Action><a:To>https://other/</a:To>"),
     {">wsa:To<", ">wsa:InvalidAddressingHeader<", "!https://other/", NULL, NULL}},
    {ERR_WSA_ACTION,
     REQUEST(MESSAGE_ID "<a:Action>urn:a&lt;b</a:Action>"),
     {"<wsa:ProblemAction><wsa:Action>urn:a&lt;b</wsa:Action></wsa:ProblemAction>",
      ">wsa:ActionNotSupported<", "!ProblemHeader", NULL, NULL}},
    {ERR_SIG_WRAPPED,
     REQUEST(MESSAGE_ID "<a:Action>urn:a</a:Action><a:To>a</a:To>"),
     {">wsse:FailedCheck<", ERR_SECURITY_TEXT, "!Problem", "!urn:a<",
      "<wsa:RelatesTo>" ID "</wsa:RelatesTo>"}},
    {ERR_MESSAGE_CONTENT,
     REQUEST(MESSAGE_ID "<a:Action>urn:a</a:Action>"),
     {"!Problem", "!urn:a<", "!Subcode", NULL, NULL}},
};

static void
test_refusals(void)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct buf out;
        struct message *message = NULL;
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_OK(&diag,
                 support_envelope(span_of_cstr(refusals[i].request), arena, &diag, &message));
        CHECK_OK(&diag,
                 envelope_write_refusal(refusals[i].code, message, SPAN("txn-17"), &out, &diag));
        for (size_t t = 0; t < ARRAY_LEN(refusals[i].texts); t++) {
            const char *const text = refusals[i].texts[t];
            const bool is_unwanted = text != NULL && text[0] == '!';
            const size_t n = text == NULL ? 0 : count_of(buf_span(&out), text + is_unwanted);
            if (text != NULL && (n != 0) == is_unwanted) {
                CU_FAIL("refusal");
                printf("      row %zu, '%s': %.*s\n", i, text, SPAN_PRINT(buf_span(&out)));
            }
        }
        CU_ASSERT_EQUAL(count_of(buf_span(&out), "txn-17"), 1);
        support_check_schema(SOAP_SCHEMA, buf_span(&out));
        buf_done(&out);
        arena_free(arena);
    }
}

/* What a sender makes long is not sent back, and not more than eight blocks are named. */
static void
test_refusal_size(void)
{
    char headers[16000] = "";
    size_t n = 0;
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out;
    struct span xml;
    struct message *message = NULL;
    for (int i = 0; i < 20; i++) {
        n += (size_t)snprintf(headers + n, sizeof(headers) - n,
                              "<b:n%0*d xmlns:b=\"urn:b\" s:mustUnderstand=\"1\"/>",
                              i == 0 ? 513 : 3, i);
    }
    diag_clear(&diag);
    buf_init(&out, 100000);
    CHECK_OK(&diag, arena_printf(arena, &diag, &xml, REQUEST("%s<a:Action>%0600d</a:Action>"),
                                 headers, 1));
    CHECK_OK(&diag, support_envelope(xml, arena, &diag, &message));
    CHECK_OK(&diag,
             envelope_write_refusal(ERR_SOAP_MUST_UNDERSTAND, message, SPAN_EMPTY, &out, &diag));
    CU_ASSERT_EQUAL(count_of(buf_span(&out), "<env:NotUnderstood "), 7);
    buf_reset(&out);
    CHECK_OK(&diag, envelope_write_refusal(ERR_WSA_ACTION, message, SPAN_EMPTY, &out, &diag));
    CU_ASSERT_EQUAL(count_of(buf_span(&out), "ProblemAction"), 0);
    buf_reset(&out);
    CHECK_OK(&diag, envelope_write_refusal(ERR_WSA_ACTION, NULL, SPAN_EMPTY, &out, &diag));
    CU_ASSERT_EQUAL(count_of(buf_span(&out), "RelatesTo"), 0);
    buf_done(&out);
    arena_free(arena);
}

/* ---- MTOM ---- */

static void
fill_body(struct body *body, const char *bytes, size_t n)
{
    struct diag diag;
    struct buf content;
    diag_clear(&diag);
    buf_init(&content, 4 * 1024 * 1024);
    CHECK_OK(&diag, buf_append(&content, span_of(bytes, n), &diag));
    body_from_buf(body, &content);
}

static void
test_mtom_refused(void)
{
    static const struct {
        const char *content_id, *action;
        size_t limit;
        enum err want;
    } rows[] = {
        {"", "", 10000, ERR_INTERNAL},
        {"a>\r\nX: y", "", 10000, ERR_INTERNAL},
        {"a\"b", "", 10000, ERR_INTERNAL},
        {"a<b", "", 10000, ERR_INTERNAL},
        {"caf\xc3\xa9", "", 10000, ERR_INTERNAL},
        {"a", "urn:\"x", 10000, ERR_INTERNAL},
        {"a", "urn:\r\nX: y", 10000, ERR_INTERNAL},
        {"a", "", 300, ERR_LIMIT_BUFFER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag;
        struct buf out;
        struct body body;
        char type[512] = "untouched";
        fill_body(&body, "x", 1);
        const struct mtom_part part = {.content_id = span_of_cstr(rows[i].content_id),
                                       .mime_type = SPAN("a/b"),
                                       .body = &body};
        diag_clear(&diag);
        buf_init(&out, rows[i].limit);
        CHECK_ERR(
            &diag, rows[i].want,
            mtom_write(SPAN("<a/>"), &part, 1, span_of_cstr(rows[i].action), &out, &diag, type));
        CU_ASSERT_STRING_EQUAL(type, "untouched");
        buf_done(&out);
        body_done(&body);
    }
}

/* Bytes that look like boundaries, NULs, every byte, nothing, a file. */
static void
test_mtom_round_trip(void)
{
    static char every[256];
    static char large[300000];
    for (size_t i = 0; i < sizeof(every); i++) {
        every[i] = (char)i;
    }
    for (size_t i = 0; i < sizeof(large); i++) {
        large[i] = (char)(i * 31 / 7);
    }
    const struct span contents[] = {SPAN("\r\n--isthmus-\r\n--\r\n\0--"), span_of(every, 256),
                                    SPAN(""), span_of(large, sizeof(large))};
    static const char *const ids[] = {"a@isthmus", "b.c+d@isthmus", "c", "d%41@isthmus"};
    static const char *const types[] = {"text/xml", "bad\r\nX-Evil: 1", "",
                                        "application/pdf; version=\"1.7\""};
    struct body bodies[ARRAY_LEN(contents)];
    struct mtom_part parts[ARRAY_LEN(contents)];
    for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
        fill_body(&bodies[i], contents[i].p, contents[i].n);
        parts[i] = (struct mtom_part){.content_id = span_of_cstr(ids[i]),
                                      .mime_type = span_of_cstr(types[i]),
                                      .body = &bodies[i]};
    }
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf envelope, out;
    struct message *message = NULL;
    char type[512];
    const struct envelope_answer answer = {.action = SPAN(ACTION), .payload = SPAN(PAYLOAD)};
    const struct message_limits limits = message_limits_request(100000);
    diag_clear(&diag);
    buf_init(&envelope, 10000);
    buf_init(&out, 1000000);
    CHECK_OK(&diag, envelope_write_answer(&answer, &envelope, &diag));
    CHECK_OK(&diag, mtom_write(buf_span(&envelope), parts, ARRAY_LEN(parts), SPAN(ACTION), &out,
                               &diag, type));
    if (CHECK_OK(&diag, message_read(buf_span(&out), span_of_cstr(type), &limits, arena, &diag,
                                     &message))) {
        CU_ASSERT(message_is_mtom(message));
        CHECK_SPAN(message->content_type_action, ACTION);
        for (size_t i = 0; i < ARRAY_LEN(contents); i++) {
            struct span content = SPAN_EMPTY;
            CU_ASSERT(part_bytes(message, span_of_cstr(ids[i]), &content));
            CU_ASSERT(span_eq(content, contents[i]));
        }
    }
    CU_ASSERT(span_find(buf_span(&out), SPAN("X-Evil")) == SPAN_MISSING);
    CU_ASSERT(strstr(type, "start-info=\"application/soap+xml\"") != NULL);
    CU_ASSERT(strstr(type, "type=\"application/xop+xml\"") != NULL);
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        body_done(&bodies[i]);
    }
    buf_done(&envelope);
    buf_done(&out);
    arena_free(arena);
}

static void
test_mtom_from_file(void)
{
    char path[4096];
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct buf out, again;
    struct body body;
    char type[512], type_again[512];
    struct message *message = NULL;
    struct span content = SPAN_EMPTY;
    const struct message_limits limits = message_limits_request(100000);
    (void)snprintf(path, sizeof(path), "%s/document", unit_temp_dir());
    FILE *file = fopen(path, "w+");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (int i = 0; i < 50000; i++) {
        (void)fprintf(file, "%d\r\n", i);
    }
    (void)fflush(file);
    diag_clear(&diag);
    CHECK_OK(&diag, body_from_fd(&body, dup(fileno(file)), &diag));
    const struct mtom_part part = {
        .content_id = SPAN("file@isthmus"), .mime_type = SPAN("text/plain"), .body = &body};
    const struct envelope_answer answer = {.action = SPAN(ACTION), .payload = SPAN(PAYLOAD)};
    struct buf envelope;
    buf_init(&envelope, 10000);
    buf_init(&out, 1000000);
    buf_init(&again, 1000000);
    CHECK_OK(&diag, envelope_write_answer(&answer, &envelope, &diag));
    CHECK_OK(&diag, mtom_write(buf_span(&envelope), &part, 1, SPAN_EMPTY, &out, &diag, type));
    CHECK_OK(&diag,
             mtom_write(buf_span(&envelope), &part, 1, SPAN_EMPTY, &again, &diag, type_again));
    CU_ASSERT_STRING_NOT_EQUAL(type, type_again);
    if (CHECK_OK(&diag, message_read(buf_span(&out), span_of_cstr(type), &limits, arena, &diag,
                                     &message))) {
        CU_ASSERT(part_bytes(message, SPAN("file@isthmus"), &content));
        CU_ASSERT_EQUAL(content.n, body.size);
        CU_ASSERT(span_starts_with(content, SPAN("0\r\n1\r\n")));
        CU_ASSERT(span_ends_with(content, SPAN("49999\r\n")));
    }
    (void)fclose(file);
    body_done(&body);
    buf_done(&envelope);
    buf_done(&out);
    buf_done(&again);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"what cannot be written is refused", test_refused},
    /* REQ: WS-reply-to, WS-message-id */
    {"a request", test_request},
    /* REQ: WS-answer-action */
    {"an answer", test_answer},
    /* REQ: WS-fault-status, ITI40-fault */
    {"each fault as its table row says", test_faults},
    {"faults of codes that have none", test_fault_of_others},
    {"refusals of a request", test_refusals},
    {"size of refusals", test_refusal_size},
    {"MTOM that cannot be written is refused", test_mtom_refused},
    /* REQ: MTOM-package, MTOM-bytes */
    {"MTOM comes back byte for byte", test_mtom_round_trip},
    {"MTOM from a file, a new boundary each time", test_mtom_from_file},
};
UNIT_MAIN("envelope", tests)
