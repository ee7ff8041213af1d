/*
 * `isthmus audit show` below its options: one record explained, and which others belong to it.
 * Called by cmd_audit.c on the program's thread.
 */
#include <string.h>

#include "audit/cursor.h"
#include "cli/audit_search.h"
#include "cli/audit_text.h"

#define EVENT_ROOM   ((size_t)64 * 1024 * 1024)
#define RELATED_MOST 200

struct show {
    const struct audit_view *view;
    struct audit_index_place place;
    struct arena *arena;
    struct buf text;
    struct span transaction; /* of the record */
    struct diag diag;
    struct status st;
};

/* Its text, and its transaction for later. What cannot be decoded is shown as JSON all the same. */
static bool
take_record(void *arg, const struct journal_record *record)
{
    struct show *show = arg;
    struct audit_event event;
    struct diag ignored = {0};

    show->st = audit_view_text(show->view, record, false, &show->text, &show->diag);
    if (is_ok(show->st) &&
        is_ok(audit_event_decode(record->payload, show->arena, &ignored, &event))) {
        show->transaction = event.transaction_id;
    }
    return false;
}

/* ---- the others of its transaction ---- */

static struct status
render_line(const struct audit_writing *writing, const struct journal_record *record,
            struct buf *out, struct diag *diag)
{
    const struct show *show = writing->form;

    if (record->sequence == show->place.sequence && strcmp(record->chain, show->place.chain) == 0) {
        return OK;
    }
    TRY(buf_append_cstr(out, "    ", diag));
    return audit_view_render(writing->view, record, out, diag);
}

static struct status
write_related(struct show *show, struct audit_search *search)
{
    struct audit_index_places places = {0};
    const struct audit_index_query query = {
        .transaction = show->transaction,
        .outcome = -1,
        .since_us = INT64_MIN,
        .until_us = INT64_MAX,
        .limit = RELATED_MOST,
    };
    const struct audit_writing writing = {render_line, show->view, show};
    bool has_more = false;
    uint64_t written = 0;

    TRY(audit_search_find(search, &query, show->arena, &show->diag, &places, &has_more));
    if (places.n < 2) {
        return OK;
    }
    if (fprintf(show->view->out, "\n  Of the same transaction%s:\n    ",
                has_more ? " (the first so many)" : "") < 0) {
        return FAIL(&show->diag, ERR_IO, "cannot write the output");
    }
    TRY(audit_view_columns(show->view, &show->diag));
    return audit_search_write(search, &places, &writing, show->view->out, &show->diag, &written);
}

/* The record has been shown: that the index is not to be had is a warning. */
static void
show_related(struct show *show)
{
    struct audit_search search = {0};

    if (show->view->form != AUDIT_FORM_TEXT || show->transaction.n == 0) {
        return;
    }
    struct status st = audit_search_open(show->view, &show->diag, &search);
    if (is_ok(st)) {
        st = write_related(show, &search);
    }
    if (!is_ok(st)) {
        diag_prefix(&show->diag, "warning: the other records of its transaction are not shown");
        cli_error(show->view->command, &show->diag);
    }
    audit_search_close(&search);
}

/* ---- the record ---- */

static struct status
show_record(struct show *show)
{
    struct diag *diag = &show->diag;

    if (show->arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a record");
    }
    TRY(journal_find(&show->view->place, show->place.chain, show->place.sequence, take_record, show,
                     diag));
    TRY(show->st);
    TRY(audit_view_admit(show->view, 1, diag));
    return audit_view_print(show->view, buf_span(&show->text))
               ? OK
               : FAIL(diag, ERR_IO, "cannot write the output");
}

enum cli_exit
audit_view_show(const struct audit_view *view, const char *record)
{
    struct show show = {.view = view, .st = OK};

    if (!audit_text_read_record(record, show.place.chain, &show.place.sequence)) {
        cli_complain(view->command,
                     "'%s' is not a record: say CHAIN/NUMBER as isthmus audit tail prints it",
                     record);
        return CLI_USAGE;
    }
    show.arena = arena_new(EVENT_ROOM);
    buf_init_secret(&show.text, EVENT_ROOM);
    const struct status st = show_record(&show);
    if (is_ok(st)) {
        show_related(&show);
    } else {
        cli_error(view->command, &show.diag);
    }
    buf_done(&show.text);
    arena_free(show.arena);
    return is_ok(st) ? CLI_DONE : CLI_FAILED;
}
