/*
 * Signatures of a message: which element, which key, which shape; the only maker of a verified
 * view. xmlsec's own rules are those of XML Signature in general, where a signature may cover
 * anything and bring its own key; here the schema position decides what must be covered, and the
 * caller brings the keys. Thread: whoever owns the arena.
 */
#ifndef SOAP_SIGVERIFY_H
#define SOAP_SIGVERIFY_H

#include "certs/certificate.h"
#include "soap/view.h"

/* The registered keys that may have made a signature: bit i of <allowed> is items[i]. */
struct sig_keys {
    struct certificate *const *items;
    size_t n;
    uint32_t allowed;
    bool may_use_sha1;      /* the partner's grace period is not over */
    bool may_omit_key_info; /* the signature need not name its key */
    bool uses_reference;    /* the reference engine computes (dsig.h) */
};

/* The assertion's enveloped signature: its one child ds:Signature refers to exactly this element by
 * its ID and is made by one of the keys; KeyInfo chooses among them. sig_check_document must have
 * passed. ERR_SIG_*. */
MUST_CHECK struct status sigverify_assertion(const xmlNode *assertion, const struct sig_keys *keys,
                                             struct arena *arena, struct diag *diag,
                                             struct verified_view **ret_view);
/* The message's signature: refers to exactly <timestamp> (its sibling) by wsu:Id and is made by one
 * of the allowed keys. Noted in the view. ERR_SIG_*. */
MUST_CHECK struct status sigverify_timestamp(const xmlNode *signature, const xmlNode *timestamp,
                                             const struct sig_keys *keys, struct arena *arena,
                                             struct diag *diag, struct verified_view *view);

#endif
