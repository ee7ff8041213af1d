/*
 * RetrieveDocumentSetRequest and -Response of ITI-39 (and ITI-43). Called by both sides of the
 * transaction on the thread that owns the message; facts go to the caller's arena, the bytes of
 * documents to bodies that the answer's holder frees. gSOAP sees the structure only: which Document
 * element belongs to which response is known by its index (regrep_payload.h), its bytes are read
 * from the tree or the MIME part. Sources: ITI TF-2 3.39.4.1, 3.43.4.1, IHEXDSB.xsd.
 */
#include "base/ids.h"
#include "base/mem.h"
#include "soap/message_internal.h"
#include "soap/regrep_payload.h"
#include "soap/xca_response.h"
#include "soap/xop.h"

static struct status
keep_ref(const struct xdsb_document *from, struct arena *arena, struct diag *diag,
         struct document_ref *ret_ref)
{
    TRY(arena_dup(arena, span_trim(from->home), diag, &ret_ref->home));
    TRY(arena_dup(arena, span_trim(from->repository), diag, &ret_ref->repository));
    return arena_dup(arena, span_trim(from->unique_id), diag, &ret_ref->unique_id);
}

/* ---- the question ---- */

static struct status
read_refs(const struct xdsb_document_list *from, struct arena *arena, struct diag *diag,
          struct document_ref_list *refs)
{
    for (size_t i = 0; i < from->n; i++) {
        struct document_ref ref;
        TRY(keep_ref(&from->items[i], arena, diag, &ref));
        if (ref.repository.n == 0 || ref.unique_id.n == 0) {
            return FAIL(diag, ERR_MESSAGE_CONTENT, "DocumentRequest %zu has no %s", i + 1,
                        ref.repository.n == 0 ? "RepositoryUniqueId" : "DocumentUniqueId");
        }
        TRY(ARENA_PUSH(arena, diag, refs, ref));
    }
    if (refs->n == 0) {
        return FAIL(diag, ERR_MESSAGE_CONTENT,
                    "RetrieveDocumentSetRequest has no DocumentRequest; expected one at least");
    }
    return OK;
}

struct status
retrieve_query_read(const struct message *message, struct arena *arena, struct diag *diag,
                    struct document_ref_list *ret_refs)
{
    struct document_node_list no_documents;
    struct xdsb_document_list record = {.items = NULL};
    struct document_ref_list refs = {.items = NULL};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    CLEANUP(buf_done) struct buf xml;
    buf_init_secret(&xml, REGREP_PAYLOAD_MAX);
    TRY(regrep_payload_check_count(message_payload(message), "DocumentRequest", XCA_REQUESTS_MAX,
                                   diag));
    TRY(regrep_scratch_new(diag, &scratch));
    const struct regrep_reader reader = {
        .arena = scratch, .diag = diag, .code = ERR_MESSAGE_CONTENT};
    TRY(regrep_payload_write(message_payload(message), reader.code, scratch, &xml, diag,
                             &no_documents));
    TRY(regrep_read_retrieve(&reader, buf_span(&xml), &record));
    TRY(read_refs(&record, arena, diag, &refs));
    *ret_refs = refs;
    return OK;
}

/* REQ: ITI39-request-order */
struct status
retrieve_query_write(const struct document_ref_list *refs, struct arena *arena, struct buf *out,
                     struct diag *diag)
{
    struct xdsb_document_list record = {.items = NULL};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    (void)arena; /* nothing of a written question outlives the call */
    TRY(regrep_scratch_new(diag, &scratch));
    for (size_t i = 0; i < refs->n; i++) {
        const struct xdsb_document document = {
            .home = refs->items[i].home,
            .repository = refs->items[i].repository,
            .unique_id = refs->items[i].unique_id,
        };
        TRY(ARENA_PUSH(scratch, diag, &record, document));
    }
    return regrep_write_retrieve(&record, out, diag);
}

/* ---- the answer, written ---- */

/* REQ: ITI39-response-order */
struct status
retrieve_answer_write(struct retrieve_answer *answer, struct arena *arena, struct buf *out,
                      struct diag *diag)
{
    struct xdsb_answer record = {.documents = {.items = NULL}};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    TRY(regrep_scratch_new(diag, &scratch));
    TRY(response_write(answer->status, &answer->errors, scratch, diag, &record.response));
    for (size_t i = 0; i < answer->documents.n; i++) {
        struct retrieved_document *from = &answer->documents.items[i];
        char uuid[UUID_TEXT];
        uuid_new(uuid);
        struct xdsb_document document = {
            .home = from->ref.home,
            .repository = from->ref.repository,
            .unique_id = from->ref.unique_id,
            .new_repository = from->new_repository,
            .new_unique_id = from->new_unique_id,
            .mime_type = from->mime_type,
        };
        /* Nothing in it that a URL would have to escape (RFC 2392). */
        TRY(arena_printf(arena, diag, &from->content_id, "%s@isthmus", uuid));
        TRY(arena_printf(scratch, diag, &document.href, "cid:%s@isthmus", uuid));
        TRY(ARENA_PUSH(scratch, diag, &record.documents, document));
    }
    return regrep_write_retrieved(&record, out, diag);
}

/* ---- the answer, read ---- */

struct answer_reader {
    const struct message *message;
    struct arena *arena;   /* the caller's: facts */
    struct arena *scratch; /* this call's */
    struct diag *diag;
    struct document_node_list nodes;
    struct xop_used_list used;
};

/* REQ: MTOM-inline */
static struct status
read_document(struct answer_reader *r, const struct xdsb_document *from,
              struct retrieved_list *documents)
{
    const xmlNode *node = NULL;
    struct retrieved_document document = {.content_id = SPAN_EMPTY};
    TRY(keep_ref(from, r->arena, r->diag, &document.ref));
    TRY(arena_dup(r->arena, span_trim(from->new_repository), r->diag, &document.new_repository));
    TRY(arena_dup(r->arena, span_trim(from->new_unique_id), r->diag, &document.new_unique_id));
    TRY(arena_dup(r->arena, span_trim(from->mime_type), r->diag, &document.mime_type));
    if (document.ref.unique_id.n == 0) {
        return FAIL(r->diag, ERR_PARTNER_ANSWER, "a DocumentResponse has no DocumentUniqueId");
    }
    body_init(&document.body);
    if (from->href.n == 0) {
        return FAIL(r->diag, ERR_PARTNER_ANSWER, "a DocumentResponse has no Document");
    }
    TRY(document_node_find(&r->nodes, from->href, r->diag, &node));
    TRY(xop_read(r->message, node, ERR_PARTNER_ANSWER, r->scratch, r->diag, &r->used,
                 &document.body));
    const struct status st = ARENA_PUSH(r->arena, r->diag, documents, document);
    if (!is_ok(st)) {
        body_done(&document.body);
    }
    return st;
}

static struct status
read_documents(struct answer_reader *r, const struct xdsb_answer *record,
               struct retrieve_answer *answer)
{
    TRY(response_read(&record->response, r->arena, r->diag, &answer->status, &answer->errors));
    for (size_t i = 0; i < record->documents.n; i++) {
        TRY(read_document(r, &record->documents.items[i], &answer->documents));
    }
    return OK;
}

struct status
retrieve_answer_read(const struct message *message, struct arena *arena, struct diag *diag,
                     struct retrieve_answer *ret_answer)
{
    struct xdsb_answer record = {.documents = {.items = NULL}};
    struct retrieve_answer answer = {.status = REGISTRY_FAILURE};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    CLEANUP(buf_done) struct buf xml;
    buf_init_secret(&xml, REGREP_PAYLOAD_MAX);
    TRY(regrep_scratch_new(diag, &scratch));
    struct answer_reader r = {.message = message, .arena = arena, .scratch = scratch, .diag = diag};
    const struct regrep_reader reader = {
        .arena = scratch, .diag = diag, .code = ERR_PARTNER_ANSWER};
    TRY(regrep_payload_write(message_payload(message), reader.code, scratch, &xml, diag, &r.nodes));
    TRY(regrep_read_retrieved(&reader, buf_span(&xml), &record));
    const struct status st = read_documents(&r, &record, &answer);
    if (!is_ok(st)) {
        retrieve_answer_done(&answer);
        return st;
    }
    *ret_answer = answer;
    return OK;
}

void
retrieve_answer_done(struct retrieve_answer *answer)
{
    for (size_t i = 0; i < answer->documents.n; i++) {
        body_done(&answer->documents.items[i].body);
    }
    answer->documents.n = 0;
}
