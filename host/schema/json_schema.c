/* json_schema.c: checking values, see json_schema.h. Walks schema and value together and stops at the first difference;
 * it must never trust the depth of a value, or what a pattern takes. */
#include "host/schema/json_schema_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PAIRWISE_MAX 256u

static bool check(pawl_schema_walk *w, const json_t *schema, const json_t *value);

static bool fits(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    bool quiet = w->quiet;
    w->quiet = true;
    bool result = check(w, schema, value);
    w->quiet = quiet;
    return result;
}

static bool is_whole(const json_t *value)
{
    return json_is_integer(value) || (json_is_real(value) && floor(json_real_value(value)) == json_real_value(value));
}

static bool has_type(const json_t *value, const char *word)
{
    switch (word[0]) {
    case 'n':
        return word[2] == 'l' ? json_is_null(value) : json_is_number(value);
    case 'b':
        return json_is_boolean(value);
    case 'o':
        return json_is_object(value);
    case 'a':
        return json_is_array(value);
    case 's':
        return json_is_string(value);
    default:
        return is_whole(value);
    }
}

/* As JSON Schema has it: 1 and 1.0 are the same. */
static bool equal(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b))
        return json_is_integer(a) && json_is_integer(b) ? json_integer_value(a) == json_integer_value(b)
                                                        : fabs(json_number_value(a) - json_number_value(b)) == 0;
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_array(a)) {
        bool same = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; same && i < json_array_size(a); i++)
            same = equal(json_array_get(a, i), json_array_get(b, i));
        return same;
    }
    if (!json_is_object(a))
        return json_equal(a, b) != 0;
    bool same = json_object_size(a) == json_object_size(b);
    for (void *at = json_object_iter((json_t *)(uintptr_t)a); same && at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)a, at)) {
        const json_t *other = json_object_get(b, json_object_iter_key(at));
        same = other != NULL && equal(json_object_iter_value(at), other);
    }
    return same;
}

static bool check_type(pawl_schema_walk *w, const json_t *type, const json_t *value)
{
    size_t i;
    const json_t *word;
    bool fitting = json_is_string(type) && has_type(value, json_string_value(type));
    json_array_foreach(type, i, word) fitting = fitting || has_type(value, json_string_value(word));
    char room[SCHEMA_SHOWN_BYTES + 40];
    return fitting ||
           pawl_schema_differs(w, value, "the type %s",
                               pawl_schema_show(json_is_string(type) ? type : json_array_get(type, 0), room));
}

static bool check_enum(pawl_schema_walk *w, const json_t *choices, const json_t *value)
{
    size_t i;
    const json_t *choice;
    json_array_foreach(choices, i, choice) if (equal(choice, value)) return true;
    return pawl_schema_differs(w, value, "one of the %zu values of the list", json_array_size(choices));
}

static bool check_any_value(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    const json_t *keyword;
    char room[SCHEMA_SHOWN_BYTES + 40];
    if ((keyword = json_object_get(schema, "type")) != NULL && !check_type(w, keyword, value))
        return false;
    if ((keyword = json_object_get(schema, "enum")) != NULL && !check_enum(w, keyword, value))
        return false;
    if ((keyword = json_object_get(schema, "const")) != NULL && !equal(keyword, value))
        return pawl_schema_differs(w, value, "%s", pawl_schema_show(keyword, room));
    return true;
}

/* ---- numbers and strings ---- */

static bool is_multiple(const json_t *value, const json_t *of)
{
    if (json_is_integer(value) && json_is_integer(of))
        return json_integer_value(value) % json_integer_value(of) == 0;
    double quotient = json_number_value(value) / json_number_value(of);
    return isfinite(quotient) && fabs(quotient - nearbyint(quotient)) <= 1e-9 * fmax(1.0, fabs(quotient));
}

static int compare(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) < json_integer_value(b) ? -1 : json_integer_value(a) > json_integer_value(b);
    return json_number_value(a) < json_number_value(b) ? -1 : json_number_value(a) > json_number_value(b);
}

static bool check_number(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    const json_t *limit;
    char room[SCHEMA_SHOWN_BYTES + 40];
    if ((limit = json_object_get(schema, "minimum")) != NULL && compare(value, limit) < 0)
        return pawl_schema_differs(w, value, "at least %s", pawl_schema_show(limit, room));
    if ((limit = json_object_get(schema, "maximum")) != NULL && compare(value, limit) > 0)
        return pawl_schema_differs(w, value, "at most %s", pawl_schema_show(limit, room));
    if ((limit = json_object_get(schema, "exclusiveMinimum")) != NULL && compare(value, limit) <= 0)
        return pawl_schema_differs(w, value, "more than %s", pawl_schema_show(limit, room));
    if ((limit = json_object_get(schema, "exclusiveMaximum")) != NULL && compare(value, limit) >= 0)
        return pawl_schema_differs(w, value, "less than %s", pawl_schema_show(limit, room));
    if ((limit = json_object_get(schema, "multipleOf")) != NULL && !is_multiple(value, limit))
        return pawl_schema_differs(w, value, "a multiple of %s", pawl_schema_show(limit, room));
    return true;
}

/* 1: it matches, 0: it does not, -1: matching took more than it may. */
static int matches(const pawl_schema *schema, const char *pattern, const char *text, size_t size)
{
    for (size_t i = 0; i < schema->pattern_count; i++) {
        if (schema->patterns[i].text != pattern)
            continue;
        pcre2_match_data *found = pcre2_match_data_create(1, NULL);
        if (found == NULL)
            return -1;
        int code = pcre2_match(schema->patterns[i].code, (PCRE2_SPTR)text, size, 0, 0, found, schema->limits);
        pcre2_match_data_free(found);
        return code >= 0 ? 1 : code == PCRE2_ERROR_NOMATCH ? 0 : -1;
    }
    return -1;
}

static bool check_string(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    const json_t *keyword;
    const char *text = json_string_value(value);
    size_t size = json_string_length(value);
    json_int_t points = 0;
    for (size_t i = 0; i < size; i++)
        points += ((unsigned char)text[i] & 0xc0) != 0x80;
    if ((keyword = json_object_get(schema, "minLength")) != NULL && points < json_integer_value(keyword))
        return pawl_schema_differs(w, value, "at least %lld characters", json_integer_value(keyword));
    if ((keyword = json_object_get(schema, "maxLength")) != NULL && points > json_integer_value(keyword))
        return pawl_schema_differs(w, value, "at most %lld characters, not %lld", json_integer_value(keyword), points);
    if ((keyword = json_object_get(schema, "pattern")) != NULL) {
        int matching = matches(w->schema, json_string_value(keyword), text, size);
        if (matching <= 0)
            return pawl_schema_differs(
                w, value, matching == 0 ? "text that matches %s" : "text that matches %s without long trying",
                json_string_value(keyword));
    }
    return true;
}

/* ---- arrays ---- */

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool are_unique_by_text(const json_t *array)
{
    size_t count = json_array_size(array);
    char **texts = calloc(count, sizeof *texts);
    bool unique = texts != NULL;
    for (size_t i = 0; unique && i < count; i++) {
        texts[i] = json_dumps(json_array_get(array, i), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
        unique = texts[i] != NULL;
    }
    if (unique)
        qsort(texts, count, sizeof *texts, compare_texts);
    for (size_t i = 1; unique && i < count; i++)
        unique = strcmp(texts[i - 1], texts[i]) != 0;
    for (size_t i = 0; texts != NULL && i < count; i++)
        free(texts[i]);
    free(texts);
    return unique;
}

static bool are_unique(const json_t *array)
{
    size_t count = json_array_size(array);
    if (count > PAIRWISE_MAX)
        return are_unique_by_text(array);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (equal(json_array_get(array, i), json_array_get(array, j)))
                return false;
    return true;
}

static bool check_items(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    size_t i;
    const json_t *element;
    const json_t *items = json_object_get(schema, "items");
    const json_t *rest = json_is_array(items) ? json_object_get(schema, "additionalItems") : items;
    json_array_foreach(value, i, element)
    {
        const json_t *own = json_is_array(items) && i < json_array_size(items) ? json_array_get(items, i) : rest;
        size_t before = pawl_schema_enter_index(w, i);
        if (own != NULL && !check(w, own, element))
            return false;
        pawl_schema_leave(w, before);
    }
    return true;
}

static bool check_array(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    const json_t *keyword;
    json_int_t count = (json_int_t)json_array_size(value);
    if ((keyword = json_object_get(schema, "minItems")) != NULL && count < json_integer_value(keyword))
        return pawl_schema_differs(w, value, "at least %lld elements, not %lld", json_integer_value(keyword), count);
    if ((keyword = json_object_get(schema, "maxItems")) != NULL && count > json_integer_value(keyword))
        return pawl_schema_differs(w, value, "at most %lld elements, not %lld", json_integer_value(keyword), count);
    if (json_is_true(json_object_get(schema, "uniqueItems")) && !are_unique(value))
        return pawl_schema_differs(w, value, "elements that differ from each other");
    if ((keyword = json_object_get(schema, "contains")) != NULL) {
        size_t i;
        const json_t *element;
        bool contains = false;
        json_array_foreach(value, i, element) contains = contains || fits(w, keyword, element);
        if (!contains)
            return pawl_schema_differs(w, value, "at least one element that fits the schema of \"contains\"");
    }
    return check_items(w, schema, value);
}

/* ---- objects ---- */

static bool check_names(pawl_schema_walk *w, const json_t *names, const json_t *value)
{
    size_t i;
    const json_t *name;
    json_array_foreach(names, i, name) if (json_object_get(value, json_string_value(name)) ==
                                           NULL) return pawl_schema_differs(w, value, "an object that has \"%s\"",
                                                                            json_string_value(name));
    return true;
}

static bool check_member(pawl_schema_walk *w, const json_t *schema, const char *key, const json_t *member)
{
    const json_t *own = json_object_get(json_object_get(schema, "properties"), key);
    const json_t *names = json_object_get(schema, "propertyNames");
    json_t *patterns = json_object_get(schema, "patternProperties");
    bool known = own != NULL;
    if (names != NULL) {
        json_t *name = json_string(key);
        bool good = name != NULL && check(w, names, name);
        json_decref(name);
        if (!good)
            return false;
    }
    if (own != NULL && !check(w, own, member))
        return false;
    for (void *at = json_object_iter(patterns); at != NULL; at = json_object_iter_next(patterns, at)) {
        if (matches(w->schema, json_object_iter_key(at), key, strlen(key)) == 0)
            continue;
        known = true;
        if (!check(w, json_object_iter_value(at), member))
            return false;
    }
    const json_t *others = json_object_get(schema, "additionalProperties");
    if (known || others == NULL)
        return true;
    return json_is_false(others) ? pawl_schema_differs(w, member, "no member \"%s\"", key) : check(w, others, member);
}

static bool check_dependencies(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    json_t *dependencies = json_object_get(schema, "dependencies");
    for (void *at = json_object_iter(dependencies); at != NULL; at = json_object_iter_next(dependencies, at)) {
        const json_t *wanted = json_object_iter_value(at);
        if (json_object_get(value, json_object_iter_key(at)) == NULL)
            continue;
        if (!(json_is_array(wanted) ? check_names(w, wanted, value) : check(w, wanted, value)))
            return false;
    }
    return true;
}

static bool check_object(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    const json_t *keyword;
    json_int_t count = (json_int_t)json_object_size(value);
    if ((keyword = json_object_get(schema, "required")) != NULL && !check_names(w, keyword, value))
        return false;
    if ((keyword = json_object_get(schema, "minProperties")) != NULL && count < json_integer_value(keyword))
        return pawl_schema_differs(w, value, "at least %lld members, not %lld", json_integer_value(keyword), count);
    if ((keyword = json_object_get(schema, "maxProperties")) != NULL && count > json_integer_value(keyword))
        return pawl_schema_differs(w, value, "at most %lld members, not %lld", json_integer_value(keyword), count);
    for (void *at = json_object_iter((json_t *)(uintptr_t)value); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
        size_t before = pawl_schema_enter(w, json_object_iter_key(at));
        if (!check_member(w, schema, json_object_iter_key(at), json_object_iter_value(at)))
            return false;
        pawl_schema_leave(w, before);
    }
    return check_dependencies(w, schema, value);
}

/* ---- schemas of schemas ---- */

static bool check_combined(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    size_t i;
    size_t fitting = 0;
    const json_t *part;
    const json_t *list = json_object_get(schema, "allOf");
    json_array_foreach(list, i, part) if (!check(w, part, value)) return false;
    list = json_object_get(schema, "anyOf");
    json_array_foreach(list, i, part) fitting += fits(w, part, value);
    if (list != NULL && fitting == 0)
        return pawl_schema_differs(w, value, "what fits at least one of the %zu schemas of \"anyOf\"",
                                   json_array_size(list));
    fitting = 0;
    list = json_object_get(schema, "oneOf");
    json_array_foreach(list, i, part) fitting += fits(w, part, value);
    if (list != NULL && fitting != 1)
        return pawl_schema_differs(w, value, "what fits exactly one schema of \"oneOf\", not %zu", fitting);
    part = json_object_get(schema, "not");
    if (part != NULL && fits(w, part, value))
        return pawl_schema_differs(w, value, "what does not fit the schema of \"not\"");
    part = json_object_get(schema, "if");
    if (part == NULL)
        return true;
    part = json_object_get(schema, fits(w, part, value) ? "then" : "else");
    return part == NULL || check(w, part, value);
}

static bool check_inside(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    const json_t *reference = json_object_get(schema, "$ref");
    if (json_is_string(reference)) /* in draft 7 nothing beside it counts */
        return check(w, pawl_schema_follow(w->schema->root, reference), value);
    if (!check_any_value(w, schema, value))
        return false;
    if (json_is_number(value) && !check_number(w, schema, value))
        return false;
    if (json_is_string(value) && !check_string(w, schema, value))
        return false;
    if (json_is_array(value) && !check_array(w, schema, value))
        return false;
    if (json_is_object(value) && !check_object(w, schema, value))
        return false;
    return check_combined(w, schema, value);
}

static bool check(pawl_schema_walk *w, const json_t *schema, const json_t *value)
{
    if (json_is_true(schema))
        return true;
    if (json_is_false(schema))
        return pawl_schema_differs(w, value, "nothing here");
    if (w->depth == PAWL_SCHEMA_DEPTH_MAX)
        return pawl_schema_differs(w, value, "at most %d schemas inside each other", PAWL_SCHEMA_DEPTH_MAX);
    w->depth++;
    size_t before = w->length;
    bool good = check_inside(w, schema, value);
    if (good || w->quiet)
        pawl_schema_leave(w, before);
    w->depth--;
    return good;
}

pawl_status pawl_schema_check(const pawl_schema *schema, const json_t *value, pawl_error *error)
{
    pawl_schema_walk w = {.schema = (pawl_schema *)(uintptr_t)schema, .error = error};
    return schema == NULL || check(&w, schema->root, value) ? PAWL_OK : PAWL_E_INVALID;
}

pawl_status pawl_schema_check_text(const pawl_schema *schema, pawl_bytes text, pawl_error *error)
{
    json_error_t problem;
    if (schema == NULL)
        return PAWL_OK;
    json_t *value = json_loadb(text.size == 0 ? "" : text.data, text.size,
                               JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &problem);
    if (value == NULL)
        return pawl_error_set(error, PAWL_E_INVALID, "schema.mismatch", "at \"\": it is not JSON: %s (byte %d)",
                              problem.text, problem.position);
    pawl_status status = pawl_schema_check(schema, value, error);
    json_decref(value);
    return status;
}
