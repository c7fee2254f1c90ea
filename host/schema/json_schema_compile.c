/* json_schema_compile.c: making a schema ready, see json_schema.h. Walks it once: every keyword must have the form that
 * it should, so that checking can rely on it, and every pattern is compiled. */
#include "host/schema/json_schema_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERNS_MAX    4096u
#define MATCH_STEPS_MAX 1000000u
#define MATCH_HEAP_KB   16384u

size_t pawl_schema_enter(pawl_schema_walk *w, const char *key)
{
    size_t before = w->length;
    int used = snprintf(w->pointer + before, sizeof w->pointer - before, "/%s", key);
    w->length = used < 0 || before + (size_t)used >= sizeof w->pointer ? sizeof w->pointer - 1 : before + (size_t)used;
    return before;
}

size_t pawl_schema_enter_index(pawl_schema_walk *w, size_t index)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", index);
    return pawl_schema_enter(w, text);
}

void pawl_schema_leave(pawl_schema_walk *w, size_t before)
{
    w->length = before;
    w->pointer[before] = '\0';
}

static const char *type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "a boolean", [JSON_FALSE] = "a boolean", [JSON_NULL] = "null",
    };
    return value == NULL ? "nothing" : names[json_typeof(value)];
}

/* A value in few bytes. */
const char *pawl_schema_show(const json_t *value, char room[SCHEMA_SHOWN_BYTES + 40])
{
    char text[SCHEMA_SHOWN_BYTES + 1];
    size_t size = value == NULL ? 0 : json_dumpb(value, text, SCHEMA_SHOWN_BYTES, JSON_COMPACT | JSON_ENCODE_ANY);
    if (value == NULL || size == 0 || size > SCHEMA_SHOWN_BYTES || json_is_object(value) || json_is_array(value))
        snprintf(room, SCHEMA_SHOWN_BYTES + 40, "%s", type_name(value));
    else
        snprintf(room, SCHEMA_SHOWN_BYTES + 40, "%.*s (%s)", (int)size, text, type_name(value));
    return room;
}

bool pawl_schema_differs(pawl_schema_walk *w, const json_t *found, const char *format, ...)
{
    char wanted[256];
    char room[SCHEMA_SHOWN_BYTES + 40];
    if (w->quiet)
        return false;
    va_list args;
    va_start(args, format);
    vsnprintf(wanted, sizeof wanted, format, args);
    va_end(args);
    (void)pawl_error_set(w->error, PAWL_E_INVALID, w->schema->root == NULL ? "schema.invalid" : "schema.mismatch",
                         "at \"%s\": found %s, wanted %s", w->pointer, pawl_schema_show(found, room), wanted);
    return false;
}

/* ---- compiling ---- */

static bool compile_schema(pawl_schema_walk *w, const json_t *schema);

typedef bool (*compile_keyword)(pawl_schema_walk *w, const json_t *value);

static bool compile_pattern_text(pawl_schema_walk *w, const json_t *shown, const char *text, size_t size)
{
    pawl_schema *own = w->schema;
    int code = 0;
    PCRE2_SIZE at = 0;
    if (own->pattern_count == PATTERNS_MAX)
        return pawl_schema_differs(w, shown, "at most %u patterns", PATTERNS_MAX);
    struct pawl_schema_pattern *grown = realloc(own->patterns, (own->pattern_count + 1) * sizeof *grown);
    if (grown == NULL)
        return pawl_schema_differs(w, shown, "more memory");
    own->patterns = grown;
    pcre2_code *made =
        pcre2_compile((PCRE2_SPTR)text, size,
                      PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | PCRE2_ALT_BSUX | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
    if (made == NULL) {
        char why[128] = "";
        pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof why);
        return pawl_schema_differs(w, shown, "a regular expression (%s, at character %zu)", why, (size_t)at);
    }
    own->patterns[own->pattern_count++] = (struct pawl_schema_pattern){text, made};
    return true;
}

static bool compile_pattern(pawl_schema_walk *w, const json_t *value)
{
    return json_is_string(value) ? compile_pattern_text(w, value, json_string_value(value), json_string_length(value))
                                 : pawl_schema_differs(w, value, "a regular expression");
}

static bool is_type_word(const json_t *value)
{
    static const char *const words[] = {"null", "boolean", "object", "array", "number", "string", "integer"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (json_is_string(value) && strcmp(json_string_value(value), words[i]) == 0)
            return true;
    return false;
}

static bool compile_type(pawl_schema_walk *w, const json_t *value)
{
    size_t i;
    const json_t *word;
    bool good = is_type_word(value) || (json_is_array(value) && json_array_size(value) > 0);
    json_array_foreach(value, i, word) good = good && is_type_word(word);
    return good || pawl_schema_differs(
                       w, value, "null, boolean, object, array, number, string or integer, or an array of these words");
}

static bool compile_array(pawl_schema_walk *w, const json_t *value)
{
    return json_is_array(value) || pawl_schema_differs(w, value, "an array");
}

static bool compile_number(pawl_schema_walk *w, const json_t *value)
{
    return json_is_number(value) || pawl_schema_differs(w, value, "a number");
}

static bool compile_factor(pawl_schema_walk *w, const json_t *value)
{
    return (json_is_number(value) && json_number_value(value) > 0) || pawl_schema_differs(w, value, "a number above 0");
}

static bool compile_count(pawl_schema_walk *w, const json_t *value)
{
    return (json_is_integer(value) && json_integer_value(value) >= 0) ||
           pawl_schema_differs(w, value, "a whole number");
}

static bool compile_flag(pawl_schema_walk *w, const json_t *value)
{
    return json_is_boolean(value) || pawl_schema_differs(w, value, "true or false");
}

static bool compile_names(pawl_schema_walk *w, const json_t *value)
{
    size_t i;
    const json_t *name;
    bool good = json_is_array(value);
    json_array_foreach(value, i, name) good = good && json_is_string(name);
    return good || pawl_schema_differs(w, value, "an array of strings");
}

static bool compile_list(pawl_schema_walk *w, const json_t *value)
{
    size_t i;
    const json_t *schema;
    if (!json_is_array(value) || json_array_size(value) == 0)
        return pawl_schema_differs(w, value, "an array of at least one schema");
    json_array_foreach(value, i, schema)
    {
        size_t before = pawl_schema_enter_index(w, i);
        if (!compile_schema(w, schema))
            return false;
        pawl_schema_leave(w, before);
    }
    return true;
}

static bool compile_items(pawl_schema_walk *w, const json_t *value)
{
    return json_is_array(value) && json_array_size(value) > 0 ? compile_list(w, value)
           : json_is_array(value)                             ? true
                                                              : compile_schema(w, value);
}

static bool compile_map(pawl_schema_walk *w, const json_t *value)
{
    const char *key;
    const json_t *schema;
    if (!json_is_object(value))
        return pawl_schema_differs(w, value, "an object of schemas");
    for (void *at = json_object_iter((json_t *)(uintptr_t)value); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
        key = json_object_iter_key(at);
        schema = json_object_iter_value(at);
        size_t before = pawl_schema_enter(w, key);
        bool good = json_is_array(schema) ? compile_names(w, schema) : compile_schema(w, schema);
        if (!good)
            return false;
        pawl_schema_leave(w, before);
    }
    return true;
}

static bool compile_pattern_map(pawl_schema_walk *w, const json_t *value)
{
    for (void *at = json_object_iter((json_t *)(uintptr_t)value); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
        const char *key = json_object_iter_key(at);
        size_t before = pawl_schema_enter(w, key);
        if (!compile_pattern_text(w, json_object_iter_value(at), key, strlen(key)))
            return false;
        pawl_schema_leave(w, before);
    }
    return compile_map(w, value);
}

/* One step of a JSON pointer; *pointer moves behind it. */
static const json_t *step(const json_t *from, const char **pointer)
{
    char token[256];
    size_t used = 0;
    const char *at = *pointer + 1;
    for (; *at != '\0' && *at != '/' && used + 1 < sizeof token; at++) {
        unsigned byte = 0;
        if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
            token[used++] = (char)byte;
            at += 2;
        } else if (*at == '~' && (at[1] == '0' || at[1] == '1')) {
            token[used++] = *++at == '0' ? '~' : '/';
        } else {
            token[used++] = *at;
        }
    }
    token[used] = '\0';
    *pointer = at;
    if (json_is_object(from))
        return json_object_get(from, token);
    char *end = NULL;
    unsigned long index = strtoul(token, &end, 10);
    return json_is_array(from) && used > 0 && *end == '\0' ? json_array_get(from, index) : NULL;
}

const json_t *pawl_schema_follow(const json_t *root, const json_t *reference)
{
    const char *at = json_string_value(reference);
    if (at == NULL || *at++ != '#')
        return NULL;
    while (root != NULL && *at == '/')
        root = step(root, &at);
    return *at == '\0' ? root : NULL;
}

static const struct keyword {
    const char *name;
    compile_keyword compile;
} keywords[] = {
    {"type", compile_type},
    {"enum", compile_array},
    {"multipleOf", compile_factor},
    {"maximum", compile_number},
    {"exclusiveMaximum", compile_number},
    {"minimum", compile_number},
    {"exclusiveMinimum", compile_number},
    {"maxLength", compile_count},
    {"minLength", compile_count},
    {"pattern", compile_pattern},
    {"items", compile_items},
    {"additionalItems", compile_schema},
    {"maxItems", compile_count},
    {"minItems", compile_count},
    {"uniqueItems", compile_flag},
    {"contains", compile_schema},
    {"maxProperties", compile_count},
    {"minProperties", compile_count},
    {"required", compile_names},
    {"properties", compile_map},
    {"patternProperties", compile_pattern_map},
    {"additionalProperties", compile_schema},
    {"dependencies", compile_map},
    {"propertyNames", compile_schema},
    {"if", compile_schema},
    {"then", compile_schema},
    {"else", compile_schema},
    {"allOf", compile_list},
    {"anyOf", compile_list},
    {"oneOf", compile_list},
    {"not", compile_schema},
    {"definitions", compile_map},
    {"$defs", compile_map},
};

static bool compile_keywords(pawl_schema_walk *w, const json_t *schema)
{
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++) {
        const json_t *value = json_object_get(schema, keywords[i].name);
        if (value == NULL)
            continue;
        size_t before = pawl_schema_enter(w, keywords[i].name);
        if (!keywords[i].compile(w, value))
            return false;
        pawl_schema_leave(w, before);
    }
    return true;
}

static bool compile_schema(pawl_schema_walk *w, const json_t *schema)
{
    if (json_is_boolean(schema))
        return true;
    if (!json_is_object(schema))
        return pawl_schema_differs(w, schema, "a schema: an object or a boolean");
    if (w->depth == PAWL_SCHEMA_DEPTH_MAX)
        return pawl_schema_differs(w, schema, "at most %d schemas inside each other", PAWL_SCHEMA_DEPTH_MAX);
    w->depth++;
    bool good = compile_keywords(w, schema);
    w->depth--;
    return good;
}

/* References are looked at when the rest is known to be right: they may lead anywhere. */
static bool compile_references(pawl_schema_walk *w, const json_t *root, const json_t *at)
{
    const json_t *reference = json_object_get(at, "$ref");
    if (reference != NULL && json_is_string(reference)) {
        const json_t *target = pawl_schema_follow(root, reference);
        if (target == NULL || !(json_is_object(target) || json_is_boolean(target)))
            return pawl_schema_differs(w, reference, "\"#\" and a JSON pointer to a schema in this schema");
    }
    size_t i;
    const json_t *element;
    json_array_foreach(at, i, element) if (!compile_references(w, root, element)) return false;
    for (void *member = json_object_iter((json_t *)(uintptr_t)at); member != NULL;
         member = json_object_iter_next((json_t *)(uintptr_t)at, member)) {
        const char *key = json_object_iter_key(member);
        if (strcmp(key, "enum") == 0 || strcmp(key, "const") == 0)
            continue;
        size_t before = pawl_schema_enter(w, key);
        if (!compile_references(w, root, json_object_iter_value(member)))
            return false;
        pawl_schema_leave(w, before);
    }
    return true;
}

pawl_status pawl_schema_compile(const json_t *schema, pawl_schema **ret, pawl_error *error)
{
    *ret = NULL;
    if (json_is_true(schema) || (json_is_object(schema) && json_object_size(schema) == 0))
        return PAWL_OK;
    pawl_schema *made = calloc(1, sizeof *made);
    if (made != NULL)
        made->limits = pcre2_match_context_create(NULL);
    if (made == NULL || made->limits == NULL) {
        free(made);
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory for a schema");
    }
    pcre2_set_match_limit(made->limits, MATCH_STEPS_MAX);
    pcre2_set_heap_limit(made->limits, MATCH_HEAP_KB);
    pawl_schema_walk w = {.schema = made, .error = error};
    if (!compile_schema(&w, schema) || !compile_references(&w, schema, schema)) {
        pawl_schema_destroy(made);
        return PAWL_E_INVALID;
    }
    made->root = schema;
    *ret = made;
    return PAWL_OK;
}

pawl_schema *pawl_schema_destroy(pawl_schema *schema)
{
    if (schema == NULL)
        return NULL;
    for (size_t i = 0; i < schema->pattern_count; i++)
        pcre2_code_free(schema->patterns[i].code);
    pcre2_match_context_free(schema->limits);
    free(schema->patterns);
    free(schema);
    return NULL;
}
