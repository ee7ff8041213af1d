/*
 * Whose a submission is: an id of ours, a believable id of a source, or, with limited metadata from
 * elsewhere, whom sourcePatientInfo describes (by the rules of match.h, or somebody new). Called
 * within the transaction of one store call, on its thread.
 */
#include "base/hl7v2.h"
#include "store/sqlite_submit.h"

/* ---- by an id ---- */

/* The id as it is written: match_id_key is for comparing people, not for finding one. */
static struct status
patient_of_source(struct db_conn *conn, const struct ident *id, struct arena *arena,
                  struct diag *diag, int64_t *ret_row)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct span key;
    bool has_row = false;

    TRY(match_id_key(id->extension, arena, diag, &key));
    db_prepare(conn,
               "SELECT min(patient), max(patient) FROM identifiers"
               " WHERE root = ?1 AND extension_key = ?2 AND extension = ?3 AND unreliable = 0"
               " HAVING count(*) > 0",
               &query);
    db_text(&query, id->root);
    db_text(&query, key);
    db_text(&query, id->extension);
    TRY(db_step(&query, diag, &has_row));
    /* Two who carry it and could not be told apart: it names neither. */
    *ret_row = has_row && db_column_int(&query, 0) == db_column_int(&query, 1)
                   ? db_column_int(&query, 0)
                   : 0;
    return OK;
}

struct status
sqlite_patient_of_id(const struct sqlite_store *store, struct db_conn *conn, const struct ident *id,
                     struct arena *arena, struct diag *diag, int64_t *ret_row)
{
    if (id->root.n == 0 || id->extension.n == 0) {
        *ret_row = 0;
        return OK;
    }
    return span_eq_cstr(id->root, store->patient_authority)
               ? sqlite_patient_find(conn, id->extension, diag, ret_row)
               : patient_of_source(conn, id, arena, diag, ret_row);
}

/* ---- sourcePatientInfo ---- */

struct person_reader {
    struct arena *arena;
    struct diag *diag;
    struct patient person;
};

/* Takes the next component; a subcomponent after the first is dropped. */
static struct status
take(struct person_reader *r, struct span *rest, struct span *ret_component)
{
    struct span component = SPAN_EMPTY, first = SPAN_EMPTY;

    if (span_split(rest, '^', &component)) {
        (void)span_split(&component, '&', &first);
    }
    return hl7v2_unescape(r->arena, span_trim(first), r->diag, ret_component);
}

static struct status
push_part(struct person_reader *r, struct span part, struct span_list *parts)
{
    return part.n == 0 ? OK : ARENA_PUSH(r->arena, r->diag, parts, part);
}

/* XPN: family^given^further^suffix^prefix^degree^use */
static struct status
read_name(struct person_reader *r, struct span text)
{
    struct person_name name = {0};
    struct span given, further, degree, part;

    TRY(take(r, &text, &name.family));
    TRY(take(r, &text, &given));
    TRY(take(r, &text, &further));
    TRY(take(r, &text, &name.suffix));
    TRY(take(r, &text, &name.prefix));
    TRY(take(r, &text, &degree));
    TRY(take(r, &text, &name.use));
    TRY(push_part(r, given, &name.given));
    while (further.n > 0 && span_split(&further, ' ', &part)) {
        TRY(push_part(r, part, &name.given));
    }
    return ARENA_PUSH(r->arena, r->diag, &r->person.names, name);
}

/* XAD: street^other^city^state^postal code^country^use */
static struct status
read_address(struct person_reader *r, struct span text)
{
    struct address address = {0};
    struct span street, other;

    TRY(take(r, &text, &street));
    TRY(take(r, &text, &other));
    TRY(take(r, &text, &address.city));
    TRY(take(r, &text, &address.state));
    TRY(take(r, &text, &address.postal_code));
    TRY(take(r, &text, &address.country));
    TRY(push_part(r, street, &address.street));
    TRY(push_part(r, other, &address.street));
    return ARENA_PUSH(r->arena, r->diag, &r->person.addresses, address);
}

static struct status
read_id(struct person_reader *r, struct span text)
{
    struct diag ignored = {0};
    struct ident id;

    return is_ok(ident_read_cx(text, &ignored, &id))
               ? ARENA_PUSH(r->arena, r->diag, &r->person.ids, id)
               : OK; /* an id without an OID identifies nobody here */
}

static struct status
read_birth_time(struct person_reader *r, struct span text)
{
    return take(r, &text, &r->person.birth_time);
}

/* HL7 table 0001; what is neither F nor M nor said to be another says nothing. */
static struct status
read_sex(struct person_reader *r, struct span text)
{
    struct span sex;

    TRY(take(r, &text, &sex));
    if (span_eq_cstr(sex, "F") || span_eq_cstr(sex, "M")) {
        r->person.sex = sex;
    } else if (span_eq_cstr(sex, "O") || span_eq_cstr(sex, "UN")) {
        r->person.sex = SPAN("UN");
    }
    return OK;
}

struct status
submit_read_person(const struct span_list *fields, struct arena *arena, struct diag *diag,
                   struct patient *ret_person)
{
    static const struct {
        const char *field;
        struct status (*read)(struct person_reader *r, struct span text);
    } readers[] = {{"PID-3", read_id},
                   {"PID-5", read_name},
                   {"PID-7", read_birth_time},
                   {"PID-8", read_sex},
                   {"PID-11", read_address}};
    struct person_reader r = {arena, diag, {.birth_time = SPAN_EMPTY}};

    for (size_t i = 0; i < fields->n && i < MATCH_ITEMS_MAX; i++) {
        struct span rest = fields->items[i], field, repetition;

        (void)span_split(&rest, '|', &field);
        for (size_t k = 0; k < ARRAY_LEN(readers); k++) {
            for (size_t n = 0; span_eq_cstr(field, readers[k].field) && rest.n > 0 &&
                               n < MATCH_ITEMS_MAX / 8 && span_split(&rest, '~', &repetition);
                 n++) {
                TRY(readers[k].read(&r, repetition));
            }
        }
    }
    *ret_person = r.person;
    return OK;
}

/* ---- by a description ---- */

static struct status
push_cx(struct submit *submit, struct span cx, struct ident_list *ids)
{
    struct diag ignored = {0};
    struct ident id;

    if (!is_ok(ident_read_cx(cx, &ignored, &id)) || ids->n >= MATCH_ITEMS_MAX / 2 ||
        span_eq_cstr(id.root, submit->store->patient_authority)) {
        return OK; /* none of ours: those are given out, never taken */
    }
    return ident_list_has(ids, &id) ? OK : ARENA_PUSH(submit->arena, submit->diag, ids, id);
}

static struct status
describe(struct submit *submit, struct patient *ret_person)
{
    const struct registry_objects *given = submit->submission->objects;
    struct ident_list ids = {0}, of_fields = {0};
    struct patient person = {0};

    for (size_t i = 0; i < given->documents.n; i++) {
        const struct document_entry *entry = &given->documents.items[i];

        if (entry->source_patient_info.n > 0 && person.names.n == 0) {
            TRY(submit_read_person(&entry->source_patient_info, submit->arena, submit->diag,
                                   &person));
        }
    }
    of_fields = person.ids;
    TRY(push_cx(submit, given->submission_sets.items[0].patient_id, &ids));
    for (size_t i = 0; i < given->documents.n; i++) {
        TRY(push_cx(submit, given->documents.items[i].source_patient_id, &ids));
    }
    for (size_t i = 0; i < of_fields.n && ids.n < MATCH_ITEMS_MAX; i++) {
        if (!span_eq_cstr(of_fields.items[i].root, submit->store->patient_authority)) {
            TRY(ARENA_PUSH(submit->arena, submit->diag, &ids, of_fields.items[i]));
        }
    }
    person.ids = ids;
    *ret_person = person;
    return OK;
}

static struct status
find_described(struct submit *submit, struct db_conn *conn)
{
    struct sqlite_decision decision;
    struct patient person;
    struct span public_id;

    TRY(describe(submit, &person));
    if (person.names.n == 0 && person.ids.n == 0) {
        return submit_refuse(submit, SUBMIT_REPOSITORY_METADATA,
                             "nothing says whose the submission is: expected a patientId, a "
                             "sourcePatientId, or sourcePatientInfo with PID-5");
    }
    TRY(sqlite_patient_match(conn, &person, submit->arena, submit->diag, &decision));
    submit->patient_rule = match_rule_name(decision.rule);
    return sqlite_patient_put(conn, &person, &decision, submit->now_us, submit->arena, submit->diag,
                              &submit->patient, &public_id);
}

/* ---- */

static struct status
note_patient(struct submit *submit, struct db_conn *conn)
{
    struct ident id = {span_of_cstr(submit->store->patient_authority), SPAN_EMPTY, SPAN_EMPTY};
    struct sqlite_patient stored;

    TRY(sqlite_patient_load(conn, submit->patient, submit->arena, submit->diag, &stored));
    id.extension = stored.public_id;
    return ident_write_cx(submit->arena, &id, submit->diag, &submit->patient_id);
}

/* REQ: ITI41-unknown-patient */
struct status
submit_find_patient(struct submit *submit, struct db_conn *conn)
{
    const struct submission_set *set = &submit->submission->objects->submission_sets.items[0];
    struct diag ignored = {0};
    struct ident id = {0};

    if (set->patient_id.n > 0 && is_ok(ident_read_cx(set->patient_id, &ignored, &id))) {
        TRY(sqlite_patient_of_id(submit->store, conn, &id, submit->arena, submit->diag,
                                 &submit->patient));
    }
    submit->patient_rule = "SUBMITTED";
    if (submit->patient == 0 && set->is_limited &&
        submit->submission->patients == STORE_PATIENTS_SOURCE) {
        TRY(find_described(submit, conn));
    } else if (submit->patient == 0) {
        TRY(submit_refuse(submit, SUBMIT_UNKNOWN_PATIENT, "patientId %.*s is not known here",
                          SPAN_PRINT(set->patient_id)));
    }
    return submit->patient == 0 ? OK : note_patient(submit, conn);
}
