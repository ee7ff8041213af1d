/*
 * Everything that is known of one patient (store/correlation.h), and which authorities' identifiers
 * are known at all, in the SQLite engine. Called within the transaction of one store call, on its
 * thread.
 */
#include "store/sqlite.h"
#include "store/sqlite_submit.h"

struct learner {
    struct sqlite_store *store;
    struct db_conn *conn;
    struct arena *arena;
    struct diag *diag;
    struct known_patient *known;
};

static bool
is_listed(const struct known_patient *known, const struct correlated *one)
{
    for (size_t i = 0; i < known->correlated.n; i++) {
        const struct correlated *other = &known->correlated.items[i];

        if (ident_eq(&other->id, &one->id) && span_eq(other->community, one->community) &&
            span_eq(other->partner, one->partner)) {
            return true;
        }
    }
    return false;
}

/* A question about the id that found nobody says that the id is one. */
static struct status
read_rows(const struct learner *l, struct db_query *query)
{
    bool has_row = false;

    for (;;) {
        struct correlated one = {0};

        TRY(db_step(query, l->diag, &has_row));
        if (!has_row) {
            return OK;
        }
        l->known->is_known = true;
        TRY(db_column_text(query, 0, l->arena, l->diag, &one.community));
        TRY(db_column_text(query, 1, l->arena, l->diag, &one.id.root));
        TRY(db_column_text(query, 2, l->arena, l->diag, &one.id.extension));
        TRY(db_column_text(query, 3, l->arena, l->diag, &one.partner));
        one.learned_us = db_column_int(query, 4);
        if (one.id.root.n > 0 && !is_listed(l->known, &one)) {
            TRY(ARENA_PUSH(l->arena, l->diag, &l->known->correlated, one));
        }
    }
}

/* The newest first: of what was told twice the later time counts. */
/* REQ: ITI45-no-longer-than-allowed */
static struct status
add_correlated(const struct learner *l, const struct ident *local)
{
    CLEANUP(db_end) struct db_query query = {0};

    if (local->root.n == 0 || local->extension.n == 0) {
        return OK;
    }
    db_prepare(l->conn,
               "SELECT community, remote_root, remote_extension, partner, learned_us"
               " FROM correlations WHERE local_root = ? AND local_extension = ? AND until_us > ?"
               " ORDER BY learned_us DESC, community, remote_root, remote_extension",
               &query);
    db_text(&query, local->root);
    db_text(&query, local->extension);
    db_int(&query, clock_wall_us(l->store->clock));
    return read_rows(l, &query);
}

struct status
sqlite_known_patient(struct sqlite_store *store, struct db_conn *conn, const struct ident *id,
                     struct arena *arena, struct diag *diag, struct known_patient *ret_known)
{
    struct known_patient known = {0};
    const struct learner l = {store, conn, arena, diag, &known};
    struct sqlite_patient stored;
    struct patient patient;
    int64_t row = 0;

    TRY(sqlite_patient_of_id(store, conn, id, arena, diag, &row));
    if (row != 0) {
        known.is_known = true;
        TRY(sqlite_patient_load(conn, row, arena, diag, &stored));
        TRY(sqlite_patient_present(store, &stored, arena, diag, &patient));
        known.ids = patient.ids;
    }
    TRY(add_correlated(&l, id));
    for (size_t i = 0; i < known.ids.n; i++) {
        TRY(ident_eq(&known.ids.items[i], id) ? OK : add_correlated(&l, &known.ids.items[i]));
    }
    *ret_known = known;
    return OK;
}

static struct status
knows_domain(const struct sqlite_store *store, struct db_conn *conn, struct span root,
             struct diag *diag, bool *ret_is_known)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "SELECT 1 WHERE EXISTS (SELECT 1 FROM identifiers WHERE root = ?1)"
               " OR EXISTS (SELECT 1 FROM correlations WHERE local_root = ?1 AND until_us > ?2)"
               " OR EXISTS (SELECT 1 FROM correlations WHERE remote_root = ?1 AND until_us > ?2)",
               &query);
    db_text(&query, root);
    db_int(&query, clock_wall_us(store->clock));
    return db_step(&query, diag, ret_is_known);
}

struct status
sqlite_knows_domains(const struct sqlite_store *store, struct db_conn *conn,
                     const struct span *roots, size_t n, struct diag *diag, bool *ret_is_known)
{
    for (size_t i = 0; i < n; i++) {
        ret_is_known[i] = span_eq_cstr(roots[i], store->patient_authority);
        TRY(ret_is_known[i] ? OK : knows_domain(store, conn, roots[i], diag, &ret_is_known[i]));
    }
    return OK;
}
