/*
 * Transactions that write, and the comparison of a journal with what was acknowledged. Workers run
 * on threads of their own; checks on the family's.
 */
#include "tests/fault/work.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/fault/keeper.h"
#include "tests/fault/medium.h"

#define PADDING_MAX  1500
#define WINDOW_US    (INT64_C(3600) * US_PER_S)
#define OUTCOME_ROOM 8

/* ---- counting ---- */

struct status
ledger_add(struct ledger *ledger, struct claim claim, struct diag *diag)
{
    if (ledger->n == ledger->capacity) {
        const size_t capacity = ledger->capacity == 0 ? 256 : ledger->capacity * 2;
        struct claim *const items = mem_resize(ledger->items, capacity * sizeof(*items));
        if (items == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu claims", capacity);
        }
        ledger->items = items;
        ledger->capacity = capacity;
    }
    ledger->items[ledger->n++] = claim;
    return OK;
}

void
ledger_done(struct ledger *ledger)
{
    mem_free(ledger->items);
    *ledger = (struct ledger){0};
}

void
tally_problem(struct tally *tally, const char *format, ...)
{
    if (tally->problems < TALLY_SHOWN) {
        va_list args;
        va_start(args, format);
        (void)vsnprintf(tally->shown[tally->problems], sizeof(tally->shown[0]), format, args);
        va_end(args);
    }
    tally->problems++;
}

/* ---- writing ---- */

static struct span
padding(size_t n)
{
    static const char line[] = "A query of a made-up patient, as long as it has to be. ";
    static _Thread_local char bytes[PADDING_MAX];
    for (size_t i = 0; i < n && i < sizeof(bytes); i++) {
        bytes[i] = line[i % (sizeof(line) - 1)];
    }
    return span_of(bytes, n < sizeof(bytes) ? n : sizeof(bytes));
}

static void
wake_worker(struct park *park)
{
    (void)sem_post(&((struct worker *)park)->woken);
}

void
worker_init(struct worker *worker, struct journal *journal, atomic_ullong *next, uint64_t seed)
{
    *worker = (struct worker){.park = {.wake = wake_worker},
                              .journal = journal,
                              .next = next,
                              .left = SIZE_MAX,
                              .random = seed * 2 + 1};
    (void)sem_init(&worker->woken, 0, 0);
}

/* Most are short, some go over sectors and pages. */
static size_t
draw_padding(uint64_t *random)
{
    const uint64_t kind = random_below(random, 8);
    return (size_t)random_below(random, kind == 0 ? PADDING_MAX : kind < 3 ? 400 : 40);
}

struct status
worker_append(struct worker *worker, uint64_t value, struct diag *diag)
{
    struct journal_ticket ticket;
    char number[24];
    char transaction[24];
    (void)snprintf(number, sizeof(number), "%" PRIu64, value);
    (void)snprintf(transaction, sizeof(transaction), "t%" PRIu64, value / 2);
    const struct audit_event event = {
        .type = AUDIT_ITI_38,
        .side = AUDIT_INITIATING,
        .phase = value % 2 == 0 ? AUDIT_INTENT : AUDIT_OUTCOME,
        .partner = SPAN("blue"),
        .transaction_id = span_of_cstr(transaction),
        .query_id = span_of_cstr(number),
        .query = padding(draw_padding(&worker->random)),
    };
    TRY(journal_append(worker->journal, &event, &worker->park, diag, &ticket));
    while (sem_wait(&worker->woken) != 0) {
    }
    TRY(journal_ticket_status(worker->journal, &ticket, diag));
    if (worker->acknowledge != NULL) {
        worker->acknowledge(worker->arg, (struct claim){ticket.sequence, value});
    }
    return OK;
}

void *
worker_run(void *arg)
{
    struct worker *const worker = arg;
    while (worker->left > 0) {
        const uint64_t number = atomic_fetch_add(worker->next, 1);
        if (!is_ok(worker_append(worker, number * 2, &worker->diag)) ||
            !is_ok(worker_append(worker, number * 2 + 1, &worker->diag))) {
            break;
        }
        worker->left -= worker->left == SIZE_MAX ? 0 : 1;
    }
    return NULL;
}

static struct journal_place
place_of(const char *dir, bool is_encrypted)
{
    static const char text[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    static struct journal_key key;
    static struct journal_keys keys[2];
    struct diag diag = {0};
    if (keys[0].n == 0 && is_ok(journal_key_read(span_of_cstr(text), &diag, &key))) {
        keys[0] = (struct journal_keys){&key, 1, false};
        keys[1] = (struct journal_keys){&key, 1, true};
    }
    return (struct journal_place){dir, &keys[is_encrypted ? 1 : 0]};
}

const struct journal_place *
work_place(const char *dir)
{
    static struct journal_place place;
    place = place_of(dir, false);
    return &place;
}

struct status
work_open(const char *dir, const struct work_terms *terms, struct diag *diag,
          struct journal **ret_journal)
{
    const struct journal_place place = place_of(dir, terms->is_encrypted);
    const struct journal_rules rules = {.keeps_reserve = terms->keeps_reserve};
    struct journal *journal = NULL;
    size_t n = 0;
    TRY(journal_open_sized(&place, WORK_CHAIN, clock_system(), terms->sizes, diag, &journal));
    struct status st = journal_end_intents(journal, &place, WINDOW_US, diag, &n);
    if (is_ok(st) && terms->keeps_reserve) {
        st = journal_set_rules(journal, &rules, diag);
    }
    if (!is_ok(st)) {
        journal_close(journal);
        return st;
    }
    *ret_journal = journal;
    return OK;
}

/* ---- looking ---- */

/* What stands in a journal: by sequence its value; and by value how often it is there. */
struct found {
    uint64_t *values; /* by sequence; UINT64_MAX: none */
    uint8_t *times;   /* by value */
    size_t records, last;
    size_t most;     /* both have room for so many */
    uint64_t begins; /* what stood before was removed, as the chain says itself */
    uint64_t cursor;
    char problem[DIAG_TEXT_MAX];
    bool is_in_order;
};

uint64_t
work_value(struct span payload)
{
    uint64_t value = UINT64_MAX;
    const struct span name = SPAN("\"query_id\":\"");
    const size_t at = span_find(payload, name);
    if (at == SPAN_MISSING) {
        return UINT64_MAX;
    }
    const struct span rest = span_slice(payload, at + name.n, payload.n);
    const struct span text = span_slice(rest, 0, span_find_char(rest, '"'));
    if (!span_to_u64(text, UINT64_MAX - 1, &value)) {
        return UINT64_MAX;
    }
    /* the next process ended it: it has the intent's number */
    return span_find(payload, SPAN("\"phase\":\"outcome\"")) != SPAN_MISSING ? value | 1 : value;
}

static bool
take_record(void *arg, const struct journal_record *record)
{
    struct found *const found = arg;
    const uint64_t value = work_value(record->payload);
    found->is_in_order = found->is_in_order && record->sequence > found->last;
    found->last = record->sequence;
    found->records++;
    if (value == UINT64_MAX) { /* what the journal records of itself */
        return true;
    }
    if (record->sequence >= found->most || value >= found->most) { /* none of ours */
        found->is_in_order = false;
        return false;
    }
    found->values[record->sequence] = value;
    found->times[value]++;
    return true;
}

static size_t
most_of(const struct ledger *ledger)
{
    uint64_t most = 0;
    for (size_t i = 0; i < ledger->n; i++) {
        const struct claim *const claim = &ledger->items[i];
        most = claim->sequence != KEEPER_CURSOR && claim->sequence > most ? claim->sequence : most;
        most = claim->value > most ? claim->value : most;
    }
    return (size_t)most + 4096; /* and what was not acknowledged */
}

static void
compare(const struct found *found, const struct ledger *ledger, const char *where,
        struct tally *tally)
{
    for (size_t i = 0; i < ledger->n; i++) {
        const struct claim *const claim = &ledger->items[i];
        if (claim->sequence == KEEPER_CURSOR) {
            if (found->cursor < claim->value) {
                tally->lost++;
                tally_problem(tally, "%s: the cursor was at %" PRIu64 " and is at %" PRIu64, where,
                              claim->value, found->cursor);
            }
            continue;
        }
        /* what a signed statement says is removed has gone in order */
        if (found->values[claim->sequence] == claim->value || claim->sequence < found->begins) {
            continue;
        }
        tally->lost++;
        tally->unaudited_answers += claim->value % 2;
        tally->unaudited_questions += 1 - claim->value % 2;
        tally_problem(tally, "%s: record %" PRIu64 " was acknowledged and is not there", where,
                      claim->sequence);
    }
}

static void
look_at_values(const struct found *found, bool is_ended, const char *where, struct tally *tally)
{
    for (size_t value = 0; value < found->most; value++) {
        if (found->times[value] > 1) {
            tally->duplicates++;
            tally_problem(tally, "%s: the record of value %zu is there %u times", where, value,
                          found->times[value]);
        }
        if (is_ended && value % 2 == 0 && found->times[value] > 0 && found->times[value + 1] == 0) {
            tally->lost++;
            tally_problem(tally, "%s: the intent of transaction %zu never got an outcome", where,
                          value / 2);
        }
    }
    if (!found->is_in_order) {
        tally_problem(tally, "%s: records are out of order, or were never written", where);
    }
}

static void
take_report(void *arg, const struct journal_chain_report *report)
{
    struct found *const found = arg;
    found->begins = report->removed_by > 0 ? report->first : 0;
    if (report->problem != NULL) {
        (void)snprintf(found->problem, sizeof(found->problem), "%s", report->problem);
    }
}

void
work_check(const char *dir, const struct ledger *ledger, bool is_ended, const char *where,
           struct tally *tally)
{
    struct diag diag = {0};
    const struct verify_rules rules = {.judge = keeper_judge()};
    struct found found = {.most = most_of(ledger), .is_in_order = true};
    found.values = mem_alloc(found.most * sizeof(*found.values));
    found.times = mem_alloc(found.most + OUTCOME_ROOM);
    if (found.values == NULL || found.times == NULL) {
        tally_problem(tally, "%s: no memory to look", where);
    } else {
        memset(found.values, 0xFF, found.most * sizeof(*found.values));
        const struct status read = journal_read(work_place(dir), take_record, &found, &diag);
        const struct status verified =
            journal_verify(work_place(dir), &rules, take_report, &found, &diag);
        found.cursor = keeper_read_cursor(dir);
        compare(&found, ledger, where, tally);
        look_at_values(&found, is_ended, where, tally);
        if (!is_ok(read) || !is_ok(verified) || found.problem[0] != '\0') {
            tally_problem(tally, "%s: it does not verify: %s", where,
                          found.problem[0] == '\0' ? diag.text : found.problem);
        }
    }
    mem_free(found.values);
    mem_free(found.times);
}
