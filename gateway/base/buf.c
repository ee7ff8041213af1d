/*
 * The growing buffer. Called by whoever collects bytes (connections, writers, decoders); the
 * owner's thread. Everything between the content's end and the capacity is zero, or was written by
 * a caller of buf_reserve: that keeps the NUL behind the content without a store per byte.
 */
#include "base/buf.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define FIRST_BYTES 256
#define READ_BYTES  16384

void
buf_init(struct buf *buf, size_t limit_bytes)
{
    *buf = (struct buf){.limit = limit_bytes};
}

void
buf_init_secret(struct buf *buf, size_t limit_bytes)
{
    *buf = (struct buf){.limit = limit_bytes, .is_secret = true};
}

/* All of the capacity, not only the content: a reader may have written beyond it. */
static void
release(struct buf *buf)
{
    if (buf->is_secret && buf->p != NULL) {
        mem_wipe(buf->p, buf->capacity);
    }
    mem_free(buf->p);
}

void
buf_done(struct buf *buf)
{
    release(buf);
    buf->p = NULL;
    buf->n = 0;
    buf->capacity = 0;
}

void
buf_reset(struct buf *buf)
{
    if (buf->p == NULL) {
        return;
    }
    if (buf->is_secret) {
        mem_wipe(buf->p, buf->capacity);
    } else {
        memset(buf->p, 0, buf->n);
    }
    buf->n = 0;
}

static struct status
grow(struct buf *buf, size_t wanted, struct diag *diag)
{
    size_t capacity = buf->capacity < FIRST_BYTES ? FIRST_BYTES : buf->capacity;
    while (capacity < wanted && capacity <= buf->limit / 2) {
        capacity *= 2;
    }
    if (capacity < wanted || capacity > buf->limit) {
        capacity = buf->limit;
    }
    char *p = mem_alloc(capacity + 1); /* not mem_resize: old bytes may have to be wiped */
    if (p == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a buffer of %zu bytes", capacity);
    }
    if (buf->n > 0) {
        memcpy(p, buf->p, buf->n);
    }
    release(buf);
    buf->p = p;
    buf->capacity = capacity;
    return OK;
}

struct status
buf_reserve(struct buf *buf, size_t n, struct diag *diag, char **ret_room)
{
    if (n > buf->limit - buf->n || buf->limit == SIZE_MAX) {
        return FAIL(diag, ERR_LIMIT_BUFFER, "%zu bytes and %zu more are above the limit of %zu",
                    buf->n, n, buf->limit);
    }
    if (buf->p == NULL || buf->n + n > buf->capacity) {
        TRY(grow(buf, buf->n + n, diag));
    }
    buf->p[buf->n + n] = '\0';
    *ret_room = buf->p + buf->n;
    return OK;
}

struct status
buf_append(struct buf *buf, struct span bytes, struct diag *diag)
{
    char *room = NULL;
    if (buf->p != NULL && bytes.n > 0 && bytes.n <= buf->capacity - buf->n) { /* nearly always */
        memcpy(buf->p + buf->n, bytes.p, bytes.n);
        buf->n += bytes.n;
        buf->p[buf->n] = '\0';
        return OK;
    }
    TRY(buf_reserve(buf, bytes.n, diag, &room));
    if (bytes.n > 0) {
        memcpy(room, bytes.p, bytes.n);
    }
    buf->n += bytes.n;
    return OK;
}

struct status
buf_append_cstr(struct buf *buf, const char *s, struct diag *diag)
{
    return buf_append(buf, span_of_cstr(s), diag);
}

struct status
buf_append_char(struct buf *buf, char c, struct diag *diag)
{
    return buf_append(buf, span_of(&c, 1), diag);
}

__attribute__((format(printf, 3, 0))) static struct status
print_into(struct buf *buf, struct diag *diag, const char *format, va_list args)
{
    char *room = buf->p == NULL ? NULL : buf->p + buf->n;
    const size_t left = buf->p == NULL ? 0 : buf->capacity - buf->n;
    va_list again;
    va_copy(again, args);
    /* into what is there already: nearly always it is enough */
    const int n = vsnprintf(room, room == NULL ? 0 : left + 1, format, again);
    va_end(again);
    if (n < 0) {
        return FAIL(diag, ERR_INTERNAL, "cannot format '%s'", format);
    }
    if (room == NULL || (size_t)n > left) {
        if (room != NULL) {
            memset(room, 0, left); /* what was cut off */
        }
        TRY(buf_reserve(buf, (size_t)n, diag, &room));
        (void)vsnprintf(room, (size_t)n + 1, format, args);
    }
    buf->n += (size_t)n;
    return OK;
}

struct status
buf_printf(struct buf *buf, struct diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const struct status st = print_into(buf, diag, format, args);
    va_end(args);
    return st;
}

/* Reads to the end. At the limit one byte is still asked for, to tell "just fits" from "longer". */
static struct status
read_all(struct buf *buf, int fd, const char *path, struct diag *diag)
{
    for (;;) {
        char probe = 0;
        char *room = &probe;
        const size_t left = buf->limit - buf->n;
        const size_t want = left < READ_BYTES ? left : READ_BYTES;
        if (want > 0) {
            TRY(buf_reserve(buf, want, diag, &room));
        }
        const ssize_t got = read(fd, room, want > 0 ? want : 1);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return FAIL(diag, ERR_IO, "cannot read %s: %s", path, strerrordesc_np(errno));
        }
        if (got == 0) {
            return OK;
        }
        if (want == 0) {
            return FAIL(diag, ERR_LIMIT_BUFFER, "%s is longer than %zu bytes", path, buf->limit);
        }
        buf->n += (size_t)got;
    }
}

struct status
buf_read_file(struct buf *buf, const char *path, struct diag *diag)
{
    const size_t before = buf->n;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return FAIL(diag, ERR_IO, "cannot open %s: %s", path, strerrordesc_np(errno));
    }
    const struct status st = read_all(buf, fd, path, diag);
    (void)close(fd);
    if (!is_ok(st) && buf->p != NULL) {
        memset(buf->p + before, 0, buf->n - before);
        buf->n = before;
    }
    return st;
}

void
buf_move(struct buf *to, struct buf *from)
{
    assert(to->n == 0);
    release(to);
    *to = *from;
    from->p = NULL;
    from->n = 0;
    from->capacity = 0;
}
