/*
 * The objects of an AdhocQueryResponse, read while it is parsed (soap/xml_pieces.h), each when it
 * is whole and before its nodes go. Called by the parse and by query_answer_read, on the thread
 * that owns the message. The first failure is kept and told when the answer is read: before that,
 * what is wrong with the message as a whole counts.
 */
#include "base/mem.h"
#include "soap/message_internal.h"
#include "soap/xca_objects.h"
#include "soap/xca_response.h"
#include "soap/xml_pieces.h"

#define LIVE_NODES_MAX ((size_t)200000)
#define SCRATCH_BYTES  ((size_t)128 * 1024) /* then it begins anew */

struct query_pieces {
    struct xml_pieces pieces;
    struct object_taker taker;
    struct arena *scratch; /* of the records between tree and facts; NULL: none yet */
    struct regrep_once once;
    size_t lists; /* that <once> is about */
    struct document_ref_list refs;
    struct diag diag;
};

static void
release(void *object)
{
    struct query_pieces *const reader = object;
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
begin(struct query_pieces *reader)
{
    if (reader->lists != reader->pieces.lists) {
        reader->lists = reader->pieces.lists;
        reader->once = (struct regrep_once){{false}};
    }
    if (reader->scratch != NULL && arena_used(reader->scratch) > SCRATCH_BYTES) {
        regrep_scratch_free(&reader->scratch);
    }
    if (reader->scratch == NULL) {
        TRY(regrep_scratch_new(&reader->diag, &reader->scratch));
    }
    reader->taker.scratch = reader->scratch;
    return OK;
}

static struct status
take(struct query_pieces *reader, const xmlNode *piece)
{
    const enum rim_kind kind = regrep_kind_of(piece);
    struct rim_classification_list classified = {.items = NULL};
    struct rim_object object;
    struct rim_ref ref;
    TRY(begin(reader));
    const struct regrep_reader regrep = {
        .arena = reader->scratch, .diag = &reader->diag, .code = ERR_PARTNER_ANSWER};
    TRY(regrep_piece_check(piece, regrep.code, reader->scratch, &reader->once, &reader->diag));
    switch (kind) {
    case RIM_DOCUMENT:
    case RIM_PACKAGE:
    case RIM_ASSOCIATION:
        TRY(regrep_object_read(&regrep, piece, &object));
        return objects_take(&reader->taker, piece, kind, &object);
    case RIM_CLASSIFICATION:
        TRY(regrep_classification_read(&regrep, piece, &classified));
        return objects_take_classification(&reader->taker, piece, &classified.items[0]);
    case RIM_REF:
        TRY(regrep_ref_read(&regrep, piece, &ref));
        return answer_add_ref(&ref, reader->taker.reading, reader->taker.facts, &reader->diag,
                              &reader->refs);
    case RIM_OTHER:
        break;
    }
    return objects_take(&reader->taker, piece, kind, NULL);
}

/* REQ: ITI38-lossless */
static void
take_piece(void *arg, const xmlNode *piece)
{
    struct query_pieces *const reader = arg;
    if (reader->diag.code == ERR_NONE) {
        (void)!is_ok(take(reader, piece));
    }
}

struct status
query_answer_pieces_as(const struct query_reading *reading, struct arena *arena,
                       struct arena *facts, struct diag *diag, struct xml_pieces **ret_pieces)
{
    struct query_pieces *reader = NULL;
    TRY(ARENA_NEW(arena, diag, &reader));
    reader->pieces.is_list = is_object_list;
    reader->pieces.take = take_piece;
    reader->pieces.arg = reader;
    reader->pieces.live_nodes = LIVE_NODES_MAX;
    reader->taker = (struct object_taker){
        .facts = facts, .diag = &reader->diag, .code = ERR_PARTNER_ANSWER, .reading = reading};
    TRY(arena_defer(arena, release, reader, diag));
    *ret_pieces = &reader->pieces;
    return OK;
}

struct status
query_answer_pieces(struct arena *arena, struct arena *facts, struct diag *diag,
                    struct xml_pieces **ret_pieces)
{
    return query_answer_pieces_as(&query_reading_as_it_is, arena, facts, diag, ret_pieces);
}

struct status
answer_take_pieces(struct xml_pieces *pieces, const struct arena *arena, struct diag *diag,
                   struct query_answer *answer)
{
    struct query_pieces *const reader = pieces->arg;
    if (pieces->lists == 0) {
        return OK; /* signed, or without a list: all is in the tree */
    }
    if (reader->taker.facts != arena) {
        return FAIL(diag, ERR_INTERNAL, "an answer in pieces is read to another arena");
    }
    if (reader->diag.code == ERR_NONE && pieces->has_text) {
        (void)FAIL(&reader->diag, ERR_PARTNER_ANSWER,
                   "<RegistryObjectList> holds text between its elements");
    }
    if (reader->diag.code == ERR_NONE && is_ok(begin(reader))) {
        (void)!is_ok(objects_finish(&reader->taker));
    }
    if (reader->diag.code != ERR_NONE) {
        return FAIL(diag, reader->diag.code, "%s", reader->diag.text);
    }
    answer->objects = reader->taker.objects;
    answer->dropped = reader->taker.dropped;
    answer->refs = reader->refs;
    return OK;
}
