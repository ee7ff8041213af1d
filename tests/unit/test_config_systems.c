/*
 * The local systems of a configuration: what their entries inherit, and who it is that asks.
 */
#include <stdio.h>
#include <string.h>

#include "config/config_expiry.h"
#include "config_world.h"
#include "unit.h"

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

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"systems", test_systems},
};
UNIT_MAIN("config-systems", tests)
