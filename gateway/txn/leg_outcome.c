/*
 * What the record of a leg says when it is over. Called by asking.c's outcome step on a worker;
 * everything lives in the transaction's arena.
 */
#include "base/mem.h"
#include "txn/asking.h"

/* The failure beside a success: what was asked for, did not come, and why. */
static struct audit_event
failure_of(struct asking *asking, const struct leg *leg, const struct audit_event *success)
{
    struct audit_event failure = *success;

    failure.outcome = records_outcome(leg->diag.code);
    failure.outcome_text = records_reason(asking->txn.arena, &leg->diag, leg->said);
    return failure;
}

/* Our own store says whom it found (ITI TF-2 3.55.5: a partner's answer is the responder's to
 * record). */
static struct status
note_found(struct asking *asking, const struct leg *leg, struct audit_event *event)
{
    struct txn *txn = &asking->txn;
    struct span cx;

    if (leg->partner != NULL || leg->matches.n == 0) {
        return OK;
    }
    TRY(ident_write_cx(txn->arena, &leg->matches.items[0].patient.ids.items[0], &txn->diag, &cx));
    return ARENA_PUSH(txn->arena, &txn->diag, &event->patients, cx);
}

/* The ids that were told are patients of the record, too (ITI TF-2 3.45.5.1). */
static struct status
note_ids(struct asking *asking, const struct leg *leg, struct audit_event *event)
{
    struct txn *txn = &asking->txn;

    for (size_t i = 0; i < leg->ids.n; i++) {
        struct diag ignored = {0};
        struct span cx;

        if (is_ok(ident_write_cx(txn->arena, &leg->ids.items[i], &ignored, &cx))) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &event->patients, cx));
        }
    }
    return OK;
}

/* A supplier may give people who are like the one; our rules say who is not. */
static struct status
note_others(struct asking *asking, const struct leg *leg, struct audit_event *event)
{
    if (leg->others_n == 0 || event->outcome_text.n > 0) {
        return OK;
    }
    return arena_printf(asking->txn.arena, &asking->txn.diag, &event->outcome_text,
                        "%u of the people given are not the one asked for; the first: %s",
                        leg->others_n, match_rule_text(leg->others));
}

/* A question that named no patient concerns those of its answer. */
static struct status
note_patients(struct asking *asking, const struct leg *leg, struct span_list *patients)
{
    struct txn *txn = &asking->txn;

    for (size_t i = 0; i < leg->objects.documents.n; i++) {
        const struct span id = leg->objects.documents.items[i].patient_id;
        bool is_there = id.n == 0;

        for (size_t j = 0; j < patients->n && !is_there; j++) {
            is_there = span_eq(patients->items[j], id);
        }
        if (!is_there) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, patients, id));
        }
    }
    return OK;
}

struct span
asking_owner_of(const struct asking *asking, const struct document_ref *ref)
{
    for (size_t round = 0; round < ASKING_ROUNDS; round++) {
        for (size_t i = 0; i < asking->legs[round].n; i++) {
            const struct document_list *documents = &asking->legs[round].items[i].objects.documents;

            for (size_t j = 0; j < documents->n; j++) {
                const struct document_entry *entry = &documents->items[j];

                if (span_eq(entry->unique_id, ref->unique_id) &&
                    span_eq(entry->repository, ref->repository)) {
                    return entry->patient_id;
                }
            }
        }
    }
    return SPAN_EMPTY;
}

static void
note_status(struct asking *asking, const struct leg *leg,
            struct audit_event events[LEG_OUTCOMES_MAX], size_t *n)
{
    if (leg->status == REGISTRY_FAILURE) { /* an unknown patient, which is an answer to the user */
        events[0].outcome = AUDIT_SERIOUS;
        events[0].outcome_text = SPAN("the community does not know the patient id");
    } else if (leg->status == REGISTRY_PARTIAL_SUCCESS) {
        events[1] = failure_of(asking, leg, &events[0]);
        *n = 2;
    }
}

static struct status
note_retrieved(struct asking *asking, const struct leg *leg,
               struct audit_event events[LEG_OUTCOMES_MAX], size_t *n)
{
    struct txn *txn = &asking->txn;
    struct document_ref_list came = {0}, missing = {0};

    for (size_t i = 0; i < leg->refs.n; i++) {
        const struct document_ref *ref = &leg->refs.items[i];

        TRY(ARENA_PUSH(txn->arena, &txn->diag, leg_has_document(leg, ref) ? &came : &missing,
                       *ref));
    }
    events[0].documents = came;
    if (missing.n > 0) {
        events[1] = failure_of(asking, leg, &events[0]);
        events[1].documents = missing;
        *n = 2;
    }
    return OK;
}

/* REQ: ITI20-split */
struct status
leg_outcomes(struct asking *asking, struct leg *leg,
             struct audit_event ret_events[LEG_OUTCOMES_MAX], size_t *ret_n)
{
    struct audit_event *event = &ret_events[0];

    *event = leg->event;
    *ret_n = 1;
    event->phase = AUDIT_OUTCOME;
    event->destination_address = span_of_cstr(leg->peer_address);
    if (leg->state != LEG_ANSWERED) {
        *event = failure_of(asking, leg, event);
        return OK;
    }
    event->outcome = leg->dropped > 0 ? AUDIT_MINOR : AUDIT_SUCCESS;
    if (leg->dropped > 0) {
        event->outcome_text = records_reason(asking->txn.arena, &leg->diag, leg->said);
    }
    if (leg->is_moot) {
        event->outcome_text =
            leg->transaction == SOAP_ITI_47
                ? SPAN("not asked: neither name and birth date nor an id of the supplier is known")
                : SPAN("not asked: our patient index has no id of the source's authority");
    }
    if (leg->is_remembered) {
        event->outcome_text = SPAN("not asked: its answer to the same question is still good");
    }
    if (leg->collected != NULL) {
        event->outcome_text = SPAN("collected: the answer had come as a message of its own");
    }
    switch (leg->transaction) {
    case SOAP_ITI_55:
        return note_found(asking, leg, event);
    case SOAP_ITI_45:
        return note_ids(asking, leg, event);
    case SOAP_ITI_47:
        return note_others(asking, leg, event);
    case SOAP_ITI_38:
    case SOAP_ITI_18:
        if (event->patients.n == 0) {
            TRY(note_patients(asking, leg, &event->patients));
        }
        note_status(asking, leg, ret_events, ret_n);
        return OK;
    case SOAP_ITI_39:
    case SOAP_ITI_43:
        return note_retrieved(asking, leg, ret_events, ret_n);
    case SOAP_ITI_80:
        if (leg->status != REGISTRY_SUCCESS) {
            *event = failure_of(asking, leg, event);
        }
        return OK;
    case SOAP_ITI_41:
    case SOAP_ITI_55_DEFERRED:
    case SOAP_ITI_56:
    case SOAP_ITI_55_RESPONSE:
    case SOAP_ITI_47_CONTINUE:
    case SOAP_ITI_47_CANCEL:
    case SOAP_TRANSACTION_COUNT:
        break;
    }
    return OK;
}
