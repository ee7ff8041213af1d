/*
 * Reads single values of the configuration: text, names, OIDs, times, sizes, words, paths and
 * lists. Called by the files that know the shape, on the loading thread. Nothing here knows a key's
 * meaning.
 */
#include <stdio.h>
#include <string.h>

#include "base/ids.h"
#include "config/config_reader.h"

#define NAMES_MAX 512

/* ---- nodes ---- */

/* What came, as the reader of the message sees it in his file. */
static void
describe(const struct yaml_node *node, char *ret_text, size_t size)
{
    switch (node->kind) {
    case YAML_SEQUENCE:
        snprintf(ret_text, size, "a list");
        return;
    case YAML_MAPPING:
        snprintf(ret_text, size, "'key: value' pairs");
        return;
    case YAML_SCALAR:
        break;
    }
    if (node->scalar.n == 0) {
        snprintf(ret_text, size, "nothing");
    } else {
        snprintf(ret_text, size, "'%.*s'", SPAN_PRINT(node->scalar));
    }
}

void
config_expected(struct config_reader *reader, const struct yaml_node *node, const char *what)
{
    char came[256];

    describe(node, came, sizeof(came));
    yaml_error(reader->report, node, "%.*s%sexpected %s, got %s", SPAN_PRINT(node->key),
               node->key.n > 0 ? ": " : "", what, came);
}

struct yaml_node *
config_need(struct config_reader *reader, struct yaml_node *mapping, const char *key)
{
    struct yaml_node *node = yaml_get(mapping, key);

    if (node == NULL && mapping != NULL) {
        if (mapping->key.n > 0) {
            yaml_error(reader->report, mapping, "missing '%s' in '%.*s'", key,
                       SPAN_PRINT(mapping->key));
        } else {
            yaml_error(reader->report, mapping, "missing '%s'", key);
        }
    }
    return node;
}

static struct yaml_node *
check_section(struct config_reader *reader, struct yaml_node *node, const char *const *names,
              size_t n)
{
    char list[NAMES_MAX], what[NAMES_MAX + 64];

    if (node == NULL) {
        return NULL;
    }
    if (node->kind != YAML_MAPPING) {
        yaml_list_names(names, n, list, sizeof(list));
        snprintf(what, sizeof(what), "'key: value' pairs%s%s", n > 0 ? " of " : "", list);
        config_expected(reader, node, what);
        return NULL;
    }
    if (n > 0) {
        yaml_check_keys(reader->report, node, names, n);
    }
    return node;
}

struct yaml_node *
config_section(struct config_reader *reader, struct yaml_node *parent, const char *key,
               const char *const *names, size_t n)
{
    return check_section(reader, yaml_get(parent, key), names, n);
}

struct yaml_node *
config_need_section(struct config_reader *reader, struct yaml_node *parent, const char *key,
                    const char *const *names, size_t n)
{
    return check_section(reader, config_need(reader, parent, key), names, n);
}

bool
config_is_list(struct config_reader *reader, const struct yaml_node *node, const char *what)
{
    if (node == NULL) {
        return false;
    }
    if (node->kind != YAML_SEQUENCE) {
        config_expected(reader, node, what);
        return false;
    }
    return true;
}

/* ---- text ---- */

bool
config_text(struct config_reader *reader, const struct yaml_node *node, const char *what,
            const char **ret_text)
{
    if (node == NULL || node->is_refused) {
        return false;
    }
    if (node->kind != YAML_SCALAR || node->scalar.n == 0) {
        config_expected(reader, node, what);
        return false;
    }
    *ret_text = node->scalar.p;
    return true;
}

void
config_oid(struct config_reader *reader, const struct yaml_node *node, const char **ret_oid)
{
    static const char what[] = "an OID such as 2.999.1";
    const char *text = NULL;
    struct span oid;

    if (!config_text(reader, node, what, &text)) {
        return;
    }
    if (!home_community_oid(node->scalar, &oid)) {
        config_expected(reader, node, what);
        return;
    }
    *ret_oid = oid.p; /* the end of the scalar: terminated as it is */
}

bool
config_is_name(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        const char c = text.p[i];
        const bool is_first = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

        if (!is_first && (i == 0 || (c != '-' && c != '_'))) {
            return false;
        }
    }
    return text.n > 0 && text.n <= CONFIG_NAME_MAX;
}

void
config_count(struct config_reader *reader, const struct yaml_node *node, size_t least, size_t most,
             size_t *ret_count)
{
    char what[64];
    const char *text = NULL;
    uint64_t count = 0;

    snprintf(what, sizeof(what), "a number from %zu to %zu", least, most);
    if (!config_text(reader, node, what, &text)) {
        return;
    }
    if (!span_to_u64(node->scalar, most, &count) || count < least) {
        config_expected(reader, node, what);
        return;
    }
    *ret_count = (size_t)count;
}

bool
config_choice(struct config_reader *reader, const struct yaml_node *node, const char *const *names,
              size_t n, size_t *ret_index)
{
    char list[NAMES_MAX], what[NAMES_MAX + 64];
    const char *text = NULL;

    yaml_list_names(names, n, list, sizeof(list));
    snprintf(what, sizeof(what), "%s%s", n > 1 ? "one of " : "", list);
    if (!config_text(reader, node, what, &text)) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (strcmp(text, names[i]) == 0) {
            *ret_index = i;
            return true;
        }
    }
    config_expected(reader, node, what);
    return false;
}

/* ---- numbers with units ---- */

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit time_units[] = {
    {"ms", 1000}, {"s", 1000000}, {"m", 60 * 1000000ULL}, {"h", 3600 * 1000000ULL}};
static const struct unit size_units[] = {{"KB", 1024}, {"MB", 1024 * 1024}, {"GB", 1ULL << 30}};

/* How a kind of quantity is written, for the messages. */
struct quantity {
    const struct unit *units;
    size_t units_n;
    const char *example;  /* "a time such as 20s, 500ms or 1m" */
    const char *as_units; /* after the operator's own number: "%s, 500ms or 1m" */
};

static const struct quantity time_quantity = {time_units, ARRAY_LEN(time_units),
                                              "a time such as 20s, 500ms or 1m", "s, 500ms or 1m"};
static const struct quantity size_quantity = {
    size_units, ARRAY_LEN(size_units), "a size such as 64MB, 512KB or 1GB", "MB, 512KB or 1GB"};

static const struct unit *
find_unit(const struct quantity *quantity, struct span name)
{
    for (size_t i = 0; i < quantity->units_n; i++) {
        if (span_eq_cstr(name, quantity->units[i].name)) {
            return &quantity->units[i];
        }
    }
    return NULL;
}

/* A number, then a unit. False when it was absent or wrong. */
static bool
read_quantity(struct config_reader *reader, const struct yaml_node *node,
              const struct quantity *quantity, uint64_t *ret_value)
{
    const char *text = NULL;
    size_t digits = 0;
    uint64_t number = 0;

    if (!config_text(reader, node, quantity->example, &text)) {
        return false;
    }
    while (text[digits] >= '0' && text[digits] <= '9') {
        digits++;
    }
    const struct span rest = span_slice(node->scalar, digits, node->scalar.n);
    const struct unit *unit = find_unit(quantity, rest);

    /* 10^9 of the greatest unit fits 63 bits. */
    if (!span_to_u64(span_of(text, digits), 1000 * 1000 * 1000, &number)) {
        config_expected(reader, node, quantity->example);
        return false;
    }
    if (rest.n == 0) {
        yaml_error(reader->report, node, "%.*s '%s' has no unit; write %s%s", SPAN_PRINT(node->key),
                   text, text, quantity->as_units);
        return false;
    }
    if (unit == NULL) {
        config_expected(reader, node, quantity->example);
        return false;
    }
    *ret_value = number * unit->factor;
    return true;
}

/* In the greatest unit that divides it. */
static void
write_quantity(const struct quantity *quantity, uint64_t value, char *ret_text, size_t size)
{
    size_t i = quantity->units_n - 1;

    while (i > 0 && (value == 0 || value % quantity->units[i].factor != 0)) {
        i--;
    }
    snprintf(ret_text, size, "%llu%s", (unsigned long long)(value / quantity->units[i].factor),
             quantity->units[i].name);
}

static bool
is_within(struct config_reader *reader, const struct yaml_node *node,
          const struct quantity *quantity, uint64_t value, uint64_t least, uint64_t most)
{
    char from[32], to[32];

    if (value >= least && value <= most) {
        return true;
    }
    write_quantity(quantity, least, from, sizeof(from));
    write_quantity(quantity, most, to, sizeof(to));
    yaml_error(reader->report, node, "%.*s '%.*s' is out of range; expected %s to %s",
               SPAN_PRINT(node->key), SPAN_PRINT(node->scalar), from, to);
    return false;
}

bool
config_read_duration(struct span text, int64_t *ret_us)
{
    size_t digits = 0;
    uint64_t number = 0;

    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9') {
        digits++;
    }
    const struct unit *unit = find_unit(&time_quantity, span_slice(text, digits, text.n));

    if (unit == NULL || !span_to_u64(span_slice(text, 0, digits), 1000 * 1000 * 1000, &number)) {
        return false;
    }
    *ret_us = (int64_t)(number * unit->factor);
    return *ret_us > 0;
}

void
config_duration(struct config_reader *reader, const struct yaml_node *node, int64_t least_us,
                int64_t most_us, int64_t *ret_us)
{
    uint64_t value = 0;

    if (read_quantity(reader, node, &time_quantity, &value) &&
        is_within(reader, node, &time_quantity, value, (uint64_t)least_us, (uint64_t)most_us)) {
        *ret_us = (int64_t)value;
    }
}

void
config_size(struct config_reader *reader, const struct yaml_node *node, size_t least, size_t most,
            size_t *ret_bytes)
{
    uint64_t value = 0;

    if (read_quantity(reader, node, &size_quantity, &value) &&
        is_within(reader, node, &size_quantity, value, least, most)) {
        *ret_bytes = (size_t)value;
    }
}

/* ---- paths and lists ---- */

struct status
config_path(struct config_reader *reader, const struct yaml_node *node, const char **ret_path)
{
    const char *text = NULL, *slash;
    struct span path;

    if (!config_text(reader, node, "a path", &text)) {
        return OK;
    }
    slash = strrchr(node->file, '/');
    if (text[0] == '/' || slash == NULL) {
        *ret_path = text;
        return OK;
    }
    TRY(arena_printf(reader->arena, reader->diag, &path, "%.*s/%s", (int)(slash - node->file),
                     node->file, text));
    *ret_path = path.p;
    return OK;
}

struct status
config_text_list(struct config_reader *reader, const struct yaml_node *list, const char *what,
                 config_item_check *check, struct config_strings *ret_strings)
{
    struct config_string_list strings = {0};
    char item_what[NAMES_MAX];

    snprintf(item_what, sizeof(item_what), "a list of %s", what);
    if (!config_is_list(reader, list, item_what)) {
        return OK;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        const char *text = NULL;

        if (config_text(reader, item, what, &text) && (check == NULL || check(reader, item))) {
            TRY(ARENA_PUSH(reader->arena, reader->diag, &strings, text));
        }
    }
    ret_strings->items = strings.items;
    ret_strings->n = strings.n;
    return OK;
}
