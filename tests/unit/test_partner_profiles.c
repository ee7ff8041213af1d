/*
 * Profiles in a partner's file: what they set, whose word counts, and what is said about mistakes
 * in them, in their names and between them. Every profile that is shipped is loaded.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/profiles.h"
#include "config_world.h"
#include "unit.h"

#define BLUE "partners.d/blue.yaml:"
#define LINE 9 /* of blue's file; the tests put their lines there */

static struct loaded loaded;

static const struct partner *
load_blue(const char *lines)
{
    write_main(17, "profiles: profiles.d");
    write_blue(LINE, lines);
    load(&loaded);
    if (!CHECK_OK(&loaded.diag, loaded.status)) {
        fprintf(stderr, "%s\n%.*s", lines, SPAN_PRINT(buf_span(&loaded.report.text)));
    }
    CU_ASSERT_FATAL(loaded.config != NULL && loaded.config->partners_n == 1);
    return &loaded.config->partners[0];
}

static void
write_profile(const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof(path), "profiles.d/%s.yaml", name);
    write_text(path, text);
}

static void
remove_profile(const char *name)
{
    char path[128];

    snprintf(path, sizeof(path), "profiles.d/%s.yaml", name);
    CU_ASSERT(unlink(path_of(path)) == 0);
}

static void
test_make_folder(void)
{
    test_make_world();
    CU_ASSERT(mkdir(path_of("profiles.d"), 0700) == 0);
}

/* ---- mistakes ---- */

static const struct mistake in_partner[] = {
    {LINE, "profiles: bearer",
     BLUE "9:11: error: profiles: expected a list such as [one-document-per-retrieve], got "
          "'bearer'\n"},
    {LINE, "profiles: [barer]", BLUE "9:12: error: no profile 'barer'; did you mean 'bearer'?\n"},
    {LINE, "profiles: [of-no-kind-at-all]",
     BLUE "9:12: error: no profile 'of-no-kind-at-all'; `isthmus partners --profiles` lists "
          "them\n"},
    {LINE, "profiles: [bearer, bearer]", BLUE "9:20: error: profile 'bearer' is named twice\n"},
    {LINE, "profiles: [[bearer]]",
     BLUE "9:12: error: expected a profile's name, or 'name: value', got a list\n"},
    {LINE, "profiles: [{bearer: x, sha512: y}]",
     BLUE "9:12: error: expected a profile's name, or 'name: value', got 'key: value' pairs\n"},
    {LINE, "profiles: [sha1-until]",
     BLUE "9:12: error: profile 'sha1-until' needs a value; write {sha1-until: 2027-06-30}\n"},
    {LINE, "profiles: [{bearer: yes}]",
     BLUE "9:21: error: profile 'bearer' takes no value; write its name alone\n"},
    /* what a value is wrong for is said where it stands */
    {LINE, "profiles: [{sha1-until: soon}]",
     BLUE "9:25: error: sha1_until: expected a day such as 2027-06-30, got 'soon'\n"},
    {LINE, "profiles: [{documents-per-retrieve: 0}]",
     BLUE "9:37: error: documents_per_request: expected a number from 1 to 1000, got '0'\n"},
    {LINE, "profiles: [{hub-as-receiver: x}]",
     BLUE "9:30: error: receiver: expected an OID such as 2.999.1, got 'x'\n"},
    /* contradictions name both places */
    {LINE, "profiles: [default-namespace, prefixed-namespace]",
     BLUE "9:31: error: profiles 'default-namespace' and 'prefixed-namespace' contradict each "
          "other: writes.hl7_namespace is 'default' at profiles/default-namespace.yaml:3:27 and "
          "'prefixed' at profiles/prefixed-namespace.yaml:3:27; name one of them, or set "
          "writes.hl7_namespace in this file\n"},
    {LINE, "profiles: [sha512, {sha1-until: 2020-01-31}]",
     BLUE "9:20: error: profiles 'sha512' and 'sha1-until' contradict each other: writes.digest is "
          "'sha512' at profiles/sha512.yaml:3:20 and 'sha1' at profiles/sha1-until.yaml:5:20; "
          "name one of them, or set writes.digest in this file\n"},
    {LINE, "profiles: [one-document-per-retrieve, {documents-per-retrieve: 3}]",
     BLUE "9:39: error: profiles 'one-document-per-retrieve' and 'documents-per-retrieve' "
          "contradict each other: limits.documents_per_request is '1' at "
          "profiles/one-document-per-retrieve.yaml:3:35 and '3' at partners.d/blue.yaml:9:64; name "
          "one of them, or set limits.documents_per_request in this file\n"},
};

static void
test_mistakes_in_a_partner(void)
{
    write_main(17, "profiles: profiles.d");
    for (size_t i = 0; i < ARRAY_LEN(in_partner); i++) {
        write_blue(LINE, in_partner[i].instead);
        check_refused(in_partner[i].instead, in_partner[i].report);
    }
    write_blue(7, "tls: {names: [Blue.example]}\nprofiles: [pinned-server]");
    check_refused("pinned without pins",
                  BLUE "7:7: error: 'names' has no effect with identity 'certificate'; remove it "
                       "or change 'identity'\n" BLUE
                       "7:1: error: tls: identity 'certificate' needs 'sha256' or "
                       "'certificates'\n");
}

struct own_row {
    const char *name, *text, *report;
};

static const struct own_row own_mistakes[] = {
    {"a", "sets: {timeout: 5s}", "profiles.d/a.yaml:1:1: error: missing 'about'\n"},
    {"a", "about: x", "profiles.d/a.yaml:1:1: error: missing 'sets'\n"},
    {"a", "about: x\nsets: {}",
     "profiles.d/a.yaml:2:1: error: sets: expected keys of a partner's "
     "file, got 'key: value' pairs\n"},
    {"a", "about: x\nsets: y\n",
     "profiles.d/a.yaml:2:7: error: sets: expected keys of a partner's file, got 'y'\n"},
    {"a", "about: x\nset: {timeout: 5s}\nsets: {timeout: 5s}\n",
     "profiles.d/a.yaml:2:1: error: unknown key 'set'; did you mean 'sets'?\n"},
    {"a", "about: x\nsets: {endpoints: {xcpd: 'https://a.example/x'}}\n",
     "profiles.d/a.yaml:2:8: error: a profile cannot set 'endpoints', which is each partner's own; "
     "it may set tls, confirmation, may_omit, sha1_until, replay, assertions, delegators, writes, "
     "fault_status, timeout, timeouts, limits, addresses, asynchronous, deferred\n"},
    {"a", "about: x\nsets: {tls: {sha256: [x]}}\n",
     "profiles.d/a.yaml:2:14: error: a profile cannot set 'sha256', which is each partner's own; "
     "it may set identity, server_chain, suites\n"},
    {"a", "about: x\nsets: {timeout: $}\n",
     "profiles.d/a.yaml:2:1: error: sets: '$' stands for the value of a parameter; add "
     "'parameter: EXAMPLE'\n"},
    {"a", "about: x\nparameter: 5s\nsets: {timeout: 5s}\n",
     "profiles.d/a.yaml:3:1: error: sets: no '$', where the parameter's value would go\n"},
    {"bearer", "about: x\nsets: {timeout: 5s}\n",
     "isthmus.yaml:17:11: error: profiles.d/bearer.yaml: a profile of that name is shipped; give "
     "it another\n"},
    {"No_Name", "about: x\nsets: {timeout: 5s}\n",
     "isthmus.yaml:17:11: error: profiles.d/No_Name.yaml: a profile's name has lower-case letters, "
     "digits, '-' and '_', at most 32\n"},
};

/* Although no partner names it. */
static void
test_mistakes_in_an_own_profile(void)
{
    write_main(17, "profiles: profiles.d");
    write_blue(0, NULL);
    for (size_t i = 0; i < ARRAY_LEN(own_mistakes); i++) {
        write_profile(own_mistakes[i].name, own_mistakes[i].text);
        check_refused(own_mistakes[i].text, own_mistakes[i].report);
        remove_profile(own_mistakes[i].name);
    }
}

static void
test_mistakes_in_the_folder(void)
{
    write_blue(0, NULL);
    write_main(17, "profiles: nowhere");
    check_refused("nowhere",
                  "isthmus.yaml:17:11: error: profiles: expected a folder, nowhere is none\n");
    write_main(17, "profiles: [a]");
    check_refused("a list", "isthmus.yaml:17:1: error: profiles: expected a path, got a list\n");
}

/* A wrong value of an operator's profile is said in that profile. */
static void
test_wrong_value_in_an_own_profile(void)
{
    write_main(17, "profiles: profiles.d");
    write_profile("slow", "about: slow\nsets:\n  timeout: soon\n  writes: {digset: sha256}\n");
    write_blue(LINE, "profiles: [slow]");
    write_blue(10, "profiles: [slow]");
    check_refused("slow", "profiles.d/slow.yaml:4:12: error: unknown key 'digset'; did you mean "
                          "'digest'?\nprofiles.d/slow.yaml:3:12: error: timeout: expected a time "
                          "such as 20s, 500ms or 1m, got 'soon'\n");
    remove_profile("slow");
}

/* ---- what they set ---- */

static void
test_sets(void)
{
    const struct partner *blue =
        load_blue("profiles: [one-document-per-retrieve, date-range-required, urn-prefix,\n"
                  "  prefixed-namespace, bearer, {sha1-until: 2020-01-31}, plain-soap-retrieve,\n"
                  "  legacy-tls, slow-answers, empty-answers, {hub-as-receiver: 2.999.77},\n"
                  "  asker-as-sender, second-attempt]");

    CU_ASSERT_EQUAL(blue->limits.documents, 1);
    CU_ASSERT_EQUAL(blue->limits.attempts, 4);
    CU_ASSERT_EQUAL(blue->limits.connections, 64); /* the rest of the section is the default */
    CU_ASSERT(blue->form.range == DIALECT_RANGE_CREATION && blue->form.has_urn_ids);
    CU_ASSERT(blue->form.is_prefixed && blue->form.is_plain_retrieve);
    CU_ASSERT(blue->form.is_sender_organization);
    CU_ASSERT_STRING_EQUAL(blue->form.receiver, "2.999.77");
    CU_ASSERT(blue->may_use_bearer && blue->writes.is_bearer);
    CU_ASSERT(blue->writes.digest == DIALECT_SHA1 && blue->sha1_until_us != 0);
    CU_ASSERT(blue->may_connect_legacy && blue->has_legacy_suites && !blue->is_server_pinned);
    CU_ASSERT_EQUAL(blue->discovery_timeout_us, 60 * US_PER_S);
    CU_ASSERT_EQUAL(blue->query_timeout_us, 120 * US_PER_S);
    CU_ASSERT_EQUAL(blue->retrieve_timeout_us, 120 * US_PER_S);
    CU_ASSERT_EQUAL(blue->timeout_us, 10 * US_PER_S); /* its own key */
    CU_ASSERT_EQUAL(blue->relaxed, DIALECT_BIT(RELAX_ANSWER));
    CU_ASSERT_EQUAL(blue->profiles_n, 13);
    CU_ASSERT_STRING_EQUAL(blue->profiles[5].name, "sha1-until");
    CU_ASSERT_STRING_EQUAL(blue->profiles[5].parameter, "2020-01-31");
    CU_ASSERT_STRING_EQUAL(partner_profile_of(blue, "writes.digest", NULL), "sha1-until");
    CU_ASSERT_STRING_EQUAL(partner_profile_of(blue, "may_omit", "answer"), "empty-answers");
    CU_ASSERT_PTR_NULL(partner_profile_of(blue, "may_omit", "audience"));
    CU_ASSERT_PTR_NULL(partner_profile_of(blue, "timeout", NULL));
    unload(&loaded);
}

/* Whatever the file says itself stands, also where a profile, or two, say something else. */
static void
test_own_keys_win(void)
{
    const struct partner *blue =
        load_blue("profiles: [sha512, {sha1-until: 2020-01-31}, lean-assertions, slow-answers]\n"
                  "writes: {digest: sha384}\ntimeouts: {query: 7s}");

    CU_ASSERT_EQUAL(blue->writes.digest, DIALECT_SHA384);
    CU_ASSERT_PTR_NULL(partner_profile_of(blue, "writes.digest", NULL));
    CU_ASSERT_EQUAL(blue->query_timeout_us, 7 * US_PER_S);
    CU_ASSERT_EQUAL(blue->retrieve_timeout_us, 120 * US_PER_S);
    CU_ASSERT(blue->sha1_until_us != 0);
    unload(&loaded);
}

static void
test_lists_are_joined(void)
{
    const struct partner *blue =
        load_blue("profiles: [empty-answers, loose-packages, lean-assertions, bearer]\n"
                  "may_omit: [role, audience]\nconfirmation: [holder-of-key]");

    CU_ASSERT_EQUAL(blue->relaxed, DIALECT_BIT(RELAX_ANSWER) | DIALECT_BIT(RELAX_PACKAGE) |
                                       DIALECT_BIT(RELAX_AUTHN_STATEMENT) |
                                       DIALECT_BIT(RELAX_AUDIENCE) | DIALECT_BIT(RELAX_NOT_BEFORE) |
                                       DIALECT_BIT(RELAX_ISSUER_FORMAT) |
                                       DIALECT_BIT(RELAX_NAME_SYNTAX) | DIALECT_BIT(RELAX_ROLE));
    CU_ASSERT(blue->may_use_bearer);
    CU_ASSERT_PTR_NULL(partner_profile_of(blue, "may_omit", "audience")); /* its own word */
    CU_ASSERT_STRING_EQUAL(partner_profile_of(blue, "may_omit", "package"), "loose-packages");
    unload(&loaded);
}

/* Two that say the same do not contradict. */
static void
test_own_profiles(void)
{
    const struct partner *blue;

    write_profile("big-hub", "about: a hub\nparameter: 12s\n"
                             "sets:\n  timeout: 3s\n  timeouts: {query: $, retrieve: $}\n"
                             "  writes: {date_range: creation}\n");
    blue = load_blue("profiles: [{big-hub: 33s}, date-range-required]");
    CU_ASSERT_EQUAL(blue->query_timeout_us, 33 * US_PER_S);
    CU_ASSERT_EQUAL(blue->retrieve_timeout_us, 33 * US_PER_S);
    CU_ASSERT_EQUAL(blue->discovery_timeout_us, 10 * US_PER_S); /* its own timeout, line 10 */
    CU_ASSERT_EQUAL(blue->form.range, DIALECT_RANGE_CREATION);
    unload(&loaded);
    remove_profile("big-hub");
}

/* ---- those that are shipped ---- */

static void
test_every_shipped_one(void)
{
    CU_ASSERT(config_shipped_profiles_n >= 20);
    for (size_t i = 0; i < config_shipped_profiles_n; i++) {
        const struct config_shipped_profile *shipped = &config_shipped_profiles[i];
        const char *parameter = strstr(shipped->text, "\nparameter: ");
        char lines[512], value[128] = "";
        const struct partner *blue;

        if (parameter != NULL) {
            (void)sscanf(parameter, "\nparameter: %100[^\n]", value);
        }
        snprintf(lines, sizeof(lines),
                 parameter == NULL ? "profiles: [%s%s]" : "profiles: [{%s: %s}]", shipped->name,
                 value);
        CU_ASSERT(i == 0 || strcmp(config_shipped_profiles[i - 1].name, shipped->name) < 0);
        if (strcmp(shipped->name, "pinned-server") == 0) {
            write_main(0, NULL);
            write_blue(7, "tls: {certificates: [../blue/node.pem]}\nprofiles: [pinned-server]");
            load(&loaded);
            CHECK_OK(&loaded.diag, loaded.status);
            blue = &loaded.config->partners[0];
            CU_ASSERT(blue->is_server_pinned && blue->identity == PARTNER_IDENTITY_CERTIFICATE);
        } else {
            blue = load_blue(lines);
        }
        CU_ASSERT_EQUAL(blue->profiles_n, 1);
        CU_ASSERT(blue->settings_n > 0);
        CU_ASSERT_STRING_EQUAL(blue->profiles[0].name, shipped->name);
        CU_ASSERT(strlen(blue->profiles[0].about) > 10);
        unload(&loaded);
    }
}

/* The manual's table says of each what its file says. */
static void
test_manual(void)
{
    const char *path = unit_source_path("gateway/config/README.md");
    struct diag diag = {0};
    struct buf manual;
    size_t rows = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(path);
    buf_init(&manual, (size_t)1024 * 1024);
    CHECK_OK(&diag, buf_read_file(&manual, path, &diag));
    for (size_t i = 0; i < config_shipped_profiles_n; i++) {
        const struct config_shipped_profile *shipped = &config_shipped_profiles[i];
        char about[256] = "", row[512];

        CU_ASSERT_EQUAL(sscanf(shipped->text, "about: %250[^\n]", about), 1);
        snprintf(row, sizeof(row), "| %s | %s |", shipped->name, about);
        if (span_find(buf_span(&manual), span_of_cstr(row)) == SPAN_MISSING) {
            fprintf(stderr, "not in gateway/config/README.md: %s\n", row);
            CU_FAIL("the manual lacks a profile");
        }
        rows++;
    }
    CU_ASSERT_EQUAL(rows, config_shipped_profiles_n);
    buf_done(&manual);
}

static const struct unit_test tests[] = {
    {"make files and certificates", test_make_folder},
    {"mistakes in a partner's file", test_mistakes_in_a_partner},
    {"mistakes in an own profile", test_mistakes_in_an_own_profile},
    {"mistakes in the folder's name", test_mistakes_in_the_folder},
    {"a wrong value in an own profile", test_wrong_value_in_an_own_profile},
    {"what they set", test_sets},
    {"a partner's own keys win", test_own_keys_win},
    {"lists are joined", test_lists_are_joined},
    {"own profiles", test_own_profiles},
    {"every shipped one", test_every_shipped_one},
    {"the manual has each", test_manual},
};
UNIT_MAIN("partner profiles", tests)
