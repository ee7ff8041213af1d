/*
 * The network of scene.h. Used by scenario tests only.
 */
#include "scene.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/wire/keep.h"

/* ---- torture ---- */

/* The nodes' work: here allocations may fail. Returns how many were made before. */
static uint64_t
begin_work(const struct scene *scene)
{
    keep_pause_audit(scene->allocations_left != UINT64_MAX);
    if (scene->allocations_left != UINT64_MAX) {
        if (scene->is_memory_gone) {
            mem_fail_after(scene->allocations_left);
        } else {
            mem_fail_once(scene->allocations_left);
        }
    }
    return mem_allocations();
}

static void
end_work(struct scene *scene, uint64_t before)
{
    const uint64_t made = mem_allocations() - before;

    mem_fail_after(UINT64_MAX);
    mem_fail_once(UINT64_MAX - mem_allocations());
    if (scene->allocations_left == UINT64_MAX) {
        return;
    }
    if (made <= scene->allocations_left) {
        scene->allocations_left -= made;
    } else {
        scene->allocations_left = scene->is_memory_gone ? 0 : UINT64_MAX;
    }
}

/* ---- questions ---- */

static struct status
copy_piece(void *arg, struct span piece, struct diag *diag)
{
    return buf_append(arg, piece, diag);
}

static void
take_question(struct out *out, struct out_request *request, out_done done, void *arg)
{
    struct place *place = ((struct scene_out *)out)->place;
    struct diag diag = {0};
    struct scene *scene = place->scene;
    struct scene_question *question = &scene->questions[scene->questions_n++];

    CU_ASSERT_FATAL(scene->questions_n < SCENE_QUESTIONS);
    keep_message(KEEP_REQUEST, request->content_type, &request->body);
    *question = (struct scene_question){
        .from = place,
        .config = request->config,
        .to = request->partner,
        .done = done,
        .arg = arg,
        .ticket = request->ticket,
        .timeout_us = request->timeout_us > 0 ? request->timeout_us : request->partner->timeout_us};
    snprintf(question->url, sizeof(question->url), "%s", request->url);
    snprintf(question->content_type, sizeof(question->content_type), "%s", request->content_type);
    buf_init(&question->body, (size_t)64 * 1024 * 1024);
    if (request->body.kind == BODY_MEMORY) { /* moved: torture lets no copy succeed */
        buf_move(&question->body, &request->body.memory);
    } else {
        CHECK_OK(&diag, body_each(&request->body, copy_piece, &question->body, &diag));
    }
    body_done(&request->body);
    question->undurable = scene_undurable(&place->sink);
}

/* As the engine: the question's end is ERR_CANCELLED, unless it has ended. */
static void
withdraw_question(struct out *out, uint64_t ticket)
{
    struct scene *scene = ((struct scene_out *)out)->place->scene;
    for (size_t i = 0; i < scene->questions_n; i++) {
        struct scene_question *question = &scene->questions[i];
        if (ticket != 0 && question->ticket == ticket && !question->is_answered) {
            struct out_answer answer = {.error = ERR_CANCELLED};

            body_init(&answer.body);
            question->is_answered = question->is_cancelled = true;
            question->done(question->arg, &answer);
        }
    }
}

void
scene_run(struct scene *scene)
{
    const uint64_t before = begin_work(scene);

    runner_run_ready(scene->runner);
    end_work(scene, before);
}

static struct status
add_piece(void *arg, struct span piece, struct diag *diag)
{
    return buf_append(arg, piece, diag);
}

static void
take_reply(void *arg, struct inbound_answer *answer)
{
    struct scene_reply *reply = arg;
    struct diag diag = {0};
    size_t n = 0;

    CU_ASSERT(!reply->is_here); /* one answer each */
    keep_message(KEEP_ANSWER, answer->content_type, &answer->body);
    reply->is_here = true;
    reply->on_gone = NULL;
    reply->cause = answer->cause;
    reply->http_status = answer->http_status;
    snprintf(reply->content_type, sizeof(reply->content_type), "%s", answer->content_type);
    CHECK_OK(&diag, body_read(&answer->body, 0, reply->text, sizeof(reply->text) - 1, &diag, &n));
    reply->text[n] = '\0';
    reply->n = n;
    if (reply->whole != NULL) {
        CHECK_OK(&diag, body_each(&answer->body, add_piece, reply->whole, &diag));
    }
}

/* Bytes of a request, which live until many others have come. */
static struct body *
keep_bytes(struct span bytes)
{
    static struct body bodies[SCENE_QUESTIONS * 2];
    static size_t bodies_n;
    struct body *body = &bodies[bodies_n++ % ARRAY_LEN(bodies)];
    struct diag diag = {0};
    struct buf copy;

    body_done(body);
    buf_init(&copy, bytes.n + 1);
    CHECK_OK(&diag, buf_append(&copy, bytes, &diag));
    body_from_buf(body, &copy);
    return body;
}

void
scene_send(struct scene *scene, struct place *to, const struct certificate *peer, const char *path,
           const char *content_type, struct span bytes, struct scene_reply *reply)
{
    struct diag diag = {0};
    const struct inbound_request request = {
        .path = span_of_cstr(path),
        .content_type = span_of_cstr(content_type),
        .peer_address = SPAN("192.0.2.7"),
        .peer = peer,
        .body = keep_bytes(bytes),
    };

    memset(reply, 0, sizeof(*reply));
    CHECK_OK(&diag, inbound_start(&to->node, &request, take_reply, reply, &diag));
    scene_run(scene);
}

static void
watch_reply(void *arg, void (*on_gone)(void *arg), void *gone_arg)
{
    struct scene_reply *reply = arg;

    if (reply->is_gone) {
        on_gone(gone_arg);
    } else {
        reply->on_gone = on_gone;
        reply->gone_arg = gone_arg;
    }
}

void
scene_send_local(struct scene *scene, struct place *to, const struct certificate *peer,
                 const char *path, const char *content_type, struct span bytes,
                 struct scene_reply *reply)
{
    const bool is_gone = reply->is_gone;
    struct buf *whole = reply->whole;
    struct diag diag = {0};
    struct inbound_answer none = {.cause = ERR_NO_MEMORY, .http_status = 503};
    const struct inbound_request request = {
        .path = span_of_cstr(path),
        .content_type = span_of_cstr(content_type),
        .peer_address = SPAN("unix"),
        .peer = peer,
        .body = keep_bytes(bytes),
        .watch = watch_reply,
    };
    uint64_t before;
    struct status st;

    memset(reply, 0, sizeof(*reply));
    reply->is_gone = is_gone;
    reply->whole = whole;
    before = begin_work(scene);
    st = local_start(&to->node, &request, take_reply, reply, &diag);
    end_work(scene, before);
    if (!is_ok(st)) { /* as serve does */
        CU_ASSERT_EQUAL(diag.code, ERR_NO_MEMORY);
        body_init(&none.body);
        take_reply(reply, &none);
    }
    scene_run(scene);
}

static struct place *
place_of_url(struct scene *scene, const char *url)
{
    for (size_t i = 0; i < scene->places_n; i++) {
        if (strncmp(url, scene->places[i].config->base_url,
                    strlen(scene->places[i].config->base_url)) == 0) {
            return &scene->places[i];
        }
    }
    return NULL;
}

static void
answer_with(struct scene_question *question, int http_status, const char *content_type,
            struct body *body)
{
    struct out_answer out = {.http_status = http_status, .elapsed_us = 5000};

    snprintf(out.content_type, sizeof(out.content_type), "%s", content_type);
    snprintf(out.peer_address, sizeof(out.peer_address), "192.0.2.8");
    body_init(&out.body);
    body_move(&out.body, body);
    question->is_answered = true;
    question->done(question->arg, &out);
}

/* Binary answers (MTOM with documents) go through a body, not through text. */
struct relay {
    struct scene_question *question;
    const char *from, *to;     /* what changes on the way back; NULL: nothing */
    const struct place *place; /* that answers */
};

static void
change_body(const struct relay *relay, struct body *body)
{
    const struct span from = span_of_cstr(relay->from);
    struct span rest = buf_span(&body->memory);
    struct diag diag = {0};
    struct buf changed;
    size_t at;

    buf_init(&changed, (size_t)64 * 1024 * 1024);
    CU_ASSERT_NOT_EQUAL(span_find(rest, from), SPAN_MISSING);
    while ((at = span_find(rest, from)) != SPAN_MISSING) {
        CHECK_OK(&diag, buf_append(&changed, span_slice(rest, 0, at), &diag));
        CHECK_OK(&diag, buf_append_cstr(&changed, relay->to, &diag));
        rest = span_slice(rest, at + from.n, rest.n);
    }
    CHECK_OK(&diag, buf_append(&changed, rest, &diag));
    body_done(body);
    body_from_buf(body, &changed);
}

static void
relay_reply(void *arg, struct inbound_answer *answer)
{
    const struct relay *relay = arg;

    keep_message(KEEP_ANSWER, answer->content_type, &answer->body);
    /* Always: what may disclose something leaves behind a record of its own, and that is durable.
     */
    if (answer->http_status == 200) {
        CU_ASSERT(relay->place->sink.n > relay->question->records);
        CU_ASSERT_EQUAL(scene_undurable(&relay->place->sink), 0);
    }
    if (relay->from != NULL) {
        change_body(relay, &answer->body);
    }
    answer_with(relay->question, answer->http_status, answer->content_type, &answer->body);
    mem_free(arg);
}

void
scene_answer(struct scene *scene, size_t i, int http_status, const char *content_type,
             struct span bytes)
{
    struct diag diag = {0};
    struct body body;
    struct buf copy;

    buf_init(&copy, bytes.n + 1);
    CHECK_OK(&diag, buf_append(&copy, bytes, &diag));
    body_from_buf(&body, &copy);
    answer_with(&scene->questions[i], http_status, content_type, &body);
    scene_run(scene);
}

/* As serve does: without memory for a transaction the answer is 503. */
static void
start_inbound(struct scene *scene, struct place *to, const struct inbound_request *request,
              struct relay *relay)
{
    const uint64_t before = begin_work(scene);
    struct diag diag = {0};
    const struct status st = inbound_start(&to->node, request, relay_reply, relay, &diag);
    struct body empty;

    end_work(scene, before);
    if (!is_ok(st)) {
        CU_ASSERT_EQUAL(diag.code, ERR_NO_MEMORY);
        body_init(&empty);
        answer_with(relay->question, 503, "", &empty);
        mem_free(relay);
    }
}

void
scene_deliver(struct scene *scene, size_t i)
{
    scene_deliver_forged(scene, i, NULL, NULL);
}

void
scene_deliver_forged(struct scene *scene, size_t i, const char *from, const char *to_text)
{
    struct scene_question *question = &scene->questions[i];
    struct place *to = place_of_url(scene, question->url);
    struct relay *relay = mem_alloc(sizeof(*relay));
    struct diag diag = {0};
    static struct body bodies[SCENE_QUESTIONS];
    struct buf copy;
    struct inbound_request request;

    CU_ASSERT_PTR_NOT_NULL_FATAL(to);
    CU_ASSERT_PTR_NOT_NULL_FATAL(relay);
    *relay = (struct relay){question, from, to_text, to};
    question->records = to->sink.n;
    body_done(&bodies[i]);
    buf_init(&copy, question->body.n + 1);
    CHECK_OK(&diag, buf_append(&copy, buf_span(&question->body), &diag));
    body_from_buf(&bodies[i], &copy);
    request = (struct inbound_request){
        .path = span_of_cstr(question->url + strlen(to->config->base_url)),
        .content_type = span_of_cstr(question->content_type),
        .peer_address = SPAN("192.0.2.7"),
        .peer = question->from->config->node->leaf,
        .body = &bodies[i],
    };
    start_inbound(scene, to, &request, relay);
    scene_run(scene);
}

void
scene_deliver_all(struct scene *scene, const char *silent)
{
    bool is_progress = true;

    scene_run(scene);
    while (is_progress) {
        is_progress = false;
        for (size_t i = 0; i < scene->questions_n; i++) {
            const struct scene_question *question = &scene->questions[i];

            if (question->is_answered ||
                (silent != NULL && strcmp(question->to->id, silent) == 0)) {
                continue;
            }
            scene_deliver(scene, i);
            is_progress = true;
        }
    }
}

static void
fail_with(struct scene *scene, size_t i, enum err error, bool is_stale)
{
    struct scene_question *question = &scene->questions[i];
    struct out_answer answer = {.error = error, .is_stale = is_stale};

    body_init(&answer.body);
    snprintf(answer.detail, sizeof(answer.detail), "planned failure");
    question->is_answered = true;
    question->done(question->arg, &answer);
    scene_run(scene);
}

void
scene_fail(struct scene *scene, size_t i, enum err error)
{
    fail_with(scene, i, error, false);
}

void
scene_cut(struct scene *scene, size_t i)
{
    fail_with(scene, i, ERR_PARTNER_UNREACHABLE, true);
}

void
scene_connect(struct place *place, struct scene_out *out)
{
    scene_sink_init(&place->sink);
    *out = (struct scene_out){{take_question, withdraw_question}, place};
}

/* ---- asking ---- */

static void
note_end(void *arg, struct asking *asking)
{
    *(struct asking **)arg = asking;
}

struct status
scene_try_ask(struct place *place, const struct asking_order *order, struct diag *diag,
              struct asking **ret_asking)
{
    struct scene *scene = place->scene;
    const uint64_t before = begin_work(scene);
    struct status st;

    *ret_asking = NULL;
    st = asking_start(&place->node, order, note_end, ret_asking, diag);
    end_work(scene, before);
    scene_run(scene);
    return st;
}

void
scene_ask(struct place *place, const struct asking_order *order, struct asking **ret_asking)
{
    struct diag diag = {0};

    CHECK_OK(&diag, scene_try_ask(place, order, &diag, ret_asking));
}

void
scene_forget(struct scene *scene)
{
    for (size_t i = 0; i < scene->questions_n; i++) {
        CU_ASSERT(scene->questions[i].is_answered);
        buf_done(&scene->questions[i].body);
    }
    scene->questions_n = 0;
    for (size_t i = 0; i < scene->places_n; i++) {
        scene->places[i].sink.n = 0;
    }
}

struct asking_order
scene_order(enum asking_goal goal, const char *family, const char *given, const char *birth_date,
            const char *sex)
{
    static struct span given_names[8];
    static struct person_name names[ARRAY_LEN(given_names)];
    static size_t made; /* orders that run at the same time have names of their own */
    const size_t at = made++ % ARRAY_LEN(names);
    struct person_name *name = &names[at];

    given_names[at] = span_of_cstr(given);
    *name = (struct person_name){.family = span_of_cstr(family), .given = {&given_names[at], 1, 1}};
    return (struct asking_order){
        .goal = goal,
        .who = {.names = {name, 1, 1},
                .birth_time = span_of_cstr(birth_date),
                .sex = span_of_cstr(sex)},
        .timeout_us = 20 * US_PER_S,
    };
}

void
scene_close(struct scene *scene)
{
    scene_run(scene);
    CU_ASSERT_EQUAL(runner_active(scene->runner), 0);
    for (size_t i = 0; i < scene->questions_n; i++) {
        if (!scene->questions[i].is_answered) {
            scene_fail(scene, i, ERR_SHUTTING_DOWN);
        }
        buf_done(&scene->questions[i].body);
    }
    runner_free(scene->runner);
    for (size_t i = 0; i < scene->places_n; i++) {
        CU_ASSERT_EQUAL(scene->places[i].outbox.running, 0);
        outbox_done(&scene->places[i].outbox);
        waiting_done(&scene->places[i].waiting);
        store_close(scene->places[i].store);
        config_unref(scene->places[i].config);
    }
}

struct place *
scene_place(struct scene *scene, const char *name)
{
    for (size_t i = 0; i < scene->places_n; i++) {
        if (strcmp(scene->places[i].name, name) == 0) {
            return &scene->places[i];
        }
    }
    return NULL;
}
