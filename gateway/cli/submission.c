/*
 * Files to a submission. Called by cmd_send.c and tests; the request owns the documents' bytes,
 * which stay in their files where a sidecar describes them.
 */
#include "cli/submission.h"

#include "base/datetime.h"
#include "base/digest.h"
#include "base/hl7v2.h"
#include "base/ids.h"
#include "base/mem.h"
#include "cli/import.h"

#define ORIGINAL SPAN("Original")
/* contentTypeCode when no document says better: what is sent is a clinical document. */
#define ANY_CONTENT                                                                                \
    ((struct code){SPAN("55107-7"), SPAN("2.16.840.1.113883.6.1"), SPAN("Addendum Document")})

struct making {
    const struct submission_order *order;
    struct arena *arena;
    struct diag *diag;
    struct provide_request *request;
    struct span set_uuid;
    struct span patient_id; /* of the set */
};

static struct status
new_uuid(struct making *making, struct span *ret_urn)
{
    char uuid[UUID_TEXT];

    uuid_new(uuid);
    return arena_printf(making->arena, making->diag, ret_urn, "urn:uuid:%s", uuid);
}

static struct status
new_oid(struct making *making, struct span *ret_oid)
{
    char uuid[UUID_TEXT], oid[OID_TEXT];

    uuid_new(uuid);
    oid_from_uuid(uuid, oid);
    return arena_dup(making->arena, span_of_cstr(oid), making->diag, ret_oid);
}

/* ---- bytes ---- */

struct digests {
    struct digest_stream *sha1, *sha256;
};

static struct status
digest_piece(void *arg, struct span piece, struct diag *diag)
{
    const struct digests *digests = arg;

    TRY(digest_stream_add(digests->sha1, piece, diag));
    return digest_stream_add(digests->sha256, piece, diag);
}

/* Size and hash; and an id, where the document has none that may serve: the same for the same
 * bytes, as in an import, so that sending it twice is seen. */
static struct status
note_bytes(struct making *making, const struct body *body, struct document_entry *entry)
{
    CLEANUP(digest_stream_free_p) struct digest_stream *sha1 = NULL;
    CLEANUP(digest_stream_free_p) struct digest_stream *sha256 = NULL;
    struct diag *diag = making->diag;
    char hex[SHA256_HEX], uuid[UUID_TEXT], oid[OID_TEXT];
    uint8_t digest[DIGEST_MAX];

    TRY(digest_stream_new(DIGEST_SHA1, diag, &sha1));
    TRY(digest_stream_new(DIGEST_SHA256, diag, &sha256));
    struct digests digests = {sha1, sha256};
    TRY(body_each(body, digest_piece, &digests, diag));
    TRY(digest_stream_end_hex(sha1, diag, hex));
    TRY(digest_stream_end(sha256, diag, digest));
    TRY(arena_dup(making->arena, span_of_cstr(hex), diag, &entry->hash));
    entry->size = body->size;
    entry->has_size = true;
    if (document_unique_id_is_legal(entry->unique_id)) {
        return OK;
    }
    uuid_from_digest(digest, uuid);
    oid_from_uuid(uuid, oid);
    return arena_dup(making->arena, span_of_cstr(oid), diag, &entry->unique_id);
}

/* ---- the patient ---- */

static struct status
add_field(struct making *making, struct span_list *fields, const char *name, struct span value)
{
    struct span escaped, field;

    if (value.n == 0) {
        return OK;
    }
    TRY(hl7v2_escape(making->arena, value, making->diag, &escaped));
    TRY(arena_printf(making->arena, making->diag, &field, "%s|%.*s", name, SPAN_PRINT(escaped)));
    return ARENA_PUSH(making->arena, making->diag, fields, field);
}

/* PID-5, PID-7, PID-8, where the document's reader has not written them already. */
static struct status
note_person(struct making *making, const struct patient *patient, struct span_list *fields)
{
    const struct person_name *name = patient->names.n > 0 ? &patient->names.items[0] : NULL;
    struct span family, given, field;

    if (fields->n > 0) {
        return OK;
    }
    if (name != NULL) {
        TRY(hl7v2_escape(making->arena, name->family, making->diag, &family));
        TRY(hl7v2_escape(making->arena, name->given.n > 0 ? name->given.items[0] : SPAN_EMPTY,
                         making->diag, &given));
        TRY(arena_printf(making->arena, making->diag, &field, "PID-5|%.*s^%.*s", SPAN_PRINT(family),
                         SPAN_PRINT(given)));
        TRY(ARENA_PUSH(making->arena, making->diag, fields, field));
    }
    TRY(add_field(making, fields, "PID-7", span_slice(patient->birth_time, 0, 8)));
    return add_field(making, fields, "PID-8", patient->sex);
}

static struct status
note_patient(struct making *making, const struct patient *patient, struct document_entry *entry)
{
    const struct submission_order *order = making->order;

    entry->is_limited = order->patient_id.n == 0;
    if (patient->ids.n > 0) {
        TRY(ident_write_cx(making->arena, &patient->ids.items[0], making->diag,
                           &entry->source_patient_id));
    } else if (entry->is_limited) {
        return FAIL(making->diag, ERR_DOCUMENT,
                    "its patient has no id; say how the community knows the patient (--patient)");
    } else {
        entry->source_patient_id = order->patient_id;
    }
    entry->patient_id = entry->is_limited ? entry->source_patient_id : order->patient_id;
    TRY(note_person(making, patient, &entry->source_patient_info));
    if (making->patient_id.n > 0 && !span_eq(making->patient_id, entry->patient_id)) {
        return FAIL(making->diag, ERR_DOCUMENT,
                    "it is about another patient than the first file; send one patient's documents "
                    "at a time");
    }
    making->patient_id = entry->patient_id;
    return OK;
}

/* ---- objects ---- */

static struct status
add_membership(struct making *making, struct span entry_uuid)
{
    struct association association = {
        .type = SPAN(ASSOCIATION_HAS_MEMBER),
        .source = making->set_uuid,
        .target = entry_uuid,
        .submission_set_status = ORIGINAL,
    };

    TRY(new_uuid(making, &association.entry_uuid));
    return ARENA_PUSH(making->arena, making->diag, &making->request->objects.associations,
                      association);
}

/* Takes the bytes, also on failure. */
static struct status
add_document(struct making *making, struct import_description *description, struct body *body)
{
    struct provided_document document = {.mime_type = description->entry.mime_type};
    struct document_entry entry = description->entry;
    struct status st;

    body_move(&document.body, body);
    st = new_uuid(making, &entry.entry_uuid);
    document.entry_id = entry.entry_uuid;
    if (is_ok(st)) {
        st = ARENA_PUSH(making->arena, making->diag, &making->request->documents, document);
    }
    if (!is_ok(st)) {
        body_done(&document.body);
        return st;
    }
    entry.object_type = SPAN(DOCUMENT_STABLE);
    if (entry.language.n == 0) {
        entry.language = DOCUMENT_ANY_LANGUAGE;
    }
    TRY(note_patient(making, &description->patient, &entry));
    TRY(note_bytes(making, &making->request->documents.items[making->request->documents.n - 1].body,
                   &entry));
    TRY(ARENA_PUSH(making->arena, making->diag, &making->request->objects.documents, entry));
    return add_membership(making, entry.entry_uuid);
}

static struct status
add_file(struct making *making, const char *path)
{
    CLEANUP(body_done) struct body body;
    struct import_description description = {0};
    struct span reason = SPAN_EMPTY;
    struct status st;

    body_init(&body);
    st = import_describe(path, making->arena, making->diag, &description, &body, &reason);
    if (!is_ok(st) && reason.n > 0) { /* the lines of a sidecar's errors name it themselves */
        struct span first = reason;

        diag_clear(making->diag);
        (void)span_split(&reason, '\n', &first);
        return FAIL(making->diag, st.code, "%.*s%s", SPAN_PRINT(first),
                    reason.n > 0 ? " (and more)" : "");
    }
    if (is_ok(st)) {
        st = add_document(making, &description, &body);
    }
    if (!is_ok(st)) {
        diag_prefix(making->diag, "%s", path);
    }
    return st;
}

static struct status
add_set(struct making *making)
{
    const struct submission_order *order = making->order;
    const struct document_entry *first = &making->request->objects.documents.items[0];
    struct submission_set set = {
        .entry_uuid = making->set_uuid,
        .source_id = order->source_id,
        .patient_id = making->patient_id,
        .content_type = first->class_code.value.n > 0 ? first->class_code : ANY_CONTENT,
        .intended_recipients = order->recipients,
        .is_limited = order->patient_id.n == 0,
    };
    struct author author = {.institution = order->institution};
    char now[DATETIME_MAX];

    datetime_write_dtm(order->now_us, now);
    TRY(arena_dup(making->arena, span_of_cstr(now), making->diag, &set.submission_time));
    TRY(new_oid(making, &set.unique_id));
    TRY(arena_printf(making->arena, making->diag, &set.target_home, "urn:oid:%.*s",
                     SPAN_PRINT(order->target)));
    if (order->institution.n > 0) {
        TRY(ARENA_PUSH(making->arena, making->diag, &set.authors, author));
    }
    return ARENA_PUSH(making->arena, making->diag, &making->request->objects.submission_sets, set);
}

struct status
submission_make(const struct submission_order *order, const char *const *paths, size_t n,
                struct arena *arena, struct diag *diag, struct provide_request *ret_request)
{
    struct making making = {order, arena, diag, ret_request, SPAN_EMPTY, SPAN_EMPTY};

    *ret_request = (struct provide_request){0};
    if (n == 0 || n > XDR_DOCUMENTS_MAX) {
        return FAIL(diag, ERR_USAGE, "a submission has 1 to %zu documents, not %zu",
                    XDR_DOCUMENTS_MAX, n);
    }
    TRY(new_uuid(&making, &making.set_uuid));
    for (size_t i = 0; i < n; i++) {
        TRY(add_file(&making, paths[i]));
    }
    return add_set(&making);
}
