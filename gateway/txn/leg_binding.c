/*
 * What an answer may name: communities that the partner speaks for, and nobody else's. Called while
 * a leg's answer is read, on a worker. What is not used is counted, told to the user and recorded;
 * the texts hold OIDs and labels of ours only.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/ids.h"
#include "txn/asking.h"

void
leg_drop(const struct asking *asking, struct leg *leg, const char *format, ...)
{
    va_list arguments;

    leg->dropped++;
    if (leg->dropped > 1) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(leg->dropped_why, sizeof(leg->dropped_why), format, arguments);
    va_end(arguments);
    LOG_EVENT(LOG_LEVEL_WARNING, "answer-dropped", LOG_ID("txn", asking->txn.id),
              LOG_ID("action", soap_transaction(leg->transaction)->name),
              LOG_ID("partner", leg->partner->id), LOG_ID("why", leg->dropped_why));
}

static void
drop_foreign(const struct asking *asking, struct leg *leg, struct span oid)
{
    const struct config *config = asking->node->config;
    const struct partner *owner = config_partner_of_community(config, oid);

    leg->dropped_foreign++;
    if (span_eq_cstr(oid, config->community)) {
        leg_drop(asking, leg, "named community %.*s, which is our own", SPAN_PRINT(oid));
    } else if (owner != NULL) {
        leg_drop(asking, leg, "named community %.*s, which is listed under partner '%s'",
                 SPAN_PRINT(oid), owner->id);
    } else {
        leg_drop(asking, leg, "named community %.*s, which no partner's file lists",
                 SPAN_PRINT(oid));
    }
}

bool
leg_may_name(const struct asking *asking, struct leg *leg, struct span home)
{
    struct span oid;

    if (!home_community_oid(home, &oid)) {
        leg_drop(asking, leg, "named no homeCommunityId");
        return false;
    }
    if (!partner_speaks_for(leg->partner, oid)) {
        drop_foreign(asking, leg, oid);
        return false;
    }
    return true;
}

static const struct leg_repository *
find_repository(const struct leg *leg, struct span id)
{
    for (size_t i = 0; i < leg->repositories.n; i++) {
        if (span_eq(leg->repositories.items[i].id, id)) {
            return &leg->repositories.items[i];
        }
    }
    return NULL;
}

/* As an answer of this round named it, the leg's own first; NULL: none did. */
static const struct leg_repository *
find_named(const struct asking *asking, const struct leg *leg, struct span id)
{
    const struct leg_list *legs = &asking->legs[asking->round];
    const struct leg_repository *found = find_repository(leg, id);

    for (size_t i = 0; i < legs->n && found == NULL; i++) {
        found = find_repository(&legs->items[i], id);
    }
    return found;
}

struct status
leg_take_repository(const struct asking *asking, struct leg *leg, struct span repository,
                    struct span home, bool *ret_may)
{
    const struct leg_repository *named = find_named(asking, leg, repository);
    const struct leg_repository own = {repository, home};

    *ret_may = false;
    if (span_eq_cstr(repository, asking->node->config->repository)) {
        leg_drop(asking, leg, "named our own repository %.*s as one of community %.*s",
                 SPAN_PRINT(repository), SPAN_PRINT(home));
        return OK;
    }
    if (named != NULL && !span_eq(named->home, home)) {
        leg_drop(asking, leg, "named repository %.*s as one of community %.*s, not of %.*s",
                 SPAN_PRINT(span_slice(repository, 0, OID_TEXT)), SPAN_PRINT(home),
                 SPAN_PRINT(named->home));
        return OK;
    }
    if (find_repository(leg, repository) == NULL) {
        if (leg->repositories.n == LEG_REPOSITORIES_MAX) {
            leg_drop(asking, leg, "named more than %zu repositories", LEG_REPOSITORIES_MAX);
            return OK;
        }
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->repositories, own));
    }
    *ret_may = true;
    return OK;
}
