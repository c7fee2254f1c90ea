/* json_schema_internal.h: what compiling (json_schema_compile.c) and checking (json_schema.c) share: the compiled
 * schema and a walk through it. Used by these two alone. */
#ifndef PAWL_HOST_JSON_SCHEMA_INTERNAL_H
#define PAWL_HOST_JSON_SCHEMA_INTERNAL_H

#include "host/schema/json_schema.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdbool.h>

#define SCHEMA_SHOWN_BYTES   80
#define SCHEMA_POINTER_BYTES 512u

struct pawl_schema_pattern {
    const char *text; /* the schema's own */
    pcre2_code *code;
};

struct pawl_schema {
    const json_t *root;
    struct pawl_schema_pattern *patterns;
    size_t pattern_count;
    pcre2_match_context *limits;
};

/* A place in a value (or in a schema, while compiling), and what to say of it. */
typedef struct pawl_schema_walk {
    pawl_schema *schema;
    pawl_error *error;
    size_t length; /* of the pointer */
    char pointer[SCHEMA_POINTER_BYTES];
    int depth;
    bool quiet; /* only whether it fits is asked */
} pawl_schema_walk;

/** Go into a member or an element; the result is for pawl_schema_leave. */
size_t pawl_schema_enter(pawl_schema_walk *w, const char *key);
size_t pawl_schema_enter_index(pawl_schema_walk *w, size_t index);
void pawl_schema_leave(pawl_schema_walk *w, size_t before);
/** A value in few bytes. */
const char *pawl_schema_show(const json_t *value, char room[SCHEMA_SHOWN_BYTES + 40]);
/** Say what is wrong at this place, unless the walk is quiet. @return false */
bool pawl_schema_differs(pawl_schema_walk *w, const json_t *found, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** Where a "$ref" leads; NULL: nowhere. */
const json_t *pawl_schema_follow(const json_t *root, const json_t *reference);

#endif
