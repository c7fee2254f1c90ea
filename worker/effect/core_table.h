/* core_table.h: the pawl.core/1 table that plugins use: sinks, failures, cancel tokens, completions, clock, log. The
 * same table for every host in a program; what belongs to one host is reached through its root's host_data. [any] */
#ifndef PAWL_CORE_TABLE_H
#define PAWL_CORE_TABLE_H

#include "worker/base/clock.h"
#include "worker/base/log.h"

/** What host_data of a pawl_host_root points to. The host embeds it as the first member of its own struct. */
typedef struct pawl_host_data {
    const pawl_clock *clock;
    const pawl_log *log;
    const char *source; /* who logs: a plugin's id; each plugin gets a root of its own */
} pawl_host_data;

/** What a pawl_completion is. Whoever starts something that ends later embeds it as the first member of its own struct;
 *  `complete` is called once, on any thread, must not block, and copies what it keeps. */
struct pawl_completion {
    void (*complete)(pawl_completion *completion, pawl_status status, pawl_bytes result, const pawl_failure *failure);
};

const pawl_core *pawl_core_table(void);

#endif
