/*
 * Finds the files that `partners:` and `policies:` list: paths, and glob patterns as the shell has
 * them. Called while the configuration loads.
 */
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "config/config_reader.h"

static struct status
add_file(struct config_reader *reader, const char *path, const struct yaml_node *at,
         struct config_file_list *files)
{
    struct span copy;

    TRY(arena_dup(reader->arena, span_of_cstr(path), reader->diag, &copy));
    const struct config_file file = {.path = copy.p, .at = at};

    return ARENA_PUSH(reader->arena, reader->diag, files, file);
}

/* For glob: a folder that does not exist has no matches; one that may not be read is an error. */
static int
judge_folder(const char *path, int error)
{
    (void)path;
    return error != ENOENT && error != ENOTDIR;
}

/* A pattern that matches nothing is fine: a node may have no partner yet. */
static struct status
add_matches(struct config_reader *reader, const char *pattern, const struct yaml_node *at,
            struct config_file_list *files)
{
    glob_t found;
    struct status st = OK;
    const int result = glob(pattern, 0, judge_folder, &found);

    if (result == GLOB_NOMATCH) {
        globfree(&found);
        return OK;
    }
    if (result == GLOB_NOSPACE) {
        globfree(&found);
        return FAIL(reader->diag, ERR_NO_MEMORY, "no memory for the files of %s", pattern);
    }
    if (result != 0) {
        yaml_error(reader->report, at, "%s: a folder of this pattern cannot be read", pattern);
        globfree(&found);
        return OK;
    }
    for (size_t i = 0; i < found.gl_pathc && is_ok(st); i++) {
        st = add_file(reader, found.gl_pathv[i], at, files);
    }
    globfree(&found);
    return st;
}

static struct status
add_item(struct config_reader *reader, const struct yaml_node *item, struct config_file_list *files)
{
    const char *path = NULL;
    struct stat facts;

    TRY(config_path(reader, item, &path));
    if (path == NULL) {
        return OK;
    }
    if (strpbrk(item->scalar.p, "*?[") != NULL) {
        return add_matches(reader, path, item, files);
    }
    if (stat(path, &facts) != 0) {
        yaml_error(reader->report, item, "cannot open %s: %s", path, strerror(errno));
        return OK;
    }
    if (!S_ISREG(facts.st_mode)) {
        yaml_error(reader->report, item, "%s: not a file; for a folder's files write %s/*.yaml",
                   path, item->scalar.p);
        return OK;
    }
    return add_file(reader, path, item, files);
}

struct status
config_files(struct config_reader *reader, const struct yaml_node *list,
             struct config_file_list *ret_files)
{
    if (!config_is_list(reader, list, "a list of paths")) {
        return OK;
    }
    for (const struct yaml_node *item = list->children; item != NULL; item = item->next) {
        TRY(add_item(reader, item, ret_files));
    }
    return OK;
}

struct status
config_files_or_one(struct config_reader *reader, const struct yaml_node *node,
                    struct config_file_list *ret_files)
{
    return node != NULL && node->kind == YAML_SCALAR ? add_item(reader, node, ret_files)
                                                     : config_files(reader, node, ret_files);
}

struct status
config_file_failure(struct config_reader *reader, const struct config_file *file, struct status st,
                    const struct diag *reason)
{
    if (st.code == ERR_CONFIG_SYNTAX || st.code == ERR_POLICY_SYNTAX) {
        return OK; /* reported, with its place in that file */
    }
    if (st.code == ERR_IO || st.code == ERR_LIMIT_BUFFER) {
        yaml_error(reader->report, file->at, "%s", reason->text);
        return OK;
    }
    return FAIL(reader->diag, st.code, "%s", reason->text);
}
