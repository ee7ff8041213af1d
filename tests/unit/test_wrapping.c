/*
 * Signature wrapping: what was signed is still there and still verifies, and something else stands
 * where a reader looks. XSW1 to XSW8 (assertions), WSW (SOAP messages), and a generator of all
 * combinations with one oracle: refused, or exactly the facts that were signed.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/soap_expect.h"

#define SECURITY  "Header/Security"
#define TIMESTAMP SECURITY "/Timestamp"
#define ASSERTION SECURITY "/Assertion"

static struct kit_rules kit;

static xmlNode *
take(xmlNode *node)
{
    xmlUnlinkNode(node);
    return node;
}

static xmlNode *
child_named(xmlNode *node, const char *name)
{
    xmlNode *child = xmlFirstElementChild(node);
    while (child != NULL && strcmp((const char *)child->name, name) != 0) {
        child = xmlNextElementSibling(child);
    }
    return child;
}

/* A copy that says somebody else, without a signature. */
static xmlNode *
evil_copy(xmlDoc *doc, const char *id)
{
    xmlNode *const evil = xmlDocCopyNode(kit_at(doc, ASSERTION), doc, 1);
    xmlNode *const signature = take(child_named(evil, "Signature"));
    xmlNodeSetContent(child_named(child_named(evil, "Subject"), "NameID"),
                      (const xmlChar *)"CN=evil");
    kit_set(evil, "ID", id);
    xmlFreeNode(signature);
    return evil;
}

static xmlNode *
element(xmlDoc *doc, const char *xml)
{
    return kit_fragment(doc, xml);
}

/* Issuer comes first, then the Signature. */
static void
adopt_signature(xmlNode *assertion, xmlNode *signature)
{
    (void)xmlAddNextSibling(child_named(assertion, "Issuer"), signature);
}

/* ---- XSW: each gets the genuine message and makes the attack ---- */

static void
xsw1(xmlDoc *doc) /* evil is the parent of the signature, the original lies in the signature */
{
    xmlNode *const original = kit_at(doc, ASSERTION);
    xmlNode *const evil = evil_copy(doc, "_evil");
    xmlNode *const signature = take(child_named(original, "Signature"));
    (void)xmlReplaceNode(original, evil);
    adopt_signature(evil, signature);
    (void)xmlAddChild(signature, original);
}

static void
xsw2(xmlDoc *doc) /* the signature is detached: beside the original, both in evil */
{
    xmlNode *const original = kit_at(doc, ASSERTION);
    xmlNode *const evil = evil_copy(doc, "_evil");
    xmlNode *const signature = take(child_named(original, "Signature"));
    (void)xmlReplaceNode(original, evil);
    adopt_signature(evil, signature);
    (void)xmlAddNextSibling(signature, original);
}

static void
xsw3(xmlDoc *doc) /* evil before the original */
{
    (void)xmlAddPrevSibling(kit_at(doc, ASSERTION), evil_copy(doc, "_evil"));
}

static void
xsw4(xmlDoc *doc) /* evil around the original */
{
    xmlNode *const original = kit_at(doc, ASSERTION);
    xmlNode *const evil = evil_copy(doc, "_evil");
    (void)xmlReplaceNode(original, evil);
    (void)xmlAddChild(evil, original);
}

static void
xsw5(xmlDoc *doc) /* evil keeps the signature, the original comes at the end of the header */
{
    xmlNode *const original = kit_at(doc, ASSERTION);
    xmlNode *const evil = evil_copy(doc, "_evil");
    xmlNode *const signature = take(child_named(original, "Signature"));
    (void)xmlReplaceNode(original, evil);
    adopt_signature(evil, signature);
    (void)xmlAddChild(kit_at(doc, SECURITY), original);
}

static void
xsw6(xmlDoc *doc) /* evil, in it the signature, in its KeyInfo the original */
{
    xsw5(doc);
    xmlNode *const key_info = kit_at(doc, ASSERTION "/Signature/KeyInfo");
    (void)xmlAddChild(key_info, take(xmlLastElementChild(kit_at(doc, SECURITY))));
}

static void
xsw7(xmlDoc *doc) /* the original in a header block that nobody must understand */
{
    xmlNode *const original = kit_at(doc, ASSERTION);
    xmlNode *const evil = evil_copy(doc, "_evil");
    xmlNode *const block = element(doc, "<x:extension xmlns:x=\"urn:x\"/>");
    (void)xmlReplaceNode(original, evil);
    (void)xmlAddChild(kit_at(doc, "Header"), block);
    (void)xmlAddChild(block, original);
}

static void
xsw8(xmlDoc *doc) /* the original in ds:Object */
{
    xsw1(doc);
    xmlNode *const signature = kit_at(doc, ASSERTION "/Signature");
    xmlNode *const object = element(doc, "<ds:Object xmlns:ds=\"" NS_DS "\"/>");
    (void)xmlAddChild(object, take(xmlLastElementChild(signature)));
    (void)xmlAddChild(signature, object);
}

/* The place where a second assertion is allowed: evidence of a consent, inside of what is signed.
 */
static xmlNode *
add_evidence(xmlDoc *doc, xmlNode *assertion)
{
    xmlNode *const statement =
        element(doc, "<s:AuthzDecisionStatement xmlns:s=\"" NS_SAML2 "\" Decision=\"Permit\" "
                     "Resource=\"" KIT_AUDIENCE "\"><s:Action>Execute</s:Action><s:Evidence/>"
                     "</s:AuthzDecisionStatement>");
    (void)xmlAddChild(assertion, statement);
    return xmlLastElementChild(statement);
}

static void
xsw_evidence_moved(xmlDoc *doc) /* the signature is evil's and refers to the original in evidence */
{
    xsw5(doc);
    xmlNode *const original = take(xmlLastElementChild(kit_at(doc, SECURITY)));
    (void)xmlAddChild(add_evidence(doc, kit_at(doc, ASSERTION)), original);
}

static void
xsw_evidence_kept(xmlDoc *doc) /* the original keeps its signature, evil has none */
{
    xmlNode *const original = kit_at(doc, ASSERTION);
    xmlNode *const evil = evil_copy(doc, "_evil");
    (void)xmlReplaceNode(original, evil);
    (void)xmlAddChild(add_evidence(doc, evil), original);
}

static void
xsw_evidence_same_id(xmlDoc *doc)
{
    xmlChar *const id = xmlGetNoNsProp(kit_at(doc, ASSERTION), (const xmlChar *)"ID");
    xsw_evidence_moved(doc);
    kit_set(kit_at(doc, ASSERTION), "ID", (const char *)id);
    xmlFree(id);
}

static void
xsw_renamed(xmlDoc *doc) /* the original under another name: its id, digest and place are wrong */
{
    xsw8(doc);
    xmlNode *const object = xmlLastElementChild(kit_at(doc, ASSERTION "/Signature"));
    xmlNodeSetName(xmlFirstElementChild(object), (const xmlChar *)"Advice");
}

static void
benign_evidence(xmlDoc *doc)
{
    const char *const xml =
        "<s:Assertion xmlns:s=\"" NS_SAML2 "\" ID=\"_evidence\" Version=\"2.0\" "
        "IssueInstant=\"2027-01-15T08:00:00Z\"><s:Issuer>CN=red signing</s:Issuer>"
        "<s:AttributeStatement><s:Attribute Name=\"AccessConsentPolicy\"><s:AttributeValue>"
        "urn:oid:2.999.7</s:AttributeValue></s:Attribute></s:AttributeStatement></s:Assertion>";
    (void)xmlAddChild(add_evidence(doc, kit_at(doc, ASSERTION)), element(doc, xml));
    kit_resign(doc, KIT_RSA);
}

static void
test_assertions(void)
{
    static const struct {
        const char *name;
        void (*attack)(xmlDoc *doc);
        enum err want;
    } rows[] = {
        {"XSW1", xsw1, ERR_SIG_WRAPPED},
        {"XSW2", xsw2, ERR_SIG_WRAPPED},
        {"XSW3", xsw3, ERR_SIG_WRAPPED},
        {"XSW4", xsw4, ERR_SIG_WRAPPED},
        {"XSW5", xsw5, ERR_SIG_WRAPPED},
        {"XSW6", xsw6, ERR_SIG_WRAPPED},
        {"XSW7", xsw7, ERR_SIG_WRAPPED},
        {"XSW8", xsw8, ERR_SIG_WRAPPED},
        {"original in evidence, signature moved", xsw_evidence_moved, ERR_SIG_WRAPPED},
        {"original in evidence, signature kept", xsw_evidence_kept, ERR_SIG_MISSING},
        {"original in evidence, same id", xsw_evidence_same_id, ERR_SIG_DUPLICATE_ID},
        {"original renamed in ds:Object", xsw_renamed, ERR_SIG_STRUCTURE},
        {"evidence that was signed", benign_evidence, ERR_NONE},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        rows[i].attack(doc);
        kit_check_signed(rows[i].name, doc, &kit.rules, rows[i].want);
    }
    kit_check_signed("untouched", kit_genuine(KIT_RSA), &kit.rules, ERR_NONE);
}

/* ---- WSW ---- */

static void
wsw1(xmlDoc *doc) /* a right signature of the partner, over the Body instead of the Timestamp */
{
    xmlNode *const body = kit_at(doc, "Body");
    const struct kit_signing how = {kit_credential(KIT_RSA)->key, "SHA256", NULL, NULL};
    kit_set(body, "Id", "_body");
    kit_set(kit_at(doc, SECURITY "/Signature/SignedInfo/Reference"), "URI", "#_body");
    kit_sign(kit_at(doc, SECURITY "/Signature"), body, &how);
}

static void
wsw2(xmlDoc *doc) /* the signed Timestamp is hidden, a fresh one takes its place */
{
    xmlNode *const signed_one = kit_at(doc, TIMESTAMP);
    xmlNode *const fresh = xmlDocCopyNode(signed_one, doc, 1);
    xmlNode *const block = element(doc, "<x:wrapper xmlns:x=\"urn:x\"/>");
    kit_set(fresh, "Id", "_fresh");
    (void)xmlReplaceNode(signed_one, fresh);
    (void)xmlAddChild(kit_at(doc, "Header"), block);
    (void)xmlAddChild(block, signed_one);
}

static void
wsw2_same_id(xmlDoc *doc)
{
    xmlChar *const id =
        xmlGetNsProp(kit_at(doc, TIMESTAMP), (const xmlChar *)"Id", (const xmlChar *)NS_WSU);
    wsw2(doc);
    kit_set(kit_at(doc, TIMESTAMP), "Id", (const char *)id);
    xmlFree(id);
}

static void
wsw2_no_id(xmlDoc *doc)
{
    wsw2(doc);
    kit_set(kit_at(doc, TIMESTAMP), "Id", NULL);
}

static void
two_timestamps(xmlDoc *doc)
{
    xmlNode *const fresh = xmlDocCopyNode(kit_at(doc, TIMESTAMP), doc, 1);
    kit_set(fresh, "Id", "_fresh");
    (void)xmlAddPrevSibling(kit_at(doc, TIMESTAMP), fresh);
}

static void
no_timestamp(xmlDoc *doc)
{
    xmlFreeNode(take(kit_at(doc, TIMESTAMP)));
}

static void
two_bodies(xmlDoc *doc) /* WSW4 */
{
    xmlNode *const body = kit_at(doc, "Body");
    (void)xmlAddNextSibling(body, xmlDocCopyNode(body, doc, 1));
}

static void
two_securities(xmlDoc *doc) /* WSW5 */
{
    xmlNode *const block = element(doc, "<w:Security xmlns:w=\"" NS_WSSE "\"/>");
    (void)xmlAddPrevSibling(kit_at(doc, SECURITY), block);
}

static void
security_for_others(xmlDoc *doc) /* its harmless twin */
{
    xmlNode *const block = element(doc, "<w:Security xmlns:w=\"" NS_WSSE "\" xmlns:s=\"" NS_SOAP12
                                        "\" s:role=\"urn:somebody:else\"/>");
    (void)xmlAddChild(kit_at(doc, "Header"), block);
}

static void
only_for_others(xmlDoc *doc)
{
    xmlNode *const security = kit_at(doc, SECURITY);
    xmlNs *const soap = xmlSearchNsByHref(doc, security, (const xmlChar *)NS_SOAP12);
    (void)xmlSetNsProp(security, soap, (const xmlChar *)"role", (const xmlChar *)"urn:else");
}

static void
no_security(xmlDoc *doc)
{
    xmlFreeNode(take(kit_at(doc, SECURITY)));
}

/* WSW7: the victim's assertion, a Timestamp that is signed by another registered key. */
static void
other_holder(xmlDoc *doc)
{
    const struct kit_signing how = {kit_credential(KIT_OTHER)->key, "SHA256", NULL, NULL};
    kit_sign(kit_at(doc, SECURITY "/Signature"), kit_at(doc, TIMESTAMP), &how);
}

static void
other_holder_says_so(xmlDoc *doc)
{
    xmlDoc *const other = kit_genuine(KIT_OTHER);
    xmlNode *const old = kit_at(doc, SECURITY "/Signature/KeyInfo");
    (void)xmlReplaceNode(old,
                         xmlDocCopyNode(kit_at(other, ASSERTION "/Signature/KeyInfo"), doc, 1));
    xmlFreeNode(old);
    xmlFreeDoc(other);
    other_holder(doc);
}

static void
holder_says_so(xmlDoc *doc) /* the twin: KeyInfo with the right key instead of a token reference */
{
    xmlNode *const old = kit_at(doc, SECURITY "/Signature/KeyInfo");
    (void)xmlReplaceNode(old, xmlDocCopyNode(kit_at(doc, ASSERTION "/Signature/KeyInfo"), doc, 1));
    xmlFreeNode(old);
}

static void
other_token(xmlDoc *doc)
{
    const struct kit_edit edit = {
        KIT_TEXT, SECURITY "/Signature/KeyInfo/SecurityTokenReference/KeyIdentifier", NULL,
        "_another"};
    kit_apply(doc, &edit);
}

static void
bearer(xmlDoc *doc) /* WSW8 */
{
    kit_set(kit_at(doc, ASSERTION "/Subject/SubjectConfirmation"), "Method",
            "urn:oasis:names:tc:SAML:2.0:cm:bearer");
    kit_resign(doc, KIT_RSA);
}

static void
bearer_unsigned_timestamp(xmlDoc *doc)
{
    bearer(doc);
    xmlFreeNode(take(kit_at(doc, SECURITY "/Signature")));
}

static void
sender_vouches(xmlDoc *doc)
{
    kit_set(kit_at(doc, ASSERTION "/Subject/SubjectConfirmation"), "Method",
            "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches");
    kit_resign(doc, KIT_RSA);
}

static void
both_methods(xmlDoc *doc) /* bearer beside holder-of-key does not lower what is asked */
{
    const struct kit_edit edit = {KIT_APPEND, ASSERTION "/Subject", NULL,
                                  "<s:SubjectConfirmation xmlns:s=\"" NS_SAML2
                                  "\" Method=\"urn:oasis:names:tc:SAML:2.0:cm:bearer\"/>"};
    kit_apply(doc, &edit);
    kit_resign(doc, KIT_RSA);
}

static void
both_methods_unsigned(xmlDoc *doc)
{
    both_methods(doc);
    xmlFreeNode(take(kit_at(doc, SECURITY "/Signature")));
}

static void
username_token(xmlDoc *doc)
{
    const struct kit_edit edit = {KIT_APPEND, SECURITY, NULL,
                                  "<w:UsernameToken xmlns:w=\"" NS_WSSE "\"/>"};
    kit_apply(doc, &edit);
}

static void
binary_token(xmlDoc *doc)
{
    const struct kit_edit edit = {KIT_APPEND, SECURITY, NULL,
                                  "<w:BinarySecurityToken xmlns:w=\"" NS_WSSE "\">AAAA"
                                  "</w:BinarySecurityToken>"};
    kit_apply(doc, &edit);
}

static void
two_message_signatures(xmlDoc *doc)
{
    xmlNode *const signature = kit_at(doc, SECURITY "/Signature");
    (void)xmlAddNextSibling(signature, xmlDocCopyNode(signature, doc, 1));
}

static void
test_messages(void)
{
    static const struct {
        const char *name;
        void (*attack)(xmlDoc *doc);
        enum err want, with_bearer;
    } rows[] = {
        {"WSW1: Body signed instead", wsw1, ERR_SIG_WRAPPED, ERR_SIG_WRAPPED},
        {"WSW2: signed Timestamp hidden", wsw2, ERR_SIG_WRAPPED, ERR_SIG_WRAPPED},
        {"WSW2: same id", wsw2_same_id, ERR_SIG_DUPLICATE_ID, ERR_SIG_DUPLICATE_ID},
        {"WSW2: no id", wsw2_no_id, ERR_SIG_WRAPPED, ERR_SIG_WRAPPED},
        {"two Timestamps", two_timestamps, ERR_WSS_TIMESTAMP, ERR_WSS_TIMESTAMP},
        {"no Timestamp", no_timestamp, ERR_WSS_TIMESTAMP, ERR_WSS_TIMESTAMP},
        {"WSW4: two Bodies", two_bodies, ERR_SOAP_STRUCTURE, ERR_SOAP_STRUCTURE},
        {"WSW5: two Security headers", two_securities, ERR_WSS_STRUCTURE, ERR_WSS_STRUCTURE},
        {"a Security header for others", security_for_others, ERR_NONE, ERR_NONE},
        {"Security for others only", only_for_others, ERR_WSS_MISSING, ERR_WSS_MISSING},
        {"no Security", no_security, ERR_WSS_MISSING, ERR_WSS_MISSING},
        {"WSW7: another holder", other_holder, ERR_SIG_INVALID, ERR_SIG_INVALID},
        {"WSW7: another holder, named", other_holder_says_so, ERR_SIG_NO_TRUST, ERR_SIG_NO_TRUST},
        {"the holder, named", holder_says_so, ERR_NONE, ERR_NONE},
        {"reference to another token", other_token, ERR_SIG_REFERENCE, ERR_SIG_REFERENCE},
        {"WSW8: bearer", bearer, ERR_SAML_CONFIRMATION, ERR_NONE},
        {"WSW8: bearer, Timestamp not signed", bearer_unsigned_timestamp, ERR_SAML_CONFIRMATION,
         ERR_NONE},
        {"WSW8: sender-vouches", sender_vouches, ERR_SAML_CONFIRMATION, ERR_SAML_CONFIRMATION},
        {"holder-of-key and bearer", both_methods, ERR_NONE, ERR_NONE},
        {"holder-of-key and bearer, not signed", both_methods_unsigned, ERR_SIG_MISSING,
         ERR_SIG_MISSING},
        {"UsernameToken", username_token, ERR_WSS_STRUCTURE, ERR_WSS_STRUCTURE},
        {"BinarySecurityToken, unused", binary_token, ERR_NONE, ERR_NONE},
        {"two message signatures", two_message_signatures, ERR_SIG_STRUCTURE, ERR_SIG_STRUCTURE},
    };
    kit.keys[3] = kit_credential(KIT_OTHER)->leaf;
    kit.rules.keys_n = 4;
    for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
        xmlDoc *const doc = kit_genuine(KIT_RSA);
        rows[i / 2].attack(doc);
        kit.rules.may_use_bearer = i % 2 == 1;
        kit_check_signed(rows[i / 2].name, doc, &kit.rules,
                         i % 2 == 1 ? rows[i / 2].with_bearer : rows[i / 2].want);
    }
    kit_rules_init(&kit);
}

/* ---- all combinations ---- */

enum { POSITIONS = 4, IDS = 4, SIGNATURES = 4, WRAPPERS = 6 };

static xmlNode *
wrapper_of(xmlDoc *doc, int wrapper, xmlNode *signature)
{
    static const char *const paths[] = {"Header", "Body/PRPA_IN201305UV02", SECURITY, "Body"};
    if (wrapper >= 4) {
        xmlNode *const object = element(doc, wrapper == 4 ? "<ds:Object xmlns:ds=\"" NS_DS "\"/>"
                                                          : "<ds:KeyInfo xmlns:ds=\"" NS_DS "\"/>");
        return xmlAddChild(signature, object);
    }
    xmlNode *const block = element(doc, "<x:wrapper xmlns:x=\"urn:x\"/>");
    return xmlAddChild(kit_at(doc, paths[wrapper]), block);
}

/* The original goes into a wrapper (or around), evil takes its place. */
static void
combine(xmlDoc *doc, int position, int id, int signed_how, int wrapper)
{
    xmlNode *const original = kit_at(doc, ASSERTION);
    xmlChar *const same = xmlGetNoNsProp(original, (const xmlChar *)"ID");
    const char *const ids[] = {(const char *)same, "_evil", NULL, ""};
    xmlNode *const evil = evil_copy(doc, "_evil");
    xmlNode *signature = child_named(original, "Signature");
    kit_set(evil, "ID", ids[id]);
    xmlFree(same);
    if (signed_how == 1 || signed_how == 2) {
        signature = signed_how == 1 ? take(signature) : xmlDocCopyNode(signature, doc, 1);
        adopt_signature(evil, signature);
    }
    (void)xmlReplaceNode(original, evil);
    xmlNode *const place =
        wrapper_of(doc, wrapper, signed_how == 0 ? kit_at(doc, SECURITY "/Signature") : signature);
    switch (position) {
    case 0:
        (void)xmlAddChild(place, original);
        break;
    case 1:
        (void)xmlAddPrevSibling(evil, original);
        break;
    case 2:
        (void)xmlAddChild(evil, original);
        break;
    default:
        (void)xmlAddChild(add_evidence(doc, evil), original);
        break;
    }
    if (signed_how == 3) {
        xmlFreeNode(take(signature));
    }
}

static void
test_combinations(void)
{
    const struct assertion_order order = kit_order(KIT_RSA);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    const struct span xml = kit_message(&order, arena);
    size_t refused = 0;
    for (int i = 0; i < POSITIONS * IDS * SIGNATURES * WRAPPERS; i++) {
        struct arena *own = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag;
        struct saml_facts facts;
        xmlDoc *const doc = kit_open(xml);
        combine(doc, i % 4, i / 4 % 4, i / 16 % 4, i / 64);
        const struct status st = kit_verify(kit_close(doc, own), &kit.rules, own, &diag, &facts);
        CU_ASSERT(err_class(st.code) == ERR_CLASS_SECURITY ||
                  err_class(st.code) == ERR_CLASS_MESSAGE);
        if (is_ok(st)) {
            printf("\n      accepted: position %d, id %d, signature %d, wrapper %d\n", i % 4,
                   i / 4 % 4, i / 16 % 4, i / 64);
        }
        refused += is_ok(st) ? 0 : 1;
        arena_free(own);
    }
    CU_ASSERT(refused == (size_t)POSITIONS * IDS * SIGNATURES * WRAPPERS);
    arena_free(arena);
}

static const struct unit_test tests[] = {
    {"assertions (XSW)", test_assertions},
    {"messages (WSW)", test_messages},
    {"384 combinations", test_combinations},
};

int
main(void)
{
    kit_init();
    kit_rules_init(&kit);
    const int rc = unit_main("wrapping", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
