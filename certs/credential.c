/*
 * Loads a private key with its certificate chain and refuses what would fail later, in front of a
 * partner. Called while the configuration loads. The key's bytes lie in a buffer that is wiped.
 */
#include "certs/credential.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/datetime.h"
#include "base/mem.h"
#include "certs/openssl_error.h"

#define KEY_FILE_MAX ((size_t)64 * 1024)

/* ---- the key ---- */

/* On the open file, so that what was judged is what is read. */
static struct status
check_key_file(int fd, const char *path, struct diag *diag)
{
    struct stat facts;

    if (fstat(fd, &facts) != 0) {
        return FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (!S_ISREG(facts.st_mode)) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: not a regular file", path);
    }
    if ((facts.st_mode & 077) != 0) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: mode %04o lets others use this private key; run chmod 600 on it", path,
                    (unsigned)(facts.st_mode & 07777));
    }
    return OK;
}

static struct status
read_all(int fd, const char *path, struct buf *text, struct diag *diag)
{
    for (;;) {
        char *room = NULL;

        TRY(buf_reserve(text, 4096, diag, &room));
        const ssize_t n = read(fd, room, 4096);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
        }
        if (n == 0) {
            return OK;
        }
        text->n += (size_t)n;
    }
}

static struct status
read_key_file(const char *path, struct buf *text, struct diag *diag)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0) {
        return FAIL(diag, ERR_IO, "cannot open %s: %s", path, strerror(errno));
    }
    struct status st = check_key_file(fd, path, diag);

    if (is_ok(st)) {
        st = read_all(fd, path, text, diag);
    }
    close(fd);
    return st;
}

/* Asked for only when the key is encrypted. */
static int
note_passphrase(char *passphrase, int size, int is_writing, void *asked)
{
    (void)passphrase;
    (void)size;
    (void)is_writing;
    *(bool *)asked = true;
    return -1;
}

static struct status
parse_key(const char *path, struct span text, struct diag *diag, EVP_PKEY **ret_key)
{
    bool is_encrypted = false;

    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(text.n == 0 ? "" : text.p, (int)text.n);

    if (bio == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a private key");
    }
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, note_passphrase, &is_encrypted);

    BIO_free(bio);
    if (key != NULL) {
        *ret_key = key;
        return OK;
    }
    if (is_encrypted) {
        ERR_clear_error();
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: the key is encrypted, which this version cannot read; store it without "
                    "passphrase, mode 0600 (openssl pkey -in OLD -out NEW)",
                    path);
    }
    return FAIL(diag, ERR_CREDENTIAL, "%s: no private key in PEM form: %s", path,
                openssl_error_take());
}

static struct status
load_key(const char *path, struct diag *diag, EVP_PKEY **ret_key)
{
    struct buf text;

    buf_init_secret(&text, KEY_FILE_MAX);
    struct status st = read_key_file(path, &text, diag);

    if (is_ok(st)) {
        st = parse_key(path, buf_span(&text), diag, ret_key);
    }
    buf_done(&text);
    return st;
}

/* ---- the chain ---- */

static struct status
take_chain(struct credential *credential, struct certificate_list *list, struct diag *diag)
{
    credential->leaf = list->items[0];
    list->items[0] = NULL;
    if (list->n == 1) {
        return OK;
    }
    credential->chain = mem_alloc((list->n - 1) * sizeof(X509 *));
    if (credential->chain == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a credential");
    }
    for (size_t i = 1; i < list->n; i++) {
        X509_up_ref(list->items[i]->x509);
        credential->chain[credential->chain_n++] = list->items[i]->x509;
    }
    return OK;
}

static struct status
check_chain(const struct credential *credential, struct diag *diag)
{
    X509 *subject = credential->leaf->x509;

    for (size_t i = 0; i < credential->chain_n; i++) {
        if (X509_check_issued(credential->chain[i], subject) != X509_V_OK) {
            return FAIL(diag, ERR_CREDENTIAL,
                        "certificate %zu in the file did not issue certificate %zu; expected the "
                        "node's own first, then each one's issuer",
                        i + 2, i + 1);
        }
        subject = credential->chain[i];
    }
    return OK;
}

static struct status
check_validity(const struct certificate *leaf, int64_t now_us, struct diag *diag)
{
    char text[DATETIME_MAX];

    if (now_us > leaf->not_after_us) {
        datetime_write_xs(leaf->not_after_us, text);
        return FAIL(diag, ERR_CREDENTIAL, "the certificate expired at %s", text);
    }
    if (now_us < leaf->not_before_us) {
        datetime_write_xs(leaf->not_before_us, text);
        return FAIL(diag, ERR_CREDENTIAL, "the certificate is valid only from %s", text);
    }
    return OK;
}

static struct status
load_certificates(struct credential *credential, const char *path, int64_t now_us,
                  struct diag *diag)
{
    struct certificate_list list = {0};

    TRY(certificate_list_from_file(path, diag, &list));
    struct status st = take_chain(credential, &list, diag);

    certificate_list_done(&list);
    if (is_ok(st)) {
        st = certificate_check_key(credential->leaf->key, diag);
    }
    if (is_ok(st)) {
        st = check_chain(credential, diag);
    }
    if (is_ok(st)) {
        st = check_validity(credential->leaf, now_us, diag);
    }
    if (!is_ok(st)) {
        diag_prefix(diag, "%s", path);
    }
    return st;
}

static struct status
load(struct credential *credential, const char *certificate_path, const char *key_path,
     int64_t now_us, struct diag *diag, enum credential_file *ret_culprit)
{
    *ret_culprit = CREDENTIAL_FILE_CERTIFICATE;
    TRY(load_certificates(credential, certificate_path, now_us, diag));
    *ret_culprit = CREDENTIAL_FILE_KEY;
    TRY(load_key(key_path, diag, &credential->key));
    if (EVP_PKEY_eq(credential->leaf->key, credential->key) != 1) {
        ERR_clear_error();
        return FAIL(diag, ERR_CREDENTIAL, "%s: this key does not belong to the certificate %s",
                    key_path, certificate_path);
    }
    return OK;
}

struct status
credential_load_files(const char *certificate_path, const char *key_path, int64_t now_us,
                      struct diag *diag, enum credential_file *ret_culprit,
                      struct credential **ret_credential)
{
    struct credential *credential = mem_alloc(sizeof(*credential));

    if (credential == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a credential");
    }
    const struct status st =
        load(credential, certificate_path, key_path, now_us, diag, ret_culprit);

    if (!is_ok(st)) {
        credential_free(credential);
        return st;
    }
    *ret_credential = credential;
    return OK;
}

struct status
credential_load(const char *certificate_path, const char *key_path, int64_t now_us,
                struct diag *diag, struct credential **ret_credential)
{
    enum credential_file culprit;

    return credential_load_files(certificate_path, key_path, now_us, diag, &culprit,
                                 ret_credential);
}

void
credential_free(struct credential *credential)
{
    if (credential == NULL) {
        return;
    }
    for (size_t i = 0; i < credential->chain_n; i++) {
        X509_free(credential->chain[i]);
    }
    mem_free(credential->chain);
    EVP_PKEY_free(credential->key);
    certificate_free(credential->leaf);
    mem_free(credential);
}
