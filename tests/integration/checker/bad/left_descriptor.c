/* left_descriptor.c: a descriptor of it stays open after deinit. */
#define INIT init_file
#include <fcntl.h>

#include "pawl_plugin.h"

static pawl_status PAWL_CALL init_file(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    static int kept = -1; /* one for good: that is a descriptor left, not a leak that grows */
    (void)host;
    (void)config;
    (void)why;
    if (kept < 0)
        kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return kept >= 0 ? PAWL_OK : PAWL_E_IO;
}
#include "base.h"
HOSTILE;
