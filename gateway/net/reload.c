/*
 * net_reload: everything that can fail first (sockets for new addresses, TLS contexts), then each
 * loop gets a letter with a reference to the new terms and judges its connections again, and at
 * last the first loop takes the new listeners. Called by the program's entry (one thread); letters
 * are delivered on loops' threads. net_start opens its listeners by the same functions.
 */
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "net/parts.h"

/* ---- terms ---- */

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
begin_round(struct round *round, size_t n)
{
    round->left = n;
    (void)pthread_mutex_init(&round->lock, NULL);
    (void)pthread_cond_init(&round->changed, NULL);
}

/* Waits for all. */
static void
end_round(struct round *round)
{
    (void)pthread_mutex_lock(&round->lock);
    while (round->left > 0) {
        (void)pthread_cond_wait(&round->changed, &round->lock);
    }
    (void)pthread_mutex_unlock(&round->lock);
    (void)pthread_cond_destroy(&round->changed);
    (void)pthread_mutex_destroy(&round->lock);
}

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
    struct round round;
    begin_round(&round, server->loops_n);
    for (size_t i = 0; i < server->loops_n; i++) {
        notices[i] = (struct notice){{NULL, deliver_notice}, &server->loops[i], terms, &round};
        if (!mailbox_post(server->loops[i].mailbox, &notices[i].letter)) {
            tick_off(&round); /* it has ended, and its connections with it */
        }
    }
    end_round(&round);
}

/* ---- listeners ---- */

/* Closes what is new in <change>: a socket file that <from> still has must stay. */
void
listeners_abandon(struct net_server *server, struct listener_change *change)
{
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        if (change->now[i] != server->listeners[i]) {
            listener_free(change->now[i]);
        }
        change->now[i] = NULL;
    }
}

/* The listener that has the address now, NULL when nobody has. */
static struct listener *
holder_of(const struct net_server *server, const char *address)
{
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        if (server->listeners[i] != NULL && strcmp(server->listeners[i]->address, address) == 0) {
            return server->listeners[i];
        }
    }
    return NULL;
}

static struct status
prepare_one(struct net_server *server, enum net_listener kind, const struct net_options *options,
            struct diag *diag, struct listener **ret_listener)
{
    const struct config_listener *configured[NET_LISTENERS];
    struct listener *is = server->listeners[kind];
    terms_listeners(options->config, configured);
    if (!configured[kind]->is_set) {
        return OK;
    }
    TRY(listener_check(configured[kind], diag));
    const char *address = configured[kind]->address.text;
    if (is != NULL && strcmp(is->address, address) == 0) {
        *ret_listener = is;
        return OK;
    }
    struct listener *holder = holder_of(server, address);
    if (holder != NULL && configured[holder->kind]->is_set &&
        strcmp(configured[holder->kind]->address.text, address) == 0) {
        holder = NULL; /* it keeps it: then binding says what is wrong */
    }
    return listener_open(server, kind, options, holder, diag, ret_listener);
}

static struct status
prepare_all(struct net_server *server, const struct net_options *options, struct diag *diag,
            struct listener_change *change)
{
    size_t n = 0;
    TRY(inherited_check(options, diag));
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        TRY(prepare_one(server, (enum net_listener)i, options, diag, &change->now[i]));
        n += change->now[i] != NULL;
    }
    return n > 0 ? OK : FAIL(diag, ERR_CONFIG, "no listener is configured: expected at least one");
}

struct status
listeners_prepare(struct net_server *server, const struct net_options *options, struct diag *diag,
                  struct listener_change *ret_change)
{
    struct listener_change change = {{NULL}};
    const struct status st = prepare_all(server, options, diag, &change);
    if (!is_ok(st)) {
        listeners_abandon(server, &change);
        return st;
    }
    *ret_change = change;
    return OK;
}

/* The socket file of an address that goes from one listener to another goes with it. */
static void
pass_paths_on(struct net_server *server, struct listener_change *change)
{
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        struct listener *now = change->now[i];
        struct listener *from = now == NULL ? NULL : holder_of(server, now->address);
        const bool is_passed = from != NULL && change->now[from->kind] != from;
        if (is_passed && now->unix_path == NULL) {
            now->unix_path = from->unix_path;
            from->unix_path = NULL;
        }
    }
}

/* On the first loop's thread, or before it runs. New ones first: there is no moment in which nobody
 * listens. */
void
listeners_commit(struct net_server *server, struct listener_change *change)
{
    pass_paths_on(server, change);
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        if (change->now[i] != NULL && change->now[i] != server->listeners[i]) {
            listener_start(change->now[i]);
        }
    }
    for (size_t i = 0; i < NET_LISTENERS; i++) {
        struct listener *was = server->listeners[i];
        server->listeners[i] = change->now[i];
        server->ports[i] = change->now[i] == NULL ? 0 : change->now[i]->port;
        if (was != NULL && was != change->now[i]) {
            listener_accept_waiting(was);
            listener_stop(was);
            listener_free(was);
        }
    }
}

struct swap {
    struct letter letter; /* first member */
    struct net_server *server;
    struct listener_change *change;
    struct round *round;
};

static void
deliver_swap(struct letter *letter)
{
    struct swap *swap = (struct swap *)letter;
    listeners_commit(swap->server, swap->change);
    tick_off(swap->round);
}

/* After the terms: whoever is accepted by a new socket must find its context. */
static void
swap_listeners(struct net_server *server, struct listener_change *change)
{
    struct round round;
    begin_round(&round, 1);
    struct swap swap = {{NULL, deliver_swap}, server, change, &round};
    if (mailbox_post(server->loops[0].mailbox, &swap.letter)) {
        end_round(&round);
    } else { /* it has ended, and nothing will be accepted any more */
        round.left = 0;
        end_round(&round);
        listeners_abandon(server, change);
    }
}

static struct status
make_change(struct net_server *server, const struct net_options *now, struct diag *diag,
            struct listener_change *change, struct terms **ret_terms)
{
    TRY(listeners_prepare(server, now, diag, change));
    const struct status st = terms_new(now, server->terms->generation + 1, diag, ret_terms);
    if (!is_ok(st)) {
        listeners_abandon(server, change);
    }
    return st;
}

struct status
net_reload(struct net_server *server, const struct net_options *options, struct diag *diag)
{
    const struct net_options *before = &server->terms->options;
    struct net_options now = *options;
    struct listener_change change = {{NULL}};
    struct terms *terms = NULL;
    now.clock = server->clock;
    now.loop_threads = before->loop_threads;
    now.inherited = before->inherited;
    now.inherited_n = before->inherited_n;
    now.handler = before->handler;
    now.handler_arg = before->handler_arg;
    struct notice *notices = mem_alloc(server->loops_n * sizeof(*notices));
    if (notices == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to tell the loops of a reload");
    }
    const struct status st = make_change(server, &now, diag, &change, &terms);
    if (is_ok(st)) {
        rate_set(server->failures, now.failures_per_minute,
                 60 * US_PER_S / (int64_t)now.failures_per_minute, clock_mono_us(server->clock));
        spread(server, notices, terms);
        swap_listeners(server, &change);
        terms_unref(server->terms);
        server->terms = terms;
    }
    mem_free(notices);
    return st;
}
