/*
 * What an assertion must be to be believed by us, apart from its signature (SAML 2.0 core; WSS SAML
 * token profile 1.1; ITI TF-2 3.40). Internal to soap/. Pure. Thread: whoever owns the arena.
 */
#ifndef SOAP_SAMLRULES_H
#define SOAP_SAMLRULES_H

#include "soap/keyinfo.h"
#include "soap/view.h"

#define SAML_HOLDER_OF_KEY "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
#define SAML_BEARER        "urn:oasis:names:tc:SAML:2.0:cm:bearer"

/* Before the signature: Version, ID, IssueInstant, and the children that the schema has, in its
 * order. ERR_SAML_STRUCTURE. */
MUST_CHECK struct status saml_check_shape(const xmlNode *assertion,
                                          const struct security_rules *rules, struct diag *diag);
/* Conditions (time, lifetime, audience) and AuthnStatement. ERR_SAML_CONDITIONS, ERR_SAML_AUDIENCE,
 * ERR_SAML_AUTHN. */
MUST_CHECK struct status saml_check_conditions(const struct verified_view *view,
                                               const struct security_rules *rules,
                                               struct arena *arena, struct diag *diag);
/* How the sender proves that the assertion is about it. Holder-of-key wherever one is there: then
 * *ret_keys is the set of registered keys that the confirmations name (never empty). Else bearer,
 * when the rules allow it. ERR_SAML_SUBJECT, ERR_SAML_CONFIRMATION. */
MUST_CHECK struct status saml_check_confirmation(const struct verified_view *view,
                                                 const struct security_rules *rules,
                                                 struct diag *diag, bool *ret_is_holder_of_key,
                                                 uint32_t *ret_keys);
/* xs:dateTime attribute <name>; false when absent. A malformed one is <code>. */
MUST_CHECK struct status saml_instant(const xmlNode *node, const char *name, bool is_required,
                                      enum err code, struct diag *diag, int64_t *ret_us,
                                      bool *ret_is_there);

#endif
