/*
 * Who is asking? The TLS certificate, the signing key, the SAML issuer and the homeCommunityId of a
 * request must all belong to one partner record; anything else is refused. The order is fixed: the
 * TLS certificate finds the record, the record gives the keys, the proven assertion must agree with
 * the record.
 */
#ifndef TXN_BINDING_H
#define TXN_BINDING_H

#include "config/config.h"
#include "soap/security.h"

/* The rules under which a message of <partner> to this node must verify. Arrays live in <arena>. */
MUST_CHECK struct status binding_rules(const struct config *config, const struct partner *partner,
                                       int64_t now_us, struct arena *arena, struct diag *diag,
                                       struct security_rules *ret_rules);
/* The proven assertion against the partner's record: ERR_SAML_ISSUER (the key that signed may not
 * sign for it), ERR_PEER_BINDING (community; organization-id that is another partner's or our own
 * community; delegation). */
MUST_CHECK struct status binding_check_assertion(const struct config *config,
                                                 const struct partner *partner,
                                                 const struct saml_facts *facts, struct diag *diag);
/* wsa:To, when given, must be the URL under which <path> is served: ERR_WSA_HEADER. */
MUST_CHECK struct status binding_check_to(const struct config *config, struct span to,
                                          struct span path, struct diag *diag);

#endif
