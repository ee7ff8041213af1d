/*
 * ITI-45 PIX V3 Query of a local system: by which other ids is a patient known? By those of our
 * patient index, and by those that partners told us of him and that are not past their time. Nobody
 * is asked. Steps of local.c, on workers. Source: ITI TF-2 3.45.
 *
 * Our policy decides about the question (direction local), and about what each partner told once
 * more (`learned_from`): without a rule that names it, it is as if it were not known.
 */
#include "soap/pix.h"
#include "store/correlation.h"
#include "txn/told.h"

struct work {
    struct pix_query query;
    bool *is_known; /* of each of query.sources */
    bool has_asked_sources, has_asked_patient;
    struct known_patient known;
};

static enum txn_verdict
read_query(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct work *work;
    struct span cx;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(pix_query_read(in->proof.message, txn->arena, &txn->diag, &work->query));
    in->work = work;
    TXN_TRY(records_query_id(txn->arena, &work->query.query_id, &txn->diag, &in->event.query_id));
    in->event.query = work->query.query_xml;
    if (is_ok(ident_write_cx(txn->arena, &work->query.patient, &(struct diag){0}, &cx))) {
        TXN_TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->event.patients, cx));
    }
    local->is_answered = true;
    return TXN_DONE;
}

/* ---- asking the store ---- */

static struct status
decide(struct inbound *in)
{
    const struct policy_facts facts = local_policy_facts((const struct local *)in, SPAN("ITI-45"));

    in->decision = policy_decide(in->node->config->policy, &facts);
    records_note_decision(&in->event, &in->decision);
    return in->decision.verdict == POLICY_PERMIT
               ? OK
               : FAIL(&in->txn.diag, ERR_POLICY_DENIED, "our own policy, rule '%s': %s",
                      in->decision.rule, in->decision.reason);
}

static struct status
ask_sources(struct inbound *in, struct work *work, enum answer *ret_answer)
{
    const struct hl7_domain_list *sources = &work->query.sources;
    struct txn *txn = &in->txn;
    struct span *roots;

    TRY(ARENA_ARRAY(txn->arena, sources->n, &txn->diag, &roots));
    TRY(ARENA_ARRAY(txn->arena, sources->n, &txn->diag, &work->is_known));
    for (size_t i = 0; i < sources->n; i++) {
        roots[i] = sources->items[i].root;
    }
    return store_knows_domains(in->node->store, roots, sources->n, &txn->park, &txn->diag,
                               ret_answer, work->is_known);
}

static enum txn_verdict
find_patient(struct inbound *in)
{
    struct work *work = in->work;
    struct txn *txn = &in->txn;

    TXN_TRY(decide(in));
    while (!work->has_asked_patient) {
        bool *const is_done =
            work->has_asked_sources ? &work->has_asked_patient : &work->has_asked_sources;
        enum txn_verdict verdict = txn_may_ask(txn);
        enum answer answer = ANSWER_NOW;
        struct status st;

        if (verdict != TXN_DONE) {
            return verdict;
        }
        txn_expect(txn);
        st = work->has_asked_sources
                 ? store_known_patient(in->node->store, &work->query.patient, &txn->park,
                                       txn->arena, &txn->diag, &answer, &work->known)
                 : ask_sources(in, work, &answer);
        verdict = txn_settle(txn, st, answer);
        if (verdict != TXN_DONE) {
            return verdict;
        }
        *is_done = true;
    }
    return TXN_DONE;
}

/* ---- the answer ---- */

static bool
is_wanted(const struct pix_query *query, const struct ident *id)
{
    for (size_t i = 0; i < query->sources.n; i++) {
        if (span_eq(query->sources.items[i].root, id->root)) {
            return true;
        }
    }
    return query->sources.n == 0;
}

/* Each once, none that was asked about, and no more than an answer holds. */
static struct status
add_id(struct inbound *in, const struct work *work, const struct ident *id,
       struct pix_answer *answer)
{
    struct txn *txn = &in->txn;
    struct span cx;

    if (!is_wanted(&work->query, id) || ident_eq(id, &work->query.patient) ||
        ident_list_has(&answer->ids, id)) {
        return OK;
    }
    if (answer->ids.n == PIX_IDS_MAX) {
        return FAIL(&txn->diag, ERR_LIMIT_RESULTS, "the patient has more than %zu ids",
                    PIX_IDS_MAX);
    }
    if (is_ok(ident_write_cx(txn->arena, id, &(struct diag){0}, &cx))) {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->outcomes[0].patients, cx));
    }
    answer->result = PIX_FOUND;
    return ARENA_PUSH(txn->arena, &txn->diag, &answer->ids, *id);
}

/* REQ: ITI45-answered, ITI45-told-by-policy */
static struct status
add_ids(struct inbound *in, const struct work *work, struct pix_answer *answer)
{
    const struct policy_facts facts = local_policy_facts((const struct local *)in, SPAN("ITI-45"));

    for (size_t i = 0; i < work->known.ids.n; i++) {
        TRY(add_id(in, work, &work->known.ids.items[i], answer));
    }
    for (size_t i = 0; i < work->known.correlated.n; i++) {
        const struct correlated *one = &work->known.correlated.items[i];

        TRY(told_may_be_told(in->node, &facts, one) ? add_id(in, work, &one->id, answer) : OK);
    }
    return OK;
}

static void
note_unknown_sources(const struct work *work, struct pix_answer *answer)
{
    for (size_t i = 0; i < work->query.sources.n; i++) {
        if (!work->is_known[i]) {
            answer->unknown[answer->unknown_n++] = i;
        }
    }
}

static struct status
write_payload(struct inbound *in, const struct work *work, const struct pix_answer *answer)
{
    return pix_answer_write(&work->query, answer, span_of_cstr(in->node->config->community),
                            clock_wall_us(in->node->clock), &in->payload, &in->txn.diag);
}

static struct status
find_answer(struct inbound *in, const struct work *work, struct pix_answer *answer)
{
    note_unknown_sources(work, answer);
    if (!work->known.is_known) {
        return FAIL(&in->txn.diag, ERR_UNKNOWN_PATIENT,
                    "nobody here has the id that is asked about");
    }
    if (answer->unknown_n > 0) {
        return FAIL(&in->txn.diag, ERR_UNKNOWN_DOMAIN,
                    "%zu of %zu dataSource values are no assigning authority of any identifier "
                    "known here",
                    answer->unknown_n, work->query.sources.n);
    }
    return add_ids(in, work, answer);
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    const struct work *work = in->work;
    struct pix_answer answer = {.result = PIX_NONE};

    TXN_TRY(find_answer(in, work, &answer));
    TXN_TRY(write_payload(in, work, &answer));
    return TXN_DONE;
}

/* REQ: ITI45-unknown-answered */
static struct status
refuse(struct inbound *in, enum err code)
{
    const struct work *work = in->work;
    struct txn *txn = &in->txn;
    struct pix_answer answer = {.result = PIX_ERROR};
    const struct hl7_detail detail = {
        .code = {.value = SPAN(HL7_DETAIL_INTERNAL), .scheme = SPAN(HL7_DETAIL_SYSTEM)},
        .text = span_of_cstr(err_public_text(code)),
    };

    if (work == NULL) {
        return FAIL(&txn->diag, code, "no query to answer");
    }
    if (code == ERR_UNKNOWN_PATIENT) {
        answer.result = PIX_UNKNOWN_PATIENT;
    } else if (code == ERR_UNKNOWN_DOMAIN) {
        answer.result = PIX_UNKNOWN_SOURCE;
        note_unknown_sources(work, &answer);
    } else {
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.details, detail));
    }
    return write_payload(in, work, &answer);
}

const struct responder local_iti45 = {AUDIT_ITI_45, read_query, find_patient, write_answer, refuse};
