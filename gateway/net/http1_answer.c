/*
 * Writes the head of an answer. Called by a connection when it starts to answer (loop thread);
 * keeps nothing.
 */
#include "net/http1.h"

#include <assert.h>
#include <inttypes.h>
#include <time.h>

#include "base/clock.h"

const char *
http1_reason(int status)
{
    static const struct {
        int status;
        const char *reason;
    } reasons[] = {
        {100, "Continue"},
        {200, "OK"},
        {202, "Accepted"},
        {204, "No Content"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "";
}

/* IMF-fixdate (RFC 9110 5.6.7); not strftime, which writes in the language of the process. */
static struct status
write_date(int64_t now_us, struct buf *out, struct diag *diag)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t seconds = (time_t)(now_us / US_PER_S);
    struct tm parts;
    if (gmtime_r(&seconds, &parts) == NULL) {
        return FAIL(diag, ERR_INTERNAL, "the time %" PRId64 " us has no date", now_us);
    }
    return buf_printf(out, diag, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                      days[parts.tm_wday], parts.tm_mday, months[parts.tm_mon],
                      parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

static bool
has_controls(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7F) {
            return true;
        }
    }
    return false;
}

struct status
http1_write_answer(const struct http1_answer *answer, struct buf *out, struct diag *diag)
{
    assert(answer->status >= 200 && answer->status <= 599);
    assert(!has_controls(answer->content_type));
    TRY(buf_printf(out, diag, "HTTP/1.1 %d %s\r\n", answer->status, http1_reason(answer->status)));
    TRY(write_date(answer->now_us, out, diag));
    if (answer->content_type[0] != '\0') {
        TRY(buf_printf(out, diag, "Content-Type: %s\r\n", answer->content_type));
    }
    TRY(buf_printf(out, diag, "Content-Length: %" PRIu64 "\r\n", answer->content_length));
    if (answer->allow != NULL) {
        TRY(buf_printf(out, diag, "Allow: %s\r\n", answer->allow));
    }
    if (answer->retry_after_s > 0) {
        TRY(buf_printf(out, diag, "Retry-After: %u\r\n", answer->retry_after_s));
    }
    return buf_append_cstr(out, answer->closes ? "Connection: close\r\n\r\n" : "\r\n", diag);
}
