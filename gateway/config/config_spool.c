/*
 * Reads `spool:`, where large messages wait, and opens it. Reading is called while the
 * configuration loads; opening by serve and by the asking commands, once.
 */
#include <string.h>

#include "config/config_reader.h"

#define KB ((size_t)1024)
#define GB (KB * KB * KB)

/* Beside the store, whose folder exists and is this node's own. */
static struct status
default_path(struct config_reader *reader)
{
    struct config *config = reader->config;
    const char *slash = config->store_path == NULL ? NULL : strrchr(config->store_path, '/');
    const size_t folder_n = slash == NULL ? 0 : (size_t)(slash - config->store_path) + 1;
    struct span path;

    TRY(arena_printf(reader->arena, reader->diag, &path, "%.*sspool", (int)folder_n,
                     config->store_path == NULL ? "" : config->store_path));
    config->spool.path = path.p;
    config->spool.is_default = true;
    return OK;
}

struct status
config_read_spool(struct config_reader *reader, struct yaml_node *root)
{
    static const char *const names[] = {"path", "limit", "threshold"};
    struct yaml_node *node = config_section(reader, root, "spool", names, ARRAY_LEN(names));
    struct config_spool *spool = &reader->config->spool;
    size_t limit = SPOOL_LIMIT;

    spool->threshold = SPOOL_THRESHOLD;
    config_size(reader, yaml_get(node, "limit"), KB * KB, 1024 * GB, &limit);
    config_size(reader, yaml_get(node, "threshold"), 16 * KB, 64 * KB * KB, &spool->threshold);
    spool->limit = limit;
    if (yaml_get(node, "path") == NULL) {
        return default_path(reader);
    }
    TRY(config_path(reader, yaml_get(node, "path"), &spool->path));
    return spool->path == NULL ? OK
                               : config_check_parent(reader, yaml_get(node, "path"), spool->path);
}

struct status
config_open_spool(const struct config *config, struct diag *diag, struct spool **ret_spool)
{
    const struct config_spool *spool = &config->spool;

    return spool_new(spool->path, spool->limit, spool->threshold, diag, ret_spool);
}
