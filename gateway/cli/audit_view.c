/*
 * Tail and show. Called by cmd_audit.c. One arena lives as long as one record is rendered;
 * rendered text is kept only for the lines that tail will print.
 */
#include "cli/audit_view.h"

#include <inttypes.h>
#include <string.h>

#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/audit_text.h"

#define RENDERED_BYTES_MAX ((size_t)64 * 1024 * 1024)

/* ---- one record ---- */

static struct status
render_event(const struct audit_view *view, const struct journal_record *record, bool is_line,
             struct buf *out, struct diag *diag)
{
    struct audit_event event;
    struct arena *arena = arena_new(2 * RENDERED_BYTES_MAX);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a record");
    }
    struct status st = audit_event_decode(record->payload, arena, diag, &event);
    if (is_ok(st) && view->form == AUDIT_FORM_XML) {
        st = audit_message_write(&event, &view->source, out, diag);
        st = is_ok(st) ? buf_append_char(out, '\n', diag) : st;
    } else if (is_ok(st) && is_line) {
        st = audit_text_line(record, &event, out, diag);
    } else if (is_ok(st)) {
        st = audit_text_explain(record, &event, out, diag);
    }
    arena_free(arena);
    return st;
}

static struct status
render(const struct audit_view *view, const struct journal_record *record, bool is_line,
       struct buf *out, struct diag *diag)
{
    struct status st = OK;
    buf_init_secret(out, RENDERED_BYTES_MAX);
    if (view->form == AUDIT_FORM_JSON) {
        st = audit_text_json(record, out, diag);
    } else {
        st = render_event(view, record, is_line, out, diag);
    }
    if (!is_ok(st)) {
        buf_done(out);
        diag_prefix(diag, "record %s/%" PRIu64, record->chain, record->sequence);
    }
    return st;
}

struct status
audit_view_render(const struct audit_view *view, const struct journal_record *record,
                  struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    TRY(render(view, record, true, &text, diag));
    return buf_append(out, buf_span(&text), diag);
}

static bool
print(const struct audit_view *view, struct span text)
{
    return fwrite(text.p, 1, text.n, view->out) == text.n && fflush(view->out) == 0;
}

/* ---- tail ---- */

/* The rendered records that will be printed: the last <size> of those seen. */
struct ring {
    struct buf *items;
    size_t size, n, next;
};

static void
ring_put(struct ring *ring, struct buf *text)
{
    if (ring->size == 0) {
        buf_done(text);
        return;
    }
    buf_done(&ring->items[ring->next]);
    ring->items[ring->next] = *text;
    ring->next = (ring->next + 1) % ring->size;
    ring->n += ring->n < ring->size ? 1 : 0;
}

static bool
ring_print(const struct audit_view *view, const struct ring *ring)
{
    for (size_t i = 0; i < ring->n; i++) {
        const size_t at = (ring->next + ring->size - ring->n + i) % ring->size;
        if (!print(view, buf_span(&ring->items[at]))) {
            return false;
        }
    }
    return true;
}

static void
ring_done(struct ring *ring)
{
    for (size_t i = 0; i < ring->size && ring->items != NULL; i++) {
        buf_done(&ring->items[i]);
    }
    mem_free(ring->items);
}

struct tail {
    const struct audit_view *view;
    struct journal_reader *reader;
    struct ring *ring; /* NULL: print at once */
    bool has_failed;
};

static void
say(struct tail *tail, const struct diag *diag)
{
    cli_error(tail->view->command, diag);
    tail->has_failed = true;
}

/* Everything that is there now; false when the output is closed. */
static bool
take_all(struct tail *tail)
{
    struct journal_record record;
    bool has = true;
    while (has) {
        struct diag diag = {0};
        struct buf text;
        if (!is_ok(journal_reader_next(tail->reader, &diag, &has, &record))) {
            say(tail, &diag);
            has = true; /* the other chains go on; each fails once */
            continue;
        }
        if (!has) {
            return true;
        }
        if (!is_ok(render(tail->view, &record, true, &text, &diag))) {
            say(tail, &diag);
        } else if (tail->ring != NULL) {
            ring_put(tail->ring, &text);
        } else {
            const bool is_printed = print(tail->view, buf_span(&text));
            buf_done(&text);
            if (!is_printed) {
                return false;
            }
        }
    }
    return true;
}

struct status
audit_view_columns(const struct audit_view *view, struct diag *diag)
{
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, 4096);
    if (view->form != AUDIT_FORM_TEXT) {
        return OK;
    }
    TRY(audit_text_columns(&text, diag));
    return print(view, buf_span(&text)) ? OK : FAIL(diag, ERR_IO, "cannot write the output");
}

static bool
print_columns(const struct audit_view *view)
{
    struct diag diag = {0};
    return is_ok(audit_view_columns(view, &diag));
}

static void
run_tail(struct tail *tail, struct ring *ring, bool (*may_go_on)(void *arg), void *arg)
{
    tail->ring = ring;
    bool is_open = take_all(tail) && print_columns(tail->view) && ring_print(tail->view, ring);
    tail->ring = NULL;
    while (is_open && may_go_on != NULL && may_go_on(arg)) {
        is_open = take_all(tail);
    }
    if (!is_open) {
        cli_complain(tail->view->command, "cannot write the output");
        tail->has_failed = true;
    }
}

enum cli_exit
audit_view_tail(const struct audit_view *view, uint64_t n, bool (*may_go_on)(void *arg), void *arg)
{
    struct diag diag = {0};
    struct tail tail = {.view = view};
    struct ring ring = {.size = n > AUDIT_TAIL_MAX ? AUDIT_TAIL_MAX : (size_t)n};
    ring.items = mem_alloc((ring.size + 1) * sizeof(*ring.items));
    if (ring.items == NULL) {
        cli_complain(view->command, "no memory for %zu records", ring.size);
        return CLI_FAILED;
    }
    if (!is_ok(journal_reader_open(&view->place, n, &diag, &tail.reader))) {
        say(&tail, &diag);
    } else {
        run_tail(&tail, &ring, may_go_on, arg);
        journal_reader_close(tail.reader);
    }
    ring_done(&ring);
    return tail.has_failed ? CLI_FAILED : CLI_DONE;
}

/* ---- show ---- */

struct show {
    const struct audit_view *view;
    struct diag *diag;
    bool is_shown;
};

static bool
show_record(void *arg, const struct journal_record *record)
{
    struct show *show = arg;
    struct buf text;
    if (is_ok(render(show->view, record, false, &text, show->diag))) {
        show->is_shown = print(show->view, buf_span(&text));
        buf_done(&text);
    }
    return false;
}

enum cli_exit
audit_view_show(const struct audit_view *view, const char *record)
{
    char chain[64];
    uint64_t sequence = 0;
    struct diag diag = {0};
    struct show show = {.view = view, .diag = &diag};
    if (!audit_text_read_record(record, chain, &sequence)) {
        cli_complain(view->command,
                     "'%s' is not a record: say CHAIN/NUMBER as isthmus audit tail prints it",
                     record);
        return CLI_USAGE;
    }
    if (is_ok(journal_find(&view->place, chain, sequence, show_record, &show, &diag)) &&
        diag.code == ERR_NONE && !show.is_shown) {
        cli_complain(view->command, "cannot write the output");
    }
    if (diag.code != ERR_NONE) {
        cli_error(view->command, &diag);
    }
    return show.is_shown ? CLI_DONE : CLI_FAILED;
}
