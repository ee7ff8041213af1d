/*
 * Time, injectable: production uses the system's clocks, tests one that they move by hand.
 *
 * Two kinds: wall time (microseconds since 1970-01-01 UTC; for messages, certificates and audit)
 * and monotonic time (microseconds since an arbitrary start; for deadlines). Never mix them.
 * Thread: any.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define US_PER_S  INT64_C(1000000)
#define US_PER_MS INT64_C(1000)

struct clock {
    int64_t (*wall_us)(const struct clock *clock);
    int64_t (*mono_us)(const struct clock *clock);
};

const struct clock *clock_system(void);

static inline int64_t
clock_wall_us(const struct clock *clock)
{
    return clock->wall_us(clock);
}

static inline int64_t
clock_mono_us(const struct clock *clock)
{
    return clock->mono_us(clock);
}

/* A clock that stands still until it is moved. &fake.clock is what the code under test gets. */
struct fake_clock {
    struct clock clock;      /* first member */
    _Atomic int64_t wall_us; /* other threads may look while it is moved */
    _Atomic int64_t mono_us;
};
void fake_clock_init(struct fake_clock *fake, int64_t wall_us);
void fake_clock_advance(struct fake_clock *fake, int64_t us);

#endif
