/* Spans: cutting, searching, numbers. */
#include "tests/unit/unit.h"

static void
test_split(void)
{
    struct span in = SPAN("a,b,");
    struct span part;
    CU_ASSERT(span_split(&in, ',', &part));
    CHECK_SPAN(part, "a");
    CU_ASSERT(span_split(&in, ',', &part));
    CHECK_SPAN(part, "b");
    CU_ASSERT(span_split(&in, ',', &part));
    CHECK_SPAN(part, "");
    CU_ASSERT(!span_split(&in, ',', &part));
}

static const struct unit_test tests[] = {
    {"split", test_split},
};
UNIT_MAIN("span", tests)
