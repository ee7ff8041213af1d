/*
 * Cursors of destinations as files: what is refused, and that what was written is read.
 */
#include "audit/ship_cursor.h"

#include <stdio.h>
#include <sys/stat.h>

#include "tests/unit/journal_kit.h"
#include "tests/unit/unit.h"

static void
cursor_path(char path[PATH_MAX], const char *dir)
{
    char folder[PATH_MAX];
    kit_join(folder, dir, SHIP_CURSOR_FOLDER);
    kit_join(path, folder, "arr");
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"

static void
test_cursor_refused(void)
{
    static const char *const texts[] = {
        "",
        "isthmus-delivered 1",
        "isthmus-delivered 2\n",
        "isthmus-delivered 1\nnode\n",
        "isthmus-delivered 1\nnode 1\n",
        "isthmus-delivered 1\nnode x " ZEROS "\n",
        "isthmus-delivered 1\nnode 1 00\n",
        "isthmus-delivered 1\nnode 1 " ZEROS "0\n",
        "isthmus-delivered 1\n 1 " ZEROS "\n",
        "isthmus-delivered 1\nnode 1 " ZEROS "\nnode 2 " ZEROS "\n",
        "isthmus-delivered 1\nnode 1 " ZEROS,
        "isthmus-delivered 1\nnode 18446744073709551616 " ZEROS "\n",
        "isthmus-delivered 1\naaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeee 1 " ZEROS "\n",
    };
    const char *dir = kit_folder("cursor-refused");
    char folder[PATH_MAX];
    char path[PATH_MAX];
    (void)mkdir(dir, 0700);
    kit_join(folder, dir, SHIP_CURSOR_FOLDER);
    (void)mkdir(folder, 0700);
    cursor_path(path, dir);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct ship_cursor cursor = {0};
        struct diag diag = {0};
        kit_write_file(path, span_of_cstr(texts[i]));
        if (!CHECK_ERR(&diag, ERR_JOURNAL, ship_cursor_load(dir, "arr", &diag, &cursor))) {
            printf("  row %zu\n", i);
        }
        CU_ASSERT_EQUAL(cursor.n, 0);
        ship_cursor_done(&cursor);
    }
}

static void
test_cursor_round(void)
{
    const char *dir = kit_folder("cursor-round");
    struct ship_cursor cursor = {0};
    struct ship_cursor read = {0};
    struct diag diag = {0};
    struct ship_mark mark = {"node", 7, ZEROS};
    (void)mkdir(dir, 0700);
    CHECK_OK(&diag, ship_cursor_load(dir, "arr", &diag, &read)); /* there is none */
    CU_ASSERT_EQUAL(read.n, 0);
    CHECK_OK(&diag, ship_cursor_set(&cursor, &mark, &diag));
    mark = (struct ship_mark){"cli-0", UINT64_MAX, ZEROS};
    CHECK_OK(&diag, ship_cursor_set(&cursor, &mark, &diag));
    mark = (struct ship_mark){"node", 9, ZEROS};
    CHECK_OK(&diag, ship_cursor_set(&cursor, &mark, &diag));
    CHECK_OK(&diag, ship_cursor_store(dir, "arr", &cursor, &diag));
    CHECK_OK(&diag, ship_cursor_load(dir, "arr", &diag, &read));
    CU_ASSERT_EQUAL_FATAL(read.n, 2);
    CU_ASSERT_EQUAL(ship_cursor_of(&read, "node")->sequence, 9);
    CU_ASSERT_EQUAL(ship_cursor_of(&read, "cli-0")->sequence, UINT64_MAX);
    CU_ASSERT_PTR_NULL(ship_cursor_of(&read, "cli"));
    ship_cursor_done(&read);
    ship_cursor_done(&cursor);
}

static const struct unit_test tests[] = {
    {"files that are refused", test_cursor_refused},
    {"there and back", test_cursor_round},
};

UNIT_MAIN("ship cursor", tests)
