/*
 * See awaited.h. Called by the steps of local.c and brokered.c; the asking is freed here.
 */
#include "txn/awaited.h"

void
awaited_init(struct awaited *awaited, struct inbound *in)
{
    *awaited = (struct awaited){.in = in};
    pthread_mutex_init(&awaited->lock, NULL);
}

static void
free_asking(struct awaited *awaited)
{
    struct asking *asking;

    pthread_mutex_lock(&awaited->lock);
    asking = awaited->asking;
    awaited->asking = NULL;
    pthread_mutex_unlock(&awaited->lock);
    asking_free(asking);
}

void
awaited_done(struct awaited *awaited)
{
    free_asking(awaited);
    pthread_mutex_destroy(&awaited->lock);
}

static void
note_end(void *arg, struct asking *asking)
{
    struct awaited *awaited = arg;

    (void)asking;
    pthread_mutex_lock(&awaited->lock);
    awaited->is_ended = true;
    pthread_mutex_unlock(&awaited->lock);
    park_wake(&awaited->in->txn.park);
}

void
awaited_note_gone(struct awaited *awaited)
{
    pthread_mutex_lock(&awaited->lock);
    awaited->is_gone = true;
    if (awaited->asking != NULL && !awaited->is_ended) {
        asking_cancel(awaited->asking);
    }
    pthread_mutex_unlock(&awaited->lock);
}

static struct status
fail_abandoned(struct awaited *awaited)
{
    return FAIL(&awaited->in->txn.diag, ERR_CANCELLED, "the local system closed its connection");
}

/* The wake of its end is due when this succeeds. */
static struct status
start(struct awaited *awaited, const struct asking_order *order)
{
    struct txn *txn = &awaited->in->txn;
    struct asking *asking;
    struct status st = OK;

    TRY(asking_new(awaited->in->node, order, note_end, awaited, &txn->diag, &asking));
    txn_expect(txn);
    pthread_mutex_lock(&awaited->lock);
    if (awaited->is_gone) {
        st = fail_abandoned(awaited);
    } else {
        awaited->asking = asking;
        asking_run(asking);
    }
    pthread_mutex_unlock(&awaited->lock);
    if (!is_ok(st)) {
        txn_unexpect(txn);
        asking_free(asking);
    }
    return st;
}

enum txn_verdict
awaited_ask(struct awaited *awaited, const struct asking_order *order)
{
    struct txn *txn = &awaited->in->txn;

    if (!awaited->has_asked) {
        awaited->has_asked = true;
        TXN_TRY(start(awaited, order));
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (awaited->asking->txn.diag.code != ERR_NONE) {
        (void)FAIL(&txn->diag, awaited->asking->txn.diag.code, "%s",
                   awaited->asking->txn.diag.text);
        return TXN_FAILED;
    }
    return TXN_DONE;
}

enum txn_verdict
awaited_record(struct awaited *awaited)
{
    struct txn *txn = &awaited->in->txn;
    const enum txn_verdict verdict =
        awaited->asking == NULL ? TXN_DONE : asking_record(awaited->asking, txn);

    return verdict == TXN_DONE ? inbound_record(txn) : verdict;
}

enum txn_verdict
awaited_recorded(struct awaited *awaited)
{
    struct txn *txn = &awaited->in->txn;

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (awaited->asking != NULL) {
        TXN_TRY(asking_recorded(awaited->asking, txn));
    }
    return inbound_recorded(txn);
}

struct status
awaited_note_shortfall(struct awaited *awaited, int round, bool is_nothing,
                       const struct diag *besides)
{
    struct inbound *in = awaited->in;
    const struct leg_list *legs = &awaited->asking->legs[round];
    struct audit_event *failure = &in->outcomes[0];
    const struct policy_decision *denied = NULL;
    size_t failed = 0;

    for (size_t i = 0; i < legs->n; i++) {
        if (legs->items[i].diag.code != ERR_NONE) {
            if (failed == 0) {
                in->shortfall = legs->items[i].diag;
                denied = in->shortfall.code == ERR_POLICY_DENIED ? &legs->items[i].decision : NULL;
            }
            failed++;
        }
    }
    if (failed == 0 && besides == NULL) {
        return OK;
    }
    if (failed == 0) {
        in->shortfall = *besides;
    }
    if (!is_nothing) {
        failure = &in->outcomes[in->outcomes_n++];
        *failure = in->event;
    }
    failure->outcome = records_outcome(in->shortfall.code);
    if (denied != NULL) {
        records_note_decision(failure, denied);
    }
    return arena_printf(in->txn.arena, &in->txn.diag, &failure->outcome_text,
                        "%zu of %zu communities did not answer all; first reason: %s: %s", failed,
                        legs->n, err_name(in->shortfall.code), in->shortfall.text);
}
