/* The buffer: its ceiling, its NUL, its secrets, files. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

static void
test_ceiling(void)
{
    static const struct {
        size_t limit, have, more;
        enum err want;
    } cases[] = {
        {0, 0, 1, ERR_LIMIT_BUFFER},
        {10, 0, 11, ERR_LIMIT_BUFFER},
        {10, 10, 1, ERR_LIMIT_BUFFER},
        {300, 256, 45, ERR_LIMIT_BUFFER},
        {SIZE_MAX, 0, 1, ERR_LIMIT_BUFFER}, /* no ceiling is no buffer */
        {10, 10, 0, ERR_NONE},
        {10, 0, 10, ERR_NONE},
        {300, 256, 44, ERR_NONE},
        {0, 0, 0, ERR_NONE},
    };
    static const char bytes[300] = "x";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct diag diag;
        struct buf buf;
        char *room = NULL;
        diag_clear(&diag);
        buf_init(&buf, cases[i].limit);
        if (cases[i].have > 0) {
            CHECK_OK(&diag, buf_append(&buf, span_of(bytes, cases[i].have), &diag));
        }
        CHECK_ERR(&diag, cases[i].want, buf_append(&buf, span_of(bytes, cases[i].more), &diag));
        CU_ASSERT_EQUAL(buf.n, cases[i].have + (cases[i].want == ERR_NONE ? cases[i].more : 0));
        CU_ASSERT(buf.capacity <= buf.limit);
        diag_clear(&diag);
        CHECK_ERR(&diag, ERR_LIMIT_BUFFER, buf_reserve(&buf, SIZE_MAX, &diag, &room));
        CU_ASSERT_PTR_NULL(room);
        buf_done(&buf);
    }
}

static void
test_print_beyond_ceiling(void)
{
    struct diag diag;
    struct buf buf;
    diag_clear(&diag);
    buf_init(&buf, 8);
    CHECK_OK(&diag, buf_printf(&buf, &diag, "%s", "1234"));
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, buf_printf(&buf, &diag, "%s", "56789"));
    CHECK_SPAN(buf_span(&buf), "1234");
    diag_clear(&diag);
    CHECK_OK(&diag, buf_printf(&buf, &diag, "%s", "5678"));
    CHECK_SPAN(buf_span(&buf), "12345678");
    CU_ASSERT_EQUAL(buf.p[8], '\0');
    buf_done(&buf);
}

static void
test_nul_always_follows(void)
{
    struct diag diag;
    struct buf buf;
    char *room = NULL;
    diag_clear(&diag);
    buf_init(&buf, 100000);
    for (size_t i = 0; i < 5000; i++) {
        CHECK_OK(&diag, i % 3 == 0   ? buf_append_char(&buf, 'c', &diag)
                        : i % 3 == 1 ? buf_append_cstr(&buf, "de", &diag)
                                     : buf_append_cstr(&buf, NULL, &diag));
        CU_ASSERT_EQUAL(buf.p[buf.n], '\0');
    }
    CU_ASSERT_EQUAL(buf.n, 1667 + 2 * 1667);
    buf_reset(&buf);
    CU_ASSERT_EQUAL(buf.n, 0);
    CU_ASSERT_EQUAL(buf.p[0], '\0');
    CHECK_OK(&diag, buf_reserve(&buf, 10, &diag, &room));
    memcpy(room, "abc", 3);
    buf.n += 3;
    CU_ASSERT_STRING_EQUAL(buf.p, "abc"); /* and not the content before buf_reset */
    buf_done(&buf);
    CU_ASSERT_PTR_NULL(buf.p);
    CHECK_OK(&diag, buf_append_cstr(&buf, "again", &diag));
    CHECK_SPAN(buf_span(&buf), "again");
    buf_done(&buf);
}

static void
test_move(void)
{
    struct diag diag;
    struct buf from;
    struct buf to;
    diag_clear(&diag);
    buf_init_secret(&from, 100);
    buf_init(&to, 5);
    CHECK_OK(&diag, buf_reserve(&to, 1, &diag, &(char *){NULL})); /* memory, but no content */
    CHECK_OK(&diag, buf_append_cstr(&from, "secret", &diag));
    buf_move(&to, &from);
    CHECK_SPAN(buf_span(&to), "secret");
    CU_ASSERT(to.is_secret);
    CU_ASSERT_EQUAL(to.limit, 100);
    CU_ASSERT_PTR_NULL(from.p);
    CU_ASSERT_EQUAL(from.n, 0);
    CHECK_OK(&diag, buf_append_cstr(&from, "new", &diag));
    CHECK_SPAN(buf_span(&from), "new");
    buf_done(&from);
    buf_reset(&to);
    CU_ASSERT_EQUAL(memcmp(to.p, "\0\0\0\0\0\0", 6), 0);
    buf_done(&to);
}

static void
write_file(char ret_path[512], size_t size)
{
    (void)snprintf(ret_path, 512, "%s/file", unit_temp_dir());
    FILE *file = fopen(ret_path, "wb");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    for (size_t i = 0; i < size; i++) {
        (void)fputc((int)('a' + i % 26), file);
    }
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void
test_files_refused(void)
{
    char path[512];
    struct diag diag;
    struct buf buf;
    diag_clear(&diag);
    buf_init(&buf, 40000);
    CHECK_OK(&diag, buf_append_cstr(&buf, "before", &diag));
    CHECK_ERR(&diag, ERR_IO, buf_read_file(&buf, "/nonexistent/file", &diag));
    CU_ASSERT(strstr(diag.text, "/nonexistent/file") != NULL);
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO, buf_read_file(&buf, unit_temp_dir(), &diag)); /* a folder */
    diag_clear(&diag);
    write_file(path, 40000 - 6 + 1);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, buf_read_file(&buf, path, &diag));
    CU_ASSERT(strstr(diag.text, path) != NULL);
    CU_ASSERT_STRING_EQUAL(buf.p, "before");
    CHECK_SPAN(buf_span(&buf), "before");
    buf_done(&buf);
}

static void
test_files_read(void)
{
    static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 40000};
    char path[512];
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct diag diag;
        struct buf buf;
        diag_clear(&diag);
        write_file(path, sizes[i]);
        buf_init(&buf, 40000);
        CHECK_OK(&diag, buf_read_file(&buf, path, &diag));
        CU_ASSERT_EQUAL(buf.n, sizes[i]);
        CU_ASSERT(buf.n == 0 || buf.p[buf.n - 1] == (char)('a' + (buf.n - 1) % 26));
        CU_ASSERT(buf.n == 0 || buf.p[buf.n] == '\0');
        buf_done(&buf);
    }
}

static struct status
fill(struct buf *buf, struct diag *diag)
{
    for (int i = 0; i < 1000; i++) {
        TRY(buf_printf(buf, diag, "%d,", i));
    }
    return buf_append_cstr(buf, "end", diag);
}

static struct status
run_torture(struct diag *diag)
{
    struct buf buf;
    buf_init_secret(&buf, 10000);
    const struct status st = fill(&buf, diag);
    CU_ASSERT(buf.p == NULL || strlen(buf.p) == buf.n); /* whole, also after a failure */
    CU_ASSERT(!is_ok(st) || span_ends_with(buf_span(&buf), SPAN("998,999,end")));
    buf_done(&buf);
    return st;
}

static void
test_torture(void)
{
    unit_torture(run_torture);
}

static const struct unit_test tests[] = {
    {"the ceiling", test_ceiling},
    {"printing beyond the ceiling", test_print_beyond_ceiling},
    {"files that are refused", test_files_refused},
    {"every failing allocation", test_torture},
    {"a NUL always follows", test_nul_always_follows},
    {"moving takes limit and secrecy along", test_move},
    {"files of sizes at the borders", test_files_read},
};
UNIT_MAIN("buf", tests)
