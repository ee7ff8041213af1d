/*
 * ITI-56 Patient Location Query: PatientLocationQueryRequest and PatientLocationQueryResponse
 * (XCPD_PLQ.xsd), read and written. Source: ITI TF-2 3.56, IHE XCPD Health Data Locator and Revoke
 * Option. Thread: whoever owns the arena.
 */
#ifndef SOAP_PLQ_H
#define SOAP_PLQ_H

#include "base/buf.h"
#include "base/patient.h"
#include "soap/message.h"

/* A community that knows the patient, and under which id. */
struct plq_location {
    struct span home; /* homeCommunityId, bare OID */
    struct ident patient;
};
struct plq_location_list {
    struct plq_location *items;
    size_t n, capacity;
};

/* ERR_MESSAGE_CONTENT: another element, not exactly one RequestedPatientId with root and extension.
 */
MUST_CHECK struct status plq_query_read(const struct message *message, struct arena *arena,
                                        struct diag *diag, struct ident *ret_patient);
/* The whole query, for the record (ITI TF-2 3.56.5). */
MUST_CHECK struct status plq_query_xml(const struct message *message, struct arena *arena,
                                       struct diag *diag, struct span *ret_xml);
/* ERR_MESSAGE_CONTENT: a patient without root and extension. */
MUST_CHECK struct status plq_query_write(const struct ident *patient, struct buf *out,
                                         struct diag *diag);
/* Nobody known: the element is empty, which the schema does not foresee and receivers take. */
MUST_CHECK struct status plq_answer_write(const struct ident *patient,
                                          const struct plq_location_list *locations,
                                          struct buf *out, struct diag *diag);
/* ERR_PARTNER_ANSWER: another element; a location of another patient than <patient>, without a
 * homeCommunityId that is an OID, or without the id there. */
MUST_CHECK struct status plq_answer_read(const struct message *message, const struct ident *patient,
                                         struct arena *arena, struct diag *diag,
                                         struct plq_location_list *ret_locations);

#endif
