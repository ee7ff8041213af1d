/*
 * Which files an import's paths name. Owner: the caller, until import_files_done. Thread: one.
 */
#ifndef CLI_IMPORT_FILES_H
#define CLI_IMPORT_FILES_H

#include "base/arena.h"

#define IMPORT_REASON_MAX 128

struct import_found {
    const char *path;
    char reason[IMPORT_REASON_MAX]; /* why it cannot be read; empty: it can */
};
struct import_files {
    struct import_found *items;
    size_t n, capacity;
    struct arena *arena;
};

/* Files in the order of <paths>; folders are walked, each sorted by name (bytes), links followed.
 * Left out below a path: hidden files, and sidecars of files that are there. What cannot be read is
 * in the list with its reason. */
MUST_CHECK struct status import_files_find(const char *const *paths, size_t n, struct diag *diag,
                                           struct import_files *ret_files);
void import_files_done(struct import_files *files);

#endif
