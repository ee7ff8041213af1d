/*
 * The outbound engine: a thread with an event base, to which submit posts exchanges. out_start,
 * out_reload, submit and out_stop are called by others; everything else runs on the engine's
 * thread. It owns the eras with their pools, and every transfer from submit to done.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/thread.h"
#include "out/parts.h"

static pthread_once_t libraries_once = PTHREAD_ONCE_INIT;
static struct diag libraries_diag; /* why they did not start; written once */

static void
start_libraries(void)
{
    const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    const struct status st = code != CURLE_OK
                                 ? FAIL(&libraries_diag, ERR_INTERNAL, "libcurl does not start: %s",
                                        curl_easy_strerror(code))
                                 : peer_check_init(&libraries_diag);
    (void)st; /* the diag has it */
}

struct status
out_start_libraries(struct diag *diag)
{
    (void)signal(SIGPIPE, SIG_IGN); /* OpenSSL writes to sockets that a partner may have closed */
    (void)pthread_once(&libraries_once, start_libraries);
    return libraries_diag.code == ERR_NONE
               ? OK
               : FAIL(diag, libraries_diag.code, "%s", libraries_diag.text);
}

/* ---- requests ---- */

void
out_request_init(struct out_request *request)
{
    *request = (struct out_request){.deadline_us = INT64_MAX};
    body_init(&request->body);
}

void
out_answer_done(struct out_answer *answer)
{
    body_done(&answer->body);
    *answer = (struct out_answer){.error = ERR_NONE};
    body_init(&answer->body);
}

static void
refuse(struct out_request *request, out_done done, void *arg, enum err error, const char *why)
{
    struct out_answer answer = {.error = error};
    body_init(&answer.body);
    (void)snprintf(answer.detail, sizeof(answer.detail), "%s", why);
    body_done(&request->body);
    done(arg, &answer);
}

static void
deliver(struct letter *letter)
{
    transfer_start((struct transfer *)letter);
}

static void
register_transfer(struct engine *engine, struct transfer *transfer)
{
    const struct out_request *request = &transfer->request;
    (void)pthread_mutex_lock(&engine->lock);
    transfer->config = config_ref(request->config == NULL ? engine->newest : request->config);
    tickets_add(engine, transfer);
    (void)pthread_mutex_unlock(&engine->lock);
    assert((size_t)(request->partner - transfer->config->partners) < transfer->config->reached_n);
}

static void
submit(struct out *out, struct out_request *request, out_done done, void *arg)
{
    struct engine *engine = (struct engine *)out;
    assert(request->url != NULL && (request->answer_limit > 0 || request->is_probe));
    struct transfer *transfer = mem_alloc(sizeof(*transfer));
    if (transfer == NULL) {
        refuse(request, done, arg, ERR_NO_MEMORY, "no memory for an exchange");
        return;
    }
    transfer->letter.deliver = deliver;
    transfer->engine = engine;
    transfer->request = *request;
    transfer->done = done;
    transfer->arg = arg;
    transfer->start_us = clock_mono_us(engine->clock);
    body_init(&request->body); /* its bytes have moved */
    register_transfer(engine, transfer);
    if (!mailbox_post(engine->mailbox, &transfer->letter)) {
        tickets_remove(engine, transfer);
        refuse(&transfer->request, done, arg, ERR_SHUTTING_DOWN, "this node is stopping");
        config_unref(transfer->config);
        mem_free(transfer);
    }
}

/* ---- the thread ---- */

static void
on_mail(evutil_socket_t fd, short what, void *arg)
{
    struct engine *engine = arg;
    (void)fd;
    (void)what;
    mailbox_deliver(engine->mailbox);
}

static void
on_sweep(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    era_sweep(arg);
}

static void
deliver_stop(struct letter *letter)
{
    struct engine *engine =
        (struct engine *)((char *)letter - offsetof(struct engine, stop_letter));
    engine->is_stopping = true;
    (void)event_base_loopbreak(engine->base);
}

static void
deliver_pulse(struct letter *letter)
{
    struct engine *engine =
        (struct engine *)((char *)letter - offsetof(struct engine, pulse_letter));
    engine->is_pulse_out = false;
}

int64_t
out_silence_us(struct out *out)
{
    struct engine *engine = (struct engine *)out;
    const int64_t now_us = clock_mono_us(engine->clock);
    if (engine->is_pulse_out) {
        return now_us - engine->pulse_asked_us;
    }
    engine->pulse_asked_us = now_us;
    engine->is_pulse_out = true;
    const bool is_running = mailbox_post(engine->mailbox, &engine->pulse_letter);
    (void)is_running; /* if not, it has ended: it never answers */
    return 0;
}

static void *
run(void *arg)
{
    struct engine *engine = arg;
    (void)event_base_dispatch(engine->base);
    engine->is_stopping = true; /* also when the base failed by itself */
    while (engine->transfers != NULL) {
        transfer_fail(engine->transfers, ERR_SHUTTING_DOWN, "this node is stopping");
    }
    mailbox_close(engine->mailbox);
    names_free(engine->names);
    engine->names = NULL;
    while (engine->eras != NULL) {
        struct era *era = engine->eras;
        engine->eras = era->next;
        era_free(era);
    }
    (void)event_del(engine->mail_event);
    return NULL;
}

static struct status
start_thread(struct engine *engine, struct diag *diag)
{
    const int error = thread_start(&engine->thread, run, engine);
    if (error != 0) {
        return FAIL(diag, ERR_IO, "no thread for the outbound engine: %s", strerrordesc_np(error));
    }
    engine->has_thread = true;
    return OK;
}

/* ---- start and stop ---- */

static void
free_engine(struct engine *engine)
{
    if (engine->mail_event != NULL) {
        event_free(engine->mail_event);
    }
    if (engine->sweep_event != NULL) {
        event_free(engine->sweep_event);
    }
    era_free(engine->eras); /* only when the thread was never there */
    if (engine->base != NULL) {
        event_base_free(engine->base);
    }
    server_status_stop(engine);
    names_free(engine->names);
    mailbox_unref(engine->mailbox);
    config_unref(engine->newest);
    (void)pthread_mutex_destroy(&engine->lock);
    mem_free(engine);
}

static struct status
make_base(struct engine *engine, struct diag *diag)
{
    TRY(mailbox_new(diag, &engine->mailbox));
    TRY(names_new(engine->mailbox, engine->clock, diag, &engine->names));
    engine->base = event_base_new();
    engine->mail_event = engine->base == NULL ? NULL
                                              : event_new(engine->base, mailbox_fd(engine->mailbox),
                                                          EV_READ | EV_PERSIST, on_mail, engine);
    engine->sweep_event = engine->base == NULL ? NULL : evtimer_new(engine->base, on_sweep, engine);
    if (engine->mail_event == NULL || engine->sweep_event == NULL ||
        event_add(engine->mail_event, NULL) != 0) {
        return FAIL(diag, ERR_NO_MEMORY, "no event base for the outbound engine");
    }
    return OK;
}

static struct status
start(struct engine *engine, const struct config *config, struct diag *diag)
{
    TRY(make_base(engine, diag));
    TRY(server_status_configure(engine, config, diag));
    TRY(era_new(engine, config, diag, &engine->eras));
    return start_thread(engine, diag);
}

struct status
out_start(const struct config *config, const struct clock *clock, struct diag *diag,
          struct out **ret_out)
{
    TRY(out_start_libraries(diag));
    struct engine *engine = mem_alloc(sizeof(*engine));
    if (engine == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the outbound engine");
    }
    engine->out.submit = submit;
    engine->out.cancel = tickets_cancel;
    engine->stop_letter.deliver = deliver_stop;
    engine->cancel_letter.deliver = tickets_deliver;
    engine->pulse_letter.deliver = deliver_pulse;
    engine->newest = config_ref(config);
    engine->clock = clock;
    (void)pthread_mutex_init(&engine->lock, NULL);
    const struct status st = start(engine, config, diag);
    if (!is_ok(st)) {
        free_engine(engine);
        return st;
    }
    *ret_out = &engine->out;
    return OK;
}

/* First what can fail; submits without a configuration take the new one from the swap on. */
struct status
out_reload(struct out *out, const struct config *config, struct diag *diag)
{
    struct engine *engine = (struct engine *)out;
    struct era *era = NULL;
    const struct config *old = engine->newest; /* written here and in out_start only */
    TRY(server_status_configure(engine, config, diag));
    struct status st = era_new(engine, config, diag, &era);
    if (is_ok(st)) {
        (void)pthread_mutex_lock(&engine->lock);
        engine->newest = config_ref(config);
        (void)pthread_mutex_unlock(&engine->lock);
        if (mailbox_post(engine->mailbox, &era->letter)) {
            config_unref(old);
            return OK;
        }
        era_free(era);
        st = FAIL(diag, ERR_SHUTTING_DOWN, "this node is stopping");
        (void)pthread_mutex_lock(&engine->lock);
        engine->newest = old;
        (void)pthread_mutex_unlock(&engine->lock);
        config_unref(config);
    }
    struct diag ignored = {.code = ERR_NONE}; /* no memory, once more: then the new settings stay */
    (void)server_status_configure(engine, old, &ignored).code;
    return st;
}

void
out_stop(struct out *out)
{
    struct engine *engine = (struct engine *)out;
    if (engine == NULL) {
        return;
    }
    const bool is_running = mailbox_post(engine->mailbox, &engine->stop_letter);
    (void)is_running; /* if not, it has ended already */
    (void)pthread_join(engine->thread, NULL);
    free_engine(engine);
}
