/*
 * Asking the search index of audit records. Called by `isthmus audit`, on its thread. Each way to
 * look for records that has an index of its own (a patient, a document, a message, a transaction,
 * time alone) is one statement in each order; the other conditions are checked on its rows.
 *
 * The ids of patients that are asked for are a temporary table of the connection.
 */
#include <stdio.h>
#include <string.h>

#include "store/audit_index_file.h"

/* What every statement checks on its rows; a parameter that is '' (or -1) holds for all. */
#define CONDITIONS                                                                                 \
    " r.time_us >= ?1 AND r.time_us < ?2"                                                          \
    " AND (?3 = '' OR instr(r.user, ?3) > 0)"                                                      \
    " AND (?4 = '' OR instr(r.organization, ?4) > 0)"                                              \
    " AND (?5 = '' OR r.partner = ?5 OR r.community = ?5)"                                         \
    " AND (?6 = '' OR r.purpose = ?6) AND (?7 = '' OR r.type = ?7)"                                \
    " AND (?8 = '' OR r.phase = ?8) AND (?9 = '' OR r.rule = ?9)"                                  \
    " AND (?10 < 0 OR r.outcome BETWEEN ?10 AND ?11)"                                              \
    " AND (?12 = '' OR EXISTS (SELECT 1 FROM documents d WHERE d.record = r.id"                    \
    "      AND d.document = ?12))"                                                                 \
    " AND (?13 = '' OR r.message = ?13 OR r.message = 'urn:uuid:' || ?13)"                         \
    " AND (?14 = '' OR r.transaction_id = ?14)"

#define PLACE "r.chain, r.sequence, r.time_us"
#define OF_PATIENT                                                                                 \
    " FROM temp.wanted w JOIN patients p ON p.patient >= w.least AND p.patient < w.beyond"         \
    " JOIN records r ON r.id = p.record WHERE" CONDITIONS
#define OF_DOCUMENT                                                                                \
    " FROM documents x JOIN records r ON r.id = x.record WHERE x.document = ?12 AND" CONDITIONS
#define OF_MESSAGE                                                                                 \
    " FROM records r WHERE r.message IN (?13, 'urn:uuid:' || ?13) AND r.message <> ''"             \
    " AND" CONDITIONS
#define OF_TRANSACTION                                                                             \
    " FROM records r WHERE r.transaction_id = ?14 AND r.transaction_id <> '' AND" CONDITIONS
#define BY_TIME " FROM records r WHERE" CONDITIONS

#define ASCENDING                                                                                  \
    " AND (r.time_us, r.chain, r.sequence) > (?15, ?16, ?17)"                                      \
    " ORDER BY r.time_us, r.chain, r.sequence LIMIT ?18"
#define DESCENDING                                                                                 \
    " AND (r.time_us, r.chain, r.sequence) < (?15, ?16, ?17)"                                      \
    " ORDER BY r.time_us DESC, r.chain DESC, r.sequence DESC LIMIT ?18"

enum way { WAY_PATIENT, WAY_DOCUMENT, WAY_MESSAGE, WAY_TRANSACTION, WAY_TIME };
#define WAY(what, from)                                                                            \
    {                                                                                              \
        "SELECT " what PLACE from ASCENDING, "SELECT " what PLACE from DESCENDING,                 \
            "SELECT count(*) FROM (SELECT " what PLACE from ASCENDING ")"                          \
    }
static const struct {
    const char *ascending, *descending, *count;
} statements[] = {
    [WAY_PATIENT] = WAY("DISTINCT ", OF_PATIENT), /* two of its ids may be asked for */
    [WAY_DOCUMENT] = WAY("", OF_DOCUMENT),        [WAY_MESSAGE] = WAY("", OF_MESSAGE),
    [WAY_TRANSACTION] = WAY("", OF_TRANSACTION),  [WAY_TIME] = WAY("", BY_TIME),
};

static enum way
way_of(const struct audit_index_query *wanted)
{
    if (wanted->patients.n > 0) { /* the only condition that the others do not check */
        return WAY_PATIENT;
    }
    if (wanted->transaction.n > 0) {
        return WAY_TRANSACTION;
    }
    if (wanted->message.n > 0) {
        return WAY_MESSAGE;
    }
    return wanted->document.n > 0 ? WAY_DOCUMENT : WAY_TIME;
}

/* ---- patients ---- */

bool
audit_index_patient_is(struct span asked, struct span patient)
{
    const bool is_alone = asked.n > 0 && memchr(asked.p, '^', asked.n) == NULL;

    if (!span_starts_with(patient, asked)) {
        return false;
    }
    if (patient.n == asked.n) {
        return !is_alone;
    }
    return patient.p[asked.n] == (is_alone ? '^' : '&');
}

static struct status
want_stretch(struct audit_index *index, struct span asked, const char *least, const char *beyond,
             struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(index->conn, "INSERT INTO temp.wanted (least, beyond) VALUES (?1 || ?2, ?1 || ?3)",
               &query);
    db_text(&query, asked);
    db_text(&query, span_of_cstr(least));
    db_text(&query, span_of_cstr(beyond));
    return db_run(&query, diag);
}

/* The characters behind '&' and '^' end their stretches; the first one behind nothing is 1. */
static struct status
want_patients(struct audit_index *index, const struct span_list *asked, struct diag *diag)
{
    TRY(db_script(index->conn,
                  "CREATE TEMP TABLE IF NOT EXISTS wanted"
                  " (least TEXT NOT NULL, beyond TEXT NOT NULL) STRICT; DELETE FROM temp.wanted",
                  diag));
    for (size_t i = 0; i < asked->n; i++) {
        const struct span id = asked->items[i];

        if (memchr(id.p, '^', id.n) == NULL) {
            TRY(want_stretch(index, id, "^", "_", diag));
        } else {
            TRY(want_stretch(index, id, "", "\x01", diag));
            TRY(want_stretch(index, id, "&", "'", diag));
        }
    }
    return OK;
}

/* ---- finding ---- */

static struct status
read_anchor(struct audit_index *index, const struct audit_index_place *after, struct diag *diag,
            int64_t *ret_us)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(index->conn, "SELECT time_us FROM records WHERE chain = ? AND sequence = ?", &query);
    db_text(&query, span_of_cstr(after->chain));
    db_int(&query, (int64_t)after->sequence);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return FAIL(diag, ERR_NOT_FOUND, "there is no record %s/%llu to go on behind", after->chain,
                    (unsigned long long)after->sequence);
    }
    *ret_us = db_column_int(&query, 0);
    return OK;
}

static void
bind_query(struct db_query *query, const struct audit_index_query *wanted)
{
    db_int(query, wanted->since_us);
    db_int(query, wanted->until_us);
    db_text(query, wanted->user);
    db_text(query, wanted->organization);
    db_text(query, wanted->partner);
    db_text(query, wanted->purpose);
    db_text(query, wanted->type);
    db_text(query, wanted->phase);
    db_text(query, wanted->rule);
    db_int(query, wanted->outcome);
    db_int(query, wanted->outcome_most);
    db_text(query, wanted->document);
    db_text(query, wanted->message);
    db_text(query, wanted->transaction);
}

static struct status
read_place(const struct db_query *query, struct arena *arena, struct diag *diag,
           struct audit_index_places *places)
{
    struct audit_index_place place = {0};
    struct span chain = SPAN_EMPTY;

    TRY(db_column_blob(query, 0, diag, &chain));
    (void)snprintf(place.chain, sizeof(place.chain), "%.*s", SPAN_PRINT(chain));
    place.sequence = (uint64_t)db_column_int(query, 1);
    return ARENA_PUSH(arena, diag, places, place);
}

static struct status
read_places(struct audit_index *index, const struct audit_index_query *wanted, int64_t after_us,
            struct arena *arena, struct diag *diag, struct audit_index_places *places)
{
    CLEANUP(db_end) struct db_query query = {0};
    const enum way way = way_of(wanted);
    bool has_row = true;

    db_prepare(index->conn,
               wanted->is_newest_first ? statements[way].descending : statements[way].ascending,
               &query);
    bind_query(&query, wanted);
    db_int(&query, after_us);
    db_text(&query, span_of_cstr(wanted->after.chain));
    db_int(&query, (int64_t)wanted->after.sequence);
    db_int(&query, (int64_t)wanted->limit + 1);
    for (;;) {
        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(read_place(&query, arena, diag, places));
    }
}

struct status
audit_index_find(struct audit_index *index, const struct audit_index_query *wanted,
                 struct arena *arena, struct diag *diag, struct audit_index_places *ret_places,
                 bool *ret_has_more)
{
    struct audit_index_places places = {0};
    int64_t after_us = wanted->is_newest_first ? INT64_MAX : INT64_MIN;

    if (wanted->after.sequence > 0) {
        TRY(read_anchor(index, &wanted->after, diag, &after_us));
    }
    TRY(want_patients(index, &wanted->patients, diag));
    TRY(read_places(index, wanted, after_us, arena, diag, &places));
    *ret_has_more = places.n > wanted->limit;
    places.n = *ret_has_more ? wanted->limit : places.n;
    *ret_places = places;
    return OK;
}

struct status
audit_index_count(struct audit_index *index, const struct audit_index_query *wanted,
                  struct diag *diag, uint64_t *ret_n)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    TRY(want_patients(index, &wanted->patients, diag));
    db_prepare(index->conn, statements[way_of(wanted)].count, &query);
    bind_query(&query, wanted);
    db_int(&query, INT64_MIN);
    db_text(&query, SPAN_EMPTY);
    db_int(&query, 0);
    db_int(&query, -1);
    TRY(db_step(&query, diag, &has_row));
    *ret_n = (uint64_t)db_column_int(&query, 0);
    return OK;
}
