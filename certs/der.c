/*
 * Writes a certificate as DER. Called by whoever makes messages that carry one; owns nothing.
 */
#include "certs/der.h"

#include <openssl/x509.h>

struct status
certificate_write_der(const struct certificate *certificate, struct buf *out, struct diag *diag)
{
    const int n = i2d_X509(certificate->x509, NULL);
    char *room = NULL;
    if (n <= 0) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate cannot be encoded");
    }
    TRY(buf_reserve(out, (size_t)n, diag, &room));
    unsigned char *to = (unsigned char *)room;
    if (i2d_X509(certificate->x509, &to) != n) {
        return FAIL(diag, ERR_CREDENTIAL, "certificate cannot be encoded");
    }
    out->n += (size_t)n;
    return OK;
}
