/* sampled.h: an effect with a sample in its manifest, whose `execute` is EXECUTE. */
#ifndef PAWL_TESTS_CHECKER_SAMPLED_H
#define PAWL_TESTS_CHECKER_SAMPLED_H

#ifndef OUTCOME
#define OUTCOME "idempotent"
#endif
#ifndef MORE /* what else the manifest says of the effect */
#define MORE ""
#endif
#ifndef EXAMPLES
#define EXAMPLES "{\"input\":{\"a\":1}}"
#endif
#define PARTS                                                                                                          \
    "\"kinds\":[\"effect\"],\"effects\":[{\"name\":\"bad.effect\",\"outcome\":\"" OUTCOME "\",\"examples\":[" EXAMPLES \
    "]" MORE "}]"
#ifndef START
#define START NULL
#endif
#ifndef RECONCILE
#define RECONCILE NULL
#endif
#define TABLE &sampled_table
#define SAMPLED                                                                                                        \
    PAWL_EFFECT_TABLE(sampled_table, EXECUTE, START, RECONCILE);                                                       \
    HOSTILE
#include "base.h"

/* The sample, and so a call that shall do something special? */
static int PAWL_UNUSED_ is_sample(const pawl_effect_call *call)
{
    return pawl_is(call->input, "{\"a\":1}");
}

static int PAWL_UNUSED_ is_slow(const pawl_effect_call *call)
{
    return pawl_is(call->input, "{\"slow\":1}");
}

#endif
