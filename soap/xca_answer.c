/*
 * The AdhocQueryResponse of ITI-38 (and ITI-18), and the status and error list that it shares with
 * the retrieve answer. Called by both sides of the transactions on the thread that owns the
 * message; facts go to the caller's arena. Sources: ITI TF-2 3.38.4.1.3, ITI TF-3 4.2.4.
 */
#include "base/mem.h"
#include "soap/message_internal.h"
#include "soap/regrep_payload.h"
#include "soap/xca_objects.h"
#include "soap/xca_response.h"

#define SEVERITY_ERROR   "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Error"
#define OBJECT_BYTES     ((size_t)6 * 1024) /* that most objects take, written */
#define SEVERITY_WARNING "urn:oasis:names:tc:ebxml-regrep:ErrorSeverityType:Warning"

static const char *const status_urns[] = {
    [REGISTRY_SUCCESS] = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Success",
    [REGISTRY_PARTIAL_SUCCESS] = "urn:ihe:iti:2007:ResponseStatusType:PartialSuccess",
    [REGISTRY_FAILURE] = "urn:oasis:names:tc:ebxml-regrep:ResponseStatusType:Failure",
};

/* REQ: SQ-error-attributes */
struct status
response_write(enum registry_status status, const struct registry_error_list *errors,
               struct arena *arena, struct diag *diag, struct rs_response *ret_response)
{
    struct rs_response response = {
        .status = span_of_cstr(status_urns[status]),
        .highest_severity = SPAN(SEVERITY_WARNING),
    };
    for (size_t i = 0; i < errors->n; i++) {
        const struct registry_error *from = &errors->items[i];
        const struct rs_error error = {
            .code = from->code,
            .context = from->context,
            .location = from->location,
            .severity = from->is_warning ? SPAN(SEVERITY_WARNING) : SPAN(SEVERITY_ERROR),
        };
        if (!from->is_warning) {
            response.highest_severity = SPAN(SEVERITY_ERROR);
        }
        TRY(ARENA_PUSH(arena, diag, &response.errors, error));
    }
    *ret_response = response;
    return OK;
}

/* Partners write PartialSuccess in the ebXML namespace too: the last part decides. */
static bool
read_status(struct span urn, enum registry_status *ret_status)
{
    const struct span text = span_trim(urn);
    if (span_ends_with(text, SPAN("ResponseStatusType:Success"))) {
        *ret_status = REGISTRY_SUCCESS;
    } else if (span_ends_with(text, SPAN("ResponseStatusType:PartialSuccess"))) {
        *ret_status = REGISTRY_PARTIAL_SUCCESS;
    } else if (span_ends_with(text, SPAN("ResponseStatusType:Failure"))) {
        *ret_status = REGISTRY_FAILURE;
    } else {
        return false;
    }
    return true;
}

struct status
response_read(const struct rs_response *response, struct arena *arena, struct diag *diag,
              enum registry_status *ret_status, struct registry_error_list *ret_errors)
{
    enum registry_status status = REGISTRY_FAILURE;
    struct registry_error_list errors = {.items = NULL};
    if (!read_status(response->status, &status)) {
        return FAIL(diag, ERR_PARTNER_ANSWER,
                    "the answer's status is '%.*s'; expected Success, PartialSuccess or Failure",
                    SPAN_PRINT(span_slice(response->status, 0, 100)));
    }
    for (size_t i = 0; i < response->errors.n; i++) {
        const struct rs_error *from = &response->errors.items[i];
        struct registry_error error = {
            .is_warning = span_ends_with(span_trim(from->severity), SPAN(":Warning")),
        };
        TRY(arena_dup(arena, span_trim(from->code), diag, &error.code));
        TRY(arena_dup(arena, from->context, diag, &error.context));
        TRY(arena_dup(arena, from->location, diag, &error.location));
        TRY(ARENA_PUSH(arena, diag, &errors, error));
    }
    *ret_status = status;
    *ret_errors = errors;
    return OK;
}

/* A large list grows its buffer once, as far as that may grow. */
static struct status
make_room(size_t documents, struct buf *out, struct diag *diag)
{
    const size_t left = out->limit - out->n;
    char *room = NULL;
    return buf_reserve(out, documents < left / OBJECT_BYTES ? documents * OBJECT_BYTES : left, diag,
                       &room);
}

/* gSOAP writes the message; the objects, which are nearly all of it, are put where they belong:
 * first in the list. */
static struct status
write_around(const struct regrep_answer *record, const struct registry_objects *objects,
             struct arena *scratch, struct buf *out, struct diag *diag)
{
    CLEANUP(buf_done) struct buf message;
    struct span head, tail;
    buf_init_secret(&message, REGREP_PAYLOAD_MAX);
    TRY(regrep_write_answer(record, &message, diag));
    TRY(objects_split(buf_span(&message), diag, &head, &tail));
    TRY(make_room(objects->documents.n, out, diag));
    TRY(buf_append(out, head, diag));
    TRY(objects_write(objects, true, scratch, out, diag));
    return buf_append(out, tail, diag);
}

/* REQ: SQ-object-list, SQ-answer-order */
struct status
query_answer_write(const struct query_answer *answer, struct arena *arena, struct buf *out,
                   struct diag *diag)
{
    struct regrep_answer record = {.list = {.refs = {.items = NULL}}};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    (void)arena; /* nothing of a written answer outlives the call */
    TRY(regrep_scratch_new(diag, &scratch));
    TRY(response_write(answer->status, &answer->errors, scratch, diag, &record.response));
    for (size_t i = 0; i < answer->refs.n; i++) {
        const struct document_ref *from = &answer->refs.items[i];
        const struct rim_ref ref = {.id = from->unique_id, .home = from->home};
        if (ref.id.n == 0 || ref.home.n == 0) {
            return FAIL(diag, ERR_INTERNAL, "an ObjectRef of an answer has no %s",
                        ref.id.n == 0 ? "id" : "homeCommunityId");
        }
        TRY(ARENA_PUSH(scratch, diag, &record.list.refs, ref));
    }
    return write_around(&record, &answer->objects, scratch, out, diag);
}

const struct query_reading query_reading_as_it_is = {.home = {NULL, 0}};

struct status
answer_add_ref(const struct rim_ref *from, const struct query_reading *reading, struct arena *arena,
               struct diag *diag, struct document_ref_list *refs)
{
    struct document_ref ref = {.home = SPAN_EMPTY};
    const struct span home = span_trim(from->home);
    TRY(arena_dup(arena, home.n > 0 ? home : reading->home, diag, &ref.home));
    TRY(arena_dup(arena, span_trim(from->id), diag, &ref.unique_id));
    return ARENA_PUSH(arena, diag, refs, ref);
}

/* What is in the tree: all of it, or what is no object. */
static struct status
read_tree(const struct message *message, const struct query_reading *reading, struct arena *arena,
          struct diag *diag, struct query_answer *answer)
{
    const xmlNode *const payload = message_payload(message);
    struct document_node_list no_documents;
    struct regrep_answer record = {.list = {.refs = {.items = NULL}}};
    CLEANUP(regrep_scratch_free) struct arena *scratch = NULL;
    CLEANUP(buf_done) struct buf xml;
    buf_init_secret(&xml, REGREP_PAYLOAD_MAX);
    TRY(regrep_scratch_new(diag, &scratch));
    const struct regrep_reader reader = {
        .arena = scratch, .diag = diag, .code = ERR_PARTNER_ANSWER};
    struct object_taker taker = {.facts = arena,
                                 .scratch = scratch,
                                 .diag = diag,
                                 .code = ERR_PARTNER_ANSWER,
                                 .reading = reading};
    TRY(regrep_payload_write(payload, reader.code, scratch, &xml, diag, &no_documents));
    TRY(regrep_read_answer(&reader, buf_span(&xml), &record));
    TRY(response_read(&record.response, arena, diag, &answer->status, &answer->errors));
    TRY(objects_take_list(&taker, xml_child(payload, NS_RIM, "RegistryObjectList"), &record.list));
    TRY(objects_finish(&taker));
    for (size_t i = 0; i < record.list.refs.n; i++) {
        TRY(answer_add_ref(&record.list.refs.items[i], reading, arena, diag, &answer->refs));
    }
    answer->objects = taker.objects;
    answer->dropped = taker.dropped;
    return OK;
}

struct status
query_answer_read_as(const struct message *message, const struct query_reading *reading,
                     struct arena *arena, struct diag *diag, struct query_answer *ret_answer)
{
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    TRY(read_tree(message, reading, arena, diag, &answer));
    if (message->pieces != NULL) {
        TRY(answer_take_pieces(message->pieces, arena, diag, &answer));
    }
    *ret_answer = answer;
    return OK;
}

struct status
query_answer_read(const struct message *message, struct arena *arena, struct diag *diag,
                  struct query_answer *ret_answer)
{
    return query_answer_read_as(message, &query_reading_as_it_is, arena, diag, ret_answer);
}
