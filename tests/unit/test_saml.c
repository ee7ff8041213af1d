/*
 * Assertions that are signed by the right key and still must not be believed, or say too little;
 * and the facts that a good one gives. The forged ones are signed again by the second signer, so
 * that nothing but the rule under test can refuse them.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/soap_expect.h"

#define ASSERTION  "Header/Security/Assertion"
#define TIMESTAMP  "Header/Security/Timestamp"
#define SUBJECT    ASSERTION "/Subject"
#define CONFIRM    SUBJECT "/SubjectConfirmation"
#define CONDITIONS ASSERTION "/Conditions"
#define AUTHN      ASSERTION "/AuthnStatement"
#define STATEMENT  ASSERTION "/AttributeStatement"
#define XSPA       "urn:oasis:names:tc:xspa:1.0:subject:"
#define FORMAT_11  "urn:oasis:names:tc:SAML:1.1:nameid-format:"
#define FORMAT_20  "urn:oasis:names:tc:SAML:2.0:nameid-format:"
#define SAML(name) "<s:" name " xmlns:s=\"" NS_SAML2 "\""

static struct kit_rules kit;

struct row {
    const char *name;
    enum err want;
    struct kit_edit attack, twin;
};

static void
run(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        xmlDoc *doc = kit_genuine(KIT_RSA);
        kit_apply(doc, &rows[i].attack);
        kit_resign(doc, KIT_RSA);
        kit_check(rows[i].name, doc, &kit.rules, rows[i].want);
        doc = kit_genuine(KIT_RSA);
        kit_apply(doc, &rows[i].twin);
        kit_resign(doc, KIT_RSA);
        kit_check(rows[i].name, doc, &kit.rules, ERR_NONE);
    }
}

/* ---- time: now is 2027-01-15T08:00:01Z, the tolerance 60 s, the longest life 1200 s ---- */

static const struct row time_rows[] = {
    {"Created in the future",
     ERR_WSS_FUTURE,
     {KIT_TEXT, TIMESTAMP "/Created", NULL, "2027-01-15T08:01:02Z"},
     {KIT_TEXT, TIMESTAMP "/Created", NULL, "2027-01-15T08:01:01Z"}},
    {"expired",
     ERR_WSS_EXPIRED,
     {KIT_TEXT, TIMESTAMP "/Expires", NULL, "2027-01-15T07:59:01Z"},
     {KIT_TEXT, TIMESTAMP "/Expires", NULL, "2027-01-15T08:00:00.001Z"}},
    {"lives too long",
     ERR_WSS_TIMESTAMP,
     {KIT_TEXT, TIMESTAMP "/Expires", NULL, "2027-01-15T08:20:00.001Z"},
     {KIT_TEXT, TIMESTAMP "/Expires", NULL, "2027-01-15T08:20:00Z"}},
    {"expires before it is created",
     ERR_WSS_TIMESTAMP,
     {KIT_TEXT, TIMESTAMP "/Expires", NULL, "2027-01-15T07:59:59Z"},
     {0}},
    {"no zone",
     ERR_WSS_TIMESTAMP,
     {KIT_TEXT, TIMESTAMP "/Created", NULL, "2027-01-15T08:00:00"},
     {KIT_TEXT, TIMESTAMP "/Created", NULL, "2027-01-15T09:00:00+01:00"}},
    {"no Created", ERR_WSS_TIMESTAMP, {KIT_REMOVE, TIMESTAMP "/Created", NULL, NULL}, {0}},
    {"no Expires", ERR_WSS_TIMESTAMP, {KIT_REMOVE, TIMESTAMP "/Expires", NULL, NULL}, {0}},
    {"two Expires",
     ERR_WSS_TIMESTAMP,
     {KIT_APPEND, TIMESTAMP, NULL,
      "<u:Expires xmlns:u=\"" NS_WSU "\">2027-01-15T08:10:00Z</u:Expires>"},
     {0}},
    {"IssueInstant in the future",
     ERR_SAML_CONDITIONS,
     {KIT_ATTRIBUTE, ASSERTION, "IssueInstant", "2027-01-15T08:01:02Z"},
     {KIT_ATTRIBUTE, ASSERTION, "IssueInstant", "2027-01-15T08:00:59Z"}},
    {"IssueInstant malformed",
     ERR_SAML_STRUCTURE,
     {KIT_ATTRIBUTE, ASSERTION, "IssueInstant", "yesterday"},
     {0}},
    {"no IssueInstant", ERR_SAML_STRUCTURE, {KIT_ATTRIBUTE, ASSERTION, "IssueInstant", NULL}, {0}},
    {"not yet valid",
     ERR_SAML_CONDITIONS,
     {KIT_ATTRIBUTE, CONDITIONS, "NotBefore", "2027-01-15T08:01:02Z"},
     {KIT_ATTRIBUTE, CONDITIONS, "NotBefore", "2027-01-15T08:01:01Z"}},
    {"no longer valid",
     ERR_SAML_CONDITIONS,
     {KIT_ATTRIBUTE, CONDITIONS, "NotOnOrAfter", "2027-01-15T07:59:01Z"},
     {KIT_ATTRIBUTE, CONDITIONS, "NotOnOrAfter", "2027-01-15T08:00:00Z"}},
    {"valid too long",
     ERR_SAML_CONDITIONS,
     {KIT_ATTRIBUTE, CONDITIONS, "NotOnOrAfter", "2027-01-15T08:20:00Z"},
     {0}},
    {"valid for ever", ERR_SAML_CONDITIONS, {KIT_ATTRIBUTE, CONDITIONS, "NotOnOrAfter", NULL}, {0}},
    {"valid since ever", ERR_SAML_CONDITIONS, {KIT_ATTRIBUTE, CONDITIONS, "NotBefore", NULL}, {0}},
    {"confirmation no longer valid",
     ERR_SAML_CONFIRMATION,
     {KIT_ATTRIBUTE, CONFIRM "/SubjectConfirmationData", "NotOnOrAfter", "2027-01-15T07:59:00Z"},
     {KIT_ATTRIBUTE, CONFIRM "/SubjectConfirmationData", "NotOnOrAfter", "2027-01-15T08:10:00Z"}},
    {"authenticated in the future",
     ERR_SAML_AUTHN,
     {KIT_ATTRIBUTE, AUTHN, "AuthnInstant", "2027-01-15T08:01:02Z"},
     {KIT_ATTRIBUTE, AUTHN, "AuthnInstant", "2027-01-14T20:00:00Z"}},
    {"session over",
     ERR_SAML_AUTHN,
     {KIT_ATTRIBUTE, AUTHN, "SessionNotOnOrAfter", "2027-01-15T07:59:00Z"},
     {KIT_ATTRIBUTE, AUTHN, "SessionNotOnOrAfter", "2027-01-15T09:00:00Z"}},
};

static void
test_time(void)
{
    run(time_rows, ARRAY_LEN(time_rows));
    /* Both ends inside of the tolerance, and the wrong way round. */
    for (int is_twin = 0; is_twin < 2; is_twin++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_set(kit_at(doc, CONDITIONS), "NotBefore",
                is_twin ? "2027-01-15T08:00:10Z" : "2027-01-15T08:00:20Z");
        kit_set(kit_at(doc, CONDITIONS), "NotOnOrAfter",
                is_twin ? "2027-01-15T08:00:20Z" : "2027-01-15T08:00:10Z");
        kit_resign(doc, KIT_RSA);
        kit_check("ends before it begins", doc, &kit.rules,
                  is_twin ? ERR_NONE : ERR_SAML_CONDITIONS);
    }
}

/* ---- structure, audience, authentication ---- */

static const struct row structure_rows[] = {
    {"SAML 1.1", ERR_SAML_STRUCTURE, {KIT_ATTRIBUTE, ASSERTION, "Version", "1.1"}, {0}},
    {"no Version", ERR_SAML_STRUCTURE, {KIT_ATTRIBUTE, ASSERTION, "Version", NULL}, {0}},
    {"no Issuer", ERR_SAML_STRUCTURE, {KIT_REMOVE, ASSERTION "/Issuer", NULL, NULL}, {0}},
    {"no Subject", ERR_SAML_STRUCTURE, {KIT_REMOVE, SUBJECT, NULL, NULL}, {0}},
    {"no Conditions", ERR_SAML_STRUCTURE, {KIT_REMOVE, CONDITIONS, NULL, NULL}, {0}},
    {"two Conditions",
     ERR_SAML_STRUCTURE,
     {KIT_BEFORE, AUTHN, NULL, SAML("Conditions") "/>"},
     {KIT_BEFORE, AUTHN, NULL, " \n "}},
    {"an assertion as Advice",
     ERR_SIG_WRAPPED,
     {KIT_BEFORE, AUTHN, NULL, SAML("Advice") "><s:Assertion/></s:Advice>"},
     {KIT_BEFORE, AUTHN, NULL, SAML("Advice") "/>"}},
    {"Advice before the Conditions",
     ERR_SAML_STRUCTURE,
     {KIT_BEFORE, CONDITIONS, NULL, SAML("Advice") "/>"},
     {0}},
    {"unknown statement",
     ERR_SAML_STRUCTURE,
     {KIT_APPEND, ASSERTION, NULL, "<x/>"},
     {KIT_APPEND, ASSERTION, NULL, SAML("AttributeStatement") "/>"}},
    {"text", ERR_SAML_STRUCTURE, {KIT_APPEND, ASSERTION, NULL, "text"}, {0}},
    {"no AudienceRestriction",
     ERR_SAML_AUDIENCE,
     {KIT_REMOVE, CONDITIONS "/AudienceRestriction", NULL, NULL},
     {0}},
    {"another audience",
     ERR_SAML_AUDIENCE,
     {KIT_TEXT, CONDITIONS "/AudienceRestriction/Audience", NULL, "https://green.example/xcpd"},
     {KIT_TEXT, CONDITIONS "/AudienceRestriction/Audience", NULL, " urn:oid:2.999.2 "}},
    {"audience that only begins like ours",
     ERR_SAML_AUDIENCE,
     {KIT_TEXT, CONDITIONS "/AudienceRestriction/Audience", NULL, KIT_AUDIENCE "/x"},
     {0}},
    {"empty audience",
     ERR_SAML_AUDIENCE,
     {KIT_TEXT, CONDITIONS "/AudienceRestriction/Audience", NULL, ""},
     {0}},
    {"a second restriction to others",
     ERR_SAML_AUDIENCE,
     {KIT_APPEND, CONDITIONS, NULL,
      SAML("AudienceRestriction") "><s:Audience>urn:other</s:Audience></s:AudienceRestriction>"},
     {KIT_APPEND, CONDITIONS "/AudienceRestriction", NULL,
      SAML("Audience") ">urn:other</s:Audience>"}},
    {"unknown condition",
     ERR_SAML_CONDITIONS,
     {KIT_APPEND, CONDITIONS, NULL, SAML("Condition") "/>"},
     {KIT_APPEND, CONDITIONS, NULL, SAML("OneTimeUse") "/>"}},
    {"other Recipient",
     ERR_SAML_CONFIRMATION,
     {KIT_ATTRIBUTE, CONFIRM "/SubjectConfirmationData", "Recipient", "https://green.example/"},
     {KIT_ATTRIBUTE, CONFIRM "/SubjectConfirmationData", "Recipient", KIT_AUDIENCE}},
    {"no SubjectConfirmation", ERR_SAML_CONFIRMATION, {KIT_REMOVE, CONFIRM, NULL, NULL}, {0}},
    {"no Method", ERR_SAML_CONFIRMATION, {KIT_ATTRIBUTE, CONFIRM, "Method", NULL}, {0}},
    {"no SubjectConfirmationData",
     ERR_SAML_CONFIRMATION,
     {KIT_REMOVE, CONFIRM "/SubjectConfirmationData", NULL, NULL},
     {0}},
    {"no AuthnStatement", ERR_SAML_AUTHN, {KIT_REMOVE, AUTHN, NULL, NULL}, {0}},
    {"no AuthnInstant", ERR_SAML_AUTHN, {KIT_ATTRIBUTE, AUTHN, "AuthnInstant", NULL}, {0}},
    {"no AuthnContext", ERR_SAML_AUTHN, {KIT_REMOVE, AUTHN "/AuthnContext", NULL, NULL}, {0}},
    {"empty AuthnContext",
     ERR_SAML_AUTHN,
     {KIT_REMOVE, AUTHN "/AuthnContext/AuthnContextClassRef", NULL, NULL},
     {KIT_TEXT, AUTHN "/AuthnContext/AuthnContextClassRef", NULL,
      "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"}},
    {"AuthnContext is no URI",
     ERR_SAML_AUTHN,
     {KIT_TEXT, AUTHN "/AuthnContext/AuthnContextClassRef", NULL, "Password"},
     {KIT_REPLACE, AUTHN "/AuthnContext/AuthnContextClassRef", NULL,
      SAML("AuthnContextDeclRef") ">urn:x:y</s:AuthnContextDeclRef>"}},
};

static void
test_structure(void)
{
    run(structure_rows, ARRAY_LEN(structure_rows));
}

/* An ID that is no XML name cannot be referred to; the reference must change with it. */
static void
test_assertion_id(void)
{
    static const struct {
        const char *id;
        enum err want;
    } rows[] = {
        {"_a-1.b", ERR_NONE},        {"a", ERR_NONE},
        {"1a", ERR_SAML_STRUCTURE},  {"", ERR_SAML_STRUCTURE},
        {"a:b", ERR_SAML_STRUCTURE}, {"a b", ERR_SAML_STRUCTURE},
        {"a'b", ERR_SAML_STRUCTURE}, {"\xC3\xA5", ERR_SAML_STRUCTURE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        char uri[32];
        (void)snprintf(uri, sizeof(uri), "#%s", rows[i].id);
        const struct kit_edit edits[] = {
            {KIT_ATTRIBUTE, ASSERTION, "ID", rows[i].id},
            {KIT_ATTRIBUTE, ASSERTION "/Signature/SignedInfo/Reference", "URI", uri},
            {KIT_TEXT, "Header/Security/Signature/KeyInfo/SecurityTokenReference/KeyIdentifier",
             NULL, rows[i].id},
        };
        for (size_t e = 0; e < ARRAY_LEN(edits); e++) {
            kit_apply(doc, &edits[e]);
        }
        kit_resign(doc, KIT_RSA);
        kit_check(rows[i].id, doc, &kit.rules, rows[i].want);
    }
}

/* ---- names ---- */

static const struct row name_rows[] = {
    {"Issuer without Format",
     ERR_SAML_ISSUER,
     {KIT_ATTRIBUTE, ASSERTION "/Issuer", "Format", NULL},
     {0}},
    {"Issuer with unknown Format",
     ERR_SAML_ISSUER,
     {KIT_ATTRIBUTE, ASSERTION "/Issuer", "Format", FORMAT_20 "kerberos"},
     {0}},
    {"Issuer is no DN",
     ERR_SAML_ISSUER,
     {KIT_TEXT, ASSERTION "/Issuer", NULL, "red"},
     {KIT_TEXT, ASSERTION "/Issuer", NULL, "CN=a\\,b, OU=\"x,y\"+2.5.4.3=z;O= o"}},
    {"Issuer is no e-mail address",
     ERR_SAML_ISSUER,
     {KIT_ATTRIBUTE, ASSERTION "/Issuer", "Format", FORMAT_11 "emailAddress"},
     {0}},
    {"empty Issuer", ERR_SAML_ISSUER, {KIT_TEXT, ASSERTION "/Issuer", NULL, " "}, {0}},
    {"element in Issuer", ERR_SAML_ISSUER, {KIT_APPEND, ASSERTION "/Issuer", NULL, "<x/>"}, {0}},
    {"no NameID", ERR_SAML_SUBJECT, {KIT_REMOVE, SUBJECT "/NameID", NULL, NULL}, {0}},
    {"two NameIDs",
     ERR_SAML_SUBJECT,
     {KIT_BEFORE, SUBJECT "/NameID", NULL, SAML("NameID") ">CN=x</s:NameID>"},
     {0}},
    {"empty NameID", ERR_SAML_SUBJECT, {KIT_TEXT, SUBJECT "/NameID", NULL, ""}, {0}},
    {"NameID without Format",
     ERR_SAML_SUBJECT,
     {KIT_ATTRIBUTE, SUBJECT "/NameID", "Format", NULL},
     {KIT_ATTRIBUTE, SUBJECT "/NameID", "SPProvidedID", "alias"}},
    {"NameID with unknown Format",
     ERR_SAML_SUBJECT,
     {KIT_ATTRIBUTE, SUBJECT "/NameID", "Format", "urn:any"},
     {0}},
    {"persistent NameID for a holder of a key",
     ERR_SAML_SUBJECT,
     {KIT_ATTRIBUTE, SUBJECT "/NameID", "Format", FORMAT_20 "persistent"},
     {KIT_ATTRIBUTE, SUBJECT "/NameID", "Format", FORMAT_11 "WindowsDomainQualifiedName"}},
};

static void
test_names(void)
{
    run(name_rows, ARRAY_LEN(name_rows));
}

/* ---- attributes ---- */

/* Finds the attribute of that name: by its place among the statement's children. */
static xmlNode *
attribute_of(xmlDoc *doc, const char *name)
{
    xmlNode *node = xmlFirstElementChild(kit_at(doc, STATEMENT));
    while (node != NULL) {
        xmlChar *const value = xmlGetNoNsProp(node, (const xmlChar *)"Name");
        const bool is_it = value != NULL && strcmp((const char *)value, name) == 0;
        xmlFree(value);
        if (is_it) {
            return node;
        }
        node = xmlNextElementSibling(node);
    }
    return NULL;
}

static void
test_required_attributes(void)
{
    static const struct {
        const char *names[2];
        bool is_required;
    } rows[] = {
        {{XSPA "subject-id", NULL}, true},
        {{XSPA "organization", NULL}, true},
        {{XSPA "organization-id", NULL}, true},
        {{"urn:ihe:iti:xca:2010:homeCommunityId", "urn:nhin:names:saml:homeCommunityId"}, true},
        {{"urn:ihe:iti:xca:2010:homeCommunityId", NULL}, false},
        {{"urn:nhin:names:saml:homeCommunityId", NULL}, false},
        {{"urn:oasis:names:tc:xacml:2.0:subject:role", NULL}, true},
        {{XSPA "purposeofuse", NULL}, true},
        {{XSPA "npi", NULL}, false},
        {{"urn:oasis:names:tc:xacml:2.0:resource:resource-id", NULL}, false},
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        for (size_t n = 0; n < 2 && rows[i / 2].names[n] != NULL; n++) {
            xmlNode *const attribute = attribute_of(doc, rows[i / 2].names[n]);
            CU_ASSERT_FATAL(attribute != NULL);
            if (i % 2 == 0) {
                xmlUnlinkNode(attribute);
                xmlFreeNode(attribute);
            } else {
                xmlNodeSetContent(xmlFirstElementChild(attribute), (const xmlChar *)" ");
            }
        }
        kit_resign(doc, KIT_RSA);
        kit_check(rows[i / 2].names[0], doc, &kit.rules,
                  rows[i / 2].is_required ? ERR_SAML_ATTRIBUTE : ERR_NONE);
    }
}

#define ATTRIBUTE(name, value)                                                                     \
    SAML("Attribute")                                                                              \
    " Name=\"" name "\"><s:AttributeValue>" value "</s:AttributeValue></s:Attribute>"
#define PURPOSE(element, code, system)                                                             \
    "<h:" element " xmlns:h=\"urn:hl7-org:v3\" code=\"" code "\" codeSystem=\"" system "\"/>"
#define RCE "2.16.840.1.113883.3.7204.1.5.2.1"

static const struct row repeated_rows[] = {
    {"two purposes",
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL,
      ATTRIBUTE(XSPA "purposeofuse", PURPOSE("PurposeOfUse", "T-PYMNT", RCE))},
     {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE("urn:unknown", "ignored")}},
    {"the same purpose twice",
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL,
      ATTRIBUTE(XSPA "purposeofuse", PURPOSE("PurposeOfUse", "T-TREAT", RCE))},
     {0}},
    {"a second purpose in another statement",
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, ASSERTION, NULL,
      SAML("AttributeStatement") ">" ATTRIBUTE(
          XSPA "purposeofuse", PURPOSE("PurposeOfUse", "T-PYMNT", RCE)) "</s:AttributeStatement>"},
     {KIT_APPEND, ASSERTION, NULL,
      SAML("AttributeStatement") ">" ATTRIBUTE("urn:unknown", "x") "</s:AttributeStatement>"}},
    {"another community",
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL,
      ATTRIBUTE("urn:nhin:names:saml:homeCommunityId", "urn:oid:2.999.9")},
     {KIT_APPEND, STATEMENT, NULL,
      ATTRIBUTE("urn:nhin:names:saml:homeCommunityId", "urn:oid:2.999.1")}},
    {"another organization-id",
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE(XSPA "organization-id", "urn:oid:2.999.9")},
     {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE(XSPA "organization-id", "urn:oid:2.999.1")}},
    {"another npi",
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE(XSPA "npi", "2")},
     {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE("urn:oasis:names:tc:xacml:2.0:subject:role", "<x/>")}},
    {"an element in a text value",
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE(XSPA "subject-id", "a<x/>b")},
     {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE(XSPA "subject-id", "a&amp;b")}},
};

static void
test_repeated_attributes(void)
{
    run(repeated_rows, ARRAY_LEN(repeated_rows));
}

/* The value of one attribute is replaced. */
static void
test_values(void)
{
    static const struct {
        const char *name, *xml;
        enum err want;
    } rows[] = {
        {XSPA "purposeofuse", PURPOSE("PurposeOfUse", "", RCE), ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse", PURPOSE("PurposeOfUse", "T-TREAT", ""), ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse", PURPOSE("PurposeOfUse", "T-TREAT", "x"), ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse", PURPOSE("Purpose", "T-TREAT", RCE), ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse", "<PurposeOfUse code=\"T-TREAT\" codeSystem=\"" RCE "\"/>",
         ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse", "T-TREAT", ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse",
         PURPOSE("PurposeOfUse", "T-TREAT", RCE) PURPOSE("PurposeOfUse", "T-PYMNT", RCE),
         ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse", "text" PURPOSE("PurposeOfUse", "T-TREAT", RCE), ERR_SAML_ATTRIBUTE},
        {XSPA "purposeofuse", PURPOSE("PurposeForUse", "T-TREAT", RCE), ERR_NONE},
        {XSPA "purposeofuse", "\n" PURPOSE("PurposeOfUse", "T-TREAT", RCE) "\n", ERR_NONE},
        {"urn:ihe:iti:xca:2010:homeCommunityId", "urn:oid:2.999.01", ERR_SAML_ATTRIBUTE},
        {"urn:ihe:iti:xca:2010:homeCommunityId", "urn:oid:2.999.2", ERR_SAML_ATTRIBUTE},
        {"urn:ihe:iti:xca:2010:homeCommunityId", "2.999.1", ERR_NONE},
        {"urn:oasis:names:tc:xacml:2.0:subject:role", "doctor", ERR_SAML_ATTRIBUTE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        xmlNode *const attribute = attribute_of(doc, rows[i].name);
        char xml[1024];
        (void)snprintf(xml, sizeof(xml), SAML("AttributeValue") ">%s</s:AttributeValue>",
                       rows[i].xml);
        xmlNode *const old = xmlFirstElementChild(attribute);
        (void)xmlReplaceNode(old, kit_fragment(doc, xml));
        xmlFreeNode(old);
        kit_resign(doc, KIT_RSA);
        kit_check(rows[i].xml, doc, &kit.rules, rows[i].want);
    }
}

/* ---- facts ---- */

static void
test_facts(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct saml_facts facts;
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    const struct kit_edit edits[] = {
        {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE("urn:ihe:iti:xua:2012:acp", "urn:oid:2.999.10")},
        {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE("urn:ihe:iti:xua:2012:acp", "urn:oid:2.999.11")},
        {KIT_APPEND, STATEMENT, NULL, ATTRIBUTE("urn:ihe:iti:bppc:2007:docid", "urn:oid:2.999.12")},
        {KIT_APPEND, ASSERTION, NULL,
         SAML("AuthzDecisionStatement") " Decision=\"Permit\" Resource=\"urn:x\">"
                                        "<s:Action "
                                        "Namespace=\"urn:a\">Execute</s:Action><s:Evidence>"
                                        "<s:Assertion "
                                        "Version=\"2.0\"><s:Issuer/"
                                        "><s:AttributeStatement>" ATTRIBUTE(
                                            "AccessConsentPolicy",
                                            "urn:oid:2.999.13") "</s:AttributeStatement></"
                                                                "s:Assertion></s:Evidence></"
                                                                "s:AuthzDecisionStatement>"},
        {KIT_ATTRIBUTE, SUBJECT "/NameID", "SPProvidedID", "alias"},
    };
    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        kit_apply(doc, &edits[i]);
    }
    kit_resign(doc, KIT_RSA);
    CHECK_OK(&diag, kit_verify(kit_close(doc, arena), &kit.rules, arena, &diag, &facts));
    CU_ASSERT(facts.assertion_id.n == 37 && facts.assertion_id.p[0] == '_');
    CHECK_SPAN(facts.issuer, "CN=red signing,O=Isthmus Test");
    CHECK_SPAN(facts.issuer_format, FORMAT_11 "X509SubjectName");
    CHECK_SPAN(facts.name_id, "CN=red signing,O=Isthmus Test");
    CHECK_SPAN(facts.name_id_format, FORMAT_11 "X509SubjectName");
    CHECK_SPAN(facts.name_id_provided, "alias");
    CU_ASSERT(facts.is_holder_of_key);
    CU_ASSERT(facts.not_before_us == KIT_NOW_US - 5000000);
    CU_ASSERT(facts.not_on_or_after_us == KIT_NOW_US - 5000000 + KIT_LIFE_US);
    CU_ASSERT(facts.timestamp_created_us == KIT_NOW_US);
    CU_ASSERT(facts.timestamp_expires_us == KIT_NOW_US + KIT_LIFE_US);
    CHECK_SPAN(facts.subject_id, "Dr. \xC3\x85sa & Co <1>");
    CHECK_SPAN(facts.organization, "Red HIE");
    CHECK_SPAN(facts.organization_id, "urn:oid:2.999.1");
    CHECK_SPAN(facts.home_community, "2.999.1");
    CHECK_SPAN(facts.role.value, "112247003");
    CHECK_SPAN(facts.role.scheme, "2.16.840.1.113883.6.96");
    CHECK_SPAN(facts.role.display, "Medical doctor");
    CHECK_SPAN(facts.purpose.value, "T-TREAT");
    CHECK_SPAN(facts.purpose.scheme, RCE);
    CHECK_SPAN(facts.npi, "1234567893");
    CHECK_SPAN(facts.resource_id, "p1^^^&2.999.1.5&ISO");
    CU_ASSERT_FATAL(facts.acp.n == 3 && facts.iacp.n == 1);
    CHECK_SPAN(facts.acp.items[1], "urn:oid:2.999.11");
    CHECK_SPAN(facts.acp.items[2], "urn:oid:2.999.13");
    CHECK_SPAN(facts.iacp.items[0], "urn:oid:2.999.12");
    arena_free(arena);
}

static void
test_bearer(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct saml_facts facts;
    struct assertion_order order = kit_order(KIT_EC);
    order.style.is_bearer = true;
    order.resource_id = SPAN_EMPTY;
    order.npi = NULL;
    const struct span xml = kit_message(&order, arena);
    CHECK_ERR(&diag, ERR_SAML_CONFIRMATION, kit_verify(xml, &kit.rules, arena, &diag, &facts));
    kit.rules.may_use_bearer = true;
    CHECK_OK(&diag, kit_verify(xml, &kit.rules, arena, &diag, &facts));
    CU_ASSERT(!facts.is_holder_of_key && facts.timestamp_signature.n == 0);
    CU_ASSERT(facts.npi.n == 0 && facts.resource_id.n == 0);
    kit.rules.audiences_n = 1;
    CHECK_ERR(&diag, ERR_SAML_AUDIENCE, kit_verify(xml, &kit.rules, arena, &diag, &facts));
    kit_rules_init(&kit);
    arena_free(arena);
}

/* ---- writing ---- */

static void
test_orders(void)
{
    for (int missing = 0; missing < 9; missing++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct assertion_order order = kit_order(KIT_EC);
        struct signed_timestamp timestamp;
        struct diag diag;
        struct buf out;
        const char **const fields[] = {
            &order.audience,       &order.subject_id, &order.organization, &order.organization_id,
            &order.home_community, &order.role,       &order.purpose,      &order.purpose_system};
        diag_clear(&diag);
        buf_init(&out, 100000);
        CHECK_OK(&diag, timestamp_sign(order.signer, DIALECT_SHA256, KIT_NOW_US, KIT_LIFE_US, arena,
                                       &diag, &timestamp));
        if (missing < 8) {
            *fields[missing] = missing % 2 == 0 ? NULL : "";
        }
        CHECK_ERR(&diag, missing < 8 ? ERR_CONFIG : ERR_NONE,
                  security_write(&order, &timestamp, &out, &diag));
        buf_done(&out);
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    /* REQ: ITI40-conditions */
    {"times", test_time},
    /* REQ: ITI40-audience, ITI40-authn, ITI40-subject */
    {"structure, audience, authentication", test_structure},
    {"assertion IDs", test_assertion_id},
    /* REQ: ITI40-subject */
    {"names", test_names},
    /* REQ: ITI40-attributes */
    {"required attributes", test_required_attributes},
    /* REQ: ITI40-repeated */
    {"repeated attributes", test_repeated_attributes},
    {"values", test_values},
    {"facts", test_facts},
    /* REQ: ITI40-bearer */
    {"bearer", test_bearer},
    {"what an order must say", test_orders},
};

int
main(void)
{
    kit_init();
    kit_rules_init(&kit);
    const int rc = unit_main("saml", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
