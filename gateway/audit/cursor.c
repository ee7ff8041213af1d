/*
 * Records by name, through a few chains that are kept open where they were read last. Called by
 * `isthmus audit` on its thread.
 */
#include "audit/cursor.h"

#include <inttypes.h>
#include <string.h>

#include "audit/chain.h"
#include "base/mem.h"

#define CHAINS_OPEN  16
#define NEAR_RECORDS 5000 /* reading on is cheaper than beginning anew so far */

struct journal_cursor {
    const struct journal_place *place;
    struct chain *chains[CHAINS_OPEN];
    size_t next; /* the one that goes when another is wanted */
};

struct status
journal_cursor_open(const struct journal_place *place, struct diag *diag,
                    struct journal_cursor **ret_cursor)
{
    struct journal_cursor *cursor = mem_alloc(sizeof(*cursor));

    if (cursor == NULL) {
        return FAIL(diag, ERR_NO_MEMORY, "no memory to read a journal");
    }
    *cursor = (struct journal_cursor){.place = place};
    *ret_cursor = cursor;
    return OK;
}

void
journal_cursor_close(struct journal_cursor *cursor)
{
    if (cursor == NULL) {
        return;
    }
    for (size_t i = 0; i < CHAINS_OPEN; i++) {
        chain_close(cursor->chains[i]);
    }
    mem_free(cursor);
}

/* Where the chain is open, or a place for it. */
static size_t
slot_of(struct journal_cursor *cursor, const char *name)
{
    for (size_t i = 0; i < CHAINS_OPEN; i++) {
        if (cursor->chains[i] != NULL && strcmp(cursor->chains[i]->name, name) == 0) {
            return i;
        }
    }
    cursor->next = (cursor->next + 1) % CHAINS_OPEN;
    return cursor->next;
}

static bool
is_ahead(const struct chain *chain, const char *name, uint64_t sequence)
{
    return chain != NULL && strcmp(chain->name, name) == 0 && sequence >= chain->sequence &&
           sequence - chain->sequence < NEAR_RECORDS;
}

static struct status
read_to(struct chain *chain, uint64_t sequence, struct diag *diag, bool *ret_has)
{
    do {
        TRY(chain_next(chain, diag, ret_has));
    } while (*ret_has && chain->head.sequence < sequence);
    return OK;
}

static struct status
find_record(struct journal_cursor *cursor, size_t slot, const char *name, uint64_t sequence,
            struct diag *diag, bool *ret_has)
{
    struct chain **const chain = &cursor->chains[slot];

    if (!is_ahead(*chain, name, sequence)) {
        chain_close(*chain);
        *chain = NULL;
        TRY(chain_open(cursor->place, name, sequence, diag, chain));
    }
    return read_to(*chain, sequence, diag, ret_has);
}

static struct status
describe(struct chain *chain, struct diag *diag, struct journal_record *ret_record)
{
    struct span payload = SPAN_EMPTY;

    TRY(chain_payload(chain, diag, &payload));
    *ret_record = (struct journal_record){
        .chain = chain->name,
        .sequence = chain->head.sequence,
        .time_us = chain->head.wall_us,
        .payload = payload,
    };
    hex_encode(chain->previous, SHA256_BYTES, ret_record->hash);
    return OK;
}

struct status
journal_cursor_read(struct journal_cursor *cursor, const char *chain, uint64_t sequence,
                    struct diag *diag, struct journal_record *ret_record)
{
    const size_t slot = slot_of(cursor, chain);
    bool has = false;
    const struct status st = find_record(cursor, slot, chain, sequence, diag, &has);

    if (!is_ok(st)) { /* what follows damage is looked for anew */
        chain_close(cursor->chains[slot]);
        cursor->chains[slot] = NULL;
        return st;
    }
    const struct record_head *const head = &cursor->chains[slot]->head;
    if (!has || head->sequence != sequence || head->type != RECORD_EVENT) {
        return FAIL(diag, ERR_NOT_FOUND, "chain '%s' has no record %" PRIu64, chain, sequence);
    }
    return describe(cursor->chains[slot], diag, ret_record);
}
