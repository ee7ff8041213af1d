/* Bodies: the same bytes from memory and from a file. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/body.h"
#include "tests/unit/unit.h"

#define CONTENT "0123456789abcdef"

static const char *
file_path(void)
{
    static char path[512];
    (void)snprintf(path, sizeof(path), "%s/body", unit_temp_dir());
    return path;
}

static int
make_file(const char *content)
{
    const char *path = file_path();
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(write(fd, content, strlen(content)), (ssize_t)strlen(content));
    return fd;
}

static void
make_body(enum body_kind kind, struct body *ret_body)
{
    struct diag diag;
    diag_clear(&diag);
    if (kind == BODY_FILE) {
        CHECK_OK(&diag, body_from_fd(ret_body, make_file(CONTENT), &diag));
        return;
    }
    struct buf content;
    buf_init(&content, 100);
    CHECK_OK(&diag, buf_append_cstr(&content, CONTENT, &diag));
    body_from_buf(ret_body, &content);
    CU_ASSERT_PTR_NULL(content.p);
}

static void
test_descriptors_refused(void)
{
    struct diag diag;
    struct body body;
    int ends[2];
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO, body_from_fd(&body, -1, &diag));
    diag_clear(&diag);
    CU_ASSERT_EQUAL(pipe(ends), 0);
    CHECK_ERR(&diag, ERR_IO, body_from_fd(&body, ends[0], &diag));
    CU_ASSERT_EQUAL(fcntl(ends[0], F_GETFD), -1); /* taken, so closed */
    (void)close(ends[1]);
}

static void
test_unreadable(void)
{
    char path[512];
    char byte = 'o';
    size_t n = 99;
    struct diag diag;
    struct body body;
    diag_clear(&diag);
    (void)close(make_file(CONTENT));
    (void)snprintf(path, sizeof(path), "%s/body", unit_temp_dir());
    CHECK_OK(&diag, body_from_fd(&body, open(path, O_WRONLY | O_CLOEXEC), &diag));
    CHECK_ERR(&diag, ERR_IO, body_read(&body, 0, &byte, 1, &diag, &n));
    CU_ASSERT(n == 99 && byte == 'o');
    body_done(&body);
}

static void
test_file_became_shorter(void)
{
    char bytes[64];
    size_t n = 99;
    struct diag diag;
    struct body body;
    struct buf scratch;
    struct span all = SPAN("old");
    diag_clear(&diag);
    buf_init(&scratch, 100);
    make_body(BODY_FILE, &body);
    CU_ASSERT_EQUAL(truncate(file_path(), 4), 0);
    CHECK_ERR(&diag, ERR_IO, body_read(&body, 2, bytes, sizeof(bytes), &diag, &n));
    CU_ASSERT_EQUAL(n, 99);
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_IO, body_span(&body, &scratch, &diag, &all));
    CHECK_SPAN(all, "old");
    CU_ASSERT_EQUAL(scratch.n, 0);
    buf_done(&scratch);
    body_done(&body);
}

static void
test_scratch_too_small(void)
{
    struct diag diag;
    struct body body;
    struct buf scratch;
    struct span all = SPAN("old");
    diag_clear(&diag);
    buf_init(&scratch, strlen(CONTENT) - 1);
    make_body(BODY_FILE, &body);
    CHECK_ERR(&diag, ERR_LIMIT_BUFFER, body_span(&body, &scratch, &diag, &all));
    body_done(&body);
    diag_clear(&diag);
    make_body(BODY_MEMORY, &body); /* needs no scratch */
    CHECK_OK(&diag, body_span(&body, &scratch, &diag, &all));
    CHECK_SPAN(all, CONTENT);
    body_done(&body);
    buf_done(&scratch);
}

static void
test_reading(void)
{
    static const struct {
        uint64_t offset;
        size_t n;
        const char *want;
    } cases[] = {
        {16, 1, ""},  {17, 5, ""},      {UINT64_MAX, 5, ""}, {0, 0, ""},         {15, 60, "f"},
        {3, 2, "34"}, {0, 16, CONTENT}, {0, 60, CONTENT},    {10, 60, "abcdef"},
    };
    static const enum body_kind kinds[] = {BODY_MEMORY, BODY_FILE};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct body body;
        make_body(kinds[k], &body);
        CU_ASSERT_EQUAL(body.size, 16);
        for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
            char bytes[64];
            size_t n = 99;
            struct diag diag;
            diag_clear(&diag);
            CHECK_OK(&diag, body_read(&body, cases[i].offset, bytes, cases[i].n, &diag, &n));
            CHECK_SPAN(span_of(bytes, n), cases[i].want);
        }
        body_done(&body);
        CU_ASSERT_EQUAL(body.size, 0);
    }
}

static void
test_move_and_empty(void)
{
    struct diag diag;
    struct body from;
    struct body to;
    struct buf scratch;
    struct span all;
    diag_clear(&diag);
    buf_init(&scratch, 100);
    CHECK_OK(&diag, buf_append_cstr(&scratch, "old content", &diag));
    make_body(BODY_FILE, &from);
    body_move(&to, &from);
    CU_ASSERT_EQUAL(from.kind, BODY_MEMORY);
    CU_ASSERT_EQUAL(from.size, 0);
    body_done(&from);
    CHECK_OK(&diag, body_span(&to, &scratch, &diag, &all));
    CHECK_SPAN(all, CONTENT);
    body_done(&to);
    body_init(&to);
    CHECK_OK(&diag, body_span(&to, &scratch, &diag, &all));
    CHECK_SPAN(all, "");
    body_done(&to);
    CHECK_OK(&diag, body_from_fd(&to, make_file(""), &diag));
    CHECK_OK(&diag, body_span(&to, &scratch, &diag, &all));
    CHECK_SPAN(all, "");
    body_done(&to);
    buf_done(&scratch);
}

/* ---- lists ---- */

static void
make_list(struct body *ret_list)
{
    struct body parts[4];
    struct diag diag;
    diag_clear(&diag);
    make_body(BODY_MEMORY, &parts[0]);
    make_body(BODY_FILE, &parts[1]);
    body_init(&parts[2]);
    make_body(BODY_FILE, &parts[3]);
    CHECK_OK(&diag, body_from_list(ret_list, parts, ARRAY_LEN(parts), &diag));
    CU_ASSERT_EQUAL(parts[1].kind, BODY_MEMORY); /* moved */
}

static struct status
collect(void *arg, struct span piece, struct diag *diag)
{
    return buf_append(arg, piece, diag);
}

static void
test_lists(void)
{
    static const char want[] = CONTENT CONTENT CONTENT;
    struct diag diag;
    struct body list;
    struct buf scratch, collected;
    struct span all;
    diag_clear(&diag);
    buf_init(&scratch, 100);
    buf_init(&collected, 100);
    make_list(&list);
    CU_ASSERT_EQUAL(list.size, 48);
    CU_ASSERT_EQUAL(body_memory(&list), 16);
    CHECK_OK(&diag, body_span(&list, &scratch, &diag, &all));
    CHECK_SPAN(all, want);
    CHECK_OK(&diag, body_each(&list, collect, &collected, &diag));
    CHECK_SPAN(buf_span(&collected), want);
    for (size_t offset = 0; offset <= 50; offset++) {
        for (size_t n = 0; n <= 50; n++) {
            char bytes[64];
            size_t got = 99;
            CHECK_OK(&diag, body_read(&list, offset, bytes, n, &diag, &got));
            CU_ASSERT(span_eq(span_of(bytes, got), span_slice(SPAN(want), offset, n)));
            if (offset + n <= list.size) {
                struct body part;
                CHECK_OK(&diag, body_slice(&list, offset, n, &diag, &part));
                CU_ASSERT(part.size == n);
                CHECK_OK(&diag, body_span(&part, &scratch, &diag, &all));
                CU_ASSERT(span_eq(all, span_slice(SPAN(want), offset, n)));
                body_done(&part);
            }
        }
    }
    body_done(&list);
    buf_done(&scratch);
    buf_done(&collected);
}

/* ---- slices ---- */

static void
test_slices(void)
{
    static const enum body_kind kinds[] = {BODY_MEMORY, BODY_FILE};
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        struct diag diag;
        struct body body, part;
        struct buf scratch;
        struct span all;
        diag_clear(&diag);
        buf_init(&scratch, 100);
        make_body(kinds[k], &body);
        CHECK_OK(&diag, body_slice(&body, 3, 5, &diag, &part));
        body_done(&body);
        CHECK_OK(&diag, body_span(&part, &scratch, &diag, &all));
        CHECK_SPAN(all, "34567");
        body_done(&part);
        buf_done(&scratch);
    }
    struct body over = body_over(SPAN("borrowed"));
    char bytes[16];
    size_t n = 0;
    struct diag diag;
    diag_clear(&diag);
    CHECK_OK(&diag, body_read(&over, 2, bytes, sizeof(bytes), &diag, &n));
    CHECK_SPAN(span_of(bytes, n), "rrowed");
}

/* ---- expected digests ---- */

static void
test_digest(void)
{
    static const bool rows[] = {true, false};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t sha256[SHA256_BYTES];
        char bytes[16];
        size_t n = 99;
        struct body body;
        struct diag diag;
        diag_clear(&diag);
        make_body(BODY_FILE, &body);
        CHECK_OK(&diag, digest_sha256(SPAN(CONTENT), &diag, sha256));
        sha256[31] ^= rows[i] ? 0 : 1;
        CHECK_OK(&diag, body_expect(&body, sha256, &diag));
        CHECK_OK(&diag, body_read(&body, 0, bytes, 5, &diag, &n));
        CHECK_OK(&diag, body_read(&body, 2, bytes, 8, &diag, &n)); /* some of it again */
        CHECK_OK(&diag, body_read(&body, 10, bytes, 0, &diag, &n));
        n = 99;
        CHECK_ERR(&diag, rows[i] ? ERR_NONE : ERR_IO, body_read(&body, 8, bytes, 16, &diag, &n));
        CU_ASSERT_EQUAL(n, rows[i] ? 8 : 99); /* the last bytes of wrong ones never come out */
        diag_clear(&diag);
        CHECK_ERR(&diag, rows[i] ? ERR_NONE : ERR_IO, body_read(&body, 0, bytes, 16, &diag, &n));
        body_done(&body);
    }
}

static const struct unit_test tests[] = {
    {"lists of bodies", test_lists},
    {"slices and borrowed bytes", test_slices},
    {"a file that must have a digest", test_digest},
    {"descriptors that are refused", test_descriptors_refused},
    {"a file that cannot be read", test_unreadable},
    {"a file that became shorter", test_file_became_shorter},
    {"a scratch buffer that is too small", test_scratch_too_small},
    {"reading, from memory and from a file", test_reading},
    {"moving, and empty bodies", test_move_and_empty},
};
UNIT_MAIN("body", tests)
