/* around_answer.c: middleware that answers what it may not. */
#define BEFORE answer_oddly
#include "around.h"

static pawl_status PAWL_CALL answer_oddly(pawl_middleware *instance, const pawl_attempt *attempt, uint64_t *ticket,
                                          uint64_t *wait_ns, pawl_failure_sink *why)
{
    (void)let_pass(instance, attempt, ticket, wait_ns, why);
    return 42;
}
AROUND;
