/*
 * The admin listener of `isthmus serve`: gives admin/ the node's parts, and its page to the peer.
 * Called on a loop's thread.
 */
#include "admin/admin.h"
#include "cli/serve.h"

void
serve_admin(struct serve *serve, struct net_request *request)
{
    struct generation *generation = generation_current(serve);
    const struct admin_view view = {
        .config = generation->node.config,
        .clock = clock_system(),
        .journal = serve->journal,
        .fleet = atomic_load(&serve->is_started) ? serve->fleet : NULL,
        .runner = serve->runner,
        .out = serve->out,
        .server = atomic_load(&serve->is_started) ? serve->server : NULL,
        .spool = generation->node.spool,
        .store = serve->store,
        .started_us = serve->started_us,
        .loaded_us = atomic_load(&serve->loaded_us),
        .is_load_refused = atomic_load(&serve->is_reload_refused),
    };
    struct admin_answer answer;
    struct body body;

    admin_answer(&view, span_of_cstr(request->path), span_of_cstr(request->query), &answer);
    body_from_buf(&body, &answer.content);
    generation_unref(generation);
    net_answer(request, answer.http_status, answer.content_type, &body);
}
