/* two_manifests.c: has two notes. */
#include "base.h"

HOSTILE;
static const struct {
    uint32_t sizes[3];
    char name[8];
    char text[4];
} second PAWL_NOTE_PLACE_ = {{5, 2, PAWL_NOTE_TYPE_MANIFEST}, "Pawl", "{}"};
