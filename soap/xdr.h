/*
 * ITI-41 Provide and Register Document Set-b and ITI-80 Cross Gateway Document Provide: a
 * submission (its metadata and the bytes of its documents) and the RegistryResponse, as typed
 * records. Codecs only: what the metadata must be is the registry's to judge. Sources: ITI TF-2
 * 3.41; XCDR 3.80; ITI TF-3 4.2; IHEXDSB.xsd. Thread: whoever owns the arena.
 */
#ifndef SOAP_XDR_H
#define SOAP_XDR_H

#include "soap/xca.h"

/* What one submission may hold; beyond it is ERR_LIMIT_ITEMS. */
#define XDR_OBJECTS_MAX   ((size_t)1000) /* of all kinds */
#define XDR_DOCUMENTS_MAX ((size_t)200)

struct provided_document {
    struct span entry_id;   /* Document/@id: the id of its DocumentEntry, often symbolic */
    struct body body;       /* owned by whoever holds the request: provide_request_done */
    struct span mime_type;  /* of its MIME part; empty when it came inline. For writing only */
    struct span content_id; /* writing: the MTOM part's id, set by the writer */
};
struct provided_list {
    struct provided_document *items;
    size_t n, capacity;
};

/* Ids are as the submission has them: urn:uuid:... or symbolic. Objects that are read have their
 * <xml>, with those ids: a registry that gives them others does not keep it. */
struct provide_request {
    struct registry_objects objects;
    struct provided_list documents;
    struct span target_home; /* slot homeCommunityId of the RequestSlotList, or else of the
                                SubmissionSet: whom ITI-80 is for; urn:oid:..., mostly absent */
    /* Reading: what does not fit together. For the transaction to judge (XDSMissingDocument,
     * XDSMissingDocumentMetadata). */
    struct span_list entries_without_document; /* ids of stable DocumentEntries */
    struct span_list documents_without_entry;  /* Document/@id */
    struct span_list parts_without_document;   /* Content-IDs of MIME parts that none names */
};

/* ERR_MESSAGE_CONTENT: no SubmitObjectsRequest; two objects or two Documents with one id; an object
 * or a Document without id; an object that two readers would understand differently (see
 * query_answer_read). ERR_LIMIT_ITEMS. ERR_XOP: as retrieve_answer_read; no part is used twice. On
 * failure no body is left. Texts are copied to <arena>; bodies that came in files share them. */
MUST_CHECK struct status provide_request_read(const struct message *message, struct arena *arena,
                                              struct diag *diag,
                                              struct provide_request *ret_request);
void provide_request_done(struct provide_request *request);

/* Writes the ProvideAndRegisterDocumentSetRequest with one xop:Include per document and sets
 * content_id of each; the caller packs the parts with mtom_write or mtom_pack, so that bodies may
 * be files. target_home, when there is one, becomes a slot of the RequestSlotList; the
 * SubmissionSet has its own. Objects that have their <xml> are written from it. ERR_INTERNAL: an
 * object without entry_uuid, a document without entry_id. */
MUST_CHECK struct status provide_request_write(struct provide_request *request, struct arena *arena,
                                               struct buf *out, struct diag *diag);

/* The answer of both. ERR_PARTNER_ANSWER: a status that is none of the three. Texts are copied. */
struct registry_response {
    enum registry_status status;
    struct registry_error_list errors;
};
MUST_CHECK struct status registry_response_read(const struct message *message, struct arena *arena,
                                                struct diag *diag,
                                                struct registry_response *ret_response);
MUST_CHECK struct status registry_response_write(const struct registry_response *response,
                                                 struct buf *out, struct diag *diag);

#endif
