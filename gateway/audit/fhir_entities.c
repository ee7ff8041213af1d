/*
 * The entities of an AuditEvent: the objects of the AuditMessage, the transaction, and our record
 * of it. Called by fhir.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "audit/fhir_codes.h"
#include "audit/fhir_rows.h"

/* IHE ITI BALP: a kind of entity that FHIR's own list lacks. */
#define BALP_ENTITY_TYPE "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"

/* A Coding of FHIR's own system for one of DICOM's numbers. */
static void
write_number(struct rendering *r, const char *key, const char *system, struct span number)
{
    if (number.n > 0) {
        jsonw_key(r->w, key);
        fhir_write_coding(r->w, system, number, NULL);
    }
}

/* A patient's id of CX form is FHIR's system and value, so that it can be searched for; any other
 * id stays as it is. */
static void
write_object_id(struct rendering *r, struct span id, bool is_patient)
{
    struct diag ignored = {0};
    struct ident ident = {0};
    struct span cx = SPAN_EMPTY;
    struct span urn = SPAN_EMPTY;
    if (is_patient && is_ok(ident_read_cx(id, &ignored, &ident)) && is_ok(r->w->status)) {
        r->w->status = ident_write_cx(r->arena, &ident, r->diag, &cx);
    }
    if (cx.n == 0 || !span_eq(cx, id) || !is_ok(r->w->status)) {
        jsonw_key_text(r->w, "value", id);
        return;
    }
    r->w->status = arena_printf(r->arena, r->diag, &urn, "urn:oid:%.*s", SPAN_PRINT(ident.root));
    jsonw_key_text(r->w, "system", urn);
    jsonw_key_text(r->w, "value", ident.extension);
}

static void
write_what(struct rendering *r, const struct part *object)
{
    const struct part *id_type = part_child(object, "ParticipantObjectIDTypeCode");
    const bool is_patient = span_eq_cstr(part_attr(object, "ParticipantObjectTypeCode"), "1") &&
                            span_eq_cstr(part_attr(object, "ParticipantObjectTypeCodeRole"), "1");
    jsonw_key(r->w, "what");
    jsonw_object(r->w);
    if (is_patient) {
        jsonw_key_text(r->w, "type", SPAN("Patient"));
    }
    jsonw_key(r->w, "identifier");
    jsonw_object(r->w);
    if (id_type != NULL) {
        jsonw_key(r->w, "type");
        fhir_write_concept_of(r, id_type);
    }
    write_object_id(r, part_attr(object, "ParticipantObjectID"), is_patient);
    jsonw_close(r->w);
    jsonw_close(r->w);
}

static void
write_detail(struct rendering *r, const char *type, const char *key, struct span value)
{
    jsonw_object(r->w);
    jsonw_key_text(r->w, "type", span_of_cstr(type));
    jsonw_key_text(r->w, key, value);
    jsonw_close(r->w);
}

/* The values are base64 in both forms. */
static void
write_details(struct rendering *r, const struct part *object)
{
    const struct part *detail = part_child(object, "ParticipantObjectDetail");
    if (detail == NULL) {
        return;
    }
    jsonw_key(r->w, "detail");
    jsonw_array(r->w);
    for (; detail != NULL; detail = part_next(detail, "ParticipantObjectDetail")) {
        jsonw_object(r->w);
        jsonw_key_text(r->w, "type", part_attr(detail, "type"));
        jsonw_key_text(r->w, "valueBase64Binary", part_attr(detail, "value"));
        jsonw_close(r->w);
    }
    jsonw_close(r->w);
}

static void
write_entity(struct rendering *r, const struct part *object)
{
    const struct part *name = part_child(object, "ParticipantObjectName");
    const struct part *query = part_child(object, "ParticipantObjectQuery");
    jsonw_object(r->w);
    write_what(r, object);
    write_number(r, "type", FHIR_SYSTEM_ENTITY_TYPE,
                 part_attr(object, "ParticipantObjectTypeCode"));
    write_number(r, "role", FHIR_SYSTEM_OBJECT_ROLE,
                 part_attr(object, "ParticipantObjectTypeCodeRole"));
    if (query != NULL) { /* sev-1: a name or a query, not both */
        jsonw_key_text(r->w, "query", query->text);
    } else if (name != NULL) {
        jsonw_key_text(r->w, "name", name->text);
    }
    write_details(r, object);
    jsonw_close(r->w);
}

/* The transaction that joins intent, outcome and log (BALP: entity "transaction"), and the id of
 * the message on the wire, which the other side's record has, too. */
static void
write_transaction(struct rendering *r, const struct part *transaction)
{
    const struct span id = part_attr(transaction, "id");
    const struct span message_id = part_attr(transaction, "message");
    if (transaction == NULL) {
        return;
    }
    jsonw_object(r->w);
    if (id.n > 0) {
        fhir_write_identified(r, "what", id);
    }
    jsonw_key(r->w, "type");
    fhir_write_coding(r->w, BALP_ENTITY_TYPE, SPAN("XrequestId"), NULL);
    if (message_id.n > 0) {
        jsonw_key(r->w, "detail");
        jsonw_array(r->w);
        write_detail(r, "MessageID", "valueString", message_id);
        jsonw_close(r->w);
    }
    jsonw_close(r->w);
}

/* Our record: whoever gets it twice can tell, and find it in the journal. */
static void
write_record(struct rendering *r)
{
    char sequence[24];
    (void)snprintf(sequence, sizeof(sequence), "%" PRIu64, r->record->sequence);
    jsonw_object(r->w);
    jsonw_key(r->w, "what");
    jsonw_object(r->w);
    fhir_write_uri_identifier(r, "urn:uuid:", span_of_cstr(r->uuid));
    jsonw_close(r->w);
    jsonw_key(r->w, "type");
    fhir_write_coding(r->w, FHIR_SYSTEM_ENTITY_TYPE, SPAN("4"), NULL);
    jsonw_key_text(r->w, "name", SPAN("journal record"));
    jsonw_key(r->w, "detail");
    jsonw_array(r->w);
    write_detail(r, "chain", "valueString", span_of_cstr(r->record->chain));
    write_detail(r, "sequence", "valueString", span_of_cstr(sequence));
    write_detail(r, "sha256", "valueString", span_of_cstr(r->record->hash));
    jsonw_close(r->w);
    jsonw_close(r->w);
}

void
fhir_write_entities(struct rendering *r, const struct part *message, const struct part *root)
{
    jsonw_key(r->w, "entity");
    jsonw_array(r->w);
    for (const struct part *p = part_child(message, "ParticipantObjectIdentification"); p != NULL;
         p = part_next(p, "ParticipantObjectIdentification")) {
        write_entity(r, p);
    }
    write_transaction(r, part_child(root, PART_TRANSACTION));
    write_record(r);
    jsonw_close(r->w);
}
