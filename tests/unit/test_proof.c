/*
 * Proofs of single records: every record that a checkpoint covers has one, it checks without the
 * journal, and no byte of it can be another.
 */
#include <string.h>

#include "audit/proof.h"
#include "base/mem.h"
#include "seal_kit.h"
#include "unit.h"

#define SMALL     8192
#define PROOF_MAX ((size_t)1024 * 1024)

static struct seal_kit kit;

static void
make_journal(void)
{
    seal_kit_open(&kit, "proven", SMALL);
    seal_kit_append(&kit, 50);
    seal_kit_look(&kit, 0);
    seal_kit_append(&kit, 3);
    kit.settings.is_on = false;
    seal_kit_close(&kit);
}

static struct status
check(struct span proof, const struct audit_judge *judge, struct diag *diag,
      struct journal_proven *ret_proven)
{
    const struct statement_judge as = audit_judge_make(judge);
    struct arena *arena = arena_new(8 * PROOF_MAX);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no arena");
    }
    const struct status st = journal_proof_check(proof, &as, arena, diag, ret_proven);
    arena_free(arena);
    return st;
}

static void
test_every_record(void)
{
    struct journal_prover *prover = NULL;
    struct diag diag = {0};
    struct buf proof;
    make_journal();
    const struct seal_report kept = seal_kit_verify(&kit, NULL);
    buf_init(&proof, PROOF_MAX);
    CHECK_OK(&diag, journal_prover_open(&kit.place, &diag, &prover));
    for (uint64_t i = 1; i <= kept.report.covered.sequence; i++) {
        struct journal_proven proven = {.sequence = 0};
        buf_reset(&proof);
        CHECK_OK(&diag, journal_prover_write(prover, SEAL_CHAIN, i, &proof, &diag));
        CHECK_OK(&diag, check(buf_span(&proof), &kit.judge, &diag, &proven));
        CU_ASSERT_EQUAL(proven.sequence, i);
        CU_ASSERT(proven.checkpoint.sequence >= i && proven.checkpoint.segment <= i);
    }
    buf_reset(&proof); /* back to the first, and alone */
    CHECK_OK(&diag, journal_prover_write(prover, SEAL_CHAIN, 1, &proof, &diag));
    journal_prover_close(prover);
    CHECK_OK(&diag, journal_prove(&kit.place, SEAL_CHAIN, 2, &proof, &diag));
    buf_done(&proof);
}

static void
test_no_proof(void)
{
    struct diag diag = {0};
    struct buf proof;
    buf_init(&proof, PROOF_MAX);
    const struct seal_report kept = seal_kit_verify(&kit, NULL);
    CHECK_ERR(&diag, ERR_NOT_FOUND, journal_prove(&kit.place, "other", 1, &proof, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_NOT_FOUND, journal_prove(&kit.place, "../x", 1, &proof, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_NOT_FOUND, journal_prove(&kit.place, SEAL_CHAIN, 0, &proof, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_NOT_FOUND,
              journal_prove(&kit.place, SEAL_CHAIN, kept.report.last + 1, &proof, &diag));
    diag_clear(&diag);
    CHECK_ERR(&diag, ERR_JOURNAL,
              journal_prove(&kit.place, SEAL_CHAIN, kept.report.last, &proof, &diag));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "no signed checkpoint covers record"));
    CU_ASSERT_EQUAL(proof.n, 0);
    buf_done(&proof);
}

static void
test_judges(void)
{
    struct diag diag = {0};
    struct journal_proven proven;
    struct buf proof;
    struct audit_judge judge = {.own = world.blue->leaf};
    buf_init(&proof, PROOF_MAX);
    CHECK_OK(&diag, journal_prove(&kit.place, SEAL_CHAIN, 7, &proof, &diag));
    CHECK_ERR(&diag, ERR_JOURNAL, check(buf_span(&proof), &judge, &diag, &proven));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "which is not the one of audit.checkpoints"));
    diag_clear(&diag);
    judge = (struct audit_judge){.trust = world.plain_trust};
    CHECK_OK(&diag, check(buf_span(&proof), &judge, &diag, &proven));
    buf_done(&proof);
}

/* Any byte another: never again a proof, and never a crash. */
static void
test_damage(void)
{
    struct diag diag = {0};
    struct buf proof;
    buf_init(&proof, PROOF_MAX);
    CHECK_OK(&diag, journal_prove(&kit.place, SEAL_CHAIN, 9, &proof, &diag));
    size_t survived = 0;
    const size_t step = unit_is_memory_plain() ? 1 : 61; /* checkers of memory take their time */
    for (size_t i = 0; i < proof.n; i += step) {
        struct journal_proven proven;
        struct diag why = {0};
        const char kept = proof.p[i];
        proof.p[i] = kept == 'x' ? 'y' : 'x';
        const struct status st = check(buf_span(&proof), &kit.judge, &why, &proven);
        survived += is_ok(st) ? 1 : 0;
        CU_ASSERT(is_ok(st) || st.code == ERR_JOURNAL);
        proof.p[i] = kept;
    }
    CU_ASSERT_EQUAL(survived, 0);
    for (size_t n = 0; n < proof.n; n += 13 * step) { /* cut anywhere */
        struct journal_proven proven;
        struct diag why = {0};
        CHECK_ERR(&why, ERR_JOURNAL,
                  check(span_slice(buf_span(&proof), 0, n), &kit.judge, &why, &proven));
    }
    buf_done(&proof);
}

/* Whole proofs with a part of another: each part is good by itself. */
static void
splice(struct buf *to, struct span from, const char *key)
{
    struct buf made;
    struct diag diag = {0};
    const struct span old = buf_span(to);
    const size_t at = span_find(old, span_of_cstr(key));
    const size_t at_from = span_find(from, span_of_cstr(key));
    CU_ASSERT_FATAL(at != SPAN_MISSING && at_from != SPAN_MISSING);
    const struct span rest = span_slice(old, at, old.n);
    const struct span taken = span_slice(from, at_from, from.n);
    const size_t end = span_find_char(rest, ',');
    const size_t end_from = span_find_char(taken, ',');
    buf_init(&made, PROOF_MAX);
    CHECK_OK(&diag, buf_append(&made, span_slice(old, 0, at), &diag));
    CHECK_OK(&diag, buf_append(&made, span_slice(taken, 0, end_from), &diag));
    CHECK_OK(&diag, buf_append(&made, span_slice(rest, end, rest.n), &diag));
    buf_done(to);
    *to = made;
}

static void
test_splices(void)
{
    static const struct {
        const char *key, *words;
    } rows[] = {
        {"\"record\":", "'sequence' is not that of its record"},
        {"\"sequence\":", "'sequence' is not that of its record"},
        {"\"segment\":", "'segment' is not that of its checkpoint"},
        {"\"records\":", "'records' is not the number that its checkpoint covers"},
        {"\"statement\":", "the signed statement was changed or is forged"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct diag diag = {0};
        struct journal_proven proven;
        struct buf one;
        struct buf other;
        buf_init(&one, PROOF_MAX);
        buf_init(&other, PROOF_MAX);
        const uint64_t last = seal_kit_verify(&kit, NULL).report.covered.sequence;
        CHECK_OK(&diag, journal_prove(&kit.place, SEAL_CHAIN, 5, &one, &diag));
        CHECK_OK(&diag, journal_prove(&kit.place, SEAL_CHAIN, last, &other, &diag));
        splice(&one, buf_span(&other), rows[i].key);
        CHECK_ERR(&diag, ERR_JOURNAL, check(buf_span(&one), &kit.judge, &diag, &proven));
        if (strstr(diag.text, rows[i].words) == NULL) {
            printf("\n    wanted: %s\n    said:   %s\n", rows[i].words, diag.text);
            CU_FAIL("the problem is said in other words");
        }
        buf_done(&one);
        buf_done(&other);
    }
}

/* A record that is good by itself, in the place of the one that was proven: the path tells. */
static void
test_other_record(void)
{
    struct diag diag = {0};
    struct journal_proven proven;
    struct buf proof;
    struct buf record;
    struct buf coded;
    uint8_t hash[SHA256_BYTES];
    buf_init(&proof, PROOF_MAX);
    buf_init(&record, PROOF_MAX);
    buf_init(&coded, PROOF_MAX);
    CHECK_OK(&diag, journal_prove(&kit.place, SEAL_CHAIN, 5, &proof, &diag));
    const size_t at = span_find(buf_span(&proof), SPAN("\"record\":\"")) + 10;
    const struct span rest = span_slice(buf_span(&proof), at, proof.n);
    const size_t n = span_find_char(rest, '"');
    CHECK_OK(&diag, base64_decode(span_slice(rest, 0, n), &record, &diag));
    struct record_head head;
    CU_ASSERT_EQUAL(record_check(buf_span(&record), &head), RECORD_GOOD);
    record.p[record.n - 2] ^= 1; /* another event, with its CRC made anew */
    CHECK_OK(&diag, record_seal(record.p, record.n, head.durable, head.previous, &diag, hash));
    CHECK_OK(&diag, base64_encode(buf_span(&record), &coded, &diag));
    CU_ASSERT_EQUAL_FATAL(coded.n, n);
    memcpy(proof.p + at, coded.p, n);
    CHECK_ERR(&diag, ERR_JOURNAL, check(buf_span(&proof), &kit.judge, &diag, &proven));
    CU_ASSERT_PTR_NOT_NULL(strstr(diag.text, "it leads to another root"));
    buf_done(&proof);
    buf_done(&record);
    buf_done(&coded);
}

static struct status
prove_and_check(struct diag *diag)
{
    struct journal_proven proven;
    struct buf proof;
    buf_init(&proof, PROOF_MAX);
    struct status st = journal_prove(&kit.place, SEAL_CHAIN, 30, &proof, diag);
    if (is_ok(st)) {
        st = check(buf_span(&proof), &kit.judge, diag, &proven);
    }
    buf_done(&proof);
    return st;
}

static void
test_memory(void)
{
    unit_torture(prove_and_check);
}

static const struct unit_test tests[] = {
    {"(certificates)", test_make_world},       {"every covered record has one", test_every_record},
    {"what has none", test_no_proof},          {"who is believed", test_judges},
    {"any byte another", test_damage},         {"parts of two proofs", test_splices},
    {"another record", test_other_record},     {"without memory", test_memory},
    {"(certificates freed)", test_free_world},
};
UNIT_MAIN("proof", tests)
