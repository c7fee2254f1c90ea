/* async_without_start.c: declares an asynchronous effect and has no start. */
#define OPERATION ",\"runs\":\"async\""
#include "base.h"

HOSTILE;
