/* clock.c: see clock.h. The only place of the worker that asks the machine for the time. */
#include "clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * PAWL_NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t system_mono(const pawl_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_MONOTONIC);
}

static uint64_t system_unix(const pawl_clock *clock)
{
    (void)clock;
    return read_clock(CLOCK_REALTIME);
}

const pawl_clock *pawl_clock_system(void)
{
    static const pawl_clock clock = {system_mono, system_unix};
    return &clock;
}
