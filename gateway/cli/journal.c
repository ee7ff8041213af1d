/*
 * The end of a command's chain: what it wrote is signed for at once, because the command does not
 * come back. Called by the asking commands and by `isthmus audit`, on the program's thread.
 */
#include "cli/journal.h"

#include "audit/seal.h"
#include "base/log.h"
#include "cli/audit_judge.h"

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
