/*
 * What comes back on a leg: proven to be the answer to our question, read, and held within what the
 * answers of a transaction may hold together. Called by asking.c's steps on a worker; a failure is
 * in leg->diag and costs this leg only.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "txn/behind.h"
#include "txn/sources.h"

static void
release_body(void *body)
{
    body_done(body);
}

/* What the answer takes in memory counts against what all of them may. */
static struct status
hold(struct asking *asking, struct leg *leg, uint64_t bytes)
{
    if (budget_take(fanout_budget(asking->fanout), &leg->held, bytes)) {
        return OK;
    }
    return FAIL(&leg->diag, ERR_TOO_MANY_RESULTS,
                "the answer of %s does not fit beside those of the others (XDSTooManyResults); ask "
                "fewer communities at a time, or raise limits.answers",
                leg->partner->id);
}

static struct status
hold_content(struct asking *asking, struct leg *leg)
{
    uint64_t bytes = leg->arena == NULL ? 0 : arena_used(leg->arena);

    for (size_t i = 0; i < leg->retrieved.n; i++) {
        bytes += body_memory(&leg->retrieved.items[i].body);
    }
    budget_give_beyond(fanout_budget(asking->fanout), &leg->held, bytes);
    return bytes > leg->held ? hold(asking, leg, bytes - leg->held) : OK;
}

static void
free_facts(struct leg *leg)
{
    if (leg->arena != NULL) {
        arena_free(leg->arena);
        leg->arena = *leg->arena_owner = NULL;
    }
}

/* Nothing of the answer is kept. */
static void
let_go(struct asking *asking, struct leg *leg)
{
    for (size_t i = 0; i < leg->retrieved.n; i++) {
        body_done(&leg->retrieved.items[i].body);
    }
    leg->retrieved = (struct retrieved_list){0};
    leg->matches = (struct xcpd_match_list){0};
    leg->quarantined = (struct leg_quarantined_list){0};
    leg->issues = (struct span_list){0};
    leg->people = (struct xcpd_match_list){0};
    leg->ids = (struct ident_list){0};
    leg->first_homeless = SPAN_EMPTY;
    leg->objects = (struct registry_objects){0};
    leg->repositories = (struct leg_repository_list){0};
    leg->withheld = (struct span_list){0};
    leg->errors = (struct registry_error_list){0};
    leg->said = SPAN_EMPTY;
    free_facts(leg);
    budget_give(fanout_budget(asking->fanout), &leg->held);
}

static struct status
check_fault(const struct message *message, struct leg *leg)
{
    struct span code, reason;

    if (!message_is_fault(message)) {
        return OK;
    }
    message_fault(message, &code, &reason);
    TRY(leg_note_said(leg, reason));
    return FAIL(&leg->diag, ERR_SOAP_FAULT, "%s answered with the SOAP fault '%.*s'",
                leg->partner->id, SPAN_PRINT(span_slice(code, 0, LEG_CODE_MAX)));
}

/* The answer's bytes live as long as what is read of them. */
static struct status
keep_bytes(struct leg *leg, struct out_answer *answer, const struct body **ret_body)
{
    struct body *body;

    TRY(ARENA_NEW(leg->reading, &leg->diag, &body));
    body_init(body);
    TRY(arena_defer(leg->reading, release_body, body, &leg->diag));
    body_move(body, &answer->body);
    *ret_body = body;
    return OK;
}

/* Wall time when the answer came: it may have waited for our own slow store since. */
static int64_t
arrived_us(const struct asking *asking, const struct leg *leg)
{
    const struct clock *clock = asking->node->clock;

    return clock_wall_us(clock) - (clock_mono_us(clock) - leg->asked_us - leg->elapsed_us);
}

/* Entries are read while the answer is parsed. */
static struct status
expect_pieces(struct leg *leg, struct message_limits *limits)
{
    if (!leg_is_query(leg)) {
        return OK;
    }
    if (leg->partner->source != NULL && !leg_is_behind(leg)) {
        TRY(source_reading(leg, &leg->reads_as));
        return query_answer_pieces_as(leg->reads_as, leg->reading, leg->arena, &leg->diag,
                                      &limits->pieces);
    }
    return query_answer_pieces(leg->reading, leg->arena, &leg->diag, &limits->pieces);
}

static struct status
read_message(struct asking *asking, struct leg *leg, const struct out_answer *answer,
             const struct body *body)
{
    struct message_limits limits = message_limits_answer();
    const struct answer_check check = {
        .transaction = leg->transaction,
        .request_message_id = span_of_cstr(leg->message_id),
        .request_signature = leg->signature,
        .signer = leg_has_security(leg) ? asking->node->config->signing : NULL,
        .now_us = arrived_us(asking, leg),
        .clock_skew_us = asking->node->config->clock_skew_us,
    };
    struct message *message;

    TRY(expect_pieces(leg, &limits));
    TRY(message_read_body(body, span_of_cstr(answer->content_type), &limits, asking->node->spool,
                          leg->reading, &leg->diag, &message));
    TRY(hold(asking, leg, message_memory(message)));
    TRY(check_fault(message, leg));
    if (answer->http_status !=
        200) { /* SOAP 1.2 part 2, 7.5.1.2: only a fault comes with another */
        return FAIL(&leg->diag, ERR_PARTNER_HTTP, "%s gave an answer that is no fault",
                    leg->partner->id);
    }
    if (leg->collected == NULL) { /* else all of that was proven when it came (callback.c) */
        TRY(message_check_answer(message, &check, leg->reading, &leg->diag));
    }
    return leg_kinds[leg->transaction].answer(asking, leg, message);
}

/* "Nobody" and "no documents", that is. Documents that were asked for are missing all the same. */
bool
leg_may_say_nothing(const struct leg *leg, const struct out_answer *answer)
{
    return answer->http_status == 200 && (leg->partner->relaxed & DIALECT_BIT(RELAX_ANSWER)) != 0 &&
           (leg_is_query(leg) || leg->transaction == SOAP_ITI_55);
}

static struct status
read_bytes(struct asking *asking, struct leg *leg, struct out_answer *answer)
{
    const struct body *body;
    struct status st;

    if (body_memory(&answer->body) > answer->held) {
        TRY(hold(asking, leg, body_memory(&answer->body) - answer->held));
    }
    TRY(keep_bytes(leg, answer, &body));
    if (body->size == 0 && leg_may_say_nothing(leg, answer)) {
        leg->result = XCPD_NONE;
        leg->status = REGISTRY_SUCCESS;
        return OK;
    }
    if (body->size == 0) {
        return FAIL(&leg->diag, ERR_PARTNER_ANSWER, "%s answered HTTP %d with an empty body",
                    leg->partner->id, answer->http_status);
    }
    if (answer->http_status != 200 &&
        span_find(span_of_cstr(answer->content_type), SPAN("xml")) == SPAN_MISSING) {
        return FAIL(&leg->diag, ERR_PARTNER_HTTP, "%s answered HTTP %d (%s) instead of SOAP",
                    leg->partner->id, answer->http_status, answer->content_type);
    }
    st = read_message(asking, leg, answer, body);
    if (!is_ok(st) && answer->http_status != 200) {
        diag_prefix(&leg->diag, "%s answered HTTP %d", leg->partner->id, answer->http_status);
    }
    return st;
}

/* Bytes and tree go as soon as the facts are copied: a leg that waits for others keeps facts. */
static struct status
read_answer(struct asking *asking, struct leg *leg, struct out_answer *answer)
{
    struct status st, kept;

    TRY(leg_arena(asking, leg));
    leg->reading = arena_new(asking->node->config->facts_limit);
    if (leg->reading == NULL) {
        return FAIL(&leg->diag, ERR_NO_MEMORY, "memory for reading an answer");
    }
    st = read_bytes(asking, leg, answer);
    if (st.code == ERR_LIMIT_ARENA) {
        diag_prefix(&leg->diag, "the answer of %s has more than limits.answer_facts allows",
                    leg->partner->id);
    }
    arena_free(leg->reading);
    leg->reading = NULL;
    if (arena_used(leg->arena) == 0) { /* "nobody": the usual answer of the many */
        free_facts(leg);
    }
    kept = hold_content(asking, leg);
    return is_ok(st) ? kept : st;
}

void
leg_take_answer(struct asking *asking, struct leg *leg, struct out_answer *answer)
{
    leg->elapsed_us = answer->elapsed_us;
    leg->held = answer->held;
    buf_done(&leg->payload);
    snprintf(leg->peer_address, sizeof(leg->peer_address), "%s", answer->peer_address);
    if (answer->error != ERR_NONE) {
        leg_fail(leg, answer->error, answer->detail);
    } else if (!is_ok(read_answer(asking, leg, answer))) {
        leg->state = LEG_FAILED;
        if (leg->diag.code == ERR_TOO_MANY_RESULTS) {
            let_go(asking, leg);
        }
    } else {
        leg->state = LEG_ANSWERED;
    }
    out_answer_done(answer);
}
