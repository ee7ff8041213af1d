/*
 * Shipping: the journal's records to one audit repository (ITI-20), on a thread of its own. It
 * reads behind a cursor (ship_cursor.h), all chains, also those of commands; gives batches to a
 * sender; moves the cursor when they are there; and waits for more. At least once: what was under
 * way when a connection broke, or when the process was killed, is sent again, with the same
 * identity (chain and sequence) and the same bytes.
 *
 * Only records that are durable leave. Nothing that works on transactions ever waits for this: the
 * thread reads files, and one atomic number of the journal.
 *
 * A sender knows a protocol: syslog (audit/ship_syslog.h), the FHIR feed. It is called on the
 * shipping thread only, may block, and waits with ship->wait alone (out/wait.h), so that a stop
 * wakes it.
 */
#ifndef AUDIT_SHIP_H
#define AUDIT_SHIP_H

#include "audit/journal.h"
#include "audit/ship_cursor.h"
#include "out/wait.h"

/* A record to be sent. Valid during the call. */
struct ship_record {
    const char *chain;
    uint64_t sequence; /* chain and sequence are its identity, for ever */
    int64_t time_us;   /* wall: when it was queued */
    const char *hash;  /* SHA-256, hexadecimal */
    const struct audit_event *event;
};

/* First member of a sender's own struct; the functions are never NULL but where it says so. */
struct ship_sender {
    const char *kind; /* "syslog-tls": log, metrics */
    /* What send takes is with the repository, and never to be sent again. Else only a close that
     * was answered, or age and size together (ship_limits), say so. */
    bool has_answers;
    uint64_t sent_bytes; /* on the wire; the sender counts */
    /* Both with wait->deadline_us set. After a failure close is called, then connect again. */
    struct status (*connect)(struct ship_sender *sender, const struct out_wait *wait,
                             struct diag *diag);
    /* In order. *ret_taken is set in any case: so many of the first records were sent (or refused:
     * ship_refuse). OK: all of them. */
    struct status (*send)(struct ship_sender *sender, const struct out_wait *wait,
                          const struct ship_record *records, size_t n, struct diag *diag,
                          size_t *ret_taken);
    /* Is the connection still there? Never blocks. NULL: there is none to look at. */
    struct status (*check)(struct ship_sender *sender, struct diag *diag);
    int (*fd)(const struct ship_sender *sender); /* readable: check at once; -1: none */
    /* <is_clean>: says farewell and waits until wait->deadline_us for the answer. True: the
     * repository has everything that was sent. */
    bool (*close)(struct ship_sender *sender, const struct out_wait *wait, bool is_clean);
    void (*free)(struct ship_sender *sender);
    /* Set by ship_start. */
    struct ship *ship;
};
/* For send: this record cannot be sent in this form, ever. Counted, logged and noted for the
 * operator (ship_refused.h); goes on. */
void ship_refuse(struct ship_sender *sender, const struct ship_record *record,
                 const struct diag *why);
/* For send: an exchange begins that has its own time (limits.timeout_us). */
void ship_allow_time(struct ship_sender *sender);

struct ship_limits {
    int64_t resend_age_us;    /* without answers: younger records, */
    uint64_t resend_bytes;    /* and the last so many bytes, are sent again after a break */
    int64_t farewell_us;      /* nothing to send for so long: a farewell ends the doubt */
    int64_t settle_us;        /* without answers: a connection that holds for so long is progress */
    int64_t alarm_us;         /* without any progress for so long: alarm */
    int64_t timeout_us;       /* of one connect, send or close */
    int64_t pause_us;         /* after a failure; then twice as long each time, with jitter, */
    int64_t longest_pause_us; /* but no longer than this */
};
#define SHIP_LIMITS_DEFAULT                                                                        \
    ((struct ship_limits){30 * US_PER_S, UINT64_C(10) * 1024 * 1024, 30 * US_PER_S, 2 * US_PER_S,  \
                          900 * US_PER_S, 20 * US_PER_S, 1 * US_PER_S, 60 * US_PER_S})

struct ship_options {
    struct journal_place place; /* its folder is copied; the keys outlive the thread */
    const char *name;           /* of the destination: its cursor's, log, metrics; copied */
    const struct clock *clock;
    struct ship_limits limits;
    /* The journal that this process writes, NULL: none. It outlives the thread. */
    struct journal *journal;
    /* Once when the repository is lost for longer than limits.alarm_us, once when it is back. On
     * the shipping thread; may block. NULL: nobody wants to know. */
    void (*on_alarm)(void *arg, const char *name, bool is_lost, const char *why);
    void *alarm_arg;
};

struct ship;
/* Takes <sender>, also when it fails. ERR_NO_MEMORY, ERR_IO. */
MUST_CHECK struct status ship_start(const struct ship_options *options, struct ship_sender *sender,
                                    struct diag *diag, struct ship **ret_ship);
/* Another sender and other limits in place of the first, after a reload: the old sender is closed
 * and freed by the thread. Takes <sender>. Any thread. */
void ship_replace(struct ship *ship, struct ship_sender *sender, const struct ship_limits *limits);
const char *ship_name(const struct ship *ship); /* borrowed */
/* Returns at once: the thread sends what is there, says farewell, and ends by <until_us> (mono).
 * Any thread. */
void ship_stop(struct ship *ship, int64_t until_us);
/* Stops it now unless it was stopped, waits for its end, frees. NULL is fine. */
void ship_free(struct ship *ship);

/* How it goes. Any thread. */
struct ship_state {
    char name[SHIP_NAME_MAX + 1];
    const char *kind;
    bool is_connected;
    bool is_alarmed;
    uint64_t waiting;             /* records that were not sent yet */
    int64_t oldest_us;            /* wall, of the first of them; 0: none */
    uint64_t unproven;            /* sent, and to be sent again if the connection breaks */
    uint64_t delivered;           /* since the start: sent for the first time, */
    uint64_t resent;              /* again, */
    uint64_t refused;             /* or not at all: cannot be sent in this form */
    uint64_t failures;            /* of connections and sends */
    uint64_t damaged;             /* chains that could not be read on */
    int64_t lost_us;              /* wall: since when nothing got through; 0: it gets through */
    char why[DIAG_TEXT_MAX + 64]; /* the last failure; "" when it gets through */
};
void ship_read_state(struct ship *ship, struct ship_state *ret_state);

#endif
