/* selector.c: see selector.h. A template is put together in one pass from left to right, so that a value that looks
 * like a field is never replaced again. */
#include "host/schema/selector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS_DEPTH_MAX 8
#define TOKEN_BYTES      256u

static pawl_status wrong(pawl_error *error, const char *where, const char *what)
{
    return pawl_error_set(error, PAWL_E_INVALID, "selector.invalid", "%s: %s", where, what);
}

static pawl_status check_pointer(const json_t *pointer, const char *where, pawl_error *error)
{
    const char *text = json_string_value(pointer);
    if (text == NULL || (text[0] != '\0' && text[0] != '/'))
        return wrong(error, where, "a JSON pointer is \"\" or begins with \"/\"");
    return PAWL_OK;
}

static pawl_status check_inside(const json_t *selector, const char *where, int depth, pawl_error *error);

/* Every "{name}" of the text is a field. */
static pawl_status check_template(const json_t *selector, const char *where, int depth, pawl_error *error)
{
    json_t *fields = json_object_get(selector, "fields");
    const char *text = json_string_value(json_object_get(selector, "template"));
    if (text == NULL || (fields != NULL && !json_is_object(fields)))
        return wrong(error, where, "a template is a text, and its fields are an object of selectors");
    for (const char *open = strchr(text, '{'); open != NULL; open = strchr(open + 1, '{')) {
        char name[TOKEN_BYTES];
        size_t size = strcspn(open + 1, "}");
        snprintf(name, sizeof name, "%.*s", (int)size, open + 1);
        if (open[1 + size] != '}' || size >= sizeof name || json_object_get(fields, name) == NULL)
            return wrong(error, where, "a template names a field in braces that is not among its fields");
    }
    for (void *at = json_object_iter(fields); at != NULL; at = json_object_iter_next(fields, at)) {
        pawl_status status = check_inside(json_object_iter_value(at), where, depth + 1, error);
        if (status != PAWL_OK)
            return status;
    }
    return PAWL_OK;
}

static pawl_status check_inside(const json_t *selector, const char *where, int depth, pawl_error *error)
{
    static const char *const wanted =
        "a selector is an object with one of payload, pointer, const, present, or template and fields";
    size_t size = json_object_size(selector);
    if (depth > FIELDS_DEPTH_MAX)
        return wrong(error, where, "templates inside each other to a depth of more than 8");
    if (!json_is_object(selector) || size == 0)
        return wrong(error, where, wanted);
    if (json_object_get(selector, "template") != NULL)
        return size <= 2 && (size == 1 || json_object_get(selector, "fields") != NULL)
                   ? check_template(selector, where, depth, error)
                   : wrong(error, where, wanted);
    if (size != 1)
        return wrong(error, where, wanted);
    if (json_object_get(selector, "const") != NULL || json_is_true(json_object_get(selector, "payload")))
        return PAWL_OK;
    if (json_object_get(selector, "pointer") != NULL)
        return check_pointer(json_object_get(selector, "pointer"), where, error);
    if (json_object_get(selector, "present") != NULL)
        return check_pointer(json_object_get(selector, "present"), where, error);
    return wrong(error, where, wanted);
}

pawl_status pawl_selector_check(const json_t *selector, const char *where, pawl_error *error)
{
    return check_inside(selector, where, 0, error);
}

/* ---- taking ---- */

static json_t *follow(const json_t *value, const char *pointer)
{
    while (value != NULL && *pointer == '/') {
        char token[TOKEN_BYTES];
        size_t used = 0;
        for (pointer++; *pointer != '\0' && *pointer != '/'; pointer++) {
            char byte = *pointer;
            if (byte == '~' && (pointer[1] == '0' || pointer[1] == '1'))
                byte = *++pointer == '0' ? '~' : '/';
            if (used + 1 == sizeof token)
                return NULL;
            token[used++] = byte;
        }
        token[used] = '\0';
        char *end = NULL;
        size_t index = token[0] >= '0' && token[0] <= '9' ? strtoul(token, &end, 10) : 0;
        if (json_is_array(value))
            value = end != NULL && *end == '\0' && (token[0] != '0' || used == 1) ? json_array_get(value, index) : NULL;
        else
            value = json_object_get(value, token);
    }
    return (json_t *)(uintptr_t)value;
}

static pawl_status no_memory(pawl_error *error)
{
    return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while looking at an event");
}

/* The text of one field, appended. */
static pawl_status put_field(FILE *to, const json_t *fields, const char *name, size_t size, const json_t *payload,
                             pawl_error *error)
{
    char key[TOKEN_BYTES];
    json_t *value = NULL;
    snprintf(key, sizeof key, "%.*s", (int)size, name);
    pawl_status status = pawl_selector_take(json_object_get(fields, key), payload, &value, error);
    if (status != PAWL_OK)
        return status;
    char *text = pawl_selector_text(value);
    if (text != NULL)
        fputs(text, to);
    else
        status = no_memory(error);
    free(text);
    json_decref(value);
    return status;
}

static pawl_status take_template(const json_t *selector, const json_t *payload, json_t **ret, pawl_error *error)
{
    char *text = NULL;
    size_t size = 0;
    const json_t *fields = json_object_get(selector, "fields");
    const char *at = json_string_value(json_object_get(selector, "template"));
    FILE *to = open_memstream(&text, &size);
    if (to == NULL)
        return no_memory(error);
    pawl_status status = PAWL_OK;
    while (status == PAWL_OK && *at != '\0') {
        size_t plain = strcspn(at, "{");
        fwrite(at, 1, plain, to);
        at += plain;
        if (*at == '\0')
            break;
        size_t name = strcspn(at + 1, "}");
        status = put_field(to, fields, at + 1, name, payload, error);
        at += name + 2;
    }
    bool whole = fclose(to) == 0;
    if (status == PAWL_OK)
        *ret = whole ? json_stringn(text, size) : NULL;
    free(text);
    return status == PAWL_OK && *ret == NULL ? no_memory(error) : status;
}

pawl_status pawl_selector_take(const json_t *selector, const json_t *payload, json_t **ret, pawl_error *error)
{
    json_t *constant = json_object_get(selector, "const");
    const char *pointer = json_string_value(json_object_get(selector, "pointer"));
    const char *present = json_string_value(json_object_get(selector, "present"));
    if (json_object_get(selector, "template") != NULL)
        return take_template(selector, payload, ret, error);
    if (constant != NULL) {
        *ret = json_incref(constant);
    } else if (present != NULL) {
        *ret = json_boolean(follow(payload, present) != NULL);
    } else if (pointer != NULL) {
        json_t *found = follow(payload, pointer);
        if (found == NULL)
            return pawl_error_set(error, PAWL_E_INVALID, "event.pointer", "the payload has nothing at \"%s\"", pointer);
        *ret = json_incref(found);
    } else {
        *ret = json_incref((json_t *)(uintptr_t)payload);
    }
    return PAWL_OK;
}

bool pawl_selector_truth(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_OBJECT:
        return json_object_size(value) > 0;
    default:
        return true;
    }
}

char *pawl_selector_text(const json_t *value)
{
    return json_is_string(value) ? strdup(json_string_value(value))
                                 : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
}
