/*
 * Signed requests of a node's own identity, written before the clock starts: each with its own
 * MessageID, assertion and signed Timestamp, because a node refuses the second use of any of them.
 * The identity, the keys and the partner that is asked come from an ordinary configuration file.
 * Thread: an asker is read by many once it is open; a pool belongs to one.
 */
#ifndef BENCH_REQUESTS_H
#define BENCH_REQUESTS_H

#include "base/buf.h"
#include "config/config.h"
#include "soap/message.h"
#include "soap/xca.h"

#define REQUESTS_LIFE_US                                                                           \
    (INT64_C(55) * 60 * US_PER_S) /* of what is signed; the most is one hour                       \
                                   */

struct asker {
    const struct config *config;
    const struct partner *partner; /* who is asked */
    struct arena *arena;
    struct patient who;         /* ITI-55 */
    struct span patient_id;     /* CX, ITI-38: as the partner gave it */
    struct document_ref wanted; /* ITI-39 */
    struct span wanted_mime;    /* of the same document */
    uint64_t wanted_bytes;
};

/* <partner_id>: one of the configuration's partners. Ends with asker_done, whatever came. */
MUST_CHECK struct status asker_open(struct asker *asker, const char *config_path,
                                    const char *partner_id, struct diag *diag);
void asker_done(struct asker *asker);

/* One HTTP request, head and body, appended to <out>. */
MUST_CHECK struct status request_write(const struct asker *asker, enum soap_transaction transaction,
                                       struct buf *out, struct diag *diag);

/* What a local system asks through a node, unsigned: of <targets> (homeCommunityIds, urn:oid:...),
 * or of everybody when there is none. */
MUST_CHECK struct status request_write_local_query(const struct span_list *targets,
                                                   struct span patient_id, struct buf *out,
                                                   struct diag *diag);
MUST_CHECK struct status request_write_local_retrieve(const struct document_ref *wanted,
                                                      struct buf *out, struct diag *diag);

/* Many of them. */
struct request_pool {
    struct buf *items;
    size_t n;
    size_t at; /* the next one that was not used */
};
/* Signs <n> on all cores. */
MUST_CHECK struct status request_pool_fill(struct request_pool *pool, const struct asker *asker,
                                           enum soap_transaction transaction, size_t n,
                                           struct diag *diag);
void request_pool_done(struct request_pool *pool);

/* What an answer of the partner must hold to count: without it the request has failed. */
struct span request_wanted_mark(enum soap_transaction transaction);

/* What the partner said, for the next question: <answer> is the HTTP body. Fills in patient_id, or
 * the wanted document (the largest up to <most_bytes>). */
MUST_CHECK struct status asker_learn(struct asker *asker, enum soap_transaction transaction,
                                     struct span answer, struct span content_type,
                                     uint64_t most_bytes, struct diag *diag);

#endif
