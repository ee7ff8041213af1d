/*
 * A certificate's bytes, for messages that carry it (ds:X509Certificate). Thread: any.
 */
#ifndef CERTS_DER_H
#define CERTS_DER_H

#include "certs/certificate.h"

/* Appends the DER. ERR_CREDENTIAL, ERR_LIMIT_BUFFER. */
MUST_CHECK struct status certificate_write_der(const struct certificate *certificate,
                                               struct buf *out, struct diag *diag);

#endif
