/*
 * See later_kit.h. Used by scenario tests only.
 */
#include "later_kit.h"

#include <stdio.h>
#include <string.h>

struct partner *
later_record(struct scene *scene, const char *of, const char *about)
{
    const struct config *config = scene_place(scene, of)->config;

    for (size_t i = 0; i < config->partners_n; i++) {
        if (strcmp(config->partners[i].id, about) == 0) {
            return (struct partner *)&config->partners[i];
        }
    }
    CU_FAIL_FATAL("no such partner");
    return NULL;
}

void
later_open(struct scene *scene)
{
    static const char *const urls[] = {"https://127.0.0.1:8441/elsewhere", RED_REPLIES};
    struct partner *red;

    kit_open_three(scene);
    red = later_record(scene, "green", "red");
    red->replies.asynchronous.items = urls;
    red->replies.asynchronous.n = ARRAY_LEN(urls);
    later_record(scene, "red", "green")->is_asynchronous = true;
}

void
later_open_deferred(struct scene *scene)
{
    struct partner *red;

    kit_open_three(scene);
    red = later_record(scene, "green", "red");
    red->is_deferred = true;
    red->replies.deferred_url = RED_REPLIES;
    later_record(scene, "red", "green")->is_deferred = true;
}

size_t
later_discover(struct scene *scene, struct asking **asking)
{
    const struct asking_order order = scene_order(ASKING_DISCOVER, ISABELLA);

    *asking = NULL;
    scene_ask(scene_place(scene, "red"), &order, asking);
    return kit_question_to(scene, "green");
}

uint64_t
later_owed(struct scene *scene, const char *place)
{
    struct job_counts counts = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, jobs_count(scene_place(scene, place)->store, SPAN_EMPTY, &diag, &counts));
    return counts.waiting;
}

uint64_t
later_awaited(struct scene *scene, const char *place)
{
    struct diag diag = {0};
    uint64_t n = 0;

    CHECK_OK(&diag, pending_count(scene_place(scene, place)->store, SPAN_EMPTY, &diag, &n));
    return n;
}

void
later_advance(struct scene *scene, int64_t us)
{
    fake_clock_advance(&scene->clock, us);
    for (size_t i = 0; i < scene->places_n; i++) {
        outbox_look(&scene->places[i].outbox);
    }
    scene_run(scene);
}

struct span
later_text(const struct scene_question *question, const char *start, const char *end)
{
    const struct span text = buf_span(&question->body);
    const size_t at = span_find(text, span_of_cstr(start));
    const struct span rest =
        at == SPAN_MISSING ? SPAN_EMPTY : span_slice(text, at + strlen(start), text.n);
    const size_t n = span_find(rest, span_of_cstr(end));

    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CU_ASSERT_NOT_EQUAL_FATAL(n, SPAN_MISSING);
    return span_slice(rest, 0, n);
}

void
later_send_to_red(struct scene *scene, const char *from, size_t question, struct scene_reply *reply)
{
    scene_send(scene, scene_place(scene, "red"), scene_place(scene, from)->config->node->leaf,
               SOAP_REPLY_PATH, scene->questions[question].content_type,
               buf_span(&scene->questions[question].body), reply);
}

const struct scene_event *
later_last(struct scene *scene, const char *place)
{
    return scene_event(scene_place(scene, place), 0);
}

void
later_expect_reason(struct scene *scene, const char *place, const char *text)
{
    const char *reason = later_last(scene, place)->reason;

    if (strstr(reason, text) == NULL) {
        printf("\n    wanted '%s' in the record, which says: %s\n", text, reason);
        CU_FAIL("recorded for another reason");
    }
}
