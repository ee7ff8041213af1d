/*
 * The merge of ITI-55: one match for each community that knows the patient. Called by whoever
 * started the asking, when it is over; owns nothing.
 */
#include <stdlib.h>

#include "base/ids.h"
#include "base/mem.h"
#include "txn/merge_parts.h"

struct chooser {
    struct merge_errors errors;
    struct merge_item_list candidates; /* by community (bare OID), then by the plan */
    bool is_ambiguous;
    struct xcpd_answer answer;
};

static const struct xcpd_match *
match_of(const struct chooser *chooser, const struct merge_item *item)
{
    return &chooser->errors.merge->legs[item->at].matches.items[item->index];
}

static struct status
list_candidates(struct chooser *chooser, size_t at)
{
    const struct merge *merge = chooser->errors.merge;
    const struct leg *leg = &merge->legs[at];

    for (size_t i = 0; i < leg->matches.n; i++) {
        struct merge_item item = {.keys = {leg->community}, .at = at, .index = i};
        struct span oid;

        if (leg->matches.items[i].patient.ids.n == 0) {
            continue;
        }
        if (home_community_oid(leg->matches.items[i].home, &oid)) {
            item.keys[0] = oid;
        }
        TRY(ARENA_PUSH(merge->arena, chooser->errors.diag, &chooser->candidates, item));
    }
    return OK;
}

static bool
is_same_patient(const struct xcpd_match *a, const struct xcpd_match *b)
{
    return ident_eq(&a->patient.ids.items[0], &b->patient.ids.items[0]);
}

/* Of the candidates from <from> to <end>, all of one community: the one that matches best, or none
 * when two patients match equally well: which of them is meant is not ours to guess. */
static void
choose(struct chooser *chooser, size_t from, size_t end)
{
    struct merge_item *items = chooser->candidates.items;
    size_t best = from;
    bool is_tied = false;

    for (size_t i = from + 1; i < end; i++) {
        const struct xcpd_match *match = match_of(chooser, &items[i]);
        const struct xcpd_match *leader = match_of(chooser, &items[best]);

        if (match->degree > leader->degree) {
            best = i;
            is_tied = false;
        } else if (match->degree == leader->degree && !is_same_patient(match, leader)) {
            is_tied = true;
        }
    }
    items[best].is_used = !is_tied;
    chooser->is_ambiguous = chooser->is_ambiguous || is_tied;
}

static void
choose_all(struct chooser *chooser)
{
    const struct merge_item_list *list = &chooser->candidates;
    size_t from = 0;

    merge_sort(&chooser->candidates);
    for (size_t i = 1; i <= list->n; i++) {
        if (i == list->n || !merge_same_keys(&list->items[from], &list->items[i])) {
            choose(chooser, from, i);
            from = i;
        }
    }
}

static struct status
give_matches(struct chooser *chooser)
{
    const struct merge *merge = chooser->errors.merge;

    for (size_t i = 0; i < chooser->candidates.n; i++) {
        const struct merge_item *item = &chooser->candidates.items[i];
        struct xcpd_match match;

        if (item->is_used) {
            match = *match_of(chooser, item);
            match.home = item->keys[0];
            TRY(ARENA_PUSH(merge->arena, chooser->errors.diag, &chooser->answer.matches, match));
        }
    }
    return OK;
}

static struct status
add_issue(struct chooser *chooser, struct span issue)
{
    struct span_list *issues = &chooser->answer.issues;

    for (size_t i = 0; i < issues->n; i++) {
        if (span_eq(issues->items[i], issue)) {
            return OK;
        }
    }
    return ARENA_PUSH(chooser->errors.merge->arena, chooser->errors.diag, issues, issue);
}

static struct status
take_leg(struct chooser *chooser, size_t at)
{
    struct merge_errors *errors = &chooser->errors;
    const struct leg *leg = &errors->merge->legs[at];
    struct span code, context;

    if (!merge_is_usable(errors->merge, at)) {
        merge_failure(errors->merge, at, &code, &context);
        return merge_add_error(errors, code, context, leg->community, SPAN_EMPTY,
                               leg->abandoned == LEG_ABANDONED_ENOUGH);
    }
    errors->answered++;
    chooser->is_ambiguous = chooser->is_ambiguous || leg->result == XCPD_AMBIGUOUS;
    TRY(list_candidates(chooser, at));
    return merge_add_dropped(errors, leg);
}

/* What would help, when nobody is found: as the communities say it. */
static struct status
add_issues(struct chooser *chooser)
{
    const struct merge *merge = chooser->errors.merge;

    for (size_t at = 0; at < merge->progress.legs; at++) {
        const struct span_list *issues = &merge->legs[at].issues;

        for (size_t i = 0; merge_is_usable(merge, at) && i < issues->n; i++) {
            TRY(add_issue(chooser, issues->items[i]));
        }
    }
    return OK;
}

static struct status
decide(struct chooser *chooser)
{
    struct xcpd_answer *answer = &chooser->answer;

    if (answer->matches.n > 0) {
        answer->result = XCPD_MATCH;
    } else if (chooser->is_ambiguous) {
        answer->result = XCPD_AMBIGUOUS;
        return add_issues(chooser);
    } else if (chooser->errors.answered > 0) {
        answer->result = XCPD_NONE;
    } else {
        answer->result = XCPD_ERROR;
        return add_issue(chooser, SPAN("AnswerNotAvailable"));
    }
    return OK;
}

struct status
merge_discovery(struct merge *merge, struct diag *diag, struct xcpd_answer *ret_answer,
                struct registry_error_list *ret_errors)
{
    struct chooser chooser = {.errors = {.merge = merge, .diag = diag}};

    for (size_t at = 0; at < merge->progress.legs; at++) {
        TRY(take_leg(&chooser, at));
    }
    choose_all(&chooser);
    TRY(give_matches(&chooser));
    TRY(decide(&chooser));
    *ret_answer = chooser.answer;
    *ret_errors = chooser.errors.list;
    return OK;
}

/* ---- ITI-47 ---- */

/* REQ: ITI47-communities */
static struct status
give_everybody(struct chooser *chooser)
{
    const struct merge *merge = chooser->errors.merge;
    const struct merge_item_list *list = &chooser->candidates;

    for (size_t i = 0; i < list->n; i++) {
        struct xcpd_match match = *match_of(chooser, &list->items[i]);
        bool is_there = false;

        match.home = list->items[i].keys[0];
        for (size_t k = 0; k < i && !is_there; k++) {
            is_there = merge_same_keys(&list->items[k], &list->items[i]) &&
                       is_same_patient(match_of(chooser, &list->items[k]), &match);
        }
        if (!is_there) {
            TRY(ARENA_PUSH(merge->arena, chooser->errors.diag, &chooser->answer.matches, match));
        }
    }
    return OK;
}

struct status
merge_people(struct merge *merge, struct diag *diag, struct xcpd_answer *ret_answer,
             struct registry_error_list *ret_errors)
{
    struct chooser chooser = {.errors = {.merge = merge, .diag = diag}};

    for (size_t at = 0; at < merge->progress.legs; at++) {
        TRY(take_leg(&chooser, at));
    }
    TRY(give_everybody(&chooser));
    chooser.is_ambiguous = false;
    TRY(decide(&chooser));
    *ret_answer = chooser.answer;
    *ret_errors = chooser.errors.list;
    return OK;
}
