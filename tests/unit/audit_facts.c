/*
 * Facts of audit records as text (see audit_facts.h): one line for the event, each participant, the
 * source and each object.
 */
#include "tests/unit/audit_facts.h"

#include "soap/xml.h"
#include "tests/unit/unit.h"

static void
say(struct buf *facts, const char *text)
{
    struct diag diag = {0};
    CU_ASSERT(is_ok(buf_append_cstr(facts, text, &diag)));
}

static void
say_span(struct buf *facts, const char *name, struct span text)
{
    struct diag diag = {0};
    if (text.n > 0) {
        CU_ASSERT(is_ok(buf_printf(facts, &diag, " %s=%.*s", name, SPAN_PRINT(text))));
    }
}

static void
say_code(struct buf *facts, const char *name, struct span system, struct span code,
         struct span display)
{
    struct diag diag = {0};
    CU_ASSERT(is_ok(buf_printf(facts, &diag, " %s=(%.*s|%.*s|%.*s)", name, SPAN_PRINT(system),
                               SPAN_PRINT(code), SPAN_PRINT(display))));
}

/* ---- the AuditMessage ---- */

static void
say_xml_codes(struct buf *facts, const char *name, const xmlNode *parent, const char *element)
{
    for (const xmlNode *code = xml_child(parent, NULL, element); code != NULL;
         code = xml_next_named(code, NULL, element)) {
        const struct span display = xml_attr_text(code, "displayName");
        say_code(facts, name, xml_attr_text(code, "codeSystemName"),
                 xml_attr_text(code, "csd-code"),
                 display.n > 0 ? display : xml_attr_text(code, "originalText"));
    }
}

static void
say_xml_text(struct buf *facts, const char *name, const xmlNode *parent, const char *element,
             struct arena *arena)
{
    struct diag diag = {0};
    struct span text = SPAN_EMPTY;
    const xmlNode *node = xml_child(parent, NULL, element);
    if (node != NULL) {
        CHECK_OK(&diag, xml_text(node, ERR_MESSAGE_CONTENT, arena, &diag, &text));
        say_span(facts, name, text);
    }
}

static void
say_xml_event(struct buf *facts, const xmlNode *node, struct arena *arena)
{
    say(facts, "event");
    say_xml_codes(facts, "id", node, "EventID");
    say_xml_codes(facts, "type", node, "EventTypeCode");
    say_span(facts, "action", xml_attr_text(node, "EventActionCode"));
    say_span(facts, "time", xml_attr_text(node, "EventDateTime"));
    say_span(facts, "outcome", xml_attr_text(node, "EventOutcomeIndicator"));
    say_xml_text(facts, "description", node, "EventOutcomeDescription", arena);
    say_xml_codes(facts, "purpose", node, "PurposeOfUse");
    say(facts, "\n");
}

static void
say_xml_agents(struct buf *facts, const xmlNode *root)
{
    for (const xmlNode *node = xml_child(root, NULL, "ActiveParticipant"); node != NULL;
         node = xml_next_named(node, NULL, "ActiveParticipant")) {
        say(facts, "agent");
        say_span(facts, "id", xml_attr_text(node, "UserID"));
        say_span(facts, "alternative", xml_attr_text(node, "AlternativeUserID"));
        say_span(facts, "name", xml_attr_text(node, "UserName"));
        say_span(facts, "requestor", xml_attr_text(node, "UserIsRequestor"));
        say_span(facts, "address", xml_attr_text(node, "NetworkAccessPointID"));
        say_span(facts, "kind", xml_attr_text(node, "NetworkAccessPointTypeCode"));
        say_xml_codes(facts, "role", node, "RoleIDCode");
        say(facts, "\n");
    }
}

static void
say_xml_source(struct buf *facts, const xmlNode *node)
{
    const xmlNode *type = xml_child(node, NULL, "AuditSourceTypeCode");
    say(facts, "source");
    say_span(facts, "site", xml_attr_text(node, "AuditEnterpriseSiteID"));
    say_span(facts, "id", xml_attr_text(node, "AuditSourceID"));
    say_span(facts, "type", xml_attr_text(type, "csd-code"));
    say(facts, "\n");
}

static void
say_xml_objects(struct buf *facts, const xmlNode *root, struct arena *arena)
{
    for (const xmlNode *node = xml_child(root, NULL, "ParticipantObjectIdentification");
         node != NULL; node = xml_next_named(node, NULL, "ParticipantObjectIdentification")) {
        say(facts, "object");
        say_span(facts, "id", xml_attr_text(node, "ParticipantObjectID"));
        say_span(facts, "type", xml_attr_text(node, "ParticipantObjectTypeCode"));
        say_span(facts, "role", xml_attr_text(node, "ParticipantObjectTypeCodeRole"));
        say_xml_codes(facts, "id type", node, "ParticipantObjectIDTypeCode");
        say_xml_text(facts, "name", node, "ParticipantObjectName", arena);
        say_xml_text(facts, "query", node, "ParticipantObjectQuery", arena);
        for (const xmlNode *detail = xml_child(node, NULL, "ParticipantObjectDetail");
             detail != NULL; detail = xml_next_named(detail, NULL, "ParticipantObjectDetail")) {
            say_span(facts, "detail", xml_attr_text(detail, "type"));
            say_span(facts, "is", xml_attr_text(detail, "value"));
        }
        say(facts, "\n");
    }
}

void
facts_of_message(const struct audit_event *event, const struct audit_source *source,
                 struct buf *facts)
{
    const struct message_limits limits = message_limits_answer();
    struct diag diag = {0};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct buf xml;
    xmlDoc *doc = NULL;
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    buf_init(&xml, FACTS_MAX);
    CHECK_OK(&diag, audit_message_write(event, source, &xml, &diag));
    if (CHECK_OK(&diag, xml_parse(buf_span(&xml), &limits, arena, &diag, &doc))) {
        const xmlNode *root = xml_root(doc);
        say_xml_event(facts, xml_child(root, NULL, "EventIdentification"), arena);
        say_xml_agents(facts, root);
        say_xml_source(facts, xml_child(root, NULL, "AuditSourceIdentification"));
        say_xml_objects(facts, root, arena);
    }
    buf_done(&xml);
    arena_free(arena);
}

/* ---- the AuditEvent ---- */

struct span
facts_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? span_of(json_string_value(value), json_string_length(value))
                                 : SPAN_EMPTY;
}

/* DICOM's name of a system that FHIR has its own for. */
static struct span
dicom_system(struct span uri)
{
    static const struct {
        const char *uri;
        const char *name;
    } names[] = {
        {"http://dicom.nema.org/resources/ontology/DCM", "DCM"},
        {"urn:ihe:event-type-code", "IHE Transactions"},
        {"urn:ietf:rfc:3881", "RFC-3881"},
        {"urn:ietf:rfc:3986", "IHE XDS Metadata"},
        {"urn:isthmus:audit", "Isthmus"},
        {"http://snomed.info/sct", "2.16.840.1.113883.6.96"},
    };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (span_eq_cstr(uri, names[i].uri)) {
            return span_of_cstr(names[i].name);
        }
    }
    return span_starts_with(uri, SPAN("urn:oid:")) ? span_slice(uri, 8, uri.n) : uri;
}

static void
say_coding(struct buf *facts, const char *name, const json_t *coding)
{
    say_code(facts, name, dicom_system(facts_text(coding, "system")), facts_text(coding, "code"),
             facts_text(coding, "display"));
}

static void
say_concepts(struct buf *facts, const char *name, const json_t *concepts)
{
    for (size_t i = 0; i < json_array_size(concepts); i++) {
        const json_t *codings = json_object_get(json_array_get(concepts, i), "coding");
        CU_ASSERT_EQUAL(json_array_size(codings), 1);
        say_coding(facts, name, json_array_get(codings, 0));
    }
}

static void
say_fhir_event(struct buf *facts, const json_t *resource)
{
    const json_t *types = json_object_get(resource, "subtype");
    say(facts, "event");
    say_coding(facts, "id", json_object_get(resource, "type"));
    for (size_t i = 0; i < json_array_size(types); i++) {
        say_coding(facts, "type", json_array_get(types, i));
    }
    say_span(facts, "action", facts_text(resource, "action"));
    say_span(facts, "time", facts_text(resource, "recorded"));
    say_span(facts, "outcome", facts_text(resource, "outcome"));
    say_span(facts, "description", facts_text(resource, "outcomeDesc"));
    say_concepts(facts, "purpose", json_object_get(resource, "purposeOfEvent"));
    say(facts, "\n");
}

const json_t *
facts_identifier(const json_t *object, const char *reference)
{
    return json_object_get(json_object_get(object, reference), "identifier");
}

struct span
facts_agent_type(const json_t *agent)
{
    const json_t *type = json_object_get(agent, "type");
    return facts_text(json_array_get(json_object_get(type, "coding"), 0), "code");
}

/* The organisation and the community stand in no AuditMessage. */
static bool
is_more(const json_t *agent)
{
    const struct span code = facts_agent_type(agent);
    return span_eq_cstr(code, "PROV") || span_eq_cstr(code, "homeCommunityId");
}

static void
say_fhir_agents(struct buf *facts, const json_t *agents)
{
    for (size_t i = 0; i < json_array_size(agents); i++) {
        const json_t *agent = json_array_get(agents, i);
        const json_t *network = json_object_get(agent, "network");
        if (is_more(agent)) {
            continue;
        }
        say(facts, "agent");
        say_span(facts, "id", facts_text(facts_identifier(agent, "who"), "value"));
        say_span(facts, "alternative", facts_text(agent, "altId"));
        say_span(facts, "name", facts_text(agent, "name"));
        say_span(facts, "requestor",
                 json_is_true(json_object_get(agent, "requestor")) ? SPAN("true") : SPAN("false"));
        say_span(facts, "address", facts_text(network, "address"));
        say_span(facts, "kind", facts_text(network, "type"));
        say_concepts(facts, "role", json_object_get(agent, "role"));
        say(facts, "\n");
    }
}

static void
say_fhir_source(struct buf *facts, const json_t *from)
{
    say(facts, "source");
    say_span(facts, "site", facts_text(from, "site"));
    say_span(facts, "id", facts_text(facts_identifier(from, "observer"), "value"));
    say_span(facts, "type", facts_text(json_array_get(json_object_get(from, "type"), 0), "code"));
    say(facts, "\n");
}

/* A patient's id stands as system and value. */
static void
say_object_id(struct buf *facts, const json_t *identifier)
{
    struct diag diag = {0};
    const struct span system = facts_text(identifier, "system");
    if (system.n == 0) {
        say_span(facts, "id", facts_text(identifier, "value"));
        return;
    }
    CU_ASSERT(is_ok(buf_printf(facts, &diag, " id=%.*s^^^&%.*s&ISO",
                               SPAN_PRINT(facts_text(identifier, "value")),
                               SPAN_PRINT(dicom_system(system)))));
}

static void
say_fhir_entity(struct buf *facts, const json_t *entity)
{
    const json_t *identifier = facts_identifier(entity, "what");
    const json_t *details = json_object_get(entity, "detail");
    const json_t *id_type = json_object_get(identifier, "type");
    say(facts, "object");
    say_object_id(facts, identifier);
    say_span(facts, "type", facts_text(json_object_get(entity, "type"), "code"));
    say_span(facts, "role", facts_text(json_object_get(entity, "role"), "code"));
    say_coding(facts, "id type", json_array_get(json_object_get(id_type, "coding"), 0));
    say_span(facts, "name", facts_text(entity, "name"));
    say_span(facts, "query", facts_text(entity, "query"));
    for (size_t i = 0; i < json_array_size(details); i++) {
        say_span(facts, "detail", facts_text(json_array_get(details, i), "type"));
        say_span(facts, "is", facts_text(json_array_get(details, i), "valueBase64Binary"));
    }
    say(facts, "\n");
}

void
facts_of_resource(const json_t *resource, size_t ours, struct buf *facts)
{
    const json_t *entities = json_object_get(resource, "entity");
    CU_ASSERT_FATAL(json_array_size(entities) >= ours);
    say_fhir_event(facts, resource);
    say_fhir_agents(facts, json_object_get(resource, "agent"));
    say_fhir_source(facts, json_object_get(resource, "source"));
    for (size_t i = 0; i + ours < json_array_size(entities); i++) {
        say_fhir_entity(facts, json_array_get(entities, i));
    }
}
