/*
 * Preloaded into the program by the audit order test: writes one letter per event, in order, to
 * $ORDER_LOG. W  bytes of a journal segment were written     S  fdatasync of a segment returned
 * with success A  the first bytes of a message go to TLS      (application data: handshakes do not
 * pass SSL_write) A segment is a file below a folder named "audit".
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct ssl_st;

static void
note(char event)
{
    const char *path = getenv("ORDER_LOG");
    int fd;

    if (path == NULL) {
        return;
    }
    fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)syscall(SYS_write, fd, &event, 1);
        (void)syscall(SYS_close, fd);
    }
}

static int
is_segment(int fd)
{
    char link[64], path[4096];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    if (n < 0) {
        return 0;
    }
    path[n] = '\0';
    return strstr(path, "/audit/") != NULL && strstr(path, ".seg") != NULL;
}

ssize_t
write(int fd, const void *bytes, size_t n)
{
    const ssize_t written = syscall(SYS_write, fd, bytes, n);

    if (is_segment(fd)) {
        note('W');
    }
    return written;
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t offset)
{
    const ssize_t written = syscall(SYS_pwrite64, fd, bytes, n, offset);

    if (is_segment(fd)) {
        note('W');
    }
    return written;
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off_t offset)
{
    return pwrite(fd, bytes, n, offset);
}

int
fdatasync(int fd)
{
    const int result = (int)syscall(SYS_fdatasync, fd);

    if (result == 0 && is_segment(fd)) {
        note('S');
    }
    return result;
}

int
SSL_write(struct ssl_st *ssl, const void *bytes, int n)
{
    static int (*real)(struct ssl_st *, const void *, int);

    if (real == NULL) {
        *(void **)&real = dlsym(RTLD_NEXT, "SSL_write");
    }
    note('A');
    return real(ssl, bytes, n);
}
