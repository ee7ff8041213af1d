/*
 * `audit.repositories` as it is read: every mistake that it can have, with the exact line that the
 * operator reads; what is left out; what a reload says about it.
 */
#include <string.h>

#include "config/config_changes.h"
#include "config_world.h"
#include "unit.h"

#define MAIN "isthmus.yaml:"

static const struct mistake mistakes[] = {
    {15, "audit: {journal: var/audit, repositories: x}",
     MAIN "15:43: error: repositories: expected a list of repositories, got 'x'\n"},
    {15, "audit: {journal: var/audit, repositories: [x]}",
     MAIN
     "15:44: error: expected 'key: value' pairs such as syslog-tls: arr.example:6514, got 'x'\n"},
    {15, "audit: {journal: var/audit, repositories: [{}]}",
     MAIN "15:44: error: no address; expected one of 'syslog-tls: host:port', 'syslog-udp: "
          "host:port', 'fhir: https://host/path'\n"},
    {15, "audit: {journal: var/audit, repositories: [{name: a}]}",
     MAIN "15:44: error: no address; expected one of 'syslog-tls: host:port', 'syslog-udp: "
          "host:port', 'fhir: https://host/path'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a.example:6514', syslog-udp: "
     "'a.example:514'}]}",
     MAIN "15:87: error: 'syslog-tls' and 'syslog-udp': one repository has one address; make two "
          "entries\n"},
    {15, "audit: {journal: var/audit, repositories: [{syslog-tls: 'a.example:6514'}]}",
     MAIN "15:44: error: missing 'trust'\n"},
    {15, "audit: {journal: var/audit, repositories: [{syslog-tls: 'a.example', trust: partners}]}",
     MAIN
     "15:57: error: syslog-tls: expected host:port such as arr.example:6514, got 'a.example'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a.example:0', trust: partners}]}",
     MAIN
     "15:57: error: syslog-tls: expected host:port such as arr.example:6514, got 'a.example:0'\n"},
    {15, "audit: {journal: var/audit, repositories: [{syslog-tls: 'a b:1', trust: partners}]}",
     MAIN "15:57: error: syslog-tls: expected host:port such as arr.example:6514, got 'a b:1'\n"},
    {15, "audit: {journal: var/audit, repositories: [{syslog-tls: 'a:1', trust: nobody}]}",
     MAIN "15:71: error: trust 'nobody' is not in 'trust'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a:1', trust: partners, credential: "
     "nobody}]}",
     MAIN "15:93: error: credential 'nobody' is not in 'credentials'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a:1', trust: partners, name: A}]}",
     MAIN
     "15:87: error: name: expected lower-case letters, digits, '-' and '_', at most 32, got 'A'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a:1', trust: partners}, "
     "{syslog-tls: 'A:1', trust: partners}]}",
     MAIN "15:82: error: another repository has the name 'a-1'; set another 'name'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-udp: 'a:1', name: a}, {syslog-udp: 'b:1', "
     "name: a}]}",
     MAIN "15:100: error: another repository has the name 'a'; set another 'name'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-udp: "
     "'aaaaaaaaaabbbbbbbbbbccccccccccdd.example:514'}]}",
     MAIN "15:44: error: no name can be made of the address; set 'name' (lower-case letters, "
          "digits, '-' and '_', at most 32)\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-udp: 'a:1', trust: partners, credential: "
     "node, certificate_name: b}]}",
     MAIN "15:64: error: 'trust' has no effect with syslog-udp; remove it\n" MAIN
          "15:81: error: 'credential' has no effect with syslog-udp; remove it\n" MAIN
          "15:99: error: 'certificate_name' has no effect with syslog-udp; remove it\n"},
    {15, "audit: {journal: var/audit, repositories: [{syslog-udp: 'a:1', resend: {age: 1s}}]}",
     MAIN "15:64: error: 'resend' has no effect with syslog-udp; remove it\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{fhir: 'https://a.example/r', trust: partners, "
     "resend: {age: 1s}}]}",
     MAIN "15:91: error: 'resend' has no effect with fhir; remove it\n"},
    {15, "audit: {journal: var/audit, repositories: [{syslog-udp: 'a:1', fhir_ids: put}]}",
     MAIN "15:64: error: 'fhir_ids' has no effect with syslog-udp; remove it\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{fhir: 'https://a.example/r', trust: partners, "
     "fhir_ids: patch}]}",
     MAIN "15:101: error: fhir_ids: expected one of post, put, got 'patch'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{fhir: 'http://a.example/r', trust: partners}]}",
     MAIN "15:51: error: fhir: 'http://a.example/r' is not encrypted; expected "
          "https://host[:port]/path\n"},
    {15, "audit: {journal: var/audit, repositories: [{fhir: 'https://a.example/r'}]}",
     MAIN "15:44: error: missing 'trust'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a:1', trust: partners, "
     "certificate_name: '*.example'}]}",
     MAIN "15:99: error: certificate_name: expected one name, without '*', got '*.example'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a:1', trust: partners, resend: "
     "{age: 0s, bytes: 1KB, n: 1}}]}",
     MAIN "15:111: error: unknown key 'n'; expected one of: age, bytes\n" MAIN
          "15:95: error: age '0s' is out of range; expected 1s to 1h\n" MAIN
          "15:106: error: bytes '1KB' is out of range; expected 64KB to 1GB\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-tls: 'a:1', trust: partners, alarm: soon, "
     "timeout: 1h}]}",
     MAIN "15:88: error: alarm: expected a time such as 20s, 500ms or 1m, got 'soon'\n" MAIN
          "15:103: error: timeout '1h' is out of range; expected 1s to 10m\n"},
    {15, "audit: {journal: var/audit, repositories: [{syslog_tls: 'a:1'}]}",
     MAIN "15:45: error: unknown key 'syslog_tls'; did you mean 'syslog-tls'?\n" MAIN
          "15:44: error: no address; expected one of 'syslog-tls: host:port', 'syslog-udp: "
          "host:port', 'fhir: https://host/path'\n"},
    {15,
     "audit: {journal: var/audit, repositories: [{syslog-udp: 'a:1'}, {syslog-udp: 'a:2'}, "
     "{syslog-udp: 'a:3'}, {syslog-udp: 'a:4'}, {syslog-udp: 'a:5'}, {syslog-udp: 'a:6'}, "
     "{syslog-udp: 'a:7'}, {syslog-udp: 'a:8'}, {syslog-udp: 'a:9'}, {syslog-udp: 'a:10'}, "
     "{syslog-udp: 'a:11'}, {syslog-udp: 'a:12'}, {syslog-udp: 'a:13'}, {syslog-udp: 'a:14'}, "
     "{syslog-udp: 'a:15'}, {syslog-udp: 'a:16'}, {syslog-udp: 'a:17'}]}",
     MAIN "15:387: error: more than 16 audit repositories\n"},
};

static void
test_mistakes(void)
{
    write_blue(0, NULL);
    write_gold(0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        write_main(mistakes[i].line, mistakes[i].instead);
        check_refused(mistakes[i].instead, mistakes[i].report);
    }
}

/* Nobody asks about a repository's certificate in a handshake. */
static void
test_ocsp_refused(void)
{
    static const char anchors[] = "anchors: red/ca.pem, ";
    struct diag diag = {0};
    struct buf before;
    struct buf after;
    buf_init(&before, 65536);
    buf_init(&after, 65536);
    write_main(15, "audit: {journal: var/audit, repositories: ["
                   "{syslog-tls: 'a:1', trust: partners}]}");
    CHECK_OK(&diag, buf_read_file(&before, path_of("isthmus.yaml"), &diag));
    const size_t at = span_find(buf_span(&before), span_of_cstr(anchors));
    CHECK_OK(&diag, buf_append(&after, span_slice(buf_span(&before), 0, at), &diag));
    CHECK_OK(&diag,
             buf_append_cstr(&after, "fetch_hosts: [a.example], ocsp: {mode: soft}, ", &diag));
    CHECK_OK(&diag, buf_append(&after, span_slice(buf_span(&before), at, before.n), &diag));
    write_text("isthmus.yaml", after.p);
    check_refused("trust with ocsp",
                  MAIN "15:71: error: trust 'partners' has 'ocsp', which is asked about partners "
                       "only; name one without\n");
    buf_done(&before);
    buf_done(&after);
}

static void
load_repositories(const char *line, struct loaded *loaded)
{
    write_main(15, line);
    load(loaded);
    CHECK_OK(&loaded->diag, loaded->status);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded->config);
}

static void
test_none(void)
{
    struct loaded loaded;
    load_repositories("audit: {journal: var/audit}", &loaded);
    CU_ASSERT_EQUAL(loaded.config->audit_repositories_n, 0);
    unload(&loaded);
}

static void
test_defaults(void)
{
    struct loaded loaded;
    load_repositories("audit: {journal: var/audit, repositories: ["
                      "{syslog-tls: 'ARR.example:6514', trust: partners}, "
                      "{syslog-udp: '[2001:db8::1]:514'}, "
                      "{fhir: 'https://arr.example/fhir/r4/', trust: partners}]}",
                      &loaded);
    CU_ASSERT_EQUAL_FATAL(loaded.config->audit_repositories_n, 3);
    const struct config_audit_repository *tls = &loaded.config->audit_repositories[0];
    const struct config_audit_repository *udp = &loaded.config->audit_repositories[1];
    const struct config_audit_repository *fhir = &loaded.config->audit_repositories[2];
    CU_ASSERT_EQUAL(tls->kind, CONFIG_AUDIT_SYSLOG_TLS);
    CU_ASSERT_STRING_EQUAL(tls->name, "arr-example-6514");
    CU_ASSERT_STRING_EQUAL(tls->host, "ARR.example");
    CU_ASSERT_EQUAL(tls->port, 6514);
    CU_ASSERT_STRING_EQUAL(tls->certificate_name, "ARR.example");
    CU_ASSERT_PTR_EQUAL(tls->credential, loaded.config->node);
    CU_ASSERT_PTR_EQUAL(tls->trust, loaded.config->partner_trust);
    CU_ASSERT_EQUAL(tls->resend_age_us, 30 * US_PER_S);
    CU_ASSERT_EQUAL(tls->resend_bytes, (size_t)10 * 1024 * 1024);
    CU_ASSERT_EQUAL(tls->alarm_us, 900 * US_PER_S);
    CU_ASSERT_EQUAL(tls->timeout_us, 20 * US_PER_S);
    CU_ASSERT_EQUAL(udp->kind, CONFIG_AUDIT_SYSLOG_UDP);
    CU_ASSERT_STRING_EQUAL(udp->name, "2001-db8-1-514");
    CU_ASSERT_STRING_EQUAL(udp->host, "2001:db8::1");
    CU_ASSERT_PTR_NULL(udp->trust);
    CU_ASSERT_PTR_NULL(udp->credential);
    CU_ASSERT_EQUAL(fhir->kind, CONFIG_AUDIT_FHIR);
    CU_ASSERT_STRING_EQUAL(fhir->name, "arr-example-fhir-r4");
    CU_ASSERT_STRING_EQUAL(fhir->url, "https://arr.example/fhir/r4/");
    CU_ASSERT_STRING_EQUAL(fhir->host, "arr.example");
    CU_ASSERT_STRING_EQUAL(fhir->certificate_name, "arr.example");
    CU_ASSERT_FALSE(fhir->is_put);
    unload(&loaded);
}

static void
test_set(void)
{
    struct loaded loaded;
    load_repositories("audit: {journal: var/audit, repositories: ["
                      "{syslog-tls: '127.0.0.1:6514', trust: partners, credential: signing, "
                      "name: main_arr, certificate_name: ARR.example, "
                      "resend: {age: 2m, bytes: 1MB}, alarm: 1h, timeout: 5s}, "
                      "{fhir: 'https://arr.example/r4', trust: partners, fhir_ids: put}]}",
                      &loaded);
    CU_ASSERT_EQUAL_FATAL(loaded.config->audit_repositories_n, 2);
    CU_ASSERT_TRUE(loaded.config->audit_repositories[1].is_put);
    const struct config_audit_repository *tls = &loaded.config->audit_repositories[0];
    CU_ASSERT_STRING_EQUAL(tls->name, "main_arr");
    CU_ASSERT_STRING_EQUAL(tls->certificate_name, "arr.example");
    CU_ASSERT_PTR_EQUAL(tls->credential, loaded.config->signing);
    CU_ASSERT_EQUAL(tls->resend_age_us, 120 * US_PER_S);
    CU_ASSERT_EQUAL(tls->resend_bytes, (size_t)1024 * 1024);
    CU_ASSERT_EQUAL(tls->alarm_us, 3600 * US_PER_S);
    CU_ASSERT_EQUAL(tls->timeout_us, 5 * US_PER_S);
    unload(&loaded);
}

static void
tell(void *arg, const char *what)
{
    char *text = arg;
    (void)strncat(text, what, 200);
    (void)strncat(text, "; ", 3);
}

static void
test_changes(void)
{
    struct loaded before;
    struct loaded after;
    char text[2048] = "";
    load_repositories("audit: {journal: var/audit, repositories: ["
                      "{syslog-udp: 'a:1', name: a}, {syslog-udp: 'b:1', name: b}, "
                      "{syslog-udp: 'c:1', name: c}]}",
                      &before);
    load_repositories("audit: {journal: var/audit, repositories: ["
                      "{syslog-udp: 'd:1', name: d}, {syslog-udp: 'c:1', name: c}, "
                      "{syslog-udp: 'b:2', name: b}]}",
                      &after);
    config_changes(before.config, after.config, tell, text);
    CU_ASSERT_STRING_EQUAL(text, "audit repository a: removed; audit repository b: changed; "
                                 "audit repository d: added; ");
    unload(&after);
    unload(&before);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"mistakes", test_mistakes},
    {"a trust that asks", test_ocsp_refused},
    {"none", test_none},
    {"defaults", test_defaults},
    {"set", test_set},
    {"changes", test_changes},
};

UNIT_MAIN("audit repositories", tests)
