/* rate.c: see rate.h. The bucket is one moment: when it will be full. A token moves that moment on by an interval, and
 * there is one as long as the moment is less than burst intervals away. */
#include "rate.h"

pawl_rate pawl_rate_make(uint32_t rate, uint64_t per_ns, uint32_t burst)
{
    uint64_t interval = per_ns / (rate == 0 ? 1 : rate);
    return (pawl_rate){.interval_ns = interval == 0 ? 1 : interval, .burst = burst == 0 ? 1 : burst};
}

/* When the next token is there: the moment at which the bucket lacks less than all it can hold. */
static uint64_t next_token(const pawl_rate *rate, uint64_t now)
{
    uint64_t slack = rate->interval_ns * (rate->burst - 1u);
    uint64_t full = rate->full_mono_ns > now ? rate->full_mono_ns : now;
    uint64_t at = full > slack ? full - slack : 0;
    return at > now ? at : now;
}

static void take(pawl_rate *rate, uint64_t now)
{
    uint64_t full = rate->full_mono_ns > now ? rate->full_mono_ns : now;
    rate->full_mono_ns = full + rate->interval_ns;
}

uint64_t pawl_rate_take(pawl_rate *rate, uint64_t now_mono_ns, bool returning, bool *ret_kept)
{
    uint64_t at = next_token(rate, now_mono_ns);
    /* Others were told to come back, and the last of them is not due soon: who comes anew stands behind them. */
    bool line_is_long = !returning && rate->back_mono_ns > now_mono_ns + PAWL_RATE_LINE_NS;
    *ret_kept = at - now_mono_ns <= PAWL_RATE_LINE_NS && !line_is_long;
    if (*ret_kept) {
        take(rate, now_mono_ns);
        return at - now_mono_ns;
    }
    uint64_t back = rate->back_mono_ns + rate->interval_ns;
    rate->back_mono_ns = back > at ? back : at;
    return rate->back_mono_ns - now_mono_ns;
}

void pawl_rate_give_back(pawl_rate *rate, uint64_t now_mono_ns)
{
    if (rate->full_mono_ns >= now_mono_ns + rate->interval_ns)
        rate->full_mono_ns -= rate->interval_ns;
    else if (rate->full_mono_ns > now_mono_ns)
        rate->full_mono_ns = now_mono_ns;
}

uint32_t pawl_rate_tokens(const pawl_rate *rate, uint64_t now_mono_ns)
{
    uint64_t lacks = rate->full_mono_ns > now_mono_ns ? rate->full_mono_ns - now_mono_ns : 0;
    uint64_t missing = (lacks + rate->interval_ns - 1) / rate->interval_ns;
    return missing >= rate->burst ? 0 : rate->burst - (uint32_t)missing;
}
