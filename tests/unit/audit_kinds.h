/*
 * AuditMessages as they must look, for one event of each kind: the rows of ITI TF-2 3.55.5, 3.38.5,
 * 3.39.5 and DICOM PS3.15 A.5.3, written out. For test_audit_message.c alone.
 */
#ifndef AUDIT_KINDS_H
#define AUDIT_KINDS_H

#include "tests/unit/audit_sample.h"

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

static struct audit_detail details[] = {
    {{"records", 7}, {"3", 1}},
    {{"hash", 4}, {"0f", 2}},
};
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
    {"local access, documents put in", AUDIT_LOCAL_ACCESS, AUDIT_INITIATING, AUDIT_OUTCOME,
     AUDIT_SUCCESS, "", 1, 1,
     EVENT("C", "0", "110107", "Import", PURPOSE) ASKER(PID, "true", ROLE_SOURCE)
         HUMAN ANSWERER("", "false", ROLE_DESTINATION) SOURCE PATIENT_1 OBJECT(
             "urn:uuid:14d4debf-8f97-4251-9a74-a90016b0af0d", "2", "24",
             ID_TYPE("local-access", "Isthmus", "Local Access"),
             "<ParticipantObjectQuery>PHE+4oKsPC9xPg==</ParticipantObjectQuery>")
             DOCUMENT_1 SUBMITTED("")},
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

#endif
