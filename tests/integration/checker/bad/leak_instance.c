/* leak_instance.c: destroy does not free everything. */
#define DESTROY destroy_little
#include "connector.h"

static void PAWL_CALL destroy_little(pawl_connector *instance)
{
    (void)instance;
}
BAD_CONNECTOR;
