/*
 * The parser's hooks that hand out pieces. Called by libxml2 during xml_parse, on the thread that
 * parses; a piece belongs to the tree until it is freed here.
 *
 * libxml2 appends text to the last child when that is text, with a length that it remembers from
 * before: so the children of a list are always removed up to the end, never in part.
 */
#include "soap/xml_pieces.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>

#define NAMES_MAX ((size_t)1024 * 1024) /* bytes of names in the parser's dictionary */

static struct xml_pieces *
find_pieces(const xmlParserCtxt *context)
{
    const struct xml_parse_head *const head = context->_private;
    return head->pieces;
}

/* One more node, or several; the parse ends when there are too many. */
static void
count_live(xmlParserCtxt *context, struct xml_pieces *pieces, size_t n)
{
    pieces->live += n;
    if (pieces->live > pieces->live_nodes && !pieces->is_over) {
        pieces->is_over = true;
        xmlStopParser(context);
    }
}

static void
on_start_document(void *data)
{
    xmlParserCtxt *const context = data;
    xmlSAX2StartDocument(context);
    if (context->dict != NULL) {
        (void)xmlDictSetLimit(context->dict, NAMES_MAX);
    }
}

static void
on_start_element(void *data, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri,
                 int namespaces_n, const xmlChar **namespaces, int attributes_n, int defaulted_n,
                 const xmlChar **attributes)
{
    xmlParserCtxt *const context = data;
    struct xml_pieces *const pieces = find_pieces(context);
    const xmlNode *const before = context->node;
    count_live(context, pieces, 1 + (size_t)namespaces_n + 2 * (size_t)attributes_n);
    xmlSAX2StartElementNs(context, local, prefix, uri, namespaces_n, namespaces, attributes_n,
                          defaulted_n, attributes);
    if (pieces->list == NULL && context->node != NULL && context->node != before &&
        pieces->is_list(pieces->arg, context->node)) {
        pieces->list = context->node;
        pieces->live_outside = pieces->live;
        pieces->lists++;
        pieces->taken = 0;
    }
}

static void
judge_child(struct xml_pieces *pieces, const xmlNode *child)
{
    struct xml_survey survey = {0, false};
    if (child->type == XML_TEXT_NODE) {
        pieces->has_text =
            pieces->has_text || !xml_is_blank(span_of_cstr((const char *)child->content));
    } else if (child->type == XML_PI_NODE) {
        pieces->has_instruction = true;
    } else if (child->type == XML_ELEMENT_NODE) {
        pieces->is_odd = pieces->is_odd || !xml_is_plain_tree(child, &survey);
        pieces->has_instruction = pieces->has_instruction || survey.has_instruction;
        pieces->elements += survey.elements;
        pieces->taken++;
        if (!pieces->is_odd) {
            pieces->take(pieces->arg, child);
        }
    } else if (child->type != XML_COMMENT_NODE) {
        pieces->is_odd = true;
    }
}

static void
empty_list(xmlParserCtxt *context, struct xml_pieces *pieces)
{
    xmlNode *child = context->node->children;
    while (child != NULL) {
        xmlNode *const next = child->next;
        judge_child(pieces, child);
        xmlUnlinkNode(child);
        xmlFreeNode(child);
        child = next;
    }
    pieces->live = pieces->live_outside;
}

static void
on_end_element(void *data, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxt *const context = data;
    struct xml_pieces *const pieces = find_pieces(context);
    const xmlNode *const ended = context->node;
    const bool is_list_end = ended != NULL && ended == pieces->list;
    if (is_list_end && pieces->taken > 0) {
        empty_list(context, pieces); /* of what is behind the last piece */
    }
    xmlSAX2EndElementNs(context, local, prefix, uri);
    if (is_list_end) {
        pieces->list = NULL;
    } else if (pieces->list != NULL && context->node == pieces->list && ended != NULL) {
        empty_list(context, pieces);
    }
}

static void
on_comment(void *data, const xmlChar *text)
{
    xmlParserCtxt *const context = data;
    struct xml_pieces *const pieces = find_pieces(context);
    if (pieces->list != NULL && context->node == pieces->list) {
        return; /* between pieces it says nothing */
    }
    count_live(context, pieces, 1);
    xmlSAX2Comment(context, text);
}

static void
on_instruction(void *data, const xmlChar *target, const xmlChar *text)
{
    xmlParserCtxt *const context = data;
    count_live(context, find_pieces(context), 1);
    xmlSAX2ProcessingInstruction(context, target, text);
}

static void
on_characters(void *data, const xmlChar *text, int n)
{
    xmlParserCtxt *const context = data;
    count_live(context, find_pieces(context), 1);
    xmlSAX2Characters(context, text, n);
}

void
xml_pieces_hook(xmlParserCtxt *context)
{
    context->sax->startDocument = on_start_document;
    context->sax->startElementNs = on_start_element;
    context->sax->endElementNs = on_end_element;
    context->sax->comment = on_comment;
    context->sax->processingInstruction = on_instruction;
    /* The same for both: the parser then does not ask which white space can be ignored. */
    context->sax->characters = on_characters;
    context->sax->ignorableWhitespace = on_characters;
}
