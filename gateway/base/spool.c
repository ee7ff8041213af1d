/*
 * Files without names for large messages. Called by net/ and out/ on their loops' threads while
 * bytes come in, and by the readers and writers of messages on workers. A sink owns its file until
 * sink_finish, then the body does; either holds a reference to the spool.
 */
#include "base/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"

#define ROOM_STEP   (UINT64_C(1) * 1024 * 1024) /* of the limit that a file takes at a time */
#define MEMORY_MOST (SIZE_MAX / 4)              /* of a sink without a limit */
#define WRITE_BYTES ((size_t)256 * 1024) /* less is collected in memory before it is written */

struct spool {
    atomic_uint references;
    char *dir;
    uint64_t limit;
    size_t threshold;
    _Atomic uint64_t used;
};

/* Room of the limit, on its way back when the last body of a file goes. */
struct room {
    struct spool *spool;
    uint64_t bytes;
};

/* ---- the folder ---- */

static struct status
check_folder(const char *dir, struct diag *diag)
{
    struct statfs info;
    if (mkdir(dir, 0700) == -1 && errno != EEXIST) {
        return FAIL(diag, ERR_IO, "the spool's folder %s cannot be made: %s", dir,
                    strerrordesc_np(errno));
    }
    if (statfs(dir, &info) == -1) {
        return FAIL(diag, ERR_IO, "the spool's folder %s cannot be used: %s", dir,
                    strerrordesc_np(errno));
    }
    if (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC) {
        return FAIL(
            diag, ERR_CONFIG,
            "the spool's folder %s is on a file system in memory (%s), where large messages "
            "would take the memory that the spool is to save; name a folder on a disk",
            dir, info.f_type == TMPFS_MAGIC ? "tmpfs" : "ramfs");
    }
    return OK;
}

static struct status
open_file(const struct spool *spool, struct diag *diag, int *ret_fd)
{
    char path[4096];
    const int n = snprintf(path, sizeof(path), "%s/spool-XXXXXX", spool->dir);
    if (n < 0 || (size_t)n >= sizeof(path)) {
        return FAIL(diag, ERR_IO, "the path of the spool's folder is too long");
    }
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd == -1) {
        const int error = errno;
        return FAIL(diag, error == ENOSPC || error == EDQUOT ? ERR_SPOOL_FULL : ERR_IO,
                    "cannot make a file in the spool's folder %s: %s", spool->dir,
                    strerrordesc_np(error));
    }
    if (unlink(path) == -1) {
        const int error = errno;
        (void)close(fd);
        return FAIL(diag, ERR_IO, "cannot remove the name %s: %s", path, strerrordesc_np(error));
    }
    *ret_fd = fd;
    return OK;
}

struct status
spool_new(const char *dir, uint64_t limit_bytes, size_t threshold_bytes, struct diag *diag,
          struct spool **ret_spool)
{
    TRY(check_folder(dir, diag));
    struct spool *spool = mem_alloc(sizeof(*spool));
    char *copy = mem_strdup(dir);
    if (spool == NULL || copy == NULL) {
        mem_free(spool);
        mem_free(copy);
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a spool");
    }
    atomic_init(&spool->references, 1);
    atomic_init(&spool->used, 0);
    spool->dir = copy;
    spool->limit = limit_bytes;
    spool->threshold = threshold_bytes;
    int fd = -1;
    const struct status st = open_file(spool, diag, &fd); /* may we write there? */
    if (!is_ok(st)) {
        spool_unref(spool);
        return st;
    }
    (void)close(fd);
    *ret_spool = spool;
    return OK;
}

struct spool *
spool_ref(struct spool *spool)
{
    if (spool != NULL) {
        atomic_fetch_add(&spool->references, 1);
    }
    return spool;
}

void
spool_unref(struct spool *spool)
{
    if (spool != NULL && atomic_fetch_sub(&spool->references, 1) == 1) {
        mem_free(spool->dir);
        mem_free(spool);
    }
}

uint64_t
spool_used(const struct spool *spool)
{
    return atomic_load(&spool->used);
}

/* ---- the limit ---- */

static bool
take_bytes(struct spool *spool, uint64_t n)
{
    uint64_t used = atomic_load(&spool->used);
    do {
        if (n > spool->limit - used) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&spool->used, &used, used + n));
    return true;
}

/* Room for a file that is to have <size> bytes: a step more when there is that much. */
static struct status
take_room(struct sink *sink, uint64_t size, struct diag *diag)
{
    if (size <= sink->room) {
        return OK;
    }
    const uint64_t need = size - sink->room;
    const uint64_t want = need > ROOM_STEP ? need : ROOM_STEP;
    uint64_t taken = want;
    if (!take_bytes(sink->spool, want)) {
        taken = need;
        if (!take_bytes(sink->spool, need)) {
            return FAIL(diag, ERR_SPOOL_FULL,
                        "the spool in %s is full: large messages that are under way have %" PRIu64
                        " of %" PRIu64 " bytes; raise spool.limit, or fewer at a time",
                        sink->spool->dir, spool_used(sink->spool), sink->spool->limit);
        }
    }
    sink->room += taken;
    return OK;
}

static void
give_bytes(struct spool *spool, uint64_t n)
{
    atomic_fetch_sub(&spool->used, n);
}

static void
release_room(void *arg)
{
    struct room *room = arg;
    give_bytes(room->spool, room->bytes);
    spool_unref(room->spool);
    mem_free(room);
}

/* ---- sinks ---- */

void
sink_init(struct sink *sink, struct spool *spool, uint64_t limit_bytes)
{
    *sink = (struct sink){.spool = spool_ref(spool), .limit = limit_bytes, .fd = -1};
    const uint64_t most =
        spool != NULL && spool->threshold < limit_bytes ? spool->threshold : limit_bytes;
    buf_init_secret(&sink->memory, most > MEMORY_MOST ? MEMORY_MOST : (size_t)most);
}

void
sink_done(struct sink *sink)
{
    buf_done(&sink->memory);
    if (sink->fd != -1) {
        (void)close(sink->fd);
        sink->fd = -1;
    }
    if (sink->spool != NULL) {
        give_bytes(sink->spool, sink->room);
        spool_unref(sink->spool);
    }
    sink->spool = NULL;
    sink->room = sink->size = 0;
}

bool
sink_keeps(const struct sink *sink, size_t n)
{
    return sink->spool == NULL || (sink->fd == -1 && n <= sink->spool->threshold - sink->memory.n);
}

bool
sink_has_file(const struct sink *sink)
{
    return sink->fd != -1;
}

static struct status
write_failed(const struct sink *sink, int error, struct diag *diag)
{
    const bool is_full = error == ENOSPC || error == EDQUOT || error == EFBIG;
    return FAIL(diag, is_full ? ERR_SPOOL_FULL : ERR_IO,
                "a message cannot be written to the spool's folder %s: %s%s", sink->spool->dir,
                strerrordesc_np(error),
                error == ENOSPC || error == EDQUOT ? "; make room on its file system" : "");
}

static struct status
write_all(struct sink *sink, struct span bytes, struct diag *diag)
{
    struct span left = bytes;
    while (left.n > 0) {
        const ssize_t n = write(sink->fd, left.p, left.n);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n == -1) {
            return write_failed(sink, errno, diag);
        }
        left = span_slice(left, (size_t)n, SIZE_MAX);
    }
    return OK;
}

static struct status
write_pending(struct sink *sink, struct diag *diag)
{
    TRY(write_all(sink, buf_span(&sink->memory), diag));
    buf_reset(&sink->memory);
    return OK;
}

/* From memory to a file; the memory's room is not needed any more. */
static struct status
move_to_file(struct sink *sink, struct diag *diag)
{
    TRY(open_file(sink->spool, diag, &sink->fd));
    TRY(write_pending(sink, diag));
    buf_done(&sink->memory);
    buf_init_secret(&sink->memory, WRITE_BYTES);
    return OK;
}

struct status
sink_append(struct sink *sink, struct span bytes, struct diag *diag)
{
    if (bytes.n > sink->limit - sink->size) {
        return FAIL(diag, ERR_LIMIT_BUFFER, "more than %" PRIu64 " bytes", sink->limit);
    }
    sink->size += bytes.n;
    if (sink_keeps(sink, bytes.n)) {
        return buf_append(&sink->memory, bytes, diag);
    }
    TRY(take_room(sink, sink->size, diag));
    if (sink->fd == -1) {
        TRY(move_to_file(sink, diag));
    }
    if (bytes.n > WRITE_BYTES - sink->memory.n) {
        TRY(write_pending(sink, diag));
    }
    return bytes.n >= WRITE_BYTES ? write_all(sink, bytes, diag)
                                  : buf_append(&sink->memory, bytes, diag);
}

static struct status
finish_file(struct sink *sink, struct diag *diag, struct body *ret_body)
{
    TRY(write_pending(sink, diag));
    struct room *room = mem_alloc(sizeof(*room));
    if (room == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a body in the spool");
    }
    give_bytes(sink->spool, sink->room - sink->size);
    *room = (struct room){spool_ref(sink->spool), sink->size};
    const int fd = sink->fd;
    sink->fd = -1;
    sink->room = 0; /* the body's now */
    return body_from_file(ret_body, fd, sink->size, release_room, room, diag);
}

struct status
sink_finish(struct sink *sink, struct diag *diag, struct body *ret_body)
{
    if (sink->fd == -1) {
        body_from_buf(ret_body, &sink->memory);
        sink->size = 0;
        return OK;
    }
    TRY(finish_file(sink, diag, ret_body));
    struct spool *spool = sink->spool;
    sink->spool = NULL;
    buf_done(&sink->memory);
    sink_init(sink, spool, sink->limit);
    spool_unref(spool);
    return OK;
}
