/*
 * One reader over bytes in memory, in a file or in a list of both. Called by whoever receives,
 * stores or sends a message or document; one thread at a time holds a body. The body owns its
 * buffer; a file's descriptor belongs to all bodies that are slices of it.
 */
#include "base/body.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define PIECE_BYTES ((size_t)64 * 1024)

struct body_file {
    atomic_uint references;
    int fd;
    void (*release)(void *arg);
    void *release_arg;
    /* body_expect; of the one body that has the file */
    struct digest_stream *digest; /* NULL: nothing is expected, or it was found right */
    uint64_t digested;            /* bytes of it that the digest has */
    uint8_t sha256[SHA256_BYTES];
};

void
body_init(struct body *body)
{
    *body = (struct body){.kind = BODY_MEMORY};
}

void
body_from_buf(struct body *body, struct buf *content)
{
    body_init(body);
    buf_move(&body->memory, content);
    body->size = body->memory.n;
}

struct body
body_over(struct span bytes)
{
    return (struct body){
        .kind = BODY_MEMORY,
        .memory = {.p = (char *)(uintptr_t)bytes.p, .n = bytes.n, .limit = bytes.n},
        .size = bytes.n,
    };
}

struct status
body_from_file(struct body *body, int fd, uint64_t size, void (*release)(void *arg), void *arg,
               struct diag *diag)
{
    struct body_file *file = mem_alloc(sizeof(*file));
    if (file == NULL) {
        (void)close(fd);
        if (release != NULL) {
            release(arg);
        }
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a body in a file");
    }
    atomic_init(&file->references, 1);
    file->fd = fd;
    file->release = release;
    file->release_arg = arg;
    body_init(body);
    body->kind = BODY_FILE;
    body->file = file;
    body->size = size;
    return OK;
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
    return body_from_file(body, fd, (uint64_t)info.st_size, NULL, NULL, diag);
}

struct status
body_from_list(struct body *body, struct body *parts, size_t n, struct diag *diag)
{
    struct body list = {.kind = BODY_LIST, .parts_n = n};
    list.parts = mem_alloc(n * sizeof(*list.parts));
    if (list.parts == NULL) {
        for (size_t i = 0; i < n; i++) {
            body_done(&parts[i]);
        }
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a body of %zu parts", n);
    }
    for (size_t i = 0; i < n; i++) {
        list.size += parts[i].size;
        body_move(&list.parts[i], &parts[i]);
    }
    *body = list;
    return OK;
}

static void
unref_file(struct body_file *file)
{
    if (atomic_fetch_sub(&file->references, 1) > 1) {
        return;
    }
    (void)close(file->fd);
    if (file->release != NULL) {
        file->release(file->release_arg);
    }
    digest_stream_free(file->digest);
    mem_free(file);
}

void
body_done(struct body *body)
{
    if (body->kind == BODY_FILE) {
        unref_file(body->file);
    }
    for (size_t i = 0; i < body->parts_n; i++) {
        body_done(&body->parts[i]);
    }
    mem_free(body->parts);
    buf_done(&body->memory);
    body_init(body);
}

void
body_move(struct body *to, struct body *from)
{
    *to = *from;
    body_init(from);
}

/* Slices of all parts that it touches. */
static struct status
slice_list(const struct body *list, uint64_t offset, uint64_t size, struct diag *diag,
           struct body *ret_part)
{
    struct body *slices = mem_alloc(list->parts_n * sizeof(*slices));
    struct status st = OK;
    uint64_t at = offset, left = size;
    size_t n = 0;
    if (slices == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a part of a body");
    }
    for (size_t i = 0; i < list->parts_n && left > 0 && is_ok(st); i++) {
        const struct body *part = &list->parts[i];
        if (at >= part->size) {
            at -= part->size;
            continue;
        }
        const uint64_t step = left < part->size - at ? left : part->size - at;
        st = body_slice(part, at, step, diag, &slices[n]);
        n += is_ok(st) ? 1 : 0;
        left -= step;
        at = 0;
    }
    if (is_ok(st) && n == 1) {
        body_move(ret_part, &slices[0]);
    } else if (is_ok(st)) {
        st = body_from_list(ret_part, slices, n, diag);
    } else {
        for (size_t i = 0; i < n; i++) {
            body_done(&slices[i]);
        }
    }
    mem_free(slices);
    return st;
}

struct status
body_slice(const struct body *body, uint64_t offset, uint64_t size, struct diag *diag,
           struct body *ret_part)
{
    assert(offset <= body->size && size <= body->size - offset);
    if (body->kind == BODY_LIST) {
        return slice_list(body, offset, size, diag, ret_part);
    }
    if (body->kind == BODY_FILE) {
        atomic_fetch_add(&body->file->references, 1);
        *ret_part = *body;
        ret_part->offset += offset;
        ret_part->size = size;
        return OK;
    }
    struct buf copy;
    buf_init_secret(&copy, (size_t)size);
    TRY(buf_append(&copy, span_slice(buf_span(&body->memory), (size_t)offset, (size_t)size), diag));
    body_from_buf(ret_part, &copy);
    return OK;
}

uint64_t
body_memory(const struct body *body)
{
    uint64_t bytes = body->kind == BODY_MEMORY ? body->size : 0;
    for (size_t i = 0; i < body->parts_n; i++) {
        bytes += body_memory(&body->parts[i]);
    }
    return bytes;
}

/* ---- the digest of a file ---- */

struct status
body_expect(struct body *body, const uint8_t sha256[SHA256_BYTES], struct diag *diag)
{
    assert(body->kind == BODY_FILE && atomic_load(&body->file->references) == 1);
    TRY(digest_stream_new(DIGEST_SHA256, diag, &body->file->digest));
    memcpy(body->file->sha256, sha256, SHA256_BYTES);
    return OK;
}

/* What is read again, or out of order, was judged already or will be: the digest goes on where it
 * stands. */
static struct status
check_digest(const struct body *body, uint64_t offset, struct span bytes, struct diag *diag)
{
    struct body_file *file = body->file;
    uint8_t found[DIGEST_MAX];
    if (file->digest == NULL || offset > file->digested || offset + bytes.n <= file->digested) {
        return OK;
    }
    TRY(digest_stream_add(file->digest,
                          span_slice(bytes, (size_t)(file->digested - offset), SIZE_MAX), diag));
    file->digested = offset + bytes.n;
    if (file->digested < body->size) {
        return OK;
    }
    TRY(digest_stream_end(file->digest, diag, found));
    if (memcmp(found, file->sha256, SHA256_BYTES) != 0) {
        file->digested = 0; /* whoever reads it again is told again */
        return FAIL(diag, ERR_IO,
                    "a stored document of %" PRIu64 " bytes has another SHA-256 than it was stored "
                    "with: its file was changed or is damaged; restore it from a backup",
                    body->size);
    }
    digest_stream_free(file->digest);
    file->digest = NULL;
    return OK;
}

/* ---- reading ---- */

static struct status
read_file(const struct body *body, uint64_t offset, char *to, size_t n, struct diag *diag,
          size_t *ret_n)
{
    size_t got = 0;
    while (got < n) {
        const uint64_t at = body->offset + offset + got;
        const ssize_t part = pread(body->file->fd, to + got, n - got, (off_t)at);
        if (part < 0 && errno == EINTR) {
            continue;
        }
        if (part < 0) {
            return FAIL(diag, ERR_IO, "cannot read the file of a body at %" PRIu64 ": %s", at,
                        strerrordesc_np(errno));
        }
        if (part == 0) {
            return FAIL(diag, ERR_IO, "the file of a body ends at %" PRIu64 ", not at %" PRIu64, at,
                        body->offset + body->size);
        }
        got += (size_t)part;
    }
    TRY(check_digest(body, offset, span_of(to, n), diag));
    *ret_n = n;
    return OK;
}

/* From as many parts as fill <n> bytes. */
static struct status
read_list(const struct body *list, uint64_t offset, char *to, size_t n, struct diag *diag,
          size_t *ret_n)
{
    uint64_t at = offset;
    size_t got = 0;
    for (size_t i = 0; i < list->parts_n && got < n; i++) {
        const struct body *part = &list->parts[i];
        size_t more = 0;
        if (at < part->size) {
            TRY(body_read(part, at, to + got, n - got, diag, &more));
            got += more;
            at = 0;
        } else {
            at -= part->size;
        }
    }
    *ret_n = got;
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
    if (body->kind == BODY_LIST) {
        return read_list(body, offset, to, part, diag, ret_n);
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

struct status
body_each(const struct body *body,
          struct status (*take)(void *arg, struct span piece, struct diag *diag), void *arg,
          struct diag *diag)
{
    if (body->kind == BODY_MEMORY) {
        return take(arg, buf_span(&body->memory), diag);
    }
    CLEANUP(buf_done) struct buf piece;
    char *room = NULL;
    uint64_t at = 0;
    buf_init_secret(&piece, PIECE_BYTES);
    TRY(buf_reserve(&piece, PIECE_BYTES, diag, &room));
    while (at < body->size) {
        size_t n = 0;
        TRY(body_read(body, at, room, PIECE_BYTES, diag, &n));
        TRY(take(arg, span_of(room, n), diag));
        at += n;
    }
    return OK;
}
