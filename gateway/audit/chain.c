/*
 * Reading one chain. Called by recovery (program start) and by the journal's readers; each cursor
 * belongs to one thread. It takes no lock: what a live writer is just doing is told from damage by
 * reading once more after the proof, because what a proof calls durable no longer changes.
 */
#include "audit/chain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

#define ADVICE                                                                                     \
    "keep a copy of this folder as evidence, then restore it or move it away "                     \
    "(the node starts a new chain)"

static struct status
broken(struct chain *chain, struct diag *diag, const char *what)
{
    return FAIL(diag, ERR_JOURNAL,
                "chain %s, segment %s, offset %" PRIu64 ", record %" PRIu64 ": %s; " ADVICE,
                chain->name, chain->segment.path, chain->offset, chain->sequence, what);
}

/* ---- segments ---- */

static bool
is_zero_hash(const uint8_t hash[SHA256_BYTES])
{
    static const uint8_t zero[SHA256_BYTES];
    return memcmp(hash, zero, SHA256_BYTES) == 0;
}

/* The first segment of a cursor: its head says what the record before was. */
static struct status
begin_at(struct chain *chain, uint64_t first, struct diag *diag)
{
    TRY(segment_open(chain->folder, chain->name, first, false, diag, &chain->segment));
    chain->offset = segment_head_bytes(&chain->segment.head);
    chain->sequence = first;
    memcpy(chain->previous, chain->segment.head.previous, SHA256_BYTES);
    if (first == JOURNAL_FIRST_NUMBER && !is_zero_hash(chain->previous)) {
        return broken(chain, diag, "the first segment says that something was before it");
    }
    return OK;
}

static struct status
begin_before(struct chain *chain, uint64_t from, struct diag *diag)
{
    struct segment_list list;
    TRY(segment_list_read(chain->folder, diag, &list));
    struct status st = OK;
    if (list.n > 0) {
        size_t at = 0;
        while (at + 1 < list.n && list.items[at + 1] <= from) {
            at++;
        }
        st = begin_at(chain, list.items[at], diag);
    }
    segment_list_done(&list);
    return st;
}

/* The segment that starts after this one: its first sequence, or 0. */
static struct status
find_later(struct chain *chain, struct diag *diag, uint64_t *ret_first)
{
    struct segment_list list;
    uint64_t first = 0;
    TRY(segment_list_read(chain->folder, diag, &list));
    for (size_t i = list.n; i > 0 && list.items[i - 1] > chain->segment.head.first_sequence; i--) {
        first = list.items[i - 1];
    }
    segment_list_done(&list);
    *ret_first = first;
    return OK;
}

static struct status
go_on_with(struct chain *chain, uint64_t first, struct diag *diag)
{
    struct segment next;
    TRY(segment_open(chain->folder, chain->name, first, false, diag, &next));
    if (memcmp(next.head.previous, chain->previous, SHA256_BYTES) != 0) {
        segment_close(&next);
        return broken(chain, diag,
                      "the next segment does not carry the hash of the last record here");
    }
    segment_close(&chain->segment);
    chain->segment = next;
    chain->offset = segment_head_bytes(&chain->segment.head);
    chain->is_keyed = false;
    return OK;
}

/* A writer that begins with another key replaces a segment in which nothing was written. */
static struct status
renew(struct chain *chain, struct diag *diag)
{
    const uint64_t first = chain->segment.head.first_sequence;
    struct stat here;
    struct stat there;

    if (chain->offset != segment_head_bytes(&chain->segment.head) || chain->sequence != first ||
        fstat(chain->segment.fd, &here) == -1 || stat(chain->segment.path, &there) == -1 ||
        here.st_ino == there.st_ino) {
        return OK;
    }
    return go_on_with(chain, first, diag);
}

/* ---- records ---- */

static struct status
read_here(struct chain *chain, struct diag *diag, enum record_verdict *ret_verdict)
{
    return segment_read(&chain->segment, chain->offset, &chain->record, diag, ret_verdict,
                        &chain->head);
}

/* A good record is at the cursor: is it the one that belongs here? */
static struct status
accept(struct chain *chain, struct diag *diag)
{
    uint8_t hash[SHA256_BYTES];
    if (chain->head.sequence != chain->sequence) {
        char what[64];
        (void)snprintf(what, sizeof(what), "its sequence is %" PRIu64, chain->head.sequence);
        return broken(chain, diag, what);
    }
    if (memcmp(chain->head.previous, chain->previous, SHA256_BYTES) != 0) {
        return broken(
            chain, diag,
            "it does not carry the hash of the record before: one of the two was replaced");
    }
    TRY(digest_sha256(buf_span(&chain->record), diag, hash));
    memcpy(chain->previous, hash, SHA256_BYTES);
    chain->offset += chain->record.n;
    chain->sequence++;
    chain->is_torn = false;
    chain->text = SPAN_EMPTY;
    return OK;
}

/* The segment has a successor, so it is finished: it must end where its last record does. */
static struct status
leave_finished(struct chain *chain, uint64_t later, struct diag *diag, bool *ret_has)
{
    enum record_verdict verdict = RECORD_GOOD;
    TRY(read_here(chain, diag, &verdict));
    if (verdict == RECORD_GOOD) { /* written after we looked, before the successor was made */
        TRY(accept(chain, diag));
        *ret_has = true;
        return OK;
    }
    if (verdict != RECORD_ENDS) {
        return broken(chain, diag, record_verdict_text(verdict));
    }
    if (later != chain->sequence) {
        char what[96];
        (void)snprintf(what, sizeof(what), "the next segment there is begins with record %" PRIu64,
                       later);
        return broken(chain, diag, what);
    }
    TRY(go_on_with(chain, later, diag));
    *ret_has = false;
    return OK;
}

static struct status
damaged(struct chain *chain, enum record_verdict verdict, const struct segment_tail *tail,
        struct diag *diag)
{
    char what[192];
    if (tail->proof_at == 0) {
        (void)snprintf(what, sizeof(what), "%s, in a file that was closed properly",
                       record_verdict_text(verdict));
    } else {
        (void)snprintf(what, sizeof(what),
                       "%s, but record %" PRIu64 " at offset %" PRIu64
                       " proves that it was on the disk once",
                       record_verdict_text(verdict), tail->proof.sequence, tail->proof_at);
    }
    return broken(chain, diag, what);
}

/* No good record here and no later segment: the end, a torn end, or damage. */
static struct status
judge_end(struct chain *chain, enum record_verdict verdict, struct diag *diag, bool *ret_has)
{
    struct segment_tail tail = {0};
    const bool is_empty = verdict == RECORD_BLANK || verdict == RECORD_ENDS;
    *ret_has = false;
    if (is_empty && chain->judged_at == chain->offset) {
        return OK; /* whoever follows a chain asks often */
    }
    TRY(segment_judge_tail(&chain->segment, chain->offset, chain->sequence, diag, &tail));
    if (tail.is_damage) {
        enum record_verdict now = RECORD_GOOD;
        TRY(read_here(chain, diag, &now));
        if (now != RECORD_GOOD) {
            return damaged(chain, now, &tail, diag);
        }
        TRY(accept(chain, diag));
        *ret_has = true;
        return OK;
    }
    chain->is_torn = !tail.is_blank;
    chain->judged_at = chain->offset;
    return OK;
}

struct status
chain_next(struct chain *chain, struct diag *diag, bool *ret_has)
{
    for (;;) {
        enum record_verdict verdict = RECORD_GOOD;
        uint64_t later = 0;
        *ret_has = false;
        if (chain->segment.fd == -1) {
            TRY(begin_before(chain, chain->sequence, diag));
            if (chain->segment.fd == -1) {
                return OK;
            }
        }
        TRY(renew(chain, diag));
        TRY(read_here(chain, diag, &verdict));
        if (verdict == RECORD_GOOD) {
            TRY(accept(chain, diag));
            *ret_has = true;
            return OK;
        }
        TRY(find_later(chain, diag, &later));
        if (later == 0) {
            return judge_end(chain, verdict, diag, ret_has);
        }
        TRY(leave_finished(chain, later, diag, ret_has));
        if (*ret_has) {
            return OK;
        }
    }
}

/* ---- payloads ---- */

static struct status
missing_key(const struct chain *chain, struct diag *diag)
{
    char id[JOURNAL_KEY_ID_HEX];
    hex_encode(chain->segment.head.key_id, JOURNAL_KEY_ID_BYTES, id);
    return FAIL(diag, ERR_JOURNAL,
                "chain %s, record %" PRIu64 ": it is encrypted with key %s, which is neither "
                "audit.encryption.key nor one of its old_keys",
                chain->name, chain->head.sequence, id);
}

static struct status
take_key(struct chain *chain, struct diag *diag)
{
    const struct segment_head *head = &chain->segment.head;
    const struct journal_key *key = journal_keys_find(chain->keys, head->key_id);
    if (key == NULL) {
        return missing_key(chain, diag);
    }
    if (chain->cipher == NULL) {
        TRY(cipher_new(diag, &chain->cipher));
    }
    TRY(cipher_start(chain->cipher, key, head->salt, chain->name, diag));
    chain->is_keyed = true;
    return OK;
}

static struct status
decrypt(struct chain *chain, struct diag *diag)
{
    if (!chain->is_keyed) {
        TRY(take_key(chain, diag));
    }
    const struct status st =
        cipher_open(chain->cipher, chain->record.p, chain->record.n, diag, &chain->text);
    if (!is_ok(st)) {
        diag_prefix(diag, "chain %s, record %" PRIu64, chain->name, chain->head.sequence);
    }
    return st;
}

struct status
chain_payload(struct chain *chain, struct diag *diag, struct span *ret_payload)
{
    const bool is_encrypted =
        chain->segment.head.is_encrypted && record_is_encrypted(chain->head.type);
    if (chain->text.p == NULL && is_encrypted) {
        TRY(decrypt(chain, diag));
    } else if (chain->text.p == NULL) {
        chain->text = span_slice(buf_span(&chain->record), RECORD_HEAD_BYTES, chain->record.n);
    }
    *ret_payload = chain->text;
    return OK;
}

/* ---- opening ---- */

static struct status
chain_make(const struct journal_place *place, const char *name, struct diag *diag,
           struct chain **ret_chain)
{
    struct chain *chain = mem_alloc(sizeof(*chain));
    if (chain == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read chain %s", name);
    }
    (void)snprintf(chain->name, sizeof(chain->name), "%s", name);
    chain->keys = place->keys;
    chain->segment.fd = -1;
    chain->judged_at = 0;
    buf_init_secret(&chain->record, RECORD_HEAD_BYTES + RECORD_PAYLOAD_MAX);
    const struct status st = journal_path(chain->folder, place->dir, name, diag);
    if (!is_ok(st)) {
        chain_close(chain);
        return st;
    }
    *ret_chain = chain;
    return OK;
}

/* Reads on until the next record is <from>, or there is none. */
static struct status
skip_to(struct chain *chain, uint64_t from, struct diag *diag)
{
    bool has = true;
    while (has && chain->sequence < from) {
        TRY(chain_next(chain, diag, &has));
    }
    return OK;
}

struct status
chain_open(const struct journal_place *place, const char *name, uint64_t from, struct diag *diag,
           struct chain **ret_chain)
{
    struct chain *chain = NULL;
    TRY(chain_make(place, name, diag, &chain));
    struct status st = begin_before(chain, from, diag);
    if (is_ok(st) && chain->segment.fd != -1) {
        st = skip_to(chain, from, diag);
    }
    if (!is_ok(st)) {
        chain_close(chain);
        return st;
    }
    *ret_chain = chain;
    return OK;
}

struct status
chain_open_last(const struct journal_place *place, const char *name, uint64_t n, struct diag *diag,
                struct chain **ret_chain)
{
    struct chain *chain = NULL;
    if (n == UINT64_MAX) {
        return chain_open(place, name, 0, diag, ret_chain);
    }
    TRY(chain_make(place, name, diag, &chain));
    const struct status st = begin_before(chain, UINT64_MAX, diag);
    if (is_ok(st) && chain->segment.fd != -1) {
        /* Damage on the way is met again, and said, by whoever reads the records before it. */
        struct diag ignored = {0};
        (void)is_ok(skip_to(chain, UINT64_MAX, &ignored));
    }
    const uint64_t end = chain->sequence; /* one behind the last record; 0 in an empty chain */
    chain_close(chain);
    TRY(st);
    return chain_open(place, name, end > n ? end - n : 0, diag, ret_chain);
}

void
chain_close(struct chain *chain)
{
    if (chain != NULL) {
        segment_close(&chain->segment);
        buf_done(&chain->record);
        cipher_free(chain->cipher);
        mem_free(chain);
    }
}
