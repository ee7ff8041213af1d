/*
 * Lists of a query as JSON texts in one buffer. Called by the searches of the SQLite engine on the
 * thread of one store call; the caller owns the lists.
 */
#include "store/sqlite_lists.h"

#include <assert.h>

#include "base/jsonw.h"

#define JSON_BYTES ((size_t)1024 * 1024) /* a query is bounded by its message; this is above it */

void
sqlite_lists_init(struct sqlite_lists *lists)
{
    *lists = (struct sqlite_lists){0};
    buf_init(&lists->buf, JSON_BYTES);
}

void
sqlite_lists_done(struct sqlite_lists *lists)
{
    buf_done(&lists->buf);
}

static void
begin(struct sqlite_lists *lists, struct diag *diag, struct jsonw *ret_writer)
{
    assert(lists->n < SQLITE_LISTS_MAX);
    jsonw_init(ret_writer, &lists->buf, false, diag);
}

static struct status
end(struct sqlite_lists *lists, struct jsonw *w)
{
    TRY(jsonw_finish(w));
    lists->ends[lists->n++] = lists->buf.n;
    return OK;
}

static void
write_texts(struct jsonw *w, const struct span_list *texts)
{
    jsonw_array(w);
    for (size_t i = 0; i < texts->n; i++) {
        jsonw_string(w, texts->items[i]);
    }
    jsonw_close(w);
}

static void
write_codes(struct jsonw *w, const struct code_list *codes)
{
    jsonw_array(w);
    for (size_t i = 0; i < codes->n; i++) {
        jsonw_array(w);
        jsonw_string(w, codes->items[i].value);
        jsonw_string(w, codes->items[i].scheme);
        jsonw_close(w);
    }
    jsonw_close(w);
}

struct status
sqlite_lists_texts(struct sqlite_lists *lists, const struct span_list *texts, struct diag *diag)
{
    struct jsonw w;

    begin(lists, diag, &w);
    write_texts(&w, texts);
    return end(lists, &w);
}

struct status
sqlite_lists_codes(struct sqlite_lists *lists, const struct code_list *codes, struct diag *diag)
{
    struct jsonw w;

    begin(lists, diag, &w);
    write_codes(&w, codes);
    return end(lists, &w);
}

/* REQ: SQ-and-or */
struct status
sqlite_lists_code_sets(struct sqlite_lists *lists, const struct code_list *sets, size_t n,
                       struct diag *diag)
{
    struct jsonw w;

    begin(lists, diag, &w);
    jsonw_array(&w);
    for (size_t i = 0; i < n; i++) {
        if (sets[i].n > 0) {
            write_codes(&w, &sets[i]);
        }
    }
    jsonw_close(&w);
    return end(lists, &w);
}

/* REQ: SQ-like */
struct status
sqlite_lists_text_sets(struct sqlite_lists *lists, const struct span_list *sets, size_t n,
                       struct diag *diag)
{
    struct jsonw w;

    begin(lists, diag, &w);
    jsonw_array(&w);
    for (size_t i = 0; i < n; i++) {
        if (sets[i].n > 0) {
            write_texts(&w, &sets[i]);
        }
    }
    jsonw_close(&w);
    return end(lists, &w);
}

struct span
sqlite_lists_text(const struct sqlite_lists *lists, size_t n)
{
    const size_t from = n == 0 ? 0 : lists->ends[n - 1];

    assert(n < lists->n);
    return span_of(lists->buf.p + from, lists->ends[n] - from);
}
