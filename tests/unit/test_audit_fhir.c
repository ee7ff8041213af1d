/*
 * AuditEvents of FHIR: the same facts as the AuditMessage of the same event (each read back by a
 * reader of its own), valid by FHIR's tables, and the same bytes every time.
 */
#include "audit/fhir.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "tests/unit/audit_facts.h"
#include "tests/unit/audit_sample.h"
#include "tests/unit/fhir_rules.h"
#include "tests/unit/unit.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const struct audit_record_id record = {"node", 42, HASH};

static struct span patients[] = {{"p1^^^&2.999.1&ISO", 17}, {"not a CX", 8}};
static struct audit_event
make_event(enum audit_type type, enum audit_side side)
{
    struct audit_event event = sample_event(type, side);
    event.transaction_id = SPAN("0f0e0d0c-0000-4000-8000-000000000001");
    event.message_id = SPAN("urn:uuid:7c1f0a52-0000-4000-8000-000000000002");
    event.organization = SPAN("Red Hospital");
    event.delegator = SPAN("Organization/7");
    event.patients = (struct span_list){patients, 2, 2};
    return event;
}

static json_t *
render(const struct audit_event *event, enum audit_fhir_ids ids)
{
    struct diag diag = {0};
    struct buf json;
    json_error_t error;
    buf_init(&json, FACTS_MAX);
    CHECK_OK(&diag, audit_fhir_write(event, &source, &record, ids, &json, &diag));
    json_t *resource =
        json_loadb(json.p == NULL ? "" : json.p, json.n, JSON_REJECT_DUPLICATES, &error);
    if (resource == NULL) {
        printf("\n    %s at %d: %.*s\n", error.text, error.position, SPAN_PRINT(buf_span(&json)));
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(resource);
    buf_done(&json);
    return resource;
}

static void
check_rules(const json_t *resource, const char *name)
{
    struct buf wrong;
    buf_init(&wrong, FACTS_MAX);
    fhir_rules_check(resource, &wrong);
    if (!CHECK_SPAN(buf_span(&wrong), "")) {
        printf("      in '%s'\n", name);
    }
    buf_done(&wrong);
}

static void
check_event(const struct audit_event *event, size_t ours)
{
    const char *name = audit_type_code(event->type);
    struct buf message;
    struct buf mine;
    buf_init(&message, FACTS_MAX);
    buf_init(&mine, FACTS_MAX);
    facts_of_message(event, &source, &message);
    json_t *resource = render(event, AUDIT_FHIR_POST);
    facts_of_resource(resource, ours, &mine);
    CU_ASSERT(message.n > 0);
    if (!CHECK_SPAN(buf_span(&mine), message.p == NULL ? "" : message.p)) {
        printf("      in '%s', %s\n", name,
               event->side == AUDIT_INITIATING ? "initiating" : "responding");
    }
    check_rules(resource, name);
    json_decref(resource);
    buf_done(&message);
    buf_done(&mine);
}

/* ---- tests ---- */

static void
test_same_facts(void)
{
    static const enum audit_outcome outcomes[] = {AUDIT_SUCCESS, AUDIT_MINOR, AUDIT_SERIOUS,
                                                  AUDIT_MAJOR};
    for (int type = 0; type < AUDIT_TYPE_COUNT; type++) {
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
                struct audit_event event = make_event((enum audit_type)type, (enum audit_side)side);
                event.outcome = outcomes[i];
                event.phase = i == 0 ? AUDIT_INTENT : AUDIT_OUTCOME;
                event.outcome_text = i % 2 == 0 ? SPAN_EMPTY : SPAN("TLS: why & <how>");
                check_event(&event, 2);
            }
        }
    }
}

/* Nothing but the kind is known: still a whole resource. */
static void
test_bare_events(void)
{
    for (int type = 0; type < AUDIT_TYPE_COUNT; type++) {
        for (int side = 0; side < 2; side++) {
            const struct audit_event event = {
                .type = (enum audit_type)type, .side = (enum audit_side)side, .time_us = 1};
            check_event(&event, 1);
        }
    }
}

/* What a partner may have sent never keeps a record from being delivered. */
static void
test_odd_bytes(void)
{
    static const struct span odd[] = {{"a\x01\xFF<\xEF\xBF\xBF>\"\\", 11},
                                      {" ", 1},
                                      {"\0", 1},
                                      {"a  b", 4},
                                      {"\n", 1},
                                      {"\xC3", 1}};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        for (int type = 0; type < AUDIT_TYPE_COUNT; type++) {
            struct audit_event event = make_event((enum audit_type)type, AUDIT_RESPONDING);
            struct span patient = odd[i];
            event.source_id = event.user_name = event.user_id = event.outcome_text = odd[i];
            event.role = event.purpose = (struct code){odd[i], odd[i], odd[i]};
            event.query = event.query_id = event.delegator = event.submission_set = odd[i];
            event.organization = event.transaction_id = event.message_id = odd[i];
            event.patients = (struct span_list){&patient, 1, 1};
            json_t *resource = render(&event, AUDIT_FHIR_POST);
            check_rules(resource, audit_type_code(event.type));
            json_decref(resource);
        }
    }
}

static bool
has_agent(const json_t *resource, const char *type, const char *identifier)
{
    const json_t *agents = json_object_get(resource, "agent");
    for (size_t i = 0; i < json_array_size(agents); i++) {
        const json_t *agent = json_array_get(agents, i);
        const json_t *who = json_object_get(agent, "who");
        const struct span display = facts_text(who, "display");
        const struct span value = facts_text(json_object_get(who, "identifier"), "value");
        if (span_eq_cstr(facts_agent_type(agent), type) &&
            span_eq_cstr(display.n > 0 ? display : value, identifier)) {
            return true;
        }
    }
    return false;
}

/* What AuditMessages have no place for. */
static void
test_more_than_the_message(void)
{
    static const struct {
        enum audit_type type;
        enum audit_side side;
        const char *user_type;
        const char *community;
    } cases[] = {
        {AUDIT_ITI_55, AUDIT_RESPONDING, "IRCP", "urn:oid:2.999.2"},
        {AUDIT_ITI_39, AUDIT_INITIATING, "IRCP", "urn:oid:2.999.1"},
        {AUDIT_ITI_80, AUDIT_RESPONDING, "AUT", "urn:oid:2.999.2"},
        {AUDIT_NODE_START, AUDIT_INITIATING, "110151", "urn:oid:2.999.1"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct audit_event event = make_event(cases[i].type, cases[i].side);
        json_t *resource = render(&event, AUDIT_FHIR_POST);
        CU_ASSERT(has_agent(resource, "PROV", "Red Hospital"));
        CU_ASSERT(has_agent(resource, "homeCommunityId", cases[i].community));
        CU_ASSERT(has_agent(resource, cases[i].user_type,
                            "N\xC3\xBA\xC3\xB1"
                            "ez"));
        json_decref(resource);
    }
}

static const json_t *
last_entity(const json_t *resource, size_t back)
{
    const json_t *entities = json_object_get(resource, "entity");
    return json_array_get(entities, json_array_size(entities) - back);
}

static struct span
detail_of(const json_t *entity, size_t i)
{
    return facts_text(json_array_get(json_object_get(entity, "detail"), i), "valueString");
}

static void
test_record(void)
{
    const struct audit_event event = make_event(AUDIT_ITI_38, AUDIT_INITIATING);
    struct diag diag = {0};
    char uuid[UUID_TEXT];
    char urn[UUID_TEXT + 9];
    json_t *resource = render(&event, AUDIT_FHIR_POST);
    CHECK_OK(&diag, audit_fhir_uuid(&record, &diag, uuid));
    (void)snprintf(urn, sizeof(urn), "urn:uuid:%s", uuid);
    CHECK_SPAN(facts_text(facts_identifier(last_entity(resource, 1), "what"), "value"), urn);
    CHECK_SPAN(detail_of(last_entity(resource, 1), 0), "node");
    CHECK_SPAN(detail_of(last_entity(resource, 1), 1), "42");
    CHECK_SPAN(detail_of(last_entity(resource, 1), 2), HASH);
    CHECK_SPAN(facts_text(facts_identifier(last_entity(resource, 2), "what"), "value"),
               "0f0e0d0c-0000-4000-8000-000000000001");
    CHECK_SPAN(detail_of(last_entity(resource, 2), 0),
               "urn:uuid:7c1f0a52-0000-4000-8000-000000000002");
    CU_ASSERT_PTR_NULL(json_object_get(resource, "id"));
    json_decref(resource);
    resource = render(&event, AUDIT_FHIR_PUT);
    CHECK_SPAN(facts_text(resource, "id"), uuid);
    check_rules(resource, "with an id");
    json_decref(resource);
}

/* Every part of the identity counts, and nothing else. */
static void
test_ids_are_stable(void)
{
    static const struct audit_record_id others[] = {
        {"cli-0", 42, HASH}, {"node", 43, HASH}, {"node", 42, "ff" HASH}, {"node 4", 2, HASH}};
    struct diag diag = {0};
    char first[UUID_TEXT];
    char other[UUID_TEXT];
    CHECK_OK(&diag, audit_fhir_uuid(&record, &diag, first));
    CHECK_SPAN(span_of_cstr(first), "c4ad6774-3d23-89b2-8736-a8e168537d16");
    CU_ASSERT(uuid_is_valid(span_of_cstr(first)));
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        CHECK_OK(&diag, audit_fhir_uuid(&others[i], &diag, other));
        CU_ASSERT_STRING_NOT_EQUAL(other, first);
    }
}

static void
test_same_bytes(void)
{
    const struct audit_event event = make_event(AUDIT_ITI_39, AUDIT_RESPONDING);
    struct diag diag = {0};
    struct buf once;
    struct buf again;
    buf_init(&once, FACTS_MAX);
    buf_init(&again, FACTS_MAX);
    CHECK_OK(&diag, audit_fhir_write(&event, &source, &record, AUDIT_FHIR_PUT, &once, &diag));
    CHECK_OK(&diag, audit_fhir_write(&event, &source, &record, AUDIT_FHIR_PUT, &again, &diag));
    CU_ASSERT(once.n > 0 && span_eq(buf_span(&once), buf_span(&again)));
    buf_done(&once);
    buf_done(&again);
}

/* A code that no Coding can hold is said in words. */
static void
test_odd_codes(void)
{
    static const struct {
        const char *code, *scheme;
        const char *want_system, *want_code, *want_text;
    } cases[] = {
        {"x", "2.999.7", "urn:oid:2.999.7", "x", ""},
        {"x", "https://a.example/s", "https://a.example/s", "x", ""},
        {"x", "Hospital roles", "", "x", "x (Hospital roles)"},
        {"x", "urn:a b", "", "x", "x (urn:a b)"},
        {"x", ":a", "", "x", "x (:a)"},
        {"x", "1:a", "", "x", "x (1:a)"},
        {"x", "", "", "x", "x ()"},
        {" x", "2.999.7", "urn:oid:2.999.7", "", " x (2.999.7)"},
        {"x  y", "2.999.7", "urn:oid:2.999.7", "", "x  y (2.999.7)"},
        {"x y", "2.999.7", "urn:oid:2.999.7", "x y", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct audit_event event = make_event(AUDIT_ITI_38, AUDIT_RESPONDING);
        event.purpose =
            (struct code){span_of_cstr(cases[i].code), span_of_cstr(cases[i].scheme), SPAN("X")};
        json_t *resource = render(&event, AUDIT_FHIR_POST);
        const json_t *concept = json_array_get(json_object_get(resource, "purposeOfEvent"), 0);
        const json_t *coding = json_array_get(json_object_get(concept, "coding"), 0);
        CHECK_SPAN(facts_text(coding, "system"), cases[i].want_system);
        CHECK_SPAN(facts_text(coding, "code"), cases[i].want_code);
        CHECK_SPAN(facts_text(coding, "display"), "X");
        CHECK_SPAN(facts_text(concept, "text"), cases[i].want_text);
        check_rules(resource, cases[i].code);
        json_decref(resource);
    }
}

/* Would the rules notice? */
static void
test_rules_refuse(void)
{
    static const struct {
        const char *path; /* members and indexes from the top, then what is put there */
        const char *value;
        const char *wrong;
    } cases[] = {
        {"recorded", "\"2026-11-22\"", "AuditEvent.recorded: instant\n"},
        {"recorded", NULL, "AuditEvent.recorded: missing\n"},
        {"outcome", "\"1\"", "AuditEvent.outcome: not in its value set\n"},
        {"action", "\"\"", "AuditEvent.action: code\nAuditEvent.action: not in its value set\n"},
        {"agent", "[]", "AuditEvent.agent: not an array with something in it\n"},
        {"agent", NULL, "AuditEvent.agent: missing\n"},
        {"source", "{}", "AuditEvent.source: not an object with something in it\n"},
        {"source", "{\"site\": \"x\"}", "AuditEvent.source.observer: missing\n"},
        {"type", "{\"system\": \"a b\"}", "AuditEvent.type.system: uri\n"},
        {"id", "\"a_b\"", "AuditEvent.id: id\n"},
        {"outcomeDesc", "\"\\u0001\"", "AuditEvent.outcomeDesc: string\n"},
        {"outcomeDesc", "7", "AuditEvent.outcomeDesc: not a string\n"},
        {"severity", "\"high\"", "AuditEvent.severity: no such element\n"},
        {"entity", "[{\"name\": \"a\", \"query\": \"YQ==\"}]",
         "AuditEvent.entity[0]: sev-1: a name or a query, not both\n"},
        {"entity", "[{\"query\": \"YQ=\"}]", "AuditEvent.entity[0].query: base64Binary\n"},
        {"entity", "[{\"detail\": [{\"type\": \"a\"}]}]",
         "AuditEvent.entity[0].detail[0]: exactly one value[x]\n"},
        {"agent", "[{\"requestor\": \"true\"}]", "AuditEvent.agent[0].requestor: not a boolean\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct audit_event event = make_event(AUDIT_ITI_38, AUDIT_INITIATING);
        json_t *resource = render(&event, AUDIT_FHIR_POST);
        struct buf wrong;
        buf_init(&wrong, FACTS_MAX);
        (void)json_object_del(resource, cases[i].path);
        if (cases[i].value != NULL) {
            json_t *value = json_loads(cases[i].value, JSON_DECODE_ANY, NULL);
            CU_ASSERT_EQUAL(json_object_set_new(resource, cases[i].path, value), 0);
        }
        fhir_rules_check(resource, &wrong);
        CHECK_SPAN(buf_span(&wrong), cases[i].wrong);
        buf_done(&wrong);
        json_decref(resource);
    }
}

static struct status
render_once(struct diag *diag)
{
    struct audit_event event = make_event(AUDIT_ITI_39, AUDIT_INITIATING);
    struct buf json;
    event.outcome_text = SPAN("odd \x01");
    event.purpose.scheme = SPAN("no system");
    buf_init(&json, FACTS_MAX);
    const struct status st =
        audit_fhir_write(&event, &source, &record, AUDIT_FHIR_POST, &json, diag);
    buf_done(&json);
    return st;
}

static void
test_no_memory(void)
{
    unit_torture(render_once);
}

/* A record that is too long for the buffer is an error, not half a resource. */
static void
test_limit(void)
{
    const struct audit_event event = make_event(AUDIT_ITI_39, AUDIT_INITIATING);
    struct diag diag = {0};
    struct buf json;
    buf_init(&json, 100);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER,
              audit_fhir_write(&event, &source, &record, AUDIT_FHIR_POST, &json, &diag));
    buf_done(&json);
}

static const struct unit_test tests[] = {
    {"a buffer that is too small", test_limit},
    {"the rules refuse what is wrong", test_rules_refuse},
    {"odd bytes", test_odd_bytes},
    {"odd codes", test_odd_codes},
    {"events that know nothing", test_bare_events},
    /* REQ: ITI20-fhir-mapping */
    {"the same facts as the AuditMessage", test_same_facts},
    {"more than the AuditMessage", test_more_than_the_message},
    {"the record and the transaction", test_record},
    {"ids are stable", test_ids_are_stable},
    {"the same bytes again", test_same_bytes},
    {"no memory", test_no_memory},
};
UNIT_MAIN("audit_fhir", tests)
