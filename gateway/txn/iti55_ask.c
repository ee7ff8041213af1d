/*
 * ITI-55 Cross Gateway Patient Discovery, the Initiating Gateway: fills and reads one leg of an
 * asking, and asks our own store the same. Runs on workers; what an answer brings lives in the
 * leg's arena. Source: ITI TF-2 3.55.
 */
#include "txn/iti55.h"

#include "soap/mcci.h"
#include "soap/xcpd.h"
#include "txn/asked_back.h"
#include "txn/behind.h"

/* The partner may ask us about the same patient, by the id of ours that the question has. */
static struct status
offer_back(struct asking *asking, struct leg *leg, struct xcpd_query *query)
{
    const struct config *config = asking->node->config;

    return config->discovery.may_be_asked_back && asked_back_own_id(asking) != NULL
               ? ARENA_PUSH(asking->txn.arena, &leg->diag, &query->reverse_authorities,
                            span_of_cstr(config->patient_authority))
               : OK;
}

/* The organization that asks, when it has an OID; else the community that it belongs to. */
static struct span
sender_of(const struct asking *asking, const struct leg *leg)
{
    const struct config *config = asking->node->config;
    struct span oid;

    if (leg->partner->form.is_sender_organization && asking->order.organization_id != NULL &&
        home_community_oid(span_of_cstr(asking->order.organization_id), &oid)) {
        return oid;
    }
    return span_of_cstr(config->community);
}

static struct span
receiver_of(const struct leg *leg)
{
    const char *receiver = leg->partner->form.receiver;

    return receiver == NULL ? leg->community : span_of_cstr(receiver);
}

/* A participant hears what the asker wants, when that is more than we want of everybody. */
static unsigned
minimum_degree(const struct asking *asking, const struct leg *leg)
{
    const unsigned ours = (unsigned)asking->node->config->discovery.minimum_degree;

    return leg_is_behind(leg) && asking->order.minimum_degree > ours ? asking->order.minimum_degree
                                                                     : ours;
}

struct status
iti55_ask(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    const struct config *config = asking->node->config;
    struct xcpd_query query = {
        .id = {.root = leg->message_uuid_oid},
        .query_id = {.root = leg->message_uuid_oid, .extension = SPAN("1")},
        .sender_home = sender_of(asking, leg),
        .receiver_home = receiver_of(leg),
        .creation_us = clock_wall_us(asking->node->clock),
        .subject = asking->order.who,
        .is_prefixed = leg->partner->form.is_prefixed,
        .is_deferred = leg->transaction == SOAP_ITI_55_DEFERRED,
        .minimum_degree = minimum_degree(asking, leg),
    };

    if (query.is_deferred) { /* one place for all answers: the MessageID tells them apart */
        TRY(arena_printf(txn->arena, &leg->diag, &query.respond_to, "%s%s", config->base_url,
                         SOAP_REPLY_PATH));
    }
    if (asking->order.id_token.n == 0) { /* an individual's own question is for this answer only */
        leg->may_keep_us = config->discovery.time_to_live_us;
        TRY(offer_back(asking, leg, &query));
    }
    leg->query_id = query.query_id;
    TRY(records_query_id(txn->arena, &query.query_id, &leg->diag, &leg->event.query_id));
    return xcpd_query_write(&query, txn->arena, &leg->payload, &leg->diag, &leg->event.query);
}

struct status
iti55_answer(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct xcpd_answer answer;

    TRY(xcpd_answer_read(message, &leg->query_id, leg->arena, &leg->diag, &answer));
    leg->result = answer.result;
    leg->issues = answer.issues;
    if (!xcpd_time_to_live(message, &leg->kept_us)) {
        leg->kept_us = 0;
    }
    if (answer.result == XCPD_ERROR) {
        const struct span issue =
            answer.issues.n > 0 ? span_slice(answer.issues.items[0], 0, 80) : SPAN("no code");

        TRY(leg_note_said(leg, answer.error_text));
        return FAIL(&leg->diag, ERR_PARTNER_REFUSED, "%s answered with an error: %.*s",
                    leg->partner->id, SPAN_PRINT(issue));
    }
    for (size_t i = 0; i < answer.matches.n; i++) {
        const struct xcpd_match *match = &answer.matches.items[i];

        if (leg_may_name(asking, leg, match->home)) {
            TRY(leg_take_match(asking, leg, match));
        }
    }
    return OK;
}

/* REQ: ITI55-deferred-acknowledgement */
struct status
iti55_acknowledged(struct asking *asking, struct leg *leg, const struct message *message)
{
    struct mcci mcci;

    (void)asking;
    TRY(mcci_read(message, NULL, leg->arena, &leg->diag, &mcci));
    if (hl7_is_error(mcci.said.type_code)) {
        const struct hl7_detail none = {.code = {.value = SPAN("no code")}};
        const struct hl7_detail *detail =
            mcci.said.details.n > 0 ? &mcci.said.details.items[0] : &none;

        TRY(leg_note_said(leg, detail->text));
        return FAIL(&leg->diag, ERR_PARTNER_REFUSED,
                    "%s will not answer later: %.*s %.*s (deferred of its file)", leg->partner->id,
                    SPAN_PRINT(span_slice(mcci.said.type_code, 0, 8)),
                    SPAN_PRINT(span_slice(detail->code.value, 0, 40)));
    }
    leg->is_owed = true;
    leg->result = XCPD_NONE;
    return OK;
}

struct status
iti55_ask_store(struct asking *asking, struct leg *leg, enum answer *ret_answer)
{
    struct txn *txn = &asking->txn;
    struct store_match_result found = {.kind = STORE_MATCH_NONE};
    struct xcpd_match match = {.home = span_of_cstr(asking->node->config->community)};

    if (asking->order.is_search) {
        return demographics_ask_store(asking, leg, ret_answer);
    }
    TRY(store_match_patient(asking->node->store, &asking->order.who, &txn->park, leg->arena,
                            &leg->diag, ret_answer, &found));
    if (*ret_answer == ANSWER_LATER) {
        return OK;
    }
    leg->result = found.kind == STORE_MATCH_AMBIGUOUS ? XCPD_AMBIGUOUS : XCPD_NONE;
    if (found.kind != STORE_MATCH_ONE) {
        return OK;
    }
    leg->result = XCPD_MATCH;
    match.patient = found.patient;
    match.degree = found.degree;
    return ARENA_PUSH(leg->arena, &leg->diag, &leg->matches, match);
}
