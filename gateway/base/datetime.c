/*
 * Reads and writes the three spellings of time in health messages. Called by the codecs and by the
 * security checks before anybody is authenticated, any thread: every reader takes any bytes. No
 * locale, no time zone of the machine, nothing allocated.
 */
#include "base/datetime.h"

#include <stddef.h>

#include "base/clock.h"

#define SECONDS_PER_DAY  INT64_C(86400)
#define YEAR_MAX         9999
#define ZONE_MINUTES_MAX (14 * 60) /* XML Schema part 2, 3.2.7.3 */
#define FRACTION_DIGITS  9

/* 0001-01-01T00:00:00Z and the last microsecond of 9999. */
#define TIME_MIN_US (INT64_C(-62135596800) * US_PER_S)
#define TIME_MAX_US (INT64_C(253402300800) * US_PER_S - 1)

struct civil {
    int year, month, day, hour, minute, second;
    int us;
    int zone_minutes; /* east of UTC */
};

static bool
read_digits(struct span *in, size_t n, int *ret_value)
{
    struct span part;
    uint64_t value = 0;
    if (!span_take(in, n, &part) || !span_to_u64(part, 9999, &value)) {
        return false;
    }
    *ret_value = (int)value;
    return true;
}

static bool
take_char(struct span *in, char c)
{
    struct span part;
    return in->n > 0 && in->p[0] == c && span_take(in, 1, &part);
}

/* "." and one to nine digits; what is finer than a microsecond is dropped. Absent is fine. */
static bool
read_fraction(struct span *in, int *ret_us)
{
    int us = 0;
    int scale = 100000;
    size_t n = 0;
    if (!take_char(in, '.')) {
        return true;
    }
    while (n < in->n && in->p[n] >= '0' && in->p[n] <= '9') {
        us += (in->p[n] - '0') * scale;
        scale /= 10;
        n++;
    }
    if (n == 0 || n > FRACTION_DIGITS) {
        return false;
    }
    *in = span_slice(*in, n, in->n);
    *ret_us = us;
    return true;
}

/* "+hh:mm" or, without colon, "+hhmm". */
static bool
read_offset(struct span *in, bool has_colon, int *ret_minutes)
{
    int hours = 0;
    int minutes = 0;
    const bool is_west = take_char(in, '-');
    if (!is_west && !take_char(in, '+')) {
        return false;
    }
    if (!read_digits(in, 2, &hours) || (has_colon && !take_char(in, ':')) ||
        !read_digits(in, 2, &minutes) || minutes > 59 || hours * 60 + minutes > ZONE_MINUTES_MAX) {
        return false;
    }
    *ret_minutes = is_west ? -(hours * 60 + minutes) : hours * 60 + minutes;
    return true;
}

static int
days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && is_leap ? 29 : days[month - 1];
}

static bool
is_possible(const struct civil *c)
{
    return c->year >= 1 && c->year <= YEAR_MAX && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
           c->day <= days_in_month(c->year, c->month) && c->hour <= 23 && c->minute <= 59 &&
           c->second <= 60;
}

/* Days since 1970-01-01 in the Gregorian calendar; years begin in March so that the leap day is
 * the last of its year. */
static int64_t
days_of(int year, int month, int day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = y / 400; /* y is 0 or more: years start at 1 */
    const int64_t year_of_era = y - era * 400;
    const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    const int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* False when a zone or a leap second moves the time out of the years 1 to 9999. */
static bool
civil_to_us(const struct civil *c, int64_t *ret_us)
{
    const int64_t seconds = days_of(c->year, c->month, c->day) * SECONDS_PER_DAY +
                            (int64_t)c->hour * 3600 + (int64_t)c->minute * 60 + c->second -
                            (int64_t)c->zone_minutes * 60;
    const int64_t us = seconds * US_PER_S + c->us;
    if (us < TIME_MIN_US || us > TIME_MAX_US) {
        return false;
    }
    *ret_us = us;
    return true;
}

static void
us_to_civil(int64_t us, struct civil *ret_civil)
{
    const int64_t clipped = us < TIME_MIN_US ? TIME_MIN_US : us > TIME_MAX_US ? TIME_MAX_US : us;
    const int64_t since_year_0 = clipped + INT64_C(719468) * SECONDS_PER_DAY * US_PER_S;
    const int64_t days = since_year_0 / (SECONDS_PER_DAY * US_PER_S);
    const int64_t in_day = since_year_0 % (SECONDS_PER_DAY * US_PER_S);
    const int64_t era = days / 146097;
    const int64_t doe = days % 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t shifted_month = (5 * doy + 2) / 153;
    const int month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    *ret_civil = (struct civil){
        .year = (int)(yoe + era * 400) + (month <= 2 ? 1 : 0),
        .month = month,
        .day = (int)(doy - (153 * shifted_month + 2) / 5 + 1),
        .hour = (int)(in_day / (3600 * US_PER_S)),
        .minute = (int)(in_day / (60 * US_PER_S) % 60),
        .second = (int)(in_day / US_PER_S % 60),
        .us = (int)(in_day % US_PER_S),
    };
}

bool
datetime_read_xs(struct span text, int64_t *ret_us)
{
    struct civil c = {0};
    struct span in = text;
    const bool is_read =
        read_digits(&in, 4, &c.year) && take_char(&in, '-') && read_digits(&in, 2, &c.month) &&
        take_char(&in, '-') && read_digits(&in, 2, &c.day) && take_char(&in, 'T') &&
        read_digits(&in, 2, &c.hour) && take_char(&in, ':') && read_digits(&in, 2, &c.minute) &&
        take_char(&in, ':') && read_digits(&in, 2, &c.second) && read_fraction(&in, &c.us) &&
        (take_char(&in, 'Z') || read_offset(&in, true, &c.zone_minutes));
    return is_read && in.n == 0 && is_possible(&c) && civil_to_us(&c, ret_us);
}

/* The fields that are there, the others at their start; a zone moves only times with hours. */
static bool
read_hl7(struct span text, struct civil *ret_civil, size_t *ret_digits)
{
    struct civil c = {.month = 1, .day = 1};
    int *const fields[] = {&c.month, &c.day, &c.hour, &c.minute, &c.second};
    struct span in = text;
    size_t digits = 0;
    while (digits < text.n && text.p[digits] >= '0' && text.p[digits] <= '9') {
        digits++;
    }
    if (digits < 4 || digits > 14 || digits % 2 != 0 || !read_digits(&in, 4, &c.year)) {
        return false;
    }
    for (size_t i = 0; i < (digits - 4) / 2; i++) {
        if (!read_digits(&in, 2, fields[i])) {
            return false;
        }
    }
    if (digits == 14 && !read_fraction(&in, &c.us)) {
        return false;
    }
    if (in.n > 0 && (!read_offset(&in, false, &c.zone_minutes) || in.n > 0)) {
        return false;
    }
    c.zone_minutes = digits >= 10 ? c.zone_minutes : 0;
    *ret_civil = c;
    *ret_digits = digits;
    return is_possible(&c);
}

bool
datetime_read_hl7(struct span text, int64_t *ret_us, int *ret_digits)
{
    struct civil c;
    size_t digits = 0;
    if (!read_hl7(text, &c, &digits) || !civil_to_us(&c, ret_us)) {
        return false;
    }
    if (ret_digits != NULL) {
        *ret_digits = (int)digits;
    }
    return true;
}

bool
datetime_hl7_to_dtm(struct span text, char ret_dtm[15])
{
    struct civil c;
    size_t digits = 0;
    int64_t us = 0;
    char whole[DATETIME_MAX];
    if (!read_hl7(text, &c, &digits) || !civil_to_us(&c, &us)) {
        return false;
    }
    datetime_write_dtm(us, whole);
    for (size_t i = 0; i < digits; i++) {
        ret_dtm[i] = whole[i];
    }
    ret_dtm[digits] = '\0';
    return true;
}

static char *
put_digits(char *at, int value, int width)
{
    for (int i = width - 1; i >= 0; i--) {
        at[i] = (char)('0' + value % 10);
        value /= 10;
    }
    return at + width;
}

static char *
put_char(char *at, char c)
{
    *at = c;
    return at + 1;
}

void
datetime_write_xs(int64_t us, char ret_text[DATETIME_MAX])
{
    struct civil c;
    us_to_civil(us, &c);
    char *at = put_char(put_digits(ret_text, c.year, 4), '-');
    at = put_char(put_digits(at, c.month, 2), '-');
    at = put_char(put_digits(at, c.day, 2), 'T');
    at = put_char(put_digits(at, c.hour, 2), ':');
    at = put_char(put_digits(at, c.minute, 2), ':');
    at = put_char(put_digits(at, c.second, 2), '.');
    at = put_char(put_digits(at, c.us / 1000, 3), 'Z');
    *at = '\0';
}

void
datetime_write_dtm(int64_t us, char ret_text[DATETIME_MAX])
{
    struct civil c;
    us_to_civil(us, &c);
    char *at = put_digits(put_digits(ret_text, c.year, 4), c.month, 2);
    at = put_digits(put_digits(at, c.day, 2), c.hour, 2);
    at = put_digits(put_digits(at, c.minute, 2), c.second, 2);
    *at = '\0';
}

void
datetime_write_hl7(int64_t us, char ret_text[DATETIME_MAX])
{
    datetime_write_dtm(us, ret_text);
    static const char zone[] = "+0000";
    for (size_t i = 0; i < sizeof(zone); i++) {
        ret_text[14 + i] = zone[i];
    }
}
