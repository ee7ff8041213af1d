/*
 * Compares two configurations. Called by the program when it is told to load its configuration
 * anew; reads both, owns neither.
 */
#include "config/config_changes.h"

#include <stdio.h>
#include <string.h>

static bool
same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_strings(const struct config_strings *a, const struct config_strings *b)
{
    bool is_same = a->n == b->n;

    for (size_t i = 0; i < a->n && is_same; i++) {
        is_same = same(a->items[i], b->items[i]);
    }
    return is_same;
}

static bool
same_signing(const struct partner *a, const struct partner *b)
{
    bool is_same =
        a->signing_n == b->signing_n && (a->key_issuers == NULL) == (b->key_issuers == NULL);

    for (size_t i = 0; i < a->signing_n && is_same; i++) {
        is_same = same(a->signing[i]->sha256, b->signing[i]->sha256) &&
                  (a->key_issuers == NULL || same_strings(&a->key_issuers[i], &b->key_issuers[i]));
    }
    return is_same && same_strings(&a->issuers, &b->issuers);
}

static bool
same_times(const struct partner *a, const struct partner *b)
{
    return a->timeout_us == b->timeout_us && a->discovery_timeout_us == b->discovery_timeout_us &&
           a->query_timeout_us == b->query_timeout_us &&
           a->retrieve_timeout_us == b->retrieve_timeout_us;
}

static bool
same_form(const struct dialect_form *a, const struct dialect_form *b)
{
    return a->range == b->range && a->has_urn_ids == b->has_urn_ids &&
           a->is_prefixed == b->is_prefixed && a->is_plain_retrieve == b->is_plain_retrieve &&
           a->is_sender_organization == b->is_sender_organization && same(a->receiver, b->receiver);
}

static bool
same_style(const struct dialect_style *a, const struct dialect_style *b)
{
    return a->is_bearer == b->is_bearer && a->digest == b->digest &&
           a->is_subject_id_basic == b->is_subject_id_basic && a->community == b->community &&
           a->has_npi_2_0 == b->has_npi_2_0 && a->has_authz_decision == b->has_authz_decision;
}

static bool
same_endpoints(const struct partner *a, const struct partner *b)
{
    return same(a->xcpd_url, b->xcpd_url) && same(a->query_url, b->query_url) &&
           same(a->retrieve_url, b->retrieve_url) && same(a->xcdr_url, b->xcdr_url) &&
           same_times(a, b) && a->may_connect_legacy == b->may_connect_legacy &&
           a->has_legacy_suites == b->has_legacy_suites;
}

static bool
same_outbound(const struct partner_limits *a, const struct partner_limits *b)
{
    return a->connections == b->connections && a->requests == b->requests &&
           a->failures == b->failures && a->pause_us == b->pause_us &&
           a->longest_pause_us == b->longest_pause_us && a->documents == b->documents &&
           a->attempts == b->attempts;
}

static bool
same_reach(const struct partner *a, const struct partner *b)
{
    return same_outbound(&a->limits, &b->limits) && same(a->proxy_url, b->proxy_url) &&
           a->addresses == b->addresses;
}

static bool
same_agreements(const struct partner *a, const struct partner *b)
{
    return a->may_use_bearer == b->may_use_bearer && a->relaxed == b->relaxed &&
           a->sha1_until_us == b->sha1_until_us && a->replay == b->replay &&
           a->is_assertion_once == b->is_assertion_once &&
           same_strings(&a->delegators, &b->delegators) && a->fault_status == b->fault_status &&
           a->wants_short_location == b->wants_short_location;
}

static bool
same_replies(const struct partner *a, const struct partner *b)
{
    return a->is_asynchronous == b->is_asynchronous && a->is_deferred == b->is_deferred &&
           same_strings(&a->replies.asynchronous, &b->replies.asynchronous) &&
           same(a->replies.deferred_url, b->replies.deferred_url) &&
           a->replies.queue == b->replies.queue && a->replies.age_us == b->replies.age_us;
}

static void
say_of(const char *kind, const char *name, const char *what, config_say say, void *arg)
{
    char text[256];

    snprintf(text, sizeof(text), "%s %s: %s", kind, name, what);
    say(arg, text);
}

static void
compare_partner(const struct partner *a, const struct partner *b, config_say say, void *arg)
{
    const struct {
        bool is_same;
        const char *what;
    } parts[] = {
        {same(a->name, b->name), "another name"},
        {same_strings(&a->communities, &b->communities), "other communities"},
        {same_endpoints(a, b), "other endpoints"},
        {same_reach(a, b), "other limits, proxy or addresses"},
        {a->identity == b->identity && same_strings(&a->tls_names, &b->tls_names) &&
             same_strings(&a->tls_sha256, &b->tls_sha256) &&
             a->is_server_pinned == b->is_server_pinned,
         "another TLS identity"},
        {same_signing(a, b), "other signing keys or issuers"},
        {same_agreements(a, b), "other agreements"},
        {same_style(&a->writes, &b->writes) && same_form(&a->form, &b->form),
         "our messages are written otherwise"},
        {same_replies(a, b), "answers come later in another way"},
    };

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (!parts[i].is_same) {
            say_of("partner", a->id, parts[i].what, say, arg);
        }
    }
}

static void
compare_partners(const struct config *old, const struct config *other, config_say say, void *arg)
{
    for (size_t i = 0; i < old->partners_n; i++) {
        const struct partner *partner =
            config_partner_of_id(other, span_of_cstr(old->partners[i].id));

        if (partner == NULL) {
            say_of("partner", old->partners[i].id, "removed", say, arg);
        } else {
            compare_partner(&old->partners[i], partner, say, arg);
        }
    }
    for (size_t i = 0; i < other->partners_n; i++) {
        if (config_partner_of_id(old, span_of_cstr(other->partners[i].id)) == NULL) {
            say_of("partner", other->partners[i].id, "added", say, arg);
        }
    }
}

/* ---- credentials and trust ---- */

static void
compare_credentials(const struct config *old, const struct config *other, config_say say, void *arg)
{
    for (size_t i = 0; i < other->credentials_n; i++) {
        const struct config_credential *now = &other->credentials[i];
        const struct config_credential *before = NULL;

        for (size_t k = 0; k < old->credentials_n; k++) {
            if (same(old->credentials[k].name, now->name)) {
                before = &old->credentials[k];
            }
        }
        if (before == NULL) {
            say_of("credential", now->name, "added", say, arg);
        } else if (!same(before->credential->leaf->sha256, now->credential->leaf->sha256)) {
            say_of("credential", now->name, "another certificate", say, arg);
        }
    }
}

static bool
same_anchors(const struct trust *a, const struct trust *b)
{
    bool is_same = trust_anchors(a) == trust_anchors(b);

    for (size_t i = 0; is_same && i < trust_anchors(a); i++) {
        is_same = same(trust_anchor(a, i)->sha256, trust_anchor(b, i)->sha256);
    }
    return is_same;
}

static bool
same_hosts(const struct fetch_hosts *a, const struct fetch_hosts *b)
{
    bool is_same = a->n == b->n;

    for (size_t i = 0; i < a->n && is_same; i++) {
        is_same = same(a->items[i], b->items[i]);
    }
    return is_same;
}

static bool
same_status(const struct status_settings *a, const struct status_settings *b)
{
    return a->mode == b->mode && same(a->responder, b->responder) &&
           same_hosts(&a->hosts, &b->hosts) && a->max_age_us == b->max_age_us &&
           a->timeout_us == b->timeout_us && a->cache_us == b->cache_us;
}

static void
compare_trusts(const struct config *old, const struct config *other, config_say say, void *arg)
{
    for (size_t i = 0; i < other->trusts_n; i++) {
        const struct config_trust *now = &other->trusts[i];
        const struct config_trust *before = NULL;

        for (size_t k = 0; k < old->trusts_n; k++) {
            if (same(old->trusts[k].name, now->name)) {
                before = &old->trusts[k];
            }
        }
        if (before != NULL && !same_status(&before->status, &now->status)) {
            say_of("trust", now->name, "another way to ask for the status of certificates", say,
                   arg);
        }
        if (before == NULL) {
            say_of("trust", now->name, "added", say, arg);
        } else if (!same_anchors(before->trust, now->trust)) {
            say_of("trust", now->name, "other anchors", say, arg);
        } else if (trust_has_changed(before->trust)) {
            say_of("trust", now->name, "revocation lists read anew", say, arg);
        }
    }
}

static bool
same_edge(const struct config_edge *a, const struct config_edge *b)
{
    return a->connections == b->connections &&
           a->connections_per_address == b->connections_per_address &&
           a->connections_per_partner == b->connections_per_partner &&
           a->requests_per_partner == b->requests_per_partner &&
           a->failures_per_minute == b->failures_per_minute && a->rate_bytes == b->rate_bytes &&
           a->handshake_us == b->handshake_us && a->status_us == b->status_us &&
           a->head_us == b->head_us && a->idle_us == b->idle_us && a->request_us == b->request_us &&
           a->answer_us == b->answer_us && a->connection_us == b->connection_us &&
           a->requests == b->requests && a->held_bytes == b->held_bytes &&
           a->queue_us == b->queue_us && a->drain_us == b->drain_us;
}

/* Its keys and stores are compared with those. */
static bool
same_seal(const struct config *old, const struct config *other)
{
    const struct config_checkpoints *a = &old->checkpoints, *b = &other->checkpoints;

    return (a->credential == NULL) == (b->credential == NULL) &&
           (a->trust == NULL) == (b->trust == NULL) && a->every_us == b->every_us &&
           a->records == b->records && old->retention_us == other->retention_us &&
           same(old->archive, other->archive);
}

static bool
same_limits(const struct config *a, const struct config *b)
{
    return a->timeout_us == b->timeout_us && a->body_limit == b->body_limit &&
           a->root_part_limit == b->root_part_limit && a->answers_limit == b->answers_limit &&
           a->facts_limit == b->facts_limit && a->documents_limit == b->documents_limit &&
           a->enough.answers == b->enough.answers && a->enough.percent == b->enough.percent &&
           same_edge(&a->edge, &b->edge);
}

static bool
same_discovery(const struct config_discovery *a, const struct config_discovery *b)
{
    return a->several == b->several && a->time_to_live_us == b->time_to_live_us &&
           a->remember_us == b->remember_us && a->minimum_degree == b->minimum_degree &&
           a->may_be_asked_back == b->may_be_asked_back;
}

/* ---- systems ---- */

static bool
same_asserts(const struct config_asserts *a, const struct config_asserts *b)
{
    return same(a->organization, b->organization) && same(a->organization_id, b->organization_id) &&
           same(a->user, b->user) && same(a->role, b->role) &&
           same(a->role_display, b->role_display) && same(a->purpose, b->purpose) &&
           same(a->purpose_system, b->purpose_system) && same(a->npi, b->npi);
}

static bool
same_assertions(const struct config_assertions *a, const struct config_assertions *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    for (size_t i = 0; i < a->keys_n && a->keys_n == b->keys_n; i++) {
        if (!same(a->keys[i]->sha256, b->keys[i]->sha256)) {
            return false;
        }
    }
    return a->keys_n == b->keys_n && a->holders_n == b->holders_n &&
           same_strings(&a->issuers, &b->issuers) && same_strings(&a->audiences, &b->audiences) &&
           a->may_use_bearer == b->may_use_bearer && a->relaxed == b->relaxed &&
           a->may_omit_purpose == b->may_omit_purpose;
}

static bool
same_system(const struct config_system *a, const struct config_system *b)
{
    return a->asserts_for_all == b->asserts_for_all &&
           a->requires_assertion == b->requires_assertion &&
           same_assertions(a->assertions, b->assertions) &&
           same_asserts(&a->asserts, &b->asserts) &&
           same_strings(&a->certificate_names, &b->certificate_names);
}

static const struct config_system *
find_system(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->systems_n; i++) {
        if (same(config->systems[i].name, name)) {
            return &config->systems[i];
        }
    }
    return NULL;
}

static const char *
name_of_local(const struct config *config)
{
    return config->local_system == NULL ? NULL : config->local_system->name;
}

static void
compare_systems(const struct config *old, const struct config *other, config_say say, void *arg)
{
    for (size_t i = 0; i < old->systems_n; i++) {
        const struct config_system *now = find_system(other, old->systems[i].name);

        if (now == NULL) {
            say_of("system", old->systems[i].name, "removed", say, arg);
        } else if (!same_system(&old->systems[i], now)) {
            say_of("system", now->name, "changed", say, arg);
        }
    }
    for (size_t i = 0; i < other->systems_n; i++) {
        if (find_system(old, other->systems[i].name) == NULL) {
            say_of("system", other->systems[i].name, "added", say, arg);
        }
    }
    if (!same(name_of_local(old), name_of_local(other))) {
        say(arg, "listen.local.system: another one");
    }
}

/* ---- sources ---- */

static bool
same_repositories(const struct config_source *a, const struct config_source *b)
{
    bool is_same = a->repositories_n == b->repositories_n;

    for (size_t i = 0; i < a->repositories_n && is_same; i++) {
        is_same = same(a->repositories[i].id, b->repositories[i].id) &&
                  same(a->repositories[i].url, b->repositories[i].url);
    }
    return is_same && same(a->registry_url, b->registry_url);
}

static bool
same_connection(const struct partner *a, const struct partner *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return same_reach(a, b) && a->timeout_us == b->timeout_us &&
           same_strings(&a->communities, &b->communities) && same(a->xcpd_url, b->xcpd_url) &&
           same(a->query_url, b->query_url) && same(a->retrieve_url, b->retrieve_url) &&
           same_strings(&a->tls_names, &b->tls_names) &&
           (a->credential == NULL) == (b->credential == NULL) &&
           (a->credential == NULL ||
            same(a->credential->leaf->sha256, b->credential->leaf->sha256)) &&
           (a->trust == NULL) == (b->trust == NULL) &&
           (a->trust == NULL || same_anchors(a->trust, b->trust));
}

static bool
same_source(const struct config_source *a, const struct config_source *b)
{
    return a->engine == b->engine && a->asserts_asker == b->asserts_asker &&
           same(a->community, b->community) && same(a->supplier_url, b->supplier_url) &&
           a->remember_us == b->remember_us && same_repositories(a, b) &&
           same(a->patient_authority, b->patient_authority) &&
           a->wants_assertion == b->wants_assertion && same_connection(a->partner, b->partner);
}

static const struct config_source *
find_source(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->sources_n; i++) {
        if (same(config->sources[i].name, name)) {
            return &config->sources[i];
        }
    }
    return NULL;
}

static void
compare_sources(const struct config *old, const struct config *other, config_say say, void *arg)
{
    for (size_t i = 0; i < old->sources_n; i++) {
        const struct config_source *now = find_source(other, old->sources[i].name);

        if (now == NULL) {
            say_of("source", old->sources[i].name, "removed", say, arg);
        } else if (!same_source(&old->sources[i], now)) {
            say_of("source", now->name, "changed", say, arg);
        }
    }
    for (size_t i = 0; i < other->sources_n; i++) {
        if (find_source(old, other->sources[i].name) == NULL) {
            say_of("source", other->sources[i].name, "added", say, arg);
        }
    }
}

static bool
same_audit_repository(const struct config_audit_repository *a,
                      const struct config_audit_repository *b)
{
    return a->kind == b->kind && same(a->host, b->host) && a->port == b->port &&
           same(a->url, b->url) && same(a->certificate_name, b->certificate_name) &&
           a->resend_age_us == b->resend_age_us && a->resend_bytes == b->resend_bytes &&
           a->alarm_us == b->alarm_us && a->timeout_us == b->timeout_us && a->is_put == b->is_put &&
           (a->trust == NULL || same_anchors(a->trust, b->trust)) &&
           (a->credential == NULL ||
            same(a->credential->leaf->sha256, b->credential->leaf->sha256));
}

static const struct config_audit_repository *
find_audit_repository(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->audit_repositories_n; i++) {
        if (same(config->audit_repositories[i].name, name)) {
            return &config->audit_repositories[i];
        }
    }
    return NULL;
}

static void
compare_audit_repositories(const struct config *old, const struct config *other, config_say say,
                           void *arg)
{
    static const char what[] = "audit repository";
    for (size_t i = 0; i < old->audit_repositories_n; i++) {
        const struct config_audit_repository *was = &old->audit_repositories[i];
        const struct config_audit_repository *now = find_audit_repository(other, was->name);
        if (now == NULL) {
            say_of(what, was->name, "removed", say, arg);
        } else if (!same_audit_repository(was, now)) {
            say_of(what, now->name, "changed", say, arg);
        }
    }
    for (size_t i = 0; i < other->audit_repositories_n; i++) {
        if (find_audit_repository(old, other->audit_repositories[i].name) == NULL) {
            say_of(what, other->audit_repositories[i].name, "added", say, arg);
        }
    }
}

static bool
same_recipients(const struct config *old, const struct config *other)
{
    for (size_t i = 0; i < old->recipients_n && old->recipients_n == other->recipients_n; i++) {
        if (!same(old->recipients[i].organization, other->recipients[i].organization) ||
            !same(old->recipients[i].community, other->recipients[i].community)) {
            return false;
        }
    }
    return old->recipients_n == other->recipients_n;
}

void
config_changes(const struct config *old, const struct config *other, config_say say, void *arg)
{
    if (!same_asserts(&old->asserts, &other->asserts)) {
        say(arg, "asserts: changed");
    }
    compare_partners(old, other, say, arg);
    compare_systems(old, other, say, arg);
    compare_sources(old, other, say, arg);
    compare_audit_repositories(old, other, say, arg);
    compare_credentials(old, other, say, arg);
    compare_trusts(old, other, say, arg);
    if (!same_recipients(old, other)) {
        say(arg, "recipients: changed");
    }
    if (!same_seal(old, other)) {
        say(arg, "audit: changed");
    }
    if (!same_limits(old, other)) {
        say(arg, "limits: changed");
    }
    if (!same_discovery(&old->discovery, &other->discovery)) {
        say(arg, "discovery: changed");
    }
    if (old->audit.is_degrading != other->audit.is_degrading ||
        old->audit.disk_limit_percent != other->audit.disk_limit_percent ||
        old->audit.wait_us != other->audit.wait_us) {
        say(arg, "audit: changed");
    }
    if (old->clock_skew_us != other->clock_skew_us ||
        old->max_lifetime_us != other->max_lifetime_us ||
        old->uses_reference != other->uses_reference) {
        say(arg, "security: changed");
    }
}

/* The same keys, and the same one of them writes. */
static bool
same_journal_key(const struct journal_keys *a, const struct journal_keys *b)
{
    bool is_same = a->n == b->n && a->is_writing == b->is_writing;

    for (size_t i = 0; is_same && i < a->n; i++) {
        is_same = memcmp(a->items[i].id, b->items[i].id, JOURNAL_KEY_ID_BYTES) == 0;
    }
    return is_same;
}

struct status
config_may_replace(const struct config *old, const struct config *other, struct diag *diag)
{
    const struct {
        const char *key, *is, *wanted;
    } fixed[] = {
        {"community.id", old->community, other->community},
        {"community.patient_authority", old->patient_authority, other->patient_authority},
        {"community.repository", old->repository, other->repository},
        {"store.path", old->store_path, other->store_path},
        {"audit.journal", old->journal_dir, other->journal_dir},
        {"spool.path", old->spool.path, other->spool.path},
    };

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (!same(fixed[i].is, fixed[i].wanted)) {
            return FAIL(diag, ERR_CONFIG, "%s is %s and would be %s; restart to change it",
                        fixed[i].key, fixed[i].is, fixed[i].wanted);
        }
    }
    if (old->spool.limit != other->spool.limit || old->spool.threshold != other->spool.threshold) {
        return FAIL(diag, ERR_CONFIG,
                    "spool.limit or spool.threshold would change; restart to "
                    "change them");
    }
    if (!same_journal_key(&old->audit.keys, &other->audit.keys)) {
        return FAIL(diag, ERR_CONFIG, "audit.encryption would change; restart to change it");
    }
    return old->replay_keys == other->replay_keys
               ? OK
               : FAIL(diag, ERR_CONFIG,
                      "limits.replay_keys is %zu and would be %zu; restart to change it",
                      old->replay_keys, other->replay_keys);
}
