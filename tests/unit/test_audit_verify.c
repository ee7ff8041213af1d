/*
 * `isthmus audit verify` below its options: what it prints of checkpoints, removals and copies that
 * were kept elsewhere, in every form in which they are kept; proofs and archives; exit codes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "audit/proof.h"
#include "base/mem.h"
#include "cli/audit_verify.h"
#include "seal_kit.h"
#include "unit.h"

#define LARGE (256 * 1024)

static const struct cli_command command = {.name = "audit verify"};
static struct seal_kit kit;
static char printed[65536];

enum what { JOURNAL, ARCHIVE, PROOF };

/* Runs one of the three; what it printed is in <printed>. */
static enum cli_exit
run(enum what what, const char *path, bool is_json, const struct audit_judge *judge)
{
    struct cli_values against = {.items = {path}, .n = what == JOURNAL && path != NULL ? 1 : 0};
    FILE *out = fmemopen(printed, sizeof(printed), "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    memset(printed, 0, sizeof(printed));
    const struct audit_verify verify = {.command = &command,
                                        .place = kit.place,
                                        .judge = *judge,
                                        .every_us = 60 * US_PER_S,
                                        .every_records = 5,
                                        .is_json = is_json,
                                        .out = out};
    const enum cli_exit exit_code = what == JOURNAL   ? audit_verify_journal(&verify, &against)
                                    : what == ARCHIVE ? audit_verify_archive(&verify, path)
                                                      : audit_verify_proof(&verify, path);
    CU_ASSERT_EQUAL(fclose(out), 0);
    return exit_code;
}

static bool
has_printed(const char *words)
{
    if (strstr(printed, words) == NULL) {
        printf("\n    wanted: %s\n    said:   %s\n", words, printed);
        return false;
    }
    return true;
}

static void
make_journal(const char *name)
{
    seal_kit_open(&kit, name, LARGE);
    seal_kit_append(&kit, 5);
    seal_kit_look(&kit, 0);
    seal_kit_append(&kit, 2);
    kit.settings.is_on = false;
    seal_kit_close(&kit);
}

static void
test_told(void)
{
    make_journal("told");
    CU_ASSERT_EQUAL(run(JOURNAL, NULL, false, &kit.judge), CLI_DONE);
    CU_ASSERT(has_printed("covers record 5; 2 records follow it\n"));
    CU_ASSERT(has_printed("1 chain, 9 records: everything holds\n"));
    CU_ASSERT_EQUAL(run(JOURNAL, NULL, false, &(struct audit_judge){.own = NULL}), CLI_DONE);
    CU_ASSERT(has_printed("(whose signatures nobody here can judge)"));
    CU_ASSERT_EQUAL(run(JOURNAL, NULL, false, &(struct audit_judge){.own = world.blue->leaf}),
                    CLI_FAILED);
    CU_ASSERT(has_printed(": BROKEN\n"));
    CU_ASSERT(has_printed("NOT everything holds"));
    CU_ASSERT_EQUAL(run(JOURNAL, NULL, true, &kit.judge), CLI_DONE);
    json_t *root = json_loads(printed, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const json_t *chain = json_array_get(json_object_get(root, "chains"), 0);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(chain, "checkpoints")), 1);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(chain, "covered")), 5);
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(chain, "uncovered")), 2);
    CU_ASSERT(json_is_string(json_object_get(chain, "checkpoint")));
    json_decref(root);
}

/* ---- kept elsewhere ---- */

static const char *
keep(const char *name, struct span text)
{
    static char path[PATH_MAX];
    kit_join(path, unit_temp_dir(), name);
    kit_write_file(path, text);
    return path;
}

static const char *
copy(char to[PATH_MAX], const char *path)
{
    (void)snprintf(to, PATH_MAX, "%s", path);
    return to;
}

struct kept {
    struct buf json, xml;
};

static bool
render(void *arg, const struct journal_record *record)
{
    struct kept *kept = arg;
    struct audit_event event;
    struct diag diag = {0};
    const struct audit_source source = {"node", "2.999.1"};
    struct arena *arena = arena_new(1024 * 1024);
    CU_ASSERT_PTR_NOT_NULL_FATAL(arena);
    CHECK_OK(&diag, audit_event_decode(record->payload, arena, &diag, &event));
    CHECK_OK(&diag, audit_message_write(&event, &source, &kept->xml, &diag));
    CHECK_OK(&diag, buf_append(&kept->json, record->payload, &diag));
    CHECK_OK(&diag, buf_append_char(&kept->json, '\n', &diag));
    arena_free(arena);
    return true;
}

/* The end of the chain, with its checkpoint, is gone. */
static void
cut(void)
{
    struct seal_pieces *pieces = mem_alloc(sizeof(*pieces));
    static const uint8_t nothing[SHA256_BYTES];
    CU_ASSERT_PTR_NOT_NULL_FATAL(pieces);
    seal_kit_take_apart(&kit, pieces);
    while (pieces->n > 3) {
        seal_kit_drop(pieces, pieces->n - 1);
    }
    seal_kit_put_together(&kit, pieces, 1, nothing);
    seal_kit_pieces_done(pieces);
    mem_free(pieces);
}

static void
test_against(void)
{
    struct kept kept;
    struct diag diag = {0};
    const char *paths[3];
    char names[3][PATH_MAX];
    make_journal("against");
    buf_init(&kept.json, 1024 * 1024);
    buf_init(&kept.xml, 1024 * 1024);
    CHECK_OK(&diag, journal_read(&kit.place, render, &kept, &diag));
    CU_ASSERT_EQUAL(run(JOURNAL, NULL, true, &kit.judge), CLI_DONE);
    paths[0] = copy(names[0], keep("verify.json", span_of_cstr(printed)));
    paths[1] = copy(names[1], keep("records.jsonl", buf_span(&kept.json)));
    paths[2] = copy(names[2], keep("messages.xml", buf_span(&kept.xml)));
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        CU_ASSERT_EQUAL(run(JOURNAL, paths[i], false, &kit.judge), CLI_DONE);
        CU_ASSERT(has_printed("    1 checkpoint kept elsewhere fit\n"));
    }
    /* Not ours to believe: then there is none. */
    CU_ASSERT_EQUAL(run(JOURNAL, paths[1], false, &(struct audit_judge){.own = world.blue->leaf}),
                    CLI_FAILED);
    CU_ASSERT_STRING_EQUAL(printed, "");
    CU_ASSERT_EQUAL(run(JOURNAL, keep("none.json", SPAN("{\"chains\": []}")), false, &kit.judge),
                    CLI_FAILED);
    CU_ASSERT_EQUAL(run(JOURNAL, "/there/is/none", false, &kit.judge), CLI_FAILED);
    /* Text that only looks like one hides none. */
    CHECK_OK(&diag, buf_append_cstr(&kept.xml,
                                    "value=\"eyJzdGF0ZW1lbnQiOiJ4In0=\" eyJzdGF0ZW1lbnQiO", &diag));
    CU_ASSERT_EQUAL(run(JOURNAL, keep("odd.xml", buf_span(&kept.xml)), false, &kit.judge),
                    CLI_DONE);
    CU_ASSERT(has_printed("    1 checkpoint kept elsewhere fit\n"));
    cut();
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        CU_ASSERT_EQUAL(run(JOURNAL, paths[i], false, &kit.judge), CLI_FAILED);
        CU_ASSERT(has_printed("chain serve was cut: a checkpoint of "));
        CU_ASSERT(has_printed("covers record 5, and the chain ends with record 3"));
    }
    buf_done(&kept.json);
    buf_done(&kept.xml);
}

/* ---- proofs ---- */

static void
test_proofs(void)
{
    struct buf proofs;
    struct diag diag = {0};
    const struct audit_judge nobody = {.own = NULL};
    const struct audit_judge authority = {.trust = world.plain_trust};
    make_journal("proofs");
    buf_init(&proofs, 1024 * 1024);
    for (uint64_t i = 1; i <= 3; i++) {
        CHECK_OK(&diag, journal_prove(&kit.place, SEAL_CHAIN, i, &proofs, &diag));
        CHECK_OK(&diag, buf_append_char(&proofs, '\n', &diag));
    }
    const char *path = keep("proofs.jsonl", buf_span(&proofs));
    CU_ASSERT_EQUAL(run(PROOF, path, false, &authority), CLI_DONE);
    CU_ASSERT(has_printed("record serve/1, written at "));
    CU_ASSERT(has_printed("record serve/3, written at "));
    CU_ASSERT(has_printed("checkpoint over record 5 signed at "));
    CU_ASSERT_EQUAL(run(PROOF, path, true, &kit.judge), CLI_DONE);
    CU_ASSERT(has_printed("\"record\": \"serve/2\""));
    CU_ASSERT_EQUAL(run(PROOF, path, false, &nobody), CLI_FAILED);
    CU_ASSERT_EQUAL(run(PROOF, "/there/is/none", false, &authority), CLI_FAILED);
    /* One of them damaged: said, and the others are shown. */
    const size_t second = span_find_char(buf_span(&proofs), '\n') + 1;
    proofs.p[second + 100] = proofs.p[second + 100] == 'x' ? 'y' : 'x';
    path = keep("damaged.jsonl", buf_span(&proofs));
    CU_ASSERT_EQUAL(run(PROOF, path, false, &authority), CLI_FAILED);
    CU_ASSERT(has_printed("record serve/1, written at "));
    CU_ASSERT(has_printed("record serve/3, written at "));
    CU_ASSERT_PTR_NULL(strstr(printed, "record serve/2, "));
    CU_ASSERT_EQUAL(run(PROOF, keep("empty.jsonl", SPAN("\n \n")), false, &authority), CLI_FAILED);
    buf_done(&proofs);
}

/* ---- archives ---- */

static void
test_archive(void)
{
    char *archive = kit.settings.retention.archive;
    seal_kit_open(&kit, "with-archive", 8192);
    seal_kit_append(&kit, 100);
    seal_kit_look(&kit, 0);
    kit.settings.retention.keep_us = DAY_US;
    (void)snprintf(archive, PATH_MAX, "%s", kit_folder("the-archive"));
    seal_kit_look(&kit, 2 * DAY_US);
    seal_kit_close(&kit);
    CU_ASSERT_EQUAL(run(JOURNAL, NULL, false, &kit.judge), CLI_DONE);
    CU_ASSERT(has_printed(" were removed, as signed record "));
    CU_ASSERT_EQUAL(run(ARCHIVE, archive, false, &kit.judge), CLI_DONE);
    CU_ASSERT(has_printed("serve/1 "));
    CU_ASSERT(has_printed(": everything holds\n"));
    CU_ASSERT_EQUAL(run(ARCHIVE, archive, false, &(struct audit_judge){.own = world.blue->leaf}),
                    CLI_FAILED);
    CU_ASSERT(has_printed("which is not the one of audit.checkpoints.credential"));
    CU_ASSERT_EQUAL(run(ARCHIVE, "/there/is/none", false, &kit.judge), CLI_FAILED);
}

static const struct unit_test tests[] = {
    {"(certificates)", test_make_world},
    {"what is said of checkpoints", test_told},
    {"against what was kept elsewhere", test_against},
    {"proofs", test_proofs},
    {"an archive", test_archive},
    {"(certificates freed)", test_free_world},
};
UNIT_MAIN("audit verify", tests)
