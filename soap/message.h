/*
 * An inbound message: bytes to one libxml2 tree, once. After this nobody reads the bytes with
 * another parser to decide anything.
 *
 * message_read takes the HTTP body and its Content-Type, splits MIME when it is MTOM, pre-scans the
 * root part (DOCTYPE, encoding, depth, attributes, length: before libxml2 sees it), parses it, and
 * checks the SOAP 1.2 structure. The message and all that it hands out live in <arena>. Nothing
 * here is proven: addressing is for dispatch only, and must agree with the payload. Thread: whoever
 * owns the arena.
 */
#ifndef SOAP_MESSAGE_H
#define SOAP_MESSAGE_H

#include "base/arena.h"
#include "base/body.h"

struct _xmlNode; /* libxml2's, for soap/ only */
struct credential;
struct message;
struct spool;

struct message_limits {
    size_t root_part_bytes; /* requests: configuration's root_part; answers of partners: 32 MB */
    size_t nodes;           /* what the tree holds: 1 for an element, a text, a comment, a CDATA
                               section or an instruction, 2 for an attribute or a namespace
                               declaration; 20,000 for requests, 4 million for answers */
    size_t depth;           /* 64 */
    size_t attributes;      /* per element, 64, namespace declarations included */
    size_t start_tag_bytes; /* 16 KB */
    size_t parts;           /* of a MIME body */
    bool is_answer;         /* of a partner: what is wrong is its answer's fault */
    bool is_lenient; /* answers: plain SOAP instead of MTOM, LF-only part headers, missing part
                        types */
    /* Answers whose lists are read while they are parsed, so that they never are a tree
     * (query_answer_pieces); NULL: the tree has everything. Used once. */
    struct xml_pieces *pieces;
};
struct message_limits message_limits_request(size_t root_part_bytes);
struct message_limits message_limits_answer(void);

/* WS-Addressing 1.0 headers; absent ones are empty. */
struct addressing {
    struct span action, to, message_id, relates_to, reply_to, fault_to;
};

/* <body> must outlive the arena's message: parts are places in it. It may be in a file: then the
 * root part alone is read into memory. <spool>: where long inline documents of such a root part
 * go before it is parsed, of a request only when it is over its limit (NULL: they stay in it, and
 * the limit says no). Refuses:
 *
 * ERR_HTTP_MEDIA_TYPE: anything but application/soap+xml, or multipart/related of XOP and SOAP 1.2.
 *
 * ERR_MIME: see mime.h. ERR_XML_*, ERR_LIMIT_XML: see xml.h.
 *
 * ERR_SOAP_VERSION: an Envelope of another version.
 *
 * ERR_SOAP_STRUCTURE: not exactly Header (optional) and Body; not exactly one payload element; text
 * or processing instructions between; header blocks without namespace.
 *
 * Comments are allowed here; what is signed must have none (security.h). What header blocks say is
 * judged by message_check_headers. */
MUST_CHECK struct status message_read_body(const struct body *body, struct span content_type,
                                           const struct message_limits *limits, struct spool *spool,
                                           struct arena *arena, struct diag *diag,
                                           struct message **ret_message);
/* The same for bytes in memory. */
MUST_CHECK struct status message_read(struct span body, struct span content_type,
                                      const struct message_limits *limits, struct arena *arena,
                                      struct diag *diag, struct message **ret_message);

/* ERR_SOAP_MUST_UNDERSTAND: a mandatory block for us that is neither WS-Addressing nor wsse.
 *
 * ERR_WSA_HEADER: an addressing header twice (whatever its role), malformed, empty or longer than
 * 2048 bytes.
 *
 * Apart from message_read, so that the fault can relate to the message and name the header. All
 * ways on lead through it: message_transaction, security_verify and message_check_answer begin with
 * it. */
MUST_CHECK struct status message_check_headers(const struct message *message, struct diag *diag);
/* Of what message_check_headers refuses, some headers may be empty. */
const struct addressing *message_addressing(const struct message *message);
bool message_is_mtom(const struct message *message);
bool message_is_fault(const struct message *message);
/* Bytes of memory that its tree takes; the bytes that it was read from are not counted. */
size_t message_memory(const struct message *message);
/* Name of the Body's one child. */
struct span message_payload_name(const struct message *message);
struct span message_payload_namespace(const struct message *message);
/* SOAP fault: code (local name of the deepest Subcode, else of the Code) and reason text. */
void message_fault(const struct message *message, struct span *ret_code, struct span *ret_reason);

/* What is asked of a message by its action: addressing and payload must name the same transaction,
 * both ways. */
enum soap_transaction {
    SOAP_ITI_55,
    SOAP_ITI_38,
    SOAP_ITI_39,
    SOAP_ITI_18,
    SOAP_ITI_43,
    SOAP_ITI_41,
    SOAP_ITI_80,
    SOAP_ITI_55_DEFERRED, /* the question of ITI-55 in deferred mode (ITI TF-2 3.55.6.2) */
    SOAP_ITI_55_RESPONSE, /* its answer, which comes as a request of its own */
    SOAP_ITI_56,
    SOAP_ITI_47,
    SOAP_ITI_47_CONTINUE,
    SOAP_ITI_47_CANCEL,
    SOAP_ITI_45,
    SOAP_TRANSACTION_COUNT
};
struct soap_transaction_row {
    const char *name; /* "ITI-55"; rows of one transaction share it, and policies go by it */
    const char *request_action, *response_action;
    const char *request_namespace, *request_payload;
    const char *response_namespace, *response_payload;
    const char *path;       /* on the network listener; NULL: not offered there */
    const char *local_path; /* on the local listener; NULL: not offered there */
    bool is_mtom;           /* answers (and our requests) are MTOM */
};
const struct soap_transaction_row *soap_transaction(enum soap_transaction transaction);
/* The transaction of a request by its payload and its wsa:Action (ITI-18 and ITI-38, ITI-43 and
 * ITI-39, ITI-41 and ITI-80, ITI-47 and both modes of ITI-55 share their payloads). ERR_WSA_ACTION
 * when payload, wsa:Action, the action of Content-Type (when it names one) or <path> disagree, or
 * the transaction is not offered on this listener; ERR_WSA_HEADER when Action or MessageID is
 * missing, or ReplyTo or FaultTo is not anonymous: no address of a message is ever called. And what
 * message_check_headers refuses. */
MUST_CHECK struct status message_transaction(const struct message *message, struct span path,
                                             struct diag *diag,
                                             enum soap_transaction *ret_transaction);
/* The same on the local listener, whose paths are other ones. */
MUST_CHECK struct status message_local_transaction(const struct message *message, struct span path,
                                                   struct diag *diag,
                                                   enum soap_transaction *ret_transaction);
/* As message_transaction, for a partner whose answers may leave as messages of their own: ReplyTo
 * may be one of <urls>, letter by letter, in ITI-55, ITI-38 and ITI-39, and FaultTo one of them or
 * anonymous; any other address is ERR_WSA_HEADER. *ret_reply_to is the empty span when the answer
 * goes back on the connection. */
struct message_replies {
    const char *const *urls;
    size_t n;
};
MUST_CHECK struct status
message_transaction_replying(const struct message *message, struct span path,
                             const struct message_replies *replies, struct diag *diag,
                             enum soap_transaction *ret_transaction, struct span *ret_reply_to);
/* An answer that comes as a message of its own (WS-Addressing 1.0; ITI TF-2 Appendix V 3), on
 * SOAP_REPLY_PATH: its transaction by action and payload, of those that are asked so;
 * SOAP_TRANSACTION_COUNT when it is a fault, which does not say. ERR_WSA_ACTION: anything else;
 * ERR_WSA_HEADER: no MessageID, not exactly one RelatesTo. And what message_check_headers refuses.
 */
#define SOAP_REPLY_PATH "/deferred"
MUST_CHECK struct status message_reply(const struct message *message, struct span path,
                                       struct diag *diag, enum soap_transaction *ret_transaction,
                                       struct span *ret_relates_to);
/* May it be asked and answered so? */
bool soap_may_reply_later(enum soap_transaction transaction);
/* Is there a wsse:Security header for us? For those who do not read it and must not ignore it. */
bool message_has_security(const struct message *message);
/* What we asked, to compare an answer with. */
struct answer_check {
    enum soap_transaction transaction;
    struct span request_message_id;
    /* SignatureValue over the Timestamp of the request, base64; empty: it had none (bearer). */
    struct span request_signature;
    const struct credential *signer; /* who made that signature; NULL when there is none */
    int64_t now_us;                  /* wall */
    int64_t clock_skew_us;
};
/* An answer must carry the response action and payload and relate to our MessageID (several
 * RelatesTo are fine). When it has a wsse:Security header for us (WSS 1.1 sections 8.5 and 10; it
 * may be mandatory): a Timestamp in it must be valid now, and when it has SignatureConfirmations,
 * one must have our signature's value, however it is spelled. Else ERR_PARTNER_ANSWER. What is not
 * there is not missed: the answer is the partner's because TLS says so. ERR_SOAP_FAULT when it is a
 * fault; the diag has its code only, as the reason is the partner's text: see message_fault. */
MUST_CHECK struct status message_check_answer(const struct message *message,
                                              const struct answer_check *check, struct arena *arena,
                                              struct diag *diag);

#endif
