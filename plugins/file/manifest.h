/* manifest.h: what the file connector says about itself, as JSON. */
#ifndef PAWL_FILE_MANIFEST_H
#define PAWL_FILE_MANIFEST_H

#define JSON(...) #__VA_ARGS__

/* clang-format off */
#define PLACE "\"root\":{\"type\":\"string\"},\"path\":{\"type\":\"string\"}"
#define TAIL "\"media_type\":\"application/json\",\"runs\":\"pool\",\"outcome\":\"idempotent\",\"timeout\":30000}"

#define PAWL_FILE_MANIFEST \
    "{\"manifest_version\":1,\"id\":\"pawl.file\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"connector\"],\"connector\":{\"concurrency\":\"shared\",\"config_schema\":" \
    JSON({"type":"object","additionalProperties":false,"required":["roots"],"properties":{ \
        "roots":{"type":"object","minProperties":1,"additionalProperties":{"type":"object", \
            "additionalProperties":false,"required":["path"], \
            "properties":{"path":{"type":"string"},"write":{"type":"boolean"}}}}, \
        "max_inline":{"type":"integer","minimum":0,"maximum":67108864}, \
        "max_attachment":{"type":"integer","minimum":0}}}) \
    ",\"operations\":[" \
    "{\"name\":\"read\",\"input_schema\":{\"type\":\"object\",\"additionalProperties\":false," \
        "\"required\":[\"root\",\"path\"],\"properties\":{" PLACE "," \
        "\"offset\":{\"type\":\"integer\",\"minimum\":0},\"length\":{\"type\":\"integer\",\"minimum\":0}," \
        "\"as\":{\"enum\":[\"text\",\"base64\",\"attachment\"]},\"media_type\":{\"type\":\"string\"}}}," \
        "\"output_schema\":" JSON({"type":"object","required":["offset","size","total"],"properties":{ \
            "offset":{"type":"integer"},"size":{"type":"integer"},"total":{"type":"integer"}, \
            "text":{"type":"string"},"base64":{"type":"string"},"attachment":{"type":"string"}}}) "," TAIL "," \
    "{\"name\":\"write\",\"input_schema\":{\"type\":\"object\",\"additionalProperties\":false," \
        "\"required\":[\"root\",\"path\"],\"properties\":{" PLACE "," \
        "\"text\":{\"type\":\"string\"},\"json\":true,\"base64\":{\"type\":\"string\"}," \
        "\"attachment\":{\"type\":\"string\"},\"mode\":{\"type\":\"string\"},\"create\":{\"enum\":[\"any\",\"new\"]}}}," \
        "\"output_schema\":" JSON({"type":"object","required":["size","existed"],"properties":{ \
            "size":{"type":"integer"},"existed":{"type":"boolean"}}}) "," TAIL "," \
    "{\"name\":\"list\",\"input_schema\":{\"type\":\"object\",\"additionalProperties\":false," \
        "\"required\":[\"root\"],\"properties\":{" PLACE "," \
        "\"after\":{\"type\":\"string\"},\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":10000}}}," \
        "\"output_schema\":" JSON({"type":"object","required":["entries"],"properties":{ \
            "entries":{"type":"array","items":{"type":"object","required":["name","type","size"],"properties":{ \
                "name":{"type":"string"},"type":{"type":"string"},"size":{"type":"integer"}, \
                "modified_unix_ns":{"type":"integer"}}}}, \
            "next":{"type":"string"},"unreadable":{"type":"integer"}}}) "," TAIL "," \
    "{\"name\":\"stat\",\"input_schema\":{\"type\":\"object\",\"additionalProperties\":false," \
        "\"required\":[\"root\",\"path\"],\"properties\":{" PLACE "}}," \
        "\"output_schema\":" JSON({"type":"object","required":["type","size","mode"],"properties":{ \
            "type":{"type":"string"},"size":{"type":"integer"},"mode":{"type":"string"}, \
            "modified_unix_ns":{"type":"integer"}}}) "," TAIL "," \
    "{\"name\":\"remove\",\"input_schema\":{\"type\":\"object\",\"additionalProperties\":false," \
        "\"required\":[\"root\",\"path\"],\"properties\":{" PLACE ",\"directory\":{\"type\":\"boolean\"}}}," \
        "\"output_schema\":" JSON({"type":"object","required":["removed"],"properties":{ \
            "removed":{"type":"boolean"}}}) "," TAIL \
    "]}}"
/* clang-format on */

#endif
