/* values.c: see values.h. Never guesses: content is JSON only if all of it parses as JSON. */
#include "host/api/values.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/base/error.h"

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
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    default:
        return "null";
    }
}

pawl_status pawl_value_keys(json_t *value, const char *what, const char *const *keys, pawl_error *error)
{
    if (!json_is_object(value))
        return pawl_error_set(error, PAWL_E_INVALID, "api.not_an_object", "%s is %s; wanted an object", what,
                              type_name(value));
    for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at)) {
        const char *key = json_object_iter_key(at);
        size_t i = 0;
        while (keys[i] != NULL && strcmp(keys[i], key) != 0)
            i++;
        if (keys[i] != NULL)
            continue;
        char known[256] = "";
        for (i = 0; keys[i] != NULL; i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", i > 0 ? ", " : "", keys[i]);
        return pawl_error_set(error, PAWL_E_INVALID, "api.unknown_key", "%s has the unknown key \"%.64s\"; known: %s",
                              what, key, known);
    }
    return PAWL_OK;
}

static pawl_status wrong_type(const char *key, const json_t *found, const char *wanted, pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_INVALID, "api.wrong_type", "\"%s\" is %s; wanted %s", key, type_name(found),
                          wanted);
}

pawl_status pawl_value_string(const json_t *object, const char *key, bool required, const char **ret, pawl_error *error)
{
    const json_t *value = json_object_get(object, key);
    *ret = NULL;
    if (value == NULL || json_is_null(value)) {
        if (!required)
            return PAWL_OK;
        return pawl_error_set(error, PAWL_E_INVALID, "api.missing_key", "\"%s\" is missing", key);
    }
    if (!json_is_string(value))
        return wrong_type(key, value, "a string", error);
    *ret = json_string_value(value);
    return PAWL_OK;
}

pawl_status pawl_value_number(const json_t *object, const char *key, uint64_t fallback, uint64_t *ret,
                              pawl_error *error)
{
    const json_t *value = json_object_get(object, key);
    *ret = fallback;
    if (value == NULL || json_is_null(value))
        return PAWL_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return wrong_type(key, value, "a whole number of at least 0", error);
    *ret = (uint64_t)json_integer_value(value);
    return PAWL_OK;
}

pawl_status pawl_value_flag(const json_t *object, const char *key, bool *ret, pawl_error *error)
{
    const json_t *value = json_object_get(object, key);
    *ret = false;
    if (value == NULL || json_is_null(value))
        return PAWL_OK;
    if (!json_is_boolean(value))
        return wrong_type(key, value, "true or false", error);
    *ret = json_is_true(value);
    return PAWL_OK;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "api.no_memory", "out of memory for a value of a request");
}

static pawl_status decode_base64(const char *key, const json_t *from, pawl_bytes *ret, pawl_error *error)
{
    size_t size = json_string_length(from);
    const char *text = json_string_value(from);
    if (size == 0)
        return PAWL_OK;
    unsigned char *bytes = size % 4 != 0 || size > INT_MAX ? NULL : malloc(size);
    if (bytes == NULL && size % 4 == 0 && size <= INT_MAX)
        return no_memory(error);
    int decoded = bytes == NULL ? -1 : EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)size);
    size_t padding = (size_t)(text[size - 1] == '=') + (size_t)(size > 1 && text[size - 2] == '=');
    /* The library takes "=" anywhere, as if it were "A". */
    bool padded_within = memchr(text, '=', size - padding) != NULL;
    if (decoded < 0 || (size_t)decoded != size / 4 * 3 || padded_within) {
        free(bytes);
        return pawl_error_set(error, PAWL_E_INVALID, "api.base64", "\"%s\" is not base64 with padding", key);
    }
    ret->data = bytes;
    ret->size = (size_t)decoded - padding;
    return PAWL_OK;
}

static pawl_status copy_content(const json_t *value, bool as_json, pawl_bytes *ret, pawl_error *error)
{
    char *copy = as_json ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : strdup(json_string_value(value));
    if (copy == NULL)
        return no_memory(error);
    ret->data = copy;
    ret->size = strlen(copy);
    return PAWL_OK;
}

pawl_status pawl_value_content(const json_t *object, const char *stem, pawl_bytes *ret, pawl_error *error)
{
    char text_key[64];
    char base64_key[64];
    snprintf(text_key, sizeof text_key, "%s_text", stem);
    snprintf(base64_key, sizeof base64_key, "%s_base64", stem);
    const json_t *as_json = json_object_get(object, stem);
    const json_t *as_text = json_object_get(object, text_key);
    const json_t *as_base64 = json_object_get(object, base64_key);
    ret->data = NULL;
    ret->size = 0;
    if ((as_json != NULL) + (as_text != NULL) + (as_base64 != NULL) > 1)
        return pawl_error_set(error, PAWL_E_INVALID, "api.content_twice",
                              "more than one of \"%s\", \"%s\" and \"%s\" is given", stem, text_key, base64_key);
    if (as_text != NULL && !json_is_string(as_text))
        return wrong_type(text_key, as_text, "a string", error);
    if (as_base64 != NULL && !json_is_string(as_base64))
        return wrong_type(base64_key, as_base64, "a string", error);
    if (as_json != NULL)
        return copy_content(as_json, true, ret, error);
    if (as_text != NULL)
        return copy_content(as_text, false, ret, error);
    return as_base64 == NULL ? PAWL_OK : decode_base64(base64_key, as_base64, ret, error);
}

static bool put_base64(json_t *object, const char *stem, pawl_bytes bytes)
{
    char key[64];
    snprintf(key, sizeof key, "%s_base64", stem);
    unsigned char *text = bytes.size > INT_MAX / 2 ? NULL : malloc(bytes.size / 3 * 4 + 5);
    if (text == NULL)
        return false;
    EVP_EncodeBlock(text, bytes.data, (int)bytes.size);
    bool put = json_object_set_new(object, key, json_string((const char *)text)) == 0;
    free(text);
    return put;
}

bool pawl_value_put_content(json_t *object, const char *stem, pawl_bytes bytes)
{
    if (bytes.size == 0)
        return json_object_set_new(object, stem, json_null()) == 0;
    json_t *value = json_loadb(bytes.data, bytes.size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (value != NULL)
        return json_object_set_new(object, stem, value) == 0;
    return put_base64(object, stem, bytes);
}

bool pawl_value_put_text(json_t *object, const char *key, pawl_bytes text)
{
    if (text.size == 0)
        return true;
    json_t *value = json_stringn(text.data, text.size);
    if (value != NULL)
        return json_object_set_new(object, key, value) == 0;
    return put_base64(object, key, text);
}

json_t *pawl_value_outcome(const pawl_outcome *outcome)
{
    json_t *object = json_pack("{s:s}", "status", pawl_value_status_name(outcome->status));
    if (object == NULL)
        return NULL;
    bool whole = true;
    if (outcome->status == PAWL_COMPLETED)
        whole = pawl_value_put_content(object, "output", outcome->output);
    whole = whole && pawl_value_put_text(object, "code", outcome->code) &&
            pawl_value_put_text(object, "message", outcome->message);
    if (whole && outcome->detail_json.size > 0)
        whole = pawl_value_put_content(object, "detail", outcome->detail_json);
    if (whole)
        return object;
    json_decref(object);
    return NULL;
}

const char *pawl_value_status_name(uint32_t status)
{
    static const struct {
        uint32_t status;
        const char *name;
    } names[] = {
        {PAWL_READY, "ready"},   {PAWL_RUNNING, "running"},           {PAWL_WAITING, "waiting"},
        {PAWL_STUCK, "stuck"},   {PAWL_COMPENSATING, "compensating"}, {PAWL_COMPLETED, "completed"},
        {PAWL_FAILED, "failed"}, {PAWL_CANCELLED, "cancelled"},       {PAWL_TERMINATED, "terminated"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].status == status)
            return names[i].name;
    return "unknown";
}
