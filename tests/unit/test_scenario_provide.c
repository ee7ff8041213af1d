/*
 * Submissions: ITI-80 between communities, ITI-41 of a local system, each as a whole transaction.
 * What is taken, each refusal by its code, and that a refusal stores nothing; what the records say;
 * what a partner that does not answer costs. Fake clock, partners in the same process.
 */
#include <string.h>

#include "local_kit.h"
#include "txn/provide.h"

#define BYTES "<ClinicalDocument>delivered</ClinicalDocument>"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored of_green, of_red;
static struct config_system *ehr;

static struct place *
place(const char *name)
{
    return scene_place(&scene, name);
}

static void
open_all(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    ehr = local_kit_open(&scene);
    of_green = kit_add(place("green"), "Isabella", "N",
                       "<ClinicalDocument>third of green</ClinicalDocument>");
    of_red =
        kit_add(place("red"), "Isabella", "N", "<ClinicalDocument>third of red</ClinicalDocument>");
    scene_forget(&scene);
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

static uint64_t
documents_of(const char *name)
{
    struct store_counts counts = {0};
    struct diag diag = {0};

    CHECK_OK(&diag, store_count(place(name)->store, &diag, &counts));
    return counts.documents;
}

/* ---- a submission ---- */

static struct document_entry entry;
static struct submission_set set;
static struct association member[2];
static struct provided_document document;
static struct provide_request request;

/* One document of a patient, with everything that its metadata needs. */
static void
make(const char *patient_id)
{
    const struct code code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("x")};
    static struct code confidentiality;

    confidentiality = (struct code){SPAN("N"), SPAN("2.16.840.1.113883.5.25"), SPAN("normal")};
    entry = (struct document_entry){
        .entry_uuid = SPAN("Document01"),
        .unique_id = SPAN("2.999.77.1"),
        .patient_id = span_of_cstr(patient_id),
        .source_patient_id = SPAN("p1^^^&2.999.1.1&ISO"),
        .mime_type = SPAN("text/xml"),
        .object_type = SPAN(DOCUMENT_STABLE),
        .creation_time = SPAN("20260102"),
        .language = SPAN("en-US"),
        .class_code = code,
        .type_code = code,
        .format_code = code,
        .facility_type = code,
        .practice_setting = code,
        .confidentiality = {&confidentiality, 1, 1},
    };
    set = (struct submission_set){
        .entry_uuid = SPAN("SubmissionSet01"),
        .unique_id = SPAN("2.999.77.2"),
        .source_id = SPAN("2.999.1"),
        .patient_id = span_of_cstr(patient_id),
        .submission_time = SPAN("20260102030405"),
        .content_type = code,
    };
    member[0] = (struct association){
        .entry_uuid = SPAN("Association01"),
        .type = SPAN(ASSOCIATION_HAS_MEMBER),
        .source = SPAN("SubmissionSet01"),
        .target = SPAN("Document01"),
        .submission_set_status = SPAN("Original"),
    };
    document = (struct provided_document){.entry_id = SPAN("Document01"),
                                          .body = body_over(SPAN(BYTES)),
                                          .mime_type = SPAN("text/xml")};
    request = (struct provide_request){
        .objects = {.documents = {&entry, 1, 1},
                    .submission_sets = {&set, 1, 1},
                    .associations = {member, 1, 2}},
        .documents = {&document, 1, 1},
    };
}

/* ---- ITI-80 ---- */

/* Red's order to a community; the asking is freed by the test. */
static struct asking *
order(const char *community)
{
    static struct span to[1];
    struct asking_order given = scene_order(ASKING_PROVIDE, ISABELLA);
    struct asking *asking = NULL;
    to[0] = span_of_cstr(community);
    given.to = (struct span_list){to, 1, 1};
    given.provide = &request;
    scene_ask(place("red"), &given, &asking);
    scene_deliver_all(&scene, NULL);
    scene_run(&scene);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    CU_ASSERT_EQUAL_FATAL(asking->legs[ASKING_PROVIDE].n, 1);
    return asking;
}

static void
check_bytes(const char *name, const char *unique_id)
{
    const struct config *config = place(name)->config;
    struct document_ref ref = {SPAN_EMPTY, span_of_cstr(config->repository),
                               span_of_cstr(unique_id)};
    struct document_entry found = {0};
    struct diag diag = {0};
    struct body body;
    struct park park = {0};
    enum answer answer = ANSWER_NOW;

    body_init(&body);
    CHECK_OK(&diag, arena_printf(arena, &diag, &ref.home, "urn:oid:%s", config->community));
    CHECK_OK(&diag,
             store_retrieve(place(name)->store, &ref, &park, arena, &diag, &answer, &found, &body));
    CU_ASSERT_EQUAL(answer, ANSWER_NOW);
    CHECK_SPAN(buf_span(&body.memory), BYTES);
    body_done(&body);
}

static void
test_delivered(void)
{
    open_all();
    const uint64_t before = documents_of("green");
    make(of_green.patient_id);
    struct asking *asking = order("2.999.2");
    const struct leg *leg = &asking->legs[ASKING_PROVIDE].items[0];

    CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
    CU_ASSERT_EQUAL(leg->status, REGISTRY_SUCCESS);
    CU_ASSERT_STRING_EQUAL(leg->diag.text, "");
    CU_ASSERT_EQUAL(asking_failed(asking), 0);
    CU_ASSERT_EQUAL(documents_of("green"), before + 1);
    check_bytes("green", "2.999.77.1");
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
    CU_ASSERT_EQUAL(scene.questions[0].undurable, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene.questions[0].url, "/xcdr"));
    CU_ASSERT_EQUAL(
        scene_count_events(place("red"), AUDIT_ITI_80, AUDIT_INITIATING, AUDIT_INTENT, true), 1);
    CU_ASSERT_EQUAL(
        scene_count_events(place("red"), AUDIT_ITI_80, AUDIT_INITIATING, AUDIT_OUTCOME, true), 1);
    CU_ASSERT_EQUAL(
        scene_count_events(place("green"), AUDIT_ITI_80, AUDIT_RESPONDING, AUDIT_OUTCOME, true), 1);
    asking_free(asking);
    close_all();
}

/* What makes a submission wrong, and the code that green answers with. */
static void
no_document(void)
{
    request.documents.n = 0;
}

static void
no_entry(void)
{
    document.entry_id = SPAN("Document02");
}

static void
foreign_home(void)
{
    entry.home = SPAN("urn:oid:2.999.3");
}

static void
foreign_repository(void)
{
    entry.repository = SPAN("2.999.3.2");
}

static void
unknown_patient(void)
{
    entry.patient_id = set.patient_id = SPAN("nobody^^^&2.999.2.1&ISO");
}

static void
foreign_patient(void)
{
    entry.patient_id = set.patient_id = SPAN("p9^^^&2.999.3.1&ISO");
}

static void
no_format(void)
{
    entry.format_code = (struct code){.value = SPAN_EMPTY};
}

static void
replaces_stored(void)
{
    member[1] = (struct association){
        .entry_uuid = SPAN("Association02"),
        .type = SPAN(ASSOCIATION_REPLACE),
        .source = SPAN("Document01"),
        .target = span_of_cstr(of_green.entry_uuid),
    };
    request.objects.associations.n = 2;
}

static void
changes_metadata(void)
{
    member[0].previous_version = SPAN("1");
}

static void
limited_entry(void)
{
    entry.is_limited = true; /* and its SubmissionSet is not */
}

static void
same_id_other_bytes(void)
{
    entry.unique_id = span_of_cstr(of_green.unique_id);
}

static void
test_refused(void)
{
    static const struct {
        void (*spoil)(void);
        const char *code;
    } rows[] = {
        {no_document, "XDSMissingDocument"},
        {no_entry, "XDSMissingDocument"},
        {foreign_home, "XDSUnknownCommunity"},
        {foreign_repository, "XDSUnknownRepositoryId"},
        {unknown_patient, "XDSUnknownPatientId"},
        {foreign_patient, "XDSUnknownPatientId"},
        {no_format, "XDSRepositoryMetadataError"},
        {replaces_stored, "PartialReplaceContentNotProcessed"},
        {changes_metadata, "XDSRepositoryMetadataError"},
        {limited_entry, "XDSRepositoryMetadataError"},
        {same_id_other_bytes, "XDSNonIdenticalSize"},
    };

    open_all();
    const uint64_t before = documents_of("green");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        make(of_green.patient_id);
        rows[i].spoil();
        struct asking *asking = order("2.999.2");
        const struct leg *leg = &asking->legs[ASKING_PROVIDE].items[0];

        CU_ASSERT_EQUAL(leg->state, LEG_ANSWERED);
        CU_ASSERT_EQUAL(leg->status, REGISTRY_FAILURE);
        CU_ASSERT_EQUAL(leg->diag.code, ERR_PARTNER_REFUSED);
        CU_ASSERT_FATAL(leg->errors.n > 0);
        CHECK_SPAN(leg->errors.items[0].code, rows[i].code);
        CU_ASSERT_EQUAL(asking_failed(asking), 1);
        CU_ASSERT_EQUAL(documents_of("green"), before);
        CU_ASSERT_EQUAL(scene_event(place("green"), 0)->type, AUDIT_ITI_80);
        CU_ASSERT_EQUAL(scene_event(place("green"), 0)->outcome, AUDIT_SERIOUS);
        CU_ASSERT_EQUAL(scene_event(place("red"), 0)->outcome, AUDIT_SERIOUS);
        asking_free(asking);
        scene_forget(&scene);
    }
    close_all();
}

/* Limited metadata brings an unknown patient, when it says so (ITI TF-3 4.1.3.2). */
static void
test_limited(void)
{
    struct span info[3] = {SPAN("PID-5|Limited^Lucy"), SPAN("PID-7|19800203"), SPAN("PID-8|F")};

    open_all();
    const uint64_t before = documents_of("green");
    for (int labelled = 0; labelled < 2; labelled++) {
        make("lucy^^^&2.999.1.1&ISO");
        entry.source_patient_id = entry.patient_id;
        entry.source_patient_info = (struct span_list){info, 3, 3};
        entry.is_limited = set.is_limited = labelled == 1;
        struct asking *asking = order("2.999.2");
        const struct leg *leg = &asking->legs[ASKING_PROVIDE].items[0];

        CU_ASSERT_EQUAL(leg->status, labelled == 1 ? REGISTRY_SUCCESS : REGISTRY_FAILURE);
        if (labelled == 0) {
            CU_ASSERT_FATAL(leg->errors.n > 0);
            CHECK_SPAN(leg->errors.items[0].code, "XDSUnknownPatientId");
        }
        CU_ASSERT_EQUAL(documents_of("green"), before + (uint64_t)labelled);
        asking_free(asking);
    }
    close_all();
}

/* The same bytes a second time: a replay, and nothing is stored twice. */
static void
test_replayed(void)
{
    open_all();
    make(of_green.patient_id);
    asking_free(order("2.999.2"));
    const uint64_t after = documents_of("green");
    const struct scene_question *question = &scene.questions[0];

    scene_send(&scene, place("green"), place("red")->config->node->leaf, "/xcdr",
               question->content_type, buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_REPLAY);
    CU_ASSERT_EQUAL(documents_of("green"), after);
    CU_ASSERT_EQUAL(scene_event(place("green"), 0)->type, AUDIT_AUTHENTICATION_FAILURE);
    close_all();
}

static void
test_denied(void)
{
    open_all();
    const uint64_t before = documents_of("green");

    kit_set_policy(place("green"), NULL);
    make(of_green.patient_id);
    struct asking *asking = order("2.999.2");
    CU_ASSERT_EQUAL(asking->legs[ASKING_PROVIDE].items[0].status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(documents_of("green"), before);
    asking_free(asking);
    kit_restore_policy(place("green"));
    scene_forget(&scene);

    kit_set_policy(place("red"), NULL); /* our own: nothing leaves */
    make(of_green.patient_id);
    asking = order("2.999.2");
    CU_ASSERT_EQUAL(asking->legs[ASKING_PROVIDE].items[0].state, LEG_DENIED);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    asking_free(asking);
    kit_restore_policy(place("red"));
    close_all();
}

/* Green hands nothing on: what names blue is for nobody there. */
static void
test_no_transit(void)
{
    open_all();
    const uint64_t before = documents_of("green"), blue = documents_of("blue");
    make(of_green.patient_id);
    struct asking *asking = order("2.999.2");
    asking_free(asking);
    CU_ASSERT_EQUAL(documents_of("green"), before + 1);
    scene_forget(&scene);

    struct diag diag = {0};
    struct buf payload;
    buf_init(&payload, (size_t)1024 * 1024);
    make(of_green.patient_id);
    entry.unique_id = SPAN("2.999.77.9");
    set.unique_id = SPAN("2.999.77.10");
    request.target_home = SPAN("urn:oid:2.999.3");
    no_document();
    request.objects.documents.n = request.objects.associations.n = 0;
    CHECK_OK(&diag, provide_request_write(&request, arena, &payload, &diag));
    const struct kit_request sent = {.transaction = SOAP_ITI_80, .payload = buf_span(&payload)};
    kit_send(&scene, &sent, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "XDSUnknownCommunity"));
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT_EQUAL(documents_of("blue"), blue);
    buf_done(&payload);
    close_all();
}

/* ---- ITI-41 ---- */

static void
provide(void)
{
    struct diag diag = {0};
    struct mtom_part part;
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, provide_request_write(&request, arena, &payload, &diag));
    part = (struct mtom_part){document.content_id, SPAN("text/xml"), &document.body};
    const struct local_request sent = {
        .transaction = SOAP_ITI_41, .payload = buf_span(&payload), .parts = &part, .parts_n = 1};
    local_send(&scene, &sent, &reply);
    buf_done(&payload);
}

static void
check_local(const char *status, const char *code)
{
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, status));
    if (code != NULL && strstr(reply.text, code) == NULL) {
        fprintf(stderr, "wanted %s in %s\n", code, reply.text);
        CU_FAIL("another code");
    }
}

static void
test_local(void)
{
    static struct config_recipient recipients[] = {{"2.999.50", "2.999.2"},
                                                   {"2.999.51.*", "2.999.1"}};
    static struct span recipient[1];
    struct config *config = NULL;

    open_all();
    config = (struct config *)(uintptr_t)place("red")->config;
    const uint64_t red = documents_of("red"), green = documents_of("green");
    make(of_red.patient_id);
    provide(); /* into our own store */
    check_local("ResponseStatusType:Success", NULL);
    CU_ASSERT_EQUAL(documents_of("red"), red + 1);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    check_bytes("red", "2.999.77.1");
    CU_ASSERT_EQUAL(scene_event(place("red"), 0)->type, AUDIT_ITI_41);

    make(of_green.patient_id); /* to a partner, by its name */
    set.target_home = SPAN("urn:oid:2.999.2");
    provide();
    scene_deliver_all(&scene, NULL);
    check_local("ResponseStatusType:Success", NULL);
    CU_ASSERT_EQUAL(documents_of("green"), green + 1);

    config->recipients = recipients;
    config->recipients_n = ARRAY_LEN(recipients);
    make(of_green.patient_id); /* by its recipient */
    entry.unique_id = SPAN("2.999.77.3");
    set.unique_id = SPAN("2.999.77.4");
    recipient[0] = SPAN("Clinic^^^^^^^^^2.999.50|^Wel^Marcus|^^Internet^m@example.org");
    set.intended_recipients = (struct span_list){recipient, 1, 1};
    provide();
    scene_deliver_all(&scene, NULL);
    check_local("ResponseStatusType:Success", NULL);
    CU_ASSERT_EQUAL(documents_of("green"), green + 2);

    make(of_green.patient_id); /* a person, by who numbers him */
    entry.unique_id = SPAN("2.999.77.5");
    set.unique_id = SPAN("2.999.77.6");
    recipient[0] = SPAN("|77^Wel^Marcus^^^^^^&2.999.50&ISO");
    set.intended_recipients = (struct span_list){recipient, 1, 1};
    provide();
    scene_deliver_all(&scene, NULL);
    check_local("ResponseStatusType:Success", NULL);
    CU_ASSERT_EQUAL(documents_of("green"), green + 3);

    recipient[0] = SPAN("|77^Wel^Marcus^^^^^^&2.999.511&ISO|^^Internet^m@example.org");
    provide();
    check_local("ResponseStatusType:Failure", "\"UnknownRecipient\"");
    recipient[0] = SPAN("|2.999.50^Wel"); /* an id of nobody's */
    provide();
    check_local("ResponseStatusType:Failure", "\"UnknownRecipient\"");
    recipient[0] = SPAN("Clinic^^^^^&2.999.511&ISO^^^^45");
    provide();
    check_local("ResponseStatusType:Failure", "\"UnknownRecipient\"");
    set.target_home = SPAN("urn:oid:2.999.99");
    provide();
    check_local("ResponseStatusType:Failure", "\"XDSUnknownCommunity\"");
    CU_ASSERT_EQUAL(documents_of("green"), green + 3);
    CU_ASSERT_EQUAL(documents_of("red"), red + 1);
    config->recipients = NULL;
    config->recipients_n = 0;
    close_all();
}

/* ---- MIME parts ---- */

static const char *
find_text(struct span text, const char *wanted)
{
    const size_t at = span_find(text, span_of_cstr(wanted));

    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    return text.p + at;
}

/* Two Documents with one Include's bytes in both places, when <is_twice>; a part that is for
 * nobody, when <has_stray>. */
static void
provide_parts(bool is_twice, bool has_stray)
{
    struct provided_document both[2];
    struct provide_request sent = request;
    struct mtom_part parts[2];
    struct diag diag = {0};
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    both[0] = both[1] = document;
    both[1].entry_id = SPAN("Document02");
    sent.documents = (struct provided_list){both, is_twice ? 2 : 1, 2};
    CHECK_OK(&diag, provide_request_write(&sent, arena, &payload, &diag));
    if (is_twice) {
        const size_t n = both[0].content_id.n;
        char *at = (char *)(uintptr_t)find_text(buf_span(&payload), both[1].content_id.p);

        CU_ASSERT_EQUAL_FATAL(both[1].content_id.n, n);
        memcpy(at, both[0].content_id.p, n);
    }
    parts[0] = (struct mtom_part){both[0].content_id, SPAN("text/xml"), &document.body};
    parts[1] = (struct mtom_part){SPAN("stray@example.org"), SPAN("text/xml"), &document.body};
    const struct local_request order_of_ehr = {.transaction = SOAP_ITI_41,
                                               .payload = buf_span(&payload),
                                               .parts = parts,
                                               .parts_n = has_stray ? 2 : 1};
    local_send(&scene, &order_of_ehr, &reply);
    buf_done(&payload);
}

/* Bytes that two Documents claim, or none, are not guessed about: nothing is stored, and the
 * answer says which. */
static void
test_each_part_is_one_document(void)
{
    open_all();
    const uint64_t before = documents_of("red");

    make(of_red.patient_id);
    provide_parts(false, true);
    check_local("ResponseStatusType:Failure", "\"XDSMissingDocumentMetadata\"");
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "no Document names this MIME part"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "stray@example.org"));
    CU_ASSERT_EQUAL(documents_of("red"), before);
    provide_parts(true, false);
    CU_ASSERT_EQUAL(reply.http_status, 400); /* the sender's packing, not its metadata */
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "env:Sender"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(place("red"), 0)->reason, "XOP"));
    CU_ASSERT_EQUAL(documents_of("red"), before);
    provide_parts(false, false); /* the same without either is taken */
    check_local("ResponseStatusType:Success", NULL);
    CU_ASSERT_EQUAL(documents_of("red"), before + 1);
    close_all();
}

/* Nobody knows whether it was taken: it is not sent again. */
static void
test_partner_fails(void)
{
    open_all();
    make(of_green.patient_id);
    set.target_home = SPAN("urn:oid:2.999.2");
    provide();
    scene_run(&scene);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
    scene_cut(&scene, 0);
    scene_run(&scene);
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    check_local("ResponseStatusType:Failure", "\"UnavailableRecipient\"");
    CU_ASSERT_EQUAL(
        scene_count_events(place("red"), AUDIT_ITI_80, AUDIT_INITIATING, AUDIT_OUTCOME, false), 1);
    close_all();
}

static const struct unit_test tests[] = {
    {"delivered", test_delivered},
    {"refused", test_refused},
    {"limited metadata", test_limited},
    {"replayed", test_replayed},
    {"denied", test_denied},
    /* REQ: ITI80-home */
    {"no transit", test_no_transit},
    /* REQ: ITI80-recipient */
    {"local", test_local},
    /* REQ: ITI41-missing-metadata */
    {"each part is one document", test_each_part_is_one_document},
    /* REQ: ITI80-recipient */
    {"partner fails", test_partner_fails},
};
UNIT_MAIN("submissions", tests)
