/* retry.c: see retry.h. */
#include "retry.h"

#include <string.h>

pawl_retry_policy pawl_retry_default(void)
{
    pawl_retry_policy policy = {
        .attempts_max = 5,
        .first_delay_ns = UINT64_C(200000000),
        .factor = 2.0,
        .delay_max_ns = UINT64_C(30000000000),
        .jitter = 0.2,
        .elapsed_max_ns = UINT64_C(3600000000000),
    };
    return policy;
}

static bool listed(const char *const *codes, pawl_bytes code)
{
    for (; codes != NULL && *codes != NULL; codes++)
        if (strlen(*codes) == code.size && (code.size == 0 || memcmp(*codes, code.data, code.size) == 0))
            return true;
    return false;
}

/* Grows step by step and stops at the maximum: no overflow however large attempt is. */
static double delay_before_jitter(const pawl_retry_policy *policy, uint32_t attempt)
{
    double factor = policy->factor > 1.0 ? policy->factor : 1.0;
    double max = (double)policy->delay_max_ns;
    double delay = (double)policy->first_delay_ns;
    if (factor > 1.0 && delay > 0)
        for (uint32_t i = 1; i < attempt && delay < max; i++)
            delay *= factor;
    return delay < max ? delay : max;
}

bool pawl_retry_next(const pawl_retry_policy *policy, uint32_t attempt, uint64_t elapsed_ns,
                     const pawl_failure *failure, uint64_t random, uint64_t *ret_delay_ns)
{
    if (failure != NULL && (failure->klass == PAWL_TERMINAL || listed(policy->non_retryable, failure->code)))
        return false;
    if (policy->attempts_max != 0 && attempt >= policy->attempts_max)
        return false;
    double jitter = policy->jitter > 1.0 ? 1.0 : policy->jitter > 0.0 ? policy->jitter : 0.0;
    double part = (double)(random >> 11) / 9007199254740992.0; /* 53 bits: 0 <= part < 1 */
    uint64_t delay = (uint64_t)(delay_before_jitter(policy, attempt) * (1.0 - jitter * part));
    if (failure != NULL && failure->retry_after_ns > delay)
        delay = failure->retry_after_ns;
    bool too_late = elapsed_ns >= policy->elapsed_max_ns || delay > policy->elapsed_max_ns - elapsed_ns;
    if (policy->elapsed_max_ns != 0 && too_late)
        return false;
    *ret_delay_ns = delay;
    return true;
}
