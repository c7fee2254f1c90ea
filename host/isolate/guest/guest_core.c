/* guest_core.c: what the plugin sees as its host. Sinks, failures, tokens and completions are those of a host; log
 * lines go over the socket. */
#include "guest.h"

#include <string.h>

static pawl_bytes cut(pawl_bytes bytes)
{
    if (bytes.data == NULL)
        bytes.size = 0;
    if (bytes.size > WIRE_LOG_MAX)
        bytes.size = WIRE_LOG_MAX;
    return bytes;
}

static void PAWL_CALL forward_log(const pawl_host_root *host, uint32_t level, pawl_bytes message, pawl_bytes fields)
{
    if (host == NULL || host->host_data == NULL)
        return;
    /* Half an object is none. */
    wire_log line = {level, cut(message), cut(fields.size > WIRE_LOG_MAX ? (pawl_bytes){"", 0} : fields)};
    pawl_sink text;
    pawl_sink_init(&text, SIZE_MAX);
    pawl_wire_log(&text, &line);
    pawl_guest_send(host->host_data, &text, (pawl_bytes){"", 0});
    pawl_sink_finish(&text);
}

static const void *PAWL_CALL get_extension(const pawl_host_root *host, const char *id)
{
    if (host == NULL || id == NULL)
        return NULL;
    if (strcmp(id, PAWL_EXT_CORE) == 0)
        return &((const guest *)host->host_data)->core;
    if (strcmp(id, PAWL_EXT_ATTACHMENTS) == 0)
        return pawl_guest_attachments();
    return NULL;
}

void pawl_guest_root_init(guest *g)
{
    g->data = (pawl_host_data){.clock = pawl_clock_system()};
    g->core = *pawl_core_table();
    g->core.log = forward_log;
    g->root = (pawl_host_root){.struct_size = sizeof g->root,
                               .abi_major = PAWL_ABI_MAJOR,
                               .abi_minor = PAWL_ABI_MINOR,
                               .name = "pawl",
                               .version = g->host_version,
                               .host_data = g,
                               .get_extension = get_extension};
}
