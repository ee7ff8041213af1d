/*
 * Writes SOAP 1.2 envelopes with WS-Addressing headers, MTOM packages and faults. Pure: spans in,
 * bytes out. Thread: any.
 */
#ifndef SOAP_ENVELOPE_H
#define SOAP_ENVELOPE_H

#include "base/body.h"
#include "base/patient.h"
#include "base/xmlw.h"
#include "soap/message.h"

#define SOAP_ANONYMOUS "http://www.w3.org/2005/08/addressing/anonymous"

/* A request: <security> is a complete wsse:Security element (or empty), <payload> the Body's child.
 */
struct envelope_request {
    struct span action, to, message_id; /* urn:uuid:... */
    struct span reply_to;               /* empty: anonymous, or none when it relates to another */
    struct span relates_to;             /* it is itself an answer, sent as a message of its own */
    struct span security;
    struct span payload;
    int64_t time_to_live_us; /* ITI-55: xcpd:CorrelationTimeToLive; 0: none */
    struct span_list passed; /* bare OIDs (passed.h); none: no header */
};
MUST_CHECK struct status envelope_write_request(const struct envelope_request *request,
                                                struct buf *out, struct diag *diag);

/* With <request_signature> (SignatureValue over the request's Timestamp, as it was sent) the answer
 * has a wsse:Security header, not mandatory, with a Timestamp of <now_us> (wall) that lives five
 * minutes and a SignatureConfirmation (WSS 1.1 section 8.5). Nothing of it is signed: the answer is
 * ours because TLS says so. */
struct envelope_answer {
    struct span action, relates_to, message_id;
    struct span payload;
    struct span request_signature;
    int64_t now_us;
    int64_t time_to_live_us; /* ITI-55: xcpd:CorrelationTimeToLive; 0: none */
};
MUST_CHECK struct status envelope_write_answer(const struct envelope_answer *answer,
                                               struct buf *out, struct diag *diag);

/* A fault for <code>: Code/Subcode by the table, public text, and <transaction_id> so that the two
 * operators can talk about it. Never the detail. */
MUST_CHECK struct status envelope_write_fault(enum err code, struct span relates_to,
                                              struct span transaction_id, struct buf *out,
                                              struct diag *diag);
/* The same as answer to <request> (NULL: it could not be read): relates to it and names what of it
 * was wrong where SOAP and WS-Addressing want that: NotUnderstood blocks (SOAP 1.2 part 1 section
 * 5.4.8), ProblemHeaderQName, ProblemAction (WS-Addressing 1.0 SOAP binding 6.4). */
MUST_CHECK struct status envelope_write_refusal(enum err code, const struct message *request,
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
/* The same without copying documents that are in files: then the package is a list of bodies, which
 * share those files. What is copied takes at most <limit_bytes> for each piece between files. */
MUST_CHECK struct status mtom_pack(struct span envelope, const struct mtom_part *parts, size_t n,
                                   struct span action, size_t limit_bytes, struct diag *diag,
                                   char ret_content_type[512], struct body *ret_body);
#define SOAP_CONTENT_TYPE "application/soap+xml; charset=UTF-8"

#endif
