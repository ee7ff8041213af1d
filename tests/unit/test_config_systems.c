/*
 * The local systems of a configuration and who takes deliveries: every mistake in their entries,
 * what they inherit, and who it is that asks.
 */
#include <stdio.h>
#include <string.h>

#include "config/config_expiry.h"
#include "config_world.h"
#include "unit.h"

#define MAIN "isthmus.yaml:"
#define EHR  "asserts: {user: A, role: '1', organization: R, organization_id: 'urn:oid:2.999.1'}"

static const struct mistake mistakes[] = {
    /* systems */
    {17, "systems: [ehr]",
     MAIN "17:1: error: systems: expected a mapping of names to local systems, got a list\n"},
    {17, "systems: {Ehr: {}}",
     MAIN "17:11: error: 'Ehr' is no name; expected lower-case letters, digits, '-' and '_', at "
          "most 32\n"},
    {17, "systems: {ehr: x}",
     MAIN "17:16: error: ehr: expected 'key: value' pairs of certificate_names, asserts, "
          "assertions, requires_assertion, asserts_for_all, got 'x'\n"},
    {17, "systems: {ehr: {}}",
     MAIN
     "17:11: error: system 'ehr' can assert no user: set it in its asserts, or in the node's; "
     "nothing is invented\n" MAIN
     "17:11: error: system 'ehr' can assert no role: set it in its asserts, or in the node's; "
     "nothing is invented\n" MAIN
     "17:11: error: system 'ehr' can assert no organization_id: set it in its asserts, or in the "
     "node's; nothing is invented\n"},
    {17, "systems: {ehr: {asserts: {user: A, role: b c, organization_id: 'urn:oid:2.999.1'}}}",
     MAIN "17:42: error: role: expected a code, got 'b c'\n" MAIN
          "17:11: error: system 'ehr' can assert no role: set it in its asserts, or in the node's; "
          "nothing is invented\n" MAIN
          "17:11: error: system 'ehr' can assert no organization: set it in its asserts, or in the "
          "node's; nothing is invented\n"},
    {17, "systems: {ehr: {" EHR ", certificate_name: [x], asserts_for_all: perhaps}}",
     MAIN "17:101: error: unknown key 'certificate_name'; did you mean 'certificate_names'?\n" MAIN
          "17:141: error: asserts_for_all: expected one of false, true, got 'perhaps'\n"},
    {17, "systems: {ehr: {" EHR ", certificate_names: [a b]}}",
     MAIN "17:121: error: expected a DNS name or an address as in the certificate, got 'a b'\n"},
    {17, "systems: {ehr: {" EHR ", certificate_names: [Blue.example]}}",
     "partners.d/blue.yaml:7:30: error: TLS name 'blue.example' is already used at "
     "isthmus.yaml:17:121\n"},
    {17,
     "systems: {ehr: {" EHR ", certificate_names: [a.example]}, his: {" EHR
     ", certificate_names: [A.example]}}",
     MAIN "17:244: error: TLS name 'a.example' is already used at isthmus.yaml:17:121\n"},
    {17, "systems: {blue: {" EHR "}}",
     "partners.d/blue.yaml:1:5: error: id 'blue' is already used at isthmus.yaml:17:11\n"},
    {17, "systems: {ehr: {" EHR ", requires_assertion: true}}",
     MAIN "17:121: error: requires_assertion needs 'assertions', which says whose are believed\n"},
    {17, "systems: {ehr: {" EHR ", asserts_for_all: true, assertions: x}}",
     MAIN
     "17:136: error: assertions: expected 'key: value' pairs of certificates, holders, issuers, "
     "audiences, confirmation, may_omit, got 'x'\n" MAIN
     "17:118: error: asserts_for_all passes over what 'assertions' reads; remove one of them\n"},
    {17, "systems: {ehr: {" EHR ", assertions: {issuer: [a], may_omit: [audience]}}}",
     MAIN "17:114: error: unknown key 'issuer'; did you mean 'issuers'?\n" MAIN
          "17:101: error: missing 'certificates' in 'assertions'\n" MAIN
          "17:101: error: missing 'audiences' in 'assertions'\n" MAIN
          "17:138: error: expected one of authn-statement, not-before, issuer-format, name-syntax, "
          "key-info, subject-id, organization, role, purpose, got 'audience'\n"},
    {17,
     "systems: {ehr: {" EHR ", assertions: {certificates: [], holders: [red/ca.pem], audiences: "
     "[], confirmation: []}}}",
     MAIN "17:114: error: certificates: expected at least one file\n" MAIN
          "17:142: error: red/ca.pem: cannot sign for a system: certificate 'CN=Development "
          "CA,O=Test': its key usage has no signatures\n" MAIN
          "17:155: error: audiences: expected at least one URI\n" MAIN
          "17:170: error: confirmation: expected at least one of holder-of-key, bearer\n"},
    {17,
     "systems: {ehr: {" EHR ", assertions: {certificates: [red/none.pem], audiences: [gateway], "
     "confirmation: [sender-vouches]}}}",
     MAIN "17:129: error: cannot open red/none.pem: No such file or directory\n" MAIN
          "17:156: error: expected a URI such as https://gateway.example:9443, got 'gateway'\n" MAIN
          "17:181: error: expected one of holder-of-key, bearer, got 'sender-vouches'\n"},
    {17,
     "systems: {ehr: {requires_assertion: true, assertions: {certificates: [red/signing.pem], "
     "audiences: ['urn:x'], may_omit: [role]}}}",
     MAIN "17:11: error: system 'ehr' can assert no role: set it in its asserts, or in the node's; "
          "nothing is invented\n"},
    {4, "  local: {address: 127.0.0.1:8080, system: ehr}",
     MAIN "4:44: error: system: expected the name of an entry of systems, got 'ehr'\n"},
    {4, "  local: {address: 10.0.0.1:8080, credential: node, trust: partners, system: ehr}",
     MAIN "4:78: error: 'system' is for a local listener without TLS; with TLS the client's "
          "certificate says who asks: remove it, and give the system certificate_names\n"},
    /* recipients */
    {17, "recipients: {a: b}",
     MAIN "17:1: error: recipients: expected a list of {organization: OID, community: OID}, got "
          "'key: value' pairs\n"},
    {17, "recipients: [{organization: 2.999.3, community: 2.999.4}]",
     MAIN "17:49: error: community '2.999.4' is neither ours nor a partner's: nothing could be "
          "delivered to it\n"},
    {17, "recipients: [{organization: 2.999*, community: 2.999.1}]",
     MAIN "17:29: error: organization: expected an OID such as 2.999.2.1, or the beginning of one: "
          "2.999.2.*, got '2.999*'\n"},
    {17, "recipients: [{organization: '*', community: 2.999.1}]",
     MAIN "17:29: error: organization: expected an OID such as 2.999.2.1, or the beginning of one: "
          "2.999.2.*, got '*'\n"},
    {17, "recipients: [{organisation: 2.999.3, community: 2.999.1}]",
     MAIN "17:15: error: unknown key 'organisation'; did you mean 'organization'?\n" MAIN
          "17:14: error: missing 'organization'\n"},
    {17, "recipients: [2.999.3]",
     MAIN "17:14: error: expected {organization: OID, community: OID}, got '2.999.3'\n"},
};

static void
check_text(const char *got, const char *want)
{
    CU_ASSERT((got == NULL) == (want == NULL));
    if (got != NULL && want != NULL) {
        CU_ASSERT_STRING_EQUAL(got, want);
    }
}

/* By its certificate, or without one as the configuration says. */
static void
check_who(const struct config *config, const struct config_system *without_tls,
          const struct config_system *by_name)
{
    static char name[] = "b.example", other[] = "c.example", of_partner[] = "blue.example";
    static char subject[] = "CN=x";
    struct certificate peer = {.subject = subject, .dns = {other}, .dns_n = 1};
    const struct config_system *system = NULL;
    struct diag diag = {0};

    CHECK_ERR(&diag, ERR_SYSTEM_UNKNOWN, config_system_of_peer(config, &peer, &diag, &system));
    peer.dns[0] = of_partner;
    CHECK_ERR(&diag, ERR_SYSTEM_UNKNOWN, config_system_of_peer(config, &peer, &diag, &system));
    CU_ASSERT_PTR_NULL(system);
    peer.dns[0] = name;
    CHECK_OK(&diag, config_system_of_peer(config, &peer, &diag, &system));
    CU_ASSERT_PTR_EQUAL(system, by_name);
    CHECK_OK(&diag, config_system_of_peer(config, NULL, &diag, &system));
    CU_ASSERT_PTR_EQUAL(system, without_tls);
}

static void
check_assertions(const struct config_system *ward)
{
    const struct config_assertions *assertions = ward->assertions;

    CU_ASSERT_PTR_NOT_NULL_FATAL(assertions);
    CU_ASSERT(ward->requires_assertion && !ward->asserts_for_all);
    CU_ASSERT_EQUAL_FATAL(assertions->keys_n, 2);
    CU_ASSERT_EQUAL(assertions->holders_n, 1);
    CU_ASSERT(!assertions->may_use_bearer && assertions->may_omit_purpose);
    CU_ASSERT_EQUAL(assertions->relaxed, DIALECT_BIT(RELAX_HOME_COMMUNITY) |
                                             DIALECT_BIT(RELAX_ORGANIZATION) |
                                             DIALECT_BIT(RELAX_ORGANIZATION_ID));
    CU_ASSERT_EQUAL_FATAL(assertions->audiences.n, 1);
    check_text(assertions->audiences.items[0], "https://g.example");
    CU_ASSERT(config_assertions_issue(assertions, assertions->keys[0], SPAN("urn:sts")));
    CU_ASSERT(!config_assertions_issue(assertions, assertions->keys[0],
                                       span_of_cstr(assertions->keys[0]->subject)));
}

static void
count_of_ward(void *arg, const struct config_expiry *found)
{
    size_t *n = arg;

    *n += strcmp(found->what, "assertion certificate of system") == 0 &&
          strcmp(found->name, "ward") == 0;
}

static void
check_expiry(const struct config *config)
{
    size_t n = 0;

    config_expiry_walk_all(config, clock_wall_us(clock_system()), count_of_ward, &n);
    CU_ASSERT_EQUAL(n, 2);
}

/* What a system's entry leaves out is the node's, but never half of what belongs together. */
static void
test_systems(void)
{
    static const char *const lines =
        "  local: {address: 127.0.0.1:8080, system: ehr}\n"
        "systems:\n"
        "  ehr: {}\n"
        "  lab: {certificate_names: [LAB.example, b.example], asserts_for_all: true,\n"
        "        asserts: {user: L, role: '2', purpose: X, organization: Lab, organization_id: "
        "'urn:oid:2.999.9'}}\n"
        "  ward: {requires_assertion: true, assertions: {certificates: [red/signing.pem],\n"
        "         holders: [red/node.pem], issuers: ['urn:sts'], audiences: "
        "['https://g.example'],\n"
        "         confirmation: [holder-of-key], may_omit: [purpose, organization]}}";
    struct loaded loaded;
    const struct config_system *ehr, *lab;
    char text[2048];

    write_main(0, NULL);
    write_blue(0, NULL);
    snprintf(text, sizeof(text),
             "community: {id: 2.999.1, name: Red HIE}\nlisten:\n"
             "  network: {address: 127.0.0.1:8443, credential: node, trust: partners}\n%s\n"
             "asserts: {organization: Red, organization_id: 'urn:oid:2.999.1', user: U, npi: "
             "'1234567893',\n  role: '1', role_display: One, purpose: T, purpose_system: 2.999.8}\n"
             "credentials:\n  node: {certificate: red/node.pem, key: red/node.key}\n"
             "  signing: {certificate: red/signing.pem, key: red/signing.key}\n"
             "trust:\n  partners: {anchors: red/ca.pem, crl: red/crl.pem}\n"
             "partners: [partners.d/blue.yaml]\nstore: {path: var/isthmus.db}\n"
             "audit: {journal: var/audit}\npolicies: [policy.yaml]\n",
             lines);
    write_text("isthmus.yaml", text);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    check_report("systems", &loaded.report, "");
    CU_ASSERT_FATAL(loaded.config != NULL);
    CU_ASSERT_EQUAL_FATAL(loaded.config->systems_n, 3);
    ehr = &loaded.config->systems[0];
    lab = &loaded.config->systems[1];
    CU_ASSERT_PTR_EQUAL(loaded.config->local_system, ehr);
    check_text(ehr->name, "ehr");
    check_text(ehr->asserts.user, "U");
    check_text(ehr->asserts.npi, "1234567893");
    check_text(ehr->asserts.role_display, "One");
    check_text(ehr->asserts.purpose_system, "2.999.8");
    CU_ASSERT(!ehr->asserts_for_all && ehr->certificate_names.n == 0);
    check_text(lab->asserts.user, "L");
    check_text(lab->asserts.npi, NULL); /* that of another person */
    check_text(lab->asserts.role_display, NULL);
    check_text(lab->asserts.purpose_system, POLICY_PURPOSE_SYSTEM_TEFCA);
    check_text(lab->asserts.organization, "Lab");
    CU_ASSERT(lab->asserts_for_all);
    CU_ASSERT_EQUAL_FATAL(lab->certificate_names.n, 2);
    check_text(lab->certificate_names.items[0], "lab.example");
    check_who(loaded.config, ehr, lab);
    CU_ASSERT_PTR_NULL(ehr->assertions);
    CU_ASSERT(!ehr->requires_assertion);
    check_assertions(&loaded.config->systems[2]);
    check_expiry(loaded.config);
    unload(&loaded);
}

static void
test_mistakes(void)
{
    write_blue(0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        write_main(mistakes[i].line, mistakes[i].instead);
        check_refused(mistakes[i].instead, mistakes[i].report);
    }
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"every mistake in entries of systems and recipients", test_mistakes},
    {"systems", test_systems},
};
UNIT_MAIN("config-systems", tests)
