/*
 * The agreement of a request's proofs with one partner record. Called by inbound.c after the
 * message was parsed; pure but for the arena.
 */
#include "txn/binding.h"

#include <string.h>

#include "base/ids.h"
#include "soap/message.h"

/* Several transactions share a path. */
static bool
is_path_before(enum soap_transaction transaction)
{
    const char *const path = soap_transaction(transaction)->path;

    for (enum soap_transaction i = 0; i < transaction; i++) {
        const char *const other = soap_transaction(i)->path;

        if (other != NULL && strcmp(other, path) == 0) {
            return true;
        }
    }
    return false;
}

struct status
binding_rules(const struct config *config, const struct partner *partner, int64_t now_us,
              struct arena *arena, struct diag *diag, struct security_rules *ret_rules)
{
    const char **audiences;
    size_t n = 0;
    struct span text;

    TRY(ARENA_ARRAY(arena, SOAP_TRANSACTION_COUNT + 3, diag, &audiences));
    for (enum soap_transaction i = 0; i < SOAP_TRANSACTION_COUNT; i++) {
        const char *path = soap_transaction(i)->path;

        if (path != NULL && !is_path_before(i)) {
            TRY(arena_printf(arena, diag, &text, "%s%s", config->base_url, path));
            audiences[n++] = text.p;
        }
    }
    TRY(arena_printf(arena, diag, &text, "%s%s", config->base_url, SOAP_REPLY_PATH));
    audiences[n++] = text.p;
    audiences[n++] = config->base_url;
    TRY(arena_printf(arena, diag, &text, "urn:oid:%s", config->community));
    audiences[n++] = text.p;
    *ret_rules = (struct security_rules){
        .now_us = now_us,
        .clock_skew_us = config->clock_skew_us,
        .max_lifetime_us = config->max_lifetime_us,
        .keys = partner->signing,
        .keys_n = partner->signing_n,
        .may_use_bearer = partner->may_use_bearer,
        .uses_reference = config->uses_reference,
        .relaxed = partner->relaxed,
        .sha1_until_us = partner->sha1_until_us,
        .community = partner->communities.n > 0 ? partner->communities.items[0] : NULL,
        .audiences = audiences,
        .audiences_n = n,
        .authn_contexts = config->authn_contexts.items,
        .authn_contexts_n = config->authn_contexts.n,
    };
    return OK;
}

/* Whoever asks in another's name needs that in its record: an assertion can claim anything. */
static struct status
check_delegation(const struct partner *partner, struct span delegator, struct diag *diag)
{
    if (delegator.n == 0) {
        return OK;
    }
    for (size_t i = 0; i < partner->delegators.n; i++) {
        if (span_eq_cstr(delegator, partner->delegators.items[i])) {
            return OK;
        }
    }
    return FAIL(diag, ERR_PEER_BINDING,
                "the assertion asks in the name of '%.*s' (QueryAuthGrantor), which partner '%s' "
                "does not list under delegators",
                SPAN_PRINT(span_slice(delegator, 0, 100)), partner->id);
}

/* An organization-id that is a community of somebody else would be taken for that one by every
 * reader of the audit trail. Any other is the partner's to give: its directory's, or a URL. */
static struct status
check_organization(const struct config *config, const struct partner *partner, struct span id,
                   struct diag *diag)
{
    const struct partner *owner;
    struct span oid;

    if (!home_community_oid(id, &oid) || partner_speaks_for(partner, oid)) {
        return OK;
    }
    if (config_is_own_community(config, oid)) {
        return FAIL(diag, ERR_PEER_BINDING,
                    "the assertion of partner '%s' has organization-id '%.*s', which is our own "
                    "community",
                    partner->id, SPAN_PRINT(oid));
    }
    owner = config_partner_of_community(config, oid);
    if (owner != NULL) {
        return FAIL(diag, ERR_PEER_BINDING,
                    "the assertion of partner '%s' has organization-id '%.*s', a community that is "
                    "listed under partner '%s'",
                    partner->id, SPAN_PRINT(oid), owner->id);
    }
    return OK;
}

struct status
binding_check_assertion(const struct config *config, const struct partner *partner,
                        const struct saml_facts *facts, struct diag *diag)
{
    if (!partner_key_issues(partner, facts->key, facts->issuer)) {
        return FAIL(diag, ERR_SAML_ISSUER,
                    "the assertion's Issuer '%.*s' is not registered for partner '%s' and the key "
                    "'%s' that signed; if it is right, add it to signing.issuers of its file",
                    SPAN_PRINT(facts->issuer), partner->id, facts->key->subject);
    }
    if (!partner_speaks_for(partner, facts->home_community)) {
        return FAIL(diag, ERR_PEER_BINDING,
                    "the assertion speaks for community '%.*s', which partner '%s' does not list "
                    "under communities",
                    SPAN_PRINT(facts->home_community), partner->id);
    }
    TRY(check_organization(config, partner, facts->organization_id, diag));
    return check_delegation(partner, facts->delegator, diag);
}

struct status
binding_check_to(const struct config *config, struct span to, struct span path, struct diag *diag)
{
    const size_t base_n = strlen(config->base_url);

    if (to.n == 0) {
        return OK;
    }
    if (to.n == base_n + path.n && span_starts_with(to, span_of_cstr(config->base_url)) &&
        span_ends_with(to, path)) {
        return OK;
    }
    return FAIL(
        diag, ERR_WSA_HEADER,
        "wsa:To is '%.*s', but this message came to '%s%.*s' (listen.network.url sets our base)",
        SPAN_PRINT(to), config->base_url, SPAN_PRINT(path));
}
