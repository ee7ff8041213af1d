/*
 * Taking old segments away. On the sealer's thread, which blocks nobody; the files concerned are
 * finished, so nothing writes them. The order is: verify what goes, copy it to the archive, state
 * it in the chain (durable), remove, oldest first. A crash in between leaves more than was said,
 * never less.
 */
#include "audit/retention.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/journal_state.h"
#include "audit/merkle.h"
#include "base/mem.h"

#define COPY_BYTES   (256 * 1024)
#define FOLDER_MODE  0700
#define ARCHIVE_MODE 0400

/* ---- which ---- */

/* A segment ended when the next one was made. */
static struct status
is_old(const struct retention *retention, uint64_t next, struct diag *diag, bool *ret_is_old)
{
    struct segment segment;
    TRY(segment_open(retention->journal->folder, retention->journal->chain, next, false, diag,
                     &segment));
    *ret_is_old = segment.head.created_us < retention->now_us - retention->rules->keep_us &&
                  retention->is_delivered(retention->arg, retention->journal->chain, next - 1);
    segment_close(&segment);
    return OK;
}

/* So many of the first may go. */
static struct status
count_old(const struct retention *retention, const struct segment_list *list, struct diag *diag,
          size_t *ret_n)
{
    size_t n = 0;
    bool goes = true;
    while (goes && n + 1 < list->n && n < RETENTION_SEGMENTS_MAX) {
        TRY(is_old(retention, list->items[n + 1], diag, &goes));
        n += goes ? 1 : 0;
    }
    *ret_n = n;
    return OK;
}

/* ---- what they are ---- */

static struct status
read_segment(struct chain *chain, uint64_t end, struct removal_segment *segment, struct diag *diag)
{
    struct merkle tree = {0};
    bool has = true;
    while (chain->sequence < end) {
        TRY(chain_next(chain, diag, &has));
        if (!has) {
            return FAIL(diag, ERR_JOURNAL, "chain %s: record %" PRIu64 " is not there", chain->name,
                        chain->sequence);
        }
        TRY(merkle_add(&tree, chain->previous, diag));
    }
    segment->last = end - 1;
    memcpy(segment->hash, chain->previous, SHA256_BYTES);
    return merkle_root(&tree, diag, segment->root);
}

/* Verifies the segments and says what they hold; the last one's hash is the statement's. */
static struct status
describe(const struct retention *retention, const struct segment_list *list, size_t n,
         struct buf *lines, struct removal *removal, struct diag *diag)
{
    struct chain *chain = NULL;
    struct status st =
        chain_open(retention->place, retention->journal->chain, list->items[0], diag, &chain);
    TRY(st);
    for (size_t i = 0; i < n && is_ok(st); i++) {
        struct removal_segment segment = {.first = list->items[i],
                                          .is_archived = retention->rules->archive[0] != '\0'};
        st = read_segment(chain, list->items[i + 1], &segment, diag);
        if (is_ok(st)) {
            st = removal_add_segment(&segment, lines, diag);
        }
        memcpy(removal->previous, segment.hash, SHA256_BYTES);
    }
    chain_close(chain);
    return st;
}

static struct status
state(const struct retention *retention, const struct segment_list *list, size_t n,
      struct buf *payload, struct diag *diag)
{
    CLEANUP(buf_done) struct buf lines;
    CLEANUP(buf_done) struct buf text;
    struct removal removal = {.begins = list->items[n], .time_us = retention->now_us};
    buf_init(&lines, STATEMENT_BYTES_MAX);
    buf_init(&text, STATEMENT_BYTES_MAX);
    (void)snprintf(removal.chain, sizeof(removal.chain), "%s", retention->journal->chain);
    TRY(describe(retention, list, n, &lines, &removal, diag));
    removal.segments = buf_span(&lines);
    TRY(removal_write(&removal, &text, diag));
    return statement_sign(retention->signer, buf_span(&text), payload, diag);
}

/* ---- the archive ---- */

static struct status
fail_at(const char *what, const char *path, struct diag *diag)
{
    char why[64];
    return FAIL(diag, ERR_JOURNAL, "cannot %s %s: %s", what, path, journal_errno(why));
}

static struct status
make_folder(const char *path, struct diag *diag)
{
    return mkdir(path, FOLDER_MODE) == 0 || errno == EEXIST
               ? OK
               : fail_at("make the folder", path, diag);
}

static struct status
write_all(int fd, const char *path, const char *bytes, size_t n, struct diag *diag)
{
    while (n > 0) {
        const ssize_t written = write(fd, bytes, n);
        if (written <= 0) {
            return fail_at("write", path, diag);
        }
        bytes += written;
        n -= (size_t)written;
    }
    return OK;
}

static struct status
copy_bytes(int from, int to, const char *path, struct diag *diag)
{
    char *bytes = mem_alloc(COPY_BYTES);
    struct status st = OK;
    ssize_t n = 1;
    if (bytes == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to copy a segment");
    }
    while (is_ok(st) && n > 0) {
        n = read(from, bytes, COPY_BYTES);
        st = n == -1 ? fail_at("read what goes to", path, diag)
                     : write_all(to, path, bytes, (size_t)n, diag);
    }
    mem_wipe(bytes, COPY_BYTES);
    mem_free(bytes);
    return st;
}

/* Whole, synced and under its name, or not at all. <from> -1: <text> is the content. */
static struct status
put_file(const char *folder, const char *name, int from, struct span text, struct diag *diag)
{
    char path[PATH_MAX];
    char made[PATH_MAX];
    TRY(journal_path(path, folder, name, diag));
    TRY(journal_path(made, folder, "new.tmp", diag));
    (void)unlink(made); /* what a crash left */
    const int fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, ARCHIVE_MODE);
    if (fd == -1) {
        return fail_at("make", made, diag);
    }
    struct status st =
        from == -1 ? write_all(fd, made, text.p, text.n, diag) : copy_bytes(from, fd, made, diag);
    if (is_ok(st) && fsync(fd) == -1) {
        st = fail_at("sync", made, diag);
    }
    (void)close(fd);
    if (is_ok(st) && rename(made, path) == -1) {
        st = fail_at("name", path, diag);
    }
    if (!is_ok(st)) {
        (void)unlink(made);
    }
    return st;
}

static struct status
archive_one(const struct retention *retention, const char *folder, uint64_t first,
            struct span payload, struct diag *diag)
{
    char name[SEGMENT_NAME_BYTES];
    char manifest[SEGMENT_NAME_BYTES + 1];
    struct segment segment;
    TRY(segment_open(retention->journal->folder, retention->journal->chain, first, false, diag,
                     &segment));
    (void)snprintf(name, sizeof(name), "%020" PRIu64 ".seg", first);
    (void)snprintf(manifest, sizeof(manifest), "%020" PRIu64 ".json", first);
    struct status st = put_file(folder, name, segment.fd, SPAN_EMPTY, diag);
    segment_close(&segment);
    TRY(st);
    return put_file(folder, manifest, -1, payload, diag);
}

static struct status
archive(const struct retention *retention, const struct segment_list *list, size_t n,
        struct span payload, struct diag *diag)
{
    char folder[PATH_MAX];
    const char *root = retention->rules->archive;
    if (root[0] == '\0') {
        return OK;
    }
    TRY(make_folder(root, diag));
    TRY(journal_path(folder, root, retention->journal->chain, diag));
    TRY(make_folder(folder, diag));
    for (size_t i = 0; i < n; i++) {
        TRY(archive_one(retention, folder, list->items[i], payload, diag));
    }
    TRY(journal_sync_folder(folder, diag));
    return journal_sync_folder(root, diag);
}

/* ---- going ---- */

static struct status
remove_files(const struct retention *retention, const struct segment_list *list, size_t n,
             struct diag *diag, struct retention_done *done)
{
    for (size_t i = 0; i < n; i++) {
        char name[SEGMENT_NAME_BYTES];
        char path[PATH_MAX];
        (void)snprintf(name, sizeof(name), "%020" PRIu64 ".seg", list->items[i]);
        TRY(journal_path(path, retention->journal->folder, name, diag));
        if (unlink(path) == -1) {
            return fail_at("remove", path, diag);
        }
        /* One after the other also on the disk: a crash must not leave a hole. */
        TRY(journal_sync_folder(retention->journal->folder, diag));
        done->segments++;
        done->last = list->items[i + 1] - 1;
    }
    return OK;
}

static struct status
take_away(const struct retention *retention, const struct segment_list *list, size_t n,
          struct diag *diag, struct retention_done *done)
{
    CLEANUP(buf_done) struct buf payload;
    buf_init(&payload, RECORD_PAYLOAD_MAX);
    done->first = list->items[0];
    TRY(state(retention, list, n, &payload, diag));
    TRY(archive(retention, list, n, buf_span(&payload), diag));
    TRY(journal_append_statement(retention->journal, buf_span(&payload), diag, &done->statement));
    return remove_files(retention, list, n, diag, done);
}

struct status
retention_run(const struct retention *retention, struct diag *diag, struct retention_done *ret_done)
{
    struct segment_list list;
    size_t n = 0;
    *ret_done = (struct retention_done){0};
    if (retention->rules->keep_us == 0) {
        return OK;
    }
    TRY(segment_list_read(retention->journal->folder, diag, &list));
    struct status st = count_old(retention, &list, diag, &n);
    if (is_ok(st) && n > 0) {
        st = take_away(retention, &list, n, diag, ret_done);
    }
    segment_list_done(&list);
    return st;
}
