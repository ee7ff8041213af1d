/*
 * The SOAP header xcpd:CorrelationTimeToLive: how long an answer about a person may be kept (ITI
 * TF-2 3.55.4.1.2.5 and 3.55.4.2.2.8). Called by both sides of ITI-55; any thread; it owns nothing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "soap/message_internal.h"
#include "soap/xcpd.h"

#define DAY_S     INT64_C(86400)
#define LONGEST_S (100 * 365 * DAY_S)

/* Digits up to the next letter; false when there are none. A fraction is cut off. */
static bool
take_number(struct span *text, uint64_t *ret_number, char *ret_unit)
{
    size_t digits = 0;
    while (digits < text->n && text->p[digits] >= '0' && text->p[digits] <= '9') {
        digits++;
    }
    size_t end = digits;
    if (end < text->n && text->p[end] == '.') {
        end++;
        const size_t fraction = end;
        while (end < text->n && text->p[end] >= '0' && text->p[end] <= '9') {
            end++;
        }
        if (end == fraction || end == text->n || text->p[end] != 'S') {
            return false; /* xs:duration: only seconds have a fraction */
        }
    }
    if (end == text->n ||
        !span_to_u64(span_slice(*text, 0, digits), (uint64_t)LONGEST_S, ret_number)) {
        return false;
    }
    *ret_unit = text->p[end];
    *text = span_slice(*text, end + 1, SIZE_MAX);
    return true;
}

/* The fields of one half, each at most once and in order. */
static bool
add_fields(struct span text, const char *units, const int64_t *seconds, size_t n, int64_t *total_s)
{
    size_t at = 0;
    while (text.n > 0) {
        uint64_t number = 0;
        char unit = '\0';
        if (!take_number(&text, &number, &unit)) {
            return false;
        }
        while (at < n && units[at] != unit) {
            at++;
        }
        if (at == n || (int64_t)number > LONGEST_S / seconds[at]) {
            return false;
        }
        *total_s += (int64_t)number * seconds[at];
        at++;
    }
    return *total_s <= LONGEST_S;
}

bool
xcpd_duration_read(struct span text, int64_t *ret_us)
{
    static const int64_t date_s[] = {365 * DAY_S, 28 * DAY_S, DAY_S};
    static const int64_t time_s[] = {3600, 60, 1};
    int64_t total_s = 0;
    if (text.n < 3 || text.p[0] != 'P') {
        return false;
    }
    const struct span fields = span_slice(text, 1, SIZE_MAX);
    const size_t t = span_find_char(fields, 'T');
    const struct span date = t == SPAN_MISSING ? fields : span_slice(fields, 0, t);
    const struct span time = t == SPAN_MISSING ? SPAN_EMPTY : span_slice(fields, t + 1, SIZE_MAX);
    if ((t != SPAN_MISSING && time.n == 0) ||
        !add_fields(date, "YMD", date_s, ARRAY_LEN(date_s), &total_s) ||
        !add_fields(time, "HMS", time_s, ARRAY_LEN(time_s), &total_s)) {
        return false;
    }
    *ret_us = total_s * US_PER_S;
    return true;
}

void
xcpd_duration_write(int64_t us, char ret_text[XCPD_DURATION_MAX])
{
    const int64_t s = us <= 0 ? 0 : us / US_PER_S;
    if (s > 0 && s % DAY_S == 0) {
        (void)snprintf(ret_text, XCPD_DURATION_MAX, "P%" PRId64 "D", s / DAY_S);
    } else {
        (void)snprintf(ret_text, XCPD_DURATION_MAX, "PT%" PRId64 "S", s);
    }
}

/* REQ: ITI55-time-to-live */
bool
xcpd_time_to_live(const struct message *message, int64_t *ret_us)
{
    const xmlNode *const block = xml_child(message->header, NS_XCPD, "CorrelationTimeToLive");
    if (block == NULL || xml_next_named(block, NS_XCPD, "CorrelationTimeToLive") != NULL ||
        !message_block_is_for_us(block) || block->children == NULL ||
        block->children->next != NULL || block->children->type != XML_TEXT_NODE) {
        return false;
    }
    const struct span text = span_trim(span_of_cstr((const char *)block->children->content));
    int64_t us = 0;
    if (!xcpd_duration_read(text, &us) || us == 0) {
        return false;
    }
    *ret_us = us;
    return true;
}
