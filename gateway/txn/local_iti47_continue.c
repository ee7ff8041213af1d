/*
 * The continuation of ITI-47: QUQI_IN000003UV01 asks for the next patients of an answer that is
 * given in parts, or cancels it. Steps of local.c, on workers. Source: ITI TF-2 3.47.4.3, 3.47.4.4.
 *
 * A query that is not open for this system and this user (never asked, another's, cancelled, too
 * late) is AE with code 204 in each case, so that nobody learns of others' queries. Our policy
 * decides again: it may be another one by now.
 */
#include "soap/mcci.h"
#include "txn/demographics.h"

static enum txn_verdict
read_continuation(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct txn *txn = &in->txn;
    struct demographics *asked;

    TXN_TRY(ARENA_NEW(txn->arena, &txn->diag, &asked));
    TXN_TRY(pdq_continuation_read(in->proof.message, txn->arena, &txn->diag, &asked->continuation));
    asked->query = (struct xcpd_query){
        .id = asked->continuation.id,
        .query_id = asked->continuation.query_id,
        .sender_device = asked->continuation.sender_device,
        .sender_home = asked->continuation.sender_home,
    };
    in->work = asked;
    TXN_TRY(records_query_id(txn->arena, &asked->query.query_id, &txn->diag, &in->event.query_id));
    local->is_answered = true;
    return TXN_DONE;
}

static struct status
decide(struct local *local)
{
    struct inbound *in = &local->in;
    const struct policy_facts facts = local_policy_facts(local, SPAN("ITI-47"));

    in->decision = policy_decide(in->node->config->policy, &facts);
    records_note_decision(&in->event, &in->decision);
    records_note_decision(&in->outcomes[0], &in->decision);
    return in->decision.verdict == POLICY_PERMIT
               ? OK
               : FAIL(&in->txn.diag, ERR_POLICY_DENIED, "our own policy, rule '%s': %s",
                      in->decision.rule, in->decision.reason);
}

static struct status
check_offered(struct inbound *in)
{
    return in->node->continued != NULL ? OK
                                       : FAIL(&in->txn.diag, ERR_UNKNOWN_CONTINUATION,
                                              "this process gives no answers in parts");
}

/* REQ: ITI47-continuation-answered */
static enum txn_verdict
write_part(struct inbound *in)
{
    struct local *local = (struct local *)in;
    struct demographics *asked = in->work;
    const struct continued_key key = demographics_key(local, &asked->query.query_id);
    struct txn *txn = &in->txn;
    struct continued_query part;
    size_t total = 0;

    TXN_TRY(decide(local));
    TXN_TRY(check_offered(in));
    TXN_TRY(continued_take(in->node->continued, &key, asked->continuation.start,
                           asked->continuation.quantity, clock_mono_us(in->node->clock), txn->arena,
                           &txn->diag, &part, &total));
    asked->query.query_xml = part.query_xml;
    in->outcomes[0].query = part.query_xml;
    TXN_TRY(demographics_write(in, asked, &part, total));
    return TXN_DONE;
}

const struct responder local_iti47_continue = {AUDIT_ITI_47, read_continuation, NULL, write_part,
                                               demographics_refuse};

/* ---- cancel ---- */

static struct status
acknowledge(struct inbound *in, const struct hl7_acknowledgement *said)
{
    const struct demographics *asked = in->work;

    return mcci_write(&(struct mcci){.sender_home = span_of_cstr(in->node->config->community),
                                     .receiver_home = asked->query.sender_home,
                                     .receiver_device = asked->query.sender_device,
                                     .creation_us = clock_wall_us(in->node->clock),
                                     .said = *said},
                      &in->payload, &in->txn.diag);
}

/* REQ: ITI47-cancel */
static enum txn_verdict
write_cancelled(struct inbound *in)
{
    const struct demographics *asked = in->work;
    const struct continued_key key = demographics_key((struct local *)in, &asked->query.query_id);
    const struct hl7_acknowledgement said = {.type_code = SPAN(MCCI_ACCEPT),
                                             .target = asked->query.id};

    TXN_TRY(check_offered(in));
    TXN_TRY(
        continued_cancel(in->node->continued, &key, clock_mono_us(in->node->clock), &in->txn.diag));
    TXN_TRY(acknowledge(in, &said));
    return TXN_DONE;
}

static struct status
refuse_cancel(struct inbound *in, enum err code)
{
    const struct demographics *asked = in->work;
    struct txn *txn = &in->txn;
    struct hl7_acknowledgement said = {.type_code = SPAN(MCCI_REFUSE)};
    const bool is_unknown = code == ERR_UNKNOWN_CONTINUATION;
    const struct hl7_detail detail = {
        .code = {.value = is_unknown ? SPAN(HL7_DETAIL_UNKNOWN_KEY) : SPAN(HL7_DETAIL_INTERNAL),
                 .scheme = is_unknown ? SPAN_EMPTY : SPAN(HL7_DETAIL_SYSTEM)},
        .text = span_of_cstr(err_public_text(code)),
    };

    if (asked == NULL) {
        return FAIL(&txn->diag, code, "no query to answer");
    }
    said.target = asked->query.id;
    TRY(ARENA_PUSH(txn->arena, &txn->diag, &said.details, detail));
    return acknowledge(in, &said);
}

const struct responder local_iti47_cancel = {AUDIT_ITI_47, read_continuation, NULL, write_cancelled,
                                             refuse_cancel};
