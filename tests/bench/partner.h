/*
 * The partner simulator: many gateways in one process, each with its own port, community and
 * certificate, answering ITI-38, ITI-39 and ITI-55 with what our own codecs write, after a time
 * that follows a distribution; or misbehaving in one of the ways that production knows. One thread.
 */
#ifndef BENCH_PARTNER_H
#define BENCH_PARTNER_H

#include "base/arena.h"
#include "base/buf.h"
#include "soap/message.h"

#define PARTNER_NAME_MAX 16
#define PARTNER_OID_ROOT "2.999.100" /* communities are .1, .2, ... below it */

/* "p001" */
void partner_name(size_t number, char ret_name[PARTNER_NAME_MAX]);

/* Files for <count> partners, from 1: certificates in <sim_dir> (p001.pem, .key, -expired.pem),
 * records for a node's partners.d in <records_dir>. <ca_dir>: the development authority's. */
struct partner_plan {
    const char *sim_dir, *records_dir, *ca_dir;
    const char *key; /* "rsa:2048" or "ec:P-256" */
    size_t count;
    uint16_t first_port;
};
MUST_CHECK struct status partner_make(const struct partner_plan *plan, struct diag *diag);

/* ---- answers ---- */

/* The bytes of an answer but for what belongs to its request: a MessageID of 45 bytes at each of
 * two places. A retrieved document of more than <inline_max> bytes stands between the two. */
struct partner_answer {
    struct span before, after;     /* the document, when it is a large one; else all is before */
    size_t relates_at, message_at; /* in <before> */
    uint64_t document_bytes;       /* between them */
    char content_type[512];
};
/* How many documents a query finds, and how large the one that is retrieved is. */
struct partner_terms {
    size_t documents;
    uint64_t bytes;
};
/* ITI-38 and ITI-39 of the partner with this number. */
MUST_CHECK struct status partner_answer_make(size_t number, enum soap_transaction transaction,
                                             const struct partner_terms *terms, struct arena *arena,
                                             struct diag *diag, struct partner_answer *ret_answer);
/* ITI-55: the answer echoes the question, so it is made for each. */
MUST_CHECK struct status partner_discovery(size_t number, struct span request,
                                           struct span content_type, struct buf *out,
                                           struct diag *diag);
#define PARTNER_MESSAGE_ID 45 /* bytes of urn:uuid:... */

#endif
