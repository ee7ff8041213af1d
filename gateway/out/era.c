/*
 * One configuration in the engine: a pool for each of its partners and sources. The newest one is
 * always there; an older one as long as an exchange uses it. Made on any thread (out_start,
 * out_reload), everything else on the engine's.
 */
#include "base/mem.h"
#include "out/parts.h"

static struct status
make_pools(struct era *era, struct diag *diag)
{
    const struct config *config = era->config;
    struct engine *engine = era->engine;
    era->pools = mem_alloc(config->reached_n * sizeof(*era->pools));
    if (era->pools == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu partners and sources",
                    config->reached_n);
    }
    (void)pthread_mutex_lock(&engine->lock);
    bool has_all = true;
    for (size_t i = 0; i < config->reached_n; i++) {
        struct health *health = health_ref(engine, config->partners[i].id);
        era->pools[i] = (struct pool){
            .era = era, .engine = engine, .partner = &config->partners[i], .health = health};
        has_all = has_all && health != NULL;
    }
    (void)pthread_mutex_unlock(&engine->lock);
    return has_all ? OK
                   : FAIL(diag, ERR_NO_MEMORY, "no memory for %zu partners and sources",
                          config->reached_n);
}

static struct status
fill(struct era *era, struct diag *diag)
{
    const struct config *config = era->config;
    if (config->partners_n > 0 && (config->node == NULL || config->partner_trust == NULL)) {
        return FAIL(diag, ERR_CONFIG,
                    "%zu partners, but no credential of this node or no trust for partners",
                    config->partners_n);
    }
    if (server_status_is_wanted(config)) {
        struct engine *engine = era->engine;
        (void)pthread_mutex_lock(&engine->lock);
        era->status = engine->status;
        (void)pthread_mutex_unlock(&engine->lock);
        if (era->status == NULL) {
            return FAIL(diag, ERR_CONFIG,
                        "a configuration that the outbound engine was not told "
                        "of wants OCSP answers");
        }
    }
    return make_pools(era, diag);
}

struct status
era_new(struct engine *engine, const struct config *config, struct diag *diag, struct era **ret_era)
{
    struct era *era = mem_alloc(sizeof(*era));
    if (era == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a configuration");
    }
    era->letter.deliver = era_deliver;
    era->engine = engine;
    era->config = config_ref(config);
    const struct status st = fill(era, diag);
    if (!is_ok(st)) {
        era_free(era);
        return st;
    }
    *ret_era = era;
    return OK;
}

void
era_free(struct era *era)
{
    if (era == NULL) {
        return;
    }
    struct engine *engine = era->engine;
    for (size_t i = 0; era->pools != NULL && i < era->config->reached_n; i++) {
        pool_close(&era->pools[i]);
    }
    (void)pthread_mutex_lock(&engine->lock);
    for (size_t i = 0; era->pools != NULL && i < era->config->reached_n; i++) {
        health_unref(engine, era->pools[i].health);
    }
    (void)pthread_mutex_unlock(&engine->lock);
    mem_free(era->pools);
    config_unref(era->config);
    mem_free(era);
}

/* Behind the newest: one that is on its way, or one that is used once more. */
struct status
era_of(struct engine *engine, const struct config *config, struct diag *diag, struct era **ret_era)
{
    struct era *era = engine->eras;
    while (era != NULL && era->config != config) {
        era = era->next;
    }
    if (era == NULL) {
        TRY(era_new(engine, config, diag, &era));
        struct era **link = engine->eras == NULL ? &engine->eras : &engine->eras->next;
        era->next = *link;
        *link = era;
    }
    *ret_era = era;
    return OK;
}

/* If a question came before with that configuration, there are two of it from now on: the older one
 * ends with its exchanges. */
void
era_deliver(struct letter *letter)
{
    struct era *era = (struct era *)letter;
    struct engine *engine = era->engine;
    era->next = engine->eras;
    engine->eras = era;
    event_active(engine->sweep_event, EV_TIMEOUT, 0);
}

void
era_sweep(struct engine *engine)
{
    struct era **link = engine->eras == NULL ? &engine->eras : &engine->eras->next;
    while (*link != NULL) {
        struct era *era = *link;
        if (era->transfers > 0) {
            link = &era->next;
            continue;
        }
        *link = era->next;
        era_free(era);
    }
}
