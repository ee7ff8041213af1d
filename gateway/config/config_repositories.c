/*
 * Reads `audit.repositories`: where the journal's records are shipped to (ITI-20), each by one of
 * three protocols. Called by config_schema.c on the loading thread, after credentials:, trust: and
 * listen:, whose entries these name.
 */
#include <ctype.h>
#include <string.h>

#include "config/config_reader.h"

#define NAME_WHAT "lower-case letters, digits, '-' and '_', at most 32"
#define HOUR_US   (3600 * US_PER_S)
#define MB        ((size_t)1024 * 1024)

struct repository_list {
    struct config_audit_repository *items;
    size_t n, capacity;
};

static const char *const entry_keys[] = {
    "syslog-tls", "syslog-udp",       "fhir",    "name",    "trust", "credential", "resend",
    "alarm",      "certificate_name", "timeout", "fhir_ids"};
/* By enum config_audit_kind. */
static const char *const kind_keys[] = {"syslog-tls", "syslog-udp", "fhir"};

/* ---- which protocol, and where ---- */

/* The one key that says it; NULL: none or several, reported. */
static struct yaml_node *
find_kind(struct config_reader *reader, struct yaml_node *entry, enum config_audit_kind *ret_kind)
{
    struct yaml_node *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(kind_keys); i++) {
        struct yaml_node *node = yaml_get(entry, kind_keys[i]);
        if (node != NULL && found != NULL) {
            yaml_error(reader->report, node,
                       "'%.*s' and '%.*s': one repository has one address; make two entries",
                       SPAN_PRINT(found->key), SPAN_PRINT(node->key));
            return NULL;
        }
        if (node != NULL) {
            found = node;
            *ret_kind = (enum config_audit_kind)i;
        }
    }
    if (found == NULL) {
        yaml_error(reader->report, entry,
                   "no address; expected one of 'syslog-tls: host:port', 'syslog-udp: host:port', "
                   "'fhir: https://host/path'");
    }
    return found;
}

static struct status
read_address(struct config_reader *reader, const struct yaml_node *node,
             struct config_audit_repository *repository)
{
    if (repository->kind == CONFIG_AUDIT_FHIR) {
        config_url(reader, node, &repository->url);
        return OK;
    }
    return config_host_port(reader, node, &repository->host, &repository->port);
}

/* ---- its name ---- */

/* "arr-example-6514": host and port, or what follows "https://". */
static struct status
derive_name(struct config_reader *reader, struct yaml_node *entry, const struct yaml_node *address,
            struct config_audit_repository *repository)
{
    struct span text = address->scalar;
    struct span copy;
    if (repository->kind == CONFIG_AUDIT_FHIR) {
        text = span_slice(text, strlen("https://"), text.n);
    }
    TRY(arena_dup(reader->arena, text, reader->diag, &copy));
    char *name = (char *)(uintptr_t)copy.p; /* our own copy */
    size_t n = 0;
    for (size_t i = 0; i < copy.n; i++) {
        const char c = (char)tolower((unsigned char)copy.p[i]);
        const bool is_plain = isalnum((unsigned char)c) != 0;
        if (is_plain || (n > 0 && name[n - 1] != '-')) {
            name[n++] = is_plain ? c : '-';
        }
    }
    while (n > 0 && name[n - 1] == '-') {
        n--;
    }
    name[n] = '\0';
    if (!config_is_name(span_of(name, n))) {
        yaml_error(reader->report, entry,
                   "no name can be made of the address; set 'name' (" NAME_WHAT ")");
        return OK;
    }
    repository->name = name;
    return OK;
}

static struct status
read_name(struct config_reader *reader, struct yaml_node *entry, const struct yaml_node *address,
          struct config_audit_repository *repository)
{
    const struct yaml_node *node = yaml_get(entry, "name");
    if (node == NULL) {
        return derive_name(reader, entry, address, repository);
    }
    const char *name = NULL;
    if (config_text(reader, node, NAME_WHAT, &name)) {
        if (config_is_name(node->scalar)) {
            repository->name = name;
        } else {
            config_expected(reader, node, NAME_WHAT);
        }
    }
    return OK;
}

/* Cursor, log and metrics know it by its name. */
static void
check_name(struct config_reader *reader, struct yaml_node *entry,
           const struct repository_list *list, const struct config_audit_repository *repository)
{
    for (size_t i = 0; i < list->n && repository->name != NULL; i++) {
        if (list->items[i].name != NULL && strcmp(list->items[i].name, repository->name) == 0) {
            const struct yaml_node *node = yaml_get(entry, "name");
            yaml_error(reader->report, node == NULL ? entry : node,
                       "another repository has the name '%s'; set another 'name'",
                       repository->name);
        }
    }
}

/* ---- what belongs to a protocol ---- */

static void
refuse_key(struct config_reader *reader, struct yaml_node *entry, const char *key,
           enum config_audit_kind kind)
{
    const struct yaml_node *node = yaml_get(entry, key);
    if (node != NULL) {
        yaml_report_add(reader->report, node->file, node->key_line, node->key_column,
                        "'%s' has no effect with %s; remove it", key, kind_keys[kind]);
    }
}

static void
read_tls(struct config_reader *reader, struct yaml_node *entry,
         struct config_audit_repository *repository)
{
    const struct yaml_node *credential = yaml_get(entry, "credential");
    if (repository->kind == CONFIG_AUDIT_SYSLOG_UDP) {
        refuse_key(reader, entry, "trust", repository->kind);
        refuse_key(reader, entry, "credential", repository->kind);
        refuse_key(reader, entry, "certificate_name", repository->kind);
        return;
    }
    const struct yaml_node *named = config_need(reader, entry, "trust");
    repository->trust = config_find_trust(reader, named);
    const struct config_trust *trust =
        repository->trust == NULL ? NULL : config_trust_of(reader->config, repository->trust);
    if (trust != NULL && trust->status.mode != STATUS_OFF) {
        yaml_error(reader->report, named,
                   "trust '%s' has 'ocsp', which is asked about partners only; name one without",
                   trust->name);
    }
    repository->credential =
        credential == NULL ? reader->config->node : config_find_credential(reader, credential);
}

/* In lower case; who is reached by an address may be known by a name. */
static struct status
read_certificate_name(struct config_reader *reader, struct yaml_node *entry,
                      struct config_audit_repository *repository)
{
    const struct yaml_node *node = yaml_get(entry, "certificate_name");
    if (repository->kind == CONFIG_AUDIT_FHIR && repository->url != NULL) {
        struct span host;
        TRY(arena_dup(reader->arena, config_host_of_url(repository->url), reader->diag, &host));
        repository->host = host.p;
    }
    repository->certificate_name = repository->host;
    if (node != NULL && repository->kind != CONFIG_AUDIT_SYSLOG_UDP) {
        TRY(config_tls_name(reader, node, &repository->certificate_name));
        if (span_find_char(node->scalar, '*') != SPAN_MISSING) {
            config_expected(reader, node, "one name, without '*'");
        }
    }
    return OK;
}

/* Where there is no answer, what may be lost on the way is sent again. */
static void
read_resend(struct config_reader *reader, struct yaml_node *entry,
            struct config_audit_repository *repository)
{
    static const char *const keys[] = {"age", "bytes"};
    repository->resend_age_us = 30 * US_PER_S;
    repository->resend_bytes = 10 * MB;
    if (repository->kind == CONFIG_AUDIT_SYSLOG_UDP) {
        repository->resend_age_us = US_PER_S; /* a machine without a collector says so sooner */
        repository->resend_bytes = 0;
    }
    if (repository->kind != CONFIG_AUDIT_SYSLOG_TLS) {
        refuse_key(reader, entry, "resend", repository->kind);
        return;
    }
    struct yaml_node *node = config_section(reader, entry, "resend", keys, ARRAY_LEN(keys));
    config_duration(reader, yaml_get(node, "age"), US_PER_S, HOUR_US, &repository->resend_age_us);
    config_size(reader, yaml_get(node, "bytes"), MB / 16, 1024 * MB, &repository->resend_bytes);
}

/* Who gives the resources their ids. */
static void
read_ids(struct config_reader *reader, struct yaml_node *entry,
         struct config_audit_repository *repository)
{
    static const char *const names[] = {"post", "put"};
    size_t which = 0;
    if (repository->kind != CONFIG_AUDIT_FHIR) {
        refuse_key(reader, entry, "fhir_ids", repository->kind);
    } else if (config_choice(reader, yaml_get(entry, "fhir_ids"), names, ARRAY_LEN(names),
                             &which)) {
        repository->is_put = which == 1;
    }
}

/* ---- the list ---- */

static struct status
read_repository(struct config_reader *reader, struct yaml_node *entry, struct repository_list *list)
{
    struct config_audit_repository repository = {.alarm_us = 15 * 60 * US_PER_S,
                                                 .timeout_us = 20 * US_PER_S};
    yaml_check_keys(reader->report, entry, entry_keys, ARRAY_LEN(entry_keys));
    const struct yaml_node *address = find_kind(reader, entry, &repository.kind);
    if (address == NULL) {
        return OK;
    }
    TRY(read_address(reader, address, &repository));
    if (repository.host != NULL || repository.url != NULL) {
        TRY(read_name(reader, entry, address, &repository));
    }
    check_name(reader, entry, list, &repository);
    read_tls(reader, entry, &repository);
    TRY(read_certificate_name(reader, entry, &repository));
    read_resend(reader, entry, &repository);
    read_ids(reader, entry, &repository);
    config_duration(reader, yaml_get(entry, "alarm"), US_PER_S, 24 * HOUR_US, &repository.alarm_us);
    config_duration(reader, yaml_get(entry, "timeout"), US_PER_S, HOUR_US / 6,
                    &repository.timeout_us);
    return ARENA_PUSH(reader->arena, reader->diag, list, repository);
}

struct status
config_read_repositories(struct config_reader *reader, struct yaml_node *audit)
{
    struct yaml_node *node = yaml_get(audit, "repositories");
    struct repository_list list = {0};
    size_t n = 0;
    if (!config_is_list(reader, node, "a list of repositories")) {
        return OK;
    }
    for (struct yaml_node *entry = node->children; entry != NULL; entry = entry->next) {
        if (entry->kind != YAML_MAPPING) {
            config_expected(reader, entry,
                            "'key: value' pairs such as syslog-tls: arr.example:6514");
            continue;
        }
        if (++n > CONFIG_AUDIT_MAX) {
            yaml_error(reader->report, entry, "more than %d audit repositories", CONFIG_AUDIT_MAX);
            break;
        }
        TRY(read_repository(reader, entry, &list));
    }
    reader->config->audit_repositories = list.items;
    reader->config->audit_repositories_n = list.n;
    return OK;
}
