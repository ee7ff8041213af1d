/*
 * Appends the audit events of a transaction and waits for their durability. Called from steps.
 */
#include "txn/records.h"

#include <assert.h>

static struct status
append_to_journal(struct audit_sink *sink, const struct audit_event *event, struct park *park,
                  struct diag *diag, struct journal_ticket *ret_ticket)
{
    return journal_append(((struct journal_sink *)sink)->journal, event, park, diag, ret_ticket);
}

static struct status
check_journal(struct audit_sink *sink, const struct journal_ticket *ticket, struct diag *diag)
{
    return journal_ticket_status(((struct journal_sink *)sink)->journal, ticket, diag);
}

void
journal_sink_init(struct journal_sink *sink, struct journal *journal)
{
    *sink = (struct journal_sink){{append_to_journal, check_journal}, journal};
}

struct status
records_reserve(struct records *records, struct arena *arena, size_t n, struct diag *diag)
{
    struct journal_ticket *tickets;

    TRY(ARENA_ARRAY(arena, n, diag, &tickets));
    *records = (struct records){.tickets = tickets, .capacity = n};
    return OK;
}

struct status
records_append(struct records *records, struct node *node, struct txn *txn,
               const struct audit_event *event)
{
    struct journal_ticket *ticket;
    struct status st;

    assert(records->n < records->capacity);
    ticket = &records->tickets[records->n];
    txn_expect(txn);
    st = node->audit->append(node->audit, event, &txn->park, &txn->diag, ticket);
    if (!is_ok(st)) {
        txn_unexpect(txn);
        return st;
    }
    records->n++;
    return OK;
}

struct status
records_settle(struct records *records, struct node *node, struct txn *txn)
{
    assert(!txn_is_due(txn));
    for (size_t i = 0; i < records->n; i++) {
        TRY(node->audit->check(node->audit, &records->tickets[i], &txn->diag));
    }
    records->is_durable = true;
    return OK;
}

/* REQ: ITI40-user-name */
struct status
records_user_name(struct arena *arena, struct span alias, struct span user, struct span issuer,
                  struct diag *diag, struct span *ret_user_name)
{
    if (user.n == 0) {
        *ret_user_name = SPAN_EMPTY;
        return OK;
    }
    return arena_printf(arena, diag, ret_user_name, "%.*s<%.*s@%.*s>", SPAN_PRINT(alias),
                        SPAN_PRINT(user), SPAN_PRINT(issuer));
}

enum audit_outcome
records_outcome(enum err code)
{
    return err_class(code) == ERR_CLASS_INTERNAL ? AUDIT_MAJOR : AUDIT_SERIOUS;
}

struct span
records_reason(struct arena *arena, const struct diag *failure, struct span said)
{
    struct diag ignored = {0};
    struct span reason;

    if (!is_ok(arena_printf(arena, &ignored, &reason, "%s: %s%s%.*s", err_name(failure->code),
                            failure->text, said.n > 0 ? "; it said: " : "", SPAN_PRINT(said)))) {
        return span_of_cstr(err_name(failure->code));
    }
    return reason;
}
