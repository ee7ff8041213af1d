/*
 * The Responding Gateway: one partner's request from bytes to answer.
 *
 *   peer -> message -> route -> proof -> replay -> individual -> read -> decide -> accept ->
 *   own record -> work -> write -> record -> answer
 *
 * A step that fails goes on at refuse: a fault, or an answer that says why not, is recorded and
 * sent like any other.
 *
 * inbound_start takes request bytes and the TLS peer's identity, and gives back answer bytes
 * through <reply>, once, after the audit records of what the answer discloses are durable. No
 * socket is involved: net/ and the scenario tests call the same function.
 */
#ifndef TXN_INBOUND_H
#define TXN_INBOUND_H

#include "base/body.h"
#include "txn/individual.h"
#include "txn/node.h"
#include "txn/proof.h"
#include "txn/records.h"

struct brokered;
struct inbound;
struct job;

struct inbound_request {
    struct span path, content_type, peer_address; /* borrowed until the reply */
    const struct certificate *peer; /* proven by TLS; borrowed until the reply; NULL: none */
    struct body *body;              /* borrowed until the reply; emptied when it has been read */
    /* Local systems: has on_gone(arg) called, at most once and never after the reply, when the peer
     * goes. It gets the reply's arg. NULL: nobody can tell. */
    void (*watch)(void *reply_arg, void (*on_gone)(void *arg), void *arg);
};

struct inbound_answer {
    enum err cause; /* why it is a refusal, for counting; ERR_NONE: it is none */
    int http_status;
    char content_type[512];
    struct body body; /* the replier moves it out or leaves it */
};

typedef void (*inbound_reply)(void *arg, struct inbound_answer *answer);

/* On failure (no memory) nothing was started and <reply> is not called. */
MUST_CHECK struct status inbound_start(struct node *node, const struct inbound_request *request,
                                       inbound_reply reply, void *arg, struct diag *diag);

/* The same steps for a question that was accepted before (outbox.h); whoever made it starts it. */
MUST_CHECK struct status inbound_begin_job(struct inbound *in, struct node *node,
                                           const struct inbound_request *request,
                                           void (*on_end)(struct txn *txn), struct diag *diag);

/* ---- what local.c shares: a local system's request is a transaction of the same kind ---- */

/* A transaction that has not begun to run; whoever made it starts it. Ends with the reply, and then
 * mem_free. On failure (no memory) <in> is as before. */
MUST_CHECK struct status inbound_begin(struct inbound *in, const struct txn_table *table,
                                       struct node *node, const struct inbound_request *request,
                                       inbound_reply reply, void *arg, struct diag *diag);
/* Steps: what proof_message refuses; a refusal of what came before; the records. */
enum txn_verdict inbound_message(struct txn *txn);
enum txn_verdict inbound_refuse(struct txn *txn);
enum txn_verdict inbound_record(struct txn *txn);
enum txn_verdict inbound_recorded(struct txn *txn);
/* Nothing reads the message any more, nor what was read from it without a copy: a transaction that
 * waits keeps facts only. */
void inbound_release_message(struct inbound *in);
/* in->payload and parts to in->answer. */
MUST_CHECK struct status inbound_write(struct inbound *in);
/* What the transaction failed by becomes in->cause, and the outcome: one record, of what was asked
 * for and why it failed. No answer is left. */
void inbound_take_failure(struct inbound *in);
/* ERR_WSA_ACTION: nobody answers this transaction here. */
struct status inbound_refuse_route(struct inbound *in);

/* ---- how refusals are answered; also for `isthmus decode` ---- */

/* Inside the protocol (a proven request that is not allowed, or that we cannot serve), else by a
 * fault, or one line of text where err_fault says so. */
bool inbound_is_answered_inside(const struct proof *proof, enum err code);
int inbound_fault_status(const struct partner *partner, enum err code); /* HTTP; NULL: unknown */

/* ---- for the transactions' own files (iti55.c, iti38.c, iti39.c) ---- */

#define INBOUND_ANSWER_LIMIT ((size_t)512 * 1024 * 1024)
/* Partial success: success and failure apart (ITI TF-2 3.43.5.1). */
#define INBOUND_OUTCOMES_MAX 2
#define INBOUND_RECORDS_MAX  (INBOUND_OUTCOMES_MAX + 1) /* and the use of an emergency */

struct inbound {
    struct txn txn; /* first member */
    struct node *node;
    struct inbound_request request;
    inbound_reply reply;
    void *reply_arg;
    void (*release)(struct inbound *in); /* after the reply; NULL: nothing is to be done */
    const char *asker_kind;              /* for the log: event.partner is a partner or a system */

    struct arena *message_arena; /* proof.message; NULL: none yet, or given back */
    struct proof proof;          /* proof.is_proven: failures may be answered inside the protocol */
    const struct idtoken_claims *individual; /* who asks for an own record; NULL: no such request */
    struct store_match_result own;           /* ITI-38, ITI-39: whom the store finds for it */
    struct span own_patient_id;              /* CX; empty: nobody */
    const struct responder *responder;       /* by the route */
    struct policy_decision decision;
    struct span_list passed; /* communities that the question says it has passed (soap/passed.h) */
    void *work;              /* the transaction's own, in the arena */
    struct brokered *brokered; /* its question to our sources (brokered.h); NULL: none */

    int64_t arrived_us;    /* wall: when the question came, of which time its proof is */
    struct span reply_to;  /* where the answer goes, as registered; empty: back */
    const struct job *job; /* it was accepted before, and is answered now; NULL: no such */
    int64_t job_id;        /* it is accepted, and answered later: is_accepted */
    bool is_accepted;
    struct span answer_id; /* is_reply: its MessageID; event.message_id is our question's */
    bool is_reply;         /* it is itself an answer to a question of ours (callback.h) */

    struct buf payload;  /* the answer's Body child */
    int64_t may_keep_us; /* ITI-55: how long the asker may keep it; 0: not at all */
    const struct mtom_part *parts;
    size_t parts_n;
    struct audit_event event; /* the question: who asked, and for what; outcomes are made from it */
    struct audit_event outcomes[INBOUND_OUTCOMES_MAX]; /* with what the answer discloses */
    size_t outcomes_n;
    struct span_list owners; /* ITI-39: whose the first outcome's documents are (CX), one each */
    struct diag cause;       /* why the request was refused */
    struct diag shortfall;   /* the first reason why an answer lacks something that was asked for */
    struct records records;
    struct inbound_answer answer;
};

/* Has the message come before? ERR_REPLAY (inbound_replay.c). */
enum txn_verdict inbound_replay(struct inbound *in);
/* The same, of whatever asker: what of its message may come once beside the MessageID. */
struct inbound_once {
    const char *asker;      /* whose memory it is: a partner's id, or a system's name */
    bool is_timestamp_once; /* the signature over the Timestamp */
    bool is_assertion_once; /* else if it is for one use, or nothing else of the message is signed,
                             */
    bool may_reuse_assertion; /* which is no reason then */
};
enum txn_verdict inbound_remember(struct inbound *in, const struct inbound_once *once);

/* What a transaction adds. Each function is a step and may WAIT. */
struct responder {
    enum audit_type audit_type;
    /* payload to typed query; what was asked for to in->event */
    enum txn_verdict (*read)(struct inbound *in);
    enum txn_verdict (*work)(struct inbound *in); /* ask the store */
    /* typed answer to in->payload and parts; what it discloses to in->outcomes, of which the first
     * is a success with what in->event says */
    enum txn_verdict (*write)(struct inbound *in);
    /* An answer that says why not, inside the protocol; a failure (the query could not be read, so
     * there is nothing to relate to) makes it a SOAP fault instead. */
    struct status (*refuse)(struct inbound *in, enum err code);
};
extern const struct responder iti55_responder, iti55_deferred_responder, iti38_responder,
    iti39_responder, iti80_responder, iti56_responder;

/* The facts for policy_decide that a proven request has. */
struct policy_facts inbound_policy_facts(const struct inbound *in);
/* May this document be disclosed: under the decision and the rules, by its confidentiality codes?
 * Whether the asker may open the patient's record at all: inbound_may_open. */
bool inbound_may_disclose(const struct inbound *in, const struct document_entry *entry);

/* ---- individual access (inbound_individual.c); of other requests nothing is asked ---- */

/* The id_token: what individual_prove refuses. */
enum txn_verdict inbound_prove_individual(struct inbound *in);
/* Asks the store which patient the individual is. Nobody, or several: no record may be opened. */
enum txn_verdict inbound_find_own_record(struct inbound *in);
/* Is the patient (CX of ours) the individual? */
bool inbound_may_open(const struct inbound *in, struct span patient_id);
/* The same of a query's patient: ERR_IDTOKEN_CONTRADICTION. */
MUST_CHECK struct status inbound_check_own(const struct inbound *in, const struct ident *patient_id,
                                           struct diag *diag);

#endif
