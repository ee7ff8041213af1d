/*
 * The system's clocks, and one for tests that moves by hand. Called by everything that needs the
 * time, any thread; a fake clock belongs to the test that made it.
 */
#include "base/clock.h"

#include <stddef.h>
#include <stdlib.h>
#include <time.h>

static int64_t
read_clock_us(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0) {
        abort(); /* both clocks exist on every kernel we run on; without time nothing is safe */
    }
    return (int64_t)now.tv_sec * US_PER_S + (int64_t)now.tv_nsec / 1000;
}

static int64_t
system_wall_us(const struct clock *clock)
{
    (void)clock;
    return read_clock_us(CLOCK_REALTIME);
}

static int64_t
system_mono_us(const struct clock *clock)
{
    (void)clock;
    return read_clock_us(CLOCK_MONOTONIC);
}

const struct clock *
clock_system(void)
{
    static const struct clock system = {system_wall_us, system_mono_us};
    return &system;
}

static int64_t
fake_wall_us(const struct clock *clock)
{
    return ((const struct fake_clock *)clock)->wall_us;
}

static int64_t
fake_mono_us(const struct clock *clock)
{
    return ((const struct fake_clock *)clock)->mono_us;
}

void
fake_clock_init(struct fake_clock *fake, int64_t wall_us)
{
    *fake = (struct fake_clock){{fake_wall_us, fake_mono_us}, wall_us, 0};
}

void
fake_clock_advance(struct fake_clock *fake, int64_t us)
{
    fake->wall_us += us;
    fake->mono_us += us;
}
