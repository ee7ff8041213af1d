/*
 * The readers of times, against the C library's calendar: what is read must be written as the same,
 * and its parts must be those that gmtime_r finds.
 *
 * Input: a time as xs:dateTime or HL7 TS.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "fuzz/fuzz.h"

static int64_t
floor_to(int64_t us, int64_t unit)
{
    const int64_t rest = us % unit;
    return us - (rest < 0 ? rest + unit : rest);
}

/* The second of <us> as the C library writes it. */
static void
check_calendar(int64_t us, const char *written, bool is_xs)
{
    struct tm parts;
    char wanted[DATETIME_MAX];
    const time_t seconds = (time_t)(floor_to(us, US_PER_S) / US_PER_S);
    FUZZ_MUST(gmtime_r(&seconds, &parts) != NULL, "%lld", (long long)us);
    FUZZ_MUST(parts.tm_year + 1900 >= 1 && parts.tm_year + 1900 <= 9999, "year %d",
              parts.tm_year + 1900);
    if (is_xs) {
        (void)snprintf(wanted, sizeof(wanted), "%04d-%02d-%02dT%02d:%02d:%02d",
                       parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                       parts.tm_min, parts.tm_sec);
    } else {
        (void)snprintf(wanted, sizeof(wanted), "%04d%02d%02d%02d%02d%02d", parts.tm_year + 1900,
                       parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    }
    FUZZ_MUST(strncmp(wanted, written, strlen(wanted)) == 0, "%s, the C library says %s", written,
              wanted);
}

static void
check_xs(struct span text)
{
    int64_t us = 0, again = 0;
    char written[DATETIME_MAX];
    if (!datetime_read_xs(text, &us)) {
        return;
    }
    datetime_write_xs(us, written);
    check_calendar(us, written, true);
    FUZZ_MUST(datetime_read_xs(span_of_cstr(written), &again), "%s is not read", written);
    FUZZ_MUST(again == floor_to(us, 1000), "%s is another time", written);
}

static void
check_hl7(struct span text)
{
    int64_t us = 0, again = 0;
    int digits = 0, digits_again = 0;
    char written[DATETIME_MAX];
    char dtm[15] = "";
    const bool is_time = datetime_read_hl7(text, &us, &digits);
    const bool is_dtm = datetime_hl7_to_dtm(text, dtm);
    FUZZ_MUST(is_dtm == is_time, "a TS is %s, and a DTM is %s", is_time ? "read" : "refused",
              is_dtm ? "made" : "not");
    if (!is_time) {
        return;
    }
    FUZZ_MUST(digits >= 4 && digits <= 14 && digits % 2 == 0, "%d digits", digits);
    FUZZ_MUST(strlen(dtm) == (size_t)digits && strspn(dtm, "0123456789") == (size_t)digits,
              "%d digits became %s", digits, dtm);
    datetime_write_hl7(us, written);
    check_calendar(us, written, false);
    FUZZ_MUST(datetime_read_hl7(span_of_cstr(written), &again, &digits_again), "%s", written);
    FUZZ_MUST(again == floor_to(us, US_PER_S) && digits_again == 14, "%s is another time", written);
    datetime_write_dtm(us, written);
    check_calendar(us, written, false);
    FUZZ_MUST(digits <= 8 || strncmp(written, dtm, (size_t)digits) == 0, "%s and %s", written, dtm);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    check_xs(span_of((const char *)bytes, n));
    check_hl7(span_of((const char *)bytes, n));
    return 0;
}
