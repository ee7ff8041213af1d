/*
 * Replays of NIST's toolkit (see the header). One scene at a time.
 */
#include "nist_kit.h"

#include <stdio.h>
#include <string.h>

#include "soap_support.h"
#include "store/registry.h"

#define CONTENTS_MAX 8

/* ---- messages ---- */

/* From <from> to the end of <to>, looked for from <at> on; false when it is not there. */
static bool
find_piece(struct span text, size_t at, const char *from, const char *to, size_t *ret_begin,
           size_t *ret_end)
{
    const struct span rest = span_slice(text, at, SIZE_MAX);
    const size_t begin = span_find(rest, span_of_cstr(from));

    if (begin == SPAN_MISSING) {
        return false;
    }
    const size_t n = span_find(span_slice(rest, begin, SIZE_MAX), span_of_cstr(to));
    CU_ASSERT_FATAL(n != SPAN_MISSING);
    *ret_begin = at + begin;
    *ret_end = at + begin + n + strlen(to);
    return true;
}

static struct span
cut(struct arena *arena, struct span text, size_t begin, size_t end)
{
    struct diag diag = {0};
    struct span result = SPAN_EMPTY;

    CHECK_OK(&diag,
             arena_printf(arena, &diag, &result, "%.*s%.*s", SPAN_PRINT(span_slice(text, 0, begin)),
                          SPAN_PRINT(span_slice(text, end, SIZE_MAX))));
    return result;
}

/* Pieces that are of no use: a Value with a mark of the toolkit left in it, a Slot without a Value.
 */
static struct span
clean(struct arena *arena, struct span text, const char *from, const char *to,
      bool (*is_useless)(struct span piece))
{
    size_t at = 0, begin = 0, end = 0;

    while (find_piece(text, at, from, to, &begin, &end)) {
        if (is_useless(span_slice(text, begin, end - begin))) {
            text = cut(arena, text, begin, end);
            at = begin;
        } else {
            at = end;
        }
    }
    return text;
}

static bool
is_open_value(struct span piece)
{
    return span_find(piece, SPAN("'$")) != SPAN_MISSING;
}

static bool
is_empty_slot(struct span piece)
{
    return span_find(piece, SPAN("<Value>")) == SPAN_MISSING;
}

bool
nist_payload(const char *file, const struct nist_value *values, size_t n, struct arena *arena,
             struct span *ret_payload)
{
    size_t begin = 0, end = 0;
    struct span text;

    if (!support_data(file, arena, &text)) {
        return false;
    }
    if (find_piece(text, 0, "<Metadata>", "</Metadata>", &begin, &end)) {
        begin += strlen("<Metadata>");
        text = span_slice(text, begin, end - strlen("</Metadata>") - begin);
    }
    for (size_t i = 0; i < n; i++) {
        const struct span value =
            support_replace(arena, span_of_cstr(values[i].value), "&", "&amp;");
        struct diag diag = {0};
        struct span terminated = SPAN_EMPTY;

        CHECK_OK(&diag, arena_dup(arena, value, &diag, &terminated));
        text = support_replace(arena, text, values[i].mark, terminated.p);
    }
    text = clean(arena, text, "<Value>", "</Value>", is_open_value);
    *ret_payload = span_trim(clean(arena, text, "<Slot ", "</Slot>", is_empty_slot));
    return true;
}

void
nist_ask_responder(struct scene *scene, enum soap_transaction transaction, struct span payload,
                   struct scene_reply *reply)
{
    const struct kit_request request = {.transaction = transaction, .payload = payload};

    kit_send(scene, &request, reply);
    CU_ASSERT_FATAL(reply->is_here);
}

void
nist_ask_initiator(struct scene *scene, enum soap_transaction transaction, struct span payload,
                   struct scene_reply *reply)
{
    const struct local_request request = {.transaction = transaction, .payload = payload};

    local_send(scene, &request, reply);
    scene_deliver_all(scene, NULL);
    CU_ASSERT_FATAL(reply->is_here);
}

struct span
nist_read_document(const struct scene_reply *reply, const char *unique_id,
                   const char *new_unique_id, const char *repository, struct arena *arena)
{
    const struct retrieved_document *document;
    struct retrieve_answer answer;
    struct diag diag = {0};
    struct span bytes = SPAN_EMPTY, copy = SPAN_EMPTY;
    struct buf scratch;

    kit_read_retrieve_answer(reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1);
    document = &answer.documents.items[0];
    CHECK_SPAN(document->ref.home, GREEN);
    CHECK_SPAN(document->ref.repository, repository);
    CHECK_SPAN(document->ref.unique_id, unique_id);
    CHECK_SPAN(document->new_unique_id, new_unique_id);
    CHECK_SPAN(document->new_repository, new_unique_id[0] == '\0' ? "" : repository);
    CHECK_SPAN(document->mime_type, "text/plain");
    buf_init(&scratch, 1024);
    CHECK_OK(&diag, body_span(&document->body, &scratch, &diag, &bytes));
    CHECK_OK(&diag, arena_dup(arena, bytes, &diag, &copy));
    buf_done(&scratch);
    retrieve_answer_done(&answer);
    return copy;
}

/* ---- what a registry holds ---- */

struct document_entry
nist_entry(const char *id, const char *unique_id, struct span patient_id)
{
    static struct code normal[1];
    const struct code summary = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")};

    normal[0] = (struct code){SPAN("N"), SPAN("2.16.840.1.113883.5.25"), SPAN("normal")};
    return (struct document_entry){
        .entry_uuid = span_of_cstr(id),
        .unique_id = span_of_cstr(unique_id),
        .patient_id = patient_id,
        .mime_type = SPAN("text/plain"),
        .object_type = SPAN(DOCUMENT_STABLE),
        .status = SPAN(DOCUMENT_APPROVED),
        .creation_time = SPAN("20260102030405"),
        .language = SPAN("en-US"),
        .source_patient_id = SPAN("7^^^&2.999.88&ISO"),
        .class_code = summary,
        .type_code = summary,
        .format_code = DOCUMENT_ANY_FORMAT,
        .facility_type = DOCUMENT_ANY_FACILITY,
        .practice_setting = DOCUMENT_ANY_PRACTICE,
        .confidentiality = {normal, 1, 1},
    };
}

struct submission_set
nist_set(const char *unique_id, struct span patient_id)
{
    static struct author author[1];

    author[0] = (struct author){.person = SPAN("^Example^Ada")};
    return (struct submission_set){
        .entry_uuid = SPAN("set"),
        .unique_id = span_of_cstr(unique_id),
        .source_id = SPAN("2.999.88"),
        .patient_id = patient_id,
        .submission_time = SPAN("20260102030405"),
        .status = SPAN(DOCUMENT_APPROVED),
        .content_type = {SPAN("c"), SPAN("2.999.5"), SPAN("a content")},
        .authors = {author, 1, 1},
    };
}

struct association
nist_member(const char *id, const char *target)
{
    return (struct association){
        .entry_uuid = span_of_cstr(id),
        .type = SPAN(ASSOCIATION_HAS_MEMBER),
        .source = SPAN("set"),
        .target = span_of_cstr(target),
        .submission_set_status = SPAN("Original"),
    };
}

static void
print_errors(const struct registry_error_list *errors)
{
    for (size_t i = 0; i < errors->n; i++) {
        printf("\n    %.*s: %.*s", SPAN_PRINT(errors->items[i].code),
               SPAN_PRINT(errors->items[i].context));
    }
}

struct registry_objects
nist_store(struct place *place, const struct registry_objects *objects,
           const struct nist_content *contents, size_t n, struct arena *arena)
{
    struct submitted_document documents[CONTENTS_MAX];
    struct body bodies[CONTENTS_MAX];
    const struct store_submission submission = {.objects = objects,
                                                .documents = documents,
                                                .documents_n = n,
                                                .patients = STORE_PATIENTS_KNOWN};
    struct store_submitted submitted = {0};
    enum answer answer = ANSWER_LATER;
    struct diag diag = {0};

    CU_ASSERT_FATAL(n <= CONTENTS_MAX);
    for (size_t i = 0; i < n; i++) {
        struct buf bytes;

        buf_init(&bytes, 1024);
        CHECK_OK(&diag, buf_append_cstr(&bytes, contents[i].bytes, &diag));
        body_from_buf(&bodies[i], &bytes);
        documents[i] = (struct submitted_document){span_of_cstr(contents[i].id), &bodies[i]};
    }
    CHECK_OK(&diag,
             store_submit(place->store, &submission, NULL, arena, &diag, &answer, &submitted));
    print_errors(&submitted.errors);
    CU_ASSERT_EQUAL_FATAL(submitted.errors.n, 0);
    for (size_t i = 0; i < n; i++) {
        body_done(&bodies[i]);
    }
    return submitted.objects;
}

struct scene_stored
nist_open(struct scene *scene)
{
    (void)local_kit_open(scene);
    return kit_add(scene_place(scene, "green"), "Nist", "N",
                   "<ClinicalDocument>known</ClinicalDocument>");
}
