/*
 * Code systems: as DICOM, IHE and HL7 v3 name them, and as FHIR does. Used by fhir.c only.
 */
#ifndef AUDIT_FHIR_CODES_H
#define AUDIT_FHIR_CODES_H

#include "base/jsonw.h"

#define FHIR_SYSTEM_DCM           "http://dicom.nema.org/resources/ontology/DCM"
#define FHIR_SYSTEM_ENTITY_TYPE   "http://terminology.hl7.org/CodeSystem/audit-entity-type"
#define FHIR_SYSTEM_OBJECT_ROLE   "http://terminology.hl7.org/CodeSystem/object-role"
#define FHIR_SYSTEM_SOURCE_TYPE   "http://terminology.hl7.org/CodeSystem/security-source-type"
#define FHIR_SYSTEM_PARTICIPATION "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
#define FHIR_SYSTEM_ROLE_CLASS    "http://terminology.hl7.org/CodeSystem/v3-RoleClass"
#define FHIR_SYSTEM_URI           "urn:ietf:rfc:3986"

/* "system" of a Coding: for "DCM", "IHE Transactions", an OID, a URI. A name that is none of these
 * has no system in FHIR: nothing is written and the answer is false. */
bool fhir_write_system(struct jsonw *w, struct span name);
/* May it stand in an element of FHIR's type code? Not: empty, white space at its ends, two blanks
 * in a row. */
bool fhir_is_code(struct span text);
/* What FHIR's own code systems call a code; NULL: unknown. */
const char *fhir_display(const char *system, struct span code);
/* {"system", "code", "display"}; the display that FHIR has, or <display>. */
void fhir_write_coding(struct jsonw *w, const char *system, struct span code, const char *display);

#endif
