/*
 * What an audit event says, in sentences. Called by audit_text.c behind the first one, which says
 * what happened; it appends to the caller's buffer and owns nothing.
 */
#include "cli/audit_story.h"

#include "base/text.h"

/* A writer whose failures are sticky. */
struct story {
    const struct audit_event *event;
    struct buf *out;
    struct diag *diag;
    struct status status;
};

static void
say(struct story *s, const char *words)
{
    if (is_ok(s->status)) {
        s->status = buf_append_cstr(s->out, words, s->diag);
    }
}

static void
show(struct story *s, struct span text)
{
    if (is_ok(s->status)) {
        s->status = text_show(text, s->out, s->diag);
    }
}

static void
say_number(struct story *s, size_t n, const char *one, const char *several)
{
    if (is_ok(s->status)) {
        s->status = buf_printf(s->out, s->diag, "%zu %s", n, n == 1 ? one : several);
    }
}

static bool
is_exchange(const struct audit_event *event)
{
    return event->type < AUDIT_LOCAL_ACCESS;
}

static struct span
person_of(const struct audit_event *event)
{
    return event->user_id.n > 0 ? event->user_id : event->user_name;
}

static struct span
name_of_code(const struct code *code)
{
    return code->display.n > 0 ? code->display : code->value;
}

/* Who stood behind it, in whose name, for what. */
static void
tell_person(struct story *s)
{
    const struct audit_event *e = s->event;
    const bool has_person = person_of(e).n > 0 || e->organization.n > 0;

    if (!has_person && e->purpose.value.n == 0) {
        return;
    }
    say(s, "It was asked");
    if (has_person) {
        say(s, " by ");
        show(s, person_of(e).n > 0 ? person_of(e) : e->organization);
    }
    if (person_of(e).n > 0 && e->role.value.n > 0) {
        say(s, ", ");
        show(s, name_of_code(&e->role));
        say(s, ",");
    }
    if (person_of(e).n > 0 && e->organization.n > 0) {
        say(s, " of ");
        show(s, e->organization);
    }
    if (e->delegator.n > 0) {
        say(s, " in the name of ");
        show(s, e->delegator);
    }
    if (e->purpose.value.n > 0) {
        say(s, " for the purpose ");
        show(s, name_of_code(&e->purpose));
    }
    say(s, ".\n");
}

static void
tell_subjects(struct story *s)
{
    const struct audit_event *e = s->event;

    if (e->patients.n == 0 && e->documents.n == 0) {
        return;
    }
    say(s, "It was about ");
    if (e->patients.n == 1) {
        say(s, "patient ");
        show(s, e->patients.items[0]);
    } else if (e->patients.n > 1) {
        say_number(s, e->patients.n, "patient", "patients");
    }
    if (e->documents.n > 0) {
        say(s, e->patients.n > 0 ? " and " : "");
        say_number(s, e->documents.n, "document", "documents");
    }
    say(s, ".\n");
}

static void
tell_ground(struct story *s)
{
    const struct audit_event *e = s->event;

    if (e->policy_rule.n == 0 && e->policy_verdict.n == 0) {
        return;
    }
    if (e->policy_rule.n > 0) {
        say(s, "The policy's rule '");
        show(s, e->policy_rule);
        say(s, "' decided");
    } else {
        say(s, "No rule of the policy fitted");
    }
    if (e->policy_verdict.n > 0) {
        say(s, ": ");
        show(s, e->policy_verdict);
    }
    say(s, ".\n");
}

static void
tell_end(struct story *s)
{
    const struct audit_event *e = s->event;

    if (e->phase == AUDIT_INTENT) {
        say(s, "How it ended stands in another record of this transaction.\n");
        return;
    }
    if (e->outcome == AUDIT_SUCCESS) {
        say(s, "It ended well");
    } else {
        say(s, "It failed (");
        say(s, audit_outcome_name(e->outcome));
        say(s, ")");
    }
    if (e->outcome_text.n > 0) {
        say(s, ": ");
        show(s, e->outcome_text);
    }
    say(s, ".\n");
}

/* ---- the journal read ---- */

static struct span
detail_of(const struct audit_event *event, struct span name)
{
    for (size_t i = 0; i < event->details.n; i++) {
        if (span_eq(event->details.items[i].name, name)) {
            return event->details.items[i].value;
        }
    }
    return SPAN_EMPTY;
}

static void
tell_reading(struct story *s)
{
    const struct audit_event *e = s->event;
    const struct span reason = detail_of(e, SPAN("reason"));

    show(s, person_of(e).n > 0 ? person_of(e) : SPAN("Somebody"));
    if (e->user_id.n > 0 && e->user_name.n > 0) {
        say(s, " (logged in as ");
        show(s, e->user_name);
        say(s, ")");
    }
    say(s, " used 'isthmus audit ");
    show(s, e->query_id);
    say(s, "' and was shown this many records: ");
    show(s, detail_of(e, SPAN("records")));
    if (reason.n > 0) {
        say(s, ". The reason given: ");
        show(s, reason);
    }
    say(s, ".\n");
}

struct status
audit_story_write(const struct audit_event *event, struct buf *out, struct diag *diag)
{
    struct story s = {.event = event, .out = out, .diag = diag, .status = OK};

    if (event->type == AUDIT_LOG_USED) {
        tell_reading(&s);
        tell_subjects(&s);
        return s.status;
    }
    if (is_exchange(event) || event->type == AUDIT_LOCAL_ACCESS) {
        tell_person(&s);
        tell_subjects(&s);
        tell_ground(&s);
        tell_end(&s);
    }
    return s.status;
}
