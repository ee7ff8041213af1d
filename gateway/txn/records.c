/*
 * Appends the audit events of a transaction and waits for their durability. Called from steps.
 */
#include "txn/records.h"

#include <assert.h>

/* Events of one record; beyond it stays one event that names all patients. */
#define RECORDS_PARTS_MAX 1000

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

static struct status
append(struct node *node, struct txn *txn, const struct audit_event *event,
       struct journal_ticket *ticket)
{
    txn_expect(txn);
    const struct status st =
        node->audit->append(node->audit, event, &txn->park, &txn->diag, ticket);

    if (!is_ok(st)) {
        txn_unexpect(txn);
    }
    return st;
}

static struct status
append_whole(struct records *records, struct node *node, struct txn *txn,
             const struct audit_event *event)
{
    assert(records->n < records->capacity);
    TRY(append(node, txn, event, &records->tickets[records->n]));
    records->n++;
    return OK;
}

/* ---- one event a patient ---- */

struct parts {
    struct audit_event *items;
    size_t n, capacity;
};

/* Whose documents they are is known, or the table of the transaction has one patient. */
static bool
is_split(const struct audit_event *event)
{
    return event->type == AUDIT_ITI_38 || event->type == AUDIT_ITI_18 ||
           event->type == AUDIT_ITI_39 || event->type == AUDIT_ITI_43 ||
           event->type == AUDIT_LOCAL_ACCESS || event->type == AUDIT_EMERGENCY_ACCESS;
}

static struct status
part_of(struct parts *parts, const struct audit_event *event, struct span patient,
        struct arena *arena, struct diag *diag, struct audit_event **ret_part)
{
    for (size_t i = 0; i < parts->n; i++) {
        const struct span_list *patients = &parts->items[i].patients;

        if (span_eq(patients->n > 0 ? patients->items[0] : SPAN_EMPTY, patient)) {
            *ret_part = &parts->items[i];
            return OK;
        }
    }
    struct audit_event part = *event;

    part.patients = (struct span_list){0};
    part.documents = (struct document_ref_list){0};
    if (patient.n > 0) {
        TRY(ARENA_PUSH(arena, diag, &part.patients, patient));
    }
    TRY(ARENA_PUSH(arena, diag, parts, part));
    *ret_part = &parts->items[parts->n - 1];
    return OK;
}

static struct status
split(const struct audit_event *event, const struct span_list *owners, struct arena *arena,
      struct diag *diag, struct parts *parts)
{
    struct audit_event *part = NULL;

    for (size_t i = 0; owners == NULL && i < event->patients.n; i++) {
        TRY(part_of(parts, event, event->patients.items[i], arena, diag, &part));
        part->documents = event->documents;
    }
    for (size_t i = 0; owners != NULL && i < event->documents.n; i++) {
        const struct span owner = i < owners->n ? owners->items[i] : SPAN_EMPTY;

        TRY(part_of(parts, event, owner, arena, diag, &part));
        TRY(ARENA_PUSH(arena, diag, &part->documents, event->documents.items[i]));
    }
    return OK;
}

/* Room for all of them before the first is appended. */
static struct status
make_room(struct records *records, size_t n, struct arena *arena, struct diag *diag)
{
    struct journal_ticket *tickets;

    TRY(ARENA_ARRAY(arena, n, diag, &tickets));
    for (size_t i = 0; i < n; i++) {
        TRY(ARENA_PUSH(arena, diag, &records->more, &tickets[i]));
    }
    return OK;
}

/* REQ: ITI20-one-patient */
/* Without the memory to tell them apart, one event names all patients: none is left out. */
struct status
records_append_documents(struct records *records, struct node *node, struct txn *txn,
                         const struct audit_event *event, const struct span_list *owners)
{
    const size_t before = records->more.n;
    struct parts parts = {0};
    struct diag ignored = {0};
    struct status st = OK;

    if (!is_split(event) || (owners == NULL && event->patients.n < 2)) {
        return append_whole(records, node, txn, event);
    }
    st = split(event, owners, txn->arena, &ignored, &parts);
    if (is_ok(st) && parts.n > 1) {
        st = make_room(records, parts.n - 1, txn->arena, &ignored);
    }
    if (!is_ok(st) || parts.n == 0 || parts.n > RECORDS_PARTS_MAX) {
        records->more.n = before;
        return append_whole(records, node, txn, event);
    }
    st = append_whole(records, node, txn, &parts.items[0]);
    for (size_t i = 1; i < parts.n; i++) {
        if (is_ok(st)) {
            st = append(node, txn, &parts.items[i], records->more.items[before + i - 1]);
        }
        if (!is_ok(st)) {
            records->more.n = before + i - 1;
            return st;
        }
    }
    return st;
}

struct status
records_append(struct records *records, struct node *node, struct txn *txn,
               const struct audit_event *event)
{
    return records_append_documents(records, node, txn, event, NULL);
}

struct status
records_settle(struct records *records, struct node *node, struct txn *txn)
{
    assert(!txn_is_due(txn));
    for (size_t i = 0; i < records->n; i++) {
        TRY(node->audit->check(node->audit, &records->tickets[i], &txn->diag));
    }
    for (size_t i = 0; i < records->more.n; i++) {
        TRY(node->audit->check(node->audit, records->more.items[i], &txn->diag));
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

struct status
records_query_id(struct arena *arena, const struct ident *id, struct diag *diag,
                 struct span *ret_text)
{
    struct diag ignored = {0};

    if (id->extension.n == 0 || id->root.n == 0) {
        *ret_text = id->root.n > 0 ? id->root : id->extension;
        return OK;
    }
    if (!is_ok(ident_write_cx(arena, id, &ignored, ret_text))) { /* CX cannot write it */
        return arena_printf(arena, diag, ret_text, "%.*s %.*s", SPAN_PRINT(id->root),
                            SPAN_PRINT(id->extension));
    }
    return OK;
}

void
records_note_decision(struct audit_event *event, const struct policy_decision *decision)
{
    event->policy_rule = span_of_cstr(decision->rule);
    event->policy_verdict = decision->verdict != POLICY_PERMIT ? SPAN(AUDIT_VERDICT_DENIED)
                            : decision->is_emergency           ? SPAN(AUDIT_VERDICT_EMERGENCY)
                                                               : SPAN(AUDIT_VERDICT_PERMITTED);
}

struct audit_event
records_emergency(const struct audit_event *event)
{
    struct audit_event emergency = *event;

    emergency.type = AUDIT_EMERGENCY_ACCESS;
    emergency.phase = AUDIT_OUTCOME;
    return emergency;
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
