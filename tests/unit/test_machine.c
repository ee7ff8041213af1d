/* How much memory a machine gives: made-up trees of /proc and /sys, and this machine. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/machine.h"
#include "tests/unit/unit.h"

#define PHYSICAL ((uint64_t)8 << 30)

/* Each row a machine: what /proc/self/cgroup says, and files under /sys/fs/cgroup. */
static const struct row {
    const char *name;
    const char *cgroup;
    struct {
        const char *path, *text;
    } files[3];
    uint64_t want;
} rows[] = {
    {"nothing is known", "", {{NULL, NULL}}, PHYSICAL},
    {"version 2, no limit", "0::/a/b\n", {{"a/b/memory.max", "max\n"}}, PHYSICAL},
    {"version 2", "0::/a/b\n", {{"a/b/memory.max", "1048576\n"}}, 1048576},
    {"version 2, the group around it",
     "0::/a/b\n",
     {{"a/b/memory.max", "max\n"}, {"a/memory.max", "2097152\n"}},
     2097152},
    {"version 2, the root of a container", "0::/\n", {{"memory.max", "4194304\n"}}, 4194304},
    {"version 2, more than there is", "0::/a\n", {{"a/memory.max", "99999999999\n"}}, PHYSICAL},
    {"version 1, no limit",
     "4:memory:/a\n0::/\n",
     {{"memory/a/memory.limit_in_bytes", "9223372036854771712\n"}},
     PHYSICAL},
    {"version 1",
     "5:cpu:/x\n4:memory:/a\n0::/\n",
     {{"memory/a/memory.limit_in_bytes", "1048576\n"}},
     1048576},
    {"another controller's", "4:cpu:/a\n", {{"memory/a/memory.limit_in_bytes", "1\n"}}, PHYSICAL},
    {"nonsense", "0:/a\n\n::\n", {{"memory.max", "-5\n"}}, PHYSICAL},
    {"zero is no limit", "0::/a\n", {{"a/memory.max", "0\n"}}, PHYSICAL},
};

/* Makes the folders on the way, too. */
static void
put(const char *root, const char *path, const char *text)
{
    char whole[512];
    (void)snprintf(whole, sizeof(whole), "%s/%s", root, path);
    for (char *slash = strchr(whole + strlen(root) + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(whole, 0700);
        *slash = '/';
    }
    FILE *file = fopen(whole, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT(fclose(file) == 0);
}

static void
test_rows(void)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        char root[256], path[512];
        (void)snprintf(root, sizeof(root), "%s/%zu", unit_temp_dir(), i);
        CU_ASSERT_FATAL(mkdir(root, 0700) == 0);
        put(root, "proc/self/cgroup", row->cgroup);
        for (size_t j = 0; j < ARRAY_LEN(row->files) && row->files[j].path != NULL; j++) {
            (void)snprintf(path, sizeof(path), "sys/fs/cgroup/%s", row->files[j].path);
            put(root, path, row->files[j].text);
        }
        const uint64_t got = machine_memory_under(root, PHYSICAL);
        if (got != row->want) {
            printf("\n    %s: wanted %llu, got %llu", row->name, (unsigned long long)row->want,
                   (unsigned long long)got);
            CU_FAIL("another amount of memory");
        }
    }
}

static void
test_this_machine(void)
{
    const uint64_t bytes = machine_memory_bytes();
    CU_ASSERT(bytes >= (uint64_t)16 << 20);
    CU_ASSERT(bytes <= (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE));
    CU_ASSERT(machine_cores() >= 1 && machine_cores() <= 64);
}

static const struct unit_test tests[] = {
    {"made-up machines", test_rows},
    {"this machine", test_this_machine},
};

UNIT_MAIN("machine", tests)
