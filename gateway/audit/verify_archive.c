/*
 * Verification of an archive: every segment by itself, against the signed removal that was put
 * beside it. Called by `isthmus audit verify --archive`. Segments may be missing: an archive is
 * kept elsewhere, in parts.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/merkle.h"
#include "audit/verify.h"
#include "base/mem.h"

#define ARENA_BYTES (4 * RECORD_PAYLOAD_MAX)

struct archive {
    const struct journal_place *place;
    const struct statement_judge *judge;
    journal_report report;
    void *arg;
    struct diag *diag;
};

/* The line of the statement that is about this segment. */
static struct status
find_line(const struct removal *removal, const char *chain, uint64_t first, struct diag *diag,
          struct removal_segment *ret_segment)
{
    struct span lines = removal->segments;
    struct removal_segment segment;
    while (strcmp(removal->chain, chain) == 0 && removal_next_segment(&lines, &segment)) {
        if (segment.first == first) {
            *ret_segment = segment;
            return OK;
        }
    }
    return FAIL(diag, ERR_JOURNAL, "the signed statement beside it is not about this segment");
}

static struct status
read_statement(const struct archive *archive, struct span text, const char *chain, uint64_t first,
               struct diag *diag, struct removal_segment *ret_segment)
{
    struct statement statement;
    struct removal removal;
    struct arena *arena = arena_new(ARENA_BYTES);
    if (arena == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a signed statement");
    }
    struct status st = statement_decode(text, arena, diag, &statement);
    if (is_ok(st)) {
        st = removal_read(statement.text, diag, &removal);
    }
    if (is_ok(st) && archive->judge->check != NULL) {
        st = archive->judge->check(archive->judge->arg, &statement, removal.time_us, diag);
    }
    if (is_ok(st)) {
        st = find_line(&removal, chain, first, diag, ret_segment);
    }
    arena_free(arena);
    return st;
}

static struct status
read_manifest(const struct archive *archive, const char *chain, uint64_t first, struct diag *diag,
              struct removal_segment *ret_segment)
{
    char path[PATH_MAX];
    char name[JOURNAL_CHAIN_MAX + 32];
    struct diag why = {0};
    CLEANUP(buf_done) struct buf text;
    buf_init(&text, RECORD_PAYLOAD_MAX);
    (void)snprintf(name, sizeof(name), "%s/%020" PRIu64 ".json", chain, first);
    TRY(journal_path(path, archive->place->dir, name, diag));
    const struct status st = buf_read_file(&text, path, &why);
    if (!is_ok(st)) {
        return FAIL(diag, st.code == ERR_NO_MEMORY ? st.code : ERR_JOURNAL,
                    "the signed statement beside it cannot be read: %s", why.text);
    }
    return read_statement(archive, buf_span(&text), chain, first, diag, ret_segment);
}

static struct status
walk(struct chain *chain, const struct removal_segment *want, struct diag *diag,
     struct journal_chain_report *report)
{
    struct merkle tree = {0};
    uint8_t root[SHA256_BYTES];
    bool has = true;
    while (chain->sequence <= want->last) {
        TRY(chain_next(chain, diag, &has));
        if (!has) {
            return FAIL(diag, ERR_JOURNAL,
                        "it ends with record %" PRIu64 ", and had records to %" PRIu64,
                        chain->sequence - 1, want->last);
        }
        report->first_time_us = report->records == 0 ? chain->head.wall_us : report->first_time_us;
        report->last_time_us = chain->head.wall_us;
        report->records++;
        TRY(merkle_add(&tree, chain->previous, diag));
    }
    TRY(merkle_root(&tree, diag, root));
    if (memcmp(root, want->root, SHA256_BYTES) != 0 ||
        memcmp(chain->previous, want->hash, SHA256_BYTES) != 0) {
        return FAIL(diag, ERR_JOURNAL,
                    "its records do not give the hash and the root of the signed statement: it was "
                    "replaced");
    }
    return OK;
}

static struct status
verify_segment(const struct archive *archive, const char *name, uint64_t first, struct diag *diag,
               struct journal_chain_report *report)
{
    struct removal_segment want = {0};
    struct chain *chain = NULL;
    TRY(read_manifest(archive, name, first, diag, &want));
    TRY(chain_open(archive->place, name, first, diag, &chain));
    const struct status st = walk(chain, &want, diag, report);
    report->first = want.first;
    report->last = want.last;
    hex_encode(chain->previous, SHA256_BYTES, report->last_hash);
    chain_close(chain);
    return st;
}

static struct status
report_segment(const struct archive *archive, const char *chain, uint64_t first)
{
    struct diag why = {0};
    char name[JOURNAL_CHAIN_MAX + 24];
    struct journal_chain_report report = {.chain = name};
    (void)snprintf(name, sizeof(name), "%s/%" PRIu64, chain, first);
    const struct status st = verify_segment(archive, chain, first, &why, &report);
    if (!is_ok(st) && st.code != ERR_JOURNAL) { /* not the segment's fault */
        return FAIL(archive->diag, st.code, "%s", why.text);
    }
    report.problem = is_ok(st) ? NULL : why.text;
    archive->report(archive->arg, &report);
    return OK;
}

static struct status
verify_chain(void *arg, const char *chain)
{
    const struct archive *archive = arg;
    char folder[PATH_MAX];
    struct segment_list list;
    TRY(journal_path(folder, archive->place->dir, chain, archive->diag));
    TRY(segment_list_read(folder, archive->diag, &list));
    struct status st = OK;
    for (size_t i = 0; i < list.n && is_ok(st); i++) {
        st = report_segment(archive, chain, list.items[i]);
    }
    segment_list_done(&list);
    return st;
}

struct status
journal_verify_archive(const char *dir, const struct statement_judge *judge, journal_report report,
                       void *arg, struct diag *diag)
{
    const struct journal_place place = {.dir = dir};
    struct archive archive = {&place, judge, report, arg, diag};
    return journal_chains(&place, verify_chain, &archive, diag);
}
