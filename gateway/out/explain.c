/*
 * Why an exchange failed: curl's results become ours, with what was expected, what came, and what
 * to do. Engine's thread only.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "out/parts.h"

/* A URL that we may repeat: whatever else stands in a record may hold a password. */
static const char *
shown_url(const struct out_request *request)
{
    const bool is_plain =
        strncmp(request->url, "https://", 8) == 0 && strchr(request->url, '@') == NULL;
    return is_plain ? request->url : "the URL of its record";
}

static const char *
stage_of(const struct transfer *transfer)
{
    if (transfer->head.bytes > 0) {
        return "a part of an answer";
    }
    if (transfer->is_secured) {
        return "no answer";
    }
    return transfer->is_connected ? "no end of the TLS handshake" : "no connection";
}

#define CORRECT_URL "correct the URL in its record"
/* A server that refuses our certificate and closes at once can lose its own alert on the way. */
#define CUT                                                                                        \
    "the partner closed the connection; ask again, and if it always does, see whether it refuses " \
    "our certificate (its log)"

static const struct {
    CURLcode code;
    enum err error;
    const char *advice;
} failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_PARTNER_UNREACHABLE,
     "check the host in its record and this machine's name service"},
    {CURLE_COULDNT_CONNECT, ERR_PARTNER_UNREACHABLE,
     "check host and port in its record and the firewalls on the way"},
    {CURLE_SSL_CONNECT_ERROR, ERR_PARTNER_TLS,
     "compare TLS versions and suites with the partner, and whether it trusts our certificate"},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_PARTNER_TLS, "check the partner's certificate"},
    {CURLE_SSL_CERTPROBLEM, ERR_PARTNER_TLS, "check the credential of this node"},
    {CURLE_SSL_CIPHER, ERR_PARTNER_TLS, "the partner offers no suite of ours"},
    {CURLE_SEND_ERROR, ERR_PARTNER_UNREACHABLE, CUT},
    {CURLE_RECV_ERROR, ERR_PARTNER_UNREACHABLE, CUT},
    {CURLE_GOT_NOTHING, ERR_PARTNER_UNREACHABLE,
     "the partner closed the connection without an answer; its log may say why"},
    {CURLE_PARTIAL_FILE, ERR_PARTNER_UNREACHABLE,
     "the partner closed the connection inside its answer; ask again"},
    {CURLE_FILESIZE_EXCEEDED, ERR_PARTNER_ANSWER, "its answer is larger than this node accepts"},
    {CURLE_WEIRD_SERVER_REPLY, ERR_PARTNER_ANSWER, "is this a web service?"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_PARTNER_ANSWER, "only HTTP/1.1 over https is spoken here"},
    {CURLE_BAD_CONTENT_ENCODING, ERR_PARTNER_ANSWER, "the answer is damaged"},
    {CURLE_URL_MALFORMAT, ERR_PARTNER_UNREACHABLE, CORRECT_URL},
    {CURLE_LOGIN_DENIED, ERR_PARTNER_UNREACHABLE, CORRECT_URL},
    {CURLE_OUT_OF_MEMORY, ERR_NO_MEMORY, "this node has no memory left"},
};

enum err
explain_error_of(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        if (failures[i].code == code) {
            return failures[i].error;
        }
    }
    return ERR_PARTNER_UNREACHABLE;
}

/* The proxy said no, or could not be asked; false: it is not about the proxy. */
static bool
describe_proxy(const struct transfer *transfer, CURLcode code, const char *text, struct diag *diag)
{
    const struct partner *partner = transfer->request.partner;
    long answered = 0;
    if (partner->proxy_url == NULL || transfer->is_connected) {
        return false;
    }
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &answered);
    const struct status st =
        answered != 0 && answered != 200
            ? FAIL(diag, ERR_PARTNER_UNREACHABLE,
                   "partner '%s': the proxy answered %ld instead of a connection; does it allow "
                   "CONNECT to the partner's host and port?",
                   partner->id, answered)
            : FAIL(diag, ERR_PARTNER_UNREACHABLE,
                   "partner '%s': expected a connection through the proxy of its record, got: %s "
                   "(%d); is it an HTTP proxy, and is it there?",
                   partner->id, text, (int)code);
    (void)st;
    return true;
}

static void
describe(const struct transfer *transfer, CURLcode code, struct diag *diag)
{
    const struct out_request *request = &transfer->request;
    const char *text =
        transfer->curl_text[0] != '\0' ? transfer->curl_text : curl_easy_strerror(code);
    enum err error = ERR_PARTNER_UNREACHABLE;
    const char *advice = "ask the partner";
    if (describe_proxy(transfer, code, text, diag)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
        if (failures[i].code == code) {
            error = failures[i].error;
            advice = failures[i].advice;
        }
    }
    if (code == CURLE_UNSUPPORTED_PROTOCOL && !transfer->is_connected) {
        error = ERR_PARTNER_UNREACHABLE; /* the URL's protocol, not the answer's */
        advice = CORRECT_URL;
    } else if (code == CURLE_OUT_OF_MEMORY && transfer->is_secured && !transfer->head.is_whole) {
        error = ERR_PARTNER_ANSWER; /* so curl calls a header line above its limit of 100 KB */
        advice = "a header line of its answer is too long, or this node has no memory left";
    }
    const struct status st =
        FAIL(diag, error, "partner '%s': expected an answer from %s, got: %s; %s",
             request->partner->id, shown_url(request), text, advice);
    (void)st;
}

/* A kept connection that failed before a byte of an answer, where curl did not try again. */
static bool
is_cut_early(const struct transfer *transfer, CURLcode code)
{
    long opened = 1;
    return (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING) &&
           transfer->diag.code == ERR_NONE && transfer->head.bytes == 0 &&
           curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &opened) == CURLE_OK &&
           opened == 0;
}

/* The first that failed says why: one of our callbacks, the clock, or curl. */
void
explain_failure(struct transfer *transfer, CURLcode code, struct out_answer *answer)
{
    struct diag diag = transfer->diag;
    if (diag.code == ERR_NONE && code == CURLE_OPERATION_TIMEDOUT) {
        const struct status st =
            FAIL(&diag, ERR_PARTNER_TIMEOUT,
                 "partner '%s': expected an answer from %s within %" PRId64 " ms, got %s",
                 transfer->request.partner->id, shown_url(&transfer->request),
                 (clock_mono_us(transfer->engine->clock) - transfer->turn_us) / US_PER_MS,
                 stage_of(transfer));
        (void)st;
    } else if (diag.code == ERR_NONE) {
        describe(transfer, code, &diag);
    }
    answer->error = diag.code;
    answer->is_stale = transfer->is_stale || is_cut_early(transfer, code);
    (void)snprintf(answer->detail, sizeof(answer->detail), "%s", diag.text);
}
