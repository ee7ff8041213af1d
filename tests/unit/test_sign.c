/*
 * Our own assertions and Timestamps in every style that a partner may want: the verifier, which
 * canonicalises with libxml2 and computes with xmlsec, accepts what the writer signed without
 * either, and finds what was ordered. Then what must not be written.
 */
#include <stdio.h>
#include <string.h>

#include "soap/sign.h"
#include "tests/unit/soap_kit.h"

#define BASIC   "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"
#define IHE     "urn:ihe:iti:xca:2010:homeCommunityId"
#define NHIN    "urn:nhin:names:saml:homeCommunityId"
#define NPI_1_0 "urn:oasis:names:tc:xspa:1.0:subject:npi"
#define NPI_2_0 "urn:oasis:names:tc:xspa:2.0:subject:npi"
#define MORE    "http://www.w3.org/2001/04/xmldsig-more#"
#define XMLENC  "http://www.w3.org/2001/04/xmlenc#"

static struct kit_rules kit;

static size_t
count_of(struct span text, const char *needle)
{
    size_t n = 0;
    struct span rest = text;
    for (size_t at = span_find(rest, span_of_cstr(needle)); at != SPAN_MISSING;
         at = span_find(rest, span_of_cstr(needle))) {
        n++;
        rest = span_slice(rest, at + strlen(needle), rest.n);
    }
    return n;
}

/* Everything that an order may hold, in a style. */
static struct assertion_order
full_order(enum kit_who who, const struct dialect_style *style)
{
    static struct span acp[] = {{"urn:oid:2.999.10", 16}, {"urn:oid:2.999.11", 16}};
    static struct span iacp[] = {{"urn:oid:2.999.12", 16}};
    struct assertion_order order = kit_order(who);
    order.acp = (struct span_list){acp, 2, 2};
    order.iacp = (struct span_list){iacp, 1, 1};
    order.delegator = SPAN("Organization/<7>");
    order.id_token = SPAN("aaa.bbb.ccc");
    order.style = *style;
    order.sha1_until_us = KIT_NOW_US + 1;
    return order;
}

static void
check_facts(const struct saml_facts *facts, const struct dialect_style *style)
{
    CU_ASSERT_EQUAL(facts->is_holder_of_key, !style->is_bearer);
    CU_ASSERT_EQUAL(facts->has_sha1, style->digest == DIALECT_SHA1);
    CU_ASSERT_EQUAL(facts->omitted, 0);
    CHECK_SPAN(facts->home_community, "2.999.1");
    CHECK_SPAN(facts->subject_id, "Dr. \xC3\x85sa & Co <1>");
    CHECK_SPAN(facts->npi, "1234567893");
    CHECK_SPAN(facts->delegator, "Organization/<7>");
    CHECK_SPAN(facts->id_token, "aaa.bbb.ccc");
    CHECK_SPAN(facts->resource_id, "p1^^^&2.999.1.5&ISO");
    CU_ASSERT_FATAL(facts->acp.n == 2 && facts->iacp.n == 1);
    CHECK_SPAN(facts->acp.items[1], "urn:oid:2.999.11");
    CHECK_SPAN(facts->iacp.items[0], "urn:oid:2.999.12");
}

static void
check_text(struct span xml, const struct dialect_style *style)
{
    CU_ASSERT_EQUAL(count_of(xml, IHE), style->community != DIALECT_COMMUNITY_NHIN);
    CU_ASSERT_EQUAL(count_of(xml, NHIN), style->community != DIALECT_COMMUNITY_IHE);
    CU_ASSERT_EQUAL(count_of(xml, NPI_1_0), 1);
    CU_ASSERT_EQUAL(count_of(xml, NPI_2_0), style->has_npi_2_0);
    CU_ASSERT_EQUAL(count_of(xml, BASIC), style->is_subject_id_basic);
    CU_ASSERT_EQUAL(count_of(xml, "<saml2:AuthzDecisionStatement "), style->has_authz_decision);
    CU_ASSERT_EQUAL(count_of(xml, "<saml2:Evidence>"), style->has_authz_decision);
}

/* Which methods stand in both signatures, by key and digest. */
static const struct {
    enum kit_who who;
    enum dialect_digest digest;
    const char *method, *digest_method;
} methods[] = {
    {KIT_RSA, DIALECT_SHA256, MORE "rsa-sha256", XMLENC "sha256"},
    {KIT_RSA, DIALECT_SHA384, MORE "rsa-sha384", MORE "sha384"},
    {KIT_RSA, DIALECT_SHA512, MORE "rsa-sha512", XMLENC "sha512"},
    {KIT_RSA, DIALECT_SHA1, NS_DS "rsa-sha1", NS_DS "sha1"},
    {KIT_EC, DIALECT_SHA256, MORE "ecdsa-sha256", XMLENC "sha256"},
    {KIT_EC, DIALECT_SHA384, MORE "ecdsa-sha384", MORE "sha384"},
    {KIT_EC, DIALECT_SHA512, MORE "ecdsa-sha384", XMLENC "sha512"},
    {KIT_EC, DIALECT_SHA1, MORE "ecdsa-sha1", NS_DS "sha1"},
    {KIT_EC384, DIALECT_SHA256, MORE "ecdsa-sha384", XMLENC "sha256"},
    {KIT_EC384, DIALECT_SHA384, MORE "ecdsa-sha384", MORE "sha384"},
    {KIT_EC384, DIALECT_SHA512, MORE "ecdsa-sha384", XMLENC "sha512"},
    {KIT_EC384, DIALECT_SHA1, MORE "ecdsa-sha1", NS_DS "sha1"},
};

static void
check_style(size_t row, const struct dialect_style *style)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct saml_facts facts;
    const struct assertion_order order = full_order(methods[row].who, style);
    const struct span xml = kit_message(&order, arena);
    const size_t signatures = style->is_bearer ? 1 : 2;
    char method[128];
    char digest[128];
    (void)snprintf(method, sizeof(method), "<ds:SignatureMethod Algorithm=\"%s\">",
                   methods[row].method);
    (void)snprintf(digest, sizeof(digest), "<ds:DigestMethod Algorithm=\"%s\">",
                   methods[row].digest_method);
    CU_ASSERT_EQUAL(count_of(xml, method), signatures);
    CU_ASSERT_EQUAL(count_of(xml, digest), signatures);
    check_text(xml, style);
    kit.rules.may_use_bearer = style->is_bearer;
    kit.rules.sha1_until_us =
        style->digest == DIALECT_SHA1 ? kit.rules.now_us + 1 : kit.rules.now_us;
    if (CHECK_OK(&diag, kit_verify(xml, &kit.rules, arena, &diag, &facts))) {
        check_facts(&facts, style);
    }
    if (style->digest == DIALECT_SHA1) {
        kit.rules.sha1_until_us = 0;
        CHECK_ERR(&diag, ERR_SIG_ALGORITHM, kit_verify(xml, &kit.rules, arena, &diag, &facts));
    }
    arena_free(arena);
}

static void
test_styles(void)
{
    for (size_t row = 0; row < ARRAY_LEN(methods); row++) {
        for (unsigned bits = 0; bits < 16; bits++) {
            const struct dialect_style style = {
                .is_bearer = (bits & 1) != 0,
                .digest = methods[row].digest,
                .is_subject_id_basic = (bits & 2) != 0,
                .community = (enum dialect_community)(bits % 3),
                .has_npi_2_0 = (bits & 4) != 0,
                .has_authz_decision = (bits & 8) != 0,
            };
            check_style(row, &style);
        }
    }
}

/* No consent, nothing to decide about. */
static void
test_no_consent(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct assertion_order order = kit_order(KIT_EC);
    order.style.has_authz_decision = true;
    CU_ASSERT_EQUAL(count_of(kit_message(&order, arena), "AuthzDecision"), 0);
    arena_free(arena);
}

static void
test_refused(void)
{
    static struct span not_oid[] = {{"2.999.10", 8}};
    for (int i = 0; i < 6; i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct assertion_order order = kit_order(KIT_EC);
        struct signed_timestamp timestamp;
        enum dialect_digest digest = DIALECT_SHA256;
        enum err want = ERR_CONFIG;
        struct diag diag;
        struct buf out;
        diag_clear(&diag);
        buf_init(&out, 100000);
        if (i == 0) {
            order.acp = (struct span_list){not_oid, 1, 1};
        } else if (i == 1) {
            order.iacp = (struct span_list){not_oid, 1, 1};
        } else if (i == 2) { /* no end date */
            order.style.digest = digest = DIALECT_SHA1;
        } else if (i == 3) { /* the end */
            order.style.digest = digest = DIALECT_SHA1;
            order.sha1_until_us = order.now_us;
        } else if (i == 4) {
            digest = DIALECT_SHA384;
            want = ERR_INTERNAL;
        } else {
            want = ERR_NONE;
        }
        CHECK_OK(&diag, timestamp_sign(order.signer, digest, KIT_NOW_US, KIT_LIFE_US, arena, &diag,
                                       &timestamp));
        CHECK_ERR(&diag, want, security_write(&order, &timestamp, &out, &diag));
        CU_ASSERT_EQUAL(out.n == 0, want != ERR_NONE);
        buf_done(&out);
        arena_free(arena);
    }
}

/* What is written is its own canonical form: the assertion without signature, and each SignedInfo.
 */
static void
check_canonical(xmlDoc *doc, const char *path, const char *without, struct span xml)
{
    int n = 0;
    xmlNode *const top = kit_at(doc, path);
    xmlNode *const left_out = without == NULL ? NULL : kit_at(doc, without);
    xmlChar *const text = kit_canonical(top, left_out, &n);
    const struct span canonical = span_of((const char *)text, (size_t)n);
    const size_t cut = span_find(canonical, SPAN("</saml2:Issuer>"));
    if (without == NULL) {
        CU_ASSERT(span_find(xml, canonical) != SPAN_MISSING);
    } else {
        CU_ASSERT_FATAL(cut != SPAN_MISSING);
        CU_ASSERT(span_find(xml, span_slice(canonical, 0, cut)) != SPAN_MISSING);
        CU_ASSERT(span_find(xml, span_slice(canonical, cut + 15, SIZE_MAX)) != SPAN_MISSING);
    }
    xmlFree(text);
}

static void
test_canonical(void)
{
    const struct dialect_style style = {.has_authz_decision = true, .has_npi_2_0 = true};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct assertion_order order = full_order(KIT_EC, &style);
    const struct span xml = kit_message(&order, arena);
    xmlDoc *const doc = kit_open(xml);
    check_canonical(doc, "Header/Security/Assertion", "Header/Security/Assertion/Signature", xml);
    check_canonical(doc, "Header/Security/Assertion/Signature/SignedInfo", NULL, xml);
    check_canonical(doc, "Header/Security/Signature/SignedInfo", NULL, xml);
    check_canonical(doc, "Header/Security/Timestamp", NULL, xml);
    xmlFreeDoc(doc);
    arena_free(arena);
}

/* Bytes that XML must escape, in every place that takes text. */
static void
test_odd_text(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag;
    struct saml_facts facts;
    struct assertion_order order = kit_order(KIT_EC);
    order.subject_id = "a\r\n\t\"'<>&]]>\xF0\x9F\x98\x80 b";
    order.organization = "x\"\t\ry";
    order.role_display = "tab\there \"quoted\" <&>\r\n";
    kit_rules_init(&kit);
    if (CHECK_OK(&diag, kit_verify(kit_message(&order, arena), &kit.rules, arena, &diag, &facts))) {
        CHECK_SPAN(facts.subject_id, order.subject_id);
        CHECK_SPAN(facts.organization, order.organization);
        CHECK_SPAN(facts.role.display, "tab\there \"quoted\" <&>");
    }
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"192 styles are accepted", test_styles},     {"no consent", test_no_consent},
    {"what is not written", test_refused},        {"canonical as written", test_canonical},
    {"text that must be escaped", test_odd_text},
};

int
main(void)
{
    kit_init();
    kit_rules_init(&kit);
    const int rc = unit_main("sign", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
