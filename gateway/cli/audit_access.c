/*
 * Who reads the journal, written into the journal. Called by what `isthmus audit` does, before its
 * first line; the chain is opened for this one record and closed again.
 */
#include "cli/audit_access.h"

#include <pwd.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/journal.h"

#define CHAIN        "access"
#define EVENT_ROOM   ((size_t)4 * 1024 * 1024)
#define DETAILS_ROOM 4
#define NUMBER_TEXT  24

/* The name of the unix user, or the number of one who has none. */
static struct status
unix_user(struct arena *arena, struct diag *diag, struct span *ret_name)
{
    const uid_t user = getuid();
    char room[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(user, &entry, room, sizeof(room), &found) == 0 && found != NULL) {
        return arena_dup(arena, span_of_cstr(found->pw_name), diag, ret_name);
    }
    return arena_printf(arena, diag, ret_name, "uid %lu", (unsigned long)user);
}

static struct status
append(const struct audit_access *access, const struct audit_event *event, struct diag *diag)
{
    struct journal *journal = NULL;

    TRY(journal_open_free(access->place, CHAIN, clock_system(), diag, &journal));
    const struct status st = journal_append_wait(journal, event, diag);
    cli_journal_close(journal, access->place, access->signer);
    return st;
}

static struct status
record(const struct audit_access *access, uint64_t records, struct arena *arena, struct diag *diag)
{
    char number[NUMBER_TEXT];
    struct audit_detail details[DETAILS_ROOM];
    struct audit_event event = {
        .type = AUDIT_LOG_USED,
        .side = AUDIT_RESPONDING,
        .phase = AUDIT_OUTCOME,
        .outcome = AUDIT_SUCCESS,
        .query_id = span_of_cstr(access->verb),
        .query = access->asked,
        .subject = span_of_cstr(access->place->dir),
        .details = {details, 1, DETAILS_ROOM},
    };

    (void)snprintf(number, sizeof(number), "%llu", (unsigned long long)records);
    details[0] = (struct audit_detail){SPAN("records"), span_of_cstr(number)};
    if (access->reason != NULL) {
        details[event.details.n++] =
            (struct audit_detail){SPAN("reason"), span_of_cstr(access->reason)};
    }
    if (access->patients != NULL) {
        event.patients = *access->patients;
    }
    TRY(unix_user(arena, diag, &event.user_name));
    event.user_id = access->asker == NULL ? SPAN_EMPTY : span_of_cstr(access->asker);
    TRY(arena_printf(arena, diag, &event.source_id, "urn:oid:%s", access->community));
    return append(access, &event, diag);
}

/* REQ: ITI20-log-used */
struct status
audit_access_record(const struct audit_access *access, uint64_t records, struct diag *diag)
{
    struct diag why = {0};
    struct arena *arena = arena_new(EVENT_ROOM);
    const struct status st =
        arena == NULL ? FAIL(&why, ERR_NO_MEMORY, "no memory to record who reads the journal")
                      : record(access, records, arena, &why);

    arena_free(arena);
    if (is_ok(st)) {
        return OK;
    }
    if (access->may_go_on) {
        cli_complain(access->command, "warning: that the journal was read is not recorded: %s",
                     why.text);
        return OK;
    }
    return FAIL(diag, st.code,
                "the journal is not shown, because it cannot be recorded that it was read: %s",
                why.text);
}
