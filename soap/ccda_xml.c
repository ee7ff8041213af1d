/*
 * The XML under the C-CDA reader: libxml2's SAX events build a tree of the header only, the body is
 * parsed and dropped, and everything that could reach out of the document is refused. Called by
 * ccda.c; any thread. The tree belongs to the caller until ccda_tree_done.
 */
#include "soap/ccda_parts.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include "base/datetime.h"
#include "base/hl7v2.h"
#include "base/mem.h"

#define HL7_NAMESPACE   "urn:hl7-org:v3"
#define SDTC_NAMESPACE  "urn:hl7-org:sdtc"
#define ROOT_NAME       "ClinicalDocument"
#define COMPONENT_DEPTH 2 /* of the body's element; the root is 1 */

/* What the SAX handlers know; xmlParserCtxt's _private. */
struct parse {
    int depth;
    int body_depth; /* depth of the component that is being dropped; 0: none */
    int nodes;      /* built so far */
    bool is_unstructured;
    bool is_root_only; /* stop at the root's start tag */
    bool is_clinical_document;
    bool has_dtd;
    const char *limit; /* which was passed */
};

static bool
is_name(const xmlChar *got, const char *want)
{
    return got != NULL && strcmp((const char *)got, want) == 0;
}

static void
stop_at(xmlParserCtxt *ctxt, struct parse *parse, const char *limit)
{
    if (parse->limit == NULL) {
        parse->limit = limit;
    }
    xmlStopParser(ctxt);
}

static void
on_start(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
         int namespaces_n, const xmlChar **namespaces, int attributes_n, int defaulted_n,
         const xmlChar **attributes)
{
    xmlParserCtxt *ctxt = context;
    struct parse *parse = ctxt->_private;
    const bool is_hl7 = is_name(uri, HL7_NAMESPACE);

    parse->depth++;
    if (parse->depth > CCDA_DEPTH_MAX) {
        stop_at(ctxt, parse, "elements are nested too deep");
        return;
    }
    if (attributes_n + namespaces_n > CCDA_ATTRIBUTES_MAX) {
        stop_at(ctxt, parse, "an element has too many attributes");
        return;
    }
    if (parse->depth == 1) {
        parse->is_clinical_document = is_hl7 && is_name(name, ROOT_NAME);
        if (parse->is_root_only) {
            xmlStopParser(ctxt);
            return;
        }
    }
    if (parse->body_depth == 0 && parse->depth == COMPONENT_DEPTH && is_hl7 &&
        is_name(name, "component")) {
        parse->body_depth = parse->depth;
    }
    if (parse->body_depth != 0) {
        parse->is_unstructured |=
            parse->depth == COMPONENT_DEPTH + 1 && is_name(name, "nonXMLBody");
        return;
    }
    if (++parse->nodes > CCDA_HEADER_NODES) {
        stop_at(ctxt, parse, "the header has too many elements");
        return;
    }
    xmlSAX2StartElementNs(context, name, prefix, uri, namespaces_n, namespaces, attributes_n,
                          defaulted_n, attributes);
}

static void
on_end(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    struct parse *parse = ((xmlParserCtxt *)context)->_private;

    if (parse->body_depth == 0) {
        xmlSAX2EndElementNs(context, name, prefix, uri);
    } else if (parse->body_depth == parse->depth) {
        parse->body_depth = 0;
    }
    parse->depth--;
}

static void
on_characters(void *context, const xmlChar *text, int n)
{
    const struct parse *parse = ((xmlParserCtxt *)context)->_private;

    if (parse->body_depth == 0) {
        xmlSAX2Characters(context, text, n);
    }
}

/* xmlStopParser alone would leave a document that claims to be well-formed: the flag decides. */
static void
on_dtd(void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id)
{
    xmlParserCtxt *ctxt = context;
    struct parse *parse = ctxt->_private;

    (void)public_id;
    (void)system_id;
    parse->has_dtd = true;
    parse->is_clinical_document = is_name(name, ROOT_NAME);
    xmlStopParser(ctxt);
}

/* NULL when out of memory. */
static xmlParserCtxt *
new_parser(struct parse *parse)
{
    xmlInitParser();
    xmlParserCtxt *ctxt = xmlNewParserCtxt();

    if (ctxt == NULL) {
        return NULL;
    }
    ctxt->_private = parse;
    ctxt->sax->startElementNs = on_start;
    ctxt->sax->endElementNs = on_end;
    ctxt->sax->characters = on_characters;
    ctxt->sax->ignorableWhitespace = on_characters;
    ctxt->sax->cdataBlock = on_characters; /* CDATA is text */
    ctxt->sax->internalSubset = on_dtd;
    ctxt->sax->externalSubset = on_dtd;
    ctxt->sax->comment = NULL;
    ctxt->sax->processingInstruction = NULL;
    ctxt->sax->reference = NULL;
    return ctxt;
}

static void
free_parser(xmlParserCtxt *ctxt)
{
    if (ctxt != NULL) {
        xmlFreeDoc(ctxt->myDoc);
        ctxt->myDoc = NULL;
        xmlFreeParserCtxt(ctxt);
    }
}

/* Runs the parser; the document stays in ctxt->myDoc, also when it failed. */
static void
run_parser(xmlParserCtxt *ctxt, struct span bytes)
{
    const int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
    xmlDoc *doc = xmlCtxtReadMemory(ctxt, bytes.p, (int)bytes.n, NULL, NULL, options);

    ctxt->myDoc = doc; /* NULL when it was not well-formed: xmlCtxtReadMemory freed it */
}

bool
ccda_is_recognised(struct span bytes)
{
    struct parse parse = {.is_root_only = true};

    if (bytes.n == 0 || bytes.n > CCDA_BYTES_MAX) {
        return false;
    }
    xmlParserCtxt *ctxt = new_parser(&parse);

    if (ctxt != NULL) {
        run_parser(ctxt, bytes);
        free_parser(ctxt);
    }
    return parse.is_clinical_document;
}

/* libxml2's texts name elements and entities, never what stands in them. */
static struct status
fail_syntax(xmlParserCtxt *ctxt, struct diag *diag)
{
    const xmlError *error = xmlCtxtGetLastError(ctxt);
    const char *text = error == NULL || error->message == NULL ? "it ends early" : error->message;
    const struct span line = span_trim(span_of_cstr(text));

    if (error != NULL && error->code == XML_ERR_NO_MEMORY) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to parse the document");
    }
    return FAIL(diag, ERR_XML_SYNTAX, "line %d, column %d: not well-formed XML: %.*s",
                error == NULL ? 0 : error->line, error == NULL ? 0 : error->int2, SPAN_PRINT(line));
}

static struct status
judge(xmlParserCtxt *ctxt, const struct parse *parse, struct diag *diag)
{
    if (parse->has_dtd) {
        return FAIL(diag, ERR_XML_DTD,
                    "the document has a DOCTYPE; clinical documents have none, remove it");
    }
    if (parse->limit != NULL) {
        return FAIL(diag, ERR_LIMIT_XML,
                    "%s (limits: depth %d, %d attributes of an element, %d header elements)",
                    parse->limit, CCDA_DEPTH_MAX, CCDA_ATTRIBUTES_MAX, CCDA_HEADER_NODES);
    }
    if (ctxt->wellFormed == 0 || ctxt->myDoc == NULL) {
        return fail_syntax(ctxt, diag);
    }
    if (!parse->is_clinical_document) {
        return FAIL(diag, ERR_DOCUMENT,
                    "expected the root element ClinicalDocument of namespace " HL7_NAMESPACE);
    }
    return OK;
}

struct status
ccda_tree_parse(struct span bytes, struct diag *diag, struct ccda_tree *ret_tree)
{
    struct parse parse = {0};

    if (bytes.n > CCDA_BYTES_MAX) {
        return FAIL(diag, ERR_LIMIT_XML, "the document has %zu bytes, at most %zu are read",
                    bytes.n, CCDA_BYTES_MAX);
    }
    xmlParserCtxt *ctxt = new_parser(&parse);

    if (ctxt == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to parse the document");
    }
    run_parser(ctxt, bytes);
    const struct status st = judge(ctxt, &parse, diag);

    if (is_ok(st)) {
        *ret_tree = (struct ccda_tree){ctxt->myDoc, parse.is_unstructured};
        ctxt->myDoc = NULL;
    }
    free_parser(ctxt);
    return st;
}

void
ccda_tree_done(struct ccda_tree *tree)
{
    xmlFreeDoc(tree->doc);
    tree->doc = NULL;
}

/* ---- ways in the tree ---- */

static bool
is_element(const xmlNode *node, const char *namespace, const char *name)
{
    return node->type == XML_ELEMENT_NODE && is_name(node->name, name) && node->ns != NULL &&
           is_name(node->ns->href, namespace) &&
           xmlHasProp(node, (const xmlChar *)"nullFlavor") == NULL;
}

static const xmlNode *
first_element(const xmlNode *node, const char *namespace, const char *name)
{
    while (node != NULL && !is_element(node, namespace, name)) {
        node = node->next;
    }
    return node;
}

const xmlNode *
ccda_child(const xmlNode *node, const char *name)
{
    return node == NULL ? NULL : first_element(node->children, HL7_NAMESPACE, name);
}

const xmlNode *
ccda_extension(const xmlNode *node, const char *name)
{
    return node == NULL ? NULL : first_element(node->children, SDTC_NAMESPACE, name);
}

const xmlNode *
ccda_next(const xmlNode *node)
{
    return first_element(node->next, (const char *)node->ns->href, (const char *)node->name);
}

const xmlNode *
ccda_path(const xmlNode *node, ...)
{
    va_list names;
    const char *name = NULL;

    va_start(names, node);
    while ((name = va_arg(names, const char *)) != NULL) {
        node = ccda_child(node, name);
    }
    va_end(names);
    return node;
}

/* ---- values ---- */

void
ccda_note(struct ccda_reader *r, struct status st)
{
    if (is_ok(r->status)) {
        r->status = st;
    }
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A copy in the arena with each run of white space as one space; takes libxml2's <text>. */
static struct span
take_text(struct ccda_reader *r, xmlChar *text)
{
    struct span copy = SPAN_EMPTY;
    size_t n = 0;

    if (text == NULL) {
        return SPAN_EMPTY;
    }
    const struct span trimmed = span_trim(span_of_cstr((const char *)text));

    if (trimmed.n > 0) {
        ccda_note(r, arena_dup(r->arena, trimmed, r->diag, &copy));
    }
    xmlFree(text);
    char *to = (char *)copy.p; /* the copy is ours */

    for (size_t i = 0; i < copy.n; i++) {
        if (!is_space(copy.p[i])) {
            to[n++] = copy.p[i];
        } else if (to[n - 1] != ' ') { /* trimmed: the first one is no space */
            to[n++] = ' ';
        }
    }
    return n == 0 ? SPAN_EMPTY : span_of(to, n);
}

struct span
ccda_attribute(struct ccda_reader *r, const xmlNode *node, const char *name)
{
    return node == NULL ? SPAN_EMPTY : take_text(r, xmlGetNoNsProp(node, (const xmlChar *)name));
}

struct span
ccda_text(struct ccda_reader *r, const xmlNode *node)
{
    return node == NULL ? SPAN_EMPTY : take_text(r, xmlNodeGetContent(node));
}

struct span
ccda_child_text(struct ccda_reader *r, const xmlNode *node, const char *name)
{
    return ccda_text(r, ccda_child(node, name));
}

struct code
ccda_read_code(struct ccda_reader *r, const xmlNode *node)
{
    const struct code code = {ccda_attribute(r, node, "code"),
                              ccda_attribute(r, node, "codeSystem"),
                              ccda_attribute(r, node, "displayName")};

    /* A code without its system names nothing. */
    return code.value.n > 0 && code.scheme.n > 0
               ? code
               : (struct code){SPAN_EMPTY, SPAN_EMPTY, SPAN_EMPTY};
}

struct code
ccda_code(struct ccda_reader *r, const xmlNode *parent, const char *name)
{
    struct code code = ccda_read_code(r, ccda_child(parent, name));

    /* A nullFlavor may stand on the code while a translation says it in another system. */
    for (const xmlNode *node = parent == NULL ? NULL : parent->children;
         code.value.n == 0 && node != NULL; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && is_name(node->name, name)) {
            code = ccda_read_code(r, ccda_child(node, "translation"));
        }
    }
    return code;
}

struct span
ccda_id(struct ccda_reader *r, const xmlNode *node)
{
    const struct span root = ccda_attribute(r, node, "root");
    const struct span extension = ccda_attribute(r, node, "extension");

    if (root.n == 0 || extension.n == 0) {
        return root;
    }
    return ccda_printf(r, "%.*s^%.*s", SPAN_PRINT(root), SPAN_PRINT(extension));
}

struct span
ccda_dtm(struct ccda_reader *r, struct span ts)
{
    char dtm[15];
    const char sign = ts.n > 3 ? ts.p[ts.n - 3] : '\0';

    if (sign == '+' || sign == '-') {
        ts = ccda_printf(r, "%.*s00", SPAN_PRINT(ts)); /* a zone of hours alone, as seen in use */
    }
    if (!datetime_hl7_to_dtm(ts, dtm)) {
        return SPAN_EMPTY;
    }
    return ccda_printf(r, "%s", dtm);
}

struct span
ccda_printf(struct ccda_reader *r, const char *format, ...)
{
    char text[1024];
    va_list arguments;
    struct span copy = SPAN_EMPTY;

    va_start(arguments, format);
    const int n = vsnprintf(text, sizeof(text), format, arguments);

    va_end(arguments);
    if (n < 0 || (size_t)n >= sizeof(text)) {
        ccda_note(r, FAIL(r->diag, ERR_DOCUMENT, "a value of the header is longer than %zu bytes",
                          sizeof(text) - 1));
        return SPAN_EMPTY;
    }
    ccda_note(r, arena_dup(r->arena, span_of(text, (size_t)n), r->diag, &copy));
    return copy;
}

struct span
ccda_escape(struct ccda_reader *r, struct span text)
{
    struct span escaped = SPAN_EMPTY;

    ccda_note(r, hl7v2_escape(r->arena, text, r->diag, &escaped));
    return escaped;
}
