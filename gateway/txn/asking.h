/*
 * The Initiating Gateway: ask partners (and our own store) who knows a patient, what documents they
 * have, and for the documents, all at once, with one absolute deadline.
 *
 * Each round (discover, query, retrieve) is: plan the legs, one per community asked; sign; make the
 * intent records durable; ask; take answers until all are here or the deadline has passed; prove
 * and read each; make the outcome records durable. A partner that fails costs its own leg only.
 * Nothing is invented: what our assertions say comes from the order (command line) or the
 * configuration; a missing item is an error that names it.
 */
#ifndef TXN_ASKING_H
#define TXN_ASKING_H

#include <stdatomic.h>

#include "soap/message.h"
#include "soap/security.h"
#include "soap/xca.h"
#include "soap/xcpd.h"
#include "soap/xdr.h"
#include "store/correlation.h"
#include "store/match.h"
#include "txn/fanout.h"
#include "txn/merge.h"
#include "txn/node.h"
#include "txn/records.h"

enum asking_goal {
    ASKING_DISCOVER,
    ASKING_QUERY,
    ASKING_RETRIEVE,
    ASKING_PROVIDE,
    ASKING_LOCATE, /* ITI-56: which communities know the patient of an id */
    ASKING_GATHER
};

/* What is asked, and who asks. Spans and strings are borrowed until asking_free. */
struct asking_order {
    enum asking_goal goal;
    struct patient who;      /* ASKING_DISCOVER, ASKING_GATHER */
    struct ident patient_id; /* ASKING_QUERY, LOCATE: an id that the asked communities know */
    /* ASKING_QUERY: asked of every community as it is, with the community as its home; NULL:
     * FindDocuments for patient_id, approved documents of <types>. */
    const struct stored_query *query;
    struct document_ref_list documents; /* ASKING_RETRIEVE */
    /* ASKING_PROVIDE: to the one community of <to>, once: nobody knows what a receiver did that
     * does not answer. Ids of its parts are written into it. */
    struct provide_request *provide;
    struct span_list to; /* communities (bare OIDs); empty: every partner and our sources */
    bool is_fresh;       /* nothing remembered is used: everybody is asked */
    /* ASKING_DISCOVER: partners with whom that was agreed are asked for deferred answers: their
     * legs are answered when they have taken note (is_owed), and the answer is collected later. */
    bool is_deferred;
    /* Questions whose answers come as messages of their own, and have not come at the deadline,
     * stay awaited (is_awaited), and are collected later. */
    bool is_collectable;
    /* ASKING_DISCOVER, QUERY, RETRIEVE: nobody is asked; the answer to this question of ours (its
     * MessageID), which was asked so or deferred, is read when it has come: by the user who asked,
     * once. */
    struct span collect;
    /* ASKING_DISCOVER: our own store gives everybody of whom <who> holds (ITI-47; store/search.h),
     * not only the one whom it identifies. */
    bool is_search;
    const char *system; /* the local system that asks; NULL: none does */
    bool is_own_only;   /* a partner asks: our sources answer, no other partner is asked */
    /* Whom the question has passed before us (bare OIDs), who asks included, and by which TLS names
     * he is known: no participant's gateway is asked what it has asked (behind.h). */
    struct span_list passed;
    struct config_strings asker_names;
    struct span asker_home;  /* of the assertion of a partner; empty: ours */
    unsigned minimum_degree; /* ASKING_DISCOVER: of a match; 0: not said */
    bool leaves_store; /* ASKING_DISCOVER: who asks looks into our own store himself, afterwards */
    struct span_list types; /* ASKING_QUERY, GATHER: typeCodes "code^^system"; empty: all */
    int64_t timeout_us;
    struct config_enough enough; /* zero: as configured. Not for documents: all were asked for */
    /* The answer is read by merge.h: documents stay in the legs, undigested; outcomes are recorded
     * by asking_record. */
    bool is_brokered;
    /* What the assertion says; NULL: from the configuration's asserts, unless the order is
     * complete: then it is not said. */
    bool is_complete;
    const char *user, *role, *role_display, *purpose, *purpose_system, *organization,
        *organization_id, *npi;
    /* What it says besides; empty: nothing. */
    struct span_list acp, iacp; /* access consent policies and documents, urn:oid:... */
    struct span resource_id;    /* CX: the patient, as our own organization knows it */
    struct span delegator;      /* QueryAuthGrantor: in whose name we ask */
    struct span id_token;       /* of the individual (T-IAS), a compact JWS */
    /* What a partner's question was permitted as, which holds for our sources; NULL: our policy
     * decides for each leg. */
    const struct policy_facts *facts;
    const struct policy_decision *decision;
    /* May the record of this patient (CX of ours) be opened? Of an individual, who may open one;
     * NULL: every record may. */
    bool (*may_open)(const void *arg, struct span patient_id);
    const void *may_open_arg;
};

enum leg_state {
    LEG_PLANNED,
    LEG_ASKED,
    LEG_AGAIN,    /* to be asked a second time: its kept connection was closed */
    LEG_ANSWERED, /* leg->diag, when set, says what the answer lacks */
    LEG_FAILED,   /* leg->diag says why */
    LEG_DENIED    /* our own policy does not let us ask: leg->diag */
};

/* Why nobody waits for a leg's answer any more: its failure is not the partner's. */
enum leg_abandoned {
    LEG_NOT_ABANDONED,
    LEG_ABANDONED_DEADLINE,
    LEG_ABANDONED_CANCELLED, /* the asker has gone */
    LEG_ABANDONED_ENOUGH     /* enough others had answered */
};

/* A repository that an answer named, and its community (bare OID). */
struct leg_repository {
    struct span id, home;
};
struct leg_repository_list {
    struct leg_repository *items;
    size_t n, capacity;
};
#define LEG_REPOSITORIES_MAX ((size_t)256) /* that one answer may name */

/* A match of an answer that contradicts the question: shown and recorded, never used. */
struct leg_quarantined {
    struct xcpd_match match;
    enum match_rule rule; /* that says so */
};
struct leg_quarantined_list {
    struct leg_quarantined *items;
    size_t n, capacity;
};

struct own_leg;
struct pending;
struct waiting_entry;
struct source_lookup;

/* One question to one community. */
struct leg {
    enum soap_transaction transaction;
    enum leg_state state;
    enum leg_abandoned abandoned;
    const struct partner *partner; /* NULL: our own store; may be a source's (partner->source) */
    const struct config_repository *repository; /* ITI-43: which of the source's */
    bool is_remembered; /* not asked: an answer to the same question is still good */
    bool is_unknown;    /* nothing of the same question is remembered: then what its asker said */
    bool is_cut;        /* a participant's: something of its answer may not be seen by this asker */
    bool is_moot; /* a source that need not be asked: its registry knows no id of the patient */
    struct span community; /* asked, bare OID */
    const char *url;
    char message_id[sizeof("urn:uuid:") + UUID_TEXT];
    struct span message_uuid_oid; /* the same as 2.25.N */
    struct span signature;        /* over the Timestamp of the message; empty with bearer */
    struct buf payload;
    struct audit_event event; /* intent; the outcome is made from it */
    struct policy_facts facts;
    struct policy_decision decision;
    struct diag diag;
    struct span said; /* the partner's own words about its failure: for the user and the record,
                         never for the log, because they may be about the patient */
    bool is_again;    /* this is not the first time */
    size_t attempts;  /* without an answer, as far as limits.attempts of the partner counts them */
    uint64_t held;    /* bytes that its answer takes of the round's budget */
    struct arena **arena_owner;
    struct arena *arena;   /* what the answer brings; of its own limit, so that one partner's answer
                              cannot use up the memory of the others: leg_arena makes it */
    struct arena *reading; /* the message that is being read, and nothing that stays */
    char peer_address[64];
    size_t turn;      /* of the round's questions to this endpoint: each has its own Timestamp */
    int64_t asked_us; /* mono: when it left */
    int64_t elapsed_us;
    struct waiting_entry *later; /* its answer comes as a message of its own; NULL: it does not */
    struct span reply_to;        /* ... to this URL of ours */
    bool is_owed;    /* ITI-55 deferred: the partner has taken note, and answers later */
    bool is_awaited; /* nobody waits any more, but its answer will be kept when it comes */
    const struct pending *collected; /* the question whose answer came before */
    /* ITI-55; of ITI-56 <matches> holds the locations: homes and ids */
    struct ident query_id;
    enum xcpd_result result;
    struct xcpd_match_list matches;
    struct leg_quarantined_list quarantined;
    struct span_list issues; /* XCPD_AMBIGUOUS: what would help */
    int64_t kept_us;         /* how long the answer may be kept; 0: not at all */
    int64_t may_keep_us;     /* the same of our question, for the one who is asked */
    /* ITI-47 */
    struct xcpd_match_list people; /* whom a supplier gave, and who may be the one: for our index */
    size_t learned_n;              /* of them, learned or refused by it */
    unsigned others_n;             /* whom it gave besides, */
    enum match_rule others;        /* and why the first of them is not the one */
    /* ITI-45 */
    struct ident known_id;      /* of <known>, whose other id is wanted; asked by <patient_id> */
    struct span wanted;         /* authority */
    struct ident_list ids;      /* what a manager has */
    unsigned dropped;           /* items of the answer that are not used ... */
    unsigned dropped_foreign;   /* ... of them: for naming a community of somebody else */
    unsigned dropped_homeless;  /* ... of them: for naming no community */
    struct span first_homeless; /* the id of one of these, when it has one */
    char dropped_why[160];      /* ... the first of them because it did this */
    /* ITI-38 */
    struct ident patient_id;
    struct span given_patient; /* a source's: CX that the asker knows <patient_id>'s patient by */
    const struct query_reading *reads_as; /* a source's, while its answer is read */
    struct patient patient;               /* as the community knows the patient */
    struct registry_objects objects;
    struct document_ref_list references;     /* ObjectRefs: unique_id is the object's id */
    struct leg_repository_list repositories; /* of the documents, each once */
    struct span_list withheld;          /* ids of its documents that are not given (withheld.h) */
    const struct source_lookup *lookup; /* what a source is asked to judge another answer by */
    struct own_leg *own;                /* our own store: what it was asked (iti38_ask.c) */
    /* ITI-38, ITI-39 */
    enum registry_status status;
    struct registry_error_list errors;
    /* ITI-39 */
    struct document_ref_list refs;
    struct retrieved_list retrieved;
    size_t at; /* the store is asked ref by ref */
    /* ITI-80 */
    struct mtom_part *parts; /* of the question */
    size_t parts_n;
};
struct leg_list {
    struct leg *items;
    size_t n, capacity;
};

/* A document that came, with the metadata that named it (entry.unique_id empty when it was
 * retrieved by name). */
struct asking_document {
    struct document_entry entry;
    struct document_ref ref;
    struct span mime_type;
    const struct partner *partner; /* NULL: our own store; may be a source's */
    struct body body;
    char sha256[SHA256_HEX];
    size_t duplicate_of; /* index of the first document with equal bytes, or SIZE_MAX */
    bool is_hash_wrong;  /* its bytes are not those that the registry's hash names */
};
struct asking_document_list {
    struct asking_document *items;
    size_t n, capacity;
};

/* A patient's id, and every other that the patient index has for the same person. */
struct known_ids {
    struct ident id;
    struct ident_list others;
    struct diag diag; /* the index could not be asked */
};
struct known_ids_list {
    struct known_ids *items;
    size_t n, capacity;
};

#define ASKING_ROUNDS       6
#define ASKING_ROUND_IDS    4 /* cross-references, before a round that asks by patient */
#define ASKING_ROUND_LOCATE 5

struct asking;
typedef void (*asking_done)(void *arg, struct asking *asking);

struct asking {
    struct txn txn; /* first member */
    struct node *node;
    struct asking_order order;
    asking_done done;
    void *done_arg;

    struct leg_list legs[ASKING_ROUNDS]; /* the results, one list per round: discover, query,
                                          * retrieve, provide, ids, locate
                                          */
    const int *turns;                    /* which rounds the goal runs, in this order ... */
    size_t turns_n, turn;
    int round;      /* ... the current one: turns[turn] */
    bool is_judged; /* a query whose answers of sources are judged: rounds 2 and 3 look up */
    int64_t final_deadline_us; /* mono; txn.deadline_us is the current round's share of it */
    struct fanout *fanout;     /* of the current round */
    struct merge *merge;       /* of the current round, and then of the last */
    struct merge *judged;      /* of the query whose answers are judged */
    bool has_known;            /* our index has been asked for them */
    struct correlation_match_list elsewhere; /* who knows the query's patient by another id */
    struct known_ids_list known;  /* for sources, which know patients by ids of their own */
    struct known_ids_list owners; /* whose documents they answered with, while ours are looked up */
    size_t next;                  /* leg that a step of many turns goes on with */
    size_t out_n, again_n;        /* legs of the round that are LEG_ASKED, LEG_AGAIN */
    struct asking_timestamps *timestamps; /* of the round, by digest, while its questions leave */
    struct pending *later;                /* of the round: questions whose answers come later */
    size_t later_n;
    bool is_expecting; /* they are being noted */
    atomic_bool is_cancelled;
    uint64_t held;           /* bytes that the answers of the rounds before take */
    bool is_recording_again; /* records of legs that are to be asked again are on their way */
    struct records records;
    bool has_outcomes;                    /* records has room for those of these rounds */
    size_t first_recorded, last_recorded; /* turns */
    size_t recording;                     /* the turn whose outcomes are being recorded */
    struct asking_document_list documents;
    unsigned records_n; /* audit records that this transaction made */
};

static inline struct asking *
asking_of(struct txn *txn)
{
    return (struct asking *)txn;
}

/* Of the current round. */
static inline struct leg_list *
asking_legs(const struct asking *asking)
{
    return (struct leg_list *)&asking->legs[asking->round];
}

/* <done> is called on a worker when everything has come or the deadline has passed; txn.diag.code
 * is ERR_NONE unless nothing could be asked at all. Then the caller reads the legs and documents
 * and calls asking_free. Refuses at once (nothing started): ERR_USAGE names a missing assertion
 * item or an unknown community. */
MUST_CHECK struct status asking_start(struct node *node, const struct asking_order *order,
                                      asking_done done, void *arg, struct diag *diag);
/* The same in two steps, for who must know it before it runs: made, then run. */
MUST_CHECK struct status asking_new(struct node *node, const struct asking_order *order,
                                    asking_done done, void *arg, struct diag *diag,
                                    struct asking **ret_asking);
void asking_run(struct asking *asking);
void asking_free(struct asking *asking); /* has ended, or never ran; NULL is fine */
/* The asker has gone: what is out is given up and recorded as abandoned, no more is asked, and
 * <done> is called soon, with ERR_CANCELLED in txn.diag. After the end: nothing. Any thread, until
 * asking_free; whoever may call both sees to it that they do not meet. */
void asking_cancel(struct asking *asking);

/* A brokered transaction leaves the outcomes of its questions to whoever started it, who records
 * them with its own: no answer leaves before both are durable, and one sync of the disk is enough
 * for both. After the end, from a step of <recorder>: appends them (TXN_YIELD: again), and asks,
 * when its wakes have come, whether they are durable. Failures are in recorder->diag. */
enum txn_verdict asking_record(struct asking *asking, struct txn *recorder);
MUST_CHECK struct status asking_recorded(struct asking *asking, struct txn *recorder);

/* The answers of the last round that was run, to be read as one (merge.h): lives until asking_free.
 * NULL when nothing could be asked (txn.diag says why). */
struct merge *asking_merged(const struct asking *asking);

/* Questions (to partners and our own store, of any round) that failed, or whose answer lacks
 * something; and questions that were answered, if only in part. */
unsigned asking_failed(const struct asking *asking);
unsigned asking_answered(const struct asking *asking);

/* ---- for the rounds (rounds.c) and legs (leg.c) ---- */

/* What asking_new refuses, and what it fills in from the configuration. (asking_order.c) */
MUST_CHECK struct status asking_complete_order(const struct node *node, struct asking_order *order,
                                               struct diag *diag);
/* Adds a leg to the current round. */
MUST_CHECK struct status asking_add_leg(struct asking *asking, enum soap_transaction transaction,
                                        const struct partner *partner, struct span community,
                                        struct leg **ret_leg);
/* Is the leg over? Then its answer, or that there is none, belongs to what the asker gets. */
void asking_note_over(struct asking *asking, size_t at);
enum soap_transaction rounds_transaction(const struct asking *asking); /* of the current round */
bool rounds_want(const struct asking *asking, struct span community);  /* does the order? */
/* Plans the round's legs from the order or from the round before. */
MUST_CHECK struct status rounds_plan(struct asking *asking);
/* The part of it for the round that retrieves (rounds_retrieve.c). */
MUST_CHECK struct status rounds_plan_retrieve(struct asking *asking);
/* After the last round: documents with digests and duplicates. */
MUST_CHECK struct status rounds_collect(struct asking *asking);

/* Is the leg's question a stored query, a retrieve? Partners and sources are asked with different
 * transactions. */
bool leg_is_query(const struct leg *leg);
bool leg_is_retrieve(const struct leg *leg);

/* What the transactions do in a leg, by enum soap_transaction. */
struct leg_kind {
    struct status (*ask)(struct asking *, struct leg *);
    struct status (*answer)(struct asking *, struct leg *, const struct message *);
    struct status (*ask_store)(struct asking *, struct leg *, enum answer *);
    enum audit_type audit_type;
};
extern const struct leg_kind leg_kinds[];
#define LEG_TREE_LIMIT   ((size_t)32 * 1024 * 1024)  /* bytes of one answer without documents */
#define LEG_ANSWER_LIMIT ((size_t)256 * 1024 * 1024) /* of one with documents, without a spool */
#define LEG_CODE_MAX     ((size_t)80)                /* bytes of a partner's code in our texts */
/* leg->arena, made when first needed. */
MUST_CHECK struct status leg_arena(struct asking *asking, struct leg *leg);
/* A new MessageID: receivers accept one once. */
void leg_renew_id(struct leg *leg, char ret_uuid[UUID_TEXT]);

/* ---- answers that come as messages of their own (asking_later.c) ---- */

/* Those of the round that are asked so are in the store. */
enum txn_verdict asking_step_expect(struct txn *txn);
/* HTTP 202 to such a question: the answer comes later. */
bool asking_note_accepted(struct leg *leg, const struct out_answer *answer);
void asking_forget_later(struct leg *leg); /* it is over: nobody is told of its answer */
/* What has come; false when there may be more and the turn, which began at <since_us>, is over. */
bool asking_take_later(struct asking *asking, int64_t since_us);
/* None of the round's is awaited any more, but those that are to be collected. */
enum txn_verdict asking_end_later(struct asking *asking);
/* What may be read of an answer to <leg> that lies in the store. */
size_t leg_kept_limit(const struct asking *asking, const struct leg *leg);

/* ---- answers that came before (asking_collect.c) ---- */

/* A leg for the order's question, whose answer has come. ERR_NOT_FOUND: there is no such question,
 * or its answer was collected; ERR_USAGE: another command's; ERR_POLICY_DENIED: another user's;
 * ERR_PARTNER_TIMEOUT: it has not been answered yet. */
MUST_CHECK struct status asking_plan_collect(struct asking *asking);
/* Reads it. */
void asking_collect(struct asking *asking, struct leg *leg);
/* A step, when the record of the collection is durable: the answer is this asker's, and nobody
 * else's. ERR_NOT_FOUND: another was faster. */
enum txn_verdict asking_step_claim(struct txn *txn);

/* ---- questions out, answers in (asking_ask.c) ---- */

/* Before: what partners answered to the same question and allowed to be kept; after: keeping it.
 * (remembered.c) */
enum txn_verdict asking_step_recall(struct txn *txn);
enum txn_verdict asking_step_learn(struct txn *txn);
enum txn_verdict asking_step_ask(struct txn *txn);
enum txn_verdict asking_step_own(struct txn *txn);
enum txn_verdict asking_step_take(struct txn *txn);
bool leg_will_leave(const struct leg *leg); /* planned, permitted, and not to our own store */
/* Signs and sends question <at> of the round. The round's questions share Timestamps, while these
 * are there; else it gets one of its own. */
MUST_CHECK struct status asking_submit(struct asking *asking, size_t at);
/* Is nobody waiting for answers any more? */
enum leg_abandoned asking_is_over(const struct asking *asking);
/* Nobody waits for this leg. */
void asking_abandon(struct asking *asking, size_t at, enum leg_abandoned why);

/* ---- the second time (asking_again.c) ---- */

/* Was the question perhaps not read, because a kept connection had been closed, or does the
 * partner's file say that it is to be asked again when it gives no answer (limits.attempts)? Then
 * it is asked once more (LEG_AGAIN), while there is time: queries may be asked twice. */
bool asking_note_stale(struct asking *asking, struct leg *leg, const struct out_answer *answer);
/* What LEG_AGAIN needs: the end of the first question and the intent of the second durable, then
 * the second, signed anew. WAIT: run the step again. */
enum txn_verdict asking_ask_again(struct asking *asking);

/* Is a body of no bytes an answer of this partner (may_omit: answer)? */
bool leg_may_say_nothing(const struct leg *leg, const struct out_answer *answer);
/* Does the question carry an assertion of ours? */
bool leg_has_security(const struct leg *leg);
/* Where a partner takes this transaction; NULL when its file gives no endpoint. */
const char *leg_url(const struct partner *partner, enum soap_transaction transaction);
/* Writes the payload (leg->payload) and the intent event, and asks our own policy; LEG_FAILED or
 * LEG_DENIED when the question cannot or may not leave. */
void leg_prepare(struct asking *asking, struct leg *leg);
/* How the partner wants our message, as of now. */
struct dialect_style leg_style(const struct asking *asking, const struct leg *leg);
/* The signed message of a leg, ready to leave; failures are in leg->diag. <timestamp> is shared by
 * a round's legs. */
MUST_CHECK struct status leg_write(struct asking *asking, struct leg *leg,
                                   const struct signed_timestamp *timestamp,
                                   struct out_request *ret_request);
/* How long what we sign may be used: the order's time, and no more than receivers accept. */
int64_t leg_lifetime_us(const struct asking *asking);
/* Reads what came; sets state and diag. Takes the answer. */
void leg_take_answer(struct asking *asking, struct leg *leg, struct out_answer *answer);
/* Asks our own store (partner NULL); ANSWER_LATER: call again. Sets state. */
enum answer leg_ask_store(struct asking *asking, struct leg *leg);
void leg_fail(struct leg *leg, enum err code, const char *detail);

/* ---- for the transactions' asking sides (iti55.c, iti38.c, iti39.c): failures in leg->diag ----
 */

/* May the partner name things of <home> (urn:oid or bare OID)? If not, the thing is dropped, with
 * who that community belongs to. (leg_binding.c) */
bool leg_may_name(const struct asking *asking, struct leg *leg, struct span home);
/* One match of an answer to ITI-55, of a community that the partner may name: into the leg's
 * matches, or set aside when whom it returns contradicts the question. (leg_returned.c) */
MUST_CHECK struct status leg_take_match(const struct asking *asking, struct leg *leg,
                                        const struct xcpd_match *match);
/* A repository is one community's (ITI TF-2 3.38.4.1.2): does this answer name ours, or one as
 * another's than itself before? Then the document is dropped. <home>: bare OID. */
MUST_CHECK struct status leg_take_repository(const struct asking *asking, struct leg *leg,
                                             struct span repository, struct span home,
                                             bool *ret_may);
/* When all answers of the round are here: a repository is the community's that the first answer in
 * the plan names (which came first does not count); documents of it that others name are dropped.
 * Then the legs say what of their answers was dropped. */
MUST_CHECK struct status legs_settle(struct asking *asking);
/* An item of the answer is not used: counted, told to the user, recorded, and logged once. */
/* Afterwards, what of an answered leg's answer was dropped is what it lacks. */
void leg_tell_dropped(struct leg *leg);
void leg_drop(const struct asking *asking, struct leg *leg, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* May our own store's document be shown, by our own policy? */
bool leg_may_disclose(const struct asking *asking, const struct leg *leg,
                      const struct code_list *confidentiality);
/* May who asks open this patient's record? */
bool leg_may_open(const struct asking *asking, struct span patient_id);
/* Keeps what the partner says about its failure (cut to a few words). */
MUST_CHECK struct status leg_note_said(struct leg *leg, struct span said);
/* Code of the first RegistryError that is no warning (cut), and a text when there is none;
 * keeps its context as what the partner said. */
MUST_CHECK struct status leg_first_error(struct leg *leg, struct span *ret_code);

/* Has the document of that name come? */
bool leg_has_document(const struct leg *leg, const struct document_ref *ref);

/* Does the leg's answer come as a message of its own, to our SOAP_REPLY_PATH? (asking_later.c) */
bool asking_is_answered_later(const struct asking *asking, const struct leg *leg);

/* ---- outcomes (leg_outcome.c) ---- */

/* Whose document it is (CX), by the metadata that came in this asking; empty: not known. */
struct span asking_owner_of(const struct asking *asking, const struct document_ref *ref);

/* The outcome, from the intent and what came: one event, or two when some of what was asked for
 * came and some did not (ITI TF-2 3.38.5, 3.39.5: success and failure apart). */
#define LEG_OUTCOMES_MAX 2
#define LEG_RECORDS_MAX  (LEG_OUTCOMES_MAX + 2) /* and an emergency, and a peer not believed */
MUST_CHECK struct status leg_outcomes(struct asking *asking, struct leg *leg,
                                      struct audit_event ret_events[LEG_OUTCOMES_MAX],
                                      size_t *ret_n);

#endif
