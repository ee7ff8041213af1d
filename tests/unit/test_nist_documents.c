/*
 * Cases of NIST's XDS Toolkit about what a node holds and takes, replayed between nodes: on-demand
 * documents (15829 to 15831), GetAll (15803), answers about one patient (12368), patient discovery
 * (15500), a repository (11966) and recipients of submissions (12371 to 12376). Where the toolkit's
 * messages are among the test data they are sent as they are; the submissions, of which only the
 * descriptions are, are ours.
 */
#include <string.h>

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
    (void)local_kit_open(&scene);
    known = kit_add(place("green"), "Nist", "N", "<ClinicalDocument>known</ClinicalDocument>");
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

/* One document with the ids of the request, as the toolkit asserts; its bytes. */
static struct span
read_one(const char *unique_id, const char *new_unique_id)
{
    const struct retrieved_document *document;
    struct retrieve_answer answer;
    struct diag diag = {0};
    struct span bytes = SPAN_EMPTY, copy = SPAN_EMPTY;
    struct buf scratch;

    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1);
    document = &answer.documents.items[0];
    CHECK_SPAN(document->ref.home, GREEN);
    CHECK_SPAN(document->ref.repository, place("green")->config->repository);
    CHECK_SPAN(document->ref.unique_id, unique_id);
    CHECK_SPAN(document->new_unique_id, new_unique_id);
    CHECK_SPAN(document->new_repository,
               new_unique_id[0] == '\0' ? "" : place("green")->config->repository);
    CHECK_SPAN(document->mime_type, "text/plain");
    buf_init(&scratch, 1024);
    CHECK_OK(&diag, body_span(&document->body, &scratch, &diag, &bytes));
    CHECK_OK(&diag, arena_dup(arena, bytes, &diag, &copy));
    buf_done(&scratch);
    retrieve_answer_done(&answer);
    return copy;
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

/* Metadata of two patients in one answer is none; references may be. Not through the Initiating
 * Gateway, which asks for metadata in any case: its own rules judge entries. */
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
    for (size_t i = 0; i <= ARRAY_LEN(askers); i++) { /* the last: references, of the responder */
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
        if (rows[i].is_refused) {
            CU_ASSERT_EQUAL(reply.cause, ERR_MESSAGE_CONTENT);
            CU_ASSERT_EQUAL(reply.http_status, 500);
            continue;
        }
        read_discovery(&answer);
        CU_ASSERT_EQUAL(answer.result, rows[i].matches > 0 ? XCPD_MATCH : XCPD_NONE);
        CU_ASSERT_EQUAL_FATAL(answer.matches.n, rows[i].matches);
        if (rows[i].matches > 0) {
            CHECK_SPAN(answer.matches.items[0].home, "2.999.2");
            CU_ASSERT_FATAL(answer.matches.items[0].patient.ids.n > 0);
        }
    }
    close_all();
}

/* ---- 11966, 12371 to 12376: submissions ---- */

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
        if (retrieve(NIST_TESTS "12312__correct__query1.xml",
                     i == 0 ? "2.999.72.3" : "2.999.72.4")) {
            CHECK_SPAN(read_one(i == 0 ? "2.999.72.3" : "2.999.72.4", ""), contents[i]);
        }
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
    {"15829: an on-demand document changes between two retrieves", test_15829},
    {"15830: what an on-demand document was stays", test_15830},
    {"15831: an on-demand document without home", test_15831},
    {"15803: GetAll", test_15803},
    {"12368: metadata of two patients", test_12368},
    {"15500: patient discovery", test_15500},
    {"12371, 12373: one document, two documents", test_12371_12373},
    {"12375, 12376: limited metadata with and without its label", test_12375_12376},
    {"12376: incomplete metadata of a known patient", test_12376_known_patient},
    {"11966: a repository keeps what is provided", test_11966},
};
UNIT_MAIN("NIST's toolkit: documents", tests)
