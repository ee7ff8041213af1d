/*
 * Cases of NIST's XDS Toolkit about repositories (11966) and recipients of submissions (12371 to
 * 12376), replayed between nodes. Their messages are not among the test data: the submissions are
 * ours, made as the descriptions say.
 */
#include <string.h>

#include "base/digest.h"
#include "nist_kit.h"
#include "store/registry.h"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored known; /* of Nuria Nist, at green */
static struct span patient_id;    /* the same person's */

static struct place *
place(const char *name)
{
    return scene_place(&scene, name);
}

static void
open_all(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    known = nist_open(&scene);
    patient_id = span_of_cstr(known.patient_id);
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

#define DOCUMENTS_MAX 2

static struct document_entry entries[DOCUMENTS_MAX];
static struct submission_set set;
static struct association members[DOCUMENTS_MAX];
static struct provided_document documents[DOCUMENTS_MAX];
static struct provide_request request;
static const char *const names[DOCUMENTS_MAX] = {"Document01", "Document02"};
static const char *const contents[DOCUMENTS_MAX] = {"first content", "second content"};

static void
make(size_t n, const char *first_id, const char *second_id, const char *set_id, struct span patient)
{
    const char *const ids[DOCUMENTS_MAX] = {first_id, second_id};

    set = nist_set(set_id, patient);
    for (size_t i = 0; i < n; i++) {
        entries[i] = nist_entry(names[i], ids[i], patient);
        members[i] = nist_member(i == 0 ? "a1" : "a2", names[i]);
        documents[i] = (struct provided_document){.entry_id = span_of_cstr(names[i]),
                                                  .body = body_over(span_of_cstr(contents[i])),
                                                  .mime_type = SPAN("text/plain")};
    }
    request = (struct provide_request){
        .objects = {.documents = {entries, n, n},
                    .submission_sets = {&set, 1, 1},
                    .associations = {members, n, n}},
        .documents = {documents, n, n},
    };
}

/* With ITI-80 from red to green. The first error's code, or the empty span. */
static enum registry_status
deliver(struct span *ret_code)
{
    static struct span to[1];
    struct asking_order order = scene_order(ASKING_PROVIDE, ISABELLA);
    struct asking *asking = NULL;
    struct diag diag = {0};
    enum registry_status status;

    to[0] = SPAN("2.999.2");
    order.to = (struct span_list){to, 1, 1};
    order.provide = &request;
    scene_ask(place("red"), &order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    const struct leg *leg = &asking->legs[ASKING_PROVIDE].items[0];
    CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
    *ret_code = SPAN_EMPTY;
    if (leg->errors.n > 0) {
        CHECK_OK(&diag, arena_dup(arena, leg->errors.items[0].code, &diag, ret_code));
    }
    status = leg->status;
    asking_free(asking);
    scene_forget(&scene);
    return status;
}

/* With ITI-41 from a local system to red, which is for red itself. */
static void
provide(void)
{
    struct mtom_part parts[DOCUMENTS_MAX];
    struct diag diag = {0};
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, provide_request_write(&request, arena, &payload, &diag));
    for (size_t i = 0; i < request.documents.n; i++) {
        parts[i] =
            (struct mtom_part){documents[i].content_id, documents[i].mime_type, &documents[i].body};
    }
    const struct local_request sent = {.transaction = SOAP_ITI_41,
                                       .payload = buf_span(&payload),
                                       .parts = parts,
                                       .parts_n = request.documents.n};
    local_send(&scene, &sent, &reply);
    buf_done(&payload);
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
}

static uint64_t
documents_of(const char *name)
{
    struct store_counts counts = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_count(place(name)->store, &diag, &counts));
    return counts.documents;
}

/* One document, two documents. */
static void
test_12371_12373(void)
{
    struct span code;

    open_all();
    const uint64_t before = documents_of("green");
    make(1, "2.999.72.1", NULL, "2.999.72.2", patient_id);
    CU_ASSERT_EQUAL(deliver(&code), REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(documents_of("green"), before + 1);
    make(2, "2.999.72.3", "2.999.72.4", "2.999.72.5", patient_id);
    CU_ASSERT_EQUAL(deliver(&code), REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(documents_of("green"), before + 3);
    for (size_t i = 0; i < 2; i++) {
        const char *unique_id = i == 0 ? "2.999.72.3" : "2.999.72.4";
        const char *repository = place("green")->config->repository;
        const struct document_ref ref = {SPAN(GREEN), span_of_cstr(repository),
                                         span_of_cstr(unique_id)};
        struct document_ref refs[1] = {ref};
        const struct document_ref_list list = {refs, 1, 1};

        kit_send_retrieve(&scene, &list, &reply);
        CHECK_SPAN(nist_read_document(&reply, unique_id, "", repository, arena), contents[i]);
    }
    close_all();
}

/* What a source that knows little leaves out (ITI TF-3 4.1.3.2). */
static void
leave_out(struct document_entry *entry)
{
    const struct code none = {.value = SPAN_EMPTY};

    entry->class_code = entry->type_code = entry->format_code = none;
    entry->facility_type = entry->practice_setting = none;
    entry->confidentiality.n = 0;
    entry->creation_time = entry->language = SPAN_EMPTY;
}

/* Limited metadata is taken when it says that it is (12375), and not when it does not (12376). */
static void
test_12375_12376(void)
{
    struct span info[3] = {SPAN("PID-5|Limited^Lucy"), SPAN("PID-7|19800203"), SPAN("PID-8|F")};
    struct span code;

    open_all();
    const uint64_t before = documents_of("green");
    for (int labelled = 0; labelled < 2; labelled++) {
        make(1, "2.999.73.1", NULL, "2.999.73.2", SPAN("lucy^^^&2.999.1.1&ISO"));
        leave_out(&entries[0]);
        entries[0].source_patient_id = entries[0].patient_id;
        entries[0].source_patient_info = (struct span_list){info, 3, 3};
        entries[0].is_limited = set.is_limited = labelled == 1;
        CU_ASSERT_EQUAL(deliver(&code), labelled == 1 ? REGISTRY_SUCCESS : REGISTRY_FAILURE);
        CHECK_SPAN(code, labelled == 1 ? "" : "XDSRepositoryMetadataError");
        CU_ASSERT_EQUAL(documents_of("green"), before + (uint64_t)labelled);
    }
    close_all();
}

/* The same without the label, and the patient known: what is missing is the reason. */
static void
test_12376_known_patient(void)
{
    struct span code;

    open_all();
    const uint64_t before = documents_of("green");
    make(1, "2.999.73.3", NULL, "2.999.73.4", patient_id);
    leave_out(&entries[0]);
    CU_ASSERT_EQUAL(deliver(&code), REGISTRY_FAILURE);
    CHECK_SPAN(code, "XDSRepositoryMetadataError");
    CU_ASSERT_EQUAL(documents_of("green"), before);
    close_all();
}

/* What was provided is found with what the repository knows of it, and comes back. */
static void
test_11966(void)
{
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    struct retrieve_answer retrieved;
    struct scene_stored of_red;
    struct diag diag = {0};
    char sha1[SHA1_HEX];

    open_all();
    of_red = kit_add(place("red"), "Nist", "N", "<ClinicalDocument>of red</ClinicalDocument>");
    make(2, "2.999.74.1", "2.999.74.2", "2.999.74.3", span_of_cstr(of_red.patient_id));
    provide();
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "ResponseStatusType:Success"));
    local_send_registry_find(&scene, of_red.patient_id, "urn:oid:2.999.1", &reply);
    kit_read_query_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct document_entry *entry = &answer.objects.documents.items[i];
        const size_t which = span_eq_cstr(entry->unique_id, "2.999.74.1") ? 0 : 1;

        if (which == 1 && !span_eq_cstr(entry->unique_id, "2.999.74.2")) {
            continue; /* the one that was there before */
        }
        CHECK_OK(&diag, digest_sha1_hex(span_of_cstr(contents[which]), &diag, sha1));
        CHECK_SPAN(entry->hash, sha1);
        CU_ASSERT_EQUAL(entry->size, strlen(contents[which]));
        CHECK_SPAN(entry->repository, place("red")->config->repository);
        const struct document_ref ref = {entry->home, entry->repository, entry->unique_id};
        local_send_repository(&scene, &ref, 1, &reply);
        kit_read_retrieve_answer(&reply, arena, &retrieved);
        CU_ASSERT_EQUAL_FATAL(retrieved.documents.n, 1);
        CHECK_SPAN(buf_span(&retrieved.documents.items[0].body.memory), contents[which]);
        retrieve_answer_done(&retrieved);
    }
    close_all();
}

static const struct unit_test tests[] = {
    {"12371, 12373: one document, two documents", test_12371_12373},
    {"12375, 12376: limited metadata with and without its label", test_12375_12376},
    {"12376: incomplete metadata of a known patient", test_12376_known_patient},
    {"11966: a repository keeps what is provided", test_11966},
};
UNIT_MAIN("NIST's toolkit: submissions", tests)
