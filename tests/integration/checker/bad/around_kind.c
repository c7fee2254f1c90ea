/* around_kind.c: an observer that dies of a kind that it does not know. */
#define OBSERVE look_closely
#include "around.h"

static void PAWL_CALL look_closely(pawl_observer *observer, const pawl_observation *observation)
{
    if (observation->kind > PAWL_OBSERVED_LEASE_LOST)
        abort();
    look(observer, observation);
}
AROUND;
