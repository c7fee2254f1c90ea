/* config.c: see config.h. */
#include "config.h"

#include "bytes.h"
#include "limits.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define INVALID(...) pawl_fault_set(fault, PAWL_E_INVALID, "store.config", __VA_ARGS__)

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "a boolean";
    }
}

static pawl_status read_size(const json_t *value, const char *key, uint64_t least, uint64_t most, uint64_t *size,
                             pawl_fault *fault)
{
    if (!json_is_integer(value))
        return INVALID("store config: \"%s\" is %s; wanted a number of bytes", key, type_name(value));
    json_int_t number = json_integer_value(value);
    if (number < 0 || (uint64_t)number < least || (uint64_t)number > most)
        return INVALID("store config: \"%s\" is %lld; wanted %llu to %llu bytes", key, (long long)number,
                       (unsigned long long)least, (unsigned long long)most);
    *size = (uint64_t)number;
    return PAWL_OK;
}

static pawl_status read_path(pawl_store_config *config, const json_t *value, pawl_fault *fault)
{
    if (!json_is_string(value))
        return INVALID("store config: \"path\" is %s; wanted the path of a directory", type_name(value));
    if (json_string_length(value) == 0)
        return INVALID("store config: \"path\" is empty; wanted the path of a directory");
    if (strlen(json_string_value(value)) != json_string_length(value))
        return INVALID("store config: \"path\" contains a NUL character");
    free(config->path);
    config->path = strdup(json_string_value(value));
    return config->path == NULL ? pawl_fault_nomem(fault) : PAWL_OK;
}

static pawl_status read_key(pawl_store_config *config, const char *key, const json_t *value, bool on_disk,
                            pawl_fault *fault)
{
    if (strcmp(key, "value_bytes_max") == 0)
        return read_size(value, key, 1, PAWL_STORE_VALUE_BYTES_CEILING, &config->value_bytes_max, fault);
    if (strcmp(key, "journal_bytes_max") == 0)
        return read_size(value, key, 1, INT64_MAX, &config->journal_bytes_max, fault);
    if (on_disk && strcmp(key, "path") == 0)
        return read_path(config, value, fault);
    if (on_disk && strcmp(key, "write_buffer_bytes") == 0)
        return read_size(value, key, 64u << 10, 1u << 30, &config->write_buffer_bytes, fault);
    if (on_disk && strcmp(key, "block_cache_bytes") == 0)
        return read_size(value, key, 0, 1ull << 40, &config->block_cache_bytes, fault);
    if (on_disk && strcmp(key, "sync") == 0) {
        if (!json_is_boolean(value))
            return INVALID("store config: \"sync\" is %s; wanted true or false", type_name(value));
        config->sync = json_is_true(value);
        return PAWL_OK;
    }
    return INVALID("store config: unknown key \"%.100s\"; known are %svalue_bytes_max, journal_bytes_max", key,
                   on_disk ? "path, sync, write_buffer_bytes, block_cache_bytes, " : "");
}

static pawl_status read_object(pawl_store_config *config, json_t *object, bool on_disk, pawl_fault *fault)
{
    if (!json_is_object(object))
        return INVALID("store config is %s; wanted an object", type_name(object));
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        pawl_status status = read_key(config, key, value, on_disk, fault);
        if (status != PAWL_OK)
            return status;
    }
    if (on_disk && config->path == NULL)
        return INVALID("store config: \"path\" is missing; wanted the path of a directory");
    return PAWL_OK;
}

pawl_status pawl_store_config_read(pawl_store_config *config, pawl_bytes json, bool on_disk, pawl_fault *fault)
{
    pawl_store_config made = {
        .sync = true,
        .value_bytes_max = PAWL_STORE_VALUE_BYTES_DEFAULT,
        .journal_bytes_max = PAWL_STORE_JOURNAL_BYTES_DEFAULT,
        .write_buffer_bytes = 16u << 20,
        .block_cache_bytes = 16u << 20,
    };
    if (json.size == 0)
        json = pawl_bytes_of("{}");
    json_error_t error;
    json_t *object = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (object == NULL)
        return INVALID("store config is not JSON: line %d, column %d: %s", error.line, error.column, error.text);
    pawl_status status = read_object(&made, object, on_disk, fault);
    json_decref(object);
    if (status != PAWL_OK) {
        pawl_store_config_finish(&made);
        return status;
    }
    *config = made;
    return PAWL_OK;
}

void pawl_store_config_finish(pawl_store_config *config)
{
    free(config->path);
    config->path = NULL;
}
