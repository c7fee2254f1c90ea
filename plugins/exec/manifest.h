/* manifest.h: what the exec connector says about itself, as JSON. */
#ifndef PAWL_EXEC_MANIFEST_H
#define PAWL_EXEC_MANIFEST_H

#define JSON(...) #__VA_ARGS__

/* clang-format off */
#define SCHEMAS "\"input_schema\":" \
    JSON({"type":"object","additionalProperties":false,"properties":{ \
        "argv":{"type":"array","minItems":1,"maxItems":1024,"items":{"type":"string"}}, \
        "shell":{"type":"string"},"cwd":{"type":"string"}, \
        "stdin":{"type":"object","additionalProperties":false,"maxProperties":1,"properties":{ \
            "json":true,"text":{"type":"string"},"base64":{"type":"string"},"attachment":{"type":"string"}}}, \
        "env":{"type":"object","additionalProperties":{"type":"string"}}, \
        "stdout":{"enum":["text","base64","attachment"]}, \
        "ok_exits":{"type":"array","items":{"type":"integer"}}}}) \
    ",\"output_schema\":" \
    JSON({"type":"object","required":["exit"],"properties":{"exit":{"type":"integer"}, \
        "stdout":{"type":["string","object"]},"stdout_base64":{"type":"string"}, \
        "stderr":{"type":"string"},"stderr_base64":{"type":"string"}}}) \
    ",\"media_type\":\"application/json\",\"runs\":\"pool\",\"timeout\":60000"

#define PAWL_EXEC_MANIFEST \
    "{\"manifest_version\":1,\"id\":\"pawl.exec\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"connector\"],\"connector\":{\"concurrency\":\"shared\",\"config_schema\":" \
    JSON({"type":"object","additionalProperties":false,"required":["allow"],"properties":{ \
        "allow":{"type":"array","items":{"type":"string"}},"path":{"type":"string"}, \
        "env_allow":{"type":"array","items":{"type":"string"}}, \
        "env_input":{"type":"array","items":{"type":"string"}}, \
        "max_output":{"type":"integer","minimum":0,"maximum":67108864}, \
        "max_attachment":{"type":"integer","minimum":0}, \
        "shell":{"type":"boolean"},"cwd_roots":{"type":"array","items":{"type":"string"}}}}) \
    ",\"operations\":[" \
    "{\"name\":\"run\"," SCHEMAS ",\"outcome\":\"at_most_once\"}," \
    "{\"name\":\"query\"," SCHEMAS ",\"outcome\":\"idempotent\"}" \
    "]}}"
/* clang-format on */

#endif
