/*
 * Reads `credentials:` and `trust:`, loads what they name, and finds it by name for the parts that
 * refer to it. What cannot be loaded is reported here and kept as a name, so that a reference to it
 * is no second error.
 */
#include <stdio.h>
#include <string.h>

#include "config/config_reader.h"

#define CRL_AGE_LEAST_US (60 * US_PER_S)
#define CRL_AGE_MOST_US  (INT64_C(400) * 24 * 3600 * US_PER_S)
#define CRL_SIZE_LEAST   ((size_t)4 * 1024)
#define CRL_SIZE_MOST    ((size_t)1024 * 1024 * 1024)

static void
free_credential(void *credential)
{
    credential_free(credential);
}

static void
free_trust(void *trust)
{
    trust_free(trust);
}

static void
free_certificate(void *certificate)
{
    certificate_free(certificate);
}

/* What ends loading is not the operator's mistake. */
static bool
is_fatal(enum err code)
{
    return code == ERR_NO_MEMORY || code == ERR_CRYPTO || code == ERR_INTERNAL;
}

/* Reports a failed load at <at>, or passes a fatal one on. */
static struct status
report_failure(struct config_reader *reader, const struct yaml_node *at, const struct diag *reason)
{
    if (is_fatal(reason->code)) {
        return FAIL(reader->diag, reason->code, "%s", reason->text);
    }
    yaml_error(reader->report, at, "%s", reason->text);
    return OK;
}

/* The name of an entry; reported when it is none. */
static bool
check_name(struct config_reader *reader, const struct yaml_node *entry)
{
    if (config_is_name(entry->key)) {
        return true;
    }
    yaml_report_add(
        reader->report, entry->file, entry->key_line, entry->key_column,
        "'%.*s' is no name; expected lower-case letters, digits, '-' and '_', at most %d",
        SPAN_PRINT(entry->key), CONFIG_NAME_MAX);
    return false;
}

struct status
config_load_certificate(struct config_reader *reader, const struct yaml_node *at, const char *path,
                        struct certificate **ret_certificate)
{
    struct diag reason = {0};
    struct certificate *certificate = NULL;

    if (!is_ok(certificate_from_file(path, &reason, &certificate))) {
        return report_failure(reader, at, &reason);
    }
    TRY(arena_defer(reader->arena, free_certificate, certificate, reader->diag));
    *ret_certificate = certificate;
    return OK;
}

/* ---- credentials ---- */

/* Where in the file a failure belongs. */
static const struct yaml_node *
node_of(struct yaml_node *node, enum credential_file culprit)
{
    const struct yaml_node *file = yaml_get(node, "passphrase_file");

    switch (culprit) {
    case CREDENTIAL_FILE_CERTIFICATE:
        return yaml_get(node, "certificate");
    case CREDENTIAL_FILE_PASSPHRASE:
        return file != NULL ? file : yaml_get(node, "passphrase_env");
    case CREDENTIAL_FILE_MODULE:
        return yaml_get(node, "pkcs11_module");
    case CREDENTIAL_FILE_KEY:
        break;
    }
    return yaml_get(node, "key");
}

/* A path, or the URI of a key in a token. */
static struct status
read_key(struct config_reader *reader, const struct yaml_node *key, const char **ret_key)
{
    if (key != NULL && key->kind == YAML_SCALAR && span_starts_with(key->scalar, SPAN("pkcs11:"))) {
        *ret_key = key->scalar.p;
        return OK;
    }
    return config_path(reader, key, ret_key);
}

/* False when the keys do not go together (reported). */
static bool
check_sources(struct config_reader *reader, struct yaml_node *node,
              const struct credential_sources *sources)
{
    const struct yaml_node *module = yaml_get(node, "pkcs11_module");
    const bool is_token =
        sources->key != NULL && span_starts_with(span_of_cstr(sources->key), SPAN("pkcs11:"));

    if (sources->passphrase_path != NULL && sources->passphrase_env != NULL) {
        yaml_error(reader->report, yaml_get(node, "passphrase_env"),
                   "expected passphrase_file or passphrase_env, got both");
        return false;
    }
    if (is_token && module == NULL) {
        yaml_error(reader->report, yaml_get(node, "key"),
                   "a key in a token needs pkcs11_module, the path of its shared object");
        return false;
    }
    if (!is_token && module != NULL) {
        yaml_error(reader->report, module,
                   "pkcs11_module is for a key in a token (key: \"pkcs11:...\")");
        return false;
    }
    return sources->certificate_path != NULL && sources->key != NULL;
}

static struct status
read_sources(struct config_reader *reader, struct yaml_node *node,
             struct credential_sources *ret_sources)
{
    TRY(config_path(reader, config_need(reader, node, "certificate"),
                    &ret_sources->certificate_path));
    TRY(read_key(reader, config_need(reader, node, "key"), &ret_sources->key));
    TRY(config_path(reader, yaml_get(node, "passphrase_file"), &ret_sources->passphrase_path));
    (void)config_text(reader, yaml_get(node, "passphrase_env"), "an environment variable's name",
                      &ret_sources->passphrase_env);
    return config_path(reader, yaml_get(node, "pkcs11_module"), &ret_sources->pkcs11_module);
}

static struct status
load_credential(struct config_reader *reader, struct yaml_node *node,
                struct config_credential *entry)
{
    const int errors_before = reader->report->errors;
    struct credential_sources sources = {0};
    struct diag reason = {0};
    enum credential_file culprit;
    struct credential *credential = NULL;

    TRY(read_sources(reader, node, &sources));
    if (reader->report->errors > errors_before || !check_sources(reader, node, &sources)) {
        return OK;
    }
    if (!is_ok(credential_make(&sources, reader->now_us, &reason, &culprit, &credential))) {
        return report_failure(reader, node_of(node, culprit), &reason);
    }
    TRY(arena_defer(reader->arena, free_credential, credential, reader->diag));
    if (sources.pkcs11_module != NULL) {
        entry->source = CONFIG_KEY_TOKEN;
    } else if (sources.passphrase_path != NULL || sources.passphrase_env != NULL) {
        entry->source = CONFIG_KEY_ENCRYPTED; /* a passphrase for a key in the clear is refused */
    }
    entry->credential = credential;
    return OK;
}

static struct status
read_credential(struct config_reader *reader, struct yaml_node *node)
{
    static const char *const names[] = {"certificate", "key", "passphrase_file", "passphrase_env",
                                        "pkcs11_module"};
    struct config_credential entry = {.name = node->key.p};

    if (!check_name(reader, node)) {
        return OK;
    }
    if (node->kind != YAML_MAPPING) {
        config_expected(reader, node, "{certificate: FILE, key: FILE}");
    } else {
        yaml_check_keys(reader->report, node, names, ARRAY_LEN(names));
        TRY(load_credential(reader, node, &entry));
    }
    TRY(ARENA_PUSH(reader->arena, reader->diag, &reader->credential_names, entry.name));
    return ARENA_PUSH(reader->arena, reader->diag, &reader->credentials, entry);
}

struct status
config_read_credentials(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *section = config_need_section(reader, root, "credentials", NULL, 0);

    if (section == NULL) {
        return OK;
    }
    const struct yaml_node *node = config_need(reader, section, "node");
    const struct yaml_node *signing = config_need(reader, section, "signing");

    for (struct yaml_node *child = section->children; child != NULL; child = child->next) {
        TRY(read_credential(reader, child));
    }
    for (size_t i = 0; i < reader->credentials.n; i++) {
        const struct config_credential *entry = &reader->credentials.items[i];

        if (node != NULL && strcmp(entry->name, "node") == 0) {
            reader->config->node = entry->credential;
        }
        if (signing != NULL && strcmp(entry->name, "signing") == 0) {
            reader->config->signing = entry->credential;
        }
    }
    reader->config->credentials = reader->credentials.items;
    reader->config->credentials_n = reader->credentials.n;
    return OK;
}

/* ---- trust ---- */

/* The paths of `crl`: a path or a list of paths and patterns. A pattern without a file is an error:
 * the lists that are not there yet might be the ones that count. */
static struct status
read_crl_files(struct config_reader *reader, const struct yaml_node *crl,
               struct config_file_list *ret_files, struct config_strings *ret_paths)
{
    const int errors_before = reader->report->errors;

    TRY(config_files_or_one(reader, crl, ret_files));
    if (ret_files->n == 0 && reader->report->errors == errors_before) {
        yaml_error(reader->report, crl, "expected a revocation list, and no file is there");
        return OK;
    }
    const char **paths = NULL;

    TRY(ARENA_ARRAY(reader->arena, ret_files->n + 1, reader->diag, &paths));
    for (size_t i = 0; i < ret_files->n; i++) {
        paths[i] = ret_files->items[i].path;
    }
    *ret_paths = (struct config_strings){.items = paths, .n = ret_files->n};
    return OK;
}

/* Lists in files, and how long and large they may be. */
static struct status
read_crls(struct config_reader *reader, struct yaml_node *node, struct config_file_list *ret_files,
          struct config_trust *entry, struct trust_sources *sources)
{
    const struct yaml_node *crl = yaml_get(node, "crl");

    config_duration(reader, yaml_get(node, "crl_max_age"), CRL_AGE_LEAST_US, CRL_AGE_MOST_US,
                    &sources->crl_max_age_us);
    config_size(reader, yaml_get(node, "crl_max"), CRL_SIZE_LEAST, CRL_SIZE_MOST,
                &sources->crl_bytes_max);
    if (crl == NULL) {
        return OK;
    }
    TRY(read_crl_files(reader, crl, ret_files, &entry->crl_paths));
    sources->crl_paths = entry->crl_paths.items;
    sources->crl_paths_n = entry->crl_paths.n;
    sources->must_have_crl = true;
    return OK;
}

static struct status
load_trust(struct config_reader *reader, struct yaml_node *node, struct config_trust *entry)
{
    const struct yaml_node *anchors = config_need(reader, node, "anchors");
    struct config_file_list files = {0};
    struct trust_sources sources = {0};
    struct diag reason = {0};
    struct trust_culprit culprit = {TRUST_FILE_ANCHORS, 0};
    struct trust *trust = NULL;

    TRY(config_path(reader, anchors, &sources.anchors_path));
    TRY(read_crls(reader, node, &files, entry, &sources));
    TRY(config_read_status(reader, node, entry));
    if (sources.anchors_path == NULL) {
        return OK;
    }
    /* Then its mistake is reported, and the anchors' own should be as well. */
    const bool lacks_lists = sources.must_have_crl && sources.crl_paths_n == 0;

    sources.must_have_crl = !lacks_lists && sources.must_have_crl;
    TRY(config_take_lists(reader, entry, &sources));

    struct status st = trust_make(&sources, &reason, &culprit, &trust);

    if (!is_ok(st) && culprit.file == TRUST_FILE_CRL_BYTES && !is_fatal(st.code)) {
        /* What was fetched fits these anchors no more: no mistake of the files */
        entry->awaits_crl = true;
        sources.crl_bytes_n = 0;
        diag_clear(&reason);
        st = trust_make(&sources, &reason, &culprit, &trust);
    }
    if (!is_ok(st)) {
        return report_failure(
            reader, culprit.file == TRUST_FILE_CRL ? files.items[culprit.index].at : anchors,
            &reason);
    }
    TRY(arena_defer(reader->arena, free_trust, trust, reader->diag));
    entry->trust = lacks_lists ? NULL : trust;
    return OK;
}

static struct status
read_trust(struct config_reader *reader, struct yaml_node *node)
{
    static const char *const names[] = {"anchors",     "crl",  "crl_max_age", "crl_max",
                                        "fetch_hosts", "ocsp", "crl_urls",    "crl_refresh"};
    struct config_trust entry = {.name = node->key.p};

    if (!check_name(reader, node)) {
        return OK;
    }
    if (node->kind != YAML_MAPPING) {
        config_expected(reader, node, "{anchors: FILE, crl: FILE}");
    } else {
        yaml_check_keys(reader->report, node, names, ARRAY_LEN(names));
        TRY(load_trust(reader, node, &entry));
    }
    TRY(ARENA_PUSH(reader->arena, reader->diag, &reader->trust_names, entry.name));
    return ARENA_PUSH(reader->arena, reader->diag, &reader->trusts, entry);
}

/* By one of the names with a meaning; NULL when there is none. */
static const struct trust *
trust_named(const struct config_reader *reader, const char *name)
{
    for (size_t i = 0; i < reader->trusts.n; i++) {
        if (strcmp(reader->trusts.items[i].name, name) == 0) {
            return reader->trusts.items[i].trust;
        }
    }
    return NULL;
}

struct status
config_read_trust(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *section = config_need_section(reader, root, "trust", NULL, 0);

    if (section == NULL) {
        return OK;
    }
    (void)config_need(reader, section, "partners");
    for (struct yaml_node *child = section->children; child != NULL; child = child->next) {
        TRY(read_trust(reader, child));
    }
    reader->config->partner_trust = trust_named(reader, "partners");
    reader->config->signing_trust = yaml_get(section, "signing") != NULL
                                        ? trust_named(reader, "signing")
                                        : reader->config->partner_trust;
    reader->config->trusts = reader->trusts.items;
    reader->config->trusts_n = reader->trusts.n;
    return OK;
}

/* ---- references ---- */

/* Where among <names> the one is that a key refers to; reported, with the nearest, when it is none
 * of them. */
static bool
find_name(struct config_reader *reader, const struct yaml_node *node, const char *section,
          const struct config_string_list *names, size_t *ret_index)
{
    const char *text = NULL;
    char what[64];

    (void)snprintf(what, sizeof(what), "a name of '%s'", section);
    if (!config_text(reader, node, what, &text)) {
        return false;
    }
    for (size_t i = 0; i < names->n; i++) {
        if (strcmp(names->items[i], text) == 0) {
            *ret_index = i;
            return true;
        }
    }
    const char *nearest = yaml_nearest(node->scalar, names->items, names->n);

    yaml_error(reader->report, node, "%.*s '%.*s' is not in '%s'%s%s%s", SPAN_PRINT(node->key),
               SPAN_PRINT(node->scalar), section, nearest == NULL ? "" : "; did you mean '",
               nearest == NULL ? "" : nearest, nearest == NULL ? "" : "'?");
    return false;
}

const struct credential *
config_find_credential(struct config_reader *reader, const struct yaml_node *name)
{
    size_t i = 0;

    return find_name(reader, name, "credentials", &reader->credential_names, &i)
               ? reader->credentials.items[i].credential
               : NULL;
}

const struct trust *
config_find_trust(struct config_reader *reader, const struct yaml_node *name)
{
    size_t i = 0;

    return find_name(reader, name, "trust", &reader->trust_names, &i)
               ? reader->trusts.items[i].trust
               : NULL;
}
