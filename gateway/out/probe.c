/*
 * An exchange without a question: connect, shake hands, prove the partner. In TLS 1.3 the partner
 * judges our certificate when our side of the handshake is done, so a probe waits a little for what
 * it says: a refusal is an alert, consent a session ticket or nothing. Engine's thread only.
 */
#include <string.h>

#include "out/parts.h"

#define LINGER_US (500 * US_PER_MS)

static void
on_word(evutil_socket_t fd, short what, void *arg)
{
    struct transfer *transfer = arg;
    char byte = 0;
    size_t n = 0;
    (void)fd;
    transfer->has_timer = false;
    /* curl reads what there is: tickets are nothing to it, an alert is noted by peer_check.c */
    const CURLcode code =
        (what & EV_READ) != 0 ? curl_easy_recv(transfer->easy, &byte, 1, &n) : CURLE_AGAIN;
    transfer_finish(transfer, code == CURLE_AGAIN ? CURLE_OK
                              : code == CURLE_OK  ? CURLE_GOT_NOTHING
                                                  : code);
}

bool
probe_linger(struct transfer *transfer)
{
    const int64_t left_us = transfer_left_us(transfer);
    const int64_t wait_us = left_us < LINGER_US ? left_us : LINGER_US;
    const struct timeval wait = {wait_us / US_PER_S, wait_us % US_PER_S};
    curl_socket_t fd = CURL_SOCKET_BAD;
    if (!transfer->request.is_probe || transfer->is_lingering || wait_us <= 0 ||
        strcmp(transfer->tls.version, "TLSv1.3") != 0 ||
        curl_easy_getinfo(transfer->easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD) {
        return false;
    }
    transfer->is_lingering = true;
    transfer->has_timer = event_assign(&transfer->timer, transfer->engine->base, fd, EV_READ,
                                       on_word, transfer) == 0 &&
                          event_add(&transfer->timer, &wait) == 0;
    return transfer->has_timer;
}
