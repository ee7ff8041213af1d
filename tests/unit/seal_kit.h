/*
 * What the tests of signed statements share: a journal with a sealer that is moved by hand, a clock
 * that is too, signed with real keys (certs_world.h), and forgeries: a chain taken to pieces and
 * written anew with every hash and CRC right. Thread: the test's.
 */
#ifndef SEAL_KIT_H
#define SEAL_KIT_H

#include "audit/sealer.h"
#include "audit/verify.h"
#include "certs_world.h"
#include "cli/audit_judge.h"
#include "journal_kit.h"

#define SEAL_CHAIN "serve"

struct seal_kit {
    char dir[PATH_MAX];
    struct journal_place place;
    struct fake_clock clock;
    struct journal *journal; /* NULL: closed */
    struct sealer *sealer;
    struct sealer_settings settings;
    const struct credential *credential; /* NULL: signing fails */
    struct audit_judge judge;
    uint64_t delivered; /* up to this record of each chain */
    uint64_t events;    /* appended */
};
/* Opens <name> with segments of so many bytes; checkpoints after 5 records or 60 s; red signs. */
void seal_kit_open(struct seal_kit *kit, const char *name, uint64_t segment_bytes);
void seal_kit_reopen(struct seal_kit *kit, uint64_t segment_bytes); /* as the next process */
void seal_kit_close(struct seal_kit *kit);                          /* sealer, then journal */
void seal_kit_append(struct seal_kit *kit, size_t n);
void seal_kit_look(struct seal_kit *kit, int64_t later_us); /* after so much time */
struct sealer_state seal_kit_state(struct seal_kit *kit);

/* One chain's report; its texts are copied. */
struct seal_report {
    struct journal_chain_report report;
    char problem[DIAG_TEXT_MAX];
    char statement[16384];
    unsigned chains;
};
/* Of the chain SEAL_CHAIN, by the kit's judge. */
struct seal_report seal_kit_verify(const struct seal_kit *kit, const struct verify_list *against);
/* It holds, with so many checkpoints. */
void seal_kit_check_good(const struct seal_kit *kit, uint64_t checkpoints);
/* It does not, and the problem has these words. */
void seal_kit_check_broken(const struct seal_kit *kit, const struct verify_list *against,
                           const char *words);

/* ---- forgeries: of a closed journal with one segment ---- */
enum { SEAL_PIECES = 512 };
struct seal_piece {
    struct record_head head; /* type and times count */
    struct buf payload;
};
struct seal_pieces {
    struct seal_piece items[SEAL_PIECES];
    size_t n;
};
void seal_kit_take_apart(const struct seal_kit *kit, struct seal_pieces *ret_pieces);
/* Writes the chain anew, from sequence <first> on, behind <previous>. */
void seal_kit_put_together(const struct seal_kit *kit, const struct seal_pieces *pieces,
                           uint64_t first, const uint8_t previous[SHA256_BYTES]);
void seal_kit_drop(struct seal_pieces *pieces, size_t at);
void seal_kit_pieces_done(struct seal_pieces *pieces);
/* Signs <text> with <credential> in the payload's place. */
void seal_kit_sign(const struct credential *credential, struct span text, struct buf *payload);
/* Where record <sequence> of the pieces would stand: hash, and root of one segment from 1. */
void seal_kit_stand(const struct seal_pieces *pieces, uint64_t sequence,
                    struct checkpoint *ret_checkpoint);

#endif
