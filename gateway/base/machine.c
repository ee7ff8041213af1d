/*
 * Physical memory from sysconf, and the limits of control groups, version 2 and 1, from the files
 * that the kernel shows: of the process's own group and of those around it. Called while a
 * configuration loads. What cannot be read does not limit.
 */
#include "base/machine.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/span.h"

#define LEVELS_MAX 16

/* A small file's text; empty when it cannot be read. */
static void
read_text(const char *path, char *ret_text, size_t n)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = 0;
    if (fd >= 0) {
        got = read(fd, ret_text, n - 1);
        (void)close(fd);
    }
    ret_text[got > 0 ? got : 0] = '\0';
}

static uint64_t
limit_in(const char *folder, const char *file)
{
    char path[PATH_MAX], text[64];
    uint64_t bytes = 0;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    read_text(path, text, sizeof(text));
    struct span number = span_of_cstr(text);
    while (number.n > 0 && number.p[number.n - 1] == '\n') {
        number.n--;
    }
    /* "max", and version 1's number near 2^63, are no limit */
    return span_to_u64(number, INT64_MAX, &bytes) && bytes > 0 ? bytes : UINT64_MAX;
}

/* The least of a group and of all around it. */
static uint64_t
limit_of_group(const char *mount, struct span group, const char *file)
{
    char folder[PATH_MAX];
    uint64_t least = limit_in(mount, file);
    for (int level = 0; level < LEVELS_MAX && group.n > 1; level++) {
        (void)snprintf(folder, sizeof(folder), "%s%.*s", mount, SPAN_PRINT(group));
        const uint64_t limit = limit_in(folder, file);
        least = limit < least ? limit : least;
        while (group.n > 0 && group.p[group.n - 1] != '/') {
            group.n--;
        }
        group.n -= group.n > 0; /* the slash */
    }
    return least;
}

/* A line of /proc/self/cgroup: number, controllers, group. */
static uint64_t
limit_of_line(const char *root, struct span line)
{
    char mount[PATH_MAX];
    struct span number, controllers;
    if (!span_split(&line, ':', &number) || !span_split(&line, ':', &controllers)) {
        return UINT64_MAX;
    }
    if (controllers.n == 0) {
        (void)snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
        return limit_of_group(mount, line, "memory.max");
    }
    if (span_eq_cstr(controllers, "memory")) {
        (void)snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/memory", root);
        return limit_of_group(mount, line, "memory.limit_in_bytes");
    }
    return UINT64_MAX;
}

uint64_t
machine_memory_under(const char *root, uint64_t physical)
{
    char path[PATH_MAX], text[4096];
    struct span line;
    uint64_t least = physical;
    (void)snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    read_text(path, text, sizeof(text));
    struct span rest = span_of_cstr(text);
    while (span_split(&rest, '\n', &line)) {
        const uint64_t limit = limit_of_line(root, line);
        least = limit < least ? limit : least;
    }
    return least;
}

uint64_t
machine_memory_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const uint64_t physical =
        pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : (uint64_t)1 << 30;
    return machine_memory_under("", physical);
}

unsigned
machine_cores(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}
