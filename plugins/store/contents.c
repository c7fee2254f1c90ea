/* contents.c: see contents.h. */
#include "contents.h"

pawl_status store_contents_open(pawl_store *store, pawl_fault *fault)
{
    (void)store;
    (void)fault;
    return PAWL_OK;
}

void store_contents_close(pawl_store *store)
{
    (void)store;
}
