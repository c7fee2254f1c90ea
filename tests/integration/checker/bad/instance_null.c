/* instance_null.c: destroy does not expect NULL. */
#define DESTROY destroy_blindly
#include "connector.h"

static void PAWL_CALL destroy_blindly(pawl_connector *instance)
{
    volatile int *calls = &instance->calls;
    *calls = -1;
    free(instance);
}
BAD_CONNECTOR;
