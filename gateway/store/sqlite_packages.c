/*
 * SubmissionSets and Folders as rows of one table: both are packages with a patient, a time and
 * codes. Called within the transaction of one store call, on its thread.
 */
#include <assert.h>

#include "base/datetime.h"
#include "base/ids.h"
#include "store/sqlite_lists.h"
#include "store/sqlite_registry.h"

#define DTM_KEY 15

struct status
sqlite_uuid_make(struct arena *arena, struct diag *diag, struct span *ret_uuid)
{
    char uuid[UUID_TEXT];

    uuid_new(uuid);
    return arena_printf(arena, diag, ret_uuid, "urn:uuid:%s", uuid);
}

/* ---- writing ---- */

/* What both have, in the order of the columns. */
struct package {
    enum sqlite_package_kind kind;
    struct span entry_uuid, lid, unique_id, source_id, time, status, title, comments, target_home;
    bool is_limited;
    const struct code_list *codes;
    struct sqlite_slots slots;
};

static struct status
insert_codes(struct db_conn *conn, int64_t row, const struct code_list *codes, struct diag *diag)
{
    for (size_t i = 0; i < codes->n; i++) {
        CLEANUP(db_end) struct db_query query = {0};

        db_prepare(conn,
                   "INSERT INTO package_codes (package, position, code, scheme, display)"
                   " VALUES (?, ?, ?, ?, ?)",
                   &query);
        db_int(&query, row);
        db_int(&query, (int64_t)i);
        db_text(&query, codes->items[i].value);
        db_text(&query, codes->items[i].scheme);
        db_text(&query, codes->items[i].display);
        TRY(db_run(&query, diag));
    }
    return OK;
}

static struct status
insert_row(struct db_conn *conn, const struct package *package, int64_t patient, int64_t now_us,
           struct diag *diag, int64_t *ret_row)
{
    CLEANUP(db_end) struct db_query query = {0};
    const struct span texts[] = {package->entry_uuid, package->lid,      package->unique_id,
                                 package->source_id,  package->time,     package->status,
                                 package->title,      package->comments, package->target_home};
    char key[DTM_KEY];

    if (!sqlite_dtm_key(package->time, key)) {
        return FAIL(diag, ERR_INTERNAL, "a time that was checked is no DTM");
    }
    db_prepare(conn,
               "INSERT INTO packages (entry_uuid, lid, unique_id, source_id, time, status, title,"
               " comments, target_home, kind, patient, time_key, is_limited, has_slots, added_us)"
               " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               &query);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        db_text(&query, texts[i]);
    }
    db_int(&query, package->kind);
    db_int(&query, patient);
    db_text(&query, span_of_cstr(key));
    db_int(&query, package->is_limited);
    db_int(&query, sqlite_slots_are_there(&package->slots));
    db_int(&query, now_us);
    TRY(db_run(&query, diag));
    *ret_row = db_last_row_id(conn);
    return OK;
}

static struct status
insert_package(struct db_conn *conn, const struct package *package, int64_t patient, int64_t now_us,
               struct diag *diag)
{
    int64_t row = 0;

    TRY(insert_row(conn, package, patient, now_us, diag, &row));
    TRY(insert_codes(conn, row, package->codes, diag));
    if (package->slots.authors != NULL) {
        TRY(sqlite_authors_insert(conn,
                                  "INSERT INTO package_authors (package, position, person,"
                                  " institution, role, specialty, telecom)"
                                  " VALUES (?, ?, ?, ?, ?, ?, ?)",
                                  row, package->slots.authors, diag));
    }
    return sqlite_slots_insert(conn, package->entry_uuid, &package->slots, diag);
}

struct status
sqlite_set_insert(struct db_conn *conn, const struct submission_set *set, int64_t patient,
                  int64_t now_us, struct diag *diag)
{
    struct submission_set copy = *set; /* reading and writing share a description */
    const struct code_list codes = {&copy.content_type, copy.content_type.value.n > 0, 1};
    const struct package package = {
        .kind = SQLITE_PACKAGE_SET,
        .entry_uuid = set->entry_uuid,
        .lid = set->lid,
        .unique_id = set->unique_id,
        .source_id = set->source_id,
        .time = set->submission_time,
        .status = set->status,
        .title = set->title,
        .comments = set->comments,
        .target_home = set->target_home,
        .is_limited = set->is_limited,
        .codes = &codes,
        .slots = {&copy.extra, &copy.authors, &copy.intended_recipients, &copy.xml,
                  copy.patient_id},
    };

    return insert_package(conn, &package, patient, now_us, diag);
}

struct status
sqlite_folder_insert(struct db_conn *conn, const struct folder *folder, int64_t patient,
                     int64_t now_us, struct diag *diag)
{
    struct folder copy = *folder;
    const struct package package = {
        .kind = SQLITE_PACKAGE_FOLDER,
        .entry_uuid = folder->entry_uuid,
        .lid = folder->lid,
        .unique_id = folder->unique_id,
        .time = folder->last_update,
        .status = folder->status,
        .title = folder->title,
        .comments = folder->comments,
        .is_limited = folder->is_limited,
        .codes = &copy.codes,
        .slots = {.extra = &copy.extra, .xml = &copy.xml, .patient_id = copy.patient_id},
    };

    return insert_package(conn, &package, patient, now_us, diag);
}

/* ---- reading ---- */

#define PACKAGE_COLUMNS                                                                            \
    "k.id, p.public_id, k.entry_uuid, k.lid, k.unique_id, k.source_id, k.time, k.status, k.title," \
    " k.comments, k.target_home, k.is_limited, k.has_slots"

struct row {
    int64_t id;
    struct span patient_id, home; /* CX, URN */
    struct span entry_uuid, lid, unique_id, source_id, time, status, title, comments, target_home;
    bool is_limited, has_slots;
};

static struct status
read_row(const struct sqlite_store *store, const struct db_query *query, struct arena *arena,
         struct diag *diag, struct row *ret_row)
{
    struct row row = {.id = db_column_int(query, 0),
                      .is_limited = db_column_int(query, 11) != 0,
                      .has_slots = db_column_int(query, 12) != 0};
    struct span *const texts[] = {&row.entry_uuid, &row.lid,      &row.unique_id,
                                  &row.source_id,  &row.time,     &row.status,
                                  &row.title,      &row.comments, &row.target_home};
    struct ident patient = {span_of_cstr(store->patient_authority), SPAN_EMPTY, SPAN_EMPTY};

    TRY(db_column_text(query, 1, arena, diag, &patient.extension));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        TRY(db_column_text(query, 2 + (int)i, arena, diag, texts[i]));
    }
    TRY(ident_write_cx(arena, &patient, diag, &row.patient_id));
    TRY(arena_printf(arena, diag, &row.home, "urn:oid:%s", store->community));
    *ret_row = row;
    return OK;
}

static struct status
read_codes(struct db_conn *conn, int64_t package, struct arena *arena, struct diag *diag,
           struct code_list *codes)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT code, scheme, display FROM package_codes WHERE package = ?"
               " ORDER BY position",
               &query);
    db_int(&query, package);
    for (;;) {
        struct code code;

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(sqlite_code_read(&query, 0, arena, diag, &code));
        TRY(ARENA_PUSH(arena, diag, codes, code));
    }
}

static struct status
take_set(struct db_conn *conn, const struct row *row, struct arena *arena, struct diag *diag,
         struct submission_set_list *sets)
{
    struct submission_set set = {
        .entry_uuid = row->entry_uuid,
        .lid = row->lid,
        .unique_id = row->unique_id,
        .home = row->home,
        .source_id = row->source_id,
        .patient_id = row->patient_id,
        .submission_time = row->time,
        .status = row->status,
        .title = row->title,
        .comments = row->comments,
        .target_home = row->target_home,
        .is_limited = row->is_limited,
    };
    const struct sqlite_slots slots = {&set.extra, &set.authors, &set.intended_recipients, &set.xml,
                                       set.patient_id};
    struct code_list codes = {0};

    TRY(read_codes(conn, row->id, arena, diag, &codes));
    if (codes.n > 0) {
        set.content_type = codes.items[0];
    }
    TRY(sqlite_authors_read(conn,
                            "SELECT person, institution, role, specialty, telecom"
                            " FROM package_authors WHERE package = ? ORDER BY position",
                            row->id, arena, diag, &set.authors));
    if (row->has_slots) {
        TRY(sqlite_slots_read(conn, set.entry_uuid, arena, diag, &slots));
    }
    return ARENA_PUSH(arena, diag, sets, set);
}

static struct status
take_folder(struct db_conn *conn, const struct row *row, struct arena *arena, struct diag *diag,
            struct folder_list *folders)
{
    struct folder folder = {
        .entry_uuid = row->entry_uuid,
        .lid = row->lid,
        .unique_id = row->unique_id,
        .home = row->home,
        .patient_id = row->patient_id,
        .last_update = row->time,
        .status = row->status,
        .title = row->title,
        .comments = row->comments,
        .is_limited = row->is_limited,
    };
    const struct sqlite_slots slots = {
        .extra = &folder.extra, .xml = &folder.xml, .patient_id = folder.patient_id};

    TRY(read_codes(conn, row->id, arena, diag, &folder.codes));
    if (row->has_slots) {
        TRY(sqlite_slots_read(conn, folder.entry_uuid, arena, diag, &slots));
    }
    return ARENA_PUSH(arena, diag, folders, folder);
}

static struct status
read_all(struct sqlite_store *store, struct db_conn *conn, enum sqlite_package_kind kind,
         struct db_query *query, struct arena *arena, struct diag *diag,
         struct sqlite_packages *packages)
{
    bool has_row = false;

    for (;;) {
        struct row row;

        TRY(db_step(query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(sqlite_results_check(packages->sets.n + packages->folders.n + 1, diag));
        TRY(read_row(store, query, arena, diag, &row));
        TRY(kind == SQLITE_PACKAGE_SET ? take_set(conn, &row, arena, diag, &packages->sets)
                                       : take_folder(conn, &row, arena, diag, &packages->folders));
    }
}

/* clang-format off */
static const char find_sql[] =
    "SELECT " PACKAGE_COLUMNS " FROM packages AS k JOIN patients AS p ON p.id = k.patient"
    " WHERE p.public_id = ?1 AND k.kind = ?2"
    " AND (?3 = '[]' OR k.status IN (SELECT value FROM json_each(?3)))"
    " AND (?4 = '[]' OR k.source_id IN (SELECT value FROM json_each(?4)))"
    /* one of each list: a repeated slot is AND, its values are OR */
    " AND NOT EXISTS (SELECT 1 FROM json_each(?5) AS slot WHERE NOT EXISTS ("
    "SELECT 1 FROM json_each(slot.value) AS want"
    " JOIN package_codes AS c ON c.package = k.id AND c.code = want.value ->> 0"
    " AND (want.value ->> 1 = '' OR c.scheme = want.value ->> 1)))"
    " AND (?6 = '' OR k.time_key >= ?6) AND (?7 = '' OR k.time_key < ?7)"
    " AND (?8 = '' OR EXISTS (SELECT 1 FROM package_authors AS a"
    "  WHERE a.package = k.id AND a.person LIKE ?8))"
    " ORDER BY k.time_key, k.id";
/* clang-format on */

struct status
sqlite_find_packages(struct sqlite_store *store, struct db_conn *conn,
                     enum sqlite_package_kind kind, const struct sqlite_package_filter *filter,
                     struct arena *arena, struct diag *diag, struct sqlite_packages *packages)
{
    CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
    CLEANUP(db_end) struct db_query query = {0};
    char from[DTM_KEY], to[DTM_KEY];

    sqlite_lists_init(&lists);
    if (!sqlite_dtm_key(filter->from, from) || !sqlite_dtm_key(filter->to, to)) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "From and To of a time must be DTM (YYYY[MM[DD[hh[mm[ss]]]]])");
    }
    TRY(sqlite_lists_texts(&lists, &filter->status, diag));
    TRY(sqlite_lists_texts(&lists, &filter->source_ids, diag));
    TRY(sqlite_lists_code_sets(&lists, filter->codes, filter->codes_n, diag));
    if (!span_eq_cstr(filter->patient_id.root, store->patient_authority)) {
        return OK; /* an id that we never gave out */
    }
    db_prepare(conn, find_sql, &query);
    db_text(&query, filter->patient_id.extension);
    db_int(&query, kind);
    for (size_t i = 0; i < lists.n; i++) {
        db_text(&query, sqlite_lists_text(&lists, i));
    }
    db_text(&query, span_of_cstr(from));
    db_text(&query, span_of_cstr(to));
    db_text(&query, filter->author);
    return read_all(store, conn, kind, &query, arena, diag, packages);
}

struct status
sqlite_get_packages(struct sqlite_store *store, struct db_conn *conn, enum sqlite_package_kind kind,
                    const struct span_list *entry_uuids, const struct span_list *unique_ids,
                    struct arena *arena, struct diag *diag, struct sqlite_packages *packages)
{
    CLEANUP(sqlite_lists_done) struct sqlite_lists lists;
    CLEANUP(db_end) struct db_query query = {0};

    sqlite_lists_init(&lists);
    TRY(sqlite_lists_texts(&lists, entry_uuids->n > 0 ? entry_uuids : unique_ids, diag));
    if (entry_uuids->n > 0) {
        db_prepare(conn,
                   "SELECT " PACKAGE_COLUMNS " FROM packages AS k"
                   " JOIN patients AS p ON p.id = k.patient WHERE k.kind = ?1"
                   " AND k.entry_uuid IN (SELECT value FROM json_each(?2)) ORDER BY k.id",
                   &query);
    } else {
        db_prepare(conn,
                   "SELECT " PACKAGE_COLUMNS " FROM packages AS k"
                   " JOIN patients AS p ON p.id = k.patient WHERE k.kind = ?1"
                   " AND k.unique_id IN (SELECT value FROM json_each(?2)) ORDER BY k.id",
                   &query);
    }
    db_int(&query, kind);
    db_text(&query, sqlite_lists_text(&lists, 0));
    return read_all(store, conn, kind, &query, arena, diag, packages);
}
