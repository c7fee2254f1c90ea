/* describe.c: a loaded profile back in the shape of its file, for people and tests. It is again a valid profile
 * (JSON is YAML), equal to the one it was made from. Holds references to secrets, since that is all a profile has. */
#include "host/profile/schema.h"
#include "host/profile/value.h"

#include <string.h>

static json_t *describe_section(const pawl_section *section, const unsigned char *base, const uint32_t *only);

static json_t *describe_value(const pawl_key *key, const unsigned char *base, const uint32_t *only);

static json_t *describe_codes(const char *const *codes)
{
    json_t *array = json_array();
    for (; codes && *codes; codes++)
        if (json_array_append_new(array, json_string(*codes)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *describe_choice(const pawl_choice *choices, uint32_t value)
{
    while (choices->word && choices->value != value)
        choices++;
    return json_string(choices->word ? choices->word : "");
}

static json_t *describe_elements(const pawl_key *key, const unsigned char *base)
{
    const pawl_section *section = key->section;
    const unsigned char *elements;
    size_t count;
    memcpy(&elements, base + key->offset, sizeof(elements));
    memcpy(&count, base + key->count_offset, sizeof(count));
    json_t *all = key->kind == PAWL_KEY_MAP ? json_object() : json_array();
    for (size_t i = 0; all && i < count; i++) {
        const unsigned char *element = elements + i * section->size;
        const uint32_t *only =
            section->tracked ? (const uint32_t *)(const void *)(element + section->set_offset) : NULL;
        json_t *value =
            section->value ? describe_value(section->value, element, NULL) : describe_section(section, element, only);
        int failed =
            key->kind == PAWL_KEY_LIST
                ? json_array_append_new(all, value)
                : json_object_set_new(all, *(const char *const *)(const void *)(element + section->name_offset), value);
        if (failed) {
            json_decref(all);
            return NULL;
        }
    }
    return all;
}

static json_t *describe_text(const char *text)
{
    return text ? json_string(text) : json_null();
}

/* JSON null: leave the key out. */
static json_t *describe_value(const pawl_key *key, const unsigned char *base, const uint32_t *only)
{
    const void *slot = base + key->offset;
    char text[PAWL_VALUE_TEXT];
    if (only && key->set && !(*only & key->set))
        return json_null();
    switch (key->kind) {
    case PAWL_KEY_TEXT:
    case PAWL_KEY_PATH:
    case PAWL_KEY_SHA256:
        return describe_text(*(const char *const *)slot);
    case PAWL_KEY_DURATION:
        pawl_format_duration(*(const uint64_t *)slot, text);
        return json_string(text);
    case PAWL_KEY_SIZE:
        pawl_format_size(*(const uint64_t *)slot, text);
        return json_string(text);
    case PAWL_KEY_COUNT:
        return json_integer(*(const uint32_t *)slot);
    case PAWL_KEY_DECIMAL:
        return json_real(*(const double *)slot);
    case PAWL_KEY_FLAG:
        return json_boolean(*(const bool *)slot);
    case PAWL_KEY_CHOICE:
        return describe_choice(key->choices, *(const uint32_t *)slot);
    case PAWL_KEY_CHOICE_FLAG:
        return describe_choice(key->choices, *(const bool *)slot);
    case PAWL_KEY_CODES:
        if (*(const char *const *const *)slot == NULL && key->optional_codes)
            return json_null();
        return describe_codes(*(const char *const *const *)slot);
    case PAWL_KEY_CONFIG:
        return json_deep_copy(*(json_t *const *)slot);
    case PAWL_KEY_FACET:
        return describe_text(((const pawl_profile_facet *)slot)->store->name);
    case PAWL_KEY_SECTION:
        if (!key->section->optional)
            return describe_section(key->section, slot, only);
        if (!*(const bool *)((const unsigned char *)slot + key->section->written_offset))
            return json_null();
        return describe_section(key->section, slot, NULL);
    default:
        return describe_elements(key, base);
    }
}

static json_t *describe_section(const pawl_section *section, const unsigned char *base, const uint32_t *only)
{
    json_t *object = json_object();
    for (const pawl_key *key = section->keys; object && key->name; key++) {
        json_t *value = describe_value(key, base, only);
        if (json_is_null(value)) {
            json_decref(value);
        } else if (json_object_set_new(object, key->name, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

json_t *pawl_profile_describe(const pawl_profile *profile)
{
    return describe_section(&pawl_profile_section, (const unsigned char *)(const void *)profile, NULL);
}
