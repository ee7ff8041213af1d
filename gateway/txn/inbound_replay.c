/*
 * One message is accepted once: a step of the Responding Gateway and of the local listener, between
 * proof and reading. What
 * is refused later stays remembered. Runs on workers; the memory is the store's.
 */
#include "soap/message.h"
#include "store/replay.h"
#include "txn/inbound.h"

static void
add_key(struct replay_message *message, enum replay_kind kind, struct span value, int64_t until_us)
{
    message->keys[message->keys_n++] = (struct replay_key){kind, value, until_us};
}

/* What makes this message one that may come once: its MessageID, the signature of its Timestamp
 * unless the partner shares one, and its assertion where that is for one use or nothing else of
 * the message is signed. */
static struct status
list_keys(struct inbound *in, const struct inbound_once *once, struct replay_message *message)
{
    const struct saml_facts *facts = &in->proof.saml;
    const int64_t margin_us = in->node->config->clock_skew_us + US_PER_S;
    const int64_t assertion_us = facts->not_on_or_after_us + margin_us;
    const bool has_timestamp = facts->timestamp_expires_us != 0;
    const int64_t until_us = has_timestamp ? facts->timestamp_expires_us + margin_us : assertion_us;
    const bool is_signed = facts->timestamp_signature.n > 0;
    struct span assertion;

    *message = (struct replay_message){.partner = once->asker,
                                       .created_us = has_timestamp ? facts->timestamp_created_us
                                                                   : clock_wall_us(in->node->clock),
                                       .skew_us = in->node->config->clock_skew_us,
                                       .keys_max = in->node->config->replay_keys};
    add_key(message, REPLAY_MESSAGE_ID, message_addressing(in->proof.message)->message_id,
            until_us);
    if (is_signed && once->is_timestamp_once) {
        add_key(message, REPLAY_TIMESTAMP, facts->timestamp_signature, until_us);
    }
    if ((!is_signed && !once->may_reuse_assertion) || facts->is_one_time ||
        once->is_assertion_once) {
        TRY(arena_printf(in->txn.arena, &in->txn.diag, &assertion, "%.*s\n%.*s",
                         SPAN_PRINT(facts->assertion_id), SPAN_PRINT(facts->issuer)));
        add_key(message, REPLAY_ASSERTION, assertion,
                assertion_us > until_us ? assertion_us : until_us);
        /* It may have been used before the message around it was made; and without a signature
         * nobody vouches for the Timestamp. */
        if (facts->not_before_us < message->created_us) {
            message->created_us = facts->not_before_us;
        }
    }
    return OK;
}

static void
log_evicted(const struct inbound *in, const char *asker, size_t evicted)
{
    if (evicted > 0) {
        LOG_EVENT(LOG_LEVEL_ERROR, "replay-evicted", LOG_ID("txn", in->txn.id),
                  LOG_ID(in->asker_kind, asker), LOG_INT("keys", (int64_t)evicted),
                  LOG_INT("most", (int64_t)in->node->config->replay_keys));
    }
}

enum txn_verdict
inbound_remember(struct inbound *in, const struct inbound_once *once)
{
    struct txn *txn = &in->txn;
    enum txn_verdict verdict = txn_may_ask(txn);
    enum answer answer = ANSWER_NOW;
    struct replay_result result = {0};
    struct replay_message message;
    struct status st;

    if (verdict != TXN_DONE) {
        return verdict;
    }
    TXN_TRY(list_keys(in, once, &message));
    txn_expect(txn);
    st = replay_remember(in->node->store, &message, &txn->park, &txn->diag, &answer, &result);
    verdict = txn_settle(txn, st, answer);
    log_evicted(in, once->asker, result.evicted);
    return verdict;
}

enum txn_verdict
inbound_replay(struct inbound *in)
{
    const struct partner *partner = in->proof.partner;
    const struct inbound_once once = {
        .asker = partner->id,
        .is_timestamp_once = partner->replay == PARTNER_REPLAY_TIMESTAMP,
        .is_assertion_once = partner->is_assertion_once,
    };

    return inbound_remember(in, &once);
}
