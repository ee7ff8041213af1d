/*
 * The question of ITI-45 PIX V3 Query, PRPA_IN201309UV02, read and written. Called by both sides;
 * any thread; what is read is copied to the caller's arena. The answer is in pix_answer.c. Source:
 * ITI TF-2 3.45.4.1.
 */
#include "soap/message_internal.h"
#include "soap/pix_parts.h"

/* ---- reading ---- */

/* One patientIdentifier with one value of root and extension. */
static struct status
read_patient(const struct xcpd_reader *reader, const xmlNode *list, struct ident *ret_patient)
{
    const xmlNode *parameter = NULL;
    const xmlNode *value = NULL;
    struct ident patient;
    TRY(xcpd_child_one(reader, list, PIX_PATIENT, &parameter));
    TRY(xcpd_child_one(reader, parameter, "value", &value));
    TRY(xcpd_read_ident(reader, value, &patient));
    if (patient.root.n == 0 || patient.extension.n == 0) {
        return FAIL(reader->diag, reader->code,
                    "patientIdentifier/value must have a root and an extension");
    }
    *ret_patient = patient;
    return OK;
}

static struct status
read_parameters(const struct xcpd_reader *reader, const xmlNode *control, struct pix_query *query)
{
    const xmlNode *node = NULL;
    TRY(xcpd_child_one(reader, control, "queryId", &node));
    TRY(xcpd_read_ident(reader, node, &query->query_id));
    if (query->query_id.root.n == 0) {
        return FAIL(reader->diag, reader->code, "queryId has no root");
    }
    TRY(xcpd_child_one(reader, control, "parameterList", &node));
    TRY(read_patient(reader, node, &query->patient));
    TRY(xcpd_read_domains(reader, node, PIX_SOURCE, &query->sources));
    return xcpd_keep_xml(reader, control, &query->query_xml);
}

/* REQ: ITI45-query */
struct status
pix_query_read(const struct message *message, struct arena *arena, struct diag *diag,
               struct pix_query *ret_query)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    const xmlNode *payload = NULL;
    const xmlNode *act = NULL;
    const xmlNode *control = NULL;
    struct xcpd_wrapper wrapper;
    TRY(xcpd_payload(&reader, message, PIX_QUERY_ELEMENT, &payload));
    TRY(xcpd_read_wrapper(&reader, payload, &wrapper));
    TRY(xcpd_child_one(&reader, payload, "controlActProcess", &act));
    TRY(xcpd_child_one(&reader, act, "queryByParameter", &control));
    struct pix_query query = {
        .id = wrapper.id,
        .sender_device = wrapper.sender_device,
        .sender_home = wrapper.sender_home,
        .receiver_home = wrapper.receiver_home,
        .creation_us = wrapper.creation_us,
    };
    TRY(read_parameters(&reader, control, &query));
    *ret_query = query;
    return OK;
}

/* ---- writing ---- */

static void
write_parameter(struct xmlw *w, const char *element, const struct ident *value,
                const char *semantics)
{
    xmlw_start(w, element);
    xcpd_write_ident(w, "value", value);
    xmlw_element(w, "semanticsText", span_of_cstr(semantics));
    xmlw_end(w);
}

static struct status
write_parameters(const struct pix_query *query, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xmlw_start(&w, "queryByParameter");
    xmlw_attr_cstr(&w, "xmlns", NS_HL7);
    xcpd_write_ident(&w, "queryId", &query->query_id);
    xcpd_write_code(&w, "statusCode", SPAN("new"), NULL);
    xcpd_write_code(&w, "responsePriorityCode", SPAN("I"), NULL);
    xmlw_start(&w, "parameterList");
    for (size_t i = 0; i < query->sources.n; i++) {
        const struct ident source = {.root = query->sources.items[i].root};
        write_parameter(&w, PIX_SOURCE, &source, "DataSource.id");
    }
    write_parameter(&w, PIX_PATIENT, &query->patient, "Patient.id");
    xmlw_end(&w);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

static struct status
check_query(const struct pix_query *query, struct diag *diag)
{
    if (query->patient.root.n == 0 || query->patient.extension.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "a PIX query needs a patient id with root and extension");
    }
    return hl7_check_domains(&query->sources, diag);
}

struct status
pix_query_write(const struct pix_query *query, struct arena *arena, struct buf *out,
                struct diag *diag, struct span *ret_query_xml)
{
    const struct xcpd_wrapper wrapper = {
        .element = PIX_QUERY_ELEMENT,
        .id = query->id,
        .creation_us = query->creation_us,
        .accept_ack = "AL",
        .receiver_home = query->receiver_home,
        .sender_device = query->sender_device,
        .sender_home = query->sender_home,
    };
    struct xmlw w;
    TRY(check_query(query, diag));
    xmlw_init(&w, out, diag);
    xcpd_write_wrapper(&w, &wrapper);
    xcpd_start_act(&w, "PRPA_TE201309UV02");
    const size_t from = out->n;
    if (is_ok(w.status)) {
        w.status = write_parameters(query, out, diag);
    }
    const size_t to = out->n;
    xmlw_end(&w);
    xmlw_end(&w);
    TRY(xmlw_finish(&w));
    return arena_dup(arena, span_of(out->p + from, to - from), diag, ret_query_xml);
}
