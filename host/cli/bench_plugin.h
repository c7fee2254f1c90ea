/* bench_plugin.h: the process types that `pawl bench` runs, linked into the program: bench.start ends at once,
 * bench.steps does K steps (its input is K), bench.sleep sleeps 10 ms, bench.signal waits for a signal "go". */
#ifndef PAWL_CLI_BENCH_PLUGIN_H
#define PAWL_CLI_BENCH_PLUGIN_H

#include "pawl_abi.h"

const pawl_plugin_root *pawl_bench_plugin(void);

#endif
