/* storage_empty.c: a facet that keeps nothing. */
#include "storage.h"
STORE;
