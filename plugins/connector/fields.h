/* fields.h: strict reading of JSON objects (configurations and inputs) by a table of their fields. What the table does
 * not name is refused, so that a misspelt key is an error and not a default. Owns nothing: what is read is borrowed
 * from the object. [any] */
#ifndef PAWL_CONNECTOR_FIELDS_H
#define PAWL_CONNECTOR_FIELDS_H

#include "plugins/connector/error.h"

#define PAWL_CONNECTOR_FIELDS_MAX 64u /* a table has fewer */

typedef enum pawl_connector_type {
    PAWL_CONNECTOR_TEXT,
    PAWL_CONNECTOR_INTEGER, /* within min..max */
    PAWL_CONNECTOR_BOOLEAN,
    PAWL_CONNECTOR_OBJECT, /* any object */
    PAWL_CONNECTOR_TEXTS,  /* an object of which every value is a text */
    PAWL_CONNECTOR_LIST,   /* an array of texts */
    PAWL_CONNECTOR_ARRAY,  /* any array */
    PAWL_CONNECTOR_ANY
} pawl_connector_type;

typedef struct pawl_connector_field {
    const char *name;
    pawl_connector_type type;
    bool required;
    int64_t min, max; /* integers only */
} pawl_connector_field;

/** Check an object against its table. where: what the messages begin with ("http connector \"crm\": config.tls"); code:
 *  of the failure, which is terminal. */
pawl_status pawl_connector_check(const json_t *object, const pawl_connector_field *fields, size_t count,
                                 const char *where, const char *code, pawl_connector_error *error);
#define PAWL_CONNECTOR_COUNT(table) (sizeof(table) / sizeof((table)[0]))

/** Parse an object from bytes, and refuse anything else. Empty bytes are an empty object. A duplicate key is refused.
 *  *ret is the caller's (json_decref). */
pawl_status pawl_connector_parse(pawl_bytes text, const char *where, const char *code, json_t **ret,
                                 pawl_connector_error *error);

/* Values of a checked object, or what to use when absent. */
const char *pawl_connector_text(const json_t *object, const char *name, const char *otherwise);
int64_t pawl_connector_integer(const json_t *object, const char *name, int64_t otherwise);
bool pawl_connector_boolean(const json_t *object, const char *name, bool otherwise);

#endif
