/*
 * Writes SOAP 1.2 envelopes with WS-Addressing headers, MTOM packages and faults. Pure: spans in,
 * bytes out. Thread: any.
 */
#ifndef SOAP_ENVELOPE_H
#define SOAP_ENVELOPE_H

#include "base/body.h"
#include "base/xmlw.h"
#include "soap/message.h"

/* A request: <security> is a complete wsse:Security element (or empty), <payload> the Body's child.
 */
struct envelope_request {
    struct span action, to, message_id; /* urn:uuid:... */
    struct span security;
    struct span payload;
};
MUST_CHECK struct status envelope_write_request(const struct envelope_request *request,
                                                struct buf *out, struct diag *diag);

struct envelope_answer {
    struct span action, relates_to, message_id;
    struct span payload;
};
MUST_CHECK struct status envelope_write_answer(const struct envelope_answer *answer,
                                               struct buf *out, struct diag *diag);

/* A fault for <code>: Code/Subcode by the table, public text, and <transaction_id> so that the two
 * operators can talk about it. Never the detail. */
MUST_CHECK struct status envelope_write_fault(enum err code, struct span relates_to,
                                              struct span transaction_id, struct buf *out,
                                              struct diag *diag);

/* MIME multipart/related; type="application/xop+xml" around <envelope>, with one part per
 * attachment. ret_content_type: the HTTP header's value. Attachments are copied into <out>. */
struct mtom_part {
    struct span content_id; /* without < > */
    struct span mime_type;
    const struct body *body;
};
MUST_CHECK struct status mtom_write(struct span envelope, const struct mtom_part *parts, size_t n,
                                    struct span action, struct buf *out, struct diag *diag,
                                    char ret_content_type[512]);
#define SOAP_CONTENT_TYPE "application/soap+xml; charset=UTF-8"

#endif
