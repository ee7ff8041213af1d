/*
 * An audit record repository of the test's own: an HTTPS server with mutual TLS that takes
 * AuditEvents, single ones and batches, checks them by FHIR's tables, remembers them, and answers
 * as a script says. One connection after the other, on a thread of its own, on 127.0.0.1.
 */
#ifndef ARR_KIT_H
#define ARR_KIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/fhir_rules.h"
#include "tests/unit/net_fixture.h"

enum arr_manner {
    ARR_TAKES, /* 201, or 200 with an entry each */
    ARR_SAYS,  /* takes nothing; <status>, <head>, <body> */
    ARR_MIXES, /* a batch: each record gets its own of <statuses>; takes those with 2xx */
    ARR_CUTS,  /* takes, and closes inside its answer */
    ARR_DROPS, /* takes, and closes without an answer */
    ARR_HANGS, /* takes nothing, never answers; until the client goes */
};
struct arr_step {
    enum arr_manner manner;
    int status;
    const char *statuses; /* "201 400 500" */
    const char *head;     /* "Retry-After: 1\r\n"; NULL: nothing */
    const char *body;     /* NULL: empty */
};

#define ARR_RECORDS_MAX 2048

struct arr {
    /* set before arr_start */
    const struct arr_step *script; /* one step a request; behind its end: ARR_TAKES */
    size_t script_n;
    bool has_no_batch; /* a batch gets 404, always, and takes no step */
    /* counted */
    atomic_size_t connections, handshakes, requests, batches, hanging;
    atomic_size_t taken;             /* acknowledged records, copies too */
    atomic_size_t copies, differing; /* of records that it has; not the same bytes */
    /* the thread's, and the test's behind arr_stop or under the lock */
    pthread_mutex_t lock;
    char *order[ARR_RECORDS_MAX]; /* "chain/sequence", as they came first */
    char *texts[ARR_RECORDS_MAX];
    size_t n;
    struct buf wrong; /* by FHIR's tables, and by ours for requests; nothing: all was well */
    char urls[4096];  /* "POST /fhir POST /fhir/AuditEvent ..." */
    uint16_t port;
    int fd;
    SSL_CTX *context;
    pthread_t thread;
    atomic_bool is_stopping;
};
/* <port> 0: any. */
bool arr_start(struct arr *arr, const struct credential *credential, uint16_t port);
void arr_stop(struct arr *arr); /* the memory stays until arr_done */
void arr_done(struct arr *arr);
/* "node/1 node/2", as they came first. A static buffer. */
const char *arr_order(struct arr *arr);
bool arr_wait_taken(struct arr *arr, size_t n);    /* records, each counted once */
bool arr_wait_requests(struct arr *arr, size_t n); /* with their bodies */

#endif
