/*
 * Learning a person whom a supplier of demographics knows: joined to the tables as what a document
 * says of a person is, but what contradicts the tables changes nothing. Called within the write
 * transaction of store_learn_person, on its thread.
 */
#include "store/sqlite.h"

#include "store/sqlite_learn.h"

struct learner {
    struct db_conn *conn;
    struct match_person person;
    struct arena *arena;
    struct diag *diag;
    int64_t row; /* who has one of the supplier's own ids; 0: nobody */
    bool is_contradicted;
};

/* Whoever has the supplier's id already must be the same person, by our rules. */
static struct status
look_at_owner(struct learner *learner, int64_t row)
{
    enum match_rule rule = MATCH_RULE_NO_CANDIDATE;

    TRY(sqlite_patient_compare(learner->conn, row, &learner->person, true, learner->diag, &rule));
    if (match_rule_verdict(rule) != MATCH_SAME || (learner->row != 0 && learner->row != row)) {
        learner->is_contradicted = true;
    }
    learner->row = row;
    return OK;
}

static struct status
find_owners(struct learner *learner, const struct ident *id)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;
    struct span key;

    TRY(match_id_key(id->extension, learner->arena, learner->diag, &key));
    db_prepare(learner->conn,
               "SELECT DISTINCT patient FROM identifiers WHERE root = ? AND extension_key = ?"
               " ORDER BY patient",
               &query);
    db_text(&query, id->root);
    db_text(&query, key);
    for (;;) {
        TRY(db_step(&query, learner->diag, &has_row));
        if (!has_row || learner->is_contradicted) {
            return OK;
        }
        TRY(look_at_owner(learner, db_column_int(&query, 0)));
    }
}

/* Ids of our own are ours to give out, and what identifies without an extension nobody looks up. */
static struct status
take_ids(const struct sqlite_store *store, const struct store_person *person, struct arena *arena,
         struct diag *diag, struct patient *ret_patient, size_t *ret_own)
{
    struct patient patient = *person->patient;
    size_t own = 0;

    patient.ids = (struct ident_list){0};
    for (size_t i = 0; i < person->patient->ids.n; i++) {
        const struct ident *id = &person->patient->ids.items[i];

        if (id->extension.n > 0 && !span_eq_cstr(id->root, store->patient_authority)) {
            TRY(ARENA_PUSH(arena, diag, &patient.ids, *id));
            own += i < person->own_ids ? 1 : 0;
        }
    }
    patient.scopes = (struct id_scope_list){0};
    *ret_patient = patient;
    *ret_own = own;
    return OK;
}

static struct status
put(struct learner *learner, const struct patient *patient, int64_t now_us)
{
    struct sqlite_decision decision = {MATCH_RULE_OWN_IDENTIFIER, learner->row};
    struct span public_id;
    int64_t row;

    if (learner->row == 0) {
        TRY(sqlite_patient_match(learner->conn, patient, learner->arena, learner->diag, &decision));
    }
    return sqlite_patient_put(learner->conn, patient, &decision, now_us, learner->arena,
                              learner->diag, &row, &public_id);
}

struct status
sqlite_person_learn(struct sqlite_store *store, struct db_conn *conn,
                    const struct store_person *person, struct arena *arena, struct diag *diag,
                    enum store_learned *ret_learned)
{
    struct learner learner = {.conn = conn, .arena = arena, .diag = diag};
    struct patient patient;
    size_t own = 0;

    TRY(take_ids(store, person, arena, diag, &patient, &own));
    TRY(match_prepare(&patient, NULL, arena, diag, &learner.person));
    if (own == 0 || learner.person.birth_date.n == 0 || learner.person.names.n == 0) {
        *ret_learned = STORE_LEARNED_NOT;
        return OK;
    }
    for (size_t i = 0; i < own && !learner.is_contradicted; i++) {
        TRY(find_owners(&learner, &patient.ids.items[i]));
    }
    *ret_learned = learner.is_contradicted ? STORE_LEARNED_CONTRADICTION : STORE_LEARNED_PERSON;
    return learner.is_contradicted ? OK : put(&learner, &patient, clock_wall_us(store->clock));
}
