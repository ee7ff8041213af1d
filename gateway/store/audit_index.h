/*
 * A search index over audit records. Derived: the journal (audit/journal.h) is the record, this
 * holds what is searched for and where it stands, and may be removed at any time: it is made again.
 * Nothing that writes the journal waits for it; whoever searches brings it up to date first.
 *
 * One SQLite file, readable by its owner alone, because it names patients. Several processes may
 * use it at once. Thread: one at a time per handle. ERR_STORE when the disk or the file is at
 * fault; ERR_STORE_BUSY when another process has been writing for too long.
 */
#ifndef STORE_AUDIT_INDEX_H
#define STORE_AUDIT_INDEX_H

#include "base/arena.h"
#include "base/digest.h"
#include "base/document.h"

struct audit_index;

/* Makes the file when it is missing, and makes it anew when it is of another version. */
MUST_CHECK struct status audit_index_open(const char *path, struct diag *diag,
                                          struct audit_index **ret_index);
void audit_index_close(struct audit_index *index); /* NULL is fine */
/* Takes the file away, so that the next opening makes it anew. Waits until no other process uses it
 * (ERR_STORE_BUSY). A file that is no index is left alone: ERR_STORE. */
MUST_CHECK struct status audit_index_remove(const char *path, struct diag *diag);
/* The same, but only when SQLite finds that the file is damaged; nobody here has it open. */
MUST_CHECK struct status audit_index_remove_damaged(const char *path, struct diag *diag,
                                                    bool *ret_is_removed);

/* How far a chain is known: its last record's sequence (0: not at all) and hash. */
struct audit_index_position {
    uint64_t sequence;
    char hash[SHA256_HEX];
};
MUST_CHECK struct status audit_index_position(struct audit_index *index, const char *chain,
                                              struct diag *diag,
                                              struct audit_index_position *ret_position);
/* Everything that is known of a chain goes: it is not the one that was read. */
MUST_CHECK struct status audit_index_forget(struct audit_index *index, const char *chain,
                                            struct diag *diag);

/* What of a record can be searched for. Codes and phases are the names that the journal writes. */
struct audit_index_row {
    const char *chain;
    uint64_t sequence;
    int64_t time_us;
    const char *type, *phase;
    int outcome;                    /* 0, 4, 8, 12 */
    struct span user, organization; /* as text_fold has them */
    struct span partner, community, purpose, rule, message, transaction;
    const struct span_list *patients; /* CX */
    const struct document_ref_list *documents;
};
/* Records are added in groups: begin, rows, then end with the chain's new position; all or none. */
MUST_CHECK struct status audit_index_begin(struct audit_index *index, struct diag *diag);
MUST_CHECK struct status audit_index_add(struct audit_index *index,
                                         const struct audit_index_row *row, struct diag *diag);
/* <outcome>: OK, else nothing is kept and <outcome> is returned. */
MUST_CHECK struct status audit_index_end(struct audit_index *index, const char *chain,
                                         const struct audit_index_position *position,
                                         struct status outcome, struct diag *diag);

struct audit_index_place {
    char chain[64];
    uint64_t sequence;
};
struct audit_index_places {
    struct audit_index_place *items;
    size_t n, capacity;
};
/* All that are not empty must hold. */
struct audit_index_query {
    struct span_list patients;  /* any of them: CX, its ID^^^&OID part, or the ID alone */
    struct span document;       /* uniqueId */
    struct span user;           /* part of the name or id; folded */
    struct span organization;   /* part; folded */
    struct span partner;        /* id, or the community's OID */
    struct span purpose;        /* code */
    struct span type;           /* "ITI-55", "node-start" */
    struct span phase;          /* "intent", "outcome" */
    struct span rule;           /* of the policy, that decided */
    struct span message;        /* wsa:MessageID, also without its urn:uuid: */
    struct span transaction;    /* ours */
    int outcome, outcome_most;  /* from..to; -1: any */
    int64_t since_us, until_us; /* since <= time < until */
    /* A page: what follows this record in the order that is asked for. Sequence 0: the first. */
    struct audit_index_place after;
    bool is_newest_first;
    size_t limit;
};
/* In the order that was asked for, in the arena. *ret_has_more: there are others beyond the limit.
 * ERR_NOT_FOUND when there is no record <after>. */
MUST_CHECK struct status audit_index_find(struct audit_index *index,
                                          const struct audit_index_query *query,
                                          struct arena *arena, struct diag *diag,
                                          struct audit_index_places *ret_places,
                                          bool *ret_has_more);
/* How many there are, whatever <limit> is. */
MUST_CHECK struct status audit_index_count(struct audit_index *index,
                                           const struct audit_index_query *query, struct diag *diag,
                                           uint64_t *ret_n);

/* An asked patient id as stretches of the ids that it means: from <= id < until. Made in C so that
 * whoever checks a record without the index means the same. */
bool audit_index_patient_is(struct span asked, struct span patient);

#endif
