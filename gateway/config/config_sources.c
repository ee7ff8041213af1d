/*
 * Reads `sources:`, where this node's own documents and people come from: the embedded store, and
 * external ones by their engines (config_source.h). Each external one also becomes a record for the
 * outbound engine, behind the partners'. Called while the configuration loads, after partners:,
 * whose claims theirs are compared with.
 */
#include <ctype.h>
#include <string.h>

#include "config/config_source.h"

#define TIMEOUT_MIN_US (100 * US_PER_MS)
#define TIMEOUT_MAX_US (3600 * US_PER_S)
#define HOST_MAX       253

/* Of every external source. */
static const char *const shared_keys[] = {
    "name",   "engine",   "patient_authority", "trust", "addresses", "timeout",
    "limits", "security", "credential",        "proxy", "tls",
};

static const char *const embedded_keys[] = {"name", "engine"};
static const struct config_source_engine embedded = {"embedded", embedded_keys, 0, true, NULL};

/* By enum config_engine. */
static const struct config_source_engine *const engines[] = {
    [CONFIG_ENGINE_XDS] = &config_source_xds,         [CONFIG_ENGINE_EMBEDDED] = &embedded,
    [CONFIG_ENGINE_PDQ] = &config_source_pdq,         [CONFIG_ENGINE_PIX] = &config_source_pix,
    [CONFIG_ENGINE_GATEWAY] = &config_source_gateway,
};

struct source_list {
    struct config_source *items;
    size_t n, capacity;
};

/* ---- what all of them have ---- */

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

static bool
is_among(struct span key, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq_cstr(key, keys[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_known_key(struct span key)
{
    bool is_known = is_among(key, shared_keys, ARRAY_LEN(shared_keys));

    for (size_t e = 0; e < ARRAY_LEN(engines) && !is_known; e++) {
        is_known = is_among(key, engines[e]->keys, engines[e]->keys_n);
    }
    return is_known;
}

/* What no engine knows is a mistake of writing; what another one knows is out of place. */
static struct status
check_keys(struct config_reader *reader, struct yaml_node *entry,
           const struct config_source_engine *engine)
{
    struct config_string_list known = {0};

    for (size_t i = 0; i < ARRAY_LEN(shared_keys); i++) {
        TRY(ARENA_PUSH(reader->arena, reader->diag, &known, shared_keys[i]));
    }
    for (size_t e = 0; e < ARRAY_LEN(engines); e++) {
        for (size_t i = 0; i < engines[e]->keys_n; i++) {
            TRY(ARENA_PUSH(reader->arena, reader->diag, &known, engines[e]->keys[i]));
        }
    }
    yaml_check_keys(reader->report, entry, known.items, known.n);
    for (const struct yaml_node *child = entry->children; child != NULL; child = child->next) {
        const bool is_taken = engine == &embedded
                                  ? is_among(child->key, embedded_keys, ARRAY_LEN(embedded_keys))
                                  : is_among(child->key, shared_keys, ARRAY_LEN(shared_keys)) ||
                                        is_among(child->key, engine->keys, engine->keys_n);

        if (!is_taken && is_known_key(child->key)) {
            yaml_report_add(reader->report, child->file, child->key_line, child->key_column,
                            "'%.*s' has no effect with engine '%s'%s; remove it",
                            SPAN_PRINT(child->key), engine->name,
                            engine == &embedded ? ", which is configured under community and store"
                                                : "");
        }
    }
    return OK;
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

void
config_source_url(struct config_reader *reader, const struct yaml_node *node,
                  const struct partner *partner, const char **ret_url)
{
    if (partner->is_plain) {
        config_loopback_url(reader, node, ret_url);
    } else {
        config_url(reader, node, ret_url);
    }
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
    const char *const urls[] = {source->supplier_url, source->registry_url, partner->xcpd_url,
                                partner->query_url, partner->retrieve_url};

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
read_external(struct config_reader *reader, struct yaml_node *entry, struct config_source *source,
              struct partner *partner)
{
    static const char *const securities[] = {"none", "assertion"};
    const struct yaml_node *tls = yaml_get(entry, "tls");
    size_t security = 0;

    partner->is_plain =
        tls != NULL && tls->kind == YAML_SCALAR && span_eq_cstr(tls->scalar, "none");
    source->patient_authority = reader->config->patient_authority;
    config_oid(reader, yaml_get(entry, "patient_authority"), &source->patient_authority);
    TRY(engines[source->engine]->read(reader, entry, source, partner));
    (void)config_choice(reader, yaml_get(entry, "security"), securities, ARRAY_LEN(securities),
                        &security);
    source->wants_assertion = security == 1 || source->engine == CONFIG_ENGINE_GATEWAY;
    partner->id = partner->name = source->name;
    partner->path = reader->config->path;
    partner->timeout_us = reader->config->timeout_us;
    config_duration(reader, yaml_get(entry, "timeout"), TIMEOUT_MIN_US, TIMEOUT_MAX_US,
                    &partner->timeout_us);
    partner->addresses = PARTNER_ADDRESSES_PRIVATE; /* it is in our own house */
    config_read_reach(reader, entry, partner);
    return read_tls(reader, entry, source, partner);
}

/* The community as the engine's record has it: what the source's answers may name. */
static struct status
add_partner(struct config_reader *reader, const struct config_source *source,
            struct partner *partner)
{
    const char **communities;

    if (source->engine != CONFIG_ENGINE_GATEWAY) {
        TRY(ARENA_ARRAY(reader->arena, 1, reader->diag, &communities));
        communities[0] = source->community;
        partner->communities = (struct config_strings){communities, 1};
    }
    return ARENA_PUSH(reader->arena, reader->diag, &reader->partners, *partner);
}

/* ---- all of them ---- */

static struct status
add_embedded(struct config_reader *reader, const struct yaml_node *entry,
             struct config_source *source, struct source_list *sources)
{
    if (reader->config->asks_store) {
        yaml_error(reader->report, entry, "there is one embedded store; remove this source");
    }
    reader->config->asks_store = true;
    source->is_embedded = true;
    source->community = reader->config->community;
    return ARENA_PUSH(reader->arena, reader->diag, sources, *source);
}

static struct status
read_source(struct config_reader *reader, struct yaml_node *entry, struct source_list *sources)
{
    const char *names[ARRAY_LEN(engines)];
    struct config_source source = {0};
    struct partner partner = {0};
    size_t engine = CONFIG_ENGINE_XDS;

    if (entry->kind != YAML_MAPPING) {
        config_expected(reader, entry, "'key: value' pairs that describe a source");
        return OK;
    }
    TRY(read_name(reader, entry, &source));
    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        names[i] = engines[i]->name;
    }
    (void)config_choice(reader, yaml_get(entry, "engine"), names, ARRAY_LEN(names), &engine);
    source.engine = (enum config_engine)engine;
    TRY(check_keys(reader, entry, engines[engine]));
    if (engines[engine] == &embedded) {
        return add_embedded(reader, entry, &source, sources);
    }
    TRY(read_community(reader, entry, sources, &source));
    TRY(read_external(reader, entry, &source, &partner));
    TRY(add_partner(reader, &source, &partner));
    return ARENA_PUSH(reader->arena, reader->diag, sources, source);
}

/* Who has no documents is beside the store, not in its place. */
static bool
has_documents(const struct source_list *sources)
{
    for (size_t i = 0; i < sources->n; i++) {
        if (engines[sources->items[i].engine]->has_documents) {
            return true;
        }
    }
    return false;
}

static struct status
add_store(struct config_reader *reader, struct source_list *sources)
{
    const struct config_source own = {
        .name = "own",
        .engine = CONFIG_ENGINE_EMBEDDED,
        .is_embedded = true,
        .community = reader->config->community,
    };

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
    if (!has_documents(&sources)) {
        TRY(add_store(reader, &sources));
    }
    join(config, reader->partners.items, sources.items, sources.n);
    config->sources = sources.items;
    config->sources_n = sources.n;
    config->partners = reader->partners.items;
    config->reached_n = reader->partners.n;
    return OK;
}
