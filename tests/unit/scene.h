/*
 * A network of nodes in one process, for scenario tests: real configurations, keys, stores,
 * messages and signatures, but no socket, no thread, and a clock that the test moves. What one node
 * asks, the test delivers to the node that it is for, or drops, answers late, replays or forges.
 */
#ifndef SCENE_H
#define SCENE_H

#include "txn/asking.h"
#include "txn/inbound.h"
#include "unit.h"

#define SCENE_PLACES    4
#define SCENE_EVENTS    200
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
    bool is_durable;
};

struct scene_sink {
    struct audit_sink sink; /* first member */
    struct scene_event events[SCENE_EVENTS];
    size_t n;
    struct park *waiting[SCENE_EVENTS];
    size_t waiting_n;
    bool is_held;   /* records become durable only by scene_commit */
    bool is_broken; /* records never become durable: ERR_JOURNAL */
};

struct place {
    struct scene *scene;
    const char *name;
    const struct config *config;
    struct store *store;
    struct scene_sink sink;
    struct node node;
};

/* A question that has left a node. */
struct scene_question {
    struct place *from;
    const struct partner *to;
    char url[256];
    char content_type[512];
    struct buf body;
    out_done done;
    void *arg;
    bool is_answered;
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
};

/* Nodes with a common development CA; everyone is everyone's partner. The n-th community
 * is 2.999.n. */
void scene_open(struct scene *scene, const char *const *names, size_t n);
void scene_close(struct scene *scene);
struct place *scene_place(struct scene *scene, const char *name);

/* A patient with one document in a node's store. */
void scene_add_document(struct place *place, const char *family, const char *given,
                        const char *birth_date, const char *sex, const char *bytes);

/* Runs everything that is ready. */
void scene_run(struct scene *scene);
/* What waits in a held sink becomes durable. */
void scene_commit(struct place *place);

/* What a node answered to bytes that the test sends. */
struct scene_reply {
    bool is_here;
    int http_status;
    char content_type[512];
    char text[65536];
};
/* Send bytes as the holder of <peer>'s TLS certificate; the reply is filled when the transaction
 * has ended. */
void scene_send(struct scene *scene, struct place *to, const struct certificate *peer,
                const char *path, const char *content_type, struct span body,
                struct scene_reply *reply);
/* Deliver question <i> to the node that its URL names, and the answer back to the asker. */
void scene_deliver(struct scene *scene, size_t i);
/* Deliver everything that is out, until nothing is, except to places named by <silent> (may be
 * NULL). */
void scene_deliver_all(struct scene *scene, const char *silent);
/* The question's exchange fails. */
void scene_fail(struct scene *scene, size_t i, enum err error);

/* Starts an order of that node; *ret_asking is set when it has ended (the test frees it). */
void scene_ask(struct place *place, const struct asking_order *order, struct asking **ret_asking);
/* An order for a person, with arrays in static memory. */
struct asking_order scene_order(enum asking_goal goal, const char *family, const char *given,
                                const char *birth_date, const char *sex);

size_t scene_count_events(const struct place *place, enum audit_type type, enum audit_side side,
                          enum audit_phase phase, bool is_success);

#endif
