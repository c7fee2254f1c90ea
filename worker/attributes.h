/* attributes.h: search attributes as people and process code write them, against what the profile says of them, and as
 * a store keeps them: keyword -> string, integer -> integer, number -> real, boolean -> boolean, time -> integer,
 * nanoseconds since 1970. Pure functions over a schema that lives as long as the host. [any] */
#ifndef PAWL_ATTRIBUTES_H
#define PAWL_ATTRIBUTES_H

#include "base/error.h"
#include "pawl_abi.h"

#include <jansson.h>
#include <stdbool.h>

enum {
    PAWL_ATTRIBUTE_KEYWORD = 1, /* UTF-8 text of at most 256 bytes */
    PAWL_ATTRIBUTE_INTEGER,     /* 64 bits, signed */
    PAWL_ATTRIBUTE_NUMBER,      /* a double */
    PAWL_ATTRIBUTE_BOOLEAN,
    PAWL_ATTRIBUTE_TIME, /* RFC 3339 text, or nanoseconds since 1970 */
};

#define PAWL_ATTRIBUTES_MAX              64u /* of a schema */
#define PAWL_ATTRIBUTE_KEYWORD_BYTES_MAX 256u

typedef struct pawl_attribute {
    const char *name;
    uint32_t type; /* PAWL_ATTRIBUTE_* */
} pawl_attribute;

typedef struct pawl_attribute_schema {
    const pawl_attribute *attributes;
    size_t count;
} pawl_attribute_schema;

/** The attribute of this name, or NULL. schema may be NULL. */
const pawl_attribute *pawl_attribute_find(const pawl_attribute_schema *schema, const char *name);
/** "keyword", ... */
const char *pawl_attribute_type_name(uint32_t type);

/** A value as it is stored. A new reference, or NULL with PAWL_E_INVALID "attribute_type" (or "attribute_too_long"),
 *  which names attribute, found and wanted. */
json_t *pawl_attribute_value(const pawl_attribute *attribute, const json_t *given, pawl_error *error);

/** An object of them. removals: null is allowed, and stays. Errors: PAWL_E_INVALID "attribute_unknown",
 *  "attribute_type", "attribute_too_long", "attributes_invalid"; PAWL_E_NOMEM. *ret is a new reference. */
pawl_status pawl_attributes_read(const pawl_attribute_schema *schema, pawl_bytes json, bool removals, json_t **ret,
                                 pawl_error *error);

/** What is stored, for people: times as RFC 3339. NULL when it is none or out of memory; else a new reference. */
json_t *pawl_attributes_show(const pawl_attribute_schema *schema, pawl_bytes stored);

#endif
