/*
 * Is a certificate, whose chain is proven, still good? One answer for inbound and outbound
 * connections: from a cache, else from the authority's OCSP responder (RFC 6960), asked through
 * certs/fetch.h. Nobody waits inside: what is not known now arrives through a callback.
 *
 * struct peer_status_source is all that net/ and out/ see; tests script it. The real one is struct
 * status_cache: bounded, any thread, questions about one certificate that come together are asked
 * once.
 */
#ifndef CERTS_STATUS_H
#define CERTS_STATUS_H

#include <openssl/x509.h>

#include "base/clock.h"
#include "base/park.h"
#include "certs/fetch.h"

/* ---- the interface ---- */

enum status_verdict {
    STATUS_GOOD,
    STATUS_REVOKED,
    STATUS_UNKNOWN, /* the responder does not know it, or nobody could be asked or believed */
};

struct status_answer {
    enum status_verdict verdict;
    bool is_accepted; /* what the configuration makes of it: good always; unknown when soft or off;
                         revoked never. The asker goes by this and nothing else */
    char detail[DIAG_TEXT_MAX]; /* why, for log and audit; when accepted without being good, log
                                   it as a warning */
};

/* One question: a member of the asker's object (a connection), so that asking allocates nothing for
 * it. The asker sets <done>; the rest is the source's until the answer. */
struct status_question {
    /* After ANSWER_LATER: called exactly once, on any thread, unless cancel said true. Must not
     * block or call the source; commonly it posts a letter. <answer> is set before. */
    void (*done)(struct status_question *question);
    struct status_answer answer;
    /* the source's */
    struct status_question *next;
    void *asked;
};

struct peer_status_source {
    /* <peer>: the leaf. <chain>: the verified one, leaf first (SSL_get0_verified_chain), borrowed
     * for the call; NULL when there is none (a resumed session has no chain): then the source knows
     * the certificate from before, or builds the chain itself. ANSWER_NOW: question->answer is set,
     * done is not called. ANSWER_LATER: done will be, within the configured time, possibly before
     * check has returned. Any thread. */
    enum answer (*check)(struct peer_status_source *self, const struct certificate *peer,
                         STACK_OF(X509) * chain, struct status_question *question);
    /* The asker goes away. True: done will not be called. False: it has been called, or is being
     * called on another thread now; the question must stay until that is over. Any thread. */
    bool (*cancel)(struct peer_status_source *self, struct status_question *question);
};

#endif
