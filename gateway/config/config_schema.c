/*
 * The shape of the main file, section by section, and the order in which its parts are read: keys
 * and trust first, then what refers to them. Called by config_load.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/ids.h"
#include "config/config_reader.h"

#define KB ((size_t)1024)
#define MB (1024 * KB)
#define GB (1024 * MB)

static const char *const root_names[] = {
    "community", "listen", "asserts",  "credentials", "trust",     "partners", "store",
    "sources",   "audit",  "policies", "security",    "limits",    "log",      "id_tokens",
    "outbound",  "spool",  "systems",  "recipients",  "discovery", "profiles",
};

/* ---- community ---- */

static struct status
default_oid(struct config_reader *reader, const struct yaml_node *id, const char *suffix,
            const char *key, const char **oid)
{
    struct span text;

    if (*oid != NULL || reader->config->community == NULL) {
        return OK;
    }
    TRY(arena_printf(reader->arena, reader->diag, &text, "%s%s", reader->config->community,
                     suffix));
    if (!oid_is_valid(text)) {
        yaml_error(reader->report, id, "the default of '%s', %s, is too long an OID; set it", key,
                   text.p);
        return OK;
    }
    *oid = text.p;
    return OK;
}

static struct status
read_community(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"id", "name", "patient_authority", "repository"};
    struct yaml_node *node =
        config_need_section(reader, root, "community", names, ARRAY_LEN(names));
    struct config *config = reader->config;
    struct yaml_node *id = config_need(reader, node, "id");

    config_oid(reader, id, &config->community);
    if (config->community != NULL) {
        TRY(config_claim(reader, CONFIG_CLAIM_COMMUNITY, config->community, id));
    }
    (void)config_text(reader, config_need(reader, node, "name"), "text", &config->community_name);
    config_oid(reader, yaml_get(node, "patient_authority"), &config->patient_authority);
    config_oid(reader, yaml_get(node, "repository"), &config->repository);
    if (yaml_get(node, "patient_authority") == NULL) {
        TRY(default_oid(reader, id, ".1", "patient_authority", &config->patient_authority));
    }
    if (yaml_get(node, "repository") == NULL) {
        TRY(default_oid(reader, id, ".2", "repository", &config->repository));
    }
    if (config->repository != NULL) {
        struct yaml_node *repository = yaml_get(node, "repository");

        TRY(config_claim(reader, CONFIG_CLAIM_REPOSITORY, config->repository,
                         repository == NULL ? id : repository));
    }
    return OK;
}

/* ---- store, audit ---- */

struct status
config_check_parent(struct config_reader *reader, const struct yaml_node *node, const char *path)
{
    const char *slash = strrchr(path, '/');
    struct span parent = SPAN(".");
    struct stat facts;

    if (slash != NULL) {
        TRY(arena_dup(reader->arena, span_of(path, slash == path ? 1 : (size_t)(slash - path)),
                      reader->diag, &parent));
    }
    if (stat(parent.p, &facts) != 0) {
        yaml_error(reader->report, node, "folder %s: %s", parent.p, strerror(errno));
    } else if (!S_ISDIR(facts.st_mode)) {
        yaml_error(reader->report, node, "%s: not a folder", parent.p);
    }
    return OK;
}

/* A file or folder that is made when missing, in a folder that must exist. */
static struct status
read_made_path(struct config_reader *reader, const struct yaml_node *node, const char **ret_path)
{
    TRY(config_path(reader, node, ret_path));
    return *ret_path == NULL ? OK : config_check_parent(reader, node, *ret_path);
}

static void
refuse_unsupported(struct config_reader *reader, const struct yaml_node *node, const char *what)
{
    if (node != NULL) {
        yaml_report_add(reader->report, node->file, node->key_line, node->key_column,
                        "%s not supported by this version; remove it", what);
    }
}

static struct status
read_store(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"engine", "path", "dsn"};
    static const char *const engines[] = {"sqlite"};
    struct yaml_node *node = config_need_section(reader, root, "store", names, ARRAY_LEN(names));
    struct yaml_node *engine = yaml_get(node, "engine");
    size_t which = 0;

    if (engine != NULL && span_eq_cstr(engine->scalar, "postgresql")) {
        yaml_error(reader->report, engine,
                   "engine 'postgresql' is not supported by this version; write sqlite");
    } else {
        (void)config_choice(reader, engine, engines, ARRAY_LEN(engines), &which);
    }
    refuse_unsupported(reader, yaml_get(node, "dsn"), "'dsn' is");
    return read_made_path(reader, config_need(reader, node, "path"), &reader->config->store_path);
}

static struct status
read_audit(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"journal",        "repositories", "encryption",
                                        "on_unavailable", "disk_limit",   "wait",
                                        "checkpoints",    "retention",    "archive"};
    struct yaml_node *node = config_need_section(reader, root, "audit", names, ARRAY_LEN(names));

    TRY(config_read_repositories(reader, node));
    TRY(config_read_journal(reader, node));
    TRY(config_read_seal(reader, node));
    return read_made_path(reader, config_need(reader, node, "journal"),
                          &reader->config->journal_dir);
}

/* ---- security, limits, log ---- */

static bool
check_uri(struct config_reader *reader, const struct yaml_node *item)
{
    const struct span text = item->scalar;
    const size_t colon = span_find_char(text, ':');

    if (colon == SPAN_MISSING || colon == 0 || colon + 1 == text.n || !config_is_code(text)) {
        config_expected(reader, item, "a URI");
        return false;
    }
    return true;
}

static struct status
read_security(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {
        "clock_skew",     "max_lifetime", "id_tokens_required", "id_token_max_age",
        "authn_contexts", "signatures",   "clock_sync_required"};
    static const char *const answers[] = {"false", "true"};
    static const char *const engines[] = {"profile", "reference"};
    struct yaml_node *node = config_section(reader, root, "security", names, ARRAY_LEN(names));
    struct config *config = reader->config;
    size_t is_required = true;
    size_t engine = 0;
    size_t needs_clock = false;

    config->clock_skew_us = 60 * US_PER_S;
    config->max_lifetime_us = 3600 * US_PER_S;
    config_duration(reader, yaml_get(node, "clock_skew"), 0, 600 * US_PER_S,
                    &config->clock_skew_us);
    config_duration(reader, yaml_get(node, "max_lifetime"), 60 * US_PER_S, 24 * 3600 * US_PER_S,
                    &config->max_lifetime_us);
    config->id_token_max_age_us = 3600 * US_PER_S;
    config_duration(reader, yaml_get(node, "id_token_max_age"), 60 * US_PER_S, 24 * 3600 * US_PER_S,
                    &config->id_token_max_age_us);
    (void)config_choice(reader, yaml_get(node, "id_tokens_required"), answers, ARRAY_LEN(answers),
                        &is_required);
    config->needs_id_token = is_required != 0;
    (void)config_choice(reader, yaml_get(node, "signatures"), engines, ARRAY_LEN(engines), &engine);
    config->uses_reference = engine == 1;
    (void)config_choice(reader, yaml_get(node, "clock_sync_required"), answers, ARRAY_LEN(answers),
                        &needs_clock);
    config->needs_clock = needs_clock != 0;
    return config_text_list(reader, yaml_get(node, "authn_contexts"), "URIs", check_uri,
                            &config->authn_contexts);
}

static void
read_limits(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {
        "timeout",
        "body",
        "root_part",
        "answers",
        "answer_facts",
        "enough",
        "documents",
        "replay_keys",
        "connections",
        "connections_per_address",
        "connections_per_partner",
        "requests_per_partner",
        "failures_per_minute",
        "rate",
        "handshake_time",
        "status_time",
        "head_time",
        "idle_time",
        "request_time",
        "answer_time",
        "connection_time",
        "requests",
        "held",
        "queue_time",
        "drain_time",
        "continued",
        "continued_queries",
        "continued_time",
    };
    struct yaml_node *node = config_section(reader, root, "limits", names, ARRAY_LEN(names));
    struct config *config = reader->config;

    config->timeout_us = 20 * US_PER_S;
    config->body_limit = 64 * MB;
    config->root_part_limit = 1 * MB;
    config->answers_limit = 256 * MB;
    config->facts_limit = 64 * MB;
    config->documents_limit = 4 * GB;
    config->replay_keys = 100 * 1000;
    config_duration(reader, yaml_get(node, "timeout"), 100 * US_PER_MS, 3600 * US_PER_S,
                    &config->timeout_us);
    config_size(reader, yaml_get(node, "body"), 64 * KB, 4 * GB, &config->body_limit);
    config_size(reader, yaml_get(node, "root_part"), 64 * KB, 16 * MB, &config->root_part_limit);
    config_read_enough(reader, yaml_get(node, "enough"), &config->enough);
    config_size(reader, yaml_get(node, "answers"), 1 * MB, 4 * GB, &config->answers_limit);
    config_size(reader, yaml_get(node, "answer_facts"), 1 * MB, 4 * GB, &config->facts_limit);
    config_size(reader, yaml_get(node, "documents"), 1 * MB, 64 * GB, &config->documents_limit);
    config_count(reader, yaml_get(node, "replay_keys"), 1000, 10 * 1000 * 1000,
                 &config->replay_keys);
    config_read_edge(reader, node);
    config_read_continued(reader, node);
    if (config->root_part_limit > config->body_limit) {
        yaml_error(reader->report, node,
                   "limits: 'root_part' is greater than 'body'; lower one or raise the other");
    }
}

static void
read_log(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"level", "format"};
    static const char *const levels[] = {"debug", "info", "warning", "error"};
    static const char *const formats[] = {"text", "json"};
    struct yaml_node *node = config_section(reader, root, "log", names, ARRAY_LEN(names));
    size_t level = LOG_LEVEL_INFO, format = LOG_FORMAT_TEXT;

    (void)config_choice(reader, yaml_get(node, "level"), levels, ARRAY_LEN(levels), &level);
    (void)config_choice(reader, yaml_get(node, "format"), formats, ARRAY_LEN(formats), &format);
    reader->config->log_level = (enum log_level)level;
    reader->config->log_format = (enum log_format)format;
}

/* ---- other files ---- */

static struct status
read_partners(struct config_reader *reader, struct yaml_node *root)
{
    struct config_file_list files = {0};

    TRY(config_files(reader, yaml_get(root, "partners"), &files));
    for (size_t i = 0; i < files.n; i++) {
        TRY(config_read_partner(reader, &files.items[i]));
    }
    reader->config->partners = reader->partners.items;
    reader->config->partners_n = reader->partners.n;
    return OK;
}

static void
free_policy(void *policy)
{
    policy_free(policy);
}

static struct status
load_policy(struct config_reader *reader, struct policy *policy, const struct config_file *file)
{
    struct diag reason = {0};
    const struct status st = policy_load(policy, file->path, reader->report, &reason);

    return is_ok(st) ? OK : config_file_failure(reader, file, st, &reason);
}

/* Rules that name a partner whom no file describes would be holes. */
static struct status
check_policy_partners(struct config_reader *reader, const struct policy *policy)
{
    struct config_string_list ids = {0};

    for (size_t i = 0; i < reader->config->partners_n; i++) {
        if (reader->partners.items[i].id != NULL) {
            TRY(ARENA_PUSH(reader->arena, reader->diag, &ids, reader->partners.items[i].id));
        }
    }
    (void)policy_check_partners(policy, ids.items, ids.n, reader->report);
    return OK;
}

static struct status
read_policies(struct config_reader *reader, struct yaml_node *root)
{
    struct config_file_list files = {0};
    struct policy *policy = policy_new();

    if (policy == NULL) {
        return FAIL(reader->diag, ERR_NO_MEMORY, "no memory for a policy");
    }
    TRY(arena_defer(reader->arena, free_policy, policy, reader->diag));
    TRY(config_files(reader, config_need(reader, root, "policies"), &files));
    for (size_t i = 0; i < files.n; i++) {
        TRY(load_policy(reader, policy, &files.items[i]));
    }
    reader->config->policy = policy;
    return check_policy_partners(reader, policy);
}

struct status
config_read_root(struct config_reader *reader, struct yaml_node *root)
{
    yaml_check_keys(reader->report, root, root_names, ARRAY_LEN(root_names));
    TRY(read_community(reader, root));
    TRY(config_read_credentials(reader, root));
    TRY(config_read_trust(reader, root));
    TRY(config_read_listen(reader, root));
    config_read_asserts(reader, root);
    TRY(config_read_systems(reader, root));
    TRY(config_read_id_tokens(reader, root));
    TRY(read_store(reader, root));
    TRY(config_read_spool(reader, root));
    TRY(read_audit(reader, root));
    TRY(read_security(reader, root));
    read_limits(reader, root);
    config_read_discovery(reader, root);
    config_read_outbound(reader, root);
    read_log(reader, root);
    TRY(config_read_profiles(reader, root));
    TRY(read_partners(reader, root)); /* their timeout's default is in limits */
    TRY(config_read_recipients(reader, root));
    TRY(config_read_sources(reader, root));
    TRY(read_policies(reader, root));
    config_check_claims(reader);
    return OK;
}
