/*
 * Questions of ours whose answers come later, as messages of their own: what we asked, so that an
 * answer can be told from one that nobody asked for; and the answer, until somebody fetches it. The
 * store's, so that a restart (kill -9 included) loses neither, and so that a command can ask while
 * the serving node takes the answer. Waiting: as in store.h. Thread: any.
 *
 * A question is waiting, then answered (once), then fetched: the row goes. At its end a waiting one
 * is forgotten, and so is an answer that nobody fetched.
 */
#ifndef STORE_PENDING_H
#define STORE_PENDING_H

#include "store/store.h"

/* The numbers are in the file: never change. */
enum pending_kind { PENDING_ASYNCHRONOUS = 1, PENDING_DEFERRED = 2 };

#define PENDING_ANSWER_MAX ((size_t)64 * 1024 * 1024) /* bytes of an answer */

struct pending {
    enum pending_kind kind;
    struct span message_id;  /* of our question: what the answer relates to */
    struct span transaction; /* "ITI-55" */
    struct span partner;     /* id of its record: who may answer */
    struct span url;         /* where it was sent */
    struct span community;   /* bare OID, that was asked */
    struct span user;        /* who asked: plain-text name */
    struct ident query_id;   /* ITI-55: the answer must name it; else empty */
    struct span question;    /* deferred: what was asked, which the answer is held against; the
                                Body's child; of pending_fetch only */
    int64_t created_us;      /* wall */
    int64_t expires_us;      /* wall: no answer is taken afterwards */
    int64_t answered_us;     /* wall; 0: it waits */
    struct span content_type, answer; /* as they came; of pending_fetch only */
};
struct pending_list {
    struct pending *items;
    size_t n, capacity;
};

/* All or none; durable when it says OK. */
MUST_CHECK struct status pending_put(struct store *store, const struct pending *questions, size_t n,
                                     struct park *park, struct diag *diag, enum answer *ret_answer);
/* Without the answer. ERR_NOT_AWAITED: no such question of ours was asked of <partner>, its time is
 * over at <now_us>, or it has been answered; the diag says which. */
MUST_CHECK struct status pending_find(struct store *store, struct span message_id,
                                      struct span partner, int64_t now_us, struct arena *arena,
                                      struct park *park, struct diag *diag, enum answer *ret_answer,
                                      struct pending *ret_pending);
/* The answer of <partner>, once: durable when it says OK. ERR_NOT_AWAITED as pending_find, in one
 * transaction with it; ERR_LIMIT_BODY: longer than PENDING_ANSWER_MAX. */
struct pending_answer {
    struct span message_id; /* of the question */
    struct span partner;
    struct span content_type;
    const struct body *body;
    int64_t now_us;  /* wall */
    int64_t keep_us; /* wall: until when it may be fetched */
};
MUST_CHECK struct status pending_take(struct store *store, const struct pending_answer *answer,
                                      struct park *park, struct diag *diag,
                                      enum answer *ret_answer);
/* The question with its answer, where it has come (answered_us). ERR_NOT_FOUND: there is none. */
MUST_CHECK struct status pending_fetch(struct store *store, struct span message_id,
                                       struct arena *arena, struct diag *diag,
                                       struct pending *ret_pending);
/* Nobody awaits them any more, or their answers were fetched: the rows go. Unknown ones are fine.
 */
MUST_CHECK struct status pending_drop(struct store *store, const struct span *message_ids, size_t n,
                                      struct park *park, struct diag *diag,
                                      enum answer *ret_answer);
/* All of a kind, oldest first, at most PENDING_LIST_MAX; without answers. */
#define PENDING_LIST_MAX ((size_t)1000)
MUST_CHECK struct status pending_list(struct store *store, enum pending_kind kind,
                                      struct arena *arena, struct diag *diag,
                                      struct pending_list *ret_list);
/* Those whose time is over go; how many there were that nobody had answered. */
MUST_CHECK struct status pending_expire(struct store *store, int64_t now_us, struct diag *diag,
                                        uint64_t *ret_unanswered);
/* How many wait for an answer. <partner> empty: of all. */
MUST_CHECK struct status pending_count(struct store *store, struct span partner, struct diag *diag,
                                       uint64_t *ret_waiting);

#endif
