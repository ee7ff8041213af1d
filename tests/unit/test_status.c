/* The floor under the floor: error rows, the diag, the heap's door, clocks. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tests/unit/unit.h"

static void
test_rows(void)
{
    CU_ASSERT_STRING_EQUAL(err_name(ERR_NONE), "NONE");
    CU_ASSERT_EQUAL(err_class(ERR_NONE), ERR_CLASS_NONE);
    CU_ASSERT_EQUAL(err_http_status(ERR_NONE), 200);
    CU_ASSERT_STRING_EQUAL(err_public_text(ERR_NONE), "");
    CU_ASSERT_STRING_EQUAL(err_name(ERR_COUNT), "INTERNAL"); /* out of range */
    for (int i = ERR_NONE + 1; i < ERR_COUNT; i++) {
        const enum err code = (enum err)i;
        CU_ASSERT(err_name(code)[0] != '\0');
        CU_ASSERT(err_public_text(code)[0] != '\0');
        CU_ASSERT(err_class(code) != ERR_CLASS_NONE);
        CU_ASSERT(err_http_status(code) >= 200 && err_http_status(code) <= 599);
        CU_ASSERT(err_class_name(err_class(code))[0] != '\0');
        if (err_class(code) == ERR_CLASS_SECURITY) {
            /* which check failed must not be told */
            CU_ASSERT_STRING_EQUAL(err_public_text(code), ERR_SECURITY_TEXT);
            CU_ASSERT_STRING_EQUAL(err_ihe_code(code), "");
        }
    }
    CU_ASSERT_EQUAL(err_fault(ERR_SIG_WRAPPED), ERR_FAULT_WSSE_FAILED_CHECK);
    CU_ASSERT_STRING_EQUAL(err_ihe_code(ERR_UNKNOWN_PATIENT), "XDSUnknownPatientId");
}

static void
test_first_failure_wins(void)
{
    struct diag diag;
    diag_clear(&diag);
    CU_ASSERT_EQUAL(FAIL(&diag, ERR_IO, "cannot read %s", "x").code, ERR_IO);
    CU_ASSERT_EQUAL(FAIL(&diag, ERR_STORE, "later").code, ERR_STORE);
    CU_ASSERT_EQUAL(FAIL(NULL, ERR_STORE, "nobody asks").code, ERR_STORE);
    CU_ASSERT_EQUAL(diag.code, ERR_IO);
    CU_ASSERT_STRING_EQUAL(diag.text, "cannot read x");
    CU_ASSERT(strstr(diag.file, "test_status.c") != NULL);
    CU_ASSERT(diag.line > 0);
    diag_prefix(&diag, "partner %d", 7);
    CU_ASSERT_STRING_EQUAL(diag.text, "partner 7: cannot read x");
    diag_clear(&diag);
    CU_ASSERT_EQUAL(diag.code, ERR_NONE);
    diag_prefix(&diag, "nothing");
    CU_ASSERT_STRING_EQUAL(diag.text, "");
}

static void
test_diag_is_safe_and_cut(void)
{
    struct diag diag;
    char many[2 * DIAG_TEXT_MAX];
    diag_clear(&diag);
    (void)FAIL(&diag, ERR_IO, "a\nb\x1b[31m\x7f%s", "\r");
    CU_ASSERT_STRING_EQUAL(diag.text, "a?b?[31m??");
    for (size_t i = 0; i + 2 < sizeof(many); i += 2) {
        memcpy(many + i, "\xC3\xA9", 2);
    }
    many[sizeof(many) - 2] = '\0';
    for (size_t start = 0; start < 4; start++) {
        diag_clear(&diag);
        (void)FAIL(&diag, ERR_IO, "%.*s%s", (int)start, "xxxx", many);
        const size_t n = strlen(diag.text);
        CU_ASSERT(n < DIAG_TEXT_MAX && n >= DIAG_TEXT_MAX - 3);
        CU_ASSERT_STRING_EQUAL(diag.text + n - 3, "...");
        CU_ASSERT_EQUAL((unsigned char)diag.text[n - 4], 0xA9); /* no half character */
        diag_prefix(&diag, "%s", many);
        CU_ASSERT_STRING_EQUAL(diag.text + strlen(diag.text) - 3, "...");
    }
}

static void
test_memory(void)
{
    const uint64_t before = mem_allocations();
    mem_fail_after(1);
    char *first = mem_alloc(0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NULL(mem_alloc(1));
    CU_ASSERT_PTR_NULL(mem_resize(first, 100));
    CU_ASSERT_PTR_NULL(mem_strdup("x"));
    CU_ASSERT_EQUAL(*first, 0); /* still valid */
    mem_fail_after(UINT64_MAX);
    CU_ASSERT_EQUAL(mem_allocations() - before, 4);
    char *bigger = mem_resize(first, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bigger);
    memset(bigger, 'x', 100);
    mem_wipe(bigger, 100);
    CU_ASSERT(bigger[0] == 0 && bigger[99] == 0);
    mem_wipe(NULL, 0);
    mem_free(bigger);
    mem_free(NULL);
    char *copy = mem_strdup("copy");
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_STRING_EQUAL(copy, "copy");
    mem_free(copy);
}

static void
test_clocks(void)
{
    const struct clock *system = clock_system();
    const int64_t mono = clock_mono_us(system);
    CU_ASSERT(clock_wall_us(system) > INT64_C(1600000000) * US_PER_S);
    CU_ASSERT(clock_mono_us(system) >= mono);
    struct fake_clock fake;
    fake_clock_init(&fake, 1000);
    const int64_t start = clock_mono_us(&fake.clock);
    CU_ASSERT_EQUAL(clock_wall_us(&fake.clock), 1000);
    CU_ASSERT_EQUAL(clock_mono_us(&fake.clock), start); /* stands still */
    fake_clock_advance(&fake, 20 * US_PER_MS);
    CU_ASSERT_EQUAL(clock_wall_us(&fake.clock), 21000);
    CU_ASSERT_EQUAL(clock_mono_us(&fake.clock) - start, 20000);
}

static const struct unit_test tests[] = {
    {"every error row is whole", test_rows},
    {"the first failure wins", test_first_failure_wins},
    {"a diag is safe to print and cut between characters", test_diag_is_safe_and_cut},
    {"memory", test_memory},
    {"clocks", test_clocks},
};
UNIT_MAIN("status", tests)
