/*
 * Reads how a partner is reached: how many questions at a time, what happens when it fails, through
 * which proxy, and at which addresses. Called while the configuration loads, on the loading thread.
 */
#include "config/config_reader.h"

#define PAUSE_MIN_US  (100 * US_PER_MS)
#define PAUSE_MAX_US  (3600 * US_PER_S)
#define COUNT_MAX     100000
#define ATTEMPTS_MAX  4
#define DOCUMENTS_MAX 1000 /* what readers of ours take in one request */

void
config_outbound_default(struct partner_limits *ret_limits)
{
    *ret_limits = (struct partner_limits){
        .connections = 64,
        .requests = 1000,
        .failures = 5,
        .pause_us = 1 * US_PER_S,
        .longest_pause_us = 60 * US_PER_S,
        .attempts = 1,
    };
}

static void
read_limits(struct config_reader *reader, struct yaml_node *node, struct partner_limits *limits)
{
    config_count(reader, yaml_get(node, "connections"), 1, COUNT_MAX, &limits->connections);
    if (limits->requests < limits->connections) {
        limits->requests = limits->connections;
    }
    config_count(reader, yaml_get(node, "requests"), 1, COUNT_MAX, &limits->requests);
    config_count(reader, yaml_get(node, "failures"), 1, 1000, &limits->failures);
    config_duration(reader, yaml_get(node, "pause"), PAUSE_MIN_US, PAUSE_MAX_US, &limits->pause_us);
    if (limits->longest_pause_us < limits->pause_us) {
        limits->longest_pause_us = limits->pause_us;
    }
    config_duration(reader, yaml_get(node, "longest_pause"), PAUSE_MIN_US, PAUSE_MAX_US,
                    &limits->longest_pause_us);
    if (limits->requests < limits->connections) {
        yaml_error(reader->report, node,
                   "'requests' is less than 'connections'; lower one or raise the other");
    }
    if (limits->longest_pause_us < limits->pause_us) {
        yaml_error(reader->report, node,
                   "'longest_pause' is less than 'pause'; lower one or raise the other");
    }
}

void
config_read_outbound(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"connections", "requests", "failures", "pause",
                                        "longest_pause"};
    struct yaml_node *node = config_section(reader, root, "outbound", names, ARRAY_LEN(names));

    config_outbound_default(&reader->config->outbound);
    read_limits(reader, node, &reader->config->outbound);
}

void
config_read_reach(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    static const char *const names[] = {"connections", "requests",      "failures",
                                        "pause",       "longest_pause", "documents_per_request",
                                        "attempts"};
    struct yaml_node *node = config_section(reader, root, "limits", names, ARRAY_LEN(names));
    static const char *const kinds[] = {"public", "private", "local"};
    size_t addresses = partner->addresses;

    partner->limits = reader->config->outbound;
    read_limits(reader, node, &partner->limits);
    config_count(reader, yaml_get(node, "documents_per_request"), 1, DOCUMENTS_MAX,
                 &partner->limits.documents);
    config_count(reader, yaml_get(node, "attempts"), 1, ATTEMPTS_MAX, &partner->limits.attempts);
    config_proxy_url(reader, yaml_get(root, "proxy"), &partner->proxy_url);
    (void)config_choice(reader, yaml_get(root, "addresses"), kinds, ARRAY_LEN(kinds), &addresses);
    partner->addresses = (enum partner_addresses)addresses;
}
