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

#include "tests/unit/audit_kinds.h"
#include "tests/unit/unit.h"

#define XMLLINT "/usr/bin/xmllint"
#define SCHEMA  "ihe/schema/dicom2017c.xsd"

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
    struct audit_event event = sample_event(kinds[i].type, kinds[i].side);
    event.phase = kinds[i].phase;
    event.outcome = kinds[i].outcome;
    event.outcome_text = span_of_cstr(kinds[i].why);
    event.patients.n = kinds[i].patients_n;
    if (strstr(kinds[i].rows, "QueryAuthGrantor") != NULL) {
        event.delegator = SPAN("Organization/<7>");
    }
    event.documents.n = kinds[i].documents_n;
    if (strstr(kinds[i].rows, "2.999.4.1") == NULL) {
        event.submission_set = SPAN_EMPTY;
    }
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
    struct audit_event event = sample_event(AUDIT_ITI_38, AUDIT_RESPONDING);
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

/* Without an address the URL says where it is. */
static void
test_access_points(void)
{
    static const struct {
        const char *id, *address, *want;
    } cases[] = {
        {"", "", ""},
        {"urn:oid:2.999.1", "", ""},
        {"Red", "", ""},
        {"https:", "", ""},
        {"https://", "", ""},
        {"https://red.example", "", "red.example"},
        {"https://red.example:8443/a", "", "red.example"},
        {"https://red.example/a:b", "", "red.example"},
        {"https://red.example?a", "", "red.example"},
        {"https://127.0.0.1:8443", "", "127.0.0.1"},
        {"https://[2001:db8::1]:8443/a", "", "2001:db8::1"},
        {"https://[", "", ""},
        {"https://red.example", "10.0.0.1", "10.0.0.1"},
        {"", "10.0.0.1", "10.0.0.1"},
        {"system:ehr", "unix", "localhost"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK_SPAN(audit_access_point(span_of_cstr(cases[i].id), span_of_cstr(cases[i].address)),
                   cases[i].want);
    }
}

static struct status
render(struct diag *diag)
{
    struct audit_event event = sample_event(AUDIT_ITI_39, AUDIT_INITIATING);
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
    /* REQ: ITI20-access-points */
    {"network access points of URLs", test_access_points},
    {"every failed allocation is survived", test_without_memory},
};
UNIT_MAIN("audit message", tests)
