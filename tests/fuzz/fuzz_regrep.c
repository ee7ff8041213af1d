/*
 * The messages of ITI-18, 38, 39, 41, 43 and 80: every fact that gSOAP read must be what a plain
 * walk over the libxml2 tree finds, in the same number and order; and the readers above it must
 * take it. What is passed on is read again as what it was.
 *
 * Input: one byte (the rules of requests or of answers), then the payload.
 */
#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "fuzz/message_of.h"
#include "soap/regrep.h"
#include "soap/xdr.h"
#include "unit/answer_dump.h"
#include "unit/regrep_dump.h"

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    message_library_init();
    return 0;
}

static bool
is_regrep(const xmlNode *payload)
{
    return xml_is(payload, NS_QUERY, "AdhocQueryRequest") ||
           xml_is(payload, NS_QUERY, "AdhocQueryResponse") ||
           xml_is(payload, NS_XDSB, "RetrieveDocumentSetRequest") ||
           xml_is(payload, NS_XDSB, "RetrieveDocumentSetResponse") ||
           xml_is(payload, NS_XDSB, "ProvideAndRegisterDocumentSetRequest") ||
           xml_is(payload, NS_RS, "RegistryResponse");
}

static void
compare(const xmlNode *payload, struct arena *arena)
{
    struct diag diag = {0};
    struct buf by_gsoap, by_walk;
    buf_init(&by_gsoap, DUMP_MAX);
    buf_init(&by_walk, DUMP_MAX);
    const struct status st = dump_by_gsoap(payload, arena, &diag, &by_gsoap);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        dump_by_walk(payload, &by_walk);
        FUZZ_MUST(span_eq(buf_span(&by_gsoap), buf_span(&by_walk)),
                  "gSOAP read\n%.*s\nthe tree says\n%.*s", SPAN_PRINT(buf_span(&by_gsoap)),
                  SPAN_PRINT(buf_span(&by_walk)));
    }
    buf_done(&by_gsoap);
    buf_done(&by_walk);
}

static void
dump_objects(const struct registry_objects *objects, struct buf *out)
{
    buf_init(out, ANSWER_DUMP_MAX);
    objects_dump(objects, false, out);
}

/* The objects of an answer, written from their texts, are the same objects to whoever reads them,
 * and nothing in them is dropped any more. */
static void
check_passed_on(struct query_answer *answer, struct arena *arena)
{
    struct diag diag = {0};
    struct query_answer again = {.dropped = 0};
    struct buf out, first, second;
    const struct span home = SPAN("urn:oid:2.999.1");
    for (size_t i = 0; i < answer->objects.documents.n; i++) {
        answer->objects.documents.items[i].home = home;
    }
    for (size_t i = 0; i < answer->objects.submission_sets.n; i++) {
        answer->objects.submission_sets.items[i].home = home;
    }
    for (size_t i = 0; i < answer->objects.folders.n; i++) {
        answer->objects.folders.items[i].home = home;
    }
    answer->refs.n = 0;
    buf_init(&out, ANSWER_DUMP_MAX);
    dump_objects(&answer->objects, &first);
    if (is_ok(query_answer_write(answer, arena, &out, &diag))) {
        const struct message *const message = message_of(buf_span(&out), true, arena);
        FUZZ_MUST(message != NULL, "what we write is no message\n%.*s", SPAN_PRINT(buf_span(&out)));
        FUZZ_MUST(is_ok(query_answer_read(message, arena, &diag, &again)), "%s", diag.text);
        dump_objects(&again.objects, &second);
        FUZZ_MUST(again.dropped == 0 && again.objects.others.n == answer->objects.others.n &&
                      span_eq(buf_span(&first), buf_span(&second)),
                  "read\n%.*s\nread again\n%.*s", SPAN_PRINT(buf_span(&first)),
                  SPAN_PRINT(buf_span(&second)));
        buf_done(&second);
    }
    buf_done(&first);
    buf_done(&out);
}

static bool
has_all_texts(const struct registry_objects *objects)
{
    bool has_all = true;
    for (size_t i = 0; i < objects->documents.n; i++) {
        has_all = has_all && objects->documents.items[i].xml.n > 0;
    }
    for (size_t i = 0; i < objects->submission_sets.n; i++) {
        has_all = has_all && objects->submission_sets.items[i].xml.n > 0;
    }
    for (size_t i = 0; i < objects->folders.n; i++) {
        has_all = has_all && objects->folders.items[i].xml.n > 0;
    }
    for (size_t i = 0; i < objects->associations.n; i++) {
        has_all = has_all && objects->associations.items[i].xml.n > 0;
    }
    return has_all;
}

static void
read_submissions(const struct message *message, struct arena *arena)
{
    struct diag diag = {0};
    struct provide_request request;
    struct registry_response response;
    const struct status st = provide_request_read(message, arena, &diag, &request);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        provide_request_done(&request);
    }
    diag_clear(&diag);
    fuzz_check_refusal(registry_response_read(message, arena, &diag, &response), &diag);
}

/* All readers: the others refuse, because the payload is not theirs. */
static void
read_records(const struct message *message, struct arena *arena)
{
    struct diag diag = {0};
    struct stored_query query;
    struct document_ref_list refs;
    struct query_answer answer;
    struct retrieve_answer retrieved = {.errors = {.items = NULL}};
    fuzz_check_refusal(stored_query_read(message, arena, &diag, &query), &diag);
    diag_clear(&diag);
    fuzz_check_refusal(retrieve_query_read(message, arena, &diag, &refs), &diag);
    diag_clear(&diag);
    struct status st = query_answer_read(message, arena, &diag, &answer);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st) && has_all_texts(&answer.objects)) {
        check_passed_on(&answer, arena);
    }
    read_submissions(message, arena);
    diag_clear(&diag);
    st = retrieve_answer_read(message, arena, &diag, &retrieved);
    fuzz_check_refusal(st, &diag);
    if (is_ok(st)) {
        retrieve_answer_done(&retrieved);
    }
}

/* Facts begin with the status; a refusal is the error's name alone. */
static bool
is_refusal(struct span dump)
{
    return !span_starts_with(dump, SPAN("status "));
}

/* An answer in pieces says what it says as one tree. Which failure counts of several may differ. */
static void
compare_pieces(struct span payload)
{
    static const char begin[] = "<s:Envelope xmlns:s='" NS_SOAP12 "'><s:Body>";
    static const char end[] = "</s:Body></s:Envelope>";
    struct diag diag = {0};
    struct buf envelope, tree, pieces;
    enum err code = ERR_NONE;
    buf_init(&envelope, payload.n + sizeof(begin) + sizeof(end));
    buf_init(&tree, ANSWER_DUMP_MAX);
    buf_init(&pieces, ANSWER_DUMP_MAX);
    FUZZ_MUST(is_ok(buf_append_cstr(&envelope, begin, &diag)) &&
                  is_ok(buf_append(&envelope, payload, &diag)) &&
                  is_ok(buf_append_cstr(&envelope, end, &diag)),
              "%s", diag.text);
    const bool is_same = answer_read_twice(buf_span(&envelope), &tree, &pieces, &code);
    FUZZ_MUST(is_same || (code != ERR_NONE && is_refusal(buf_span(&pieces))),
              "the tree says\n%.*s\nthe pieces say\n%.*s", SPAN_PRINT(buf_span(&tree)),
              SPAN_PRINT(buf_span(&pieces)));
    buf_done(&envelope);
    buf_done(&tree);
    buf_done(&pieces);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct span input = span_of((const char *)bytes, n);
    const bool is_answer = (fuzz_take_u8(&input) & 1) != 0;
    struct arena *const arena = fuzz_arena();
    const struct message *const message = message_of(input, is_answer, arena);
    if (message != NULL) {
        if (is_regrep(message_payload(message))) {
            compare(message_payload(message), arena);
        }
        read_records(message, arena);
    }
    if (is_answer) {
        compare_pieces(input);
    }
    arena_free(arena);
    return 0;
}

size_t
LLVMFuzzerCustomMutator(uint8_t *bytes, size_t n, size_t max, unsigned seed)
{
    return n == 0 || max < 2 ? n : 1 + edits_mutate_xml(bytes + 1, n - 1, max - 1, seed);
}
