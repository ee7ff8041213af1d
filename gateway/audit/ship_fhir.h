/*
 * The FHIR feed (ITI RESTful ATNA, option "ATX: FHIR Feed"): a sender for shipping that posts
 * AuditEvents to a repository over mutual TLS, a single one to [base]/AuditEvent, several as a
 * batch Bundle to [base].
 *
 * The answer is an acknowledgement of each record, so a record is sent again only when its answer
 * was lost; a copy has the same id. A record that the repository refuses for good is counted and
 * logged (ship_refuse), and does not hold up the others.
 */
#ifndef AUDIT_SHIP_FHIR_H
#define AUDIT_SHIP_FHIR_H

#include "audit/fhir.h"
#include "audit/ship.h"
#include "config/config.h"

struct ship_fhir_options {
    const char *url;              /* https://host[:port]/base; copied */
    const char *certificate_name; /* what its certificate must be for; copied */
    const struct credential *credential;
    const struct trust *trust;
    const struct config *config; /* whose these two are; NULL: they outlive the sender */
    struct audit_source source;  /* copied */
    enum audit_fhir_ids ids;
};
/* ERR_NO_MEMORY, ERR_INTERNAL. Nothing is connected yet. */
MUST_CHECK struct status ship_fhir_new(const struct ship_fhir_options *options, struct diag *diag,
                                       struct ship_sender **ret_sender);

#endif
