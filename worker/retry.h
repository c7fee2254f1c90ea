/* retry.h: when a failed attempt is followed by another. Pure. [any] */
#ifndef PAWL_RETRY_H
#define PAWL_RETRY_H

#include "pawl_abi.h"

#include <stdbool.h>

typedef struct pawl_retry_policy {
    uint32_t attempts_max;     /* 0: no limit */
    bool pause_when_exhausted; /* park the process instead of giving it the failure */
    uint64_t first_delay_ns;
    double factor; /* >= 1 */
    uint64_t delay_max_ns;
    double jitter;                    /* 0..1: up to this part of the delay is taken off at random */
    uint64_t elapsed_max_ns;          /* since the first attempt; 0: no limit */
    const char *const *non_retryable; /* codes, NULL-terminated, or NULL; lives as long as the policy */
} pawl_retry_policy;

/** 5 attempts, 200 ms doubling to 30 s, jitter 0.2, 1 h in all. */
pawl_retry_policy pawl_retry_default(void);

/** May attempt `attempt` (1 and up), which just failed like this, be followed by another? *ret_delay_ns: after how
 * long. random: any number, for the jitter. A failure's retry_after_ns is a floor. */
bool pawl_retry_next(const pawl_retry_policy *policy, uint32_t attempt, uint64_t elapsed_ns,
                     const pawl_failure *failure, uint64_t random, uint64_t *ret_delay_ns);

#endif
