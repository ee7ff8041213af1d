/*
 * Writes SOAP 1.2 faults: how each failure becomes one is the table below, and the public text of
 * the failure is all that is said about it. What a request's own headers said may be given back to
 * it where the specifications want that. Called by the answering side, any thread; it owns nothing.
 */
#include <stdio.h>

#include "base/ids.h"
#include "soap/envelope_parts.h"

#define DETAIL_NAMESPACE   "urn:isthmus:fault:1"
#define WSA_ACTION_FAULT   NS_WSA "/fault"
#define SOAP_ACTION_FAULT  NS_WSA "/soap/fault"
#define NOT_UNDERSTOOD_MAX 8 /* blocks that are named */
#define GIVEN_BACK_MAX                                                                             \
    ((size_t)512) /* bytes of a name or an action; longer ones are not given back */

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

/* What is to be written. */
struct fault {
    enum err code;
    const struct fault_row *row;
    const struct message *request; /* NULL: unknown */
    struct addressing_problem problem;
    struct span relates_to, transaction_id;
};

static bool
is_about_addressing(const struct fault *fault, enum err_fault kind)
{
    return fault->request != NULL && err_fault(fault->code) == kind;
}

/* ---- header ---- */

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

/* SOAP 1.2 part 1 section 5.4.8: a block each, with the name as QName. */
static void
write_not_understood(struct xmlw *w, const struct message *request)
{
    char qname[sizeof("block:") + GIVEN_BACK_MAX];
    const xmlNode *block = message_not_understood(request, NULL);
    for (size_t i = 0; block != NULL && i < NOT_UNDERSTOOD_MAX; i++) {
        const struct span name = xml_local_name(block);
        const struct span namespace = xml_namespace(block);
        if (name.n <= GIVEN_BACK_MAX && namespace.n <= GIVEN_BACK_MAX) {
            (void)snprintf(qname, sizeof(qname), "block:%.*s", SPAN_PRINT(name));
            xmlw_start(w, "env:NotUnderstood");
            xmlw_attr(w, "xmlns:block", namespace);
            xmlw_attr_cstr(w, "qname", qname);
            xmlw_end(w);
        }
        block = message_not_understood(request, block);
    }
}

static void
write_header(struct xmlw *w, const struct fault *fault)
{
    char message_id[sizeof("urn:uuid:") + UUID_TEXT] = "urn:uuid:";
    uuid_new(message_id + sizeof("urn:uuid:") - 1);
    envelope_start(w, span_of_cstr(fault->row->action));
    envelope_header_unless_empty(w, "wsa:RelatesTo", fault->relates_to);
    xmlw_element(w, "wsa:MessageID", span_of_cstr(message_id));
    if (err_fault(fault->code) == ERR_FAULT_VERSION_MISMATCH) {
        write_upgrade(w);
    }
    if (is_about_addressing(fault, ERR_FAULT_MUST_UNDERSTAND)) {
        write_not_understood(w, fault->request);
    }
    xmlw_end(w);
}

/* ---- body ---- */

static const char *
fault_code(const struct fault *fault)
{
    if (fault->row->code != NULL) {
        return fault->row->code;
    }
    return err_class(fault->code) == ERR_CLASS_MESSAGE ? "env:Sender" : "env:Receiver";
}

/* Subcode, and below it the more detailed one or NULL. */
static void
write_subcode(struct xmlw *w, const char *subcode, const char *detailed)
{
    xmlw_start(w, "env:Subcode");
    xmlw_start(w, "env:Value");
    /* The QName's prefix is content: nothing else would declare it. */
    xmlw_attr_cstr(w, "xmlns:wsse", NS_WSSE);
    xmlw_text_cstr(w, subcode);
    xmlw_end(w);
    if (detailed != NULL) {
        write_subcode(w, detailed, NULL);
    }
    xmlw_end(w);
}

static void
write_code(struct xmlw *w, const struct fault *fault)
{
    xmlw_start(w, "env:Code");
    xmlw_element(w, "env:Value", span_of_cstr(fault_code(fault)));
    if (is_about_addressing(fault, ERR_FAULT_WSA_HEADER)) {
        write_subcode(w, fault->problem.subcode, fault->problem.detailed);
    } else if (fault->row->subcode != NULL) {
        write_subcode(w, fault->row->subcode, NULL);
    }
    xmlw_end(w);
}

static void
write_problem_header(struct xmlw *w, const struct fault *fault)
{
    xmlw_start(w, "wsa:ProblemHeaderQName");
    xmlw_text_cstr(w, "wsa:");
    xmlw_text_cstr(w, fault->problem.header);
    xmlw_end(w);
}

static void
write_problem_action(struct xmlw *w, struct span action)
{
    xmlw_start(w, "wsa:ProblemAction");
    xmlw_element(w, "wsa:Action", action);
    xmlw_end(w);
}

static void
write_detail(struct xmlw *w, const struct fault *fault)
{
    const bool has_header = is_about_addressing(fault, ERR_FAULT_WSA_HEADER);
    const struct span action = is_about_addressing(fault, ERR_FAULT_WSA_ACTION)
                                   ? fault->request->addressing.action
                                   : SPAN_EMPTY;
    const bool has_action = action.n > 0 && action.n <= GIVEN_BACK_MAX;
    if (!has_header && !has_action && fault->transaction_id.n == 0) {
        return;
    }
    xmlw_start(w, "env:Detail");
    if (has_header) {
        write_problem_header(w, fault);
    }
    if (has_action) {
        write_problem_action(w, action);
    }
    if (fault->transaction_id.n > 0) {
        xmlw_start(w, "isthmus:TransactionId");
        xmlw_attr_cstr(w, "xmlns:isthmus", DETAIL_NAMESPACE);
        xmlw_text(w, fault->transaction_id);
        xmlw_end(w);
    }
    xmlw_end(w);
}

static void
write_body(struct xmlw *w, const struct fault *fault)
{
    xmlw_start(w, "env:Body");
    xmlw_start(w, "env:Fault");
    write_code(w, fault);
    xmlw_start(w, "env:Reason");
    xmlw_start(w, "env:Text");
    xmlw_attr_cstr(w, "xml:lang", "en");
    xmlw_text_cstr(w, err_public_text(fault->code));
    xmlw_end(w);
    xmlw_end(w);
    write_detail(w, fault);
    xmlw_end(w);
    xmlw_end(w);
}

/* ---- all together ---- */

static struct status
write_fault(const struct fault *fault, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    write_header(&w, fault);
    write_body(&w, fault);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

/* REQ: ITI40-fault */
struct status
envelope_write_fault(enum err code, struct span relates_to, struct span transaction_id,
                     struct buf *out, struct diag *diag)
{
    const struct fault fault = {
        .code = code,
        .row = &fault_rows[err_fault(code)],
        .relates_to = relates_to,
        .transaction_id = transaction_id,
    };
    return write_fault(&fault, out, diag);
}

struct status
envelope_write_refusal(enum err code, const struct message *request, struct span transaction_id,
                       struct buf *out, struct diag *diag)
{
    if (request == NULL) {
        return envelope_write_fault(code, SPAN_EMPTY, transaction_id, out, diag);
    }
    const struct fault fault = {
        .code = code,
        .row = &fault_rows[err_fault(code)],
        .request = request,
        .problem = message_addressing_problem(request),
        .relates_to = request->addressing.message_id,
        .transaction_id = transaction_id,
    };
    return write_fault(&fault, out, diag);
}
