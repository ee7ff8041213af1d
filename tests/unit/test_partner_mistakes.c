/*
 * Every mistake that a partner's file can have, with the exact line that the operator reads.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "certs/certificate.h"
#include "certs/issue.h"
#include "config_world.h"
#include "unit.h"

#define BLUE "partners.d/blue.yaml:"
#define HOLE                                                                                       \
    "policy.yaml:5:16: error: rule 'treatment' names partner 'blue', and no partner file has "     \
    "that id\n"

static const struct mistake partner_mistakes[] = {
    {1, "id: Blue",
     BLUE "1:5: error: id: expected lower-case letters, digits, '-' and '_', at most 32, got "
          "'Blue'\n" HOLE},
    {1, "# no id", BLUE "2:1: error: missing 'id'\n" HOLE},
    {1, "id: gold",
     HOLE "partners.d/gold.yaml:1:5: error: id 'gold' is already used at "
          "partners.d/blue.yaml:1:5\n"},
    {2, "nam: Blue HIE", BLUE "2:1: error: unknown key 'nam'; did you mean 'name'?\n"},
    {3, "communities: 2.999.2",
     BLUE "3:14: error: communities: expected a list of OIDs such as [2.999.1], got '2.999.2'\n"},
    {3, "communities: []", BLUE "3:1: error: communities: expected at least one OID\n"},
    {3, "communities: [2.999.2, x]",
     BLUE "3:24: error: expected an OID such as 2.999.1, got 'x'\n"},
    {3, "communities: [2.999.2, 2.999.2]",
     BLUE "3:24: error: community '2.999.2' is already used at partners.d/blue.yaml:3:15\n"},
    {3, "communities: [2.999.2, urn:oid:2.999.1]",
     BLUE "3:24: error: community '2.999.1' is already used at isthmus.yaml:1:17\n"},
    {3, "communities: [2.999.4]",
     "partners.d/gold.yaml:2:15: error: community '2.999.4' is already used at "
     "partners.d/blue.yaml:3:15\n"},
    {5, "  xcpd: http://localhost:8453/xcpd",
     BLUE "5:9: error: xcpd: 'http://localhost:8453/xcpd' is not encrypted; expected "
          "https://host[:port]/path\n"},
    {5, "  xcpd: localhost:8453",
     BLUE "5:9: error: xcpd: expected https://host[:port]/path, got 'localhost:8453'\n"},
    {5, "  xcpd: https://user:word@localhost/",
     BLUE "5:9: error: xcpd: expected https://host[:port]/path, got "
          "'https://user:word@localhost/'\n"},
    {5, "  xcpd: https://localhost:0/x",
     BLUE "5:9: error: xcpd: expected https://host[:port]/path, got 'https://localhost:0/x'\n"},
    {5, "  xcpd: https:///x",
     BLUE "5:9: error: xcpd: expected https://host[:port]/path, got 'https:///x'\n"},
    {5, "  xcpd: https://local host/x",
     BLUE "5:9: error: xcpd: expected https://host[:port]/path, got 'https://local host/x'\n"},
    {5, "  xcpd: https://localhost/x#y",
     BLUE "5:9: error: xcpd: expected https://host[:port]/path, got 'https://localhost/x#y'\n"},
    {5, "  xcpd: https://[::1/x",
     BLUE "5:9: error: xcpd: expected https://host[:port]/path, got 'https://[::1/x'\n"},
    {5, "  xpcd: https://localhost:8453/xcpd",
     BLUE "5:3: error: unknown key 'xpcd'; did you mean 'xcpd'?\n"},
    {7, "# no tls", BLUE "1:1: error: missing 'tls'\n"},
    {7, "tls: {identity: dn}",
     BLUE "7:17: error: identity: expected one of san, certificate, got 'dn'\n"},
    {7, "tls: {identity: san}", BLUE "7:1: error: missing 'names' in 'tls'\n"},
    {7, "tls: {names: []}", BLUE "7:7: error: names: expected at least one name\n"},
    {7, "tls: {names: [a b, 'x/y']}",
     BLUE "7:15: error: expected a DNS name or an address as in the certificate, got 'a b'\n" BLUE
          "7:20: error: expected a DNS name or an address as in the certificate, got 'x/y'\n"},
    {7, "tls: {names: [blue.example, GOLD.example]}",
     "partners.d/gold.yaml:3:15: error: TLS name 'gold.example' is already used at "
     "partners.d/blue.yaml:7:29\n"},
    {7, "tls: {names: [blue.example], sha256: [ab]}",
     BLUE "7:30: error: 'sha256' has no effect with identity 'san'; remove it or change "
          "'identity'\n"},
    {7, "tls: {identity: certificate, names: [x]}",
     BLUE "7:30: error: 'names' has no effect with identity 'certificate'; remove it or change "
          "'identity'\n" BLUE
          "7:1: error: tls: identity 'certificate' needs 'sha256' or 'certificates'\n"},
    {7, "tls: {identity: certificate, sha256: [ab12]}",
     BLUE "7:39: error: expected the SHA-256 of a certificate, 64 hexadecimal digits, got "
          "'ab12'\n"},
    {7, "tls: {identity: certificate, certificates: [../blue/missing.pem]}",
     BLUE "7:45: error: cannot open partners.d/../blue/missing.pem: No such file or directory\n"},
    {7, "tls: {identity: certificate, certificates: [../blue/node.pem, ../blue/node.pem]}",
     BLUE "7:63: error: TLS certificate '@' is already used at partners.d/blue.yaml:7:45\n"},
    {8, "# no signing", BLUE "1:1: error: missing 'signing'\n"},
    {8, "signing: {issuers: [x]}", BLUE "8:1: error: missing 'certificates' in 'signing'\n"},
    {8, "signing: {certificates: []}",
     BLUE "8:11: error: certificates: expected at least one file\n"},
    {8, "signing: {certificates: [../blue/signing.key]}",
     BLUE "8:26: error: partners.d/../blue/signing.key: no certificate; expected PEM ('-----BEGIN "
          "CERTIFICATE-----')\n"},
    {8, "signing: {certificates: [../gold/signing.pem]}",
     "partners.d/gold.yaml:4:26: error: signing key '@' is already used at "
     "partners.d/blue.yaml:8:26\n"},
    {8, "signing: {certificates: [../blue/signing.pem, ../gold/renewed.pem]}",
     "partners.d/gold.yaml:4:26: error: signing key '@' is already used at "
     "partners.d/blue.yaml:8:47\n"},
    {9, "confirmation: bearer",
     BLUE "9:15: error: confirmation: expected a list such as [holder-of-key], got 'bearer'\n"},
    {9, "confirmation: [bearer]",
     BLUE "9:1: error: confirmation: holder-of-key is always accepted and must be listed; add "
          "bearer to it where agreed\n"},
    {9, "confirmation: [holder-of-key, sender-vouches]",
     BLUE "9:31: error: expected one of holder-of-key, bearer, got 'sender-vouches'\n"},
    {9, "fault_status: 400",
     BLUE "9:15: error: fault_status: expected one of 500, soap12, got '400'\n"},
    {9, "may_omit: audience",
     BLUE "9:11: error: may_omit: expected a list such as [authn-statement], got 'audience'\n"},
    {9, "may_omit: [audience, signature]",
     BLUE "9:22: error: expected one of authn-statement, audience, not-before, issuer-format, "
          "name-syntax, subject-id, organization, organization-id, home-community, role, "
          "second-purpose, key-info, answer, package, got 'signature'\n"},
    {9, "sha1_until: never",
     BLUE "9:13: error: sha1_until: expected a day such as 2027-06-30, got 'never'\n"},
    {9, "sha1_until: 2027-02-30",
     BLUE "9:13: error: sha1_until: expected a day such as 2027-06-30, got '2027-02-30'\n"},
    {9, "sha1_until: 2027-06",
     BLUE "9:13: error: sha1_until: expected a day such as 2027-06-30, got '2027-06'\n"},
    {9, "sha1_until: 9999-12-31",
     BLUE "9:13: error: sha1_until: '9999-12-31' is more than 730 days away; SHA-1 signatures can "
          "be forged, agree on an earlier end\n"},
    {9, "replay: never",
     BLUE "9:9: error: replay: expected one of timestamp, messageid, got 'never'\n"},
    {9, "assertions: twice",
     BLUE "9:13: error: assertions: expected one of reused, once, got 'twice'\n"},
    {9, "delegators: Organization/2.999.7",
     BLUE "9:13: error: delegators: expected a list of QueryAuthGrantor values, got "
          "'Organization/2.999.7'\n"},
    {9, "delegators: [an organization]",
     BLUE "9:14: error: expected a QueryAuthGrantor value such as Organization/2.999.7, got 'an "
          "organization'\n"},
    {9, "writes: bearer",
     BLUE "9:9: error: writes: expected 'key: value' pairs of confirmation, digest, "
          "subject_id_format, home_community, npi_2_0, authz_decision, error_location, "
          "legacy_renegotiation, date_range, document_id, hl7_namespace, retrieve, sender, "
          "receiver, got 'bearer'\n"},
    {9, "writes: {date_range: always, document_id: urn, hl7_namespace: none}",
     BLUE "9:22: error: date_range: expected one of none, creation, service, got 'always'\n" BLUE
          "9:43: error: document_id: expected one of as-is, urn-uuid, got 'urn'\n" BLUE
          "9:63: error: hl7_namespace: expected one of default, prefixed, got 'none'\n"},
    {9, "writes: {retrieve: plain, sender: me, receiver: x}",
     BLUE "9:20: error: retrieve: expected one of mtom, soap, got 'plain'\n" BLUE
          "9:35: error: sender: expected one of community, organization, got 'me'\n" BLUE
          "9:49: error: receiver: expected an OID such as 2.999.1, got 'x'\n"},
    {9, "timeouts: {discovery: 60, answer: 1s}",
     BLUE "9:27: error: unknown key 'answer'; expected one of: discovery, query, retrieve\n" BLUE
          "9:23: error: discovery '60' has no unit; write 60s, 500ms or 1m\n"},
    {7, "tls: {names: [blue.example], server_chain: pinned, suites: old}",
     BLUE
     "7:60: error: suites: expected one of modern, legacy, got 'old'\n" BLUE
     "7:44: error: server_chain: 'pinned' trusts the certificates that are listed and no other; "
     "add 'identity: certificate' and 'sha256' or 'certificates'\n"},
    {9, "writes: {confirmation: none, digest: md5, subject_id_format: email}",
     BLUE "9:24: error: confirmation: expected one of holder-of-key, bearer, got 'none'\n" BLUE
          "9:38: error: digest: expected one of sha256, sha384, sha512, sha1, got 'md5'\n" BLUE
          "9:62: error: subject_id_format: expected one of uri, basic, got 'email'\n"},
    {9, "writes: {home_community: none, npi_2_0: true, authz_decision: 1, legacy_renegotiation: x}",
     BLUE "9:26: error: home_community: expected one of both, ihe, nhin, got 'none'\n" BLUE
          "9:41: error: npi_2_0: expected one of no, yes, got 'true'\n" BLUE
          "9:63: error: authz_decision: expected one of no, yes, got '1'\n" BLUE
          "9:88: error: legacy_renegotiation: expected one of no, yes, got 'x'\n"},
    {9, "writes: {error_location: document}",
     BLUE "9:26: error: error_location: expected one of both, community, got 'document'\n"},
    {9, "writes: {digest: sha1}",
     BLUE "9:18: error: digest: 'sha1' needs an end; add 'sha1_until: YYYY-MM-DD' to the "
          "partner's file\n"},
    {8, "signing: {certificates: [{path: ../blue/signing.pem}]}",
     BLUE "8:27: error: unknown key 'path'; expected one of: file, issuers\n" BLUE
          "8:26: error: missing 'file'\n"},
    {8, "signing: {certificates: [{file: ../blue/signing.pem, issuers: x}]}",
     BLUE "8:63: error: issuers: expected a list of text, got 'x'\n"},
    {10, "timeout: 10", BLUE "10:10: error: timeout '10' has no unit; write 10s, 500ms or 1m\n"},
    {10, "timeout: 10us",
     BLUE "10:10: error: timeout: expected a time such as 20s, 500ms or 1m, got '10us'\n"},
    {10, "addresses: any",
     BLUE "10:12: error: addresses: expected one of public, private, local, got 'any'\n"},
    {10, "proxy: http://proxy.example/",
     BLUE "10:8: error: proxy: expected http://host:port, got 'http://proxy.example/'\n"},
    {10, "proxy: http://proxy.example:3128/x",
     BLUE "10:8: error: proxy: expected http://host:port, got 'http://proxy.example:3128/x'\n"},
    {10, "proxy: http://me:word@proxy.example:3128",
     BLUE
     "10:8: error: proxy: expected http://host:port, got 'http://me:word@proxy.example:3128'\n"},
    {10, "proxy: socks5://proxy.example:1080",
     BLUE "10:8: error: proxy: expected http://host:port, got 'socks5://proxy.example:1080'\n"},
    {10, "limits: {connections: 0}",
     BLUE "10:23: error: connections: expected a number from 1 to 100000, got '0'\n"},
    {10, "limits: {connections: 20, requests: 10}",
     BLUE "10:1: error: 'requests' is less than 'connections'; lower one or raise the other\n"},
    {10, "limits: {failures: 1001}",
     BLUE "10:20: error: failures: expected a number from 1 to 1000, got '1001'\n"},
    {10, "limits: {pause: 10s, longest_pause: 5s}",
     BLUE "10:1: error: 'longest_pause' is less than 'pause'; lower one or raise the other\n"},
    {10, "limits: {pause: 10ms}",
     BLUE "10:17: error: pause '10ms' is out of range; expected 100ms to 1h\n"},
    {10, "limits: {queue: 5}",
     BLUE "10:10: error: unknown key 'queue'; expected one of: connections, requests, failures, "
          "pause, longest_pause, documents_per_request, attempts\n"},
    {10, "limits: {attempts: 5}",
     BLUE "10:20: error: attempts: expected a number from 1 to 4, got '5'\n"},
    {10, "limits: {documents_per_request: 0}",
     BLUE "10:33: error: documents_per_request: expected a number from 1 to 1000, got '0'\n"},
    {10, "limits: {documents_per_request: 1001}",
     BLUE "10:33: error: documents_per_request: expected a number from 1 to 1000, got '1001'\n"},
    {10, "timeout: 2h", BLUE "10:10: error: timeout '2h' is out of range; expected 100ms to 1h\n"},
    {10, "replies: {asynchron: https://a.example/x}",
     BLUE "10:11: error: unknown key 'asynchron'; did you mean 'asynchronous'?\n"},
    {10, "replies: {asynchronous: http://a.example/x}",
     BLUE "10:25: error: asynchronous: 'http://a.example/x' is not encrypted; expected "
          "https://host[:port]/path\n"},
    {10, "replies: {asynchronous: [https://a.example/x, {a: b}]}",
     BLUE "10:47: error: expected https://host[:port]/path, got 'key: value' pairs\n" BLUE
          "10:1: error: replies: answers that leave later carry an assertion of this node; set "
          "user, role, organization and organization_id under asserts\n"},
    {10, "replies: {deferred: soon, queue: 0, age: 59s}",
     BLUE "10:21: error: deferred: expected https://host[:port]/path, got 'soon'\n" BLUE
          "10:34: error: queue: expected a number from 1 to 100000, got '0'\n" BLUE
          "10:42: error: age '59s' is out of range; expected 1m to 720h\n"},
    {10, "asynchronous: yes",
     BLUE "10:15: error: asynchronous: expected one of false, true, got 'yes'\n"},
    {10, "deferred: 1", BLUE "10:11: error: deferred: expected one of false, true, got '1'\n"},
    {10, "timeout: {", BLUE "11:1: error: YAML syntax: did not find expected node content\n" HOLE},
};

/* Fingerprints differ in every run: the report shows them as '@'. */
static void
hide_fingerprints(struct yaml_report *report)
{
    char *out = report->text.p;
    size_t run = 0, n = 0;

    for (size_t i = 0; i < report->text.n; i++) {
        const char c = report->text.p[i];

        run = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? run + 1 : 0;
        out[n++] = c;
        if (run == 64) {
            n -= 64;
            out[n++] = '@';
        }
    }
    report->text.n = n;
    out[n] = '\0';
}

static EVP_PKEY *
read_key(const char *name)
{
    FILE *file = fopen(path_of(name), "r");
    EVP_PKEY *key = NULL;

    CU_ASSERT_FATAL(file != NULL);
    key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    CU_ASSERT(fclose(file) == 0);
    CU_ASSERT_FATAL(key != NULL);
    return key;
}

/* Another certificate of the key in <of>/signing.key. */
static void
renew(const char *of)
{
    const struct issue_request request = {.kind = ISSUE_SIGNING,
                                          .organization = "Renewed",
                                          .common_name = of,
                                          .not_before_us = world.now_us,
                                          .not_after_us = world.now_us + DAY_US,
                                          .digest = "SHA256"};
    char name[64];
    struct certificate *authority = NULL;
    struct diag diag = {0};
    X509 *x509 = NULL;

    snprintf(name, sizeof(name), "%s/signing.key", of);
    EVP_PKEY *key = read_key(name);
    EVP_PKEY *authority_key = read_key("ca/ca.key");

    CHECK_OK(&diag, certificate_from_file(path_of("ca/ca.pem"), &diag, &authority));
    CHECK_OK(&diag, issue_certificate(&request, key, authority->x509, authority_key, &diag, &x509));
    snprintf(name, sizeof(name), "%s/renewed.pem", of);
    FILE *file = fopen(path_of(name), "w");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(PEM_write_X509(file, x509) == 1);
    CU_ASSERT(fclose(file) == 0);
    X509_free(x509);
    EVP_PKEY_free(key);
    EVP_PKEY_free(authority_key);
    certificate_free(authority);
}

static void
test_renewed_certificates(void)
{
    struct loaded loaded;

    renew("blue");
    renew("gold");
    write_main(0, NULL);
    write_gold(0, NULL);
    write_blue(8, "signing: {certificates: [../blue/signing.pem, ../blue/renewed.pem]}");
    load(&loaded);
    CHECK_OK(&loaded.diag, loaded.status);
    unload(&loaded);
}

static void
test_partner_mistakes(void)
{
    write_main(0, NULL);
    write_gold(0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(partner_mistakes); i++) {
        struct loaded loaded;

        write_blue(partner_mistakes[i].line, partner_mistakes[i].instead);
        load(&loaded);
        CHECK_ERR(&loaded.diag, ERR_CONFIG, loaded.status);
        hide_fingerprints(&loaded.report);
        check_report(partner_mistakes[i].instead, &loaded.report, partner_mistakes[i].report);
        unload(&loaded);
    }
    CU_ASSERT(unlink(path_of("partners.d/gold.yaml")) == 0);
    write_blue(0, NULL);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_world},
    {"two certificates of one key in one file", test_renewed_certificates},
    {"partner mistakes", test_partner_mistakes},
};

UNIT_MAIN("partner mistakes", tests)
