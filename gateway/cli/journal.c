/*
 * The journal as the configuration wants it, what an earlier process left to be said, and the end
 * of a command's chain: what it wrote is signed for at once, because the command does not come
 * back. Called by serve and by the commands, on the program's thread.
 */
#include "cli/journal.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit/seal.h"
#include "base/datetime.h"
#include "base/log.h"
#include "cli/audit_judge.h"

struct status
cli_journal_rules(struct journal *journal, const struct config *config, bool keeps_reserve,
                  struct diag *diag)
{
    const struct journal_rules rules = {
        .is_degrading = config->audit.is_degrading,
        .keeps_reserve = keeps_reserve,
        .wait_us = config->audit.wait_us,
        .disk_limit_percent = config->audit.disk_limit_percent,
    };

    return journal_set_rules(journal, &rules, diag);
}

struct status
cli_journal_open(const struct config *config, struct diag *diag, struct journal **ret_journal)
{
    const struct journal_place place = cli_journal_place(config);
    struct journal *journal = NULL;

    TRY(journal_open_free(&place, "cli", clock_system(), diag, &journal));
    const struct status st = cli_journal_rules(journal, config, false, diag);
    if (!is_ok(st)) {
        journal_close(journal);
        return st;
    }
    *ret_journal = journal;
    return OK;
}

struct status
cli_journal_missing(struct journal *journal, const struct config *config, struct diag *diag,
                    uint64_t *ret_n)
{
    struct journal_missing missing;
    char first[DATETIME_MAX], last[DATETIME_MAX], text[256];

    *ret_n = 0;
    if (!journal_missing_before(journal, &missing)) {
        return OK;
    }
    datetime_write_xs(missing.first_us, first);
    datetime_write_xs(missing.last_us, last);
    snprintf(text, sizeof(text),
             "%" PRIu64 " records from %s to %s could not be written; the node went on without "
             "them (audit.on_unavailable: degrade)",
             missing.n, first, last);
    const struct audit_event event = {
        .type = AUDIT_RECORDS_MISSING,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = AUDIT_MAJOR,
        .outcome_text = span_of_cstr(text),
        .source_id = config->base_url == NULL ? SPAN_EMPTY : span_of_cstr(config->base_url),
        .community = span_of_cstr(config->community),
    };

    TRY(journal_append_wait(journal, &event, diag));
    TRY(journal_forget_missing(journal, diag));
    *ret_n = missing.n;
    return OK;
}

static struct status
sign(void *arg, struct span text, struct buf *certificate, char *algorithm, struct buf *signature,
     struct diag *diag)
{
    return audit_judge_sign(arg, text, certificate, algorithm, signature, diag);
}

static struct status
seal(struct journal *journal, const struct journal_place *place,
     const struct credential *credential, struct diag *diag)
{
    struct seal *opened = NULL;
    const struct seal_options options = {
        .clock = clock_system(), .signer = {(void *)(uintptr_t)credential /* only read */, sign}};
    TRY(seal_open(place, journal, &options, diag, &opened));
    struct status st = seal_follow(opened, diag);
    if (is_ok(st)) {
        st = seal_sign(opened, diag);
    }
    seal_close(opened);
    return st;
}

void
cli_journal_close(struct journal *journal, const struct journal_place *place,
                  const struct credential *credential)
{
    struct diag diag = {0};
    if (journal != NULL && credential != NULL && journal_is_healthy(journal) &&
        !is_ok(seal(journal, place, credential, &diag))) {
        LOG_EVENT(LOG_LEVEL_WARNING, "checkpoint-failed", LOG_ID("chain", journal_chain(journal)),
                  LOG_DIAG(&diag));
    }
    journal_close(journal);
}
