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
