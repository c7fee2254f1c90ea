/* session_collect.c: see session_collect.h. Apart from the test, whose process code has names that a host has, too. */
#include "session_collect.h"

#include "host/host_internal.h"

pawl_status session_collect(pawl_host *host)
{
    const pawl_attachment_table *table = host->attachments.table;
    pawl_attachment_collect pass = {.struct_size = sizeof pass, .limit = 1, .before_unix_ns = UINT64_MAX};
    pawl_status status;
    do
        status = table->collect(host->attachments.store, &pass, NULL);
    while (status == PAWL_OK && pass.removed == pass.limit);
    return status;
}
