/*
 * The messages of ITI-38 and ITI-39: every fact that gSOAP read must be what a plain walk over the
 * libxml2 tree finds, in the same number and order; and the readers above it must take it.
 *
 * Input: one byte (the rules of requests or of answers), then the payload.
 */
#include "fuzz/edits.h"
#include "fuzz/fuzz.h"
#include "fuzz/message_of.h"
#include "soap/regrep.h"
#include "soap/xca.h"
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

/* All four readers: three refuse, because the payload is not theirs. */
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
    fuzz_check_refusal(query_answer_read(message, arena, &diag, &answer), &diag);
    diag_clear(&diag);
    const struct status st = retrieve_answer_read(message, arena, &diag, &retrieved);
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
