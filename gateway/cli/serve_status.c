/*
 * Whether the certificates of partners that connect are still good: the status cache, and the
 * fetcher that asks responders for it. Both are there only when the configuration wants somebody
 * asked. Main thread; the questions come from net/'s loop threads.
 */
#include "cli/serve.h"
#include "out/fetch.h"

static const struct config_trust *
trust_of(const struct config *config, const struct trust *trust)
{
    for (size_t i = 0; i < config->trusts_n; i++) {
        if (config->trusts[i].trust == trust) {
            return &config->trusts[i];
        }
    }
    return NULL;
}

static bool
is_wanted(const struct config *config)
{
    const struct config_trust *trust = trust_of(config, config->network.trust);

    return config->network.is_set && trust != NULL && trust->status.mode != STATUS_OFF;
}

static struct status_options
options_of(const struct serve *serve, const struct config *config)
{
    return (struct status_options){
        .settings = trust_of(config, config->network.trust)->status,
        .trust = config->network.trust,
        .skew_us = config->clock_skew_us,
        .clock = clock_system(),
        .fetch = serve->fetch,
    };
}

static struct status
start(struct serve *serve, const struct config *config, struct diag *diag)
{
    if (serve->fetch == NULL) {
        TRY(fetcher_start(diag, &serve->fetch));
    }
    const struct status_options options = options_of(serve, config);

    return status_cache_new(&options, diag, &serve->status);
}

struct status
serve_status_configure(struct serve *serve, const struct config *config, struct diag *diag)
{
    if (!is_wanted(config)) {
        return OK;
    }
    if (serve->status == NULL) {
        return start(serve, config, diag);
    }
    const struct status_options options = options_of(serve, config);

    return status_cache_configure(serve->status, &options, diag);
}

struct peer_status_source *
serve_status_source(const struct serve *serve, const struct config *config)
{
    return is_wanted(config) ? status_cache_source(serve->status) : NULL;
}

/* The cache owes answers until the fetcher has given it those that it waits for. */
void
serve_status_done(struct serve *serve)
{
    fetcher_stop(serve->fetch);
    status_cache_free(serve->status);
    fetcher_free(serve->fetch);
}
