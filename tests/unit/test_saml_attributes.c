/*
 * What attributes and statements may say, one by one, in assertions that the right key signed; the
 * facts that come out of them; and that nothing which is ignored can become a fact.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/soap_expect.h"

#define ASSERTION  "Header/Security/Assertion"
#define SUBJECT    ASSERTION "/Subject"
#define CONDITIONS ASSERTION "/Conditions"
#define AUTHN      ASSERTION "/AuthnStatement"
#define CLASS      AUTHN "/AuthnContext/AuthnContextClassRef"
#define DATA       SUBJECT "/SubjectConfirmation/SubjectConfirmationData"
#define STATEMENT  ASSERTION "/AttributeStatement"
#define XSPA       "urn:oasis:names:tc:xspa:1.0:subject:"
#define NPI_2      "urn:oasis:names:tc:xspa:2.0:subject:npi"
#define RESOURCE   "urn:oasis:names:tc:xacml:2.0:resource:resource-id"
#define ROLE       "urn:oasis:names:tc:xacml:2.0:subject:role"
#define PROVIDER   "urn:ihe:iti:xua:2017:subject:provider-identifier"
#define ACP        "urn:ihe:iti:xua:2012:acp"
#define IACP       "urn:ihe:iti:bppc:2007:docid"
#define ID_TOKEN   "urn:ietf:params:oauth:token-type:id_token"
#define BASIC      "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
#define CLASSES    "urn:oasis:names:tc:SAML:2.0:ac:classes:"
#define RCE        "2.16.840.1.113883.3.7204.1.5.2.1"
#define SAML(name) "<s:" name " xmlns:s=\"" NS_SAML2 "\""
#define ATTRIBUTE(name, value)                                                                     \
    SAML("Attribute")                                                                              \
    " Name=\"" name "\"><s:AttributeValue>" value "</s:AttributeValue></s:Attribute>"
#define HL7(element, attributes)                                                                   \
    "<h:" element " xmlns:h=\"urn:hl7-org:v3\" xmlns:i=\"" NS_XSI "\" " attributes "/>"

static struct kit_rules kit;

/* Signs <doc> again and verifies it; the facts live in <arena>. */
static bool
verify(const char *name, xmlDoc *doc, enum err want, struct arena *arena, struct saml_facts *facts)
{
    kit_resign(doc, KIT_RSA);
    return kit_expect(name, doc, &kit.rules, want, arena, facts) && want == ERR_NONE;
}

static void
check(const char *name, xmlDoc *doc, enum err want)
{
    kit_resign(doc, KIT_RSA);
    kit_check(name, doc, &kit.rules, want);
}

/* ---- the attributes of an assertion that has only the required ones ---- */

static const struct {
    const char *removed; /* before <xml> is added */
    const char *xml;
    enum err want;
} attributes[] = {
    /* NPI, under both names */
    {XSPA "npi", ATTRIBUTE(NPI_2, "1234567802"), ERR_NONE},
    {NULL, ATTRIBUTE(NPI_2, "1234567893"), ERR_NONE},
    {NULL, ATTRIBUTE(NPI_2, "1234567802"), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(XSPA "npi", "1234567802"), ERR_SAML_ATTRIBUTE},
    {XSPA "npi", ATTRIBUTE(XSPA "npi", "123456789"), ERR_SAML_ATTRIBUTE},
    {XSPA "npi", ATTRIBUTE(XSPA "npi", "1234567890"), ERR_SAML_ATTRIBUTE},
    {XSPA "npi", ATTRIBUTE(XSPA "npi", "12345678931"), ERR_SAML_ATTRIBUTE},
    {XSPA "npi", ATTRIBUTE(XSPA "npi", "123456789X"), ERR_SAML_ATTRIBUTE},
    {XSPA "npi", ATTRIBUTE(NPI_2, "12345 6789"), ERR_SAML_ATTRIBUTE},
    {XSPA "npi", ATTRIBUTE(XSPA "npi", " 1234567802\n"), ERR_NONE},
    /* provider-identifier */
    {NULL, ATTRIBUTE(PROVIDER, HL7("id", "i:type=\"II\" root=\"2.999.4\" extension=\"7\"")),
     ERR_NONE},
    {NULL,
     ATTRIBUTE(PROVIDER, HL7("id", "root=\"2.16.840.1.113883.4.6\" extension=\"1234567893\"")),
     ERR_NONE},
    {NULL,
     ATTRIBUTE(PROVIDER, HL7("id", "root=\"2.16.840.1.113883.4.6\" extension=\"1234567802\"")),
     ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(PROVIDER, HL7("id", "extension=\"7\"")), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(PROVIDER, HL7("id", "root=\"x\"")), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(PROVIDER, HL7("id", "i:type=\"CE\" root=\"2.999.4\"")), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(PROVIDER, HL7("id", "nullFlavor=\"UNK\" root=\"2.999.4\"")),
     ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(PROVIDER, "7"), ERR_SAML_ATTRIBUTE},
    /* resource-id */
    {RESOURCE, ATTRIBUTE(RESOURCE, "p1^^^&amp;2.999.1.5&amp;ISO"), ERR_NONE},
    {NULL, ATTRIBUTE(RESOURCE, "p2^^^&amp;2.999.1.5&amp;ISO"), ERR_SAML_ATTRIBUTE},
    {RESOURCE, ATTRIBUTE(RESOURCE, "p1"), ERR_SAML_ATTRIBUTE},
    {RESOURCE, ATTRIBUTE(RESOURCE, "p1^^^&amp;2.999.1.05&amp;ISO"), ERR_SAML_ATTRIBUTE},
    {RESOURCE, ATTRIBUTE(RESOURCE, "p1^^^&amp;2.999.1.5&amp;DNS"), ERR_SAML_ATTRIBUTE},
    {RESOURCE, ATTRIBUTE(RESOURCE, "^^^&amp;2.999.1.5&amp;ISO"), ERR_SAML_ATTRIBUTE},
    /* consents */
    {NULL, ATTRIBUTE(ACP, "urn:oid:2.999.10"), ERR_NONE},
    {NULL, ATTRIBUTE(ACP, "2.999.10"), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(IACP, "urn:oid:2.999.010"), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(IACP, "https://2.999.10/"), ERR_SAML_ATTRIBUTE},
    /* role */
    {ROLE,
     ATTRIBUTE(ROLE,
               HL7("Role", "i:type=\"h:CE\" code=\"1\" codeSystem=\"2.16.840.1.113883.6.96\"")),
     ERR_NONE},
    {ROLE,
     ATTRIBUTE(ROLE, HL7("Role", "i:type=\"CE\" code=\"1\" codeSystem=\"2.16.840.1.113883.6.96\"")),
     ERR_NONE},
    {ROLE,
     ATTRIBUTE(ROLE,
               HL7("Role", "i:type=\"string\" code=\"1\" codeSystem=\"2.16.840.1.113883.6.96\"")),
     ERR_SAML_ATTRIBUTE},
    {ROLE,
     ATTRIBUTE(ROLE, HL7("Role", "nullFlavor=\"UNK\" code=\"1\" "
                                 "codeSystem=\"2.16.840.1.113883.6.96\"")),
     ERR_SAML_ATTRIBUTE},
    {ROLE, ATTRIBUTE(ROLE, HL7("Role", "code=\"1\"")), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE(ROLE, HL7("Role", "code=\"2\" codeSystem=\"2.16.840.1.113883.6.96\"")),
     ERR_NONE},
    /* purpose, under its old element name */
    {XSPA "purposeofuse",
     ATTRIBUTE(XSPA "purposeofuse",
               HL7("PurposeForUse", "i:type=\"CE\" code=\"T-TREAT\" codeSystem=\"" RCE "\"")),
     ERR_NONE},
    {XSPA "purposeofuse",
     ATTRIBUTE(XSPA "purposeofuse",
               HL7("PurposeOfUse", "i:type=\"ST\" code=\"T-TREAT\" codeSystem=\"" RCE "\"")),
     ERR_SAML_ATTRIBUTE},
    /* delegation, jurisdiction */
    {NULL, ATTRIBUTE("QueryAuthGrantor", "Organization/7"), ERR_NONE},
    {NULL,
     SAML("Attribute") " Name=\"QueryAuthGrantor\"><s:AttributeValue>a</s:AttributeValue>"
                       "<s:AttributeValue>b</s:AttributeValue></s:Attribute>",
     ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE("QueryAuthGrantor", "<x/>"), ERR_SAML_ATTRIBUTE},
    {NULL, ATTRIBUTE("QueryAuthGrantor", " "), ERR_SAML_ATTRIBUTE},
    {NULL,
     SAML("Attribute") " Name=\"PHAJurisdiction\"><s:AttributeValue>a</s:AttributeValue>"
                       "</s:Attribute>",
     ERR_NONE},
    /* unknown ones, encrypted ones, and what is none */
    {NULL, ATTRIBUTE("urn:any", "<x/>a<y/>"), ERR_NONE},
    {NULL, ATTRIBUTE(XSPA "NPI", "x"), ERR_NONE},
    {NULL, SAML("EncryptedAttribute") "/>", ERR_NONE},
    {NULL, SAML("Attribute") "/>", ERR_SAML_STRUCTURE},
    {NULL, SAML("AttributeValue") ">x</s:AttributeValue>", ERR_SAML_STRUCTURE},
    {NULL, SAML("Attribute") " Name=\"a\"><s:Attribute Name=\"b\"/></s:Attribute>",
     ERR_SAML_STRUCTURE},
    {NULL, SAML("Attribute") " Name=\"a\">text</s:Attribute>", ERR_SAML_STRUCTURE},
    {NULL, "<Attribute Name=\"a\"/>", ERR_SAML_STRUCTURE},
};

static void
test_attributes(void)
{
    for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        const struct kit_edit edit = {KIT_APPEND, STATEMENT, NULL, attributes[i].xml};
        if (attributes[i].removed != NULL) {
            kit_remove_attribute(doc, attributes[i].removed);
        }
        kit_apply(doc, &edit);
        check(attributes[i].xml, doc, attributes[i].want);
    }
}

/* ---- facts ---- */

static void
test_facts(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct saml_facts facts;
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    static const char *const added[] = {
        ATTRIBUTE(PROVIDER, HL7("id", "root=\"2.999.4\" extension=\"7\" "
                                      "assigningAuthorityName=\"A\"")),
        ATTRIBUTE(PROVIDER, HL7("id", "root=\"2.999.5\"")),
        ATTRIBUTE("QueryAuthGrantor", "Organization/7"),
        SAML("Attribute") " Name=\"" BASIC "\" FriendlyName=\"PHAJurisdiction\">"
                          "<s:AttributeValue>Wayne, MI</s:AttributeValue></s:Attribute>",
        SAML("Attribute") " Name=\"" BASIC "\" FriendlyName=\"other\">"
                          "<s:AttributeValue>ignored</s:AttributeValue></s:Attribute>",
        ATTRIBUTE(ID_TOKEN, "aaa.bbb.ccc"),
    };
    for (size_t i = 0; i < ARRAY_LEN(added); i++) {
        const struct kit_edit edit = {KIT_APPEND, STATEMENT, NULL, added[i]};
        kit_apply(doc, &edit);
    }
    if (verify("facts", doc, ERR_NONE, arena, &facts)) {
        CU_ASSERT_PTR_EQUAL(facts.key, kit_credential(KIT_RSA)->leaf);
        CU_ASSERT_FATAL(facts.provider_ids.n == 2);
        CHECK_SPAN(facts.provider_ids.items[0].root, "2.999.4");
        CHECK_SPAN(facts.provider_ids.items[0].extension, "7");
        CHECK_SPAN(facts.provider_ids.items[0].authority, "A");
        CHECK_SPAN(facts.provider_ids.items[1].root, "2.999.5");
        CHECK_SPAN(facts.delegator, "Organization/7");
        CHECK_SPAN(facts.jurisdiction, "Wayne, MI");
        CHECK_SPAN(facts.id_token, "aaa.bbb.ccc");
        CU_ASSERT(!facts.is_one_time && facts.omitted == 0);
        CU_ASSERT(facts.timestamp_signature_sent.n > 300);
    }
    arena_free(arena);
}

static void
test_id_token_size(void)
{
    for (size_t extra = 0; extra < 2; extra++) {
        static char text[SAML_ID_TOKEN_MAX + 2];
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        const struct kit_edit edit = {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE(ID_TOKEN, "")};
        memset(text, 'a', SAML_ID_TOKEN_MAX + extra);
        text[SAML_ID_TOKEN_MAX + extra] = '\0';
        kit_apply(doc, &edit);
        xmlNode *const attribute = xmlLastElementChild(kit_at(doc, STATEMENT));
        xmlNodeSetContent(xmlFirstElementChild(attribute), (const xmlChar *)text);
        check("id_token", doc, extra == 0 ? ERR_NONE : ERR_SAML_ATTRIBUTE);
    }
}

/* Advice may hold anything but an assertion, and none of it is read. */
static void
test_advice_is_not_read(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct saml_facts facts;
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    const struct kit_edit edit = {
        KIT_BEFORE, AUTHN, NULL,
        SAML("Advice") "><s:AttributeStatement>" ATTRIBUTE("QueryAuthGrantor", "Organization/7")
            ATTRIBUTE(ACP, "urn:oid:2.999.10") "</s:AttributeStatement><s:Issuer>evil</s:Issuer>"
                                               "<s:Conditions><s:OneTimeUse/></s:Conditions>"
                                               "</s:Advice>"};
    kit_apply(doc, &edit);
    if (verify("Advice", doc, ERR_NONE, arena, &facts)) {
        CU_ASSERT(facts.delegator.n == 0 && facts.acp.n == 0 && !facts.is_one_time);
        CHECK_SPAN(facts.issuer, "CN=red signing,O=Isthmus Test");
    }
    arena_free(arena);
}

/* ---- conditions, authentication, subject ---- */

static const struct row {
    const char *name;
    enum err want;
    struct kit_edit edit;
} statements[] = {
    {"ProxyRestriction", ERR_NONE, {KIT_APPEND, CONDITIONS, NULL, SAML("ProxyRestriction") "/>"}},
    {"a second assertion, of SAML 1",
     ERR_SIG_WRAPPED,
     {KIT_APPEND, "Header", NULL,
      "<x:x xmlns:x=\"urn:x\"><s:Assertion xmlns:s=\"" NS_SAML1 "\"/></x:x>"}},
    {"a second assertion, encrypted",
     ERR_SIG_WRAPPED,
     {KIT_APPEND, "Header", NULL, "<x:x xmlns:x=\"urn:x\">" SAML("EncryptedAssertion") "/></x:x>"}},
    {"text in Conditions", ERR_SAML_STRUCTURE, {KIT_APPEND, CONDITIONS, NULL, "x"}},
    {"invented class", ERR_SAML_AUTHN, {KIT_TEXT, CLASS, NULL, CLASSES "Invented"}},
    {"class of another version",
     ERR_SAML_AUTHN,
     {KIT_TEXT, CLASS, NULL, "urn:oasis:names:tc:SAML:1.0:am:password"}},
    {"class with something behind", ERR_SAML_AUTHN, {KIT_TEXT, CLASS, NULL, CLASSES "X509x"}},
    {"prefix only", ERR_SAML_AUTHN, {KIT_TEXT, CLASS, NULL, CLASSES}},
    {"a configured class", ERR_NONE, {KIT_TEXT, CLASS, NULL, "https://example.org/aal2"}},
    {"like a configured class", ERR_SAML_AUTHN, {KIT_TEXT, CLASS, NULL, "https://example.org/aal"}},
    {"class of another version",
     ERR_SAML_AUTHN,
     {KIT_TEXT, CLASS, NULL, "urn:oasis:names:tc:SAML:9.0:ac:classes:X509"}},
    {"unspecified class", ERR_NONE, {KIT_TEXT, CLASS, NULL, CLASSES "unspecified"}},
    {"two classes",
     ERR_SAML_AUTHN,
     {KIT_BEFORE, CLASS, NULL,
      SAML("AuthnContextClassRef") ">" CLASSES "PGP</s:AuthnContextClassRef>"}},
    {"class and declaration",
     ERR_NONE,
     {KIT_APPEND, AUTHN "/AuthnContext", NULL,
      SAML("AuthnContextDeclRef") ">urn:x:y</s:AuthnContextDeclRef>"}},
    {"declaration that is no URI",
     ERR_SAML_AUTHN,
     {KIT_REPLACE, CLASS, NULL, SAML("AuthnContextDeclRef") ">x</s:AuthnContextDeclRef>"}},
    {"a second AuthnStatement",
     ERR_NONE,
     {KIT_APPEND, ASSERTION, NULL,
      SAML("AuthnStatement") " AuthnInstant=\"2027-01-15T07:00:00Z\"><s:AuthnContext>"
                             "<s:AuthnContextClassRef>" CLASSES
                             "Password</s:AuthnContextClassRef></s:AuthnContext>"
                             "</s:AuthnStatement>"}},
    {"a second AuthnStatement that is wrong",
     ERR_SAML_AUTHN,
     {KIT_APPEND, ASSERTION, NULL,
      SAML("AuthnStatement") " AuthnInstant=\"2027-01-15T09:00:00Z\"><s:AuthnContext>"
                             "<s:AuthnContextClassRef>" CLASSES
                             "Password</s:AuthnContextClassRef></s:AuthnContext>"
                             "</s:AuthnStatement>"}},
    {"BaseID", ERR_SAML_SUBJECT, {KIT_REPLACE, SUBJECT "/NameID", NULL, SAML("BaseID") "/>"}},
    {"EncryptedID",
     ERR_SAML_SUBJECT,
     {KIT_REPLACE, SUBJECT "/NameID", NULL, SAML("EncryptedID") "/>"}},
    {"NameID at the end",
     ERR_SAML_SUBJECT,
     {KIT_APPEND, SUBJECT, NULL, SAML("NameID") ">CN=x</s:NameID>"}},
    {"text in Subject", ERR_SAML_SUBJECT, {KIT_APPEND, SUBJECT, NULL, "x"}},
    {"bearer beside holder-of-key",
     ERR_NONE,
     {KIT_APPEND, SUBJECT, NULL,
      SAML("SubjectConfirmation") " Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"/>"}},
    {"sender-vouches beside holder-of-key",
     ERR_NONE,
     {KIT_APPEND, SUBJECT, NULL,
      SAML("SubjectConfirmation") " Method=\"urn:oasis:names:tc:SAML:2.0:cm:sender-vouches\"/>"}},
    {"a confirmation without Method beside it",
     ERR_SAML_CONFIRMATION,
     {KIT_APPEND, SUBJECT, NULL, SAML("SubjectConfirmation") "/>"}},
    {"sender-vouches instead",
     ERR_SAML_CONFIRMATION,
     {KIT_ATTRIBUTE, SUBJECT "/SubjectConfirmation", "Method",
      "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"}},
};

static void
test_statements(void)
{
    static const char *const configured[] = {"https://example.org/aal2"};
    kit.rules.authn_contexts = configured;
    kit.rules.authn_contexts_n = 1;
    for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_apply(doc, &statements[i].edit);
        check(statements[i].name, doc, statements[i].want);
    }
    kit_rules_init(&kit);
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    const struct kit_edit edit = {KIT_TEXT, CLASS, NULL, "https://example.org/aal2"};
    kit_apply(doc, &edit);
    check("a class that is not configured", doc, ERR_SAML_AUTHN);
}

/* The clocks' tolerance counts here, too: an assertion that is over within it is still good. */
static void
test_issued_after_the_end(void)
{
    for (int is_late = 0; is_late < 2; is_late++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_set(kit_at(doc, CONDITIONS), "NotBefore", "2027-01-15T07:59:00Z");
        kit_set(kit_at(doc, CONDITIONS), "NotOnOrAfter", "2027-01-15T07:59:30Z");
        kit_set(kit_at(doc, ASSERTION), "IssueInstant",
                is_late ? "2027-01-15T08:00:30.001Z" : "2027-01-15T08:00:30Z");
        check("issued after the end", doc, is_late ? ERR_SAML_CONDITIONS : ERR_NONE);
    }
}

static void
test_one_time(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct saml_facts facts;
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    const struct kit_edit edit = {KIT_APPEND, CONDITIONS, NULL, SAML("OneTimeUse") "/>"};
    kit_apply(doc, &edit);
    CU_ASSERT(verify("OneTimeUse", doc, ERR_NONE, arena, &facts) && facts.is_one_time);
    arena_free(arena);
}

/* ---- consents as members of the eHealth Exchange send them ---- */

#define AUTHZ(attributes, children)                                                                \
    SAML("AuthzDecisionStatement") " " attributes ">" children "</s:AuthzDecisionStatement>"
#define PERMIT "Decision=\"Permit\" Resource=\"https://blue.example/\""
#define ACTION "<s:Action Namespace=\"urn:oasis:names:tc:SAML:1.0:action:rwedc\">Execute</s:Action>"
#define EVIDENCE(conditions, attributes)                                                           \
    "<s:Evidence><s:Assertion ID=\"_e\" Version=\"2.0\" "                                          \
    "IssueInstant=\"2027-01-15T08:00:00Z\"><s:Issuer>CN=x</s:Issuer>" conditions                   \
    "<s:AttributeStatement>" attributes "</s:AttributeStatement></s:Assertion></s:Evidence>"
#define POLICY(value) ATTRIBUTE("AccessConsentPolicy", value)

static const struct {
    const char *name, *xml;
    enum err want;
} decisions[] = {
    {"without evidence", AUTHZ(PERMIT, ACTION), ERR_NONE},
    {"with evidence", AUTHZ(PERMIT, ACTION ACTION EVIDENCE("", POLICY("urn:oid:2.999.13"))),
     ERR_NONE},
    {"evidence that is valid now",
     AUTHZ(PERMIT, ACTION EVIDENCE("<s:Conditions NotBefore=\"2026-01-01T00:00:00Z\" "
                                   "NotOnOrAfter=\"2028-01-01T00:00:00Z\"/>",
                                   POLICY("urn:oid:2.999.13"))),
     ERR_NONE},
    {"Deny", AUTHZ("Decision=\"Deny\" Resource=\"urn:x\"", ACTION), ERR_SAML_AUTHZ},
    {"Indeterminate", AUTHZ("Decision=\"Indeterminate\" Resource=\"urn:x\"", ACTION),
     ERR_SAML_AUTHZ},
    {"permit in lower case", AUTHZ("Decision=\"permit\" Resource=\"urn:x\"", ACTION),
     ERR_SAML_AUTHZ},
    {"no decision", AUTHZ("Resource=\"urn:x\"", ACTION), ERR_SAML_AUTHZ},
    {"no resource", AUTHZ("Decision=\"Permit\"", ACTION), ERR_SAML_AUTHZ},
    {"no action", AUTHZ(PERMIT, EVIDENCE("", "")), ERR_SAML_AUTHZ},
    {"action after evidence", AUTHZ(PERMIT, EVIDENCE("", "") ACTION), ERR_SAML_AUTHZ},
    {"two pieces of evidence",
     AUTHZ(PERMIT, ACTION "<s:Evidence><s:Assertion Version=\"2.0\"><s:Issuer/></s:Assertion>"
                          "</s:Evidence><s:Evidence/>"),
     ERR_SAML_AUTHZ},
    {"something else", AUTHZ(PERMIT, ACTION "<x/>"), ERR_SAML_AUTHZ},
    {"text", AUTHZ(PERMIT, ACTION "x"), ERR_SAML_AUTHZ},
    {"empty evidence", AUTHZ(PERMIT, ACTION "<s:Evidence/>"), ERR_SAML_AUTHZ},
    {"evidence elsewhere",
     AUTHZ(PERMIT, ACTION "<s:Evidence><s:AssertionURIRef>http://127.0.0.1:9/"
                          "</s:AssertionURIRef></s:Evidence>"),
     ERR_SAML_AUTHZ},
    {"encrypted evidence", AUTHZ(PERMIT, ACTION "<s:Evidence><s:EncryptedAssertion/></s:Evidence>"),
     ERR_SAML_AUTHZ},
    {"evidence of another version",
     AUTHZ(PERMIT, ACTION "<s:Evidence><s:Assertion><s:Issuer/></s:Assertion></s:Evidence>"),
     ERR_SAML_AUTHZ},
    {"evidence without issuer",
     AUTHZ(PERMIT, ACTION "<s:Evidence><s:Assertion Version=\"2.0\"/></s:Evidence>"),
     ERR_SAML_AUTHZ},
    {"evidence that is over",
     AUTHZ(PERMIT, ACTION EVIDENCE("<s:Conditions NotOnOrAfter=\"2027-01-01T00:00:00Z\"/>", "")),
     ERR_SAML_AUTHZ},
    {"evidence that has not begun",
     AUTHZ(PERMIT, ACTION EVIDENCE("<s:Conditions NotBefore=\"2027-02-01T00:00:00Z\"/>", "")),
     ERR_SAML_AUTHZ},
    {"evidence within evidence",
     AUTHZ(PERMIT, ACTION "<s:Evidence><s:Assertion Version=\"2.0\"><s:Issuer/>" AUTHZ(
                       PERMIT, ACTION EVIDENCE("", "")) "</s:Assertion></s:Evidence>"),
     ERR_SIG_WRAPPED},
    {"a policy that is no OID", AUTHZ(PERMIT, ACTION EVIDENCE("", POLICY("2.999.13"))),
     ERR_SAML_ATTRIBUTE},
};

static void
test_decisions(void)
{
    for (size_t i = 0; i < ARRAY_LEN(decisions); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        const struct kit_edit edit = {KIT_APPEND, ASSERTION, NULL, decisions[i].xml};
        kit_apply(doc, &edit);
        check(decisions[i].name, doc, decisions[i].want);
    }
}

/* Policies of both forms together, each once, and nothing else of the evidence. */
static void
test_consent_facts(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct saml_facts facts;
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    const struct kit_edit edits[] = {
        {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE(ACP, "urn:oid:2.999.10")},
        {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE("AccessConsentPolicy", "urn:oid:2.999.66")},
        {KIT_APPEND, ASSERTION, NULL,
         AUTHZ(PERMIT,
               ACTION EVIDENCE("", POLICY("urn:oid:2.999.10") POLICY("urn:oid:2.999.11")
                                       ATTRIBUTE("InstanceAccessConsentPolicy", "urn:oid:2.999.12")
                                           ATTRIBUTE(ACP, "urn:oid:2.999.66")
                                               ATTRIBUTE("QueryAuthGrantor", "Organization/66")
                                                   ATTRIBUTE(XSPA "purposeofuse", "x")))},
    };
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        kit_apply(doc, &edits[i]);
    }
    if (verify("consents", doc, ERR_NONE, arena, &facts)) {
        CU_ASSERT_FATAL(facts.acp.n == 2 && facts.iacp.n == 1);
        CHECK_SPAN(facts.acp.items[0], "urn:oid:2.999.10");
        CHECK_SPAN(facts.acp.items[1], "urn:oid:2.999.11");
        CHECK_SPAN(facts.iacp.items[0], "urn:oid:2.999.12");
        CU_ASSERT_EQUAL(facts.delegator.n, 0);
        CHECK_SPAN(facts.purpose.value, "T-TREAT");
    }
    arena_free(arena);
}

/* ---- times as people write them ---- */

static void
test_dates(void)
{
    static const struct {
        const char *text;
        enum err created, not_before;
    } rows[] = {
        {"2027-01-15T08:00:00.123456789Z", ERR_NONE, ERR_NONE},
        {"2027-01-15T08:00:00.1234567893Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"2027-01-15T08:00:00", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"2027-01-15T08:00:00z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"2027-01-15T07:59:60Z", ERR_NONE, ERR_NONE}, /* 08:00:00 */
        {"2027-01-15T07:59:61Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"0000-01-15T08:00:00Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"9999-12-31T23:59:59Z", ERR_WSS_FUTURE, ERR_SAML_CONDITIONS},
        {"9999-12-31T23:59:60Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"-2027-01-15T08:00:00Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"+2027-01-15T08:00:00Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"12027-01-15T08:00:00Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"2027-02-29T08:00:00Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"2027-01-15T24:00:00Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"2027-01-15 08:00:00Z", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"2027-01-15T10:00:00+02:00", ERR_NONE, ERR_NONE},
        {"2027-01-15T08:00:00+15:00", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
        {"", ERR_WSS_TIMESTAMP, ERR_SAML_CONDITIONS},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        xmlDoc *doc = kit_genuine(KIT_RSA);
        const struct kit_edit created = {KIT_TEXT, "Header/Security/Timestamp/Created", NULL,
                                         rows[i].text};
        kit_apply(doc, &created);
        check(rows[i].text, doc, rows[i].created);
        doc = kit_genuine(KIT_RSA);
        kit_set(kit_at(doc, CONDITIONS), "NotBefore", rows[i].text);
        check(rows[i].text, doc, rows[i].not_before);
    }
}

/* What a confirmation says is all that binds a bearer. */
static const struct row bearers[] = {
    {"ended", ERR_SAML_CONFIRMATION, {KIT_ATTRIBUTE, DATA, "NotOnOrAfter", "2027-01-15T07:59:00Z"}},
    {"for another",
     ERR_SAML_CONFIRMATION,
     {KIT_ATTRIBUTE, DATA, "Recipient", "https://x.example/"}},
    {"valid too long",
     ERR_SAML_CONFIRMATION,
     {KIT_ATTRIBUTE, DATA, "NotBefore", "2027-01-14T08:00:00Z"}},
    {"its twin", ERR_NONE, {KIT_ATTRIBUTE, DATA, "NotBefore", "2027-01-15T08:00:00Z"}},
};

static void
test_bearer_confirmations(void)
{
    kit.rules.may_use_bearer = true;
    for (size_t i = 0; i < ARRAY_LEN(bearers); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct assertion_order order = kit_order(KIT_RSA);
        order.style.is_bearer = true;
        xmlDoc *const doc = kit_open(kit_message(&order, arena));
        kit_apply(doc, &bearers[i].edit);
        check(bearers[i].name, doc, bearers[i].want);
        arena_free(arena);
    }
    kit.rules.may_use_bearer = false;
}

static const struct unit_test tests[] = {
    /* REQ: ITI40-unknown-ignored, ITI40-repeated */
    {"attributes", test_attributes},
    {"facts", test_facts},
    {"size of an id_token", test_id_token_size},
    {"Advice is not read", test_advice_is_not_read},
    /* REQ: ITI40-authn */
    {"conditions, authentication, subject", test_statements},
    {"a bearer's confirmation", test_bearer_confirmations},
    {"issued after the end", test_issued_after_the_end},
    {"OneTimeUse", test_one_time},
    {"authorization decisions", test_decisions},
    /* REQ: ITI40-consent */
    {"consents of both forms", test_consent_facts},
    {"dates", test_dates},
};

int
main(void)
{
    kit_init();
    kit_rules_init(&kit);
    const int rc = unit_main("saml_attributes", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
