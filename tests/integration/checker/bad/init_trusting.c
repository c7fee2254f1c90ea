/* init_trusting.c: it uses an extension without looking whether the host has it. */
#define INIT init_trusting
#include "pawl_plugin.h"

static pawl_status PAWL_CALL init_trusting(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    const pawl_attachments *attachments = host->get_extension(host, PAWL_EXT_ATTACHMENTS);
    (void)config;
    (void)why;
    return attachments->struct_size > 0 ? PAWL_OK : PAWL_E_UNSUPPORTED;
}
#include "base.h"
HOSTILE;
