/*
 * Gateways of participants behind us among those whom an asking asks (a federated QHIN): they are
 * asked ITI-55, ITI-38 and ITI-39 as partners are, and what they answer is given with their own
 * homes, patient ids and repositories. Our own policy decides twice, as it does about our store:
 * before a question leaves (for each community, `asked` of a rule), and about each community and
 * document that an answer names. Called by rounds, legs and brokered requests, on the thread that
 * has them.
 *
 * A question never goes back to where it came from: not to a gateway that it has passed, by the
 * header Passed (soap/passed.h), not to one that is the asker by community or TLS name, and nowhere
 * when it has passed us before, or more than PASSED_MAX communities.
 */
#ifndef TXN_BEHIND_H
#define TXN_BEHIND_H

#include "txn/asking.h"

bool leg_is_behind(const struct leg *leg);
/* May whoever these facts are of know that there is this community (bare OID)? True for those that
 * are not behind us. */
bool behind_is_visible(const struct config *config, const struct policy_facts *facts,
                       struct span community);

/* ---- whom we ask ---- */

/* A leg to each that the order wants: one for ITI-55, one for each community and id for ITI-38. An
 * ITI-38 that names no community goes by the patient id's authority. Of one that the order names
 * and that may not be asked, the leg says why. */
MUST_CHECK struct status behind_plan(struct asking *asking, enum soap_transaction transaction);
/* False, and <why> (ERR_UNKNOWN_COMMUNITY), when the question must not go there. */
bool behind_may_ask(const struct asking *asking, const struct partner *gateway,
                    struct span community, struct diag *why);
/* Is the patient index needed for that id? */
bool behind_needs_other_id(const struct asking *asking, const struct ident *id);
/* The order's decision, once more for the leg's community. */
void behind_decide(const struct asking *asking, struct leg *leg);

/* ---- what we say ---- */

/* homeCommunityId of the assertion: ours, or the asker's. */
const char *behind_home(const struct asking *asking, const struct leg *leg);
/* What the question has passed when it leaves us. */
MUST_CHECK struct status behind_list_passed(const struct asking *asking, struct diag *diag,
                                            struct span_list *ret_passed);

/* ---- what comes back ---- */

/* May something of this home (urn:oid or bare OID) be shown? True for other legs. */
bool behind_may_show(const struct asking *asking, const struct leg *leg, struct span home);
/* Takes out of an answer to ITI-38 what our policy withholds, into leg->withheld. */
MUST_CHECK struct status behind_adopt(struct asking *asking, struct leg *leg,
                                      struct registry_objects *objects);

#endif
