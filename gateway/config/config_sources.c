/*
 * Reads `sources:`, where this node's own documents come from: the embedded store, and XDS
 * registries with their repositories. Each external one also becomes a record for the outbound
 * engine, behind the partners'. Called while the configuration loads, after partners:, whose claims
 * theirs are compared with.
 */
#include <ctype.h>
#include <string.h>

#include "config/config_reader.h"

#define TIMEOUT_MIN_US (100 * US_PER_MS)
#define TIMEOUT_MAX_US (3600 * US_PER_S)
#define HOST_MAX       253

static const char *const xds_names[] = {
    "name",  "engine",    "community", "registry", "repositories", "patient_authority",
    "trust", "addresses", "timeout",   "limits",   "security",     "credential",
    "proxy", "tls",
};
static const char *const gateway_names[] = {
    "name",     "engine", "communities",       "xcpd",         "query",
    "retrieve", "trust",  "patient_authority", "asserts_home", "addresses",
    "timeout",  "limits", "credential",        "proxy",        "tls",
};

struct source_list {
    struct config_source *items;
    size_t n, capacity;
};

struct repository_list {
    struct config_repository *items;
    size_t n, capacity;
};

/* ---- what both kinds have ---- */

static struct status
read_name(struct config_reader *reader, struct yaml_node *entry, struct config_source *source)
{
    static const char what[] = "lower-case letters, digits, '-' and '_', at most 32";
    struct yaml_node *node = config_need(reader, entry, "name");

    if (!config_text(reader, node, what, &source->name)) {
        return OK;
    }
    if (!config_is_name(node->scalar)) {
        config_expected(reader, node, what);
        return OK;
    }
    /* The log, the audit record and the engine's health know both by it. */
    return config_claim(reader, CONFIG_CLAIM_ID, source->name, node);
}

static void
refuse_keys(struct config_reader *reader, struct yaml_node *entry)
{
    for (const struct yaml_node *child = entry->children; child != NULL; child = child->next) {
        if (!span_eq_cstr(child->key, "name") && !span_eq_cstr(child->key, "engine")) {
            yaml_report_add(reader->report, child->file, child->key_line, child->key_column,
                            "'%.*s' has no effect with engine 'embedded', which is configured "
                            "under community and store; remove it",
                            SPAN_PRINT(child->key));
        }
    }
}

/* Several sources may serve one community; a partner's it cannot be. */
static struct status
read_community(struct config_reader *reader, struct yaml_node *entry,
               const struct source_list *before, struct config_source *source)
{
    struct yaml_node *node = yaml_get(entry, "community");

    source->community = reader->config->community;
    config_oid(reader, node, &source->community);
    if (node == NULL || source->community == NULL || reader->config->community == NULL ||
        strcmp(source->community, reader->config->community) == 0) {
        return OK;
    }
    for (size_t i = 0; i < before->n; i++) {
        if (strcmp(before->items[i].community, source->community) == 0) {
            return OK;
        }
    }
    return config_claim(reader, CONFIG_CLAIM_COMMUNITY, source->community, node);
}

/* ---- where it is ---- */

static void
read_url(struct config_reader *reader, const struct yaml_node *node, bool is_plain,
         const char **ret_url)
{
    if (is_plain) {
        config_loopback_url(reader, node, ret_url);
    } else {
        config_url(reader, node, ret_url);
    }
}

static struct status
read_repository(struct config_reader *reader, const struct yaml_node *child, bool is_plain,
                struct repository_list *list)
{
    const struct yaml_node key = {.kind = YAML_SCALAR,
                                  .file = child->file,
                                  .line = child->key_line,
                                  .column = child->key_column,
                                  .scalar = child->key};
    struct config_repository repository = {0};

    config_oid(reader, &key, &repository.id);
    read_url(reader, child, is_plain, &repository.url);
    if (repository.id == NULL || repository.url == NULL) {
        return OK;
    }
    struct yaml_node *at;

    TRY(ARENA_NEW(reader->arena, reader->diag, &at));
    *at = key;
    TRY(config_claim(reader, CONFIG_CLAIM_REPOSITORY, repository.id, at));
    return ARENA_PUSH(reader->arena, reader->diag, list, repository);
}

static struct status
read_repositories(struct config_reader *reader, struct yaml_node *entry, bool is_plain,
                  struct config_source *source)
{
    static const char what[] = "repositoryUniqueIds with their URLs, {OID: URL}";
    struct yaml_node *node = config_need(reader, entry, "repositories");
    struct repository_list list = {0};

    if (node == NULL) {
        return OK;
    }
    if (node->kind != YAML_MAPPING || node->children == NULL) {
        config_expected(reader, node, what);
        return OK;
    }
    for (const struct yaml_node *child = node->children; child != NULL; child = child->next) {
        TRY(read_repository(reader, child, is_plain, &list));
    }
    source->repositories = list.items;
    source->repositories_n = list.n;
    return OK;
}

/* ---- who it is, and who we are to it ---- */

static struct status
add_host(struct config_reader *reader, const char *url, struct config_string_list *hosts)
{
    const struct span written = url == NULL ? SPAN_EMPTY : config_host_of_url(url);
    char lower[HOST_MAX];
    struct span host;

    if (written.n == 0 || written.n > sizeof(lower)) {
        return OK; /* reported */
    }
    for (size_t i = 0; i < written.n; i++) {
        lower[i] = (char)tolower((unsigned char)written.p[i]);
    }
    TRY(arena_dup(reader->arena, span_of(lower, written.n), reader->diag, &host));
    for (size_t i = 0; i < hosts->n; i++) {
        if (span_eq_cstr(host, hosts->items[i])) {
            return OK;
        }
    }
    return ARENA_PUSH(reader->arena, reader->diag, hosts, host.p);
}

static struct status
add_hosts(struct config_reader *reader, const struct config_source *source,
          const struct partner *partner, struct config_string_list *hosts)
{
    const char *const urls[] = {source->registry_url, partner->xcpd_url, partner->query_url,
                                partner->retrieve_url};

    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        TRY(add_host(reader, urls[i], hosts));
    }
    for (size_t i = 0; i < source->repositories_n; i++) {
        TRY(add_host(reader, source->repositories[i].url, hosts));
    }
    return OK;
}

/* tls.names; without them its server is known by the hosts of its URLs, as servers usually are. */
static struct status
read_server_names(struct config_reader *reader, struct yaml_node *tls,
                  const struct config_source *source, struct partner *partner)
{
    struct yaml_node *list = config_need(reader, tls, "names");
    struct config_string_list found = {0};

    if (config_is_list(reader, list, "a list of names such as [xds.hospital.example]")) {
        if (list->children == NULL) {
            yaml_error(reader->report, list, "names: expected at least one name");
        }
        for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
            const char *name = NULL;

            TRY(config_tls_name(reader, item, &name));
            if (name != NULL) {
                TRY(ARENA_PUSH(reader->arena, reader->diag, &found, name));
            }
        }
    } else if (tls == NULL) {
        TRY(add_hosts(reader, source, partner, &found));
    }
    partner->identity = PARTNER_IDENTITY_SAN;
    partner->tls_names = (struct config_strings){found.items, found.n};
    return OK;
}

static void
check_trust(struct config_reader *reader, const struct yaml_node *named,
            const struct partner *partner)
{
    const struct config *config = reader->config;
    const struct config_trust *trust =
        partner->trust == NULL ? NULL : config_trust_of(config, partner->trust);

    if (trust != NULL && trust->trust != config->partner_trust &&
        trust->status.mode != STATUS_OFF) {
        yaml_error(reader->report, named,
                   "trust '%s' has 'ocsp', which is asked about partners only; name one without",
                   trust->name);
    }
}

static struct status
read_tls(struct config_reader *reader, struct yaml_node *entry, const struct config_source *source,
         struct partner *partner)
{
    static const char *const keys[] = {"names"};
    static const char *const told[] = {"credential", "trust", "proxy"};
    struct yaml_node *credential = yaml_get(entry, "credential");
    struct yaml_node *trust = yaml_get(entry, "trust");

    if (partner->is_plain) {
        for (size_t i = 0; i < ARRAY_LEN(told); i++) {
            const struct yaml_node *node = yaml_get(entry, told[i]);

            if (node != NULL) {
                yaml_report_add(reader->report, node->file, node->key_line, node->key_column,
                                "'%s' has no effect with tls 'none'; remove one of them", told[i]);
            }
        }
        return OK;
    }
    partner->credential =
        credential == NULL ? reader->config->node : config_find_credential(reader, credential);
    partner->trust =
        trust == NULL ? reader->config->partner_trust : config_find_trust(reader, trust);
    check_trust(reader, trust, partner);
    return read_server_names(reader, config_section(reader, entry, "tls", keys, ARRAY_LEN(keys)),
                             source, partner);
}

/* ---- an external one ---- */

static struct status
read_places(struct config_reader *reader, struct yaml_node *entry, struct config_source *source,
            struct partner *partner)
{
    static const char *const keys[] = {"url"};
    const struct yaml_node *tls = yaml_get(entry, "tls");
    struct yaml_node *registry =
        config_need_section(reader, entry, "registry", keys, ARRAY_LEN(keys));

    partner->is_plain =
        tls != NULL && tls->kind == YAML_SCALAR && span_eq_cstr(tls->scalar, "none");
    read_url(reader, config_need(reader, registry, "url"), partner->is_plain,
             &source->registry_url);
    return read_repositories(reader, entry, partner->is_plain, source);
}

/* What every external one has. */
static struct status
read_connection(struct config_reader *reader, struct yaml_node *entry,
                const struct config_source *source, struct partner *partner)
{
    partner->id = partner->name = source->name;
    partner->path = reader->config->path;
    partner->timeout_us = reader->config->timeout_us;
    config_duration(reader, yaml_get(entry, "timeout"), TIMEOUT_MIN_US, TIMEOUT_MAX_US,
                    &partner->timeout_us);
    partner->addresses = PARTNER_ADDRESSES_PRIVATE; /* it is in our own house */
    config_read_reach(reader, entry, partner);
    return read_tls(reader, entry, source, partner);
}

/* ---- a registry with its repositories ---- */

static struct status
read_registry(struct config_reader *reader, struct yaml_node *entry, struct config_source *source,
              struct partner *partner)
{
    static const char *const securities[] = {"none", "assertion"};
    size_t security = 0;

    TRY(read_places(reader, entry, source, partner));
    source->patient_authority = reader->config->patient_authority;
    config_oid(reader, yaml_get(entry, "patient_authority"), &source->patient_authority);
    (void)config_choice(reader, yaml_get(entry, "security"), securities, ARRAY_LEN(securities),
                        &security);
    source->wants_assertion = security == 1;
    return read_connection(reader, entry, source, partner);
}

/* The community as the engine's record has it: what the source's answers may name. */
static struct status
note_community(struct config_reader *reader, const struct config_source *source,
               struct partner *partner)
{
    const char **communities;

    TRY(ARENA_ARRAY(reader->arena, 1, reader->diag, &communities));
    communities[0] = source->community;
    partner->communities = (struct config_strings){communities, 1};
    return OK;
}

static struct status
read_xds(struct config_reader *reader, struct yaml_node *entry, const struct source_list *before,
         struct config_source *source, struct partner *partner)
{
    yaml_check_keys(reader->report, entry, xds_names, ARRAY_LEN(xds_names));
    TRY(read_community(reader, entry, before, source));
    TRY(read_registry(reader, entry, source, partner));
    return note_community(reader, source, partner);
}

/* ---- a participant's gateway ---- */

/* It is somebody else: none of its communities is ours, a partner's or another source's. */
static struct status
read_communities(struct config_reader *reader, struct yaml_node *entry,
                 struct config_source *source, struct partner *partner)
{
    struct yaml_node *list = config_need(reader, entry, "communities");
    struct config_string_list oids = {0};

    if (!config_is_list(reader, list, "a list of OIDs such as [2.999.1]")) {
        return OK;
    }
    if (list->children == NULL) {
        yaml_error(reader->report, list, "communities: expected at least one OID");
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        const char *oid = NULL;

        config_oid(reader, item, &oid);
        if (oid != NULL) {
            TRY(config_claim(reader, CONFIG_CLAIM_COMMUNITY, oid, item));
            TRY(ARENA_PUSH(reader->arena, reader->diag, &oids, oid));
        }
    }
    partner->communities = (struct config_strings){oids.items, oids.n};
    source->community = oids.n > 0 ? oids.items[0] : reader->config->community;
    return OK;
}

static struct status
read_gateway(struct config_reader *reader, struct yaml_node *entry,
             const struct source_list *before, struct config_source *source,
             struct partner *partner)
{
    static const char *const homes[] = {"own", "asker"};
    size_t home = 0;

    (void)before;
    yaml_check_keys(reader->report, entry, gateway_names, ARRAY_LEN(gateway_names));
    TRY(read_communities(reader, entry, source, partner));
    config_url(reader, config_need(reader, entry, "xcpd"), &partner->xcpd_url);
    config_url(reader, config_need(reader, entry, "query"), &partner->query_url);
    config_url(reader, config_need(reader, entry, "retrieve"), &partner->retrieve_url);
    config_oid(reader, yaml_get(entry, "patient_authority"), &source->patient_authority);
    (void)config_choice(reader, yaml_get(entry, "asserts_home"), homes, ARRAY_LEN(homes), &home);
    source->is_gateway = source->wants_assertion = true;
    source->asserts_asker = home == 1;
    return read_connection(reader, entry, source, partner);
}

/* ---- all of them ---- */

static struct status
read_embedded(struct config_reader *reader, struct yaml_node *entry, struct config_source *source)
{
    refuse_keys(reader, entry);
    if (reader->config->asks_store) {
        yaml_error(reader->report, entry, "there is one embedded store; remove this source");
    }
    reader->config->asks_store = true;
    source->community = reader->config->community;
    return OK;
}

/* What an engine's entry says, by `engine`; the first is the default. Those without a function are
 * the embedded store. */
static const struct {
    const char *name;
    struct status (*read)(struct config_reader *reader, struct yaml_node *entry,
                          const struct source_list *before, struct config_source *source,
                          struct partner *partner);
} engines[] = {{"xds", read_xds}, {"embedded", NULL}, {"gateway", read_gateway}};

static struct status
read_source(struct config_reader *reader, struct yaml_node *entry, struct source_list *sources)
{
    const char *engine_names[ARRAY_LEN(engines)];
    struct config_source source = {0};
    struct partner partner = {0};
    size_t engine = 0;

    if (entry->kind != YAML_MAPPING) {
        config_expected(reader, entry, "'key: value' pairs that describe a source");
        return OK;
    }
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        engine_names[i] = engines[i].name;
    }
    TRY(read_name(reader, entry, &source));
    (void)config_choice(reader, yaml_get(entry, "engine"), engine_names, ARRAY_LEN(engines),
                        &engine);
    if (engines[engine].read == NULL) {
        source.is_embedded = true;
        TRY(read_embedded(reader, entry, &source));
    } else {
        TRY(engines[engine].read(reader, entry, sources, &source, &partner));
        TRY(ARENA_PUSH(reader->arena, reader->diag, &reader->partners, partner));
    }
    return ARENA_PUSH(reader->arena, reader->diag, sources, source);
}

static struct status
add_store(struct config_reader *reader, struct source_list *sources)
{
    const struct config_source own = {
        .name = "own", .is_embedded = true, .community = reader->config->community};

    reader->config->asks_store = true;
    return ARENA_PUSH(reader->arena, reader->diag, sources, own);
}

/* The arrays do not move any more: whoever is in one is told where its other half is. */
static void
join(struct config *config, struct partner *partners, struct config_source *sources, size_t n)
{
    size_t at = config->partners_n;

    for (size_t i = 0; i < n; i++) {
        if (!sources[i].is_embedded) {
            partners[at].source = &sources[i];
            sources[i].partner = &partners[at++];
        }
    }
}

struct status
config_read_sources(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *list = yaml_get(root, "sources");
    struct source_list sources = {0};
    struct config *config = reader->config;

    if (config_is_list(reader, list, "a list of sources")) {
        for (struct yaml_node *item = list->children; item != NULL; item = item->next) {
            TRY(read_source(reader, item, &sources));
        }
    }
    if (sources.n == 0) {
        TRY(add_store(reader, &sources));
    }
    join(config, reader->partners.items, sources.items, sources.n);
    config->sources = sources.items;
    config->sources_n = sources.n;
    config->partners = reader->partners.items;
    config->reached_n = reader->partners.n;
    return OK;
}
