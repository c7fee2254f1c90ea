/* fields.c: see fields.h. */
#include "plugins/connector/fields.h"

#include <inttypes.h>

static const char *name_of_json(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a text";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "a boolean";
    default:
        return "null";
    }
}

static const char *name_of_type(pawl_connector_type type)
{
    static const char *const names[] = {
        "a text",   "an integer", "true or false", "an object", "an object of texts", "an array of texts",
        "an array", "anything"};
    return names[type];
}

static bool all_texts(const json_t *value)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!json_is_string(json_array_get(value, i)))
                return false;
        return true;
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        if (!json_is_string(member))
            return false;
    }
    return true;
}

static bool fits(const json_t *value, pawl_connector_type type)
{
    switch (type) {
    case PAWL_CONNECTOR_TEXT:
        return json_is_string(value);
    case PAWL_CONNECTOR_INTEGER:
        return json_is_integer(value);
    case PAWL_CONNECTOR_BOOLEAN:
        return json_is_boolean(value);
    case PAWL_CONNECTOR_OBJECT:
        return json_is_object(value);
    case PAWL_CONNECTOR_TEXTS:
        return json_is_object(value) && all_texts(value);
    case PAWL_CONNECTOR_LIST:
        return json_is_array(value) && all_texts(value);
    case PAWL_CONNECTOR_ARRAY:
        return json_is_array(value);
    default:
        return true;
    }
}

static pawl_status check_value(const json_t *value, const pawl_connector_field *field, const char *where,
                               const char *code, pawl_connector_error *error)
{
    if (!fits(value, field->type))
        return pawl_connector_fail(error, PAWL_TERMINAL, code, "%s: \"%s\" is %s, expected %s", where, field->name,
                                   name_of_json(value), name_of_type(field->type));
    if (field->type != PAWL_CONNECTOR_INTEGER)
        return PAWL_OK;
    int64_t found = json_integer_value(value);
    if (found < field->min || found > field->max)
        return pawl_connector_fail(error, PAWL_TERMINAL, code,
                                   "%s: \"%s\" is %" PRId64 ", expected %" PRId64 " to %" PRId64, where, field->name,
                                   found, field->min, field->max);
    return PAWL_OK;
}

static void list_names(const pawl_connector_field *fields, size_t count, char *text, size_t room)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < count && at < room; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%s", i == 0 ? "" : ", ", fields[i].name);
}

pawl_status pawl_connector_check(const json_t *object, const pawl_connector_field *fields, size_t count,
                                 const char *where, const char *code, pawl_connector_error *error)
{
    if (!json_is_object(object))
        return pawl_connector_fail(error, PAWL_TERMINAL, code, "%s is %s, expected an object", where,
                                   name_of_json(object));
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;
        while (i < count && strcmp(fields[i].name, key) != 0)
            i++;
        if (i == count) {
            char names[512];
            list_names(fields, count, names, sizeof names);
            return pawl_connector_fail(error, PAWL_TERMINAL, code, "%s: unknown key \"%s\"; known keys: %s", where, key,
                                       names);
        }
        if (check_value(value, &fields[i], where, code, error) != PAWL_OK)
            return error->status;
    }
    for (size_t i = 0; i < count; i++)
        if (fields[i].required && json_object_get(object, fields[i].name) == NULL)
            return pawl_connector_fail(error, PAWL_TERMINAL, code, "%s: \"%s\" is missing; it is required", where,
                                       fields[i].name);
    return PAWL_OK;
}

pawl_status pawl_connector_parse(pawl_bytes text, const char *where, const char *code, json_t **ret,
                                 pawl_connector_error *error)
{
    json_error_t problem;
    if (text.data == NULL && text.size > 0)
        return pawl_connector_fail_as(error, PAWL_E_INVALID, PAWL_TERMINAL, code, "%s: %zu bytes at no address", where,
                                      text.size);
    json_t *value = text.size == 0 ? json_object() : json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &problem);
    if (value == NULL && text.size == 0)
        return pawl_connector_fail_memory(error);
    /* The parser's own words may quote the text, which may hold a secret: only the place is told. */
    if (value == NULL)
        return pawl_connector_fail(error, PAWL_TERMINAL, code,
                                   "%s is not valid JSON without duplicate keys: line %d, column %d", where,
                                   problem.line, problem.column);
    if (!json_is_object(value)) {
        pawl_connector_fail(error, PAWL_TERMINAL, code, "%s is %s, expected an object", where, name_of_json(value));
        json_decref(value);
        return error->status;
    }
    *ret = value;
    return PAWL_OK;
}

const char *pawl_connector_text(const json_t *object, const char *name, const char *otherwise)
{
    const json_t *value = json_object_get(object, name);
    return value == NULL ? otherwise : json_string_value(value);
}

int64_t pawl_connector_integer(const json_t *object, const char *name, int64_t otherwise)
{
    const json_t *value = json_object_get(object, name);
    return value == NULL ? otherwise : json_integer_value(value);
}

bool pawl_connector_boolean(const json_t *object, const char *name, bool otherwise)
{
    const json_t *value = json_object_get(object, name);
    return value == NULL ? otherwise : json_is_true(value);
}
