/*
 * What a request claims is held against the record of the partner whose TLS certificate brought it:
 * issuer, key, community, organization, in whose name, and for whom it is.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "scene_kit.h"
#include "txn/binding.h"

static struct scene scene; /* large; one at a time */

static struct place *
green(void)
{
    return scene_place(&scene, "green");
}

/* ---- requests: the assertion against the record ---- */

static void
check_assertion(const struct partner *partner, const struct saml_facts *facts, enum err want)
{
    struct diag diag = {0};

    CHECK_ERR(&diag, want, binding_check_assertion(green()->config, partner, facts, &diag));
}

/* wsa:To is our base and the path that the message came by, and nothing else. */
static void
test_a_message_is_for_its_path(void)
{
    static const struct {
        const char *path, *to; /* behind our base */
        enum err want;
    } rows[] = {
        {"/xca/query", "/xca/query", ERR_NONE},
        {"/xcpd", "/xcpd", ERR_NONE},
        {"/xca/query", "/xcpd", ERR_WSA_HEADER},
        {"/xca/query", "/xca/quest", ERR_WSA_HEADER}, /* as long as the right one */
        {"/xca/query", "/xca/query/", ERR_WSA_HEADER},
        {"/xca/query", "/x/xca/query", ERR_WSA_HEADER},
        {"/xca/query", "", ERR_WSA_HEADER},
    };
    char base[256];
    char to[512];

    kit_open_three(&scene);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        snprintf(to, sizeof(to), "%s%s", green()->config->base_url, rows[i].to);
        if (!CHECK_ERR(&diag, rows[i].want,
                       binding_check_to(green()->config, span_of_cstr(to),
                                        span_of_cstr(rows[i].path), &diag))) {
            printf("    %s at %s\n", to, rows[i].path);
        }
    }
    struct diag diag = {0};
    snprintf(base, sizeof(base), "%s", green()->config->base_url);
    base[strlen(base) - 1] ^= 1; /* another host of the same length */
    snprintf(to, sizeof(to), "%s/xcpd", base);
    CHECK_ERR(&diag, ERR_WSA_HEADER,
              binding_check_to(green()->config, span_of_cstr(to), SPAN("/xcpd"), &diag));
    diag_clear(&diag);
    CHECK_OK(&diag, binding_check_to(green()->config, SPAN_EMPTY, SPAN("/xcpd"), &diag));
    scene_close(&scene);
}

/* Two keys and what each may sign for; the communities; in whose name. */
static void
test_an_assertion_agrees_with_the_record(void)
{
    static const char *const both[] = {"issuer of all"};
    static const char *const own[] = {"issuer of the second"};
    static const char *const delegators[] = {"Organization/2.999.7", "Organization/2.999.8"};
    struct config_strings issuers[2] = {{NULL, 0}, {own, 1}};
    struct certificate *keys[2];
    struct partner partner;
    struct saml_facts facts;

    kit_open_three(&scene);
    partner = *config_partner_of_community(green()->config, SPAN("2.999.1"));
    keys[0] = partner.signing[0];
    keys[1] = config_partner_of_community(green()->config, SPAN("2.999.3"))->signing[0];
    partner.signing = keys;
    partner.signing_n = 2;
    facts = (struct saml_facts){.key = keys[0],
                                .issuer = span_of_cstr(keys[0]->subject),
                                .home_community = SPAN("2.999.1")};
    check_assertion(&partner, &facts, ERR_NONE);
    facts.issuer = span_of_cstr(keys[1]->subject); /* registered, but it did not sign */
    check_assertion(&partner, &facts, ERR_SAML_ISSUER);
    facts.key = keys[1];
    check_assertion(&partner, &facts, ERR_NONE);
    partner.key_issuers = issuers;
    check_assertion(&partner, &facts, ERR_SAML_ISSUER); /* its own list counts now */
    facts.issuer = SPAN("issuer of the second");
    check_assertion(&partner, &facts, ERR_NONE);
    facts.key = keys[0];
    check_assertion(&partner, &facts, ERR_SAML_ISSUER);
    partner.issuers = (struct config_strings){both, 1};
    facts.issuer = SPAN("issuer of all");
    check_assertion(&partner, &facts, ERR_NONE);
    facts.key = keys[1];
    check_assertion(&partner, &facts, ERR_SAML_ISSUER);
    facts.key = keys[0];

    facts.home_community = SPAN("2.999.3"); /* blue's */
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    facts.home_community = SPAN("2.999.10"); /* begins with one of its own */
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    facts.home_community = SPAN("2.999.1");

    facts.delegator = SPAN("Organization/2.999.8");
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    partner.delegators = (struct config_strings){delegators, 2};
    check_assertion(&partner, &facts, ERR_NONE);
    facts.delegator = SPAN("Organization/2.999.80");
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    facts.delegator = SPAN("organization/2.999.8");
    check_assertion(&partner, &facts, ERR_PEER_BINDING);
    scene_close(&scene);
}

/* An organization-id that is somebody's community must be one of the partner's own. */
static void
test_an_organization_id_is_nobody_elses_community(void)
{
    static const struct {
        const char *id;
        enum err want;
    } rows[] = {
        {"urn:oid:2.999.3", ERR_PEER_BINDING}, /* blue's */
        {"2.999.3", ERR_PEER_BINDING},
        {"URN:OID:2.999.3", ERR_PEER_BINDING},
        {"urn:oid:2.999.2", ERR_PEER_BINDING}, /* green's, who is asked */
        {"urn:oid:2.999.1", ERR_NONE},
        {"2.999.1", ERR_NONE},
        {"urn:oid:2.999.1.5", ERR_NONE}, /* of its directory */
        {"urn:oid:2.999.30", ERR_NONE},  /* begins like blue's */
        {"https://organization.example/3", ERR_NONE},
        {"", ERR_NONE}, /* where it may be left out */
    };
    const struct partner *partner;
    struct saml_facts facts;

    kit_open_three(&scene);
    partner = config_partner_of_community(green()->config, SPAN("2.999.1"));
    facts = (struct saml_facts){.key = partner->signing[0],
                                .issuer = span_of_cstr(partner->signing[0]->subject),
                                .home_community = SPAN("2.999.1")};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        facts.organization_id = span_of_cstr(rows[i].id);
        check_assertion(partner, &facts, rows[i].want);
    }
    scene_close(&scene);
}

static const char delegates[] = "rules:\n"
                                "  - name: delegates\n"
                                "    effect: permit\n"
                                "    reason: red asks for its clients\n"
                                "    partners: any\n"
                                "    purposes: any\n"
                                "    delegators: [Organization/2.999.7]\n";

/* A retrieve of a document that green does not have. */
static struct span
unknown_document(struct arena *arena)
{
    struct document_ref ref = {SPAN(GREEN), SPAN("2.999.2.2"), SPAN("2.999.404")};
    const struct document_ref_list refs = {&ref, 1, 1};
    struct diag diag = {0};
    struct span payload;
    struct buf out;

    buf_init(&out, (size_t)64 * 1024);
    CHECK_OK(&diag, retrieve_query_write(&refs, arena, &out, &diag));
    CHECK_OK(&diag, arena_dup(arena, buf_span(&out), &diag, &payload));
    buf_done(&out);
    return payload;
}

/* The same with a message: signed for Organization/2.999.7, which red's record must list. */
static void
test_a_delegated_request_needs_the_record(void)
{
    static const char *const delegators[] = {"Organization/2.999.7"};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct kit_request request = {.transaction = SOAP_ITI_39,
                                  .delegator = SPAN("Organization/2.999.7")};
    static struct scene_reply reply;

    kit_open_three(&scene);
    request.payload = unknown_document(arena);
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "PEER_BINDING"));
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_AUTHENTICATION_FAILURE);
    ((struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1")))->delegators =
        (struct config_strings){delegators, 1};
    kit_send(&scene, &request, &reply); /* the rules let red ask, but not for others */
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NULL(strstr(reply.text, "XDSDocumentUniqueIdError"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "POLICY_DENIED"));
    CU_ASSERT_STRING_EQUAL(scene_event(green(), 0)->delegator, "Organization/2.999.7");
    kit_set_policy(green(), delegates);
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200); /* and says that it has no such document */
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "XDSDocumentUniqueIdError"));
    CU_ASSERT_STRING_EQUAL(scene_event(green(), 0)->delegator, "Organization/2.999.7");
    kit_restore_policy(green());
    arena_free(arena);
    scene_close(&scene);
}

/* All its signing certificates were withheld: nothing that it signs is believed. */
static void
test_a_partner_without_a_certificate_proves_nothing(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    static struct scene_reply reply;
    struct kit_request request = {.transaction = SOAP_ITI_39};
    struct partner *record;

    kit_open_three(&scene);
    record = (struct partner *)config_partner_of_community(green()->config, SPAN("2.999.1"));
    request.payload = unknown_document(arena);
    record->signing_n = 0;
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_EQUAL(scene_event(green(), 0)->type, AUDIT_AUTHENTICATION_FAILURE);
    CU_ASSERT_PTR_NOT_NULL(strstr(scene_event(green(), 0)->reason, "SIG_NO_TRUST"));
    record->signing_n = 1;
    kit_send(&scene, &request, &reply);
    CU_ASSERT_EQUAL(reply.http_status, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "XDSDocumentUniqueIdError"));
    arena_free(arena);
    scene_close(&scene);
}

/* A discovery that says whom it is for must be for us. */
static void
test_a_discovery_for_another_community_is_refused(void)
{
    static const struct {
        const char *receiver;
        bool is_refused;
    } rows[] = {{"2.999.3", true},
                {"2.999.404", true},
                {"2.999.20", true},
                {"2.999.2", false},
                {"", false}};

    kit_open_three(&scene);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct asking_order who = scene_order(ASKING_DISCOVER, ISABELLA);
        const struct xcpd_query query = {
            .id = {.root = SPAN("2.999.1.99")},
            .query_id = {.root = SPAN("2.999.1.98"), .extension = SPAN("1")},
            .sender_home = SPAN("2.999.1"),
            .receiver_home = span_of_cstr(rows[i].receiver),
            .creation_us = clock_wall_us(&scene.clock.clock),
            .subject = who.who,
        };
        struct kit_request request = {.transaction = SOAP_ITI_55};
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        static struct scene_reply reply;
        struct diag diag = {0};
        struct span query_xml;
        struct buf payload;

        buf_init(&payload, (size_t)64 * 1024);
        CHECK_OK(&diag, xcpd_query_write(&query, arena, &payload, &diag, &query_xml));
        request.payload = buf_span(&payload);
        kit_send(&scene, &request, &reply);
        CU_ASSERT_EQUAL(reply.http_status, 200);
        CU_ASSERT_EQUAL(strstr(reply.text, "AnswerNotAvailable") != NULL, rows[i].is_refused);
        CU_ASSERT_EQUAL(strstr(reply.text, "RegistrationEvent") != NULL ||
                            strstr(reply.text, "registrationEvent") != NULL,
                        !rows[i].is_refused);
        CU_ASSERT_EQUAL(strstr(scene_event(green(), 0)->reason, "UNKNOWN_COMMUNITY") != NULL,
                        rows[i].is_refused);
        buf_done(&payload);
        arena_free(arena);
    }
    scene_close(&scene);
}

static const struct unit_test tests[] = {
    {"a message is for its path", test_a_message_is_for_its_path},
    {"an assertion agrees with the record", test_an_assertion_agrees_with_the_record},
    {"an organization-id is nobody else's community",
     test_an_organization_id_is_nobody_elses_community},
    {"a delegated request needs the record", test_a_delegated_request_needs_the_record},
    {"a partner without a certificate proves nothing",
     test_a_partner_without_a_certificate_proves_nothing},
    {"a discovery for another community is refused",
     test_a_discovery_for_another_community_is_refused},
};
UNIT_MAIN("scenario-record", tests)
