/*
 * What few people's records say: mothers' maiden names, places of birth, care providers, death,
 * multiple birth, and codes that are for people. Called within the transaction of one store call,
 * on its thread.
 */
#include "store/sqlite.h"

/* ---- adding them ---- */

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

static bool
has_code(const struct code_list *codes, const struct code *code)
{
    for (size_t i = 0; i < codes->n; i++) {
        if (span_eq(codes->items[i].value, code->value) &&
            span_eq(codes->items[i].scheme, code->scheme)) {
            return true;
        }
    }
    return false;
}

static struct status
add_codes(const struct adder *adder, enum sqlite_detail_kind kind, const struct code_list *from,
          struct code_list *known)
{
    for (size_t i = 0; i < from->n; i++) {
        const struct code *code = &from->items[i];
        struct span parts[] = {code->scheme, code->display};
        const struct span_list rest = {parts, ARRAY_LEN(parts), ARRAY_LEN(parts)};
        struct detail detail = {kind, known->n, code->value, SPAN_EMPTY};

        if (code->value.n == 0 || detail.position == MATCH_ITEMS_MAX || has_code(known, code)) {
            continue;
        }
        TRY(sqlite_parts_join(&rest, adder->arena, adder->diag, &detail.more));
        TRY(insert_detail(adder->conn, adder->row, &detail, adder->diag));
        TRY(ARENA_PUSH(adder->arena, adder->diag, known, *code));
    }
    return OK;
}

/* Of the marital status the first word stands, as of the flags. Religion is not kept: nobody asks
 * for it, and nobody is found by it. */
static struct status
add_codes_for_people(const struct adder *adder, const struct patient *from, struct patient *known)
{
    struct code status = from->marital_status;
    const struct code_list asked = {&status, 1, 1};
    struct code_list marital = {0};

    if (known->marital_status.value.n == 0) {
        TRY(add_codes(adder, SQLITE_DETAIL_MARITAL_STATUS, &asked, &marital));
        known->marital_status = status;
    }
    TRY(add_codes(adder, SQLITE_DETAIL_RACE, &from->races, &known->races));
    TRY(add_codes(adder, SQLITE_DETAIL_ETHNICITY, &from->ethnicities, &known->ethnicities));
    return add_codes(adder, SQLITE_DETAIL_LANGUAGE, &from->languages, &known->languages);
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
    TRY(add_codes_for_people(&adder, from, known));
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
read_code(const struct detail *detail, struct arena *arena, struct diag *diag,
          struct patient *patient)
{
    struct code code = {.value = detail->value};
    struct span_list rest = {0};

    TRY(sqlite_parts_split(detail->more, arena, diag, &rest));
    code.scheme = rest.n > 0 ? rest.items[0] : SPAN_EMPTY;
    code.display = rest.n > 1 ? rest.items[1] : SPAN_EMPTY;
    switch (detail->kind) {
    case SQLITE_DETAIL_MARITAL_STATUS:
        patient->marital_status = code;
        return OK;
    case SQLITE_DETAIL_RACE:
        return ARENA_PUSH(arena, diag, &patient->races, code);
    case SQLITE_DETAIL_ETHNICITY:
        return ARENA_PUSH(arena, diag, &patient->ethnicities, code);
    case SQLITE_DETAIL_LANGUAGE:
        return ARENA_PUSH(arena, diag, &patient->languages, code);
    default:
        return OK; /* of a newer program */
    }
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
        patient->birth_order =
            span_to_u64(detail->more, PATIENT_BIRTH_ORDER_MAX, &order) ? (unsigned)order : 0;
        return OK;
    default:
        return read_code(detail, arena, diag, patient);
    }
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
