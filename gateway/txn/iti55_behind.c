/*
 * See iti55_behind.h. On workers; lists live in the transaction's arena, texts in the asking's.
 */
#include "txn/iti55_behind.h"

#include "txn/behind.h"

/* What was asked with a minimum is not given below it. */
static bool
is_close_enough(const struct xcpd_query *query, const struct xcpd_match *match)
{
    return match->degree < 0 || match->degree >= (int)query->minimum_degree;
}

static struct status
add_match(struct inbound *in, const struct xcpd_match *match, struct xcpd_answer *answer)
{
    struct txn *txn = &in->txn;
    struct diag ignored = {0}; /* an id that CX cannot write is no reason to keep the answer */
    struct span cx;

    if (is_ok(ident_write_cx(txn->arena, &match->patient.ids.items[0], &ignored, &cx))) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->outcomes[0].patients, cx));
    }
    return ARENA_PUSH(txn->arena, &txn->diag, &answer->matches, *match);
}

static struct status
add_issues(struct inbound *in, const struct span_list *issues, struct xcpd_answer *answer)
{
    for (size_t i = 0; i < issues->n; i++) {
        bool is_there = false;

        for (size_t k = 0; k < answer->issues.n; k++) {
            is_there |= span_eq(answer->issues.items[k], issues->items[i]);
        }
        if (!is_there) {
            TRY(ARENA_PUSH(in->txn.arena, &in->txn.diag, &answer->issues, issues->items[i]));
        }
    }
    return OK;
}

/* REQ: DOWN-partial */
/* An answer may be kept as long as each that it is made of. */
static void
shorten_keeping(struct inbound *in)
{
    const struct leg_list *legs = &in->brokered->awaited.asking->legs[0];

    for (size_t i = 0; i < legs->n; i++) {
        const struct leg *leg = &legs->items[i];
        const int64_t kept_us =
            leg->state == LEG_ANSWERED && leg->diag.code == ERR_NONE ? leg->kept_us : 0;

        if (leg_is_behind(leg) && kept_us < in->may_keep_us) {
            in->may_keep_us = kept_us;
        }
    }
}

/* Nobody is found, and somebody could be told from others. */
static bool
may_ask_for_more(const struct inbound *in, const struct xcpd_answer *merged,
                 const struct xcpd_answer *answer)
{
    return merged->result == XCPD_AMBIGUOUS && merged->issues.n > 0 && answer->matches.n == 0 &&
           in->individual == NULL && in->node->config->discovery.several != CONFIG_SEVERAL_NONE;
}

/* REQ: DOWN-one-match, DOWN-ids-unchanged */
struct status
iti55_add_behind(struct inbound *in, const struct xcpd_query *query, struct xcpd_answer *answer)
{
    struct registry_error_list errors = {0};
    struct xcpd_answer merged = {.result = XCPD_NONE};

    TRY(merge_discovery(asking_merged(in->brokered->awaited.asking), &in->txn.diag, &merged,
                        &errors));
    for (size_t i = 0; i < merged.matches.n; i++) {
        if (is_close_enough(query, &merged.matches.items[i])) {
            TRY(add_match(in, &merged.matches.items[i], answer));
        }
    }
    if (answer->matches.n > 0) {
        answer->result = XCPD_MATCH;
        answer->issues = (struct span_list){0};
    } else if (may_ask_for_more(in, &merged, answer)) {
        answer->result = XCPD_AMBIGUOUS;
        TRY(add_issues(in, &merged.issues, answer));
    }
    shorten_keeping(in);
    return OK;
}
