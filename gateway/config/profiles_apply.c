/*
 * Adds to the tree of a partner's file what the profiles that it names set and it does not say
 * itself, and keeps who set what. Called before the file's record is read, on the loading thread.
 */
#include <string.h>

#include "config/profiles.h"

#define PATH_MAX_BYTES ((size_t)128)

/* One value that a profile has put into the tree. */
struct applied {
    const struct yaml_node *node; /* in the tree: a scalar or a list */
    const struct yaml_node *from; /* in the profile, or its parameter's value */
    const struct partner_profile *profile;
};
struct applied_list {
    struct applied *items;
    size_t n, capacity;
};

struct setting_list {
    struct partner_setting *items;
    size_t n, capacity;
};

/* One partner's file. */
struct applier {
    struct config_reader *reader;
    struct applied_list applied;
    struct setting_list settings;
    /* of the profile in hand */
    const struct partner_profile *profile;
    const struct yaml_node *at;    /* where the partner's file names it */
    const struct yaml_node *value; /* of its parameter; NULL: none */
};

/* ---- nodes ---- */

static bool
is_parameter(const struct yaml_node *node)
{
    return node->kind == YAML_SCALAR && span_eq(node->scalar, SPAN("$"));
}

/* Its value, or the parameter's, which stands in the partner's file. */
static const struct yaml_node *
value_of(const struct applier *applier, const struct yaml_node *node)
{
    return is_parameter(node) && applier->value != NULL ? applier->value : node;
}

static struct yaml_node *
find_child(const struct yaml_node *mapping, struct span key)
{
    for (struct yaml_node *child = mapping->children; child != NULL; child = child->next) {
        if (span_eq(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

static void
append_child(struct yaml_node *parent, struct yaml_node *child)
{
    struct yaml_node **end = &parent->children;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = child;
}

static struct status
copy_scalar(struct applier *applier, const struct yaml_node *from, struct yaml_node *parent,
            struct yaml_node **ret_node)
{
    struct config_reader *reader = applier->reader;
    const struct yaml_node *value = value_of(applier, from);
    struct yaml_node *node = NULL;

    TRY(ARENA_NEW(reader->arena, reader->diag, &node));
    *node = *value;
    node->key = from->key;
    node->key_line = from->key_line;
    node->key_column = from->key_column;
    node->next = NULL;
    append_child(parent, node);
    *ret_node = node;
    return OK;
}

/* A mapping or list without its children. */
static struct status
copy_empty(struct applier *applier, const struct yaml_node *from, struct yaml_node *parent,
           struct yaml_node **ret_node)
{
    struct config_reader *reader = applier->reader;
    struct yaml_node *node = NULL;

    TRY(ARENA_NEW(reader->arena, reader->diag, &node));
    *node = *from;
    node->children = NULL;
    node->next = NULL;
    if (from->kind == YAML_MAPPING) { /* what is missing in it is missing in the partner's file */
        node->file = applier->at->file;
        node->line = applier->at->line;
        node->column = applier->at->column;
    }
    append_child(parent, node);
    *ret_node = node;
    return OK;
}

/* ---- who set what ---- */

static const struct applied *
find_applied(const struct applier *applier, const struct yaml_node *node)
{
    for (size_t i = 0; i < applier->applied.n; i++) {
        if (applier->applied.items[i].node == node) {
            return &applier->applied.items[i];
        }
    }
    return NULL;
}

static struct status
note_applied(struct applier *applier, const struct yaml_node *node, const struct yaml_node *from)
{
    struct config_reader *reader = applier->reader;
    const struct applied applied = {node, value_of(applier, from), applier->profile};

    return ARENA_PUSH(reader->arena, reader->diag, &applier->applied, applied);
}

static struct status
note_setting(struct applier *applier, struct span path, struct span value)
{
    struct config_reader *reader = applier->reader;
    struct partner_setting setting = {.profile = applier->profile};
    struct span key, text;

    TRY(arena_dup(reader->arena, path, reader->diag, &key));
    TRY(arena_dup(reader->arena, value, reader->diag, &text));
    setting.key = key.p;
    setting.value = text.p;
    return ARENA_PUSH(reader->arena, reader->diag, &applier->settings, setting);
}

/* ---- putting it in ---- */

static void
report_contradiction(struct applier *applier, struct span path, const struct applied *first,
                     const struct yaml_node *second)
{
    const struct yaml_node *from = value_of(applier, second);

    yaml_error(applier->reader->report, applier->at,
               "profiles '%s' and '%s' contradict each other: %.*s is '%.*s' at %s:%d:%d and "
               "'%.*s' at %s:%d:%d; name one of them, or set %.*s in this file",
               first->profile->name, applier->profile->name, SPAN_PRINT(path),
               SPAN_PRINT(first->from->scalar), first->from->file, first->from->line,
               first->from->column, SPAN_PRINT(from->scalar), from->file, from->line, from->column,
               SPAN_PRINT(path));
}

static bool
has_item(const struct yaml_node *list, struct span text)
{
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        if (item->kind == YAML_SCALAR && span_eq(item->scalar, text)) {
            return true;
        }
    }
    return false;
}

static struct status
join_list(struct applier *applier, struct span path, const struct yaml_node *from,
          struct yaml_node *list)
{
    for (const struct yaml_node *item = from->children; item != NULL; item = item->next) {
        struct yaml_node *copy;

        if (item->kind != YAML_SCALAR) {
            config_expected(applier->reader, item, "text");
        } else if (!has_item(list, value_of(applier, item)->scalar)) {
            TRY(copy_scalar(applier, item, list, &copy));
            TRY(note_setting(applier, path, copy->scalar));
        }
    }
    return OK;
}

/* The key is set already: by the partner's file, which wins, or by another profile. Lists are what
 * is accepted: each adds to them. */
static struct status
meet(struct applier *applier, struct span path, const struct yaml_node *from,
     struct yaml_node *there)
{
    const struct applied *first = find_applied(applier, there);

    if (from->kind == YAML_SEQUENCE && there->kind == YAML_SEQUENCE) {
        return join_list(applier, path, from, there);
    }
    if (first == NULL) {
        return OK;
    }
    if (from->kind != there->kind || !span_eq(value_of(applier, from)->scalar, there->scalar)) {
        report_contradiction(applier, path, first, from);
    }
    return OK;
}

static struct status
put(struct applier *applier, struct span path, const struct yaml_node *from,
    struct yaml_node *parent)
{
    struct yaml_node *there = find_child(parent, from->key);

    if (there != NULL) {
        return meet(applier, path, from, there);
    }
    if (from->kind == YAML_SCALAR) {
        TRY(copy_scalar(applier, from, parent, &there));
        TRY(note_setting(applier, path, there->scalar));
    } else {
        TRY(copy_empty(applier, from, parent, &there));
        TRY(join_list(applier, path, from, there));
    }
    return note_applied(applier, there, from);
}

/* <prefix>: "" or "writes." */
static struct status
merge(struct applier *applier, const char *prefix, const struct yaml_node *from,
      struct yaml_node *into)
{
    struct config_reader *reader = applier->reader;

    for (const struct yaml_node *child = from->children; child != NULL; child = child->next) {
        struct yaml_node *there = find_child(into, child->key);
        struct span path;

        TRY(arena_printf(reader->arena, reader->diag, &path, "%s%.*s", prefix,
                         SPAN_PRINT(child->key)));
        if (child->kind != YAML_MAPPING) {
            TRY(put(applier, path, child, into));
            continue;
        }
        if (there == NULL) {
            TRY(copy_empty(applier, child, into, &there));
        }
        TRY(arena_printf(reader->arena, reader->diag, &path, "%s%.*s.", prefix,
                         SPAN_PRINT(child->key)));
        if (there->kind == YAML_MAPPING && strlen(prefix) < PATH_MAX_BYTES) {
            TRY(merge(applier, path.p, child, there)); /* depth: that of a file, which is bounded */
        }
    }
    return OK;
}

/* ---- the list ---- */

/* A name, or 'name: value'. False: it is neither, which is reported. */
static bool
read_item(struct config_reader *reader, const struct yaml_node *item, struct span *ret_name,
          const struct yaml_node **ret_value)
{
    if (item->kind == YAML_SCALAR && item->scalar.n > 0) {
        *ret_name = item->scalar;
        *ret_value = NULL;
        return true;
    }
    const struct yaml_node *only = item->kind == YAML_MAPPING ? item->children : NULL;

    if (only == NULL || only->next != NULL || only->kind != YAML_SCALAR || only->scalar.n == 0) {
        config_expected(reader, item, "a profile's name, or 'name: value'");
        return false;
    }
    *ret_name = only->key;
    *ret_value = only;
    return true;
}

static bool
check_parameter(struct config_reader *reader, const struct yaml_node *item,
                const struct config_profile *profile, const struct yaml_node *value)
{
    if (profile->parameter != NULL && value == NULL) {
        yaml_error(reader->report, item, "profile '%s' needs a value; write {%s: %s}",
                   profile->name, profile->name, profile->parameter);
        return false;
    }
    if (profile->parameter == NULL && value != NULL) {
        yaml_error(reader->report, value, "profile '%s' takes no value; write its name alone",
                   profile->name);
        return false;
    }
    return true;
}

struct named_list {
    struct partner_profile *items;
    size_t n, capacity;
};

static bool
is_named_again(struct config_reader *reader, const struct yaml_node *item,
               const struct named_list *list, struct span name)
{
    for (size_t i = 0; i < list->n; i++) {
        if (span_eq_cstr(name, list->items[i].name)) {
            yaml_error(reader->report, item, "profile '%.*s' is named twice", SPAN_PRINT(name));
            return true;
        }
    }
    return false;
}

static struct status
apply_item(struct applier *applier, const struct yaml_node *item, struct yaml_node *root,
           struct named_list *list)
{
    struct config_reader *reader = applier->reader;
    const struct config_profile *profile = NULL;
    const struct yaml_node *value = NULL;
    struct partner_profile *kept = NULL;
    struct span name;

    if (!read_item(reader, item, &name, &value) || is_named_again(reader, item, list, name)) {
        return OK;
    }
    TRY(config_find_profile(reader, item, name, &profile));
    if (profile == NULL || !check_parameter(reader, item, profile, value)) {
        return OK;
    }
    TRY(ARENA_NEW(reader->arena, reader->diag, &kept));
    *kept = (struct partner_profile){.name = profile->name,
                                     .about = profile->about,
                                     .parameter = value == NULL ? NULL : value->scalar.p};
    applier->profile = kept;
    applier->at = item;
    applier->value = value;
    TRY(merge(applier, "", profile->sets, root));
    return ARENA_PUSH(reader->arena, reader->diag, list, *kept);
}

struct status
config_apply_profiles(struct config_reader *reader, struct yaml_node *root, struct partner *partner)
{
    const struct yaml_node *list = yaml_get(root, "profiles");
    struct applier applier = {.reader = reader};
    struct named_list named = {0};

    if (!config_is_list(reader, list, "a list such as [one-document-per-retrieve]")) {
        return OK;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        TRY(apply_item(&applier, item, root, &named));
    }
    partner->profiles = named.items;
    partner->profiles_n = named.n;
    partner->settings = applier.settings.items;
    partner->settings_n = applier.settings.n;
    return OK;
}

const char *
partner_profile_of(const struct partner *partner, const char *key, const char *value)
{
    for (size_t i = 0; i < partner->settings_n; i++) {
        const struct partner_setting *setting = &partner->settings[i];

        if (strcmp(setting->key, key) == 0 &&
            (value == NULL || strcmp(setting->value, value) == 0)) {
            return setting->profile->name;
        }
    }
    return NULL;
}
