/* around_leak.c: an observer that is never freed. */
#define DESTROY_OBSERVER destroy_not
#include "pawl_plugin.h"

static void PAWL_CALL destroy_not(pawl_observer *observer)
{
    (void)observer;
}
#include "around.h"
AROUND;
