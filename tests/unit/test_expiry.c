/*
 * When a warning is due, to the microsecond, and what it says.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "certs/expiry.h"
#include "unit.h"

#define DAY_US (INT64_C(86400) * US_PER_S)
#define NOW_US INT64_C(1800000000000000) /* 2027-01-15T08:00:00Z */

static void
test_levels(void)
{
    static const struct {
        int64_t left_us;
        enum expiry_level certificate, list;
        int64_t days;
    } rows[] = {
        {INT64_MAX - NOW_US, EXPIRY_FAR, EXPIRY_FAR, (INT64_MAX - NOW_US) / DAY_US},
        {60 * DAY_US + 1, EXPIRY_FAR, EXPIRY_FAR, 60},
        {60 * DAY_US, EXPIRY_60_DAYS, EXPIRY_FAR, 60},
        {30 * DAY_US + 1, EXPIRY_60_DAYS, EXPIRY_FAR, 30},
        {30 * DAY_US, EXPIRY_30_DAYS, EXPIRY_FAR, 30},
        {14 * DAY_US + 1, EXPIRY_30_DAYS, EXPIRY_FAR, 14},
        {14 * DAY_US, EXPIRY_14_DAYS, EXPIRY_FAR, 14},
        {7 * DAY_US + 1, EXPIRY_14_DAYS, EXPIRY_FAR, 7},
        {7 * DAY_US, EXPIRY_7_DAYS, EXPIRY_FAR, 7},
        {DAY_US + 1, EXPIRY_7_DAYS, EXPIRY_FAR, 1},
        {DAY_US, EXPIRY_1_DAY, EXPIRY_1_DAY, 1},
        {DAY_US - 1, EXPIRY_1_DAY, EXPIRY_1_DAY, 0},
        {0, EXPIRY_1_DAY, EXPIRY_1_DAY, 0},
        {-1, EXPIRY_OVER, EXPIRY_OVER, 0},
        {-2 * DAY_US, EXPIRY_OVER, EXPIRY_OVER, 2},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const int64_t until_us = NOW_US + rows[i].left_us;
        const struct expiry certificate = expiry_judge(EXPIRY_CERTIFICATE, until_us, NOW_US);
        const struct expiry list = expiry_judge(EXPIRY_REVOCATION_LIST, until_us, NOW_US);

        CU_ASSERT(certificate.level == rows[i].certificate && certificate.days == rows[i].days);
        CU_ASSERT(list.level == rows[i].list && list.days == rows[i].days);
    }
}

static void
test_urgent(void)
{
    CU_ASSERT(!expiry_is_urgent(EXPIRY_FAR));
    CU_ASSERT(!expiry_is_urgent(EXPIRY_14_DAYS));
    CU_ASSERT(expiry_is_urgent(EXPIRY_7_DAYS));
    CU_ASSERT(expiry_is_urgent(EXPIRY_OVER));
}

static void
test_texts(void)
{
    static const struct {
        int64_t left_us;
        const char *text;
    } rows[] = {
        {12 * DAY_US, "ends 2027-01-27, in 12 days"},
        {DAY_US, "ends 2027-01-16, in 1 day"},
        {3600 * US_PER_S, "ends 2027-01-15, within a day"},
        {-3600 * US_PER_S, "ended 2027-01-15, less than a day ago"},
        {-DAY_US, "ended 2027-01-14, 1 day ago"},
        {-3 * DAY_US, "ended 2027-01-12, 3 days ago"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[EXPIRY_TEXT_MAX];

        expiry_write(NOW_US + rows[i].left_us, NOW_US, text);
        CHECK_SPAN(span_of_cstr(text), rows[i].text);
    }
}

static const struct unit_test tests[] = {
    {"levels", test_levels},
    {"what is urgent", test_urgent},
    {"texts", test_texts},
};

UNIT_MAIN("expiry", tests)
