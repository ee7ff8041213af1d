/*
 * Verification of chains. Called by `isthmus audit verify` and by tests. One walk: the hashes and
 * trees of the last records are remembered, because a checkpoint stands a little behind what it
 * covers; only one that stands far behind makes the segment be read once more.
 */
#include "audit/verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/merkle.h"
#include "audit/seal.h"
#include "base/datetime.h"
#include "base/mem.h"

#define REMEMBERED          256
#define PAYLOAD_ARENA_BYTES (4 * RECORD_PAYLOAD_MAX)

/* How the chain stood behind one record. */
struct stand {
    uint64_t sequence; /* 0: none */
    uint64_t segment;
    uint8_t hash[SHA256_BYTES];
    struct merkle tree;
};

struct walk {
    const struct journal_place *place;
    const struct verify_rules *rules;
    struct diag *diag;
    struct chain *chain;
    struct journal_chain_report *report;
    struct stand *stands; /* REMEMBERED, by sequence modulo it */
    struct stand now;
    struct stand *ends; /* of finished segments, in order */
    size_t ends_n, ends_capacity;
    uint8_t begins[SHA256_BYTES]; /* what the first segment says was before */
    struct buf statement;         /* the last good checkpoint's payload */
    int64_t uncovered_since_us;   /* wall, of the first record behind it; 0: none */
    size_t against_at;            /* in rules->against, which is sorted */
};

/* ---- lists ---- */

struct status
verify_list_add(struct verify_list *list, const struct checkpoint *item, struct diag *diag)
{
    if (list->n == list->capacity) {
        const size_t wanted = list->capacity == 0 ? 64 : list->capacity * 2;
        struct checkpoint *items = mem_resize(list->items, wanted * sizeof(*items));
        if (items == NULL) {
            return FAIL(diag, ERR_NO_MEMORY, "no memory for %zu checkpoints", wanted);
        }
        list->items = items;
        list->capacity = wanted;
    }
    size_t at = list->n++; /* by chain and sequence; mostly they come in order */
    while (at > 0 && (strcmp(list->items[at - 1].chain, item->chain) > 0 ||
                      (strcmp(list->items[at - 1].chain, item->chain) == 0 &&
                       list->items[at - 1].sequence > item->sequence))) {
        list->items[at] = list->items[at - 1];
        at--;
    }
    list->items[at] = *item;
    return OK;
}

void
verify_list_done(struct verify_list *list)
{
    mem_free(list->items);
    *list = (struct verify_list){.n = 0};
}

/* ---- words ---- */

static struct status
broken(const struct walk *walk, const char *what)
{
    const struct chain *chain = walk->chain;
    return FAIL(walk->diag, ERR_JOURNAL,
                "chain %s, segment %s, offset %" PRIu64 ", record %" PRIu64 ": %s", chain->name,
                chain->segment.path, chain->offset - chain->record.n, chain->head.sequence, what);
}

static struct status
differs(const struct walk *walk, const struct checkpoint *checkpoint, const char *what,
        const uint8_t want[SHA256_BYTES], const uint8_t got[SHA256_BYTES])
{
    char text[384];
    char wanted[SHA256_HEX];
    char found[SHA256_HEX];
    hex_encode(want, SHA256_BYTES, wanted);
    hex_encode(got, SHA256_BYTES, found);
    (void)snprintf(text, sizeof(text),
                   "the checkpoint says that %s record %" PRIu64
                   " is %s, and it is %s: the chain or the checkpoint was replaced",
                   what, checkpoint->sequence, wanted, found);
    return broken(walk, text);
}

/* ---- where the chain stood ---- */

static struct status
keep_end(struct walk *walk)
{
    if (walk->ends_n == walk->ends_capacity) {
        const size_t wanted = walk->ends_capacity == 0 ? 64 : walk->ends_capacity * 2;
        struct stand *ends = mem_resize(walk->ends, wanted * sizeof(*ends));
        if (ends == NULL) {
            return FAIL(walk->diag, ERR_NO_MEMORY, "no memory for %zu segments", wanted);
        }
        walk->ends = ends;
        walk->ends_capacity = wanted;
    }
    walk->ends[walk->ends_n++] = walk->now;
    return OK;
}

static struct status
stand_on(struct walk *walk)
{
    const struct chain *chain = walk->chain;
    const uint64_t segment = chain->segment.head.first_sequence;
    if (walk->now.segment != segment) {
        if (walk->now.segment != 0) {
            TRY(keep_end(walk));
        }
        walk->now.segment = segment;
        walk->now.tree = (struct merkle){.n = 0};
    }
    TRY(merkle_add(&walk->now.tree, chain->previous, walk->diag));
    walk->now.sequence = chain->head.sequence;
    memcpy(walk->now.hash, chain->previous, SHA256_BYTES);
    walk->stands[walk->now.sequence % REMEMBERED] = walk->now;
    return OK;
}

/* Long ago: its segment is read again. */
static struct status
read_again(const struct walk *walk, const struct checkpoint *checkpoint, struct stand *ret_stand)
{
    struct chain *chain = NULL;
    struct stand stand = {.segment = checkpoint->segment};
    bool has = true;
    TRY(chain_open(walk->place, walk->chain->name, checkpoint->segment, walk->diag, &chain));
    struct status st = OK;
    while (is_ok(st) && has && chain->sequence <= checkpoint->sequence) {
        st = chain_next(chain, walk->diag, &has);
        if (is_ok(st) && has) {
            st = merkle_add(&stand.tree, chain->previous, walk->diag);
        }
    }
    stand.sequence = checkpoint->sequence;
    memcpy(stand.hash, chain->previous, SHA256_BYTES);
    chain_close(chain);
    TRY(st);
    *ret_stand = stand;
    return OK;
}

/* How it stood behind the record that the checkpoint names, which has been read. */
static struct status
find_stand(const struct walk *walk, const struct checkpoint *checkpoint, struct stand *ret_stand)
{
    const struct stand *stand = &walk->stands[checkpoint->sequence % REMEMBERED];
    if (stand->sequence == checkpoint->sequence) {
        *ret_stand = *stand;
        return OK;
    }
    for (size_t i = 0; i < walk->ends_n; i++) {
        if (walk->ends[i].sequence == checkpoint->sequence) {
            *ret_stand = walk->ends[i];
            return OK;
        }
    }
    return read_again(walk, checkpoint, ret_stand);
}

static struct status
compare(const struct walk *walk, const struct checkpoint *checkpoint, const struct stand *stand)
{
    uint8_t root[SHA256_BYTES];
    if (memcmp(stand->hash, checkpoint->hash, SHA256_BYTES) != 0) {
        return differs(walk, checkpoint, "the hash of", checkpoint->hash, stand->hash);
    }
    if (stand->segment != checkpoint->segment) {
        return broken(walk, "the checkpoint names another segment than its record is in");
    }
    TRY(merkle_root(&stand->tree, walk->diag, root));
    if (memcmp(root, checkpoint->root, SHA256_BYTES) != 0) {
        return differs(walk, checkpoint, "the root of the segment up to", checkpoint->root, root);
    }
    return OK;
}

/* ---- statements in the chain ---- */

static struct status
judge(const struct walk *walk, const struct statement *statement, int64_t time_us)
{
    struct diag why = {0};
    if (walk->rules->judge.check == NULL) {
        return OK;
    }
    const struct status st =
        walk->rules->judge.check(walk->rules->judge.arg, statement, time_us, &why);
    return is_ok(st) ? OK : broken(walk, why.text);
}

static struct status
take_checkpoint(struct walk *walk, const struct statement *statement)
{
    struct checkpoint checkpoint;
    struct stand stand;
    struct journal_chain_report *report = walk->report;
    TRY(checkpoint_read(statement->text, walk->diag, &checkpoint));
    TRY(judge(walk, statement, checkpoint.time_us));
    if (strcmp(checkpoint.chain, report->chain) != 0) {
        return broken(walk, "the checkpoint is one of another chain");
    }
    if (checkpoint.sequence >= walk->chain->head.sequence) {
        return broken(walk, "the checkpoint names a record that is not before it in this chain");
    }
    if (checkpoint.sequence < report->first) { /* its segment was removed, as all before */
        return checkpoint.sequence + 1 == report->first &&
                       memcmp(checkpoint.hash, walk->begins, SHA256_BYTES) != 0
                   ? differs(walk, &checkpoint, "the hash of", checkpoint.hash, walk->begins)
                   : OK;
    }
    TRY(find_stand(walk, &checkpoint, &stand));
    TRY(compare(walk, &checkpoint, &stand));
    report->checkpoints++;
    if (checkpoint.sequence >= report->covered.sequence) {
        report->covered = checkpoint;
        buf_reset(&walk->statement);
        TRY(buf_append(&walk->statement, chain_statement(walk->chain), walk->diag));
    }
    return OK;
}

/* Does the chain begin where this removal, or one that a crash cut short, made it begin? */
static bool
explains(const struct walk *walk, const struct removal *removal)
{
    struct span lines = removal->segments;
    struct removal_segment segment;
    while (removal_next_segment(&lines, &segment)) {
        if (segment.last + 1 == walk->report->first &&
            memcmp(segment.hash, walk->begins, SHA256_BYTES) == 0) {
            return true;
        }
    }
    return false;
}

static struct status
take_removal(struct walk *walk, const struct statement *statement)
{
    struct removal removal;
    TRY(removal_read(statement->text, walk->diag, &removal));
    TRY(judge(walk, statement, removal.time_us));
    if (strcmp(removal.chain, walk->report->chain) != 0) {
        return broken(walk, "the removal is one of another chain");
    }
    if (explains(walk, &removal)) {
        walk->report->removed_by = walk->chain->head.sequence;
    }
    return OK;
}

static struct status
take_statement(struct walk *walk)
{
    struct statement statement;
    enum statement_kind kind = STATEMENT_CHECKPOINT;
    struct arena *arena = arena_new(PAYLOAD_ARENA_BYTES);
    if (arena == NULL) {
        return FAIL(walk->diag, ERR_NO_MEMORY, "no memory to read a signed statement");
    }
    struct status st =
        statement_decode(chain_statement(walk->chain), arena, walk->diag, &statement);
    if (is_ok(st)) {
        st = statement_kind_of(statement.text, walk->diag, &kind);
    }
    if (is_ok(st)) {
        st = kind == STATEMENT_CHECKPOINT ? take_checkpoint(walk, &statement)
                                          : take_removal(walk, &statement);
    }
    if (st.code == ERR_JOURNAL && strncmp(walk->diag->text, "chain ", 6) != 0) {
        diag_prefix(walk->diag, "chain %s, segment %s, record %" PRIu64, walk->chain->name,
                    walk->chain->segment.path, walk->chain->head.sequence);
    }
    arena_free(arena);
    return st;
}

/* ---- checkpoints kept elsewhere ---- */

static const struct checkpoint *
next_against(const struct walk *walk)
{
    const struct verify_list *list = walk->rules->against;
    return list != NULL && walk->against_at < list->n &&
                   strcmp(list->items[walk->against_at].chain, walk->report->chain) == 0
               ? &list->items[walk->against_at]
               : NULL;
}

static void
find_against(struct walk *walk)
{
    const struct verify_list *list = walk->rules->against;
    while (list != NULL && walk->against_at < list->n &&
           strcmp(list->items[walk->against_at].chain, walk->report->chain) < 0) {
        walk->against_at++;
    }
}

/* Those of the record that was just read; older ones were removed with it. */
static struct status
compare_against(struct walk *walk)
{
    const struct checkpoint *kept = NULL;
    while ((kept = next_against(walk)) != NULL && kept->sequence <= walk->now.sequence) {
        if (kept->sequence == walk->now.sequence) {
            TRY(compare(walk, kept, &walk->now));
            walk->report->compared++;
        }
        walk->against_at++;
    }
    return OK;
}

static struct status
check_cut(const struct walk *walk)
{
    char time[DATETIME_MAX];
    const struct checkpoint *kept = next_against(walk);
    if (kept == NULL) {
        return OK;
    }
    datetime_write_xs(kept->time_us, time);
    return FAIL(
        walk->diag, ERR_JOURNAL,
        "chain %s was cut: a checkpoint of %s that was kept elsewhere covers record %" PRIu64
        ", and the chain ends with record %" PRIu64,
        walk->report->chain, time, kept->sequence, walk->report->last);
}

/* ---- one chain ---- */

static void
note(struct walk *walk)
{
    struct journal_chain_report *report = walk->report;
    const struct record_head *head = &walk->chain->head;
    if (report->records == 0) {
        report->first = head->sequence;
        report->first_time_us = head->wall_us;
        memcpy(walk->begins, head->previous, SHA256_BYTES);
    }
    report->records++;
    report->last = head->sequence;
    report->last_time_us = head->wall_us;
}

static struct status
take_record(struct walk *walk)
{
    note(walk);
    TRY(stand_on(walk));
    TRY(compare_against(walk));
    return walk->chain->head.type == RECORD_STATEMENT ? take_statement(walk) : OK;
}

static struct status
check_beginning(const struct walk *walk)
{
    const struct journal_chain_report *report = walk->report;
    if (report->first <= JOURNAL_FIRST_NUMBER || report->removed_by != 0) {
        return OK;
    }
    return FAIL(walk->diag, ERR_JOURNAL,
                "chain %s begins with record %" PRIu64
                ": the records before it are gone, and no signed removal in the chain says so",
                report->chain, report->first);
}

static struct status
check_covered(const struct walk *walk)
{
    const struct journal_chain_report *report = walk->report;
    const struct verify_rules *rules = walk->rules;
    const int64_t behind_us =
        walk->uncovered_since_us == 0 ? 0 : report->last_time_us - walk->uncovered_since_us;
    if (rules->uncovered_us == 0 ||
        (behind_us <= rules->uncovered_us && report->uncovered <= rules->uncovered_records)) {
        return OK;
    }
    return FAIL(
        walk->diag, ERR_JOURNAL,
        "chain %s: %" PRIu64 " records, of %" PRId64
        " s, follow the last signed checkpoint (%s%" PRIu64
        "), and audit.checkpoints asks for one sooner: signing failed (see the node's log), "
        "or checkpoints were taken out of the chain",
        report->chain, report->uncovered, behind_us / US_PER_S,
        report->covered.sequence == 0 ? "none, " : "record ", report->covered.sequence);
}

/* What tells of checkpoints waits for none, and what nobody here can decrypt may be that. */
static bool
waits_for_checkpoint(struct chain *chain)
{
    struct diag ignored = {0};
    bool is_told = false;
    return chain->head.type != RECORD_STATEMENT && is_ok(seal_is_told(chain, &ignored, &is_told)) &&
           !is_told;
}

static struct status
count_uncovered(struct walk *walk)
{
    struct chain *chain = NULL;
    const uint64_t from = walk->report->covered.sequence + 1;
    bool has = true;
    if (from > walk->report->last) {
        return OK;
    }
    TRY(chain_open(walk->place, walk->report->chain, from, walk->diag, &chain));
    struct status st = OK;
    while (is_ok(st) && has && chain->sequence <= walk->report->last) {
        st = chain_next(chain, walk->diag, &has);
        if (is_ok(st) && has && waits_for_checkpoint(chain)) {
            walk->report->uncovered++;
            walk->uncovered_since_us =
                walk->uncovered_since_us == 0 ? chain->head.wall_us : walk->uncovered_since_us;
        }
    }
    chain_close(chain);
    return st;
}

static struct status
walk_chain(struct walk *walk)
{
    bool has = true;
    find_against(walk);
    TRY(chain_open(walk->place, walk->report->chain, 0, walk->diag, &walk->chain));
    while (has) {
        TRY(chain_next(walk->chain, walk->diag, &has));
        if (has) {
            TRY(take_record(walk));
        }
    }
    walk->report->is_torn = walk->chain->is_torn;
    TRY(check_beginning(walk));
    TRY(check_cut(walk));
    TRY(count_uncovered(walk));
    return check_covered(walk);
}

static void
walk_done(struct walk *walk)
{
    chain_close(walk->chain);
    mem_free(walk->stands);
    mem_free(walk->ends);
    buf_done(&walk->statement);
}

struct visit {
    const struct journal_place *place;
    const struct verify_rules *rules;
    journal_report report;
    void *arg;
    struct diag *diag;
    bool *is_there; /* of rules->against, by index */
};

static void
mark_there(const struct visit *visit, const char *chain)
{
    for (size_t i = 0; visit->rules->against != NULL && i < visit->rules->against->n; i++) {
        visit->is_there[i] =
            visit->is_there[i] || strcmp(visit->rules->against->items[i].chain, chain) == 0;
    }
}

static struct status
verify_chain(void *arg, const char *name)
{
    const struct visit *visit = arg;
    struct diag why = {0};
    struct journal_chain_report report = {.chain = name};
    struct walk walk = {
        .place = visit->place, .rules = visit->rules, .diag = &why, .report = &report};
    mark_there(visit, name);
    buf_init(&walk.statement, RECORD_PAYLOAD_MAX);
    walk.stands = mem_alloc(REMEMBERED * sizeof(*walk.stands));
    const struct status walked = walk.stands == NULL
                                     ? FAIL(&why, ERR_NO_MEMORY, "no memory to verify a chain")
                                     : walk_chain(&walk);
    report.problem = is_ok(walked) ? NULL : why.text;
    report.statement = buf_span(&walk.statement);
    if (report.records > 0) {
        hex_encode(walk.now.hash, SHA256_BYTES, report.last_hash);
    }
    struct status st = OK;
    if (is_ok(walked) || walked.code == ERR_JOURNAL) {
        visit->report(visit->arg, &report);
    } else { /* not the chain's fault */
        st = FAIL(visit->diag, walked.code, "%s", why.text);
    }
    walk_done(&walk);
    return st;
}

/* Checkpoints that were kept of chains that are gone. */
static void
report_missing(const struct visit *visit)
{
    const struct verify_list *list = visit->rules->against;
    for (size_t i = 0; list != NULL && i < list->n; i++) {
        char problem[DIAG_TEXT_MAX];
        const bool is_said = i > 0 && strcmp(list->items[i - 1].chain, list->items[i].chain) == 0;
        if (visit->is_there[i] || is_said) {
            continue;
        }
        (void)snprintf(problem, sizeof(problem),
                       "chain %s is not there, and a checkpoint that was kept elsewhere covers its "
                       "record %" PRIu64,
                       list->items[i].chain, list->items[i].sequence);
        visit->report(visit->arg, &(struct journal_chain_report){.chain = list->items[i].chain,
                                                                 .problem = problem});
    }
}

/* REQ: ITI20-unbroken */
struct status
journal_verify(const struct journal_place *place, const struct verify_rules *rules,
               journal_report report, void *arg, struct diag *diag)
{
    struct visit visit = {place, rules, report, arg, diag, NULL};
    visit.is_there = mem_alloc(rules->against == NULL ? 1 : rules->against->n + 1);
    if (visit.is_there == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to verify a journal");
    }
    const struct status st = journal_chains(place, verify_chain, &visit, diag);
    if (is_ok(st)) {
        report_missing(&visit);
    }
    mem_free(visit.is_there);
    return st;
}
