// @NAME@.cpp: a connector whose instances greet, each in its own way.
#include <jansson.h>
#include <pawl.hpp>

#include <memory>

#include "pawl_manifest.h" // made of manifest.json

// The one text of an object that may hold nothing else.
static std::string only_text(std::string_view json, const char *key, const char *code)
{
    json_error_t error;
    const char *text = nullptr;
    std::unique_ptr<json_t, void (*)(json_t *)> whole(
        json_loadb(json.data(), json.size(), JSON_REJECT_DUPLICATES, &error), [](json_t *old) { json_decref(old); });
    if (json_unpack_ex(whole.get(), &error, JSON_STRICT, "{s:s !}", key, &text) != 0)
        throw pawl::failure(code, std::string(error.text) + "; wanted {\"" + key + "\": text}");
    return text;
}

class greeter {
public:
    explicit greeter(const pawl::setup &setup) : greeting_(only_text(setup.config_json, "greeting", "@NAME@.config")) {}

    std::string invoke(const pawl::call &call)
    {
        if (call.operation() != "greet")
            throw pawl::status_error(PAWL_E_UNSUPPORTED);
        std::string name = only_text(call.input(), "name", "@NAME@.input");
        return "{\"text\":" + pawl::json_string(greeting_ + ", " + name) + "}";
    }

private:
    const std::string greeting_; // several calls at once read it: the manifest says "shared"
};

PAWL_PLUGIN(PAWL_MANIFEST_ID, PAWL_MANIFEST_VERSION, "@VENDOR@", PAWL_MANIFEST, pawl_plain_init, pawl_plain_deinit,
            pawl::factories<pawl::connector<greeter>>);
