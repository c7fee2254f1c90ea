// @NAME@.cpp: the effect @NAME@.stamp, which gives its input back with the key of the call.
#include <pawl.hpp>

#include "pawl_manifest.h" // made of manifest.json

// What is thrown ends at the edge of the plugin: a pawl::failure as what it says, anything else as nobody knows what.
static std::string stamp(const pawl::call &call)
{
    if (call.should_stop()) // what takes long looks here now and then
        throw pawl::failure::retryable("@NAME@.stopped", "asked to stop before anything was done");
    if (call.input().size() <= 2) // {}
        throw pawl::failure("@NAME@.nothing", "there is nothing to stamp");
    return "{\"stamped\":" + std::string(call.input()) + ",\"key\":" + pawl::json_string(call.idempotency_key()) + "}";
}

static constexpr pawl::effect effects[] = {{"@NAME@.stamp", stamp}};

PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            pawl::factories<pawl::effects<effects>>);
