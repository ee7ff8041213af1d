/*
 * Reads what `limits:` says about the network listeners: how many connections and requests, and how
 * slow a peer may be; and `discovery:`. Called while the configuration loads.
 */
#include "base/machine.h"
#include "config/config_reader.h"

#define KB ((size_t)1024)
#define MB (1024 * KB)
#define GB (1024 * MB)

#define REQUEST_COST_BYTES (128 * KB) /* what a request in work takes, about */

static size_t
between(uint64_t least, uint64_t value, uint64_t most)
{
    return (size_t)(value < least ? least : value > most ? most : value);
}

void
config_edge_default(struct config_edge *ret_edge)
{
    const uint64_t memory = machine_memory_bytes();

    *ret_edge = (struct config_edge){
        .connections = 10000,
        .connections_per_address = 1000,
        .connections_per_partner = 500,
        .requests_per_partner = 200,
        .failures_per_minute = 60,
        .requests = between(256, memory / 4 / REQUEST_COST_BYTES, 100 * 1000),
        .held_bytes = between(128 * MB, memory / 8, 16 * GB),
        .rate_bytes = KB,
        .handshake_us = 10 * US_PER_S,
        .status_us = 10 * US_PER_S,
        .head_us = 10 * US_PER_S,
        .idle_us = 60 * US_PER_S,
        .request_us = 300 * US_PER_S,
        .answer_us = 3600 * US_PER_S,
        .connection_us = 3600 * US_PER_S,
        .queue_us = 2 * US_PER_S,
        .drain_us = 30 * US_PER_S,
    };
}

void
config_read_edge(struct config_reader *reader, struct yaml_node *limits)
{
    struct config_edge *edge = &reader->config->edge;
    const struct {
        const char *key;
        size_t most;
        size_t *count;
    } counts[] = {
        {"connections", 1000000, &edge->connections},
        {"connections_per_address", 1000000, &edge->connections_per_address},
        {"connections_per_partner", 1000000, &edge->connections_per_partner},
        {"requests_per_partner", 1000000, &edge->requests_per_partner},
        {"failures_per_minute", 10000, &edge->failures_per_minute},
        {"requests", 10 * 1000 * 1000, &edge->requests},
    };
    const struct {
        const char *key;
        int64_t most_us;
        int64_t *us;
    } times[] = {
        {"handshake_time", 60 * US_PER_S, &edge->handshake_us},
        {"status_time", 60 * US_PER_S, &edge->status_us},
        {"head_time", 60 * US_PER_S, &edge->head_us},
        {"idle_time", 3600 * US_PER_S, &edge->idle_us},
        {"request_time", 3600 * US_PER_S, &edge->request_us},
        {"answer_time", 24 * 3600 * US_PER_S, &edge->answer_us},
        {"connection_time", 24 * 3600 * US_PER_S, &edge->connection_us},
        {"queue_time", 60 * US_PER_S, &edge->queue_us},
        {"drain_time", 3600 * US_PER_S, &edge->drain_us},
    };

    config_edge_default(edge);
    for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
        config_count(reader, yaml_get(limits, counts[i].key), 1, counts[i].most, counts[i].count);
    }
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        config_duration(reader, yaml_get(limits, times[i].key), 100 * US_PER_MS, times[i].most_us,
                        times[i].us);
    }
    config_size(reader, yaml_get(limits, "rate"), KB, 1024 * KB, &edge->rate_bytes);
    config_size(reader, yaml_get(limits, "held"), MB, 1024 * GB, &edge->held_bytes);
}

/* A number of communities, or a share of them: "5", "80%". */
void
config_read_enough(struct config_reader *reader, const struct yaml_node *node,
                   struct config_enough *ret_enough)
{
    static const char what[] = "off, a number of communities from 1 to 1000000, or a share of them "
                               "from 1% to 100%";
    const char *text = NULL;
    struct span number;
    uint64_t value = 0;
    bool is_share;

    if (!config_text(reader, node, what, &text)) {
        return;
    }
    if (span_eq(node->scalar, SPAN("off"))) {
        *ret_enough = (struct config_enough){0};
        return;
    }
    is_share = span_ends_with(node->scalar, SPAN("%"));
    number = span_slice(node->scalar, 0, node->scalar.n - (is_share ? 1 : 0));
    if (!span_to_u64(number, is_share ? 100 : 1000000, &value) || value == 0) {
        config_expected(reader, node, what);
        return;
    }
    *ret_enough = is_share ? (struct config_enough){.percent = (unsigned)value}
                           : (struct config_enough){.answers = (size_t)value};
}

/* off, or a time. */
static void
read_while(struct config_reader *reader, const struct yaml_node *node, int64_t *ret_us)
{
    if (node != NULL && !span_eq(node->scalar, SPAN("off"))) {
        config_duration(reader, node, US_PER_S, (int64_t)366 * 24 * 3600 * US_PER_S, ret_us);
    }
}

void
config_read_discovery(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"several", "time_to_live", "remember", "minimum_degree",
                                        "ask_back"};
    static const char *const several[] = {"ask", "none", "list"};
    struct yaml_node *node = config_section(reader, root, "discovery", names, ARRAY_LEN(names));
    static const char *const answers[] = {"false", "true"};
    struct config_discovery *discovery = &reader->config->discovery;
    size_t which = CONFIG_SEVERAL_ASK, may_be_asked_back = 0;

    (void)config_choice(reader, yaml_get(node, "several"), several, ARRAY_LEN(several), &which);
    discovery->several = (enum config_several)which;
    read_while(reader, yaml_get(node, "time_to_live"), &discovery->time_to_live_us);
    read_while(reader, yaml_get(node, "remember"), &discovery->remember_us);
    config_count(reader, yaml_get(node, "minimum_degree"), 1, 100, &discovery->minimum_degree);
    (void)config_choice(reader, yaml_get(node, "ask_back"), answers, ARRAY_LEN(answers),
                        &may_be_asked_back);
    discovery->may_be_asked_back = may_be_asked_back == 1;
}
