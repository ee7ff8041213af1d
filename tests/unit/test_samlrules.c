/*
 * Assertions with something in them that no reader would look at, or one too few of what proves
 * them: signed again by the right key, so that only the rule under test can refuse them.
 */
#include <stdio.h>

#include "tests/unit/soap_expect.h"

#define ASSERTION      "Header/Security/Assertion"
#define SUBJECT        ASSERTION "/Subject"
#define CONFIRM        SUBJECT "/SubjectConfirmation"
#define DATA           CONFIRM "/SubjectConfirmationData"
#define STATEMENT      ASSERTION "/AttributeStatement"
#define CLASS          ASSERTION "/AuthnStatement/AuthnContext/AuthnContextClassRef"
#define SAML(name)     "<s:" name " xmlns:s=\"" NS_SAML2 "\""
#define BASIC          "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
#define ORGANIZATION   "urn:oasis:names:tc:xspa:1.0:subject:organization"
#define METHOD         "urn:oasis:names:tc:SAML:2.0:cm:"
#define DECLARED(text) SAML("AuthnContextDeclRef") ">" text "</s:AuthnContextDeclRef>"
#define PROVIDER(element)                                                                          \
    SAML("Attribute")                                                                              \
    " Name=\"urn:ihe:iti:xua:2017:subject:provider-identifier\">"                                  \
    "<s:AttributeValue><" element " xmlns=\"urn:hl7-org:v3\" root=\"2.999.7\" extension=\"1\"/>"   \
    "</s:AttributeValue></s:Attribute>"
#define PERMITTED(evidence)                                                                        \
    SAML("AuthzDecisionStatement")                                                                 \
    " Decision=\"Permit\" Resource=\"urn:x\"><s:Action "                                           \
    "Namespace=\"urn:a\">Execute</s:Action><s:Evidence>" evidence                                  \
    "</s:Evidence></s:AuthzDecisionStatement>"
#define EVIDENCE(name) "<s:" name " Version=\"2.0\"><s:Issuer>CN=x</s:Issuer></s:" name ">"

static const struct kit_attack rows[] = {
    {"something before the NameID",
     KIT_RESIGN,
     ERR_SAML_SUBJECT,
     {KIT_BEFORE, SUBJECT "/NameID", NULL, "<x/>"},
     {0}},
    {"something after the NameID",
     KIT_RESIGN,
     ERR_SAML_SUBJECT,
     {KIT_APPEND, SUBJECT, NULL, "<x/>"},
     {KIT_APPEND, SUBJECT, NULL, " \n"}},
    {"a second KeyInfo that cannot be read",
     KIT_RESIGN,
     ERR_SAML_CONFIRMATION,
     {KIT_APPEND, DATA, NULL, "<d:KeyInfo xmlns:d=\"" NS_DS "\"><d:KeyValue/></d:KeyInfo>"},
     {KIT_APPEND, DATA, NULL, "<d:KeyInfo xmlns:d=\"" NS_DS "\"><d:KeyName/></d:KeyInfo>"}},
    {"text between attributes",
     KIT_RESIGN,
     ERR_SAML_STRUCTURE,
     {KIT_APPEND, STATEMENT, NULL, "text"},
     {KIT_APPEND, STATEMENT, NULL, " \n"}},
    {"something beside an Audience",
     KIT_RESIGN,
     ERR_SAML_AUDIENCE,
     {KIT_APPEND, ASSERTION "/Conditions/AudienceRestriction", NULL, "<x>urn:x</x>"},
     {KIT_APPEND, ASSERTION "/Conditions/AudienceRestriction", NULL,
      SAML("Audience") ">urn:x</s:Audience>"}},
    {"a declaration without a scheme",
     KIT_RESIGN,
     ERR_SAML_AUTHN,
     {KIT_REPLACE, CLASS, NULL, DECLARED(":x")},
     {KIT_REPLACE, CLASS, NULL, DECLARED("x:y")}},
    {"a declaration that is a scheme only",
     KIT_RESIGN,
     ERR_SAML_AUTHN,
     {KIT_REPLACE, CLASS, NULL, DECLARED("urn:")},
     {0}},
    {"an identifier that is no <id>",
     KIT_RESIGN,
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL, PROVIDER("other")},
     {KIT_APPEND, STATEMENT, NULL, PROVIDER("id")}},
    {"text between pieces of evidence",
     KIT_RESIGN,
     ERR_SAML_AUTHZ,
     {KIT_APPEND, ASSERTION, NULL, PERMITTED(EVIDENCE("Assertion") "text")},
     {KIT_APPEND, ASSERTION, NULL, PERMITTED(EVIDENCE("Assertion") " \n")}},
    {"evidence of another kind",
     KIT_RESIGN,
     ERR_SAML_AUTHZ,
     {KIT_APPEND, ASSERTION, NULL, PERMITTED(EVIDENCE("Other"))},
     {0}},
};

static void
test_rules(void)
{
    kit_run(rows, ARRAY_LEN(rows));
}

/* A partner who may use bearer: a confirmation that names no key of his is refused all the same,
 * and so is a subject that nothing confirms. */
static void
test_confirmations(void)
{
    static const struct kit_edit no_key = {KIT_REPLACE, DATA "/KeyInfo", NULL,
                                           "<d:KeyInfo xmlns:d=\"" NS_DS
                                           "\"><d:KeyName>red</d:KeyName></d:KeyInfo>"};
    static const struct kit_edit bearer = {
        KIT_APPEND, SUBJECT, NULL, SAML("SubjectConfirmation") " Method=\"" METHOD "bearer\"/>"};
    static const struct kit_edit vouched = {KIT_ATTRIBUTE, CONFIRM, "Method",
                                            METHOD "sender-vouches"};
    struct kit_rules kit;
    kit_rules_init(&kit);
    kit.rules.may_use_bearer = true;
    xmlDoc *doc = kit_genuine(KIT_RSA);
    kit_apply(doc, &bearer);
    kit_resign(doc, KIT_RSA);
    kit_check("holder of a key, and bearer", doc, &kit.rules, ERR_NONE);
    doc = kit_genuine(KIT_RSA);
    kit_apply(doc, &bearer);
    kit_apply(doc, &no_key);
    kit_resign(doc, KIT_RSA);
    kit_check("holder of no key, and bearer", doc, &kit.rules, ERR_SAML_CONFIRMATION);
    doc = kit_genuine(KIT_RSA);
    kit_apply(doc, &vouched);
    kit_resign(doc, KIT_RSA);
    kit_check("nobody confirms the subject", doc, &kit.rules, ERR_SAML_CONFIRMATION);
}

/* Both spellings of the jurisdiction name one place: the second one as others read the sample. */
static void
test_jurisdictions(void)
{
    static const struct {
        const char *second;
        enum err want;
    } places[] = {{"Wayne, MI", ERR_NONE}, {"Cook, IL", ERR_SAML_ATTRIBUTE}};
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char xml[512];
        const struct kit_edit edits[] = {
            {KIT_APPEND, STATEMENT, NULL,
             SAML("Attribute") " Name=\"PHAJurisdiction\"><s:AttributeValue>Wayne, MI"
                               "</s:AttributeValue></s:Attribute>"},
            {KIT_APPEND, STATEMENT, NULL, xml}};
        (void)snprintf(xml, sizeof(xml),
                       SAML("Attribute") " Name=\"" BASIC "\" FriendlyName=\"PHAJurisdiction\">"
                                         "<s:AttributeValue>%s</s:AttributeValue></s:Attribute>",
                       places[i].second);
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_apply(doc, &edits[0]);
        kit_apply(doc, &edits[1]);
        kit_resign(doc, KIT_RSA);
        kit_check(places[i].second, doc, &kit.rules, places[i].want);
    }
}

/* Each value of an attribute is compared with those before, so there are 64 at most. */
static void
test_many_values(void)
{
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (int n = 63; n <= 64; n++) { /* and the one that is there */
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        for (int i = 0; i < n; i++) {
            char xml[300];
            const struct kit_edit edit = {KIT_APPEND, STATEMENT, NULL, xml};
            (void)snprintf(xml, sizeof(xml),
                           SAML("Attribute") " Name=\"" ORGANIZATION "\"><s:AttributeValue>%d"
                                             "</s:AttributeValue></s:Attribute>",
                           i);
            kit_apply(doc, &edit);
        }
        kit_resign(doc, KIT_RSA);
        kit_check("values", doc, &kit.rules, n == 63 ? ERR_NONE : ERR_SAML_ATTRIBUTE);
    }
}

static const struct unit_test tests[] = {
    {"what nobody would read", test_rules},
    /* REQ: ITI40-holder-of-key */
    {"confirmations that prove nothing", test_confirmations},
    {"two jurisdictions", test_jurisdictions},
    {"many values", test_many_values},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("samlrules", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
