/*
 * Writes what surrounds the questions and answers of ITI-55, 47 and 45, in schema order: the
 * message's id, who sends it to whom, where an answer is to go. Called by the writers; any thread;
 * owns nothing.
 */
#include "base/datetime.h"
#include "base/ids.h"
#include "soap/xcpd_parts.h"

/* receiver or sender: the device's id is its community's when nobody says another, and the
 * organization's always, which is where ITI TF-2 3.55.4.1.2.4 puts the homeCommunityId. */
static void
write_party(struct xmlw *w, const char *element, const char *type_code, const struct ident *device,
            struct span home)
{
    const struct ident id = {.root = home};
    xcpd_start_typed(w, element, type_code);
    xcpd_start_classed(w, "device", "DEV", NULL);
    xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
    xcpd_write_ident(w, "id", device->root.n > 0 ? device : &id);
    if (home.n > 0) {
        xcpd_start_classed(w, "asAgent", "AGNT", NULL);
        xcpd_start_organization(w, "representedOrganization");
        xcpd_write_ident(w, "id", &id);
        xmlw_end(w);
        xmlw_end(w);
    }
    xmlw_end(w);
    xmlw_end(w);
}

/* ITI TF-2 3.55.6.2: an entity that says nothing, as the schema wants one. */
static void
write_respond_to(struct xmlw *w, struct span url)
{
    xcpd_start_typed(w, "respondTo", "RSP");
    xcpd_write_value(w, "telecom", url);
    xcpd_start_classed(w, "entityRsp", "ENT", NULL);
    xmlw_attr_cstr(w, "determinerCode", "INSTANCE");
    xmlw_attr_cstr(w, "xmlns:xsi", NS_XSI);
    xmlw_attr_cstr(w, "xsi:nil", "true");
    xmlw_end(w);
    xmlw_end(w);
}

void
xcpd_declare(struct xmlw *w)
{
    xmlw_attr_cstr(w, w->prefix == NULL ? "xmlns" : "xmlns:" XCPD_PREFIX, NS_HL7);
}

void
xcpd_write_wrapper(struct xmlw *w, const struct xcpd_wrapper *wrapper)
{
    char created[DATETIME_MAX];
    datetime_write_hl7(wrapper->creation_us, created);
    const struct ident interaction = {
        .root = SPAN(HL7_INTERACTION_ROOT),
        .extension =
            span_of_cstr(wrapper->interaction == NULL ? wrapper->element : wrapper->interaction)};
    xmlw_start(w, wrapper->element);
    xcpd_declare(w);
    xmlw_attr_cstr(w, "ITSVersion", "XML_1.0");
    xcpd_write_ident(w, "id", &wrapper->id);
    xcpd_write_value(w, "creationTime", span_of_cstr(created));
    xcpd_write_ident(w, "interactionId", &interaction);
    xcpd_write_code(w, "processingCode", SPAN("P"), NULL);
    xcpd_write_code(w, "processingModeCode", SPAN("T"), NULL);
    xcpd_write_code(w, "acceptAckCode", span_of_cstr(wrapper->accept_ack), NULL);
    write_party(w, "receiver", "RCV", &wrapper->receiver_device, wrapper->receiver_home);
    if (wrapper->respond_to.n > 0) {
        write_respond_to(w, wrapper->respond_to);
    }
    write_party(w, "sender", "SND", &wrapper->sender_device, wrapper->sender_home);
}

void
xcpd_start_act(struct xmlw *w, const char *trigger)
{
    xcpd_start_classed(w, "controlActProcess", "CACT", "EVN");
    xcpd_write_code(w, "code", span_of_cstr(trigger), HL7_INTERACTION_ROOT);
}

void
xcpd_write_answer_wrapper(struct xmlw *w, const char *element, const struct ident *asker_device,
                          struct span asker_home, struct span home, int64_t now_us)
{
    char message_id[UUID_TEXT];
    uuid_new(message_id);
    const struct xcpd_wrapper wrapper = {
        .element = element,
        .id = {.root = home, .extension = span_of_cstr(message_id)},
        .creation_us = now_us,
        .accept_ack = "NE",
        .receiver_device = *asker_device,
        .receiver_home = asker_home,
        .sender_home = home,
    };
    xcpd_write_wrapper(w, &wrapper);
}
