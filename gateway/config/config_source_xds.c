/*
 * An XDS registry with its repositories, of `sources:`. Called by config_sources.c while the
 * configuration loads.
 */
#include "config/config_source.h"

struct repository_list {
    struct config_repository *items;
    size_t n, capacity;
};

static struct status
read_repository(struct config_reader *reader, const struct yaml_node *child,
                const struct partner *partner, struct repository_list *list)
{
    const struct yaml_node key = {.kind = YAML_SCALAR,
                                  .file = child->file,
                                  .line = child->key_line,
                                  .column = child->key_column,
                                  .scalar = child->key};
    struct config_repository repository = {0};

    config_oid(reader, &key, &repository.id);
    config_source_url(reader, child, partner, &repository.url);
    if (repository.id == NULL || repository.url == NULL) {
        return OK;
    }
    struct yaml_node *at;

    TRY(ARENA_NEW(reader->arena, reader->diag, &at));
    *at = key;
    TRY(config_claim(reader, CONFIG_CLAIM_REPOSITORY, repository.id, at));
    return ARENA_PUSH(reader->arena, reader->diag, list, repository);
}

static struct status
read_repositories(struct config_reader *reader, struct yaml_node *entry,
                  const struct partner *partner, struct config_source *source)
{
    static const char what[] = "repositoryUniqueIds with their URLs, {OID: URL}";
    struct yaml_node *node = config_need(reader, entry, "repositories");
    struct repository_list list = {0};

    if (node == NULL) {
        return OK;
    }
    if (node->kind != YAML_MAPPING || node->children == NULL) {
        config_expected(reader, node, what);
        return OK;
    }
    for (const struct yaml_node *child = node->children; child != NULL; child = child->next) {
        TRY(read_repository(reader, child, partner, &list));
    }
    source->repositories = list.items;
    source->repositories_n = list.n;
    return OK;
}

static struct status
read_places(struct config_reader *reader, struct yaml_node *entry, struct config_source *source,
            struct partner *partner)
{
    static const char *const keys[] = {"url"};
    struct yaml_node *registry =
        config_need_section(reader, entry, "registry", keys, ARRAY_LEN(keys));

    config_source_url(reader, config_need(reader, registry, "url"), partner, &source->registry_url);
    return read_repositories(reader, entry, partner, source);
}

static const char *const own_keys[] = {"community", "registry", "repositories"};

const struct config_source_engine config_source_xds = {"xds", own_keys, ARRAY_LEN(own_keys), true,
                                                       read_places};
