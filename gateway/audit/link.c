/*
 * Into the chain: each record gets the hash of the one before, is encrypted, and gets its own hash
 * and CRC. That is work for a processor, one record after the other: the journal thread does it
 * before it writes, and whoever appends does some of it while the journal thread waits, for the
 * disk or for more records, so that little is left when the disk is free.
 *
 * A record also says up to where the chain was durable when it was linked: that is how a damaged
 * record is told from a torn one (segment_judge_tail). Who appends never links the newest record,
 * so the last of each batch is linked when the batch before it is durable, and says so.
 */
#include "audit/journal_state.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#define ROW_RECORDS 16                   /* fewer are left to the journal thread */
#define KEEP_BYTES  ((size_t)256 * 1024) /* a larger buffer is given back after use */

void
journal_clear(struct buf *buf)
{
    if (buf->capacity > KEEP_BYTES) {
        buf_done(buf);
    } else if (buf->n > 0) {
        mem_wipe(buf->p, buf->n);
        buf->n = 0;
    }
}

static void
swap(struct buf *a, struct buf *b)
{
    const struct buf kept = *a;
    *a = *b;
    *b = kept;
}

/* The first of <records>, which journal_append packed. */
static struct record_head
first_head(struct span records, size_t *ret_n)
{
    struct record_head head;
    const enum record_verdict verdict = record_unpack(records, &head);
    assert(verdict == RECORD_GOOD);
    (void)verdict;
    *ret_n = RECORD_HEAD_BYTES + (size_t)head.length;
    return head;
}

/* Encrypted in between: the hash covers what stands in the file. */
static struct status
link_record(struct journal *journal, char *record, size_t n, uint32_t type, struct diag *diag)
{
    record_link(record, atomic_load(&journal->durable), journal->previous);
    if (journal->cipher != NULL && record_is_encrypted(type)) {
        TRY(cipher_seal(journal->cipher, record, n, diag));
    }
    return record_finish(record, n, diag, journal->previous);
}

/* One byte of a segment always stays free: a file without a zero behind its content is a finished
 * one. */
static bool
fits(const struct journal *journal, size_t n)
{
    return journal->linked_end + n < journal->segment.head.size;
}

static struct status
link_row(struct journal *journal, struct diag *diag)
{
    for (size_t at = 0; at < journal->row.n;) {
        size_t n = 0;
        const struct span rest = span_slice(buf_span(&journal->row), at, journal->row.n);
        const struct record_head head = first_head(rest, &n);
        TRY(link_record(journal, journal->row.p + at, n, head.type, diag));
        at += n;
    }
    return OK;
}

/* Is there room for <n> bytes more behind what was linked before? */
static bool
can_keep(struct journal *journal, size_t n)
{
    struct diag ignored = {0};
    char *room = NULL;
    return journal->linked.n == 0 || is_ok(buf_reserve(&journal->linked, n, &ignored, &room));
}

/* The row is linked, and goes behind what was linked before it. */
static struct status
keep_row(struct journal *journal, struct diag *diag)
{
    const size_t n = journal->row.n;
    if (journal->linked.n == 0) {
        swap(&journal->row, &journal->linked);
    } else {
        TRY(buf_append(&journal->linked, buf_span(&journal->row), diag));
    }
    journal_clear(&journal->row);
    journal->linked_end += n;
    return OK;
}

/* ---- ahead ---- */

bool
journal_begin_linking(struct journal *journal)
{
    if (journal->queue_records < ROW_RECORDS || pthread_mutex_trylock(&journal->linking) != 0) {
        return false;
    }
    if (journal->has_link_failed || !fits(journal, journal->queue.n) ||
        !can_keep(journal, journal->queue.n)) {
        (void)pthread_mutex_unlock(&journal->linking);
        return false;
    }
    journal_take_queue(journal);
    return true;
}

/* The journal thread hears of a failure when it comes to these records. */
void
journal_link_ahead(struct journal *journal)
{
    struct diag *const diag = &journal->link_failure;
    journal->has_link_failed = !is_ok(link_row(journal, diag)) || !is_ok(keep_row(journal, diag));
    (void)pthread_mutex_unlock(&journal->linking);
}

/* ---- by the journal thread ---- */

void
journal_take_queue(struct journal *journal)
{
    assert(journal->row.n == 0 || journal->has_link_failed);
    swap(&journal->row, &journal->queue);
    journal->queue_records = 0;
}

struct status
journal_write_run(struct journal *journal, struct span run, struct diag *diag)
{
    TRY(segment_write(&journal->segment, journal->offset, run, diag));
    journal->offset += run.n;
    return OK;
}

static struct status
write_linked(struct journal *journal, struct diag *diag)
{
    TRY(journal_write_run(journal, buf_span(&journal->linked), diag));
    journal_clear(&journal->linked);
    return OK;
}

static struct status
rotate(struct journal *journal, uint64_t first, size_t need, struct diag *diag)
{
    if (first == journal->segment.head.first_sequence) { /* too small for the very first */
        return journal_next_segment(journal, first, need, true, diag);
    }
    TRY(segment_finish(&journal->segment, journal->offset, diag));
    return journal_next_segment(journal, first, need, false, diag);
}

/* The row does not fit: it is written piece by piece, with a segment's end behind each but the
 * last. */
static struct status
link_over_ends(struct journal *journal, struct diag *diag)
{
    const struct span row = buf_span(&journal->row);
    size_t written = 0;
    TRY(write_linked(journal, diag));
    for (size_t at = 0; at < row.n;) {
        size_t n = 0;
        const struct record_head head = first_head(span_slice(row, at, row.n), &n);
        if (!fits(journal, n)) {
            TRY(journal_write_run(journal, span_slice(row, written, at - written), diag));
            TRY(rotate(journal, head.sequence, n, diag));
            written = at;
        }
        TRY(link_record(journal, journal->row.p + at, n, head.type, diag));
        journal->linked_end += n;
        at += n;
    }
    TRY(journal_write_run(journal, span_slice(row, written, row.n), diag));
    journal_clear(&journal->row);
    return OK;
}

struct status
journal_link_all(struct journal *journal, struct diag *diag)
{
    if (journal->has_link_failed) {
        return FAIL(diag, ERR_JOURNAL, "%s", journal->link_failure.text);
    }
    if (!fits(journal, journal->row.n)) {
        return link_over_ends(journal, diag);
    }
    TRY(link_row(journal, diag));
    if (!can_keep(journal, journal->row.n)) {
        TRY(write_linked(journal, diag));
    }
    return keep_row(journal, diag);
}
