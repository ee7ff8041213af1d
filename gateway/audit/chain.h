/*
 * One chain read from some record on: verifies length, CRC, sequence and the hash of the record
 * before, across segments, also while a journal writes the chain. Recovery and readers use it.
 *
 * Owner: whoever opened it. Thread: one at a time.
 */
#ifndef AUDIT_CHAIN_H
#define AUDIT_CHAIN_H

#include "audit/cipher.h"
#include "audit/place.h"
#include "audit/segment.h"

struct chain {
    char name[JOURNAL_CHAIN_MAX + 1];
    char folder[PATH_MAX];
    const struct journal_keys *keys; /* the caller's; NULL: none are known */
    struct segment segment;          /* fd -1: none yet */
    uint64_t offset;                 /* where the next record stands */
    uint64_t sequence;               /* what the next record must have */
    uint8_t previous[SHA256_BYTES];
    uint64_t judged_at; /* offset of a tail that was judged already; 0: none */
    bool is_torn;       /* the tail is not blank: a crash tore it, or it is being written */
    /* The record that chain_next gave last: */
    struct buf record; /* head and payload */
    struct record_head head;
    struct span text; /* its payload, decrypted; NULL: not asked for yet */

    struct cipher *cipher; /* NULL: nothing was to be decrypted yet */
    bool is_keyed;         /* it has this segment's key */
};

/* Before the first record whose sequence is <from> or more (0: the first that exists). A chain
 * without segments is an empty one. */
MUST_CHECK struct status chain_open(const struct journal_place *place, const char *name,
                                    uint64_t from, struct diag *diag, struct chain **ret_chain);
/* Before the last <n> records. */
MUST_CHECK struct status chain_open_last(const struct journal_place *place, const char *name,
                                         uint64_t n, struct diag *diag, struct chain **ret_chain);
void chain_close(struct chain *chain); /* NULL is fine */

/* The next record into chain->record and chain->head; false: there is none now (a writer may add
 * one: ask again). ERR_JOURNAL says chain, segment, offset, what does not fit and what to do; the
 * cursor stays where it was. */
MUST_CHECK struct status chain_next(struct chain *chain, struct diag *diag, bool *ret_has);

/* What chain_next gave last, decrypted when it is encrypted; valid until the next. ERR_JOURNAL: its
 * key is not among the keys (the text names it), or it was changed. */
MUST_CHECK struct status chain_payload(struct chain *chain, struct diag *diag,
                                       struct span *ret_payload);

/* The same of a signed statement: those are never encrypted. */
static inline struct span
chain_statement(const struct chain *chain)
{
    return span_slice(buf_span(&chain->record), RECORD_HEAD_BYTES, chain->record.n);
}

#endif
