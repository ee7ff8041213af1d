/*
 * Attacks on signatures, each refused by the name of its reason, and beside each a harmless twin at
 * the same place that must pass: a verifier that refuses everything would pass the first half only.
 * Every attack begins with a genuine message of ours. Numbers are those of the attack catalogue in
 * use for XML signatures (XSW: signature wrapping of assertions; WSW: of SOAP messages).
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/soap_expect.h"

#define SECURITY    "Header/Security"
#define TIMESTAMP   SECURITY "/Timestamp"
#define ASSERTION   SECURITY "/Assertion"
#define SIGNATURE   ASSERTION "/Signature"
#define INFO        SIGNATURE "/SignedInfo"
#define REFERENCE   INFO "/Reference"
#define TRANSFORMS  REFERENCE "/Transforms"
#define NAME_ID     ASSERTION "/Subject/NameID"
#define MESSAGE_SIG SECURITY "/Signature"
#define MORE        "http://www.w3.org/2001/04/xmldsig-more#"
#define DS(name)    "<ds:" name " xmlns:ds=\"" NS_DS "\""
#define C14N        "http://www.w3.org/2001/10/xml-exc-c14n#"

/* ---- genuine ---- */

static void
test_genuine(void)
{
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (int who = KIT_RSA; who <= KIT_EC384; who++) {
        for (int is_resigned = 0; is_resigned < 2; is_resigned++) {
            struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
            struct diag diag;
            struct saml_facts facts = {.is_holder_of_key = false};
            xmlDoc *const doc = kit_genuine((enum kit_who)who);
            if (is_resigned) {
                kit_resign(doc, (enum kit_who)who);
            }
            CHECK_OK(&diag, kit_verify(kit_close(doc, arena), &kit.rules, arena, &diag, &facts));
            CU_ASSERT(facts.is_holder_of_key && facts.timestamp_signature.n > 40);
            CU_ASSERT(facts.timestamp_created_us == KIT_NOW_US);
            arena_free(arena);
        }
    }
}

/* ---- shape of the signature, algorithms, transforms, references ---- */

static const struct kit_attack shape_rows[] = {
    {"tampered NameID", KIT_KEEP, ERR_SIG_INVALID, {KIT_TEXT, NAME_ID, NULL, "CN=evil"}, {0}},
    {"tampered Created",
     KIT_KEEP,
     ERR_SIG_INVALID,
     {KIT_TEXT, TIMESTAMP "/Created", NULL, "2027-01-15T08:00:00.001Z"},
     {0}},
    {"tampered Audience",
     KIT_KEEP,
     ERR_SIG_INVALID,
     {KIT_TEXT, ASSERTION "/Conditions/AudienceRestriction/Audience", NULL, "urn:oid:2.999.2"},
     {0}},
    {"not signed", KIT_KEEP, ERR_SIG_MISSING, {KIT_REMOVE, SIGNATURE, NULL, NULL}, {0}},
    {"Timestamp not signed", KIT_KEEP, ERR_SIG_MISSING, {KIT_REMOVE, MESSAGE_SIG, NULL, NULL}, {0}},
    {"SHA-1 signature",
     KIT_RESIGN,
     ERR_SIG_ALGORITHM,
     {KIT_ATTRIBUTE, INFO "/SignatureMethod", "Algorithm", NS_DS "rsa-sha1"},
     {0}},
    {"MD5 signature",
     KIT_RESIGN,
     ERR_SIG_ALGORITHM,
     {KIT_ATTRIBUTE, INFO "/SignatureMethod", "Algorithm", MORE "rsa-md5"},
     {0}},
    {"HMAC",
     KIT_RESIGN,
     ERR_SIG_ALGORITHM,
     {KIT_ATTRIBUTE, INFO "/SignatureMethod", "Algorithm", MORE "hmac-sha256"},
     {0}},
    {"ECDSA method with an RSA key",
     KIT_RESIGN,
     ERR_SIG_ALGORITHM,
     {KIT_ATTRIBUTE, INFO "/SignatureMethod", "Algorithm", MORE "ecdsa-sha256"},
     {0}},
    {"HMACOutputLength",
     KIT_RESIGN,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, INFO "/SignatureMethod", NULL, DS("HMACOutputLength") ">1</ds:HMACOutputLength>"},
     {0}},
    {"SHA-1 digest",
     KIT_RESIGN,
     ERR_SIG_ALGORITHM,
     {KIT_ATTRIBUTE, REFERENCE "/DigestMethod", "Algorithm", NS_DS "sha1"},
     {0}},
    {"inclusive c14n of SignedInfo",
     KIT_RESIGN,
     ERR_SIG_ALGORITHM,
     {KIT_ATTRIBUTE, INFO "/CanonicalizationMethod", "Algorithm",
      "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"},
     {0}},
    {"c14n with comments",
     KIT_RESIGN,
     ERR_SIG_ALGORITHM,
     {KIT_ATTRIBUTE, INFO "/CanonicalizationMethod", "Algorithm", C14N "WithComments"},
     {0}},
    {"XSLT",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_APPEND, TRANSFORMS, NULL,
      DS("Transform") " Algorithm=\"http://www.w3.org/TR/1999/REC-xslt-19991116\"/>"},
     {KIT_APPEND, TRANSFORMS, NULL, " \n"}},
    {"XPath before",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_BEFORE, TRANSFORMS "/Transform", NULL,
      DS("Transform") " Algorithm=\"http://www.w3.org/TR/1999/REC-xpath-19991116\">"
                      "<ds:XPath>false()</ds:XPath></ds:Transform>"},
     {0}},
    {"XPath instead",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_ATTRIBUTE, TRANSFORMS "/Transform", "Algorithm",
      "http://www.w3.org/2002/06/xmldsig-filter2"},
     {0}},
    {"base64 transform",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_ATTRIBUTE, TRANSFORMS "/Transform", "Algorithm", NS_DS "base64"},
     {0}},
    {"not enveloped",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_REMOVE, TRANSFORMS "/Transform", NULL, NULL},
     {0}},
    {"something in the enveloped transform",
     KIT_RESIGN,
     ERR_SIG_TRANSFORM,
     {KIT_APPEND, TRANSFORMS "/Transform", NULL, "text"},
     {0}},
    {"no Transforms", KIT_RESIGN, ERR_SIG_STRUCTURE, {KIT_REMOVE, TRANSFORMS, NULL, NULL}, {0}},
    {"reference to a file",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", "file:///etc/hostname"},
     {0}},
    {"reference to a server",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", "http://127.0.0.1:9/x"},
     {0}},
    {"reference to the whole document",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", ""},
     {0}},
    {"XPointer",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", "#xpointer(/)"},
     {0}},
    {"XPointer with id",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", "#xpointer(id('_1'))"},
     {0}},
    {"blank before #",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", " #_1"},
     {0}},
    {"percent-encoded",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", "#%5f1"},
     {0}},
    {"no URI", KIT_RESIGN, ERR_SIG_REFERENCE, {KIT_ATTRIBUTE, REFERENCE, "URI", NULL}, {0}},
    {"nothing has that id",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "URI", "#_nobody"},
     {0}},
    {"Manifest",
     KIT_RESIGN,
     ERR_SIG_REFERENCE,
     {KIT_ATTRIBUTE, REFERENCE, "Type", NS_DS "Manifest"},
     {KIT_ATTRIBUTE, REFERENCE, "Id", "_reference"}},
    {"text in SignedInfo",
     KIT_RESIGN,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, INFO, NULL, "text"},
     {KIT_APPEND, INFO, NULL, " \n "}},
    {"ds:Object",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, SIGNATURE, NULL, DS("Object") "><x/></ds:Object>"},
     {KIT_APPEND, SIGNATURE, NULL, "\n"}},
    {"foreign child of Signature",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, SIGNATURE, NULL, "<x/>"},
     {KIT_ATTRIBUTE, SIGNATURE, "Id", "_sig"}},
    {"empty SignatureValue",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_TEXT, SIGNATURE "/SignatureValue", NULL, ""},
     {0}},
    {"SignatureValue not base64",
     KIT_KEEP,
     ERR_SIG_INVALID,
     {KIT_TEXT, SIGNATURE "/SignatureValue", NULL, "%%%%"},
     {0}},
    {"SignatureValue too short",
     KIT_KEEP,
     ERR_SIG_INVALID,
     {KIT_TEXT, SIGNATURE "/SignatureValue", NULL, "AAAA"},
     {0}},
    {"empty DigestValue",
     KIT_KEEP,
     ERR_SIG_INVALID,
     {KIT_TEXT, REFERENCE "/DigestValue", NULL, ""},
     {0}},
    {"element in DigestMethod",
     KIT_RESIGN,
     ERR_SIG_STRUCTURE,
     {KIT_APPEND, REFERENCE "/DigestMethod", NULL, "<x/>"},
     {0}},
    {"relative namespace in the assertion (void canonicalisation)",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_ATTRIBUTE, NAME_ID, "xmlns:v", "relative"},
     {0}},
    {"relative namespace elsewhere",
     KIT_KEEP,
     ERR_SIG_STRUCTURE,
     {KIT_ATTRIBUTE, "Body", "xmlns:v", "1"},
     {KIT_ATTRIBUTE, "Body", "xmlns:v", "urn:1"}},
};

static void
test_shape(void)
{
    kit_run(shape_rows, ARRAY_LEN(shape_rows));
}

/* ---- ids and comments ---- */

/* An element of the payload takes the id of the assertion or of the Timestamp. */
static void
test_duplicate_ids(void)
{
    static const char *const names[] = {"ID", "Id", "AssertionID", "wsu:Id", "xml:id", "x:ID"};
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (size_t i = 0; i < 4 * ARRAY_LEN(names); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        const bool is_twin = i % 2 == 1;
        const bool is_timestamp = i % 4 >= 2;
        xmlNode *const from = kit_at(doc, is_timestamp ? TIMESTAMP : ASSERTION);
        xmlChar *const id = is_timestamp
                                ? xmlGetNsProp(from, (const xmlChar *)"Id", (const xmlChar *)NS_WSU)
                                : xmlGetNoNsProp(from, (const xmlChar *)"ID");
        char xml[512];
        (void)snprintf(xml, sizeof(xml),
                       "<n xmlns=\"urn:n\" xmlns:wsu=\"" NS_WSU
                       "\" xmlns:x=\"urn:x\" %s=\"%s%s\"/>",
                       names[i / 4], (const char *)id, is_twin ? "b" : "");
        xmlFree(id);
        const struct kit_edit edit = {KIT_APPEND, "Body/PRPA_IN201305UV02", NULL, xml};
        kit_apply(doc, &edit);
        kit_check_signed(names[i / 4], doc, &kit.rules, is_twin ? ERR_NONE : ERR_SIG_DUPLICATE_ID);
    }
}

static const struct kit_attack comment_rows[] = {
    {"comment in NameID",
     KIT_RESIGN,
     ERR_SIG_COMMENT,
     {KIT_APPEND, NAME_ID, NULL, "<!-- x -->"},
     {KIT_APPEND, "Body/PRPA_IN201305UV02", NULL, "<!-- x -->"}},
    {"comment in NameID, old signature",
     KIT_KEEP,
     ERR_SIG_COMMENT,
     {KIT_APPEND, NAME_ID, NULL, "<!-- x -->"},
     {KIT_APPEND, SECURITY, NULL, "<!-- x -->"}},
    {"comment in an attribute value",
     KIT_KEEP,
     ERR_SIG_COMMENT,
     {KIT_APPEND, ASSERTION "/AttributeStatement/Attribute/AttributeValue", NULL, "<!---->"},
     {0}},
    {"comment in Created",
     KIT_KEEP,
     ERR_SIG_COMMENT,
     {KIT_APPEND, TIMESTAMP, NULL, "<!-- x -->"},
     {KIT_APPEND, "Header", NULL, "<!-- x -->"}},
    {"comment in SignedInfo",
     KIT_KEEP,
     ERR_SIG_COMMENT,
     {KIT_APPEND, INFO, NULL, "<!-- x -->"},
     {0}},
    {"comment in SignatureValue",
     KIT_KEEP,
     ERR_SIG_COMMENT,
     {KIT_APPEND, SIGNATURE "/SignatureValue", NULL, "<!-- x -->"},
     {0}},
    {"comment in the message's SignedInfo",
     KIT_KEEP,
     ERR_SIG_COMMENT,
     {KIT_APPEND, MESSAGE_SIG "/SignedInfo", NULL, "<!-- x -->"},
     {0}},
    {"instruction in the assertion",
     KIT_KEEP,
     ERR_SOAP_STRUCTURE,
     {KIT_APPEND, NAME_ID, NULL, "<?x y?>"},
     {0}},
};

static void
test_comments(void)
{
    kit_run(comment_rows, ARRAY_LEN(comment_rows));
}

/* ---- more than one Reference ---- */

static void
test_references(void)
{
    struct kit_rules kit;
    kit_rules_init(&kit);
    xmlDoc *doc = kit_genuine(KIT_RSA);
    xmlNode *const reference = kit_at(doc, REFERENCE);
    (void)xmlAddNextSibling(reference, xmlDocCopyNode(reference, doc, 1));
    kit_resign(doc, KIT_RSA);
    kit_check_signed("two References", doc, &kit.rules, ERR_SIG_REFERENCE);
    doc = kit_genuine(KIT_RSA);
    const struct kit_edit remove = {KIT_REMOVE, REFERENCE, NULL, NULL};
    kit_apply(doc, &remove);
    kit_check_signed("no Reference", doc, &kit.rules, ERR_SIG_REFERENCE);
    doc = kit_genuine(KIT_RSA);
    kit_resign(doc, KIT_RSA);
    kit_check_signed("one Reference", doc, &kit.rules, ERR_NONE);
}

/* PrefixList: of prefixes that are not in scope. */
static void
test_prefixes(void)
{
    static const struct {
        size_t prefixes;
        enum err want;
    } rows[] = {{1, ERR_NONE}, {64, ERR_NONE}, {65, ERR_SIG_TRANSFORM}, {3000, ERR_SIG_TRANSFORM}};
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char xml[8000];
        int n =
            snprintf(xml, sizeof(xml),
                     DS("Transform") " Algorithm=\"" C14N "\">"
                                     "<ec:InclusiveNamespaces xmlns:ec=\"" C14N "\" PrefixList=\"");
        for (size_t p = 0; p < rows[i].prefixes; p++) {
            xml[n++] = 'p';
            xml[n++] = ' ';
        }
        (void)snprintf(xml + n, sizeof(xml) - (size_t)n, "\"/></ds:Transform>");
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        xmlNode *const last = xmlLastElementChild(kit_at(doc, TRANSFORMS));
        xmlNode *const added = kit_fragment(doc, xml);
        (void)xmlReplaceNode(last, added);
        xmlFreeNode(last);
        kit_resign(doc, KIT_RSA);
        kit_check_signed("PrefixList", doc, &kit.rules, rows[i].want);
    }
}

/* ---- the tree ---- */

#define NODES_MAX ((size_t)4000)

struct links {
    const xmlNode *node, *prev, *next, *children, *last, *parent;
};

/* The document's and every node's neighbours. */
static size_t
take_links(const xmlNode *envelope, struct links links[NODES_MAX])
{
    const xmlNode *node = (const xmlNode *)envelope->doc;
    size_t n = 0;
    while (node != NULL && n < NODES_MAX) {
        const bool is_doc = (const void *)node == (const void *)envelope->doc;
        links[n++] =
            (struct links){node, node->prev, node->next, node->children, node->last, node->parent};
        node = is_doc ? envelope : xml_walk(node, envelope);
    }
    return n;
}

/* The engine is shown a part of the tree only; whatever it says, the tree is whole afterwards. */
static void
test_tree_is_whole(void)
{
    static struct links before[NODES_MAX];
    static struct links after[NODES_MAX];
    static const enum err wanted[] = {ERR_NONE, ERR_SIG_INVALID};
    struct kit_rules kit;
    kit_rules_init(&kit);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
        const struct verified_view *view = NULL;
        struct message *message = NULL;
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        if (wanted[i] != ERR_NONE) {
            xmlNodeSetContent(kit_at(doc, NAME_ID), (const xmlChar *)"CN=admin");
        }
        diag_clear(&diag);
        CU_ASSERT_FATAL(
            CHECK_OK(&diag, message_read(kit_close(doc, arena), SPAN("application/soap+xml"),
                                         &limits, arena, &diag, &message)));
        const size_t n = take_links(message->envelope, before);
        CU_ASSERT(n > 50 && n < NODES_MAX);
        CHECK_ERR(&diag, wanted[i], security_verify(message, &kit.rules, arena, &diag, &view));
        CU_ASSERT_EQUAL(take_links(message->envelope, after), n);
        CU_ASSERT_EQUAL(memcmp(before, after, n * sizeof(before[0])), 0);
        arena_free(arena);
    }
}

static const struct unit_test tests[] = {
    /* REQ: ITI40-signed */
    {"genuine messages of all kinds of keys", test_genuine},
    /* REQ: ITI40-signed */
    {"shape, algorithms, transforms, references", test_shape},
    {"one id twice, under all names", test_duplicate_ids},
    {"comments and instructions", test_comments},
    {"number of References", test_references},
    {"inclusive prefixes", test_prefixes},
    {"the tree is whole after a signature was computed", test_tree_is_whole},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("sigverify", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
