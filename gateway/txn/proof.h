/*
 * What a request proves, in the one order that is allowed: peer, message, route, security. Pure: no
 * I/O, no clock but the time it is given, no memory of earlier messages (replay is inbound.c's).
 * The Responding Gateway runs these as steps; `isthmus decode`, the attack corpus and the fuzzers
 * call the same functions, so that what they see is what the gateway does.
 */
#ifndef TXN_PROOF_H
#define TXN_PROOF_H

#include "config/config.h"
#include "soap/message.h"
#include "soap/security.h"

struct proof_request {
    struct span path, content_type, body;
    const struct certificate *peer; /* proven by TLS; NULL: none */
};

/* Filled from above to below; what a failed or later step fills is not set. Lives in the arena. */
struct proof {
    const struct partner *partner; /* by TLS identity */
    struct message *message;
    enum soap_transaction transaction;
    bool is_routed;       /* transaction is set */
    struct span reply_to; /* the answer leaves as a message of its own to this registered address;
                             empty: it goes back on the connection. Lives as long as <message> */
    struct saml_facts saml;
    bool is_proven; /* security verified and bound to the partner */
};

/* ERR_PEER_UNKNOWN. */
MUST_CHECK struct status proof_peer(struct proof *proof, const struct config *config,
                                    const struct certificate *peer, struct diag *diag);
/* What message_read_body refuses; <body> outlives the proof. */
MUST_CHECK struct status proof_message(struct proof *proof, const struct config *config,
                                       struct spool *spool, const struct body *body,
                                       struct span content_type, struct arena *arena,
                                       struct diag *diag);
/* What message_transaction_replying, with the partner's registered addresses, and binding_check_to
 * refuse. */
MUST_CHECK struct status proof_route(struct proof *proof, const struct config *config,
                                     struct span path, struct diag *diag);
/* An answer that comes as a message of its own, instead of proof_message and proof_route: it may be
 * larger than a request. proof->transaction is SOAP_TRANSACTION_COUNT for a fault. */
#define PROOF_REPLY_ROOT_MAX  ((size_t)8 * 1024 * 1024)
#define PROOF_REPLY_NODES_MAX ((size_t)400000)
MUST_CHECK struct status proof_reply_message(struct proof *proof, struct spool *spool,
                                             const struct body *body, struct span content_type,
                                             struct arena *arena, struct diag *diag);
MUST_CHECK struct status proof_reply_route(struct proof *proof, const struct config *config,
                                           struct span path, struct diag *diag,
                                           struct span *ret_relates_to);
/* Nothing before this may be used to decide. What security_verify, saml_read and
 * binding_check_assertion refuse. */
MUST_CHECK struct status proof_security(struct proof *proof, const struct config *config,
                                        int64_t now_us, struct arena *arena, struct diag *diag);
/* All four, one after the other. */
MUST_CHECK struct status proof_take(struct proof *proof, const struct config *config,
                                    const struct proof_request *request, int64_t now_us,
                                    struct arena *arena, struct diag *diag);

#endif
