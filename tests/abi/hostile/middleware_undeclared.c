/* middleware_undeclared.c: tells of middleware, and does not name the kind. */
#define PARTS                                                                                                          \
    "\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"hostile.echo\",\"outcome\":\"idempotent\"}],\"middleware\":{}"
#include "base.h"

HOSTILE;
