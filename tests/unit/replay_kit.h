/* What the tests of the replay memory share: a memory in a fresh folder, and messages in a line. */
#ifndef REPLAY_KIT_H
#define REPLAY_KIT_H

#include <sys/types.h>

#include "store/replay_memory.h"
#include "tests/unit/unit.h"

#define REPLAY_KIT_NOW_US (1000000 * US_PER_S)
#define REPLAY_KIT_MOST   2000000 /* keys of a partner: more than any test has */

extern struct fake_clock replay_kit_clock;
extern int64_t replay_kit_step_us; /* by which replay_kit_fill moves the clock for each message */
extern const uint8_t replay_kit_id[REPLAY_ID_BYTES];

const char *replay_kit_folder(void); /* a name that no test has used; until the next call */
/* Opens, loads and begins. */
struct replay_memory *replay_kit_start(const char *folder, bool is_new, bool want_lost);
/* As after kill -9: nobody synced. */
struct replay_memory *replay_kit_start_again(struct replay_memory *memory, const char *folder,
                                             bool want_lost);
/* One message with one key. Checks nothing: for threads, too. */
struct status replay_kit_remember(struct replay_memory *memory, const char *partner,
                                  uint64_t number, int64_t life_us, size_t keys_max,
                                  struct diag *diag, size_t *ret_evicted);
void replay_kit_expect(struct replay_memory *memory, const char *partner, uint64_t number,
                       int64_t life_us, enum err want);
/* <n> messages from <first> on; how many keys they pushed out. */
size_t replay_kit_fill(struct replay_memory *memory, const char *partner, uint64_t first,
                       uint64_t n, int64_t life_us, size_t keys_max);

const char *replay_kit_segment(const char *folder, unsigned number); /* its path; until the next */
off_t replay_kit_size(const char *path);                             /* -1: not there */

#endif
