/*
 * Which IHE transaction a request belongs to: one table row each (ITI TF-2 3.18, 3.38, 3.39, 3.41,
 * 3.43, 3.45, 3.47, 3.55, 3.56; XCDR 3.80), and the checks that action, payload and path agree with
 * it; what faults say, both ways. Called by the first steps of a transaction; it owns nothing.
 */
#include "soap/message_internal.h"
#include "soap/regrep.h"

#define QUERY                                                                                      \
    .request_namespace = NS_QUERY, .response_namespace = NS_QUERY,                                 \
    .request_payload = "AdhocQueryRequest", .response_payload = "AdhocQueryResponse"
#define RETRIEVE                                                                                   \
    .request_namespace = NS_XDSB, .response_namespace = NS_XDSB,                                   \
    .request_payload = "RetrieveDocumentSetRequest",                                               \
    .response_payload = "RetrieveDocumentSetResponse", .is_mtom = true
#define PROVIDE                                                                                    \
    .request_namespace = NS_XDSB, .response_namespace = NS_RS,                                     \
    .request_payload = "ProvideAndRegisterDocumentSetRequest",                                     \
    .response_payload = "RegistryResponse", .is_mtom = true
/* What is only taken note of is answered with an acknowledgement (ITI TF-2 3.55.6.2). */
#define ACCEPTED                                                                                   \
    .response_action = "urn:hl7-org:v3:MCCI_IN000002UV01", .response_namespace = NS_HL7,           \
    .response_payload = "MCCI_IN000002UV01"

static const struct soap_transaction_row rows[SOAP_TRANSACTION_COUNT] = {
    [SOAP_ITI_55] =
        {
            .name = "ITI-55",
            .request_action = "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery",
            .response_action = "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
            .request_namespace = NS_HL7,
            .request_payload = "PRPA_IN201305UV02",
            .response_namespace = NS_HL7,
            .response_payload = "PRPA_IN201306UV02",
            .path = "/xcpd",
            .local_path = "/pdq",
        },
    [SOAP_ITI_38] =
        {
            .name = "ITI-38",
            .request_action = "urn:ihe:iti:2007:CrossGatewayQuery",
            .response_action = "urn:ihe:iti:2007:CrossGatewayQueryResponse",
            QUERY,
            .path = "/xca/query",
            .local_path = "/registry",
        },
    [SOAP_ITI_39] =
        {
            .name = "ITI-39",
            .request_action = "urn:ihe:iti:2007:CrossGatewayRetrieve",
            .response_action = "urn:ihe:iti:2007:CrossGatewayRetrieveResponse",
            RETRIEVE,
            .path = "/xca/retrieve",
            .local_path = "/repository",
        },
    [SOAP_ITI_18] =
        {
            .name = "ITI-18",
            .request_action = "urn:ihe:iti:2007:RegistryStoredQuery",
            .response_action = "urn:ihe:iti:2007:RegistryStoredQueryResponse",
            QUERY,
            .local_path = "/registry",
        },
    [SOAP_ITI_43] =
        {
            .name = "ITI-43",
            .request_action = "urn:ihe:iti:2007:RetrieveDocumentSet",
            .response_action = "urn:ihe:iti:2007:RetrieveDocumentSetResponse",
            RETRIEVE,
            .local_path = "/repository",
        },
    [SOAP_ITI_41] =
        {
            .name = "ITI-41",
            .request_action = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-b",
            .response_action = "urn:ihe:iti:2007:ProvideAndRegisterDocumentSet-bResponse",
            PROVIDE,
            .local_path = "/provide",
        },
    [SOAP_ITI_80] =
        {
            .name = "ITI-80",
            .request_action = "urn:ihe:iti:2015:CrossGatewayDocumentProvide",
            .response_action = "urn:ihe:iti:2015:CrossGatewayDocumentProvideResponse",
            PROVIDE,
            .path = "/xcdr",
        },
    [SOAP_ITI_55_DEFERRED] =
        {
            .name = "ITI-55",
            .request_action =
                "urn:hl7-org:v3:PRPA_IN201305UV02:Deferred:CrossGatewayPatientDiscovery",
            .request_namespace = NS_HL7,
            .request_payload = "PRPA_IN201305UV02",
            ACCEPTED,
            .path = "/xcpd",
        },
    [SOAP_ITI_55_RESPONSE] =
        {
            .name = "ITI-55",
            .request_action =
                "urn:hl7-org:v3:PRPA_IN201306UV02:Deferred:CrossGatewayPatientDiscovery",
            .request_namespace = NS_HL7,
            .request_payload = "PRPA_IN201306UV02",
            ACCEPTED,
            .path = "/deferred",
        },
    [SOAP_ITI_56] =
        {
            .name = "ITI-56",
            .request_action = "urn:ihe:iti:2009:PatientLocationQuery",
            .response_action = "urn:ihe:iti:2009:PatientLocationQueryResponse",
            .request_namespace = NS_XCPD,
            .request_payload = "PatientLocationQueryRequest",
            .response_namespace = NS_XCPD,
            .response_payload = "PatientLocationQueryResponse",
            .path = "/xcpd",
        },
    [SOAP_ITI_47] =
        {
            .name = "ITI-47",
            .request_action = "urn:hl7-org:v3:PRPA_IN201305UV02",
            .response_action = "urn:hl7-org:v3:PRPA_IN201306UV02",
            .request_namespace = NS_HL7,
            .request_payload = "PRPA_IN201305UV02",
            .response_namespace = NS_HL7,
            .response_payload = "PRPA_IN201306UV02",
            .local_path = "/pdq",
        },
    [SOAP_ITI_47_CONTINUE] =
        {
            .name = "ITI-47",
            .request_action = "urn:hl7-org:v3:QUQI_IN000003UV01_Continue",
            .response_action = "urn:hl7-org:v3:PRPA_IN201306UV02",
            .request_namespace = NS_HL7,
            .request_payload = "QUQI_IN000003UV01",
            .response_namespace = NS_HL7,
            .response_payload = "PRPA_IN201306UV02",
            .local_path = "/pdq",
        },
    [SOAP_ITI_47_CANCEL] =
        {
            .name = "ITI-47",
            .request_action = "urn:hl7-org:v3:QUQI_IN000003UV01_Cancel",
            .request_namespace = NS_HL7,
            .request_payload = "QUQI_IN000003UV01_Cancel",
            ACCEPTED,
            .local_path = "/pdq",
        },
    [SOAP_ITI_45] =
        {
            .name = "ITI-45",
            .request_action = "urn:hl7-org:v3:PRPA_IN201309UV02",
            .response_action = "urn:hl7-org:v3:PRPA_IN201310UV02",
            .request_namespace = NS_HL7,
            .request_payload = "PRPA_IN201309UV02",
            .response_namespace = NS_HL7,
            .response_payload = "PRPA_IN201310UV02",
            .local_path = "/pdq",
        },
};

const struct soap_transaction_row *
soap_transaction(enum soap_transaction transaction)
{
    return &rows[transaction];
}

/* ---- requests ---- */

static struct status
disagree(struct diag *diag, const struct message *message, const char *what, struct span got)
{
    return FAIL(diag, ERR_WSA_ACTION, "payload {%.*s}%.*s: %s, got '%.*s'",
                SPAN_PRINT(span_slice(message_payload_namespace(message), 0, 80)),
                SPAN_PRINT(span_slice(message_payload_name(message), 0, 60)), what,
                SPAN_PRINT(span_slice(got, 0, 120)));
}

static bool
is_elsewhere(struct span address)
{
    return address.n > 0 && !span_eq(address, SPAN(WSA_ANONYMOUS));
}

static bool
is_registered(const struct message_replies *replies, struct span url)
{
    for (size_t i = 0; replies != NULL && i < replies->n; i++) {
        if (span_eq_cstr(url, replies->urls[i])) {
            return true;
        }
    }
    return false;
}

/* Answers go back on the connection that asked, or to an address that the partner's record has: any
 * other would make us call whomever a message names. */
/* REQ: WS-reply-registered */
static struct status
check_reply_addresses(const struct addressing *addressing, const struct message_replies *replies,
                      struct diag *diag)
{
    const bool is_elsewhere_to = is_elsewhere(addressing->reply_to);
    const bool is_elsewhere_fault = is_elsewhere(addressing->fault_to);

    if (replies == NULL || replies->n == 0) {
        return is_elsewhere_to || is_elsewhere_fault
                   ? FAIL(diag, ERR_WSA_HEADER,
                          "wsa:ReplyTo and wsa:FaultTo must be %s: asynchronous answers are not "
                          "offered",
                          WSA_ANONYMOUS)
                   : OK;
    }
    if (is_elsewhere_to && !is_registered(replies, addressing->reply_to)) {
        return FAIL(diag, ERR_WSA_HEADER,
                    "wsa:ReplyTo is '%.*s', which is not registered for the partner (replies."
                    "asynchronous of its file)",
                    SPAN_PRINT(span_slice(addressing->reply_to, 0, 200)));
    }
    if (is_elsewhere_fault && (!is_elsewhere_to || !is_registered(replies, addressing->fault_to))) {
        return FAIL(diag, ERR_WSA_HEADER,
                    "wsa:FaultTo is '%.*s', which is not registered for the partner, or the answer "
                    "is to go back on the connection",
                    SPAN_PRINT(span_slice(addressing->fault_to, 0, 200)));
    }
    return OK;
}

bool
soap_may_reply_later(enum soap_transaction transaction)
{
    return transaction == SOAP_ITI_55 || transaction == SOAP_ITI_38 || transaction == SOAP_ITI_39;
}

/* Receivers ignore the SOAP action (ITI TF-2 Appendix V 3.2), so its absence is fine, and so is an
 * empty one and the "None" that an unpatched zeep writes where it has none. One that names
 * something must name what the message is: nothing in between may have dispatched by another name
 * (CXF, CVE-2012-3451). */
static bool
is_agreed_action(struct span parameter, const char *action)
{
    return parameter.n == 0 || span_eq(parameter, SPAN("None")) || span_eq_cstr(parameter, action);
}

/* By payload and action; *is_known when the payload alone is the row's. */
static bool
is_request_of(const struct message *message, const struct soap_transaction_row *row, bool *is_known)
{
    if (!xml_is(message->payload, row->request_namespace, row->request_payload)) {
        return false;
    }
    *is_known = true;
    return span_eq_cstr(message->addressing.action, row->request_action);
}

/* Everything but the path. */
static struct status
find_transaction(const struct message *message, const struct message_replies *replies,
                 struct diag *diag, enum soap_transaction *ret_transaction)
{
    const struct addressing *const addressing = &message->addressing;
    TRY(message_check_headers(message, diag));
    if (addressing->action.n == 0 || addressing->message_id.n == 0) {
        return FAIL(diag, ERR_WSA_HEADER, "wsa:%s is missing",
                    addressing->action.n == 0 ? "Action" : "MessageID");
    }
    TRY(check_reply_addresses(addressing, replies, diag));
    bool is_known = false;
    size_t i = 0;
    while (i < SOAP_TRANSACTION_COUNT && !is_request_of(message, &rows[i], &is_known)) {
        i++;
    }
    if (i == SOAP_TRANSACTION_COUNT) {
        return disagree(diag, message,
                        is_known ? "wsa:Action must be that of the payload"
                                 : "no transaction has this request; wsa:Action",
                        addressing->action);
    }
    if (!is_agreed_action(message->content_type_action, rows[i].request_action)) {
        return disagree(diag, message, "action of Content-Type must be that of the payload",
                        message->content_type_action);
    }
    *ret_transaction = (enum soap_transaction)i;
    return OK;
}

/* <expected> NULL: this listener does not have the transaction. */
static struct status
check_path(const struct message *message, const char *expected, struct span path, struct diag *diag)
{
    if (expected == NULL) {
        return disagree(diag, message,
                        "this transaction is not offered on this listener; wsa:Action",
                        message->addressing.action);
    }
    if (!span_eq_cstr(path, expected)) {
        return disagree(diag, message, "the request must be sent to the path of its transaction",
                        path);
    }
    return OK;
}

/* REQ: WS-action, WS-action-agrees */
struct status
message_transaction(const struct message *message, struct span path, struct diag *diag,
                    enum soap_transaction *ret_transaction)
{
    enum soap_transaction transaction = SOAP_TRANSACTION_COUNT;
    TRY(find_transaction(message, NULL, diag, &transaction));
    TRY(check_path(message, rows[transaction].path, path, diag));
    *ret_transaction = transaction;
    return OK;
}

struct status
message_local_transaction(const struct message *message, struct span path, struct diag *diag,
                          enum soap_transaction *ret_transaction)
{
    enum soap_transaction transaction = SOAP_TRANSACTION_COUNT;
    TRY(find_transaction(message, NULL, diag, &transaction));
    TRY(check_path(message, rows[transaction].local_path, path, diag));
    *ret_transaction = transaction;
    return OK;
}

struct status
message_transaction_replying(const struct message *message, struct span path,
                             const struct message_replies *replies, struct diag *diag,
                             enum soap_transaction *ret_transaction, struct span *ret_reply_to)
{
    enum soap_transaction transaction = SOAP_TRANSACTION_COUNT;
    const struct span reply_to = message->addressing.reply_to;
    const bool is_later = is_elsewhere(reply_to);
    TRY(find_transaction(message, replies, diag, &transaction));
    TRY(check_path(message, rows[transaction].path, path, diag));
    if (is_later && !soap_may_reply_later(transaction)) {
        return FAIL(diag, ERR_WSA_HEADER, "wsa:ReplyTo must be %s: %s is answered at once",
                    WSA_ANONYMOUS, rows[transaction].name);
    }
    *ret_transaction = transaction;
    *ret_reply_to = is_later ? reply_to : SPAN_EMPTY;
    return OK;
}

/* ---- answers that come as messages of their own ---- */

/* The answer to a deferred question is a request, which is acknowledged. */
static bool
is_reply_of(const struct message *message, const struct soap_transaction_row *row)
{
    if (row == &rows[SOAP_ITI_55_RESPONSE]) {
        return xml_is(message->payload, row->request_namespace, row->request_payload) &&
               span_eq_cstr(message->addressing.action, row->request_action) &&
               is_agreed_action(message->content_type_action, row->request_action);
    }
    return xml_is(message->payload, row->response_namespace, row->response_payload) &&
           span_eq_cstr(message->addressing.action, row->response_action) &&
           is_agreed_action(message->content_type_action, row->response_action);
}

static struct status
check_relation(const struct message *message, struct diag *diag)
{
    if (message->addressing.message_id.n == 0) {
        return FAIL(diag, ERR_WSA_HEADER, "wsa:MessageID is missing");
    }
    if (message->relates_to.n != 1) {
        return FAIL(diag, ERR_WSA_HEADER,
                    "an answer must relate to one question (wsa:RelatesTo), got %zu",
                    message->relates_to.n);
    }
    return OK;
}

struct status
message_reply(const struct message *message, struct span path, struct diag *diag,
              enum soap_transaction *ret_transaction, struct span *ret_relates_to)
{
    size_t i = 0;
    TRY(message_check_headers(message, diag));
    TRY(check_path(message, SOAP_REPLY_PATH, path, diag));
    TRY(check_relation(message, diag));
    while (i < SOAP_TRANSACTION_COUNT && !message->is_fault &&
           !((soap_may_reply_later((enum soap_transaction)i) || i == SOAP_ITI_55_RESPONSE) &&
             is_reply_of(message, &rows[i]))) {
        i++;
    }
    if (i == SOAP_TRANSACTION_COUNT) {
        return disagree(diag, message, "no answer that comes later has this; wsa:Action",
                        message->addressing.action);
    }
    *ret_transaction = message->is_fault ? SOAP_TRANSACTION_COUNT : (enum soap_transaction)i;
    *ret_relates_to = message->relates_to.items[0];
    return OK;
}

bool
message_has_security(const struct message *message)
{
    const xmlNode *block = xml_child(message->header, NS_WSSE, "Security");
    while (block != NULL && !message_block_is_for_us(block)) {
        block = xml_next_named(block, NS_WSSE, "Security");
    }
    return block != NULL;
}

/* ---- faults ---- */

struct addressing_problem
message_addressing_problem(const struct message *message)
{
    const struct addressing *const a = &message->addressing;
    struct addressing_problem problem = {"To", "wsa:InvalidAddressingHeader", NULL};
    if (message->problem.code == ERR_WSA_HEADER) {
        problem.header = message->problem_header;
        problem.detailed = message->is_repeated ? "wsa:InvalidCardinality" : NULL;
    } else if (a->action.n == 0 || a->message_id.n == 0) {
        problem.header = a->action.n == 0 ? "Action" : "MessageID";
        problem.subcode = "wsa:MessageAddressingHeaderRequired";
    } else if (is_elsewhere(a->reply_to) || is_elsewhere(a->fault_to)) {
        problem.header = is_elsewhere(a->reply_to) ? "ReplyTo" : "FaultTo";
        problem.detailed = "wsa:OnlyAnonymousAddressSupported";
    }
    return problem;
}

/* The one text child of an element, without white space; the empty span for anything else. */
static struct span
single_text(const xmlNode *node)
{
    if (node == NULL || node->children == NULL || node->children->next != NULL ||
        node->children->type != XML_TEXT_NODE) {
        return SPAN_EMPTY;
    }
    return span_trim(span_of_cstr((const char *)node->children->content));
}

static struct span
local_part(struct span qname)
{
    const size_t colon = span_find_char(qname, ':');
    return colon == SPAN_MISSING ? qname : span_slice(qname, colon + 1, SIZE_MAX);
}

void
message_fault(const struct message *message, struct span *ret_code, struct span *ret_reason)
{
    const xmlNode *const fault = message->is_fault ? message->payload : NULL;
    const xmlNode *code = xml_child(fault, NS_SOAP12, "Code");
    for (const xmlNode *sub = code; sub != NULL; sub = xml_child(sub, NS_SOAP12, "Subcode")) {
        code = sub;
    }
    *ret_code = local_part(single_text(xml_child(code, NS_SOAP12, "Value")));
    *ret_reason = single_text(xml_child(xml_child(fault, NS_SOAP12, "Reason"), NS_SOAP12, "Text"));
}
