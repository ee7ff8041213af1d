/*
 * FHIR R4's rules for an AuditEvent, and for the Bundles that carry them, as tables: what may
 * stand where, how often, of which type, from which required value set (HL7 FHIR R4 4.0.1,
 * auditevent.html, bundle.html, datatypes.html). For tests; reads with jansson, shares no code with
 * the renderer.
 */
#ifndef FHIR_RULES_H
#define FHIR_RULES_H

#include <jansson.h>

#include "base/buf.h"

/* Appends a line for everything that is wrong, with its path; nothing appended: valid. */
void fhir_rules_check(const json_t *resource, struct buf *wrong);

#endif
