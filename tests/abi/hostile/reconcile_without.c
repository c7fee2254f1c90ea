/* reconcile_without.c: declares an effect that can be asked whether it happened, and has no reconcile. */
#define PARTS                                                                                                          \
    "\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"a\",\"input_schema\":true,\"output_schema\":true,"                \
    "\"outcome\":\"reconcile\"}]"
#include "base.h"

HOSTILE;
