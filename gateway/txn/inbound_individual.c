/*
 * Individual access as steps of an inbound request: the id_token is proven, and the one record here
 * that is the individual's is looked up, so that ITI-38 and ITI-39 open no other. Called by
 * inbound.c on workers; what it finds lives in the transaction's arena.
 */
#include "txn/inbound.h"

enum txn_verdict
inbound_prove_individual(struct inbound *in)
{
    struct txn *txn = &in->txn;

    TXN_TRY(individual_prove(in->node->config, &in->proof.saml, in->arrived_us, txn->arena,
                             &txn->diag, &in->individual));
    return TXN_DONE;
}

/* ITI-55 compares the query itself with the token. */
static bool
has_own_record_only(const struct inbound *in)
{
    return in->individual != NULL && in->proof.transaction != SOAP_ITI_55;
}

enum txn_verdict
inbound_find_own_record(struct inbound *in)
{
    struct txn *txn = &in->txn;
    enum txn_verdict verdict = TXN_DONE;
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (!has_own_record_only(in)) {
        return TXN_DONE;
    }
    verdict = txn_may_ask(txn);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    txn_expect(txn);
    st = store_match_patient(in->node->store, &in->individual->patient, &txn->park, txn->arena,
                             &txn->diag, &answer, &in->own);
    verdict = txn_settle(txn, st, answer);
    if (verdict == TXN_DONE && in->own.kind == STORE_MATCH_ONE && in->own.is_plain) {
        TXN_TRY(ident_write_cx(txn->arena, &in->own.patient.ids.items[0], &txn->diag,
                               &in->own_patient_id));
    }
    return verdict;
}

bool
inbound_may_open(const struct inbound *in, struct span patient_id)
{
    return !has_own_record_only(in) ||
           (in->own_patient_id.n > 0 && span_eq(in->own_patient_id, patient_id));
}

struct status
inbound_check_own(const struct inbound *in, const struct ident *patient_id, struct diag *diag)
{
    const bool is_own =
        in->own_patient_id.n > 0 && ident_eq(&in->own.patient.ids.items[0], patient_id);

    if (!has_own_record_only(in) || is_own) {
        return OK;
    }
    return FAIL(diag, ERR_IDTOKEN_CONTRADICTION,
                "the patient id of the query is not that of the id_token's individual%s",
                in->own_patient_id.n > 0 ? "" : ", whom the rules of matching do not find here");
}
