/* state_locale.c: init changes the locale. */
#define INIT init_rude
#include "pawl_plugin.h"
#include <locale.h>

static pawl_status PAWL_CALL init_rude(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    (void)host;
    (void)config;
    (void)why;
    setlocale(LC_ALL, "C.UTF-8");
    return PAWL_OK;
}
#include "base.h"
HOSTILE;
