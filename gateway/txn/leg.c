/*
 * One leg of a fan-out: its signed message, and what comes back. Called by asking.c's steps on a
 * worker. A leg's failure is its own: it is recorded in leg->diag and never ends the transaction.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "soap/envelope.h"
#include "txn/iti38.h"
#include "txn/iti39.h"
#include "txn/iti55.h"

#define PAYLOAD_LIMIT ((size_t)4 * 1024 * 1024)
#define MESSAGE_LIMIT ((size_t)8 * 1024 * 1024)
#define ANSWER_LIMIT  ((size_t)256 * 1024 * 1024)

static const struct {
    struct status (*ask)(struct asking *, struct leg *);
    struct status (*answer)(struct asking *, struct leg *, const struct message *);
    struct status (*ask_store)(struct asking *, struct leg *, enum answer *);
    enum audit_type audit_type;
} kinds[SOAP_TRANSACTION_COUNT] = {
    [SOAP_ITI_55] = {iti55_ask, iti55_answer, iti55_ask_store, AUDIT_ITI_55},
    [SOAP_ITI_38] = {iti38_ask, iti38_answer, iti38_ask_store, AUDIT_ITI_38},
    [SOAP_ITI_39] = {iti39_ask, iti39_answer, iti39_ask_store, AUDIT_ITI_39},
};

static const char *
url_of(const struct partner *partner, enum soap_transaction transaction)
{
    switch (transaction) {
    case SOAP_ITI_55:
        return partner->xcpd_url;
    case SOAP_ITI_38:
        return partner->query_url;
    case SOAP_ITI_39:
        return partner->retrieve_url;
    case SOAP_TRANSACTION_COUNT:
        break;
    }
    return NULL;
}

void
leg_fail(struct leg *leg, enum err code, const char *detail)
{
    leg->state = LEG_FAILED;
    (void)FAIL(&leg->diag, code, "%s: %s",
               leg->partner == NULL ? "our own store" : leg->partner->id, detail);
}

bool
leg_may_name(const struct asking *asking, struct leg *leg, struct span home)
{
    struct span oid;

    if (home_community_oid(home, &oid) && partner_speaks_for(leg->partner, oid)) {
        return true;
    }
    leg->dropped++;
    LOG_EVENT(LOG_LEVEL_WARNING, "answer-dropped", LOG_ID("txn", asking->txn.id),
              LOG_ID("partner", leg->partner->id), LOG_SPAN("community", home),
              LOG_ID("why", "the partner's file does not list this community"));
    return false;
}

/* ---- asking ---- */

static struct status
note_intent(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    const struct asking_order *order = &asking->order;
    const struct config *config = asking->node->config;
    const struct span signer = span_of_cstr(config->signing->leaf->subject);
    struct audit_event *event = &leg->event;

    event->type = leg->partner == NULL ? AUDIT_LOCAL_ACCESS : kinds[leg->transaction].audit_type;
    event->side = AUDIT_INITIATING;
    event->phase = AUDIT_INTENT;
    event->transaction_id = span_of_cstr(txn->id);
    event->message_id = span_of_cstr(leg->message_id);
    event->partner = leg->partner == NULL ? SPAN_EMPTY : span_of_cstr(leg->partner->id);
    event->source_id = span_of_cstr(config->base_url);
    event->destination_id = leg->url == NULL ? SPAN_EMPTY : span_of_cstr(leg->url);
    event->user_id = span_of_cstr(order->user);
    event->role.value = span_of_cstr(order->role);
    event->role.scheme = SPAN("2.16.840.1.113883.6.96");
    event->role.display = span_of_cstr(order->role_display);
    event->organization = span_of_cstr(order->organization);
    event->purpose.value = span_of_cstr(order->purpose);
    event->purpose.scheme = span_of_cstr(config->asserts.purpose_system);
    event->community = leg->community;
    return records_user_name(txn->arena, SPAN_EMPTY, signer, signer, &txn->diag, &event->user_name);
}

struct status
leg_prepare(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    char uuid[UUID_TEXT], oid[OID_TEXT];

    uuid_new(uuid);
    oid_from_uuid(uuid, oid);
    snprintf(leg->message_id, sizeof(leg->message_id), "urn:uuid:%s", uuid);
    TRY(arena_dup(txn->arena, span_of_cstr(oid), &txn->diag, &leg->message_uuid_oid));
    buf_init_secret(&leg->payload, PAYLOAD_LIMIT);
    TRY(note_intent(asking, leg));
    if (leg->partner == NULL) {
        if (leg->transaction == SOAP_ITI_39) {
            leg->event.documents = leg->refs;
        }
        return OK;
    }
    leg->url = url_of(leg->partner, leg->transaction);
    leg->event.destination_id = span_of_cstr(leg->url);
    if (leg->url == NULL) {
        leg_fail(leg, ERR_CONFIG, "its file gives no endpoint for this transaction");
        return OK;
    }
    return kinds[leg->transaction].ask(asking, leg);
}

static struct status
write_security(struct asking *asking, const struct leg *leg,
               const struct signed_timestamp *timestamp, struct buf *out)
{
    const struct asking_order *order = &asking->order;
    const struct config *config = asking->node->config;
    const struct assertion_order assertion = {
        .signer = config->signing,
        .now_us = clock_wall_us(asking->node->clock),
        .lifetime_us = order->timeout_us + config->clock_skew_us,
        .audience = leg->url,
        .subject_id = order->user,
        .organization = order->organization,
        .organization_id = order->organization_id,
        .home_community = config->community,
        .role = order->role,
        .role_display = order->role_display,
        .purpose = order->purpose,
        .purpose_system = config->asserts.purpose_system,
        .npi = order->npi,
    };

    return security_write(&assertion, timestamp, out, &asking->txn.diag);
}

static struct status
pack(struct asking *asking, const struct leg *leg, struct buf *envelope,
     struct out_request *request)
{
    const struct soap_transaction_row *row = soap_transaction(leg->transaction);

    if (row->is_mtom) {
        return mtom_write(buf_span(envelope), NULL, 0, span_of_cstr(row->request_action),
                          &request->body, &asking->txn.diag, request->content_type);
    }
    buf_move(&request->body, envelope);
    snprintf(request->content_type, sizeof(request->content_type), "%s; action=\"%s\"",
             SOAP_CONTENT_TYPE, row->request_action);
    return OK;
}

struct status
leg_write(struct asking *asking, struct leg *leg, const struct signed_timestamp *timestamp,
          struct out_request *ret_request)
{
    struct diag *diag = &asking->txn.diag;
    CLEANUP(buf_done) struct buf security;
    CLEANUP(buf_done) struct buf envelope;
    struct out_request request;
    struct envelope_request parts = {
        .action = span_of_cstr(soap_transaction(leg->transaction)->request_action),
        .to = span_of_cstr(leg->url),
        .message_id = span_of_cstr(leg->message_id),
        .payload = buf_span(&leg->payload),
    };
    struct status st;

    buf_init_secret(&security, MESSAGE_LIMIT);
    buf_init_secret(&envelope, MESSAGE_LIMIT);
    TRY(write_security(asking, leg, timestamp, &security));
    parts.security = buf_span(&security);
    TRY(envelope_write_request(&parts, &envelope, diag));
    out_request_init(&request, MESSAGE_LIMIT);
    st = pack(asking, leg, &envelope, &request);
    if (!is_ok(st)) {
        buf_done(&request.body);
        return st;
    }
    request.partner = leg->partner;
    request.url = leg->url;
    request.deadline_us = asking->txn.deadline_us;
    request.answer_limit = ANSWER_LIMIT;
    buf_done(&leg->payload);
    *ret_request = request;
    return OK;
}

/* ---- what comes back ---- */

static void
release_body(void *body)
{
    body_done(body);
}

static struct status
check_fault(const struct message *message, struct leg *leg)
{
    struct span code, reason;

    if (!message_is_fault(message)) {
        return OK;
    }
    message_fault(message, &code, &reason);
    return FAIL(&leg->diag, ERR_SOAP_FAULT, "%s answered with a SOAP fault: %.*s: %.*s",
                leg->partner->id, SPAN_PRINT(code), SPAN_PRINT(reason));
}

static struct status
read_answer(struct asking *asking, struct leg *leg, const struct out_answer *answer,
            struct body *body)
{
    struct txn *txn = &asking->txn;
    const struct message_limits limits = message_limits_answer();
    struct message *message;
    struct buf *scratch;
    struct span bytes;

    TRY(ARENA_NEW(txn->arena, &leg->diag, &scratch));
    buf_init_secret(scratch, ANSWER_LIMIT);
    TRY(body_span(body, scratch, &leg->diag, &bytes));
    if (bytes.n == 0) {
        return FAIL(&leg->diag, ERR_PARTNER_ANSWER, "%s answered HTTP %d with an empty body",
                    leg->partner->id, answer->http_status);
    }
    if (answer->http_status != 200 &&
        span_find(span_of_cstr(answer->content_type), SPAN("xml")) == SPAN_MISSING) {
        return FAIL(&leg->diag, ERR_PARTNER_HTTP, "%s answered HTTP %d (%s) instead of SOAP",
                    leg->partner->id, answer->http_status, answer->content_type);
    }
    TRY(message_read(bytes, span_of_cstr(answer->content_type), &limits, txn->arena, &leg->diag,
                     &message));
    TRY(check_fault(message, leg));
    TRY(message_check_answer(message, leg->transaction, span_of_cstr(leg->message_id), &leg->diag));
    return kinds[leg->transaction].answer(asking, leg, message);
}

void
leg_take_answer(struct asking *asking, struct leg *leg, struct out_answer *answer)
{
    struct txn *txn = &asking->txn;
    struct body *body;

    leg->elapsed_us = answer->elapsed_us;
    snprintf(leg->peer_address, sizeof(leg->peer_address), "%s", answer->peer_address);
    if (answer->error != ERR_NONE) {
        leg_fail(leg, answer->error, answer->detail);
        out_answer_done(answer);
        return;
    }
    /* The message's spans point into the body: it lives as long as the arena. */
    if (!is_ok(ARENA_NEW(txn->arena, &leg->diag, &body))) {
        out_answer_done(answer);
        leg->state = LEG_FAILED;
        return;
    }
    body_init(body);
    body_move(body, &answer->body);
    if (!is_ok(arena_defer(txn->arena, release_body, body, &leg->diag)) ||
        !is_ok(read_answer(asking, leg, answer, body))) {
        leg->state = LEG_FAILED;
    } else {
        leg->state = LEG_ANSWERED;
    }
    out_answer_done(answer);
}

enum answer
leg_ask_store(struct asking *asking, struct leg *leg)
{
    struct txn *txn = &asking->txn;
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (leg->asked_us == 0) {
        leg->asked_us = clock_mono_us(asking->node->clock);
    }
    txn_expect(txn);
    st = kinds[leg->transaction].ask_store(asking, leg, &answer);
    if (is_ok(st) && answer == ANSWER_LATER) {
        return ANSWER_LATER;
    }
    txn_unexpect(txn);
    leg->state = is_ok(st) ? LEG_ANSWERED : LEG_FAILED;
    leg->elapsed_us = clock_mono_us(asking->node->clock) - leg->asked_us;
    return ANSWER_NOW;
}

/* ---- outcome ---- */

static struct status
note_dropped(struct asking *asking, const struct leg *leg, struct audit_event *event)
{
    if (leg->dropped == 0) {
        return OK;
    }
    event->outcome = AUDIT_MINOR;
    return arena_printf(asking->txn.arena, &asking->txn.diag, &event->outcome_text,
                        "%u items dropped: the partner does not speak for their community, or they "
                        "were not asked for",
                        leg->dropped);
}

static struct status
note_retrieved(struct asking *asking, const struct leg *leg,
               struct audit_event events[LEG_OUTCOMES_MAX], size_t *n)
{
    struct txn *txn = &asking->txn;
    struct document_ref_list came = {0}, missing = {0};

    for (size_t i = 0; i < leg->refs.n; i++) {
        bool is_here = false;

        for (size_t d = 0; d < leg->retrieved.n && !is_here; d++) {
            is_here = span_eq(leg->retrieved.items[d].ref.unique_id, leg->refs.items[i].unique_id);
        }
        TRY(ARENA_PUSH(txn->arena, &txn->diag, is_here ? &came : &missing, leg->refs.items[i]));
    }
    events[0].documents = came;
    if (missing.n > 0) {
        events[1] = events[0];
        events[1].documents = missing;
        events[1].outcome = AUDIT_SERIOUS;
        events[1].outcome_text = SPAN("documents that the community did not give");
        *n = 2;
    }
    return OK;
}

struct status
leg_outcomes(struct asking *asking, struct leg *leg,
             struct audit_event ret_events[LEG_OUTCOMES_MAX], size_t *ret_n)
{
    struct txn *txn = &asking->txn;
    struct audit_event *event = &ret_events[0];

    *event = leg->event;
    *ret_n = 1;
    if (leg->state == LEG_DENIED) {
        TRY(note_intent(asking, leg));
        *event = leg->event;
    }
    event->phase = AUDIT_OUTCOME;
    event->destination_address = span_of_cstr(leg->peer_address);
    if (leg->state != LEG_ANSWERED) {
        event->outcome = AUDIT_SERIOUS;
        return records_reason(txn->arena, &leg->diag, &txn->diag, &event->outcome_text);
    }
    event->outcome = AUDIT_SUCCESS;
    TRY(note_dropped(asking, leg, event));
    if (leg->partner == NULL && leg->transaction == SOAP_ITI_55 && leg->matches.n > 0) {
        struct span cx;

        TRY(ident_write_cx(txn->arena, &leg->matches.items[0].patient.ids.items[0], &txn->diag,
                           &cx));
        TRY(ARENA_PUSH(txn->arena, &txn->diag, &event->patients, cx));
    }
    return leg->transaction == SOAP_ITI_39 ? note_retrieved(asking, leg, ret_events, ret_n) : OK;
}
