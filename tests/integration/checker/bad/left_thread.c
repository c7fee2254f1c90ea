/* left_thread.c: a thread of it goes on after deinit. */
#define INIT init_thread
#include <pthread.h>
#include <unistd.h>

#include "pawl_plugin.h"

static void *sleep_for_ever(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

static pawl_status PAWL_CALL init_thread(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    pthread_t thread;
    static int begun; /* one for good: left, but no leak that grows */
    (void)host;
    (void)config;
    (void)why;
    if (begun++)
        return PAWL_OK;
    return pthread_create(&thread, NULL, sleep_for_ever, NULL) == 0 ? PAWL_OK : PAWL_E_NOMEM;
}
#include "base.h"
HOSTILE;
