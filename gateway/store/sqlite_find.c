/*
 * DocumentEntries by what they are about, by their ids, and by both. Called by the stored queries
 * within the read transaction of one store call, on its thread.
 */
#include "store/sqlite.h"
#include "store/sqlite_lists.h"

/* ---- FindDocuments ---- */

/* Does the document have one of the codes in JSON parameter ?n (empty: no restriction)? */
#define HAS_CODE(n, kind)                                                                          \
    " AND (?" n " = '[]' OR EXISTS (SELECT 1 FROM json_each(?" n ") AS want"                       \
    " JOIN document_codes AS c ON c.document = d.id AND c.kind = " kind                            \
    " AND c.code = want.value ->> 0"                                                               \
    " AND (want.value ->> 1 = '' OR c.scheme = want.value ->> 1)))"

/* One of each list in ?n: a repeated slot is AND, its values are OR (ITI TF-2 3.18.4.1.2.3.5). */
#define HAS_CODE_OF_EACH(n, kind)                                                                  \
    " AND NOT EXISTS (SELECT 1 FROM json_each(?" n ") AS slot WHERE NOT EXISTS ("                  \
    "SELECT 1 FROM json_each(slot.value) AS want"                                                  \
    " JOIN document_codes AS c ON c.document = d.id AND c.kind = " kind                            \
    " AND c.code = want.value ->> 0"                                                               \
    " AND (want.value ->> 1 = '' OR c.scheme = want.value ->> 1)))"

/* One of each list of reference ids, each compared as a whole. */
#define HAS_REFERENCE_OF_EACH(n)                                                                   \
    " AND NOT EXISTS (SELECT 1 FROM json_each(?" n ") AS slot WHERE NOT EXISTS ("                  \
    "SELECT 1 FROM json_each(slot.value) AS want"                                                  \
    " JOIN document_texts AS x ON x.document = d.id AND x.kind = 1 AND x.value = want.value))"

/* From <= t < To; entries without the time are not excluded. */
#define IN_RANGE(column, from, to)                                                                 \
    " AND (d." column " = '' OR ((?" from " = '' OR d." column " >= ?" from ")"                    \
    " AND (?" to " = '' OR d." column " < ?" to ")))"

/* clang-format off */
static const char find_sql[] =
    "SELECT " SQLITE_ENTRY_COLUMNS " FROM documents AS d JOIN patients AS p ON p.id = d.patient"
    " WHERE p.public_id = ?1"
    " AND (?2 = '[]' OR d.status IN (SELECT value FROM json_each(?2)))"
    " AND d.object_type IN (SELECT value FROM json_each(?3))"
    HAS_CODE("4", "1") HAS_CODE("5", "2") HAS_CODE("6", "3") HAS_CODE("7", "4") HAS_CODE("8", "5")
    HAS_CODE_OF_EACH("9", "6") HAS_CODE_OF_EACH("10", "7")
    " AND (?11 = '[]' OR EXISTS (SELECT 1 FROM json_each(?11) AS want"
    "  JOIN document_authors AS a ON a.document = d.id AND a.person LIKE want.value))"
    " AND (d.object_type = '" DOCUMENT_ON_DEMAND "' OR (1" IN_RANGE("creation_key", "12", "13") "))"
    IN_RANGE("service_start_key", "14", "15")
    IN_RANGE("service_stop_key", "16", "17")
    HAS_REFERENCE_OF_EACH("18")
    " ORDER BY d.creation_key, d.id";
/* clang-format on */
_Static_assert(SQLITE_CODE_CLASS == 1 && SQLITE_CODE_TYPE == 2 && SQLITE_CODE_FORMAT == 3 &&
                   SQLITE_CODE_FACILITY == 4 && SQLITE_CODE_PRACTICE == 5 &&
                   SQLITE_CODE_CONFIDENTIALITY == 6 && SQLITE_CODE_EVENT == 7,
               "find_sql spells the kinds as numbers");
_Static_assert(SQLITE_TEXT_REFERENCE == 1, "find_sql spells the kind as a number");

/* Parameters 2 to 11, in their order, and 18. */
#define LISTS_BEFORE_TIMES 10
static struct status
write_filter(const struct store_filter *filter, const struct span_list_set *reference_ids,
             struct sqlite_lists *lists, struct diag *diag)
{
    struct span stable = SPAN(DOCUMENT_STABLE);
    const struct span_list only_stable = {&stable, 1, 1};

    TRY(sqlite_lists_texts(lists, &filter->status, diag));
    TRY(sqlite_lists_texts(lists, filter->object_types.n > 0 ? &filter->object_types : &only_stable,
                           diag));
    TRY(sqlite_lists_codes(lists, &filter->class_codes, diag));
    TRY(sqlite_lists_codes(lists, &filter->type_codes, diag));
    TRY(sqlite_lists_codes(lists, &filter->format_codes, diag));
    TRY(sqlite_lists_codes(lists, &filter->facility_types, diag));
    TRY(sqlite_lists_codes(lists, &filter->practice_settings, diag));
    TRY(sqlite_lists_code_sets(lists, filter->confidentiality.items, filter->confidentiality.n,
                               diag));
    TRY(sqlite_lists_code_sets(lists, filter->event_codes.items, filter->event_codes.n, diag));
    TRY(sqlite_lists_texts(lists, &filter->authors, diag));
    return sqlite_lists_text_sets(lists, reference_ids->items, reference_ids->n, diag);
}

#define TIMES_N 6
struct time_keys {
    char keys[TIMES_N][15];
};

/* REQ: SQ-dates, SQ-dates-absent */
static struct status
write_times(const struct store_filter *filter, struct diag *diag, struct time_keys *ret_keys)
{
    const struct {
        const char *name;
        struct span dtm;
    } times[TIMES_N] = {
        {"CreationTimeFrom", filter->creation_from},
        {"CreationTimeTo", filter->creation_to},
        {"ServiceStartTimeFrom", filter->service_start_from},
        {"ServiceStartTimeTo", filter->service_start_to},
        {"ServiceStopTimeFrom", filter->service_stop_from},
        {"ServiceStopTimeTo", filter->service_stop_to},
    };

    for (size_t i = 0; i < TIMES_N; i++) {
        if (!sqlite_dtm_key(times[i].dtm, ret_keys->keys[i])) {
            return FAIL(diag, ERR_MESSAGE_CONTENT, "%s is not a DTM (YYYY[MM[DD[hh[mm[ss]]]]])",
                        times[i].name);
        }
    }
    return OK;
}

struct status
sqlite_results_check(size_t n, struct diag *diag)
{
    return n <= STORE_RESULTS_MAX
               ? OK
               : FAIL(diag, ERR_LIMIT_RESULTS,
                      "the query finds more than %d objects, which is the most that one answer "
                      "holds; ask with more restrictions",
                      STORE_RESULTS_MAX);
}

static struct status
read_all(struct sqlite_store *store, struct db_conn *conn, struct db_query *query,
         struct arena *arena, struct diag *diag, struct document_list *documents)
{
    bool has_row = false;

    for (;;) {
        struct sqlite_entry_row row;
        struct document_entry entry;

        TRY(db_step(query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(sqlite_results_check(documents->n + 1, diag));
        TRY(sqlite_entry_read(store, query, arena, diag, &row, &entry));
        TRY(sqlite_entry_complete(conn, &row, arena, diag, &entry));
        TRY(ARENA_PUSH(arena, diag, documents, entry));
    }
}

/* REQ: ITI38-find-documents */
struct status
sqlite_find_documents(struct sqlite_store *store, struct db_conn *conn,
                      const struct store_filter *filter, const struct span_list_set *reference_ids,
                      struct arena *arena, struct diag *diag, struct document_list *ret_documents)
{
    CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
    CLEANUP(db_end) struct db_query query = {0};
    struct document_list documents = {0};
    struct time_keys times;

    sqlite_lists_init(&lists);
    TRY(write_times(filter, diag, &times));
    TRY(write_filter(filter, reference_ids, &lists, diag));
    if (!span_eq_cstr(filter->patient_id.root, store->patient_authority)) {
        *ret_documents = documents; /* an id that we never gave out */
        return OK;
    }
    db_prepare(conn, find_sql, &query);
    db_text(&query, filter->patient_id.extension);
    for (size_t i = 0; i < LISTS_BEFORE_TIMES; i++) {
        db_text(&query, sqlite_lists_text(&lists, i));
    }
    for (size_t i = 0; i < TIMES_N; i++) {
        db_text(&query, span_of_cstr(times.keys[i]));
    }
    db_text(&query, sqlite_lists_text(&lists, LISTS_BEFORE_TIMES));
    TRY(read_all(store, conn, &query, arena, diag, &documents));
    *ret_documents = documents;
    return OK;
}

/* ---- by their ids ---- */

/* REQ: ITI38-get-documents */
struct status
sqlite_get_documents(struct sqlite_store *store, struct db_conn *conn,
                     const struct span_list *entry_uuids, const struct span_list *unique_ids,
                     struct arena *arena, struct diag *diag, struct document_list *ret_documents)
{
    CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
    CLEANUP(db_end) struct db_query query = {0};
    struct document_list documents = {0};

    sqlite_lists_init(&lists);
    TRY(sqlite_lists_texts(&lists, entry_uuids->n > 0 ? entry_uuids : unique_ids, diag));
    if (entry_uuids->n > 0) {
        db_prepare(conn,
                   "SELECT " SQLITE_ENTRY_COLUMNS " FROM documents AS d"
                   " JOIN patients AS p ON p.id = d.patient"
                   " WHERE d.entry_uuid IN (SELECT value FROM json_each(?1)) ORDER BY d.id",
                   &query);
    } else {
        db_prepare(conn,
                   "SELECT " SQLITE_ENTRY_COLUMNS " FROM documents AS d"
                   " JOIN patients AS p ON p.id = d.patient"
                   " WHERE d.unique_id IN (SELECT value FROM json_each(?1)) ORDER BY d.id",
                   &query);
    }
    db_text(&query, sqlite_lists_text(&lists, 0));
    TRY(read_all(store, conn, &query, arena, diag, &documents));
    *ret_documents = documents;
    return OK;
}

/* clang-format off */
static const char filter_sql[] =
    "SELECT " SQLITE_ENTRY_COLUMNS " FROM documents AS d JOIN patients AS p ON p.id = d.patient"
    " WHERE d.entry_uuid IN (SELECT value FROM json_each(?1))"
    " AND d.object_type IN (SELECT value FROM json_each(?2))"
    HAS_CODE("3", "3") HAS_CODE_OF_EACH("4", "6")
    " ORDER BY d.id";
/* clang-format on */

struct status
sqlite_filter_documents(struct sqlite_store *store, struct db_conn *conn,
                        const struct span_list *entry_uuids, const struct store_filter *filter,
                        struct arena *arena, struct diag *diag, struct document_list *ret_documents)
{
    CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
    CLEANUP(db_end) struct db_query query = {0};
    struct document_list documents = {0};
    struct span stable = SPAN(DOCUMENT_STABLE);
    const struct span_list only_stable = {&stable, 1, 1};

    sqlite_lists_init(&lists);
    TRY(sqlite_lists_texts(&lists, entry_uuids, diag));
    TRY(sqlite_lists_texts(
        &lists, filter->object_types.n > 0 ? &filter->object_types : &only_stable, diag));
    TRY(sqlite_lists_codes(&lists, &filter->format_codes, diag));
    TRY(sqlite_lists_code_sets(&lists, filter->confidentiality.items, filter->confidentiality.n,
                               diag));
    db_prepare(conn, filter_sql, &query);
    for (size_t i = 0; i < lists.n; i++) {
        db_text(&query, sqlite_lists_text(&lists, i));
    }
    TRY(read_all(store, conn, &query, arena, diag, &documents));
    *ret_documents = documents;
    return OK;
}
