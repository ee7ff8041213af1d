/*
 * The audit records of one transaction: appended together, durable together. Nothing leaves the
 * node before records_are_durable has said so: a question waits for its intents, an answer for its
 * outcomes.
 */
#ifndef TXN_RECORDS_H
#define TXN_RECORDS_H

#include "policies/policy.h"
#include "txn/node.h"

struct records {
    struct journal_ticket *tickets; /* in the transaction's arena */
    size_t n, capacity;
    struct { /* of events that became several, one for each patient */
        struct journal_ticket **items;
        size_t n, capacity;
    } more;
    bool is_durable;
};

/* Empties them and makes room for <n> events: tickets must not move while one is waited for. */
MUST_CHECK struct status records_reserve(struct records *records, struct arena *arena, size_t n,
                                         struct diag *diag);
/* Hands an event to the sink with the transaction's park. A list or retrieval of documents that
 * concerns several patients becomes one event for each (ITI TF-2 3.20.4.1.1); discovery stays one
 * event, as its own table has it (3.55.5.1: a row for each patient). */
MUST_CHECK struct status records_append(struct records *records, struct node *node, struct txn *txn,
                                        const struct audit_event *event);
/* The same of an event whose documents are of these patients (CX), one each; an empty one: nobody
 * knows whose it is. Each patient's documents are in his event. */
MUST_CHECK struct status records_append_documents(struct records *records, struct node *node,
                                                  struct txn *txn, const struct audit_event *event,
                                                  const struct span_list *owners);
/* To be asked when no wake is due: OK and is_durable set when every record is; else ERR_JOURNAL. */
MUST_CHECK struct status records_settle(struct records *records, struct node *node,
                                        struct txn *txn);

/* alias<user@issuer> (ITI TF-2 3.40.4.2.1), in the arena. */
MUST_CHECK struct status records_user_name(struct arena *arena, struct span alias, struct span user,
                                           struct span issuer, struct diag *diag,
                                           struct span *ret_user_name);
/* queryId of HL7's queries: ROOT, or EXTENSION^^^&ROOT&ISO; whoever asks and whoever is asked name
 * it the same. In the arena. */
MUST_CHECK struct status records_query_id(struct arena *arena, const struct ident *id,
                                          struct diag *diag, struct span *ret_text);
/* What our rules say of it. */
void records_note_decision(struct audit_event *event, const struct policy_decision *decision);
/* The event of an emergency (policy_decision.is_emergency) beside that of its transaction. */
struct audit_event records_emergency(const struct audit_event *event);
/* How bad a failure is: major when it is our own machine's. */
enum audit_outcome records_outcome(enum err code);
/* "ERR_NAME: detail" of a diag, and what the other side said about it (may be empty), in the arena;
 * the name alone when there is no memory. */
struct span records_reason(struct arena *arena, const struct diag *failure, struct span said);

#endif
