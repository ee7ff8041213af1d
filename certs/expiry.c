/*
 * Counts the days that a certificate or a revocation list has left. Called by the configuration's
 * walk over everything that ends.
 */
#include "certs/expiry.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "base/status.h"

#define DAY_US (INT64_C(86400) * US_PER_S)

static const struct {
    int64_t days;
    enum expiry_level level;
} steps[] = {
    {1, EXPIRY_1_DAY},    {7, EXPIRY_7_DAYS},   {14, EXPIRY_14_DAYS},
    {30, EXPIRY_30_DAYS}, {60, EXPIRY_60_DAYS},
};

struct expiry
expiry_judge(enum expiry_kind kind, int64_t until_us, int64_t now_us)
{
    if (now_us > until_us) {
        return (struct expiry){.level = EXPIRY_OVER, .days = (now_us - until_us) / DAY_US};
    }
    const int64_t left_us = until_us - now_us;
    const size_t steps_n = kind == EXPIRY_REVOCATION_LIST ? 1 : ARRAY_LEN(steps);
    struct expiry expiry = {.level = EXPIRY_FAR, .days = left_us / DAY_US};

    for (size_t i = 0; i < steps_n; i++) {
        if (left_us <= steps[i].days * DAY_US) {
            expiry.level = steps[i].level;
            break;
        }
    }
    return expiry;
}

void
expiry_write(int64_t until_us, int64_t now_us, char ret_text[EXPIRY_TEXT_MAX])
{
    const struct expiry expiry = expiry_judge(EXPIRY_CERTIFICATE, until_us, now_us);
    const char *plural = expiry.days == 1 ? "" : "s";
    char date[DATETIME_MAX];

    datetime_write_xs(until_us, date);
    if (expiry.level == EXPIRY_OVER && expiry.days == 0) {
        snprintf(ret_text, EXPIRY_TEXT_MAX, "ended %.10s, less than a day ago", date);
    } else if (expiry.level == EXPIRY_OVER) {
        snprintf(ret_text, EXPIRY_TEXT_MAX, "ended %.10s, %lld day%s ago", date,
                 (long long)expiry.days, plural);
    } else if (expiry.days == 0) {
        snprintf(ret_text, EXPIRY_TEXT_MAX, "ends %.10s, within a day", date);
    } else {
        snprintf(ret_text, EXPIRY_TEXT_MAX, "ends %.10s, in %lld day%s", date,
                 (long long)expiry.days, plural);
    }
}

bool
expiry_is_urgent(enum expiry_level level)
{
    return level >= EXPIRY_7_DAYS;
}
