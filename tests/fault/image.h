/*
 * A folder's content held in memory: what stands on a disk at one moment. Owner: whoever has the
 * struct; image_done. Thread: one at a time.
 */
#ifndef FAULT_IMAGE_H
#define FAULT_IMAGE_H

#include "base/buf.h"

#define IMAGE_NAME_MAX   64
#define IMAGE_ITEMS_MAX  256
#define IMAGE_FILE_LIMIT ((size_t)64 * 1024 * 1024)

struct image_item {
    char path[4 * IMAGE_NAME_MAX]; /* below the folder: "chain/lock" */
    bool is_folder;
    struct buf bytes;
};

/* Folders stand before what is in them. */
struct image {
    struct image_item *items;
    size_t n;
};

/* ERR_LIMIT_BUFFER: more than IMAGE_ITEMS_MAX. The item's bytes are empty. */
MUST_CHECK struct status image_add(struct image *image, const char *path, bool is_folder,
                                   struct diag *diag, struct image_item **ret_item);
void image_done(struct image *image);
MUST_CHECK struct status image_copy(const struct image *image, struct diag *diag,
                                    struct image *ret_image);
/* Makes the folder, which must not exist, with exactly this in it. */
MUST_CHECK struct status image_write(const struct image *image, const char *folder,
                                     struct diag *diag);
MUST_CHECK struct status image_read(const char *folder, struct diag *diag, struct image *ret_image);
/* Removes a folder with all that is in it; an absent one is fine. */
MUST_CHECK struct status image_remove(const char *folder, struct diag *diag);
/* Two images of one hash are taken for the same. */
uint64_t image_hash(const struct image *image);

#endif
