/*
 * How a message may name its keys: token references of the message's signature, KeyInfo of
 * confirmations and signatures; and the algorithms that are none. Every attack is signed by the
 * right key, so that only the rule under test can refuse it, and has an accepted twin.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/soap_expect.h"

#define SECURITY   "Header/Security"
#define ASSERTION  SECURITY "/Assertion"
#define DATA       ASSERTION "/Subject/SubjectConfirmation/SubjectConfirmationData"
#define INFO       ASSERTION "/Signature/SignedInfo"
#define SAML11     "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#"
#define SAML10     "http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.0#"
#define X509       "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#"
#define WSSE(name) "<w:" name " xmlns:w=\"" NS_WSSE "\" xmlns:v=\"" NS_WSSE11 "\""
#define MORE       "http://www.w3.org/2001/04/xmldsig-more#"

static struct kit_rules kit;

/* ---- SecurityTokenReference ---- */

/* %s stands for the assertion's ID. */
static const struct {
    const char *name, *children;
    enum err want;
} references[] = {
    {"SAMLID",
     WSSE("SecurityTokenReference") "><w:KeyIdentifier ValueType=\"" SAML11 "SAMLID\">%s"
                                    "</w:KeyIdentifier></w:SecurityTokenReference>",
     ERR_NONE},
    {"SAMLID with #",
     WSSE("SecurityTokenReference") "><w:KeyIdentifier ValueType=\"" SAML11 "SAMLID\"> #%s\n"
                                    "</w:KeyIdentifier></w:SecurityTokenReference>",
     ERR_NONE},
    {"SAMLID with token type",
     WSSE("SecurityTokenReference") " v:TokenType=\"" SAML11 "SAMLV2.0\"><w:KeyIdentifier "
                                    "ValueType=\"" SAML11 "SAMLID\">%s</w:KeyIdentifier>"
                                    "</w:SecurityTokenReference>",
     ERR_NONE},
    {"token type of SAML 1.1",
     WSSE("SecurityTokenReference") " v:TokenType=\"" SAML11 "SAMLV1.1\"><w:KeyIdentifier "
                                    "ValueType=\"" SAML11 "SAMLID\">%s</w:KeyIdentifier>"
                                    "</w:SecurityTokenReference>",
     ERR_SIG_REFERENCE},
    {"another assertion",
     WSSE("SecurityTokenReference") "><w:KeyIdentifier ValueType=\"" SAML11 "SAMLID\">%sx"
                                    "</w:KeyIdentifier></w:SecurityTokenReference>",
     ERR_SIG_REFERENCE},
    {"SAML 1.1 assertion",
     WSSE("SecurityTokenReference") "><w:KeyIdentifier ValueType=\"" SAML10 "SAMLAssertionID\">%s"
                                    "</w:KeyIdentifier></w:SecurityTokenReference>",
     ERR_SIG_STRUCTURE},
    {"KeyIdentifier of no type",
     WSSE("SecurityTokenReference") "><w:KeyIdentifier>%s</w:KeyIdentifier>"
                                    "</w:SecurityTokenReference>",
     ERR_SIG_STRUCTURE},
    {"Reference",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"#%s\" ValueType=\"" SAML11 "SAMLV2.0\"/>"
                                    "</w:SecurityTokenReference>",
     ERR_NONE},
    {"Reference without type",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"#%s\"/></w:SecurityTokenReference>",
     ERR_NONE},
    {"Reference of another type",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"#%s\" ValueType=\"" SAML11 "SAMLV1.1\"/>"
                                    "</w:SecurityTokenReference>",
     ERR_SIG_REFERENCE},
    {"Reference to another assertion",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"#%s_\"/></w:SecurityTokenReference>",
     ERR_SIG_REFERENCE},
    {"Reference without #",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"%s\"/></w:SecurityTokenReference>",
     ERR_SIG_REFERENCE},
    {"Reference to a server",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"http://127.0.0.1:9/%s\"/>"
                                    "</w:SecurityTokenReference>",
     ERR_SIG_REFERENCE},
    {"Reference without URI",
     WSSE("SecurityTokenReference") "><w:Reference ValueType=\"%s\"/></w:SecurityTokenReference>",
     ERR_SIG_REFERENCE},
    {"Reference to the token beside it",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"#_token\" ValueType=\"" X509 "X509v3\"/>"
                                    "</w:SecurityTokenReference>",
     ERR_NONE},
    {"certificate by its thumbprint",
     WSSE("SecurityTokenReference") "><w:KeyIdentifier ValueType=\"" X509
                                    "X509SubjectKeyIdentifier\">AAAA</w:KeyIdentifier>"
                                    "</w:SecurityTokenReference>",
     ERR_NONE},
    {"issuer and serial number",
     WSSE("SecurityTokenReference") "><d:X509Data xmlns:d=\"" NS_DS "\"/>"
                                    "</w:SecurityTokenReference>",
     ERR_NONE},
    {"Embedded",
     WSSE("SecurityTokenReference") "><w:Embedded><x/></w:Embedded></w:SecurityTokenReference>",
     ERR_SIG_STRUCTURE},
    {"KeyName",
     WSSE("SecurityTokenReference") "><w:KeyName>%s</w:KeyName></w:SecurityTokenReference>",
     ERR_SIG_STRUCTURE},
    {"empty", WSSE("SecurityTokenReference") "/>", ERR_SIG_STRUCTURE},
    {"two forms",
     WSSE("SecurityTokenReference") "><w:Reference URI=\"#%s\"/><w:Reference URI=\"#_token\"/>"
                                    "</w:SecurityTokenReference>",
     ERR_SIG_STRUCTURE},
    {"text",
     WSSE("SecurityTokenReference") ">x<w:Reference URI=\"#%s\"/></w:SecurityTokenReference>",
     ERR_SIG_STRUCTURE},
};

/* <times> copies of the row's XML, with the ID in the place of %s. */
static void
set_reference(xmlDoc *doc, const char *format, int times)
{
    char xml[4096];
    const struct span text = span_of_cstr(format);
    const size_t at = span_find(text, SPAN("%s"));
    const struct span before = span_slice(text, 0, at);
    const struct span after = at == SPAN_MISSING ? SPAN_EMPTY : span_slice(text, at + 2, SIZE_MAX);
    xmlChar *const id = xmlGetNoNsProp(kit_at(doc, ASSERTION), (const xmlChar *)"ID");
    xmlNode *const old = kit_at(doc, SECURITY "/Signature/KeyInfo");
    int n = snprintf(xml, sizeof(xml), "<d:KeyInfo xmlns:d=\"" NS_DS "\">");
    for (int i = 0; i < times; i++) {
        n += snprintf(xml + n, sizeof(xml) - (size_t)n, "%.*s%s%.*s", SPAN_PRINT(before),
                      at == SPAN_MISSING ? "" : (const char *)id, SPAN_PRINT(after));
    }
    (void)snprintf(xml + n, sizeof(xml) - (size_t)n, "</d:KeyInfo>");
    xmlFree(id);
    (void)xmlReplaceNode(old, kit_fragment(doc, xml));
    xmlFreeNode(old);
}

static void
add_token(xmlDoc *doc)
{
    const struct kit_edit edit = {KIT_BEFORE, ASSERTION, NULL,
                                  WSSE("BinarySecurityToken") " xmlns:u=\"" NS_WSU
                                                              "\" u:Id=\"_token\">AAAA"
                                                              "</w:BinarySecurityToken>"};
    kit_apply(doc, &edit);
}

static void
test_references(void)
{
    for (size_t i = 0; i < ARRAY_LEN(references); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        add_token(doc);
        set_reference(doc, references[i].children, 1);
        kit_check(references[i].name, doc, &kit.rules, references[i].want);
    }
    xmlDoc *doc = kit_genuine(KIT_RSA);
    set_reference(doc, references[0].children, 2);
    kit_check("two references", doc, &kit.rules, ERR_SIG_STRUCTURE);
    doc = kit_genuine(KIT_RSA);
    set_reference(doc,
                  WSSE("SecurityTokenReference") "><w:Reference URI=\"#_token\"/>"
                                                 "</w:SecurityTokenReference>",
                  1);
    kit_check("a token that is not there", doc, &kit.rules, ERR_SIG_REFERENCE);
}

/* ---- KeyInfo of the confirmation ---- */

static void
borrow(xmlDoc *doc, const char *path, enum kit_who who)
{
    xmlDoc *const other = kit_genuine(who);
    xmlNode *const old = kit_at(doc, path);
    (void)xmlReplaceNode(old, xmlDocCopyNode(kit_at(other, path), doc, 1));
    xmlFreeNode(old);
    xmlFreeDoc(other);
}

static void
test_confirmations(void)
{
    static const struct {
        const char *name;
        enum err want;
        struct kit_edit edit;
        const char *borrowed;
    } rows[] = {
        {"both", ERR_NONE, {0}, NULL},
        {"by certificate", ERR_NONE, {KIT_REMOVE, DATA "/KeyInfo/KeyValue", NULL, NULL}, NULL},
        {"by key value", ERR_NONE, {KIT_REMOVE, DATA "/KeyInfo/X509Data", NULL, NULL}, NULL},
        {"both, and they differ", ERR_SAML_CONFIRMATION, {0}, DATA "/KeyInfo/X509Data"},
        {"both, and they differ the other way",
         ERR_SAML_CONFIRMATION,
         {0},
         DATA "/KeyInfo/KeyValue"},
        {"of somebody else", ERR_SAML_CONFIRMATION, {0}, DATA "/KeyInfo"},
        {"no Modulus",
         ERR_SAML_CONFIRMATION,
         {KIT_REMOVE, DATA "/KeyInfo/KeyValue/RSAKeyValue/Modulus", NULL, NULL},
         NULL},
        {"no Exponent",
         ERR_SAML_CONFIRMATION,
         {KIT_REMOVE, DATA "/KeyInfo/KeyValue/RSAKeyValue/Exponent", NULL, NULL},
         NULL},
        {"by a reference elsewhere",
         ERR_SAML_CONFIRMATION,
         {KIT_REPLACE, DATA "/KeyInfo", NULL,
          "<d:KeyInfo xmlns:d=\"" NS_DS "\"><d:RetrievalMethod URI=\"#x\"/></d:KeyInfo>"},
         NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_apply(doc, &rows[i].edit);
        if (rows[i].borrowed != NULL) {
            borrow(doc, rows[i].borrowed, KIT_OTHER);
        }
        kit_resign(doc, KIT_RSA);
        kit_check(rows[i].name, doc, &kit.rules, rows[i].want);
    }
    /* A registered key of the partner, and not the one that signed the Timestamp. */
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    borrow(doc, DATA "/KeyInfo", KIT_EC);
    kit_resign(doc, KIT_RSA);
    kit_check("a key of the same partner that did not sign", doc, &kit.rules, ERR_SIG_ALGORITHM);
}

/* ---- KeyInfo of signatures ---- */

static void
test_key_info(void)
{
    static const struct {
        const char *xml;
        enum err want;
    } rows[] = {
        {"<d:RetrievalMethod xmlns:d=\"" NS_DS "\" URI=\"#x\"/>", ERR_SIG_STRUCTURE},
        {"<d:KeyInfoReference xmlns:d=\"" NS_DSIG11 "\" URI=\"#x\"/>", ERR_SIG_STRUCTURE},
        {"<d:DEREncodedKeyValue xmlns:d=\"" NS_DSIG11 "\">AAAA</d:DEREncodedKeyValue>",
         ERR_SIG_STRUCTURE},
        {"<x:EncryptedKey xmlns:x=\"http://www.w3.org/2001/04/xmlenc#\"/>", ERR_SIG_STRUCTURE},
        {"<d:PGPData xmlns:d=\"" NS_DS "\"/>", ERR_SIG_STRUCTURE},
        {"<d:SPKIData xmlns:d=\"" NS_DS "\"/>", ERR_SIG_STRUCTURE},
        {"<d:MgmtData xmlns:d=\"" NS_DS "\">x</d:MgmtData>", ERR_SIG_STRUCTURE},
        {"<s:Assertion xmlns:s=\"" NS_SAML2 "\"/>", ERR_SIG_WRAPPED},
        {"<d:KeyName xmlns:d=\"" NS_DS "\">red</d:KeyName>", ERR_NONE},
    };
    static const char *const places[] = {ASSERTION "/Signature/KeyInfo",
                                         SECURITY "/Signature/KeyInfo"};
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        const struct kit_edit edit = {KIT_APPEND, places[i % 2], NULL, rows[i / 2].xml};
        kit_apply(doc, &edit);
        kit_check(rows[i / 2].xml, doc, &kit.rules, rows[i / 2].want);
    }
}

/* Certificates of strangers beside the partner's: a short chain is looked through, a long one is
 * refused before anything is decoded. */
static void
test_chains(void)
{
    static const struct {
        size_t strangers;
        bool has_own;
        enum err want;
    } rows[] = {{0, true, ERR_NONE},
                {7, true, ERR_NONE},
                {7, false, ERR_SIG_NO_TRUST},
                {8, true, ERR_SIG_STRUCTURE},
                {100, true, ERR_SIG_STRUCTURE},
                {500, true, ERR_LIMIT_XML}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        xmlDoc *const other = kit_genuine(KIT_OTHER);
        xmlNode *const own = kit_at(doc, ASSERTION "/Signature/KeyInfo/X509Data/X509Certificate");
        for (size_t n = 0; n < rows[i].strangers; n++) {
            (void)xmlAddPrevSibling(
                own, xmlDocCopyNode(kit_at(other, ASSERTION "/Signature/KeyInfo/X509Data/"
                                                            "X509Certificate"),
                                    doc, 1));
        }
        if (!rows[i].has_own) {
            xmlUnlinkNode(own);
            xmlFreeNode(own);
        }
        xmlFreeDoc(other);
        kit_check("chain", doc, &kit.rules, rows[i].want);
    }
}

/* ---- algorithms ---- */

static void
test_algorithms(void)
{
    static const char *const refused[] = {
        NS_DS "dsa-sha1",
        "http://www.w3.org/2009/xmldsig11#dsa-sha256",
        NS_DS "hmac-sha1",
        MORE "hmac-sha384",
        MORE "rsa-md5",
        MORE "rsa-ripemd160",
        MORE "rsa-sha224",
        MORE "ecdsa-sha224",
        MORE "ecdsa-sha512",
        "http://www.w3.org/2007/05/xmldsig-more#rsa-pss",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
        "none",
        "",
        MORE "RSA-SHA256",
        " " MORE "rsa-sha256",
        NULL,
    };
    static const char *const refused_digests[] = {
        MORE "md5", MORE "sha224", "http://www.w3.org/2001/04/xmlenc#ripemd160", "none", "", NULL,
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_set(kit_at(doc, INFO "/SignatureMethod"), "Algorithm", refused[i]);
        kit_resign(doc, KIT_RSA);
        kit_check(refused[i] == NULL ? "no Algorithm" : refused[i], doc, &kit.rules,
                  ERR_SIG_ALGORITHM);
    }
    for (size_t i = 0; i < ARRAY_LEN(refused_digests); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        kit_set(kit_at(doc, INFO "/Reference/DigestMethod"), "Algorithm", refused_digests[i]);
        kit_resign(doc, KIT_RSA);
        kit_check("digest method", doc, &kit.rules, ERR_SIG_ALGORITHM);
    }
    xmlDoc *const doc = kit_genuine(KIT_RSA);
    kit_set(kit_at(doc, INFO "/Reference/DigestMethod"), "Algorithm",
            "http://www.w3.org/2001/04/xmlenc#sha512");
    kit_check("a digest of another size", doc, &kit.rules, ERR_SIG_INVALID);
}

/* (r, s) with a zero in it verifies for anything in careless libraries (CVE-2022-21449). */
static void
test_zero_ecdsa(void)
{
    static const char *const parts[] = {ASSERTION "/Signature", SECURITY "/Signature"};
    char zeros[86 + 3];
    memset(zeros, 'A', 86);
    memcpy(zeros + 86, "==", 3);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char path[128];
        xmlDoc *const doc = kit_genuine(KIT_EC);
        (void)snprintf(path, sizeof(path), "%s/SignatureValue", parts[i]);
        const struct kit_edit edit = {KIT_TEXT, path, NULL, zeros};
        kit_apply(doc, &edit);
        kit_check("zero r and s", doc, &kit.rules, ERR_SIG_INVALID);
    }
    kit_check("a good one", kit_genuine(KIT_EC), &kit.rules, ERR_NONE);
}

/* What stands between the names of a PrefixList does not hide them from being counted. */
static void
test_prefix_separators(void)
{
    static const char separators[] = " \t\n\r";
    for (size_t i = 0; i < 2 * (sizeof(separators) - 1); i++) {
        const size_t n = i % 2 == 0 ? 64 : 65;
        char list[65 * 2 + 1] = "";
        for (size_t p = 0; p < n; p++) {
            list[2 * p] = 'p';
            list[2 * p + 1] = separators[i / 2];
            list[2 * p + 2] = '\0';
        }
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        xmlNode *const added =
            kit_fragment(doc, "<e:InclusiveNamespaces "
                              "xmlns:e=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>");
        (void)xmlAddChild(kit_at(doc, INFO "/CanonicalizationMethod"), added);
        kit_set(added, "PrefixList", list);
        kit_resign(doc, KIT_RSA);
        kit_check("prefixes", doc, &kit.rules, n == 64 ? ERR_NONE : ERR_SIG_TRANSFORM);
    }
}

static const struct unit_test tests[] = {
    {"token references", test_references},
    {"keys of confirmations", test_confirmations},
    {"what a KeyInfo may not hold", test_key_info},
    {"chains of certificates", test_chains},
    {"algorithms that are none", test_algorithms},
    {"ECDSA of zeros", test_zero_ecdsa},
    {"separators in a PrefixList", test_prefix_separators},
};

int
main(void)
{
    kit_init();
    kit_rules_init(&kit);
    const int rc = unit_main("tokenref", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
