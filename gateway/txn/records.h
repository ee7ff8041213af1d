/*
 * The audit records of one transaction: appended together, durable together. Nothing leaves the
 * node before records_are_durable has said so: a question waits for its intents, an answer for its
 * outcomes.
 */
#ifndef TXN_RECORDS_H
#define TXN_RECORDS_H

#include "txn/node.h"

struct records {
    struct journal_ticket *tickets; /* in the transaction's arena */
    size_t n, capacity;
    bool is_durable;
};

/* Empties them and makes room for <n> events: tickets must not move while one is waited for. */
MUST_CHECK struct status records_reserve(struct records *records, struct arena *arena, size_t n,
                                         struct diag *diag);
/* Hands an event to the sink with the transaction's park. */
MUST_CHECK struct status records_append(struct records *records, struct node *node, struct txn *txn,
                                        const struct audit_event *event);
/* To be asked when no wake is due: OK and is_durable set when every record is; else ERR_JOURNAL. */
MUST_CHECK struct status records_settle(struct records *records, struct node *node,
                                        struct txn *txn);

/* alias<user@issuer> (ITI TF-2 3.40.4.2.1), in the arena. */
MUST_CHECK struct status records_user_name(struct arena *arena, struct span alias, struct span user,
                                           struct span issuer, struct diag *diag,
                                           struct span *ret_user_name);
/* How bad a failure is: major when it is our own machine's. */
enum audit_outcome records_outcome(enum err code);
/* "ERR_NAME: detail" of a diag, and what the other side said about it (may be empty), in the arena;
 * the name alone when there is no memory. */
struct span records_reason(struct arena *arena, const struct diag *failure, struct span said);

#endif
