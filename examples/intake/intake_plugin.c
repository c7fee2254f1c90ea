/* intake_plugin.c: the process type of the intake example. One process takes in one file: reads it into an attachment,
 * counts its words, tells a receiving service, waits until that service says that it accepted the item.
 *
 * Everything it does outside itself goes through connectors that the profile names: docs (file), tools (exec) and
 * receiver (http). After a kill it starts again from the top, and what is in its journal is not done again. */
#include "pawl_plugin.h"
#include "pawl_process.h"

#include <jansson.h>

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"pawl.example.intake\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"  \
    "\"kinds\":[\"process\"],\"processes\":[{\"name\":\"intake.document\",\"revision\":1,\"input_schema\":{"           \
    "\"type\":\"object\",\"required\":[\"path\"],\"properties\":{\"path\":{\"type\":\"string\"}}}}]}"

/* A text member of a JSON object, in the activation's memory; NULL when it is not there. */
static const char *text_member(pawl_process *p, pawl_bytes json, const char *name)
{
    json_t *object = json_loadb(json.data, json.size, 0, NULL);
    const char *found = json_string_value(json_object_get(object, name));
    char *copy = NULL;
    if (found != NULL) {
        size_t size = strlen(found) + 1;
        copy = pawl_alloc(p, size);
        if (copy != NULL)
            memcpy(copy, found, size);
    }
    json_decref(object);
    return copy;
}

/* JSON text in the activation's memory. Takes over the object. */
static pawl_bytes json_bytes(pawl_process *p, json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
    size_t size = text == NULL ? 0 : strlen(text);
    char *copy = pawl_alloc(p, size + 1);
    if (copy != NULL && text != NULL)
        memcpy(copy, text, size);
    free(text);
    json_decref(object);
    return pawl_bytes_of(copy, copy == NULL ? 0 : size);
}

static pawl_status document(pawl_process *p)
{
    pawl_bytes stored, counted, answer, accepted;
    const char *path = text_member(p, pawl_input(p), "path");
    if (path == NULL)
        return pawl_fail(p, "intake.input", "the input has no text member \"path\"");

    PAWL_TRY(pawl_call(p, "docs.read",
                       json_bytes(p, json_pack("{ssssss}", "root", "docs", "path", path, "as", "attachment")),
                       &stored));
    const char *attachment = text_member(p, stored, "attachment");
    if (attachment == NULL)
        return pawl_fail(p, "intake.read", "the file connector gave no attachment");

    PAWL_TRY(pawl_call(p, "tools.query",
                       json_bytes(p, json_pack("{s[ss]s{ss}}", "argv", "wc", "-w", "stdin", "attachment", attachment)),
                       &counted));
    const char *words = text_member(p, counted, "stdout");
    long count = words == NULL ? 0 : strtol(words, NULL, 10);

    PAWL_TRY(pawl_call(
        p, "receiver.post",
        json_bytes(p, json_pack("{sss{sssssssI}}", "path", "/items", "json", "process", pawl_cstring(p, pawl_id(p)),
                                "path", path, "attachment", attachment, "words", (json_int_t)count)),
        &answer));
    PAWL_TRY(pawl_signal(p, "accepted", &accepted));
    return pawl_complete(
        p, json_bytes(p, json_pack("{sssssI}", "path", path, "attachment", attachment, "words", (json_int_t)count)));
}

PAWL_PROCESSES(PAWL_TYPE("intake.document", 1, document))
PAWL_PLUGIN("pawl.example.intake", "1.0.0", "Pawl", MANIFEST, pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
