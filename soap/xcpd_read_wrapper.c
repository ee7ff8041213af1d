/*
 * Reads what surrounds the questions and answers of ITI-55, 47 and 45: the message's id, who sends
 * it to whom, the domains that a question names, and texts that are kept as they came. Called by
 * the readers; any thread; facts are copied to the reader's arena.
 */
#include "base/datetime.h"
#include "base/ids.h"
#include "soap/message_internal.h"
#include "soap/xcpd_parts.h"

struct status
xcpd_payload(const struct xcpd_reader *reader, const struct message *message, const char *element,
             const xmlNode **ret_payload)
{
    const xmlNode *const payload = message_payload(message);
    if (!xml_is(payload, NS_HL7, element)) {
        return FAIL(reader->diag, reader->code, "the Body holds <%.*s>; expected <%s> of HL7 V3",
                    SPAN_PRINT(span_slice(xml_local_name(payload), 0, 60)), element);
    }
    *ret_payload = payload;
    return OK;
}

/* receiver or sender: the device's id, and the homeCommunityId as a bare OID. */
static struct status
read_party(const struct xcpd_reader *reader, const xmlNode *message, const char *party,
           struct ident *ret_device, struct span *ret_home)
{
    static const char *const path[] = {"asAgent", "representedOrganization", "id"};
    const xmlNode *node = NULL;
    TRY(xcpd_child_optional(reader, message, party, &node));
    TRY(xcpd_child_optional(reader, node, "device", &node));
    TRY(xcpd_read_ident(reader, xcpd_child(node, "id"), ret_device));
    for (size_t i = 0; i < ARRAY_LEN(path) && node != NULL; i++) {
        TRY(xcpd_child_optional(reader, node, path[i], &node));
    }
    const struct span root = xcpd_attr(node, "root");
    struct span oid = SPAN_EMPTY;
    if (root.n > 0 && !home_community_oid(root, &oid)) {
        return FAIL(reader->diag, reader->code,
                    "%s/device/asAgent/representedOrganization/id@root is not an OID (%zu bytes)",
                    party, root.n);
    }
    return xcpd_keep(reader, oid, ret_home);
}

struct status
xcpd_read_wrapper(const struct xcpd_reader *reader, const xmlNode *message,
                  struct xcpd_wrapper *ret_wrapper)
{
    struct xcpd_wrapper wrapper = {.element = NULL};
    const xmlNode *node = NULL;
    TRY(xcpd_child_one(reader, message, "id", &node));
    TRY(xcpd_read_ident(reader, node, &wrapper.id));
    if (wrapper.id.root.n == 0 && !reader->is_lenient) {
        return FAIL(reader->diag, reader->code, "the message's id has no root");
    }
    TRY(read_party(reader, message, "sender", &wrapper.sender_device, &wrapper.sender_home));
    TRY(read_party(reader, message, "receiver", &wrapper.receiver_device, &wrapper.receiver_home));
    TRY(xcpd_child_optional(reader, message, "respondTo", &node));
    TRY(xcpd_keep(reader, xcpd_attr(xcpd_child(node, "telecom"), "value"), &wrapper.respond_to));
    const struct span created = xcpd_attr(xcpd_child(message, "creationTime"), "value");
    if (!datetime_read_hl7(created, &wrapper.creation_us, NULL)) {
        wrapper.creation_us = 0;
    }
    *ret_wrapper = wrapper;
    return OK;
}

struct status
xcpd_keep_xml(const struct xcpd_reader *reader, const xmlNode *node, struct span *ret_xml)
{
    struct buf text;
    buf_init_secret(&text, ARENA_LIMIT_DEFAULT);
    struct status st = xml_serialise(node, &text, reader->diag);
    if (is_ok(st)) {
        st = arena_dup(reader->arena, buf_span(&text), reader->diag, ret_xml);
    }
    buf_done(&text);
    return st;
}

static struct status
add_domain(const struct xcpd_reader *reader, const xmlNode *value, struct hl7_domain place,
           struct hl7_domain_list *domains)
{
    const struct span root = xcpd_attr(value, "root");
    if (!oid_is_valid(root)) {
        return FAIL(reader->diag, reader->code,
                    "value %u of domain parameter %u has no root that is an OID (%zu bytes)",
                    place.value, place.element, root.n);
    }
    if (domains->n == XCPD_VALUES_MAX) {
        return FAIL(reader->diag, reader->code, "more than %zu domains are asked for",
                    XCPD_VALUES_MAX);
    }
    TRY(xcpd_keep(reader, root, &place.root));
    return ARENA_PUSH(reader->arena, reader->diag, domains, place);
}

struct status
xcpd_read_domains(const struct xcpd_reader *reader, const xmlNode *list, const char *parameter,
                  struct hl7_domain_list *domains)
{
    unsigned element = 0;
    for (const xmlNode *node = xcpd_child(list, parameter); node != NULL;
         node = xcpd_next(node, parameter)) {
        unsigned value = 0;
        element++;
        for (const xmlNode *one = xcpd_child(node, "value"); one != NULL;
             one = xcpd_next(one, "value")) {
            value++;
            TRY(add_domain(reader, one, (struct hl7_domain){.element = element, .value = value},
                           domains));
        }
    }
    return OK;
}
