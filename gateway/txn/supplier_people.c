/*
 * ITI-47 Patient Demographics Query, the consumer: suppliers of demographics are asked beside the
 * partners; whom they give is compared with the question, learned by the store's patient index, and
 * answered by it. Legs and a step of an asking, on workers; what an answer brings lives in the
 * leg's arena. Source: ITI TF-2 3.47.
 */
#include "soap/pdq.h"
#include "txn/suppliers.h"

/* ---- whom is asked about ---- */

static bool
has_name(const struct patient *who)
{
    for (size_t i = 0; i < who->names.n; i++) {
        if (who->names.items[i].family.n > 0) {
            return true;
        }
    }
    return false;
}

static bool
has_birth(const struct patient *who)
{
    return who->birth_time.n > 0 || who->birth_range.low.n > 0 || who->birth_range.high.n > 0;
}

/* Every parameter of ITI-47 narrows the answer, and suppliers narrow in their own ways. So what is
 * asked is name and birth date, or else the supplier's own id; everything else that the question
 * says is for our own rules to compare. False: there is nothing to ask by. */
static bool
question_of(const struct asking *asking, const struct config_source *source,
            struct patient *ret_subject, const struct ident **ret_id)
{
    const struct patient *who = &asking->order.who;

    *ret_id = NULL;
    if (has_name(who) && has_birth(who)) {
        *ret_subject = (struct patient){
            .names = who->names, .birth_time = who->birth_time, .birth_range = who->birth_range};
        return true;
    }
    for (size_t i = 0; i < who->ids.n && source->patient_authority != NULL; i++) {
        if (span_eq_cstr(who->ids.items[i].root, source->patient_authority)) {
            *ret_id = &who->ids.items[i];
            *ret_subject = (struct patient){0};
            return true;
        }
    }
    return false;
}

/* REQ: ITI47-source */
struct status
suppliers_plan_people(struct asking *asking)
{
    const struct config *config = asking->node->config;
    const struct span own = span_of_cstr(config->community);
    struct patient subject;
    const struct ident *id;
    struct leg *leg;

    if (asking->node->store == NULL || !rounds_want(asking, own)) {
        return OK;
    }
    for (size_t i = 0; i < config->sources_n; i++) {
        const struct config_source *source = &config->sources[i];

        if (source->engine == CONFIG_ENGINE_PDQ) {
            TRY(asking_add_leg(asking, SOAP_ITI_47, source->partner, own, &leg));
            leg->is_moot = !question_of(asking, source, &subject, &id);
        }
    }
    return OK;
}

bool
suppliers_are_asked(const struct asking *asking)
{
    const struct leg_list *legs = asking_legs(asking);

    if (!config_has_engine(asking->node->config, CONFIG_ENGINE_PDQ)) {
        return false;
    }
    for (size_t i = 0; i < legs->n; i++) {
        if (legs->items[i].transaction == SOAP_ITI_47) {
            return true;
        }
    }
    return false;
}

/* ---- the question ---- */

struct status
supplier_ask_people(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    struct xcpd_query query = {
        .id = {.root = leg->message_uuid_oid},
        .query_id = {.root = leg->message_uuid_oid, .extension = SPAN("1")},
        .sender_home = span_of_cstr(asking->node->config->community),
        .creation_us = clock_wall_us(asking->node->clock),
        .initial_quantity = SUPPLIER_PEOPLE_MAX,
    };
    const struct ident *id = NULL;

    if (!question_of(asking, leg->partner->source, &query.subject, &id)) {
        return FAIL(&leg->diag, ERR_INTERNAL, "nothing to ask %s by", leg->partner->id);
    }
    if (id != NULL) {
        TRY(ARENA_PUSH(txn->arena, &leg->diag, &query.subject.ids, *id));
    }
    leg->query_id = query.query_id;
    TRY(records_query_id(txn->arena, &query.query_id, &leg->diag, &leg->event.query_id));
    return pdq_query_write(&query, txn->arena, &leg->payload, &leg->diag, &leg->event.query);
}

/* ---- the answer ---- */

static struct status
refused(struct leg *leg, const struct xcpd_answer *answer)
{
    struct span code = answer->issues.n > 0    ? answer->issues.items[0]
                       : answer->details.n > 0 ? answer->details.items[0].code.value
                                               : SPAN("no code");

    TRY(leg_note_said(leg, answer->error_text));
    return FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s answered with an error: %.*s",
                leg->partner->id, SPAN_PRINT(span_slice(code, 0, LEG_CODE_MAX)));
}

/* A part of those who fit decides nothing: the rest may be the one, too. */
/* REQ: ITI47-too-many */
static struct status
check_whole(struct leg *leg, const struct xcpd_answer *answer)
{
    const unsigned left = answer->quantities.is_known ? answer->quantities.remaining : 0;

    return left == 0 && answer->matches.n <= SUPPLIER_PEOPLE_MAX
               ? OK
               : FAIL(&leg->diag, ERR_TOO_MANY_RESULTS,
                      "%s knows more than the %u people whom this gateway looks at (%zu given, %u "
                      "left)",
                      leg->partner->id, SUPPLIER_PEOPLE_MAX, answer->matches.n, left);
}

static struct status
note_id(struct asking *asking, struct leg *leg, const struct ident *id)
{
    struct diag ignored = {0}; /* an id that CX cannot write is still the patient's */
    struct span cx;

    return is_ok(ident_write_cx(asking->txn.arena, id, &ignored, &cx))
               ? ARENA_PUSH(asking->txn.arena, &leg->diag, &leg->event.patients, cx)
               : OK;
}

/* May it be the one who is asked for, now or when more is said? */
static struct status
look_at(struct asking *asking, struct leg *leg, const struct match_person *question,
        const struct xcpd_match *match)
{
    struct match_person candidate;
    enum match_rule rule;

    if (match_is_too_much(&match->patient)) {
        leg_drop(asking, leg, "gave a person with more than %d names, ids or addresses",
                 MATCH_ITEMS_MAX);
        return OK;
    }
    TRY(note_id(asking, leg, &match->patient.ids.items[0]));
    TRY(match_prepare(&match->patient, NULL, leg->reading, &leg->diag, &candidate));
    rule = match_answer(question, &candidate);
    if (match_rule_verdict(rule) == MATCH_SAME ||
        match_hints_for(question, &candidate, rule) != 0) {
        return ARENA_PUSH(leg->arena, &leg->diag, &leg->people, *match);
    }
    leg->others = leg->others_n == 0 ? rule : leg->others;
    leg->others_n++;
    return OK;
}

/* REQ: ITI47-rules */
struct status
supplier_answer_people(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct match_person question;
    struct xcpd_answer answer;

    TRY(pdq_answer_read(message, &leg->query_id, leg->arena, &leg->diag, &answer));
    leg->result = XCPD_NONE; /* whom we know is the store's to say */
    if (answer.result == XCPD_ERROR) {
        return refused(leg, &answer);
    }
    TRY(check_whole(leg, &answer));
    TRY(match_prepare_question(&asking->order.who, NULL, leg->reading, &leg->diag, &question));
    for (size_t i = 0; i < answer.matches.n; i++) {
        TRY(look_at(asking, leg, &question, &answer.matches.items[i]));
    }
    return OK;
}

/* ---- learning ---- */

static struct status
learn(struct asking *asking, struct leg *leg, const struct xcpd_match *match,
      enum answer *ret_answer)
{
    const struct store_person person = {&match->patient, match->own_ids > 0 ? match->own_ids : 1};
    enum store_learned learned = STORE_LEARNED_NOT;

    TRY(store_learn_person(asking->node->store, &person, &asking->txn.park, leg->arena, &leg->diag,
                           ret_answer, &learned));
    if (*ret_answer == ANSWER_LATER || learned == STORE_LEARNED_PERSON) {
        return OK;
    }
    leg_drop(asking, leg,
             learned == STORE_LEARNED_CONTRADICTION
                 ? "gave somebody under an id that we know as another person's"
                 : "gave somebody without a name, a birth date or an id that can be used");
    return OK;
}

/* WAIT: run the step again. */
static enum txn_verdict
learn_people(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;

    while (leg->state == LEG_ANSWERED && leg->learned_n < leg->people.n) {
        enum answer answer = ANSWER_NOW;

        txn_expect(txn);
        const struct status st = learn(asking, leg, &leg->people.items[leg->learned_n], &answer);

        if (txn_settle(txn, OK, is_ok(st) ? answer : ANSWER_NOW) == TXN_WAIT) {
            return TXN_WAIT;
        }
        if (!is_ok(st)) { /* what the index could not take in, it cannot answer about */
            leg->state = LEG_FAILED;
        }
        leg->learned_n++;
    }
    leg_tell_dropped(leg);
    return TXN_DONE;
}

static enum txn_verdict
ask_own(struct asking *asking, size_t at)
{
    struct leg *leg = &asking_legs(asking)->items[at];

    if (leg->partner != NULL || leg->state != LEG_PLANNED) {
        return TXN_DONE;
    }
    if (atomic_load(&asking->is_cancelled)) {
        asking_abandon(asking, at, LEG_ABANDONED_CANCELLED);
        return TXN_DONE;
    }
    if (leg_ask_store(asking, leg) == ANSWER_LATER) {
        return TXN_WAIT;
    }
    asking_note_over(asking, at);
    return TXN_DONE;
}

enum txn_verdict
suppliers_step_learn(struct txn *txn)
{
    struct asking *asking = asking_of(txn);
    const struct leg_list *legs = asking_legs(asking);
    enum txn_verdict verdict = TXN_DONE;

    if (asking->round != ASKING_ROUND_IDS && !suppliers_are_asked(asking)) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    if (asking->round == ASKING_ROUND_IDS) {
        return suppliers_use_ids(asking);
    }
    for (size_t i = 0; i < legs->n && verdict == TXN_DONE; i++) {
        if (legs->items[i].transaction == SOAP_ITI_47) {
            verdict = learn_people(asking, &legs->items[i]);
        }
    }
    for (size_t i = 0; i < legs->n && verdict == TXN_DONE; i++) {
        verdict = ask_own(asking, i);
    }
    return verdict;
}
