/*
 * Forgeries: who may write the journal's files, and computes every length, CRC, sequence and hash
 * anew, is found out by the signed checkpoints, each in its own words; who has no key cannot make
 * one; and what was cut off is found against checkpoints that were kept elsewhere.
 */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "seal_kit.h"
#include "unit.h"

#define LARGE (256 * 1024)

/* Records 1 to 5 are events, 6 the checkpoint over 5, 7 tells of it, 8 to 12 are events, 13 is the
 * checkpoint over 12, 14 tells of it, and nothing covers the events 15 and 16. Indices of pieces
 * are one less. */
enum { FIRST_CHECKPOINT = 5, SECOND_CHECKPOINT = 12, PIECES = 16 };

static const uint8_t nothing[SHA256_BYTES];
static struct seal_kit kit;
static struct seal_pieces *pieces;

static void
make_chain(const char *name)
{
    seal_kit_open(&kit, name, LARGE);
    seal_kit_append(&kit, 5);
    seal_kit_look(&kit, 0);
    seal_kit_append(&kit, 5);
    seal_kit_look(&kit, 0);
    seal_kit_append(&kit, 2);
    kit.settings.is_on = false;
    seal_kit_close(&kit);
    pieces = mem_alloc(sizeof(*pieces));
    CU_ASSERT_PTR_NOT_NULL_FATAL(pieces);
    seal_kit_take_apart(&kit, pieces);
    CU_ASSERT_EQUAL_FATAL(pieces->n, PIECES);
    CU_ASSERT_EQUAL_FATAL(pieces->items[FIRST_CHECKPOINT].head.type, RECORD_STATEMENT);
    CU_ASSERT_EQUAL_FATAL(pieces->items[SECOND_CHECKPOINT].head.type, RECORD_STATEMENT);
    seal_kit_check_good(&kit, 2);
}

static void
write_chain(void)
{
    seal_kit_put_together(&kit, pieces, 1, nothing);
}

static void
free_chain(void)
{
    seal_kit_pieces_done(pieces);
    mem_free(pieces);
}

/* ---- one change each; everything else is computed anew ---- */

static void
change_nothing(void)
{
}

static void
edit_event(void)
{
    pieces->items[2].payload.p[pieces->items[2].payload.n - 2] ^= 1;
}

static void
edit_uncovered_by_first(void)
{
    pieces->items[8].payload.p[pieces->items[8].payload.n - 2] ^= 1;
}

static void
remove_event(void)
{
    seal_kit_drop(pieces, 2);
}

static void
remove_late_event(void)
{
    seal_kit_drop(pieces, 7);
}

static void
swap_events(void)
{
    const struct seal_piece kept = pieces->items[1];
    pieces->items[1] = pieces->items[2];
    pieces->items[2] = kept;
}

static void
double_event(void)
{
    struct diag diag = {0};
    buf_reset(&pieces->items[3].payload);
    CHECK_OK(&diag,
             buf_append(&pieces->items[3].payload, buf_span(&pieces->items[2].payload), &diag));
}

/* Before the record that it is about. */
static void
move_checkpoint_up(void)
{
    const struct seal_piece kept = pieces->items[SECOND_CHECKPOINT];
    for (size_t i = SECOND_CHECKPOINT; i > 8; i--) {
        pieces->items[i] = pieces->items[i - 1];
    }
    pieces->items[8] = kept;
}

/* ---- statements ---- */

static struct buf *
first_payload(void)
{
    return &pieces->items[FIRST_CHECKPOINT].payload;
}

/* One place of a payload, <from> to <to> of the same length. */
static void
replace(struct buf *payload, const char *from, const char *to)
{
    const size_t at = span_find(buf_span(payload), span_of_cstr(from));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    CU_ASSERT_EQUAL_FATAL(strlen(from), strlen(to));
    memcpy(payload->p + at, to, strlen(to));
}

static void
edit_statement(void)
{
    replace(first_payload(), "final: no", "final: na");
}

static void
edit_time(void)
{
    replace(first_payload(), "Z\\n", "0\\n");
}

static void
edit_algorithm(void)
{
    replace(first_payload(), "\"RSA-SHA256\"", "\"RSA-SHA512\"");
}

static void
edit_signature(void)
{
    struct buf *payload = first_payload();
    const size_t at = span_find(buf_span(payload), SPAN("\"signature\":\""));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    char *digit = payload->p + at + 20;
    *digit = *digit == 'A' ? 'B' : 'A';
}

static void
edit_fingerprint(void)
{
    struct buf *payload = first_payload();
    const size_t at = span_find(buf_span(payload), SPAN("\"certificate_sha256\":\""));
    CU_ASSERT_NOT_EQUAL_FATAL(at, SPAN_MISSING);
    char *digit = payload->p + at + 30;
    *digit = *digit == '0' ? '1' : '0';
}

static void
break_json(void)
{
    first_payload()->p[0] = '[';
}

/* An event is changed, and the checkpoint over it made anew with another key. */
static void
sign_anew(const struct credential *credential, int64_t time_us)
{
    struct checkpoint checkpoint;
    struct diag diag = {0};
    struct buf text;
    buf_init(&text, 4096);
    edit_event();
    seal_kit_stand(pieces, FIRST_CHECKPOINT, &checkpoint);
    checkpoint.time_us = time_us;
    CHECK_OK(&diag, checkpoint_write(&checkpoint, &text, &diag));
    seal_kit_sign(credential, buf_span(&text), first_payload());
    buf_done(&text);
}

static void
sign_with_green(void)
{
    sign_anew(world.green, world.now_us);
}

/* Of the trusted authority, and valid once, but not when it says that it signed. */
static void
sign_with_expired(void)
{
    sign_anew(world.expired, world.now_us);
}

/* The key that is not ours, said to be: our certificate beside its signature. */
static void
borrow_certificate(void)
{
    struct diag diag = {0};
    struct statement ours;
    struct statement theirs;
    struct arena *arena = arena_new(1024 * 1024);
    struct buf *payload = first_payload();
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    CHECK_OK(&diag, statement_decode(buf_span(payload), arena, &diag, &ours));
    sign_with_green();
    CHECK_OK(&diag, statement_decode(buf_span(payload), arena, &diag, &theirs));
    theirs.certificate = ours.certificate;
    theirs.algorithm = ours.algorithm;
    buf_reset(payload);
    CHECK_OK(&diag, statement_encode(&theirs, payload, &diag));
    arena_free(arena);
}

/* With our own key, about something else. */
static void
state(struct checkpoint *checkpoint)
{
    struct diag diag = {0};
    struct buf text;
    buf_init(&text, 4096);
    CHECK_OK(&diag, checkpoint_write(checkpoint, &text, &diag));
    seal_kit_sign(world.red, buf_span(&text), first_payload());
    buf_done(&text);
}

static void
state_other_chain(void)
{
    struct checkpoint checkpoint;
    seal_kit_stand(pieces, FIRST_CHECKPOINT, &checkpoint);
    (void)snprintf(checkpoint.chain, sizeof(checkpoint.chain), "other");
    state(&checkpoint);
}

static void
state_other_root(void)
{
    struct checkpoint checkpoint;
    seal_kit_stand(pieces, FIRST_CHECKPOINT, &checkpoint);
    checkpoint.root[0] ^= 1;
    state(&checkpoint);
}

static void
state_other_segment(void)
{
    struct checkpoint checkpoint;
    seal_kit_stand(pieces, FIRST_CHECKPOINT, &checkpoint);
    checkpoint.segment = 2;
    state(&checkpoint);
}

static void
state_future(void)
{
    struct checkpoint checkpoint;
    seal_kit_stand(pieces, FIRST_CHECKPOINT, &checkpoint);
    checkpoint.sequence = 9;
    state(&checkpoint);
}

static const struct forgery {
    const char *name;
    void (*change)(void);
    const char *words; /* NULL: nothing is wrong */
} forgeries[] = {
    {"the same again", change_nothing, NULL},
    {"an event edited", edit_event, "the checkpoint says that the hash of record 5 is "},
    {"an event of the second part edited", edit_uncovered_by_first,
     "the checkpoint says that the hash of record 12 is "},
    {"an event removed", remove_event, "the checkpoint names a record that is not before it"},
    {"a later event removed", remove_late_event,
     "the checkpoint names a record that is not before it"},
    {"two events exchanged", swap_events, "the hash of record 5 is "},
    {"an event in another's place", double_event, "the hash of record 5 is "},
    {"a checkpoint moved", move_checkpoint_up, "names a record that is not before it"},
    {"a statement edited", edit_statement, "line 'final' is not yes or no"},
    {"a statement's time edited", edit_time, "line 'time' is not a time"},
    {"another algorithm", edit_algorithm, "its signature is said to be RSA-SHA512"},
    {"a signature edited", edit_signature, "the signed statement was changed or is forged"},
    {"a fingerprint edited", edit_fingerprint,
     "'certificate_sha256' is not that of its certificate"},
    {"no JSON", break_json, "not one JSON object"},
    {"signed with another key", sign_with_green, "which is not the one of audit.checkpoints"},
    {"signed after the certificate's end", sign_with_expired, "when its certificate"},
    {"our certificate beside another's signature", borrow_certificate,
     "the signed statement was changed or is forged"},
    {"about another chain", state_other_chain, "the checkpoint is one of another chain"},
    {"another root", state_other_root, "the root of the segment up to record 5 is "},
    {"another segment", state_other_segment, "names another segment than its record is in"},
    {"about what comes later", state_future, "names a record that is not before it"},
};

static void
test_forgeries(void)
{
    for (size_t i = 0; i < ARRAY_LEN(forgeries); i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "forged-%zu", i);
        make_chain(name);
        forgeries[i].change();
        write_chain();
        if (forgeries[i].words == NULL) {
            seal_kit_check_good(&kit, 2);
        } else {
            printf("\n    %s", forgeries[i].name);
            seal_kit_check_broken(&kit, NULL, forgeries[i].words);
        }
        free_chain();
    }
    printf("\n  ");
}

/* A trust store instead of one certificate: its authority's are believed, others are not. */
static void
test_trusted(void)
{
    make_chain("trusted");
    kit.judge = (struct audit_judge){.trust = world.plain_trust};
    seal_kit_check_good(&kit, 2);
    kit.judge = (struct audit_judge){.trust = world.other_trust};
    seal_kit_check_broken(&kit, NULL, "which is not trusted for this");
    kit.judge = (struct audit_judge){.own = world.blue->leaf, .trust = world.other_trust};
    seal_kit_check_broken(&kit, NULL, "which is not trusted for this");
    kit.judge =
        (struct audit_judge){.own = NULL}; /* nobody judges; what is stated must still fit */
    seal_kit_check_good(&kit, 2);
    edit_event();
    write_chain();
    seal_kit_check_broken(&kit, NULL, "the hash of record 5 is ");
    free_chain();
}

/* ---- what leaves no trace in the chain ---- */

static void
keep(struct verify_list *list)
{
    const struct seal_report kept = seal_kit_verify(&kit, NULL);
    struct diag diag = {0};
    CHECK_OK(&diag, verify_list_add(list, &kept.report.covered, &diag));
}

static void
test_cut(void)
{
    struct verify_list list = {.n = 0};
    make_chain("cut");
    keep(&list);
    CU_ASSERT_EQUAL(seal_kit_verify(&kit, &list).report.compared, 1);
    while (pieces->n > 8) {
        seal_kit_drop(pieces, pieces->n - 1);
    }
    write_chain();
    seal_kit_check_good(&kit, 1); /* by itself nothing is wrong */
    seal_kit_check_broken(&kit, &list, "covers record 12, and the chain ends with record 8");
    verify_list_done(&list);
    free_chain();
}

/* Everything new, without a key: the checkpoints are left out. */
static void
test_replaced(void)
{
    struct verify_list list = {.n = 0};
    make_chain("replaced");
    keep(&list);
    seal_kit_drop(pieces, SECOND_CHECKPOINT);
    seal_kit_drop(pieces, FIRST_CHECKPOINT);
    edit_event();
    write_chain();
    seal_kit_check_broken(&kit, NULL,
                          "12 records, of 0 s, follow the last signed checkpoint (none");
    seal_kit_check_broken(&kit, &list, "the hash of record 12 is ");
    verify_list_done(&list);
    free_chain();
}

static void
test_gone(void)
{
    struct verify_list list = {.n = 0};
    struct seal_report kept;
    struct diag diag = {0};
    struct checkpoint other = {.sequence = 3, .segment = 1};
    make_chain("gone");
    keep(&list);
    (void)snprintf(other.chain, sizeof(other.chain), "aside");
    CHECK_OK(&diag, verify_list_add(&list, &other, &diag));
    kept = seal_kit_verify(&kit, &list); /* of two chains, one of which is not there */
    CU_ASSERT_EQUAL(kept.chains, 2);
    CU_ASSERT_STRING_EQUAL(kept.problem, "");
    CU_ASSERT_EQUAL(unlink(kit_last_segment(kit.dir, SEAL_CHAIN)), 0);
    seal_kit_check_broken(&kit, &list, "covers record 12, and the chain ends with record 0");
    verify_list_done(&list);
    free_chain();
}

/* Who begins later needs a signed removal that fits. */
static void
begin_later(const struct credential *credential, bool fits)
{
    struct removal removal = {.begins = 3, .time_us = world.now_us};
    struct removal_segment segment = {.first = 1, .last = 2};
    struct checkpoint before;
    struct diag diag = {0};
    struct buf lines;
    struct buf text;
    buf_init(&lines, 4096);
    buf_init(&text, 4096);
    seal_kit_stand(pieces, 2, &before);
    memcpy(segment.hash, before.hash, SHA256_BYTES);
    memcpy(segment.root, before.root, SHA256_BYTES);
    segment.hash[0] ^= fits ? 0 : 1;
    memcpy(removal.previous, segment.hash, SHA256_BYTES);
    CHECK_OK(&diag, removal_add_segment(&segment, &lines, &diag));
    (void)snprintf(removal.chain, sizeof(removal.chain), "%s", SEAL_CHAIN);
    removal.segments = buf_span(&lines);
    CHECK_OK(&diag, removal_write(&removal, &text, &diag));
    seal_kit_drop(pieces, SECOND_CHECKPOINT);
    seal_kit_drop(pieces, FIRST_CHECKPOINT);
    if (credential != NULL) {
        pieces->items[pieces->n - 1].head.type = RECORD_STATEMENT;
        seal_kit_sign(credential, buf_span(&text), &pieces->items[pieces->n - 1].payload);
    }
    seal_kit_drop(pieces, 0);
    seal_kit_drop(pieces, 0);
    seal_kit_put_together(&kit, pieces, 3, before.hash);
    buf_done(&lines);
    buf_done(&text);
}

static void
test_later_beginning(void)
{
    make_chain("unsaid");
    begin_later(NULL, true);
    seal_kit_check_broken(&kit, NULL, "no signed removal in the chain says so");
    free_chain();
    make_chain("misfit");
    begin_later(world.red, false);
    seal_kit_check_broken(&kit, NULL, "no signed removal in the chain says so");
    free_chain();
    make_chain("forged-removal");
    begin_later(world.green, true);
    seal_kit_check_broken(&kit, NULL, "which is not the one of audit.checkpoints");
    free_chain();
    make_chain("said"); /* it fits: all that is missing is a checkpoint */
    begin_later(world.red, true);
    CU_ASSERT_EQUAL(seal_kit_verify(&kit, NULL).report.removed_by, 14);
    free_chain();
}

static const struct unit_test tests[] = {
    {"(certificates)", test_make_world},
    {"one change, everything else made anew", test_forgeries},
    {"who is believed", test_trusted},
    {"a cut tail", test_cut},
    {"a replaced chain", test_replaced},
    {"chains that are gone", test_gone},
    {"a later beginning", test_later_beginning},
    {"(certificates freed)", test_free_world},
};
UNIT_MAIN("forged", tests)
