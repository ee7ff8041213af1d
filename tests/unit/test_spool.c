/* Sinks and their spool: refusals by name, files without names, room that comes back. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/spool.h"
#include "tests/unit/unit.h"

#define KB ((size_t)1024)
#define MB (KB * 1024)

static const char *
folder(void)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/spool", unit_temp_dir());
    return path;
}

static struct spool *
make_spool(uint64_t limit, size_t threshold)
{
    struct spool *spool = NULL;
    struct diag diag;
    diag_clear(&diag);
    CU_ASSERT_FATAL(CHECK_OK(&diag, spool_new(folder(), limit, threshold, &diag, &spool)));
    return spool;
}

static size_t
names_in_folder(void)
{
    size_t n = 0;
    DIR *dir = opendir(folder());
    CU_ASSERT_PTR_NOT_NULL_FATAL(dir);
    for (const struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        n += entry->d_name[0] != '.' ? 1 : 0;
    }
    (void)closedir(dir);
    return n;
}

/* <n> bytes that are not the same at any two places near each other. */
static char *
pattern(size_t n)
{
    char *bytes = mem_alloc(n);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = (char)((i * 2654435761U) >> 13);
    }
    return bytes;
}

static bool
has_bytes(const struct body *body, struct span want)
{
    struct buf scratch;
    struct span all = SPAN_EMPTY;
    struct diag diag;
    diag_clear(&diag);
    buf_init(&scratch, want.n + 1);
    const bool is_same =
        CHECK_OK(&diag, body_span(body, &scratch, &diag, &all)) && span_eq(all, want);
    buf_done(&scratch);
    return is_same;
}

static void
test_folder_refused(void)
{
    struct spool *spool = NULL;
    struct diag diag;
    char path[600];
    struct statfs info;
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO, spool_new("/nowhere/at/all", MB, KB, &diag, &spool));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "/nowhere/at/all"));
    diag_clear(&diag);
    (void)snprintf(path, sizeof(path), "%s/a-file", unit_temp_dir());
    (void)close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    CHECK_ERR(&diag, ERR_IO, spool_new(path, MB, KB, &diag, &spool));
    diag_clear(&diag);
    if (geteuid() != 0) {
        (void)snprintf(path, sizeof(path), "%s/closed", unit_temp_dir());
        CU_ASSERT_EQUAL(mkdir(path, 0500), 0);
        CHECK_ERR(&diag, ERR_IO, spool_new(path, MB, KB, &diag, &spool));
        diag_clear(&diag);
    }
    if (statfs("/dev/shm", &info) == 0 && info.f_type == TMPFS_MAGIC) {
        CHECK_ERR(&diag, ERR_CONFIG, spool_new("/dev/shm", MB, KB, &diag, &spool));
        CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "tmpfs"));
    }
    CU_ASSERT_PTR_NULL(spool);
}

static void
test_limits(void)
{
    struct spool *spool = make_spool(2 * MB, 64 * KB);
    char *bytes = pattern(MB);
    struct sink one, two;
    struct body body;
    struct diag diag;
    diag_clear(&diag);
    sink_init(&one, spool, 100);
    CHECK_OK(&diag, sink_append(&one, span_of(bytes, 100), &diag));
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, sink_append(&one, span_of(bytes, 1), &diag));
    sink_done(&one);

    diag_clear(&diag);
    sink_init(&one, spool, UINT64_MAX);
    sink_init(&two, spool, UINT64_MAX);
    CHECK_OK(&diag, sink_append(&one, span_of(bytes, MB), &diag));
    CHECK_OK(&diag, sink_append(&one, span_of(bytes, MB / 2), &diag));
    CHECK_OK(&diag, sink_finish(&one, &diag, &body));
    CU_ASSERT_EQUAL(spool_used(spool), MB + MB / 2); /* what a file does not need is given back */
    CHECK_OK(&diag, sink_append(&two, span_of(bytes, MB / 2), &diag));
    CHECK_ERR(&diag, ERR_SPOOL_FULL, sink_append(&two, span_of(bytes, 1), &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "spool.limit"));
    sink_done(&two);
    CU_ASSERT_EQUAL(spool_used(spool), MB + MB / 2);
    body_done(&body);
    CU_ASSERT_EQUAL(spool_used(spool), 0);
    sink_done(&one);
    mem_free(bytes);
    spool_unref(spool);
}

/* A write that the kernel refuses for want of room, for real: the process's own limit of a file. */
static void
test_no_room_on_disk(void)
{
    struct spool *spool = make_spool(100 * MB, 64 * KB);
    char *bytes = pattern(MB);
    struct rlimit before, small;
    struct sink sink;
    struct diag diag;
    diag_clear(&diag);
    (void)signal(SIGXFSZ, SIG_IGN);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 512 * KB;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &small), 0);
    sink_init(&sink, spool, UINT64_MAX);
    CHECK_ERR(&diag, ERR_SPOOL_FULL, sink_append(&sink, span_of(bytes, MB), &diag));
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, folder()));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, strerrordesc_np(EFBIG)));
    sink_done(&sink);
    CU_ASSERT_EQUAL(spool_used(spool), 0);
    mem_free(bytes);
    spool_unref(spool);
}

static void
check_pieces(struct spool *spool, size_t n, size_t step, enum body_kind want)
{
    char *bytes = pattern(n + 1);
    struct sink sink;
    struct body body;
    struct diag diag;
    diag_clear(&diag);
    sink_init(&sink, spool, UINT64_MAX);
    for (size_t at = 0; at < n; at += step) {
        const size_t part = n - at < step ? n - at : step;
        CHECK_OK(&diag, sink_append(&sink, span_of(bytes + at, part), &diag));
    }
    CU_ASSERT_EQUAL(names_in_folder(), 0); /* a crash now leaves nothing */
    CHECK_OK(&diag, sink_finish(&sink, &diag, &body));
    CU_ASSERT_EQUAL(sink.size, 0);
    CU_ASSERT_EQUAL(body.kind, want);
    CU_ASSERT_EQUAL(body.size, n);
    CU_ASSERT(has_bytes(&body, span_of(bytes, n)));
    CU_ASSERT_EQUAL(body_memory(&body), want == BODY_MEMORY ? n : 0);
    body_done(&body);
    /* once more with the same sink */
    CHECK_OK(&diag, sink_append(&sink, SPAN("again"), &diag));
    CHECK_OK(&diag, sink_finish(&sink, &diag, &body));
    CU_ASSERT(has_bytes(&body, SPAN("again")));
    body_done(&body);
    sink_done(&sink);
    mem_free(bytes);
}

static void
test_sizes(void)
{
    static const struct {
        size_t n;
        enum body_kind want;
    } rows[] = {
        {0, BODY_MEMORY},          {1, BODY_MEMORY},         {64 * KB - 1, BODY_MEMORY},
        {64 * KB, BODY_MEMORY},    {64 * KB + 1, BODY_FILE}, {96 * KB, BODY_FILE},
        {128 * KB + 7, BODY_FILE}, {3 * MB + 1, BODY_FILE},
    };
    static const size_t steps[] = {777, 16 * KB, 32 * KB, 100 * KB, 4 * MB};
    struct spool *spool = make_spool(100 * MB, 64 * KB);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t s = 0; s < ARRAY_LEN(steps); s++) {
            check_pieces(spool, rows[i].n, steps[s], rows[i].want);
        }
        check_pieces(NULL, rows[i].n, 10 * KB, BODY_MEMORY);
    }
    CU_ASSERT_EQUAL(spool_used(spool), 0);
    spool_unref(spool);
}

/* Slices share the file: its room is given back with the last of them, spool and all. */
static void
test_slices(void)
{
    struct spool *spool = make_spool(100 * MB, 64 * KB);
    char *bytes = pattern(MB);
    struct sink sink;
    struct body body, part, inner;
    struct diag diag;
    diag_clear(&diag);
    sink_init(&sink, spool, UINT64_MAX);
    CHECK_OK(&diag, sink_append(&sink, span_of(bytes, MB), &diag));
    CHECK_OK(&diag, sink_finish(&sink, &diag, &body));
    sink_done(&sink);
    CHECK_OK(&diag, body_slice(&body, 1000, 500 * KB, &diag, &part));
    CHECK_OK(&diag, body_slice(&part, 10, 100, &diag, &inner));
    body_done(&body);
    CU_ASSERT(has_bytes(&part, span_of(bytes + 1000, 500 * KB)));
    body_done(&part);
    CU_ASSERT(has_bytes(&inner, span_of(bytes + 1010, 100)));
    CU_ASSERT_EQUAL(spool_used(spool), MB);
    spool_ref(spool);
    spool_unref(spool);
    body_done(&inner);
    CU_ASSERT_EQUAL(spool_used(spool), 0);
    spool_unref(spool);
    mem_free(bytes);
}

/* ---- every allocation that fails ---- */

static struct status
run_all(struct diag *diag)
{
    static char bytes[100 * KB];
    struct spool *spool = NULL;
    struct sink sink;
    struct body body;
    TRY(spool_new(folder(), MB, 16 * KB, diag, &spool));
    sink_init(&sink, spool, UINT64_MAX);
    spool_unref(spool);
    struct status st = sink_append(&sink, span_of(bytes, 10 * KB), diag);
    st = is_ok(st) ? sink_append(&sink, span_of(bytes, 10 * KB), diag) : st;
    st = is_ok(st) ? sink_append(&sink, span_of(bytes, 70 * KB), diag) : st;
    st = is_ok(st) ? sink_finish(&sink, diag, &body) : st;
    if (is_ok(st)) {
        body_done(&body);
    }
    sink_done(&sink);
    return st;
}

static void
test_no_memory(void)
{
    unit_torture(run_all);
}

static const struct unit_test tests[] = {
    {"folders that are refused", test_folder_refused},
    {"limits of a sink and of the spool", test_limits},
    {"no room on the disk", test_no_room_on_disk},
    {"every size, in memory and in a file", test_sizes},
    {"slices of one file", test_slices},
    {"no memory", test_no_memory},
};

UNIT_MAIN("spool", tests)
