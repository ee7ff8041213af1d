/*
 * What an answer may name: communities that the partner speaks for, and nobody else's. Called while
 * a leg's answer is read, on a worker. What is not used is counted, told to the user and recorded;
 * the texts hold OIDs and labels of ours only.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "txn/withheld.h"

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
    if (config_is_own_community(config, oid)) {
        leg_drop(asking, leg, "named community %.*s, which is our own", SPAN_PRINT(oid));
    } else if (owner != NULL) {
        leg_drop(asking, leg, "named community %.*s, which is listed under partner '%s'",
                 SPAN_PRINT(oid), owner->id);
    } else {
        leg_drop(asking, leg, "named community %.*s, which no partner's file lists",
                 SPAN_PRINT(oid));
    }
}

/* REQ: MERGE-only-own */
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

/* A document of a repository that is the <owner>'s. */
static void
drop_moved(const struct asking *asking, struct leg *leg, const struct leg_repository *repository,
           struct span owner)
{
    leg_drop(asking, leg, "named repository %.*s as one of community %.*s, not of %.*s",
             SPAN_PRINT(span_slice(repository->id, 0, OID_TEXT)), SPAN_PRINT(repository->home),
             SPAN_PRINT(owner));
}

/* Ours, or that of a source which is not the one that answers. */
static bool
is_own_repository(const struct config *config, const struct partner *partner,
                  struct span repository)
{
    const struct config_source *source = config_source_of_repository(config, repository);

    return span_eq_cstr(repository, config->repository) ||
           (source != NULL && source->partner != partner);
}

struct status
leg_take_repository(const struct asking *asking, struct leg *leg, struct span repository,
                    struct span home, bool *ret_may)
{
    const struct leg_repository *named = find_repository(leg, repository);
    const struct leg_repository own = {.id = repository, .home = home};

    *ret_may = false;
    if (is_own_repository(asking->node->config, leg->partner, repository)) {
        leg_drop(asking, leg, "named our own repository %.*s as one of community %.*s",
                 SPAN_PRINT(repository), SPAN_PRINT(home));
        return OK;
    }
    if (named != NULL && !span_eq(named->home, home)) {
        drop_moved(asking, leg, &own, named->home);
        return OK;
    }
    if (named == NULL) {
        if (leg->repositories.n == LEG_REPOSITORIES_MAX) {
            leg_drop(asking, leg, "named more than %zu repositories", LEG_REPOSITORIES_MAX);
            return OK;
        }
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->repositories, own));
    }
    *ret_may = true;
    return OK;
}

/* ---- when all are here ---- */

/* A repository as a leg of the plan named it. */
struct naming {
    struct leg *leg;
    struct leg_repository *repository;
};
struct naming_list {
    struct naming *items;
    size_t n, capacity;
};

static int
compare_namings(const void *a, const void *b)
{
    const struct naming *one = a, *other = b;
    const int order = span_compare(one->repository->id, other->repository->id);

    return order != 0 ? order : one->leg < other->leg ? -1 : one->leg > other->leg ? 1 : 0;
}

static struct status
list_namings(struct asking *asking, struct naming_list *namings)
{
    struct leg_list *legs = &asking->legs[asking->round];

    for (size_t i = 0; i < legs->n; i++) {
        struct leg *leg = &legs->items[i];

        for (size_t r = 0; leg->state == LEG_ANSWERED && r < leg->repositories.n; r++) {
            const struct naming naming = {leg, &leg->repositories.items[r]};

            TRY(ARENA_PUSH(asking->txn.arena, &asking->txn.diag, namings, naming));
        }
    }
    return OK;
}

/* The documents of a repository that is another's. */
static struct status
drop_documents(const struct asking *asking, struct leg *leg,
               const struct leg_repository *repository, struct span owner)
{
    size_t kept = 0;

    for (size_t i = 0; i < leg->objects.documents.n; i++) {
        if (span_eq(leg->objects.documents.items[i].repository, repository->id)) {
            drop_moved(asking, leg, repository, owner);
            TRY(withheld_add_document(&leg->withheld, &leg->objects.documents.items[i], leg->arena,
                                      &leg->diag));
        } else {
            leg->objects.documents.items[kept++] = leg->objects.documents.items[i];
        }
    }
    leg->objects.documents.n = kept;
    return OK;
}

void
leg_tell_dropped(struct leg *leg)
{
    if (leg->state == LEG_ANSWERED && leg->dropped > 0 && leg->diag.code == ERR_NONE) {
        (void)FAIL(&leg->diag, ERR_PARTNER_ANSWER, "%u item%s of the answer of %s dropped: %s%s",
                   leg->dropped, leg->dropped == 1 ? "" : "s", leg->partner->id, leg->dropped_why,
                   leg->dropped == 1 ? "" : " (the first)");
    }
}

struct status
legs_settle(struct asking *asking)
{
    struct leg_list *legs = &asking->legs[asking->round];
    struct naming_list namings = {0};
    size_t first = 0;

    TRY(list_namings(asking, &namings));
    if (namings.n > 1) {
        qsort(namings.items, namings.n, sizeof(namings.items[0]), compare_namings);
    }
    for (size_t i = 1; i < namings.n; i++) {
        const struct leg_repository *owner = namings.items[first].repository;
        const struct naming *naming = &namings.items[i];

        if (!span_eq(owner->id, naming->repository->id)) {
            first = i;
        } else if (!span_eq(owner->home, naming->repository->home)) {
            TRY(drop_documents(asking, naming->leg, naming->repository, owner->home));
        }
    }
    for (size_t i = 0; i < legs->n; i++) {
        struct leg *leg = &legs->items[i];

        if (leg->state == LEG_ANSWERED && leg->withheld.n > 0) {
            TRY(withheld_take_along(&leg->withheld, leg->arena, &leg->diag, &leg->objects));
        }
        leg_tell_dropped(leg);
    }
    return OK;
}
