/*
 * Private keys that a passphrase opens: from a file, from the environment, and everything that must
 * be refused with the reason.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "certs_world.h"
#include "tls_shake.h"
#include "unit.h"

#define SECRET "correct horse"

static void
write_key(const char *name, const EVP_PKEY *key, bool is_traditional)
{
    BIO *bio = BIO_new_file(path_of(name), "w");
    int written = 0;

    CU_ASSERT_FATAL(bio != NULL);
    written = is_traditional ? PEM_write_bio_PrivateKey_traditional(bio, key, EVP_aes_128_cbc(),
                                                                    (const unsigned char *)SECRET,
                                                                    (int)strlen(SECRET), NULL, NULL)
                             : PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), SECRET,
                                                             (int)strlen(SECRET), NULL, NULL);
    CU_ASSERT(written == 1);
    BIO_free(bio);
    CU_ASSERT(chmod(path_of(name), 0600) == 0);
}

static void
test_make_files(void)
{
    write_key("red8.key", world.red->key, false);
    write_key("red1.key", world.red->key, true);
    write_key("blue8.key", world.blue->key, false);
    write_key("blue1.key", world.blue->key, true);
    write_file("good.pass", SECRET "\n", 0600);
    write_file("bare.pass", SECRET, 0400);
    write_file("dos.pass", SECRET "\r\nsecond line\n", 0600);
    write_file("wrong.pass", "correct house\n", 0600);
    write_file("empty.pass", "\n", 0600);
    write_file("nothing.pass", "", 0600);
    write_file("open.pass", SECRET "\n", 0640);
    write_file("damaged.key",
               "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE "
               "KEY-----\n",
               0600);
    char text[2048];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    write_file("long.pass", text, 0600);
    CU_ASSERT(setenv("ISTHMUS_TEST_PASS", SECRET, 1) == 0);
    CU_ASSERT(setenv("ISTHMUS_TEST_WRONG", "nonsense", 1) == 0);
    CU_ASSERT(setenv("ISTHMUS_TEST_EMPTY", "", 1) == 0);
    (void)unsetenv("ISTHMUS_TEST_NONE");
}

/* One way to open a key: <file> or <variable>, or neither. */
struct way {
    const char *key, *file, *variable;
    enum err code;
    enum credential_file culprit;
    const char *text; /* part of the diag */
};

static struct credential *
open_way(const char *certificate, const struct way *way)
{
    struct diag diag = {0};
    struct credential *credential = NULL;
    enum credential_file culprit = CREDENTIAL_FILE_MODULE;
    const struct credential_sources sources = {
        .certificate_path = path_of(certificate),
        .key = path_of(way->key),
        .passphrase_path = way->file == NULL ? NULL : path_of(way->file),
        .passphrase_env = way->variable,
    };

    CHECK_ERR(&diag, way->code,
              credential_make(&sources, world.now_us, &diag, &culprit, &credential));
    CU_ASSERT(is_ok((struct status){way->code}) == (credential != NULL));
    if (way->code != ERR_NONE) {
        CU_ASSERT(culprit == way->culprit);
        if (strstr(diag.text, way->text) == NULL) {
            fprintf(stderr, "wanted '%s' in '%s'\n", way->text, diag.text);
            CU_FAIL("another text");
        }
        CU_ASSERT(strstr(diag.text, "correct ho") == NULL);
    }
    return credential;
}

static void
test_refused(void)
{
    static const struct way ways[] = {
        {"red8.key", "wrong.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "the passphrase does not open this key"},
        {"red1.key", "wrong.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "the passphrase does not open this key"},
        {"red8.key", NULL, "ISTHMUS_TEST_WRONG", ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "the passphrase does not open this key"},
        {"red8.key", NULL, NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_KEY,
         "the key is encrypted, and there is no passphrase"},
        {"red1.key", NULL, NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_KEY,
         "the key is encrypted, and there is no passphrase"},
        {"red8.key", "empty.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "got an empty one"},
        {"red8.key", "nothing.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "got an empty one"},
        {"red8.key", NULL, "ISTHMUS_TEST_EMPTY", ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "ISTHMUS_TEST_EMPTY: expected a passphrase, got an empty one"},
        {"red8.key", NULL, "ISTHMUS_TEST_NONE", ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "the environment has no variable ISTHMUS_TEST_NONE"},
        {"red8.key", "missing.pass", NULL, ERR_IO, CREDENTIAL_FILE_PASSPHRASE, "missing.pass"},
        {"red8.key", "long.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "at most 1000 bytes"},
        {"red8.key", "open.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_PASSPHRASE,
         "mode 0640 lets others use this passphrase; run chmod 600"},
        {"red/node.key", "good.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_KEY,
         "this key is not encrypted, and a passphrase is configured"},
        {"blue8.key", "good.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_KEY,
         "does not belong to the certificate"},
        {"damaged.key", "good.pass", NULL, ERR_CREDENTIAL, CREDENTIAL_FILE_KEY,
         "no private key in PEM form"},
    };

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        CU_ASSERT(open_way("red/node.pem", &ways[i]) == NULL);
    }
}

/* Each opened key works: it shakes hands as the server. */
static void
test_opened(void)
{
    static const struct {
        const char *certificate;
        struct way way;
    } rows[] = {
        {"red/node.pem", {.key = "red8.key", .file = "good.pass"}},
        {"red/node.pem", {.key = "red1.key", .file = "bare.pass"}},
        {"red/node.pem", {.key = "red8.key", .variable = "ISTHMUS_TEST_PASS"}},
        {"blue/node.pem", {.key = "blue8.key", .file = "dos.pass"}},
        {"blue/node.pem", {.key = "blue1.key", .variable = "ISTHMUS_TEST_PASS"}},
        {"red/node.pem", {.key = "red/node.key"}},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct credential *credential = open_way(rows[i].certificate, &rows[i].way);

        CU_ASSERT_FATAL(credential != NULL);
        SSL_CTX *server = tls_shake_server(credential, world.trust, 0);
        SSL_CTX *client = tls_shake_client(world.blue, world.trust);

        CU_ASSERT(tls_shake(client, server).is_done);
        SSL_CTX_free(server);
        SSL_CTX_free(client);
        credential_free(credential);
    }
}

static const struct unit_test tests[] = {
    {"make the network's certificates", test_make_world},
    {"make keys and passphrases", test_make_files},
    {"refused keys and passphrases", test_refused},
    {"opened keys", test_opened},
    {"free the network's certificates", test_free_world},
};

UNIT_MAIN("keys", tests)
