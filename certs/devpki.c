/*
 * The development authority and the certificates of one node, as files. Called by `isthmus init`,
 * the demonstration and tests. Everything is made in memory first; a file that exists is never
 * replaced, but for the authority's own revocation list.
 */
#include "certs/devpki.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "certs/certificate.h"
#include "certs/issue.h"
#include "certs/openssl_error.h"

#define DAY_US           (INT64_C(86400) * US_PER_S)
#define CA_LIFE_US       (3650 * DAY_US)
#define NODE_LIFE_US     (730 * DAY_US) /* ITI TF-2 3.19 recommends at most two years */
#define CLOCK_SKEW_US    (300 * US_PER_S)
#define KEY_MODE         0600
#define CERTIFICATE_MODE 0644

struct authority {
    X509 *x509;
    EVP_PKEY *key;
    X509_CRL *crl; /* NULL until one is read or made */
};

static void
authority_done(struct authority *authority)
{
    X509_free(authority->x509);
    EVP_PKEY_free(authority->key);
    X509_CRL_free(authority->crl);
}

/* ---- files ---- */

static struct status
join(char ret_path[PATH_MAX], const char *dir, const char *name, const char *suffix,
     struct diag *diag)
{
    const int n = snprintf(ret_path, PATH_MAX, "%s/%s%s", dir, name, suffix);

    return n < 0 || n >= PATH_MAX ? FAIL(diag, ERR_IO, "%s/%s%s: path too long", dir, name, suffix)
                                  : OK;
}

static struct status
make_dir(const char *dir, struct diag *diag)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST) {
        return FAIL(diag, ERR_IO, "%s: %s", dir, strerror(errno));
    }
    return OK;
}

static struct status
write_all(int fd, const char *path, struct span bytes, struct diag *diag)
{
    while (bytes.n > 0) {
        const ssize_t n = write(fd, bytes.p, bytes.n);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
        }
        bytes = span_slice(bytes, (size_t)n, bytes.n);
    }
    return OK;
}

/* The mode holds from the first byte on, whatever the umask. */
static struct status
write_new(const char *path, mode_t mode, struct span bytes, struct diag *diag)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, KEY_MODE);

    if (fd < 0) {
        return errno == EEXIST ? FAIL(diag, ERR_CREDENTIAL, "%s exists already", path)
                               : FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    struct status st = write_all(fd, path, bytes, diag);

    if (is_ok(st) && fchmod(fd, mode) != 0) {
        st = FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (close(fd) != 0 && is_ok(st)) {
        st = FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return st;
}

static struct status
write_bio(const char *path, mode_t mode, BIO *bio, bool is_written, struct diag *diag)
{
    char *text = NULL;

    if (bio == NULL || !is_written) {
        return FAIL(diag, ERR_CRYPTO, "%s: %s", path, openssl_error_take());
    }
    const long n = BIO_get_mem_data(bio, &text);

    return write_new(path, mode, span_of(text, (size_t)n), diag);
}

static struct status
write_key(const char *path, EVP_PKEY *key, struct diag *diag)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    const bool is_written =
        bio != NULL && PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1;
    const struct status st = write_bio(path, KEY_MODE, bio, is_written, diag);

    BIO_free(bio);
    return st;
}

static struct status
write_certificate(const char *path, X509 *x509, struct diag *diag)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const bool is_written = bio != NULL && PEM_write_bio_X509(bio, x509) == 1;
    const struct status st = write_bio(path, CERTIFICATE_MODE, bio, is_written, diag);

    BIO_free(bio);
    return st;
}

static struct status
write_crl(const char *path, X509_CRL *crl, struct diag *diag)
{
    BIO *bio = BIO_new(BIO_s_mem());
    const bool is_written = bio != NULL && PEM_write_bio_X509_CRL(bio, crl) == 1;
    const struct status st = write_bio(path, CERTIFICATE_MODE, bio, is_written, diag);

    BIO_free(bio);
    return st;
}

static struct status
open_pem(const char *path, struct diag *diag, BIO **ret_bio)
{
    BIO *bio = BIO_new_file(path, "r");

    if (bio == NULL) {
        const int error = errno;

        openssl_error_take();
        return FAIL(diag, ERR_IO, "%s: %s", path, strerror(error));
    }
    *ret_bio = bio;
    return OK;
}

static struct status
read_key(const char *path, struct diag *diag, EVP_PKEY **ret_key)
{
    BIO *bio = NULL;

    TRY(open_pem(path, diag, &bio));
    *ret_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, "");
    BIO_free(bio);
    return *ret_key == NULL ? FAIL(diag, ERR_CREDENTIAL, "%s: %s", path, openssl_error_take()) : OK;
}

static struct status
read_certificate(const char *path, struct diag *diag, X509 **ret_x509)
{
    BIO *bio = NULL;

    TRY(open_pem(path, diag, &bio));
    *ret_x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return *ret_x509 == NULL ? FAIL(diag, ERR_CREDENTIAL, "%s: %s", path, openssl_error_take())
                             : OK;
}

static struct status
read_crl(const char *path, struct diag *diag, X509_CRL **ret_crl)
{
    BIO *bio = NULL;

    TRY(open_pem(path, diag, &bio));
    *ret_crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return *ret_crl == NULL ? FAIL(diag, ERR_CREDENTIAL, "%s: %s", path, openssl_error_take()) : OK;
}

/* ---- the authority ---- */

static struct status
make_authority(const char *name, int64_t now_us, struct authority *authority, struct diag *diag)
{
    const struct issue_request request = {
        .kind = ISSUE_CA,
        .organization = name,
        .common_name = "Development CA",
        .not_before_us = now_us - CLOCK_SKEW_US,
        .not_after_us = now_us + CA_LIFE_US,
        .digest = "SHA256",
    };

    TRY(issue_key("rsa:2048", diag, &authority->key));
    TRY(issue_certificate(&request, authority->key, NULL, authority->key, diag, &authority->x509));
    return issue_crl(authority->x509, authority->key, NULL, NULL, now_us - CLOCK_SKEW_US,
                     now_us + NODE_LIFE_US, diag, &authority->crl);
}

static struct status
save_authority(const char *dir, const struct authority *authority, struct diag *diag)
{
    char path[PATH_MAX];

    TRY(make_dir(dir, diag));
    TRY(join(path, dir, "ca", ".key", diag));
    TRY(write_key(path, authority->key, diag));
    TRY(join(path, dir, "ca", ".pem", diag));
    TRY(write_certificate(path, authority->x509, diag));
    TRY(join(path, dir, "crl", ".pem", diag));
    return write_crl(path, authority->crl, diag);
}

struct status
devpki_make_ca(const char *dir, const char *name, int64_t now_us, struct diag *diag)
{
    struct authority authority = {0};
    struct status st = make_authority(name, now_us, &authority, diag);

    if (is_ok(st)) {
        st = save_authority(dir, &authority, diag);
    }
    authority_done(&authority);
    return st;
}

static struct status
load_authority(const char *dir, struct authority *authority, struct diag *diag)
{
    char path[PATH_MAX];

    TRY(join(path, dir, "ca", ".key", diag));
    TRY(read_key(path, diag, &authority->key));
    TRY(join(path, dir, "ca", ".pem", diag));
    TRY(read_certificate(path, diag, &authority->x509));
    TRY(join(path, dir, "crl", ".pem", diag));
    return read_crl(path, diag, &authority->crl);
}

/* ---- a node ---- */

struct node_maker {
    const char *dir;
    const struct devpki_node *node;
    const struct authority *authority;
    const char *hosts[3];
    size_t hosts_n;
    int64_t now_us;
};

static struct status
make_pair(const struct node_maker *maker, const char *name, enum issue_kind kind, struct diag *diag)
{
    const struct issue_request request = {
        .kind = kind,
        .organization = maker->node->name,
        .common_name = name,
        .hosts = maker->hosts,
        .hosts_n = kind == ISSUE_TLS ? maker->hosts_n : 0,
        .not_before_us = maker->now_us - CLOCK_SKEW_US,
        .not_after_us = maker->now_us + NODE_LIFE_US,
        .digest = "SHA256",
    };
    const char *type = maker->node->key == DEVPKI_P256 ? "ec:P-256" : "rsa:2048";
    char path[PATH_MAX];
    EVP_PKEY *key = NULL;
    X509 *x509 = NULL;

    TRY(issue_key(type, diag, &key));
    struct status st = issue_certificate(&request, key, maker->authority->x509,
                                         maker->authority->key, diag, &x509);

    if (is_ok(st)) {
        st = join(path, maker->dir, name, ".key", diag);
    }
    if (is_ok(st)) {
        st = write_key(path, key, diag);
    }
    if (is_ok(st)) {
        st = join(path, maker->dir, name, ".pem", diag);
    }
    if (is_ok(st)) {
        st = write_certificate(path, x509, diag);
    }
    X509_free(x509);
    EVP_PKEY_free(key);
    return st;
}

static bool
is_same_dir(const char *a, const char *b)
{
    struct stat facts_a, facts_b;

    return stat(a, &facts_a) == 0 && stat(b, &facts_b) == 0 && facts_a.st_dev == facts_b.st_dev &&
           facts_a.st_ino == facts_b.st_ino;
}

static struct status
copy_authority(const char *dir, const char *ca_dir, const struct authority *authority,
               struct diag *diag)
{
    char path[PATH_MAX];

    if (is_same_dir(dir, ca_dir)) {
        return OK;
    }
    TRY(join(path, dir, "ca", ".pem", diag));
    TRY(write_certificate(path, authority->x509, diag));
    TRY(join(path, dir, "crl", ".pem", diag));
    return write_crl(path, authority->crl, diag);
}

static void
add_host(struct node_maker *maker, const char *host)
{
    for (size_t i = 0; i < maker->hosts_n; i++) {
        if (host == NULL || strcmp(host, maker->hosts[i]) == 0) {
            return;
        }
    }
    maker->hosts[maker->hosts_n++] = host;
}

struct status
devpki_make_node(const char *dir, const char *ca_dir, const struct devpki_node *node,
                 int64_t now_us, struct diag *diag)
{
    struct authority authority = {0};
    struct node_maker maker = {.dir = dir, .node = node, .authority = &authority, .now_us = now_us};
    struct status st = load_authority(ca_dir, &authority, diag);

    add_host(&maker, "localhost");
    add_host(&maker, node->host);
    add_host(&maker, node->address);
    if (is_ok(st)) {
        st = make_dir(dir, diag);
    }
    if (is_ok(st)) {
        st = copy_authority(dir, ca_dir, &authority, diag);
    }
    if (is_ok(st)) {
        st = make_pair(&maker, "node", ISSUE_TLS, diag);
    }
    if (is_ok(st)) {
        st = make_pair(&maker, "signing", ISSUE_SIGNING, diag);
    }
    if (is_ok(st)) {
        st = make_pair(&maker, "audit", ISSUE_TLS, diag);
    }
    authority_done(&authority);
    return st;
}

/* ---- revocation ---- */

static struct status
replace_crl(const char *dir, X509_CRL *crl, struct diag *diag)
{
    char path[PATH_MAX], new_path[PATH_MAX];

    TRY(join(path, dir, "crl", ".pem", diag));
    TRY(join(new_path, dir, "crl", ".pem.new", diag));
    if (unlink(new_path) != 0 && errno != ENOENT) {
        return FAIL(diag, ERR_IO, "%s: %s", new_path, strerror(errno));
    }
    TRY(write_crl(new_path, crl, diag));
    if (rename(new_path, path) != 0) {
        return FAIL(diag, ERR_IO, "%s: %s", path, strerror(errno));
    }
    return OK;
}

struct status
devpki_revoke(const char *ca_dir, const char *certificate_path, int64_t now_us, struct diag *diag)
{
    struct authority authority = {0};
    X509 *revoked = NULL;
    X509_CRL *crl = NULL;
    struct status st = load_authority(ca_dir, &authority, diag);

    if (is_ok(st)) {
        st = read_certificate(certificate_path, diag, &revoked);
    }
    if (is_ok(st) && X509_check_issued(authority.x509, revoked) != X509_V_OK) {
        st = FAIL(diag, ERR_CREDENTIAL, "%s was not issued by the authority in %s",
                  certificate_path, ca_dir);
    }
    if (is_ok(st)) {
        st = issue_crl(authority.x509, authority.key, authority.crl, revoked, now_us,
                       now_us + NODE_LIFE_US, diag, &crl);
    }
    if (is_ok(st)) {
        st = replace_crl(ca_dir, crl, diag);
    }
    X509_CRL_free(crl);
    X509_free(revoked);
    authority_done(&authority);
    return st;
}
