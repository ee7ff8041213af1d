/*
 * Facts of assertions, as `isthmus decode` tells them, and of audit records (see sample_facts.h).
 * An assertion is cut out of its sample and put into a message of ours, with all namespaces that
 * were in scope, so that its signature stays what it was.
 */
#include <stdio.h>
#include <string.h>

#include "soap/envelope.h"
#include "soap/explain.h"
#include "soap/namespaces.h"
#include "soap/xml.h"
#include "tests/unit/sample_facts.h"
#include "tests/unit/unit.h"

#define BYTES_MAX ((size_t)16 * 1024 * 1024)
#define TIMESTAMP                                                                                  \
    "<wsu:Timestamp xmlns:wsu=\"" NS_WSU "\"><wsu:Created>2026-01-01T00:00:00Z</wsu:Created>"      \
    "<wsu:Expires>2026-01-01T00:05:00Z</wsu:Expires></wsu:Timestamp>"

static struct span
copy(struct arena *arena, const struct buf *text)
{
    struct diag diag = {0};
    struct span result = SPAN_EMPTY;

    CHECK_OK(&diag, arena_dup(arena, buf_span(text), &diag, &result));
    return result;
}

/* ---- assertions ---- */

static struct span
message_around(const xmlNode *assertion, struct arena *arena)
{
    struct diag diag = {0};
    struct buf security, envelope;

    buf_init(&security, BYTES_MAX);
    buf_init(&envelope, BYTES_MAX);
    CHECK_OK(&diag, buf_printf(&security, &diag, "<wsse:Security xmlns:wsse=\"%s\">%s", NS_WSSE,
                               TIMESTAMP));
    CHECK_OK(&diag, xml_serialise(assertion, &security, &diag));
    CHECK_OK(&diag, buf_append_cstr(&security, "</wsse:Security>", &diag));
    const struct envelope_request request = {
        .action = SPAN("urn:test"),
        .to = SPAN("https://test"),
        .message_id = SPAN("urn:uuid:00000000-0000-4000-8000-000000000001"),
        .security = buf_span(&security),
        .payload = SPAN("<test xmlns=\"urn:test\"/>"),
    };
    CHECK_OK(&diag, envelope_write_request(&request, &envelope, &diag));
    const struct span message = copy(arena, &envelope);
    buf_done(&security);
    buf_done(&envelope);
    return message;
}

static const struct note *
member(const struct note *parent, const char *key)
{
    const struct note *note = parent == NULL ? NULL : parent->first;

    while (note != NULL && (note->key == NULL || strcmp(note->key, key) != 0)) {
        note = note->next;
    }
    return note;
}

static struct span
text_of(const struct note *parent, const char *key)
{
    const struct note *note = member(parent, key);

    return note == NULL ? SPAN_EMPTY : note->text;
}

static void
fact_attribute(const struct note *row, struct buf *out)
{
    static const char *const parts[] = {"code", "codeSystem", "root", "extension"};
    char name[300], text[4096] = "";
    size_t n = 0;

    (void)snprintf(name, sizeof(name), "%.*s", SPAN_PRINT(text_of(row, "attribute")));
    for (size_t i = 0; i < ARRAY_LEN(parts) && n < sizeof(text); i++) {
        const struct span part = text_of(row, parts[i]);

        n += part.n == 0 ? 0
                         : (size_t)snprintf(text + n, sizeof(text) - n, "%s%.*s", n > 0 ? " " : "",
                                            SPAN_PRINT(part));
    }
    sample_fact(out, name, "%s%.*s", text, SPAN_PRINT(text_of(row, "value")));
}

/* What the check of the assertion's own signature says, with the key that it brings. */
static const char *
signature_of(const struct note *checks)
{
    for (const struct note *row = checks->first; row != NULL; row = row->next) {
        if (span_eq(text_of(row, "check"), SPAN("assertion's signature"))) {
            return span_eq(text_of(row, "verdict"), SPAN("ok")) ? "good" : "not proven";
        }
    }
    return "not checked";
}

static void
facts_assertion(const xmlNode *assertion, struct arena *arena, struct buf *out)
{
    const struct security_rules rules = {.may_use_bearer = true};
    struct explanation *explanation = NULL;
    struct diag diag = {0};
    struct notes notes;

    notes_init(&notes, arena, true, &diag);
    struct note *checks = note_list(&notes, &notes.top, "checks");
    CHECK_OK(&diag, explain_read(message_around(assertion, arena), SPAN(SOAP_CONTENT_TYPE), arena,
                                 &diag, &explanation));
    CHECK_OK(&diag, explain_assertion(explanation, 0, &notes, &diag));
    CHECK_OK(&diag, explain_checks(explanation, &rules, "-", &notes, checks, &diag));
    const struct note *section = member(&notes.top, "assertion");
    const struct note *confirmations = member(section, "confirmations");
    const struct note *attributes = member(section, "attributes");
    const struct span method =
        text_of(confirmations == NULL ? NULL : confirmations->first, "method");
    sample_fact(out, "issuer", "%.*s", SPAN_PRINT(text_of(section, "issuer")));
    sample_fact(out, "subject", "%.*s", SPAN_PRINT(text_of(section, "name_id")));
    sample_fact(out, "confirmation", "%.*s", SPAN_PRINT(method));
    sample_fact(out, "audience", "%.*s", SPAN_PRINT(text_of(section, "audience")));
    sample_fact(out, "signature", "%s", signature_of(checks));
    for (const struct note *row = attributes == NULL ? NULL : attributes->first; row != NULL;
         row = row->next) {
        fact_attribute(row, out);
    }
}

static bool
is_outermost(const xmlNode *assertion)
{
    const xmlNode *node = assertion->parent;

    while (node->type == XML_ELEMENT_NODE && !xml_is(node, NS_SAML2, "Assertion")) {
        node = node->parent;
    }
    return node->type != XML_ELEMENT_NODE; /* the document */
}

static const xmlNode *
parse(struct span file, struct arena *arena)
{
    const struct message_limits limits = message_limits_answer();
    struct diag diag = {0};
    xmlDoc *doc = NULL;

    return CHECK_OK(&diag, xml_parse(file, &limits, arena, &diag, &doc)) ? xml_root(doc) : NULL;
}

void
sample_assertions(struct span file, struct arena *arena, struct buf *out)
{
    const xmlNode *const top = parse(file, arena);
    size_t n = 0;

    for (const xmlNode *node = top; node != NULL; node = xml_walk(node, top)) {
        if (xml_is(node, NS_SAML2, "Assertion") && is_outermost(node)) {
            sample_fact(out, "assertion", "%zu", ++n);
            facts_assertion(node, arena, out);
        }
    }
}

/* ---- audit records ---- */

static struct span
code_of(const xmlNode *node)
{
    const struct span csd = xml_attr_text(node, "csd-code");

    return csd.n > 0 ? csd : xml_attr_text(node, "code");
}

static void
fact_code(const char *key, const char *before, const xmlNode *code, struct buf *out)
{
    sample_fact(out, key, "%s%.*s %.*s", before, SPAN_PRINT(code_of(code)),
                SPAN_PRINT(xml_attr_text(code, "codeSystemName")));
}

static void
fact_event(const xmlNode *event, struct buf *out)
{
    const xmlNode *type = xml_child(event, NULL, "EventTypeCode");

    fact_code("event", "", xml_child(event, NULL, "EventID"), out);
    for (; type != NULL; type = xml_next_named(type, NULL, "EventTypeCode")) {
        fact_code("type", "", type, out);
    }
    sample_fact(out, "action", "%.*s", SPAN_PRINT(xml_attr_text(event, "EventActionCode")));
    sample_fact(out, "outcome", "%.*s", SPAN_PRINT(xml_attr_text(event, "EventOutcomeIndicator")));
}

static void
fact_participant(const xmlNode *participant, struct buf *out)
{
    const xmlNode *role = xml_child(participant, NULL, "RoleIDCode");
    char text[512];
    size_t n = (size_t)snprintf(text, sizeof(text), "%.*s ",
                                SPAN_PRINT(xml_attr_text(participant, "UserIsRequestor")));

    for (const xmlNode *next = xml_next_named(role, NULL, "RoleIDCode");
         next != NULL && n < sizeof(text); next = xml_next_named(role, NULL, "RoleIDCode")) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%.*s %.*s, ", SPAN_PRINT(code_of(role)),
                              SPAN_PRINT(xml_attr_text(role, "codeSystemName")));
        role = next;
    }
    fact_code("participant", n < sizeof(text) ? text : "too long", role, out);
}

static void
fact_object(const xmlNode *object, struct buf *out)
{
    char before[64];

    (void)snprintf(before, sizeof(before), "%.*s %.*s ",
                   SPAN_PRINT(xml_attr_text(object, "ParticipantObjectTypeCode")),
                   SPAN_PRINT(xml_attr_text(object, "ParticipantObjectTypeCodeRole")));
    fact_code("object", before, xml_child(object, NULL, "ParticipantObjectIDTypeCode"), out);
}

void
sample_audit(struct span file, struct arena *arena, struct buf *out)
{
    const xmlNode *const top = parse(file, arena);

    sample_fact(out, "kind", "%.*s", SPAN_PRINT(xml_local_name(top)));
    for (const xmlNode *node = xml_first(top); node != NULL; node = xml_next(node)) {
        if (xml_is(node, NULL, "EventIdentification")) {
            fact_event(node, out);
        } else if (xml_is(node, NULL, "ActiveParticipant")) {
            fact_participant(node, out);
        } else if (xml_is(node, NULL, "ParticipantObjectIdentification")) {
            fact_object(node, out);
        }
    }
}
