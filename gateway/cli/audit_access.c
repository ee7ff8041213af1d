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

/* The name of a unix user, or the number of one who has none. */
static struct status
name_of(uid_t user, struct arena *arena, struct diag *diag, struct span *ret_name)
{
    char room[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r(user, &entry, room, sizeof(room), &found) == 0 && found != NULL) {
        return arena_dup(arena, span_of_cstr(found->pw_name), diag, ret_name);
    }
    return arena_printf(arena, diag, ret_name, "uid %lu", (unsigned long)user);
}

/* Who logged in, before he became somebody else (sudo): the kernel keeps it, when it was told. */
static bool
read_login(uid_t *ret_user)
{
    char text[NUMBER_TEXT] = "";
    uint64_t number = 0;
    FILE *file = fopen("/proc/self/loginuid", "re");

    if (file == NULL) {
        return false;
    }
    const size_t n = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    if (!span_to_u64(span_of(text, n), UINT32_MAX - 1, &number)) {
        return false;
    }
    *ret_user = (uid_t)number;
    return true;
}

static struct status
note_login(struct arena *arena, struct audit_event *event, struct diag *diag)
{
    uid_t login = 0;
    struct span name = SPAN_EMPTY;

    if (!read_login(&login) || login == getuid()) {
        return OK;
    }
    TRY(name_of(login, arena, diag, &name));
    event->details.items[event->details.n++] = (struct audit_detail){SPAN("login"), name};
    return OK;
}

static struct status
append(const struct audit_access *access, const struct audit_event *event, struct diag *diag)
{
    struct journal *journal = NULL;

    TRY(journal_open_free(access->place, CHAIN, clock_system(), diag, &journal));
    struct status st = access->rules == NULL ? OK : journal_set_rules(journal, access->rules, diag);
    if (is_ok(st)) {
        st = journal_append_wait(journal, event, diag);
    }
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
    TRY(note_login(arena, &event, diag));
    TRY(name_of(getuid(), arena, diag, &event.user_name));
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
