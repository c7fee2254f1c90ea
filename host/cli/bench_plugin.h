/* bench_plugin.h: the process types that `pawl bench` runs, linked into the program; pawl-bench.so has them for a
 * server.
 *
 *   bench.steps    input K or [K, BYTES]: K steps one after the other, each gives 100 bytes, or so many
 *   bench.start    input MS: sleeps so long
 *   bench.sleep    input MS: sleeps so long; its output is by how many nanoseconds it woke too late
 *   bench.signal   waits for a signal "go"
 *   bench.long     input K: K steps; its output is the time each of the first tenth took, and of the last, and
 *                  the same in processor time
 *   bench.recover  input [NUMBER, K, KILL_AT, FILE]: K steps that say in a file that they ran; its output is where they
 * ran */
#ifndef PAWL_CLI_BENCH_PLUGIN_H
#define PAWL_CLI_BENCH_PLUGIN_H

#include "pawl_abi.h"

const pawl_plugin_root *pawl_bench_plugin(void);
/** Middleware and an observer that do nothing (bench_around.c); "pawl.bench-around". */
const pawl_plugin_root *pawl_bench_around(void);

#endif
