/*
 * Preloaded into the program by the cases about a journal's disk that fails: while the file
 * $DISK_STATE is there, what it says is what the disk does with the journal. "broken": a sync fails
 * with EIO. "breaks": each but the process's first, with which it opens its chain. "hangs": a sync
 * does not return before the file is gone. A segment is a file below a folder named "audit" whose
 * name ends in .seg.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int
is_segment(int fd)
{
    char link[64], path[4096];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n < 0) {
        return 0;
    }
    path[n] = '\0';
    return strstr(path, "/audit/") != NULL && strstr(path, ".seg") != NULL;
}

static int
is_state(const char *wanted)
{
    char text[16] = "";
    const char *path = getenv("DISK_STATE");

    if (path == NULL) {
        return 0;
    }
    const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    const ssize_t n = (ssize_t)syscall(SYS_read, fd, text, sizeof(text) - 1);
    (void)syscall(SYS_close, fd);
    return n > 0 && strncmp(text, wanted, strlen(wanted)) == 0;
}

int
fdatasync(int fd)
{
    static atomic_uint syncs;
    const struct timespec moment = {.tv_nsec = 10000000};

    if (is_segment(fd)) {
        while (is_state("hangs")) {
            (void)nanosleep(&moment, NULL);
        }
        if (is_state("broken") || (is_state("breaks") && atomic_fetch_add(&syncs, 1) > 0)) {
            errno = EIO;
            return -1;
        }
    }
    return (int)syscall(SYS_fdatasync, fd);
}
