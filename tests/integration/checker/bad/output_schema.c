/* output_schema.c: it gives something else than its manifest says. */
#define EXECUTE echo
#define MORE    ",\"output_schema\":{\"type\":\"object\",\"required\":[\"b\"]}"
#include "sampled.h"
SAMPLED;
