/*
 * An answer that fits one TLS record is given to TLS as soon as it is there, head and body in one
 * piece: one write to the kernel, where the stream would wait for an event that says it may write,
 * and make two records. Called by answer.c on the loop's thread. The bytes stand in the loop's
 * record buffer only while this runs: they hold patient data.
 */
#include <string.h>

#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/mem.h"
#include "net/connection.h"

/* False: it cannot be read. Its own way (answer_continue) meets that again, and reports it. */
static bool
fill(const struct connection *connection, struct span head, char *record)
{
    const struct body *const answer = &connection->answer;
    struct diag ignored = {.code = ERR_NONE};
    uint64_t at = 0;
    memcpy(record, head.p, head.n);
    while (at < answer->size) {
        char *const to = record + head.n + at;
        size_t n = 0;
        if (!is_ok(body_read(answer, at, to, (size_t)(answer->size - at), &ignored, &n)) ||
            n == 0) {
            return false;
        }
        at += n;
    }
    return true;
}

/* TLS has begun a record that the kernel did not take: the same bytes must come again, in one piece
 * (SSL_write(3)). The stream does that when it may write. It also meets whatever is broken. */
static enum record_verdict
leave_to_stream(struct connection *connection, struct span bytes)
{
    struct evbuffer *const output = bufferevent_get_output(connection->stream);
    ERR_clear_error();
    if (evbuffer_expand(output, bytes.n) != 0 || evbuffer_add(output, bytes.p, bytes.n) != 0) {
        return RECORD_LOST;
    }
    connection->answer_taken = connection->answer.size;
    connection->output_total += bytes.n;
    return RECORD_WAITS;
}

enum record_verdict
record_write(struct connection *connection, struct span head)
{
    struct evbuffer *const output = bufferevent_get_output(connection->stream);
    SSL *const ssl = bufferevent_openssl_get_ssl(connection->stream);
    char *const record = connection->loop->record;
    const uint64_t size = connection->answer.size;
    if (ssl == NULL || size > RECORD_BYTES - head.n || evbuffer_get_length(output) > 0 ||
        connection->is_broken) {
        return RECORD_NOT_FIT;
    }
    const size_t n = head.n + (size_t)size;
    enum record_verdict verdict = RECORD_NOT_FIT;
    if (fill(connection, head, record)) {
        ERR_clear_error();
        verdict = SSL_write(ssl, record, (int)n) == (int)n
                      ? RECORD_WRITTEN
                      : leave_to_stream(connection, span_of(record, n));
    }
    mem_wipe(record, n);
    return verdict;
}
