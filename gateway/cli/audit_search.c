/*
 * Searching: the index, or the journal itself, asked, and what was found read from the journal and
 * written. Called by audit_look.c and audit_export.c. The index says where records stand; what is
 * shown is read, and verified, from the journal itself, and asked again whether it fits.
 */
#include "cli/audit_search.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audit_update.h"
#include "cli/audit_walk.h"

#define BLOCK         ((size_t)64)   /* records whose texts are held at a time */
#define PAGE          ((size_t)2000) /* places that are held at a time */
#define PAGE_ROOM     ((size_t)4 * 1024 * 1024)
#define RENDERED_ROOM ((size_t)64 * 1024 * 1024)

/* ---- the index ---- */

struct status
audit_index_path(const struct audit_view *view, char path[PATH_MAX], struct diag *diag)
{
    if (snprintf(path, PATH_MAX, "%s/%s", view->place.dir, AUDIT_INDEX_NAME) >= PATH_MAX) {
        return FAIL(diag, ERR_JOURNAL, "the journal's path is too long");
    }
    return OK;
}

static struct status
open_and_update(struct audit_search *search, const char *path, struct diag *diag)
{
    struct audit_updated updated = {0};

    TRY(audit_index_open(path, diag, &search->index));
    TRY(audit_update(search->view->command, &search->view->place, search->index, diag, &updated));
    search->has_failed = updated.has_failed;
    return OK;
}

/* An index that is damaged is worth nothing: it is made anew, once. */
static struct status
open_index(struct audit_search *search, struct diag *diag)
{
    char path[PATH_MAX];
    struct diag why = {0};
    bool is_removed = false;

    TRY(audit_index_path(search->view, path, diag));
    const struct status st = open_and_update(search, path, &why);
    if (is_ok(st)) {
        return OK;
    }
    audit_search_close(search);
    if (st.code == ERR_STORE) {
        TRY(audit_index_remove_damaged(path, diag, &is_removed));
    }
    if (!is_removed) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    cli_complain(search->view->command, "the index was damaged and is made anew");
    return open_and_update(search, path, diag);
}

/* One that was made before the journal was encrypted still names patients. */
static struct status
remove_index(const struct audit_view *view, struct diag *diag)
{
    char path[PATH_MAX];

    TRY(audit_index_path(view, path, diag));
    return access(path, F_OK) == 0 ? audit_index_remove(path, diag) : OK;
}

struct status
audit_search_open(const struct audit_view *view, struct diag *diag, struct audit_search *ret_search)
{
    struct audit_search search = {.view = view};

    const struct status st =
        view->is_encrypted ? remove_index(view, diag) : open_index(&search, diag);
    if (!is_ok(st)) {
        audit_search_close(&search);
        return st;
    }
    *ret_search = search;
    return OK;
}

void
audit_search_close(struct audit_search *search)
{
    audit_index_close(search->index);
    search->index = NULL;
}

/* ---- asking ---- */

struct status
audit_search_find(struct audit_search *search, const struct audit_index_query *query,
                  struct arena *arena, struct diag *diag, struct audit_index_places *ret_places,
                  bool *ret_has_more)
{
    return search->index == NULL
               ? audit_walk_find(search, query, arena, diag, ret_places, ret_has_more)
               : audit_index_find(search->index, query, arena, diag, ret_places, ret_has_more);
}

struct status
audit_search_count(struct audit_search *search, const struct audit_index_query *query,
                   struct diag *diag, uint64_t *ret_n)
{
    return search->index == NULL ? audit_walk_count(search, query, diag, ret_n)
                                 : audit_index_count(search->index, query, diag, ret_n);
}

/* ---- writing what was found ---- */

struct wanted {
    const struct audit_index_place *place;
    size_t rank; /* in the order of writing */
};
struct block {
    struct audit_search *search;
    const struct audit_writing *writing;
    struct journal_cursor *cursor;
    struct wanted wanted[BLOCK]; /* by chain and sequence */
    struct buf texts[BLOCK];     /* by rank */
    size_t n;
};

static int
by_place(const void *a, const void *b)
{
    const struct audit_index_place *x = ((const struct wanted *)a)->place;
    const struct audit_index_place *y = ((const struct wanted *)b)->place;
    const int chains = strcmp(x->chain, y->chain);

    return chains != 0 ? chains : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static struct status
read_text(struct block *block, const struct wanted *wanted, struct diag *diag)
{
    const struct audit_index_place *place = wanted->place;
    struct journal_record record;
    struct diag why = {0};
    const struct status read =
        journal_cursor_read(block->cursor, place->chain, place->sequence, &why, &record);

    if (read.code == ERR_JOURNAL || read.code == ERR_NOT_FOUND) {
        cli_error(block->search->view->command, &why);
        block->search->has_failed = true;
        return OK;
    }
    if (!is_ok(read)) {
        return FAIL(diag, read.code, "%s", why.text);
    }
    return block->writing->render(block->writing, &record, &block->texts[wanted->rank], diag);
}

static struct status
print_texts(const struct block *block, FILE *out, struct diag *diag, uint64_t *written)
{
    for (size_t i = 0; i < block->n; i++) {
        const struct span text = buf_span(&block->texts[i]);

        if (text.n > 0 && fwrite(text.p, 1, text.n, out) != text.n) {
            return FAIL(diag, ERR_IO, "cannot write the output");
        }
        *written += text.n > 0 ? 1 : 0;
    }
    return OK;
}

static struct status
write_block(struct block *block, const struct audit_index_place *places, size_t n, FILE *out,
            struct diag *diag, uint64_t *written)
{
    struct status st = OK;

    block->n = n;
    for (size_t i = 0; i < n; i++) {
        block->wanted[i] = (struct wanted){&places[i], i};
        buf_init_secret(&block->texts[i], RENDERED_ROOM);
    }
    qsort(block->wanted, n, sizeof(block->wanted[0]), by_place);
    for (size_t i = 0; i < n && is_ok(st); i++) {
        st = read_text(block, &block->wanted[i], diag);
    }
    if (is_ok(st)) {
        st = print_texts(block, out, diag, written);
    }
    for (size_t i = 0; i < n; i++) {
        buf_done(&block->texts[i]);
    }
    return st;
}

struct status
audit_search_write(struct audit_search *search, const struct audit_index_places *places,
                   const struct audit_writing *writing, FILE *out, struct diag *diag,
                   uint64_t *ret_written)
{
    struct block block = {.search = search, .writing = writing};
    uint64_t written = 0;
    struct status st = journal_cursor_open(&search->view->place, diag, &block.cursor);

    for (size_t i = 0; i < places->n && is_ok(st); i += BLOCK) {
        const size_t n = places->n - i < BLOCK ? places->n - i : BLOCK;
        st = write_block(&block, places->items + i, n, out, diag, &written);
    }
    journal_cursor_close(block.cursor);
    TRY(st);
    *ret_written = written;
    return OK;
}

/* ---- everything that fits ---- */

static struct status
write_page(struct audit_search *search, const struct audit_index_query *query,
           const struct audit_writing *writing, FILE *out, struct diag *diag,
           struct audit_index_place *ret_last, bool *ret_has_more, uint64_t *written)
{
    struct audit_index_places places = {0};
    uint64_t n = 0;
    struct arena *arena = arena_new(PAGE_ROOM);
    struct status st = OK;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read the journal");
    }
    st = audit_search_find(search, query, arena, diag, &places, ret_has_more);
    if (is_ok(st)) {
        st = audit_search_write(search, &places, writing, out, diag, &n);
    }
    if (places.n > 0) {
        *ret_last = places.items[places.n - 1];
    }
    *written += n;
    arena_free(arena);
    return st;
}

struct status
audit_search_write_all(struct audit_search *search, const struct audit_index_query *query,
                       const struct audit_writing *writing, FILE *out, struct diag *diag,
                       uint64_t *ret_written)
{
    struct audit_index_query page = *query;
    uint64_t written = 0;
    bool has_more = true;

    if (search->index == NULL) {
        return audit_walk_write(search, query, writing, out, diag, ret_written);
    }
    page.limit = PAGE;
    page.is_newest_first = false;
    while (has_more) {
        TRY(write_page(search, &page, writing, out, diag, &page.after, &has_more, &written));
    }
    *ret_written = written;
    return OK;
}
