/*
 * Loading people from the SQLite engine's tables. Called within the transaction of one store call,
 * on its thread. The arena owns what is loaded.
 */
#include "store/sqlite.h"

/* Reads <n> text columns from 0 on into *texts[...]. */
static struct status
read_texts(const struct db_query *query, struct span *const *texts, size_t n, struct arena *arena,
           struct diag *diag)
{
    for (size_t i = 0; i < n; i++) {
        TRY(db_column_text(query, (int)i, arena, diag, texts[i]));
    }
    return OK;
}

static struct status
load_person(struct db_conn *conn, int64_t row, struct arena *arena, struct diag *diag,
            struct sqlite_patient *patient, bool *ret_has_details)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span *const texts[] = {&patient->public_id, &patient->patient.birth_time,
                                  &patient->patient.sex};
    bool has_row = false;

    db_prepare(conn, "SELECT public_id, birth_time, sex, has_details FROM patients WHERE id = ?",
               &query);
    db_int(&query, row);
    TRY(db_step(&query, diag, &has_row));
    if (!has_row) {
        return FAIL(diag, ERR_STORE, "a row of the store names a patient that is not there");
    }
    *ret_has_details = db_column_int(&query, 3) != 0;
    return read_texts(&query, texts, ARRAY_LEN(texts), arena, diag);
}

static struct status
load_names(struct db_conn *conn, int64_t row, struct arena *arena, struct diag *diag,
           struct name_list *names)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT family, given, prefix, suffix, use FROM names WHERE patient = ?"
               " ORDER BY position",
               &query);
    db_int(&query, row);
    for (;;) {
        struct person_name name = {0};
        struct span given = SPAN_EMPTY;
        struct span *const texts[] = {&name.family, &given, &name.prefix, &name.suffix, &name.use};

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(read_texts(&query, texts, ARRAY_LEN(texts), arena, diag));
        TRY(sqlite_parts_split(given, arena, diag, &name.given));
        TRY(ARENA_PUSH(arena, diag, names, name));
    }
}

static struct status
load_ids(struct db_conn *conn, int64_t row, struct arena *arena, struct diag *diag,
         struct sqlite_patient *patient)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct {
        bool *items;
        size_t n, capacity;
    } unreliable = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT root, extension, authority, unreliable FROM identifiers WHERE patient = ?"
               " ORDER BY position",
               &query);
    db_int(&query, row);
    for (;;) {
        struct ident id = {0};
        struct span *const texts[] = {&id.root, &id.extension, &id.authority};

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            patient->is_unreliable = unreliable.items;
            return OK;
        }
        TRY(read_texts(&query, texts, ARRAY_LEN(texts), arena, diag));
        TRY(ARENA_PUSH(arena, diag, &patient->patient.ids, id));
        const bool is_unreliable = db_column_int(&query, 3) != 0;

        TRY(ARENA_PUSH(arena, diag, &unreliable, is_unreliable));
    }
}

static struct status
load_addresses(struct db_conn *conn, int64_t row, struct arena *arena, struct diag *diag,
               struct address_list *addresses)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT street, city, state, postal_code, country, use FROM addresses"
               " WHERE patient = ? ORDER BY position",
               &query);
    db_int(&query, row);
    for (;;) {
        struct address address = {0};
        struct span street = SPAN_EMPTY;
        struct span *const texts[] = {&street,          &address.city,
                                      &address.state,   &address.postal_code,
                                      &address.country, &address.use};

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(read_texts(&query, texts, ARRAY_LEN(texts), arena, diag));
        TRY(sqlite_parts_split(street, arena, diag, &address.street));
        TRY(ARENA_PUSH(arena, diag, addresses, address));
    }
}

static struct status
load_telecoms(struct db_conn *conn, int64_t row, struct arena *arena, struct diag *diag,
              struct telecom_list *telecoms)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, "SELECT value, use FROM telecoms WHERE patient = ? ORDER BY position", &query);
    db_int(&query, row);
    for (;;) {
        struct telecom telecom = {0};
        struct span *const texts[] = {&telecom.value, &telecom.use};

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(read_texts(&query, texts, ARRAY_LEN(texts), arena, diag));
        TRY(ARENA_PUSH(arena, diag, telecoms, telecom));
    }
}

struct status
sqlite_patient_load(struct db_conn *conn, int64_t row, struct arena *arena, struct diag *diag,
                    struct sqlite_patient *ret_patient)
{
    struct sqlite_patient patient = {.row = row};
    bool has_details = false;

    TRY(load_person(conn, row, arena, diag, &patient, &has_details));
    TRY(load_names(conn, row, arena, diag, &patient.patient.names));
    TRY(load_ids(conn, row, arena, diag, &patient));
    TRY(load_addresses(conn, row, arena, diag, &patient.patient.addresses));
    TRY(load_telecoms(conn, row, arena, diag, &patient.patient.telecoms));
    if (has_details) {
        TRY(sqlite_people_load_details(conn, row, arena, diag, &patient.patient));
    }
    *ret_patient = patient;
    return OK;
}

struct status
sqlite_patient_find(struct db_conn *conn, struct span public_id, struct diag *diag,
                    int64_t *ret_row)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, "SELECT id FROM patients WHERE public_id = ?", &query);
    db_text(&query, public_id);
    TRY(db_step(&query, diag, &has_row));
    *ret_row = has_row ? db_column_int(&query, 0) : 0;
    return OK;
}
