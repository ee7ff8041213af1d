/*
 * MCCI_IN000002UV01, written and read. Called by both sides of the deferred mode of ITI-55 and of a
 * cancelled ITI-47; any thread; what is read is copied to the caller's arena.
 */
#include "soap/mcci.h"

#include "base/clock.h"
#include "base/ids.h"
#include "soap/message_internal.h"
#include "soap/xcpd_parts.h"

#define MCCI_ELEMENT "MCCI_IN000002UV01"

/* REQ: ITI55-deferred-acknowledgement */
struct status
mcci_write(const struct mcci *mcci, struct buf *out, struct diag *diag)
{
    char uuid[UUID_TEXT];
    uuid_new(uuid);
    if (mcci->said.type_code.n == 0 || mcci->said.target.root.n == 0 || mcci->sender_home.n == 0) {
        return FAIL(diag, ERR_INTERNAL,
                    "an acknowledgement needs a type code, the acknowledged message and a sender");
    }
    const struct xcpd_wrapper wrapper = {
        .element = MCCI_ELEMENT,
        .id = mcci->id.root.n > 0
                  ? mcci->id
                  : (struct ident){.root = mcci->sender_home, .extension = span_of_cstr(uuid)},
        .creation_us = mcci->creation_us,
        .accept_ack = "NE",
        .receiver_device = mcci->receiver_device,
        .receiver_home = mcci->receiver_home,
        .sender_home = mcci->sender_home,
    };
    struct xmlw w;
    xmlw_init(&w, out, diag);
    xcpd_write_wrapper(&w, &wrapper);
    xcpd_write_acknowledgement(&w, &mcci->said, SPAN_EMPTY);
    xmlw_end(&w);
    return xmlw_finish(&w);
}

struct status
mcci_read(const struct message *message, const struct ident *of, struct arena *arena,
          struct diag *diag, struct mcci *ret_mcci)
{
    const struct xcpd_reader reader = {
        .arena = arena, .diag = diag, .code = ERR_PARTNER_ANSWER, .is_lenient = true};
    const xmlNode *payload = NULL;
    struct xcpd_wrapper wrapper;
    struct hl7_acknowledgement said;
    TRY(xcpd_payload(&reader, message, MCCI_ELEMENT, &payload));
    TRY(xcpd_read_wrapper(&reader, payload, &wrapper));
    TRY(xcpd_read_acknowledgement(&reader, payload, &said));
    if (said.type_code.n == 0) {
        return FAIL(diag, ERR_PARTNER_ANSWER, "the acknowledgement has no typeCode");
    }
    if (of != NULL && said.target.root.n > 0 && !ident_eq(&said.target, of)) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "the acknowledgement's targetMessage is not the message that was sent");
    }
    *ret_mcci = (struct mcci){
        .id = wrapper.id,
        .sender_home = wrapper.sender_home,
        .receiver_home = wrapper.receiver_home,
        .receiver_device = wrapper.receiver_device,
        .creation_us = wrapper.creation_us,
        .said = said,
    };
    return OK;
}

struct status
mcci_unsupported_mode(struct arena *arena, struct diag *diag, struct hl7_acknowledgement *ret_said)
{
    const struct hl7_detail detail = {
        .code = {.value = SPAN(HL7_DETAIL_UNSUPPORTED_MODE),
                 .scheme = SPAN(HL7_DETAIL_SYSTEM),
                 .display = SPAN("Unsupported processing mode")},
    };
    struct hl7_acknowledgement said = {.type_code = SPAN(MCCI_REFUSE)};
    TRY(ARENA_PUSH(arena, diag, &said.details, detail));
    *ret_said = said;
    return OK;
}
