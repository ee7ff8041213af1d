/*
 * Private keys and passphrases from files. Internal to certs/, but for key_read_private_file: the
 * configuration reads secrets of its own with it. Secrets lie in buffers that are wiped. Thread:
 * any.
 */
#ifndef CERTS_KEY_H
#define CERTS_KEY_H

#include "base/buf.h"
#include "certs/credential.h"

#define KEY_PASSPHRASE_MAX 1000 /* bytes; OpenSSL takes 1024 */

/* Appends a file that only its owner may use (mode & 077 is refused, on the open file). <what> is
 * "private key" or the like, for the error. ERR_IO, ERR_CREDENTIAL. */
MUST_CHECK struct status key_read_private_file(const char *path, const char *what,
                                               struct buf *secret, struct diag *diag);

/* Empty, wiped when it is done. */
void key_passphrase_init(struct buf *passphrase);
/* The first line of the file, or the variable's value; nothing when both are NULL. An empty one is
 * refused. ERR_IO, ERR_CREDENTIAL. */
MUST_CHECK struct status key_read_passphrase(const char *path, const char *variable,
                                             struct buf *passphrase, struct diag *diag);
/* The one private key of a PEM file. <passphrase> is empty when there is none. ERR_IO,
 * ERR_CREDENTIAL; the culprit changes when it is the passphrase. */
MUST_CHECK struct status key_load_pem(const char *path, struct span passphrase, struct diag *diag,
                                      enum credential_file *ret_culprit, EVP_PKEY **ret_key);

#endif
