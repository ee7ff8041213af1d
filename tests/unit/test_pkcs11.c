/*
 * Keys in a token: SoftHSM2 with a token of its own folder, through OpenSSL's engine. Handshakes on
 * both sides and XML signatures with keys that never leave the token; and what is refused. Without
 * the Debian packages softhsm2 and libengine-pkcs11-openssl it says "not run".
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "certs/pkcs11.h"
#include "certs_world.h"
#include "soap/security.h"
#include "tls_shake.h"
#include "unit.h"

#define MODULE "/usr/lib/softhsm/libsofthsm2.so"
#define PIN    "1234"

extern char **environ;

static const char *missing; /* the package without which nothing can run */

static bool
run(const char *const *arguments)
{
    posix_spawn_file_actions_t quiet;
    pid_t pid = 0;
    int result = -1;

    CU_ASSERT(posix_spawn_file_actions_init(&quiet) == 0);
    CU_ASSERT(posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1 /* O_WRONLY */, 0) == 0);
    const bool is_run = posix_spawnp(&pid, arguments[0], &quiet, NULL,
                                     (char *const *)(uintptr_t)arguments, environ) == 0 &&
                        waitpid(pid, &result, 0) == pid && result == 0;

    CU_ASSERT(posix_spawn_file_actions_destroy(&quiet) == 0);
    return is_run;
}

static bool
is_absent(void)
{
    if (missing != NULL) {
        unit_not_run("the Debian package %s is not installed", missing);
    }
    return missing != NULL;
}

static void
import_key(const char *path, const char *label, const char *id)
{
    const char *const import[] = {
        "softhsm2-util", "--import", path, "--token", "isthmus", "--label",
        label,           "--id",     id,   "--pin",   PIN,       NULL};

    CU_ASSERT(run(import));
}

static void
test_make_token(void)
{
    static const char *const make[] = {
        "softhsm2-util", "--init-token", "--free", "--label", "isthmus", "--pin", PIN,
        "--so-pin",      "87654321",     NULL};
    static const char *const version[] = {"softhsm2-util", "--version", NULL};
    char text[600];

    missing = access(MODULE, R_OK) != 0 || !run(version) ? "softhsm2" : NULL;
    if (missing == NULL && access("/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so", R_OK) != 0 &&
        access("/usr/lib/aarch64-linux-gnu/engines-3/pkcs11.so", R_OK) != 0) {
        missing = "libengine-pkcs11-openssl";
    }
    if (is_absent()) {
        return;
    }
    CU_ASSERT(mkdir(path_of("tokens"), 0700) == 0);
    snprintf(text, sizeof(text),
             "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n",
             path_of("tokens"));
    write_file("softhsm2.conf", text, 0600);
    write_file("pin", PIN "\n", 0600);
    write_file("wrong-pin", "9999\n", 0600);
    write_file("open-pin", PIN "\n", 0644);
    CU_ASSERT(setenv("SOFTHSM2_CONF", path_of("softhsm2.conf"), 1) == 0);
    CU_ASSERT_FATAL(run(make));
    import_key(path_of("red/node.key"), "red", "01");
    import_key(path_of("blue/node.key"), "blue", "02");
}

/* <uri> with "PIN" replaced by the path of that file. */
static struct credential_sources
sources_of(const char *certificate, const char *uri, const char *pin_file, char ret_uri[1024])
{
    snprintf(ret_uri, 1024, "%s%s%s", uri, pin_file == NULL ? "" : "?pin-source=file:",
             pin_file == NULL ? "" : path_of(pin_file));
    return (struct credential_sources){
        .certificate_path = path_of(certificate), .key = ret_uri, .pkcs11_module = MODULE};
}

static struct credential *
open_token(const char *certificate, const char *uri)
{
    struct diag diag = {0};
    struct credential *credential = NULL;
    enum credential_file culprit;
    char text[1024];
    const struct credential_sources sources = sources_of(certificate, uri, "pin", text);

    CHECK_OK(&diag, credential_make(&sources, world.now_us, &diag, &culprit, &credential));
    CU_ASSERT_FATAL(credential != NULL);
    return credential;
}

static void
check_refused(const struct credential_sources *sources, enum credential_file culprit,
              const char *text)
{
    struct diag diag = {0};
    struct credential *credential = NULL;
    enum credential_file got = CREDENTIAL_FILE_CERTIFICATE;

    CHECK_ERR(&diag, ERR_CREDENTIAL,
              credential_make(sources, world.now_us, &diag, &got, &credential));
    CU_ASSERT(credential == NULL && got == culprit);
    if (strstr(diag.text, text) == NULL) {
        fprintf(stderr, "wanted '%s' in '%s'\n", text, diag.text);
        CU_FAIL("another text");
    }
    CU_ASSERT(strstr(diag.text, PIN) == NULL);
}

static void
test_refused_uris(void)
{
    static const struct {
        const char *uri, *pin_file, *text;
    } rows[] = {
        {"pkcs11:token=isthmus;object=red", NULL, "a key in a token needs its PIN"},
        {"pkcs11:token=isthmus;object=red?pin-value=" PIN, NULL, "must not be in the config"},
        {"pkcs11:token=isthmus;object=red;pin-value=" PIN, NULL, "pin-source comes after '?'"},
        {"pkcs11:token=isthmus;object=red?pin-source=pin", NULL, "file:/absolute/path"},
        {"pkcs11:token=isthmus;object=red?pin-source=file:pin", NULL, "file:/absolute/path"},
        {"pkcs11:token=isthmus;object=red?module-path=/tmp/x.so", NULL, "there is pkcs11_module"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[1024];
        const struct credential_sources sources =
            sources_of("red/node.pem", rows[i].uri, rows[i].pin_file, text);

        check_refused(&sources, CREDENTIAL_FILE_KEY, rows[i].text);
    }
    char text[1024];
    struct credential_sources sources =
        sources_of("red/node.pem", "pkcs11:token=isthmus;object=red", "pin", text);

    sources.pkcs11_module = NULL;
    check_refused(&sources, CREDENTIAL_FILE_KEY, "needs pkcs11_module");
    sources.pkcs11_module = path_of("missing.so");
    check_refused(&sources, CREDENTIAL_FILE_MODULE, "this PKCS#11 module is not there");
}

static void
test_refused_keys(void)
{
    static const struct {
        const char *uri, *pin_file, *text;
    } rows[] = {
        /* first of all: once somebody is logged in, the token asks no more */
        {"pkcs11:token=isthmus;object=red", "wrong-pin", "or the PIN is wrong"},
        {"pkcs11:token=isthmus;object=none", "pin", "no such private key"},
        {"pkcs11:token=isthmus;object=blue", "pin", "does not belong to the certificate"},
        {"pkcs11:token=isthmus;object=red", "open-pin", "mode 0644 lets others use this"},
    };

    if (is_absent()) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[1024];
        const struct credential_sources sources =
            sources_of("red/node.pem", rows[i].uri, rows[i].pin_file, text);

        check_refused(&sources, CREDENTIAL_FILE_KEY, rows[i].text);
    }
    char text[1024];
    struct credential_sources sources =
        sources_of("red/node.pem", "pkcs11:token=isthmus;object=red", "pin", text);

    write_file("other.so", "no shared object\n", 0600);
    sources.pkcs11_module = path_of("other.so");
    check_refused(&sources, CREDENTIAL_FILE_MODULE, "one PKCS#11 module for all keys");
}

/* The token signs for either end, RSA (PKCS#1 and PSS) and ECDSA, TLS 1.2 and 1.3. */
static void
test_handshakes(void)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

    if (is_absent()) {
        return;
    }
    struct credential *red = open_token("red/node.pem", "pkcs11:token=isthmus;object=red");
    struct credential *blue = open_token("blue/node.pem", "pkcs11:token=isthmus;object=blue");

    for (size_t i = 0; i < 8; i++) {
        const struct credential *token = (i & 1) != 0 ? red : blue;
        const bool is_server = (i & 2) != 0;
        SSL_CTX *server = tls_shake_server(is_server ? token : world.red, world.trust, 0);
        SSL_CTX *client = tls_shake_client(is_server ? world.blue : token, world.trust);

        SSL_CTX_set_max_proto_version(client, versions[i / 4]);
        const struct handshake result = tls_shake(client, server);

        if (!result.is_done) {
            fprintf(stderr, "row %zu: client %d, server %d\n", i, result.client_reason,
                    result.server_reason);
            CU_FAIL("no handshake");
        }
        SSL_CTX_free(server);
        SSL_CTX_free(client);
    }
    credential_free(red);
    credential_free(blue);
}

/* The PIN as a passphrase, as `passphrase_file` gives it. */
static void
test_pin_as_passphrase(void)
{
    struct diag diag = {0};
    struct credential *credential = NULL;
    enum credential_file culprit;

    if (is_absent()) {
        return;
    }
    const struct credential_sources sources = {.certificate_path = path_of("red/node.pem"),
                                               .key = "pkcs11:token=isthmus;object=red",
                                               .passphrase_path = path_of("pin"),
                                               .pkcs11_module = MODULE};

    CHECK_OK(&diag, credential_make(&sources, world.now_us, &diag, &culprit, &credential));
    credential_free(credential);
}

/* ---- signatures ---- */

/* As soap/ signs: the digest by name, the whole text at once. */
static void
check_signature(const struct credential *token, const char *digest)
{
    static const unsigned char text[] = "canonical bytes";
    unsigned char signature[1024];
    size_t n = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    CU_ASSERT_FATAL(context != NULL);
    CU_ASSERT(EVP_DigestSignInit_ex(context, NULL, digest, NULL, NULL, token->key, NULL) == 1);
    CU_ASSERT(EVP_DigestSign(context, signature, &n, text, sizeof(text)) == 1);
    EVP_MD_CTX_free(context);
    context = EVP_MD_CTX_new();
    CU_ASSERT_FATAL(context != NULL);
    CU_ASSERT(EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, token->leaf->key, NULL) ==
              1);
    CU_ASSERT(EVP_DigestVerify(context, signature, n, text, sizeof(text)) == 1);
    CU_ASSERT(EVP_DigestVerify(context, signature, n, text, sizeof(text) - 1) != 1);
    EVP_MD_CTX_free(context);
}

static void
test_signatures(void)
{
    if (is_absent()) {
        return;
    }
    struct credential *red = open_token("red/node.pem", "pkcs11:token=isthmus;object=red");
    struct credential *blue = open_token("blue/node.pem", "pkcs11:token=isthmus;object=blue");

    check_signature(red, "SHA256");
    check_signature(red, "SHA512");
    check_signature(blue, "SHA256");
    check_signature(blue, "SHA384");
    credential_free(red);
    credential_free(blue);
}

/* ---- XML ---- */

/* A whole signed Timestamp, as it goes to partners. */
static void
test_timestamps(void)
{
    struct diag diag = {0};

    if (is_absent()) {
        return;
    }
    struct credential *tokens[] = {
        open_token("red/node.pem", "pkcs11:token=isthmus;object=red"),
        open_token("blue/node.pem", "pkcs11:token=isthmus;object=blue"),
    };
    struct arena *arena = arena_new((size_t)16 * 1024 * 1024);

    CU_ASSERT_FATAL(arena != NULL);
    CHECK_OK(&diag, soap_library_init(&diag));
    for (size_t i = 0; i < ARRAY_LEN(tokens); i++) {
        struct signed_timestamp timestamp = {0};
        struct buf value;

        CHECK_OK(&diag, timestamp_sign(tokens[i], DIALECT_SHA256, world.now_us, 60 * US_PER_S,
                                       arena, &diag, &timestamp));
        buf_init(&value, 4096);
        CHECK_OK(&diag, base64_decode(timestamp.signature_value, &value, &diag));
        /* RSA-2048, and the two numbers of P-256 */
        CU_ASSERT(value.n == (i == 0 ? 256 : 64));
        if (i == 0) {
            EVP_MD_CTX *context = EVP_MD_CTX_new();

            CU_ASSERT(EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL,
                                              tokens[i]->leaf->key, NULL) == 1);
            CU_ASSERT(EVP_DigestVerify(context, (const unsigned char *)value.p, value.n,
                                       (const unsigned char *)timestamp.signed_info_xml.p,
                                       timestamp.signed_info_xml.n) == 1);
            EVP_MD_CTX_free(context);
        }
        buf_done(&value);
        credential_free(tokens[i]);
    }
    arena_free(arena);
    soap_library_done();
}

static const struct unit_test tests[] = {
    {"make the network's certificates", test_make_world},
    {"make a token", test_make_token},
    {"refused URIs", test_refused_uris},
    {"refused keys", test_refused_keys},
    {"handshakes with keys in a token", test_handshakes},
    {"the PIN as a passphrase", test_pin_as_passphrase},
    {"signatures with keys in a token", test_signatures},
    {"Timestamps with keys in a token", test_timestamps},
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("pkcs11", tests)
