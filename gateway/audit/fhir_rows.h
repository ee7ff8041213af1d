/*
 * What the files of the AuditEvent renderer share; nobody else includes this. Thread: one at a
 * time.
 */
#ifndef AUDIT_FHIR_ROWS_H
#define AUDIT_FHIR_ROWS_H

#include "audit/fhir.h"
#include "audit/message_parts.h"
#include "base/jsonw.h"

/* Elements of ours behind those of the message: FHIR has a place for what they say. */
#define PART_ORGANIZATION "Organization" /* name */
#define PART_COMMUNITY    "Community"    /* oid */
#define PART_TRANSACTION  "Transaction"  /* id, message */

struct rendering {
    struct jsonw *w;
    const struct audit_event *event;
    const struct audit_record_id *record;
    const char *uuid;
    struct arena *arena;
    struct diag *diag;
};

/* A CodeableConcept of a coded element; what a Coding cannot hold is said in its text. */
void fhir_write_concept_of(struct rendering *r, const struct part *code);
/* A Reference by a bare identifier. */
void fhir_write_identified(struct rendering *r, const char *key, struct span value);
/* "identifier": a URI, <scheme> and <value> together. */
void fhir_write_uri_identifier(struct rendering *r, const char *scheme, struct span value);
/* "entity" with every object of the message, the transaction under <root>, and the record. */
void fhir_write_entities(struct rendering *r, const struct part *message, const struct part *root);

#endif
