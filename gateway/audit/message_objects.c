/*
 * The ParticipantObjectIdentification rows of an AuditMessage: patients, the query, documents, the
 * subject of an alert (ITI TF-2 3.55.5, 3.38.5, 3.39.5, 3.41.5, 3.43.6; DICOM PS3.15 A.5.3.11).
 * Called by message.c.
 */
#include "audit/message_rows.h"

#include <stdio.h>

#include "base/digest.h"

enum object_type { OBJECT_PERSON = 1, OBJECT_SYSTEM = 2 };
#define TYPE_ORGANIZATION "3"

#define ROLE_PATIENT  "1"
#define ROLE_JOB      "20"
#define ROLE_REPORT   "3"
#define ROLE_RESOURCE "13" /* security resource */
#define ROLE_QUERY    "24"

/* Three spellings of one fact; each transaction's section fixes its own (ITI-43 differs from
 * ITI-18 on purpose). */
#define DETAIL_COMMUNITY       "ihe:homeCommunityID"
#define DETAIL_COMMUNITY_QUERY "urn:ihe:iti:xca:2010:homeCommunityId"
#define DETAIL_REPOSITORY      "Repository Unique ID"
#define DETAIL_ENCODING        "QueryEncoding"
#define DETAIL_ALERT           "Alert Description"

static const struct audit_code id_patient = {"2", "RFC-3881", "Patient Number"};
static const struct audit_code id_report = {"9", "RFC-3881", "Report Number"};
static const struct audit_code id_submission_set = {"urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd",
                                                    "IHE XDS Metadata",
                                                    "submission set classificationNode"};
/* No code of DICOM's or IHE's names whom a delegate asks for. */
static const struct audit_code id_delegator = {"QueryAuthGrantor", "Isthmus",
                                               "Organization in whose name it was asked"};
static const struct audit_code id_rule = {"policy-rule", "Isthmus", "Policy rule"};
static const struct audit_code id_log = {"12", "RFC-3881", "URI"};
static const struct audit_code id_node = {"110182", "DCM", "Node ID"};

static void
start_object(struct message *m, struct span id, enum object_type type, const char *role,
             const struct audit_code *id_type)
{
    xmlw_start(m->w, "ParticipantObjectIdentification");
    message_attr(m, "ParticipantObjectID", id);
    xmlw_attr_cstr(m->w, "ParticipantObjectTypeCode", type == OBJECT_PERSON ? "1" : "2");
    xmlw_attr_cstr(m->w, "ParticipantObjectTypeCodeRole", role);
    message_code(m, "ParticipantObjectIDTypeCode", id_type);
}

static struct span
base64_of(struct message *m, struct span bytes)
{
    buf_reset(m->scratch);
    if (is_ok(m->w->status)) {
        m->w->status = base64_encode(bytes, m->scratch, m->diag);
    }
    return buf_span(m->scratch);
}

static void
write_detail(struct message *m, const char *type, struct span value)
{
    if (value.n == 0) {
        return;
    }
    xmlw_start(m->w, "ParticipantObjectDetail");
    xmlw_attr_cstr(m->w, "type", type);
    xmlw_attr(m->w, "value", base64_of(m, value));
    xmlw_end(m->w);
}

static void
write_patients(struct message *m)
{
    for (size_t i = 0; i < m->event->patients.n; i++) {
        start_object(m, m->event->patients.items[i], OBJECT_PERSON, ROLE_PATIENT, &id_patient);
        xmlw_end(m->w);
    }
}

/* ITI-55 names the other side's community as it stands in the message, a bare OID. */
static void
write_discovery_details(struct message *m)
{
    write_detail(m, DETAIL_COMMUNITY, m->event->community);
}

/* ITI-38 names the community that was asked, as the query's "home" attribute does; ITI-80 the one
 * that the documents are for. */
static void
write_home_detail(struct message *m)
{
    const struct span asked = m->event->side == AUDIT_INITIATING
                                  ? m->event->community
                                  : span_of_cstr(m->source->enterprise_site);
    char home[128];
    if (asked.n > 0 && asked.n < sizeof(home) - sizeof("urn:oid:")) {
        (void)snprintf(home, sizeof(home), "urn:oid:%.*s", SPAN_PRINT(asked));
        write_detail(m, DETAIL_COMMUNITY_QUERY, span_of_cstr(home));
    }
}

/* REQ: ITI20-query-rows */
static void
write_query(struct message *m)
{
    const struct audit_event *event = m->event;
    const bool is_local = event->type == AUDIT_LOCAL_ACCESS || event->type == AUDIT_LOG_USED;
    const struct audit_code id_type = {audit_type_code(event->type),
                                       is_local ? "Isthmus" : "IHE Transactions",
                                       audit_type_name(event->type)};
    start_object(m, event->query_id, OBJECT_SYSTEM, ROLE_QUERY, &id_type);
    if (event->query.n > 0) {
        xmlw_element(m->w, "ParticipantObjectQuery", base64_of(m, event->query));
    }
    if (event->type == AUDIT_ITI_55) {
        write_discovery_details(m);
    } else if (event->type == AUDIT_ITI_38 || event->type == AUDIT_ITI_18) {
        write_detail(m, DETAIL_ENCODING, SPAN("UTF-8"));
        write_home_detail(m);
    }
    xmlw_end(m->w);
}

/* REQ: ITI20-documents */
static void
write_documents(struct message *m)
{
    for (size_t i = 0; i < m->event->documents.n; i++) {
        const struct document_ref *document = &m->event->documents.items[i];
        start_object(m, document->unique_id, OBJECT_SYSTEM, ROLE_REPORT, &id_report);
        write_detail(m, DETAIL_REPOSITORY, document->repository);
        write_detail(m, DETAIL_COMMUNITY, document->home);
        xmlw_end(m->w);
    }
}

static void
write_submission_set(struct message *m)
{
    start_object(m, m->event->submission_set.n > 0 ? m->event->submission_set : SPAN("unknown"),
                 OBJECT_SYSTEM, ROLE_JOB, &id_submission_set);
    if (m->event->type == AUDIT_ITI_80) {
        write_home_detail(m);
    }
    xmlw_end(m->w);
}

/* The schema has no role for it (DICOM PS3.15 A.5.2.7 leaves the role out where none fits). */
static void
write_delegator(struct message *m)
{
    if (m->event->delegator.n == 0) {
        return;
    }
    xmlw_start(m->w, "ParticipantObjectIdentification");
    message_attr(m, "ParticipantObjectID", m->event->delegator);
    xmlw_attr_cstr(m->w, "ParticipantObjectTypeCode", TYPE_ORGANIZATION);
    message_code(m, "ParticipantObjectIDTypeCode", &id_delegator);
    xmlw_end(m->w);
}

static void
write_local(struct message *m)
{
    write_patients(m);
    if (m->event->query_id.n > 0 || m->event->query.n > 0) {
        write_query(m);
    }
    write_documents(m);
}

/* The alert's subject is the peer that failed to prove itself. */
static void
write_alert(struct message *m)
{
    const struct audit_event *event = m->event;
    const bool is_responding = event->side == AUDIT_RESPONDING;
    const struct span id = is_responding ? event->source_id : event->destination_id;
    const struct span address = is_responding ? event->source_address : event->destination_address;
    start_object(m,
                 id.n > 0        ? id
                 : address.n > 0 ? address
                                 : SPAN("unknown"),
                 OBJECT_SYSTEM, ROLE_RESOURCE, &id_node);
    write_detail(m, DETAIL_ALERT, event->outcome_text);
    xmlw_end(m->w);
}

/* Who was refused, or let in past what consent withholds, and by which rule. */
static void
write_rule(struct message *m)
{
    const struct audit_event *event = m->event;
    if (event->policy_rule.n == 0) {
        return;
    }
    start_object(m, event->policy_rule, OBJECT_SYSTEM, ROLE_RESOURCE, &id_rule);
    write_detail(m, "verdict", event->policy_verdict);
    xmlw_end(m->w);
}

static void
write_details(struct message *m)
{
    for (size_t i = 0; i < m->event->details.n; i++) {
        const struct audit_detail *detail = &m->event->details.items[i];
        xmlw_start(m->w, "ParticipantObjectDetail");
        message_attr(m, "type", detail->name);
        xmlw_attr(m->w, "value", base64_of(m, detail->value));
        xmlw_end(m->w);
    }
}

/* PS3.15 A.5.3.2: the log, by its place; then whom and what it was asked about. */
static void
write_log(struct message *m)
{
    const struct audit_event *event = m->event;
    start_object(m, event->subject.n > 0 ? event->subject : SPAN("unknown"), OBJECT_SYSTEM,
                 ROLE_RESOURCE, &id_log);
    xmlw_element(m->w, "ParticipantObjectName", SPAN("Security Audit Log"));
    write_details(m);
    xmlw_end(m->w);
    write_local(m);
}

/* What an event about the audit itself is about. */
static void
write_subject(struct message *m)
{
    const struct audit_event *event = m->event;
    const struct audit_code id_type = {audit_type_code(event->type), "Isthmus",
                                       audit_type_name(event->type)};
    if (event->subject.n == 0 && event->details.n == 0) {
        return;
    }
    start_object(m, event->subject.n > 0 ? event->subject : SPAN("unknown"), OBJECT_SYSTEM,
                 ROLE_RESOURCE, &id_type);
    write_details(m);
    xmlw_end(m->w);
}

/* REQ: ITI20-submission-rows */
void
message_objects(struct message *m)
{
    const bool is_initiating = m->event->side == AUDIT_INITIATING;
    switch (m->event->type) {
    case AUDIT_ITI_55:
        if (!is_initiating) { /* the initiating side has demographics, no patient id yet */
            write_patients(m);
        }
        write_query(m);
        write_delegator(m);
        break;
    case AUDIT_ITI_38:
    case AUDIT_ITI_18:
    case AUDIT_ITI_47:
    case AUDIT_ITI_45:
    case AUDIT_ITI_56:
        write_patients(m);
        write_query(m);
        write_delegator(m);
        break;
    case AUDIT_ITI_41:
    case AUDIT_ITI_80:
        write_patients(m);
        write_submission_set(m);
        write_delegator(m);
        break;
    case AUDIT_ITI_39:
    case AUDIT_ITI_43:
        if (is_initiating) { /* the exporting side's table has no patient row */
            write_patients(m);
        }
        write_documents(m);
        write_delegator(m);
        break;
    case AUDIT_LOCAL_ACCESS:
        write_local(m);
        if (m->event->submission_set.n > 0) {
            write_submission_set(m);
        }
        write_delegator(m);
        break;
    case AUDIT_AUTHENTICATION_FAILURE:
        write_alert(m);
        break;
    case AUDIT_EMERGENCY_ACCESS:
        write_patients(m);
        write_documents(m);
        write_rule(m);
        break;
    case AUDIT_LOG_USED:
        write_log(m);
        break;
    case AUDIT_NODE_START:
    case AUDIT_NODE_STOP:
    case AUDIT_CONFIGURATION_CHANGED:
    case AUDIT_CHECKPOINT:
    case AUDIT_RECORDS_MISSING:
    case AUDIT_DELIVERY:
    case AUDIT_RETENTION:
    case AUDIT_TYPE_COUNT:
        write_subject(m);
        break;
    }
    if (message_is_denial(m->event)) {
        write_rule(m);
    }
}
