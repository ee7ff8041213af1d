/*
 * The kit of seal_kit.h. Everything fails the current test when it does not work.
 */
#include "seal_kit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "audit/chain.h"
#include "audit/merkle.h"
#include "unit.h"

/* ---- a node's journal and its sealer ---- */

static void
read_settings(void *arg, struct sealer_settings *ret_settings)
{
    const struct seal_kit *kit = arg;
    *ret_settings = kit->settings;
}

static struct status
sign(void *arg, struct span text, struct buf *certificate, char *algorithm, struct buf *signature,
     struct diag *diag)
{
    const struct seal_kit *kit = arg;
    if (kit->credential == NULL) {
        return FAIL(diag, ERR_CREDENTIAL, "the token does not answer");
    }
    return audit_judge_sign(kit->credential, text, certificate, algorithm, signature, diag);
}

static bool
is_delivered(void *arg, const char *chain, uint64_t sequence)
{
    const struct seal_kit *kit = arg;
    (void)chain;
    return sequence <= kit->delivered;
}

void
seal_kit_reopen(struct seal_kit *kit, uint64_t segment_bytes)
{
    struct diag diag = {0};
    const struct sealer_owner owner = {
        .arg = kit, .read = read_settings, .signer = {kit, sign}, .is_delivered = is_delivered};
    const struct journal_sizes sizes = {segment_bytes, 1024 * 1024, 0, false};
    CHECK_OK(&diag, journal_open_sized(&kit->place, SEAL_CHAIN, &kit->clock.clock, sizes, &diag,
                                       &kit->journal));
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit->journal);
    CHECK_OK(&diag,
             sealer_new(&kit->place, kit->journal, &kit->clock.clock, &owner, &diag, &kit->sealer));
    CU_ASSERT_PTR_NOT_NULL_FATAL(kit->sealer);
}

void
seal_kit_open(struct seal_kit *kit, const char *name, uint64_t segment_bytes)
{
    *kit = (struct seal_kit){
        .settings = {.is_on = true, .every_us = 60 * US_PER_S, .records = 5},
        .credential = world.red,
        .judge = {.own = world.red->leaf},
        .delivered = UINT64_MAX,
    };
    kit_disk_reset();
    (void)snprintf(kit->dir, sizeof(kit->dir), "%s", kit_folder(name));
    kit->place.dir = kit->dir;
    fake_clock_init(&kit->clock, world.now_us);
    seal_kit_reopen(kit, segment_bytes);
}

void
seal_kit_close(struct seal_kit *kit)
{
    sealer_stop(kit->sealer);
    journal_close(kit->journal);
    kit->sealer = NULL;
    kit->journal = NULL;
}

void
seal_kit_append(struct seal_kit *kit, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct diag diag = {0};
        CHECK_OK(&diag, kit_append_wait(kit->journal, ++kit->events, 20, &diag));
    }
}

void
seal_kit_look(struct seal_kit *kit, int64_t later_us)
{
    fake_clock_advance(&kit->clock, later_us);
    sealer_look(kit->sealer);
}

struct sealer_state
seal_kit_state(struct seal_kit *kit)
{
    struct sealer_state state;
    sealer_read_state(kit->sealer, &state);
    return state;
}

/* ---- verification ---- */

static void
keep_report(void *arg, const struct journal_chain_report *report)
{
    struct seal_report *kept = arg;
    kept->chains++;
    if (strcmp(report->chain, SEAL_CHAIN) != 0) {
        return;
    }
    kept->report = *report;
    (void)snprintf(kept->problem, sizeof(kept->problem), "%s",
                   report->problem == NULL ? "" : report->problem);
    CU_ASSERT_FATAL(report->statement.n < sizeof(kept->statement));
    memcpy(kept->statement, report->statement.n == 0 ? "" : report->statement.p,
           report->statement.n);
    kept->report.statement = SPAN_EMPTY;
}

struct seal_report
seal_kit_verify(const struct seal_kit *kit, const struct verify_list *against)
{
    struct seal_report kept = {.chains = 0};
    struct diag diag = {0};
    const struct verify_rules rules = {.judge = audit_judge_make(&kit->judge),
                                       .uncovered_us = 180 * US_PER_S,
                                       .uncovered_records = 10,
                                       .against = against};
    CHECK_OK(&diag, journal_verify(&kit->place, &rules, keep_report, &kept, &diag));
    return kept;
}

void
seal_kit_check_good(const struct seal_kit *kit, uint64_t checkpoints)
{
    const struct seal_report kept = seal_kit_verify(kit, NULL);
    if (kept.problem[0] != '\0') {
        printf("\n    %s\n", kept.problem);
    }
    CU_ASSERT_STRING_EQUAL(kept.problem, "");
    CU_ASSERT_EQUAL(kept.report.checkpoints, checkpoints);
}

void
seal_kit_check_broken(const struct seal_kit *kit, const struct verify_list *against,
                      const char *words)
{
    const struct seal_report kept = seal_kit_verify(kit, against);
    if (strstr(kept.problem, words) == NULL) {
        printf("\n    wanted: %s\n    said:   %s\n", words, kept.problem);
        CU_FAIL("the problem is said in other words");
    }
}

/* ---- forgeries ---- */

void
seal_kit_take_apart(const struct seal_kit *kit, struct seal_pieces *ret_pieces)
{
    struct chain *chain = NULL;
    struct diag diag = {0};
    bool has = true;
    ret_pieces->n = 0;
    CHECK_OK(&diag, chain_open(&kit->place, SEAL_CHAIN, 0, &diag, &chain));
    CU_ASSERT_PTR_NOT_NULL_FATAL(chain);
    while (has) {
        CHECK_OK(&diag, chain_next(chain, &diag, &has));
        if (has) {
            CU_ASSERT_FATAL(ret_pieces->n < SEAL_PIECES);
            struct seal_piece *piece = &ret_pieces->items[ret_pieces->n++];
            piece->head = chain->head;
            buf_init(&piece->payload, RECORD_PAYLOAD_MAX);
            CHECK_OK(&diag, buf_append(&piece->payload, chain_statement(chain), &diag));
        }
    }
    chain_close(chain);
}

void
seal_kit_drop(struct seal_pieces *pieces, size_t at)
{
    buf_done(&pieces->items[at].payload);
    pieces->n--;
    for (size_t i = at; i < pieces->n; i++) {
        pieces->items[i] = pieces->items[i + 1];
    }
}

void
seal_kit_pieces_done(struct seal_pieces *pieces)
{
    while (pieces->n > 0) {
        seal_kit_drop(pieces, pieces->n - 1);
    }
}

/* Appends one record to the file's bytes; <previous> becomes its hash. */
static void
append_record(struct buf *file, const struct seal_piece *piece, uint64_t sequence,
              uint8_t previous[SHA256_BYTES])
{
    struct diag diag = {0};
    char *room = NULL;
    const size_t n = RECORD_HEAD_BYTES + piece->payload.n;
    struct record_head head = piece->head;
    head.length = (uint32_t)piece->payload.n;
    head.sequence = sequence;
    CHECK_OK(&diag, buf_reserve(file, n, &diag, &room));
    record_pack(&head, (uint8_t *)room);
    memcpy(room + RECORD_HEAD_BYTES, piece->payload.p, piece->payload.n);
    CHECK_OK(&diag, record_seal(room, n, head.durable, previous, &diag, previous));
    file->n += n;
}

void
seal_kit_put_together(const struct seal_kit *kit, const struct seal_pieces *pieces, uint64_t first,
                      const uint8_t previous[SHA256_BYTES])
{
    struct diag diag = {0};
    struct buf file;
    char *room = NULL;
    char name[PATH_MAX];
    char path[PATH_MAX];
    uint8_t hash[SHA256_BYTES];
    struct segment_head head = {
        .first_sequence = first, .created_us = world.now_us, .size = 1024 * 1024};
    memcpy(head.previous, previous, SHA256_BYTES);
    memcpy(hash, previous, SHA256_BYTES);
    (void)snprintf(head.chain, sizeof(head.chain), "%s", SEAL_CHAIN);
    buf_init(&file, 1024 * 1024);
    CHECK_OK(&diag, buf_reserve(&file, SEGMENT_HEAD_BYTES, &diag, &room));
    segment_head_pack(&head, (uint8_t *)room);
    file.n = SEGMENT_HEAD_BYTES;
    for (size_t i = 0; i < pieces->n; i++) {
        append_record(&file, &pieces->items[i], first + i, hash);
    }
    (void)unlink(kit_last_segment(kit->dir, SEAL_CHAIN));
    (void)snprintf(name, sizeof(name), SEAL_CHAIN "/%020llu.seg", (unsigned long long)first);
    kit_join(path, kit->dir, name);
    kit_write_file(path, buf_span(&file));
    buf_done(&file);
}

void
seal_kit_stand(const struct seal_pieces *pieces, uint64_t sequence,
               struct checkpoint *ret_checkpoint)
{
    struct diag diag = {0};
    struct buf file;
    struct merkle tree = {0};
    uint8_t hash[SHA256_BYTES] = {0};
    buf_init(&file, 1024 * 1024);
    for (size_t i = 0; i < sequence; i++) {
        append_record(&file, &pieces->items[i], i + 1, hash);
        CHECK_OK(&diag, merkle_add(&tree, hash, &diag));
    }
    buf_done(&file);
    *ret_checkpoint =
        (struct checkpoint){.sequence = sequence, .segment = 1, .time_us = world.now_us};
    (void)snprintf(ret_checkpoint->chain, sizeof(ret_checkpoint->chain), "%s", SEAL_CHAIN);
    memcpy(ret_checkpoint->hash, hash, SHA256_BYTES);
    CHECK_OK(&diag, merkle_root(&tree, &diag, ret_checkpoint->root));
}

static struct status
sign_with(void *arg, struct span text, struct buf *certificate, char *algorithm,
          struct buf *signature, struct diag *diag)
{
    return audit_judge_sign(arg, text, certificate, algorithm, signature, diag);
}

void
seal_kit_sign(const struct credential *credential, struct span text, struct buf *payload)
{
    struct diag diag = {0};
    const struct statement_signer signer = {(void *)(uintptr_t)credential, sign_with};
    buf_reset(payload);
    CHECK_OK(&diag, statement_sign(&signer, text, payload, &diag));
}
