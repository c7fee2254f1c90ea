/* selector.h: what a manifest says about where a value is taken from: a JSON object with exactly one of
 *   {"payload": true}                     the whole payload
 *   {"pointer": "/a/0"}                   what this JSON pointer leads to; nothing there is an error
 *   {"const": VALUE}                      this value
 *   {"template": "{a}-{b}", "fields": {"a": SELECTOR, "b": SELECTOR}}   the text with each field put in, once
 *   {"present": "/a/0"}                   whether the pointer leads to something
 * Owns nothing. [any] */
#ifndef PAWL_HOST_SELECTOR_H
#define PAWL_HOST_SELECTOR_H

#include "worker/base/error.h"

#include <jansson.h>
#include <stdbool.h>

/** Is it a selector? PAWL_E_INVALID "selector.invalid" says what is wrong, and with `where`, where. */
pawl_status pawl_selector_check(const json_t *selector, const char *where, pawl_error *error);

/** Take the value out of a payload; a checked selector. *ret is a new reference.
 *  Errors: PAWL_E_INVALID "event.pointer" (a pointer leads nowhere), PAWL_E_NOMEM. */
pawl_status pawl_selector_take(const json_t *selector, const json_t *payload, json_t **ret, pawl_error *error);

/** null, false, "", [] and {} are false; everything else is true, also 0 and "0". */
bool pawl_selector_truth(const json_t *value);

/** A string as it is, other values as compact JSON. malloc'ed; NULL: out of memory. */
char *pawl_selector_text(const json_t *value);

#endif
