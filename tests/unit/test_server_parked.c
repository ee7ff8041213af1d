/*
 * Between handshake and first request: nothing of a connection is handled before the status of the
 * client's certificate is known and accepted. The source of statuses is scripted; the connections
 * are real. What the real source says is test_status's to check.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "tests/unit/net_fixture.h"

#define SHORT_US  (300 * US_PER_MS)
#define ASKED_MAX 64

/* Answers at once, or keeps the questions until the test answers them. */
struct script {
    struct peer_status_source source; /* first member */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool answers_now;
    struct status_answer answer;
    struct status_question *asked[ASKED_MAX];
    size_t asked_n; /* kept now */
    size_t checks;  /* in all */
    size_t cancelled;
    bool refuses_cancel; /* the answer is on its way already */
    char sha256[SHA256_HEX];
    int chain_n;
};

static enum answer
check(struct peer_status_source *self, const struct certificate *peer, STACK_OF(X509) * chain,
      struct status_question *question)
{
    struct script *script = (struct script *)self;
    (void)pthread_mutex_lock(&script->lock);
    script->checks++;
    (void)snprintf(script->sha256, sizeof(script->sha256), "%s", peer->sha256);
    script->chain_n = chain == NULL ? 0 : sk_X509_num(chain);
    const bool is_now = script->answers_now;
    if (is_now) {
        question->answer = script->answer;
    } else {
        CU_ASSERT_FATAL(script->asked_n < ASKED_MAX);
        script->asked[script->asked_n++] = question;
    }
    (void)pthread_cond_broadcast(&script->changed);
    (void)pthread_mutex_unlock(&script->lock);
    return is_now ? ANSWER_NOW : ANSWER_LATER;
}

static bool
cancel(struct peer_status_source *self, struct status_question *question)
{
    struct script *script = (struct script *)self;
    bool is_cancelled = false;
    (void)pthread_mutex_lock(&script->lock);
    for (size_t i = 0; i < script->asked_n && !script->refuses_cancel; i++) {
        if (script->asked[i] == question) {
            script->asked[i] = script->asked[--script->asked_n];
            is_cancelled = true;
            break;
        }
    }
    script->cancelled++;
    (void)pthread_cond_broadcast(&script->changed);
    (void)pthread_mutex_unlock(&script->lock);
    return is_cancelled;
}

static void
script_start(struct script *script, struct rig *rig)
{
    *script = (struct script){.source = {check, cancel}, .answer = {STATUS_GOOD, true, ""}};
    (void)pthread_mutex_init(&script->lock, NULL);
    (void)pthread_cond_init(&script->changed, NULL);
    rig_init(rig);
    rig->options.status = &script->source;
}

static void
script_done(struct script *script, struct rig *rig)
{
    rig_done(rig);
    CU_ASSERT_EQUAL(script->asked_n, 0);
    (void)pthread_cond_destroy(&script->changed);
    (void)pthread_mutex_destroy(&script->lock);
}

/* Waits until <*counter> is at least <n>. */
static bool
wait_for(struct script *script, const size_t *counter, size_t n)
{
    struct timespec until;
    int error = 0;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += UNIT_PATIENCE_S;
    (void)pthread_mutex_lock(&script->lock);
    while (*counter < n && error == 0) {
        error = pthread_cond_timedwait(&script->changed, &script->lock, &until);
    }
    const bool has_come = *counter >= n;
    (void)pthread_mutex_unlock(&script->lock);
    return has_come;
}

static void
answer_oldest(struct script *script, const struct status_answer *answer)
{
    (void)pthread_mutex_lock(&script->lock);
    CU_ASSERT_FATAL(script->asked_n > 0);
    struct status_question *question = script->asked[0];
    script->asked_n--;
    memmove(script->asked, script->asked + 1, script->asked_n * sizeof(script->asked[0]));
    (void)pthread_mutex_unlock(&script->lock);
    question->answer = *answer;
    question->done(question);
}

/* ---- refused ---- */

static const struct {
    const char *name;
    struct status_answer answer;
    const char *says;
} bad[] = {
    {"revoked", {STATUS_REVOKED, false, "revoked on 2026-01-02"}, "is revoked: revoked on"},
    {"unknown, hard", {STATUS_UNKNOWN, false, "no responder"}, "of unknown status: no responder"},
};

static void
check_refused(size_t i, bool answers_now, int version)
{
    struct script script;
    struct rig rig;
    struct client client;
    char byte = 0;
    script_start(&script, &rig);
    script.answers_now = answers_now;
    script.answer = bad[i].answer;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(client_open(&client, "127.0.0.1", net_port(rig.server, NET_NETWORK)));
    CU_ASSERT_FATAL(
        client_start_tls(&client, fixture_pki()->client, fixture_pki()->trust, version));
    (void)client_send(&client, SPAN(POST_ABC)); /* before anybody knows */
    if (!answers_now) {
        CU_ASSERT(wait_for(&script, &script.asked_n, 1));
        answer_oldest(&script, &bad[i].answer);
    }
    CU_ASSERT(client_receive(&client, &byte, 1) <= 0); /* not a word */
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_PEER_STATUS));
    if (strstr(rig.refused_text, bad[i].says) == NULL) {
        printf("\n    %s: expected '%s' in: %s", bad[i].name, bad[i].says, rig.refused_text);
        CU_FAIL("the reason is not said");
    }
    CU_ASSERT_EQUAL(rig.handled, 0);
    client_close(&client);
    script_done(&script, &rig);
}

static void
test_refused(void)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        check_refused(i, true, TLS1_3_VERSION);
        check_refused(i, false, TLS1_3_VERSION);
        check_refused(i, true, TLS1_2_VERSION);
        check_refused(i, false, TLS1_2_VERSION);
    }
}

/* Who does not say anything in time says no. */
static void
test_no_answer(void)
{
    struct script script;
    struct rig rig;
    struct client client;
    char byte = 0;
    script_start(&script, &rig);
    rig.options.status_timeout_us = SHORT_US;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    CU_ASSERT(client_receive(&client, &byte, 1) <= 0);
    CU_ASSERT(rig_wait_refused(&rig, 1, ERR_PEER_STATUS));
    CU_ASSERT_PTR_NOT_NULL(strstr(rig.refused_text, "not known within 300 ms"));
    CU_ASSERT_EQUAL(script.cancelled, 1);
    CU_ASSERT_EQUAL(rig.handled, 0);
    client_close(&client);
    script_done(&script, &rig);
}

/* ---- served ---- */

/* Known at once; asked once for each connection, with the chain. */
static void
test_known(void)
{
    struct script script;
    struct rig rig;
    struct client client;
    script_start(&script, &rig);
    script.answers_now = true;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    CU_ASSERT(client_exchange(&client, POST_ABC, 200, "abc"));
    CU_ASSERT_EQUAL(script.checks, 1);
    CU_ASSERT_STRING_EQUAL(script.sha256, fixture_pki()->client->leaf->sha256);
    CU_ASSERT_EQUAL(script.chain_n, 2);
    CU_ASSERT_EQUAL(rig.doubts_n, 0);
    client_close(&client);
    script_done(&script, &rig);
}

/* A whole pipelined series waits, far more than a head; then all of it is served, in order. */
static void
test_waits(void)
{
    static const struct status_answer soft = {STATUS_UNKNOWN, true, "soft: nobody answered"};
    struct script script;
    struct rig rig;
    struct client client;
    script_start(&script, &rig);
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    for (int i = 0; i < 500; i++) {
        CU_ASSERT(client_send(&client, SPAN(POST_ABC)));
    }
    CU_ASSERT(wait_for(&script, &script.asked_n, 1));
    (void)usleep(200000);
    CU_ASSERT_EQUAL(rig.handled, 0);
    answer_oldest(&script, &soft);
    for (int i = 0; i < 500; i++) {
        CU_ASSERT_FATAL(client_exchange(&client, "", 200, "abc"));
    }
    CU_ASSERT_EQUAL(rig.handled, 500);
    CU_ASSERT_EQUAL(rig.doubts_n, 1);
    CU_ASSERT_EQUAL(rig.refused_n, 0);
    client_close(&client);
    script_done(&script, &rig);
}

/* One that waits holds up nobody. */
static void
test_others_go_on(void)
{
    struct script script;
    struct rig rig;
    struct client parked, other;
    script_start(&script, &rig);
    rig.options.loop_threads = 1;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &parked));
    CU_ASSERT(client_send(&parked, SPAN(POST_ABC)));
    CU_ASSERT(wait_for(&script, &script.asked_n, 1));
    (void)pthread_mutex_lock(&script.lock);
    script.answers_now = true;
    (void)pthread_mutex_unlock(&script.lock);
    CU_ASSERT_FATAL(rig_connect(&rig, &other));
    CU_ASSERT(client_exchange(&other, POST_ABC, 200, "abc"));
    answer_oldest(&script, &script.answer);
    CU_ASSERT(client_exchange(&parked, "", 200, "abc"));
    client_close(&parked);
    client_close(&other);
    script_done(&script, &rig);
}

/* ---- the connection goes first ---- */

static void
check_stop(bool refuses_cancel)
{
    struct script script;
    struct rig rig;
    struct client client;
    script_start(&script, &rig);
    script.refuses_cancel = refuses_cancel;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(wait_for(&script, &script.asked_n, 1));
    net_stop(rig.server, 0);
    CU_ASSERT_EQUAL(script.cancelled, 1);
    if (refuses_cancel) { /* the loop has ended: nobody reads the letter */
        answer_oldest(&script, &script.answer);
    }
    client_close(&client);
    script_done(&script, &rig);
}

static void
test_stop(void)
{
    check_stop(false);
    check_stop(true);
}

/* It is late, but the answer is on its way: it comes, and finds nobody. */
static void
test_answer_crosses(void)
{
    struct script script;
    struct rig rig;
    struct client client;
    char byte = 0;
    script_start(&script, &rig);
    script.refuses_cancel = true;
    rig.options.status_timeout_us = SHORT_US;
    CU_ASSERT_FATAL(rig_start(&rig));
    CU_ASSERT_FATAL(rig_connect(&rig, &client));
    CU_ASSERT(wait_for(&script, &script.cancelled, 1));
    answer_oldest(&script, &script.answer);
    CU_ASSERT(client_receive(&client, &byte, 1) <= 0);
    CU_ASSERT_EQUAL(rig.handled, 0);
    client_close(&client);
    script_done(&script, &rig);
}

static const struct unit_test tests[] = {
    {"revoked or unknown", test_refused},
    {"no answer in time", test_no_answer},
    {"known at once", test_known},
    {"known later", test_waits},
    {"others go on", test_others_go_on},
    {"the server stops first", test_stop},
    {"answer and end cross", test_answer_crosses},
};

int
main(void)
{
    const int status = unit_main("server parked", tests, ARRAY_LEN(tests));
    fixture_pki_done();
    return status;
}
