/*
 * DocumentEntry: the XDS metadata of one document (ITI TF-3 4.2.3.2), as codecs, store and merge
 * share it. Spans and arrays live in one arena; nothing here owns memory. Empty span = absent.
 * Thread: whoever owns the arena.
 */
#ifndef BASE_DOCUMENT_H
#define BASE_DOCUMENT_H

#include "base/patient.h"

#define DOCUMENT_STABLE     "urn:uuid:7edca82f-054d-47f2-a032-9b2a5b5186c1"
#define DOCUMENT_ON_DEMAND  "urn:uuid:34268e47-fdf5-41a6-ba33-82133c465248"
#define DOCUMENT_APPROVED   "urn:oasis:names:tc:ebxml-regrep:StatusType:Approved"
#define DOCUMENT_DEPRECATED "urn:oasis:names:tc:ebxml-regrep:StatusType:Deprecated"

/* What stands for metadata that XDS requires and a document does not give: the most general code of
 * its kind, which claims nothing more than that there is a clinical document. */
#define DOCUMENT_SNOMED "2.16.840.1.113883.6.96"
#define DOCUMENT_ANY_FACILITY                                                                      \
    ((struct code){SPAN("394777002"), SPAN(DOCUMENT_SNOMED), SPAN("Health encounter site")})
#define DOCUMENT_ANY_PRACTICE                                                                      \
    ((struct code){SPAN("394658006"), SPAN(DOCUMENT_SNOMED), SPAN("Clinical specialty")})
#define DOCUMENT_ANY_FORMAT /* the MIME type says enough */                                        \
    ((struct code){SPAN("urn:ihe:iti:xds:2017:mimeTypeSufficient"),                                \
                   SPAN("1.3.6.1.4.1.19376.1.2.3"), SPAN("mimeType Sufficient")})
#define DOCUMENT_ANY_LANGUAGE SPAN("und") /* RFC 5646 4.1: undetermined */

struct author {
    struct span person;      /* XCN */
    struct span institution; /* XON */
    struct span role;
    struct span specialty;
    struct span telecom; /* XTN */
    /* What follows the first of each, when an author has several (ITI TF-3 4.2.3.1.4). */
    struct span_list more_institutions, more_roles, more_specialties, more_telecoms;
};
struct author_list {
    struct author *items;
    size_t n, capacity;
};

/* A slot that we do not know: kept, and given back as it came. */
struct extra_slot {
    struct span name;
    struct span_list values;
};
struct extra_slot_list {
    struct extra_slot *items;
    size_t n, capacity;
};

struct document_entry {
    struct span entry_uuid; /* urn:uuid:... */
    struct span lid;        /* logical id: the entryUUID of its first version */
    struct span unique_id;  /* documentUniqueId, an OID (or OID^extension) */
    struct span home;       /* homeCommunityId, urn:oid:... */
    struct span repository; /* repositoryUniqueId, bare OID */
    struct span patient_id; /* CX */
    struct span mime_type;
    struct span object_type; /* DOCUMENT_STABLE or DOCUMENT_ON_DEMAND */
    struct span status;      /* DOCUMENT_APPROVED or DOCUMENT_DEPRECATED */
    struct span title;
    struct span comments;
    struct span creation_time; /* DTM */
    struct span service_start; /* DTM */
    struct span service_stop;  /* DTM */
    struct span language;      /* RFC 5646 */
    struct span hash;          /* SHA-1, 40 hexadecimal digits */
    uint64_t size;             /* bytes */
    bool has_size;
    struct span uri;
    struct span legal_authenticator;      /* XCN */
    struct span source_patient_id;        /* CX */
    struct span_list source_patient_info; /* PID-3|..., PID-5|..., one field each */
    struct code class_code;
    struct code type_code;
    struct code format_code;
    struct code facility_type;
    struct code practice_setting;
    struct code_list confidentiality;
    struct code_list event_codes;
    struct author_list authors;
    struct span_list reference_ids; /* CXi, urn:ihe:iti:xds:2013:referenceIdList */
    struct span availability;       /* urn:ihe:iti:2010:DocumentAvailability:..., mostly absent */
    bool is_limited;                /* limited metadata (ITI TF-3 4.1.3.2) */
    struct extra_slot_list extra;
    struct span xml; /* as its registry wrote it: see base/registry.h */
};
struct document_list {
    struct document_entry *items;
    size_t n, capacity;
};

/* May this be a documentUniqueId? An OID, or OID^extension with at most 16 characters after the
 * '^', none of them a control character or '^', no white space at its ends; 128 bytes in all (ITI
 * TF-3 4.2.3.2.26). */
bool document_unique_id_is_legal(struct span unique_id);

/* HomeCommunityId, RepositoryUniqueId, DocumentUniqueId: what names a document in ITI-39. */
struct document_ref {
    struct span home;       /* urn:oid:..., empty when the message had none */
    struct span repository; /* bare OID */
    struct span unique_id;
};
bool document_ref_eq(const struct document_ref *a, const struct document_ref *b);
struct document_ref_list {
    struct document_ref *items;
    size_t n, capacity;
};
bool document_ref_is_among(const struct document_ref *ref, const struct document_ref_list *refs);
/* A uniqueId that is a UUID, in lower case with urn:uuid: before it; any other as it is, not
 * copied. */
MUST_CHECK struct status document_id_with_urn(struct span unique_id, struct arena *arena,
                                              struct diag *diag, struct span *ret_id);
/* The other way; a part of <unique_id>. */
struct span document_id_without_urn(struct span unique_id);

#endif
