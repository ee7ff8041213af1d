/*
 * What ITI-47 has beside the messages that it shares with ITI-55: the continuation of a query, and
 * how an unknown domain is said. Called by both sides; any thread; what is read is copied to the
 * caller's arena. Source: ITI TF-2 3.47.4.1.2.7, 3.47.4.2.3.
 */
#include "soap/pdq.h"

#include <stdio.h>

#include "soap/message_internal.h"
#include "soap/xcpd_parts.h"

#define CONTINUE_ELEMENT "QUQI_IN000003UV01"
#define CANCEL_ELEMENT   "QUQI_IN000003UV01_Cancel"
#define CONTINUE_STATUS  "waitContinuedQueryResponse"
#define CANCEL_STATUS    "aborted"

/* REQ: ITI47-unknown-domain */
struct status
pdq_unknown_domain(const struct hl7_domain *domain, struct arena *arena, struct diag *diag,
                   struct hl7_detail *ret_detail)
{
    struct hl7_detail detail = {
        .code = {.value = SPAN(HL7_DETAIL_UNKNOWN_KEY), .display = SPAN("Unknown key identifier")}};
    TRY(hl7_domain_location(XCPD_QUERY_ELEMENT, "otherIDsScopingOrganization", domain, arena, diag,
                            &detail.location));
    *ret_detail = detail;
    return OK;
}

/* ---- continuation ---- */

/* A number that may be left out, and is from 1 on. */
static struct status
read_count(const struct xcpd_reader *reader, const xmlNode *parent, const char *name,
           unsigned *ret_count)
{
    const xmlNode *node = NULL;
    unsigned count = 0;
    TRY(xcpd_child_optional(reader, parent, name, &node));
    if (node != NULL && xml_attr_text(node, "nullFlavor").n == 0 &&
        (!xcpd_read_number(node, &count) || count == 0)) {
        return FAIL(reader->diag, reader->code, "%s must be a number from 1 on", name);
    }
    *ret_count = count;
    return OK;
}

static struct status
check_status(const struct xcpd_reader *reader, const xmlNode *node, bool is_cancel)
{
    const struct span status = xcpd_attr(xcpd_child(node, "statusCode"), "code");
    const char *const wanted = is_cancel ? CANCEL_STATUS : CONTINUE_STATUS;
    if (!span_eq_cstr(status, wanted)) {
        return FAIL(reader->diag, reader->code,
                    "queryContinuation/statusCode is '%.*s'; expected %s",
                    SPAN_PRINT(span_slice(status, 0, 40)), wanted);
    }
    return OK;
}

static struct status
read_continuation(const struct xcpd_reader *reader, const xmlNode *message,
                  struct pdq_continuation *continuation)
{
    const xmlNode *act = NULL;
    const xmlNode *node = NULL;
    const xmlNode *id = NULL;
    TRY(xcpd_child_one(reader, message, "controlActProcess", &act));
    TRY(xcpd_child_one(reader, act, "queryContinuation", &node));
    TRY(xcpd_child_one(reader, node, "queryId", &id));
    TRY(xcpd_read_ident(reader, id, &continuation->query_id));
    if (continuation->query_id.root.n == 0) {
        return FAIL(reader->diag, reader->code, "queryId has no root");
    }
    TRY(check_status(reader, node, continuation->is_cancel));
    TRY(read_count(reader, node, "startResultNumber", &continuation->start));
    return read_count(reader, node, "continuationQuantity", &continuation->quantity);
}

/* REQ: ITI47-continuation */
struct status
pdq_continuation_read(const struct message *message, struct arena *arena, struct diag *diag,
                      struct pdq_continuation *ret_continuation)
{
    const struct xcpd_reader reader = {
        .arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT, .is_pdq = true};
    const xmlNode *payload = NULL;
    struct xcpd_wrapper wrapper;
    const bool is_cancel = xml_is(message_payload(message), NS_HL7, CANCEL_ELEMENT);
    TRY(xcpd_payload(&reader, message, is_cancel ? CANCEL_ELEMENT : CONTINUE_ELEMENT, &payload));
    TRY(xcpd_read_wrapper(&reader, payload, &wrapper));
    struct pdq_continuation continuation = {
        .id = wrapper.id,
        .sender_device = wrapper.sender_device,
        .sender_home = wrapper.sender_home,
        .receiver_home = wrapper.receiver_home,
        .creation_us = wrapper.creation_us,
        .is_cancel = is_cancel,
    };
    TRY(read_continuation(&reader, payload, &continuation));
    *ret_continuation = continuation;
    return OK;
}

static void
write_count(struct xmlw *w, const char *element, unsigned count)
{
    char text[16];
    if (count > 0) {
        (void)snprintf(text, sizeof(text), "%u", count);
        xcpd_write_value(w, element, span_of_cstr(text));
    }
}

/* REQ: ITI47-continuation */
struct status
pdq_continuation_write(const struct pdq_continuation *continuation, struct buf *out,
                       struct diag *diag)
{
    const struct xcpd_wrapper wrapper = {
        .element = continuation->is_cancel ? CANCEL_ELEMENT : CONTINUE_ELEMENT,
        .interaction = CONTINUE_ELEMENT,
        .id = continuation->id,
        .creation_us = continuation->creation_us,
        .accept_ack = "AL",
        .receiver_home = continuation->receiver_home,
        .sender_device = continuation->sender_device,
        .sender_home = continuation->sender_home,
    };
    struct xmlw w;
    if (continuation->id.root.n == 0 || continuation->query_id.root.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT, "a continuation needs an id and a queryId");
    }
    xmlw_init(&w, out, diag);
    xcpd_write_wrapper(&w, &wrapper);
    xcpd_start_act(&w, "PRPA_TE000003UV01");
    xmlw_start(&w, "queryContinuation");
    xcpd_write_ident(&w, "queryId", &continuation->query_id);
    write_count(&w, "startResultNumber", continuation->start);
    write_count(&w, "continuationQuantity", continuation->quantity);
    xcpd_write_code(&w, "statusCode",
                    continuation->is_cancel ? SPAN(CANCEL_STATUS) : SPAN(CONTINUE_STATUS), NULL);
    xmlw_end(&w);
    xmlw_end(&w);
    xmlw_end(&w);
    return xmlw_finish(&w);
}
