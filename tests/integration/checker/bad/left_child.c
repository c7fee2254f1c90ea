/* left_child.c: a child process of it is neither ended nor waited for. */
#define INIT init_child
#include <unistd.h>

#include "pawl_plugin.h"

static pawl_status PAWL_CALL init_child(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    if (fork() == 0) {
        pause();
        _exit(0);
    }
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
