/*
 * What an XML signature must look like before anybody computes with it. The allowed shape is the
 * one that SAML core 5.4 and the WSS SAML token profile need, and nothing else of XML Signature:
 *
 *   ds:Signature
 *     ds:SignedInfo
 *       ds:CanonicalizationMethod   exclusive c14n (may list inclusive prefixes)
 *       ds:SignatureMethod          RSA or ECDSA over SHA-2 (SHA-1 in a partner's grace period)
 *       ds:Reference URI="#NCName"  exactly one
 *         ds:Transforms             [enveloped-signature,] exclusive c14n
 *         ds:DigestMethod, ds:DigestValue
 *     ds:SignatureValue
 *     ds:KeyInfo                    optional
 *
 * Pure: reads the tree, changes nothing. Thread: whoever owns the arena.
 */
#ifndef SOAP_SIGRULES_H
#define SOAP_SIGRULES_H

#include "soap/namespaces.h"
#include "soap/xml.h"

#define SIG_PREFIXES_MAX 64 /* of an InclusiveNamespaces PrefixList */

/* The most that one signature may cover: a digest costs several times what the parse did, and it is
 * computed before anybody is known. The largest sample of another system has 373 nodes and 10 KB.
 */
#define SIG_NODES_MAX ((size_t)4000)       /* counted as in message_limits */
#define SIG_BYTES_MAX ((size_t)256 * 1024) /* of texts and attribute values */

enum sig_key_kind { SIG_KEY_RSA, SIG_KEY_EC };
struct sig_method {
    const char *uri;
    enum sig_key_kind key;
    bool is_sha1;
};

struct signature {
    const xmlNode *node;     /* ds:Signature */
    const xmlNode *key_info; /* NULL when absent */
    const struct sig_method *method;
    bool has_sha1;         /* SHA-1 in the method or in the Reference's digest */
    struct span reference; /* the NCName behind '#' */
    struct span value;     /* text of SignatureValue, base64 */
};

/* What one signature must be. */
struct sig_shape {
    bool is_enveloped; /* the assertion's; else the Timestamp's */
    bool may_use_sha1; /* the partner's grace period is not over */
};
/* ERR_SIG_STRUCTURE, ERR_SIG_ALGORITHM (methods), ERR_SIG_TRANSFORM (transforms),
 * ERR_SIG_REFERENCE (URI, number), ERR_SIG_COMMENT, ERR_SIG_INVALID (a digest that has not the
 * size of its method's), ERR_LIMIT_XML (sig_check_subtree). */
MUST_CHECK struct status sig_read(const xmlNode *node, const struct sig_shape *shape,
                                  struct arena *arena, struct diag *diag,
                                  struct signature *ret_signature);

/* The whole document: no two attributes that any reader may take for an id (ID, Id, wsu:Id, xml:id,
 * AssertionID) have the same value (ERR_SIG_DUPLICATE_ID), and no namespace is a relative URI,
 * which has no canonical form (ERR_SIG_STRUCTURE). */
MUST_CHECK struct status sig_check_document(const xmlNode *root, struct arena *arena,
                                            struct diag *diag);
/* What is signed, as a whole: ERR_LIMIT_XML when it is more than one signature may cover,
 * ERR_SIG_COMMENT for a comment or processing instruction in it. */
MUST_CHECK struct status sig_check_subtree(const xmlNode *top, struct diag *diag);
bool sig_is_ncname(struct span name); /* of ASCII characters */

#endif
