/*
 * Who is it? Candidates come from the tables by birth date and folded family name; match.h decides
 * about each. Called within the transaction of one store call, on its thread.
 */
#include "store/sqlite.h"

#include "base/jsonw.h"

#define JSON_BYTES      ((size_t)256 * 1024)
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

/* What comes from outside, without the ids that we know to be unreliable. */
static struct status
prepare_foreign(struct db_conn *conn, const struct patient *patient, struct arena *arena,
                struct diag *diag, struct match_person *ret_person)
{
    bool *is_unreliable = NULL;

    TRY(ARENA_ARRAY(arena, patient->ids.n, diag, &is_unreliable));
    for (size_t i = 0; i < patient->ids.n && i < MATCH_ITEMS_MAX; i++) {
        TRY(is_id_unreliable(conn, &patient->ids.items[i], arena, diag, &is_unreliable[i]));
    }
    return match_prepare(patient, is_unreliable, arena, diag, ret_person);
}

static struct status
prepare_stored(const struct sqlite_patient *stored, struct arena *arena, struct diag *diag,
               struct match_person *ret_person)
{
    return match_prepare(&stored->patient, stored->is_unreliable, arena, diag, ret_person);
}

static struct status
write_families(const struct match_person *person, struct buf *json, struct diag *diag)
{
    struct jsonw w;

    jsonw_init(&w, json, false, diag);
    jsonw_array(&w);
    for (size_t i = 0; i < person->names.n; i++) {
        jsonw_string(&w, person->names.items[i].family);
    }
    jsonw_close(&w);
    return jsonw_finish(&w);
}

/* One family name, as nearly always, needs none of the tables that a list is unpacked into. */
static bool
has_one_family(const struct match_person *person)
{
    for (size_t i = 1; i < person->names.n; i++) {
        if (!span_eq(person->names.items[i].family, person->names.items[0].family)) {
            return false;
        }
    }
    return true;
}

#define SAME_DATE_AND_NAME                                                                         \
    "SELECT id FROM patients WHERE birth_date = ?1 AND EXISTS (SELECT 1 FROM names"                \
    " WHERE names.patient = patients.id AND names.family_key "

/* Who has the birth date and one of the family names. <families> holds what the query refers to. */
static struct status
prepare_candidates(struct db_conn *conn, const struct match_person *person, struct buf *families,
                   struct diag *diag, struct db_query *query)
{
    const bool has_one = has_one_family(person);

    if (has_one) {
        db_prepare(conn, SAME_DATE_AND_NAME "= ?2) ORDER BY id", query);
    } else {
        TRY(write_families(person, families, diag));
        db_prepare(conn, SAME_DATE_AND_NAME "IN (SELECT value FROM json_each(?2))) ORDER BY id",
                   query);
    }
    db_text(query, person->birth_date);
    db_text(query, has_one ? person->names.items[0].family : buf_span(families));
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
    st = sqlite_patient_load_identity(conn, row, arena, diag, &stored);
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

/* Goes through the rows of <query>; stops at the second that agrees. */
static struct status
decide(struct db_conn *conn, struct db_query *query, const struct match_person *person,
       struct diag *diag, struct sqlite_decision *decision)
{
    bool has_row = false;

    for (;;) {
        enum match_rule rule = MATCH_RULE_NO_CANDIDATE;

        TRY(db_step(query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        const int64_t row = db_column_int(query, 0);

        TRY(sqlite_patient_compare(conn, row, person, true, diag, &rule));
        if (match_rule_verdict(rule) != MATCH_SAME) {
            if (decision->rule == MATCH_RULE_NO_CANDIDATE) {
                decision->rule = rule; /* the nearest reason why it was nobody */
            }
        } else if (decision->row == 0) {
            *decision = (struct sqlite_decision){rule, row};
        } else {
            *decision = (struct sqlite_decision){MATCH_RULE_SEVERAL, 0};
            return OK;
        }
    }
}

struct status
sqlite_patient_match(struct db_conn *conn, const struct patient *person, struct arena *arena,
                     struct diag *diag, struct sqlite_decision *ret_decision)
{
    CLEANUP(buf_done) struct buf families;
    CLEANUP(db_end) struct db_query query = {0};
    struct sqlite_decision decision = {MATCH_RULE_NO_CANDIDATE, 0};
    struct match_person prepared;

    buf_init(&families, JSON_BYTES);
    TRY(prepare_foreign(conn, person, arena, diag, &prepared));
    if (prepared.birth_date.n == 0 || prepared.names.n == 0) {
        decision.rule = prepared.names.n == 0 ? MATCH_RULE_NO_NAME : MATCH_RULE_NO_BIRTH_DATE;
        *ret_decision = decision;
        return OK;
    }
    TRY(prepare_candidates(conn, &prepared, &families, diag, &query));
    TRY(decide(conn, &query, &prepared, diag, &decision));
    *ret_decision = decision;
    return OK;
}
