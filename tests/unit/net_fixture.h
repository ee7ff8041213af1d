/*
 * What the tests of net/ and out/ share: certificates of two authorities, a blocking HTTPS client
 * that can misbehave, and a rig around net_start whose handler the test controls. The test program
 * is one thread; the rig's counters are written by loop threads under its lock.
 */
#ifndef NET_FIXTURE_H
#define NET_FIXTURE_H

#include <pthread.h>

#include <openssl/types.h>

#include "net/server.h"
#include "tests/unit/unit.h"

#define HOST     "Host: server.example\r\n"
#define POST_ABC "POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"

struct fixture_pki {
    struct trust *trust;          /* the authority that everybody believes */
    struct credential *server;    /* SANs server.example, localhost, 127.0.0.1, ::1 */
    struct credential *client;    /* SAN client.example */
    struct credential *stranger;  /* issued by another authority, else as server */
    struct trust *stranger_trust; /* that other authority */
};
/* Made on the first call; lives until the program ends (fixture_pki_done). */
const struct fixture_pki *fixture_pki(void);
void fixture_pki_done(void);

/* ---- client ---- */

struct client {
    int fd; /* -1: not connected */
    SSL_CTX *context;
    SSL *ssl;
};
/* Each says whether it worked; a failed client is closed. */
bool client_open(struct client *client, const char *host, uint16_t port);
bool client_open_unix(struct client *client, const char *path);
/* After client_open; <credential> may be NULL. TLS 1.3's client learns of a refusal only when it
 * reads. */
bool client_start_tls(struct client *client, const struct credential *credential,
                      const struct trust *trust, int version);
bool client_send(struct client *client, struct span bytes);
/* At most <n>, at least one byte; 0 at the end; -1 after an error or UNIT_PATIENCE_S. */
long client_receive(struct client *client, char *to, size_t n);
void client_close(struct client *client);
void client_reset(struct client *client); /* close with a TCP reset */

struct client_answer {
    int status; /* 0: none came */
    char head[2048];
    char *body; /* with a NUL */
    size_t body_n;
};
/* Reads one answer, by its Content-Length. */
bool client_read(struct client *client, struct client_answer *ret_answer);
void client_answer_done(struct client_answer *answer);
/* Sends <request>, reads one answer, checks status and body (NULL: any); true when as wanted. */
bool client_exchange(struct client *client, const char *request, int status, const char *body);
/* Is the connection at its end, without further bytes? */
bool client_is_at_end(struct client *client);

/* ---- server ---- */

#define RIG_HELD_MAX 256

struct rig {
    struct net_server *server;
    struct config config;
    struct net_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool holds; /* the handler keeps requests; else it answers each with its own body */
    struct net_request *held[RIG_HELD_MAX];
    size_t held_n;
    size_t handled;  /* requests that the handler got */
    size_t doubts_n; /* accepted with a doubt */
    size_t refused_n;
    enum err refused; /* the last one */
    char refused_text[DIAG_TEXT_MAX];
    char refused_peer[64];
};
/* A TLS listener on 127.0.0.1 and quick timeouts; change config and options, then start. */
void rig_init(struct rig *rig);
bool rig_start(struct rig *rig);
/* With options that allow two connections: two are served, the third is closed before its
 * handshake, and when one goes there is room again. Starts the rig and leaves it without
 * connections. */
void rig_check_two(struct rig *rig);
void rig_done(struct rig *rig); /* drops what is held, stops and frees */
/* A connected client of the rig's TLS listener, with the client credential. */
bool rig_connect(struct rig *rig, struct client *client);
/* Wait until the handler has been called <n> times in all, or refusals were counted. */
bool rig_wait_handled(struct rig *rig, size_t n);
bool rig_wait_refused(struct rig *rig, size_t n, enum err want);
/* A request that the handler keeps, oldest first; the caller answers it. */
struct net_request *rig_take(struct rig *rig);
/* Answer with text. */
void rig_answer(struct net_request *request, int status, const char *text);

#endif
