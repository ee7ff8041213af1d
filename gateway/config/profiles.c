/*
 * Reads partner profiles: the shipped ones when a partner's file names them, an operator's own when
 * the configuration loads, so that a mistake in one is found although no partner uses it. Called on
 * the loading thread; everything lives in the configuration's arena.
 */
#include "config/profiles.h"

#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_MAX 128 /* profiles that "did you mean" looks at */

/* ---- one file ---- */

/* Keys of a partner's file that others of its kind share. */
static const char *const settable[] = {
    "tls",        "confirmation", "may_omit",  "sha1_until",   "replay",
    "assertions", "delegators",   "writes",    "fault_status", "timeout",
    "timeouts",   "limits",       "addresses", "asynchronous", "deferred",
};
static const char *const settable_tls[] = {"identity", "server_chain", "suites"};

static void
refuse_others(struct config_reader *reader, const struct yaml_node *mapping,
              const char *const *names, size_t n)
{
    char list[256];

    yaml_list_names(names, n, list, sizeof(list));
    for (const struct yaml_node *child = mapping->children; child != NULL; child = child->next) {
        bool is_listed = false;

        for (size_t i = 0; i < n && !is_listed; i++) {
            is_listed = span_eq_cstr(child->key, names[i]);
        }
        if (!is_listed) {
            yaml_report_add(reader->report, child->file, child->key_line, child->key_column,
                            "a profile cannot set '%.*s', which is each partner's own; it may set "
                            "%s",
                            SPAN_PRINT(child->key), list);
        }
    }
}

static bool
has_parameter(const struct yaml_node *node)
{
    if (node->kind == YAML_SCALAR) {
        return span_eq(node->scalar, SPAN("$"));
    }
    for (const struct yaml_node *child = node->children; child != NULL; child = child->next) {
        if (has_parameter(child)) {
            return true;
        }
    }
    return false;
}

static struct status
read_profile(struct config_reader *reader, struct yaml_node *root, const char *name)
{
    static const char *const names[] = {"about", "parameter", "sets"};
    struct config_profile profile = {.name = name};
    const int errors = reader->report->errors;
    struct yaml_node *about = config_need(reader, root, "about");
    struct yaml_node *sets = config_need(reader, root, "sets");
    struct yaml_node *parameter = yaml_get(root, "parameter");

    yaml_check_keys(reader->report, root, names, ARRAY_LEN(names));
    (void)config_text(reader, about, "text that says whom it is for", &profile.about);
    (void)config_text(reader, parameter, "an example of its value", &profile.parameter);
    if (sets != NULL && (sets->kind != YAML_MAPPING || sets->children == NULL)) {
        config_expected(reader, sets, "keys of a partner's file");
    } else if (sets != NULL) {
        const struct yaml_node *tls = yaml_get(sets, "tls");

        refuse_others(reader, sets, settable, ARRAY_LEN(settable));
        if (tls != NULL) {
            refuse_others(reader, tls, settable_tls, ARRAY_LEN(settable_tls));
        }
        if (has_parameter(sets) != (parameter != NULL)) {
            yaml_error(reader->report, sets,
                       parameter == NULL ? "sets: '$' stands for the value of a parameter; add "
                                           "'parameter: EXAMPLE'"
                                         : "sets: no '$', where the parameter's value would go");
        }
    }
    if (reader->report->errors == errors) {
        profile.sets = sets;
    }
    return ARENA_PUSH(reader->arena, reader->diag, &reader->profiles, profile);
}

/* ---- those that are shipped ---- */

static const struct config_shipped_profile *
find_shipped(struct span name)
{
    for (size_t i = 0; i < config_shipped_profiles_n; i++) {
        if (span_eq_cstr(name, config_shipped_profiles[i].name)) {
            return &config_shipped_profiles[i];
        }
    }
    return NULL;
}

static struct status
read_shipped(struct config_reader *reader, const struct config_shipped_profile *shipped)
{
    struct yaml_node *root = NULL;
    struct span file;

    TRY(arena_printf(reader->arena, reader->diag, &file, "profiles/%s.yaml", shipped->name));
    TRY(yaml_read_text(file.p, span_of_cstr(shipped->text), reader->arena, reader->report,
                       reader->diag, &root));
    return read_profile(reader, root, shipped->name);
}

/* ---- an operator's own ---- */

static struct status
add_own(struct config_reader *reader, const struct config_file *file)
{
    const char *slash = strrchr(file->path, '/');
    struct span name = span_of_cstr(slash == NULL ? file->path : slash + 1);
    struct yaml_node *root = NULL;
    struct diag reason = {0};
    struct span copy;

    name = span_slice(name, 0, name.n - strlen(".yaml"));
    if (!config_is_name(name)) {
        yaml_error(reader->report, file->at,
                   "%s: a profile's name has lower-case letters, digits, '-' and '_', at most 32",
                   file->path);
        return OK;
    }
    if (find_shipped(name) != NULL) {
        yaml_error(reader->report, file->at,
                   "%s: a profile of that name is shipped; give it another", file->path);
        return OK;
    }
    const struct status st =
        yaml_read_file(file->path, reader->arena, reader->report, &reason, &root);

    if (!is_ok(st)) {
        return config_file_failure(reader, file, st, &reason);
    }
    TRY(arena_dup(reader->arena, name, reader->diag, &copy));
    return read_profile(reader, root, copy.p);
}

static struct status
add_folder(struct config_reader *reader, const struct yaml_node *node, const char *pattern)
{
    struct status st = OK;
    glob_t found;
    const int result = glob(pattern, 0, NULL, &found);

    if (result == GLOB_NOSPACE) {
        st = FAIL(reader->diag, ERR_NO_MEMORY, "no memory for the files of %s", pattern);
    }
    for (size_t i = 0; result == 0 && i < found.gl_pathc && is_ok(st); i++) {
        struct config_file file = {.at = node};
        struct span path;

        st = arena_dup(reader->arena, span_of_cstr(found.gl_pathv[i]), reader->diag, &path);
        if (is_ok(st)) {
            file.path = path.p;
            st = add_own(reader, &file);
        }
    }
    globfree(&found);
    return st;
}

struct status
config_read_profiles(struct config_reader *reader, struct yaml_node *root)
{
    const struct yaml_node *node = yaml_get(root, "profiles");
    const char *folder = NULL;
    struct span pattern;
    struct stat facts;

    TRY(config_path(reader, node, &folder));
    if (folder == NULL) {
        return OK;
    }
    if (stat(folder, &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        yaml_error(reader->report, node, "profiles: expected a folder, %s is none", folder);
        return OK;
    }
    TRY(arena_printf(reader->arena, reader->diag, &pattern, "%s/*.yaml", folder));
    return add_folder(reader, node, pattern.p);
}

/* ---- by name ---- */

static void
report_unknown(struct config_reader *reader, const struct yaml_node *at, struct span name)
{
    const char *names[NAMES_MAX];
    size_t n = 0;

    for (size_t i = 0; i < config_shipped_profiles_n && n < NAMES_MAX; i++) {
        names[n++] = config_shipped_profiles[i].name;
    }
    for (size_t i = 0; i < reader->profiles.n && n < NAMES_MAX; i++) {
        names[n++] = reader->profiles.items[i].name;
    }
    const char *nearest = yaml_nearest(name, names, n);

    if (nearest != NULL) {
        yaml_error(reader->report, at, "no profile '%.*s'; did you mean '%s'?", SPAN_PRINT(name),
                   nearest);
    } else {
        yaml_error(reader->report, at,
                   "no profile '%.*s'; `isthmus partners --profiles` lists them", SPAN_PRINT(name));
    }
}

static const struct config_profile *
find_read(const struct config_reader *reader, struct span name)
{
    for (size_t i = 0; i < reader->profiles.n; i++) {
        if (span_eq_cstr(name, reader->profiles.items[i].name)) {
            return &reader->profiles.items[i];
        }
    }
    return NULL;
}

struct status
config_find_profile(struct config_reader *reader, const struct yaml_node *at, struct span name,
                    const struct config_profile **ret_profile)
{
    const struct config_profile *found = find_read(reader, name);
    const struct config_shipped_profile *shipped = found == NULL ? find_shipped(name) : NULL;

    if (shipped != NULL) {
        TRY(read_shipped(reader, shipped));
        found = find_read(reader, name);
    } else if (found == NULL) {
        report_unknown(reader, at, name);
    }
    *ret_profile = found == NULL || found->sets == NULL ? NULL : found;
    return OK;
}
