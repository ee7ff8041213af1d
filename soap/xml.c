/*
 * The one parse: bytes that passed the pre-scan become a libxml2 tree that belongs to an arena.
 * Called by message.c (messages) and by readers of documents, on whichever thread owns the arena.
 * Everything optional of libxml2 is off: network, entities, DTDs, XInclude, error output.
 */
#include "soap/xml.h"

#include <limits.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>

#include "base/mem.h"
#include "soap/prescan.h"
#include "soap/xml_memory.h"
#include "soap/xml_pieces.h"

/* libxml2's own ceiling for one text node unless XML_PARSE_HUGE is given. */
#define TEXT_NODE_MAX ((size_t)10000000)

/* What the hooks saw during one parse; xmlParserCtxt._private points here. */
struct parse_state {
    struct xml_parse_head head; /* first member */
    bool has_dtd;
    int code; /* xmlParserErrors, 0 as long as nothing was wrong */
    int line, column;
    char text[160];
};

static void
on_internal_subset(void *data, const xmlChar *name, const xmlChar *external, const xmlChar *system)
{
    (void)name;
    (void)external;
    (void)system;
    xmlParserCtxt *const context = data;
    struct parse_state *const state = context->_private;
    state->has_dtd = true;
    xmlStopParser(context);
}

/* The first complaint is the cause; libxml2 goes on with consequences. */
static void
on_parse_error(void *data, xmlError *error)
{
    xmlParserCtxt *const context = data;
    struct parse_state *const state = context->_private;
    if (state == NULL || state->code != 0 || error->level < XML_ERR_ERROR) {
        return;
    }
    state->code = error->code;
    state->line = error->line;
    state->column = error->int2;
    const struct span message =
        span_trim(span_slice(span_of_cstr(error->message), 0, sizeof(state->text) - 1));
    if (message.n > 0) {
        memcpy(state->text, message.p, message.n);
    }
}

static void
free_doc(void *doc)
{
    xmlFreeDoc(doc);
}

static void
free_context(xmlParserCtxt **context)
{
    xmlFreeParserCtxt(*context);
}

/* libxml2 keeps &amp; in the value of a namespace declaration as "&#38;": the name would be another
 * one than was written, and digests would be of that. */
static bool
has_misread_namespace(const xmlNode *node)
{
    for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next) {
        if (ns->href != NULL && strchr((const char *)ns->href, '&') != NULL) {
            return true;
        }
    }
    return false;
}

static bool
has_plain_attributes(const xmlNode *node)
{
    for (const xmlAttr *attr = node->properties; attr != NULL; attr = attr->next) {
        if (attr->children != NULL &&
            (attr->children->type != XML_TEXT_NODE || attr->children->next != NULL)) {
            return false;
        }
    }
    return true;
}

/* Attributes hold one text node or none, elements hold elements, text, comments and instructions:
 * what the rest of soap/ relies on. */
bool
xml_is_plain_tree(const xmlNode *root, struct xml_survey *ret_survey)
{
    struct xml_survey survey = {0, false};
    for (const xmlNode *node = root; node != NULL; node = xml_walk(node, root)) {
        survey.elements++;
        if (has_misread_namespace(node) || !has_plain_attributes(node)) {
            return false;
        }
        for (const xmlNode *child = node->children; child != NULL; child = child->next) {
            survey.has_instruction |= child->type == XML_PI_NODE;
            if (child->type != XML_ELEMENT_NODE && child->type != XML_TEXT_NODE &&
                child->type != XML_COMMENT_NODE && child->type != XML_PI_NODE) {
                return false;
            }
        }
    }
    *ret_survey = survey;
    return true;
}

/* Before and behind the document's element. */
static bool
has_outer_instruction(const xmlDoc *doc)
{
    for (const xmlNode *node = doc->children; node != NULL; node = node->next) {
        if (node->type == XML_PI_NODE) {
            return true;
        }
    }
    return false;
}

static struct status
check_tree(const xmlParserCtxt *context, const xmlDoc *doc, const struct prescan_counts *counts,
           struct diag *diag, bool *ret_has_instruction)
{
    const struct parse_state *const state = context->_private;
    if (state->has_dtd) {
        return FAIL(diag, ERR_XML_DTD, "document type declarations are not accepted");
    }
    const struct xml_pieces *const pieces = state->head.pieces;
    if (pieces != NULL && pieces->is_over) {
        return FAIL(diag, ERR_LIMIT_XML,
                    "expected at most %zu XML nodes beside a list or in one of its items",
                    pieces->live_nodes);
    }
    if (state->code == XML_ERR_NO_MEMORY) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for parsing XML");
    }
    /* doc != NULL proves nothing; an undeclared prefix leaves wellFormed at 1. */
    const xmlNode *const root = doc == NULL ? NULL : xml_root(doc);
    if (context->wellFormed == 0 || context->nsWellFormed == 0 || state->code != 0 ||
        root == NULL) {
        return FAIL(diag, ERR_XML_SYNTAX, "XML at line %d, column %d: %s (libxml2 error %d)",
                    state->line, state->column, state->text, state->code);
    }
    struct xml_survey survey = {0, false};
    bool is_plain = xml_is_plain_tree(root, &survey);
    if (pieces != NULL) {
        is_plain = is_plain && !pieces->is_odd;
        survey.elements += pieces->elements;
        survey.has_instruction |= pieces->has_instruction;
    }
    if (!is_plain || survey.elements != counts->elements) {
        return FAIL(diag, ERR_XML_SYNTAX,
                    "the pre-scan saw %zu elements and the parser something else, or a namespace's "
                    "name has an ampersand; refused",
                    counts->elements);
    }
    *ret_has_instruction = survey.has_instruction || has_outer_instruction(doc);
    return OK;
}

static struct status
parse(struct span bytes, const struct message_limits *limits, const struct prescan_counts *counts,
      struct arena *arena, struct diag *diag, bool *ret_has_instruction, xmlDoc **ret_doc)
{
    CLEANUP(free_context) xmlParserCtxt *context = xmlNewParserCtxt();
    if (context == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for an XML parser");
    }
    struct parse_state state = {.head = {limits->pieces}};
    context->_private = &state;
    if (limits->pieces != NULL) {
        xml_pieces_hook(context);
    }
    context->sax->internalSubset = on_internal_subset;
    context->sax->serror = on_parse_error;
    int options = XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_COMPACT | XML_PARSE_IGNORE_ENC;
    options |= limits->root_part_bytes > TEXT_NODE_MAX ? XML_PARSE_HUGE : 0;
    /* The pre-scan has seen to it that this is UTF-8, which the parser assumes when it is told of
     * no encoding; told of that one, it would convert the bytes to it, block by block. */
    xmlDoc *const doc = xmlCtxtReadMemory(context, bytes.p, (int)bytes.n, NULL, NULL, options);
    const struct status st = check_tree(context, doc, counts, diag, ret_has_instruction);
    if (!is_ok(st)) {
        xmlFreeDoc(doc);
        return st;
    }
    TRY(arena_defer(arena, free_doc, doc, diag));
    *ret_doc = doc;
    return OK;
}

struct status
xml_parse_message(struct span bytes, const struct message_limits *limits, struct arena *arena,
                  struct diag *diag, bool *ret_has_instruction, xmlDoc **ret_doc)
{
    struct prescan_counts counts;
    struct xml_memory *memory = NULL;
    if (bytes.n > INT_MAX) {
        return FAIL(diag, ERR_LIMIT_XML, "expected XML of at most %d bytes, got %zu", INT_MAX,
                    bytes.n);
    }
    TRY(prescan(bytes, limits, diag, &counts));
    TRY(xml_memory_new(arena, diag, &memory));
    xmlInitParser(); /* what it makes stays */
    xml_memory_use(memory);
    const struct status st =
        parse(bytes, limits, &counts, arena, diag, ret_has_instruction, ret_doc);
    xmlResetLastError(); /* libxml2 keeps its text, and the memory goes before that */
    xml_memory_use(NULL);
    return st;
}

struct status
xml_parse(struct span bytes, const struct message_limits *limits, struct arena *arena,
          struct diag *diag, xmlDoc **ret_doc)
{
    bool ignored = false;
    return xml_parse_message(bytes, limits, arena, diag, &ignored, ret_doc);
}

/* ---- the library as a whole ---- */

static _Thread_local struct diag *complaints;

struct diag *
xml_complaints_to(struct diag *diag)
{
    struct diag *const before = complaints;
    complaints = diag;
    return before;
}

void
xml_complain(const char *who, int code, const char *text)
{
    if (complaints != NULL) {
        const struct span trimmed = span_trim(span_of_cstr(text));
        (void)FAIL(complaints, ERR_INTERNAL, "%s error %d: %.*s", who, code, SPAN_PRINT(trimmed));
    }
}

static void
on_library_error(void *data, xmlError *error)
{
    (void)data;
    if (error->level >= XML_ERR_ERROR) {
        xml_complain("libxml2", error->code, error->message);
    }
}

static xmlParserInput *
deny_entity(const char *url, const char *id, xmlParserCtxt *context)
{
    (void)url;
    (void)id;
    (void)context;
    return NULL;
}

struct status
xml_library_init(struct diag *diag)
{
    LIBXML_TEST_VERSION
    xmlInitParser();
    if (xmlHasFeature(XML_WITH_THREAD) == 0) {
        return FAIL(diag, ERR_INTERNAL, "libxml2 was built without threads");
    }
    xmlSetExternalEntityLoader(deny_entity);
    xmlSetStructuredErrorFunc(NULL, on_library_error);
    (void)xmlThrDefSetStructuredErrorFunc(NULL, on_library_error);
    return OK;
}

void
xml_library_done(void)
{
    xmlCleanupParser();
}
