/*
 * Shared output of subcommands: dates, expiry, certificates, lists. Called by cmd_*.c on the main
 * thread.
 */
#include "cli/show.h"

#include <stdio.h>

#include "base/datetime.h"
#include "cli/cli.h"

#define DAY_US (INT64_C(86400) * US_PER_S)

/* "2027-11-24" */
static void
write_date(int64_t us, char ret_text[SHOW_DATE_MAX])
{
    char text[DATETIME_MAX];

    datetime_write_xs(us, text);
    snprintf(ret_text, SHOW_DATE_MAX, "%.10s", text);
}

int64_t
show_days(int64_t until_us, int64_t now_us)
{
    const int64_t days = (until_us - now_us) / DAY_US;

    return until_us < now_us && days == 0 ? -1 : days;
}

void
show_expiry(int64_t not_after_us, int64_t now_us, char ret_text[SHOW_DATE_MAX])
{
    const int64_t days = show_days(not_after_us, now_us);
    char date[SHOW_DATE_MAX];

    write_date(not_after_us, date);
    if (days < 0) {
        snprintf(ret_text, SHOW_DATE_MAX, "ended %.10s", date);
    } else {
        snprintf(ret_text, SHOW_DATE_MAX, "until %.10s (%lld day%s)", date, (long long)days,
                 days == 1 ? "" : "s");
    }
}

void
show_certificate_json(struct jsonw *json, const struct certificate *certificate, int64_t now_us)
{
    char text[DATETIME_MAX];

    datetime_write_xs(certificate->not_after_us, text);
    jsonw_key_text(json, "subject", span_of_cstr(certificate->subject));
    jsonw_key_text(json, "sha256", span_of_cstr(certificate->sha256));
    jsonw_key_text(json, "not_after", span_of_cstr(text));
    jsonw_key_int(json, "days", show_days(certificate->not_after_us, now_us));
}

void
show_strings_json(struct jsonw *json, const char *key, const struct config_strings *strings)
{
    jsonw_key(json, key);
    jsonw_array(json);
    for (size_t i = 0; i < strings->n; i++) {
        jsonw_string(json, span_of_cstr(strings->items[i]));
    }
    jsonw_close(json);
}

void
show_strings(const struct config_strings *strings)
{
    for (size_t i = 0; i < strings->n; i++) {
        printf("%s%s", i == 0 ? "" : ", ", strings->items[i]);
    }
    putchar('\n');
}

bool
show_json(const struct cli_command *command, struct jsonw *json, struct buf *text,
          const struct diag *diag)
{
    if (!is_ok(jsonw_finish(json))) {
        cli_error(command, diag);
        return false;
    }
    printf("%.*s\n", SPAN_PRINT(buf_span(text)));
    return true;
}
