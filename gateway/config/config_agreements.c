/*
 * Reads what was agreed with one partner beyond its identity: what its messages may leave out, how
 * long SHA-1 is borne, what counts as a replay, and how it wants our own messages. Everything is
 * strict unless its file says otherwise. Called by config_partner.c on the loading thread.
 */
#include "base/datetime.h"
#include "config/config_reader.h"

#define DAY_US        (INT64_C(86400) * US_PER_S)
#define SHA1_DAYS_MAX 730 /* an end that nobody lives to see is none */

/* ---- what it may leave out ---- */

static void
read_confirmation(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"holder-of-key", "bearer"};
    struct yaml_node *list = yaml_get(root, "confirmation");
    bool has_holder = false;

    if (!config_is_list(reader, list, "a list such as [holder-of-key]")) {
        return;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        size_t which = 0;

        if (!config_choice(reader, item, names, ARRAY_LEN(names), &which)) {
            return;
        }
        has_holder = has_holder || which == 0;
        partner->may_use_bearer = partner->may_use_bearer || which == 1;
    }
    if (!has_holder) {
        yaml_error(reader->report, list,
                   "confirmation: holder-of-key is always accepted and must be listed; add "
                   "bearer to it where agreed");
    }
}

static void
read_may_omit(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    struct yaml_node *list = yaml_get(root, "may_omit");
    const char *names[RELAX_COUNT];

    for (enum dialect_relaxation i = 0; i < RELAX_COUNT; i++) {
        names[i] = dialect_name(i);
    }
    if (!config_is_list(reader, list, "a list such as [authn-statement]")) {
        return;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        size_t which = 0;

        if (config_choice(reader, item, names, ARRAY_LEN(names), &which)) {
            partner->relaxed |= DIALECT_BIT(which);
        }
    }
}

/* YYYY-MM-DD, without a time: its start in UTC. */
static bool
read_day(struct span text, int64_t *ret_us)
{
    char digits[8];
    size_t n = 0;

    if (text.n != 10 || text.p[4] != '-' || text.p[7] != '-') {
        return false;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (i != 4 && i != 7) {
            digits[n++] = text.p[i];
        }
    }
    return datetime_read_hl7(span_of(digits, n), ret_us, NULL);
}

/* The last day counts. One that is over is no mistake: nothing is accepted any more, and `isthmus
 * check` and `partners` say so. */
static void
read_sha1_until(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char what[] = "a day such as 2027-06-30";
    const struct yaml_node *node = yaml_get(root, "sha1_until");
    const char *text = NULL;
    int64_t day_us = 0;

    if (!config_text(reader, node, what, &text)) {
        return;
    }
    if (!read_day(node->scalar, &day_us)) {
        config_expected(reader, node, what);
        return;
    }
    if (day_us > reader->now_us + SHA1_DAYS_MAX * DAY_US) {
        yaml_error(reader->report, node,
                   "sha1_until: '%s' is more than %d days away; SHA-1 signatures can be forged, "
                   "agree on an earlier end",
                   text, SHA1_DAYS_MAX);
        return;
    }
    partner->sha1_until_us = day_us + DAY_US;
}

/* ---- replay, delegation, faults ---- */

static void
read_replay(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const modes[] = {"timestamp", "messageid"};
    static const char *const assertions[] = {"reused", "once"};
    size_t mode = PARTNER_REPLAY_TIMESTAMP, once = 0;

    (void)config_choice(reader, yaml_get(root, "replay"), modes, ARRAY_LEN(modes), &mode);
    (void)config_choice(reader, yaml_get(root, "assertions"), assertions, ARRAY_LEN(assertions),
                        &once);
    partner->replay = (enum partner_replay)mode;
    partner->is_assertion_once = once == 1;
}

static bool
check_delegator(struct config_reader *reader, const struct yaml_node *item)
{
    if (!config_is_code(item->scalar)) {
        config_expected(reader, item, "a QueryAuthGrantor value such as Organization/2.999.7");
        return false;
    }
    return true;
}

static void
read_fault_status(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"500", "soap12"};
    size_t which = PARTNER_FAULT_STATUS_500;

    if (config_choice(reader, yaml_get(root, "fault_status"), names, ARRAY_LEN(names), &which)) {
        partner->fault_status = (enum partner_fault_status)which;
    }
}

struct status
config_read_agreements(struct config_reader *reader, struct yaml_node *root,
                       struct partner *partner)
{
    read_confirmation(reader, root, partner);
    read_may_omit(reader, root, partner);
    read_sha1_until(reader, root, partner);
    read_replay(reader, root, partner);
    TRY(config_text_list(reader, yaml_get(root, "delegators"), "QueryAuthGrantor values",
                         check_delegator, &partner->delegators));
    read_fault_status(reader, root, partner);
    config_read_writes(reader, root, partner);
    return OK;
}
