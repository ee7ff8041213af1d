/*
 * The engines of `sources:` among themselves: config_sources.c reads what all have and asks the
 * entry's engine for the rest, one file each. Adding an engine: a row in config_sources.c and a
 * file. Thread: the one that loads the configuration.
 */
#ifndef CONFIG_SOURCE_H
#define CONFIG_SOURCE_H

#include "config/config_reader.h"

struct config_source_engine {
    const char *name;
    const char *const *keys; /* its own, beside those of every external source */
    size_t keys_n;
    bool has_documents; /* without a source that has, the embedded store is one */
    /* Where it is, and what else it alone has: to <source>, and of a gateway to <partner>;
     * partner->is_plain is set. */
    struct status (*read)(struct config_reader *reader, struct yaml_node *entry,
                          struct config_source *source, struct partner *partner);
};

/* An URL of a source: https, or http on this machine where it is plain. */
void config_source_url(struct config_reader *reader, const struct yaml_node *node,
                       const struct partner *partner, const char **ret_url);

extern const struct config_source_engine config_source_xds, config_source_pdq, config_source_pix,
    config_source_gateway;

#endif
