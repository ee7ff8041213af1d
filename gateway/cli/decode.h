/*
 * What the files of `isthmus decode` share; nobody else includes it.
 *
 *   cmd_decode.c      options, input and output
 *   decode_capture.c  bytes of a file to an HTTP message
 *   decode_judge.c    what the gateway would answer, by its own functions
 *   decode_tell.c     that, in notes
 *
 * Thread: the program's main thread.
 */
#ifndef CLI_DECODE_H
#define CLI_DECODE_H

#include "base/notes.h"
#include "policies/policy.h"
#include "soap/explain.h"
#include "txn/proof.h"

/* ---- decode_capture.c ---- */

enum capture_kind { CAPTURE_BARE, CAPTURE_REQUEST, CAPTURE_ANSWER };

struct capture {
    enum capture_kind kind;
    struct span first_line;         /* of HTTP; may be empty */
    struct span path, content_type; /* given, found or guessed */
    struct span body;               /* without chunks */
    bool is_type_guessed;
    bool is_chunked;
    bool has_bare_lf; /* the head was saved with other line ends than it was sent with */
    struct diag http; /* what net/ refuses of a request; ERR_NONE: nothing */
    struct span note; /* what else is odd about the file; may be empty */
};

/* An HTTP request or answer, a MIME body or an envelope. <path> and <content_type> (may be empty)
 * win over what the file says. Spans point into <bytes> or the arena. <body_limit>: of requests. */
MUST_CHECK struct status capture_read(struct span bytes, struct span path, struct span content_type,
                                      size_t body_limit, struct arena *arena, struct diag *diag,
                                      struct capture *ret_capture);

/* ---- decode_judge.c ---- */

/* What the gateway would do with a request at one time, as far as one message alone decides it. */
struct outcome {
    struct status status;
    struct diag diag;
    const char *stage; /* where it ended: "proof", "individual", "payload", "policy" */
    struct proof proof;
    struct policy_decision decision; /* when it came so far */
    bool is_decided;
    int http_status;
    char fault_code[64];  /* empty: no fault */
    const char *answered; /* "inside the protocol", ... */
};

struct question {
    const struct config *config;
    const struct partner *partner; /* whose TLS connection is assumed; NULL: nobody's */
    const struct capture *capture;
    struct span path;
};

/* In memory as large as a transaction's, which is gone afterwards: what proof points to is, too.
 * Fails for want of memory only. */
MUST_CHECK struct status judge_request(const struct question *question, int64_t now_us,
                                       struct diag *diag, struct outcome *ret_outcome);
/* What of the partner's file would have to be relaxed for the request to be accepted, in words;
 * empty: nothing would help. */
MUST_CHECK struct status judge_relaxations(const struct question *question, int64_t now_us,
                                           struct arena *arena, struct diag *diag,
                                           struct span *ret_text);
/* The checks before and after those of soap/, one row each. */
MUST_CHECK struct status judge_tell_checks(const struct question *question,
                                           const struct explanation *explanation, int64_t now_us,
                                           struct notes *notes, struct diag *diag);

/* ---- decode_tell.c ---- */

struct decode {
    const struct config *config;   /* NULL: none was given */
    const struct partner *partner; /* given or found; NULL: unknown */
    const char *why_partner;
    struct capture capture;
    int64_t now_us;
    struct explanation *explanation;
    const struct explain_key *signer; /* of the assertion; NULL: nobody's registered key */
};

/* Everything about the message, in order. <partner> may be NULL: found if it can be. */
MUST_CHECK struct status decode_tell(struct decode *decode, struct arena *arena,
                                     struct notes *notes, struct diag *diag);

#endif
