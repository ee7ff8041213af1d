/*
 * A disk that loses power. It starts with an image, takes the operations of a log one by one, and
 * says at any moment what a power loss could leave.
 *
 * The rules. A sync of a file makes durable what was written to it, and its size, before the sync
 * began; a sync of a folder the same for names. What is not durable yet: of each sector of 512
 * bytes any version that was written since, or none; sizes of one file, and names of one folder, in
 * their order, up to any point. Different files and folders do not wait for each other. After a
 * sync that failed, pages count as clean: no later sync makes them durable unless they are written
 * again.
 *
 * Owner: the caller. Thread: one.
 */
#ifndef FAULT_MEDIUM_H
#define FAULT_MEDIUM_H

#include "tests/fault/disk.h"

struct medium;
MUST_CHECK struct status medium_new(const struct image *start, const struct disk_log *log,
                                    struct diag *diag, struct medium **ret_medium);
void medium_free(struct medium *medium); /* NULL is fine */
/* The log's next operation happens. */
MUST_CHECK struct status medium_step(struct medium *medium, struct diag *diag);

enum medium_loss {
    MEDIUM_NOTHING_KEPT, /* only what is durable */
    MEDIUM_ALL_KEPT,     /* a process is killed: the kernel lives on */
    MEDIUM_SOME_KEPT     /* any legal state between, by chance */
};
MUST_CHECK struct status medium_cut(const struct medium *medium, enum medium_loss loss,
                                    uint64_t *random, struct diag *diag, struct image *ret_image);

uint64_t random_next(uint64_t *random);              /* 64 bits; the state is never 0 */
uint64_t random_below(uint64_t *random, uint64_t n); /* 0 to n - 1; n > 0 */

#endif
