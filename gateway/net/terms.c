/*
 * What a configuration says, for connections: limits and TLS contexts. Made by net_start and
 * net_reload on their caller's thread, then immutable and shared by the loops.
 */
#include <assert.h>

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
        terms->is_set[i] = listeners[i]->is_set;
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
