/*
 * How far a destination has got the journal: of each chain the last record that is known to be
 * there, in <journal>/.delivered/<destination>. Shipping moves it on; retention asks it what may
 * go.
 *
 * The file is text: "isthmus-delivered 1", then one line per chain: its name, the sequence and the
 * SHA-256 of that record, so that a chain which was replaced is told from one that went on. It is
 * replaced as a whole, so a reader never sees half of it.
 *
 * Owner: the caller. Thread: one at a time; one process writes it.
 */
#ifndef AUDIT_SHIP_CURSOR_H
#define AUDIT_SHIP_CURSOR_H

#include "audit/record.h"
#include "base/diag.h"

#define SHIP_CURSOR_FOLDER                                                                         \
    ".delivered"         /* under the journal's; no chain's name starts with a dot                 \
                          */
#define SHIP_NAME_MAX 32 /* of a destination: lower-case letters, digits, '-', '_' */

struct ship_mark {
    char chain[JOURNAL_CHAIN_MAX + 1];
    uint64_t sequence;
    char hash[SHA256_HEX];
};

struct ship_cursor {
    struct ship_mark *items;
    size_t n, capacity;
};

/* Adds to an empty cursor what the file says; nothing when there is none. ERR_JOURNAL names what
 * cannot be read: then nothing is known to be delivered. */
MUST_CHECK struct status ship_cursor_load(const char *dir, const char *destination,
                                          struct diag *diag, struct ship_cursor *cursor);
/* Durable when it returns. ERR_JOURNAL. */
MUST_CHECK struct status ship_cursor_store(const char *dir, const char *destination,
                                           const struct ship_cursor *cursor, struct diag *diag);
/* NULL: nothing of this chain. Valid until the next ship_cursor_set. */
const struct ship_mark *ship_cursor_of(const struct ship_cursor *cursor, const char *chain);
MUST_CHECK struct status ship_cursor_set(struct ship_cursor *cursor, const struct ship_mark *mark,
                                         struct diag *diag);
void ship_cursor_done(struct ship_cursor *cursor);

#endif
