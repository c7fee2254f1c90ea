/* fleet.h: two or three workers over one store, a random load, and whatever can happen to them, chosen by a seed; and
 * the judgement of all of it. Owns what it starts; one call is one run. [the test's thread] */
#ifndef PAWL_TEST_FLEET_FLEET_H
#define PAWL_TEST_FLEET_FLEET_H

#include "auditor.h"

typedef struct fleet_plan {
    const char *provider; /* "memory" or "rocksdb" */
    uint64_t seed;        /* printed */
    uint32_t workers;     /* at most 4 */
    uint32_t processes;
    uint32_t rounds; /* of trouble; a few milliseconds each */
    bool weather;    /* the registry fails and fences by chance */
    bool reopen;     /* half-way every worker ends, and the store is closed and opened again */
    bool jumps;      /* the time of day is set by hours and months */
    bool skewed;     /* each worker has another time of day, and another monotonic clock, than the store */
} fleet_plan;

/** Run it, let everything come to rest, judge it. Fails the test with all findings when there is one. */
void fleet_run(const fleet_plan *plan, auditor_report *ret);
/** The seed of a test: PAWL_SEED when that is set. */
uint64_t fleet_seed(uint64_t otherwise);

#endif
