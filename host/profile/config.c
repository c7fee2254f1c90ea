/* config.c: the free part of a profile, a `config`, as JSON for the plugin it is meant for. Types are those of
 * the YAML 1.2 core schema. References to secrets keep their place and are only checked for form; a value standing
 * where a reference should be is never quoted, since it may be the secret itself. */
#include "host/profile/read.h"
#include "host/profile/secret.h"
#include "host/profile/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static json_t *convert(pawl_profile_reader *r, const pawl_tree_node *node, const char *where);

static json_t *convert_integer(pawl_profile_reader *r, const pawl_tree_node *node, const char *where)
{
    uint64_t value = 0;
    bool negative = node->text[0] == '-';
    pawl_parsed parsed = pawl_parse_count(node->text + negative, &value);
    if (parsed == PAWL_PARSED && value <= (uint64_t)INT64_MAX)
        return json_integer(negative ? -(json_int_t)value : (json_int_t)value);
    if (parsed == PAWL_PARSED && negative && value == (uint64_t)INT64_MAX + 1)
        return json_integer(INT64_MIN);
    pawl_problems_add(r->problems, node->place, "profile.range",
                      "%s: a whole number beyond 64 bits; put it in quotes if it is a text", where);
    return json_null();
}

static json_t *convert_scalar(pawl_profile_reader *r, const pawl_tree_node *node, const char *where)
{
    double value = 0;
    if (node->broken)
        return json_null();
    switch (pawl_value_type(node)) {
    case PAWL_SCALAR_NULL:
        return json_null();
    case PAWL_SCALAR_BOOLEAN:
        return json_boolean(node->text[0] == 't' || node->text[0] == 'T');
    case PAWL_SCALAR_INTEGER:
        return convert_integer(r, node, where);
    case PAWL_SCALAR_FLOAT:
        if (pawl_parse_decimal(node->text, &value) == PAWL_PARSED)
            return json_real(value);
        pawl_problems_add(r->problems, node->place, "profile.range",
                          "%s: a number that JSON cannot hold; put it in quotes if it is a text", where);
        return json_null();
    case PAWL_SCALAR_TEXT:
        return json_stringn(node->text, node->size);
    default:
        pawl_problems_add(r->problems, node->place, "profile.tag",
                          "%s: the tag %.80s is unknown or does not fit the value", where, node->tag);
        return json_null();
    }
}

static bool is_secret(const pawl_tree_node *node)
{
    return node->count == 1 && strcmp(node->entries[0].key->text, "secret") == 0 &&
           node->entries[0].value->kind == PAWL_TREE_SCALAR;
}

static json_t *convert_secret(pawl_profile_reader *r, const pawl_tree_node *node, const char *where)
{
    const pawl_tree_node *value = node->entries[0].value;
    if (value->broken)
        return json_null();
    if (strlen(value->text) != value->size || pawl_value_type(value) != PAWL_SCALAR_TEXT ||
        !pawl_secret_is_valid(value->text)) {
        pawl_problems_add(r->problems, value->place, "profile.secret",
                          "%s: a secret is given as env:NAME or file:PATH, never as itself", where);
        return json_null();
    }
    if (strncmp(value->text, "file:", 5) != 0)
        return json_pack("{s:s}", "secret", value->text);
    const char *path = pawl_profile_absolute(r->memory, r->profile->directory, value->text + 5);
    return path ? json_pack("{s:s+}", "secret", "file:", path) : NULL;
}

static json_t *convert_mapping(pawl_profile_reader *r, const pawl_tree_node *node, const char *where)
{
    json_t *object = json_object();
    for (size_t i = 0; object && i < node->count; i++) {
        const pawl_tree_entry *entry = &node->entries[i];
        char inner[PAWL_WHERE];
        (void)snprintf(inner, sizeof(inner), "%.160s.%.80s", where, entry->key->text);
        json_t *value = convert(r, entry->value, inner);
        if (json_object_set_new(object, entry->key->text, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* Recursion is as deep as the tree: PAWL_PROFILE_DEPTH_MAX. */
static json_t *convert(pawl_profile_reader *r, const pawl_tree_node *node, const char *where)
{
    if (node->kind == PAWL_TREE_SCALAR)
        return convert_scalar(r, node, where);
    if (node->kind == PAWL_TREE_MAPPING)
        return is_secret(node) ? convert_secret(r, node, where) : convert_mapping(r, node, where);
    json_t *array = json_array();
    for (size_t i = 0; array && i < node->count; i++) {
        char inner[PAWL_WHERE];
        (void)snprintf(inner, sizeof(inner), "%.200s[%zu]", where, i);
        if (json_array_append_new(array, convert(r, node->entries[i].value, inner)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

json_t *pawl_profile_read_config(pawl_profile_reader *r, const pawl_tree_node *node, const char *where)
{
    if (node && node->kind == PAWL_TREE_MAPPING) {
        if (is_secret(node))
            pawl_problems_add(r->problems, node->place, "profile.secret",
                              "%s: a secret stands for a text, and a config is a mapping", where);
        return pawl_profile_memory_keep(r->memory, convert_mapping(r, node, where));
    }
    bool nothing =
        !node || node->broken || (node->kind == PAWL_TREE_SCALAR && pawl_value_type(node) == PAWL_SCALAR_NULL);
    if (!nothing)
        pawl_problems_add(r->problems, node->place, "profile.type", "%s: expected a mapping, found %s", where,
                          pawl_value_kind(node));
    return pawl_profile_memory_keep(r->memory, json_object());
}
