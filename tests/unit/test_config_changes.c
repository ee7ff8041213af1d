/*
 * What is said about another configuration, and what a running node cannot take over: files that
 * differ in one line.
 */
#include <string.h>
#include <sys/stat.h>

#include "config/config_changes.h"
#include "config_world.h"
#include "unit.h"

struct said {
    char text[1024];
};

static void
note(void *arg, const char *what)
{
    struct said *said = arg;

    strncat(said->text, what, sizeof(said->text) - strlen(said->text) - 1);
    strncat(said->text, "\n", sizeof(said->text) - strlen(said->text) - 1);
}

#define EHR "{user: A, role: '1', organization: R, organization_id: 'urn:oid:2.999.1'}"

enum file { MAIN, BLUE, GOLD };

static const struct {
    enum file file;
    size_t line;
    const char *instead;
    const char *said;
} changes[] = {
    {MAIN, 17, "# another end", ""},
    {MAIN, 12, "partners: [partners.d/blue.yaml]", "partner gold: removed\n"},
    {MAIN, 8, "  node: {certificate: red/signing.pem, key: red/signing.key}",
     "credential node: another certificate\n"},
    {MAIN, 10, "  other: {certificate: red/node.pem, key: red/node.key}\ntrust:",
     "credential other: added\n"},
    {MAIN, 12, "  others: {anchors: green/ca.pem}\npartners: [partners.d/*.yaml]",
     "trust others: added\n"},
    {MAIN, 11,
     "  partners: {anchors: red/ca.pem, crl: red/crl.pem, fetch_hosts: [a.example], ocsp: {mode: "
     "soft}}",
     "trust partners: another way to ask for the status of certificates\n"},
    {MAIN, 17, "limits: {timeout: 19s}", "partner gold: other endpoints\nlimits: changed\n"},
    {MAIN, 17, "limits: {connections_per_partner: 7}", "limits: changed\n"},
    {MAIN, 15, "audit: {journal: var/audit, on_unavailable: degrade}", "audit: changed\n"},
    {MAIN, 15, "audit: {journal: var/audit, disk_limit: 80%}", "audit: changed\n"},
    {MAIN, 15, "audit: {journal: var/audit, wait: 7s}", "audit: changed\n"},
    {MAIN, 17, "discovery: {several: none}", "discovery: changed\n"},
    {MAIN, 17, "discovery: {remember: 168h}", "discovery: changed\n"},
    {MAIN, 17, "discovery: {time_to_live: 168h}", "discovery: changed\n"},
    {MAIN, 17, "discovery: {minimum_degree: 80}", "discovery: changed\n"},
    {MAIN, 17, "discovery: {ask_back: true}", "discovery: changed\n"},
    {MAIN, 17, "limits: {answer_time: 7s}", "limits: changed\n"},
    {MAIN, 17, "security: {clock_skew: 1s}", "security: changed\n"},
    {MAIN, 17, "security: {signatures: reference}", "security: changed\n"},
    {MAIN, 17, "systems: {ehr: {asserts: " EHR "}}", "system ehr: added\n"},
    {MAIN, 6, "asserts: {organization: Red HIE, purpose: T-PYMNT}", "asserts: changed\n"},
    {MAIN, 17, "recipients: [{organization: 2.999.50, community: 2.999.2}]",
     "recipients: changed\n"},
    {BLUE, 2, "name: Blue", "partner blue: another name\n"},
    {GOLD, 1, "id: silver", "partner gold: removed\npartner silver: added\n"},
    {BLUE, 3, "communities: [2.999.2]", "partner blue: other communities\n"},
    {BLUE, 6, "  query: https://localhost:8453/xca", "partner blue: other endpoints\n"},
    {BLUE, 10, "timeout: 11s", "partner blue: other endpoints\n"},
    {BLUE, 7, "tls: {identity: san, names: [b.example]}", "partner blue: another TLS identity\n"},
    {BLUE, 8, "signing: {certificates: [../blue/node.pem]}",
     "partner blue: other signing keys or issuers\n"},
    {BLUE, 8, "signing: {certificates: [../blue/signing.pem], issuers: [Blue]}",
     "partner blue: other signing keys or issuers\n"},
    {BLUE, 9, "confirmation: [holder-of-key, bearer]", "partner blue: other agreements\n"},
    {BLUE, 10, "timeout: 10s\nmay_omit: [audience]", "partner blue: other agreements\n"},
    {BLUE, 10, "timeout: 10s\nassertions: once", "partner blue: other agreements\n"},
    {BLUE, 10, "timeout: 10s\ntimeouts: {query: 60s}", "partner blue: other endpoints\n"},
    {BLUE, 7, "tls: {names: [Blue.example], suites: legacy}", "partner blue: other endpoints\n"},
    {BLUE, 10, "timeout: 10s\nlimits: {attempts: 2}",
     "partner blue: other limits, proxy or addresses\n"},
    {BLUE, 10, "timeout: 10s\nwrites: {digest: sha384}",
     "partner blue: our messages are written otherwise\n"},
    {BLUE, 10, "timeout: 10s\nwrites: {date_range: creation}",
     "partner blue: our messages are written otherwise\n"},
    {BLUE, 10, "timeout: 10s\nwrites: {receiver: 2.999.9}",
     "partner blue: our messages are written otherwise\n"},
    {BLUE, 10, "timeout: 10s\nprofiles: [prefixed-namespace, one-document-per-retrieve]",
     "partner blue: other limits, proxy or addresses\n"
     "partner blue: our messages are written otherwise\n"},
    {GOLD, 3, "tls: {names: [au.example]}", "partner gold: another TLS identity\n"},
};

static void
write_good(void)
{
    write_main(0, NULL);
    write_blue(0, NULL);
    write_gold(0, NULL);
}

static void
write_changed(size_t i)
{
    if (changes[i].file == MAIN) {
        write_main(changes[i].line, changes[i].instead);
    } else if (changes[i].file == BLUE) {
        write_blue(changes[i].line, changes[i].instead);
    } else {
        write_gold(changes[i].line, changes[i].instead);
    }
}

static void
test_said(void)
{
    struct loaded good;

    write_good();
    load(&good);
    CU_ASSERT_FATAL(good.config != NULL);
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct said said = {""};
        struct loaded other;

        write_good();
        write_changed(i);
        load(&other);
        if (CHECK_OK(&other.diag, other.status)) {
            config_changes(good.config, other.config, note, &said);
            if (strcmp(said.text, changes[i].said) != 0) {
                printf("\n    '%s': wanted '%s', got '%s'", changes[i].instead, changes[i].said,
                       said.text);
                CU_FAIL("another change is said");
            }
            CHECK_OK(&other.diag, config_may_replace(good.config, other.config, &other.diag));
        } else {
            printf("\n    '%s': %.*s", changes[i].instead,
                   SPAN_PRINT(buf_span(&other.report.text)));
        }
        unload(&other);
    }
    unload(&good);
}

/* ---- systems: both files have one ---- */

#define SYSTEM(entry)     "systems: {ehr: {" entry "}}"
#define BELIEVES(members) "asserts: " EHR ", assertions: {" members "}"
#define STS               "certificates: [blue/signing.pem]"
#define HERE              "audiences: [urn:a]"

static const struct {
    const char *old, *other;
    bool is_changed;
} systems[] = {
    {SYSTEM("asserts: " EHR), SYSTEM("asserts: " EHR), false},
    {SYSTEM("asserts: " EHR),
     SYSTEM("asserts: {user: B, role: '1', organization: R, organization_id: 'urn:oid:2.999.1'}"),
     true},
    {SYSTEM("asserts: " EHR), SYSTEM("asserts: " EHR ", asserts_for_all: true"), true},
    {SYSTEM("asserts: " EHR), SYSTEM(BELIEVES(STS ", " HERE)), true},
    {SYSTEM(BELIEVES(STS ", " HERE)), SYSTEM(BELIEVES(STS ", " HERE)), false},
    {SYSTEM(BELIEVES(STS ", " HERE)), SYSTEM(BELIEVES(STS ", " HERE) ", requires_assertion: true"),
     true},
    {SYSTEM(BELIEVES(STS ", " HERE)), SYSTEM(BELIEVES(STS ", audiences: [urn:b]")), true},
    {SYSTEM(BELIEVES(STS ", " HERE)), SYSTEM(BELIEVES("certificates: [gold/signing.pem], " HERE)),
     true},
    {SYSTEM(BELIEVES(STS ", " HERE)), SYSTEM(BELIEVES(STS ", " HERE ", issuers: [I]")), true},
    {SYSTEM(BELIEVES(STS ", " HERE)),
     SYSTEM(BELIEVES(STS ", " HERE ", holders: [gold/signing.pem]")), true},
    {SYSTEM(BELIEVES(STS ", " HERE)),
     SYSTEM(BELIEVES(STS ", " HERE ", confirmation: [holder-of-key]")), true},
    {SYSTEM(BELIEVES(STS ", " HERE)), SYSTEM(BELIEVES(STS ", " HERE ", may_omit: [purpose]")),
     true},
};

static void
test_systems(void)
{
    for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
        struct said said = {""};
        struct loaded old, other;

        write_main(17, systems[i].old);
        load(&old);
        write_main(17, systems[i].other);
        load(&other);
        if (CHECK_OK(&old.diag, old.status) && CHECK_OK(&other.diag, other.status)) {
            config_changes(old.config, other.config, note, &said);
            if (strcmp(said.text, systems[i].is_changed ? "system ehr: changed\n" : "") != 0) {
                printf("\n    '%s': got '%s'", systems[i].other, said.text);
                CU_FAIL("another change is said");
            }
        } else {
            printf("\n    '%s': %.*s", systems[i].other, SPAN_PRINT(buf_span(&other.report.text)));
        }
        unload(&old);
        unload(&other);
    }
}

static const struct {
    size_t line;
    const char *instead;
    const char *why;
} fixed[] = {
    {1, "community: {id: 2.999.9, name: Red HIE}", "community.id is 2.999.1 and would be 2.999.9"},
    {1, "community: {id: 2.999.1, name: Red HIE, patient_authority: 2.999.8}",
     "community.patient_authority is 2.999.1.1 and would be 2.999.8"},
    {1, "community: {id: 2.999.1, name: Red HIE, repository: 2.999.8}",
     "community.repository is 2.999.1.2 and would be 2.999.8"},
    {13, "store: {path: var/other.db}", "other.db; restart to change it"},
    {15, "audit: {journal: var/other}", "audit.journal is "},
    {15, "audit: {journal: var/audit, encryption: {key: red/audit.key}}",
     "audit.encryption would change; restart to change it"},
    {17, "spool: {path: var/other-spool}", "other-spool; restart to change it"},
    {17, "spool: {limit: 1GB}", "spool.limit or spool.threshold would change"},
    {17, "spool: {threshold: 1MB}", "spool.limit or spool.threshold would change"},
    {17, "limits: {replay_keys: 1000}", "limits.replay_keys is 100000 and would be 1000"},
};

static void
test_fixed(void)
{
    struct loaded good;

    write_good();
    write_text("red/audit.key", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n");
    CU_ASSERT(chmod(path_of("red/audit.key"), 0600) == 0);
    load(&good);
    CU_ASSERT_FATAL(good.config != NULL);
    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        struct loaded other;

        write_main(fixed[i].line, fixed[i].instead);
        load(&other);
        if (CHECK_OK(&other.diag, other.status)) {
            CHECK_ERR(&other.diag, ERR_CONFIG,
                      config_may_replace(good.config, other.config, &other.diag));
            if (strstr(other.diag.text, fixed[i].why) == NULL) {
                printf("\n    wanted '%s', got '%s'", fixed[i].why, other.diag.text);
                CU_FAIL("another reason");
            }
        }
        unload(&other);
    }
    unload(&good);
}

/* A list that is written anew is a change, though it says the same. */
static void
test_lists(void)
{
    struct said said = {""};
    struct loaded good, other;
    struct diag diag = {0};
    struct buf crl;

    write_good();
    load(&good);
    CU_ASSERT_FATAL(good.config != NULL);
    CU_ASSERT(!config_trust_has_changed(good.config));
    buf_init(&crl, 1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&crl, path_of("red/crl.pem"), &diag));
    CHECK_OK(&diag, buf_append_cstr(&crl, "\n", &diag));
    write_text("red/crl.pem", crl.p);
    CU_ASSERT(config_trust_has_changed(good.config));
    load(&other);
    CU_ASSERT_FATAL(other.config != NULL);
    config_changes(good.config, other.config, note, &said);
    CU_ASSERT_STRING_EQUAL(said.text, "trust partners: revocation lists read anew\n");
    CU_ASSERT(other.config->generation > good.config->generation);
    CU_ASSERT(!config_trust_has_changed(other.config));
    buf_done(&crl);
    unload(&other);
    unload(&good);
}

static const struct unit_test tests[] = {
    {"the world", test_make_world},   {"what is said", test_said},
    {"systems", test_systems},        {"what needs a restart", test_fixed},
    {"revocation lists", test_lists},
};
UNIT_MAIN("config changes", tests)
