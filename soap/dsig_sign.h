/*
 * Makes one XML signature: exclusive c14n, SHA-256, RSA-SHA256 or (by the key) ECDSA-SHA256 or
 * ECDSA-SHA384. Only over trees that we wrote ourselves. Thread: any; the tree is the caller's.
 */
#ifndef SOAP_DSIG_SIGN_H
#define SOAP_DSIG_SIGN_H

#include "base/xmlw.h"
#include "certs/credential.h"
#include "soap/xml.h"

/* Writes ds:Signature with empty values: SignedInfo for one Reference to #<id>, SignatureValue, and
 * what <key_info> (well-formed XML, may be empty) holds. */
void dsig_write_template(struct xmlw *w, const struct credential *signer, struct span id,
                         bool is_enveloped, struct span key_info);
/* <xml>: a document with one such template somewhere in it and one element whose attribute
 * <id_name> (any namespace) is the id; gives the tree with its values filled in. ERR_CRYPTO. */
MUST_CHECK struct status dsig_sign(struct span xml, const struct credential *signer,
                                   const char *id_name, struct arena *arena, struct diag *diag,
                                   xmlDoc **ret_doc);

#endif
