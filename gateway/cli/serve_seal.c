/*
 * The sealer of a serving node: what it is told by the configuration that is in force, and with
 * which key it signs. The callbacks come on the sealer's thread, which holds a reference to the
 * generation as long as it uses it.
 */
#include <stdio.h>

#include "audit/ship_cursor.h"
#include "cli/audit_judge.h"
#include "cli/serve.h"

static void
read_settings(void *arg, struct sealer_settings *ret_settings)
{
    struct generation *generation = generation_current(arg);
    const struct config *config = generation->node.config;

    *ret_settings = (struct sealer_settings){
        .is_on = config->checkpoints.credential != NULL,
        .every_us = config->checkpoints.every_us,
        .records = config->checkpoints.records,
        .retention = {.keep_us = config->retention_us},
    };
    (void)snprintf(ret_settings->retention.archive, sizeof(ret_settings->retention.archive), "%s",
                   config->archive == NULL ? "" : config->archive);
    (void)snprintf(ret_settings->source_id, sizeof(ret_settings->source_id), "%s",
                   config->base_url == NULL ? "" : config->base_url);
    (void)snprintf(ret_settings->community, sizeof(ret_settings->community), "%s",
                   config->community);
    generation_unref(generation);
}

static struct status
sign(void *arg, struct span text, struct buf *certificate, char *algorithm, struct buf *signature,
     struct diag *diag)
{
    struct generation *generation = generation_current(arg);
    const struct credential *credential = generation->node.config->checkpoints.credential;
    const struct status st =
        credential == NULL
            ? FAIL(diag, ERR_CREDENTIAL, "audit.checkpoints was taken out of the configuration")
            : audit_judge_sign(credential, text, certificate, algorithm, signature, diag);

    generation_unref(generation);
    return st;
}

static bool
has_got(const struct config *config, const char *repository, const char *chain, uint64_t sequence)
{
    struct ship_cursor cursor = {.n = 0};
    struct diag ignored = {0};
    const struct ship_mark *mark = NULL;

    if (is_ok(ship_cursor_load(config->journal_dir, repository, &ignored, &cursor))) {
        mark = ship_cursor_of(&cursor, chain);
    }
    const bool has_it = mark != NULL && mark->sequence >= sequence;

    ship_cursor_done(&cursor);
    return has_it;
}

/* Every repository that is configured now has that record; one whose cursor cannot be read has
 * nothing. */
static bool
is_delivered(void *arg, const char *chain, uint64_t sequence)
{
    struct generation *generation = generation_current(arg);
    const struct config *config = generation->node.config;
    bool has_all = true;

    for (size_t i = 0; i < config->audit_repositories_n && has_all; i++) {
        has_all = has_got(config, config->audit_repositories[i].name, chain, sequence);
    }
    generation_unref(generation);
    return has_all;
}

struct status
serve_seal_start(struct serve *serve, struct diag *diag)
{
    const struct sealer_owner owner = {
        .arg = serve, .read = read_settings, .signer = {serve, sign}, .is_delivered = is_delivered};

    TRY(sealer_new(&serve->place, serve->journal, clock_system(), &owner, diag, &serve->sealer));
    return sealer_start(serve->sealer, diag);
}

void
serve_seal_stop(struct serve *serve)
{
    sealer_stop(serve->sealer);
    serve->sealer = NULL;
}
