/* fence.h: bytes lent to a plugin. Plain ones stand as a host's do, with a NUL behind them that nobody promised. Fenced
 * ones end where memory ends, cannot be written to, and are out of reach once they were taken back: whoever reads past
 * them, changes them or keeps them dies of it. [any] */
#ifndef PAWL_HOST_CHECKER_FENCE_H
#define PAWL_HOST_CHECKER_FENCE_H

#include "pawl_abi.h"

#include <stdbool.h>

typedef struct fence {
    pawl_bytes bytes;
    void *base;    /* of malloc, or of the mapping */
    size_t mapped; /* 0: plain */
} fence;

/** A copy of the bytes; `data` is NULL when there are none. Out of memory ends the program. */
fence lab_fence_make(pawl_bytes bytes, bool fenced);
/** Take them back. */
void lab_fence_drop(fence *f);

#endif
