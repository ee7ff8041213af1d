/*
 * Putting one document: its patient, its DocumentEntry and its bytes. Called within one write
 * transaction on the thread of store_put_document, so that all of it is there or nothing.
 */
#include "store/sqlite.h"

#include "base/datetime.h"
#include "base/digest.h"
#include "base/hl7v2.h"
#include "base/ids.h"
#include "store/sqlite_files.h"
#include "store/sqlite_registry.h"

/* CXi.5 of a reference to a document (ITI TF-3 4.2.3.2.28). */
#define REFERENCE_TYPE "urn:ihe:iti:xds:2013:uniqueId"

/* ---- what must be there ---- */

static bool
is_code(const struct code *code)
{
    return code->value.n > 0 && code->scheme.n > 0;
}

/* What ITI TF-3 Table 4.2.3.2-1 requires of a stable entry and only the document's reader knows. */
struct status
sqlite_document_check(const struct store_document *document, const struct body *body,
                      struct diag *diag)
{
    const struct document_entry *entry = document->entry;
    const struct {
        const char *name;
        bool is_there;
    } required[] = {
        {"mimeType", entry->mime_type.n > 0},
        {"creationTime", entry->creation_time.n > 0},
        {"typeCode", is_code(&entry->type_code)},
        {"classCode", is_code(&entry->class_code)},
        {"formatCode", is_code(&entry->format_code)},
        {"healthcareFacilityTypeCode", is_code(&entry->facility_type)},
        {"practiceSettingCode", is_code(&entry->practice_setting)},
        {"confidentialityCode",
         entry->confidentiality.n > 0 && is_code(&entry->confidentiality.items[0])},
        {"content", body->size > 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        if (!required[i].is_there) {
            return FAIL(diag, ERR_DOCUMENT, "the document has no %s, which XDS requires",
                        required[i].name);
        }
    }
    return OK;
}

/* ---- known bytes ---- */

static struct status
find_known(const struct sqlite_store *store, struct db_conn *conn, struct span sha256,
           struct arena *arena, struct diag *diag, bool *ret_is_known,
           struct store_put_result *ret_result)
{
    CLEANUP(db_end) struct db_query query = {0};
    struct store_put_result result = {.kind = STORE_PUT_KNOWN};
    struct ident patient = {span_of_cstr(store->patient_authority), SPAN_EMPTY, SPAN_EMPTY};
    bool has_row = false;

    db_prepare(conn,
               "SELECT d.unique_id, p.public_id, d.is_unique_id_made FROM documents d"
               " JOIN patients p ON p.id = d.patient WHERE d.sha256 = ? ORDER BY d.id LIMIT 1",
               &query);
    db_blob(&query, sha256);
    TRY(db_step(&query, diag, &has_row));
    if (has_row) {
        TRY(db_column_text(&query, 0, arena, diag, &result.unique_id));
        TRY(db_column_text(&query, 1, arena, diag, &patient.extension));
        result.is_unique_id_made = db_column_int(&query, 2) != 0;
        TRY(ident_write_cx(arena, &patient, diag, &result.patient_id));
        *ret_result = result;
    }
    *ret_is_known = has_row;
    return OK;
}

/* ---- documentUniqueId ---- */

static struct status
is_unique_id_taken(struct db_conn *conn, struct span unique_id, struct diag *diag,
                   bool *ret_is_taken)
{
    CLEANUP(db_end) struct db_query query = {0};

    db_prepare(conn, "SELECT 1 FROM documents WHERE unique_id = ?", &query);
    db_text(&query, unique_id);
    return db_step(&query, diag, ret_is_taken);
}

/* The header's id when it may serve and no other bytes carry it; else one derived from the bytes,
 * the same wherever they are imported. */
static struct status
choose_unique_id(struct db_conn *conn, struct span wanted, const uint8_t sha256[SHA256_BYTES],
                 struct arena *arena, struct diag *diag, struct span *ret_unique_id,
                 bool *ret_is_made)
{
    char uuid[UUID_TEXT], oid[OID_TEXT];
    bool is_taken = true;

    if (document_unique_id_is_legal(wanted)) {
        TRY(is_unique_id_taken(conn, wanted, diag, &is_taken));
    }
    if (!is_taken) {
        *ret_unique_id = wanted;
        *ret_is_made = false;
        return OK;
    }
    uuid_from_digest(sha256, uuid);
    oid_from_uuid(uuid, oid);
    TRY(is_unique_id_taken(conn, span_of_cstr(oid), diag, &is_taken));
    if (is_taken) { /* another document claims the id that these bytes give: it was there first */
        uuid_new(uuid);
        oid_from_uuid(uuid, oid);
    }
    *ret_is_made = true;
    return arena_dup(arena, span_of_cstr(oid), diag, ret_unique_id);
}

/* CXi: id^^^&root&ISO^type for an id within a root, id^^^^type for one that is unique by itself. */
static struct status
write_reference(struct span header_id, struct arena *arena, struct diag *diag,
                struct span *ret_reference)
{
    struct span extension = header_id, root = SPAN_EMPTY;

    (void)span_split(&extension, '^', &root);
    TRY(hl7v2_escape(arena, root, diag, &root));
    TRY(hl7v2_escape(arena, extension, diag, &extension));
    if (extension.n == 0) {
        return arena_printf(arena, diag, ret_reference, "%.*s^^^^" REFERENCE_TYPE,
                            SPAN_PRINT(root));
    }
    return arena_printf(arena, diag, ret_reference, "%.*s^^^&%.*s&%s^" REFERENCE_TYPE,
                        SPAN_PRINT(extension), SPAN_PRINT(root),
                        uuid_is_valid(root) ? "UUID" : "ISO");
}

static struct status
keep_header_id(struct span header_id, struct arena *arena, struct diag *diag,
               struct span_list *references)
{
    struct span reference;
    struct span_list kept = {0}; /* a copy: the caller's list stays as it is */

    TRY(write_reference(header_id, arena, diag, &reference));
    for (size_t i = 0; i < references->n; i++) {
        if (!span_eq(references->items[i], reference)) {
            TRY(ARENA_PUSH(arena, diag, &kept, references->items[i]));
        }
    }
    TRY(ARENA_PUSH(arena, diag, &kept, reference));
    *references = kept;
    return OK;
}

/* ---- putting ---- */

/* Sets what is the store's to set. */
static struct status
complete_entry(struct db_conn *conn, const struct store_document *document,
               const struct sqlite_content *content, struct arena *arena, struct diag *diag,
               struct document_entry *entry, bool *ret_is_made)
{
    char uuid[UUID_TEXT];

    TRY(choose_unique_id(conn, entry->unique_id, content->sha256, arena, diag, &entry->unique_id,
                         ret_is_made));
    if (*ret_is_made && document->header_id.n > 0) {
        TRY(keep_header_id(document->header_id, arena, diag, &entry->reference_ids));
    }
    uuid_new(uuid);
    TRY(arena_printf(arena, diag, &entry->entry_uuid, "urn:uuid:%s", uuid));
    TRY(arena_dup(arena, span_of_cstr(content->sha1), diag, &entry->hash));
    entry->lid = entry->entry_uuid;
    entry->size = content->size;
    entry->has_size = true;
    entry->status = SPAN(DOCUMENT_APPROVED);
    entry->object_type = SPAN(DOCUMENT_STABLE);
    return OK;
}

/* What is imported is a submission of its own, with this repository as its source, so that queries
 * for SubmissionSets find it. */
static struct status
put_submission_set(const struct sqlite_store *store, struct db_conn *conn,
                   const struct document_entry *entry, int64_t patient, int64_t now_us,
                   struct arena *arena, struct diag *diag)
{
    char uuid[UUID_TEXT], oid[OID_TEXT], now[DATETIME_MAX];
    struct submission_set set = {
        .source_id = span_of_cstr(store->repository),
        .status = SPAN(DOCUMENT_APPROVED),
        .title = entry->title,
        .content_type = entry->class_code,
        .authors = entry->authors,
    };
    struct association member = {
        .type = SPAN(ASSOCIATION_HAS_MEMBER),
        .target = entry->entry_uuid,
        .status = SPAN(DOCUMENT_APPROVED),
        .submission_set_status = SPAN("Original"),
    };

    uuid_new(uuid);
    oid_from_uuid(uuid, oid);
    datetime_write_dtm(now_us, now);
    set.unique_id = span_of_cstr(oid);
    set.submission_time = span_of_cstr(now);
    TRY(sqlite_uuid_make(arena, diag, &set.entry_uuid));
    TRY(sqlite_uuid_make(arena, diag, &member.entry_uuid));
    set.lid = set.entry_uuid;
    member.source = set.entry_uuid;
    TRY(sqlite_set_insert(conn, &set, patient, now_us, diag));
    return sqlite_association_insert(conn, &member, now_us, diag);
}

static struct status
put_new(struct sqlite_store *store, struct db_conn *conn, const struct store_document *document,
        const struct body *body, struct sqlite_content *content, struct arena *arena,
        struct diag *diag, struct store_put_result *ret_result)
{
    struct store_put_result result = {.kind = STORE_PUT_NEW};
    struct document_entry entry = *document->entry;
    struct sqlite_decision decision;
    struct ident patient = {span_of_cstr(store->patient_authority), SPAN_EMPTY, SPAN_EMPTY};
    struct sqlite_entry_origin origin = {
        .sha256 = span_of((const char *)content->sha256, SHA256_BYTES),
        .header_id = document->header_id,
        .now_us = clock_wall_us(store->clock),
    };
    int64_t row = 0;

    TRY(complete_entry(conn, document, content, arena, diag, &entry, &origin.is_unique_id_made));
    TRY(sqlite_patient_match(conn, document->patient, arena, diag, &decision));
    origin.patient_rule = match_rule_name(decision.rule);
    TRY(sqlite_patient_put(conn, document->patient, &decision, origin.now_us, arena, diag,
                           &origin.patient, &patient.extension));
    TRY(sqlite_entry_insert(conn, &entry, &origin, diag, &row));
    TRY(sqlite_content_put(store, conn, row, body, content, diag));
    TRY(put_submission_set(store, conn, &entry, origin.patient, origin.now_us, arena, diag));
    result.unique_id = entry.unique_id;
    result.is_unique_id_made = origin.is_unique_id_made;
    result.is_new_patient = decision.row == 0;
    TRY(ident_write_cx(arena, &patient, diag, &result.patient_id));
    *ret_result = result;
    return OK;
}

struct status
sqlite_document_put(struct sqlite_store *store, struct db_conn *conn,
                    const struct store_document *document, const struct body *body,
                    struct sqlite_content *content, struct arena *arena, struct diag *diag,
                    struct store_put_result *ret_result)
{
    bool is_known = false;

    TRY(find_known(store, conn, span_of((const char *)content->sha256, SHA256_BYTES), arena, diag,
                   &is_known, ret_result));
    return is_known ? OK : put_new(store, conn, document, body, content, arena, diag, ret_result);
}
