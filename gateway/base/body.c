/*
 * One reader over bytes in memory or in a file. Called by whoever receives, stores or sends a
 * message or document; one thread at a time holds a body. The body owns its buffer and descriptor.
 */
#include "base/body.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
body_init(struct body *body)
{
    *body = (struct body){.kind = BODY_MEMORY, .fd = -1};
}

void
body_from_buf(struct body *body, struct buf *content)
{
    body_init(body);
    buf_move(&body->memory, content);
    body->size = body->memory.n;
}

struct status
body_from_fd(struct body *body, int fd, struct diag *diag)
{
    struct stat info;
    const bool is_known = fstat(fd, &info) == 0;
    if (!is_known || !S_ISREG(info.st_mode)) {
        const char *why = is_known ? "it is not a regular file" : strerrordesc_np(errno);
        (void)close(fd);
        return FAIL(diag, ERR_IO, "the size of descriptor %d cannot be known: %s", fd, why);
    }
    body_init(body);
    body->kind = BODY_FILE;
    body->fd = fd;
    body->size = (uint64_t)info.st_size;
    return OK;
}

void
body_done(struct body *body)
{
    if (body->kind == BODY_FILE) {
        (void)close(body->fd);
    }
    buf_done(&body->memory);
    body_init(body);
}

void
body_move(struct body *to, struct body *from)
{
    *to = *from;
    body_init(from);
}

static struct status
read_file(const struct body *body, uint64_t offset, char *to, size_t n, struct diag *diag,
          size_t *ret_n)
{
    size_t got = 0;
    while (got < n) {
        const ssize_t part = pread(body->fd, to + got, n - got, (off_t)(offset + got));
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part < 0) {
            return FAIL(diag, ERR_IO, "cannot read the file of a body at %" PRIu64 ": %s",
                        offset + got, strerrordesc_np(errno));
        }
        if (part == 0) {
            return FAIL(diag, ERR_IO, "the file of a body ends at %" PRIu64 ", not at %" PRIu64,
                        offset + got, body->size);
        }
        got += (size_t)part;
    }
    *ret_n = n;
    return OK;
}

struct status
body_read(const struct body *body, uint64_t offset, char *to, size_t n, struct diag *diag,
          size_t *ret_n)
{
    const uint64_t left = offset < body->size ? body->size - offset : 0;
    const size_t part = left < n ? (size_t)left : n;
    if (part == 0) {
        *ret_n = 0;
        return OK;
    }
    if (body->kind == BODY_FILE) {
        return read_file(body, offset, to, part, diag, ret_n);
    }
    memcpy(to, body->memory.p + offset, part);
    *ret_n = part;
    return OK;
}

struct status
body_span(const struct body *body, struct buf *scratch, struct diag *diag, struct span *ret_span)
{
    char *room = NULL;
    size_t n = 0;
    if (body->kind == BODY_MEMORY) {
        *ret_span = buf_span(&body->memory);
        return OK;
    }
    buf_reset(scratch);
    if (body->size > scratch->limit) {
        return FAIL(diag, ERR_LIMIT_BUFFER, "a body of %" PRIu64 " bytes is above the limit of %zu",
                    body->size, scratch->limit);
    }
    TRY(buf_reserve(scratch, (size_t)body->size, diag, &room));
    TRY(body_read(body, 0, room, (size_t)body->size, diag, &n));
    scratch->n = n;
    *ret_span = buf_span(scratch);
    return OK;
}
