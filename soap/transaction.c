/*
 * Which IHE transaction a message belongs to: one table row each (ITI TF-2 3.38, 3.39, 3.55), and
 * the checks that action, payload, path and relation agree with it. Called by the first steps of a
 * transaction and by the reader of answers; it owns nothing.
 */
#include "soap/message_internal.h"

static const struct soap_transaction_row rows[SOAP_TRANSACTION_COUNT] = {
    [SOAP_ITI_55] =
        {
            .name = "ITI-55",
            .request_action = "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery",
            .response_action = "urn:hl7-org:v3:PRPA_IN201306UV02:CrossGatewayPatientDiscovery",
            .payload_namespace = "urn:hl7-org:v3",
            .request_payload = "PRPA_IN201305UV02",
            .response_payload = "PRPA_IN201306UV02",
            .path = "/xcpd",
        },
    [SOAP_ITI_38] =
        {
            .name = "ITI-38",
            .request_action = "urn:ihe:iti:2007:CrossGatewayQuery",
            .response_action = "urn:ihe:iti:2007:CrossGatewayQueryResponse",
            .payload_namespace = "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0",
            .request_payload = "AdhocQueryRequest",
            .response_payload = "AdhocQueryResponse",
            .path = "/xca/query",
        },
    [SOAP_ITI_39] =
        {
            .name = "ITI-39",
            .request_action = "urn:ihe:iti:2007:CrossGatewayRetrieve",
            .response_action = "urn:ihe:iti:2007:CrossGatewayRetrieveResponse",
            .payload_namespace = "urn:ihe:iti:xds-b:2007",
            .request_payload = "RetrieveDocumentSetRequest",
            .response_payload = "RetrieveDocumentSetResponse",
            .path = "/xca/retrieve",
            .is_mtom = true,
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

/* Answers go back on the connection that asked: any other address would make us call it. */
static struct status
check_reply_addresses(const struct addressing *addressing, struct diag *diag)
{
    const struct span anonymous = SPAN(WSA_ANONYMOUS);
    if ((addressing->reply_to.n > 0 && !span_eq(addressing->reply_to, anonymous)) ||
        (addressing->fault_to.n > 0 && !span_eq(addressing->fault_to, anonymous))) {
        return FAIL(diag, ERR_WSA_HEADER,
                    "wsa:ReplyTo and wsa:FaultTo must be %s: asynchronous answers are not offered",
                    WSA_ANONYMOUS);
    }
    return OK;
}

struct status
message_transaction(const struct message *message, struct span path, struct diag *diag,
                    enum soap_transaction *ret_transaction)
{
    const struct addressing *const addressing = &message->addressing;
    if (addressing->action.n == 0 || addressing->message_id.n == 0) {
        return FAIL(diag, ERR_WSA_HEADER, "wsa:%s is missing",
                    addressing->action.n == 0 ? "Action" : "MessageID");
    }
    TRY(check_reply_addresses(addressing, diag));
    size_t i = 0;
    while (i < SOAP_TRANSACTION_COUNT &&
           !xml_is(message->payload, rows[i].payload_namespace, rows[i].request_payload)) {
        i++;
    }
    if (i == SOAP_TRANSACTION_COUNT) {
        return disagree(diag, message, "no transaction has this request; wsa:Action",
                        addressing->action);
    }
    if (!span_eq_cstr(addressing->action, rows[i].request_action)) {
        return disagree(diag, message, "wsa:Action must be that of the payload",
                        addressing->action);
    }
    if (message->content_type_action.n > 0 &&
        !span_eq_cstr(message->content_type_action, rows[i].request_action)) {
        return disagree(diag, message, "action of Content-Type must be that of the payload",
                        message->content_type_action);
    }
    if (!span_eq_cstr(path, rows[i].path)) {
        return disagree(diag, message, "the request must be sent to the path of its transaction",
                        path);
    }
    *ret_transaction = (enum soap_transaction)i;
    return OK;
}

/* ---- answers ---- */

static bool
relates_to(const struct message *message, struct span request_message_id)
{
    for (size_t i = 0; i < message->relates_to.n; i++) {
        if (span_eq(message->relates_to.items[i], request_message_id)) {
            return true;
        }
    }
    return false;
}

struct status
message_check_answer(const struct message *message, enum soap_transaction transaction,
                     struct span request_message_id, struct diag *diag)
{
    const struct soap_transaction_row *const row = &rows[transaction];
    if (message->is_fault) {
        struct span code;
        struct span reason;
        message_fault(message, &code, &reason);
        return FAIL(diag, ERR_SOAP_FAULT, "%s: the partner answered with the SOAP fault '%.*s'",
                    row->name, SPAN_PRINT(span_slice(code, 0, 80)));
    }
    if (!xml_is(message->payload, row->payload_namespace, row->response_payload)) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "%s: the answer holds <%.*s>; expected <%s>",
                    row->name, SPAN_PRINT(span_slice(message_payload_name(message), 0, 60)),
                    row->response_payload);
    }
    if (!span_eq_cstr(message->addressing.action, row->response_action)) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "%s: the answer's wsa:Action is '%.*s'; expected %s",
                    row->name, SPAN_PRINT(span_slice(message->addressing.action, 0, 120)),
                    row->response_action);
    }
    if (request_message_id.n == 0 || !relates_to(message, request_message_id)) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "%s: the answer's wsa:RelatesTo does not name our request %.*s", row->name,
                    SPAN_PRINT(span_slice(request_message_id, 0, 60)));
    }
    return OK;
}

/* ---- faults ---- */

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
