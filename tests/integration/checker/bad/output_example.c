/* output_example.c: its example gives something else than it says. */
#define EXECUTE  echo
#define EXAMPLES "{\"input\":{\"a\":1},\"output\":{\"properties\":{\"a\":{\"type\":\"string\"}}}}"
#include "sampled.h"
SAMPLED;
