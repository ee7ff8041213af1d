/*
 * pwrite, fdatasync and fsync are defined here, so that the library's calls can be counted on their
 * way to the kernel, as the journal's tests do. Used by bench_audit alone.
 */
#include "tests/bench/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define FILE_BYTES ((size_t)16 * 1024 * 1024) /* as a segment of a node */
#define ONE_OF     4                          /* syncs that are done once more */

static struct {
    pthread_mutex_t lock;
    struct disk_floor *floor; /* NULL: nothing is noted */
    struct disk_others others;
    struct disk_noted sum;
    int64_t least_us; /* of a sync */
    atomic_bool skips;
    int error; /* errno of the floor */
    size_t syncs_ever;
    _Atomic int64_t stolen_us, standing_us;
} noted = {.lock = PTHREAD_MUTEX_INITIALIZER};

void
disk_slow_down(int64_t least_us)
{
    noted.least_us = least_us;
}

void
disk_skip_syncs(bool skips)
{
    atomic_store(&noted.skips, skips);
}

int64_t
disk_clock_us(void)
{
    const int64_t standing_us = atomic_load(&noted.standing_us);
    return (standing_us != 0 ? standing_us : meter_now_us()) - atomic_load(&noted.stolen_us);
}

/* ---- the floor's file ---- */

static struct status
fail_at(const char *what, int error, struct diag *diag)
{
    return FAIL(diag, ERR_IO, "the floor's file: %s: %s", what, strerrordesc_np(error));
}

/* Every block allocated and written, and all of it on the disk. */
static struct status
fill(struct disk_floor *floor, struct diag *diag)
{
    memset(floor->bytes, 0, FILE_BYTES);
    const int error = posix_fallocate(floor->fd, 0, (off_t)FILE_BYTES);
    if (error != 0) {
        return fail_at("posix_fallocate", error, diag);
    }
    if (syscall(SYS_pwrite64, floor->fd, floor->bytes, FILE_BYTES, 0) != (ssize_t)FILE_BYTES ||
        fsync(floor->fd) != 0) {
        return fail_at("writing zeros", errno, diag);
    }
    memset(floor->bytes, 'x', FILE_BYTES);
    return OK;
}

struct status
disk_floor_open(struct disk_floor *floor, const char *folder, struct diag *diag)
{
    *floor = (struct disk_floor){.fd = -1, .bytes = mem_alloc(FILE_BYTES)};
    (void)snprintf(floor->path, sizeof(floor->path), "%s/floor", folder);
    if (floor->bytes == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of the floor's batches");
    }
    floor->fd = open(floor->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return floor->fd < 0 ? fail_at("making it", errno, diag) : fill(floor, diag);
}

void
disk_floor_close(struct disk_floor *floor)
{
    if (floor->fd >= 0) {
        (void)close(floor->fd);
        (void)unlink(floor->path);
    }
    mem_free(floor->bytes);
}

/* As a disk does whose sync takes at least so long. */
static int
sync_slowly(int fd)
{
    const int64_t start_us = meter_now_us();
    const int result = (int)syscall(SYS_fdatasync, fd);
    const int64_t left_us = start_us + noted.least_us - meter_now_us();
    if (noted.least_us > 0 && left_us > 0) {
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = left_us * 1000},
                              NULL);
    }
    return result;
}

static bool
write_and_sync(struct disk_floor *floor, size_t n)
{
    floor->at = floor->at + n <= FILE_BYTES ? floor->at : 0;
    if (syscall(SYS_pwrite64, floor->fd, floor->bytes, n, (off_t)floor->at) != (ssize_t)n ||
        sync_slowly(floor->fd) != 0) {
        return false;
    }
    floor->at += n;
    return true;
}

/* ---- behind the journal's syncs ---- */

/* Under the lock. */
static void
sync_once_more(size_t n)
{
    const int64_t from_us = meter_now_us();
    noted.others.hold(noted.others.arg);
    atomic_store(&noted.standing_us, from_us);
    const int64_t start_us = meter_now_us();
    if (!write_and_sync(noted.floor, n < FILE_BYTES ? n : FILE_BYTES)) {
        noted.error = errno;
    }
    noted.sum.floor_us += (double)(meter_now_us() - start_us);
    noted.sum.samples++;
    atomic_fetch_add(&noted.stolen_us, meter_now_us() - from_us);
    atomic_store(&noted.standing_us, 0);
    noted.others.release(noted.others.arg);
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset);

static _Thread_local size_t own_bytes; /* of records, since this thread's last fdatasync */

/* Zeros that go ahead of the records are the journal's own expense, not the floor's. */
ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    if (n > 0 && *(const char *)bytes != '\0') {
        own_bytes += n;
    }
    return syscall(SYS_pwrite64, fd, bytes, n, offset);
}

int fdatasync(int fd);

int
fdatasync(int fd)
{
    if (atomic_load(&noted.skips)) {
        return 0;
    }
    const int result = sync_slowly(fd);
    (void)pthread_mutex_lock(&noted.lock);
    if (noted.floor != NULL && own_bytes > 0) {
        noted.sum.syncs++;
        if (++noted.syncs_ever % ONE_OF == 0) {
            sync_once_more(own_bytes);
        }
    }
    (void)pthread_mutex_unlock(&noted.lock);
    own_bytes = 0;
    return result;
}

int fsync(int fd);

int
fsync(int fd)
{
    return atomic_load(&noted.skips) ? 0 : (int)syscall(SYS_fsync, fd);
}

void
disk_note_begin(struct disk_floor *floor, const struct disk_others *others)
{
    (void)pthread_mutex_lock(&noted.lock);
    noted.floor = floor;
    noted.others = *others;
    noted.sum = (struct disk_noted){.syncs = 0};
    noted.error = 0;
    (void)pthread_mutex_unlock(&noted.lock);
}

struct status
disk_note_end(struct diag *diag, struct disk_noted *ret_noted)
{
    (void)pthread_mutex_lock(&noted.lock);
    noted.floor = NULL;
    *ret_noted = noted.sum;
    const int error = noted.error;
    (void)pthread_mutex_unlock(&noted.lock);
    return error == 0 ? OK : fail_at("pwrite and fdatasync", error, diag);
}
