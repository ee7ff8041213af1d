/*
 * A window over a body for the splitter of MIME. Called by mime.c on whichever thread reads a
 * message. The window is this object's; the body is borrowed.
 */
#include "soap/mime_source.h"

#define WINDOW_MOST ((size_t)1024 * 1024)

void
mime_source_init(struct mime_source *source, const struct body *body, size_t window_bytes)
{
    const bool needs_window = window_bytes > 0 || body->kind != BODY_MEMORY;

    *source = (struct mime_source){.body = body};
    buf_init_secret(&source->window, WINDOW_MOST);
    if (needs_window) {
        source->step = window_bytes > 0 ? window_bytes : MIME_WINDOW;
    }
}

void
mime_source_done(struct mime_source *source)
{
    buf_done(&source->window);
}

/* What can be looked at from <at> on without moving anything. */
static struct span
in_reach(const struct mime_source *source, uint64_t at)
{
    if (source->step == 0) {
        return span_slice(buf_span(&source->body->memory), (size_t)at, SIZE_MAX);
    }
    if (at < source->base || at - source->base >= source->window.n) {
        return SPAN_EMPTY;
    }
    return span_slice(buf_span(&source->window), (size_t)(at - source->base), SIZE_MAX);
}

/* The window begins at <at> and has at least <n> bytes, where there are that many. */
static struct status
move_window(struct mime_source *source, uint64_t at, size_t n, struct diag *diag)
{
    const uint64_t left = source->body->size - at;
    size_t wanted = n > source->step ? n : source->step;
    char *room = NULL;
    size_t got = 0;

    wanted = left < wanted ? (size_t)left : wanted;
    buf_reset(&source->window);
    TRY(buf_reserve(&source->window, wanted, diag, &room));
    TRY(body_read(source->body, at, room, wanted, diag, &got));
    source->window.n = got;
    source->base = at;
    return OK;
}

struct status
mime_source_peek(struct mime_source *source, uint64_t at, size_t n, struct diag *diag,
                 struct span *ret_bytes)
{
    const uint64_t left = at < source->body->size ? source->body->size - at : 0;
    const size_t wanted = left < n ? (size_t)left : n;

    if (in_reach(source, at).n < wanted) {
        TRY(move_window(source, at, wanted, diag));
    }
    *ret_bytes = span_slice(in_reach(source, at), 0, wanted);
    return OK;
}

struct status
mime_source_find(struct mime_source *source, uint64_t at, struct span needle, struct diag *diag,
                 uint64_t *ret_at)
{
    while (at < source->body->size && source->body->size - at >= needle.n) {
        struct span bytes;

        TRY(mime_source_peek(source, at, needle.n, diag, &bytes));
        bytes = in_reach(source, at);
        const size_t found = span_find(bytes, needle);
        if (found != SPAN_MISSING) {
            *ret_at = at + found;
            return OK;
        }
        at += bytes.n - (needle.n - 1); /* it may begin with the last of them */
    }
    *ret_at = UINT64_MAX;
    return OK;
}

struct status
mime_source_is_blank(struct mime_source *source, uint64_t at, struct diag *diag, bool *ret_is_blank)
{
    bool is_blank = true;

    while (is_blank && at < source->body->size) {
        struct span bytes;

        TRY(mime_source_peek(source, at, 1, diag, &bytes));
        bytes = in_reach(source, at);
        is_blank = span_trim(bytes).n == 0;
        at += bytes.n;
    }
    *ret_is_blank = is_blank;
    return OK;
}
