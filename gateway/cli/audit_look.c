/*
 * `isthmus audit search`, `disclosures` and `index` below their options. Called by cmd_audit.c on
 * the program's thread. That the journal was read is recorded when it is known how many records
 * will be shown, and before the first one is.
 */
#include <inttypes.h>
#include <string.h>

#include "cli/audit_access.h"
#include "cli/audit_disclosure.h"
#include "cli/audit_search.h"
#include "cli/audit_update.h"

#define PLACES_ROOM ((size_t)256 * 1024 * 1024)

static struct status
render_record(const struct audit_writing *writing, const struct journal_record *record,
              struct buf *out, struct diag *diag)
{
    return audit_view_render(writing->view, record, out, diag);
}

static struct status
render_disclosure(const struct audit_writing *writing, const struct journal_record *record,
                  struct buf *out, struct diag *diag)
{
    return disclosure_render(writing->form, record, out, diag);
}

/* ---- one question ---- */

struct look {
    const struct audit_view *view;
    const struct audit_index_query *query;
    enum audit_order order;
    struct disclosure_form *form; /* NULL: as tail shows records */
    struct audit_search search;
    struct arena *arena;
    struct diag diag;
};

static void
turn_round(struct audit_index_places *places)
{
    for (size_t i = 0, j = places->n; i + 1 < j; i++, j--) {
        const struct audit_index_place first = places->items[i];
        places->items[i] = places->items[j - 1];
        places->items[j - 1] = first;
    }
}

static void
say_more(const struct look *look, const struct audit_index_places *places)
{
    if (places->n == 0 || look->order == AUDIT_ORDER_NEWEST_LAST) {
        cli_complain(look->view->command,
                     "only the newest %zu records are shown; say more with -n or ask more narrowly",
                     places->n);
    } else {
        const struct audit_index_place *last = &places->items[places->n - 1];
        cli_complain(look->view->command,
                     "only %zu records are shown; there are more: --after %s/%" PRIu64, places->n,
                     last->chain, last->sequence);
    }
}

static struct status
find(struct look *look, struct audit_index_places *places)
{
    struct audit_index_query query = *look->query;
    bool has_more = false;

    query.is_newest_first = look->order != AUDIT_ORDER_OLDEST_FIRST;
    TRY(audit_search_find(&look->search, &query, look->arena, &look->diag, places, &has_more));
    if (has_more) {
        say_more(look, places);
    }
    if (look->order == AUDIT_ORDER_NEWEST_LAST) {
        turn_round(places);
    }
    return OK;
}

static struct status
show(struct look *look, const struct audit_index_places *places)
{
    const struct audit_writing writing = {
        .render = look->form == NULL ? render_record : render_disclosure,
        .view = look->view,
        .form = look->form,
    };
    FILE *const out = look->view->out;
    uint64_t written = 0;

    TRY(look->form == NULL ? audit_view_columns(look->view, &look->diag)
                           : disclosure_begin(look->form, out, &look->diag));
    TRY(audit_search_write(&look->search, places, &writing, out, &look->diag, &written));
    return look->form == NULL ? OK : disclosure_end(look->form, written, out, &look->diag);
}

static struct status
look_up(struct look *look)
{
    struct audit_index_places places = {0};

    if (look->arena == NULL) {
        return FAIL(&look->diag, ERR_NO_MEMORY, "no memory to search");
    }
    TRY(audit_search_open(look->view, &look->diag, &look->search));
    TRY(find(look, &places));
    TRY(audit_view_admit(look->view, places.n, &look->diag));
    TRY(show(look, &places));
    return fflush(look->view->out) == 0 ? OK : FAIL(&look->diag, ERR_IO, "cannot write the output");
}

static enum cli_exit
look_up_and_close(struct look *look)
{
    look->arena = arena_new(PLACES_ROOM);
    const struct status st = look_up(look);

    if (!is_ok(st)) {
        cli_error(look->view->command, &look->diag);
    }
    audit_search_close(&look->search);
    arena_free(look->arena);
    return is_ok(st) && !look->search.has_failed ? CLI_DONE : CLI_FAILED;
}

enum cli_exit
audit_search(const struct audit_view *view, const struct audit_index_query *query,
             enum audit_order order)
{
    struct look look = {.view = view, .query = query, .order = order};

    return look_up_and_close(&look);
}

enum cli_exit
audit_disclosures(const struct audit_view *view, const struct audit_index_query *query,
                  const struct disclosure_form *form)
{
    struct disclosure_form own = *form;
    struct look look = {.view = view, .query = query, .form = &own};

    return look_up_and_close(&look);
}

/* ---- numbers only ---- */

static struct status
count(struct look *look, uint64_t *ret_n)
{
    TRY(audit_search_open(look->view, &look->diag, &look->search));
    TRY(audit_search_count(&look->search, look->query, &look->diag, ret_n));
    return audit_view_admit(look->view, 0, &look->diag);
}

enum cli_exit
audit_count(const struct audit_view *view, const struct audit_index_query *query)
{
    struct look look = {.view = view, .query = query};
    uint64_t n = 0;
    struct status st = count(&look, &n);

    if (is_ok(st) &&
        fprintf(view->out,
                view->form == AUDIT_FORM_JSON ? "{\"count\":%" PRIu64 "}\n" : "%" PRIu64 "\n",
                n) < 0) {
        st = FAIL(&look.diag, ERR_IO, "cannot write the output");
    }
    if (!is_ok(st)) {
        cli_error(view->command, &look.diag);
    }
    audit_search_close(&look.search);
    return is_ok(st) && !look.search.has_failed ? CLI_DONE : CLI_FAILED;
}

/* ---- the index ---- */

static struct status
make_index(const struct audit_view *view, bool is_anew, struct diag *diag,
           struct audit_updated *updated)
{
    char path[PATH_MAX];
    struct audit_index *index = NULL;

    if (view->is_encrypted) {
        return FAIL(diag, ERR_USAGE,
                    "the journal is encrypted, and an index would not be: searches "
                    "read the journal itself");
    }
    TRY(audit_view_admit(view, 0, diag));
    TRY(audit_index_path(view, path, diag));
    if (is_anew) {
        TRY(audit_index_remove(path, diag));
    }
    TRY(audit_index_open(path, diag, &index));
    const struct status st = audit_update(view->command, &view->place, index, diag, updated);
    audit_index_close(index);
    return st;
}

enum cli_exit
audit_make_index(const struct audit_view *view, bool is_anew)
{
    struct diag diag = {0};
    struct audit_updated updated = {0};
    const struct status st = make_index(view, is_anew, &diag, &updated);

    if (!is_ok(st)) {
        cli_error(view->command, &diag);
        return st.code == ERR_USAGE ? CLI_USAGE : CLI_FAILED;
    }
    if (fprintf(view->out,
                view->form == AUDIT_FORM_JSON ? "{\"chains\":%" PRIu64 ",\"added\":%" PRIu64 "}\n"
                                              : "%" PRIu64 " chains, %" PRIu64 " records added\n",
                updated.chains, updated.records) < 0) {
        cli_complain(view->command, "cannot write the output");
        return CLI_FAILED;
    }
    return updated.has_failed ? CLI_FAILED : CLI_DONE;
}
