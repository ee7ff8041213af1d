/*
 * xoshiro256** and what is drawn from it. Called by the generator only.
 */
#include "tests/synth/random.h"

#include <assert.h>

static uint64_t
splitmix_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void
random_init(struct random *random, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++) {
        random->state[i] = splitmix_next(&seed);
    }
}

static uint64_t
rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t
random_next(struct random *random)
{
    uint64_t *s = random->state;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

size_t
random_below(struct random *random, size_t n)
{
    assert(n > 0);
    /* The bias of a remainder is far below what sample data could show. */
    return (size_t)(random_next(random) % n);
}

int
random_between(struct random *random, int least, int most)
{
    assert(least <= most);
    return least + (int)random_below(random, (size_t)(most - least) + 1);
}

bool
random_chance(struct random *random, int percent)
{
    return random_between(random, 1, 100) <= percent;
}

void
random_shuffle(struct random *random, size_t *items, size_t n)
{
    for (size_t i = n; i > 1; i--) {
        const size_t j = random_below(random, i);
        const size_t kept = items[i - 1];

        items[i - 1] = items[j];
        items[j] = kept;
    }
}
