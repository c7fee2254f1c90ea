/* manifest_reader.c: see manifest_reader.h. It must never accept what it does not know: a key that this host has never
 * heard of may carry a promise it cannot keep. */
#include "manifest_reader.h"
#include "refuse.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 240 };

size_t pawl_reader_enter_key(manifest_reader *reader, const char *key)
{
    size_t before = reader->length;
    int written = snprintf(reader->path + before, sizeof reader->path - before, ".%.100s", key);
    reader->length = strlen(reader->path);
    return written < 0 ? reader->length : before;
}

size_t pawl_reader_enter_index(manifest_reader *reader, size_t index)
{
    size_t before = reader->length;
    int written = snprintf(reader->path + before, sizeof reader->path - before, "[%zu]", index);
    reader->length = strlen(reader->path);
    return written < 0 ? reader->length : before;
}

void pawl_reader_leave(manifest_reader *reader, size_t length)
{
    reader->length = length;
    reader->path[length] = '\0';
}

static void describe(const json_t *value, char *text, size_t room)
{
    switch (value == NULL ? -1 : (int)json_typeof(value)) {
    case -1:
        snprintf(text, room, "nothing");
        break;
    case JSON_OBJECT:
        snprintf(text, room, "an object");
        break;
    case JSON_ARRAY:
        snprintf(text, room, "an array of %zu", json_array_size(value));
        break;
    case JSON_STRING:
        snprintf(text, room, "\"%.100s\"", json_string_value(value));
        break;
    case JSON_INTEGER:
        snprintf(text, room, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        break;
    case JSON_REAL:
        snprintf(text, room, "%g", json_real_value(value));
        break;
    case JSON_NULL:
        snprintf(text, room, "null");
        break;
    default:
        snprintf(text, room, "%s", json_is_true(value) ? "true" : "false");
    }
}

void pawl_reader_problem(manifest_reader *reader, const char *key, const json_t *found, const char *format, ...)
{
    if (reader->status != PAWL_OK)
        return;
    char wanted[600];
    char text[TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(wanted, sizeof wanted, format, args);
    va_end(args);
    describe(found, text, sizeof text);
    size_t before = key == NULL ? reader->length : pawl_reader_enter_key(reader, key);
    reader->status = pawl_loader_refuse(reader->error, "loader.manifest_invalid", "manifest",
                                        "at %s: found %s, wanted %s", reader->path, text, wanted);
    pawl_reader_leave(reader, before);
}

static bool is_known(const char *const *keys, const char *key)
{
    for (; *keys != NULL; keys++)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static void join(const char *const *words, char *text, size_t room)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; words[i] != NULL && used < room; i++) {
        snprintf(text + used, room - used, "%s%s", i == 0 ? "" : ", ", words[i]);
        used = strlen(text);
    }
}

bool pawl_reader_object(manifest_reader *reader, const json_t *value, const char *const *keys)
{
    if (reader->status != PAWL_OK)
        return false;
    if (!json_is_object(value)) {
        pawl_reader_problem(reader, NULL, value, "an object");
        return false;
    }
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)value, key, member)
    {
        if (is_known(keys, key))
            continue;
        char all[400];
        join(keys, all, sizeof all);
        pawl_reader_problem(reader, key, member, "no such key; this host knows %s", all);
        return false;
    }
    return true;
}

const char *pawl_reader_text(manifest_reader *reader, const json_t *object, const char *key, const char *fallback,
                             size_t size_max)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL && fallback != NULL)
        return fallback;
    if (!json_is_string(value) || json_string_length(value) == 0 || json_string_length(value) > size_max) {
        pawl_reader_problem(reader, key, value, "a text of 1 to %zu bytes", size_max);
        return "";
    }
    return json_string_value(value);
}

uint64_t pawl_reader_integer(manifest_reader *reader, const json_t *object, const char *key, const uint64_t *fallback,
                             uint64_t least, uint64_t most)
{
    const json_t *value = json_object_get(object, key);
    if (value == NULL && fallback != NULL)
        return *fallback;
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    if (number < 0 || (uint64_t)number < least || (uint64_t)number > most) {
        pawl_reader_problem(reader, key, value, "a whole number from %llu to %llu", (unsigned long long)least,
                            (unsigned long long)most);
        return least;
    }
    return (uint64_t)number;
}

bool pawl_reader_flag(manifest_reader *reader, const json_t *object, const char *key, bool fallback)
{
    const json_t *value = json_object_get(object, key);
    if (value != NULL && !json_is_boolean(value))
        pawl_reader_problem(reader, key, value, "true or false");
    return value == NULL ? fallback : json_is_true(value);
}

bool pawl_reader_word_value(const manifest_word *words, const char *word, uint32_t *ret_value)
{
    for (; words->word != NULL; words++) {
        if (strcmp(words->word, word) == 0) {
            *ret_value = words->value;
            return true;
        }
    }
    return false;
}

const char *pawl_reader_word_of(const manifest_word *words, uint32_t value)
{
    for (; words->word != NULL; words++)
        if (words->value == value)
            return words->word;
    return "?";
}

uint32_t pawl_reader_choice(manifest_reader *reader, const json_t *object, const char *key, const manifest_word *words,
                            const uint32_t *fallback)
{
    const json_t *value = json_object_get(object, key);
    uint32_t found = 0;
    if (value == NULL && fallback != NULL)
        return *fallback;
    if (json_is_string(value) && pawl_reader_word_value(words, json_string_value(value), &found))
        return found;
    const char *list[8] = {NULL};
    char all[200];
    for (size_t i = 0; i + 1 < sizeof list / sizeof *list && words[i].word != NULL; i++)
        list[i] = words[i].word;
    join(list, all, sizeof all);
    pawl_reader_problem(reader, key, value, "one of %s", all);
    return 0;
}

json_t *pawl_reader_schema(manifest_reader *reader, const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL)
        return NULL;
    if (!json_is_object(value) && !json_is_boolean(value))
        pawl_reader_problem(reader, key, value, "a JSON Schema: an object or a boolean (true allows everything)");
    return value;
}

json_t *pawl_reader_array(manifest_reader *reader, const json_t *object, const char *key, size_t count_max)
{
    json_t *value = json_object_get(object, key);
    if (value == NULL)
        return NULL;
    if (!json_is_array(value) || json_array_size(value) == 0 || json_array_size(value) > count_max) {
        pawl_reader_problem(reader, key, value, "an array of 1 to %zu elements", count_max);
        return NULL;
    }
    return value;
}
