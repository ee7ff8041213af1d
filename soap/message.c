/*
 * From HTTP body to message: MIME, the one parse, SOAP structure, header blocks, addressing. Called
 * by the transaction's steps, on the thread that owns the arena; everything lives in the arena.
 */
#include "soap/message.h"

#include <assert.h>

#include "base/digest.h"
#include "base/mem.h"
#include "soap/message_internal.h"
#include "soap/xml_pieces.h"

#define ADDRESSING_VALUE_MAX ((size_t)2048)

struct message_limits
message_limits_request(size_t root_part_bytes)
{
    return (struct message_limits){
        .root_part_bytes = root_part_bytes,
        .nodes = 20000,
        .depth = 64,
        .attributes = 64,
        .start_tag_bytes = (size_t)16 * 1024,
        .parts = 16,
    };
}

struct message_limits
message_limits_answer(void)
{
    return (struct message_limits){
        .root_part_bytes = (size_t)32 * 1024 * 1024,
        .nodes = 4000000,
        .depth = 64,
        .attributes = 64,
        .start_tag_bytes = (size_t)16 * 1024,
        .parts = 1000,
        .is_answer = true,
        .is_lenient = true,
    };
}

/* ---- from body to root part ---- */

static struct status
check_charset(const struct content_type *type, struct diag *diag)
{
    const struct span charset = content_type_param(type, "charset");
    if (charset.n > 0 && !span_eq_nocase(charset, SPAN("UTF-8"))) {
        return FAIL(diag, ERR_XML_ENCODING, "charset '%.*s' is declared; only UTF-8 is accepted",
                    SPAN_PRINT(span_slice(charset, 0, 40)));
    }
    return OK;
}

static struct status
bad_media(struct diag *diag, struct span media)
{
    return FAIL(diag, ERR_HTTP_MEDIA_TYPE,
                "media type '%.*s'; expected application/soap+xml, or multipart/related with "
                "type=\"application/xop+xml\"",
                SPAN_PRINT(span_slice(media, 0, 80)));
}

/* MTOM: the types of the package and of its root part (RFC 2387; MTOM section 4.3). */
static struct status
check_mtom_types(const struct content_type *type, const struct mime_part *root,
                 const struct message_limits *limits, struct arena *arena, struct diag *diag)
{
    const struct span start_info = content_type_param(type, "start-info");
    if (!media_is(content_type_param(type, "type"), "application/xop+xml") ||
        (start_info.n > 0 && !media_is(start_info, "application/soap+xml"))) {
        return limits->is_lenient ? OK : bad_media(diag, type->media);
    }
    if (root->content_type.n == 0) {
        return OK;
    }
    struct content_type root_type;
    TRY(content_type_read(root->content_type, arena, diag, &root_type));
    TRY(check_charset(&root_type, diag));
    if (!limits->is_lenient &&
        (!media_is(root_type.media, "application/xop+xml") ||
         !media_is(content_type_param(&root_type, "type"), "application/soap+xml"))) {
        return bad_media(diag, root_type.media);
    }
    return OK;
}

/* A body that is said to be a package and begins like XML: some gateways leave the packing out. */
/* REQ: MTOM-plain */
static struct status
is_bare_xml(const struct body *body, const struct message_limits *limits, struct diag *diag,
            bool *ret_is_bare)
{
    char start[64];
    size_t n = 0;
    TRY(body_read(body, 0, start, sizeof(start), diag, &n));
    *ret_is_bare = limits->is_lenient && span_starts_with(span_trim(span_of(start, n)), SPAN("<"));
    return OK;
}

static bool
is_plain_media(struct span media, const struct message_limits *limits)
{
    /* text/xml is SOAP 1.1's: the envelope's namespace says so better than a 415. */
    return media_is(media, "application/soap+xml") ||
           (limits->is_lenient &&
            (media_is(media, "text/xml") || media_is(media, "application/xop+xml")));
}

/* Where the root part is. */
struct root_part {
    uint64_t offset, size;
};

/* REQ: WS-simple-soap */
static struct status
find_root_part(const struct body *body, struct span content_type,
               const struct message_limits *limits, struct arena *arena, struct diag *diag,
               struct message *message, struct root_part *ret_root)
{
    struct content_type type;
    bool is_bare = false;
    if (content_type.n == 0) {
        return bad_media(diag, SPAN("(none)"));
    }
    TRY(content_type_read(content_type, arena, diag, &type));
    TRY(check_charset(&type, diag));
    message->content_type_action = content_type_param(&type, "action");
    const bool is_package = media_is(type.media, "multipart/related");
    if (is_package) {
        TRY(is_bare_xml(body, limits, diag, &is_bare));
    }
    if (is_package && !is_bare) {
        TRY(mime_split(body, &type, limits, arena, diag, &message->mime));
        const struct mime_part *const root = &message->mime.parts.items[message->mime.root];
        TRY(check_mtom_types(&type, root, limits, arena, diag));
        message->is_mtom = true;
        *ret_root = (struct root_part){root->offset, root->size};
        return OK;
    }
    if (!is_bare && !is_plain_media(type.media, limits)) {
        return bad_media(diag, type.media);
    }
    *ret_root = (struct root_part){0, body->size};
    return OK;
}

static struct status
root_too_large(uint64_t size, const struct message_limits *limits, struct diag *diag)
{
    return FAIL(diag, ERR_LIMIT_XML, "XML of %llu bytes; at most %zu are accepted",
                (unsigned long long)size, limits->root_part_bytes);
}

/* From a file into memory, without the documents that it has inline. */
static struct status
load_root(const struct body *body, const struct root_part *root,
          const struct message_limits *limits, struct spool *spool, struct arena *arena,
          struct diag *diag, struct message *message, struct buf *to)
{
    struct diag why = {.code = ERR_NONE};
    struct body part;
    const bool moves = spool != NULL && (limits->is_answer || root->size > limits->root_part_bytes);
    const enum err code = limits->is_answer ? ERR_PARTNER_ANSWER : ERR_MESSAGE_CONTENT;
    if (!moves && root->size > limits->root_part_bytes) {
        return root_too_large(root->size, limits, diag);
    }
    TRY(body_slice(body, root->offset, root->size, diag, &part));
    struct span bytes;
    struct status st =
        moves ? inline_documents_move(&part, code, spool, arena, &why, to, &message->inlines)
              : body_span(&part, to, &why, &bytes);
    body_done(&part);
    if (st.code == ERR_LIMIT_BUFFER) {
        return root_too_large(root->size, limits, diag);
    }
    return is_ok(st) ? OK : FAIL(diag, st.code, "%s", why.text);
}

static struct status
read_root(const struct body *body, const struct root_part *root,
          const struct message_limits *limits, struct spool *spool, struct arena *arena,
          struct diag *diag, struct message *message, bool *ret_has_instruction, xmlDoc **ret_doc)
{
    CLEANUP(buf_done) struct buf copy;
    struct span bytes;
    buf_init_secret(&copy, limits->root_part_bytes);
    if (body->kind == BODY_MEMORY) {
        bytes = span_slice(buf_span(&body->memory), (size_t)root->offset, (size_t)root->size);
    } else {
        TRY(load_root(body, root, limits, spool, arena, diag, message, &copy));
        bytes = buf_span(&copy);
    }
    /* which keeps nothing of them */
    return xml_parse_message(bytes, limits, arena, diag, ret_has_instruction, ret_doc);
}

/* ---- Envelope, Header, Body (SOAP 1.2 part 1, section 5) ---- */

static struct status
bad_structure(struct diag *diag, const xmlNode *at, const char *what)
{
    return FAIL(diag, ERR_SOAP_STRUCTURE, "line %ld, <%.*s>: %s",
                at == NULL ? 0L : xmlGetLineNo(at),
                SPAN_PRINT(span_slice(xml_local_name(at), 0, 60)), what);
}

/* REQ: WS-soap12 */
static struct status
check_version(const xmlNode *root, struct diag *diag)
{
    if (xml_is(root, NS_SOAP12, "Envelope")) {
        return OK;
    }
    if (span_eq(xml_local_name(root), SPAN("Envelope"))) {
        return FAIL(diag, ERR_SOAP_VERSION, "envelope namespace '%.*s'; expected %s",
                    SPAN_PRINT(span_slice(xml_namespace(root), 0, 80)), NS_SOAP12);
    }
    return bad_structure(diag, root, "the root element must be a SOAP 1.2 Envelope");
}

/* No processing instruction may stand in a SOAP message, anywhere. */
/* REQ: WS-no-dtd */
static struct status
read_envelope(const xmlNode *root, bool has_instruction, struct diag *diag, struct message *message)
{
    TRY(check_version(root, diag));
    if (has_instruction) {
        return bad_structure(diag, root, "processing instructions are not allowed in SOAP");
    }
    const xmlNode *child = xml_first(root);
    if (xml_is(child, NS_SOAP12, "Header")) {
        message->header = child;
        child = xml_next(child);
    }
    if (!xml_is(child, NS_SOAP12, "Body") || xml_next(child) != NULL) {
        return bad_structure(diag, root,
                             "must have an optional Header and one Body, in this order");
    }
    message->envelope = root;
    message->body = child;
    message->payload = xml_first(child);
    if (message->payload == NULL || xml_next(message->payload) != NULL) {
        return bad_structure(diag, child, "must have exactly one child element");
    }
    if (!xml_has_element_content(root) || !xml_has_element_content(message->body) ||
        !xml_has_element_content(message->header)) {
        return bad_structure(diag, root, "text between elements");
    }
    message->is_fault = xml_is(message->payload, NS_SOAP12, "Fault");
    return OK;
}

/* ---- header blocks ---- */

bool
message_block_is_for_us(const xmlNode *block)
{
    struct span role;
    if (!xml_attr(block, NS_SOAP12, "role", &role)) {
        return true;
    }
    role = span_trim(role);
    return role.n == 0 || span_eq(role, SPAN(NS_SOAP12 "/role/next")) ||
           span_eq(role, SPAN(NS_SOAP12 "/role/ultimateReceiver"));
}

/* Only ITI-55 keeps what it says (xcpd_time_to_live). */
static bool
is_time_to_live(const struct message *message, const xmlNode *block)
{
    return xml_is(block, NS_XCPD, "CorrelationTimeToLive") &&
           (xml_is(message->payload, NS_HL7, "PRPA_IN201305UV02") ||
            xml_is(message->payload, NS_HL7, "PRPA_IN201306UV02"));
}

static bool
is_understood(const struct message *message, const xmlNode *block)
{
    static const char *const addressing[] = {"Action",  "To",      "From",     "MessageID",
                                             "ReplyTo", "FaultTo", "RelatesTo"};
    for (size_t i = 0; i < ARRAY_LEN(addressing); i++) {
        if (xml_is(block, NS_WSA, addressing[i])) {
            return true;
        }
    }
    return xml_is(block, NS_WSSE, "Security") || is_time_to_live(message, block);
}

static bool
is_mandatory(const xmlNode *block)
{
    struct span must = SPAN_EMPTY;
    (void)xml_attr(block, NS_SOAP12, "mustUnderstand", &must);
    must = span_trim(must);
    return span_eq(must, SPAN("1")) || span_eq(must, SPAN("true"));
}

const xmlNode *
message_not_understood(const struct message *message, const xmlNode *after)
{
    const xmlNode *block = after == NULL ? xml_first(message->header) : xml_next(after);
    while (block != NULL && !(is_mandatory(block) && message_block_is_for_us(block) &&
                              !is_understood(message, block))) {
        block = xml_next(block);
    }
    return block;
}

static struct status
check_block(const xmlNode *block, struct diag *diag)
{
    struct span must;
    if (xml_namespace(block).n == 0) {
        return bad_structure(diag, block, "a header block must have a namespace");
    }
    if (!xml_attr(block, NS_SOAP12, "mustUnderstand", &must)) {
        return OK;
    }
    must = span_trim(must);
    if (!is_mandatory(block) && !span_eq(must, SPAN("0")) && !span_eq(must, SPAN("false"))) {
        return bad_structure(diag, block, "mustUnderstand must be 1, true, 0 or false");
    }
    return OK;
}

/* REQ: WS-must-understand */
static struct status
check_understood(const struct message *message, struct diag *diag)
{
    const xmlNode *const block = message_not_understood(message, NULL);
    if (block != NULL) {
        return FAIL(diag, ERR_SOAP_MUST_UNDERSTAND,
                    "header block <%.*s> in namespace '%.*s' is mandatory and not understood",
                    SPAN_PRINT(span_slice(xml_local_name(block), 0, 60)),
                    SPAN_PRINT(span_slice(xml_namespace(block), 0, 120)));
    }
    return OK;
}

/* ---- WS-Addressing 1.0 ---- */

static struct status
read_address(const xmlNode *block, struct arena *arena, struct diag *diag, struct span *ret_value)
{
    const xmlNode *address = NULL;
    TRY(xml_child_one(block, NS_WSA, "Address", ERR_WSA_HEADER, diag, &address));
    TRY(xml_text_trimmed(address, ERR_WSA_HEADER, arena, diag, ret_value));
    return ret_value->n > 0 ? OK
                            : FAIL(diag, ERR_WSA_HEADER, "line %ld, <%s>: an empty wsa:Address",
                                   xmlGetLineNo(block), (const char *)block->name);
}

static struct status
read_relates_to(const struct message *message, struct arena *arena, struct diag *diag,
                struct span_list *list)
{
    const xmlNode *block = xml_child(message->header, NS_WSA, "RelatesTo");
    for (; block != NULL; block = xml_next_named(block, NS_WSA, "RelatesTo")) {
        const struct span type = span_trim(xml_attr_text(block, "RelationshipType"));
        if (type.n == 0 || span_eq(type, SPAN(NS_WSA "/reply"))) {
            struct span id;
            TRY(xml_text_trimmed(block, ERR_WSA_HEADER, arena, diag, &id));
            TRY(ARENA_PUSH(arena, diag, list, id));
        }
    }
    return OK;
}

/* A header that is there says something, and something that can be kept and given back. */
static struct status
check_value(const xmlNode *block, struct span value, struct diag *diag)
{
    if (block != NULL && (value.n == 0 || value.n > ADDRESSING_VALUE_MAX)) {
        return FAIL(diag, ERR_WSA_HEADER, "wsa:%s of %zu bytes; expected 1 to %zu",
                    (const char *)block->name, value.n, ADDRESSING_VALUE_MAX);
    }
    return OK;
}

/* Each header at most once, whatever role it names: two readers must not find different ones. */
/* REQ: WS-message-id */
static struct status
read_addressing(struct message *message, struct arena *arena, struct diag *diag)
{
    struct addressing *const a = &message->addressing;
    const struct {
        const char *name;
        struct span *value;
        bool is_endpoint;
    } rows[] = {
        /* First: a fault about the others must be able to name the message. */
        {"MessageID", &a->message_id, false},
        {"Action", &a->action, false},
        {"To", &a->to, false},
        {"ReplyTo", &a->reply_to, true},
        {"FaultTo", &a->fault_to, true},
        {"From", &(struct span){NULL, 0}, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const xmlNode *block = NULL;
        message->problem_header = rows[i].name;
        message->is_repeated = xml_count(message->header, NS_WSA, rows[i].name) > 1;
        TRY(xml_child_optional(message->header, NS_WSA, rows[i].name, ERR_WSA_HEADER, diag,
                               &block));
        struct span value = SPAN_EMPTY;
        if (block != NULL && rows[i].is_endpoint) {
            TRY(read_address(block, arena, diag, &value));
        } else {
            TRY(xml_text_trimmed(block, ERR_WSA_HEADER, arena, diag, &value));
        }
        TRY(check_value(block, value, diag));
        *rows[i].value = value;
    }
    message->problem_header = "RelatesTo";
    TRY(read_relates_to(message, arena, diag, &message->relates_to));
    message->problem_header = NULL;
    a->relates_to = message->relates_to.n > 0 ? message->relates_to.items[0] : SPAN_EMPTY;
    return OK;
}

/* What is wrong is noted; what cannot be done is a failure. */
static struct status
read_headers(struct message *message, struct arena *arena, struct diag *diag)
{
    struct diag *const problem = &message->problem;
    for (const xmlNode *block = xml_first(message->header); block != NULL;
         block = xml_next(block)) {
        TRY(check_block(block, diag));
    }
    diag_clear(problem);
    struct status st = check_understood(message, problem);
    const struct status read = read_addressing(message, arena, problem);
    st = is_ok(st) ? read : st;
    if (read.code != ERR_NONE && read.code != ERR_WSA_HEADER) {
        return FAIL(diag, read.code, "the addressing headers cannot be read: %s", problem->text);
    }
    assert(is_ok(st) == (problem->code == ERR_NONE));
    return OK;
}

struct status
message_check_headers(const struct message *message, struct diag *diag)
{
    const struct diag *const problem = &message->problem;
    return problem->code == ERR_NONE ? OK : FAIL(diag, problem->code, "%s", problem->text);
}

struct status
message_read_body(const struct body *body, struct span content_type,
                  const struct message_limits *limits, struct spool *spool, struct arena *arena,
                  struct diag *diag, struct message **ret_message)
{
    struct message *message = NULL;
    struct root_part root;
    xmlDoc *doc = NULL;
    bool has_instruction = false;
    TRY(ARENA_NEW(arena, diag, &message));
    message->source = *body;
    TRY(find_root_part(body, content_type, limits, arena, diag, message, &root));
    TRY(read_root(body, &root, limits, spool, arena, diag, message, &has_instruction, &doc));
    TRY(read_envelope(xml_root(doc), has_instruction, diag, message));
    message->pieces = limits->pieces;
    TRY(read_headers(message, arena, diag));
    *ret_message = message;
    return OK;
}

struct status
message_read(struct span body, struct span content_type, const struct message_limits *limits,
             struct arena *arena, struct diag *diag, struct message **ret_message)
{
    const struct body over = body_over(body);
    return message_read_body(&over, content_type, limits, NULL, arena, diag, ret_message);
}

/* ---- parts ---- */

static bool
decode_percent(struct span text, char *to, size_t *ret_n)
{
    size_t n = 0;
    for (size_t i = 0; i < text.n; i++) {
        uint8_t byte = (uint8_t)text.p[i];
        if (byte == '%') {
            if (text.n - i < 3 || !hex_decode(span_of(text.p + i + 1, 2), &byte, 1)) {
                return false;
            }
            i += 2;
        }
        to[n++] = (char)byte;
    }
    *ret_n = n;
    return true;
}

/* REQ: MTOM-include, MTOM-dangling */
struct status
message_part_by_href(const struct message *message, struct span href, struct arena *arena,
                     struct diag *diag, const struct mime_part **ret_part)
{
    const struct span url = span_trim(href);
    char *id = NULL;
    size_t n = 0;
    TRY(arena_alloc(arena, url.n + 1, diag, (void **)&id));
    if (!span_eq_nocase(span_slice(url, 0, 4), SPAN("cid:")) ||
        !decode_percent(span_slice(url, 4, SIZE_MAX), id, &n)) {
        return FAIL(diag, ERR_XOP, "xop:Include: href must be cid:<Content-ID>, got '%.*s'",
                    SPAN_PRINT(span_slice(url, 0, 80)));
    }
    const struct mime_part *const part = mime_part_find(&message->mime, span_of(id, n));
    if (part == NULL || part == &message->mime.parts.items[message->mime.root]) {
        return FAIL(diag, ERR_XOP, "xop:Include: no attachment has the Content-ID '%.*s'",
                    SPAN_PRINT(span_slice(span_of(id, n), 0, 80)));
    }
    *ret_part = part;
    return OK;
}

/* ---- what callers ask ---- */

const struct addressing *
message_addressing(const struct message *message)
{
    return &message->addressing;
}

bool
message_is_mtom(const struct message *message)
{
    return message->is_mtom;
}

bool
message_is_fault(const struct message *message)
{
    return message->is_fault;
}

const xmlNode *
message_payload(const struct message *message)
{
    return message->payload;
}

struct span
message_payload_name(const struct message *message)
{
    return xml_local_name(message->payload);
}

struct span
message_payload_namespace(const struct message *message)
{
    return xml_namespace(message->payload);
}
