/*
 * Requests for individual access (T-IAS) to green: which id_tokens are refused by which name, what
 * is answered when token and query differ, and what the record says.
 */
#include <stdlib.h>
#include <string.h>

#include "scene_kit.h"
#include "soap/xcpd.h"
#include "tests/unit/idtoken_kit.h"
#include "txn/individual.h"

static struct scene scene; /* large; one at a time */
static struct jwks_issuer issuer;

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* Green believes https://idp.example and answers T-IAS. */
static void
open_green(void)
{
    struct config *config;
    struct diag diag = {0};
    struct jwks *keys = NULL;

    kit_open_three(&scene);
    kit_set_policy(green(), "rules:\n"
                            "  - name: individual\n"
                            "    effect: permit\n"
                            "    reason: individual access\n"
                            "    direction: inbound\n"
                            "    transactions: [ITI-55, ITI-38, ITI-39]\n"
                            "    partners: any\n"
                            "    purposes: [T-IAS, T-TREAT]\n");
    config = (struct config *)green()->config;
    CHECK_OK(&diag, jwks_read(jwt_set(jwt_jwk(JWT_RSA, "r", "", token_arena),
                                      jwt_jwk(JWT_EC, "e", "", token_arena), token_arena),
                              &diag, &keys));
    issuer = (struct jwks_issuer){"https://idp.example", keys};
    config->id_token_issuers = &issuer;
    config->id_token_issuers_n = 1;
}

static void
close_green(void)
{
    jwks_free((struct jwks *)issuer.keys);
    kit_restore_policy(green());
    scene_close(&scene);
}

static const char *
payload_now(const char *path, const char *value)
{
    return token_for_red(clock_wall_us(&scene.clock.clock), path, value);
}

static struct span
good_token(void)
{
    return jwt_make(TOKEN_HEADER, payload_now("", NULL), JWT_RSA, token_arena);
}

/* An ITI-55 question of red for Isabella, or for whom the arguments say. */
static void
ask(const char *purpose, struct span token, const char *family, const char *given,
    const char *birth_date, const char *sex, struct scene_reply *reply)
{
    const struct asking_order who = scene_order(ASKING_DISCOVER, family, given, birth_date, sex);
    const struct xcpd_query query = {
        .id = {.root = SPAN("2.999.1.99")},
        .query_id = {.root = SPAN("2.999.1.98"), .extension = SPAN("1")},
        .sender_home = SPAN("2.999.1"),
        .receiver_home = SPAN("2.999.2"),
        .creation_us = clock_wall_us(&scene.clock.clock),
        .subject = who.who,
    };
    struct kit_request request = {
        .transaction = SOAP_ITI_55, .purpose = purpose, .id_token = token};
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct buf payload;
    struct span query_xml;

    buf_init(&payload, (size_t)1024 * 1024);
    CHECK_OK(&diag, xcpd_query_write(&query, arena, &payload, &diag, &query_xml));
    request.payload = buf_span(&payload);
    kit_send(&scene, &request, reply);
    buf_done(&payload);
    arena_free(arena);
}

static struct scene_reply reply; /* large */

/* Refused like every lack of proof: one text for all, an authentication failure in the record. */
static void
check_refused(const char *what, struct span token, const char *want)
{
    const struct scene_event *event;

    ask("T-IAS", token, ISABELLA, &reply);
    event = scene_event(green(), 0);
    CU_ASSERT_FATAL(event != NULL);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, ERR_SECURITY_TEXT));
    CU_ASSERT_PTR_NULL(strstr(reply.text, "id_token"));
    CU_ASSERT_PTR_NULL(strstr(reply.text, "Isabella"));
    CU_ASSERT_EQUAL(event->type, AUDIT_AUTHENTICATION_FAILURE);
    if (strstr(event->reason, want) == NULL) {
        printf("\n      %s: wanted %s, got %s\n", what, want, event->reason);
        CU_FAIL("another reason");
    }
}

static void
check_found(const char *purpose, struct span token)
{
    ask(purpose, token, ISABELLA, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "registrationEvent"));
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_ITI_55);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->outcome, AUDIT_SUCCESS);
}

static void
test_tokens_refused(void)
{
    static const char none[] = "{\"alg\":\"none\"}";
    static const char hmac[] = "{\"alg\":\"HS256\",\"kid\":\"r\"}";
    static const char unknown[] = "{\"alg\":\"RS256\",\"kid\":\"unknown\"}";
    static const char fetched[] =
        "{\"alg\":\"RS256\",\"kid\":\"r\",\"jku\":\"https://evil.example/keys\"}";
    struct span good;

    open_green();
    good = good_token();
    check_refused("no token", SPAN_EMPTY, "IDTOKEN_MISSING");
    check_refused("no JWS", SPAN("individual"), "JWS_STRUCTURE");
    check_refused("alg none", jwt_join(none, payload_now("", NULL), SPAN_EMPTY, token_arena),
                  "JWS_ALGORITHM");
    check_refused(
        "HS256 with the public key",
        jwt_make_hmac(hmac, payload_now("", NULL), jwt_pem(JWT_RSA, token_arena), token_arena),
        "JWS_ALGORITHM");
    check_refused("kid unknown", jwt_make(unknown, payload_now("", NULL), JWT_RSA, token_arena),
                  "JWS_KEY");
    check_refused("jku", jwt_make(fetched, payload_now("", NULL), JWT_RSA, token_arena), "JWS_KEY");
    check_refused("another key",
                  jwt_make(TOKEN_HEADER, payload_now("", NULL), JWT_RSA_OTHER, token_arena),
                  "JWS_INVALID");
    check_refused("without its last character", span_slice(good, 0, good.n - 2), "JWS_");
    check_refused(
        "another audience",
        jwt_make(TOKEN_HEADER, payload_now("aud", "\"urn:oid:2.999.3\""), JWT_RSA, token_arena),
        "IDTOKEN_AUDIENCE");
    check_refused(
        "ours as the audience",
        jwt_make(TOKEN_HEADER, payload_now("aud", "\"urn:oid:2.999.2\""), JWT_RSA, token_arena),
        "IDTOKEN_AUDIENCE");
    check_refused("another issuer",
                  jwt_make(TOKEN_HEADER, payload_now("iss", "\"https://evil.example\""), JWT_RSA,
                           token_arena),
                  "IDTOKEN_ISSUER");
    check_refused(
        "no full birth date",
        jwt_make(TOKEN_HEADER, payload_now("birthdate", "\"1947\""), JWT_RSA, token_arena),
        "IDTOKEN_CLAIM");
    check_refused("of the future past", jwt_make(TOKEN_HEADER, token_good, JWT_RSA, token_arena),
                  "IDTOKEN_AUDIENCE");
    check_found("T-IAS", good);
    fake_clock_advance(&scene.clock, 361 * US_PER_S); /* its exp and the skew */
    check_refused("expired", good, "IDTOKEN_TIME");
    check_found("T-IAS", good_token());
    close_green();
}

static void
test_tokens_accepted(void)
{
    open_green();
    check_found("T-IAS", good_token());
    check_found("T-IAS", jwt_make("{\"alg\":\"ES256\",\"kid\":\"e\"}", payload_now("", NULL),
                                  JWT_EC, token_arena));
    check_found("T-TREAT", SPAN_EMPTY); /* another purpose needs none, */
    check_found("T-TREAT", SPAN("x"));  /* and does not look at one */
    ask("T-IAS-X", SPAN_EMPTY, ISABELLA, &reply);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "IDTOKEN_MISSING"));
    close_green();
}

/* A proven individual asks for somebody else: an answer of the protocol, without a match. */
/* A code of another list is not TEFCA's, however it is spelled. */
static void
test_whose_purpose(void)
{
    static const struct {
        const char *system, *code;
        bool is_individual;
    } rows[] = {
        {POLICY_PURPOSE_SYSTEM_TEFCA, "T-IAS", true},
        {POLICY_PURPOSE_SYSTEM_TEFCA, "T-IAS-X", true},
        {POLICY_PURPOSE_SYSTEM_TEFCA, "T-IASX", false},
        {POLICY_PURPOSE_SYSTEM_TEFCA, "T-TREAT", false},
        {"2.16.840.1.113883.3.18.7.1", "T-IAS", false},
        {"", "T-IAS", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct saml_facts facts = {.purpose = {.value = span_of_cstr(rows[i].code),
                                                     .scheme = span_of_cstr(rows[i].system)}};
        CU_ASSERT_EQUAL(individual_is_asking(&facts), rows[i].is_individual);
    }
}

static void
test_contradictions(void)
{
    static const struct {
        const char *family, *given, *birth_date, *sex;
        const char *why;
    } rows[] = {
        {"Jones", "Myra", "19470501", "F", "the given name"},
        {"Smith", "Isabella", "19470501", "F", "the family name"},
        {"Jones", "Isabella", "19470502", "F", "the birth date"},
        {"Jones", "Isabella", "19470501", "M", "the sex"},
    };

    open_green();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct scene_event *event;

        ask("T-IAS", good_token(), rows[i].family, rows[i].given, rows[i].birth_date, rows[i].sex,
            &reply);
        event = scene_event(green(), 0);
        CU_ASSERT_EQUAL(reply.http_status, 200);
        CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "AnswerNotAvailable"));
        CU_ASSERT_PTR_NULL(strstr(reply.text, "registrationEvent"));
        CU_ASSERT_EQUAL(event->type, AUDIT_ITI_55);
        CU_ASSERT_NOT_EQUAL(event->outcome, AUDIT_SUCCESS);
        CU_ASSERT_EQUAL(event->patients_n, 0);
        CU_ASSERT(event->query_n > 0);
        CU_ASSERT_PTR_NOT_NULL(strstr(event->reason, "IDTOKEN_CONTRADICTION"));
        CU_ASSERT_PTR_NOT_NULL(strstr(event->reason, rows[i].why));
        CU_ASSERT_PTR_NULL(strstr(event->reason, "Jones"));
    }
    check_found("T-IAS", good_token());
    close_green();
}

/* security.id_tokens_required: false lets a request come without, never with a wrong one. */
static void
test_not_required(void)
{
    open_green();
    ((struct config *)green()->config)->needs_id_token = false;
    check_found("T-IAS", SPAN_EMPTY);
    check_refused("wrong", SPAN("x"), "JWS_STRUCTURE");
    check_found("T-IAS", good_token());
    ((struct config *)green()->config)->id_token_issuers_n = 0;
    check_refused("nobody is believed", good_token(), "IDTOKEN_ISSUER");
    close_green();
}

/* The other transactions need a token, too. */
static void
test_query_and_retrieve(void)
{
    const struct kit_request requests[] = {
        {.transaction = SOAP_ITI_38,
         .purpose = "T-IAS",
         .payload =
             SPAN("<AdhocQueryRequest xmlns=\"urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0\"/>")},
        {.transaction = SOAP_ITI_39,
         .purpose = "T-IAS",
         .payload = SPAN("<RetrieveDocumentSetRequest xmlns=\"urn:ihe:iti:xds-b:2007\"/>")},
    };

    open_green();
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct kit_request with = requests[i];

        kit_send(&scene, &requests[i], &reply);
        CU_ASSERT_EQUAL(reply.http_status, 500);
        if (strstr(scene_event(green(), 0)->reason, "IDTOKEN_MISSING") == NULL) {
            printf("\n      got %s\n", scene_event(green(), 0)->reason);
            CU_FAIL("another reason");
        }
        with.id_token = good_token();
        kit_send(&scene, &with, &reply);
        CU_ASSERT_PTR_NULL(strstr(scene_event(green(), 0)->reason, "IDTOKEN"));
    }
    close_green();
}

/* ---- one record, and no other ---- */

#define GET_BY_ID "$XDSDocumentEntryUniqueId"

/* Red asks green with that token for the documents of a patient, or for one document. */
static struct query_answer
query(const char *id, const char *param, const char *value, struct span token, struct arena *arena)
{
    struct stored_query asked = {
        .id = span_of_cstr(id), .home = SPAN(GREEN), .wants_leaf_class = true};
    struct query_param first = {.name = span_of_cstr(param), .is_multiple = true};
    struct query_param status = {.name = SPAN("$XDSDocumentEntryStatus"), .is_multiple = true};
    struct query_answer answer;
    struct diag diag = {0};

    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &first.values, span_of_cstr(value)));
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &status.values,
                               SPAN("urn:oasis:names:tc:ebxml-regrep:StatusType:Approved")));
    CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &asked.params, first));
    if (strcmp(id, XCA_FIND_DOCUMENTS) == 0) {
        CHECK_OK(&diag, ARENA_PUSH(arena, &diag, &asked.params, status));
    }
    kit_set_purpose("T-IAS", token);
    kit_send_query(&scene, &asked, &reply);
    kit_set_purpose(NULL, SPAN_EMPTY);
    kit_read_query_answer(&reply, arena, &answer);
    return answer;
}

static struct span
token_of(const char *given_name)
{
    return jwt_make(TOKEN_HEADER, payload_now("given_name", given_name), JWT_RSA, token_arena);
}

static void
test_only_the_own_record_is_found(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct scene_stored own, other;
    struct query_answer answer;

    open_green();
    own = kit_add(green(), "Isabella", "N", "<ClinicalDocument>i</ClinicalDocument>");
    other = kit_add(green(), "Myra", "N", "<ClinicalDocument>m</ClinicalDocument>");
    answer = query(XCA_FIND_DOCUMENTS, "$XDSDocumentEntryPatientId", own.patient_id, good_token(),
                   arena);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 3);
    answer = query(XCA_FIND_DOCUMENTS, "$XDSDocumentEntryPatientId", other.patient_id, good_token(),
                   arena);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "IDTOKEN_CONTRADICTION"));
    answer = query(XCA_GET_DOCUMENTS, GET_BY_ID, own.unique_id, good_token(), arena);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 1);
    answer = query(XCA_GET_DOCUMENTS, GET_BY_ID, other.unique_id, good_token(), arena);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->patients_n, 0);
    /* Myra's own token opens hers; somebody's whom green does not know opens nobody's */
    answer = query(XCA_GET_DOCUMENTS, GET_BY_ID, other.unique_id, token_of("\"Myra\""), arena);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 1);
    answer = query(XCA_GET_DOCUMENTS, GET_BY_ID, own.unique_id, token_of("\"Nobody\""), arena);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    answer = query(XCA_FIND_DOCUMENTS, "$XDSDocumentEntryPatientId", own.patient_id,
                   token_of("\"Nobody\""), arena);
    CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
    CU_ASSERT_EQUAL(answer.objects.documents.n, 0);
    arena_free(arena);
    close_green();
}

static void
test_only_own_documents_are_given(void)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct scene_stored stored[2];
    struct document_ref refs[2];
    struct retrieve_answer answer;

    open_green();
    stored[0] = kit_add(green(), "Isabella", "N", "<ClinicalDocument>i</ClinicalDocument>");
    stored[1] = kit_add(green(), "Myra", "N", "<ClinicalDocument>m</ClinicalDocument>");
    for (size_t i = 0; i < 2; i++) {
        refs[i] = (struct document_ref){SPAN(GREEN), span_of_cstr(green()->config->repository),
                                        span_of_cstr(stored[i].unique_id)};
    }
    kit_set_purpose("T-IAS", good_token());
    kit_slow_store(green()); /* every question to the store is answered later */
    kit_send_retrieve(&scene, &(struct document_ref_list){refs, 2, 2}, &reply);
    kit_wake_store_all(green());
    kit_set_purpose(NULL, SPAN_EMPTY);
    kit_read_retrieve_answer(&reply, arena, &answer);
    CU_ASSERT_EQUAL_FATAL(answer.documents.n, 1);
    CHECK_SPAN(answer.documents.items[0].ref.unique_id, stored[0].unique_id);
    CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
    CHECK_SPAN(answer.errors.items[0].code, "XDSDocumentUniqueIdError");
    CU_ASSERT_PTR_NULL(strstr(reply.text, "<ClinicalDocument>m"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "individual"));
    retrieve_answer_done(&answer);
    arena_free(arena);
    close_green();
}

/* A whole question of a node: what red was given it puts into its assertions, and green, which
 * knows the issuer, answers; without the token it does not. */
static void
test_a_node_asks_with_a_token(void)
{
    static const char outbound[] = "rules:\n"
                                   "  - name: individual\n"
                                   "    effect: permit\n"
                                   "    reason: our individuals ask\n"
                                   "    direction: outbound\n"
                                   "    partners: [green]\n"
                                   "    purposes: [T-IAS]\n";
    struct span green_oid = SPAN("2.999.2");

    open_green();
    kit_set_policy(scene_place(&scene, "red"), outbound);
    for (int has_token = 0; has_token <= 1; has_token++) {
        struct asking_order order = scene_order(ASKING_GATHER, ISABELLA);
        struct asking *asking = NULL;

        order.purpose = "T-IAS";
        order.to = (struct span_list){&green_oid, 1, 1};
        order.id_token = has_token ? good_token() : SPAN_EMPTY;
        scene_ask(scene_place(&scene, "red"), &order, &asking);
        scene_deliver_all(&scene, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(asking);
        CU_ASSERT_EQUAL(kit_leg_of(asking, 0, "green")->matches.n, (size_t)has_token);
        CU_ASSERT_EQUAL(kit_documents_from(asking, "green"), has_token ? 2 : 0);
        asking_free(asking);
    }
    kit_restore_policy(scene_place(&scene, "red"));
    close_green();
}

static const struct unit_test tests[] = {
    {"whose purpose it is", test_whose_purpose},
    {"keys are made", token_begin},
    {"tokens that are refused", test_tokens_refused},
    {"the query contradicts the token", test_contradictions},
    {"tokens that are accepted", test_tokens_accepted},
    {"a token is not required", test_not_required},
    {"ITI-38 and ITI-39 need a token", test_query_and_retrieve},
    {"ITI-38 finds the own record only", test_only_the_own_record_is_found},
    {"ITI-39 gives own documents only", test_only_own_documents_are_given},
    {"a node asks with a token", test_a_node_asks_with_a_token},
};

int
main(void)
{
    const int rc = unit_main("scenario individual", tests, ARRAY_LEN(tests));

    token_end();
    return rc;
}
