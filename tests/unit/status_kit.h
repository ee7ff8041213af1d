/*
 * What the tests of the status cache share: a scripted fetcher with an authority's answers behind
 * it, a clock that is moved by hand, and a cache over both. One cache at a time.
 */
#ifndef STATUS_KIT_H
#define STATUS_KIT_H

#include <pthread.h>

#include "certs/ocsp.h"
#include "certs_world.h"
#include "tests/unit/ocsp_kit.h"

#define HELD_MAX 64

/* ---- a scripted responder ---- */

enum manner {
    ANSWERS, /* at once, as <answer> says */
    FAILS,   /* nobody is there */
    LIES,    /* about another certificate */
    HOLDS,   /* until the test says so */
};

struct responder {
    struct trust_fetch fetch; /* first member */
    enum manner manner;
    struct ocsp_answer answer;
    size_t asked_n;
    char url[OCSP_URL_MAX];
    size_t hosts_n;
    int64_t timeout_us;
    struct {
        fetch_done done;
        void *arg;
    } held[HELD_MAX];
    size_t held_n;
    X509 *revoked; /* about this one: revoked */
};
extern struct responder responder;

extern struct fake_clock fake;
extern pthread_mutex_t counting; /* of what several threads write here */
/* What the responder answers about, found by serial number: [0] is blue's leaf. */
extern X509 *known[4];
extern X509 *known_issuers[4];
/* What was held fails now; a good answer would need the request's bytes, which are gone. */
void fail_held(void);

/* ---- questions ---- */

struct asker {
    struct status_question question; /* first member */
    size_t done_n;
};

void note_done(struct status_question *question);

STACK_OF(X509) * chain_of(X509 *leaf, X509 *middle, X509 *root); /* borrows them */
extern STACK_OF(X509) * blue;                                    /* its chain */
extern struct status_cache *cache;
struct status_options options_of(enum status_mode mode);
void open_cache(enum status_mode mode, enum manner manner, int status);
/* The answer, also when it came inside check. */
const struct status_answer *ask(STACK_OF(X509) * chain);
bool is_answer(const struct status_answer *answer, enum status_verdict verdict, bool is_accepted,
               const char *said);

/* The second and the last but one test of a suite. */
void test_make_chain(void);
void test_free_chain(void);

#endif
