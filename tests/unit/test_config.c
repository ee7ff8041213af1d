/*
 * What a good configuration gives, which partner a certificate or a community belongs to, and
 * references.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "certs/crl_held.h"
#include "certs/issue.h"
#include "config_world.h"
#include "unit.h"

/* ---- what a good file gives ---- */

static void
check_text(const char *got, const char *want)
{
    CU_ASSERT((got == NULL) == (want == NULL));
    if (got != NULL && want != NULL) {
        CHECK_SPAN(span_of_cstr(got), want);
    }
}

static void
check_main_values(const struct config *config)
{
    check_text(config->path, path_of("isthmus.yaml"));
    check_text(config->community, "2.999.1");
    check_text(config->community_name, "Red HIE");
    check_text(config->patient_authority, "2.999.1.1");
    check_text(config->repository, "2.999.1.2");
    check_text(config->base_url, "https://127.0.0.1:8443");
    check_text(config->network.address.host, "127.0.0.1");
    CU_ASSERT(config->network.is_set && config->network.address.port == 8443);
    CU_ASSERT(config->network.credential == config->node && config->node != NULL);
    CU_ASSERT(config->network.trust == config->partner_trust && config->partner_trust != NULL);
    CU_ASSERT(config->local.is_set && config->local.credential == NULL);
    CU_ASSERT(config->admin.is_set && config->admin.address.port == 9090);
    check_text(config->asserts.organization, "Red HIE");
    check_text(config->asserts.purpose, "T-TREAT");
    check_text(config->asserts.purpose_system, "2.16.840.1.113883.3.7204.1.5.2.1");
    check_text(config->asserts.user, NULL);
    check_text(config->asserts.role, NULL);
    check_text(config->store_path, path_of("var/isthmus.db"));
    check_text(config->spool.path, path_of("var/spool"));
    CU_ASSERT(config->spool.is_default && config->spool.threshold == 256U * 1024);
    CU_ASSERT(config->spool.limit == 8ULL * 1024 * 1024 * 1024);
    CU_ASSERT(config->documents_limit == 4ULL * 1024 * 1024 * 1024);
    check_text(config->journal_dir, path_of("var/audit"));
    CU_ASSERT(config->signing != NULL && config->signing != config->node);
    CU_ASSERT(config->credentials_n == 2 && config->trusts_n == 1);
    CU_ASSERT(policy_rule_count(config->policy) == 1);
    CU_ASSERT(config->needs_id_token && config->id_token_max_age_us == 3600 * US_PER_S);
    CU_ASSERT(!config->uses_reference && config->id_token_issuers_n == 0);
    CU_ASSERT(config->clock_skew_us == 60 * US_PER_S);
    CU_ASSERT(config->max_lifetime_us == 3600 * US_PER_S);
    CU_ASSERT(config->timeout_us == 20 * US_PER_S);
    CU_ASSERT(config->body_limit == 64U * 1024 * 1024);
    CU_ASSERT(config->root_part_limit == 1024U * 1024);
    CU_ASSERT(config->edge.connections == 10000 && config->edge.connections_per_address == 1000);
    CU_ASSERT(config->edge.failures_per_minute == 60 && config->edge.rate_bytes == 1024);
    CU_ASSERT(config->replay_keys == 100000 && config->facts_limit == 64U * 1024 * 1024);
    CU_ASSERT(config->edge.head_us == 10 * US_PER_S && config->edge.answer_us == 3600 * US_PER_S);
    CU_ASSERT(config->edge.requests >= 256 && config->edge.held_bytes >= 128U * 1024 * 1024);
    CU_ASSERT(config->edge.queue_us == 2 * US_PER_S && config->edge.drain_us == 30 * US_PER_S);
    CU_ASSERT(config->answers_limit == 256U * 1024 * 1024 && config->enough.percent == 0);
    CU_ASSERT(config->log_level == LOG_LEVEL_INFO && config->log_format == LOG_FORMAT_TEXT);
}

static void
check_blue_values(const struct partner *blue)
{
    check_text(blue->id, "blue");
    check_text(blue->path, path_of("partners.d/blue.yaml"));
    check_text(blue->name, "Blue HIE");
    CU_ASSERT(blue->communities.n == 2);
    check_text(blue->communities.items[1], "2.999.2.7");
    check_text(blue->xcpd_url, "https://localhost:8453/xcpd");
    check_text(blue->query_url, "https://localhost:8453/xca/query");
    check_text(blue->retrieve_url, NULL);
    CU_ASSERT(blue->identity == PARTNER_IDENTITY_SAN && blue->tls_names.n == 1);
    check_text(blue->tls_names.items[0], "blue.example");
    CU_ASSERT(blue->signing_n == 1);
    check_text(blue->signing[0]->subject, "CN=signing,O=blue");
    CU_ASSERT(blue->issuers.n == 0);
    CU_ASSERT(!blue->may_use_bearer);
    CU_ASSERT(blue->fault_status == PARTNER_FAULT_STATUS_500);
    CU_ASSERT(blue->timeout_us == 10 * US_PER_S);
    CU_ASSERT(blue->relaxed == 0 && blue->sha1_until_us == 0);
    CU_ASSERT(blue->replay == PARTNER_REPLAY_TIMESTAMP && !blue->is_assertion_once);
    CU_ASSERT(blue->delegators.n == 0 && !blue->may_connect_legacy);
    CU_ASSERT(!blue->writes.is_bearer && blue->writes.digest == DIALECT_SHA256);
    CU_ASSERT(!blue->writes.is_subject_id_basic && !blue->writes.has_npi_2_0);
    CU_ASSERT(blue->writes.community == DIALECT_COMMUNITY_BOTH);
    CU_ASSERT(!blue->writes.has_authz_decision && !blue->wants_short_location);
}

static void
test_good(void)
{
    struct loaded loaded;

    write_main(0, NULL);
    write_blue(0, NULL);
    write_gold(0, NULL);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    check_report("good", &loaded.report, "");
    CU_ASSERT_FATAL(loaded.config != NULL);
    check_main_values(loaded.config);
    CU_ASSERT_FATAL(loaded.config->partners_n == 2);
    check_blue_values(&loaded.config->partners[0]);
    check_text(loaded.config->partners[1].name, "gold");
    CU_ASSERT(loaded.config->partners[1].timeout_us == 20 * US_PER_S);
    unload(&loaded);
    CU_ASSERT(unlink(path_of("partners.d/gold.yaml")) == 0);
}

static const char full_main[] =
    "community: {id: urn:oid:2.999.1, name: Red HIE, patient_authority: 2.999.1.13,\n"
    "            repository: urn:oid:2.999.1.14}\n"
    "listen:\n"
    "  network: {address: '[::]:8443', credential: edge, trust: partners,\n"
    "            url: 'https://red.example:443/'}\n"
    "  local: {address: '192.0.2.1:8080', credential: node, trust: inside}\n"
    "  admin: {address: 'unix:/run/isthmus/admin'}\n"
    "asserts: {organization: Red HIE, organization_id: 'urn:oid:2.999.1', user: Ann Example,\n"
    "          role: '112247003', role_display: Medical doctor, purpose: TREATMENT,\n"
    "          purpose_system: 2.16.840.1.113883.3.18.7.1, npi: '1234567893'}\n"
    "credentials:\n"
    "  node: {certificate: red/node.pem, key: red/link.key}\n"
    "  signing: {certificate: red/signing.pem, key: red/signing.key}\n"
    "  edge: {certificate: red/audit.pem, key: red/audit.key}\n"
    "trust:\n"
    "  partners: {anchors: red/ca.pem, crl: red/crl.pem}\n"
    "  inside: {anchors: red/ca.pem}\n"
    "partners: [partners.d/*.yaml, 'none.d/*.yaml']\n"
    "store: {path: var/isthmus.db}\n"
    "audit: {journal: var/audit}\n"
    "policies: ['polic?.yaml']\n"
    "security: {clock_skew: 500ms, max_lifetime: 24h, id_tokens_required: false,\n"
    "           id_token_max_age: 5m, authn_contexts: ['urn:x:y'], signatures: reference}\n"
    "id_tokens: [{issuer: 'https://idp.example/realm', jwks: idp.json}]\n"
    "limits: {timeout: 1m, body: 4GB, root_part: 16MB, answers: 1MB, answer_facts: 2MB,\n"
    "  replay_keys: 1000, enough: 80%, connections: 7, connections_per_address: 6,\n"
    "  connections_per_partner: 5, requests_per_partner: 4, failures_per_minute: 3, rate: 2KB,\n"
    "  handshake_time: 1s, status_time: 2s, head_time: 3s, idle_time: 4s, request_time: 5s,\n"
    "  answer_time: 6s, connection_time: 7s, requests: 8, held: 9MB, queue_time: 10s,\n"
    "  drain_time: 11s, continued: 3MB, continued_queries: 4, continued_time: 12s}\n"
    "log: {level: debug, format: json}\n";

static void
check_full_values(const struct config *config)
{
    check_text(config->community, "2.999.1");
    check_text(config->patient_authority, "2.999.1.13");
    check_text(config->repository, "2.999.1.14");
    check_text(config->base_url, "https://red.example:443");
    check_text(config->network.address.host, "::");
    check_text(config->network.address.text, "[::]:8443");
    check_text(config->admin.address.host, "unix:/run/isthmus/admin");
    CU_ASSERT(config->network.credential != config->node);
    CU_ASSERT(config->local.credential == config->node);
    CU_ASSERT(config->local.trust != config->partner_trust);
    check_text(config->asserts.organization_id, "urn:oid:2.999.1");
    check_text(config->asserts.user, "Ann Example");
    check_text(config->asserts.role, "112247003");
    check_text(config->asserts.role_display, "Medical doctor");
    check_text(config->asserts.purpose_system, "2.16.840.1.113883.3.18.7.1");
    check_text(config->asserts.npi, "1234567893");
    CU_ASSERT(!config->needs_id_token && config->id_token_max_age_us == 300 * US_PER_S);
    CU_ASSERT_FATAL(config->uses_reference && config->id_token_issuers_n == 1);
    check_text(config->id_token_issuers[0].issuer, "https://idp.example/realm");
    CU_ASSERT(config->id_token_issuers[0].keys->n == 1);
    CU_ASSERT(config->clock_skew_us == 500 * US_PER_MS);
    CU_ASSERT_FATAL(config->authn_contexts.n == 1);
    check_text(config->authn_contexts.items[0], "urn:x:y");
    CU_ASSERT(config->max_lifetime_us == 24 * 3600 * US_PER_S);
    CU_ASSERT(config->timeout_us == 60 * US_PER_S);
    CU_ASSERT(config->body_limit == 4ULL * 1024 * 1024 * 1024);
    CU_ASSERT(config->root_part_limit == 16U * 1024 * 1024);
    const struct config_edge *edge = &config->edge;

    CU_ASSERT(edge->connections == 7 && edge->connections_per_address == 6);
    CU_ASSERT(edge->connections_per_partner == 5 && edge->requests_per_partner == 4);
    CU_ASSERT(edge->failures_per_minute == 3 && edge->rate_bytes == 2048);
    CU_ASSERT(edge->handshake_us == US_PER_S && edge->status_us == 2 * US_PER_S);
    CU_ASSERT(edge->head_us == 3 * US_PER_S && edge->idle_us == 4 * US_PER_S);
    CU_ASSERT(edge->request_us == 5 * US_PER_S && edge->answer_us == 6 * US_PER_S);
    CU_ASSERT(edge->connection_us == 7 * US_PER_S);
    CU_ASSERT(edge->requests == 8 && edge->held_bytes == 9U * 1024 * 1024);
    CU_ASSERT(edge->queue_us == 10 * US_PER_S && edge->drain_us == 11 * US_PER_S);
    CU_ASSERT(config->answers_limit == 1024U * 1024 && config->facts_limit == 2048U * 1024);
    CU_ASSERT(config->continued.queries == 4 && config->continued.time_us == 12 * US_PER_S);
    CU_ASSERT(config->replay_keys == 1000 && config->enough.percent == 80);
    CU_ASSERT(config->log_level == LOG_LEVEL_DEBUG && config->log_format == LOG_FORMAT_JSON);
    CU_ASSERT(config->credentials_n == 3 && config->trusts_n == 2);
}

static void
test_full(void)
{
    struct loaded loaded;

    write_text("isthmus.yaml", full_main);
    write_blue(9, "confirmation: [holder-of-key, bearer]\nfault_status: \"soap12\"\n");
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    check_report("full", &loaded.report, "");
    CU_ASSERT_FATAL(loaded.config != NULL);
    check_full_values(loaded.config);
    CU_ASSERT_FATAL(loaded.config->partners_n == 1);
    CU_ASSERT(loaded.config->partners[0].may_use_bearer);
    CU_ASSERT(loaded.config->partners[0].fault_status == PARTNER_FAULT_STATUS_SOAP12);
    unload(&loaded);
}

/* A day so many days from now, as the file writes it. */
static void
write_day(int days, char ret_text[11])
{
    char text[DATETIME_MAX];

    datetime_write_xs(world.now_us + days * INT64_C(86400) * US_PER_S, text);
    snprintf(ret_text, 11, "%.10s", text);
}

static void
check_agreements(const struct partner *blue)
{
    CU_ASSERT(blue->relaxed == (DIALECT_BIT(RELAX_AUDIENCE) | DIALECT_BIT(RELAX_SECOND_PURPOSE)));
    CU_ASSERT(blue->replay == PARTNER_REPLAY_MESSAGEID && blue->is_assertion_once);
    CU_ASSERT_FATAL(blue->delegators.n == 2);
    check_text(blue->delegators.items[1], "Organization/2.999.8");
    CU_ASSERT(blue->writes.is_bearer && blue->writes.digest == DIALECT_SHA1);
    CU_ASSERT(blue->writes.is_subject_id_basic && blue->writes.has_npi_2_0);
    CU_ASSERT(blue->writes.community == DIALECT_COMMUNITY_NHIN);
    CU_ASSERT(blue->writes.has_authz_decision && blue->may_connect_legacy);
    CU_ASSERT(blue->wants_short_location);
}

static void
test_agreements(void)
{
    char day[11], text[1024];
    struct loaded loaded;

    write_main(0, NULL);
    write_day(10, day);
    snprintf(text, sizeof(text),
             "may_omit: [audience, second-purpose]\nsha1_until: %s\nreplay: messageid\n"
             "assertions: once\ndelegators: [Organization/2.999.7, Organization/2.999.8]\n"
             "writes: {confirmation: bearer, digest: sha1, subject_id_format: basic,\n"
             "  home_community: nhin, npi_2_0: yes, authz_decision: yes,\n"
             "  error_location: community, legacy_renegotiation: yes}",
             day);
    write_blue(9, text);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    check_report("agreements", &loaded.report, "");
    CU_ASSERT_FATAL(loaded.config != NULL && loaded.config->partners_n == 1);
    const struct partner *blue = &loaded.config->partners[0];

    check_agreements(blue);
    CU_ASSERT(partner_may_sha1(blue, world.now_us));
    CU_ASSERT(partner_may_sha1(blue, blue->sha1_until_us - 1)); /* the last day counts */
    CU_ASSERT(!partner_may_sha1(blue, blue->sha1_until_us));
    CU_ASSERT(blue->sha1_until_us > world.now_us + 10 * INT64_C(86400) * US_PER_S);
    CU_ASSERT(blue->sha1_until_us <= world.now_us + 11 * INT64_C(86400) * US_PER_S);
    unload(&loaded);
}

/* A day that is over is no mistake, and lets nothing in. */
static void
test_sha1_over(void)
{
    struct loaded loaded;

    write_blue(9, "sha1_until: 2020-01-31");
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT_FATAL(loaded.config != NULL && loaded.config->partners_n == 1);
    CU_ASSERT(loaded.config->partners[0].sha1_until_us != 0);
    CU_ASSERT(!partner_may_sha1(&loaded.config->partners[0], world.now_us));
    unload(&loaded);
}

/* Which key may sign for which Issuer. */
static void
test_issuers(void)
{
    static const struct {
        const char *signing;
        const char *issuer;
        bool is_first, is_second; /* may the one key, the other, sign for it? */
    } rows[] = {
        {"signing: {certificates: [../blue/signing.pem, ../gold/signing.pem]}", "CN=signing,O=blue",
         true, false},
        {"signing: {certificates: [../blue/signing.pem, ../gold/signing.pem]}", "CN=signing,O=gold",
         false, true},
        {"signing: {certificates: [../blue/signing.pem, ../gold/signing.pem], issuers: [a]}", "a",
         true, true},
        {"signing: {certificates: [../blue/signing.pem, ../gold/signing.pem], issuers: [a]}",
         "CN=signing,O=blue", false, false},
        {"signing: {certificates: [../blue/signing.pem, {file: ../gold/signing.pem, issuers: "
         "[b, c]}], issuers: [a]}",
         "a", true, false},
        {"signing: {certificates: [../blue/signing.pem, {file: ../gold/signing.pem, issuers: "
         "[b, c]}], issuers: [a]}",
         "c", false, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct span issuer = span_of_cstr(rows[i].issuer);
        struct loaded loaded;

        write_blue(8, rows[i].signing);
        load(&loaded);
        CHECK_OK(&loaded.diag, loaded.status);
        CU_ASSERT_FATAL(loaded.config != NULL && loaded.config->partners_n == 1);
        const struct partner *blue = &loaded.config->partners[0];

        CU_ASSERT_FATAL(blue->signing_n == 2);
        CU_ASSERT(partner_key_issues(blue, blue->signing[0], issuer) == rows[i].is_first);
        CU_ASSERT(partner_key_issues(blue, blue->signing[1], issuer) == rows[i].is_second);
        unload(&loaded);
    }
    write_blue(0, NULL);
}

/* A path without a folder: the files beside it are found all the same. */
static void
test_relative_path(void)
{
    struct loaded loaded = {0};
    char before[512];

    CU_ASSERT_FATAL(getcwd(before, sizeof(before)) != NULL);
    CU_ASSERT_FATAL(chdir(world.dir) == 0);
    write_main(0, NULL);
    write_blue(0, NULL);
    yaml_report_init(&loaded.report);
    loaded.status = config_load("isthmus.yaml", &world.clock.clock, &loaded.report, &loaded.diag,
                                &loaded.config);
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT_FATAL(loaded.config != NULL);
    check_text(loaded.config->store_path, "var/isthmus.db");
    check_text(loaded.config->partners[0].path, "partners.d/blue.yaml");
    unload(&loaded);
    CU_ASSERT(chdir(before) == 0);
}

/* ---- who is it ---- */

static struct certificate *
load_certificate(const char *name)
{
    struct diag diag = {0};
    struct certificate *certificate = NULL;

    CHECK_OK(&diag, certificate_from_file(path_of(name), &diag, &certificate));
    CU_ASSERT_FATAL(certificate != NULL);
    return certificate;
}

/* A certificate that names two partners. */
static struct certificate *
make_double(void)
{
    static const char *const hosts[] = {"blue.example", "gold.example"};
    const struct issue_request request = {.kind = ISSUE_TLS,
                                          .organization = "Both",
                                          .common_name = "both",
                                          .hosts = hosts,
                                          .hosts_n = ARRAY_LEN(hosts),
                                          .not_before_us = world.now_us,
                                          .not_after_us = world.now_us + DAY_US,
                                          .digest = "SHA256"};
    struct diag diag = {0};
    EVP_PKEY *key = NULL;
    X509 *x509 = NULL;
    struct certificate *certificate = NULL;

    CHECK_OK(&diag, issue_key("ec:P-256", &diag, &key));
    CHECK_OK(&diag, issue_certificate(&request, key, NULL, key, &diag, &x509));
    CHECK_OK(&diag, certificate_from_x509(x509, &diag, &certificate));
    X509_free(x509);
    EVP_PKEY_free(key);
    CU_ASSERT_FATAL(certificate != NULL);
    return certificate;
}

static void
check_peer(const struct config *config, struct certificate *peer, const char *want)
{
    struct diag diag = {0};
    const struct partner *partner = NULL;

    CHECK_ERR(&diag, want == NULL ? ERR_PEER_UNKNOWN : ERR_NONE,
              config_partner_of_peer(config, peer, &diag, &partner));
    CU_ASSERT((partner == NULL) == (want == NULL));
    if (partner != NULL && want != NULL) {
        check_text(partner->id, want);
    }
    certificate_free(peer);
}

static void
test_peers(void)
{
    struct loaded loaded;

    write_main(0, NULL);
    write_blue(0, NULL);
    write_gold(0, NULL);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT_FATAL(loaded.config != NULL);
    check_peer(loaded.config, load_certificate("red/node.pem"), NULL);
    check_peer(loaded.config, load_certificate("green/node.pem"), NULL);
    check_peer(loaded.config, load_certificate("blue/signing.pem"), NULL);
    check_peer(loaded.config, make_double(), NULL);
    check_peer(loaded.config, load_certificate("blue/node.pem"), "blue");
    check_peer(loaded.config, load_certificate("gold/node.pem"), "gold");
    unload(&loaded);

    /* pinned: the name no longer counts, only this certificate */
    write_gold(3, "tls: {identity: certificate, certificates: [../gold/node.pem]}");
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    CU_ASSERT_FATAL(loaded.config != NULL);
    check_peer(loaded.config, load_certificate("gold/audit.pem"), NULL);
    check_peer(loaded.config, load_certificate("gold/node.pem"), "gold");
    unload(&loaded);
}

/* The fingerprint as OpenSSL prints it is the same pin. */
static void
test_pin_forms(void)
{
    struct certificate *node = load_certificate("gold/node.pem");
    char line[256], colons[100] = "";
    struct loaded loaded;

    for (size_t i = 0; i < 64; i++) {
        colons[i / 2 * 3 + i % 2] = (char)toupper((unsigned char)node->sha256[i]);
        colons[i / 2 * 3 + 2] = i < 62 ? ':' : '\0';
    }
    snprintf(line, sizeof(line), "tls: {identity: certificate, sha256: ['%s']}", colons);
    write_gold(3, line);
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    check_report(line, &loaded.report, "");
    CU_ASSERT_FATAL(loaded.config != NULL);
    check_text(loaded.config->partners[1].tls_sha256.items[0], node->sha256);
    unload(&loaded);
    certificate_free(node);
    CU_ASSERT(unlink(path_of("partners.d/gold.yaml")) == 0);
}

static void
test_communities(void)
{
    struct loaded loaded;

    write_main(0, NULL);
    write_blue(0, NULL);
    load(&loaded);
    CU_ASSERT_FATAL(loaded.config != NULL);
    const struct partner *blue = &loaded.config->partners[0];

    CU_ASSERT(config_partner_of_community(loaded.config, SPAN("2.999.2")) == blue);
    CU_ASSERT(config_partner_of_community(loaded.config, SPAN("2.999.2.7")) == blue);
    CU_ASSERT(config_partner_of_community(loaded.config, SPAN("2.999.2.8")) == NULL);
    CU_ASSERT(config_partner_of_community(loaded.config, SPAN("2.999.1")) == NULL);
    CU_ASSERT(config_partner_of_community(loaded.config, SPAN("urn:oid:2.999.2")) == NULL);
    CU_ASSERT(config_partner_of_community(loaded.config, SPAN_EMPTY) == NULL);
    CU_ASSERT(partner_speaks_for(blue, SPAN("2.999.2")));
    CU_ASSERT(!partner_speaks_for(blue, SPAN("2.999")));
    unload(&loaded);
}

static void
test_references(void)
{
    struct loaded loaded;

    load(&loaded);
    CU_ASSERT_FATAL(loaded.config != NULL);
    const struct config *second = config_ref(loaded.config);

    config_unref(loaded.config);
    check_text(second->community, "2.999.1"); /* sanitizers see it when it is gone */
    config_unref(second);
    config_unref(NULL);
    yaml_report_done(&loaded.report);
}

/* Whichever allocation fails: no configuration, no leak, and the reason is memory. */
static void
test_no_memory(void)
{
    bool is_loaded = false;
    uint64_t n = 0;

    for (; n < 5000 && !is_loaded; n++) {
        struct loaded loaded = {0};

        yaml_report_init(&loaded.report);
        mem_fail_after(n);
        loaded.status = config_load(path_of("isthmus.yaml"), &world.clock.clock, &loaded.report,
                                    &loaded.diag, &loaded.config);
        mem_fail_after(UINT64_MAX);
        is_loaded = is_ok(loaded.status);
        if (!is_loaded && loaded.diag.code != ERR_NO_MEMORY) {
            fprintf(stderr, "allocation %llu: %s %s\n", (unsigned long long)n,
                    err_name(loaded.diag.code), loaded.diag.text);
            CU_FAIL("another failure than memory");
        }
        unload(&loaded);
    }
    CU_ASSERT(is_loaded && n > 10);
}

/* What a trust says about asking, and its defaults. */
static void
test_status(void)
{
    struct loaded loaded;
    struct buf list;
    struct diag diag = {0};
    bool is_new = false;

    write_main(0, NULL);
    load(&loaded);
    CU_ASSERT_FATAL(loaded.config != NULL);
    const struct config_trust *trust = config_trust_of(loaded.config, loaded.config->partner_trust);
    CU_ASSERT_FATAL(trust != NULL && trust == &loaded.config->trusts[0]);
    CU_ASSERT_PTR_NULL(config_trust_of(loaded.config, NULL));
    CU_ASSERT(trust->status.mode == STATUS_OFF && trust->status.hosts.n == 0 &&
              trust->crl_urls.n == 0);
    unload(&loaded);
    write_main(11, "  partners: {anchors: red/ca.pem, fetch_hosts: [ocsp.example, '[::1]:8080'], "
                   "ocsp: {mode: hard, responder: 'http://OCSP.example/a', max_age: 24h, "
                   "timeout: 2s, cache: 5m}, crl_urls: ['http://[::1]:8080/x.crl'], "
                   "crl_refresh: 10m}");
    load(&loaded);
    CU_ASSERT_FATAL(loaded.config != NULL);
    trust = &loaded.config->trusts[0];
    CU_ASSERT(trust->status.mode == STATUS_HARD && trust->status.hosts.n == 2);
    CU_ASSERT_STRING_EQUAL(trust->status.responder, "http://OCSP.example/a");
    CU_ASSERT(trust->status.max_age_us == 24 * 3600 * US_PER_S &&
              trust->status.timeout_us == 2 * US_PER_S && trust->status.cache_us == 300 * US_PER_S);
    CU_ASSERT(trust->crl_urls.n == 1 && trust->crl_refresh_us == 600 * US_PER_S);
    /* no list has come yet: nobody is believed, no signing certificate is registered */
    CU_ASSERT(trust_checks_crl(trust->trust) && config_awaits_crl(loaded.config) &&
              config_fetches_crl(loaded.config));
    CU_ASSERT_EQUAL(trust_crl_next_update_us(trust->trust), INT64_MAX);
    CU_ASSERT(loaded.config->partners_n > 0);
    CU_ASSERT_EQUAL(loaded.config->partners[0].signing_n, 0);
    unload(&loaded);
    buf_init(&list, 1000000);
    CHECK_OK(&diag, buf_read_file(&list, path_of("red/crl.pem"), &diag));
    CHECK_OK(&diag, crl_held_put("http://[::1]:8080/x.crl", &list, world.now_us, &diag, &is_new));
    CU_ASSERT(is_new);
    load(&loaded);
    CU_ASSERT_FATAL(loaded.config != NULL);
    trust = &loaded.config->trusts[0];
    CU_ASSERT(trust_checks_crl(trust->trust) && !config_awaits_crl(loaded.config));
    CU_ASSERT(trust_crl_next_update_us(trust->trust) < INT64_MAX);
    CU_ASSERT_EQUAL(loaded.config->partners[0].signing_n, 1);
    unload(&loaded);
    crl_held_clear();
    buf_done(&list);
    write_main(0, NULL);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"good", test_good},
    {"full", test_full},
    {"agreements", test_agreements},
    {"SHA-1 is over", test_sha1_over},
    {"issuers of keys", test_issuers},
    {"relative path", test_relative_path},
    {"peers", test_peers},
    {"pin forms", test_pin_forms},
    {"communities", test_communities},
    {"references", test_references},
    {"no memory", test_no_memory},
    {"what a trust says about asking", test_status},
};
UNIT_MAIN("config", tests)
