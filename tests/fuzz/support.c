/*
 * The helpers of fuzz.h, and what the kits of the unit tests ask of CUnit and of tests/unit/unit.h:
 * here a check that fails ends the process, and there is one folder for files. Linked into every
 * target. Thread: one.
 */
#include "fuzz/fuzz.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define ARENA_BYTES ((size_t)16 * 1024 * 1024)

void
fuzz_broken(const char *file, int line, const char *claim, const char *format, ...)
{
    va_list arguments;
    (void)fprintf(stderr, "%s:%d: broken promise: %s\n  ", file, line, claim);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    (void)fputc('\n', stderr);
    abort();
}

struct arena *
fuzz_arena(void)
{
    struct arena *const arena = arena_new(ARENA_BYTES);
    FUZZ_MUST(arena != NULL, "no memory for an arena");
    return arena;
}

void
fuzz_check_refusal(struct status st, const struct diag *diag)
{
    if (is_ok(st)) {
        return;
    }
    FUZZ_MUST(diag->code != ERR_NONE && diag->text[0] != '\0', "%s is not recorded",
              err_name(st.code));
    FUZZ_MUST(err_class(st.code) != ERR_CLASS_INTERNAL, "an input made %s: %s", err_name(st.code),
              diag->text);
}

uint8_t
fuzz_take_u8(struct span *input)
{
    struct span byte;
    return span_take(input, 1, &byte) ? (uint8_t)byte.p[0] : 0;
}

uint16_t
fuzz_take_u16(struct span *input)
{
    const unsigned low = fuzz_take_u8(input);
    return (uint16_t)(low | (unsigned)fuzz_take_u8(input) << 8);
}

struct fuzz_random
fuzz_random_of(unsigned seed)
{
    return (struct fuzz_random){seed * UINT64_C(0x9E3779B97F4A7C15) + 1};
}

/* xorshift64* */
uint32_t
fuzz_random_below(struct fuzz_random *random, uint32_t below)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return below == 0 ? 0
                      : (uint32_t)((random->state * UINT64_C(0x2545F4914F6CDD1D)) >> 32) % below;
}

/* ---- in place of CUnit and unit.c ---- */

CU_BOOL
CU_assertImplementation(CU_BOOL is_good, unsigned int line, const char *condition, const char *file,
                        const char *function, CU_BOOL is_fatal)
{
    (void)function;
    (void)is_fatal;
    if (!is_good) {
        fuzz_broken(file, (int)line, condition, "in a kit of the unit tests");
    }
    return CU_TRUE;
}

bool
unit_check(const char *file, int line, const char *what, struct diag *diag, enum err want,
           struct status got)
{
    if (got.code != want) {
        fuzz_broken(file, line, what, "wanted %s, got %s: %s", err_name(want), err_name(got.code),
                    diag == NULL ? "" : diag->text);
    }
    return true;
}

static char temp_dir[256];

static int
remove_entry(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

static void
remove_temp_dir(void)
{
    (void)nftw(temp_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* In memory where there is such a file system: some targets write files all the time. */
const char *
unit_temp_dir(void)
{
    if (temp_dir[0] == '\0') {
        const char *const base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        (void)snprintf(temp_dir, sizeof(temp_dir), "%s/isthmus-fuzz-XXXXXX", base);
        FUZZ_MUST(mkdtemp(temp_dir) != NULL, "no folder %s", temp_dir);
        (void)atexit(remove_temp_dir);
    }
    return temp_dir;
}
