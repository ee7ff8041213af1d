/*
 * What a configuration says, for connections, and how it is replaced while they go on: terms_new
 * does all that can fail, then each loop gets a letter with a reference, and judges its connections
 * again. Called by the program's entry (one thread); letters are delivered on loops' threads.
 */
#include <assert.h>
#include <pthread.h>

#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/tls.h"
#include "net/parts.h"

void
terms_listeners(const struct config *config,
                const struct config_listener *ret_listeners[NET_LISTENERS])
{
    ret_listeners[NET_NETWORK] = &config->network;
    ret_listeners[NET_LOCAL] = &config->local;
    ret_listeners[NET_ADMIN] = &config->admin;
}

/* A number of its own for each listener, too: a session that one of them proved by its trust must
 * not be resumed on another. 0 (no resumption) stays 0. */
static uint64_t
sessions_of(const struct config *config, size_t listener)
{
    return config->generation == 0 ? 0 : config->generation * NET_LISTENERS + listener;
}

static struct status
make_contexts(struct terms *terms, const struct config *config, struct diag *diag)
{
    const struct config_listener *listeners[NET_LISTENERS];
    terms_listeners(config, listeners);
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        if (listeners[i]->is_set && listeners[i]->credential != NULL) {
            if (listeners[i]->trust == NULL) {
                return FAIL(diag, ERR_CONFIG, "%s: expected a trust store for client certificates",
                            listeners[i]->address.text);
            }
            TRY(tls_server_context(listeners[i]->credential, listeners[i]->trust,
                                   sessions_of(config, i), diag, &terms->contexts[i]));
        }
    }
    return OK;
}

struct status
terms_new(const struct net_options *options, uint64_t generation, struct diag *diag,
          struct terms **ret_terms)
{
    struct terms *terms = mem_alloc(sizeof(*terms));
    if (terms == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for the listeners' settings");
    }
    atomic_init(&terms->references, 1);
    terms->generation = generation;
    terms->options = *options;
    terms->options.config = NULL;
    terms->body_limit = options->config->body_limit;
    const struct status st = make_contexts(terms, options->config, diag);
    if (!is_ok(st)) {
        terms_unref(terms);
        return st;
    }
    *ret_terms = terms;
    return OK;
}

struct terms *
terms_ref(struct terms *terms)
{
    (void)atomic_fetch_add(&terms->references, 1);
    return terms;
}

void
terms_unref(struct terms *terms)
{
    if (terms == NULL || atomic_fetch_sub(&terms->references, 1) != 1) {
        return;
    }
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        SSL_CTX_free(terms->contexts[i]);
    }
    mem_free(terms);
}

/* ---- reload ---- */

/* How many loops have yet to take the new terms. */
struct round {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t left;
};

struct notice {
    struct letter letter; /* first member */
    struct loop *loop;
    struct terms *terms;
    struct round *round;
};

static void
tick_off(struct round *round)
{
    (void)pthread_mutex_lock(&round->lock);
    round->left--;
    (void)pthread_cond_signal(&round->changed);
    (void)pthread_mutex_unlock(&round->lock);
}

static void
deliver_notice(struct letter *letter)
{
    struct notice *notice = (struct notice *)letter;
    loop_take_terms(notice->loop, terms_ref(notice->terms));
    tick_off(notice->round);
}

static void
spread(struct net_server *server, struct notice *notices, struct terms *terms)
{
    struct round round = {.left = server->loops_n};
    (void)pthread_mutex_init(&round.lock, NULL);
    (void)pthread_cond_init(&round.changed, NULL);
    for (size_t i = 0; i < server->loops_n; i++) {
        notices[i] = (struct notice){{NULL, deliver_notice}, &server->loops[i], terms, &round};
        if (!mailbox_post(server->loops[i].mailbox, &notices[i].letter)) {
            tick_off(&round); /* it has ended, and its connections with it */
        }
    }
    (void)pthread_mutex_lock(&round.lock);
    while (round.left > 0) {
        (void)pthread_cond_wait(&round.changed, &round.lock);
    }
    (void)pthread_mutex_unlock(&round.lock);
    (void)pthread_cond_destroy(&round.changed);
    (void)pthread_mutex_destroy(&round.lock);
}

static struct status
check_listeners(const struct net_server *server, const struct config *config, struct diag *diag)
{
    const struct config_listener *listeners[NET_LISTENERS];
    terms_listeners(config, listeners);
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        TRY(listener_check_same(&server->listeners[i], listeners[i], diag));
    }
    return OK;
}

struct status
net_reload(struct net_server *server, const struct net_options *options, struct diag *diag)
{
    struct net_options now = *options;
    struct terms *terms = NULL;
    now.clock = server->clock;
    now.loop_threads = server->terms->options.loop_threads;
    now.handler = server->terms->options.handler;
    now.handler_arg = server->terms->options.handler_arg;
    TRY(check_listeners(server, options->config, diag));
    struct notice *notices = mem_alloc(server->loops_n * sizeof(*notices));
    if (notices == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to tell the loops of a reload");
    }
    const struct status st = terms_new(&now, server->terms->generation + 1, diag, &terms);
    if (is_ok(st)) {
        rate_set(server->failures, now.failures_per_minute,
                 60 * US_PER_S / (int64_t)now.failures_per_minute, clock_mono_us(server->clock));
        spread(server, notices, terms);
        terms_unref(server->terms);
        server->terms = terms;
    }
    mem_free(notices);
    return st;
}
