/*
 * Audit events as FHIR R4 AuditEvent resources: the RESTful feed of ITI-20 (IHE ITI supplement
 * "Add RESTful ATNA", 3.20.4.2.2.1; HL7 FHIR R4 AuditEvent, mappings to DICOM). The facts are those
 * of the AuditMessage, from the same rows; beside them stands what AuditMessages have no place
 * for: the record in our journal, the transaction, the user's organisation and community (codes of
 * IHE's Basic Audit Log Patterns). README.md has the table. Thread: any.
 */
#ifndef AUDIT_FHIR_H
#define AUDIT_FHIR_H

#include "audit/event.h"
#include "base/ids.h"

/* Which record of the journal it is: a second copy of it is byte for byte the first. */
struct audit_record_id {
    const char *chain;
    uint64_t sequence;
    const char *hash; /* SHA-256 of the record, hexadecimal */
};

/* A UUID made of chain, sequence and hash: the resource's stable id. */
MUST_CHECK struct status audit_fhir_uuid(const struct audit_record_id *record, struct diag *diag,
                                         char ret_uuid[UUID_TEXT]);

/* Who gives the resource its id: the repository (create, POST), or we do (update, PUT). A resource
 * that is created must have none (FHIR R4 http.html#create). */
enum audit_fhir_ids { AUDIT_FHIR_POST, AUDIT_FHIR_PUT };

/* Appends one AuditEvent as JSON. What FHIR's strings cannot hold becomes U+FFFD. On failure what
 * was appended is to be thrown away. */
MUST_CHECK struct status audit_fhir_write(const struct audit_event *event,
                                          const struct audit_source *source,
                                          const struct audit_record_id *record,
                                          enum audit_fhir_ids ids, struct buf *out,
                                          struct diag *diag);

#endif
