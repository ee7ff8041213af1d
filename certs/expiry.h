/*
 * When something ends, and how loud to say so: warnings at 60, 30, 14, 7 and 1 day. Pure. Thread:
 * any.
 */
#ifndef CERTS_EXPIRY_H
#define CERTS_EXPIRY_H

#include <stdbool.h>
#include <stdint.h>

/* Each one means: no more than so many days are left. */
enum expiry_level {
    EXPIRY_FAR,
    EXPIRY_60_DAYS,
    EXPIRY_30_DAYS,
    EXPIRY_14_DAYS,
    EXPIRY_7_DAYS,
    EXPIRY_1_DAY,
    EXPIRY_OVER
};

/* What ends: certificates are planned for weeks ahead; revocation lists are renewed by their
 * authority every few days, so only their last day is news. */
enum expiry_kind { EXPIRY_CERTIFICATE, EXPIRY_REVOCATION_LIST };

struct expiry {
    enum expiry_level level;
    int64_t days; /* whole ones that are left, 0 on the last day; when it is over: since then */
};
/* <until_us> is the last good microsecond (notAfter, nextUpdate); INT64_MAX: never. */
struct expiry expiry_judge(enum expiry_kind kind, int64_t until_us, int64_t now_us);

#define EXPIRY_TEXT_MAX 64
/* "ends 2027-01-31, in 12 days", "ends 2027-01-31, within a day", "ended 2027-01-31, 3 days ago" */
void expiry_write(int64_t until_us, int64_t now_us, char ret_text[EXPIRY_TEXT_MAX]);

/* Is it time to act today (7 days or less)? For the level of a log line. */
bool expiry_is_urgent(enum expiry_level level);

#endif
