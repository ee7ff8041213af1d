/*
 * Reads `recipients:`, the organizations that a community takes documents for, and finds the
 * community of one. Read while the configuration loads, after the partners; found by the
 * transactions that deliver documents, any thread.
 */
#include <string.h>

#include "base/ids.h"
#include "config/config_reader.h"

#define RECIPIENTS_MAX ((size_t)10000)

struct recipient_list {
    struct config_recipient *items;
    size_t n, capacity;
};

/* An OID, or the beginning of one: "2.999.*" has everything below 2.999. */
static bool
is_organization(struct span text)
{
    const bool is_beginning = text.n > 2 && text.p[text.n - 1] == '*' && text.p[text.n - 2] == '.';

    return oid_is_valid(is_beginning ? span_slice(text, 0, text.n - 2) : text);
}

static bool
is_reachable(const struct config_reader *reader, const char *community)
{
    if (reader->config->community != NULL && strcmp(community, reader->config->community) == 0) {
        return true;
    }
    for (size_t i = 0; i < reader->partners.n; i++) {
        if (partner_speaks_for(&reader->partners.items[i], span_of_cstr(community))) {
            return true;
        }
    }
    return false;
}

static struct status
read_recipient(struct config_reader *reader, struct yaml_node *item, struct recipient_list *list)
{
    static const char *const names[] = {"organization", "community"};
    static const char what[] = "an OID such as 2.999.2.1, or the beginning of one: 2.999.2.*";
    struct config_recipient recipient = {NULL, NULL};

    if (item->kind != YAML_MAPPING) {
        config_expected(reader, item, "{organization: OID, community: OID}");
        return OK;
    }
    yaml_check_keys(reader->report, item, names, ARRAY_LEN(names));
    const struct yaml_node *organization = config_need(reader, item, "organization");
    const struct yaml_node *community = config_need(reader, item, "community");

    if (config_text(reader, organization, what, &recipient.organization) &&
        !is_organization(organization->scalar)) {
        config_expected(reader, organization, what);
    }
    config_oid(reader, community, &recipient.community);
    if (recipient.community != NULL && !is_reachable(reader, recipient.community)) {
        yaml_error(reader->report, community,
                   "community '%s' is neither ours nor a partner's: nothing could be delivered to "
                   "it",
                   recipient.community);
    }
    return ARENA_PUSH(reader->arena, reader->diag, list, recipient);
}

struct status
config_read_recipients(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *node = yaml_get(root, "recipients");
    struct recipient_list list = {NULL, 0, 0};

    if (!config_is_list(reader, node, "a list of {organization: OID, community: OID}")) {
        return OK;
    }
    for (struct yaml_node *item = node->children; item != NULL; item = item->next) {
        TRY(read_recipient(reader, item, &list));
    }
    if (list.n > RECIPIENTS_MAX) {
        yaml_error(reader->report, node, "recipients has %zu entries; at most %zu", list.n,
                   RECIPIENTS_MAX);
    }
    reader->config->recipients = list.items;
    reader->config->recipients_n = list.n;
    return OK;
}

static bool
has_organization(const struct config_recipient *recipient, struct span organization)
{
    const struct span listed = span_of_cstr(recipient->organization);

    if (listed.p[listed.n - 1] == '*') {
        return organization.n >= listed.n &&
               span_starts_with(organization, span_slice(listed, 0, listed.n - 1));
    }
    return span_eq(organization, listed);
}

const char *
config_community_of_recipient(const struct config *config, struct span organization)
{
    for (size_t i = 0; i < config->recipients_n; i++) {
        if (has_organization(&config->recipients[i], organization)) {
            return config->recipients[i].community;
        }
    }
    return NULL;
}
