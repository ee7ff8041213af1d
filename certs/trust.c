/*
 * Makes, refreshes and counts references to trust stores over OpenSSL's X509_STORE. Called while a
 * configuration loads and by the timers that watch its files. The store's content never changes
 * after it is made; trust_crl.c reads the lists, trust_verify.c judges.
 */
#include "certs/trust.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "certs/openssl_error.h"
#include "certs/trust_parts.h"

#define CHAIN_MAX 6
/* OpenSSL's level 2: at least 112 bits, so RSA from 2048 bits and no SHA-1 or MD5 in a chain. */
#define SECURITY_LEVEL 2

/* A file as it was just before it was read: what is written later shows as a change. */
struct watched {
    char *path;
    struct stat facts; /* all nought when it was not there */
};

struct trust {
    X509_STORE *store;
    struct certificate_list anchors;
    int64_t crl_end_us;
    bool checks_crl;
    size_t crl_bytes_max;
    int64_t crl_max_age_us;
    struct watched *files; /* the anchors, then the lists */
    size_t files_n;
    atomic_uint references;
};

/* ---- files ---- */

static void
look_at(const char *path, struct stat *ret_facts)
{
    if (stat(path, ret_facts) != 0) {
        memset(ret_facts, 0, sizeof(*ret_facts));
    }
}

static struct status
watch(struct trust *trust, const char *path, struct diag *diag)
{
    struct watched *file = &trust->files[trust->files_n];

    file->path = mem_strdup(path);
    if (file->path == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a trust store");
    }
    look_at(path, &file->facts);
    trust->files_n++;
    return OK;
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

bool
trust_has_changed(const struct trust *trust)
{
    for (size_t i = 0; i < trust->files_n; i++) {
        struct stat facts;

        look_at(trust->files[i].path, &facts);
        if (!is_same_file(&facts, &trust->files[i].facts)) {
            return true;
        }
    }
    return false;
}

/* ---- loading ---- */

static struct status
load_anchors(struct trust *trust, const char *path, struct diag *diag)
{
    TRY(watch(trust, path, diag));
    TRY(certificate_list_from_file(path, diag, &trust->anchors));
    for (size_t i = 0; i < trust->anchors.n; i++) {
        if (X509_STORE_add_cert(trust->store, trust->anchors.items[i]->x509) != 1) {
            return FAIL(diag, ERR_CREDENTIAL, "%s: certificate %zu: %s", path, i + 1,
                        openssl_error_take());
        }
    }
    return OK;
}

static struct status
load_crl_file(struct trust *trust, const char *path, struct diag *diag)
{
    struct buf text;

    TRY(watch(trust, path, diag));
    const struct stat *facts = &trust->files[trust->files_n - 1].facts;

    if (facts->st_size > 0 && (uint64_t)facts->st_size > trust->crl_bytes_max) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "%s: %lld bytes of revocation lists; at most %zu are read (crl_max)", path,
                    (long long)facts->st_size, trust->crl_bytes_max);
    }
    buf_init(&text, trust->crl_bytes_max);
    struct status st = buf_read_file(&text, path, diag);

    if (is_ok(st)) {
        st = trust_read_crls(trust->store, buf_span(&text), path, diag);
    }
    buf_done(&text);
    return st;
}

static struct status
load_fetched(struct trust *trust, struct span bytes, struct diag *diag)
{
    if (bytes.n > trust->crl_bytes_max) {
        return FAIL(diag, ERR_CREDENTIAL,
                    "a fetched revocation list of %zu bytes; at most %zu are read (crl_max)",
                    bytes.n, trust->crl_bytes_max);
    }
    return trust_read_crls(trust->store, bytes, "a fetched revocation list", diag);
}

static struct status
set_store(struct trust *trust, struct diag *diag)
{
    /* Partial chain: an anchor need not be self-signed, and a partner's own certificate may be one
     * (direct comparison, ITI TF-2 3.19). */
    unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST;

    trust->store = X509_STORE_new();
    if (trust->store == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a trust store");
    }
    X509_VERIFY_PARAM *param = X509_STORE_get0_param(trust->store);

    if (trust->checks_crl) {
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    }
    if (X509_VERIFY_PARAM_set_flags(param, flags) != 1) {
        return FAIL(diag, ERR_CRYPTO, "trust store: %s", openssl_error_take());
    }
    X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
    X509_VERIFY_PARAM_set_auth_level(param, SECURITY_LEVEL);
    return trust_set_crl_rules(trust->store, trust->crl_max_age_us, diag);
}

static struct status
set_limits(struct trust *trust, const struct trust_sources *sources, struct diag *diag)
{
    if (sources->crl_paths_n > TRUST_CRLS_MAX || sources->crl_bytes_n > TRUST_CRLS_MAX) {
        return FAIL(diag, ERR_CREDENTIAL, "more than %d files of revocation lists", TRUST_CRLS_MAX);
    }
    trust->checks_crl =
        sources->must_have_crl || sources->crl_paths_n > 0 || sources->crl_bytes_n > 0;
    trust->crl_bytes_max =
        sources->crl_bytes_max == 0 ? TRUST_CRL_BYTES_MAX : sources->crl_bytes_max;
    trust->crl_max_age_us = sources->crl_max_age_us;
    trust->files = mem_alloc((sources->crl_paths_n + 1) * sizeof(*trust->files));
    return trust->files == NULL ? FAIL(diag, ERR_NO_MEMORY, "no memory for a trust store") : OK;
}

static struct status
load(struct trust *trust, const struct trust_sources *sources, struct diag *diag,
     struct trust_culprit *ret_culprit)
{
    *ret_culprit = (struct trust_culprit){.file = TRUST_FILE_ANCHORS};
    ERR_clear_error();
    TRY(set_limits(trust, sources, diag));
    TRY(set_store(trust, diag));
    TRY(load_anchors(trust, sources->anchors_path, diag));
    for (size_t i = 0; i < sources->crl_paths_n; i++) {
        *ret_culprit = (struct trust_culprit){.file = TRUST_FILE_CRL, .index = i};
        TRY(load_crl_file(trust, sources->crl_paths[i], diag));
    }
    for (size_t i = 0; i < sources->crl_bytes_n; i++) {
        *ret_culprit = (struct trust_culprit){.file = TRUST_FILE_CRL_BYTES, .index = i};
        TRY(load_fetched(trust, sources->crl_bytes[i], diag));
    }
    trust->crl_end_us = trust_first_end_us(trust->store, trust->crl_max_age_us);
    return OK;
}

struct status
trust_make(const struct trust_sources *sources, struct diag *diag,
           struct trust_culprit *ret_culprit, struct trust **ret_trust)
{
    struct trust *trust = mem_alloc(sizeof(*trust));

    *ret_culprit = (struct trust_culprit){.file = TRUST_FILE_ANCHORS};
    if (trust == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a trust store");
    }
    atomic_init(&trust->references, 1);
    const struct status st = load(trust, sources, diag, ret_culprit);

    if (!is_ok(st)) {
        trust_free(trust);
        return st;
    }
    *ret_trust = trust;
    return OK;
}

struct status
trust_load(const char *anchors_path, const char *crl_path, struct diag *diag,
           struct trust **ret_trust)
{
    const struct trust_sources sources = {.anchors_path = anchors_path,
                                          .crl_paths = &crl_path,
                                          .crl_paths_n = crl_path == NULL ? 0 : 1};
    struct trust_culprit culprit;

    return trust_make(&sources, diag, &culprit, ret_trust);
}

struct status
trust_refresh(const struct trust *old, const struct span *crl_bytes, size_t crl_bytes_n,
              struct diag *diag, struct trust **ret_trust)
{
    const char *paths[TRUST_CRLS_MAX];
    const size_t paths_n = old->files_n - 1;
    struct trust_culprit culprit;

    for (size_t i = 0; i < paths_n; i++) {
        paths[i] = old->files[i + 1].path;
    }
    const struct trust_sources sources = {.anchors_path = old->files[0].path,
                                          .crl_paths = paths,
                                          .crl_paths_n = paths_n,
                                          .crl_bytes = crl_bytes,
                                          .crl_bytes_n = crl_bytes_n,
                                          .must_have_crl = old->checks_crl,
                                          .crl_bytes_max = old->crl_bytes_max,
                                          .crl_max_age_us = old->crl_max_age_us};

    return trust_make(&sources, diag, &culprit, ret_trust);
}

/* ---- references ---- */

struct trust *
trust_ref(const struct trust *trust)
{
    /* Only the count is written. */
    struct trust *counted = (struct trust *)(uintptr_t)trust;
    const unsigned before =
        atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);

    assert(before > 0);
    (void)before;
    return counted;
}

void
trust_free(struct trust *trust)
{
    if (trust == NULL ||
        atomic_fetch_sub_explicit(&trust->references, 1, memory_order_acq_rel) > 1) {
        return;
    }
    for (size_t i = 0; i < trust->files_n; i++) {
        mem_free(trust->files[i].path);
    }
    mem_free(trust->files);
    certificate_list_done(&trust->anchors);
    X509_STORE_free(trust->store);
    mem_free(trust);
}

/* ---- questions ---- */

X509_STORE *
trust_store(const struct trust *trust)
{
    return trust->store;
}

size_t
trust_anchors(const struct trust *trust)
{
    return trust->anchors.n;
}

const struct certificate *
trust_anchor(const struct trust *trust, size_t index)
{
    assert(index < trust->anchors.n);
    return trust->anchors.items[index];
}

int64_t
trust_crl_next_update_us(const struct trust *trust)
{
    return trust->crl_end_us;
}

bool
trust_checks_crl(const struct trust *trust)
{
    return trust->checks_crl;
}
