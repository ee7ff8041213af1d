/*
 * The verified view: what of a message was signed by a key that the partner registered. Only
 * sigverify.c makes one, security.c completes it, saml.c reads it; everybody else sees the opaque
 * name of security.h and can do nothing with it but ask saml_read. (explain_checks.c fills one that
 * is not proven, for its own use.) Thread: whoever owns the arena.
 */
#ifndef SOAP_VIEW_H
#define SOAP_VIEW_H

#include "soap/security.h"
#include "soap/xml.h"

struct verified_view {
    const xmlNode *assertion; /* the very element that its enveloped signature covers */
    const struct certificate *assertion_key;
    uint32_t relaxed, omitted; /* sets of enum dialect_relaxation: allowed, and needed */
    bool may_omit_purpose;
    const char *community; /* what an absent homeCommunityId stands for; NULL: nothing */
    bool has_sha1;         /* in one of the signatures */
    bool is_one_time;      /* OneTimeUse among the Conditions */
    bool is_holder_of_key; /* the Timestamp's signature is by the confirmation's key */
    /* The Timestamp of the message: signed unless a bearer assertion came without a signature. */
    const xmlNode *signed_timestamp;                           /* NULL then */
    struct span timestamp_signature, timestamp_signature_sent; /* empty then */
    int64_t created_us, expires_us;
    int64_t not_before_us, not_on_or_after_us, authn_instant_us; /* of the assertion */
};

/* May this be absent? If so it is noted as needed. */
static inline bool
saml_may_omit(uint32_t relaxed, enum dialect_relaxation what, uint32_t *omitted)
{
    if ((relaxed & DIALECT_BIT(what)) == 0) {
        return false;
    }
    *omitted |= DIALECT_BIT(what);
    return true;
}

#endif
