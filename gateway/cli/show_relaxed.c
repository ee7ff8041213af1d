/*
 * What a partner's file relaxes, in words: for `isthmus partners` and `isthmus check`, so that
 * nothing is relaxed that its operator cannot see. Called on the main thread; pure.
 */
#include <stdio.h>
#include <string.h>

#include "cli/show.h"

static struct show_relaxation *
add(struct show_relaxations *list, const char *name, bool is_warning)
{
    struct show_relaxation *item = &list->items[list->n++];

    snprintf(item->name, sizeof(item->name), "%s", name);
    item->text[0] = '\0';
    item->is_warning = is_warning;
    return item;
}

static void
add_text(struct show_relaxations *list, const char *name, bool is_warning, const char *text)
{
    snprintf(add(list, name, is_warning)->text, SHOW_RELAXATION_MAX, "%s", text);
}

static void
add_sha1(struct show_relaxations *list, const struct partner *partner, int64_t now_us)
{
    const bool is_on = partner_may_sha1(partner, now_us);
    char text[SHOW_DATE_MAX];

    if (partner->sha1_until_us != 0) {
        show_expiry(partner->sha1_until_us - 1, now_us, text);
        snprintf(add(list, "sha1_until", true)->text, SHOW_RELAXATION_MAX,
                 is_on ? "SHA-1 signatures, which can be forged, are accepted %s"
                       : "SHA-1 signatures are refused, their time has %s: remove sha1_until",
                 text);
    }
    if (partner->writes.digest == DIALECT_SHA1) {
        add_text(list, "writes.digest", true,
                 is_on ? "our signatures for it are made with SHA-1"
                       : "it wants SHA-1 signatures, but sha1_until is over: it gets SHA-256");
    }
}

static void
add_omissions(struct show_relaxations *list, const struct partner *partner)
{
    for (enum dialect_relaxation i = 0; i < RELAX_COUNT; i++) {
        if ((partner->relaxed & DIALECT_BIT(i)) != 0) {
            snprintf(add(list, dialect_name(i), false)->text, SHOW_RELAXATION_MAX, "accepted: %s",
                     dialect_meaning(i));
        }
    }
}

static void
add_delegators(struct show_relaxations *list, const struct partner *partner)
{
    struct show_relaxation *item;
    size_t shown = 0, n;

    if (partner->delegators.n == 0) {
        return;
    }
    item = add(list, "delegators", false);
    n = (size_t)snprintf(item->text, sizeof(item->text), "may ask for ");
    while (shown < partner->delegators.n) {
        const char *value = partner->delegators.items[shown];

        if (n + strlen(value) + 24 > sizeof(item->text)) {
            snprintf(item->text + n, sizeof(item->text) - n, " and %zu more",
                     partner->delegators.n - shown);
            return;
        }
        n += (size_t)snprintf(item->text + n, sizeof(item->text) - n, "%s%s",
                              shown == 0 ? "" : ", ", value);
        shown++;
    }
}

static bool
has_issuers(const struct partner *partner)
{
    for (size_t i = 0; partner->key_issuers != NULL && i < partner->signing_n; i++) {
        if (partner->key_issuers[i].n > 0) {
            return true;
        }
    }
    return partner->issuers.n > 0;
}

static void
add_server(struct show_relaxations *list, const struct partner *partner)
{
    if (partner->is_server_pinned) {
        add_text(list, "tls.server_chain", true,
                 "its server is believed by its pinned certificate alone: no authority, no "
                 "revocation list");
    }
    if (partner->has_legacy_suites) {
        add_text(list, "tls.suites", true,
                 "connections to its server may have no forward secrecy or no AEAD");
    }
}

/* Who is to be asked about it: the file, which needs no mention, or a profile. */
static void
add_origins(struct show_relaxations *list, const struct partner *partner)
{
    for (size_t i = 0; i < list->n; i++) {
        struct show_relaxation *item = &list->items[i];
        const size_t n = strlen(item->text);
        const char *profile = partner_profile_of(partner, item->name, NULL);

        profile = profile == NULL ? partner_profile_of(partner, "may_omit", item->name) : profile;
        if (profile != NULL) {
            snprintf(item->text + n, sizeof(item->text) - n, " (profile %s)", profile);
        }
    }
}

void
show_collect_relaxations(const struct partner *partner, int64_t now_us,
                         struct show_relaxations *ret_relaxations)
{
    ret_relaxations->n = 0;
    if (partner->may_use_bearer) {
        add_text(ret_relaxations, "confirmation", true,
                 "bearer assertions accepted: whoever holds one may use it");
    }
    add_sha1(ret_relaxations, partner, now_us);
    if (partner->may_connect_legacy) {
        add_text(ret_relaxations, "writes.legacy_renegotiation", true,
                 "its server's TLS may lack secure renegotiation (RFC 5746)");
    }
    add_server(ret_relaxations, partner);
    if (partner->writes.is_bearer) {
        add_text(ret_relaxations, "writes.confirmation", true,
                 "our assertions for it are bearer: whoever holds one may use it");
    }
    if (partner->replay == PARTNER_REPLAY_MESSAGEID) {
        add_text(ret_relaxations, "replay", true,
                 "one Timestamp signature may come with several MessageIDs");
    }
    if (has_issuers(partner)) {
        add_text(ret_relaxations, "issuers", false, "issuer need not be the certificate's subject");
    }
    if (partner->addresses != PARTNER_ADDRESSES_PUBLIC) {
        add_text(ret_relaxations, "addresses", false,
                 partner->addresses == PARTNER_ADDRESSES_PRIVATE
                     ? "the names of its URLs may lead to private networks"
                     : "the names of its URLs may lead to private networks and this machine");
    }
    add_delegators(ret_relaxations, partner);
    add_omissions(ret_relaxations, partner);
    add_origins(ret_relaxations, partner);
}
