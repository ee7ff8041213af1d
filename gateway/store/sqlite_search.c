/*
 * People who are searched for (store/search.h), in the SQLite engine: candidates come from the
 * tables by the keys of their family names, by identifiers or by the birth date, and search_holds
 * decides about each. Called within the transaction of one store call, on its thread.
 */
#include <stdlib.h>

#include "store/search.h"
#include "store/sqlite.h"
#include "store/sqlite_tables.h"

#define CANDIDATE_BYTES ARENA_LIMIT_DEFAULT
#define LAST_DAY        "99999999"

struct searcher {
    const struct sqlite_store *store;
    struct db_conn *conn;
    struct arena *arena;
    struct diag *diag;
    struct search search;
    struct {
        int64_t *items;
        size_t n, capacity;
    } rows;
    struct span low, high; /* birth dates that are asked for; "": those who have none, too */
};

static struct status
too_many(const struct searcher *s, size_t most)
{
    return FAIL(s->diag, ERR_LIMIT_RESULTS,
                "the question looks at more than %zu people; a family name, an id or a birth date "
                "that fewer have is needed",
                most);
}

static struct status
add_rows(struct searcher *s, struct db_query *query)
{
    bool has_row = false;

    for (;;) {
        TRY(db_step(query, s->diag, &has_row));
        if (!has_row) {
            return OK;
        }
        if (s->rows.n == 4 * STORE_PEOPLE_MAX) { /* somebody may be found by several keys */
            return too_many(s, STORE_PEOPLE_MAX);
        }
        TRY(ARENA_PUSH(s->arena, s->diag, &s->rows, db_column_int(query, 0)));
    }
}

/* ---- candidates ---- */

static struct status
add_by_key(struct searcher *s, struct span key)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(s->conn, SQLITE_FIND_BY_KEY, &query);
    db_text(&query, key);
    db_text(&query, s->low);
    db_text(&query, s->high);
    return add_rows(s, &query);
}

/* Keys are folded text: none of their bytes is 0xff. */
static struct status
add_by_prefix(struct searcher *s, struct span prefix)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span end;

    TRY(arena_printf(s->arena, s->diag, &end, "%.*s\xff", SPAN_PRINT(prefix)));
    db_prepare(s->conn, SQLITE_FIND_BY_PREFIX, &query);
    db_text(&query, prefix);
    db_text(&query, end);
    db_text(&query, s->low);
    db_text(&query, s->high);
    return add_rows(s, &query);
}

static struct status
add_by_name(struct searcher *s, const struct search_name *name)
{
    struct match_name of_key = {.folded = name->folded};
    const struct match_person person = {.names = {&of_key, 1, 1}};
    struct span_list keys;

    if (name->is_family_prefix) {
        return add_by_prefix(s, name->folded.family);
    }
    TRY(match_family_keys(&person, s->arena, s->diag, &keys));
    for (size_t i = 0; i < keys.n; i++) {
        TRY(add_by_key(s, keys.items[i]));
    }
    return OK;
}

/* Each name must be findable: one without a family name may be anybody's. */
static bool
has_family_names(const struct searcher *s)
{
    for (size_t i = 0; i < s->search.names.n; i++) {
        if (s->search.names.items[i].folded.family.n == 0) {
            return false;
        }
    }
    return s->search.names.n > 0;
}

static struct status
add_by_names(struct searcher *s)
{
    for (size_t i = 0; i < s->search.names.n; i++) {
        TRY(add_by_name(s, &s->search.names.items[i]));
    }
    return OK;
}

static struct status
add_by_ids(struct searcher *s)
{
    const struct patient *asked = s->search.asked;
    int64_t row;

    for (size_t i = 0; i < asked->ids.n; i++) {
        if (span_eq_cstr(asked->ids.items[i].root, s->store->patient_authority)) {
            TRY(sqlite_patient_find(s->conn, asked->ids.items[i].extension, s->diag, &row));
            TRY(row == 0 ? OK : ARENA_PUSH(s->arena, s->diag, &s->rows, row));
        }
    }
    for (size_t i = 0; i < s->search.person.ids.n; i++) {
        CLEANUP(db_end) struct db_query query = {0};

        db_prepare(s->conn, SQLITE_FIND_BY_ID, &query);
        db_text(&query, s->search.person.ids.items[i].root);
        db_text(&query, s->search.person.ids.items[i].key);
        TRY(add_rows(s, &query));
    }
    return OK;
}

/* Without a name or an id: those with the birth date, or, where few are known, everybody. */
static struct status
add_by_birth(struct searcher *s)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(s->conn,
               "SELECT id FROM patients WHERE birth_date >= ? AND birth_date <= ? ORDER BY id"
               " LIMIT ?",
               &query);
    db_text(&query, s->low);
    db_text(&query, s->high);
    db_int(&query, (int64_t)STORE_PEOPLE_MAX + 1);
    return add_rows(s, &query);
}

static bool
has_last_four(const struct match_person *person)
{
    for (size_t i = 0; i < person->ids.n; i++) {
        if (person->ids.items[i].is_last_four) {
            return true;
        }
    }
    return false;
}

static int
compare_rows(const void *a, const void *b)
{
    const int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

    return one < other ? -1 : one > other ? 1 : 0;
}

static void
take_each_once(struct searcher *s)
{
    size_t kept = 0;

    if (s->rows.n > 1) {
        qsort(s->rows.items, s->rows.n, sizeof(s->rows.items[0]), compare_rows);
    }
    for (size_t i = 0; i < s->rows.n; i++) {
        if (i == 0 || s->rows.items[i] != s->rows.items[kept - 1]) {
            s->rows.items[kept++] = s->rows.items[i];
        }
    }
    s->rows.n = kept;
}

static void
find_days(struct searcher *s)
{
    const struct match_person *person = &s->search.person;

    s->low = SPAN("");
    s->high = SPAN(LAST_DAY);
    if (person->birth_date.n > 0) {
        s->low = person->birth_date;
        s->high = person->birth_date;
    } else if (person->birth_low[0] != '\0') {
        s->low = span_of_cstr(person->birth_low);
        s->high = span_of_cstr(person->birth_high);
    }
}

static struct status
find_candidates(struct searcher *s)
{
    find_days(s);
    if (s->search.asked->ids.n > 0 && !has_last_four(&s->search.person)) {
        TRY(add_by_ids(s));
    } else if (has_family_names(s)) {
        TRY(add_by_names(s));
    } else {
        TRY(add_by_birth(s));
    }
    take_each_once(s);
    return s->rows.n > STORE_PEOPLE_MAX ? too_many(s, STORE_PEOPLE_MAX) : OK;
}

/* ---- deciding ---- */

static struct status
load(const struct searcher *s, int64_t row, struct arena *arena, struct sqlite_patient *ret_stored,
     bool *ret_holds)
{
    struct match_person person;

    TRY(sqlite_patient_load(s->conn, row, arena, s->diag, ret_stored));
    TRY(match_prepare(&ret_stored->patient, ret_stored->is_unreliable, arena, s->diag, &person));
    TRY(match_person_own(&person, span_of_cstr(s->store->patient_authority), ret_stored->public_id,
                         arena, s->diag));
    *ret_holds = search_holds(&s->search, &person);
    return OK;
}

/* In memory of its own for each candidate: most are none. */
static struct status
look_at(const struct searcher *s, int64_t row, bool *ret_holds)
{
    struct arena *arena = arena_new(CANDIDATE_BYTES);
    struct sqlite_patient stored;
    struct status st;

    if (arena == NULL) {
        return FAIL(s->diag, ERR_NO_MEMORY, "no memory for a candidate");
    }
    st = load(s, row, arena, &stored, ret_holds);
    arena_free(arena);
    return st;
}

static struct status
take(const struct searcher *s, int64_t row, struct store_people *people)
{
    struct sqlite_patient stored;
    struct patient patient;

    TRY(sqlite_patient_load(s->conn, row, s->arena, s->diag, &stored));
    TRY(sqlite_patient_present(s->store, &stored, s->arena, s->diag, &patient));
    return ARENA_PUSH(s->arena, s->diag, people, patient);
}

struct status
sqlite_search(const struct sqlite_store *store, struct db_conn *conn, const struct patient *asked,
              size_t most, struct arena *arena, struct diag *diag, struct store_people *ret_people)
{
    struct searcher s = {.store = store, .conn = conn, .arena = arena, .diag = diag};
    struct store_people people = {0};
    bool *is_unreliable = NULL;

    TRY(sqlite_patient_doubts(conn, asked, arena, diag, &is_unreliable));
    TRY(search_prepare(asked, is_unreliable, arena, diag, &s.search));
    TRY(find_candidates(&s));
    for (size_t i = 0; i < s.rows.n; i++) {
        bool holds = false;

        TRY(look_at(&s, s.rows.items[i], &holds));
        if (holds && people.n == most) {
            return FAIL(diag, ERR_LIMIT_RESULTS,
                        "more than %zu people are as the question says; it must say more", most);
        }
        TRY(holds ? take(&s, s.rows.items[i], &people) : OK);
    }
    *ret_people = people;
    return OK;
}
