/*
 * The verified view: what of a message was signed by a key that the partner registered. Only
 * sigverify.c makes one, security.c completes it, saml.c reads it; everybody else sees the opaque
 * name of security.h and can do nothing with it but ask saml_read. Thread: whoever owns the arena.
 */
#ifndef SOAP_VIEW_H
#define SOAP_VIEW_H

#include "soap/security.h"
#include "soap/xml.h"

struct verified_view {
    const xmlNode *assertion; /* the very element that its enveloped signature covers */
    const struct certificate *assertion_key;
    bool is_holder_of_key; /* the Timestamp's signature is by the confirmation's key */
    /* The Timestamp of the message: signed unless a bearer assertion came without a signature. */
    const xmlNode *signed_timestamp; /* NULL then */
    struct span timestamp_signature; /* empty then */
    int64_t created_us, expires_us;
};

#endif
