/*
 * The status cache: what each mode makes of each answer, what is held and for how long, who waits
 * for whom. The fetcher is scripted; answers, certificates and threads are real.
 */
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "tests/unit/status_kit.h"
#include "unit.h"

/* ---- modes ---- */

static void
test_modes(void)
{
    static const struct {
        enum status_mode mode;
        enum manner manner;
        int status;
        enum status_verdict verdict;
        bool is_accepted;
        const char *said;
    } rows[] = {
        {STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_REVOKED, STATUS_REVOKED, false, "revoked on"},
        {STATUS_SOFT, ANSWERS, V_OCSP_CERTSTATUS_REVOKED, STATUS_REVOKED, false, "keyCompromise"},
        {STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_UNKNOWN, STATUS_UNKNOWN, false, "does not know"},
        {STATUS_HARD, FAILS, 0, STATUS_UNKNOWN, false, "nobody answers"},
        {STATUS_HARD, LIES, 0, STATUS_UNKNOWN, false, "not about the one in question"},
        {STATUS_SOFT, ANSWERS, V_OCSP_CERTSTATUS_UNKNOWN, STATUS_UNKNOWN, true, "does not know"},
        {STATUS_SOFT, FAILS, 0, STATUS_UNKNOWN, true, "nobody answers"},
        {STATUS_SOFT, LIES, 0, STATUS_UNKNOWN, true, "not about the one in question"},
        {STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD, STATUS_GOOD, true, ""},
        {STATUS_SOFT, ANSWERS, V_OCSP_CERTSTATUS_GOOD, STATUS_GOOD, true, ""},
        {STATUS_OFF, FAILS, 0, STATUS_UNKNOWN, true, ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        open_cache(rows[i].mode, rows[i].manner, rows[i].status);
        CU_ASSERT(is_answer(ask(blue), rows[i].verdict, rows[i].is_accepted, rows[i].said));
        CU_ASSERT_EQUAL(responder.asked_n, rows[i].mode == STATUS_OFF ? 0 : 1);
        /* again, from what is held */
        CU_ASSERT(is_answer(ask(blue), rows[i].verdict, rows[i].is_accepted, rows[i].said));
        CU_ASSERT_EQUAL(responder.asked_n, rows[i].mode == STATUS_OFF ? 0 : 1);
        status_cache_free(cache);
    }
}

/* Who is asked, and within which bounds. */
static void
test_whom(void)
{
    struct status_options options = options_of(STATUS_HARD);
    const struct odd_certificate odd = {.name = "Leaf",
                                        .url = "http://aia.example/leaf",
                                        .from_us = world.now_us,
                                        .until_us = world.now_us + DAY_US};
    EVP_PKEY *key = NULL;
    X509 *leaf = odd_issue(&odd, world.ca, world.ca_key, &key);
    STACK_OF(X509) *chain = chain_of(leaf, world.ca, NULL);
    struct diag diag = {0};

    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    known[2] = leaf;
    known_issuers[2] = world.ca;
    CU_ASSERT(is_answer(ask(chain), STATUS_GOOD, true, ""));
    CU_ASSERT_STRING_EQUAL(responder.url, "http://ocsp.example/"); /* the operator's choice */
    CU_ASSERT(responder.hosts_n == 2 && responder.timeout_us == 5 * US_PER_S);
    options.settings.responder = NULL;
    CHECK_OK(&diag, status_cache_configure(cache, &options, &diag));
    CU_ASSERT(is_answer(ask(blue), STATUS_UNKNOWN, false, "names no OCSP responder"));
    CU_ASSERT(is_answer(ask(chain), STATUS_GOOD, true, "")); /* still held */
    CU_ASSERT_EQUAL(responder.asked_n, 1);
    fake_clock_advance(&fake, 2 * HOUR_S * US_PER_S);
    CU_ASSERT(is_answer(ask(chain), STATUS_GOOD, true, ""));
    CU_ASSERT_STRING_EQUAL(responder.url, "http://aia.example/leaf");
    status_cache_free(cache);
    sk_X509_free(chain);
    X509_free(leaf);
    EVP_PKEY_free(key);
}

/* ---- holding ---- */

static void
advance_s(int64_t s)
{
    fake_clock_advance(&fake, s * US_PER_S);
}

static void
test_holding(void)
{
    /* no longer than cache_us */
    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    (void)ask(blue);
    advance_s(HOUR_S / 2);
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
    CU_ASSERT_EQUAL(responder.asked_n, 1);
    responder.manner = FAILS;
    advance_s(HOUR_S / 2);
    CU_ASSERT(is_answer(ask(blue), STATUS_UNKNOWN, false, "nobody answers"));
    CU_ASSERT_EQUAL(responder.asked_n, 2);
    /* that nobody answered: ten seconds */
    advance_s(9);
    responder.manner = ANSWERS;
    CU_ASSERT(is_answer(ask(blue), STATUS_UNKNOWN, false, "nobody answers"));
    advance_s(2);
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
    CU_ASSERT_EQUAL(responder.asked_n, 3);
    status_cache_free(cache);
    /* no longer than nextUpdate */
    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    responder.answer.next_s = 600;
    (void)ask(blue);
    responder.manner = FAILS;
    advance_s(601);
    CU_ASSERT(is_answer(ask(blue), STATUS_UNKNOWN, false, "nobody answers"));
    status_cache_free(cache);
    /* an answer that ends at once (within the skew) answers once, and does not loop */
    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    responder.answer.this_s = -HOUR_S;
    responder.answer.next_s = -30;
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
    CU_ASSERT_EQUAL(responder.asked_n, 2);
    status_cache_free(cache);
}

/* Asked for anew before the end, in the background; if that fails, what is held counts on. */
static void
test_refresh(void)
{
    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    (void)ask(blue);
    responder.manner = FAILS;
    advance_s(HOUR_S * 4 / 5);
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
    CU_ASSERT_EQUAL(responder.asked_n, 2); /* not again within ten seconds */
    advance_s(11);
    responder.manner = ANSWERS;
    responder.answer.status = V_OCSP_CERTSTATUS_REVOKED;
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, "")); /* what was held before it came */
    CU_ASSERT_EQUAL(responder.asked_n, 3);
    CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
    CU_ASSERT_EQUAL(responder.asked_n, 3);
    status_cache_free(cache);
}

/* Somebody between us and the responder gives the answer of an hour ago, or none at all: what was
 * revoked stays so, in every mode, until an answer is newer than the revocation. */
static void
test_revoked_stays(void)
{
    static const enum status_mode modes[] = {STATUS_HARD, STATUS_SOFT};

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        open_cache(modes[i], ANSWERS, V_OCSP_CERTSTATUS_REVOKED);
        CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
        responder.answer.status = V_OCSP_CERTSTATUS_GOOD;
        responder.answer.this_s = -HOUR_S;
        advance_s(HOUR_S * 4 / 5); /* asked for anew in the background */
        CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
        CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
        CU_ASSERT_EQUAL(responder.asked_n, 2);
        advance_s(HOUR_S / 4); /* what was held has ended */
        CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
        responder.manner = FAILS;
        advance_s(11);
        CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
        CU_ASSERT_EQUAL(responder.asked_n, 4);
        responder.manner = ANSWERS;
        responder.answer.this_s = 1; /* after the revocation: it was taken back */
        advance_s(11);
        CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
        status_cache_free(cache);
    }
}

/* ---- together ---- */

static void
test_coalesced(void)
{
    struct asker askers[20];
    struct peer_status_source *source;

    open_cache(STATUS_HARD, HOLDS, 0);
    source = status_cache_source(cache);
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        askers[i] = (struct asker){.question = {.done = note_done}};
        CU_ASSERT_EQUAL(source->check(source, world.blue->leaf, blue, &askers[i].question),
                        ANSWER_LATER);
    }
    CU_ASSERT_EQUAL(responder.asked_n, 1);
    /* the first, one in the middle and the last go away */
    CU_ASSERT(source->cancel(source, &askers[0].question));
    CU_ASSERT(source->cancel(source, &askers[7].question));
    CU_ASSERT(source->cancel(source, &askers[19].question));
    CU_ASSERT_FALSE(source->cancel(source, &askers[7].question));
    fail_held();
    for (size_t i = 0; i < ARRAY_LEN(askers); i++) {
        CU_ASSERT_EQUAL(askers[i].done_n, i == 0 || i == 7 || i == 19 ? 0 : 1);
        CU_ASSERT(askers[i].done_n == 0 ||
                  is_answer(&askers[i].question.answer, STATUS_UNKNOWN, false, "nobody answers"));
    }
    status_cache_free(cache);
}

/* The node stops while somebody waits, and the fetch ends later. */
static void
test_closed(void)
{
    struct asker asker = {.question = {.done = note_done}};
    struct peer_status_source *source;

    open_cache(STATUS_SOFT, HOLDS, 0);
    source = status_cache_source(cache);
    CU_ASSERT_EQUAL(source->check(source, world.blue->leaf, blue, &asker.question), ANSWER_LATER);
    status_cache_free(cache);
    CU_ASSERT_EQUAL(asker.done_n, 1);
    CU_ASSERT(is_answer(&asker.question.answer, STATUS_UNKNOWN, false, "stopping"));
    fail_held();
    CU_ASSERT_EQUAL(asker.done_n, 1);
}

#define THREADS 8

static void *
ask_often(void *arg)
{
    struct peer_status_source *source = status_cache_source(cache);
    size_t *wrong = arg;

    for (size_t i = 0; i < 200; i++) {
        struct asker asker = {.question = {.done = note_done}};
        const enum answer when = source->check(source, world.blue->leaf, blue, &asker.question);

        if (when == ANSWER_LATER && source->cancel(source, &asker.question)) {
            continue;
        }
        for (bool is_done = when == ANSWER_NOW; !is_done;) {
            (void)pthread_mutex_lock(&counting);
            is_done = asker.done_n == 1;
            (void)pthread_mutex_unlock(&counting);
        }
        *wrong += asker.question.answer.verdict != STATUS_GOOD;
        if (i % 20 == 0) {
            (void)pthread_mutex_lock(&counting);
            advance_s(HOUR_S / 10);
            (void)pthread_mutex_unlock(&counting);
        }
    }
    return NULL;
}

/* The clock is moved under a lock of the test's; the cache reads it under its own. */
static int64_t
locked_wall_us(const struct clock *clock)
{
    (void)clock;
    (void)pthread_mutex_lock(&counting);
    const int64_t us = fake.wall_us;
    (void)pthread_mutex_unlock(&counting);
    return us;
}

static void
test_threads(void)
{
    pthread_t threads[THREADS];
    size_t wrong[THREADS] = {0};

    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    fake.clock.wall_us = locked_wall_us;
    responder.answer.next_s = 100 * HOUR_S;
    for (size_t i = 0; i < THREADS; i++) {
        CU_ASSERT_FATAL(pthread_create(&threads[i], NULL, ask_often, &wrong[i]) == 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
        CU_ASSERT_EQUAL(wrong[i], 0);
    }
    CU_ASSERT(responder.asked_n >= 2 && responder.asked_n < 200);
    status_cache_free(cache);
}

/* ---- chains ---- */

/* A leaf that is an anchor, and sessions that were resumed. */
static void
test_without_issuer(void)
{
    STACK_OF(X509) *alone = chain_of(world.blue->leaf->x509, NULL, NULL);
    struct status_options other = options_of(STATUS_HARD);
    struct diag diag = {0};

    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_REVOKED);
    CU_ASSERT(is_answer(ask(alone), STATUS_GOOD, true, ""));
    CU_ASSERT_EQUAL(responder.asked_n, 0);
    /* not known, and its issuer is no anchor */
    other.trust = world.other_trust;
    CHECK_OK(&diag, status_cache_configure(cache, &other, &diag));
    CU_ASSERT(is_answer(ask(NULL), STATUS_UNKNOWN, false, "full handshake"));
    /* the chain can be built */
    other.trust = world.plain_trust;
    CHECK_OK(&diag, status_cache_configure(cache, &other, &diag));
    CU_ASSERT(is_answer(ask(NULL), STATUS_REVOKED, false, "revoked"));
    CU_ASSERT_EQUAL(responder.asked_n, 1);
    /* known */
    CU_ASSERT(is_answer(ask(NULL), STATUS_REVOKED, false, "revoked"));
    CU_ASSERT_EQUAL(responder.asked_n, 1);
    status_cache_free(cache);
    sk_X509_free(alone);
}

/* root -> middle -> leaf; the middle names a responder of the root's. */
struct middle_chain {
    X509 *middle, *leaf;
    EVP_PKEY *middle_key, *leaf_key;
    STACK_OF(X509) * chain;
};

static void
make_middle_chain(struct middle_chain *made)
{
    const struct odd_certificate middle = {.name = "Middle",
                                           .url = "http://root.example/",
                                           .is_ca = true,
                                           .from_us = world.now_us,
                                           .until_us = world.now_us + DAY_US};
    const struct odd_certificate leaf = {
        .name = "Leaf", .from_us = world.now_us, .until_us = world.now_us + DAY_US};

    *made = (struct middle_chain){0};
    made->middle = odd_issue(&middle, world.ca, world.ca_key, &made->middle_key);
    made->leaf = odd_issue(&leaf, made->middle, made->middle_key, &made->leaf_key);
    made->chain = chain_of(made->leaf, made->middle, world.ca);
}

/* The responder knows both; what it says is signed by the middle. */
static void
know_middle_chain(const struct middle_chain *made)
{
    known[2] = made->leaf;
    known_issuers[2] = made->middle;
    known[3] = made->middle;
    known_issuers[3] = world.ca;
    responder.answer.signer = made->middle;
    responder.answer.signer_key = made->middle_key;
}

static void
free_middle_chain(struct middle_chain *made)
{
    sk_X509_free(made->chain);
    X509_free(made->leaf);
    X509_free(made->middle);
    EVP_PKEY_free(made->leaf_key);
    EVP_PKEY_free(made->middle_key);
}

/* An intermediate that names a responder is asked about after the leaf. */
static void
test_intermediate(void)
{
    struct middle_chain made;
    make_middle_chain(&made);

    for (size_t i = 0; i < 2; i++) {
        const bool is_revoked = i == 1;

        open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
        know_middle_chain(&made);
        responder.revoked = is_revoked ? made.middle : NULL;
        /* the middle's own answer must be the root's: here it vouches for itself */
        CU_ASSERT(is_answer(ask(made.chain), STATUS_UNKNOWN, false, "OCSP response"));
        CU_ASSERT_EQUAL(responder.asked_n, 2);
        CU_ASSERT_STRING_EQUAL(responder.url, "http://root.example/");
        advance_s(11);
        responder.answer.signer = NULL;
        CU_ASSERT(is_answer(ask(made.chain), is_revoked ? STATUS_REVOKED : STATUS_GOOD, !is_revoked,
                            is_revoked ? "revoked" : ""));
        CU_ASSERT_EQUAL(responder.asked_n, 3);
        status_cache_free(cache);
    }
    free_middle_chain(&made);
}

/* As a session that was resumed asks. */
static const struct status_answer *
ask_about(const struct certificate *peer)
{
    static struct asker asker;
    struct peer_status_source *source = status_cache_source(cache);

    asker = (struct asker){.question = {.done = note_done}};
    (void)source->check(source, peer, NULL, &asker.question);
    CU_ASSERT_FALSE(source->cancel(source, &asker.question));
    return &asker.question.answer;
}

/* A resumed session brings no chain, and its intermediate is revoked after the full handshake: that
 * its leaf is good must not answer for it. */
static void
test_resumed_intermediate(void)
{
    struct middle_chain made;
    make_middle_chain(&made);
    struct certificate *peer = NULL;
    struct diag diag = {0};

    CHECK_OK(&diag, certificate_from_x509(made.leaf, &diag, &peer));
    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    know_middle_chain(&made);
    (void)ask(made.chain); /* the leaf's own authority answers for it ... */
    advance_s(11);
    responder.answer.signer = NULL;
    CU_ASSERT(
        is_answer(ask(made.chain), STATUS_GOOD, true, "")); /* ... and the root for the middle */
    CU_ASSERT(is_answer(ask_about(peer), STATUS_GOOD, true, ""));
    responder.revoked = made.middle;
    advance_s(HOUR_S * 4 / 5);
    (void)ask(made.chain); /* asks for the middle anew */
    CU_ASSERT(is_answer(ask_about(peer), STATUS_REVOKED, false, "Middle"));
    status_cache_free(cache);
    certificate_free(peer);
    free_middle_chain(&made);
}

/* ---- staples ---- */

static struct status
staple(int status, bool is_damaged, struct diag *diag)
{
    struct buf bytes;
    const struct ocsp_answer answer = {.about = world.blue->leaf->x509,
                                       .issuer = world.ca,
                                       .signer = world.ca,
                                       .signer_key = world.ca_key,
                                       .status = status,
                                       .next_s = HOUR_S,
                                       .is_damaged = is_damaged};

    buf_init(&bytes, FETCH_OCSP_MAX);
    CU_ASSERT_FATAL(ocsp_make(&answer, SPAN_EMPTY, &bytes));
    const struct status st = status_cache_take_staple(cache, blue, buf_span(&bytes), diag);

    buf_done(&bytes);
    return st;
}

static void
test_staples(void)
{
    struct diag diag = {0};

    open_cache(STATUS_HARD, FAILS, 0);
    CHECK_ERR(&diag, ERR_OCSP, staple(V_OCSP_CERTSTATUS_GOOD, true, &diag));
    CU_ASSERT(is_answer(ask(blue), STATUS_UNKNOWN, false, "nobody answers"));
    CU_ASSERT_EQUAL(responder.asked_n, 1);
    diag_clear(&diag);
    CHECK_OK(&diag, staple(V_OCSP_CERTSTATUS_GOOD, false, &diag));
    CU_ASSERT(is_answer(ask(blue), STATUS_GOOD, true, ""));
    CHECK_OK(&diag, staple(V_OCSP_CERTSTATUS_REVOKED, false, &diag));
    CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
    /* an older good answer that is stapled does not heal it */
    CHECK_OK(&diag, staple(V_OCSP_CERTSTATUS_GOOD, false, &diag));
    CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
    CU_ASSERT_EQUAL(responder.asked_n, 1);
    status_cache_free(cache);
}

/* ---- bounds ---- */

/* Another serial number under the old signature: chains were proven before the cache is asked. */
static X509 *
twin(long serial)
{
    X509 *x509 = X509_dup(world.blue->leaf->x509);

    CU_ASSERT_FATAL(x509 != NULL && ASN1_INTEGER_set(X509_get_serialNumber(x509), serial) == 1 &&
                    i2d_re_X509_tbs(x509, NULL) > 0);
    return x509;
}

static void
ask_twin(long serial)
{
    X509 *x509 = twin(serial);
    STACK_OF(X509) *chain = chain_of(x509, world.ca, NULL);

    (void)ask(chain);
    sk_X509_free(chain);
    X509_free(x509);
}

/* A flood of certificates forgets the one not used for longest, and grows no further. */
static void
test_bounded(void)
{
    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_REVOKED);
    (void)ask(blue);
    responder.manner = FAILS;
    for (long i = 1; i < STATUS_ENTRIES_MAX; i++) {
        ask_twin(i);
    }
    CU_ASSERT_EQUAL(responder.asked_n, STATUS_ENTRIES_MAX);
    CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked")); /* used: the newest now */
    ask_twin(STATUS_ENTRIES_MAX);
    ask_twin(1); /* forgotten */
    CU_ASSERT_EQUAL(responder.asked_n, STATUS_ENTRIES_MAX + 2);
    CU_ASSERT(is_answer(ask(blue), STATUS_REVOKED, false, "revoked"));
    CU_ASSERT_EQUAL(responder.asked_n, STATUS_ENTRIES_MAX + 2);
    status_cache_free(cache);
}

static struct status
make_and_ask(struct diag *diag)
{
    const struct status_options options = options_of(STATUS_HARD);
    struct asker asker = {.question = {.done = note_done}};
    struct peer_status_source *source;

    TRY(status_cache_new(&options, diag, &cache));
    source = status_cache_source(cache);
    (void)source->check(source, world.blue->leaf, blue, &asker.question);
    const bool is_good = asker.question.answer.verdict == STATUS_GOOD;

    CU_ASSERT(is_good == asker.question.answer.is_accepted);
    status_cache_free(cache);
    return is_good ? OK : FAIL(diag, ERR_NO_MEMORY, "%s", asker.question.answer.detail);
}

/* Out of memory is unknown, never good. */
static void
test_torture(void)
{
    open_cache(STATUS_HARD, ANSWERS, V_OCSP_CERTSTATUS_GOOD);
    status_cache_free(cache);
    responder.manner = FAILS; /* the kit must not be short of memory */
    struct diag diag = {0};
    for (uint64_t n = 0; n < 12; n++) {
        mem_fail_after(n);
        const struct status st = make_and_ask(&diag);
        mem_fail_after(UINT64_MAX);
        CU_ASSERT_EQUAL(st.code, ERR_NO_MEMORY);
        diag_clear(&diag);
    }
    responder.manner = ANSWERS;
    CHECK_OK(&diag, make_and_ask(&diag));
}

static const struct unit_test tests[] = {
    {"the world", test_make_world},
    {"its chain", test_make_chain},
    {"what each mode makes of each answer", test_modes},
    {"who is asked", test_whom},
    {"how long an answer is held", test_holding},
    {"asked for anew before the end", test_refresh},
    {"what was revoked stays so", test_revoked_stays},
    {"one question for many", test_coalesced},
    {"the end while somebody waits", test_closed},
    {"many threads", test_threads},
    {"anchors and resumed sessions", test_without_issuer},
    {"intermediates with a responder", test_intermediate},
    {"a resumed session and its intermediate", test_resumed_intermediate},
    {"stapled answers", test_staples},
    {"a flood of certificates", test_bounded},
    {"no memory is not good", test_torture},
    {"away with the chain", test_free_chain},
    {"away with the world", test_free_world},
};

UNIT_MAIN("cert_status", tests)
