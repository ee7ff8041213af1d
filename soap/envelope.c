/*
 * Writes SOAP 1.2 envelopes: requests and answers. Called by the transactions with finished
 * payloads; any thread; everything goes to the caller's buffer. WS-Addressing headers stand in the
 * order Action, To, MessageID, ReplyTo or Action, RelatesTo, MessageID; mustUnderstand is on Action
 * alone because some stacks fail when ReplyTo carries it (ITI TF-2 Appendix V Table V.3.2-1 note
 * 1). Faults are in fault.c.
 */
#include "soap/envelope.h"

#include "base/clock.h"
#include "base/datetime.h"
#include "soap/envelope_parts.h"
#include "soap/passed.h"
#include "soap/xcpd.h"

#define ANSWER_LIFETIME_US (300 * US_PER_S)

void
envelope_start(struct xmlw *w, struct span action)
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

void
envelope_header_unless_empty(struct xmlw *w, const char *qname, struct span value)
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

static void
write_reply_to(struct xmlw *w, const struct envelope_request *request)
{
    if (request->relates_to.n > 0 && request->reply_to.n == 0) {
        return; /* nobody answers an answer */
    }
    xmlw_start(w, "wsa:ReplyTo");
    xmlw_element(w, "wsa:Address",
                 request->reply_to.n > 0 ? request->reply_to : SPAN(WSA_ANONYMOUS));
    xmlw_end(w);
}

/* It may be passed over (ITI TF-2 3.55.4.1.2.5): no mustUnderstand. */
static void
write_time_to_live(struct xmlw *w, int64_t us)
{
    char text[XCPD_DURATION_MAX];
    if (us <= 0) {
        return;
    }
    xcpd_duration_write(us, text);
    xmlw_start(w, "xcpd:CorrelationTimeToLive");
    xmlw_attr_cstr(w, "xmlns:xcpd", NS_XCPD);
    xmlw_text_cstr(w, text);
    xmlw_end(w);
}

/* REQ: DOWN-no-circle */
static void
write_passed(struct xmlw *w, const struct span_list *communities)
{
    if (communities->n == 0) {
        return;
    }
    xmlw_start(w, "down:Passed");
    xmlw_attr_cstr(w, "xmlns:down", PASSED_NAMESPACE);
    for (size_t i = 0; i < communities->n; i++) {
        xmlw_text_cstr(w, i == 0 ? "" : " ");
        xmlw_text(w, communities->items[i]);
    }
    xmlw_end(w);
}

/* REQ: WS-reply-to, WS-message-id */
struct status
envelope_write_request(const struct envelope_request *request, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    envelope_start(&w, request->action);
    envelope_header_unless_empty(&w, "wsa:To", request->to);
    xmlw_element(&w, "wsa:MessageID", request->message_id);
    envelope_header_unless_empty(&w, "wsa:RelatesTo", request->relates_to);
    write_reply_to(&w, request);
    write_time_to_live(&w, request->time_to_live_us);
    write_passed(&w, &request->passed);
    xmlw_raw(&w, request->security);
    write_body(&w, request->payload);
    return xmlw_finish(&w);
}

static void
write_time(struct xmlw *w, const char *qname, int64_t us)
{
    char text[DATETIME_MAX];
    datetime_write_xs(us, text);
    xmlw_element(w, qname, span_of_cstr(text));
}

static void
write_answer_security(struct xmlw *w, const struct envelope_answer *answer)
{
    xmlw_start(w, "wsse:Security");
    xmlw_attr_cstr(w, "xmlns:wsse", NS_WSSE);
    xmlw_attr_cstr(w, "xmlns:wsse11", NS_WSSE11);
    xmlw_attr_cstr(w, "xmlns:wsu", NS_WSU);
    xmlw_start(w, "wsu:Timestamp");
    write_time(w, "wsu:Created", answer->now_us);
    write_time(w, "wsu:Expires", answer->now_us + ANSWER_LIFETIME_US);
    xmlw_end(w);
    xmlw_start(w, "wsse11:SignatureConfirmation");
    xmlw_attr(w, "Value", answer->request_signature);
    xmlw_end(w);
    xmlw_end(w);
}

/* REQ: WS-answer-action */
struct status
envelope_write_answer(const struct envelope_answer *answer, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    envelope_start(&w, answer->action);
    envelope_header_unless_empty(&w, "wsa:RelatesTo", answer->relates_to);
    envelope_header_unless_empty(&w, "wsa:MessageID", answer->message_id);
    write_time_to_live(&w, answer->time_to_live_us);
    if (answer->request_signature.n > 0) {
        write_answer_security(&w, answer);
    }
    write_body(&w, answer->payload);
    return xmlw_finish(&w);
}
