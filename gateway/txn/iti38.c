/*
 * ITI-38 Cross Gateway Query, the Responding Gateway: every stored query of ITI-18 over the
 * embedded store, or over all sources when there are others (brokered.h). Runs on workers;
 * everything lives in the transaction's arena. Source: ITI TF-2 3.38 and 3.18.
 */
#include "txn/iti38.h"

#include "base/ids.h"
#include "txn/behind.h"
#include "txn/brokered.h"
#include "txn/own_query.h"
#include "txn/registry_answer.h"

struct iti38_work {
    struct stored_query query;
    struct stored_question question;
    bool is_patient_known;
    struct own_query own;
    struct registry_objects found;
};

/* ---- parameters ---- */

/* REQ: ITI38-home-required, ITI38-home-optional, ITI38-home-unknown */
static struct status
check_home(struct inbound *in, const struct iti38_work *work)
{
    struct diag *diag = &in->txn.diag;
    struct span oid;

    if (work->query.home.n == 0) {
        /* ITI TF-2 3.38.4.1.3: required when no patient id is given */
        return work->question.is_by_patient
                   ? OK
                   : FAIL(diag, ERR_MISSING_COMMUNITY, "%s needs the AdhocQuery's home attribute",
                          work->question.name);
    }
    if (!home_community_oid(work->query.home, &oid) ||
        !config_is_own_community(in->node->config, oid) || !brokered_may_see(in, oid)) {
        return FAIL(diag, ERR_UNKNOWN_COMMUNITY, "the query is for '%.*s', this community is '%s'",
                    SPAN_PRINT(span_slice(work->query.home, 0, OID_TEXT)),
                    in->node->config->community);
    }
    return OK;
}

static struct status
read_question(struct inbound *in, struct iti38_work *work)
{
    struct txn *txn = &in->txn;
    const struct status st =
        stored_query_question(&work->query, txn->arena, &txn->diag, &work->question);

    if (work->question.patient.n > 0) {
        struct diag ignored = {0}; /* the first failure counts */

        TRY(ARENA_PUSH(txn->arena, is_ok(st) ? &txn->diag : &ignored, &in->event.patients,
                       work->question.patient));
    }
    return st;
}

static enum txn_verdict
read_query(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti38_work *work;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TXN_TRY(stored_query_read(in->proof.message, txn->arena, &txn->diag, &work->query));
    in->work = work;
    in->event.query_id = work->query.id;
    in->event.query = work->query.query_xml;
    TXN_TRY(read_question(in, work));
    TXN_TRY(check_home(in, work));
    return TXN_DONE;
}

/* ---- work ---- */

static bool
may_show(const void *arg, const struct document_entry *entry)
{
    return inbound_may_disclose(arg, entry);
}

static bool
may_open(const void *arg, struct span patient_id)
{
    return inbound_may_open(arg, patient_id);
}

/* Is the question one for a participant behind us, who knows patients by ids of its own? */
static bool
is_for_participant(const struct inbound *in, const struct iti38_work *work)
{
    struct span oid;

    return work->query.home.n > 0 && home_community_oid(work->query.home, &oid) &&
           config_gateway_of_community(in->node->config, oid) != NULL;
}

/* May a participant know the patient by this id, be it unknown to us? */
static bool
may_be_participants(const struct inbound *in, const struct ident *id)
{
    const struct config *config = in->node->config;

    return config_has_engine(config, CONFIG_ENGINE_GATEWAY) &&
           !span_eq_cstr(id->root, config->patient_authority);
}

/* Is the patient one that we gave an id, and that this request may open? */
/* REQ: SQ-single-patient */
static struct status
check_patient(struct inbound *in, struct iti38_work *work, enum answer *ret_answer)
{
    struct txn *txn = &in->txn;
    const struct ident *id = &work->question.asks.filter.patient_id;

    *ret_answer = ANSWER_NOW;
    if (!work->question.is_by_patient || work->is_patient_known || is_for_participant(in, work)) {
        return OK;
    }
    if (!may_be_participants(in, id)) {
        TRY(inbound_check_own(in, id, &txn->diag));
    }
    TRY(store_knows_patient(in->node->store, id, &txn->park, &txn->diag, ret_answer,
                            &work->is_patient_known));
    if (*ret_answer == ANSWER_NOW && !work->is_patient_known && !may_be_participants(in, id)) {
        return FAIL(&txn->diag, ERR_UNKNOWN_PATIENT, "the id was not given out by this node");
    }
    return OK;
}

/* REQ: ITI38-unknown-patient */
static struct status
ask_store(struct inbound *in, struct iti38_work *work, enum answer *ret_answer)
{
    struct txn *txn = &in->txn;
    const struct own_reader reader = {may_show, may_open, in, in->individual != NULL};

    TRY(check_patient(in, work, ret_answer));
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    if (!work->own.is_begun) {
        own_query_init(&work->own, &work->question.asks, &reader);
    }
    return own_query_ask(&work->own, in->node->store, &txn->park, txn->arena, &txn->diag,
                         ret_answer, &work->found);
}

/* ---- work, with other sources ---- */

static struct status
begin_brokered(struct inbound *in, struct iti38_work *work)
{
    struct txn *txn = &in->txn;
    struct brokered *brokered;
    struct span oid;

    TRY(brokered_begin(in, &brokered));
    brokered->order.goal = ASKING_QUERY;
    brokered->order.query = &work->query;
    brokered->order.patient_id = work->question.asks.filter.patient_id;
    if (work->query.home.n > 0 && home_community_oid(work->query.home, &oid)) {
        return ARENA_PUSH(txn->arena, &txn->diag, &brokered->order.to, oid);
    }
    return OK;
}

/* The patient is one that we gave an id: whether a source knows him is its leg's to see. */
static enum txn_verdict
ask_sources(struct inbound *in, struct iti38_work *work)
{
    struct txn *txn = &in->txn;
    enum answer answer = ANSWER_NOW;
    enum txn_verdict verdict;
    struct status st;

    if (in->brokered != NULL) {
        return brokered_ask(in->brokered);
    }
    verdict = txn_may_ask(txn);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    txn_expect(txn);
    st = check_patient(in, work, &answer);
    verdict = txn_settle(txn, st, answer);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    TXN_TRY(begin_brokered(in, work));
    return brokered_ask(in->brokered);
}

static enum txn_verdict
find_objects(struct inbound *in)
{
    struct txn *txn = &in->txn;
    enum answer answer = ANSWER_NOW;
    enum txn_verdict verdict;
    struct status st;

    if (brokered_is_needed(in)) {
        return ask_sources(in, in->work);
    }
    verdict = txn_may_ask(txn);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    txn_expect(txn);
    st = ask_store(in, in->work, &answer);
    return txn_settle(txn, st, answer);
}

/* ---- answer ---- */

/* A patient whom nobody knows: neither we nor any participant that was asked. */
/* REQ: DOWN-unknown-patient */
static struct status
check_known(struct inbound *in, const struct iti38_work *work)
{
    const struct leg_list *legs = &in->brokered->awaited.asking->legs[1];
    bool was_asked = false;

    if (!work->question.is_by_patient || work->is_patient_known) {
        return OK;
    }
    for (size_t i = 0; i < legs->n; i++) {
        const struct leg *leg = &legs->items[i];

        if (leg_is_behind(leg) && (leg->state != LEG_ANSWERED || leg->status != REGISTRY_FAILURE)) {
            return OK;
        }
        was_asked |= leg_is_behind(leg);
    }
    return was_asked || !is_for_participant(in, work)
               ? FAIL(&in->txn.diag, ERR_UNKNOWN_PATIENT,
                      "neither this node nor a participant behind it knows the id")
               : OK;
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct txn *txn = &in->txn;
    const struct iti38_work *work = in->work;
    struct query_answer answer = {.status = REGISTRY_SUCCESS, .objects = work->found};

    if (in->brokered != NULL) {
        TXN_TRY(check_known(in, work));
        TXN_TRY(merge_query(asking_merged(in->brokered->awaited.asking), &txn->diag, &answer));
        brokered_own_errors(&answer.errors, "XDSRegistryError");
        TXN_TRY(awaited_note_shortfall(&in->brokered->awaited, 1, answer.status == REGISTRY_FAILURE,
                                       NULL));
    }
    TXN_TRY(registry_answer_shape(in, &work->query, &work->question, &answer));
    TXN_TRY(query_answer_write(&answer, txn->arena, &in->payload, &txn->diag));
    return TXN_DONE;
}

static struct status
refuse(struct inbound *in, enum err code)
{
    const struct iti38_work *work = in->work;

    return registry_answer_refuse(in, code, work == NULL ? NULL : &work->question);
}

const struct responder iti38_responder = {AUDIT_ITI_38, read_query, find_objects, write_answer,
                                          refuse};
