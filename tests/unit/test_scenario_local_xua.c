/*
 * Assertions that a local system brings (ITI-40): whose are believed, what partners and the record
 * are told of them, and what is refused before anybody is asked. Every message is one of ours,
 * changed, and signed again where the signature is not what is wrong with it.
 */
#include "xua_kit.h"

#include <stdio.h>
#include <string.h>

/* ---- what becomes of them ---- */

/* A fault, before anybody was asked; the record says why, the answer does not. */
static void
check_refused(const char *name, enum err want, const char *says)
{
    const struct scene_event *event = scene_event(scene_place(&scene, "red"), 0);

    CU_ASSERT_FATAL(reply.is_here && event != NULL);
    if (reply.cause != want || (says != NULL && strstr(event->reason, says) == NULL) ||
        scene.questions_n != 0 || reply.http_status != 500) {
        printf("\n    %s: wanted %s '%s', got %s, %d, %zu asked: %s", name, err_name(want),
               says == NULL ? "" : says, err_name(reply.cause), reply.http_status,
               scene.questions_n, event->reason);
        CU_FAIL("not refused as it should be");
    }
    CU_ASSERT_EQUAL(event->outcome, AUDIT_SERIOUS);
    CU_ASSERT_STRING_EQUAL(event->partner, "ehr");
    CU_ASSERT(says == NULL || strstr(reply.text, says) == NULL);
    scene_forget(&scene);
}

static void
check_rows(const struct variant *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        send_variant(&rows[i]);
        check_refused(rows[i].name, rows[i].want, rows[i].says);
    }
}

static bool
was_sent(const char *text)
{
    return span_find(buf_span(&scene.questions[0].body), span_of_cstr(text)) != SPAN_MISSING;
}

/* Green was asked, with an assertion that says these; then it answers. */
static void
check_asked(const char *const *said, const char *const *unsaid)
{
    if (scene.questions_n != 1) {
        printf("\n    %s: %s", err_name(reply.cause),
               scene_event(scene_place(&scene, "red"), 0)->reason);
    }
    CU_ASSERT_EQUAL_FATAL(scene.questions_n, 1);
    for (; *said != NULL; said++) {
        if (!was_sent(*said)) {
            printf("\n    '%s' was not sent", *said);
            CU_FAIL("not asserted");
        }
    }
    for (; *unsaid != NULL; unsaid++) {
        if (was_sent(*unsaid)) {
            printf("\n    '%s' was sent", *unsaid);
            CU_FAIL("asserted");
        }
    }
    scene_deliver_all(&scene, NULL);
    CU_ASSERT(reply.is_here);
    CU_ASSERT_EQUAL(reply.http_status, 200);
}

static const char *const asserted[] = {
    "Ada Asserted",     "Ward 7",  "urn:oid:2.999.1.7", "224535009",
    "Registered nurse", "T-TREAT", "1234567893",        NULL};
static const char *const of_entry[] = {"Ehr User", "1987654326", NULL};

/* ---- tests: refused ---- */

static void
test_a_header_of_a_system_without_assertions_is_refused(void)
{
    const struct variant right = {.name = "right"};

    open_world();
    ehr->assertions = NULL;
    send_variant(&right);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(scene_event(scene_place(&scene, "red"), 0)->reason, "set assertions in its entry"));
    check_refused("no assertions", ERR_SYSTEM_SECURITY, NULL);
    ehr->asserts_for_all = true;
    send_variant(&right);
    check_asked(of_entry, asserted + 6); /* passed over: nothing of it counts */
    close_world();
}

static void
test_a_message_without_assertion_is_refused_where_one_is_required(void)
{
    open_world();
    local_send_discovery(&scene, SPAN("2.999.2"), &reply);
    check_asked(of_entry, asserted + 6);
    scene_forget(&scene);
    ehr->requires_assertion = true;
    local_send_discovery(&scene, SPAN("2.999.2"), &reply);
    check_refused("no header", ERR_WSS_MISSING, "requires_assertion");
    close_world();
}

/* clang-format off */
static const struct variant wrong_signature[] = {
    {.name = "a stranger's", .signer = A_STRANGER, .want = ERR_SIG_NO_TRUST},
    {.name = "a holder's", .signer = A_HOLDER, .want = ERR_SIG_NO_TRUST},
    {.name = "none", .is_left_unsigned = true,
     .edits = {{KIT_REMOVE, ASSERTION "/Signature", NULL, NULL}}, .want = ERR_SIG_MISSING},
    {.name = "another user", .is_left_unsigned = true,
     .edits = {{KIT_TEXT, ASSERTION "/Subject/NameID", NULL, "CN=eve,O=Hospital"}},
     .want = ERR_SIG_INVALID},
    {.name = "another value", .is_left_unsigned = true,
     .edits = {{KIT_TEXT, ASSERTION "/Signature/SignatureValue", NULL, "AAAA"}},
     .want = ERR_SIG_INVALID},
    {.name = "no KeyInfo", .edits = {{KIT_REMOVE, ASSERTION "/Signature/KeyInfo", NULL, NULL}},
     .want = ERR_SIG_NO_TRUST},
};

static const struct variant wrong_time[] = {
    {.name = "expired", .shift_us = -600 * US_PER_S, .want = ERR_SAML_CONDITIONS, .says = "ago"},
    {.name = "not yet valid", .shift_us = 600 * US_PER_S, .want = ERR_SAML_CONDITIONS,
     .says = "ahead"},
    {.name = "no IssueInstant", .edits = {{KIT_ATTRIBUTE, ASSERTION, "IssueInstant", NULL}},
     .want = ERR_SAML_STRUCTURE},
    {.name = "no NotOnOrAfter",
     .edits = {{KIT_ATTRIBUTE, ASSERTION "/Conditions", "NotOnOrAfter", NULL}},
     .want = ERR_SAML_CONDITIONS},
    {.name = "too long", .edits = {
     {KIT_ATTRIBUTE, ASSERTION "/Conditions", "NotOnOrAfter", "2099-01-01T00:00:00Z"}},
     .want = ERR_SAML_CONDITIONS, .says = "at most"},
    {.name = "old Timestamp", .edits = {
     {KIT_TEXT, "Header/Security/Timestamp/Created", NULL, "2020-01-01T00:00:00Z"},
     {KIT_TEXT, "Header/Security/Timestamp/Expires", NULL, "2020-01-01T00:01:00Z"}},
     .want = ERR_WSS_EXPIRED},
};

static const struct variant wrong_statement[] = {
    {.name = "another audience", .audience = "https://other.example/pdq",
     .want = ERR_SAML_AUDIENCE},
    {.name = "another path", .audience = GATEWAY "/registry", .want = ERR_SAML_AUDIENCE},
    {.name = "no audience",
     .edits = {{KIT_REMOVE, ASSERTION "/Conditions/AudienceRestriction", NULL, NULL}},
     .want = ERR_SAML_AUDIENCE},
    {.name = "another issuer", .edits = {{KIT_TEXT, ASSERTION "/Issuer", NULL, "urn:other"}},
     .want = ERR_SAML_ISSUER, .says = "assertions.issuers"},
    {.name = "Issuer without Format",
     .edits = {{KIT_ATTRIBUTE, ASSERTION "/Issuer", "Format", NULL}}, .want = ERR_SAML_ISSUER},
    {.name = "Version", .edits = {{KIT_ATTRIBUTE, ASSERTION, "Version", "1.1"}},
     .want = ERR_SAML_STRUCTURE},
    {.name = "no Subject", .edits = {{KIT_REMOVE, ASSERTION "/Subject", NULL, NULL}},
     .want = ERR_SAML_STRUCTURE},
    {.name = "sender-vouches", .edits = {
     {KIT_ATTRIBUTE, ASSERTION "/Subject/SubjectConfirmation", "Method",
      "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"}}, .want = ERR_SAML_CONFIRMATION},
    {.name = "no confirmation",
     .edits = {{KIT_REMOVE, ASSERTION "/Subject/SubjectConfirmation", NULL, NULL}},
     .want = ERR_SAML_CONFIRMATION},
    {.name = "no AuthnStatement",
     .edits = {{KIT_REMOVE, ASSERTION "/AuthnStatement", NULL, NULL}}, .want = ERR_SAML_AUTHN},
    {.name = "an invented class", .edits = {
     {KIT_TEXT, ASSERTION "/AuthnStatement/AuthnContext/AuthnContextClassRef", NULL, "urn:x"}},
     .want = ERR_SAML_AUTHN},
    {.name = "another community", .home_community = "2.999.2", .want = ERR_PEER_BINDING,
     .says = "2.999.2"},
    {.name = "a partner's organization", .organization_id = "urn:oid:2.999.2",
     .want = ERR_PEER_BINDING},
    {.name = "in another's name", .delegator = "Organization/7", .want = ERR_PEER_BINDING,
     .says = "QueryAuthGrantor"},
    {.name = "no subject-id", .without = "urn:oasis:names:tc:xspa:1.0:subject:subject-id",
     .want = ERR_SAML_ATTRIBUTE, .says = "subject-id"},
    {.name = "no organization", .without = "urn:oasis:names:tc:xspa:1.0:subject:organization",
     .want = ERR_SAML_ATTRIBUTE, .says = "subject:organization"},
    {.name = "no organization-id",
     .without = "urn:oasis:names:tc:xspa:1.0:subject:organization-id",
     .want = ERR_SAML_ATTRIBUTE, .says = "organization-id"},
    {.name = "no role", .without = ROLE_NAME, .want = ERR_SAML_ATTRIBUTE, .says = ROLE_NAME},
    {.name = "no purpose", .without = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse",
     .want = ERR_SAML_ATTRIBUTE, .says = "purposeofuse"},
    {.name = "another place", .edits = {{KIT_TEXT, "Header/To", NULL, "https://other.example/pdq"}},
     .want = ERR_WSA_HEADER},
    {.name = "no assertion", .edits = {
     {KIT_TEXT, "Header/To", NULL, GATEWAY},
     {KIT_REPLACE, "Header/Security", NULL,
      "<Security xmlns='" NS_WSSE "'/>"}}, .is_left_unsigned = true, .want = ERR_WSS_MISSING},
};
/* clang-format on */

static void
test_only_the_token_service_s_signature_counts(void)
{
    open_world();
    check_rows(wrong_signature, ARRAY_LEN(wrong_signature));
    close_world();
}

static void
test_an_assertion_counts_in_its_time_only(void)
{
    open_world();
    check_rows(wrong_time, ARRAY_LEN(wrong_time));
    close_world();
}

static void
test_what_it_must_say(void)
{
    const struct variant right = {.name = "right"};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct span xml;

    open_world();
    check_rows(wrong_statement, ARRAY_LEN(wrong_statement));
    xml = make_message(&right, arena);
    const size_t at = span_find(xml, SPAN("2.16.840.1.113883.6.96"));

    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    ((char *)xml.p)[at + strlen("2.16.840.1.113883.6.9")] = '7';
    xmlDoc *doc = kit_open(xml);

    sign_assertion(doc, THE_STS);
    send_bytes(close_message(doc, arena));
    check_refused("a role of other codes", ERR_SAML_ATTRIBUTE, "expected SNOMED CT");
    arena_free(arena);
    close_world();
}

/* A signed assertion somewhere else does not speak for the one that is read (XSW). */
static void
test_a_wrapped_assertion_is_refused(void)
{
    static const char *const places[] = {"Header/Security", "Header", "Body",
                                         ASSERTION "/Signature", ASSERTION "/Subject"};
    const struct variant right = {.name = "right"};

    open_world();
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        xmlDoc *doc = kit_open(make_message(&right, arena));
        xmlNode *genuine = xmlDocCopyNode(kit_at(doc, ASSERTION), doc, 1);

        set_text(doc, ASSERTION "/Subject/NameID", "CN=eve,O=Hospital");
        CU_ASSERT_PTR_NOT_NULL(xmlAddChild(kit_at(doc, places[i]), genuine));
        send_bytes(close_message(doc, arena));
        CU_ASSERT(reply.cause != ERR_NONE);
        check_refused(places[i], reply.cause, NULL);
        /* and with another ID, as if it were a further one */
        doc = kit_open(make_message(&right, arena));
        genuine = xmlDocCopyNode(kit_at(doc, ASSERTION), doc, 1);
        set_text(doc, ASSERTION "/Subject/NameID", "CN=eve,O=Hospital");
        kit_set(kit_at(doc, ASSERTION), "ID", "_evil");
        CU_ASSERT_PTR_NOT_NULL(xmlAddChild(kit_at(doc, places[i]), genuine));
        send_bytes(close_message(doc, arena));
        CU_ASSERT(reply.cause != ERR_NONE);
        check_refused(places[i], reply.cause, NULL);
        arena_free(arena);
    }
    close_world();
}

/* ---- tests: accepted ---- */

static void
test_the_user_of_the_assertion_asks(void)
{
    const struct variant right = {.name = "right"};

    open_world();
    send_variant(&right);
    check_asked(asserted, of_entry);
    const struct scene_event *own = scene_event(scene_place(&scene, "red"), 0);

    CU_ASSERT_EQUAL(own->outcome, AUDIT_SUCCESS);
    CU_ASSERT_EQUAL(own->side, AUDIT_RESPONDING);
    CU_ASSERT_STRING_EQUAL(own->partner, "ehr");
    CU_ASSERT_STRING_EQUAL(own->user, "<" NAME_ID "@" STS ">");
    CU_ASSERT_STRING_EQUAL(own->role, "224535009");
    CU_ASSERT_STRING_EQUAL(own->purpose, "T-TREAT");
    close_world();
}

/* Our policy decides about the purpose that the assertion says, not about the entry's. */
static void
test_our_policy_judges_the_user_of_the_assertion(void)
{
    const struct variant denied = {.name = "denied", .purpose = "T-PYMNT"};
    const struct variant right = {.name = "right"};

    open_world(); /* treatment is all that is permitted */
    send_variant(&denied);
    CU_ASSERT_EQUAL(scene.questions_n, 0);
    CU_ASSERT(reply.is_here);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(scene_event(scene_place(&scene, "red"), 0)->reason, "POLICY_DENIED"));
    scene_forget(&scene);
    ehr->asserts.purpose = "T-PYMNT";
    send_variant(&right);
    check_asked(asserted, of_entry);
    close_world();
}

static void
test_the_base_is_an_audience_and_a_timestamp_is_not_needed(void)
{
    const struct variant base = {
        .name = "base", .audience = GATEWAY, .edits = {{KIT_TEXT, "Header/To", NULL, GATEWAY}}};
    const struct variant bare = {.name = "bare",
                                 .edits = {{KIT_REMOVE, "Header/Security/Timestamp", NULL, NULL}}};

    open_world();
    send_variant(&base);
    check_asked(asserted, of_entry);
    scene_forget(&scene);
    send_variant(&bare);
    check_asked(asserted, of_entry);
    close_world();
}

static void
test_an_assertion_may_leave_to_the_entry_what_may_omit_lists(void)
{
    static const char *const said[] = {"Ada Asserted", "Ward 7", "T-TREAT", "112247003", NULL};
    static const char *const unsaid[] = {"Registered nurse", "Ehr User", "1987654326", NULL};
    struct variant less = {.name = "less",
                           .without = "urn:oasis:names:tc:xspa:1.0:subject:purposeofuse"};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    xmlDoc *doc;

    open_world();
    ehr->asserts.role = "112247003";
    believed.may_omit_purpose = true;
    doc = kit_open(make_message(&less, arena));
    kit_remove_attribute(doc, ROLE_NAME);
    sign_assertion(doc, THE_STS);
    send_bytes(close_message(doc, arena));
    check_refused("role is not listed", ERR_SAML_ATTRIBUTE, ROLE_NAME);
    believed.relaxed |= DIALECT_BIT(RELAX_ROLE);
    doc = kit_open(make_message(&less, arena));
    kit_remove_attribute(doc, ROLE_NAME);
    sign_assertion(doc, THE_STS);
    send_bytes(close_message(doc, arena));
    check_asked(said, unsaid);
    scene_forget(&scene);
    /* half of what belongs together is not completed */
    believed.relaxed |= DIALECT_BIT(RELAX_ORGANIZATION) | DIALECT_BIT(RELAX_ORGANIZATION_ID) |
                        DIALECT_BIT(RELAX_SUBJECT_ID);
    less.without = "urn:oasis:names:tc:xspa:1.0:subject:organization-id";
    send_variant(&less);
    check_refused("half an organization", ERR_SAML_ATTRIBUTE, "organization-id");
    less.without = "urn:oasis:names:tc:xspa:1.0:subject:subject-id";
    send_variant(&less);
    check_refused("nobody's npi", ERR_SAML_ATTRIBUTE, "npi");
    arena_free(arena);
    close_world();
}

static void
test_an_assertion_is_used_again_but_no_message(void)
{
    const struct variant right = {.name = "right"};
    const struct variant once = {
        .name = "once",
        .edits = {{KIT_APPEND, ASSERTION "/Conditions", NULL,
                   "<OneTimeUse xmlns='urn:oasis:names:tc:SAML:2.0:assertion'/>"}}};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct span first;

    open_world();
    first = make_message(&right, arena);
    send_bytes(first);
    check_asked(asserted, of_entry);
    scene_forget(&scene);
    send_bytes(first);
    check_refused("the same message", ERR_REPLAY, "a second time");
    send_bytes(close_message(kit_open(first), arena)); /* another MessageID, the same assertion */
    check_asked(asserted, of_entry);
    scene_forget(&scene);
    first = make_message(&once, arena);
    send_bytes(first);
    check_asked(asserted, of_entry);
    scene_forget(&scene);
    send_bytes(close_message(kit_open(first), arena));
    check_refused("used twice", ERR_REPLAY, "assertion");
    arena_free(arena);
    close_world();
}

/* Issued by the token service for the holder's key, which signs the Timestamp. */
static struct span
make_held(struct arena *arena, bool is_signed)
{
    const struct variant held = {.name = "held", .is_holder_of_key = true};
    xmlDoc *doc = open_message(&held, A_HOLDER, arena);
    xmlDoc *other = open_message(&held, THE_STS, arena);
    xmlNode *issuer = kit_at(doc, ASSERTION "/Issuer");
    xmlNode *hint = xmlDocCopyNode(kit_at(other, ASSERTION "/Signature/KeyInfo"), doc, 1);

    xmlNodeSetContent(issuer, (const xmlChar *)STS);
    kit_set(issuer, "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:entity");
    xmlFreeNode(xmlReplaceNode(kit_at(doc, ASSERTION "/Signature/KeyInfo"), hint));
    sign_assertion(doc, THE_STS);
    if (!is_signed) {
        const struct kit_edit bare = {KIT_REMOVE, "Header/Security/Signature", NULL, NULL};

        kit_apply(doc, &bare);
    }
    xmlFreeDoc(other);
    return close_message(doc, arena);
}

static void
test_a_holder_proves_that_it_has_the_key(void)
{
    const struct variant bearer = {.name = "bearer"};
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    xmlDoc *doc;
    struct span first;

    open_world();
    believed.may_use_bearer = false;
    send_variant(&bearer);
    check_refused("bearer", ERR_SAML_CONFIRMATION, "holder-of-key");
    send_bytes(make_held(arena, false));
    check_refused("no signature of the holder", ERR_SIG_MISSING, NULL);
    doc = kit_open(make_held(arena, true));
    const struct kit_edit bare = {KIT_REMOVE, "Header/Security/Timestamp", NULL, NULL};

    kit_apply(doc, &bare);
    send_bytes(close_message(doc, arena));
    check_refused("a signature over nothing", ERR_WSS_TIMESTAMP, NULL);
    first = make_held(arena, true);
    send_bytes(first);
    check_asked(asserted, of_entry);
    scene_forget(&scene);
    send_bytes(close_message(kit_open(first), arena)); /* nobody signs the MessageID */
    check_refused("the same Timestamp", ERR_REPLAY, NULL);
    believed.holders_n = 0;
    believed.keys_n = 1; /* the holder's key is not registered any more */
    send_bytes(make_held(arena, true));
    check_refused("an unknown holder", ERR_SAML_CONFIRMATION, "names no key");
    arena_free(arena);
    close_world();
}

static const struct unit_test tests[] = {
    {"a header of a system without assertions is refused",
     test_a_header_of_a_system_without_assertions_is_refused},
    {"a message without assertion is refused where one is required",
     test_a_message_without_assertion_is_refused_where_one_is_required},
    {"only the token service's signature counts", test_only_the_token_service_s_signature_counts},
    {"an assertion counts in its time only", test_an_assertion_counts_in_its_time_only},
    {"what it must say", test_what_it_must_say},
    {"a wrapped assertion is refused", test_a_wrapped_assertion_is_refused},
    /* REQ: ITI40-user-name, ITI20-purpose */
    {"the user of the assertion asks", test_the_user_of_the_assertion_asks},
    {"our policy judges the user of the assertion",
     test_our_policy_judges_the_user_of_the_assertion},
    {"the base is an audience, and a Timestamp is not needed",
     test_the_base_is_an_audience_and_a_timestamp_is_not_needed},
    {"an assertion may leave to the entry what may_omit lists",
     test_an_assertion_may_leave_to_the_entry_what_may_omit_lists},
    {"an assertion is used again, but no message", test_an_assertion_is_used_again_but_no_message},
    {"a holder proves that it has the key", test_a_holder_proves_that_it_has_the_key},
};
UNIT_MAIN("scenario-local-xua", tests)
