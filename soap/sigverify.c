/*
 * Decides what a signature must be; dsig.c computes whether it is. Called by security.c. The id
 * attributes that References may use are registered here, by schema position and by nobody else;
 * that and nothing else is written into the tree.
 */
#include "soap/sigverify.h"

#include <assert.h>

#include <openssl/evp.h>

#include "soap/dsig.h"
#include "soap/keyinfo.h"
#include "soap/sigrules.h"
#include "soap/sigvalue.h"

#define RSA_BITS_MIN 2048
#define EC_BITS_MIN  256

/* ---- which element ---- */

static const xmlAttr *
find_attribute(const xmlNode *node, const char *ns, const char *local)
{
    const xmlAttr *attr = node->properties;
    for (; attr != NULL; attr = attr->next) {
        const char *const href = attr->ns == NULL ? NULL : (const char *)attr->ns->href;
        if (xmlStrEqual(attr->name, (const xmlChar *)local) &&
            span_eq(span_of_cstr(href), span_of_cstr(ns))) {
            return attr;
        }
    }
    return NULL;
}

static bool
is_somebodys_id(const xmlNode *root, struct span id)
{
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
            if (span_eq(xml_attr_value(attr), id)) {
                return true;
            }
        }
    }
    return false;
}

/* The signature refers to <target>, and to it alone: its id attribute has the value, no other id of
 * the document has (sig_check_document), and the table that the engine asks answers with it. */
static struct status
bind_reference(const struct signature *signature, const xmlNode *target, const char *id_ns,
               const char *id_name, struct diag *diag, const xmlAttr **ret_id)
{
    const xmlAttr *const id = find_attribute(target, id_ns, id_name);
    if (id == NULL || !span_eq(xml_attr_value(id), signature->reference)) {
        const bool is_other = is_somebodys_id(xml_root(target->doc), signature->reference);
        return FAIL(diag, is_other ? ERR_SIG_WRAPPED : ERR_SIG_REFERENCE,
                    "line %ld: the signature refers to '%.*s', which is %s, and not to its <%s>",
                    xmlGetLineNo(signature->node),
                    SPAN_PRINT(span_slice(signature->reference, 0, 80)),
                    is_other ? "another element" : "nothing", (const char *)target->name);
    }
    const xmlChar *const value = id->children->content;
    if (id->atype != XML_ATTRIBUTE_ID &&
        xmlAddID(NULL, target->doc, value, (xmlAttr *)id) == NULL) {
        return FAIL(diag, ERR_SIG_DUPLICATE_ID, "the id '%s' is taken by another element",
                    (const char *)value);
    }
    if (xmlGetID(target->doc, value) != id) {
        return FAIL(diag, ERR_SIG_WRAPPED, "the id '%s' leads to another element",
                    (const char *)value);
    }
    *ret_id = id;
    return OK;
}

/* ---- which key ---- */

static bool
may_use(const struct certificate *certificate, enum sig_key_kind kind)
{
    const struct key_numbers *const key = certificate->numbers;
    if (key == NULL) {
        return false;
    }
    return kind == SIG_KEY_RSA ? key->type == EVP_PKEY_RSA && key->bits >= RSA_BITS_MIN
                               : key->type == EVP_PKEY_EC && key->bits >= EC_BITS_MIN;
}

/* Networks ask for a KeyInfo in the assertion's signature, and test that one without is refused.
 * That of the Timestamp's may be left out: the confirmation has named the key. */
static struct status
check_is_named(const struct signature *signature, const struct key_hint *hint,
               const struct sig_keys *keys, struct diag *diag)
{
    if (!hint->is_given && !keys->may_omit_key_info) {
        return FAIL(diag, ERR_SIG_NO_TRUST,
                    "line %ld: the signature has no KeyInfo with a certificate or a key value",
                    xmlGetLineNo(signature->node));
    }
    return OK;
}

/* The keys that the signature may have been made with: allowed, named by KeyInfo when it names any,
 * and of the method's kind. */
static struct status
choose_keys(const struct signature *signature, const struct sig_keys *keys, struct diag *diag,
            uint32_t *ret_chosen, bool *ret_is_named)
{
    struct key_hint hint;
    TRY(keyinfo_read(signature->key_info, keys->items, keys->n, diag, &hint));
    TRY(check_is_named(signature, &hint, keys, diag));
    const uint32_t named = keys->allowed & hint.keys;
    if (named == 0) {
        return FAIL(diag, ERR_SIG_NO_TRUST,
                    "line %ld: the signature's KeyInfo names no key that is registered for this "
                    "partner and purpose",
                    xmlGetLineNo(signature->node));
    }
    uint32_t chosen = 0;
    for (size_t i = 0; i < keys->n; i++) {
        const uint32_t bit = UINT32_C(1) << i;
        chosen |= (named & bit) != 0 && may_use(keys->items[i], signature->method->key) ? bit : 0;
    }
    if (chosen == 0) {
        return FAIL(diag, ERR_SIG_ALGORITHM,
                    "line %ld: the registered key is not one for %s (RSA needs %d bits, EC %d)",
                    xmlGetLineNo(signature->node), signature->method->uri, RSA_BITS_MIN,
                    EC_BITS_MIN);
    }
    *ret_chosen = chosen;
    *ret_is_named = hint.is_given;
    return OK;
}

/* At most KEYINFO_KEYS_MAX tries, and one whenever KeyInfo says which. */
static struct status
verify(const struct signature *signature, const xmlNode *target, const xmlAttr *id,
       const struct sig_keys *keys, struct diag *diag, const struct certificate **ret_key,
       bool *ret_is_named)
{
    uint32_t chosen = 0;
    struct diag last;
    diag_clear(&last);
    TRY(choose_keys(signature, keys, diag, &chosen, ret_is_named));
    for (size_t i = 0; i < keys->n; i++) {
        if ((chosen & (UINT32_C(1) << i)) == 0) {
            continue;
        }
        const struct dsig_job job = {
            .signature = signature->node,
            .target = target,
            .id = id,
            .key = keys->items[i]->key,
            .may_use_sha1 = keys->may_use_sha1,
            .engine = keys->uses_reference ? DSIG_REFERENCE : DSIG_PROFILE_FIRST,
        };
        diag_clear(&last);
        if (is_ok(dsig_verify(&job, &last))) {
            *ret_key = keys->items[i];
            return OK;
        }
    }
    return FAIL(diag, ERR_SIG_INVALID, "%s", last.text);
}

/* ---- the two signatures ---- */

/* REQ: ITI40-signed */
struct status
sigverify_assertion(const xmlNode *assertion, const struct sig_keys *keys, struct arena *arena,
                    struct diag *diag, struct verified_view **ret_view)
{
    struct signature signature;
    const xmlNode *node = NULL;
    const xmlAttr *id = NULL;
    struct verified_view *view = NULL;
    bool is_named = false;
    assert(keys->n <= KEYINFO_KEYS_MAX);
    if (xml_child(assertion, NS_DS, "Signature") == NULL) {
        return FAIL(diag, ERR_SIG_MISSING, "line %ld: the assertion is not signed",
                    xmlGetLineNo(assertion));
    }
    TRY(xml_child_one(assertion, NS_DS, "Signature", ERR_SIG_STRUCTURE, diag, &node));
    TRY(sig_check_subtree(assertion, diag));
    const struct sig_shape shape = {.is_enveloped = true, .may_use_sha1 = keys->may_use_sha1};
    TRY(sig_read(node, &shape, arena, diag, &signature));
    TRY(bind_reference(&signature, assertion, NULL, "ID", diag, &id));
    TRY(ARENA_NEW(arena, diag, &view));
    TRY(verify(&signature, assertion, id, keys, diag, &view->assertion_key, &is_named));
    view->omitted = is_named ? 0 : DIALECT_BIT(RELAX_KEY_INFO);
    view->assertion = assertion;
    view->has_sha1 = signature.has_sha1;
    *ret_view = view;
    return OK;
}

/* REQ: ITI40-holder-of-key */
struct status
sigverify_timestamp(const xmlNode *node, const xmlNode *timestamp, const struct sig_keys *keys,
                    struct arena *arena, struct diag *diag, struct verified_view *view)
{
    struct signature signature;
    const xmlAttr *id = NULL;
    const struct certificate *key = NULL;
    bool is_named = false;
    assert(keys->n <= KEYINFO_KEYS_MAX && node->parent == timestamp->parent);
    TRY(sig_check_subtree(timestamp, diag));
    const struct sig_shape shape = {.is_enveloped = false, .may_use_sha1 = keys->may_use_sha1};
    TRY(sig_read(node, &shape, arena, diag, &signature));
    TRY(bind_reference(&signature, timestamp, NS_WSU, "Id", diag, &id));
    TRY(verify(&signature, timestamp, id, keys, diag, &key, &is_named));
    TRY(sig_value_normalise(signature.value, key->key, arena, diag, &view->timestamp_signature));
    TRY(sig_value_compact(signature.value, arena, diag, &view->timestamp_signature_sent));
    view->has_sha1 = view->has_sha1 || signature.has_sha1;
    view->signed_timestamp = timestamp;
    return OK;
}
