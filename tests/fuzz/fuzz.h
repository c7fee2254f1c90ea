/* fuzz.h: what the fuzz targets share. Each target is one file with LLVMFuzzerTestOneInput: libFuzzer calls it with
 * bytes of its making (`./dev fuzz`), and corpus_main.c with every file of the corpus (the default suite). A target
 * checks properties; that it does not crash is the sanitizers' part. Never keeps anything from one input to the next.
 */
#ifndef PAWL_FUZZ_H
#define PAWL_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stays on in every build; abort() is what libFuzzer takes as a finding. */
#define FUZZ_CHECK(condition)                                                                                          \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            (void)fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                       \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

#endif
