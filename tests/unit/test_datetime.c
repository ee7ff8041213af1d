/* Times: what the three readers refuse, what they read, and that no bytes harm them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "tests/unit/unit.h"

#define S(seconds) (INT64_C(seconds) * US_PER_S)

static void
test_xs_refused(void)
{
    static const char *const texts[] = {
        "",
        "2026",
        "2026-11-22",
        "2026-11-22T10:30:00", /* no zone */
        "2026-11-22T10:30:00.Z",
        "2026-11-22T10:30:00.1234567890Z",
        "2026-11-22T10:30:00,5Z",
        "2026-11-22t10:30:00Z",
        "2026-11-22 10:30:00Z",
        "2026-11-22T10:30:00z",
        "2026-11-22T10:30:00ZZ",
        " 2026-11-22T10:30:00Z",
        "2026-11-22T10:30:00Z\n",
        "2026-11-22T10:30Z",
        "2026-11-22T1:30:00Z",
        "2026-1-22T10:30:00Z",
        "+026-11-22T10:30:00Z",
        "-2026-11-22T10:30:00Z",
        "12026-11-22T10:30:00Z",
        "0000-11-22T10:30:00Z",
        "2026-00-22T10:30:00Z",
        "2026-13-22T10:30:00Z",
        "2026-11-00T10:30:00Z",
        "2026-11-31T10:30:00Z",
        "2026-02-29T10:30:00Z",
        "1900-02-29T10:30:00Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T10:60:00Z",
        "2026-11-22T10:30:61Z",
        "2026-11-22T10:30:00+1:00",
        "2026-11-22T10:30:00+0100",
        "2026-11-22T10:30:00+01:60",
        "2026-11-22T10:30:00+14:01",
        "2026-11-22T10:30:00+99:00",
        "2026-11-22T10:30:00+01:00Z",
        "0001-01-01T00:00:00+00:01", /* year 0 in UTC */
        "9999-12-31T23:59:59-00:01",
        "9999-12-31T23:59:60Z",
        "2026-11-22T10:30:0\xD9\xA0Z",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t us = 77;
        if (datetime_read_xs(span_of_cstr(texts[i]), &us)) {
            printf("\n    read, but wrong: '%s'\n", texts[i]);
            CU_FAIL("read, but wrong");
        }
        CU_ASSERT_EQUAL(us, 77);
    }
    int64_t us = 77;
    CU_ASSERT(!datetime_read_xs(SPAN_EMPTY, &us));
    CU_ASSERT(!datetime_read_xs(SPAN("2026-11-22T10:30:00\0Z"), &us));
}

static void
test_xs_read(void)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2000-02-29T12:00:00Z", S(951825600)},
        {"2026-11-22T10:30:00.250Z", S(1795343400) + 250000},
        {"2026-11-22T10:30:00.123456789Z", S(1795343400) + 123456},
        {"2026-11-22T10:30:00.5+00:00", S(1795343400) + 500000},
        {"2026-11-22T11:30:00+01:00", S(1795343400)},
        {"2026-11-22T05:00:00-05:30", S(1795343400)},
        {"2026-11-23T00:30:00+14:00", S(1795343400)},
        {"2016-12-31T23:59:60Z", S(1483228800)}, /* the leap second is the next second */
        {"2017-01-01T00:00:00Z", S(1483228800)},
        {"0001-01-01T00:00:00Z", S(-62135596800)},
        {"9999-12-31T23:59:59.999999Z", S(253402300800) - 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 77;
        CU_ASSERT(datetime_read_xs(span_of_cstr(cases[i].text), &us));
        if (us != cases[i].want) {
            printf("\n    %s: wanted %" PRId64 ", got %" PRId64 "\n", cases[i].text, cases[i].want,
                   us);
        }
        CU_ASSERT_EQUAL(us, cases[i].want);
    }
}

static void
test_hl7_refused(void)
{
    static const char *const texts[] = {
        "",
        "2",
        "202",
        "20261",
        "2026112",
        "202611221",
        "2026112210300",
        "202611221030001",
        "0000",
        "202600",
        "202613",
        "20261131",
        "20260229",
        "2026112224",
        "202611221060",
        "20261122103061",
        "20261122103000.",
        "20261122103000.1234567890",
        "202611221030.5", /* a fraction of what is not there */
        "20261122103000+01",
        "20261122103000+01:00",
        "20261122103000+1401",
        "20261122103000+0160",
        "20261122103000Z",
        "20261122103000+0100 ",
        " 20261122103000",
        "2026-11-22",
        "2026112210300a",
        "00010101000000+0001",
        "+2026",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        int64_t us = 77;
        int digits = 77;
        char dtm[15] = "old";
        if (datetime_read_hl7(span_of_cstr(texts[i]), &us, &digits)) {
            printf("\n    read, but wrong: '%s'\n", texts[i]);
            CU_FAIL("read, but wrong");
        }
        CU_ASSERT(us == 77 && digits == 77);
        CU_ASSERT(!datetime_hl7_to_dtm(span_of_cstr(texts[i]), dtm));
        CU_ASSERT_STRING_EQUAL(dtm, "old");
    }
}

static void
test_hl7_read(void)
{
    static const struct {
        const char *text, *dtm;
        int64_t want;
        int digits;
    } cases[] = {
        {"2026", "2026", S(1767225600), 4},
        {"202611", "202611", S(1793491200), 6},
        {"20261122", "20261122", S(1795305600), 8},
        {"20261122-0500", "20261122", S(1795305600), 8}, /* a date has no zone to move it */
        {"2026112210", "2026112210", S(1795341600), 10},
        {"2026112210+0530", "2026112204", S(1795321800), 10},
        {"202611221030", "202611221030", S(1795343400), 12},
        {"20261122103000", "20261122103000", S(1795343400), 14},
        {"20261122103000.25", "20261122103000", S(1795343400) + 250000, 14},
        {"20261122103000.250+0100", "20261122093000", S(1795339800) + 250000, 14},
        {"20261231233000-0100", "20270101003000", S(1798763400), 14},
        {"20161231235960", "20170101000000", S(1483228800), 14},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = 77;
        int digits = 77;
        char dtm[15] = "old";
        CU_ASSERT(datetime_read_hl7(span_of_cstr(cases[i].text), &us, &digits));
        if (us != cases[i].want) {
            printf("\n    %s: wanted %" PRId64 ", got %" PRId64 "\n", cases[i].text, cases[i].want,
                   us);
        }
        CU_ASSERT_EQUAL(us, cases[i].want);
        CU_ASSERT_EQUAL(digits, cases[i].digits);
        CU_ASSERT(datetime_read_hl7(span_of_cstr(cases[i].text), &us, NULL));
        CU_ASSERT(datetime_hl7_to_dtm(span_of_cstr(cases[i].text), dtm));
        CU_ASSERT_STRING_EQUAL(dtm, cases[i].dtm);
    }
}

static void
test_written(void)
{
    static const struct {
        int64_t us;
        const char *xs, *hl7, *dtm;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", "19700101000000+0000", "19700101000000"},
        {-1, "1969-12-31T23:59:59.999Z", "19691231235959+0000", "19691231235959"},
        {S(1795343400) + 250999, "2026-11-22T10:30:00.250Z", "20261122103000+0000",
         "20261122103000"},
        {INT64_MIN, "0001-01-01T00:00:00.000Z", "00010101000000+0000", "00010101000000"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z", "99991231235959+0000", "99991231235959"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[DATETIME_MAX];
        datetime_write_xs(cases[i].us, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].xs);
        datetime_write_hl7(cases[i].us, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].hl7);
        datetime_write_dtm(cases[i].us, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].dtm);
    }
}

/* Every day of eight centuries, counted by hand, and back: the calendar has no hole. */
static void
test_every_day(void)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t want = S(-11676096000); /* 1600-01-01 */
    for (int year = 1600; year < 2400; year++) {
        const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            const int days = month_days[month - 1] + (month == 2 && is_leap ? 1 : 0);
            for (int day = 1; day <= days; day++) {
                char text[64];
                char back[DATETIME_MAX];
                int64_t us = 0;
                (void)snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00.000Z", year, month,
                               day);
                if (!datetime_read_xs(span_of_cstr(text), &us) || us != want) {
                    CU_FAIL_FATAL("a day is wrong");
                }
                datetime_write_xs(us, back);
                if (strcmp(back, text) != 0) {
                    CU_FAIL_FATAL("a day is written wrong");
                }
                want += S(86400);
            }
        }
    }
    CU_ASSERT_EQUAL(want, S(13569465600)); /* 2400-01-01 */
}

/* Bytes by a small generator with a fixed start, so that a failure can be repeated. */
static uint32_t
next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static void
make_bytes(uint64_t *state, size_t round, char *to, size_t n)
{
    static const char likely[] = "0123456789012345678901234567890-:TZ.+- ";
    static const char *const seeds[] = {"2026-11-22T10:30:00.250+01:00", "20261122103000.25+0100"};
    const char *seed = seeds[round % 2];
    for (size_t i = 0; i < n; i++) {
        const uint32_t r = next_random(state);
        const char any = (char)(r >> 8);
        const char good = likely[(r >> 8) % (sizeof(likely) - 1)];
        const char old = i < strlen(seed) ? seed[i] : good;
        to[i] = round % 3 == 0 ? any : round % 3 == 1 ? good : (r % 8 == 0 ? good : old);
    }
}

static void
test_any_bytes(void)
{
    enum { ROUNDS = 100000 };
    uint64_t state = 20261122;
    size_t accepted = 0;
    for (size_t round = 0; round < ROUNDS; round++) {
        char bytes[40];
        char dtm[15];
        int64_t us = 0;
        int digits = 0;
        const size_t n = next_random(&state) % sizeof(bytes);
        make_bytes(&state, round, bytes, n);
        char *exact = malloc(n == 0 ? 1 : n); /* so that the sanitizer sees a byte too far */
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, bytes, n);
        const struct span text = span_of(exact, n);
        char again[DATETIME_MAX];
        if (datetime_read_xs(text, &us)) {
            int64_t us_again = 0;
            accepted++;
            datetime_write_xs(us, again);
            CU_ASSERT(datetime_read_xs(span_of_cstr(again), &us_again));
            CU_ASSERT(us >= us_again && us - us_again < 1000);
        }
        if (datetime_read_hl7(text, &us, &digits)) {
            accepted++;
            CU_ASSERT(digits >= 4 && digits <= 14);
            CU_ASSERT(datetime_hl7_to_dtm(text, dtm));
            CU_ASSERT_EQUAL(strlen(dtm), (size_t)digits);
        }
        free(exact);
    }
    CU_ASSERT(accepted > 100); /* or the rounds tested only the first refusal */
}

static const struct unit_test tests[] = {
    {"xs:dateTime that is refused", test_xs_refused},
    {"HL7 TS that is refused", test_hl7_refused},
    {"any bytes", test_any_bytes},
    {"xs:dateTime that is read", test_xs_read},
    {"HL7 TS that is read, and as DTM", test_hl7_read},
    {"written", test_written},
    {"every day of eight centuries", test_every_day},
};
UNIT_MAIN("datetime", tests)
