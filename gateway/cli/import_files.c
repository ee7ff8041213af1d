/*
 * Finds the files of an import with fts(3). Called by import.c on its thread.
 */
#include "cli/import_files.h"

#include <errno.h>
#include <fts.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIST_BYTES     ((size_t)1024 * 1024 * 1024) /* paths of some million files */
#define SIDECAR_SUFFIX ".yaml"

static int
by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static bool
is_sidecar(struct span path)
{
    return span_ends_with(path, SPAN(SIDECAR_SUFFIX)) && path.n > sizeof(SIDECAR_SUFFIX) - 1;
}

/* Is the document there that the sidecar describes? */
static struct status
has_document(struct span sidecar, struct arena *arena, struct diag *diag, bool *ret_has_it)
{
    struct span path;

    TRY(arena_dup(arena, span_slice(sidecar, 0, sidecar.n - (sizeof(SIDECAR_SUFFIX) - 1)), diag,
                  &path));
    *ret_has_it = access(path.p, F_OK) == 0;
    return OK;
}

static struct status
add(struct import_files *files, const char *path, const char *reason, struct diag *diag)
{
    struct import_found found = {0};
    struct span copy;

    TRY(arena_dup(files->arena, span_of_cstr(path), diag, &copy));
    found.path = copy.p;
    (void)snprintf(found.reason, sizeof(found.reason), "%s", reason);
    return ARENA_PUSH(files->arena, diag, files, found);
}

static struct status
add_file(struct import_files *files, const FTSENT *entry, struct diag *diag)
{
    const struct span path = span_of_cstr(entry->fts_path);
    bool has_it = false;

    if (entry->fts_level > FTS_ROOTLEVEL && entry->fts_name[0] == '.') {
        return OK;
    }
    if (!is_sidecar(path)) {
        return add(files, entry->fts_path, "", diag);
    }
    TRY(has_document(path, files->arena, diag, &has_it));
    if (!has_it) {
        return add(files, entry->fts_path,
                   "a sidecar without its document: the file of this name without .yaml is not "
                   "there",
                   diag);
    }
    return entry->fts_level > FTS_ROOTLEVEL
               ? OK
               : add(files, entry->fts_path, "a sidecar: name the document that it describes",
                     diag);
}

static struct status
add_entry(struct import_files *files, FTS *walk, FTSENT *entry, struct diag *diag)
{
    switch (entry->fts_info) {
    case FTS_F:
        return add_file(files, entry, diag);
    case FTS_D:
        if (entry->fts_level > FTS_ROOTLEVEL && entry->fts_name[0] == '.') {
            (void)fts_set(walk, entry, FTS_SKIP);
        }
        return OK;
    case FTS_DP:
        return OK;
    case FTS_DC:
        return add(files, entry->fts_path, "a folder that contains itself by a link", diag);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        return add(files, entry->fts_path, strerrordesc_np(entry->fts_errno), diag);
    case FTS_SLNONE:
        return add(files, entry->fts_path, "a link to nothing", diag);
    default:
        return add(files, entry->fts_path, "not a regular file", diag);
    }
}

static struct status
walk_path(struct import_files *files, const char *path, struct diag *diag)
{
    char *const paths[] = {(char *)path, NULL};
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, by_name);
    FTSENT *entry = NULL;
    struct status st = OK;

    if (walk == NULL) {
        return FAIL(diag, ERR_IO, "%s: %s", path, strerrordesc_np(errno));
    }
    while (is_ok(st) && (entry = fts_read(walk)) != NULL) {
        st = add_entry(files, walk, entry, diag);
    }
    (void)fts_close(walk);
    return st;
}

struct status
import_files_find(const char *const *paths, size_t n, struct diag *diag,
                  struct import_files *ret_files)
{
    struct import_files files = {.arena = arena_new(LIST_BYTES)};
    struct status st = OK;

    if (files.arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory for a list of files");
    }
    for (size_t i = 0; i < n && is_ok(st); i++) {
        st = walk_path(&files, paths[i], diag);
    }
    if (!is_ok(st)) {
        import_files_done(&files);
        return st;
    }
    *ret_files = files;
    return OK;
}

void
import_files_done(struct import_files *files)
{
    arena_free(files->arena);
    *files = (struct import_files){0};
}
