/*
 * Finds the rule files that come with Isthmus, for `isthmus init`. Called on the program's main
 * thread; touches nothing but the file system's names. The folders come from the build
 * (policies/local.mk).
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policies/policy.h"

/* The folder of the running program, or empty when the system does not say. */
static struct span
program_folder(char *room, size_t n)
{
    const ssize_t length = readlink("/proc/self/exe", room, n);
    struct span path;

    if (length <= 0 || (size_t)length == n) {
        return SPAN_EMPTY;
    }
    path = span_of(room, (size_t)length);
    while (path.n > 0 && path.p[path.n - 1] != '/') {
        path.n--;
    }
    return path;
}

/* Does it run where it was built? Both paths are compared without symbolic links. */
static bool
is_in_build(struct span folder)
{
    char build[PATH_MAX];

    if (realpath(ISTHMUS_BUILD_DIR, build) == NULL ||
        !span_starts_with(folder, span_of_cstr(build))) {
        return false;
    }
    return folder.p[strlen(build)] == '/'; /* <folder> ends with one */
}

struct status
policy_find_shipped(const char *name, struct arena *arena, struct diag *diag, struct span *ret_path)
{
    char room[PATH_MAX];
    const struct span folder = program_folder(room, sizeof(room));
    struct span places[3];

    /* Where it was built comes before where it may have been installed once, but only for a program
     * that runs there: an installed one must not look into somebody's source tree. */
    TRY(arena_printf(arena, diag, &places[0], "%s/policies/%s",
                     is_in_build(folder) ? ISTHMUS_SOURCE_DIR : ISTHMUS_DATA_DIR, name));
    TRY(arena_printf(arena, diag, &places[1], "%.*s../share/isthmus/policies/%s",
                     SPAN_PRINT(folder), name));
    TRY(arena_printf(arena, diag, &places[2], "%s/policies/%s", ISTHMUS_DATA_DIR, name));
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (access(places[i].p, R_OK) == 0) {
            *ret_path = places[i];
            return OK;
        }
    }
    return FAIL(diag, ERR_NOT_FOUND, "policy file %s is neither %s nor %s nor %s", name,
                places[0].p, places[1].p, places[2].p);
}
