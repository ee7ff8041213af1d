/*
 * The one spelling of a SignatureValue, for remembering which signatures were seen. White space and
 * unused bits in base64 can be changed by anybody, and of an ECDSA signature (r, s) everybody can
 * make the equally valid (r, n - s): a replay must not look new because of that. Thread: any.
 */
#ifndef SOAP_SIGVALUE_H
#define SOAP_SIGVALUE_H

#include <openssl/types.h>

#include "base/arena.h"

/* <value>: base64 text of a signature by <key> (RSA: the size of the modulus; EC: r and s, each of
 * the order's size). Gives base64 without white space, of the smaller s. ERR_SIG_INVALID for any
 * other size or text. */
MUST_CHECK struct status sig_value_normalise(struct span value, EVP_PKEY *key, struct arena *arena,
                                             struct diag *diag, struct span *ret_value);
/* <value> as it was sent, without white space: what a SignatureConfirmation gives back. */
MUST_CHECK struct status sig_value_compact(struct span value, struct arena *arena,
                                           struct diag *diag, struct span *ret_value);

#endif
