/*
 * ITI-45 PIX V3 Query: PRPA_IN201309UV02 and PRPA_IN201310UV02 (HL7 V3 NE2008), read and written.
 * Reading is lenient within limits; writing is in schema order. Source: ITI TF-2 3.45. Thread:
 * whoever owns the arena.
 */
#ifndef SOAP_PIX_H
#define SOAP_PIX_H

#include "base/buf.h"
#include "soap/hl7.h"
#include "soap/message.h"

struct pix_query {
    struct ident id; /* of the message */
    struct ident query_id;
    struct ident sender_device;             /* writing: no root: the community is the device */
    struct span sender_home, receiver_home; /* bare OIDs; may be empty */
    int64_t creation_us;
    struct ident patient;           /* whose other ids are wanted */
    struct hl7_domain_list sources; /* wanted domains (dataSource); none: all */
    struct span query_xml;          /* reading: queryByParameter as sent, for echo and audit */
};

/* ERR_MESSAGE_CONTENT: another element; no id, queryId or queryByParameter, or several; not exactly
 * one patientIdentifier with one value of root and extension; a dataSource without a root that is
 * an OID; more than PIX_SOURCES_MAX of them. All texts are copied to <arena>. */
#define PIX_SOURCES_MAX ((size_t)64)
#define PIX_IDS_MAX     ((size_t)1000) /* of an answer */
MUST_CHECK struct status pix_query_read(const struct message *message, struct arena *arena,
                                        struct diag *diag, struct pix_query *ret_query);
/* ERR_MESSAGE_CONTENT: no patient's root and extension, a source that is no OID, text that XML
 * cannot hold. ret_query_xml as in xcpd_query_write. */
MUST_CHECK struct status pix_query_write(const struct pix_query *query, struct arena *arena,
                                         struct buf *out, struct diag *diag,
                                         struct span *ret_query_xml);

/* ITI TF-2 3.45.4.2.3: the four result cases, and whatever else went wrong. */
enum pix_result { PIX_FOUND, PIX_NONE, PIX_UNKNOWN_PATIENT, PIX_UNKNOWN_SOURCE, PIX_ERROR };

struct pix_answer {
    enum pix_result result;
    struct ident_list ids;           /* found; of one domain all or none are to be used */
    struct name_list names;          /* whose they are, for people; usually nobody says */
    size_t unknown[PIX_SOURCES_MAX]; /* PIX_UNKNOWN_SOURCE, writing: which of query->sources */
    size_t unknown_n;
    struct hl7_detail_list details; /* reading: what the supplier says */
};

/* From us (<home>, bare OID). The id that was asked about is left out, and ids go out as Patient.id
 * in the order of the list. ERR_INTERNAL: PIX_FOUND without an id that is left, PIX_UNKNOWN_SOURCE
 * without one, no home. */
MUST_CHECK struct status pix_answer_write(const struct pix_query *query,
                                          const struct pix_answer *answer, struct span home,
                                          int64_t now_us, struct buf *out, struct diag *diag);
/* ids: each Patient.id and asOtherIDs/id once, without the one that was asked about. AE with code
 * 204 is PIX_UNKNOWN_PATIENT or PIX_UNKNOWN_SOURCE by its location; any other AE is PIX_ERROR.
 * ERR_PARTNER_ANSWER: an answer to another query, several events, more than
 * PIX_IDS_MAX ids. */
MUST_CHECK struct status pix_answer_read(const struct message *message,
                                         const struct pix_query *query, struct arena *arena,
                                         struct diag *diag, struct pix_answer *ret_answer);

#endif
