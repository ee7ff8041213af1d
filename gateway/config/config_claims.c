/*
 * What only one partner may have: its id, communities, TLS names and pins, signing keys.
 * Were two records to share one, a proven certificate would not say who asks. Claims are gathered
 * while the files are read and compared at the end, sorted, so that thousands of communities cost
 * little.
 */
#include <stdlib.h>
#include <string.h>

#include "config/config_reader.h"

struct status
config_claim(struct config_reader *reader, enum config_claim_kind kind, const char *text,
             const struct yaml_node *at)
{
    const struct config_claim claim = {
        .kind = kind, .text = text, .at = at, .order = reader->claims.n};

    return ARENA_PUSH(reader->arena, reader->diag, &reader->claims, claim);
}

static int
compare_claims(const void *left, const void *right)
{
    const struct config_claim *a = left, *b = right;

    if (a->kind != b->kind) {
        return a->kind < b->kind ? -1 : 1;
    }
    const int text = strcmp(a->text, b->text);

    if (text != 0) {
        return text;
    }
    return a->order < b->order ? -1 : 1;
}

static const char *
kind_name(enum config_claim_kind kind)
{
    switch (kind) {
    case CONFIG_CLAIM_ID:
        return "id";
    case CONFIG_CLAIM_COMMUNITY:
        return "community";
    case CONFIG_CLAIM_TLS_NAME:
        return "TLS name";
    case CONFIG_CLAIM_TLS_CERTIFICATE:
        return "TLS certificate";
    case CONFIG_CLAIM_SIGNING:
        return "signing key";
    case CONFIG_CLAIM_REPOSITORY:
        return "repository";
    }
    return "value";
}

/* A renewed certificate may hold the key of the one before: within one record that is no conflict.
 */
static bool
is_conflict(const struct config_claim *first, const struct config_claim *second)
{
    return second->kind != CONFIG_CLAIM_SIGNING || strcmp(first->at->file, second->at->file) != 0;
}

void
config_check_claims(struct config_reader *reader)
{
    struct config_claim *claims = reader->claims.items;
    size_t first = 0;

    if (reader->claims.n > 1) {
        qsort(claims, reader->claims.n, sizeof(*claims), compare_claims);
    }
    for (size_t i = 1; i < reader->claims.n; i++) {
        if (claims[i].kind != claims[first].kind ||
            strcmp(claims[i].text, claims[first].text) != 0) {
            first = i;
            continue;
        }
        const struct yaml_node *at = claims[first].at;

        if (!is_conflict(&claims[first], &claims[i])) {
            continue;
        }
        yaml_error(reader->report, claims[i].at, "%s '%s' is already used at %s:%d:%d",
                   kind_name(claims[i].kind), claims[i].text, at->file, at->line, at->column);
    }
}
