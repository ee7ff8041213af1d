/*
 * All that curl is told about an exchange. Called when it gets its connection, on the engine's
 * thread; curl calls back into transfer.c and peer_check.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "out/parts.h"

#define CONNECT_TIMEOUT_MS    10000L
#define BUFFER_BYTES          4096L /* most of an exchange's life is waiting, and ten thousand may wait */
#define DOCUMENT_BUFFER_BYTES 16384L /* of documents: a piece may be a write to a file */
/* kept until the exchange ends; 64 KB by default, and no less than this */
#define UPLOAD_BUFFER_BYTES          16384L
#define DOCUMENT_UPLOAD_BUFFER_BYTES 65536L
#define DAY_MS                       (INT64_C(24) * 3600 * 1000)
#define KEEP_IDLE_S                  50L /* less than our own listeners keep an idle connection */
#define KEEP_S                       3600L /* a proven server is proven again after an hour at the latest */

static CURLcode
set_headers(struct transfer *transfer)
{
    char content_type[OUT_CONTENT_TYPE_MAX + 32];
    (void)snprintf(content_type, sizeof(content_type), "Content-Type: %s",
                   transfer->request.content_type);
    /* without "Expect:" curl would wait a second for 100 Continue before a large body */
    if (!out_add_header(&transfer->headers, content_type) ||
        !out_add_header(&transfer->headers, "Expect:")) {
        return CURLE_OUT_OF_MEMORY;
    }
    return curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

/* Its status is known at the handshake only: then no connection is older than an answer may be. */
static long
keep_s(const struct era *era)
{
    const struct config_trust *trust = config_trust_of(era->config, era->config->partner_trust);
    const int64_t cache_s = trust == NULL ? KEEP_S : trust->status.cache_us / US_PER_S;
    return era->status != NULL && cache_s < KEEP_S ? (long)cache_s : KEEP_S;
}

static CURLcode
set_limits(CURL *easy, const struct transfer *transfer)
{
    const int64_t ms = (transfer_left_us(transfer) + US_PER_MS - 1) / US_PER_MS;
    const long timeout_ms = (long)(ms > DAY_MS ? DAY_MS : ms < 1 ? 1 : ms);
    OUT_SET(CURLOPT_TIMEOUT_MS, timeout_ms);
    OUT_SET(CURLOPT_CONNECTTIMEOUT_MS,
            timeout_ms < CONNECT_TIMEOUT_MS ? timeout_ms : CONNECT_TIMEOUT_MS);
    OUT_SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)transfer->request.answer_limit);
    OUT_SET(CURLOPT_FRESH_CONNECT,
            transfer->request.is_fresh || transfer->request.is_probe ? 1L : 0L);
    OUT_SET(CURLOPT_TCP_NODELAY, 1L);
    OUT_SET(CURLOPT_TCP_KEEPALIVE, 1L);
    OUT_SET(CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
    OUT_SET(CURLOPT_MAXLIFETIME_CONN, keep_s(transfer->pool->era));
    return CURLE_OK;
}

static bool
brings_documents(const struct out_request *request)
{
    const char *url = request->partner->retrieve_url;
    return request->spool != NULL && ((request->partner->source != NULL && url == NULL) ||
                                      (url != NULL && strcmp(request->url, url) == 0));
}

/* In memory curl has it all; anything else it asks for, piece by piece. */
static CURLcode
set_body(CURL *easy, struct transfer *transfer)
{
    const struct body *body = &transfer->request.body;
    const bool is_in_memory = body->kind == BODY_MEMORY;
    OUT_SET(CURLOPT_POST, 1L);
    OUT_SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->size);
    OUT_SET(CURLOPT_UPLOAD_BUFFERSIZE,
            is_in_memory ? UPLOAD_BUFFER_BYTES : DOCUMENT_UPLOAD_BUFFER_BYTES);
    if (is_in_memory) {
        OUT_SET(CURLOPT_POSTFIELDS, body->size == 0 ? "" : body->memory.p);
        return CURLE_OK;
    }
    OUT_SET(CURLOPT_READFUNCTION, transfer_give_body);
    OUT_SET(CURLOPT_READDATA, transfer);
    OUT_SET(CURLOPT_SEEKFUNCTION, transfer_rewind_body);
    OUT_SET(CURLOPT_SEEKDATA, transfer);
    return CURLE_OK;
}

static CURLcode
set_exchange(CURL *easy, struct transfer *transfer)
{
    OUT_SET(CURLOPT_URL, transfer->request.url);
    OUT_SET(CURLOPT_PATH_AS_IS, 1L);
    if (transfer->request.is_probe) {
        OUT_SET(CURLOPT_CONNECT_ONLY, 1L);
        OUT_SET(CURLOPT_ERRORBUFFER, transfer->curl_text);
        OUT_SET(CURLOPT_PRIVATE, transfer);
        return CURLE_OK;
    }
    OUT_SET(CURLOPT_NOPROGRESS, 0L);
    OUT_SET(CURLOPT_XFERINFOFUNCTION, transfer_note_progress);
    OUT_SET(CURLOPT_XFERINFODATA, transfer);
    OUT_SET(CURLOPT_BUFFERSIZE,
            brings_documents(&transfer->request) ? DOCUMENT_BUFFER_BYTES : BUFFER_BYTES);
    OUT_SET(CURLOPT_HEADERFUNCTION, transfer_take_head);
    OUT_SET(CURLOPT_HEADERDATA, transfer);
    OUT_SET(CURLOPT_PREREQFUNCTION, transfer_note_secured);
    OUT_SET(CURLOPT_PREREQDATA, transfer);
    OUT_SET(CURLOPT_WRITEFUNCTION, transfer_take_body);
    OUT_SET(CURLOPT_WRITEDATA, transfer);
    OUT_SET(CURLOPT_ERRORBUFFER, transfer->curl_text);
    OUT_SET(CURLOPT_PRIVATE, transfer);
    const CURLcode code = set_body(easy, transfer);
    return code != CURLE_OK ? code : set_headers(transfer);
}

/* Where the bytes go: to the addresses that names.c has judged, or through the partner's proxy,
 * whose addresses they are then. */
static CURLcode
set_way(CURL *easy, struct transfer *transfer)
{
    const char *proxy_url = transfer->request.partner->proxy_url;
    OUT_SET(CURLOPT_RESOLVE, transfer->pins);
    OUT_SET(CURLOPT_OPENSOCKETFUNCTION, names_open_socket);
    OUT_SET(CURLOPT_OPENSOCKETDATA, transfer);
    if (proxy_url != NULL) {
        OUT_SET(CURLOPT_PROXY, proxy_url);
        OUT_SET(CURLOPT_NOPROXY, "");
        OUT_SET(CURLOPT_PROXYTYPE, (long)CURLPROXY_HTTP);
        OUT_SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
        OUT_SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    }
    return CURLE_OK;
}

CURLcode
options_set(struct transfer *transfer)
{
    const bool is_plain = transfer->request.partner->is_plain;
    CURLcode code = out_set_boundaries(transfer->easy, is_plain ? "http" : "https");
    code = code != CURLE_OK ? code : set_way(transfer->easy, transfer);
    code = code != CURLE_OK ? code : out_set_tls(transfer->easy, peer_check_prepare, transfer);
    code = code != CURLE_OK ? code : set_limits(transfer->easy, transfer);
    return code != CURLE_OK ? code : set_exchange(transfer->easy, transfer);
}
