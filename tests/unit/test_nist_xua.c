/*
 * The XUA variants of NIST's XDS Toolkit (12309_..., 12312_...): its messages to a Responding
 * Gateway with the nine named assertions of its token service that are not plainly right. Each is
 * red's own assertion, changed, and signed again by red unless the missing signature is the point.
 *
 * The toolkit's plans want a fault for a second role and a second AuthnStatement, too. SAML and ITI
 * TF-2 3.40 allow several of both and partners send them: all are checked, the first counts.
 */
#include <stdio.h>
#include <string.h>

#include "base/datetime.h"
#include "nist_kit.h"
#include "soap_kit.h"

#define ASSERTION  "Header/Security/Assertion"
#define STATEMENT  ASSERTION "/AttributeStatement"
#define SAML(name) "<s:" name " xmlns:s=\"urn:oasis:names:tc:SAML:2.0:assertion\""
#define HL7_CODE(name, code)                                                                       \
    "<" name " xmlns=\"urn:hl7-org:v3\" code=\"" code "\" codeSystem=\"2.16.840.1.113883.6.96\" "  \
    "displayName=\"x\"/>"
#define ATTRIBUTE(name, value)                                                                     \
    SAML("Attribute")                                                                              \
    " Name=\"" name "\"><s:AttributeValue>" value "</s:AttributeValue></s:Attribute>"

static struct scene scene; /* large; one at a time */
static struct scene_reply reply;
static struct arena *arena;
static struct scene_stored known;

/* The times of Conditions, in seconds from now; 0: they stay. */
struct variant {
    const char *suffix; /* of the test's number */
    struct kit_edit edit;
    int64_t begin_s, end_s;
    bool is_left_unsigned;
    enum err want;
};

static const struct variant variants[] = {
    {"expired", {0}, -1200, -600, false, ERR_SAML_CONDITIONS},
    {"notyetvalid", {0}, 600, 1200, false, ERR_SAML_CONDITIONS},
    {"unsigned", {KIT_REMOVE, ASSERTION "/Signature", NULL, NULL}, 0, 0, true, ERR_SIG_MISSING},
    {"unknownaudience",
     {KIT_TEXT, ASSERTION "/Conditions/AudienceRestriction/Audience", NULL,
      "https://unknown.example/"},
     0,
     0,
     false,
     ERR_SAML_AUDIENCE},
    {"invalidauthnstatement",
     {KIT_TEXT, ASSERTION "/AuthnStatement/AuthnContext/AuthnContextClassRef", NULL,
      "urn:invalid:authncontext"},
     0,
     0,
     false,
     ERR_SAML_AUTHN},
    {"secondpurposeofuse",
     {KIT_APPEND, STATEMENT, NULL,
      ATTRIBUTE("urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
                HL7_CODE("PurposeOfUse", "T-PYMNT"))},
     0,
     0,
     false,
     ERR_SAML_ATTRIBUTE},
    {"secondrole",
     {KIT_APPEND, STATEMENT, NULL,
      ATTRIBUTE("urn:oasis:names:tc:xacml:2.0:subject:role", HL7_CODE("Role", "106289002"))},
     0,
     0,
     false,
     ERR_NONE},
    {"secondauthncontext",
     {KIT_APPEND, ASSERTION, NULL,
      SAML("AuthnStatement") " AuthnInstant=\"2020-01-15T07:00:00Z\"><s:AuthnContext>"
                             "<s:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:"
                             "Password</s:AuthnContextClassRef></s:AuthnContext>"
                             "</s:AuthnStatement>"},
     0,
     0,
     false,
     ERR_NONE},
    {"withauthzconsent",
     {KIT_APPEND, ASSERTION, NULL,
      SAML("AuthzDecisionStatement") " Decision=\"Permit\" Resource=\"https://green.example/\">"
                                     "<s:Action Namespace=\"urn:oasis:names:tc:SAML:1.0:action:"
                                     "rwedc\">Execute</s:Action></s:AuthzDecisionStatement>"},
     0,
     0,
     false,
     ERR_NONE},
};

static void
set_time(xmlDoc *doc, const char *attribute, int64_t from_now_s)
{
    char text[DATETIME_MAX];

    datetime_write_xs(clock_wall_us(&scene.clock.clock) + from_now_s * US_PER_S, text);
    kit_set(kit_at(doc, ASSERTION "/Conditions"), attribute, text);
}

static struct span
change(const void *arg, struct span envelope, struct arena *to)
{
    const struct variant *variant = arg;
    const struct kit_signing how = {.key = scene_place(&scene, "red")->config->signing->key,
                                    .digest = "SHA256"};
    xmlDoc *doc = kit_open(envelope);

    kit_apply(doc, &variant->edit);
    if (variant->end_s != 0) {
        set_time(doc, "NotBefore", variant->begin_s);
        set_time(doc, "NotOnOrAfter", variant->end_s);
    }
    if (!variant->is_left_unsigned) {
        kit_sign(kit_at(doc, ASSERTION "/Signature"), kit_at(doc, ASSERTION), &how);
    }
    return kit_close(doc, to);
}

static void
open_all(void)
{
    arena = arena_new(ARENA_LIMIT_DEFAULT);
    (void)local_kit_open(&scene);
    known = kit_add(scene_place(&scene, "green"), "Nist", "N",
                    "<ClinicalDocument>n</ClinicalDocument>");
}

static void
close_all(void)
{
    local_kit_close(&scene);
    arena_free(arena);
}

/* False without data. */
static bool
ask(enum soap_transaction transaction, const char *number, const char *section,
    const struct variant *variant)
{
    const struct nist_value values[] = {
        {"$home$", GREEN},
        {"$patient_id$", known.patient_id},
        {"$repositoryuid$", scene_place(&scene, "green")->config->repository},
        {"$docuid$", known.unique_id},
    };
    struct kit_request request = {.transaction = transaction, .edit = change, .edit_arg = variant};
    char file[200];

    (void)snprintf(file, sizeof(file), NIST_TESTS "%s_%s__%s__query.xml", number, variant->suffix,
                   section);
    if (!nist_payload(file, values, ARRAY_LEN(values), arena, &request.payload)) {
        return false;
    }
    kit_send(&scene, &request, &reply);
    CU_ASSERT_FATAL(reply.is_here);
    return true;
}

/* A fault that does not say why, and a record that does; or an answer. */
static void
check(const struct variant *variant)
{
    const struct scene_event *event = scene_event(scene_place(&scene, "green"), 0);

    if (variant->want == ERR_NONE) {
        CU_ASSERT_EQUAL(reply.http_status, 200);
        return;
    }
    if (reply.cause != variant->want) {
        printf("\n    %s: wanted %s, got %s: %s", variant->suffix, err_name(variant->want),
               err_name(reply.cause), event->reason);
        CU_FAIL("another refusal");
    }
    CU_ASSERT_EQUAL(reply.http_status, 500);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply.text, "Fault"));
    CU_ASSERT_PTR_NULL(strstr(reply.text, err_name(variant->want)));
    CU_ASSERT_EQUAL(event->type, AUDIT_AUTHENTICATION_FAILURE);
    CU_ASSERT_PTR_NOT_NULL(strstr(event->reason, err_name(variant->want)));
}

static void
test_queries(void)
{
    open_all();
    for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
        struct query_answer answer = {.status = REGISTRY_FAILURE};

        if (!ask(SOAP_ITI_38, "12309", "finddocs", &variants[i])) {
            break;
        }
        check(&variants[i]);
        if (variants[i].want == ERR_NONE) {
            kit_read_query_answer(&reply, arena, &answer);
            CU_ASSERT_EQUAL(answer.status, REGISTRY_SUCCESS);
            CU_ASSERT_EQUAL(answer.refs.n, 1);
        }
    }
    close_all();
}

/* The message is wrong, too (it has no home): who is not proven does not learn it. */
static void
test_retrieves(void)
{
    open_all();
    for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
        struct retrieve_answer answer;

        if (!ask(SOAP_ITI_39, "12312", "missing_home", &variants[i])) {
            break;
        }
        check(&variants[i]);
        if (variants[i].want == ERR_NONE) {
            kit_read_retrieve_answer(&reply, arena, &answer);
            CU_ASSERT_EQUAL(answer.status, REGISTRY_FAILURE);
            CU_ASSERT_EQUAL_FATAL(answer.errors.n, 1);
            CHECK_SPAN(answer.errors.items[0].code, "XDSMissingHomeCommunityId");
            retrieve_answer_done(&answer);
        } else {
            CU_ASSERT_PTR_NULL(strstr(reply.text, "XDSMissingHomeCommunityId"));
        }
    }
    close_all();
}

static const struct unit_test tests[] = {
    {"12309 with nine assertions", test_queries},
    {"12312 with nine assertions", test_retrieves},
};
UNIT_MAIN("NIST's toolkit: XUA", tests)
