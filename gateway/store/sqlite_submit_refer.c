/*
 * What a submission's associations connect, among themselves and with what is registered: ITI TF-3
 * 4.2.2, and ITI TF-2 3.42.4.1.3 as the registry's part. Called within the write transaction of one
 * store call, on its thread.
 *
 * Where the text leaves room:
 *  - A SubmissionSet may have a registered document of another patient as a member by reference;
 *    every other association connects objects of one patient.
 *  - A deprecated document is no target (XDSRegistryDeprecatedDocumentError), except of a
 * signature.
 *  - A folder's new member need not be in the SubmissionSet by an association of its own.
 *  - A uniqueId that is registered may come again for the same patient with the same bytes.
 */
#include "base/datetime.h"
#include "store/sqlite_submit.h"

struct status
submit_uuid(struct submit *submit, struct span id, struct span *ret_uuid)
{
    struct span copy = SPAN_EMPTY;

    TRY(arena_dup(submit->arena, id, submit->diag, &copy));
    for (size_t i = 0; i < copy.n; i++) {
        if (copy.p[i] >= 'A' && copy.p[i] <= 'F') {
            ((char *)copy.p)[i] = (char)(copy.p[i] - 'A' + 'a'); /* the copy is ours */
        }
    }
    *ret_uuid = copy;
    return OK;
}

struct end {
    struct span uuid;
    enum submit_kind kind;
    bool is_new; /* of this submission: n is which */
    size_t n;
    int64_t patient; /* registered ones but associations */
    bool is_deprecated, is_on_demand;
};

/* The names of one association, as the sender knows them. */
static struct status
refuse(struct submit *submit, size_t n, const char *code, const char *problem)
{
    const struct association *given = &submit->submission->objects->associations.items[n];

    return submit_refuse(submit, code, "Association %.*s from '%.*s' to '%.*s': %s",
                         SPAN_PRINT(given->type), SPAN_PRINT(given->source),
                         SPAN_PRINT(given->target), problem);
}

/* ---- ends ---- */

static struct status
find_registered(struct db_conn *conn, struct span uuid, struct arena *arena, struct diag *diag,
                struct end *ret_end)
{
    CLEANUP(db_end) struct db_query query = {0};
    static const enum submit_kind kinds[] = {SUBMIT_NOTHING, SUBMIT_SET, SUBMIT_FOLDER,
                                             SUBMIT_DOCUMENT, SUBMIT_ASSOCIATION};
    struct end end = {.uuid = uuid};
    struct span status, type;
    bool has_row = false;

    db_prepare(conn,
               "SELECT kind, patient, status, '' FROM packages WHERE entry_uuid = ?1"
               " UNION ALL"
               " SELECT 3, patient, status, object_type FROM documents WHERE entry_uuid = ?1"
               " UNION ALL"
               " SELECT 4, 0, status, '' FROM associations WHERE entry_uuid = ?1",
               &query);
    db_text(&query, uuid);
    TRY(db_step(&query, diag, &has_row));
    if (has_row) {
        TRY(db_column_text(&query, 2, arena, diag, &status));
        TRY(db_column_text(&query, 3, arena, diag, &type));
        end.kind = kinds[db_column_int(&query, 0) % (int64_t)ARRAY_LEN(kinds)];
        end.patient = db_column_int(&query, 1);
        end.is_deprecated = span_eq_cstr(status, DOCUMENT_DEPRECATED);
        end.is_on_demand = span_eq_cstr(type, DOCUMENT_ON_DEMAND);
    }
    *ret_end = end;
    return OK;
}
_Static_assert(SQLITE_PACKAGE_SET == 1 && SQLITE_PACKAGE_FOLDER == 2,
               "find_registered spells the kinds as numbers");

static struct status
find_end(struct submit *submit, struct db_conn *conn, size_t association, struct span id,
         struct end *ret_end)
{
    const struct submit_name *name = submit_find_name(submit, id);

    if (name != NULL) {
        *ret_end =
            (struct end){.uuid = name->uuid, .kind = name->kind, .is_new = true, .n = name->n};
        if (name->kind == SUBMIT_DOCUMENT) {
            ret_end->is_on_demand = span_eq_cstr(
                submit->objects.documents.items[name->n].object_type, DOCUMENT_ON_DEMAND);
        }
        return OK;
    }
    TRY(submit_uuid(submit, id, &id));
    TRY(find_registered(conn, id, submit->arena, submit->diag, ret_end));
    return ret_end->kind != SUBMIT_NOTHING
               ? OK
               : submit_refuse(submit, SUBMIT_UNRESOLVED,
                               "Association %.*s: '%.*s' is neither in the submission nor in the "
                               "registry",
                               SPAN_PRINT(submit->objects.associations.items[association].type),
                               SPAN_PRINT(id));
}

/* ---- the kinds of associations ---- */

/* A registered target must be this patient's, and in force. */
static struct status
check_target(struct submit *submit, size_t n, const struct end *target)
{
    if (!target->is_new && target->patient != submit->patient) {
        TRY(refuse(submit, n, SUBMIT_OTHER_PATIENT, "the target is another patient's"));
    }
    return target->is_deprecated ? refuse(submit, n, SUBMIT_DEPRECATED, "the target is deprecated")
                                 : OK;
}

static struct status
check_set_member(struct submit *submit, size_t n, const struct end *target)
{
    struct association *a = &submit->objects.associations.items[n];
    const char *wanted = target->is_new ? "Original" : "Reference";

    if (target->kind == SUBMIT_SET) {
        return refuse(submit, n, submit_metadata_code(submit),
                      "a SubmissionSet is no member of another");
    }
    if (target->is_deprecated) {
        return refuse(submit, n, SUBMIT_DEPRECATED, "the target is deprecated");
    }
    if (target->kind == SUBMIT_FOLDER && !target->is_new) {
        return check_target(submit, n, target);
    }
    if (target->kind == SUBMIT_DOCUMENT && a->submission_set_status.n == 0) {
        a->submission_set_status = span_of_cstr(wanted);
    }
    return target->kind == SUBMIT_DOCUMENT && !span_eq_cstr(a->submission_set_status, wanted)
               ? refuse(submit, n, submit_metadata_code(submit),
                        target->is_new
                            ? "SubmissionSetStatus of a document that is submitted is Original"
                            : "SubmissionSetStatus of a document that is registered is Reference")
               : OK;
}

static struct status
check_member(struct submit *submit, size_t n, const struct end *source, const struct end *target)
{
    if (source->kind == SUBMIT_SET && source->is_new) {
        return check_set_member(submit, n, target);
    }
    if (source->kind != SUBMIT_FOLDER) {
        return refuse(submit, n, submit_metadata_code(submit),
                      "the source must be the SubmissionSet of this submission, or a Folder");
    }
    if (target->kind != SUBMIT_DOCUMENT) {
        return refuse(submit, n, submit_metadata_code(submit), "members of a Folder are documents");
    }
    if (!source->is_new && source->patient != submit->patient) {
        return refuse(submit, n, SUBMIT_OTHER_PATIENT, "the Folder is another patient's");
    }
    if (source->is_deprecated) {
        return refuse(submit, n, SUBMIT_DEPRECATED, "the Folder is deprecated");
    }
    return check_target(submit, n, target);
}

static struct status
check_replace(struct submit *submit, size_t n, const struct end *source, const struct end *target)
{
    if (source->is_on_demand != target->is_on_demand) {
        return refuse(submit, n, submit_metadata_code(submit),
                      "a stable document does not replace an on-demand one, nor the reverse");
    }
    return target->is_new ? refuse(submit, n, submit_metadata_code(submit),
                                   "what is replaced must be registered before")
                          : check_target(submit, n, target);
}

static struct status
check_relate(struct submit *submit, size_t n, const struct end *source, const struct end *target)
{
    (void)source;
    return check_target(submit, n, target);
}

static struct status
check_sign(struct submit *submit, size_t n, const struct end *source, const struct end *target)
{
    (void)source;
    return target->is_new || target->patient == submit->patient
               ? OK
               : refuse(submit, n, SUBMIT_OTHER_PATIENT, "the target is another patient's");
}

static struct status
check_snapshot(struct submit *submit, size_t n, const struct end *source, const struct end *target)
{
    return !source->is_on_demand && target->is_on_demand
               ? check_target(submit, n, target)
               : refuse(submit, n, submit_metadata_code(submit),
                        "a snapshot is a stable document of an on-demand one");
}

/* REQ: ITI41-relations */
static const struct relation {
    const char *type;
    bool is_of_documents; /* from a document of the submission to a document */
    struct status (*check)(struct submit *submit, size_t n, const struct end *source,
                           const struct end *target);
} relations[] = {
    {ASSOCIATION_HAS_MEMBER, false, check_member},
    {ASSOCIATION_REPLACE, true, check_replace},
    {ASSOCIATION_TRANSFORM_REPLACE, true, check_replace},
    {ASSOCIATION_TRANSFORM, true, check_relate},
    {ASSOCIATION_APPEND, true, check_relate},
    {ASSOCIATION_SIGNS, true, check_sign},
    {ASSOCIATION_SNAPSHOT, true, check_snapshot},
};

static struct status
check_relation(struct submit *submit, size_t n, const struct end *source, const struct end *target)
{
    const struct association *a = &submit->objects.associations.items[n];

    for (size_t i = 0; i < ARRAY_LEN(relations); i++) {
        if (!span_eq_cstr(a->type, relations[i].type)) {
            continue;
        }
        if (relations[i].is_of_documents && (source->kind != SUBMIT_DOCUMENT || !source->is_new ||
                                             target->kind != SUBMIT_DOCUMENT)) {
            return refuse(submit, n, submit_metadata_code(submit),
                          "it must go from a document of the submission to a document");
        }
        return relations[i].check(submit, n, source, target);
    }
    return refuse(submit, n, submit_metadata_code(submit), "this type is not supported here");
}

/* ---- every object is in the SubmissionSet ---- */

static struct status
check_is_member(struct submit *submit, const char *what, struct span submitted, struct span uuid)
{
    const struct span set = submit->objects.submission_sets.items[0].entry_uuid;

    for (size_t i = 0; i < submit->objects.associations.n; i++) {
        const struct association *a = &submit->objects.associations.items[i];

        if (span_eq_cstr(a->type, ASSOCIATION_HAS_MEMBER) && span_eq(a->source, set) &&
            span_eq(a->target, uuid)) {
            return OK;
        }
    }
    return submit_refuse(submit, submit_metadata_code(submit),
                         "%s '%.*s' is no member of the SubmissionSet (an Association HasMember is "
                         "missing)",
                         what, SPAN_PRINT(submitted));
}

static struct status
check_members(struct submit *submit)
{
    const struct registry_objects *given = submit->submission->objects;

    for (size_t i = 0; i < given->documents.n; i++) {
        TRY(check_is_member(submit, "DocumentEntry", given->documents.items[i].entry_uuid,
                            submit->objects.documents.items[i].entry_uuid));
    }
    for (size_t i = 0; i < given->folders.n; i++) {
        TRY(check_is_member(submit, "Folder", given->folders.items[i].entry_uuid,
                            submit->objects.folders.items[i].entry_uuid));
    }
    return OK;
}

/* ---- what is registered already ---- */

static struct status
check_uuids(struct submit *submit, struct db_conn *conn)
{
    for (size_t i = 0; i < submit->names.n; i++) {
        const struct submit_name *name = &submit->names.items[i];
        struct end end;

        if (span_eq_nocase(name->submitted, name->uuid)) {
            TRY(find_registered(conn, name->uuid, submit->arena, submit->diag, &end));
            if (end.kind != SUBMIT_NOTHING) {
                TRY(submit_refuse(submit, submit_metadata_code(submit),
                                  "entryUUID '%.*s' is registered already",
                                  SPAN_PRINT(name->uuid)));
            }
        }
    }
    return OK;
}

static struct status
check_package_id(struct submit *submit, struct db_conn *conn, const char *what,
                 struct span unique_id)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool is_taken = false;

    db_prepare(conn,
               "SELECT 1 FROM packages WHERE unique_id = ?1"
               " UNION ALL SELECT 1 FROM documents WHERE unique_id = ?1 LIMIT 1",
               &query);
    db_text(&query, unique_id);
    TRY(db_step(&query, submit->diag, &is_taken));
    return is_taken ? submit_refuse(submit, SUBMIT_DUPLICATE_REGISTERED,
                                    "%s: uniqueId %.*s is registered already", what,
                                    SPAN_PRINT(unique_id))
                    : OK;
}

/* One registered entry, or a package, with the uniqueId of a submitted document. */
static struct status
check_same(struct submit *submit, const struct document_entry *entry,
           const struct submit_document *document, const struct db_query *query)
{
    const int64_t size = db_column_int(query, 1);
    struct span sha256 = SPAN_EMPTY;
    const char *code = NULL;

    TRY(db_column_blob(query, 0, submit->diag, &sha256));
    if (document->body == NULL || sha256.n == 0 || db_column_int(query, 2) != submit->patient) {
        code = SUBMIT_DUPLICATE_REGISTERED;
    } else if ((uint64_t)size != document->content.size) {
        code = SUBMIT_OTHER_SIZE;
    } else if (!span_eq(sha256, span_of((const char *)document->content.sha256, SHA256_BYTES))) {
        code = SUBMIT_OTHER_HASH;
    }
    return code == NULL
               ? OK
               : submit_refuse(submit, code,
                               "DocumentEntry: uniqueId %.*s is registered already, for another "
                               "document",
                               SPAN_PRINT(entry->unique_id));
}

/* REQ: ITI41-duplicate-id */
static struct status
check_document_id(struct submit *submit, struct db_conn *conn, size_t n)
{
    CLEANUP(db_end) struct db_query query = {0};
    const struct document_entry *entry = &submit->objects.documents.items[n];
    bool has_row = false;

    db_prepare(conn,
               "SELECT sha256, size, patient FROM documents WHERE unique_id = ?1"
               " UNION ALL SELECT x'', -1, 0 FROM packages WHERE unique_id = ?1 LIMIT 1",
               &query);
    db_text(&query, entry->unique_id);
    TRY(db_step(&query, submit->diag, &has_row));
    return has_row ? check_same(submit, entry, &submit->documents[n], &query) : OK;
}

static struct status
check_registered(struct submit *submit, struct db_conn *conn)
{
    const struct registry_objects *objects = &submit->objects;

    TRY(check_uuids(submit, conn));
    TRY(check_package_id(submit, conn, "SubmissionSet",
                         objects->submission_sets.items[0].unique_id));
    for (size_t i = 0; i < objects->folders.n; i++) {
        TRY(check_package_id(submit, conn, "Folder", objects->folders.items[i].unique_id));
    }
    for (size_t i = 0; i < objects->documents.n; i++) {
        TRY(check_document_id(submit, conn, i));
    }
    return OK;
}

static bool
is_replacing(const struct association *a)
{
    return span_eq_cstr(a->type, ASSOCIATION_REPLACE) ||
           span_eq_cstr(a->type, ASSOCIATION_TRANSFORM_REPLACE);
}

/* A community replaces what it submitted itself, as the same homeCommunityId, and nothing else:
 * what others know of a record is not its to withdraw. What would be deprecated with its document
 * counts, too: an addendum of ours keeps the document in force. What is not there is refused with
 * the same words, so that nobody learns from it what is stored. */
/* REQ: ITI80-replace-own */
static struct status
check_sender(struct submit *submit, struct db_conn *conn, size_t n, bool *ret_may)
{
    const struct association *a = &submit->objects.associations.items[n];
    struct span target;
    bool may = !submit->submission->is_foreign || !is_replacing(a) ||
               submit_find_name(submit, a->target) != NULL;

    if (!may) {
        TRY(submit_uuid(submit, a->target, &target));
        TRY(sqlite_sender_check(conn, target, submit->submission->sender, submit->diag, &may));
    }
    *ret_may = may;
    return may ? OK
               : refuse(submit, n, SUBMIT_NOT_REPLACED,
                        "a community replaces only what it sent itself and nobody else added to; "
                        "send it as a new document");
}

static struct status
refer_one(struct submit *submit, struct db_conn *conn, size_t n)
{
    struct association *a = &submit->objects.associations.items[n];
    struct end source, target;
    bool may = false;

    TRY(check_sender(submit, conn, n, &may));
    if (!may) {
        return OK;
    }
    TRY(find_end(submit, conn, n, a->source, &source));
    TRY(find_end(submit, conn, n, a->target, &target));
    a->source = source.uuid;
    a->target = target.uuid;
    return source.kind != SUBMIT_NOTHING && target.kind != SUBMIT_NOTHING
               ? check_relation(submit, n, &source, &target)
               : OK;
}

struct status
submit_refer(struct submit *submit, struct db_conn *conn)
{
    TRY(check_registered(submit, conn));
    for (size_t i = 0; i < submit->objects.associations.n; i++) {
        TRY(refer_one(submit, conn, i));
    }
    return check_members(submit);
}

/* ---- consequences ---- */

/* REQ: ITI41-replace */
static struct status
deprecate(struct db_conn *conn, struct span uuid, struct diag *diag)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn,
               SQLITE_GOES_WITH " UPDATE documents SET status = '" DOCUMENT_DEPRECATED "'"
                                " WHERE entry_uuid IN (SELECT uuid FROM old)",
               &query);
    db_text(&query, uuid);
    return db_run(&query, diag);
}

static struct status
touch_folder(struct submit *submit, struct db_conn *conn, struct span uuid)
{
    CLEANUP(db_end) struct db_query query = {0};
    char now[DATETIME_MAX];

    datetime_write_dtm(submit->now_us, now);
    db_prepare(conn,
               "UPDATE packages SET time = ?1, time_key = ?1 WHERE entry_uuid = ?2 AND kind = 2",
               &query);
    db_text(&query, span_of_cstr(now));
    db_text(&query, uuid);
    return db_run(&query, submit->diag);
}

static bool
is_in_folder(const struct submit *submit, struct span folder, struct span document)
{
    for (size_t i = 0; i < submit->objects.associations.n; i++) {
        const struct association *a = &submit->objects.associations.items[i];

        if (span_eq_cstr(a->type, ASSOCIATION_HAS_MEMBER) && span_eq(a->source, folder) &&
            span_eq(a->target, document)) {
            return true;
        }
    }
    return false;
}

/* What replaces a document is in the folders that the document is in. */
static struct status
join_folders(struct submit *submit, struct db_conn *conn, struct span old, struct span new)
{
    CLEANUP(db_end) struct db_query query = {0};
    bool has_row = false;

    db_prepare(conn,
               "SELECT DISTINCT k.entry_uuid FROM associations AS a"
               " JOIN packages AS k ON k.entry_uuid = a.source AND k.kind = 2"
               " AND k.status = '" DOCUMENT_APPROVED "'"
               " WHERE a.target = ?1 AND a.type = '" ASSOCIATION_HAS_MEMBER "' ORDER BY k.id",
               &query);
    db_text(&query, old);
    for (;;) {
        struct association member = {.type = SPAN(ASSOCIATION_HAS_MEMBER), .target = new};

        TRY(db_step(&query, submit->diag, &has_row));
        if (!has_row) {
            return OK;
        }
        TRY(db_column_text(&query, 0, submit->arena, submit->diag, &member.source));
        if (!is_in_folder(submit, member.source, new)) {
            TRY(sqlite_uuid_make(submit->arena, submit->diag, &member.entry_uuid));
            TRY(ARENA_PUSH(submit->arena, submit->diag, &submit->objects.associations, member));
        }
    }
}

/* REQ: ITI41-replace */
struct status
submit_replace(struct submit *submit, struct db_conn *conn)
{
    const size_t n = submit->objects.associations.n; /* the list grows */

    for (size_t i = 0; i < n; i++) {
        const struct association a = submit->objects.associations.items[i];

        if (is_replacing(&a)) {
            TRY(deprecate(conn, a.target, submit->diag));
            TRY(join_folders(submit, conn, a.target, a.source));
        }
    }
    for (size_t i = 0; i < submit->objects.associations.n; i++) {
        const struct association *a = &submit->objects.associations.items[i];

        if (span_eq_cstr(a->type, ASSOCIATION_HAS_MEMBER)) {
            TRY(touch_folder(submit, conn, a->source)); /* a SubmissionSet is not changed by it */
        }
    }
    return OK;
}
