/*
 * Whom a community returned: is it the person who was asked for? Called while a leg's answer is
 * read, on a worker. Names, birth dates and sexes are compared by the rules of store/match.h; what
 * contradicts is set aside, told to the user and recorded, and nothing goes on with it. The texts
 * name rules, never what was asked or answered.
 */
#include "store/match.h"
#include "txn/behind.h"

static struct status
compare(const struct asking *asking, struct leg *leg, const struct xcpd_match *match,
        enum match_rule *ret_rule)
{
    struct match_person asked, answered;

    struct arena *arena = leg->reading != NULL ? leg->reading : leg->arena;

    TRY(match_prepare_question(&asking->order.who, NULL, arena, &leg->diag, &asked));
    TRY(match_prepare(&match->patient, NULL, arena, &leg->diag, &answered));
    *ret_rule = match_returned(&asked, &answered);
    return OK;
}

/* REQ: ITI55-returned-compared, DOWN-returned-compared */
struct status
leg_take_match(const struct asking *asking, struct leg *leg, const struct xcpd_match *match)
{
    struct leg_quarantined quarantined = {.match = *match};

    if (!behind_may_show(asking, leg, match->home)) {
        leg->is_cut = true;
        return OK;
    }
    if (match_is_too_much(&match->patient)) {
        leg_drop(asking, leg, "returned a person with more than %d names, ids or addresses",
                 MATCH_ITEMS_MAX);
        return OK;
    }
    TRY(compare(asking, leg, match, &quarantined.rule));
    if (!match_rule_contradicts(quarantined.rule)) {
        return ARENA_PUSH(leg->arena, &leg->diag, &leg->matches, *match);
    }
    leg_drop(asking, leg, "returned somebody else than was asked for: %s",
             match_rule_text(quarantined.rule));
    return ARENA_PUSH(leg->arena, &leg->diag, &leg->quarantined, quarantined);
}
