/*
 * What OpenSSL's error queue of this thread says, for diag texts. Internal to certs/. Thread: any.
 */
#ifndef CERTS_OPENSSL_ERROR_H
#define CERTS_OPENSSL_ERROR_H

/* The reason of the newest error, or "no reason given"; empties the queue. A static string. */
const char *openssl_error_take(void);

#endif
