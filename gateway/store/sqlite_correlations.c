/*
 * What other communities told us, in the SQLite engine's table (store/correlation.h). Called within
 * the transaction of one store call, on its thread.
 */
#include "store/person_text.h"
#include "store/sqlite.h"

#define PERSON_BYTES ((size_t)256 * 1024)

/* How many expired rows go when others are learned: the work of a call is bounded. */
#define EXPIRED_MAX 256

static void
bind_key(struct db_query *query, const struct correlation_key *key)
{
    db_text(query, key->local.root);
    db_text(query, key->local.extension);
    db_text(query, span_of_cstr(key->question));
    db_text(query, key->asked);
}

static struct status
remove_expired(struct db_conn *conn, int64_t now_us, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "DELETE FROM correlations WHERE (local_root, local_extension, question, asked,"
               " position) IN (SELECT local_root, local_extension, question, asked, position"
               " FROM correlations WHERE until_us <= ? ORDER BY until_us LIMIT ?)",
               &query);
    db_int(&query, now_us);
    db_int(&query, EXPIRED_MAX);
    return db_run(&query, diag);
}

static struct status
remove_key(struct db_conn *conn, const struct correlation_key *key, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "DELETE FROM correlations WHERE local_root = ? AND local_extension = ?"
               " AND question = ? AND asked = ?",
               &query);
    bind_key(&query, key);
    return db_run(&query, diag);
}

static struct status
insert_row(struct db_conn *conn, const struct correlation *correlation, size_t position,
           const struct correlation_match *match, struct span person, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    const struct ident none = {0};
    const struct ident *id = match == NULL ? &none : &match->patient.ids.items[0];

    db_prepare(conn,
               "INSERT INTO correlations (local_root, local_extension, question, asked, position,"
               " community, remote_root, remote_extension, person, degree, partner, learned_us,"
               " until_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               &query);
    bind_key(&query, &correlation->key);
    db_int(&query, (int64_t)position);
    db_text(&query, match == NULL ? correlation->key.asked : match->community);
    db_text(&query, id->root);
    db_text(&query, id->extension);
    db_text(&query, person);
    db_int(&query, match == NULL ? -1 : match->degree);
    db_text(&query, correlation->partner);
    db_int(&query, correlation->learned_us);
    db_int(&query, correlation->until_us);
    return db_run(&query, diag);
}

static struct status
insert_match(struct db_conn *conn, const struct correlation *correlation, size_t position,
             struct diag *diag)
{
    CLEANUP(buf_done) struct buf person;
    const struct correlation_match *match = &correlation->matches.items[position];

    buf_init_secret(&person, PERSON_BYTES);
    TRY(person_text_write(&match->patient, &person, diag));
    return insert_row(conn, correlation, position, match, buf_span(&person), diag);
}

/* An id without which the match is of no use. */
static bool
can_be_kept(const struct correlation *correlation)
{
    for (size_t i = 0; i < correlation->matches.n; i++) {
        if (correlation->matches.items[i].patient.ids.n == 0) {
            return false;
        }
    }
    return correlation->matches.n <= CORRELATION_MATCHES_MAX;
}

struct status
sqlite_correlation_learn(struct sqlite_store *store, struct db_conn *conn,
                         const struct correlation *correlation, struct diag *diag)
{
    const int64_t now_us = clock_wall_us(store->clock);

    TRY(remove_expired(conn, now_us, diag));
    TRY(remove_key(conn, &correlation->key, diag));
    if (correlation->until_us <= now_us || !can_be_kept(correlation)) {
        return OK;
    }
    if (correlation->matches.n == 0) {
        return insert_row(conn, correlation, 0, NULL, SPAN_EMPTY, diag);
    }
    for (size_t i = 0; i < correlation->matches.n; i++) {
        TRY(insert_match(conn, correlation, i, diag));
    }
    return OK;
}

/* ---- finding ---- */

/* community, remote_root, person, degree, learned_us, until_us, partner from column 0 on. */
#define MATCH_COLUMNS "community, remote_root, person, degree, learned_us, until_us, partner"

static struct status
read_match(const struct db_query *query, struct arena *arena, struct diag *diag,
           struct correlation_match_list *matches)
{
    struct correlation_match match = {.degree = (int)db_column_int(query, 3)};
    struct span root, person;

    TRY(db_column_text(query, 1, arena, diag, &root));
    if (root.n == 0) {
        return OK; /* nobody */
    }
    TRY(db_column_text(query, 0, arena, diag, &match.community));
    TRY(db_column_text(query, 2, arena, diag, &person));
    TRY(person_text_read(person, arena, diag, &match.patient));
    return ARENA_PUSH(arena, diag, matches, match);
}

struct status
sqlite_correlation_find(struct sqlite_store *store, struct db_conn *conn,
                        const struct correlation_key *key, struct arena *arena, struct diag *diag,
                        bool *ret_is_known, struct correlation *ret_found)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct correlation found = {.key = *key};
    bool has_row = false, is_known = false;

    db_prepare(conn,
               "SELECT " MATCH_COLUMNS " FROM correlations WHERE local_root = ?"
               " AND local_extension = ? AND question = ? AND asked = ? AND until_us > ?"
               " ORDER BY position",
               &query);
    bind_key(&query, key);
    db_int(&query, clock_wall_us(store->clock));
    for (;;) {
        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            break;
        }
        is_known = true;
        found.learned_us = db_column_int(&query, 4);
        found.until_us = db_column_int(&query, 5);
        TRY(db_column_text(&query, 6, arena, diag, &found.partner));
        TRY(read_match(&query, arena, diag, &found.matches));
    }
    *ret_is_known = is_known;
    *ret_found = found;
    return OK;
}

struct status
sqlite_correlation_ids(struct sqlite_store *store, struct db_conn *conn, const struct ident *local,
                       struct arena *arena, struct diag *diag,
                       struct correlation_match_list *ret_matches)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct correlation_match_list matches = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT " MATCH_COLUMNS " FROM correlations WHERE local_root = ?"
               " AND local_extension = ? AND until_us > ? ORDER BY community, remote_root,"
               " remote_extension",
               &query);
    db_text(&query, local->root);
    db_text(&query, local->extension);
    db_int(&query, clock_wall_us(store->clock));
    for (;;) {
        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            *ret_matches = matches;
            return OK;
        }
        TRY(read_match(&query, arena, diag, &matches));
    }
}

struct status
sqlite_correlation_forget(struct db_conn *conn, const struct correlation_forget *what,
                          struct diag *diag, uint64_t *ret_forgotten)
{
    CLEANUP(db_end) struct db_query query = {0};
    CLEANUP(db_end) struct db_query changes = {0};
    bool has_row = false;

    db_prepare(conn,
               "DELETE FROM correlations WHERE (?1 = '' OR (local_root = ?1"
               " AND local_extension = ?2)) AND (?3 = '' OR partner = ?3)",
               &query);
    db_text(&query, what->local.root);
    db_text(&query, what->local.extension);
    db_text(&query, what->partner);
    TRY(db_run(&query, diag));
    db_prepare(conn, "SELECT changes()", &changes);
    TRY(db_step(&changes, diag, &has_row));
    *ret_forgotten = has_row ? (uint64_t)db_column_int(&changes, 0) : 0;
    return OK;
}
