/*
 * Joining what a document says about a person to the tables, and doubting ids that different people
 * carry. Called within the write transaction of store_put_document, on its thread.
 */
#include "store/sqlite.h"

#include "base/ids.h"

/* ---- rows ---- */

static struct status
insert_person(struct db_conn *conn, const struct patient *person, int64_t now_us, struct diag *diag,
              int64_t *ret_row)
{
    CLEANUP(db_end) struct db_query query = {0};
    char public_id[UUID_TEXT];

    uuid_new(public_id);
    db_prepare(conn,
               "INSERT INTO patients (public_id, birth_time, birth_date, sex, added_us)"
               " VALUES (?, ?, ?, ?, ?)",
               &query);
    db_text(&query, span_of_cstr(public_id));
    db_text(&query, person->birth_time);
    db_text(&query, match_birth_date(person->birth_time));
    db_text(&query, person->sex);
    db_int(&query, now_us);
    TRY(db_run(&query, diag));
    *ret_row = db_last_row_id(conn);
    return OK;
}

static struct status
complete_sex(struct db_conn *conn, int64_t row, struct span sex, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "UPDATE patients SET sex = ?1 WHERE id = ?2 AND sex = ''", &query);
    db_text(&query, sex);
    db_int(&query, row);
    return db_run(&query, diag);
}

static struct status
insert_name(struct db_conn *conn, int64_t row, size_t position, const struct person_name *name,
            struct arena *arena, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span given;

    TRY(sqlite_parts_join(&name->given, arena, diag, &given));
    db_prepare(conn,
               "INSERT INTO names (patient, position, family, given, prefix, suffix, use)"
               " VALUES (?, ?, ?, ?, ?, ?, ?)",
               &query);
    db_int(&query, row);
    db_int(&query, (int64_t)position);
    db_text(&query, name->family);
    db_text(&query, given);
    db_text(&query, name->prefix);
    db_text(&query, name->suffix);
    db_text(&query, name->use);
    return db_run(&query, diag);
}

static struct status
insert_id(struct db_conn *conn, int64_t row, size_t position, const struct ident *id,
          struct arena *arena, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span key;

    TRY(match_id_key(id->extension, arena, diag, &key));
    db_prepare(conn,
               "INSERT INTO identifiers (patient, position, root, extension, authority,"
               " extension_key, unreliable) VALUES (?, ?, ?, ?, ?, ?, ?)",
               &query);
    db_int(&query, row);
    db_int(&query, (int64_t)position);
    db_text(&query, id->root);
    db_text(&query, id->extension);
    db_text(&query, id->authority);
    db_text(&query, key);
    db_int(&query, id->extension.n > 0 && !match_id_is_believable(id->root, key) ? 1 : 0);
    return db_run(&query, diag);
}

static struct status
insert_address(struct db_conn *conn, int64_t row, size_t position, const struct address *address,
               struct arena *arena, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span street;

    TRY(sqlite_parts_join(&address->street, arena, diag, &street));
    db_prepare(conn,
               "INSERT INTO addresses (patient, position, street, city, state, postal_code,"
               " country, use) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
               &query);
    db_int(&query, row);
    db_int(&query, (int64_t)position);
    db_text(&query, street);
    db_text(&query, address->city);
    db_text(&query, address->state);
    db_text(&query, address->postal_code);
    db_text(&query, address->country);
    db_text(&query, address->use);
    return db_run(&query, diag);
}

static struct status
insert_telecom(struct db_conn *conn, int64_t row, size_t position, const struct telecom *telecom,
               struct arena *arena, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    (void)arena;
    db_prepare(conn, "INSERT INTO telecoms (patient, position, value, use) VALUES (?, ?, ?, ?)",
               &query);
    db_int(&query, row);
    db_int(&query, (int64_t)position);
    db_text(&query, telecom->value);
    db_text(&query, telecom->use);
    return db_run(&query, diag);
}

/* ---- joining ---- */

static bool
parts_equal(const struct span_list *a, const struct span_list *b)
{
    bool is_equal = a->n == b->n;

    for (size_t i = 0; is_equal && i < a->n; i++) {
        is_equal = span_eq_nocase(a->items[i], b->items[i]);
    }
    return is_equal;
}

/* Is it among the first <n> of the list already? The use may differ: it says nothing new. */
static bool
has_name(const struct name_list *names, const struct person_name *name)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct person_name *known = &names->items[i];

        if (span_eq_nocase(known->family, name->family) &&
            span_eq_nocase(known->prefix, name->prefix) &&
            span_eq_nocase(known->suffix, name->suffix) &&
            parts_equal(&known->given, &name->given)) {
            return true;
        }
    }
    return false;
}

static bool
has_address(const struct address_list *addresses, const struct address *address)
{
    for (size_t i = 0; i < addresses->n; i++) {
        const struct address *known = &addresses->items[i];

        if (parts_equal(&known->street, &address->street) &&
            span_eq_nocase(known->city, address->city) &&
            span_eq_nocase(known->state, address->state) &&
            span_eq_nocase(known->postal_code, address->postal_code) &&
            span_eq_nocase(known->country, address->country)) {
            return true;
        }
    }
    return false;
}

static bool
has_telecom(const struct telecom_list *telecoms, const struct telecom *telecom)
{
    for (size_t i = 0; i < telecoms->n; i++) {
        if (span_eq_nocase(telecoms->items[i].value, telecom->value)) {
            return true;
        }
    }
    return false;
}

/* Adds what the patient's lists lack, up to the number that a person may have. <known> grows along,
 * so a repetition within the document is no new item either. */
#define ADD_MISSING(list, has, insert)                                                             \
    for (size_t i = 0; i < from->list.n && known->list.n < MATCH_ITEMS_MAX; i++) {                 \
        if (!has(&known->list, &from->list.items[i])) {                                            \
            TRY(insert(conn, row, known->list.n, &from->list.items[i], arena, diag));              \
            TRY(ARENA_PUSH(arena, diag, &known->list, from->list.items[i]));                       \
        }                                                                                          \
    }

static struct status
add_missing(struct db_conn *conn, int64_t row, const struct patient *from, struct arena *arena,
            struct diag *diag, struct patient *known)
{
    ADD_MISSING(names, has_name, insert_name)
    ADD_MISSING(ids, ident_list_has, insert_id)
    ADD_MISSING(addresses, has_address, insert_address)
    ADD_MISSING(telecoms, has_telecom, insert_telecom)
    TRY(sqlite_people_add_details(conn, row, from, arena, diag, known));
    return sqlite_people_add_keys(conn, row, known, arena, diag);
}

/* ---- doubting ---- */

/* Does somebody who is proven to be another person carry this id? Whether <person> is one of the
 * two does not matter once an id is in doubt: it stays so. */
static struct status
is_shared(struct db_conn *conn, int64_t row, struct span root, struct span key,
          const struct match_person *person, struct diag *diag, bool *ret_is_shared)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT patient, unreliable FROM identifiers WHERE root = ? AND extension_key = ?"
               " AND patient <> ? ORDER BY unreliable DESC, patient",
               &query);
    db_text(&query, root);
    db_text(&query, key);
    db_int(&query, row);
    for (;;) {
        enum match_rule rule = MATCH_RULE_NO_CANDIDATE;

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            *ret_is_shared = false;
            return OK;
        }
        const bool is_doubted = db_column_int(&query, 1) != 0;

        if (!is_doubted) {
            TRY(sqlite_patient_compare(conn, db_column_int(&query, 0), person, false, diag, &rule));
        }
        if (is_doubted || match_rule_verdict(rule) == MATCH_DIFFERENT) {
            *ret_is_shared = true;
            return OK;
        }
    }
}

static struct status
doubt_shared_ids(struct db_conn *conn, int64_t row, const struct patient *patient,
                 struct arena *arena, struct diag *diag)
{
    struct match_person person;

    TRY(match_prepare(patient, NULL, arena, diag, &person));
    for (size_t i = 0; i < person.ids.n; i++) {
        const struct match_id *id = &person.ids.items[i];
        bool shared = false;

        TRY(is_shared(conn, row, id->root, id->key, &person, diag, &shared));
        if (shared) {
            TRY(sqlite_people_doubt_id(conn, id->root, id->key, diag));
        }
    }
    return OK;
}

struct status
sqlite_patient_put(struct db_conn *conn, const struct patient *person,
                   const struct sqlite_decision *decision, int64_t now_us, struct arena *arena,
                   struct diag *diag, int64_t *ret_row, struct span *ret_public_id)
{
    struct sqlite_patient stored;
    int64_t row = decision->row;

    if (row == 0) {
        TRY(insert_person(conn, person, now_us, diag, &row));
    } else {
        TRY(complete_sex(conn, row, person->sex, diag));
    }
    TRY(sqlite_patient_load(conn, row, arena, diag, &stored));
    TRY(add_missing(conn, row, person, arena, diag, &stored.patient));
    TRY(doubt_shared_ids(conn, row, &stored.patient, arena, diag));
    *ret_row = row;
    *ret_public_id = stored.public_id;
    return OK;
}
