/* entry_thread.c: a constructor starts a thread. */
#include <pthread.h>
#include <unistd.h>

#include "base.h"

static void *sleep_for_ever(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

__attribute__((constructor)) static void begin(void)
{
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_for_ever, NULL);
}
HOSTILE;
