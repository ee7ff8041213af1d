/*
 * Segments of the replay memory: appending, and giving up those of which nothing is needed. Called
 * by replay_memory.c under its lock; reading at a start is in replay_load.c. The files' owner owns
 * two descriptors: the lock's and the youngest segment's.
 */
#include "store/replay_segment.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- names and failures ---- */

struct status
replay_failed(const struct replay_files *files, const char *what, const char *name, int error,
              struct diag *diag)
{
    return FAIL(diag, ERR_STORE, "the replay memory cannot %s %s/%s: %s", what, files->folder, name,
                strerrordesc_np(error));
}

void
replay_segment_name(uint32_t number, char ret_name[REPLAY_NAME_MAX])
{
    (void)snprintf(ret_name, REPLAY_NAME_MAX, "%010u.keys", number);
}

/* ---- opening ---- */

/* The pid that the other node wrote into its lock. */
static struct status
refuse_second(const struct replay_files *files, struct diag *diag)
{
    char pid[16] = "";
    const ssize_t n = pread(files->lock_fd, pid, sizeof(pid) - 1, 0);

    pid[n > 0 ? strspn(pid, "0123456789") : 0] = '\0';
    return FAIL(diag, ERR_STORE,
                "another node (pid %s) serves this store (it has locked %s/lock); one node serves "
                "with a store at a time: stop that one, or give this one a store of its own",
                pid[0] == '\0' ? "unknown" : pid, files->folder);
}

static struct status
take_lock(struct replay_files *files, struct diag *diag)
{
    char pid[16];

    files->lock_fd =
        openat(files->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (files->lock_fd == -1) {
        return replay_failed(files, "open", "lock", errno, diag);
    }
    if (flock(files->lock_fd, LOCK_EX | LOCK_NB) == -1) {
        return errno == EWOULDBLOCK ? refuse_second(files, diag)
                                    : replay_failed(files, "lock", "lock", errno, diag);
    }
    const int n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());

    if (ftruncate(files->lock_fd, 0) == -1 || pwrite(files->lock_fd, pid, (size_t)n, 0) != n) {
        return replay_failed(files, "write", "lock", errno, diag);
    }
    return OK;
}

static struct status
open_folder(struct replay_files *files, struct diag *diag)
{
    if (mkdir(files->folder, 0700) == -1 && errno != EEXIST) {
        return replay_failed(files, "make", "", errno, diag);
    }
    files->folder_fd = open(files->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (files->folder_fd == -1) {
        return replay_failed(files, "open", "", errno, diag);
    }
    return take_lock(files, diag);
}

struct status
replay_files_open(const char *folder, struct diag *diag, struct replay_files **ret_files)
{
    struct replay_files *files = mem_alloc(sizeof(*files));

    if (files == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the files of the replay memory");
    }
    files->folder_fd = files->lock_fd = files->fd = -1;
    files->folder = mem_strdup(folder);
    const struct status st =
        files->folder == NULL
            ? FAIL(diag, ERR_NO_MEMORY, "no memory for the files of the replay memory")
            : open_folder(files, diag);

    if (!is_ok(st)) {
        replay_files_close(files);
        return st;
    }
    *ret_files = files;
    return OK;
}

static void
close_fd(int fd)
{
    if (fd != -1) {
        (void)close(fd);
    }
}

void
replay_files_close(struct replay_files *files)
{
    if (files != NULL) {
        close_fd(files->fd);
        close_fd(files->lock_fd);
        close_fd(files->folder_fd);
        mem_free(files->segments);
        mem_free(files->folder);
        mem_free(files);
    }
}

/* ---- segments ---- */

struct status
replay_segments_add(struct replay_files *files, const struct replay_segment *segment,
                    struct diag *diag)
{
    if (files->n == files->capacity) {
        const size_t capacity = files->capacity == 0 ? 16 : 2 * files->capacity;
        struct replay_segment *segments = mem_resize(files->segments, capacity * sizeof(*segments));

        if (segments == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for the files of the replay memory");
        }
        files->segments = segments;
        files->capacity = capacity;
    }
    files->segments[files->n++] = *segment;
    files->records += segment->records;
    return OK;
}

static struct replay_segment *
youngest(const struct replay_files *files)
{
    assert(files->n > 0);
    return &files->segments[files->n - 1];
}

/* They are in the order of their numbers. */
static struct replay_segment *
find(const struct replay_files *files, uint32_t number)
{
    size_t low = 0, high = files->n;

    while (low + 1 < high) {
        const size_t middle = low + (high - low) / 2;

        if (files->segments[middle].number <= number) {
            low = middle;
        } else {
            high = middle;
        }
    }
    assert(low < files->n && files->segments[low].number == number);
    return &files->segments[low];
}

/* Under another name until its header is there: a segment without one is a damaged one. */
static struct status
make_segment(struct replay_files *files, uint32_t number, struct diag *diag, int *ret_fd)
{
    uint8_t header[REPLAY_BLOCK];
    char name[REPLAY_NAME_MAX];
    const int fd = openat(files->folder_fd, REPLAY_NEW_NAME,
                          O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd == -1) {
        return replay_failed(files, "make", REPLAY_NEW_NAME, errno, diag);
    }
    replay_write_header(files->id, number, header);
    replay_segment_name(number, name);
    const ssize_t written = pwrite(fd, header, sizeof(header), 0);
    struct status st = OK;

    if (written != (ssize_t)sizeof(header)) {
        st = replay_failed(files, "write", REPLAY_NEW_NAME, written == -1 ? errno : ENOSPC, diag);
    } else if (renameat(files->folder_fd, REPLAY_NEW_NAME, files->folder_fd, name) == -1) {
        st = replay_failed(files, "make", name, errno, diag);
    }
    if (!is_ok(st)) {
        (void)close(fd);
        return st;
    }
    *ret_fd = fd;
    return OK;
}

struct status
replay_files_renew(struct replay_files *files, struct diag *diag)
{
    const uint32_t number = files->n == 0 ? 1 : youngest(files)->number + 1;
    struct replay_segment segment = {.number = number, .is_dirty = true};
    int fd = -1;

    if (number == 0) {
        return FAIL(diag, ERR_STORE, "the replay memory in %s has used up its numbers",
                    files->folder);
    }
    segment.seed = replay_seed(files->id, number);
    TRY(replay_segments_add(files, &segment, diag));
    const struct status st = make_segment(files, number, diag, &fd);

    if (!is_ok(st)) {
        files->n--;
        return st;
    }
    close_fd(files->fd);
    files->fd = fd;
    files->may_drop = true; /* the one before may be empty */
    return OK;
}

/* ---- appending ---- */

struct status
replay_files_make_room(struct replay_files *files, size_t n, struct diag *diag, size_t *ret_room)
{
    assert(n <= REPLAY_APPEND_MAX);
    if (files->is_broken) {
        return FAIL(diag, ERR_STORE,
                    "the replay memory in %s could not take back what it had half written: nothing "
                    "is accepted until the node starts anew",
                    files->folder);
    }
    if (youngest(files)->records + n > REPLAY_SEGMENT_RECORDS) {
        TRY(replay_files_renew(files, diag));
    }
    *ret_room = REPLAY_SEGMENT_RECORDS - youngest(files)->records;
    return OK;
}

/* Nothing, or a part, was written: nothing may be left of it. */
static struct status
take_back(struct replay_files *files, off_t at, int error, struct diag *diag)
{
    char name[REPLAY_NAME_MAX];

    replay_segment_name(youngest(files)->number, name);
    const struct status st = replay_failed(files, "append to", name, error, diag);

    files->is_broken = ftruncate(files->fd, at) == -1;
    return st;
}

struct status
replay_files_append(struct replay_files *files, const struct replay_record *records, size_t n,
                    struct diag *diag)
{
    uint8_t bytes[REPLAY_APPEND_MAX * REPLAY_BLOCK];
    struct replay_segment *segment = youngest(files);
    const off_t at = (off_t)REPLAY_BLOCK * (off_t)(segment->records + 1);

    assert(!files->is_broken && n > 0 && n <= REPLAY_APPEND_MAX);
    assert(segment->records + n <= REPLAY_SEGMENT_RECORDS);
    for (size_t i = 0; i < n; i++) {
        replay_write_record(segment->seed, segment->records + (uint32_t)i, &records[i],
                            bytes + i * REPLAY_BLOCK);
    }
    const ssize_t written = pwrite(files->fd, bytes, n * REPLAY_BLOCK, at);

    if (written != (ssize_t)(n * REPLAY_BLOCK)) {
        return take_back(files, at, written == -1 ? errno : ENOSPC, diag);
    }
    segment->records += (uint32_t)n;
    segment->needed += (uint32_t)n;
    segment->is_dirty = true;
    files->records += n;
    return OK;
}

uint32_t
replay_files_youngest(const struct replay_files *files)
{
    return youngest(files)->number;
}

/* ---- giving up ---- */

void
replay_files_gone(struct replay_files *files, uint32_t number)
{
    struct replay_segment *segment = find(files, number);

    assert(segment->needed > 0);
    segment->needed--;
    files->may_drop = files->may_drop || segment->needed == 0;
}

bool
replay_files_drop(struct replay_files *files)
{
    size_t i = 0;
    char name[REPLAY_NAME_MAX];

    if (!files->may_drop) {
        return false;
    }
    while (i + 1 < files->n && files->segments[i].needed > 0) {
        i++;
    }
    if (i + 1 >= files->n) { /* the youngest stays */
        files->may_drop = false;
        return false;
    }
    /* One that cannot be removed is read at the next start, and given up again. */
    replay_segment_name(files->segments[i].number, name);
    (void)unlinkat(files->folder_fd, name, 0);
    files->records -= files->segments[i].records;
    files->n--;
    memmove(&files->segments[i], &files->segments[i + 1],
            (files->n - i) * sizeof(*files->segments));
    return true;
}

uint64_t
replay_files_records(const struct replay_files *files)
{
    return files->records;
}

size_t
replay_files_segments(const struct replay_files *files)
{
    return files->n;
}

/* ---- to the disk ---- */

static struct status
sync_segment(struct replay_files *files, struct replay_segment *segment, struct diag *diag)
{
    char name[REPLAY_NAME_MAX];

    replay_segment_name(segment->number, name);
    const int fd = openat(files->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    const bool is_good = fd != -1 && fsync(fd) == 0;
    const int error = errno;

    close_fd(fd);
    if (!is_good) {
        return replay_failed(files, "sync", name, error, diag);
    }
    segment->is_dirty = false;
    return OK;
}

/* The folder's name in the folder above is as lasting as that one. */
static struct status
sync_folders(struct replay_files *files, struct diag *diag)
{
    const int above = openat(files->folder_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const bool is_good = above != -1 && fsync(above) == 0 && fsync(files->folder_fd) == 0;
    const int error = errno;

    close_fd(above);
    return is_good ? OK : replay_failed(files, "sync", "", error, diag);
}

struct status
replay_files_sync(struct replay_files *files, struct diag *diag)
{
    for (size_t i = 0; i < files->n; i++) {
        if (files->segments[i].is_dirty) {
            TRY(sync_segment(files, &files->segments[i], diag));
        }
    }
    return sync_folders(files, diag);
}
