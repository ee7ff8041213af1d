/*
 * init, check and partners as an operator uses them: the subcommands' own functions with their
 * arguments, real files, and what they print. Two nodes that exchange their cards know each other.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/yaml.h"
#include "cli/cli.h"
#include "cli/init.h"
#include "cli_kit.h"
#include "config/config.h"
#include "unit.h"

/* ---- files ---- */

static const char *
path_of(const char *name)
{
    static char paths[4][512];
    static size_t next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", unit_temp_dir(), name);
    return path;
}

static bool
exists(const char *name)
{
    return access(path_of(name), F_OK) == 0;
}

static void
copy_file(const char *from, const char *to)
{
    struct buf text;
    struct diag diag = {0};

    buf_init(&text, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&text, path_of(from), &diag));
    FILE *file = fopen(path_of(to), "w");

    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fwrite(text.p, 1, text.n, file) == text.n);
    CU_ASSERT(fclose(file) == 0);
    buf_done(&text);
}

static const struct config *
load_config(const char *name)
{
    struct yaml_report report;
    struct diag diag = {0};
    const struct config *config = NULL;

    yaml_report_init(&report);
    CHECK_OK(&diag, config_load(path_of(name), clock_system(), &report, &diag, &config));
    CHECK_SPAN(buf_span(&report.text), "");
    yaml_report_done(&report);
    CU_ASSERT_FATAL(config != NULL);
    return config;
}

/* ---- init: what is refused ---- */

#define NODE "init|DIR/refused|--community|2.999.9|--name|X"

static void
test_refused_options(void)
{
    static const struct {
        const char *line, *text;
    } rows[] = {
        {"init", "say one folder"},
        {"init|DIR/refused|DIR/x|--community|2.999.9|--name|X", "say one folder"},
        {"init|DIR/refused", "--community OID and --name NAME are required"},
        {"init|DIR/refused|--name|X", "--community OID and --name NAME are required"},
        {"init|DIR/refused|--community|2.999.09|--name|X",
         "--community '2.999.09': expected an OID"},
        {"init|DIR/refused|--community|2.999.9|--name|", "--name '': expected one line of UTF-8"},
        {"init|DIR/refused|--community|2.999.9|--name|a\nb", "expected one line of UTF-8 text"},
        {"init|DIR/refused|--community|2.999.9|--name|\xff", "expected one line of UTF-8 text"},
        {"init|DIR/refused|--community|2.999.9|--name|\xc3\x84\xc3\x96", "--id '': expected"},
        {NODE "|--id|Red", "--id 'Red': expected lower-case letters"},
        {NODE "|--id|../x", "--id '../x': expected lower-case letters"},
        {NODE "|--listen|localhost:8443", "--listen 'localhost:8443': expected a numeric address"},
        {NODE "|--listen|127.0.0.1", "--listen '127.0.0.1': expected a numeric address"},
        {NODE "|--listen|127.0.0.1:0", "--listen '127.0.0.1:0': expected a numeric address"},
        {NODE "|--listen|unix:/x", "--listen 'unix:/x': expected a numeric address"},
        {NODE "|--local|x", "--local 'x': expected a numeric address"},
        {NODE "|--admin|:9", "--admin ':9': expected a numeric address"},
        {NODE "|--listen|0.0.0.0:8443", "does not say how partners reach this node"},
        {NODE "|--url|http://x", "--url 'http://x': expected https://HOST[:PORT]"},
        {NODE "|--url|https://x/y", "--url 'https://x/y': expected https://HOST[:PORT]"},
        {NODE "|--url|https://x:y", "--url 'https://x:y': expected https://HOST[:PORT]"},
        {NODE "|--url|https://a\"b", "expected https://HOST[:PORT]"},
        {NODE "|--host|127.0.0.1", "--host '127.0.0.1': expected a DNS name"},
        {NODE "|--host|a b", "--host 'a b': expected a DNS name"},
        {NODE "|--key|p256", "--key is for development certificates; add --dev-pki"},
        {NODE "|--dev-pki|--key|rsa1024", "--key 'rsa1024': expected rsa2048 or p256"},
        {NODE "|--policy|../tefca", "--policy '../tefca': expected a name"},
        {NODE "|--npi|1234567890", "--npi '1234567890': expected ten digits"},
        {NODE "|--organization-id|2.999.9", "--organization-id '2.999.9': expected urn:oid:OID"},
        {NODE "|--role|a b", "--role 'a b': expected a code"},
        {NODE "|--user|", "--user '': expected one line"},
        {NODE "|--comunity|x", "did you mean '--community'?"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cli_run(cmd_init, rows[i].line);
        cli_check_exit(rows[i].line, CLI_USAGE);
        cli_check_says(cli_output.err, rows[i].text);
    }
    cli_run(cmd_init, NODE "|--policy|nosuch");
    cli_check_exit("policy", CLI_FAILED);
    cli_check_says(cli_output.err, "policy file nosuch.yaml is neither");
    CU_ASSERT(!exists("refused"));
}

static void
test_refused_overwrite(void)
{
    struct stat before, after;

    cli_run(cmd_init, "init|DIR/once|--community|2.999.9|--name|Once|--dev-pki|--key|p256");
    cli_check_exit("first", CLI_DONE);
    CU_ASSERT_FATAL(stat(path_of("once/pki/node.key"), &before) == 0);
    cli_run(cmd_init, "init|DIR/once|--community|2.999.8|--name|Twice|--dev-pki|--key|p256");
    cli_check_exit("second", CLI_FAILED);
    cli_check_says(cli_output.err, "once/isthmus.yaml exists already; nothing was changed");
    CU_ASSERT_FATAL(stat(path_of("once/pki/node.key"), &after) == 0);
    CU_ASSERT(before.st_ino == after.st_ino && before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
    const struct config *config = load_config("once/isthmus.yaml");

    CHECK_SPAN(span_of_cstr(config->community), "2.999.9");
    config_unref(config);
}

/* ---- init: what is made ---- */

static mode_t
mode_of(const char *name)
{
    struct stat facts;

    CU_ASSERT_FATAL(stat(path_of(name), &facts) == 0);
    return facts.st_mode & 07777;
}

static void
test_files(void)
{
    static const char *const names[] = {
        "deep/er/red/isthmus.yaml",
        "deep/er/red/partners.d",
        "deep/er/red/policies/tefca.yaml",
        "deep/er/red/card/red-hie.yaml",
        "deep/er/red/card/red-hie-signing.pem",
        "deep/er/red/pki/ca/ca.key",
        "deep/er/red/pki/ca.pem",
        "deep/er/red/pki/crl.pem",
    };

    cli_run(cmd_init, "init|DIR/deep/er/red|--community|urn:oid:2.999.1|--name|Red HIE|--dev-pki");
    cli_check_exit("init", CLI_DONE);
    cli_check_says(cli_output.out, "development certificates: for trying, never for real patients");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        CU_ASSERT(exists(names[i]));
    }
    CU_ASSERT(!exists("deep/er/red/pki/ca.key"));
    CU_ASSERT(mode_of("deep/er/red/pki") == 0700);
    CU_ASSERT(mode_of("deep/er/red/var") == 0700);
    CU_ASSERT(mode_of("deep/er/red/pki/node.key") == 0600);
    const struct config *config = load_config("deep/er/red/isthmus.yaml");

    CHECK_SPAN(span_of_cstr(config->community), "2.999.1");
    CHECK_SPAN(span_of_cstr(config->patient_authority), "2.999.1.1");
    CHECK_SPAN(span_of_cstr(config->base_url), "https://127.0.0.1:8443");
    CU_ASSERT(config->asserts.organization == NULL && config->asserts.user == NULL &&
              config->asserts.role == NULL && config->asserts.purpose == NULL);
    CU_ASSERT(certificate_names(config->node->leaf, SPAN("127.0.0.1")));
    CU_ASSERT(certificate_names(config->node->leaf, SPAN("red-hie.localhost")));
    CU_ASSERT(policy_rule_count(config->policy) > 0);
    config_unref(config);
}

/* Every option arrives in the configuration, whatever YAML would make of it. */
static void
test_options(void)
{
    cli_run(cmd_init,
            "init|DIR/options|--community|2.999.3|--name|\"N\xc3\xb8rth\": \\ # [x]|--id|north"
            "|--listen|[::1]:9443|--local|[::1]:9080|--admin|unix:/tmp/x|--url"
            "|https://gw.north.example|--host|id.north.example|--ca|DIR/options-ca|--key|p256"
            "|--organization|N: x|--organization-id|urn:oid:2.999.3|--user|yes|--role|0123"
            "|--role-display|~|--purpose|T-TREAT|--npi|1234567893|--policy|demonstration");
    cli_check_exit("options", CLI_DONE);
    const struct config *config = load_config("options/isthmus.yaml");

    CHECK_SPAN(span_of_cstr(config->community_name), "\"N\xc3\xb8rth\": \\ # [x]");
    CHECK_SPAN(span_of_cstr(config->network.address.host), "::1");
    CHECK_SPAN(span_of_cstr(config->admin.address.host), "unix:/tmp/x");
    CHECK_SPAN(span_of_cstr(config->base_url), "https://gw.north.example");
    CHECK_SPAN(span_of_cstr(config->asserts.organization), "N: x");
    CHECK_SPAN(span_of_cstr(config->asserts.organization_id), "urn:oid:2.999.3");
    CHECK_SPAN(span_of_cstr(config->asserts.user), "yes");
    CHECK_SPAN(span_of_cstr(config->asserts.role), "0123");
    CHECK_SPAN(span_of_cstr(config->asserts.role_display), "~");
    CHECK_SPAN(span_of_cstr(config->asserts.purpose), "T-TREAT");
    CHECK_SPAN(span_of_cstr(config->asserts.npi), "1234567893");
    /* all that must be asserted is there: whoever is behind the local listener may ask */
    CU_ASSERT_PTR_NOT_NULL_FATAL(config->local_system);
    CHECK_SPAN(span_of_cstr(config->local_system->name), "local");
    CHECK_SPAN(span_of_cstr(config->local_system->asserts.user), "yes");
    CU_ASSERT(certificate_names(config->node->leaf, SPAN("id.north.example")));
    CU_ASSERT(certificate_names(config->node->leaf, SPAN("::1")));
    CU_ASSERT(exists("options-ca/ca.key") && exists("options/policies/demonstration.yaml"));
    config_unref(config);
    cli_run(cmd_check, "check|-c|DIR/options/isthmus.yaml");
    cli_check_exit("check", CLI_DONE);
    cli_check_says(cli_output.out, "note: the TLS certificate has no name 'gw.north.example'");
}

/* Who asks cannot be said: nobody does, and the file shows how to say it. */
static void
test_local_without_asserts(void)
{
    cli_run(cmd_init, "init|DIR/mute|--community|2.999.3|--name|Mute|--dev-pki|--key|p256|--local"
                      "|127.0.0.1:9080|--user|U");
    cli_check_exit("local without asserts", CLI_DONE);
    const struct config *config = load_config("mute/isthmus.yaml");

    CU_ASSERT(config->local.is_set && config->local_system == NULL && config->systems_n == 0);
    config_unref(config);
}

static void
test_wildcard(void)
{
    cli_run(cmd_init, "init|DIR/wild|--community|2.999.3|--name|Wild|--listen|0.0.0.0:7443|--host"
                      "|gw.wild.example|--dev-pki|--key|p256");
    cli_check_exit("wildcard", CLI_DONE);
    const struct config *config = load_config("wild/isthmus.yaml");

    CHECK_SPAN(span_of_cstr(config->base_url), "https://gw.wild.example:7443");
    CU_ASSERT(certificate_names(config->node->leaf, SPAN("gw.wild.example")));
    CU_ASSERT(!certificate_names(config->node->leaf, SPAN("0.0.0.0")));
    config_unref(config);
    cli_run(cmd_check, "check|-c|DIR/wild/isthmus.yaml");
    cli_check_exit("check", CLI_DONE);
    CU_ASSERT(strstr(cli_output.out, "has no name") == NULL);
}

/* Without certificates the files are there, and check names what is missing. */
static void
test_without_pki(void)
{
    cli_run(cmd_init, "init|DIR/bare|--community|2.999.4|--name|Bare");
    cli_check_exit("init", CLI_DONE);
    cli_check_says(cli_output.out, "Put certificates and keys where it names them");
    cli_run(cmd_check, "check|-c|DIR/bare/isthmus.yaml");
    cli_check_exit("check", CLI_FAILED);
    cli_check_says(cli_output.err, "bare/pki/node.pem: No such file or directory");
    cli_check_says(cli_output.err, "bare/pki/signing.pem: No such file or directory");
    cli_check_says(cli_output.err, "bare/pki/ca.pem: No such file or directory");
    cli_check_says(cli_output.err, "bare/pki/crl.pem: No such file or directory");
    cli_check_says(cli_output.err, "bare/isthmus.yaml: 4 errors [CONFIG]");
}

/* Where no shipped rules are found: what is written instead can be loaded, and denies. */
static void
test_deny_policy(void)
{
    const struct policy_facts facts = {.transaction = SPAN("ITI-55"),
                                       .direction = SPAN("inbound"),
                                       .partner = SPAN("blue"),
                                       .community = SPAN("2.999.2"),
                                       .purpose = SPAN("T-TREAT"),
                                       .purpose_system = SPAN(POLICY_PURPOSE_SYSTEM_TEFCA)};
    struct policy *policy = policy_new();
    struct yaml_report report;
    struct diag diag = {0};
    struct buf text;

    buf_init(&text, 4096);
    CHECK_OK(&diag, init_write_deny_policy(&text, &diag));
    FILE *file = fopen(path_of("deny.yaml"), "w");

    CU_ASSERT_FATAL(file != NULL && policy != NULL);
    CU_ASSERT(fwrite(text.p, 1, text.n, file) == text.n);
    CU_ASSERT(fclose(file) == 0);
    buf_done(&text);
    yaml_report_init(&report);
    CHECK_OK(&diag, policy_load(policy, path_of("deny.yaml"), &report, &diag));
    CHECK_SPAN(buf_span(&report.text), "");
    const struct policy_decision decision = policy_decide(policy, &facts);

    CU_ASSERT(decision.verdict == POLICY_DENY);
    CHECK_SPAN(span_of_cstr(decision.rule), "deny-everything");
    yaml_report_done(&report);
    policy_free(policy);
}

/* ---- two nodes, one authority, exchanged cards ---- */

static void
test_two_nodes(void)
{
    struct diag diag = {0};
    const struct partner *partner = NULL;

    cli_run(cmd_init, "init|DIR/net/red|--community|2.999.1|--name|Red HIE|--id|red|--ca|DIR/net/ca"
                      "|--listen|127.0.0.1:8443");
    cli_check_exit("red", CLI_DONE);
    cli_run(cmd_init,
            "init|DIR/net/blue|--community|2.999.2|--name|Blue HIE|--id|blue|--ca|DIR/net/ca"
            "|--listen|127.0.0.1:8453|--key|p256");
    cli_check_exit("blue", CLI_DONE);
    copy_file("net/blue/card/blue.yaml", "net/red/partners.d/blue.yaml");
    copy_file("net/blue/card/blue-signing.pem", "net/red/partners.d/blue-signing.pem");
    copy_file("net/red/card/red.yaml", "net/blue/partners.d/red.yaml");
    copy_file("net/red/card/red-signing.pem", "net/blue/partners.d/red-signing.pem");
    const struct config *red = load_config("net/red/isthmus.yaml");
    const struct config *blue = load_config("net/blue/isthmus.yaml");

    CHECK_OK(&diag, config_partner_of_peer(red, blue->node->leaf, &diag, &partner));
    CHECK_SPAN(span_of_cstr(partner->id), "blue");
    CHECK_SPAN(span_of_cstr(partner->xcpd_url), "https://127.0.0.1:8453/xcpd");
    CHECK_SPAN(span_of_cstr(partner->query_url), "https://127.0.0.1:8453/xca/query");
    CHECK_SPAN(span_of_cstr(partner->retrieve_url), "https://127.0.0.1:8453/xca/retrieve");
    CU_ASSERT(partner_speaks_for(partner, SPAN("2.999.2")));
    CU_ASSERT(strcmp(partner->signing[0]->sha256, blue->signing->leaf->sha256) == 0);
    CHECK_OK(&diag, config_partner_of_peer(blue, red->node->leaf, &diag, &partner));
    CHECK_SPAN(span_of_cstr(partner->id), "red");
    CHECK_ERR(&diag, ERR_PEER_UNKNOWN,
              config_partner_of_peer(red, red->node->leaf, &diag, &partner));
    config_unref(red);
    config_unref(blue);
}

/* A card in the wrong folder: a node is no partner of its own. */
static void
test_own_card(void)
{
    copy_file("net/red/card/red.yaml", "net/red/partners.d/red.yaml");
    copy_file("net/red/card/red-signing.pem", "net/red/partners.d/red-signing.pem");
    cli_run(cmd_check, "check|-c|DIR/net/red/isthmus.yaml");
    cli_check_exit("own card", CLI_FAILED);
    cli_check_says(cli_output.err,
                   "partners.d/red.yaml:5:15: error: community '2.999.1' is already used at");
    CU_ASSERT(unlink(path_of("net/red/partners.d/red.yaml")) == 0);
}

/* ---- check, partners ---- */

static void
test_check(void)
{
    cli_run(cmd_check, "check");
    cli_check_exit("no file", CLI_USAGE);
    cli_run(cmd_check, "check|-c|DIR/none.yaml");
    cli_check_exit("missing", CLI_FAILED);
    cli_check_says(cli_output.err, "none.yaml: No such file or directory");
    cli_run(cmd_check, "check|-c|DIR/none.yaml|--json");
    cli_check_exit("missing", CLI_FAILED);
    cli_check_says(cli_output.out, "\"good\": false");
    cli_check_says(cli_output.out, "No such file or directory");

    cli_run(cmd_check, "check|-c|DIR/net/red/isthmus.yaml");
    cli_check_exit("good", CLI_DONE);
    cli_check_says(cli_output.out, "isthmus.yaml: good\ncommunity\n  2.999.1 Red HIE\n");
    cli_check_says(cli_output.out, "  network    127.0.0.1:8443 (TLS with client certificates)\n");
    cli_check_says(cli_output.out, "  node       CN=node,O=Red HIE, until 20");
    cli_check_says(cli_output.out, "  partners   1 anchor, revocation lists until 20");
    cli_check_says(cli_output.out, "partners\n  blue       2.999.2\n");
    CU_ASSERT(strstr(cli_output.out, "note:") == NULL);
    CU_ASSERT(cli_output.err[0] == '\0');

    cli_run(cmd_check, "check|--json|-c|DIR/net/red/isthmus.yaml");
    cli_check_exit("good", CLI_DONE);
    cli_check_says(cli_output.out, "\"good\": true");
    cli_check_says(cli_output.out, "\"errors\": []");
    cli_check_says(cli_output.out, "\"subject\": \"CN=node,O=Red HIE\"");
}

static void
test_check_json_errors(void)
{
    cli_run(cmd_check, "check|-c|DIR/bare/isthmus.yaml|--json");
    cli_check_exit("bare", CLI_FAILED);
    cli_check_says(cli_output.out, "\"good\": false");
    cli_check_says(cli_output.out, "bare/isthmus.yaml\",\n      \"line\": ");
    cli_check_says(cli_output.out, "bare/pki/node.pem: No such file or directory\"");
    cli_check_says(cli_output.out, "\"error_count\": 4");
    CU_ASSERT(cli_output.err[0] == '\0');
}

static void
test_partners(void)
{
    cli_run(cmd_partners, "partners");
    cli_check_exit("no file", CLI_USAGE);
    cli_run(cmd_partners, "partners|-c|DIR/bare/isthmus.yaml");
    cli_check_exit("wrong configuration", CLI_FAILED);
    cli_run(cmd_partners, "partners|-c|DIR/once/isthmus.yaml");
    cli_check_exit("nobody", CLI_DONE);
    cli_check_says(cli_output.out, "\n0 partners\n");

    cli_run(cmd_partners, "partners|-c|DIR/net/red/isthmus.yaml");
    cli_check_exit("blue", CLI_DONE);
    cli_check_says(cli_output.out, "blue  Blue HIE\n  communities  2.999.2\n"
                                   "  xcpd         https://127.0.0.1:8453/xcpd\n");
    cli_check_says(cli_output.out, "  tls          certificate with the name blue.localhost\n");
    cli_check_says(cli_output.out, "  signing      CN=signing,O=Blue HIE, until 20");
    cli_check_says(cli_output.out,
                   "  timeout      20000 ms\n  limits       64 connections, 1000 questions; left "
                   "alone after 5 failures for 1000 to 60000 ms\n"
                   "  writes       as the specification says\n"
                   "  relaxed      nothing\n\n");
    cli_check_says(cli_output.out, "\n1 partner\n");
    cli_run(cmd_partners, "partners|-c|DIR/net/red/isthmus.yaml|--json");
    cli_check_exit("blue", CLI_DONE);
    cli_check_says(cli_output.out, "\"id\": \"blue\"");
    cli_check_says(cli_output.out, "\"bearer\": false");
}

static void
test_relaxed(void)
{
    FILE *file = fopen(path_of("net/red/partners.d/blue.yaml"), "a");
    CU_ASSERT_FATAL(file != NULL);
    fputs("fault_status: soap12\n", file);
    CU_ASSERT(fclose(file) == 0);
    copy_file("net/red/partners.d/blue.yaml", "net/red/blue.before");
    char line[512];
    /* the card says holder-of-key only; the operator agrees on more */
    snprintf(line, sizeof(line), "sed -i 's/\\[holder-of-key\\]/[holder-of-key, bearer]/' %s",
             path_of("net/red/partners.d/blue.yaml"));
    CU_ASSERT(system(line) == 0);
    cli_run(cmd_partners, "partners|-c|DIR/net/red/isthmus.yaml");
    cli_check_exit("relaxed", CLI_DONE);
    cli_check_says(cli_output.out, "  fault_status soap12\n");
    cli_check_says(cli_output.out,
                   "  relaxed      WARNING: bearer assertions accepted: whoever holds one "
                   "may use it\n\n");
    cli_run(cmd_check, "check|-c|DIR/net/red/isthmus.yaml");
    cli_check_exit("warned", CLI_DONE);
    cli_check_says(cli_output.out, "note: partner 'blue': bearer assertions accepted");
}

/* Everything that a partner's file can relax is shown; what weakens others is a warning. */
static void
test_all_relaxed(void)
{
    FILE *file = fopen(path_of("net/red/partners.d/blue.yaml"), "a");

    CU_ASSERT_FATAL(file != NULL);
    fputs("may_omit: [audience, role]\nsha1_until: 2020-06-30\nreplay: messageid\n"
          "assertions: once\ndelegators: [Organization/2.999.7]\n"
          "writes: {confirmation: bearer, digest: sha1, legacy_renegotiation: yes}\n",
          file);
    CU_ASSERT(fclose(file) == 0);
    cli_run(cmd_partners, "partners|-c|DIR/net/red/isthmus.yaml");
    cli_check_exit("all relaxed", CLI_DONE);
    cli_check_says(cli_output.out, "  assertions   once\n");
    cli_check_says(cli_output.out,
                   "  writes       confirmation bearer, digest sha1, legacy_renegotiation "
                   "yes\n");
    cli_check_says(cli_output.out,
                   "WARNING: SHA-1 signatures are refused, their time has ended 2020-06-30: "
                   "remove sha1_until\n");
    cli_check_says(cli_output.out,
                   "WARNING: it wants SHA-1 signatures, but sha1_until is over: it gets "
                   "SHA-256\n");
    cli_check_says(cli_output.out, "WARNING: our assertions for it are bearer");
    cli_check_says(cli_output.out, "WARNING: its server's TLS may lack secure renegotiation");
    cli_check_says(cli_output.out,
                   "WARNING: one Timestamp signature may come with several MessageIDs\n");
    cli_check_says(cli_output.out, "               may ask for Organization/2.999.7\n");
    cli_check_says(cli_output.out,
                   "               accepted: assertions without AudienceRestriction\n");
    cli_check_says(cli_output.out, "               accepted: no role attribute\n");
    cli_run(cmd_partners, "partners|-c|DIR/net/red/isthmus.yaml|--json");
    cli_check_exit("all relaxed", CLI_DONE);
    cli_check_says(cli_output.out, "\"sha1_until\": \"2020-07-01T00:00:00.000Z\"");
    cli_check_says(cli_output.out, "\"sha1\": false");
    cli_check_says(cli_output.out, "\"name\": \"audience\"");
    cli_check_says(cli_output.out, "\"Organization/2.999.7\"");
    cli_run(cmd_check, "check|-c|DIR/net/red/isthmus.yaml");
    cli_check_says(cli_output.out, "note: partner 'blue': SHA-1 signatures are refused");
}

static const struct unit_test tests[] = {
    {"refused options", test_refused_options},
    {"refused overwrite", test_refused_overwrite},
    {"files", test_files},
    {"options", test_options},
    {"wildcard", test_wildcard},
    {"local without asserts", test_local_without_asserts},
    {"without pki", test_without_pki},
    {"deny policy", test_deny_policy},
    {"two nodes", test_two_nodes},
    {"own card", test_own_card},
    {"check", test_check},
    {"check json errors", test_check_json_errors},
    {"partners", test_partners},
    {"relaxed", test_relaxed},
    {"all relaxed", test_all_relaxed},
};

UNIT_MAIN("init", tests)
