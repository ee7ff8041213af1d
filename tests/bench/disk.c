/*
 * pwrite and fdatasync are defined here, so that the library's calls can be noted on their way to
 * the kernel, as the journal's tests do. Used by bench_audit alone.
 */
#include "tests/bench/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

#define FILE_BYTES ((size_t)16 * 1024 * 1024) /* as a segment of a node */

static struct {
    atomic_bool is_noting;
    size_t bytes; /* since the last fdatasync */
    struct meter_list batches;
} noted;

/* ---- noting ---- */

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t offset);

/* Zeros that go ahead of the records are the journal's own expense, not the floor's. */
ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    if (n > 0 && *(const char *)bytes != '\0') {
        noted.bytes += n;
    }
    return syscall(SYS_pwrite64, fd, bytes, n, offset);
}

int fdatasync(int fd);

int
fdatasync(int fd)
{
    const int result = (int)syscall(SYS_fdatasync, fd);
    if (atomic_load(&noted.is_noting)) {
        meter_list_add(&noted.batches, (double)noted.bytes);
    }
    noted.bytes = 0;
    return result;
}

void
disk_note_begin(void)
{
    noted.batches.n = 0;
    atomic_store(&noted.is_noting, true);
}

void
disk_note_end(void)
{
    atomic_store(&noted.is_noting, false);
}

const struct meter_list *
disk_batches(void)
{
    return &noted.batches;
}

/* ---- the disk alone ---- */

static struct status
fail_at(const char *what, struct diag *diag)
{
    return FAIL(diag, ERR_IO, "the floor's file: %s: %s", what, strerrordesc_np(errno));
}

/* Every block allocated and written, and all of it on the disk. */
static struct status
fill(struct disk_floor *floor, struct diag *diag)
{
    memset(floor->bytes, 0, FILE_BYTES);
    if (posix_fallocate(floor->fd, 0, (off_t)FILE_BYTES) != 0) {
        return fail_at("posix_fallocate", diag);
    }
    if (syscall(SYS_pwrite64, floor->fd, floor->bytes, FILE_BYTES, 0) != (ssize_t)FILE_BYTES ||
        fsync(floor->fd) != 0) {
        return fail_at("writing zeros", diag);
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
    return floor->fd < 0 ? fail_at("making it", diag) : fill(floor, diag);
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

static struct status
write_batch(struct disk_floor *floor, size_t n, struct diag *diag)
{
    floor->at = floor->at + n <= FILE_BYTES ? floor->at : 0;
    if (syscall(SYS_pwrite64, floor->fd, floor->bytes, n, (off_t)floor->at) != (ssize_t)n ||
        syscall(SYS_fdatasync, floor->fd) != 0) {
        return fail_at("pwrite and fdatasync", diag);
    }
    floor->at += n;
    return OK;
}

struct status
disk_floor_replay(struct disk_floor *floor, const struct meter_list *batches, struct diag *diag,
                  double *ret_us)
{
    const int64_t start_us = meter_now_us();
    for (size_t i = 0; i < batches->n; i++) {
        const size_t wanted = (size_t)batches->items[i];
        TRY(write_batch(floor, wanted < FILE_BYTES ? wanted : FILE_BYTES, diag));
    }
    *ret_us = (double)(meter_now_us() - start_us);
    return OK;
}
