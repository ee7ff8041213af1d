/*
 * ITI-56 Patient Location Query. The answering side: which communities know a patient of ours, and
 * under which ids, as partners told us and are not past their time; steps of an inbound
 * transaction. The asking side: one leg of an asking. On workers; everything lives in the arena of
 * the transaction, or of the leg. Source: ITI TF-2 3.56, IHE XCPD Health Data Locator and Revoke
 * Option.
 *
 * The patient is asked about by the id that we gave out (ITI-55); nothing is said of any other. Who
 * is known here is known to our own community in any case, which the schema needs to have a
 * location. Our policy decides about the question, and about what each partner told
 * (`learned_from`). The answer has no place for an error: what is refused is a SOAP fault, and who
 * is not known is an empty answer.
 */
#include "txn/iti56.h"

#include "soap/plq.h"
#include "txn/told.h"

struct work {
    struct ident patient;
    struct known_patient known;
};

static enum txn_verdict
read_query(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct work *work;
    struct span cx;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(plq_query_read(in->proof.message, txn->arena, &txn->diag, &work->patient));
    TXN_TRY(plq_query_xml(in->proof.message, txn->arena, &txn->diag, &in->event.query));
    in->event.query_id = in->event.message_id; /* the query has no id of its own */
    in->work = work;
    if (in->individual != NULL) {
        (void)FAIL(&txn->diag, ERR_POLICY_DENIED,
                   "where else a patient is known is not told to individuals (ITI-56)");
        return TXN_FAILED;
    }
    if (is_ok(ident_write_cx(txn->arena, &work->patient, &(struct diag){0}, &cx))) {
        TXN_TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->event.patients, cx));
    }
    return TXN_DONE;
}

static enum txn_verdict
find_patient(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct work *work = in->work;
    const enum txn_verdict verdict = txn_may_ask(txn);
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (verdict != TXN_DONE ||
        !span_eq_cstr(work->patient.root, in->node->config->patient_authority)) {
        return verdict;
    }
    txn_expect(txn);
    st = store_known_patient(in->node->store, &work->patient, &txn->park, txn->arena, &txn->diag,
                             &answer, &work->known);
    return txn_settle(txn, st, answer);
}

/* REQ: ITI56-answered, ITI56-told-by-policy */
static enum txn_verdict
write_answer(struct inbound *in)
{
    struct txn *txn = &in->txn;
    const struct work *work = in->work;
    const struct policy_facts facts = inbound_policy_facts(in);
    struct plq_location_list locations = {0};

    if (work->known.ids.n > 0) {
        const struct plq_location here = {span_of_cstr(in->node->config->community), work->patient};

        TXN_TRY(ARENA_PUSH(txn->arena, &txn->diag, &locations, here));
    }
    for (size_t i = 0; i < work->known.correlated.n; i++) {
        const struct correlated *one = &work->known.correlated.items[i];
        const struct plq_location location = {one->community, one->id};

        if (told_may_be_told(in->node, &facts, one)) {
            TXN_TRY(ARENA_PUSH(txn->arena, &txn->diag, &locations, location));
        }
    }
    TXN_TRY(plq_answer_write(&work->patient, &locations, &in->payload, &txn->diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    return FAIL(&in->txn.diag, code, "ITI-56 has no answer that says why not");
}

const struct responder iti56_responder = {AUDIT_ITI_56, read_query, find_patient, write_answer,
                                          refuse};

/* ---- Initiating Gateway ---- */

struct status
iti56_ask(struct asking *asking, struct leg *leg)
{
    TRY(plq_query_write(&leg->patient_id, &leg->payload, &leg->diag));
    leg->event.query_id = leg->event.message_id; /* the query has no id of its own */
    return arena_dup(asking->txn.arena, buf_span(&leg->payload), &leg->diag, &leg->event.query);
}

/* REQ: ITI56-asked */
struct status
iti56_answer(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct plq_location_list locations = {0};

    (void)asking;
    TRY(plq_answer_read(message, &leg->patient_id, leg->arena, &leg->diag, &locations));
    for (size_t i = 0; i < locations.n; i++) {
        struct xcpd_match match = {.home = locations.items[i].home, .degree = -1};

        TRY(ARENA_PUSH(leg->arena, &leg->diag, &match.patient.ids, locations.items[i].patient));
        TRY(ARENA_PUSH(leg->arena, &leg->diag, &leg->matches, match));
    }
    leg->result = leg->matches.n > 0 ? XCPD_MATCH : XCPD_NONE;
    return OK;
}
