/*
 * Private keys that stay in a token (PKCS#11), through OpenSSL's engine of that name (Debian:
 * libengine-pkcs11-openssl). Internal to certs/. pkcs11.c is the only user of OpenSSL's deprecated
 * ENGINE interface.
 */
#ifndef CERTS_PKCS11_H
#define CERTS_PKCS11_H

#include "certs/credential.h"

/* Does it begin with "pkcs11:"? */
bool pkcs11_is_uri(const char *key);

/* A handle to the key that an RFC 7512 URI names; it signs on any thread. The PIN is <pin>, or when
 * that is empty the first line of the file in the URI's pin-source=file:/path (nobody but its owner
 * may use it); a PIN in the URI itself (pin-value) is refused. One module for the whole process: it
 * is loaded once and stays, logged in: from then on a token takes any PIN. ERR_CREDENTIAL, ERR_IO.
 * Loading: one thread at a time. */
MUST_CHECK struct status pkcs11_load_key(const char *uri, const char *module, struct span pin,
                                         struct diag *diag, enum credential_file *ret_culprit,
                                         EVP_PKEY **ret_key);

#endif
