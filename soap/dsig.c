/*
 * Chooses the engine, and is the reference among the two: xmlsec 1.2 over OpenSSL, with everything
 * switched off that is not needed (its defaults accept a key that the message brings, XSLT, and
 * Reference URIs that it fetches). Called by sigverify.c; the one file that sees xmlsec. Nothing
 * lives longer than a call but the libraries themselves, and the tree is the same after a call as
 * before it.
 */
#include "soap/dsig.h"

#include <openssl/evp.h>

#include <xmlsec/base64.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>
#include <xmlsec/io.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>

#include "base/mem.h"
#include "soap/profile.h"

/* ---- the library ---- */

static void
on_xmlsec_error(const char *file, int line, const char *function, const char *object,
                const char *subject, int reason, const char *text)
{
    (void)file;
    (void)line;
    (void)object;
    (void)subject;
    (void)text; /* may quote the message */
    xml_complain(function == NULL ? "xmlsec" : function, reason, "");
}

struct status
dsig_library_init(struct diag *diag)
{
    if (xmlSecInit() < 0 || xmlSecCheckVersion() != 1) {
        return FAIL(diag, ERR_INTERNAL, "xmlsec cannot be set up, or is another version than %s",
                    XMLSEC_VERSION);
    }
    if (xmlSecCryptoInit() < 0) {
        return FAIL(diag, ERR_INTERNAL, "xmlsec's OpenSSL part cannot be set up");
    }
    xmlSecErrorsSetCallback(on_xmlsec_error); /* each part above sets its own */
    /* No reader of files or URLs is left: a Reference that got this far could fetch nothing. */
    xmlSecIOCleanupCallbacks();
    xmlSecBase64SetDefaultLineSize(0);
    return profile_library_init(diag);
}

void
dsig_library_done(void)
{
    profile_library_done();
    (void)xmlSecCryptoShutdown();
    (void)xmlSecShutdown();
}

/* ---- a context with a key ---- */

static bool
set_key(xmlSecDSigCtx *context, EVP_PKEY *key)
{
    context->signKey = xmlSecKeyCreate();
    if (context->signKey == NULL || EVP_PKEY_up_ref(key) != 1) {
        return false;
    }
    xmlSecKeyData *const data = xmlSecOpenSSLEvpKeyAdopt(key);
    if (data == NULL) {
        EVP_PKEY_free(key);
        return false;
    }
    if (xmlSecKeySetValue(context->signKey, data) < 0) {
        xmlSecKeyDataDestroy(data);
        return false;
    }
    return true;
}

/* A context that works with <key> (a reference is taken) and no other: with a key set, KeyInfo is
 * not read at all. NULL when it cannot be made. */
static xmlSecDSigCtx *
context_new(EVP_PKEY *key)
{
    xmlSecDSigCtx *const context = xmlSecDSigCtxCreate(NULL);
    if (context != NULL && !set_key(context, key)) {
        xmlSecDSigCtxDestroy(context);
        return NULL;
    }
    return context;
}

static void
context_free(xmlSecDSigCtx **context)
{
    if (*context != NULL) {
        xmlSecDSigCtxDestroy(*context);
    }
}

/* ---- what the engine sees of the document ---- */

#define LEVELS_MAX ((size_t)8) /* Timestamp, Signature, Security, Header, Envelope: five */

struct narrowing {
    struct narrowing_level {
        xmlNode *node, *prev, *next, *first, *last; /* the last two are its parent's */
    } levels[LEVELS_MAX];
    size_t n;
};

/* <node> becomes its parent's only child. */
static void
isolate(xmlNode *node, struct narrowing *narrowing)
{
    xmlNode *const parent = node->parent;
    narrowing->levels[narrowing->n++] =
        (struct narrowing_level){node, node->prev, node->next, parent->children, parent->last};
    node->prev = NULL;
    node->next = NULL;
    parent->children = node;
    parent->last = node;
}

/* Takes everything out of sight but the signature, what it signs, and their ancestors. libxml2
 * canonicalises a part by asking of each node of the whole document whether it belongs to it: a
 * large Body would be walked four times for two signatures. What is deeper than LEVELS_MAX keeps
 * some neighbours. */
static void
narrow_to(const struct dsig_job *job, struct narrowing *narrowing)
{
    xmlNode *const signature = (xmlNode *)job->signature;
    xmlNode *const target = (xmlNode *)job->target;
    narrowing->n = 0;
    if (target->parent == signature->parent) {
        isolate(target, narrowing);
        isolate(signature, narrowing);
        target->next = signature;
        signature->prev = target;
        signature->parent->children = target;
    }
    xmlNode *node = signature->parent;
    for (; node->parent != NULL && narrowing->n < LEVELS_MAX; node = node->parent) {
        isolate(node, narrowing);
    }
}

static void
widen(const struct narrowing *narrowing)
{
    for (size_t i = narrowing->n; i > 0; i--) {
        const struct narrowing_level *const level = &narrowing->levels[i - 1];
        level->node->prev = level->prev;
        level->node->next = level->next;
        level->node->parent->children = level->first;
        level->node->parent->last = level->last;
    }
}

/* ---- verification ---- */

static bool
allow_sha1(xmlSecDSigCtx *context)
{
    return xmlSecDSigCtxEnableSignatureTransform(context, xmlSecTransformRsaSha1Id) >= 0 &&
           xmlSecDSigCtxEnableSignatureTransform(context, xmlSecTransformEcdsaSha1Id) >= 0 &&
           xmlSecDSigCtxEnableReferenceTransform(context, xmlSecTransformSha1Id) >= 0;
}

/* Only what sigrules.c lets pass exists for the engine. */
static bool
allow_only_ours(xmlSecDSigCtx *context, bool may_use_sha1)
{
    const xmlSecTransformId signing[] = {
        xmlSecTransformExclC14NId,  xmlSecTransformRsaSha256Id,   xmlSecTransformRsaSha384Id,
        xmlSecTransformRsaSha512Id, xmlSecTransformEcdsaSha256Id, xmlSecTransformEcdsaSha384Id,
    };
    const xmlSecTransformId digesting[] = {
        xmlSecTransformEnvelopedId, xmlSecTransformExclC14NId, xmlSecTransformSha256Id,
        xmlSecTransformSha384Id,    xmlSecTransformSha512Id,
    };
    context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
    /* Ids are looked up in the table of the document; no XPointer is evaluated. */
    context->flags |= XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS | XMLSEC_DSIG_FLAGS_USE_VISA3D_HACK;
    for (size_t i = 0; i < ARRAY_LEN(signing); i++) {
        if (xmlSecDSigCtxEnableSignatureTransform(context, signing[i]) < 0) {
            return false;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(digesting); i++) {
        if (xmlSecDSigCtxEnableReferenceTransform(context, digesting[i]) < 0) {
            return false;
        }
    }
    return !may_use_sha1 || allow_sha1(context);
}

/* "Succeeded" says that some bytes were signed; these are the ones that we asked about. */
static bool
is_what_we_asked(xmlSecDSigCtx *context, const struct dsig_job *job)
{
    xmlSecPtrList *const references = &context->signedInfoReferences;
    if (context->status != xmlSecDSigStatusSucceeded || xmlSecPtrListGetSize(references) != 1 ||
        xmlSecPtrListGetSize(&context->manifestReferences) != 0) {
        return false;
    }
    const xmlSecDSigReferenceCtx *const reference = xmlSecPtrListGetItem(references, 0);
    return reference != NULL && reference->status == xmlSecDSigStatusSucceeded &&
           reference->uri != NULL && reference->uri[0] == '#' &&
           xmlGetID(job->target->doc, reference->uri + 1) == job->id &&
           job->id->parent == job->target;
}

/* What xmlsec digested; nothing when it did not get that far. */
static bool
copy_digested(xmlSecDSigCtx *context, struct dsig_digested *copy)
{
    struct diag unused;
    xmlSecBuffer *const info = xmlSecDSigCtxGetPreSignBuffer(context);
    xmlSecDSigReferenceCtx *const reference =
        xmlSecPtrListGetItem(&context->signedInfoReferences, 0);
    xmlSecBuffer *const target =
        reference == NULL ? NULL : xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
    diag_clear(&unused);
    return (target == NULL || is_ok(buf_append(&copy->target,
                                               span_of((const char *)xmlSecBufferGetData(target),
                                                       xmlSecBufferGetSize(target)),
                                               &unused))) &&
           (info == NULL || is_ok(buf_append(&copy->info,
                                             span_of((const char *)xmlSecBufferGetData(info),
                                                     xmlSecBufferGetSize(info)),
                                             &unused)));
}

static bool
verify(const struct dsig_job *job)
{
    CLEANUP(context_free) xmlSecDSigCtx *context = context_new(job->key);
    if (context == NULL || !allow_only_ours(context, job->may_use_sha1)) {
        return false;
    }
    if (job->digested != NULL) {
        context->flags |=
            XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES | XMLSEC_DSIG_FLAGS_STORE_SIGNATURE;
    }
    const bool is_good = xmlSecDSigCtxVerify(context, (xmlNode *)job->signature) == 0 &&
                         is_what_we_asked(context, job);
    return (job->digested == NULL || copy_digested(context, job->digested)) && is_good;
}

static struct status
verify_by_reference(const struct dsig_job *job, struct diag *diag)
{
    struct diag complaint;
    struct narrowing narrowing;
    diag_clear(&complaint);
    struct diag *const before = xml_complaints_to(&complaint);
    narrow_to(job, &narrowing);
    const bool is_good = verify(job);
    widen(&narrowing);
    (void)xml_complaints_to(before);
    if (!is_good) {
        return FAIL(diag, ERR_SIG_INVALID, "line %ld: the signature of <%s> is not valid%s%s",
                    xmlGetLineNo(job->signature), (const char *)job->target->name,
                    complaint.code == ERR_NONE ? "" : ": ", complaint.text);
    }
    return OK;
}

struct status
dsig_verify(const struct dsig_job *job, struct diag *diag)
{
    enum profile_verdict verdict = PROFILE_NOT_MINE;
    if (job->engine == DSIG_PROFILE_FIRST) {
        verdict = profile_verify(job);
    }
    if (verdict == PROFILE_WRONG) {
        return FAIL(diag, ERR_SIG_INVALID, "line %ld: the signature of <%s> is not valid",
                    xmlGetLineNo(job->signature), (const char *)job->target->name);
    }
    return verdict == PROFILE_RIGHT ? OK : verify_by_reference(job, diag);
}
