/*
 * What trust costs: reading and proving a genuine ITI-38 request, and writing Security headers,
 * each beside the floor that no implementation can go below: libxml2's parse of the same bytes,
 * OpenSSL's digests and signatures over the same bytes with the same keys, measured in the same
 * rounds. Run by tests/bench/run; one thread, no files, no sockets. Times are thread CPU time.
 *
 *   bench_trust [--rounds N] [--json]
 *
 * Nothing is asserted about time. A row fails when what it measured did not work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soap/envelope.h"
#include "soap/xca.h"
#include "tests/bench/floor.h"
#include "tests/bench/meter.h"
#include "tests/unit/soap_kit.h"

#define ROUNDS_DEFAULT    7
#define ROUNDS_MAX        101
#define SLICE_NS          INT64_C(20000000) /* of one measurement in one round */
#define MESSAGE_BYTES_MAX ((size_t)1024 * 1024)
#define TARGETS_MANY      10
#define NAME_MAX_BYTES    160

/* One key's request, and what is signed in it. */
struct subject {
    const char *key_name;
    enum kit_who who;
    EVP_PKEY *key;
    struct kit_rules kit;
    struct arena *arena;
    struct span xml;
    struct floor floor;
};

/* ---- the floors ---- */

static bool
run_floor_parse(struct subject *subject)
{
    return floor_parse(&subject->floor);
}

static bool
run_floor_verify(struct subject *subject)
{
    return floor_verify(&subject->floor);
}

static bool
run_floor_sign(struct subject *subject)
{
    return floor_sign(&subject->floor);
}

/* ---- what the gateway does ---- */

enum depth { DEPTH_READ, DEPTH_PROVE, DEPTH_PAYLOAD };

static struct status
take(struct subject *subject, enum depth depth, struct arena *arena, struct diag *diag)
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
run_take(struct subject *subject, enum depth depth)
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
run_read(struct subject *subject)
{
    return run_take(subject, DEPTH_READ);
}

static bool
run_prove(struct subject *subject)
{
    return run_take(subject, DEPTH_PROVE);
}

static bool
run_payload(struct subject *subject)
{
    return run_take(subject, DEPTH_PAYLOAD);
}

/* One Timestamp, and an assertion for each target. */
static struct status
write_headers(struct subject *subject, size_t targets, struct arena *arena, struct buf *out,
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
run_write(struct subject *subject, size_t targets)
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
run_write_one(struct subject *subject)
{
    return run_write(subject, 1);
}

static bool
run_write_many(struct subject *subject)
{
    return run_write(subject, TARGETS_MANY);
}

/* ---- what is measured ---- */

enum floor_row { FLOOR_PARSE, FLOOR_VERIFY, FLOOR_SIGN, FLOOR_COUNT };

/* The first rows are the floors; those of the others are sums of them. */
static const struct measure {
    const char *name;
    bool (*run)(struct subject *subject);
    int floors[FLOOR_COUNT];
} measures[] = {
    [FLOOR_PARSE] = {"floor: libxml2 parses the message", run_floor_parse, {1, 0, 0}},
    [FLOOR_VERIFY] = {"floor: two digests, two signatures verified", run_floor_verify, {0, 1, 0}},
    [FLOOR_SIGN] = {"floor: one digest, one signature made", run_floor_sign, {0, 0, 1}},
    {"request read", run_read, {1, 0, 0}},
    {"request read, verified, facts", run_prove, {1, 1, 0}},
    {"request read, verified, facts, query", run_payload, {1, 1, 0}},
    {"Security header for 1 target", run_write_one, {0, 0, 2}},
    {"Security headers for 10 targets", run_write_many, {0, 0, TARGETS_MANY + 1}},
};

struct result {
    struct meter_list rounds_us;
    double median_us;
    bool is_wrong;
};

static double
measure_once(const struct measure *measure, struct subject *subject, bool *is_wrong)
{
    const int64_t started_ns = meter_thread_cpu_ns();
    int64_t taken_ns = 0;
    int64_t n = 0;
    for (; !*is_wrong && taken_ns < SLICE_NS; n++) {
        *is_wrong = !measure->run(subject);
        taken_ns = meter_thread_cpu_ns() - started_ns;
    }
    return (double)taken_ns / (double)n / 1000;
}

/* The rows take turns, so that what disturbs the machine disturbs all of them. */
static void
measure_all(struct subject *subject, size_t rounds, struct result results[])
{
    for (size_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
            if (!results[i].is_wrong) {
                meter_list_add(&results[i].rounds_us,
                               measure_once(&measures[i], subject, &results[i].is_wrong));
            }
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        results[i].median_us = meter_percentile(&results[i].rounds_us, 0.5);
        meter_list_done(&results[i].rounds_us);
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

static void
show(const struct subject *subject, const struct result results[], size_t rounds)
{
    char name[NAME_MAX_BYTES];
    for (size_t i = 0; i < ARRAY_LEN(measures); i++) {
        (void)snprintf(name, sizeof(name), "trust: %s, %s", subject->key_name, measures[i].name);
        if (results[i].is_wrong) {
            meter_row_failed(name, "what it measures did not work");
            continue;
        }
        meter_row(&(struct meter_row){.name = name,
                                      .value = results[i].median_us,
                                      .unit = "us",
                                      .floor = floor_of(&measures[i], results),
                                      .n = rounds});
    }
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
    const bool is_good =
        subject->arena != NULL && is_ok(write_request(subject, &payload, &security, &out, &diag));
    buf_done(&payload);
    buf_done(&security);
    buf_done(&out);
    if (!is_good) {
        fprintf(stderr, "bench_trust: %s: %s\n", key_name, diag.text);
        return false;
    }
    if (!is_ok(floor_init(&subject->floor, subject->xml, subject->key, &diag))) {
        fprintf(stderr, "bench_trust: %s: %s\n", key_name, diag.text);
        return false;
    }
    return true;
}

/* ---- the program ---- */

static void
bench(const char *key_name, enum kit_who who, size_t rounds)
{
    static struct result results[ARRAY_LEN(measures)];
    static struct subject subject;
    memset(results, 0, sizeof(results));
    if (subject_init(&subject, key_name, who)) {
        measure_all(&subject, rounds, results);
        show(&subject, results, rounds);
    } else {
        meter_row_failed(key_name, "no message to measure with");
    }
    floor_done(&subject.floor);
    arena_free(subject.arena);
}

int
main(int argc, char **argv)
{
    size_t rounds = ROUNDS_DEFAULT;
    for (int i = 1; i < argc; i++) {
        const bool is_rounds = strcmp(argv[i], "--rounds") == 0 && i + 1 < argc;
        const bool is_json = strcmp(argv[i], "--json") == 0;
        rounds = is_rounds ? (size_t)strtoul(argv[++i], NULL, 10) : rounds;
        meter_rows_as_json(is_json);
        if ((!is_rounds && !is_json) || rounds < 1 || rounds > ROUNDS_MAX) {
            fprintf(stderr, "usage: bench_trust [--rounds 1-%d] [--json]\n", ROUNDS_MAX);
            return 2;
        }
    }
    kit_init();
    bench("RSA-2048", KIT_RSA, rounds);
    bench("P-256", KIT_EC, rounds);
    kit_done();
    return meter_exit_code();
}
