/*
 * An audit event as a typed record: what the journal keeps, and what AuditMessage XML (ITI-20,
 * DICOM PS3.15 A.5) is rendered from. Spans are borrowed from the builder's arena.
 *
 * Two events per transaction leg: the intent, durable before the first byte of a question leaves
 * (it discloses demographics), and the outcome, durable before an answer leaves or a result is
 * used.
 */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H

#include "base/document.h"

enum audit_type {
    AUDIT_ITI_55,                 /* Cross Gateway Patient Discovery */
    AUDIT_ITI_38,                 /* Cross Gateway Query */
    AUDIT_ITI_39,                 /* Cross Gateway Retrieve */
    AUDIT_LOCAL_ACCESS,           /* the operator asked the community's own store */
    AUDIT_AUTHENTICATION_FAILURE, /* a message whose security failed; unknown TLS peer */
    AUDIT_NODE_START,
    AUDIT_NODE_STOP,
    AUDIT_TYPE_COUNT
};
enum audit_side { AUDIT_INITIATING, AUDIT_RESPONDING };
enum audit_phase { AUDIT_INTENT, AUDIT_OUTCOME };
enum audit_outcome { AUDIT_SUCCESS = 0, AUDIT_MINOR = 4, AUDIT_SERIOUS = 8, AUDIT_MAJOR = 12 };

struct audit_event {
    enum audit_type type;
    enum audit_side side;
    enum audit_phase phase;
    enum audit_outcome outcome;
    struct span outcome_text;   /* why it failed: error name and detail (diag) */
    int64_t time_us;            /* wall; set by the journal when 0 */
    struct span transaction_id; /* ours: joins the log, the intent and the outcome */
    struct span message_id;     /* wsa:MessageID of the request */
    struct span partner;        /* id of the partner record; empty when unknown */
    /* who asked and who answered: SOAP endpoints or stable names, and network addresses */
    struct span source_id, source_address;
    struct span destination_id, destination_address;
    /* the human behind it (XUA): plain-text name (subject-id), alias<user@issuer>, role,
     * organisation */
    struct span user_id;
    struct span user_name;
    struct code role;
    struct span organization;
    struct code purpose;
    struct span community;     /* homeCommunityId of the other side, bare OID */
    struct span query_id;      /* queryId or stored query UUID */
    struct span query;         /* exact XML of queryByParameter or AdhocQueryRequest */
    struct span_list patients; /* CX */
    struct document_ref_list documents;
    struct span policy_rule; /* rule that decided, when one did */
};

/* Journal payload <-> event (JSON; strict reader, unknown members are ignored so that older nodes
 * can read newer journals). */
MUST_CHECK struct status audit_event_encode(const struct audit_event *event, struct buf *out,
                                            struct diag *diag);
MUST_CHECK struct status audit_event_decode(struct span payload, struct arena *arena,
                                            struct diag *diag, struct audit_event *ret_event);

/* DICOM AuditMessage (spec: ITI TF-2 3.20, and 3.55.5, 3.38.5, 3.39.5 per transaction).
 * <source_id>: the AuditSourceID of this node. Query and document rows as the transaction's section
 * says. */
struct audit_source {
    const char *source_id;       /* community's name or OID */
    const char *enterprise_site; /* may be NULL */
};
MUST_CHECK struct status audit_message_write(const struct audit_event *event,
                                             const struct audit_source *source, struct buf *out,
                                             struct diag *diag);
/* "Cross Gateway Patient Discovery" and "ITI-55"; for types without a transaction the DICOM event's
 * name. */
const char *audit_type_name(enum audit_type type);
const char *audit_type_code(enum audit_type type);

#endif
