/* left_exec.c: a descriptor that every program somebody starts would inherit. */
#define INIT   init_file
#define DEINIT deinit_file
#include <fcntl.h>
#include <unistd.h>

#include "pawl_plugin.h"

static int opened[64];
static int count;

static pawl_status PAWL_CALL init_file(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    if (count == 64)
        return PAWL_E_LIMIT;
    opened[count] = open("/dev/null", O_RDONLY);
    return opened[count++] >= 0 ? PAWL_OK : PAWL_E_IO;
}

static void PAWL_CALL deinit_file(const pawl_host_root *host)
{
    (void)host;
    close(opened[--count]);
}
#include "base.h"
HOSTILE;
