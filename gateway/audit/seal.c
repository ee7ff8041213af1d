/*
 * Following a chain and signing it. On the sealer's thread; reads files that the journal thread
 * writes, as any reader does, but never beyond what is durable: no signature leaves over a record
 * that a crash may take back.
 */
#include "audit/seal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/journal_state.h"
#include "audit/merkle.h"
#include "base/mem.h"

#define CHECKPOINT_EVENT    "{\"type\":\"audit-checkpoint\"" /* as audit_event_encode begins */
#define PAYLOAD_ARENA_BYTES (4 * STATEMENT_BYTES_MAX)

struct seal {
    const struct journal_place *place;
    struct journal *journal;
    struct seal_options options;
    struct chain *chain;
    /* Over the records of one segment that were read; the last of them is <last>. */
    struct merkle tree;
    uint64_t segment; /* 0: none was read */
    uint64_t last;
    uint8_t last_hash[SHA256_BYTES];
    bool is_lost;  /* the tree misses a record */
    bool has_next; /* the chain's current record begins the next segment and is not in the tree */
    uint64_t fresh;
};

/* ---- where to begin ---- */

struct scan {
    const struct segment_list *list;
    bool *is_sealed; /* by index in the list */
};

static void
note_sealed(struct scan *scan, const struct checkpoint *checkpoint)
{
    for (size_t i = 0; i < scan->list->n && checkpoint->is_final; i++) {
        if (scan->list->items[i] == checkpoint->segment) {
            scan->is_sealed[i] = true;
        }
    }
}

/* A checkpoint in the chain's current record; false: it is none, or it does not read (verification
 * says so). */
static struct status
read_checkpoint(const struct chain *chain, struct diag *diag, bool *ret_is_one,
                struct checkpoint *ret_checkpoint)
{
    struct statement statement;
    struct diag why = {0};
    *ret_is_one = false;
    if (chain->head.type != RECORD_STATEMENT) {
        return OK;
    }
    struct arena *arena = arena_new(PAYLOAD_ARENA_BYTES);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a checkpoint");
    }
    struct status st = statement_decode(chain_statement(chain), arena, &why, &statement);
    if (is_ok(st)) {
        st = checkpoint_read(statement.text, &why, ret_checkpoint);
    }
    arena_free(arena);
    *ret_is_one = is_ok(st) && ret_checkpoint->sequence < chain->head.sequence;
    return st.code == ERR_NO_MEMORY ? FAIL(diag, st.code, "%s", why.text) : OK;
}

static struct status
scan_segment(const struct journal_place *place, const char *name, uint64_t first, uint64_t until,
             struct scan *scan, struct diag *diag)
{
    struct chain *chain = NULL;
    TRY(chain_open(place, name, first, diag, &chain));
    struct status st = OK;
    bool has = true;
    while (is_ok(st) && has && chain->sequence < until) {
        struct checkpoint checkpoint;
        bool is_one = false;
        st = chain_next(chain, diag, &has);
        if (is_ok(st) && has) {
            st = read_checkpoint(chain, diag, &is_one, &checkpoint);
        }
        if (is_one) {
            note_sealed(scan, &checkpoint);
        }
    }
    chain_close(chain);
    return st;
}

/* From the newest back, until a finished segment has its checkpoint. */
static struct status
scan_back(const struct journal_place *place, const char *name, uint64_t end, struct scan *scan,
          struct diag *diag, uint64_t *ret_begin)
{
    const struct segment_list *list = scan->list;
    size_t at = list->n - 1;
    TRY(scan_segment(place, name, list->items[at], end, scan, diag));
    while (at > 0 && !scan->is_sealed[at - 1]) {
        at--;
        TRY(scan_segment(place, name, list->items[at], list->items[at + 1], scan, diag));
    }
    *ret_begin = list->items[at];
    return OK;
}

static struct status
find_begin(const struct seal *seal, uint64_t end, struct diag *diag, uint64_t *ret_begin)
{
    struct segment_list list;
    TRY(segment_list_read(seal->journal->folder, diag, &list));
    struct scan scan = {.list = &list, .is_sealed = mem_alloc(list.n + 1)};
    struct status st = OK;
    if (scan.is_sealed == NULL) {
        st = FAIL(diag, ERR_NO_MEMORY, "no memory for %zu segments", list.n);
    } else if (list.n > 0) {
        st = scan_back(seal->place, seal->journal->chain, end, &scan, diag, ret_begin);
    }
    mem_free(scan.is_sealed);
    segment_list_done(&list);
    return st;
}

static uint64_t
durable_end(const struct seal *seal)
{
    const struct journal_lag lag = journal_read_lag(seal->journal);
    return lag.records - lag.waiting + 1;
}

struct status
seal_open(const struct journal_place *place, struct journal *journal,
          const struct seal_options *options, struct diag *diag, struct seal **ret_seal)
{
    uint64_t begin = 0;
    struct seal *seal = mem_alloc(sizeof(*seal));
    if (seal == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to seal a chain");
    }
    seal->place = place;
    seal->journal = journal;
    seal->options = *options;
    struct status st = find_begin(seal, durable_end(seal), diag, &begin);
    if (is_ok(st)) {
        st = chain_open(place, journal->chain, begin, diag, &seal->chain);
    }
    if (!is_ok(st)) {
        seal_close(seal);
        return st;
    }
    *ret_seal = seal;
    return OK;
}

void
seal_close(struct seal *seal)
{
    if (seal != NULL) {
        chain_close(seal->chain);
        mem_free(seal);
    }
}

/* ---- signing ---- */

static struct status
append(struct seal *seal, const struct checkpoint *checkpoint, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    CLEANUP(buf_done) struct buf payload;
    uint64_t sequence = 0;
    buf_init(&text, STATEMENT_BYTES_MAX);
    buf_init(&payload, RECORD_PAYLOAD_MAX);
    TRY(checkpoint_write(checkpoint, &text, diag));
    TRY(statement_sign(&seal->options.signer, buf_span(&text), &payload, diag));
    TRY(journal_append_statement(seal->journal, buf_span(&payload), diag, &sequence));
    if (seal->options.tell != NULL) {
        seal->options.tell(seal->options.arg, &(struct seal_told){checkpoint, buf_span(&payload)});
    }
    return OK;
}

static struct status
sign_here(struct seal *seal, bool is_final, struct diag *diag)
{
    struct checkpoint checkpoint = {
        .sequence = seal->last,
        .segment = seal->segment,
        .is_final = is_final,
        .time_us = clock_wall_us(seal->options.clock),
    };
    (void)snprintf(checkpoint.chain, sizeof(checkpoint.chain), "%s", seal->journal->chain);
    memcpy(checkpoint.hash, seal->last_hash, SHA256_BYTES);
    TRY(merkle_root(&seal->tree, diag, checkpoint.root));
    TRY(append(seal, &checkpoint, diag));
    seal->fresh = 0;
    return OK;
}

struct status
seal_sign(struct seal *seal, struct diag *diag)
{
    return seal->fresh == 0 ? OK : sign_here(seal, false, diag);
}

/* ---- following ---- */

struct status
seal_is_told(struct chain *chain, struct diag *diag, bool *ret_is_told)
{
    char subject[JOURNAL_CHAIN_MAX + 32];
    struct span payload;
    TRY(chain_payload(chain, diag, &payload));
    (void)snprintf(subject, sizeof(subject), "\"subject\":\"%s/", chain->name);
    *ret_is_told = span_starts_with(payload, SPAN(CHECKPOINT_EVENT)) &&
                   span_find(payload, span_of_cstr(subject)) != SPAN_MISSING;
    return OK;
}

/* An event that tells of a checkpoint asks for none itself. What cannot be decrypted does. */
static bool
is_new(struct chain *chain)
{
    struct diag ignored = {0};
    bool is_told = false;
    return chain->head.type != RECORD_STATEMENT &&
           !(is_ok(seal_is_told(chain, &ignored, &is_told)) && is_told);
}

static struct status
add(struct seal *seal, struct diag *diag)
{
    struct chain *chain = seal->chain;
    struct checkpoint checkpoint;
    bool is_one = false;
    TRY(read_checkpoint(chain, diag, &is_one, &checkpoint));
    TRY(merkle_add(&seal->tree, chain->previous, diag));
    seal->last = chain->head.sequence;
    memcpy(seal->last_hash, chain->previous, SHA256_BYTES);
    if (is_one) { /* of this process, or of one before */
        const uint64_t behind = seal->last - 1 - checkpoint.sequence;
        seal->fresh = seal->fresh < behind ? seal->fresh : behind;
    } else if (is_new(chain)) {
        seal->fresh++;
    }
    return OK;
}

/* The chain's current record joins the tree. */
static struct status
take(struct seal *seal, struct diag *diag)
{
    const struct status st = add(seal, diag);
    seal->is_lost = seal->is_lost || !is_ok(st);
    return st;
}

static struct status
begin_segment(struct seal *seal, struct diag *diag)
{
    seal->tree = (struct merkle){.n = 0};
    seal->segment = seal->chain->segment.head.first_sequence;
    return take(seal, diag);
}

/* Before the next record is read: the one in hand, which begins another segment. */
static struct status
leave_segment(struct seal *seal, struct diag *diag)
{
    if (!seal->has_next) {
        return OK;
    }
    TRY(sign_here(seal, true, diag));
    TRY(begin_segment(seal, diag));
    seal->has_next = false;
    return OK;
}

struct status
seal_follow(struct seal *seal, struct diag *diag)
{
    const uint64_t end = durable_end(seal);
    TRY(leave_segment(seal, diag));
    while (seal->chain->sequence < end) {
        bool has = false;
        TRY(chain_next(seal->chain, diag, &has));
        if (!has) {
            return OK;
        }
        if (seal->segment == 0) {
            TRY(begin_segment(seal, diag));
        } else if (seal->chain->segment.head.first_sequence != seal->segment) {
            seal->has_next = true;
            TRY(leave_segment(seal, diag));
        } else {
            TRY(take(seal, diag));
        }
    }
    return OK;
}

uint64_t
seal_uncovered(const struct seal *seal)
{
    return seal->fresh;
}

bool
seal_is_lost(const struct seal *seal)
{
    return seal->is_lost;
}
