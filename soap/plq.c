/*
 * ITI-56 Patient Location Query, read and written. Called by both sides; any thread; what is read
 * is copied to the caller's arena. The ids are HL7's II in attributes, in elements of XCPD.
 */
#include "soap/plq.h"

#include "base/ids.h"
#include "soap/message_internal.h"
#include "soap/xcpd_parts.h"

#define PLQ_REQUEST  "PatientLocationQueryRequest"
#define PLQ_RESPONSE "PatientLocationQueryResponse"
#define PLQ_LOCATION "PatientLocationResponse"

static struct status
check_payload(const struct message *message, const char *element, enum err code, struct diag *diag)
{
    if (!xml_is(message_payload(message), NS_XCPD, element)) {
        return FAIL(diag, code, "the Body holds <%.*s>; expected <%s> of XCPD",
                    SPAN_PRINT(span_slice(message_payload_name(message), 0, 60)), element);
    }
    return OK;
}

/* An id with both halves: the root alone names nobody here. */
static struct status
read_id(const struct xcpd_reader *reader, const xmlNode *parent, const char *name,
        struct ident *ret_id)
{
    const xmlNode *node = NULL;
    struct ident id;
    TRY(xml_child_one(parent, NS_XCPD, name, reader->code, reader->diag, &node));
    TRY(xcpd_read_ident(reader, node, &id));
    if (id.root.n == 0 || id.extension.n == 0) {
        return FAIL(reader->diag, reader->code, "<%s> must have a root and an extension", name);
    }
    *ret_id = id;
    return OK;
}

/* REQ: ITI56-query */
struct status
plq_query_read(const struct message *message, struct arena *arena, struct diag *diag,
               struct ident *ret_patient)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    TRY(check_payload(message, PLQ_REQUEST, reader.code, diag));
    return read_id(&reader, message_payload(message), "RequestedPatientId", ret_patient);
}

struct status
plq_query_xml(const struct message *message, struct arena *arena, struct diag *diag,
              struct span *ret_xml)
{
    const struct xcpd_reader reader = {.arena = arena, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    return xcpd_keep_xml(&reader, message_payload(message), ret_xml);
}

static void
start(struct xmlw *w, const char *qname)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "xmlns:xcpd", NS_XCPD);
}

static struct status
check_patient(const struct ident *patient, struct diag *diag)
{
    if (patient->root.n == 0 || patient->extension.n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "a patient location query needs an id with root and extension");
    }
    return OK;
}

struct status
plq_query_write(const struct ident *patient, struct buf *out, struct diag *diag)
{
    struct xmlw w;
    TRY(check_patient(patient, diag));
    xmlw_init(&w, out, diag);
    start(&w, "xcpd:" PLQ_REQUEST);
    xcpd_write_ident(&w, "xcpd:RequestedPatientId", patient);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

static void
write_location(struct xmlw *w, const struct ident *patient, const struct plq_location *location)
{
    xmlw_start(w, "xcpd:" PLQ_LOCATION);
    xmlw_start(w, "xcpd:HomeCommunityId");
    xmlw_text_cstr(w, "urn:oid:");
    xmlw_text(w, location->home);
    xmlw_end(w);
    xcpd_write_ident(w, "xcpd:CorrespondingPatientId", &location->patient);
    xcpd_write_ident(w, "xcpd:RequestedPatientId", patient);
    xmlw_end(w);
}

/* REQ: ITI56-answer */
struct status
plq_answer_write(const struct ident *patient, const struct plq_location_list *locations,
                 struct buf *out, struct diag *diag)
{
    struct xmlw w;
    TRY(check_patient(patient, diag));
    xmlw_init(&w, out, diag);
    start(&w, "xcpd:" PLQ_RESPONSE);
    for (size_t i = 0; i < locations->n; i++) {
        write_location(&w, patient, &locations->items[i]);
    }
    xmlw_end(&w);
    return xmlw_finish(&w);
}

static struct status
read_location(const struct xcpd_reader *reader, const xmlNode *node, const struct ident *patient,
              struct plq_location *ret_location)
{
    const xmlNode *home = NULL;
    struct plq_location location;
    struct ident requested;
    struct span text;
    struct span oid;
    TRY(xml_child_one(node, NS_XCPD, "HomeCommunityId", reader->code, reader->diag, &home));
    TRY(xml_text_trimmed(home, reader->code, reader->arena, reader->diag, &text));
    if (!home_community_oid(text, &oid)) {
        return FAIL(reader->diag, reader->code, "HomeCommunityId is not an OID (%zu bytes)",
                    text.n);
    }
    TRY(xcpd_keep(reader, oid, &location.home));
    TRY(read_id(reader, node, "CorrespondingPatientId", &location.patient));
    TRY(read_id(reader, node, "RequestedPatientId", &requested));
    if (!ident_eq(&requested, patient)) {
        return FAIL(reader->diag, reader->code,
                    "a location's RequestedPatientId is not the one that was asked for");
    }
    *ret_location = location;
    return OK;
}

/* REQ: ITI56-answer */
struct status
plq_answer_read(const struct message *message, const struct ident *patient, struct arena *arena,
                struct diag *diag, struct plq_location_list *ret_locations)
{
    const struct xcpd_reader reader = {
        .arena = arena, .diag = diag, .code = ERR_PARTNER_ANSWER, .is_lenient = true};
    struct plq_location_list locations = {.items = NULL};
    TRY(check_payload(message, PLQ_RESPONSE, reader.code, diag));
    for (const xmlNode *node = xml_child(message_payload(message), NS_XCPD, PLQ_LOCATION);
         node != NULL; node = xml_next_named(node, NS_XCPD, PLQ_LOCATION)) {
        struct plq_location location;
        TRY(read_location(&reader, node, patient, &location));
        TRY(ARENA_PUSH(arena, diag, &locations, location));
    }
    *ret_locations = locations;
    return OK;
}
