/* view.h: what people and programs are shown: processes, journals and the host itself as JSON, and the one line that
 * answers "why is it not running?". Owns nothing; reads stores and the worker. Never shows a secret: configuration is
 * shown as the profile has it, with references. */
#ifndef PAWL_HOST_VIEW_H
#define PAWL_HOST_VIEW_H

#include "host/host_internal.h"

/* ---- pieces (view.c). Each takes over the value it is given; false: out of memory, as from a NULL value ---- */

bool pawl_view_set(json_t *object, const char *key, json_t *value);
/** Bytes as a JSON string; what is not UTF-8 is replaced. */
json_t *pawl_view_text(pawl_bytes text);
/** Content: under key when it is JSON, else as base64 under "<key>_base64". */
bool pawl_view_value(json_t *object, const char *key, pawl_bytes content);
/** key: RFC 3339; key_unix_ns: the number. Nothing when it is 0. */
bool pawl_view_time(json_t *object, const char *key, uint64_t unix_ns);
/** Write JSON as text for the caller and drop it. ret may be NULL. Errors: PAWL_E_NOMEM, also when json is NULL. */
pawl_status pawl_view_give(json_t *json, pawl_text *ret, pawl_error *error);
/** Compact JSON with every real number in its shortest exact form; malloc'ed, NULL when out of memory. */
char *pawl_view_dump(const json_t *json, size_t *ret_size);

/** "ready", "running" ... */
const char *pawl_view_status(uint32_t status);
/** "waiting,stuck", "live", "ended" as bits (1 << status). Errors: PAWL_E_INVALID names the word. */
pawl_status pawl_view_status_mask(const char *words, uint64_t *ret, pawl_error *error);

/* ---- processes ---- */

/** One process, with its status document if the row holds it. whole: with outcome and all facts. A new object or
 *  NULL. */
json_t *pawl_view_process(pawl_host *host, const pawl_process_row *row, bool whole);

/** Why a process is not done, in one line; "" for one that has ended. (view_why.c) */
void pawl_view_why(pawl_host *host, const pawl_process_row *row, char *text, size_t room);

/* ---- the host (view_host.c) ---- */

/** The loaded plugins, storage first. */
json_t *pawl_view_plugins(const pawl_host *host);
json_t *pawl_view_host(pawl_host *host);
/** What can be said of a plugin from its manifest. */
bool pawl_view_manifest(json_t *object, const pawl_manifest *manifest);
/** 64 hex digits. */
json_t *pawl_view_digest(pawl_bytes digest);

/** "paused": since when and why. */
bool pawl_view_set_pause(json_t *json, uint64_t since_unix_ns, pawl_bytes reason);
/** Why an operator keeps this process still. */
pawl_bytes pawl_view_pause_reason(const pawl_process_row *row);

#endif
