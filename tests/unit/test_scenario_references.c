/*
 * Local systems that ask for references (ObjectRef) by ids: these may be of several patients, so
 * that partners are asked for references, too. Whose they are is judged as of whole objects. What
 * asks about one patient still has metadata behind it. Fake clock, partners in the same process.
 */
#include <string.h>

#include "local_kit.h"
#include "soap_support.h"

#define BLUE "urn:oid:2.999.3"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored isabella, again, myra, of_blue;

static void
open_all(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    (void)local_kit_open(&scene);
    isabella = kit_add(scene_place(&scene, "green"), "Isabella", "N", "<ClinicalDocument>i");
    again = kit_add(scene_place(&scene, "green"), "Isabella", "N", "<ClinicalDocument>j");
    myra = kit_add(scene_place(&scene, "green"), "Other", "N", "<ClinicalDocument>m");
    of_blue = kit_add(scene_place(&scene, "blue"), "Isabella", "N", "<ClinicalDocument>b");
    CU_ASSERT_STRING_NOT_EQUAL(isabella.patient_id, myra.patient_id);
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

/* GetDocuments; <home> NULL: green and blue by $targetCommunityIdList. */
static void
ask(const char *const *entry_uuids, size_t n, const char *home, bool wants_leaf_class)
{
    struct span ids[4], targets[2] = {SPAN(GREEN), SPAN(BLUE)};
    struct query_param params[2] = {
        {SPAN("$XDSDocumentEntryEntryUUID"), {ids, n, n}, .is_multiple = true},
        {SPAN("$targetCommunityIdList"), {targets, 2, 2}, .is_multiple = true}};
    const struct stored_query query = {
        .id = SPAN(XCA_GET_DOCUMENTS),
        .home = home == NULL ? SPAN_EMPTY : span_of_cstr(home),
        .wants_leaf_class = wants_leaf_class,
        .params = {params, home == NULL ? 2 : 1, 2},
    };

    CU_ASSERT_FATAL(n <= ARRAY_LEN(ids));
    for (size_t i = 0; i < n; i++) {
        ids[i] = span_of_cstr(entry_uuids[i]);
    }
    local_send_registry(&scene, &query, &reply);
}

static struct query_answer
answer(void)
{
    struct query_answer got = {.status = REGISTRY_FAILURE};

    CU_ASSERT_FATAL(reply.is_here);
    kit_read_query_answer(&reply, arena, &got);
    return got;
}

static bool
question_says(const char *partner, const char *text)
{
    const size_t at = kit_question_to(&scene, partner);

    CU_ASSERT_FATAL(at != SIZE_MAX);
    return span_find(buf_span(&scene.questions[at].body), span_of_cstr(text)) != SPAN_MISSING;
}

static bool
has_ref(const struct query_answer *got, const char *home, const char *entry_uuid)
{
    for (size_t i = 0; i < got->refs.n; i++) {
        if (span_eq_cstr(got->refs.items[i].home, home) &&
            span_eq_cstr(got->refs.items[i].unique_id, entry_uuid)) {
            return true;
        }
    }
    return false;
}

static void
test_metadata_of_two_patients_is_refused(void)
{
    const char *const both[] = {isabella.entry_uuid, myra.entry_uuid};
    struct query_answer got;

    open_all();
    ask(both, 2, GREEN, true);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT(question_says("green", "returnType=\"LeafClass\""));
    got = answer();
    CU_ASSERT_EQUAL(got.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(got.refs.n + got.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CHECK_SPAN(got.errors.items[0].code, "XDSResultNotSinglePatient");
    close_all();
}

static void
test_references_of_two_patients_come(void)
{
    const char *const all[] = {isabella.entry_uuid, myra.entry_uuid, of_blue.entry_uuid};
    struct query_answer got;

    open_all();
    ask(all, 3, NULL, false);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT(question_says("green", "returnType=\"ObjectRef\""));
    CU_ASSERT(question_says("blue", "returnType=\"ObjectRef\""));
    got = answer();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL(got.objects.documents.n, 0);
    CU_ASSERT_EQUAL(got.refs.n, 3);
    CU_ASSERT(has_ref(&got, GREEN, isabella.entry_uuid));
    CU_ASSERT(has_ref(&got, GREEN, myra.entry_uuid));
    CU_ASSERT(has_ref(&got, BLUE, of_blue.entry_uuid));
    CU_ASSERT_EQUAL(scene_event(scene_place(&scene, "red"), 0)->outcome, AUDIT_SUCCESS);
    close_all();
}

/* A partner whose references are of somebody else's community, of nobody's, or twice the same. */
static void
test_references_are_judged_by_whose_they_are(void)
{
    static const struct {
        const char *from, *to;
        enum registry_status status;
        const char *code; /* of the one error; NULL: none */
        size_t refs;
    } rows[] = {
        {"home=\"urn:oid:2.999.2\"", "home=\"urn:oid:2.999.3\"", REGISTRY_SUCCESS,
         "XDSRegistryError", 0},
        {"home=\"urn:oid:2.999.2\"", "home=\"green\"", REGISTRY_SUCCESS, "XDSRegistryError", 0},
        {" home=\"urn:oid:2.999.2\"", "", REGISTRY_PARTIAL_SUCCESS, "XDSMissingHomeCommunityId", 0},
        {NULL, NULL, REGISTRY_SUCCESS, NULL, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *both[] = {isabella.entry_uuid, myra.entry_uuid};
        struct query_answer got;

        open_all();
        ask(both, 2, GREEN, false);
        scene_deliver_forged(&scene, kit_question_to(&scene, "green"),
                             rows[i].from == NULL ? myra.entry_uuid : rows[i].from,
                             rows[i].from == NULL ? isabella.entry_uuid : rows[i].to);
        scene_deliver_all(&scene, NULL);
        got = answer();
        CU_ASSERT_EQUAL(got.status, rows[i].status);
        CU_ASSERT_EQUAL(got.refs.n, rows[i].refs);
        CU_ASSERT_EQUAL(got.errors.n, rows[i].code == NULL ? 0 : 1);
        if (rows[i].code != NULL && got.errors.n == 1) {
            CHECK_SPAN(got.errors.items[0].code, rows[i].code);
            CU_ASSERT_EQUAL(got.errors.items[0].is_warning, got.status == REGISTRY_SUCCESS);
        }
        close_all();
    }
}

/* A partner that gives whole objects all the same: they are used, and given as references. */
static void
test_whole_objects_become_references(void)
{
    const char *const hers[] = {isabella.entry_uuid, again.entry_uuid};
    struct query_answer got;

    open_all();
    ask(hers, 2, GREEN, false);
    struct buf *body = &scene.questions[kit_question_to(&scene, "green")].body;
    const struct span changed =
        support_replace(arena, buf_span(body), "\"ObjectRef\"", "\"LeafClass\"");
    struct diag diag = {0};
    buf_reset(body);
    CHECK_OK(&diag, buf_append(body, changed, &diag));
    scene_deliver_all(&scene, NULL);
    got = answer();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 0);
    CU_ASSERT_EQUAL(got.refs.n, 2);
    CU_ASSERT(has_ref(&got, GREEN, isabella.entry_uuid));
    CU_ASSERT(has_ref(&got, GREEN, again.entry_uuid));
    close_all();
}

/* One document is one patient's, whom the record can name then. */
static void
test_one_reference_has_metadata_behind_it(void)
{
    const char *const one[] = {isabella.entry_uuid};
    struct query_answer got;

    open_all();
    ask(one, 1, GREEN, false);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT(question_says("green", "returnType=\"LeafClass\""));
    got = answer();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.refs.n, 1);
    CU_ASSERT_STRING_EQUAL(scene_event(scene_place(&scene, "red"), 0)->patient,
                           isabella.patient_id);
    close_all();
}

/* About one patient, what is merged has metadata: two answers with one document are told apart. */
static void
test_a_patients_references_have_metadata_behind_them(void)
{
    struct span patient[1], status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {SPAN("$XDSDocumentEntryPatientId"), {patient, 1, 1}, .is_multiple = false},
        {SPAN("$XDSDocumentEntryStatus"), {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS), .home = SPAN(GREEN), .params = {params, 2, 2}};
    struct query_answer got;

    open_all();
    patient[0] = span_of_cstr(isabella.patient_id);
    local_send_registry(&scene, &query, &reply);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT(question_says("green", "returnType=\"LeafClass\""));
    got = answer();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 0);
    CU_ASSERT(has_ref(&got, GREEN, isabella.entry_uuid));
    CU_ASSERT(!has_ref(&got, GREEN, myra.entry_uuid));
    close_all();
}

static const struct unit_test tests[] = {
    {"metadata of two patients is refused", test_metadata_of_two_patients_is_refused},
    /* REQ: SQ-object-ref, SQ-single-patient */
    {"references of two patients come", test_references_of_two_patients_come},
    {"references are judged by whose they are", test_references_are_judged_by_whose_they_are},
    {"whole objects become references", test_whole_objects_become_references},
    {"one reference has metadata behind it", test_one_reference_has_metadata_behind_it},
    {"a patient's references have metadata behind them",
     test_a_patients_references_have_metadata_behind_them},
};

UNIT_MAIN("scenario-references", tests)
