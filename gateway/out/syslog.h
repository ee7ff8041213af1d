/*
 * A line to one syslog collector: over mutual TLS (RFC 5425: octet counting; TLS 1.2 or 1.3 as
 * certs/tls.h sets it) or UDP (RFC 5426: one datagram a message). Blocking, with out_wait.
 *
 * What a message says is the caller's (RFC 5424). Over TLS there is no answer: what was sent has
 * arrived for certain only when the collector has answered a farewell.
 *
 * Owner: the caller. Thread: one at a time, with SIGPIPE blocked or ignored.
 */
#ifndef OUT_SYSLOG_H
#define OUT_SYSLOG_H

#include "certs/credential.h"
#include "certs/trust.h"
#include "out/wait.h"

/* The most that an IPv4 datagram holds: 65,535 less 20 for IP and 8 for UDP. */
#define SYSLOG_DATAGRAM_MAX 65507

struct syslog_target {
    const char *host;
    uint16_t port;
    /* NULL: UDP. All of these outlive the line. */
    const struct trust *trust;
    const struct credential *credential;
    const char *certificate_name; /* a SAN of the collector's certificate: DNS name or address */
};

struct syslog_line;
/* Nothing is opened yet. ERR_NO_MEMORY, ERR_CRYPTO. */
MUST_CHECK struct status syslog_line_new(const struct syslog_target *target, struct diag *diag,
                                         struct syslog_line **ret_line);
void syslog_line_free(struct syslog_line *line); /* closes it at once; NULL is fine */

/* ERR_PARTNER_UNREACHABLE, ERR_PARTNER_TLS (says what the certificate lacks), ERR_PARTNER_TIMEOUT,
 * ERR_SHUTTING_DOWN. It is closed then, and may be opened again. */
MUST_CHECK struct status syslog_line_open(struct syslog_line *line, const struct out_wait *wait,
                                          struct diag *diag);
/* TLS: queued, and sent with others; syslog_line_flush sends the rest. UDP: sent at once;
 * ERR_LIMIT_BUFFER when it is longer than a datagram, and nothing was sent. */
MUST_CHECK struct status syslog_line_send(struct syslog_line *line, const struct out_wait *wait,
                                          struct span message, struct diag *diag);
MUST_CHECK struct status syslog_line_flush(struct syslog_line *line, const struct out_wait *wait,
                                           struct diag *diag);
/* Is it still there? Reads what the collector sends (nothing that means anything). Never blocks. */
MUST_CHECK struct status syslog_line_check(struct syslog_line *line, struct diag *diag);
int syslog_line_fd(const struct syslog_line *line); /* -1: not open */
/* <is_clean>: close_notify and the end of the stream, then waits for the collector's. True: it
 * came without an error, so the collector has read everything; UDP: nobody has complained yet. */
bool syslog_line_close(struct syslog_line *line, const struct out_wait *wait, bool is_clean);

/* On the wire, headers of TLS and below not counted. */
uint64_t syslog_line_bytes(const struct syslog_line *line);

#endif
