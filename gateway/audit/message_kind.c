/*
 * What kind of AuditMessage an event is: EventID, action, type and shape, by DICOM PS3.15 A.5.3
 * (and its CID 400 and 401) and IHE's tables (ITI TF-2 3.38.5, 3.39.5, 3.41.5, 3.43.5, 3.55.5).
 * Called by message.c and message_objects.c. No state.
 */
#include <string.h>

#include "audit/message_rows.h"

static const struct audit_code event_activity = {"110100", "DCM", "Application Activity"};
static const struct audit_code event_log_used = {"110101", "DCM", "Audit Log Used"};
static const struct audit_code event_export = {"110106", "DCM", "Export"};
static const struct audit_code event_import = {"110107", "DCM", "Import"};
static const struct audit_code event_query = {"110112", "DCM", "Query"};
static const struct audit_code event_security = {"110113", "DCM", "Security Alert"};

#define NO_TYPE                                                                                    \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }
#define IHE "IHE Transactions"

/* clang-format off */
/* By type and side. IHE's transactions get their code and name from event.c; documents flow from
 * whoever answers a retrieval, and from whoever sends a submission. */
static const struct message_kind kinds[AUDIT_TYPE_COUNT][2] = {
#define BOTH(...) {__VA_ARGS__, __VA_ARGS__}
#define ASKING [AUDIT_INITIATING]
#define ANSWERING [AUDIT_RESPONDING]
#define QUERY {&event_query, "E", {NULL, IHE, NULL}, MESSAGE_EXCHANGE}
#define IMPORT {&event_import, "C", {NULL, IHE, NULL}, MESSAGE_EXCHANGE}
#define EXPORT {&event_export, "R", {NULL, IHE, NULL}, MESSAGE_EXCHANGE}
    [AUDIT_ITI_55] = BOTH(QUERY),
    [AUDIT_ITI_38] = BOTH(QUERY),
    [AUDIT_ITI_18] = BOTH(QUERY),
    [AUDIT_ITI_47] = BOTH(QUERY),
    [AUDIT_ITI_45] = BOTH(QUERY),
    [AUDIT_ITI_56] = BOTH(QUERY),
    [AUDIT_ITI_39] = {ASKING = IMPORT, ANSWERING = EXPORT},
    [AUDIT_ITI_43] = {ASKING = IMPORT, ANSWERING = EXPORT},
    [AUDIT_ITI_41] = {ASKING = EXPORT, ANSWERING = IMPORT},
    [AUDIT_ITI_80] = {ASKING = EXPORT, ANSWERING = IMPORT},
    [AUDIT_LOCAL_ACCESS] = BOTH({&event_query, "E", NO_TYPE, MESSAGE_EXCHANGE}),
    [AUDIT_AUTHENTICATION_FAILURE] =
        BOTH({&event_security, "E", {"110126", "DCM", "Node Authentication"}, MESSAGE_ALERT}),
    [AUDIT_NODE_START] =
        BOTH({&event_activity, "E", {"110120", "DCM", "Application Start"}, MESSAGE_ACTIVITY}),
    [AUDIT_NODE_STOP] =
        BOTH({&event_activity, "E", {"110121", "DCM", "Application Stop"}, MESSAGE_ACTIVITY}),
    [AUDIT_CONFIGURATION_CHANGED] =
        BOTH({&event_security, "E", {"110131", "DCM", "Software Configuration"}, MESSAGE_ACTIVITY}),
    [AUDIT_EMERGENCY_ACCESS] =
        BOTH({&event_security, "E", {"110127", "DCM", "Emergency Override Started"}, MESSAGE_ALERT}),
    [AUDIT_LOG_USED] = BOTH({&event_log_used, "R", NO_TYPE, MESSAGE_LOG_USED}),
    [AUDIT_CHECKPOINT] =
        BOTH({&event_activity, "E", {"audit-checkpoint", "Isthmus", "Audit Checkpoint"}, MESSAGE_ACTIVITY}),
    [AUDIT_RECORDS_MISSING] =
        BOTH({&event_security, "E", {"110133", "DCM", "Audit Recording Stopped"}, MESSAGE_ACTIVITY}),
    [AUDIT_DELIVERY] =
        BOTH({&event_security, "E", {"audit-delivery", "Isthmus", "Audit Delivery"}, MESSAGE_ACTIVITY}),
    [AUDIT_RETENTION] =
        BOTH({&event_activity, "D", {"audit-retention", "Isthmus", "Audit Retention"}, MESSAGE_ACTIVITY}),
};
/* clang-format on */

struct message_kind
message_kind_of(const struct audit_event *event)
{
    struct message_kind kind = kinds[event->type][event->side];
    if (event->type == AUDIT_LOCAL_ACCESS && event->submission_set.n > 0) { /* into the store */
        kind.event = &event_import;
        kind.action = "C";
    } else if (event->type == AUDIT_LOCAL_ACCESS && event->documents.n > 0) { /* out of it */
        kind.event = &event_export;
        kind.action = "R";
    }
    if (kind.type.code == NULL && kind.type.system != NULL) {
        kind.type.code = audit_type_code(event->type);
        kind.type.text = audit_type_name(event->type);
    }
    return kind;
}

bool
message_is_denial(const struct audit_event *event)
{
    return span_eq_cstr(event->policy_verdict, AUDIT_VERDICT_DENIED);
}
