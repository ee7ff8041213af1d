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
    char detail[DIAG_TEXT_MAX]; /* why, for log and audit; "" when good. When accepted without
                                   being good and not empty: log it as a warning */
};

/* One question: a member of the asker's object (a connection), so that asking allocates nothing for
 * it. The asker sets <done>; the rest is the source's until the answer. */
struct status_question {
    /* After ANSWER_LATER: called exactly once, on any thread, unless cancel said true. Must not
     * block or call the source; commonly it posts a letter. <answer> is set before. */
    void (*done)(struct status_question *question);
    struct status_answer answer;
    /* the source's, from check on */
    struct status_question *next;
    void *asked;
    STACK_OF(X509) * chain;
    int at;
};

struct peer_status_source {
    /* <peer>: the leaf, borrowed for the call. <chain>: the verified one, leaf first
     * (SSL_get0_verified_chain), borrowed for the call; NULL when there is none (a resumed session
     * has no chain): then the source knows the certificate from before, or builds the chain itself.
     * ANSWER_NOW: question->answer is set, done is not called. ANSWER_LATER: done will be, within
     * the configured time, possibly before check has returned. Any thread. */
    enum answer (*check)(struct peer_status_source *self, const struct certificate *peer,
                         STACK_OF(X509) * chain, struct status_question *question);
    /* The asker goes away. True: done will not be called. False: it has been called, or is being
     * called on another thread now; the question must stay until that is over. Any thread. */
    bool (*cancel)(struct peer_status_source *self, struct status_question *question);
};

/* ---- the real one ---- */

/* off: nobody is asked. soft: who cannot be asked about is accepted, with a warning. hard: only who
 * is good is accepted. Revoked is revoked in all but off. */
enum status_mode { STATUS_OFF, STATUS_SOFT, STATUS_HARD };

/* `trust.NAME.ocsp` of the configuration. */
struct status_settings {
    enum status_mode mode;
    const char *responder;    /* asked about every leaf; NULL: the one that the certificate names */
    struct fetch_hosts hosts; /* `trust.NAME.fetch_hosts`: who may be asked */
    int64_t max_age_us;       /* of an answer, by its thisUpdate */
    int64_t timeout_us;       /* of one question to a responder */
    int64_t cache_us;         /* no answer is held longer */
};

struct status_options {
    struct status_settings settings; /* copied */
    const struct trust *trust;       /* its store is referred to; the trust may go */
    int64_t skew_us;
    const struct clock *clock;
    struct trust_fetch *fetch; /* outlives the cache and every answer that it owes */
};

/* What is asked about: the leaf, and each intermediate that names a responder of its own (others
 * have revocation lists). The anchor is not: it is believed because the operator says so, and a
 * leaf that is itself an anchor is good.
 *
 * An answer is held until its end (nextUpdate), at most cache_us; that nobody answered, ten
 * seconds. One that is soon to end is asked for anew in the background. At most STATUS_ENTRIES_MAX
 * certificates are known at once (the one not used for longest goes) and STATUS_ASKED_MAX asked
 * about. A revoked certificate stays so, also beyond the end of that answer, until one comes that
 * is newer (thisUpdate): an old answer from before is still signed and current, and questions
 * travel in plain http. */
#define STATUS_ENTRIES_MAX 4096
#define STATUS_ASKED_MAX   256

struct status_cache;

MUST_CHECK struct status status_cache_new(const struct status_options *options, struct diag *diag,
                                          struct status_cache **ret_cache);
/* After a reload: new settings and trust for what is asked from now on; clock and fetch stay. What
 * is held stays held. Any thread. */
MUST_CHECK struct status status_cache_configure(struct status_cache *cache,
                                                const struct status_options *options,
                                                struct diag *diag);
/* Answers what waits (unknown, not accepted); no question may follow. NULL is fine. */
void status_cache_free(struct status_cache *cache);
/* The interface to it; lives as long. */
struct peer_status_source *status_cache_source(struct status_cache *cache);
/* What a server stapled to its handshake, about chain's leaf. Held like an answer that was asked
 * for when it is believed; else ERR_OCSP, and check will ask. Any thread. */
MUST_CHECK struct status status_cache_take_staple(struct status_cache *cache,
                                                  STACK_OF(X509) * chain, struct span staple,
                                                  struct diag *diag);

#endif
