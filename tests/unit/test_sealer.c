/*
 * The sealer: when checkpoints come, over which records, of which chains; that nothing of it fails
 * the journal; and that a chain is whole and covered afterwards, whatever happened to the key.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "seal_kit.h"
#include "unit.h"

#define LARGE (256 * 1024)
#define SMALL 16384

static void
test_due(void)
{
    struct seal_kit kit;
    seal_kit_open(&kit, "due", LARGE);
    seal_kit_look(&kit, 0); /* nothing is there */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 0);
    seal_kit_append(&kit, 1);
    seal_kit_look(&kit, 0); /* the first record of a process: what was before is covered soon */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 1);
    seal_kit_append(&kit, 4);
    seal_kit_look(&kit, 59 * US_PER_S);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 1);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).uncovered, 4);
    seal_kit_append(&kit, 1); /* by number */
    seal_kit_look(&kit, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 2);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).uncovered, 0);
    seal_kit_append(&kit, 1);
    seal_kit_look(&kit, 60 * US_PER_S); /* by time */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 3);
    seal_kit_look(&kit, 600 * US_PER_S); /* checkpoints alone ask for none */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 3);
    seal_kit_append(&kit, 2);
    seal_kit_close(&kit); /* at the end */
    seal_kit_check_good(&kit, 4);
    const struct seal_report kept = seal_kit_verify(&kit, NULL);
    CU_ASSERT_EQUAL(kept.report.records, 9 + 4 * 2); /* each is told of by an event */
    CU_ASSERT_EQUAL(kept.report.covered.sequence, 15);
    CU_ASSERT_EQUAL(kept.report.uncovered, 0);
}

/* What a killed process left uncovered is covered by the next one, at once and once. */
static void
test_restart(void)
{
    struct seal_kit kit;
    seal_kit_open(&kit, "restart", LARGE);
    seal_kit_append(&kit, 3);
    seal_kit_look(&kit, 0);
    seal_kit_append(&kit, 2);
    kit.settings.is_on = false; /* dies without a last checkpoint */
    seal_kit_close(&kit);
    CU_ASSERT_EQUAL(seal_kit_verify(&kit, NULL).report.uncovered, 2);
    kit.settings.is_on = true;
    seal_kit_reopen(&kit, LARGE);
    seal_kit_look(&kit, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 1);
    seal_kit_close(&kit);
    seal_kit_check_good(&kit, 2);
    seal_kit_reopen(&kit, LARGE); /* and nothing new by the one after that */
    seal_kit_look(&kit, 0);
    seal_kit_close(&kit);
    seal_kit_check_good(&kit, 2);
}

static void
test_off(void)
{
    struct seal_kit kit;
    seal_kit_open(&kit, "off", LARGE);
    kit.settings.is_on = false;
    seal_kit_append(&kit, 20);
    seal_kit_look(&kit, 600 * US_PER_S);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 0);
    CU_ASSERT_FALSE(seal_kit_state(&kit).is_on);
    kit.settings.is_on = true; /* a reload: all of it is covered */
    seal_kit_look(&kit, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 1);
    seal_kit_close(&kit);
    seal_kit_check_good(&kit, 1);
}

/* How many segments but the last have a final checkpoint, by what `verify` would take. */
static size_t
count_final(const struct seal_kit *kit)
{
    struct seal_pieces *pieces = mem_alloc(sizeof(*pieces));
    size_t n = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(pieces);
    seal_kit_take_apart(kit, pieces);
    for (size_t i = 0; i < pieces->n; i++) {
        struct span text = buf_span(&pieces->items[i].payload);
        n += pieces->items[i].head.type == RECORD_STATEMENT &&
                     span_find(text, SPAN("final: yes")) != SPAN_MISSING
                 ? 1
                 : 0;
    }
    seal_kit_pieces_done(pieces);
    mem_free(pieces);
    return n;
}

static size_t
count_segments(const struct seal_kit *kit)
{
    struct segment_list list;
    struct diag diag = {0};
    char folder[PATH_MAX];
    kit_join(folder, kit->dir, SEAL_CHAIN);
    CHECK_OK(&diag, segment_list_read(folder, &diag, &list));
    const size_t n = list.n;
    for (size_t i = 0; i < n; i++) { /* a finished one may not be written any more */
        char name[SEGMENT_NAME_BYTES];
        char path[PATH_MAX];
        struct stat info = {0};
        (void)snprintf(name, sizeof(name), "%020llu.seg", (unsigned long long)list.items[i]);
        kit_join(path, folder, name);
        CU_ASSERT_EQUAL(stat(path, &info), 0);
        CU_ASSERT_EQUAL(info.st_mode & 0777, i + 1 < n ? 0400 : 0600);
    }
    segment_list_done(&list);
    return n;
}

static void
test_segments(void)
{
    struct seal_kit kit;
    seal_kit_open(&kit, "segments", SMALL);
    seal_kit_append(&kit, 160);
    for (size_t i = 0; i < 5; i++) { /* what they write fills segments, too */
        seal_kit_look(&kit, 0);
    }
    seal_kit_append(&kit, 3);
    seal_kit_close(&kit);
    const size_t segments = count_segments(&kit);
    CU_ASSERT(segments >= 3);
    const struct seal_report kept = seal_kit_verify(&kit, NULL);
    CU_ASSERT_STRING_EQUAL(kept.problem, "");
    /* The last segments may have been begun by the checkpoints themselves. */
    CU_ASSERT(count_final(&kit) + 2 >= segments && count_final(&kit) < segments);
}

/* Without a key the journal goes on; when it is back every segment gets what it missed, also in
 * another process. */
static void
test_failures(void)
{
    struct seal_kit kit;
    seal_kit_open(&kit, "failures", SMALL);
    kit.credential = NULL;
    seal_kit_append(&kit, 160);
    seal_kit_look(&kit, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, 1);
    CU_ASSERT_STRING_EQUAL(seal_kit_state(&kit).why, "the token does not answer");
    CU_ASSERT(journal_is_healthy(kit.journal));
    seal_kit_append(&kit, 10);
    seal_kit_look(&kit, 1 * US_PER_S); /* not tried each second */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, 1);
    seal_kit_look(&kit, 60 * US_PER_S);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, 2);
    seal_kit_close(&kit);
    CU_ASSERT_EQUAL(count_final(&kit), 0);
    const size_t unsealed = count_segments(&kit) - 1;
    CU_ASSERT(unsealed >= 2);
    kit.credential = world.red;
    seal_kit_reopen(&kit, LARGE);
    seal_kit_look(&kit, 0);
    CU_ASSERT_STRING_EQUAL(seal_kit_state(&kit).why, "");
    seal_kit_close(&kit);
    CU_ASSERT(count_final(&kit) >= unsealed);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

static void
test_key_comes_back(void)
{
    struct seal_kit kit;
    seal_kit_open(&kit, "back", SMALL);
    kit.credential = NULL;
    seal_kit_append(&kit, 160);
    seal_kit_look(&kit, 0);
    kit.credential = world.blue; /* another key: rotation */
    seal_kit_look(&kit, 60 * US_PER_S);
    CU_ASSERT(seal_kit_state(&kit).checkpoints >= 2);
    CU_ASSERT_STRING_EQUAL(seal_kit_state(&kit).why, "");
    seal_kit_close(&kit);
    seal_kit_check_broken(&kit, NULL, "and there is no audit.checkpoints.trust");
    kit.judge.trust = world.plain_trust;
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

/* ---- chains of commands ---- */

static void
write_command(const struct seal_kit *kit, const char *chain, struct journal **ret_journal)
{
    struct diag diag = {0};
    struct journal *journal = NULL;
    CHECK_OK(&diag, journal_open_sized(&kit->place, chain, &kit->clock.clock, JOURNAL_SIZES_COMMAND,
                                       &diag, &journal));
    CU_ASSERT_PTR_NOT_NULL_FATAL(journal);
    kit_fill(journal, 1, 3);
    if (ret_journal == NULL) {
        journal_close(journal);
    } else {
        *ret_journal = journal;
    }
}

static void
test_commands(void)
{
    struct seal_kit kit;
    struct journal *busy = NULL;
    seal_kit_open(&kit, "commands", LARGE);
    write_command(&kit, "cli-0", NULL);
    write_command(&kit, "cli-1", &busy);
    seal_kit_look(&kit, 0);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 1); /* cli-0; nobody disturbs cli-1 */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, 0);
    journal_close(busy);
    seal_kit_look(&kit, 60 * US_PER_S); /* cli-1; and our own, where an event tells of cli-0 */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 3);
    seal_kit_look(&kit, 60 * US_PER_S); /* our own again, over the event about cli-1 */
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 4);
    seal_kit_look(&kit, 60 * US_PER_S); /* nothing changed */
    seal_kit_look(&kit, 3600 * US_PER_S);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).checkpoints, 4);
    seal_kit_close(&kit);
    const struct seal_report kept = seal_kit_verify(&kit, NULL);
    CU_ASSERT_EQUAL(kept.chains, 3);
}

/* The thread does what a look does, and ends at once. */
static void
test_thread(void)
{
    struct seal_kit kit;
    struct diag diag = {0};
    unsigned looks = 0;
    seal_kit_open(&kit, "thread", LARGE);
    seal_kit_append(&kit, 6);
    CHECK_OK(&diag, sealer_start(kit.sealer, &diag));
    while (seal_kit_state(&kit).checkpoints == 0 && unit_wait(&looks)) {
    }
    seal_kit_append(&kit, 1);
    seal_kit_close(&kit);
    seal_kit_check_good(&kit, 2);
}

/* ---- memory ---- */

/* Whatever allocation fails, the journal does not, and the next look makes up for it. */
static void
test_memory(void)
{
    enum { FAILURES = 120 };
    struct seal_kit kit;
    uint64_t failed = 0;
    seal_kit_open(&kit, "memory", SMALL);
    kit.credential = world.blue; /* the quicker key */
    kit.judge.own = world.blue->leaf;
    write_command(&kit, "cli-0", NULL);
    for (uint64_t n = 0; n < FAILURES; n++) {
        seal_kit_append(&kit, 3);
        mem_fail_once(n);
        seal_kit_look(&kit, 3600 * US_PER_S);
        mem_fail_once(UINT64_MAX); /* switched off */
        CU_ASSERT_FATAL(journal_is_healthy(kit.journal));
    }
    failed = seal_kit_state(&kit).failures;
    CU_ASSERT(failed > 5);
    seal_kit_look(&kit, 3600 * US_PER_S);
    CU_ASSERT_EQUAL(seal_kit_state(&kit).failures, failed);
    CU_ASSERT_STRING_EQUAL(seal_kit_state(&kit).why, "");
    seal_kit_close(&kit);
    CU_ASSERT_STRING_EQUAL(seal_kit_verify(&kit, NULL).problem, "");
}

static const struct unit_test tests[] = {
    {"(certificates)", test_make_world},
    {"due by number, by time, at the end", test_due},
    {"what a killed process left", test_restart},
    {"switched off and on", test_off},
    {"the end of each segment", test_segments},
    {"a key that does not work", test_failures},
    {"a key that is exchanged", test_key_comes_back},
    {"chains of commands", test_commands},
    {"on its thread", test_thread},
    {"without memory", test_memory},
    {"(certificates freed)", test_free_world},
};
UNIT_MAIN("sealer", tests)
