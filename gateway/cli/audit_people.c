/*
 * The other ids of patients, from the embedded store. Called by cmd_audit.c before it searches; the
 * store is opened for that alone.
 */
#include "cli/audit_people.h"

#include "config/config.h"
#include "store/store.h"

static bool
has_patient(const struct span_list *patients, struct span cx)
{
    for (size_t i = 0; i < patients->n; i++) {
        if (span_eq(patients->items[i], cx)) {
            return true;
        }
    }
    return false;
}

static struct status
add_ids(const struct store_people *people, struct arena *arena, struct diag *diag,
        struct span_list *patients)
{
    for (size_t i = 0; i < people->n; i++) {
        const struct ident_list *ids = &people->items[i].ids;

        for (size_t j = 0; j < ids->n; j++) {
            struct span cx = SPAN_EMPTY;

            TRY(ident_write_cx(arena, &ids->items[j], diag, &cx));
            if (!has_patient(patients, cx)) {
                TRY(ARENA_PUSH(arena, diag, patients, cx));
            }
        }
    }
    return OK;
}

/* ID^^^&OID is an id, too. */
static struct status
complete(struct span cx, struct arena *arena, struct diag *diag, struct span *ret_cx)
{
    const size_t at = span_find(cx, SPAN("^^^&"));

    if (at == SPAN_MISSING || span_find_char(span_slice(cx, at + 4, cx.n), '&') != SPAN_MISSING) {
        *ret_cx = cx;
        return OK;
    }
    return arena_printf(arena, diag, ret_cx, "%.*s&ISO", SPAN_PRINT(cx));
}

static struct status
add_person(struct store *store, struct span cx, struct arena *arena, struct diag *diag,
           struct span_list *patients)
{
    struct ident id = {0};
    struct patient asked = {0};
    struct store_people people = {0};
    enum answer answer = ANSWER_NOW;

    TRY(complete(cx, arena, diag, &cx));
    TRY(ident_read_cx(cx, diag, &id));
    TRY(ARENA_PUSH(arena, diag, &asked.ids, id));
    TRY(store_find_people(store, &asked, STORE_PEOPLE_MAX, NULL, arena, diag, &answer, &people));
    return add_ids(&people, arena, diag, patients);
}

struct status
audit_people_find(struct store *store, struct arena *arena, struct diag *diag,
                  struct span_list *patients)
{
    const size_t asked = patients->n;

    for (size_t i = 0; i < asked; i++) {
        TRY(add_person(store, patients->items[i], arena, diag, patients));
    }
    return OK;
}

bool
audit_people_add(const struct cli_command *command, const struct config *config,
                 struct arena *arena, struct span_list *patients)
{
    struct diag diag = {0};
    struct store *store = NULL;
    const struct store_options options = {
        .path = config->store_path,
        .community = config->community,
        .patient_authority = config->patient_authority,
        .repository = config->repository,
        .clock = clock_system(),
    };
    struct status st = store_open(&options, &diag, &store);

    if (is_ok(st)) {
        st = audit_people_find(store, arena, &diag, patients);
    }
    store_close(store);
    if (!is_ok(st)) {
        diag_prefix(&diag, "--same-person");
        cli_error(command, &diag);
    }
    return is_ok(st);
}
