/*
 * Shapes of signatures and keys that the engine would stumble over, or overlook: each refused for
 * its shape, before any arithmetic. What a signature covers is signed again by the right key.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/sigrules.h"
#include "tests/unit/soap_expect.h"

#define SECURITY    "Header/Security"
#define SIGNATURE   SECURITY "/Assertion/Signature"
#define INFO        SIGNATURE "/SignedInfo"
#define REFERENCE   INFO "/Reference"
#define TRANSFORMS  REFERENCE "/Transforms"
#define METHOD      INFO "/CanonicalizationMethod"
#define KEY_INFO    SIGNATURE "/KeyInfo"
#define KEY_VALUE   KEY_INFO "/KeyValue"
#define MODULUS     KEY_VALUE "/RSAKeyValue/Modulus"
#define MESSAGE_REF SECURITY "/Signature/SignedInfo/Reference"
#define C14N        "http://www.w3.org/2001/10/xml-exc-c14n#"
#define DS(name)    "<ds:" name " xmlns:ds=\"" NS_DS "\""
#define PREFIXES    "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\" PrefixList=\"p\""

static const struct kit_attack shape_rows[] = {
    {"no SignedInfo", KIT_KEEP, ERR_SIG_STRUCTURE, {KIT_REMOVE, INFO, NULL, NULL}, {0}},
    {"no SignatureValue",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_REMOVE, SIGNATURE "/SignatureValue", NULL, NULL},
     {0}},
    {"no DigestValue",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_REMOVE, REFERENCE "/DigestValue", NULL, NULL},
     {0}},
    {"text in the canonicalisation method",
     KIT_RESIGN,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, METHOD, NULL, "text"},
     {KIT_APPEND, METHOD, NULL, " \n"}},
    {"another child of the canonicalisation method",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_APPEND, METHOD, NULL, "<x/>"},
     {KIT_APPEND, METHOD, NULL, PREFIXES "/>"}},
    {"two lists of prefixes",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_REPLACE, METHOD, NULL,
      DS("CanonicalizationMethod") " Algorithm=\"" C14N "\">" PREFIXES "/>" PREFIXES
                                   "/></ds:CanonicalizationMethod>"},
     {0}},
    {"text in a list of prefixes",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_APPEND, METHOD, NULL, PREFIXES ">p</ec:InclusiveNamespaces>"},
     {0}},
    {"text between transforms",
     KIT_RESIGN,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, TRANSFORMS, NULL, "text"},
     {0}},
    {"enveloped, and no Transform",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_REPLACE, TRANSFORMS "/Transform", NULL,
      DS("Other") " Algorithm=\"" NS_DS "enveloped-signature\"/>"},
     {0}},
    {"canonical, and no Transform",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_REPLACE, MESSAGE_REF "/Transforms/Transform", NULL,
      DS("Other") " Algorithm=\"" C14N "\"/>"},
     {0}},
};

static void
test_shape(void)
{
    kit_run(shape_rows, ARRAY_LEN(shape_rows));
}

/* What one signature covers is bounded, whatever it consists of. */
static void
test_size(void)
{
    static char text[2048];
    static char value[4096];
    const struct {
        const char *piece;
        size_t most;
    } rows[] = {
        {"<b/>", SIG_NODES_MAX - 1},
        {"<b>x</b>", (SIG_NODES_MAX - 1) / 2},
        {"<b c=''/>", (SIG_NODES_MAX - 1) / 3},
        {"<b xmlns='urn:b'/>", (SIG_NODES_MAX - 1) / 3},
        {"<b xmlns='urn:b' c='' d='' e=''/>", (SIG_NODES_MAX - 1) / 9},
        {text, SIG_BYTES_MAX / (sizeof(text) - 1)},
        {value, SIG_BYTES_MAX / (sizeof(value) - 96)},
    };
    const struct message_limits limits = message_limits_answer();
    memset(text, 'x', sizeof(text) - 1);
    (void)snprintf(value, sizeof(value), "<b c='%0*d'/>", (int)sizeof(value) - 96, 0);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t more = 0; more < 2; more++) {
            struct arena *const arena = arena_new((size_t)64 * 1024 * 1024);
            CLEANUP(buf_done) struct buf xml;
            struct diag diag = {0};
            xmlDoc *doc = NULL;
            buf_init(&xml, (size_t)1024 * 1024);
            CHECK_OK(&diag, buf_append_cstr(&xml, "<a>", &diag));
            for (size_t n = 0; n < rows[i].most + more; n++) {
                CHECK_OK(&diag, buf_append_cstr(&xml, rows[i].piece, &diag));
            }
            CHECK_OK(&diag, buf_append_cstr(&xml, "</a>", &diag));
            CHECK_OK(&diag, xml_parse(buf_span(&xml), &limits, arena, &diag, &doc));
            if (doc != NULL && !CHECK_ERR(&diag, more == 0 ? ERR_NONE : ERR_LIMIT_XML,
                                          sig_check_subtree(xml_root(doc), &diag))) {
                printf("      %zu of %.40s\n", rows[i].most + more, rows[i].piece);
            }
            arena_free(arena);
        }
    }
}

/* An id is a name: what begins with a digit is none, whoever signed it. And it stands behind a '#',
 * not behind any character. */
static void
test_ids(void)
{
    static const struct {
        const char *uri;
        const char *id;
        enum err want;
    } rows[] = {{"#a1", "a1", ERR_NONE},
                {"#1a", "1a", ERR_SIG_REFERENCE},
                {"#a b", "a b", ERR_SIG_REFERENCE},
                {"xa1", "a1", ERR_SIG_REFERENCE}};
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_set(kit_at(doc, SECURITY "/Timestamp"), "Id", rows[i].id);
        kit_set(kit_at(doc, MESSAGE_REF), "URI", rows[i].uri);
        kit_resign(doc, KIT_RSA);
        kit_check(rows[i].uri, doc, &kit.rules, rows[i].want);
    }
}

static const struct kit_attack key_rows[] = {
    {"two values in a KeyValue",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, KEY_VALUE, NULL, DS("DSAKeyValue") "/>"},
     {KIT_APPEND, KEY_VALUE, NULL, "\n"}},
    {"text in a KeyValue", KIT_KEEP, ERR_SIG_STRUCTURE, {KIT_APPEND, KEY_VALUE, NULL, "x"}, {0}},
    {"empty Modulus", KIT_KEEP, ERR_SIG_STRUCTURE, {KIT_TEXT, MODULUS, NULL, ""}, {0}},
    {"blank Modulus", KIT_KEEP, ERR_SIG_STRUCTURE, {KIT_TEXT, MODULUS, NULL, " \n"}, {0}},
    {"element in a Modulus", KIT_KEEP, ERR_SIG_STRUCTURE, {KIT_APPEND, MODULUS, NULL, "<x/>"}, {0}},
    {"element for a Modulus",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_REPLACE, MODULUS, NULL, DS("Modulus") "><x/></ds:Modulus>"},
     {0}},
    {"damaged Modulus", KIT_KEEP, ERR_SIG_STRUCTURE, {KIT_TEXT, MODULUS, NULL, "AAAA%"}, {0}},
    {"nine names of keys",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_REPLACE, KEY_INFO, NULL,
      DS("KeyInfo") "><ds:KeyName/><ds:KeyName/><ds:KeyName/><ds:KeyName/><ds:KeyName/>"
                    "<ds:KeyName/><ds:KeyName/><ds:KeyName/><ds:KeyName/></ds:KeyInfo>"},
     {KIT_APPEND, KEY_INFO, NULL, DS("KeyName") "/>"}},
};

static void
test_key_info(void)
{
    kit_run(key_rows, ARRAY_LEN(key_rows));
}

/* A point is a key on its own curve only, and every byte of it counts. */
static void
test_points(void)
{
    struct kit_rules kit;
    kit_rules_init(&kit);
    xmlDoc *doc = kit_genuine(KIT_EC);
    kit_set(kit_at(doc, KEY_VALUE "/ECKeyValue/NamedCurve"), "URI", "urn:oid:1.3.132.0.34");
    kit_check("the other curve", doc, &kit.rules, ERR_SIG_NO_TRUST);
    doc = kit_genuine(KIT_EC);
    xmlNode *const point = kit_at(doc, KEY_VALUE "/ECKeyValue/PublicKey");
    xmlChar *const text = xmlNodeGetContent(point);
    text[40] = text[40] == 'A' ? 'B' : 'A';
    xmlNodeSetContent(point, text);
    xmlFree(text);
    kit_check("another point", doc, &kit.rules, ERR_SIG_NO_TRUST);
    kit_check("the right one", kit_genuine(KIT_EC), &kit.rules, ERR_NONE);
}

static const struct unit_test tests[] = {
    {"shape of a signature", test_shape}, {"size of what is signed", test_size},
    {"ids that are names", test_ids},     {"shape of a KeyInfo", test_key_info},
    {"points of curves", test_points},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("sigrules", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
