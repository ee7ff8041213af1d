/*
 * The journal's records into its search index. Called by audit_search.c and cmd_audit.c; each group
 * of records is one transaction, so that it does not matter where it ends.
 */
#include "cli/audit_update.h"

#include <string.h>

#include "cli/audit_filter.h"

#define GROUP      ((size_t)2000) /* records that are indexed in one transaction */
#define EVENT_ROOM ((size_t)64 * 1024 * 1024)

struct update {
    const struct cli_command *command;
    const struct journal_place *place;
    struct audit_index *index;
    const char *chain;
    struct audit_index_position known;
    bool is_checked; /* the known record was seen and is the one that was indexed */
    bool is_other;   /* it is not: the chain was replaced */
    size_t n;        /* of this group */
    struct diag diag;
    struct status st;
    struct audit_updated updated;
};

static struct status
index_event(struct update *update, const struct journal_record *record, struct arena *arena)
{
    struct audit_event event;
    struct span user = SPAN_EMPTY, organization = SPAN_EMPTY;
    const struct status st = audit_event_decode(record->payload, arena, &update->diag, &event);

    if (st.code == ERR_JOURNAL) { /* of a newer version, which will index it */
        return OK;
    }
    TRY(st);
    TRY(audit_filter_fold(arena, event.user_name, event.user_id, &update->diag, &user));
    TRY(audit_filter_fold(arena, event.organization, SPAN_EMPTY, &update->diag, &organization));
    const struct audit_index_row row = {
        .chain = record->chain,
        .sequence = record->sequence,
        .time_us = record->time_us,
        .type = audit_type_code(event.type),
        .phase = event.phase == AUDIT_INTENT ? "intent" : "outcome",
        .outcome = (int)event.outcome,
        .user = user,
        .organization = organization,
        .partner = event.partner,
        .community = event.community,
        .purpose = event.purpose.value,
        .rule = event.policy_rule,
        .message = event.message_id,
        .transaction = event.transaction_id,
        .patients = &event.patients,
        .documents = &event.documents,
    };
    return audit_index_add(update->index, &row, &update->diag);
}

static bool
is_known(struct update *update, const struct journal_record *record)
{
    update->is_checked = true;
    update->is_other =
        record->sequence != update->known.sequence || strcmp(record->hash, update->known.hash) != 0;
    return !update->is_other;
}

static bool
take_record(void *arg, const struct journal_record *record)
{
    struct update *update = arg;
    struct arena *arena;

    if (!update->is_checked) {
        return is_known(update, record);
    }
    arena = arena_new(EVENT_ROOM);
    update->st = arena == NULL ? FAIL(&update->diag, ERR_NO_MEMORY, "no memory to read a record")
                               : index_event(update, record, arena);
    arena_free(arena);
    if (!is_ok(update->st)) {
        return false;
    }
    update->known.sequence = record->sequence;
    memcpy(update->known.hash, record->hash, sizeof(update->known.hash));
    update->updated.records++;
    return ++update->n < GROUP;
}

/* Some more records of a chain. A chain that is damaged further on is indexed up to there. */
static struct status
update_group(struct update *update)
{
    struct diag why = {0};
    const struct audit_index_position before = update->known;

    update->n = 0;
    update->is_checked = before.sequence == 0; /* there is nothing to check */
    update->is_other = false;
    update->st = OK;
    TRY(audit_index_begin(update->index, &update->diag));
    const struct status read = journal_read_chain(update->place, update->chain, before.sequence,
                                                  take_record, update, &why);
    if (!is_ok(read)) {
        update->updated.has_failed = true;
        cli_error(update->command, &why);
    }
    update->is_other = update->is_other || (is_ok(read) && !update->is_checked);
    return audit_index_end(update->index, update->chain, &update->known, update->st, &update->diag);
}

static struct status
update_chain(void *arg, const char *chain)
{
    struct update *update = arg;

    update->chain = chain;
    update->updated.chains++;
    TRY(audit_index_position(update->index, chain, &update->diag, &update->known));
    do {
        TRY(update_group(update));
        if (update->is_other) {
            TRY(audit_index_forget(update->index, chain, &update->diag));
            update->known = (struct audit_index_position){0};
            TRY(update_group(update));
        }
    } while (update->n == GROUP);
    return OK;
}

struct status
audit_update(const struct cli_command *command, const struct journal_place *place,
             struct audit_index *index, struct diag *diag, struct audit_updated *ret_updated)
{
    struct update update = {.command = command, .place = place, .index = index, .st = OK};
    const struct status st = journal_chains(place, update_chain, &update, diag);

    if (!is_ok(st) && diag->code == ERR_NONE) { /* the update's */
        *diag = update.diag;
    }
    TRY(st);
    *ret_updated = update.updated;
    return OK;
}
