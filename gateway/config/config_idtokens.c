/*
 * Reads `id_tokens:`, whose statements about individuals are believed: issuers and the files of
 * their public keys. Called while the configuration loads; the key sets join its arena.
 */
#include <string.h>

#include "config/config_reader.h"

#define ISSUERS_MAX 32 /* a token is tried with the keys of each */

struct issuer_list {
    struct jwks_issuer *items;
    size_t n, capacity;
};

static void
free_jwks(void *jwks)
{
    jwks_free(jwks);
}

static struct status
load_keys(struct config_reader *reader, const struct yaml_node *node, const struct jwks **ret_keys)
{
    struct diag reason = {0};
    struct jwks *keys = NULL;
    const char *path = NULL;

    TRY(config_path(reader, node, &path));
    if (path == NULL) {
        return OK;
    }
    const struct status st = jwks_load(path, &reason, &keys);

    if (st.code == ERR_NO_MEMORY) {
        return FAIL(reader->diag, st.code, "%s", reason.text);
    }
    if (!is_ok(st)) {
        yaml_error(reader->report, node, "%s", reason.text);
        return OK;
    }
    TRY(arena_defer(reader->arena, free_jwks, keys, reader->diag));
    *ret_keys = keys;
    return OK;
}

static bool
is_listed(const struct issuer_list *list, const char *issuer)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].issuer, issuer) == 0) {
            return true;
        }
    }
    return false;
}

static struct status
read_issuer(struct config_reader *reader, struct yaml_node *item, struct issuer_list *list)
{
    static const char *const names[] = {"issuer", "jwks"};
    struct jwks_issuer issuer = {NULL, NULL};

    if (item->kind != YAML_MAPPING) {
        config_expected(reader, item, "{issuer: URL, jwks: FILE}");
        return OK;
    }
    yaml_check_keys(reader->report, item, names, ARRAY_LEN(names));
    const struct yaml_node *name = config_need(reader, item, "issuer");

    config_url(reader, name, &issuer.issuer);
    TRY(load_keys(reader, config_need(reader, item, "jwks"), &issuer.keys));
    if (issuer.issuer == NULL || issuer.keys == NULL) {
        return OK; /* reported */
    }
    if (is_listed(list, issuer.issuer)) {
        yaml_error(reader->report, name, "issuer '%s' is there twice; put its keys into one file",
                   issuer.issuer);
        return OK;
    }
    return ARENA_PUSH(reader->arena, reader->diag, list, issuer);
}

struct status
config_read_id_tokens(struct config_reader *reader, struct yaml_node *root)
{
    struct yaml_node *node = yaml_get(root, "id_tokens");
    struct issuer_list list = {NULL, 0, 0};

    if (!config_is_list(reader, node, "a list of {issuer: URL, jwks: FILE}")) {
        return OK;
    }
    for (struct yaml_node *item = node->children; item != NULL; item = item->next) {
        TRY(read_issuer(reader, item, &list));
    }
    if (list.n > ISSUERS_MAX) {
        yaml_error(reader->report, node, "id_tokens has %zu issuers; at most %d", list.n,
                   ISSUERS_MAX);
    }
    reader->config->id_token_issuers = list.items;
    reader->config->id_token_issuers_n = list.n;
    return OK;
}
