/*
 * Writes SOAP 1.2 envelopes: requests, answers and faults. Called by the transactions with finished
 * payloads; any thread; everything goes to the caller's buffer. WS-Addressing headers stand in the
 * order Action, To, MessageID, ReplyTo or Action, RelatesTo, MessageID; mustUnderstand is on Action
 * alone because some stacks fail when ReplyTo carries it (ITI TF-2 Appendix V Table V.3.2-1 note
 * 1). How each failure becomes a fault is one table below.
 */
#include "soap/envelope.h"

#include "base/ids.h"
#include "soap/message_internal.h"

#define DETAIL_NAMESPACE  "urn:isthmus:fault:1"
#define WSA_ACTION_FAULT  NS_WSA "/fault"
#define SOAP_ACTION_FAULT NS_WSA "/soap/fault"

/* How a SOAP 1.2 answer says it: Code, Subcode (or NULL) and the wsa:Action. */
struct fault_row {
    const char *code, *subcode, *action;
};

/* SOAP 1.2 part 1 section 5.4.6; WS-Addressing 1.0 SOAP binding section 6; WSS 1.1 section 12.
 * NONE and PLAIN never come here from a transaction; whoever asks all the same gets Sender or
 * Receiver by the class of the error. */
static const struct fault_row fault_rows[] = {
    [ERR_FAULT_NONE] = {NULL, NULL, SOAP_ACTION_FAULT},
    [ERR_FAULT_PLAIN] = {NULL, NULL, SOAP_ACTION_FAULT},
    [ERR_FAULT_SENDER] = {"env:Sender", NULL, SOAP_ACTION_FAULT},
    [ERR_FAULT_RECEIVER] = {"env:Receiver", NULL, SOAP_ACTION_FAULT},
    [ERR_FAULT_MUST_UNDERSTAND] = {"env:MustUnderstand", NULL, SOAP_ACTION_FAULT},
    [ERR_FAULT_VERSION_MISMATCH] = {"env:VersionMismatch", NULL, SOAP_ACTION_FAULT},
    [ERR_FAULT_WSA_HEADER] = {"env:Sender", "wsa:InvalidAddressingHeader", WSA_ACTION_FAULT},
    [ERR_FAULT_WSA_ACTION] = {"env:Sender", "wsa:ActionNotSupported", WSA_ACTION_FAULT},
    [ERR_FAULT_WSSE_INVALID_SECURITY] = {"env:Sender", "wsse:InvalidSecurity", SOAP_ACTION_FAULT},
    [ERR_FAULT_WSSE_INVALID_TOKEN] = {"env:Sender", "wsse:InvalidSecurityToken", SOAP_ACTION_FAULT},
    [ERR_FAULT_WSSE_FAILED_CHECK] = {"env:Sender", "wsse:FailedCheck", SOAP_ACTION_FAULT},
    [ERR_FAULT_WSSE_FAILED_AUTHENTICATION] = {"env:Sender", "wsse:FailedAuthentication",
                                              SOAP_ACTION_FAULT},
};

/* Opens Envelope and Header and writes the Action. */
static void
start_envelope(struct xmlw *w, struct span action)
{
    xmlw_start(w, "env:Envelope");
    xmlw_attr_cstr(w, "xmlns:env", NS_SOAP12);
    xmlw_attr_cstr(w, "xmlns:wsa", NS_WSA);
    xmlw_start(w, "env:Header");
    xmlw_start(w, "wsa:Action");
    xmlw_attr_cstr(w, "env:mustUnderstand", "1");
    xmlw_text(w, action);
    xmlw_end(w);
}

static void
write_header_unless_empty(struct xmlw *w, const char *qname, struct span value)
{
    if (value.n > 0) {
        xmlw_element(w, qname, value);
    }
}

/* Closes the Header, writes the Body and closes the Envelope. */
static void
write_body(struct xmlw *w, struct span payload)
{
    xmlw_end(w);
    xmlw_start(w, "env:Body");
    xmlw_raw(w, payload);
    xmlw_end(w);
    xmlw_end(w);
}

struct status
envelope_write_request(const struct envelope_request *request, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    start_envelope(&w, request->action);
    write_header_unless_empty(&w, "wsa:To", request->to);
    xmlw_element(&w, "wsa:MessageID", request->message_id);
    xmlw_start(&w, "wsa:ReplyTo");
    xmlw_element(&w, "wsa:Address", SPAN(WSA_ANONYMOUS));
    xmlw_end(&w);
    xmlw_raw(&w, request->security);
    write_body(&w, request->payload);
    return xmlw_finish(&w);
}

struct status
envelope_write_answer(const struct envelope_answer *answer, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    start_envelope(&w, answer->action);
    write_header_unless_empty(&w, "wsa:RelatesTo", answer->relates_to);
    write_header_unless_empty(&w, "wsa:MessageID", answer->message_id);
    write_body(&w, answer->payload);
    return xmlw_finish(&w);
}

static const char *
fault_code(enum err code, const struct fault_row *row)
{
    if (row->code != NULL) {
        return row->code;
    }
    return err_class(code) == ERR_CLASS_MESSAGE ? "env:Sender" : "env:Receiver";
}

static void
write_fault(struct xmlw *w, enum err code, const struct fault_row *row, struct span transaction_id)
{
    xmlw_start(w, "env:Fault");
    xmlw_start(w, "env:Code");
    xmlw_element(w, "env:Value", span_of_cstr(fault_code(code, row)));
    if (row->subcode != NULL) {
        xmlw_start(w, "env:Subcode");
        xmlw_start(w, "env:Value");
        /* The QName's prefix is content: nothing else would declare it. */
        xmlw_attr_cstr(w, "xmlns:wsse", NS_WSSE);
        xmlw_text_cstr(w, row->subcode);
        xmlw_end(w);
        xmlw_end(w);
    }
    xmlw_end(w);
    xmlw_start(w, "env:Reason");
    xmlw_start(w, "env:Text");
    xmlw_attr_cstr(w, "xml:lang", "en");
    xmlw_text_cstr(w, err_public_text(code));
    xmlw_end(w);
    xmlw_end(w);
    if (transaction_id.n > 0) {
        xmlw_start(w, "env:Detail");
        xmlw_start(w, "isthmus:TransactionId");
        xmlw_attr_cstr(w, "xmlns:isthmus", DETAIL_NAMESPACE);
        xmlw_text(w, transaction_id);
        xmlw_end(w);
        xmlw_end(w);
    }
    xmlw_end(w);
}

/* SOAP 1.2 part 1 section 5.4.7: which envelope we would have understood. */
static void
write_upgrade(struct xmlw *w)
{
    xmlw_start(w, "env:Upgrade");
    xmlw_start(w, "env:SupportedEnvelope");
    xmlw_attr_cstr(w, "qname", "env:Envelope");
    xmlw_end(w);
    xmlw_end(w);
}

struct status
envelope_write_fault(enum err code, struct span relates_to, struct span transaction_id,
                     struct buf *out, struct diag *diag)
{
    const struct fault_row *row = &fault_rows[err_fault(code)];
    char message_id[sizeof("urn:uuid:") + UUID_TEXT] = "urn:uuid:";
    uuid_new(message_id + sizeof("urn:uuid:") - 1);

    struct xmlw w;
    xmlw_init(&w, out, diag);
    start_envelope(&w, span_of_cstr(row->action));
    write_header_unless_empty(&w, "wsa:RelatesTo", relates_to);
    xmlw_element(&w, "wsa:MessageID", span_of_cstr(message_id));
    if (err_fault(code) == ERR_FAULT_VERSION_MISMATCH) {
        write_upgrade(&w);
    }
    xmlw_end(&w);
    xmlw_start(&w, "env:Body");
    write_fault(&w, code, row, transaction_id);
    xmlw_end(&w);
    xmlw_end(&w);
    return xmlw_finish(&w);
}
