/*
 * The queue of answers that are owed: questions of partners that were accepted (HTTP 202) and whose
 * answers leave later, as messages of their own (ITI TF-2 Appendix V 3: asynchronous web services
 * exchange; ITI TF-2 3.55.6.2: deferred response). The queue is the store's, so it outlives the
 * process (kill -9 included): what jobs_put has said OK to is on the disk.
 *
 * A job holds the question as it came, not an answer: the answer is made when it leaves, under the
 * configuration, the policy and the documents of then.
 *
 * A lease keeps a job for whoever works on it; when its time is over, or after jobs_start, the job
 * is free again. Waiting: as in store.h. Thread: any.
 */
#ifndef STORE_JOBS_H
#define STORE_JOBS_H

#include "store/store.h"

/* The numbers are in the file: never change. */
enum job_kind { JOB_ASYNCHRONOUS = 1, JOB_DEFERRED = 2 };

#define JOB_BODY_MAX ((size_t)4 * 1024 * 1024) /* bytes of a question */

struct job {
    int64_t id; /* set by jobs_put */
    enum job_kind kind;
    struct span partner;    /* its id, by the TLS identity that was proven */
    struct span message_id; /* of the question: once for each partner */
    struct span path, content_type, body, peer_address; /* the question as it came */
    int64_t created_us; /* wall: when it came; its proof is of that time */
    int64_t due_us;     /* wall: not before */
    int64_t expires_us; /* wall: nobody waits for the answer afterwards */
    unsigned attempts;  /* that have failed */
};
struct job_list {
    struct job *items;
    size_t n, capacity;
};

/* Durable when it says OK. The job is leased to the caller until <lease_us> (wall).
 * ERR_LIMIT_QUEUE: <most> jobs of this partner wait already. ERR_REPLAY: the partner's question is
 * here already. ERR_LIMIT_BODY: the question is longer than JOB_BODY_MAX. */
MUST_CHECK struct status jobs_put(struct store *store, const struct job *job, size_t most,
                                  int64_t lease_us, struct park *park, struct diag *diag,
                                  enum answer *ret_answer, int64_t *ret_id);
/* Leases until <lease_us> at most <most> jobs that are due at <now_us> and that nobody has, those
 * that are due first at first. Without bodies: jobs_read has them. */
MUST_CHECK struct status jobs_take(struct store *store, int64_t now_us, int64_t lease_us,
                                   size_t most, struct arena *arena, struct diag *diag,
                                   struct job_list *ret_jobs);
/* One job with its body; *ret_is_there is false when it is done. */
MUST_CHECK struct status jobs_read(struct store *store, int64_t id, struct arena *arena,
                                   struct diag *diag, struct job *ret_job, bool *ret_is_there);
/* It is over: the row goes. An unknown id is fine. */
MUST_CHECK struct status jobs_done(struct store *store, int64_t id, struct park *park,
                                   struct diag *diag, enum answer *ret_answer);
/* Later again: one more attempt has failed, and the lease ends. */
MUST_CHECK struct status jobs_retry(struct store *store, int64_t id, int64_t due_us,
                                    struct park *park, struct diag *diag, enum answer *ret_answer);
/* A node begins to work on them: what a process that ended had leased is free. */
MUST_CHECK struct status jobs_start(struct store *store, struct diag *diag);

/* How many wait, and since when the oldest of them does (wall; 0: none waits). <partner> empty: of
 * all partners. */
struct job_counts {
    uint64_t waiting;
    int64_t oldest_us;
};
MUST_CHECK struct status jobs_count(struct store *store, struct span partner, struct diag *diag,
                                    struct job_counts *ret_counts);

#endif
