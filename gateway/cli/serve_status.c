/*
 * Whether the certificates of partners that connect are still good: the status cache, the feed of
 * revocation lists, and the fetcher that asks for both. They are there only when the configuration
 * wants somebody asked. Main thread; the questions come from net/'s loop threads.
 */
#include "cli/serve.h"
#include "out/fetch.h"

static bool
is_wanted(const struct config *config)
{
    const struct config_trust *trust = config_trust_of(config, config->network.trust);

    return config->network.is_set && trust != NULL && trust->status.mode != STATUS_OFF;
}

static struct status_options
options_of(const struct serve *serve, const struct config *config)
{
    return (struct status_options){
        .settings = config_trust_of(config, config->network.trust)->status,
        .trust = config->network.trust,
        .skew_us = config->clock_skew_us,
        .clock = clock_system(),
        .fetch = serve->fetch,
    };
}

static struct status
configure_feed(struct serve *serve, const struct config *config, struct diag *diag)
{
    if (serve->feed == NULL && config_fetches_crl(config)) {
        TRY(crl_feed_new(serve->fetch, clock_system(), diag, &serve->feed));
    }
    return serve->feed == NULL ? OK : crl_feed_configure(serve->feed, config, diag);
}

struct status
serve_status_configure(struct serve *serve, const struct config *config, struct diag *diag)
{
    if (serve->fetch == NULL && (is_wanted(config) || config_fetches_crl(config))) {
        TRY(fetcher_start(diag, &serve->fetch));
    }
    TRY(configure_feed(serve, config, diag));
    if (!is_wanted(config)) {
        return OK;
    }
    const struct status_options options = options_of(serve, config);

    return serve->status == NULL ? status_cache_new(&options, diag, &serve->status)
                                 : status_cache_configure(serve->status, &options, diag);
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
    crl_feed_free(serve->feed);
    fetcher_free(serve->fetch);
}
