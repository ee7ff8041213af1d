/*
 * The same as test_audit_rows.c for what a node does with the systems behind it: registries and
 * repositories (ITI-18, ITI-43), suppliers of demographics and cross-references (ITI-47, ITI-45),
 * local systems that ask for people, submissions (ITI-41, ITI-80) and locations (ITI-56).
 */
#include <stdio.h>
#include <string.h>

#include "audit_rows_kit.h"
#include "people_kit.h"
#include "soap/pix.h"
#include "soap/plq.h"
#include "supplier_kit.h"
#include "txn/provide.h"

#define REPOSITORY_OF_GREEN "2.999.2.2"

static void
begin(const char *sources)
{
    sources_open(sources);
    scene_forget(&sources_scene);
    rows_begin(&sources_scene);
}

static void
end(void)
{
    rows_begin(NULL);
    sources_close();
}

/* ---- registries and repositories ---- */

static void
test_registries(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};

    begin("sources:\n" OWN_SOURCE HOSPITAL_SOURCE CLINIC_SOURCE);
    sources_ask_green(NULL);
    sources_answer("hospital", of_hospital, 1);
    scene_fail(&sources_scene, sources_question("clinic"), ERR_PARTNER_UNREACHABLE);
    (void)sources_answer_of_green();
    rows_check("ITI-18 to two registries for a partner's ITI-38, one is down");
    end();
}

static void
test_repositories(void)
{
    static const struct given of_hospital[] = {ONE_OF_HOSPITAL};
    struct document_ref refs[2] = {
        {SPAN(GREEN), SPAN(HOSPITAL), SPAN("2.999.30.1")},
        {SPAN(GREEN), SPAN(REPOSITORY_OF_GREEN), SPAN_EMPTY},
    };

    begin("sources:\n" OWN_SOURCE HOSPITAL_SOURCE);
    refs[1].unique_id = span_of_cstr(sources_isabella.unique_id);
    kit_send_retrieve(&sources_scene, &(struct document_ref_list){refs, 2, 2}, &sources_reply);
    scene_run(&sources_scene);
    sources_answer("hospital", of_hospital, 1);
    sources_give("hospital", "2.999.30.1", HOSPITAL, "<ClinicalDocument>h</ClinicalDocument>");
    scene_run(&sources_scene);
    CU_ASSERT(sources_reply.is_here);
    rows_check("ITI-43 to a repository for a partner's ITI-39");
    end();
}

/* ---- suppliers ---- */

static void
test_suppliers(void)
{
    static const struct supplied otto = {"M-7", OTTO, "H-7", NULL};

    begin("sources:\n" OWN_SOURCE MPI_SOURCE);
    supplier_discover(OTTO, &sources_reply);
    supplier_answer("mpi", &otto, 1, 0);
    (void)supplier_discovered(&sources_reply);
    rows_check("ITI-47 to a supplier for a partner's ITI-55");
    supplier_discover("Kant", "Emma", "19700303", "F", &sources_reply);
    scene_fail(&sources_scene, sources_question("mpi"), ERR_PARTNER_TIMEOUT);
    (void)supplier_discovered(&sources_reply);
    rows_check("ITI-47 to a supplier that does not answer");
    end();
}

static void
test_managers(void)
{
    static const struct given of_far[] = {
        {"2.999.35.1", "2.999.35", "F-1^^^&2.999.78&ISO", NULL, NULL}};
    static const char *const right[] = {FAR " F-1"};

    begin("sources:\n" OWN_SOURCE XREF_SOURCE FAR_SOURCE);
    sources_ask_green(NULL);
    supplier_give_ids("xref", right, 1);
    sources_answer("far", of_far, 1);
    (void)sources_answer_of_green();
    rows_check("ITI-45 to a manager, then ITI-18, for a partner's ITI-38");
    end();
}

/* ---- local systems that ask for people ---- */

static void
send_pix(const char *root, const char *extension)
{
    const struct pix_query query = {
        .id = {.root = SPAN(PEOPLE_QUERY), .extension = SPAN("message")},
        .query_id = {.root = SPAN(PEOPLE_QUERY), .extension = SPAN("7")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.1"),
        .creation_us = clock_wall_us(&people.scene.clock.clock),
        .patient = {span_of_cstr(root), span_of_cstr(extension), SPAN_EMPTY},
    };
    struct diag diag = {0};
    struct span query_xml;
    struct buf payload;

    buf_init(&payload, (size_t)64 * 1024);
    CHECK_OK(&diag, pix_query_write(&query, people.arena, &payload, &diag, &query_xml));
    people_send_payload(SOAP_ITI_45, buf_span(&payload));
    buf_done(&payload);
}

static void
test_people(void)
{
    const struct question joneses = {.family = "Jones", .birth = "19810203"};
    const struct question nobody = {.family = "Nobody"};

    people_open();
    scene_forget(&people.scene);
    rows_begin(&people.scene);
    people_send_question(&joneses);
    rows_check("ITI-47 of a local system");
    people_send_question(&nobody);
    rows_check("ITI-47 of a local system, nobody is found");
    send_pix(PEOPLE_MRN, "m-4");
    rows_check("ITI-45 of a local system");
    send_pix(PEOPLE_MRN, "m-404");
    rows_check("ITI-45 of a local system, a patient id that is not known");
    kit_set_policy(people_red(), NULL);
    people_send_question(&joneses);
    kit_restore_policy(people_red());
    rows_check("ITI-47 of a local system, denied");
    rows_begin(NULL);
    people_close();
}

/* ---- ITI-56 ---- */

static void
test_locations(void)
{
    static const char rules[] =
        "rules:\n"
        "  - {name: ask, effect: permit, reason: r, transactions: [ITI-56], partners: any,\n"
        "     purposes: any}\n";
    static struct span to[1] = {{"2.999.2", 7}};
    struct asking_order order = scene_order(ASKING_LOCATE, ISABELLA);
    struct asking *asking = NULL;

    people_open();
    scene_forget(&people.scene);
    rows_begin(&people.scene);
    order.patient_id = (struct ident){SPAN("2.999.2.1"), SPAN("p-1"), SPAN_EMPTY};
    order.to = (struct span_list){to, 1, 1};
    kit_set_policy(people_red(), rules);
    kit_set_policy(scene_place(&people.scene, "green"), rules);
    scene_ask(people_red(), &order, &asking);
    scene_deliver_all(&people.scene, NULL);
    asking_free(asking);
    rows_check("ITI-56");
    kit_set_policy(scene_place(&people.scene, "green"), NULL);
    scene_ask(people_red(), &order, &asking);
    scene_deliver_all(&people.scene, NULL);
    asking_free(asking);
    rows_check("ITI-56, denied by the one who is asked");
    kit_restore_policy(scene_place(&people.scene, "green"));
    kit_restore_policy(people_red());
    rows_begin(NULL);
    people_close();
}

/* ---- submissions ---- */

static struct document_entry entry;
static struct submission_set set;
static struct association member;
static struct provided_document document;
static struct provide_request submission;

static void
make_submission(const char *patient_id)
{
    static struct code normal;
    const struct code code = {SPAN("34133-9"), SPAN("2.16.840.1.113883.6.1"), SPAN("x")};

    normal = (struct code){SPAN("N"), SPAN("2.16.840.1.113883.5.25"), SPAN("normal")};
    entry = (struct document_entry){.entry_uuid = SPAN("Document01"),
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
                                    .confidentiality = {&normal, 1, 1}};
    set = (struct submission_set){.entry_uuid = SPAN("SubmissionSet01"),
                                  .unique_id = SPAN("2.999.77.2"),
                                  .source_id = SPAN("2.999.1"),
                                  .patient_id = span_of_cstr(patient_id),
                                  .submission_time = SPAN("20260102030405"),
                                  .content_type = code};
    member = (struct association){.entry_uuid = SPAN("Association01"),
                                  .type = SPAN(ASSOCIATION_HAS_MEMBER),
                                  .source = SPAN("SubmissionSet01"),
                                  .target = SPAN("Document01"),
                                  .submission_set_status = SPAN("Original")};
    document = (struct provided_document){.entry_id = SPAN("Document01"),
                                          .body = body_over(SPAN("<a/>")),
                                          .mime_type = SPAN("text/xml")};
    submission = (struct provide_request){.objects = {.documents = {&entry, 1, 1},
                                                      .submission_sets = {&set, 1, 1},
                                                      .associations = {&member, 1, 1}},
                                          .documents = {&document, 1, 1}};
}

static void
deliver(void)
{
    static struct span to[1] = {{"2.999.2", 7}};
    struct asking_order order = scene_order(ASKING_PROVIDE, ISABELLA);
    struct asking *asking = NULL;

    order.to = (struct span_list){to, 1, 1};
    order.provide = &submission;
    scene_ask(people_red(), &order, &asking);
    scene_deliver_all(&people.scene, NULL);
    asking_free(asking);
}

static void
provide(void)
{
    struct diag diag = {0};
    struct mtom_part part;
    struct buf payload;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, provide_request_write(&submission, people.arena, &payload, &diag));
    part = (struct mtom_part){document.content_id, SPAN("text/xml"), &document.body};
    const struct local_request sent = {
        .transaction = SOAP_ITI_41, .payload = buf_span(&payload), .parts = &part, .parts_n = 1};
    local_send(&people.scene, &sent, &people.reply);
    scene_deliver_all(&people.scene, NULL);
    buf_done(&payload);
}

static void
test_submissions(void)
{
    struct scene_stored of_green, of_red;

    people_open();
    of_green = kit_add(scene_place(&people.scene, "green"), "Isabella", "N", "<a>g</a>");
    of_red = kit_add(people_red(), "Isabella", "N", "<a>r</a>");
    scene_forget(&people.scene);
    rows_begin(&people.scene);
    make_submission(of_green.patient_id);
    deliver();
    rows_check("ITI-80");
    make_submission("nobody^^^&2.999.2.1&ISO");
    deliver();
    rows_check("ITI-80, refused");
    make_submission(of_red.patient_id);
    provide();
    rows_check("ITI-41 of a local system, into our own store");
    make_submission(of_green.patient_id);
    entry.unique_id = SPAN("2.999.77.3");
    set.unique_id = SPAN("2.999.77.4");
    set.target_home = SPAN("urn:oid:2.999.2");
    provide();
    rows_check("ITI-41 of a local system, to a partner with ITI-80");
    make_submission("nobody^^^&2.999.1.1&ISO");
    provide();
    rows_check("ITI-41 of a local system, refused");
    rows_begin(NULL);
    people_close();
}

int
main(void)
{
    static const struct unit_test tests[] = {
        /* REQ: ITI20-split */
        {"registries", test_registries},
        /* REQ: ITI20-import, ITI20-export */
        {"repositories", test_repositories},
        {"suppliers of demographics", test_suppliers},
        {"managers of cross-references", test_managers},
        {"local systems that ask for people", test_people},
        {"locations", test_locations},
        /* REQ: ITI20-submission-rows */
        {"submissions", test_submissions},
    };

    rows_open("audit_rows_sources.txt");
    const int result = unit_main("audit rows of what is behind a node", tests, ARRAY_LEN(tests));

    return rows_close() ? result : 1;
}
