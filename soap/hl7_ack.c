/*
 * acknowledgement of HL7 V3 (MCCI_MT000200UV01, MCCI_MT000300UV01), read and written, and the
 * queryAck that follows it in answers (MFMI_MT700711UV01). Called by the codecs of ITI-55, 47, 45
 * and of MCCI_IN000002UV01; any thread; what is read is copied to the reader's arena.
 */
#include <stdio.h>

#include "base/ids.h"
#include "soap/xcpd_parts.h"

/* Nobody can use more, and each costs memory. */
#define DETAILS_MAX ((size_t)100)

bool
hl7_is_error(struct span type_code)
{
    return span_eq_cstr(type_code, "AE") || span_eq_cstr(type_code, "AR") ||
           span_eq_cstr(type_code, "CE") || span_eq_cstr(type_code, "CR");
}

struct status
hl7_check_domains(const struct hl7_domain_list *domains, struct diag *diag)
{
    for (size_t i = 0; i < domains->n; i++) {
        if (!oid_is_valid(domains->items[i].root)) {
            return FAIL(diag, ERR_MESSAGE_CONTENT, "domain %zu of a question is no OID", i + 1);
        }
    }
    return OK;
}

struct status
hl7_domain_location(const char *message, const char *parameter, const struct hl7_domain *domain,
                    struct arena *arena, struct diag *diag, struct span *ret_location)
{
    return arena_printf(arena, diag, ret_location,
                        "/hl7:%s/hl7:controlActProcess/hl7:queryByParameter/hl7:parameterList/"
                        "hl7:%s[%u]/hl7:value[%u]",
                        message, parameter, domain->element, domain->value);
}

/* ---- reading ---- */

/* Text of an element that has no elements in it; the empty span for any other. */
static struct status
read_plain_text(const struct xcpd_reader *reader, const xmlNode *node, struct span *ret_text)
{
    struct span text = SPAN_EMPTY;
    if (node != NULL && xml_first(node) == NULL) {
        TRY(xml_text_trimmed(node, reader->code, reader->arena, reader->diag, &text));
    }
    return xcpd_keep(reader, text, ret_text);
}

static struct status
read_detail(const struct xcpd_reader *reader, const xmlNode *node, struct hl7_detail_list *details)
{
    struct hl7_detail detail = {.text = SPAN_EMPTY};
    TRY(xcpd_read_code(reader, xcpd_child(node, "code"), &detail.code));
    TRY(read_plain_text(reader, xcpd_child(node, "text"), &detail.text));
    TRY(read_plain_text(reader, xcpd_child(node, "location"), &detail.location));
    if (details->n == DETAILS_MAX) {
        return OK;
    }
    return ARENA_PUSH(reader->arena, reader->diag, details, detail);
}

struct status
xcpd_read_acknowledgement(const struct xcpd_reader *reader, const xmlNode *message,
                          struct hl7_acknowledgement *ret_said)
{
    const xmlNode *ack = NULL;
    struct hl7_acknowledgement said = {.type_code = SPAN_EMPTY};
    TRY(xcpd_child_one(reader, message, "acknowledgement", &ack));
    TRY(xcpd_keep(reader, xcpd_attr(xcpd_child(ack, "typeCode"), "code"), &said.type_code));
    if (said.type_code.n == 0) {
        /* before the schema of 2008 it was an attribute, and some still write it so */
        TRY(xcpd_keep(reader, xcpd_attr(ack, "typeCode"), &said.type_code));
    }
    TRY(xcpd_read_ident(reader, xcpd_child(xcpd_child(ack, "targetMessage"), "id"), &said.target));
    for (const xmlNode *detail = xcpd_child(ack, "acknowledgementDetail"); detail != NULL;
         detail = xcpd_next(detail, "acknowledgementDetail")) {
        TRY(read_detail(reader, detail, &said.details));
    }
    *ret_said = said;
    return OK;
}

struct span
xcpd_detail_text(const struct hl7_detail *detail)
{
    if (detail->text.n > 0) {
        return detail->text;
    }
    return detail->code.display.n > 0 ? detail->code.display : detail->code.value;
}

struct status
xcpd_read_query_ack(const struct xcpd_reader *reader, const xmlNode *act,
                    const struct ident *query_id, struct xcpd_query_ack *ret_ack)
{
    const xmlNode *node = NULL;
    struct ident id;
    struct xcpd_query_ack ack = {.response = SPAN_EMPTY};
    TRY(xcpd_child_optional(reader, act, "queryAck", &node));
    TRY(xcpd_read_ident(reader, xcpd_child(node, "queryId"), &id));
    TRY(xcpd_keep(reader, xcpd_attr(xcpd_child(node, "queryResponseCode"), "code"), &ack.response));
    ack.has_query_id = id.root.n > 0;
    if (ack.has_query_id && !ident_eq(&id, query_id)) {
        return FAIL(reader->diag, reader->code, "the answer's queryId is not the question's");
    }
    ack.has_total = xcpd_read_number(xcpd_child(node, "resultTotalQuantity"), &ack.total);
    if (!xcpd_read_number(xcpd_child(node, "resultCurrentQuantity"), &ack.current)) {
        ack.current = 0;
    }
    if (!xcpd_read_number(xcpd_child(node, "resultRemainingQuantity"), &ack.remaining)) {
        ack.remaining = 0;
    }
    *ret_ack = ack;
    return OK;
}

/* ---- writing ---- */

static void
write_detail(struct xmlw *w, const struct hl7_detail *detail)
{
    xcpd_start_typed(w, "acknowledgementDetail", "E");
    if (detail->code.value.n > 0) {
        xcpd_write_coded(w, "code", &detail->code);
    }
    if (detail->text.n > 0) {
        xmlw_element(w, "text", detail->text);
    }
    if (detail->location.n > 0) {
        xmlw_element(w, "location", detail->location);
    }
    xmlw_end(w);
}

void
xcpd_write_acknowledgement(struct xmlw *w, const struct hl7_acknowledgement *said,
                           struct span first_text)
{
    const struct hl7_detail first = {.text = first_text};
    xmlw_start(w, "acknowledgement");
    xcpd_write_code(w, "typeCode", said->type_code, NULL);
    xmlw_start(w, "targetMessage");
    xcpd_write_ident(w, "id", &said->target);
    xmlw_end(w);
    if (first_text.n > 0) {
        write_detail(w, &first);
    }
    for (size_t i = 0; i < said->details.n; i++) {
        write_detail(w, &said->details.items[i]);
    }
    xmlw_end(w);
}

static void
write_quantity(struct xmlw *w, const char *element, unsigned value)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%u", value);
    xmlw_start(w, element);
    xmlw_attr_cstr(w, "value", text);
    xmlw_end(w);
}

void
xcpd_write_query_ack(struct xmlw *w, const struct ident *query_id, const struct xcpd_query_ack *ack)
{
    xmlw_start(w, "queryAck");
    xcpd_write_ident(w, "queryId", query_id);
    xcpd_write_code(w, "statusCode",
                    ack->has_total && ack->remaining > 0 ? SPAN("waitContinuedQueryResponse")
                                                         : SPAN("deliveredResponse"),
                    NULL);
    xcpd_write_code(w, "queryResponseCode", ack->response, NULL);
    if (ack->has_total) {
        write_quantity(w, "resultTotalQuantity", ack->total);
        write_quantity(w, "resultCurrentQuantity", ack->current);
        write_quantity(w, "resultRemainingQuantity", ack->remaining);
    }
    xmlw_end(w);
}
