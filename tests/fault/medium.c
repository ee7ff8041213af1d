/*
 * The model of medium.h. Each file has what is durable and what the kernel has (its cache), and the
 * list of operations that are on their way from one to the other; each page says whether it is
 * dirty, and up to which operation it was settled by a sync. Called by the families that cut power.
 */
#include "tests/fault/medium.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define SECTOR    ((uint64_t)512)
#define PAGE      ((uint64_t)4096)
#define PAGES_MAX 8192 /* a file's: 32 MiB */

enum page_state { PAGE_CLEAN, PAGE_WRITTEN, PAGE_CUT };

struct page {
    enum page_state state;
    size_t settled; /* operations before this one are durable here, or were written over */
};

struct inode {
    bool is_folder;
    struct buf durable, cache;
    struct page *pages; /* a file's */
    uint64_t high;      /* bytes that it ever had */
    size_t *ops;        /* not durable yet, by number; a folder's: of names */
    size_t n, capacity;
};

struct name {
    size_t parent, inode;
    char name[IMAGE_NAME_MAX];
};

struct names {
    struct name *items;
    size_t n, capacity;
};

struct medium {
    const struct disk_log *log;
    size_t at; /* the next operation */
    struct inode *inodes;
    size_t inodes_n, inodes_capacity;
    struct names durable;
};

uint64_t
random_next(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random * UINT64_C(2685821657736338717);
}

uint64_t
random_below(uint64_t *random, uint64_t n)
{
    return (random_next(random) >> 16) % n;
}

/* ---- room ---- */

static struct status
grow(void **items, size_t *capacity, size_t n, size_t size, struct diag *diag)
{
    if (n < *capacity) {
        return OK;
    }
    const size_t wanted = *capacity == 0 ? 16 : *capacity * 2;
    void *const more = mem_resize(*items, wanted * size);
    if (more == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the model of a disk");
    }
    *items = more;
    *capacity = wanted;
    return OK;
}

static struct status
add_inode(struct medium *medium, bool is_folder, struct diag *diag, struct inode **ret_inode)
{
    void *items = medium->inodes;
    TRY(grow(&items, &medium->inodes_capacity, medium->inodes_n, sizeof(struct inode), diag));
    medium->inodes = items;
    struct inode *const inode = &medium->inodes[medium->inodes_n];
    *inode = (struct inode){.is_folder = is_folder};
    buf_init(&inode->durable, IMAGE_FILE_LIMIT);
    buf_init(&inode->cache, IMAGE_FILE_LIMIT);
    inode->pages = is_folder ? NULL : mem_alloc(PAGES_MAX * sizeof(*inode->pages));
    if (!is_folder && inode->pages == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the pages of a file");
    }
    medium->inodes_n++;
    *ret_inode = inode;
    return OK;
}

static struct status
add_pending(struct inode *inode, size_t op, struct diag *diag)
{
    void *items = inode->ops;
    TRY(grow(&items, &inode->capacity, inode->n, sizeof(*inode->ops), diag));
    inode->ops = items;
    inode->ops[inode->n++] = op;
    return OK;
}

/* ---- names ---- */

static struct name *
find_name(const struct names *names, size_t parent, const char *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->items[i].parent == parent && strcmp(names->items[i].name, name) == 0) {
            return &names->items[i];
        }
    }
    return NULL;
}

static struct status
set_name(struct names *names, size_t parent, const char *name, size_t inode, struct diag *diag)
{
    struct name *found = find_name(names, parent, name);
    if (found == NULL) {
        void *items = names->items;
        TRY(grow(&items, &names->capacity, names->n, sizeof(*names->items), diag));
        names->items = items;
        found = &names->items[names->n++];
    }
    found->parent = parent;
    found->inode = inode;
    (void)snprintf(found->name, sizeof(found->name), "%s", name);
    return OK;
}

static void
drop_name(struct names *names, size_t parent, const char *name)
{
    struct name *const found = find_name(names, parent, name);
    if (found != NULL) {
        *found = names->items[--names->n];
    }
}

static struct status
apply_name(struct names *names, const struct disk_op *op, struct diag *diag)
{
    switch (op->kind) {
    case DISK_RENAME:
        drop_name(names, op->parent, op->name);
        return set_name(names, op->parent, op->new_name, op->inode, diag);
    case DISK_LINK:
        return set_name(names, op->parent, op->new_name, op->inode, diag);
    case DISK_UNLINK:
        drop_name(names, op->parent, op->name);
        return OK;
    case DISK_MAKE:
    case DISK_MAKE_FOLDER:
    default:
        return set_name(names, op->parent, op->name, op->inode, diag);
    }
}

/* ---- bytes ---- */

/* At least <n> bytes, zeros behind what is there. */
static struct status
stretch(struct buf *bytes, uint64_t n, struct diag *diag)
{
    char *room = NULL;
    if (n <= bytes->n) {
        return OK;
    }
    const size_t more = (size_t)n - bytes->n;
    TRY(buf_reserve(bytes, more, diag, &room));
    memset(room, 0, more);
    bytes->n += more;
    return OK;
}

/* The size that the file has behind the operation, when it had <size> before. */
static uint64_t
size_behind(const struct disk_op *op, uint64_t size)
{
    const uint64_t end = op->kind == DISK_WRITE ? op->offset + op->size : op->size;
    return op->kind == DISK_TRUNCATE || end > size ? end : size;
}

static void
mark_pages(struct inode *inode, uint64_t from, uint64_t to, enum page_state state)
{
    for (uint64_t page = from / PAGE; page * PAGE < to && page < PAGES_MAX; page++) {
        if (inode->pages[page].state != PAGE_CUT) {
            inode->pages[page].state = state;
        }
    }
}

static struct status
write_cache(struct inode *inode, const struct disk_op *op, struct diag *diag)
{
    const uint64_t before = inode->cache.n;
    const uint64_t after = size_behind(op, before);
    if (after > PAGES_MAX * PAGE) {
        return FAIL(diag, ERR_LIMIT_BUFFER, "a file of more than %d pages", PAGES_MAX);
    }
    inode->high = after > inode->high ? after : inode->high;
    TRY(stretch(&inode->cache, after, diag));
    if (op->kind == DISK_WRITE) {
        memcpy(inode->cache.p + op->offset, op->bytes, (size_t)op->size);
        mark_pages(inode, op->offset, op->offset + op->size, PAGE_WRITTEN);
    } else if (after < before) {
        memset(inode->cache.p + after, 0, (size_t)(before - after));
        inode->cache.n = (size_t)after;
        mark_pages(inode, after, before, PAGE_CUT);
    }
    return OK;
}

/* ---- syncs ---- */

static struct status
settle_page(struct inode *inode, uint64_t page, size_t upto, struct diag *diag)
{
    const uint64_t from = page * PAGE;
    if (from < inode->cache.n) {
        const uint64_t n = inode->cache.n - from < PAGE ? inode->cache.n - from : PAGE;
        TRY(stretch(&inode->durable, from + n, diag));
        memcpy(inode->durable.p + from, inode->cache.p + from, (size_t)n);
    }
    inode->pages[page] = (struct page){PAGE_CLEAN, upto};
    return OK;
}

static bool
is_settled(const struct medium *medium, const struct inode *inode, size_t number)
{
    const struct disk_op *const op = &medium->log->ops[number];
    bool is_all = op->kind == DISK_WRITE;
    for (uint64_t page = op->offset / PAGE; is_all && page * PAGE < op->offset + op->size; page++) {
        is_all = inode->pages[page].settled > number;
    }
    return is_all || op->kind != DISK_WRITE;
}

/* One writer a file: what is in the cache when the sync ends was there when it began, but for what
 * <upto> tells. */
static struct status
sync_file(const struct medium *medium, struct inode *inode, const struct disk_op *op,
          struct diag *diag)
{
    size_t kept = 0;
    for (uint64_t page = 0; page * PAGE < inode->high; page++) {
        if (op->is_failed && inode->pages[page].state == PAGE_WRITTEN) {
            inode->pages[page].state = PAGE_CLEAN; /* so the kernel says */
        } else if (!op->is_failed && inode->pages[page].state != PAGE_CLEAN) {
            TRY(settle_page(inode, page, op->upto, diag));
        }
    }
    if (op->is_failed) {
        return OK;
    }
    TRY(stretch(&inode->durable, inode->cache.n, diag));
    inode->durable.n = inode->cache.n;
    for (size_t i = 0; i < inode->n; i++) {
        const size_t number = inode->ops[i];
        if (number >= op->upto) {
            return FAIL(diag, ERR_INTERNAL, "a file was written while it was synced");
        }
        if (!is_settled(medium, inode, number)) {
            inode->ops[kept++] = number;
        }
    }
    inode->n = kept;
    return OK;
}

static struct status
sync_folder(struct medium *medium, struct inode *inode, const struct disk_op *op, struct diag *diag)
{
    size_t kept = 0;
    for (size_t i = 0; i < inode->n && !op->is_failed; i++) {
        const size_t number = inode->ops[i];
        if (number < op->upto) {
            TRY(apply_name(&medium->durable, &medium->log->ops[number], diag));
        } else {
            inode->ops[kept++] = number;
        }
    }
    inode->n = op->is_failed ? inode->n : kept;
    return OK;
}

struct status
medium_step(struct medium *medium, struct diag *diag)
{
    const size_t number = medium->at;
    const struct disk_op *const op = &medium->log->ops[number];
    struct inode *inode = NULL;
    medium->at++;
    switch (op->kind) {
    case DISK_MAKE:
    case DISK_MAKE_FOLDER:
        TRY(add_inode(medium, op->kind == DISK_MAKE_FOLDER, diag, &inode));
        return add_pending(&medium->inodes[op->parent], number, diag);
    case DISK_RENAME:
    case DISK_LINK:
    case DISK_UNLINK:
        return add_pending(&medium->inodes[op->parent], number, diag);
    case DISK_WRITE:
    case DISK_TRUNCATE:
    case DISK_ALLOCATE:
        TRY(write_cache(&medium->inodes[op->inode], op, diag));
        return add_pending(&medium->inodes[op->inode], number, diag);
    case DISK_SYNC:
        return sync_file(medium, &medium->inodes[op->inode], op, diag);
    case DISK_SYNC_FOLDER:
        return sync_folder(medium, &medium->inodes[op->inode], op, diag);
    case DISK_NOTE:
    case DISK_OP_COUNT:
        break;
    }
    return OK;
}

/* ---- beginning and end ---- */

static struct status
take_item(struct medium *medium, const struct image_item *item, struct diag *diag)
{
    char path[sizeof(item->path)];
    size_t parent = 0;
    struct inode *inode = NULL;
    (void)snprintf(path, sizeof(path), "%s", item->path);
    char *last = path;
    for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(last, '/')) {
        *slash = '\0';
        const struct name *const folder = find_name(&medium->durable, parent, last);
        if (folder == NULL) {
            return FAIL(diag, ERR_INTERNAL, "an image without the folder of %s", item->path);
        }
        parent = folder->inode;
        last = slash + 1;
    }
    TRY(add_inode(medium, item->is_folder, diag, &inode));
    TRY(buf_append(&inode->durable, buf_span(&item->bytes), diag));
    TRY(buf_append(&inode->cache, buf_span(&item->bytes), diag));
    inode->high = inode->cache.n;
    return set_name(&medium->durable, parent, last, medium->inodes_n - 1, diag);
}

struct status
medium_new(const struct image *start, const struct disk_log *log, struct diag *diag,
           struct medium **ret_medium)
{
    struct medium *const medium = mem_alloc(sizeof(*medium));
    struct inode *root = NULL;
    if (medium == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the model of a disk");
    }
    medium->log = log;
    struct status st = add_inode(medium, true, diag, &root);
    for (size_t i = 0; i < start->n && is_ok(st); i++) {
        st = take_item(medium, &start->items[i], diag);
    }
    if (!is_ok(st)) {
        medium_free(medium);
        return st;
    }
    *ret_medium = medium;
    return OK;
}

void
medium_free(struct medium *medium)
{
    if (medium == NULL) {
        return;
    }
    for (size_t i = 0; i < medium->inodes_n; i++) {
        buf_done(&medium->inodes[i].durable);
        buf_done(&medium->inodes[i].cache);
        mem_free(medium->inodes[i].pages);
        mem_free(medium->inodes[i].ops);
    }
    mem_free(medium->inodes);
    mem_free(medium->durable.items);
    mem_free(medium);
}

/* ---- power losses ---- */

/* How many of <n> operations in order were kept. */
static size_t
draw_prefix(enum medium_loss loss, size_t n, uint64_t *random)
{
    if (loss != MEDIUM_SOME_KEPT) {
        return loss == MEDIUM_ALL_KEPT ? n : 0;
    }
    switch (random_below(random, 4)) {
    case 0:
        return 0;
    case 1:
        return n;
    default:
        return (size_t)random_below(random, n + 1);
    }
}

/* The part of a write that falls into the sector, unless a sync has settled it. */
static struct status
keep_part(const struct inode *inode, const struct disk_op *op, size_t number, uint64_t sector,
          struct buf *bytes, struct diag *diag)
{
    const uint64_t first = sector * SECTOR > op->offset ? sector * SECTOR : op->offset;
    const uint64_t end = op->offset + op->size;
    const uint64_t last = (sector + 1) * SECTOR < end ? (sector + 1) * SECTOR : end;
    if (first >= last || inode->pages[first / PAGE].settled > number) {
        return OK;
    }
    TRY(stretch(bytes, last, diag));
    memcpy(bytes->p + first, op->bytes + (first - op->offset), (size_t)(last - first));
    return OK;
}

static bool
touches(const struct disk_op *op, uint64_t sector)
{
    return op->kind == DISK_WRITE && op->offset < (sector + 1) * SECTOR &&
           op->offset + op->size > sector * SECTOR;
}

/* What a cut leaves of a sector: zeros behind it. */
static void
cut_sector(struct buf *bytes, uint64_t sector, uint64_t size)
{
    const uint64_t from = size > sector * SECTOR ? size : sector * SECTOR;
    const uint64_t to = bytes->n < (sector + 1) * SECTOR ? bytes->n : (sector + 1) * SECTOR;
    if (from < to) {
        memset(bytes->p + from, 0, (size_t)(to - from));
    }
}

/* One sector: the <kept> first writes since it was durable. A cut counts when its size was kept
 * (it is among the <sizes> first operations), or a later write was. */
static struct status
keep_sector(const struct medium *medium, const struct inode *inode, uint64_t sector, size_t kept,
            size_t sizes, struct buf *bytes, struct diag *diag)
{
    size_t seen = 0;
    for (size_t i = 0; i < inode->n; i++) {
        const struct disk_op *const op = &medium->log->ops[inode->ops[i]];
        if (touches(op, sector) && seen < kept) {
            TRY(keep_part(inode, op, inode->ops[i], sector, bytes, diag));
            seen++;
        } else if (op->kind == DISK_TRUNCATE && (seen < kept || i < sizes)) {
            cut_sector(bytes, sector, op->size);
        }
    }
    return OK;
}

static size_t
writes_in(const struct medium *medium, const struct inode *inode, uint64_t sector)
{
    size_t n = 0;
    for (size_t i = 0; i < inode->n; i++) {
        const struct disk_op *const op = &medium->log->ops[inode->ops[i]];
        n += touches(op, sector) ? 1 : 0;
    }
    return n;
}

/* Which of the sizes were kept: the file's size in the end, and the least on the way. */
static void
keep_sizes(const struct medium *medium, const struct inode *inode, size_t kept, uint64_t *ret_size,
           uint64_t *ret_least)
{
    uint64_t size = inode->durable.n;
    uint64_t least = size;
    for (size_t i = 0; i < kept; i++) {
        size = size_behind(&medium->log->ops[inode->ops[i]], size);
        least = size < least ? size : least;
    }
    *ret_size = size;
    *ret_least = least;
}

static struct status
cut_file(const struct medium *medium, const struct inode *inode, enum medium_loss loss,
         uint64_t *random, struct buf *bytes, struct diag *diag)
{
    if (loss == MEDIUM_ALL_KEPT) {
        return buf_append(bytes, buf_span(&inode->cache), diag);
    }
    uint64_t size = 0;
    uint64_t least = 0;
    uint64_t end = 0;
    const size_t sizes = draw_prefix(loss, inode->n, random);
    const uint64_t few = random_below(random, 3); /* none or all of a sector are likelier */
    keep_sizes(medium, inode, sizes, &size, &least);
    TRY(buf_append(bytes, buf_span(&inode->durable), diag));
    if (least < bytes->n) {
        memset(bytes->p + least, 0, bytes->n - (size_t)least);
    }
    for (size_t i = 0; i < inode->n; i++) {
        const struct disk_op *const op = &medium->log->ops[inode->ops[i]];
        const uint64_t to = op->kind == DISK_WRITE ? op->offset + op->size : 0;
        end = to > end ? to : end;
    }
    for (uint64_t sector = 0; loss == MEDIUM_SOME_KEPT && sector * SECTOR < end; sector++) {
        const size_t writes = writes_in(medium, inode, sector);
        if (writes > 0 && random_below(random, 3) >= few) {
            TRY(keep_sector(medium, inode, sector, 1 + (size_t)random_below(random, writes), sizes,
                            bytes, diag));
        }
    }
    TRY(stretch(bytes, size, diag));
    bytes->n = (size_t)size;
    return OK;
}

static struct status
cut_names(const struct medium *medium, enum medium_loss loss, uint64_t *random, struct names *names,
          struct diag *diag)
{
    for (size_t i = 0; i < medium->durable.n; i++) {
        const struct name *const name = &medium->durable.items[i];
        TRY(set_name(names, name->parent, name->name, name->inode, diag));
    }
    for (size_t i = 0; i < medium->inodes_n; i++) {
        const struct inode *const inode = &medium->inodes[i];
        const size_t kept = inode->is_folder ? draw_prefix(loss, inode->n, random) : 0;
        for (size_t k = 0; k < kept; k++) {
            TRY(apply_name(names, &medium->log->ops[inode->ops[k]], diag));
        }
    }
    return OK;
}

/* What can be reached from a folder by names that were kept. */
static struct status
cut_folder(const struct medium *medium, const struct names *names, size_t folder, const char *path,
           enum medium_loss loss, uint64_t *random, struct image *image, struct diag *diag)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct name *const name = &names->items[i];
        const struct inode *const inode = &medium->inodes[name->inode];
        char inner[4 * IMAGE_NAME_MAX];
        struct image_item *item = NULL;
        if (name->parent != folder) {
            continue;
        }
        if (snprintf(inner, sizeof(inner), "%s%s%s", path, path[0] == '\0' ? "" : "/",
                     name->name) >= (int)sizeof(inner)) {
            return FAIL(diag, ERR_INTERNAL, "a path is too long");
        }
        TRY(image_add(image, inner, inode->is_folder, diag, &item));
        if (inode->is_folder) {
            TRY(cut_folder(medium, names, name->inode, inner, loss, random, image, diag));
        } else {
            TRY(cut_file(medium, inode, loss, random, &item->bytes, diag));
        }
    }
    return OK;
}

struct status
medium_cut(const struct medium *medium, enum medium_loss loss, uint64_t *random, struct diag *diag,
           struct image *ret_image)
{
    struct names names = {0};
    struct image image = {0};
    struct status st = cut_names(medium, loss, random, &names, diag);
    if (is_ok(st)) {
        st = cut_folder(medium, &names, 0, "", loss, random, &image, diag);
    }
    mem_free(names.items);
    if (!is_ok(st)) {
        image_done(&image);
        return st;
    }
    *ret_image = image;
    return OK;
}
