/*
 * Who is it? Candidates come from the tables by the keys of their family names with the birth date,
 * and by believable identifiers, never by looking at everybody; match.h decides about each. Called
 * within the transaction of one store call, on its thread.
 */
#include "store/sqlite.h"

#include <stdlib.h>

#include "store/sqlite_tables.h"

#define CANDIDATE_BYTES ARENA_LIMIT_DEFAULT

static struct status
is_id_unreliable(struct db_conn *conn, const struct ident *id, struct arena *arena,
                 struct diag *diag, bool *ret_is_unreliable)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span key;

    TRY(match_id_key(id->extension, arena, diag, &key));
    db_prepare(conn,
               "SELECT 1 FROM identifiers WHERE root = ? AND extension_key = ? AND unreliable = 1"
               " LIMIT 1",
               &query);
    db_text(&query, id->root);
    db_text(&query, key);
    return db_step(&query, diag, ret_is_unreliable);
}

struct status
sqlite_patient_doubts(struct db_conn *conn, const struct patient *patient, struct arena *arena,
                      struct diag *diag, bool **ret_is_unreliable)
{
    bool *is_unreliable = NULL;

    TRY(ARENA_ARRAY(arena, patient->ids.n, diag, &is_unreliable));
    for (size_t i = 0; i < patient->ids.n && i < MATCH_ITEMS_MAX; i++) {
        TRY(is_id_unreliable(conn, &patient->ids.items[i], arena, diag, &is_unreliable[i]));
    }
    *ret_is_unreliable = is_unreliable;
    return OK;
}

/* What comes from outside, without the ids that we know to be unreliable. */
static struct status
prepare_foreign(struct db_conn *conn, const struct patient *patient, bool is_question,
                struct arena *arena, struct diag *diag, struct match_person *ret_person)
{
    bool *is_unreliable = NULL;

    TRY(sqlite_patient_doubts(conn, patient, arena, diag, &is_unreliable));
    return is_question ? match_prepare_question(patient, is_unreliable, arena, diag, ret_person)
                       : match_prepare(patient, is_unreliable, arena, diag, ret_person);
}

static struct status
prepare_stored(const struct sqlite_patient *stored, struct arena *arena, struct diag *diag,
               struct match_person *ret_person)
{
    return match_prepare(&stored->patient, stored->is_unreliable, arena, diag, ret_person);
}

/* ---- candidates ---- */

/* More people than this who share a family name and a birth date, or an identifier, are not told
 * apart by looking at each. */
#define ROWS_MAX 1000

struct row_list {
    int64_t *items;
    size_t n, capacity;
};

struct finder {
    struct db_conn *conn;
    struct arena *arena;
    struct diag *diag;
    struct row_list rows;
};

static struct status
add_row(struct finder *finder, int64_t row)
{
    for (size_t i = 0; i < finder->rows.n; i++) {
        if (finder->rows.items[i] == row) {
            return OK;
        }
    }
    return ARENA_PUSH(finder->arena, finder->diag, &finder->rows, row);
}

static struct status
add_rows(struct finder *finder, struct db_query *query)
{
    bool has_row = false;

    for (;;) {
        TRY(db_step(query, finder->diag, &has_row));
        if (!has_row || finder->rows.n > ROWS_MAX) {
            return OK;
        }
        TRY(add_row(finder, db_column_int(query, 0)));
    }
}

static struct status
find_by_key(struct finder *finder, struct span key, struct span low, struct span high)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(finder->conn, SQLITE_FIND_BY_KEY, &query);
    db_text(&query, key);
    db_text(&query, low);
    db_text(&query, high);
    return add_rows(finder, &query);
}

static struct status
find_by_names(struct finder *finder, const struct match_person *person)
{
    const bool is_range = person->birth_date.n == 0;
    const struct span low = is_range ? span_of_cstr(person->birth_low) : person->birth_date;
    const struct span high = is_range ? span_of_cstr(person->birth_high) : person->birth_date;
    struct span_list keys;

    if (low.n == 0) {
        return OK;
    }
    TRY(match_family_keys(person, finder->arena, finder->diag, &keys));
    for (size_t i = 0; i < keys.n; i++) {
        TRY(find_by_key(finder, keys.items[i], low, high));
    }
    return OK;
}

static struct status
find_by_id(struct finder *finder, const struct match_id *id)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(finder->conn, SQLITE_FIND_BY_ID, &query);
    db_text(&query, id->root);
    db_text(&query, id->key);
    return add_rows(finder, &query);
}

/* In the order of their rows: what comes of them does not depend on how they were found. */
static int
compare_rows(const void *a, const void *b)
{
    const int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

    return one < other ? -1 : one > other ? 1 : 0;
}

static struct status
find_candidates(struct finder *finder, const struct match_person *person)
{
    TRY(find_by_names(finder, person));
    for (size_t i = 0; i < person->ids.n; i++) {
        if (!person->ids.items[i].is_last_four) {
            TRY(find_by_id(finder, &person->ids.items[i]));
        }
    }
    if (finder->rows.n > 1) {
        qsort(finder->rows.items, finder->rows.n, sizeof(finder->rows.items[0]), compare_rows);
    }
    return OK;
}

/* In memory of its own for each candidate: thousands may share a name and a date. */
struct status
sqlite_patient_compare(struct db_conn *conn, int64_t row, const struct match_person *person,
                       bool with_ids, struct diag *diag, enum match_rule *ret_rule)
{
    struct arena *arena = arena_new(CANDIDATE_BYTES);
    struct sqlite_patient stored;
    struct match_person candidate;
    struct status st = OK;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a candidate");
    }
    st = sqlite_patient_load(conn, row, arena, diag, &stored);
    if (is_ok(st)) {
        st = prepare_stored(&stored, arena, diag, &candidate);
    }
    if (is_ok(st)) {
        *ret_rule = with_ids ? match_compare(person, &candidate)
                             : match_compare_demographics(person, &candidate);
    }
    arena_free(arena);
    return st;
}

/* ---- of whom a document speaks ---- */

/* The nearest reason why it was nobody: an unknown one before a difference, the first of its kind.
 */
static enum match_rule
nearer(enum match_rule known, enum match_rule found)
{
    return known == MATCH_RULE_NO_CANDIDATE || (match_rule_verdict(known) == MATCH_DIFFERENT &&
                                                match_rule_verdict(found) == MATCH_UNKNOWN)
               ? found
               : known;
}

/* Stops at the second that agrees. */
static struct status
decide(struct db_conn *conn, const struct row_list *rows, const struct match_person *person,
       struct diag *diag, struct sqlite_decision *decision)
{
    for (size_t i = 0; i < rows->n; i++) {
        enum match_rule rule = MATCH_RULE_NO_CANDIDATE;

        TRY(sqlite_patient_compare(conn, rows->items[i], person, true, diag, &rule));
        if (match_rule_verdict(rule) != MATCH_SAME) {
            decision->rule = decision->row == 0 ? nearer(decision->rule, rule) : decision->rule;
        } else if (decision->row == 0) {
            *decision = (struct sqlite_decision){rule, rows->items[i]};
        } else {
            *decision = (struct sqlite_decision){MATCH_RULE_SEVERAL, 0};
            return OK;
        }
    }
    return OK;
}

struct status
sqlite_patient_match(struct db_conn *conn, const struct patient *person, struct arena *arena,
                     struct diag *diag, struct sqlite_decision *ret_decision)
{
    struct finder finder = {.conn = conn, .arena = arena, .diag = diag};
    struct sqlite_decision decision = {MATCH_RULE_NO_CANDIDATE, 0};
    struct match_person prepared;

    TRY(prepare_foreign(conn, person, false, arena, diag, &prepared));
    if (prepared.birth_date.n == 0 || prepared.names.n == 0) {
        decision.rule = prepared.names.n > 0       ? MATCH_RULE_NO_BIRTH_DATE
                        : prepared.has_placeholder ? MATCH_RULE_PLACEHOLDER_NAME
                                                   : MATCH_RULE_NO_NAME;
        *ret_decision = decision;
        return OK;
    }
    TRY(find_candidates(&finder, &prepared));
    if (finder.rows.n > ROWS_MAX) {
        decision.rule = MATCH_RULE_SEVERAL;
    } else {
        TRY(decide(conn, &finder.rows, &prepared, diag, &decision));
    }
    *ret_decision = decision;
    return OK;
}

/* ---- who is asked for ---- */

struct asker {
    const struct sqlite_store *store;
    struct finder finder;
    struct match_person question;
    struct match_person kept[STORE_CANDIDATES_MAX];
    enum match_rule nearest; /* of those who were not kept */
    struct sqlite_answer answer;
};

static bool
is_own(const struct asker *asker, const struct match_id *id)
{
    return span_eq_cstr(id->root, asker->store->patient_authority);
}

/* Ids of ours in a question name their patients directly. */
static struct status
find_by_own_ids(struct asker *asker, const struct patient *patient)
{
    struct finder *finder = &asker->finder;
    int64_t row;

    for (size_t i = 0; i < patient->ids.n; i++) {
        const struct ident *id = &patient->ids.items[i];

        if (span_eq_cstr(id->root, asker->store->patient_authority)) {
            TRY(sqlite_patient_find(finder->conn, id->extension, finder->diag, &row));
            TRY(row == 0 ? OK : add_row(finder, row));
        }
    }
    for (size_t i = 0; i < asker->question.ids.n; i++) {
        asker->question.ids.items[i].is_own = is_own(asker, &asker->question.ids.items[i]);
    }
    return OK;
}

static struct status
load_candidate(struct asker *asker, int64_t row, struct arena *arena,
               struct match_person *ret_person)
{
    struct diag *diag = asker->finder.diag;
    struct sqlite_patient stored;

    TRY(sqlite_patient_load(asker->finder.conn, row, arena, diag, &stored));
    TRY(prepare_stored(&stored, arena, diag, ret_person));
    return match_person_own(ret_person, span_of_cstr(asker->store->patient_authority),
                            stored.public_id, arena, diag);
}

/* Those who agree, or might with more, are kept. */
static struct status
look_at(struct asker *asker, int64_t row, bool *ret_is_kept, enum match_rule *ret_rule)
{
    struct arena *arena = arena_new(CANDIDATE_BYTES);
    struct match_person candidate;
    struct status st;

    if (arena == NULL) {
        return FAIL(asker->finder.diag, ERR_NO_MEMORY, "no memory for a candidate");
    }
    st = load_candidate(asker, row, arena, &candidate);
    if (is_ok(st)) {
        const enum match_rule rule = match_answer(&asker->question, &candidate);

        *ret_rule = rule;
        *ret_is_kept = match_rule_verdict(rule) == MATCH_SAME ||
                       match_hints_for(&asker->question, &candidate, rule) != 0;
    }
    arena_free(arena);
    return st;
}

/* More than are kept: nobody is told apart any more. */
static struct status
look_at_all(struct asker *asker, bool *ret_is_full)
{
    struct sqlite_answer *answer = &asker->answer;
    const struct row_list *rows = &asker->finder.rows;

    for (size_t i = 0; i < rows->n; i++) {
        enum match_rule rule = MATCH_RULE_NO_CANDIDATE;
        bool is_kept = false;

        TRY(look_at(asker, rows->items[i], &is_kept, &rule));
        if (!is_kept) {
            asker->nearest = nearer(asker->nearest, rule);
            continue;
        }
        if (answer->rows_n == STORE_CANDIDATES_MAX) {
            *ret_is_full = true;
            return OK;
        }
        TRY(load_candidate(asker, rows->items[i], asker->finder.arena,
                           &asker->kept[answer->rows_n]));
        answer->rules[answer->rows_n] = rule;
        answer->rows[answer->rows_n++] = rows->items[i];
    }
    *ret_is_full = false;
    return OK;
}

static enum match_rule
why_nobody(const struct match_person *question)
{
    if (question->has_placeholder && question->names.n == 0) {
        return MATCH_RULE_PLACEHOLDER_NAME;
    }
    if (question->names.n == 0 && question->ids.n > 0) {
        return MATCH_RULE_ONLY_IDENTIFIER;
    }
    return question->names.n == 0 ? MATCH_RULE_NO_NAME
           : question->birth_date.n == 0 && question->birth_low[0] == '\0'
               ? MATCH_RULE_NO_BIRTH_DATE
               : MATCH_RULE_NO_CANDIDATE;
}

static void
conclude(struct asker *asker, bool is_full)
{
    struct sqlite_answer *answer = &asker->answer;

    if (is_full) {
        answer->decision = (struct match_decision){MATCH_AMBIGUOUS, MATCH_RULE_SEVERAL, 0, 0};
        answer->rows_n = 0;
        return;
    }
    answer->decision = match_decide(&asker->question, asker->kept, answer->rows_n);
    if (answer->decision.rule == MATCH_RULE_NO_CANDIDATE) {
        answer->decision.rule =
            asker->finder.rows.n == 0 ? why_nobody(&asker->question) : asker->nearest;
    }
}

struct status
sqlite_patient_answer(const struct sqlite_store *store, struct db_conn *conn,
                      const struct patient *question, struct arena *arena, struct diag *diag,
                      struct sqlite_answer *ret_answer)
{
    struct asker asker = {.store = store,
                          .finder = {.conn = conn, .arena = arena, .diag = diag},
                          .nearest = MATCH_RULE_NO_CANDIDATE};
    bool is_full = false;

    TRY(prepare_foreign(conn, question, true, arena, diag, &asker.question));
    TRY(find_by_own_ids(&asker, question));
    TRY(find_candidates(&asker.finder, &asker.question));
    is_full = asker.finder.rows.n > ROWS_MAX;
    if (!is_full) {
        TRY(look_at_all(&asker, &is_full));
    }
    conclude(&asker, is_full);
    *ret_answer = asker.answer;
    return OK;
}
