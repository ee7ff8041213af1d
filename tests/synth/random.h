/*
 * The generator's own random numbers: the same seed gives the same numbers on every machine and
 * with every library. xoshiro256** by Blackman and Vigna, seeded by splitmix64; both in the public
 * domain. Not for secrets. Thread: one at a time.
 */
#ifndef SYNTH_RANDOM_H
#define SYNTH_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_init(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
size_t random_below(struct random *random, size_t n);           /* 0 ... n - 1; n is not 0 */
int random_between(struct random *random, int least, int most); /* both may come */
bool random_chance(struct random *random, int percent);
void random_shuffle(struct random *random, size_t *items, size_t n);

#define RANDOM_PICK(random, array) ((array)[random_below((random), ARRAY_LEN(array))])

#endif
