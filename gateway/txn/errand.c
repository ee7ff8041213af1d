/*
 * A job that runs: the question of a partner, read from the store, goes through the steps of
 * inbound.c as of the time when it came, and its answer leaves as a message of ours. What is here
 * is what such a transaction does otherwise than one that a connection waits for. Steps run on
 * workers; what the partner says comes on the outbound engine's thread.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/metrics.h"
#include "soap/envelope.h"
#include "soap/mcci.h"
#include "txn/outbox.h"

#define MESSAGE_LIMIT ((size_t)512 * 1024 * 1024)
#define SECURITY_MAX  ((size_t)1024 * 1024)
#define SAID_LIMIT    ((size_t)256 * 1024) /* bytes of what the partner says to an answer */
#define SPARE_US      (10 * US_PER_S)
#define JOB_ARENA     (JOB_BODY_MAX + (size_t)64 * 1024)

enum errand_end {
    ERRAND_LATER,   /* once more */
    ERRAND_SENT,    /* taken by the partner */
    ERRAND_GIVEN_UP /* nobody will have it: in->cause says why */
};

struct errand {
    struct inbound in; /* first member */
    struct outbox *outbox;
    struct arena *arena; /* of <job> */
    struct job job;
    struct body question;
    bool is_ready; /* there is an answer to send */
    bool has_sent, has_reported;
    uint64_t ticket;
    struct out_answer said; /* by the partner; is there when the wake has come */
    enum errand_end end;
    struct diag why; /* it was not taken */
};

static struct errand *
errand_of(struct inbound *in)
{
    return (struct errand *)in;
}

/* ---- whose question it was ---- */

/* Its TLS identity was proven when the question came; that it is a partner still is asked now. */
struct status
errand_peer(struct inbound *in)
{
    const struct partner *partner = config_partner_of_id(in->node->config, in->job->partner);

    if (partner == NULL) {
        return FAIL(&in->txn.diag, ERR_PEER_UNKNOWN,
                    "partner '%.*s', who is owed an answer, is not in the configuration any more",
                    SPAN_PRINT(in->job->partner));
    }
    in->proof.partner = partner;
    return OK;
}

/* ---- the message ---- */

static enum dialect_digest
digest_for(const struct partner *partner, int64_t now_us)
{
    return partner->writes.digest == DIALECT_SHA1 && !partner_may_sha1(partner, now_us)
               ? DIALECT_SHA256
               : partner->writes.digest;
}

/* It speaks for this node, for the purpose that was asked with. */
static struct status
write_security(struct inbound *in, const char *url, struct buf *out)
{
    const struct config *config = in->node->config;
    const struct partner *partner = in->proof.partner;
    const int64_t now_us = clock_wall_us(in->node->clock);
    const int64_t wanted_us = partner->timeout_us + config->clock_skew_us;
    struct signed_timestamp timestamp;
    struct assertion_order assertion = {
        .signer = config->signing,
        .now_us = now_us,
        .lifetime_us = wanted_us < config->max_lifetime_us ? wanted_us : config->max_lifetime_us,
        .audience = url,
        .subject_id = config->asserts.user,
        .organization = config->asserts.organization,
        .organization_id = config->asserts.organization_id,
        .home_community = config->community,
        .role = config->asserts.role,
        .role_display = config->asserts.role_display,
        .purpose = in->proof.saml.purpose.value.p,
        .purpose_system = in->proof.saml.purpose.scheme.p,
        .npi = config->asserts.npi,
        .style = partner->writes,
        .sha1_until_us = partner->sha1_until_us,
    };

    assertion.style.digest = digest_for(partner, now_us);
    TRY(timestamp_sign(config->signing, assertion.style.digest, now_us, assertion.lifetime_us,
                       in->txn.arena, &in->txn.diag, &timestamp));
    return security_write(&assertion, &timestamp, out, &in->txn.diag);
}

static bool
is_deferred(const struct inbound *in)
{
    return in->job->kind == JOB_DEFERRED;
}

/* The answer to a deferred question is a request of its own, which is acknowledged. */
static const char *
action_of(const struct inbound *in)
{
    return is_deferred(in) ? soap_transaction(SOAP_ITI_55_RESPONSE)->request_action
                           : soap_transaction(in->proof.transaction)->response_action;
}

static struct status
pack(struct inbound *in, struct buf *envelope)
{
    const struct soap_transaction_row *row = soap_transaction(in->proof.transaction);

    if (row->is_mtom) {
        return mtom_pack(buf_span(envelope), in->parts, in->parts_n, span_of_cstr(action_of(in)),
                         MESSAGE_LIMIT, &in->txn.diag, in->answer.content_type, &in->answer.body);
    }
    body_from_buf(&in->answer.body, envelope);
    snprintf(in->answer.content_type, sizeof(in->answer.content_type), "%s; action=\"%s\"",
             SOAP_CONTENT_TYPE, action_of(in));
    return OK;
}

/* REQ: WS-async-answer */
struct status
errand_write(struct inbound *in)
{
    CLEANUP(buf_done) struct buf security;
    CLEANUP(buf_done) struct buf envelope;
    char message_id[sizeof("urn:uuid:") + UUID_TEXT];
    char uuid[UUID_TEXT];
    struct envelope_request parts = {
        .action = span_of_cstr(action_of(in)),
        .to = in->reply_to,
        .reply_to = is_deferred(in) ? SPAN(SOAP_ANONYMOUS) : SPAN_EMPTY,
        .relates_to = in->event.message_id,
        .time_to_live_us = in->cause.code == ERR_NONE ? in->may_keep_us : 0,
        .payload = buf_span(&in->payload),
    };

    buf_init_secret(&security, SECURITY_MAX);
    buf_init_secret(&envelope, MESSAGE_LIMIT);
    uuid_new(uuid);
    snprintf(message_id, sizeof(message_id), "urn:uuid:%s", uuid);
    parts.message_id = span_of_cstr(message_id);
    TRY(write_security(in, in->reply_to.p, &security));
    parts.security = buf_span(&security);
    TRY(envelope_write_request(&parts, &envelope, &in->txn.diag));
    TRY(pack(in, &envelope));
    errand_of(in)->is_ready = true;
    return OK;
}

/* ---- no answer now, or none at all ---- */

/* What is our own machine's may be better later; what the partner is not entitled to any more goes
 * to nobody; the rest is an answer, too. */
static enum errand_end
judge_failure(const struct inbound *in, enum err code)
{
    const bool is_ours = err_class(code) == ERR_CLASS_INTERNAL ||
                         err_class(code) == ERR_CLASS_CONFIG ||
                         (err_class(code) == ERR_CLASS_LIMIT && err_fault(code) != ERR_FAULT_NONE);
    const bool is_old = clock_wall_us(in->node->clock) >= in->job->expires_us;

    return is_ours && !is_old ? ERRAND_LATER : ERRAND_GIVEN_UP;
}

static bool
write_refusal(struct inbound *in, enum err code)
{
    buf_reset(&in->payload);
    in->parts_n = 0;
    return code != ERR_PARTNER_TIMEOUT && inbound_is_answered_inside(&in->proof, code) &&
           is_ok(in->responder->refuse(in, code)) && is_ok(errand_write(in));
}

enum txn_verdict
errand_refuse(struct inbound *in)
{
    struct errand *errand = errand_of(in);
    struct txn *txn = &in->txn;

    if (txn->diag.code == ERR_NONE) {
        return TXN_DONE;
    }
    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    inbound_take_failure(in);
    errand->is_ready = false;
    errand->end = judge_failure(in, in->cause.code);
    errand->why = in->cause;
    if (errand->end == ERRAND_GIVEN_UP && write_refusal(in, in->cause.code)) {
        errand->end = ERRAND_LATER; /* until it is taken */
    }
    diag_clear(&txn->diag);
    return TXN_DONE;
}

/* ---- it leaves ---- */

static void
take_said(void *arg, struct out_answer *answer)
{
    struct errand *errand = arg;

    errand->said = *answer;
    body_init(&errand->said.body);
    body_move(&errand->said.body, &answer->body);
    park_wake(&errand->in.txn.park);
}

static void
submit(struct errand *errand)
{
    struct inbound *in = &errand->in;
    struct out_request request;

    out_request_init(&request);
    request.config = in->node->config;
    request.partner = in->proof.partner;
    request.url = in->reply_to.p;
    snprintf(request.content_type, sizeof(request.content_type), "%s", in->answer.content_type);
    body_move(&request.body, &in->answer.body);
    request.deadline_us = INT64_MAX; /* the partner's own time-out */
    request.answer_limit = SAID_LIMIT;
    request.is_fresh = true; /* nobody could say whether it was taken */
    request.ticket = errand->ticket = out_next_ticket();
    errand->has_sent = true;
    /* The engine keeps the time; this is for a runner that ends. */
    in->txn.deadline_us = clock_mono_us(in->node->clock) + in->proof.partner->timeout_us + SPARE_US;
    txn_expect(&in->txn);
    in->node->out->submit(in->node->out, &request, take_said, errand);
}

/* Has the partner read it, and does not want it? Then it is not sent again: a fault of the
 * sender's, or an acknowledgement that says so. */
static bool
is_refusal(const struct message *message, struct arena *arena)
{
    struct span code, reason;
    struct diag ignored = {0};
    struct mcci mcci;

    if (message_is_fault(message)) {
        message_fault(message, &code, &reason);
        return span_eq(code, SPAN("Sender"));
    }
    return is_ok(mcci_read(message, NULL, arena, &ignored, &mcci)) &&
           hl7_is_error(mcci.said.type_code);
}

static bool
is_refused_for_good(struct errand *errand)
{
    const struct message_limits limits = message_limits_request(SAID_LIMIT);
    struct arena *arena = arena_new(ARENA_LIMIT_DEFAULT);
    struct diag ignored = {0};
    struct message *message;
    const bool is_final =
        arena != NULL && errand->said.body.size > 0 &&
        is_ok(message_read_body(&errand->said.body, span_of_cstr(errand->said.content_type),
                                &limits, NULL, arena, &ignored, &message)) &&
        is_refusal(message, arena);

    arena_free(arena);
    return is_final;
}

static void
judge_said(struct errand *errand)
{
    const struct out_answer *said = &errand->said;
    const char *id = errand->in.proof.partner->id;

    if (said->error != ERR_NONE) {
        (void)FAIL(&errand->why, said->error, "%s", said->detail);
    } else if (is_refused_for_good(errand)) {
        errand->end = ERRAND_GIVEN_UP;
        (void)FAIL(&errand->why, ERR_PARTNER_REFUSED,
                   "%s has read the answer and refuses it (HTTP %d): it is not sent again", id,
                   said->http_status);
    } else if (said->http_status >= 200 && said->http_status < 300) {
        errand->end = ERRAND_SENT;
    } else {
        (void)FAIL(&errand->why, ERR_PARTNER_HTTP, "%s did not take the answer: HTTP %d", id,
                   said->http_status);
    }
}

enum txn_verdict
errand_send(struct inbound *in)
{
    struct errand *errand = errand_of(in);

    if (!errand->is_ready) {
        return TXN_DONE;
    }
    if (!errand->has_sent) {
        diag_clear(&errand->why);
        submit(errand);
    }
    if (txn_is_due(&in->txn)) {
        if (txn_is_overdue(&in->txn)) {
            in->node->out->cancel(in->node->out, errand->ticket);
        }
        return TXN_WAIT;
    }
    judge_said(errand);
    out_answer_done(&errand->said);
    body_init(&errand->said.body);
    return TXN_DONE;
}

/* What was recorded as an answer before it left was not taken: that is recorded, too. */
enum txn_verdict
errand_report(struct inbound *in)
{
    struct errand *errand = errand_of(in);
    struct txn *txn = &in->txn;
    struct audit_event event = in->event;

    if (!errand->has_sent || errand->end != ERRAND_GIVEN_UP || errand->has_reported) {
        return TXN_DONE;
    }
    errand->has_reported = true;
    event.outcome = records_outcome(errand->why.code);
    event.outcome_text = records_reason(txn->arena, &errand->why, SPAN_EMPTY);
    TXN_TRY(records_reserve(&in->records, txn->arena, 1, &txn->diag));
    TXN_TRY(records_append(&in->records, in->node, txn, &event));
    return TXN_DONE;
}

/* ---- the job ---- */

/* Less or more by a quarter, so that what failed together does not come back together. */
static int64_t
with_jitter(int64_t pause_us)
{
    char uuid[UUID_TEXT];
    uint8_t random[2] = {0};

    uuid_new(uuid);
    (void)hex_decode(span_of(uuid, 4), random, sizeof(random));
    return pause_us - pause_us / 4 + pause_us / 2 * (random[0] * 256 + random[1]) / 65536;
}

static int64_t
next_due_us(const struct errand *errand)
{
    const int64_t pause_us = with_jitter(outbox_pause_us(errand->job.attempts + 1));
    const int64_t due_us = clock_wall_us(errand->in.node->clock) + pause_us;

    return due_us < errand->job.expires_us ? due_us : errand->job.expires_us;
}

enum txn_verdict
errand_settle(struct inbound *in)
{
    struct errand *errand = errand_of(in);
    struct txn *txn = &in->txn;
    enum answer answer = ANSWER_NOW;
    struct status st;

    if (txn_is_due(txn)) {
        return TXN_WAIT;
    }
    txn_expect(txn);
    if (errand->end == ERRAND_LATER) {
        st = jobs_retry(in->node->store, errand->job.id, next_due_us(errand), &txn->park,
                        &txn->diag, &answer);
    } else {
        st = jobs_done(in->node->store, errand->job.id, &txn->park, &txn->diag, &answer);
    }
    return txn_settle(txn, st, answer);
}

/* ---- start and end ---- */

static void
tell_end(const struct errand *errand)
{
    static const char *const names[] = {
        [ERRAND_LATER] = "retried", [ERRAND_SENT] = "delivered", [ERRAND_GIVEN_UP] = "given-up"};
    const struct inbound *in = &errand->in;
    const struct diag *why = in->txn.diag.code != ERR_NONE  ? &in->txn.diag
                             : errand->why.code != ERR_NONE ? &errand->why
                                                            : NULL;
    char partner[METRICS_VALUE_MAX];

    snprintf(partner, sizeof(partner), "%.*s", SPAN_PRINT(errand->job.partner));
    metric_count(METRIC_LATER, (const char *const[]){partner, names[errand->end]});
    LOG_EVENT(why == NULL ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "answer-later",
              LOG_ID("txn", in->txn.id), LOG_INT("job", errand->job.id),
              LOG_SPAN("partner", errand->job.partner), LOG_ID("verdict", names[errand->end]),
              LOG_INT("attempts", (int64_t)errand->job.attempts + 1), LOG_DIAG(why));
}

static void
errand_end(struct txn *txn)
{
    struct errand *errand = (struct errand *)txn;
    struct inbound *in = &errand->in;
    struct outbox *outbox = errand->outbox;

    tell_end(errand);
    inbound_release_message(in);
    if (in->release != NULL) {
        in->release(in);
    }
    body_done(&in->answer.body);
    body_done(&errand->said.body);
    buf_done(&in->payload);
    outbox->give_node(outbox->arg, in->node);
    arena_free(errand->arena);
    txn_done(txn);
    mem_free(errand);
    pthread_mutex_lock(&outbox->lock);
    outbox->running--;
    pthread_mutex_unlock(&outbox->lock);
}

static struct status
take_question(struct errand *errand, struct diag *diag)
{
    struct buf bytes;
    struct status st;

    buf_init_secret(&bytes, JOB_BODY_MAX);
    st = buf_append(&bytes, errand->job.body, diag);
    if (!is_ok(st)) {
        buf_done(&bytes);
        return st;
    }
    body_from_buf(&errand->question, &bytes);
    return OK;
}

static struct status
prepare(struct errand *errand, struct node *node, struct diag *diag)
{
    const struct job *job = &errand->job;
    const struct inbound_request request = {
        .path = job->path,
        .content_type = job->content_type,
        .peer_address = job->peer_address,
        .body = &errand->question,
    };
    struct inbound *in = &errand->in;

    TRY(take_question(errand, diag));
    TRY(inbound_begin_job(in, node, &request, errand_end, diag));
    in->job = job;
    in->arrived_us = job->created_us;
    return OK;
}

struct status
errand_start(struct outbox *outbox, struct node *node, int64_t job_id, struct diag *diag,
             bool *ret_has_started)
{
    struct errand *errand = mem_alloc(sizeof(*errand));
    bool is_there = false;
    struct status st;

    *ret_has_started = false;
    if (errand == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "memory of a new transaction");
    }
    *errand = (struct errand){.outbox = outbox, .arena = arena_new(JOB_ARENA)};
    body_init(&errand->question);
    body_init(&errand->said.body);
    st = errand->arena == NULL
             ? FAIL(diag, ERR_NO_MEMORY, "memory of a new transaction")
             : jobs_read(node->store, job_id, errand->arena, diag, &errand->job, &is_there);
    if (is_ok(st) && is_there) {
        st = prepare(errand, node, diag);
    }
    if (!is_ok(st) || !is_there) {
        body_done(&errand->question);
        arena_free(errand->arena);
        mem_free(errand);
        return st;
    }
    *ret_has_started = true;
    runner_start(node->runner, &errand->in.txn);
    return OK;
}
