/*
 * ITI-55 Cross Gateway Patient Discovery, the Responding Gateway: its functions are steps of an
 * inbound transaction (the asking side is iti55_ask.c). Runs on workers; everything lives in the
 * transaction's arena. Source: ITI TF-2 3.55.
 */
#include "txn/iti55.h"

#include <stdio.h>

#include "soap/mcci.h"
#include "soap/xcpd.h"
#include "txn/asked_back.h"
#include "txn/behind.h"
#include "txn/brokered.h"
#include "txn/iti55_behind.h"

struct iti55_work {
    struct xcpd_query query;
    struct store_match_result found;
    bool has_found;
    int64_t kept_us; /* how long the question may be kept; 0: not at all */
};

/* Is the receiver a participant behind us, of whom the asker may know? */
static bool
is_for_participant(const struct inbound *in)
{
    const struct iti55_work *work = in->work;
    const struct config *config = in->node->config;
    const struct span receiver = work->query.receiver_home;

    return config_gateway_of_community(config, receiver) != NULL && brokered_may_see(in, receiver);
}

/* What any answer to the query needs, and who asks whom; in->work. */
static struct status
read_frame(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti55_work *work;

    TRY(ARENA_NEW(txn->arena, &txn->diag, &work));
    TRY(xcpd_query_frame(in->proof.message, txn->arena, &txn->diag, &work->query));
    in->work = work;
    TRY(records_query_id(txn->arena, &work->query.query_id, &txn->diag, &in->event.query_id));
    in->event.query = work->query.query_xml;
    if (work->query.sender_home.n > 0 &&
        !partner_speaks_for(in->proof.partner, work->query.sender_home)) {
        return FAIL(&txn->diag, ERR_PEER_BINDING,
                    "the sender of the query is community '%.*s', which partner '%s' does not list",
                    SPAN_PRINT(work->query.sender_home), in->proof.partner->id);
    }
    /* Ours, and those behind us that the asker may see: a question that says it is for another was
     * sent to the wrong gateway, and our "nobody" would be taken for its. */
    if (work->query.receiver_home.n > 0 &&
        !span_eq_cstr(work->query.receiver_home, in->node->config->community) &&
        !is_for_participant(in)) {
        return FAIL(&txn->diag, ERR_UNKNOWN_COMMUNITY,
                    "the receiver of the query is community '%.*s', this community is '%s'",
                    SPAN_PRINT(work->query.receiver_home), in->node->config->community);
    }
    return OK;
}

/* After the frame. */
static enum txn_verdict
read_asked(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti55_work *work = in->work;

    TXN_TRY(xcpd_query_check_mode(&work->query, in->proof.transaction, &txn->diag));
    TXN_TRY(xcpd_query_parameters(in->proof.message, txn->arena, &txn->diag, &work->query));
    (void)xcpd_time_to_live(in->proof.message, &work->kept_us);
    if (in->individual != NULL) {
        TXN_TRY(idtoken_compare(in->individual, &work->query.subject, txn->arena, &txn->diag));
    }
    return TXN_DONE;
}

static enum txn_verdict
read_query(struct inbound *in)
{
    TXN_TRY(read_frame(in));
    return read_asked(in);
}

/* Suppliers of demographics first: whom they know, our own store has learned then. Participants
 * behind us at the same time. */
static enum txn_verdict
ask_others(struct inbound *in)
{
    const struct iti55_work *work = in->work;

    if (!config_has_engine(in->node->config, CONFIG_ENGINE_PDQ) &&
        !config_has_engine(in->node->config, CONFIG_ENGINE_GATEWAY)) {
        return TXN_DONE;
    }
    if (in->brokered == NULL) {
        struct brokered *brokered;

        TXN_TRY(brokered_begin(in, &brokered));
        brokered->order.goal = ASKING_DISCOVER;
        brokered->order.who = work->query.subject;
        brokered->order.minimum_degree = work->query.minimum_degree;
        brokered->order.leaves_store = true;
        if (is_for_participant(in)) {
            TXN_TRY(ARENA_PUSH(in->txn.arena, &in->txn.diag, &brokered->order.to,
                               work->query.receiver_home));
        }
    }
    return brokered_ask(in->brokered);
}

static enum txn_verdict
find_patient(struct inbound *in)
{
    struct txn *txn = &in->txn;
    struct iti55_work *work = in->work;
    enum txn_verdict verdict = ask_others(in);
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (verdict != TXN_DONE || is_for_participant(in)) {
        return verdict;
    }
    verdict = txn_may_ask(txn);
    if (verdict != TXN_DONE) {
        return verdict;
    }
    txn_expect(txn);
    st = store_match_patient(in->node->store, &work->query.subject, &txn->park, txn->arena,
                             &txn->diag, &answer, &work->found);
    return txn_settle(txn, st, answer);
}

/* Would this partner be told where else a patient is known? */
/* REQ: ITI56-offered */
static bool
is_locator_for(const struct inbound *in)
{
    struct policy_facts facts = inbound_policy_facts(in);

    facts.transaction = SPAN("ITI-56");
    return in->individual == NULL && in->node->config->discovery.remember_us > 0 &&
           policy_decide(in->node->config->policy, &facts).verdict == POLICY_PERMIT;
}

static bool may_be_given(const struct inbound *in, const struct store_match_result *found);

/* Whom we found, and by which id the asker may be asked about the same patient. */
static enum txn_verdict
find_and_learn(struct inbound *in)
{
    struct iti55_work *work = in->work;

    if (!work->has_found) {
        const enum txn_verdict verdict = find_patient(in);

        if (verdict != TXN_DONE) {
            return verdict;
        }
        work->has_found = true;
    }
    if (!may_be_given(in, &work->found)) {
        return TXN_DONE;
    }
    return txn_is_due(&in->txn)
               ? TXN_WAIT
               : asked_back_learn(in, &work->query, &work->found.patient, work->kept_us);
}

static struct status
add_match(struct inbound *in, const struct patient *patient, int degree, struct xcpd_answer *answer)
{
    struct txn *txn = &in->txn;
    struct span cx;
    struct xcpd_match match = {
        .patient = *patient,
        .home = span_of_cstr(in->node->config->community),
        .degree = degree,
        .is_health_data_locator = is_locator_for(in),
    };

    /* Partners get the id of our own authority, never a medical record or social security number.
     */
    match.patient.ids.n = 1;
    TRY(ident_write_cx(txn->arena, &match.patient.ids.items[0], &txn->diag, &cx));
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &in->outcomes[0].patients, cx));
    return ARENA_PUSH(txn->arena, &txn->diag, &answer->matches, match);
}

/* What would tell the candidates apart (ITI TF-2 3.55.4.2.2.6). */
/* REQ: ITI55-hints */
static struct status
ask_for_more(struct inbound *in, unsigned hints, struct xcpd_answer *answer)
{
    struct txn *txn = &in->txn;

    for (enum match_hint hint = 0; hint < MATCH_HINT_COUNT; hint++) {
        if ((hints & 1U << hint) != 0) {
            TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer->issues,
                           span_of_cstr(match_hint_code(hint))));
        }
    }
    answer->result = answer->issues.n > 0 ? XCPD_AMBIGUOUS : XCPD_NONE;
    return OK;
}

/* The asker may want a closer match than ours. */
/* REQ: ITI55-minimum-degree */
static bool
is_close_enough(const struct inbound *in, int degree)
{
    const struct iti55_work *work = in->work;

    return degree >= (int)work->query.minimum_degree;
}

/* Several agree, or one does not quite: what the configuration says is done about it. An individual
 * is told nothing of others who may be him. */
static struct status
answer_ambiguous(struct inbound *in, const struct store_match_result *found,
                 struct xcpd_answer *answer)
{
    const enum config_several several = in->node->config->discovery.several;

    if (several == CONFIG_SEVERAL_NONE || in->individual != NULL) {
        return OK;
    }
    if (several == CONFIG_SEVERAL_ASK || found->candidates.n == 0) {
        return ask_for_more(in, found->hints, answer);
    }
    for (size_t i = 0; i < found->candidates.n; i++) {
        const struct store_candidate *candidate = &found->candidates.items[i];

        if (is_close_enough(in, candidate->degree)) {
            answer->result = XCPD_MATCH;
            TRY(add_match(in, &candidate->patient, candidate->degree, answer));
        }
    }
    return OK;
}

/* Whom the token names is found by name, birth date and sex, not by what anybody may claim to be
 * his number. */
static bool
may_be_given(const struct inbound *in, const struct store_match_result *found)
{
    return found->kind == STORE_MATCH_ONE && is_close_enough(in, found->degree) &&
           (in->individual == NULL || found->is_plain);
}

/* "Nobody" is ours to say when all have said so. */
/* REQ: ITI47-silent */
static struct status
note_suppliers(struct inbound *in, struct xcpd_answer *answer)
{
    struct awaited *awaited;

    if (in->brokered == NULL) {
        return OK;
    }
    awaited = &in->brokered->awaited;
    if (asking_failed(awaited->asking) > 0 && answer->result == XCPD_NONE) {
        answer->result = XCPD_ERROR;
        TRY(ARENA_PUSH(in->txn.arena, &in->txn.diag, &answer->issues,
                       SPAN(XCPD_WHY_NOT_AVAILABLE)));
        in->may_keep_us = 0;
    }
    return awaited_note_shortfall(awaited, 0, answer->result == XCPD_ERROR, NULL);
}

static enum txn_verdict
write_answer(struct inbound *in)
{
    struct txn *txn = &in->txn;
    const struct iti55_work *work = in->work;
    struct xcpd_answer answer = {.result = XCPD_NONE};

    in->may_keep_us = in->node->config->discovery.time_to_live_us;
    if (may_be_given(in, &work->found)) {
        answer.result = XCPD_MATCH;
        TXN_TRY(add_match(in, &work->found.patient, work->found.degree, &answer));
    } else if (work->found.kind == STORE_MATCH_AMBIGUOUS) {
        TXN_TRY(answer_ambiguous(in, &work->found, &answer));
    }
    if (in->brokered != NULL) {
        TXN_TRY(iti55_add_behind(in, &work->query, &answer));
    }
    TXN_TRY(note_suppliers(in, &answer));
    TXN_TRY(xcpd_answer_write(&work->query, &answer, span_of_cstr(in->node->config->community),
                              clock_wall_us(in->node->clock), &in->payload, &txn->diag));
    return TXN_DONE;
}

struct status
iti55_write_error(struct inbound *in, const struct xcpd_query *query, enum err code)
{
    struct txn *txn = &in->txn;
    struct xcpd_answer answer = {.result = XCPD_ERROR};
    struct hl7_acknowledgement said;
    struct span why = SPAN(XCPD_WHY_INTERNAL);

    if (err_class(code) == ERR_CLASS_POLICY || err_class(code) == ERR_CLASS_MESSAGE) {
        why = SPAN(XCPD_WHY_NOT_AVAILABLE);
    } else if (err_http_status(code) == 503) {
        why = SPAN(XCPD_WHY_BUSY);
    }
    if (code == ERR_UNSUPPORTED_MODE) {
        TRY(mcci_unsupported_mode(txn->arena, &txn->diag, &said));
        answer.details = said.details;
    } else if (err_class(code) == ERR_CLASS_MESSAGE) {
        answer.error_text = span_of_cstr(err_public_text(code));
    }
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &answer.issues, why));
    return xcpd_answer_write(query, &answer, span_of_cstr(in->node->config->community),
                             clock_wall_us(in->node->clock), &in->payload, &txn->diag);
}

static struct status
refuse(struct inbound *in, enum err code)
{
    const struct iti55_work *work = in->work;

    return work == NULL ? FAIL(&in->txn.diag, code, "no query to answer")
                        : iti55_write_error(in, &work->query, code);
}

const struct responder iti55_responder = {AUDIT_ITI_55, read_query, find_and_learn, write_answer,
                                          refuse};

/* ---- the deferred mode ---- */

/* What is not refused for another reason is for this, where it was not agreed. */
/* REQ: ITI55-deferred-refused */
static struct status
check_offered(struct inbound *in)
{
    const struct partner *partner = in->proof.partner;

    if (!partner->is_deferred || partner->replies.deferred_url == NULL ||
        (in->node->outbox == NULL && in->job == NULL)) {
        return FAIL(&in->txn.diag, ERR_UNSUPPORTED_MODE,
                    "partner '%s' wants the answer later; deferred answers are not offered to it "
                    "(deferred and replies.deferred of its file)",
                    partner->id);
    }
    return OK;
}

/* No address of a message is ever called: it must be the one that the record has. */
/* REQ: ITI55-deferred-registered */
static struct status
check_respond_to(struct inbound *in, struct span respond_to)
{
    const struct partner *partner = in->proof.partner;

    if (!span_eq_cstr(respond_to, partner->replies.deferred_url)) {
        return FAIL(&in->txn.diag, ERR_POLICY_DENIED,
                    "respondTo is '%.*s', which is not registered for partner '%s' "
                    "(replies.deferred of its file)",
                    SPAN_PRINT(span_slice(respond_to, 0, 200)), partner->id);
    }
    in->reply_to = span_of_cstr(partner->replies.deferred_url);
    in->event.source_id = in->reply_to;
    return OK;
}

static enum txn_verdict
read_deferred(struct inbound *in)
{
    const struct iti55_work *work;

    TXN_TRY(read_frame(in));
    TXN_TRY(check_offered(in));
    if (read_asked(in) != TXN_DONE) {
        return TXN_FAILED;
    }
    work = in->work;
    TXN_TRY(check_respond_to(in, work->query.respond_to));
    return TXN_DONE;
}

/* An acknowledgement instead of an answer: it says why there will be none. */
static struct status
acknowledge(struct inbound *in, struct hl7_acknowledgement *said)
{
    const struct iti55_work *work = in->work;

    said->target = work->query.id;
    return mcci_write(&(struct mcci){.sender_home = span_of_cstr(in->node->config->community),
                                     .receiver_home = work->query.sender_home,
                                     .receiver_device = work->query.sender_device,
                                     .creation_us = clock_wall_us(in->node->clock),
                                     .said = *said},
                      &in->payload, &in->txn.diag);
}

/* REQ: ITI55-deferred-accepted */
struct status
iti55_write_accepted(struct inbound *in)
{
    struct hl7_acknowledgement said = {.type_code = SPAN(MCCI_ACCEPT)};

    return acknowledge(in, &said);
}

/* Once it was accepted, why there is no answer is an answer. */
static struct status
refuse_deferred(struct inbound *in, enum err code)
{
    struct txn *txn = &in->txn;
    const struct iti55_work *work = in->work;
    struct hl7_acknowledgement said;

    if (work == NULL) {
        return FAIL(&txn->diag, code, "no query to answer");
    }
    if (in->job != NULL) {
        return iti55_write_error(in, &work->query, code);
    }
    if (code == ERR_UNSUPPORTED_MODE) {
        TRY(mcci_unsupported_mode(txn->arena, &txn->diag, &said));
    } else {
        const struct hl7_detail detail = {
            .code = {.value = SPAN(HL7_DETAIL_INTERNAL), .scheme = SPAN(HL7_DETAIL_SYSTEM)},
            .text = span_of_cstr(err_public_text(code)),
        };

        said = (struct hl7_acknowledgement){.type_code = SPAN(MCCI_REFUSE)};
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &said.details, detail));
    }
    return acknowledge(in, &said);
}

const struct responder iti55_deferred_responder = {AUDIT_ITI_55, read_deferred, find_and_learn,
                                                   write_answer, refuse_deferred};
