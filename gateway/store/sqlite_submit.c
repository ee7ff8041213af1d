/*
 * store_submit in the SQLite engine: checks, contents, then one write transaction in which the
 * registry's rules are asked and all rows are made, or none. Called on the caller's thread.
 *
 * A large document's file is complete before the transaction and gets its name inside of it, as an
 * import's (sqlite_files.c): a submission that ends anywhere leaves no row without bytes.
 */
#include "store/sqlite_submit.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/datetime.h"

#define ERRORS_MAX  100
#define OBJECTS_MAX 5000 /* of one submission: bounds what comparing them costs */

/* ---- errors ---- */

struct status
submit_refuse(struct submit *submit, const char *code, const char *format, ...)
{
    struct registry_error error = {.code = span_of_cstr(code)};
    char text[1024];
    va_list args;

    if (submit->errors.n >= ERRORS_MAX) {
        return OK;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    TRY(arena_dup(submit->arena, span_of_cstr(text), submit->diag, &error.context));
    return ARENA_PUSH(submit->arena, submit->diag, &submit->errors, error);
}

bool
submit_is_refused(const struct submit *submit)
{
    for (size_t i = 0; i < submit->errors.n; i++) {
        if (!submit->errors.items[i].is_warning) {
            return true;
        }
    }
    return false;
}

const char *
submit_metadata_code(const struct submit *submit)
{
    return submit->submission->patients == STORE_PATIENTS_SOURCE ? SUBMIT_REPOSITORY_METADATA
                                                                 : SUBMIT_REGISTRY_METADATA;
}

const struct submit_name *
submit_find_name(const struct submit *submit, struct span submitted)
{
    for (size_t i = 0; i < submit->names.n; i++) {
        if (submitted.n > 0 && span_eq(submit->names.items[i].submitted, submitted)) {
            return &submit->names.items[i];
        }
    }
    return NULL;
}

/* ---- copies ---- */

#define COPY_LIST(submit, member)                                                                  \
    for (size_t i_ = 0; i_ < (submit)->submission->objects->member.n; i_++) {                      \
        TRY(ARENA_PUSH((submit)->arena, (submit)->diag, &(submit)->objects.member,                 \
                       (submit)->submission->objects->member.items[i_]));                          \
    }

static struct status
copy_objects(struct submit *submit)
{
    COPY_LIST(submit, documents)
    COPY_LIST(submit, submission_sets)
    COPY_LIST(submit, folders)
    COPY_LIST(submit, associations)
    return ARENA_ARRAY(submit->arena, submit->objects.documents.n, submit->diag,
                       &submit->documents);
}

/* ---- contents ---- */

/* Against what the sender says of them; computed where it says nothing. */
/* REQ: ITI41-hash-size */
static struct status
check_content(struct submit *submit, size_t n)
{
    struct document_entry *entry = &submit->objects.documents.items[n];
    const struct sqlite_content *content = &submit->documents[n].content;

    if (entry->hash.n > 0 && !span_eq_nocase(entry->hash, span_of_cstr(content->sha1))) {
        TRY(submit_refuse(submit, SUBMIT_OTHER_HASH,
                          "DocumentEntry '%.*s', uniqueId %.*s: hash is not that of the document",
                          SPAN_PRINT(submit->submission->objects->documents.items[n].entry_uuid),
                          SPAN_PRINT(entry->unique_id)));
    }
    if (entry->has_size && entry->size != content->size) {
        TRY(submit_refuse(submit, SUBMIT_OTHER_SIZE,
                          "DocumentEntry '%.*s', uniqueId %.*s: size is %llu, the document has "
                          "%llu bytes",
                          SPAN_PRINT(submit->submission->objects->documents.items[n].entry_uuid),
                          SPAN_PRINT(entry->unique_id), (unsigned long long)entry->size,
                          (unsigned long long)content->size));
    }
    entry->size = content->size;
    entry->has_size = true;
    return arena_dup(submit->arena, span_of_cstr(content->sha1), submit->diag, &entry->hash);
}

static struct status
prepare_contents(struct submit *submit)
{
    for (size_t i = 0; i < submit->objects.documents.n; i++) {
        struct submit_document *document = &submit->documents[i];

        if (document->body != NULL) {
            document->is_prepared = true;
            TRY(sqlite_content_prepare(submit->store, document->body, submit->diag,
                                       &document->content));
            TRY(check_content(submit, i));
        }
    }
    return OK;
}

/* ---- as registered ---- */

/* Fields that say who somebody is elsewhere, not what he is called: the ids of the source stay
 * there (PID-2 to 4, 18 to 20). */
static bool
is_identifier_field(struct span field)
{
    static const char *const names[] = {"PID-2", "PID-3", "PID-4", "PID-18", "PID-19", "PID-20"};
    struct span rest = field, name = SPAN_EMPTY;

    (void)span_split(&rest, '|', &name);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_eq_cstr(name, names[i])) {
            return true;
        }
    }
    return false;
}

static struct status
drop_identifiers(struct submit *submit, struct span_list *fields)
{
    struct span_list kept = {0};

    for (size_t i = 0; i < fields->n; i++) {
        if (!is_identifier_field(fields->items[i])) {
            TRY(ARENA_PUSH(submit->arena, submit->diag, &kept, fields->items[i]));
        }
    }
    *fields = kept;
    return OK;
}

static struct status
complete_entry(struct submit *submit, struct document_entry *entry, struct span home)
{
    entry->lid = entry->entry_uuid;
    entry->home = home;
    entry->status = SPAN(DOCUMENT_APPROVED);
    entry->xml = SPAN_EMPTY; /* the sender's text is not what is registered: see write_texts */
    if (entry->object_type.n == 0) {
        entry->object_type = SPAN(DOCUMENT_STABLE);
    }
    TRY(arena_dup(submit->arena, span_of_cstr(submit->store->repository), submit->diag,
                  &entry->repository));
    TRY(ARENA_PUSH(submit->arena, submit->diag, &submit->source_patient_ids,
                   entry->source_patient_id));
    entry->patient_id = submit->patient_id;
    entry->source_patient_id = submit->patient_id;
    return drop_identifiers(submit, &entry->source_patient_info);
}

/* The registry's attributes: what the sender says of them does not count. */
/* REQ: ITI41-symbolic-ids */
static struct status
complete_objects(struct submit *submit)
{
    struct registry_objects *objects = &submit->objects;
    char now[DATETIME_MAX];
    struct span home, time;

    datetime_write_dtm(submit->now_us, now);
    TRY(arena_dup(submit->arena, span_of_cstr(now), submit->diag, &time));
    TRY(arena_printf(submit->arena, submit->diag, &home, "urn:oid:%s", submit->store->community));
    for (size_t i = 0; i < objects->documents.n; i++) {
        TRY(complete_entry(submit, &objects->documents.items[i], home));
    }
    struct submission_set *set = &objects->submission_sets.items[0];
    set->lid = set->entry_uuid;
    set->home = home;
    set->status = SPAN(DOCUMENT_APPROVED);
    set->patient_id = submit->patient_id;
    set->xml = SPAN_EMPTY;
    for (size_t i = 0; i < objects->folders.n; i++) {
        struct folder *folder = &objects->folders.items[i];

        folder->lid = folder->entry_uuid;
        folder->home = home;
        folder->status = SPAN(DOCUMENT_APPROVED);
        folder->patient_id = submit->patient_id;
        folder->last_update = time;
        folder->xml = SPAN_EMPTY;
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        objects->associations.items[i].home = home;
        objects->associations.items[i].status = SPAN(DOCUMENT_APPROVED);
        objects->associations.items[i].xml = SPAN_EMPTY;
    }
    return OK;
}

/* ---- rows ---- */

static struct status
insert_document(struct submit *submit, struct db_conn *conn, size_t n)
{
    struct submit_document *document = &submit->documents[n];
    const struct sqlite_content *content = &document->content;
    const struct sqlite_entry_origin origin = {
        .patient = submit->patient,
        .sha256 = document->body != NULL ? span_of((const char *)content->sha256, SHA256_BYTES)
                                         : SPAN_EMPTY,
        .patient_rule = submit->patient_rule,
        .source_patient_id = submit->source_patient_ids.items[n],
        .now_us = submit->now_us,
    };
    bool is_known = true;
    int64_t row = 0;

    if (document->body != NULL) {
        TRY(sqlite_content_find(conn, content->sha256, submit->diag, &is_known));
    }
    TRY(sqlite_entry_insert(conn, &submit->objects.documents.items[n], &origin, submit->diag,
                            &row));
    if (submit->submission->sender.n > 0) {
        TRY(sqlite_sender_insert(conn, submit->objects.documents.items[n].entry_uuid,
                                 submit->submission->sender, submit->diag));
    }
    return is_known ? OK
                    : sqlite_content_put(submit->store, conn, row, document->body,
                                         &document->content, submit->diag);
}

static struct status
insert_objects(struct submit *submit, struct db_conn *conn)
{
    const struct registry_objects *objects = &submit->objects;

    TRY(sqlite_set_insert(conn, &objects->submission_sets.items[0], submit->patient, submit->now_us,
                          submit->diag));
    for (size_t i = 0; i < objects->documents.n; i++) {
        TRY(insert_document(submit, conn, i));
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        TRY(sqlite_folder_insert(conn, &objects->folders.items[i], submit->patient, submit->now_us,
                                 submit->diag));
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        TRY(sqlite_association_insert(conn, &objects->associations.items[i], submit->now_us,
                                      submit->diag));
    }
    return OK;
}

static struct status
put(struct submit *submit, struct db_conn *conn)
{
    TRY(submit_find_patient(submit, conn));
    if (submit_is_refused(submit)) {
        return OK; /* whose it is decides the rest */
    }
    TRY(submit_refer(submit, conn));
    if (submit_is_refused(submit)) {
        return OK;
    }
    TRY(submit_replace(submit, conn));
    TRY(complete_objects(submit));
    if (submit->submission->write_texts != NULL) {
        TRY(submit->submission->write_texts(submit->submission->objects, &submit->objects,
                                            submit->arena, submit->diag));
    }
    return insert_objects(submit, conn);
}

/* REQ: ITI41-all-or-nothing, ITI41-provide */
static struct status
put_at_once(struct submit *submit)
{
    CLEANUP(db_give_p) struct db_conn *conn = NULL;

    TRY(db_take(submit->store->db, submit->diag, &conn));
    TRY(db_begin_write(conn, submit->diag));
    const struct status st = put(submit, conn);

    if (is_ok(st) && submit_is_refused(submit)) {
        db_undo(conn);
        return OK;
    }
    return db_finish(conn, st, submit->diag);
}

static struct status
judge_and_put(struct submit *submit)
{
    const struct registry_objects *given = submit->submission->objects;

    if (given->documents.n + given->submission_sets.n + given->folders.n + given->associations.n >
        OBJECTS_MAX) {
        return submit_refuse(submit, submit_metadata_code(submit),
                             "a submission has at most %d objects", OBJECTS_MAX);
    }
    TRY(copy_objects(submit));
    TRY(submit_check(submit));
    if (!submit_is_refused(submit)) {
        TRY(prepare_contents(submit));
    }
    return submit_is_refused(submit) ? OK : put_at_once(submit);
}

struct status
sqlite_submit(struct sqlite_store *store, const struct store_submission *submission,
              struct arena *arena, struct diag *diag, struct store_submitted *ret_submitted)
{
    struct submit submit = {
        .store = store,
        .submission = submission,
        .now_us = clock_wall_us(store->clock),
        .arena = arena,
        .diag = diag,
    };
    const struct status st = judge_and_put(&submit);
    const bool is_stored = is_ok(st) && !submit_is_refused(&submit);

    for (size_t i = 0; submit.documents != NULL && i < submit.objects.documents.n; i++) {
        if (submit.documents[i].is_prepared) {
            sqlite_content_done(&submit.documents[i].content, is_stored);
        }
    }
    if (!is_ok(st)) {
        return st;
    }
    *ret_submitted = (struct store_submitted){.errors = submit.errors};
    if (is_stored) {
        ret_submitted->objects = submit.objects;
    }
    return OK;
}
