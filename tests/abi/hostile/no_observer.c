/* no_observer.c: declares an observer, and has none. */
#define PARTS                                                                                                          \
    "\"kinds\":[\"effect\",\"observer\"],\"effects\":[{\"name\":\"hostile.echo\",\"outcome\":\"idempotent\"}],"        \
    "\"observer\":{}"
#include "base.h"

HOSTILE;
