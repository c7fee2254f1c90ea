/* journal_json.h: a journal entry as JSON, for operators' eyes and tools. Owns the names of the members; never used to
 * store anything. [any] */
#ifndef PAWL_JOURNAL_JSON_H
#define PAWL_JOURNAL_JSON_H

#include "journal.h"

#include <jansson.h>

/** An object with `sequence`, `time` (RFC 3339), `time_unix_ns`, `kind` and, where the kind has them, `ordinal`,
 *  `attempt`, `name`, `input_digest` (hex), `after_ns`, `due`, `due_unix_ns`, `status`, `failure` {`class`, `code`,
 *  `message`, `detail`, `retry_after_ns`}, `code`, and the value under its own word: `result`, `input`, `payload`,
 *  `output`, `reason` or `message`.
 *
 *  A value is JSON when it parses as JSON; else a string, with `<word>_encoding` "text" when it is UTF-8 and "base64"
 *  when it is not. A value over 1024 bytes is cut to a string of its beginning, and `<word>_note` says how long it is,
 *  unless with_values is true. *ret belongs to the caller. Errors: PAWL_E_NOMEM. */
pawl_status pawl_entry_to_json(const pawl_entry *entry, bool with_values, json_t **ret);

#endif
