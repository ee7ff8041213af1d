/*
 * What nobody should believe of anybody: dates, numbers and texts that systems write when they do
 * not know. Called by match_prepare.c and by the store's engines, on their threads. Pure but for
 * the arena of match_id_key.
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "store/match_parts.h"

#define BIRTH_DATE_DIGITS 8
#define SSN_ROOT          "2.16.840.1.113883.4.1"
#define SSN_DIGITS        9
#define LAST_FOUR         4

bool
match_is_among(struct span text, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (span_eq_cstr(text, texts[i])) {
            return true;
        }
    }
    return false;
}

bool
match_are_digits(struct span text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9') {
            return false;
        }
    }
    return text.n > 0;
}

bool
match_is_one_character(struct span text)
{
    for (size_t i = 1; i < text.n; i++) {
        if (text.p[i] != text.p[0]) {
            return false;
        }
    }
    return text.n > 1;
}

/* ---- dates ---- */

static unsigned
number(struct span digits)
{
    unsigned value = 0;

    for (size_t i = 0; i < digits.n; i++) {
        value = value * 10 + (unsigned)(digits.p[i] - '0');
    }
    return value;
}

static unsigned
days_of_month(unsigned year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && is_leap ? 29 : days[month - 1];
}

/* What systems write when they do not know. */
static bool
is_placeholder_date(struct span date)
{
    static const char *const placeholders[] = {"18000101", "19000101", "19010101", "18581117",
                                               "17530101", "16010101", "99991231", "20991231"};

    return match_is_among(date, placeholders, ARRAY_LEN(placeholders)) || number(date) < 18000101;
}

struct span
match_birth_date(struct span birth_time)
{
    const struct span date = span_slice(birth_time, 0, BIRTH_DATE_DIGITS);

    if (date.n < BIRTH_DATE_DIGITS || !match_are_digits(date) || is_placeholder_date(date)) {
        return SPAN_EMPTY;
    }
    const unsigned month = number(span_slice(date, 4, 2)), day = number(span_slice(date, 6, 2));

    if (month < 1 || month > 12 || day < 1 ||
        day > days_of_month(number(span_slice(date, 0, 4)), month)) {
        return SPAN_EMPTY;
    }
    return date;
}

/* The first or the last day that a time of four digits or more may mean; false when it is none. */
static bool
end_of_range(struct span time, bool is_last, char ret_day[9])
{
    unsigned year, month, day;

    if (time.n < 4 || !match_are_digits(span_slice(time, 0, time.n < 8 ? time.n : 8)) ||
        time.n == 5 || time.n == 7) {
        return false;
    }
    year = number(span_slice(time, 0, 4));
    month = time.n >= 6 ? number(span_slice(time, 4, 2)) : is_last ? 12 : 1;
    if (month < 1 || month > 12 || year < 1800 || year > 9999) {
        return false;
    }
    day = time.n >= 8 ? number(span_slice(time, 6, 2)) : is_last ? days_of_month(year, month) : 1;
    if (day < 1 || day > days_of_month(year, month)) {
        return false;
    }
    snprintf(ret_day, 9, "%04u%02u%02u", year % 10000, month % 100, day % 100);
    return true;
}

/* A range of birth times, or a birth time of less than eight digits. An excluded end still may be
 * the hour before it: the day counts, as people are asked for by days. An open side is as far as
 * birth dates go. */
void
match_read_range(const struct patient *patient, struct match_person *person)
{
    const struct time_range *range = &patient->birth_range;
    const struct span time = patient->birth_time;
    char low[9] = "18000102", high[9] = "99991230";

    if (time.n > 0) {
        if (time.n >= BIRTH_DATE_DIGITS || !end_of_range(time, false, low) ||
            !end_of_range(time, true, high)) {
            return;
        }
    } else if ((range->low.n == 0 && range->high.n == 0) ||
               (range->low.n > 0 && !end_of_range(range->low, false, low)) ||
               (range->high.n > 0 && !end_of_range(range->high, true, high))) {
        return;
    }
    if (strcmp(low, high) > 0) {
        return;
    }
    memcpy(person->birth_low, low, sizeof(low));
    memcpy(person->birth_high, high, sizeof(high));
}

/* ---- identifiers ---- */

struct status
match_id_key(struct span extension, struct arena *arena, struct diag *diag, struct span *ret_key)
{
    struct span key;

    TRY(text_fold(arena, extension, diag, &key));
    *ret_key = key.n > 0 ? key : extension; /* only punctuation, or not UTF-8: as it is */
    return OK;
}

/* Numbers of social security that are on specimen cards and forms; Social Security Administration,
 * "Social Security Number Misuse". Area 000 and serial 0000 were never given out. */
static bool
is_social_security(struct span key)
{
    static const char *const printed[] = {"123456789", "987654321", "078051120",
                                          "219099999", "123121234", "111223333"};

    return key.n == SSN_DIGITS && match_are_digits(key) && !match_is_one_character(key) &&
           !span_starts_with(key, SPAN("000")) && !span_ends_with(key, SPAN("0000")) &&
           !match_is_among(key, printed, ARRAY_LEN(printed));
}

/* "2330", "xxx-xx-2330", "000-00-2330" */
bool
match_id_is_last_four(struct span root, struct span key)
{
    const bool is_hidden = key.n == SSN_DIGITS && (span_starts_with(key, SPAN("xxxxx")) ||
                                                   span_starts_with(key, SPAN("00000")));
    const struct span four = is_hidden ? span_slice(key, SSN_DIGITS - LAST_FOUR, LAST_FOUR) : key;

    return span_eq_cstr(root, SSN_ROOT) && four.n == LAST_FOUR && match_are_digits(four) &&
           !match_is_one_character(four);
}

bool
match_id_is_believable(struct span root, struct span key)
{
    static const char *const said[] = {"unknown", "unk",  "none",      "null", "na",
                                       "test",    "temp", "undefined", "xxx"};

    if (span_eq_cstr(root, SSN_ROOT) && key.n == SSN_DIGITS) {
        return is_social_security(key) || match_id_is_last_four(root, key);
    }
    return key.n > 0 && !(key.n > 3 && match_is_one_character(key)) &&
           !match_is_among(key, said, ARRAY_LEN(said));
}
