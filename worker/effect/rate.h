/* rate.h: a token bucket: so many calls in a span, and so many at once after a quiet time. Owns a few numbers and no
 * lock: its owner has one. Reads no clock. Never lets two calls have one token, and never loses one that was given
 * back. Pure. */
#ifndef PAWL_RATE_H
#define PAWL_RATE_H

#include <stdbool.h>
#include <stdint.h>

/** A wait up to this long is a place kept in line; who must wait longer is told when to come back. */
#define PAWL_RATE_LINE_NS UINT64_C(1000000000)

typedef struct pawl_rate {
    uint64_t interval_ns;  /* between tokens; at least 1 */
    uint32_t burst;        /* tokens a full bucket holds; at least 1 */
    uint64_t full_mono_ns; /* when the bucket will be full, if nobody takes anything more */
    uint64_t back_mono_ns; /* the moment last given to somebody who is to come back */
} pawl_rate;

/** rate calls per per_ns, at most burst of them at once. All at least 1; the bucket is full. */
pawl_rate pawl_rate_make(uint32_t rate, uint64_t per_ns, uint32_t burst);

/** Take a token. 0: it is there. Else the span to wait. *ret_kept: the token is reserved: nothing more is to be asked
 * when the span is over; otherwise ask again then. returning: it was told before to come back now, so that those told
 * to come later do not stand in front of it. */
uint64_t pawl_rate_take(pawl_rate *rate, uint64_t now_mono_ns, bool returning, bool *ret_kept);
/** Put a token back that was not used. */
void pawl_rate_give_back(pawl_rate *rate, uint64_t now_mono_ns);
/** Whole tokens in the bucket now. */
uint32_t pawl_rate_tokens(const pawl_rate *rate, uint64_t now_mono_ns);

#endif
