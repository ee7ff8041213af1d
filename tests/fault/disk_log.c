/*
 * Operations added to a log. Called by disk.c under its lock.
 */
#include "tests/fault/disk_log.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

const char *
disk_op_name(enum disk_op_kind kind)
{
    static const char *const names[DISK_OP_COUNT] = {
        [DISK_MAKE] = "open",
        [DISK_MAKE_FOLDER] = "mkdir",
        [DISK_WRITE] = "write",
        [DISK_TRUNCATE] = "ftruncate",
        [DISK_ALLOCATE] = "fallocate",
        [DISK_SYNC] = "sync of a file",
        [DISK_SYNC_FOLDER] = "sync of a folder",
        [DISK_RENAME] = "rename",
        [DISK_LINK] = "link",
        [DISK_UNLINK] = "unlink",
        [DISK_NOTE] = "note",
    };
    return names[kind];
}

void
disk_log_done(struct disk_log *log)
{
    for (size_t i = 0; i < log->n; i++) {
        mem_free(log->ops[i].bytes);
    }
    mem_free(log->ops);
    *log = (struct disk_log){0};
}

void
disk_log_break(struct disk_log *log, const char *why, const char *what)
{
    if (log != NULL && !log->is_broken) {
        log->is_broken = true;
        (void)snprintf(log->why, sizeof(log->why), "%s: %.100s", why, what);
    }
}

struct disk_op *
disk_log_add(struct disk_log *log, enum disk_op_kind kind, size_t inode)
{
    if (log == NULL) {
        return NULL;
    }
    if (log->n == log->capacity) {
        const size_t capacity = log->capacity == 0 ? 512 : log->capacity * 2;
        struct disk_op *const ops = mem_resize(log->ops, capacity * sizeof(*ops));
        if (ops == NULL) {
            disk_log_break(log, "no memory", "log");
            return NULL;
        }
        log->ops = ops;
        log->capacity = capacity;
    }
    struct disk_op *const op = &log->ops[log->n++];
    *op = (struct disk_op){.kind = kind, .inode = inode, .upto = log->n - 1};
    return op;
}

void
disk_log_add_write(struct disk_log *log, size_t inode, uint64_t offset, const void *bytes, size_t n)
{
    struct disk_op *const op = disk_log_add(log, DISK_WRITE, inode);
    if (op == NULL) {
        return;
    }
    op->bytes = mem_alloc(n);
    if (op->bytes == NULL) {
        disk_log_break(log, "no memory", "write");
        return;
    }
    memcpy(op->bytes, bytes, n);
    op->offset = offset;
    op->size = n;
}

void
disk_log_add_size(struct disk_log *log, enum disk_op_kind kind, size_t inode, uint64_t size)
{
    struct disk_op *const op = disk_log_add(log, kind, inode);
    if (op != NULL) {
        op->size = size;
    }
}

void
disk_log_add_name(struct disk_log *log, enum disk_op_kind kind, size_t inode, size_t parent,
                  const char *name, const char *new_name)
{
    struct disk_op *const op = disk_log_add(log, kind, inode);
    if (op != NULL) {
        op->parent = parent;
        (void)snprintf(op->name, sizeof(op->name), "%s", name);
        (void)snprintf(op->new_name, sizeof(op->new_name), "%s", new_name);
    }
}
