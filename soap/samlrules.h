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
 * order, also those of attribute statements. ERR_SAML_STRUCTURE; ERR_SAML_CONDITIONS when it was
 * issued in the future. */
MUST_CHECK struct status saml_check_shape(const xmlNode *assertion,
                                          const struct security_rules *rules, struct diag *diag);
/* Conditions (time, lifetime, audience) and AuthnStatements; notes OneTimeUse and what was needed
 * of the relaxations in the view. ERR_SAML_CONDITIONS, ERR_SAML_AUDIENCE, ERR_SAML_AUTHN. */
MUST_CHECK struct status saml_check_conditions(struct verified_view *view,
                                               const struct security_rules *rules,
                                               struct arena *arena, struct diag *diag);
/* AuthzDecisionStatements (SAML core 2.7.4; as the eHealth Exchange sends consents): schema order,
 * the decision Permit, and evidence that is one or more assertions and valid now. Nothing else of
 * it is believed. ERR_SAML_AUTHZ. */
MUST_CHECK struct status saml_check_authz(const struct verified_view *view,
                                          const struct security_rules *rules, struct diag *diag);
/* NotBefore <= now < NotOnOrAfter of <node>, each with the clocks' tolerance, and in this order;
 * absent ones are not checked. <code> when not, or malformed. */
struct saml_window {
    int64_t from_us, to_us;
    bool has_from, has_to;
};
MUST_CHECK struct status saml_check_window(const xmlNode *node, const struct security_rules *rules,
                                           enum err code, struct diag *diag,
                                           struct saml_window *ret_window);
/* No longer than rules allow. */
MUST_CHECK struct status saml_check_lifetime(const xmlNode *node, int64_t from_us, int64_t to_us,
                                             const struct security_rules *rules, enum err code,
                                             struct diag *diag);
bool saml_is_ours(struct span uri, const struct security_rules *rules); /* among the audiences */

/* The Subject is one NameID and its confirmations (ERR_SAML_SUBJECT for anything else). How the
 * sender proves that the assertion is about it: holder-of-key wherever one is there: then
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
