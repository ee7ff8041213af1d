/*
 * The main of a fuzz target where libFuzzer is not: runs every file of the target's corpus, or the
 * files and folders that the command line names. A corpus that is missing or empty is an error. The
 * target's name is the program's, without "fuzz_". One thread; a time limit ends an endless input.
 */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"

#define INPUT_MAX    ((size_t)16 * 1024 * 1024)
#define TIME_LIMIT_S 300 /* of the whole corpus; UNIT_SECONDS allows more (valgrind) */

/* Most targets need no set-up. */
extern int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static void
replay_file(const char *path, size_t *inputs)
{
    struct diag diag = {0};
    struct buf bytes;
    buf_init(&bytes, INPUT_MAX);
    FUZZ_MUST(is_ok(buf_read_file(&bytes, path, &diag)), "%s", diag.text);
    /* A block of exactly its size: the sanitizers see a byte too far. */
    uint8_t *const exact = mem_alloc(bytes.n);
    FUZZ_MUST(exact != NULL, "no memory for %s", path);
    if (bytes.n > 0) {
        memcpy(exact, bytes.p, bytes.n);
    }
    (void)fprintf(stderr, "%s\n", path);
    (void)LLVMFuzzerTestOneInput(exact, bytes.n);
    mem_free(exact);
    buf_done(&bytes);
    *inputs += 1;
}

static void
replay(const char *path, size_t *inputs)
{
    struct stat info;
    FUZZ_MUST(stat(path, &info) == 0, "there is no %s", path);
    if (!S_ISDIR(info.st_mode)) {
        replay_file(path, inputs);
        return;
    }
    struct dirent **entries = NULL;
    const int n = scandir(path, &entries, NULL, alphasort);
    FUZZ_MUST(n >= 0, "cannot read the folder %s", path);
    for (int i = 0; i < n; i++) {
        char file[PATH_MAX];
        if (entries[i]->d_name[0] != '.' && (size_t)snprintf(file, sizeof(file), "%s/%s", path,
                                                             entries[i]->d_name) < sizeof(file)) {
            replay_file(file, inputs);
        }
        free(entries[i]);
    }
    free(entries);
}

/* Automake says where the sources are; else the build folder's own knowledge. */
static void
corpus_path(const char *program, char *ret_path, size_t size)
{
    const char *const from_make = getenv("srcdir");
    const char *const slash = strrchr(program, '/');
    const char *const base = slash == NULL ? program : slash + 1;
    const char *const name = strncmp(base, "fuzz_", 5) == 0 ? base + 5 : base;
    const int n = snprintf(ret_path, size, "%s/tests/fuzz/corpus/%s",
                           from_make == NULL ? SOURCE_DIR : from_make, name);
    FUZZ_MUST(n > 0 && (size_t)n < size, "the path is too long");
}

static unsigned
time_limit_s(void)
{
    uint64_t seconds = 0;
    const char *const given = getenv("UNIT_SECONDS");
    const bool is_given = span_to_u64(span_of_cstr(given), 24 * 3600, &seconds) && seconds > 0;
    return is_given ? (unsigned)seconds : TIME_LIMIT_S;
}

int
main(int argc, char **argv)
{
    size_t inputs = 0;
    char path[PATH_MAX];
    (void)alarm(time_limit_s());
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    for (int i = 1; i < argc; i++) {
        replay(argv[i], &inputs);
    }
    if (argc < 2) {
        corpus_path(argv[0], path, sizeof(path));
        replay(path, &inputs);
    }
    FUZZ_MUST(inputs > 0, "no inputs in %s", argc < 2 ? path : argv[1]);
    printf("%zu inputs replayed\n", inputs);
    return EXIT_SUCCESS;
}
