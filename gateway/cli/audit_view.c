/*
 * Tail. Called by cmd_audit.c. One arena lives as long as one record is rendered;
 * rendered text is kept only for the lines that tail will print.
 */
#include "cli/audit_view.h"

#include <inttypes.h>
#include <string.h>

#include "base/datetime.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "cli/audit_access.h"
#include "cli/audit_filter.h"
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
    } else if (is_ok(st) && view->form == AUDIT_FORM_FHIR) {
        st = audit_text_fhir(record, &event, &view->source, out, diag);
    } else if (is_ok(st) && is_line) {
        st = audit_text_line(record, &event, out, diag);
    } else if (is_ok(st)) {
        st = audit_text_explain(record, &event, out, diag);
    }
    arena_free(arena);
    return st;
}

struct status
audit_view_text(const struct audit_view *view, const struct journal_record *record, bool is_line,
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
    TRY(audit_view_text(view, record, true, &text, diag));
    return buf_append(out, buf_span(&text), diag);
}

struct status
audit_view_admit(const struct audit_view *view, uint64_t records, struct diag *diag)
{
    return view->access == NULL ? OK : audit_access_record(view->access, records, diag);
}

bool
audit_view_print(const struct audit_view *view, struct span text)
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
        if (!audit_view_print(view, buf_span(&ring->items[at]))) {
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
    uint64_t followed; /* printed at once */
    bool has_failed;
};

static void
say(struct tail *tail, const struct diag *diag)
{
    cli_error(tail->view->command, diag);
    tail->has_failed = true;
}

static struct status
judge(const struct audit_view *view, const struct journal_record *record, struct arena *arena,
      struct diag *diag, bool *ret_is_wanted)
{
    struct audit_event event;
    TRY(audit_event_decode(record->payload, arena, diag, &event));
    if (view->filter == NULL) {
        *ret_is_wanted = view->has_access || event.type != AUDIT_LOG_USED;
        return OK;
    }
    return audit_filter_matches(view->filter, record->time_us, &event, arena, diag, ret_is_wanted);
}

/* What cannot be read (a newer version wrote it) is shown, or said, unless something is wanted of
 * it. */
static bool
is_wanted(const struct tail *tail, const struct journal_record *record)
{
    struct diag ignored = {0};
    bool is_one = false;
    struct arena *arena = arena_new(2 * RENDERED_BYTES_MAX);
    const bool is_read =
        arena != NULL && is_ok(judge(tail->view, record, arena, &ignored, &is_one));
    arena_free(arena);
    return is_read ? is_one : tail->view->filter == NULL;
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
        if (!is_wanted(tail, &record)) {
            continue;
        }
        if (!is_ok(audit_view_text(tail->view, &record, true, &text, &diag))) {
            say(tail, &diag);
        } else if (tail->ring != NULL) {
            ring_put(tail->ring, &text);
        } else {
            const bool is_printed = audit_view_print(tail->view, buf_span(&text));
            buf_done(&text);
            tail->followed++;
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
    return audit_view_print(view, buf_span(&text)) ? OK
                                                   : FAIL(diag, ERR_IO, "cannot write the output");
}

static void
admit(struct tail *tail, uint64_t records, bool *is_admitted)
{
    struct diag diag = {0};
    *is_admitted = is_ok(audit_view_admit(tail->view, records, &diag));
    if (!*is_admitted) {
        say(tail, &diag);
    }
}

static bool
print_columns(const struct audit_view *view)
{
    struct diag diag = {0};
    return is_ok(audit_view_columns(view, &diag));
}

static void
follow(struct tail *tail, bool (*may_go_on)(void *arg), void *arg, bool *is_open)
{
    bool is_admitted = false;
    while (*is_open && may_go_on(arg)) {
        *is_open = take_all(tail);
    }
    if (tail->followed > 0) {
        admit(tail, tail->followed, &is_admitted);
    }
}

static void
run_tail(struct tail *tail, struct ring *ring, bool (*may_go_on)(void *arg), void *arg)
{
    bool is_admitted = false;
    tail->ring = ring;
    bool is_open = take_all(tail);
    admit(tail, ring->n, &is_admitted);
    if (!is_admitted) {
        return;
    }
    is_open = is_open && print_columns(tail->view) && ring_print(tail->view, ring);
    tail->ring = NULL;
    if (may_go_on != NULL) {
        follow(tail, may_go_on, arg, &is_open);
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
    const uint64_t window = view->filter == NULL || n > AUDIT_TAIL_WINDOW ? n : AUDIT_TAIL_WINDOW;
    if (!is_ok(journal_reader_open(&view->place, window, &diag, &tail.reader))) {
        say(&tail, &diag);
    } else {
        run_tail(&tail, &ring, may_go_on, arg);
        journal_reader_close(tail.reader);
    }
    ring_done(&ring);
    return tail.has_failed ? CLI_FAILED : CLI_DONE;
}
