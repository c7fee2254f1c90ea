/* sample.c: inputs to try operations and process types with: given on the command line, standing in the manifest, or
 * made from a schema. An operation without a sample is not called, unless that was asked for: a call does what it
 * does. */
#include "call.h"
#include "host/schema/json_schema.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 16 };

/* ---- from a schema ---- */

static json_t *generate(const json_t *root, const json_t *schema, unsigned depth);

static json_t *first_of(const json_t *array)
{
    return json_is_array(array) && json_array_size(array) > 0 ? json_array_get(array, 0) : NULL;
}

/* "#/definitions/x" */
static const json_t *follow(const json_t *root, const char *reference)
{
    char name[128];
    const json_t *at = root;
    if (reference == NULL || reference[0] != '#')
        return NULL;
    for (const char *c = reference + 1; *c == '/';) {
        size_t size = strcspn(++c, "/");
        snprintf(name, sizeof name, "%.*s", (int)size, c);
        at = json_object_get(at, name);
        c += size;
    }
    return at;
}

static json_t *generate_object(const json_t *root, const json_t *schema, unsigned depth)
{
    json_t *object = json_object();
    const json_t *properties = json_object_get(schema, "properties");
    size_t index;
    const json_t *name;
    json_array_foreach(json_object_get(schema, "required"), index, name)
    {
        const json_t *member = json_object_get(properties, json_string_value(name));
        json_object_set_new(object, json_string_value(name), generate(root, member, depth + 1));
    }
    return object;
}

static json_t *generate_array(const json_t *root, const json_t *schema, unsigned depth)
{
    json_t *array = json_array();
    json_int_t least = json_integer_value(json_object_get(schema, "minItems"));
    const json_t *items = json_object_get(schema, "items");
    for (json_int_t i = 0; i < least && i < 1000; i++)
        json_array_append_new(
            array, generate(root, json_is_array(items) ? json_array_get(items, (size_t)i) : items, depth + 1));
    return array;
}

static json_t *generate_string(const json_t *schema)
{
    char text[1024];
    json_int_t least = json_integer_value(json_object_get(schema, "minLength"));
    if (least <= 0)
        return json_string("check");
    size_t size = least < (json_int_t)sizeof text ? (size_t)least : sizeof text - 1;
    memset(text, 'x', size);
    return json_stringn(text, size);
}

static json_t *generate_number(const json_t *schema, bool whole)
{
    const json_t *least = json_object_get(schema, "minimum");
    const json_t *above = json_object_get(schema, "exclusiveMinimum");
    double value = json_is_number(least) ? json_number_value(least) : 1;
    if (json_is_number(above))
        value = json_number_value(above) + 1;
    const json_t *most = json_object_get(schema, "maximum");
    if (json_is_number(most) && json_number_value(most) < value)
        value = json_number_value(most);
    return whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *generate_type(const json_t *root, const json_t *schema, const char *type, unsigned depth)
{
    if (strcmp(type, "object") == 0)
        return generate_object(root, schema, depth);
    if (strcmp(type, "array") == 0)
        return generate_array(root, schema, depth);
    if (strcmp(type, "string") == 0)
        return generate_string(schema);
    if (strcmp(type, "integer") == 0 || strcmp(type, "number") == 0)
        return generate_number(schema, type[0] == 'i');
    return strcmp(type, "boolean") == 0 ? json_true() : json_null();
}

static json_t *generate(const json_t *root, const json_t *schema, unsigned depth)
{
    static const char *const values[] = {"const", "default"};
    static const char *const lists[] = {"examples", "enum"};
    static const char *const choices[] = {"anyOf", "oneOf", "allOf"};
    if (!json_is_object(schema) || depth > DEPTH_MAX)
        return json_object();
    for (size_t i = 0; i < 2; i++)
        if (json_object_get(schema, values[i]) != NULL)
            return json_incref(json_object_get(schema, values[i]));
    for (size_t i = 0; i < 2; i++)
        if (first_of(json_object_get(schema, lists[i])) != NULL)
            return json_incref(first_of(json_object_get(schema, lists[i])));
    const json_t *target = follow(root, json_string_value(json_object_get(schema, "$ref")));
    if (target != NULL)
        return generate(root, target, depth + 1);
    const json_t *type = json_object_get(schema, "type");
    const char *word = json_string_value(json_is_array(type) ? first_of(type) : type);
    if (word != NULL)
        return generate_type(root, schema, word, depth);
    for (size_t i = 0; i < 3; i++)
        if (first_of(json_object_get(schema, choices[i])) != NULL)
            return generate(root, first_of(json_object_get(schema, choices[i])), depth + 1);
    return generate_object(root, schema, depth);
}

json_t *lab_generate(const json_t *schema)
{
    pawl_error error = {.status = PAWL_OK};
    pawl_schema *compiled = NULL;
    json_t *made = generate(schema, schema, 0);
    if (schema == NULL || pawl_schema_compile(schema, &compiled, &error) != PAWL_OK)
        return made;
    if (pawl_schema_check(compiled, made, &error) != PAWL_OK) {
        json_decref(made);
        made = NULL;
    }
    pawl_schema_destroy(compiled);
    return made;
}

/* ---- of an operation ---- */

/* The n-th given sample, slow or not; *ret_any: there is one of either sort. */
static json_t *given_sample(const checker_options *o, const char *name, bool slow, size_t n, bool *ret_any)
{
    for (size_t i = 0; i < o->sample_count; i++) {
        if (strcmp(o->samples[i].name, name) != 0)
            continue;
        *ret_any = true;
        if (o->samples[i].slow == slow && n-- == 0)
            return json_incref(o->samples[i].input);
    }
    return NULL;
}

static json_t *example(const pawl_manifest_operation *operation, bool slow, size_t n, bool *ret_any,
                       const json_t **ret_output)
{
    size_t index;
    const json_t *entry;
    json_array_foreach(operation->examples, index, entry)
    {
        *ret_any = true;
        if (json_is_true(json_object_get(entry, "slow")) == slow && n-- == 0) {
            *ret_output = json_object_get(entry, "output");
            return json_incref(json_object_get(entry, "input"));
        }
    }
    return NULL;
}

static json_t *sample_of(const checker_lab *lab, const lab_operation *operation, bool slow, size_t n,
                         const json_t **ret_output)
{
    bool any = false;
    *ret_output = NULL;
    json_t *found = given_sample(lab->options, operation->declared->name, slow, n, &any);
    if (!any)
        found = example(operation->declared, slow, n, &any, ret_output);
    if (!any && !slow && n == 0 && lab->options->generate)
        found = lab_generate(operation->declared->input_schema);
    return found;
}

/* As the operation's media type says: JSON, or the bytes of a string. */
static char *input_text(const pawl_manifest_operation *operation, const json_t *sample)
{
    if (strstr(operation->media_type, "json") == NULL && json_is_string(sample))
        return strdup(json_string_value(sample));
    return json_dumps(sample, JSON_COMPACT | JSON_ENCODE_ANY);
}

bool lab_walk_next(checker_lab *lab, lab_walk *walk)
{
    free(walk->input);
    walk->input = NULL;
    if ((lab->options->broken & STAGE_CALL) != 0 && lab->entry->gives != STAGE_CALL)
        return false;
    for (; walk->operation < lab->operation_count; walk->operation++, walk->sample = 0) {
        const lab_operation *operation = &lab->operations[walk->operation];
        json_t *sample = sample_of(lab, operation, walk->slow, walk->sample, &walk->output);
        if (sample == NULL)
            continue;
        walk->sample++;
        walk->now = operation;
        walk->input = input_text(operation->declared, sample);
        snprintf(walk->where, sizeof walk->where, walk->sample == 1 ? "%s" : "%s, sample %zu",
                 operation->declared->name, walk->sample);
        json_decref(sample);
        return walk->input != NULL;
    }
    return false;
}

pawl_bytes lab_walk_input(const lab_walk *walk)
{
    return pawl_bytes_text(walk->input);
}

bool lab_walk_any(checker_lab *lab, bool slow)
{
    lab_walk walk = {.slow = slow};
    bool any = lab_walk_next(lab, &walk);
    free(walk.input);
    return any;
}

bool lab_gives_json(const lab_operation *operation)
{
    return strstr(operation->declared->media_type, "json") != NULL;
}

void lab_skip_without_samples(checker_lab *lab)
{
    const char *name = lab->operation_count == 0 ? "NAME" : lab->operations[0].declared->name;
    lab_skip(lab,
             "no operation has a sample input: give --input %s=JSON, write \"examples\" in the manifest, or allow "
             "--generate",
             name);
}

/* ---- of a process type ---- */

char *lab_type_input(const checker_lab *lab, const pawl_manifest_process *type)
{
    bool any = false;
    json_t *sample = given_sample(lab->options, type->name, false, 0, &any);
    if (sample == NULL)
        sample = lab_generate(type->input_schema);
    if (sample == NULL)
        sample = json_object();
    char *text = json_dumps(sample, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(sample);
    return text;
}
