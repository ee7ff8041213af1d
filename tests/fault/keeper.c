/*
 * The keeper of keeper.h. Called by sessions and their successors, on the family's thread.
 */
#include "tests/fault/keeper.h"

#include <stdio.h>
#include <string.h>

#include "audit/retention.h"
#include "audit/sealer.h"
#include "audit/ship_cursor.h"
#include "base/digest.h"
#include "base/mem.h"

#define DESTINATION "arr"
#define LATER_US    (INT64_C(24) * 3600 * US_PER_S) /* by then everything is old */

/* ---- signatures ---- */

static struct status
digest_keyed(struct span text, uint8_t digest[SHA256_BYTES], struct diag *diag)
{
    CLEANUP(digest_stream_free_p) struct digest_stream *stream = NULL;
    TRY(digest_stream_new(DIGEST_SHA256, diag, &stream));
    TRY(digest_stream_add(stream, SPAN("a key that only this test has"), diag));
    TRY(digest_stream_add(stream, text, diag));
    return digest_stream_end(stream, diag, digest);
}

static struct status
sign(void *arg, struct span text, struct buf *certificate, char *algorithm, struct buf *signature,
     struct diag *diag)
{
    uint8_t digest[SHA256_BYTES];
    (void)arg;
    TRY(digest_keyed(text, digest, diag));
    TRY(buf_append(certificate, SPAN("none"), diag));
    (void)snprintf(algorithm, STATEMENT_ALGORITHM_MAX, "RSA-SHA256");
    return buf_append(signature, span_of((const char *)digest, sizeof(digest)), diag);
}

static struct status
check(void *arg, const struct statement *statement, int64_t time_us, struct diag *diag)
{
    uint8_t digest[SHA256_BYTES];
    (void)arg;
    (void)time_us;
    TRY(digest_keyed(statement->text, digest, diag));
    return span_eq(statement->signature, span_of((const char *)digest, sizeof(digest)))
               ? OK
               : FAIL(diag, ERR_JOURNAL, "the statement's signature does not fit");
}

struct statement_judge
keeper_judge(void)
{
    return (struct statement_judge){NULL, check};
}

/* ---- what is kept ---- */

static void
read_settings(void *arg, struct sealer_settings *ret_settings)
{
    (void)arg;
    *ret_settings = (struct sealer_settings){.is_on = true, .every_us = 1, .records = 1};
}

static bool
is_delivered(void *arg, const char *chain, uint64_t sequence)
{
    (void)arg;
    (void)chain;
    (void)sequence;
    return true;
}

struct status
keeper_sign(const struct journal_place *place, struct journal *journal, struct diag *diag)
{
    const struct sealer_owner owner = {
        .read = read_settings, .signer = {NULL, sign}, .is_delivered = is_delivered};
    struct sealer *sealer = NULL;
    struct sealer_state state;
    TRY(sealer_new(place, journal, clock_system(), &owner, diag, &sealer));
    sealer_look(sealer);
    sealer_read_state(sealer, &state);
    sealer_stop(sealer);
    return state.failures == 0 ? OK : FAIL(diag, ERR_JOURNAL, "%s", state.why);
}

static struct status
remove_old(const struct journal_place *place, struct journal *journal, struct diag *diag)
{
    const struct statement_signer signer = {NULL, sign};
    const struct retention_rules rules = {.keep_us = 1};
    const struct retention retention = {.place = place,
                                        .journal = journal,
                                        .rules = &rules,
                                        .signer = &signer,
                                        .now_us = clock_wall_us(clock_system()) + LATER_US,
                                        .is_delivered = is_delivered};
    struct retention_done done;
    return retention_run(&retention, diag, &done);
}

static struct status
move_cursor(const struct journal_place *place, const struct journal *journal, uint64_t sequence,
            struct diag *diag)
{
    struct ship_cursor cursor = {0};
    struct ship_mark mark = {.sequence = sequence};
    (void)snprintf(mark.chain, sizeof(mark.chain), "%s", journal_chain(journal));
    memset(mark.hash, '0', sizeof(mark.hash) - 1);
    struct status st = ship_cursor_set(&cursor, &mark, diag);
    if (is_ok(st)) {
        st = ship_cursor_store(place->dir, DESTINATION, &cursor, diag);
    }
    ship_cursor_done(&cursor);
    return st;
}

uint64_t
keeper_read_cursor(const char *dir)
{
    struct ship_cursor cursor = {0};
    struct diag diag = {0};
    uint64_t sequence = 0;
    if (is_ok(ship_cursor_load(dir, DESTINATION, &diag, &cursor))) {
        const struct ship_mark *const mark = ship_cursor_of(&cursor, WORK_CHAIN);
        sequence = mark == NULL ? 0 : mark->sequence;
    }
    ship_cursor_done(&cursor);
    return sequence;
}

struct status
keeper_run(const struct journal_place *place, struct journal *journal, struct worker *worker,
           struct diag *diag)
{
    const struct journal_lag lag = journal_read_lag(journal);
    const uint64_t durable = lag.records - lag.waiting;
    TRY(keeper_sign(place, journal, diag));
    if (durable > 0) {
        TRY(move_cursor(place, journal, durable, diag));
        worker->acknowledge(worker->arg, (struct claim){KEEPER_CURSOR, durable});
    }
    return remove_old(place, journal, diag);
}
