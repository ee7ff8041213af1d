/* See status_kit.h. */
#include "tests/unit/status_kit.h"

#include <stdio.h>
#include <string.h>

#include "unit.h"

/* ---- a scripted responder ---- */

struct responder responder;

struct fake_clock fake;
pthread_mutex_t counting = PTHREAD_MUTEX_INITIALIZER;

/* The certificate that a request is about, of those that the test knows by serial number. */
X509 *known[4];
X509 *known_issuers[4];

static int
find_known(struct span der)
{
    const unsigned char *p = (const unsigned char *)der.p;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &p, (long)der.n);
    ASN1_INTEGER *serial = NULL;
    int found = -1;

    CU_ASSERT_FATAL(request != NULL);
    (void)OCSP_id_get0_info(NULL, NULL, NULL, &serial,
                            OCSP_onereq_get0_id(OCSP_request_onereq_get0(request, 0)));
    for (int i = 0; i < 4; i++) {
        if (known[i] != NULL && ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(known[i])) == 0) {
            found = i;
        }
    }
    OCSP_REQUEST_free(request);
    return found;
}

static void
fill(struct ocsp_answer *answer, int about)
{
    *answer = responder.answer;
    if (answer->about == NULL) {
        answer->about = known[about];
    }
    answer->issuer = known_issuers[about];
    if (answer->signer == NULL) {
        answer->signer = world.ca;
        answer->signer_key = world.ca_key;
    }
    answer->next_s = answer->next_s == 0 ? 24 * HOUR_S : answer->next_s;
    if (responder.revoked != NULL && answer->about == responder.revoked) {
        answer->status = V_OCSP_CERTSTATUS_REVOKED;
    }
    if (responder.manner == LIES) {
        answer->about = world.red->leaf->x509;
    }
}

static void
give(fetch_done done, void *arg, struct span request)
{
    struct fetch_answer answer = {.error = ERR_FETCH, .detail = "nobody answers at 192.0.2.1"};
    struct ocsp_answer content;

    buf_init(&answer.body, FETCH_OCSP_MAX);
    if (responder.manner != FAILS) {
        const int about = find_known(request);

        CU_ASSERT_FATAL(about >= 0);
        fill(&content, about);
        CU_ASSERT_FATAL(ocsp_make(&content, request, &answer.body));
        answer.error = ERR_NONE;
    }
    done(arg, &answer);
}

static void
start(struct trust_fetch *self, const struct fetch_request *request, fetch_done done, void *arg)
{
    (void)self;
    (void)pthread_mutex_lock(&counting);
    responder.asked_n++;
    snprintf(responder.url, sizeof(responder.url), "%s", request->url);
    responder.hosts_n = request->hosts.n;
    responder.timeout_us = request->timeout_us;
    CU_ASSERT_EQUAL(request->limit_bytes, FETCH_OCSP_MAX);
    CU_ASSERT_STRING_EQUAL(request->content_type, "application/ocsp-request");
    if (responder.manner == HOLDS) {
        responder.held[responder.held_n].done = done;
        responder.held[responder.held_n++].arg = arg;
    }
    (void)pthread_mutex_unlock(&counting);
    if (responder.manner != HOLDS) {
        give(done, arg, request->body);
    }
}

/* What was held fails now; a good answer would need the request's bytes, which are gone. */
void
fail_held(void)
{
    const size_t n = responder.held_n;

    responder.held_n = 0;
    responder.manner = FAILS;
    for (size_t i = 0; i < n; i++) {
        give(responder.held[i].done, responder.held[i].arg, SPAN_EMPTY);
    }
}

/* ---- questions ---- */

void
note_done(struct status_question *question)
{
    (void)pthread_mutex_lock(&counting);
    ((struct asker *)question)->done_n++;
    (void)pthread_mutex_unlock(&counting);
}

STACK_OF(X509) * chain_of(X509 *leaf, X509 *middle, X509 *root)
{
    X509 *parts[] = {leaf, middle, root};
    STACK_OF(X509) *chain = sk_X509_new_null();

    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_FATAL(parts[i] == NULL || sk_X509_push(chain, parts[i]) > 0);
    }
    return chain;
}

STACK_OF(X509) * blue;
struct status_cache *cache;

struct status_options
options_of(enum status_mode mode)
{
    static const char *const hosts[] = {"ocsp.example", "192.0.2.1:8080"};

    return (struct status_options){
        .settings = {.mode = mode,
                     .responder = "http://ocsp.example/",
                     .hosts = {hosts, ARRAY_LEN(hosts)},
                     .max_age_us = 24 * HOUR_S * US_PER_S,
                     .timeout_us = 5 * US_PER_S,
                     .cache_us = HOUR_S * US_PER_S},
        .trust = world.plain_trust,
        .skew_us = 60 * US_PER_S,
        .clock = &fake.clock,
        .fetch = &responder.fetch,
    };
}

void
open_cache(enum status_mode mode, enum manner manner, int status)
{
    const struct status_options options = options_of(mode);
    struct diag diag = {0};

    responder = (struct responder){
        .fetch = {start}, .manner = manner, .answer = {.status = status, .has_nonce = true}};
    memset(known, 0, sizeof(known));
    known[0] = world.blue->leaf->x509;
    known[1] = world.gone->leaf->x509;
    known_issuers[0] = known_issuers[1] = world.ca;
    fake_clock_init(&fake, clock_wall_us(clock_system()));
    CHECK_OK(&diag, status_cache_new(&options, &diag, &cache));
}

/* The answer, also when it came inside check. */
const struct status_answer *
ask(STACK_OF(X509) * chain)
{
    static struct asker asker;
    struct peer_status_source *source = status_cache_source(cache);

    asker = (struct asker){.question = {.done = note_done}};
    const enum answer when = source->check(source, world.blue->leaf, chain, &asker.question);

    CU_ASSERT_EQUAL(asker.done_n, when == ANSWER_LATER ? 1 : 0);
    CU_ASSERT_FALSE(source->cancel(source, &asker.question));
    return &asker.question.answer;
}

bool
is_answer(const struct status_answer *answer, enum status_verdict verdict, bool is_accepted,
          const char *said)
{
    if (answer->verdict == verdict && answer->is_accepted == is_accepted &&
        strstr(answer->detail, said) != NULL) {
        return true;
    }
    printf("\n    got %d, accepted %d: %s", answer->verdict, answer->is_accepted, answer->detail);
    return false;
}

void
test_make_chain(void)
{
    blue = chain_of(world.blue->leaf->x509, world.ca, NULL);
}

void
test_free_chain(void)
{
    sk_X509_free(blue);
}
