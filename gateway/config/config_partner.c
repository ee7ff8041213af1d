/*
 * Reads one partner file into its record, loads the certificates that it names and claims what no
 * other partner may have. Called while the configuration loads, after credentials and trust.
 */
#include <string.h>

#include "base/ids.h"
#include "config/config_reader.h"

#define TIMEOUT_MIN_US (100 * US_PER_MS)
#define TIMEOUT_MAX_US (3600 * US_PER_S)

static const char *const root_names[] = {
    "id",           "name",         "communities", "endpoints", "tls",        "signing",
    "confirmation", "may_omit",     "sha1_until",  "replay",    "assertions", "delegators",
    "writes",       "fault_status", "timeout",     "limits",    "proxy",      "addresses",
    "replies",      "asynchronous", "deferred",    "profiles",  "timeouts",
};

struct certificates {
    struct certificate **items;
    size_t n, capacity;
};

struct issuer_lists {
    struct config_strings *items;
    size_t n, capacity;
};

struct withheld_list {
    struct partner_withheld *items;
    size_t n, capacity;
};

struct signing_keys {
    struct certificates certificates;
    struct issuer_lists issuers; /* one for each */
    struct withheld_list withheld;
};

/* ---- who ---- */

static struct status
read_id(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char what[] = "lower-case letters, digits, '-' and '_', at most 32";
    struct yaml_node *node = config_need(reader, root, "id");

    if (!config_text(reader, node, what, &partner->id)) {
        return OK;
    }
    if (!config_is_name(node->scalar)) {
        config_expected(reader, node, what);
        return OK;
    }
    return config_claim(reader, CONFIG_CLAIM_ID, partner->id, node);
}

struct status
config_communities(struct config_reader *reader, struct yaml_node *root,
                   struct config_strings *ret_communities)
{
    static const char what[] = "a list of OIDs such as [2.999.1]";
    struct yaml_node *list = config_need(reader, root, "communities");
    struct config_string_list oids = {0};

    if (!config_is_list(reader, list, what)) {
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
    *ret_communities = (struct config_strings){oids.items, oids.n};
    return OK;
}

static void
read_endpoints(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"xcpd", "query", "retrieve", "xcdr"};
    struct yaml_node *node = config_section(reader, root, "endpoints", names, ARRAY_LEN(names));

    config_url(reader, yaml_get(node, "xcpd"), &partner->xcpd_url);
    config_url(reader, yaml_get(node, "query"), &partner->query_url);
    config_url(reader, yaml_get(node, "retrieve"), &partner->retrieve_url);
    config_url(reader, yaml_get(node, "xcdr"), &partner->xcdr_url);
}

/* ---- signing ---- */

/* A path, or a path with the Issuers that this key alone may sign for. */
static struct status
read_signing_item(struct config_reader *reader, struct yaml_node *item, const char **ret_path,
                  struct config_strings *ret_issuers)
{
    static const char *const names[] = {"file", "issuers"};

    if (item->kind != YAML_MAPPING) {
        return config_path(reader, item, ret_path);
    }
    yaml_check_keys(reader->report, item, names, ARRAY_LEN(names));
    TRY(config_path(reader, config_need(reader, item, "file"), ret_path));
    return config_text_list(reader, yaml_get(item, "issuers"), "text", NULL, ret_issuers);
}

/* By the key, not the certificate: KeyInfo may name a key by any certificate of it, so two partners
 * with certificates of one key would be one signer. */
static struct status
claim_key(struct config_reader *reader, const struct certificate *certificate,
          const struct yaml_node *item)
{
    char hex[SHA256_HEX];
    struct diag reason = {0};
    struct span copy;

    if (!is_ok(certificate_key_sha256(certificate, &reason, hex))) {
        yaml_error(reader->report, item, "%s", reason.text);
        return OK;
    }
    TRY(arena_dup(reader->arena, span_of_cstr(hex), reader->diag, &copy));
    return config_claim(reader, CONFIG_CLAIM_SIGNING, copy.p, item);
}

/* Lists and anchors change while the node runs: what they say about one partner's certificate must
 * neither stop the node nor keep the others' news out. */
static struct status
withhold(struct config_reader *reader, const struct certificate *certificate, const char *why,
         struct signing_keys *keys)
{
    struct partner_withheld withheld = {.certificate = certificate};
    struct span copy;

    TRY(arena_dup(reader->arena, span_of_cstr(why), reader->diag, &copy));
    withheld.why = copy.p;
    return ARENA_PUSH(reader->arena, reader->diag, &keys->withheld, withheld);
}

static bool
is_signing_form(struct config_reader *reader, const struct yaml_node *item, const char *path,
                const struct certificate *certificate)
{
    struct diag reason = {0};

    if (is_ok(trust_check_signing_form(certificate, &reason))) {
        return true;
    }
    yaml_error(reader->report, item, "%s: cannot sign for a partner: %s", path, reason.text);
    return false;
}

static struct status
add_signing(struct config_reader *reader, struct yaml_node *item, struct signing_keys *keys)
{
    const char *path = NULL;
    struct config_strings issuers = {0};
    struct certificate *certificate = NULL;
    struct diag reason = {0};

    TRY(read_signing_item(reader, item, &path, &issuers));
    if (path == NULL) {
        return OK;
    }
    TRY(config_load_certificate(reader, item, path, &certificate));
    if (certificate == NULL || !is_signing_form(reader, item, path, certificate)) {
        return OK;
    }
    TRY(claim_key(reader, certificate, item));
    const struct config_trust *trust =
        config_trust_of(reader->config, reader->config->signing_trust);
    if (trust != NULL && trust->awaits_crl) {
        /* It cannot be judged before the revocation lists have come: it signs nothing until then */
        return OK;
    }
    /* One that has expired does not stop the node: it counts for no message (security_verify), and
     * `isthmus check` and `partners` say so. */
    const bool has_expired = certificate->not_after_us <= reader->now_us;
    struct status st = OK;

    if (!has_expired && reader->config->signing_trust != NULL) {
        st = trust_verify(reader->config->signing_trust, certificate, reader->now_us, &reason);
    }
    if (st.code == ERR_SIG_NO_TRUST) {
        return withhold(reader, certificate, reason.text, keys);
    }
    if (!is_ok(st)) {
        return FAIL(reader->diag, st.code, "%s", reason.text);
    }
    TRY(ARENA_PUSH(reader->arena, reader->diag, &keys->issuers, issuers));
    return ARENA_PUSH(reader->arena, reader->diag, &keys->certificates, certificate);
}

static struct status
read_signing(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"certificates", "issuers"};
    struct yaml_node *signing =
        config_need_section(reader, root, "signing", names, ARRAY_LEN(names));
    struct yaml_node *list = config_need(reader, signing, "certificates");
    struct signing_keys keys = {0};

    if (config_is_list(reader, list, "a list of certificate files")) {
        if (list->children == NULL) {
            yaml_error(reader->report, list, "certificates: expected at least one file");
        }
        for (struct yaml_node *item = list->children; item != NULL; item = item->next) {
            TRY(add_signing(reader, item, &keys));
        }
    }
    partner->signing = keys.certificates.items;
    partner->signing_n = keys.certificates.n;
    partner->key_issuers = keys.issuers.items;
    partner->withheld = keys.withheld.items;
    partner->withheld_n = keys.withheld.n;
    return config_text_list(reader, yaml_get(signing, "issuers"), "text", NULL, &partner->issuers);
}

/* Where a transaction has no time of its own, it is the partner's. */
static void
read_timeouts(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"discovery", "query", "retrieve"};
    struct yaml_node *node = config_section(reader, root, "timeouts", names, ARRAY_LEN(names));
    int64_t *const times[] = {&partner->discovery_timeout_us, &partner->query_timeout_us,
                              &partner->retrieve_timeout_us};

    partner->timeout_us = reader->config->timeout_us;
    config_duration(reader, yaml_get(root, "timeout"), TIMEOUT_MIN_US, TIMEOUT_MAX_US,
                    &partner->timeout_us);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        *times[i] = partner->timeout_us;
        config_duration(reader, yaml_get(node, names[i]), TIMEOUT_MIN_US, TIMEOUT_MAX_US, times[i]);
    }
}

static struct status
read_record(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    yaml_check_keys(reader->report, root, root_names, ARRAY_LEN(root_names));
    TRY(read_id(reader, root, partner));
    partner->name = partner->id;
    (void)config_text(reader, yaml_get(root, "name"), "text", &partner->name);
    TRY(config_communities(reader, root, &partner->communities));
    read_endpoints(reader, root, partner);
    TRY(config_read_tls(reader, root, partner));
    TRY(read_signing(reader, root, partner));
    TRY(config_read_agreements(reader, root, partner));
    read_timeouts(reader, root, partner);
    config_read_reach(reader, root, partner);
    return config_read_replies(reader, root, partner);
}

struct status
config_read_partner(struct config_reader *reader, const struct config_file *file)
{
    struct partner partner = {.path = file->path,
                              .credential = reader->config->node,
                              .trust = reader->config->partner_trust};
    struct yaml_node *root = NULL;
    struct diag reason = {0};
    const struct status st =
        yaml_read_file(file->path, reader->arena, reader->report, &reason, &root);

    if (!is_ok(st)) {
        return config_file_failure(reader, file, st, &reason);
    }
    TRY(config_apply_profiles(reader, root, &partner));
    TRY(read_record(reader, root, &partner));
    return ARENA_PUSH(reader->arena, reader->diag, &reader->partners, partner);
}
