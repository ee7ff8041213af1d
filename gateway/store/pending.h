/*
 * Questions of ours whose answers come later, as messages of their own: what we asked, so that an
 * answer can be told from one that nobody asked for; and the answer, until somebody fetches it. The
 * store's, so that a restart (kill -9 included) loses neither, and so that a command can ask while
 * the serving node takes the answer. Waiting: as in store.h. Thread: any.
 *
 * A question is waiting, then answered (once), then fetched (once). Of a fetched one nothing is
 * left but that it was answered, so that a copy of its answer, which comes because the first one's
 * acknowledgement was lost, is told from an answer that nobody asked for. At its end each is
 * forgotten, and so is an answer that nobody fetched.
 */
#ifndef STORE_PENDING_H
#define STORE_PENDING_H

#include "store/store.h"

/* The numbers are in the file: never change. */
enum pending_kind { PENDING_ASYNCHRONOUS = 1, PENDING_DEFERRED = 2 };

#define PENDING_KNOWN_US                                                                           \
    (INT64_C(3600) * US_PER_S) /* so long copies of a fetched answer are told */
#define PENDING_ANSWER_MAX ((size_t)64 * 1024 * 1024) /* bytes of an answer */

struct pending {
    enum pending_kind kind;
    struct span message_id;   /* of our question: what the answer relates to */
    struct span transaction;  /* "ITI-55" */
    struct span partner;      /* id of its record: who may answer */
    struct span url;          /* where it was sent */
    struct span community;    /* bare OID, that was asked */
    struct span user;         /* who asked: plain-text name */
    struct ident query_id;    /* ITI-55: the answer must name it; else empty */
    struct span question;     /* what was asked, which the answer is held against; the Body's child;
                                 of pending_fetch only */
    int64_t created_us;       /* wall */
    int64_t expires_us;       /* wall: no answer is taken afterwards */
    int64_t answered_us;      /* wall; 0: it waits */
    bool is_fetched;          /* the answer was fetched, and is not there any more */
    struct span content_type; /* of the answer, as it came; of pending_fetch only */
};
struct pending_list {
    struct pending *items;
    size_t n, capacity;
};

/* All or none; durable when it says OK. */
MUST_CHECK struct status pending_put(struct store *store, const struct pending *questions, size_t n,
                                     struct park *park, struct diag *diag, enum answer *ret_answer);
/* Without the answer; answered_us tells that it has come already. ERR_NOT_AWAITED: no such question
 * of ours was asked of <partner>, or its time is over at <now_us>; the diag says which. */
MUST_CHECK struct status pending_find(struct store *store, struct span message_id,
                                      struct span partner, int64_t now_us, struct arena *arena,
                                      struct park *park, struct diag *diag, enum answer *ret_answer,
                                      struct pending *ret_pending);
/* The answer of <partner>, once: durable when it says OK; *ret_is_copy: another had come before,
 * which stays. ERR_NOT_AWAITED as pending_find, in one transaction with it; ERR_LIMIT_BODY: longer
 * than PENDING_ANSWER_MAX. */
struct pending_answer {
    struct span message_id; /* of the question */
    struct span partner;
    struct span content_type;
    const struct body *body;
    int64_t now_us;  /* wall */
    int64_t keep_us; /* wall: until when it may be fetched */
};
MUST_CHECK struct status pending_take(struct store *store, const struct pending_answer *answer,
                                      struct park *park, struct diag *diag, enum answer *ret_answer,
                                      bool *ret_is_copy);
/* The question; its answer, where it has come and is there, is appended to <answer> (NULL: not
 * wanted), whose limit is the reader's. ERR_NOT_FOUND: there is no such question; ERR_LIMIT_BUFFER:
 * the answer is longer than the reader takes. */
MUST_CHECK struct status pending_fetch(struct store *store, struct span message_id,
                                       struct arena *arena, struct diag *diag, struct buf *answer,
                                       struct pending *ret_pending);
/* The answer is who calls's, and nobody else's: it is fetched now. ERR_NOT_FOUND: it is not there
 * (any more). */
MUST_CHECK struct status pending_claim(struct store *store, struct span message_id,
                                       struct park *park, struct diag *diag,
                                       enum answer *ret_answer);
/* Nobody awaits them any more: those that wait are forgotten, those that were answered are fetched.
 * Unknown ones are fine. */
MUST_CHECK struct status pending_drop(struct store *store, const struct span *message_ids, size_t n,
                                      struct park *park, struct diag *diag,
                                      enum answer *ret_answer);
/* Those that wait, or were answered and not fetched, at <now_us>; oldest first, at most
 * PENDING_LIST_MAX; without questions and answers. */
#define PENDING_LIST_MAX ((size_t)1000)
MUST_CHECK struct status pending_list(struct store *store, int64_t now_us, struct arena *arena,
                                      struct diag *diag, struct pending_list *ret_list);
/* Those whose time is over go; how many there were that nobody had answered. */
MUST_CHECK struct status pending_expire(struct store *store, int64_t now_us, struct diag *diag,
                                        uint64_t *ret_unanswered);
/* How many wait for an answer. <partner> empty: of all. */
MUST_CHECK struct status pending_count(struct store *store, struct span partner, struct diag *diag,
                                       uint64_t *ret_waiting);

#endif
