/*
 * Search and accounting of disclosures. Called by cmd_audit.c. The index says where records stand;
 * what is shown is read, and verified, from the journal itself.
 */
#include "cli/audit_search.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/audit_disclosure.h"

#define GROUP         ((size_t)2000) /* records that are indexed in one transaction */
#define EVENT_ROOM    ((size_t)64 * 1024 * 1024)
#define PLACES_ROOM   ((size_t)256 * 1024 * 1024)
#define RENDERED_ROOM ((size_t)64 * 1024 * 1024)
#define NEAR_RECORDS  5000 /* reading on is cheaper than beginning anew so far */

/* ---- bringing the index up to date ---- */

struct update {
    const struct audit_view *view;
    struct audit_index *index;
    const char *chain;
    struct audit_index_position known;
    bool is_checked; /* the known record was seen and is the one that was indexed */
    bool is_other;   /* it is not: the chain was replaced */
    size_t n;        /* of this group */
    struct diag diag;
    struct status st;
    bool has_failed; /* a chain could not be read to its end */
};

static struct status
index_event(struct update *update, const struct journal_record *record, struct arena *arena)
{
    struct audit_event event;
    const struct status st = audit_event_decode(record->payload, arena, &update->diag, &event);

    if (st.code == ERR_JOURNAL) { /* of a newer version, which will index it */
        return OK;
    }
    TRY(st);
    const struct audit_index_row row = {
        .chain = record->chain,
        .sequence = record->sequence,
        .time_us = record->time_us,
        .type = audit_type_code(event.type),
        .phase = event.phase == AUDIT_INTENT ? "intent" : "outcome",
        .outcome = (int)event.outcome,
        .user_name = event.user_name,
        .user_id = event.user_id,
        .organization = event.organization,
        .partner = event.partner,
        .community = event.community,
        .purpose = event.purpose.value,
        .patients = &event.patients,
        .documents = &event.documents,
    };
    return audit_index_add(update->index, &row, &update->diag);
}

static bool
is_known(struct update *update, const struct journal_record *record)
{
    update->is_checked = true;
    update->is_other =
        record->sequence != update->known.sequence || strcmp(record->hash, update->known.hash) != 0;
    return !update->is_other;
}

static bool
take_record(void *arg, const struct journal_record *record)
{
    struct update *update = arg;
    struct arena *arena;

    if (!update->is_checked) {
        return is_known(update, record);
    }
    arena = arena_new(EVENT_ROOM);
    update->st = arena == NULL ? FAIL(&update->diag, ERR_NO_MEMORY, "no memory to read a record")
                               : index_event(update, record, arena);
    arena_free(arena);
    if (!is_ok(update->st)) {
        return false;
    }
    update->known.sequence = record->sequence;
    memcpy(update->known.hash, record->hash, sizeof(update->known.hash));
    return ++update->n < GROUP;
}

/* Some more records of a chain. A chain that is damaged further on is indexed up to there. */
static struct status
update_group(struct update *update)
{
    struct diag why = {0};
    const struct audit_index_position before = update->known;

    update->n = 0;
    update->is_checked = before.sequence == 0; /* there is nothing to check */
    update->is_other = false;
    update->st = OK;
    TRY(audit_index_begin(update->index, &update->diag));
    const struct status read = journal_read_chain(&update->view->place, update->chain,
                                                  before.sequence, take_record, update, &why);
    if (!is_ok(read)) {
        update->has_failed = true;
        cli_error(update->view->command, &why);
    }
    update->is_other = update->is_other || (is_ok(read) && !update->is_checked);
    return audit_index_end(update->index, update->chain, &update->known, update->st, &update->diag);
}

static struct status
update_chain(void *arg, const char *chain)
{
    struct update *update = arg;

    update->chain = chain;
    TRY(audit_index_position(update->index, chain, &update->diag, &update->known));
    do {
        TRY(update_group(update));
        if (update->is_other) {
            TRY(audit_index_forget(update->index, chain, &update->diag));
            update->known = (struct audit_index_position){0};
            TRY(update_group(update));
        }
    } while (update->n == GROUP);
    return OK;
}

/* ---- showing what was found ---- */

struct wanted {
    const struct audit_index_place *place;
    size_t rank; /* in order of time */
};

struct shown {
    const struct audit_view *view;
    const struct disclosure_form *form; /* NULL: as tail shows records */
    struct wanted *wanted;              /* by chain and sequence */
    struct buf *texts;                  /* by rank */
    size_t n, at;
    struct diag diag;
    struct status st;
    bool has_failed;
};

static int
by_place(const void *a, const void *b)
{
    const struct audit_index_place *x = ((const struct wanted *)a)->place;
    const struct audit_index_place *y = ((const struct wanted *)b)->place;
    const int chains = strcmp(x->chain, y->chain);

    return chains != 0 ? chains : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static bool
is_near(const struct shown *shown, const struct journal_record *record)
{
    return shown->at < shown->n &&
           strcmp(shown->wanted[shown->at].place->chain, record->chain) == 0 &&
           shown->wanted[shown->at].place->sequence - record->sequence < NEAR_RECORDS;
}

static bool
show_record(void *arg, const struct journal_record *record)
{
    struct shown *shown = arg;
    const struct wanted *wanted = &shown->wanted[shown->at];

    if (record->sequence < wanted->place->sequence) {
        return true;
    }
    if (record->sequence == wanted->place->sequence) {
        struct buf *text = &shown->texts[wanted->rank];

        shown->st = shown->form == NULL
                        ? audit_view_render(shown->view, record, text, &shown->diag)
                        : disclosure_render(shown->form, record, text, &shown->diag);
    }
    shown->at++;
    return is_ok(shown->st) && is_near(shown, record);
}

/* Every text, read chain by chain; a record that is damaged is said and left out. */
static void
read_texts(struct shown *shown)
{
    while (shown->at < shown->n && is_ok(shown->st)) {
        const size_t before = shown->at;
        const struct audit_index_place *place = shown->wanted[before].place;
        const struct status read = journal_read_chain(
            &shown->view->place, place->chain, place->sequence, show_record, shown, &shown->diag);

        if (!is_ok(read)) {
            cli_error(shown->view->command, &shown->diag);
            diag_clear(&shown->diag);
            shown->has_failed = true;
        }
        shown->at += shown->at == before ? 1 : 0;
    }
}

static struct status
print_texts(struct shown *shown)
{
    for (size_t i = 0; i < shown->n; i++) {
        const struct span text = buf_span(&shown->texts[i]);

        if (text.n > 0 && fwrite(text.p, 1, text.n, shown->view->out) != text.n) {
            return FAIL(&shown->diag, ERR_IO, "cannot write the output");
        }
    }
    return OK;
}

static struct status
show_places(struct shown *shown, const struct audit_index_places *places, struct arena *arena)
{
    TRY(ARENA_ARRAY(arena, places->n, &shown->diag, &shown->wanted));
    TRY(ARENA_ARRAY(arena, places->n, &shown->diag, &shown->texts));
    for (size_t i = 0; i < places->n; i++) {
        shown->wanted[i] = (struct wanted){&places->items[i], i};
        buf_init_secret(&shown->texts[i], RENDERED_ROOM);
    }
    shown->n = places->n;
    qsort(shown->wanted, shown->n, sizeof(*shown->wanted), by_place);
    read_texts(shown);
    const struct status st = is_ok(shown->st) ? print_texts(shown) : shown->st;
    for (size_t i = 0; i < shown->n; i++) {
        buf_done(&shown->texts[i]);
    }
    return st;
}

/* ---- both ---- */

static struct status
find_and_show(struct update *update, const struct audit_index_query *query, struct shown *shown,
              struct arena *arena)
{
    struct audit_index_places places = {0};
    bool is_cut = false;
    struct diag *diag = &shown->diag;

    struct status st = journal_chains(&update->view->place, update_chain, update, diag);
    if (!is_ok(st) && diag->code == ERR_NONE) { /* the update's */
        *diag = update->diag;
    }
    TRY(st);
    TRY(audit_index_find(update->index, query, arena, diag, &places, &is_cut));
    if (is_cut) {
        cli_complain(update->view->command,
                     "only the newest %zu records are shown; say more with -n or ask more narrowly",
                     query->limit);
    }
    TRY(shown->form == NULL ? audit_view_columns(shown->view, diag)
                            : disclosure_begin(shown->form, shown->view->out, diag));
    if (places.n > 0) {
        TRY(show_places(shown, &places, arena));
    }
    return shown->form == NULL ? OK : disclosure_end(shown->form, shown->view->out, diag);
}

static enum cli_exit
search(const struct audit_view *view, const struct audit_index_query *query,
       const struct disclosure_form *form)
{
    char path[PATH_MAX];
    struct shown shown = {.view = view, .form = form, .st = OK};
    struct update update = {.view = view, .st = OK};
    struct arena *arena = arena_new(PLACES_ROOM);
    struct status st = OK;

    if (arena == NULL) {
        st = FAIL(&shown.diag, ERR_NO_MEMORY, "no memory to search");
    } else if (snprintf(path, sizeof(path), "%s/%s", view->place.dir, AUDIT_INDEX_NAME) >=
               PATH_MAX) {
        st = FAIL(&shown.diag, ERR_JOURNAL, "the journal's path is too long");
    }
    if (is_ok(st)) {
        st = audit_index_open(path, &shown.diag, &update.index);
    }
    if (is_ok(st)) {
        st = find_and_show(&update, query, &shown, arena);
    }
    if (!is_ok(st)) {
        cli_error(view->command, &shown.diag);
    }
    audit_index_close(update.index);
    arena_free(arena);
    return is_ok(st) && !update.has_failed && !shown.has_failed ? CLI_DONE : CLI_FAILED;
}

enum cli_exit
audit_search(const struct audit_view *view, const struct audit_index_query *query)
{
    return search(view, query, NULL);
}

enum cli_exit
audit_disclosures(const struct audit_view *view, const struct audit_index_query *query,
                  const struct disclosure_form *form)
{
    return search(view, query, form);
}
