/*
 * Between handshake and first request: whose certificate it is, and whether it is still good. Until
 * both are known nothing of the connection is read. After a reload the same is asked of the
 * connections that are there. Runs on the loop's thread; the answer about the status may come from
 * any other, by letter.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "certs/peer_chain.h"
#include "net/connection.h"

static const struct net_options *
options_of(const struct connection *connection)
{
    return &connection->loop->terms->options;
}

/* ---- whose is it ---- */

static bool
identify(const struct connection *connection, char ret_identity[NET_IDENTITY_MAX])
{
    const struct net_options *options = options_of(connection);
    if (options->identify == NULL) {
        (void)snprintf(ret_identity, NET_IDENTITY_MAX, "%s", connection->peer->sha256);
        return true;
    }
    return options->identify(options->handler_arg, connection->peer, ret_identity);
}

static bool
take_place(struct connection *connection)
{
    struct diag diag = {.code = ERR_NONE};
    const size_t most = options_of(connection)->connections_per_identity;
    connection->is_in_quota =
        quota_take(connection->loop->server->identities, connection->identity, most);
    if (!connection->is_in_quota) {
        const struct status st =
            FAIL(&diag, ERR_LIMIT_CONNECTIONS, "'%s' has %zu connections, as many as allowed",
                 connection->identity, most);
        (void)st;
        connection_refuse(connection, &diag);
    }
    return connection->is_in_quota;
}

/* ---- is it still good ---- */

static void
parking_free(struct parking *parking)
{
    mailbox_unref(parking->mailbox);
    mem_free(parking);
}

void
parking_end(struct connection *connection)
{
    struct parking *parking = connection->parking;
    if (parking == NULL) {
        return;
    }
    connection->parking = NULL;
    parking->connection = NULL;
    if (parking->source->cancel(parking->source, &parking->question)) {
        parking_free(parking);
    } /* else its letter is on the way, and frees it */
}

static void
refuse_status(struct connection *connection, const struct status_answer *answer)
{
    struct diag diag = {.code = ERR_NONE};
    const struct status st =
        FAIL(&diag, ERR_PEER_STATUS, "certificate '%s' (SHA-256 %s) is %s: %s",
             connection->peer->subject, connection->peer->sha256,
             answer->verdict == STATUS_REVOKED ? "revoked" : "of unknown status", answer->detail);
    (void)st;
    connection_report(connection, &diag);
    connection_linger(connection);
}

static void
report_doubt(struct connection *connection, const struct status_answer *answer)
{
    const struct net_options *options = options_of(connection);
    struct diag diag = {.code = ERR_NONE};
    const struct status st =
        FAIL(&diag, ERR_PEER_STATUS, "certificate '%s' (SHA-256 %s) is accepted unproven: %s",
             connection->peer->subject, connection->peer->sha256, answer->detail);
    (void)st;
    if (options->on_doubt != NULL) {
        options->on_doubt(options->handler_arg, connection->peer_address, &diag);
        ERR_clear_error();
    }
}

static void
take_answer(struct connection *connection, const struct status_answer *answer)
{
    if (!answer->is_accepted) {
        refuse_status(connection, answer);
        return;
    }
    if (answer->verdict != STATUS_GOOD) {
        report_doubt(connection, answer);
    }
    connection_await_request(connection);
}

static void
deliver_status(struct letter *letter)
{
    struct parking *parking = (struct parking *)((char *)letter - offsetof(struct parking, letter));
    struct connection *connection = parking->connection;
    if (connection != NULL) {
        assert(connection->state == CONNECTION_PARKED && connection->parking == parking);
        connection->parking = NULL;
        take_answer(connection, &parking->question.answer);
    }
    parking_free(parking);
}

/* Any thread. */
static void
post_status(struct status_question *question)
{
    struct parking *parking = (struct parking *)question;
    if (!mailbox_post(parking->mailbox, &parking->letter)) {
        parking_free(parking); /* the loop has ended, and the connection before it */
    }
}

static void
ask_status(struct connection *connection)
{
    struct peer_status_source *source = options_of(connection)->status;
    SSL *ssl = bufferevent_openssl_get_ssl(connection->stream);
    struct parking *parking = mem_alloc(sizeof(*parking));
    if (parking == NULL) {
        connection_close(connection);
        return;
    }
    *parking = (struct parking){.question = {.done = post_status},
                                .source = source,
                                .mailbox = mailbox_ref(connection->loop->mailbox),
                                .letter = {NULL, deliver_status},
                                .connection = connection};
    connection->parking = parking;
    connection->state = CONNECTION_PARKED;
    connection_set_timer(connection, options_of(connection)->status_timeout_us);
    const enum answer when =
        source->check(source, connection->peer, SSL_get0_verified_chain(ssl), &parking->question);
    ERR_clear_error();
    if (when == ANSWER_NOW) {
        connection->parking = NULL;
        take_answer(connection, &parking->question.answer);
        parking_free(parking);
    }
}

void
connection_proven(struct connection *connection)
{
    (void)identify(connection, connection->identity);
    if (!connection_recheck(connection) || !take_place(connection)) {
        return;
    }
    if (connection->kind == NET_NETWORK && options_of(connection)->status != NULL) {
        ask_status(connection);
    } else {
        connection_await_request(connection);
    }
}

/* ---- after a reload ---- */

static struct status
judge_again(struct connection *connection, struct diag *diag)
{
    const struct terms *terms = connection->loop->terms;
    char identity[NET_IDENTITY_MAX] = "";
    if (!terms->is_set[connection->kind]) {
        return FAIL(diag, ERR_SHUTTING_DOWN, "after a reload: there is no listen.%s any more",
                    net_listener_names[connection->kind]);
    }
    if (connection->has_tls != (terms->contexts[connection->kind] != NULL)) {
        return FAIL(diag, ERR_SHUTTING_DOWN, "after a reload: listen.%s %s TLS",
                    net_listener_names[connection->kind],
                    connection->has_tls ? "no longer speaks" : "now speaks");
    }
    if (!connection->has_tls || connection->peer == NULL) {
        return OK;
    }
    TRY(peer_chain_verify(bufferevent_openssl_get_ssl(connection->stream),
                          terms->contexts[connection->kind], diag));
    if (!identify(connection, identity) || strcmp(identity, connection->identity) != 0) {
        return FAIL(diag, ERR_PEER_UNKNOWN,
                    "after a reload: certificate '%s' no longer belongs to '%s'",
                    connection->peer->subject, connection->identity);
    }
    return OK;
}

bool
connection_recheck(struct connection *connection)
{
    struct diag diag = {.code = ERR_NONE};
    if (connection->generation == connection->loop->terms->generation) {
        return true;
    }
    connection->generation = connection->loop->terms->generation;
    if (connection->state == CONNECTION_LINGER || is_ok(judge_again(connection, &diag))) {
        ERR_clear_error(); /* libevent would take an old error for one of its next call */
        return true;
    }
    connection_report(connection, &diag);
    ERR_clear_error();
    if (connection->state == CONNECTION_HANDLER || connection->state == CONNECTION_ANSWER) {
        connection->closes = true; /* it was asked and proven before */
    } else {
        connection_close(connection);
    }
    return false;
}
