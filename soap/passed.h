/*
 * The SOAP header Passed of our own: the communities that a question has passed on its way down to
 * the gateways of participants. A gateway that finds itself there has been asked by a circle of
 * gateways and does not ask on. Others pass over it: it has no mustUnderstand, and decides about
 * nothing but whom we do not ask. Written by envelope_write_request. Pure. Thread: any.
 */
#ifndef SOAP_PASSED_H
#define SOAP_PASSED_H

#include "base/patient.h"
#include "soap/message.h"

#define PASSED_NAMESPACE "urn:isthmus:passed:1"
#define PASSED_MAX       ((size_t)8) /* communities; who reads more takes it for a circle */

/* Bare OIDs, copies in <arena>, in their order; what is no OID is left out. Without the header, or
 * with several: none. */
MUST_CHECK struct status message_passed(const struct message *message, struct arena *arena,
                                        struct diag *diag, struct span_list *ret_communities);

#endif
