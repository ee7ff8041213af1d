/*
 * Inside soap/ only: the bytes of a Document element, from a MIME part (xop:Include) or inline as
 * base64 (XOP 1.0 section 3.2; ITI TF-2 3.43.5.1). Thread: whoever owns the arena.
 */
#ifndef SOAP_XOP_H
#define SOAP_XOP_H

#include "base/body.h"
#include "soap/message_internal.h"

/* Parts of one message that an Include has named already. */
struct xop_used_list {
    const struct mime_part **items;
    size_t n, capacity;
};

/* The bytes, a copy or a share of the message's file; owned by the caller (body_done). ERR_XOP:
 * anything but white space beside the Include, content inside it, no cid: URL, a part that is not
 * there or was used before; <code>: content that is not base64. */
MUST_CHECK struct status xop_read(const struct message *message, const xmlNode *document,
                                  enum err code, struct arena *arena, struct diag *diag,
                                  struct xop_used_list *used, struct body *ret_body);

#endif
