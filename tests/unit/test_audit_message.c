/*
 * AuditMessages, row by row against ITI TF-2 3.55.5, 3.38.5, 3.39.5 and DICOM PS3.15 A.5.3, and all
 * of them against DICOM's schema with xmllint.
 */
#include "audit/event.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define XMLLINT "/usr/bin/xmllint"
#define SCHEMA  "ihe/schema/dicom2017c.xsd"

/* ---- the rows as they must look ---- */

#define CODE(element, code, system, text)                                                          \
    "<" element " csd-code=\"" code "\" codeSystemName=\"" system "\" originalText=\"" text        \
    "\"></" element ">"
#define EVENT(action, outcome, id, text, rest)                                                     \
    "<EventIdentification EventActionCode=\"" action                                               \
    "\" EventDateTime=\"2026-11-22T10:30:00.250Z\" EventOutcomeIndicator=\"" outcome               \
    "\">" CODE("EventID", id, "DCM", text) rest "</EventIdentification>"
#define IHE(code, text) CODE("EventTypeCode", code, "IHE Transactions", text)
#define TEXT(text)      "<EventOutcomeDescription>" text "</EventOutcomeDescription>"
#define PURPOSE                                                                                    \
    "<PurposeOfUse csd-code=\"T-TREAT\" codeSystemName=\"2.16.840.1.113883.3.7204.1.5.2.1\" "      \
    "originalText=\"Treatment\" displayName=\"Treatment\"></PurposeOfUse>"

#define PID "AlternativeUserID=\"4711\" "
#define ASKER(pid, requestor, role)                                                                \
    "<ActiveParticipant UserID=\"https://red.example:8443/deferred?a&amp;b\" " pid                 \
    "UserIsRequestor=\"" requestor "\" NetworkAccessPointID=\"127.0.0.1\" "                        \
    "NetworkAccessPointTypeCode=\"2\">" role "</ActiveParticipant>"
#define ANSWERER(pid, requestor, role)                                                             \
    "<ActiveParticipant UserID=\"https://blue.example:8443/xca\" " pid                             \
    "UserIsRequestor=\"" requestor                                                                 \
    "\" NetworkAccessPointID=\"blue.example\" NetworkAccessPointTypeCode=\"1\">" role              \
    "</ActiveParticipant>"
#define ROLE_SOURCE      CODE("RoleIDCode", "110153", "DCM", "Source Role ID")
#define ROLE_DESTINATION CODE("RoleIDCode", "110152", "DCM", "Destination Role ID")
#define HUMAN                                                                                      \
    "<ActiveParticipant UserID=\"N\xC3\xBA\xC3\xB1"                                                \
    "ez\" UserName=\"al&lt;N\xC3\xBA\xC3\xB1"                                                      \
    "ez@CN=Red>\" UserIsRequestor=\"true\"><RoleIDCode csd-code=\"112247003\" "                    \
    "codeSystemName=\"2.16.840.1.113883.6.96\" originalText=\"Medical doctor\" "                   \
    "displayName=\"Medical doctor\"></RoleIDCode></ActiveParticipant>"
#define SOURCE                                                                                     \
    "<AuditSourceIdentification AuditEnterpriseSiteID=\"2.999.1\" AuditSourceID=\"Red "            \
    "&lt;HIE>\">" CODE("AuditSourceTypeCode", "4", "DCM",                                          \
                       "Application Server Process or Thread") "</AuditSourceIdentification>"

#define OBJECT(id, type, role, id_type, rest)                                                      \
    "<ParticipantObjectIdentification ParticipantObjectID=\"" id                                   \
    "\" ParticipantObjectTypeCode=\"" type "\" ParticipantObjectTypeCodeRole=\"" role              \
    "\">" id_type rest "</ParticipantObjectIdentification>"
#define ID_TYPE(code, system, text) CODE("ParticipantObjectIDTypeCode", code, system, text)
#define DETAIL(type, value)                                                                        \
    "<ParticipantObjectDetail type=\"" type "\" value=\"" value "\"></ParticipantObjectDetail>"
#define PATIENT(id) OBJECT(id, "1", "1", ID_TYPE("2", "RFC-3881", "Patient Number"), "")
#define PATIENT_1   PATIENT("p1^^^&amp;2.999.1&amp;ISO")
#define PATIENT_2   PATIENT("p2^^^&amp;2.999.1&amp;ISO")
#define QUERY(code, text, details)                                                                 \
    OBJECT("urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d", "2", "24",                             \
           ID_TYPE(code, "IHE Transactions", text),                                                \
           "<ParticipantObjectQuery>PHE+4oKsPC9xPg==</ParticipantObjectQuery>" details)
#define DOCUMENT(id, details)                                                                      \
    OBJECT(id, "2", "3", ID_TYPE("9", "RFC-3881", "Report Number"), details)
#define REPOSITORY DETAIL("Repository Unique ID", "Mi45OTkuMi4y") /* 2.999.2.2 */
#define DOCUMENT_1                                                                                 \
    DOCUMENT("2.999.2.3.1", REPOSITORY DETAIL("ihe:homeCommunityID", "dXJuOm9pZDoyLjk5OS4y"))
#define DOCUMENT_2 DOCUMENT("2.999.2.3.2", REPOSITORY)
#define DISCOVERED                                                                                 \
    QUERY("ITI-55", "Cross Gateway Patient Discovery",                                             \
          DETAIL("ihe:homeCommunityID", "Mi45OTkuMg=="))
#define DELEGATOR                                                                                  \
    "<ParticipantObjectIdentification ParticipantObjectID=\"Organization/&lt;7>\" "                \
    "ParticipantObjectTypeCode=\"3\">" ID_TYPE(                                                    \
        "QueryAuthGrantor", "Isthmus",                                                             \
        "Organization in whose name it was asked") "</ParticipantObjectIdentification>"
#define ENCODING DETAIL("QueryEncoding", "VVRGLTg=")
#define ASKED_AS(code, name, home)                                                                 \
    QUERY(code, name, ENCODING DETAIL("urn:ihe:iti:xca:2010:homeCommunityId", home))
#define ASKED_PLAIN(code, name) QUERY(code, name, "")
#define ASKED(home)             ASKED_AS("ITI-38", "Cross Gateway Query", home)
#define SUBMITTED(rest)                                                                            \
    OBJECT("2.999.4.1", "2", "20",                                                                 \
           ID_TYPE("urn:uuid:a54d6aa5-d40d-43f9-88c5-b4633d873bdd", "IHE XDS Metadata",            \
                   "submission set classificationNode"),                                           \
           rest)
#define APPLICATION                                                                                \
    "<ActiveParticipant UserID=\"https://red.example:8443/deferred?a&amp;b\" " PID                 \
    "UserIsRequestor=\"false\" NetworkAccessPointID=\"127.0.0.1\" "                                \
    "NetworkAccessPointTypeCode=\"2\">" CODE("RoleIDCode", "110150", "DCM",                        \
                                             "Application") "</ActiveParticipant>"
#define LAUNCHER                                                                                   \
    "<ActiveParticipant UserID=\"N\xC3\xBA\xC3\xB1"                                                \
    "ez\" UserName=\"al&lt;N\xC3\xBA\xC3\xB1"                                                      \
    "ez@CN=Red>\" UserIsRequestor=\"true\">" CODE(                                                 \
        "RoleIDCode", "110151", "DCM",                                                             \
        "Application Launcher") "<RoleIDCode csd-code=\"112247003\" "                              \
                                "codeSystemName=\"2.16.840.1.113883.6.96\" "                       \
                                "originalText=\"Medical doctor\" displayName=\"Medical "           \
                                "doctor\"></RoleIDCode>"                                           \
                                "</ActiveParticipant>"

#define SELF_REPORTS ANSWERER(PID, "true", "")
#define RULE(verdict)                                                                              \
    OBJECT("deny-research", "2", "13", ID_TYPE("policy-rule", "Isthmus", "Policy rule"),           \
           DETAIL("verdict", verdict))
#define HUMAN_AS(requestor)                                                                        \
    "<ActiveParticipant UserID=\"N\xC3\xBA\xC3\xB1"                                                \
    "ez\" UserName=\"al&lt;N\xC3\xBA\xC3\xB1"                                                      \
    "ez@CN=Red>\" UserIsRequestor=\"" requestor                                                    \
    "\"><RoleIDCode csd-code=\"112247003\" codeSystemName=\"2.16.840.1.113883.6.96\" "             \
    "originalText=\"Medical doctor\" displayName=\"Medical doctor\"></RoleIDCode>"                 \
    "</ActiveParticipant>"
#define READER_PROCESS                                                                             \
    "<ActiveParticipant UserID=\"https://red.example:8443/deferred?a&amp;b\" " PID                 \
    "UserIsRequestor=\"false\" NetworkAccessPointID=\"127.0.0.1\" "                                \
    "NetworkAccessPointTypeCode=\"2\"></ActiveParticipant>"
#define DETAILS           DETAIL("records", "Mw==") DETAIL("hash", "MGY=") /* 3, 0f */
#define ABOUT(code, text) OBJECT("node/17", "2", "13", ID_TYPE(code, "Isthmus", text), DETAILS)

/* ---- the events ---- */

static struct span patients[] = {{"p1^^^&2.999.1&ISO", 17}, {"p2^^^&2.999.1&ISO", 17}};
static struct document_ref documents[] = {
    {{"urn:oid:2.999.2", 15}, {"2.999.2.2", 9}, {"2.999.2.3.1", 11}},
    {{NULL, 0}, {"2.999.2.2", 9}, {"2.999.2.3.2", 11}},
};
static struct audit_detail details[] = {
    {{"records", 7}, {"3", 1}},
    {{"hash", 4}, {"0f", 2}},
};
static const struct audit_source source = {"Red <HIE>", "2.999.1"};

static struct audit_event
make_event(enum audit_type type, enum audit_side side)
{
    return (struct audit_event){
        .type = type,
        .side = side,
        .phase = AUDIT_OUTCOME,
        .time_us = INT64_C(1795343400250000),
        .process_id = 4711,
        .source_id = SPAN("https://red.example:8443/deferred?a&b"),
        .source_address = SPAN("127.0.0.1"),
        .destination_id = SPAN("https://blue.example:8443/xca"),
        .destination_address = SPAN("blue.example"),
        .user_name = SPAN("al<N\xC3\xBA\xC3\xB1"
                          "ez@CN=Red>"),
        .user_id = SPAN("N\xC3\xBA\xC3\xB1"
                        "ez"),
        .role = {SPAN("112247003"), SPAN("2.16.840.1.113883.6.96"), SPAN("Medical doctor")},
        .purpose = {SPAN("T-TREAT"), SPAN("2.16.840.1.113883.3.7204.1.5.2.1"), SPAN("Treatment")},
        .community = SPAN("2.999.2"),
        .query_id = SPAN("urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d"),
        .query = SPAN("<q>\xE2\x82\xAC</q>"),
        .patients = {patients, 2, 2},
        .documents = {documents, 2, 2},
        .submission_set = SPAN("2.999.4.1"),
    };
}

/* Exactly these rows, in this order, and nothing else. */
static const struct {
    const char *name;
    enum audit_type type;
    enum audit_side side;
    enum audit_phase phase;
    enum audit_outcome outcome;
    const char *why;
    size_t patients_n, documents_n;
    const char *rows;
} kinds[] = {
    {"ITI-38, responding, for a delegator", AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 1, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-38", "Cross Gateway Query") PURPOSE)
         ASKER("", "true", ROLE_SOURCE) HUMAN ANSWERER(PID, "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 ASKED("dXJuOm9pZDoyLjk5OS4x") DELEGATOR},
    {"ITI-39, initiating, for a delegator", AUDIT_ITI_39, AUDIT_INITIATING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 0, 1,
     EVENT("C", "0", "110107", "Import", IHE("ITI-39", "Cross Gateway Retrieve") PURPOSE)
         ANSWERER("", "false", ROLE_SOURCE) HUMAN ASKER(PID, "true", ROLE_DESTINATION)
             SOURCE DOCUMENT_1 DELEGATOR},
    {"ITI-55, initiating, for a delegator", AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 0, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-55", "Cross Gateway Patient Discovery") PURPOSE)
         ASKER(PID, "true", ROLE_SOURCE) HUMAN ANSWERER("", "false", ROLE_DESTINATION)
             SOURCE DISCOVERED DELEGATOR},
    {"ITI-55, initiating: no patient", AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS,
     "", 2, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-55", "Cross Gateway Patient Discovery") PURPOSE)
         ASKER(PID, "true", ROLE_SOURCE) HUMAN ANSWERER("", "false", ROLE_DESTINATION)
             SOURCE DISCOVERED},
    {"ITI-55, initiating, intent", AUDIT_ITI_55, AUDIT_INITIATING, AUDIT_INTENT, AUDIT_SUCCESS, "",
     0, 0,
     EVENT("E", "0", "110112", "Query",
           IHE("ITI-55", "Cross Gateway Patient Discovery")
               TEXT("about to be sent; another record has the outcome") PURPOSE)
         ASKER(PID, "true", ROLE_SOURCE) HUMAN ANSWERER("", "false", ROLE_DESTINATION)
             SOURCE DISCOVERED},
    {"ITI-55, responding: one row a patient", AUDIT_ITI_55, AUDIT_RESPONDING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 2, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-55", "Cross Gateway Patient Discovery") PURPOSE)
         ASKER("", "true", ROLE_SOURCE) HUMAN ANSWERER(PID, "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 PATIENT_2 DISCOVERED},
    {"ITI-38, initiating, failed", AUDIT_ITI_38, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_MAJOR,
     "PARTNER_TIMEOUT: 20 s & <more>", 1, 0,
     EVENT("E", "12", "110112", "Query",
           IHE("ITI-38", "Cross Gateway Query") TEXT("PARTNER_TIMEOUT: 20 s &amp; &lt;more&gt;")
               PURPOSE) ASKER(PID, "true", ROLE_SOURCE)
         HUMAN ANSWERER("", "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 ASKED("dXJuOm9pZDoyLjk5OS4y")},
    {"ITI-38, responding: asked was our own community", AUDIT_ITI_38, AUDIT_RESPONDING,
     AUDIT_OUTCOME, AUDIT_SUCCESS, "", 1, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-38", "Cross Gateway Query") PURPOSE)
         ASKER("", "true", ROLE_SOURCE) HUMAN ANSWERER(PID, "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 ASKED("dXJuOm9pZDoyLjk5OS4x")},
    {"ITI-39, initiating: import, the answerer is the source", AUDIT_ITI_39, AUDIT_INITIATING,
     AUDIT_OUTCOME, AUDIT_SUCCESS, "", 1, 2,
     EVENT("C", "0", "110107", "Import", IHE("ITI-39", "Cross Gateway Retrieve") PURPOSE)
         ANSWERER("", "false", ROLE_SOURCE) HUMAN ASKER(PID, "true", ROLE_DESTINATION)
             SOURCE PATIENT_1 DOCUMENT_1 DOCUMENT_2},
    {"ITI-39, responding: export, no patient", AUDIT_ITI_39, AUDIT_RESPONDING, AUDIT_OUTCOME,
     AUDIT_MINOR, "UNKNOWN_DOCUMENT", 1, 1,
     EVENT("R", "4", "110106", "Export",
           IHE("ITI-39", "Cross Gateway Retrieve") TEXT("UNKNOWN_DOCUMENT") PURPOSE)
         ANSWERER(PID, "false", ROLE_SOURCE) HUMAN ASKER("", "true", ROLE_DESTINATION)
             SOURCE DOCUMENT_1},
    {"ITI-18, responding, as ITI-38", AUDIT_ITI_18, AUDIT_RESPONDING, AUDIT_OUTCOME, AUDIT_SUCCESS,
     "", 1, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-18", "Registry Stored Query") PURPOSE)
         ASKER("", "true", ROLE_SOURCE) HUMAN ANSWERER(PID, "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 ASKED_AS("ITI-18", "Registry Stored Query", "dXJuOm9pZDoyLjk5OS4x")},
    {"ITI-47, initiating: whom the supplier knows", AUDIT_ITI_47, AUDIT_INITIATING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 2, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-47", "Patient Demographics Query") PURPOSE)
         ASKER(PID, "true", ROLE_SOURCE) HUMAN ANSWERER("", "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 PATIENT_2 ASKED_PLAIN("ITI-47", "Patient Demographics Query")},
    {"ITI-45, initiating", AUDIT_ITI_45, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS, "", 1, 0,
     EVENT("E", "0", "110112", "Query", IHE("ITI-45", "PIX Query") PURPOSE)
         ASKER(PID, "true", ROLE_SOURCE) HUMAN ANSWERER("", "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 ASKED_PLAIN("ITI-45", "PIX Query")},
    {"ITI-43, initiating, as ITI-39", AUDIT_ITI_43, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS,
     "", 1, 1,
     EVENT("C", "0", "110107", "Import", IHE("ITI-43", "Retrieve Document Set") PURPOSE)
         ANSWERER("", "false", ROLE_SOURCE) HUMAN ASKER(PID, "true", ROLE_DESTINATION)
             SOURCE PATIENT_1 DOCUMENT_1},
    {"ITI-43, responding: export, no patient", AUDIT_ITI_43, AUDIT_RESPONDING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 1, 1,
     EVENT("R", "0", "110106", "Export", IHE("ITI-43", "Retrieve Document Set") PURPOSE) ANSWERER(
         PID, "false", ROLE_SOURCE) HUMAN ASKER("", "true", ROLE_DESTINATION) SOURCE DOCUMENT_1},
    {"ITI-41, initiating: export, the asker is the source", AUDIT_ITI_41, AUDIT_INITIATING,
     AUDIT_OUTCOME, AUDIT_SUCCESS, "", 1, 0,
     EVENT("R", "0", "110106", "Export",
           IHE("ITI-41", "Provide and Register Document Set-b") PURPOSE)
         ASKER(PID, "true", ROLE_SOURCE) HUMAN ANSWERER("", "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 SUBMITTED("")},
    {"ITI-80, responding: import, for our community", AUDIT_ITI_80, AUDIT_RESPONDING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 1, 0,
     EVENT("C", "0", "110107", "Import", IHE("ITI-80", "CrossGatewayDocumentProvide") PURPOSE)
         ASKER("", "true", ROLE_SOURCE) HUMAN ANSWERER(PID, "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 SUBMITTED(
                 DETAIL("urn:ihe:iti:xca:2010:homeCommunityId", "dXJuOm9pZDoyLjk5OS4x"))},
    {"local access with documents", AUDIT_LOCAL_ACCESS, AUDIT_INITIATING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 1, 1,
     EVENT("R", "0", "110106", "Export", PURPOSE) ASKER(PID, "true", ROLE_SOURCE)
         HUMAN ANSWERER("", "false", ROLE_DESTINATION) SOURCE PATIENT_1 OBJECT(
             "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d", "2", "24",
             ID_TYPE("local-access", "Isthmus", "Local Access"),
             "<ParticipantObjectQuery>PHE+4oKsPC9xPg==</ParticipantObjectQuery>") DOCUMENT_1},
    {"authentication failure, responding", AUDIT_AUTHENTICATION_FAILURE, AUDIT_RESPONDING,
     AUDIT_OUTCOME, AUDIT_SERIOUS, "TLS: no certificate", 0, 0,
     EVENT("E", "8", "110113", "Security Alert",
           CODE("EventTypeCode", "110126", "DCM", "Node Authentication") TEXT("TLS: no certificate")
               PURPOSE) ANSWERER(PID, "true", "") ASKER("", "false", "")
         SOURCE OBJECT("https://red.example:8443/deferred?a&amp;b", "2", "13",
                       ID_TYPE("110182", "DCM", "Node ID"),
                       DETAIL("Alert Description", "VExTOiBubyBjZXJ0aWZpY2F0ZQ=="))},
    {"authentication failure, initiating", AUDIT_AUTHENTICATION_FAILURE, AUDIT_INITIATING,
     AUDIT_OUTCOME, AUDIT_SERIOUS, "TLS: no certificate", 0, 0,
     EVENT("E", "8", "110113", "Security Alert",
           CODE("EventTypeCode", "110126", "DCM", "Node Authentication") TEXT("TLS: no certificate")
               PURPOSE) ASKER(PID, "true", "") ANSWERER("", "false", "")
         SOURCE OBJECT("https://blue.example:8443/xca", "2", "13",
                       ID_TYPE("110182", "DCM", "Node ID"),
                       DETAIL("Alert Description", "VExTOiBubyBjZXJ0aWZpY2F0ZQ=="))},
    {"node start", AUDIT_NODE_START, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS, "", 0, 0,
     EVENT("E", "0", "110100", "Application Activity",
           CODE("EventTypeCode", "110120", "DCM", "Application Start") PURPOSE)
         APPLICATION LAUNCHER SOURCE},
    {"node stop", AUDIT_NODE_STOP, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS, "", 0, 0,
     EVENT("E", "0", "110100", "Application Activity",
           CODE("EventTypeCode", "110121", "DCM", "Application Stop") PURPOSE)
         APPLICATION LAUNCHER SOURCE},
    {"configuration", AUDIT_CONFIGURATION_CHANGED, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS,
     "partner blue: removed", 0, 0,
     EVENT("E", "0", "110113", "Security Alert",
           CODE("EventTypeCode", "110131", "DCM", "Software Configuration")
               TEXT("partner blue: removed") PURPOSE) APPLICATION LAUNCHER SOURCE},
    {"ITI-38, responding, denied by a rule", AUDIT_ITI_38, AUDIT_RESPONDING, AUDIT_OUTCOME,
     AUDIT_SERIOUS, "POLICY_DENIED: no", 1, 0,
     EVENT("E", "8", "110112", "Query",
           IHE("ITI-38", "Cross Gateway Query")
               CODE("EventTypeCode", "110132", "DCM", "Use of Restricted Function")
                   TEXT("POLICY_DENIED: no") PURPOSE) ASKER("", "true", ROLE_SOURCE)
         HUMAN ANSWERER(PID, "false", ROLE_DESTINATION)
             SOURCE PATIENT_1 ASKED("dXJuOm9pZDoyLjk5OS4x") RULE("ZGVuaWVk")},
    {"let in in an emergency", AUDIT_EMERGENCY_ACCESS, AUDIT_RESPONDING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 1, 1,
     EVENT("E", "0", "110113", "Security Alert",
           CODE("EventTypeCode", "110127", "DCM", "Emergency Override Started") PURPOSE)
         SELF_REPORTS ASKER("", "false", "") HUMAN_AS("false")
             SOURCE PATIENT_1 DOCUMENT_1 RULE("cGVybWl0dGVkIGluIGFuIGVtZXJnZW5jeQ==")},
    {"the journal was read", AUDIT_LOG_USED, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS, "", 1,
     0,
     EVENT("R", "0", "110101", "Audit Log Used", PURPOSE) HUMAN_AS("true") READER_PROCESS SOURCE
         OBJECT("node/17", "2", "13", ID_TYPE("12", "RFC-3881", "URI"),
                "<ParticipantObjectName>Security Audit Log</ParticipantObjectName>" DETAILS)
             PATIENT_1 OBJECT("urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d", "2", "24",
                              ID_TYPE("audit-log-used", "Isthmus", "Audit Log Used"),
                              "<ParticipantObjectQuery>PHE+4oKsPC9xPg==</ParticipantObjectQuery>")},
    {"checkpoint", AUDIT_CHECKPOINT, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS, "", 0, 0,
     EVENT("E", "0", "110100", "Application Activity",
           CODE("EventTypeCode", "audit-checkpoint", "Isthmus", "Audit Checkpoint") PURPOSE)
         APPLICATION LAUNCHER SOURCE ABOUT("audit-checkpoint", "Audit Checkpoint")},
    {"records missing", AUDIT_RECORDS_MISSING, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_MAJOR,
     "3 records", 0, 0,
     EVENT("E", "12", "110113", "Security Alert",
           CODE("EventTypeCode", "110133", "DCM", "Audit Recording Stopped") TEXT("3 records")
               PURPOSE)
         APPLICATION LAUNCHER SOURCE ABOUT("audit-records-missing", "Audit Recording Stopped")},
    {"a repository is lost", AUDIT_DELIVERY, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_MINOR,
     "PARTNER_CONNECT: refused", 0, 0,
     EVENT("E", "4", "110113", "Security Alert",
           CODE("EventTypeCode", "audit-delivery", "Isthmus", "Audit Delivery")
               TEXT("PARTNER_CONNECT: refused") PURPOSE)
         APPLICATION LAUNCHER SOURCE ABOUT("audit-delivery", "Audit Delivery")},
    {"records were removed", AUDIT_RETENTION, AUDIT_INITIATING, AUDIT_OUTCOME, AUDIT_SUCCESS, "", 0,
     0,
     EVENT("D", "0", "110100", "Application Activity",
           CODE("EventTypeCode", "audit-retention", "Isthmus", "Audit Retention") PURPOSE)
         APPLICATION LAUNCHER SOURCE ABOUT("audit-retention", "Audit Retention")},
};

static void
write_message(const struct audit_event *event, struct buf *xml)
{
    struct diag diag = {0};
    buf_init(xml, 1024 * 1024);
    CHECK_OK(&diag, audit_message_write(event, &source, xml, &diag));
}

static void
write_kind(size_t i, struct buf *xml)
{
    struct audit_event event = make_event(kinds[i].type, kinds[i].side);
    event.phase = kinds[i].phase;
    event.outcome = kinds[i].outcome;
    event.outcome_text = span_of_cstr(kinds[i].why);
    event.patients.n = kinds[i].patients_n;
    if (strstr(kinds[i].rows, "QueryAuthGrantor") != NULL) {
        event.delegator = SPAN("Organization/<7>");
    }
    event.documents.n = kinds[i].documents_n;
    if (event.type > AUDIT_EMERGENCY_ACCESS) { /* about the audit itself */
        event.subject = SPAN("node/17");
        event.details = (struct audit_detail_list){details, ARRAY_LEN(details), 2};
    }
    event.policy_rule = SPAN("deny-research");
    event.policy_verdict = strstr(kinds[i].why, "POLICY_DENIED") != NULL
                               ? SPAN(AUDIT_VERDICT_DENIED)
                           : event.type == AUDIT_EMERGENCY_ACCESS ? SPAN(AUDIT_VERDICT_EMERGENCY)
                                                                  : SPAN(AUDIT_VERDICT_PERMITTED);
    write_message(&event, xml);
}

static void
test_rows(void)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct buf xml;
        struct buf want;
        struct diag diag = {0};
        write_kind(i, &xml);
        buf_init(&want, 1024 * 1024);
        CHECK_OK(&diag, buf_printf(&want, &diag,
                                   "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>%s"
                                   "</AuditMessage>",
                                   kinds[i].rows));
        if (!CHECK_SPAN(buf_span(&xml), want.p)) {
            printf("      in '%s'\n", kinds[i].name);
        }
        buf_done(&xml);
        buf_done(&want);
    }
}

/* ---- DICOM's schema ---- */

static void
run_xmllint(const char *schema, const char *file, const char *log)
{
    const int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd != -1) {
        (void)dup2(fd, STDOUT_FILENO);
        (void)dup2(fd, STDERR_FILENO);
    }
    (void)execl(XMLLINT, "xmllint", "--nonet", "--noout", "--schema", schema, file, (char *)NULL);
    _exit(127);
}

static int
validate(const char *schema, struct span xml)
{
    char file[PATH_MAX];
    char log[PATH_MAX];
    int status = -1;
    (void)snprintf(file, sizeof(file), "%s/message.xml", unit_temp_dir());
    (void)snprintf(log, sizeof(log), "%s/xmllint.log", unit_temp_dir());
    FILE *out = fopen(file, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    CU_ASSERT_EQUAL(fwrite(xml.p, 1, xml.n, out), xml.n);
    (void)fclose(out);
    const pid_t child = fork();
    if (child == 0) {
        run_xmllint(schema, file, log);
    }
    CU_ASSERT_FATAL(child > 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
show_log(void)
{
    char command[PATH_MAX];
    struct buf log;
    struct diag diag = {0};
    (void)snprintf(command, sizeof(command), "%s/xmllint.log", unit_temp_dir());
    buf_init(&log, 65536);
    if (is_ok(buf_read_file(&log, command, &diag))) {
        printf("\n%.*s\n", SPAN_PRINT(buf_span(&log)));
    }
    buf_done(&log);
}

static const char *
find_schema(void)
{
    if (access(XMLLINT, X_OK) != 0) {
        unit_not_run("no %s", XMLLINT);
        return NULL;
    }
    return unit_data_path(SCHEMA);
}

static void
check_valid(const char *schema, const char *name, struct span xml)
{
    if (validate(schema, xml) != 0) {
        printf("\n    '%s' does not validate: %.*s\n", name, SPAN_PRINT(xml));
        show_log();
        CU_FAIL("against the schema");
    }
}

static void
test_schema(void)
{
    const char *schema = find_schema();
    if (schema == NULL) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct buf xml;
        write_kind(i, &xml);
        check_valid(schema, kinds[i].name, buf_span(&xml));
        buf_done(&xml);
    }
}

/* Would the schema notice? An event that has no outcome is none. */
static void
test_schema_refuses(void)
{
    const char *schema = find_schema();
    if (schema == NULL) {
        return;
    }
    struct buf xml;
    write_kind(0, &xml);
    const size_t at = span_find(buf_span(&xml), SPAN("EventOutcomeIndicator=\"0\""));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    xml.p[at + strlen("EventOutcomeIndicator=\"")] = '5';
    CU_ASSERT_EQUAL(validate(schema, buf_span(&xml)), 3);
    buf_done(&xml);
}

/* Nothing but the kind is known: the message is still whole. */
static void
test_bare_events(void)
{
    const char *schema = find_schema();
    for (int type = 0; type < AUDIT_TYPE_COUNT; type++) {
        for (int side = 0; side < 2; side++) {
            struct audit_event event = {
                .type = (enum audit_type)type, .side = (enum audit_side)side, .time_us = 1};
            struct buf xml;
            write_message(&event, &xml);
            CU_ASSERT_NOT_EQUAL(span_find(buf_span(&xml), SPAN("UserID=\"unknown\"")),
                                SPAN_MISSING);
            if (schema != NULL) {
                check_valid(schema, audit_type_code(event.type), buf_span(&xml));
            }
            buf_done(&xml);
        }
    }
}

/* A byte that XML cannot hold never keeps a record from being rendered. */
static void
test_odd_bytes(void)
{
    const char *schema = find_schema();
    struct audit_event event = make_event(AUDIT_ITI_38, AUDIT_RESPONDING);
    struct span odd = SPAN("a\x01\xFF<\xEF\xBF\xBF>");
    struct buf xml;
    event.source_id = odd;
    event.user_name = odd;
    event.role.value = odd;
    event.outcome_text = odd;
    event.query = odd;
    event.query_id = odd;
    event.patients = (struct span_list){&odd, 1, 1};
    write_message(&event, &xml);
    CU_ASSERT_NOT_EQUAL(
        span_find(buf_span(&xml),
                  SPAN("<EventOutcomeDescription>a\xEF\xBF\xBD\xEF\xBF\xBD&lt;\xEF\xBF\xBD&gt;<")),
        SPAN_MISSING);
    /* the query itself is kept byte for byte */
    CU_ASSERT_NOT_EQUAL(span_find(buf_span(&xml), SPAN("YQH/PO+/vz4=")), SPAN_MISSING);
    if (schema != NULL) {
        check_valid(schema, "odd bytes", buf_span(&xml));
    }
    buf_done(&xml);
}

static void
test_addresses(void)
{
    static const struct {
        const char *address;
        const char *type;
    } cases[] = {
        {"10.0.0.1", "\"2\""},
        {"2001:db8::1", "\"2\""},
        {"::ffff:10.0.0.1", "\"2\""},
        {"host.example", "\"1\""},
        {"10.0.0.256", "\"1\""},
        {"a-host-name-that-is-longer-than-any-numeric-address-can-be.example", "\"1\""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct audit_event event = {.source_address = span_of_cstr(cases[i].address)};
        char want[160];
        struct buf xml;
        (void)snprintf(want, sizeof(want),
                       "NetworkAccessPointID=\"%s\" NetworkAccessPointTypeCode=%s",
                       cases[i].address, cases[i].type);
        write_message(&event, &xml);
        CU_ASSERT_NOT_EQUAL(span_find(buf_span(&xml), span_of_cstr(want)), SPAN_MISSING);
        buf_done(&xml);
    }
}

static struct status
render(struct diag *diag)
{
    struct audit_event event = make_event(AUDIT_ITI_39, AUDIT_INITIATING);
    struct buf xml;
    event.outcome_text = SPAN("odd \x01");
    buf_init(&xml, 1024 * 1024);
    const struct status st = audit_message_write(&event, &source, &xml, diag);
    buf_done(&xml);
    return st;
}

static void
test_without_memory(void)
{
    unit_torture(render);
}

static const struct unit_test tests[] = {
    /* REQ: ITI40-audit, ITI40-user-name, ITI20-query-rows, ITI20-import, ITI20-export */
    /* REQ: ITI20-documents, ITI20-purpose, ITI20-failures, ITI20-start-stop */
    /* REQ: ITI20-submission-rows */
    {"rows of every kind", test_rows},
    /* REQ: ITI20-schema */
    {"every kind is valid DICOM", test_schema},
    {"the schema would notice", test_schema_refuses},
    {"events of which nothing is known", test_bare_events},
    {"bytes that XML cannot hold", test_odd_bytes},
    {"network access points", test_addresses},
    {"every failed allocation is survived", test_without_memory},
};
UNIT_MAIN("audit message", tests)
