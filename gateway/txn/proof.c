/*
 * Peer, message, route and security of one request. Called on workers by inbound.c, and by the
 * tools that explain or attack messages.
 */
#include "txn/proof.h"

#include "txn/binding.h"

struct status
proof_peer(struct proof *proof, const struct config *config, const struct certificate *peer,
           struct diag *diag)
{
    if (peer == NULL) {
        return FAIL(diag, ERR_PEER_UNKNOWN, "the request came without a TLS client certificate");
    }
    return config_partner_of_peer(config, peer, diag, &proof->partner);
}

struct status
proof_message(struct proof *proof, const struct config *config, struct spool *spool,
              const struct body *body, struct span content_type, struct arena *arena,
              struct diag *diag)
{
    struct message_limits limits = message_limits_request(config->root_part_limit);

    limits.is_lenient =
        proof->partner != NULL && (proof->partner->relaxed & DIALECT_BIT(RELAX_PACKAGE)) != 0;
    return message_read_body(body, content_type, &limits, spool, arena, diag, &proof->message);
}

struct status
proof_route(struct proof *proof, const struct config *config, struct span path, struct diag *diag)
{
    const struct message_replies replies = {
        proof->partner == NULL ? NULL : proof->partner->replies.asynchronous.items,
        proof->partner == NULL ? 0 : proof->partner->replies.asynchronous.n,
    };

    TRY(message_transaction_replying(proof->message, path, &replies, diag, &proof->transaction,
                                     &proof->reply_to));
    TRY(binding_check_to(config, message_addressing(proof->message)->to, path, diag));
    proof->is_routed = true;
    return OK;
}

struct status
proof_reply_message(struct proof *proof, struct spool *spool, const struct body *body,
                    struct span content_type, struct arena *arena, struct diag *diag)
{
    struct message_limits limits = message_limits_answer();

    limits.root_part_bytes = PROOF_REPLY_ROOT_MAX;
    limits.nodes = PROOF_REPLY_NODES_MAX;
    return message_read_body(body, content_type, &limits, spool, arena, diag, &proof->message);
}

struct status
proof_reply_route(struct proof *proof, const struct config *config, struct span path,
                  struct diag *diag, struct span *ret_relates_to)
{
    TRY(message_reply(proof->message, path, diag, &proof->transaction, ret_relates_to));
    return binding_check_to(config, message_addressing(proof->message)->to, path, diag);
}

struct status
proof_security(struct proof *proof, const struct config *config, int64_t now_us,
               struct arena *arena, struct diag *diag)
{
    const struct verified_view *view;
    struct security_rules rules;

    TRY(binding_rules(config, proof->partner, now_us, arena, diag, &rules));
    TRY(security_verify(proof->message, &rules, arena, diag, &view));
    TRY(saml_read(view, arena, diag, &proof->saml));
    TRY(binding_check_assertion(config, proof->partner, &proof->saml, diag));
    proof->is_proven = true;
    return OK;
}

struct status
proof_take(struct proof *proof, const struct config *config, const struct proof_request *request,
           int64_t now_us, struct arena *arena, struct diag *diag)
{
    const struct body body = body_over(request->body);

    *proof = (struct proof){0};
    TRY(proof_peer(proof, config, request->peer, diag));
    TRY(proof_message(proof, config, NULL, &body, request->content_type, arena, diag));
    TRY(proof_route(proof, config, request->path, diag));
    return proof_security(proof, config, now_us, arena, diag);
}
