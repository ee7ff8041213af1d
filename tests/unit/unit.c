/*
 * The main of every unit test program: runs one CUnit suite, names wanted and actual errors, finds
 * real documents and gives a folder for files. One thread; the folder lives until unit_main ends.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <CUnit/Basic.h>

#include "base/mem.h"

#define TESTS_MAX    256 /* of one program */
#define TIME_LIMIT_S 900 /* of one test program; UNIT_SECONDS allows more (valgrind) */

static char temp_dir[PATH_MAX];
static CU_pTest not_run[TESTS_MAX]; /* those that lacked something */
static size_t not_run_count;

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
    if (temp_dir[0] != '\0') {
        (void)nftw(temp_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
        temp_dir[0] = '\0';
    }
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

bool
unit_wait(unsigned *looks)
{
    enum { LOOK_MS = 10 };
    (void)usleep(LOOK_MS * 1000);
    return ++*looks < UNIT_PATIENCE_S * 1000 / LOOK_MS;
}

bool
unit_is_memory_plain(void)
{
    const char *const preloaded = getenv("LD_PRELOAD");
    return !HAS_SANITIZER && (preloaded == NULL || strstr(preloaded, "vgpreload") == NULL);
}

const char *
unit_temp_dir(void)
{
    if (temp_dir[0] != '\0') {
        return temp_dir;
    }
    const char *base = getenv("TMPDIR");
    (void)snprintf(temp_dir, sizeof(temp_dir), "%s/isthmus-unit-XXXXXX",
                   base == NULL || base[0] == '\0' ? "/tmp" : base);
    if (mkdtemp(temp_dir) == NULL) {
        perror(temp_dir);
        exit(EXIT_FAILURE);
    }
    (void)atexit(remove_temp_dir);
    return temp_dir;
}

void
unit_not_run(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("\n    not run: ");
    (void)vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    if (CU_get_current_test() != NULL && not_run_count < TESTS_MAX) {
        not_run[not_run_count++] = CU_get_current_test();
    }
}

static bool
has_configure(const char *folder)
{
    char path[PATH_MAX];
    const int n = snprintf(path, sizeof(path), "%s/configure.ac", folder);
    return n > 0 && n < PATH_MAX && access(path, R_OK) == 0;
}

/* The root of the sources: where automake says, else the first folder upwards that has one. */
static bool
find_source_root(char root[PATH_MAX])
{
    const char *const from_make[] = {getenv("top_srcdir"), getenv("srcdir")};
    for (size_t i = 0; i < ARRAY_LEN(from_make); i++) {
        if (from_make[i] != NULL && has_configure(from_make[i])) {
            return realpath(from_make[i], root) != NULL;
        }
    }
    if (getcwd(root, PATH_MAX) == NULL) {
        return false;
    }
    while (!has_configure(root)) {
        char *slash = strrchr(root, '/');
        if (slash == NULL || slash == root) {
            return false;
        }
        *slash = '\0';
    }
    return true;
}

const char *
unit_data_path(const char *relative)
{
    static char path[PATH_MAX];
    char root[PATH_MAX];
    const char *data = getenv("ISTHMUS_DATA");
    int n = -1;
    if (data != NULL && data[0] != '\0') {
        n = snprintf(path, sizeof(path), "%s/%s", data, relative);
    } else if (find_source_root(root)) {
        n = snprintf(path, sizeof(path), "%s/../shared/data/%s", root, relative);
    }
    if (n < 0 || n >= PATH_MAX || access(path, R_OK) != 0) {
        unit_not_run("no data (%s)", relative);
        return NULL;
    }
    return path;
}

const char *
unit_source_path(const char *relative)
{
    static char path[PATH_MAX + 256];
    char root[PATH_MAX];

    if (!find_source_root(root)) {
        CU_FAIL("the root of the sources is not to be found");
        return NULL;
    }
    const int n = snprintf(path, sizeof(path), "%s/%s", root, relative);
    if (n < 0 || (size_t)n >= sizeof(path) || access(path, R_OK) != 0) {
        printf("\n    %s is not there\n", relative);
        CU_FAIL("a file of the sources is not there");
        return NULL;
    }
    return path;
}

bool
unit_check(const char *file, int line, const char *what, struct diag *diag, enum err want,
           struct status got)
{
    /* A failure that nobody recorded would reach the operator without a reason. */
    const bool is_recorded = want == ERR_NONE || diag == NULL || diag->code != ERR_NONE;
    const bool is_good = got.code == want && is_recorded;
    if (!is_good) {
        printf("\n    %s:%d: %s\n      wanted %s, got %s%s%s%s\n", file, line, what, err_name(want),
               err_name(got.code), is_recorded ? "" : " (not recorded in the diag)",
               diag != NULL && diag->code != ERR_NONE ? ": " : "",
               diag != NULL && diag->code != ERR_NONE ? diag->text : "");
    }
    return CU_assertImplementation(is_good, (unsigned)line, what, file, "", CU_FALSE) == CU_TRUE;
}

bool
unit_check_span(const char *file, int line, struct span got, const char *want)
{
    const bool is_good = span_eq_cstr(got, want);
    if (!is_good) {
        printf("\n    %s:%d: wanted '%s'\n      got '%.*s'\n", file, line, want, SPAN_PRINT(got));
    }
    return CU_assertImplementation(is_good, (unsigned)line, "CHECK_SPAN", file, "", CU_FALSE) ==
           CU_TRUE;
}

void unit_torture(struct status (*run)(struct diag *diag))
{
    enum { ALLOCATIONS_MAX = 100000 };
    for (uint64_t n = 0; n < ALLOCATIONS_MAX; n++) {
        struct diag diag;
        diag_clear(&diag);
        mem_fail_after(n);
        const struct status st = run(&diag);
        mem_fail_after(UINT64_MAX);
        if (is_ok(st)) {
            CU_ASSERT_FATAL(n > 0); /* it allocated nothing: there was nothing to test */
            return;
        }
        if (!CHECK_ERR(&diag, ERR_NO_MEMORY, st)) {
            printf("      when allocation %llu failed\n", (unsigned long long)n + 1);
            return;
        }
    }
    CU_FAIL("still failing after 100000 allocations");
}

static unsigned
time_limit_s(void)
{
    const char *given = getenv("UNIT_SECONDS");
    uint64_t seconds = 0;

    return span_to_u64(span_of_cstr(given), 24 * 3600, &seconds) && seconds > 0 ? (unsigned)seconds
                                                                                : TIME_LIMIT_S;
}

/* UNIT_UNTIL names the last test to run: the ones before it may have made what it needs. */
static size_t
count_wanted(const struct unit_test *tests, size_t n)
{
    const char *last = getenv("UNIT_UNTIL");
    for (size_t i = 0; last != NULL && i < n; i++) {
        if (strcmp(last, tests[i].name) == 0) {
            return i + 1;
        }
    }
    return n;
}

static bool
has_passed(CU_pTest test)
{
    for (const CU_FailureRecord *each = CU_get_failure_list(); each != NULL; each = each->pNext) {
        if (each->pTest == test) {
            return false;
        }
    }
    for (size_t i = 0; i < not_run_count; i++) {
        if (not_run[i] == test) {
            return false;
        }
    }
    return true;
}

/* The tests that ran and passed, for conformance/report: in the file that ISTHMUS_EVIDENCE names.
 */
static void
leave_evidence(const CU_Suite *suite)
{
    const char *path = getenv("ISTHMUS_EVIDENCE");
    FILE *file = path == NULL || path[0] == '\0' ? NULL : fopen(path, "a");
    if (file == NULL) {
        return;
    }
    for (CU_pTest test = suite->pTest; test != NULL; test = test->pNext) {
        if (has_passed(test)) {
            (void)fprintf(file, "ok %s: %s\n", program_invocation_short_name, test->pName);
        }
    }
    (void)fclose(file);
}

int
unit_main(const char *suite, const struct unit_test *tests, size_t n)
{
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)alarm(time_limit_s());
    if (CU_initialize_registry() != CUE_SUCCESS) {
        return EXIT_FAILURE;
    }
    CU_Suite *registered = CU_add_suite(suite, NULL, NULL);
    const size_t wanted = count_wanted(tests, n);
    for (size_t i = 0; registered != NULL && i < wanted; i++) {
        if (CU_add_test(registered, tests[i].name, tests[i].run) == NULL) {
            registered = NULL;
        }
    }
    int failures = 1;
    CU_basic_set_mode(CU_BRM_VERBOSE);
    if (registered != NULL && CU_basic_run_tests() == CUE_SUCCESS) {
        failures = (int)CU_get_number_of_failure_records();
        failures += (int)(CU_get_number_of_tests_run() != wanted);
        leave_evidence(registered);
    } else {
        printf("%s: %s\n", suite, CU_get_error_msg());
    }
    CU_cleanup_registry();
    remove_temp_dir();
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

bool
unit_torture_is_full(void)
{
    const char *value = getenv("ISTHMUS_TORTURE");

    return value != NULL && strcmp(value, "full") == 0;
}
