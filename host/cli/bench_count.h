/* bench_count.h: what the counted step of `bench recover` leaves behind each time it runs, however its program ends. */
#ifndef PAWL_CLI_BENCH_COUNT_H
#define PAWL_CLI_BENCH_COUNT_H

#include <stdint.h>

/* Appended whole to the file that the step is told. */
typedef struct pawl_bench_count {
    uint64_t mono_ns;
    uint32_t pid; /* of the program it ran in; also the step's result */
    uint32_t number;
    uint32_t step;
    uint32_t reserved0;
} pawl_bench_count;

#endif
