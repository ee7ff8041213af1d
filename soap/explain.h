/*
 * What a captured message is, says and proves, told as notes for people (base/notes.h). For
 * `isthmus decode` only: nothing that comes from here may decide anything. What the gateway would
 * answer is txn/proof.h's to say; the checks told here are the same functions, each run alone, so
 * that what comes after a failure is told as well.
 *
 * Patient data is private in the notes: names, birth dates, ids, addresses, the user's name,
 * parameters that identify, titles of documents, text of faults, attributes that we do not know.
 * Thread: whoever owns the arena; soap_library_init before.
 */
#ifndef SOAP_EXPLAIN_H
#define SOAP_EXPLAIN_H

#include "base/notes.h"
#include "soap/security.h"

enum explain_kind { EXPLAIN_UNKNOWN, EXPLAIN_REQUEST, EXPLAIN_ANSWER, EXPLAIN_FAULT };

struct explanation; /* a message that was read; in the arena */

/* Reads <body> (it must outlive the arena) as leniently as an answer of a partner is read, or, when
 * it is no message, as XML. Fails for want of memory only; what is wrong is told by the notes. */
MUST_CHECK struct status explain_read(struct span body, struct span content_type,
                                      struct arena *arena, struct diag *diag,
                                      struct explanation **ret_explanation);

/* For callers that go on: what the message claims, unproven. Absent: false or empty. */
struct explain_claims {
    enum explain_kind kind;
    bool has_transaction;
    enum soap_transaction transaction;
    bool has_created; /* wsu:Created is a time */
    int64_t created_us;
    struct span issuer;
    struct span community; /* bare OID */
};
struct explain_claims explain_claims(const struct explanation *explanation);

/* Why it is no message; NULL: it is one. */
const struct diag *explain_problem(const struct explanation *explanation);

/* "message": what it is, its parts; "envelope": headers and addressing. */
void explain_shape(const struct explanation *explanation, struct notes *notes);

/* A registered key and whose it is. */
struct explain_key {
    struct certificate *certificate;
    const char *owner;
};
/* "signatures": what each refers to, how it is made, and which key made it. *ret_signer: the key
 * among <keys> that made the assertion's; NULL: none of them. */
MUST_CHECK struct status explain_signatures(const struct explanation *explanation,
                                            const struct explain_key *keys, size_t keys_n,
                                            struct notes *notes, struct diag *diag,
                                            const struct explain_key **ret_signer);

/* One row in a list of checks. */
void explain_check(struct notes *notes, struct note *list, const char *name, struct status st,
                   const struct diag *why);
void explain_unchecked(struct notes *notes, struct note *list, const char *name, const char *why);

/* The checks of security_verify and saml_read, into <list>. <rules> without keys: with those that
 * the message itself brings, and without audiences: with the one that it names; then the rows say
 * that this proves nothing. <needs>: what would have to be given to prove more. */
MUST_CHECK struct status explain_checks(const struct explanation *explanation,
                                        const struct security_rules *rules, const char *needs,
                                        struct notes *notes, struct note *list, struct diag *diag);

/* "assertion": what it says. */
MUST_CHECK struct status explain_assertion(const struct explanation *explanation, int64_t now_us,
                                           struct notes *notes, struct diag *diag);

/* "payload". */
MUST_CHECK struct status explain_payload(const struct explanation *explanation, struct notes *notes,
                                         struct diag *diag);

/* "2026-11-22T10:30:00.000Z, 4 min 10 s ago" under <key>. */
void explain_time(struct notes *notes, struct note *parent, const char *key, int64_t at_us,
                  int64_t now_us);

#endif
