/*
 * The admin listener's pages: one row each. Called by `isthmus serve` on a loop's thread.
 */
#include "admin/admin.h"

#include "admin/exposition.h"

#define PAGE_LIMIT ((size_t)16 * 1024 * 1024)
#define TEXT_PLAIN "text/plain; charset=UTF-8"

struct page {
    const char *path;
    void (*write)(const struct admin_view *view, struct span query, struct admin_answer *answer);
};

static void
put(struct admin_answer *answer, const char *text)
{
    struct diag diag = {0};

    if (!is_ok(buf_append_cstr(&answer->content, text, &diag))) {
        answer->http_status = err_http_status(diag.code);
    }
}

static void
write_metrics(const struct admin_view *view, struct span query, struct admin_answer *answer)
{
    struct diag diag = {0};

    (void)query;
    answer->content_type = EXPOSITION_CONTENT_TYPE;
    if (!is_ok(admin_write_metrics(view, &answer->content, &diag))) {
        LOG_EVENT(LOG_LEVEL_ERROR, "metrics-failed", LOG_DIAG(&diag));
        answer->http_status = err_http_status(diag.code);
    }
}

/* That this is answered is the answer. */
static void
write_live(const struct admin_view *view, struct span query, struct admin_answer *answer)
{
    (void)view;
    (void)query;
    put(answer, "ok\n");
}

static void
write_ready(const struct admin_view *view, struct span query, struct admin_answer *answer)
{
    const bool is_verbose = span_eq(query, SPAN("verbose"));
    const bool is_ready = admin_is_ready(view, is_verbose, &answer->content);

    if (!is_ready) {
        answer->http_status = 503;
    }
    if (is_verbose || is_ready) {
        put(answer, is_ready ? "ok\n" : "not ready\n");
    }
}

static const struct page pages[] = {
    {"/metrics", write_metrics},
    {"/livez", write_live},
    {"/readyz", write_ready},
};

void
admin_answer(const struct admin_view *view, struct span path, struct span query,
             struct admin_answer *ret_answer)
{
    *ret_answer = (struct admin_answer){.http_status = 200, .content_type = TEXT_PLAIN};
    buf_init(&ret_answer->content, PAGE_LIMIT);
    for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
        if (span_eq(path, span_of_cstr(pages[i].path))) {
            pages[i].write(view, query, ret_answer);
            return;
        }
    }
    ret_answer->http_status = 404;
    put(ret_answer, "this listener serves /metrics, /livez and /readyz (?verbose)\n");
}
