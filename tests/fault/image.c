/*
 * Folders read, written and removed as a whole, one level of files below one level of folders and
 * deeper. Called by the families; each owns its images.
 */
#include "tests/fault/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static struct status
fail_at(const char *what, const char *path, struct diag *diag)
{
    return FAIL(diag, ERR_IO, "cannot %s %s: %s", what, path, strerrordesc_np(errno));
}

static struct status
join(char to[PATH_MAX], const char *folder, const char *name, struct diag *diag)
{
    const int n = snprintf(to, PATH_MAX, "%s%s%s", folder, name[0] == '\0' ? "" : "/", name);
    return n > 0 && n < PATH_MAX ? OK : FAIL(diag, ERR_IO, "a path below %s is too long", folder);
}

/* ---- in memory ---- */

struct status
image_add(struct image *image, const char *path, bool is_folder, struct diag *diag,
          struct image_item **ret_item)
{
    if (image->n == IMAGE_ITEMS_MAX) {
        return FAIL(diag, ERR_LIMIT_BUFFER, "more than %d files in an image", IMAGE_ITEMS_MAX);
    }
    if (image->items == NULL) {
        image->items = mem_alloc(IMAGE_ITEMS_MAX * sizeof(*image->items));
    }
    if (image->items == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for an image");
    }
    struct image_item *const item = &image->items[image->n];
    if (snprintf(item->path, sizeof(item->path), "%s", path) >= (int)sizeof(item->path)) {
        return FAIL(diag, ERR_IO, "the path %s is too long for an image", path);
    }
    item->is_folder = is_folder;
    buf_init(&item->bytes, IMAGE_FILE_LIMIT);
    image->n++;
    *ret_item = item;
    return OK;
}

void
image_done(struct image *image)
{
    for (size_t i = 0; i < image->n; i++) {
        buf_done(&image->items[i].bytes);
    }
    mem_free(image->items);
    *image = (struct image){0};
}

struct status
image_copy(const struct image *image, struct diag *diag, struct image *ret_image)
{
    struct image copy = {0};
    struct image_item *item = NULL;
    struct status st = OK;
    for (size_t i = 0; i < image->n && is_ok(st); i++) {
        st = image_add(&copy, image->items[i].path, image->items[i].is_folder, diag, &item);
        if (is_ok(st)) {
            st = buf_append(&item->bytes, buf_span(&image->items[i].bytes), diag);
        }
    }
    if (!is_ok(st)) {
        image_done(&copy);
        return st;
    }
    *ret_image = copy;
    return OK;
}

static uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const uint8_t *const p = bytes;
    size_t i = 0;
    for (; i + sizeof(uint64_t) <= n; i += sizeof(uint64_t)) {
        uint64_t word = 0;
        memcpy(&word, p + i, sizeof(word));
        hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        hash ^= hash >> 29;
    }
    for (; i < n; i++) {
        hash = (hash ^ p[i]) * UINT64_C(0x100000001B3);
    }
    return hash;
}

uint64_t
image_hash(const struct image *image)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < image->n; i++) {
        const struct image_item *const item = &image->items[i];
        hash = hash_bytes(hash, item->path, strlen(item->path) + 1);
        hash = hash_bytes(hash, item->bytes.p, item->bytes.n) + item->bytes.n;
    }
    return hash;
}

/* ---- on the disk ---- */

static struct status
write_file(const char *path, struct span bytes, struct diag *diag)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd == -1) {
        return fail_at("make", path, diag);
    }
    const ssize_t n = bytes.n == 0 ? 0 : write(fd, bytes.p, bytes.n);
    (void)close(fd);
    return n == (ssize_t)bytes.n ? OK : fail_at("write", path, diag);
}

struct status
image_write(const struct image *image, const char *folder, struct diag *diag)
{
    if (mkdir(folder, 0700) == -1) {
        return fail_at("make the folder", folder, diag);
    }
    for (size_t i = 0; i < image->n; i++) {
        char path[PATH_MAX];
        TRY(join(path, folder, image->items[i].path, diag));
        if (!image->items[i].is_folder) {
            TRY(write_file(path, buf_span(&image->items[i].bytes), diag));
        } else if (mkdir(path, 0700) == -1) {
            return fail_at("make the folder", path, diag);
        }
    }
    return OK;
}

static struct status read_below(const char *root, const char *below, struct image *image,
                                struct diag *diag);

static struct status
read_entry(const char *root, const char *below, const char *name, struct image *image,
           struct diag *diag)
{
    char inner[PATH_MAX];
    char path[PATH_MAX];
    struct stat info;
    struct image_item *item = NULL;
    (void)snprintf(inner, sizeof(inner), "%.*s%s%s", 2048, below, below[0] == '\0' ? "" : "/",
                   name);
    TRY(join(path, root, inner, diag));
    if (lstat(path, &info) == -1) {
        return fail_at("look at", path, diag);
    }
    TRY(image_add(image, inner, S_ISDIR(info.st_mode), diag, &item));
    return item->is_folder ? read_below(root, inner, image, diag)
                           : buf_read_file(&item->bytes, path, diag);
}

static struct status
read_below(const char *root, const char *below, struct image *image, struct diag *diag)
{
    char path[PATH_MAX];
    TRY(join(path, root, below, diag));
    DIR *const folder = opendir(path);
    if (folder == NULL) {
        return fail_at("read the folder", path, diag);
    }
    struct status st = OK;
    const struct dirent *entry = NULL;
    while (is_ok(st) && (entry = readdir(folder)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            st = read_entry(root, below, entry->d_name, image, diag);
        }
    }
    (void)closedir(folder);
    return st;
}

struct status
image_read(const char *folder, struct diag *diag, struct image *ret_image)
{
    struct image image = {0};
    const struct status st = read_below(folder, "", &image, diag);
    if (!is_ok(st)) {
        image_done(&image);
        return st;
    }
    *ret_image = image;
    return OK;
}

struct status
image_remove(const char *folder, struct diag *diag)
{
    DIR *const opened = opendir(folder);
    if (opened == NULL) {
        return errno == ENOENT ? OK : fail_at("read the folder", folder, diag);
    }
    struct status st = OK;
    const struct dirent *entry = NULL;
    while (is_ok(st) && (entry = readdir(opened)) != NULL) {
        char path[PATH_MAX];
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        st = join(path, folder, entry->d_name, diag);
        if (is_ok(st) && entry->d_type == DT_DIR) {
            st = image_remove(path, diag);
        } else if (is_ok(st) && unlink(path) == -1) {
            st = fail_at("remove", path, diag);
        }
    }
    (void)closedir(opened);
    return is_ok(st) && rmdir(folder) == -1 ? fail_at("remove the folder", folder, diag) : st;
}
