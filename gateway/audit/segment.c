/*
 * Segment files: names, making, opening, reading records, judging what follows the last good one.
 * Called by the journal thread, by recovery and by readers; each owns its own struct segment.
 * Every failure of the disk is ERR_JOURNAL with the path; nothing is tried twice.
 */
#include "audit/segment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define SEGMENT_DIGITS 20
#define FILE_MODE      0600
#define DONE_MODE      0400
#define NEW_NAME       "new.tmp"
#define STEP_BYTES     ((size_t)256 * 1024)

const char *
journal_errno(char text[64])
{
    const char *said = strerrordesc_np(errno);
    (void)snprintf(text, 64, "%s", said == NULL ? "unknown error" : said);
    return text;
}

static struct status
fail_at(const struct segment *segment, const char *what, struct diag *diag)
{
    char why[64];
    return FAIL(diag, ERR_JOURNAL, "cannot %s %s: %s", what, segment->path, journal_errno(why));
}

struct status
journal_path(char to[PATH_MAX], const char *folder, const char *name, struct diag *diag)
{
    const int n = snprintf(to, PATH_MAX, "%s/%s", folder, name);
    if (n < 0 || n >= PATH_MAX) {
        return FAIL(diag, ERR_JOURNAL, "the path of the journal is longer than %d bytes",
                    PATH_MAX - 1);
    }
    return OK;
}

struct status
journal_sync_folder(const char *folder, struct diag *diag)
{
    char why[64];
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        return FAIL(diag, ERR_JOURNAL, "cannot open the folder %s: %s", folder, journal_errno(why));
    }
    struct status st = OK;
    if (fsync(fd) == -1) {
        st = FAIL(diag, ERR_JOURNAL, "cannot sync the folder %s: %s", folder, journal_errno(why));
    }
    (void)close(fd);
    return st;
}

/* ---- names ---- */

static void
segment_name(uint64_t first, char name[SEGMENT_NAME_BYTES])
{
    (void)snprintf(name, SEGMENT_NAME_BYTES, "%0*" PRIu64 ".seg", SEGMENT_DIGITS, first);
}

static bool
read_name(const char *name, uint64_t *ret_first)
{
    const struct span text = span_of_cstr(name);
    return text.n == SEGMENT_NAME_BYTES - 1 && span_ends_with(text, SPAN(".seg")) &&
           span_to_u64(span_slice(text, 0, SEGMENT_DIGITS), UINT64_MAX, ret_first);
}

static int
compare_u64(const void *a, const void *b)
{
    uint64_t x = 0;
    uint64_t y = 0;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x > y) - (x < y);
}

static struct status
push(struct segment_list *list, size_t *capacity, uint64_t first, struct diag *diag)
{
    if (list->n == *capacity) {
        const size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
        uint64_t *items = mem_resize(list->items, wanted * sizeof(*items));
        if (items == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for the names of %zu segments", wanted);
        }
        list->items = items;
        *capacity = wanted;
    }
    list->items[list->n++] = first;
    return OK;
}

static struct status
collect(DIR *folder, struct diag *diag, struct segment_list *list)
{
    size_t capacity = 0;
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)) != NULL) {
        uint64_t first = 0;
        if (read_name(entry->d_name, &first)) {
            TRY(push(list, &capacity, first, diag));
        }
    }
    return OK;
}

struct status
segment_list_read(const char *folder, struct diag *diag, struct segment_list *ret_list)
{
    struct segment_list list = {0};
    DIR *opened = opendir(folder);
    if (opened == NULL && errno == ENOENT) {
        *ret_list = list;
        return OK;
    }
    if (opened == NULL) {
        char why[64];
        return FAIL(diag, ERR_JOURNAL, "cannot read the folder %s: %s", folder, journal_errno(why));
    }
    const struct status st = collect(opened, diag, &list);
    (void)closedir(opened);
    if (!is_ok(st)) {
        segment_list_done(&list);
        return st;
    }
    if (list.n > 1) {
        qsort(list.items, list.n, sizeof(*list.items), compare_u64);
    }
    *ret_list = list;
    return OK;
}

void
segment_list_done(struct segment_list *list)
{
    mem_free(list->items);
    *list = (struct segment_list){0};
}

/* ---- making and opening ---- */

struct status
segment_write(struct segment *segment, uint64_t offset, struct span bytes, struct diag *diag)
{
    while (bytes.n > 0) {
        const ssize_t n = pwrite(segment->fd, bytes.p, bytes.n, (off_t)offset);
        if (n <= 0) {
            return fail_at(segment, "write", diag);
        }
        offset += (uint64_t)n;
        bytes = span_slice(bytes, (size_t)n, bytes.n);
    }
    return OK;
}

struct status
segment_sync(struct segment *segment, struct diag *diag)
{
    return fdatasync(segment->fd) == -1 ? fail_at(segment, "fdatasync", diag) : OK;
}

static struct status
preallocate(const struct segment *segment, struct diag *diag)
{
    const int error = posix_fallocate(segment->fd, 0, (off_t)segment->head.size);
    if (error != 0) {
        errno = error;
        char why[64];
        return FAIL(diag, ERR_JOURNAL, "cannot preallocate %" PRIu64 " bytes for %s: %s",
                    segment->head.size, segment->path, journal_errno(why));
    }
    return OK;
}

static struct status
fill_new(struct segment *segment, struct diag *diag)
{
    uint8_t head[SEGMENT_HEAD_MAX];
    const size_t n = segment_head_bytes(&segment->head);
    segment_head_pack(&segment->head, head);
    TRY(preallocate(segment, diag));
    TRY(segment_write(segment, 0, span_of((const char *)head, n), diag));
    if (fsync(segment->fd) == -1) {
        return fail_at(segment, "sync", diag);
    }
    return OK;
}

static struct status
publish(struct segment *segment, const char *folder, bool may_replace, struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    char path[PATH_MAX];
    segment_name(segment->head.first_sequence, name);
    TRY(journal_path(path, folder, name, diag));
    if (!may_replace &&
        access(path, F_OK) == 0) { /* rename would replace it; the lock keeps others away */
        errno = EEXIST;
        return fail_at(segment, "name a new segment from", diag);
    }
    if (rename(segment->path, path) == -1) {
        return fail_at(segment, "name a new segment from", diag);
    }
    memcpy(segment->path, path, sizeof(path));
    return journal_sync_folder(folder, diag);
}

static bool
is_disk_full(int error)
{
    return error == ENOSPC || error == EDQUOT;
}

/* The file that becomes the segment, under the name of one that is not whole. */
static struct status
begin_file(struct segment *segment, const char *folder, const char *from, struct diag *diag)
{
    int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW;
    TRY(journal_path(segment->path, folder, NEW_NAME, diag));
    (void)unlink(segment->path); /* what a crash left */
    if (from != NULL) {
        char path[PATH_MAX];
        TRY(journal_path(path, folder, from, diag));
        if (rename(path, segment->path) == -1) {
            return fail_at(segment, "find what is to become", diag);
        }
    } else {
        flags |= O_CREAT | O_EXCL;
    }
    segment->fd = open(segment->path, flags, FILE_MODE);
    return segment->fd == -1 ? fail_at(segment, "make", diag) : OK;
}

struct status
segment_create(const char *folder, const struct segment_head *head, struct segment_making making,
               struct diag *diag, bool *ret_is_full, struct segment *ret_segment)
{
    struct segment segment = {.fd = -1, .head = *head};
    errno = 0;
    struct status st = begin_file(&segment, folder, making.from, diag);
    if (is_ok(st)) {
        st = fill_new(&segment, diag);
    }
    if (is_ok(st)) {
        st = publish(&segment, folder, making.may_replace, diag);
    }
    if (!is_ok(st)) {
        *ret_is_full = is_disk_full(errno);
        segment_close(&segment);
        return st;
    }
    *ret_segment = segment;
    return OK;
}

struct status
segment_reserve(const char *folder, uint64_t size, struct diag *diag)
{
    struct segment reserve = {.fd = -1, .head = {.size = size}};
    TRY(journal_path(reserve.path, folder, SEGMENT_RESERVE, diag));
    reserve.fd = open(reserve.path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, FILE_MODE);
    if (reserve.fd == -1) {
        return fail_at(&reserve, "make", diag);
    }
    struct status st = preallocate(&reserve, diag);
    if (is_ok(st) && fsync(reserve.fd) == -1) {
        st = fail_at(&reserve, "sync", diag);
    }
    if (!is_ok(st)) { /* half of it helps nobody */
        (void)unlink(reserve.path);
    }
    segment_close(&reserve);
    return st;
}

/* ---- prepared files ---- */

static struct status
write_zeros(struct segment *segment, const atomic_bool *is_ending, struct diag *diag)
{
    static const char zeros[STEP_BYTES];
    TRY(preallocate(segment, diag));
    for (uint64_t at = 0; at < segment->head.size;) {
        const uint64_t left = segment->head.size - at;
        const size_t n = left < sizeof(zeros) ? (size_t)left : sizeof(zeros);
        if (atomic_load(is_ending)) {
            return FAIL(diag, ERR_JOURNAL, "the journal is being closed");
        }
        TRY(segment_write(segment, at, span_of(zeros, n), diag));
        TRY(segment_sync(segment, diag));
        at += n;
    }
    return OK;
}

struct status
segment_prepare(const char *folder, uint64_t size, const atomic_bool *is_ending, struct diag *diag)
{
    struct segment prepared = {.fd = -1, .head = {.size = size}};
    TRY(journal_path(prepared.path, folder, SEGMENT_PREPARED, diag));
    (void)unlink(prepared.path);
    prepared.fd = open(prepared.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (prepared.fd == -1) {
        return fail_at(&prepared, "make", diag);
    }
    const struct status st = write_zeros(&prepared, is_ending, diag);
    if (!is_ok(st)) {
        (void)unlink(prepared.path);
    }
    segment_close(&prepared);
    return st;
}

void
segment_forget_prepared(const char *folder)
{
    char path[PATH_MAX];
    struct diag ignored = {0};
    if (is_ok(journal_path(path, folder, SEGMENT_PREPARED, &ignored))) {
        (void)unlink(path);
    }
}

static struct status
read_head(struct segment *segment, const char *chain, uint64_t first, struct diag *diag)
{
    char bytes[SEGMENT_HEAD_MAX];
    const ssize_t n = pread(segment->fd, bytes, sizeof(bytes), 0);
    if (n == -1) {
        return fail_at(segment, "read", diag);
    }
    struct status st = segment_head_unpack(span_of(bytes, (size_t)n), diag, &segment->head);
    if (is_ok(st) &&
        (segment->head.first_sequence != first || strcmp(segment->head.chain, chain) != 0)) {
        st = FAIL(diag, ERR_JOURNAL,
                  "the segment's head: it belongs to chain '%s' from %" PRIu64
                  ", not to its name and folder",
                  segment->head.chain, segment->head.first_sequence);
    }
    if (!is_ok(st)) {
        diag_prefix(diag, "chain %s, segment %s", chain, segment->path);
    }
    return st;
}

struct status
segment_open(const char *folder, const char *chain, uint64_t first, bool may_write,
             struct diag *diag, struct segment *ret_segment)
{
    struct segment segment = {.fd = -1};
    char name[SEGMENT_NAME_BYTES];
    segment_name(first, name);
    TRY(journal_path(segment.path, folder, name, diag));
    segment.fd = open(segment.path, (may_write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW);
    if (segment.fd == -1) {
        return fail_at(&segment, "open", diag);
    }
    const struct status st = read_head(&segment, chain, first, diag);
    if (!is_ok(st)) {
        segment_close(&segment);
        return st;
    }
    *ret_segment = segment;
    return OK;
}

void
segment_close(struct segment *segment)
{
    if (segment->fd != -1) {
        (void)close(segment->fd);
        segment->fd = -1;
    }
}

/* Synced before: a power loss may keep the cut and lose what was written, and a file without room
 * behind its content has to be whole. */
static struct status
cut_to(struct segment *segment, uint64_t end, const char *what, struct diag *diag)
{
    TRY(segment_sync(segment, diag));
    return ftruncate(segment->fd, (off_t)end) == -1 ? fail_at(segment, what, diag) : OK;
}

struct status
segment_finish(struct segment *segment, uint64_t end, struct diag *diag)
{
    TRY(cut_to(segment, end, "cut to its content", diag));
    return fsync(segment->fd) == -1 ? fail_at(segment, "sync", diag) : OK;
}

void
segment_protect(const struct segment *segment)
{
    const bool is_done =
        segment->fd == -1 || fchmod(segment->fd, DONE_MODE) == 0; /* else it stays as it was */
    (void)is_done;
}

struct status
segment_clear_tail(struct segment *segment, uint64_t end, struct diag *diag)
{
    TRY(cut_to(segment, end, "cut the torn end of", diag));
    TRY(preallocate(segment, diag));
    return fsync(segment->fd) == -1 ? fail_at(segment, "sync", diag) : OK;
}

static struct status
size_of(const struct segment *segment, struct diag *diag, uint64_t *ret_size)
{
    struct stat info;
    if (fstat(segment->fd, &info) == -1) {
        return fail_at(segment, "ask the size of", diag);
    }
    *ret_size = (uint64_t)info.st_size;
    return OK;
}

/* ---- reading ---- */

/* Up to <n> bytes at <offset>, appended; fewer only at the end of the file. */
static struct status
read_more(const struct segment *segment, uint64_t offset, size_t n, struct buf *to,
          struct diag *diag)
{
    while (n > 0) {
        char *room = NULL;
        TRY(buf_reserve(to, n, diag, &room));
        const ssize_t got = pread(segment->fd, room, n, (off_t)offset);
        if (got == -1) {
            return fail_at(segment, "read", diag);
        }
        if (got == 0) {
            break;
        }
        to->n += (size_t)got;
        offset += (uint64_t)got;
        n -= (size_t)got;
    }
    return OK;
}

struct status
segment_rewrite(struct segment *segment, uint64_t from, uint64_t to, struct diag *diag)
{
    struct buf bytes;
    if (to <= from) {
        return OK;
    }
    buf_init_secret(&bytes, (size_t)(to - from) + 1);
    struct status st = read_more(segment, from, (size_t)(to - from), &bytes, diag);
    if (is_ok(st)) {
        st = segment_write(segment, from, buf_span(&bytes), diag);
    }
    buf_done(&bytes);
    return st;
}

struct status
segment_read(const struct segment *segment, uint64_t offset, struct buf *record, struct diag *diag,
             enum record_verdict *ret_verdict, struct record_head *ret_head)
{
    struct record_head head = {0};
    buf_reset(record);
    TRY(read_more(segment, offset, RECORD_HEAD_BYTES, record, diag));
    enum record_verdict verdict = record_unpack(buf_span(record), &head);
    if (verdict == RECORD_GOOD) {
        TRY(read_more(segment, offset + RECORD_HEAD_BYTES, head.length, record, diag));
        verdict = record_check(buf_span(record), &head);
    }
    if (verdict == RECORD_GOOD) {
        *ret_head = head;
    }
    *ret_verdict = verdict;
    return OK;
}

static bool
is_blank(struct span bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        if (bytes.p[i] != 0) {
            return false;
        }
    }
    return true;
}

/* Every place where a record may start: its magic's first byte is in no payload. */
static bool
find_proof(struct span tail, uint64_t sequence, size_t *ret_at, struct record_head *ret_proof)
{
    size_t at = 1; /* what stands at 0 is not a good record */
    while (at < tail.n) {
        const size_t next = span_find_char(span_slice(tail, at, tail.n), (char)0xFE);
        if (next == SPAN_MISSING) {
            return false;
        }
        at += next;
        struct record_head head;
        if (record_check(span_slice(tail, at, tail.n), &head) == RECORD_GOOD &&
            head.durable >= sequence) {
            *ret_at = at;
            *ret_proof = head;
            return true;
        }
        at++;
    }
    return false;
}

struct status
segment_judge_tail(const struct segment *segment, uint64_t offset, uint64_t sequence,
                   struct diag *diag, struct segment_tail *ret_tail)
{
    struct segment_tail tail = {0};
    struct buf rest;
    uint64_t size = 0;
    size_t at = 0;
    TRY(size_of(segment, diag, &size));
    const size_t n = size > offset ? (size_t)(size - offset) : 0;
    buf_init_secret(&rest, n + 1);
    const struct status st = read_more(segment, offset, n, &rest, diag);
    if (is_ok(st)) {
        tail.is_blank = is_blank(buf_span(&rest));
        if (!tail.is_blank && find_proof(buf_span(&rest), sequence, &at, &tail.proof)) {
            tail.is_damage = true;
            tail.proof_at = offset + at;
        }
        /* Only a file that is being written has room behind its content. */
        tail.is_damage = tail.is_damage || (!tail.is_blank && size < segment->head.size);
    }
    buf_done(&rest);
    TRY(st);
    *ret_tail = tail;
    return OK;
}
