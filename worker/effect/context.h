/* context.h: which process and step an effect call belongs to: what pawl_call_context is. Read by host extensions such
 * as pawl.attachments/1. Lives as long as the call. */
#ifndef PAWL_CONTEXT_H
#define PAWL_CONTEXT_H

#include "pawl_abi.h"

struct pawl_call_context {
    const pawl_host_root *host;
    pawl_bytes process; /* id */
    pawl_bytes session; /* may be empty: then what the process stores belongs to "process:<id>" */
    uint64_t ordinal;
    uint32_t attempt;
};

#endif
