/*
 * What a message is made of, for the rest of soap/ (codecs, security) only. The nodes belong to the
 * message's arena; nobody changes them. Thread: whoever owns the arena.
 */
#ifndef SOAP_MESSAGE_INTERNAL_H
#define SOAP_MESSAGE_INTERNAL_H

#include "base/patient.h" /* struct span_list */
#include "soap/inline_documents.h"
#include "soap/mime.h"
#include "soap/namespaces.h"
#include "soap/xml.h"

#define WSA_ANONYMOUS "http://www.w3.org/2005/08/addressing/anonymous"

struct message {
    const xmlNode *envelope;
    const xmlNode *header; /* NULL when there is none */
    const xmlNode *body;
    const xmlNode *payload; /* the Body's one child */
    struct addressing addressing;
    struct span_list relates_to;     /* of relationship reply: all of them */
    struct span content_type_action; /* "action" of Content-Type; may be empty */
    struct body source;              /* borrowed: what it was read from */
    struct mime mime;                /* MTOM only; places in <source> */
    struct inline_documents inlines; /* what was moved out of the root part */
    struct xml_pieces *pieces;       /* what was read of it during the parse; NULL: nothing */
    bool is_mtom;
    bool is_fault;
    /* What message_check_headers refuses; code ERR_NONE: nothing. Reading goes on behind it, so
     * that the fault can name the request that it answers. */
    struct diag problem;
    const char *problem_header; /* ERR_WSA_HEADER: the local name */
    bool is_repeated;           /* ... and it is there twice */
};

/* Is the header block for the ultimate receiver (SOAP 1.2 part 1, section 2.2)? */
bool message_block_is_for_us(const xmlNode *block);
/* The next header block (<after> NULL: the first) that is mandatory, for us, and not understood;
 * NULL at the end. */
const xmlNode *message_not_understood(const struct message *message, const xmlNode *after);
/* What is wrong with the addressing of a request that was refused with ERR_WSA_HEADER: the header,
 * and the fault's subcodes (WS-Addressing 1.0 SOAP binding 6.4). */
struct addressing_problem {
    const char *header;   /* local name */
    const char *subcode;  /* qualified by wsa: */
    const char *detailed; /* a subcode below, or NULL */
};
struct addressing_problem message_addressing_problem(const struct message *message);
const xmlNode *message_payload(const struct message *message);
/* The part that an xop:Include's href names: "cid:" and percent-encoding are undone (RFC 2392). The
 * root part is never given out. ERR_XOP when it is no cid: URL or names no part. */
MUST_CHECK struct status message_part_by_href(const struct message *message, struct span href,
                                              struct arena *arena, struct diag *diag,
                                              const struct mime_part **ret_part);

#endif
