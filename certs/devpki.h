/*
 * The development PKI that `isthmus init --dev-pki` makes: a certificate authority, and per node a
 * TLS, a signing and an audit certificate, and a CRL. For trying and testing only: its keys lie in
 * the clear beside the configuration (mode 0600). Called by cmd_init.c and by tests. Thread: one at
 * a time for a folder.
 */
#ifndef CERTS_DEVPKI_H
#define CERTS_DEVPKI_H

#include <stdint.h>

#include "base/diag.h"

enum devpki_key { DEVPKI_RSA_2048, DEVPKI_P256 };

struct devpki_node {
    const char *name;    /* organisation, in the subject DN */
    const char *host;    /* DNS SAN besides localhost; may be NULL */
    const char *address; /* IP SAN, e.g. 127.0.0.1; may be NULL */
    enum devpki_key key;
};

/* ca.pem, ca.key, crl.pem in <dir> (made when missing). Refuses (ERR_CREDENTIAL) to overwrite. */
MUST_CHECK struct status devpki_make_ca(const char *dir, const char *name, int64_t now_us,
                                        struct diag *diag);
/* node.pem/.key, signing.pem/.key, audit.pem/.key in <dir>, issued by <ca_dir>'s authority, and
 * copies of ca.pem and crl.pem there. */
MUST_CHECK struct status devpki_make_node(const char *dir, const char *ca_dir,
                                          const struct devpki_node *node, int64_t now_us,
                                          struct diag *diag);
/* Put a certificate on the authority's CRL. */
MUST_CHECK struct status devpki_revoke(const char *ca_dir, const char *certificate_path,
                                       int64_t now_us, struct diag *diag);

#endif
