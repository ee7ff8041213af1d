/*
 * What a partner may leave out: refused by name while its relaxation is off (all others being on),
 * accepted with it alone, and said in the facts. Then SHA-1: a partner's grace period and its end.
 */
#include <stdio.h>

#include "tests/unit/soap_expect.h"

#define ASSERTION  "Header/Security/Assertion"
#define TIMESTAMP  "Header/Security/Timestamp"
#define CONDITIONS ASSERTION "/Conditions"
#define STATEMENT  ASSERTION "/AttributeStatement"
#define XSPA       "urn:oasis:names:tc:xspa:1.0:subject:"
#define RCE        "2.16.840.1.113883.3.7204.1.5.2.1"
/* Those of assertions; what follows is about messages (test_dialects). */
#define ALL (DIALECT_BIT(RELAX_ANSWER) - 1)

static struct kit_rules kit;

/* Verifies a copy of <doc>; the facts' spans die with it, so <check> sees them before. */
static void
verify(const char *name, xmlDoc *doc, enum err want, uint32_t omitted, bool has_sha1,
       void (*check)(const struct saml_facts *facts))
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct saml_facts facts;
    xmlDoc *const copy = xmlCopyDoc(doc, 1);
    if (kit_expect(name, copy, &kit.rules, want, arena, &facts) && want == ERR_NONE) {
        CU_ASSERT_EQUAL(facts.omitted, omitted);
        CU_ASSERT_EQUAL(facts.has_sha1, has_sha1);
        if (check != NULL) {
            check(&facts);
        }
    }
    arena_free(arena);
}

/* ---- relaxations ---- */

static void
no_authn(const struct saml_facts *facts)
{
    CU_ASSERT_EQUAL(facts->authn_instant_us, 0);
}

static void
begins_when_issued(const struct saml_facts *facts)
{
    CU_ASSERT_EQUAL(facts->not_before_us, KIT_NOW_US);
}

static void
no_issuer_format(const struct saml_facts *facts)
{
    CU_ASSERT(facts->issuer_format.n == 0 && facts->issuer.n > 0);
}

static void
is_plain_issuer(const struct saml_facts *facts)
{
    CHECK_SPAN(facts->issuer, "red");
}

static void
no_subject_id(const struct saml_facts *facts)
{
    CU_ASSERT_EQUAL(facts->subject_id.n, 0);
}

static void
no_organization(const struct saml_facts *facts)
{
    CU_ASSERT_EQUAL(facts->organization.n, 0);
}

static void
no_organization_id(const struct saml_facts *facts)
{
    CU_ASSERT_EQUAL(facts->organization_id.n, 0);
}

static void
partners_own_community(const struct saml_facts *facts)
{
    CHECK_SPAN(facts->home_community, "2.999.77");
}

static void
no_role(const struct saml_facts *facts)
{
    CU_ASSERT(facts->role.value.n == 0 && facts->role.scheme.n == 0);
}

static void
first_purpose(const struct saml_facts *facts)
{
    CHECK_SPAN(facts->purpose.value, "T-TREAT");
}

static const struct {
    enum dialect_relaxation relaxation;
    enum err want; /* without it */
    struct kit_edit edit;
    const char *removed[2]; /* attributes, by name */
    void (*check)(const struct saml_facts *facts);
} rows[] = {
    {RELAX_AUTHN_STATEMENT,
     ERR_SAML_AUTHN,
     {KIT_REMOVE, ASSERTION "/AuthnStatement", NULL, NULL},
     {NULL, NULL},
     no_authn},
    {RELAX_AUDIENCE,
     ERR_SAML_AUDIENCE,
     {KIT_REMOVE, CONDITIONS "/AudienceRestriction", NULL, NULL},
     {NULL, NULL},
     NULL},
    {RELAX_NOT_BEFORE,
     ERR_SAML_CONDITIONS,
     {KIT_ATTRIBUTE, CONDITIONS, "NotBefore", NULL},
     {NULL, NULL},
     begins_when_issued},
    {RELAX_ISSUER_FORMAT,
     ERR_SAML_ISSUER,
     {KIT_ATTRIBUTE, ASSERTION "/Issuer", "Format", NULL},
     {NULL, NULL},
     no_issuer_format},
    {RELAX_NAME_SYNTAX,
     ERR_SAML_ISSUER,
     {KIT_TEXT, ASSERTION "/Issuer", NULL, "red"},
     {NULL, NULL},
     is_plain_issuer},
    {RELAX_NAME_SYNTAX,
     ERR_SAML_SUBJECT,
     {KIT_TEXT, ASSERTION "/Subject/NameID", NULL, "nobody"},
     {NULL, NULL},
     NULL},
    {RELAX_SUBJECT_ID, ERR_SAML_ATTRIBUTE, {0}, {XSPA "subject-id", NULL}, no_subject_id},
    {RELAX_ORGANIZATION, ERR_SAML_ATTRIBUTE, {0}, {XSPA "organization", NULL}, no_organization},
    {RELAX_ORGANIZATION_ID,
     ERR_SAML_ATTRIBUTE,
     {0},
     {XSPA "organization-id", NULL},
     no_organization_id},
    {RELAX_HOME_COMMUNITY,
     ERR_SAML_ATTRIBUTE,
     {0},
     {"urn:ihe:iti:xca:2010:homeCommunityId", "urn:nhin:names:saml:homeCommunityId"},
     partners_own_community},
    {RELAX_ROLE,
     ERR_SAML_ATTRIBUTE,
     {0},
     {"urn:oasis:names:tc:xacml:2.0:subject:role", NULL},
     no_role},
    {RELAX_SECOND_PURPOSE,
     ERR_SAML_ATTRIBUTE,
     {KIT_APPEND, STATEMENT, NULL,
      "<s:Attribute xmlns:s=\"" NS_SAML2 "\" Name=\"" XSPA "purposeofuse\"><s:AttributeValue>"
      "<h:PurposeOfUse xmlns:h=\"" NS_HL7 "\" code=\"T-PYMNT\" codeSystem=\"" RCE "\"/>"
      "</s:AttributeValue></s:Attribute>"},
     {NULL, NULL},
     first_purpose},
    {RELAX_KEY_INFO,
     ERR_SIG_NO_TRUST,
     {KIT_REMOVE, ASSERTION "/Signature/KeyInfo", NULL, NULL},
     {NULL, NULL},
     NULL},
};

static void
test_relaxations(void)
{
    uint32_t seen = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const enum dialect_relaxation relaxation = rows[i].relaxation;
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_apply(doc, &rows[i].edit);
        for (size_t n = 0; n < 2 && rows[i].removed[n] != NULL; n++) {
            kit_remove_attribute(doc, rows[i].removed[n]);
        }
        kit_resign(doc, KIT_RSA);
        kit_rules_init(&kit);
        kit.rules.community = "2.999.77";
        kit.rules.relaxed = ALL & ~DIALECT_BIT(relaxation);
        verify(dialect_name(relaxation), doc, rows[i].want, 0, false, NULL);
        kit.rules.relaxed = DIALECT_BIT(relaxation);
        verify(dialect_name(relaxation), doc, ERR_NONE, DIALECT_BIT(relaxation), false,
               rows[i].check);
        seen |= DIALECT_BIT(relaxation);
        xmlFreeDoc(doc);
    }
    CU_ASSERT_EQUAL(seen, ALL); /* a new relaxation needs a row */
}

/* A complete message needs nothing of what is allowed. */
static void
test_complete(void)
{
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    kit_rules_init(&kit);
    kit.rules.relaxed = ALL;
    verify("complete", doc, ERR_NONE, 0, false, NULL);
    xmlFreeDoc(doc);
}

/* What no relaxation covers, with all of them on. */
static void
test_never_relaxed(void)
{
    static const struct {
        const char *name;
        enum err want;
        struct kit_edit edit;
    } never[] = {
        {"no purpose", ERR_SAML_ATTRIBUTE, {KIT_TEXT, STATEMENT, NULL, ""}},
        {"empty Issuer", ERR_SAML_ISSUER, {KIT_TEXT, ASSERTION "/Issuer", NULL, ""}},
        {"empty NameID", ERR_SAML_SUBJECT, {KIT_TEXT, ASSERTION "/Subject/NameID", NULL, ""}},
        {"unknown Format of the Issuer",
         ERR_SAML_ISSUER,
         {KIT_ATTRIBUTE, ASSERTION "/Issuer", "Format", "urn:any"}},
        {"NameID without Format",
         ERR_SAML_SUBJECT,
         {KIT_ATTRIBUTE, ASSERTION "/Subject/NameID", "Format", NULL}},
        {"no end", ERR_SAML_CONDITIONS, {KIT_ATTRIBUTE, CONDITIONS, "NotOnOrAfter", NULL}},
        {"another audience",
         ERR_SAML_AUDIENCE,
         {KIT_TEXT, CONDITIONS "/AudienceRestriction/Audience", NULL, "urn:other"}},
        {"invented class",
         ERR_SAML_AUTHN,
         {KIT_TEXT, ASSERTION "/AuthnStatement/AuthnContext/AuthnContextClassRef", NULL, "urn:x"}},
        {"unsigned", ERR_SIG_MISSING, {KIT_REMOVE, ASSERTION "/Signature", NULL, NULL}},
    };
    kit_rules_init(&kit);
    kit.rules.relaxed = ALL;
    for (size_t i = 0; i < ARRAY_LEN(never); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_apply(doc, &never[i].edit);
        if (never[i].want != ERR_SIG_MISSING) {
            kit_resign(doc, KIT_RSA);
        }
        verify(never[i].name, doc, never[i].want, 0, false, NULL);
        xmlFreeDoc(doc);
    }
}

/* Without NotBefore the life is counted from IssueInstant: nothing lives for ever. */
static void
test_life_without_beginning(void)
{
    static const struct {
        const char *issued;
        enum err want;
    } lives[] = {{"2027-01-15T07:59:55Z", ERR_NONE},
                 {"2027-01-15T07:59:54Z", ERR_SAML_CONDITIONS},
                 {"2020-01-01T00:00:00Z", ERR_SAML_CONDITIONS}};
    kit_rules_init(&kit);
    kit.rules.relaxed = DIALECT_BIT(RELAX_NOT_BEFORE);
    for (size_t i = 0; i < ARRAY_LEN(lives); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_set(kit_at(doc, CONDITIONS), "NotBefore", NULL);
        kit_set(kit_at(doc, ASSERTION), "IssueInstant", lives[i].issued);
        kit_resign(doc, KIT_RSA);
        verify(lives[i].issued, doc, lives[i].want, DIALECT_BIT(RELAX_NOT_BEFORE), false, NULL);
        xmlFreeDoc(doc);
    }
}

/* The relaxation says whose community it is; without that there is none to take. */
static void
test_no_community(void)
{
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    kit_rules_init(&kit);
    kit.rules.relaxed = ALL;
    kit_remove_attribute(doc, "urn:ihe:iti:xca:2010:homeCommunityId");
    kit_remove_attribute(doc, "urn:nhin:names:saml:homeCommunityId");
    kit_resign(doc, KIT_RSA);
    verify("no community at all", doc, ERR_SAML_ATTRIBUTE, 0, false, NULL);
    xmlFreeDoc(doc);
}

/* ---- SHA-1 ---- */

enum sha1_place { SHA1_METHOD, SHA1_DIGEST, SHA1_BOTH, SHA1_NONE };

static void
set_sha1(xmlDoc *doc, const char *signature, const char *target, enum sha1_place place,
         enum kit_who who)
{
    char path[256];
    const struct kit_signing how = {
        .key = kit_credential(who)->key,
        .digest = place == SHA1_DIGEST || place == SHA1_NONE ? "SHA256" : "SHA1",
        .reference_digest = place == SHA1_METHOD || place == SHA1_NONE ? "SHA256" : "SHA1",
    };
    if (place == SHA1_METHOD || place == SHA1_BOTH) {
        (void)snprintf(path, sizeof(path), "%s/SignedInfo/SignatureMethod", signature);
        kit_set(kit_at(doc, path), "Algorithm",
                who == KIT_RSA ? NS_DS "rsa-sha1"
                               : "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1");
    }
    if (place == SHA1_DIGEST || place == SHA1_BOTH) {
        (void)snprintf(path, sizeof(path), "%s/SignedInfo/Reference/DigestMethod", signature);
        kit_set(kit_at(doc, path), "Algorithm", NS_DS "sha1");
    }
    kit_sign(kit_at(doc, signature), kit_at(doc, target), &how);
}

static void
test_sha1(void)
{
    for (int i = 0; i < 2 * 2 * 3; i++) {
        const enum kit_who who = i % 2 == 0 ? KIT_RSA : KIT_EC;
        const bool is_timestamp = i / 2 % 2 == 1;
        xmlDoc *const doc = kit_genuine(who);
        set_sha1(doc, is_timestamp ? "Header/Security/Signature" : ASSERTION "/Signature",
                 is_timestamp ? TIMESTAMP : ASSERTION, (enum sha1_place)(i / 4), who);
        kit_rules_init(&kit);
        kit.rules.relaxed = ALL;
        verify("SHA-1, never allowed", doc, ERR_SIG_ALGORITHM, 0, false, NULL);
        kit.rules.sha1_until_us = kit.rules.now_us;
        verify("SHA-1, at its end", doc, ERR_SIG_ALGORITHM, 0, false, NULL);
        kit.rules.sha1_until_us = kit.rules.now_us + 1;
        verify("SHA-1, a moment before its end", doc, ERR_NONE, 0, true, NULL);
        xmlFreeDoc(doc);
    }
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    kit_rules_init(&kit);
    kit.rules.sha1_until_us = kit.rules.now_us + 1;
    verify("SHA-256 while SHA-1 is allowed", doc, ERR_NONE, 0, false, NULL);
    kit_set(kit_at(doc, ASSERTION "/Signature/SignedInfo/SignatureMethod"), "Algorithm",
            "http://www.w3.org/2001/04/xmldsig-more#rsa-md5");
    verify("MD5 while SHA-1 is allowed", doc, ERR_SIG_ALGORITHM, 0, false, NULL);
    xmlFreeDoc(doc);
}

static const struct unit_test tests[] = {
    {"each one alone", test_relaxations},
    {"a complete message", test_complete},
    {"what is never relaxed", test_never_relaxed},
    {"life without a beginning", test_life_without_beginning},
    {"no community", test_no_community},
    {"SHA-1 until a date", test_sha1},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("relaxed", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
