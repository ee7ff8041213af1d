/*
 * A network of nodes in one process, for scenario tests: real configurations, keys, stores,
 * messages and signatures, but no socket, no thread, and a clock that the test moves. What one node
 * asks, the test delivers to the node that it is for, or drops, answers late, replays or forges.
 */
#ifndef SCENE_H
#define SCENE_H

#include "txn/asking.h"
#include "txn/continued.h"
#include "txn/local.h"
#include "txn/outbox.h"
#include "txn/waiting.h"
#include "unit.h"

#define SCENE_PLACES    4
#define SCENE_EVENTS    2200
#define SCENE_QUESTIONS 64

struct scene;

/* An audit event as the sink saw it. */
struct scene_event {
    enum audit_type type;
    enum audit_side side;
    enum audit_phase phase;
    enum audit_outcome outcome;
    char partner[32];
    char reason[256];
    char patient[96]; /* the first */
    size_t patients_n, documents_n;
    char delegator[64];
    char user[256]; /* user_name */
    char role[32], purpose[32];
    char source[128], destination[128]; /* ids */
    char community[64];
    char message_id[64];
    size_t query_n; /* bytes of the query */
    bool is_durable;
};

struct scene_sink {
    struct audit_sink sink; /* first member */
    struct scene_event events[SCENE_EVENTS];
    size_t n;
    struct park *waiting[SCENE_EVENTS];
    size_t waiting_n;
    bool is_held;      /* records become durable only by scene_commit */
    bool is_broken;    /* records never become durable: ERR_JOURNAL */
    size_t refused_at; /* from this record on none is taken: ERR_JOURNAL; 0: all are */
};

struct place {
    struct scene *scene;
    const char *name;
    const struct config *config;
    struct store *store;
    struct scene_sink sink;
    struct node node;
    struct outbox outbox;
    struct waiting waiting;
    struct continued continued;
};

/* A question that has left a node. */
struct scene_question {
    struct place *from;
    const struct config *config; /* of <to> */
    const struct partner *to;
    char url[256];
    char content_type[512];
    struct buf body;
    out_done done;
    void *arg;
    uint64_t ticket;
    int64_t timeout_us; /* how long the engine would wait for it */
    bool is_answered;   /* or withdrawn */
    bool is_cancelled;
    size_t records;   /* of the node that answers, when it was delivered */
    size_t undurable; /* records of its node that were not durable when it left: must be 0 */
};

struct scene_out {
    struct out out; /* first member */
    struct place *place;
};

struct scene {
    struct fake_clock clock;
    struct runner *runner;
    struct place places[SCENE_PLACES];
    struct scene_out outs[SCENE_PLACES];
    size_t places_n;
    struct scene_question questions[SCENE_QUESTIONS];
    size_t questions_n;
    /* Torture: while the nodes work (not the scene itself), this many allocations succeed; then one
     * fails, or all that follow. UINT64_MAX: none fails. */
    uint64_t allocations_left;
    bool is_memory_gone; /* all that follow */
};

/* Nodes with a common development CA; everyone is everyone's partner. The n-th community
 * is 2.999.n. */
void scene_open(struct scene *scene, const char *const *names, size_t n);
#define SCENE_BOOT_ID "run 1" /* of the machine, to each place's replay memory */
void scene_close(struct scene *scene);
/* Gives a place its sink and its way out: for scene_open. */
void scene_connect(struct place *place, struct scene_out *out);
struct place *scene_place(struct scene *scene, const char *name);

/* A patient with one document in a node's store. */
void scene_add_document(struct place *place, const char *family, const char *given,
                        const char *birth_date, const char *sex, const char *bytes);
/* The same with a confidentiality code, and what the store made of it. */
struct scene_stored {
    char unique_id[80];
    char entry_uuid[48];
    char patient_id[96]; /* CX */
};
void scene_add_marked_document(struct place *place, const struct patient *patient,
                               const char *confidentiality, const char *bytes,
                               struct scene_stored *ret_stored);

/* Runs everything that is ready. */
void scene_run(struct scene *scene);
void scene_sink_init(struct scene_sink *sink);
/* Sees every event of every sink, while it is set; NULL: nobody does. */
typedef void (*scene_watch)(const struct scene_sink *sink, const struct audit_event *event);
extern scene_watch scene_watcher;
/* How many of its records are not durable. */
size_t scene_undurable(const struct scene_sink *sink);
/* What waits in a held sink becomes durable. */
void scene_commit(struct place *place);

/* What a node answered to bytes that the test sends. */
struct scene_reply {
    bool is_here;
    int http_status;
    char content_type[512];
    size_t n; /* bytes of text */
    char text[65536];
    enum err cause;
    /* scene_send_local: says that the local system has gone; NULL after the reply. */
    void (*on_gone)(void *arg);
    void *gone_arg;
    bool is_gone;      /* set before: it goes at once */
    struct buf *whole; /* set before: gets all of the text, which may be longer */
};
/* Send bytes as the holder of <peer>'s TLS certificate; the reply is filled when the transaction
 * has ended. */
void scene_send(struct scene *scene, struct place *to, const struct certificate *peer,
                const char *path, const char *content_type, struct span body,
                struct scene_reply *reply);
/* The same as a local system, on the local listener; <peer> NULL: without TLS. reply->is_gone
 * and ->whole survive, the rest is cleared. */
void scene_send_local(struct scene *scene, struct place *to, const struct certificate *peer,
                      const char *path, const char *content_type, struct span body,
                      struct scene_reply *reply);
/* Deliver question <i> to the node that its URL names, and the answer back to the asker. */
void scene_deliver(struct scene *scene, size_t i);
/* The same, but on the way back every <from> in the answer becomes <to>: answers are not signed, so
 * a partner may say anything. */
void scene_deliver_forged(struct scene *scene, size_t i, const char *from, const char *to);
/* The question's answer is what the test says. */
void scene_answer(struct scene *scene, size_t i, int http_status, const char *content_type,
                  struct span bytes);
/* Deliver everything that is out, until nothing is, except to places named by <silent> (may be
 * NULL). */
void scene_deliver_all(struct scene *scene, const char *silent);
/* The question left on a kept connection that was closed before an answer. */
void scene_cut(struct scene *scene, size_t i);
/* The question's exchange fails. */
void scene_fail(struct scene *scene, size_t i, enum err error);

/* Throws away what was asked and recorded, so that a test may begin anew with the same nodes. */
void scene_forget(struct scene *scene);

/* Starts an order of that node; *ret_asking is set when it has ended (the test frees it). */
MUST_CHECK struct status scene_try_ask(struct place *place, const struct asking_order *order,
                                       struct diag *diag, struct asking **ret_asking);
void scene_ask(struct place *place, const struct asking_order *order, struct asking **ret_asking);
/* An order for a person, with arrays in static memory. */
struct asking_order scene_order(enum asking_goal goal, const char *family, const char *given,
                                const char *birth_date, const char *sex);

/* The n-th newest record of a node: 0 is the last; NULL when there are fewer. */
const struct scene_event *scene_event(const struct place *place, size_t n);
size_t scene_count_events(const struct place *place, enum audit_type type, enum audit_side side,
                          enum audit_phase phase, bool is_success);

#endif
