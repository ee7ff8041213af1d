/*
 * What an order must say before anybody is asked: completed from the configuration, and held
 * against whom there is to ask. Called by asking_new, on the caller's thread.
 */
#include "base/ids.h"
#include "txn/asking.h"
#include "txn/provide.h"

static struct status
fill_in(const struct config *config, const char *what, const char *option, const char *configured,
        struct diag *diag, const char **value)
{
    if (*value == NULL) {
        *value = configured;
    }
    if (*value == NULL || (*value)[0] == '\0') {
        return FAIL(diag, ERR_USAGE,
                    "our assertion needs %s: say %s, or set it under asserts in %s", what, option,
                    config->path);
    }
    return OK;
}

/* What the assertion must say comes from the order or the configuration; nothing is invented. */
static struct status
complete_order(const struct config *config, struct asking_order *order, struct diag *diag)
{
    const struct config_asserts *asserts = &config->asserts;

    if (order->enough.answers == 0 && order->enough.percent == 0) {
        order->enough = config->enough;
    }
    TRY(fill_in(config, "the user's name", "--user NAME", asserts->user, diag, &order->user));
    TRY(fill_in(config, "a role", "--role CODE", asserts->role, diag, &order->role));
    TRY(fill_in(config, "a purpose of use", "--purpose CODE", asserts->purpose, diag,
                &order->purpose));
    TRY(fill_in(config, "the organization", "--organization NAME", asserts->organization, diag,
                &order->organization));
    TRY(fill_in(config, "the organization's id", "--organization-id URN", asserts->organization_id,
                diag, &order->organization_id));
    if (order->is_complete) {
        return OK;
    }
    if (order->purpose_system == NULL) {
        order->purpose_system = asserts->purpose_system;
    }
    if (order->role_display == NULL) {
        order->role_display = asserts->role_display;
    }
    if (order->npi == NULL) {
        order->npi = asserts->npi;
    }
    return OK;
}

static struct status
check_community(const struct node *node, struct span oid, struct diag *diag)
{
    const bool is_own = config_is_own_community(node->config, oid);

    if (is_own && node->store == NULL && !config_has_external(node->config)) {
        return FAIL(diag, ERR_USAGE, "community '%.*s' is our own, and there is no store to ask",
                    SPAN_PRINT(oid));
    }
    if (!is_own && config_partner_of_community(node->config, oid) == NULL) {
        return FAIL(diag, ERR_USAGE,
                    "community '%.*s' is neither ours nor a partner's; isthmus partners lists them",
                    SPAN_PRINT(oid));
    }
    return OK;
}

/* Whom the order names must be somebody that we can ask. */
static struct status
check_communities(const struct node *node, const struct asking_order *order, struct diag *diag)
{
    if (order->goal == ASKING_PROVIDE && order->to.n != 1) {
        return FAIL(diag, ERR_USAGE,
                    "documents go to one community: say which (--to OID, once), not %zu",
                    order->to.n);
    }
    if (order->goal == ASKING_PROVIDE && !provide_may_go(node->config, order->to.items[0])) {
        return FAIL(
            diag, ERR_USAGE,
            "community '%.*s' is neither that of our store nor a partner's; isthmus partners "
            "lists them",
            SPAN_PRINT(order->to.items[0]));
    }
    for (size_t i = 0; i < order->to.n; i++) {
        TRY(check_community(node, order->to.items[i], diag));
    }
    for (size_t i = 0; i < order->documents.n; i++) {
        const struct span home = order->documents.items[i].home;
        struct span oid;

        if (!home_community_oid(home, &oid)) {
            return FAIL(diag, ERR_USAGE, "'%.*s' is not a homeCommunityId (urn:oid:OID)",
                        SPAN_PRINT(home));
        }
        TRY(check_community(node, oid, diag));
    }
    return OK;
}

struct status
asking_complete_order(const struct node *node, struct asking_order *order, struct diag *diag)
{
    if (order->facts == NULL) { /* else what the partner's assertion says is all there is */
        TRY(complete_order(node->config, order, diag));
    }
    return check_communities(node, order, diag);
}
