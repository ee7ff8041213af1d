/*
 * The objects of an AdhocQueryResponse, read while it is parsed (soap/xml_pieces.h). Each becomes
 * the text that gSOAP reads, as in xca_answer.c, and that is read a hundred kilobytes at a time.
 * Called by the parse and by query_answer_read, on the thread that owns the message. The first
 * failure is kept and told when the answer is read: before that, what is wrong with the message as
 * a whole counts.
 */
#include "base/mem.h"
#include "soap/message_internal.h"
#include "soap/regrep_payload.h"
#include "soap/xca_response.h"
#include "soap/xml_pieces.h"

#define LIVE_NODES_MAX ((size_t)200000)
#define BATCH_BYTES    ((size_t)128 * 1024)

#define BATCH_BEGIN                                                                                \
    "<AdhocQueryResponse xmlns=\"" NS_QUERY "\" status=\"\">"                                      \
    "<RegistryObjectList xmlns=\"" NS_RIM "\">"
#define BATCH_END "</RegistryObjectList></AdhocQueryResponse>"

struct query_pieces {
    struct xml_pieces pieces;
    struct arena *facts;
    struct arena *scratch; /* of a batch; NULL: none has begun */
    struct buf batch;
    struct regrep_once once;
    size_t lists; /* that <once> is about */
    struct query_answer found;
    struct diag diag;
};

static void
release(void *object)
{
    struct query_pieces *const reader = object;
    buf_done(&reader->batch);
    regrep_scratch_free(&reader->scratch);
}

/* ---- where pieces are ---- */

static bool
is_signed(const xmlNode *envelope)
{
    const xmlNode *const header = xml_child(envelope, NS_SOAP12, "Header");
    for (const xmlNode *node = header; node != NULL; node = xml_walk(node, header)) {
        if (xml_is(node, NS_DS, "Signature")) {
            return true;
        }
    }
    return false;
}

static bool
is_object_list(void *arg, const xmlNode *element)
{
    (void)arg;
    if (!xml_is(element, NS_RIM, "RegistryObjectList") ||
        !xml_is(element->parent, NS_QUERY, "AdhocQueryResponse")) {
        return false;
    }
    const xmlNode *const body = element->parent->parent;
    const xmlNode *const envelope = body == NULL ? NULL : body->parent;
    return xml_is(body, NS_SOAP12, "Body") && xml_is(envelope, NS_SOAP12, "Envelope") &&
           envelope == xml_root(element->doc) && !is_signed(envelope);
}

/* ---- reading them ---- */

static struct status
begin_batch(struct query_pieces *reader)
{
    if (reader->scratch != NULL) {
        return OK;
    }
    TRY(regrep_scratch_new(&reader->diag, &reader->scratch));
    buf_done(&reader->batch);
    buf_init_secret(&reader->batch, REGREP_PAYLOAD_MAX);
    return buf_append_cstr(&reader->batch, BATCH_BEGIN, &reader->diag);
}

static struct status
end_batch(struct query_pieces *reader)
{
    struct regrep_answer record = {.objects = {.items = NULL}};
    if (reader->scratch == NULL) {
        return OK;
    }
    const struct regrep_reader regrep = {
        .arena = reader->scratch, .diag = &reader->diag, .code = ERR_PARTNER_ANSWER};
    TRY(buf_append_cstr(&reader->batch, BATCH_END, &reader->diag));
    TRY(regrep_read_answer(&regrep, buf_span(&reader->batch), &record));
    TRY(answer_add_objects(&record, reader->facts, &reader->diag, &reader->found));
    regrep_scratch_free(&reader->scratch);
    return OK;
}

static struct status
take(struct query_pieces *reader, const xmlNode *piece)
{
    if (reader->lists != reader->pieces.lists) {
        reader->lists = reader->pieces.lists;
        reader->once = (struct regrep_once){{false}};
    }
    TRY(begin_batch(reader));
    TRY(regrep_piece_write(piece, ERR_PARTNER_ANSWER, reader->scratch, &reader->once,
                           &reader->batch, &reader->diag));
    return reader->batch.n < BATCH_BYTES ? OK : end_batch(reader);
}

static void
take_piece(void *arg, const xmlNode *piece)
{
    struct query_pieces *const reader = arg;
    if (reader->diag.code == ERR_NONE) {
        (void)!is_ok(take(reader, piece));
    }
}

struct status
query_answer_pieces(struct arena *arena, struct arena *facts, struct diag *diag,
                    struct xml_pieces **ret_pieces)
{
    struct query_pieces *reader = NULL;
    TRY(ARENA_NEW(arena, diag, &reader));
    reader->pieces.is_list = is_object_list;
    reader->pieces.take = take_piece;
    reader->pieces.arg = reader;
    reader->pieces.live_nodes = LIVE_NODES_MAX;
    reader->facts = facts;
    buf_init_secret(&reader->batch, REGREP_PAYLOAD_MAX);
    TRY(arena_defer(arena, release, reader, diag));
    *ret_pieces = &reader->pieces;
    return OK;
}

struct status
answer_take_pieces(struct xml_pieces *pieces, const struct arena *arena, struct diag *diag,
                   struct query_answer *answer)
{
    struct query_pieces *const reader = pieces->arg;
    if (pieces->lists == 0) {
        return OK; /* signed, or without a list: all is in the tree */
    }
    if (reader->facts != arena) {
        return FAIL(diag, ERR_INTERNAL, "an answer in pieces is read to another arena");
    }
    if (reader->diag.code == ERR_NONE && pieces->has_text) {
        (void)FAIL(&reader->diag, ERR_PARTNER_ANSWER,
                   "<RegistryObjectList> holds text between its elements");
    }
    if (reader->diag.code == ERR_NONE) {
        (void)!is_ok(end_batch(reader));
    }
    if (reader->diag.code != ERR_NONE) {
        return FAIL(diag, reader->diag.code, "%s", reader->diag.text);
    }
    answer->objects = reader->found.objects;
    answer->refs = reader->found.refs;
    return OK;
}
