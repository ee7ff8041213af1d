/*
 * The Initiating Gateway for local systems: one request of the local listener, asked of partners
 * and of our own store, and merged into one answer.
 *
 *   peer -> message -> route -> who -> replay -> read -> work -> ask -> write -> refuse -> record
 *   -> recorded
 *
 * It is an inbound transaction (inbound.h) whose work is an asking (asking.h): while that runs,
 * this one is parked, and keeps facts only: the message has been given back. The asking's own
 * deadline ends it, so nothing here waits longer than `limits: timeout`.
 *
 * Who asks: the local system by its TLS certificate, or the one that the configuration names for a
 * listener without TLS. What our assertions say comes from the assertion that its message brings
 * (ITI-40), proven under `assertions` of its entry: ERR_WSS_*, ERR_SIG_*, ERR_SAML_* as from
 * security_verify and saml_read, ERR_SAML_ISSUER, ERR_PEER_BINDING, ERR_WSA_HEADER, ERR_REPLAY.
 * What it leaves out there is the entry's only as far as may_omit says; without an assertion all of
 * it is the entry's, unless requires_assertion is set (ERR_WSS_MISSING). A Security header of a
 * system without `assertions` is refused (ERR_SYSTEM_SECURITY), for it says who asks, and we would
 * not read it; where the entry says `asserts_for_all`, it is passed over.
 *
 * ITI-55 and ITI-47 have the same payload and path; wsa:Action says which it is (the plain one is
 * ITI-47's). ITI-47 asks our own sources, and partners where the system's entry says so
 * (demographics: partners) and the question would do for ITI-55. ITI-45 asks nobody.
 *
 * Whom it asks: the communities that the message addresses (ITI-18, ITI-38: home, or
 * $targetCommunityIdList; ITI-39, ITI-43: each DocumentRequest's HomeCommunityId, without which
 * ITI-43 means our own; ITI-55: the receiver's id when it is not our own), else every partner with
 * an endpoint for it, and our own store. Partners are asked with ITI-38 and ITI-39 all the same.
 * Our policy decides for each as it does for our own commands.
 */
#ifndef TXN_LOCAL_H
#define TXN_LOCAL_H

#include "txn/awaited.h"

/* As inbound_start. request->peer NULL: the listener has no TLS. */
MUST_CHECK struct status local_start(struct node *node, const struct inbound_request *request,
                                     inbound_reply reply, void *arg, struct diag *diag);

/* ---- for the transactions' files (local_iti55.c, local_iti38.c: also ITI-18, local_iti39.c: also
 * ITI-43, local_iti41.c) ---- */

struct local {
    struct inbound in; /* first member; in.responder is one of those below */
    const struct config_system *system;
    bool is_asserted;          /* who asks is in in.proof.saml, proven */
    bool is_answered;          /* by the responder's work: nobody is asked */
    struct asking_order order; /* filled by the responder's read */
    struct awaited awaited;
};

/* What the message of a local system proves with its assertion: by the keys, issuers and audiences
 * of its entry, for our own community, in nobody else's name. What security_verify and saml_read
 * refuse; ERR_SAML_ISSUER, ERR_PEER_BINDING, ERR_SAML_ATTRIBUTE, ERR_WSA_HEADER. Facts are borrowed
 * from the message (saml_keep). Pure but for the arena; the attack corpus asks it, too. */
struct local_proof {
    const struct config *config;
    const struct config_system *system; /* has assertions */
    const struct message *message;
    struct span path;
    int64_t now_us;
};
MUST_CHECK struct status local_prove(const struct local_proof *proof, struct arena *arena,
                                     struct diag *diag, struct saml_facts *ret_facts);

/* Steps (local_who.c): who asks, to local->order and in.event; has the message come before? */
enum txn_verdict local_who(struct txn *txn);
enum txn_verdict local_replay(struct txn *txn);

/* read: message to local->order; its failure is answered without asking. work: NULL, or what our
 * own store is to say first; may set local->is_answered. write: the asking's legs to in->payload
 * and parts, and in->outcomes. refuse: as a responder's. */
extern const struct responder local_iti55, local_iti38, local_iti39, local_iti18, local_iti43,
    local_iti41, local_iti47, local_iti47_continue, local_iti47_cancel, local_iti45;

/* What the record and the log say when the answer lacks something: the reason of the first leg that
 * failed, else <besides> (NULL: then it lacks nothing). <is_nothing>: the answer is a failure
 * altogether; else the failure is a second outcome. */
MUST_CHECK struct status local_note_shortfall(struct local *local, bool is_nothing,
                                              const struct diag *besides);
/* May the order ask that community (bare OID)? ERR_UNKNOWN_COMMUNITY. */
MUST_CHECK struct status local_check_community(const struct local *local, struct span oid,
                                               struct diag *diag);

/* What our policy is asked about a question that is answered from what we know. After local_who. */
struct policy_facts local_policy_facts(const struct local *local, struct span transaction);

#endif
