/* wrong_major.c: was built for another major. */
#define ABI   "{\"major\":2,\"minor\":0}"
#define PARTS "\"kinds\":[\"poem\"]"
#include "base.h"

HOSTILE;
