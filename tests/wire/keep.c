/*
 * Appends what nodes write to files (see the header). Called by scenes and by keeping.c, on any
 * thread; owns nothing between two calls but the flag of keep_pause_audit, which is its thread's.
 */
#include "tests/wire/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define AUDIT_BYTES_MAX ((size_t)64 * 1024 * 1024)

static _Thread_local bool is_audit_paused;

static const char *
folder(void)
{
    const char *name = getenv("ISTHMUS_KEEP");

    return name == NULL || name[0] == '\0' ? NULL : name;
}

bool
keep_is_on(void)
{
    return folder() != NULL;
}

static void
give_up(const char *what)
{
    (void)fprintf(stderr, "a message could not be kept: %s: %s\n", what, strerror(errno));
    abort();
}

static void
append(const char *kind, const char *content_type, char *bytes, size_t n)
{
    char path[PATH_MAX], line[640], end[] = "\n";
    const int line_n = snprintf(line, sizeof(line), "%s %zu %s\n", kind, n, content_type);
    struct iovec pieces[] = {{line, (size_t)line_n}, {bytes, n}, {end, 1}};
    const size_t all = (size_t)line_n + n + 1;
    int fd;

    (void)snprintf(path, sizeof(path), "%s/%s.kept", folder(), program_invocation_short_name);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd == -1) {
        give_up(path);
    }
    if (writev(fd, pieces, 3) != (ssize_t)all) { /* regular files take all of it */
        give_up("writev");
    }
    (void)close(fd);
}

static char *
memory(size_t n)
{
    char *bytes = malloc(n + 1);

    if (bytes == NULL) {
        give_up("memory");
    }
    return bytes;
}

void
keep_text(const char *kind, const char *content_type, struct span bytes)
{
    if (folder() == NULL) {
        return;
    }
    char *copy = memory(bytes.n);

    memcpy(copy, bytes.p, bytes.n);
    append(kind, content_type, copy, bytes.n);
    free(copy);
}

void
keep_message(const char *kind, const char *content_type, const struct body *body)
{
    struct diag diag = {0};
    const uint64_t size = body->kind == BODY_MEMORY ? body->memory.n : body->size;
    size_t have = 0;

    if (folder() == NULL || size == 0 || strncmp(content_type, "text/plain", 10) == 0) {
        return;
    }
    char *bytes = memory(size);

    while (have < size) {
        size_t n = 0;

        if (!is_ok(body_read(body, have, bytes + have, size - have, &diag, &n)) || n == 0) {
            give_up(diag.text);
        }
        have += n;
    }
    append(kind, content_type, bytes, size);
    free(bytes);
}

void
keep_audit(const struct audit_event *event)
{
    static const struct audit_source source = {"a node of the tests", "2.999.1"};
    struct diag diag = {0};
    struct buf xml;

    if (folder() == NULL || is_audit_paused) {
        return;
    }
    buf_init(&xml, AUDIT_BYTES_MAX);
    if (!is_ok(audit_message_write(event, &source, &xml, &diag))) {
        give_up(diag.text);
    }
    keep_text(KEEP_AUDIT, "application/xml", buf_span(&xml));
    buf_done(&xml);
}

void
keep_pause_audit(bool is_paused)
{
    is_audit_paused = is_paused;
}
