/*
 * What trust costs: reading and proving a genuine ITI-38 request, and writing Security headers,
 * each beside the floor that no implementation can go below: libxml2's parse of the same bytes,
 * OpenSSL's digests and signatures over the same bytes with the same keys, measured in the same
 * rounds. Run by tests/bench/run; one thread, no files, no sockets. Times are thread CPU time.
 *
 *   bench_trust [--json] [--rounds N]
 *
 * Nothing is asserted about time. A row fails when what it measured did not work.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libxml/parser.h>
#include <openssl/evp.h>

#include "soap/envelope.h"
#include "soap/xca.h"
#include "tests/unit/soap_kit.h"

#define ROUNDS_DEFAULT    7
#define ROUNDS_MAX        101
#define SLICE_NS          INT64_C(20000000) /* of one measurement in one round */
#define MESSAGE_BYTES_MAX ((size_t)1024 * 1024)
#define SIGNATURE_MAX     ((size_t)512)
#define TARGETS_MANY      10

/* One key's request, and what is signed in it. */
struct subject {
    const char *key_name;
    enum kit_who who;
    EVP_PKEY *key;
    struct kit_rules kit;
    struct arena *arena;
    struct span xml;
    struct span assertion[2]; /* canonical: before and behind its signature */
    struct span timestamp;
    struct span infos[2]; /* SignedInfo of assertion and Timestamp */
    uint8_t values[2][SIGNATURE_MAX];
    size_t value_bytes[2];
};

/* ---- the floors ---- */

static bool
floor_parse(const struct subject *subject)
{
    xmlDoc *const doc =
        xmlReadMemory(subject->xml.p, (int)subject->xml.n, NULL, NULL, XML_PARSE_NONET);
    const bool is_good = doc != NULL;
    xmlFreeDoc(doc);
    return is_good;
}

static bool
digest(const struct span *parts, size_t n)
{
    uint8_t bytes[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    bool is_good = context != NULL && EVP_DigestInit_ex2(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; is_good && i < n; i++) {
        is_good = EVP_DigestUpdate(context, parts[i].p, parts[i].n) == 1;
    }
    is_good = is_good && EVP_DigestFinal_ex(context, bytes, NULL) == 1;
    EVP_MD_CTX_free(context);
    return is_good;
}

static bool
sign(const struct subject *subject, size_t i, uint8_t value[SIGNATURE_MAX], size_t *ret_n)
{
    size_t n = SIGNATURE_MAX;
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    const bool is_good =
        context != NULL &&
        EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, subject->key, NULL) == 1 &&
        EVP_DigestSign(context, value, &n, (const uint8_t *)subject->infos[i].p,
                       subject->infos[i].n) == 1;
    EVP_MD_CTX_free(context);
    *ret_n = n;
    return is_good;
}

static bool
verify(const struct subject *subject, size_t i)
{
    EVP_MD_CTX *const context = EVP_MD_CTX_new();
    const bool is_good =
        context != NULL &&
        EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, subject->key, NULL) == 1 &&
        EVP_DigestVerify(context, subject->values[i], subject->value_bytes[i],
                         (const uint8_t *)subject->infos[i].p, subject->infos[i].n) == 1;
    EVP_MD_CTX_free(context);
    return is_good;
}

/* Both signatures of a message. */
static bool
floor_verify(const struct subject *subject)
{
    return digest(subject->assertion, 2) && digest(&subject->timestamp, 1) && verify(subject, 0) &&
           verify(subject, 1);
}

/* One signature over the assertion, or the Timestamp, which is smaller. */
static bool
floor_sign(const struct subject *subject)
{
    uint8_t value[SIGNATURE_MAX];
    size_t n = 0;
    return digest(subject->assertion, 2) && sign(subject, 0, value, &n);
}

/* ---- what the gateway does ---- */

enum depth { DEPTH_READ, DEPTH_PROVE, DEPTH_PAYLOAD };

static struct status
take(const struct subject *subject, enum depth depth, struct arena *arena, struct diag *diag)
{
    const struct message_limits limits = message_limits_request(MESSAGE_BYTES_MAX);
    const struct verified_view *view = NULL;
    struct message *message = NULL;
    struct saml_facts facts;
    struct stored_query query;
    TRY(message_read(subject->xml, SPAN("application/soap+xml"), &limits, arena, diag, &message));
    if (depth == DEPTH_READ) {
        return OK;
    }
    TRY(security_verify(message, &subject->kit.rules, arena, diag, &view));
    TRY(saml_read(view, arena, diag, &facts));
    return depth == DEPTH_PROVE ? OK : stored_query_read(message, arena, diag, &query);
}

static bool
run_take(const struct subject *subject, enum depth depth)
{
    struct diag diag;
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    diag_clear(&diag);
    const bool is_good = arena != NULL && is_ok(take(subject, depth, arena, &diag));
    if (!is_good) {
        fprintf(stderr, "bench_trust: %s\n", diag.text);
    }
    arena_free(arena);
    return is_good;
}

static bool
run_read(const struct subject *subject)
{
    return run_take(subject, DEPTH_READ);
}

static bool
run_prove(const struct subject *subject)
{
    return run_take(subject, DEPTH_PROVE);
}

static bool
run_payload(const struct subject *subject)
{
    return run_take(subject, DEPTH_PAYLOAD);
}

/* One Timestamp, and an assertion for each target. */
static struct status
write_headers(const struct subject *subject, size_t targets, struct arena *arena, struct buf *out,
              struct diag *diag)
{
    const struct assertion_order order = kit_order(subject->who);
    struct signed_timestamp timestamp;
    TRY(timestamp_sign(order.signer, order.style.digest, order.now_us, order.lifetime_us, arena,
                       diag, &timestamp));
    for (size_t i = 0; i < targets; i++) {
        TRY(security_write(&order, &timestamp, out, diag));
    }
    return OK;
}

static bool
run_write(const struct subject *subject, size_t targets)
{
    struct diag diag;
    struct buf out;
    struct arena *const arena = arena_new(ARENA_LIMIT_DEFAULT);
    diag_clear(&diag);
    buf_init(&out, MESSAGE_BYTES_MAX);
    const bool is_good =
        arena != NULL && is_ok(write_headers(subject, targets, arena, &out, &diag));
    if (!is_good) {
        fprintf(stderr, "bench_trust: %s\n", diag.text);
    }
    buf_done(&out);
    arena_free(arena);
    return is_good;
}

static bool
run_write_one(const struct subject *subject)
{
    return run_write(subject, 1);
}

static bool
run_write_many(const struct subject *subject)
{
    return run_write(subject, TARGETS_MANY);
}

/* ---- what is measured ---- */

enum floor { FLOOR_PARSE, FLOOR_VERIFY, FLOOR_SIGN, FLOOR_COUNT };

/* The first rows are the floors; those of the others are sums of them. */
static const struct measure {
    const char *name;
    bool (*run)(const struct subject *subject);
    int floors[FLOOR_COUNT];
} measures[] = {
    [FLOOR_PARSE] = {"floor: libxml2 parses the message", floor_parse, {1, 0, 0}},
    [FLOOR_VERIFY] = {"floor: two digests, two signatures verified", floor_verify, {0, 1, 0}},
    [FLOOR_SIGN] = {"floor: one digest, one signature made", floor_sign, {0, 0, 1}},
    {"request read", run_read, {1, 0, 0}},
    {"request read, verified, facts", run_prove, {1, 1, 0}},
    {"request read, verified, facts, query", run_payload, {1, 1, 0}},
    {"Security header for 1 target", run_write_one, {0, 0, 2}},
    {"Security headers for 10 targets", run_write_many, {0, 0, TARGETS_MANY + 1}},
};

struct result {
    double rounds_us[ROUNDS_MAX];
    double median_us;
    bool is_wrong;
};

static int64_t
cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static double
measure_once(const struct measure *measure, const struct subject *subject, bool *is_wrong)
{
    const int64_t started_ns = cpu_ns();
    int64_t taken_ns = 0;
    int64_t n = 0;
    for (; !*is_wrong && taken_ns < SLICE_NS; n++) {
        *is_wrong = !measure->run(subject);
        taken_ns = cpu_ns() - started_ns;
    }
    return (double)taken_ns / (double)n / 1000;
}

static int
compare_numbers(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The rows take turns, so that what disturbs the machine disturbs all of them. */
static void
measure_all(const struct subject *subject, size_t rounds, struct result results[])
{
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
            if (!results[i].is_wrong) {
                results[i].rounds_us[round] =
                    measure_once(&measures[i], subject, &results[i].is_wrong);
            }
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        qsort(results[i].rounds_us, rounds, sizeof(results[i].rounds_us[0]), compare_numbers);
        results[i].median_us = results[i].rounds_us[rounds / 2];
    }
}

static double
floor_of(const struct measure *measure, const struct result results[])
{
    double us = 0;
    for (size_t i = 0; i < FLOOR_COUNT; i++) {
        us += measure->floors[i] * results[i].median_us;
    }
    return us;
}

/* Returns how many rows are wrong. */
static int
show(const struct subject *subject, const struct result results[], bool is_json)
{
    int wrong = 0;
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        const double floor_us = floor_of(&measures[i], results);
        const double ratio = floor_us > 0 ? results[i].median_us / floor_us : 0;
        wrong += results[i].is_wrong ? 1 : 0;
        if (results[i].is_wrong) {
            fprintf(stderr, "bench_trust: %s, %s: did not work\n", subject->key_name,
                    measures[i].name);
        } else if (is_json) {
            printf("{\"key\":\"%s\",\"measure\":\"%s\",\"median_us\":%.1f,\"floor_us\":%.1f,"
                   "\"ratio\":%.2f}\n",
                   subject->key_name, measures[i].name, results[i].median_us, floor_us, ratio);
        } else {
            printf("%-9s %-46s %9.1f us %9.1f us %6.2f\n", subject->key_name, measures[i].name,
                   results[i].median_us, floor_us, ratio);
        }
    }
    return wrong;
}

/* ---- the request ---- */

static struct status
write_query(struct arena *arena, struct buf *out, struct diag *diag)
{
    struct span patient = SPAN("p1^^^&2.999.2.5&ISO");
    struct span availability = SPAN("urn:oasis:names:tc:ebxml-regrep:StatusType:Approved");
    struct query_param params[] = {
        {.name = SPAN("$XDSDocumentEntryPatientId"), .values = {&patient, 1, 1}},
        {.name = SPAN("$XDSDocumentEntryStatus"),
         .values = {&availability, 1, 1},
         .is_multiple = true},
    };
    const struct stored_query query = {
        .id = SPAN(XCA_FIND_DOCUMENTS),
        .home = SPAN("urn:oid:2.999.2"),
        .wants_leaf_class = true,
        .params = {params, ARRAY_LEN(params), ARRAY_LEN(params)},
    };
    struct span written;
    return stored_query_write(&query, arena, out, diag, &written);
}

static struct status
write_request(struct subject *subject, struct buf *payload, struct buf *security, struct buf *out,
              struct diag *diag)
{
    TRY(write_query(subject->arena, payload, diag));
    TRY(write_headers(subject, 1, subject->arena, security, diag));
    const struct envelope_request request = {
        .action = SPAN("urn:ihe:iti:2007:CrossGatewayQuery"),
        .to = SPAN(KIT_AUDIENCE),
        .message_id = SPAN("urn:uuid:11111111-1111-4111-8111-111111111111"),
        .security = buf_span(security),
        .payload = buf_span(payload),
    };
    TRY(envelope_write_request(&request, out, diag));
    return arena_dup(subject->arena, buf_span(out), diag, &subject->xml);
}

/* From <open> up to the end of <close>, at or behind *at; *at goes there. */
static struct span
piece(struct span xml, const char *open, const char *close, size_t *at)
{
    const size_t start = *at + span_find(span_slice(xml, *at, SIZE_MAX), span_of_cstr(open));
    const size_t end =
        start + strlen(close) + span_find(span_slice(xml, start, SIZE_MAX), span_of_cstr(close));
    *at = end;
    return span_slice(xml, start, end - start);
}

/* Our writer writes in canonical form: what is signed stands in the message as it is digested. */
static void
find_pieces(struct subject *subject)
{
    size_t at = 0;
    subject->timestamp = piece(subject->xml, "<wsu:Timestamp ", "</wsu:Timestamp>", &at);
    size_t inner = 0;
    const struct span whole = piece(subject->xml, "<saml2:Assertion ", "</saml2:Assertion>", &at);
    const size_t before = span_find(whole, SPAN("<ds:Signature "));
    (void)piece(whole, "<ds:Signature ", "</ds:Signature>", &inner);
    subject->assertion[0] = span_slice(whole, 0, before);
    subject->assertion[1] = span_slice(whole, inner, SIZE_MAX);
    at = 0;
    subject->infos[0] = piece(subject->xml, "<ds:SignedInfo ", "</ds:SignedInfo>", &at);
    subject->infos[1] = piece(subject->xml, "<ds:SignedInfo ", "</ds:SignedInfo>", &at);
}

static bool
subject_init(struct subject *subject, const char *key_name, enum kit_who who)
{
    struct diag diag;
    struct buf payload;
    struct buf security;
    struct buf out;
    *subject = (struct subject){.key_name = key_name, .who = who};
    subject->key = kit_credential(who)->key;
    subject->arena = arena_new(ARENA_LIMIT_DEFAULT);
    kit_rules_init(&subject->kit);
    diag_clear(&diag);
    buf_init(&payload, MESSAGE_BYTES_MAX);
    buf_init(&security, MESSAGE_BYTES_MAX);
    buf_init(&out, MESSAGE_BYTES_MAX);
    bool is_good =
        subject->arena != NULL && is_ok(write_request(subject, &payload, &security, &out, &diag));
    buf_done(&payload);
    buf_done(&security);
    buf_done(&out);
    if (!is_good) {
        fprintf(stderr, "bench_trust: %s: %s\n", key_name, diag.text);
        return false;
    }
    find_pieces(subject);
    for (size_t i = 0; i < ARRAY_LEN(subject->infos); i++) {
        is_good = is_good && sign(subject, i, subject->values[i], &subject->value_bytes[i]);
    }
    return is_good;
}

/* ---- the program ---- */

/* How many rows are wrong. */
static int
bench(const char *key_name, enum kit_who who, size_t rounds, bool is_json)
{
    static struct result results[ARRAY_LEN(measures)];
    static struct subject subject;
    int wrong = (int)ARRAY_LEN(measures);
    memset(results, 0, sizeof(results));
    if (subject_init(&subject, key_name, who)) {
        measure_all(&subject, rounds, results);
        wrong = show(&subject, results, is_json);
    }
    arena_free(subject.arena);
    return wrong;
}

int
main(int argc, char **argv)
{
    size_t rounds = ROUNDS_DEFAULT;
    bool is_json = false;
    for (int i = 1; i < argc; i++) {
        const bool is_rounds = strcmp(argv[i], "--rounds") == 0 && i + 1 < argc;
        is_json = is_json || strcmp(argv[i], "--json") == 0;
        rounds = is_rounds ? (size_t)strtoul(argv[++i], NULL, 10) : rounds;
        if ((!is_rounds && strcmp(argv[i], "--json") != 0) || rounds < 1 || rounds > ROUNDS_MAX) {
            fprintf(stderr, "usage: bench_trust [--json] [--rounds 1-%d]\n", ROUNDS_MAX);
            return 2;
        }
    }
    kit_init();
    if (!is_json) {
        printf("%-9s %-46s %12s %12s %6s\n", "key", "median of rounds, thread CPU time", "cost",
               "floor", "ratio");
    }
    const int wrong =
        bench("RSA-2048", KIT_RSA, rounds, is_json) + bench("P-256", KIT_EC, rounds, is_json);
    kit_done();
    if (!is_json) {
        printf("%d passed, %d failed, 0 skipped\n", 2 * (int)ARRAY_LEN(measures) - wrong, wrong);
    }
    return wrong == 0 ? 0 : 1;
}
