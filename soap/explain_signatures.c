/*
 * Who signed what: every ds:Signature of a captured message, wherever it stands. Called by `isthmus
 * decode`. A signature that stands in the wrong place, or is made by a key of the wrong partner, is
 * computed as well, because that is what people want to know; it proves nothing here, and the
 * gateway never asks this file. What it costs is bounded by the two limits below.
 */
#include <openssl/evp.h>

#include "base/mem.h"
#include "certs/certificate.h"
#include "soap/dsig.h"
#include "soap/explain_parts.h"
#include "soap/keyinfo.h"
#include "soap/sigrules.h"

#define SIGNATURES_MAX 16  /* that are looked at */
#define TRIES_MAX      512 /* keys, over all signatures */
#define DER_MAX        ((size_t)16 * 1024)

struct signer {
    const struct explanation *explanation;
    const struct explain_key *keys;
    size_t keys_n;
    struct notes *notes;
    size_t tries;
    bool
        has_unique_ids; /* else nothing is computed: which element is meant depends on the reader */
    const struct explain_key *assertion_signer;
};

/* ---- keys ---- */

struct certificate *
explain_carried(const xmlNode *within)
{
    for (const xmlNode *node = within; node != NULL; node = xml_walk(node, within)) {
        struct certificate *certificate = NULL;
        struct diag why = {0};
        CLEANUP(buf_done) struct buf der;

        buf_init(&der, DER_MAX);
        if (xml_is(node, NS_DS, "X509Certificate") && node->children != NULL &&
            node->children->type == XML_TEXT_NODE &&
            is_ok(base64_decode(span_of_cstr((const char *)node->children->content), &der, &why)) &&
            is_ok(certificate_from_der(buf_span(&der), &why, &certificate))) {
            return certificate;
        }
    }
    return NULL;
}

static void
note_certificate(struct notes *notes, struct note *parent, const char *key,
                 const struct certificate *certificate)
{
    note_printf(notes, parent, key, "%s, SHA-256 %s, %s %d bits", certificate->subject,
                certificate->sha256, EVP_PKEY_get0_type_name(certificate->key),
                EVP_PKEY_get_bits(certificate->key));
}

static void
note_key_info(const xmlNode *node, struct notes *notes, struct note *item)
{
    const xmlNode *const key_info = xml_child(node, NS_DS, "KeyInfo");
    struct certificate *const certificate = explain_carried(key_info);
    size_t n = 0;

    for (const xmlNode *child = xml_first(key_info); child != NULL && n < 8;
         child = xml_next(child), n++) {
        const xmlNode *const inner = xml_first(child);

        note_word(notes, item, "key_info", explain_name(inner == NULL ? child : inner));
    }
    if (key_info == NULL) {
        note_cstr(notes, item, "key_info", "absent");
    }
    if (certificate != NULL) {
        note_certificate(notes, item, "key_info_certificate", certificate);
        certificate_free(certificate);
    }
}

static bool
is_of_kind(EVP_PKEY *key, const struct sig_method *method)
{
    return EVP_PKEY_is_a(key, method->key == SIG_KEY_RSA ? "RSA" : "EC");
}

/* ---- the element that is meant ---- */

static const xmlAttr *
find_id(const xmlNode *root, struct span wanted)
{
    static const char *const names[] = {"ID", "Id", "AssertionID"};

    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
            for (size_t i = 0; i < ARRAY_LEN(names); i++) {
                if (span_eq_cstr(span_of_cstr((const char *)attr->name), names[i]) &&
                    span_eq(xml_attr_value(attr), wanted)) {
                    return attr;
                }
            }
        }
    }
    return NULL;
}

static bool
register_id(const xmlAttr *id)
{
    const xmlChar *const value = id->children == NULL ? NULL : id->children->content;

    return value != NULL &&
           (id->atype == XML_ATTRIBUTE_ID ||
            xmlAddID(NULL, id->doc, value, (xmlAttr *)id) != NULL) &&
           xmlGetID(id->doc, value) == id;
}

/* ---- the arithmetic ---- */

static bool
computes(struct signer *signer, const struct signature *signature, const xmlAttr *id, EVP_PKEY *key)
{
    const struct dsig_job job = {.signature = signature->node,
                                 .target = id->parent,
                                 .id = id,
                                 .key = key,
                                 .may_use_sha1 = true};
    struct diag why = {0};

    signer->tries++;
    return is_ok(dsig_verify(&job, &why));
}

/* A KeyInfo that names keys and not this one leaves it out. */
static bool
is_candidate(const struct signature *signature, const struct explain_key *key)
{
    struct certificate *const one[1] = {key->certificate};
    struct key_hint hint = {0};
    struct diag why = {0};

    return is_of_kind(key->certificate->key, signature->method) &&
           (!is_ok(keyinfo_read(signature->key_info, one, 1, &why, &hint)) || !hint.is_given ||
            hint.keys != 0);
}

static const struct explain_key *
find_signer(struct signer *signer, const struct signature *signature, const xmlAttr *id)
{
    for (size_t i = 0; i < signer->keys_n && signer->tries < TRIES_MAX; i++) {
        if (is_candidate(signature, &signer->keys[i]) &&
            computes(signer, signature, id, signer->keys[i].certificate->key)) {
            return &signer->keys[i];
        }
    }
    return NULL;
}

static void
try_carried(struct signer *signer, const struct signature *signature, const xmlAttr *id,
            struct note *item)
{
    const xmlNode *const subject = xml_child(signer->explanation->assertion, NS_SAML2, "Subject");
    struct certificate *certificate = explain_carried(signature->key_info);

    certificate = certificate != NULL ? certificate : explain_carried(subject);
    if (certificate == NULL) {
        note_cstr(signer->notes, item, "arithmetic",
                  "not computed: the message brings no certificate, and no registered key fits");
        return;
    }
    const bool is_good = is_of_kind(certificate->key, signature->method) &&
                         computes(signer, signature, id, certificate->key);
    note_cstr(signer->notes, item, "arithmetic",
              is_good ? "right with the key that the message brings; proves nothing: the key came "
                        "with the message"
                      : "wrong, also with the key that the message brings: what was signed was "
                        "changed, or another key signed");
    certificate_free(certificate);
}

static void
judge(struct signer *signer, const struct signature *signature, const xmlAttr *id,
      struct note *item)
{
    const bool is_assertions = signature->node->parent == signer->explanation->assertion;

    if (!signer->has_unique_ids || !register_id(id)) {
        note_cstr(signer->notes, item, "arithmetic", "not computed: an id is there twice");
        return;
    }
    const struct explain_key *const key = find_signer(signer, signature, id);
    if (key != NULL) {
        note_cstr(signer->notes, item, "arithmetic", "right");
        note_cstr(signer->notes, item, "signed_by", key->owner);
        note_certificate(signer->notes, item, "registered_key", key->certificate);
        if (is_assertions) {
            signer->assertion_signer = key;
        }
        return;
    }
    note_cstr(signer->notes, item, "signed_by",
              signer->keys_n == 0 ? "unknown: no configuration was given"
                                  : "no key of any partner");
    try_carried(signer, signature, id, item);
}

/* ---- one signature ---- */

/* Is <element> what the gateway will read? */
static const char *
role_of(const struct explanation *explanation, const xmlNode *element)
{
    if (element == explanation->assertion) {
        return "the assertion that is read";
    }
    if (element == explanation->timestamp) {
        return "the Timestamp that is read";
    }
    return "WRAPPED: nothing that is read for security";
}

static void
note_algorithms(const xmlNode *node, struct notes *notes, struct note *item)
{
    static const struct {
        const char *key, *element;
    } rows[] = {{"method", "SignatureMethod"},
                {"digest", "DigestMethod"},
                {"canonicalization", "CanonicalizationMethod"},
                {"transform", "Transform"}};

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        size_t n = 0;
        const xmlNode *const info = xml_child(node, NS_DS, "SignedInfo");

        for (const xmlNode *at = info; at != NULL && n < 8; at = xml_walk(at, info)) {
            if (xml_is(at, NS_DS, rows[i].element)) {
                note_word(notes, item, rows[i].key, explain_short(xml_attr_text(at, "Algorithm")));
                n++;
            }
        }
    }
}

static void
explain_signature(struct signer *signer, const xmlNode *node, struct note *list)
{
    const struct explanation *const explanation = signer->explanation;
    const struct sig_shape shape = {.is_enveloped = xml_is(node->parent, NS_SAML2, "Assertion"),
                                    .may_use_sha1 = true};
    const xmlNode *const info = xml_child(node, NS_DS, "SignedInfo");
    struct note *const item = note_object(signer->notes, list, NULL);
    struct signature signature = {0};
    struct diag why = {0};

    note_printf(signer->notes, item, "place", "line %ld, in <%.*s>", xmlGetLineNo(node),
                SPAN_PRINT(explain_name(node->parent)));
    const struct span uri = xml_attr_text(xml_child(info, NS_DS, "Reference"), "URI");
    const struct span name = uri.n > 0 && uri.p[0] == '#' ? span_slice(uri, 1, SIZE_MAX) : uri;
    const xmlAttr *const id = name.n == 0 ? NULL : find_id(explanation->root, name);
    note_text(signer->notes, item, "refers_to", uri.n > 0 ? uri : SPAN("nothing (no URI)"));
    if (id == NULL) {
        note_cstr(signer->notes, item, "covers", "no element: nothing has that id");
    } else {
        note_printf(signer->notes, item, "covers", "<%.*s>, line %ld",
                    SPAN_PRINT(explain_name(id->parent)), xmlGetLineNo(id->parent));
        note_cstr(signer->notes, item, "which_is", role_of(explanation, id->parent));
    }
    note_algorithms(node, signer->notes, item);
    note_key_info(node, signer->notes, item);
    const struct status st = sig_read(node, &shape, explanation->arena, &why, &signature);
    if (!is_ok(st)) {
        note_printf(signer->notes, item, "arithmetic", "not computed: %s: %s", err_name(st.code),
                    why.text);
    } else if (id != NULL) {
        judge(signer, &signature, id, item);
    }
}

struct status
explain_signatures(const struct explanation *explanation, const struct explain_key *keys,
                   size_t keys_n, struct notes *notes, struct diag *diag,
                   const struct explain_key **ret_signer)
{
    struct note *const list = note_list(notes, &notes->top, "signatures");
    struct signer signer = {
        .explanation = explanation, .keys = keys, .keys_n = keys_n, .notes = notes};
    struct diag why = {0};
    size_t n = 0;

    if (explanation->root != NULL) {
        const struct status st = sig_check_document(explanation->root, explanation->arena, &why);
        if (st.code == ERR_NO_MEMORY) {
            return FAIL(diag, st.code, "%s", why.text);
        }
        signer.has_unique_ids = is_ok(st);
    }
    for (const xmlNode *node = explanation->root; node != NULL;
         node = xml_walk(node, explanation->root)) {
        if (xml_is(node, NS_DS, "Signature") && n++ < SIGNATURES_MAX) {
            explain_signature(&signer, node, list);
        }
    }
    if (n > SIGNATURES_MAX) {
        struct note *const item = note_object(notes, list, NULL);

        note_printf(notes, item, "place", "%zu more, not looked at", n - SIGNATURES_MAX);
    }
    *ret_signer = signer.assertion_signer;
    return OK;
}
