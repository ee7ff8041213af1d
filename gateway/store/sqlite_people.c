/*
 * By what people are found (the keys of their names), and what few of their records say: mothers'
 * maiden names, places of birth, care providers, death, multiple birth. Called within the
 * transaction of one store call, on its thread.
 */
#include "store/sqlite.h"

#include <string.h>

/* ---- parts ---- */

struct status
sqlite_parts_join(const struct span_list *parts, struct arena *arena, struct diag *diag,
                  struct span *ret_joined)
{
    void *joined = NULL;
    size_t n = 0;

    for (size_t i = 0; i < parts->n; i++) {
        n += parts->items[i].n + 1;
    }
    TRY(arena_alloc(arena, n + 1, diag, &joined));
    char *to = joined;

    for (size_t i = 0; i < parts->n; i++) {
        if (i > 0) {
            *to++ = SQLITE_PART_SEPARATOR;
        }
        if (parts->items[i].n > 0) {
            memcpy(to, parts->items[i].p, parts->items[i].n);
            to += parts->items[i].n;
        }
    }
    *ret_joined = span_of(joined, (size_t)(to - (char *)joined));
    return OK;
}

struct status
sqlite_parts_split(struct span joined, struct arena *arena, struct diag *diag,
                   struct span_list *ret_parts)
{
    struct span_list parts = {0};
    struct span part;

    while (joined.n > 0 && span_split(&joined, SQLITE_PART_SEPARATOR, &part)) {
        TRY(ARENA_PUSH(arena, diag, &parts, part));
    }
    *ret_parts = parts;
    return OK;
}

/* ---- keys ---- */

static struct status
insert_key(struct db_conn *conn, int64_t row, struct span key, struct span birth_date,
           struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               "INSERT OR IGNORE INTO person_keys (key, birth_date, patient) VALUES (?, ?, ?)",
               &query);
    db_text(&query, key);
    db_text(&query, birth_date);
    db_int(&query, row);
    return db_run(&query, diag);
}

/* Who has no birth date that can be believed is found by no key. */
struct status
sqlite_people_add_keys(struct db_conn *conn, int64_t row, const struct patient *patient,
                       struct arena *arena, struct diag *diag)
{
    struct match_person person;
    struct span_list keys;

    TRY(match_prepare(patient, NULL, arena, diag, &person));
    if (person.birth_date.n == 0) {
        return OK;
    }
    TRY(match_family_keys(&person, arena, diag, &keys));
    for (size_t i = 0; i < keys.n; i++) {
        TRY(insert_key(conn, row, keys.items[i], person.birth_date, diag));
    }
    return OK;
}

static struct status
index_one(struct db_conn *conn, int64_t row, struct diag *diag)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct sqlite_patient stored;
    struct status st;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a patient");
    }
    st = sqlite_patient_load(conn, row, arena, diag, &stored);
    if (is_ok(st)) {
        st = sqlite_people_add_keys(conn, row, &stored.patient, arena, diag);
    }
    arena_free(arena);
    return st;
}

struct status
sqlite_people_doubt_id(struct db_conn *conn, struct span root, struct span key, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "UPDATE identifiers SET unreliable = 1 WHERE root = ? AND extension_key = ?",
               &query);
    db_text(&query, root);
    db_text(&query, key);
    return db_run(&query, diag);
}

struct id_list {
    struct ident *items;
    size_t n, capacity;
};

/* Collected first: the table is not changed while it is read. */
static struct status
list_doubtful(struct db_conn *conn, struct arena *arena, struct diag *diag, struct id_list *ids)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT DISTINCT root, extension_key FROM identifiers"
               " WHERE unreliable = 0 AND extension <> ''",
               &query);
    for (;;) {
        struct ident id = {0};
        struct span root, key;

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(db_column_blob(&query, 0, diag, &root));
        TRY(db_column_blob(&query, 1, diag, &key));
        if (!match_id_is_believable(root, key)) {
            TRY(arena_dup(arena, root, diag, &id.root));
            TRY(arena_dup(arena, key, diag, &id.extension));
            TRY(ARENA_PUSH(arena, diag, ids, id));
        }
    }
}

static struct status
doubt_ids(struct db_conn *conn, struct diag *diag)
{
    struct arena *arena = arena_new((size_t)256 * 1024 * 1024);
    struct id_list ids = {0};
    struct status st;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for identifiers");
    }
    st = list_doubtful(conn, arena, diag, &ids);
    for (size_t i = 0; is_ok(st) && i < ids.n; i++) {
        st = sqlite_people_doubt_id(conn, ids.items[i].root, ids.items[i].extension, diag);
    }
    arena_free(arena);
    return st;
}

static struct status
next_row(struct db_conn *conn, int64_t after, struct diag *diag, int64_t *ret_row)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn, "SELECT id FROM patients WHERE id > ? ORDER BY id LIMIT 1", &query);
    db_int(&query, after);
    TRY(db_step(&query, diag, &has_row));
    *ret_row = has_row ? db_column_int(&query, 0) : 0;
    return OK;
}

struct status
sqlite_people_index(struct db_conn *conn, struct diag *diag)
{
    int64_t row = 0;

    for (;;) {
        TRY(next_row(conn, row, diag, &row));
        if (row == 0) {
            return doubt_ids(conn, diag);
        }
        TRY(index_one(conn, row, diag));
    }
}

/* ---- details ---- */

struct detail {
    enum sqlite_detail_kind kind;
    size_t position;
    struct span value, more;
};

static struct status
insert_detail(struct db_conn *conn, int64_t row, const struct detail *detail, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};
    CLEANUP(db_end) struct db_query mark = {0};

    db_prepare(conn,
               "INSERT OR IGNORE INTO person_details (patient, kind, position, value, more)"
               " VALUES (?, ?, ?, ?, ?)",
               &query);
    db_int(&query, row);
    db_int(&query, (int64_t)detail->kind);
    db_int(&query, (int64_t)detail->position);
    db_text(&query, detail->value);
    db_text(&query, detail->more);
    TRY(db_run(&query, diag));
    db_prepare(conn, "UPDATE patients SET has_details = 1 WHERE id = ? AND has_details = 0", &mark);
    db_int(&mark, row);
    return db_run(&mark, diag);
}

static bool
has_text(const struct span_list *texts, struct span text)
{
    for (size_t i = 0; i < texts->n; i++) {
        if (span_eq_nocase(texts->items[i], text)) {
            return true;
        }
    }
    return false;
}

struct adder {
    struct db_conn *conn;
    int64_t row;
    struct arena *arena;
    struct diag *diag;
};

static struct status
add_mothers(const struct adder *adder, const struct patient *from, struct patient *known)
{
    for (size_t i = 0; i < from->mothers_maiden_names.n; i++) {
        const struct person_name *name = &from->mothers_maiden_names.items[i];
        struct detail detail = {SQLITE_DETAIL_MOTHER, known->mothers_maiden_names.n, name->family,
                                SPAN_EMPTY};
        bool is_known = name->family.n == 0 || detail.position == MATCH_ITEMS_MAX;

        for (size_t k = 0; k < known->mothers_maiden_names.n; k++) {
            is_known |= span_eq_nocase(known->mothers_maiden_names.items[k].family, name->family);
        }
        if (!is_known) {
            TRY(sqlite_parts_join(&name->given, adder->arena, adder->diag, &detail.more));
            TRY(insert_detail(adder->conn, adder->row, &detail, adder->diag));
            TRY(ARENA_PUSH(adder->arena, adder->diag, &known->mothers_maiden_names, *name));
        }
    }
    return OK;
}

static struct status
add_birth_places(const struct adder *adder, const struct patient *from, struct patient *known)
{
    for (size_t i = 0; i < from->birth_place_names.n; i++) {
        const struct detail detail = {SQLITE_DETAIL_BIRTH_PLACE, known->birth_place_names.n,
                                      from->birth_place_names.items[i], SPAN_EMPTY};

        if (detail.value.n > 0 && detail.position < MATCH_ITEMS_MAX &&
            !has_text(&known->birth_place_names, detail.value)) {
            TRY(insert_detail(adder->conn, adder->row, &detail, adder->diag));
            TRY(ARENA_PUSH(adder->arena, adder->diag, &known->birth_place_names, detail.value));
        }
    }
    return OK;
}

static bool
is_same_birth_address(const struct address *a, const struct address *b)
{
    return span_eq_nocase(a->city, b->city) && span_eq_nocase(a->state, b->state) &&
           span_eq_nocase(a->postal_code, b->postal_code) && span_eq_nocase(a->country, b->country);
}

static struct status
add_birth_addresses(const struct adder *adder, const struct patient *from, struct patient *known)
{
    for (size_t i = 0; i < from->birth_place_addresses.n; i++) {
        const struct address *address = &from->birth_place_addresses.items[i];
        struct span parts[] = {address->city, address->state, address->postal_code,
                               address->country};
        const struct span_list rest = {parts, ARRAY_LEN(parts), ARRAY_LEN(parts)};
        struct detail detail = {SQLITE_DETAIL_BIRTH_ADDRESS, known->birth_place_addresses.n,
                                SPAN_EMPTY, SPAN_EMPTY};
        bool is_known = detail.position == MATCH_ITEMS_MAX;

        for (size_t k = 0; k < known->birth_place_addresses.n; k++) {
            is_known |= is_same_birth_address(&known->birth_place_addresses.items[k], address);
        }
        if (!is_known) {
            TRY(sqlite_parts_join(&address->street, adder->arena, adder->diag, &detail.value));
            TRY(sqlite_parts_join(&rest, adder->arena, adder->diag, &detail.more));
            TRY(insert_detail(adder->conn, adder->row, &detail, adder->diag));
            TRY(ARENA_PUSH(adder->arena, adder->diag, &known->birth_place_addresses, *address));
        }
    }
    return OK;
}

static struct status
add_care_providers(const struct adder *adder, const struct patient *from, struct patient *known)
{
    for (size_t i = 0; i < from->care_providers.n; i++) {
        const struct ident *id = &from->care_providers.items[i];
        const struct detail detail = {SQLITE_DETAIL_CARE_PROVIDER, known->care_providers.n,
                                      id->root, id->extension};
        bool is_known = detail.position == MATCH_ITEMS_MAX;

        for (size_t k = 0; k < known->care_providers.n; k++) {
            is_known |= ident_eq(&known->care_providers.items[k], id);
        }
        if (!is_known) {
            TRY(insert_detail(adder->conn, adder->row, &detail, adder->diag));
            TRY(ARENA_PUSH(adder->arena, adder->diag, &known->care_providers, *id));
        }
    }
    return OK;
}

static struct span
flag_text(enum patient_flag flag)
{
    return flag == PATIENT_YES ? SPAN("1") : SPAN("0");
}

/* The first word of a record stands: a second one that says otherwise is not added. */
static struct status
add_flags(const struct adder *adder, const struct patient *from, struct patient *known)
{
    struct detail detail = {SQLITE_DETAIL_DECEASED, 0, flag_text(from->deceased),
                            from->deceased_time};

    if (from->deceased != PATIENT_UNSAID && known->deceased == PATIENT_UNSAID) {
        TRY(insert_detail(adder->conn, adder->row, &detail, adder->diag));
        known->deceased = from->deceased;
        known->deceased_time = from->deceased_time;
    }
    if (from->multiple_birth != PATIENT_UNSAID && known->multiple_birth == PATIENT_UNSAID) {
        detail = (struct detail){SQLITE_DETAIL_MULTIPLE_BIRTH, 0, flag_text(from->multiple_birth),
                                 SPAN_EMPTY};
        if (from->birth_order > 0) {
            TRY(arena_printf(adder->arena, adder->diag, &detail.more, "%u", from->birth_order));
        }
        TRY(insert_detail(adder->conn, adder->row, &detail, adder->diag));
        known->multiple_birth = from->multiple_birth;
        known->birth_order = from->birth_order;
    }
    return OK;
}

struct status
sqlite_people_add_details(struct db_conn *conn, int64_t row, const struct patient *from,
                          struct arena *arena, struct diag *diag, struct patient *known)
{
    const struct adder adder = {conn, row, arena, diag};

    TRY(add_mothers(&adder, from, known));
    TRY(add_birth_places(&adder, from, known));
    TRY(add_birth_addresses(&adder, from, known));
    TRY(add_care_providers(&adder, from, known));
    return add_flags(&adder, from, known);
}

/* ---- reading them ---- */

static struct status
read_birth_address(const struct detail *detail, struct arena *arena, struct diag *diag,
                   struct patient *patient)
{
    struct address address = {0};
    struct span_list rest = {0};
    struct span *const members[] = {&address.city, &address.state, &address.postal_code,
                                    &address.country};

    TRY(sqlite_parts_split(detail->value, arena, diag, &address.street));
    TRY(sqlite_parts_split(detail->more, arena, diag, &rest));
    for (size_t i = 0; i < rest.n && i < ARRAY_LEN(members); i++) {
        *members[i] = rest.items[i];
    }
    return ARENA_PUSH(arena, diag, &patient->birth_place_addresses, address);
}

static struct status
read_detail(const struct detail *detail, struct arena *arena, struct diag *diag,
            struct patient *patient)
{
    const enum patient_flag flag = span_eq_cstr(detail->value, "1") ? PATIENT_YES : PATIENT_NO;
    const struct ident id = {detail->value, detail->more, SPAN_EMPTY};
    struct person_name name = {.family = detail->value};
    uint64_t order = 0;

    switch (detail->kind) {
    case SQLITE_DETAIL_MOTHER:
        TRY(sqlite_parts_split(detail->more, arena, diag, &name.given));
        return ARENA_PUSH(arena, diag, &patient->mothers_maiden_names, name);
    case SQLITE_DETAIL_BIRTH_PLACE:
        return ARENA_PUSH(arena, diag, &patient->birth_place_names, detail->value);
    case SQLITE_DETAIL_BIRTH_ADDRESS:
        return read_birth_address(detail, arena, diag, patient);
    case SQLITE_DETAIL_CARE_PROVIDER:
        return ARENA_PUSH(arena, diag, &patient->care_providers, id);
    case SQLITE_DETAIL_DECEASED:
        patient->deceased = flag;
        patient->deceased_time = detail->more;
        return OK;
    case SQLITE_DETAIL_MULTIPLE_BIRTH:
        patient->multiple_birth = flag;
        patient->birth_order = span_to_u64(detail->more, 64, &order) ? (unsigned)order : 0;
        return OK;
    }
    return OK; /* of a newer program: its schema version would have been refused */
}

struct status
sqlite_people_load_details(struct db_conn *conn, int64_t row, struct arena *arena,
                           struct diag *diag, struct patient *patient)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT kind, value, more FROM person_details WHERE patient = ?"
               " ORDER BY kind, position",
               &query);
    db_int(&query, row);
    for (;;) {
        struct detail detail = {0};

        TRY(db_step(&query, diag, &has_row));
        if (!has_row) {
            return OK;
        }
        detail.kind = (enum sqlite_detail_kind)db_column_int(&query, 0);
        TRY(db_column_text(&query, 1, arena, diag, &detail.value));
        TRY(db_column_text(&query, 2, arena, diag, &detail.more));
        TRY(read_detail(&detail, arena, diag, patient));
    }
}
