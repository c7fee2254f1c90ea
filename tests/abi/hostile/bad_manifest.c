/* bad_manifest.c: has a manifest with a mistake deep inside. */
#define OPERATION ",\"runs\":\"pol\""
#include "base.h"

HOSTILE;
