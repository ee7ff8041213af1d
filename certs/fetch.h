/*
 * How certs/ gets what only a network has: an OCSP answer, a revocation list. certs/ opens no
 * socket; out/ fills this table (out/fetch.h), tests script it.
 *
 * These are the only plain-http requests of the program: their answers are signed, and asking over
 * TLS would need the very answer. The fetcher enforces what the request says: hosts that the
 * operator lists, no redirect, no proxy, a cap on bytes and on time.
 */
#ifndef CERTS_FETCH_H
#define CERTS_FETCH_H

#include "base/buf.h"
#include "certs/certificate.h"

#define FETCH_OCSP_MAX ((size_t)64 * 1024)
#define FETCH_CRL_MAX  ((size_t)100 * 1024 * 1024)

/* A list of "host" (port 80 is meant), "host:port" or "[v6]:port" that may be asked. Owner: whoever
 * made it. */
struct fetch_hosts {
    const char *const *items;
    size_t n;
};

/* Is it such an item, letter by letter? */
bool fetch_host_is_good(struct span item);
/* Names are compared without case, ports as text. */
bool fetch_host_is_listed(const struct fetch_hosts *hosts, struct span host, struct span port);
/* Host and port of "http://host[:port][/path]" in its plainest spelling: what the configuration
 * accepts. False for any other (a user, a blank, a back slash, another scheme). */
bool fetch_url_split(struct span url, struct span *ret_host, struct span *ret_port);

/* Everything is copied by start. */
struct fetch_request {
    const char *url; /* http://host[:port][/path] */
    struct fetch_hosts hosts;
    const char *content_type; /* of <body> */
    struct span body;         /* POST; p == NULL: GET */
    size_t limit_bytes;
    int64_t timeout_us; /* from start to the last byte, name resolution included */
};

/* Owner: the callee of done; <body> is moved out or released by it (buf_done). */
struct fetch_answer {
    enum err error; /* ERR_NONE: status 200 and a whole body. ERR_FETCH says what happened,
                       ERR_NO_MEMORY, ERR_SHUTTING_DOWN */
    char detail[DIAG_TEXT_MAX];
    struct buf body;
};

typedef void (*fetch_done)(void *arg, struct fetch_answer *answer);

struct trust_fetch {
    /* Any thread. <done> is called exactly once, on the fetcher's thread, or inside start when
     * nothing can be started; it must not block. */
    void (*start)(struct trust_fetch *self, const struct fetch_request *request, fetch_done done,
                  void *arg);
};

#endif
