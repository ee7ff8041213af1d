/*
 * One AuditMessage for every transaction and side, as real transactions between nodes make it:
 * asked and answered, found, refused, failed, in part. audit_rows.txt has what each must be, by ITI
 * TF-2 3.18.5, 3.38.5, 3.39.5, 3.41.5, 3.43.5, 3.55.5, 3.56.5 and 3.20.4.1.1.
 */
#include <stdio.h>
#include <string.h>

#include "audit_rows_kit.h"
#include "later_kit.h"
#include "local_kit.h"

#define REPOSITORY_OF_GREEN "2.999.2.2"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct config_system *ehr;
static struct scene_stored isabella, myra, of_red;

static struct place *
place(const char *name)
{
    return scene_place(&scene, name);
}

static void
begin(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    ehr = local_kit_open(&scene);
    isabella = kit_add(place("green"), "Isabella", "N", "<ClinicalDocument>n</ClinicalDocument>");
    myra = kit_add(place("green"), "Myra", "N", "<ClinicalDocument>m</ClinicalDocument>");
    of_red = kit_add(place("red"), "Isabella", "N", "<ClinicalDocument>r</ClinicalDocument>");
    scene_forget(&scene);
    rows_begin(&scene);
}

static void
end(void)
{
    rows_begin(NULL);
    local_kit_close(&scene);
    arena_free(arena);
}

/* ---- red asks green alone ---- */

static struct asking_order
order_to_green(enum asking_goal goal)
{
    static struct span to[1] = {{"2.999.2", 7}};
    struct asking_order order = scene_order(goal, ISABELLA);

    order.to = (struct span_list){to, 1, 1};
    return order;
}

static void
ask(const struct asking_order *order)
{
    struct asking *asking = NULL;

    scene_ask(place("red"), order, &asking);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
}

static enum err fail_by = ERR_PARTNER_TIMEOUT;

static void
ask_in_vain(const struct asking_order *order)
{
    struct asking *asking = NULL;

    scene_ask(place("red"), order, &asking);
    CU_ASSERT_FATAL(scene.questions_n > 0);
    scene_fail(&scene, scene.questions_n - 1, fail_by);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
}

/* <name>'s rules for one question. */
static void
ask_under(const char *name, const char *rules, const struct asking_order *order)
{
    kit_set_policy(place(name), rules);
    ask(order);
    kit_restore_policy(place(name));
}

/* ---- ITI-55 ---- */

static void
test_discovery(void)
{
    struct asking_order order;

    begin();
    order = order_to_green(ASKING_DISCOVER);
    ask(&order);
    rows_check("ITI-55, one match");
    ask_in_vain(&order);
    rows_check("ITI-55, no answer");
    fail_by = ERR_PARTNER_TLS;
    ask_in_vain(&order);
    fail_by = ERR_PARTNER_TIMEOUT;
    rows_check("ITI-55, the partner does not prove who it is");
    ask_under("green", NULL, &order);
    rows_check("ITI-55, denied by the one who is asked");
    ask_under("red", NULL, &order);
    rows_check("ITI-55, denied by our own rules");
    order = scene_order(ASKING_DISCOVER, "Nobody", "Ned", "19010101", "M");
    order.to = order_to_green(ASKING_DISCOVER).to;
    ask(&order);
    rows_check("ITI-55, no match");
    end();
}

/* ---- answers that come as messages of their own ---- */

static void
test_later(void)
{
    struct asking *asking = NULL;
    size_t question;

    later_open(&scene);
    scene_forget(&scene);
    rows_begin(&scene);
    question = later_discover(&scene, &asking);
    scene_deliver(&scene, question);
    rows_check("ITI-55, asked asynchronously and accepted");
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
    asking_free(asking);
    rows_check("ITI-55, answered by a message of its own");
    rows_begin(NULL);
    scene_close(&scene);
}

/* ---- ITI-38 ---- */

static struct span
of(const char *text)
{
    return span_of_cstr(text);
}

static struct asking_order
query_of(const char *extension)
{
    struct asking_order order = order_to_green(ASKING_QUERY);

    order.patient_id = (struct ident){SPAN("2.999.2.1"), of(extension), SPAN_EMPTY};
    return order;
}

/* Red's question for metadata by entryUUID. */
static void
send_get(const char *first, const char *second, bool wants_leaf_class)
{
    struct span ids[2] = {of(first), of(second)};
    struct query_param params[1] = {
        {SPAN("$XDSDocumentEntryEntryUUID"), {ids, 2, 2}, .is_multiple = true}};
    const struct stored_query query = {.id = SPAN(XCA_GET_DOCUMENTS),
                                       .home = SPAN(GREEN),
                                       .wants_leaf_class = wants_leaf_class,
                                       .params = {params, 1, 1}};

    kit_send_query(&scene, &query, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
}

static void
test_queries(void)
{
    struct asking_order order;
    char extension[96];

    begin();
    snprintf(extension, sizeof(extension), "%.*s",
             (int)(strchr(isabella.patient_id, '^') - isabella.patient_id), isabella.patient_id);
    order = query_of(extension);
    ask(&order);
    rows_check("ITI-38, documents of one patient");
    order = query_of("nobody");
    ask(&order);
    rows_check("ITI-38, a patient id that is not known");
    order = query_of(extension);
    ask_in_vain(&order);
    rows_check("ITI-38, no answer");
    ask_under("green", NULL, &order);
    rows_check("ITI-38, denied by the one who is asked");
    send_get(isabella.entry_uuid, myra.entry_uuid, false);
    rows_check("ITI-38, references of two patients");
    send_get(isabella.entry_uuid, myra.entry_uuid, true);
    rows_check("ITI-38, metadata of two patients are refused");
    end();
}

/* ---- ITI-39 ---- */

static struct document_ref
ref_of(const char *unique_id)
{
    return (struct document_ref){SPAN(GREEN), SPAN(REPOSITORY_OF_GREEN), of(unique_id)};
}

static struct asking_order
retrieve_of(struct document_ref *refs, size_t n)
{
    struct asking_order order = order_to_green(ASKING_RETRIEVE);

    order.documents = (struct document_ref_list){refs, n, n};
    return order;
}

static void
test_retrieves(void)
{
    struct document_ref refs[3];
    struct asking_order order;

    begin();
    order = order_to_green(ASKING_GATHER);
    ask(&order);
    rows_check("ITI-55, ITI-38 and ITI-39 of one patient");
    refs[0] = ref_of(isabella.unique_id);
    refs[1] = ref_of("2.999.404");
    order = retrieve_of(refs, 2);
    ask(&order);
    rows_check("ITI-39, one document comes and one does not");
    order = retrieve_of(&refs[1], 1);
    ask(&order);
    rows_check("ITI-39, the document does not come");
    ask_in_vain(&order);
    rows_check("ITI-39, no answer");
    refs[1] = ref_of(myra.unique_id);
    order = retrieve_of(refs, 2);
    ask(&order);
    rows_check("ITI-39, documents of two patients");
    end();
}

/* ---- emergencies ---- */

static void
test_emergencies(void)
{
    static const char rules[] =
        "rules:\n"
        "  - {name: break-glass, effect: permit, emergency: yes, reason: r, partners: any,\n"
        "     purposes: any}\n";
    struct document_ref refs[2];
    struct asking_order order;

    begin();
    order = order_to_green(ASKING_DISCOVER);
    ask_under("green", rules, &order);
    rows_check("ITI-55, in an emergency");
    refs[0] = ref_of(isabella.unique_id);
    refs[1] = ref_of(myra.unique_id);
    order = retrieve_of(refs, 2);
    ask_under("green", rules, &order);
    rows_check("ITI-39, in an emergency, of two patients");
    end();
}

/* ---- what is not believed ---- */

static void
test_not_believed(void)
{
    const struct scene_question *question;
    struct asking_order order;

    begin();
    order = order_to_green(ASKING_DISCOVER);
    ask(&order);
    question = &scene.questions[0];
    rows_begin(&scene);
    scene_send(&scene, place("green"), place("red")->config->node->leaf, "/xcpd",
               question->content_type, buf_span(&question->body), &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_REPLAY);
    rows_check("a message comes again");
    end();
}

/* ---- local systems ---- */

static void
test_local_systems(void)
{
    struct document_ref refs[2];

    begin();
    local_send_registry_find(&scene, isabella.patient_id, GREEN, &reply);
    scene_deliver_all(&scene, NULL);
    rows_check("ITI-18 of a local system, asked of a partner with ITI-38");
    refs[0] = ref_of(isabella.unique_id);
    refs[1] = ref_of("2.999.404");
    local_send_repository(&scene, refs, 2, &reply);
    scene_deliver_all(&scene, NULL);
    rows_check("ITI-43 of a local system, one document does not come");
    local_send_registry_find(&scene, of_red.patient_id, "urn:oid:2.999.1", &reply);
    scene_deliver_all(&scene, NULL);
    rows_check("ITI-18 of a local system, of our own store");
    local_send_query(&scene, isabella.patient_id, GREEN, &reply);
    scene_fail(&scene, scene.questions_n - 1, ERR_PARTNER_TIMEOUT);
    rows_check("ITI-38 of a local system, the partner does not answer");
    local_send_discovery(&scene, SPAN("2.999.2"), &reply);
    scene_deliver_all(&scene, NULL);
    rows_check("ITI-55 of a local system");
    end();
}

int
main(void)
{
    static const struct unit_test tests[] = {
        /* REQ: ITI20-query-rows */
        {"ITI-55", test_discovery},
        {"answers that come later", test_later},
        /* REQ: ITI20-one-patient, ITI20-query-rows, ITI20-denied */
        {"ITI-38", test_queries},
        /* REQ: ITI20-one-patient, ITI20-import, ITI20-export, ITI20-documents, ITI20-split */
        {"ITI-39", test_retrieves},
        /* REQ: ITI20-emergency */
        {"emergencies", test_emergencies},
        /* REQ: ITI20-failures */
        {"what is not believed", test_not_believed},
        /* REQ: ITI20-split */
        {"local systems", test_local_systems},
    };

    rows_open("audit_rows.txt");
    const int result = unit_main("audit rows", tests, ARRAY_LEN(tests));

    return rows_close() ? result : 1;
}
