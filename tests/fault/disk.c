/*
 * The wrapped calls, and the log of those below the watched root. Names are looked up in a table of
 * the live tree that is kept beside the log. Everything is guarded by one lock, so that the log's
 * order is the order of effects; a sync waits outside of it.
 */
#include "tests/fault/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX    1024
#define NAMES_MAX  4096
#define INODES_MAX 8192
#define NOTHING    SIZE_MAX

int __real_open(const char *path, int flags, mode_t mode);
int __real_close(int fd);
ssize_t __real_write(int fd, const void *bytes, size_t n);
ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t offset);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_ftruncate(int fd, off_t size);
int __real_posix_fallocate(int fd, off_t offset, off_t n);
int __real_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_mkdir(const char *path, mode_t mode);

int __wrap_open(const char *path, int flags, ...);
int __wrap___open_2(const char *path, int flags);
int __wrap_close(int fd);
ssize_t __wrap_write(int fd, const void *bytes, size_t n);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t offset);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_posix_fallocate(int fd, off_t offset, off_t n);
int __wrap_rename(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_mkdir(const char *path, mode_t mode);

struct live_name {
    size_t parent, inode;
    char name[IMAGE_NAME_MAX];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool is_on;
    char root[PATH_MAX];
    size_t root_n;
    struct disk_log *log;
    struct live_name names[NAMES_MAX];
    size_t names_n, inodes_n;
    bool is_folder[INODES_MAX];
    bool has_failed_sync[INODES_MAX];
    size_t fd_inode[FDS_MAX]; /* NOTHING: not below the root */
    size_t fail_at;
    enum disk_error error;
    bool fails_next_write;
    long sync_us;
    struct disk_counts counts;
} disk;

const char *
disk_error_name(enum disk_error error)
{
    static const char *const names[DISK_ERROR_COUNT] = {
        [DISK_EIO] = "EIO",
        [DISK_ENOSPC] = "ENOSPC",
        [DISK_SHORT] = "short write",
        [DISK_SHORT_ENOSPC] = "short write, then ENOSPC",
    };
    return names[error];
}

/* ---- the live tree ---- */

static struct live_name *
find_name(size_t parent, const char *name)
{
    for (size_t i = 0; i < disk.names_n; i++) {
        if (disk.names[i].parent == parent && strcmp(disk.names[i].name, name) == 0) {
            return &disk.names[i];
        }
    }
    return NULL;
}

static size_t
new_inode(bool is_folder)
{
    if (disk.inodes_n == INODES_MAX) {
        disk_log_break(disk.log, "too many files", "");
        return INODES_MAX - 1;
    }
    disk.is_folder[disk.inodes_n] = is_folder;
    disk.has_failed_sync[disk.inodes_n] = false;
    return disk.inodes_n++;
}

static void
set_name(size_t parent, const char *name, size_t inode)
{
    struct live_name *live = find_name(parent, name);
    if (live == NULL && disk.names_n == NAMES_MAX) {
        disk_log_break(disk.log, "too many names", name);
        return;
    }
    if (live == NULL) {
        live = &disk.names[disk.names_n++];
    }
    live->parent = parent;
    live->inode = inode;
    (void)snprintf(live->name, sizeof(live->name), "%s", name);
}

static void
drop_name(struct live_name *live)
{
    *live = disk.names[--disk.names_n];
}

/* Where a path below the root leads: the folder that names it, and the name. False: not below. The
 * root itself: the name is empty. */
static bool
place_of(const char *path, size_t *ret_parent, char ret_name[IMAGE_NAME_MAX])
{
    size_t parent = 0;
    if (!disk.is_on || strncmp(path, disk.root, disk.root_n) != 0 ||
        (path[disk.root_n] != '/' && path[disk.root_n] != '\0')) {
        return false;
    }
    const char *at = path + disk.root_n;
    ret_name[0] = '\0';
    while (*at == '/') {
        at++;
        const size_t n = strcspn(at, "/");
        if (ret_name[0] != '\0') {
            const struct live_name *const live = find_name(parent, ret_name);
            parent = live == NULL ? NOTHING : live->inode;
        }
        if (n >= IMAGE_NAME_MAX) {
            disk_log_break(disk.log, "a long name", at);
            return false;
        }
        memcpy(ret_name, at, n);
        ret_name[n] = '\0';
        at += n;
    }
    *ret_parent = parent;
    return true;
}

static size_t
inode_of(int fd)
{
    return disk.is_on && fd >= 0 && fd < FDS_MAX ? disk.fd_inode[fd] : NOTHING;
}

/* ---- failures ---- */

/* Counts the call; true: it fails now, and errno is set. Under the lock. */
static bool
fails_now(enum disk_op_kind kind)
{
    const bool is_write = kind == DISK_WRITE;
    disk.counts.calls++;
    if (is_write && disk.fails_next_write) {
        disk.fails_next_write = false;
        errno = ENOSPC;
        return true;
    }
    if (disk.fail_at != disk.counts.calls) {
        return false;
    }
    disk.counts.has_failed = true;
    disk.counts.failed = kind;
    errno = disk.error == DISK_EIO ? EIO : ENOSPC;
    return true;
}

static bool
is_short(void)
{
    return disk.fail_at == disk.counts.calls &&
           (disk.error == DISK_SHORT || disk.error == DISK_SHORT_ENOSPC);
}

/* ---- calls ---- */

static void
note_open(int fd, int flags, size_t parent, const char *name, bool was_there)
{
    if (fd < 0 || fd >= FDS_MAX) {
        disk_log_break(disk.log, "a descriptor out of range", name);
        return;
    }
    if (name[0] == '\0') {
        disk.fd_inode[fd] = 0;
        return;
    }
    if (!was_there) {
        const size_t inode = new_inode(false);
        set_name(parent, name, inode);
        disk_log_add_name(disk.log, DISK_MAKE, inode, parent, name, "");
        disk.fd_inode[fd] = inode;
        return;
    }
    disk.fd_inode[fd] = find_name(parent, name)->inode;
    if ((flags & O_TRUNC) != 0) {
        disk_log_add_size(disk.log, DISK_TRUNCATE, disk.fd_inode[fd], 0);
    }
}

static int
open_watched(const char *path, int flags, mode_t mode)
{
    size_t parent = NOTHING;
    char name[IMAGE_NAME_MAX];
    (void)pthread_mutex_lock(&mutex);
    const bool is_ours = place_of(path, &parent, name);
    const bool was_there = is_ours && (name[0] == '\0' || find_name(parent, name) != NULL);
    const bool makes = is_ours && !was_there && (flags & O_CREAT) != 0;
    int fd = -1;
    if (!makes || !fails_now(DISK_MAKE)) {
        fd = __real_open(path, flags, mode);
        if (is_ours && fd >= 0) {
            note_open(fd, flags, parent, name, was_there);
        }
    }
    (void)pthread_mutex_unlock(&mutex);
    return fd;
}

int
__wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if ((flags & O_CREAT) != 0) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return open_watched(path, flags, mode);
}

int
__wrap___open_2(const char *path, int flags)
{
    return open_watched(path, flags, 0);
}

int
__wrap_close(int fd)
{
    (void)pthread_mutex_lock(&mutex);
    if (fd >= 0 && fd < FDS_MAX) {
        disk.fd_inode[fd] = NOTHING;
    }
    const int result = __real_close(fd);
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

static ssize_t
write_watched(size_t inode, int fd, const void *bytes, size_t n, off_t offset)
{
    disk.counts.written += disk.has_failed_sync[inode] ? 1 : 0;
    if (fails_now(DISK_WRITE)) {
        if (!is_short() || n < 2) {
            return -1;
        }
        n /= 2;
        disk.fails_next_write = disk.error == DISK_SHORT_ENOSPC;
    }
    const ssize_t taken = __real_pwrite(fd, bytes, n, offset);
    if (taken > 0) {
        disk_log_add_write(disk.log, inode, (uint64_t)offset, bytes, (size_t)taken);
    }
    return taken;
}

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    (void)pthread_mutex_lock(&mutex);
    const size_t inode = inode_of(fd);
    const ssize_t taken = inode == NOTHING ? __real_pwrite(fd, bytes, n, offset)
                                           : write_watched(inode, fd, bytes, n, offset);
    (void)pthread_mutex_unlock(&mutex);
    return taken;
}

ssize_t
__wrap_write(int fd, const void *bytes, size_t n)
{
    (void)pthread_mutex_lock(&mutex);
    const size_t inode = inode_of(fd);
    ssize_t taken = 0;
    if (inode == NOTHING) {
        (void)pthread_mutex_unlock(&mutex);
        return __real_write(fd, bytes, n); /* may block: a pipe */
    }
    const off_t offset = lseek(fd, 0, SEEK_CUR);
    taken = write_watched(inode, fd, bytes, n, offset);
    if (taken > 0) {
        (void)lseek(fd, offset + taken, SEEK_SET);
    }
    (void)pthread_mutex_unlock(&mutex);
    return taken;
}

static void
wait_us(long us)
{
    const struct timespec time = {us / 1000000, us % 1000000 * 1000};
    (void)nanosleep(&time, NULL);
}

static int
end_sync(size_t inode, size_t upto, bool is_failed)
{
    struct disk_op *const op =
        disk_log_add(disk.log, disk.is_folder[inode] ? DISK_SYNC_FOLDER : DISK_SYNC, inode);
    if (op != NULL) {
        op->upto = upto;
        op->is_failed = is_failed;
    }
    disk.has_failed_sync[inode] = disk.has_failed_sync[inode] || is_failed;
    return is_failed ? -1 : 0;
}

/* What was there when it began is covered when it ends. */
static int
sync_watched(int fd, int (*real)(int fd))
{
    (void)pthread_mutex_lock(&mutex);
    const size_t inode = inode_of(fd);
    if (inode == NOTHING) {
        (void)pthread_mutex_unlock(&mutex);
        return real(fd);
    }
    const size_t upto = disk.log == NULL ? 0 : disk.log->n;
    const long us = disk.sync_us;
    disk.counts.again += disk.has_failed_sync[inode] ? 1 : 0;
    const bool is_failed = fails_now(disk.is_folder[inode] ? DISK_SYNC_FOLDER : DISK_SYNC);
    const int error = errno;
    (void)pthread_mutex_unlock(&mutex);
    if (us > 0) {
        wait_us(us);
    }
    (void)pthread_mutex_lock(&mutex);
    const int result = end_sync(inode, upto, is_failed);
    (void)pthread_mutex_unlock(&mutex);
    errno = error;
    return result;
}

int
__wrap_fsync(int fd)
{
    return sync_watched(fd, __real_fsync);
}

int
__wrap_fdatasync(int fd)
{
    return sync_watched(fd, __real_fdatasync);
}

int
__wrap_ftruncate(int fd, off_t size)
{
    (void)pthread_mutex_lock(&mutex);
    const size_t inode = inode_of(fd);
    int result = -1;
    if (inode == NOTHING || !fails_now(DISK_TRUNCATE)) {
        result = __real_ftruncate(fd, size);
        if (inode != NOTHING && result == 0) {
            disk_log_add_size(disk.log, DISK_TRUNCATE, inode, (uint64_t)size);
        }
    }
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

int
__wrap_posix_fallocate(int fd, off_t offset, off_t n)
{
    (void)pthread_mutex_lock(&mutex);
    const size_t inode = inode_of(fd);
    int error = 0;
    if (inode != NOTHING && fails_now(DISK_ALLOCATE)) {
        error = errno;
    } else {
        error = __real_posix_fallocate(fd, offset, n);
        if (inode != NOTHING && error == 0) {
            disk_log_add_size(disk.log, DISK_ALLOCATE, inode, (uint64_t)(offset + n));
        }
    }
    (void)pthread_mutex_unlock(&mutex);
    return error;
}

/* ---- names ---- */

static int
move_watched(enum disk_op_kind kind, const char *from, const char *to)
{
    size_t parents[2];
    char names[2][IMAGE_NAME_MAX];
    const bool is_ours =
        place_of(from, &parents[0], names[0]) && place_of(to, &parents[1], names[1]);
    if (is_ours && fails_now(kind)) {
        return -1;
    }
    const int result = kind == DISK_RENAME ? __real_rename(from, to) : __real_link(from, to);
    if (!is_ours || result != 0) {
        return result;
    }
    if (parents[0] != parents[1]) {
        disk_log_break(disk.log, "a name in another folder", to);
    }
    const size_t inode = find_name(parents[0], names[0])->inode;
    if (kind == DISK_RENAME) {
        drop_name(find_name(parents[0], names[0]));
    }
    set_name(parents[1], names[1], inode);
    disk_log_add_name(disk.log, kind, inode, parents[0], names[0], names[1]);
    return 0;
}

int
__wrap_rename(const char *from, const char *to)
{
    (void)pthread_mutex_lock(&mutex);
    const int result = move_watched(DISK_RENAME, from, to);
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

int
__wrap_link(const char *from, const char *to)
{
    (void)pthread_mutex_lock(&mutex);
    const int result = move_watched(DISK_LINK, from, to);
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

int
__wrap_unlink(const char *path)
{
    size_t parent = NOTHING;
    char name[IMAGE_NAME_MAX];
    (void)pthread_mutex_lock(&mutex);
    struct live_name *const live = place_of(path, &parent, name) ? find_name(parent, name) : NULL;
    int result = -1;
    if (live == NULL || !fails_now(DISK_UNLINK)) {
        result = __real_unlink(path);
        if (live != NULL && result == 0) {
            disk_log_add_name(disk.log, DISK_UNLINK, live->inode, parent, name, "");
            drop_name(live);
        }
    }
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
    size_t parent = NOTHING;
    char name[IMAGE_NAME_MAX];
    (void)pthread_mutex_lock(&mutex);
    const bool is_ours = place_of(path, &parent, name) && name[0] != '\0';
    const bool makes = is_ours && find_name(parent, name) == NULL;
    int result = -1;
    if (!makes || !fails_now(DISK_MAKE_FOLDER)) {
        result = __real_mkdir(path, mode);
        if (makes && result == 0) {
            const size_t inode = new_inode(true);
            set_name(parent, name, inode);
            disk_log_add_name(disk.log, DISK_MAKE_FOLDER, inode, parent, name, "");
        }
    }
    (void)pthread_mutex_unlock(&mutex);
    return result;
}

/* ---- watching ---- */

static void
take_item(const struct image_item *item)
{
    char path[PATH_MAX];
    char name[IMAGE_NAME_MAX];
    size_t parent = 0;
    (void)snprintf(path, sizeof(path), "%.*s/%s", PATH_MAX / 2, disk.root, item->path);
    if (place_of(path, &parent, name)) {
        set_name(parent, name, new_inode(item->is_folder));
    }
}

void
disk_watch(const char *root, const struct image *image, struct disk_log *log, size_t fail_at,
           enum disk_error error)
{
    (void)pthread_mutex_lock(&mutex);
    const long sync_us = disk.sync_us;
    memset(&disk, 0, sizeof(disk));
    disk.sync_us = sync_us;
    disk.is_on = true;
    disk.root_n = (size_t)snprintf(disk.root, sizeof(disk.root), "%s", root);
    disk.log = log;
    disk.fail_at = fail_at;
    disk.error = error;
    for (size_t i = 0; i < FDS_MAX; i++) {
        disk.fd_inode[i] = NOTHING;
    }
    (void)new_inode(true);
    for (size_t i = 0; i < image->n; i++) {
        take_item(&image->items[i]);
    }
    (void)pthread_mutex_unlock(&mutex);
}

struct disk_counts
disk_unwatch(void)
{
    (void)pthread_mutex_lock(&mutex);
    disk.is_on = false;
    disk.log = NULL;
    const struct disk_counts counts = disk.counts;
    (void)pthread_mutex_unlock(&mutex);
    return counts;
}

void
disk_forget_failures(void)
{
    (void)pthread_mutex_lock(&mutex);
    memset(disk.has_failed_sync, 0, sizeof(disk.has_failed_sync));
    (void)pthread_mutex_unlock(&mutex);
}

void
disk_note(uint64_t sequence, uint64_t value)
{
    (void)pthread_mutex_lock(&mutex);
    struct disk_op *const op = disk.is_on ? disk_log_add(disk.log, DISK_NOTE, 0) : NULL;
    if (op != NULL) {
        op->sequence = sequence;
        op->value = value;
    }
    (void)pthread_mutex_unlock(&mutex);
}

void
disk_set_sync_us(long us)
{
    (void)pthread_mutex_lock(&mutex);
    disk.sync_us = us;
    (void)pthread_mutex_unlock(&mutex);
}
