/*
 * Shared by the tests of soap/: see the header. One thread; everything that is opened here is
 * closed by kit_done or by the test that asked for it.
 */
#include "tests/unit/soap_kit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "certs/issue.h"

static struct credential credentials[KIT_WHO_COUNT];

/* ---- credentials ---- */

static void
must(bool is_good, const char *what)
{
    if (!is_good) {
        (void)fprintf(stderr, "soap_kit: %s\n", what);
        abort();
    }
}

static void
make_credential(enum kit_who who, const char *key_type, const char *name)
{
    struct diag diag;
    X509 *x509 = NULL;
    EVP_PKEY *key = NULL;
    diag_clear(&diag);
    const struct issue_request request = {
        .kind = ISSUE_SIGNING,
        .organization = "Isthmus Test",
        .common_name = name,
        .not_before_us = KIT_NOW_US - INT64_C(86400) * 1000000,
        .not_after_us = KIT_NOW_US + INT64_C(86400) * 1000000,
        .digest = "SHA256",
    };
    if (who == KIT_RENEWED) {
        key = credentials[KIT_RSA].key;
        must(EVP_PKEY_up_ref(key) == 1, "key");
    } else {
        must(is_ok(issue_key(key_type, &diag, &key)), diag.text);
    }
    must(is_ok(issue_certificate(&request, key, NULL, key, &diag, &x509)), diag.text);
    must(is_ok(certificate_from_x509(x509, &diag, &credentials[who].leaf)), diag.text);
    credentials[who].key = key;
    X509_free(x509);
}

void
kit_init(void)
{
    struct diag diag;
    diag_clear(&diag);
    must(is_ok(soap_library_init(&diag)), diag.text);
    make_credential(KIT_RSA, "rsa:2048", "red signing");
    make_credential(KIT_EC, "ec:P-256", "red signing P-256");
    make_credential(KIT_EC384, "ec:P-384", "red signing P-384");
    make_credential(KIT_RENEWED, NULL, "red signing, renewed");
    make_credential(KIT_OTHER, "rsa:2048", "green signing");
    make_credential(KIT_WEAK, "rsa:1024", "weak signing");
}

void
kit_done(void)
{
    for (size_t i = 0; i < ARRAY_LEN(credentials); i++) {
        certificate_free(credentials[i].leaf);
        EVP_PKEY_free(credentials[i].key);
        credentials[i] = (struct credential){.leaf = NULL};
    }
    soap_library_done();
}

const struct credential *
kit_credential(enum kit_who who)
{
    return &credentials[who];
}

/* ---- messages ---- */

struct assertion_order
kit_order(enum kit_who signer)
{
    return (struct assertion_order){
        .signer = &credentials[signer],
        .now_us = KIT_NOW_US,
        .lifetime_us = KIT_LIFE_US,
        .audience = KIT_AUDIENCE,
        .subject_id = "Dr. \xC3\x85sa & Co <1>",
        .organization = "Red HIE",
        .organization_id = "urn:oid:2.999.1",
        .home_community = "2.999.1",
        .role = "112247003",
        .role_display = "Medical doctor",
        .purpose = "T-TREAT",
        .purpose_system = "2.16.840.1.113883.3.7204.1.5.2.1",
        .npi = "1234567893",
        .resource_id = SPAN("p1^^^&2.999.1.5&ISO"),
    };
}

struct span
kit_envelope(struct span security, const char *payload, struct arena *arena)
{
    struct diag diag;
    struct span xml;
    diag_clear(&diag);
    must(is_ok(arena_printf(
             arena, &diag, &xml,
             "<env:Envelope xmlns:env=\"" NS_SOAP12 "\" xmlns:wsa=\"" NS_WSA "\" "
             "xmlns=\"urn:default\" xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" "
             "xmlns:saml2=\"urn:not-saml\" xmlns:ds=\"urn:not-ds\"><env:Header>"
             "<wsa:Action env:mustUnderstand=\"1\">"
             "urn:hl7-org:v3:PRPA_IN201305UV02:CrossGatewayPatientDiscovery</wsa:Action>"
             "<wsa:MessageID>urn:uuid:11111111-1111-4111-8111-111111111111</wsa:MessageID>"
             "<wsa:To>" KIT_AUDIENCE "</wsa:To>%.*s</env:Header><env:Body>%s</env:Body>"
             "</env:Envelope>",
             SPAN_PRINT(security), payload)),
         diag.text);
    return xml;
}

struct span
kit_message(const struct assertion_order *order, struct arena *arena)
{
    struct diag diag;
    struct signed_timestamp timestamp;
    struct buf security;
    diag_clear(&diag);
    buf_init(&security, (size_t)1024 * 1024);
    must(is_ok(timestamp_sign(order->signer, order->style.digest, order->now_us, order->lifetime_us,
                              arena, &diag, &timestamp)),
         diag.text);
    must(is_ok(security_write(order, &timestamp, &security, &diag)), diag.text);
    const struct span xml = kit_envelope(buf_span(&security), KIT_PAYLOAD, arena);
    buf_done(&security);
    return xml;
}

void
kit_rules_init(struct kit_rules *kit)
{
    *kit = (struct kit_rules){
        .keys = {credentials[KIT_RSA].leaf, credentials[KIT_EC].leaf, credentials[KIT_EC384].leaf},
        .audiences = {"urn:oid:2.999.2", KIT_AUDIENCE},
    };
    kit->rules = (struct security_rules){
        .now_us = KIT_NOW_US + 1000000,
        .clock_skew_us = KIT_SKEW_US,
        .max_lifetime_us = KIT_LIFE_US,
        .keys = kit->keys,
        .keys_n = 3,
        .audiences = kit->audiences,
        .audiences_n = ARRAY_LEN(kit->audiences),
    };
}

struct status
kit_verify(struct span xml, const struct security_rules *rules, struct arena *arena,
           struct diag *diag, struct saml_facts *ret_facts)
{
    const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
    const struct verified_view *view = NULL;
    struct message *message = NULL;
    diag_clear(diag);
    TRY(message_read(xml, SPAN("application/soap+xml"), &limits, arena, diag, &message));
    TRY(security_verify(message, rules, arena, diag, &view));
    return saml_read(view, arena, diag, ret_facts);
}

/* ---- editing ---- */

xmlDoc *
kit_open(struct span xml)
{
    xmlDoc *const doc = xmlReadMemory(xml.p, (int)xml.n, NULL, NULL, XML_PARSE_NONET);
    must(doc != NULL, "the message is not XML");
    return doc;
}

xmlDoc *
kit_genuine(enum kit_who signer)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct assertion_order order = kit_order(signer);
    xmlDoc *const doc = kit_open(kit_message(&order, arena));
    arena_free(arena);
    return doc;
}

struct span
kit_close(xmlDoc *doc, struct arena *arena)
{
    xmlChar *text = NULL;
    int n = 0;
    struct diag diag;
    struct span copy;
    diag_clear(&diag);
    xmlDocDumpMemory(doc, &text, &n);
    must(text != NULL, "dump");
    must(is_ok(arena_dup(arena, span_of((const char *)text, (size_t)n), &diag, &copy)), diag.text);
    xmlFree(text);
    xmlFreeDoc(doc);
    return copy;
}

xmlNode *
kit_at(xmlDoc *doc, const char *path)
{
    xmlNode *node = xmlDocGetRootElement(doc);
    struct span rest = span_of_cstr(path);
    struct span name;
    while (span_split(&rest, '/', &name)) {
        node = xmlFirstElementChild(node);
        while (node != NULL && !span_eq_cstr(name, (const char *)node->name)) {
            node = xmlNextElementSibling(node);
        }
        must(node != NULL, path);
    }
    return node;
}

xmlNode *
kit_fragment(xmlDoc *doc, const char *xml)
{
    char wrapped[8192];
    const int n = snprintf(wrapped, sizeof(wrapped), "<w>%s</w>", xml);
    must(n > 0 && (size_t)n < sizeof(wrapped), "fragment is too long");
    xmlDoc *const other = kit_open(span_of(wrapped, (size_t)n));
    xmlNode *const node = xmlDocCopyNode(xmlDocGetRootElement(other)->children, doc, 1);
    xmlFreeDoc(other);
    must(node != NULL, "fragment");
    return node;
}

void
kit_set(xmlNode *node, const char *attribute, const char *value)
{
    xmlAttr *attr = node->properties;
    while (attr != NULL && strcmp((const char *)attr->name, attribute) != 0) {
        attr = attr->next;
    }
    if (value == NULL) {
        must(attr != NULL && xmlRemoveProp(attr) == 0, attribute);
    } else if (strncmp(attribute, "xmlns:", 6) == 0) {
        must(xmlNewNs(node, (const xmlChar *)value, (const xmlChar *)attribute + 6) != NULL,
             attribute);
    } else if (attr != NULL && attr->ns != NULL) {
        must(xmlSetNsProp(node, attr->ns, attr->name, (const xmlChar *)value) != NULL, attribute);
    } else {
        must(xmlSetProp(node, (const xmlChar *)attribute, (const xmlChar *)value) != NULL,
             attribute);
    }
}

void
kit_remove_attribute(xmlDoc *doc, const char *name)
{
    xmlNode *node =
        xmlFirstElementChild(kit_at(doc, "Header/Security/Assertion/AttributeStatement"));
    while (node != NULL) {
        xmlNode *const next = xmlNextElementSibling(node);
        xmlChar *const value = xmlGetNoNsProp(node, (const xmlChar *)"Name");
        if (xmlStrEqual(value, (const xmlChar *)name)) {
            xmlUnlinkNode(node);
            xmlFreeNode(node);
        }
        xmlFree(value);
        node = next;
    }
}

void
kit_apply(xmlDoc *doc, const struct kit_edit *edit)
{
    xmlNode *const node = edit->op == KIT_NOTHING ? NULL : kit_at(doc, edit->path);
    xmlNode *added = NULL;
    if (edit->op >= KIT_APPEND) {
        const bool is_xml = edit->value[0] == '<';
        added = is_xml ? kit_fragment(doc, edit->value)
                       : xmlNewDocText(doc, (const xmlChar *)edit->value);
    }
    switch (edit->op) {
    case KIT_NOTHING:
        break;
    case KIT_ATTRIBUTE:
        kit_set(node, edit->name, edit->value);
        break;
    case KIT_TEXT:
        xmlNodeSetContent(node, (const xmlChar *)edit->value);
        break;
    case KIT_APPEND:
        must(xmlAddChild(node, added) != NULL, edit->path);
        break;
    case KIT_BEFORE:
        must(xmlAddPrevSibling(node, added) != NULL, edit->path);
        break;
    case KIT_REPLACE:
        must(xmlReplaceNode(node, added) != NULL, edit->path);
        xmlFreeNode(node);
        break;
    case KIT_REMOVE:
        xmlUnlinkNode(node);
        xmlFreeNode(node);
        break;
    }
}

/* ---- the second signer ---- */

/* <ancestor> itself is inside, too. */
bool
kit_is_inside(const xmlNode *node, const xmlNode *ancestor)
{
    while (node != NULL && node != ancestor) {
        node = node->parent;
    }
    return node != NULL;
}

int
kit_is_visible(void *data, xmlNode *node, xmlNode *parent)
{
    const struct kit_subtree *const subtree = data;
    const xmlNode *const from =
        node->type == XML_NAMESPACE_DECL || node->type == XML_ATTRIBUTE_NODE ? parent : node;
    return kit_is_inside(from, subtree->top) &&
           (subtree->without == NULL || !kit_is_inside(from, subtree->without));
}

/* <list>: an InclusiveNamespaces PrefixList; it is cut up. */
static xmlChar *
canonical(xmlNode *top, xmlNode *without, xmlChar *list, int *ret_n)
{
    struct kit_subtree subtree = {top, without};
    xmlChar *prefixes[128] = {NULL};
    size_t n = 0;
    char *rest = (char *)list;
    while (rest != NULL && *rest != '\0' && n + 1 < ARRAY_LEN(prefixes)) {
        prefixes[n++] = (xmlChar *)strsep(&rest, " ");
    }
    xmlOutputBuffer *const out = xmlAllocOutputBuffer(NULL);
    must(out != NULL && xmlC14NExecute(top->doc, kit_is_visible, &subtree, XML_C14N_EXCLUSIVE_1_0,
                                       n == 0 ? NULL : prefixes, 0, out) >= 0,
         "c14n");
    *ret_n = (int)xmlOutputBufferGetSize(out);
    xmlChar *const text = xmlStrndup(xmlOutputBufferGetContent(out), *ret_n);
    (void)xmlOutputBufferClose(out);
    return text;
}

xmlChar *
kit_canonical(xmlNode *top, xmlNode *without, int *ret_n)
{
    return canonical(top, without, NULL, ret_n);
}

static void
set_base64(xmlNode *node, const uint8_t *bytes, size_t n)
{
    struct diag diag;
    struct buf text;
    diag_clear(&diag);
    buf_init(&text, 65536);
    must(is_ok(base64_encode(span_of((const char *)bytes, n), &text, &diag)), diag.text);
    xmlNodeSetContentLen(node, (const xmlChar *)text.p, (int)text.n);
    buf_done(&text);
}

/* OpenSSL writes ECDSA signatures as DER; XML Signature wants r and s side by side. */
static size_t
raw_ecdsa(uint8_t *bytes, size_t n, EVP_PKEY *key)
{
    const unsigned char *from = bytes;
    ECDSA_SIG *const pair = d2i_ECDSA_SIG(NULL, &from, (long)n);
    const int half = (EVP_PKEY_get_bits(key) + 7) / 8;
    must(pair != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(pair), bytes, half) == half &&
             BN_bn2binpad(ECDSA_SIG_get0_s(pair), bytes + half, half) == half,
         "ECDSA");
    ECDSA_SIG_free(pair);
    return 2 * (size_t)half;
}

static void
sign_bytes(xmlNode *value, const xmlChar *text, int text_n, const struct kit_signing *how)
{
    uint8_t bytes[1024];
    size_t n = sizeof(bytes);
    if (how->mac_key != NULL) {
        unsigned int mac_n = 0;
        must(HMAC(EVP_get_digestbyname(how->digest), how->mac_key, (int)strlen(how->mac_key), text,
                  (size_t)text_n, bytes, &mac_n) != NULL,
             "HMAC");
        n = mac_n;
    } else {
        EVP_MD_CTX *const context = EVP_MD_CTX_new();
        must(EVP_DigestSignInit_ex(context, NULL, how->digest, NULL, NULL, how->key, NULL) == 1 &&
                 EVP_DigestSign(context, bytes, &n, text, (size_t)text_n) == 1,
             "signing");
        EVP_MD_CTX_free(context);
        n = EVP_PKEY_is_a(how->key, "EC") ? raw_ecdsa(bytes, n, how->key) : n;
    }
    set_base64(value, bytes, n);
}

static xmlNode *
child_of(xmlNode *node, const char *name)
{
    xmlNode *child = xmlFirstElementChild(node);
    while (child != NULL && strcmp((const char *)child->name, name) != 0) {
        child = xmlNextElementSibling(child);
    }
    must(child != NULL, name);
    return child;
}

/* As the method, or the last of the transforms, lists them. NULL: it does not. */
static xmlChar *
prefixes_of(xmlNode *method)
{
    xmlNode *const list = method == NULL ? NULL : xmlFirstElementChild(method);
    return list == NULL ? NULL : xmlGetNoNsProp(list, (const xmlChar *)"PrefixList");
}

void
kit_sign(xmlNode *signature, xmlNode *target, const struct kit_signing *how)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned int digest_n = 0;
    int n = 0;
    xmlNode *const info = child_of(signature, "SignedInfo");
    xmlNode *const reference = child_of(info, "Reference");
    xmlNode *const transforms = xmlFirstElementChild(reference);
    xmlChar *list = prefixes_of(xmlLastElementChild(transforms));
    xmlChar *text =
        canonical(target, kit_is_inside(signature, target) ? signature : NULL, list, &n);
    const char *const name = how->reference_digest == NULL ? how->digest : how->reference_digest;
    must(EVP_Digest(text, (size_t)n, digest, &digest_n, EVP_get_digestbyname(name), NULL) == 1,
         "digest");
    xmlFree(text);
    xmlFree(list);
    set_base64(child_of(reference, "DigestValue"), digest, digest_n);
    list = prefixes_of(xmlFirstElementChild(info));
    text = canonical(info, NULL, list, &n);
    sign_bytes(child_of(signature, "SignatureValue"), text, n, how);
    xmlFree(text);
    xmlFree(list);
}

void
kit_resign(xmlDoc *doc, enum kit_who who)
{
    xmlNode *const assertion = kit_at(doc, "Header/Security/Assertion");
    const struct kit_signing how = {
        .key = credentials[who].key,
        .digest = who == KIT_EC384 ? "SHA384" : "SHA256",
        .reference_digest = "SHA256",
    };
    kit_sign(child_of(assertion, "Signature"), assertion, &how);
    xmlNode *signature = assertion;
    while (signature != NULL && strcmp((const char *)signature->name, "Signature") != 0) {
        signature = xmlNextElementSibling(signature);
    }
    if (signature != NULL) {
        kit_sign(signature, kit_at(doc, "Header/Security/Timestamp"), &how);
    }
}
