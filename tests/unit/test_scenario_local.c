/*
 * What a local system asks through the node: who it is, whom its question reaches, what the one
 * answer says when partners fail or our own policy denies, and what is recorded of it. Fake clock,
 * partners in the same process, no sockets.
 */
#include <string.h>

#include "local_kit.h"
#include "soap/xcpd.h"

#define RED  "urn:oid:2.999.1"
#define BLUE "urn:oid:2.999.3"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;

static struct place *
red(void)
{
    return scene_place(&scene, "red");
}

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

static struct config *
config_of_red(void)
{
    return (struct config *)red()->config;
}

/* Refused with a fault that says <text>, before anybody was asked; a record says why. */
static void
check_fault(enum err cause, const char *text)
{
    CU_ASSERT_FATAL(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    if (reply.cause != cause || strstr(reply.text, text) == NULL) {
        printf("\n    wanted %s '%s', got %s: %s", err_name(cause), text, err_name(reply.cause),
               reply.text);
        CU_FAIL("another fault");
    }
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT_EQUAL_FATAL(red()->sink.n, 1);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SERIOUS);
    CU_ASSERT(strncmp(scene_event(red(), 0)->reason, err_name(cause), strlen(err_name(cause))) ==
              0);
    scene_forget(&scene);
}

/* ---- who asks ---- */

static void
test_nobody_who_is_unknown_is_served(void)
{
    struct config_system *ehr = local_kit_open(&scene);

    config_of_red()->local_system = NULL;
    local_send_query(&scene, "1^^^&2.999.2.1&ISO", NULL, &reply);
    check_fault(ERR_SYSTEM_UNKNOWN, "no local system");
    /* a certificate that is nobody's, though somebody asks without one */
    config_of_red()->local_system = ehr;
    struct local_request request = {.transaction = SOAP_ITI_38,
                                    .payload = SPAN("<x xmlns='urn:x'/>"),
                                    .peer = green()->config->node->leaf};
    local_send(&scene, &request, &reply);
    check_fault(ERR_SYSTEM_UNKNOWN, "no local system");
    local_kit_close(&scene);
}

static void
test_a_certificate_says_which_system_asks(void)
{
    struct config_system *ehr = local_kit_open(&scene);
    const struct certificate *certificate = green()->config->node->leaf;
    const char *const names[] = {certificate->dns[0]};
    struct local_request request = {
        .transaction = SOAP_ITI_38, .payload = SPAN("<x xmlns='urn:x'/>"), .peer = certificate};

    config_of_red()->local_system = NULL;
    ehr->certificate_names = (struct config_strings){names, 1};
    local_send(&scene, &request, &reply);
    check_fault(ERR_WSA_ACTION, "ActionNotSupported"); /* it was let in */
    local_kit_close(&scene);
}

static void
test_a_security_header_is_not_passed_over_in_silence(void)
{
    struct config_system *ehr = local_kit_open(&scene);
    struct local_request request = {
        .transaction = SOAP_ITI_39,
        .payload = SPAN("<RetrieveDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'/>"),
        .security = SPAN("<wsse:Security xmlns:wsse='http://docs.oasis-open.org/wss/2004/01/"
                         "oasis-200401-wss-wssecurity-secext-1.0.xsd'/>"),
    };

    local_send(&scene, &request, &reply);
    check_fault(ERR_SYSTEM_SECURITY, "asserts_for_all");
    ehr->asserts_for_all = true;
    local_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_MESSAGE_CONTENT); /* it was read, and has no DocumentRequest */
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "ResponseStatusType:Failure"));
    local_kit_close(&scene);
}

static void
test_action_and_path_must_agree(void)
{
    static const struct {
        enum soap_transaction transaction;
        const char *path;
    } rows[] = {
        {SOAP_ITI_38, "/pdq"},
        {SOAP_ITI_38, "/repository"},
        {SOAP_ITI_38, "/xca/query"},
        {SOAP_ITI_39, "/registry"},
        {SOAP_ITI_39, "/"},
        {SOAP_ITI_55, "/registry"},
        {SOAP_ITI_55, "/pdq/further"},
        {SOAP_ITI_47, "/registry"},
        {SOAP_ITI_47_CONTINUE, "/provide"},
        {SOAP_ITI_45, "/xcpd"},
    };
    static const char *const payloads[] = {
        [SOAP_ITI_55] = "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'/>",
        [SOAP_ITI_38] =
            "<AdhocQueryRequest xmlns='urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0'/>",
        [SOAP_ITI_39] = "<RetrieveDocumentSetRequest xmlns='urn:ihe:iti:xds-b:2007'/>",
        [SOAP_ITI_47] = "<PRPA_IN201305UV02 xmlns='urn:hl7-org:v3'/>",
        [SOAP_ITI_47_CONTINUE] = "<QUQI_IN000003UV01 xmlns='urn:hl7-org:v3'/>",
        [SOAP_ITI_45] = "<PRPA_IN201309UV02 xmlns='urn:hl7-org:v3'/>",
    };

    (void)local_kit_open(&scene);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct local_request request = {
            .transaction = rows[i].transaction,
            .payload = span_of_cstr(payloads[rows[i].transaction]),
            .path = rows[i].path,
        };

        local_send(&scene, &request, &reply);
        check_fault(ERR_WSA_ACTION, "ActionNotSupported");
    }
    local_kit_close(&scene);
}

/* What partners are told is what the system's entry says. */
static void
test_our_assertion_speaks_of_the_system_s_user(void)
{
    struct config_system *ehr = local_kit_open(&scene);
    const struct scene_stored known = kit_add(green(), "Isabella", "N", "<ClinicalDocument/>");

    config_of_red()->asserts.npi = "1234567893"; /* of the node's own user */
    ehr->asserts.npi = NULL;
    ehr->asserts.role = "106289002";
    ehr->asserts.organization = "Ehr Clinic";
    local_send_query(&scene, known.patient_id, GREEN, &reply);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
    const struct span sent = buf_span(&scene.questions[0].body);
    char audience[300], purpose[100];
    (void)snprintf(audience, sizeof(audience), "Audience>%s<", scene.questions[0].url);
    (void)snprintf(purpose, sizeof(purpose), "code=\"%s\"", ehr->asserts.purpose);
    const char *const says[] = {"Ehr User", "code=\"106289002\"", "Ehr Clinic", audience, purpose};
    for (size_t i = 0; i < ARRAY_LEN(says); i++) {
        CU_ASSERT_NOT_EQUAL(span_find(sent, span_of_cstr(says[i])), SPAN_MISSING);
    }
    CU_ASSERT_EQUAL(span_find(sent, SPAN("Dr. Ada Example")), SPAN_MISSING);
    CU_ASSERT_EQUAL(span_find(sent, SPAN("1234567893")), SPAN_MISSING);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT(reply.is_here);
    config_of_red()->asserts.npi = NULL;
    local_kit_close(&scene);
}

/* ---- ITI-38 ---- */

static void
read_query(struct arena *arena, struct query_answer *ret_answer)
{
    CU_ASSERT_FATAL(reply.is_here);
    kit_read_query_answer(&reply, arena, ret_answer);
}

static void
test_a_query_reaches_everybody_and_comes_back_as_one(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct query_answer answer;
    struct scene_stored known;

    (void)local_kit_open(&scene);
    known = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    local_send_query(&scene, known.patient_id, NULL, &reply);
    CU_ASSERT(!reply.is_here);
    CU_ASSERT_EQUAL(scene.questions_n, 2);
    scene_deliver_all(&scene, NULL);
    read_query(arena, &answer);
    /* blue does not know the id: that is no error to who asked (ITI TF-2 3.38.4.1.3) */
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.errors.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 3);
    for (size_t i = 0; i < 3; i++) {
        CHECK_SPAN(answer.objects.documents.items[i].home, GREEN);
    }
    const struct scene_event *own = scene_event(red(), 0);
    CU_ASSERT_EQUAL(own->type, AUDIT_ITI_38);
    CU_ASSERT_EQUAL(own->side, AUDIT_RESPONDING);
    CU_ASSERT_EQUAL(own->outcome, AUDIT_SUCCESS);
    CU_ASSERT_STRING_EQUAL(own->partner, "ehr");
    CU_ASSERT_STRING_EQUAL(own->patient, known.patient_id);
    CU_ASSERT(own->is_durable);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_home_addresses_one_community(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct query_answer answer;
    struct scene_stored known, own;

    (void)local_kit_open(&scene);
    known = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    own = kit_add(red(), "Isabella", "N", "<ClinicalDocument>own</ClinicalDocument>");
    local_send_query(&scene, known.patient_id, GREEN, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    scene_deliver_all(&scene, NULL);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    scene_forget(&scene);
    local_send_query(&scene, own.patient_id, RED, &reply); /* our own store alone */
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL_FATAL(answer.objects.documents.n, 2);
    CHECK_SPAN(answer.objects.documents.items[0].home, RED);
    scene_forget(&scene);
    local_send_query(&scene, own.patient_id, "urn:oid:2.999.404", &reply);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSUnknownCommunity");
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SERIOUS);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_a_list_of_targets_is_for_us(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct span patient[1] = {SPAN("404^^^&2.999.2.1&ISO")}, status[1] = {SPAN(DOCUMENT_APPROVED)};
    struct span targets[2] = {SPAN(GREEN), SPAN(BLUE)};
    struct query_param params[3] = {
        {SPAN("$XDSDocumentEntryPatientId"), {patient, 1, 1}, .is_multiple = false},
        {SPAN("$XDSDocumentEntryStatus"), {status, 1, 1}, .is_multiple = true},
        {SPAN("$targetCommunityIdList"), {targets, 2, 2}, .is_multiple = true},
    };
    struct stored_query query = {.id = SPAN(XCA_FIND_DOCUMENTS), .params = {params, 3, 3}};
    struct query_answer answer;

    (void)local_kit_open(&scene);
    local_send_stored(&scene, &query, &reply);
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 2);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(span_find(buf_span(&scene.questions[i].body), SPAN("targetCommunity")),
                        SPAN_MISSING);
    }
    scene_deliver_all(&scene, NULL);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    scene_forget(&scene);
    targets[1] = SPAN("urn:oid:2.999.404");
    local_send_stored(&scene, &query, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT_EQUAL(reply.cause, ERR_UNKNOWN_COMMUNITY);
    targets[1] = SPAN(BLUE);
    params[2].values.n = 0; /* an empty list is none: everybody */
    scene_forget(&scene);
    local_send_stored(&scene, &query, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 2);
    scene_deliver_all(&scene, NULL);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_documents_by_id_need_a_home_and_may_be_references(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct span ids[1];
    struct query_param params[1] = {
        {SPAN("$XDSDocumentEntryUniqueId"), {ids, 1, 1}, .is_multiple = true}};
    struct stored_query query = {.id = SPAN(XCA_GET_DOCUMENTS), .params = {params, 1, 1}};
    struct query_answer answer;
    struct scene_stored known;

    (void)local_kit_open(&scene);
    known = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    ids[0] = span_of_cstr(known.unique_id);
    local_send_stored(&scene, &query, &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_MISSING_COMMUNITY);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    query.home = SPAN(GREEN);
    local_send_stored(&scene, &query, &reply);
    scene_deliver_all(&scene, NULL);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL_FATAL(answer.refs.n, 1);
    CHECK_SPAN(answer.refs.items[0].unique_id, known.entry_uuid);
    CHECK_SPAN(answer.refs.items[0].home, GREEN);
    CU_ASSERT_STRING_EQUAL(scene_event(red(), 0)->patient, known.patient_id);
    query.id = SPAN("urn:uuid:10b545ea-725c-446d-9b95-8aeb444eddf3"); /* GetAll */
    local_send_stored(&scene, &query, &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_QUERY_PARAM_MISSING);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "XDSStoredQueryMissingParam"));
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "$patientId: "));       /* codeContext names it */
    query.id = SPAN("urn:uuid:3d1bdb10-39a2-11de-89c2-2f44d94eaa9f"); /* ITI-51 */
    local_send_stored(&scene, &query, &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_UNKNOWN_QUERY);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "XDSUnknownStoredQuery"));
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_a_partner_that_fails_is_one_error_beside_the_others(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct registry_error *error;
    struct query_answer answer;
    struct scene_stored known;

    (void)local_kit_open(&scene);
    known = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    local_send_query(&scene, known.patient_id, NULL, &reply);
    scene_fail(&scene, kit_question_to(&scene, "blue"), ERR_PARTNER_UNREACHABLE);
    CU_ASSERT(!reply.is_here);
    scene_deliver_all(&scene, NULL);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    error = local_error_of(&answer.errors, BLUE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(error);
    CHECK_SPAN(error->code, "XDSUnavailableCommunity");
    CU_ASSERT(error->context.n > 0 && !error->is_warning);
    /* success and failure are separate records */
    CU_ASSERT_EQUAL(scene_event(red(), 1)->side, AUDIT_RESPONDING);
    CU_ASSERT_EQUAL(scene_event(red(), 1)->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SERIOUS);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(red(), 0)->reason, "PARTNER_UNREACHABLE"));
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_when_all_fail_there_is_no_result(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct query_answer answer;

    (void)local_kit_open(&scene);
    local_send_query(&scene, "404^^^&2.999.2.1&ISO", GREEN, &reply);
    scene_fail(&scene, 0, ERR_PARTNER_TLS);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSUnavailableCommunity");
    CU_ASSERT_EQUAL(scene_event(red(), 0)->side, AUDIT_RESPONDING);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SERIOUS);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_our_own_policy_decides_whom_we_ask(void)
{
    static const char *const rules =
        "rules:\n"
        "  - name: green-only\n    effect: permit\n    reason: a test\n    direction: outbound\n"
        "    transactions: [ITI-38]\n    partners: [green]\n    purposes: [T-TREAT]\n";
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct query_answer answer;

    (void)local_kit_open(&scene);
    kit_set_policy(red(), NULL); /* nothing is allowed */
    local_send_query(&scene, "404^^^&2.999.2.1&ISO", NULL, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.errors.n, 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(red(), 0)->reason, "POLICY_DENIED"));
    kit_restore_policy(red());
    scene_forget(&scene);
    kit_set_policy(red(), rules);
    local_send_query(&scene, "404^^^&2.999.2.1&ISO", NULL, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    scene_deliver_all(&scene, NULL);
    read_query(arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL(answer.errors.n, 2);
    kit_restore_policy(red());
    arena_free(arena);
    local_kit_close(&scene);
}

/* ---- ITI-55 ---- */

static void
test_each_community_that_knows_the_patient_is_one_match(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct xcpd_answer answer;
    bool has_green = false, has_blue = false, has_red = false;

    (void)local_kit_open(&scene);
    local_send_discovery(&scene, SPAN("2.999.1"), &reply); /* to us: for everybody */
    CU_ASSERT_EQUAL(scene.questions_n, 2);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_FATAL(reply.is_here);
    local_read_discovery(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.result, XCPD_MATCH);
    CU_ASSERT_EQUAL(answer.matches.n, 3);
    for (size_t i = 0; i < answer.matches.n; i++) {
        has_red = has_red || span_eq_cstr(answer.matches.items[i].home, "2.999.1");
        has_green = has_green || span_eq_cstr(answer.matches.items[i].home, "2.999.2");
        has_blue = has_blue || span_eq_cstr(answer.matches.items[i].home, "2.999.3");
    }
    CU_ASSERT(has_red && has_green && has_blue);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->type, AUDIT_ITI_55);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->side, AUDIT_RESPONDING);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->patients_n, 3);
    scene_forget(&scene);
    local_send_discovery(&scene, SPAN("2.999.3"), &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    scene_fail(&scene, 0, ERR_PARTNER_TIMEOUT);
    local_read_discovery(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.result, XCPD_ERROR);
    scene_forget(&scene);
    local_send_discovery(&scene, SPAN("2.999.404"), &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT_EQUAL(reply.cause, ERR_UNKNOWN_COMMUNITY);
    local_read_discovery(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.result, XCPD_ERROR);
    arena_free(arena);
    local_kit_close(&scene);
}

/* ---- ITI-39 ---- */

static struct document_ref
ref_to(const struct place *place, const char *home, const struct scene_stored *stored)
{
    return (struct document_ref){span_of_cstr(home), span_of_cstr(place->config->repository),
                                 span_of_cstr(stored->unique_id)};
}

static void
test_documents_come_from_where_they_are(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct retrieve_answer answer;
    struct document_ref refs[6];
    struct scene_stored of_green, of_red;
    struct diag diag = {0};
    char text[200];
    size_t n = 0;

    (void)local_kit_open(&scene);
    of_green = kit_add(green(), "Isabella", "N", "<ClinicalDocument>third</ClinicalDocument>");
    of_red = kit_add(red(), "Isabella", "N", "<ClinicalDocument>own</ClinicalDocument>");
    refs[0] = ref_to(green(), GREEN, &of_green);
    refs[1] = ref_to(green(), "urn:oid:2.999.404", &of_green); /* nobody's */
    refs[2] = ref_to(red(), RED, &of_red);
    refs[3] = refs[0]; /* twice */
    refs[4] = refs[0];
    refs[4].unique_id = SPAN("2.999.404.1"); /* not there */
    refs[5] = refs[0];
    refs[5].home = SPAN_EMPTY;
    local_send_retrieve(&scene, refs, 6, &reply);
    CU_ASSERT_EQUAL(scene.questions_n, 1);
    scene_deliver_all(&scene, NULL);
    CU_ASSERT_FATAL(reply.is_here);
    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_PARTIAL_SUCCESS);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 2);
    CHECK_SPAN(answer.documents.items[0].ref.home, GREEN); /* in the order of the request */
    CHECK_SPAN(answer.documents.items[1].ref.home, RED);
    CHECK_OK(&diag, body_read(&answer.documents.items[1].body, 0, text, sizeof(text), &diag, &n));
    CHECK_SPAN(span_of(text, n), "<ClinicalDocument>own</ClinicalDocument>");
    CU_ASSERT_EQUAL(answer.errors.n, 3);
    const struct registry_error *unknown = local_error_of(&answer.errors, "urn:oid:2.999.404");
    CU_ASSERT_PTR_NOT_NULL_FATAL(unknown);
    CHECK_SPAN(unknown->code, "XDSUnknownCommunity");
    const struct registry_error *missing = local_error_of(&answer.errors, GREEN " 2.999.404.1");
    CU_ASSERT_PTR_NOT_NULL_FATAL(missing);
    CHECK_SPAN(missing->code, "XDSDocumentUniqueIdError");
    const struct registry_error *homeless = local_error_of(&answer.errors, of_green.unique_id);
    CU_ASSERT_PTR_NOT_NULL_FATAL(homeless);
    CHECK_SPAN(homeless->code, "XDSMissingHomeCommunityId");
    /* one record a patient: ours is known, green's document is of nobody that we know */
    CU_ASSERT_EQUAL(scene_event(red(), 2)->documents_n, 1);
    CU_ASSERT_EQUAL(scene_event(red(), 2)->patients_n, 0);
    CU_ASSERT_EQUAL(scene_event(red(), 1)->documents_n, 1);
    CU_ASSERT_STRING_EQUAL(scene_event(red(), 1)->patient, of_red.patient_id);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->documents_n, 3);
    CU_ASSERT_EQUAL(scene_event(red(), 0)->outcome, AUDIT_SERIOUS);
    retrieve_answer_done(&answer);
    arena_free(arena);
    local_kit_close(&scene);
}

static void
test_a_retrieve_that_reaches_nobody_is_a_failure(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct document_ref ref = {SPAN_EMPTY, SPAN("2.999.2.2"), SPAN("2.999.2.3")};
    struct retrieve_answer answer;

    (void)local_kit_open(&scene);
    local_send_retrieve(&scene, &ref, 1, &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_MISSING_COMMUNITY);
    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    ref.home = SPAN("urn:oid:2.999.404");
    local_send_retrieve(&scene, &ref, 1, &reply);
    CU_ASSERT_EQUAL(reply.cause, ERR_UNKNOWN_COMMUNITY);
    ref.home = SPAN(GREEN);
    local_send_retrieve(&scene, &ref, 1, &reply);
    scene_fail(&scene, 0, ERR_PARTNER_UNREACHABLE);
    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.documents.n, 0);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSUnavailableCommunity");
    arena_free(arena);
    local_kit_close(&scene);
}

static const struct unit_test tests[] = {
    {"nobody who is unknown is served", test_nobody_who_is_unknown_is_served},
    {"a certificate says which system asks", test_a_certificate_says_which_system_asks},
    {"a Security header is not passed over in silence",
     test_a_security_header_is_not_passed_over_in_silence},
    /* REQ: WS-action-agrees */
    {"action and path must agree", test_action_and_path_must_agree},
    /* REQ: ITI40-sent */
    {"our assertion speaks of the system's user", test_our_assertion_speaks_of_the_system_s_user},
    /* REQ: ITI18-local */
    {"a query reaches everybody and comes back as one",
     test_a_query_reaches_everybody_and_comes_back_as_one},
    {"home addresses one community", test_home_addresses_one_community},
    /* REQ: ITI38-target-communities */
    {"a list of targets is for us", test_a_list_of_targets_is_for_us},
    /* REQ: ITI38-home-required */
    {"documents by id need a home and may be references",
     test_documents_by_id_need_a_home_and_may_be_references},
    /* REQ: MERGE-partial-success */
    {"a partner that fails is one error beside the others",
     test_a_partner_that_fails_is_one_error_beside_the_others},
    /* REQ: MERGE-all-failed */
    {"when all fail there is no result", test_when_all_fail_there_is_no_result},
    {"our own policy decides whom we ask", test_our_own_policy_decides_whom_we_ask},
    {"each community that knows the patient is one match",
     test_each_community_that_knows_the_patient_is_one_match},
    /* REQ: ITI39-retrieve, ITI39-several, ITI43-local, ITI43-routing */
    {"documents come from where they are", test_documents_come_from_where_they_are},
    {"a retrieve that reaches nobody is a failure",
     test_a_retrieve_that_reaches_nobody_is_a_failure},
};
UNIT_MAIN("scenario-local", tests)
