/*
 * An independent judge: the JDK's XML signature code verifies every kind of signature that we make
 * and makes ones that we must accept. tests/interop/Jdk.java is run once; files are exchanged in
 * the test's folder. Without java the test is not run, and says so.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/datetime.h"
#include "certs/der.h"
#include "engines.h"
#include "tests/unit/soap_kit.h"

#define JAVA_SECONDS 120

static const struct {
    const char *name;
    enum kit_who who;
} keys[] = {{"rsa", KIT_RSA}, {"p256", KIT_EC}, {"p384", KIT_EC384}, {"other", KIT_OTHER}};

static bool has_java;

static void
write_file(const char *name, struct span bytes)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/%s", unit_temp_dir(), name);
    FILE *const file = fopen(path, "wb");
    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT(fwrite(bytes.p, 1, bytes.n, file) == bytes.n);
    CU_ASSERT(fclose(file) == 0);
}

static void
read_file(const char *name, struct buf *out)
{
    char path[PATH_MAX];
    struct diag diag;
    diag_clear(&diag);
    (void)snprintf(path, sizeof(path), "%s/%s", unit_temp_dir(), name);
    buf_init(out, (size_t)1024 * 1024);
    CHECK_OK(&diag, buf_read_file(out, path, &diag));
}

static void
write_keys(void)
{
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const struct credential *const credential = kit_credential(keys[i].who);
        struct diag diag;
        struct buf der;
        char name[64];
        unsigned char *pkcs8 = NULL;
        diag_clear(&diag);
        buf_init(&der, 16384);
        CHECK_OK(&diag, certificate_write_der(credential->leaf, &der, &diag));
        (void)snprintf(name, sizeof(name), "%s.crt", keys[i].name);
        write_file(name, buf_span(&der));
        PKCS8_PRIV_KEY_INFO *const info = EVP_PKEY2PKCS8(credential->key);
        const int n = i2d_PKCS8_PRIV_KEY_INFO(info, &pkcs8);
        CU_ASSERT_FATAL(n > 0);
        (void)snprintf(name, sizeof(name), "%s.p8", keys[i].name);
        write_file(name, span_of((const char *)pkcs8, (size_t)n));
        OPENSSL_free(pkcs8);
        PKCS8_PRIV_KEY_INFO_free(info);
        buf_done(&der);
    }
}

/* ---- ours, for the JDK ---- */

static void
say_all(struct assertion_order *order)
{
    order->npi = "1234567893";
    order->resource_id = SPAN("1^^^&2.999.1&ISO");
    order->id_token = SPAN("e30.e30.e30");
}

/* What canonicalisation and a writer might each spell in another way. */
static void
say_odd_text(struct assertion_order *order)
{
    order->subject_id = "\"J\xC3\xB6\" <'&'> ]]> \xF0\x9F\x98\x80 ";
    order->organization = "a\tb\nc\rd  e";
    order->role_display = "\"R\"\t<&>\n'";
}

static void
sign_sha384(struct assertion_order *order)
{
    order->style.digest = DIALECT_SHA384;
}

static void
sign_sha512(struct assertion_order *order)
{
    order->style.digest = DIALECT_SHA512;
}

/* As old partners want it, with a consent in the AuthzDecisionStatement. */
static void
say_old(struct assertion_order *order)
{
    static struct span consents[1];
    say_all(order);
    consents[0] = SPAN("urn:oid:2.999.5");
    order->acp = (struct span_list){consents, 1, 1};
    order->style.is_subject_id_basic = true;
    order->style.community = DIALECT_COMMUNITY_NHIN;
    order->style.has_npi_2_0 = true;
    order->style.has_authz_decision = true;
}

static const struct {
    const char *file;
    enum kit_who who;
    bool is_bearer;
    struct kit_edit edit; /* what is changed after signing: the JDK must see it */
    int valid, invalid;
    void (*say)(struct assertion_order *order);
} ours[] = {
    {"ours-rsa-full.xml", KIT_RSA, false, {0}, 2, 0, say_all},
    {"ours-p256-full.xml", KIT_EC, false, {0}, 2, 0, say_all},
    {"ours-p384-full.xml", KIT_EC384, true, {0}, 1, 0, say_all},
    {"ours-rsa-text.xml", KIT_RSA, false, {0}, 2, 0, say_odd_text},
    {"ours-p256-text.xml", KIT_EC, false, {0}, 2, 0, say_odd_text},
    {"ours-p384-text.xml", KIT_EC384, false, {0}, 2, 0, say_odd_text},
    {"ours-rsa-sha384.xml", KIT_RSA, false, {0}, 2, 0, sign_sha384},
    {"ours-rsa-sha512.xml", KIT_RSA, false, {0}, 2, 0, sign_sha512},
    {"ours-p256-sha384.xml", KIT_EC, false, {0}, 2, 0, sign_sha384},
    {"ours-p384-sha384.xml", KIT_EC384, false, {0}, 2, 0, sign_sha384},
    {"ours-p384-bearer384.xml", KIT_EC384, true, {0}, 1, 0, sign_sha384},
    {"ours-rsa-old.xml", KIT_RSA, false, {0}, 2, 0, say_old},
    {"ours-p256-old.xml", KIT_EC, false, {0}, 2, 0, say_old},
    {"ours-rsa-plain.xml", KIT_RSA, false, {0}, 2, 0, NULL},
    {"ours-p256-plain.xml", KIT_EC, false, {0}, 2, 0, NULL},
    {"ours-p384-plain.xml", KIT_EC384, false, {0}, 2, 0, NULL},
    {"ours-rsa-bearer.xml", KIT_RSA, true, {0}, 1, 0, NULL},
    {"ours-p256-bearer.xml", KIT_EC, true, {0}, 1, 0, NULL},
    {"ours-rsa-name.xml",
     KIT_RSA,
     false,
     {KIT_TEXT, "Header/Security/Assertion/Subject/NameID", NULL, "CN=evil"},
     1,
     1,
     NULL},
    {"ours-p256-name.xml",
     KIT_EC,
     false,
     {KIT_TEXT, "Header/Security/Assertion/Subject/NameID", NULL, "CN=evil"},
     1,
     1,
     NULL},
    {"ours-rsa-time.xml",
     KIT_RSA,
     false,
     {KIT_TEXT, "Header/Security/Timestamp/Created", NULL, "2027-01-15T08:00:00.001Z"},
     1,
     1,
     NULL},
    {"ours-p384-time.xml",
     KIT_EC384,
     false,
     {KIT_TEXT, "Header/Security/Timestamp/Created", NULL, "2027-01-15T08:00:00.001Z"},
     1,
     1,
     NULL},
};

static void
write_ours(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
        struct assertion_order order = kit_order(ours[i].who);
        order.style.is_bearer = ours[i].is_bearer;
        if (ours[i].say != NULL) {
            ours[i].say(&order);
        }
        xmlDoc *const doc = kit_open(kit_message(&order, arena));
        kit_apply(doc, &ours[i].edit);
        write_file(ours[i].file, kit_close(doc, arena));
        arena_free(arena);
    }
}

/* Jdk.java beside this file, wherever the build is. */
static bool
find_program(char path[PATH_MAX])
{
    const char *const from_make = getenv("srcdir");
    const char *const folders[] = {from_make == NULL ? "." : from_make, "..", "."};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        (void)snprintf(path, PATH_MAX, "%s/tests/interop/Jdk.java", folders[i]);
        if (access(path, R_OK) == 0) {
            return true;
        }
    }
    return false;
}

static int
wait_for(pid_t child)
{
    int status = -1;
    for (int i = 0; i < JAVA_SECONDS * 10; i++) {
        if (waitpid(child, &status, WNOHANG) == child) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    (void)kill(child, SIGKILL);
    (void)waitpid(child, &status, 0);
    return -1;
}

/* 127 when there is no java. */
static int
run_java(void)
{
    char program[PATH_MAX];
    char created[DATETIME_MAX];
    char expires[DATETIME_MAX];
    CU_ASSERT_FATAL(find_program(program));
    datetime_write_xs(KIT_NOW_US, created);
    datetime_write_xs(KIT_NOW_US + KIT_LIFE_US, expires);
    const char *const folder = unit_temp_dir();
    const pid_t child = fork();
    CU_ASSERT_FATAL(child >= 0);
    if (child == 0) {
        (void)execlp("java", "java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", program, folder,
                     created, expires, KIT_AUDIENCE, (char *)NULL);
        _exit(127);
    }
    return wait_for(child);
}

static void
test_run(void)
{
    write_keys();
    write_ours();
    const int status = run_java();
    has_java = status != 127;
    if (!has_java) {
        unit_not_run("no java");
        return;
    }
    CU_ASSERT_FATAL(status == 0);
}

static void
test_ours(void)
{
    if (!has_java) {
        return;
    }
    struct buf verdicts;
    read_file("verdicts.txt", &verdicts);
    printf("\n    %zu messages of ours, changed ones included, judged\n", ARRAY_LEN(ours));
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        char line[128];
        (void)snprintf(line, sizeof(line), "%s %d %d\n", ours[i].file, ours[i].valid,
                       ours[i].invalid);
        const bool is_there = span_find(buf_span(&verdicts), span_of_cstr(line)) != SPAN_MISSING;
        CU_ASSERT(is_there);
        if (!is_there) {
            printf("\n      wanted: %s      got:\n%.*s\n", line, SPAN_PRINT(buf_span(&verdicts)));
        }
    }
    buf_done(&verdicts);
}

/* ---- the JDK's, for us ---- */

#define VARIANTS_MIN 20 /* good messages on which both must agree */

/* What we say about a variant: by the first word of its name, or by its row. */
static enum err
verdict_on(struct span name, bool may_use_bearer)
{
    static const struct {
        const char *name;
        enum err want;
    } refused[] = {
        {"refuse-other", ERR_SIG_NO_TRUST},
        {"refuse-other-assertion", ERR_SIG_NO_TRUST},
        {"refuse-no-key-info", ERR_SIG_NO_TRUST},
        {"refuse-no-confirmation-key", ERR_SAML_CONFIRMATION},
        {"refuse-sha1", ERR_SIG_ALGORITHM},
        {"refuse-digest-sha1", ERR_SIG_ALGORITHM},
        {"refuse-sha224", ERR_SIG_ALGORITHM},
        {"refuse-inclusive-c14n", ERR_SIG_ALGORITHM},
        {"refuse-comments-c14n", ERR_SIG_ALGORITHM},
        {"refuse-inclusive-transform", ERR_SIG_TRANSFORM},
        {"refuse-comments-transform", ERR_SIG_TRANSFORM},
    };
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        if (span_eq_cstr(name, refused[i].name)) {
            return refused[i].want;
        }
    }
    CU_ASSERT(!span_starts_with(name, SPAN("refuse"))); /* each has its row */
    return span_starts_with(name, SPAN("bearer")) && !may_use_bearer ? ERR_SAML_CONFIRMATION
                                                                     : ERR_NONE;
}

static void
check_facts(const struct saml_facts *facts)
{
    CHECK_SPAN(facts->name_id, "CN=user & co, O=Test");
    CHECK_SPAN(facts->subject_id, "J\xC3\xB6 <D>");
    CHECK_SPAN(facts->organization, "JDK");
    CHECK_SPAN(facts->home_community, "2.999.3");
    CHECK_SPAN(facts->role.value, "1");
    CHECK_SPAN(facts->purpose.value, "T-TREAT");
}

/* True when it was accepted as it must be. */
static bool
check_variant(struct span name, bool may_use_bearer)
{
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    const enum err want = verdict_on(name, may_use_bearer);
    struct kit_rules kit;
    struct diag diag;
    struct buf xml;
    struct saml_facts facts;
    char file[128];
    kit_rules_init(&kit);
    kit.rules.may_use_bearer = may_use_bearer;
    (void)snprintf(file, sizeof(file), "jdk-%.*s.xml", SPAN_PRINT(name));
    read_file(file, &xml);
    const struct status st = kit_verify(buf_span(&xml), &kit.rules, arena, &diag, &facts);
    if (!CHECK_ERR(&diag, want, st)) {
        printf("      in: %s\n%.*s\n", file, SPAN_PRINT(buf_span(&xml)));
    }
    if (is_ok(st)) {
        check_facts(&facts);
        CU_ASSERT(facts.is_holder_of_key == !span_starts_with(name, SPAN("bearer")));
    }
    buf_done(&xml);
    arena_free(arena);
    return is_ok(st) && want == ERR_NONE;
}

static void
test_theirs(void)
{
    struct buf variants;
    struct span name;
    size_t accepted = 0;
    size_t refused = 0;
    if (!has_java) {
        return;
    }
    read_file("variants.txt", &variants);
    struct span rest = span_trim(buf_span(&variants));
    while (span_split(&rest, '\n', &name)) {
        if (span_starts_with(name, SPAN("refuse"))) {
            (void)check_variant(name, false);
            refused++;
        } else if (span_starts_with(name, SPAN("bearer"))) {
            (void)check_variant(name, false);
            accepted += check_variant(name, true) ? 1 : 0;
        } else {
            accepted += check_variant(name, false) ? 1 : 0;
        }
    }
    printf("\n    %zu good variants of the JDK accepted, %zu others refused\n", accepted, refused);
    CU_ASSERT(accepted >= VARIANTS_MIN);
    CU_ASSERT(refused == 11);
    printf("    %zu signatures by both engines, %zu of them known to the profile engine\n",
           engines.jobs, engines.known);
    CU_ASSERT_STRING_EQUAL(engines.difference, "");
    CU_ASSERT(engines.known >= accepted);
    buf_done(&variants);
}

static const struct unit_test tests[] = {
    {"the JDK runs", test_run},
    {"the JDK verifies ours", test_ours},
    {"we verify the JDK's", test_theirs},
};

int
main(void)
{
    kit_init();
    const int rc = unit_main("jdk", tests, ARRAY_LEN(tests));
    kit_done();
    return rc;
}
