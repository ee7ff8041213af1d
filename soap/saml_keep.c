/*
 * Facts that outlive the message: what saml_read found is mostly text of the one tree, and a
 * transaction that waits gives the tree back. Called by a transaction's step on a worker; the
 * copies live in its arena.
 */
#include <stddef.h>

#include "soap/security.h"

static const size_t texts[] = {
    offsetof(struct saml_facts, assertion_id),
    offsetof(struct saml_facts, issuer),
    offsetof(struct saml_facts, issuer_format),
    offsetof(struct saml_facts, name_id),
    offsetof(struct saml_facts, name_id_format),
    offsetof(struct saml_facts, name_id_provided),
    offsetof(struct saml_facts, timestamp_signature),
    offsetof(struct saml_facts, timestamp_signature_sent),
    offsetof(struct saml_facts, subject_id),
    offsetof(struct saml_facts, organization),
    offsetof(struct saml_facts, organization_id),
    offsetof(struct saml_facts, home_community),
    offsetof(struct saml_facts, role.value),
    offsetof(struct saml_facts, role.scheme),
    offsetof(struct saml_facts, role.display),
    offsetof(struct saml_facts, purpose.value),
    offsetof(struct saml_facts, purpose.scheme),
    offsetof(struct saml_facts, purpose.display),
    offsetof(struct saml_facts, npi),
    offsetof(struct saml_facts, resource_id),
    offsetof(struct saml_facts, delegator),
    offsetof(struct saml_facts, jurisdiction),
    offsetof(struct saml_facts, id_token),
};

static struct status
keep(struct span *text, struct arena *arena, struct diag *diag)
{
    return text->n == 0 ? OK : arena_dup(arena, *text, diag, text);
}

static struct status
keep_texts(struct span_list *list, struct arena *arena, struct diag *diag)
{
    struct span_list kept = {0};
    for (size_t i = 0; i < list->n; i++) {
        struct span copy;
        TRY(arena_dup(arena, list->items[i], diag, &copy));
        TRY(ARENA_PUSH(arena, diag, &kept, copy));
    }
    *list = kept;
    return OK;
}

static struct status
keep_ids(struct ident_list *list, struct arena *arena, struct diag *diag)
{
    struct ident_list kept = {0};
    for (size_t i = 0; i < list->n; i++) {
        struct ident id = list->items[i];
        TRY(keep(&id.root, arena, diag));
        TRY(keep(&id.extension, arena, diag));
        TRY(keep(&id.authority, arena, diag));
        TRY(ARENA_PUSH(arena, diag, &kept, id));
    }
    *list = kept;
    return OK;
}

struct status
saml_keep(struct saml_facts *facts, struct arena *arena, struct diag *diag)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        TRY(keep((struct span *)(void *)((char *)facts + texts[i]), arena, diag));
    }
    TRY(keep_ids(&facts->provider_ids, arena, diag));
    TRY(keep_texts(&facts->acp, arena, diag));
    return keep_texts(&facts->iacp, arena, diag);
}
