/*
 * Audit events as JSON: what is refused and by which words, what survives, and what a newer node's
 * record looks like to an older reader.
 */
#include "audit/event.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "tests/unit/unit.h"

#define KIND                                                                                       \
    "\"type\":\"ITI-55\",\"side\":\"initiating\",\"phase\":\"intent\",\"outcome\":0,\"time_us\":1"

static struct span
text_of(const char *s)
{
    return span_of_cstr(s);
}

static void
test_bad_payloads(void)
{
    static const struct {
        const char *json;
        const char *says;
    } cases[] = {
        {"", "not one JSON object"},
        {"[]", "not a JSON object"},
        {"\"event\"", "not one JSON object"},
        {"{", "not one JSON object"},
        {"{" KIND "} {}", "not one JSON object"},
        {"{" KIND ",\"partner\":\"a\",\"partner\":\"b\"}", "not one JSON object"},
        {"{" KIND ",\"partner\":\"\xC3\"}", "not one JSON object"},
        {"{}", "'type'"},
        {"{\"type\":55}", "'type'"},
        {"{\"type\":\"ITI-99\"}", "'type' is not a value that this version knows"},
        {"{\"type\":\"ITI-55\",\"side\":\"both\"}", "'side'"},
        {"{\"type\":\"ITI-55\",\"side\":\"initiating\",\"phase\":null}", "'phase'"},
        {"{\"type\":\"ITI-55\",\"side\":\"initiating\",\"phase\":\"intent\",\"outcome\":1}",
         "'outcome' is not 0, 4, 8 or 12"},
        {"{\"type\":\"ITI-55\",\"side\":\"initiating\",\"phase\":\"intent\",\"outcome\":\"0\"}",
         "'outcome'"},
        {"{\"type\":\"ITI-55\",\"side\":\"initiating\",\"phase\":\"intent\",\"outcome\":0}",
         "'time_us'"},
        {"{\"type\":\"ITI-55\",\"side\":\"initiating\",\"phase\":\"intent\",\"outcome\":0,"
         "\"time_us\":1.5}",
         "'time_us'"},
        {"{" KIND ",\"process_id\":\"7\"}", "'process_id'"},
        {"{" KIND ",\"partner\":7}", "'partner'"},
        {"{" KIND ",\"query\":{\"base64\":7}}", "'query'"},
        {"{" KIND ",\"query\":{\"base64\":\"=x\"}}", "'query' is not valid base64"},
        {"{" KIND ",\"role\":\"x\"}", "'role' is not an object"},
        {"{" KIND ",\"role\":{\"value\":1}}", "'value'"},
        {"{" KIND ",\"patients\":\"x\"}", "'patients' is not an array"},
        {"{" KIND ",\"patients\":[1]}", "'patients'"},
        {"{" KIND ",\"documents\":[\"x\"]}", "'documents' is not an array of objects"},
        {"{" KIND ",\"documents\":[{\"home\":true}]}", "'home'"},
        {"{" KIND ",\"details\":{}}", "'details' is not an array"},
        {"{" KIND ",\"details\":[\"x\"]}", "'details' is not an array of objects"},
        {"{" KIND ",\"details\":[{\"name\":\"hash\",\"value\":7}]}", "'value'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct diag diag = {0};
        struct audit_event event = {.process_id = 77};
        const bool is_refused = CHECK_ERR(
            &diag, ERR_JOURNAL, audit_event_decode(text_of(cases[i].json), arena, &diag, &event));
        if (!is_refused || strstr(diag.text, cases[i].says) == NULL) {
            printf("\n    %s\n      said '%s', wanted '%s'\n", cases[i].json, diag.text,
                   cases[i].says);
            CU_FAIL("wrong reason");
        }
        CU_ASSERT_EQUAL(event.process_id, 77); /* untouched */
        arena_free(arena);
    }
}

static void
test_refusal_quotes_no_content(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct audit_event event;
    CHECK_ERR(&diag, ERR_JOURNAL,
              audit_event_decode(SPAN("{\"query\": Nunez}"), arena, &diag, &event));
    CU_ASSERT_PTR_NULL(strstr(diag.text, "Nunez"));
    arena_free(arena);
}

/* ---- round trips ---- */

static struct span patients[] = {{"p1^^^&2.999.1&ISO", 17}, {"p\x00q", 3}};
static struct document_ref documents[] = {
    {{"urn:oid:2.999.2", 15}, {"2.999.2.2", 9}, {"2.999.2.3.1", 11}},
    {{NULL, 0}, {"2.999.2.2", 9}, {"2.999.2.3.2^\xC3\xA9", 14}},
};

static struct audit_detail details[] = {
    {{"hash", 4}, {"0f\xFF", 3}},
    {{"signature", 9}, {NULL, 0}},
};

static struct audit_event
full_event(void)
{
    return (struct audit_event){
        .type = AUDIT_ITI_39,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = AUDIT_SERIOUS,
        .outcome_text = SPAN("UNKNOWN_DOCUMENT: \"x\" <y> \\ \n\t\x01\x7F"),
        .time_us = INT64_C(1795343400250000),
        .transaction_id = SPAN("0b5c3ad6-5d4e-4ba7-a2e7-0c4d2ef3c8f4"),
        .message_id = SPAN("urn:uuid:1"),
        .partner = SPAN("blue"),
        .source_id = SPAN("https://blue.example:8443/a?b=c&d"),
        .source_address = SPAN("127.0.0.1"),
        .destination_id = SPAN("https://red.example:8443/xca/retrieve"),
        .destination_address = SPAN("::1"),
        .process_id = 4711,
        .user_name = SPAN("al<N\xC3\xBA\xC3\xB1"
                          "ez@CN=Blue>"),
        .user_id = SPAN("N\xC3\xBA\xC3\xB1"
                        "ez"),
        .role = {SPAN("112247003"), SPAN("2.16.840.1.113883.6.96"), SPAN("Medical doctor")},
        .organization = SPAN("Blue HIE"),
        .delegator = SPAN("Organization/2.999.7"),
        .submission_set = SPAN("2.999.4.1"),
        .purpose = {SPAN("T-TREAT"), SPAN("2.16.840.1.113883.3.7204.1.5.2.1"), SPAN("Treatment")},
        .community = SPAN("2.999.2"),
        .query_id = SPAN("urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"),
        .query = SPAN("<q a=\"1\">\xE2\x82\xAC \xF0\x9F\x98\x80</q>"),
        .patients = {patients, ARRAY_LEN(patients), ARRAY_LEN(patients)},
        .documents = {documents, ARRAY_LEN(documents), ARRAY_LEN(documents)},
        .policy_rule = SPAN("treatment"),
        .policy_verdict = SPAN(AUDIT_VERDICT_DENIED),
        .subject = SPAN("node/17"),
        .details = {details, ARRAY_LEN(details), ARRAY_LEN(details)},
    };
}

static void
check_same(struct span got, struct span want)
{
    if (!span_eq(got, want)) {
        printf("\n    got '%.*s', wanted '%.*s'\n", SPAN_PRINT(got), SPAN_PRINT(want));
        CU_FAIL("a span did not survive");
    }
}

static void
check_same_code(const struct code *got, const struct code *want)
{
    check_same(got->value, want->value);
    check_same(got->scheme, want->scheme);
    check_same(got->display, want->display);
}

static void
check_same_event(const struct audit_event *got, const struct audit_event *want)
{
    CU_ASSERT_EQUAL(got->type, want->type);
    CU_ASSERT_EQUAL(got->side, want->side);
    CU_ASSERT_EQUAL(got->phase, want->phase);
    CU_ASSERT_EQUAL(got->outcome, want->outcome);
    CU_ASSERT_EQUAL(got->time_us, want->time_us);
    CU_ASSERT_EQUAL(got->process_id, want->process_id);
    check_same(got->outcome_text, want->outcome_text);
    check_same(got->transaction_id, want->transaction_id);
    check_same(got->message_id, want->message_id);
    check_same(got->partner, want->partner);
    check_same(got->source_id, want->source_id);
    check_same(got->source_address, want->source_address);
    check_same(got->destination_id, want->destination_id);
    check_same(got->destination_address, want->destination_address);
    check_same(got->user_name, want->user_name);
    check_same(got->user_id, want->user_id);
    check_same(got->organization, want->organization);
    check_same(got->delegator, want->delegator);
    check_same(got->community, want->community);
    check_same(got->query_id, want->query_id);
    check_same(got->query, want->query);
    check_same(got->policy_rule, want->policy_rule);
    check_same(got->policy_verdict, want->policy_verdict);
    check_same(got->submission_set, want->submission_set);
    check_same(got->subject, want->subject);
    CU_ASSERT_EQUAL_FATAL(got->details.n, want->details.n);
    for (size_t i = 0; i < want->details.n; i++) {
        check_same(got->details.items[i].name, want->details.items[i].name);
        check_same(got->details.items[i].value, want->details.items[i].value);
    }
    check_same_code(&got->role, &want->role);
    check_same_code(&got->purpose, &want->purpose);
    CU_ASSERT_EQUAL_FATAL(got->patients.n, want->patients.n);
    for (size_t i = 0; i < want->patients.n; i++) {
        check_same(got->patients.items[i], want->patients.items[i]);
    }
    CU_ASSERT_EQUAL_FATAL(got->documents.n, want->documents.n);
    for (size_t i = 0; i < want->documents.n; i++) {
        check_same(got->documents.items[i].home, want->documents.items[i].home);
        check_same(got->documents.items[i].repository, want->documents.items[i].repository);
        check_same(got->documents.items[i].unique_id, want->documents.items[i].unique_id);
    }
}

static void
check_round_trip(const struct audit_event *event)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct audit_event back;
    struct buf json;
    buf_init(&json, 1024 * 1024);
    if (CHECK_OK(&diag, audit_event_encode(event, &json, &diag)) &&
        CHECK_OK(&diag, audit_event_decode(buf_span(&json), arena, &diag, &back))) {
        check_same_event(&back, event);
    }
    /* The journal tells records from payloads by a byte that UTF-8 never has. */
    CU_ASSERT_EQUAL(span_find_char(buf_span(&json), (char)0xFE), SPAN_MISSING);
    buf_done(&json);
    arena_free(arena);
}

static void
test_round_trips(void)
{
    static const enum audit_outcome outcomes[] = {AUDIT_SUCCESS, AUDIT_MINOR, AUDIT_SERIOUS,
                                                  AUDIT_MAJOR};
    struct audit_event event = full_event();
    check_round_trip(&event);
    for (int type = 0; type < AUDIT_TYPE_COUNT; type++) {
        for (size_t i = 0; i < ARRAY_LEN(outcomes); i++) {
            event = (struct audit_event){.type = (enum audit_type)type,
                                         .side = (enum audit_side)(i % 2),
                                         .phase = (enum audit_phase)(i / 2),
                                         .outcome = outcomes[i],
                                         .time_us = -1};
            check_round_trip(&event);
        }
    }
}

/* Every byte value in every text member: the bytes come back, the JSON stays UTF-8. */
static void
test_bytes_that_are_no_text(void)
{
    char all[256];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)i;
    }
    static const char overlong[] = "\xC0\x80";
    static const char surrogate[] = "\xED\xA0\x80";
    const struct span odd[] = {span_of(all, sizeof(all)), span_of(overlong, 2),
                               span_of(surrogate, 3), SPAN("\xFE\xFF")};
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        struct document_ref document = {odd[i], odd[i], odd[i]};
        struct span patient = odd[i];
        struct audit_event event = full_event();
        event.query = odd[i];
        event.user_name = odd[i];
        event.outcome_text = odd[i];
        event.role = (struct code){odd[i], odd[i], odd[i]};
        event.patients = (struct span_list){&patient, 1, 1};
        event.documents = (struct document_ref_list){&document, 1, 1};
        check_round_trip(&event);
    }
}

static void
test_newer_members_are_ignored(void)
{
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag diag = {0};
    struct audit_event event;
    CHECK_OK(&diag,
             audit_event_decode(SPAN("{" KIND ",\"consent\":{\"a\":[1,null]},\"partner\":\"p\","
                                     "\"documents\":[{\"unique_id\":\"1\",\"new\":2}]}"),
                                arena, &diag, &event));
    CHECK_SPAN(event.partner, "p");
    CU_ASSERT_EQUAL(event.documents.n, 1);
    arena_free(arena);
}

static void
test_limit_is_kept(void)
{
    struct audit_event event = full_event();
    struct diag diag = {0};
    struct buf json;
    buf_init(&json, 100);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, audit_event_encode(&event, &json, &diag));
    buf_done(&json);
}

static struct status
encode_and_decode(struct diag *diag)
{
    struct audit_event event = full_event();
    struct audit_event back;
    struct buf json;
    event.query = SPAN("\xFF binary");
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    buf_init(&json, 1024 * 1024);
    struct status st = audit_event_encode(&event, &json, diag);
    if (is_ok(st)) {
        st = audit_event_decode(buf_span(&json), arena, diag, &back);
    }
    buf_done(&json);
    arena_free(arena);
    return st;
}

static void
test_without_memory(void)
{
    unit_torture(encode_and_decode);
}

static const struct unit_test tests[] = {
    {"payloads that are refused, by the member at fault", test_bad_payloads},
    {"a refusal quotes no content", test_refusal_quotes_no_content},
    {"every member and every kind survive", test_round_trips},
    {"bytes that are no text survive", test_bytes_that_are_no_text},
    {"members of newer nodes are ignored", test_newer_members_are_ignored},
    {"the buffer's limit holds", test_limit_is_kept},
    {"every failed allocation is survived", test_without_memory},
};
UNIT_MAIN("event", tests)
