/*
 * Cases of NIST's XDS Toolkit about what a node holds, replayed between nodes with the toolkit's
 * own messages: on-demand documents (15829 to 15831), GetAll (15803), answers about one patient
 * (12368), two communities (15810), patient discovery (15500).
 */
#include <stdio.h>
#include <string.h>

#include "nist_kit.h"
#include "soap_support.h"
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

/* ---- 15829, 15830, 15831: on-demand documents ---- */

#define DEMAND "2.999.70.1"

static struct span demand_uuid;

static void
add_on_demand(void)
{
    struct document_entry entry = nist_entry("demand", DEMAND, patient_id);
    struct submission_set set = nist_set("2.999.70.2", patient_id);
    struct association member = nist_member("a1", "demand");
    const struct registry_objects objects = {.documents = {&entry, 1, 1},
                                             .submission_sets = {&set, 1, 1},
                                             .associations = {&member, 1, 1}};

    entry.object_type = SPAN(DOCUMENT_ON_DEMAND);
    entry.creation_time = SPAN_EMPTY; /* it is made when it is asked for */
    demand_uuid =
        nist_store(place("green"), &objects, NULL, 0, arena).documents.items[0].entry_uuid;
}

/* The content as it is now is registered, before it is given to anybody (ITI TF-2 3.43.4.2.3). */
static void
publish(const char *unique_id, const char *set_id, const char *time, const char *bytes)
{
    struct document_entry entry = nist_entry("snapshot", unique_id, patient_id);
    struct submission_set set = nist_set(set_id, patient_id);
    struct association associations[] = {nist_member("a1", "snapshot"),
                                         {.entry_uuid = SPAN("a2"),
                                          .type = SPAN(ASSOCIATION_SNAPSHOT),
                                          .source = SPAN("snapshot"),
                                          .target = demand_uuid}};
    const struct registry_objects objects = {.documents = {&entry, 1, 1},
                                             .submission_sets = {&set, 1, 1},
                                             .associations = {associations, 2, 2}};
    const struct nist_content content = {"snapshot", bytes};

    entry.creation_time = span_of_cstr(time);
    (void)nist_store(place("green"), &objects, &content, 1, arena);
}

static struct span
read_one(const char *unique_id, const char *new_unique_id)
{
    return nist_read_document(&reply, unique_id, new_unique_id, place("green")->config->repository,
                              arena);
}

static bool
retrieve(const char *file, const char *unique_id)
{
    const struct nist_value values[] = {
        {"$home$", GREEN},
        {"$repositoryuid$", place("green")->config->repository},
        {"$docuid$", unique_id},
    };
    struct span payload;

    if (!nist_payload(file, values, ARRAY_LEN(values), arena, &payload)) {
        return false;
    }
    nist_ask_responder(&scene, SOAP_ITI_39, payload, &reply);
    return true;
}

/* The two retrieves of one on-demand entry differ when its content has changed between them. */
static void
test_15829(void)
{
    const struct nist_value values[] = {{"$home$", GREEN}, {"$Patient_ID$", known.patient_id}};
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    struct span payload;

    open_all();
    add_on_demand();
    publish("2.999.70.3", "2.999.70.4", "20260102030405", "as of yesterday");
    if (nist_payload(NIST_TESTS "15829__finddocs__query.xml", values, 2, arena, &payload)) {
        nist_ask_responder(&scene, SOAP_ITI_38, payload, &reply);
        kit_read_query_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 1);
        CHECK_SPAN(answer.objects.documents.items[0].unique_id, DEMAND);
        CHECK_SPAN(answer.objects.documents.items[0].home, GREEN);
        CHECK_SPAN(answer.objects.documents.items[0].object_type, DOCUMENT_ON_DEMAND);

        CU_ASSERT(retrieve(NIST_TESTS "15829__retrieve1__query1.xml", DEMAND));
        CHECK_SPAN(read_one(DEMAND, "2.999.70.3"), "as of yesterday");
        publish("2.999.70.5", "2.999.70.6", "20260103030405", "as of today");
        CU_ASSERT(retrieve(NIST_TESTS "15829__retrieve2__query1.xml", DEMAND));
        CHECK_SPAN(read_one(DEMAND, "2.999.70.5"), "as of today");
    }
    close_all();
}

/* Persistence: what was given stays, under the name that it was given, and is found as a stable
 * entry that is a snapshot of the on-demand one. */
static void
test_15830(void)
{
    open_all();
    add_on_demand();
    publish("2.999.70.3", "2.999.70.4", "20260102030405", "as of yesterday");
    if (retrieve(NIST_TESTS "15829__retrieve1__query1.xml", DEMAND)) {
        CHECK_SPAN(read_one(DEMAND, "2.999.70.3"), "as of yesterday");
        publish("2.999.70.5", "2.999.70.6", "20260103030405", "as of today");
        CU_ASSERT(retrieve(NIST_TESTS "15829__retrieve1__query1.xml", "2.999.70.3"));
        CHECK_SPAN(read_one("2.999.70.3", ""), "as of yesterday");

        struct span values[] = {demand_uuid, SPAN(ASSOCIATION_SNAPSHOT)};
        struct query_param params[] = {
            {.name = SPAN("$XDSDocumentEntryEntryUUID"), .values = {&values[0], 1, 1}},
            {.name = SPAN("$AssociationTypes"), .values = {&values[1], 1, 1}, .is_multiple = true}};
        const struct stored_query related = {
            .id = SPAN("urn:uuid:d90e5407-b356-4d91-a89f-873917b4b0e6"),
            .home = SPAN(GREEN),
            .wants_leaf_class = true,
            .params = {params, 2, 2}};
        struct query_answer answer = {.status = REGISTRY_FAILURE};

        kit_send_query(&scene, &related, &reply);
        kit_read_query_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL(answer.objects.associations.n, 2);
    }
    close_all();
}

static void
test_15831(void)
{
    struct retrieve_answer answer;

    open_all();
    add_on_demand();
    publish("2.999.70.3", "2.999.70.4", "20260102030405", "as of yesterday");
    if (retrieve(NIST_TESTS "15831__Missing_Home__query1.xml", DEMAND)) {
        kit_read_retrieve_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
        CU_ASSERT_EQUAL(answer.documents.n, 0);
        CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
        CHECK_SPAN(answer.errors.items[0].code, "XDSMissingHomeCommunityId");
        retrieve_answer_done(&answer);
    }
    close_all();
}

/* ---- 15803, 12368: queries ---- */

static const struct {
    void (*ask)(struct scene *scene, enum soap_transaction transaction, struct span payload,
                struct scene_reply *reply);
    enum soap_transaction transaction;
} askers[] = {{nist_ask_responder, SOAP_ITI_38}, {nist_ask_initiator, SOAP_ITI_18}};

static void
add_folder(void)
{
    struct code code[1] = {{SPAN("f"), SPAN("2.999.5"), SPAN("a folder")}};
    struct document_entry entry = nist_entry("entry", "2.999.71.1", patient_id);
    struct submission_set set = nist_set("2.999.71.2", patient_id);
    struct folder folder = {.entry_uuid = SPAN("folder"),
                            .unique_id = SPAN("2.999.71.3"),
                            .patient_id = patient_id,
                            .status = SPAN(DOCUMENT_APPROVED),
                            .title = SPAN("a folder"),
                            .codes = {code, 1, 1}};
    struct association associations[] = {nist_member("a1", "entry"), nist_member("a2", "folder"),
                                         nist_member("a3", "entry")};
    const struct registry_objects objects = {.documents = {&entry, 1, 1},
                                             .submission_sets = {&set, 1, 1},
                                             .folders = {&folder, 1, 1},
                                             .associations = {associations, 3, 3}};
    const struct nist_content content = {"entry", "in a folder"};

    associations[1].submission_set_status = SPAN_EMPTY;
    associations[2].submission_set_status = SPAN_EMPTY;
    associations[2].source = SPAN("folder");
    (void)nist_store(place("green"), &objects, &content, 1, arena);
}

/* GetAll: all that there is of the patient, with metadata and as references. */
static void
test_15803(void)
{
    struct nist_value values[] = {
        {"$home$", GREEN},
        {"$patient_id$", known.patient_id},
        {"$dst0$", DOCUMENT_APPROVED},
        {"$fst0$", DOCUMENT_APPROVED},
        {"$sst0$", DOCUMENT_APPROVED},
        {"$rt0$", "LeafClass"},
    };
    struct span payload;

    open_all();
    add_folder();
    values[1].value = known.patient_id;
    for (size_t i = 0; i < 2 * ARRAY_LEN(askers); i++) {
        struct query_answer answer = {.status = REGISTRY_FAILURE};

        values[5].value = i < ARRAY_LEN(askers) ? "LeafClass" : "ObjectRef";
        if (!nist_payload(NIST_TOOLKIT "utilities__GetAll__XCA__query.xml", values,
                          ARRAY_LEN(values), arena, &payload)) {
            break;
        }
        askers[i % 2].ask(&scene, askers[i % 2].transaction, payload, &reply);
        kit_read_query_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        if (i < ARRAY_LEN(askers)) {
            CU_ASSERT_EQUAL(answer.objects.documents.n, 2);
            CU_ASSERT_EQUAL(answer.objects.submission_sets.n, 2); /* the known one has its own */
            CU_ASSERT_EQUAL(answer.objects.folders.n, 1);
            CU_ASSERT_EQUAL(answer.objects.associations.n, 4);
        } else {
            CU_ASSERT_EQUAL(answer.refs.n, 9);
        }
        scene_forget(&scene);
    }
    close_all();
}

/* Metadata of two patients in one answer is none; references may be, also through the Initiating
 * Gateway. */
static void
test_12368(void)
{
    struct nist_value values[] = {
        {"$home$", GREEN}, {"$id0$", NULL}, {"$id1$", NULL}, {"$returnType$", NULL}};
    struct scene_stored other;
    struct span payload;

    open_all();
    other = kit_add(place("green"), "Other", "N", "<ClinicalDocument>other</ClinicalDocument>");
    CU_ASSERT_STRING_NOT_EQUAL(other.patient_id, known.patient_id);
    values[1].value = known.entry_uuid;
    values[2].value = other.entry_uuid;
    for (size_t i = 0; i < 2 * ARRAY_LEN(askers); i++) {
        struct query_answer answer = {.status = REGISTRY_PARTIAL_SUCCESS};

        values[3].value = i < ARRAY_LEN(askers) ? "LeafClass" : "ObjectRef";
        if (!nist_payload(NIST_TOOLKIT "utilities__GetDocuments__XCA__query.xml", values,
                          ARRAY_LEN(values), arena, &payload)) {
            break;
        }
        askers[i % 2].ask(&scene, askers[i % 2].transaction, payload, &reply);
        kit_read_query_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
        if (i < ARRAY_LEN(askers)) {
            CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
            CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
            CHECK_SPAN(answer.errors.items[0].code, "XDSResultNotSinglePatient");
        } else {
            CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
            CU_ASSERT_EQUAL(answer.refs.n, 2);
        }
        scene_forget(&scene);
    }
    close_all();
}

/* ---- 15810: two Responding Gateways ---- */

/* Blue knows the person by another id; the toolkit's two gateways know the same. The Body is not
 * signed, so the test may say what each knows. */
static void
rename_patient(size_t question, const char *to)
{
    struct buf *body = &scene.questions[question].body;
    const struct span from = support_replace(arena, patient_id, "&", "&amp;");
    const struct span by = support_replace(arena, span_of_cstr(to), "&", "&amp;");
    struct diag diag = {0};
    struct span mark = SPAN_EMPTY, value = SPAN_EMPTY;

    CHECK_OK(&diag, arena_dup(arena, from, &diag, &mark));
    CHECK_OK(&diag, arena_dup(arena, by, &diag, &value));
    const struct span changed = support_replace(arena, buf_span(body), mark.p, value.p);
    CU_ASSERT(!span_eq(changed, buf_span(body)));
    buf_reset(body);
    CHECK_OK(&diag, buf_append(body, changed, &diag));
}

/* One of two entries that are one of each; which: by its home. */
static const struct document_entry *
entry_of(const struct query_answer *answer, const char *home)
{
    const struct document_entry *found = NULL;

    for (size_t i = 0; i < answer->objects.documents.n; i++) {
        if (span_eq_cstr(answer->objects.documents.items[i].home, home)) {
            CU_ASSERT_PTR_NULL(found);
            found = &answer->objects.documents.items[i];
        }
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    return found;
}

/* The retrieve goes to the gateway of that home alone, and brings its document. */
static void
retrieve_through_initiator(const char *file, const char *name, const struct document_entry *entry,
                           const char *bytes)
{
    char home[80], repository[80], unique_id[160];
    const struct nist_value values[] = {
        {"$home$", home}, {"$repositoryuid$", repository}, {"$docuid$", unique_id}};
    struct retrieve_answer answer;
    struct span payload;

    (void)snprintf(home, sizeof(home), "%.*s", SPAN_PRINT(entry->home));
    (void)snprintf(repository, sizeof(repository), "%.*s", SPAN_PRINT(entry->repository));
    (void)snprintf(unique_id, sizeof(unique_id), "%.*s", SPAN_PRINT(entry->unique_id));
    CU_ASSERT_FATAL(nist_payload(file, values, ARRAY_LEN(values), arena, &payload));
    scene_forget(&scene);
    nist_ask_initiator(&scene, SOAP_ITI_43, payload, &reply);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
    CU_ASSERT_STRING_EQUAL(scene.questions[0].to->id, name);
    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1);
    CHECK_SPAN(answer.documents.items[0].ref.home, home);
    CHECK_SPAN(answer.documents.items[0].ref.repository, repository);
    CHECK_SPAN(answer.documents.items[0].ref.unique_id, unique_id);
    CHECK_SPAN(buf_span(&answer.documents.items[0].body.memory), bytes);
    retrieve_answer_done(&answer);
}

static void
test_15810(void)
{
    struct local_request sent = {.transaction = SOAP_ITI_18};
    struct query_answer answer = {.status = REGISTRY_FAILURE};
    struct scene_stored of_blue;

    open_all();
    of_blue = kit_add(place("blue"), "Nist", "N", "<ClinicalDocument>of blue</ClinicalDocument>");
    const struct nist_value value = {"$patient_id$", known.patient_id};
    if (nist_payload(NIST_TESTS "15810__TwoRGFindDocuments__query.xml", &value, 1, arena,
                     &sent.payload)) {
        local_send(&scene, &sent, &reply);
        CU_ASSERT_EQUAL(scene.questions_n, 2);
        rename_patient(kit_question_to(&scene, "blue"), of_blue.patient_id);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_FATAL(reply.is_here);
        kit_read_query_answer(&reply, arena, &answer);
        CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
        CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 2);
        const struct document_entry *first = entry_of(&answer, GREEN);
        const struct document_entry *second = entry_of(&answer, "urn:oid:2.999.3");
        CHECK_SPAN(first->unique_id, known.unique_id);
        CHECK_SPAN(second->unique_id, of_blue.unique_id);
        CHECK_SPAN(first->repository, place("green")->config->repository);
        CHECK_SPAN(second->repository, place("blue")->config->repository);
        retrieve_through_initiator(NIST_TESTS "15810__RG1Retrieve__retrieve.xml", "green", first,
                                   "<ClinicalDocument>known</ClinicalDocument>");
        retrieve_through_initiator(NIST_TESTS "15810__RG2Retrieve__retrieve.xml", "blue", second,
                                   "<ClinicalDocument>of blue</ClinicalDocument>");
    }
    close_all();
}

/* ---- 15500: patient discovery ---- */

static void
read_discovery(struct xcpd_answer *ret_answer)
{
    const struct ident query_id = {.root = SPAN("1.2.840.114350.1.13.28.1.18.5.999"),
                                   .extension = SPAN("3809840989")};
    const struct message_limits limits = message_limits_answer();
    struct message *message = NULL;
    struct diag diag = {0};

    CU_ASSERT_EQUAL_FATAL(reply.http_status, 200);
    CHECK_OK(&diag, message_read(span_of(reply.text, reply.n), span_of_cstr(reply.content_type),
                                 &limits, arena, &diag, &message));
    CHECK_OK(&diag, xcpd_answer_read(message, &query_id, arena, &diag, ret_answer));
}

#define UNKNOWN "<value nullFlavor=\"UNK\"/>"
#define SOME_ID "<value root=\"1.2.3.4.5.1000\" extension=\"801\" assigningAuthorityName=\"test\"/>"

static void
test_15500(void)
{
    static const struct {
        const char *given, *family, *birth, *sex;
        size_t matches;
        bool is_refused;
    } rows[] = {
        {"Nist", "Jones", "19470501", "F", 1, false},
        {"Nist", "Smith", "19470501", "F", 0, false}, /* another name */
        {"Otto", "Jones", "19470501", "F", 0, false},
        {"Nist", "Jones", "19470501", "M", 0, false}, /* another gender */
        {"Nist", "Jones", "", "F", 0, false}, /* no date of birth, only an id of somebody's */
        {"Nist", "Jones", "", "F", 0, true},  /* nor an id: there is nothing to ask about */
    };
    struct span payload;

    open_all();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct nist_value values[] = {
            {"$first_Name$", rows[i].given},
            {"$last_Name$", rows[i].family},
            {"<value value=\"$dob$\"/>",
             rows[i].birth[0] == '\0' ? UNKNOWN : "<value value=\"$dob$\"/>"},
            {SOME_ID, rows[i].is_refused ? UNKNOWN : SOME_ID},
            {"$dob$", rows[i].birth},
            {"$gender$", rows[i].sex},
            {"\"1.2.840.114350.1.13.99998\"", "\"2.999.1\""}, /* who asks: red */
            {"\"2.16.840.1.113883.3.72.6.1\"", "\"2.999.2\""},
        };
        struct xcpd_answer answer;

        if (!nist_payload(NIST_TOOLKIT "xcpd__FindPatient__testplan.xml", values, ARRAY_LEN(values),
                          arena, &payload)) {
            break;
        }
        nist_ask_responder(&scene, SOAP_ITI_55, payload, &reply);
        read_discovery(&answer);
        CU_ASSERT_EQUAL(reply.cause, rows[i].is_refused ? ERR_MESSAGE_CONTENT : ERR_NONE);
        CU_ASSERT_EQUAL(answer.result, rows[i].is_refused    ? XCPD_ERROR
                                       : rows[i].matches > 0 ? XCPD_MATCH
                                                             : XCPD_NONE);
        CU_ASSERT_EQUAL_FATAL(answer.matches.n, rows[i].matches);
        if (rows[i].matches > 0) {
            CHECK_SPAN(answer.matches.items[0].home, "2.999.2");
            CU_ASSERT_FATAL(answer.matches.items[0].patient.ids.n > 0);
        }
    }
    close_all();
}

static const struct unit_test tests[] = {
    {"15829: an on-demand document changes between two retrieves", test_15829},
    {"15830: what an on-demand document was stays", test_15830},
    {"15831: an on-demand document without home", test_15831},
    {"15803: GetAll", test_15803},
    {"12368: metadata of two patients", test_12368},
    {"15810: two Responding Gateways, one Initiating Gateway", test_15810},
    {"15500: patient discovery", test_15500},
};
UNIT_MAIN("NIST's toolkit: documents", tests)
