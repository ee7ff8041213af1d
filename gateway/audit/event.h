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

#include "base/buf.h"
#include "base/document.h"

enum audit_type {
    AUDIT_ITI_55,                 /* Cross Gateway Patient Discovery */
    AUDIT_ITI_38,                 /* Cross Gateway Query */
    AUDIT_ITI_39,                 /* Cross Gateway Retrieve */
    AUDIT_ITI_18,                 /* Registry Stored Query, with a local system or source */
    AUDIT_ITI_43,                 /* Retrieve Document Set, with a local system or source */
    AUDIT_ITI_41,                 /* Provide and Register Document Set-b */
    AUDIT_ITI_80,                 /* Cross Gateway Document Provide */
    AUDIT_ITI_47,                 /* Patient Demographics Query, with a local system or source */
    AUDIT_ITI_45,                 /* PIX Query, with a local system or source */
    AUDIT_ITI_56,                 /* Patient Location Query */
    AUDIT_LOCAL_ACCESS,           /* the operator asked the community's own store */
    AUDIT_AUTHENTICATION_FAILURE, /* a message whose security failed; unknown TLS peer */
    AUDIT_NODE_START,
    AUDIT_NODE_STOP,
    AUDIT_CONFIGURATION_CHANGED, /* the running node took another configuration, or refused it */
    AUDIT_EMERGENCY_ACCESS, /* a rule or purpose of emergency let somebody in; beside the event of
                               his transaction */
    AUDIT_LOG_USED,         /* somebody read the journal: `isthmus audit` */
    AUDIT_CHECKPOINT,       /* where the journal stood, signed; for repositories to hold */
    AUDIT_RECORDS_MISSING,  /* the journal could not be written for a while (on_unavailable) */
    AUDIT_DELIVERY,         /* a repository was not reached for too long, or is back (success) */
    AUDIT_RETENTION,        /* old records were removed as the configuration asks */
    AUDIT_TYPE_COUNT
};
enum audit_side { AUDIT_INITIATING, AUDIT_RESPONDING };
enum audit_phase { AUDIT_INTENT, AUDIT_OUTCOME };
enum audit_outcome { AUDIT_SUCCESS = 0, AUDIT_MINOR = 4, AUDIT_SERIOUS = 8, AUDIT_MAJOR = 12 };

/* A named fact of an event: of a checkpoint "hash", "signature"; of a gap "records", "from". */
struct audit_detail {
    struct span name; /* letters, digits, '_' */
    struct span value;
};
struct audit_detail_list {
    struct audit_detail *items;
    size_t n, capacity;
};

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
    /* Who asked (source) and who answered (destination), in every transaction: SOAP endpoint or
     * another stable name, and network address (numeric or a host name, without a port). The
     * AuditMessages of ITI-39 and ITI-43 turn the roles round (the documents' source answers); the
     * renderer does that.
     */
    struct span source_id, source_address;
    struct span destination_id, destination_address;
    int64_t process_id; /* of the node that writes this; set by the journal when 0 */
    /* the human behind it (XUA): alias<user@issuer>, role, organisation */
    struct span user_name;
    struct span user_id; /* plain-text name (subject-id); empty: user_name stands for it */
    struct code role;
    struct span organization;
    struct span delegator; /* in whose name it was asked (QueryAuthGrantor); empty: in its own */
    struct code purpose;
    struct span community;     /* homeCommunityId of the other side, bare OID */
    struct span query_id;      /* queryId or stored query UUID */
    struct span query;         /* exact XML of queryByParameter or AdhocQueryRequest */
    struct span_list patients; /* CX; ITI-39: at most one, one event per patient (ITI TF-2 3.20) */
    struct document_ref_list documents;
    struct span submission_set; /* uniqueId; ITI-41, ITI-80 */
    struct span policy_rule;    /* rule that decided, when one did */
    struct span policy_verdict; /* and how: AUDIT_VERDICT_...; empty: no rule was asked */
    /* Events about the audit itself. What it is about: the journal's folder (AUDIT_LOG_USED: query
     * holds what was asked, query_id the command, patients whom it asked about), "chain/sequence"
     * of the last record that a checkpoint covers, a repository's name, a segment's name. */
    struct span subject;
    struct audit_detail_list details; /* in order; AUDIT_CHECKPOINT, ..._MISSING, ... */
};

#define AUDIT_VERDICT_PERMITTED "permitted"
#define AUDIT_VERDICT_DENIED    "denied"
#define AUDIT_VERDICT_EMERGENCY "permitted in an emergency"

/* Journal payload <-> event: one JSON object, flat, named as the members above; what is empty is
 * absent. Text that is not UTF-8 is kept byte for byte as {"base64": "..."}.
 * Thread: any. Encode appends to <out>; on failure what it appended is to be thrown away. */
MUST_CHECK struct status audit_event_encode(const struct audit_event *event, struct buf *out,
                                            struct diag *diag);
/* Strict: ERR_JOURNAL names the member that is missing, doubled or of the wrong type. Members that
 * it does not know are ignored, so that older nodes can read newer journals. Spans live in <arena>.
 */
MUST_CHECK struct status audit_event_decode(struct span payload, struct arena *arena,
                                            struct diag *diag, struct audit_event *ret_event);

/* DICOM AuditMessage (DICOM PS3.15 A.5; ITI TF-2 3.20, and 3.55.5, 3.38.5, 3.39.5 for the rows).
 * Characters that XML cannot hold become U+FFFD. Appends to <out>, XML declaration first. */
struct audit_source {
    const char *source_id;       /* AuditSourceID of this node: the community's name or OID */
    const char *enterprise_site; /* own homeCommunityId, bare OID; may be NULL */
};
MUST_CHECK struct status audit_message_write(const struct audit_event *event,
                                             const struct audit_source *source, struct buf *out,
                                             struct diag *diag);

/* Where a participant is, for NetworkAccessPointID: its address, else the host of its URL; empty:
 * not known. */
struct span audit_access_point(struct span id, struct span address);

/* Stable names, of JSON and the command line: "ITI-55", "local-access", "node-start"; and of what
 * it is: "Cross Gateway Patient Discovery", "Application Start". */
const char *audit_type_code(enum audit_type type);
const char *audit_type_name(enum audit_type type);
/* "success", "minor failure", "serious failure", "major failure" */
const char *audit_outcome_name(enum audit_outcome outcome);

#endif
