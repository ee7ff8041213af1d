/*
 * Turns OpenSSL's error queue into one text. Called by the other files of certs/ right after a call
 * failed.
 */
#include "certs/openssl_error.h"

#include <openssl/err.h>

const char *
openssl_error_take(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    ERR_clear_error();
    return reason == NULL ? "no reason given" : reason;
}
