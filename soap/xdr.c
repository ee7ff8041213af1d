/*
 * ProvideAndRegisterDocumentSetRequest and RegistryResponse of ITI-41 and ITI-80. Called by both
 * sides of the transactions on the thread that owns the message; facts go to the caller's arena,
 * the bytes of documents to bodies that the request's holder frees. gSOAP sees the structure, as in
 * xca_retrieve.c; objects are taken as in an answer, but strictly: nothing is dropped. Sources: ITI
 * TF-2 3.41.4.1, ITI TF-3 4.2, IHEXDSB.xsd.
 */
#include "soap/xdr.h"

#include "base/ids.h"
#include "base/mem.h"
#include "soap/message_internal.h"
#include "soap/regrep_payload.h"
#include "soap/xca_objects.h"
#include "soap/xca_response.h"
#include "soap/xop.h"

#define SLOT_TARGET "homeCommunityId"

/* ---- reading ---- */

struct provide_reader {
    const struct message *message;
    struct arena *arena;   /* the caller's: facts */
    struct arena *scratch; /* this call's */
    struct diag *diag;
    struct document_node_list nodes;
    struct xop_used_list used;
};

static bool
has_document(const struct provided_list *documents, struct span id)
{
    for (size_t i = 0; i < documents->n; i++) {
        if (span_eq(documents->items[i].entry_id, id)) {
            return true;
        }
    }
    return false;
}

static bool
has_entry(const struct document_list *entries, struct span id)
{
    for (size_t i = 0; i < entries->n; i++) {
        if (span_eq(entries->items[i].entry_uuid, id)) {
            return true;
        }
    }
    return false;
}

static struct status
read_document(struct provide_reader *r, const struct xdsb_provided *from,
              struct provided_list *documents)
{
    const xmlNode *node = NULL;
    const size_t used = r->used.n;
    struct provided_document document = {.entry_id = SPAN_EMPTY};
    TRY(arena_dup(r->arena, span_trim(from->id), r->diag, &document.entry_id));
    if (document.entry_id.n == 0 || has_document(documents, document.entry_id)) {
        return FAIL(r->diag, ERR_MESSAGE_CONTENT, "Document %zu %s", documents->n + 1,
                    document.entry_id.n == 0 ? "has no id" : "has the id of another one");
    }
    body_init(&document.body);
    TRY(document_node_find(&r->nodes, from->href, r->diag, &node));
    TRY(xop_read(r->message, node, ERR_MESSAGE_CONTENT, r->scratch, r->diag, &r->used,
                 &document.body));
    struct status st = OK;
    if (r->used.n > used) {
        st = arena_dup(r->arena, r->used.items[used]->content_type, r->diag, &document.mime_type);
    }
    if (is_ok(st)) {
        st = ARENA_PUSH(r->arena, r->diag, documents, document);
    }
    if (!is_ok(st)) {
        body_done(&document.body);
    }
    return st;
}

static struct status
note_what_is_missing(struct provide_reader *r, struct provide_request *request)
{
    for (size_t i = 0; i < request->objects.documents.n; i++) {
        const struct document_entry *const entry = &request->objects.documents.items[i];
        if (!span_eq_cstr(entry->object_type, DOCUMENT_ON_DEMAND) &&
            !has_document(&request->documents, entry->entry_uuid)) {
            TRY(ARENA_PUSH(r->arena, r->diag, &request->entries_without_document,
                           entry->entry_uuid));
        }
    }
    for (size_t i = 0; i < request->documents.n; i++) {
        const struct span id = request->documents.items[i].entry_id;
        if (!has_entry(&request->objects.documents, id)) {
            TRY(ARENA_PUSH(r->arena, r->diag, &request->documents_without_entry, id));
        }
    }
    return OK;
}

static bool
is_used(const struct xop_used_list *used, const struct mime_part *part)
{
    for (size_t i = 0; i < used->n; i++) {
        if (used->items[i] == part) {
            return true;
        }
    }
    return false;
}

/* Bytes that were sent and would be lost in silence. */
static struct status
note_unused_parts(struct provide_reader *r, struct provide_request *request)
{
    const struct mime *const mime = &r->message->mime;
    for (size_t i = 0; i < mime->parts.n; i++) {
        const struct mime_part *const part = &mime->parts.items[i];
        struct span id = SPAN_EMPTY;
        if (i == mime->root || is_used(&r->used, part)) {
            continue;
        }
        TRY(arena_dup(r->arena, part->content_id, r->diag, &id));
        TRY(ARENA_PUSH(r->arena, r->diag, &request->parts_without_document, id));
    }
    return OK;
}

static struct status
read_target(struct provide_reader *r, const struct rim_slot_list *slots,
            struct provide_request *request)
{
    struct span home = SPAN_EMPTY;
    for (size_t i = 0; home.n == 0 && i < slots->n; i++) {
        const struct span_list *const values = &slots->items[i].values;
        if (span_eq_cstr(slots->items[i].name, SLOT_TARGET) && values->n > 0) {
            home = span_trim(values->items[0]);
        }
    }
    if (home.n == 0 && request->objects.submission_sets.n > 0) {
        home = request->objects.submission_sets.items[0].target_home;
    }
    return arena_dup(r->arena, home, r->diag, &request->target_home);
}

static struct status
read_request(struct provide_reader *r, const xmlNode *list, const struct xdsb_submission *record,
             struct provide_request *request)
{
    struct object_taker taker = {.facts = r->arena,
                                 .scratch = r->scratch,
                                 .diag = r->diag,
                                 .code = ERR_MESSAGE_CONTENT,
                                 .reading = &query_reading_as_it_is,
                                 .is_strict = true};
    TRY(objects_take_list(&taker, list, &record->list));
    TRY(objects_finish(&taker));
    request->objects = taker.objects;
    for (size_t i = 0; i < record->documents.n; i++) {
        TRY(read_document(r, &record->documents.items[i], &request->documents));
    }
    TRY(note_what_is_missing(r, request));
    TRY(note_unused_parts(r, request));
    return read_target(r, &record->slots, request);
}

static struct status
check_counts(const xmlNode *payload, const xmlNode *list, struct diag *diag)
{
    const size_t documents = xml_count(payload, NS_XDSB, "Document");
    size_t objects = 0;
    for (const xmlNode *node = xml_first(list); node != NULL; node = xml_next(node)) {
        objects++;
    }
    if (documents > XDR_DOCUMENTS_MAX || objects > XDR_OBJECTS_MAX) {
        return FAIL(diag, ERR_LIMIT_ITEMS,
                    "a submission of %zu objects and %zu documents; at most %zu and %zu are taken "
                    "at once: submit in parts",
                    objects, documents, XDR_OBJECTS_MAX, XDR_DOCUMENTS_MAX);
    }
    return OK;
}

struct status
provide_request_read(const struct message *message, struct arena *arena, struct diag *diag,
                     struct provide_request *ret_request)
{
    const xmlNode *const payload = message_payload(message);
    const xmlNode *const list =
        xml_child(xml_child(payload, NS_LCM, "SubmitObjectsRequest"), NS_RIM, "RegistryObjectList");
    struct xdsb_submission record = {.slots = {.items = NULL}};
    struct provide_request request = {.target_home = SPAN_EMPTY};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    CLEANUP(buf_done) struct buf xml;
    buf_init_secret(&xml, REGREP_PAYLOAD_MAX);
    TRY(check_counts(payload, list, diag));
    TRY(regrep_scratch_new(diag, &scratch));
    struct provide_reader r = {
        .message = message, .arena = arena, .scratch = scratch, .diag = diag};
    const struct regrep_reader reader = {
        .arena = scratch, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    TRY(regrep_payload_write(payload, reader.code, scratch, &xml, diag, &r.nodes));
    TRY(regrep_read_submission(&reader, buf_span(&xml), &record));
    const struct status st = read_request(&r, list, &record, &request);
    if (!is_ok(st)) {
        provide_request_done(&request);
        return st;
    }
    *ret_request = request;
    return OK;
}

void
provide_request_done(struct provide_request *request)
{
    for (size_t i = 0; i < request->documents.n; i++) {
        body_done(&request->documents.items[i].body);
    }
    request->documents.n = 0;
}

/* ---- writing ---- */

static struct status
make_documents(struct provide_request *request, struct arena *arena, struct arena *scratch,
               struct diag *diag, struct xdsb_provided_list *list)
{
    for (size_t i = 0; i < request->documents.n; i++) {
        struct provided_document *const from = &request->documents.items[i];
        struct xdsb_provided to = {.id = from->entry_id};
        char uuid[UUID_TEXT];
        uuid_new(uuid);
        if (from->entry_id.n == 0) {
            return FAIL(diag, ERR_INTERNAL, "a document of a submission has no id");
        }
        /* Nothing in it that a URL would have to escape (RFC 2392). */
        TRY(arena_printf(arena, diag, &from->content_id, "%s@isthmus", uuid));
        TRY(arena_printf(scratch, diag, &to.href, "cid:%s@isthmus", uuid));
        TRY(ARENA_PUSH(scratch, diag, list, to));
    }
    return OK;
}

static struct status
make_target(const struct provide_request *request, struct arena *scratch, struct diag *diag,
            struct rim_slot_list *slots)
{
    struct rim_slot slot = {.name = SPAN(SLOT_TARGET)};
    if (request->target_home.n == 0) {
        return OK;
    }
    TRY(ARENA_PUSH(scratch, diag, &slot.values, request->target_home));
    return ARENA_PUSH(scratch, diag, slots, slot);
}

struct status
provide_request_write(struct provide_request *request, struct arena *arena, struct buf *out,
                      struct diag *diag)
{
    struct xdsb_submission record = {.slots = {.items = NULL}};
    struct span head, tail;
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    CLEANUP(buf_done) struct buf message;
    buf_init_secret(&message, REGREP_PAYLOAD_MAX);
    TRY(regrep_scratch_new(diag, &scratch));
    TRY(make_target(request, scratch, diag, &record.slots));
    TRY(make_documents(request, arena, scratch, diag, &record.documents));
    TRY(regrep_write_submission(&record, &message, diag));
    TRY(objects_split(buf_span(&message), diag, &head, &tail));
    TRY(buf_append(out, head, diag));
    TRY(objects_write(&request->objects, false, scratch, out, diag));
    return buf_append(out, tail, diag);
}

/* ---- the answer ---- */

struct status
registry_response_read(const struct message *message, struct arena *arena, struct diag *diag,
                       struct registry_response *ret_response)
{
    struct document_node_list no_documents;
    struct rs_response record = {.status = SPAN_EMPTY};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    CLEANUP(buf_done) struct buf xml;
    buf_init_secret(&xml, REGREP_PAYLOAD_MAX);
    TRY(regrep_scratch_new(diag, &scratch));
    const struct regrep_reader reader = {
        .arena = scratch, .diag = diag, .code = ERR_PARTNER_ANSWER};
    TRY(regrep_payload_write(message_payload(message), reader.code, scratch, &xml, diag,
                             &no_documents));
    TRY(regrep_read_response(&reader, buf_span(&xml), &record));
    return response_read(&record, arena, diag, &ret_response->status, &ret_response->errors);
}

struct status
registry_response_write(const struct registry_response *response, struct buf *out,
                        struct diag *diag)
{
    struct rs_response record;
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    TRY(regrep_scratch_new(diag, &scratch));
    TRY(response_write(response->status, &response->errors, scratch, diag, &record));
    return regrep_write_response(&record, out, diag);
}
