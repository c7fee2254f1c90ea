/* config_fuzz.c: the JSON of a plugin's config: [s store in memory, r store on disk, c connector][text]. What a store
 * takes lies within its limits; a refusal says why; base64 of a connector means one sequence of bytes; and UTF-8 is
 * what a JSON text can hold. */
#include "fuzz.h"

#include <string.h>

#include "plugins/connector/fields.h"
#include "plugins/connector/text.h"
#include "plugins/store/config.h"
#include "plugins/store/limits.h"

static void check_store(pawl_bytes text, bool on_disk)
{
    pawl_store_config config = {0};
    pawl_fault fault = {0};
    pawl_status status = pawl_store_config_read(&config, text, on_disk, &fault);
    if (status != PAWL_OK) {
        FUZZ_CHECK(strcmp(fault.code, "store.config") == 0 && fault.message[0] != '\0');
        FUZZ_CHECK(config.path == NULL);
        return;
    }
    FUZZ_CHECK(on_disk == (config.path != NULL));
    FUZZ_CHECK(config.value_bytes_max >= 1 && config.value_bytes_max <= PAWL_STORE_VALUE_BYTES_CEILING);
    FUZZ_CHECK(config.journal_bytes_max >= 1);
    pawl_store_config_finish(&config);
}

static void check_base64(const uint8_t *data, size_t size)
{
    void *bytes = NULL;
    size_t length = 0;
    bool memory = true;
    char *encoded = pawl_connector_base64_encode(data, size);
    FUZZ_CHECK(encoded != NULL);
    FUZZ_CHECK(pawl_connector_base64_decode(encoded, strlen(encoded), &bytes, &length, &memory));
    FUZZ_CHECK(length == size && (size == 0 || memcmp(bytes, data, size) == 0));
    free(bytes);
    free(encoded);
    if (!pawl_connector_base64_decode((const char *)data, size, &bytes, &length, &memory))
        return;
    encoded = pawl_connector_base64_encode(bytes, length);
    FUZZ_CHECK(encoded != NULL && strlen(encoded) == size && (size == 0 || memcmp(encoded, data, size) == 0));
    free(encoded);
    free(bytes);
}

static void check_connector(const uint8_t *data, size_t size)
{
    static const pawl_connector_field fields[] = {
        {"base_url", PAWL_CONNECTOR_TEXT, true, 0, 0},  {"limit", PAWL_CONNECTOR_INTEGER, false, 1, 1000},
        {"tls", PAWL_CONNECTOR_OBJECT, false, 0, 0},    {"headers", PAWL_CONNECTOR_TEXTS, false, 0, 0},
        {"argv", PAWL_CONNECTOR_LIST, false, 0, 0},     {"any", PAWL_CONNECTOR_ANY, false, 0, 0},
        {"follow", PAWL_CONNECTOR_BOOLEAN, false, 0, 0}};
    pawl_connector_error error = {0};
    json_t *object = NULL;
    pawl_status status = pawl_connector_parse((pawl_bytes){data, size}, "fuzz: config", "fuzz.config", &object, &error);
    if (status == PAWL_OK)
        status =
            pawl_connector_check(object, fields, PAWL_CONNECTOR_COUNT(fields), "fuzz: config", "fuzz.config", &error);
    if (status == PAWL_OK) {
        int64_t limit = pawl_connector_integer(object, "limit", 1);
        FUZZ_CHECK(limit >= 1 && limit <= 1000 && pawl_connector_text(object, "base_url", NULL) != NULL);
    } else {
        FUZZ_CHECK(error.status == status && strncmp(error.message, "fuzz: config", 12) == 0);
    }
    json_decref(object);
    json_t *text = json_stringn((const char *)data, size);
    bool has_nul = size > 0 && memchr(data, '\0', size) != NULL;
    FUZZ_CHECK(pawl_connector_is_text(data, size) == (text != NULL && !has_nul));
    json_decref(text);
    check_base64(data, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] == 's' || data[0] == 'r')
        check_store((pawl_bytes){data + 1, size - 1}, data[0] == 'r');
    else
        check_connector(data + 1, size - 1);
    return 0;
}
