/*
 * One connection and the exchange that it has in hand; shared by the files of net/. Everything here
 * belongs to the connection's loop thread, except what struct exchange says.
 */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "net/parts.h"

enum connection_state {
    CONNECTION_HELLO, /* not one byte of a handshake has come, or it waits for its turn */
    CONNECTION_HANDSHAKE,
    CONNECTION_PARKED,  /* the status of the certificate is not known yet; nothing is read */
    CONNECTION_IDLE,    /* between requests: not one byte of the next is there */
    CONNECTION_HEAD,    /* reading a head */
    CONNECTION_BODY,    /* reading a body */
    CONNECTION_HANDLER, /* the handler has the request; nothing is read */
    CONNECTION_ANSWER,  /* writing; nothing is read */
    CONNECTION_LINGER   /* the last answer is written: read and forget until the peer ends */
};

#define CONTENT_TYPE_MAX 512
#define STREAM_OPTIONS   (BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)

/* Who wants to know that the peer has gone. The lock is held while on_gone runs, so that an answer
 * waits for its end; recursive, because on_gone may answer itself. */
struct watch {
    pthread_mutex_t lock;
    void (*on_gone)(void *arg); /* NULL: nobody, or it has been told */
    void *arg;
    bool is_telling;
    bool is_orphan;       /* answered by on_gone when the loop had ended: nobody else frees it */
    struct letter letter; /* of net_watch; always delivered before the answer's */
};

/* A request with its way back. Owner: the connection while it reads; then the handler, until
 * net_answer or net_drop posts it back to the loop. */
struct exchange {
    struct net_request request; /* first member: net_answer finds the exchange by it */
    struct mailbox *mailbox;    /* a reference */
    struct net_server *server;  /* for net_count_failure */
    struct watch watch;
    /* the loop's thread only */
    struct connection *connection; /* NULL: gone */
    struct certificate *peer;      /* when the connection went first: keeps request.peer alive */
    char identity[NET_IDENTITY_MAX];
    bool is_in_quota; /* it counts for its identity ... */
    bool is_in_load;  /* ... and for the node */
    size_t held;      /* bytes of its body that are counted */
    /* written by net_answer before the letter is posted */
    struct letter letter;
    int status; /* 0: drop */
    char content_type[CONTENT_TYPE_MAX];
    struct body answer;
};

/* A question about a connection's certificate. Owner: the connection; when that goes first, and the
 * answer is on its way already, the letter. */
struct parking {
    struct status_question question; /* first member */
    struct peer_status_source *source;
    struct mailbox *mailbox; /* a reference */
    struct letter letter;
    struct connection *connection; /* the loop's thread only; NULL: gone */
};

struct connection {
    struct loop *loop;
    struct connection *next, *previous; /* in the loop's list */
    TAILQ_ENTRY(connection) hello;      /* in the loop's queue while is_greeting */
    bool is_greeting;
    struct event *hello_event; /* its first bytes; NULL later */
    enum net_listener kind;
    bool has_tls;
    int fd;                     /* until there is a stream, which owns it then */
    struct bufferevent *stream; /* NULL in CONNECTION_HELLO */
    struct event *timer;        /* one at a time: of the state */
    enum connection_state state;
    char peer_address[PEER_ADDRESS_MAX];
    struct certificate *peer;
    uint64_t generation; /* of the terms that it was judged by */
    char identity[NET_IDENTITY_MAX];
    struct parking *parking;   /* while its status is asked */
    bool is_in_quota;          /* it counts for its identity ... */
    bool is_request_in_quota;  /* ... and so does its request, until there is an exchange */
    bool is_request_in_load;   /* the same of the node */
    bool sheds;                /* the body is read and forgotten, then comes 503 */
    size_t held;               /* bytes in memory that are counted: of the body, of the answer */
    int64_t opened_us;         /* mono */
    int64_t limit_us;          /* mono: when the current request or answer must be over */
    bool is_broken;            /* the stream had an error: nothing more can be said on it */
    bool has_peer_ended;       /* no more bytes will come */
    bool closes;               /* after the current answer */
    struct exchange *exchange; /* being read, or with the handler */
    bool is_watched;           /* its descriptor is in the loop's watch_fd */
    /* request.c */
    size_t head_seen; /* bytes of the head that have no LF in them or were looked at */
    struct http1_body body_reader;
    struct sink body;
    /* answer.c */
    unsigned retry_after_s; /* of an answer 503 */
    struct body answer;
    uint64_t answer_taken; /* bytes of it that were given to the output buffer */
    uint64_t output_total; /* bytes that were given to it since the answer began, head included */
    uint64_t window_start; /* progress when the current body_stall_us began */
};

/* connection.c */
MUST_CHECK bool connection_make_timer(struct connection *connection);
void connection_hook(struct connection *connection);  /* what happens on its stream is handled */
void connection_close(struct connection *connection); /* frees it */
void connection_set_timer(struct connection *connection, int64_t us);
void connection_clear_timer(struct connection *connection);
/* The timer of bytes that must come, or go, at a rate; <whole_us> is for all of them. */
void connection_start_window(struct connection *connection, int64_t whole_us);
void connection_report(const struct connection *connection, const struct diag *diag);
/* Answer with the error's public text, then close. */
void connection_refuse(struct connection *connection, const struct diag *diag);
void connection_await_request(struct connection *connection); /* a new request may begin */
void connection_linger(struct connection *connection);

/* The request that is no exchange yet is no longer counted; nothing happens when none is. */
void connection_release_request(struct connection *connection);

/* parked.c. Each may free the connection; false: it did, or it is being closed. */
void connection_proven(struct connection *connection); /* after the handshake */
/* Is the connection still as the newest terms want it? */
MUST_CHECK bool connection_recheck(struct connection *connection);
void parking_end(struct connection *connection); /* its answer does not matter any more */

/* request.c: takes what the input buffer holds; may free the connection. */
void request_read(struct connection *connection);

/* watch.c */
void watch_open(struct watch *watch);
void watch_close(struct watch *watch); /* nobody may call or be called */
/* Any thread: whoever answers. When it returns on_gone is over, or will never be called. */
void watch_end(struct watch *watch);
/* The peer has gone: the loop's thread, or after its end. May free the exchange, but never while
 * the loop lives. */
void watch_tell(struct exchange *exchange);
/* The loop has ended. True: watch_tell is at work below, and frees the exchange when it is over. */
MUST_CHECK bool watch_adopt(struct watch *watch);
void watch_forget(struct connection *connection); /* the loop's thread: no more of its peer */

/* answer.c */
/* The loop's thread: it is no longer counted, and the server is no more asked for it. Twice is
 * fine. */
void exchange_release(struct exchange *exchange);
void exchange_free(struct exchange *exchange); /* NULL is fine; any thread, after release */
/* <body> is moved out. May free the connection. */
void answer_start(struct connection *connection, int status, const char *content_type,
                  const char *allow, struct body *body);
void answer_continue(struct connection *connection); /* after output was written; may free it */
uint64_t answer_progress(const struct connection *connection); /* bytes that the peer has; about */

/* record.c */
enum record_verdict {
    RECORD_WRITTEN, /* head and answer are with the kernel */
    RECORD_WAITS,   /* all of it is in the output buffer: the kernel had no room */
    RECORD_NOT_FIT, /* nothing was written: too large, plain, or something else waits before it */
    RECORD_LOST     /* no memory, and TLS has begun to write it: the connection must go */
};
/* Gives head and answer to TLS in one piece. <head> has at most 2 KB. */
MUST_CHECK enum record_verdict record_write(struct connection *connection, struct span head);

#endif
