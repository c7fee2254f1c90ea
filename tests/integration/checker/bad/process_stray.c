/* process_stray.c: another thread than the one of its activation calls the host. */
#include <pthread.h>

#include "program.h"

static void *log_something(void *process)
{
    pawl_process *p = process;
    p->host->log(p, PAWL_LOG_INFO, pawl_text("stray"), pawl_text("{}"));
    return NULL;
}

static pawl_status program(pawl_process *p)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, log_something, p) == 0)
        pthread_join(thread, NULL);
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    return pawl_complete(p, pawl_text("{}"));
}
PROGRAM;
