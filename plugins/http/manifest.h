/* manifest.h: what the HTTP connector says about itself, as JSON. */
#ifndef PAWL_HTTP_MANIFEST_H
#define PAWL_HTTP_MANIFEST_H

#define JSON(...) #__VA_ARGS__

/* clang-format off */
#define WHERE "\"path\":{\"type\":\"string\"},\"url\":{\"type\":\"string\"},\"query\":{\"type\":\"object\"}," \
    "\"headers\":{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},\"save\":{\"type\":\"boolean\"}"
#define CONTENT ",\"json\":true,\"text\":{\"type\":\"string\"},\"base64\":{\"type\":\"string\"}," \
    "\"attachment\":{\"type\":\"string\"}"
#define OUTPUT JSON({"type":"object","required":["status","headers"],"properties":{"status":{"type":"integer"}, \
    "headers":{"type":"object","additionalProperties":{"type":"string"}},"json":true,"text":{"type":"string"}, \
    "base64":{"type":"string"},"attachment":{"type":"string"},"size":{"type":"integer"}}})
#define OPERATION(name, required, content, outcome) \
    "{\"name\":\"" name "\",\"input_schema\":{\"type\":\"object\",\"additionalProperties\":false," required \
    "\"properties\":{" WHERE content "}},\"output_schema\":" OUTPUT ",\"media_type\":\"application/json\"," \
    "\"runs\":\"pool\",\"outcome\":\"" outcome "\",\"timeout\":30000}"

#define PAWL_HTTP_MANIFEST \
    "{\"manifest_version\":1,\"id\":\"pawl.http\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"connector\"],\"connector\":{\"concurrency\":\"shared\",\"config_schema\":" \
    JSON({"type":"object","additionalProperties":false,"properties":{"base_url":{"type":"string"}, \
        "headers":{"type":"object","additionalProperties":{"type":"string"}}, \
        "auth":{"type":"object","additionalProperties":false,"minProperties":1,"maxProperties":1,"properties":{ \
            "bearer":{"type":"string"},"basic":{"type":"object","additionalProperties":false, \
                "required":["user","password"],"properties":{"user":{"type":"string"},"password":{"type":"string"}}}}}, \
        "tls":{"type":"object","additionalProperties":false,"properties":{"ca_file":{"type":"string"}, \
            "cert_file":{"type":"string"},"key_file":{"type":"string"},"verify":{"type":"boolean"}}}, \
        "redirects":{"type":"integer","minimum":0,"maximum":20}, \
        "connect_timeout_ms":{"type":"integer","minimum":1,"maximum":3600000}, \
        "timeout_ms":{"type":"integer","minimum":0,"maximum":86400000}, \
        "max_response":{"type":"integer","minimum":0,"maximum":67108864},"max_saved":{"type":"integer","minimum":0}, \
        "idempotency_header":{"type":"string"}, \
        "success":{"type":"array","minItems":1,"maxItems":32,"items":{"type":["integer","string"]}}, \
        "unix_socket":{"type":"string"},"proxy":{"type":"string"},"allow_other_hosts":{"type":"boolean"}}}) \
    ",\"operations\":[" \
    OPERATION("get", "", "", "idempotent") "," \
    OPERATION("head", "", "", "idempotent") "," \
    OPERATION("put", "", CONTENT, "idempotent") "," \
    OPERATION("delete", "", CONTENT, "idempotent") "," \
    OPERATION("post", "", CONTENT, "by_key") "," \
    OPERATION("patch", "", CONTENT, "by_key") "," \
    OPERATION("request", "\"required\":[\"method\"],", CONTENT ",\"method\":{\"type\":\"string\"}", "by_key") \
    "]}}"
/* clang-format on */

#endif
