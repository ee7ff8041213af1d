/*
 * AuditEvents from the rows of AuditMessages: each element of the message has its place in the
 * resource (HL7 FHIR R4 auditevent-mappings.html, DICOM). Called by the feed on its thread and by
 * the command line; it owns an arena while it works.
 */
#include "audit/fhir.h"

#include <inttypes.h>
#include <stdio.h>

#include "audit/fhir_codes.h"
#include "audit/fhir_rows.h"
#include "audit/message_rows.h"
#include "base/digest.h"

#define ARENA_BYTES_MAX ((size_t)128 * 1024 * 1024) /* a record has at most 8 MiB */

/* IHE ITI BALP: a kind of agent that FHIR's own lists lack. */
#define BALP_COMMUNITY "urn:ihe:iti:xca:2010"

/* ---- codes ---- */

static struct span
text_of_code(const struct part *code)
{
    const struct span display = part_attr(code, "displayName");
    return display.n > 0 ? display : part_attr(code, "originalText");
}

/* False when the code or its system has no place in a Coding. */
static bool
write_coding_of(struct rendering *r, const struct part *code)
{
    const struct span value = part_attr(code, "csd-code");
    jsonw_object(r->w);
    const bool has_system = fhir_write_system(r->w, part_attr(code, "codeSystemName"));
    const bool has_code = fhir_is_code(value);
    if (has_code) {
        jsonw_key_text(r->w, "code", value);
    }
    jsonw_key_text(r->w, "display", text_of_code(code));
    jsonw_close(r->w);
    return has_system && has_code;
}

void
fhir_write_concept_of(struct rendering *r, const struct part *code)
{
    struct span text = SPAN_EMPTY;
    jsonw_object(r->w);
    jsonw_key(r->w, "coding");
    jsonw_array(r->w);
    const bool is_whole = write_coding_of(r, code);
    jsonw_close(r->w);
    if (!is_whole && is_ok(r->w->status)) {
        r->w->status = arena_printf(r->arena, r->diag, &text, "%.*s (%.*s)",
                                    SPAN_PRINT(part_attr(code, "csd-code")),
                                    SPAN_PRINT(part_attr(code, "codeSystemName")));
        jsonw_key_text(r->w, "text", text);
    }
    jsonw_close(r->w);
}

/* An array of every <element> under <part>, when there is one. */
static void
write_concepts(struct rendering *r, const char *key, const struct part *part, const char *element)
{
    const struct part *code = part_child(part, element);
    if (code == NULL) {
        return;
    }
    jsonw_key(r->w, key);
    jsonw_array(r->w);
    for (; code != NULL; code = part_next(code, element)) {
        fhir_write_concept_of(r, code);
    }
    jsonw_close(r->w);
}

static void
write_concept(struct rendering *r, const char *key, const char *system, const char *code)
{
    jsonw_key(r->w, key);
    jsonw_object(r->w);
    jsonw_key(r->w, "coding");
    jsonw_array(r->w);
    fhir_write_coding(r->w, system, span_of_cstr(code), NULL);
    jsonw_close(r->w);
    jsonw_close(r->w);
}

/* ---- EventIdentification ---- */

static void
write_event(struct rendering *r, const struct part *event)
{
    const struct part *description = part_child(event, "EventOutcomeDescription");
    const struct part *type = part_child(event, "EventTypeCode");
    jsonw_key(r->w, "type");
    (void)write_coding_of(r, part_child(event, "EventID"));
    if (type != NULL) {
        jsonw_key(r->w, "subtype");
        jsonw_array(r->w);
        for (; type != NULL; type = part_next(type, "EventTypeCode")) {
            (void)write_coding_of(r, type);
        }
        jsonw_close(r->w);
    }
    jsonw_key_text(r->w, "action", part_attr(event, "EventActionCode"));
    jsonw_key_text(r->w, "recorded", part_attr(event, "EventDateTime"));
    jsonw_key_text(r->w, "outcome", part_attr(event, "EventOutcomeIndicator"));
    if (description != NULL) {
        jsonw_key_text(r->w, "outcomeDesc", description->text);
    }
    write_concepts(r, "purposeOfEvent", event, "PurposeOfUse");
}

/* ---- ActiveParticipant ---- */

/* A human is who has neither an address nor a process: the rows give these to machines only. */
static bool
is_human(const struct rendering *r, const struct part *participant)
{
    return (r->event->user_id.n > 0 || r->event->user_name.n > 0) &&
           span_eq_cstr(part_attr(participant, "UserIsRequestor"), "true") &&
           !part_has_attr(participant, "NetworkAccessPointID") &&
           !part_has_attr(participant, "AlternativeUserID") &&
           (part_has_attr(participant, "UserName") || r->event->user_name.n == 0);
}

static const struct part *
dicom_role(const struct part *participant)
{
    const struct part *role = part_child(participant, "RoleIDCode");
    while (role != NULL && !span_eq_cstr(part_attr(role, "codeSystemName"), "DCM")) {
        role = part_next(role, "RoleIDCode");
    }
    return role;
}

/* How it took part: DICOM's role of a machine; of a human, who gives or gets (BALP). */
static void
write_agent_type(struct rendering *r, const struct part *participant, bool is_user)
{
    const struct part *role = dicom_role(participant);
    const bool gives = r->event->type == AUDIT_ITI_41 || r->event->type == AUDIT_ITI_80;
    if (role != NULL) {
        jsonw_key(r->w, "type");
        fhir_write_concept_of(r, role);
    } else if (is_user) {
        write_concept(r, "type", FHIR_SYSTEM_PARTICIPATION, gives ? "AUT" : "IRCP");
    }
}

void
fhir_write_identified(struct rendering *r, const char *key, struct span value)
{
    jsonw_key(r->w, key);
    jsonw_object(r->w);
    jsonw_key(r->w, "identifier");
    jsonw_object(r->w);
    jsonw_key_text(r->w, "value", value);
    jsonw_close(r->w);
    jsonw_close(r->w);
}

static void
write_network(struct rendering *r, const struct part *participant)
{
    if (!part_has_attr(participant, "NetworkAccessPointID")) {
        return;
    }
    jsonw_key(r->w, "network");
    jsonw_object(r->w);
    jsonw_key_text(r->w, "address", part_attr(participant, "NetworkAccessPointID"));
    jsonw_key_text(r->w, "type", part_attr(participant, "NetworkAccessPointTypeCode"));
    jsonw_close(r->w);
}

static void
write_agent(struct rendering *r, const struct part *participant, const struct part *event)
{
    const bool is_user = is_human(r, participant);
    jsonw_object(r->w);
    write_agent_type(r, participant, is_user);
    write_concepts(r, "role", participant, "RoleIDCode");
    fhir_write_identified(r, "who", part_attr(participant, "UserID"));
    jsonw_key_text(r->w, "altId", part_attr(participant, "AlternativeUserID"));
    jsonw_key_text(r->w, "name", part_attr(participant, "UserName"));
    jsonw_key_bool(r->w, "requestor",
                   span_eq_cstr(part_attr(participant, "UserIsRequestor"), "true"));
    write_network(r, participant);
    if (is_user) {
        write_concepts(r, "purposeOfUse", event, "PurposeOfUse");
    }
    jsonw_close(r->w);
}

/* The user's organisation and community, as the assertion names them (BALP: agents of their own).
 */
static void
write_organization(struct rendering *r, const struct part *organization)
{
    if (organization == NULL) {
        return;
    }
    jsonw_object(r->w);
    write_concept(r, "type", FHIR_SYSTEM_ROLE_CLASS, "PROV");
    jsonw_key(r->w, "who");
    jsonw_object(r->w);
    jsonw_key_text(r->w, "display", part_attr(organization, "name"));
    jsonw_close(r->w);
    jsonw_key_bool(r->w, "requestor", false);
    jsonw_close(r->w);
}

void
fhir_write_uri_identifier(struct rendering *r, const char *scheme, struct span value)
{
    struct span uri = SPAN_EMPTY;
    jsonw_key(r->w, "identifier");
    jsonw_object(r->w);
    jsonw_key_text(r->w, "system", SPAN(FHIR_SYSTEM_URI));
    if (is_ok(r->w->status)) {
        r->w->status = arena_printf(r->arena, r->diag, &uri, "%s%.*s", scheme, SPAN_PRINT(value));
    }
    jsonw_key_text(r->w, "value", uri);
    jsonw_close(r->w);
}

static void
write_community(struct rendering *r, const struct part *community)
{
    if (community == NULL) {
        return;
    }
    jsonw_object(r->w);
    write_concept(r, "type", BALP_COMMUNITY, "homeCommunityId");
    jsonw_key(r->w, "who");
    jsonw_object(r->w);
    fhir_write_uri_identifier(r, "urn:oid:", part_attr(community, "oid"));
    jsonw_close(r->w);
    jsonw_key_bool(r->w, "requestor", false);
    jsonw_close(r->w);
}

static void
write_agents(struct rendering *r, const struct part *message, const struct part *root)
{
    const struct part *event = part_child(message, "EventIdentification");
    jsonw_key(r->w, "agent");
    jsonw_array(r->w);
    for (const struct part *p = part_child(message, "ActiveParticipant"); p != NULL;
         p = part_next(p, "ActiveParticipant")) {
        write_agent(r, p, event);
    }
    write_organization(r, part_child(root, PART_ORGANIZATION));
    write_community(r, part_child(root, PART_COMMUNITY));
    jsonw_close(r->w);
}

/* ---- AuditSourceIdentification ---- */

static void
write_source(struct rendering *r, const struct part *source)
{
    const struct part *type = part_child(source, "AuditSourceTypeCode");
    jsonw_key(r->w, "source");
    jsonw_object(r->w);
    jsonw_key_text(r->w, "site", part_attr(source, "AuditEnterpriseSiteID"));
    fhir_write_identified(r, "observer", part_attr(source, "AuditSourceID"));
    if (type != NULL) {
        jsonw_key(r->w, "type");
        jsonw_array(r->w);
        for (; type != NULL; type = part_next(type, "AuditSourceTypeCode")) {
            fhir_write_coding(r->w, FHIR_SYSTEM_SOURCE_TYPE, part_attr(type, "csd-code"), NULL);
        }
        jsonw_close(r->w);
    }
    jsonw_close(r->w);
}

/* ---- the resource ---- */

/* What AuditMessages have no place for, through the same writer: it makes text of any bytes. */
static void
tell_more(struct message *m)
{
    const struct audit_event *event = m->event;
    const struct span own = span_of_cstr(m->source->enterprise_site);
    const struct span community = event->side == AUDIT_INITIATING ? own : event->community;
    const bool has_user = event->user_id.n > 0 || event->user_name.n > 0;
    if (event->organization.n > 0) {
        xmlw_start(m->w, PART_ORGANIZATION);
        message_attr(m, "name", event->organization);
        xmlw_end(m->w);
    }
    if (has_user && oid_is_valid(community)) {
        xmlw_start(m->w, PART_COMMUNITY);
        message_attr(m, "oid", community);
        xmlw_end(m->w);
    }
    if (event->transaction_id.n > 0 || event->message_id.n > 0) {
        xmlw_start(m->w, PART_TRANSACTION);
        message_attr(m, "id", event->transaction_id);
        message_attr(m, "message", event->message_id);
        xmlw_end(m->w);
    }
}

static struct status
collect(const struct audit_event *event, const struct audit_source *source, struct part_sink *sink,
        struct diag *diag)
{
    struct xmlw w;
    struct buf scratch;
    struct message m = {
        .w = &w, .event = event, .source = source, .scratch = &scratch, .diag = diag};
    buf_init_secret(&scratch, MESSAGE_SCRATCH_MAX);
    xmlw_init_sink(&w, &sink->sink, diag);
    message_write(&m);
    tell_more(&m);
    buf_done(&scratch);
    return xmlw_finish(&w);
}

static void
write_resource(struct rendering *r, const struct part *root, enum audit_fhir_ids ids)
{
    const struct part *message = part_child(root, "AuditMessage");
    jsonw_object(r->w);
    jsonw_key_text(r->w, "resourceType", SPAN("AuditEvent"));
    if (ids == AUDIT_FHIR_PUT) {
        jsonw_key_text(r->w, "id", span_of_cstr(r->uuid));
    }
    write_event(r, part_child(message, "EventIdentification"));
    write_agents(r, message, root);
    write_source(r, part_child(message, "AuditSourceIdentification"));
    fhir_write_entities(r, message, root);
    jsonw_close(r->w);
}

static struct status
write_within(struct rendering *r, const struct audit_source *source, enum audit_fhir_ids ids,
             struct buf *out)
{
    struct jsonw w;
    struct part_sink sink;
    part_sink_init(&sink, r->arena);
    TRY(collect(r->event, source, &sink, r->diag));
    jsonw_init(&w, out, false, r->diag);
    r->w = &w;
    write_resource(r, &sink.root, ids);
    return jsonw_finish(&w);
}

/* REQ: ITI20-fhir-mapping */
struct status
audit_fhir_write(const struct audit_event *event, const struct audit_source *source,
                 const struct audit_record_id *record, enum audit_fhir_ids ids, struct buf *out,
                 struct diag *diag)
{
    char uuid[UUID_TEXT];
    struct rendering r = {.event = event, .record = record, .uuid = uuid, .diag = diag};
    TRY(audit_fhir_uuid(record, diag, uuid));
    r.arena = arena_new(ARENA_BYTES_MAX);
    if (r.arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for an AuditEvent");
    }
    const struct status st = write_within(&r, source, ids, out);
    arena_free(r.arena);
    return st;
}

struct status
audit_fhir_uuid(const struct audit_record_id *record, struct diag *diag, char ret_uuid[UUID_TEXT])
{
    uint8_t digest[SHA256_BYTES];
    struct buf name;
    buf_init(&name, 1024);
    struct status st = buf_printf(&name, diag, "audit record %s %" PRIu64 " %s", record->chain,
                                  record->sequence, record->hash);
    if (is_ok(st)) {
        st = digest_sha256(buf_span(&name), diag, digest);
    }
    buf_done(&name);
    TRY(st);
    uuid_from_digest(digest, ret_uuid);
    return OK;
}
