/*
 * Who asks on the local listener: the user of a proven assertion that the system brings, or the one
 * that the system's entry names. Steps of local.c, on workers; what is here lives in the
 * transaction's arena.
 *
 * An assertion is proven as a partner's is (security_verify), with the keys, audiences and issuers
 * of the system's entry. What it leaves out of who asks is the entry's where may_omit lists it;
 * nothing else is filled in, and what describes one thing comes from one place.
 */
#include "txn/local.h"

#include <string.h>

#include "base/ids.h"
#include "soap/passed.h"
#include "soap/security.h"

#define SNOMED_CT "2.16.840.1.113883.6.96"

/* ---- under which rules ---- */

static bool
is_web(const char *audience)
{
    return strncmp(audience, "http://", 7) == 0 || strncmp(audience, "https://", 8) == 0;
}

static struct status
list_audiences(const struct local_proof *proof, struct arena *arena, struct diag *diag,
               struct config_strings *ret_audiences)
{
    const struct config_assertions *assertions = proof->system->assertions;
    const char **items;
    size_t n = 0;

    TRY(ARENA_ARRAY(arena, 2 * assertions->audiences.n, diag, &items));
    for (size_t i = 0; i < assertions->audiences.n; i++) {
        const char *audience = assertions->audiences.items[i];
        struct span with_path;

        items[n++] = audience;
        if (is_web(audience)) {
            TRY(arena_printf(arena, diag, &with_path, "%s%.*s", audience, SPAN_PRINT(proof->path)));
            items[n++] = with_path.p;
        }
    }
    *ret_audiences = (struct config_strings){items, n};
    return OK;
}

static struct security_rules
rules_of(const struct local_proof *proof, const struct config_strings *audiences)
{
    const struct config *config = proof->config;
    const struct config_assertions *assertions = proof->system->assertions;

    return (struct security_rules){
        .now_us = proof->now_us,
        .clock_skew_us = config->clock_skew_us,
        .max_lifetime_us = config->max_lifetime_us,
        .keys = assertions->keys,
        .keys_n = assertions->keys_n,
        .holders_n = assertions->holders_n,
        .may_use_bearer = assertions->may_use_bearer,
        .may_omit_timestamp = true,
        .may_omit_purpose = assertions->may_omit_purpose,
        .uses_reference = config->uses_reference,
        .relaxed = assertions->relaxed,
        .community = config->community,
        .audiences = audiences->items,
        .audiences_n = audiences->n,
        .authn_contexts = config->authn_contexts.items,
        .authn_contexts_n = config->authn_contexts.n,
    };
}

/* Where the audiences say how this listener is reached, a message that was for another place is not
 * for us. */
static struct status
check_to(const struct local_proof *proof, const struct config_strings *audiences, struct diag *diag)
{
    const struct span to = message_addressing(proof->message)->to;
    bool is_known = false;

    for (size_t i = 0; i < audiences->n; i++) {
        if (span_eq_cstr(to, audiences->items[i])) {
            return OK;
        }
        is_known = is_known || is_web(audiences->items[i]);
    }
    if (to.n == 0 || !is_known) {
        return OK;
    }
    return FAIL(diag, ERR_WSA_HEADER,
                "wsa:To is '%.*s', which is none of the audiences of system '%s', nor one with the "
                "path '%.*s'",
                SPAN_PRINT(span_slice(to, 0, 200)), proof->system->name, SPAN_PRINT(proof->path));
}

/* ---- the assertion against the entry ---- */

static struct status
check_issuer(const struct local_proof *proof, const struct saml_facts *facts, struct diag *diag)
{
    if (config_assertions_issue(proof->system->assertions, facts->key, facts->issuer)) {
        return OK;
    }
    return FAIL(diag, ERR_SAML_ISSUER,
                "the assertion's Issuer '%.*s' is not registered for system '%s' and the key '%s' "
                "that signed; if it is right, add it to assertions.issuers of its entry",
                SPAN_PRINT(span_slice(facts->issuer, 0, 200)), proof->system->name,
                facts->key->subject);
}

/* It speaks for us, not for a partner, and in nobody else's name. */
static struct status
check_binding(const struct local_proof *proof, const struct saml_facts *facts, struct diag *diag)
{
    const struct config *config = proof->config;
    struct span oid;

    if (!config_is_own_community(config, facts->home_community)) {
        return FAIL(diag, ERR_PEER_BINDING,
                    "the assertion of system '%s' speaks for community '%.*s', which is not ours",
                    proof->system->name, SPAN_PRINT(facts->home_community));
    }
    if (home_community_oid(facts->organization_id, &oid) &&
        config_partner_of_community(config, oid) != NULL) {
        return FAIL(diag, ERR_PEER_BINDING,
                    "the assertion of system '%s' has organization-id '%.*s', which is the "
                    "community of a partner",
                    proof->system->name, SPAN_PRINT(oid));
    }
    if (facts->delegator.n > 0) {
        return FAIL(diag, ERR_PEER_BINDING,
                    "the assertion of system '%s' asks in the name of somebody else "
                    "(QueryAuthGrantor), which no local system may",
                    proof->system->name);
    }
    return OK;
}

/* What our own assertion cannot repeat as it is would be another statement. */
static struct status
check_repeatable(const struct local_proof *proof, const struct saml_facts *facts, struct diag *diag)
{
    if (facts->role.value.n > 0 && !span_eq(facts->role.scheme, SPAN(SNOMED_CT))) {
        return FAIL(diag, ERR_SAML_ATTRIBUTE,
                    "the role of system '%s' is of code system '%.*s'; expected SNOMED CT, "
                    "codeSystem " SNOMED_CT,
                    proof->system->name, SPAN_PRINT(span_slice(facts->role.scheme, 0, 80)));
    }
    if ((facts->organization.n == 0) != (facts->organization_id.n == 0)) {
        return FAIL(diag, ERR_SAML_ATTRIBUTE,
                    "the assertion of system '%s' has no %s, but the other of organization and "
                    "organization-id; both are needed, or, with may_omit, none",
                    proof->system->name,
                    facts->organization.n == 0 ? "organization" : "organization-id");
    }
    if (facts->organization_id.n > 0 && !config_is_organization_id(facts->organization_id)) {
        return FAIL(diag, ERR_SAML_ATTRIBUTE,
                    "the assertion of system '%s' has organization-id '%.*s'; expected urn:oid:OID "
                    "or a URL",
                    proof->system->name, SPAN_PRINT(span_slice(facts->organization_id, 0, 100)));
    }
    if (facts->subject_id.n == 0 && facts->npi.n > 0) {
        return FAIL(diag, ERR_SAML_ATTRIBUTE,
                    "the assertion of system '%s' has an npi, but no subject-id whose it is",
                    proof->system->name);
    }
    return OK;
}

struct status
local_prove(const struct local_proof *proof, struct arena *arena, struct diag *diag,
            struct saml_facts *ret_facts)
{
    const struct verified_view *view;
    struct config_strings audiences;
    struct saml_facts facts = {0};

    TRY(list_audiences(proof, arena, diag, &audiences));
    const struct security_rules rules = rules_of(proof, &audiences);

    TRY(security_verify(proof->message, &rules, arena, diag, &view));
    TRY(saml_read(view, arena, diag, &facts));
    TRY(check_issuer(proof, &facts, diag));
    TRY(check_binding(proof, &facts, diag));
    TRY(check_repeatable(proof, &facts, diag));
    TRY(check_to(proof, &audiences, diag));
    *ret_facts = facts;
    return OK;
}

static struct status
prove(struct local *local, struct diag *diag, struct saml_facts *facts)
{
    struct arena *arena = local->in.txn.arena;
    const struct local_proof proof = {.config = local->in.node->config,
                                      .system = local->system,
                                      .message = local->in.proof.message,
                                      .path = local->in.request.path,
                                      .now_us = clock_wall_us(local->in.node->clock)};

    TRY(local_prove(&proof, arena, diag, facts));
    return saml_keep(facts, arena, diag);
}

/* ---- the order ---- */

/* The assertion's, or, where that says nothing, the entry's. */
static struct status
choose(struct local *local, struct span said, const char *otherwise, const char **ret_text)
{
    struct span copy;

    if (said.n == 0) {
        *ret_text = otherwise;
        return OK;
    }
    TRY(arena_dup(local->in.txn.arena, said, &local->in.txn.diag, &copy));
    *ret_text = copy.p;
    return OK;
}

static struct status
take_asker(struct local *local, const struct saml_facts *facts)
{
    const struct config_asserts *entry = &local->system->asserts;
    const bool has_role = facts->role.value.n > 0;
    const bool has_purpose = facts->purpose.value.n > 0;
    struct asking_order *order = &local->order;

    TRY(choose(local, facts->subject_id, entry->user, &order->user));
    TRY(choose(local, facts->npi, facts->subject_id.n > 0 ? NULL : entry->npi, &order->npi));
    TRY(choose(local, facts->role.value, entry->role, &order->role));
    TRY(choose(local, facts->role.display, has_role ? NULL : entry->role_display,
               &order->role_display));
    TRY(choose(local, facts->purpose.value, entry->purpose, &order->purpose));
    TRY(choose(local, facts->purpose.scheme, has_purpose ? NULL : entry->purpose_system,
               &order->purpose_system));
    TRY(choose(local, facts->organization, entry->organization, &order->organization));
    TRY(choose(local, facts->organization_id, entry->organization_id, &order->organization_id));
    order->acp = facts->acp;
    order->iacp = facts->iacp;
    order->resource_id = facts->resource_id;
    order->id_token = facts->id_token;
    return OK;
}

static struct span
text_of(const char *text)
{
    return text == NULL ? SPAN_EMPTY : span_of_cstr(text);
}

/* The record names the user as his issuer does; a user of the entry is known by the system. */
static struct status
note_asker(struct local *local, const struct saml_facts *facts)
{
    struct inbound *in = &local->in;
    const struct asking_order *order = &local->order;
    const bool is_asserted = facts->name_id.n > 0;

    in->event.user_id = text_of(order->user);
    in->event.role =
        (struct code){text_of(order->role), SPAN(SNOMED_CT), text_of(order->role_display)};
    in->event.organization = text_of(order->organization);
    in->event.purpose.value = text_of(order->purpose);
    in->event.purpose.scheme = text_of(order->purpose_system);
    in->event.community = span_of_cstr(in->node->config->community);
    return records_user_name(in->txn.arena, facts->name_id_provided,
                             is_asserted ? facts->name_id : in->event.user_id,
                             is_asserted ? facts->issuer : span_of_cstr(local->system->name),
                             &in->txn.diag, &in->event.user_name);
}

/* ---- the steps ---- */

static struct status
check_header(const struct local *local, bool has_security, struct diag *diag)
{
    const struct config_system *system = local->system;

    if (has_security && system->assertions == NULL && !system->asserts_for_all) {
        return FAIL(diag, ERR_SYSTEM_SECURITY,
                    "the message of system '%s' has a Security header, which says who asks and is "
                    "not read: set assertions in its entry, which says whose are believed; or send "
                    "none, or set asserts_for_all if that is right for all its users",
                    system->name);
    }
    if (!has_security && system->requires_assertion) {
        return FAIL(diag, ERR_WSS_MISSING,
                    "the message of system '%s' has no Security header with an assertion, which "
                    "requires_assertion of its entry demands",
                    system->name);
    }
    return OK;
}

/* A participant whose gateway is behind us may be a local system, too: its own questions do not go
 * back to it (behind.h). */
static struct status
take_way(struct local *local, const struct saml_facts *facts)
{
    struct inbound *in = &local->in;
    struct span_list *passed = &local->order.passed;

    TRY(message_passed(in->proof.message, in->txn.arena, &in->txn.diag, passed));
    return facts->home_community.n == 0 ||
                   span_eq_cstr(facts->home_community, in->node->config->community)
               ? OK
               : ARENA_PUSH(in->txn.arena, &in->txn.diag, passed, facts->home_community);
}

enum txn_verdict
local_who(struct txn *txn)
{
    struct local *local = (struct local *)txn;
    const bool has_security = message_has_security(local->in.proof.message);
    struct saml_facts facts = {0};

    TXN_TRY(check_header(local, has_security, &txn->diag));
    local->is_asserted = has_security && local->system->assertions != NULL;
    if (local->is_asserted) {
        TXN_TRY(prove(local, &txn->diag, &facts));
        local->in.proof.saml = facts;
    }
    local->order = (struct asking_order){
        .timeout_us = local->in.node->config->timeout_us,
        .is_brokered = true,
        .is_complete = true,
        .asker_names = local->system->certificate_names,
        .system = local->system->name,
    };
    TXN_TRY(take_asker(local, &facts));
    TXN_TRY(take_way(local, &facts));
    TXN_TRY(note_asker(local, &facts));
    local->in.proof.is_proven = true;
    return TXN_DONE;
}

/* The same assertion comes with every message of a session; the same message does not. */
enum txn_verdict
local_replay(struct txn *txn)
{
    struct local *local = (struct local *)txn;
    const struct inbound_once once = {
        .asker = local->system->name, .is_timestamp_once = true, .may_reuse_assertion = true};

    return local->is_asserted ? inbound_remember(&local->in, &once) : TXN_DONE;
}

struct policy_facts
local_policy_facts(const struct local *local, struct span transaction)
{
    const struct config *config = local->in.node->config;
    const struct asking_order *order = &local->order;

    return (struct policy_facts){
        .transaction = transaction,
        .direction = SPAN("local"),
        .community = span_of_cstr(config->community),
        .purpose = span_of_cstr(order->purpose),
        .purpose_system = span_of_cstr(order->purpose_system),
        .role = span_of_cstr(order->role),
        .delegator = order->delegator,
        .system = span_of_cstr(order->system),
    };
}
