/*
 * What was done to a disk, in the order of its effects: the log that disk.c writes and medium.c
 * replays. Owner: the caller. Thread: one at a time (disk.c has a lock).
 */
#ifndef FAULT_DISK_LOG_H
#define FAULT_DISK_LOG_H

#include "tests/fault/image.h"

enum disk_op_kind {
    DISK_MAKE,        /* open that made a file */
    DISK_MAKE_FOLDER, /* mkdir */
    DISK_WRITE,       /* pwrite, write */
    DISK_TRUNCATE,    /* ftruncate; open with O_TRUNC */
    DISK_ALLOCATE,    /* posix_fallocate */
    DISK_SYNC,        /* fsync, fdatasync of a file */
    DISK_SYNC_FOLDER, /* fsync of a folder */
    DISK_RENAME,
    DISK_LINK,
    DISK_UNLINK,
    DISK_NOTE, /* no call: something was acknowledged */
    DISK_OP_COUNT
};
const char *disk_op_name(enum disk_op_kind kind);

/* Inodes are numbers: 0 is the root, then the image's items in order, then what was made. */
struct disk_op {
    enum disk_op_kind kind;
    bool is_failed; /* a sync: the kernel has said EIO and called the pages clean */
    size_t inode;   /* of the file or folder itself */
    size_t parent;  /* of its name; RENAME, LINK: of both names */
    char name[IMAGE_NAME_MAX], new_name[IMAGE_NAME_MAX];
    uint64_t offset, size;    /* WRITE: where; TRUNCATE: size; ALLOCATE: least size */
    char *bytes;              /* WRITE */
    size_t upto;              /* SYNC: covers the operations before this one */
    uint64_t sequence, value; /* NOTE */
};

struct disk_log {
    struct disk_op *ops;
    size_t n, capacity;
    bool is_broken; /* something that the model does not know, or memory ran out */
    char why[200];
};
void disk_log_done(struct disk_log *log);

/* All of these do nothing without a log (NULL). */
void disk_log_break(struct disk_log *log, const char *why, const char *what);
/* The new operation; NULL when there is no log, or no memory (the log is broken then). */
struct disk_op *disk_log_add(struct disk_log *log, enum disk_op_kind kind, size_t inode);
void disk_log_add_write(struct disk_log *log, size_t inode, uint64_t offset, const void *bytes,
                        size_t n);
void disk_log_add_size(struct disk_log *log, enum disk_op_kind kind, size_t inode, uint64_t size);
void disk_log_add_name(struct disk_log *log, enum disk_op_kind kind, size_t inode, size_t parent,
                       const char *name, const char *new_name);

#endif
