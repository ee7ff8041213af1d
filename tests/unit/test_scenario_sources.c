/*
 * Sources beside the embedded store: XDS registries and repositories of the node's own, asked with
 * ITI-18 and ITI-43 when a partner or a local system asks the node. Green is the node; the
 * registries are played by the test, which sees what they are asked and says what they answer. Fake
 * clock, no sockets.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "local_kit.h"
#include "soap/envelope.h"

#define OWN_ID       "H-1^^^&2.999.77&ISO" /* as the hospital knows Isabella */
#define HOSPITAL     "2.999.30"
#define CLINIC       "2.999.31"
#define CLINIC_HOME  "urn:oid:2.999.5"
#define HOSPITAL_URL "https://xds.hospital.example/registry"
#define CLINIC_URL   "https://xds.clinic.example/registry"

static struct scene scene;  /* large; one at a time */
static struct arena *arena; /* of the scene */
static struct scene_reply reply;
static struct scene_stored isabella; /* her document in green's store */

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* ---- green's sources ---- */

static void
read_text(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    (void)fclose(file);
}

/* Green's own file, with other sources. */
static void
set_sources(const char *sources)
{
    struct place *place = green();
    const char *path = place->config->path;
    const struct config *config = NULL;
    struct yaml_report report;
    struct diag diag = {0};
    char text[32768], *at;
    FILE *file;

    read_text(path, text, sizeof(text));
    at = strstr(text, "sources: []\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(at);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    (void)fprintf(file, "%.*s%s%s", (int)(at - text), text, sources, at + strlen("sources: []\n"));
    CU_ASSERT_EQUAL(fclose(file), 0);
    yaml_report_init(&report);
    if (!CHECK_OK(&diag, config_load(path, clock_system(), &report, &diag, &config))) {
        printf("\n%.*s", SPAN_PRINT(buf_span(&report.text)));
    }
    yaml_report_done(&report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    config_unref(place->config);
    place->config = place->node.config = config;
}

#define OWN_SOURCE "  - {name: own, engine: embedded}\n"
#define HOSPITAL_SOURCE                                                                            \
    "  - name: hospital\n"                                                                         \
    "    registry: {url: '" HOSPITAL_URL "'}\n"                                                    \
    "    repositories: {" HOSPITAL ": 'https://xds.hospital.example/repository'}\n"                \
    "    patient_authority: 2.999.77\n"
#define CLINIC_SOURCE                                                                              \
    "  - name: clinic\n"                                                                           \
    "    community: 2.999.5\n"                                                                     \
    "    security: assertion\n"                                                                    \
    "    registry: {url: '" CLINIC_URL "'}\n"                                                      \
    "    repositories: {" CLINIC ": 'https://xds.clinic.example/repository'}\n"

static void
open_green(const char *sources)
{
    struct span given[1] = {SPAN("Isabella")};
    struct person_name name[1] = {{.family = SPAN("Jones"), .given = {given, 1, 1}}};
    struct ident ids[1] = {{.root = SPAN("2.999.77"), .extension = SPAN("H-1")}};
    const struct patient patient = {.names = {name, 1, 1},
                                    .birth_time = SPAN("19470501"),
                                    .sex = SPAN("F"),
                                    .ids = {ids, 1, 1}};

    arena = kit_open_green(&scene);
    scene_add_marked_document(green(), &patient, "N", "<ClinicalDocument>third</ClinicalDocument>",
                              &isabella);
    set_sources(sources);
}

static void
close_green(void)
{
    kit_close_green(&scene, arena);
}

/* ---- what the sources are asked ---- */

static size_t
question_to(const char *source)
{
    const size_t i = kit_question_to(&scene, source);

    CU_ASSERT_NOT_EQUAL_FATAL(i, SIZE_MAX);
    CU_ASSERT_EQUAL(scene.questions[i].undurable, 0);
    return i;
}

static bool
says(size_t question, const char *text)
{
    return span_find(buf_span(&scene.questions[question].body), span_of_cstr(text)) != SPAN_MISSING;
}

static size_t
count_questions(const char *source)
{
    size_t n = 0;

    for (size_t i = 0; i < scene.questions_n; i++) {
        n += strcmp(scene.questions[i].to->id, source) == 0 ? 1 : 0;
    }
    return n;
}

/* ---- what the sources answer ---- */

struct given {
    const char *unique_id, *repository, *patient;
    const char *confidentiality; /* NULL: N */
    const char *home;            /* NULL: none */
};

#define NO_HOME "urn:oid:2.999.99.99"

static struct document_entry
entry_of(const struct given *given, size_t i)
{
    struct document_entry entry = {
        .home = span_of_cstr(given->home == NULL ? NO_HOME : given->home),
        .unique_id = span_of_cstr(given->unique_id),
        .repository = span_of_cstr(given->repository),
        .patient_id = span_of_cstr(given->patient),
        .mime_type = SPAN("text/xml"),
        .title = SPAN("Of a source"),
        .status = SPAN(DOCUMENT_APPROVED),
        .object_type = SPAN("urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"),
        .creation_time = SPAN("20260102030405"),
        .language = SPAN("en-US"),
        .type_code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")},
        .class_code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("Summary")},
        .format_code = {SPAN("urn:hl7-org:sdwg:ccda-structuredBody:2.1"),
                        SPAN("1.3.6.1.4.1.19376.1.2.3"), SPAN("C-CDA")},
        .facility_type = {SPAN("385432009"), SPAN("2.16.840.1.113883.6.96"), SPAN("N/A")},
        .practice_setting = {SPAN("385432009"), SPAN("2.16.840.1.113883.6.96"), SPAN("N/A")},
    };
    const struct code code = {
        .value = span_of_cstr(given->confidentiality == NULL ? "N" : given->confidentiality),
        .scheme = SPAN("2.16.840.1.113883.5.25")};
    struct diag diag = {0};

    CHECK_OK(&diag,
             arena_printf(arena, &diag, &entry.entry_uuid,
                          "urn:uuid:00000000-0000-4000-8000-%06zu%06zu", scene.questions_n, i));
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &entry.confidentiality, code));
    return entry;
}

/* Without the homes that the writer insists on: a registry knows of none. */
static void
strip(struct buf *payload, const char *what)
{
    struct diag diag = {0};
    struct span rest = buf_span(payload);
    struct buf stripped;
    size_t at;

    buf_init(&stripped, (size_t)1024 * 1024);
    while ((at = span_find(rest, span_of_cstr(what))) != SPAN_MISSING) {
        CHECK_OK(&diag, buf_append(&stripped, span_slice(rest, 0, at), &diag));
        rest = span_slice(rest, at + strlen(what), rest.n);
    }
    CHECK_OK(&diag, buf_append(&stripped, rest, &diag));
    buf_done(payload);
    *payload = stripped;
}

static struct span
message_id_of(const struct scene_question *question)
{
    const struct span body = buf_span(&question->body);
    const size_t at = span_find(body, SPAN("MessageID"));
    const struct span rest = span_slice(body, at, body.n);
    const size_t urn = span_find(rest, SPAN("urn:uuid:"));

    return span_slice(rest, urn, strlen("urn:uuid:") + UUID_TEXT - 1);
}

static void
answer(size_t i, enum soap_transaction transaction, const struct buf *payload,
       const struct retrieve_answer *documents)
{
    const struct soap_transaction_row *row = soap_transaction(transaction);
    const struct envelope_answer parts = {.action = span_of_cstr(row->response_action),
                                          .relates_to = message_id_of(&scene.questions[i]),
                                          .message_id = SPAN("urn:uuid:11111111-1111-4111-8111-"
                                                             "111111111111"),
                                          .payload = buf_span(payload)};
    char content_type[512] = SOAP_CONTENT_TYPE;
    struct mtom_part mtom[4];
    struct diag diag = {0};
    struct buf envelope, package;
    const size_t n = documents == NULL ? 0 : documents->documents.n;

    buf_init(&envelope, (size_t)1024 * 1024);
    buf_init(&package, (size_t)1024 * 1024);
    CHECK_OK(&diag, envelope_write_answer(&parts, &envelope, &diag));
    for (size_t d = 0; d < n; d++) {
        const struct retrieved_document *document = &documents->documents.items[d];

        mtom[d] = (struct mtom_part){document->content_id, document->mime_type, &document->body};
    }
    if (row->is_mtom) {
        CHECK_OK(&diag, mtom_write(buf_span(&envelope), mtom, n, span_of_cstr(row->response_action),
                                   &package, &diag, content_type));
    }
    scene_answer(&scene, i, 200, content_type,
                 row->is_mtom ? buf_span(&package) : buf_span(&envelope));
    buf_done(&envelope);
    buf_done(&package);
}

static void
answer_query(const char *source, const struct given *given, size_t n)
{
    const size_t i = question_to(source);
    struct query_answer entries = {.status = REGISTRY_SUCCESS};
    struct diag diag = {0};
    struct buf payload;

    CU_ASSERT(says(i, soap_transaction(SOAP_ITI_18)->request_action));
    for (size_t d = 0; d < n; d++) {
        CHECK_OK(&diag,
                 ARENA_PUSH(arena, &diag, &entries.objects.documents, entry_of(&given[d], d)));
    }
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, query_answer_write(&entries, arena, &payload, &diag));
    strip(&payload, " home=\"" NO_HOME "\"");
    answer(i, SOAP_ITI_18, &payload, NULL);
    buf_done(&payload);
}

/* A repository gives this document. */
static void
answer_retrieve(const char *source, const char *unique_id, const char *repository,
                const char *bytes)
{
    const size_t i = question_to(source);
    struct retrieved_document document = {
        .ref = {.repository = span_of_cstr(repository), .unique_id = span_of_cstr(unique_id)},
        .mime_type = SPAN("text/xml")};
    struct retrieve_answer given = {.status = REGISTRY_SUCCESS};
    struct diag diag = {0};
    struct buf payload, content;

    CU_ASSERT(says(i, soap_transaction(SOAP_ITI_43)->request_action));
    CU_ASSERT(says(i, unique_id) && says(i, repository));
    buf_init(&content, 4096);
    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, buf_append_cstr(&content, bytes, &diag));
    body_from_buf(&document.body, &content);
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &given.documents, document));
    CHECK_OK(&diag, retrieve_answer_write(&given, arena, &payload, &diag));
    answer(i, SOAP_ITI_43, &payload, &given);
    retrieve_answer_done(&given);
    buf_done(&payload);
}

/* ---- what green is asked, and answers ---- */

static void
ask_green(const char *home)
{
    struct span patient[1] = {span_of_cstr(isabella.patient_id)};
    struct span status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct query_param params[2] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"), .values = {status, 1, 1}, .is_multiple = true},
    };
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS),
        .home = home == NULL ? SPAN_EMPTY : span_of_cstr(home),
        .wants_leaf_class = true,
        .params = {params, 2, 2},
    };

    kit_send_query(&scene, &query, &reply);
}

static struct query_answer
answer_of_green(void)
{
    struct query_answer got;

    CU_ASSERT_FATAL(reply.is_here);
    kit_read_query_answer(&reply, arena, &got);
    return got;
}

static const struct document_entry *
find_entry(const struct query_answer *got, const char *unique_id)
{
    for (size_t i = 0; i < got->objects.documents.n; i++) {
        if (span_eq_cstr(got->objects.documents.items[i].unique_id, unique_id)) {
            return &got->objects.documents.items[i];
        }
    }
    return NULL;
}

#define ONE_OF_HOSPITAL                                                                            \
    {                                                                                              \
        "2.999.30.1", HOSPITAL, OWN_ID, NULL, NULL                                                 \
    }

/* ---- queries ---- */

/* Each source is asked by the patient id that it knows, and its documents are given with the id
 * that green was asked with; a source of green's own community is not told of communities. */
static void
test_all_sources_answer_as_one(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    struct given of_clinic[] = {{"2.999.31.1", CLINIC, isabella.patient_id, NULL, CLINIC_HOME}};
    const struct document_entry *entry;
    struct query_answer got;

    open_green("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    ask_green(NULL);
    CU_ASSERT(!reply.is_here);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 2);
    CU_ASSERT_STRING_EQUAL(scene.questions[question_to("hospital")].url, HOSPITAL_URL);
    CU_ASSERT(says(question_to("hospital"), "'H-1^^^&amp;2.999.77&amp;ISO'"));
    CU_ASSERT(!says(question_to("hospital"), "home=") &&
              !says(question_to("hospital"), "Security"));
    CU_ASSERT(says(question_to("clinic"), "home=\"" CLINIC_HOME "\""));
    CU_ASSERT(says(question_to("clinic"), "&amp;2.999.2.1&amp;ISO"));
    CU_ASSERT(says(question_to("clinic"), "Assertion") && says(question_to("clinic"), "Dr. Ada"));
    answer_query("hospital", of_hospital, 1);
    answer_query("clinic", of_clinic, 1);
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL(got.objects.documents.n, 5); /* three are the store's */
    for (size_t i = 0; i < got.objects.documents.n; i++) {
        CHECK_SPAN(got.objects.documents.items[i].patient_id, isabella.patient_id);
    }
    entry = find_entry(&got, "2.999.30.1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CHECK_SPAN(entry->home, GREEN);
    entry = find_entry(&got, "2.999.31.1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CHECK_SPAN(entry->home, CLINIC_HOME);
    CU_ASSERT(strstr(reply.text, "H-1") == NULL);
    /* the record: what each source was asked, and what green answered */
    CU_ASSERT_EQUAL(scene_count_events(green(), AUDIT_ITI_18, AUDIT_INITIATING, AUDIT_INTENT, true),
                    2);
    CU_ASSERT_EQUAL(
        scene_count_events(green(), AUDIT_ITI_18, AUDIT_INITIATING, AUDIT_OUTCOME, true), 2);
    CU_ASSERT_EQUAL(
        scene_count_events(green(), AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, true), 1);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_38);
    close_green();
}

static void
test_a_source_that_is_down_is_one_error(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    const struct registry_error *error;
    struct query_answer got;

    open_green("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    ask_green(NULL);
    scene_fail(&scene, question_to("clinic"), ERR_PARTNER_UNREACHABLE);
    answer_query("hospital", of_hospital, 1);
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    error = local_error_of(&got.errors, CLINIC_HOME);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_SPAN(error->code, "XDSRegistryError");
    CU_ASSERT(!error->is_warning);
    /* success and failure apart */
    CU_ASSERT_EQUAL(
        scene_count_events(green(), AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, true), 1);
    CU_ASSERT_EQUAL(
        scene_count_events(green(), AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME, false), 1);
    close_green();
}

static void
test_what_a_source_may_not_name_is_dropped(void)
{
    const struct given of_hospital[] = {
        ONE_OF_HOSPITAL,
        {"2.999.30.2", "2.999.32", OWN_ID, NULL, NULL},              /* not its repository */
        {"2.999.30.3", HOSPITAL, "H-2^^^&2.999.77&ISO", NULL, NULL}, /* somebody else */
        {"2.999.30.4", HOSPITAL, OWN_ID, NULL, "urn:oid:2.999.3"},   /* blue's community */
        {"2.999.30.5", HOSPITAL, OWN_ID, "R", NULL},                 /* withheld by our rules */
    };
    struct query_answer got;

    open_green("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    ask_green(GREEN);
    answer_query("hospital", of_hospital, ARRAY_LEN(of_hospital));
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    CU_ASSERT_PTR_NOT_NULL(find_entry(&got, "2.999.30.1"));
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CU_ASSERT(got.errors.items[0].is_warning);
    /* three were dropped; the fourth is as though it were not there */
    CU_ASSERT(strstr(scene_event(green(), 2)->reason, "3 items of the answer of hospital") != NULL);
    CU_ASSERT(strstr(reply.text, "2.999.30.5") == NULL);
    close_green();
}

/* The same document at two sources is given twice: each names the repository that has it. */
static void
test_two_sources_may_have_the_same_document(void)
{
    struct given of_hospital[] = {{"2.999.40.1", HOSPITAL, OWN_ID, NULL, NULL}};
    struct given of_clinic[] = {{"2.999.40.1", CLINIC, isabella.patient_id, NULL, NULL}};
    struct query_answer got;

    open_green("sources:\n" HOSPITAL_SOURCE CLINIC_SOURCE);
    ask_green(NULL);
    answer_query("clinic", of_clinic, 1);
    answer_query("hospital", of_hospital, 1);
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.objects.documents.n, 2); /* the store is no source here */
    CHECK_SPAN(got.objects.documents.items[0].repository, HOSPITAL);
    CHECK_SPAN(got.objects.documents.items[1].repository, CLINIC);
    close_green();
}

static void
test_a_home_says_which_sources_are_asked(void)
{
    struct given of_clinic[] = {{"2.999.31.1", CLINIC, isabella.patient_id, NULL, NULL}};
    struct query_answer got;

    open_green("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    ask_green(CLINIC_HOME);
    CU_ASSERT_EQUAL(count_questions("hospital"), 0);
    answer_query("clinic", of_clinic, 1);
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.objects.documents.n, 1);
    ask_green("urn:oid:2.999.3"); /* blue is a partner: green is no way to it */
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CHECK_SPAN(got.errors.items[0].code, "XDSUnknownCommunity");
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    close_green();
}

/* A source whose ids of the patient nobody knows has nothing, and is not asked. */
static void
test_a_patient_without_an_id_there_is_not_asked_about(void)
{
    const struct scene_event *event;
    struct query_answer got;

    open_green("sources:\n" OWN_SOURCE "  - name: far\n"
               "    registry: {url: 'https://far.example/r'}\n"
               "    repositories: {2.999.35: 'https://far.example/p'}\n"
               "    patient_authority: 2.999.78\n");
    ask_green(NULL);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(got.errors.n, 0);
    CU_ASSERT_EQUAL(got.objects.documents.n, 3);
    event = scene_event(green(), 1);
    CU_ASSERT_EQUAL(event->type, AUDIT_ITI_18);
    CU_ASSERT_STRING_EQUAL(event->partner, "far");
    CU_ASSERT_EQUAL(event->outcome, AUDIT_SUCCESS);
    CU_ASSERT(strstr(event->reason, "no id of the source's authority") != NULL);
    close_green();
}

/* ---- retrieves ---- */

static void
retrieve_of_green(const struct document_ref *refs, size_t n)
{
    struct document_ref_list list = {0};
    struct diag diag = {0};

    for (size_t i = 0; i < n; i++) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &list, refs[i]));
    }
    kit_send_retrieve(&scene, &list, &reply);
}

/* A document of a source is looked up before it is fetched; what may not be seen, or is nowhere, is
 * one error, and the rest comes in the order of the request. */
static void
test_documents_come_from_where_they_are(void)
{
    const struct given of_hospital[] = {ONE_OF_HOSPITAL,
                                        {"2.999.30.5", HOSPITAL, OWN_ID, "R", NULL}};
    struct given of_clinic[] = {{"2.999.31.1", CLINIC, isabella.patient_id, NULL, NULL}};
    struct retrieve_answer got;

    open_green("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    const struct document_ref refs[] = {
        {SPAN(CLINIC_HOME), SPAN(CLINIC), SPAN("2.999.31.1")},
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.5")}, /* withheld */
        {SPAN(GREEN), span_of_cstr(green()->config->repository), span_of_cstr(isabella.unique_id)},
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.1")},
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.9")},               /* not there */
        {SPAN(GREEN), SPAN(CLINIC), SPAN("2.999.31.1")},                 /* not of that community */
        {SPAN_EMPTY, SPAN(HOSPITAL), SPAN("2.999.30.1")},                /* of none */
        {SPAN("urn:oid:2.999.3"), SPAN("2.999.3.2"), SPAN("2.999.3.7")}, /* blue's */
    };

    retrieve_of_green(refs, ARRAY_LEN(refs));
    CU_ASSERT(!reply.is_here);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 2);
    CU_ASSERT(says(question_to("hospital"), "'2.999.30.5','2.999.30.1','2.999.30.9'"));
    answer_query("hospital", of_hospital, 2);
    answer_query("clinic", of_clinic, 1);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 4);
    CU_ASSERT(!says(question_to("hospital"), "2.999.30.5"));
    CU_ASSERT(!says(question_to("hospital"), "HomeCommunityId"));
    CU_ASSERT(says(question_to("clinic"), "HomeCommunityId"));
    answer_retrieve("hospital", "2.999.30.1", HOSPITAL, "<a>hospital</a>");
    answer_retrieve("clinic", "2.999.31.1", CLINIC, "<a>clinic</a>");
    CU_ASSERT_FATAL(reply.is_here);
    kit_read_retrieve_answer(&reply, arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(got.documents.n, 3);
    CHECK_SPAN(got.documents.items[0].ref.unique_id, "2.999.31.1");
    CHECK_SPAN(got.documents.items[0].ref.home, CLINIC_HOME);
    CHECK_SPAN(buf_span(&got.documents.items[0].body.memory), "<a>clinic</a>");
    CHECK_SPAN(got.documents.items[1].ref.unique_id, isabella.unique_id);
    CHECK_SPAN(got.documents.items[2].ref.unique_id, "2.999.30.1");
    CHECK_SPAN(buf_span(&got.documents.items[2].body.memory), "<a>hospital</a>");
    CU_ASSERT_EQUAL(got.errors.n, 5);
    retrieve_answer_done(&got);
    CU_ASSERT_EQUAL(scene_count_events(green(), AUDIT_ITI_43, AUDIT_INITIATING, AUDIT_INTENT, true),
                    2);
    CU_ASSERT_EQUAL(
        scene_count_events(green(), AUDIT_ITI_39, AUDIT_RESPONDING, AUDIT_OUTCOME, true), 1);
    CU_ASSERT_EQUAL(
        scene_count_events(green(), AUDIT_ITI_39, AUDIT_RESPONDING, AUDIT_OUTCOME, false), 1);
    close_green();
}

static void
test_a_registry_that_is_down_gives_no_document(void)
{
    struct retrieve_answer got;

    open_green("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    const struct document_ref refs[] = {
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.1")},
        {SPAN(GREEN), span_of_cstr(green()->config->repository), span_of_cstr(isabella.unique_id)},
    };

    retrieve_of_green(refs, ARRAY_LEN(refs));
    scene_fail(&scene, question_to("hospital"), ERR_PARTNER_TIMEOUT);
    CU_ASSERT_EQUAL(scene.questions_n, 1); /* its repository is not asked */
    CU_ASSERT_FATAL(reply.is_here);
    kit_read_retrieve_answer(&reply, arena, &got);
    CU_ASSERT_EQUAL(got.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(got.documents.n, 1);
    CU_ASSERT_EQUAL_FATAL(got.errors.n, 1);
    CHECK_SPAN(got.errors.items[0].code, "XDSRepositoryError");
    CHECK_SPAN(got.errors.items[0].location, GREEN " 2.999.30.1");
    retrieve_answer_done(&got);
    close_green();
}

/* ---- local systems ---- */

static void
test_a_local_system_asks_sources_and_partners(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    static struct config_system system;
    struct config *config;
    struct query_answer got;

    open_green("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    config = (struct config *)green()->config;
    system = (struct config_system){.name = "ehr", .asserts = config->asserts};
    config->systems = config->local_system = &system;
    config->systems_n = 1;
    local_send_query_to(&scene, green(), isabella.patient_id, NULL, &reply);
    CU_ASSERT_EQUAL(count_questions("red") + count_questions("blue"), 2);
    answer_query("hospital", of_hospital, 1);
    scene_deliver_all(&scene, NULL);
    got = answer_of_green();
    CU_ASSERT_EQUAL(got.status, REGISTRY_SUCCESS);
    CU_ASSERT_PTR_NOT_NULL(find_entry(&got, "2.999.30.1"));
    CU_ASSERT_EQUAL(got.objects.documents.n, 4);
    close_green();
}

static const struct unit_test tests[] = {
    {"all sources answer as one", test_all_sources_answer_as_one},
    {"a source that is down is one error", test_a_source_that_is_down_is_one_error},
    {"what a source may not name is dropped", test_what_a_source_may_not_name_is_dropped},
    {"two sources may have the same document", test_two_sources_may_have_the_same_document},
    {"a home says which sources are asked", test_a_home_says_which_sources_are_asked},
    {"a patient without an id there is not asked about",
     test_a_patient_without_an_id_there_is_not_asked_about},
    {"documents come from where they are", test_documents_come_from_where_they_are},
    {"a registry that is down gives no document", test_a_registry_that_is_down_gives_no_document},
    {"a local system asks sources and partners", test_a_local_system_asks_sources_and_partners},
};

UNIT_MAIN("sources", tests)
