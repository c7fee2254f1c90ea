/* values.h: what a request's JSON says, read strictly, and bytes shown as JSON. An object with a key that nobody knows
 * is refused, because a misspelt option must never be silently ignored. [any] */
#ifndef PAWL_API_VALUES_H
#define PAWL_API_VALUES_H

#include <jansson.h>
#include <pawl/pawl.h>
#include <stdbool.h>

/** PAWL_E_INVALID unless value is an object with keys only out of `keys` (NULL at the end); what names it in messages.
 */
pawl_status pawl_value_keys(json_t *value, const char *what, const char *const *keys, pawl_error *error);

/** A string member; absent or null: *ret is NULL, which is PAWL_E_INVALID when required. The string is borrowed. */
pawl_status pawl_value_string(const json_t *object, const char *key, bool required, const char **ret,
                              pawl_error *error);
/** A member that is a whole number of at least 0; absent: fallback. */
pawl_status pawl_value_number(const json_t *object, const char *key, uint64_t fallback, uint64_t *ret,
                              pawl_error *error);
/** A member that is true or false; absent: false. */
pawl_status pawl_value_flag(const json_t *object, const char *key, bool *ret, pawl_error *error);

/** Content given in one of three ways: `stem` (any JSON, passed on as compact JSON), `stem`_text (as it is) or
 *  `stem`_base64. None: empty. *ret->data is free()d by the caller. */
pawl_status pawl_value_content(const json_t *object, const char *stem, pawl_bytes *ret, pawl_error *error);

/** Put bytes into an object: as `stem` when they are JSON, null when empty, else as `stem`_base64. False: no memory. */
bool pawl_value_put_content(json_t *object, const char *stem, pawl_bytes bytes);
/** Put text into an object if it is not empty; what is not UTF-8 becomes `key`_base64. False: out of memory. */
bool pawl_value_put_text(json_t *object, const char *key, pawl_bytes text);

/** An outcome: {"status", "output" | "output_base64", "code", "message", "detail"}; NULL when out of memory. */
json_t *pawl_value_outcome(const pawl_outcome *outcome);

/** "waiting" for PAWL_WAITING and so on; "unknown" otherwise. */
const char *pawl_value_status_name(uint32_t status);

#endif
