/*
 * Individual access: a request whose purpose is T-IAS asks for the individual's own record, and the
 * id_token in its assertion says who that is (TEFCA IAS Provider Requirements SOP 4.9). Called by
 * inbound.c after the proof, and by the tools that explain messages. Pure; everything lives in the
 * arena. Thread: any.
 */
#ifndef TXN_INDIVIDUAL_H
#define TXN_INDIVIDUAL_H

#include "config/config.h"
#include "soap/idtoken.h"
#include "soap/security.h"

/* Is the purpose of use T-IAS (or a part of it, T-IAS-...) of TEFCA's code system? */
bool individual_is_asking(const struct saml_facts *facts);

/* What the verified token of a proven request says. NULL: the purpose is another one, or there is
 * no token and security.id_tokens_required is false. A token that is there must be right in any
 * case. What idtoken_verify refuses; the audience is the community that asks. */
MUST_CHECK struct status individual_prove(const struct config *config,
                                          const struct saml_facts *facts, int64_t now_us,
                                          struct arena *arena, struct diag *diag,
                                          const struct idtoken_claims **ret_claims);

#endif
