/*
 * One event with something in every member that the renderers of audit records look at, for their
 * tests: AuditMessages (test_audit_message.c) and AuditEvents (test_audit_fhir.c) of the same
 * facts.
 */
#ifndef TESTS_UNIT_AUDIT_SAMPLE_H
#define TESTS_UNIT_AUDIT_SAMPLE_H

#include "audit/event.h"

static struct span sample_patients[] = {{"p1^^^&2.999.1&ISO", 17}, {"p2^^^&2.999.1&ISO", 17}};
static struct document_ref sample_documents[] = {
    {{"urn:oid:2.999.2", 15}, {"2.999.2.2", 9}, {"2.999.2.3.1", 11}},
    {{NULL, 0}, {"2.999.2.2", 9}, {"2.999.2.3.2", 11}},
};
static const struct audit_source source = {"Red <HIE>", "2.999.1"};

/* Two patients and two documents; transaction, organisation and delegator are left out. */
static struct audit_event
sample_event(enum audit_type type, enum audit_side side)
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
        .patients = {sample_patients, 2, 2},
        .documents = {sample_documents, 2, 2},
        .submission_set = SPAN("2.999.4.1"),
    };
}

#endif
