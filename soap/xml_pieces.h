/*
 * Inside soap/ only: a document whose long lists never become a tree. While it is parsed, each
 * child element of a list (a piece) is handed out as a subtree that hangs where it belongs, with
 * its namespaces in scope; then it is freed, with the text and comments before it. What remains is
 * the tree of everything else. The same pre-scan and the same checks as without pieces.
 *
 * Limits: <live_nodes> nodes (attributes, texts and namespace declarations are nodes) exist at one
 * time, and the parser keeps at most a megabyte of names. Thread: the parse's.
 */
#ifndef SOAP_XML_PIECES_H
#define SOAP_XML_PIECES_H

#include "soap/xml.h"

struct xml_pieces {
    /* Are the children of this element, which begins, pieces? What is above it in the tree is
     * there, and what is before it. */
    bool (*is_list)(void *arg, const xmlNode *element);
    void (*take)(void *arg, const xmlNode *piece);
    void *arg;
    size_t live_nodes;
    /* What the parse found: */
    size_t elements;      /* in pieces */
    size_t lists;         /* elements whose children were pieces */
    bool has_text;        /* between pieces, more than white space */
    bool has_instruction; /* in or between pieces */
    bool is_odd;          /* something in a piece that xml.h rules out */
    bool is_over;         /* more than <live_nodes> */
    /* The parse's: */
    const xmlNode *list; /* the one that is open */
    size_t taken;        /* from it */
    size_t live, live_outside;
};

struct _xmlParserCtxt;
/* What xmlParserCtxt._private points to begins with this. */
struct xml_parse_head {
    struct xml_pieces *pieces; /* NULL: none */
};
void xml_pieces_hook(struct _xmlParserCtxt *context); /* for xml_parse */
/* What one walk over a subtree finds. */
struct xml_survey {
    size_t elements;
    bool has_instruction;
};
/* Is the subtree as xml.h promises? If not, the survey is not whole. (xml.c) */
bool xml_is_plain_tree(const xmlNode *root, struct xml_survey *ret_survey);

#endif
