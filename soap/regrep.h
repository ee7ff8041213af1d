/*
 * Inside soap/ only: the ebXML RegRep and XDS.b records as plain structs, and their codec.
 *
 * regrep_gsoap.c implements it with gSOAP and is the one file that sees gSOAP's types. It reads the
 * text that regrep_payload.c makes of a tree (never a peer's bytes), copies every record to an
 * arena before it returns, opens no socket and keeps one struct soap per thread. Absent attributes
 * and elements are empty spans; what must be there is checked by the callers. Thread: any. Sources:
 * ebRIM 3.0, ebRS 3.0, ITI TF-3 4.2, IHEXDSB.xsd.
 */
#ifndef SOAP_REGREP_H
#define SOAP_REGREP_H

#include "base/buf.h"
#include "base/patient.h" /* struct span_list */
#include "soap/namespaces.h"

#define NS_RIM   "urn:oasis:names:tc:ebxml-regrep:xsd:rim:3.0"
#define NS_RS    "urn:oasis:names:tc:ebxml-regrep:xsd:rs:3.0"
#define NS_LCM   "urn:oasis:names:tc:ebxml-regrep:xsd:lcm:3.0"
#define NS_QUERY "urn:oasis:names:tc:ebxml-regrep:xsd:query:3.0"
#define NS_XDSB  "urn:ihe:iti:xds-b:2007"

struct rim_slot {
    struct span name;
    struct span_list values;
};
struct rim_slot_list {
    struct rim_slot *items;
    size_t n, capacity;
};

struct rim_classification {
    struct span id, scheme, object;
    struct span node;       /* nodeRepresentation */
    struct span class_node; /* classificationNode: what it makes of the object */
    struct span name;       /* the first LocalizedString */
    struct rim_slot_list slots;
};
struct rim_classification_list {
    struct rim_classification *items;
    size_t n, capacity;
};

struct rim_identifier {
    struct span id, object, scheme, value;
    struct span name;
};
struct rim_identifier_list {
    struct rim_identifier *items;
    size_t n, capacity;
};

/* ExtrinsicObject, RegistryPackage, Association. */
struct rim_object {
    struct span id, home, lid, object_type, status;
    struct span mime_type;                        /* of an ExtrinsicObject */
    struct span association_type, source, target; /* of an Association */
    struct span name, description;
    struct rim_slot_list slots;
    struct rim_classification_list classifications;
    struct rim_identifier_list identifiers;
};
struct rim_object_list {
    struct rim_object *items;
    size_t n, capacity;
};

struct rim_ref {
    struct span id, home;
};
struct rim_ref_list {
    struct rim_ref *items;
    size_t n, capacity;
};

/* RegistryObjectList. */
struct rim_list {
    struct rim_object_list documents; /* ExtrinsicObject */
    struct rim_object_list packages;
    struct rim_object_list associations;
    struct rim_classification_list classifications; /* of objects, beside them */
    struct rim_ref_list refs;
};

struct rs_error {
    struct span code, context, location, severity;
};
struct rs_error_list {
    struct rs_error *items;
    size_t n, capacity;
};
/* The part that both answers share. */
struct rs_response {
    struct span status;
    struct span highest_severity; /* of the error list; writing: when there are errors */
    struct rs_error_list errors;
};

struct regrep_query { /* query:AdhocQueryRequest */
    struct span return_type;
    struct span id, home;
    struct rim_slot_list slots;
};
struct regrep_answer { /* query:AdhocQueryResponse */
    struct rs_response response;
    struct rim_list list;
};

struct xdsb_document { /* DocumentRequest, DocumentResponse */
    struct span home, repository, unique_id;
    struct span new_repository, new_unique_id; /* of a response: an on-demand document's */
    struct span mime_type;                     /* of a response */
    struct span href;                          /* of a response's xop:Include */
};
struct xdsb_document_list {
    struct xdsb_document *items;
    size_t n, capacity;
};
struct xdsb_answer { /* RetrieveDocumentSetResponse */
    struct rs_response response;
    struct xdsb_document_list documents;
};

struct xdsb_provided { /* Document of a submission */
    struct span id, href;
};
struct xdsb_provided_list {
    struct xdsb_provided *items;
    size_t n, capacity;
};
struct xdsb_submission {        /* ProvideAndRegisterDocumentSetRequest */
    struct rim_slot_list slots; /* RequestSlotList */
    struct rim_list list;
    struct xdsb_provided_list documents;
};

/* Memory for the records of one call, between gSOAP's and the caller's: bounded by the message,
 * which is bounded already, so that the caller's arena holds facts only. For CLEANUP. */
MUST_CHECK struct status regrep_scratch_new(struct diag *diag, struct arena **ret_scratch);
void regrep_scratch_free(struct arena **scratch); /* *scratch may be NULL */

/* What cannot be read is <code>. <xml> has no declaration and no foreign elements. */
struct regrep_reader {
    struct arena *arena;
    struct diag *diag;
    enum err code;
};
MUST_CHECK struct status regrep_read_query(const struct regrep_reader *reader, struct span xml,
                                           struct regrep_query *ret_query);
MUST_CHECK struct status regrep_read_answer(const struct regrep_reader *reader, struct span xml,
                                            struct regrep_answer *ret_answer);
MUST_CHECK struct status regrep_read_retrieve(const struct regrep_reader *reader, struct span xml,
                                              struct xdsb_document_list *ret_documents);
MUST_CHECK struct status regrep_read_retrieved(const struct regrep_reader *reader, struct span xml,
                                               struct xdsb_answer *ret_answer);
MUST_CHECK struct status regrep_read_submission(const struct regrep_reader *reader, struct span xml,
                                                struct xdsb_submission *ret_submission);
/* rs:RegistryResponse */
MUST_CHECK struct status regrep_read_response(const struct regrep_reader *reader, struct span xml,
                                              struct rs_response *ret_response);

/* Append the element to <out>: schema order, namespaces declared where first used. Text that XML
 * cannot hold is ERR_MESSAGE_CONTENT. */
MUST_CHECK struct status regrep_write_query(const struct regrep_query *query, struct buf *out,
                                            struct diag *diag);
MUST_CHECK struct status regrep_write_answer(const struct regrep_answer *answer, struct buf *out,
                                             struct diag *diag);
MUST_CHECK struct status regrep_write_retrieve(const struct xdsb_document_list *documents,
                                               struct buf *out, struct diag *diag);
MUST_CHECK struct status regrep_write_retrieved(const struct xdsb_answer *answer, struct buf *out,
                                                struct diag *diag);

MUST_CHECK struct status regrep_write_submission(const struct xdsb_submission *submission,
                                                 struct buf *out, struct diag *diag);
MUST_CHECK struct status regrep_write_response(const struct rs_response *response, struct buf *out,
                                               struct diag *diag);

#endif
