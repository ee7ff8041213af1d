/*
 * The load generator's client: many keep-alive connections to one port of this machine, TLS with
 * our certificate or plain, driven from one thread (epoll). Requests are bytes that somebody else
 * made; answers must have a Content-Length. Thread: one at a time for a drive.
 */
#ifndef BENCH_DRIVE_H
#define BENCH_DRIVE_H

#include <openssl/types.h>

#include "base/buf.h"
#include "tests/bench/meter.h"

struct drive;

struct drive_options {
    uint16_t port;
    SSL_CTX *tls; /* NULL: plain */
    size_t connections;
    size_t keep_bytes;  /* of an answer's head and body that are kept to be looked at */
    bool may_resume;    /* TLS: new connections offer the first session that came */
    int64_t timeout_us; /* of opening, all connections together; 0: 60 s */
};

/* Opens all connections, handshakes done; ERR_IO when one fails. */
MUST_CHECK struct status drive_open(const struct drive_options *options, struct diag *diag,
                                    struct drive **ret_drive);
void drive_free(struct drive *drive); /* NULL is fine */

struct drive_work {
    /* The next request, which must live until its answer; false: no more. */
    bool (*next)(void *arg, struct span *ret_request);
    void *arg;
    struct span mark; /* an answer counts when its status is 200 and it holds this */
    /* Looks at each answer that counts; may be NULL. */
    void (*on_answer)(void *arg, struct span head, struct span body);
    /* Instead of mark and on_answer, for requests of several kinds: does the answer to <request>
     * count, and its latency in the result? The latter belongs to the caller then. May be NULL. */
    bool (*judge)(void *arg, struct span request, struct span head, struct span body,
                  double latency_us);
    double rate;       /* requests a second, however slow the answers; 0: each connection asks on */
    size_t asking_max; /* at a time; 0: as many as there are connections */
    int64_t limit_us;  /* after that the rest has failed; 0: ten minutes */
};

/* What came of one run. Owner: the caller; drive_result_done. */
struct drive_result {
    size_t answered;
    size_t failed;      /* another status, no mark, a broken connection, no answer in time */
    char why[400];      /* the first failure */
    size_t reconnected; /* connections that the server closed while they were idle */
    uint64_t bytes;     /* of bodies */
    int64_t wall_us;
    struct meter_list latencies_us; /* with a rate: from when the request was due */
};
void drive_run(struct drive *drive, const struct drive_work *work, struct drive_result *result);
void drive_result_done(struct drive_result *result);

/* How many of the connections resumed a session. */
size_t drive_resumed(const struct drive *drive);
/* Closes all connections, politely, and opens as many again; for handshakes. */
MUST_CHECK struct status drive_reopen(struct drive *drive, struct diag *diag);

#endif
