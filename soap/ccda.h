/*
 * Reads the header of a C-CDA document (CDA R2, HL7 V3 namespace): who it is about and what XDS
 * metadata it gives. The document itself is never changed; its clinical body is checked to be
 * well-formed and otherwise not looked at.
 *
 * Refuses documents with a DOCTYPE (so there are no entities), deeper or broader than the limits
 * below, not well-formed, or with another root. Byte order marks, comments, processing instructions
 * and any encoding that libxml2 knows are accepted. Whatever carries a nullFlavor is absent.
 * Thread: any; the arena owns the result. No network, no other file.
 */
#ifndef SOAP_CCDA_H
#define SOAP_CCDA_H

#include "base/document.h"

#define CCDA_BYTES_MAX      ((size_t)256 * 1024 * 1024)
#define CCDA_DEPTH_MAX      100
#define CCDA_ATTRIBUTES_MAX 256   /* of one element, namespace declarations included */
#define CCDA_HEADER_NODES   50000 /* elements outside of the body */

struct ccda {
    struct patient patient; /* recordTarget; everything that it gives */
    /* Metadata; what only the store can know (ids of the entry, hash, size, status) is empty.
     * unique_id: the header's id when it may be a documentUniqueId, else empty. */
    struct document_entry entry;
    struct span header_id; /* root or root^extension, as it is */
    struct span set_id;    /* the same of the set of versions */
    struct span version;
    struct span custodian; /* name of the organisation */
    /* Names of the metadata that the header does not give and that got a default, in the spelling
     * of XDS ("healthcareFacilityTypeCode"): for the report of an import. */
    struct span_list assumed;
};

/* ERR_XML_DTD, ERR_XML_SYNTAX (with line and column), ERR_LIMIT_XML, or ERR_DOCUMENT: another root,
 * not exactly one patient, no type code, no creation time. The text never holds content. */
MUST_CHECK struct status ccda_read(struct span bytes, struct arena *arena, struct diag *diag,
                                   struct ccda *ret_ccda);
/* Is its root element ClinicalDocument? Also true for one that ccda_read refuses for its DOCTYPE or
 * for errors after the root's start tag. */
bool ccda_is_recognised(struct span bytes);

#endif
