/*
 * The steps of an initiating transaction: rounds of the same shape (discover, query, retrieve,
 * provide), of which a goal runs one, or the first three. Started by the commands; steps run on
 * workers. Results live in the transaction's arena until asking_free.
 */
#include "txn/asking.h"

#include <assert.h>

#include "base/ids.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "txn/asked_back.h"
#include "txn/sources.h"
#include "txn/suppliers.h"

struct status
asking_add_leg(struct asking *asking, enum soap_transaction transaction,
               const struct partner *partner, struct span community, struct leg **ret_leg)
{
    struct txn *txn = &asking->txn;
    struct leg_list *legs = asking_legs(asking);
    const struct leg leg = {.transaction = transaction, .partner = partner, .community = community};

    TRY(ARENA_PUSH(txn->arena, &txn->diag, legs, leg));
    *ret_leg = &legs->items[legs->n - 1];
    return OK;
}

/* ---- plan ---- */

static void
set_round_deadline(struct asking *asking)
{
    const int64_t now_us = clock_mono_us(asking->node->clock);
    const int64_t left_us = asking->final_deadline_us - now_us;
    const int last = asking->order.goal == ASKING_DISCOVER  ? 0
                     : asking->order.goal == ASKING_QUERY   ? 1
                     : asking->order.goal == ASKING_PROVIDE ? 3
                     : asking->order.goal == ASKING_LOCATE  ? ASKING_ROUND_LOCATE
                                                            : 2;
    const int rounds_left = asking->is_judged ? 1 : last - asking->round + 1;

    /* A silent community may cost a round its share of the time, not the rounds after it. Looking
     * up is asked of our own sources only: the question itself has most of the time. */
    if (asking->round == ASKING_ROUND_IDS) { /* small answers of our own house */
        asking->txn.deadline_us = now_us + left_us / 4;
        return;
    }
    asking->txn.deadline_us = now_us + (!asking->is_judged   ? left_us / rounds_left
                                        : asking->round == 1 ? left_us / 4 * 3
                                        : asking->round == 2 ? left_us / 2
                                                             : left_us);
}

void
asking_note_over(struct asking *asking, size_t at)
{
    const enum leg_state state = asking_legs(asking)->items[at].state;

    if (state == LEG_ANSWERED || state == LEG_FAILED || state == LEG_DENIED) {
        merge_add(asking->merge, at);
    }
}

static struct status
check_wanted(struct asking *asking)
{
    return atomic_load(&asking->is_cancelled)
               ? FAIL(&asking->txn.diag, ERR_CANCELLED, "the asker has gone, at step '%s'",
                      txn_step_name(&asking->txn))
               : OK;
}

static struct status
plan_round(struct asking *asking)
{
    struct txn *txn = &asking->txn;
    struct leg_list *legs = asking_legs(asking);

    set_round_deadline(asking);
    if (asking->is_judged && asking->round == 2) {
        asking->judged = asking->merge;
    }
    TRY(rounds_plan(asking));
    return merge_new(txn->arena, rounds_transaction(asking), legs->items, legs->n, &txn->diag,
                     &asking->merge);
}

static enum txn_verdict
step_plan(struct txn *txn)
{
    const int64_t since_us = clock_mono_us(runner_clock(txn->runner));
    struct asking *asking = asking_of(txn);

    TXN_TRY(check_wanted(asking));
    if (asking->next == 0) {
        TXN_TRY(plan_round(asking));
    }
    while (asking->next < asking_legs(asking)->n) {
        leg_prepare(asking, &asking_legs(asking)->items[asking->next]);
        asking_note_over(asking, asking->next);
        asking->next++;
        if (txn_is_turn_over(txn, since_us)) {
            return TXN_YIELD;
        }
    }
    asking->next = 0;
    return TXN_DONE;
}

/* ---- intents: durable before the first byte of a question leaves ---- */

static uint64_t
budget_left(const struct asking *asking)
{
    const uint64_t limit = asking->node->config->answers_limit;

    return asking->held < limit ? limit - asking->held : 0;
}

static struct status
prepare_intents(struct asking *asking)
{
    struct txn *txn = &asking->txn;
    const size_t n = asking_legs(asking)->n;

    TRY(check_wanted(asking));
    /* First, so that a question with an intent needs nothing more to be asked. */
    TRY(fanout_new(txn, n, budget_left(asking), &txn->diag, &asking->fanout));
    return records_reserve(&asking->records, txn->arena, n + 1, &txn->diag);
}

static enum txn_verdict
step_intent(struct txn *txn)
{
    const int64_t since_us = clock_mono_us(runner_clock(txn->runner));
    struct asking *asking = asking_of(txn);
    struct leg_list *legs = asking_legs(asking);

    if (asking->next == 0) {
        TXN_TRY(prepare_intents(asking));
    }
    while (asking->next < legs->n) {
        struct leg *leg = &legs->items[asking->next++];

        if (leg_will_leave(leg)) {
            TXN_TRY(records_append(&asking->records, asking->node, txn, &leg->event));
        }
        if (txn_is_turn_over(txn, since_us)) {
            return TXN_YIELD;
        }
    }
    asking->next = 0;
    return TXN_DONE;
}

static enum txn_verdict
step_recorded(struct txn *txn)
{
    struct asking *asking = asking_of(txn);

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    TXN_TRY(records_settle(&asking->records, asking->node, txn));
    asking->records_n += (unsigned)(asking->records.n + asking->records.more.n);
    return TXN_DONE;
}

/* ---- outcomes ---- */

/* Of our own documents, for our own people: what partners withhold is theirs to record. */
static bool
is_emergency(const struct asking *asking, const struct leg *leg)
{
    return leg->decision.is_emergency && asking->order.facts == NULL &&
           (leg->partner == NULL || leg->partner->source != NULL);
}

/* REQ: ITI20-failures */
/* Who could not prove himself to us as our partner is a Security Alert, too (ITI TF-2 3.19.6). */
static struct status
record_outcome(struct asking *asking, struct leg *leg, struct txn *recorder)
{
    struct audit_event events[LEG_OUTCOMES_MAX];
    size_t n = 0;

    if (leg->partner == NULL && asking->order.facts != NULL) {
        return OK; /* what the store gave a partner is in the record of the partner's question */
    }
    TRY(leg_outcomes(asking, leg, events, &n));
    for (size_t e = 0; e < n; e++) {
        TRY(records_append(&asking->records, asking->node, recorder, &events[e]));
    }
    if (is_emergency(asking, leg)) {
        const struct audit_event emergency = records_emergency(&events[0]);

        TRY(records_append(&asking->records, asking->node, recorder, &emergency));
    }
    if (leg->state == LEG_FAILED && leg->diag.code == ERR_PARTNER_TLS) {
        struct audit_event alert = events[0];

        alert.type = AUDIT_AUTHENTICATION_FAILURE;
        return records_append(&asking->records, asking->node, recorder, &alert);
    }
    return OK;
}

static enum txn_verdict
record_outcomes(struct asking *asking, struct txn *recorder, int64_t since_us)
{
    while (asking->recording <= asking->last_recorded) {
        struct leg_list *legs = &asking->legs[asking->turns[asking->recording]];

        while (asking->next < legs->n) {
            TXN_TRY(record_outcome(asking, &legs->items[asking->next], recorder));
            asking->next++;
            if (txn_is_turn_over(recorder, since_us)) {
                return TXN_YIELD;
            }
        }
        asking->next = 0;
        asking->recording++;
    }
    return TXN_DONE;
}

enum txn_verdict
asking_record(struct asking *asking, struct txn *recorder)
{
    enum txn_verdict verdict = TXN_DONE;

    assert(asking->order.is_brokered);
    if (asking->has_outcomes) {
        verdict = record_outcomes(asking, recorder, clock_mono_us(asking->node->clock));
    }
    if (verdict == TXN_FAILED && recorder->diag.code == ERR_NONE) {
        recorder->diag = asking->txn.diag;
    }
    return verdict;
}

struct status
asking_recorded(struct asking *asking, struct txn *recorder)
{
    return asking->has_outcomes ? records_settle(&asking->records, asking->node, recorder) : OK;
}

static enum txn_verdict
step_outcome(struct txn *txn)
{
    const int64_t since_us = clock_mono_us(runner_clock(txn->runner));
    struct asking *asking = asking_of(txn);

    if (asking->next == 0) {
        size_t n = 0;

        if (!asking->has_outcomes || !asking->order.is_brokered) {
            asking->first_recorded = asking->turn;
        }
        for (size_t turn = asking->first_recorded; turn <= asking->turn; turn++) {
            n += asking->legs[asking->turns[turn]].n;
        }
        TXN_TRY(records_reserve(&asking->records, txn->arena, n * LEG_RECORDS_MAX + 1, &txn->diag));
        asking->recording = asking->first_recorded;
        asking->last_recorded = asking->turn;
        asking->has_outcomes = true;
    }
    return asking->order.is_brokered ? TXN_DONE : record_outcomes(asking, txn, since_us);
}

static enum txn_verdict
step_next(struct txn *txn)
{
    struct asking *asking = asking_of(txn);

    TXN_TRY(check_wanted(asking));
    if (asking->turn + 1 < asking->turns_n) {
        asking->round = asking->turns[++asking->turn];
    }
    return TXN_DONE;
}

static enum txn_verdict
step_collect(struct txn *txn)
{
    struct asking *asking = asking_of(txn);

    if (!asking->order.is_brokered) {
        TXN_TRY(rounds_collect(asking));
    }
    return TXN_DONE;
}

/* clang-format off */
#define ROUND(name)                                                                                \
    {name "-elsewhere", asked_back_step}, {name "-patients", sources_step_patients},               \
    {name "-plan", step_plan},                                                                     \
    {name "-recall", asking_step_recall}, {name "-intent", step_intent},                           \
    {name "-intended", step_recorded}, {name "-expect", asking_step_expect},                       \
    {name "-ask", asking_step_ask}, {name "-own", asking_step_own},                                \
    {name "-take", asking_step_take}, {name "-learn", asking_step_learn},                          \
    {name "-people", suppliers_step_learn},                                                        \
    {name "-owners", sources_step_owners}, {name "-outcome", step_outcome},                        \
    {name "-recorded", step_recorded}, {name "-claim", asking_step_claim},                 \
    {name "-next", step_next}
/* clang-format on */

#define COLLECT                                                                                    \
    {                                                                                              \
        "collect", step_collect                                                                    \
    }
#define WITHHOLD                                                                                   \
    {                                                                                              \
        "withhold", sources_step_withhold                                                          \
    }

static const struct txn_step discover_steps[] = {ROUND("discover")};
static const struct txn_step query_steps[] = {ROUND("query")};
static const struct txn_step retrieve_steps[] = {ROUND("retrieve"), COLLECT};
static const struct txn_step provide_steps[] = {ROUND("provide")};
static const struct txn_step locate_steps[] = {ROUND("locate")};
static const struct txn_step gather_steps[] = {ROUND("discover"), ROUND("query"), ROUND("retrieve"),
                                               COLLECT};
static const struct txn_step judged_retrieve_steps[] = {ROUND("query"), ROUND("retrieve"), COLLECT};
static const struct txn_step judged_query_steps[] = {ROUND("query"), ROUND("members"),
                                                     ROUND("documents"), WITHHOLD};

/* With managers of cross-references. */
static const struct txn_step query_by_ids_steps[] = {ROUND("ids"), ROUND("query")};
static const struct txn_step gather_by_ids_steps[] = {ROUND("discover"), ROUND("ids"),
                                                      ROUND("query"), ROUND("retrieve"), COLLECT};
static const struct txn_step judged_by_ids_steps[] = {
    ROUND("ids"), ROUND("query"), ROUND("members"), ROUND("documents"), WITHHOLD};

enum goal {
    GOAL_RETRIEVE_JUDGED = ASKING_GATHER + 1,
    GOAL_QUERY_JUDGED,
    GOAL_QUERY_BY_IDS,
    GOAL_GATHER_BY_IDS,
    GOAL_QUERY_JUDGED_BY_IDS,
    GOAL_COUNT
};

struct asking_goal_row {
    struct txn_table table;
    int rounds[ASKING_ROUNDS];
    size_t rounds_n;
};

#define TABLE(name, steps)                                                                         \
    {                                                                                              \
        name, steps, ARRAY_LEN(steps), ARRAY_LEN(steps)                                            \
    }

static const struct asking_goal_row goals[GOAL_COUNT] = {
    [ASKING_DISCOVER] = {TABLE("discover", discover_steps), {0}, 1},
    [ASKING_QUERY] = {TABLE("query", query_steps), {1}, 1},
    [ASKING_RETRIEVE] = {TABLE("retrieve", retrieve_steps), {2}, 1},
    [ASKING_PROVIDE] = {TABLE("provide", provide_steps), {3}, 1},
    [ASKING_LOCATE] = {TABLE("locate", locate_steps), {ASKING_ROUND_LOCATE}, 1},
    [ASKING_GATHER] = {TABLE("gather", gather_steps), {0, 1, 2}, 3},
    /* The metadata of a source's documents first: our policy judges them by it. */
    [GOAL_RETRIEVE_JUDGED] = {TABLE("retrieve", judged_retrieve_steps), {1, 2}, 2},
    /* What a source's answer names without metadata, afterwards. */
    [GOAL_QUERY_JUDGED] = {TABLE("query", judged_query_steps), {1, 2, 3}, 3},
    /* By which ids registries know the patient, before they are asked. */
    [GOAL_QUERY_BY_IDS] = {TABLE("query", query_by_ids_steps), {ASKING_ROUND_IDS, 1}, 2},
    [GOAL_GATHER_BY_IDS] = {TABLE("gather", gather_by_ids_steps), {0, ASKING_ROUND_IDS, 1, 2}, 4},
    [GOAL_QUERY_JUDGED_BY_IDS] = {TABLE("query", judged_by_ids_steps),
                                  {ASKING_ROUND_IDS, 1, 2, 3},
                                  4},
};

static size_t
goal_of(const struct node *node, const struct asking_order *order)
{
    const struct config *config = node->config;
    const bool is_by_ids = suppliers_know_ids(order, node);

    if (sources_must_judge(config, order)) {
        return is_by_ids ? GOAL_QUERY_JUDGED_BY_IDS : GOAL_QUERY_JUDGED;
    }
    if (is_by_ids) {
        return order->goal == ASKING_GATHER ? GOAL_GATHER_BY_IDS : GOAL_QUERY_BY_IDS;
    }
    return order->goal == ASKING_RETRIEVE && sources_are_named(config, &order->documents)
               ? GOAL_RETRIEVE_JUDGED
               : order->goal;
}

/* ---- start and end ---- */

static void
tell_leg(const struct asking *asking, const struct leg *leg)
{
    const char *partner = leg->partner == NULL ? "own-store" : leg->partner->id;
    const char *verdict = leg->state == LEG_ANSWERED        ? "answered"
                          : leg->state == LEG_DENIED        ? "denied"
                          : leg->diag.code == ERR_CANCELLED ? "cancelled"
                                                            : "failed";
    const char *action = soap_transaction(leg->transaction)->name;

    metric_observe(METRIC_TRANSACTION,
                   (const char *const[]){action, partner, "initiating", verdict}, leg->elapsed_us);
    if (err_class(leg->diag.code) == ERR_CLASS_SECURITY) {
        metric_count(METRIC_VERIFICATION_FAILURE,
                     (const char *const[]){partner, err_name(leg->diag.code)});
    }
    if (leg->diag.code == ERR_NONE) {
        LOG_EVENT(LOG_LEVEL_INFO, "leg-done", LOG_ID("txn", asking->txn.id),
                  LOG_ID("action", action), LOG_ID("partner", partner), LOG_ID("verdict", verdict),
                  LOG_INT("ms", leg->elapsed_us / US_PER_MS));
    } else {
        LOG_EVENT(LOG_LEVEL_WARNING, "leg-done", LOG_ID("txn", asking->txn.id),
                  LOG_ID("action", action), LOG_ID("partner", partner), LOG_ID("verdict", verdict),
                  LOG_INT("ms", leg->elapsed_us / US_PER_MS), LOG_DIAG(&leg->diag));
    }
}

static void
asking_end(struct txn *txn)
{
    struct asking *asking = asking_of(txn);

    fanout_leave(asking->fanout);
    asking->fanout = NULL;
    for (size_t r = 0; r < ASKING_ROUNDS; r++) {
        for (size_t i = 0; i < asking->legs[r].n; i++) {
            tell_leg(asking, &asking->legs[r].items[i]);
        }
    }
    asking->done(asking->done_arg, asking);
}

struct status
asking_new(struct node *node, const struct asking_order *order, asking_done done, void *arg,
           struct diag *diag, struct asking **ret_asking)
{
    struct asking *asking;
    struct asking_order complete = *order;
    const size_t goal = goal_of(node, order);
    struct status st;

    TRY(asking_complete_order(node, &complete, diag));
    asking = mem_alloc(sizeof(*asking));
    if (asking == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a new transaction");
    }
    st = txn_init(&asking->txn, &goals[goal].table, node->clock, order->timeout_us, asking_end,
                  diag);
    if (!is_ok(st)) {
        mem_free(asking);
        return st;
    }
    asking->node = node;
    asking->order = complete;
    asking->done = done;
    asking->done_arg = arg;
    asking->turns = goals[goal].rounds;
    asking->turns_n = goals[goal].rounds_n;
    asking->round = asking->turns[0];
    asking->is_judged = goal == GOAL_QUERY_JUDGED || goal == GOAL_QUERY_JUDGED_BY_IDS;
    asking->final_deadline_us = asking->txn.deadline_us;
    *ret_asking = asking;
    return OK;
}

void
asking_run(struct asking *asking)
{
    runner_start(asking->node->runner, &asking->txn);
}

struct status
asking_start(struct node *node, const struct asking_order *order, asking_done done, void *arg,
             struct diag *diag)
{
    struct asking *asking;

    TRY(asking_new(node, order, done, arg, diag, &asking));
    asking_run(asking);
    return OK;
}

void
asking_free(struct asking *asking)
{
    if (asking == NULL) {
        return;
    }
    for (size_t r = 0; r < ASKING_ROUNDS; r++) {
        for (size_t i = 0; i < asking->legs[r].n; i++) {
            struct leg *leg = &asking->legs[r].items[i];

            buf_done(&leg->payload);
            for (size_t d = 0; d < leg->retrieved.n; d++) {
                body_done(&leg->retrieved.items[d].body);
            }
        }
    }
    for (size_t i = 0; i < asking->documents.n; i++) {
        body_done(&asking->documents.items[i].body);
    }
    txn_done(&asking->txn);
    mem_free(asking);
}

static unsigned
count_legs(const struct asking *asking, bool (*is_counted)(const struct leg *))
{
    unsigned count = 0;

    for (size_t r = 0; r < ASKING_ROUNDS; r++) {
        for (size_t i = 0; i < asking->legs[r].n; i++) {
            count += is_counted(&asking->legs[r].items[i]) ? 1 : 0;
        }
    }
    return count;
}

static bool
has_failed(const struct leg *leg)
{
    return leg->state == LEG_FAILED || leg->state == LEG_DENIED || leg->diag.code != ERR_NONE;
}

static bool
has_answered(const struct leg *leg)
{
    return leg->state == LEG_ANSWERED;
}

void
asking_cancel(struct asking *asking)
{
    atomic_store(&asking->is_cancelled, true);
    txn_nudge(&asking->txn);
}

struct merge *
asking_merged(const struct asking *asking)
{
    return asking->judged != NULL ? asking->judged : asking->merge;
}

unsigned
asking_failed(const struct asking *asking)
{
    return count_legs(asking, has_failed);
}

unsigned
asking_answered(const struct asking *asking)
{
    return count_legs(asking, has_answered);
}
