/*
 * From the Security header of a message to a verified view. Called by one step of a transaction, on
 * the thread that owns the arena. The order is that of cost: structure, times, then arithmetic; the
 * tree does not change, so what a cheap check saw is what the signature covers.
 */
#include "soap/security_parts.h"

#include <assert.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "soap/dsig.h"
#include "soap/samlrules.h"
#include "soap/tokenref.h"

/* ---- the header ---- */

struct status
security_find_header(const struct message *message, struct diag *diag, const xmlNode **ret_security)
{
    const xmlNode *found = NULL;
    const xmlNode *block = xml_child(message->header, NS_WSSE, "Security");
    for (; block != NULL; block = xml_next_named(block, NS_WSSE, "Security")) {
        if (message_block_is_for_us(block)) {
            if (found != NULL) {
                return FAIL(diag, ERR_WSS_STRUCTURE, "two wsse:Security headers are for us");
            }
            found = block;
        }
    }
    if (found == NULL) {
        return FAIL(diag, ERR_WSS_MISSING, "the message has no wsse:Security header");
    }
    *ret_security = found;
    return OK;
}

struct status
security_read_header(const xmlNode *security, struct diag *diag, struct security_header *header)
{
    const struct {
        const char *ns, *name;
        const xmlNode **place;
        enum err when_repeated;
    } rows[] = {
        {NS_WSU, "Timestamp", &header->timestamp, ERR_WSS_TIMESTAMP},
        {NS_SAML2, "Assertion", &header->assertion, ERR_SIG_WRAPPED},
        {NS_DS, "Signature", &header->signature, ERR_SIG_STRUCTURE},
        /* Keys come from the configuration: what a token holds is not even looked at. */
        {NS_WSSE, "BinarySecurityToken", &header->token, ERR_WSS_STRUCTURE},
    };
    if (!xml_has_element_content(security)) {
        return FAIL(diag, ERR_WSS_STRUCTURE, "text in the wsse:Security header");
    }
    for (const xmlNode *child = xml_first(security); child != NULL; child = xml_next(child)) {
        size_t i = 0;
        while (i < ARRAY_LEN(rows) && !xml_is(child, rows[i].ns, rows[i].name)) {
            i++;
        }
        if (i == ARRAY_LEN(rows)) {
            return FAIL(diag, ERR_WSS_STRUCTURE, "line %ld: <%s> is not accepted in wsse:Security",
                        xmlGetLineNo(child), (const char *)child->name);
        }
        if (*rows[i].place != NULL) {
            return FAIL(diag, rows[i].when_repeated, "line %ld: a second <%s> in wsse:Security",
                        xmlGetLineNo(child), rows[i].name);
        }
        *rows[i].place = child;
    }
    return OK;
}

/* REQ: ITI40-required */
struct status
security_check_presence(const struct security_header *header, const struct security_rules *rules,
                        struct diag *diag)
{
    /* A signature is over a Timestamp: without the one there is nothing for the other. */
    const bool needs_timestamp = !rules->may_omit_timestamp || header->signature != NULL;
    if (needs_timestamp && header->timestamp == NULL) {
        return FAIL(diag, ERR_WSS_TIMESTAMP, "wsse:Security has no wsu:Timestamp");
    }
    return header->assertion == NULL
               ? FAIL(diag, ERR_WSS_MISSING, "wsse:Security has no saml2:Assertion")
               : OK;
}

/* Evidence of a consent (eHealth Exchange): an assertion in the one that is signed, and part of
 * what is signed. */
static bool
is_evidence(const xmlNode *node, const xmlNode *assertion)
{
    const xmlNode *const evidence = node->parent;
    return xml_is(evidence, NS_SAML2, "Evidence") &&
           xml_is(evidence->parent, NS_SAML2, "AuthzDecisionStatement") &&
           evidence->parent->parent == assertion;
}

/* One assertion in the whole message, wherever another one might hide. */
struct status
security_check_single(const xmlNode *envelope, const xmlNode *assertion, struct diag *diag)
{
    for (const xmlNode *node = envelope; node != NULL; node = xml_walk(node, envelope)) {
        const bool is_one = xml_is(node, NS_SAML2, "Assertion") ||
                            xml_is(node, NS_SAML1, "Assertion") ||
                            xml_is(node, NS_SAML2, "EncryptedAssertion");
        if (is_one && node != assertion && !is_evidence(node, assertion)) {
            return FAIL(diag, ERR_SIG_WRAPPED,
                        "line %ld: a second assertion; the message must have exactly one",
                        xmlGetLineNo(node));
        }
    }
    return OK;
}

/* ---- Timestamp (WSS SOAP Message Security 1.1, section 10) ---- */

static struct status
read_time(const xmlNode *timestamp, const char *name, struct arena *arena, struct diag *diag,
          int64_t *ret_us)
{
    const xmlNode *node = NULL;
    struct span text;
    TRY(xml_child_one(timestamp, NS_WSU, name, ERR_WSS_TIMESTAMP, diag, &node));
    TRY(xml_text_trimmed(node, ERR_WSS_TIMESTAMP, arena, diag, &text));
    if (!datetime_read_xs(text, ret_us)) {
        return FAIL(diag, ERR_WSS_TIMESTAMP, "wsu:%s must be a time with a zone", name);
    }
    return OK;
}

struct status
security_check_timestamp(const xmlNode *timestamp, const struct security_rules *rules,
                         struct arena *arena, struct diag *diag, int64_t *ret_created_us,
                         int64_t *ret_expires_us)
{
    int64_t created_us = 0;
    int64_t expires_us = 0;
    TRY(read_time(timestamp, "Created", arena, diag, &created_us));
    TRY(read_time(timestamp, "Expires", arena, diag, &expires_us));
    if (created_us > rules->now_us + rules->clock_skew_us) {
        return FAIL(diag, ERR_WSS_FUTURE,
                    "wsu:Created is %" PRId64 " s ahead of our clock; check both clocks",
                    (created_us - rules->now_us) / US_PER_S);
    }
    if (expires_us <= rules->now_us - rules->clock_skew_us) {
        return FAIL(diag, ERR_WSS_EXPIRED, "wsu:Expires was %" PRId64 " s ago; check both clocks",
                    (rules->now_us - expires_us) / US_PER_S);
    }
    if (expires_us <= created_us || expires_us - created_us > rules->max_lifetime_us) {
        return FAIL(diag, ERR_WSS_TIMESTAMP,
                    "the Timestamp is valid for %" PRId64 " s; at most %" PRId64 " are accepted",
                    (expires_us - created_us) / US_PER_S, rules->max_lifetime_us / US_PER_S);
    }
    *ret_created_us = created_us;
    *ret_expires_us = expires_us;
    return OK;
}

/* ---- the message's signature ---- */

struct status
security_check_signature(const struct security_header *header, const struct sig_keys *registered,
                         const struct security_rules *rules, struct arena *arena, struct diag *diag,
                         struct verified_view *view)
{
    struct sig_keys keys = *registered;
    uint32_t confirmed = 0;
    TRY(saml_check_confirmation(view, rules, diag, &view->is_holder_of_key, &confirmed));
    if (header->signature == NULL) {
        return view->is_holder_of_key
                   ? FAIL(diag, ERR_SIG_MISSING,
                          "holder-of-key: the message has no signature over its Timestamp")
                   : OK;
    }
    if (view->is_holder_of_key) {
        keys.allowed &= confirmed;
    }
    keys.may_omit_key_info = true;
    TRY(tokenref_check(header->signature, view->assertion, header->token, arena, diag));
    return sigverify_timestamp(header->signature, header->timestamp, &keys, arena, diag, view);
}

/* ---- all together ---- */

/* The keys that may sign assertions: all but those that only confirm. */
static struct status
issuing_keys(const struct sig_keys *registered, const struct security_rules *rules,
             struct diag *diag, struct sig_keys *ret_keys)
{
    struct sig_keys keys = *registered;
    assert(rules->holders_n <= rules->keys_n);
    keys.allowed &= (UINT32_C(1) << (rules->keys_n - rules->holders_n)) - 1;
    if (keys.allowed == 0) {
        return FAIL(diag, ERR_SIG_NO_TRUST,
                    "of the certificates that are registered for assertions none is valid now");
    }
    *ret_keys = keys;
    return OK;
}

/* The registered keys whose certificates are valid now. Their chains were checked when they were
 * registered; a certificate that runs out while we run must not count any longer. */
struct status
security_read_keys(const struct security_rules *rules, struct diag *diag, struct sig_keys *ret_keys)
{
    struct sig_keys keys = {
        .items = rules->keys,
        .n = rules->keys_n,
        .may_use_sha1 = rules->now_us < rules->sha1_until_us,
        .may_omit_key_info = (rules->relaxed & DIALECT_BIT(RELAX_KEY_INFO)) != 0,
        .uses_reference = rules->uses_reference,
    };
    if (rules->keys_n > KEYINFO_KEYS_MAX) {
        return FAIL(diag, ERR_CONFIG, "%zu signing certificates of one partner; at most %d",
                    rules->keys_n, KEYINFO_KEYS_MAX);
    }
    for (size_t i = 0; i < keys.n; i++) {
        const struct certificate *const certificate = rules->keys[i];
        const bool is_valid = certificate->not_before_us <= rules->now_us + rules->clock_skew_us &&
                              rules->now_us < certificate->not_after_us;
        keys.allowed |= is_valid ? UINT32_C(1) << i : 0;
    }
    if (keys.allowed == 0) {
        return FAIL(diag, ERR_SIG_NO_TRUST,
                    "of %zu signing certificates that are registered for the partner none is valid "
                    "now",
                    keys.n);
    }
    *ret_keys = keys;
    return OK;
}

struct status
security_verify(const struct message *message, const struct security_rules *rules,
                struct arena *arena, struct diag *diag, const struct verified_view **ret_view)
{
    struct sig_keys keys;
    struct sig_keys issuing;
    const xmlNode *security = NULL;
    struct security_header header = {NULL, NULL, NULL, NULL};
    struct verified_view *view = NULL;
    int64_t created_us = 0;
    int64_t expires_us = 0;
    TRY(message_check_headers(message, diag));
    TRY(security_read_keys(rules, diag, &keys));
    TRY(issuing_keys(&keys, rules, diag, &issuing));
    TRY(security_find_header(message, diag, &security));
    TRY(security_read_header(security, diag, &header));
    TRY(sig_check_document(message->envelope, arena, diag));
    TRY(security_check_presence(&header, rules, diag));
    TRY(security_check_single(message->envelope, header.assertion, diag));
    if (header.timestamp != NULL) {
        TRY(security_check_timestamp(header.timestamp, rules, arena, diag, &created_us,
                                     &expires_us));
    }
    TRY(saml_check_shape(header.assertion, rules, diag));
    TRY(sigverify_assertion(header.assertion, &issuing, arena, diag, &view));
    view->relaxed = rules->relaxed;
    view->may_omit_purpose = rules->may_omit_purpose;
    view->community = rules->community;
    TRY(saml_check_conditions(view, rules, arena, diag));
    TRY(saml_check_authz(view, rules, diag));
    TRY(security_check_signature(&header, &keys, rules, arena, diag, view));
    view->created_us = created_us;
    view->expires_us = expires_us;
    *ret_view = view;
    return OK;
}

struct status
soap_library_init(struct diag *diag)
{
    TRY(xml_library_init(diag));
    return dsig_library_init(diag);
}

void
soap_library_done(void)
{
    dsig_library_done();
    xml_library_done();
}
