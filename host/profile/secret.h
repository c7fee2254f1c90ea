/* secret.h: fills secrets into configuration. In a profile, inside any `config`, a mapping with the one key `secret`
 * stands for a text that is not in the file: {secret: "env:NAME"} or {secret: "file:/path"}. It stays a reference until
 * an instance is made. Owns nothing. Never: puts the value of a secret into a message, a log, a description or a copy
 * other than the one returned. Thread tag: [any], as long as nobody changes the environment. */
#ifndef PAWL_HOST_SECRET_H
#define PAWL_HOST_SECRET_H

#include "worker/base/error.h"

#include <jansson.h>
#include <stdbool.h>

#define PAWL_SECRET_BYTES_MAX (64u * 1024u)

/** Is this value a secret's place: an object whose only key is "secret" and whose value is a text? */
bool pawl_secret_is_reference(const json_t *value);

/** Is this a well-formed reference: "env:NAME" or "file:PATH"? */
bool pawl_secret_is_valid(const char *reference);

/** A deep copy of config with every reference replaced by its text. A secret file must be a regular file of at most 64
 * KiB UTF-8 without NUL that others cannot read or write; one newline at its end is cut off. An empty secret is
 * refused.
 *  @param[out] ret for the caller to pawl_secret_forget; only when PAWL_OK
 *  @return PAWL_OK, or the first failure with the reference and its JSON path in the message: PAWL_E_NOT_FOUND,
 *          PAWL_E_INVALID, PAWL_E_LIMIT, PAWL_E_IO, PAWL_E_NOMEM (codes secret.*) */
pawl_status pawl_secret_resolve(const json_t *config, json_t **ret, pawl_error *error);

/** As JSON text, as a plugin gets it: resolve and dump in one. For the caller to pawl_secret_forget_text. */
pawl_status pawl_secret_resolve_text(const json_t *config, char **ret, size_t *ret_size, pawl_error *error);

/** Overwrite what a resolve gave, then free it. NULL allowed. */
void pawl_secret_forget(json_t *resolved);
void pawl_secret_forget_text(char *text, size_t size);

#endif
