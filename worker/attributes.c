/* attributes.c: see attributes.h. Never guesses: a value of another type is refused, except that a whole number is a
 * number too. */
#include "attributes.h"
#include "base/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_SECOND INT64_C(1000000000)

const pawl_attribute *pawl_attribute_find(const pawl_attribute_schema *schema, const char *name)
{
    for (size_t i = 0; schema != NULL && i < schema->count; i++)
        if (strcmp(schema->attributes[i].name, name) == 0)
            return &schema->attributes[i];
    return NULL;
}

const char *pawl_attribute_type_name(uint32_t type)
{
    static const char *const names[] = {"",
                                        [PAWL_ATTRIBUTE_KEYWORD] = "keyword",
                                        [PAWL_ATTRIBUTE_INTEGER] = "integer",
                                        [PAWL_ATTRIBUTE_NUMBER] = "number",
                                        [PAWL_ATTRIBUTE_BOOLEAN] = "boolean",
                                        [PAWL_ATTRIBUTE_TIME] = "time"};
    return type < sizeof names / sizeof *names ? names[type] : "";
}

/* ---- times ---- */

static json_t *show_time(int64_t unix_ns)
{
    char text[40];
    char whole[32];
    struct tm parts;
    int64_t rest = unix_ns % NS_PER_SECOND;
    time_t seconds = (time_t)(unix_ns / NS_PER_SECOND);
    if (rest < 0) {
        rest += NS_PER_SECOND;
        seconds--;
    }
    if (gmtime_r(&seconds, &parts) == NULL || strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &parts) == 0)
        return NULL;
    if (rest == 0)
        snprintf(text, sizeof text, "%sZ", whole);
    else
        snprintf(text, sizeof text, "%s.%09dZ", whole, (int)rest);
    return json_string(text);
}

/* ---- one value ---- */

static void describe(const json_t *given, char *text, size_t size)
{
    char *dumped = json_dumps(given, JSON_ENCODE_ANY | JSON_COMPACT);
    if (json_is_object(given) || json_is_array(given) || dumped == NULL)
        snprintf(text, size, "%s", json_is_array(given) ? "an array" : "an object");
    else
        snprintf(text, size, "%.60s%s", dumped, strlen(dumped) > 60 ? "..." : "");
    free(dumped);
}

static const char *wanted(uint32_t type)
{
    switch (type) {
    case PAWL_ATTRIBUTE_KEYWORD:
        return "a string";
    case PAWL_ATTRIBUTE_INTEGER:
        return "a whole number";
    case PAWL_ATTRIBUTE_NUMBER:
        return "a number";
    case PAWL_ATTRIBUTE_BOOLEAN:
        return "true or false";
    default:
        return "a time: RFC 3339 text as \"2026-02-03T10:00:00Z\", or nanoseconds since 1970";
    }
}

static json_t *convert(uint32_t type, const json_t *given)
{
    int64_t unix_ns;
    switch (type) {
    case PAWL_ATTRIBUTE_KEYWORD:
        return json_is_string(given) ? json_copy((json_t *)(uintptr_t)given) : NULL;
    case PAWL_ATTRIBUTE_INTEGER:
        return json_is_integer(given) ? json_integer(json_integer_value(given)) : NULL;
    case PAWL_ATTRIBUTE_NUMBER:
        return json_is_number(given) ? json_real(json_number_value(given)) : NULL;
    case PAWL_ATTRIBUTE_BOOLEAN:
        return json_is_boolean(given) ? json_boolean(json_is_true(given)) : NULL;
    default:
        if (json_is_integer(given))
            return json_integer(json_integer_value(given));
        if (!json_is_string(given) || !pawl_time_read(json_string_value(given), &unix_ns))
            return NULL;
        return json_integer(unix_ns);
    }
}

json_t *pawl_attribute_value(const pawl_attribute *attribute, const json_t *given, pawl_error *error)
{
    char found[80];
    if (attribute->type == PAWL_ATTRIBUTE_KEYWORD && json_string_length(given) > PAWL_ATTRIBUTE_KEYWORD_BYTES_MAX) {
        pawl_error_set(error, PAWL_E_INVALID, "attribute_too_long",
                       "attribute \"%s\": a keyword of %zu bytes; at most %u fit", attribute->name,
                       json_string_length(given), PAWL_ATTRIBUTE_KEYWORD_BYTES_MAX);
        return NULL;
    }
    json_t *made = convert(attribute->type, given);
    if (made != NULL)
        return made;
    describe(given, found, sizeof found);
    pawl_error_set(error, PAWL_E_INVALID, "attribute_type", "attribute \"%s\" is of type %s: wanted %s, found %s",
                   attribute->name, pawl_attribute_type_name(attribute->type), wanted(attribute->type), found);
    return NULL;
}

/* ---- objects ---- */

static pawl_status unknown(const pawl_attribute_schema *schema, const char *name, pawl_error *error)
{
    char known[200] = "";
    for (size_t i = 0; schema != NULL && i < schema->count; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", used == 0 ? "" : ", ", schema->attributes[i].name);
    }
    if (known[0] == '\0')
        return pawl_error_set(error, PAWL_E_INVALID, "attribute_unknown",
                              "attribute \"%.80s\" is unknown: the profile names none under `attributes`", name);
    return pawl_error_set(error, PAWL_E_INVALID, "attribute_unknown",
                          "attribute \"%.80s\" is unknown; the profile has %s", name, known);
}

static pawl_status read_member(const pawl_attribute_schema *schema, const char *name, const json_t *given,
                               bool removals, json_t *into, pawl_error *error)
{
    const pawl_attribute *attribute = pawl_attribute_find(schema, name);
    if (attribute == NULL)
        return unknown(schema, name, error);
    json_t *made = removals && json_is_null(given) ? json_null() : pawl_attribute_value(attribute, given, error);
    if (made == NULL)
        return PAWL_E_INVALID;
    if (json_object_set_new(into, name, made) != 0)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for search attributes");
    return PAWL_OK;
}

pawl_status pawl_attributes_read(const pawl_attribute_schema *schema, pawl_bytes json, bool removals, json_t **ret,
                                 pawl_error *error)
{
    const char *name;
    json_t *value;
    json_error_t why;
    json_t *given = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!json_is_object(given)) {
        (void)pawl_error_set(error, PAWL_E_INVALID, "attributes_invalid",
                             "the search attributes are no JSON object%s%s", given == NULL ? ": " : "",
                             given == NULL ? why.text : "");
        json_decref(given);
        return PAWL_E_INVALID;
    }
    json_t *made = json_object();
    pawl_status status = PAWL_OK;
    if (made == NULL)
        status = pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for search attributes");
    json_object_foreach(given, name, value)
    {
        if (status == PAWL_OK)
            status = read_member(schema, name, value, removals, made, error);
    }
    json_decref(given);
    if (status == PAWL_OK)
        *ret = made;
    else
        json_decref(made);
    return status;
}

json_t *pawl_attributes_show(const pawl_attribute_schema *schema, pawl_bytes stored)
{
    const char *name;
    json_t *value;
    void *next;
    json_t *shown = stored.size == 0 ? NULL : json_loadb(stored.data, stored.size, 0, NULL);
    json_object_foreach_safe(shown, next, name, value)
    {
        const pawl_attribute *attribute = pawl_attribute_find(schema, name);
        bool is_time = attribute != NULL && attribute->type == PAWL_ATTRIBUTE_TIME && json_is_integer(value);
        json_t *time = is_time ? show_time(json_integer_value(value)) : NULL;
        if (time != NULL)
            (void)json_object_set_new(shown, name, time);
    }
    return shown;
}
