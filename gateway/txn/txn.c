/*
 * What steps ask of their own transaction and needs none of the runner's locks. Called by steps, on
 * the worker that runs them; txn_done by whoever owns the transaction.
 */
#include "txn/txn.h"

#include <assert.h>

enum txn_verdict
txn_settle(struct txn *txn, struct status st, enum answer answer)
{
    if (is_ok(st) && answer == ANSWER_LATER) {
        return TXN_WAIT;
    }
    txn_unexpect(txn);
    return is_ok(st) ? TXN_DONE : TXN_FAILED;
}

bool
txn_is_turn_over(const struct txn *txn, int64_t since_us)
{
    return clock_mono_us(runner_clock(txn->runner)) - since_us >= TXN_TURN_US;
}

enum txn_verdict
txn_may_ask(struct txn *txn)
{
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (txn_is_overdue(txn)) {
        (void)FAIL(&txn->diag, ERR_DEADLINE, "the time of this request was over at step '%s'",
                   txn_step_name(txn));
        return TXN_FAILED;
    }
    return TXN_DONE;
}

const char *
txn_step_name(const struct txn *txn)
{
    return txn->step < txn->table->steps_n ? txn->table->steps[txn->step].name : "end";
}

void
txn_done(struct txn *txn)
{
    assert(txn->due == 0);
    arena_free(txn->arena);
    txn->arena = NULL;
    txn->magic = 0;
}
