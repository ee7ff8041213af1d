/*
 * ITI-38 Cross Gateway Query and ITI-39 Cross Gateway Retrieve: ebXML RegRep 3.0 and XDS.b messages
 * as typed records. The typed codec behind it is gSOAP's (regrep_gsoap.c is the one file that sees
 * its generated header); what is read comes from the Body payload in the one fixed form that
 * regrep_payload.c writes of the one tree. Sources: ITI TF-2 3.38, 3.39, 3.18, 3.43; ITI TF-3 4.2.
 * Thread: whoever owns the arena.
 */
#ifndef SOAP_XCA_H
#define SOAP_XCA_H

#include "base/body.h"
#include "base/registry.h"
#include "soap/message.h"

#define XCA_FIND_DOCUMENTS "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"
#define XCA_GET_DOCUMENTS  "urn:uuid:5c4f972b-d56b-40ac-a5fc-c8ca9b40b9d4"

/* What one request may ask for; beyond it is ERR_LIMIT_ITEMS. Each costs a few microseconds of a
 * processor, and partners' requests hold some dozens. */
#define XCA_PARAMS_MAX   ((size_t)200)  /* Slots of a query */
#define XCA_VALUES_MAX   ((size_t)2000) /* values of all parameters of a query */
#define XCA_REQUESTS_MAX ((size_t)1000) /* documents of a retrieve */

/* One Slot of an AdhocQuery: its decoded values. Values of several rim:Value elements are joined.
 */
struct query_param {
    struct span name;        /* "$XDSDocumentEntryPatientId" */
    struct span_list values; /* without quotes and parentheses, '' undone */
    bool is_multiple;        /* was written with parentheses */
    bool is_number;          /* all values were numbers without quotes, and are written so */
};
struct query_param_list {
    struct query_param *items;
    size_t n, capacity;
};
struct stored_query {
    struct span id;                 /* urn:uuid:... */
    struct span home;               /* urn:oid:..., empty when absent */
    bool wants_leaf_class;          /* else ObjectRef */
    struct query_param_list params; /* repeated slots stay separate: AND */
    struct span query_xml;          /* the AdhocQueryRequest, for the audit record */
};
/* ERR_MESSAGE_CONTENT: no id, another returnType than LeafClass and ObjectRef, a value that breaks
 * the rules of ITI TF-2 3.18.4.1.2.3.5 (the complaint names the parameter, never the value);
 * ERR_LIMIT_ITEMS; ERR_XOP. All texts are copied to <arena>. */
MUST_CHECK struct status stored_query_read(const struct message *message, struct arena *arena,
                                           struct diag *diag, struct stored_query *ret_query);
/* String values are quoted; numbers (is_number, and names ending in TimeFrom/TimeTo) are not. */
MUST_CHECK struct status stored_query_write(const struct stored_query *query, struct arena *arena,
                                            struct buf *out, struct diag *diag,
                                            struct span *ret_query_xml);
/* The one value of a single-valued parameter: ERR_QUERY_PARAM_MISSING, ERR_QUERY_PARAM_NUMBER. */
MUST_CHECK struct status query_param_one(const struct stored_query *query, const char *name,
                                         bool is_required, struct diag *diag,
                                         struct span *ret_value);
/* All values of a parameter that is not repeated; empty list when absent. */
MUST_CHECK struct status query_param_many(const struct stored_query *query, const char *name,
                                          bool is_required, struct diag *diag,
                                          struct span_list *ret_values);

enum registry_status { REGISTRY_SUCCESS, REGISTRY_PARTIAL_SUCCESS, REGISTRY_FAILURE };
struct query_answer {
    enum registry_status status;
    struct registry_error_list errors;
    struct registry_objects objects; /* LeafClass */
    size_t dropped; /* reading: objects that two readers would understand differently */
    struct document_ref_list
        refs; /* ObjectRef: unique_id holds the entry's urn:uuid, home the community */
};
/* ERR_INTERNAL: an object without home or entry_uuid, a ref without home or unique_id, an
 * Association without type, source or target. The RegistryObjectList is always there; the errors'
 * highestSeverity follows from them. An object that has its <xml> is written from it, with the home
 * of its record; the others from their records. */
MUST_CHECK struct status query_answer_write(const struct query_answer *answer, struct arena *arena,
                                            struct buf *out, struct diag *diag);
/* What is changed in the objects while they are read, in records and texts alike. */
struct query_reading {
    struct span home; /* urn:oid:..., for objects without one; empty: they stay without */
    /* The patient as the source knows it, and as we were asked for: CX, in the patientId of
     * documents, submission sets and folders. Empty: it stays. */
    struct span patient_from, patient_to;
};
/* ERR_PARTNER_ANSWER. Every object gets its <xml>: complete in itself, without comments and
 * instructions, unknown slots, classifications, attributes and elements kept; objects of RegRep
 * that are none of XDS are in <others>. A Classification that stands beside its object counts for
 * it, and such an object has no <xml>. Dropped is an object that other readers would read
 * differently than we do, because we decide on what we read: the vocabulary of RegRep in another
 * namespace (rim:home beside home), an object inside of an object, xsi:nil, two different patients,
 * unique ids, repositories or communities, and what only an envelope may hold (SOAP, WS-Security,
 * XOP). Homes are as the partner wrote them, empty when it did not. All texts are copied to
 * <arena>. */
MUST_CHECK struct status query_answer_read(const struct message *message, struct arena *arena,
                                           struct diag *diag, struct query_answer *ret_answer);
MUST_CHECK struct status query_answer_read_as(const struct message *message,
                                              const struct query_reading *reading,
                                              struct arena *arena, struct diag *diag,
                                              struct query_answer *ret_answer);

/* For the limits of message_read: the objects of an AdhocQueryResponse are read while it is parsed
 * and never are a tree, so that memory goes with what is kept, not with what comes. The facts go to
 * <facts>, which query_answer_read is given, too; the rest lives in <arena>, as the message does.
 * An answer that carries an XML signature in its Header is read as one tree all the same: what is
 * signed is proven over the tree. ERR_LIMIT_XML of message_read: one object, or all that is no
 * object, has more than 200,000 nodes. */
MUST_CHECK struct status query_answer_pieces(struct arena *arena, struct arena *facts,
                                             struct diag *diag, struct xml_pieces **ret_pieces);
/* <reading> is borrowed until the message was read, and must be what query_answer_read_as gets. */
MUST_CHECK struct status query_answer_pieces_as(const struct query_reading *reading,
                                                struct arena *arena, struct arena *facts,
                                                struct diag *diag, struct xml_pieces **ret_pieces);

/* ERR_MESSAGE_CONTENT: no DocumentRequest, or one without repository or document id;
 * ERR_LIMIT_ITEMS; ERR_XOP. */
MUST_CHECK struct status retrieve_query_read(const struct message *message, struct arena *arena,
                                             struct diag *diag, struct document_ref_list *ret_refs);
MUST_CHECK struct status retrieve_query_write(const struct document_ref_list *refs,
                                              struct arena *arena, struct buf *out,
                                              struct diag *diag);

struct retrieved_document {
    struct document_ref ref; /* echoes the request */
    /* Of an on-demand document: what the bytes are called, and where they were kept, if they were
     * (ITI TF-2 3.43.5). */
    struct span new_unique_id, new_repository;
    struct span mime_type;
    struct span patient_id; /* CX: whose it is, where that is known; not on the wire */
    struct body body;       /* owned by whoever holds the answer: retrieve_answer_done */
    struct span content_id; /* writing: the MTOM part's id, set by the writer */
};
struct retrieved_list {
    struct retrieved_document *items;
    size_t n, capacity;
};
struct retrieve_answer {
    enum registry_status status;
    struct registry_error_list errors;
    struct retrieved_list documents;
};
/* Writes the RetrieveDocumentSetResponse with one xop:Include per document and sets content_id of
 * each; the caller packs the parts with mtom_write. */
MUST_CHECK struct status retrieve_answer_write(struct retrieve_answer *answer, struct arena *arena,
                                               struct buf *out, struct diag *diag);
/* Resolves xop:Include (each part used once, only inside Document) and inline base64. ERR_XOP,
 * ERR_PARTNER_ANSWER; on failure no body is left. */
MUST_CHECK struct status retrieve_answer_read(const struct message *message, struct arena *arena,
                                              struct diag *diag,
                                              struct retrieve_answer *ret_answer);
void retrieve_answer_done(struct retrieve_answer *answer);

#endif
