/*
 * The options that say which audit records are wanted. Called by cmd_audit.c and by what reads the
 * journal for it; owns nothing, texts live in the caller's arena.
 */
#include "cli/audit_filter.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/datetime.h"
#include "base/text.h"

#define DAY_S     (INT64_C(24) * 3600)
#define YEAR_S    (366 * DAY_S)
#define AGO_MOST  1000000
#define PATIENTS  1000 /* ids that one question may name */
#define ID_PREFIX SPAN("urn:uuid:")

/* ---- times ---- */

/* "7d": so long before now. */
static bool
read_ago(struct span text, int64_t now_us, int64_t *ret_us)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}, {'y', YEAR_S}};
    uint64_t n = 0;

    if (text.n < 2 || !span_to_u64(span_slice(text, 0, text.n - 1), AGO_MOST, &n)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (text.p[text.n - 1] == units[i].unit) {
            *ret_us = now_us - (int64_t)n * units[i].seconds * US_PER_S;
            return true;
        }
    }
    return false;
}

/* What people write without a zone is their own time. */
static bool
read_local(struct span text, int64_t *ret_us)
{
    static const char *const rest[] = {[10] = "T00:00:00Z", [16] = ":00Z", [19] = "Z"};
    char whole[DATETIME_MAX];
    struct tm parts;
    int64_t naive_us = 0;

    if (text.n >= ARRAY_LEN(rest) || rest[text.n] == NULL) {
        return false;
    }
    (void)snprintf(whole, sizeof(whole), "%.*s%s", SPAN_PRINT(text), rest[text.n]);
    if (whole[10] == ' ') {
        whole[10] = 'T';
    }
    if (!datetime_read_xs(span_of_cstr(whole), &naive_us)) {
        return false;
    }
    const time_t naive = (time_t)(naive_us / US_PER_S);
    if (gmtime_r(&naive, &parts) == NULL) {
        return false;
    }
    parts.tm_isdst = -1;
    *ret_us = (int64_t)mktime(&parts) * US_PER_S;
    return true;
}

bool
audit_filter_read_time(const char *text, int64_t now_us, int64_t *ret_us)
{
    const struct span span = span_of_cstr(text);

    return read_ago(span, now_us, ret_us) || read_local(span, ret_us) ||
           datetime_read_xs(span, ret_us);
}

static bool
read_time(const struct cli_command *command, const char *option, const char *text, int64_t now_us,
          int64_t *time_us)
{
    if (text == NULL || audit_filter_read_time(text, now_us, time_us)) {
        return true;
    }
    cli_complain(command,
                 "--%s '%s' is no time; write 2026-11-22 or 2026-11-22T10:30 (local time), "
                 "2026-11-22T10:30:00Z (with its zone), or 7d (so long ago; s, m, h, d, w, y)",
                 option, text);
    return false;
}

/* ---- names ---- */

static bool
read_type(const struct cli_command *command, const char *text, struct audit_index_query *query)
{
    query->type = span_of_cstr(text);
    for (int type = 0; type < AUDIT_TYPE_COUNT && text != NULL; type++) {
        if (span_eq_cstr(query->type, audit_type_code((enum audit_type)type))) {
            return true;
        }
    }
    if (text != NULL) {
        cli_complain(command,
                     "--type '%s' is no type of records; 'isthmus audit tail --json'"
                     " shows them, such as ITI-55, ITI-38, node-start",
                     text);
    }
    return text == NULL;
}

static bool
read_outcome(const struct cli_command *command, const char *text, struct audit_index_query *query)
{
    static const struct {
        const char *name, *phase;
        int from, to;
    } names[] = {
        {"intent", "intent", -1, -1},
        {"success", "outcome", AUDIT_SUCCESS, AUDIT_SUCCESS},
        {"minor", "outcome", AUDIT_MINOR, AUDIT_MINOR},
        {"serious", "outcome", AUDIT_SERIOUS, AUDIT_SERIOUS},
        {"major", "outcome", AUDIT_MAJOR, AUDIT_MAJOR},
        {"failure", "outcome", AUDIT_MINOR, AUDIT_MAJOR},
    };

    for (size_t i = 0; i < ARRAY_LEN(names) && text != NULL; i++) {
        if (strcmp(text, names[i].name) == 0) {
            query->phase = span_of_cstr(names[i].phase);
            query->outcome = names[i].from;
            query->outcome_most = names[i].to;
            return true;
        }
    }
    if (text != NULL) {
        cli_complain(command,
                     "--outcome '%s': expected success, minor, serious, major, failure or intent",
                     text);
    }
    return text == NULL;
}

static bool
read_name(const struct cli_command *command, const char *option, const char *text,
          struct arena *arena, struct span *folded)
{
    struct diag diag = {0};

    if (text == NULL) {
        return true;
    }
    if (!is_ok(text_fold(arena, span_of_cstr(text), &diag, folded))) {
        cli_error(command, &diag);
        return false;
    }
    if (folded->n == 0) {
        cli_complain(command, "--%s '%s' has no letters or digits to search for", option, text);
    }
    return folded->n > 0;
}

static bool
read_patients(const struct cli_command *command, const struct cli_values *patients,
              struct arena *arena, struct audit_index_query *query)
{
    struct diag diag = {0};

    for (size_t i = 0; i < patients->n; i++) {
        if (patients->items[i][0] == '\0' || i == PATIENTS) {
            cli_complain(command,
                         i == PATIENTS ? "--patient was said more than %d times"
                                       : "--patient is empty (of %d that may be given)",
                         PATIENTS);
            return false;
        }
        if (!is_ok(ARENA_PUSH(arena, &diag, &query->patients, span_of_cstr(patients->items[i])))) {
            cli_error(command, &diag);
            return false;
        }
    }
    return true;
}

bool
audit_filter_read(const struct cli_command *command, const struct audit_filter_options *asked,
                  int64_t since_us, int64_t now_us, struct arena *arena,
                  struct audit_index_query *ret_query)
{
    struct audit_index_query query = {
        .document = span_of_cstr(asked->document),
        .partner = span_of_cstr(asked->partner),
        .purpose = span_of_cstr(asked->purpose),
        .rule = span_of_cstr(asked->rule),
        .message = span_of_cstr(asked->message),
        .transaction = span_of_cstr(asked->transaction),
        .outcome = -1,
        .outcome_most = -1,
        .since_us = since_us,
        .until_us = INT64_MAX,
    };

    if (!read_patients(command, &asked->patients, arena, &query) ||
        !read_name(command, "user", asked->user, arena, &query.user) ||
        !read_name(command, "organization", asked->organization, arena, &query.organization) ||
        !read_type(command, asked->type, &query) ||
        !read_outcome(command, asked->outcome, &query) ||
        !read_time(command, "since", asked->since, now_us, &query.since_us) ||
        !read_time(command, "until", asked->until, now_us, &query.until_us)) {
        return false;
    }
    *ret_query = query;
    return true;
}

/* ---- one record ---- */

struct status
audit_filter_fold(struct arena *arena, struct span name, struct span id, struct diag *diag,
                  struct span *ret_folded)
{
    struct span names = SPAN_EMPTY, ids = SPAN_EMPTY;

    TRY(text_fold(arena, name, diag, &names));
    TRY(text_fold(arena, id, diag, &ids));
    return arena_printf(arena, diag, ret_folded, "%.*s\n%.*s", SPAN_PRINT(names), SPAN_PRINT(ids));
}

static bool
is_or_any(struct span wanted, struct span value)
{
    return wanted.n == 0 || span_eq(wanted, value);
}

static bool
is_message(struct span wanted, struct span value)
{
    return is_or_any(wanted, value) ||
           (span_starts_with(value, ID_PREFIX) &&
            span_eq(wanted, span_slice(value, ID_PREFIX.n, value.n - ID_PREFIX.n)));
}

static bool
is_about_patient(const struct span_list *wanted, const struct span_list *patients)
{
    for (size_t i = 0; i < wanted->n; i++) {
        for (size_t j = 0; j < patients->n; j++) {
            if (audit_index_patient_is(wanted->items[i], patients->items[j])) {
                return true;
            }
        }
    }
    return wanted->n == 0;
}

static bool
is_about_document(struct span wanted, const struct document_ref_list *documents)
{
    for (size_t i = 0; i < documents->n; i++) {
        if (span_eq(wanted, documents->items[i].unique_id)) {
            return true;
        }
    }
    return wanted.n == 0;
}

static bool
is_plainly_one(const struct audit_index_query *query, int64_t time_us,
               const struct audit_event *event)
{
    const int outcome = (int)event->outcome;
    const struct span phase = event->phase == AUDIT_INTENT ? SPAN("intent") : SPAN("outcome");

    return time_us >= query->since_us && time_us < query->until_us &&
           is_or_any(query->type, span_of_cstr(audit_type_code(event->type))) &&
           is_or_any(query->phase, phase) &&
           (query->outcome < 0 || (outcome >= query->outcome && outcome <= query->outcome_most)) &&
           (is_or_any(query->partner, event->partner) ||
            span_eq(query->partner, event->community)) &&
           is_or_any(query->purpose, event->purpose.value) &&
           is_or_any(query->rule, event->policy_rule) &&
           is_or_any(query->transaction, event->transaction_id) &&
           is_message(query->message, event->message_id) &&
           is_about_patient(&query->patients, &event->patients) &&
           is_about_document(query->document, &event->documents);
}

static struct status
has_name(struct span wanted, struct span name, struct span id, struct arena *arena,
         struct diag *diag, bool *is_one)
{
    struct span folded = SPAN_EMPTY;

    if (wanted.n == 0 || !*is_one) {
        return OK;
    }
    TRY(audit_filter_fold(arena, name, id, diag, &folded));
    *is_one = span_find(folded, wanted) != SPAN_MISSING;
    return OK;
}

struct status
audit_filter_matches(const struct audit_index_query *query, int64_t time_us,
                     const struct audit_event *event, struct arena *arena, struct diag *diag,
                     bool *ret_is_one)
{
    bool is_one = is_plainly_one(query, time_us, event);

    TRY(has_name(query->user, event->user_name, event->user_id, arena, diag, &is_one));
    TRY(has_name(query->organization, event->organization, SPAN_EMPTY, arena, diag, &is_one));
    *ret_is_one = is_one;
    return OK;
}

/* ---- what was asked ---- */

struct status
audit_filter_describe(const struct audit_filter_options *asked, struct buf *out, struct diag *diag)
{
    const struct {
        const char *name, *value;
    } given[] = {
        {"document", asked->document},
        {"user", asked->user},
        {"organization", asked->organization},
        {"partner", asked->partner},
        {"purpose", asked->purpose},
        {"type", asked->type},
        {"outcome", asked->outcome},
        {"rule", asked->rule},
        {"message", asked->message},
        {"transaction", asked->transaction},
        {"since", asked->since},
        {"until", asked->until},
        {"same-person", asked->is_same_person ? "yes" : NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        if (given[i].value != NULL) {
            TRY(buf_printf(out, diag, "%s%s=%s", out->n > 0 ? " " : "", given[i].name,
                           given[i].value));
        }
    }
    return OK;
}
