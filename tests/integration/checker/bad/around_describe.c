/* around_describe.c: middleware whose description is no JSON. */
#define DESCRIBE describe_badly
#include "around.h"

static pawl_status PAWL_CALL describe_badly(pawl_middleware *instance, pawl_sink *json)
{
    (void)instance;
    (void)json;
    return PAWL_OK;
}
AROUND;
