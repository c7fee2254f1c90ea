/* json_schema.h: does a JSON value fit a JSON Schema (draft 7)? Owns compiled schemas; a compiled one is read-only and
 * may be used by many threads at once. Reads no file and fetches nothing: a "$ref" leads to a place in the same schema.
 *
 * Supported: type, enum, const, the keywords of numbers, strings, arrays and objects, if/then/else, allOf, anyOf,
 * oneOf, not, $ref ("#" and JSON pointers), definitions. format, contentEncoding and the other annotations are read
 * over. Patterns are PCRE2's with limits on what matching one may take; a value is looked at to a depth of 256. */
#ifndef PAWL_HOST_JSON_SCHEMA_H
#define PAWL_HOST_JSON_SCHEMA_H

#include "worker/base/error.h"

#include <jansson.h>

#define PAWL_SCHEMA_DEPTH_MAX 256

typedef struct pawl_schema pawl_schema;

/** Check a schema and make it ready. *ret is NULL when it allows everything: nothing has to be checked then.
 *  schema: must outlive what is made of it, unchanged.
 *  Errors: PAWL_E_INVALID "schema.invalid" with the JSON pointer of the place, what was found and what was wanted;
 *  PAWL_E_NOMEM. [any] */
pawl_status pawl_schema_compile(const json_t *schema, pawl_schema **ret, pawl_error *error);
pawl_schema *pawl_schema_destroy(pawl_schema *schema); /**< NULL is allowed; returns NULL */

/** Does the value fit? A schema of NULL allows everything. PAWL_E_INVALID "schema.mismatch": the first difference, as
 *  `at "/items/2/price": found "12" (a string), wanted a number`. [any] */
pawl_status pawl_schema_check(const pawl_schema *schema, const json_t *value, pawl_error *error);

/** The same for JSON text; text that is not JSON does not fit. */
pawl_status pawl_schema_check_text(const pawl_schema *schema, pawl_bytes text, pawl_error *error);

#endif
