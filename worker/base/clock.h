/* clock.h: time comes in through here, so that a test can turn it. [any] */
#ifndef PAWL_BASE_CLOCK_H
#define PAWL_BASE_CLOCK_H

#include <stdint.h>

#define PAWL_NS_PER_MS     UINT64_C(1000000)
#define PAWL_NS_PER_SECOND UINT64_C(1000000000)

typedef struct pawl_clock {
    uint64_t (*mono_ns)(const struct pawl_clock *clock);
    uint64_t (*unix_ns)(const struct pawl_clock *clock);
} pawl_clock;

/** The machine's clocks. */
const pawl_clock *pawl_clock_system(void);

#endif
