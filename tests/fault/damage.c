/*
 * Family "damage": bits that flip, tails that are cut and segments that go, in journals that were
 * closed in order and in such that were not. verify must find each; what it cannot find (README.md)
 * is known beforehand by the place of the damage, counted apart, and said. Called by fault.c on the
 * main thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/journal.h"
#include "tests/fault/fault.h"
#include "tests/fault/keeper.h"
#include "tests/fault/medium.h"

#define TRANSACTIONS 16
#define UNCOVERED    3 /* records behind the last checkpoint */

static const struct work_terms terms = {.sizes = {4096, 1024 * 1024, 0, false}};

struct subject {
    struct image image;
    bool is_closed;
    size_t segments[64]; /* items, in order of their names */
    size_t segments_n;
    struct checkpoint covered; /* the last one, kept elsewhere */
};

enum damage_kind { DAMAGE_FLIP, DAMAGE_CUT, DAMAGE_GONE, DAMAGE_KINDS };

/* ---- a journal to be damaged ---- */

static struct status
write_journal(const char *dir, bool is_closed, struct diag *diag, struct image *ret_image)
{
    struct journal *journal = NULL;
    struct worker worker;
    atomic_ullong next = 1;
    TRY(work_open(dir, &terms, diag, &journal));
    worker_init(&worker, journal, &next, is_closed ? 1 : 2);
    worker.left = TRANSACTIONS;
    (void)worker_run(&worker);
    struct status st = (struct status){worker.diag.code};
    *diag = worker.diag;
    if (is_ok(st)) {
        st = keeper_sign(work_place(dir), journal, diag);
    }
    for (uint64_t i = 0; i < UNCOVERED && is_ok(st); i++) {
        st = worker_append(&worker, 2 * TRANSACTIONS + 100 + i, diag);
    }
    if (is_ok(st) && !is_closed) {
        st = image_read(dir, diag, ret_image);
    }
    journal_close(journal);
    return is_ok(st) && is_closed ? image_read(dir, diag, ret_image) : st;
}

static bool
is_segment(const struct image_item *item)
{
    return span_ends_with(span_of_cstr(item->path), SPAN(".seg"));
}

static void
find_segments(struct subject *subject)
{
    for (size_t i = 0; i < subject->image.n && subject->segments_n < 64; i++) {
        if (!is_segment(&subject->image.items[i])) {
            continue;
        }
        size_t at = subject->segments_n++;
        while (at > 0 && strcmp(subject->image.items[subject->segments[at - 1]].path,
                                subject->image.items[i].path) > 0) {
            subject->segments[at] = subject->segments[at - 1];
            at--;
        }
        subject->segments[at] = i;
    }
}

struct looked {
    bool is_found;
    struct checkpoint covered;
};

static void
take_report(void *arg, const struct journal_chain_report *report)
{
    struct looked *const looked = arg;
    looked->is_found = looked->is_found || report->problem != NULL;
    looked->covered = report->covered;
}

/* As `isthmus audit verify` does it; <covered>: a checkpoint that was kept elsewhere, or NULL. */
static struct status
look(const char *dir, struct checkpoint *covered, struct diag *diag, struct looked *ret_looked)
{
    const struct verify_list against = {covered, 1, 1};
    const struct verify_rules rules = {.judge = keeper_judge(),
                                       .against = covered == NULL ? NULL : &against};
    *ret_looked = (struct looked){.is_found = false};
    return journal_verify(work_place(dir), &rules, take_report, ret_looked, diag);
}

static struct status
make_subject(const char *dir, bool is_closed, struct diag *diag, struct subject *subject)
{
    struct looked looked;
    *subject = (struct subject){.is_closed = is_closed};
    TRY(image_remove(dir, diag));
    TRY(write_journal(dir, is_closed, diag, &subject->image));
    TRY(look(dir, NULL, diag, &looked));
    find_segments(subject);
    subject->covered = looked.covered;
    return subject->segments_n > 2 && subject->covered.sequence > 0 && !looked.is_found
               ? image_remove(dir, diag)
               : FAIL(diag, ERR_INTERNAL, "a journal of %zu segments, checkpoint at %" PRIu64,
                      subject->segments_n, subject->covered.sequence);
}

/* ---- what can be found ---- */

/* Offsets in a segment. */
struct ends {
    size_t unproven; /* of the last record: no later one calls it durable */
    size_t covered;  /* behind the last record of the checkpoint; 0: it is in an earlier segment */
};

static struct ends
find_ends(struct span bytes, uint64_t covered)
{
    size_t at = SEGMENT_HEAD_BYTES;
    struct ends ends = {at, 0};
    struct record_head head;
    while (record_check(span_slice(bytes, at, bytes.n), &head) == RECORD_GOOD) {
        ends.unproven = at;
        at += RECORD_HEAD_BYTES + (size_t)head.length;
        ends.covered = head.sequence <= covered ? at : ends.covered;
    }
    return ends;
}

/* One writer that waits for each record: the last record alone is not called durable by another.
 * What follows the last checkpoint may be cut off, and nobody can tell. */
static bool
can_be_found(const struct subject *subject, enum damage_kind kind, size_t segment, size_t at)
{
    const bool is_last = segment + 1 == subject->segments_n;
    const struct image_item *const item = &subject->image.items[subject->segments[segment]];
    const struct ends ends = find_ends(buf_span(&item->bytes), subject->covered.sequence);
    switch (kind) {
    case DAMAGE_FLIP:
        return !is_last || subject->is_closed || at < ends.unproven;
    case DAMAGE_CUT:
        return !is_last || at < ends.covered;
    case DAMAGE_GONE:
        return !is_last || ends.covered > 0;
    case DAMAGE_KINDS:
        break;
    }
    return false;
}

/* ---- damaging and looking ---- */

static struct status
damage_image(const struct subject *subject, enum damage_kind kind, size_t segment, size_t at,
             unsigned bit, struct diag *diag, struct image *ret_image)
{
    TRY(image_copy(&subject->image, diag, ret_image));
    struct image_item *const item = &ret_image->items[subject->segments[segment]];
    if (kind == DAMAGE_FLIP) {
        item->bytes.p[at] = (char)(item->bytes.p[at] ^ (1 << bit));
    } else if (kind == DAMAGE_CUT) {
        item->bytes.n = at;
    } else { /* another one that is there already takes its place in the list */
        (void)snprintf(item->path, sizeof(item->path), "gone");
    }
    return OK;
}

static struct status
damage_once(const char *dir, struct subject *subject, uint64_t *random,
            uint64_t missed[DAMAGE_KINDS], struct diag *diag, struct tally *tally)
{
    static const char *const names[] = {"a flipped bit", "a cut tail", "a segment that is gone"};
    const uint64_t draw = random_below(random, 10);
    const enum damage_kind kind = draw < 7 ? DAMAGE_FLIP : draw < 9 ? DAMAGE_CUT : DAMAGE_GONE;
    const size_t segment = (size_t)random_below(random, subject->segments_n);
    const struct image_item *const item = &subject->image.items[subject->segments[segment]];
    const size_t at = (size_t)random_below(random, item->bytes.n);
    struct image image = {0};
    struct looked looked = {.is_found = false};
    TRY(damage_image(subject, kind, segment, at, (unsigned)random_below(random, 8), diag, &image));
    struct status st = image_write(&image, dir, diag);
    if (is_ok(st)) {
        st = look(dir, &subject->covered, diag, &looked);
    }
    image_done(&image);
    TRY(st);
    tally->tried++;
    if (!looked.is_found && can_be_found(subject, kind, segment, at)) {
        tally->lost++;
        tally_problem(tally, "%s at byte %zu of %s (%s) was not found", names[kind], at, item->path,
                      subject->is_closed ? "closed" : "not closed");
    }
    missed[kind] += looked.is_found ? 0 : 1;
    return image_remove(dir, diag);
}

struct status
fault_damage(const struct fault_plan *plan, struct diag *diag, struct tally *tally)
{
    char dir[PATH_MAX];
    uint64_t random = plan->seed * 2 + 1;
    uint64_t missed[DAMAGE_KINDS] = {0};
    struct subject subjects[2] = {0};
    (void)snprintf(dir, sizeof(dir), "%.2000s/damage", plan->dir);
    struct status st = make_subject(dir, true, diag, &subjects[0]);
    if (is_ok(st)) {
        st = make_subject(dir, false, diag, &subjects[1]);
    }
    while (is_ok(st) && tally->tried < plan->count && fault_has_time(plan)) {
        st = damage_once(dir, &subjects[tally->tried % 2], &random, missed, diag, tally);
    }
    image_done(&subjects[0].image);
    image_done(&subjects[1].image);
    (void)snprintf(tally->remark, sizeof(tally->remark),
                   "not found, as README.md says: %" PRIu64
                   " flips in the end of a journal that was not closed, %" PRIu64
                   " cuts and %" PRIu64 " last segments behind the last checkpoint",
                   missed[DAMAGE_FLIP], missed[DAMAGE_CUT], missed[DAMAGE_GONE]);
    return st;
}
