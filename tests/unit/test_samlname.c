/*
 * Names of assertions by format, value and place. What one format refuses has a neighbour that is
 * accepted, so that neither a check that is missing nor one that refuses everything goes unseen.
 */
#include <stdio.h>
#include <string.h>

#include "soap/samlname.h"
#include "tests/unit/unit.h"

#define FORMAT_11  "urn:oasis:names:tc:SAML:1.1:nameid-format:"
#define FORMAT_20  "urn:oasis:names:tc:SAML:2.0:nameid-format:"
#define EMAIL      FORMAT_11 "emailAddress"
#define WINDOWS    FORMAT_11 "WindowsDomainQualifiedName"
#define ENTITY     FORMAT_20 "entity"
#define PERSISTENT FORMAT_20 "persistent"

static enum err
check_name(const char *format, const char *qualifier, struct span value, enum saml_name_use use,
           uint32_t relaxed, uint32_t *omitted)
{
    struct diag diag;
    diag_clear(&diag);
    const struct saml_reader reader = {.relaxed = relaxed, .omitted = omitted, .diag = &diag};
    xmlNode *const node = xmlNewNode(NULL, (const xmlChar *)"Issuer");
    if (format != NULL) {
        (void)xmlSetProp(node, (const xmlChar *)"Format", (const xmlChar *)format);
    }
    if (qualifier != NULL) {
        (void)xmlSetProp(node, (const xmlChar *)qualifier, (const xmlChar *)"x");
    }
    const struct status st = saml_name_check(&reader, node, value, use, ERR_SAML_ISSUER);
    xmlFreeNode(node);
    return st.code;
}

static void
expect(const char *format, const char *qualifier, struct span value, enum saml_name_use use,
       enum err want)
{
    uint32_t omitted = 0;
    const enum err got = check_name(format, qualifier, value, use, 0, &omitted);
    if (got != want) {
        (void)printf("%s, '%.*s': ", format == NULL ? "no Format" : format, SPAN_PRINT(value));
    }
    CU_ASSERT_EQUAL(got, want);
    CU_ASSERT_EQUAL(omitted, 0);
}

struct value {
    const char *text;
    bool is_good;
};

static void
expect_values(const char *format, enum saml_name_use use, const struct value *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        expect(format, NULL, span_of_cstr(values[i].text), use,
               values[i].is_good ? ERR_NONE : ERR_SAML_ISSUER);
    }
}

static void
test_distinguished_names(void)
{
    static const struct value values[] = {
        {"", false},        {"red", false},        {"=a", false},       {"C N=a", false},
        {"C!=a", false},    {"-x=a", false},       {".1=a", false},     {"CN", false},
        {"CN:a", false},    {"CN=", false},        {"CN= ", false},     {"CN=,O=b", false},
        {"CN=a,", false},   {"CN=a,b", false},     {"CN=a\\", false},   {"CN=\"a", false},
        {"CN=a<b", false},  {"CN=a>b", false},     {"CN=a", true},      {" CN = a , O = b ", true},
        {"CN=a\\,b", true}, {"CN=\"a<,b\"", true}, {"2.5.4.3=a", true}, {"CN=a+OU=b;O=c", true},
    };
    expect_values(SAML_X509_SUBJECT, SAML_NAME_ISSUER, values, ARRAY_LEN(values));
}

static void
test_email_addresses(void)
{
    static const struct value values[] = {
        {"red", false},     {"@b.example", false}, {"a@", false},     {"a@b@c", false},
        {"a b@c", false},   {"a@b c", false},      {"a\t@b", false},  {"<a@b>", false},
        {"a,b@c", false},   {"\"a\"@b", false},    {"a(x)@b", false}, {"a\\b@c", false},
        {"a@[1.2]", false}, {"a;b@c", false},      {"a:b@c", false},  {"a@b.example", true},
        {"a.b+c@d", true},
    };
    expect_values(EMAIL, SAML_NAME_HOLDER, values, ARRAY_LEN(values));
}

static void
test_windows_names(void)
{
    static const struct value values[] = {
        {"", false},   {"BLUE\\", false}, {"\\ann", false},    {"BLUE\\ann\\x", false},
        {"\\", false}, {"ann", true},     {"BLUE\\ann", true},
    };
    expect_values(WINDOWS, SAML_NAME_HOLDER, values, ARRAY_LEN(values));
}

/* 1024 characters at most, as SAML core 8.3.6 has it. */
static void
test_entities(void)
{
    static const struct value values[] = {{"", false}, {"blue", false}, {"urn:oid:2.999.1", true}};
    char text[1025];
    memset(text, 'a', sizeof(text));
    text[3] = ':';
    expect_values(ENTITY, SAML_NAME_ISSUER, values, ARRAY_LEN(values));
    expect(ENTITY, NULL, span_of(text, 1024), SAML_NAME_ISSUER, ERR_NONE);
    expect(ENTITY, NULL, span_of(text, 1025), SAML_NAME_ISSUER, ERR_SAML_ISSUER);
    expect(ENTITY, "NameQualifier", SPAN("urn:x"), SAML_NAME_ISSUER, ERR_SAML_ISSUER);
    expect(ENTITY, "SPNameQualifier", SPAN("urn:x"), SAML_NAME_ISSUER, ERR_SAML_ISSUER);
    expect(ENTITY, "SPProvidedID", SPAN("urn:x"), SAML_NAME_ISSUER, ERR_SAML_ISSUER);
    expect(EMAIL, "NameQualifier", SPAN("a@b"), SAML_NAME_ISSUER, ERR_NONE);
}

/* Which formats a name may have depends on where it stands. */
static void
test_places(void)
{
    static const struct {
        const char *format, *value;
        bool is_good[3]; /* as Issuer, as NameID of a holder of a key, of a bearer */
    } rows[] = {
        {SAML_X509_SUBJECT, "CN=a", {true, true, true}},
        {EMAIL, "a@b", {true, true, true}},
        {WINDOWS, "ann", {true, true, true}},
        {ENTITY, "urn:x", {true, false, false}},
        {PERSISTENT, "x", {false, false, true}},
        {FORMAT_20 "transient", "x", {false, false, true}},
        {FORMAT_11 "unspecified", "x", {false, false, true}},
        {NULL, "x", {false, false, true}},
        {NULL, "", {false, false, false}},
        {PERSISTENT, "", {false, false, false}},
        {FORMAT_20 "kerberos", "x", {false, false, false}},
    };
    for (size_t i = 0; i < 3 * ARRAY_LEN(rows); i++) {
        expect(rows[i / 3].format, NULL, span_of_cstr(rows[i / 3].value),
               (enum saml_name_use)(i % 3),
               rows[i / 3].is_good[i % 3] ? ERR_NONE : ERR_SAML_ISSUER);
    }
}

/* A relaxation does what it says, is noted when it was needed, and accepts no empty name. */
static void
test_relaxed_names(void)
{
    static const struct {
        const char *format, *value;
        uint32_t relaxed, noted;
        enum err want;
    } rows[] = {
        {NULL, "x", DIALECT_BIT(RELAX_ISSUER_FORMAT), DIALECT_BIT(RELAX_ISSUER_FORMAT), ERR_NONE},
        {NULL, "", DIALECT_BIT(RELAX_ISSUER_FORMAT), 0, ERR_SAML_ISSUER},
        {NULL, "x", DIALECT_BIT(RELAX_NAME_SYNTAX), 0, ERR_SAML_ISSUER},
        {EMAIL, "x", DIALECT_BIT(RELAX_NAME_SYNTAX), DIALECT_BIT(RELAX_NAME_SYNTAX), ERR_NONE},
        {EMAIL, "x", DIALECT_BIT(RELAX_ISSUER_FORMAT), 0, ERR_SAML_ISSUER},
        {EMAIL, "", DIALECT_BIT(RELAX_NAME_SYNTAX), 0, ERR_SAML_ISSUER},
        {EMAIL, "a@b", DIALECT_BIT(RELAX_NAME_SYNTAX), 0, ERR_NONE},
        {FORMAT_20 "kerberos", "x", UINT32_MAX, 0, ERR_SAML_ISSUER},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint32_t omitted = 0;
        CU_ASSERT_EQUAL(check_name(rows[i].format, NULL, span_of_cstr(rows[i].value),
                                   SAML_NAME_ISSUER, rows[i].relaxed, &omitted),
                        rows[i].want);
        CU_ASSERT_EQUAL(omitted, rows[i].noted);
    }
}

static const struct unit_test tests[] = {
    {"distinguished names", test_distinguished_names},
    {"e-mail addresses", test_email_addresses},
    {"names of Windows domains", test_windows_names},
    {"entities", test_entities},
    {"formats by place", test_places},
    {"relaxed names", test_relaxed_names},
};

UNIT_MAIN("samlname", tests)
