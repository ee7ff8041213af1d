/*
 * The look at the bytes of an XML document before libxml2 sees them: what must never reach a parser
 * is refused here, in one pass, in time linear in the bytes (libxml2 2.9.14 needs 23 s for one
 * start tag with 120,000 attributes).
 *
 * Refused: bytes that are not UTF-8 or not XML 1.0 characters, any declared encoding but UTF-8, any
 * version but 1.0 (ERR_XML_ENCODING, ERR_XML_SYNTAX); any "<!" that opens neither a comment nor a
 * CDATA section, so no DTD and no entity can exist (ERR_XML_DTD); references to other entities than
 * the five of XML; unbalanced nesting; and what exceeds the limits (ERR_LIMIT_XML).
 *
 * The scanner is never laxer than the parser about where markup is: for every document that it
 * passes and libxml2 accepts, both see the same tags (xml_parse compares their counts).
 * Thread: any. No memory.
 */
#ifndef SOAP_PRESCAN_H
#define SOAP_PRESCAN_H

#include "soap/message.h"

struct prescan_counts {
    size_t elements;
    size_t attributes; /* with namespace declarations */
    size_t instructions;
};

/* <bytes>: the whole document; a byte order mark of UTF-8 is fine. Reads root_part_bytes, nodes,
 * depth, attributes and start_tag_bytes of <limits>. */
MUST_CHECK struct status prescan(struct span bytes, const struct message_limits *limits,
                                 struct diag *diag, struct prescan_counts *ret_counts);

#endif
