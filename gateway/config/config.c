/*
 * Loads a configuration, counts references to it, and answers which partner a certificate or a
 * community belongs to. config_load runs on the program's main thread; everything else on any
 * thread. The arena holds the struct itself, all its strings, and through its deferred functions
 * the keys, trust stores and rules.
 */
#include "config/config.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "config/config_reader.h"

#define CONFIG_ARENA_MAX ((size_t)256 * 1024 * 1024)

static atomic_uint_fast64_t generations; /* how many were loaded */

/* What config_load makes: the struct that everybody sees is its first member. */
struct config_owner {
    struct config config;
    atomic_uint references;
    struct arena *arena;
};

static struct config_owner *
owner_of(const struct config *config)
{
    /* Nobody else makes what is referenced, and only the count is written. */
    return (struct config_owner *)(uintptr_t)config;
}

static struct status
read_config(struct config_reader *reader, const char *path)
{
    struct yaml_node *root = NULL;
    struct diag reason = {0};
    const struct status st = yaml_read_file(path, reader->arena, reader->report, &reason, &root);

    if (st.code == ERR_CONFIG_SYNTAX) {
        return OK; /* reported */
    }
    if (!is_ok(st)) {
        return FAIL(reader->diag, st.code, "%s", reason.text);
    }
    return config_read_root(reader, root);
}

static struct status
load(struct arena *arena, const char *path, int64_t now_us, struct yaml_report *report,
     struct diag *diag, struct config_owner **ret_owner)
{
    struct config_owner *owner = NULL;
    const int errors_before = report->errors;
    struct span path_copy;

    TRY(ARENA_NEW(arena, diag, &owner));
    TRY(arena_dup(arena, span_of_cstr(path), diag, &path_copy));
    owner->arena = arena;
    owner->config.path = path_copy.p;
    atomic_init(&owner->references, 1);
    struct config_reader reader = {
        .report = report, .diag = diag, .arena = arena, .now_us = now_us, .config = &owner->config};

    TRY(read_config(&reader, path));
    const int errors = report->errors - errors_before;

    if (errors > 0) {
        return FAIL(diag, ERR_CONFIG, "%s: %d error%s%s", path, errors, errors == 1 ? "" : "s",
                    report->errors > YAML_ERRORS_MAX ? "; the first ones are shown" : "");
    }
    *ret_owner = owner;
    return OK;
}

struct status
config_load(const char *path, const struct clock *clock, struct yaml_report *report,
            struct diag *diag, const struct config **ret_config)
{
    struct arena *arena = arena_new(CONFIG_ARENA_MAX);
    struct config_owner *owner = NULL;

    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a configuration");
    }
    const struct status st = load(arena, path, clock_wall_us(clock), report, diag, &owner);

    if (!is_ok(st)) {
        arena_free(arena);
        return st;
    }
    owner->config.generation = atomic_fetch_add_explicit(&generations, 1, memory_order_relaxed) + 1;
    *ret_config = &owner->config;
    return OK;
}

const struct config *
config_ref(const struct config *config)
{
    const unsigned before =
        atomic_fetch_add_explicit(&owner_of(config)->references, 1, memory_order_relaxed);

    assert(before > 0);
    (void)before;
    return config;
}

void
config_unref(const struct config *config)
{
    if (config == NULL) {
        return;
    }
    struct config_owner *owner = owner_of(config);
    const unsigned before = atomic_fetch_sub_explicit(&owner->references, 1, memory_order_acq_rel);

    assert(before > 0);
    if (before == 1) {
        arena_free(owner->arena); /* holds the owner, too */
    }
}

bool
config_trust_has_changed(const struct config *config)
{
    for (size_t i = 0; i < config->trusts_n; i++) {
        if (trust_has_changed(config->trusts[i].trust)) {
            return true;
        }
    }
    return false;
}

bool
config_awaits_crl(const struct config *config)
{
    for (size_t i = 0; i < config->trusts_n; i++) {
        if (config->trusts[i].awaits_crl) {
            return true;
        }
    }
    return false;
}

bool
config_fetches_crl(const struct config *config)
{
    for (size_t i = 0; i < config->trusts_n; i++) {
        if (config->trusts[i].crl_urls.n > 0) {
            return true;
        }
    }
    return false;
}

const struct config_trust *
config_trust_of(const struct config *config, const struct trust *trust)
{
    for (size_t i = 0; i < config->trusts_n; i++) {
        if (config->trusts[i].trust == trust) {
            return &config->trusts[i];
        }
    }
    return NULL;
}

/* ---- who is it ---- */

static bool
has_string(const struct config_strings *strings, struct span text)
{
    for (size_t i = 0; i < strings->n; i++) {
        if (span_eq_cstr(text, strings->items[i])) {
            return true;
        }
    }
    return false;
}

static bool
is_certificate_of(const struct partner *partner, const struct certificate *peer)
{
    if (partner->identity == PARTNER_IDENTITY_CERTIFICATE) {
        return has_string(&partner->tls_sha256, span_of_cstr(peer->sha256));
    }
    for (size_t i = 0; i < peer->dns_n; i++) {
        if (has_string(&partner->tls_names, span_of_cstr(peer->dns[i]))) {
            return true;
        }
    }
    return false;
}

struct status
config_partner_of_peer(const struct config *config, const struct certificate *peer,
                       struct diag *diag, const struct partner **ret_partner)
{
    const struct partner *found = NULL;

    for (size_t i = 0; i < config->partners_n; i++) {
        const struct partner *partner = &config->partners[i];

        if (!is_certificate_of(partner, peer)) {
            continue;
        }
        if (found != NULL) {
            return FAIL(diag, ERR_PEER_UNKNOWN,
                        "TLS certificate '%s' (SHA-256 %s) belongs to partners '%s' and '%s'",
                        peer->subject, peer->sha256, found->id, partner->id);
        }
        found = partner;
    }
    if (found == NULL) {
        return FAIL(diag, ERR_PEER_UNKNOWN,
                    "TLS certificate '%s' (SHA-256 %s) belongs to no partner", peer->subject,
                    peer->sha256);
    }
    *ret_partner = found;
    return OK;
}

static bool
is_certificate_of_system(const struct config_system *system, const struct certificate *peer)
{
    for (size_t i = 0; i < peer->dns_n; i++) {
        if (has_string(&system->certificate_names, span_of_cstr(peer->dns[i]))) {
            return true;
        }
    }
    return false;
}

struct status
config_system_of_peer(const struct config *config, const struct certificate *peer,
                      struct diag *diag, const struct config_system **ret_system)
{
    const struct config_system *found = peer == NULL ? config->local_system : NULL;

    for (size_t i = 0; peer != NULL && i < config->systems_n; i++) {
        const struct config_system *system = &config->systems[i];

        if (!is_certificate_of_system(system, peer)) {
            continue;
        }
        if (found != NULL) {
            return FAIL(diag, ERR_SYSTEM_UNKNOWN,
                        "TLS certificate '%s' belongs to systems '%s' and '%s'", peer->subject,
                        found->name, system->name);
        }
        found = system;
    }
    if (found == NULL && peer == NULL) {
        return FAIL(diag, ERR_SYSTEM_UNKNOWN,
                    "nobody is known to ask on the local listener: name an entry of systems at "
                    "listen: local: system, or configure TLS there");
    }
    if (found == NULL) {
        return FAIL(diag, ERR_SYSTEM_UNKNOWN,
                    "TLS certificate '%s' carries no name of certificate_names in systems",
                    peer->subject);
    }
    *ret_system = found;
    return OK;
}

bool
partner_speaks_for(const struct partner *partner, struct span oid)
{
    return has_string(&partner->communities, oid);
}

bool
partner_key_issues(const struct partner *partner, const struct certificate *key, struct span issuer)
{
    const struct config_strings *own = NULL;

    for (size_t i = 0; partner->key_issuers != NULL && i < partner->signing_n; i++) {
        if (strcmp(partner->signing[i]->sha256, key->sha256) == 0) {
            own = &partner->key_issuers[i];
        }
    }
    if (own != NULL && own->n > 0) {
        return has_string(own, issuer);
    }
    return partner->issuers.n > 0 ? has_string(&partner->issuers, issuer)
                                  : span_eq_cstr(issuer, key->subject);
}

bool
config_assertions_issue(const struct config_assertions *assertions, const struct certificate *key,
                        struct span issuer)
{
    return assertions->issuers.n > 0 ? has_string(&assertions->issuers, issuer)
                                     : span_eq_cstr(issuer, key->subject);
}

bool
partner_may_sha1(const struct partner *partner, int64_t now_us)
{
    return now_us < partner->sha1_until_us;
}

const struct partner *
config_partner_of_id(const struct config *config, struct span id)
{
    for (size_t i = 0; i < config->partners_n; i++) {
        if (span_eq_cstr(id, config->partners[i].id)) {
            return &config->partners[i];
        }
    }
    return NULL;
}

const struct partner *
config_partner_of_community(const struct config *config, struct span oid)
{
    for (size_t i = 0; i < config->partners_n; i++) {
        if (partner_speaks_for(&config->partners[i], oid)) {
            return &config->partners[i];
        }
    }
    return NULL;
}

/* ---- sources ---- */

bool
config_is_own_community(const struct config *config, struct span oid)
{
    bool is_own = span_eq_cstr(oid, config->community);

    for (size_t i = 0; i < config->sources_n && !is_own; i++) {
        is_own = span_eq_cstr(oid, config->sources[i].community);
    }
    return is_own || config_gateway_of_community(config, oid) != NULL;
}

bool
partner_is_behind(const struct partner *partner)
{
    return partner->source != NULL && partner->source->engine == CONFIG_ENGINE_GATEWAY;
}

const struct partner *
config_gateway_of_community(const struct config *config, struct span oid)
{
    for (size_t i = config->partners_n; i < config->reached_n; i++) {
        if (partner_is_behind(&config->partners[i]) &&
            partner_speaks_for(&config->partners[i], oid)) {
            return &config->partners[i];
        }
    }
    return NULL;
}

bool
config_has_external(const struct config *config)
{
    return config_has_engine(config, CONFIG_ENGINE_XDS) ||
           config_has_engine(config, CONFIG_ENGINE_GATEWAY);
}

bool
config_has_engine(const struct config *config, enum config_engine engine)
{
    for (size_t i = 0; i < config->sources_n; i++) {
        if (config->sources[i].engine == engine) {
            return true;
        }
    }
    return false;
}

const struct config_repository *
config_source_repository(const struct config_source *source, struct span id)
{
    for (size_t i = 0; i < source->repositories_n; i++) {
        if (span_eq_cstr(id, source->repositories[i].id)) {
            return &source->repositories[i];
        }
    }
    return NULL;
}

const struct config_source *
config_source_of_repository(const struct config *config, struct span repository)
{
    for (size_t i = 0; i < config->sources_n; i++) {
        if (config_source_repository(&config->sources[i], repository) != NULL) {
            return &config->sources[i];
        }
    }
    return NULL;
}
