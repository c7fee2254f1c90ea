/* memory_store.c: the memory provider as a plugin of its own, as a third party would ship one: what `pawl plugin check`
 * sees of a good one. */
#include "pawl_plugin.h"
#include "plugins/memory/memory.h"

static pawl_status PAWL_CALL init(const pawl_host_root *host, pawl_bytes config, pawl_failure_sink *why)
{
    return pawl_memory_plugin()->init(host, config, why);
}

static void PAWL_CALL deinit(const pawl_host_root *host)
{
    pawl_memory_plugin()->deinit(host);
}

static const void *PAWL_CALL get_factory(const char *id)
{
    return pawl_memory_plugin()->get_factory(id);
}

PAWL_PLUGIN("test.memory", "1.0.0", "Test",
            "{\"manifest_version\":1,\"id\":\"test.memory\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"
            "\"kinds\":[\"storage\"],\"facets\":[{\"facet\":\"attachment\",\"tier\":\"inline\"},"
            "{\"facet\":\"artifact\",\"tier\":\"inline\"},{\"facet\":\"session\",\"tier\":\"inline\"},"
            "{\"facet\":\"registry\",\"tier\":\"inline\"}]}",
            init, deinit, get_factory);
