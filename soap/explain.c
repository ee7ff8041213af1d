/*
 * What a captured message is: its parts, headers and addressing. Called by `isthmus decode` on the
 * program's main thread. Reads with the same functions as the gateway; nothing here is proven.
 */
#include "soap/explain.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "base/ids.h"
#include "certs/certificate.h"
#include "soap/explain_parts.h"
#include "soap/saml_names.h"

#define CHILDREN_MAX 16 /* of a Security header, that are told */

/* ---- reading ---- */

static const xmlNode *
find_element(const xmlNode *root, const char *ns, const char *local)
{
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        if (xml_is(node, ns, local)) {
            return node;
        }
    }
    return NULL;
}

/* The header that the gateway would look at; where there is none, what people would look at. */
static void
find_security(struct explanation *explanation)
{
    struct security_header header = {NULL, NULL, NULL, NULL};
    struct diag why = {0};
    const struct message *const message = explanation->message;

    if (message == NULL || !is_ok(security_find_header(message, &why, &explanation->security))) {
        explanation->security = find_element(message == NULL ? explanation->root : message->header,
                                             NS_WSSE, "Security");
    }
    diag_clear(&why);
    if (explanation->security != NULL &&
        !is_ok(security_read_header(explanation->security, &why, &header))) {
        diag_clear(&why);
    }
    explanation->timestamp = header.timestamp;
    explanation->assertion = header.assertion != NULL
                                 ? header.assertion
                                 : find_element(explanation->root, NS_SAML2, "Assertion");
}

static struct status
read_xml(struct explanation *explanation, const struct message_limits *limits, struct diag *diag)
{
    struct diag why = {0};
    xmlDoc *doc = NULL;
    const struct status st = xml_parse(explanation->body, limits, explanation->arena, &why, &doc);

    if (st.code == ERR_NO_MEMORY) {
        return FAIL(diag, st.code, "%s", why.text);
    }
    explanation->root = is_ok(st) ? xml_root(doc) : NULL;
    return OK;
}

struct status
explain_read(struct span body, struct span content_type, struct arena *arena, struct diag *diag,
             struct explanation **ret_explanation)
{
    const struct message_limits limits = message_limits_answer();
    struct explanation *explanation = NULL;
    struct message *message = NULL;

    TRY(ARENA_NEW(arena, diag, &explanation));
    explanation->arena = arena;
    explanation->body = body;
    const struct status st =
        message_read(body, content_type, &limits, arena, &explanation->problem, &message);
    if (st.code == ERR_NO_MEMORY) {
        return FAIL(diag, st.code, "%s", explanation->problem.text);
    }
    if (is_ok(st)) {
        explanation->message = message;
        explanation->root = message->envelope;
    } else {
        TRY(read_xml(explanation, &limits, diag));
    }
    find_security(explanation);
    *ret_explanation = explanation;
    return OK;
}

const struct diag *
explain_problem(const struct explanation *explanation)
{
    return explanation->message == NULL ? &explanation->problem : NULL;
}

/* ---- what it claims ---- */

static void
claim_transaction(const struct message *message, struct explain_claims *claims)
{
    const struct span action = message->addressing.action;
    bool is_certain = false;

    for (enum soap_transaction i = 0; i < SOAP_TRANSACTION_COUNT && !is_certain; i++) {
        const struct soap_transaction_row *const row = soap_transaction(i);
        const bool is_request =
            xml_is(message->payload, row->request_namespace, row->request_payload);
        const bool is_answer =
            xml_is(message->payload, row->response_namespace, row->response_payload);

        /* Several transactions share a payload: the action says which, else the first is as good
         * as any. */
        is_certain = (is_request || is_answer) &&
                     span_eq_cstr(action, is_request ? row->request_action : row->response_action);
        if ((is_request || is_answer) && (is_certain || !claims->has_transaction)) {
            claims->kind = is_request ? EXPLAIN_REQUEST : EXPLAIN_ANSWER;
            claims->transaction = i;
            claims->has_transaction = true;
        }
    }
}

static struct span
claimed_community(const struct explanation *explanation)
{
    const xmlNode *const top = explanation->assertion;
    struct span oid = SPAN_EMPTY;

    for (const xmlNode *node = top; node != NULL; node = xml_walk(node, top)) {
        const struct span name = xml_attr_text(node, "Name");

        if (xml_is(node, NS_SAML2, "Attribute") &&
            (span_eq(name, SPAN(SAML_COMMUNITY_IHE)) || span_eq(name, SPAN(SAML_COMMUNITY_NHIN))) &&
            home_community_oid(span_trim(explain_text(explanation, xml_first(node))), &oid)) {
            return oid;
        }
    }
    return SPAN_EMPTY;
}

struct explain_claims
explain_claims(const struct explanation *explanation)
{
    const xmlNode *const created = xml_child(explanation->timestamp, NS_WSU, "Created");
    const xmlNode *const issuer = xml_child(explanation->assertion, NS_SAML2, "Issuer");
    struct explain_claims claims = {.kind = EXPLAIN_UNKNOWN};

    if (explanation->message != NULL) {
        claim_transaction(explanation->message, &claims);
        claims.kind = explanation->message->is_fault ? EXPLAIN_FAULT : claims.kind;
    }
    claims.has_created =
        created != NULL &&
        datetime_read_xs(span_trim(explain_text(explanation, created)), &claims.created_us);
    claims.issuer = span_trim(explain_text(explanation, issuer));
    claims.community = claimed_community(explanation);
    return claims;
}

/* ---- shared pieces ---- */

struct span
explain_name(const xmlNode *node)
{
    return span_slice(xml_local_name(node), 0, 80);
}

struct span
explain_short(struct span uri)
{
    size_t start = 0;

    for (size_t i = 0; i < uri.n; i++) {
        start = uri.p[i] == '/' ? i + 1 : start;
    }
    return start >= uri.n ? uri : span_slice(uri, start, SIZE_MAX);
}

/* Only text children count; of several the pieces are joined, as a canonical form without comments
 * would, in one piece of memory. */
struct span
explain_text(const struct explanation *explanation, const xmlNode *node)
{
    const xmlNode *const first = node == NULL ? NULL : node->children;
    struct diag why = {0};
    char *text = NULL;
    size_t n = 0;

    if (first != NULL && first->next == NULL && first->type == XML_TEXT_NODE) {
        return span_of_cstr((const char *)first->content);
    }
    for (const xmlNode *child = first; child != NULL; child = child->next) {
        n += child->type == XML_TEXT_NODE ? span_of_cstr((const char *)child->content).n : 0;
    }
    if (n == 0 || !is_ok(arena_alloc(explanation->arena, n, &why, (void **)&text))) {
        return SPAN_EMPTY;
    }
    n = 0;
    for (const xmlNode *child = first; child != NULL; child = child->next) {
        const struct span piece = span_of_cstr((const char *)child->content);

        if (child->type == XML_TEXT_NODE && piece.n > 0) {
            memcpy(text + n, piece.p, piece.n);
            n += piece.n;
        }
    }
    return span_of(text, n);
}

static void
write_duration(int64_t us, char ret_text[48])
{
    const int64_t s = us / US_PER_S;

    if (s < 60) {
        (void)snprintf(ret_text, 48, "%" PRId64 " s", s);
    } else if (s < 3600) {
        (void)snprintf(ret_text, 48, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    } else if (s < 86400) {
        (void)snprintf(ret_text, 48, "%" PRId64 " h %" PRId64 " min", s / 3600, s / 60 % 60);
    } else {
        (void)snprintf(ret_text, 48, "%" PRId64 " days", s / 86400);
    }
}

void
explain_time(struct notes *notes, struct note *parent, const char *key, int64_t at_us,
             int64_t now_us)
{
    char text[DATETIME_MAX];
    char distance[48];

    datetime_write_xs(at_us, text);
    write_duration(at_us < now_us ? now_us - at_us : at_us - now_us, distance);
    if (at_us == now_us) {
        note_printf(notes, parent, key, "%s", text);
        return;
    }
    note_printf(notes, parent, key, "%s, %s%s%s", text, at_us > now_us ? "in " : "", distance,
                at_us < now_us ? " ago" : "");
}

void
explain_check(struct notes *notes, struct note *list, const char *name, struct status st,
              const struct diag *why)
{
    struct note *const row = note_row(notes, list);

    note_cstr(notes, row, "verdict", is_ok(st) ? "ok" : "refused");
    note_cstr(notes, row, "check", name);
    if (!is_ok(st)) {
        note_cstr(notes, row, "error", err_name(st.code));
        note_printf(notes, row, "reason", "%s", why->text);
    }
}

void
explain_unchecked(struct notes *notes, struct note *list, const char *name, const char *why)
{
    struct note *const row = note_row(notes, list);

    note_cstr(notes, row, "verdict", "not checked");
    note_cstr(notes, row, "check", name);
    note_printf(notes, row, "reason", "%s", why);
}

/* ---- parts ---- */

/* How often each part is named by an xop:Include, in one walk. */
static struct status
count_includes(const struct explanation *explanation, struct diag *diag, size_t **ret_counts)
{
    const struct mime_part_list *const parts = &explanation->message->mime.parts;
    const xmlNode *const root = explanation->message->envelope;

    TRY(ARENA_ARRAY(explanation->arena, parts->n, diag, ret_counts));
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        const struct mime_part *found = NULL;
        struct diag why = {0};

        if (xml_is(node, NS_XOP, "Include") &&
            is_ok(message_part_by_href(explanation->message, xml_attr_text(node, "href"),
                                       explanation->arena, &why, &found))) {
            (*ret_counts)[found - parts->items]++;
        }
    }
    return OK;
}

static void
explain_part(const struct explanation *explanation, size_t i, size_t n, struct notes *notes,
             struct note *list)
{
    const struct mime *const mime = &explanation->message->mime;
    const struct mime_part *const part = &mime->parts.items[i];
    struct note *const item = note_object(notes, list, NULL);

    note_text(notes, item, "content_id", part->content_id);
    note_text(notes, item, "content_type", part->content_type);
    note_int(notes, item, "bytes", (int64_t)part->size);
    if (i == mime->root) {
        note_cstr(notes, item, "role", "the SOAP envelope");
        return;
    }
    note_cstr(notes, item, "role",
              n == 0   ? "nothing refers to it"
              : n == 1 ? "attachment, referred to once"
                       : "attachment, referred to more than once");
}

static void
explain_parts(const struct explanation *explanation, struct notes *notes, struct note *section)
{
    const struct mime *const mime = &explanation->message->mime;

    if (!explanation->message->is_mtom) {
        return;
    }
    struct diag why = {0};
    size_t *counts = NULL;
    if (!is_ok(count_includes(explanation, &why, &counts))) {
        note_printf(notes, section, "problem", "%s", why.text);
        return;
    }
    note_int(notes, section, "parts_in_all", (int64_t)mime->parts.n);
    struct note *const list = note_list(notes, section, "parts");
    for (size_t i = 0; i < mime->parts.n && i < EXPLAIN_LIST_MAX; i++) {
        explain_part(explanation, i, counts[i], notes, list);
    }
}

/* ---- headers ---- */

static bool
is_true(struct span text)
{
    return span_eq(text, SPAN("1")) || span_eq(text, SPAN("true"));
}

static void
explain_block(const xmlNode *block, struct notes *notes, struct note *list)
{
    struct note *const row = note_row(notes, list);
    struct span role = SPAN_EMPTY;
    struct span must = SPAN_EMPTY;

    note_text(notes, row, "name", explain_name(block));
    note_text(notes, row, "namespace", span_slice(xml_namespace(block), 0, 120));
    (void)xml_attr(block, NS_SOAP12, "role", &role);
    note_text(notes, row, "role", span_slice(role, 0, 120));
    if (xml_attr(block, NS_SOAP12, "mustUnderstand", &must) && is_true(span_trim(must))) {
        note_bool(notes, row, "mandatory", true);
    }
    if (!message_block_is_for_us(block)) {
        note_bool(notes, row, "for_us", false);
    }
    if (xml_is(block, NS_WSSE, "Security")) {
        const xmlNode *child = xml_first(block);
        for (size_t n = 0; child != NULL && n < CHILDREN_MAX; n++, child = xml_next(child)) {
            note_word(notes, row, "children", explain_name(child));
        }
    }
}

static void
explain_envelope(const struct explanation *explanation, struct notes *notes)
{
    const struct message *const message = explanation->message;
    const struct addressing *const a = &message->addressing;
    struct note *const section = note_object(notes, &notes->top, "envelope");
    struct note *const headers = note_list(notes, section, "headers");
    size_t n = 0;

    for (const xmlNode *block = xml_first(message->header); block != NULL;
         block = xml_next(block)) {
        if (n++ < EXPLAIN_LIST_MAX) {
            explain_block(block, notes, headers);
        }
    }
    note_text(notes, section, "action", a->action);
    note_text(notes, section, "to", a->to);
    note_text(notes, section, "message_id", a->message_id);
    note_text(notes, section, "reply_to", a->reply_to);
    note_text(notes, section, "fault_to", a->fault_to);
    for (size_t i = 0; i < message->relates_to.n && i < EXPLAIN_LIST_MAX; i++) {
        note_word(notes, section, "relates_to", message->relates_to.items[i]);
    }
    note_text(notes, section, "content_type_action", message->content_type_action);
    note_text(notes, section, "payload", explain_name(message->payload));
    note_text(notes, section, "payload_namespace",
              span_slice(xml_namespace(message->payload), 0, 120));
}

static const char *
kind_name(enum explain_kind kind)
{
    static const char *const names[] = {[EXPLAIN_UNKNOWN] = "a message that is none of ours",
                                        [EXPLAIN_REQUEST] = "request",
                                        [EXPLAIN_ANSWER] = "answer",
                                        [EXPLAIN_FAULT] = "SOAP fault"};

    return names[kind];
}

void
explain_shape(const struct explanation *explanation, struct notes *notes)
{
    const struct explain_claims claims = explain_claims(explanation);
    struct note *const section = note_object(notes, &notes->top, "message");

    if (explanation->message == NULL) {
        note_cstr(notes, section, "kind", "no SOAP 1.2 message");
        note_cstr(notes, section, "error", err_name(explanation->problem.code));
        note_printf(notes, section, "reason", "%s", explanation->problem.text);
        note_text(notes, section, "root_element", explain_name(explanation->root));
        note_int(notes, section, "bytes", (int64_t)explanation->body.n);
        return;
    }
    note_cstr(notes, section, "kind", kind_name(claims.kind));
    if (claims.has_transaction) {
        note_cstr(notes, section, "transaction", soap_transaction(claims.transaction)->name);
    }
    note_int(notes, section, "bytes", (int64_t)explanation->body.n);
    explain_parts(explanation, notes, section);
    explain_envelope(explanation, notes);
}
