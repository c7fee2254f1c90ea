/* sigpipe.c: see sigpipe.h. */
#include "plugins/connector/sigpipe.h"

#include <pthread.h>
#include <stddef.h>
#include <time.h>

static void only_sigpipe(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

void pawl_connector_sigpipe_hold(pawl_connector_sigpipe *held)
{
    sigset_t pending, set;
    only_sigpipe(&set);
    sigemptyset(&pending);
    sigpending(&pending);
    held->was_pending = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &set, &held->before);
}

void pawl_connector_sigpipe_release(const pawl_connector_sigpipe *held)
{
    const struct timespec at_once = {0, 0};
    sigset_t set;
    only_sigpipe(&set);
    if (!held->was_pending)
        while (sigtimedwait(&set, NULL, &at_once) == SIGPIPE)
            continue;
    pthread_sigmask(SIG_SETMASK, &held->before, NULL);
}
