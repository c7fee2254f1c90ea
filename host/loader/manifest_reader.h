/* manifest_reader.h: strict, typed reading of a JSON tree that knows where it is. The first problem wins; after it
 * every read gives its fallback, so that code which uses it can run straight down. Internal to the loader. [any] */
#ifndef PAWL_HOST_LOADER_MANIFEST_READER_H
#define PAWL_HOST_LOADER_MANIFEST_READER_H

#include "worker/base/error.h"

#include <jansson.h>
#include <stdbool.h>

typedef struct manifest_reader {
    pawl_error *error;
    pawl_status status; /* of the first problem */
    size_t length;      /* of path */
    char path[400];     /* "$.effects[2]" */
} manifest_reader;

/** A word of the manifest and the number it stands for; a list ends with a NULL word. */
typedef struct manifest_word {
    const char *word;
    uint32_t value;
} manifest_word;

/** Go into a member or an element; the result is for leave. */
size_t pawl_reader_enter_key(manifest_reader *reader, const char *key);
size_t pawl_reader_enter_index(manifest_reader *reader, size_t index);
void pawl_reader_leave(manifest_reader *reader, size_t length);

/** Record a problem with the member `key` of the present place (NULL: with the place itself). */
void pawl_reader_problem(manifest_reader *reader, const char *key, const json_t *found, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/** The present value must be an object with no other keys than these (NULL-terminated). */
bool pawl_reader_object(manifest_reader *reader, const json_t *value, const char *const *keys);

const char *pawl_reader_text(manifest_reader *reader, const json_t *object, const char *key, const char *fallback,
                             size_t size_max);
uint64_t pawl_reader_integer(manifest_reader *reader, const json_t *object, const char *key, const uint64_t *fallback,
                             uint64_t least, uint64_t most);
bool pawl_reader_flag(manifest_reader *reader, const json_t *object, const char *key, bool fallback);
uint32_t pawl_reader_choice(manifest_reader *reader, const json_t *object, const char *key, const manifest_word *words,
                            const uint32_t *fallback);
/** A JSON Schema: an object or a boolean. NULL when it is missing. */
json_t *pawl_reader_schema(manifest_reader *reader, const json_t *object, const char *key);
/** An array of at most count_max elements; NULL when it is missing. */
json_t *pawl_reader_array(manifest_reader *reader, const json_t *object, const char *key, size_t count_max);

/** The number that a word stands for; false when it is none of the list. */
bool pawl_reader_word_value(const manifest_word *words, const char *word, uint32_t *ret_value);
/** The word for a number; "?" when there is none. */
const char *pawl_reader_word_of(const manifest_word *words, uint32_t value);

#endif
