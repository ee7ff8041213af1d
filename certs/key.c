/*
 * Reads private keys in PEM form and the passphrases that open them. Called by credential.c and
 * pkcs11.c while the configuration loads. Every secret lies in a buffer that is wiped.
 */
#include "certs/key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "certs/openssl_error.h"

#define KEY_FILE_MAX        ((size_t)64 * 1024)
#define PASSPHRASE_FILE_MAX ((size_t)4 * 1024)

/* ---- files ---- */

/* On the open file, so that what was judged is what is read. */
static struct status
check_file(int fd, const char *path, const char *what, struct diag *diag)
{
    struct stat facts;

    if (fstat(fd, &facts) != 0) {
        return FAIL(diag, ERR_IO, "%s: %s", path, strerrordesc_np(errno));
    }
    if (!S_ISREG(facts.st_mode)) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: not a regular file", path);
    }
    if ((facts.st_mode & 077) != 0) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: mode %04o lets others use this %s; run chmod 600 on it", path,
                    (unsigned)(facts.st_mode & 07777), what);
    }
    return OK;
}

static struct status
read_all(int fd, const char *path, struct buf *secret, struct diag *diag)
{
    for (;;) {
        char *room = NULL;

        TRY(buf_reserve(secret, 4096, diag, &room));
        const ssize_t n = read(fd, room, 4096);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return FAIL(diag, ERR_IO, "%s: %s", path, strerrordesc_np(errno));
        }
        if (n == 0) {
            return OK;
        }
        secret->n += (size_t)n;
    }
}

struct status
key_read_private_file(const char *path, const char *what, struct buf *secret, struct diag *diag)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0) {
        return FAIL(diag, ERR_IO, "cannot open %s: %s", path, strerrordesc_np(errno));
    }
    struct status st = check_file(fd, path, what, diag);

    if (is_ok(st)) {
        st = read_all(fd, path, secret, diag);
    }
    close(fd);
    return st;
}

/* ---- passphrases ---- */

void
key_passphrase_init(struct buf *passphrase)
{
    buf_init_secret(passphrase, KEY_PASSPHRASE_MAX);
}

static struct status
take_passphrase(struct span text, const char *where, struct buf *passphrase, struct diag *diag)
{
    if (text.n == 0) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: expected a passphrase, got an empty one", where);
    }
    if (text.n > KEY_PASSPHRASE_MAX) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: expected a passphrase of at most %d bytes", where,
                    KEY_PASSPHRASE_MAX);
    }
    return buf_append(passphrase, text, diag);
}

static struct status
read_passphrase_file(const char *path, struct buf *passphrase, struct diag *diag)
{
    struct buf text;

    buf_init_secret(&text, PASSPHRASE_FILE_MAX + 4096); /* read in pieces of 4096 */
    struct status st = key_read_private_file(path, "passphrase", &text, diag);

    if (is_ok(st)) {
        struct span rest = buf_span(&text), line = SPAN_EMPTY;

        (void)span_split(&rest, '\n', &line);
        if (line.n > 0 && line.p[line.n - 1] == '\r') {
            line.n--;
        }
        st = take_passphrase(line, path, passphrase, diag);
    }
    buf_done(&text);
    return st;
}

struct status
key_read_passphrase(const char *path, const char *variable, struct buf *passphrase,
                    struct diag *diag)
{
    if (path != NULL) {
        return read_passphrase_file(path, passphrase, diag);
    }
    if (variable == NULL) {
        return OK;
    }
    const char *value = getenv(variable);

    if (value == NULL) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "the environment has no variable %s, which holds the passphrase", variable);
    }
    return take_passphrase(span_of_cstr(value), variable, passphrase, diag);
}

/* ---- keys ---- */

struct question {
    struct span passphrase;
    bool is_asked; /* only when the key is encrypted */
};

static int
answer(char *room, int size, int is_writing, void *arg)
{
    struct question *question = arg;

    (void)is_writing;
    question->is_asked = true;
    if (question->passphrase.n == 0 || question->passphrase.n > (size_t)size) {
        return -1;
    }
    memcpy(room, question->passphrase.p, question->passphrase.n);
    return (int)question->passphrase.n;
}

static struct status
refuse_key(const char *path, const struct question *question, struct diag *diag,
           enum credential_file *ret_culprit)
{
    if (!question->is_asked) {
        return FAIL(diag, ERR_CREDENTIAL, "%s: no private key in PEM form: %s", path,
                    openssl_error_take());
    }
    ERR_clear_error();
    if (question->passphrase.n == 0) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: the key is encrypted, and there is no passphrase; add passphrase_file or "
                    "passphrase_env",
                    path);
    }
    *ret_culprit = CREDENTIAL_FILE_PASSPHRASE;
    return FAIL(diag, ERR_CREDENTIAL, "%s: the passphrase does not open this key", path);
}

static struct status
parse_key(const char *path, struct span text, struct question *question, struct diag *diag,
          enum credential_file *ret_culprit, EVP_PKEY **ret_key)
{
    ERR_clear_error();
    BIO *bio = BIO_new_mem_buf(text.n == 0 ? "" : text.p, (int)text.n);

    if (bio == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a private key");
    }
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, answer, question);

    BIO_free(bio);
    if (key == NULL) {
        return refuse_key(path, question, diag, ret_culprit);
    }
    if (question->passphrase.n > 0 && !question->is_asked) {
        EVP_PKEY_free(key);
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: this key is not encrypted, and a passphrase is configured for it; encrypt "
                    "it (openssl pkcs8 -topk8 -in OLD -out NEW) or remove the passphrase",
                    path);
    }
    ERR_clear_error();
    *ret_key = key;
    return OK;
}

struct status
key_load_pem(const char *path, struct span passphrase, struct diag *diag,
             enum credential_file *ret_culprit, EVP_PKEY **ret_key)
{
    struct question question = {.passphrase = passphrase};
    struct buf text;

    buf_init_secret(&text, KEY_FILE_MAX);
    struct status st = key_read_private_file(path, "private key", &text, diag);

    if (is_ok(st)) {
        st = parse_key(path, buf_span(&text), &question, diag, ret_culprit, ret_key);
    }
    buf_done(&text);
    return st;
}
