/*
 * The load generator's benchmarks and what they share: the nodes that are asked, their CPU, and one
 * question at a time. Main thread only.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "tests/bench/drive.h"
#include "tests/bench/meter.h"
#include "tests/bench/requests.h"

#define LOAD_NODES_MAX  4
#define LOAD_KEEP_BYTES ((size_t)1024 * 1024) /* of an answer */

/* One node that is asked: a partner of the generator's configuration. */
struct load_node {
    const char *id;    /* the partner's */
    pid_t pid;         /* whose CPU, memory and threads are read */
    const char *label; /* in rows, such as "2 workers" */
    struct asker asker;
    SSL_CTX *tls; /* the generator's credential */
    uint16_t port;
};

struct load {
    const char *config_path;
    struct load_node nodes[LOAD_NODES_MAX];
    size_t nodes_n;
    const char *name; /* of the benchmark, in rows */
    enum soap_transaction transaction;
    size_t rounds, count, connections;
    double rate;          /* requests a second */
    int64_t duration_us;  /* of what goes on for a time */
    uint64_t most_bytes;  /* of the document that is retrieved */
    const char *log_path; /* the node's log; import: the folder of the rounds' folders */
    const char *program;  /* import: isthmus */
    /* of the broker */
    uint16_t local_port;
    size_t partners;    /* that are asked */
    size_t hostile;     /* and those behind them that misbehave */
    double partner_ms;  /* after which they answer */
    uint16_t peer_port; /* of what is measured beside it */
    pid_t peer_pid;
};

/* An answer that was kept. Owner: the asker's arena. */
struct load_answer {
    struct span head, body, content_type;
};

/* Sends one request and keeps the answer. */
MUST_CHECK struct status load_ask_once(struct load_node *node, enum soap_transaction transaction,
                                       struct diag *diag, struct load_answer *ret_answer);
/* Asks whatever must be known before requests of the transaction can be made. */
MUST_CHECK struct status load_prepare(struct load_node *node, enum soap_transaction transaction,
                                      uint64_t most_bytes, struct diag *diag);
MUST_CHECK struct status load_connect(const struct load_node *node, size_t connections,
                                      struct diag *diag, struct drive **ret_drive);

int64_t load_open_timeout_us(size_t connections);

/* Takes up to <n> requests of a pool, then says that there are no more. For struct drive_work. */
struct load_share {
    struct request_pool *pool;
    size_t left;
};
bool load_next(void *arg, struct span *ret_request);

/* Runs <n> requests of the pool and adds to <result>; ERR_PARTNER_ANSWER when one failed. */
MUST_CHECK struct status load_run(struct drive *drive, struct request_pool *pool, size_t n,
                                  double rate, enum soap_transaction transaction,
                                  struct drive_result *result, struct diag *diag);

/* "NAME, TEXT" as name of a row. */
#define LOAD_NAME_MAX 160
const char *load_row_name(const struct load *load, const char *text, char ret_name[LOAD_NAME_MAX]);
void load_rows_of_latency(const struct load *load, const char *label, struct drive_result *result);

/* The benchmarks: each prints its rows. */
MUST_CHECK struct status load_respond(struct load *load, struct diag *diag);
MUST_CHECK struct status load_handshake(struct load *load, struct diag *diag);
MUST_CHECK struct status load_idle(struct load *load, struct diag *diag);
MUST_CHECK struct status load_reload(struct load *load, struct diag *diag);
MUST_CHECK struct status load_fanout(struct load *load, struct diag *diag);
MUST_CHECK struct status load_in_flight(struct load *load, struct diag *diag);
MUST_CHECK struct status load_import(struct load *load, struct diag *diag);
MUST_CHECK struct status load_isolation(struct load *load, struct diag *diag);
MUST_CHECK struct status load_large(struct load *load, struct diag *diag);
MUST_CHECK struct status load_soak(struct load *load, struct diag *diag);

#endif
