/*
 * Signing with xmlsec; one of the two files that see it. Called by the writers of assertions and
 * Timestamps. The tree is parsed from what we wrote a moment ago and belongs to the arena.
 */
#include "soap/dsig_sign.h"

#include <openssl/evp.h>

#include <xmlsec/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>

#include "base/mem.h"
#include "soap/dsig_context.h"
#include "soap/namespaces.h"

#define EXC_C14N  "http://www.w3.org/2001/10/xml-exc-c14n#"
#define SIGNATURE "http://www.w3.org/2001/04/xmldsig-more#"
#define SHA256    "http://www.w3.org/2001/04/xmlenc#sha256"

/* ---- the template ---- */

static void
write_algorithm(struct xmlw *w, const char *qname, const char *uri)
{
    xmlw_start(w, qname);
    xmlw_attr_cstr(w, "Algorithm", uri);
    xmlw_end(w);
}

static const char *
method_of(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "RSA")) {
        return SIGNATURE "rsa-sha256";
    }
    return EVP_PKEY_get_bits(key) > 256 ? SIGNATURE "ecdsa-sha384" : SIGNATURE "ecdsa-sha256";
}

static void
write_reference(struct xmlw *w, struct span id, bool is_enveloped)
{
    char uri[128];
    (void)snprintf(uri, sizeof(uri), "#%.*s", SPAN_PRINT(span_slice(id, 0, sizeof(uri) - 2)));
    xmlw_start(w, "ds:Reference");
    xmlw_attr_cstr(w, "URI", uri);
    xmlw_start(w, "ds:Transforms");
    if (is_enveloped) {
        write_algorithm(w, "ds:Transform", NS_DS "enveloped-signature");
    }
    write_algorithm(w, "ds:Transform", EXC_C14N);
    xmlw_end(w);
    write_algorithm(w, "ds:DigestMethod", SHA256);
    xmlw_element(w, "ds:DigestValue", SPAN_EMPTY);
    xmlw_end(w);
}

void
dsig_write_template(struct xmlw *w, const struct credential *signer, struct span id,
                    bool is_enveloped, struct span key_info)
{
    xmlw_start(w, "ds:Signature");
    xmlw_attr_cstr(w, "xmlns:ds", NS_DS);
    xmlw_start(w, "ds:SignedInfo");
    write_algorithm(w, "ds:CanonicalizationMethod", EXC_C14N);
    write_algorithm(w, "ds:SignatureMethod", method_of(signer->key));
    write_reference(w, id, is_enveloped);
    xmlw_end(w);
    xmlw_element(w, "ds:SignatureValue", SPAN_EMPTY);
    xmlw_raw(w, key_info);
    xmlw_end(w);
}

/* ---- signing ---- */

/* KeyInfo is written by keyinfo.c: with a list that has nothing of it, xmlsec leaves it alone. */
static bool
sign(xmlNode *signature, EVP_PKEY *key)
{
    CLEANUP(dsig_context_free) xmlSecDSigCtx *context = dsig_context_new(key);
    return context != NULL &&
           xmlSecPtrListAdd(&context->keyInfoWriteCtx.enabledKeyData,
                            (xmlSecPtr)xmlSecKeyDataNameId) == 0 &&
           xmlSecDSigCtxSign(context, signature) == 0;
}

/* The element with the id, and the template. */
static bool
find_nodes(const xmlDoc *doc, const char *id_name, const xmlAttr **ret_id,
           const xmlNode **ret_signature)
{
    const xmlNode *const root = xml_root(doc);
    *ret_id = NULL;
    *ret_signature = NULL;
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        const xmlAttr *attr = node->properties;
        for (; attr != NULL && *ret_id == NULL; attr = attr->next) {
            *ret_id = xmlStrEqual(attr->name, (const xmlChar *)id_name) ? attr : NULL;
        }
        if (*ret_signature == NULL && xml_is(node, NS_DS, "Signature")) {
            *ret_signature = node;
        }
    }
    return *ret_id != NULL && *ret_signature != NULL;
}

struct status
dsig_sign(struct span xml, const struct credential *signer, const char *id_name,
          struct arena *arena, struct diag *diag, xmlDoc **ret_doc)
{
    const struct message_limits limits = message_limits_request((size_t)1024 * 1024);
    const xmlAttr *id = NULL;
    const xmlNode *signature = NULL;
    xmlDoc *doc = NULL;
    struct diag complaint;
    diag_clear(&complaint);
    TRY(xml_parse(xml, &limits, arena, diag, &doc));
    if (!find_nodes(doc, id_name, &id, &signature) ||
        xmlAddID(NULL, doc, id->children->content, (xmlAttr *)id) == NULL) {
        return FAIL(diag, ERR_INTERNAL, "signing: no template, or its id '%s' is missing", id_name);
    }
    struct diag *const before = xml_complaints_to(&complaint);
    const bool is_good = sign((xmlNode *)signature, signer->key);
    (void)xml_complaints_to(before);
    if (!is_good) {
        return FAIL(diag, ERR_CRYPTO, "signing failed: %s", complaint.text);
    }
    *ret_doc = doc;
    return OK;
}
